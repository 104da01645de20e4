"""Lines within areas: plm's results on Grunfeld's firms, dummies written out, and simulated truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.over_time.panels import fit_panel, lagged

NAMES = ["value", "capital"]


@pytest.fixture(scope="module")
def grunfeld(gold: Path) -> dict[str, Any]:
    table = pd.read_csv(gold / "models" / "grunfeld" / "grunfeld_plm.csv")
    return {
        "outcome": table["inv"].to_numpy(float),
        "design": table[NAMES].to_numpy(float),
        "names": NAMES,
        "areas": table["firm"].to_numpy(),
        "years": table["year"].to_numpy(),
    }


@pytest.fixture(scope="module")
def published(gold: Path) -> pd.DataFrame:
    return pd.read_csv(gold / "models" / "grunfeld" / "estimates.csv").set_index("model")


@pytest.mark.parametrize(("model", "levels"), [("within", "areas"), ("twoways", "areas and years")])
def test_investment_of_firms_as_plm_has_it(grunfeld, published, model: str, levels: Any):
    """Both libraries solve the same equations: ten digits agree; 1e-6 is asked."""
    row = published.loc[model]
    by_area = fit_panel(**grunfeld, levels=levels, errors="areas")
    by_year = fit_panel(**grunfeld, levels=levels, errors="years")
    assert by_area.estimates == pytest.approx(row[NAMES].to_numpy(float), rel=1e-8)
    # plm's HC0 by firm, times the factor that CR1 adds: G / (G - 1) (n - 1) / (n - k)
    cr1 = np.sqrt(10 / 9 * 199 / 198)
    assert by_area.errors == pytest.approx(row[["cl_HC0_value", "cl_HC0_capital"]].to_numpy(float) * cr1, rel=1e-8)
    assert by_area.df == 9
    # Driscoll and Kraay as plm's vcovSCC: two years apart, no correction
    assert by_year.errors[0] == pytest.approx(row["dk_value"], rel=1e-8)
    # critical value of Kiefer and Vogelsang (2005) for Bartlett weights, 3 of 20 years: theirs is for very many years,
    # ours for twenty, drawn; they agree to a percent
    far = (by_year.upper[0] - by_year.estimates[0]) / by_year.errors[0]
    share = 3 / 20
    assert far == pytest.approx(1.6449 + 2.1859 * share + 0.3142 * share**2 - 0.3427 * share**3, rel=0.015)


def test_few_firms_as_clubsandwich_has_them(grunfeld, published):
    found = fit_panel(**grunfeld, levels="areas", errors="groups")
    assert found.errors[0] == pytest.approx(published.at["within", "CR2_value"], rel=1e-8)
    assert found.errors[1] == pytest.approx(0.0827, abs=5e-5)  # as printed
    assert found.df == pytest.approx(1.80, abs=5e-3)
    reach = stats.t.ppf(0.95, found.df)
    assert found.upper[1] - found.estimates[1] == pytest.approx(reach * found.errors[1], rel=1e-9)


def uneven(seed: int = 1, areas: int = 40, years: int = 9) -> dict[str, Any]:
    """A panel in which a quarter of the rows is missing."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"area": np.repeat(np.arange(areas), years), "year": np.tile(np.arange(2010, 2010 + years), areas)}
    )
    n = len(table)
    table["x"], table["z"] = rng.normal(size=(2, n)) + 0.5 * rng.normal(size=areas)[table["area"]]
    table["y"] = 0.5 * table["x"] - table["z"] + 2 * rng.normal(size=areas)[table["area"]] + rng.normal(size=n)
    table = table[rng.uniform(size=n) > 0.25]
    return {
        "outcome": table["y"].to_numpy(),
        "design": table[["x", "z"]].to_numpy(),
        "names": ["x", "z"],
        "areas": table["area"].to_numpy(),
        "years": table["year"].to_numpy(),
    }


