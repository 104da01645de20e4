"""Confidence sets for ranks that hold for one place, or for all places at once, and groups that can't be told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.project import LEVEL, SEED

MOST = 2_000  # units: beyond this the table of pairs is too large to mean anything to a reader
BLOCK = 250
DRAWS = 2_000


@dataclass(frozen=True, eq=False)
class RankSets:
    """Confidence sets for ranks.

    Attributes
    ----------
    table : DataFrame
        By unit: ``rank`` (1 = highest, ties share), ``marginal_lower, marginal_upper`` (holds for one unit chosen
        beforehand), ``simultaneous_lower, simultaneous_upper`` (holds for all at once), ``better, worse`` (units
        surely above and below, all pairs at once), ``group``. NaN where a unit has no estimate.
    above : DataFrame of bool
        Units by units: whether the row's unit is surely above the column's, all pairs at once.
    level : float
    text : str
    """

    table: pd.DataFrame
    above: pd.DataFrame
    level: float
    text: str


def rank_confidence_sets(
    estimates: pd.Series,
    errors: pd.Series | pd.DataFrame,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> RankSets:
    """Sets that hold the true rank with a stated confidence, for each unit and for all units together.

    Parameters
    ----------
    estimates : Series
        Scores by unit, higher = better; NaN leaves a unit out.
    errors : Series or DataFrame
        Standard errors by unit (units independent), or the covariance matrix of the estimates.
    level : float
        Confidence of each marginal set, and of all simultaneous sets together.
    draws : int
        Draws for the critical values.
    seed : int

    Returns
    -------
    RankSets

    Raises
    ------
    SpecError
        Negative or missing errors, fewer than 2 or more than 2,000 units with an estimate.

    Notes
    -----
    Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for Ranks with Applications to Mobility across
    Neighbourhoods and Academic Achievement across Countries, Review of Economic Studies 91. A unit's set runs from 1
    plus the number of units significantly above it to the number of units less those significantly below. The
    differences are tested all at once with the step-down of Romano and Wolf (2005, Econometrica 73): the critical value
    is the quantile, over draws of the errors, of the largest studentised difference among pairs not yet told apart;
    for marginal sets among the pairs of that unit alone. Nothing is assumed about the spread of true values, so
    these sets are wider than intervals from draws: about their confidence there is no doubt.
    """
    kept = estimates.index[estimates.notna()]
    theta = estimates[kept].to_numpy(float)
    root, spread = _roots(errors, kept)
    n = len(theta)
    if not 2 <= n <= MOST:
        message = f"Rank sets compare pairs of units: {n:,} have an estimate, between 2 and {MOST:,} are needed."
        raise SpecError(message)
    noise = np.random.default_rng([seed, 4]).standard_normal((draws, root.shape[1])) @ root.T
    t = np.divide(theta[:, None] - theta, spread, out=_certain(theta), where=spread > 0)
    above = _all_pairs(t, noise, spread, level)
    marginal = _by_unit(t, noise, spread, level)
    table = pd.DataFrame(index=estimates.index)
    rank = 1 + (theta > theta[:, None]).sum(axis=1)
    group = _groups(theta, above)
    columns = {
        "rank": rank,
        "marginal_lower": 1 + (marginal < 0).sum(axis=1),
        "marginal_upper": n - (marginal > 0).sum(axis=1),
        "simultaneous_lower": 1 + above.sum(axis=0),
        "simultaneous_upper": n - above.sum(axis=1),
        "better": above.sum(axis=0),
        "worse": above.sum(axis=1),
        "group": group,
    }
    for name, column in columns.items():
        table[name] = pd.Series(column, index=kept, dtype=float)
    return RankSets(
        table=table, above=pd.DataFrame(above, index=kept, columns=kept), level=level, text=_text(table, above, level)
    )


def _roots(errors: pd.Series | pd.DataFrame, units: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """A square root of the covariance of the estimates, and the standard error of each pair's difference."""
    if isinstance(errors, pd.DataFrame):
        covariance = errors.reindex(index=units, columns=units).to_numpy(float)
        values, vectors = (
            np.linalg.eigh(covariance) if np.isfinite(covariance).all() else (np.array([-1.0]), covariance)
        )
        wrong = bool((values < -1e-9 * max(float(values.max()), 1e-300)).any())
        root = vectors * np.sqrt(np.maximum(values, 0)) if not wrong else vectors
    else:
        se = errors.reindex(units).to_numpy(float)
        wrong = bool((~(se >= 0)).any())
        covariance, root = np.diag(se**2), np.diag(se)
    if wrong:
        message = (
            "Standard errors are negative or missing for units that have an estimate; give 0 where one is certain."
        )
        raise SpecError(message)
    variance = np.diag(covariance)
    return root, np.sqrt(np.maximum(variance[:, None] + variance - 2 * covariance, 0))


