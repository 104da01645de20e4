"""Spines, rugs, correlations, funnels and cards, read back out of the picture and held against other arithmetic."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import fitness_cards, funnels, limits, rugs, spines
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"
SIZES = ("page", "column", "slide")


@pytest.fixture(scope="module")
def observations() -> pd.DataFrame:
    """Three measures in every authority: values evenly spread, so that quartiles are known."""
    codes = list(upper_tier(ranked_only=True).index)
    parts = [
        pd.DataFrame({"indicator_id": i, "area_code": codes, "value": low + np.arange(len(codes)) * step})
        for i, low, step in (("absence_overall", 4.0, 0.02), ("gld_pct", 60.0, 0.1), ("susp_rate", 2.0, 0.1))
    ]
    return pd.concat(parts).assign(period="2024/25", group_type="all", group="all", status="published")


@pytest.fixture(scope="module")
def profile() -> SimpleNamespace:
    table = pd.DataFrame(
        {
            "indicator_id": ["absence_overall", "gld_pct", "susp_rate", "phonics_y1"],
            "domain": "learning",
            "name": ["Absence from school", "Good level of development at age 5", "Suspensions", "Phonics"],
            "unit": ["%", "%", "per 100 pupils", "%"],
            "decimals": [1, 1, 2, 0],
            "direction": [-1, 1, -1, 1],
            "contested": ["", "", "a decision of schools", ""],
            "period": "2024/25",
            "value": [4.5, 70.0, 9.0, np.nan],
            "lower": [4.3, 69.0, 8.0, np.nan],
            "upper": [4.7, 71.0, 10.0, np.nan],
            "level": 0.9,
            "england": [5.5, 67.5, 9.5, 80.0],
            "region": [5.0, 68.0, np.nan, 80.0],
            "neighbours_centre": [5.2, 66.0, 9.2, 80.0],
            "verdict": ["better", "similar", "position only", ""],
        }
    )
    return SimpleNamespace(table=table, name="Leeds", period=2025, manifest=None)


@pytest.fixture(scope="module")
def spine(profile, observations):
    return spines.spine_chart(profile, domain="learning", observations=observations, data_as_at=AS_AT)


def test_on_a_spine_better_lies_to_the_right_whichever_way_a_measure_runs(spine):
    absence, development, suspensions = drawn.marks(spine.svg())[-3:]
    middle = next(s[0] for s in drawn.strokes(spine.svg(), width="1") if s[0] == s[2])
    assert absence.x > middle  # less absence than England
    assert development.x > middle
    assert suspensions.x < middle  # contested: fewer, so to the left, in its own direction
    assert [m.fill for m in (absence, development, suspensions)] == [
        theme.AGAINST[2],
        theme.PAPER,
        theme.NEUTRAL_AGAINST[0],
    ]
    assert spine.title == "Leeds, Learning: clearly better than England on 1 of 2 measures, clearly worse on none"


def test_places_on_a_spine_are_those_of_the_numbers(spine, profile, observations):
    """The place's distance from England over that of the further end of all authorities, which fills half the line."""
    middle = next(s[0] for s in drawn.strokes(spine.svg(), width="1") if s[0] == s[2])
    marks = drawn.marks(spine.svg())[-3:]
    whiskers = drawn.strokes(spine.svg(), width="1.3")
    half = None
    for mark, whisker, (_, row) in zip(marks, whiskers, profile.table.iterrows(), strict=False):
        values = observations.loc[observations["indicator_id"] == row["indicator_id"], "value"]
        reach = max(abs(values.max() - row["england"]), abs(values.min() - row["england"]))
        turn = 1 if row["contested"] else row["direction"]
        share = turn * (row["value"] - row["england"]) / reach
        half = half or (mark.x - middle) / share
        assert mark.x == pytest.approx(middle + half * share, abs=0.05)  # hundredths of a pixel, twice rounded
        ends = sorted(middle + half * turn * (row[c] - row["england"]) / reach for c in ("lower", "upper"))
        assert sorted((whisker[0], whisker[2])) == pytest.approx(ends, abs=0.05)
    frame = spine.data.set_index("indicator_id")
    values = observations.loc[observations["indicator_id"] == "gld_pct", "value"]
    assert frame.at["gld_pct", "upper_quartile"] == pytest.approx(np.quantile(values, 0.75))


