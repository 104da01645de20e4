"""Other places and earlier dates as if they were the one asked about: what a difference is by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes_analysis.relations.evaluating.counterparts import Counterpart, Floats, Method


@dataclass(frozen=True, eq=False)
class Judged:
    """A quantity of one place against the same of every other.

    Attributes
    ----------
    estimate : float
    spread : float
        Standard deviation such a quantity has by chance in a place whose sampling error is as large.
    others : array of shape (others,)
        The same of each other place, in its own standard deviations.
    """

    estimate: float
    spread: float
    others: Floats

    @property
    def p_value(self) -> float:
        """Share of places, this one counted, whose quantity is at least as large: (1 + others as large) / (1 + all)."""
        larger = np.abs(self.others) >= abs(self.estimate) / self.spread
        return (1 + int(larger.sum())) / (1 + len(self.others))

    def bound(self, level: float) -> float:
        """Half the width of the interval; it leaves out 0 exactly where ``p_value`` is at most ``1 - level``."""
        return self.spread * critical(self.others, level)


def critical(others: Floats, level: float) -> float:
    """Size that a quantity exceeds by chance at most so often: an order statistic, counting the place itself.

    Parameters
    ----------
    others : array of shape (others,)
        In standard deviations.
    level : float

    Returns
    -------
    float
        Infinite where there are too few others for the level.
    """
    rank = int(np.ceil(level * (len(others) + 1) - 1e-9))
    sizes = np.sort(np.abs(others))
    return float(sizes[rank - 1]) if rank <= len(sizes) else float("inf")


def judge(estimate: float, others: Floats, *, sampling: float, sampling_others: Floats) -> Judged:
    """Set a quantity against that of other places, which may be steadier or less steady by their size.

    Parameters
    ----------
    estimate : float
    others : array of shape (others,)
    sampling : float
        Variance of the estimate by its sampling error alone; NaN where not known.
    sampling_others : array of shape (others,)
        The same of each other place.

    Returns
    -------
    Judged
        Squared quantities of the others are fitted by ``a + b v`` with ``a`` not below 0, ``b`` not below 1 and
        ``v`` their sampling variance (Ferman and Pinto 2019); by their mean alone where that of any is not known.
    """
    from scipy.optimize import nnls

    square = float((others**2).mean())
    if np.isfinite(sampling) and np.isfinite(sampling_others).all() and sampling_others.max() > 0:
        unit = float(sampling_others.mean())
        design = np.column_stack([np.ones(len(others)), sampling_others / unit])
        # nothing moves less than its sampling error: what is fitted comes on top of that
        (lasting, by_size), _ = nnls(design, others**2 - sampling_others)
        least = 1e-6 * square
        spreads = np.sqrt(np.maximum(lasting + (1 + by_size / unit) * sampling_others, least))
        spread = float(np.sqrt(max(lasting + (1 + by_size / unit) * sampling, least)))
    else:
        spreads, spread = np.full(len(others), np.sqrt(square)), float(np.sqrt(square))
    return Judged(estimate=estimate, spread=spread, others=others / spreads)


def each_as_the_place(others: Floats, *, before: int, method: Method) -> list[Counterpart]:
    """Every other place as if it were the one asked about, beside the rest; the place itself takes no part.

    Parameters
    ----------
    others : array of shape (years, others)
    before : int
    method : Method
    """
    count = others.shape[1]
    return [method(others[:, j], others[:, np.arange(count) != j], before) for j in range(count)]


def lead_slope(values: Floats, years: Floats) -> Floats:
    """Slope by year of each place less the mean of the others.

    Parameters
    ----------
    values : array of shape (years, places)
    years : array of shape (years,)
    """
    count = values.shape[1]
    apart = (values - values.mean(axis=1, keepdims=True)) * count / (count - 1)
    return np.asarray(slope_loads(years) @ apart)


def slope_loads(years: Floats) -> Floats:
    """What each year counts in a slope by least squares."""
    centred = years - years.mean()
    return np.asarray(centred / (centred @ centred))
