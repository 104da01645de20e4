"""Fractional logit against statsmodels, the delete-one jackknife, and shares near their ends."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.slopes.fractions import fit_fractional

NAMES = ("constant", "x", "z")


def shares(n: int = 146, seed: int = 3):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    expected = expit(1.2 - 0.5 * x + 0.3 * z)
    size = rng.integers(15, 60, n)
    return rng.binomial(size, expected) / size, np.column_stack([np.ones(n), x, z])


def average_slopes(share, design):
    fitted = sm.GLM(share, design, family=sm.families.Binomial()).fit(tol=1e-12)
    return np.mean(fitted.mu * (1 - fitted.mu)) * fitted.params


def test_average_slopes_are_those_of_statsmodels():
    share, design = shares()
    # 1e-8: both stop when a step changes the tenth digit
    assert fit_fractional(share, design, names=NAMES).estimates == pytest.approx(
        tuple(average_slopes(share, design)), abs=1e-8
    )


def test_average_slope_is_the_difference_of_expected_shares():
    """Moving every area's x a little and averaging: the derivative by brute force."""
    share, design = shares()
    fitted = sm.GLM(share, design, family=sm.families.Binomial()).fit(tol=1e-12)
    step = np.array([0, 1e-5, 0])
    apart = expit((design + step) @ fitted.params) - expit((design - step) @ fitted.params)
    assert fit_fractional(share, design, names=NAMES).estimates[1] == pytest.approx(apart.mean() / 2e-5, abs=1e-8)


def test_errors_are_those_of_leaving_out_one_area_at_a_time():
    """HC3 stands in for the jackknife (MacKinnon and White 1985), the areas averaged over staying the same; at this
    size they agree to a percent or two."""
    share, design = shares()
    without = []
    for i in range(len(share)):
        left = np.delete(share, i), np.delete(design, i, axis=0)
        slopes = sm.GLM(*left, family=sm.families.Binomial()).fit().params
        expected = expit(design @ slopes)
        without.append(np.mean(expected * (1 - expected)) * slopes)
    jackknife = np.sqrt((len(share) - 1) * np.array(without).var(axis=0))
    assert fit_fractional(share, design, names=NAMES).errors[1:] == pytest.approx(tuple(jackknife[1:]), rel=0.02)


def test_shares_at_their_ends_are_taken_and_others_refused():
    share, design = shares()
    share = np.where(np.arange(len(share)) < 5, 1.0, share)
    assert np.isfinite(fit_fractional(share, design, names=NAMES).errors).all()
    with pytest.raises(RelationError, match="146 of 146 values are not shares"):
        fit_fractional(100 * share + 2, design, names=NAMES)
    parted = (design[:, 1] > 0).astype(float)
    with pytest.raises(RelationError, match="did not converge"):
        fit_fractional(parted, design, names=NAMES)
