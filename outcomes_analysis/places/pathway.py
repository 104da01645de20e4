"""The early years of one cohort: birth weight, review at 2, school readiness, phonics, age 11, each in its own year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.register import load_register, resolve_place, upper_tier
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.places.comparison import USABLE, Statistic, distance, neighbour_summary, total_interval
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.neighbouring import Neighbours, neighbour_set
from outcomes_analysis.places.quantities import short_amount
from outcomes_analysis.places.verdicts import controlled, spread_between, standing, why_unfit
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, made_from
from outcomes_analysis.relations.sentences import checked, in_sentence

FEWEST_STAGES = 2  # one stage alone is no path
NOT_YET, NOBODY, NOT_HERE = "not measured yet", "no figure for any authority that year", "no figure for this place"
MOVERS = (
    "These are areas in each year, not the same children followed: families move in and out between the stages, birth "
    "and the review at 2 count who lives in the area and the later stages who is at school there, so that a change of "
    "standing from one stage to the next tells nothing of what became of any child. Birth weight is that of the "
    "calendar year, and the review that of the financial year, in which most of the cohort were born or reached 2¼. "
    "The review says how many had the development questionnaire, not how the children were: no figure of that is "
    "published for every authority."
)


class Stage(NamedTuple):
    """A stage of the path: its id, the age in words, the indicator, how many years after the cohort's first year."""

    id: str
    age: str
    indicator_id: str
    years: int
    calendar: bool = False

    def period(self, cohort: int) -> str:
        """Label of the period in which children born from September of ``cohort`` to the next August pass it."""
        year = cohort + self.years
        return str(year) if self.calendar else f"{year}/{(year + 1) % 100:02d}"


# Born from September 2015 to August 2016: two thirds in 2016; at 2 and a quarter from December 2017 to November 2018,
# two thirds of the time in 2018/19; Reception in 2020/21, Year 1 in 2021/22, Year 6 in 2026/27.
STAGES = (
    Stage("birth", "at birth", "lbw_term", 1, calendar=True),
    Stage("review", "at 2 to 2½", "asq3_coverage", 3),
    Stage("reception", "at 5", "gld_pct", 5),
    Stage("year_1", "at 6", "phonics_y1", 6),
    Stage("year_6", "at 11", "ks2_rwm", 11),
)


@dataclass(frozen=True)
class PathwaySpec:
    """What a pathway was asked for."""

    area_code: str
    period: int
    neighbours: str
    statistic: Statistic
    level: float


@dataclass(frozen=True, eq=False)
class Pathway:
    """The early years of a place's cohorts, each stage in the cohort's own year.

    Attributes
    ----------
    area_code, name : str
    table : DataFrame
        One row a cohort and stage, in order: ``cohort`` (``"2015/16"``: born from September 2015 to August 2016),
        ``stage, age, indicator_id, name, unit, decimals, direction, period``; the figure in natural units, ``value,
        lower, upper, level, status``; ``reason`` (why there is no figure, or no judgement); of the same period
        ``england, neighbours_centre, neighbours_count, neighbours_of``; ``standing, standing_neighbours``
        (:func:`outcomes_analysis.places.verdicts.standing`, over all stages and cohorts); ``segment`` (cohorts of one
        stage with different numbers cannot be compared) and ``break_reason`` (why, with the first after a break);
        ``told`` (in the text).
    text : str
    spec : PathwaySpec
    manifest : RunManifest
    """

    area_code: str
    name: str
    table: pd.DataFrame
    text: str
    spec: PathwaySpec
    manifest: RunManifest


def early_years_pathway(
    name: str,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    period: int | None = None,
    neighbours: Neighbours = "dfe_2025",
    statistic: Statistic = "median",
    level: float = LEVEL,
    cohorts: Sequence[int] | None = None,
) -> Pathway:
    """Follow cohorts of a place from birth to age 11, each stage beside England and the neighbours.

    Parameters
    ----------
    name : str
        Any usual spelling or code of an authority or district.
    observations : DataFrame, optional
        The tidy table; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework; stages it has no indicator for are left out.
    period : int, optional
        Year to look back from; by default the latest in which anything was measured.
    neighbours, statistic
        As in :func:`outcomes_analysis.places.area_profile`.
    level : float
        Of intervals.
    cohorts : sequence of int, optional
        First years of the cohorts (2015 for those born from September 2015); by default from the oldest to the youngest
        of which the place has a figure, those in between without one too.

    Returns
    -------
    Pathway
        A stage that is not reached, was not measured or has no figure here has a row that says so.

    Raises
    ------
    AreaError
        If no such place or set of neighbours is known.

    Notes
    -----
    The text is about at most three cohorts: of those that have reached age 11, age 6 and age 5, the one with the most
    stages measured, the youngest of several. Judgements are those left once the number of comparisons is allowed for.
    """
    code = resolve_place(name)
    place = load_register().loc[code]
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    as_of = period or int(observations["period_end"].dt.year.max())
    near = neighbour_set(neighbours, observations=observations, period=as_of)
    defined = {i.id: i for i in framework.indicators}
    stages = [(stage, defined[stage.indicator_id]) for stage in STAGES if stage.indicator_id in defined]
    known = _known(observations, [i.id for _, i in stages], as_of=as_of)
    spec = PathwaySpec(code, as_of, near.id, statistic, level)
    ranked = bool(place["ranked"] or place["tier"] == "lower")
    found = _Figures(known, spec=spec, pairs=near.pairs, ranked=ranked)
    rows = [
        found.row(cohort, stage, indicator)
        for cohort in (cohorts or _cohorts(known, stages, code=code))
        for stage, indicator in stages
    ]
    table = _judged(pd.DataFrame(rows), level=level)
    used = known[known["area_code"].eq(code)]
    return Pathway(
        area_code=code,
        name=str(place["name"]),
        table=table,
        text=_text(table, framework=framework, name=str(place["name"]), spec=spec, near=near.label),
        spec=spec,
        manifest=made_from(
            used[["indicator_id", "period", "value"]].to_dict(orient="list"),
            spec=spec,
            data_as_at=observations.attrs.get("data_as_at"),
            sources=used.loc[used["value"].notna(), "source_id"],
        ),
    )


