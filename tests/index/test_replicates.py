"""The Monte Carlo engine: each replicate against plain loops, no idle factor, one result whatever the cores."""

import joblib
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index import normalise, treat, uncertainty
from outcomes_analysis.index.montecarlo import replicates as replicates_module
from outcomes_analysis.index.montecarlo import tallies as tallies_module
from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    BasePeriodFactor,
    ImputationFactor,
    NormalisationFactor,
    OmissionFactor,
    TreatmentFactor,
    WeightFactor,
)
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.kernels import ranks_of
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.nominal import index_model
from outcomes_analysis.index.montecarlo.replicates import dry_run, nominal, replicate
from outcomes_analysis.index.montecarlo.sensitivity_indices import sensitivity
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.pipeline import default_index

LEAVES = ["a", "b", "c", "d", "e", "f"]
PARENTS = {"a": "first", "b": "first", "c": "first", "d": "second", "e": "second", "f": "top", "first": "top"}
PARENTS |= {"second": "top"}
MINMAX = {"method": "minmax", "lower": 1, "upper": 100}
MENU = (
    TreatmentFactor(methods=("none", {"method": "skew_kurtosis", "maximum": 2})),
    NormalisationFactor(methods=(MINMAX, {"method": "zscore", "mean": 100, "sd": 10})),
    WeightFactor(spread=0.5),
    AggregationFactor(methods=("arithmetic", "geometric", "harmonic")),
    OmissionFactor(),
)


def small(*, missing=True, n=30, **more):
    """An unbalanced tree: an indicator hangs from the top beside two nodes."""
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.normal(size=(n, 6)), columns=LEAVES, index=[f"u{i:02d}" for i in range(n)])
    x.iloc[0, 0], x.iloc[1, 4] = 40.0, -30.0  # outliers to treat
    if missing:
        x.iloc[3, 1] = x.iloc[4, 3] = x.iloc[4, 4] = np.nan
    tree = Tree.build(PARENTS, leaves=LEAVES, weights={"a": 2.0, "second": 3.0})
    given = {"directions": {"b": -1, "e": -1}, "errors": x * 0 + 0.4, "normalisation": MINMAX}
    return IndexModel(x, tree, **(given | more))


def by_hand(model, choice, weights):
    """One replicate with the step functions and loops."""
    treatment, normalisation, mean = choice["treatment"], choice["normalisation"], choice["aggregation"]
    method = "none" if treatment == "none" else {"method": "skew_kurtosis", "maximum": 2}
    x = treat(model.values, method=method).values
    way = MINMAX if "minmax" in normalisation else {"method": "zscore", "mean": 100, "sd": 10}
    signs = pd.Series({n: model.directions.get(n, 1) for n in LEAVES})
    scores = dict(normalise(x, method=way, directions=signs).values.items())
    for branch in model.tree.branches:
        parts = [model.tree.elements[p] for p in branch.parts]
        rows = []
        for unit in model.values.index:
            w = np.array([weights[p] for p in parts])
            v = np.array([scores[p][unit] for p in parts])
            w, v = w[np.isfinite(v) & (w > 0)], v[np.isfinite(v) & (w > 0)]
            if not len(w):
                rows.append(np.nan)
            elif mean == "arithmetic":
                rows.append(np.sum(w * v) / w.sum())
            else:
                rows.append(np.exp(np.sum(w * np.log(v)) / w.sum()) if mean == "geometric" else w.sum() / np.sum(w / v))
        scores[branch.id] = pd.Series(rows, index=model.values.index)
    return scores


@pytest.mark.parametrize("missing", [False, True])
def test_each_replicate_is_what_the_steps_give(missing):
    model = small(missing=missing)
    found = replicate(model, factors=MENU, draws=40, seed=3)
    weights = found.weights()
    ranks = {b.id: found.tally.ranks(i) for i, b in enumerate(model.tree.branches)}
    for r, choice in found.choices.iterrows():
        expected = by_hand(model, choice, weights.loc[r])
        for node, kept in ranks.items():
            rank = expected[node].rank(ascending=False, method="min").fillna(0).to_numpy()
            np.testing.assert_array_equal(kept[r], rank, err_msg=f"replicate {r}, {node}: {dict(choice)}")


