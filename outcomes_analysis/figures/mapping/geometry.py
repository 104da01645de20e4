"""Shapes for maps: outlines as one shared block of GeoJSON, hatching drawn as lines, borders between regions."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd

_ANGLES: dict[str, tuple[float, ...]] = {"rising": (45,), "falling": (-45,), "level": (0,), "crossed": (45, -45)}


@dataclass(frozen=True)
class Frame:
    """A window on the map: its bounds in the outlines' metres and its size in pixels."""

    west: float
    south: float
    east: float
    north: float
    width: float
    height: float

    @classmethod
    def around(cls, shapes: gpd.GeoDataFrame, *, width: float, margin: float = 1.0) -> Frame:
        """Window of a given width that just holds the shapes, ``margin`` pixels inside its edges."""
        west, south, east, north = (float(v) for v in shapes.total_bounds)
        scale = (width - 2 * margin) / (east - west)
        return cls(west, south, east, north, width, math.ceil((north - south) * scale + 2 * margin))

    @classmethod
    def within(cls, shapes: gpd.GeoDataFrame, *, width: float, height: float) -> Frame:
        """Largest window round the shapes that is neither wider nor higher than given."""
        west, south, east, north = (float(v) for v in shapes.total_bounds)
        fitting = (height - 3) * (east - west) / (north - south) + 2
        return cls.around(shapes, width=math.floor(min(width, fitting)))

    @property
    def scale(self) -> float:
        """Pixels to the metre."""
        return min((self.width - 2) / (self.east - self.west), (self.height - 2) / (self.north - self.south))

    def projection(self) -> dict[str, Any]:
        """Projection that leaves metres as they are and puts north at the top.

        Fixed scale and offset, so that layers with different shapes lie exactly over each other. Vega-Lite takes two
        panels' projections for one and the same if they differ in scale and offset only, and draws the second panel
        outside its frame, without a warning; the distance (which this projection ignores) tells them apart.
        """
        left = (self.width - (self.east - self.west) * self.scale) / 2
        translate = [left - self.west * self.scale, 1 + self.north * self.scale]
        apart = 1 + abs(translate[0]) + abs(translate[1]) + self.scale
        return {"type": "identity", "reflectY": True, "scale": self.scale, "translate": translate, "distance": apart}


def features(shapes: gpd.GeoDataFrame, *, grid: float = 10.0) -> str:
    """GeoJSON text of outlines, ``area_code`` the only property, coordinates on a ``grid`` of metres.

    Text and not a dictionary: Altair copies and checks every element of a dictionary many times (12 s a map), and a
    text not at all; the same text used in several panels is stored once in the drawing.
    """
    from shapely import get_coordinates, set_coordinates
    from shapely.geometry import mapping

    out = []
    for code, shape in zip(shapes["area_code"], shapes.geometry, strict=True):
        rounded = set_coordinates(_copy(shape), (get_coordinates(shape) / grid).round() * grid)
        geometry = _whole(mapping(rounded))
        out.append({"type": "Feature", "properties": {"area_code": str(code)}, "geometry": geometry})
    return _collection(out)


def coarse(shapes: gpd.GeoDataFrame, *, grid: float) -> gpd.GeoDataFrame:
    """Outlines for a small map: corners on a ``grid`` of metres, those that fall together once.

    Neighbours keep the same border, since they share its corners. A part that a grid this coarse would swallow is left
    as it is, so that no area is lost.
    """
    from shapely.geometry import MultiPolygon, Polygon

    def ring(line: Any) -> list[tuple[float, float]]:
        points = [(round(x / grid) * grid, round(y / grid) * grid) for x, y in line.coords]
        kept = [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]
        return kept if len(set(kept)) > 2 else []

    def part(polygon: Any) -> Any:
        outer = ring(polygon.exterior)
        return Polygon(outer, [r for r in map(ring, polygon.interiors) if r]) if outer else polygon

    found = [MultiPolygon([part(p) for p in getattr(shape, "geoms", [shape])]) for shape in shapes.geometry]
    return shapes.set_geometry(found, crs=shapes.crs)


