"""A map of outlines with its key and one region enlarged, laid out for a page, a column or a slide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import geometry, panels
from outcomes_analysis.figures.mapping.honeycomb import ROOMS

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Sheet:
    """A drawing and how wide it is in pixels."""

    body: Any
    width: float


def sheet(
    shapes: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    *,
    key: Callable[[float], Any],
    inset: str | None,
    size: theme.Size,
    grid: float = 10.0,
) -> Sheet:
    """Lay out a map of outlines with its key beside it, or below it in a column.

    Parameters
    ----------
    shapes : GeoDataFrame
        ``area_code`` and geometry in metres.
    rows : DataFrame
        One row a shape: ``area_code, region_name, fill, hatch``.
    key : callable
        Draws the key for a width in pixels.
    inset : str, optional
        Region drawn again, enlarged; none where no shape lies in it.
    size : {"page", "column", "slide", "web"}
    grid : float
        Metres to which corners are rounded.
    """
    shared = geometry.features(shapes, grid=grid)
    regions = panels.regions_of(rows)
    room = ROOMS[size]
    frame = geometry.Frame.within(shapes, width=room.map_width, height=room.height)
    enlarged = shapes[shapes["area_code"].map(regions) == inset] if inset else shapes.iloc[:0]
    main = panels.panel(shapes, rows, shared, frame, regions=regions, mark=enlarged)
    column = [key(room.side)]
    if len(enlarged):
        column += panels.inset_of(enlarged, rows, shared, width=room.inset, name=str(inset))
    alt = theme.altair()
    stacked = alt.vconcat(*column, spacing=6)
    body = alt.vconcat(main, stacked, spacing=8) if size == "column" else alt.hconcat(main, stacked, spacing=14)
    return Sheet(body, room.width if size != "slide" else frame.width + 14 + room.side)
