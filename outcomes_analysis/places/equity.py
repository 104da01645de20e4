"""The equity twin: a domain of one place beside the same domain for children who have it hardest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.register import load_register, resolve_place, upper_tier
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.scales import derivative, transform
from outcomes_analysis.places.comparison import USABLE, distance, total_interval
from outcomes_analysis.places.equity_wording import compose_equity
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.verdicts import (
    FEWEST_AUTHORITIES,
    controlled,
    kind_of,
    spread_between,
    standing,
    why_unfit,
)
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, made_from
from outcomes_analysis.relations.sentences import in_sentence

FEWEST_STRANDS = 2  # a domain on one indicator alone is that indicator by another name
WIDEST = 10.0  # standard deviations between authorities: a gap whose interval is wider says nothing
TOO_WIDE = "too unsure: its interval would span more than ten times the usual distance between authorities"
WHOLE = ("all", "all")
HEAD = ("domain", "outcome", "indicator_id", "kind", "group_type", "group", "group_label")
FIELDS = ("name", "unit", "decimals", "form", "direction", "contested", "doublet")
ABOUT = ("period", "measured", "level", "beside", "reason", "status")
NUMBERS = (
    "value", "lower", "upper", "beside_value", "beside_lower", "beside_upper", "estimate", "gap_lower", "gap_upper",
    "england_value", "england_beside", "england_gap", "distance", "distance_group", "distance_beside",
)  # fmt: skip
SCORES = ("all_score", "group_score", "error_score", "group_error", "england_score", "england_error")
type _Row = dict[str, Any]


class Group(NamedTuple):
    """Whom a figure is about, and the other children it is set beside where they are published."""

    group_type: str
    group: str
    label: str
    other: str


GROUPS = (
    Group("disadvantage", "disadvantaged", "disadvantaged children", "other"),
    Group("fsm", "eligible", "children with free school meals", "not_eligible"),
    Group("sen", "support", "children with support for special educational needs", "none"),
    Group("sen", "ehcp", "children with an education, health and care plan", "none"),
    Group("social_care", "in_need", "children in need", ""),
    Group("social_care", "child_protection", "children on a child protection plan", ""),
    Group("social_care", "looked_after", "children looked after", ""),
)  # fmt: skip


# The children a group is set beside, by their group's id: not simply "others", who may hold further groups.
BESIDE = {
    "other": "other pupils",
    "not_eligible": "children without free school meals",
    "none": "children with no special educational needs",
}


@dataclass(frozen=True)
class EquitySpec:
    """What a twin was asked for."""

    area_code: str
    period: int
    level: float


@dataclass(frozen=True, eq=False)
class EquityTwin:
    """A place's domains beside the same domains for groups of children.

    Attributes
    ----------
    area_code, name : str
    period : int
        Year looked back from.
    table : DataFrame
        One row an indicator and group that is published for anyone, in natural units: ``domain, outcome,
        indicator_id, name, unit, decimals, direction, contested, doublet, kind, group_type, group, group_label,
        period, measured, value, lower, upper, level, beside`` (whom: as in ``BESIDE``, or ``all children`` where the
        others are not published), ``beside_value, beside_lower, beside_upper, estimate`` (the gap: these children less
        those beside), ``gap_lower, gap_upper, england_gap, distance`` (of the gap from England's in its errors,
        positive where it favours these children more), ``clear`` (``narrower``, ``wider`` or empty, once the number of
        comparisons is allowed for; ``more`` or ``fewer`` for contested ones); the same children in England,
        ``england_value``, and those beside them there, ``england_beside``, with how the place's stand to each:
        ``standing_group, standing_beside`` (:func:`outcomes_analysis.places.verdicts.standing`); ``reason`` (why no
        gap is given or judged).
    domains : DataFrame
        One row a domain and group: ``node_id, node_label, group_type, group, group_label, indicators, strands,
        names, all_children, these_children`` (scores on the same indicators: 0 is all children in England in the same
        period, 1 the usual distance between authorities, higher is better), ``estimate`` (their difference), ``lower,
        upper, level, interval, england_gap, against_england`` (``wider``, ``narrower``, ``not clear``, or ``not clear
        (many compared)`` where the number of twins of the place took that back), ``these_against`` (the same children
        in England: ``better``, ``worse`` or as before), ``distance, distance_these`` (of either in its errors),
        ``status`` (``computed`` or ``no twin``), ``reason``.
    text : str
    spec : EquitySpec
    manifest : RunManifest
    """

    area_code: str
    name: str
    period: int
    table: pd.DataFrame
    domains: pd.DataFrame
    text: str
    spec: EquitySpec
    manifest: RunManifest


def equity_twin(
    name: str,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    period: int | None = None,
    level: float = LEVEL,
) -> EquityTwin:
    """Set every domain of a place beside the same domain for disadvantaged children.

    Parameters
    ----------
    name : str
        Any usual spelling or code of an authority.
    observations : DataFrame, optional
        The tidy table, with its groups; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    period : int, optional
        Year to look back from; by default the latest in which anything was measured.
    level : float
        Of intervals.

    Returns
    -------
    EquityTwin
        Groups: free school meals, disadvantage, special educational needs, social care. Only scored indicators; the
        place, England and both groups of the same period. A domain has a twin where at least two indicators (near-
        duplicates counted once) have a figure for the group; the text says where none can be made, and why.

    Raises
    ------
    AreaError
        If no such place is known.

    Notes
    -----
    Outcomes count alike, and within them near-duplicates once, as in the index. Errors hold sampling and year-to-year
    variation; England's are taken as known where one group is set beside the same group there. Those of the two
    groups, and of different indicators, are taken as unrelated, those of near-duplicates
    as moving together. Where a group is set beside all children, of whom it is a part, that makes the interval rather
    too wide.
    """
    code = resolve_place(name)
    place = load_register().loc[code]
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    types = {"all", *(g.group_type for g in GROUPS)}
    ids = [i.id for i in framework.indicators if i.scored]
    year = observations["period_end"].dt.year
    as_of = period or int(year.max())
    wanted = observations["group_type"].isin(types) & observations["indicator_id"].isin(ids) & (year <= as_of)
    known = observations[wanted].assign(year=year[wanted])
    ranked = bool(place["ranked"] or place["tier"] == "lower")
    table = _gaps(known, framework=framework, code=code, as_of=as_of, ranked=ranked, level=level)
    domains = _domains(table, framework=framework, level=level)
    spec = EquitySpec(code, as_of, level)
    used = table.loc[table["value"].notna(), ["indicator_id", "group", "period", "value"]]
    sources = known.loc[known["area_code"].eq(code) & known["value"].notna(), "source_id"]
    return EquityTwin(
        area_code=code,
        name=str(place["name"]),
        period=as_of,
        table=table,
        domains=domains,
        text=compose_equity(table, domains, framework=framework, name=str(place["name"])),
        spec=spec,
        manifest=made_from(
            used.to_dict(orient="list"),
            spec=spec,
            data_as_at=observations.attrs.get("data_as_at"),
            sources=sources,
        ),
    )


class _Figures:
    """Figures of the place and of England by indicator, group and area, in order of time; and authorities' spread."""

    CELLS = ("period", "year", "value", "se_sampling", "se_total", "denominator", "status", "flags")

    def __init__(self, known: pd.DataFrame, *, code: str) -> None:
        around = known[known["area_code"].isin([code, ENGLAND])].sort_values("period_end", kind="stable")
        self.rows: dict[tuple[str, str, str, str], list[_Row]] = {}
        keys = zip(*(around[c].tolist() for c in ("indicator_id", "group_type", "group", "area_code")), strict=True)
        cells = zip(*(around[c].tolist() for c in self.CELLS), strict=True)
        for key, row in zip(keys, cells, strict=True):
            self.rows.setdefault(key, []).append(dict(zip(self.CELLS, row, strict=True)))
        ordinary = upper_tier(ranked_only=True).index
        whole = known[
            known["group_type"].eq("all")
            & known["status"].isin(USABLE)
            & known["value"].notna()
            & known["area_code"].isin(ordinary)
        ]
        grouped = whole.groupby(["indicator_id", "period"], sort=False)
        values = whole["value"].to_numpy(float)
        self.spread = {key: values[position] for key, position in grouped.indices.items()}

    def distance_between(self, indicator: str, period: str) -> float:
        """Usual distance between authorities in natural units; NaN where too few are known."""
        return spread_between(self.spread.get((indicator, period), np.array([])))

    def history(self, indicator: str, group: tuple[str, str], area: str) -> list[_Row]:
        return self.rows.get((indicator, *group, area), [])

    def at(self, indicator: str, group: tuple[str, str], area: str, period: str) -> _Row | None:
        """Figure of one period that can be compared, or None."""
        for row in reversed(self.history(indicator, group, area)):
            if row["period"] == period and np.isfinite(row["value"]):
                return row if np.isfinite(row["se_total"]) and row["status"] in USABLE else None
        return None


