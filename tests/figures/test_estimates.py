"""Charts of estimates, read back out of the picture: marks and intervals stand where the numbers put them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.charts import estimates, profiles
from outcomes_analysis.figures.drawing import rows, theme
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"
SIZES = ("page", "column", "slide")
FACTS = {"what": "rank correlation", "unit": "correlation", "source": "A publisher", "data_as_at": AS_AT}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": [
                "All",
                "A label so long that it has to be broken into two lines or more",
                "Nothing known",
                "London out",
            ],
            "group": ["Main", "Main", "Other samples", "Other samples"],
            "estimate": [-0.31, -0.20, np.nan, 0.05],
            "lower": [-0.40, -0.33, np.nan, -0.08],
            "upper": [-0.20, -0.07, np.nan, 0.20],
            "level": 0.9,
        }
    )


@pytest.fixture(scope="module")
def forest(table):
    return estimates.coefficient_forest(table, **FACTS)


def _rows_of(figure, n: int) -> list[drawn.Mark]:
    """Marks of the rows; those of the key come first in the drawing, so the last ones are the rows'."""
    return drawn.marks(figure.svg())[-n:]


def test_marks_and_intervals_stand_on_one_straight_scale(forest, table):
    known = table.dropna(subset="estimate")
    points = _rows_of(forest, len(known))
    lines = drawn.strokes(forest.svg(), width="1.3")
    assert len(lines) == len(known)
    slope, start = np.polyfit(known["estimate"], [p.x for p in points], 1)
    # Places are rounded to hundredths of a pixel.
    for point, line, row in zip(points, lines, known.itertuples(), strict=True):
        assert point.x == pytest.approx(start + slope * row.estimate, abs=0.02)
        assert line[0] == pytest.approx(start + slope * row.lower, abs=0.03)
        assert line[2] == pytest.approx(start + slope * row.upper, abs=0.03)
        assert point.y == pytest.approx(line[1], abs=0.02)
    zero = [s for s in drawn.strokes(forest.svg(), width="0.9") if s[0] == s[2]]
    assert zero[0][0] == pytest.approx(start, abs=0.02)


def test_a_row_without_an_estimate_is_named_and_gets_no_mark(forest):
    words = drawn.texts(forest.svg())
    assert "Nothing known" in words
    assert "not available" in words
    assert len(drawn.marks(forest.svg())) == 3 + 3  # three rows, three in the key


def test_shape_and_colour_say_on_which_side_of_zero_the_interval_lies(forest):
    below, other_below, across = _rows_of(forest, 3)
    assert below.fill == other_below.fill == theme.DUO[1]
    assert across.fill == theme.PAPER
    assert below.d == other_below.d != across.d
    assert forest.title == "None of 3 estimates clearly above 0, 2 clearly below"


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_forest_overlaps_or_leaves_the_picture(forest, size):
    svg = forest.at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)
    words = " ".join(drawn.texts(svg))
    assert "A label so long that it has to be broken into two lines or more" in words.replace("  ", " ")


def test_a_forest_that_mixes_levels_or_whose_bounds_are_wrong_is_refused(table):
    with pytest.raises(FigureError, match="one level"):
        estimates.coefficient_forest(table.assign(level=[0.9, 0.95, 0.9, 0.9]), **FACTS)
    with pytest.raises(FigureError, match="do not hold their estimate"):
        estimates.coefficient_forest(table.assign(upper=-0.35), **FACTS)
    with pytest.raises(FigureError, match="columns are missing: level"):
        estimates.coefficient_forest(table.drop(columns="level"), **FACTS)
    with pytest.raises(FigureError, match="no estimate to draw"):
        estimates.coefficient_forest(table.assign(estimate=np.nan), **FACTS)