def test_a_measure_without_a_figure_is_named_and_not_drawn(spine, profile, observations):
    assert any("Not drawn, for want of figures: Phonics" in note for note in spine.notes)
    assert "Phonics" not in drawn.texts(spine.svg())
    with pytest.raises(FigureError, match="no figure on 'safe'"):
        spines.spine_chart(profile, domain="safe", observations=observations)


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_spine_overlaps_or_leaves_the_picture(spine, size):
    svg = spine.at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)
    assert not causal_words(spine.alt)


@pytest.fixture(scope="module")
def rug(scores):
    measures = scores[scores["node_id"] == "safe"].assign(
        node_id="susp_rate", node_label="Suspensions", kind="indicator"
    )
    measures["status"] = measures["status"].replace("computed", "not_ranked")
    both = pd.concat([scores, measures], ignore_index=True)
    areas = ["Leeds", "Rutland", "Hackney", "Cornwall", "Kent"]
    return rugs.tartan_rug(both, areas=areas, nodes=["learning", "safe", "susp_rate"], data_as_at=AS_AT)


def test_every_cell_of_a_rug_has_the_sign_of_its_interval(rug, scores):
    rows = scores.set_index(["node_id", "area_code"])
    for row in rug.data.itertuples():
        node = "safe" if row.node_id == "susp_rate" else row.node_id
        found = rows.loc[(node, row.area_code)]
        sign = 0 if np.isnan(found["lower"]) else (found["lower"] > 0) * 1 - (found["upper"] < 0) * 1
        if np.isnan(found["lower"]):
            assert row.against_england == ""  # Rutland has no figure: the cell stays empty
        elif row.node_id == "susp_rate":  # lower is better, and its own direction is told, not the score's
            assert row.against_england == {1: "lower", -1: "higher", 0: "similar"}[sign]
        else:
            assert row.against_england == {1: "better", -1: "worse", 0: "similar"}[sign]
    cells = len(rug.data) - int((rug.data["against_england"] == "").sum())
    kinds = rug.data.loc[rug.data["against_england"] != "", "against_england"].nunique()
    marks = drawn.marks(rug.svg())
    assert len(marks) == cells + kinds
    assert len({m.d for m in marks}) == len({m.fill for m in marks}) == kinds  # shape says the same as colour
    assert not drawn.overlaps(rug.svg(), theme.text_width)
    assert not drawn.outside(rug.svg(), theme.text_width)
    assert "3 Suspensions (contested)" in " ".join(drawn.texts(rug.svg()))


