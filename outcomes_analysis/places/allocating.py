"""Illustrative shares of a national target that add up to it, and a check of local targets that were given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from outcomes_analysis.errors import SpecError
from outcomes_analysis.observations.scales import Floats

Sharing = Literal["equal_gain", "gap_closing", "equal_difficulty"]
SHARINGS: tuple[Sharing, ...] = get_args(Sharing)
SHARING_WORDS: dict[Sharing, str] = {
    "equal_gain": "every place gains the same",
    "gap_closing": "gaps between places halve, and no place is asked to go back",
    "equal_difficulty": "every place has the same chance, by the model, that its underlying level gets there",
}
NOT_AGREED = "Illustrative share, not the DfE-agreed target."
CLOSED = 0.5  # part of each gap that is left


def share_out(
    values: npt.ArrayLike,
    cohorts: npt.ArrayLike,
    *,
    target: float,
    sharing: Sharing,
    low: float = 0.0,
    high: float = 100.0,
    sds: npt.ArrayLike | None = None,
) -> Floats:
    """Share a national target out so that the mean of the local ones, weighted by children, is the target.

    Parameters
    ----------
    values : array
        Each place's figure, in natural units and within the range; no NaN.
    cohorts : array
        Children behind each, positive.
    target : float
        National target, within the range.
    sharing : {"equal_gain", "gap_closing", "equal_difficulty"}
        ``equal_gain``: the same amount is added everywhere; a place that comes to an end of the range stays there and
        the others make up for it. ``gap_closing``: the same amount is added once every gap to the mean is
        halved; a place that would thereby go back stays where it is. ``equal_difficulty``: each place moves by the
        same number of its own ``sds``.
    low, high : float
        Ends of the indicator's range, both finite.
    sds : array, optional
        How far each place's underlying level may move by then, in natural units, positive; needed for
        ``equal_difficulty``.

    Returns
    -------
    array
        A target for each place; the weighted mean differs from ``target`` by less than 1e-9. Illustrative: not what
        any authority has agreed.

    Raises
    ------
    SpecError
        If there is nothing to share out, a cohort is not positive, or an argument is out of range.
    """
    if sharing not in SHARINGS:
        message = f"No way of sharing is called '{sharing}'. There are: {', '.join(SHARINGS)}."
        raise SpecError(message)
    x, weight = np.asarray(values, dtype=float), np.asarray(cohorts, dtype=float)
    _check(x, weight, target=target, low=low, high=high)
    weight = weight / weight.sum()
    start, unit = x, np.ones_like(x)
    floor, ceiling = np.full_like(x, low), np.full_like(x, high)
    if sharing == "gap_closing":
        together = float(weight @ x)
        start = together + CLOSED * (x - together)
        # nobody is asked to go back
        floor, ceiling = (x, ceiling) if target > together else (floor, x) if target < together else (floor, ceiling)
    elif sharing == "equal_difficulty":
        if sds is None:
            message = "equal_difficulty needs sds: how far each place's level may move."
            raise SpecError(message)
        unit = np.asarray(sds, dtype=float)
        if unit.shape != x.shape or not (np.isfinite(unit) & (unit > 0)).all():
            message = f"sds must be {len(x)} positive numbers."
            raise SpecError(message)

    def excess(z: float) -> float:
        return float(weight @ np.clip(start + z * unit, floor, ceiling)) - target

    reach = 2.0 * (high - low) / float(unit.min())
    # at the ends every place lies at its own end, and rounding may put their mean a hair past the target
    if excess(-reach) >= 0 or excess(reach) <= 0:
        moved = floor if excess(-reach) >= 0 else ceiling
    else:
        z = float(brentq(excess, -reach, reach, xtol=1e-15 * reach, rtol=1e-14, maxiter=500))
        moved = np.clip(start + z * unit, floor, ceiling)
    return _exact(moved, weight, target=target, floor=floor, ceiling=ceiling)


def _exact(x: Floats, weight: Floats, *, target: float, floor: Floats, ceiling: Floats) -> Floats:
    """Spread the rounding that is left evenly over the places that can take it."""
    moved = x.copy()
    for _ in range(5):
        left = target - float(weight @ moved)
        free = (moved < ceiling) if left > 0 else (moved > floor)
        if left == 0 or not free.any():
            break
        moved = np.clip(moved + free * left / float(weight[free].sum()), floor, ceiling)
    return moved


def _check(x: Floats, weight: Floats, *, target: float, low: float, high: float) -> None:
    if x.ndim != 1 or x.shape != weight.shape or not len(x):
        message = f"values and cohorts must be equally long lists; they have shapes {x.shape} and {weight.shape}."
        raise SpecError(message)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        message = f"The range must have two ends, the lower one first; it is {low:g} to {high:g}."
        raise SpecError(message)
    bad = int((~np.isfinite(x) | (x < low) | (x > high)).sum())
    if bad:
        message = f"{bad} of {len(x)} values are missing or outside {low:g} to {high:g}. Leave those places out."
        raise SpecError(message)
    bad = int((~np.isfinite(weight) | (weight <= 0)).sum())
    if bad:
        message = f"{bad} of {len(x)} cohorts are missing or not positive. Leave those places out."
        raise SpecError(message)
    if not low <= target <= high:
        message = f"The target {target:g} is outside the range of the indicator, {low:g} to {high:g}."
        raise SpecError(message)


@dataclass(frozen=True)
class LocalSum:
    """What a set of local targets adds up to.

    Attributes
    ----------
    places : int
        Places with a target.
    covered : float
        Their share of all children, 0 to 1.
    together : float
        Mean of the targets weighted by children, in natural units.
    short : float
        National target less ``together``, in natural units; 0 to 1e-9 where they add up.
    rest_needs : float
        What the other places would have to come to on average; NaN where there are none.
    """

    places: int
    covered: float
    together: float
    short: float
    rest_needs: float


def ladder_up(local: npt.ArrayLike, cohorts: npt.ArrayLike, *, target: float) -> LocalSum:
    """Check whether local targets add up to a national one.

    Parameters
    ----------
    local : array
        A target for each place in natural units; NaN for places without one.
    cohorts : array
        Children in each place; places without a known number are left out.
    target : float

    Returns
    -------
    LocalSum

    Raises
    ------
    SpecError
        If no place has both a target and a number of children, or the lists are not equally long.
    """
    goals, weight = np.asarray(local, dtype=float), np.asarray(cohorts, dtype=float)
    if goals.ndim != 1 or goals.shape != weight.shape:
        message = f"local and cohorts must be equally long lists; they have shapes {goals.shape} and {weight.shape}."
        raise SpecError(message)
    known = np.isfinite(weight) & (weight > 0)
    given = known & np.isfinite(goals)
    if not given.any():
        message = "None of the local targets is for a place whose number of children is known."
        raise SpecError(message)
    everyone, theirs = float(weight[known].sum()), float(weight[given].sum())
    together = float(goals[given] @ weight[given]) / theirs
    left = everyone - theirs
    rest = (target * everyone - together * theirs) / left if (known & ~given).any() else np.nan
    return LocalSum(int(given.sum()), theirs / everyone, together, target - together, rest)
