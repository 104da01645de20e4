"""Where authorities may stand in a target year, how that compares with the target, and what it would take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve_place, upper_tier
from outcomes_analysis.errors import ObservationsError, SpecError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.cohorts import POPULATION, assumed_children
from outcomes_analysis.observations.scales import Floats, derivative, inverse, transform
from outcomes_analysis.places.allocating import NOT_AGREED, SHARINGS, LocalSum, ladder_up, share_out
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.scoring import SCORE_COLUMNS, held_out_scores
from outcomes_analysis.places.stretches import Stretch, stretch_until, yearly_rows
from outcomes_analysis.places.target_wording import Target, compose_target, place_paragraphs
from outcomes_analysis.places.trending import Mixture, forecast_england, forecast_gaps, sure
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, made_from

Scenario = Literal["no_change", "recent_drift", "to_target"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
LONGEST_AHEAD = 10  # years: beyond, the fan says nothing
INNER = 0.5  # level of the inner band of the fan
NO_FIGURE = "no figure of the same year whose error is known"


@dataclass(frozen=True)
class TrajectorySpec:
    """What a trajectory was asked for."""

    indicator_id: str
    target: float
    year: int
    level: float
    own_targets: tuple[tuple[str, float], ...]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A posterior for every authority in the target year, under three scenarios for England.

    Attributes
    ----------
    table : DataFrame
        One row an authority (and England) and ``scenario``: ``indicator_id, area_code, name, region_name, scenario,
        period, value`` (the newest figure), ``england`` (England's), ``gap`` (natural units), ``year``, ``estimate,
        lower, upper, level, interval`` (``"scenario"``: holds only under it; median and equal tails of the figure as it
        would be published), ``target``, ``chance`` (that the figure reaches the target: at least it, or at most it
        where lower is better; NaN for England where its path is given), ``cohort`` (children behind the figure),
        ``cohort_from`` (``published``, ``assumed`` or empty), ``children_now, children_then`` (more children that
        would have to be counted, or fewer where lower is better, at the newest figure and at the estimate; shares of
        children only, else NaN), ``reason`` (why there is no estimate).
    fan : DataFrame
        ``area_code, scenario, year, estimate, lower, upper, level, interval`` at two levels, every year to the target.
    shares : DataFrame
        Illustrative shares, one row an authority and way of sharing: ``area_code, name, sharing, value, share`` (its
        target), ``gain, children, label``. Their mean weighted by children is the national target to 1e-9. Empty
        where England is there already.
    own : DataFrame
        The user's own targets: ``area_code, name, scenario, value, own_target, estimate, lower, upper, level, chance,
        children``; empty if none were given.
    local_sum : LocalSum or None
        What the user's own targets add up to.
    scores : DataFrame
        Forecasts of held-out years (:func:`outcomes_analysis.places.scoring.held_out_scores`).
    text : str
    spec : TrajectorySpec
    manifest : RunManifest
    indicator : Indicator
        What is forecast.
    years : int
        Comparable years the forecast rests on.
    """

    table: pd.DataFrame
    fan: pd.DataFrame
    shares: pd.DataFrame
    own: pd.DataFrame
    local_sum: LocalSum | None
    scores: pd.DataFrame
    text: str
    spec: TrajectorySpec
    manifest: RunManifest
    indicator: Indicator
    years: int

    def __str__(self) -> str:
        return self.text

    def text_for(self, place: str) -> str:
        """Write what is said of one authority: its scenarios, the children needed, illustrative shares, own target.

        Parameters
        ----------
        place : str
            Any usual spelling, a former name or a code.

        Raises
        ------
        AreaError
            If no such place is known.
        ObservationsError
            If it is no upper-tier authority.
        """
        code = resolve_place(place)
        if code not in set(self.table["area_code"]):
            message = f"{place} ({code}) is no upper-tier authority, and trajectories are made for those alone."
            raise ObservationsError(message)
        return place_paragraphs(
            self.table[self.table["area_code"].eq(code)],
            shares=self.shares[self.shares["area_code"].eq(code)] if len(self.shares) else self.shares,
            own=self.own[self.own["area_code"].eq(code)] if len(self.own) else self.own,
            indicator=self.indicator,
        )


