"""Charts over time: lines never join what cannot be compared, and ends of lines are named without covering."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import courses
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.planes import label_points, spread_out
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import itertools

import drawn

AS_AT = "2026-04-08"
SIZES = ("page", "column", "slide")


@pytest.fixture(scope="module")
def place() -> SimpleNamespace:
    """Eight years with a break before the fifth, a year without a figure and a year left out."""
    years = [2015, 2016, 2017, 2018, 2019, 2020, 2021, 2024]
    values = [60.0, 61.0, 62.0, 63.0, 50.0, np.nan, 52.0, 53.0]
    series = pd.DataFrame(
        {
            "indicator_id": "gld_pct",
            "period": [f"{y - 1}/{y - 2000}" for y in years],
            "period_end": pd.to_datetime([f"{y}-08-31" for y in years]),
            "value": values,
            "lower": np.array(values) - 1,
            "upper": np.array(values) + 1,
            "level": 0.9,
            "status": ["published"] * 5 + ["suppressed"] + ["published"] * 2,
            "segment": [1, 1, 1, 1, 2, 2, 2, 2],
            "england": [66.0, 67.0, 68.0, 69.0, 60.0, 61.0, 62.0, 53.2],
        }
    )
    about = pd.DataFrame(
        [{"indicator_id": "gld_pct", "name": "Good level of development", "unit": "%", "decimals": 1, "contested": ""}]
    )
    return SimpleNamespace(series=series, table=about, name="Leeds", manifest=None)


@pytest.fixture(scope="module")
def course(place):
    return courses.trend(place, "gld_pct", data_as_at=AS_AT)


def test_no_line_crosses_a_break_a_gap_or_a_year_left_out(course):
    joins = list(drawn.strokes(course.svg(), width="1.5"))
    # England: three before the break, two after (2021 to 2024 is left out); the place: three before, none after.
    assert len(joins) == 3 + 2 + 3
    points = [m for m in drawn.marks(course.svg()) if m.fill == theme.DUO[0]]
    assert len(points) == 7
    breaks = [s for s in drawn.strokes(course.svg(), width="0.9") if s[0] == s[2]]
    assert len(breaks) == 1
    assert points[3].x < breaks[0][0] < points[4].x
    assert all(not (s[0] < breaks[0][0] < s[2]) for s in joins)


def test_points_and_whiskers_stand_on_one_scale(course, place):
    known = place.series.dropna(subset="value")
    points = [m for m in drawn.marks(course.svg()) if m.fill == theme.DUO[0]]
    slope, start = np.polyfit(known["value"], [p.y for p in points], 1)
    assert slope < 0
    whiskers = drawn.strokes(course.svg(), width="1.1")
    for row, point, whisker in zip(known.itertuples(), points, whiskers, strict=True):
        assert point.y == pytest.approx(start + slope * row.value, abs=0.03)  # hundredths of a pixel
        assert sorted((whisker[1], whisker[3])) == pytest.approx(
            sorted((start + slope * row.lower, start + slope * row.upper)), abs=0.05
        )


def test_a_year_without_a_figure_is_marked_and_never_drawn_as_a_number(course):
    words = drawn.texts(course.svg())
    assert "[c]" in words
    assert any("no figure" in note for note in course.notes)
    assert any("Break in the series from 2018/19 on" in note for note in course.notes)
    assert "53.0%" in course.title
    assert course.data["value"].isna().sum() == 1


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_trend_overlaps_or_leaves_the_picture(course, size):
    svg = course.at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)  # both lines end at about 53: their names must not
    assert not drawn.outside(svg, theme.text_width)
    assert not causal_words(course.alt)


def test_a_measure_without_any_figure_is_refused(place):
    with pytest.raises(FigureError, match="no figure of 'phonics_y1'"):
        courses.trend(place, "phonics_y1")


@pytest.fixture(scope="module")
def two(scores):
    later = scores.assign(period=2025, estimate=scores["estimate"] + 0.2)
    later["lower"], later["upper"] = later["estimate"] - 0.3, later["estimate"] + 0.3
    return scores, later


@pytest.fixture(scope="module")
def some() -> list[str]:
    areas = upper_tier()
    return list(areas.index[areas["region_name"] == "North East"])


def _change(codes: list[str]) -> SimpleNamespace:
    verdicts = ["improved", "worsened", "not_clear", "withheld"] * len(codes)
    return SimpleNamespace(
        table=pd.DataFrame({"node_id": "safe", "area_code": codes, "verdict": verdicts[: len(codes)]})
    )


@pytest.fixture(scope="module")
def slopes(two, some):
    return courses.slope_chart(*two, node="safe", areas=some, change=_change(some), data_as_at=AS_AT)


def test_every_place_has_a_line_two_intervals_and_its_name(slopes, some):
    svg = slopes.svg()
    keys = 3
    assert len(list(drawn.strokes(svg, width="1.2"))) == 12
    assert len(drawn.strokes(svg, width="1.6")) == keys
    assert len(drawn.strokes(svg, width="0.7")) == 24
    names = upper_tier().loc[some, "name"]
    assert set(names) <= set(drawn.texts(svg))
    assert slopes.title == "Safe: 3 of 12 places clearly better than before, 3 clearly worse, from 2024 to 2025"


def test_verdicts_differ_by_dashes_as_well_as_by_colour(slopes):
    lines = [
        n for n, _, _ in drawn.placed(slopes.svg()) if n.tag == f"{drawn.SVG}line" and n.get("stroke-width") == "1.2"
    ]
    looks = {(n.get("stroke", "").upper(), n.get("stroke-dasharray")) for n in lines}
    assert len(looks) == 3
    assert len({dash for _, dash in looks}) == 3


def test_england_has_a_line_of_its_own_and_its_movement_is_in_the_title(two, some):
    earlier, later = (rows.assign(england=own) for rows, own in zip(two, (0.0, 0.19), strict=True))
    chart = courses.slope_chart(earlier, later, node="safe", areas=some, change=_change(some), data_as_at=AS_AT)
    assert chart.title.endswith("from 2024 to 2025; England moved by +0.19")
    svg = chart.svg()
    assert len(drawn.strokes(svg, width="1.4")) == 1
    assert "England, same dates" in drawn.texts(svg)
    assert not drawn.overlaps(svg, theme.text_width)


def test_without_verdicts_no_change_is_called_clear(two, some):
    plain = courses.slope_chart(*two, node="safe", areas=some, data_as_at=AS_AT)
    assert "clearly" not in plain.title
    assert any("cannot be told from two intervals" in note for note in plain.notes)
    assert "12 of 12 places score higher" in plain.title


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_slopes_overlaps_or_leaves_the_picture(slopes, size):
    svg = slopes.at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)


def test_a_place_without_a_score_and_too_many_places_are_refused(two, some):
    with pytest.raises(FigureError, match="1 places have no score"):
        courses.slope_chart(*two, node="safe", areas=["Rutland", *some])
    with pytest.raises(FigureError, match="sixteen places"):
        courses.slope_chart(*two, node="safe", areas=list(upper_tier().index[:20]))


@pytest.mark.parametrize("wanted", [[10, 10, 10], [50, 12, 11, 90], [99, 98, 97, 3, 2, 1], [5]])
def test_spread_heights_keep_their_order_and_their_distance(wanted):
    found = spread_out(wanted, gap=10, low=0, high=100)
    assert min(found) >= 0
    assert max(found) <= 100
    placed = sorted(found)
    assert all(b - a >= 10 - 0.02 for a, b in itertools.pairwise(placed))
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    assert [found[i] for i in order] == placed
    if len(wanted) == 1:
        assert found == [5]


def test_spread_heights_are_the_nearest_possible():
    """Least squares under the same constraints, by brute force on a grid of half steps."""
    wanted = [10.0, 12.0, 30.0]
    found = spread_out(wanted, gap=6, low=0, high=60)
    grid = np.arange(0, 60.5, 0.5)
    a, b, c = np.meshgrid(grid, grid, grid, indexing="ij")
    cost = (a - 10) ** 2 + (b - 12) ** 2 + (c - 30) ** 2
    cost[(b - a < 6) | (c - b < 6)] = np.inf
    best = np.unravel_index(cost.argmin(), cost.shape)
    assert np.allclose(found, grid[list(best)], atol=0.5)  # half a step of the grid


def test_labels_of_points_cover_neither_points_nor_each_other():
    rng = np.random.default_rng(4)
    points = [{"x": float(x), "y": float(y), "text": "Somewhere"} for x, y in rng.uniform(20, 280, (40, 2))]
    labels = label_points(points, taken=points, right=300)
    assert 5 < len(labels) < 40
    wide = theme.text_width("Somewhere", size=7.5)
    for i, one in enumerate(labels):
        assert one["x"] >= 0
        assert one["x"] + wide <= 300.01
        for other in labels[i + 1 :]:
            assert abs(one["y"] - other["y"]) >= 8 or abs(one["x"] - other["x"]) >= wide - 0.01
        for point in points:
            inside = one["x"] < point["x"] + 2.4 and point["x"] - 2.4 < one["x"] + wide
            assert not (inside and abs(one["y"] - point["y"]) < 6)
