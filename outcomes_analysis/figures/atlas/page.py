"""The atlas as one HTML page: template, style and script from ``assets``, figures as compressed columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.areas.boundaries import hex_layout, load_outlines
from outcomes_analysis.areas.neighbours import load_neighbours
from outcomes_analysis.figures.atlas.columns import packed
from outcomes_analysis.figures.atlas.gathering import (
    GRID,
    MISSING_REASONS,
    NOT_COMPUTED,
    WITHHELD,
    Series,
    domain_series,
    indicator_series,
    measures,
    outlines,
    places,
)
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping.hexagons import short_labels
from outcomes_analysis.observations.groups import group_label
from outcomes_analysis.places.verdicts import FEWEST_AUTHORITIES, NARROW
from outcomes_analysis.sources.release import read_manifest
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, EXPLORATION

if TYPE_CHECKING:
    from outcomes_analysis.index import IndexResult, UncertaintyResult

TITLE = "Atlas of children's outcomes in English local authorities"
NEIGHBOURS = "dfe_2025"
NEAR_LABEL = "The ten places that the Department for Education's model of 2025 counts as most alike"
LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."


def atlas_html(
    observations: pd.DataFrame,
    *,
    uncertainty: UncertaintyResult,
    years: Mapping[int, IndexResult],
    first: str = "learning",
    place: str = "E09000012",
) -> str:
    """Write the atlas.

    Parameters
    ----------
    observations : DataFrame
        The tidy table behind the index.
    uncertainty : UncertaintyResult
        Rank intervals of the newest year.
    years : mapping of int to IndexResult
        The index by the year it looks back from.
    first, place : str
        What is shown when the file is opened: id of a measure, code of an authority.

    Returns
    -------
    str
        One HTML file, about 2 MB; it fetches nothing, and the same inputs give the same text. Experimental domains
        have no ranks; figures that bear no comparison say why.
    """
    framework = uncertainty.index.matrix.framework
    newest = uncertainty.index
    table = places()
    order = list(table.index)
    series = [
        *domain_series({year: result.table for year, result in years.items()}, order=order),
        *indicator_series(observations, framework=framework, order=order),
    ]
    scored = {name: list(newest.nodes[name].weights.index) for name in newest.domains}
    manifest = read_manifest()
    known = {s["id"]: f"{s['publisher']}, {s['title']}" for s in _sources(manifest)}
    described = measures(framework, scored=scored, sources=known)
    present = {s.measure for s in series}
    data = {
        "title": TITLE,
        "notice": f"{EXPLORATION} {framework.notice}",
        "licence": LICENCE,
        "areas": AREAS_NOT_CHILDREN,
        "asAt": str(manifest["data_as_at"]),
        "first": first,
        "second": "child_poverty_ahc" if "child_poverty_ahc" in present else next(iter(present)),
        "firstPlace": place,
        "firstScore": min(years),
        "everyone": group_label("all", "all"),
        "nearLabel": NEAR_LABEL,
        "missing": [*MISSING_REASONS.values(), NOT_COMPUTED],
        "withheld": WITHHELD,
        "inherited": WITHHELD[2],
        "narrow": NARROW,
        "fewest": FEWEST_AUTHORITIES,
        "colours": _colours(),
        "ranks": _ranks(uncertainty, order),
        "measures": {name: m for name, m in described.items() if name in present},
        "series": _directory(series, len(order)),
        **_geography(table),
    }
    return Template(_asset("page.html")).substitute(
        title=escape(TITLE),
        banner=escape(EXPLORATION),
        lead=escape(
            f"Choose a measure, a group of children and a period; every figure carries a 90% interval where its error "
            f"is known. {framework.notice}"
        ),
        style=_asset("atlas.css"),
        script=_asset("atlas.js"),
        method=f"<p>{escape(newest.text)}</p>",
        footer=escape(f"Data as at {manifest['data_as_at']}. {LICENCE} Contains OS data © Crown copyright."),
        data=_inside_script(data),
        figures=packed([c for s in series for c in s.columns]),
    )


def _sources(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    found = manifest["sources"]
    return found if isinstance(found, list) else []


def _asset(name: str) -> str:
    return files("outcomes_analysis.figures.atlas").joinpath("assets", name).read_text(encoding="utf-8")


def _inside_script(data: Mapping[str, Any]) -> str:
    """JSON that can end no script element and open no comment, whatever a name holds."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _directory(series: list[Series], size: int) -> list[dict[str, Any]]:
    """Where each series begins among the whole numbers, and how it is read."""
    found, at = [], 0
    for s in series:
        found.append({"m": s.measure, "g": s.group, "periods": s.periods, "years": s.years, "d": s.decimals, "at": at})
        at += 3 * size * len(s.columns)
    return found


