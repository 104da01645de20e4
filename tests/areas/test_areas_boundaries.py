"""Outlines fit together and are small; the hexagon layout and the list of borders are right."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import shapely

from outcomes_analysis.areas import (
    contiguity,
    hex_layout,
    load_outlines,
    load_register,
    lower_tier,
    regions,
    upper_tier,
)
from outcomes_analysis.areas.boundaries import CRS, GRID, build_outlines, outlines_json, read_outlines
from outcomes_analysis.areas.neighbours import load_neighbours, neighbour_sets
from outcomes_analysis.errors import AreaError

TIERS = {"upper": upper_tier, "lower": lower_tier, "region": regions}


@pytest.fixture(scope="module")
def topojson(mirror):
    return mirror / "boundaries" / "uk_areas_all_vintages.topojson"


@pytest.fixture(scope="module", params=list(TIERS))
def tier(request):
    return request.param


def test_every_area_has_an_outline(tier):
    outlines = load_outlines(tier)
    assert outlines["area_code"].tolist() == sorted(TIERS[tier]().index)
    assert outlines.crs == CRS
    assert outlines.is_valid.all()
    assert (outlines.area > 0).all()
    assert outlines["name"].tolist() == load_register()["name"].reindex(outlines["area_code"]).tolist()


def test_neighbours_share_their_border_without_overlap_or_gap(tier):
    areas = load_outlines(tier).geometry.to_numpy()
    assert shapely.coverage_is_valid(areas)
    # Exact: corners are on a grid of whole metres and borders are the same points, so areas add up to the union.
    assert shapely.area(areas).sum() == pytest.approx(shapely.union_all(areas).area, rel=1e-12)


def test_simplified_areas_keep_their_size(mirror):
    """Against the whole square kilometres that the register of mySociety gives for each authority."""
    listed = (
        pd.read_csv(mirror / "lookups" / "uk_local_authorities.csv", dtype="str")
        .dropna(subset="gss-code")
        .set_index("gss-code")["area"]
    )
    ours = load_outlines().set_index("area_code").area / 1e6
    listed = pd.to_numeric(listed).reindex(ours.index)
    change = (ours / listed - 1).abs()
    assert change.notna().all()
    # Listed without inland water (Rutland Water is 3 % of Rutland) and to 1 sq km (3 % of the smallest); borders moved
    # by up to 2 % of an area's width. Gains and losses cancel over the country.
    assert change.max() < 0.06
    assert change.median() < 0.005
    assert ours.sum() == pytest.approx(listed.sum(), rel=0.002)


def test_tiers_cover_the_same_country():
    totals = {tier: load_outlines(tier).area.sum() for tier in TIERS}
    # The regions' coast is simplified more; islands under 5 sq km are not drawn there.
    assert totals["upper"] == pytest.approx(totals["lower"], rel=1e-4)
    assert totals["region"] == pytest.approx(totals["upper"], rel=1e-3)


def test_corners_are_on_the_grid_and_files_are_small(root):
    limits = {"upper": 350, "lower": 500, "region": 80}
    for tier, most in limits.items():
        path = root / "data" / "release" / f"outlines_{tier}.json"
        assert path.stat().st_size < most * 1000
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::27700"
        points = shapely.get_coordinates(load_outlines(tier).geometry.to_numpy())
        assert (points % GRID == 0).all()


def test_points_fall_in_the_right_place():
    """National grid references known from Ordnance Survey maps."""
    outlines = load_outlines().set_index("area_code").geometry
    for name, code, east, north in [
        ("St Paul's Cathedral", "E09000001", 532050, 181150),
        ("York Minster", "E06000014", 460330, 452180),
        ("Newport, Isle of Wight", "E06000046", 450000, 89000),
        ("Hugh Town, St Mary's", "E06000053", 90500, 10600),
        ("Sheffield town hall", "E08000019", 435300, 387200),
    ]:
        assert outlines[code].buffer(300).contains(shapely.Point(east, north)), name


def test_projection_agrees_with_a_published_point():
    """Ordnance Survey's worked example for OSTN15 (Caister water tower), by the seven-parameter change of datum."""
    from pyproj import Transformer

    from outcomes_analysis.areas.boundaries import _TO_NATIONAL_GRID

    east, north = Transformer.from_pipeline(_TO_NATIONAL_GRID).transform(
        1 + 42 / 60 + 57.8663 / 3600, 52 + 39 / 60 + 28.8282 / 3600
    )
    # Published: E 651409.804, N 313177.450 (OSTN15). Seven parameters are good to 3 m or so.
    assert np.hypot(east - 651409.804, north - 313177.450) < 5


