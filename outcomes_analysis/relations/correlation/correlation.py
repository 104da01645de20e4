"""Correlations across areas, raw and with other variables allowed for, with intervals by resampling areas."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL

Method = Literal["spearman", "pearson"]
Floats = NDArray[np.float64]

REPEATED = 1e-16  # product of the two shares of variance left over; below it a control says all there is to say


class Correlation(NamedTuple):
    """A correlation, its interval, and the correlations of areas drawn again from which the interval was made."""

    estimate: float
    lower: float
    upper: float
    drawn: Floats


class Difference(NamedTuple):
    """One correlation less another, and its interval."""

    estimate: float
    lower: float
    upper: float


def resamples(n: int, *, draws: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw areas with replacement: row numbers, ``draws`` by ``n``."""
    return rng.integers(0, n, size=(draws, n), dtype=np.intp)


def correlate(
    x: Floats,
    y: Floats,
    *,
    draws: NDArray[np.intp],
    controls: Floats | None = None,
    keep: NDArray[np.bool_] | None = None,
    method: Method = "spearman",
    level: float = LEVEL,
) -> Correlation:
    """Correlation of two variables across areas, partial when controls are given.

    Parameters
    ----------
    x, y : array of shape (n,)
        No missing values.
    draws : array of int, shape (draws, n)
        From :func:`resamples` of all n areas; shared between analyses so that they can be compared pair by pair.
    controls : array of shape (n, k), optional
        Allowed for. The partial correlation comes from the inverse of the correlation matrix: minus the off-diagonal
        element over the root of the two diagonal ones (Whittaker 1990, section 5.8). For Spearman, of ranks.
    keep : array of bool, shape (n,), optional
        Areas the correlation is of; the others are drawn too but not counted, so that a part and the whole can be
        compared draw by draw.
    method : {"spearman", "pearson"}
        Ranks are taken anew in every resample, ties sharing their mean rank.
    level : float
        Of the percentile interval (Efron and Tibshirani 1993, chapter 13).

    Returns
    -------
    Correlation

    Raises
    ------
    RelationError
        If a variable is constant, a control repeats one of the two, or controls can be worked out from each other.
    """
    variables = np.stack([x, y]) if controls is None else np.vstack([np.stack([x, y]), controls.T])
    kept = np.ones(len(x), dtype=bool) if keep is None else keep
    if np.any(np.ptp(variables[:, kept], axis=1) == 0):
        message = "A variable has the same value in every authority: there is nothing to correlate. Choose another."
        raise RelationError(message)
    if controls is not None and _repeated(variables[2:, kept], method=method):
        message = "Perfectly collinear: what is allowed for can be worked out from each other. Adjust for less."
        raise RelationError(message)
    estimate = float(_partial(variables, kept[None].astype(float), method=method)[0])
    if not np.isfinite(estimate):
        message = "Perfectly collinear: what is allowed for already gives one of the two variables. Adjust for less."
        raise RelationError(message)
    drawn = _partial(variables, times_drawn(draws, n=len(x)) * kept, method=method)
    return Correlation(estimate, *quantiles(drawn, level=level), drawn)


def _repeated(controls: Floats, *, method: Method) -> bool:
    """Whether controls (k x n) can be worked out from each other."""
    from scipy.stats import rankdata

    values = rankdata(controls, axis=1) if method == "spearman" else controls
    scaled = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    return bool(np.linalg.matrix_rank(scaled, tol=1e-8 * np.sqrt(scaled.size)) < len(scaled))


def times_drawn(draws: NDArray[np.intp], *, n: int) -> Floats:
    """How often each of n areas occurs in each row of draws; shape (draws, n)."""
    rows = np.arange(len(draws))[:, None] * n
    return np.bincount((rows + draws).ravel(), minlength=len(draws) * n).reshape(len(draws), n).astype(float)


def difference(one: Correlation, other: Correlation, *, widened: float = 1.0, level: float = LEVEL) -> Difference:
    """One correlation less another of the same areas, with the interval of the difference itself.

    Two intervals can overlap although the difference is clear, since both estimates come from the same areas: the
    difference is taken draw by draw.

    Parameters
    ----------
    one, other : Correlation
        From the same ``draws``.
    widened : float
        What the distance of the bounds from the difference is multiplied by. Areas drawn again one by one are taken as
        separate; where neighbours resemble each other, the root of areas over effective areas brings the interval of
        two unrelated maps back to its level (by simulation, ``tests/relations/test_correlation.py``).
    level : float
        Of the percentile interval.
    """
    apart = one.estimate - other.estimate
    lower, upper = quantiles(one.drawn - other.drawn, level=level)
    return Difference(apart, apart + widened * (lower - apart), apart + widened * (upper - apart))


def quantiles(drawn: Floats, *, level: float) -> tuple[float, float]:
    """Bounds of the percentile interval of draws; a draw that gave nothing is left out."""
    tail = (1 - level) / 2
    lower, upper = np.nanquantile(drawn, [tail, 1 - tail])
    return float(lower), float(upper)


def _partial(variables: Floats, counts: Floats, *, method: Method) -> Floats:
    """Partial correlation of the first two of ``variables`` (k x n) given the others, for each row of ``counts``.

    A row says how often each area occurs; an area drawn twice ties with itself.
    """
    total = np.maximum(counts.sum(axis=1), 1)
    values = [_ranks(v, counts) if method == "spearman" else np.broadcast_to(v, counts.shape) for v in variables]
    centred = [v - ((v * counts).sum(axis=1) / total)[:, None] for v in values]
    weighted = [v * counts for v in centred]
    k = len(values)
    matrix = np.empty((len(counts), k, k))
    for i in range(k):
        for j in range(i, k):
            matrix[:, i, j] = matrix[:, j, i] = np.einsum("dn,dn->d", weighted[i], centred[j])
    spread = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
    with np.errstate(invalid="ignore", divide="ignore"):  # a resample may draw one area only: NaN, left out
        matrix = matrix / (spread[:, :, None] * spread[:, None, :])
    if k == 2:
        return matrix[:, 0, 1]
    # Schur complement rather than a full inverse: only the 2 x 2 block of the pair is needed
    pair, cross, rest = matrix[:, :2, :2], matrix[:, :2, 2:], matrix[:, 2:, 2:]
    left = pair - cross @ np.linalg.solve(rest, np.swapaxes(cross, -1, -2))
    apart = left[:, 0, 0] * left[:, 1, 1]
    # where a control repeats one of the pair there is nothing left to correlate
    return np.divide(left[:, 0, 1], np.sqrt(np.abs(apart)), out=np.full(len(left), np.nan), where=apart > REPEATED)


def _ranks(values: Floats, counts: Floats) -> Floats:
    """Rank of each area in each row of ``counts``, ties sharing their mean rank, without sorting a row."""
    _, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    first = np.flatnonzero(np.diff(place[order], prepend=-1))
    together = np.add.reduceat(counts[:, order], first, axis=1)
    shared = np.cumsum(together, axis=1) - together / 2 + 0.5
    ranks: Floats = shared[:, place]
    return ranks
