"""The trend model against one large normal, by hand and on simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from outcomes_analysis.places.trending import (
    Gaps,
    Mixture,
    Sds,
    forecast_england,
    forecast_gaps,
    gap_posterior,
    national_drift,
)


def simulated(
    rng: np.random.Generator, sds: Sds, *, places: int, years: list[int], ahead: int
) -> tuple[Gaps, np.ndarray]:
    """Gaps drawn from the model: figures of the years with error, and the true gap and a figure `ahead` years on."""
    regions = np.arange(places) % 9
    slopes = rng.normal(0, sds.region_slope, 9)[regions] + rng.normal(0, sds.own_slope, places)
    length = years[-1] - years[0] + ahead + 1
    steps = rng.normal(0, sds.wander, (places, length))
    steps[:, 0] = 0
    path = rng.normal(0, sds.level, places)[:, None] + slopes[:, None] * np.arange(length) + steps.cumsum(axis=1)
    variances = np.tile(rng.uniform(0.02, 0.06, places)[:, None] ** 2, (1, len(years)))
    at = np.array(years) - years[0]
    values = path[:, at] + rng.normal(0, np.sqrt(variances))
    return Gaps(np.array(years, dtype=float), values, variances, regions), path[:, -1]


def test_posterior_equals_one_large_normal() -> None:
    """All authorities' figures and future gaps as one normal vector, conditioned by plain linear algebra."""
    rng = np.random.default_rng(1)
    sds = Sds(0.03, 0.02, 0.025, 0.4)
    years, ahead = np.array([2016.0, 2017, 2019, 2022]), [2023, 2026]
    places, regions = 7, np.array([0, 0, 1, 2, 1, 2, 0])
    values = rng.normal(0, 0.3, (places, 4))
    values[2, 1] = values[5, 3] = np.nan  # figures that are not there
    variances = rng.uniform(0.001, 0.01, (places, 4))
    log_likelihood, means, spreads = gap_posterior(Gaps(years, values, variances, regions), ahead, sds=sds)
    since = np.concatenate([years, ahead]) - 2016
    n = len(since)
    level_and_steps = sds.level**2 + sds.wander**2 * np.minimum.outer(since, since)
    lines = np.outer(since, since)
    whole = np.zeros((places * n, places * n))
    for i in range(places):
        for j in range(places):
            block = sds.region_slope**2 * lines if regions[i] == regions[j] else 0 * lines
            if i == j:
                block = block + level_and_steps + sds.own_slope**2 * lines
            whole[i * n : (i + 1) * n, j * n : (j + 1) * n] = block
    padded = np.concatenate([values, np.full((places, 2), np.nan)], axis=1).ravel()
    seen = np.flatnonzero(~np.isnan(padded))
    noise = np.concatenate([variances, np.zeros((places, 2))], axis=1).ravel()
    matrix = whole[np.ix_(seen, seen)] + np.diag(noise[seen])
    future = np.flatnonzero(np.tile(np.arange(n) >= 4, places))
    cross = whole[np.ix_(future, seen)]
    mean = cross @ np.linalg.solve(matrix, padded[seen])
    covariance = whole[np.ix_(future, future)] - cross @ np.linalg.solve(matrix, cross.T)
    # both are exact: only rounding differs
    assert means.ravel() == pytest.approx(mean, abs=1e-9)
    assert spreads.ravel() == pytest.approx(np.diag(covariance), abs=1e-9)
    dense = stats.multivariate_normal(np.zeros(len(seen)), matrix).logpdf(padded[seen])
    assert log_likelihood == pytest.approx(dense, abs=1e-9)


def test_two_years_by_hand() -> None:
    """One authority, no steps, no level to draw towards (sd 1000): the line through (0, 0.1) and (1, 0.3).

    Errors of 0.01 (variance) each, own slope of sd 0.1: the difference 0.2 has variance 0.02 + 0.01, so the slope is
    0.2 × 0.01 / 0.03 = 0.0667 with variance 0.01 - 0.01² / 0.03 = 0.00667. Sum 0.4 = 2 level + slope: the level is
    0.2 - 0.0333, and at year 2 the gap is 0.2 + 1.5 × 0.0667 = 0.3; its variance is 0.005 + 1.5² × 0.00667 = 0.02.
    """
    gaps = Gaps(np.array([0.0, 1.0]), np.array([[0.1, 0.3]]), np.full((1, 2), 0.01), np.array([0]))
    _, mean, variance = gap_posterior(gaps, [2], sds=Sds(0.0, 0.1, 0.0, 1000.0))
    # a sd of 1000 leaves 1e-8 of drawing towards 0
    assert mean[0, 0] == pytest.approx(0.3, abs=1e-6)
    assert variance[0, 0] == pytest.approx(0.02, abs=1e-6)


