"""Correlations between indicators, and between levels of an index, with how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from outcomes_analysis.project import LEVEL

CorrelationMethod = Literal["pearson", "spearman", "kendall"]
PAIR_COLUMNS = ["a", "b", "n", "correlation", "p_value", "lower", "upper", "level"]


def fisher_interval(r: npt.ArrayLike, n: npt.ArrayLike, *, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a correlation by Fisher's z: tanh(atanh r ± z / sqrt(n - 3)).

    Parameters
    ----------
    r, n : array_like
        Correlations and the numbers of units behind them.
    level : float
        Between 0 and 1.

    Returns
    -------
    (ndarray, ndarray)
        Lower and upper; NaN for fewer than four units.
    """
    r, n = np.asarray(r, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = stats.norm.ppf(0.5 + level / 2) / np.sqrt(np.where(n > 3, n - 3, np.nan))
        centre = np.arctanh(np.clip(r, -1, 1))
        return np.tanh(centre - half), np.tanh(centre + half)


def correlations(
    values: pd.DataFrame,
    others: pd.DataFrame | None = None,
    *,
    method: CorrelationMethod = "pearson",
    level: float = LEVEL,
) -> pd.DataFrame:
    """Correlate columns with one another, or with those of another table of the same units.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, already directed (higher = better) where signs are to mean something.
    others : DataFrame, optional
        Units by other columns, for instance the aggregates of a higher level.
    method : {"pearson", "spearman", "kendall"}
        Kendall's is tau-b.
    level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        One row a pair, each pair once and none with itself: ``a, b, n`` (units with both), ``correlation, p_value``
        (two-sided; t with n - 2 degrees of freedom, for Kendall the normal approximation), ``lower, upper, level``
        (Fisher's z; not for Kendall). Units without one of the two are left out of that pair. NaN for a constant.
    """
    if others is None:
        matrix = values.corr(method=method).to_numpy()
        there = values.notna().to_numpy(float)
        n = there.T @ there
        rows, columns = np.triu_indices(len(values.columns), k=1)
        left, right = values.columns[rows], values.columns[columns]
    else:
        both = pd.concat([values, others.reindex(values.index)], axis=1, keys=["a", "b"])
        k = len(values.columns)
        matrix = both.corr(method=method).to_numpy()[:k, k:]
        there = both.notna().to_numpy(float)
        n = (there.T @ there)[:k, k:]
        rows, columns = (i.ravel() for i in np.indices(matrix.shape))
        left, right = values.columns[rows], others.columns[columns]
    r, n = matrix[rows, columns], n[rows, columns]
    lower, upper = (np.full(len(r), np.nan),) * 2 if method == "kendall" else fisher_interval(r, n, level=level)
    table = pd.DataFrame({"a": left, "b": right, "n": n.astype(int), "correlation": r})
    return table.assign(p_value=_p_values(r, n, method), lower=lower, upper=upper, level=level)[PAIR_COLUMNS]


def _p_values(r: np.ndarray, n: np.ndarray, method: CorrelationMethod) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        if method == "kendall":
            return np.asarray(2 * stats.norm.sf(np.abs(r) * np.sqrt(9 * n * (n - 1) / (2 * (2 * n + 5)))))
        t = np.abs(r) * np.sqrt((n - 2) / (1 - np.minimum(r**2, 1)))
        return np.asarray(2 * stats.t.sf(t, n - 2))


def holm(p_values: npt.ArrayLike) -> np.ndarray:
    """Adjust p-values for how many there are, by Holm's (1979) step-down method; NaN stays NaN and is not counted."""
    p = np.asarray(p_values, dtype=float)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


def correlation_flags(
    values: pd.DataFrame,
    *,
    groups: Mapping[str, str],
    threshold: float,
    above: bool,
    method: CorrelationMethod = "pearson",
) -> pd.DataFrame:
    """Find pairs inside one group whose correlation is too high, or too low.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, directed.
    groups : mapping
        Indicator to group; indicators without a group are passed over.
    threshold : float
        Limit.
    above : bool
        True finds pairs above it, False those below.
    method : str
        As in :func:`correlations`.

    Returns
    -------
    DataFrame
        ``group, a, b, correlation``, ordered by group.
    """
    pairs = correlations(values[[c for c in values.columns if c in groups]], method=method)
    group = pairs["a"].map(groups)
    beyond = pairs["correlation"] > threshold if above else pairs["correlation"] < threshold
    kept = pairs.assign(group=group)[(group == pairs["b"].map(groups)) & beyond]
    return kept[["group", "a", "b", "correlation"]].sort_values(["group", "a", "b"], ignore_index=True)
