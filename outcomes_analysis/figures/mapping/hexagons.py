"""Hexagons of equal size from a layout of centres, and the short labels printed in them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import geometry

if TYPE_CHECKING:
    import geopandas as gpd

_UNIT = 10_000.0  # metres from centre to centre: outlines and hexagons then share one way of drawing
_SMALL_WORDS = {"and", "of", "on", "the", "upon", "with", "city", "county"}
_OWN = {"City of London": "City", "Isles of Scilly": "Scil"}


def centres(layout: pd.DataFrame) -> pd.DataFrame:
    """Centres scaled so that neighbours lie one unit apart: ``area_code, x, y``, north up."""
    points = layout[["x", "y"]].to_numpy(dtype=float)
    if len(points) < 2:
        message = "A hex layout needs at least two areas."
        raise FigureError(message)
    gaps = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    if gaps.min() <= 0:
        message = "Two areas of the hex layout share one place."
        raise FigureError(message)
    scaled = points / gaps.min() * _UNIT
    return pd.DataFrame({"area_code": layout["area_code"].to_numpy(), "x": scaled[:, 0], "y": scaled[:, 1]})


def _pointed(placed: pd.DataFrame) -> bool:
    """Whether hexagons stand on a point: neighbours then lie side by side in a row."""
    points = placed[["x", "y"]].to_numpy()
    dx = np.abs(points[:, None, 0] - points[None, :, 0])
    dy = np.abs(points[:, None, 1] - points[None, :, 1])
    near = 0.02 * _UNIT
    side_by_side = ((np.abs(dx - _UNIT) < near) & (dy < near)).sum()
    above = ((np.abs(dy - _UNIT) < near) & (dx < near)).sum()
    return bool(side_by_side >= above)


def hexagons(layout: pd.DataFrame) -> gpd.GeoDataFrame:
    """Touching hexagons, one an area; corners that neighbours share are the same to the metre.

    Parameters
    ----------
    layout : DataFrame
        ``area_code``, ``x`` and ``y`` of the centres on a hexagonal grid of any spacing, north up; ``name`` is kept.
    """
    import geopandas as gpd
    from shapely.geometry import Polygon

    placed = centres(layout)
    start = math.pi / 6 if _pointed(placed) else 0.0
    radius = _UNIT / math.sqrt(3)
    corners = [
        (radius * math.cos(start + k * math.pi / 3), radius * math.sin(start + k * math.pi / 3)) for k in range(6)
    ]
    shapes = [
        Polygon([(round((x + dx) / 20) * 20, round((y + dy) / 20) * 20) for dx, dy in corners])
        for x, y in zip(placed["x"], placed["y"], strict=True)
    ]
    frame = layout[[c for c in ("area_code", "name") if c in layout.columns]].reset_index(drop=True)
    return gpd.GeoDataFrame(frame, geometry=shapes)


def short_labels(names: pd.Series) -> pd.Series:
    """Labels of at most four letters, different for every name, for people who know the places."""
    taken: set[str] = set()
    found = []
    for name in names:
        label = next(candidate for candidate in _candidates(str(name)) if candidate not in taken)
        taken.add(label)
        found.append(label)
    return pd.Series(found, index=names.index)


def _candidates(name: str) -> list[str]:
    if name in _OWN:
        return [_OWN[name]]
    words = [w for w in re.split(r"[\s,\-]+", name.replace(".", "").replace("'", "")) if w]
    words = [w for w in words if w.lower() not in _SMALL_WORDS] or words
    first, rest = words[0], words[1:]
    if len(words) >= 3:
        found = ["".join(w[0] for w in words[:4]).upper()]
    elif len(words) == 2:
        found = [f"{first[0]}{rest[0][:3]}", f"{first[:2]}{rest[0][:2]}", f"{first[:3]}{rest[0][0]}"]
    else:
        found = [first[:4], f"{first[:3]}{first[-1]}"]
    letters = "".join(words)
    found += [f"{letters[:3]}{letter}" for letter in letters[3:]]
    return [*found, *(f"{letters[:2]}{n}" for n in range(1, 100))]


def abbreviations(rows: pd.DataFrame) -> pd.Series:
    """Label of every row, by its name or, without one, its code."""
    return short_labels(rows["area_name"].fillna(rows["area_code"]))


def room_for_letters(frame: geometry.Frame) -> bool:
    """Whether four letters of readable size fit a hexagon."""
    return _UNIT * frame.scale >= 17


def labels(layout: pd.DataFrame, rows: pd.DataFrame, frame: geometry.Frame) -> Any:
    """Text chart with the row's ``abbreviation`` in every hexagon, in white or ink by the fill."""
    alt = theme.altair()
    placed = centres(layout)
    wanted = rows[["area_code", "abbreviation", "fill", "hatch"]]
    named = placed.merge(wanted, on="area_code", how="left").rename(columns={"abbreviation": "label"})
    scale = frame.scale
    left = (frame.width - (frame.east - frame.west) * scale) / 2
    named["px"] = ((named["x"] - frame.west) * scale + left).round(2)
    named["py"] = ((frame.north - named["y"]) * scale + 1).round(2)
    named["ink"] = [theme.text_on(fill) for fill in named["fill"]]
    size = max(5.5, min(8.5, _UNIT * scale * 0.32))
    columns = ["px", "py", "label", "ink"]
    place = {"x": alt.X("px:Q", scale=None, axis=None), "y": alt.Y("py:Q", scale=None, axis=None), "text": "label:N"}
    mark = {"fontSize": size, "baseline": "middle", "align": "center"}
    over = alt.Chart(named[columns], width=frame.width, height=frame.height).mark_text(**mark)
    texts = over.encode(**place, color=alt.Color("ink:N", scale=None))
    hatched = named[named["hatch"] != ""]
    if hatched.empty:
        return texts
    under = alt.Chart(hatched[columns], width=frame.width, height=frame.height)
    halo = under.mark_text(**mark, stroke=theme.PAPER, strokeWidth=3, strokeJoin="round").encode(**place)
    return alt.layer(halo, texts)
