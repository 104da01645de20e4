"""Tests and lines of neighbouring areas: published software, the dense likelihood, and simulated truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.space.spatial_models import Form, dependence_tests, fit_spatial
from outcomes_analysis.relations.space.weights import Neighbours, neighbours_of, weights_from

NAMES = ["(Intercept)", "INC", "HOVAL"]


@pytest.fixture(scope="module")
def columbus(gold: Path) -> tuple[np.ndarray, np.ndarray, Neighbours]:
    """Crime, the design of income and value of homes, and neighbours."""
    folder = gold / "models" / "columbus"
    table = pd.read_csv(folder / "columbus.csv")
    links = pd.read_csv(folder / "neighbours.csv").astype(str)
    links.columns = ["area_code", "neighbour_code"]
    neighbours = weights_from(links, area_codes=[str(k) for k in range(1, 50)])
    return table["CRIME"].to_numpy(float), np.column_stack([np.ones(49), table[NAMES[1:]]]), neighbours


@pytest.fixture(scope="module")
def england() -> Neighbours:
    return neighbours_of(list(upper_tier(ranked_only=True).index))


def test_multiplier_tests_of_columbus_as_spdep_has_them(columbus):
    found = dependence_tests(*columbus)
    # eight digits printed
    assert found.error.statistic == pytest.approx(4.6111258, abs=5e-8)
    assert found.lag.statistic == pytest.approx(7.8556754, abs=5e-8)
    assert found.robust_error.statistic == pytest.approx(0.033514107, abs=5e-10)
    assert found.robust_lag.statistic == pytest.approx(3.2780637, abs=5e-8)
    assert found.error.p_value == pytest.approx(0.03176517, abs=5e-9)
    assert found.robust_lag.p_value == pytest.approx(0.07021172, abs=5e-9)


@pytest.mark.parametrize("form", ["lag", "error"])
def test_lines_of_columbus_as_spatialreg_has_them(columbus, gold: Path, form: Form):
    published = pd.read_csv(gold / "models" / "columbus" / "estimates.csv")
    published = published[published["model"] == form].set_index("term")
    found = fit_spatial(*columbus, form=form, names=NAMES)
    # a search for a maximum is good to the root of the machine's precision, about 1e-8
    assert found.fit.estimates == pytest.approx(published.loc[NAMES, "est"].to_numpy(), rel=1e-6)
    assert found.fit.errors == pytest.approx(published.loc[NAMES, "se"].to_numpy(), rel=1e-6)
    term = "rho" if form == "lag" else "lambda"
    assert found.dependence.estimates[0] == pytest.approx(published.at[term, "est"], rel=1e-6)
    assert found.dependence.errors[0] == pytest.approx(published.at[term, "se"], rel=1e-6)
    printed = {"lag": (-183.16828, 99.16398), "error": (-184.1552047, 99.97991)}[form]
    assert found.log_likelihood == pytest.approx(printed[0], abs=5e-6)
    assert found.variance == pytest.approx(printed[1], abs=5e-6)
    likelihood_ratio = {"lag": 8.417918, "error": 6.444068}[form]
    assert 2 * (found.log_likelihood - found.plain_log_likelihood) == pytest.approx(likelihood_ratio, abs=5e-7)


def test_neighbours_outcomes_followed_through_are_the_dense_inverse(columbus):
    outcome, design, neighbours = columbus
    found = fit_spatial(outcome, design, neighbours, form="lag", names=NAMES)
    rho = found.dependence.estimates[0]
    through = np.linalg.inv(np.eye(49) - rho * neighbours.matrix).sum() / 49
    assert found.total.estimates == pytest.approx(np.array(found.fit.estimates) * through, rel=1e-12)


@pytest.mark.parametrize("form", ["lag", "error"])
def test_errors_are_those_of_any_normal_distribution(columbus, form: Form):
    """Fisher's information of a normal distribution, from differences of its mean and covariance."""
    outcome, design, neighbours = columbus
    found = fit_spatial(outcome, design, neighbours, form=form, names=NAMES)

    def moments(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inverse = np.linalg.inv(np.eye(49) - p[3] * neighbours.matrix)
        mean = inverse @ design @ p[:3] if form == "lag" else design @ p[:3]
        return mean, p[4] * inverse @ inverse.T

    at = np.array([*found.fit.estimates, *found.dependence.estimates, found.variance])
    steps = np.diag(1e-5 * np.abs(at))
    means, covariances = zip(
        *(
            [(up - down) / (2 * step.max()) for up, down in zip(moments(at + step), moments(at - step), strict=True)]
            for step in steps
        ),
        strict=True,
    )
    weight = np.linalg.inv(moments(at)[1])
    information = np.array(
        [
            [
                means[a] @ weight @ means[b] + np.trace(weight @ covariances[a] @ weight @ covariances[b]) / 2
                for b in range(5)
            ]
            for a in range(5)
        ]
    )
    variance = np.linalg.inv(information)
    # central differences with a step of 1e-5: ten digits in each entry, some lost in the inverse
    assert found.fit.errors == pytest.approx(np.sqrt(np.diag(variance)[:3]), rel=1e-6)
    assert found.dependence.errors[0] == pytest.approx(np.sqrt(variance[3, 3]), rel=1e-6)
    if form == "lag":
        through = np.column_stack([np.eye(3), at[:3] / (1 - at[3])]) / (1 - at[3])
        expected = np.sqrt(np.diag(through @ variance[:4, :4] @ through.T))
        assert found.total.errors == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("form", ["lag", "error"])
def test_the_likelihood_is_the_dense_normal_and_peaks_at_the_estimate(columbus, form: Form):
    outcome, design, neighbours = columbus
    found = fit_spatial(outcome, design, neighbours, form=form, names=NAMES)

    def density(strength: float, slopes: np.ndarray, variance: float) -> float:
        inverse = np.linalg.inv(np.eye(49) - strength * neighbours.matrix)
        mean = inverse @ design @ slopes if form == "lag" else design @ slopes
        return float(stats.multivariate_normal(mean, variance * inverse @ inverse.T).logpdf(outcome))

    best = (found.dependence.estimates[0], np.array(found.fit.estimates), found.variance)
    assert found.log_likelihood == pytest.approx(density(*best), abs=1e-9)  # 49 logs and a solve: twelve digits
    for step in (0.02, -0.02):
        assert density(best[0] + step, *best[1:]) < found.log_likelihood
        assert density(best[0], best[1] + [0, step, 0], best[2]) < found.log_likelihood
        assert density(*best[:2], best[2] * (1 + step)) < found.log_likelihood


@pytest.mark.slow
@pytest.mark.parametrize("form", ["lag", "error"])
def test_intervals_hold_simulated_truth_on_the_map_of_england(england: Neighbours, form: Form):
    """300 maps: three standard errors of a share of .90 are .052; large-sample errors at 151 areas cost a point."""
    rng = np.random.default_rng(11)
    root = np.linalg.inv(np.eye(151) - 0.7 * england.matrix)
    held = np.zeros(3)
    plain = 0
    for _ in range(300):
        x = root @ rng.normal(size=151)  # the predictor is alike between neighbours too
        design = np.column_stack([np.ones(151), x])
        noise = rng.normal(size=151)
        line = design @ [1.0, 0.5]
        outcome = root @ (line + noise) if form == "lag" else line + root @ noise
        found = fit_spatial(outcome, design, england, form=form, names=["constant", "x"])
        slope, strength = found.fit.of("x"), found.dependence.of("neighbours")
        held += [
            slope[1] <= 0.5 <= slope[2],
            strength[1] <= 0.7 <= strength[2],
            found.total.of("x")[1] <= (0.5 / 0.3 if form == "lag" else 0.5) <= found.total.of("x")[2],
        ]
        fitted = stats.linregress(x, outcome)
        plain += abs(fitted.slope - 0.5) < stats.t.ppf(0.95, 149) * fitted.stderr
    assert held / 300 == pytest.approx([0.9, 0.9, 0.9], abs=0.06)
    assert plain / 300 < 0.8  # what the plain line's interval does with the same maps


def test_tests_are_called_as_often_as_stated_where_nothing_is_alike(england: Neighbours):
    rng = np.random.default_rng(12)
    design = np.column_stack([np.ones(151), rng.normal(size=151)])
    p = np.array([[t.p_value for t in dependence_tests(rng.normal(size=151), design, england)] for _ in range(400)])
    # three standard errors of a share of .10 in 400
    assert (p < 0.1).mean(axis=0) == pytest.approx(np.full(4, 0.1), abs=3 * np.sqrt(0.09 / 400))


def test_lines_that_cannot_be_had_are_refused(england: Neighbours):
    rng = np.random.default_rng(13)
    x, y = rng.normal(size=(2, 151))
    one = np.ones(151)

    def fit(outcome: np.ndarray, *columns: np.ndarray) -> None:
        names = ["constant", *(f"x{k}" for k in range(1, len(columns)))]
        fit_spatial(outcome, np.column_stack(columns), england, form="error", names=names)

    with pytest.raises(RelationError, match="Constant across the 151 areas: x1"):
        fit(y, one, 3 * one)
    with pytest.raises(RelationError, match="collinear"):
        fit(y, one, x, 2 * x - 1)
    with pytest.raises(RelationError, match="fits every area exactly"):
        fit(2 * x + 1, one, x)
    few = neighbours_of(list(england.area_codes[:4]), apart="keep")
    with pytest.raises(RelationError, match="too few for 3 parameters"):
        fit_spatial(y[:4], np.column_stack([one, x, y])[:4], few, form="lag", names=["constant", "x", "z"])
    rings = [(f"{r}{k}", f"{r}{(k + s) % 20}") for r in "ab" for k in range(20) for s in (1, -1)]
    apart = weights_from(
        pd.DataFrame(rings, columns=["area_code", "neighbour_code"]),
        area_codes=[f"{r}{k}" for r in "ab" for k in range(20)],
        whole=False,
    )
    level = np.repeat([0.0, 5.0], 20) + 1e-9 * y[:40]  # two separate maps, each with one value
    with pytest.raises(RelationError, match="end of its range"):
        fit_spatial(level, np.column_stack([one, x])[:40], apart, form="error", names=["constant", "x"])
