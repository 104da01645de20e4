"""Maps: areas in their true shape with London enlarged, hexagons of equal size, and pairs of maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.figures import findings, geometry, keys, panels, theme
from outcomes_analysis.figures.classes import Classing, MapClass, classify
from outcomes_analysis.figures.composing import WORKING_ASSIGNMENT, Figure, compose, footer_texts
from outcomes_analysis.figures.registering import figure_entry

if TYPE_CHECKING:
    import geopandas as gpd

_MARKS = {
    "experimental": "Experimental: its figures do not measure one thing, so it is only explored and given no ranks.",
    "contested": "Contested: which way is better is disputed, so it is given no ranks.",
}


def choropleth(
    result: Any,
    *,
    node: str,
    outlines: gpd.GeoDataFrame | None = None,
    classes: Classing | None = None,
    inset: str | None = "London",
    label: str | None = None,
    unit: str = findings.SCORE_UNIT,
    geography: str = "upper-tier local authorities in England",
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Map of one node of an index, in the areas' true shape.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        Table with ``node_id, area_code, area_name, region_name, estimate, lower, upper, status``; higher = better.
        Areas of the outlines that the table lacks are drawn as "No data"; missing values never take the class of a
        value.
    node : str
        What to map.
    outlines : GeoDataFrame, optional
        ``area_code`` and geometry in metres (EPSG:27700); the project's own upper-tier outlines by default.
    classes : {"quintile", "jenks", "equal", "against"}, optional
        ``quintile`` by default; ``against`` (interval above, across or below England) for an experimental node.
    inset : str, optional
        Region drawn again, enlarged, beside the map; none for None.
    label, unit, geography, source, data_as_at : str, optional
        Words on the figure; taken from the result and the register where not given.
    size : {"page", "slide"}
        Width of the figure.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If the table lacks columns or the node, has an area twice, or no area of it is in the outlines.
    """
    shapes = panels.drawable(outlines)
    rows, words = panels.prepared(result, node=node, label=label, data_as_at=data_as_at)
    rows = panels.with_all_areas(rows, shapes)
    method: Classing = classes or ("against" if words.experimental else "quintile")
    keyed, found = classify(rows, method=method, experimental=words.experimental)
    rows = panels.coloured(rows, keyed, found)
    width = theme.width_of(size)
    side = 166.0 if size == "page" else 210.0
    shared = geometry.features(shapes)
    regions = panels.regions_of(rows)
    main_frame = geometry.Frame.around(shapes, width=width - side - 14)
    london = shapes[shapes["area_code"].map(regions) == inset] if inset else shapes.iloc[:0]
    main = panels.panel(shapes, rows, shared, main_frame, regions=regions, mark=london)
    key_title = f"{words.label}: {_class_words(method)}"
    right = [keys.map_key(found, title=key_title, width=side)]
    if len(london):
        right += panels.inset_of(london, rows, shared, width=side, name=str(inset))
    alt = theme.altair()
    body = alt.hconcat(main, alt.vconcat(*right, spacing=6), spacing=14)
    return _map_figure(
        body,
        rows,
        found,
        words=words,
        node=node,
        unit=unit,
        geography=geography,
        source=source,
        register_id=f"domain-map-{node}",
        width=width,
        kind="Map",
    )


def small_multiples(
    results: Mapping[str, Any],
    *,
    node: str | None = None,
    outlines: gpd.GeoDataFrame | None = None,
    columns: int = 3,
    width: float = 482,
) -> Any:
    """Maps side by side that share one block of geometry, each in three classes against England.

    Parameters
    ----------
    results : mapping
        Heading of each map to its result or table; the mapping's key is also the node unless ``node`` is given.
    node : str, optional
        One node for all maps (the maps then differ by period, say).
    columns : int
        Maps in a row.

    Returns
    -------
    altair chart
        The drawing alone; wrap it in a ``Figure`` with its finding before it is exported.
    """
    shapes = panels.drawable(outlines)
    shared = geometry.features(shapes, grid=200)
    frame = geometry.Frame.around(shapes, width=(width - 10 * (columns - 1)) / columns)
    alt = theme.altair()
    drawings: list[Any] = []
    for heading, result in results.items():
        rows, words = panels.prepared(result, node=node or heading, label=None, data_as_at=None)
        rows = panels.with_all_areas(rows, shapes)
        keyed, found = classify(rows, method="against", experimental=words.experimental)
        rows = panels.coloured(rows, keyed, found)
        drawing = panels.panel(shapes, rows, shared, frame, regions={}, mark=shapes.iloc[:0])
        drawings.append(drawing.properties(title=alt.Title(words.label if node is None else heading, fontSize=10)))
    return alt.concat(*drawings, columns=columns, spacing=10)