def _gaps(
    known: pd.DataFrame, *, framework: Framework, code: str, as_of: int, ranked: bool, level: float
) -> pd.DataFrame:
    """One row an indicator and group that the place or England publishes."""
    figures = _Figures(known, code=code)
    rows = [
        _gap(figures, indicator=i, group=group, framework=framework, code=code, as_of=as_of, ranked=ranked, level=level)
        for i in framework.indicators
        if i.scored
        for group in GROUPS
        if any(figures.history(i.id, group[:2], area) for area in (code, ENGLAND))
    ]
    table = pd.DataFrame(rows, columns=[*HEAD, *FIELDS, *ABOUT, *NUMBERS, *SCORES])
    if table.empty:
        return table.assign(clear="", standing_group="", standing_beside="")
    # each group is a family of comparisons of its own; the distances are already turned
    families = table.assign(kind=table["group_type"] + " " + table["group"])
    stays = controlled(families, distance="distance", level=level)
    for side, own in (("group", ""), ("beside", "beside_")):
        table[f"standing_{side}"] = standing(
            lower=table[f"{own}lower"],
            upper=table[f"{own}upper"],
            comparator=table["england_value" if side == "group" else "england_beside"],
            kept=controlled(families, distance=f"distance_{side}", level=level),
        )
    contested = table["contested"].ne("")
    up = np.where(contested, "more", "narrower")
    down = np.where(contested, "fewer", "wider")
    table["clear"] = np.where(stays, np.where(table["distance"] > 0, up, down), "")
    return table


