"""One panel of a map: areas from a result matched to shapes, their fills and hatching, and the part drawn enlarged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, date_of, text_block
from outcomes_analysis.figures.mapping import geometry
from outcomes_analysis.figures.mapping.classes import Classing, MapClass, check_table, classify
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.figures.standing import Sense

if TYPE_CHECKING:
    import geopandas as gpd

_REGION_LINES = (  # white below, so that the line also shows on dark fills
    {"stroke": "#FFFFFF", "strokeWidth": 2.2, "filled": False, "strokeJoin": "round"},
    {"stroke": "#1A1A1A", "strokeWidth": 0.8, "filled": False, "strokeJoin": "round"},
)
_CLASS_WORDS: dict[Classing, str] = {
    "quintile": "score, in fifths of authorities",
    "equal": "score, in classes of equal width",
    "jenks": "score, in natural classes",
    "against": "against England",
}
_DATA_COLUMNS = (
    "node_id", "area_code", "area_name", "abbreviation", "region_name", "period", "estimate", "lower", "upper",
    "level", "interval", "england", "england_alike", "against_england", "against_england_agreed", "standing", "status",
    "map_class",
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """What a map says of its node: name, which way it runs, what is contested, the date, and where 0 is not England."""

    label: str
    sense: Sense
    contested: str
    data_as_at: str
    zero: str = ""
    nation: str = standing.ENGLAND

    @property
    def assigned(self) -> str:
        """Whose choice it is which domain holds what: the project's own for England, not known elsewhere."""
        return WORKING_ASSIGNMENT if self.nation == standing.ENGLAND else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines under the picture."""
        return tuple(text for text in (self.sense.note, self.contested, self.assigned) if text)


def prepared(
    result: Any,
    *,
    node: str,
    label: str | None,
    data_as_at: str | None,
) -> tuple[pd.DataFrame, Words]:
    """Rows of one node with a status, in the direction in which they are read, and what a figure says of them."""
    result = _holding(result, node)
    table = result if isinstance(result, pd.DataFrame) else result.table
    if "interval" in table.columns:
        table = table[~table["interval"].isin(["method", "both"])]  # the spread of methods is never mixed in
    rows = check_table(table, node=node, needs=["area_name", "region_name", "estimate"], where=f"map of {node!r}")
    if "status" not in rows.columns:
        rows["status"] = "computed"
    shares = standing.contested_shares(result, [node])
    sense = standing.sense_of(
        rows, node, framework=standing.framework_of(result), contested_share=shares.get(node, 0.0)
    )
    name = label or findings.label_of(rows, node)
    words = Words(
        label=name,
        sense=sense,
        contested=_disputed(rows, shares, node=node, name=name) if sense.agreed else "",
        data_as_at=date_of(result, data_as_at),
        zero=standing.zero_words(result, [node]),
        nation=standing.nation_of(rows),
    )
    return standing.turned(rows, sense), words


def _disputed(rows: pd.DataFrame, shares: Mapping[str, float], *, node: str, name: str) -> str:
    """What contested indicators weigh and decide, and with what places that lack figures are compared."""
    lines = (standing.contested_line(shares, {node: name}), standing.both_ways(rows, name), standing.alike_line(rows))
    return " ".join(line for line in lines if line)


def _holding(result: Any, node: str) -> Any:
    """The index behind an uncertainty result, where the node is scored but has no draws (a single measure, say)."""
    index = getattr(result, "index", None)
    if isinstance(result, pd.DataFrame) or index is None or (result.table["node_id"] == node).any():
        return result
    return index if node in getattr(index, "nodes", {}) else result


@dataclass(frozen=True)
class Classed:
    """One node ready to draw: a row for every shape with its class, the classes, and the words."""

    node: str
    rows: pd.DataFrame
    classes: list[MapClass]
    words: Words
    method: Classing

    @property
    def key_title(self) -> str:
        """What the key is of."""
        return f"{self.words.label}: {self._class_words}"

    @property
    def _class_words(self) -> str:
        return _CLASS_WORDS[self.method].replace(standing.ENGLAND, self.words.nation)

    @property
    def remarks(self) -> str:
        """Where 0 is not England, and what the colours show where a title that counts against England says another."""
        said = [self.words.zero]
        if self.method != "against" and len(standing.judged(self.rows)):
            said.append(f"colours show the {self._class_words}, while the title counts clear differences")
        return "; ".join(part for part in said if part)

    @property
    def key_note(self) -> str:
        """What England stands for, under the key."""
        words = standing.england_words(self.rows, self.words.sense)
        return f"{words}." if words.endswith("period") else f"{words}; 0 = {self.words.nation} in the base period."

    @property
    def data(self) -> pd.DataFrame:
        """The numbers drawn, as they go into the figure's file."""
        shown = [c for c in _DATA_COLUMNS if c in self.rows.columns]
        return self.rows.assign(higher_means=self.words.sense.up)[[*shown, "higher_means"]]


