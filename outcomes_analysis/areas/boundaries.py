"""Outlines of areas for maps: simplified on shared borders so that neighbours fit, and the hexagon layout."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import load_register, lower_tier, regions, upper_tier
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.project import project

if TYPE_CHECKING:
    import geopandas as gpd

OutlineTier = Literal["upper", "region", "lower"]
CRS = "EPSG:27700"
GRID = 10  # metres: corners are rounded to this
_CRS_NAME = "urn:ogc:def:crs:EPSG::27700"
# The seven-parameter change of datum of EPSG:1314, spelled out so that every machine gets the same metres whether or
# not the national grid-shift file is installed on it (it is good to about 3 m; outlines are drawn to 10).
_TO_NATIONAL_GRID = (
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart +ellps=WGS84 "
    "+step +inv +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489 "
    "+convention=position_vector +step +inv +proj=cart +ellps=airy "
    "+step +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy"
)


@dataclass(frozen=True)
class _Detail:
    """How much of an outline is kept: metres a border may move, as a share of the area's width and at most."""

    layer: str
    share: float
    most: float
    island: float  # smallest island drawn, in square metres, unless it is all there is


_DETAIL: dict[OutlineTier, _Detail] = {
    "upper": _Detail("utla", share=0.02, most=250.0, island=0.2e6),
    "lower": _Detail("ltla", share=0.02, most=250.0, island=0.2e6),
    "region": _Detail("rgn", share=0.02, most=600.0, island=5e6),
}


