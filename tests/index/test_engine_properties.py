"""What holds of the engine whatever the figures (hypothesis): monotone, no order of rows, no size of weights, no units."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from outcomes_analysis.index.montecarlo.factors import AggregationFactor, ImputationFactor, OmissionFactor, WeightFactor
from outcomes_analysis.index.montecarlo.kernels import MEANS, ranks_of
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.replicates import nominal, replicate
from outcomes_analysis.index.steps.tree import Tree

LEAVES = ["a", "b", "c", "d"]
PARENTS = {"a": "p", "b": "p", "c": "q", "d": "top", "p": "top", "q": "top"}
DIRECTIONS = {"b": -1, "c": -1}
SIGNS = np.array([1, -1, -1, 1])
MINMAX = {"method": "minmax", "lower": 1, "upper": 100}
REFERENCE = {"base": pd.DataFrame({"centre": 0.5, "scale": 20.0}, index=LEAVES)}

figures = arrays(float, (7, 4), elements=st.integers(-50, 50).map(float))
weight_sets = st.lists(st.floats(0.1, 10), min_size=6, max_size=6)
seeds = st.integers(0, 999)
house = settings(max_examples=25)


def model(x, weights=None, **more):
    assume((np.nanmax(x, axis=0) > np.nanmin(x, axis=0)).all())
    given_weights = None if weights is None else dict(zip(["a", "b", "c", "d", "p", "q"], weights, strict=True))
    tree = Tree.build(PARENTS, leaves=LEAVES, weights=given_weights)
    frame = pd.DataFrame(x, columns=LEAVES, index=[f"u{i}" for i in range(len(x))])
    return IndexModel(frame, tree, **({"directions": DIRECTIONS, "normalisation": MINMAX} | more))


def improved(x, unit, leaf, by):
    better = x.copy()
    better[unit, leaf] += by * SIGNS[leaf]
    return better


@house
@given(x=figures, w=weight_sets, unit=st.integers(0, 6), leaf=st.integers(0, 3), by=st.integers(1, 40))
@pytest.mark.parametrize("mean", MEANS)
def test_doing_better_raises_a_score_by_reference_and_nobody_elses(mean, x, w, unit, leaf, by):
    more = {"mean": mean, "references": REFERENCE, "normalisation": "reference"}
    before, after = (nominal(model(v, w, **more)) for v in (x, improved(x, unit, leaf, by)))
    others = np.delete(np.arange(7), unit)
    assert (after[:, unit] >= before[:, unit] - 1e-9).all()
    np.testing.assert_allclose(after[:, others], before[:, others])


@house
@given(x=figures, w=weight_sets, unit=st.integers(0, 6), leaf=st.integers(0, 3), by=st.integers(1, 40))
def test_nobody_overtakes_who_does_better(x, w, unit, leaf, by):
    """By min-max an end of the range that moves rescales everybody, yet none who stood behind comes to stand before."""
    before, after = (nominal(model(v, w)) for v in (x, improved(x, unit, leaf, by)))
    behind = before[:, [unit]] - before > 1e-9
    assert (after[:, [unit]] - after >= -1e-9)[behind].all()


@house
@given(x=figures, w=weight_sets, seed=seeds)
def test_the_order_of_rows_does_not_matter(x, w, seed):
    order = np.random.default_rng(seed).permutation(7)
    plain, mixed = nominal(model(x, w, mean="geometric")), nominal(model(x[order], w, mean="geometric"))
    np.testing.assert_allclose(mixed, plain[:, order], rtol=1e-12)


@house
@given(x=figures, w=weight_sets, times=st.floats(0.01, 100))
def test_the_size_of_weights_does_not_matter(x, w, times):
    larger = [w[0] * times, w[1] * times, *w[2:]]  # those of one node alone
    np.testing.assert_allclose(nominal(model(x, larger)), nominal(model(x, w)), rtol=1e-10)


@house
@given(x=figures, w=weight_sets)
@pytest.mark.parametrize("mean", MEANS)
def test_a_mean_lies_within_the_range_of_its_parts(mean, x, w):
    made = model(x, w, mean=mean)
    scores = dict(zip([b.id for b in made.tree.branches], nominal(made), strict=True))
    directed = x * SIGNS
    leaves = 1 + 99 * (directed - directed.min(axis=0)) / np.ptp(directed, axis=0)
    scores |= dict(zip(LEAVES, leaves.T, strict=True))
    for branch in made.tree.branches:
        parts = np.array([scores[made.tree.elements[p]] for p in branch.parts])
        assert (scores[branch.id] >= parts.min(axis=0) - 1e-9).all()
        assert (scores[branch.id] <= parts.max(axis=0) + 1e-9).all()


@house
@given(x=figures, slope=st.floats(0.1, 10), shift=st.floats(-100, 100), leaf=st.integers(0, 3))
@pytest.mark.parametrize("normalisation", ["zscore", MINMAX], ids=["z-scores", "min-max"])
def test_the_unit_of_an_indicator_does_not_matter(normalisation, x, slope, shift, leaf):
    other = x.copy()
    other[:, leaf] = shift + slope * other[:, leaf]
    one, two = (nominal(model(v, normalisation=normalisation)) for v in (x, other))
    np.testing.assert_allclose(one, two, atol=1e-8)


@settings(max_examples=12)
@given(x=figures, w=weight_sets, seed=seeds)
def test_in_every_replicate_ranks_are_ranks_and_inputs_stay(x, w, seed):
    """Up to ties each replicate gives 1 to 7 once, and leaves the figures as they were."""
    gap = x.copy()
    gap[3, 0] = np.nan
    made = model(gap[:, :], w)
    before = made.values.copy(deep=True)
    factors = [WeightFactor(), AggregationFactor(), OmissionFactor(indicators=("a", "b"))]
    found = replicate(made, factors=factors, draws=16, seed=seed)
    for b in range(len(made.tree.branches)):
        for row in found.tally.ranks(b):
            ordered = np.sort(row[row > 0])
            assert (np.array([1 + (ordered < r).sum() for r in ordered]) == ordered).all()
    pd.testing.assert_frame_equal(made.values, before)


@settings(max_examples=5)
@given(seed=seeds)
def test_imputing_leaves_published_figures_alone(seed):
    x = np.random.default_rng(seed).normal(size=(30, 4))
    x[5, 1] = np.nan
    made = model(x)
    before = made.values.copy(deep=True)
    table = replicate(made, factors=[ImputationFactor(draws=3)], draws=16, seed=seed).table
    pd.testing.assert_frame_equal(made.values, before)
    alone = table[(table["node_id"] == "q") & (table["area_code"] != "u5")]
    assert (alone["rank_lower"] == alone["rank_upper"]).all()  # a node without a gap does not move
    assert ranks_of(nominal(made)).max() == 30
