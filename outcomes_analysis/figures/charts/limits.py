"""Limits of a funnel plot: those of chance alone, and those that also allow for how areas usually differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Form = Literal["proportion", "rate"]
TAIL = 0.1  # of areas on either side that are drawn in before the usual differences are measured


def control_limits(
    target: float, denominator: np.ndarray, *, form: Form, per: float = 100.0, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Limits between which an area's figure falls with the stated probability if its true figure is the target.

    Parameters
    ----------
    target : float
        The common figure, in units of ``per``.
    denominator : ndarray
        Children each figure counts among; taken to the nearest whole number.
    form : {"proportion", "rate"}
        Binomial or Poisson counts.
    per : float
        100 for a percentage, 100,000 for a rate per 100,000.
    level : float
        Probability between the limits.

    Returns
    -------
    (ndarray, ndarray)
        Lower and upper limits, in units of ``per``; never below 0, a proportion's never above ``per``.

    Notes
    -----
    Exact quantiles, interpolated between whole counts so that the lines are smooth: Spiegelhalter (2005), Statistics
    in Medicine 24, appendix A.1.
    """
    from scipy import stats

    n = np.rint(np.asarray(denominator, dtype=float))
    share = target / per
    found = []
    for p in ((1 - level) / 2, (1 + level) / 2):
        law = stats.binom(n, share) if form == "proportion" else stats.poisson(n * share)
        count = law.ppf(p)
        upto, before = law.cdf(count), law.cdf(count - 1)
        within = np.where(upto > before, (upto - p) / np.where(upto > before, upto - before, 1.0), 0.0)
        found.append(np.clip((count - within) / n, 0, None if form == "rate" else 1) * per)
    return found[0], found[1]


@dataclass(frozen=True)
class UsualDifferences:
    """How far areas differ from a common figure beyond chance, once the furthest are drawn in.

    Attributes
    ----------
    target : float
        The common figure, in units of ``per``.
    form : {"proportion", "rate"}
    per : float
    ratio : float
        Mean squared distance from the target in standard errors; 1 is chance alone.
    spread : float
        Standard deviation between areas on the scale on which errors are even (arcsine of the root for proportions,
        root for rates); 0 where areas differ no more than chance has it.
    """

    target: float
    form: Form
    per: float
    ratio: float
    spread: float

    def limits(self, denominator: np.ndarray, *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Limits that allow for chance and for the usual differences, in units of ``per``."""
        from scipy import stats

        n = np.asarray(denominator, dtype=float)
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt(0.25 / n + self.spread**2)
        middle = _even(self.target / self.per, self.form)
        ends = [_back(middle + sign * half, self.form) * self.per for sign in (-1, 1)]
        return ends[0], ends[1]


def usual_differences(
    value: np.ndarray, denominator: np.ndarray, *, target: float, form: Form, per: float = 100.0
) -> UsualDifferences:
    """Measure how far areas usually differ from a common figure by more than chance.

    Parameters
    ----------
    value, denominator : ndarray of shape (areas,)
        Figures in units of ``per``, and what they count among; no missing values.
    target, form, per
        As for :func:`control_limits`.

    Returns
    -------
    UsualDifferences

    Notes
    -----
    Additive overdispersion with winsorised distances, as health funnel plots in England have it: Spiegelhalter (2005),
    Statistics in Medicine 24, 1185 to 1202, and Spiegelhalter and others (2012), Journal of the Royal Statistical
    Society A 175, 1 to 47. Distances from the target in standard errors, ``z = 2 sqrt(n) (y - target)`` on the even
    scale, beyond the outer tenths are set to those; ``ratio`` is their mean square, and ``spread`` squared the method
    of moments of DerSimonian and Laird, never below 0. Errors are those of the binomial and Poisson laws,
    ``1 / (2 sqrt(n))``.
    """
    n = np.asarray(denominator, dtype=float)
    distance = 2 * np.sqrt(n) * (_even(np.asarray(value, dtype=float) / per, form) - _even(target / per, form))
    low, high = np.quantile(distance, [TAIL, 1 - TAIL])
    ratio = float(np.mean(np.clip(distance, low, high) ** 2))
    weight, k = 4 * n, len(n)
    variance = (k * ratio - (k - 1)) / (weight.sum() - (weight**2).sum() / weight.sum())
    return UsualDifferences(float(target), form, float(per), ratio, float(np.sqrt(max(variance, 0.0))))


def _even(share: np.ndarray | float, form: Form) -> np.ndarray:
    """The scale on which the error of a count depends on its size alone."""
    root = np.sqrt(share)
    return np.arcsin(np.minimum(root, 1.0)) if form == "proportion" else np.asarray(root)


def _back(even: np.ndarray, form: Form) -> np.ndarray:
    if form == "proportion":
        return np.asarray(np.sin(np.clip(even, 0, np.pi / 2)) ** 2)
    return np.asarray(np.clip(even, 0, None) ** 2)
