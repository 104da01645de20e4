"""Places made of districts: what is published below the county, side by side and as one where that can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.register import load_register, lower_tier, resolve_place
from outcomes_analysis.areas.spelling import normal
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.places.comparison import USABLE
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.quantities import PERCENT, amount, short_amount, spoken, unit_words, when
from outcomes_analysis.places.summary import bullets, several_words
from outcomes_analysis.places.verdicts import kind_of, sampling_unknown
from outcomes_analysis.project import LEVEL, project
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.sentences import checked, in_sentence

FEWEST = 2


@dataclass(frozen=True)
class JoinedSpec:
    """What was asked for: the place, its districts and their weights, the year looked back from, the level."""

    name: str
    district_codes: tuple[str, ...]
    weights: tuple[float, ...]
    period: int
    level: float


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
        contested, period`` (the newest that all districts have), ``measured, value`` (weighted by the numbers given;
        NaN without), ``lower, upper, level`` (only where every district's sampling error is known), ``lowest, highest``
        (of the districts: the place lies between them whatever the weights), ``having, of`` (districts with a figure),
        ``england, county`` (same period), ``position`` (``above``, ``below``: all districts on that side of England;
        ``across``; or empty), ``status``: ``estimated`` (from weights), ``range`` (no weights), ``partial`` (some
        district has no figure: nothing is made of the others), ``county only`` or ``none``.
    values : DataFrame
        Indicators by districts: the figures of ``period``.
    text : str
    spec : JoinedSpec
    manifest : RunManifest
    """

    name: str
    districts: pd.Series[str]
    counties: tuple[str, ...]
    table: pd.DataFrame
    values: pd.DataFrame
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
    shares = _shares(weights, codes=codes, labels=labels)
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    upper = [str(u) for u in dict.fromkeys(register.loc[list(codes), "upper_code"]) if u not in codes]
    keep = observations["area_code"].isin([*codes, *upper, ENGLAND]) & observations["group_type"].eq("all")
    known = observations[keep & observations["value"].notna()].sort_values("period_end", kind="stable")
    as_of = period or int(observations["period_end"].dt.year.max())
    known = known[known["period_end"].dt.year <= as_of]
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
        )
        rows.append(row)
        values[indicator.id] = own
    table = pd.DataFrame(rows)
    spec = JoinedSpec(name, codes, tuple(float(s) for s in shares) if shares is not None else (), as_of, level)
    counties = tuple(str(register.loc[u, "name"]) for u in upper)
    wide = pd.DataFrame(values).T.reindex(columns=list(codes)).rename_axis("indicator_id")
    return JoinedPlace(
        name=name,
        districts=labels,
        counties=counties,
        table=table,
        values=wide,
        text=_text(table, name=name, labels=labels, counties=counties, framework=framework, spec=spec),
        spec=spec,
        manifest=RunManifest(
            data=hash_of(wide.to_dict(orient="list")),
            data_as_at=str(observations.attrs.get("data_as_at", "")),
            spec=hash_of(spec.__dict__),
            sources=tuple(sorted(set(known["source_id"].astype(str)) - {""})),
        ),
    )


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


def _shares(
    weights: Sequence[float] | Mapping[str, float] | None, *, codes: tuple[str, ...], labels: pd.Series[str]
) -> np.ndarray | None:
    """Shares of the children by district, adding up to one."""
    if weights is None:
        return None
    if isinstance(weights, Mapping):
        by_code = {resolve_place(key): float(value) for key, value in weights.items()}
        given = [by_code.get(code, float("nan")) for code in codes]
    else:
        given = [float(w) for w in weights]
    if len(given) != len(codes) or not all(np.isfinite(w) and w > 0 for w in given):
        message = (
            f"Numbers of children: {len(given)} given for {wording.plural(len(codes), 'district', 'districts')} "
            f"({several(labels)}). Give one positive number for each."
        )
        raise AreaError(message)
    return np.array(given) / sum(given)


