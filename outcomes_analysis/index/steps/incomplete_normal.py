"""The multivariate normal with values missing: its maximum likelihood by EM, and draws by chained regressions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from outcomes_analysis.errors import OutcomesWarning, SpecError, several

#: Share of each predictor's variance added to keep a regression solvable, as in the R package mice.
RIDGE = 1e-5


@dataclass(frozen=True, eq=False)
class NormalEstimate:
    """A multivariate normal fitted to incomplete data.

    Attributes
    ----------
    mean : ndarray, shape (indicators,)
    covariance : ndarray, shape (indicators, indicators)
        Maximum likelihood: divisor n.
    filled : ndarray, shape (units, indicators)
        The data, missing cells replaced by their conditional means.
    iterations : int
        Steps taken.
    converged : bool
        Whether the last step moved every parameter by less than the tolerance.
    """

    mean: np.ndarray
    covariance: np.ndarray
    filled: np.ndarray
    iterations: int
    converged: bool


def em_normal(values: np.ndarray, *, tolerance: float = 1e-10, iterations: int = 2000) -> NormalEstimate:
    """Fit a multivariate normal to data with gaps by expectation and maximisation.

    Values are taken to be missing at random given those observed (Dempster, Laird and Rubin 1977; Little and
    Rubin, *Statistical Analysis with Missing Data*, 11.2; OECD/JRC handbook, step 3). Works on standardised
    columns, so the result does not depend on the units of measurement.

    Parameters
    ----------
    values : ndarray, shape (units, indicators)
        NaN is missing; every column must have a value.
    tolerance : float
        Largest move of a mean, in standard deviations, or a covariance, in products of them, at which to stop.
    iterations : int
        Most steps; a warning says when they did not suffice.

    Returns
    -------
    NormalEstimate
    """
    present = ~np.isnan(values)
    centre = np.nanmean(values, axis=0)
    spread = np.nanstd(values, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    z = (values - centre) / spread
    patterns, belongs = np.unique(present, axis=0, return_inverse=True)
    rows = [np.flatnonzero(belongs.ravel() == k) for k in range(len(patterns))]

    mean = np.zeros(z.shape[1])
    filled = np.where(present, z, 0.0)
    covariance = np.diag((filled**2).sum(axis=0) / np.maximum(present.sum(axis=0), 1))
    converged, step = False, 0
    while not converged and step < iterations:
        step += 1
        filled, extra = _expect(z, mean, covariance, patterns, rows)
        new_mean = filled.mean(axis=0)
        centred = filled - new_mean
        new_covariance = (centred.T @ centred + extra) / len(z)
        moved = max(np.abs(new_mean - mean).max(), np.abs(new_covariance - covariance).max())
        mean, covariance, converged = new_mean, new_covariance, bool(moved < tolerance)
    if not converged:
        message = f"EM had not converged after {iterations} steps; the values filled in are those of the last step"
        warnings.warn(message, OutcomesWarning, stacklevel=2)
    filled, _ = _expect(z, mean, covariance, patterns, rows)
    return NormalEstimate(
        mean=mean * spread + centre,
        covariance=covariance * np.outer(spread, spread),
        filled=np.where(present, values, filled * spread + centre),
        iterations=step,
        converged=converged,
    )


def _expect(
    z: np.ndarray, mean: np.ndarray, covariance: np.ndarray, patterns: np.ndarray, rows: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Conditional means of what is missing, and the sum of its conditional covariances."""
    filled = z.copy()
    extra = np.zeros_like(covariance)
    for there, members in zip(patterns, rows, strict=True):
        gone = ~there
        if not gone.any():
            continue
        known = covariance[np.ix_(there, there)]
        shared = covariance[np.ix_(gone, there)]
        slope = shared @ np.linalg.pinv(known, hermitian=True) if there.any() else shared
        filled[np.ix_(members, gone)] = mean[gone] + (z[np.ix_(members, there)] - mean[there]) @ slope.T
        extra[np.ix_(gone, gone)] += len(members) * (covariance[np.ix_(gone, gone)] - slope @ shared.T)
    return filled, extra


