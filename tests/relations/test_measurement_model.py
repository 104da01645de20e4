"""The model of two noisy figures: its density, its limits, recovery of a known truth, and the sampler."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, multivariate_t

from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.relations.pair.fits import key_of, load_fit, save_fit
from outcomes_analysis.relations.pair.latent_pair import (
    PARAMETERS,
    PRIOR_SCALE,
    REPORTED,
    Pair,
    draws_near_peak,
    find_peak,
    log_marginal,
    log_prior,
    noise_share,
    partial_correlation,
)
from outcomes_analysis.relations.pair.posteriors import Posterior, _region_levels, sample_posterior

TRUTH = {"beta": -0.4, "gamma": 0.3, "delta": -0.6, "tau": 0.8, "sigma": 0.5, "omega_x": 0.3, "omega_y": 0.3}
Z90 = 1.6448536


def simulate(seed: int, *, n: int = 150, regions: int = 9, noise: float = 0.45) -> Pair:
    """Figures of a known truth: as noisy as admissions (predictor) and attainment (outcome) are."""
    rng = np.random.default_rng(seed)
    t = TRUTH
    region = np.arange(n) % regions
    held = rng.normal(size=n)
    a, b = rng.normal(0, t["omega_x"], regions), rng.normal(0, t["omega_y"], regions)
    error_x = noise * np.exp(rng.normal(0, 0.3, n))
    error_y = np.full(n, 0.14)
    x = a[region] + t["gamma"] * held + t["tau"] * rng.normal(size=n)
    y = b[region] + t["beta"] * x + t["delta"] * held + t["sigma"] * rng.normal(size=n)
    return Pair(x + error_x * rng.normal(size=n), y + error_y * rng.normal(size=n), error_x, error_y, held, region)


def test_integrated_density_is_the_dense_normal_of_all_figures_at_once():
    pair = simulate(1, n=40, regions=4)
    theta = np.array([0.1, 0.2, -0.1, -0.5, -0.3, np.log(0.8), np.log(0.5), np.log(0.3), np.log(0.4)])
    mu, gamma, alpha, delta, beta = theta[:5]
    tau, sigma, omega_x, omega_y = np.exp(theta[5:])
    same = (pair.region[:, None] == pair.region[None, :]).astype(float)
    one = np.eye(40)
    true_x = omega_x**2 * same + tau**2 * one
    true_y = beta**2 * true_x + omega_y**2 * same + sigma**2 * one
    seen = np.block(
        [[true_x + np.diag(pair.error_x**2), beta * true_x], [beta * true_x, true_y + np.diag(pair.error_y**2)]]
    )
    expected = mu + gamma * pair.held
    mean = np.concatenate([expected, alpha + beta * expected + delta * pair.held])
    dense = multivariate_normal(mean, seen).logpdf(np.concatenate([pair.x, pair.y]))
    # two exact ways to the same number near -100; an 80 x 80 determinant rounds at about 1e-12
    assert log_marginal(theta, pair) == pytest.approx(dense, abs=1e-9)


def likelihood_slope(pair: Pair, *, omega: float) -> float:
    """The slope that maximises the likelihood alone, with the spread between regions fixed."""

    def cost(free: np.ndarray) -> float:
        return -log_marginal(np.concatenate([free, np.log([omega, omega])]), pair)

    start = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -0.3, -0.5])
    return float(minimize(cost, start, method="BFGS", options={"gtol": 1e-6}).x[4])


@pytest.mark.parametrize(("omega", "pooled"), [(1e-4, True), (1e3, False)])
def test_without_errors_the_limits_are_least_squares_without_and_with_regions(omega, pooled):
    pair = simulate(2).without_errors()
    columns = [np.ones((150, 1))] if pooled else [(pair.region[:, None] == np.arange(9)).astype(float)]
    design = np.column_stack([pair.x, pair.held, *columns])
    slope = np.linalg.lstsq(design, pair.y, rcond=None)[0][0]
    # omega is 1e-4 and not 0, 1e3 and not infinite: an error of order omega² and 1 / (17 omega²), and the climb's 1e-5
    assert likelihood_slope(pair, omega=omega) == pytest.approx(slope, abs=1e-4)


def test_pooling_lies_between_the_two_limits():
    pair = simulate(2).without_errors()
    low, middle, high = (likelihood_slope(pair, omega=o) for o in (1e-4, 0.15, 1e3))
    assert min(low, high) < middle < max(low, high)


def test_ignoring_equal_errors_shrinks_the_slope_by_exactly_the_reliability():
    found = simulate(3)
    error = np.full(150, 0.4)
    pair = Pair(found.x, found.y, error, found.error_y, found.held, found.region)
    design = np.column_stack([np.ones(150), pair.held])
    left = pair.x - design @ np.linalg.lstsq(design, pair.x, rcond=None)[0]
    reliability = 1 - 0.4**2 / np.mean(left**2)  # divisor n: that of maximum likelihood
    assert 0.6 < reliability < 0.95  # else the test would show little
    corrected = likelihood_slope(pair, omega=1e-4)
    ignoring = likelihood_slope(pair.without_errors(), omega=1e-4)
    # an identity of the likelihood's maximum; the climb ends within about 1e-5 of it
    assert ignoring / corrected == pytest.approx(reliability, abs=2e-4)


def test_a_known_truth_is_recovered_and_the_uncorrected_slope_is_too_weak():
    peaks = [find_peak(simulate(seed)) for seed in range(100, 130)]
    slopes = np.array([p.value("beta") for p in peaks])
    errors = np.array([p.error("beta") for p in peaks])
    inside = np.abs(slopes - TRUTH["beta"]) < Z90 * errors
    # 30 sets: three Monte Carlo errors of a share of .90 are .16; of the mean slope (sd about .08) .045
    assert inside.mean() >= 0.74
    assert slopes.mean() == pytest.approx(TRUTH["beta"], abs=0.045)
    ignoring = np.mean([find_peak(simulate(seed).without_errors()).value("beta") for seed in range(100, 110)])
    # reliability given region and poverty is .8² / (.8² + .45² e^.18) = .725: expected -.29, three errors .06
    assert ignoring == pytest.approx(-0.29, abs=0.06)


@pytest.mark.slow
def test_intervals_hold_the_true_slope_as_often_as_they_say():
    inside = []
    for seed in range(1000, 1400):
        peak = find_peak(simulate(seed))
        inside.append(abs(peak.value("beta") - TRUTH["beta"]) < Z90 * peak.error("beta"))
    # 400 sets: three Monte Carlo errors of .90 are .045
    assert np.mean(inside) == pytest.approx(0.90, abs=0.045)


def exact_moments(pair: Pair, names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Posterior mean and sd by importance sampling of the integrated density: no sampler, no region effects."""
    peak = find_peak(pair)
    proposal = multivariate_t(peak.theta, 1.2 * peak.covariance, df=8, seed=5)
    drawn = proposal.rvs(12_000)
    log_weight = np.array([log_marginal(t, pair) + log_prior(t) for t in drawn]) - proposal.logpdf(drawn)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    assert 1 / np.sum(weight**2) > 1_000  # enough independent draws for a mean within .03 sd
    result = {}
    for name in names:
        values = drawn[:, PARAMETERS.index(name)]
        values = values if name in ("beta", "gamma", "delta") else np.exp(values)
        mean = float(weight @ values)
        result[name] = (mean, float(np.sqrt(weight @ (values - mean) ** 2)))
    return result


