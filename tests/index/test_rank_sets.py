"""Rank sets: what is certain, brute force on three units, and coverage where the truth is known."""

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.montecarlo.rank_sets import rank_confidence_sets


def units(values):
    return pd.Series(values, index=[f"u{i:03d}" for i in range(len(values))], dtype=float)


def test_certain_scores_have_one_rank_and_ties_share_it():
    found = rank_confidence_sets(units([3, 1, 2, 2]), units([0, 0, 0, 0])).table
    assert found["rank"].tolist() == [1, 4, 2, 2]
    # the two that tie may stand second or third
    assert found["simultaneous_lower"].tolist() == [1, 4, 2, 2]
    assert found["simultaneous_upper"].tolist() == [1, 4, 3, 3]
    assert found["marginal_lower"].tolist() == [1, 4, 2, 2]
    assert found["group"].tolist() == [1, 3, 2, 2]


def test_nothing_is_known_where_errors_are_vast():
    found = rank_confidence_sets(units(np.arange(20)), units(np.full(20, 1e6))).table
    assert (found["simultaneous_lower"] == 1).all()
    assert (found["marginal_upper"] == 20).all()
    assert (found["group"] == 1).all()


def test_two_units_are_an_ordinary_two_sided_test():
    """With two units the critical value is the normal quantile: 1.645 standard errors of the difference at 90 %."""
    for gap, apart in ((1.70, True), (1.60, False)):
        # 20,000 draws put the Monte Carlo error of the critical value at .015
        found = rank_confidence_sets(units([gap * np.sqrt(2), 0]), units([1, 1]), draws=20_000).table
        assert (found["simultaneous_upper"].iloc[0] == 1) == apart
        assert (found["marginal_upper"].iloc[0] == 1) == apart


def test_simultaneous_sets_hold_the_marginal_ones():
    rng = np.random.default_rng(1)
    found = rank_confidence_sets(units(rng.normal(size=40)), units(np.full(40, 0.3))).table
    assert (found["simultaneous_lower"] <= found["marginal_lower"]).all()
    assert (found["simultaneous_upper"] >= found["marginal_upper"]).all()
    assert (found["simultaneous_upper"] - found["simultaneous_lower"]).sum() > (
        found["marginal_upper"] - found["marginal_lower"]
    ).sum()


def test_errors_that_move_together_tell_places_apart():
    """A shared error cancels in differences."""
    estimates = units([1.0, 0.0])
    apart = pd.DataFrame(np.eye(2), index=estimates.index, columns=estimates.index)
    together = apart * 0.01 + 0.99
    assert not rank_confidence_sets(estimates, apart).above.to_numpy().any()
    assert rank_confidence_sets(estimates, together).above.to_numpy().sum() == 1


def test_missing_estimates_are_left_out_and_missing_errors_refused():
    found = rank_confidence_sets(units([2.0, np.nan, 1.0]), units([0.0, np.nan, 0.0])).table
    assert found["rank"].isna().tolist() == [False, True, False]
    with pytest.raises(SpecError, match="negative or missing"):
        rank_confidence_sets(units([2.0, 3.0, 1.0]), units([0.1, np.nan, 0.1]))


def coverage(spread, *, n, repeats, seed, even):
    rng = np.random.default_rng(seed)
    together, alone = [], []
    for k in range(repeats):
        truth = rng.normal(size=n) * spread
        se = np.full(n, 1.0) if even else rng.gamma(4, 0.25, size=n)
        table = rank_confidence_sets(units(truth + se * rng.normal(size=n)), units(se), draws=500, seed=k).table
        rank = 1 + (truth > truth[:, None]).sum(axis=1)
        together.append(((rank >= table["simultaneous_lower"]) & (rank <= table["simultaneous_upper"])).all())
        alone.append(((rank >= table["marginal_lower"]) & (rank <= table["marginal_upper"])).mean())
    return np.mean(together), np.mean(alone)


@pytest.mark.slow
def test_sets_cover_the_truth():
    """Never less than stated: of 300 fields of 25, all ranks covered at once in at least 90 % (sd of the count 1.7 %)."""
    together, alone = coverage(2.0, n=25, repeats=300, seed=8, even=False)
    assert together >= 0.90
    assert alone >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("even", [True, False], ids=["equal errors", "unequal errors"])
def test_simultaneous_sets_cover_whatever_the_spread(spread, even):
    """Without any spread all units truly tie for the first rank."""
    together, alone = coverage(spread, n=60, repeats=200, seed=int(10 * spread) + even, even=even)
    assert together >= 0.90 - 0.021  # one standard error of 200 repeats at .9
    assert alone >= 0.90
