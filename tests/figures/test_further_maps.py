"""Maps of clusters, of one measure, and of a geography that is nobody's: data, no code, make a map."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import FigureError, RelationError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import geometry, maps
from outcomes_analysis.figures.mapping.classes import MISSING
from outcomes_analysis.relations import RelationSpec, spatial_clusters
from outcomes_analysis.sources.release import load_observations
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"
KINDS = ("high among high", "low among low", "high among low", "low among high")
ABSENT = "E06000065"  # North Yorkshire


@pytest.fixture(scope="module")
def clusters(scores) -> SimpleNamespace:
    """Four known clusters, a county and the two smallest areas left out."""
    rows = scores[scores["node_id"].eq("learning") & scores["estimate"].notna()].sort_values("area_code")
    rows = rows[~rows["area_code"].isin(["E09000001", "E06000053", ABSENT])].reset_index(drop=True)
    cluster = pd.Series("not clear", index=rows.index)
    for i, kind in enumerate(KINDS):
        cluster[10 * i : 10 * i + i + 1] = kind
    table = rows[["area_code", "area_name"]].assign(
        variable="attainment8", kind="figure", adjusted_for="", value=45.0, neighbours=45.0, estimate=0.1,
        p_value=0.5, q_value=0.9, cluster=cluster,
    )  # fmt: skip
    overall = pd.DataFrame(
        {"variable": ["attainment8"], "kind": "figure", "adjusted_for": "", "estimate": 0.4, "lower": -0.1, "upper": 0.1,
         "level": 0.9}
    )  # fmt: skip
    spec = SimpleNamespace(outcome="attainment8", predictors=("persistent_absence",))
    return SimpleNamespace(table=table, overall=overall, spec=spec, manifest=SimpleNamespace(data_as_at=AS_AT))


@pytest.fixture(scope="module")
def cluster_map(clusters):
    return maps.cluster_map(clusters, inset=None)


def test_each_cluster_is_drawn_once_an_area_and_nothing_unclear_takes_its_colour(cluster_map, clusters):
    svg = cluster_map.svg()
    fills = [s.fill.upper() for s in drawn.areas(svg) if s.width == "0.6" and len(s.d) > 60]  # the key's are short
    for kind, colour in zip((*KINDS, "not clear"), theme.CLUSTERS, strict=True):
        expected = int((clusters.table["cluster"] == kind).sum())
        assert fills.count(colour.upper()) == expected, kind
    assert len(fills) == 153
    texts = " ".join(drawn.texts(svg))
    assert "High, neighbours high (1)" in texts
    assert "Low, neighbours high (4)" in texts
    unclear = int((clusters.table["cluster"] == "not clear").sum())
    assert f"Not clear: chance will do ({unclear})" in texts
    assert cluster_map.title.startswith("Attainment 8: 3 of 148 authorities stand out as like their neighbours, 7 as")


def test_an_area_without_a_figure_is_never_not_clear(cluster_map):
    rows = cluster_map.data.set_index("area_code")
    assert rows.at[ABSENT, "map_class"] == MISSING["no_data"].label
    assert rows.at["E09000001", "map_class"] == MISSING["not_ranked"].label
    assert rows["map_class"].eq(MISSING["no_data"].label).sum() == 3  # with Rutland and the Isle of Wight


def test_clusters_that_the_result_lacks_are_refused(clusters):
    with pytest.raises(FigureError, match="left over"):
        maps.cluster_map(clusters, kind="left over")


@pytest.fixture(scope="module")
def districts():
    return maps.measure_map(load_observations(), "y6_obesity", tier="lower", period="2024/25")


def test_districts_have_the_published_figures_and_all_296_are_drawn(districts):
    rows = load_observations()
    rows = rows[rows["indicator_id"].eq("y6_obesity") & rows["period"].eq("2024/25") & rows["group"].eq("all")]
    published = rows.set_index("area_code")["value"]
    data = districts.data.set_index("area_code")
    assert len(data) == 296
    known = data["estimate"].dropna()
    pd.testing.assert_series_equal(known, published.reindex(known.index), check_names=False)
    assert len(known) >= 294
    outlined = {d for s in drawn.areas(districts.svg()) if len(d := s.d) > 40}
    assert len(outlined) >= 296  # London's boroughs are drawn twice
    by_class = data.groupby("map_class")["estimate"].agg(["min", "max"]).dropna().sort_values("min")
    assert (by_class["max"].to_numpy()[:-1] < by_class["min"].to_numpy()[1:]).all()
    assert "Lower is better" in " ".join(drawn.texts(districts.svg()))


def test_a_period_without_figures_is_refused_with_those_there_are():
    with pytest.raises(FigureError, match=r"0 of 296 areas in 1999/00.*2014/15"):
        maps.measure_map(load_observations(), "y6_obesity", tier="lower", period="1999/00")


@pytest.fixture(scope="module")
def islands():
    """A geography of sixteen square islands, one of them split in two, whose codes nobody uses."""
    import geopandas as gpd
    from shapely.geometry import MultiPolygon, box

    squares = [box(1000 * (i % 4), 1000 * (i // 4), 1000 * (i % 4) + 900, 1000 * (i // 4) + 900) for i in range(16)]
    squares[3] = MultiPolygon([box(3000, 0, 3400, 900), box(3500, 0, 3900, 900)])
    codes = [f"S12{i:06d}" for i in range(16)]
    return gpd.GeoDataFrame(
        {"area_code": codes, "name": [f"Island {i}" for i in range(16)]}, geometry=squares, crs=27700
    )


@pytest.fixture(scope="module")
def island_scores(islands) -> pd.DataFrame:
    estimate = np.linspace(-1, 1, 16)
    rows = pd.DataFrame(
        {"node_id": "learning", "node_label": "Learning", "kind": "domain", "area_code": islands["area_code"],
         "area_name": islands["name"], "region_name": ["North", "South"] * 8, "period": 2024, "estimate": estimate,
         "lower": estimate - 0.3, "upper": estimate + 0.3, "level": 0.9, "interval": "figures", "status": "computed"}
    )  # fmt: skip
    return rows.iloc[:-1]


def test_another_geography_needs_data_and_no_code(islands, island_scores):
    figure = maps.choropleth(
        island_scores, node="learning", outlines=islands, inset="North", geography="the islands", data_as_at=AS_AT
    )
    main = [s for s in drawn.areas(figure.svg()) if "h" not in s.d]
    assert len(main) == 16 + 8  # the islands, and the eight of the North again
    assert figure.data["map_class"].str.startswith("Highest fifth").sum() == 3
    assert figure.data.set_index("area_code").at["S12000015", "map_class"] == "No data"
    assert "the islands" in figure.subtitle
    texts = drawn.texts(figure.svg())
    assert "North, enlarged" in texts
    assert not {"London, enlarged", "England, enlarged"} & set(texts)


@pytest.mark.slow
def test_pairs_multiples_clusters_and_measures_take_another_geography_too(islands, island_scores):
    several = maps.small_multiples({"learning": island_scores}, outlines=islands, data_as_at=AS_AT)
    pair = maps.domain_pair(
        island_scores, island_scores, node="learning", outlines=islands, inset=None, data_as_at=AS_AT
    )
    assert len([s for s in drawn.areas(several.svg()) if "h" not in s.d]) == 16
    assert len([s for s in drawn.areas(pair.svg()) if "h" not in s.d]) == 32
    rows = pd.DataFrame(
        {"indicator_id": "y6_obesity", "area_code": islands["area_code"], "period": "2024/25", "group_type": "all",
         "group": "all", "status": ["published"] * 14 + ["suppressed", "not_available"], "source_id": "made up",
         "period_end": pd.Timestamp("2025-08-31"), "value": [*np.linspace(10, 36, 14), np.nan, np.nan],
         "lower": np.nan, "upper": np.nan, "level": np.nan}
    )  # fmt: skip
    figure = maps.measure_map(rows, "y6_obesity", outlines=islands, geography="islands", inset=None, data_as_at=AS_AT)
    data = figure.data.set_index("area_code")
    assert data["map_class"].iloc[-2:].tolist() == [MISSING["withheld"].label, MISSING["no_data"].label]
    assert data.at["S12000000", "area_name"] == "Island 0"
    assert "England:" not in " ".join(drawn.texts(figure.svg()))
    assert figure.title == "Obesity in Year 6: the middle half of 14 areas lies between 16.5% and 29.5%"


def test_coarse_outlines_keep_every_area_and_shared_borders(outlines):
    """Corners a pixel apart fall together, and so do both sides of a border: no gap opens between neighbours."""
    coarse = geometry.coarse(outlines, grid=1500)
    assert (coarse["area_code"] == outlines["area_code"]).all()
    assert not coarse.geometry.is_empty.any()
    points = [sum(len(p.exterior.coords) for s in frame.geometry for p in s.geoms) for frame in (coarse, outlines)]
    assert points[0] < 0.75 * points[1]
    large = coarse[coarse.geometry.area > 1e8]
    near = large.geometry.area.to_numpy() / outlines.loc[large.index].geometry.area.to_numpy()
    assert np.abs(near - 1).max() < 0.15  # a border moves by half a grid step, 0.75 km, of areas at least 10 km wide
    # cities inside counties stay holes in them: filled, they would add half a per cent
    assert coarse.geometry.area.sum() == pytest.approx(outlines.geometry.area.sum(), rel=0.002)
    regular = geometry.coarse(outlines.iloc[:0], grid=10)
    assert regular.empty


def test_hatching_draws_lines_and_no_points():
    """Where a line only touches a corner the cut is a point, which would be drawn as a circle."""
    import geopandas as gpd
    from shapely.geometry import Polygon

    bow = Polygon([(0, 0), (1000, 0), (500, 500), (1000, 1000), (0, 1000), (500, 500)])
    shapes = gpd.GeoDataFrame({"area_code": ["a"]}, geometry=[bow], crs=27700)
    lines = geometry.hatching(shapes, {"a": "crossed"}, spacing=500 / np.sqrt(2))
    assert lines
    assert {part.geom_type for line in lines for part in line.geoms} == {"LineString"}


def test_paths_are_as_long_as_can_be_seen(districts):
    """Outlines have one decimal of a pixel, a third of a tenth of a millimetre; other shapes two."""
    found = [s.d for s in drawn.shapes(districts.svg())]
    decimals = {len(n.split(".")[1]) for d in found if len(d) > 400 for n in re.findall(r"\d+\.\d+", d)}
    assert decimals == {1}
    assert max(len(n.split(".")[1]) for d in found for n in re.findall(r"\d+\.\d+", d)) <= 2
    assert len(districts.svg()) < 600_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cluster_map", "districts"])
@pytest.mark.parametrize("size", ["page", "column"])
def test_texts_fit_do_not_overlap_and_claim_nothing(name, size, request):
    figure = request.getfixturevalue(name)
    svg = (figure if size == "page" else figure.at(size)).svg()
    assert len(drawn.texts(svg)) > 8
    assert drawn.overlaps(svg, theme.text_width) == []
    assert drawn.outside(svg, theme.text_width) == []
    assert not causal_words(figure.title)
    assert not causal_words(figure.alt)


def _told(figure) -> str:
    """All words of a figure but those inside its drawing."""
    return " ".join([figure.title, figure.subtitle, figure.alt, figure.unit, figure.source, *figure.notes])


def test_no_map_of_another_nation_speaks_of_england(islands, island_scores):
    rows = island_scores.assign(nation="Scotland", england=0.1)
    both = pd.concat([rows, rows.assign(node_id="healthy", node_label="Healthy")], ignore_index=True)
    layout = pd.DataFrame(
        {"area_code": islands["area_code"], "name": islands["name"], "region_code": "North",
         "x": [i % 4 for i in range(16)], "y": [(i // 4) * 0.866 for i in range(16)]}
    )  # fmt: skip
    said = {"source": "made up", "data_as_at": AS_AT, "geography": "council areas in Scotland"}
    drawn_maps = [
        maps.choropleth(rows, node="learning", outlines=islands, classes="against", **said),
        maps.hex_map(rows, node="learning", layout=layout, **said),
        maps.domain_pair(rows, rows, node="learning", outlines=islands, **said),
        maps.small_multiples({"learning": both, "healthy": both}, outlines=islands, **said),
        maps.bivariate(both, nodes=("learning", "healthy"), layout=layout, **said),
        maps.sureness(rows.assign(p_bottom_fifth=0.1, rank=1.0), node="learning", layout=layout, **said),
    ]
    for figure in drawn_maps:
        assert not re.search("England|London|upper-tier|Collaborative", _told(figure)), _told(figure)
    assert all("Scotland" in _told(figure) for figure in drawn_maps)
    assert "Clearly better than Scotland" in drawn_maps[0].alt
    with pytest.raises(FigureError, match="give `source`"):
        maps.choropleth(rows, node="learning", outlines=islands, data_as_at=AS_AT)


@pytest.mark.slow
def test_clusters_of_another_geography_follow_its_own_outlines():
    import geopandas as gpd
    from shapely.geometry import box

    cells = [(i % 6, i // 6) for i in range(32)]
    codes = [f"S{120000 + i}" for i in range(32)]
    shapes = [box(x * 20_000, y * 20_000, (x + 1) * 20_000, (y + 1) * 20_000) for x, y in cells]
    outlines = gpd.GeoDataFrame({"area_code": codes}, geometry=shapes, crs=27700)
    rng = np.random.default_rng(2)
    figures = {
        "attainment8": 45 + np.array([y for _, y in cells]) + rng.normal(0, 0.4, 32),  # rises from row to row
        "mh_admissions_0_17": rng.normal(80, 10, 32),
        "child_poverty_bhc": rng.normal(20, 3, 32),
    }
    rows = pd.concat(
        [
            pd.DataFrame(
                {"indicator_id": name, "area_code": codes, "published_code": codes, "period": "2023/24",
                 "period_start": pd.Timestamp("2023-09-01"), "period_end": pd.Timestamp("2024-08-31"),
                 "group_type": "all", "group": "all", "value": values, "lower": np.nan, "upper": np.nan,
                 "level": np.nan, "se_sampling": 0.1, "se_total": 0.1, "numerator": np.nan, "denominator": np.nan,
                 "status": "published", "flags": "", "source_id": "made up"}
            )
            for name, values in figures.items()
        ],
        ignore_index=True,
    )  # fmt: skip
    index = pd.Index(codes, name="area_code")
    areas = pd.DataFrame({"name": codes, "region_code": "S", "region_name": "South"}, index=index)
    spec = RelationSpec("attainment8", ("mh_admissions_0_17",), (2024,), confounders=("child_poverty_bhc",))
    found = spatial_clusters(rows, spec=spec, areas=areas, outlines=outlines, permutations=499)
    own = found.table[(found.table["variable"] == "attainment8") & (found.table["kind"] == "figure")]
    corner = own.set_index("area_code").loc["S120000", "neighbours"]
    beside = figures["attainment8"][[1, 6, 7]]  # beside it, above it, and the one it touches at a corner
    assert corner == pytest.approx(beside.mean())
    assert set(own.loc[own["cluster"] == "high among high", "area_code"]) <= set(codes[18:])
    geography = "council areas in Scotland"
    figure = maps.cluster_map(found, outlines=outlines, geography=geography, source="made up", data_as_at=AS_AT)
    assert len([s for s in drawn.areas(figure.svg()) if "h" not in s.d]) == 32
    assert not re.search("England|London|upper-tier", _told(figure))
    with pytest.raises(FigureError, match="give `source`"):
        maps.cluster_map(found, outlines=outlines, geography=geography, data_as_at=AS_AT)
    with pytest.raises(RelationError, match="32 authorities have no outline"):
        spatial_clusters(rows, spec=spec, areas=areas, permutations=99)