@pytest.mark.slow
def test_the_committed_outlines_are_what_the_file_gives(topojson, root):
    for name, text in build_outlines(topojson).items():
        assert (root / "data" / "release" / name).read_text(encoding="utf-8") == text, name


def test_other_years_and_missing_areas(topojson, tmp_path):
    codes = read_outlines(topojson, tier="upper", year=2022)["area_code"]
    assert {"E10000006", "E10000023"} <= set(codes)
    assert "E06000063" not in set(codes)
    content = json.loads(topojson.read_text(encoding="utf-8"))
    content["objects"]["rgn"]["geometries"] = content["objects"]["rgn"]["geometries"][1:]
    path = tmp_path / "without.topojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(AreaError, match=r"1 areas missing \(E12000001\)"):
        read_outlines(path, tier="region")
    with pytest.raises(AreaError, match="No outlines for 'ward'"):
        load_outlines("ward")


def test_outlines_survive_being_written_and_read():
    outlines = load_outlines("region")
    content = json.loads(outlines_json(outlines))
    again = [shapely.geometry.shape(feature["geometry"]) for feature in content["features"]]
    assert all(a.equals(b) for a, b in zip(again, outlines.geometry, strict=True))


def test_borders_are_symmetric_and_known_ones_are_there():
    pairs = contiguity(load_outlines())
    both = set(pairs[["area_code", "neighbour_code"]].itertuples(index=False, name=None))
    assert both == {(b, a) for a, b in both}
    assert not any(a == b for a, b in both)
    assert set(pairs["area_code"]) == set(upper_tier().index)
    touching = pairs[pairs["link"].eq("border")].groupby("area_code")["neighbour_code"].agg(set)
    assert touching["E06000017"] == {"E10000018", "E10000019", "E06000061"}  # Rutland
    assert touching["E09000001"] >= {"E09000007", "E09000012", "E09000019", "E09000030", "E09000033"}
    assert "E06000064" in touching["E06000047"]  # County Durham and Westmorland and Furness


def test_islands_are_linked_with_what_is_nearest():
    pairs = contiguity(load_outlines())
    far = pairs[pairs["link"].eq("nearest")]
    assert {"E06000046", "E06000053"} <= set(far["area_code"])
    linked = far.set_index("area_code")["neighbour_code"]
    assert linked["E06000053"] == "E06000052"  # Isles of Scilly, Cornwall
    assert linked["E06000046"] in {"E10000014", "E06000044", "E06000045"}  # Isle of Wight, the Solent
    # One piece: every authority can be reached from every other.
    codes = sorted(set(pairs["area_code"]))
    reached = {codes[0]}
    while True:
        wider = reached | set(pairs.loc[pairs["area_code"].isin(reached), "neighbour_code"])
        if wider == reached:
            break
        reached = wider
    assert reached == set(codes)


def test_borders_across_water_when_asked():
    near = contiguity(load_outlines(), within=1500)
    across = near[near["area_code"].eq("E09000030") & near["link"].eq("near")]
    assert "E09000028" in set(across["neighbour_code"])  # Tower Hamlets, Southwark: the Thames between


def test_hexagons_one_each_and_london_together():
    layout = hex_layout()
    assert set(layout["area_code"]) == set(upper_tier().index)
    assert not layout.duplicated(["q", "r"]).any()
    # Centres follow from the grid; the file keeps four decimals.
    assert np.allclose(layout["x"], layout["q"] + layout["r"] / 2, atol=1e-4)
    assert np.allclose(layout["y"], -layout["r"] * np.sqrt(3) / 2, atol=1e-4)
    cells = {(q, r): code for code, q, r in layout[["area_code", "q", "r"]].itertuples(index=False, name=None)}
    pieces = layout.groupby("region_code")[["q", "r"]].apply(
        lambda rows: len(_pieces(set(rows.itertuples(index=False, name=None))))
    )
    # All of a region together, but for the two islands, Cumbria, and the Kent coast and East Sussex beyond London.
    assert pieces.to_dict() == {f"E1200000{k}": 1 for k in (1, 3, 4, 5, 6, 7)} | {
        "E12000002": 2, "E12000008": 3, "E12000009": 2,
    }  # fmt: skip
    alone = {cells[c] for c in cells if not _beside(c) & set(cells)}
    assert alone == {"E06000046", "E06000053"}