@pytest.fixture(scope="module")
def pair() -> Pair:
    return simulate(7)


@pytest.fixture(scope="module")
def sampled(pair) -> Posterior:
    """The one run of the sampler among the fast tests."""
    return sample_posterior(pair, draws=500, tune=500, chains=2, seed=3)


def test_nuts_agrees_with_brute_force_on_the_integrated_density(pair, sampled):
    assert set(sampled.draws) == set(REPORTED)
    assert sampled.diagnostics["divergences"] == 0
    assert sampled.diagnostics["r_hat"] < 1.05
    for name, (mean, sd) in exact_moments(pair, REPORTED).items():
        draws = sampled.draws[name]
        assert draws.shape == (2, 500)
        # some 200 independent draws: a mean within three errors of .07 sd, an sd within three errors of 5 %
        assert draws.mean() == pytest.approx(mean, abs=0.22 * sd), name
        assert draws.std() == pytest.approx(sd, rel=0.2), name


def test_region_levels_written_for_the_sampler_have_the_distribution_of_the_model():
    import pymc as pm

    with pm.Model(coords={"region": range(3)}):
        levels = pm.draw(_region_levels("x", scale=1.0, omega=2.0, regions=3), 20_000, random_seed=1)
    # common part of variance 1, own parts of variance 4; Monte Carlo error of a variance of 5 is .05, of a covariance .035
    np.testing.assert_allclose(np.cov(levels.T), np.ones((3, 3)) + 4 * np.eye(3), atol=0.18)


