"""Rank intervals: brute force, and coverage where the truth is known."""

import numpy as np
import pytest

from outcomes_analysis.index.montecarlo.drawing import draw_ranks
from outcomes_analysis.index.montecarlo.kernels import rank_among, ranks_both


def test_rank_among_the_field_by_brute_force():
    rng = np.random.default_rng(0)
    field, own = rng.normal(size=(2, 20, 12))
    expected = np.array(
        [[1 + sum(field[k, j] > own[k, i] for j in range(12) if j != i) for i in range(12)] for k in range(20)]
    )
    np.testing.assert_array_equal(rank_among(own, field), expected)


def test_both_rankings_in_one_sort_by_brute_force():
    rng = np.random.default_rng(1)
    field, own = rng.normal(size=(2, 30, 17)) * np.array([3.0, 0.01])[:, None, None]
    found_field, found_own = ranks_both(own, field)
    np.testing.assert_array_equal(found_own, rank_among(own, field))
    np.testing.assert_array_equal(found_field, (-field).argsort(axis=1).argsort(axis=1) + 1)


def test_certain_scores_have_one_rank():
    found = draw_ranks(
        np.array([3.0, 1.0, 2.0, -1.0, 0.0]), np.full(5, 1e-9), draws=200, rng=np.random.default_rng(0), level=0.9
    )
    np.testing.assert_array_equal(found.rank_lower, [1, 3, 2, 5, 4])
    np.testing.assert_array_equal(found.rank_upper, [1, 3, 2, 5, 4])
    np.testing.assert_array_equal(found.p_bottom_fifth, [0, 0, 0, 1, 0])


def test_pure_noise_leaves_every_rank_open():
    rng = np.random.default_rng(3)
    found = draw_ranks(rng.normal(size=150), np.full(150, 1.0), draws=2000, rng=rng, level=0.9)
    # under pure noise the variance between places is estimated as up to a fifth: sd of a variance of 150 values is .12
    assert found.reliability < 0.25
    assert np.median(found.rank_upper - found.rank_lower) > 100
    assert found.p_bottom_fifth.max() < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("reliability", [0.45, 0.6, 0.8, 0.95])
@pytest.mark.parametrize("even", [True, False], ids=["equal errors", "unequal errors"])
def test_rank_intervals_cover_the_truth(reliability, even):
    """90 % intervals: 87-93 % overall, at least 85 % of the truly extreme 20; chances of a fifth are honest."""
    n, repeats, rng = 151, 120, np.random.default_rng(int(100 * reliability) + even)
    inside, extreme, stated, happened = [], [], [], []
    for _ in range(repeats):
        truth = rng.normal(size=n)
        variance = np.full(n, (1 - reliability) / reliability) * (1 if even else rng.gamma(2, 0.5, size=n))
        estimate = truth + rng.normal(size=n) * np.sqrt(variance)
        found = draw_ranks(estimate, np.sqrt(variance), draws=800, rng=rng, level=0.9)
        rank = (-truth).argsort().argsort() + 1
        hit = (rank >= found.rank_lower) & (rank <= found.rank_upper)
        inside.append(hit.mean())
        extreme.append(hit[(rank <= 10) | (rank > n - 10)].mean())
        stated.append(found.p_bottom_fifth)
        happened.append(rank > n - n / 5)
    # 120 * 151 intervals: the Monte Carlo error of the first is .003, of the second .006
    assert 0.87 <= np.mean(inside) <= 0.93
    assert np.mean(extreme) >= 0.85
    p, y = np.concatenate(stated), np.concatenate(happened)
    for low in np.arange(0, 1, 0.2):
        cell = (p >= low) & (p <= low + 0.2)
        if cell.sum() > 400:
            assert abs(p[cell].mean() - y[cell].mean()) <= 0.05
