"""Fractional logit: a line for outcomes that are shares, which cannot leave the range from 0 to all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.regression import Fit, check_design, fit_of

Floats = NDArray[np.float64]

STEPS, CLOSE_ENOUGH = 50, 1e-10


def fit_fractional(share: Floats, design: Floats, *, names: Sequence[str], level: float = LEVEL) -> Fit:
    """Average slope of a share on each column, by fractional logit with errors robust to unequal spread.

    Parameters
    ----------
    share : array of shape (n,)
        The outcome as a share, from 0 to 1, both included.
    design : array of shape (n, k)
        First column the constant.
    names : sequence of str
        One a column.
    level : float
        Of the t intervals.

    Returns
    -------
    Fit
        Estimates are average slopes: how the expected share differs for one more of the column, averaged over areas.
        That of the constant has no meaning.

    Raises
    ------
    RelationError
        As :func:`~.regression.check_design`; for values outside 0 to 1; if the fit does not
        converge.

    Notes
    -----
    Quasi-likelihood of Papke and Wooldridge (1996). Errors from the sandwich with each residual over one less its
    leverage, the counterpart of HC3, taken to the average slopes by the delta method.
    """
    from scipy.special import expit

    check_design(design, names=names)
    outside = int(np.sum(~((share >= 0) & (share <= 1))))
    if outside:
        message = f"{outside} of {len(share)} values are not shares from 0 to 1; use a straight line instead."
        raise RelationError(message)
    slopes = _converged(share, design)
    expected = expit(design @ slopes)
    spread = expected * (1 - expected)
    bread = np.linalg.inv((design * spread[:, None]).T @ design)
    leverage = spread * np.einsum("ij,jk,ik->i", design, bread, design)
    score = design * ((share - expected) / (1 - leverage))[:, None]
    covariance = bread @ score.T @ score @ bread
    average = float(spread.mean()) * slopes
    bend = (design * (spread * (1 - 2 * expected))[:, None]).mean(axis=0)
    carried = np.outer(slopes, bend) + float(spread.mean()) * np.eye(len(slopes))
    errors = np.sqrt(np.diag(carried @ covariance @ carried.T))
    df = float(len(share) - design.shape[1])
    method = "fractional logit, average slope, errors robust to unequal spread"
    return fit_of(average, errors, names=names, level=level, df=df, method=method)


def _converged(share: Floats, design: Floats) -> Floats:
    """Slopes on the logit scale, by Newton's method from a straight line through the logits of drawn-in shares."""
    from scipy.special import expit, logit

    drawn_in = 0.01 + 0.98 * share
    slopes: Floats = np.linalg.lstsq(design, logit(drawn_in), rcond=None)[0]
    for _ in range(STEPS):
        expected = expit(design @ slopes)
        weight = expected * (1 - expected)
        try:
            step = np.linalg.solve((design * weight[:, None]).T @ design, design.T @ (share - expected))
        except np.linalg.LinAlgError:
            break
        slopes = slopes + step
        if np.max(np.abs(step)) < CLOSE_ENOUGH:
            return slopes
    message = f"The fractional logit of {len(share)} areas did not converge; no figure is given."
    raise RelationError(message)
