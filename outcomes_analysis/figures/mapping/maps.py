"""Maps: areas in their true shape with London enlarged, hexagons of equal size, and pairs of maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.composing import Figure, finished, resizable
from outcomes_analysis.figures.mapping import geometry, panels
from outcomes_analysis.figures.mapping.classes import Classing
from outcomes_analysis.figures.mapping.clusters import cluster_map
from outcomes_analysis.figures.mapping.crossing import bivariate, sureness
from outcomes_analysis.figures.mapping.honeycomb import arranged, honeycomb
from outcomes_analysis.figures.mapping.measures import measure_map
from outcomes_analysis.figures.mapping.multiples import parts, small_multiples
from outcomes_analysis.figures.mapping.sheets import sheet
from outcomes_analysis.wording import number

if TYPE_CHECKING:
    import geopandas as gpd


__all__ = [
    "bivariate",
    "choropleth",
    "cluster_map",
    "domain_pair",
    "hex_map",
    "measure_map",
    "parts",
    "small_multiples",
    "sureness",
]

_PAIR_HEIGHT = 220.0  # pixels of each map of a pair, with which key, inset and notes fit a page
_BESIDE = (
    "Better than the range of similar places",
    "Within the range of similar places",
    "Worse than the range of similar places",
)


@resizable
def choropleth(
    result: Any,
    *,
    node: str,
    outlines: gpd.GeoDataFrame | None = None,
    classes: Classing | None = None,
    inset: str | None = "London",
    label: str | None = None,
    unit: str | None = None,
    geography: str = "upper-tier local authorities in England",
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Map of one node of an index, in the areas' true shape.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        Table with ``node_id, area_code, area_name, region_name, estimate, lower, upper, status`` and, where known,
        ``kind, england, against_england``; higher = better. For another geography ``nation`` names whom ``england`` is
        the score of, and ``source`` has to be given. A single measure whose direction is contested is turned
        round to run in its own direction, with other words and colours. Areas of the outlines that the table lacks are
        drawn as "No data"; missing values never take the class of a value.
    node : str
        What to map.
    outlines : GeoDataFrame, optional
        ``area_code`` and geometry in metres (EPSG:27700), and where wanted ``name, region``; the project's own
        upper-tier outlines by default.
    classes : {"quintile", "jenks", "equal", "against"}, optional
        ``quintile`` by default; ``against`` (interval above, across or below England, or a verdict that depends on
        contested figures) for an experimental node.
    inset : str, optional
        Region drawn again, enlarged, beside the map; none for None.
    label, unit, geography, source, data_as_at : str, optional
        Words on the figure; taken from the result and the register where not given.
    size : {"page", "column", "slide", "web"}
        Layout for a page of 170 mm, a report column of 85 mm, a slide; the web has a page's.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If the table lacks columns or the node, has an area twice, or no area of it is in the outlines.
    """
    shapes = panels.drawable(outlines)
    drawn = panels.classed(result, shapes, node=node, classes=classes, label=label, data_as_at=data_as_at)

    def key(width: float) -> Any:
        return keys.map_key(drawn.classes, title=drawn.key_title, width=width, note=drawn.key_note)

    laid = sheet(shapes, drawn.rows, key=key, inset=inset, size=size)
    return _map_figure(
        laid.body,
        drawn,
        unit=unit,
        geography=geography,
        source=panels.source_of(source, f"domain-map-{node}", drawn.words.nation),
        width=laid.width,
        kind="Map",
        size=size,
    )


