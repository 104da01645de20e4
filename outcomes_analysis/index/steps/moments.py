"""Skewness and kurtosis as spreadsheets and COINr compute them (type 2), column by column."""

from __future__ import annotations

import numpy as np


def skewness(values: np.ndarray) -> np.ndarray:
    """Adjusted Fisher-Pearson skewness G1 of each column, over what is present.

    ``G1 = g1 sqrt(n (n - 1)) / (n - 2)`` with ``g1 = m3 / m2^1.5`` (Joanes and Gill 1998, type 2).

    Parameters
    ----------
    values : ndarray, shape (units,) or (units, indicators)
        NaN is missing.

    Returns
    -------
    ndarray
        One a column; NaN with fewer than 3 values or no spread.
    """
    n, m2, m3, _ = _central(values)
    spread = _has_spread(values, m2) & (n >= 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        g1 = m3 / m2**1.5
        return np.asarray(np.where(spread, g1 * np.sqrt(n * (n - 1)) / (n - 2), np.nan))


def kurtosis(values: np.ndarray) -> np.ndarray:
    """Excess kurtosis G2 of each column, over what is present (0 for a normal distribution).

    ``G2 = ((n + 1) g2 + 6) (n - 1) / ((n - 2)(n - 3))`` with ``g2 = m4 / m2^2 - 3`` (Joanes and Gill 1998,
    type 2).

    Parameters
    ----------
    values : ndarray, shape (units,) or (units, indicators)
        NaN is missing.

    Returns
    -------
    ndarray
        One a column; NaN with fewer than 4 values or no spread.
    """
    n, m2, _, m4 = _central(values)
    spread = _has_spread(values, m2) & (n >= 4)
    with np.errstate(divide="ignore", invalid="ignore"):
        g2 = m4 / m2**2 - 3
        return np.asarray(np.where(spread, ((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3)), np.nan))


def _central(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts and second, third and fourth central moments of each column."""
    x = np.asarray(values, dtype=float)
    present = ~np.isnan(x)
    n = present.sum(axis=0).astype(float)
    count = np.maximum(n, 1)
    centre = np.where(present, x, 0.0).sum(axis=0) / count
    d = np.where(present, x - centre, 0.0)
    square = d * d
    return n, square.sum(axis=0) / count, (square * d).sum(axis=0) / count, (square * square).sum(axis=0) / count


def _has_spread(values: np.ndarray, m2: np.ndarray) -> np.ndarray:
    """Whether a column varies by more than rounding of its own size."""
    size = np.nan_to_num(np.abs(np.asarray(values, dtype=float)), nan=0.0).max(axis=0, initial=0.0)
    return np.asarray(m2 > (1e-14 * size) ** 2)