def _known(observations: pd.DataFrame, ids: list[str], *, as_of: int) -> pd.DataFrame:
    """Whole-population rows of the stages, measured by a year."""
    keep = (
        observations["indicator_id"].isin(ids)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & (observations["period_end"].dt.year <= as_of)
    )
    return observations.loc[keep].sort_values("period_end", kind="stable")


def _cohorts(known: pd.DataFrame, stages: list[tuple[Stage, Indicator]], *, code: str) -> list[int]:
    """First years of the cohorts from the oldest to the youngest of which the place has any figure."""
    own = known[known["area_code"].eq(code) & known["value"].notna()]
    periods = dict(own.groupby("indicator_id")["period"].agg(set))
    years = {int(label[:4]) - stage.years for stage, _ in stages for label in periods.get(stage.indicator_id, set())}
    return list(range(min(years), max(years) + 1)) if years else []


class _Figures:
    """Figures by indicator and period, to be set beside one another."""

    def __init__(self, known: pd.DataFrame, *, spec: PathwaySpec, pairs: pd.DataFrame, ranked: bool) -> None:
        self.periods = dict(tuple(known.groupby(["indicator_id", "period"])))
        valued = known[known["value"].notna()]
        self.measured = dict(valued.groupby("indicator_id")["period"].agg(set))
        self.spec, self.ranked = spec, ranked
        self.pairs = pairs[pairs["area_code"].eq(spec.area_code)]
        self.ordinary = upper_tier(ranked_only=True).index

    def row(self, cohort: int, stage: Stage, indicator: Indicator) -> dict[str, Any]:
        """One stage of one cohort."""
        period = stage.period(cohort)
        breaks = [b for b in indicator.breaks if year_of(b.period) <= year_of(period)]
        first = [b.reason for b in breaks if year_of(b.period) == year_of(period)]
        found: dict[str, Any] = {
            "cohort": f"{cohort}/{(cohort + 1) % 100:02d}",
            "stage": stage.id,
            "age": stage.age,
            "indicator_id": indicator.id,
            **{c: getattr(indicator, c) for c in ("name", "unit", "decimals", "direction")},
            "period": period,
            **dict.fromkeys(("value", "lower", "upper", "england", "neighbours_centre", "spread"), np.nan),
            **dict.fromkeys(("distance", "distance_neighbours"), np.nan),
            **{"level": self.spec.level, "status": "not_available", "neighbours_count": 0, "neighbours_of": 0},
            "segment": len(breaks),
            "break_reason": first[0] if first else "",
        }
        same = self.periods.get((indicator.id, period))
        if period not in self.measured.get(indicator.id, set()):
            newest = max(map(year_of, self.measured.get(indicator.id, {"0001"})))
            return found | {"reason": NOBODY if year_of(period) < newest else NOT_YET}
        own = same[same["area_code"].eq(self.spec.area_code)] if same is not None else pd.DataFrame()
        if same is None or own.empty:
            return found | {"reason": NOT_HERE}
        figure = own.iloc[0]
        found["status"] = str(figure["status"])
        if not np.isfinite(figure["value"]):
            return found | {"reason": wording.SYMBOL_MEANINGS[wording.symbol(str(figure["status"]))]}
        return found | self._beside(figure, same, indicator)

    def _beside(self, figure: pd.Series, same: pd.DataFrame, indicator: Indicator) -> dict[str, Any]:
        value, error = float(figure["value"]), float(figure["se_total"])
        lower, upper = total_interval(value, error, indicator=indicator, level=self.spec.level)
        usable = same.loc[same["status"].isin(USABLE), ["area_code", "value"]].set_index("area_code")["value"]
        near = neighbour_summary(usable, area=self.spec.area_code, neighbours=self.pairs, statistic=self.spec.statistic)
        england = float(usable.get(ENGLAND, np.nan))
        reason = why_unfit(figure, indicator=indicator, ranked=self.ranked)
        apart = {
            f"distance{suffix}": distance(value, error, comparator=centre, indicator=indicator)
            for suffix, centre in (("", england), ("_neighbours", near.centre))
            if not reason
        }
        return {
            "value": value,
            "lower": lower,
            "upper": upper,
            "england": england,
            "neighbours_centre": near.centre,
            "neighbours_count": near.having,
            "neighbours_of": near.of,
            "spread": spread_between(usable.reindex(self.ordinary)),
            "reason": reason,
            **apart,
        }


