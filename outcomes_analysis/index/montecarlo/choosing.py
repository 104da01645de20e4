"""What each replicate does: factors checked against each other, and uniform numbers turned into choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    BasePeriodFactor,
    Factor,
    FiguresFactor,
    ImputationFactor,
    OmissionFactor,
    PeopleFactor,
    WeightFactor,
    alternatives,
    inputs,
    parts_of,
    varied,
)
from outcomes_analysis.index.montecarlo.kernels import MEANS
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.index.steps.weighting import Parts


@dataclass(frozen=True, eq=False)
class Choices:
    """What each of a number of replicates does.

    Attributes
    ----------
    treatment, normalisation, base : ndarray of int, shape (replicates,)
        Positions among the alternatives.
    figures, gaps : ndarray of int, shape (replicates,)
        0: figures as published, gaps left; k: the k-th table drawn.
    weights : ndarray, shape (replicates, elements)
        Weights within each parent, 0 where left out.
    means : ndarray of int, shape (replicates, branches)
        Positions in :data:`~outcomes_analysis.index.montecarlo.kernels.MEANS`.
    labels : dict of str to ndarray of str
        By factor, what was done in words.
    """

    treatment: np.ndarray
    normalisation: np.ndarray
    base: np.ndarray
    figures: np.ndarray
    gaps: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    labels: dict[str, np.ndarray]

    @property
    def table(self) -> pd.DataFrame:
        """What was done in words, a row a replicate and a column a factor."""
        index = pd.RangeIndex(len(self.treatment), name="replicate")
        return pd.DataFrame(self.labels, index=index).astype("str")


def check_factors(factors: Sequence[Factor], tree: Tree, *, references: Sequence[str]) -> None:
    """Refuse factors that cannot vary anything, or that step on each other, naming all of them at once."""
    problems = Problems("factors of the uncertainty analysis")
    names = [f.name for f in factors]
    for name in sorted({n for n in names if names.count(n) > 1}):
        problems.add(f"{names.count(name)} factors are called '{name}'; give each its own `name`")
    for kind in ("treatment", "normalisation", "omission", "base_period", "imputation", "figures"):
        if sum(f.factor == kind for f in factors) > 1:
            problems.add(f"there are several factors of kind '{kind}'; list all alternatives in one")
    claimed: set[tuple[str, int]] = set()
    for factor in factors:
        _check_one(factor, tree, references, claimed, problems)
    problems.raise_if_any(SpecError)


def _check_one(
    factor: Factor, tree: Tree, references: Sequence[str], claimed: set[tuple[str, int]], problems: Problems
) -> None:
    try:
        choices, count = alternatives(factor, tree), inputs(factor, tree)
    except SpecError as error:
        problems.add(f"'{factor.name}': {error}")
        return
    if choices is not None and len(set(choices)) < 2:
        problems.add(f"'{factor.name}' has {len(choices)} alternative ({several(choices)}), so it changes nothing")
    if count == 0 or (isinstance(factor, PeopleFactor) and not len(varied(factor, tree))):
        problems.add(f"'{factor.name}' finds no node with more than one part, so it changes nothing")
    if isinstance(factor, BasePeriodFactor):
        unknown = [p for p in factor.periods if p not in references]
        if unknown:
            problems.add(
                f"'{factor.name}' names unknown references ({several(unknown)}); there are {several(references)}"
            )
    try:
        touched = _touched(factor, tree)
    except SpecError as error:
        problems.add(f"'{factor.name}': {error}")
        return
    if touched & claimed:
        problems.add(f"'{factor.name}' varies nodes that an earlier factor of its kind varies; set `within` or `nodes`")
    claimed |= touched


def _touched(factor: Factor, tree: Tree) -> set[tuple[str, int]]:
    """Which weights and means a factor decides; refuses those it names wrongly."""
    if isinstance(factor, WeightFactor):
        unknown = sorted({e for chosen in factor.sets.values() for e in chosen} - set(tree.elements))
        if unknown:
            message = f"it has weights for {len(unknown)} unknown elements ({several(unknown)})"
            raise SpecError(message)
        return {("weights", int(i)) for i in varied(factor, tree)}
    if isinstance(factor, PeopleFactor):
        people_shares(factor, tree)
        return {("weights", int(i)) for i in varied(factor, tree)}
    if isinstance(factor, AggregationFactor):
        nodes = [b.id for b in tree.branches] if factor.nodes is None else factor.nodes
        return {("aggregation", tree.position(n)) for n in nodes}
    return set()


def choose(factors: Sequence[Factor], tree: Tree, u: np.ndarray, *, means: np.ndarray, seed: int) -> Choices:
    """Turn uniform numbers into what each replicate does.

    Parameters
    ----------
    factors : sequence of Factor
        In the order of the columns of ``u``.
    tree : Tree
        The hierarchy.
    u : ndarray, shape (replicates, inputs)
        Numbers from 0 up to 1, :func:`inputs` columns a factor.
    means : ndarray of int, shape (branches,)
        Means used where no factor says otherwise.
    seed : int
        For weight sets drawn once.

    Returns
    -------
    Choices
    """
    rows = len(u)
    zero = np.zeros(rows, dtype=int)
    found = dict.fromkeys(("treatment", "normalisation", "base_period", "figures", "imputation"), zero)
    weights, chosen_means = np.tile(tree.weights, (rows, 1)), np.tile(means, (rows, 1))
    left_out: tuple[np.ndarray, np.ndarray] | None = None
    labels: dict[str, np.ndarray] = {}
    start = 0
    for factor in factors:
        width = inputs(factor, tree)
        own, start = u[:, start : start + width], start + width
        options = alternatives(factor, tree)
        pick = zero if options is None else np.minimum((own[:, 0] * len(options)).astype(int), len(options) - 1)
        labels[factor.name] = _labels(factor, options, pick, rows)
        if isinstance(factor, WeightFactor):
            weights = _weights(factor, tree, weights, own, pick, seed)
        elif isinstance(factor, PeopleFactor):
            weights = weights.copy()
            weights[:, varied(factor, tree)] = _of_people(factor, tree, seed)[pick]
        elif isinstance(factor, AggregationFactor):
            nodes = slice(None) if factor.nodes is None else [tree.position(n) for n in factor.nodes]
            chosen_means[:, nodes] = np.array([MEANS.index(m) for m in factor.methods])[pick][:, None]
        elif isinstance(factor, OmissionFactor) and options is not None:
            where = np.array([tree.leaves.index(n) if n in tree.leaves else -1 for n in options])[pick]
            left_out = (np.flatnonzero(where >= 0), where[where >= 0])
        elif isinstance(factor, FiguresFactor | ImputationFactor):
            found[factor.factor] = pick + (0 if isinstance(factor, ImputationFactor) and factor.none else 1)
        else:
            found[factor.factor] = pick
    if left_out is not None:  # after all weights are drawn
        weights[left_out] = 0.0
    return Choices(
        treatment=found["treatment"],
        normalisation=found["normalisation"],
        base=found["base_period"],
        figures=found["figures"],
        gaps=found["imputation"],
        weights=weights,
        means=chosen_means,
        labels=labels,
    )


def _labels(factor: Factor, options: list[str] | None, pick: np.ndarray, rows: int) -> np.ndarray:
    if options is not None:
        return np.array(options, dtype=object)[pick]
    spread = getattr(factor, "spread", 0.0)
    word = "drawn (Dirichlet)" if getattr(factor, "method", "") == "dirichlet" else f"drawn ± {spread:.0%}"
    return np.full(rows, word, dtype=object)


def _weights(
    factor: WeightFactor, tree: Tree, weights: np.ndarray, u: np.ndarray, pick: np.ndarray, seed: int
) -> np.ndarray:
    if factor.method == "given":
        where = {name: i for i, name in enumerate(tree.elements)}
        table = np.tile(tree.weights, (len(factor.sets), 1))
        for row, chosen in enumerate(factor.sets.values()):
            for name, weight in chosen.items():
                table[row, where[name]] = weight
        return table[pick]
    elements = varied(factor, tree)
    result = weights.copy()
    if factor.drawn is not None:
        sets = np.random.default_rng([seed, 77]).random((factor.drawn, len(elements)))
        result[:, elements] = _drawn(factor, tree, elements, sets)[pick]
    else:
        result[:, elements] = _drawn(factor, tree, elements, u)
    return result


def _drawn(factor: WeightFactor, tree: Tree, elements: np.ndarray, u: np.ndarray) -> np.ndarray:
    base = tree.weights[elements]
    if factor.method == "uniform":
        return base * (1 - factor.spread + 2 * factor.spread * u)
    from scipy.special import gammaincinv

    parents = np.array(tree.parents)[elements]
    total, count = np.zeros(len(elements)), np.zeros(len(elements))
    for parent in np.unique(parents):
        same = parents == parent
        total[same], count[same] = base[same].sum(), same.sum()
    shape = factor.concentration * count * base / total
    # shares of independent gamma variables are Dirichlet; 1e-300 keeps a share of 0 from dividing 0 by 0
    return np.maximum(gammaincinv(np.maximum(shape, 1e-12), np.clip(u, 1e-12, 1 - 1e-12)), 1e-300)


def people_shares(factor: PeopleFactor, tree: Tree) -> np.ndarray:
    """Each person's share of each part within its node, people by ``varied``.

    Raises
    ------
    SpecError
        Points for unknown elements, or a person who weighs only some parts of a node, or gives them nothing.
    """
    elements = varied(factor, tree)
    unknown = sorted({e for _, points in factor.allocations for e, _ in points} - set(tree.elements))
    if unknown:
        message = f"people gave points to {len(unknown)} elements that are not in the index: {several(unknown)}"
        raise SpecError(message)
    leaves, result = len(tree.leaves), np.zeros((len(factor.allocations), len(elements)))
    for parent in sorted({tree.parents[e] for e in elements}):
        branch = tree.branches[parent - leaves]
        members = parts_of(tree, branch)
        # the rule of `weight(method="people")`, on names alone
        parts = Parts(branch.id, pd.DataFrame(columns=list(members)), {}, members)
        at = np.searchsorted(elements, sorted(branch.parts))
        names = [tree.elements[p] for p in sorted(branch.parts)]
        for row, (who, points) in enumerate(factor.allocations):
            share = parts.looked_up(dict(points), whose=f"the allocation of '{who}'")
            result[row, at] = (share / share.sum())[names]
    return result


def _of_people(factor: PeopleFactor, tree: Tree, seed: int) -> np.ndarray:
    """Weight sets to choose among, sets by varied elements."""
    shares = people_shares(factor, tree)
    if factor.draw == "person":
        return shares
    count = len(shares)
    drawn = np.random.default_rng([seed, 78]).integers(count, size=(factor.panels, count))
    return np.asarray(shares[drawn].mean(axis=1))
