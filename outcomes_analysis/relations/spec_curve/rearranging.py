"""Many lines at once, and the same lines had there been no association: residuals rearranged, all lines alike.

What the lines have in common is kept: one rearrangement of the authorities serves every line, also those that rest on
fewer authorities, so that lines which agree because they use the same figures still agree without an association.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class Rearrangement(Protocol):
    """Something that rearranges residuals many times."""

    def of(self, residuals: Floats, members: Places) -> Floats:
        """Residuals of shape (n,) of these members, rearranged; shape (n, times)."""
        ...


class Slope(NamedTuple):
    """Slope of one line, and of the same line with its residuals rearranged.

    ``estimate, error`` (HC3), ``df``; ``null_estimates`` and ``null_t`` of shape (times,).
    """

    estimate: float
    error: float
    df: int
    null_estimates: Floats
    null_t: Floats


@dataclass(frozen=True, eq=False)
class Permuted:
    """Places exchanged at random: right where they are separate of each other.

    Attributes
    ----------
    order : array of int, shape (times, areas)
        Permutations of all areas.
    """

    order: Places

    @classmethod
    def drawn(cls, areas: int, *, times: int, rng: np.random.Generator) -> Permuted:
        """Draw permutations."""
        return cls(rng.permuted(np.tile(np.arange(areas, dtype=np.intp), (times, 1)), axis=1))

    def of(self, residuals: Floats, members: Places) -> Floats:
        """As :class:`Rearrangement`."""
        full = np.full(self.order.shape[1], np.nan)
        full[members] = residuals
        return np.asarray(full[first_return(self.order, members)].T)


@dataclass(frozen=True, eq=False)
class NeighboursKept:
    """Patterns of the map with their signs drawn anew: places stay as like their neighbours as they were.

    Any figure is a sum of patterns, from the broadest (north against south) to the finest (each place against its
    neighbours): the eigenvectors of the centred weights. With each pattern's sign drawn at random a figure keeps its
    Moran's I, but is no longer tied to any other figure (singletons of Wagner and Dray 2015). Where a line rests on
    fewer areas, 0 stands for the others. By simulation on the authorities' map, unrelated figures whose places
    follow their neighbours by .5, .8 and .9 (spatial lag) are called tied at one in ten in 8, 10 and 16 of 100; with
    places exchanged at random in 12, 35 and 54.

    Attributes
    ----------
    patterns : array of shape (areas, areas)
        Orthonormal columns; one of them is constant.
    signs : array of shape (times, areas)
        Of 1 and -1.
    """

    patterns: Floats
    signs: Floats

    @classmethod
    def drawn(cls, weights: Floats, *, times: int, rng: np.random.Generator) -> NeighboursKept:
        """Draw signs.

        Parameters
        ----------
        weights : array of shape (areas, areas)
            As ``Neighbours.matrix``.
        times : int
        rng : numpy.random.Generator
        """
        n = len(weights)
        centre = np.eye(n) - 1.0 / n
        _, patterns = np.linalg.eigh(centre @ (0.5 * (weights + weights.T)) @ centre)
        return cls(patterns, rng.choice(np.array([-1.0, 1.0]), size=(times, n)))

    def of(self, residuals: Floats, members: Places) -> Floats:
        """As :class:`Rearrangement`."""
        mine = self.patterns[members]
        return np.asarray(mine @ (self.signs * (residuals @ mine)).T)


def first_return(order: Places, members: Places) -> Places:
    """Permutations of some areas that follow those of all as closely as can be.

    Each member is followed through the permutation until a member is met again: that is a permutation of the members,
    as random as that of all, and the same wherever a member follows a member. Lines that rest on nearly the same areas
    so get nearly the same rearrangement.

    Parameters
    ----------
    order : array of int, shape (times, areas)
    members : array of int, shape (n,)

    Returns
    -------
    array of int, shape (times, n)
        Positions among all areas, each of them a member.
    """
    inside = np.zeros(order.shape[1], dtype=bool)
    inside[members] = True
    reached = order[:, members]
    outside = ~inside[reached]
    while outside.any():
        rows, _ = np.nonzero(outside)
        reached[outside] = order[rows, reached[outside]]
        outside = ~inside[reached]
    return reached


def slope_of(
    outcome: Floats,
    predictor: Floats,
    alike: Floats,
    *,
    members: Places,
    rearrangement: Rearrangement,
    weights: Floats | None = None,
) -> Slope:
    """Slope with something allowed for, and what it would have been with no association (Freedman and Lane 1983).

    Parameters
    ----------
    outcome, predictor : array of shape (n,)
    alike : array of shape (n, k)
        What is allowed for, its first column constant (or dummies that add up to one).
    members : array of int, shape (n,)
        Position of each area among all.
    rearrangement : Rearrangement
    weights : array of shape (n,), optional
        How much each area counts.

    Returns
    -------
    Slope
        Error: HC3, each squared residual over (1 - leverage) squared, as ``fit_robust`` has it. Without an association
        the outcome is what the line without the predictor fits, plus that line's residuals rearranged; by Frisch and
        Waugh the slope on it needs only the parts of predictor and residuals that are not in ``alike``.

    Raises
    ------
    RelationError
        If the areas are too few, or the predictor or the outcome is a combination of what is allowed for.
    """
    n, k = alike.shape
    if n <= k + 2:
        message = f"{n} areas are too few for {k + 1} parameters. Adjust for less or take more areas."
        raise RelationError(message)
    root = np.ones(n) if weights is None else np.sqrt(weights / weights.mean())
    basis, triangle = np.linalg.qr(alike * root[:, None])
    spread = np.abs(np.diag(triangle))
    if spread.min() < 1e-8 * spread.max():
        message = "What is allowed for is perfectly collinear; allow for less."
        raise RelationError(message)
    x, y = root * predictor, root * outcome
    left_x, left_y = x - basis @ (basis.T @ x), y - basis @ (basis.T @ y)
    square = float(left_x @ left_x)
    if square < 1e-12 * float(x @ x) or float(left_y @ left_y) < 1e-12 * float(y @ y):
        message = "Constant, or perfectly collinear with what is allowed for; leave it out."
        raise RelationError(message)
    share = 1.0 - np.minimum((basis**2).sum(axis=1) + left_x**2 / square, 1.0 - 1e-9)
    loads = left_x / (square * share)
    moved = rearrangement.of(left_y, members)
    moved -= basis @ (basis.T @ moved)
    columns = np.column_stack([left_y, moved])
    slopes = (left_x @ columns) / square
    columns -= left_x[:, None] * slopes
    errors = np.sqrt(loads**2 @ columns**2)
    return Slope(
        estimate=float(slopes[0]),
        error=float(errors[0]),
        df=n - k - 1,
        null_estimates=slopes[1:],
        null_t=slopes[1:] / errors[1:],
    )
