"""What the figures say of the true values: all indicators at once, from which figures are drawn."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.steps.tree import Tree

UNKNOWN = 1e8  # error variance of a figure that is missing, in units of the spread between units
ROUNDS, ENOUGH = 200, 1e-3  # of EM
LEAST_SHARE = 1e-6  # least variance between units kept, as a share of the figures' own
START_SHARE = 1e-2  # and at the start, so that EM does not begin where it cannot leave
ALIKE = 20  # least weight, in units, of true values whose indicators all go together alike


class FigureDraws(BaseModel):
    """How the figures are drawn.

    Attributes
    ----------
    shrink : {"jointly", "no"}
        ``jointly``: the field of units is drawn from what the figures say of the true values, all indicators at once
        (multivariate empirical Bayes), and each unit's own rank is that of its own figure with its error among that
        field; ``no``: figures plus errors, ranked among themselves, which spreads units further than the truth
        does and is what most software draws.

    Notes
    -----
    Errors of different indicators are independent, those of near-duplicates (figures on the same children) move
    together, as in :func:`~outcomes_analysis.index.steps.aggregation.mean_error`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrink: Literal["jointly", "no"] = "jointly"

    def prepare(self, model: IndexModel) -> FigurePosterior:
        """Work out, once, what draws are made from."""
        if model.errors is None:
            message = "The figures have no standard errors, so they cannot be drawn; pass `errors` to the IndexModel."
            raise SpecError(message)
        names = list(model.tree.leaves)
        x, error = model.x, model.errors.reindex(index=model.values.index)[names].to_numpy(float)
        unknown = [n for j, n in enumerate(names) if (np.isfinite(x[:, j]) & ~(error[:, j] >= 0)).any()]
        if unknown:
            message = (
                f"{len(unknown)} indicators have figures without a standard error (or a negative one): "
                f"{several(unknown)}. Give 0 where a figure is known exactly."
            )
            raise SpecError(message)
        error = np.where(np.isfinite(x), error, 0.0)
        same = _same_children(model.tree)
        flips = model.signs * model.signs[same]  # errors of near-duplicates move scores the same way
        if self.shrink == "no":
            return FigurePosterior(x, error * flips, same, None, None)
        if x.shape[0] * x.shape[1] ** 2 > 50_000_000:
            message = (
                f"Drawing {x.shape[0]:,} units by {x.shape[1]} indicators jointly takes a matrix a unit: too much "
                "memory. Use FigureDraws(shrink='no'), or shrink the figures first and pass the posterior errors."
            )
            raise SpecError(message)
        signs = model.signs
        mean, root = joint_posterior(x * signs, error, same[:, None] == same)
        return FigurePosterior(x, error * flips, same, mean * signs, root * signs[:, None])


def _same_children(tree: Tree) -> np.ndarray:
    """For each indicator the first of those whose errors move with its own: near-duplicates under a hidden node."""
    same = np.arange(len(tree.leaves))
    for branch in tree.branches:
        if not branch.shown:
            inside = [p for p in branch.parts if p < len(tree.leaves)]
            same[inside] = min(inside)
    return same