def domain_pair(
    result: Any,
    given: Any,
    *,
    node: str,
    outlines: gpd.GeoDataFrame | None = None,
    label: str | None = None,
    inset: str | None = "London",
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Map of a domain against England and, beside it, against the places of most similar child poverty.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        Scores, as for :func:`choropleth`; ``lower`` and ``upper`` are needed.
    given : Comparison or DataFrame
        The same for each place's difference from the mean of the places nearest in child poverty.
    node : str
        What to map.
    outlines, label, inset, source, data_as_at
        As for :func:`choropleth`.

    Returns
    -------
    Figure
        Both panels have the same three classes, by whether the interval lies above, across or below.
    """
    shapes = panels.drawable(outlines)
    rows, words = panels.prepared(result, node=node, label=label, data_as_at=data_as_at)
    rows = panels.with_all_areas(rows, shapes)
    beside, other = panels.prepared(given, node=node, label=words.label, data_as_at=words.data_as_at)
    beside = panels.with_all_areas(beside, shapes)
    width = theme.width_of("page")
    half = (width - 16) / 2
    shared = geometry.features(shapes, grid=50)
    regions = panels.regions_of(rows)
    frame = geometry.Frame.around(shapes, width=half)
    london = shapes[shapes["area_code"].map(regions) == inset] if inset else shapes.iloc[:0]
    alt = theme.altair()
    drawings: list[Any] = []
    parts: list[pd.DataFrame] = []
    compared = (
        (rows, "England", f"{words.label}: against England"),
        (beside, "similar places", f"{words.label}: against places of similar child poverty"),
    )
    for table, against, heading in compared:
        keyed, found = classify(table, method="against", against=against, experimental=words.experimental)
        drawn = panels.coloured(table, keyed, found)
        drawing = panels.panel(shapes, drawn, shared, frame, regions=regions, mark=london)
        column = [keys.map_key(found, title=heading, width=half), drawing]
        if len(london):
            column += panels.inset_of(london, drawn, shared, width=half * 0.72, name=str(inset))
        drawings.append(alt.vconcat(*column, spacing=6))
        parts.append(drawn)
    body = alt.hconcat(*drawings, spacing=16)
    title = _pair_title(rows, beside, label=words.label, mark=words.mark)
    subtitle = findings.subtitle(
        rows,
        unit="score against England (left) and against the 20 places nearest in child poverty (right)",
        geography="upper-tier local authorities in England",
    )
    data = _columns(parts[0]).merge(
        _columns(parts[1]).drop(columns=["node_id", "area_name", "region_name"], errors="ignore"),
        on="area_code",
        suffixes=("", "_given_child_poverty"),
    )
    _, found_rows = classify(rows, method="against", experimental=words.experimental)
    _, found_beside = classify(beside, method="against", against="similar places", experimental=words.experimental)
    alt_text = (
        f"Two maps of {len(rows)} upper-tier local authorities. {title}. Left, against England: "
        f"{findings.class_sentence(found_rows)} Right, against places of similar child poverty: "
        f"{findings.class_sentence(found_beside)}"
    )
    return _figure(
        body,
        title=title,
        subtitle=subtitle,
        unit=findings.SCORE_UNIT,
        source=source or figure_entry(f"domain-pair-{node}").source,
        data_as_at=words.data_as_at or other.data_as_at,
        alt=alt_text,
        data=data,
        notes=_notes(words.mark),
        width=width,
    )


def hex_map(
    result: Any,
    *,
    node: str,
    layout: pd.DataFrame | None = None,
    classes: Classing | None = None,
    label: str | None = None,
    unit: str = findings.SCORE_UNIT,
    geography: str = "upper-tier local authorities in England, each the same size",
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Map with one hexagon an area, so that a large rural county does not outweigh a borough of as many children.

    Parameters
    ----------
    result, node, classes, label, unit, geography, source, data_as_at
        As for :func:`choropleth`.
    layout : DataFrame, optional
        ``area_code, name, region_code, x, y`` (centres, north up); the project's own by default.

    Returns
    -------
    Figure
    """
    from outcomes_analysis.figures import hexagons

    layout = _default_layout() if layout is None else layout
    rows, words = panels.prepared(result, node=node, label=label, data_as_at=data_as_at)
    shapes = hexagons.hexagons(layout)
    rows = panels.with_all_areas(rows, shapes)
    method: Classing = classes or ("against" if words.experimental else "quintile")
    keyed, found = classify(rows, method=method, experimental=words.experimental)
    rows = panels.coloured(rows, keyed, found)
    width = theme.width_of("page")
    side = 126.0
    frame = geometry.Frame.around(shapes, width=width - side - 12)
    shared = geometry.features(shapes, grid=1)
    regions = dict(zip(layout["area_code"], layout["region_code"].astype(str), strict=True))
    drawing = panels.panel(shapes, rows, shared, frame, regions=regions, mark=shapes.iloc[:0])
    labels = hexagons.labels(layout, rows, frame)
    alt = theme.altair()
    body = alt.hconcat(
        alt.layer(drawing, labels),
        keys.map_key(found, title=f"{words.label}: {_class_words(method)}", width=side),
        spacing=12,
    )
    return _map_figure(
        body,
        rows,
        found,
        words=words,
        node=node,
        unit=unit,
        geography=geography,
        source=source,
        register_id=f"domain-hex-{node}",
        width=width,
        kind="Hexagon map",
    )


def _default_layout() -> pd.DataFrame:
    from outcomes_analysis.areas.boundaries import hex_layout

    return hex_layout()


def _class_words(method: Classing) -> str:
    words = {
        "quintile": "score, in fifths of authorities",
        "equal": "score, in classes of equal width",
        "jenks": "score, in natural classes",
        "against": "score against England",
    }
    return words[method]


def _notes(mark: str) -> tuple[str, ...]:
    return (_MARKS[mark], WORKING_ASSIGNMENT) if mark else (WORKING_ASSIGNMENT,)


def _pair_title(rows: pd.DataFrame, beside: pd.DataFrame, *, label: str, mark: str) -> str:
    above, below, n = findings.against_counts(rows)
    name = f"{label} ({mark})" if mark else label
    alike_above, alike_below, _ = findings.against_counts(beside)
    return (
        f"{name}: {above + below} of {n} authorities differ clearly from {findings.BASE}, "
        f"{alike_above + alike_below} from places of similar child poverty"
    )


def _columns(rows: pd.DataFrame) -> pd.DataFrame:
    wanted = ["node_id", "area_code", "area_name", "region_name", "estimate", "lower", "upper", "level", "interval"]
    return rows[[c for c in [*wanted, "status", "map_class"] if c in rows.columns]]


def _map_figure(
    body: Any,
    rows: pd.DataFrame,
    found: Sequence[MapClass],
    *,
    words: panels.Words,
    node: str,
    unit: str,
    geography: str,
    source: str | None,
    register_id: str,
    width: float,
    kind: str,
) -> Figure:
    title = findings.finding(rows, label=words.label, mark=words.mark)
    return _figure(
        body,
        title=title,
        subtitle=findings.subtitle(rows, unit=unit, geography=geography),
        unit=unit,
        source=source or figure_entry(register_id).source,
        data_as_at=words.data_as_at,
        alt=findings.map_alt(rows, found, title=title, kind=kind),
        data=_columns(rows),
        notes=_notes(words.mark),
        width=width,
    )


def _figure(body: Any, *, width: float, **facts: Any) -> Figure:
    footer = footer_texts(facts["source"], facts["data_as_at"], facts["notes"])
    chart = compose(body, title=facts["title"], subtitle=facts["subtitle"], footer=footer, width=width)
    return Figure(chart=chart, **facts)