def _beside(cell):
    q, r = cell
    return {(q + 1, r), (q - 1, r), (q, r + 1), (q, r - 1), (q + 1, r - 1), (q - 1, r + 1)}


def _pieces(place):
    left, pieces = set(place), []
    while left:
        piece, edge = set(), {left.pop()}
        while edge:
            piece |= edge
            edge = {n for c in edge for n in _beside(c)} & left
            left -= edge
        pieces.append(piece)
    return pieces


def test_hexagons_lie_about_where_the_places_are():
    layout = hex_layout().set_index("area_code")
    centre = load_outlines().set_index("area_code").representative_point()
    # Ranks of position across the country: a map one can find one's way on keeps north north and east east.
    assert layout["y"].corr(centre.y, method="spearman") > 0.9
    assert layout["x"].corr(centre.x, method="spearman") > 0.85
    pairs = contiguity(load_outlines(), within=1500)
    a, b = layout.loc[pairs["area_code"]], layout.loc[pairs["neighbour_code"]]
    steps = np.hypot(a["x"].to_numpy() - b["x"].to_numpy(), a["y"].to_numpy() - b["y"].to_numpy())
    # README: 263 of 414 pairs touch, 367 are at most two apart (each pair counted both ways here).
    kept = pairs["link"].ne("nearest").to_numpy()
    assert ((steps < 1.01) & kept).sum() / kept.sum() > 0.6
    assert ((steps < 2.01) & kept).sum() / kept.sum() > 0.85


@pytest.mark.parametrize("name", ["dfe_2021", "dfe_2025"])
def test_neighbours_agree_with_the_published_lists(mirror, name):
    book = {"dfe_2021": "sn_april_2021.xlsx", "dfe_2025": "sn_may_2025.xlsx"}[name]
    sheet = pd.read_excel(mirror / "dfe_lait" / book, sheet_name="LA SN Groups", engine="calamine", header=None)
    sheet = sheet[pd.to_numeric(sheet[0], errors="coerce").gt(100)]
    codes = load_register().sort_values("canonical").reset_index().set_index("dfe_code")["area_code"]
    codes = codes[~codes.index.duplicated(keep="last")]
    ours = load_neighbours(name, former=True).set_index(["area_code", "rank"])
    checked = 0
    for row in sheet.itertuples(index=False):
        area = codes[str(int(row[0]))]
        if area not in ours.index.get_level_values(0):
            continue
        for k in range(10):
            if str(row[5 + 2 * k]).strip() == "-":
                continue
            ours_here = ours.loc[(area, k + 1)]
            assert ours_here["neighbour_code"] == codes[str(int(row[5 + 2 * k]))]
            assert ours_here["closeness"] == str(row[6 + 2 * k]).strip().lower()
            checked += 1
    assert checked >= 1500


def test_neighbours_2025_are_ten_each():
    table = load_neighbours("dfe_2025")
    assert table.groupby("area_code").size().to_dict() == dict.fromkeys(upper_tier().index, 10)
    # Bands counted in the published file.
    assert table["closeness"].value_counts().to_dict() == {
        "very close": 820, "close": 513, "somewhat close": 136, "not close": 49, "extremely close": 12,
    }  # fmt: skip
    assert (table["area_code"] != table["neighbour_code"]).all()


def test_an_older_list_leaves_out_what_is_gone():
    table = load_neighbours("dfe_2021")
    assert set(table["area_code"]) | {"E06000063", "E06000064"} == set(upper_tier().index)
    assert "E10000006" not in set(table["neighbour_code"])
    assert "E10000006" in set(load_neighbours("dfe_2021", former=True)["neighbour_code"])


def test_an_unknown_list_names_those_there_are():
    assert neighbour_sets() == ("dfe_2021", "dfe_2025")
    with pytest.raises(AreaError, match="There are: dfe_2021, dfe_2025"):
        load_neighbours("cipfa")
