"""What the maps draw, read back out of the picture: areas, classes, gaps, and the words of the key."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import draw, png
from outcomes_analysis.figures.mapping import maps
from outcomes_analysis.figures.mapping.classes import MISSING, breaks, classify
from outcomes_analysis.figures.mapping.geometry import borders
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))

import drawn

AS_AT = "2026-04-08"
LONDON = 33


@pytest.fixture(scope="module")
def learning(scores, outlines):
    return maps.choropleth(scores, node="learning", outlines=outlines, data_as_at=AS_AT)


@pytest.fixture(scope="module")
def svg(learning) -> str:
    return learning.svg()


def test_every_area_is_drawn_and_london_again(svg):
    areas = drawn.areas(svg)
    assert len(areas) == 153 + LONDON
    assert all(len(shape.d) > 10 for shape in areas)
    # An inset whose projection was merged with the map's would lie outside the picture: all 33 must have their own
    # outline, not the one already drawn.
    assert len({shape.d for shape in areas}) == 153 + LONDON


def test_the_inset_lies_inside_the_picture(svg, scores):
    """Vega-Lite merges two projections that differ in scale only, and then draws the inset far outside its frame."""
    numbers = [[float(v) for v in shape.d.replace("M", "").split("L")[0].split(",")[:2]] for shape in drawn.areas(svg)]
    inset = np.array(numbers[153:])
    assert inset.min() >= 0
    assert inset.max() <= 170


def test_the_map_has_as_many_fills_as_classes_with_values(svg, learning):
    classes = learning.data["map_class"].unique()
    fills = {shape.fill.upper() for shape in drawn.areas(svg)}
    missing = {cls.fill for cls in MISSING.values() if cls.label in classes}
    assert len(classes) == 5 + 3
    assert fills - {f.upper() for f in missing} == {c.upper() for c in theme.SEQUENTIAL}


def test_no_area_without_a_value_takes_the_colour_of_a_value(svg, learning):
    """Areas come out in the order of their codes, so that each path is known to be one authority's."""
    fills = [shape.fill.upper() for shape in drawn.areas(svg)[:153]]
    data = learning.data.sort_values("area_code")
    for fill, value in zip(fills, data["estimate"], strict=True):
        assert (fill in theme.SEQUENTIAL) == bool(np.isfinite(value))


def test_fills_are_in_order_of_the_scores(svg, learning):
    fills = [shape.fill.upper() for shape in drawn.areas(svg)[:153]]
    data = learning.data.sort_values("area_code").assign(fill=fills).dropna(subset="estimate")
    place = data["fill"].map({c: i for i, c in enumerate(theme.SEQUENTIAL)})
    assert data.assign(place=place).sort_values("estimate")["place"].is_monotonic_increasing


def test_the_kinds_of_missing_are_told_apart_in_the_key(svg, learning):
    words = " ".join(drawn.texts(svg))
    assert "No data (1)" in words
    assert "Not ranked: too few children (2)" in words
    assert "Not computed: too few figures (2)" in words
    by_code = learning.data.set_index("area_code")["map_class"]
    assert by_code["E06000065"] == "No data"
    assert by_code["E09000001"].startswith("Not ranked")
    assert by_code["E06000046"].startswith("Not computed")


def test_hatching_is_a_second_channel(svg):
    strokes = {shape.stroke.upper() for shape in drawn.shapes(svg)}
    assert "#7A7A7A" in strokes
    assert len({(cls.fill, cls.hatch) for cls in MISSING.values()}) == len(MISSING)
    assert len({cls.hatch for cls in MISSING.values()}) == len(MISSING)


def test_counts_in_the_key_add_up_to_all_areas(svg):
    counts = [
        int(text.rsplit("(", 1)[1].rstrip(")"))
        for text in drawn.texts(svg)
        if text.rstrip(")")[-1:].isdigit() and "(" in text
    ]
    assert sum(counts) == 153


def test_text_is_really_drawn_in_the_png(learning):
    """A font that is named but absent leaves a PNG without any text, and no error."""
    picture = png(draw(learning.chart), ppi=72)
    grey = drawn.pixels(picture)
    wanted = [learning.title.split()[0], "London, enlarged", "No data (1)", "Source:"]
    places = drawn.text_places(learning.svg())
    for words in wanted:
        text, x, y = next(p for p in places if p[0].startswith(words))
        box = grey[round(y) - 8 : round(y) + 4, round(x) : round(x) + 30]
        assert box.min() < 150, text


def test_nothing_in_the_picture_is_cut_off_at_the_right(svg):
    root = drawn.root_of(svg)
    assert float(root.get("width")) <= theme.width_of("page") + 14  # the padding of both sides, rounded up


