"""England's own score beside its authorities', and figures that count only so far from it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import outcomes_analysis as oa
from outcomes_analysis.index import FigureDraws, index_model, replicate
from outcomes_analysis.index.capping import capped, capped_error, limits
from outcomes_analysis.index.matrix import UNSURE
from outcomes_analysis.index.montecarlo.replicates import nominal
from outcomes_analysis.index.nation import COUNTS, WEIGHTED, stand_ins
from outcomes_analysis.index.score_rows import among_many

RUTLAND = "E06000017"
ENGLAND = "E92000001"
SMALL = ["E09000001", "E06000053"]  # City of London, Isles of Scilly


@pytest.mark.parametrize(("score", "error"), [(0, 1), (2.9, 5), (10.6, 5.25), (-3.8, 0.5), (3, 0.2), (0.5, 0.01)])
def test_error_of_a_capped_score_by_simulation(score, error):
    drawn = np.clip(np.random.default_rng(0).normal(score, error, size=400_000), -3, 3)
    expected = np.sqrt(np.mean((drawn - np.clip(score, -3, 3)) ** 2))
    # the Monte Carlo error of a root mean square of 400,000 is about a thousandth of it; rare tails a little more
    assert capped_error(np.array([score]), np.array([error]), 3.0)[0] == pytest.approx(expected, rel=0.006, abs=1e-9)


def test_error_without_a_cap_or_known_exactly_or_unknown_stays():
    scores, errors = np.array([10.0, 1.0, 1.0, np.nan]), np.array([2.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(capped_error(scores, errors, None), errors)
    np.testing.assert_array_equal(capped_error(scores, errors, 3.0)[1:], errors[1:])


@given(st.floats(-50, 50), st.floats(0, 20), st.floats(0.5, 5))
def test_capped_error_is_a_number_between_nothing_and_the_error_given(score, error, cap):
    found = capped_error(np.array([score]), np.array([error]), cap)[0]
    assert 0 <= found <= error
    assert abs(capped(np.array([score]), cap)[0]) <= cap


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=8), st.floats(0.5, 5))
def test_capping_never_turns_an_order_round(values, cap):
    ordered = np.sort(np.array(values))
    assert (np.diff(capped(ordered, cap)) >= 0).all()


def test_one_rounded_figure_makes_no_rank(matrix, index):
    """Rutland is first on Safe through one 100 % alone, and not once it counts as three standard deviations."""
    plain = oa.build_index(matrix, spec=oa.IndexSpec(cap=None))
    raw = plain.scores.loc[RUTLAND, "cla_long_stable_pct"]
    assert raw > 10
    assert index.scores.loc[RUTLAND, "cla_long_stable_pct"] == raw  # the indicator itself stays as published
    assert index.counted.loc[RUTLAND, "cla_long_stable_pct"] == 3
    rank = {name: found.table.query("node_id == 'safe' and area_code == @RUTLAND")["rank"].iloc[0]
            for name, found in (("plain", plain), ("capped", index))}  # fmt: skip
    assert rank["plain"] == 1
    assert rank["capped"] > 5
    assert index.capped.iloc[0]["area_code"] in {RUTLAND, *SMALL}
    assert (index.capped["score"].abs() > 3).all()
    assert (index.capped["counted"].abs() == 3).all()
    assert f"{len(index.capped)} figures lie further than 3 standard deviations" in index.text
    assert plain.capped.empty
    assert "count as" not in plain.text


def test_engine_agrees_on_capped_scores(index):
    model = index_model(index)
    found = pd.DataFrame(
        (nominal(model).T - 100) / 10, index=model.values.index, columns=[b.id for b in model.tree.branches]
    )
    for name in index.domains:
        expected = index.scores.loc[model.values.index, name]
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-10)  # rounding of 100 + 10 z and back


def test_drawn_figures_are_capped_too(index):
    """No draw of a node of capped parts lies beyond the cap, however wide the errors."""
    model = index_model(index)
    wide = replace(model, errors=model.errors * 20)
    drawn = replicate(wide, figures=FigureDraws(shrink="no"), draws=64, seed=1).table
    assert drawn["upper"].max() <= 3 + 1e-9
    assert drawn["lower"].min() >= -3 - 1e-9
    free = replicate(replace(wide, limits=None), figures=FigureDraws(shrink="no"), draws=64, seed=1).table
    assert free["upper"].max() > 3


def test_limits_are_the_cap_on_the_indicators_own_scale(matrix):
    found = limits(matrix.reference, 3.0)
    z = (found["high"] - matrix.reference["centre"]) / matrix.reference["scale"]
    np.testing.assert_allclose(z, 3)
    assert limits(matrix.reference, None) is None


def test_a_figure_whose_error_nobody_knows_takes_no_part(matrix, index):
    for code in SMALL:
        assert matrix.status.loc[code, "cpp_repeat_pct"] == UNSURE
        assert np.isnan(matrix.values.loc[code, "cpp_repeat_pct"])
    assert (matrix.status == UNSURE).to_numpy().sum() == 2
    assert matrix.se_sampling.notna().equals(matrix.values.notna())
    assert "2 published figures take no part" in index.text


def test_a_small_place_made_of_ends_is_not_computed(index, matrix):
    row = index.table.query("node_id == 'engaged' and area_code == 'E09000001'").iloc[0]
    assert row["status"] == "not_computed"
    assert np.isnan(row["estimate"])
    plain = oa.build_index(matrix, spec=oa.IndexSpec(cap=None))
    assert plain.scores.loc["E09000001", "engaged"] > 4


def test_england_by_hand(matrix, index, observations):
    """Hospital admissions for injuries at 15 to 24: England's figure of 2023/24 against its base period."""
    rows = observations.query("indicator_id == 'inj_15_24' and area_code == @ENGLAND and group_type == 'all'")
    now = rows.set_index("period").loc["2023/24", "value"]
    standard = matrix.reference.loc["inj_15_24"]
    base = rows.set_index("period").loc[standard["base_period"], "value"]
    expected = -(np.log(now) - np.log(base)) / standard["scale"]
    table = index.table.query("node_id == 'inj_15_24'")
    assert table["england"].iloc[0] == pytest.approx(expected, abs=1e-9)
    assert table["england"].nunique() == 1