def trajectory(
    indicator: str,
    *,
    target: float,
    year: int,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    own_targets: Mapping[str, float] | None = None,
    level: float = LEVEL,
    score: bool = True,
) -> Trajectory:
    """Forecast an indicator for every authority, and set it against a national target.

    Parameters
    ----------
    indicator : str
        Its id, such as ``gld_pct``.
    target : float
        National target in natural units.
    year : int
        Year in which the target's period ends: 2028 for the school year 2027/28.
    observations : DataFrame, optional
        The tidy table; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    own_targets : mapping of str to float, optional
        Local targets by name or code. They are checked against the national one, and only for them is a chance of
        reaching a local target given.
    level : float
        Of intervals.
    score : bool
        Whether to forecast held-out years (takes most of the time).

    Returns
    -------
    Trajectory

    Raises
    ------
    SpecError
        If the target is out of the indicator's range, the year is not ahead or more than ten years off, or an own
        target is out of range.
    ObservationsError
        If there are fewer than two comparable years.
    AreaError, FrameworkError
        If a place or the indicator is not known.

    Notes
    -----
    Model and sources of variance: :mod:`outcomes_analysis.places.trending`. A missing figure takes no part; the City of
    London and the Isles of Scilly get no estimate.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    measure = framework.indicator(indicator)
    register = upper_tier()
    own = {resolve_place(name): float(goal) for name, goal in (own_targets or {}).items()}
    _check_targets(measure, target=target, own=own, known=register.index)
    rows = yearly_rows(observations, framework=framework, indicator=indicator)
    regions = register["region_code"]
    known = stretch_until(rows, framework=framework, regions=regions)
    if not known.last < year <= known.last + LONGEST_AHEAD:
        message = (
            f"The newest figures of '{indicator}' are for {known.last}; a target year must be later, by "
            f"{LONGEST_AHEAD} years at most, and {year} is not. Choose {known.last + 1} to "
            f"{known.last + LONGEST_AHEAD}."
        )
        raise SpecError(message)
    years = list(range(known.last + 1, year + 1))
    gaps = forecast_gaps(known.gaps, years)
    paths = _paths(known, years, goal=_on(target, measure))
    children = _children(observations, framework=framework, indicator=measure, known=known, register=register)
    table, fan = _tables(
        known, gaps, paths, children, indicator=measure, register=register, years=years, target=target, level=level
    )
    shares = _shares(known, gaps, paths["no_change"], table, indicator=measure, target=target)
    local_sum = None
    ours = _own(own, known, gaps, paths, table, indicator=measure)
    if own:
        everyone = table[table["scenario"].eq("no_change") & ~table["area_code"].eq(ENGLAND)].set_index("area_code")
        goals = pd.Series(own).reindex(everyone.index)
        local_sum = ladder_up(goals.to_numpy(), everyone["cohort"].to_numpy(dtype=float), target=target)
    scores = pd.DataFrame(columns=list(SCORE_COLUMNS))
    if score:
        scores = held_out_scores(
            rows, indicator=measure, framework=framework, regions=regions, ahead=min(len(years), 3), level=level
        )
    spec = TrajectorySpec(indicator, float(target), int(year), level, tuple(sorted(own.items())))
    asked = Target(
        indicator=measure,
        target=float(target),
        year=int(year),
        level=level,
        first=int(known.gaps.years[0]),
        last=known.last,
        drift=_yearly_drift(known, measure),
        scored=score,
    )
    used = rows[["area_code", "period", "value", "source_id"]]
    return Trajectory(
        table=table,
        fan=fan,
        shares=shares,
        own=ours,
        local_sum=local_sum,
        scores=scores,
        text=compose_target(asked, table=table, shares=shares, own=ours, local_sum=local_sum, scores=scores),
        spec=spec,
        manifest=made_from(
            used.to_dict(orient="list"),
            spec=spec,
            data_as_at=observations.attrs.get("data_as_at"),
            sources=used["source_id"],
        ),
        indicator=measure,
        years=len(known.gaps.years),
    )


def _check_targets(indicator: Indicator, *, target: float, own: dict[str, float], known: pd.Index) -> None:
    low, high = indicator.valid_range
    if not low <= target <= high:
        message = f"The target {target:g} is outside the range of '{indicator.id}', {low:g} to {high:g}."
        raise SpecError(message)
    elsewhere = [code for code in own if code not in known]
    if elsewhere:
        message = f"{len(elsewhere)} local targets are for no upper-tier authority: {several(elsewhere)}."
        raise SpecError(message)
    wrong = [code for code, goal in own.items() if not low <= goal <= high]
    if wrong:
        message = f"{len(wrong)} local targets are outside {low:g} to {high:g}: {several(wrong)}. Correct them."
        raise SpecError(message)


def _on(value: float, indicator: Indicator) -> float:
    low, high = indicator.valid_range
    half = 0.5 * 10.0**-indicator.decimals
    return float(transform(value, indicator.scale, low=low, high=high, guard=half))


def _natural(x: Floats, indicator: Indicator) -> Floats:
    low, high = indicator.valid_range
    return np.clip(inverse(x, indicator.scale, low=low, high=high), low, high)


def _yearly_drift(known: Stretch, indicator: Indicator) -> float:
    """England's mean change a year over the stretch, natural units."""
    ends = _natural(known.england.to_numpy(dtype=float)[[0, -1]], indicator)
    return float(ends[1] - ends[0]) / known.drift.span


