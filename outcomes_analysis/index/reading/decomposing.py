"""Scores and differences of scores split into indicators, adding up exactly, for both means.

With ``b`` a score on the mean's own footing (itself for the arithmetic mean, ``ln(100 + 10 z)`` for the geometric
one) a node's score is a function of ``L = sum(w b)``. The arithmetic mean is L. For the geometric mean ``G = exp(L)``
and a difference of two scores is ``K (L1 - L0)`` with ``K`` a tenth of the logarithmic mean of G0 and G1: so every
split of L is an exact split of the score (the logarithmic mean Divisia index of Ang 2004, Energy Policy 32).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.building import OVERALL, IndexResult
from outcomes_analysis.index.steps.aggregation import Aggregation
from outcomes_analysis.observations.scales import Floats

LOWEST = 1e-6  # as in weighted_mean: the geometric footing of a score ten standard deviations below England


@dataclass(frozen=True)
class Cells:
    """Everything that makes up one node's scores.

    Attributes
    ----------
    indicators : tuple of str
        Columns.
    groups : tuple of str
        Doublet, or own name, of each column.
    scores, errors, weights : ndarray, shape (areas, indicators)
        Standardised scores as they count (higher = better, capped), their standard errors, effective weights (0 where
        not present).
    nominal : ndarray, shape (indicators,)
        Weights were all present.
    estimate : ndarray, shape (areas,)
        The node's score.
    method : {"arithmetic", "geometric"}
        The mean taken.
    """

    indicators: tuple[str, ...]
    groups: tuple[str, ...]
    scores: Floats
    errors: Floats
    weights: Floats
    nominal: Floats
    estimate: Floats
    method: Aggregation

    def on(self, indicators: Sequence[str]) -> Cells:
        """The same cells with columns in another order; an indicator not among them has weight 0."""
        at = [self.indicators.index(i) if i in self.indicators else -1 for i in indicators]
        there = np.asarray(at) >= 0

        def columns(x: Floats, fill: float) -> Floats:
            return np.where(there, x[..., at], fill)

        named = dict(zip(self.indicators, self.groups, strict=True))
        return replace(
            self,
            indicators=tuple(indicators),
            groups=tuple(named.get(i, i) for i in indicators),
            scores=columns(self.scores, np.nan),
            errors=columns(self.errors, np.nan),
            weights=columns(self.weights, 0.0),
            nominal=columns(self.nominal, 0.0),
        )


def pieces(index: IndexResult, name: str) -> tuple[tuple[float, str], ...]:
    """A node as a plain mean of nodes that are one mean each: the overall is that of its domains.

    Raises
    ------
    SpecError
        If the index has no such node.
    """
    if name not in index.nodes:
        message = f"The index has no node '{name}'. It has: {several(index.nodes, limit=12)}."
        raise SpecError(message)
    if name != OVERALL:
        return ((1.0, name),)
    parts = [k for k, v in index.nodes.items() if v.kind == "domain" and not v.experimental]
    return tuple((1.0 / len(parts), part) for part in parts)


def cells(index: IndexResult, name: str, *, areas: pd.Index) -> Cells:
    """Cells of a node (not the overall) for some areas, in their order.

    Parameters
    ----------
    index : IndexResult
    name : str
        Node id.
    areas : Index
        Area codes, all in the index.

    Returns
    -------
    Cells

    Raises
    ------
    SpecError
        If the node is combined in a way that does not split exactly.
    """
    node = index.nodes[name]
    if node.mean == "":
        message = (
            f"The score of '{name}' does not split exactly into its indicators: that takes one arithmetic mean, or one "
            "GeometricMean(offset=100, factor=10), throughout, on the base period's scale and without rescaling."
        )
        raise SpecError(message)
    rows = index.matrix.values.index.get_indexer(areas)
    indicators = tuple(node.weights.index)
    if node.kind == "indicator":  # as published: capping is for what is made of it
        scores, errors = node.estimate[rows][:, None], node.error[rows][:, None]
    else:
        scores, errors = (
            part.loc[areas, list(indicators)].to_numpy(float) for part in (index.counted, index.counted_error)
        )
    weights = np.asarray(node.effective, dtype=float)[rows]
    return Cells(
        indicators=indicators,
        groups=tuple(node.weights["group"]),
        scores=scores,
        errors=np.nan_to_num(errors),
        weights=weights,
        nominal=node.weights["weight"].to_numpy(float),
        estimate=np.asarray(node.estimate, dtype=float)[rows],
        method=node.mean,
    )


def footing(scores: Floats, method: Aggregation) -> Floats:
    """Scores on the footing on which the mean is a plain weighted sum."""
    return scores if method == "arithmetic" else np.log(np.maximum(100 + 10 * scores, LOWEST))


def steepness(scores: Floats, method: Aggregation) -> Floats:
    """How fast the footing moves with the score."""
    return np.ones_like(scores) if method == "arithmetic" else 10 / np.maximum(100 + 10 * scores, LOWEST)


def exchange(first: Floats, second: Floats, method: Aggregation) -> Floats:
    """K: points of score for one point of the footing, between two scores of a node."""
    if method == "arithmetic":
        return np.ones_like(first)
    a, b = np.maximum(100 + 10 * first, LOWEST), np.maximum(100 + 10 * second, LOWEST)
    ratio = (b - a) / a
    return a * np.divide(ratio, np.log1p(ratio), out=np.ones_like(ratio), where=ratio != 0) / 10


def contributions(part: Cells) -> Floats:
    """What each indicator adds to the score, against a place at England's base in everything.

    Parameters
    ----------
    part : Cells

    Returns
    -------
    ndarray, shape (areas, indicators)
        Rows add up to the score: ``K w (b(z) - b(0))``; 0 where an indicator is not present.
    """
    there = part.weights > 0
    b = footing(np.where(there, part.scores, 0.0), part.method)
    k = exchange(np.zeros_like(part.estimate), part.estimate, part.method)
    return k[:, None] * part.weights * (b - footing(np.zeros(1), part.method))


def difference(first: Cells, second: Cells) -> tuple[Floats, Floats]:
    """Split ``second - first`` into what moved and what counts.

    Parameters
    ----------
    first, second : Cells
        Same areas, indicators and mean.

    Returns
    -------
    moved, counted : ndarray, shape (areas, indicators)
        ``K w̄ (b1 - b0)``, the indicators' own movement at mean weight, and ``K (w1 - w0) (b̄ - c)``, the change of
        weights (an indicator come or gone, others standing in) set against c, the mean of both scores on their
        footing. Together they add up to the difference of the scores; NaN where one of these is missing.
    """
    there0, there1 = first.weights > 0, second.weights > 0
    b0 = footing(np.where(there0, first.scores, second.scores), first.method)
    b1 = footing(np.where(there1, second.scores, first.scores), first.method)
    b0, b1 = (np.where(there0 | there1, b, 0.0) for b in (b0, b1))
    centre = ((first.weights * b0).sum(axis=1) + (second.weights * b1).sum(axis=1)) / 2
    k = exchange(first.estimate, second.estimate, first.method)[:, None]
    moved = k * (first.weights + second.weights) / 2 * (b1 - b0)
    counted = k * (second.weights - first.weights) * ((b0 + b1) / 2 - centre[:, None])
    lost = ~np.isfinite(first.estimate - second.estimate)
    moved[lost], counted[lost] = np.nan, np.nan
    return moved, counted