def _gap(
    figures: _Figures,
    *,
    indicator: Indicator,
    group: Group,
    framework: Framework,
    code: str,
    as_of: int,
    ranked: bool,
    level: float,
) -> dict[str, Any]:
    """One indicator for one group of one place."""
    found: dict[str, Any] = {
        "domain": framework.domain_of(indicator.outcome) if indicator.outcome else "",
        "outcome": indicator.outcome,
        "indicator_id": indicator.id,
        "kind": kind_of(indicator),
        **{field: getattr(indicator, field) for field in FIELDS},
        "group_type": group.group_type,
        "group": group.group,
        "group_label": group.label,
        **{"period": "", "measured": np.nan, "level": level, "beside": "", "reason": "", "status": ""},
        **dict.fromkeys((*NUMBERS, *SCORES), np.nan),
    }
    own = figures.history(indicator.id, group[:2], code)
    valued = [row for row in own if np.isfinite(row["value"])]
    if not valued:
        status = str(own[-1]["status"]) if own else "not_available"
        return found | {"status": status, "reason": wording.SYMBOL_MEANINGS[wording.symbol(status)]}
    figure = valued[-1]
    value, error, period = float(figure["value"]), float(figure["se_total"]), str(figure["period"])
    lower, upper = total_interval(value, error, indicator=indicator, level=level)
    found |= {"period": period, "measured": figure["year"], "status": figure["status"], "value": value}
    found |= {"lower": lower, "upper": upper}
    reason = why_unfit(figure, indicator=indicator, age=as_of - int(figure["year"]), ranked=ranked)
    others = (group.group_type, group.other)
    side = others if figures.at(indicator.id, others, code, period) else WHOLE
    beside = figures.at(indicator.id, side, code, period)
    if not reason and beside is None:
        reason = "nothing of the same period to set it beside"
    if reason or beside is None:
        return found | {"reason": reason}
    together = float(np.hypot(error, beside["se_total"]))
    those, their_error = float(beside["value"]), float(beside["se_total"])
    gap = value - those
    reach = z_of(level) * together
    if 2 * reach > WIDEST * figures.distance_between(indicator.id, period):
        # the domain is judged as a whole: leaving out what is unsure, mostly figures near 0, would flatter it
        scores = _scored(figures, figure, indicator=indicator, group=group, code=code)
        return found | {"reason": TOO_WIDE} | scores
    low, high = total_interval(those, their_error, indicator=indicator, level=level)
    found |= {
        "beside": "all children" if side == WHOLE else BESIDE[group.other],
        "beside_value": those,
        "beside_lower": low,
        "beside_upper": high,
        "estimate": gap,
        "gap_lower": gap - reach,
        "gap_upper": gap + reach,
    }
    theirs, apart = (figures.at(indicator.id, who, ENGLAND, period) for who in (group[:2], side))
    if theirs is not None and apart is not None:
        national = float(theirs["value"] - apart["value"])
        spread = float(np.hypot(together, np.hypot(theirs["se_total"], apart["se_total"])))
        turn = 1 if indicator.contested else indicator.direction
        found |= {"england_gap": national, "distance": turn * (gap - national) / spread}
    for name, mine, doubt, nation in (
        ("value", value, error, theirs),
        ("beside", those, their_error, apart),
    ):
        if nation is not None:
            there = float(nation["value"])
            away = distance(mine, doubt, comparator=there, indicator=indicator)
            found |= {f"england_{name}": there, f"distance_{'group' if name == 'value' else name}": away}
    return found | _scored(figures, figure, indicator=indicator, group=group, code=code)


