"""Errors for few groups: a published data set, brute force, and how often the interval holds the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.slopes.clusters import clustered_errors, fit_clustered
from outcomes_analysis.relations.slopes.regression import fit_robust


def test_grunfeld_as_clubsandwich(gold: Path):
    """inv ~ value + capital within firms: CR2 .0206 and .0827 on 1.81 and 1.80 degrees of freedom."""
    table = pd.read_csv(gold / "models" / "grunfeld" / "grunfeld_plm.csv")
    columns = table[["inv", "value", "capital"]]
    within = columns - columns.groupby(table["firm"]).transform("mean")
    slopes, errors, df = clustered_errors(
        within["inv"].to_numpy(), within[["value", "capital"]].to_numpy(), groups=table["firm"]
    )
    assert slopes == pytest.approx([0.110123804, 0.310065341], abs=1e-9)
    assert errors[0] == pytest.approx(0.020631, abs=5e-7)  # all the digits given
    assert errors[1] == pytest.approx(0.0827, abs=5e-5)
    assert df == pytest.approx([1.81, 1.80], abs=5e-3)
    # levels of firms as columns instead of differences: the same by Pustejovsky and Tipton's second theorem
    firms = pd.get_dummies(table["firm"], dtype=float).to_numpy()
    _, full, full_df = clustered_errors(
        table["inv"].to_numpy(float),
        np.column_stack([table[["value", "capital"]].to_numpy(float), firms]),
        groups=table["firm"],
    )
    assert full[:2] == pytest.approx(errors, rel=1e-6)
    assert full_df[:2] == pytest.approx(df, rel=1e-6)


def country(rng: np.random.Generator, *, sizes=(12, 23, 15, 9, 14, 11, 32, 19, 11), between=0.8):
    """Nine regions of the sizes they have; predictor and rest both resemble each other within regions."""
    region = np.repeat(np.arange(len(sizes)), sizes)
    level = between * rng.normal(size=(2, len(sizes)))
    x = level[0][region] + rng.normal(size=len(region))
    y = 0.4 * x + level[1][region] + rng.normal(size=len(region))
    return y, np.column_stack([np.ones(len(y)), x]), region


def test_degrees_of_freedom_and_unbiasedness_by_brute_force():
    """With independent residuals of variance one, the mean of the CR2 variance is the true one, and twice its square
    over its variance the degrees of freedom; both worked out from 1,500 sets of simulated residuals, to three of the
    simulation's own errors (1.5 % of the mean, 5 % of the variance)."""
    rng = np.random.default_rng(4)
    _, design, region = country(rng)
    made = []
    truth = np.linalg.inv(design.T @ design)[1, 1]
    _, _, df = clustered_errors(rng.normal(size=len(region)), design, groups=region)
    for _ in range(1500):
        _, errors, _ = clustered_errors(rng.normal(size=len(region)), design, groups=region)
        made.append(errors[1] ** 2)
    made = np.array(made)
    assert made.mean() == pytest.approx(truth, rel=0.045)
    assert 2 * made.mean() ** 2 / made.var() == pytest.approx(df[1], rel=0.15)


def test_nine_regions_hold_their_level_where_plain_errors_do_not():
    """250 made countries, nominal 90 %: three standard errors of the share are .057."""
    rng = np.random.default_rng(12)
    mine = plain = 0
    for _ in range(250):
        y, design, region = country(rng)
        one = fit_clustered(y, design, names=("constant", "x"), groups=region)
        other = fit_robust(y, design, names=("constant", "x"))
        mine += one.lower[1] <= 0.4 <= one.upper[1]
        plain += other.lower[1] <= 0.4 <= other.upper[1]
    assert 0.843 <= mine / 250 <= 0.96
    assert plain / 250 < 0.75


def test_interval_is_on_t_with_its_own_degrees_of_freedom():
    y, design, region = country(np.random.default_rng(1))
    fit = fit_clustered(y, design, names=("constant", "x"), groups=region)
    assert 2 < fit.df < 8
    assert fit.upper[1] == pytest.approx(fit.estimates[1] + stats.t.ppf(0.95, fit.df) * fit.errors[1], abs=1e-12)


def test_too_few_groups_are_refused():
    y, design, region = country(np.random.default_rng(1))
    few = region < 3
    with pytest.raises(RelationError, match="3 regions are too few"):
        fit_clustered(y[few], design[few], names=("constant", "x"), groups=region[few])