@cache
def _load_outlines(tier: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    content = json.loads(project().path("data", "release", f"outlines_{tier}.json").read_text(encoding="utf-8"))
    return gpd.GeoDataFrame.from_features(content["features"], crs=CRS)[["area_code", "name", "geometry"]]


def load_outlines(tier: OutlineTier = "upper") -> gpd.GeoDataFrame:
    """Read the outlines that come with the package.

    Parameters
    ----------
    tier : {"upper", "region", "lower"}
        The 153 upper-tier authorities of December 2023, the nine regions, or the 296 districts and unitary areas.

    Returns
    -------
    GeoDataFrame
        area_code, name, geometry; national grid (EPSG:27700, metres); sorted by code. Borders of neighbours are the
        same line.

    Raises
    ------
    AreaError
        If there is no such tier.
    """
    _check_tier(tier)
    return _load_outlines(tier).copy()


def _check_tier(tier: str) -> None:
    if tier not in _DETAIL:
        message = f"No outlines for '{tier}'. There are: {several(_DETAIL)}."
        raise AreaError(message)


def build_outlines(path: Path) -> dict[str, str]:
    """Make the outline files of all tiers from the publisher's file.

    Parameters
    ----------
    path : Path
        TopoJSON of ONS areas with layers ``utla``, ``ltla`` and ``rgn`` (EPSG:4326).

    Returns
    -------
    dict
        File name (``outlines_upper.json``, ...) to its text.
    """
    return {f"outlines_{tier}.json": outlines_json(read_outlines(path, tier=tier)) for tier in _DETAIL}


def outlines_json(outlines: gpd.GeoDataFrame) -> str:
    """Write outlines as GeoJSON in metres of the national grid, one area a line.

    Parameters
    ----------
    outlines : GeoDataFrame
        area_code, name, geometry in EPSG:27700.

    Returns
    -------
    str
        A FeatureCollection with the reference system named in it.
    """
    lines = []
    for row in outlines.itertuples(index=False):
        parts = row.geometry.geoms if row.geometry.geom_type == "MultiPolygon" else [row.geometry]
        coordinates = [[_whole(ring.coords) for ring in (part.exterior, *part.interiors)] for part in parts]
        feature = {
            "type": "Feature",
            "properties": {"area_code": row.area_code, "name": row.name},
            "geometry": {"type": "MultiPolygon", "coordinates": coordinates},
        }
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    crs = json.dumps({"type": "name", "properties": {"name": _CRS_NAME}}, separators=(",", ":"))
    body = ",\n".join(lines)
    return f'{{"type":"FeatureCollection","crs":{crs},"features":[\n{body}\n]}}\n'


def _whole(coords: Any) -> list[list[int]]:
    return [[int(x), int(y)] for x, y in coords]


def read_outlines(path: Path, *, tier: OutlineTier = "upper", year: int = 2023) -> gpd.GeoDataFrame:
    """Read one tier of the publisher's file and simplify it without slivers or gaps.

    Each border is an arc that the file keeps once. Arcs are projected and simplified (Douglas-Peucker, their ends
    fixed), then areas are put together from them, so that neighbours keep the same line.

    Parameters
    ----------
    path : Path
        TopoJSON with layers ``utla``, ``ltla`` and ``rgn`` (EPSG:4326), areas with the years they start and end.
    tier : {"upper", "region", "lower"}
        Which areas.
    year : int
        Areas in force at the end of this year.

    Returns
    -------
    GeoDataFrame
        area_code, name, geometry in EPSG:27700, sorted by code.

    Raises
    ------
    AreaError
        If the tier is unknown, or areas of the register are missing from the file.
    """
    _check_tier(tier)
    detail = _DETAIL[tier]
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    shapes = [g for g in content["objects"][detail.layer]["geometries"] if _in_year(g["properties"], year)]
    shapes.sort(key=lambda shape: shape["properties"]["areacd"])
    _check_complete([shape["properties"]["areacd"] for shape in shapes], tier, year)
    arcs = _projected_arcs(content)
    return _assembled(shapes, arcs, detail)


def _in_year(properties: dict[str, Any], year: int) -> bool:
    english = str(properties["areacd"]).startswith("E")
    return english and properties.get("start", 0) <= year <= properties.get("end", 9999)


def _check_complete(codes: list[str], tier: str, year: int) -> None:
    if year != 2023:  # the register knows one vintage only
        return
    wanted = {"upper": upper_tier, "lower": lower_tier, "region": regions}[tier]().index
    missing = sorted(set(wanted) - set(codes))
    extra = sorted(set(codes) - set(wanted))
    if missing or extra:
        message = (
            f"Outlines of tier '{tier}': {len(missing)} areas missing ({several(missing)}), {len(extra)} not in the "
            f"register ({several(extra)}). Use the file of all vintages named in data/sources.yml."
        )
        raise AreaError(message)


def _projected_arcs(content: dict[str, Any]) -> list[np.ndarray]:
    """Decode the file's arcs (differences on an integer grid) and bring them to the national grid."""
    from pyproj import Transformer

    scale, translate = (np.array(content["transform"][name]) for name in ("scale", "translate"))
    degrees = [np.cumsum(np.asarray(arc), axis=0) * scale + translate for arc in content["arcs"]]
    sizes = np.cumsum([len(arc) for arc in degrees])[:-1]
    points = np.concatenate(degrees)
    east, north = Transformer.from_pipeline(_TO_NATIONAL_GRID).transform(points[:, 0], points[:, 1])
    return np.split(np.column_stack([east, north]), sizes)


def _rings(shape: dict[str, Any]) -> list[list[list[int]]]:
    """Arcs of a shape: polygons, of rings, of arc numbers (negative: backwards)."""
    rings: list[list[list[int]]] = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
    return rings


def _number(arc: int) -> int:
    return arc if arc >= 0 else ~arc


def _assembled(shapes: list[dict[str, Any]], arcs: list[np.ndarray], detail: _Detail) -> gpd.GeoDataFrame:
    import geopandas as gpd

    tolerance = _tolerances(shapes, arcs, detail)
    simple = {arc: _simplified(arcs[arc], metres) for arc, metres in tolerance.items()}
    geometry = _fitted([_polygons(shape, arcs) for shape in shapes], simple, detail.island)
    codes = [shape["properties"]["areacd"] for shape in shapes]
    known = load_register()["name"]
    names = [known.get(code, shape["properties"]["areanm"]) for code, shape in zip(codes, shapes, strict=True)]
    return gpd.GeoDataFrame({"area_code": codes, "name": names}, geometry=geometry, crs=CRS)


def _fitted(areas: list[Any], simple: dict[int, np.ndarray], island: float) -> list[Any]:
    """Cut the country into faces along all borders at once, and give each face to one area.

    Simplified borders cross here and there (five already do in the publisher's file). Once every crossing is a
    corner, no face can belong to two areas, and none between two areas is lost: a face goes to the area that has most
    of it in the publisher's own outlines, and to none where most of it is sea.
    """
    import shapely

    lines = shapely.multilinestrings([shapely.linestrings(line) for line in simple.values() if len(line) > 1])
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines, grid_size=GRID)]))
    face, area = shapely.STRtree(areas).query(faces, predicate="intersects")
    common = shapely.area(shapely.intersection(faces[face], np.asarray(areas, dtype=object)[area]))
    shares = pd.DataFrame({"face": face, "area": area, "common": common / shapely.area(faces[face])})
    land = shares.groupby("face")["common"].transform("sum") > 0.5
    owner = shares[land].sort_values("common").drop_duplicates("face", keep="last")
    fitted = []
    for place in range(len(areas)):
        whole = shapely.union_all(faces[owner.loc[owner["area"].eq(place), "face"].to_numpy()])
        parts = shapely.get_parts(whole)
        size = shapely.area(parts)
        kept = parts[size >= min(island, size.max() / 100)]
        fitted.append(shapely.orient_polygons(shapely.multipolygons(kept)))
    return fitted


