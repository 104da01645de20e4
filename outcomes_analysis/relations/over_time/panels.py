"""Lines within areas over several years: each area set beside itself, with or without what all share in a year.

Levels for areas take out all that stays the same there; levels for years what moves in all areas alike. The fits are
linearmodels'; which errors are meant is named in each method, since programs differ by a few percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.clusters import FEWEST_GROUPS, clustered_errors
from outcomes_analysis.relations.slopes.regression import Fit
from outcomes_analysis.wording import plural

Floats = NDArray[np.float64]
Levels = Literal["areas", "areas and years"]
Errors = Literal["areas", "years", "groups"]

FEWEST_YEARS = 8  # for errors by year: with fewer their intervals hold the truth too seldom (test_panels.py)
DEALS = 100_000  # of years of chance, for the reach of these intervals: good to half a percent
NEGLIGIBLE = 1e-10  # of a column's sum of squares: below it nothing is left once levels are taken out


def fit_panel(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    areas: Sequence[str] | NDArray[Any],
    years: Sequence[int] | NDArray[np.integer],
    levels: Levels = "areas and years",
    errors: Errors = "areas",
    groups: Sequence[str] | NDArray[Any] | None = None,
    level: float = LEVEL,
) -> Fit:
    """Least squares with a level of its own for each area and, if asked, for each year.

    Parameters
    ----------
    outcome : array of shape (n,)
        One row an area and year; not every area needs every year.
    design : array of shape (n, k)
        Without a constant: the levels take its place.
    names : sequence of str
        One a column.
    areas, years : sequence of length n
        Which area and calendar year each row is of.
    levels : {"areas", "areas and years"}
    errors : {"areas", "years", "groups"}
        Robust to any likeness of the rows of an area over the years (clustered by area, CR1: times
        G / (G - 1) (n - 1) / (n - k), levels not counted; t on G - 1); to any likeness of the rows of a year and of
        years close to each other (Driscoll and Kraay 1998, Bartlett weights up to the fourth root of the number of
        years, no correction for degrees of freedom; since they are too small with few years, their interval reaches
        as far as it must with so many separate years); or to any likeness within ``groups``, which areas lie in (CR2
        with degrees of freedom by Satterthwaite).
    groups : sequence of length n, optional
        Group (region) of each row, for ``errors="groups"``.
    level : float
        Of the intervals.

    Returns
    -------
    Fit

    Raises
    ------
    RelationError
        If an area and year occurs twice, there are fewer than two years or fewer rows than parameters, a column or
        the outcome does not change once the levels are taken out, columns can be worked out from each other, or there
        are too few years (8) or groups (4) for the errors asked for.
    """
    from scipy import stats

    table = pd.DataFrame(design, columns=list(names)).assign(_outcome=outcome, _area=areas, _year=years)
    _check(table, design, names=names, levels=levels)
    spread = {"areas": table["_area"].nunique(), "years": table["_year"].nunique()}
    if errors == "groups":
        estimates, sizes, df, method = _by_group(table, names=names, groups=groups, levels=levels)
    else:
        if errors == "years" and spread["years"] < FEWEST_YEARS:
            message = (
                f"{plural(spread['years'], 'year is', 'years are')} too few for errors that allow for what all areas "
                f"share in a year; {FEWEST_YEARS} are needed."
            )
            raise RelationError(message)
        estimates, sizes = _fitted(table, names=names, levels=levels, errors=errors)
        df = np.full(len(names), spread[errors] - 1.0)
        kind = "CR1 by area" if errors == "areas" else "Driscoll and Kraay's, reach for few years"
        method = f"least squares within {levels}, errors {kind}"
    far = stats.t.ppf((1 + level) / 2, df)
    reach = (_reach(spread["years"], level=level) if errors == "years" else far) * sizes
    return Fit(
        names=tuple(names),
        estimates=tuple(map(float, estimates)),
        errors=tuple(map(float, sizes)),
        lower=tuple(map(float, estimates - reach)),
        upper=tuple(map(float, estimates + reach)),
        level=level,
        df=float(df.min()),
        method=method,
        areas=spread["areas"],
        note=f"{len(table)} figures of {spread['areas']} authorities in {spread['years']} years",
    )


def lagged(table: pd.DataFrame, column: str, *, lag: int = 1) -> pd.DataFrame:
    """Replace a column by its figure some years before; rows without one fall away.

    Parameters
    ----------
    table : DataFrame
        ``area_code, year`` and the column; one row an area and year.
    column : str
    lag : int
        Calendar years, above 0.

    Returns
    -------
    DataFrame
        As ``table``, its rows that have a figure ``lag`` years before.
    """
    before = table[["area_code", "year", column]].assign(year=table["year"] + lag)
    return table.drop(columns=column).merge(before, on=["area_code", "year"], how="inner")[list(table.columns)]


def _check(table: pd.DataFrame, design: Floats, *, names: Sequence[str], levels: Levels) -> None:
    twice = table.duplicated(["_area", "_year"])
    if twice.any():
        named = several(f"{a} in {y}" for a, y in zip(table["_area"][twice], table["_year"][twice], strict=True))
        message = f"{plural(int(twice.sum()), 'row repeats', 'rows repeat')} an area and year: {named}. Keep one each."
        raise RelationError(message)
    years, count = table["_year"].nunique(), table["_area"].nunique()
    if years < 2:
        message = "All rows are of one year: an area cannot be set beside itself. Take several years."
        raise RelationError(message)
    parameters = len(names) + count + (years - 1 if levels == "areas and years" else 0)
    if len(table) <= parameters:
        message = f"{len(table)} rows are too few for {parameters} parameters ({count} areas). Take more years."
        raise RelationError(message)
    columns = np.column_stack([design, table["_outcome"].to_numpy(float)])
    left = _taken_out(columns, table, levels=levels)
    whole = ((columns - columns.mean(axis=0)) ** 2).sum(axis=0)
    still = [
        "the outcome" if k == len(names) else names[k]
        for k in range(len(names) + 1)
        if (left[:, k] ** 2).sum() <= NEGLIGIBLE * max(whole[k], np.finfo(float).tiny)
    ]
    if still:
        moves = "over the years" if levels == "areas" else "over the years apart from what all areas share"
        message = f"Does not change within areas {moves}: {several(still)}. There is no slope within areas."
        raise RelationError(message)
    unit = left[:, :-1] / np.sqrt((left[:, :-1] ** 2).sum(axis=0))
    if np.linalg.matrix_rank(unit, tol=1e-8) < len(names):
        message = f"Perfectly collinear within areas: {several(names)}. Drop what can be worked out from the others."
        raise RelationError(message)


def _taken_out(columns: Floats, table: pd.DataFrame, *, levels: Levels) -> Floats:
    """What levels of areas (and years) leave of each column."""
    within = _from_mean(columns, table)
    if levels == "areas":
        return within
    years = _from_mean(_year_columns(table), table)
    return within - years @ np.linalg.lstsq(years, within, rcond=None)[0]


def _from_mean(columns: Floats, table: pd.DataFrame) -> Floats:
    frame = pd.DataFrame(columns)
    return (frame - frame.groupby(table["_area"].to_numpy()).transform("mean")).to_numpy(float)


def _year_columns(table: pd.DataFrame) -> Floats:
    return pd.get_dummies(table["_year"].astype(str), drop_first=True, dtype=float).to_numpy(float)


def _fitted(
    table: pd.DataFrame, *, names: Sequence[str], levels: Levels, errors: Literal["areas", "years"]
) -> tuple[Floats, Floats]:
    from linearmodels.panel import PanelOLS

    indexed = table.set_index(["_area", "_year"])
    model = PanelOLS(
        indexed["_outcome"], indexed[list(names)], entity_effects=True, time_effects=levels == "areas and years"
    )
    # levels are not counted among the parameters, whatever lies nested in what
    plain = {"auto_df": False, "count_effects": False}
    if errors == "areas":
        fit = model.fit(cov_type="clustered", cluster_entity=True, group_debias=True, debiased=True, **plain)
    else:
        width = _width(table["_year"].nunique())
        fit = model.fit(cov_type="kernel", kernel="bartlett", bandwidth=width, debiased=False, **plain)
    return fit.params.to_numpy(float), fit.std_errors.to_numpy(float)


def _width(years: int) -> int:
    """Years apart up to which years may resemble each other: as in Driscoll and Kraay's own program."""
    return int(years**0.25)


