"""What the atlas shows: places with outlines, measures with what they mean, a series for each measure and group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.figures.atlas.columns import column
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.observations.groups import group_label, group_order
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.observations.scales import derivative, inverse, transform
from outcomes_analysis.places.comparison import interval_scale
from outcomes_analysis.places.quantities import unit_words
from outcomes_analysis.places.verdicts import TOO_FEW, why_unfit
from outcomes_analysis.project import LEVEL

ENGLAND = "E92000001"
GRID = 100  # metres: outlines on a screen need no more
SCORE_DECIMALS = 2
NOT_COMPUTED = "not computed: too few figures"
NOT_CLEAR = "not clear beside England's score from the figures that the place has"
MISSING_REASONS = {
    "not_available": "not available",
    "suppressed": "suppressed by the publisher to protect children",
    "not_applicable": "not applicable",
}
_MISSING = {status: n for n, status in enumerate(MISSING_REASONS)}
# What the page says in place of a comparison; the first is nothing, 16 at most.
WITHHELD = [
    "",
    "too few children or events behind it",
    "the figure is that of the authority this place was part of",
    "the publisher marks the figure as of low reliability",
    "how many children are behind the figure is not known",
    "the figure is a sum with parts missing",
    "there is no interval",
    DEPENDS,
    NOT_CLEAR,
]


@dataclass(frozen=True, eq=False)
class Series:
    """One measure for one group of children over time.

    Attributes
    ----------
    measure : str
        Id of a domain or indicator.
    group : str
        In words.
    periods : list of str
        Oldest first.
    years : list of int
        Calendar year in which each period ended.
    columns : list of array
        One a period, as :func:`outcomes_analysis.figures.atlas.columns.column` makes them.
    decimals : int
        Kept in the columns.
    """

    measure: str
    group: str
    periods: list[str]
    years: list[int]
    columns: list[Any]
    decimals: int


def places() -> pd.DataFrame:
    """List the places of the atlas: upper-tier authorities by region and name, then regions, then England.

    Returns
    -------
    DataFrame
        Indexed by ``area_code``: ``name, region_name, kind`` (``authority``, ``region``, ``country``), ``ranked``.
    """
    from outcomes_analysis.areas.register import regions, upper_tier

    own = upper_tier().sort_values(["region_name", "name"])
    parts = [
        own[["name", "region_name", "ranked"]].assign(kind="authority"),
        regions()[["name"]].sort_values("name").assign(region_name="", ranked=False, kind="region"),
        pd.DataFrame({"name": ["England"], "region_name": "", "ranked": False, "kind": "country"}, index=[ENGLAND]),
    ]
    found = pd.concat(parts)
    found.index.name = "area_code"
    return found


def outlines(codes: list[str]) -> dict[str, str]:
    """Paths of authorities' outlines in units of 100 metres, south downwards, as SVG draws them."""
    from outcomes_analysis.areas.boundaries import load_outlines

    shapes = load_outlines().set_index("area_code").geometry
    return {code: _path(shapes[code]) for code in codes}


def _path(shape: Any) -> str:
    parts = getattr(shape, "geoms", [shape])
    return "".join(_ring(ring.coords) for part in parts for ring in (part.exterior, *part.interiors))


def _ring(coords: Any) -> str:
    points = np.round(np.asarray(coords)[:, :2] / GRID).astype(int) * [1, -1]
    steps = np.diff(points, axis=0)
    steps = steps[np.any(steps != 0, axis=1)][:-1]  # "z" draws the last side
    if len(steps) < 2:
        return ""
    return f"M{points[0][0]} {points[0][1]}l" + " ".join(f"{x} {y}" for x, y in steps) + "z"


def domain_series(years: Mapping[int, pd.DataFrame], *, order: list[str]) -> list[Series]:
    """Make a series of every domain's scores.

    Parameters
    ----------
    years : mapping of int to DataFrame
        The index's table by the year it looks back from: ``node_id, kind, area_code, estimate, lower, upper, england``
        and, where known, ``standing``.
    order : list of str
        Codes of the places; regions have no score.
    """
    tables = {year: table[table["kind"] == "domain"] for year, table in sorted(years.items())}
    names = list(dict.fromkeys(name for table in tables.values() for name in table["node_id"]))
    labels = [f"measured by {year}" for year in tables]
    everyone = group_label("all", "all")
    return [
        Series(
            measure=name,
            group=everyone,
            periods=labels,
            years=list(tables),
            columns=[_scores(table[table["node_id"] == name], order) for table in tables.values()],
            decimals=SCORE_DECIMALS,
        )
        for name in names
    ]


