"""Places made of districts: what is published below the county, side by side and as one where that can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.combining import COUNTED
from outcomes_analysis.areas.register import load_register, lower_tier, resolve_place
from outcomes_analysis.areas.spelling import normal
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.places.comparison import USABLE
from outcomes_analysis.places.holding_back import held_back
from outcomes_analysis.places.joined_wording import compose_joined
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.verdicts import kind_of, sampling_unknown
from outcomes_analysis.project import LEVEL, project
from outcomes_analysis.provenance import RunManifest, made_from

FEWEST = 2


@dataclass(frozen=True)
class JoinedSpec:
    """What was asked for: the place, its districts, their weights, the year looked back from, the level.

    ``children`` are the numbers given, ``weights`` their shares of the sum; both empty where none were given.
    """

    name: str
    district_codes: tuple[str, ...]
    weights: tuple[float, ...]
    period: int
    level: float
    children: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class JoinedPlace:
    """A place made of districts.

    Attributes
    ----------
    name : str
    districts : Series
        Names of its districts by ``area_code``.
    counties : tuple of str
        Authorities they lie in (a district that is its own authority is not listed).
    table : DataFrame
        One row an indicator, in natural units: ``domain, indicator_id, name, unit, decimals, form, direction, kind,
        contested, period`` (the newest that all districts have), ``measured, value`` (from the children published with
        each district's figure, else weighted by the numbers given; NaN without either), ``withheld`` (it would be
        told, but a figure elsewhere in its county is suppressed), ``lower, upper, level`` (only where every
        district's sampling error is known), ``lowest, highest``
        (of the districts: the place lies between them whatever the weights), ``having, of`` (districts with a figure),
        ``england, county`` (same period), ``position`` (``above``, ``below``: all districts on that side of England;
        ``across``; or empty), ``status``: ``counted`` (from counts), ``estimated`` (from weights), ``range`` (neither),
        ``partial`` (some district has no figure: nothing is made of the others), ``county only`` or ``none``.
    values : DataFrame
        Indicators by districts: the figures of ``period``. None that would, with its county's, give a suppressed one
        away (:mod:`outcomes_analysis.places.holding_back`).
    symbols : DataFrame
        Of the same shape: the status of each figure there is or is not, ``suppressed`` for those held back.
    sections : mapping of str to str
        The text in parts: ``opening, method, above, below, across, partial, notice``, those there are.
    text : str
    spec : JoinedSpec
    manifest : RunManifest
    """

    name: str
    districts: pd.Series[str]
    counties: tuple[str, ...]
    table: pd.DataFrame
    values: pd.DataFrame
    symbols: pd.DataFrame
    sections: Mapping[str, str]
    text: str
    spec: JoinedSpec
    manifest: RunManifest


@cache
def _named() -> pd.DataFrame:
    path = project().path("data", "areas", "places.csv")
    return pd.read_csv(path, dtype="str", keep_default_na=False)


def named_places() -> pd.DataFrame:
    """Read the places that are made of districts.

    Returns
    -------
    DataFrame
        ``name, aliases, district_codes`` (``|`` between), ``source``.
    """
    return _named().copy()


def districts_of(name: str) -> tuple[str, ...]:
    """Give the codes of the districts of a named place, or nothing where no place is called that."""
    row = _row_of(name)
    return tuple(row["district_codes"].split("|")) if row is not None else ()


def _row_of(name: str) -> pd.Series[Any] | None:
    wanted = normal(name)
    for _, row in _named().iterrows():
        if wanted in {normal(row["name"]), *(normal(a) for a in row["aliases"].split("|") if a)}:
            return row
    return None


def place_of_districts(
    name: str,
    districts: Sequence[str] = (),
    *,
    weights: Sequence[float] | Mapping[str, float] | None = None,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    period: int | None = None,
    level: float = LEVEL,
) -> JoinedPlace:
    """Gather what is published for the districts that make up a place.

    Parameters
    ----------
    name : str
        What the place is called.
    districts : sequence of str
        Names or codes of at least two districts; may be left out for a place of :func:`named_places`.
    weights : sequence or mapping, optional
        Number of children in each district, in the order of ``districts`` or by name or code. Without it no figure is
        made for the place, only the range it must lie in.
    observations, framework, period
        As for :func:`outcomes_analysis.places.area_profile`.
    level : float
        Of intervals.

    Returns
    -------
    JoinedPlace
        A mean weighted by children is the place's figure where the weights are the children each figure counts, and
        an estimate elsewhere; either way it lies between the lowest and the highest district. An indicator that any
        district lacks is not made for the place: what is held back must not be found by subtraction.

    Raises
    ------
    AreaError
        If a district is not known, is named twice, or has others below it (a county), or fewer than two are named; if
        weights do not fit.
    """
    codes = _codes(name, districts)
    known_as = None if districts else _row_of(name)
    name = name if known_as is None else str(known_as["name"])
    register = load_register()
    labels = register.loc[list(codes), "name"]
    numbers = _numbers(weights, codes=codes, labels=labels)
    shares = np.array(numbers) / sum(numbers) if numbers else None
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    upper = [str(u) for u in dict.fromkeys(register.loc[list(codes), "upper_code"]) if u not in codes]
    around = _around(upper)
    keep = observations["area_code"].isin([*codes, *upper, *around.index, ENGLAND])
    known = observations[keep & observations["group_type"].eq("all")].sort_values("period_end", kind="stable")
    as_of = period or int(observations["period_end"].dt.year.max())
    known = known[known["period_end"].dt.year <= as_of]
    pers = {i.id: i.per for i in framework.indicators}
    local = known[known["area_code"].isin([*codes, *upper, *around.index]) & known["indicator_id"].isin(pers)]
    held = held_back(local, counties=around, per=local["indicator_id"].map(pers).astype(float))
    risky = _risky(local[held], around=around, codes=codes, upper=upper)
    hidden = known.loc[held[held].index]
    told = known["value"].notna() & ~known.index.isin(hidden.index)
    known = known[told & known["area_code"].isin([*codes, *upper, ENGLAND])]
    histories = dict(tuple(known.groupby("indicator_id", sort=False)))
    rows, values = [], {}
    for indicator in framework.indicators:
        row, own = _row(
            histories.get(indicator.id, known.iloc[:0]),
            indicator=indicator,
            framework=framework,
            codes=codes,
            upper=upper,
            shares=shares,
            level=level,
            risky=risky,
        )
        rows.append(row)
        values[indicator.id] = own
    table = pd.DataFrame(rows)
    spec = JoinedSpec(name, codes, tuple(float(s) for s in shares) if shares is not None else (), as_of, level, numbers)
    counties = tuple(str(register.loc[u, "name"]) for u in upper)
    wide = pd.DataFrame(values).T.reindex(columns=list(codes)).rename_axis("indicator_id")
    sections = compose_joined(
        table,
        name=name,
        labels=labels,
        counties=counties,
        framework=framework,
        period=as_of,
        weights=spec.weights,
    )
    return JoinedPlace(
        name=name,
        districts=labels,
        counties=counties,
        table=table,
        values=wide,
        symbols=_symbols(wide, table, hidden=hidden, observations=observations),
        sections=sections,
        text="\n\n".join(sections.values()),
        spec=spec,
        manifest=made_from(
            wide.to_dict(orient="list"),
            spec=spec,
            data_as_at=observations.attrs.get("data_as_at"),
            sources=known["source_id"],
        ),
    )


def _around(upper: list[str]) -> pd.Series[str]:
    """County of every district in the counties that the place lies in, by code of the district."""
    lower = lower_tier()
    return lower.loc[lower["upper_code"].isin(upper) & ~lower.index.isin(upper), "upper_code"]


def _risky(held: pd.DataFrame, *, around: pd.Series[str], codes: tuple[str, ...], upper: list[str]) -> pd.DataFrame:
    """Indicators and times at which a figure of the whole, with the county's, would say something of a held one."""
    outside = held["area_code"].isin([*set(around.index) - set(codes), *upper])
    return held.loc[outside, ["indicator_id", "period_start", "period_end"]]


def _symbols(
    wide: pd.DataFrame, table: pd.DataFrame, *, hidden: pd.DataFrame, observations: pd.DataFrame
) -> pd.DataFrame:
    """Why a district has no figure: its own status at the period told, ``suppressed`` where it is held back."""
    at = table.set_index("indicator_id")["period"]
    mine = observations[observations["area_code"].isin(wide.columns) & observations["group_type"].eq("all")]
    mine = mine[mine["period"].eq(mine["indicator_id"].map(at))].drop_duplicates(["indicator_id", "area_code"])
    status = mine.assign(status=mine["status"].mask(mine.index.isin(hidden.index), "suppressed"))
    found = status.pivot(index="indicator_id", columns="area_code", values="status")
    found = found.reindex(index=wide.index, columns=wide.columns).astype(object)
    return found.where(found.notna(), "not_available")


def _codes(name: str, districts: Sequence[str]) -> tuple[str, ...]:
    found = [resolve_place(d) for d in districts] if districts else list(districts_of(name))
    if not found:
        named = several(_named()["name"])
        message = f"'{name}' is not a place made of districts. Name its districts, or ask for one of: {named}."
        raise AreaError(message)
    counties = [c for c in found if c not in lower_tier().index]
    if counties:
        names = several(load_register().loc[counties, "name"])
        message = f"{names}: a county is made of districts already. Name districts, or see it with `outcomes area`."
        raise AreaError(message)
    if len(set(found)) < max(FEWEST, len(found)):
        message = f"{len(set(found))} different districts are named for {name}; name at least {FEWEST}, each once."
        raise AreaError(message)
    return tuple(found)


def _numbers(
    weights: Sequence[float] | Mapping[str, float] | None, *, codes: tuple[str, ...], labels: pd.Series[str]
) -> tuple[float, ...]:
    """Numbers of children by district, in the order of the districts; empty where none are given."""
    if weights is None:
        return ()
    if isinstance(weights, Mapping):
        by_code = {resolve_place(key): float(value) for key, value in weights.items()}
        given = [by_code.get(code, float("nan")) for code in codes]
    else:
        given = [float(w) for w in weights]
    wrong = [wording.number(w, 0) if np.isfinite(w) else "none" for w in given if not (np.isfinite(w) and w > 0)]
    if len(given) != len(codes) or wrong:
        bad = f", of which not positive: {several(wrong)}" if wrong else ""
        message = (
            f"Numbers of children: {len(given)} given for {wording.plural(len(codes), 'district', 'districts')} "
            f"({several(labels)}){bad}. Give one positive number for each."
        )
        raise AreaError(message)
    return tuple(given)


def _row(
    known: pd.DataFrame,
    *,
    indicator: Indicator,
    framework: Framework,
    codes: tuple[str, ...],
    upper: list[str],
    shares: np.ndarray | None,
    level: float,
    risky: pd.DataFrame,
) -> tuple[dict[str, Any], dict[str, float]]:
    """One indicator of the place, and its districts' figures."""
    fields = ("name", "unit", "decimals", "form", "direction", "contested", "layer", "tier")
    numbers = ("measured", "value", "lower", "upper", "lowest", "highest", "england", "county")
    row: dict[str, Any] = {
        "domain": framework.domain_of(indicator.outcome) if indicator.outcome else "",
        "indicator_id": indicator.id,
        "kind": kind_of(indicator),
        **{field: getattr(indicator, field) for field in fields},
        **dict.fromkeys(numbers, np.nan),
        **{"period": "", "level": level, "having": 0, "of": len(codes), "position": "", "status": "none"},
        "withheld": False,
    }
    own = known[known["area_code"].isin(codes) & known["status"].isin(USABLE)]
    if own.empty:
        return row | {"status": "county only" if known["area_code"].isin(upper).any() else "none"}, {}
    count = own.groupby("period", sort=False)["area_code"].nunique()
    full = count[count == len(codes)]
    at = str(full.index[-1] if len(full) else count.index[-1])
    now = own[own["period"].eq(at)].drop_duplicates("area_code", keep="last").set_index("area_code")
    beside = known[known["period"].eq(at)].drop_duplicates("area_code", keep="last").set_index("area_code")["value"]
    row |= {
        "period": at,
        "measured": int(now["period_end"].iloc[0].year),
        "having": len(now),
        "england": float(beside.get(ENGLAND, np.nan)),
        "county": float(beside.get(upper[0], np.nan)) if len(upper) == 1 else np.nan,
    }
    values = {str(code): float(value) for code, value in now["value"].items()}
    if len(now) < len(codes):
        return row | {"status": "partial"}, values
    figures = now.loc[list(codes), "value"].to_numpy(float)
    low, high = float(figures.min()), float(figures.max())
    row |= {"lowest": low, "highest": high, "status": "range"}
    if np.isfinite(row["england"]):
        row["position"] = "above" if low > row["england"] else "below" if high < row["england"] else "across"
    weights, status = _weights(now.loc[list(codes)], shares=shares, indicator=indicator)
    if weights is None:
        return row, values
    near = risky[risky["indicator_id"].eq(indicator.id)]
    first, last = now["period_start"].min(), now["period_end"].max()
    if ((near["period_start"] <= last) & (near["period_end"] >= first)).any():
        return row | {"withheld": True}, values
    row |= {"value": float(weights @ figures), "status": status}
    errors = now.loc[list(codes), "se_total"].to_numpy(float)
    unsure = any(sampling_unknown(r, indicator=indicator) for _, r in now.iterrows())
    if np.isfinite(errors).all() and not unsure:
        reach = z_of(level) * float(np.sqrt(((weights * errors) ** 2).sum()))
        row |= {"lower": row["value"] - reach, "upper": row["value"] + reach}
    return row, values


def _weights(now: pd.DataFrame, *, shares: np.ndarray | None, indicator: Indicator) -> tuple[np.ndarray | None, str]:
    """What each district's figure counts for in that of the place, and what a figure so made is called."""
    if indicator.form == "count":  # counts add up
        return np.ones(len(now)), "counted"
    children = pd.to_numeric(now["denominator"]).to_numpy(dtype=float)
    if indicator.form in COUNTED and (np.isfinite(children) & (children > 0)).all():
        return children / children.sum(), "counted"
    return (None, "") if shares is None else (shares, "estimated")
