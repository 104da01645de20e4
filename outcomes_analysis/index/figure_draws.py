"""The figures' own uncertainty, drawn before anything is treated or normalised, so that it passes through every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.alternatives import Alternatives, IndexModel, normalised
from outcomes_analysis.index.factors import Choices
from outcomes_analysis.index.kernels import MEANS, back, onto, rank_among, ranks_of
from outcomes_analysis.index.tree import Tree

SLAB = 250_000  # cells of figures drawn at once: 2 MB, what a processor's cache holds
LEAST_SHARE = 1e-6  # least variance between units kept, as a share of the figures' own


class FigureDraws(BaseModel):
    """How the figures are drawn.

    Attributes
    ----------
    shrink : {"jointly", "no"}
        ``jointly``: the field of units is drawn from what the figures say of the true values, all indicators at once
        (multivariate empirical Bayes), and each unit's own rank is that of its own figure with its error among that
        field; ``no``: figures plus errors, ranked among themselves, which spreads units further than the truth
        does and is what most software draws.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrink: Literal["jointly", "no"] = "jointly"

    def prepare(self, model: IndexModel) -> PreparedDraws:
        """Work out, once, what draws are made from."""
        if model.errors is None:
            message = "The figures have no standard errors, so they cannot be drawn; pass `errors` to the IndexModel."
            raise SpecError(message)
        names = list(model.tree.leaves)
        x, error = model.x, model.errors.reindex(index=model.values.index)[names].to_numpy(float)
        unknown = [n for j, n in enumerate(names) if (np.isfinite(x[:, j]) & ~(error[:, j] >= 0)).any()]
        if unknown:
            message = (
                f"{len(unknown)} indicators have figures without a standard error (or a negative one): {several(unknown)}. "
                "Give 0 where a figure is known exactly."
            )
            raise SpecError(message)
        error = np.where(np.isfinite(x), error, 0.0)
        if self.shrink == "no":
            return PreparedDraws(x, error, None, None)
        if x.shape[0] * x.shape[1] ** 2 > 50_000_000:
            message = (
                f"Drawing {x.shape[0]:,} units by {x.shape[1]} indicators jointly takes a matrix a unit, too much memory. "
                "Use FigureDraws(shrink='no'), or shrink the figures first and pass the posterior errors."
            )
            raise SpecError(message)
        mean, root = joint_posterior(x, error)
        return PreparedDraws(x, error, mean, root)


