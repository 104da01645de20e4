"""How steady a network is: links in areas drawn again, and the order of figures when areas are dropped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError

Floats = NDArray[np.float64]

SHARES = tuple(np.linspace(0.05, 0.75, 10).round(4).tolist())  # of areas dropped
ALIKE = 0.7  # correlation of the strengths with those of all areas
MOSTLY = 0.95  # of the draws
MOST_FAILED = 0.05


class Links(NamedTuple):
    """Spread of each link over areas drawn again; arrays of shape (nodes, nodes)."""

    lower: Floats
    upper: Floats
    kept: Floats


def link_intervals(figures: Floats, *, drawn: NDArray[np.intp], gamma: float, level: float, held: int = 0) -> Links:
    """Percentile intervals of the links of a network, and how often each is there.

    Parameters
    ----------
    figures : array of shape (areas, nodes)
        On the scale on which they are correlated.
    drawn : array of int, shape (draws, areas)
        Areas drawn again.
    gamma : float
        As in :func:`outcomes_analysis.relations.network.graphical_lasso.ebic_network`.
    level : float
    held : int
        Figures allowed for beforehand; each takes off one area.

    Returns
    -------
    Links
        The penalty is chosen afresh in every draw. Links are shrunk to 0, so an interval tells how steady one is;
        one that touches 0 is not a test of there being none (Epskamp, Borsboom and Fried 2018).

    Raises
    ------
    RelationError
        If a network cannot be had in more than one draw of twenty.
    """
    weights = np.stack([_weights(figures[rows], gamma=gamma, held=held) for rows in drawn])
    failed = np.isnan(weights[:, 0, 0])
    if failed.mean() > MOST_FAILED:
        message = (
            f"In {int(failed.sum())} of {len(drawn)} draws of areas no network could be had: some figure hardly "
            "varies. No intervals are given."
        )
        raise RelationError(message)
    weights = weights[~failed]
    tail = (1 - level) / 2
    lower, upper = np.quantile(weights, [tail, 1 - tail], axis=0)
    return Links(lower, upper, np.asarray((weights != 0).mean(axis=0)))


def strength_stability(
    figures: Floats, weights: Floats, *, gamma: float, draws: int, rng: np.random.Generator, held: int = 0
) -> float:
    """Correlation-stability coefficient: the share of areas that can be dropped with the order of figures kept.

    Parameters
    ----------
    figures, gamma, held
        As in :func:`link_intervals`.
    weights : array of shape (nodes, nodes)
        Links of all areas.
    draws : int
        For each share dropped.
    rng : Generator

    Returns
    -------
    float
        The largest share up to which, in 95 % of draws, the strengths of the figures (sum of the sizes of their links)
        correlate 0.7 or more with those of all areas; 0 if even a twentieth is too many. A quarter is the least for
        an order to be read, a half is better (Epskamp, Borsboom and Fried 2018).
    """
    strength = np.abs(weights).sum(axis=0)
    if np.ptp(strength) == 0:
        return 0.0
    n = len(figures)
    reached = 0.0
    for share in SHARES:
        left = round(n * (1 - share))
        alike = 0
        for _ in range(draws):
            some = figures[rng.permutation(n)[:left]]
            theirs = np.abs(_weights(some, gamma=gamma, held=held)).sum(axis=0)
            alike += bool(np.ptp(theirs) > 0 and np.corrcoef(strength, theirs)[0, 1] >= ALIKE)
        if alike < MOSTLY * draws:
            break
        reached = float(share)
    return reached


def _weights(figures: Floats, *, gamma: float, held: int) -> Floats:
    from outcomes_analysis.relations.network.graphical_lasso import ebic_weights

    centred = figures - figures.mean(axis=0)
    products = centred.T @ centred
    root = np.sqrt(np.diag(products))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = products / root[:, None] / root[None, :]
    return ebic_weights(correlations, n=len(figures) - held, gamma=gamma)