def test_england_is_nought_in_the_base_period_where_all_is_published(observations, framework):
    early = oa.build_index(oa.build_matrix(observations, framework=framework, period=2023))
    for name in ("learning", "healthy", "happy"):
        node = early.nodes[name]
        same = (early.matrix.nation["measured"] == early.matrix.reference["base_period"])[node.weights.index]
        if same.all():
            assert node.england == pytest.approx(0, abs=1e-12), name
    assert abs(early.nodes["learning"].england) < 0.05


def test_england_has_the_weights_of_the_areas(index):
    for name in index.domains:
        node = index.nodes[name]
        parts = pd.Series({i: index.nodes[i].england for i in node.weights.index}).clip(-3, 3)
        assert node.england == pytest.approx(parts @ node.weights["weight"], abs=1e-12), name


def test_against_england_follows_the_interval_of_the_difference(index):
    table = index.table
    z = 1.6448536269514722
    errors = np.concatenate([v.england_alike_error for v in index.nodes.values()])
    half = z * np.hypot((table["upper"] - table["estimate"]) / z, errors)
    away = table["estimate"] - table["england_alike"]
    known = away.notna()
    assert (table.loc[~known, "against_england"] == "").all()
    expected = np.where(away > half, "above", np.where(away < -half, "below", "not clear"))
    np.testing.assert_array_equal(table.loc[known, "against_england"], expected[known])
    assert {"above", "below", "not clear"} == set(table.loc[known, "against_england"])


def test_where_england_publishes_nothing_an_estimate_stands_in(matrix, index):
    assert matrix.nation["how"].to_dict()["fte_yjs"] == WEIGHTED
    assert (matrix.nation["how"].drop("fte_yjs") == "published").all()
    values = matrix.values["fte_yjs"].dropna()
    assert values.quantile(0.25) < matrix.nation.at["fte_yjs", "value"] < values.quantile(0.75)
    assert "No figure for England is used for First-time entrants" in index.text
    assert "0 is the mean of authorities in the base period, not England" in index.text