def _collection(found: list[dict[str, Any]]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": found}, separators=(",", ":"))


def _copy(shape: Any) -> Any:
    from shapely import from_wkb, to_wkb

    return from_wkb(to_wkb(shape))  # set_coordinates writes in place


def _whole(value: Any) -> Any:
    """Coordinates as whole numbers: they lie on a grid, and "123450" is shorter than "123450.0"."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def line_features(lines: Collection[Any]) -> str:
    """GeoJSON text of lines."""
    from shapely.geometry import mapping

    return _collection([{"type": "Feature", "properties": {}, "geometry": _whole(mapping(line))} for line in lines])


def hatching(shapes: gpd.GeoDataFrame, hatches: Mapping[str, str], *, spacing: float) -> list[Any]:
    """Lines that hatch areas, for a channel beside colour.

    Parameters
    ----------
    shapes : GeoDataFrame
        Outlines with ``area_code``.
    hatches : mapping
        Hatch (``rising``, ``falling``, ``level``, ``crossed``) by area code; others are left plain.
    spacing : float
        Metres between lines.
    """
    from shapely import make_valid
    from shapely.geometry import MultiLineString

    found: list[Any] = []
    for code, shape in zip(shapes["area_code"], shapes.geometry, strict=True):
        for angle in _ANGLES.get(hatches.get(code, ""), ()):
            lines = MultiLineString(_parallels(shape.bounds, angle=angle, spacing=spacing))
            cut = make_valid(shape).intersection(lines)
            # where a line touches a corner the cut has points, which would be drawn as circles
            parts = [part for part in getattr(cut, "geoms", [cut]) if part.geom_type == "LineString"]
            if parts:
                found.append(MultiLineString(parts))
    return [_on_grid(line) for line in found]


def _parallels(
    bounds: tuple[float, float, float, float], *, angle: float, spacing: float
) -> list[list[tuple[float, float]]]:
    west, south, east, north = bounds
    x, y = (west + east) / 2, (south + north) / 2
    reach = math.hypot(east - west, north - south) / 2 + spacing
    along = (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
    count = math.ceil(reach / spacing)
    lines = []
    for i in range(-count, count + 1):
        cx, cy = x - along[1] * i * spacing, y + along[0] * i * spacing
        lines.append([(cx - along[0] * reach, cy - along[1] * reach), (cx + along[0] * reach, cy + along[1] * reach)])
    return lines


def borders(shapes: gpd.GeoDataFrame, groups: Mapping[str, str]) -> list[Any]:
    """Lines where areas of different groups meet: borders between regions, without the coast.

    Works edge by edge, on edges that neighbours share exactly, so that it also serves simplified outlines that are
    not quite valid.
    """
    from shapely import line_merge
    from shapely.geometry import MultiLineString

    edges: dict[tuple[tuple[float, float], tuple[float, float]], set[str]] = {}
    for code, shape in zip(shapes["area_code"], shapes.geometry, strict=True):
        group = groups.get(code)
        if group is None:
            continue
        for ring in _rings(shape):
            points = [(round(x, 1), round(y, 1)) for x, y in ring.coords]
            for start, end in pairwise(points):
                edges.setdefault((min(start, end), max(start, end)), set()).add(group)
    shared = [edge for edge, met in edges.items() if len(met) > 1 and edge[0] != edge[1]]
    return [_on_grid(line_merge(MultiLineString(shared)))] if shared else []


def _rings(shape: Any) -> Iterator[Any]:
    for part in getattr(shape, "geoms", [shape]):
        yield part.exterior
        yield from part.interiors


def _on_grid(shape: Any, grid: float = 10.0) -> Any:
    from shapely import get_coordinates, set_coordinates

    return set_coordinates(_copy(shape), (get_coordinates(shape) / grid).round() * grid)