def test_england_by_hand() -> None:
    """Stretches 0, 1, 1 and (after a break) 5, 7: the drift is 2; squares about it are 2 × 0.25, about none 1 + 4."""
    drift = national_drift([(np.array([1.0, 2, 3]), np.array([0.0, 1, 1])), (np.array([7.0, 8]), np.array([5.0, 7]))])
    assert (drift.drift, drift.span, drift.freedom, drift.freedom_from_none) == (2, 1, 1, 3)
    assert (drift.squares, drift.squares_from_none) == pytest.approx((0.5, 5))
    # a change over two years counts as one square of half the size: (4 - 2 × 1.5)² / 2 + (0.5 - 1.5)²; drift 4.5 / 3
    uneven = national_drift([(np.array([1.0, 3, 4]), np.array([0.0, 4, 4.5]))])
    assert uneven.squares == pytest.approx(0.5 + 1)
    alone = national_drift([(np.array([7.0, 8]), np.array([5.0, 7]))])
    assert (alone.squares, alone.freedom) == (4, 1)


def test_england_forecast_is_a_students_t() -> None:
    """Mean by hand; the 90 % band is within 6 % of that of a t, which nine equal parts only stand for."""
    drift = national_drift([(np.arange(6.0), np.array([0.0, 1, 1, 3, 4, 4]))])  # drift 0.8, squares 2.8, 4 free
    found = forecast_england(drift, 4.0, [1, 3], drifting=True)
    assert found.mean() == pytest.approx([4.8, 6.4])
    sd = np.sqrt(2.8 / 4 * (3 + 9 / 5))
    half = stats.t(4).ppf(0.95) * sd
    assert found.quantile(0.95)[1] - 6.4 == pytest.approx(half, rel=0.06)
    still = forecast_england(drift, 4.0, [1, 3], drifting=False)
    assert still.mean() == pytest.approx([4, 4])


def test_mixture_quantiles_and_sums() -> None:
    """Quantiles invert the cumulated probability; a sum has the sums of means and variances."""
    mixture = Mixture(np.array([0.3, 0.7]), np.array([[0.0, 1], [4, 1]]), np.array([[1.0, 0.01], [0.25, 4]]))
    for share in (0.001, 0.05, 0.5, 0.95):
        # the bracket is narrowed to 1e-11 of its width
        assert mixture.below(mixture.quantile(share)) == pytest.approx(np.full(2, share), abs=1e-9)
    other = Mixture(np.array([0.5, 0.5]), np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]))
    both = mixture.plus(other)
    assert both.mean() == pytest.approx(mixture.mean() + 2)
    assert both.sd() ** 2 == pytest.approx(mixture.sd() ** 2 + 1.5 + 1)
    sure = Mixture(np.ones(1), np.array([[2.0]]), np.zeros((1, 1)))
    assert sure.quantile(0.9) == pytest.approx(2.0, abs=1e-9)
    assert sure.below([2.5]) == 1


def test_condensing_keeps_moments_and_quantiles() -> None:
    """Mean and variance exactly; quantiles to a fiftieth of a sd, here for widths that differ by three times."""
    rng = np.random.default_rng(3)
    weights = rng.dirichlet(np.ones(60))
    whole = Mixture(weights, rng.normal(0, 0.02, (60, 5)), rng.uniform(0.1, 0.3, (60, 1)) ** 2 * np.ones((60, 5)))
    few = whole.condensed(8)
    assert len(few.weights) <= 8
    assert few.weights.sum() == pytest.approx(1)
    assert few.mean() == pytest.approx(whole.mean(), abs=1e-12)
    assert few.sd() == pytest.approx(whole.sd(), abs=1e-12)
    for share in (0.05, 0.25, 0.5, 0.95):
        assert few.quantile(share) == pytest.approx(whole.quantile(share), abs=0.02 * 0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sds", "most"),
    [
        (Sds(0.0, 0.0, 0.0, 0.15), 0.98),
        (Sds(0.012, 0.006, 0.006, 0.15), 0.95),
        (Sds(0.03, 0.0, 0.012, 0.15), 0.95),
        (Sds(0.0, 0.02, 0.0, 0.15), 0.95),
    ],
    ids=["nothing moves", "all a little", "steps", "slopes"],
)
def test_intervals_hold_the_simulated_truth(sds: Sds, most: float) -> None:
    """Four years of figures, three years ahead, sds unknown: 90 % intervals of the true gap.

    20 sets of 151: 3,020 gaps, of which regional slopes and shared sds make fewer free ones; .86 allows about three
    binomial errors of 500 free ones, .95 the same and a little width for unknown sds. Where nothing moves at all four
    years cannot say so, and intervals are too wide (.96).
    """
    rng = np.random.default_rng(20)
    held = []
    for _ in range(20):
        gaps, truth = simulated(rng, sds, places=151, years=[2022, 2023, 2024, 2025], ahead=3)
        forecast = forecast_gaps(gaps, [2028])
        low, high = forecast.quantile(0.05)[:, 0], forecast.quantile(0.95)[:, 0]
        held.append(np.mean((truth >= low) & (truth <= high)))
    print(sds, np.mean(held))
    assert 0.86 <= np.mean(held) <= most
