"""Correlations across areas, raw and with other variables held alike, with intervals by resampling areas."""

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
    """A correlation and its interval."""

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
    method: Method = "spearman",
    level: float = LEVEL,
) -> Correlation:
    """Correlation of two variables across areas, partial when controls are given.

    Parameters
    ----------
    x, y : array of shape (n,)
        No missing values.
    draws : array of int, shape (draws, n)
        From :func:`resamples`; shared between analyses of one sample so that they can be compared.
    controls : array of shape (n, k), optional
        Held alike. The partial correlation comes from the inverse of the correlation matrix: minus the off-diagonal
        element over the root of the two diagonal ones (Whittaker 1990, section 5.8). For Spearman, of ranks.
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
        If a variable is constant, or a control repeats one of the two.
    """
    variables = np.stack([x, y]) if controls is None else np.vstack([np.stack([x, y]), controls.T])
    if np.any(np.ptp(variables, axis=1) == 0):
        message = "A variable has the same value in every authority: there is nothing to correlate. Choose another."
        raise RelationError(message)
    estimate = float(_partial(variables[None], method=method)[0])
    if not np.isfinite(estimate):
        message = "Perfectly collinear: what is held alike already gives one of the two variables. Adjust for less."
        raise RelationError(message)
    resampled = np.moveaxis(variables[:, draws], 1, 0)  # draws x variables x areas
    tail = (1 - level) / 2
    lower, upper = np.nanquantile(_partial(resampled, method=method), [tail, 1 - tail])
    return Correlation(estimate, float(lower), float(upper))


def _partial(variables: Floats, *, method: Method) -> Floats:
    """Partial correlation of the first two of ``variables`` (batch x k x n) given the others; shape (batch,)."""
    from scipy.stats import rankdata

    values = rankdata(variables, axis=-1) if method == "spearman" else variables
    centred = values - values.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):  # a resample may draw one area only: NaN, left out
        scaled = centred / np.sqrt((centred**2).sum(axis=-1, keepdims=True))
    matrix = scaled @ np.swapaxes(scaled, -1, -2)
    if variables.shape[1] == 2:
        return matrix[:, 0, 1]
    # Schur complement rather than a full inverse: only the 2 x 2 block of the pair is needed
    pair, cross, rest = matrix[:, :2, :2], matrix[:, :2, 2:], matrix[:, 2:, 2:]
    left = pair - cross @ np.linalg.solve(rest, np.swapaxes(cross, -1, -2))
    spread = left[:, 0, 0] * left[:, 1, 1]
    # where a control repeats one of the pair there is nothing left to correlate
    return np.divide(left[:, 0, 1], np.sqrt(np.abs(spread)), out=np.full(len(left), np.nan), where=spread > REPEATED)
