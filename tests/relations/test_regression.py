"""Slopes against the formulas by hand, lme4, our own restricted likelihood, and where they must refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import t

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.slopes.regression import fit_mixed, fit_robust


def areas(between: float, *, seed: int = 5, groups: int = 9, each: int = 16):
    """A made country: two columns, a slope of -.3, regions that differ by ``between``."""
    rng = np.random.default_rng(seed)
    region = np.repeat(np.arange(groups), each)
    x, z = rng.normal(size=(2, groups * each))
    y = -0.3 * x + 0.5 * z + between * rng.normal(size=groups)[region] + 0.7 * rng.normal(size=groups * each)
    return y, np.column_stack([np.ones(len(y)), x, z]), region.astype(str)


NAMES = ("constant", "x", "z")


def test_hc3_by_hand():
    y, design, _ = areas(0.5)
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    weight = ((y - design @ slopes) / (1 - leverage)) ** 2
    errors = np.sqrt(np.diag(inverse @ (design.T * weight) @ design @ inverse))
    fit = fit_robust(y, design, names=NAMES)
    # 1e-9: another order of the same sums
    assert fit.estimates == pytest.approx(tuple(slopes), abs=1e-9)
    assert fit.errors == pytest.approx(tuple(errors), abs=1e-9)
    assert fit.upper[1] == pytest.approx(slopes[1] + t.ppf(0.95, len(y) - 3) * errors[1], abs=1e-9)


def restricted_likelihood(y, design, region):
    """Random intercept by a search over one ratio of variances, dense matrices, nothing borrowed."""
    same = (region[:, None] == region[None, :]).astype(float)
    n, k = design.shape

    def parts(log_ratio):
        v = np.eye(n) + np.exp(log_ratio) * same
        solved = np.linalg.solve(v, design)
        information = design.T @ solved
        slopes = np.linalg.solve(information, solved.T @ y)
        left = y - design @ slopes
        scale = left @ np.linalg.solve(v, left) / (n - k)
        minus2 = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + (n - k) * np.log(scale)
        return minus2, slopes, scale, information

    best = minimize_scalar(lambda r: parts(r)[0], bounds=(-10, 5), method="bounded", options={"xatol": 1e-10}).x
    _, slopes, scale, information = parts(best)
    return slopes, np.sqrt(np.diag(scale * np.linalg.inv(information))), scale * np.exp(best), scale


def test_random_intercept_equals_our_own_restricted_likelihood():
    y, design, region = areas(0.8)
    slopes, errors, between, within = restricted_likelihood(y, design, region)
    fit = fit_mixed(y, design, names=NAMES, groups=region)
    # 1e-4: the optimisers stop at gradients of about 1e-5
    assert fit.estimates == pytest.approx(tuple(slopes), abs=1e-4)
    assert fit.errors == pytest.approx(tuple(errors), abs=1e-4)
    assert (fit.between, fit.within) == pytest.approx((between, within), abs=1e-3)


def test_sleepstudy_as_lme4(gold: Path):
    """Reaction ~ Days + (Days | Subject), REML, against the published output of lme4."""
    table = pd.read_csv(gold / "models" / "mixedlm" / "sleepstudy.csv")
    design = np.column_stack([np.ones(len(table)), table["Days"]])
    fit = fit_mixed(
        table["Reaction"].to_numpy(float),
        design,
        names=("constant", "Days"),
        groups=table["Subject"].astype(str),
        random=design,
    )
    # 4 digits, as the reference asks: both stop when the likelihood is flat to about 1e-6
    assert fit.estimates == pytest.approx((251.405105, 10.467286), rel=1e-5)
    assert fit.errors == pytest.approx((6.824597, 1.545790), rel=1e-4)
    assert fit.within == pytest.approx(654.94001, rel=1e-4)
    assert fit.between == pytest.approx(612.10016 + 35.07171, rel=1e-3)  # trace; flattest direction of the likelihood


@pytest.mark.parametrize("seed", range(6))
def test_regions_that_do_not_differ_fall_back_to_least_squares(seed: int):
    """The defect guarded against returns slopes of exactly zero as if the fit had converged."""
    y, design, region = areas(0.0, seed=seed)
    for code in np.unique(region):  # take every difference between regions out of what is left
        y[region == code] -= (y - design @ np.linalg.lstsq(design, y, rcond=None)[0])[region == code].mean()
    fit = fit_mixed(y, design, names=NAMES, groups=region)
    plain = fit_robust(y, design, names=NAMES)
    assert fit.between == 0.0
    assert "do not differ" in fit.note
    assert fit.estimates == plain.estimates
    assert min(abs(e) for e in fit.estimates[1:]) > 1e-3


def test_a_slope_of_exactly_zero_is_an_error(monkeypatch):
    y, design, region = areas(0.8)
    from outcomes_analysis.relations.slopes import regression

    class Failed:
        cov_re = np.array([[0.5]])
        fe_params = np.array([0.1, 0.0, 0.4])
        bse_fe = np.ones(3)
        scale = 1.0

    monkeypatch.setattr(regression, "_optimise", lambda *_, **__: Failed())
    with pytest.raises(RelationError, match="exactly zero for x"):
        fit_mixed(y, design, names=NAMES, groups=region)
    monkeypatch.setattr(regression, "_optimise", lambda *_, **__: None)
    with pytest.raises(RelationError, match="did not converge"):
        fit_mixed(y, design, names=NAMES, groups=region)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: np.column_stack([d[:, :2], np.full(len(d), 4.0)]), "Constant"),
        (lambda d: np.column_stack([d[:, :2], 2 * d[:, 1] + 1]), "collinear"),
        (lambda d: d[:4], "too few"),
    ],
)
def test_designs_that_bear_no_slope_are_refused(change, message):
    y, design, _ = areas(0.5)
    design = change(design)
    with pytest.raises(RelationError, match=message):
        fit_robust(y[: len(design)], design, names=NAMES)


def test_weighted_errors_by_hand():
    y, design, _ = areas(0.5)
    weights = np.random.default_rng(2).uniform(0.2, 5, len(y))
    inverse = np.linalg.inv((design.T * weights) @ design)
    slopes = inverse @ (design.T * weights) @ y
    leverage = weights * np.einsum("ij,jk,ik->i", design, inverse, design)
    meat = (weights * (y - design @ slopes) / (1 - leverage)) ** 2
    errors = np.sqrt(np.diag(inverse @ (design.T * meat) @ design @ inverse))
    fit = fit_robust(y, design, names=NAMES, weights=weights)
    assert fit.estimates == pytest.approx(tuple(slopes), abs=1e-9)  # another order of the same sums
    assert fit.errors == pytest.approx(tuple(errors), abs=1e-9)
    doubled = fit_robust(y, design, names=NAMES, weights=2 * weights)
    assert doubled.errors == pytest.approx(fit.errors, abs=1e-12)
    with pytest.raises(RelationError, match="1 areas have a weight"):
        fit_robust(y, design, names=NAMES, weights=np.where(np.arange(len(y)) == 3, 0, weights))