def test_levels_are_those_of_columns_written_out():
    panel = uneven()
    codes = pd.DataFrame({k: panel[k] for k in ("areas", "years")}).astype(str)
    dummies = pd.get_dummies(codes, drop_first=True, dtype=float)
    design = np.column_stack([panel["design"], dummies, np.ones(len(panel["outcome"]))])
    plain = sm.OLS(panel["outcome"], design).fit()
    found = fit_panel(**panel)
    # two ways of solving the same equations with fifty columns
    assert found.estimates == pytest.approx(plain.params[:2], abs=1e-9)
    n, count = len(panel["outcome"]), len(np.unique(panel["areas"]))
    clustered = sm.OLS(panel["outcome"], design).fit(
        cov_type="cluster", cov_kwds={"groups": panel["areas"], "use_correction": False}
    )
    factor = np.sqrt(count / (count - 1) * (n - 1) / (n - 2))
    assert found.errors == pytest.approx(clustered.bse[:2] * factor, rel=1e-8)
    assert found.areas == count
    assert found.note == f"{n} figures of {count} authorities in 9 years"


def test_an_areas_own_level_and_a_years_leave_the_slope_as_it_is():
    panel = uneven()
    shifted = panel | {"outcome": panel["outcome"] + 7.0 * panel["areas"] + 100.0 * (panel["years"] >= 2014)}
    assert fit_panel(**shifted).estimates == pytest.approx(fit_panel(**panel).estimates, abs=1e-8)
    assert (
        abs(fit_panel(**shifted, levels="areas").estimates[0] - fit_panel(**panel, levels="areas").estimates[0]) > 0.1
    )


@pytest.mark.slow
def test_intervals_hold_simulated_truth_where_shocks_strike_authorities_unequally():
    """Predictor and outcome share shocks by year, stronger in some areas: errors by area are then far too small.

    150 panels of eight years: three standard errors of a share of .85 are .09, and errors by year with so few years are
    known to hold the truth in 83 to 89 of 100.
    """
    rng = np.random.default_rng(4)
    years, count = 8, 60
    areas, at = np.repeat(np.arange(count), years), np.tile(np.arange(years), count)
    held = {"areas": 0, "years": 0}
    for _ in range(150):
        load = 0.6 * rng.normal(size=(count, 1))
        x, noise = (rng.normal(size=(count, years)) + load * rng.normal(size=(1, years)) for _ in range(2))
        y = 0.5 * x + noise + rng.normal(size=(count, 1))
        for errors in held:
            fit = fit_panel(y.ravel(), x.reshape(-1, 1), names=["x"], areas=areas, years=at, errors=errors)
            _, low, high = fit.of("x")
            held[errors] += low <= 0.5 <= high
    assert held["areas"] / 150 < 0.65
    assert 0.76 < held["years"] / 150 < 0.95


def test_a_lag_is_of_calendar_years():
    table = pd.DataFrame(
        {"area_code": list("aaab"), "year": [2016, 2017, 2019, 2017], "y": [1.0, 2, 3, 4], "x": [5.0, 6, 7, 8]}
    )
    one = lagged(table, "x")
    assert one.to_dict("list") == {"area_code": ["a"], "year": [2017], "y": [2.0], "x": [5.0]}
    assert lagged(table, "x", lag=2).to_dict("list") == {"area_code": ["a"], "year": [2019], "y": [3.0], "x": [6.0]}


def test_panels_that_bear_no_line_are_refused():
    panel = uneven()
    x = panel["design"][:, 0]

    def refused(match: str, **change: Any) -> None:
        with pytest.raises(RelationError, match=match):
            fit_panel(**(panel | change))

    fixed = np.column_stack([x, panel["areas"].astype(float)])
    refused("Does not change within areas over the years.*: z", design=fixed, levels="areas")
    shared = np.column_stack([x, panel["years"].astype(float)])
    refused("apart from what all areas share: z", design=shared)
    refused("the outcome", outcome=panel["areas"].astype(float))
    refused("Perfectly collinear within areas: x, z", design=np.column_stack([x, 2 * x + panel["areas"]]))
    refused("rows repeat an area and year", years=np.full(len(x), 2010))
    first = pd.Series(panel["areas"]).duplicated().to_numpy()
    one = {k: np.asarray(panel[k])[~first] for k in ("outcome", "design", "areas")}
    refused("All rows are of one year", **one, years=np.full((~first).sum(), 2010))
    refused(r"rows are too few for \d+ parameters", **one, years=panel["years"][~first])
    refused("2 groups are too few", errors="groups", groups=panel["areas"] % 2)
    few = panel["years"] < 2017
    some = {k: np.asarray(panel[k])[few] for k in ("outcome", "design", "areas", "years")}
    refused("7 years are too few", **some, errors="years")