@pytest.mark.parametrize(
    ("low", "high"), [(-0.42, 0.21), (0, 100), (3.2, 3.9), (-2000, 4500), (1e-4, 9e-4), (-1.0, 1.0)]
)
def test_ticks_are_round_even_and_inside(low, high):
    found = rows.ticks(low, high)
    steps = np.diff(found)
    assert 2 <= len(found) <= 6
    assert np.allclose(steps, steps[0])
    assert low - 1e-9 <= found[0]
    assert found[-1] <= high + 1e-9
    lead = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-9)
    assert min(abs(lead - v) for v in (1, 2, 2.5, 5)) < 1e-6


@pytest.fixture(scope="module")
def index(scores) -> SimpleNamespace:
    """Domains with two outcomes of Engaged, one of which holds contested indicators alone."""
    england = {"safe": 0.1, "healthy": -0.2, "happy": 0.0, "learning": 0.3, "engaged": 0.2}
    table = scores.assign(england=scores["node_id"].map(england))
    table["against_england"] = np.select(
        [table["lower"].isna(), table["lower"] > table["england"], table["upper"] < table["england"]],
        ["", "above", "below"],
        default="not clear",
    )
    outcomes = [
        table[table["node_id"] == "engaged"].assign(node_id=n, node_label=label, kind="outcome")
        for n, label in (("included", "Children are included in school"), ("attending", "Children attend school"))
    ]
    weights = {
        "engaged": {"susp_rate": 0.5, "absence_overall": 0.5},
        "included": {"susp_rate": 1.0},
        "attending": {"absence_overall": 1.0},
    }
    nodes = {n: SimpleNamespace(kind="domain", weights=pd.DataFrame({"weight": w})) for n, w in weights.items()}
    return SimpleNamespace(
        table=pd.concat([table, *outcomes], ignore_index=True),
        nodes=nodes,
        matrix=SimpleNamespace(framework=load_framework()),
        manifest=SimpleNamespace(data_as_at=AS_AT),
    )


@pytest.fixture(scope="module")
def profile(index):
    return profiles.domain_profile(index, "Leeds")


def test_a_profile_stands_its_domains_beside_england_of_the_same_date(profile, index):
    own = index.table[(index.table["area_name"] == "Leeds") & (index.table["kind"] == "domain")]
    judged = own[own["node_id"] != "happy"]
    better = int((judged["against_england"] == "above").sum())
    worse = int((judged["against_england"] == "below").sum())
    assert profile.title == f"Leeds: clearly better than England on {better} of 4 domains, clearly worse on {worse}"
    points = _rows_of(profile, 7)
    ticks = [s for s in drawn.strokes(profile.svg(), width="1.6") if s[0] == s[2]][1:]  # the first stands in the key
    data = profile.data
    assert len(ticks) == len(data) == 7
    slope, start = np.polyfit(data["estimate"], [p.x for p in points], 1)
    for tick, england in zip(ticks, data["england"], strict=True):
        assert tick[0] == pytest.approx(start + slope * england, abs=0.03)
    assert any("50% of the weight of Engaged" in note for note in profile.notes)


def test_an_outcome_of_contested_measures_alone_is_not_called_better_or_worse(profile):
    words = " ".join(drawn.texts(profile.svg()))
    assert "Children are included in school (contested)" in words.replace("  ", " ") or "(contested)" in words
    place = list(profile.data["node_id"]).index("included")
    assert _rows_of(profile, 7)[place].fill == theme.NEUTRAL_AGAINST[0]
    assert "Happy (experimental)" in words