def _scored(figures: _Figures, figure: _Row, *, indicator: Indicator, group: Group, code: str) -> dict[str, float]:
    """Scores of the group and of all children: distance from all children in England, in sd between authorities."""
    period = str(figure["period"])
    values = figures.spread.get((indicator.id, period), np.array([]))
    everyone, nation = (figures.at(indicator.id, WHOLE, area, period) for area in (code, ENGLAND))
    if everyone is None or nation is None or len(values) < FEWEST_AUTHORITIES:
        return {}
    low, high = indicator.valid_range
    half = 0.5 * 10.0**-indicator.decimals

    def on(x: Any) -> Any:
        return transform(x, indicator.scale, low=low, high=high, guard=half)

    def error(row: _Row) -> float:
        slope = derivative(float(row["value"]), indicator.scale, low=low, high=high, guard=half)
        return float(row["se_total"] * slope)

    unit = float(np.std(on(values), ddof=1))
    turn = indicator.direction / unit
    found = {
        "all_score": turn * float(on(everyone["value"]) - on(nation["value"])),
        "group_score": turn * float(on(figure["value"]) - on(nation["value"])),
        "error_score": float(np.hypot(error(figure), error(everyone))) / unit,
        "group_error": error(figure) / unit,
    }
    theirs = figures.at(indicator.id, group[:2], ENGLAND, period)
    if theirs is not None:
        found["england_score"] = turn * float(on(theirs["value"]) - on(nation["value"]))
        found["england_error"] = float(np.hypot(error(theirs), error(nation))) / unit
    return found


