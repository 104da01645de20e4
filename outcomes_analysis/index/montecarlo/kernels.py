"""Array kernels of the Monte Carlo: scores of every node under many weightings at once, and their ranks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.tree import Tree

Mean = Literal["arithmetic", "geometric", "harmonic"]
MEANS: tuple[Mean, ...] = ("arithmetic", "geometric", "harmonic")
ARITHMETIC, GEOMETRIC, HARMONIC = range(3)


@dataclass(eq=False)
class LeafScores:
    """Normalised indicators of one combination of treatment and normalisation, with what the means need of them.

    Attributes
    ----------
    values : ndarray, shape (indicators, units)
        Higher = better; 0 where missing.
    present : ndarray of float or None
        1 where there is a value; None when nothing is missing.
    label : str
        Named in messages.
    names : tuple of str
        The indicators.
    """

    values: np.ndarray
    present: np.ndarray | None
    label: str
    names: tuple[str, ...]
    _made: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, values: np.ndarray, *, label: str, names: tuple[str, ...]) -> LeafScores:
        """Prepare an array of units by indicators, NaN where missing."""
        there = np.isfinite(values.T)
        filled = np.ascontiguousarray(np.where(there, values.T, 0.0))
        return cls(filled, None if there.all() else there.astype(float), label, names)

    def under(self, mean: int) -> np.ndarray:
        """The scores on the scale on which a mean is a weighted sum: as they are, their logs, or one over them."""
        if mean == ARITHMETIC:
            return self.values
        if mean not in self._made:
            there = True if self.present is None else self.present > 0
            wrong = np.flatnonzero(((self.values <= 0) & there).any(axis=1))
            if len(wrong):
                message = (
                    f"The {MEANS[mean]} mean needs values above 0, but after {self.label} {len(wrong)} indicators have "
                    f"others: {several(self.names[i] for i in wrong)}. Normalise to a range above 0 (min-max 1 to 100, "
                    "or z-scores with mean 100 and sd 10), or use the arithmetic mean."
                )
                raise SpecError(message)
            safe = np.where(there, self.values, 1.0)
            self._made[mean] = np.log(safe) if mean == GEOMETRIC else np.where(there, 1 / safe, 0.0)
        return self._made[mean]


class Combinations(Protocol):
    """Normalised indicators by number of the combination, made at once or when asked for."""

    def __getitem__(self, position: int, /) -> LeafScores:
        """One combination."""
        ...


def onto(mean: int, scores: np.ndarray) -> np.ndarray:
    """Put scores on the scale of a mean (see :meth:`LeafScores.under`)."""
    if mean == ARITHMETIC:
        return scores
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(scores) if mean == GEOMETRIC else 1 / scores


def back(mean: int, sums: np.ndarray) -> np.ndarray:
    """Undo :func:`onto`."""
    if mean == ARITHMETIC:
        return sums
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.exp(sums) if mean == GEOMETRIC else 1 / sums


def alive(tree: Tree, weights: np.ndarray) -> np.ndarray:
    """Weights by replicate, 0 for every node that has nothing left below it.

    Parameters
    ----------
    weights : ndarray, shape (replicates, elements)
    """
    result, leaves = weights.copy(), len(tree.leaves)
    for i, branch in enumerate(tree.branches):
        result[:, leaves + i] *= (result[:, list(branch.parts)] > 0).any(axis=1)
    return result


def node_scores(
    tree: Tree, data: Combinations, which: np.ndarray, weights: np.ndarray, means: np.ndarray
) -> np.ndarray:
    """Scores of every node in every replicate.

    A node is the weighted mean of the parts that are present; weights are rescaled over these. Where nothing is
    present the score is NaN and the node above goes without it.

    Parameters
    ----------
    tree : Tree
        The hierarchy.
    data : list or Alternatives
        Normalised indicators, one :class:`LeafScores` a combination of figures, treatment and normalisation.
    which : ndarray of int, shape (replicates,)
        Combination used in each replicate.
    weights : ndarray, shape (replicates, elements)
        Weight of every element within its parent.
    means : ndarray of int, shape (replicates, branches)
        Position in :data:`MEANS` of the mean used.

    Returns
    -------
    ndarray, shape (branches, replicates, units)
    """
    leaves, units = len(tree.leaves), data[int(which[0])].values.shape[1]
    result = np.empty((len(tree.branches), len(which), units))
    weights = alive(tree, weights)
    for b, branch in enumerate(tree.branches):
        parts = np.array(branch.parts)
        own, nodes = parts[parts < leaves], parts[parts >= leaves]
        keys = which * len(MEANS) + means[:, b] if len(own) else means[:, b]
        for key in np.unique(keys):
            rows = np.flatnonzero(keys == key)
            chosen: slice | np.ndarray = slice(None) if len(rows) == len(which) else rows
            mean = int(key) % len(MEANS)
            total, weight = _leaf_part(data[int(key) // len(MEANS)], weights[chosen], own, mean)
            for node in nodes:
                total, weight = _add_node(result[node - leaves, chosen], weights[chosen, node], mean, total, weight)
            result[b, chosen] = back(mean, divide(total, weight))
    return result


def _leaf_part(data: LeafScores, weights: np.ndarray, own: np.ndarray, mean: int) -> tuple[np.ndarray, np.ndarray]:
    """Weighted sums over indicators: one matrix product."""
    if not len(own):
        return np.zeros((len(weights), data.values.shape[1])), np.zeros((len(weights), 1))
    used = weights[:, own]
    total = used @ data.under(mean)[own]
    weight = used.sum(axis=1, keepdims=True) if data.present is None else used @ data.present[own]
    return total, weight


def _add_node(
    scores: np.ndarray, weight: np.ndarray, mean: int, total: np.ndarray, so_far: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    w = weight[:, None]
    moved = onto(mean, scores)
    absent = np.isnan(moved)
    if absent.any():
        return total + w * np.where(absent, 0.0, moved), so_far + w * ~absent
    return total + w * moved, so_far + w


def divide(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Totals over weights, NaN where there is no weight."""
    if (weight > 1e-12).all():
        return total / weight
    return np.divide(
        total, weight, out=np.full(total.shape, np.nan), where=np.broadcast_to(weight > 1e-12, total.shape)
    )