def _certain(theta: np.ndarray) -> np.ndarray:
    """Studentised differences where both estimates are certain: without end, or 0 if they are equal."""
    away = theta[:, None] - theta
    return np.where(away == 0, 0.0, np.copysign(np.inf, away))


def _all_pairs(t: np.ndarray, noise: np.ndarray, spread: np.ndarray, level: float) -> np.ndarray:
    """Pairs told apart all at once: step down until no more are."""
    above = np.isposinf(t)
    open_pairs = np.triu((spread > 0) & ~np.isinf(t), 1)
    while open_pairs.any():
        critical = float(np.quantile(_largest(noise, spread, open_pairs), level))
        found = open_pairs & (np.abs(t) > critical)
        if not found.any():
            break
        above |= (found | found.T) & (t > 0)
        open_pairs &= ~found
    return above


def _largest(noise: np.ndarray, spread: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Largest studentised difference among some pairs, in each draw."""
    result = np.zeros(len(noise))
    for i in np.flatnonzero(pairs.any(axis=1)):
        others = np.flatnonzero(pairs[i])
        away = np.abs(noise[:, others] - noise[:, [i]]) / spread[i, others]
        np.maximum(result, away.max(axis=1), out=result)
    return result


def _by_unit(t: np.ndarray, noise: np.ndarray, spread: np.ndarray, level: float) -> np.ndarray:
    """For each unit (row) the sign of the differences told apart when only its own pairs are tested."""
    result = np.where(np.isinf(t), np.sign(t), 0.0)
    for i in range(len(t)):
        others = np.flatnonzero((spread[i] > 0) & ~np.isinf(t[i]))
        if not len(others):
            continue
        away = np.abs(noise[:, others] - noise[:, [i]]) / spread[i, others]
        left = np.ones(len(others), dtype=bool)
        while left.any():
            found = left & (np.abs(t[i, others]) > np.quantile(away[:, left].max(axis=1), level))
            if not found.any():
                break
            result[i, others[found]] = np.sign(t[i, others[found]])
            left &= ~found
    return result


def _groups(theta: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Groups from the top: a new one begins where a unit is surely below the first of the group before."""
    order = np.argsort(-theta, kind="stable")
    group, number, first = np.empty(len(theta)), 1, order[0]
    for unit in order:
        if above[first, unit]:
            number, first = number + 1, unit
        group[unit] = number
    return group


def _text(table: pd.DataFrame, above: np.ndarray, level: float) -> str:
    n = len(above)
    share = above.sum() / (n * (n - 1) / 2)
    width = (table["simultaneous_upper"] - table["simultaneous_lower"] + 1).median()
    return (
        f"With {level:.0%} confidence for all {n} places at once, {share:.0%} of the pairs can be told apart and "
        f"half of the places have a set of {width:.0f} ranks or more; from the top there are "
        f"{table['group'].max():.0f} groups, each of places that can't be told from its first."
    )