def _colours() -> dict[str, Any]:
    worse, same, better = theme.AGAINST
    fewer, _, more = theme.NEUTRAL_AGAINST
    return {
        "worse": worse,
        "same": same,
        "better": better,
        "fewer": fewer,
        "more": more,
        "withheld": "#F6E7B4",
        "none": "#FFFFFF",
        "sequence": list(theme.SEQUENTIAL),
        "neutralSequence": list(theme.NEUTRAL_SEQUENTIAL),
    }


def _ranks(uncertainty: UncertaintyResult, order: list[str]) -> dict[str, Any]:
    """Rank intervals of every domain that is ranked, in the order of the places; 0 where a place is not ranked."""
    found = {}
    for name in uncertainty.index.domains:
        rows = uncertainty.table[uncertainty.table["node_id"] == name].set_index("area_code")
        ranked = rows[rows["ranked"] & rows["rank_lower"].notna()]
        if ranked.empty:
            continue
        low, high = (ranked[c].reindex(order).fillna(0).astype(int).tolist() for c in ("rank_lower", "rank_upper"))
        found[name] = {"year": int(uncertainty.index.matrix.period), "of": len(ranked), "lower": low, "upper": high}
    return found


def _geography(table: pd.DataFrame) -> dict[str, Any]:
    """Places with outline, hexagon and similar places, and the windows the maps look through."""
    own = table.index[table["kind"] == "authority"]
    paths, layout = outlines(list(own)), hex_layout().set_index("area_code")
    short = short_labels(table.loc[own, "name"])
    pairs = load_neighbours(NEIGHBOURS).sort_values("rank")
    number = {code: n for n, code in enumerate(table.index)}
    near = {
        code: [number[c] for c in rows if c in number] for code, rows in pairs.groupby("area_code")["neighbour_code"]
    }
    found = []
    for code, row in table.iterrows():
        entry: dict[str, Any] = {"code": code, "name": row["name"], "region": row["region_name"], "kind": row["kind"]}
        entry["ranked"] = bool(row["ranked"])
        if row["kind"] == "authority":
            x, y = float(layout.loc[code, "x"]), -float(layout.loc[code, "y"])
            entry |= {"d": paths[str(code)], "hex": [round(x, 3), round(y, 3)], "short": short[code]}
            entry["near"] = near.get(code, [])
        found.append(entry)
    shapes = load_outlines().set_index("area_code")
    london = own[table.loc[own, "region_name"] == "London"]
    xs, ys = layout["x"], -layout["y"]
    hexes = [xs.min() - 0.7, ys.min() - 0.7, xs.max() - xs.min() + 1.4, ys.max() - ys.min() + 1.4]
    return {
        "places": found,
        "box": _window(shapes.total_bounds),
        "londonBox": _window(shapes.loc[london].total_bounds),
        "hexBox": " ".join(f"{v:.2f}" for v in hexes),
    }


def _window(bounds: Any) -> str:
    """Window of a drawing in the units of :func:`outlines`, a little wider than its bounds in metres."""
    west, south, east, north = (float(b) / GRID for b in bounds)
    edge = 0.01 * (east - west)
    sides = west - edge, -north - edge, east - west + 2 * edge, north - south + 2 * edge
    return " ".join(f"{v:.0f}" for v in sides)
