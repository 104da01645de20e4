"""The figures' own uncertainty, drawn before anything is treated or normalised, so that every step sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.alternatives import Alternatives, IndexModel, normalised
from outcomes_analysis.index.factors import Choices
from outcomes_analysis.index.kernels import MEANS, back, divide, onto, rank_among, ranks_of
from outcomes_analysis.index.tree import Tree

SLAB = 250_000  # cells of figures drawn at once: 2 MB, what a processor's cache holds
UNKNOWN = 1e8  # error variance of a figure that is missing, in units of the spread between units
ROUNDS, ENOUGH = 40, 1e-3  # of EM
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

    Notes
    -----
    Errors of different indicators are independent, those of near-duplicates (figures on the same children) move
    together, as in :func:`~outcomes_analysis.index.aggregation.mean_error`.
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
                f"{len(unknown)} indicators have figures without a standard error (or a negative one): "
                f"{several(unknown)}. Give 0 where a figure is known exactly."
            )
            raise SpecError(message)
        error = np.where(np.isfinite(x), error, 0.0)
        same = _same_children(model.tree)
        flips = model.signs * model.signs[same]  # errors of near-duplicates move scores the same way
        if self.shrink == "no":
            return PreparedDraws(x, error * flips, same, None, None)
        if x.shape[0] * x.shape[1] ** 2 > 50_000_000:
            message = (
                f"Drawing {x.shape[0]:,} units by {x.shape[1]} indicators jointly takes a matrix a unit: too much "
                "memory. Use FigureDraws(shrink='no'), or shrink the figures first and pass the posterior errors."
            )
            raise SpecError(message)
        signs = model.signs
        together = (same[:, None] == same) * np.outer(signs, signs)
        mean, root = joint_posterior(x, error, together)
        return PreparedDraws(x, error * flips, same, mean, root)


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
        Figures (NaN = missing) and standard errors.
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
    True values are multivariate normal between units. Their mean ``m`` and covariance ``B`` are maximum likelihood
    estimates by EM (Dempster, Laird and Rubin 1977), so that figures count by how sure they are; it starts from the
    covariance of the figures less the mean error covariance and ends when nothing moves by a thousandth of the
    figures' variance, or after 40 rounds. Given them, a unit's posterior has mean ``m + B (B + V)^-1 (x - m)`` and
    variance ``B - B (B + V)^-1 B`` (Efron and Morris 1972, Biometrika 59). Drawing indicators one by one instead
    would lose the association between them, and with it the spread of their mean. That ``m`` and ``B`` are estimates is
    not carried on: where less than a fifth of the indicators' spread is real, chances come out bolder than they should
    (by up to .06 in ``tests/index``); bounds of ranks hold all the same, for they rest on each unit's own figure.
    """
    there = np.isfinite(x)
    middle = np.nanmean(x, axis=0)
    size = np.nanstd(x, axis=0)
    size = np.where(size > 0, size, 1.0)
    z, e = np.where(there, (x - middle) / size, 0.0), np.where(there, error / size, 0.0)
    pairs = np.maximum(there.T.astype(float) @ there, 2)
    covariance = (z.T @ z) / (pairs - 1) - (e.T @ e) * together / pairs
    values, vectors = np.linalg.eigh(covariance)
    between = (vectors * np.maximum(values, LEAST_SHARE)) @ vectors.T
    noise = e[:, :, None] * together * e[:, None, :]
    own = np.arange(x.shape[1])
    noise[:, own, own] = np.where(there, np.maximum(noise[:, own, own], LEAST_SHARE), UNKNOWN)
    centre = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        mean, variance = _given(z, centre, between, noise)
        centre = mean.mean(axis=0)
        away = mean - centre
        found = (away.T @ away + variance.sum(axis=0)) / len(x)
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


