"""Our own index, as built, handed to the Monte Carlo engine: what is fixed, and what may be chosen otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.building import OVERALL, IndexResult
from outcomes_analysis.index.capping import limits
from outcomes_analysis.index.factors import (
    AggregationFactor,
    Factor,
    NormalisationFactor,
    OmissionFactor,
    WeightFactor,
    omittable,
    varied,
)
from outcomes_analysis.index.modelling import REFERENCE, IndexModel
from outcomes_analysis.index.observing import other_bases, suppressed_ranges
from outcomes_analysis.index.tree import Tree


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
        :class:`~outcomes_analysis.index.factors.ImputationFactor`, between which values suppressed figures lie. Without
        it a suppressed figure is drawn as if missing at random.
    bases : sequence of int
        Other base periods for a :class:`~outcomes_analysis.index.factors.BasePeriodFactor`, as so many of each
        indicator's periods later than its own; named as in :func:`~outcomes_analysis.index.observing.other_bases`.
        The index's own is ``"base"``. Needs ``observations``.

    Returns
    -------
    IndexModel
        The authorities that are ranked, figures on each indicator's own scale with their total errors, and the
        hierarchy with near-duplicates as hidden nodes that share one weight. With the choices left alone its
        scores are those of the index.

    Raises
    ------
    SpecError
        Other base periods without observations, or none that has enough figures.
    """
    if bases and observations is None:
        message = "Other base periods come from the table of observations: pass `observations` as well."
        raise SpecError(message)
    matrix, framework = index.matrix, index.matrix.framework
    units = matrix.areas.index[matrix.areas["ranked"].astype(bool)]
    tree = _tree(index)
    leaves = list(tree.leaves)
    given = dict(index.spec.directions)
    directions = {n: framework.indicator(n).direction or given.get(n, 1) for n in leaves}
    scores = index.scores.loc[units]
    branches = [b.id for b in tree.branches]
    computed = pd.DataFrame(
        {name: scores[name].notna() if name in scores else pd.Series(True, index=units) for name in branches}
    )
    more = other_bases(index, observations, steps=bases) if observations is not None and bases else {}
    return IndexModel(
        values=matrix.transformed.loc[units, leaves],
        tree=tree,
        directions=directions,
        errors=matrix.transformed_error.loc[units, leaves],
        limits=limits(matrix.reference, index.spec.cap),
        references={"base": matrix.reference[["centre", "scale"]], **more},
        ranges=None if observations is None else suppressed_ranges(index, observations, units=units),
        normalisation=REFERENCE,
        mean=index.spec.aggregation,
        computed=computed,
        names=matrix.areas.loc[units, "name"],
    )


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
    """Domains, their outcomes and indicators; near-duplicates hang from a hidden node."""
    framework = index.matrix.framework
    parents: dict[str, str] = {}
    weights: dict[str, float] = {}
    hidden: set[str] = set()
    overall = index.nodes.get(OVERALL)
    for name in index.domains:
        table = index.nodes[name].weights
        for leaf, row in table.iterrows():
            weights[str(leaf)] = float(row["weight"])
            home = str(row["outcome"])
            if (table["group"] == row["group"]).sum() > 1:
                group = f"near-duplicates: {row['group']}"
                hidden.add(group)
                weights[group] = weights.get(group, 0.0) + float(row["weight"])
                parents[str(leaf)], parents[group] = group, home
            else:
                parents[str(leaf)] = home
            weights[home] = weights.get(home, 0.0) + float(row["weight"])
            parents[home] = name
        if overall is not None and not index.nodes[name].experimental:
            parents[name] = OVERALL
    leaves = [c for c in index.matrix.values.columns if c in parents]
    labels = {n.id: n.label for n in framework.nodes} | {OVERALL: "Mean of the domains"}
    weights |= dict.fromkeys(index.domains, 1.0)
    return Tree.build(parents, leaves=leaves, weights=weights, labels=labels, hidden=hidden)


__all__ = ["default_factors", "index_model", "method_factors"]
