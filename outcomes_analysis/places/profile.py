"""One place: every figure with what it can be compared to, how sure it is, how old, and what cannot be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import AreaError, ObservationsError
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.places.comparison import (
    USABLE,
    change_since,
    neighbour_summary,
    segments,
    total_interval,
    verdict,
    why_withheld,
)
from outcomes_analysis.places.summary import compose
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, hash_of

ENGLAND = "E92000001"
NO_NEIGHBOURS = {"area_code": pd.Series(dtype="str"), "neighbour_code": pd.Series(dtype="str")}


class _Tabled(Protocol):
    @property
    def table(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class ProfileSpec:
    """What a profile was asked for: the place, the year it looks back from, the neighbours, the level."""

    area_code: str
    period: int
    neighbours: str
    level: float
    years: int


@dataclass(frozen=True, eq=False)
class AreaProfile:
    """One place on one page.

    Attributes
    ----------
    area_code, name, region_name : str
        The place.
    period : int
        Year it looks back from: figures measured later are left out.
    table : DataFrame
        One row an indicator, in the framework's order: ``domain, outcome, indicator_id, name, unit, decimals,
        direction, contested, layer, tier, period, measured`` (year), ``age`` (years), ``value, lower, upper, level,
        interval`` (from both variances where they are known, else as published), ``published_lower, published_upper,
        published_level, status, flags, symbol`` (``[c]`` and so on where there is no figure), ``latest_symbol,
        latest_period`` (a newer period without a figure), ``england, region, neighbours_median, neighbours_count,
        neighbours_of`` (all of the same period), ``verdict, position, reason`` (against England),
        ``verdict_neighbours, trend, change, change_lower, change_upper, change_level, since, trend_reason,
        england_change, cannot_tell, source_id``. In natural units.
    domains : DataFrame
        Rows of the index given for this place: ``node_id, node_label, estimate, lower, upper, level, ...``; empty if
        none was given.
    series : DataFrame
        ``indicator_id, period, period_start, period_end, value, lower, upper, level, status, flags, segment,
        england``: never join a line across two segments.
    text : str
        Strengths first, then where it stands below, then what cannot be measured here.
    spec : ProfileSpec
    manifest : RunManifest
    """

    area_code: str
    name: str
    region_name: str
    period: int
    table: pd.DataFrame
    domains: pd.DataFrame
    series: pd.DataFrame
    text: str
    spec: ProfileSpec
    manifest: RunManifest

    def __str__(self) -> str:
        return self.text


def area_profile(
    name: str,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    period: int | None = None,
    index: _Tabled | None = None,
    neighbours: str | pd.DataFrame | None = "dfe_2025",
    level: float = LEVEL,
    years: int = 5,
) -> AreaProfile:
    """Everything the figures say about one authority or district.

    Parameters
    ----------
    name : str
        Any usual spelling, a former name, a GSS code or a DfE code.
    observations : DataFrame, optional
        The tidy table; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    period : int, optional
        Year to look back from; by default the latest year in which anything was measured.
    index : IndexResult or UncertaintyResult, optional
        Adds the domains.
    neighbours : str or DataFrame or None
        Name of a set of statistical neighbours, a table of pairs (``area_code, neighbour_code``), or none.
    level : float
        Of intervals and verdicts.
    years : int
        How far back a change may reach.

    Returns
    -------
    AreaProfile

    Raises
    ------
    AreaError
        If no such place is known (names that look alike are given), or it is a region or England.
    ObservationsError
        If the table holds nothing for the place by that year.
    """
    from outcomes_analysis.areas.register import load_register, resolve

    code = resolve(name)
    register = load_register()
    place = register.loc[code]
    if place["tier"] not in ("upper", "lower"):
        message = f"{place['name']} is a {place['tier']}: a profile is of an authority or district. Name one of those."
        raise AreaError(message)
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    pairs = _pairs(neighbours)
    around = [code, ENGLAND, str(place["region_code"]), *pairs.loc[pairs["area_code"].eq(code), "neighbour_code"]]
    known, as_of = _relevant(observations, codes=around, framework=framework, period=period)
    if not known["area_code"].eq(code).any():
        message = f"No figure for {place['name']} ({code}) measured by {as_of}. Choose a later year or another place."
        raise ObservationsError(message)
    histories = dict(tuple(known.groupby("indicator_id", sort=False)))
    rows = [
        _row(
            histories.get(i.id, known.iloc[:0]),
            indicator=i,
            framework=framework,
            code=code,
            region=str(place["region_code"]),
            pairs=pairs,
            as_of=as_of,
            ranked=bool(place["ranked"] or place["tier"] == "lower"),
            level=level,
            years=years,
        )
        for i in framework.indicators
    ]
    table = pd.DataFrame(rows)
    domains = _domains(index, code=code, framework=framework)
    neighbours_id = neighbours if isinstance(neighbours, str) else "own list" if neighbours is not None else "none"
    spec = ProfileSpec(area_code=code, period=as_of, neighbours=neighbours_id, level=level, years=years)
    used = table.loc[table["value"].notna(), ["indicator_id", "period", "value", "source_id"]]
    return AreaProfile(
        area_code=code,
        name=str(place["name"]),
        region_name=str(place["region_name"]),
        period=as_of,
        table=table,
        domains=domains,
        series=_series(histories, framework=framework, code=code),
        text=compose(
            table,
            domains=domains,
            framework=framework,
            name=str(place["name"]),
            region=str(place["region_name"]),
            as_of=as_of,
            neighbours=neighbours_id,
            level=level,
        ),
        spec=spec,
        manifest=RunManifest(
            data=hash_of(used.to_dict(orient="list")),
            data_as_at=str(observations.attrs.get("data_as_at", "")),
            spec=hash_of(spec.__dict__),
            sources=tuple(sorted(set(used["source_id"].astype(str)) - {""})),
        ),
    )


def _pairs(neighbours: str | pd.DataFrame | None) -> pd.DataFrame:
    if neighbours is None:
        return pd.DataFrame(NO_NEIGHBOURS)
    if isinstance(neighbours, pd.DataFrame):
        return neighbours
    from outcomes_analysis.areas.neighbours import load_neighbours

    return load_neighbours(neighbours)


def _relevant(
    observations: pd.DataFrame, *, codes: list[str], framework: Framework, period: int | None
) -> tuple[pd.DataFrame, int]:
    """Whole-population rows of the place and all it is compared with, measured by a year; and that year."""
    ids = [i.id for i in framework.indicators]
    keep = (
        observations["area_code"].isin(codes)
        & observations["indicator_id"].isin(ids)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
    )
    rows = observations.loc[keep]
    rows = rows.assign(year=rows["period_end"].dt.year)
    as_of = int(rows["year"].max()) if period is None and len(rows) else int(period or 0)
    return rows[rows["year"] <= as_of].sort_values("period_end", kind="stable"), as_of


def _row(
    known: pd.DataFrame,
    *,
    indicator: Indicator,
    framework: Framework,
    code: str,
    region: str,
    pairs: pd.DataFrame,
    as_of: int,
    ranked: bool,
    level: float,
    years: int,
) -> dict[str, Any]:
    """One indicator of the profile."""
    history = known[known["area_code"].eq(code)]
    valued = history[history["value"].notna()]
    head = {
        "domain": framework.domain_of(indicator.outcome) if indicator.outcome else "",
        "outcome": indicator.outcome,
        "indicator_id": indicator.id,
        **{
            field: getattr(indicator, field)
            for field in ("name", "unit", "decimals", "direction", "contested", "layer", "tier", "cannot_tell")
        },
    }
    if valued.empty:
        return {**head, **_nothing(history)}
    figure = valued.iloc[-1]
    newer = history[history["period_end"] > figure["period_end"]]
    same = known[known["period"].eq(figure["period"]) & known["value"].notna()].set_index("area_code")
    others = same[same["status"].isin(USABLE)]["value"]
    england, regional = (float(same["value"].get(c, np.nan)) for c in (ENGLAND, region))
    near = neighbour_summary(others, area=code, neighbours=pairs)
    age = as_of - int(figure["year"])
    lower, upper = total_interval(float(figure["value"]), float(figure["se_total"]), indicator=indicator, level=level)
    withheld = why_withheld(figure, indicator=indicator, age=age, ranked=ranked)
    against, beside = (
        verdict(
            value=float(figure["value"]),
            lower=lower,
            upper=upper,
            comparator=comparator,
            direction=indicator.direction,
            withheld=withheld,
        )
        for comparator in (england, near.median)
    )
    change = change_since(history, indicator=indicator, years=years, level=level)
    both_known = np.isfinite(lower)
    return {
        **head,
        "period": figure["period"],
        "measured": int(figure["year"]),
        "age": age,
        "value": float(figure["value"]),
        "lower": lower if both_known else figure["lower"],
        "upper": upper if both_known else figure["upper"],
        "level": level if both_known else figure["level"],
        "interval": "figures",
        "published_lower": figure["lower"],
        "published_upper": figure["upper"],
        "published_level": figure["level"],
        "status": figure["status"],
        "flags": figure["flags"],
        "symbol": wording.symbol(str(figure["status"]), str(figure["flags"])),
        "latest_symbol": wording.symbol(str(newer["status"].iloc[-1])) if len(newer) else "",
        "latest_period": newer["period"].iloc[-1] if len(newer) else "",
        "england": england,
        "region": regional,
        "neighbours_median": near.median,
        "neighbours_count": near.having,
        "neighbours_of": near.of,
        "verdict": against.judgement,
        "position": against.position,
        "reason": against.reason,
        "verdict_neighbours": beside.judgement,
        "trend": change.direction,
        "change": change.change,
        "change_lower": change.lower,
        "change_upper": change.upper,
        "change_level": change.level,
        "since": change.since,
        "trend_reason": change.reason,
        "england_change": _national_change(known, since=change.since, until=str(figure["period"])),
        "source_id": figure["source_id"],
    }


def _nothing(history: pd.DataFrame) -> dict[str, Any]:
    """Columns of an indicator without any figure for this place."""
    status = str(history["status"].iloc[-1]) if len(history) else "not_available"
    symbol = wording.symbol(status)
    numbers = ("value", "lower", "upper", "level", "published_lower", "published_upper", "published_level")
    compared = ("england", "region", "neighbours_median", "change", "change_lower", "change_upper", "change_level")
    return {
        **dict.fromkeys((*numbers, *compared, "england_change", "measured", "age"), float("nan")),
        "period": str(history["period"].iloc[-1]) if len(history) else "",
        "interval": "figures",
        "status": status,
        "flags": str(history["flags"].iloc[-1]) if len(history) else "",
        "symbol": symbol,
        "latest_symbol": symbol,
        "latest_period": str(history["period"].iloc[-1]) if len(history) else "",
        "neighbours_count": 0,
        "neighbours_of": 0,
        "verdict": "no figure",
        "position": "",
        "reason": wording.SYMBOL_MEANINGS[symbol],
        "verdict_neighbours": "no figure",
        "trend": "not compared",
        "since": "",
        "trend_reason": "no figure",
        "source_id": "",
    }


def _national_change(known: pd.DataFrame, *, since: str, until: str) -> float:
    national = known[known["area_code"].eq(ENGLAND)].drop_duplicates("period", keep="last").set_index("period")["value"]
    return float(national.get(until, np.nan) - national.get(since, np.nan)) if since else float("nan")


def _domains(index: _Tabled | None, *, code: str, framework: Framework) -> pd.DataFrame:
    """Rows of the domains for this place, in the framework's order."""
    if index is None:
        return pd.DataFrame(columns=["node_id", "node_label", "estimate", "lower", "upper", "level", "status"])
    labels = {node.id: node.label for node in framework.domains}
    rows = index.table[index.table["area_code"].eq(code) & index.table["node_id"].isin(labels)].copy()
    rows["node_label"] = rows["node_id"].map(labels)
    order = {node: k for k, node in enumerate(labels)}
    return rows.sort_values("node_id", key=lambda ids: ids.map(order)).reset_index(drop=True)


def _series(histories: dict[Any, pd.DataFrame], *, framework: Framework, code: str) -> pd.DataFrame:
    """History of every indicator, cut where it cannot be compared."""
    columns = ["indicator_id", "period", "period_start", "period_end", "value", "lower", "upper", "level"]
    parts: list[pd.DataFrame] = []
    for indicator in framework.indicators:
        known = histories.get(indicator.id)
        own = known[known["area_code"].eq(code)] if known is not None else None
        if known is None or own is None or own.empty:
            continue
        national = known[known["area_code"].eq(ENGLAND)].drop_duplicates("period", keep="last").set_index("period")
        part = own[[*columns, "status", "flags"]].copy()
        part["segment"] = segments(own, breaks=[b.period for b in indicator.breaks])
        part["england"] = part["period"].map(national["value"])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