def _paths(known: Stretch, years: list[int], *, goal: float) -> dict[Scenario, Mixture]:
    """England's path under each scenario; that to the target is taken as given, in equal steps on the scale."""
    steps = [y - known.last for y in years]
    last = float(known.england.iloc[-1])
    return {
        "no_change": forecast_england(known.drift, last, steps, drifting=False),
        "recent_drift": forecast_england(known.drift, last, steps, drifting=True),
        "to_target": sure(last + (goal - last) * np.array(steps, dtype=float) / steps[-1]),
    }


def _children(
    observations: pd.DataFrame, *, framework: Framework, indicator: Indicator, known: Stretch, register: pd.DataFrame
) -> pd.DataFrame:
    """Newest value and children behind it of every authority and England: ``value, cohort, cohort_from``."""
    mine = (
        observations["indicator_id"].eq(indicator.id)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & observations["period"].eq(known.period)
    )
    rows = observations[mine & observations["area_code"].isin([*register.index, ENGLAND])]
    rows = rows.drop_duplicates("area_code", keep="last")
    published = pd.to_numeric(rows["denominator"]).to_numpy(dtype=float)
    population = observations[observations["indicator_id"].eq(POPULATION)]
    assumed = assumed_children(rows, population, framework=framework, figures=observations)
    found = pd.DataFrame({"value": rows["value"].to_numpy(dtype=float)}, index=rows["area_code"].to_numpy())
    counted = np.isfinite(published) & (published > 0)
    found["cohort"] = np.where(counted, published, assumed)
    found["cohort_from"] = np.where(counted, "published", np.where(np.isfinite(assumed), "assumed", ""))
    return found.reindex([ENGLAND, *register.index]).fillna({"cohort_from": ""})


