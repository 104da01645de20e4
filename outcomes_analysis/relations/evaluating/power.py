"""What change could have been seen at all, given how much such figures move by chance."""

from __future__ import annotations

import numpy as np

from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.relations.evaluating.placebos import Judged, critical

POWER = 0.8


def power_of(change: float, judged: Judged, *, level: float) -> float:
    """Chance that a true change of this size would have stood out from other places.

    Parameters
    ----------
    change : float
        In natural units; its sign counts.
    judged : Judged
        Other places say what chance adds to the change.
    level : float
        Of the interval that must leave out 0.
    """
    seen = np.abs(judged.others + change / judged.spread) > critical(judged.others, level)
    return float(seen.mean())


def detectable(judged: Judged, *, level: float, power: float = POWER) -> float:
    """Smallest change, up or down, that would have stood out with the chance given.

    Parameters
    ----------
    judged, level
        As in :func:`power_of`.
    power : float

    Returns
    -------
    float
        Natural units; the larger of that for a rise and for a fall. Infinite where there are too few other places.
    """
    bar = critical(judged.others, level)
    # a rise stands out where it lifts chance above the bar; that a fall by chance could stand out too is not counted
    needed = [bar - float(np.quantile(side * judged.others, 1 - power)) for side in (1.0, -1.0)]
    return judged.spread * max(*needed, 0.0)


def detectable_by_error(error: float, *, level: float, power: float = POWER) -> float:
    """Smallest change that would have stood out if a normal error of known size were all that moves the figures.

    Parameters
    ----------
    error : float
        Standard deviation of the estimate; NaN gives NaN.
    level, power : float

    Returns
    -------
    float
        ``(z of the interval + z of the power) error``.
    """
    return (z_of(level) + z_of(2 * power - 1)) * error
