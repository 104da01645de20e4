"""Where a place's figure may go: England's own drift, and each authority's gap to England with a slope of its own.

On the indicator's scale the figure of authority i in year t is ``England_t + gap_it + error``, and

    gap_it = gap_i(t-1) + slope_i + step,   slope_i = slope of its region + own,

with independent normal ``step`` (sd ``wander``), ``own`` (sd ``own_slope``) and regional slope (sd ``region_slope``)
about England's, which is 0 because gaps are measured from England. The error's variance is known: sampling plus
year-to-year. Given the three sds everything is one normal distribution, so the posterior is exact; the three sds are
given weights on a coarse grid by their marginal likelihood, and forecasts are mixtures over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import special

from outcomes_analysis.observations.scales import Floats

# The sds tried, as shares of the spread between authorities, a year: from nothing to a third of the spread.
STEPS = (0.0, 0.02, 0.04, 0.08, 0.16, 0.32)
OWN_SLOPES = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16)
REGION_SLOPES = (0.0, 0.02, 0.05, 0.1)
LEVEL_SPREADS = 3.0  # sd of a gap before any figure is seen, in spreads: hardly shrinks a level
SMALLEST_WEIGHT = 1e-3  # grid points below it move no printed digit
MOST_PARTS = 8  # groups of grid points: quantiles move by less than a fiftieth of a sd
NATIONAL_PARTS = 9  # equal parts of the chi-squared that stands for England's unknown yearly variance


@dataclass(frozen=True, eq=False)
class Gaps:
    """Authorities' gaps to England over one comparable stretch.

    Attributes
    ----------
    years : array (n,)
        Increasing; not necessarily successive.
    values : array (areas, n)
        On the indicator's scale, NaN where there is no figure.
    variances : array (areas, n)
        Sampling plus year-to-year, on the scale; not used where there is no figure.
    regions : array (areas,) of int
        Number of each authority's region, from 0.
    """

    years: Floats
    values: Floats
    variances: Floats
    regions: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sds:
    """The three unknown sds and that of a level before any figure is seen, all on the scale and per year."""

    wander: float
    own_slope: float
    region_slope: float
    level: float


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of normals: ``weights`` (parts,), ``means`` and ``variances`` (parts, ...)."""

    weights: Floats
    means: Floats
    variances: Floats

    def mean(self) -> Floats:
        """Mean of the mixture."""
        return np.asarray(np.tensordot(self.weights, self.means, axes=1))

    def sd(self) -> Floats:
        """Standard deviation of the mixture."""
        second = np.tensordot(self.weights, self.variances + self.means**2, axes=1)
        return np.asarray(np.sqrt(np.maximum(second - self.mean() ** 2, 0.0)))

    def below(self, x: npt.ArrayLike) -> Floats:
        """Probability of lying below ``x`` (which takes the shape of one part); a sure value counts half at itself."""
        sd = np.sqrt(self.variances)
        away = np.asarray(x, dtype=float) - self.means
        with np.errstate(divide="ignore", invalid="ignore"):
            cumulated = np.where(sd > 0, special.ndtr(away / sd), 0.5 * (np.sign(away) + 1.0))
        return np.clip(np.tensordot(self.weights, cumulated, axes=1), 0.0, 1.0)

    def quantile(self, share: float) -> Floats:
        """Value below which a share of the mixture lies, by Newton's steps kept within a bracket."""
        sd = np.sqrt(self.variances)
        reach = np.abs(special.ndtri(share)) + 1.0
        low, high = (self.means - reach * sd).min(axis=0), (self.means + reach * sd).max(axis=0)
        near = 1e-11 * (high - low)
        x = np.clip(self.mean() + special.ndtri(share) * self.sd(), low, high)
        for _ in range(60):
            over = self.below(x) - share
            low, high = np.where(over < 0, x, low), np.where(over < 0, high, x)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                bell = np.exp(-0.5 * ((x - self.means) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
                step = over / np.tensordot(self.weights, bell, axes=1)
            inside = np.isfinite(step) & (x - step > low) & (x - step < high)
            new = np.where(inside, x - step, 0.5 * (low + high))
            done = bool((np.abs(new - x) <= near).all())
            x = new
            if done:
                break
        return np.asarray(x)

    def plus(self, other: Mixture) -> Mixture:
        """Sum with an independent mixture whose parts have a shape that broadcasts against this one's."""
        pairs = list(product(range(len(self.weights)), range(len(other.weights))))
        mine, theirs = (np.array(side) for side in zip(*pairs, strict=True))
        return Mixture(
            self.weights[mine] * other.weights[theirs],
            self.means[mine] + other.means[theirs],
            self.variances[mine] + other.variances[theirs],
        )

    def condensed(self, most: int) -> Mixture:
        """Fewer parts: neighbours in width put together, each group as one normal of the same mean and variance."""
        width = self.variances.reshape(len(self.weights), -1).mean(axis=1)
        order = np.argsort(width, kind="stable")
        before = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
        group = np.minimum((before * most).astype(int), most - 1)
        found = []
        for g in np.unique(group):
            rows = order[group == g]
            one = Mixture(self.weights[rows] / self.weights[rows].sum(), self.means[rows], self.variances[rows])
            found.append((self.weights[rows].sum(), one.mean(), one.sd() ** 2))
        return Mixture(*(np.stack(part) for part in zip(*found, strict=True)))

    def widened(self, variance: npt.ArrayLike) -> Mixture:
        """The same with an independent error of known variance."""
        return Mixture(self.weights, self.means, self.variances + np.asarray(variance, dtype=float))


def gap_posterior(gaps: Gaps, ahead: Sequence[int], *, sds: Sds) -> tuple[float, Floats, Floats]:
    """Exact posterior of every authority's gap in later years, the sds given.

    Parameters
    ----------
    gaps : Gaps
    ahead : sequence of int
        Years, none before the last of the stretch.
    sds : Sds

    Returns
    -------
    log_likelihood : float
        Of all figures together.
    means, variances : array (areas, years)
        On the scale; of the gap itself, without the error of a published figure.

    Notes
    -----
    The regional slope is one number that enters every figure linearly: it is integrated out region by region, so that
    only matrices as large as one authority's series are solved.
    """
    since = gaps.years - gaps.years[0]
    later = np.asarray(ahead, dtype=float) - gaps.years[0]
    seen = ~np.isnan(gaps.values)
    y = np.where(seen, gaps.values, 0.0)
    prior = _covariance(since, since, sds)
    both = seen[:, :, None] & seen[:, None, :]
    size = len(since)
    # a figure that is not there: a row of the identity, which adds nothing to any sum below
    errors = np.where(seen, gaps.variances, 1.0)
    matrix = np.where(both, prior, 0.0) + errors[:, :, None] * np.eye(size)
    cross = seen[:, :, None] * _covariance(since, later, sds)[None]
    line = seen * since
    right = np.concatenate([y[:, :, None], line[:, :, None], cross], axis=2)
    solved = np.linalg.solve(matrix, right)
    by_y, by_line, by_cross = solved[:, :, 0], solved[:, :, 1], solved[:, :, 2:]
    log_likelihood = -0.5 * float(
        np.linalg.slogdet(matrix)[1].sum() + (y * by_y).sum() + seen.sum() * np.log(2 * np.pi)
    )
    number = int(gaps.regions.max()) + 1
    information = np.bincount(gaps.regions, (line * by_line).sum(axis=1), minlength=number)
    score = np.bincount(gaps.regions, (line * by_y).sum(axis=1), minlength=number)
    prior_slope = sds.region_slope**2
    slope_variance = prior_slope / (1.0 + prior_slope * information)
    slope = slope_variance * score
    log_likelihood += 0.5 * float((slope * score - np.log1p(prior_slope * information)).sum())
    left = later[None, :] - np.einsum("ith,it->ih", cross, by_line[:, :])
    means = np.einsum("ith,it->ih", cross, by_y) + left * slope[gaps.regions][:, None]
    own = np.diag(_covariance(later, later, sds))[None] - np.einsum("ith,ith->ih", cross, by_cross)
    return log_likelihood, means, own + left**2 * slope_variance[gaps.regions][:, None]


def forecast_gaps(gaps: Gaps, ahead: Sequence[int]) -> Mixture:
    """Forecast gaps with the sds unknown: a mixture over the grid.

    Parameters
    ----------
    gaps, ahead
        As of :func:`gap_posterior`.

    Returns
    -------
    Mixture
        Parts of shape (areas, years); every point of the grid counts alike before the figures are seen.
    """
    spread = float(np.nanmedian(np.nanstd(gaps.values, axis=0)))
    found = []
    for wander, own, region in product(STEPS, OWN_SLOPES, REGION_SLOPES):
        sds = Sds(wander * spread, own * spread, region * spread, LEVEL_SPREADS * spread)
        found.append(gap_posterior(gaps, ahead, sds=sds))
    log_likelihood = np.array([f[0] for f in found])
    weights = np.exp(log_likelihood - log_likelihood.max())
    weights /= weights.sum()
    kept = np.flatnonzero(weights >= SMALLEST_WEIGHT)
    weights = weights[kept] / weights[kept].sum()
    return Mixture(weights, *(np.stack([found[k][part] for k in kept]) for part in (1, 2))).condensed(MOST_PARTS)


@dataclass(frozen=True)
class NationalDrift:
    """England's yearly change: the recent ``drift``, and how far single years stray from a drift and from none.

    Attributes
    ----------
    drift : float
        On the scale, per year, over the comparable stretch.
    span : float
        Years it is measured over.
    squares : float
        Sum of squared changes a year about each stretch's own drift.
    squares_from_none : float
        The same about no change.
    freedom, freedom_from_none : int
        Numbers of squares that are free.
    """

    drift: float
    span: float
    squares: float
    squares_from_none: float
    freedom: int
    freedom_from_none: int


def national_drift(stretches: Sequence[tuple[Floats, Floats]]) -> NationalDrift:
    """Measure England's drift over the last stretch, and its yearly variance over all of them.

    Parameters
    ----------
    stretches : sequence of (years, values)
        Comparable stretches in order, the last one the one to be continued; on the scale. No difference is taken
        between two stretches.

    Returns
    -------
    NationalDrift
        With a single change in all (``freedom`` 0), the variance about a drift is taken to be that about none.
    """
    squares = from_none = 0.0
    freedom = changes = 0
    drift = span = 0.0
    for years, values in stretches:
        if len(years) < 2:
            continue
        step, change = np.diff(years), np.diff(values)
        span = float(step.sum())
        drift = float(change.sum()) / span
        squares += float((((change - drift * step) ** 2) / step).sum())
        from_none += float((change**2 / step).sum())
        freedom += len(step) - 1
        changes += len(step)
    if freedom == 0:
        squares, freedom = from_none, changes
    return NationalDrift(drift, span, squares, from_none, freedom, changes)


def forecast_england(drift: NationalDrift, last: float, steps: Sequence[int], *, drifting: bool) -> Mixture:
    """Forecast England: a walk whose yearly variance is known only from the changes seen.

    Parameters
    ----------
    drift : NationalDrift
    last : float
        England's last figure, on the scale.
    steps : sequence of int
        Years ahead.
    drifting : bool
        Whether the recent drift goes on; otherwise no change is expected, and the drift counts as wandering.

    Returns
    -------
    Mixture
        Parts of shape (years,). The variance is sum of squares over a chi-squared, in nine equal parts, which makes a
        Student's t of the same degrees of freedom but for its far tails.
    """
    ahead = np.asarray(steps, dtype=float)
    squares, freedom = (
        (drift.squares, drift.freedom) if drifting else (drift.squares_from_none, drift.freedom_from_none)
    )
    middle = (np.arange(NATIONAL_PARTS) + 0.5) / NATIONAL_PARTS
    yearly = squares / special.chdtri(freedom, 1.0 - middle)
    growth = ahead + ahead**2 / drift.span if drifting else ahead
    mean = last + (drift.drift * ahead if drifting else 0.0 * ahead)
    weights = np.full(NATIONAL_PARTS, 1.0 / NATIONAL_PARTS)
    return Mixture(weights, np.tile(mean, (NATIONAL_PARTS, 1)), yearly[:, None] * growth[None, :])


def sure(path: Floats) -> Mixture:
    """A path that is taken as given."""
    return Mixture(np.ones(1), path[None], np.zeros((1, *path.shape)))


def _covariance(a: Floats, b: Floats, sds: Sds) -> Floats:
    """Covariance of a gap at two times, its regional slope given: level, own slope and steps summed."""
    product_, least = np.multiply.outer(a, b), np.minimum.outer(a, b)
    return np.asarray(sds.level**2 + sds.own_slope**2 * product_ + sds.wander**2 * least)
