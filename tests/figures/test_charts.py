"""Rank intervals and the table of domains, read back out of the picture."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import ranks, tables
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import HEADING_ROWS, place, printed_name, spread
from outcomes_analysis.figures.drawing.composing import draw, png
from outcomes_analysis.figures.drawing.legends import STANDING
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"


@pytest.fixture(scope="module")
def ranking(scores):
    return ranks.rank_intervals(scores, node="learning", data_as_at=AS_AT)


def _names(codes) -> set[str]:
    return set(upper_tier().loc[list(codes), "name"])


def test_every_ranked_place_is_named_once_and_the_others_are_said(ranking, scores):
    svg = ranking.svg()
    words = drawn.texts(svg)
    ranked = scores[(scores["node_id"] == "learning") & scores["rank"].notna()]
    assert len(ranking.data) == len(ranked) == 148
    printed = [w for w in words if w in _names(ranked["area_code"])]
    assert len(printed) == len(set(printed)) > 110  # the longest names are printed in a shorter form
    note = next(n for n in ranking.notes if n.startswith("Not ranked"))
    for name in ["City of London", "Isles of Scilly", "Rutland", "Isle of Wight"]:
        assert name in note
        assert name not in words


def test_names_of_a_region_stand_under_its_heading_best_rank_first(ranking, scores):
    places = drawn.text_places(ranking.svg())
    heading = next(p for p in places if p[0] == "North East")
    rows = scores[(scores["node_id"] == "learning") & (scores["region_name"] == "North East") & scores["rank"].notna()]
    under = [
        next(p for p in places if p[0] == n)[2]
        for n in rows.sort_values("rank")["area_name"]
        if any(p[0] == n for p in places)
    ]
    assert len(under) >= 9
    assert under == sorted(under)
    assert under[0] > heading[2]


def test_no_two_texts_of_the_list_overlap(ranking):
    """Boxes of all texts below the title, by the widths of the house font."""
    sizes = dict.fromkeys(drawn.texts(ranking.svg()), 7.2)
    boxes = []
    for text, x, y in drawn.text_places(ranking.svg()):
        if text in sizes and not text.replace("\u2212", "").isdigit() and 90 < y < 690 and len(text) < 40:
            boxes.append((x, y - 3, x + theme.text_width(text, size=7.2), y + 3, text))
    clashes = [
        (a[4], b[4])
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert not clashes


def test_the_page_is_no_taller_than_a4_leaves_room_for(ranking, scores):
    table = tables.domain_heat_table(scores, data_as_at=AS_AT)
    for figure in (ranking, table):
        root = drawn.root_of(figure.svg())
        assert float(root.get("height")) <= 257 / 25.4 * 72 + 60  # 297 mm less margins of 20 mm, footer outside
        assert float(root.get("width")) <= theme.width_of("page") + 14


def test_shape_says_the_same_as_colour(ranking):
    words = " ".join(drawn.texts(ranking.svg()))
    for kind in STANDING.values():
        assert kind.words in words
    assert len({kind.shape for kind in STANDING.values()}) == 3


def test_the_line_of_england_stands_between_those_above_and_below_it(ranking, scores):
    rows = ranking.data
    above = int((rows["estimate"] > 0).sum())
    assert (rows["rank"] <= above).sum() == above


def test_the_title_and_alt_give_the_width_of_intervals(ranking):
    widths = ranking.data["rank_upper"] - ranking.data["rank_lower"] + 1
    stated = int(ranking.title.split(" or more")[0].split()[-1])
    assert (widths >= stated).mean() >= 0.5
    assert not causal_words(ranking.alt + ranking.title)


def test_an_experimental_domain_gets_no_ranks(scores):
    with pytest.raises(FigureError, match="Happy is not ranked"):
        ranks.rank_intervals(scores, node="happy", data_as_at=AS_AT)


@pytest.mark.parametrize("order", ["region", "name", "rank"])
@pytest.mark.parametrize("measure", ["rank", "score"])
def test_every_order_and_measure_draws_all_places(scores, order, measure):
    figure = ranks.rank_intervals(scores, node="safe", order=order, measure=measure, data_as_at=AS_AT)
    svg = figure.svg()
    assert len(figure.data) == 148
    # one mark a place and three in the key; symbols are the only filled shapes with curves or corners and a fill class
    marks = [s for s in drawn.shapes(svg) if s.width == "0.9" and s.fill not in {"", "none"}]
    assert len(marks) == 148 + 3


def test_columns_hold_whole_regions_and_are_about_equally_long():
    sizes = [12, 24, 15, 10, 14, 11, 33, 19, 15]  # England's nine regions
    way = spread(sizes, columns=3)
    heights = [sum(s + HEADING_ROWS for s, c in zip(sizes, way, strict=True) if c == column) for column in range(3)]
    # Brute force gives no better than this: 153 places and nine headings over three columns.
    assert max(heights) - min(heights) <= 3
    assert sorted(spread(list(range(1, 13)), columns=4))[-1] == 3


def test_places_without_a_region_are_kept():
    rows = pd.DataFrame({"region_name": ["London", None], "area_name": ["A", "B"]})
    assert set(place(rows).rows["region_name"]) == {"London", "No region"}


@pytest.mark.parametrize("width", [66.0, 82.0])
def test_printed_names_fit_and_are_different(width):
    names = upper_tier()["name"]
    printed = [printed_name(n, width=width, size=7.2) for n in names]
    assert len(set(printed)) == 153
    assert max(theme.text_width(p, size=7.2) for p in printed) <= width


def test_the_table_prints_every_score_with_a_fill_that_says_the_same(scores):
    figure = tables.domain_heat_table(scores, data_as_at=AS_AT)
    svg = figure.svg()
    cells = [s for s in drawn.shapes(svg) if s.stroke.upper() == "#FFFFFF" and s.width == "0.6"]
    assert len(cells) == 152 * 5 + 3
    assert {c.fill.upper() for c in cells} == {*theme.AGAINST, "#FFFFFF"}
    words = drawn.texts(svg)
    assert words.count("x") == 4 * 5
    numbers = [w for w in words if w.replace("\u2212", "").replace(".", "").isdigit() and "." in w]
    assert len(numbers) == 148 * 5
    assert len(figure.data) == 152 * 5
    assert {"lower", "upper", "level"} <= set(figure.data.columns)


def test_the_title_of_the_table_is_a_count_of_clear_differences(scores):
    figure = tables.domain_heat_table(scores, data_as_at=AS_AT)
    ranked = scores[(scores["node_id"] != "happy") & scores["estimate"].notna()]
    above = ranked[ranked["lower"] > 0].groupby("area_code").size()
    below = ranked[ranked["upper"] < 0].groupby("area_code").size()
    assert figure.title.startswith(f"{len(set(above.index) & set(below.index))} of 148 authorities")
    assert any("Happy: experimental" in note for note in figure.notes)


def test_a_cell_is_coloured_by_how_it_stands_to_england_and_by_nothing_else(scores):
    """A score above 1 that is not clearly above England is as grey as one below."""
    assert [tables.shade(sign, False) for sign in (-1.0, 0.0, 1.0)] == list(theme.AGAINST)
    assert tables.shade(float("nan"), False) == theme.PAPER
    assert tables.shade(0.0, True) == theme.DISPUTED
    unsure = scores.assign(lower=scores["estimate"] - 9, upper=scores["estimate"] + 9)
    svg = tables.domain_heat_table(unsure, data_as_at=AS_AT).svg()
    cells = [s.fill.upper() for s in drawn.shapes(svg) if s.stroke.upper() == "#FFFFFF" and s.width == "0.6"]
    assert cells.count(theme.AGAINST[1]) == 148 * 5 + 1
    assert cells.count(theme.AGAINST[0]) == cells.count(theme.AGAINST[2]) == 1  # in the key


def test_a_place_too_small_to_rank_is_printed_but_not_shaded(scores):
    big = scores.copy()
    big.loc[big["area_code"] == "E09000001", "estimate"] = 5.5
    big.loc[big["area_code"] == "E09000001", ["lower", "upper"]] = [5.0, 6.0]
    svg = tables.domain_heat_table(big, data_as_at=AS_AT).svg()
    assert drawn.texts(svg).count("5.5") == 5
    cells = [s for s in drawn.shapes(svg) if s.stroke.upper() == "#FFFFFF" and s.width == "0.6"]
    assert sum(c.fill.upper() == "#FFFFFF" for c in cells) == 4 * 5  # City, Scilly, and the two not computed


def test_wide_scores_are_the_scores(scores):
    wide = tables.wide_scores(scores)
    long = wide.melt(["region_name", "area_name", "area_code"], var_name="node_id", value_name="estimate")
    both = long.merge(scores, on=["area_code", "node_id"], suffixes=("", "_given"))
    assert len(both) == 152 * 5
    assert np.array_equal(both["estimate"], both["estimate_given"], equal_nan=True)
    assert list(wide["region_name"].drop_duplicates())[:2] == ["North East", "North West"]


def test_text_is_really_drawn_in_the_png_of_each_chart(ranking, scores):
    for figure in (ranking, tables.domain_heat_table(scores, data_as_at=AS_AT)):
        grey = drawn.pixels(png(draw(figure.chart), ppi=72))
        _, x, y = drawn.text_places(figure.svg())[0]
        assert grey[round(y) - 9 : round(y) + 2, round(x) : round(x) + 60].min() < 120