def _domains(table: pd.DataFrame, *, framework: Framework, level: float) -> pd.DataFrame:
    """One row a domain and group."""
    rows: list[dict[str, Any]] = []
    parts = dict(tuple(table.groupby(["domain", "group_type", "group"], sort=False)))
    for domain in framework.domains:
        scored = sum(i.scored for i in framework.below(domain.id))
        for group in GROUPS:
            mine = parts.get((domain.id, group.group_type, group.group), table.iloc[:0])
            rows.append(
                {
                    "node_id": domain.id,
                    "node_label": domain.label,
                    "group_type": group.group_type,
                    "group": group.group,
                    "group_label": group.label,
                    "of": scored,
                    **_domain(mine, level=level),
                }
            )
    return _twins_judged(pd.DataFrame(rows), level=level)


def _twins_judged(domains: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Say how each twin stands once the number of twins of the place is allowed for."""
    names = domains["node_id"] + " " + domains["group_type"] + " " + domains["group"]
    each = domains.assign(indicator_id=names, kind="outcome", doublet="", direction=1)
    z = z_of(level)
    for column, distance_, words in (
        ("against_england", "distance", ("narrower", "wider")),
        ("these_against", "distance_these", ("better", "worse")),
    ):
        apart = domains[distance_].astype(float)
        stands = standing(lower=apart - z, upper=apart + z, comparator=apart * 0,
                          kept=controlled(each, distance=distance_, level=level))  # fmt: skip
        domains[column] = pd.Series(stands, index=domains.index).replace(
            dict(zip(("above", "below"), words, strict=True))
        )
    return domains


def _domain(rows: pd.DataFrame, *, level: float) -> dict[str, Any]:
    """Domain of one group from its indicators: outcomes count alike, near-duplicates once."""
    numbers = ("all_children", "these_children", "estimate", "lower", "upper", "england_gap", "distance",
               "distance_these")  # fmt: skip
    blank: dict[str, Any] = {**dict.fromkeys(numbers, np.nan), "level": level, "interval": "figures"}
    blank |= {"indicators": 0, "strands": 0, "names": "", "status": "no twin"}
    if rows.empty:
        return blank | {"reason": "nothing in it is published for these children"}
    usable = rows[rows["group_score"].notna()]
    names = "; ".join(in_sentence(str(n)) for n in usable["name"])
    strand = usable["doublet"].where(usable["doublet"].ne(""), usable["indicator_id"])
    count = int(strand.nunique())
    blank |= {"indicators": len(usable), "strands": count, "names": names}
    if usable.empty:
        return blank | {"reason": "no figure that can be used for these children here"}
    if count < FEWEST_STRANDS:
        return blank | {"reason": f"one indicator alone, near-duplicates counted once ({names})"}
    members = strand.groupby(strand).transform("size")
    inside = strand.groupby(usable["outcome"]).transform("nunique")
    weight = 1.0 / (usable["outcome"].nunique() * inside * members)

    def error(column: str) -> float:
        return float(np.sqrt(((weight * usable[column]).groupby(strand).sum() ** 2).sum()))

    everyone, these = (float((weight * usable[c]).sum()) for c in ("all_score", "group_score"))
    reach = z_of(level) * error("error_score")
    gap = these - everyone
    if 2 * reach > WIDEST:
        return blank | {"reason": TOO_WIDE}
    found = blank | {
        "all_children": everyone,
        "these_children": these,
        "estimate": gap,
        "lower": gap - reach,
        "upper": gap + reach,
        "status": "computed",
        "reason": "",
    }
    if usable["england_score"].notna().all():
        theirs = float((weight * usable["england_score"]).sum())
        apart, near = (float(np.hypot(error(c), error("england_error"))) for c in ("error_score", "group_error"))
        # all children in England are 0: their gap is also the score of the same children there
        found |= {
            "england_gap": theirs,
            "distance": (gap - theirs) / apart,
            "distance_these": (these - theirs) / near,
        }
    return found
