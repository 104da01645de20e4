"""One place and one date: whether its figures left the course that others would have one expect."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import Problems, RelationError, SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.evaluating.counterparts import METHODS, Counterpart, Floats
from outcomes_analysis.relations.evaluating.evaluation_wording import compose_evaluation
from outcomes_analysis.relations.evaluating.placebos import Judged, each_as_the_place, judge, lead_slope, slope_loads
from outcomes_analysis.relations.evaluating.power import detectable, detectable_by_error
from outcomes_analysis.relations.sample import USABLE
from outcomes_analysis.sources.release import data_as_at
from outcomes_analysis.wording import EVALUATION_CHECKS, plural

MINIMUM_BEFORE = 5  # years: three to fit, two to see whether the fit holds
MINIMUM_FIT = 3  # years before an earlier date that stands in for the date
MINIMUM_OTHERS = 30  # places; an interval of 90 % then rests on three beyond it
UNUSUAL = 0.1  # chance below which a course or misfit is unlike that of other places
DESIGN = ("overlap", "fit", "earlier_course", "earlier_dates")  # without these the estimate itself is withheld


@dataclass(frozen=True)
class EvaluationSpec:
    """One figure, place and date. Frozen and hashable.

    Attributes
    ----------
    indicator : str
        Indicator id.
    area_code : str
        Of the upper-tier authority.
    since : int
        First analysis year (that in which a figure's period ends) in which a change could show.
    change : str
        What changed there, in words that can stand inside a sentence: ``"the family hubs of 2021"``.
    until : int, optional
        Last year; by default the latest the place has.
    also_changed : tuple of str
        Codes of other areas where the same changed about that time: they are compared with nothing.

    Raises
    ------
    SpecError
        Naming everything that is wrong.
    """

    indicator: str
    area_code: str
    since: int
    change: str
    until: int | None = None
    also_changed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = Problems("evaluation of a place and a date")
        if not self.change.strip():
            problems.add("what changed is not said; put it in words.")
        if self.until is not None and self.until < self.since:
            problems.add(f"the last year, {self.until}, lies before the first, {self.since}.")
        if self.area_code in self.also_changed:
            problems.add(f"'{self.area_code}' is the place itself; leave it out of also_changed.")
        problems.raise_if_any(SpecError)

    @property
    def hash(self) -> str:
        """Short hash of the question, the same in every session."""
        return hash_of(asdict(self))

    def replace(self, **changes: Any) -> EvaluationSpec:
        """Make the same question with something changed."""
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What can be said of a place and a date.

    Attributes
    ----------
    table : DataFrame
        One row a method (``weighted``: synthetic control; ``differences``: difference in differences): ``estimate``
        (place less counterpart, mean of the years since the date, natural units), ``lower, upper, level, interval``,
        ``p_value`` (share of places with as large a difference, this one counted), ``misfit`` (root mean square before
        the date), ``status`` and ``reason``. Withheld where a check in ``DESIGN`` fails.
    checks : DataFrame
        One row a check (``wording.EVALUATION_CHECKS``): ``check, passed, found`` (in words).
    power : DataFrame
        One row a method: the smallest change that would have stood out four times in five, ``detectable``; were
        sampling error, ``by_sampling``, or sampling error and year-to-year variation, ``by_year_to_year``, all that
        moves the figures (NaN where not known); and ``spread``, one standard deviation between places.
    paths : DataFrame
        By ``year``: ``place``, ``weighted`` and ``differences``; and ``since``, whether the year is from the date on.
    weights : Series
        By ``area_code``: those of the weighted counterpart, the largest first, none of nought.
    text : str
    spec : EvaluationSpec
    manifest : RunManifest
    """

    table: pd.DataFrame
    checks: pd.DataFrame
    power: pd.DataFrame
    paths: pd.DataFrame
    weights: pd.Series[float]
    text: str
    spec: EvaluationSpec
    manifest: RunManifest

    def __str__(self) -> str:
        return self.text

    @property
    def passed(self) -> bool:
        """Whether every check passed, so that the text may speak of an effect."""
        return bool(self.checks["passed"].all())


@dataclass(frozen=True, eq=False)
class _Panel:
    """Years by places, the place first; variances of sampling error, and with year-to-year variation."""

    years: Floats
    codes: list[str]
    values: Floats
    sampling: Floats
    total: Floats
    before: int
    sources: tuple[str, ...]

    def variance(self, errors: Floats, before: int, last: int) -> Floats:
        """Variance of the mean of later years less that of earlier ones, for each place."""
        squares = errors[:last] ** 2
        return np.asarray(
            squares[:before].sum(axis=0) / before**2 + squares[before:].sum(axis=0) / (last - before) ** 2
        )


def evaluate_place(
    observations: pd.DataFrame | None = None,
    *,
    spec: EvaluationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
) -> EvaluationResult:
    """Set a place since a date beside its counterpart, with every check an answer has to pass.

    Parameters
    ----------
    observations : DataFrame, optional
        The tidy table; by default the release. Whole-population figures that are published or estimated are used, in
        natural units, of years since the indicator's latest declared break; places that lack one are left out.
    spec : EvaluationSpec
        The figure, the place and the date.
    framework, areas
        By default the Common Outcomes Framework and the ranked upper-tier authorities.
    level : float
        Of the intervals; ``1 - level`` is the chance at which a difference counts as standing out.

    Returns
    -------
    EvaluationResult
        Its text speaks of an effect only if all checks passed: the place lies within the others (``overlap``), its
        counterpart follows it (``fit``), it was on no course of its own (``earlier_course``), no date before stands
        out (``earlier_dates``), a change of one standard deviation between places could have been seen (``power``),
        the difference stands out from that of other places (``other_places``), and both methods say the same
        (``agreement``).

    Raises
    ------
    FrameworkError
        If the indicator is not known.
    RelationError
        If the place is unknown or lacks figures, a declared break lies at or after the date, fewer than five years lie
        before it, or fewer than thirty other places have every figure.

    Notes
    -----
    Abadie, Diamond and Hainmueller (2010) for the weighted counterpart and places as placebos; Conley and Taber (2011)
    and Ferman and Pinto (2019) for differences with one place, allowing for places of different size. Counted on four
    indicators of the release and 200 places, at dates when nothing particular is known to have changed: 3 passed all
    checks. So one evaluation in about seventy speaks of an effect by chance or for another reason; many places tried in
    turn will find some.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    panel = _panel(observations, spec=spec, framework=framework, areas=areas)
    counterparts: dict[str, Counterpart] = {}
    judged: dict[str, Judged] = {}
    fits: dict[str, float] = {}
    for name, method in METHODS.items():
        place, others = panel.values[:, 0], panel.values[:, 1:]
        found = method(place, others, panel.before)
        placebos = each_as_the_place(others, before=panel.before, method=method)
        counterparts[name] = found
        judged[name] = _judged(panel, found, placebos, before=panel.before, last=len(panel.years))
        fits[name] = (1 + sum(p.misfit >= found.misfit for p in placebos)) / (1 + len(placebos))
    strength = _power(panel, judged, level=level)
    earlier = _earlier_dates(panel)
    checks = _checks(panel, counterparts, judged, fits, strength, earlier, level=level)
    table = _table(counterparts, judged, checks, level=level)
    weights = pd.Series(counterparts["weighted"].weights, index=pd.Index(panel.codes[1:], name="area_code"))
    result = EvaluationResult(
        table=table,
        checks=checks,
        power=strength,
        paths=pd.DataFrame(
            {
                "year": panel.years.astype(int),
                "place": panel.values[:, 0],
                **{name: found.path for name, found in counterparts.items()},
                "since": np.arange(len(panel.years)) >= panel.before,
            }
        ),
        weights=weights[weights > 0].sort_values(ascending=False),
        text="",
        spec=spec,
        manifest=RunManifest(
            data=hash_of([panel.codes, panel.years.tolist(), panel.values.tolist()]),
            data_as_at=data_as_at(panel.sources) or str(observations.attrs.get("data_as_at", "")),
            spec=spec.hash,
            seed=None,
            sources=panel.sources,
        ),
    )
    text = compose_evaluation(
        result.table,
        result.checks,
        result.power,
        result.paths,
        weights=result.weights,
        change=spec.change,
        indicator=framework.indicator(spec.indicator),
        framework=framework,
        names=areas["name"],
        place=str(areas.at[spec.area_code, "name"]),
        others=len(panel.codes) - 1,
    )
    return replace(result, text=text)


def _panel(observations: pd.DataFrame, *, spec: EvaluationSpec, framework: Framework, areas: pd.DataFrame) -> _Panel:
    indicator = framework.indicator(spec.indicator)
    unknown = [code for code in (spec.area_code, *spec.also_changed) if code not in areas.index]
    if unknown:
        message = f"{plural(len(unknown), 'area is', 'areas are')} not among those compared: {several(unknown)}."
        raise RelationError(message)
    rows = observations[
        observations["indicator_id"].eq(spec.indicator)
        & observations["area_code"].isin(areas.index.difference(spec.also_changed))
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
    ]
    rows = rows.assign(year=rows["period_end"].dt.year).sort_values("period_end")
    rows = rows.drop_duplicates(["area_code", "year"], keep="last")
    mine = rows.loc[rows["area_code"].eq(spec.area_code), "year"]
    last = spec.until if spec.until is not None else int(mine.max()) if len(mine) else spec.since
    broken = [year_of(b.period) for b in indicator.breaks if year_of(b.period) <= last]
    start = max(broken, default=0)
    years = sorted(int(y) for y in mine if start <= y <= last)
    before = sum(y < spec.since for y in years)
    if before < MINIMUM_BEFORE or before == len(years):
        since_break = f", since the declared break of {start}" if start else ""
        message = (
            f"'{spec.indicator}' has figures of {several(years, limit=15) or 'no year'} for '{spec.area_code}'"
            f"{since_break}: {before} before {spec.since} and {len(years) - before} from it on. "
            f"At least {MINIMUM_BEFORE} before and one from it on are needed."
        )
        raise RelationError(message)
    wide = {
        c: rows.pivot(index="area_code", columns="year", values=c)[years] for c in ("value", "se_sampling", "se_total")
    }
    complete = wide["value"].dropna().index
    others = [str(code) for code in complete if code != spec.area_code]
    if len(others) < MINIMUM_OTHERS:
        message = (
            f"Only {len(others)} other places have '{spec.indicator}' for every year of {several(years, limit=15)}; "
            f"at least {MINIMUM_OTHERS} are needed."
        )
        raise RelationError(message)
    codes = [spec.area_code, *others]
    values, sampling, total = (wide[c].loc[codes].to_numpy(float).T for c in ("value", "se_sampling", "se_total"))
    if np.ptp(values) == 0:
        message = f"'{spec.indicator}' is the same for every place and year."
        raise RelationError(message)
    return _Panel(
        years=np.array(years, dtype=float),
        codes=codes,
        values=values,
        sampling=sampling,
        total=total,
        before=before,
        sources=tuple(sorted(set(rows["source_id"].astype(str)) - {""})),
    )


def _judged(panel: _Panel, found: Counterpart, placebos: list[Counterpart], *, before: int, last: int) -> Judged:
    sampling = panel.variance(panel.sampling, before, last)
    estimates = np.array([p.estimate for p in placebos])
    return judge(found.estimate, estimates, sampling=float(sampling[0]), sampling_others=sampling[1:])


def _earlier_dates(panel: _Panel) -> tuple[int, float]:
    """Tries of earlier dates on the years before the true one, and how unusual the largest difference is.

    The largest of all tries is compared with the largest of the same tries of each other place, so that many tries
    make nothing stand out by themselves.
    """
    values = panel.values[: panel.before]
    mine, theirs = [], []
    for before in range(MINIMUM_FIT, panel.before):
        for method in METHODS.values():
            found = method(values[:, 0], values[:, 1:], before)
            placebos = each_as_the_place(values[:, 1:], before=before, method=method)
            judged = _judged(panel, found, placebos, before=before, last=panel.before)
            mine.append(abs(judged.estimate) / judged.spread)
            theirs.append(np.abs(judged.others))
    larger = int((np.max(theirs, axis=0) >= max(mine)).sum())
    return len(mine), (1 + larger) / (1 + len(theirs[0]))


def _power(panel: _Panel, judged: dict[str, Judged], *, level: float) -> pd.DataFrame:
    last = len(panel.years)
    sampling = float(np.sqrt(panel.variance(panel.sampling, panel.before, last)[0]))
    total = float(np.sqrt(panel.variance(panel.total, panel.before, last)[0]))
    spread = float(panel.values[: panel.before].std(axis=1, ddof=1).mean())
    return pd.DataFrame(
        [
            {
                "method": name,
                "detectable": detectable(one, level=level),
                "by_sampling": detectable_by_error(sampling, level=level),
                "by_year_to_year": detectable_by_error(total, level=level),
                "spread": spread,
            }
            for name, one in judged.items()
        ]
    )


def _checks(
    panel: _Panel,
    counterparts: dict[str, Counterpart],
    judged: dict[str, Judged],
    fits: dict[str, float],
    strength: pd.DataFrame,
    earlier: tuple[int, float],
    *,
    level: float,
) -> pd.DataFrame:
    place, others = panel.values[: panel.before, 0], panel.values[: panel.before, 1:]
    outside = int(((place < others.min(axis=1)) | (place > others.max(axis=1))).sum())
    years = panel.years[: panel.before]
    sampling = (slope_loads(years) ** 2) @ panel.sampling[: panel.before] ** 2
    slopes = lead_slope(panel.values[: panel.before], years)
    course = judge(float(slopes[0]), slopes[1:], sampling=float(sampling[0]), sampling_others=sampling[1:]).p_value
    tries, unusual = earlier
    largest = float(strength["detectable"].max())
    spread = float(strength["spread"].iloc[0])
    chances = {name: one.p_value for name, one in judged.items()}
    estimates = [one.estimate for one in judged.values()]
    within = all(
        abs(estimates[0] - estimates[1]) <= one.bound(level) and estimates[0] * estimates[1] > 0
        for one in judged.values()
    )
    misfit = counterparts["weighted"].misfit
    found = {
        "overlap": (outside == 0, f"outside the range of all others in {outside} of {panel.before} earlier years"),
        "fit": (
            fits["weighted"] > UNUSUAL,
            f"misfit of {misfit:.3g}, as large or larger in {100 * fits['weighted']:.0f}% of places",
        ),
        "earlier_course": (course > UNUSUAL, f"a course as far from the others' in {100 * course:.0f}% of places"),
        "earlier_dates": (
            unusual > UNUSUAL,
            f"the largest difference of {tries} tries of earlier dates is as large in {100 * unusual:.0f}% of places",
        ),
        "power": (largest <= spread, f"smallest change that would have stood out {largest:.3g}, {spread:.3g} allowed"),
        "other_places": (
            max(chances.values()) <= 1 - level + 1e-12,
            f"differences as large in {100 * max(chances.values()):.0f}% of places",
        ),
        "agreement": (within, "each estimate lies within the other's interval, on the same side of nought"),
    }
    if not within:
        found["agreement"] = (False, "the two estimates lie too far apart or on different sides of nought")
    return pd.DataFrame(
        [{"check": name, "passed": found[name][0], "found": found[name][1]} for name in EVALUATION_CHECKS]
    )


def _table(
    counterparts: dict[str, Counterpart], judged: dict[str, Judged], checks: pd.DataFrame, *, level: float
) -> pd.DataFrame:
    failed = checks.loc[checks["check"].isin(DESIGN) & ~checks["passed"].astype(bool), "check"].tolist()
    rows = []
    for name, found in counterparts.items():
        half = judged[name].bound(level)
        row = {"method": name, "level": level, "interval": "figures", "misfit": found.misfit}
        if failed:
            empty = dict.fromkeys(("estimate", "lower", "upper", "p_value"), np.nan)
            rows.append(row | empty | {"status": "withheld", "reason": f"failed: {several(failed)}"})
        else:
            rows.append(
                row
                | {
                    "estimate": found.estimate,
                    "lower": found.estimate - half,
                    "upper": found.estimate + half,
                    "p_value": judged[name].p_value,
                    "status": "computed",
                    "reason": "",
                }
            )
    columns = ["method", "estimate", "lower", "upper", "level", "interval", "p_value", "misfit", "status", "reason"]
    return pd.DataFrame(rows)[columns]
