"""What indicators have in common: varimax rotation and the maximum-likelihood factor behind data-driven weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.judging.components import correlation_matrices, principal_components

#: Lowest share of an indicator's variance left to itself (as R's ``factanal``): at it, the model explains too much.
LEAST_UNIQUE = 0.005


@dataclass(frozen=True, eq=False)
class OneFactor:
    """A factor behind several indicators.

    Attributes
    ----------
    loadings : Series
        Correlation of each indicator with the factor, turned so that their sum is positive.
    uniqueness : Series
        Share of each indicator's variance that is its own.
    coefficients : Series
        Regression factor-score coefficients: weights of the standardised indicators in the estimated factor.
    """

    loadings: pd.Series
    uniqueness: pd.Series
    coefficients: pd.Series


def varimax(loadings: np.ndarray, *, rounds: int = 1000) -> np.ndarray:
    """Rotate loadings so that each indicator loads on few factors (Kaiser 1958, rows normalised first).

    Parameters
    ----------
    loadings : ndarray, shape (indicators, factors)
        Unrotated.
    rounds : int
        At most; it stops when nothing moves any more.

    Returns
    -------
    ndarray
        Same shape; each factor turned so that its loadings add up to 0 or more.
    """
    length = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    x = np.divide(loadings, length, out=np.zeros_like(loadings), where=length > 0)
    turn, reached = np.eye(x.shape[1]), 0.0
    for _ in range(rounds):
        z = x @ turn
        left, sizes, right = np.linalg.svd(x.T @ (z**3 - z * (z**2).mean(axis=0)))
        turn, before, reached = left @ right, reached, float(sizes.sum())
        if reached <= before * (1 + 1e-14):
            break
    rotated = (x @ turn) * length
    return np.asarray(rotated * np.where(rotated.sum(axis=0) < 0, -1.0, 1.0))


def component_loadings(values: pd.DataFrame, *, components: int | None = None) -> pd.DataFrame:
    """Varimax-rotated loadings of the principal components kept.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; pairs as in :func:`~outcomes_analysis.index.judging.components.principal_components`.
    components : int, optional
        How many to keep; if not given those with an eigenvalue of 1 or more (Kaiser's rule), at least one.

    Returns
    -------
    DataFrame
        Indicators by components: correlations with them.
    """
    found = principal_components(values)
    keep = components or max(int((found.eigenvalues >= 1).sum()), 1)
    if keep > len(found.eigenvalues):
        message = f"{keep} components asked for, but there are {len(found.eigenvalues)} indicators"
        raise SpecError(message)
    plain = found.rotation.iloc[:, :keep].to_numpy() * found.sdev.iloc[:keep].to_numpy()
    rotated = varimax(plain) if keep > 1 else plain
    return pd.DataFrame(rotated, index=values.columns, columns=range(1, keep + 1))


def _misfit(unique: np.ndarray, correlation: np.ndarray) -> tuple[float, np.ndarray]:
    """Discrepancy of one ML factor given the uniquenesses, and its gradient (Joreskog 1967)."""
    root = np.sqrt(unique)
    sizes, vectors = np.linalg.eigh(correlation / np.outer(root, root))
    value = float((sizes[:-1] - np.log(np.maximum(sizes[:-1], 1e-300)) - 1).sum())
    loading = root * vectors[:, -1] * np.sqrt(max(sizes[-1] - 1, 0))
    gradient = (loading**2 + unique - np.diag(correlation)) / unique**2
    return value, gradient


def ml_factor(values: pd.DataFrame) -> OneFactor:
    """Fit one factor by maximum likelihood to the correlations of indicators.

    Parameters
    ----------
    values : DataFrame
        Units by three indicators or more; each pair's correlation is that of the units which have both.

    Returns
    -------
    OneFactor

    Raises
    ------
    SpecError
        Fewer than three indicators (one factor cannot be told from two), one without spread, or correlations that
        determine no factor (as many indicators as units, or one indicator made from the others).

    Notes
    -----
    The same maximum as R's ``factanal`` and ``psych::fa(fm = "ml")``; coefficients by Thurstone's regression.
    """
    names = values.columns
    if len(names) < 3:
        message = f"one factor needs three indicators or more, not {len(names)} ({several(names)})"
        raise SpecError(message)
    flat = [str(n) for n in names if not values[n].max() > values[n].min()]
    if flat:
        message = f"{len(flat)} indicators do not vary ({several(flat)}); leave them out"
        raise SpecError(message)
    correlation = correlation_matrices(values.to_numpy(float))
    if np.linalg.eigvalsh(correlation)[0] < 1e-8:
        message = f"the correlations of {several(names)} leave nothing to each of its own; leave one out or use 'pca'"
        raise SpecError(message)
    start = np.clip((1 - 0.5 / len(names)) / np.diag(np.linalg.inv(correlation)), LEAST_UNIQUE, 1)
    found = minimize(
        _misfit,
        start,
        args=(correlation,),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_UNIQUE, 1.0)] * len(names),
        options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9},
    )
    unique = found.x
    root = np.sqrt(unique)
    sizes, vectors = np.linalg.eigh(correlation / np.outer(root, root))
    loading = root * vectors[:, -1] * np.sqrt(max(sizes[-1] - 1, 0))
    loading = loading * (-1.0 if loading.sum() < 0 else 1.0)
    return OneFactor(
        loadings=pd.Series(loading, names),
        uniqueness=pd.Series(unique, names),
        coefficients=pd.Series(np.linalg.solve(correlation, loading), names),
    )
