"""Empirical Bayes: each area's figure drawn towards the mean of all, or of its like, as its own error warrants."""

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
        published value, 0 leaves what it is drawn towards.
    mse : array
        Mean squared error of ``mean``, not held down to the figure's own variance as the square of ``sd`` is.
    coefficients, coefficient_covariance : array of length p, array of shape (p, p)
        Of the covariates: with none given, the mean of all and its variance; empty under a known prior mean.
    """

    mean: Floats
    sd: Floats
    prior_mean: Floats
    prior_variance: float
    reliability: Floats
    mse: Floats
    coefficients: Floats
    coefficient_covariance: Floats


def empirical_bayes(
    estimates: npt.ArrayLike,
    variances: npt.ArrayLike,
    *,
    prior_mean: npt.ArrayLike | None = None,
    covariates: npt.ArrayLike | None = None,
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
    covariates : array of shape (n, p), optional
        Columns of a regression whose fitted value each figure is drawn towards (the Fay-Herriot model). They must
        hold a constant, as one of them or as a sum of some (an indicator column for each of several groups).

    Returns
    -------
    Posterior

    Raises
    ------
    ObservationsError
        If shapes differ, a variance is negative, both a prior mean and covariates are given, or covariates are
        collinear, incomplete or without a constant.

    Notes
    -----
    True values are normal about the prior mean, ``x'b`` with covariates (Fay and Herriot 1979, Journal of the
    American Statistical Association 74). The prior variance is the restricted maximum likelihood estimate,
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
    design = _design(covariates, known, target)
    if known.sum() < design.shape[1] + FEWEST - (target is None):
        return _unshrunk(y, v, target, design)
    # In units of their own size about their own middle, so that nothing over- or underflows.
    middle = float(np.mean(y[known])) if target is None else target
    away = y - middle
    size = float(np.sqrt(max(np.max(v[known]), np.mean(away[known] ** 2))))
    if size == 0:
        return _settled(y, known, np.broadcast_to(middle, y.shape).copy(), design)
    z, w = away / size, v / size**2
    # On an orthonormal basis of the columns, so that their units do not matter.
    turn = np.linalg.inv(np.linalg.qr(design[known], mode="r"))
    basis = design @ turn
    between = _prior_variance(z[known], w[known], basis[known])
    total = np.maximum(w + between, _FLOOR)
    slopes, covariance = _regression(z[known], w[known], basis[known], between)[:2]
    fit, fit_error = basis @ slopes, np.einsum("ij,jk,ik->i", basis, covariance, basis)
    keep = np.where(v == 0, 1.0, between / total)
    centre = np.broadcast_to(middle + size * fit, y.shape).copy()
    # Rounding must not carry the mean past either end.
    mean = np.clip(keep * y + (1 - keep) * centre, np.fmin(y, centre), np.fmax(y, centre))
    spread_error = 2.0 / np.sum(total[known] ** -2.0)
    variance = keep * w + (1 - keep) ** 2 * fit_error + 2 * w**2 / total**3 * spread_error
    mse = variance * size**2
    # No posterior is vaguer than the area's own figure alone: it could be used unshrunk.
    sd = np.sqrt(np.minimum(mse, v))
    mean, sd, keep, mse = (np.where(known, part, np.nan) for part in (mean, sd, keep, mse))
    slopes, covariance = size * turn @ slopes, size**2 * turn @ covariance @ turn.T
    coefficients = slopes if target is not None else slopes + middle * _constant(design)
    return Posterior(mean, sd, centre, between * size**2, keep, mse, coefficients, covariance)


def _design(covariates: npt.ArrayLike | None, known: npt.NDArray[np.bool_], target: Floats | None) -> Floats:
    """Columns of the regression: the given ones, a constant, or none under a known prior mean."""
    if covariates is None:
        return np.ones((len(known), 0 if target is not None else 1))
    x = np.asarray(covariates, dtype=float)
    if target is not None:
        message = "Give a prior mean or covariates, not both: figures can be drawn towards one thing only."
        raise ObservationsError(message)
    if x.ndim != 2 or len(x) != len(known):
        message = f"Covariates must be an array of {len(known)} rows, one an estimate; given shape {x.shape}."
        raise ObservationsError(message)
    if not np.isfinite(x).all():
        message = f"{int((~np.isfinite(x)).any(axis=1).sum())} rows of the covariates have gaps; fill or drop them."
        raise ObservationsError(message)
    rank = int(np.linalg.matrix_rank(x[known] / np.fmax(np.abs(x).max(axis=0), _FLOOR)))
    if rank < x.shape[1]:
        message = (
            f"Where there are figures, only {rank} of the {x.shape[1]} covariates are independent; leave some out."
        )
        raise ObservationsError(message)
    if not np.allclose(x @ _constant(x), 1.0, atol=1e-8):
        message = "The covariates hold no constant; add a column of ones."
        raise ObservationsError(message)
    return x


def _constant(x: Floats) -> Floats:
    """Coefficients with which the columns add up to 1."""
    return np.linalg.lstsq(x, np.ones(len(x)), rcond=None)[0]


def _check(y: Floats, v: Floats) -> None:
    if y.ndim != 1 or y.shape != v.shape:
        message = f"Estimates and variances must be two arrays of one length; given shapes {y.shape} and {v.shape}."
        raise ObservationsError(message)
    negative = np.flatnonzero(v < 0)
    if len(negative):
        message = f"{len(negative)} variances are negative, the first at position {negative[0]}: {v[negative[0]]:g}."
        raise ObservationsError(message)


def _unshrunk(y: Floats, v: Floats, target: Floats | None, design: Floats) -> Posterior:
    known = np.isfinite(y) & np.isfinite(v)
    centre = np.full(y.shape, np.mean(y[known]) if known.any() else np.nan) if target is None else target.copy()
    keep, mse = np.where(known, 1.0, np.nan), np.where(known, v, np.nan)
    return Posterior(np.where(known, y, np.nan), np.sqrt(mse), centre, np.inf, keep, mse, *_unknown(design))


def _settled(y: Floats, known: npt.NDArray[np.bool_], centre: Floats, design: Floats) -> Posterior:
    """All figures are equal and known exactly."""
    one = np.where(known, 1.0, np.nan)
    return Posterior(np.where(known, y, np.nan), 0.0 * one, centre, 0.0, one, 0.0 * one, *_unknown(design))


def _unknown(design: Floats) -> tuple[Floats, Floats]:
    p = design.shape[1]
    return np.full(p, np.nan), np.full((p, p), np.nan)


def _regression(z: Floats, w: Floats, x: Floats, between: float) -> tuple[Floats, Floats, float]:
    """Precision-weighted coefficients, their covariance, and minus its log determinant."""
    if x.shape[1] == 0:
        return np.zeros(0), np.zeros((0, 0)), 0.0
    weighted = x / np.maximum(w + between, _FLOOR)[:, None]
    information = x.T @ weighted
    covariance = np.linalg.inv(information)
    return covariance @ (weighted.T @ z), covariance, float(np.linalg.slogdet(information)[1])


def _losses(z: Floats, w: Floats, x: Floats, grid: Floats) -> Floats:
    """Minus twice the likelihood at each prior variance, all at once: one after the other takes four times as long."""
    total = np.maximum(w + grid[:, None], _FLOOR)
    found = np.sum(np.log(total), axis=1)
    if x.shape[1] == 0:
        return np.asarray(found + np.sum(z**2 / total, axis=1))
    weighted = (x / total[:, :, None]).transpose(0, 2, 1)
    information = weighted @ x
    slopes = np.linalg.solve(information, weighted @ z[:, None])
    left = (z - (x @ slopes)[:, :, 0]) ** 2 / total
    return np.asarray(found + np.sum(left, axis=1) + np.linalg.slogdet(information)[1])


def _prior_variance(z: Floats, w: Floats, x: Floats) -> float:
    """Maximise the (restricted) likelihood: a coarse grid, then Brent's method about its best point."""

    def loss(between: float) -> float:
        total = np.maximum(w + between, _FLOOR)
        slopes, _, information = _regression(z, w, x, between)
        return float(np.sum(np.log(total)) + np.sum((z - x @ slopes) ** 2 / total) + information)

    # Deviations have a mean square of 1 at most: the prior variance cannot lie far above that.
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 4.0, 30)])
    best = int(np.argmin(_losses(z, w, x, grid)))
    if best == 0:
        return 0.0
    around = (grid[best - 1], grid[min(best + 1, len(grid) - 1)])
    found = optimize.minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-9 * around[1]})
    return float(found.x)
