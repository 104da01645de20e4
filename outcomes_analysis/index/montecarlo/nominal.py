"""Our own index, as built, handed to the Monte Carlo engine: what is fixed, and what may be chosen otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.index.building import OVERALL, IndexResult
from outcomes_analysis.index.capping import limits
from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    Factor,
    NormalisationFactor,
    OmissionFactor,
    WeightFactor,
    omittable,
    varied,
)
from outcomes_analysis.index.montecarlo.kernels import MEANS, Mean
from outcomes_analysis.index.montecarlo.modelling import MIDDLE, REFERENCE, SPREAD, IndexModel
from outcomes_analysis.index.montecarlo.observing import other_bases, suppressed_ranges
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.steps.means import PowerMean
from outcomes_analysis.index.steps.tree import Tree


def index_model(
    index: IndexResult, *, observations: pd.DataFrame | None = None, bases: Sequence[int] = ()
) -> IndexModel:
    """Turn an index into a function of its choices.

    Parameters
    ----------
    index : IndexResult
        As built by :func:`outcomes_analysis.index.build_index`.
    observations : DataFrame, optional
        The tidy table it was made from: tells, for an
        ``ImputationFactor``, between which values suppressed figures lie. Without
        it a suppressed figure is drawn as if missing at random.
    bases : sequence of int
        Other base periods for a ``BasePeriodFactor``, as so many of each
        indicator's periods later than its own; named as in ``other_bases``.
        The index's own is ``"base"``. Needs ``observations``.

    Returns
    -------
    IndexModel
        The authorities that are ranked, figures on each indicator's own scale with their total errors (divided, filled
        and screened as the specification says), and the hierarchy with its weights, near-duplicates as hidden nodes
        that share one. With the choices left alone its scores are those of the index.

    Raises
    ------
    SpecError
        Other base periods without observations, or none that has enough figures; or everything in the specification
        that cannot be varied: other treatments or normalisations by indicator, means but the arithmetic, geometric
        and harmonic, rescaling.
    """
    if bases and observations is None:
        message = "Other base periods come from the table of observations: pass `observations` as well."
        raise SpecError(message)
    _refuse_fixed(index)
    matrix, framework, spec, ready = index.matrix, index.matrix.framework, index.spec, index.prepared
    units = ready.base.index[ready.base.to_numpy(bool)]
    tree = _tree(index)
    leaves = list(tree.leaves)
    given = dict(spec.directions)
    directions = {n: framework.indicator(n).direction or given.get(n, 1) for n in leaves}
    scores = index.scores.loc[units]
    branches = [b.id for b in tree.branches]
    computed = pd.DataFrame(
        {name: scores[name].notna() if name in scores else pd.Series(True, index=units) for name in branches}
    )
    based = isinstance(spec.normalise.default, Reference)
    more = other_bases(index, observations, steps=bases) if observations is not None and bases else {}
    return IndexModel(
        values=ready.figures.loc[units, leaves],
        tree=tree,
        directions=directions,
        errors=ready.figures_error.loc[units, leaves],
        limits=limits(matrix.reference, spec.cap) if based else None,
        references={"base": matrix.reference[["centre", "scale"]], **more} if based else more,
        ranges=None if observations is None else suppressed_ranges(index, observations, units=units),
        treatment="none" if spec.treat.default.key() == "none" else spec.treat.default,
        normalisation=REFERENCE if based else spec.normalise.default,
        mean={branch.id: _mean(index, tree, b) for b, branch in enumerate(tree.branches)},
        computed=computed,
        names=matrix.areas.loc[units, "name"],
    )


def _mean(index: IndexResult, tree: Tree, b: int) -> Mean:
    """The engine's name for the mean of a branch; near-duplicates go by that of the node they count in."""
    branch = tree.branches[b]
    node = branch.id if branch.shown else tree.elements[tree.parents[len(tree.leaves) + b]]
    key = "arithmetic" if node == OVERALL else index.spec.aggregate.of(node).key()
    return next(mean for mean in MEANS if mean == key)


def _refuse_fixed(index: IndexResult) -> None:
    """Name what the engine cannot do, all of it at once."""
    spec, problems = index.spec, Problems("drawing this index with other methods")
    for step, choice in (("treat", spec.treat), ("normalise", spec.normalise)):
        if any(method != choice.default for method in choice.methods):
            problems.add(f"{step}: {several(choice.names)} have a method of their own; the draws take one for all")
    based = isinstance(spec.normalise.default, Reference)
    if based and spec.normalise.default != Reference():
        problems.add("normalise: the base period's scale is drawn with mean 0 and sd 1 only")
    for node in (b.id for b in index.tree.branches if b.shown):
        method = spec.aggregate.of(node)
        fits = method.key() in MEANS
        if fits and isinstance(method, PowerMean):
            fits = (method.offset, method.factor) == ((MIDDLE, SPREAD) if based else (0.0, 1.0))
        if not fits:
            how = f"{method.key()} ({method.parameters})" if method.parameters else method.key()
            problems.add(f"aggregate: '{node}' is combined by {how}, which the draws do not know")
    if spec.rescale is not None:
        problems.add("rescale: nodes are rescaled, which the draws do not do")
    problems.raise_if_any(SpecError)


def default_factors(model: IndexModel) -> tuple[Factor, ...]:
    """Choices varied where none are named: normalisation, means, weights, and an indicator left out.

    Weights vary by half either way, which for two parts runs from 1 : 3 to 3 : 1.
    """
    if model.normalisation != REFERENCE:
        message = "This index is not our own; say which factors to vary."
        raise SpecError(message)
    others = ({"method": "minmax", "lower": 1.0, "upper": 100.0}, {"method": "rank"})
    return (NormalisationFactor(methods=(REFERENCE, *others)), *method_factors(model))


def method_factors(model: IndexModel) -> tuple[Factor, ...]:
    """Choices that leave scores in their unit (standard deviations of the base period): means, weights, omission.

    Choices that this index does not have (a hierarchy without siblings) are left out.
    """
    found: list[Factor] = [AggregationFactor()]
    weights, omission = WeightFactor(spread=0.5), OmissionFactor()
    if len(varied(weights, model.tree)):
        found.append(weights)
    if omittable(omission, model.tree):
        found.append(omission)
    return tuple(found)


def _tree(index: IndexResult) -> Tree:
    """The index's hierarchy with its weights; the overall, if asked for, above the domains."""
    tree = index.tree
    if OVERALL not in index.nodes:
        return tree
    elements = tree.elements
    parents = {name: elements[p] for name, p in zip(elements, tree.parents, strict=True) if p >= 0}
    parents |= {name: OVERALL for name in index.domains if not index.nodes[name].experimental}
    return Tree.build(
        parents,
        leaves=tree.leaves,
        weights={name: float(w) for name, w in zip(elements, tree.weights, strict=True)},
        labels={b.id: b.label for b in tree.branches} | {OVERALL: "Mean of the domains"},
        hidden=[b.id for b in tree.branches if not b.shown],
    )


__all__ = ["default_factors", "index_model", "method_factors"]