def _scores(rows: pd.DataFrame, order: list[str]) -> Any:
    by_place = rows.set_index("area_code")
    estimate, lower, upper = (by_place[c].reindex(order) for c in ("estimate", "lower", "upper"))
    estimate[ENGLAND] = by_place["england"].iloc[0] if len(by_place) else np.nan
    return column(
        estimate.to_numpy(float),
        lower.to_numpy(float),
        upper.to_numpy(float),
        missing=np.full(len(order), len(MISSING_REASONS)),
        withheld=_unsaid(by_place.reindex(order), order),
        decimals=SCORE_DECIMALS,
    )


def _unsaid(rows: pd.DataFrame, order: list[str]) -> np.ndarray:
    """Number of the reason why a score is set beside nothing; 0 where the page's own comparison says what may be said.

    The page holds a place's interval against England's one score, both to its decimals.
    """
    found = np.isin(order, _unranked()).astype(np.int64)
    if "standing" not in rows:
        return found
    lower, upper, england = (rows[c].round(SCORE_DECIMALS) for c in ("lower", "upper", "england"))
    page = np.select([lower > england, upper < england], ["above", "below"], "")
    bold = (page != "") & (page != rows["standing"].to_numpy(object))
    found[(found == 0) & bold] = WITHHELD.index(NOT_CLEAR)
    found[rows["standing"].eq(DEPENDS).to_numpy()] = WITHHELD.index(DEPENDS)
    return found


def _unranked() -> list[str]:
    from outcomes_analysis.areas.register import upper_tier

    table = upper_tier()
    return [str(code) for code in table.index[~table["ranked"]]]


def indicator_series(observations: pd.DataFrame, *, framework: Framework, order: list[str]) -> list[Series]:
    """Make a series of every indicator and group of children, with 90 % intervals from both variances.

    Parameters
    ----------
    observations : DataFrame
        The tidy table; districts are passed over.
    framework : Framework
    order : list of str
        Codes of the places.
    """
    position = {code: n for n, code in enumerate(order)}
    here = observations[observations["area_code"].isin(order)]
    here = here.assign(place=here["area_code"].map(position), missing=here["status"].map(_MISSING).fillna(0))
    ranking = {pair: n for n, pair in enumerate(group_order())}
    numbers = {indicator.id: n for n, indicator in enumerate(framework.indicators)}
    unranked = {position[code] for code in _unranked()}
    made: dict[tuple[int, int], Series] = {}
    for (name, kind, group), rows in here.groupby(["indicator_id", "group_type", "group"], sort=True):
        indicator = framework.indicator(str(name))
        label = group_label(str(kind), str(group))
        made[numbers[indicator.id], ranking[str(kind), str(group)]] = _series(
            rows, indicator, label, size=len(order), unranked=unranked
        )
    return [made[key] for key in sorted(made)]


def _series(rows: pd.DataFrame, indicator: Indicator, group: str, *, size: int, unranked: set[int]) -> Series:
    periods = rows[["period", "period_end"]].drop_duplicates("period").sort_values("period_end")
    at = rows["period"].map({label: n for n, label in enumerate(periods["period"])}).to_numpy(int)
    shape, cells = (len(periods), size), (at, rows["place"].to_numpy(int))
    value, lower, upper = (np.full(shape, np.nan) for _ in range(3))
    missing, withheld = (np.zeros(shape, np.int64) for _ in range(2))
    value[cells] = rows["value"].to_numpy(float)
    lower[cells], upper[cells] = _interval(rows, indicator)
    missing[cells] = rows["missing"].to_numpy(int)
    withheld[cells] = _reasons(rows, indicator, unranked)
    decimals = indicator.decimals + 1
    columns = [
        column(value[n], lower[n], upper[n], missing=missing[n], withheld=withheld[n], decimals=decimals)
        for n in range(len(periods))
    ]
    years = [int(end.year) for end in periods["period_end"]]
    return Series(indicator.id, group, [str(p) for p in periods["period"]], years, columns, decimals)