def test_nothing_is_judged_of_a_place_too_small_to_rank(index):
    scilly = index.table["area_code"] == "E06000053"
    table = index.table.copy()
    table.loc[scilly, ["estimate", "lower", "upper"]] = [-2.0, -2.2, -1.8]
    table.loc[scilly & (table["node_id"] == "safe"), ["estimate", "lower", "upper"]] = np.nan
    figure = profiles.domain_profile(SimpleNamespace(**vars(index) | {"table": table}), "Isles of Scilly")
    assert figure.title == "Isles of Scilly: scores on 3 domains, with too few children to judge them"
    svg = figure.svg()
    words = " ".join(drawn.texts(svg))
    assert "clearly" not in words
    assert "not clear" not in words
    assert "too few children to judge" in words
    fills = {s.fill.upper() for s in drawn.shapes(svg)}
    assert fills.isdisjoint({theme.AGAINST[0], theme.AGAINST[2], theme.NEUTRAL_AGAINST[0]})
    # the words that stand for a score have no stroke of England's through them
    strokes = [s for s in drawn.strokes(svg, width="1.6") if s[0] == s[2]]
    assert len(strokes) == 6 + 1  # one stands in the key
    assert not drawn.overlaps(svg, theme.text_width)


def test_a_profile_gives_no_word_that_depends_on_disputed_figures(index):
    table = index.table.assign(against_england_agreed=index.table["against_england"])
    table["standing"] = table["against_england"].where(table["node_id"] != "engaged", standing.DEPENDS)
    table["england_alike"] = table["england"] + 0.05
    figure = profiles.domain_profile(SimpleNamespace(**vars(index) | {"table": table}), "Leeds")
    assert "1 depends on contested figures" in figure.title
    place = list(figure.data["node_id"]).index("engaged")
    points = _rows_of(figure, 7)
    assert points[place].fill.upper() == theme.DISPUTED_MARK
    slope, start = np.polyfit(figure.data["estimate"], [p.x for p in points], 1)
    ticks = [s for s in drawn.strokes(figure.svg(), width="1.6") if s[0] == s[2]][1:]
    for tick, england in zip(ticks, figure.data["england"], strict=True):
        assert tick[0] == pytest.approx(start + slope * (england + 0.05), abs=0.03)


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_profile_overlaps_or_leaves_the_picture(profile, size):
    svg = profile.redraw(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)


@pytest.fixture(scope="module")
def explanation() -> SimpleNamespace:
    table = pd.DataFrame(
        {
            "indicator_id": ["absence_overall", "susp_rate", "neet_16_17"],
            "name": ["Absence from school", "Suspensions", "Young people known to be out of education"],
            "outcome": ["attending", "included", "moving_on"],
            "weight": [0.5, 0.5, 0.0],
            "contribution": [-0.35, 0.10, 0.0],
            "contribution_lower": [-0.45, 0.02, 0.0],
            "contribution_upper": [-0.25, 0.18, 0.0],
            "level": 0.9,
        }
    )
    outcomes = pd.DataFrame({"outcome": ["attending", "included", "moving_on"], "label": ["A", "B", "C"]})
    return SimpleNamespace(
        table=table, outcomes=outcomes, score=-0.25, lower=-0.4, upper=-0.1, node="engaged", manifest=None
    )


def test_bars_of_a_decomposition_add_up_to_the_bar_of_the_score(explanation):
    figure = profiles.score_decomposition(explanation, name="Leeds", data_as_at=AS_AT)
    bars = [
        (s.d, s.fill.upper())
        for s in drawn.shapes(figure.svg())
        if s.stroke.upper() == "#FFFFFF" and s.width == "0.6" and s.fill.upper() != theme.PAPER  # paper behind words
    ]
    lengths = [float(d.split("h")[1].split("v")[0]) for d, _ in bars]
    signed = [-abs(lengths[0]), abs(lengths[1])]
    assert len(bars) == 3  # the missing one has none
    assert sum(signed) == pytest.approx(-abs(lengths[2]), abs=0.05)
    assert [f for _, f in bars] == [theme.AGAINST[0], theme.NEUTRAL_AGAINST[0], theme.QUIET]
    words = " ".join(drawn.texts(figure.svg()))
    assert "Suspensions (contested)" in words
    assert "no figure: the others stand in" in words
    assert figure.title == (
        "Leeds, Engaged: a score of \u22120.25 (contested indicators +0.10); most is taken away by absence from school"
    )
    assert not causal_words(figure.alt)
    other = explanation.table.assign(
        contribution=[-0.05, 0.4, 0.0], contribution_lower=[-0.1, 0.3, 0.0], contribution_upper=[0.0, 0.5, 0.0]
    )
    happy = SimpleNamespace(**vars(explanation) | {"table": other, "node": "happy"})
    title = profiles.score_decomposition(happy, name="Leeds", data_as_at=AS_AT).title
    assert title.startswith("Leeds, Happy (experimental): ")
    assert title.endswith("suspensions (contested)")


