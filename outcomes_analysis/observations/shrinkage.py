"""Empirical Bayes: each area's figure drawn towards the mean of all as far as its own error warrants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.observations.scales import Floats

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
    fixed = None if target is None else target[known]
    between = _prior_variance(y[known], v[known], fixed)
    total = v + between
    keep = np.where(v == 0, 1.0, between / np.where(total > 0, total, 1.0))
    if target is None:
        mean, mean_error = _weighted_mean(y[known], v[known], between)
        centre = np.full(y.shape, mean)
    else:
        centre, mean_error = target.copy(), 0.0
    posterior = np.where(known, keep * y + (1 - keep) * centre, np.nan)
    # Rounding must not carry the mean past either end.
    posterior = np.clip(posterior, np.fmin(y, centre), np.fmax(y, centre))
    spread_error = 2.0 / np.sum(1.0 / np.maximum(total[known], _tiny(y[known])) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        carried = np.where(v > 0, v**2 / total**3, 0.0) * spread_error
    variance = keep * v + (1 - keep) ** 2 * mean_error + 2 * carried
    # No posterior is vaguer than the area's own figure alone: it could be used unshrunk.
    sd = np.sqrt(np.minimum(variance, v))
    return Posterior(posterior, np.where(known, sd, np.nan), centre, between, np.where(known, keep, np.nan))


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


def _weighted_mean(y: Floats, v: Floats, between: float) -> tuple[float, float]:
    """Precision-weighted mean and its variance."""
    weight = 1.0 / np.maximum(v + between, _tiny(y))
    return float(np.sum(weight * y) / np.sum(weight)), float(1.0 / np.sum(weight))


def _prior_variance(y: Floats, v: Floats, target: Floats | None) -> float:
    """Restricted maximum likelihood by a coarse grid, then Brent's method about its best point."""
    highest = float(np.var(y if target is None else y - target)) * 4 + _tiny(y)

    def loss(between: float) -> float:
        total = np.maximum(v + between, _tiny(y))
        centre = _weighted_mean(y, v, between)[0] if target is None else target
        value = np.sum(np.log(total)) + np.sum((y - centre) ** 2 / total)
        return float(value + (np.log(np.sum(1.0 / total)) if target is None else 0.0))

    grid = np.concatenate([[0.0], highest * np.geomspace(1e-6, 1.0, 60)])
    losses = np.array([loss(one) for one in grid])
    best = int(np.argmin(losses))
    if best == 0:
        return 0.0
    last = grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        loss, bounds=(grid[best - 1], last), method="bounded", options={"xatol": 1e-9 * last}
    )
    return float(found.x) if found.fun < losses[0] else 0.0


def _tiny(y: Floats) -> float:
    """Variance too small to matter beside the figures' own size; keeps exact figures from dividing by nought."""
    return 1e-12 * float(np.var(y)) + 1e-24 * float(np.mean(np.abs(y))) ** 2 + 1e-300
