"""A map of hexagons with its key, laid out for a page, a column or a slide: what every hexagon map shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import geometry, hexagons, panels

if TYPE_CHECKING:
    import geopandas as gpd

ABBREVIATED = "Letters are short for authorities' names; the figure's data has both (abbreviation and area_name)."
UNLETTERED = "Which hexagon is which authority stands in the larger drawing of the same map."


@dataclass(frozen=True)
class Room:
    """Pixels for a map, the key beside or below it, and the inset, in a figure of a given size."""

    width: float
    map_width: float
    height: float
    side: float
    inset: float


ROOMS: dict[theme.Size, Room] = {
    "column": Room(width=241, map_width=241, height=300, side=241, inset=150),
    "page": Room(width=482, map_width=302, height=600, side=166, inset=166),
    "slide": Room(width=720, map_width=330, height=388, side=166, inset=166),
    "web": Room(width=482, map_width=302, height=600, side=166, inset=166),
}


@dataclass(frozen=True)
class Layout:
    """Hexagons and which region each lies in."""

    centres: pd.DataFrame
    shapes: gpd.GeoDataFrame
    regions: dict[str, str]


@dataclass(frozen=True)
class Honeycomb:
    """A drawing of hexagons beside its key; ``rows`` have the abbreviations printed, ``note`` says what they are."""

    body: Any
    rows: pd.DataFrame
    width: float
    note: str


def arranged(layout: pd.DataFrame | None) -> Layout:
    """Hexagons of a layout, the project's own by default."""
    centres = panels.default_layout() if layout is None else layout
    regions = dict(zip(centres["area_code"], centres["region_code"].astype(str), strict=True))
    return Layout(centres, hexagons.hexagons(centres), regions)


def honeycomb(rows: pd.DataFrame, layout: Layout, *, key: Callable[[float], Any], size: theme.Size) -> Honeycomb:
    """Draw hexagons with their key.

    Parameters
    ----------
    rows : DataFrame
        One row a hexagon with ``fill`` and ``hatch``.
    layout : Layout
        Where they stand.
    key : callable
        Draws the key at a width in pixels.
    size : {"page", "column", "slide", "web"}
        The key stands beside the map, in a column below it, where the letters are left out too.
    """
    alt = theme.altair()
    room = ROOMS[size]
    if size != "column":
        room = replace(room, map_width=room.map_width + 40, side=room.side - 40)
    frame = geometry.Frame.within(layout.shapes, width=room.map_width, height=room.height)
    shared = geometry.features(layout.shapes, grid=1)
    drawing = panels.panel(layout.shapes, rows, shared, frame, regions=layout.regions, mark=layout.shapes.iloc[:0])
    named = rows.assign(abbreviation=hexagons.abbreviations(rows))
    lettered = hexagons.room_for_letters(frame)
    if lettered:
        drawing = alt.layer(drawing, hexagons.labels(layout.centres, named, frame))
    beside = key(room.side)
    body = alt.vconcat(drawing, beside, spacing=8) if size == "column" else alt.hconcat(drawing, beside, spacing=12)
    width = frame.width + 12 + room.side if size == "slide" else room.width
    return Honeycomb(body, named, width, ABBREVIATED if lettered else UNLETTERED)
