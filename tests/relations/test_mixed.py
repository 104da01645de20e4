"""Levels of areas and regions together: lme4's published fit, a dense likelihood, and the boundary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.slopes.mixed import fit_nested


def test_sleepstudy_with_an_intercept_for_each_person(gold: Path):
    """Reaction ~ Days + (1 | Subject) as lme4's manual prints it; the model with a random slope, which is this
    folder's reference output, is in test_regression.py."""
    table = pd.read_csv(gold / "models" / "mixedlm" / "sleepstudy.csv")
    design = np.column_stack([np.ones(len(table)), table["Days"]])
    fit = fit_nested(
        table["Reaction"].to_numpy(float), design, names=("constant", "Days"), areas=table["Subject"].astype(str)
    )
    # the manual's digits: four
    assert fit.estimates == pytest.approx((251.4051, 10.4673), abs=5e-5)
    assert fit.errors == pytest.approx((9.7467, 0.8042), abs=5e-5)
    assert fit.area == pytest.approx(1378.18, abs=0.05)
    assert fit.within == pytest.approx(960.46, abs=0.05)


def country(seed: int, *, between: float = 0.6, years: int = 3):
    """Nine regions of authorities, some with a year missing; x differs between years too."""
    rng = np.random.default_rng(seed)
    area = np.repeat(np.arange(72), years)
    region = area // 8
    year = np.tile(np.arange(years), 72)
    own = 0.9 * rng.normal(size=72)
    x = own[area] + 0.4 * rng.normal(size=len(area))
    level = 0.7 * rng.normal(size=72)
    y = -0.3 * x + level[area] + between * rng.normal(size=9)[region] + 0.3 * year + 0.5 * rng.normal(size=len(area))
    keep = rng.uniform(size=len(area)) > 0.1
    design = np.column_stack([np.ones(len(area)), x, year == 1, year == 2]).astype(float)
    return y[keep], design[keep], area[keep].astype(str), region[keep].astype(str)


NAMES = ("constant", "x", "year 2", "year 3")


def dense(y, design, area, region):
    """The same likelihood with whole matrices, maximised by another method."""
    same_area = (area[:, None] == area[None]).astype(float)
    same_region = (region[:, None] == region[None]).astype(float)
    n = len(y)

    def parts(logs):
        v = np.exp(logs[0]) * np.eye(n) + np.exp(logs[1]) * same_area + np.exp(logs[2]) * same_region
        inverse = np.linalg.inv(v)
        information = design.T @ inverse @ design
        slopes = np.linalg.solve(information, design.T @ inverse @ y)
        left = y - design @ slopes
        deviance = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + left @ inverse @ left
        return deviance, slopes, np.sqrt(np.diag(np.linalg.inv(information)))

    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000}
    best = minimize(lambda v: parts(v)[0], np.log([0.3, 0.4, 0.3]), method="Nelder-Mead", options=options).x
    return *parts(best)[1:], np.exp(best)


def test_nested_intercepts_equal_the_dense_likelihood():
    y, design, area, region = country(2)
    slopes, errors, (within, between_areas, between) = dense(y, design, area, region)
    fit = fit_nested(y, design, names=NAMES, areas=area, regions=region)
    # 1e-5: both searches stop where the likelihood is flat to about 1e-10
    assert fit.estimates == pytest.approx(tuple(slopes), abs=1e-5)
    assert fit.errors == pytest.approx(tuple(errors), rel=1e-4)
    assert (fit.within, fit.area, fit.between) == pytest.approx((within, between_areas, between), rel=1e-3)
    assert fit.df == 72 - 4 - 8


@pytest.mark.parametrize("seed", range(4))
def test_regions_that_do_not_differ_end_on_the_boundary_with_slopes_intact(seed: int):
    y, design, area, region = country(seed, between=0.0)
    for code in np.unique(region):
        y[region == code] -= (y - design @ np.linalg.lstsq(design, y, rcond=None)[0])[region == code].mean()
    fit = fit_nested(y, design, names=NAMES, areas=area, regions=region)
    without = fit_nested(y, design, names=NAMES, areas=area)
    assert fit.between < 1e-6
    # slopes of the model without regions: only the search's own 1e-5 is left
    assert fit.estimates == pytest.approx(without.estimates, abs=1e-4)
    assert abs(fit.estimates[1]) > 0.05


def test_what_cannot_be_told_apart_is_refused():
    y, design, area, region = country(1)
    with pytest.raises(RelationError, match="one year only"):
        fit_nested(y, design, names=NAMES, areas=np.arange(len(y)).astype(str))
    torn = region.copy()
    torn[0] = "elsewhere"
    with pytest.raises(RelationError, match="1 areas lie in two regions"):
        fit_nested(y, design, names=NAMES, areas=area, regions=torn)
    with pytest.raises(RelationError, match="collinear"):
        fit_nested(y, np.column_stack([design, design[:, 1]]), names=(*NAMES, "again"), areas=area)
