"""What weights come to: importance as it turned out, implied trade-offs, and what averaging lets pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.interpolate import BSpline

SEGMENTS = 10
SMOOTHING = np.logspace(-3, 6, 37)


def correlation_ratio(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Share of the variance of ``y`` that goes with ``x``, whatever the shape: Var(E[y | x]) / Var(y).

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Pairs with a missing value are left out.

    Returns
    -------
    float
        Between 0 and 1; the squared correlation where the relation is a straight line. NaN for fewer than ten pairs
        or where either does not vary.

    Notes
    -----
    The main effect of Paruolo, Saisana and Saltelli (2013), Ratings and rankings: voodoo or science?, JRSS A 176. The
    curve E[y | x] is a penalised cubic spline (Eilers and Marx 1996: ten equal segments, second differences, the
    penalty by generalised cross-validation); the share is adjusted for its effective degrees of freedom, so that an
    unrelated x has about 0.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    n = len(x)
    if n < 10 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    unit = (x - x.min()) / np.ptp(x)
    knots = np.arange(-3, SEGMENTS + 4) / SEGMENTS
    basis = BSpline.design_matrix(np.clip(unit, 0, 1 - 1e-12), knots, 3).toarray()
    penalty = np.diff(np.eye(basis.shape[1]), n=2, axis=0)
    gram, side, roughness = basis.T @ basis, basis.T @ y, penalty.T @ penalty
    total, best = float(((y - y.mean()) ** 2).sum()), (np.inf, np.nan)
    for smooth in SMOOTHING:
        # A trace of ridge keeps segments without any unit from leaving the system singular.
        system = gram + smooth * roughness + 1e-9 * np.eye(len(gram))
        fitted = basis @ np.linalg.solve(system, side)
        freedom = float(np.trace(np.linalg.solve(system, gram)))
        residual = float(((y - fitted) ** 2).sum())
        if n - freedom < 2:
            continue
        criterion = n * residual / (n - freedom) ** 2
        if criterion < best[0]:
            best = criterion, 1 - residual / (n - freedom) / (total / (n - 1))
    return float(np.clip(best[1], 0, 1))


def importance(values: pd.DataFrame, score: pd.Series) -> pd.Series:
    """Correlation ratio of each indicator with a score: how much of the score goes with it alone.

    Parameters
    ----------
    values : DataFrame
        Units by indicators.
    score : Series
        By unit.

    Returns
    -------
    Series
        By indicator, 0 to 1. They need not add up to 1: related indicators share what they say.
    """
    y = score.reindex(values.index).to_numpy(float)
    return pd.Series({name: correlation_ratio(values[name], y) for name in values.columns}, name="importance")


def variance_shares(contributions: pd.DataFrame, score: pd.Series) -> pd.Series:
    """Share of a score's variance by covariance with each contribution: cov(w x, y) / var(y).

    Parameters
    ----------
    contributions : DataFrame
        Units by indicators: effective weight times score, 0 where missing, adding up to the score.
    score : Series
        By unit; units without one are left out.

    Returns
    -------
    Series
        By indicator; adds up to 1. Negative where an indicator runs against the score.
    """
    known = score.reindex(contributions.index).notna()
    parts = contributions[known].fillna(0.0)
    y = parts.sum(axis=1)
    centred = y - y.mean()
    return (parts.mul(centred, axis=0).sum() / (centred**2).sum()).rename("variance_share")


def trade_offs(weights: pd.Series, *, slopes: pd.Series, step: float = 0.1) -> pd.DataFrame:
    """Amounts of each indicator that an arithmetic index counts as equal.

    Parameters
    ----------
    weights : Series
        By indicator, adding up to 1.
    slopes : Series
        By indicator: change of the directed, normalised score for one natural unit more (negative where lower is
        better).
    step : float
        Change of the index to buy.

    Returns
    -------
    DataFrame
        By indicator: ``weight``, ``price`` (change of the index for one natural unit more) and ``amount`` (natural
        units that move the index by ``step``, the rest held still). Any two amounts are what the index trades for
        each other: its marginal rate of substitution is the ratio of their prices.

    Notes
    -----
    OECD/JRC Handbook (2008), 6.10: weights of a linear aggregation are trade-offs, not importance. With a curved
    scale (logit, log) the slope, and so the trade, holds near the value at which it was taken.
    """
    price = weights * slopes.reindex(weights.index)
    return pd.DataFrame({"weight": weights, "price": price, "amount": step / price.where(price != 0)})


def hidden_lows(values: pd.DataFrame, score: pd.Series, *, top: float = 0.2, bottom: float = 0.2) -> pd.Series:
    """Units among the best on a score although a part of it is among the worst: what averaging lets pass.

    Parameters
    ----------
    values : DataFrame
        Units by parts, higher = better.
    score : Series
        By unit.
    top, bottom : float
        Shares of the units that count as best and worst.

    Returns
    -------
    Series
        By unit of the best share: number of its parts among the worst.
    """
    known = score.dropna()
    best = known.index[known.rank(pct=True, method="max") > 1 - top]
    low = values.reindex(known.index).rank(pct=True) <= bottom
    return low.loc[best].sum(axis=1).rename("low_parts")