def classed(
    result: Any,
    shapes: gpd.GeoDataFrame,
    *,
    node: str,
    classes: Classing | None = None,
    said: tuple[str, str, str] | None = None,
    label: str | None = None,
    data_as_at: str | None = None,
) -> Classed:
    """Rows of one node for every shape, each in its class.

    ``classes`` is by fifths where not given, and against England for a node that is not ranked as a whole; ``said``
    as for :func:`~outcomes_analysis.figures.mapping.classes.classify`.
    """
    rows, words = prepared(result, node=node, label=label, data_as_at=data_as_at)
    rows = with_all_areas(rows, shapes)
    method: Classing = classes or ("against" if words.sense.mark else "quintile")
    keyed, found = classify(rows, method=method, said=said, sense=words.sense)
    return Classed(node, coloured(rows, keyed, found), found, words, method)


def drawable(outlines: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Outlines in metres and in the order of their codes; the project's own upper tier by default."""
    if outlines is None:
        from outcomes_analysis.areas.boundaries import load_outlines

        outlines = load_outlines("upper")
    if outlines.crs is not None and outlines.crs.is_geographic:
        message = "The outlines are in degrees; maps are drawn in metres. Use .to_crs(27700) first."
        raise FigureError(message)
    return outlines.sort_values("area_code").reset_index(drop=True)


def default_layout() -> pd.DataFrame:
    """Centres of the project's own hexagons."""
    from outcomes_analysis.areas.boundaries import hex_layout

    return hex_layout()


def with_all_areas(rows: pd.DataFrame, shapes: gpd.GeoDataFrame) -> pd.DataFrame:
    """One row for every shape; those the result lacks get no value and the status "not_available"."""
    known = rows["area_code"].isin(shapes["area_code"])
    if not known.any():
        codes = several(rows["area_code"])
        message = (
            f"None of the {len(rows)} areas of the result is in the outlines ({codes}): check the vintage of codes."
        )
        raise FigureError(message)
    columns = ["area_code", *(c for c in ("name", "region") if c in shapes.columns)]
    every = pd.DataFrame(shapes[columns]).merge(rows, on="area_code", how="left")
    if "name" in every.columns:
        every["area_name"] = every["area_name"].fillna(every["name"])
        every = every.drop(columns="name")
    if "region" in every.columns:
        every["region_name"] = every["region_name"].fillna(every["region"])
        every = every.drop(columns="region")
    if every["region_name"].isna().any():
        every["region_name"] = every["region_name"].fillna(every["area_code"].map(_known_regions()))
    if "period" in every.columns:  # the join with areas that have no row turns whole years into decimals
        every["period"] = every["period"].fillna(rows["period"].iloc[0]).astype(rows["period"].dtype)
    every["node_id"] = every["node_id"].fillna(rows["node_id"].iloc[0])
    if "england" in every.columns:
        every["england"] = every["england"].fillna(standing.england_of(rows))
    if "nation" in every.columns:
        every["nation"] = standing.nation_of(rows)
    every["status"] = every["status"].fillna("not_available")
    return every


def source_of(source: str | None, figure_id: str, nation: str = standing.ENGLAND) -> str:
    """Whose figures these are: as said, else the project's own publishers, who speak of England alone."""
    if source:
        return source
    if nation != standing.ENGLAND:
        message = f"Who published the figures of {nation} is not known here: give `source`."
        raise FigureError(message)
    return figure_entry(figure_id).source


def _known_regions() -> pd.Series:
    from outcomes_analysis.areas.register import load_register

    return load_register()["region_name"]


def regions_of(rows: pd.DataFrame) -> dict[str, str]:
    """Region of every area that has one."""
    known = rows[rows["region_name"].notna()]
    return dict(zip(known["area_code"], known["region_name"].astype(str), strict=True))


def coloured(rows: pd.DataFrame, keyed: pd.Series, found: Sequence[MapClass]) -> pd.DataFrame:
    """Rows with the label, fill and hatching of their class."""
    by_key = {cls.key: cls for cls in found}
    return rows.assign(
        map_class=[by_key[key].label for key in keyed],
        fill=[by_key[key].fill for key in keyed],
        hatch=[by_key[key].hatch for key in keyed],
    )


def panel(
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


def inset_of(
    part: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    shared: str,
    *,
    width: float,
    name: str,
) -> list[Any]:
    """A part of the map drawn again, enlarged, under a heading."""
    frame = geometry.Frame.around(part, width=width)
    drawing = panel(part, rows, shared, frame, regions={}, mark=part.iloc[:0])
    return [text_block([f"{name}, enlarged"], width=width, size=8.5, bold=True), drawing]
