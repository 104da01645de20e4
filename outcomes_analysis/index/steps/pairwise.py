"""Pairwise majority: which unit stands above which on most of the weight, Copeland's score and Kemeny's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.stepping import check_known, check_values

BLOCK_CELLS = 4_000_000  # cells of the pairwise table held at a time: 32 MB a table
TIE = 1e-9  # shares of weight this near to a half are a half: sums of weights are rounded
MOST_UNITS = 60  # 34,220 threes: beyond, the integer programme no longer ends soon


def _shares(x: np.ndarray, weights: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Share of the weight on which each row beats each column, in blocks of rows; NaN where nothing is shared."""
    n, k = x.shape
    present = np.isfinite(x)
    complete = bool(present.all())
    size = max(1, BLOCK_CELLS // max(n, 1))
    for start in range(0, n, size):
        rows = slice(start, min(start + size, n))
        won = np.zeros((rows.stop - start, n))
        for j in range(k):
            if weights[j] == 0:
                continue
            mine, theirs = x[rows, j, None], x[None, :, j]
            won += weights[j] * (0.5 * (mine >= theirs) + 0.5 * (mine > theirs))
        if complete:
            yield rows, won / weights.sum()
        else:
            shared = (present[rows] * weights) @ present.T
            yield rows, np.divide(won, shared, out=np.full_like(won, np.nan), where=shared > 0)


def copeland_scores(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Wins less losses of each row (see :func:`copeland`) on plain arrays."""
    score = np.empty(len(x))
    for rows, share in _shares(x, weights):
        # an absent pair counts for neither; a unit against itself is a tie
        score[rows] = (share > 0.5 + TIE).sum(axis=1) - (share < 0.5 - TIE).sum(axis=1)
    return np.where((np.isfinite(x) & (weights > 0)).any(axis=1), score, np.nan)


def _weights_of(values: pd.DataFrame, weights: Mapping[str, float] | pd.Series | None) -> np.ndarray:
    if weights is None:
        return np.ones(values.shape[1])
    table = dict(weights)
    check_known(table, values.columns, what="weighted indicators were", step="outranking")
    w = pd.Series(table, dtype=float).reindex(values.columns)
    wrong = w.index[~(w >= 0)]
    if len(wrong) or not w.sum() > 0:
        message = f"outranking: every indicator needs a weight of 0 or more, and one above 0; look at {several(wrong)}"
        raise SpecError(message)
    return w.to_numpy(float)


def outranking(values: pd.DataFrame, *, weights: Mapping[str, float] | pd.Series | None = None) -> pd.DataFrame:
    """Share of the weight on which each unit stands above each other.

    Parameters
    ----------
    values : DataFrame
        Units by indicators or scores, higher = better. Pairs are compared on what both have.
    weights : Series or mapping, optional
        By column; equal if not given.

    Returns
    -------
    DataFrame
        Units by units: 0 to 1, ties counting half, so that a pair adds up to 1; 0 on the diagonal, NaN where two
        units share nothing. The order of the rows does not matter (in COINr, with missing values, it does).

    Notes
    -----
    OECD/JRC Handbook (2008), table 36.
    """
    frame = check_values(values, step="outranking")
    x, w = frame.to_numpy(float), _weights_of(frame, weights)
    table = np.vstack([share for _, share in _shares(x, w)]) if len(x) else np.zeros((0, 0))
    np.fill_diagonal(table, 0.0)
    return pd.DataFrame(table, index=frame.index, columns=frame.index)


def copeland(values: pd.DataFrame, *, weights: Mapping[str, float] | pd.Series | None = None) -> pd.Series:
    """Copeland's score: how many units each beats on most of the weight, less how many beat it.

    Parameters
    ----------
    values : DataFrame
        Units by indicators or scores, higher = better; pairs are compared on what both have, and a pair that
        shares nothing counts for neither.
    weights : Series or mapping, optional
        By column; equal if not given.

    Returns
    -------
    Series
        From ``-(n - 1)`` to ``n - 1``; NaN for a unit without any value.
    """
    frame = check_values(values, step="outranking")
    return pd.Series(copeland_scores(frame.to_numpy(float), _weights_of(frame, weights)), index=frame.index)


def kemeny(
    values: pd.DataFrame, *, weights: Mapping[str, float] | pd.Series | None = None, seconds: float = 60.0
) -> pd.Series:
    """Rank units in the order that agrees with the most pairwise weight (Condorcet, Kemeny, Young and Levenglick).

    Parameters
    ----------
    values : DataFrame
        Units by indicators or scores, higher = better, up to about 60 units.
    weights : Series or mapping, optional
        By column; equal if not given.
    seconds : float
        Longest time to search.

    Returns
    -------
    Series
        1 = best, no ties: where several orders agree equally well this is one of them.

    Raises
    ------
    SpecError
        More than 60 units, or no proof of the best order within the time.

    Notes
    -----
    OECD/JRC Handbook (2008), step 6, non-compensatory multi-criteria approach. Solved exactly as an integer
    programme: one choice a pair, and no three units in a circle.
    """
    share = outranking(values, weights=weights).fillna(0.5)
    n = len(share)
    if n > MOST_UNITS:
        message = f"kemeny: {n} units are too many for an exact order (at most {MOST_UNITS}); use copeland"
        raise SpecError(message)
    if n < 3:
        return share.sum(axis=1).rank(ascending=False, method="first").rename(None)
    from scipy.optimize import Bounds, LinearConstraint, milp

    first, second = np.triu_indices(n, 1)
    gain = (share.to_numpy()[first, second] - share.to_numpy()[second, first]).astype(float)
    found = milp(
        -gain,
        integrality=np.ones(len(gain)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(_no_circles(n), 0, 1),
        options={"time_limit": seconds},
    )
    if found.status != 0:
        message = f"kemeny: no proof of the best order of {n} units within {seconds:g} seconds; use copeland"
        raise SpecError(message)
    above = np.zeros((n, n))
    above[first, second] = np.round(found.x)
    above[second, first] = 1 - np.round(found.x)
    return pd.Series(n - above.sum(axis=1), index=share.index)


def _no_circles(n: int) -> csr_array:
    """One row for each three units i < j < k: ``x_ij + x_jk - x_ik`` lies between 0 and 1."""
    place = np.zeros((n, n), dtype=int)
    place[np.triu_indices(n, 1)] = np.arange(n * (n - 1) // 2)
    i, j, k = np.array(list(combinations(range(n), 3))).T
    rows = np.tile(np.arange(len(i)), 3)
    columns = np.concatenate([place[i, j], place[j, k], place[i, k]])
    signs = np.repeat([1.0, 1.0, -1.0], len(i))
    return csr_array((signs, (rows, columns)), shape=(len(i), n * (n - 1) // 2))