def _interval(rows: pd.DataFrame, indicator: Indicator) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the 90 % interval from ``se_total``, even on the indicator's scale, back in natural units."""
    scale, low, high = interval_scale(indicator)
    value, error = rows["value"].to_numpy(float), rows["se_total"].to_numpy(float)
    guard = np.maximum(0.5 * 10.0**-indicator.decimals, 0.5 * np.nan_to_num(error))
    middle = transform(value, scale, low=low, high=high, guard=guard)
    reach = z_of(LEVEL) * error * derivative(value, scale, low=low, high=high, guard=guard)
    lower = np.minimum(inverse(middle - reach, scale, low=low, high=high), value)
    upper = np.maximum(inverse(middle + reach, scale, low=low, high=high), value)
    return lower, upper


def _reasons(rows: pd.DataFrame, indicator: Indicator, unranked: set[int]) -> np.ndarray:
    """Number of the reason why each figure bears no comparison; 0 where it bears one or there is no figure."""
    wanted = ["status", "flags", "value", "denominator", "se_sampling", "se_total", "place"]
    found = np.zeros(len(rows), np.int64)
    for n, cells in enumerate(zip(*(rows[c].to_numpy(object) for c in wanted), strict=True)):
        row = dict(zip(wanted, cells, strict=True))
        if np.isfinite(row["value"]):
            reason = why_unfit(row, indicator=indicator, ranked=row["place"] not in unranked)
            found[n] = _number(reason or ("" if np.isfinite(row["se_total"]) else WITHHELD[6]))
    return found


def _number(reason: str) -> int:
    """Number of a reason; how many children or events are behind a figure is not told apart."""
    if not reason:
        return 0
    if reason == TOO_FEW or reason.startswith("fewer than"):
        return 1
    matches = [n for n, text in enumerate(WITHHELD) if text and reason.startswith(text)]
    return matches[0] if matches else 6


def measures(framework: Framework, *, scored: Mapping[str, list[str]], sources: Mapping[str, str]) -> dict[str, Any]:
    """Say what every domain and indicator is, for the page.

    Parameters
    ----------
    framework : Framework
    scored : mapping of str to list of str
        Indicators that count in each domain.
    sources : mapping of str to str
        Title and publisher by ``source_id``.
    """
    found: dict[str, Any] = {}
    for domain in framework.domains:
        parts = scored.get(domain.id, [])
        disputed = [framework.indicator(name).name for name in parts if framework.indicator(name).contested]
        found[domain.id] = {
            "label": domain.label,
            "kind": "domain",
            "section": "Domains",
            "unit": "score",
            "decimals": SCORE_DECIMALS,
            "direction": 1,
            "contested": "",
            "experimental": bool(domain.experimental),
            "what": domain.statement,
            "mind": " ".join(x for x in (domain.note, _disputed(disputed)) if x),
            "source": "",
            "breaks": _breaks_of([framework.indicator(name) for name in parts]),
            "parts": parts,
        }
    labels = {d.id: d.label for d in framework.domains}
    for indicator in framework.indicators:
        first = indicator.domains[0] if indicator.domains else ""
        found[indicator.id] = {
            "label": indicator.name,
            "kind": "indicator",
            "section": labels.get(first, "Context"),
            "unit": unit_words(indicator.unit),
            "decimals": indicator.decimals,
            "direction": 0 if indicator.contested else indicator.direction,
            "contested": indicator.contested,
            "experimental": False,
            "what": indicator.definition,
            "mind": indicator.cannot_tell,
            "source": sources.get(indicator.source, ""),
            "breaks": [[year_of(b.period), b.reason] for b in indicator.breaks],
            "parts": [],
        }
    return found


def _breaks_of(parts: list[Indicator]) -> list[list[Any]]:
    """Years in which the measuring of parts changed, each with their names."""
    found: dict[int, list[str]] = {}
    for indicator in parts:
        for change in indicator.breaks:
            found.setdefault(year_of(change.period), []).append(indicator.name)
    return [[year, "how these are measured changed: " + ", ".join(found[year])] for year in sorted(found)]


def _disputed(names: list[str]) -> str:
    return f"Contested parts, of which more is not plainly better or worse: {'; '.join(names)}." if names else ""
