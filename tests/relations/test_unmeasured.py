"""Robustness values against the published ones, and every formula against characteristics made to measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.slopes.unmeasured import adjusted_for_unseen, robustness, robustness_value


def test_darfur_as_published(gold: Path):
    table = pd.read_csv(gold / "models" / "sensemakr" / "darfur_reference.csv").set_index("quantity")["value"]
    t, df = table["t"], table["residual_df"]
    # 1e-4 is asked; the same closed form gives every digit printed
    assert robustness_value(t, df) == pytest.approx(table["RV_q1"], abs=1e-10)
    assert robustness_value(t, df, level=0.95) == pytest.approx(table["RV_q1_alpha05"], abs=1e-10)
    assert t**2 / (t**2 + df) == pytest.approx(table["partial_R2_treatment"], abs=1e-10)


@pytest.mark.parametrize(("t", "df"), [(-2.4, 143.0), (4.2, 783.0), (14.0, 20.0), (60.0, 8.0)])
def test_value_is_where_the_slope_and_its_interval_reach_nought(t: float, df: float):
    """At the value, the share of the outcome that does most harm, and is no larger, brings the interval to 0."""
    value = robustness_value(t, df)
    gone, _ = adjusted_for_unseen(t, 1.0, df, with_predictor=value, with_outcome=value)
    assert gone == pytest.approx(0, abs=1e-9)

    def reached(of_outcome: float, of_predictor: float) -> float:
        left, error = adjusted_for_unseen(t, 1.0, df, with_predictor=of_predictor, with_outcome=of_outcome)
        return float(np.sign(t)) * left / error

    value = robustness_value(t, df, level=0.9)
    bounds = (0.0, value)
    worst = optimize.minimize_scalar(reached, args=(value,), bounds=bounds, method="bounded", options={"xatol": 1e-12})
    limit = stats.t.ppf(0.95, df - 1)
    # 1e-5: the search over the share of the outcome stops that near its end
    assert min(worst.fun, reached(value, value)) == pytest.approx(limit, rel=1e-5)


def test_an_interval_that_holds_nought_already_needs_nothing():
    assert robustness_value(1.0, 40.0, level=0.9) == 0.0
    assert robustness_value(1.0, 40.0) > 0


def orthogonal(n: int, count: int, seed: int = 0) -> np.ndarray:
    """Columns without a mean, of length one, at right angles."""
    drawn = np.random.default_rng(seed).normal(size=(n, count))
    return np.linalg.qr(drawn - drawn.mean(axis=0))[0]


def slope_of(outcome: np.ndarray, *columns: np.ndarray) -> tuple[float, float]:
    design = np.column_stack([*columns, np.ones(len(outcome))])
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ outcome
    left = outcome - design @ found
    return found[0], np.sqrt(left @ left / (len(outcome) - design.shape[1]) * inverse[0, 0])


def share(outcome: np.ndarray, new: np.ndarray, *columns: np.ndarray) -> float:
    def left(*held: np.ndarray) -> float:
        design = np.column_stack([*held, np.ones(len(outcome))])
        rest = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
        return rest @ rest

    return 1 - left(*columns, new) / left(*columns)


def test_a_characteristic_made_to_measure_gives_the_slope_foretold():
    """Leave a variable out, read off its two shares, and ask for the slope with it: an identity."""
    e, u, z, w = orthogonal(80, 4, seed=1).T
    x = e + 0.6 * z + 0.2 * w
    y = -0.5 * x - 0.7 * z + 0.3 * w + u
    estimate, error = slope_of(y, x)
    told = adjusted_for_unseen(estimate, error, 78.0, with_predictor=share(x, z), with_outcome=share(y, z, x))
    assert told == pytest.approx(slope_of(y, x, z), abs=1e-12)


def test_a_benchmark_is_the_worst_that_one_just_as_strong_can_do():
    """A twin of the observed characteristic, at right angles to it and exactly as strong, in both directions."""
    e, u, z, w = orthogonal(90, 4, seed=2).T
    found = {}
    for sign in (1, -1):
        x = e + 0.5 * w + 0.5 * z
        y = 0.4 * x + 0.6 * w + sign * 0.6 * z + u
        design = np.column_stack([np.ones(90), x, w])
        told = robustness(y, design, names=("constant", "x", "w"), predictor="x", benchmarks={"w": ["w"]}).benchmarks[0]
        assert told.with_predictor == pytest.approx(share(x, z, w), abs=1e-12)
        found[sign] = (told.with_outcome, share(y, z, x, w))
    for told, real in found.values():
        assert real <= told + 1e-12
    assert max(real / told for told, real in found.values()) == pytest.approx(1, abs=1e-10)


def test_the_whole_answer():
    rng = np.random.default_rng(5)
    w, g = rng.normal(size=(2, 146))
    x = 0.5 * w + rng.normal(size=146)
    y = -0.4 * x + 0.8 * w + 0.3 * g + rng.normal(size=146)
    design = np.column_stack([np.ones(146), x, w, g])
    names = ("constant", "x", "w", "g")
    told = robustness(y, design, names=names, predictor="x", benchmarks={"w": ["w"], "both": ["w", "g"]})
    estimate, error = slope_of(y, x, w, g)
    assert (told.estimate, told.error) == pytest.approx((estimate, error), abs=1e-12)
    assert 0 < told.to_unclear < told.to_nothing < 1
    assert [b.name for b in told.benchmarks] == ["w", "both"]
    for one in told.benchmarks:
        assert one.lower < one.estimate < one.upper
        assert abs(one.estimate) < abs(estimate) or np.sign(one.estimate) != np.sign(estimate)
    with pytest.raises(RelationError, match="collinear"):
        robustness(y, np.column_stack([design, w]), names=(*names, "again"), predictor="x", benchmarks={})
    with pytest.raises(RelationError, match="needs two"):
        robustness_value(2.0, 1.0)
