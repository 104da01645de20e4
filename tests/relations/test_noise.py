"""Correlations with noise taken out: the textbook formula, one draw by hand, and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.correlation.correlation import resamples
from outcomes_analysis.relations.correlation.noise import take_out_noise

RHO = -0.45


def noisy(rng: np.random.Generator, n: int = 146, held: float = 0.0):
    """True values with a correlation of -.45 given z, seen with errors that differ from area to area."""
    z = rng.normal(size=n)
    true_x = held * z + rng.normal(size=n)
    true_y = held * z + RHO * (true_x - held * z) + np.sqrt(1 - RHO**2) * rng.normal(size=n)
    errors = tuple(rng.uniform(0.4, 1.0, size=(2, n)))
    return true_x + errors[0] * rng.normal(size=n), true_y + errors[1] * rng.normal(size=n), errors, z


def test_spearmans_formula():
    """Observed correlation over the root of the product of the reliabilities (Spearman 1904)."""
    rng = np.random.default_rng(1)
    x, y, errors, _ = noisy(rng)
    found = take_out_noise(x, y, errors=errors, draws=resamples(146, draws=50, rng=rng))
    reliability = [1 - np.mean(e**2) / np.var(v, ddof=1) for v, e in ((x, errors[0]), (y, errors[1]))]
    assert found.reliability == pytest.approx(tuple(reliability), abs=1e-12)
    observed = np.corrcoef(x, y)[0, 1]
    assert found.ignored.estimate == pytest.approx(observed, abs=1e-12)
    assert found.corrected.estimate == pytest.approx(observed / np.sqrt(np.prod(reliability)), abs=1e-12)


def test_one_draw_by_hand_with_something_held_alike():
    rng = np.random.default_rng(2)
    x, y, errors, z = noisy(rng, held=0.8)
    drawn = resamples(146, draws=30, rng=rng)
    found = take_out_noise(x, y, errors=errors, draws=drawn, controls=z[:, None])
    d = drawn[11]
    left = [v[d] - np.polyval(np.polyfit(z[d], v[d], 1), z[d]) for v in (x, y)]
    variances = [v @ v / 145 - np.mean(e[d] ** 2) for v, e in zip(left, errors, strict=True)]
    by_hand = left[0] @ left[1] / 145 / np.sqrt(np.prod(variances))
    assert found.corrected.drawn[11] == pytest.approx(by_hand, abs=1e-10)
    assert found.ignored.drawn[11] == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-10)


def test_the_truth_is_found_where_the_figures_alone_are_too_weak():
    """300 sets of 146 areas with reliabilities near .66.

    Three standard errors of a share of .90 over 300 sets are .052; of the mean of estimates with sd .1, .018.
    """
    rng = np.random.default_rng(7)
    inside, means = 0, []
    for _ in range(300):
        x, y, errors, z = noisy(rng, held=0.5)
        found = take_out_noise(x, y, errors=errors, draws=resamples(146, draws=300, rng=rng), controls=z[:, None])
        inside += found.corrected.lower <= RHO <= found.corrected.upper
        means.append((found.corrected.estimate, found.ignored.estimate))
    corrected, ignored = np.mean(means, axis=0)
    assert corrected == pytest.approx(RHO, abs=0.02)
    assert ignored > RHO + 0.1
    assert 0.84 <= inside / 300 <= 0.955


def test_too_much_noise_is_refused():
    rng = np.random.default_rng(3)
    x, y, errors, _ = noisy(rng)
    drawn = resamples(146, draws=50, rng=rng)
    with pytest.raises(RelationError, match="differs in the second figure is noise"):
        take_out_noise(x, y, errors=(errors[0], errors[1] + 0.9), draws=drawn)
    twice = x + 1e-3 * errors[1]  # the same figure again: its errors are not unrelated
    with pytest.raises(RelationError, match="beyond what a correlation can be"):
        take_out_noise(x, twice, errors=errors, draws=drawn)