def _judged(table: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """How each stage stands, and which cohorts the text is about."""
    if table.empty:
        return table
    # every stage of every cohort is a comparison of its own
    each = table.assign(indicator_id=table["stage"] + table["period"], doublet="", kind="outcome")
    for suffix, centre in (("", "england"), ("_neighbours", "neighbours_centre")):
        compared = table[f"distance{suffix}"].notna()
        table[f"standing{suffix}"] = standing(
            lower=table["lower"],
            upper=table["upper"],
            comparator=table[centre].where(compared),
            spread=table["spread"],
            kept=controlled(each, distance=f"distance{suffix}", level=level),
        )
    return table.assign(told=table["cohort"].isin(_told(table)))


def _told(table: pd.DataFrame) -> list[str]:
    """Of the cohorts that have reached age 11, age 6 and age 5, the one with most stages, the youngest of several."""
    reached = table[table["reason"].ne(NOT_YET)].groupby("cohort")["stage"].agg(set)
    count = table[table["value"].notna()].groupby("cohort").size()
    chosen: list[str] = []
    later: set[str] = set()
    for stage in ("year_6", "year_1", "reception"):
        having = [c for c in count.index if stage in reached.get(c, set()) and not later & reached[c]]
        later.add(stage)
        if having:
            chosen.append(max(having, key=lambda c: (count[c], c)))
    return [c for c in chosen if count[c] >= FEWEST_STAGES]


def _text(table: pd.DataFrame, *, framework: Framework, name: str, spec: PathwaySpec, near: str) -> str:
    told = table[table["told"]] if len(table) else table
    if told.empty:
        return f"No path from birth to age 11 can be shown for {name}: no cohort has figures at two stages."
    beside = f" and the {spec.statistic} of {near}" if near else ""
    lines = [
        f"From birth to age 11 in {name}: each stage in the year the cohort passed it, beside England{beside} in the "
        f"same year; {round(100 * spec.level)}% intervals, the number of comparisons allowed for."
    ]
    for cohort, rows in told.groupby("cohort", sort=True):
        first = int(str(cohort)[:4])
        lines.append(f"Born from September {first} to August {first + 1}:")
        lines += [f"- {_stage_words(row)}" for _, row in rows[rows["reason"].ne(NOT_YET)].iterrows()]
        ahead = rows[rows["reason"].eq(NOT_YET)]
        if len(ahead):
            lines.append(f"- not measured yet: {wording.listed([f'{r.age} ({r.period})' for r in ahead.itertuples()])}")
    lines += [_breaks(told, framework=framework), MOVERS]
    quoted = [i.name for i in framework.indicators] + [b.reason for i in framework.indicators for b in i.breaks]
    return checked("\n".join(line for line in lines if line), quoted=[*quoted, *wording.SYMBOL_MEANINGS.values()])


def _stage_words(row: pd.Series) -> str:
    head = f"{row['age']} ({row['period']}), {in_sentence(str(row['name']))}"
    if not np.isfinite(row["value"]):
        return f"{head}: {row['reason']}"
    unit, decimals = str(row["unit"]), int(row["decimals"])
    said = f"{head}: {short_amount(row['value'], unit=unit, decimals=decimals)}"
    if np.isfinite(row["lower"]):
        said += f", {wording.number(row['lower'], decimals)} to {wording.number(row['upper'], decimals)}"
    for called, centre, suffix in (("England", "england", ""), ("neighbours", "neighbours_centre", "_neighbours")):
        if np.isfinite(row[centre]):
            stands = turned(str(row[f"standing{suffix}"]), int(row["direction"]))
            said += f"; {called} {short_amount(row[centre], unit=unit, decimals=decimals)}"
            said += f", {stands}" if stands else ""
    return f"{said}. Not judged: {row['reason']}" if row["reason"] else said


def turned(stands: str, direction: int) -> str:
    """Say ``above`` and ``below`` as clearly better or worse; other words of a standing stay as they are."""
    if stands not in ("above", "below"):
        return stands
    return "clearly better" if (stands == "above") == (direction > 0) else "clearly worse"


def _breaks(told: pd.DataFrame, *, framework: Framework) -> str:
    """Which stages cannot be compared between the cohorts told of, and why."""
    words = []
    for name, rows in told[told["value"].notna()].groupby("indicator_id", sort=False):
        if rows["segment"].ne(rows["segment"].iloc[0]).any():
            indicator = framework.indicator(str(name))
            reasons = "; ".join(f"{b.period}: {in_sentence(b.reason.rstrip('.'))}" for b in indicator.breaks)
            words.append(f"{in_sentence(indicator.name)} ({reasons})")
    return f"Not to be compared between these cohorts: {'; '.join(words)}." if words else ""
