"""Do indicators hang together? Cronbach's alpha, raw and standardised, with intervals and with each one left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from outcomes_analysis.errors import SpecError
from outcomes_analysis.project import LEVEL


@dataclass(frozen=True, eq=False)
class Alpha:
    """Cronbach's alpha of a set of indicators.

    Attributes
    ----------
    raw, raw_lower, raw_upper : float
        From covariances.
    standardised, lower, upper : float
        From correlations, so that an indicator's spread gives it no extra say.
    n, k : int
        Units (the smallest number with a pair of indicators) and indicators.
    level : float
        Of the intervals.
    without : DataFrame
        By indicator left out: ``raw`` and ``standardised`` alpha of the rest (NaN when one remains), and
        ``rest_correlation``, the indicator's correlation with the mean of the others, all standardised.
    """

    raw: float
    raw_lower: float
    raw_upper: float
    standardised: float
    lower: float
    upper: float
    n: int
    k: int
    level: float
    without: pd.DataFrame


def _alpha(matrix: np.ndarray) -> float:
    k, total = len(matrix), matrix.sum()
    if k < 2 or not total > 0:
        return np.nan
    return float(k / (k - 1) * (1 - np.trace(matrix) / total))


def alpha_interval(alpha: float, *, n: int, k: int, level: float = LEVEL) -> tuple[float, float]:
    """Interval of Cronbach's alpha: 1 - (1 - alpha) F, with n - 1 and (n - 1)(k - 1) degrees of freedom.

    Parameters
    ----------
    alpha : float
        As estimated.
    n, k : int
        Units and indicators.
    level : float
        Between 0 and 1.

    Returns
    -------
    (float, float)

    Notes
    -----
    Feldt, Woodruff and Salih (1987), Statistical inference for coefficient alpha, Applied Psychological Measurement
    11, formulas 6 and 7; exact for normal, parallel indicators.
    """
    if n < 2 or k < 2 or not np.isfinite(alpha):
        return np.nan, np.nan
    low, high = stats.f.ppf([0.5 - level / 2, 0.5 + level / 2], n - 1, (n - 1) * (k - 1))
    return float(1 - (1 - alpha) * high), float(1 - (1 - alpha) * low)


def _rest_correlations(r: np.ndarray) -> np.ndarray:
    """Correlation of each standardised indicator with the sum of the others, from correlations alone."""
    with_rest = r.sum(axis=1) - 1
    spread_of_rest = r.sum() - 2 * r.sum(axis=1) + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread_of_rest > 0, with_rest / np.sqrt(spread_of_rest), np.nan)


def cronbach_alpha(values: pd.DataFrame, *, level: float = LEVEL) -> Alpha:
    """Compute Cronbach's alpha: k / (k - 1) (1 - sum of variances / variance of the sum).

    Parameters
    ----------
    values : DataFrame
        Units by indicators, directed (higher = better) and on a common scale; at least two columns.
    level : float
        Level of the intervals.

    Returns
    -------
    Alpha
        Covariances and correlations are those of the units that have both of a pair.

    Raises
    ------
    SpecError
        If there are fewer than two indicators, or one does not vary.

    Notes
    -----
    Cronbach (1951), Coefficient alpha and the internal structure of tests, Psychometrika 16. Alpha grows with the
    number of indicators and with near-duplicates: read it beside the number of dimensions, never alone.
    """
    names = list(values.columns)
    constant = [str(c) for c in names if not values[c].std(ddof=1) > 0]
    if len(names) < 2 or constant:
        told = f"{', '.join(constant)} does not vary" if constant else f"{len(names)} indicator was given"
        message = f"Cronbach's alpha needs two indicators or more that vary: {told}."
        raise SpecError(message)
    covariance, r = values.cov().to_numpy(), values.corr().to_numpy()
    there = values.notna().to_numpy(float)
    n, k = int((there.T @ there).min()), len(names)
    raw, standardised = _alpha(covariance), _alpha(r)
    rest = [np.delete(np.arange(k), j) for j in range(k)]
    without = pd.DataFrame(
        {
            "raw": [_alpha(covariance[np.ix_(i, i)]) for i in rest],
            "standardised": [_alpha(r[np.ix_(i, i)]) for i in rest],
            "rest_correlation": _rest_correlations(r),
        },
        index=pd.Index(names, name="indicator_id"),
    )
    raw_lower, raw_upper = alpha_interval(raw, n=n, k=k, level=level)
    lower, upper = alpha_interval(standardised, n=n, k=k, level=level)
    return Alpha(raw, raw_lower, raw_upper, standardised, lower, upper, n, k, level, without)