def test_the_table_says_what_each_replicate_did():
    found = replicate(small(), factors=MENU, draws=64)
    assert list(found.choices.columns) == ["treatment", "normalisation", "weights", "aggregation", "omission"]
    weights = found.weights()
    assert set(found.choices["omission"]) == {"none", *LEAVES}
    for r, name in found.choices["omission"].items():
        assert name == "none" or weights.loc[r, name] == 0
    np.testing.assert_allclose(weights[["a", "b", "c"]].sum(axis=1), 1)
    # 64 points of a Sobol' sequence fill two alternatives evenly
    assert found.choices["treatment"].value_counts().tolist() == [32, 32]


def test_a_dry_run_says_the_same_without_computing(monkeypatch):
    model, factors = small(), (*MENU, ImputationFactor(draws=4, none=True))
    found = replicate(model, factors=factors, draws=48, seed=7)

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(replicates_module, "node_scores", refuse)
    table = dry_run(model, factors=factors, draws=48, seed=7, weights=True)
    pd.testing.assert_frame_equal(table[list(found.choices)], found.choices)
    np.testing.assert_array_equal(table.filter(like="weight: ").to_numpy(), found.weights().to_numpy())
    assert set(table["imputation"]) == {"gaps left", "draw 1", "draw 2", "draw 3", "draw 4"}
    with pytest.raises(SpecError, match="changes nothing"):
        dry_run(model, factors=[AggregationFactor(methods=("arithmetic",))])