def test_the_png_has_300_pixels_to_the_inch_and_the_width_of_a_page(learning):
    width, _, ppi = drawn.png_size(png(draw(learning.chart), ppi=300))
    assert ppi == pytest.approx(300, abs=0.1)
    assert width / 300 * 25.4 == pytest.approx(170 + 2 * 6 / 72 * 25.4, abs=1.5)  # 170 mm and the padding


def test_the_title_counts_what_the_intervals_say(learning, scores):
    rows = scores[(scores["node_id"] == "learning") & scores["estimate"].notna()]
    above, below = int((rows["lower"] > 0).sum()), int((rows["upper"] < 0).sum())
    assert (
        learning.title
        == f"Learning: {above} of {len(rows)} authorities clearly better than England in the base period, {below} clearly worse"
    )
    assert f"{above} of {len(rows)}" in learning.alt
    assert not causal_words(f"{learning.title} {learning.subtitle} {learning.alt}")


def test_the_picture_says_unit_period_source_date_and_that_it_is_for_exploration(svg):
    words = " ".join(drawn.texts(svg))
    for needed in [
        "standard deviation",
        "2024",
        "Source:",
        "Data as at 8 April 2026",
        "Not official statistics",
        "90% interval",
    ]:
        assert needed in words


def test_an_experimental_domain_is_never_ranked(scores, outlines):
    figure = maps.choropleth(scores, node="happy", outlines=outlines, data_as_at=AS_AT)
    words = " ".join([*drawn.texts(figure.svg()), figure.alt, figure.title]).lower()
    assert "experimental" in figure.title
    for rank_word in ["fifth", "best", "worst", "top ", "bottom"]:
        assert rank_word not in words
    base = "England in the base period"  # these scores do not say where England stands at their own date
    assert {f"Clearly better than {base}", f"Clearly worse than {base}"} <= set(figure.data["map_class"])
    quintiles = maps.choropleth(scores, node="happy", outlines=outlines, classes="quintile", data_as_at=AS_AT)
    assert "fifth" not in " ".join(quintiles.data["map_class"]).lower()


def test_svg_and_spec_are_the_same_bytes_each_time(scores, outlines, svg):
    again = maps.choropleth(scores, node="learning", outlines=outlines, data_as_at=AS_AT)
    assert again.svg() == svg


def test_the_input_is_left_as_it_was(scores, outlines):
    before, shapes = scores.copy(deep=True), outlines.copy()
    maps.choropleth(scores, node="safe", outlines=outlines, data_as_at=AS_AT)
    pd.testing.assert_frame_equal(scores, before)
    assert outlines.geometry.geom_equals(shapes.geometry).all()


def test_a_name_that_is_a_script_stays_text(scores, outlines):
    evil = scores.assign(node_label="<script>alert(1)</script>", area_name="<script>")
    svg = maps.choropleth(evil, node="learning", outlines=outlines, data_as_at=AS_AT).svg()
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


def test_a_pair_draws_both_maps_in_the_same_classes(scores, outlines):
    given = scores.assign(
        estimate=scores["estimate"] / 2, lower=scores["estimate"] / 2 - 0.3, upper=scores["estimate"] / 2 + 0.3
    )
    figure = maps.domain_pair(scores, given, node="learning", outlines=outlines, data_as_at=AS_AT)
    areas = drawn.areas(figure.svg())
    assert len(areas) == 2 * (153 + LONDON)
    valued = {a.fill.upper() for a in areas} & set(theme.AGAINST)
    assert valued == set(theme.AGAINST)
    left, right = figure.data["map_class"], figure.data["map_class_given_child_poverty"]
    assert (left == "Clearly better than England in the base period").sum() == (
        (scores["node_id"] == "learning") & (scores["lower"] > 0)
    ).sum()
    assert (right == "Better than the range of similar places").sum() == (
        (given["node_id"] == "learning") & (given["lower"] > 0)
    ).sum()


def test_hexagons_one_an_area_all_of_one_size_with_labels_of_their_own(scores, layout):
    figure = maps.hex_map(scores, node="learning", layout=layout, data_as_at=AS_AT)
    svg = figure.svg()
    areas = drawn.areas(svg)
    assert len(areas) == 153
    data = figure.data.sort_values("area_code")
    for shape, value in zip(areas, data["estimate"], strict=True):
        assert (shape.fill.upper() in theme.AGAINST) == bool(np.isfinite(value))
    from outcomes_analysis.figures.mapping.hexagons import hexagons, short_labels

    shapes = hexagons(layout)
    sizes = shapes.geometry.area
    assert sizes.max() / sizes.min() < 1.02  # corners are rounded to 20 of 10,000 units
    assert shapes.geometry.union_all().area == pytest.approx(sizes.sum(), rel=1e-3)  # they touch and do not overlap
    labels = short_labels(upper_tier()["name"])
    assert labels.is_unique
    assert labels.str.len().max() <= 4
    assert set(labels) <= set(drawn.texts(svg))