def test_stand_ins_of_england_by_hand(observations, framework):
    latest = observations.query("indicator_id == 'inj_15_24' and period == '2023/24' and group_type == 'all'")
    latest = latest[latest["area_code"].str.startswith(("E06", "E08", "E09", "E10")) & latest["value"].notna()]
    found = stand_ins(latest, framework=framework, observations=observations, indicators=["inj_15_24"])
    assert found["how"].tolist() == [WEIGHTED]
    counted = latest.assign(numerator=latest["value"] * latest["denominator"] / 10_000)
    exact = stand_ins(counted, framework=framework, observations=observations, indicators=["inj_15_24"]).iloc[0]
    assert exact["how"] == COUNTS
    assert exact["value"] == pytest.approx(np.average(latest["value"], weights=latest["denominator"]))
    published = observations.query("indicator_id == 'inj_15_24' and period == '2023/24' and area_code == @ENGLAND")
    # children under 18 stand for people of 15 to 24, whose number follows them but loosely
    assert found["value"].iloc[0] == pytest.approx(published["value"].iloc[0], rel=0.05)
    assert exact["value"] == pytest.approx(published["value"].iloc[0], rel=0.02)  # events without a known place


def test_intervals_of_ranks_and_chances_of_a_fifth_agree(index):
    table = oa.uncertainty(index, draws=2_000, seed=1).table
    assert {"england", "against_england"} <= set(table)
    ranked = table[table["ranked"]]
    n = ranked.groupby("node_id")["area_code"].transform("size")
    for column, outside, inside in (
        ("p_bottom_fifth", ranked["rank_upper"] <= n - n / 5, ranked["rank_lower"] > n - n / 5),
        ("p_top_fifth", ranked["rank_lower"] > n / 5, ranked["rank_upper"] <= n / 5),
    ):
        assert ranked.loc[outside, column].max() <= 0.14 + 1e-9
        assert ranked.loc[inside, column].min() >= 0.86 - 1e-9


def test_places_that_stay_clear_among_many_are_those_of_the_step_up_rule(index, matrix):
    large = matrix.areas["ranked"].to_numpy(bool)
    named = {}
    for name in index.domains:
        score = index.nodes[name]
        ways = [score.beside] if score.agreed is None else [score.beside, score.agreed]
        z = np.array([(w.estimate - w.england_alike) / np.hypot(w.error, w.england_alike_error) for w in ways])[
            :, large
        ]
        chance = 2 * norm.sf(np.abs(z).min(axis=0))
        chance[(np.sign(z) != np.sign(z[0])).any(axis=0)] = 1
        # Benjamini and Hochberg by hand: the largest k of which the k-th smallest chance is within k tenths of all
        order = np.argsort(chance)
        within = [k + 1 for k, at in enumerate(order) if chance[at] <= 0.1 * (k + 1) / len(order)]
        kept = order[: max(within, default=0)]
        named[name] = among_many(score, large, level=0.9)
        assert named[name] == (int((z[0][kept] > 0).sum()), int((z[0][kept] < 0).sum()))
        alone = index.table[index.table["node_id"] == name]["standing"].value_counts()
        assert named[name][0] <= alone["above"]
        assert named[name][1] <= alone["below"]
    assert sum(named["healthy"]) < 80  # of 80 that the intervals alone name


def test_chance_alone_names_hardly_any_once_the_number_compared_is_allowed_for(index):
    rng = np.random.default_rng(4)
    score, large = index.nodes["healthy"], np.ones(151, dtype=bool)
    nothing = dict.fromkeys(("england_alike", "england_alike_error"), np.zeros(151))
    drawn = [replace(score, estimate=rng.normal(size=151), error=np.ones(151), **nothing) for _ in range(200)]
    any_named = np.mean([sum(among_many(one, large, level=0.9)) > 0 for one in drawn])
    assert any_named < 0.1 + 3 * np.sqrt(0.09 / 200)  # one in ten sets of figures at most; three binomial errors
    disputed = replace(drawn[0], estimate=np.full(151, 9.0), contested=1.0)
    assert among_many(disputed, large, level=0.9) == (0, 0)