def rank_type(units: int) -> type[np.unsignedinteger]:
    """The smallest kind of number that holds every rank."""
    return np.uint16 if units < 2**16 else np.uint32


def ranks_of(scores: np.ndarray) -> np.ndarray:
    """Ranks along the last axis: 1 = highest, ties share the better rank, 0 where the score is NaN.

    Parameters
    ----------
    scores : ndarray, shape (..., units)

    Returns
    -------
    ndarray of uint16 (uint32 beyond 65,535 units)
    """
    units = scores.shape[-1]
    kind = rank_type(units)
    flat = -scores.reshape(-1, units)  # NaN sorts last
    order = np.argsort(flat, axis=1)
    places = np.arange(1, units + 1, dtype=kind)
    ranks = np.empty(flat.shape, dtype=kind)
    np.put_along_axis(ranks, order, places[None, :], axis=1)
    ordered = np.sort(flat, axis=1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    for row in np.flatnonzero(tied):
        first = np.concatenate([[True], ordered[row, 1:] != ordered[row, :-1]])
        ranks[row, order[row]] = np.maximum.accumulate(np.where(first, places, 0))
    if np.isnan(ordered[:, -1]).any():
        ranks[np.isnan(flat)] = 0
    return ranks.reshape(scores.shape)


def rank_among(own: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Rank of each unit's own draw among the other units of the field, replicate by replicate.

    Parameters
    ----------
    own, field : ndarray, shape (replicates, units)
        All finite.
    """
    size, n = own.shape
    both = np.argsort(np.concatenate([field, own], axis=1), axis=1)
    is_field = both < n
    above = n - np.cumsum(is_field, axis=1)  # field values higher than this position
    counts = np.empty((size, n), dtype=np.int64)
    rows, positions = np.nonzero(~is_field)
    counts[rows, both[rows, positions] - n] = above[rows, positions]
    return 1 + counts - (field > own)


def ranks_both(own: np.ndarray, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of the field among itself, and of each unit's own draw among the other units of the field, in one sort.

    Parameters
    ----------
    own, field : ndarray, shape (replicates, units)
        All finite. Values that agree to 40 binary digits or so count as a tie, which the order of units settles.

    Returns
    -------
    (ndarray, ndarray) of int
        Ranks of the field, and of :func:`rank_among`; 1 = highest.
    """
    size, n = field.shape
    # The position rides in a number's last binary digits, so that plain sorting (which processors do side by side)
    # gives the order; flipping the digits of negative numbers makes integers sort as the numbers do.
    keys = np.concatenate([field, own], axis=1).view(np.int64)
    keys ^= (keys >> 63) & np.int64(np.iinfo(np.int64).max)
    places = np.int64(2 ** int(np.ceil(np.log2(2 * n))))
    keys &= ~(places - 1)
    keys |= np.arange(2 * n)
    keys.sort(axis=1)
    keys &= places - 1
    below = np.cumsum(keys < n, axis=1, dtype=np.int32)  # of the field, itself included
    found = np.empty(size * 2 * n, dtype=np.int32)
    found[(keys + np.arange(0, size * 2 * n, 2 * n)[:, None]).ravel()] = below.ravel()
    found = found.reshape(size, 2 * n)
    return n + 1 - found[:, :n], n + 1 - found[:, n:] - (field > own)
