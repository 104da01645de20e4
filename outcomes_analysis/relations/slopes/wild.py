"""A check on slopes where areas resemble each other within a few groups: residuals of whole groups drawn anew.

The wild cluster bootstrap with the null imposed (Cameron, Gelbach and Miller 2008) asks how often a slope as far from
the supposed one, against its own error, would come up if it were the supposed one. With nine groups each turned or left
there are 512 different draws, so the six weights of Webb (2023) are used. Its interval is of all slopes not refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.regression import Fit, check_design

Floats = NDArray[np.float64]
Weights = Literal["webb", "signs"]

FEWEST_GROUPS = 5  # with four even Webb's weights give too few different draws
DRAWS = 9_999
WEBB = np.sqrt(np.array([1.5, 1.0, 0.5]))
FARTHEST = 1_000.0  # errors from the slope at which the search for an end of the interval stops
CLOSE = 1e-4  # errors to which an end is found: a hundredth of the last decimal shown


@dataclass(frozen=True, eq=False)
class WildTest:
    """What a wild cluster bootstrap needs of one slope; nothing in it depends on the slope supposed.

    Attributes
    ----------
    slope, error : float
        Least squares, and its error robust to likeness within groups (Liang and Zeger, without a correction for few
        groups, which would cancel).
    of_outcome, of_predictor : array of shape (groups, groups)
        Column h: what one unit of weight on group h does to each group's score, from the outcome and the predictor,
        each with all other columns taken out.
    weights : array of shape (groups, draws)
    every_draw : bool
        Whether the weights are all there are.
    """

    slope: float
    error: float
    of_outcome: tuple[Floats, Floats]
    of_predictor: tuple[Floats, Floats]
    weights: Floats
    every_draw: bool

    def p_value(self, supposed: float = 0.0) -> float:
        """Share of draws in which the slope lies as far from the supposed one, in its own errors, as it does here.

        Parameters
        ----------
        supposed : float
            The slope under the null.
        """
        moves = self.of_outcome[0] - supposed * self.of_predictor[0]
        scores = (self.of_outcome[1] - supposed * self.of_predictor[1]) @ self.weights
        apart = np.abs(moves @ self.weights)
        errors = np.sqrt((scores**2).sum(axis=0))
        here = abs(self.slope - supposed) / self.error
        # rounding must not part a draw from its mirror image or from the figures themselves
        as_far = int(np.sum(apart >= here * errors * (1 - 1e-9)))
        count = self.weights.shape[1]
        return as_far / count if self.every_draw else (1 + as_far) / (1 + count)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Slopes that are not refused at ``1 - level``.

        Raises
        ------
        RelationError
            If no slope however far is refused: the groups are too few for an interval of this level.
        """
        return self._end(-1.0, 1 - level), self._end(1.0, 1 - level)

    def _end(self, way: float, chance: float) -> float:
        inside, reach = 0.0, 1.0
        while self.p_value(self.slope + way * reach * self.error) > chance:
            inside, reach = reach, 2 * reach
            if reach > FARTHEST:
                message = "no slope however far is refused: the regions are too few for an interval of this level."
                raise RelationError(message)
        while reach - inside > CLOSE:
            middle = (inside + reach) / 2
            if self.p_value(self.slope + way * middle * self.error) > chance:
                inside = middle
            else:
                reach = middle
        return self.slope + way * reach * self.error


def wild_test(
    outcome: Floats,
    design: Floats,
    *,
    column: int,
    groups: Sequence[str] | NDArray[Any],
    rng: np.random.Generator,
    weights: Weights = "webb",
    draws: int = DRAWS,
) -> WildTest:
    """Prepare the wild cluster bootstrap of one slope.

    Parameters
    ----------
    outcome : array of shape (n,)
    design : array of shape (n, k)
        First column the constant.
    column : int
        Of the design: whose slope.
    groups : sequence of length n
        Group of each area.
    rng : numpy.random.Generator
    weights : {"webb", "signs"}
        Of Webb, drawn; or every combination of 1 and -1, where that gives no more than ``draws``, else drawn.
    draws : int

    Returns
    -------
    WildTest

    Notes
    -----
    With the null imposed the residuals are those of the outcome, less the supposed slope times the predictor, on all
    other columns; each group's are multiplied by one weight, and the slope's numerator and the groups' scores are
    linear in the weights (MacKinnon 2023), so no draw needs a regression.
    """
    codes = np.asarray(groups)
    names = np.unique(codes)
    others = np.delete(design, column, axis=1)
    basis, _ = np.linalg.qr(others)
    left_x = design[:, column] - basis @ (basis.T @ design[:, column])
    left_y = outcome - basis @ (basis.T @ outcome)
    square = float(left_x @ left_x)
    loads = left_x / square  # how each residual enters the slope
    full = np.linalg.qr(design)[0]
    inside = (codes[None, :] == names[:, None]).astype(float)

    def parts(residuals: Floats) -> tuple[Floats, Floats]:
        moves = inside @ (loads * residuals)
        # scores of the residuals that the line leaves over of the draw: what it fits again is taken off
        fitted = (inside * loads) @ full @ ((inside * residuals) @ full).T
        return moves, np.diag(moves) - fitted

    slope = float(loads @ left_y)
    scores = inside @ (loads * (left_y - slope * left_x))
    if weights == "signs" and 2 ** len(names) <= draws:
        every = np.array(np.meshgrid(*[[-1.0, 1.0]] * len(names))).reshape(len(names), -1)
        drawn, every_draw = every, True
    else:
        values = np.array([-1.0, 1.0]) if weights == "signs" else np.concatenate([-WEBB, WEBB])
        drawn, every_draw = rng.choice(values, size=(len(names), draws)), False
    return WildTest(slope, float(np.sqrt(scores @ scores)), parts(left_y), parts(left_x), drawn, every_draw)


def fit_wild(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    predictor: str,
    groups: Sequence[str] | NDArray[Any],
    rng: np.random.Generator,
    level: float = LEVEL,
) -> Fit:
    """Ordinary least squares with the interval of one slope by the wild cluster bootstrap.

    Parameters
    ----------
    outcome, design, names
        As :func:`~.clusters.fit_clustered`.
    predictor : str
        Column whose interval is made; those of the others are NaN.
    groups : sequence of length n
        Group (region) of each area.
    rng : numpy.random.Generator
    level : float

    Returns
    -------
    Fit

    Raises
    ------
    RelationError
        As :func:`~.regression.check_design`; for fewer than five groups, and where no slope however far is refused.
    """
    check_design(design, names=names)
    count = len(np.unique(np.asarray(groups)))
    if count < FEWEST_GROUPS:
        message = f"{count} regions are too few to draw their residuals anew; {FEWEST_GROUPS} are enough."
        raise RelationError(message)
    at = list(names).index(predictor)
    test = wild_test(outcome, design, column=at, groups=groups, rng=rng)
    lower, upper = test.interval(level)
    slopes = np.linalg.lstsq(design, outcome, rcond=None)[0]

    def only(value: float) -> tuple[float, ...]:
        return tuple(value if j == at else float("nan") for j in range(len(names)))

    return Fit(
        names=tuple(names),
        estimates=tuple(map(float, slopes)),
        errors=only(test.error),
        lower=only(lower),
        upper=only(upper),
        level=level,
        df=float("nan"),
        method=f"least squares, wild bootstrap of {count} regions, null imposed, weights of Webb",
    )
