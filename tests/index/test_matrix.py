"""The matrix and the scores on the release: hand-made cells, bars, ages, and properties."""

import numpy as np
import pandas as pd
import pytest

import outcomes_analysis as oa
from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.matrix import ENGLAND
from outcomes_analysis.pipeline import default_index


@pytest.fixture(scope="module")
def index():
    return default_index(2024)


@pytest.fixture(scope="module")
def matrix(index):
    return index.matrix


def plain(observations, indicator):
    return observations[(observations["indicator_id"] == indicator) & (observations["group_type"] == "all")]


def test_all_153_authorities_stand_in_the_matrix(matrix):
    assert len(matrix.values) == 153
    assert not matrix.values.index.duplicated().any()
    assert (~matrix.areas["ranked"]).sum() == 2


def test_a_cell_is_the_latest_figure_measured_in_time(matrix, observations):
    rows = plain(observations, "gld_pct").set_index(["area_code", "period"])["value"]
    assert matrix.values.loc["E09000012", "gld_pct"] == rows["E09000012", "2023/24"] == 69.2  # Hackney, LAIT
    assert matrix.measured.loc["E09000012", "gld_pct"] == "2023/24"
    assert matrix.age.loc["E09000012", "gld_pct"] == 0


def test_older_figures_than_allowed_are_left_out(matrix, framework):
    for name in matrix.values:
        assert matrix.age[name].max() <= framework.indicator(name).max_age
    assert matrix.age.min().min() >= 0


def test_inherited_figures_are_named_but_never_used(observations, framework):
    matrix = oa.build_matrix(observations, framework=framework, period=2022)
    inherited = matrix.status == "inherited"
    assert inherited.to_numpy().sum() > 20  # Cumbria's successors above all
    assert matrix.values.where(inherited).isna().all().all()
    assert set(inherited.index[inherited.any(axis=1)]) <= {
        "E06000061",
        "E06000062",
        "E06000063",
        "E06000064",
        "E06000059",
    }


def test_england_is_nought_and_the_spread_is_one_in_the_base_period(observations, framework):
    matrix = oa.build_matrix(observations, framework=framework, period=2023)
    scores, _ = matrix.standardised()
    ranked = matrix.areas["ranked"]
    checked = 0
    for name in scores:
        indicator = framework.indicator(name)
        if not (matrix.measured.loc[matrix.values[name].notna(), name] == indicator.base_period).all():
            continue
        assert scores.loc[ranked, name].std(ddof=1) == pytest.approx(1, abs=1e-9), name
        base = plain(observations, name)
        england = base[(base["area_code"] == ENGLAND) & (base["period"] == indicator.base_period)]["value"]
        if len(england):
            better = matrix.values[name] > england.iloc[0]
            side = np.sign(scores[name]) == np.where(better, 1, -1) * indicator.direction
            apart = (matrix.values[name] - england.iloc[0]).abs() > 1e-9
            # in the two smallest places half a child may stand beyond England's rate
            assert side[apart & ranked & matrix.values[name].notna()].all(), name
        checked += 1
    assert checked >= 20


def test_one_score_by_hand(matrix, index, observations):
    """Attainment 8 of Hackney, identity scale: (51.2 - 46.3) / sd of 2022/23."""
    base = plain(observations, "attainment8").query("period == '2022/23' and status == 'published'")
    ranked = matrix.areas.index[matrix.areas["ranked"]]
    spread = base[base["area_code"].isin(ranked)]["value"].std(ddof=1)
    row = index.table.query("node_id == 'attainment8' and area_code == 'E09000012'").iloc[0]
    assert row["estimate"] == pytest.approx((51.2 - 46.3) / spread, abs=1e-9)
    assert row["upper"] - row["estimate"] == pytest.approx(
        1.6448536 * matrix.se_total.loc["E09000012", "attainment8"] / spread, rel=1e-6
    )


def test_scores_of_parts_make_up_the_domain(index):
    for name in index.domains:
        node = index.nodes[name]
        z = index.counted[node.weights.index].to_numpy()
        whole = np.nansum(z * node.effective, axis=1)
        computed = np.isfinite(node.estimate)
        np.testing.assert_allclose(whole[computed], node.estimate[computed], atol=1e-12)
        np.testing.assert_allclose(node.effective[computed].sum(axis=1), 1)