class PreparedDraws:
    """What draws of the figures are made from; see :class:`FigureDraws`."""

    def __init__(
        self, x: np.ndarray, error: np.ndarray, same: np.ndarray, mean: np.ndarray | None, root: np.ndarray | None
    ) -> None:
        self.error, self.same, self.mean, self.root = error[:, :, None], same, mean, root
        self.there = np.isfinite(x)[:, :, None]
        self.filled = np.where(np.isfinite(x), x, 0.0)[:, :, None]

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
        units, leaves = self.filled.shape[:2]
        own = np.empty((len(model.tree.branches), len(which), units))
        field = None if self.mean is None else np.empty_like(own)
        step = max(SLAB // (units * leaves), 1)
        # replicates that share treatment, normalisation and means are drawn side by side: no copies, few calls
        patterns = np.unique(choices.means[rows], axis=0, return_inverse=True)[1].ravel()
        for key, pattern in sorted(set(zip(which.tolist(), patterns.tolist(), strict=True))):
            alike = np.flatnonzero((which == key) & (patterns == pattern))
            for start in range(0, len(alike), step):
                at = alike[start : start + step]
                drawn, of_field = self._draw(rng, len(at))
                weights, means = choices.weights[rows][at], choices.means[rows][at]
                own[:, at], found = _scored(model, options, key, drawn, of_field, self.there, weights, means)
                if field is not None and found is not None:
                    field[:, at] = found
        hide(own, model)
        if field is None:
            return own, ranks_of(own), None
        hide(field, model)
        return own, _own_ranks(own, field), ranks_of(field)

    def _draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Own figures and field, each units by indicators by draws.

        Both use the same noise: a unit's own draw is only ever compared with other units' field, and noise of
        different units is independent.
        """
        noise = rng.standard_normal((len(self.filled), self.filled.shape[1], count))
        field = None
        if self.mean is not None and self.root is not None:
            field = self.root @ noise
            field += self.mean[:, :, None]
        if not np.array_equal(self.same, np.arange(len(self.same))):
            noise = noise[:, self.same]
        noise *= self.error
        noise += self.filled
        return noise, field


def _own_ranks(own: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Ranks of own draws among the field; 0 where there is no score."""
    ranks = np.zeros(own.shape, dtype=np.uint16 if own.shape[2] < 2**16 else np.uint32)
    for b in range(len(own)):
        there = np.isfinite(own[b])
        if there.all():
            ranks[b] = rank_among(own[b], field[b])
            continue
        low = np.where(there, own[b], -np.inf), np.where(there, field[b], -np.inf)
        ranks[b] = np.where(there, rank_among(*low), 0)
    return ranks


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
    drawn = [own] if field is None else [own, field]  # the field last: own figures are treated by its range first
    drawn = [treatment.of(d, field=drawn[-1], there=there) for d in drawn]
    if scaling is None:
        ready = [_one_by_one(model, d, method) for d in drawn]
    else:
        if (model.signs < 0).any():
            for d in drawn:
                d *= model.signs[:, None]
        centre, spread = scaling.within(drawn[-1], there)
        for d in drawn:
            d -= centre
            d *= scaling.stretch / spread
            d += scaling.shift
        if scaling.kind == "minmax":  # a unit drawn beyond the field would itself be the field's end
            np.clip(drawn[0], scaling.shift, scaling.shift + scaling.stretch, out=drawn[0])
        ready = drawn
    found = [_means_of(model.tree, d, there, weights.T, means.T) for d in ready]
    return found[0], (None if field is None else found[1])


def _one_by_one(model: IndexModel, drawn: np.ndarray, method: object) -> np.ndarray:
    """Normalise each draw by a method without an array form: right, and slow."""
    gaps = ~np.isfinite(model.x)
    result = np.empty_like(drawn)
    for r in range(drawn.shape[2]):
        result[:, :, r] = np.nan_to_num(normalised(model, np.where(gaps, np.nan, drawn[:, :, r]), method, None))
    return result


def _means_of(tree: Tree, scores: np.ndarray, there: np.ndarray, weights: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Node scores where every replicate has scores of its own, branches by replicates by units.

    Parameters
    ----------
    scores : ndarray, shape (units, indicators, draws)
    there : ndarray of bool, shape (units, indicators, 1)
    weights : ndarray, shape (elements, draws)
    means : ndarray of int, shape (branches, draws)
        The same in every draw of a slab.
    """
    leaves, (units, _, draws) = len(tree.leaves), scores.shape
    result = np.empty((len(tree.branches), units, draws))
    full = bool(there.all())
    for b, branch in enumerate(tree.branches):
        own = [p for p in branch.parts if p < leaves]
        nodes = [p for p in branch.parts if p >= leaves]
        chosen: slice | list[int] = _run_of(own)
        mean = int(means[b, 0])
        total, weight = np.zeros((units, draws)), np.zeros((units, draws))
        if own:
            part, known, w = scores[:, chosen], there[:, chosen], weights[chosen]
            if mean:
                part = part if full else np.where(known, part, 1.0)
                if not part.min() > 0:
                    _refuse_negative([tree.leaves[j] for j in own], part, MEANS[mean])
                part = onto(mean, part)
            if not full:
                part = part * known
            total += np.einsum("upr,pr->ur", part, w)
            weight += w.sum(axis=0) if full else known[:, :, 0].astype(float) @ w
        for node in nodes:
            plane = onto(mean, result[node - leaves])
            known = np.isfinite(plane)
            total += weights[node] * np.where(known, plane, 0.0)
            weight += weights[node] * known
        result[b] = back(mean, divide(total, weight))
    return result.transpose(0, 2, 1)


def _run_of(places: list[int]) -> slice | list[int]:
    """Places side by side as a slice, which needs no copy."""
    side_by_side = bool(places) and places == list(range(places[0], places[-1] + 1))
    return slice(places[0], places[-1] + 1) if side_by_side else places


def _refuse_negative(names: list[str], scores: np.ndarray, mean: str) -> None:
    wrong = [name for name, low in zip(names, scores.min(axis=(0, 2)), strict=True) if not low > 0]
    message = (
        f"The {mean} mean needs values above 0, but draws of {len(wrong)} indicators gave others: {several(wrong)}. "
        "Normalise to a range further above 0 (z-scores with mean 100 and sd 10, say), or use the arithmetic mean."
    )
    raise SpecError(message)


__all__ = ["FigureDraws", "PreparedDraws", "joint_posterior"]