def test_the_normal_at_the_peak_is_close_for_the_slope(pair):
    mean, sd = exact_moments(pair, ("beta",))["beta"]
    draws = draws_near_peak(pair, draws=4000, chains=2, rng=np.random.default_rng(1))["beta"]
    # skewness of the posterior, of order 1 / n: measured .03 sd in the mean; 8,000 draws add .01
    assert draws.mean() == pytest.approx(mean, abs=0.15 * sd)
    assert draws.std() == pytest.approx(sd, rel=0.1)


def test_a_fit_comes_back_from_disk_as_it_was_and_a_mismatch_is_refused(sampled, tmp_path):
    key = key_of(data="abc", settings={"draws": 500})
    path = save_fit(sampled, key=key, path=tmp_path / "fit.nc")
    again = load_fit(path, key=key)
    assert again.diagnostics == sampled.diagnostics
    for name in REPORTED:
        np.testing.assert_array_equal(again.draws[name], sampled.draws[name])
    other = key_of(data="abd", settings={"draws": 500})
    assert other != key
    assert key_of(data="abc", settings={"draws": 501}) != key
    with pytest.raises(RelationError, match="other data, another model or other software"):
        load_fit(path, key=other)
    whole = path.read_bytes()
    for broken in (b"not a fit", whole[: len(whole) // 2], b""):
        path.write_bytes(broken)
        with pytest.raises(RelationError, match="Delete it"):
            load_fit(path, key=key)


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"r_hat": 1.02}, "chains disagree"),
        ({"r_hat": float("nan")}, "chains disagree"),
        ({"ess_bulk": 399.0}, "too few independent draws"),
        ({"ess_tail": 120.0}, "too few independent draws"),
        ({"divergences": 1}, "1 divergence"),
    ],
)
def test_a_fit_that_went_badly_says_why(worse, words):
    good = {"method": "nuts", "r_hat": 1.004, "ess_bulk": 600.0, "ess_tail": 500.0, "divergences": 0}
    assert Posterior(draws={}, diagnostics=good).problem == ""
    assert words in Posterior(draws={}, diagnostics={**good, **worse}).problem


def test_correlation_and_noise_share_are_their_definitions():
    draws = {"beta": np.array([[0.5, -0.5]]), "tau": np.array([[0.6, 0.6]]), "sigma": np.array([[0.4, 0.4]])}
    np.testing.assert_allclose(partial_correlation(draws), [[0.6, -0.6]])  # .3 / hypot(.3, .4)
    np.testing.assert_allclose(noise_share(np.array([0.75]), np.array([0.5, 0.5])), [0.25])


def test_what_cannot_be_sampled_is_refused(pair):
    with pytest.raises(SpecError, match="method 'vi' is not known"):
        sample_posterior(pair, seed=1, method="vi")
    with pytest.raises(SpecError, match="two or more"):
        sample_posterior(pair, seed=1, chains=1)


def test_every_parameter_has_a_prior_that_integrates_to_one():
    assert set(PRIOR_SCALE) == set(PARAMETERS)
    grid = np.linspace(-12, 8, 1_001)
    at = np.zeros(9)
    for place in range(9):
        density = np.array([log_prior(np.where(np.arange(9) == place, g, at)) for g in grid])
        area = np.trapezoid(np.exp(density - density.max()), grid)
        scale = list(PRIOR_SCALE.values())[place]
        top = -0.5 * np.log(2 * np.pi) - np.log(scale)
        # a normal's area over its height; for log sd the density 2 N(sd; 0, scale) sd peaks at sd = scale
        wanted = np.exp(-top) if place < 5 else 1 / (2 * np.exp(top - 0.5) * scale)
        assert area == pytest.approx(wanted, rel=1e-4)
