"""The wild cluster bootstrap against regressions run one by one, and the share of false alarms with nine regions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.slopes.clusters import fit_clustered
from outcomes_analysis.relations.slopes.wild import WEBB, fit_wild, wild_test

NAMES = ["constant", "x", "z"]


def made(sizes: tuple[int, ...], *, rng: np.random.Generator, slope: float = 0.0):
    """Areas alike within groups in predictor and in what the line leaves over."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    level = rng.normal(size=(2, len(sizes)))[:, groups]
    x = 0.7 * level[0] + rng.normal(size=len(groups))
    z = rng.normal(size=len(groups))
    y = slope * x + 0.3 * z + 0.7 * level[1] + rng.normal(size=len(groups)) * (1 + 0.3 * np.abs(x))
    return y, np.column_stack([np.ones(len(groups)), x, z]), groups


def one_by_one(y, design, groups, *, supposed: float, weights) -> tuple[float, list[float]]:
    """The statistic, and that of every draw, each from a regression of statsmodels with its clustered errors."""

    def statistic(values):
        fit = sm.OLS(values, design).fit(cov_type="cluster", cov_kwds={"groups": groups})
        return abs(fit.params[1] - supposed) / fit.bse[1]

    others = design[:, [0, 2]]
    null = sm.OLS(y - supposed * design[:, 1], others).fit()
    under = supposed * design[:, 1] + null.fittedvalues
    return statistic(y), [statistic(under + np.asarray(w)[groups] * null.resid) for w in weights]


@pytest.mark.parametrize("supposed", [0.0, 0.35])
def test_every_combination_of_signs_equals_regressions_run_one_by_one(supposed: float):
    y, design, groups = made((7, 5, 9, 6, 8), rng=np.random.default_rng(1), slope=0.3)
    here, drawn = one_by_one(y, design, groups, supposed=supposed, weights=product([-1, 1], repeat=5))
    found = wild_test(y, design, column=1, groups=groups, rng=np.random.default_rng(0), weights="signs")
    assert found.every_draw
    assert found.weights.shape == (5, 32)
    # shares of 32 draws: the same count or not at all
    assert found.p_value(supposed) == pytest.approx(np.mean(np.array(drawn) >= here * (1 - 1e-9)), abs=1e-12)
    assert 2 / 32 <= found.p_value(supposed) < 1  # the figures themselves and their mirror image are two of them


def test_drawn_weights_of_webb_equal_regressions_run_one_by_one():
    y, design, groups = made((7, 5, 9, 6, 8), rng=np.random.default_rng(2), slope=0.3)
    found = wild_test(y, design, column=1, groups=groups, rng=np.random.default_rng(3), draws=60)
    assert set(np.unique(np.abs(found.weights)).round(12)) <= set(WEBB.round(12))
    here, drawn = one_by_one(y, design, groups, supposed=0.0, weights=found.weights.T)
    assert found.p_value() == pytest.approx((1 + np.sum(np.array(drawn) >= here)) / 61, abs=1e-12)


def test_the_interval_holds_the_slopes_that_are_not_refused():
    y, design, groups = made((16, 12, 20, 15, 18, 14, 32, 9, 15), rng=np.random.default_rng(4), slope=0.4)
    found = wild_test(y, design, column=1, groups=groups, rng=np.random.default_rng(5), draws=1_999)
    lower, upper = found.interval(0.9)
    assert lower < found.slope < upper
    for end, way in ((lower, -1), (upper, 1)):
        # an end is found to 1e-4 errors; a hundredth of an error beside it the verdict is the other one
        assert found.p_value(end - way * 0.01 * found.error) > 0.1 >= found.p_value(end + way * 0.01 * found.error)
    fit = fit_wild(y, design, names=NAMES, predictor="x", groups=groups, rng=np.random.default_rng(5))
    assert fit.of("x")[0] == pytest.approx(sm.OLS(y, design).fit().params[1], abs=1e-12)
    assert np.isnan(fit.of("z")[1])
    # another way to the same thing: about as wide as the interval of CR2, which has a reference of its own
    other = fit_clustered(y, design, names=NAMES, groups=groups)
    widths = [fit.of("x")[2] - fit.of("x")[1], other.of("x")[2] - other.of("x")[1]]
    assert 0.7 < widths[0] / widths[1] < 1.4


def test_false_alarms_with_nine_regions_are_as_often_as_said():
    """One in ten; taking areas as separate the same lines give more than one in five."""
    rng = np.random.default_rng(6)
    sizes = (12, 23, 15, 9, 14, 11, 32, 19, 11)  # of the ranked authorities of each region, about
    refused, plain = [], []
    for _ in range(600):
        y, design, groups = made(sizes, rng=rng)
        refused.append(wild_test(y, design, column=1, groups=groups, rng=rng, draws=399).p_value() <= 0.1)
        plain.append(sm.OLS(y, design).fit(cov_type="HC3").pvalues[1] <= 0.1)
    # 600 tries: three standard errors of a share of .1 are .037
    assert np.mean(refused) == pytest.approx(0.1, abs=0.037)
    assert np.mean(plain) > 0.2


def test_too_few_regions_give_no_interval():
    y, design, groups = made((20, 20, 20, 20), rng=np.random.default_rng(7))
    with pytest.raises(RelationError, match="4 regions are too few to draw"):
        fit_wild(y, design, names=NAMES, predictor="x", groups=groups, rng=np.random.default_rng(0))
    signs = wild_test(y, design, column=1, groups=groups, rng=np.random.default_rng(0), weights="signs")
    with pytest.raises(RelationError, match="no slope however far is refused"):
        signs.interval(0.9)  # of 16 draws two are always as far: no share below an eighth
