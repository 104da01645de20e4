"""Empirical Bayes against brute-force integration, simulation with known truth, and its own bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.observations.shrinkage import empirical_bayes


def integrated(y, v, grid):
    """Posterior mean and sd of each true value under a flat prior on mean and variance, summed over a grid."""
    total = v + grid[:, None]
    weight = 1 / total
    precision = weight.sum(axis=1)
    centre = (weight * y).sum(axis=1) / precision
    likelihood = 0.5 * (np.log(weight).sum(axis=1) - np.log(precision))
    likelihood -= 0.5 * (weight * (y - centre[:, None]) ** 2).sum(axis=1)
    p = np.exp(likelihood - likelihood.max())
    p /= p.sum()
    keep = grid[:, None] / total
    means = keep * y + (1 - keep) * centre[:, None]
    variances = keep * v + (1 - keep) ** 2 / precision[:, None]
    mean = p @ means
    return mean, np.sqrt(p @ (variances + means**2) - mean**2)


@pytest.mark.parametrize("prior_sd", [0.5, 1.0, 3.0])
def test_close_to_full_integration(prior_sd):
    rng = np.random.default_rng(5)
    v = rng.uniform(0.2, 1.5, 150) ** 2
    y = 10 + rng.normal(0, prior_sd, 150) + rng.normal(0, np.sqrt(v))
    found = empirical_bayes(y, v)
    mean, sd = integrated(y, v, np.linspace(1e-4, 40, 40_000))
    # Integration averages over the prior variance where ours plugs in its best value and adds the error of that
    # twice: differences of second order, largest where reliability is low (a fifth, for a prior sd of .5).
    assert found.mean == pytest.approx(mean, abs=0.05)
    assert found.sd == pytest.approx(sd, rel=0.1 if prior_sd < 1 else 0.05)


def test_the_prior_variance_is_the_restricted_likelihoods():
    rng = np.random.default_rng(6)
    v = rng.uniform(0.1, 2.0, 80)
    y = rng.normal(3, np.sqrt(1.3 + v))

    def loss(a):  # written as in textbooks, with the full matrices
        covariance = np.diag(v + a)
        inverse, ones = np.linalg.inv(covariance), np.ones((80, 1))
        projection = inverse - inverse @ ones @ np.linalg.inv(ones.T @ inverse @ ones) @ ones.T @ inverse
        information = np.linalg.slogdet(ones.T @ inverse @ ones)[1]
        return float(np.linalg.slogdet(covariance)[1] + information + y @ projection @ y)

    best = optimize.minimize_scalar(loss, bounds=(0, 20), method="bounded", options={"xatol": 1e-10}).x
    assert empirical_bayes(y, v).prior_variance == pytest.approx(best, rel=1e-4)


def test_equal_variances_have_a_closed_form():
    rng = np.random.default_rng(7)
    y = rng.normal(0, 2, 60)
    found = empirical_bayes(y, np.full(60, 1.5))
    assert found.prior_mean == pytest.approx(np.full(60, y.mean()))
    assert found.prior_variance == pytest.approx(y.var(ddof=1) - 1.5, rel=1e-4)
    assert found.reliability == pytest.approx(np.full(60, 1 - 1.5 / y.var(ddof=1)), rel=1e-4)
    # Reliability times error, the mean's error, and twice the spread's, each as it is when all errors are equal.
    total = y.var(ddof=1)
    keep = 1 - 1.5 / total
    expected = keep * 1.5 + (1 - keep) ** 2 * total / 60 + 2 * 1.5**2 / total**3 * (2 * total**2 / 60)
    assert found.sd**2 == pytest.approx(np.full(60, expected), rel=1e-4)


@pytest.mark.parametrize("reliability", [0.45, 0.7, 0.95])
def test_intervals_cover_and_beat_the_published_figures(reliability):
    rng = np.random.default_rng(8)
    noise = 1 / reliability - 1
    covered, extreme, better = [], [], []
    for _ in range(200):
        truth = rng.normal(0, 1, 150)
        v = noise * rng.gamma(4, 0.25, 150)
        y = truth + rng.normal(0, np.sqrt(v))
        found = empirical_bayes(y, v)
        inside = np.abs(truth - found.mean) <= stats.norm.ppf(0.95) * found.sd
        covered.append(inside.mean())
        extreme.append(inside[np.argsort(found.mean)[:20]].mean())
        better.append(np.mean((found.mean - truth) ** 2) / np.mean((y - truth) ** 2))
    # 30,000 intervals: standard error .002; the lowest 20 as ranked by the figures are covered as well.
    assert np.mean(covered) == pytest.approx(0.9, abs=0.01)
    assert np.mean(extreme) == pytest.approx(0.9, abs=0.02)
    assert np.mean(better) < reliability + 0.1


def test_coverage_holds_where_areas_do_not_differ_at_all():
    rng = np.random.default_rng(9)
    inside = []
    for _ in range(300):
        y = rng.normal(5, 1, 30)
        found = empirical_bayes(y, np.ones(30))
        assert found.prior_variance >= 0
        inside.append(np.mean(np.abs(found.mean - 5) <= stats.norm.ppf(0.95) * found.sd))
    # The spread is never taken for exactly known, not even for 0: intervals err on the wide side here (.99).
    assert np.mean(inside) >= 0.9


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(
    st.lists(st.tuples(numbers, st.floats(0, 1e6)), min_size=4, max_size=40),
    st.one_of(st.none(), numbers),
)
def test_never_outside_figure_and_target(pairs, target):
    y, v = (np.array(column) for column in zip(*pairs, strict=True))
    found = empirical_bayes(y, v, prior_mean=target)
    low, high = np.fmin(y, found.prior_mean), np.fmax(y, found.prior_mean)
    assert ((low <= found.mean) & (found.mean <= high)).all()
    assert ((found.reliability >= 0) & (found.reliability <= 1)).all()
    assert (found.sd >= 0).all()
    assert (found.sd <= np.sqrt(v) + 1e-12).all()
    assert (found.mean[v == 0] == y[v == 0]).all()
    if target is not None:
        assert (found.prior_mean == target).all()


def test_missing_figures_stay_missing_and_do_not_count():
    y, v = np.array([1.0, 2.0, 4.0, 7.0, 3.0]), np.full(5, 0.5)
    plain = empirical_bayes(y, v)
    gaps = empirical_bayes(np.append(y, [np.nan, 9.0]), np.append(v, [0.5, np.nan]))
    assert gaps.mean[:5] == pytest.approx(plain.mean)
    assert gaps.sd[:5] == pytest.approx(plain.sd)
    assert np.isnan(gaps.mean[5:]).all()
    assert np.isnan(gaps.reliability[5:]).all()
    assert gaps.prior_variance == plain.prior_variance


def test_a_target_of_each_area_own():
    rng = np.random.default_rng(10)
    poverty = rng.normal(20, 8, 150)
    truth = 80 - 0.5 * poverty + rng.normal(0, 1, 150)
    y = truth + rng.normal(0, 2, 150)
    found = empirical_bayes(y, np.full(150, 4.0), prior_mean=80 - 0.5 * poverty)
    assert found.prior_variance == pytest.approx(1.0, abs=0.8)
    assert np.mean((found.mean - truth) ** 2) < 1.3  # 4 for the figures, 0.8 at best


def test_too_few_areas_are_left_as_they_are():
    found = empirical_bayes([1.0, 5.0, np.nan], [1.0, 4.0, 1.0])
    assert found.mean[:2].tolist() == [1.0, 5.0]
    assert found.sd[:2].tolist() == [1.0, 2.0]
    assert found.prior_variance == np.inf
    assert np.isnan(found.mean[2])


def test_wrong_shapes_and_negative_variances_are_refused():
    with pytest.raises(ObservationsError, match=r"shapes \(3,\) and \(2,\)"):
        empirical_bayes([1, 2, 3], [1, 2])
    with pytest.raises(ObservationsError, match="1 variances are negative, the first at position 1"):
        empirical_bayes([1, 2, 3, 4], [1, -2, 1, 1])
