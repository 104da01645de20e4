"""Which figures go together once all others are allowed for: the graphical lasso, its penalty chosen by EBIC.

Written out and compiled, since intervals need some hundred thousand fits: one path of a hundred penalties for twenty
figures takes milliseconds, where the library's takes a second and a half. The tests hold it to both that library and
qgraph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError, several

Floats = NDArray[np.float64]

GAMMA = 0.5
PENALTIES = 100
RATIO = 0.01
MOST_NODES = 20
DENSE = 0.1  # of the largest penalty: one chosen below it leaves most links in, and is no sign of a sparse network
TOLERANCE = 1e-9  # of covariances and slopes, between two rounds
DRAW_TOLERANCE = 1e-6  # of draws, whose spread is a hundred thousand times as large
ROUNDS = 10_000


@dataclass(frozen=True, eq=False)
class Network:
    """Links between figures.

    Attributes
    ----------
    nodes : tuple of str
    weights : array of shape (nodes, nodes)
        Partial correlations, 0 on the diagonal and where there is no link.
    precision : array of shape (nodes, nodes)
        Inverse of the fitted correlations.
    penalty : float
        The one chosen.
    path : DataFrame
        ``penalty, ebic, links`` of every penalty tried, rising.
    dense : bool
        Whether the penalty chosen is below a tenth of the largest.
    """

    nodes: tuple[str, ...]
    weights: Floats
    precision: Floats
    penalty: float
    path: pd.DataFrame
    dense: bool


def ebic_network(
    correlations: Floats, *, n: int, nodes: Sequence[str], gamma: float = GAMMA, penalties: int = PENALTIES
) -> Network:
    """Links between figures by graphical lasso, with the penalty that has the lowest extended BIC.

    Parameters
    ----------
    correlations : array of shape (nodes, nodes)
    n : int
        Areas they rest on.
    nodes : sequence of str
    gamma : float
        How dearly links are counted: 0 is the ordinary BIC, 0.5 is usual.
    penalties : int
        How many are tried, evenly on the log scale, from a hundredth of the largest correlation to the largest.

    Returns
    -------
    Network

    Raises
    ------
    RelationError
        For fewer than three or more than twenty nodes, no more areas than nodes, and nodes that can be worked out from
        others.

    Notes
    -----
    Friedman, Hastie and Tibshirani (2008), the diagonal not penalised; EBIC as in Foygel and Drton (2010): minus twice
    the log likelihood, plus links times (log n + 4 gamma log nodes).
    """
    check_nodes(correlations, n=n, nodes=nodes)
    tried = _penalties(correlations, penalties)
    precision, ebic, links, best = _path(
        np.ascontiguousarray(correlations, dtype=np.float64), tried, float(n), gamma, TOLERANCE
    )
    if best < 0:
        message = f"The network of {len(nodes)} figures did not converge; no links are given."
        raise RelationError(message)
    return Network(
        nodes=tuple(nodes),
        weights=_partial(precision),
        precision=precision,
        penalty=float(tried[best]),
        path=pd.DataFrame({"penalty": tried, "ebic": ebic, "links": links}),
        dense=bool(tried[best] < DENSE * tried[-1]),
    )


def ebic_weights(correlations: Floats, *, n: int, gamma: float = GAMMA, penalties: int = PENALTIES) -> Floats:
    """Weights of the network alone, NaN where none converges: for draws, whose figures need no checking each time."""
    with np.errstate(invalid="ignore", divide="ignore"):
        tried = _penalties(correlations, penalties)
        if not np.isfinite(tried).all():
            return np.full_like(correlations, np.nan)
        precision, _, _, best = _path(np.ascontiguousarray(correlations), tried, float(n), gamma, DRAW_TOLERANCE)
    return _partial(precision) if best >= 0 else np.full_like(correlations, np.nan)


def check_nodes(correlations: Floats, *, n: int, nodes: Sequence[str]) -> None:
    """Refuse figures no network can be had of.

    Raises
    ------
    RelationError
        As :func:`ebic_network`.
    """
    p = len(nodes)
    if not 3 <= p <= MOST_NODES:
        message = f"{p} figures: a network needs three, and more than {MOST_NODES} cannot be told apart. Choose others."
        raise RelationError(message)
    constant = [node for node, row in zip(nodes, correlations, strict=True) if not np.isfinite(row).all()]
    if constant:
        blank = [n for n, own in zip(nodes, np.diag(correlations), strict=True) if not np.isfinite(own)] or constant
        message = f"The same in every area, so that nothing can go with it: {several(blank)}. Leave it out."
        raise RelationError(message)
    if n <= p + 1:
        message = f"{n} areas are too few for a network of {p} figures. Take fewer figures or more areas."
        raise RelationError(message)
    values, vectors = np.linalg.eigh(correlations)
    if values[0] < 1e-8:
        involved = [node for node, load in zip(nodes, vectors[:, 0], strict=True) if abs(load) > 1e-3]
        message = f"Perfectly collinear: {several(involved)}. At least one can be worked out from the others; drop it."
        raise RelationError(message)


def _penalties(correlations: Floats, count: int) -> Floats:
    largest = np.abs(correlations - np.diag(np.diag(correlations))).max()
    return np.asarray(np.geomspace(RATIO * largest, largest, count))


def _partial(precision: Floats) -> Floats:
    root = np.sqrt(np.diag(precision))
    weights = 0.0 - precision / root[:, None] / root[None, :]  # no negative zeros
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


# Loops throughout: array functions inside compiled code take ten seconds to compile, the first time on a machine.


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _path(
    correlations: Floats, tried: Floats, n: float, gamma: float, tolerance: float
) -> tuple[Floats, Floats, NDArray[np.int64], int]:  # pragma: no cover - compiled
    """Fit every penalty, the largest first and each from the one before; precision and place of the lowest EBIC."""
    p = correlations.shape[0]
    ebic = np.full(len(tried), np.inf)
    links = np.zeros(len(tried), dtype=np.int64)
    covariance = np.zeros((p, p))
    for j in range(p):
        covariance[j, j] = correlations[j, j]
    slopes = np.zeros((p, p))  # row j: figure j on the others
    best, lowest = -1, np.inf
    chosen = np.zeros((p, p))
    for k in range(len(tried) - 1, -1, -1):
        if not _settle(correlations, tried[k], covariance, slopes, tolerance):
            break
        precision, found = _inverse(covariance, slopes)
        log_det = _log_det(precision)
        if not log_det < np.inf:
            break
        product = 0.0
        for i in range(p):
            for j in range(p):
                product += precision[i, j] * correlations[i, j]
        likelihood = n / 2 * (log_det - product)
        ebic[k] = -2 * likelihood + found * np.log(n) + 4 * found * gamma * np.log(p)
        links[k] = found
        if ebic[k] < lowest:
            lowest, best, chosen = ebic[k], k, precision
    return chosen, ebic, links, best


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _inverse(covariance: Floats, slopes: Floats) -> tuple[Floats, int]:  # pragma: no cover - compiled
    """Precision from covariance and slopes, and how many links it has."""
    p = covariance.shape[0]
    own = np.empty(p)
    precision = np.zeros((p, p))
    found = 0
    for j in range(p):
        explained = 0.0
        for i in range(p):
            explained += covariance[j, i] * slopes[j, i]
        own[j] = precision[j, j] = 1.0 / (covariance[j, j] - explained)
    for j in range(p):
        for i in range(j):
            if slopes[i, j] != 0.0 and slopes[j, i] != 0.0:
                found += 1
                precision[i, j] = precision[j, i] = -0.5 * (slopes[j, i] * own[j] + slopes[i, j] * own[i])
    return precision, found


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _log_det(matrix: Floats) -> float:  # pragma: no cover - compiled
    """Log determinant by Cholesky's factor; infinite where the matrix is not positive definite."""
    p = matrix.shape[0]
    low = np.zeros((p, p))
    found = 0.0
    for i in range(p):
        for j in range(i + 1):
            left = matrix[i, j]
            for k in range(j):
                left -= low[i, k] * low[j, k]
            if i > j:
                low[i, j] = left / low[j, j]
            elif left > 0.0:
                low[i, i] = np.sqrt(left)
                found += np.log(left)
            else:
                return np.inf
    return found


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _settle(
    correlations: Floats, penalty: float, covariance: Floats, slopes: Floats, tolerance: float
) -> bool:  # pragma: no cover - compiled
    """One penalty: covariance and slopes of each figure on the others, improved in place until they stand still."""
    p = correlations.shape[0]
    for _ in range(ROUNDS):
        moved = 0.0
        for j in range(p):
            fitted = covariance @ slopes[j]
            _lasso(correlations[j], penalty, covariance, slopes[j], fitted, j, tolerance)
            for i in range(p):
                if i != j:
                    moved = max(moved, abs(fitted[i] - covariance[i, j]))
                    covariance[i, j] = covariance[j, i] = fitted[i]
        if moved < tolerance:
            return True
    return False


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _lasso(
    target: Floats, penalty: float, covariance: Floats, slopes: Floats, fitted: Floats, own: int, tolerance: float
) -> None:  # pragma: no cover - compiled
    """Slopes of one figure on the others, one at a time in turn; ``fitted`` is the covariance times the slopes."""
    p = len(target)
    for _ in range(ROUNDS):
        step = 0.0
        for i in range(p):
            if i == own:
                continue
            left = target[i] - fitted[i] + covariance[i, i] * slopes[i]
            shrunk = abs(left) - penalty
            change = (np.sign(left) * shrunk / covariance[i, i] if shrunk > 0 else 0.0) - slopes[i]
            if change != 0.0:
                slopes[i] += change
                for m in range(p):
                    fitted[m] += covariance[m, i] * change
                step = max(step, abs(change))
        if step < tolerance:
            return
