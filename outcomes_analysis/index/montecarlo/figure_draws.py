"""Indices of figures that are drawn anew in every replicate, before they are treated and normalised."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.montecarlo.alternatives import Alternatives, normalised
from outcomes_analysis.index.montecarlo.choosing import Choices
from outcomes_analysis.index.montecarlo.figure_posterior import FigurePosterior
from outcomes_analysis.index.montecarlo.gap_draws import GapDraws
from outcomes_analysis.index.montecarlo.kernels import (
    MEANS,
    back,
    divide,
    onto,
    rank_among,
    rank_type,
    ranks_both,
    ranks_of,
)
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.steps.tree import Tree

SLAB = 250_000  # cells of figures drawn at once: 2 MB, what a processor's cache holds


def drawn_block(
    model: IndexModel,
    options: Alternatives,
    choices: Choices,
    rows: slice,
    *,
    posterior: FigurePosterior,
    rng: np.random.Generator,
    hide: Callable[[np.ndarray, IndexModel], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Scores, ranks and (if the field is shrunken) ranks of the field, each branches by replicates by units."""
    which, gaps = options.method(choices, rows), choices.gaps[rows]
    units, leaves = posterior.filled.shape[:2]
    own = np.empty((len(model.tree.branches), len(which), units))
    field = None if posterior.mean is None else np.empty_like(own)
    step = max(SLAB // (units * leaves), 1)
    # replicates that share treatment, normalisation and means are drawn side by side: no copies, few calls
    patterns = np.unique(choices.means[rows], axis=0, return_inverse=True)[1].ravel()
    for key, pattern, filled in sorted(set(zip(which.tolist(), patterns.tolist(), (gaps > 0).tolist(), strict=True))):
        alike = np.flatnonzero((which == key) & (patterns == pattern) & ((gaps > 0) == filled))
        for start in range(0, len(alike), step):
            at = alike[start : start + step]
            drawn, of_field = posterior.draw(rng, len(at))
            there = posterior.there
            if filled:
                there = _fill(drawn, of_field, there, options.gaps, gaps[at])
            weights, means = choices.weights[rows][at], choices.means[rows][at]
            own[:, at], found = _scored(model, options, key, drawn, of_field, there, weights, means)
            if field is not None and found is not None:
                field[:, at] = found
    hide(own, model)
    if field is None:
        return own, ranks_of(own), None
    hide(field, model)
    if np.isfinite(own).all() and np.isfinite(field).all():
        of_field, of_own = (
            np.array(found, dtype=rank_type(units))
            for found in zip(*(ranks_both(o, f) for o, f in zip(own, field, strict=True)), strict=True)
        )
        return own, of_own, of_field
    return own, _own_ranks(own, field), ranks_of(field)


def _fill(
    own: np.ndarray, field: np.ndarray | None, there: np.ndarray, gaps: GapDraws | None, tables: np.ndarray
) -> np.ndarray:
    """Put what was drawn for missing figures into draws of the others; what is there now."""
    if gaps is None:  # pragma: no cover - choices name a table only where there are some
        return there
    values = gaps.values[tables - 1].T
    for drawn in (own, field):
        if drawn is not None:
            drawn[gaps.rows, gaps.columns] = values
    now = there.copy()
    now[gaps.rows, gaps.columns] = True
    return now


def _own_ranks(own: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Ranks of own draws among the field; 0 where there is no score."""
    ranks = np.zeros(own.shape, dtype=rank_type(own.shape[2]))
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
        ready = [_one_by_one(model, d, there, method) for d in drawn]
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


def _one_by_one(model: IndexModel, drawn: np.ndarray, there: np.ndarray, method: object) -> np.ndarray:
    """Normalise each draw by a method without an array form: right, and slow."""
    result = np.empty_like(drawn)
    for r in range(drawn.shape[2]):
        known = np.where(there[:, :, 0], drawn[:, :, r], np.nan)
        result[:, :, r] = np.nan_to_num(normalised(model, known, method, None))
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


__all__ = ["drawn_block"]