def regression_draws(
    values: np.ndarray,
    *,
    draws: int,
    cycles: int,
    rng: np.random.Generator,
    names: list[str],
    ranges: tuple[np.ndarray, np.ndarray] | None = None,
    secondary: float = 0.0,
) -> np.ndarray:
    """Draw what is missing from chained Bayesian linear regressions.

    Each incomplete column is regressed on all others (completed by the draw so far); the residual variance is
    drawn from its scaled inverse chi-squared posterior, the coefficients from their normal posterior, and the
    missing values from the regression with these, residual included: so draws differ by all that is not known
    (Rubin 1987, 5.3; van Buuren and Groothuis-Oudshoorn 2011, ``mice`` method ``norm``). The draws are
    independent chains.

    Parameters
    ----------
    values : ndarray, shape (units, indicators)
        NaN is missing.
    draws : int
        Number of completed tables, m.
    cycles : int
        Rounds through the incomplete columns before a draw is taken.
    rng : Generator
        Source of randomness.
    names : list of str
        Names of the columns, for messages.
    ranges : (ndarray, ndarray), optional
        Lowest and highest value of cells that are known to lie between the two, NaN elsewhere: these are drawn from
        the regression truncated to the range, and their present draws take part in the regressions on which all draws
        rest (data augmentation, Chib 1992), for they are not missing at random.
    secondary : float
        Chance, in each draw, that such a cell is free of its range.

    Returns
    -------
    ndarray, shape (draws, units, indicators)

    Raises
    ------
    SpecError
        A column has too few values for a regression on the others.
    """
    present = ~np.isnan(values)
    count = present.sum(axis=0)
    incomplete = [int(j) for j in np.argsort(-count, kind="stable") if 0 < count[j] < len(values)]
    least = values.shape[1] + 2
    thin = [names[j] for j in incomplete if count[j] < least]
    if thin:
        message = (
            f"`impute`: {len(thin)} indicators have fewer than {least} values, too few for a regression on the "
            f"{values.shape[1] - 1} others of their block ({several(thin)}); use smaller blocks or another method"
        )
        raise SpecError(message)
    centre = np.nanmean(values, axis=0)
    spread = np.nanstd(values, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    z = np.repeat(((values - centre) / spread)[None], draws, axis=0)
    low, high = _ranges(ranges, values, centre, spread, draws=draws, secondary=secondary, rng=rng)
    for j in incomplete:
        gone = ~present[:, j]
        pool = z[0, present[:, j], j]
        z[:, gone, j] = rng.choice(pool, size=(draws, int(gone.sum())))
        within = np.isfinite(low[:, :, j])
        z[:, :, j][within] = (low[:, :, j][within] + high[:, :, j][within]) / 2
    for _ in range(cycles if incomplete else 0):
        for j in incomplete:
            z[:, ~present[:, j], j] = _draw_column(z, j, present[:, j], low[:, :, j], high[:, :, j], rng)
    return np.where(present, values, z * spread + centre)


def _ranges(
    ranges: tuple[np.ndarray, np.ndarray] | None,
    values: np.ndarray,
    centre: np.ndarray,
    spread: np.ndarray,
    *,
    draws: int,
    secondary: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Ranges on the standardised scale, draws by units by indicators; infinite where nothing is known."""
    shape = (draws, *values.shape)
    low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
    if ranges is not None:
        known = np.isfinite(ranges[0]) & np.isnan(values)
        bound = np.broadcast_to(known, shape)
        if secondary:
            bound = bound & (rng.random(shape) >= secondary)
        low, high = (
            np.where(bound, (end - centre) / spread, free) for end, free in zip(ranges, (-np.inf, np.inf), strict=True)
        )
    return low, high


def _draw_column(
    z: np.ndarray, j: int, there: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """One draw, in each chain, of the missing values of a column given the others."""
    draws = len(z)
    others = np.delete(z, j, axis=2)
    design = np.concatenate([np.ones((*others.shape[:2], 1)), others], axis=2)
    y = z[:, :, j]
    # published cells inform the regression, and so do those whose range is known
    used = there | np.isfinite(low)
    x = design * used[:, :, None]
    cross = x.transpose(0, 2, 1) @ x
    ridge = np.zeros_like(cross)
    k = cross.shape[1]
    ridge[:, range(k), range(k)] = RIDGE * np.einsum("dii->di", cross) + 1e-12
    inverse = np.linalg.inv(cross + ridge)
    beta = (inverse @ (x.transpose(0, 2, 1) @ y[..., None]))[..., 0]
    residual = (y - np.einsum("dnk,dk->dn", design, beta)) * used
    freedom = np.maximum(used.sum(axis=1) - k, 1)
    sigma = np.sqrt((residual**2).sum(axis=1) / rng.chisquare(freedom, size=draws))
    root = np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2)
    beta = beta + sigma[:, None] * np.einsum("dkl,dl->dk", root, rng.standard_normal((draws, k)))
    mean = np.einsum("dnk,dk->dn", design[:, ~there], beta)
    return truncated(mean, sigma[:, None], low[:, ~there], high[:, ~there], rng=rng)


def truncated(
    mean: np.ndarray, sd: np.ndarray, low: np.ndarray, high: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Draws of normal variables known to lie between two values (infinite: not known).

    By inversion, in the tail in which probabilities keep their digits; where a range is so far out that it has none,
    its nearer end.
    """
    a, b = (low - mean) / sd, (high - mean) / sd
    turn = np.where(a > 0, -1.0, 1.0)
    a, b = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
    below = ndtr(a)
    drawn = ndtri(below + (ndtr(b) - below) * rng.random(mean.shape))
    drawn = np.where(np.isfinite(drawn), drawn, b)
    return np.asarray(np.clip(mean + sd * turn * np.clip(drawn, a, b), low, high))