def domain_pair(
    result: Any,
    given: Any,
    *,
    node: str,
    outlines: gpd.GeoDataFrame | None = None,
    label: str | None = None,
    inset: str | None = "London",
    geography: str = "upper-tier local authorities in England",
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Map of a domain against England and, beside it, against places of similar child poverty.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        Scores, as for :func:`choropleth`; ``lower`` and ``upper`` are needed.
    given : ComparisonResult or DataFrame
        The same for each place's difference from what is expected of places of similar child poverty; its interval
        is that of the difference from a place alike, so that it leaves out 0 where a place lies outside their range.
    node : str
        What to map.
    outlines, label, inset, geography, source, data_as_at
        As for :func:`choropleth`.

    Returns
    -------
    Figure
        Both panels have three classes: by whether the interval lies above, across or below England's score of the same
        date, and the range of similar places.
    """
    shapes = panels.drawable(outlines)
    left = panels.classed(result, shapes, node=node, classes="against", label=label, data_as_at=data_as_at)
    right = panels.classed(
        given,
        shapes,
        node=node,
        classes="against",
        said=_BESIDE,
        label=left.words.label,
        data_as_at=left.words.data_as_at,
    )
    name = left.words.label
    measure = str(getattr(given, "label", "child poverty"))
    width = theme.width_of("page")
    half = (width - 16) / 2
    shared = geometry.features(shapes, grid=50)
    regions = panels.regions_of(left.rows)
    frame = geometry.Frame.within(shapes, width=half, height=_PAIR_HEIGHT)
    london = shapes[shapes["area_code"].map(regions) == inset] if inset else shapes.iloc[:0]
    alt = theme.altair()
    all_counted = "Contested indicators are counted in." if standing.contested_shares(result, [node]) else ""
    compared = (
        (left, left.key_title, left.key_note),
        (right, f"{name}: beside places of similar {measure}", f"{_chance(given, node)} {all_counted}".strip()),
    )
    across: list[list[Any]] = [
        [keys.map_key(d.classes, title=heading, width=half, note=note) for d, heading, note in compared],
        [panels.panel(shapes, d.rows, shared, frame, regions=regions, mark=london) for d, _, _ in compared],
    ]
    if len(london):
        insets = [panels.inset_of(london, d.rows, shared, width=half * 0.6, name=str(inset)) for d, _, _ in compared]
        across += [list(pair) for pair in zip(*insets, strict=True)]
    cells = [cell for row in across for cell in row]
    title = _pair_title(left, right)
    beside = right.data.drop(columns=["node_id", "area_name", "region_name", "period", "higher_means"], errors="ignore")
    alt_text = (
        f"Two maps: {len(left.rows)} {geography}. {title}. Left, against {left.words.nation}: "
        f"{findings.class_sentence(left.classes)} Right, beside places of similar {measure}: "
        f"{findings.class_sentence(right.classes)}"
    )
    return finished(
        alt.concat(*cells, columns=2, align="each", spacing={"row": 2, "column": 16}),
        title=title,
        subtitle=findings.subtitle(
            left.rows,
            unit=f"score, higher is better; left against {left.words.nation}, right beside places of similar {measure}",
            geography=geography,
            extra=left.words.zero,
        ),
        unit=findings.unit_of(standing.AGREED, left.words.nation),
        source=panels.source_of(source, f"domain-pair-{node}", left.words.nation),
        data_as_at=left.words.data_as_at or right.words.data_as_at,
        alt=alt_text,
        data=left.data.merge(beside, on="area_code", suffixes=("", "_given_child_poverty")),
        notes=(_by_chance(left.rows), *left.words.notes),
        width=width,
    )


@resizable
def hex_map(
    result: Any,
    *,
    node: str,
    layout: pd.DataFrame | None = None,
    classes: Classing | None = None,
    label: str | None = None,
    unit: str | None = None,
    geography: str = "upper-tier local authorities in England, each the same size",
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Map with one hexagon an area, so that a large rural county does not outweigh a borough of as many children.

    Parameters
    ----------
    result, node, classes, label, unit, geography, source, data_as_at, size
        As for :func:`choropleth`; ``classes`` is ``against`` by default, as the title counts.
    layout : DataFrame, optional
        ``area_code, name, region_code, x, y`` (centres, north up); the project's own by default.

    Returns
    -------
    Figure
    """
    placed = arranged(layout)
    drawn = panels.classed(
        result, placed.shapes, node=node, classes=classes or "against", label=label, data_as_at=data_as_at
    )

    def key(width: float) -> Any:
        return keys.map_key(drawn.classes, title=drawn.key_title, width=width, note=drawn.key_note)

    comb = honeycomb(drawn.rows, placed, key=key, size=size)
    return _map_figure(
        comb.body,
        replace(drawn, rows=comb.rows),
        unit=unit,
        geography=geography,
        source=panels.source_of(source, f"domain-hex-{node}", drawn.words.nation),
        width=comb.width,
        kind="Hexagon map",
        notes=(comb.note,),
        size=size,
    )


def _pair_title(left: panels.Classed, right: panels.Classed) -> str:
    above, below, n = standing.against_counts(left.rows)
    better, worse, _ = standing.against_counts(right.rows)
    disputed = int(standing.depends(left.rows).sum())
    rest = f" ({disputed} more {'depends' if disputed == 1 else 'depend'} on contested figures)" if disputed else ""
    return (
        f"{left.words.sense.named(left.words.label)}: {above + below} of {n} authorities differ clearly from "
        f"{standing.england_name(left.rows)}{rest}, {better + worse} lie outside the range of similar places"
    )


def _chance(given: Any, node: str) -> str:
    """How many places would lie outside the range by chance, where the comparison says."""
    counts = getattr(given, "counts", None)
    if counts is None or node not in counts.index:
        return ""
    return f"About {number(float(counts.at[node, 'by_chance']), 0)} would lie outside it by chance."


def _by_chance(rows: pd.DataFrame) -> str:
    compared = standing.against_counts(rows)[2]
    return standing.chance_line(
        compared, findings.level_of(rows), against=standing.england_name(rows), what="authorities"
    )


def _map_figure(
    body: Any,
    drawn: panels.Classed,
    *,
    unit: str | None,
    geography: str,
    source: str,
    width: float,
    kind: str,
    notes: tuple[str, ...] = (),
    size: theme.Size = "page",
) -> Figure:
    rows, words = drawn.rows, drawn.words
    title = findings.finding(rows, label=words.label, sense=words.sense)
    measured = unit or findings.unit_of(words.sense, words.nation)
    return finished(
        body,
        title=title,
        subtitle=findings.subtitle(rows, unit=measured, geography=geography, extra=drawn.remarks, sense=words.sense),
        unit=measured,
        source=source,
        data_as_at=words.data_as_at,
        alt=findings.map_alt(rows, drawn.classes, title=title, kind=kind, sense=words.sense),
        data=drawn.data,
        notes=(*notes, _by_chance(rows), *words.notes),
        width=width,
        size=size,
    )
