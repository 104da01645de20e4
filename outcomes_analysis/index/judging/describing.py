"""What each indicator's figures look like before anything is done to them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.moments import kurtosis, skewness

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


def _described(x: pd.Series) -> dict[str, Any]:
    present = x.dropna()
    n, total = len(present), max(len(present), 1)
    nonzero, unique = int((present != 0).sum()), int(present.nunique())
    same = int(present.value_counts().iloc[0]) if n else 0
    skew, kurt = (float(moment(present.to_numpy(float))) for moment in (skewness, kurtosis))
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
