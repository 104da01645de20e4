"""Maps: areas in their true shape with London enlarged, hexagons of equal size, and pairs of maps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings, geometry, keys, theme
from outcomes_analysis.figures.classes import Classing, MapClass, check_table, classify
from outcomes_analysis.figures.composing import WORKING_ASSIGNMENT, Figure, compose, footer_texts
from outcomes_analysis.figures.registering import figure_entry

if TYPE_CHECKING:
    import geopandas as gpd

_REGION_LINES = (  # white below, so that the line also shows on dark fills
    {"stroke": "#FFFFFF", "strokeWidth": 2.2, "filled": False, "strokeJoin": "round"},
    {"stroke": "#1A1A1A", "strokeWidth": 0.8, "filled": False, "strokeJoin": "round"},
)
_EXPERIMENTAL = "Experimental: its figures do not measure one thing, so it is shown for exploration and given no ranks."


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
    shapes = _shapes(outlines)
    rows, words = _prepared(result, node=node, label=label, data_as_at=data_as_at)
    rows = _with_all_areas(rows, shapes)
    method: Classing = classes or ("against" if words.experimental else "quintile")
    keyed, found = classify(rows, method=method, experimental=words.experimental)
    rows = _coloured(rows, keyed, found)
    width = theme.width_of(size)
    side = 158.0 if size == "page" else 200.0
    shared = geometry.features(shapes)
    regions = _regions(rows)
    main_frame = geometry.Frame.around(shapes, width=width - side - 14)
    london = shapes[shapes["area_code"].map(regions) == inset] if inset else shapes.iloc[:0]
    main = _panel(shapes, rows, shared, main_frame, regions=regions, mark=london)
    key_title = f"{words.label}: {_class_words(method)}"
    right = [keys.map_key(found, title=key_title, width=side)]
    if len(london):
        right += _inset(london, rows, shared, width=side, name=str(inset))
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
    shapes = _shapes(outlines)
    shared = geometry.features(shapes, grid=200)
    frame = geometry.Frame.around(shapes, width=(width - 10 * (columns - 1)) / columns)
    alt = theme.altair()
    panels = []
    for heading, result in results.items():
        rows, words = _prepared(result, node=node or heading, label=None, data_as_at=None)
        rows = _with_all_areas(rows, shapes)
        keyed, found = classify(rows, method="against", experimental=words.experimental)
        rows = _coloured(rows, keyed, found)
        panel = _panel(shapes, rows, shared, frame, regions={}, mark=shapes.iloc[:0])
        panels.append(panel.properties(title=alt.Title(words.label if node is None else heading, fontSize=10)))
    return alt.concat(*panels, columns=columns, spacing=10)


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
    shapes = _shapes(outlines)
    rows, words = _prepared(result, node=node, label=label, data_as_at=data_as_at)
    rows = _with_all_areas(rows, shapes)
    beside, other = _prepared(given, node=node, label=words.label, data_as_at=words.data_as_at)
    beside = _with_all_areas(beside, shapes)
    width = theme.width_of("page")
    half = (width - 16) / 2
    shared = geometry.features(shapes, grid=50)
    regions = _regions(rows)
    frame = geometry.Frame.around(shapes, width=half)
    london = shapes[shapes["area_code"].map(regions) == inset] if inset else shapes.iloc[:0]
    alt = theme.altair()
    panels, parts = [], []
    compared = (
        (rows, "England", f"{words.label}: against England"),
        (beside, "similar places", f"{words.label}: against places of similar child poverty"),
    )
    for table, against, heading in compared:
        keyed, found = classify(table, method="against", against=against, experimental=words.experimental)
        drawn = _coloured(table, keyed, found)
        panel = _panel(shapes, drawn, shared, frame, regions=regions, mark=london)
        column = [keys.map_key(found, title=heading, width=half), panel]
        if len(london):
            column += _inset(london, drawn, shared, width=half * 0.72, name=str(inset))
        panels.append(alt.vconcat(*column, spacing=6))
        parts.append(drawn)
    body = alt.hconcat(*panels, spacing=16)
    title = _pair_title(rows, beside, label=words.label, experimental=words.experimental)
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
        notes=_notes(words.experimental),
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
    rows, words = _prepared(result, node=node, label=label, data_as_at=data_as_at)
    shapes = hexagons.hexagons(layout)
    rows = _with_all_areas(rows, shapes)
    method: Classing = classes or ("against" if words.experimental else "quintile")
    keyed, found = classify(rows, method=method, experimental=words.experimental)
    rows = _coloured(rows, keyed, found)
    width = theme.width_of("page")
    side = 126.0
    frame = geometry.Frame.around(shapes, width=width - side - 12)
    shared = geometry.features(shapes, grid=1)
    regions = dict(zip(layout["area_code"], layout["region_code"].astype(str), strict=True))
    panel = _panel(shapes, rows, shared, frame, regions=regions, mark=shapes.iloc[:0])
    labels = hexagons.labels(layout, rows, frame)
    alt = theme.altair()
    body = alt.hconcat(
        alt.layer(panel, labels),
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


class _Words:
    """What a map says of its node, found once."""

    def __init__(self, rows: pd.DataFrame, *, node: str, label: str | None, data_as_at: str) -> None:
        self.label = label or findings.label_of(rows, node)
        self.experimental = findings.is_experimental(rows)
        self.data_as_at = data_as_at


def _prepared(
    result: Any,
    *,
    node: str,
    label: str | None,
    data_as_at: str | None,
) -> tuple[pd.DataFrame, _Words]:
    table = result if isinstance(result, pd.DataFrame) else result.table
    if "interval" in table.columns:
        table = table[~table["interval"].isin(["method", "both"])]  # the spread of methods is never mixed in
    rows = check_table(table, node=node, needs=["area_name", "region_name", "estimate"], where=f"map of {node!r}")
    if "status" not in rows.columns:
        rows["status"] = "computed"
    as_at = data_as_at or str(getattr(getattr(result, "manifest", None), "data_as_at", "") or "")
    return rows, _Words(rows, node=node, label=label, data_as_at=as_at)


def _shapes(outlines: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    if outlines is None:
        from outcomes_analysis.areas.boundaries import load_outlines

        outlines = load_outlines("upper")
    if outlines.crs is not None and outlines.crs.is_geographic:
        message = "The outlines are in degrees; maps are drawn in metres. Use .to_crs(27700) first."
        raise FigureError(message)
    return outlines.sort_values("area_code").reset_index(drop=True)


def _default_layout() -> pd.DataFrame:
    from outcomes_analysis.areas.boundaries import hex_layout

    return hex_layout()


def _with_all_areas(rows: pd.DataFrame, shapes: gpd.GeoDataFrame) -> pd.DataFrame:
    """One row for every shape; those the result lacks get no value and the status "not_available"."""
    known = rows["area_code"].isin(shapes["area_code"])
    if not known.any():
        codes = several(rows["area_code"])
        message = (
            f"None of the {len(rows)} areas of the result is in the outlines ({codes}): check the vintage of codes."
        )
        raise FigureError(message)
    columns = ["area_code", *(c for c in ("name",) if c in shapes.columns)]
    every = pd.DataFrame(shapes[columns]).merge(rows, on="area_code", how="left")
    if "name" in every.columns:
        every["area_name"] = every["area_name"].fillna(every["name"])
        every = every.drop(columns="name")
    if every["region_name"].isna().any():
        every["region_name"] = every["region_name"].fillna(every["area_code"].map(_known_regions()))
    if "period" in every.columns:  # the join with areas that have no row turns whole years into decimals
        every["period"] = every["period"].fillna(rows["period"].iloc[0]).astype(rows["period"].dtype)
    every["node_id"] = every["node_id"].fillna(rows["node_id"].iloc[0])
    every["status"] = every["status"].fillna("not_available")
    return every


def _known_regions() -> pd.Series:
    from outcomes_analysis.areas.register import load_register

    return load_register()["region_name"]


def _regions(rows: pd.DataFrame) -> dict[str, str]:
    known = rows[rows["region_name"].notna()]
    return dict(zip(known["area_code"], known["region_name"].astype(str), strict=True))


def _coloured(rows: pd.DataFrame, keyed: pd.Series, found: Sequence[MapClass]) -> pd.DataFrame:
    by_key = {cls.key: cls for cls in found}
    return rows.assign(
        map_class=[by_key[key].label for key in keyed],
        fill=[by_key[key].fill for key in keyed],
        hatch=[by_key[key].hatch for key in keyed],
    )


def _class_words(method: Classing) -> str:
    words = {
        "quintile": "score, in fifths of authorities",
        "equal": "score, in classes of equal width",
        "jenks": "score, in natural classes",
        "against": "score against England",
    }
    return words[method]


def _panel(
    shapes: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    shared: str,
    frame: geometry.Frame,
    *,
    regions: Mapping[str, str],
    mark: gpd.GeoDataFrame,
) -> Any:
    """One map: fills from the table, looked up by area code in geometry that several maps share."""
    alt = theme.altair()
    projection = frame.projection()
    size = {"width": frame.width, "height": frame.height}
    data = alt.InlineData(values=shared, format=alt.DataFormat(property="features", type="json"))
    looked = alt.LookupData(data=rows[["area_code", "fill"]], key="area_code", fields=["fill"])
    edge = 0.6 if frame.width > 250 or len(shapes) < 60 else 0.35  # a wide edge swallows boroughs on a small map
    areas = alt.Chart(data, **size).mark_geoshape(stroke="#FFFFFF", strokeWidth=edge, strokeJoin="round")
    only = json.dumps(sorted(shapes["area_code"]))
    areas = (
        areas.transform_filter(f"indexof({only}, datum.properties.area_code) >= 0")
        .transform_lookup(lookup="properties.area_code", from_=looked)
        .encode(fill=alt.Fill("fill:N", scale=None))
    )
    layers = [areas]
    hatches = dict(zip(rows["area_code"], rows["hatch"], strict=True))
    hatched = geometry.hatching(shapes, hatches, spacing=3.2 / frame.scale)
    edges = shapes[shapes["area_code"].map(hatches).fillna("") != ""]
    if hatched:
        hatched += [shape.boundary for shape in edges.geometry]
        layers.append(_lines(hatched, size, {**keys.HATCH_STROKE, "filled": False}))
    between = geometry.borders(shapes, regions) if regions else []
    if between:
        layers += [_lines(between, size, style) for style in _REGION_LINES]
    if len(mark):
        layers += _locator(mark, frame, size)
    return alt.layer(*layers).project(**projection)


def _lines(lines: list[Any], size: Mapping[str, float], style: Mapping[str, Any]) -> Any:
    alt = theme.altair()
    data = alt.InlineData(values=geometry.line_features(lines), format=alt.DataFormat(property="features", type="json"))
    return alt.Chart(data, **size).mark_geoshape(**style)


def _locator(mark: gpd.GeoDataFrame, frame: geometry.Frame, size: Mapping[str, float]) -> list[Any]:
    """A box round the part of the map that is drawn again, enlarged."""
    from shapely.geometry import box

    west, south, east, north = mark.total_bounds
    margin = 3 / frame.scale
    outline = box(west - margin, south - margin, east + margin, north + margin).boundary
    return [_lines([outline], size, {"stroke": "#595959", "strokeWidth": 0.7, "strokeDash": [3, 2], "filled": False})]


def _inset(
    part: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    shared: str,
    *,
    width: float,
    name: str,
) -> list[Any]:
    from outcomes_analysis.figures.composing import text_block

    frame = geometry.Frame.around(part, width=width)
    panel = _panel(part, rows, shared, frame, regions={}, mark=part.iloc[:0])
    return [text_block([f"{name}, enlarged"], width=width, size=8.5, bold=True), panel]


def _notes(experimental: bool) -> tuple[str, ...]:
    return (_EXPERIMENTAL, WORKING_ASSIGNMENT) if experimental else (WORKING_ASSIGNMENT,)


def _pair_title(rows: pd.DataFrame, beside: pd.DataFrame, *, label: str, experimental: bool) -> str:
    above, below, n = findings.against_counts(rows)
    name = f"{label} (experimental)" if experimental else label
    alike_above, alike_below, _ = findings.against_counts(beside)
    return (
        f"{name}: {above + below} of {n} authorities differ clearly from England, "
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
    words: _Words,
    node: str,
    unit: str,
    geography: str,
    source: str | None,
    register_id: str,
    width: float,
    kind: str,
) -> Figure:
    title = findings.finding(rows, label=words.label, experimental=words.experimental)
    return _figure(
        body,
        title=title,
        subtitle=findings.subtitle(rows, unit=unit, geography=geography),
        unit=unit,
        source=source or figure_entry(register_id).source,
        data_as_at=words.data_as_at,
        alt=findings.map_alt(rows, found, title=title, kind=kind),
        data=_columns(rows),
        notes=_notes(words.experimental),
        width=width,
    )


def _figure(body: Any, *, width: float, **facts: Any) -> Figure:
    footer = footer_texts(facts["source"], facts["data_as_at"], facts["notes"])
    chart = compose(body, title=facts["title"], subtitle=facts["subtitle"], footer=footer, width=width)
    return Figure(chart=chart, **facts)