def _tolerances(shapes: list[dict[str, Any]], arcs: list[np.ndarray], detail: _Detail) -> dict[int, float]:
    """Metres each border may move: less where an area beside it is small, so that London keeps its shape."""
    tolerance: dict[int, float] = {}
    for shape in shapes:
        used = [_number(a) for part in _rings(shape) for ring in part for a in ring]
        points = np.concatenate([arcs[a] for a in used])
        width = float(np.sqrt(np.prod(np.ptp(points, axis=0))))
        for arc in used:
            tolerance[arc] = min(tolerance.get(arc, detail.most), detail.share * width)
    return tolerance


def _simplified(arc: np.ndarray, metres: float) -> np.ndarray:
    """Simplify one arc, its ends fixed, and round it; an island keeps at least three corners."""
    from shapely import LineString

    closed = bool((arc[0] == arc[-1]).all())
    while True:
        line = np.asarray(LineString(arc).simplify(metres, preserve_topology=False).coords)
        line = np.round(line / GRID) * GRID
        line = line[np.append(True, (np.diff(line, axis=0) != 0).any(axis=1))]
        if metres <= GRID or not closed or len(line) >= 5:
            return line
        metres /= 2


def _ring(arcs: list[int], simple: list[np.ndarray]) -> np.ndarray:
    pieces = [simple[arc] if arc >= 0 else simple[~arc][::-1] for arc in arcs]
    points = np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
    return points[np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))]


def _polygons(shape: dict[str, Any], simple: list[np.ndarray]) -> Any:
    import shapely

    found = []
    for part in _rings(shape):
        rings = [ring for ring in (_ring(arcs, simple) for arcs in part) if len(ring) >= 4]
        if rings:
            found.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.make_valid(shapely.MultiPolygon(found))


def contiguity(outlines: gpd.GeoDataFrame, *, within: float = 0.0) -> pd.DataFrame:
    """List which areas border on which.

    Parameters
    ----------
    outlines : GeoDataFrame
        area_code, geometry, in metres; borders of neighbours must be the same line, as in :func:`load_outlines`.
    within : float
        Metres: areas no farther apart than this count as neighbours too (across a river mouth, say).

    Returns
    -------
    DataFrame
        area_code, neighbour_code, link, distance (metres). Every pair is there both ways. ``link`` is ``border`` (they
        share a line or a corner), ``near`` (no farther apart than ``within``), or ``nearest``: the rule for islands,
        which have no neighbour and are linked with the area closest to them.
    """
    import shapely

    areas = outlines.geometry.to_numpy()
    codes = outlines["area_code"].to_numpy()
    tree = shapely.STRtree(areas)
    first, second = tree.query(areas, predicate="dwithin", distance=within)
    keep = first != second
    pairs = pd.DataFrame({"first": first[keep], "second": second[keep]})
    pairs["distance"] = shapely.distance(areas[pairs["first"]], areas[pairs["second"]])
    pairs["link"] = np.where(pairs["distance"] > 0, "near", "border")
    alone = np.setdiff1d(np.arange(len(areas)), pairs["first"])
    if len(alone) and len(areas) > 1:
        place, nearest = tree.query_nearest(areas[alone], exclusive=True, all_matches=False)
        far = shapely.distance(areas[alone[place]], areas[nearest])
        there = pd.DataFrame({"first": alone[place], "second": nearest, "distance": far, "link": "nearest"})
        back = there.rename(columns={"first": "second", "second": "first"})
        pairs = pd.concat([pairs, there, back]).drop_duplicates(["first", "second"])
    found = pd.DataFrame(
        {
            "area_code": codes[pairs["first"]],
            "neighbour_code": codes[pairs["second"]],
            "link": pairs["link"].to_numpy(),
            "distance": pairs["distance"].round(0).to_numpy(),
        }
    )
    return found.sort_values(["area_code", "neighbour_code"], ignore_index=True)


def hex_layout() -> pd.DataFrame:
    """Read the layout that shows each upper-tier authority as one hexagon of equal size.

    Returns
    -------
    DataFrame
        area_code, name, region_code, q, r (axial coordinates of a grid of hexagons with a corner at the top; r grows to
        the south), x, y (centre, y grows to the north; the centres of touching hexagons are 1 apart). 153 rows, no
        two on one hexagon.
    """
    table = pd.read_csv(project().path("data", "areas", "hex_layout.csv"), dtype={"area_code": "str"})
    register = load_register()
    table["name"] = table["area_code"].map(register["name"])
    table["region_code"] = table["area_code"].map(register["region_code"])
    return table[["area_code", "name", "region_code", "q", "r", "x", "y"]]