def _row(
    known: pd.DataFrame,
    *,
    indicator: Indicator,
    framework: Framework,
    codes: tuple[str, ...],
    upper: list[str],
    shares: np.ndarray | None,
    level: float,
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
    if shares is not None and indicator.form != "count":
        row |= {"value": float(shares @ figures), "status": "estimated"}
        errors = now.loc[list(codes), "se_total"].to_numpy(float)
        unsure = any(sampling_unknown(r, indicator=indicator) for _, r in now.iterrows())
        if np.isfinite(errors).all() and not unsure:
            reach = z_of(level) * float(np.sqrt(((shares * errors) ** 2).sum()))
            row |= {"lower": row["value"] - reach, "upper": row["value"] + reach}
    return row, values


def _text(
    table: pd.DataFrame,
    *,
    name: str,
    labels: pd.Series[str],
    counties: tuple[str, ...],
    framework: Framework,
    spec: JoinedSpec,
) -> str:
    """What exists for the place, where its districts stand, and what is the county's alone."""
    made = table[table["status"].isin(["estimated", "range"])]
    of = f", {'districts' if counties else 'authorities'} of {wording.listed(counties)}" if counties else ""
    every = "both" if len(labels) == FEWEST else f"all {len(labels)}"
    opening = (
        f"{name} is made of {wording.listed(list(labels))}{of}. {len(made)} of {len(table)} indicators are published "
        f"for {every} of them, looking back from {spec.period}."
    )
    alone = table[table["status"].eq("county only")]
    if len(alone) and counties:
        opening += (
            f" {len(alone)} exist for {wording.listed(counties)} as a whole only, which is not {name}: see them with "
            f"outcomes area {counties[0]}."
        )
    if spec.weights:
        shares = wording.listed([f"{n} {100 * w:.0f}%" for n, w in zip(labels, spec.weights, strict=True)])
        method = (
            f"Figures for {name} are estimated: means of its districts weighted by the numbers of children given "
            f"({shares}), which are not always the children a figure counts. They lie between the lowest and the "
            "highest district whatever the weights."
        )
    else:
        method = (
            f"No figure is made for {name} as a whole, because the numbers of children behind its districts' figures "
            "are not published here; whatever they are, it lies between its lowest and its highest district."
        )
    unsure = (
        "No judgement is given: how many children are behind most of the districts' figures is not known, so neither "
        "is how sure they are."
    )
    blocks = [opening, f"{method} {unsure}"]
    context = made["kind"].eq("context")
    for side in ("above", "below"):
        rows = made[made["position"].eq(side) & ~context]
        if len(rows):
            words = [_words(r) for _, r in rows.iterrows()]
            blocks.append(bullets(f"Every district {side} England, {len(rows)}", words))
    across = made[made["position"].eq("across") & ~context]
    if len(across):
        blocks.append(
            bullets(f"Districts on both sides of England, {len(across)}", [_words(r) for _, r in across.iterrows()])
        )
    partial = table[table["status"].eq("partial")]
    if len(partial):
        names = several_words([in_sentence(str(n)) for n in partial["name"]])
        blocks.append(
            f"Published for some of the districts only, so nothing is made of them for {name}, {len(partial)}: {names}."
        )
    blocks.append(framework.notice)
    quoted = [i.name for i in framework.indicators] + [framework.notice]
    return checked("\n\n".join(blocks), quoted=quoted)


def _words(row: pd.Series) -> str:
    unit, decimals = str(row["unit"]), int(row["decimals"])
    ends = [short_amount(row[c], unit=unit, decimals=decimals) for c in ("lowest", "highest")]
    told = f"{ends[0]} to {ends[1]}" if unit == PERCENT else f"{ends[0]} to {ends[1]} {unit_words(unit)}"
    if row["status"] == "estimated":
        told = f"about {amount(row['value'], unit=unit, decimals=decimals)}, districts {told}"
    disputed = " *" if row["contested"] else ""
    england = short_amount(row["england"], unit=unit, decimals=decimals)
    return f"{in_sentence(str(row['name']))}{disputed} ({told} {when(str(row['period']))}, England {england})"


def joined_text(place: JoinedPlace) -> str:
    """Write a place made of districts for a terminal: its text, then its districts side by side.

    Parameters
    ----------
    place : JoinedPlace

    Returns
    -------
    str
        No line over 100 characters for up to four districts; more are written below each other.
    """
    import textwrap

    def wrapped(line: str) -> str:
        hang = "  " if line.startswith("- ") else ""
        return textwrap.fill(line, 100, subsequent_indent=hang, break_on_hyphens=False)

    prose = "\n".join(wrapped(line) if line else "" for line in place.text.split("\n"))
    rows = place.table[place.table["having"] > 0]
    lines = [f"{place.name}: {wording.listed(list(place.districts))}", "", prose, ""]
    heads = [textwrap.shorten(n, 14, placeholder="") or n[:14] for n in place.districts]
    heads = [*heads, place.name[:14], *([place.counties[0][:10]] if len(place.counties) == 1 else []), "England"]
    if not place.spec.weights:
        heads.remove(place.name[:14])
    if len(heads) > 6:
        heads = heads[:0]
    for _, row in rows.iterrows():
        decimals = int(row["decimals"])
        unit = row["unit"] if row["unit"] == PERCENT else unit_words(row["unit"])
        own = place.values.loc[row["indicator_id"]]
        cells = [wording.number(own[c], decimals) for c in place.districts.index]
        cells += [wording.number(row["value"], decimals)] if place.spec.weights else []
        cells += [_shown(row["county"], decimals)] if len(place.counties) == 1 else []
        cells += [_shown(row["england"], decimals)]
        title = f"{row['name']} ({unit}){' *' if row['contested'] else ''}, {spoken(str(row['period']))}"
        lines.append(
            _side_by_side(title, cells, heads=heads, first=row["indicator_id"] == rows["indicator_id"].iloc[0])
        )
    lines.append("\n[x] no figure for that district and period" if (place.table["status"] == "partial").any() else "")
    return "\n".join(lines).rstrip() + "\n"


def _shown(value: float, decimals: int) -> str:
    return wording.number(value, decimals) if np.isfinite(value) else ""


def _side_by_side(title: str, cells: list[str], *, heads: list[str], first: bool) -> str:
    import textwrap

    if not heads:
        return "\n".join([*textwrap.wrap(title, 100), textwrap.fill(", ".join(c for c in cells if c), 96)])
    widths = [max(len(h), 7) for h in heads]
    room = 100 - sum(widths) - 2 * len(widths)
    parts = textwrap.wrap(title, room, subsequent_indent="  ")
    line = f"{parts[0]:<{room}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
    top = [f"{'':<{room}}  " + "  ".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True))] if first else []
    return "\n".join([*top, line.rstrip(), *parts[1:]])
