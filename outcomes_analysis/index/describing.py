"""What each indicator's figures look like before anything is done to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes_analysis.errors import SpecError, several

# Limits of the JRC's audits, which COINr has as defaults.
LEAST_AVAILABLE = 0.65
LEAST_NONZERO = 0.5
LEAST_UNIQUE = 0.5
MOST_SKEW = 2.0
MOST_KURTOSIS = 3.5

COLUMNS = [
    "minimum", "maximum", "mean", "median", "sd", "skew", "kurtosis", "n_available", "n_nonzero", "n_unique", "n_same",
    "available", "nonzero", "unique", "same", "flag_available", "flag_nonzero", "flag_unique", "flag_outliers",
]  # fmt: skip


def skewness(values: npt.ArrayLike) -> float:
    """Skewness of type 2, G1, as SAS, SPSS and COINr print it.

    Parameters
    ----------
    values : array_like, shape (n,)
        Missing values are left out.

    Returns
    -------
    float
        ``g1 * sqrt(n (n - 1)) / (n - 2)``, ``g1`` being the third central moment over the second to the power 1.5;
        NaN for fewer than three values or for a constant.

    Notes
    -----
    Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, The Statistician 47.
    """
    x, second = _centred(values)
    n = len(x)
    if n < 3 or second == 0:
        return np.nan
    g1 = float((x**3).mean()) / second**1.5
    return float(g1 * np.sqrt(n * (n - 1)) / (n - 2))


def kurtosis(values: npt.ArrayLike) -> float:
    """Excess kurtosis of type 2, G2, as SAS, SPSS and COINr print it: 0 for a normal distribution.

    Parameters
    ----------
    values : array_like, shape (n,)
        Missing values are left out.

    Returns
    -------
    float
        ``((n + 1) g2 + 6) (n - 1) / ((n - 2) (n - 3))``, ``g2`` being the fourth central moment over the second
        squared, less 3; NaN for fewer than four values or for a constant.

    Notes
    -----
    Joanes and Gill (1998), as in :func:`skewness`.
    """
    x, second = _centred(values)
    n = len(x)
    if n < 4 or second == 0:
        return np.nan
    g2 = float((x**4).mean()) / second**2 - 3
    return float(((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3)))


def _centred(values: npt.ArrayLike) -> tuple[np.ndarray, float]:
    x = np.asarray(values, dtype=float)
    x = x[np.isfinite(x)]
    if len(x) == 0 or np.ptp(x) == 0:  # the mean of equal numbers may miss them by a rounding error
        return np.zeros(len(x)), 0.0
    x = x - x.mean()
    return x, float((x**2).mean())


def _described(x: pd.Series) -> dict[str, Any]:
    present = x.dropna()
    n, total = len(present), max(len(present), 1)
    nonzero, unique = int((present != 0).sum()), int(present.nunique())
    same = int(present.value_counts().iloc[0]) if n else 0
    skew, kurt = skewness(present), kurtosis(present)
    return {
        "minimum": present.min(),
        "maximum": present.max(),
        "mean": present.mean(),
        "median": present.median(),
        "sd": present.std(ddof=1),
        "skew": skew,
        "kurtosis": kurt,
        "n_available": n,
        "n_nonzero": nonzero,
        "n_unique": unique,
        "n_same": same,
        "available": n / max(len(x), 1),
        "nonzero": nonzero / total,
        "unique": unique / total,
        "same": same / total,
        "flag_available": "low" if n < LEAST_AVAILABLE * len(x) else "",
        "flag_nonzero": "low" if nonzero < LEAST_NONZERO * n else "",
        "flag_unique": "low" if unique < LEAST_UNIQUE * n else "",
        "flag_outliers": "outlier" if abs(skew) > MOST_SKEW and kurt > MOST_KURTOSIS else "",
    }


def statistics(values: pd.DataFrame) -> pd.DataFrame:
    """Describe each column of a table: spread, shape, how much of it is there.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; NaN is missing.

    Returns
    -------
    DataFrame
        Indexed by indicator: ``minimum, maximum, mean, median, sd`` (divisor n - 1), ``skew, kurtosis`` (type 2);
        counts ``n_available, n_nonzero, n_unique, n_same`` (the commonest value); ``available`` (share of the units),
        ``nonzero, unique, same`` (shares of what is available); ``flag_available`` (``low`` below 65 %),
        ``flag_nonzero`` and ``flag_unique`` (``low`` below 50 %) and ``flag_outliers`` (``outlier`` where skew
        exceeds 2 either way and kurtosis 3.5 together). Limits are those of the JRC's audits.

    Raises
    ------
    SpecError
        If a column is not numeric.
    """
    wrong = [str(c) for c in values.columns if not pd.api.types.is_numeric_dtype(values[c])]
    if wrong:
        message = f"{len(wrong)} columns are not numbers: {several(wrong)}. Drop or convert them first."
        raise SpecError(message)
    rows = {name: _described(values[name]) for name in values.columns}
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("indicator_id")