def test_limits_of_quintiles_are_those_of_numpy_and_each_class_holds_a_fifth(scores):
    values = scores.loc[scores["node_id"] == "learning", "estimate"].dropna().to_numpy()
    inner = breaks(values, method="quintile")
    assert np.allclose(inner, np.quantile(values, [0.2, 0.4, 0.6, 0.8]))
    rows = scores[scores["node_id"] == "learning"].reset_index(drop=True)
    _, found = classify(rows)
    assert [c.count for c in found if not c.missing] == [30, 29, 30, 29, 30]


@pytest.mark.parametrize(
    ("step", "lower_top", "upper_foot"), [(1.0, "1.0", "2.0"), (0.04, "0.04", "0.08"), (0.001, "0.00", "0.00")]
)
def test_limits_of_neighbouring_classes_are_told_apart_by_at_most_two_decimals(step, lower_top, upper_foot):
    rows = pd.DataFrame(
        {"area_code": [f"E{i}" for i in range(10)], "estimate": np.arange(10) * step, "status": "computed"}
    )
    _, found = classify(rows, method="quintile")
    spans = [cls.label.split(": ")[1].split(" to ") for cls in found]
    assert spans[-1][1] == lower_top  # two areas a class: the lowest ends at one step, the next begins at two
    assert spans[-2][0] == upper_foot


def test_ties_never_leave_an_empty_class_and_one_value_makes_one_class():
    rows = pd.DataFrame(
        {"area_code": [f"E{i}" for i in range(10)], "estimate": [1.0] * 9 + [2.0], "status": "computed"}
    )
    keys, found = classify(rows)
    assert sum(c.count for c in found) == 10
    assert all(c.count for c in found)
    assert keys.nunique() == len(found) == 2
    _, one = classify(rows.assign(estimate=3.0))
    assert [c.count for c in one] == [10]


def test_equal_classes_are_equally_wide_and_jenks_are_those_of_mapclassify():
    values = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 9.0, 9.1, 9.2, 9.9, 10.0])
    assert np.allclose(breaks(values, method="equal"), [2, 4, 6, 8])
    from mapclassify import FisherJenks

    assert np.allclose(breaks(values, method="jenks", k=3), FisherJenks(values, k=3).bins[:-1])


def test_withheld_is_a_class_of_its_own():
    rows = pd.DataFrame(
        {
            "area_code": ["E1", "E2", "E3", "E4"],
            "estimate": [1.0, np.nan, np.nan, 2.0],
            "status": ["published", "suppressed", "not_available", "published"],
        }
    )
    keys, found = classify(rows)
    assert list(keys[1:3]) == ["withheld", "no_data"]
    # A value that is missing although its status says otherwise is still no value.
    keys, _ = classify(rows.assign(status="published"))
    assert list(keys[1:3]) == ["no_data", "no_data"]
    assert "Withheld by the publisher" in [c.label for c in found]


def test_borders_between_regions_have_the_length_that_geopandas_finds(outlines):
    """The shared line of two regions, against the boundary that their unions have in common."""
    regions = upper_tier()["region_name"].to_dict()
    pair = {c: r for c, r in regions.items() if r in ("South West", "South East")}
    line = borders(outlines, pair)
    part = outlines[outlines["area_code"].isin(pair)]
    joined = part.assign(geometry=part.geometry.make_valid()).dissolve(part["area_code"].map(pair))
    shared = joined.geometry.iloc[0].boundary.intersection(joined.geometry.iloc[1].boundary)
    # Ours is rounded to 10 m, which moves its length a little.
    assert sum(piece.length for piece in line) == pytest.approx(shared.length, rel=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="estimate"), "columns are missing: estimate"),
        (lambda t: t[t["node_id"] != "learning"], "nothing about node 'learning'"),
        (lambda t: pd.concat([t, t]), "more than once"),
        (lambda t: t.assign(area_code="X" + t["area_code"]), "None of the 152 areas"),
    ],
)
def test_a_table_that_cannot_be_mapped_is_refused_with_the_reason(scores, outlines, change, message):
    with pytest.raises(FigureError, match=message):
        maps.choropleth(change(scores), node="learning", outlines=outlines, data_as_at=AS_AT)


def test_outlines_in_degrees_are_refused(scores, outlines):
    with pytest.raises(FigureError, match="in degrees"):
        maps.choropleth(scores, node="learning", outlines=outlines.to_crs(4326), data_as_at=AS_AT)


def test_the_spread_of_methods_is_never_mixed_in(scores, outlines):
    both = pd.concat([scores, scores.assign(interval="method", lower=-9.0, upper=9.0)])
    figure = maps.choropleth(both, node="learning", outlines=outlines, data_as_at=AS_AT)
    assert standing.against_counts(figure.data)[0] > 0