def test_ranks_share_ties_and_leave_out_what_is_missing():
    scores = np.array([[3.0, 1.0, 3.0, np.nan, 2.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    assert ranks_of(scores).tolist() == [[1, 4, 1, 0, 3], [1, 1, 1, 1, 1]]


@pytest.mark.slow
def test_the_same_whatever_the_number_of_processes():
    model = small()
    one, two = (replicate(model, factors=MENU, figures=FigureDraws(), draws=2_500, n_jobs=k) for k in (1, 2))
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.choices, two.choices)


@pytest.mark.slow
def test_the_same_on_a_dask_cluster():
    """A user who outgrows one machine registers Dask as joblib's backend, and changes nothing else."""
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    model = small()

    def made():
        found = replicate(model, factors=MENU, figures=FigureDraws(), draws=2_500)
        return found, sensitivity(model, factors=MENU, runs=8_192, nodes=["top"])

    here, shares = made()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        there, shares_there = made()
        # the blocks were worked on by the cluster's processes
        ran = client.run(lambda dask_worker: dask_worker.state.executed_count)
        assert sum(ran.values()) >= 10  # 3 blocks of replicates and 7 of the design
    pd.testing.assert_frame_equal(here.table, there.table)
    pd.testing.assert_frame_equal(here.choices, there.choices)
    pd.testing.assert_frame_equal(shares.table, shares_there.table)


def test_inputs_are_left_as_they_were():
    model = small()
    before = model.values.copy(), model.errors.copy()
    replicate(model, factors=MENU, figures=FigureDraws(), draws=50)
    pd.testing.assert_frame_equal(model.values, before[0])
    pd.testing.assert_frame_equal(model.errors, before[1])


@pytest.mark.parametrize(
    ("factor", "named"),
    [
        (TreatmentFactor(methods=("none", {"method": "skew_kurtosis", "skew": 50.0}), name="taming"), "taming"),
        (NormalisationFactor(methods=(MINMAX, dict(MINMAX)), name="scales"), "scales"),
        (WeightFactor(method="given", sets={"one": {"a": 2.0}, "two": {"a": 2}}, name="sets"), "sets"),
        (AggregationFactor(methods=("arithmetic",), name="means"), "means"),
        (OmissionFactor(indicators=("a",), none=False, name="out"), "out"),
        (BasePeriodFactor(periods=("2019", "2024"), name="years"), "years"),
    ],
)
def test_a_factor_that_changes_nothing_is_named(factor, named):
    with pytest.raises(SpecError, match=named):
        replicate(small(), factors=[factor], draws=10)


def test_base_periods_change_scores_by_reference():
    model = small(missing=False)
    table = pd.DataFrame({"centre": 0.0, "scale": 1.0}, index=LEAVES)
    other = table.assign(scale=[1.0, 2.0, 1.0, 1.0, 3.0, 1.0])
    model = small(missing=False, normalisation="reference", references={"2019": table, "2024": other})
    found = replicate(model, factors=[BasePeriodFactor(periods=("2019", "2024"))], draws=8)
    assert set(found.choices["base_period"]) == {"2019", "2024"}
    same = small(missing=False, normalisation="reference", references={"2019": table, "2024": table.copy()})
    with pytest.raises(SpecError, match="changes nothing"):
        replicate(same, factors=[BasePeriodFactor(periods=("2019", "2024"))], draws=8)


def test_factors_that_step_on_each_other_are_refused_all_at_once():
    both = [WeightFactor(), WeightFactor(), TreatmentFactor(), TreatmentFactor(name="again")]
    with pytest.raises(SpecError, match=r"(?s)called 'weights'.*kind 'treatment'"):
        replicate(small(), factors=both, draws=10)
    with pytest.raises(ValidationError):
        WeightFactor(spread=1.5)


def test_levels_may_differ_in_their_mean():
    model = small(missing=False)
    lower = AggregationFactor(name="below", nodes=("first", "second"))
    upper = AggregationFactor(name="at the top", nodes=("top",))
    found = replicate(model, factors=[lower, upper], draws=64)
    assert len(found.choices.drop_duplicates()) == 4


def test_a_mean_that_needs_positive_scores_names_the_indicators():
    model = small(normalisation="zscore")
    with pytest.raises(SpecError, match=r"geometric mean needs values above 0.*6 indicators|indicators have"):
        replicate(model, factors=[AggregationFactor()], draws=10)


def test_dirichlet_weights_have_the_moments_of_dirichlet():
    model = small(missing=False)
    factor = WeightFactor(method="dirichlet", concentration=4.0, within=("first",))
    weights = replicate(model, factors=[factor], draws=4_096).weights()[["a", "b", "c"]]
    share, total = np.array([0.5, 0.25, 0.25]), 12.0  # weights 2 : 1 : 1, concentration 4 times three parts
    # Monte Carlo error with 4,096 points is at most .002
    np.testing.assert_allclose(weights.mean(), share, atol=0.005)
    np.testing.assert_allclose(weights.var(), share * (1 - share) / (total + 1), rtol=0.1)


@pytest.mark.parametrize("kept", [True, False], ids=["exact", "histograms"])
def test_bounds_of_drawn_figures_agree_with_chances_of_a_fifth(kept, monkeypatch):
    """An interval that leaves the lowest fifth out comes with a chance of at most 2.8 tails (14 %) of being in it, since
    half of what it rests on are the draws that give the chance, with tails 1.4 times the nominal ones; one that lies in
    it, with at least the rest."""
    if not kept:
        monkeypatch.setattr(tallies_module, "EXACT_CELLS", 0)
    n = 100
    found = replicate(small(n=n, missing=False), figures=FigureDraws(), draws=2_000).table.query("node_id == 'top'")
    outside, within = found["rank_upper"] <= 4 * n / 5, found["rank_lower"] > 4 * n / 5
    assert outside.sum() > 10
    assert found.loc[outside, "p_bottom_fifth"].max() <= 0.14
    assert (found.loc[within, "p_bottom_fifth"] >= 0.86).all()
    # the rule by hand, from the ranks kept
    if kept:
        tally = replicate(small(n=n, missing=False), figures=FigureDraws(), draws=2_000).tally
        top = len(tally.ranked) - 1
        field, own = tally.ranks(top), np.concatenate([r[top] for r in tally._own])
        both = np.sort(np.concatenate([field, own]), axis=0)
        np.testing.assert_array_equal(found["rank_lower"], both[int(np.floor(0.07 * 3_999))])
        np.testing.assert_array_equal(found["rank_upper"], both[int(np.ceil(0.93 * 3_999))])


def test_histograms_agree_with_exact_bounds(monkeypatch):
    model = small(n=300)
    exact = replicate(model, factors=MENU[2:], draws=600)
    monkeypatch.setattr(tallies_module, "EXACT_CELLS", 0)
    counted = replicate(model, factors=MENU[2:], draws=600)
    assert exact.tally.exact
    assert not counted.tally.exact
    for column in ("rank_lower", "rank_median", "rank_upper"):
        # as many bands as there are ranks: nothing is lost
        np.testing.assert_array_equal(exact.table[column], counted.table[column])
    for column in ("lower", "upper"):
        spread = exact.table["upper"] - exact.table["lower"]
        assert (
            (exact.table[column] - counted.table[column]).abs() / spread
        ).max() < 0.1  # 256 bins over twice the range
    for column in ("p_bottom_fifth", "p_top_fifth"):
        np.testing.assert_array_equal(exact.table[column], counted.table[column])
    with pytest.raises(SpecError, match="too many units"):
        counted.chance_above("top")


def test_acceptability_and_chances():
    found = replicate(small(missing=False), factors=MENU, draws=500)
    for node in ("first", "second", "top"):  # at every level
        shares = found.acceptability(node)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        if node == "top":  # below, places share the ends of the range, and with them a rank
            np.testing.assert_allclose(shares.sum(axis=0), 1)
        fifth = shares.loc[:, 25:].sum(axis=1)
        np.testing.assert_allclose(fifth, found.table.query("node_id == @node")["p_bottom_fifth"])
    chance = found.chance_above("top").to_numpy()
    np.testing.assert_allclose(chance + chance.T, 1)
    ranks = found.tally.ranks(found.model.tree.position("top"))
    assert chance[2, 7] == pytest.approx((ranks[:, 2] < ranks[:, 7]).mean() + 0.5 * (ranks[:, 2] == ranks[:, 7]).mean())


def test_convergence_shows_the_monte_carlo_error_of_the_bounds():
    """The error stated, from ten batches of one run, is how much bounds differ between runs with other seeds."""
    model = small(n=60)
    table = replicate(model, figures=FigureDraws(), draws=4_000).convergence()
    top = table[table["node_id"] == "top"]
    assert top["draws"].tolist() == [500, 1_000, 2_000, 4_000]
    runs = [
        replicate(model, figures=FigureDraws(), draws=1_000, seed=k).table.query("node_id == 'top'")["rank_lower"]
        for k in range(20)
    ]
    between = np.std(runs, axis=0, ddof=1).mean()
    # each of 60 deviations rests on 20 runs, the stated ones on ten batches; whole ranks round both, batches most
    assert top.set_index("draws").at[1_000, "error_lower"] == pytest.approx(between, rel=0.35)
    # error falls as one over the root of the draws
    assert top["error_lower"].iloc[-1] == pytest.approx(top["error_lower"].iloc[0] / np.sqrt(8), rel=0.35)


@pytest.fixture(scope="module")
def index():
    return default_index(2024)


def test_our_index_is_its_own_nominal_replicate(index):
    model = index_model(index)
    scores = (nominal(model) - 100) / 10
    for i, branch in enumerate(model.tree.branches):
        if branch.id in index.nodes:
            expected = index.scores.loc[model.values.index, branch.id]
            np.testing.assert_allclose(scores[i], expected, rtol=1e-9, atol=1e-9, err_msg=branch.id)


@pytest.mark.slow
def test_drawn_figures_have_the_intervals_of_the_delta_method(index):
    """With the method fixed, draws before normalisation widen a score as its standard error says."""
    table = replicate(index_model(index), figures=FigureDraws(), draws=2_000).table
    drawn = table.set_index(["node_id", "area_code"])
    for node in index.domains:
        own = index.table[index.table["node_id"] == node].set_index("area_code").loc[drawn.loc[node].index]
        ratio = (drawn.loc[node, "upper"] - drawn.loc[node, "lower"]) / (own["upper"] - own["lower"])
        ratio = ratio.dropna()  # authorities without enough figures
        # the width of a 90 % interval from 2,000 draws has a standard error of 3 %; their mean far less
        assert ratio.mean() == pytest.approx(1, abs=0.01), node
        assert ratio.between(0.85, 1.15).all(), node


def test_figures_method_and_both(index):
    found = uncertainty(index, draws=1_000, seed=1)
    wide = {name: (t["upper"] - t["lower"]).groupby(t["node_id"]).mean() for name, t in
            (("figures", found.table), ("method", found.method), ("both", found.both))}  # fmt: skip
    assert (wide["both"] > wide["figures"]).all()
    assert (wide["both"] > wide["method"]).all()
    # figures and method are drawn apart, so that their variances about add up; a little more, for other weights and
    # an indicator less make the figures' errors count for more as well
    np.testing.assert_allclose(wide["both"] ** 2, wide["figures"] ** 2 + wide["method"] ** 2, rtol=0.2)
    assert found.both["interval"].eq("both").all()
    sets = found.rank_sets("learning").table
    assert (sets["simultaneous_upper"] >= sets["marginal_upper"]).all()
    with pytest.raises(SpecError, match="not ranked"):
        found.rank_sets("happy")
    chance = found.chance_above("learning")
    np.testing.assert_allclose((chance + chance.T).to_numpy()[~np.eye(len(chance), dtype=bool)], 1)
