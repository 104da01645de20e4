"""Counterparts, placebos and power: closed forms, other ways to the same numbers, and the size of the tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from outcomes_analysis.relations.evaluating.counterparts import (
    METHODS,
    NEAREST,
    mean_of_others,
    simplex_weights,
    weighted_others,
    year_noise,
)
from outcomes_analysis.relations.evaluating.placebos import Judged, critical, each_as_the_place, judge, lead_slope
from outcomes_analysis.relations.evaluating.power import detectable, detectable_by_error, power_of


@pytest.mark.parametrize("ridge", [0.0, 3.0])
def test_two_others_in_closed_form(ridge: float):
    rng = np.random.default_rng(1)
    for _ in range(20):
        target, one, other = rng.normal(size=(3, 6))
        d = one - other
        share = np.clip((d @ (target - other) + ridge) / (d @ d + 2 * ridge), 0, 1)
        found = simplex_weights(target, np.column_stack([one, other]), ridge=ridge)
        # a quadratic in one unknown against an active-set solver: rounding alone
        assert found == pytest.approx([share, 1 - share], abs=1e-8)


def test_many_others_meet_the_conditions_of_the_minimum():
    """The gradient is the same wherever there is weight, and no smaller elsewhere (Karush, Kuhn and Tucker)."""
    rng = np.random.default_rng(2)
    others, target, ridge = 50 + 5 * rng.normal(size=(8, 30)), 50 + 5 * rng.normal(size=8), 0.7
    w = simplex_weights(target, others, ridge=ridge)
    assert w.sum() == pytest.approx(1, abs=1e-12)
    assert (w >= 0).all()
    gradient = others.T @ (others @ w - target) + ridge * w
    level = gradient[w > 1e-9].mean()
    assert np.allclose(gradient[w > 1e-9], level, atol=1e-6)
    assert (gradient >= level - 1e-6).all()


def test_weights_of_a_known_mixture_come_back():
    rng = np.random.default_rng(3)
    others = rng.normal(size=(12, 5))
    true = np.array([0.5, 0.3, 0.2, 0.0, 0.0])
    # twelve equations without noise fix five weights
    assert simplex_weights(others @ true, others) == pytest.approx(true, abs=1e-6)


def test_difference_in_differences_is_the_two_way_regression():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(9, 12)) + np.linspace(0, 3, 12)
    found = mean_of_others(values[:, 0], values[:, 1:], 6)
    long = (
        pd.DataFrame(values)
        .rename_axis("year")
        .melt(ignore_index=False, var_name="place", value_name="y")
        .reset_index()
    )
    long["later"] = ((long["year"] >= 6) & (long["place"] == 0)).astype(float)
    fit = smf.ols("y ~ later + C(year) + C(place)", long).fit()
    assert found.estimate == pytest.approx(fit.params["later"], abs=1e-10)
    assert (values[:6, 0] - found.path[:6]).mean() == pytest.approx(0, abs=1e-12)


def test_the_weights_do_not_know_later_years():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(10, 60))
    later = values.copy()
    later[7:] += 100 * rng.normal(size=(3, 60))
    one, other = (weighted_others(v[:, 0], v[:, 1:], 7) for v in (values, later))
    assert (one.weights == other.weights).all()
    assert (one.weights > 0).sum() <= NEAREST
    assert one.misfit == other.misfit
    assert one.estimate != other.estimate


def test_year_noise_is_the_variance_put_in():
    values = 2.0 * np.random.default_rng(6).normal(size=(40, 200)) + np.linspace(0, 9, 200) + np.arange(40)[:, None]
    # 8,000 draws: 2 % standard error of a variance, three of them
    assert year_noise(values) == pytest.approx(4.0, rel=0.06)


def test_order_statistic_and_interval_say_the_same_as_the_chance():
    assert critical(np.array([1.0, -3.0, 2.0, 0.5, -1.5, 0.1, 4.0, 0.2, 0.3]), 0.8) == 3.0
    assert critical(np.arange(8.0), 0.9) == np.inf
    rng = np.random.default_rng(7)
    for _ in range(300):
        count = int(rng.integers(20, 60))
        judged = Judged(estimate=2 * rng.normal(), spread=1.3, others=rng.normal(size=count))
        assert (abs(judged.estimate) > judged.bound(0.9)) == (judged.p_value <= 0.1 + 1e-12)


def test_places_of_different_size_are_judged_by_their_own_noise():
    """A small place is called unusual as often as it should be; without its size, far too often."""
    rng = np.random.default_rng(8)
    sampling = np.concatenate([[6.0], rng.uniform(0.2, 1.5, 60)])
    called, called_without = 0, 0
    runs = 600
    for _ in range(runs):
        drawn = rng.normal(size=61) * np.sqrt(0.5 + sampling)
        with_size = judge(drawn[0], drawn[1:], sampling=sampling[0], sampling_others=sampling[1:])
        without = judge(drawn[0], drawn[1:], sampling=np.nan, sampling_others=sampling[1:])
        called += with_size.p_value <= 0.1
        called_without += without.p_value <= 0.1
    # standard error .012; the spread of a place beyond the range of the others is known less well, so four of them
    assert called / runs == pytest.approx(0.1, abs=0.048)
    assert called_without / runs > 0.3


@pytest.mark.parametrize("name", list(METHODS))
def test_size_where_nothing_changed(name: str):
    """Places on common factors with their own loads: a place is called unusual one time in ten."""
    runs, called = 150, 0
    for run in range(runs):
        rng = np.random.default_rng(run)
        factors, loads = rng.normal(size=(9, 2)).cumsum(axis=0), rng.normal(size=(2, 30))
        values = 50 + 3 * rng.normal(size=30) + factors @ loads + 0.5 * rng.normal(size=(9, 30))
        found = METHODS[name](values[:, 0], values[:, 1:], 6)
        placebos = each_as_the_place(values[:, 1:], before=6, method=METHODS[name])
        unknown = np.full(29, np.nan)
        judged = judge(
            found.estimate, np.array([p.estimate for p in placebos]), sampling=np.nan, sampling_others=unknown
        )
        called += judged.p_value <= 0.1
    # 150 runs at .1: standard error .024, three of them
    assert 0.028 <= called / runs <= 0.172


def test_weighted_counterpart_follows_common_factors_better():
    """Where places share factors unequally a mean of all misses the place, weighted ones follow it."""
    errors: dict[str, list[float]] = {name: [] for name in METHODS}
    for run in range(60):
        rng = np.random.default_rng(1000 + run)
        factors, loads = rng.normal(size=(14, 2)).cumsum(axis=0), rng.normal(size=(2, 40))
        values = 50 + factors @ loads + 0.3 * rng.normal(size=(14, 40))
        values[10:, 0] += 5
        for name, method in METHODS.items():
            errors[name].append(method(values[:, 0], values[:, 1:], 10).estimate - 5)
    spread = {name: np.sqrt(np.mean(np.square(e))) for name, e in errors.items()}
    assert spread["weighted"] < 0.7 * spread["differences"]
    # planted 5: the mean error is within three standard errors of 0
    assert abs(np.mean(errors["weighted"])) < 3 * spread["weighted"] / np.sqrt(60)


def test_slope_against_the_others():
    rng = np.random.default_rng(9)
    values, years = rng.normal(size=(6, 5)), np.array([2015.0, 2016, 2017, 2018, 2019, 2022])
    by_hand = [np.polyfit(years, values[:, j] - np.delete(values, j, axis=1).mean(axis=1), 1)[0] for j in range(5)]
    assert lead_slope(values, years) == pytest.approx(by_hand, abs=1e-10)


def test_detectable_change_in_closed_form():
    """With very many places of normal chance: the interval's quantile and the power's, added."""
    chance = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    judged = Judged(estimate=0.0, spread=2.0, others=chance)
    expected = (stats.norm.ppf(0.95) + stats.norm.ppf(0.8)) * 2
    # 20,000 even steps stand for the normal: three decimals
    assert detectable(judged, level=0.9) == pytest.approx(expected, abs=2e-3)
    assert detectable_by_error(2.0, level=0.9) == pytest.approx(expected, abs=1e-12)
    for side in (1, -1):
        assert power_of(side * detectable(judged, level=0.9), judged, level=0.9) == pytest.approx(0.8, abs=1e-3)
    assert power_of(0.0, judged, level=0.9) == pytest.approx(0.1, abs=1e-3)
    assert detectable(Judged(0.0, 1.0, np.arange(5.0)), level=0.9) == np.inf
