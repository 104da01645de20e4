"""Weights and means against hand calculation."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling
from outcomes_analysis.index.steps.aggregation import (
    effective_weights,
    mean_error,
    weighted_mean,
)

sys.path.insert(0, str(Path(__file__).parent))
from leaf_by_leaf import leaf_weights


def indicator(name, outcome, **changes):
    fields = {
        "id": name,
        "name": name,
        "definition": "d",
        "unit": "%",
        "direction": 1,
        "outcome": outcome,
        "form": "proportion",
        "age_stage": "5",
        "geography_basis": "residence",
        "base_period": "2023",
        "source": "s",
        "decimals": 1,
        "cannot_tell": "c",
        "sampling": Sampling(model="none"),
    }
    return Indicator(**(fields | changes))


@pytest.fixture
def framework():
    nodes = (
        Node(id="safe", label="Safe", kind="domain"),
        Node(id="home", label="Home", kind="outcome", parent="safe"),
        Node(id="road", label="Road", kind="outcome", parent="safe"),
    )
    indicators = (
        indicator("a", "home", doublet="twins"),
        indicator("b", "home", doublet="twins"),
        indicator("c", "home"),
        indicator("d", "road"),
    )
    return Framework(
        id="f", label="F", version="1", date="2026", source_url="", notice="n", nodes=nodes, indicators=indicators
    )


def test_doublets_share_one_weight(framework):
    weights = leaf_weights(framework, "safe", indicators=["a", "b", "c", "d"])
    # two outcomes at 1/2; in 'home' two groups at 1/4, the twins 1/8 each
    assert weights["weight"].to_dict() == {"a": 0.125, "b": 0.125, "c": 0.25, "d": 0.5}
    assert weights["within"].to_dict() == {"a": 0.25, "b": 0.25, "c": 0.5, "d": 1.0}


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([1, 1, 1, 1], [1 / 8, 1 / 8, 1 / 4, 1 / 2]),
        ([0, 1, 1, 1], [0, 1 / 4, 1 / 4, 1 / 2]),  # one twin stands in for the other
        ([1, 1, 0, 1], [1 / 4, 1 / 4, 0, 1 / 2]),  # the twins stand in for their outcome
        ([1, 1, 1, 0], [1 / 4, 1 / 4, 1 / 2, 0]),  # one outcome stands in for the domain
        ([0, 0, 0, 0], [0, 0, 0, 0]),
    ],
)
def test_missing_weight_goes_to_what_is_beside_it(framework, present, expected):
    weights = leaf_weights(framework, "safe", indicators=["a", "b", "c", "d"])
    found = effective_weights(np.array([present], dtype=bool), weights)
    np.testing.assert_allclose(found, [expected], atol=1e-15)  # sums of a few powers of two: exact


def test_geometric_mean_by_hand():
    scores, weights = np.array([[1.0, -1.0]]), np.array([[0.5, 0.5]])
    # sqrt(110 * 90) = 99.498743..., so -0.0501257
    assert weighted_mean(scores, weights, method="geometric")[0] == pytest.approx((np.sqrt(9900) - 100) / 10)
    assert weighted_mean(scores, weights, method="arithmetic")[0] == 0


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=6))
def test_geometric_never_above_arithmetic_and_equal_when_all_equal(values):
    scores = np.array([values])
    weights = np.full_like(scores, 1 / len(values))
    arithmetic = weighted_mean(scores, weights, method="arithmetic")[0]
    geometric = weighted_mean(scores, weights, method="geometric")[0]
    assert geometric <= arithmetic + 1e-9  # rounding of exp and log
    same = np.full_like(scores, values[0])
    assert weighted_mean(same, weights, method="geometric")[0] == pytest.approx(values[0], abs=1e-9)


def test_errors_add_in_squares_between_indicators_and_in_full_within_a_doublet():
    errors, weights = np.array([[1.0, 1.0, 2.0]]), np.array([[0.25, 0.25, 0.5]])
    assert mean_error(errors, weights, ["t", "t", "c"])[0] == pytest.approx(np.sqrt(0.5**2 + 1.0**2))
    assert mean_error(errors, weights, ["a", "b", "c"])[0] == pytest.approx(np.sqrt(0.25**2 * 2 + 1.0**2))
