"""Up the tree with what goes with a score: how much is present, what weighs how much, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.steps import means
from outcomes_analysis.index.steps.aggregation import mean_error
from outcomes_analysis.index.steps.means import Rescale, present_weights
from outcomes_analysis.index.steps.scalings import mean_and_sd
from outcomes_analysis.index.steps.stepping import Method
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.observations.scales import Floats
from outcomes_analysis.project import SEED

DRAWS = 400  # of the figures, for scores whose error has no formula: a standard error is then known to 4 %
Line = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Climb:
    """Everything known of the nodes of a tree, in the order of its branches.

    Attributes
    ----------
    values, errors, present : ndarray, shape (branches, units)
        Score, its standard error and the share of the nominal weight that is present.
    effective : ndarray, shape (branches, units, leaves)
        Weight of each indicator in each score, products down the tree over what is present; adds up to 1.
    lines : dict of int to (float, float)
        By branch, mean and standard deviation it was rescaled by.
    """

    values: Floats
    errors: Floats
    present: Floats
    effective: Floats
    lines: dict[int, Line]


def climb(
    tree: Tree,
    x: Floats,
    errors: Floats,
    *,
    present: np.ndarray,
    groups: Sequence[str],
    shares: Floats,
    methods: Mapping[str, Method],
    base: np.ndarray,
    rescale: Rescale | None = None,
    lines: Mapping[str, Line] | None = None,
    seed: int = SEED,
) -> Climb:
    """Score every node, part by part from the bottom up.

    Parameters
    ----------
    tree : Tree
        The hierarchy.
    x, errors : ndarray, shape (units, leaves)
        Normalised scores (NaN = missing) and their standard errors (NaN = none).
    present : ndarray of bool, same shape
        What counts as present: figures that were filled in do not.
    groups : sequence of str
        By leaf: errors of one group (near-duplicates) move together, others are unrelated.
    shares : ndarray, shape (elements,)
        Weight of each element within its parent, adding up to 1.
    methods : mapping of str to Method
        Mean of each node that is shown; near-duplicates become one by the same mean where it has weights of its own.
    base : ndarray of bool, shape (units,)
        Units that a relative method compares, and that ``rescale`` is over.
    rescale : Rescale, optional
        Bring each node that is shown to one mean and standard deviation.
    lines : mapping of str to (float, float), optional
        By node, the mean and standard deviation to rescale by, of a base year; those of ``base`` if not given.
    seed : int
        For errors that need draws.

    Returns
    -------
    Climb

    Raises
    ------
    SpecError
        Scores a mean cannot take, or a node without spread to rescale by.

    Notes
    -----
    Errors go up by the slopes of the means (delta method), whole branches of which one has none by draws of the
    figures. A rescaled node is rescaled by fixed numbers: that these too are estimates is not carried on.
    """
    combiners = [_combiner(tree, i, methods) for i in range(len(tree.branches))]
    values, found = _values(tree, x, shares, combiners, base, rescale=rescale, given=dict(lines or {}))
    n, leaves = x.shape
    there = [column.astype(float) for column in present.T]
    weighed = [np.zeros((n, leaves)) for _ in range(leaves)]
    for j, table in enumerate(weighed):
        table[:, j] = np.isfinite(x[:, j])
    moved: list[Floats | None] = [table.copy() for table in weighed]
    columns = [*x.T]
    errors_up = np.full((len(tree.branches), n), np.nan)
    for b, branch in enumerate(tree.branches):
        parts = list(branch.parts)
        block, w = np.array([columns[p] for p in parts]).T, shares[parts]
        used = present_weights(block, w)
        there.append(w @ np.array([there[p] for p in parts]))
        weighed.append(_mixed(used, [weighed[p] for p in parts]))
        slopes, below = combiners[b].slopes(block, w), [moved[p] for p in parts]
        stretch = rescale.sd / found[b][1] if rescale is not None and b in found else 1.0
        known = [part for part in below if part is not None]
        moved.append(None if slopes is None or len(known) < len(below) else stretch * _mixed(slopes, known))
        columns.append(values[b])
        sensitivity = moved[-1]
        if sensitivity is not None:
            errors_up[b] = mean_error(np.nan_to_num(errors), sensitivity, groups)
    lacking = [b for b in range(len(tree.branches)) if moved[leaves + b] is None]
    if lacking:
        drawn = _errors_by_draws(tree, x, errors, groups, shares, combiners, base, rescale, found, seed)
        errors_up[lacking] = drawn[lacking]
    errors_up[~np.isfinite(values)] = np.nan
    return Climb(values, errors_up, np.array(there[leaves:]), np.array(weighed[leaves:]), found)


def _mixed(weights: Floats, parts: Sequence[Floats]) -> Floats:
    """Tables of units by leaves, added up by weights of units by parts."""
    total = np.zeros_like(parts[0])
    for j, part in enumerate(parts):
        total += weights[:, j : j + 1] * part
    return total


def _combiner(tree: Tree, b: int, methods: Mapping[str, Method]) -> means.Aggregator:
    """How a node combines its parts; near-duplicates by the mean of the node they count in, if it has one."""
    branch = tree.branches[b]
    found = methods[branch.id] if branch.shown else methods[tree.elements[tree.parents[len(tree.leaves) + b]]]
    if not branch.shown and not isinstance(found, means.PowerMean):
        return means.ArithmeticMean()
    if not isinstance(found, means.Aggregator):  # pragma: no cover - the menu holds nothing else
        raise TypeError(found)
    return found


def _values(
    tree: Tree,
    x: Floats,
    shares: Floats,
    combiners: Sequence[means.Aggregator],
    base: np.ndarray,
    *,
    rescale: Rescale | None,
    given: Mapping[str, Line],
) -> tuple[Floats, dict[int, Line]]:
    """Scores of every branch, and what each was rescaled by."""
    columns, lines = [*x.T], {}
    for b, branch in enumerate(tree.branches):
        block = np.array([columns[p] for p in branch.parts]).T
        names = [tree.elements[p] for p in branch.parts]
        w = shares[list(branch.parts)]
        if combiners[b].relative:
            score = np.full(len(x), np.nan)
            score[base] = combiners[b].combine(block[base], w, node=branch.id, parts=names)
        else:
            score = combiners[b].combine(block, w, node=branch.id, parts=names)
        if rescale is not None and branch.shown:
            lines[b] = given.get(branch.id) or _line(score[base], branch.id)
            score = rescale.mean + rescale.sd * (score - lines[b][0]) / lines[b][1]
        columns.append(score)
    return np.array(columns[x.shape[1] :]), lines


def _line(score: Floats, node: str) -> Line:
    mean, sd = mean_and_sd(score[:, None])
    if not sd[0] > 0:
        message = f"`aggregate`: node '{node}' has no spread in the base rows to rescale by"
        raise SpecError(message)
    return float(mean[0]), float(sd[0])


def _errors_by_draws(
    tree: Tree,
    x: Floats,
    errors: Floats,
    groups: Sequence[str],
    shares: Floats,
    combiners: Sequence[means.Aggregator],
    base: np.ndarray,
    rescale: Rescale | None,
    lines: Mapping[int, Line],
    seed: int,
) -> Floats:
    """Standard deviation of the scores over draws of the figures."""
    rng = np.random.default_rng(seed)
    together = {name: k for k, name in enumerate(dict.fromkeys(groups))}
    same = np.array([together[name] for name in groups])
    given = {tree.branches[b].id: line for b, line in lines.items()}
    total, squares = np.zeros((2, len(tree.branches), len(x)))
    spread = np.nan_to_num(errors)
    centre = _values(tree, x, shares, combiners, base, rescale=rescale, given=given)[0]
    for _ in range(DRAWS):
        noise = rng.standard_normal((len(x), len(together)))[:, same]
        drawn = _values(tree, x + spread * noise, shares, combiners, base, rescale=rescale, given=given)[0]
        away = drawn - centre
        total += away
        squares += away**2
    return np.asarray(np.sqrt(np.maximum(squares / DRAWS - (total / DRAWS) ** 2, 0.0)))


__all__ = ["Climb", "climb"]
