"""Correlation matrices by partial correlations: the LKJ prior without a Jacobian, and the way back for gradients.

A correlation matrix of n variables is n (n - 1) / 2 partial correlations, each free between -1 and 1; under LKJ(eta)
they are independent, that of column j being 2 Beta(b, b) - 1 with b = eta + (n - 2 - j) / 2 (Lewandowski, Kurowicka
and Joe 2009, section 3). Written by hand because PyMC's ``LKJCorr`` gives back a Cholesky factor whose density is not
that of the prior.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from outcomes_analysis.relations.joint.structure import Floats


@cache
def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the partial correlations, column after column."""
    columns, rows = np.triu_indices(n, 1)
    return rows, columns


def shapes(n: int, eta: float) -> Floats:
    """Shape b of the Beta(b, b) of each partial correlation, in the order of :func:`pairs`."""
    return eta + (n - 2 - pairs(n)[1]) / 2


def cholesky(free: Floats, n: int) -> Floats:
    """Lower Cholesky factor of a correlation matrix from its partial correlations on the log-odds scale.

    Parameters
    ----------
    free : array (n * (n - 1) / 2,)
        Any real numbers; a partial correlation is ``tanh(free / 2)``.
    n : int

    Returns
    -------
    array (n, n)
        Rows of length 1.
    """
    partial, left = _parts(free, n)
    return partial * left


def _parts(free: Floats, n: int) -> tuple[Floats, Floats]:
    """Partial correlations (1 on the diagonal, 0 above), and what of each row's length is left for each column."""
    partial = np.eye(n)
    root = np.ones((n, n))
    tangent = np.tanh(free / 2)
    partial[pairs(n)] = tangent
    rows, columns = pairs(n)
    root[rows, columns + 1] = np.sqrt(1 - tangent**2)  # one column on: what is left after it
    return partial, np.cumprod(root, axis=1)


def pull_back(g_cholesky: Floats, free: Floats, n: int) -> Floats:
    """Gradient with respect to ``free`` from that with respect to the Cholesky factor (its lower triangle counts)."""
    partial, left = _parts(free, n)
    weighted = g_cholesky * partial * left
    beyond = weighted.sum(axis=1, keepdims=True) - np.cumsum(weighted, axis=1)
    found = 0.5 * (g_cholesky * left * (1 - partial**2) - partial * beyond)
    return np.asarray(found[pairs(n)])