@pytest.fixture(scope="module")
def twin() -> SimpleNamespace:
    domains = pd.DataFrame(
        {
            "node_label": ["Learning", "Engaged", "Learning", "Safe", "Learning"],
            "group_label": ["children in need", "children in need", "disadvantaged children", "children in need", "x"],
            "estimate": [-5.3, -7.5, -1.7, np.nan, -24.0],
            "lower": [-6.3, -8.1, -2.1, np.nan, -49.0],
            "upper": [-4.2, -6.9, -1.4, np.nan, 0.4],
            "england_gap": [-7.0, -7.0, -2.6, np.nan, -15.0],
            "against_england": ["narrower", "not clear", "wider", "", "not clear"],
            "level": 0.9,
            "status": ["computed", "computed", "computed", "no twin", "computed"],
            "reason": ["", "", "", "nothing in it is published for these children", ""],
        }
    )
    return SimpleNamespace(domains=domains, name="Leeds", period=2025, manifest=None)


def test_gaps_stand_beside_englands_and_unsure_ones_are_named_not_drawn(twin):
    figure = estimates.equity_gaps(twin, data_as_at=AS_AT)
    points = _rows_of(figure, 3)
    # Groups in alphabetical order, each a triangle, a ring or a square: narrower, unclear, wider.
    assert [p.fill for p in points] == [theme.AGAINST[2], theme.PAPER, theme.AGAINST[0]]
    assert len({p.d for p in points}) == 3
    assert len([s for s in drawn.strokes(figure.svg(), width="1.6") if s[0] == s[2]]) == 3 + 1
    assert any("Learning of x" in note for note in figure.notes)
    assert figure.title.startswith("Leeds: 1 of 4 gaps clearly wider than England\u2019s, 1 clearly narrower")
    assert len(figure.data) == 5
    for size in ("page", "column"):
        svg = figure.at(size).svg()
        assert not drawn.overlaps(svg, theme.text_width)
        assert not drawn.outside(svg, theme.text_width)


def test_sobol_bars_are_as_long_as_the_shares_they_print():
    parts = [
        ("weights", "first", 0.46),
        ("weights", "total", 0.54),
        ("omission", "first", 0.06),
        ("omission", "total", 0.08),
    ]
    table = pd.DataFrame(parts, columns=["factor", "order", "estimate"]).assign(
        node_id="learning", output="mean_rank_shift", level=0.9
    )
    table = table.assign(lower=table["estimate"] - 0.02, upper=table["estimate"] + 0.02)
    figure = estimates.sobol_bars(SimpleNamespace(table=table, manifest=None), node="learning", data_as_at=AS_AT)
    lengths = [
        float(s.d.split("h")[1].split("v")[0])
        for s in drawn.shapes(figure.svg())
        if s.stroke.upper() == "#FFFFFF" and s.width == "0.6"
    ]
    shares = [46, 54, 6, 8]
    assert np.allclose(
        np.array(lengths) / lengths[0], np.array(shares) / shares[0], atol=0.002
    )  # hundredths of a pixel
    assert "46% of the movement of ranks" in figure.title
    with pytest.raises(FigureError, match="Nothing about node 'safe'"):
        estimates.sobol_bars(SimpleNamespace(table=table), node="safe")
