"""Empirical Bayes: each area's figure drawn towards the mean of all as far as its own error warrants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.observations.scales import Floats

_FLOOR = 1e-12  # variance, in units of the figures' own, below which a figure counts as known exactly
FEWEST = 4  # with fewer areas the spread between them cannot be told from their errors


@dataclass(frozen=True)
class Posterior:
    """What is known of each area's true value after its own figure and all the others'.

    Attributes
    ----------
    mean, sd : array
        Posterior mean and standard deviation; NaN where the figure or its error is unknown.
    prior_mean : array
        What each area is drawn towards.
    prior_variance : float
        Variance of true values between areas; infinite where too few areas are given to tell.
    reliability : array
        Share of a figure's deviation that is kept: prior variance over prior plus error variance; 1 keeps the
        published value, 0 leaves the mean of all.
    """

    mean: Floats
    sd: Floats
    prior_mean: Floats
    prior_variance: float
    reliability: Floats


def empirical_bayes(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, *, prior_mean: npt.ArrayLike | None = None
) -> Posterior:
    """Posterior of true values behind figures with known error variances.

    Parameters
    ----------
    estimates : array of length n
        Figures of n areas, on a scale where errors are about normal.
    variances : array of length n
        Their error variances, 0 or more; 0 means known exactly.
    prior_mean : float or array of length n, optional
        Known value to draw towards; by default the precision-weighted mean of the figures.

    Returns
    -------
    Posterior

    Raises
    ------
    ObservationsError
        If shapes differ or a variance is negative.

    Notes
    -----
    True values are normal about the prior mean. The prior variance is the restricted maximum likelihood estimate,
    0 where the figures vary no more than their errors would have them. The posterior variance has three parts:
    reliability times error variance, the error of the prior mean, and twice the error of the prior variance
    carried through (Prasad and Rao 1990, Journal of the American Statistical Association 85; Datta and Lahiri
    2000, Statistica Sinica 10), so that intervals are not too narrow where the spread itself is little known.
    The posterior mean never lies outside the figure and the prior mean.
    """
    y, v = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    _check(y, v)
    known = np.isfinite(y) & np.isfinite(v)
    target = None if prior_mean is None else np.broadcast_to(np.asarray(prior_mean, dtype=float), y.shape)
    if target is not None:
        known &= np.isfinite(target)
    if known.sum() < FEWEST:
        return _unshrunk(y, v, target)
    # In units of their own size about their own middle, so that nothing over- or underflows.
    middle = float(np.mean(y[known])) if target is None else target
    away = y - middle
    size = float(np.sqrt(max(np.max(v[known]), np.mean(away[known] ** 2))))
    if size == 0:
        centre, one = np.broadcast_to(middle, y.shape).copy(), np.where(known, 1.0, np.nan)
        return Posterior(np.where(known, y, np.nan), 0.0 * one, centre, 0.0, one)
    z, w = away / size, v / size**2
    between = _prior_variance(z[known], w[known], free=target is None)
    total = np.maximum(w + between, _FLOOR)
    shift, shift_error = _weighted_mean(z[known], w[known], between) if target is None else (0.0, 0.0)
    keep = np.where(v == 0, 1.0, between / total)
    centre = np.broadcast_to(middle + size * shift, y.shape).copy()
    # Rounding must not carry the mean past either end.
    mean = np.clip(keep * y + (1 - keep) * centre, np.fmin(y, centre), np.fmax(y, centre))
    spread_error = 2.0 / np.sum(total[known] ** -2.0)
    variance = keep * w + (1 - keep) ** 2 * shift_error + 2 * w**2 / total**3 * spread_error
    # No posterior is vaguer than the area's own figure alone: it could be used unshrunk.
    sd = np.sqrt(np.minimum(variance * size**2, v))
    mean, sd, keep = (np.where(known, part, np.nan) for part in (mean, sd, keep))
    return Posterior(mean, sd, centre, between * size**2, keep)


def _check(y: Floats, v: Floats) -> None:
    if y.ndim != 1 or y.shape != v.shape:
        message = f"Estimates and variances must be two arrays of one length; given shapes {y.shape} and {v.shape}."
        raise ObservationsError(message)
    negative = np.flatnonzero(v < 0)
    if len(negative):
        message = f"{len(negative)} variances are negative, the first at position {negative[0]}: {v[negative[0]]:g}."
        raise ObservationsError(message)


def _unshrunk(y: Floats, v: Floats, target: Floats | None) -> Posterior:
    known = np.isfinite(y) & np.isfinite(v)
    centre = np.full(y.shape, np.mean(y[known]) if known.any() else np.nan) if target is None else target.copy()
    keep = np.where(known, 1.0, np.nan)
    return Posterior(np.where(known, y, np.nan), np.where(known, np.sqrt(v), np.nan), centre, np.inf, keep)


def _weighted_mean(z: Floats, w: Floats, between: float) -> tuple[float, float]:
    """Precision-weighted mean and its variance."""
    weight = 1.0 / np.maximum(w + between, _FLOOR)
    return float(np.sum(weight * z) / np.sum(weight)), float(1.0 / np.sum(weight))


def _prior_variance(z: Floats, w: Floats, *, free: bool) -> float:
    """Maximise the (restricted) likelihood: a coarse grid, then Brent's method about its best point."""

    def loss(between: float) -> float:
        total = np.maximum(w + between, _FLOOR)
        centre = _weighted_mean(z, w, between)[0] if free else 0.0
        value = np.sum(np.log(total)) + np.sum((z - centre) ** 2 / total)
        return float(value + (np.log(np.sum(1.0 / total)) if free else 0.0))

    # Deviations have a mean square of 1 at most: the prior variance cannot lie far above that.
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 4.0, 30)])
    losses = [loss(one) for one in grid]
    best = int(np.argmin(losses))
    if best == 0:
        return 0.0
    around = (grid[best - 1], grid[min(best + 1, len(grid) - 1)])
    found = optimize.minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-9 * around[1]})
    return float(found.x)