def _correlated(k: int = 6, n: int = 200) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Two groups of measures that move together within and not between, given out in mixed order."""
    rng = np.random.default_rng(1)
    common = rng.normal(size=(2, n))
    noise = [0.6, 0.6, 0.6, 0.6, 0.6, 2.0]  # the last goes with its group only weakly, but clearly
    x = pd.DataFrame({f"m{i}": common[i % 2] + noise[i] * rng.normal(size=n) for i in range(k)})
    r = x.corr()
    half = 1.645 / np.sqrt(n - 3)
    z = np.arctanh(r.clip(-0.999999, 0.999999))
    return r, {"lower": np.tanh(z - half), "upper": np.tanh(z + half)}


@pytest.fixture(scope="module")
def heat():
    r, bounds = _correlated()
    labels = {c: f"Measure {c}" for c in r.columns}
    return rugs.correlation_heatmap(
        r, **bounds, level=0.9, labels=labels, what="Correlation of scores", source="A publisher", data_as_at=AS_AT
    )


def test_measures_that_move_together_stand_together():
    r, _ = _correlated()
    order = rugs.clustered(r)
    groups = [int(name[1:]) % 2 for name in order]
    assert sorted(order) == sorted(r.columns)
    assert groups in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


def test_neighbours_are_as_alike_as_the_tree_allows():
    """Against every way of turning the branches of the same tree."""
    from scipy.cluster.hierarchy import linkage, to_tree
    from scipy.spatial.distance import squareform

    r, _ = _correlated()
    away = 1 - r.to_numpy()
    np.fill_diagonal(away, 0.0)
    root = to_tree(linkage(squareform(away, checks=False), method="average"))

    def orders(node):
        if node.is_leaf():
            return [[node.id]]
        pairs = [(a, b) for a in orders(node.left) for b in orders(node.right)]
        return [a + b for a, b in pairs] + [b + a for a, b in pairs]

    def steps(order):
        return sum(away[i, j] for i, j in pairwise(order))

    best = min(steps(order) for order in orders(root))
    found = [list(r.index).index(name) for name in rugs.clustered(r)]
    assert steps(found) == pytest.approx(best, abs=1e-12)  # sums of the same numbers


def test_cells_of_a_heatmap_have_the_shade_of_their_number_and_bold_where_clear(heat):
    cells = [s for s in drawn.shapes(heat.svg()) if s.stroke.upper() == "#FFFFFF" and s.width == "0.6"][5:]
    assert len(cells) == len(heat.data) == 15
    limits = np.array([-0.5, -0.2, 0.2, 0.5])
    for cell, row in zip(cells, heat.data.itertuples(), strict=True):
        assert cell.fill.upper() == theme.DIVERGING[int((row.estimate > limits).sum())]
    clear = (heat.data["lower"] > 0) | (heat.data["upper"] < 0)
    bold = [n for n, _, _ in drawn.placed(heat.svg()) if n.tag == f"{drawn.SVG}text" and n.get("font-size") == "6.8px"]
    assert sum(n.get("font-weight") == "bold" for n in bold) == int(clear.sum())
    top = heat.data.loc[heat.data["estimate"].abs().idxmax()]
    assert f"{top['estimate']:.2f}" in heat.title
    assert "90% interval" in heat.title
    assert "These are associations between areas, not between children." in heat.notes
    assert not drawn.overlaps(heat.svg(), theme.text_width)


def test_what_is_no_correlation_matrix_is_refused():
    r, bounds = _correlated()
    facts = {"level": 0.9, "labels": dict.fromkeys(r, "x"), "what": "w", "source": "s", "data_as_at": AS_AT}
    lopsided = r.copy()
    lopsided.iloc[0, 1] = 0.9
    for table, message in (
        (r.iloc[:, :3], "square table"),
        (r * 2, "outside -1 to 1"),
        (lopsided, "not symmetric"),
    ):
        with pytest.raises(FigureError, match=message):
            rugs.correlation_heatmap(table, **bounds, **facts)
    with pytest.raises(FigureError, match="name the 6 measures"):
        rugs.correlation_heatmap(r, **bounds, **facts, order=["m0"])


@pytest.mark.parametrize("level", [0.95, 0.998])
@pytest.mark.parametrize("form", ["proportion", "rate"])
def test_limits_of_a_funnel_leave_out_what_they_should(form, level):
    """Interpolated exact limits: the chance outside lies between that beyond the next counts on either side."""
    n = np.array([60.0, 400.0, 5000.0])
    low, high = funnels.control_limits(20.0, n, form=form, per=100.0, level=level)
    law = stats.binom(n, 0.2) if form == "proportion" else stats.poisson(n * 0.2)
    tail = (1 - level) / 2
    below = np.round(low / 100 * n, 9)
    assert (law.cdf(np.floor(below) - 1e-9) <= tail + 1e-12).all()
    assert (law.cdf(np.ceil(below)) >= tail - 1e-12).all()
    above = np.round(high / 100 * n, 9)
    assert (law.cdf(np.floor(above)) <= 1 - tail + 1e-12).all()
    assert (law.cdf(np.ceil(above)) >= 1 - tail - 1e-12).all()
    # With many children the limits are those of the normal distribution; a count of 1,000 is off by less than half a point.
    spread = np.sqrt(20 * 80 / 5000) if form == "proportion" else 100 * np.sqrt(0.2 / 5000)
    assert high[2] - 20 == pytest.approx(stats.norm.ppf(1 - tail) * spread, rel=0.06)


def test_limits_between_counts_are_those_worked_by_hand():
    """Ten children, a fifth: P(Y <= 4) = .96721, P(Y <= 5) = .99363, so that 97.5% lies 0.7051 of a step below 5."""
    low, high = funnels.control_limits(20.0, np.array([10.0]), form="proportion", level=0.95)
    assert high[0] == pytest.approx(100 * (5 - (0.9936306 - 0.975) / (0.9936306 - 0.9672065)) / 10, abs=1e-3)
    assert low[0] == 0.0  # P(Y = 0) = .107 is more than 2.5% already


def test_usual_differences_are_those_worked_by_hand():
    """Ten areas of 400, two of them far out. On the arcsine scale a step of 0.025 is one standard error.

    Distances -4, -1, -1, 0, 0, 0, 0, 1, 1, 8 have tenths at -1.3 and 1.7 (between the outer two on either side, a tenth
    of the way in); set to those, their mean square is (1.69 + 2.89 + 4) / 10 = 0.858. With ten alike in size the moments
    give 0.025^2 (10 * 0.858 - 9) / 9 < 0, so none; three times as far out, 7.722 and 0.025^2 (77.22 - 9) / 9.
    """
    steps = np.array([-4, -1, -1, 0, 0, 0, 0, 1, 1, 8.0])
    size, middle = np.full(10, 400.0), np.arcsin(np.sqrt(0.2))
    for factor, ratio, variance in ((1, 0.858, 0.0), (3, 7.722, 0.025**2 * (77.22 - 9) / 9)):
        values = 100 * np.sin(middle + 0.025 * factor * steps) ** 2
        found = limits.usual_differences(values, size, target=20.0, form="proportion")
        assert found.ratio == pytest.approx(ratio, rel=1e-9)
        assert found.spread == pytest.approx(np.sqrt(variance), rel=1e-9, abs=1e-12)
    low, high = found.limits(np.array([400.0]), level=0.95)
    half = 1.959964 * np.sqrt(0.025**2 + variance)
    assert [low[0], high[0]] == pytest.approx([100 * np.sin(middle + s * half) ** 2 for s in (-1, 1)], rel=1e-6)


@pytest.mark.parametrize(("form", "share"), [("proportion", 0.25), ("rate", 0.007)])
def test_usual_differences_come_back_from_areas_that_have_them(form, share):
    """2,000 areas with a known spread; drawing in the outer tenths costs some of it, so the spread found is smaller.

    Of a normal law drawn in at its outer tenths 0.80 (sd) remain (integrated below), so that the spread found lies at
    0.80 times the root of the whole variance, chance's taken off; its own error with 2,000 areas is about 2%.
    """
    rng = np.random.default_rng(11)
    n = np.rint(np.exp(rng.normal(8.0 if form == "proportion" else 11.0, 0.1, 2000)))
    even = (np.arcsin(np.sqrt(share)) if form == "proportion" else np.sqrt(share)) + rng.normal(0, 0.03, 2000)
    own = np.sin(even) ** 2 if form == "proportion" else even**2
    counts = rng.binomial(n.astype(int), own) if form == "proportion" else rng.poisson(n * own)
    found = limits.usual_differences(counts / n * 1000, n, target=share * 1000, form=form, per=1000.0)
    edge = stats.norm.ppf(0.9)
    kept = stats.norm.expect(lambda z: np.clip(z, -edge, edge) ** 2)
    whole = 0.03**2 + np.mean(0.25 / n)
    assert found.spread == pytest.approx(np.sqrt(kept * whole - np.mean(0.25 / n)), rel=0.06)
    inside = [((counts / n * 1000 >= lo) & (counts / n * 1000 <= hi)).mean() for lo, hi in [found.limits(n)]]
    assert 0.85 < inside[0] < 0.95  # nearly 95%: a little less, for what drawing in costs


def test_wide_limits_hold_those_of_chance_and_set_apart_fewer_areas():
    """Areas that differ by more than chance: many lie outside its limits, hardly any outside the wide ones."""
    rng = np.random.default_rng(5)
    names = list(upper_tier(ranked_only=True)["name"])
    sizes = np.rint(np.exp(rng.normal(7.5, 0.8, len(names))))
    share = np.sin(np.arcsin(np.sqrt(0.2)) + rng.normal(0, 0.06, len(names))) ** 2
    table = pd.DataFrame(
        {"area_name": names, "value": 100 * rng.binomial(sizes.astype(int), share) / sizes, "denominator": sizes}
    )
    facts = {"name": "A share", "unit": "%", "target": 20.0, "source": "A publisher", "data_as_at": AS_AT}
    figure = funnels.funnel_plot(table, **facts, period="2024/25")
    beyond, apart = (int(figure.data[c].eq("99.8%").sum()) for c in ("outside", "outside_usual"))
    assert beyond > 40
    assert apart <= 6  # 0.3 expected outside 99.8%, a few more for what drawing in costs
    assert figure.data.loc[figure.data["outside_usual"] == "99.8%", "outside"].eq("99.8%").all()
    assert figure.title.endswith(f"{apart} by more than areas usually differ")
    wide = [s for s in drawn.shapes(figure.svg()) if s.stroke]  # drawn at all, beside the key's own line
    assert len(drawn.strokes(figure.svg(), width="1.2")) > 100, wide[:3]


@pytest.fixture(scope="module")
def funnel():
    """Areas that differ by chance alone, one far out and one without a count."""
    rng = np.random.default_rng(7)
    names = list(upper_tier(ranked_only=True)["name"])
    sizes = np.rint(np.exp(rng.normal(6.5, 0.8, len(names))))
    values = 100 * rng.binomial(sizes.astype(int), 0.2) / sizes
    table = pd.DataFrame({"area_name": names, "value": values, "denominator": sizes})
    table.loc[0, "value"] = 45.0
    table.loc[1, "denominator"] = np.nan
    facts = {"name": "A share", "unit": "%", "target": 20.0, "source": "A publisher", "data_as_at": AS_AT}
    return funnels.funnel_plot(table, **facts, period="2024/25"), names


def test_chance_alone_puts_hardly_any_area_outside_and_the_far_one_is_named(funnel):
    figure, names = funnel
    outside = figure.data["outside"].value_counts()
    assert 1 <= outside["99.8%"] <= 3  # 0.3 expected by chance and one put there
    assert outside.get("95%", 0) <= 18  # 7.5 expected; more than 18 has a chance below 1 in 1,000
    marks = drawn.marks(figure.svg())[3:]  # the first three are the key's
    assert len(marks) == 150
    assert [m.fill == theme.DUO[0] for m in marks] == figure.data["outside_usual"].eq("99.8%").tolist()
    assert [m.fill != theme.PAPER for m in marks] == figure.data["outside"].eq("99.8%").tolist()
    assert names[0] in drawn.texts(figure.svg())
    assert any(names[1] in note for note in figure.notes)
    assert not any("beyond chance" in note for note in figure.notes)


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_funnel_overlaps_or_leaves_the_picture(funnel, size):
    svg = funnel[0].at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)


def test_a_funnel_without_counts_is_refused(funnel):
    table = funnel[0].data
    facts = {"name": "n", "unit": "%", "target": 20.0, "source": "s", "data_as_at": AS_AT, "period": "2024/25"}
    with pytest.raises(FigureError, match="five are needed"):
        funnels.funnel_plot(table.head(3), **facts)
    with pytest.raises(FigureError, match="not positive"):
        funnels.funnel_plot(table.assign(denominator=0.0), **facts)
    with pytest.raises(FigureError, match="columns are missing: denominator"):
        funnels.funnel_plot(table.drop(columns="denominator"), **facts)


@pytest.fixture(scope="module")
def card():
    row = {
        "indicator_id": "mh", "name": "Admissions", "unit": "per 100,000 children", "period": "2023/24",
        "reliability": 0.78, "pairs_differ": 0.42, "smallest_change": 36.5, "differ_from_england": np.nan, "n_areas": 146,
        "contested": "admissions are not prevalence", "use_rank": False, "use_change": False, "use_england": True,
        "withheld_rank": "which way is better is disputed", "withheld_england": "",
        "withheld_change": "a reason so long that it cannot but be broken into at least two lines on any page there is",
    }  # fmt: skip
    result = SimpleNamespace(table=pd.DataFrame([row]), manifest=None)
    return fitness_cards.fitness_card(result, "mh", data_as_at=AS_AT), result


def test_a_card_says_yes_or_no_with_the_reason_in_sign_and_words(card):
    figure, result = card
    words = " ".join(drawn.texts(figure.svg()))
    for said in ("Ranking authorities: no", "Setting beside England: yes", "Which way is better is disputed", "78%"):
        assert said in words
    assert "not known" in words  # a number that is missing is said to be so
    marks = drawn.marks(figure.svg())
    assert [m.fill for m in marks] == [theme.AGAINST[0], theme.AGAINST[0], theme.AGAINST[2]]
    assert marks[0].d == marks[1].d != marks[2].d
    assert figure.title == "Admissions (contested): fit for setting beside England"
    assert any("admissions are not prevalence" in note for note in figure.notes)
    with pytest.raises(FigureError, match="No card of 'other'"):
        fitness_cards.fitness_card(result, "other")


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_card_overlaps_or_leaves_the_picture(card, size):
    svg = card[0].at(size).svg()
    assert not drawn.overlaps(svg, theme.text_width)
    assert not drawn.outside(svg, theme.text_width)
