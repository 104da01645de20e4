"""Scales: there and back, slopes, and the guard at the ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from outcomes_analysis.errors import FrameworkError
from outcomes_analysis.observations.scales import RowScales, derivative, inverse, on_scale, transform

SCALES = st.sampled_from(["identity", "logit", "log"])


def test_values_known_by_hand():
    assert transform([50.0, 73.105857863], "logit") == pytest.approx([0.0, 1.0], abs=1e-9)
    assert transform(np.exp(3.0), "log") == pytest.approx(3.0)
    assert transform(-4.0, "identity") == -4.0
    assert transform(30.0, "logit", low=20.0, high=40.0) == pytest.approx(0.0)
    assert derivative(50.0, "logit") == pytest.approx(4 / 100)
    assert derivative(25.0, "log") == pytest.approx(1 / 25)


@given(SCALES, st.floats(0.1, 99.9))
def test_there_and_back(scale, value):
    # 0.1 to 99.9 lies within the default guard of 0.05; the rest is rounding of doubles.
    assert inverse(transform(value, scale), scale) == pytest.approx(value, rel=1e-9)


@given(SCALES, st.floats(0.2, 99.8))
def test_the_derivative_is_the_slope(scale, value):
    step = 1e-5
    slope = (transform(value + step, scale) - transform(value - step, scale)) / (2 * step)
    # The error of a central difference is of the order of step² times the third derivative: below 1e-6 here.
    assert derivative(value, scale) == pytest.approx(float(slope), rel=1e-5)


def test_guards_give_the_ends_a_place():
    assert transform([0.0, 100.0], "logit", guard=0.05) == pytest.approx([logit(0.0005), logit(0.9995)])
    assert transform(0.0, "log", guard=0.5) == pytest.approx(np.log(0.5))
    assert np.isfinite(transform([0.0, 100.0], "logit")).all()
    assert np.isfinite(transform(0.0, "log"))
    # one guard a value: half a child of 60, of 600
    assert transform([0.0, 0.0], "logit", guard=[50 / 60, 50 / 600]) == pytest.approx(logit([0.5 / 60, 0.5 / 600]))


@pytest.mark.filterwarnings("error")
def test_nothing_overflows_and_nan_stays():
    for scale in ("identity", "logit", "log"):
        x = np.array([np.nan, 1e4, -1e4])
        back = inverse(x, scale)
        assert np.isnan(back[0])
        assert np.isfinite(back[1:]).all()
        assert np.isnan(transform(np.nan, scale))
        assert np.isnan(derivative(np.nan, scale))
    assert inverse([1e4, -1e4], "logit") == pytest.approx([100.0, 0.0])


def test_on_scale_uses_each_indicators_own(framework, indicator):
    fw = framework(indicator("share"), indicator("rate", scale="log", decimals=0), indicator("mean", scale="identity"))
    values = pd.DataFrame({"rate": [0.0, 20.0], "share": [50.0, np.nan], "mean": [3.0, 4.0]}, index=["x", "y"])
    z = on_scale(values, framework=fw)
    assert list(z.columns) == ["rate", "share", "mean"]
    assert z.loc["x"].tolist() == pytest.approx([np.log(0.5), 0.0, 3.0])  # 0 is guarded by half a unit
    assert np.isnan(z.loc["y", "share"])
    assert on_scale(z, framework=fw, back=True).loc["y", "rate"] == pytest.approx(20.0)
    with pytest.raises(FrameworkError, match=r"No indicator 'rat'.*rate"):
        on_scale(pd.DataFrame({"rat": [1.0]}), framework=fw)


def test_rows_are_guarded_by_half_a_child(framework, indicator, observations):
    fw = framework(indicator("share"), indicator("rate", scale="log", per=10_000.0))
    obs = observations(
        indicator_id=["share", "share", "rate"], value=[0.0, 0.0, 0.0], denominator=[50.0, np.nan, 20_000.0]
    )
    rows = RowScales.of(obs, fw)
    assert rows.guard == pytest.approx([100 * 0.5 / 50, 0.05, 10_000 * 0.5 / 20_000])
    assert rows.transform(obs["value"]) == pytest.approx([logit(0.01), logit(0.0005), np.log(0.25)])