def _tables(
    known: Stretch,
    gaps: Mixture,
    paths: dict[Scenario, Mixture],
    children: pd.DataFrame,
    *,
    indicator: Indicator,
    register: pd.DataFrame,
    years: list[int],
    target: float,
    level: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Main table and fan."""
    error = known.figures["variance"].to_numpy(dtype=float)[:, None]
    base = children.rename_axis("area_code").reset_index()
    base["name"] = ["England", *register["name"]]
    base["region_name"] = ["", *register["region_name"]]
    england = float(children.loc[ENGLAND, "value"])
    base = base.assign(indicator_id=indicator.id, period=known.period, england=england, gap=base["value"] - england)
    tables, fans = [], []
    for scenario, path in paths.items():
        national = Mixture(path.weights, path.means[:, None, :], path.variances[:, None, :])
        figure = gaps.plus(national).widened(error)
        chance = np.concatenate([_reached(national, target, indicator), _reached(figure, target, indicator)])[:, -1]
        codes = [ENGLAND, *known.codes]
        middle = _quantile(national, figure, 0.5, indicator)
        for width in (level, INNER):
            tail = (1.0 - width) / 2
            bounds = {"estimate": middle, "lower": _quantile(national, figure, tail, indicator)}
            bounds["upper"] = _quantile(national, figure, 1.0 - tail, indicator)
            band = pd.DataFrame({name: values.ravel() for name, values in bounds.items()})
            band.insert(0, "year", np.tile(years, len(codes)))
            band.insert(0, "scenario", scenario)
            band.insert(0, "area_code", np.repeat(codes, len(years)))
            fans.append(band.assign(level=width, interval="scenario"))
        last = fans[-2][fans[-2]["year"].eq(years[-1])].set_index("area_code").drop(columns=["scenario", "year"])
        last["chance"] = chance
        if scenario == "to_target":
            last.loc[ENGLAND, "chance"] = np.nan
        tables.append(base.assign(scenario=scenario, year=years[-1], target=target).join(last, on="area_code"))
    table = pd.concat(tables, ignore_index=True)
    table["level"] = level
    table["interval"] = "scenario"
    estimated = table["estimate"].notna()
    small = table["area_code"].map(register["ranked"]).isin([False])
    table["reason"] = np.where(estimated, "", np.where(small, "too few children for a rate to be told", NO_FIGURE))
    turn = -1.0 if indicator.direction < 0 else 1.0
    # only a share of children turns into children by multiplying with their number
    people = table["cohort"] / indicator.per if indicator.form == "proportion" else table["cohort"] * np.nan
    for column, at in (("children_now", "value"), ("children_then", "estimate")):
        short = np.maximum(turn * (target - table[at]), 0.0) * people
        # a whole child short by rounding alone is none
        table[column] = np.ceil(np.round(short, 6))
    columns = [
        "indicator_id", "area_code", "name", "region_name", "scenario", "period", "value", "england", "gap", "year",
        "estimate", "lower", "upper", "level", "interval", "target", "chance", "cohort", "cohort_from", "children_now",
        "children_then", "reason",
    ]  # fmt: skip
    return table[columns], pd.concat(fans, ignore_index=True)


def _quantile(national: Mixture, figure: Mixture, share: float, indicator: Indicator) -> Floats:
    """England's quantile, then the authorities', in natural units."""
    return np.concatenate([_natural(m.quantile(share), indicator) for m in (national, figure)])


def _reached(figure: Mixture, target: float, indicator: Indicator) -> Floats:
    """Chance of at least the target, or at most it where lower is better."""
    under = figure.below(np.full(figure.means.shape[1:], _on(target, indicator)))
    return under if indicator.direction < 0 else 1.0 - under


def _shares(
    known: Stretch, gaps: Mixture, path: Mixture, table: pd.DataFrame, *, indicator: Indicator, target: float
) -> pd.DataFrame:
    """Illustrative shares of every way of sharing; empty where the places together are at the target already."""
    rows = table[table["scenario"].eq("no_change")].set_index("area_code").loc[list(known.codes)]
    rows = rows[rows["cohort"].gt(0)]
    columns = ["area_code", "name", "sharing", "value", "share", "gain", "children", "label"]
    weight, value = rows["cohort"].to_numpy(dtype=float), rows["value"].to_numpy(dtype=float)
    if rows.empty:
        return pd.DataFrame(columns=columns)
    left = target - float(value @ weight) / weight.sum()
    # where no direction is agreed, either side of the target may be shared out
    turn = float(indicator.direction) if indicator.direction and not indicator.contested else float(np.sign(left))
    if turn * left <= 0:
        return pd.DataFrame(columns=columns)
    low, high = indicator.valid_range
    at = known.codes.get_indexer(rows.index)
    centre = _natural(gaps.mean()[at, -1] + path.mean()[-1], indicator)
    slope = derivative(centre, indicator.scale, low=low, high=high, guard=0.5 * 10.0**-indicator.decimals)
    sds = np.hypot(gaps.sd()[at, -1], path.sd()[-1]) / slope
    found = []
    for sharing in SHARINGS:
        start = centre if sharing == "equal_difficulty" else value
        share = share_out(start, weight, target=target, sharing=sharing, low=low, high=high, sds=sds)
        people = weight / indicator.per if indicator.form == "proportion" else np.nan * weight
        part = pd.DataFrame({"area_code": rows.index, "name": rows["name"].to_numpy(), "sharing": sharing})
        part = part.assign(value=value, share=share, gain=share - value)
        part["children"] = np.ceil(np.round(np.maximum(turn * part["gain"], 0.0) * people, 6))
        found.append(part.assign(label=NOT_AGREED))
    return pd.concat(found, ignore_index=True)[columns]


def _own(
    own: dict[str, float],
    known: Stretch,
    gaps: Mixture,
    paths: dict[Scenario, Mixture],
    table: pd.DataFrame,
    *,
    indicator: Indicator,
) -> pd.DataFrame:
    """The user's own targets beside the forecasts, with the chance of reaching each."""
    columns = [
        "area_code", "name", "scenario", "value", "own_target", "estimate", "lower", "upper", "level", "chance",
        "children",
    ]  # fmt: skip
    if not own:
        return pd.DataFrame(columns=columns)
    goals = np.array([_on(own.get(code, np.nan), indicator) for code in known.codes])
    error = known.figures["variance"].to_numpy(dtype=float)
    turn = -1.0 if indicator.direction < 0 else 1.0
    found = []
    for scenario, path in paths.items():
        last = Mixture(gaps.weights, gaps.means[:, :, -1], gaps.variances[:, :, -1])
        national = Mixture(path.weights, path.means[:, -1:], path.variances[:, -1:])
        under = last.plus(national).widened(error).below(goals)
        chance = pd.Series(under if turn < 0 else 1.0 - under, index=known.codes)
        rows = table[table["scenario"].eq(scenario) & table["area_code"].isin(own)].copy()
        rows["own_target"] = rows["area_code"].map(own)
        rows["chance"] = rows["area_code"].map(chance)
        people = rows["cohort"] / indicator.per if indicator.form == "proportion" else np.nan
        short = np.maximum(turn * (rows["own_target"] - rows["value"]), 0.0) * people
        rows["children"] = np.ceil(np.round(short, 6))
        found.append(rows[columns])
    return pd.concat(found, ignore_index=True)