@cache
def _reach(years: int, *, level: float) -> float:
    """Errors that an interval must reach for to hold its level, were the years' sums separate and normal.

    As in the fixed-b theory of Vogelsang (2012), but for the number of years at hand: drawn, not tabled.
    """
    draws = np.random.default_rng(0).normal(size=(DEALS, years))
    total = draws.sum(axis=1)
    left = draws - total[:, None] / years
    spread = (left**2).sum(axis=1)
    for apart in range(1, _width(years) + 1):
        weight = 1 - apart / (_width(years) + 1)
        spread += 2 * weight * (left[:, apart:] * left[:, :-apart]).sum(axis=1)
    return float(np.quantile(np.abs(total) / np.sqrt(spread), level))


def _by_group(
    table: pd.DataFrame, *, names: Sequence[str], groups: Sequence[str] | NDArray[Any] | None, levels: Levels
) -> tuple[Floats, Floats, Floats, str]:
    codes = np.asarray(table["_area"] if groups is None else groups)
    count = len(np.unique(codes))
    if count < FEWEST_GROUPS:
        message = f"{count} groups are too few for errors that allow for likeness within them; {FEWEST_GROUPS} are."
        raise RelationError(message)
    k = len(names)
    columns = table[list(names)].to_numpy(float)
    if levels == "areas and years":
        columns = np.column_stack([columns, _year_columns(table)])
    outcome = table[["_outcome"]].to_numpy(float)
    slopes, sizes, df = clustered_errors(_from_mean(outcome, table)[:, 0], _from_mean(columns, table), groups=codes)
    method = f"least squares within {levels}, errors CR2 for {count} regions, degrees of freedom by Satterthwaite"
    return slopes[:k], sizes[:k], df[:k], method
