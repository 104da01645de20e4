"""Errors of slopes when areas resemble each other within a few groups: bias-reduced, with few degrees of freedom said.

Nine regions are few. Ordinary cluster-robust errors are then too small, and a t distribution with eight degrees of
freedom is often still too generous; the bias-reduced errors CR2 with degrees of freedom by Satterthwaite (Bell and
McCaffrey 2002; Pustejovsky and Tipton 2018) hold their level down to a handful of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.regression import Fit, check_design, fit_of

Floats = NDArray[np.float64]

FEWEST_GROUPS = 4
NEGLIGIBLE = 1e-10  # of an identity matrix less a projection: an eigenvalue below it is a direction fitted exactly


def fit_clustered(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    groups: Sequence[str] | NDArray[Any],
    level: float = LEVEL,
) -> Fit:
    """Ordinary least squares with errors that allow any likeness of areas within a group.

    Parameters
    ----------
    outcome, design, names, level
        As :func:`~.regression.fit_robust`.
    groups : sequence of str
        Group (region) of each area; any likeness within groups, none between them.

    Returns
    -------
    Fit
        Errors CR2; each column has its own degrees of freedom, ``df`` is the smallest of them.

    Raises
    ------
    RelationError
        As :func:`~.regression.check_design`, and for fewer than four groups.
    """
    check_design(design, names=names)
    count = len(np.unique(np.asarray(groups)))
    if count < FEWEST_GROUPS:
        message = f"{count} regions are too few for errors that allow for likeness within regions; {FEWEST_GROUPS} are."
        raise RelationError(message)
    slopes, errors, df = clustered_errors(outcome, design, groups=groups)
    method = f"least squares, errors CR2 for {count} regions, degrees of freedom by Satterthwaite"
    return fit_of(slopes, errors, names=names, level=level, df=df, method=method)


def clustered_errors(
    outcome: Floats, design: Floats, *, groups: Sequence[str] | NDArray[Any]
) -> tuple[Floats, Floats, Floats]:
    """Slopes, their CR2 errors and Satterthwaite degrees of freedom, one a column.

    Parameters
    ----------
    outcome, design, groups
        As in :func:`fit_clustered`; columns may be differences from group means, with the constant left out.

    Notes
    -----
    With H the projection on the design, the residuals of group g are multiplied by (I - Hgg)^(-1/2), a generalised
    inverse where the group is fitted exactly (Pustejovsky and Tipton 2018, equations 5 and 11, independence as the
    working model).
    """
    codes = np.asarray(groups)
    bread = np.linalg.inv(design.T @ design)
    slopes = bread @ design.T @ outcome
    left = outcome - design @ slopes
    k = design.shape[1]
    covariance = np.zeros((k, k))
    loads = []  # of each group: how every residual enters each slope, (n, k)
    for code in np.unique(codes):
        here = np.flatnonzero(codes == code)
        own = design[here]
        values, vectors = np.linalg.eigh(np.eye(len(here)) - own @ bread @ own.T)
        power = np.where(values > NEGLIGIBLE, 1 / np.sqrt(np.where(values > NEGLIGIBLE, values, 1)), 0)
        adjusted = (vectors * power) @ vectors.T @ own @ bread
        score = adjusted.T @ left[here]
        covariance += np.outer(score, score)
        load = -design @ (bread @ (own.T @ adjusted))
        load[here] += adjusted
        loads.append(load)
    # (groups, n, k) -> for each slope the products of every two groups' loads
    stacked = np.stack(loads)
    products = np.einsum("gnk,hnk->kgh", stacked, stacked)
    df = np.einsum("kgg->k", products) ** 2 / np.einsum("kgh,kgh->k", products, products)
    return slopes, np.sqrt(np.diag(covariance)), df
