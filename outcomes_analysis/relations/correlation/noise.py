"""A correlation with the known noise of both figures taken out: by moments, with intervals by drawing areas again.

A figure that rests on few children, or on one year, differs from what it stands for; that makes two figures look less
alike than what they stand for is (Spearman 1904). Where the size of the errors is known they can be taken out of the
variances. Noise is repaired by this, validity is not: a figure that measures something else than its name says still
does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.correlation.correlation import Correlation, quantiles, times_drawn

Floats = NDArray[np.float64]

LEAST_RELIABLE = 0.2  # share of what differs that is not noise; below it the correction multiplies noise
MOST_FAILED = 0.01  # share of areas drawn again for which the noise exceeds what differs


class Repaired(NamedTuple):
    """One correlation without and with noise taken out.

    Attributes
    ----------
    corrected, ignored : Correlation
        Of what the figures stand for, and of the figures; both on the same scale and from the same draws.
    reliability : tuple of float
        Share of what differs between places, with the controls allowed for, that is not noise: predictor, outcome.
    """

    corrected: Correlation
    ignored: Correlation
    reliability: tuple[float, float]


def take_out_noise(
    x: Floats,
    y: Floats,
    *,
    errors: tuple[Floats, Floats],
    draws: NDArray[np.intp],
    controls: Floats | None = None,
    level: float = LEVEL,
) -> Repaired:
    """Product-moment correlation of what two noisy figures stand for, partial when controls are given.

    Parameters
    ----------
    x, y : array of shape (n,)
        On a scale on which errors add up (see ``observations.scales``); no missing values.
    errors : two arrays of shape (n,)
        Standard error of each figure on the same scale. Those of x and y are taken as unrelated.
    draws : array of int, shape (draws, n)
        From ``correlation.resamples``.
    controls : array of shape (n, k), optional
        Allowed for; taken to be exact.
    level : float
        Of the percentile intervals.

    Returns
    -------
    Repaired

    Raises
    ------
    RelationError
        If noise makes up more than four fifths of what differs in either figure, or all of it in more than one draw of
        a hundred; if the corrected correlation would lie beyond 1.

    Notes
    -----
    The mean squared error is taken off each variance (Fuller 1987, section 1.3), in every draw anew; the partial
    correlation is then that of the corrected matrix. Draws beyond 1 count as 1.
    """
    n = len(x)
    columns = np.column_stack([x, y] if controls is None else [x, y, controls])
    columns = columns - columns.mean(axis=0)
    noise = np.column_stack([errors[0] ** 2, errors[1] ** 2])
    once = np.ones((1, n))
    counts = times_drawn(draws, n=n)
    corrected, ignored, reliability = (_correlations(columns, noise, once, part) for part in _PARTS)
    worst = float(np.min(reliability))
    if not worst >= LEAST_RELIABLE:
        which = ("first", "second")[int(np.argmin(reliability[0]))]
        message = (
            f"about {100 * (1 - max(worst, 0)):.0f}% of what differs in the {which} figure is noise: too much to be "
            "taken out"
        )
        raise RelationError(message)
    one, other = float(corrected[0, 0]), float(ignored[0, 0])
    if abs(one) >= 1:
        message = (
            f"with noise taken out the correlation would be {one:.2f}, beyond what a correlation can be: the errors of "
            "the two figures are not unrelated, or smaller than stated"
        )
        raise RelationError(message)
    drawn = _correlations(columns, noise, counts, "corrected")[:, 0]
    failed = float(np.mean(~np.isfinite(drawn)))
    if failed > MOST_FAILED:
        message = f"in {100 * failed:.0f}% of the draws noise exceeds all that differs: no interval can be given"
        raise RelationError(message)
    drawn = np.clip(drawn, -1, 1)
    plain = _correlations(columns, noise, counts, "ignored")[:, 0]
    return Repaired(
        Correlation(one, *quantiles(drawn, level=level), drawn),
        Correlation(other, *quantiles(plain, level=level), plain),
        (float(reliability[0, 0]), float(reliability[0, 1])),
    )


_PARTS = ("corrected", "ignored", "reliability")


def _correlations(columns: Floats, noise: Floats, counts: Floats, part: str) -> Floats:
    """One part for each row of ``counts`` (how often each area was drawn); NaN where noise exceeds what differs."""
    n, k = columns.shape
    first, second = np.triu_indices(k)
    means = counts @ columns / n
    products = counts @ (columns[:, first] * columns[:, second]) / n
    matrix = np.empty((len(counts), k, k))
    matrix[:, first, second] = matrix[:, second, first] = products - means[:, first] * means[:, second]
    matrix *= n / (n - 1)
    pair = matrix[:, :2, :2]
    if k > 2:
        cross, rest = matrix[:, :2, 2:], matrix[:, 2:, 2:]
        # a small ridge for draws that hold one value of a control only; twelve digits of every other draw stay
        rest = rest + 1e-12 * np.trace(rest, axis1=1, axis2=2)[:, None, None] * np.eye(k - 2)
        pair = pair - cross @ np.linalg.solve(rest, np.swapaxes(cross, 1, 2))
    variances = np.stack([pair[:, 0, 0], pair[:, 1, 1]], axis=1)
    true = variances - counts @ noise / n
    if part == "reliability":
        return true / variances
    below = true if part == "corrected" else variances
    with np.errstate(invalid="ignore", divide="ignore"):
        found = pair[:, 0, 1] / np.sqrt(np.where(np.all(below > 0, axis=1), below.prod(axis=1), np.nan))
    return found[:, None]