def joint_posterior(x: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True values given figures with known errors, all indicators at once.

    Parameters
    ----------
    x, error : ndarray, shape (units, indicators)
        Figures (NaN = missing) and standard errors.

    Returns
    -------
    mean : ndarray, shape (units, indicators)
        Posterior means; where a figure is missing, what the unit's other figures say.
    root : ndarray, shape (units, indicators, indicators)
        Square roots of the posterior variances: ``root @ standard normal``.

    Notes
    -----
    True values are multivariate normal between units. Their mean is that of the figures and their covariance that
    of the figures less the mean error variance on the diagonal (method of moments, pairs of figures both present),
    brought to the nearest matrix without negative eigenvalues. Given it, each unit's posterior is the usual normal
    one (Efron and Morris 1972, Biometrika 59). Drawing indicators one by one instead would lose the
    association between them, and with it the spread of their mean.
    """
    there = np.isfinite(x)
    middle = np.nanmean(x, axis=0)
    size = np.nanstd(x, axis=0)
    size = np.where(size > 0, size, 1.0)
    z, v = np.where(there, (x - middle) / size, 0.0), (error / size) ** 2
    pairs = there.T.astype(float) @ there
    covariance = (z.T @ z) / np.maximum(pairs - 1, 1)
    noise = np.where(there, v, 0).sum(axis=0) / there.sum(axis=0)
    values, vectors = np.linalg.eigh(covariance - np.diag(noise))
    precision = np.where(there, 1 / np.maximum(v, 1e-10), 0.0)
    # posterior variance (B^-1 + D)^-1 by way of B^(1/2), stable where B is nearly singular
    half = vectors * np.sqrt(np.maximum(values, LEAST_SHARE))
    inner = np.eye(len(half)) + np.einsum("ji,uj,jk->uik", half, precision, half, optimize=True)
    root_inverse = np.linalg.inv(np.linalg.cholesky(inner))  # inner^-1 = root_inverse' root_inverse
    root = half @ root_inverse.transpose(0, 2, 1)
    mean = np.einsum("uij,ukj,uk->ui", root, root, precision * z, optimize=True)
    return middle + size * mean, root * size[:, None]


class PreparedDraws:
    """What draws of the figures are made from; see :class:`FigureDraws`."""

    def __init__(self, x: np.ndarray, error: np.ndarray, mean: np.ndarray | None, root: np.ndarray | None) -> None:
        self.x, self.error, self.mean, self.root = x, error, mean, root
        self.there = np.isfinite(x)[:, None, :]
        self.filled = np.where(np.isfinite(x), x, 0.0)

    def block(
        self,
        model: IndexModel,
        options: Alternatives,
        choices: Choices,
        rows: slice,
        *,
        rng: np.random.Generator,
        hide: Callable[[np.ndarray, IndexModel], None],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Scores, ranks and (if the field is shrunken) ranks of the field, each branches by replicates by units."""
        which = options.position(choices.treatment[rows], choices.normalisation[rows], choices.base[rows])
        units, leaves = self.x.shape
        own = np.empty((len(model.tree.branches), len(which), units))
        field = None if self.mean is None else np.empty_like(own)
        step = max(SLAB // (units * leaves), 1)
        for key in np.unique(which):
            alike = np.flatnonzero(which == key)
            for start in range(0, len(alike), step):
                at = alike[start : start + step]
                drawn, of_field = self._draw(rng, len(at))
                weights, means = choices.weights[rows][at], choices.means[rows][at]
                own[:, at], found = _scored(model, options, int(key), drawn, of_field, self.there, weights, means)
                if field is not None and found is not None:
                    field[:, at] = found
        hide(own, model)
        if field is None:
            return own, ranks_of(own), None
        hide(field, model)
        ranks = np.zeros(own.shape, dtype=np.uint16 if units < 2**16 else np.uint32)
        for b in range(len(own)):
            kept = np.isfinite(own[b]).all(axis=0)
            if kept.any():
                ranks[b][:, kept] = rank_among(own[b][:, kept], field[b][:, kept])
        return own, ranks, ranks_of(field)

    def _draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Own figures and field, each units by draws by indicators.

        Both use the same noise: a unit's own draw is only ever compared with other units' field, and noise of
        different units is independent.
        """
        noise = rng.standard_normal((len(self.x), count, self.x.shape[1]))
        field = None
        if self.mean is not None and self.root is not None:
            field = noise @ self.root.transpose(0, 2, 1)
            field += self.mean[:, None, :]
        noise *= self.error[:, None, :]
        noise += self.filled[:, None, :]
        return noise, field


def _scored(
    model: IndexModel,
    options: Alternatives,
    key: int,
    own: np.ndarray,
    field: np.ndarray | None,
    there: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Treat, normalise and aggregate draws; own figures are normalised by the field they stand in."""
    treatment = options.treatments[key // len(options.normalisations)]
    method, scaling = options.normalisations[key % len(options.normalisations)]
    signs = model.signs
    drawn = [treatment.of(d) for d in ([own] if field is None else [own, field])]
    if (signs < 0).any():
        for d in drawn:
            d *= signs
    if scaling is None:
        ready = [_one_by_one(model, d * signs, method) for d in drawn]
    else:
        centre, spread = scaling.within(drawn[-1], there)
        for d in drawn:
            d -= centre
            d *= scaling.stretch / spread
            d += scaling.shift
        if scaling.kind == "minmax":  # a unit drawn beyond the field would itself be the field's end
            np.clip(drawn[0], scaling.shift, scaling.shift + scaling.stretch, out=drawn[0])
        ready = drawn
    found = [_means_of(model.tree, d, there, weights, means) for d in ready]
    return found[0], (None if field is None else found[1])


def _one_by_one(model: IndexModel, drawn: np.ndarray, method: object) -> np.ndarray:
    """Normalise each draw by a method without an array form: right, and slow."""
    gaps = ~np.isfinite(model.x)
    result = np.empty_like(drawn)
    for r in range(drawn.shape[1]):
        result[:, r] = np.nan_to_num(normalised(model, np.where(gaps, np.nan, drawn[:, r]), method, None))
    return result


def _means_of(tree: Tree, scores: np.ndarray, there: np.ndarray, weights: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Node scores where every replicate has scores of its own, branches by replicates by units."""
    leaves = len(tree.leaves)
    units, draws = scores.shape[:2]
    result = np.empty((len(tree.branches), draws, units))
    full = bool(there.all())
    for b, branch in enumerate(tree.branches):
        own = [p for p in branch.parts if p < leaves]
        nodes = [p for p in branch.parts if p >= leaves]
        for mean in np.unique(means[:, b]):
            at = np.flatnonzero(means[:, b] == mean)
            total, weight = np.zeros((len(at), units)), np.zeros((len(at), units))
            if own:
                part = scores[:, at][:, :, own]
                part = np.where(there[:, :, own], part, 1.0) if mean and not full else part
                if mean and not part.min() > 0:
                    _refuse_negative(tree, part, own, MEANS[int(mean)])
                moved = onto(int(mean), part)
                w = weights[at][:, own]
                if full:
                    weight += w.sum(axis=1, keepdims=True)
                else:
                    moved = np.where(there[:, :, own], moved, 0.0)
                    weight += w @ there[:, 0, own].T
                total += np.einsum("urk,rk->ru", moved, w)
            for node in nodes:
                moved = onto(int(mean), result[node - leaves, at])
                w = np.where(np.isnan(moved), 0.0, weights[at, node][:, None])
                total += w * np.nan_to_num(moved)
                weight += w
            with np.errstate(invalid="ignore", divide="ignore"):
                result[b, at] = back(int(mean), np.where(weight > 1e-12, total / weight, np.nan))
    return result


def _refuse_negative(tree: Tree, scores: np.ndarray, own: list[int], mean: str) -> None:
    wrong = [tree.leaves[j] for j, low in zip(own, scores.min(axis=(0, 1)), strict=True) if not low > 0]
    message = (
        f"The {mean} mean needs values above 0, but draws of {len(wrong)} indicators gave others: {several(wrong)}. "
        "Normalise to a range further above 0 (z-scores with mean 100 and sd 10, say), or use the arithmetic mean."
    )
    raise SpecError(message)


__all__ = ["FigureDraws", "PreparedDraws", "joint_posterior"]