def joint_posterior(x: np.ndarray, error: np.ndarray, together: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True values given figures with known errors, all indicators at once.

    Parameters
    ----------
    x, error : ndarray, shape (units, indicators)
        Figures, higher = better (NaN = missing), and standard errors.
    together : ndarray, shape (indicators, indicators)
        Correlation of the errors of different indicators.

    Returns
    -------
    mean : ndarray, shape (units, indicators)
        Posterior means; where a figure is missing, what the unit's other figures say.
    root : ndarray, shape (units, indicators, indicators)
        Square roots of the posterior variances: ``root @ standard normal``.

    Notes
    -----
    True values are multivariate normal between units. Their mean ``m`` and covariance ``B`` come from EM (Dempster,
    Laird and Rubin 1977), so that figures count by how sure they are; it starts from the covariance of the figures less
    the mean error covariance and ends when nothing moves by a thousandth of the figures' variance. Given them, a unit's
    posterior has mean ``m + B (B + V)^-1 (x - m)`` and variance ``B - B (B + V)^-1 B`` (Efron and Morris 1972,
    Biometrika 59). Drawing indicators one by one instead would lose the association between them, and with it the
    spread of their mean.

    ``B`` is drawn, as if by 20 more units (or as many as there are indicators), towards one in which each indicator
    keeps its own spread and all correlate alike: the mode under an inverse Wishart prior (Chen 1979, JRSS B 41). By
    maximum likelihood alone its many covariances fit the noise, and chances come out too bold: where a sixth of an
    indicator's spread is real, a stated 9 chances in 10 of the lowest fifth came true 8 times in 10, and only 5 if
    indicators did not go together at all. With it they come true as stated, whatever the association (``tests/index``).
    """
    there = np.isfinite(x)
    middle = np.nanmean(x, axis=0)
    size = np.nanstd(x, axis=0)
    size = np.where(size > 0, size, 1.0)
    z, e = np.where(there, (x - middle) / size, 0.0), np.where(there, error / size, 0.0)
    pairs = np.maximum(there.T.astype(float) @ there, 2)
    covariance = (z.T @ z) / (pairs - 1) - (e.T @ e) * together / pairs
    values, vectors = np.linalg.eigh(covariance)
    between = (vectors * np.maximum(values, START_SHARE)) @ vectors.T
    noise = e[:, :, None] * together * e[:, None, :]
    own = np.arange(x.shape[1])
    noise[:, own, own] = np.where(there, np.maximum(noise[:, own, own], LEAST_SHARE), UNKNOWN)
    centre, extra = np.zeros(x.shape[1]), max(ALIKE, x.shape[1])
    for _ in range(ROUNDS):
        mean, variance = _given(z, centre, between, noise)
        centre = mean.mean(axis=0)
        away = mean - centre
        found = away.T @ away + variance.sum(axis=0)
        found = (found + extra * _alike(found / len(x))) / (len(x) + extra)
        moved = np.abs(found - between).max()
        between = found
        if moved < ENOUGH:
            break
    mean, variance = _given(z, centre, between, noise)
    variance[:, own, own] += LEAST_SHARE
    root = np.linalg.cholesky(variance)
    return middle + size * mean, root * size[:, None]


def _given(z: np.ndarray, centre: np.ndarray, between: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and variances of the units, given the centre and spread of true values."""
    keep = np.linalg.solve(between + noise, np.broadcast_to(between, noise.shape)).transpose(0, 2, 1)
    variance = between - keep @ between
    return centre + np.einsum("uij,uj->ui", keep, z - centre), (variance + variance.transpose(0, 2, 1)) / 2


def _alike(covariance: np.ndarray) -> np.ndarray:
    """The same variances with one correlation for all pairs, the mean of theirs, 0 or more."""
    spread = np.sqrt(np.maximum(np.diag(covariance), LEAST_SHARE))
    count = len(spread)
    correlation = covariance / np.outer(spread, spread)
    mean = (correlation.sum() - np.trace(correlation)) / max(count * (count - 1), 1)
    common = np.full((count, count), np.clip(mean, 0.0, 0.99))
    np.fill_diagonal(common, 1.0)
    return np.asarray(common * np.outer(spread, spread))


class FigurePosterior:
    """What draws of the figures are made from; see :class:`FigureDraws`.

    Attributes
    ----------
    filled : ndarray, shape (units, indicators, 1)
        Figures as published, 0 where missing.
    there : ndarray of bool
        Where a figure is published.
    error : ndarray
        Standard errors, 0 where missing.
    mean, root : ndarray or None
        Posterior of the true values, where the field is shrunken.
    """

    def __init__(
        self, x: np.ndarray, error: np.ndarray, same: np.ndarray, mean: np.ndarray | None, root: np.ndarray | None
    ) -> None:
        self.error, self.same, self.mean = error[:, :, None].astype(np.float32), same, mean
        self.root = None if root is None else root.astype(np.float32)
        self.there = np.isfinite(x)[:, :, None]
        self.filled = np.where(np.isfinite(x), x, 0.0)[:, :, None]

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Own figures and field, each units by indicators by draws.

        Both use the same noise: a unit's own draw is only ever compared with other units' field, and noise of
        different units is independent.
        """
        # noise in single precision takes half the time; it is added to figures in double
        noise = rng.standard_normal((len(self.filled), self.filled.shape[1], count), dtype=np.float32)
        field = None
        if self.mean is not None and self.root is not None:
            field = self.mean[:, :, None] + self.root @ noise
        if not np.array_equal(self.same, np.arange(len(self.same))):
            noise = noise[:, self.same]
        noise *= self.error
        return self.filled + noise, field

    def tables(self, count: int, *, rng: np.random.Generator) -> np.ndarray:
        """Tables of what the true values may be, tables by units by indicators; NaN where no figure is published."""
        own, field = self.draw(rng, count)
        drawn = own if field is None else field
        return np.moveaxis(np.where(self.there, drawn, np.nan), 2, 0)


__all__ = ["FigureDraws", "FigurePosterior", "joint_posterior"]