def test_happy_is_never_ranked_and_there_is_no_overall(index, matrix):
    happy = index.table[index.table["node_id"] == "happy"]
    assert happy["rank"].isna().all()
    assert set(happy["status"]) <= {"not_ranked", "not_computed"}
    assert "overall" not in set(index.table["node_id"])
    asked = oa.build_index(matrix, spec=oa.IndexSpec(overall=True))
    parts = asked.scores[["safe", "healthy", "learning", "engaged"]].mean(axis=1, skipna=False)
    pd.testing.assert_series_equal(asked.scores["overall"], parts, check_names=False)


def test_small_places_are_shown_and_not_ranked(index):
    small = index.table[index.table["area_code"].isin(["E09000001", "E06000053"])]
    assert small["rank"].isna().all()
    assert small["estimate"].notna().any()


def test_neutral_indicators_enter_only_by_name_and_with_a_direction(observations, framework):
    default = oa.build_matrix(observations, framework=framework, period=2024)
    assert all(framework.indicator(n).direction != 0 for n in default.values)
    wider = oa.build_matrix(observations, framework=framework, period=2024, include=["cla_rate"])
    with pytest.raises(SpecError, match="no agreed direction"):
        oa.build_index(wider, spec=oa.IndexSpec(include=("cla_rate",)))
    named = oa.build_index(wider, spec=oa.IndexSpec(include=("cla_rate",), directions=(("cla_rate", -1),)))
    both = pd.concat([named.scores["cla_rate"], wider.values["cla_rate"]], axis=1).dropna()
    assert both.corr(method="spearman").iloc[0, 1] == pytest.approx(-1)


def test_below_the_threshold_a_domain_is_not_computed(matrix):
    strict = oa.build_index(matrix, spec=oa.IndexSpec(availability=1.0))
    rows = strict.table[strict.table["kind"] == "domain"]
    lacking = rows["availability"] < 1 - 1e-9
    assert lacking.any()
    assert (rows["status"] == "not_computed").equals(lacking)
    assert rows.loc[lacking, "estimate"].isna().all()


def test_doublets_count_once(matrix, framework):
    """Leaving out all but one of a doublet moves weights of nothing else."""
    full = oa.build_index(matrix).nodes["learning"].weights
    group = full[full["group"] == "qualifications"].index
    assert len(group) > 2
    fewer = oa.build_index(matrix, spec=oa.IndexSpec(exclude=tuple(group[1:]))).nodes["learning"].weights
    others = full.index.difference(group)
    pd.testing.assert_series_equal(full.loc[others, "weight"], fewer.loc[others, "weight"])
    assert fewer.loc[group[0], "weight"] == pytest.approx(full.loc[group, "weight"].sum())


def test_order_of_rows_does_not_matter_and_inputs_stay_as_they_were(observations, framework, index):
    before = pd.util.hash_pandas_object(observations).sum()
    shuffled = observations.sample(frac=1, random_state=1)
    again = oa.build_index(oa.build_matrix(shuffled, framework=framework, period=2024))
    pd.testing.assert_frame_equal(again.table, index.table)
    assert pd.util.hash_pandas_object(observations).sum() == before


def test_uncertainty_is_the_same_each_time_and_ranks_lie_in_their_intervals(index):
    one, two = (oa.uncertainty(index, draws=1000, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, two.table)
    ranked = one.table[one.table["ranked"]]
    assert (ranked["rank_lower"] <= ranked["rank"]).all()
    assert (ranked["rank"] <= ranked["rank_upper"]).all()
    assert ranked["p_bottom_fifth"].between(0, 1).all()
    # a fifth of the places is in the lowest fifth in every draw
    assert ranked.groupby("node_id")["p_bottom_fifth"].mean().between(0.19, 0.21).all()


def test_nothing_measured_in_time_is_said(observations, framework):
    with pytest.raises(SpecError, match=r"Nothing was measured by 1990.*Figures run from 2013 to 2025"):
        oa.build_matrix(observations, framework=framework, period=1990)
