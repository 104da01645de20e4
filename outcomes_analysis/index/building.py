"""Domain scores: from the matrix to a score per domain, outcome and indicator, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework, Indicator, Node
from outcomes_analysis.index.agreeing import Ascent, scores_beside, without
from outcomes_analysis.index.build_wording import index_told
from outcomes_analysis.index.climbing import Climb
from outcomes_analysis.index.judging.withholding import withhold_ranks
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.preparing import Prepared, prepare
from outcomes_analysis.index.score_rows import ALL, capped_cells, competition_rank, score_table
from outcomes_analysis.index.scores import OVERALL, Beside, IndexResult, NodeScore
from outcomes_analysis.index.specifying.spec_checking import taking_part
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.aggregation import Aggregation
from outcomes_analysis.index.steps.means import ArithmeticMean, GeometricMean
from outcomes_analysis.index.steps.stepping import Method
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.index.steps.tree_weights import hierarchy, weights_in
from outcomes_analysis.index.steps.weighting import Equal, weight
from outcomes_analysis.observations.scales import Floats


@dataclass(frozen=True, eq=False)
class _Climbed:
    """The tree with the weights used, what came up it, and the scores with England's, whole and without disputes."""

    tree: Tree
    up: Climb
    beside: list[Beside]
    agreed: list[Beside] | None


def _node_scores(
    found_by: _Climbed, matrix: IndicatorMatrix, spec: IndexSpec, groups: dict[str, str]
) -> dict[str, NodeScore]:
    """Nodes above the indicators: domains first, then the others in the framework's order. England is the last unit."""
    framework, tree, up = matrix.framework, found_by.tree, found_by.up
    where = {branch.id: b for b, branch in enumerate(tree.branches) if branch.shown}
    order = [n for n in framework.nodes if n.id in where and n.parent is None]
    order += [n for n in framework.nodes if n.id in where and n.parent is not None]
    found = {}
    for node in order:
        b = where[node.id]
        below = tree.below(b)
        whole, weights = found_by.beside[b], _leaf_table(tree, b, below, matrix, groups)
        share = contested_share(weights["weight"], framework)
        agreed = found_by.agreed[b] if found_by.agreed is not None and 0 < share < ALL else None
        found[node.id] = NodeScore(
            node=node,
            kind="domain" if node.parent is None else "outcome",
            estimate=whole.estimate,
            error=whole.error,
            weights=weights,
            effective=up.effective[b][:-1, below],
            availability=up.present[b][:-1],
            experimental=framework.node(framework.domain_of(node.id)).experimental or node.experimental,
            mean=_one_mean(tree, b, spec, [tree.leaves[i] for i in below]),
            england=whole.england,
            england_error=whole.england_error,
            england_alike=whole.england_alike,
            england_alike_error=whole.england_alike_error,
            contested=share,
            agreed=None if agreed is None else _where_computed(agreed, whole.estimate),
        )
    return found


def contested_share(weights: pd.Series, framework: Framework) -> float:
    """Share of weights (by indicator) that lies on contested ones, 0 to 1."""
    disputed = [bool(framework.indicator(str(name)).contested) for name in weights.index]
    return float(weights[disputed].sum() / weights.sum()) if len(weights) else 0.0


def _where_computed(score: Beside, whole: Floats) -> Beside:
    """Scores and errors, NaN where the score they belong to is not computed."""
    known = np.isfinite(whole)
    mean, error = (np.where(known, part, np.nan) for part in (score.estimate, score.error))
    return replace(score, estimate=mean, error=error)


def _leaf_table(tree: Tree, b: int, below: list[int], matrix: IndicatorMatrix, groups: dict[str, str]) -> pd.DataFrame:
    """Nominal weights of the indicators below a node: in their outcome, and in the node."""
    leaves, framework = len(tree.leaves), matrix.framework
    rows = []
    for i in below:
        home = framework.indicator(tree.leaves[i]).outcome
        within, total, at = 1.0, 1.0, i
        reached = False
        while at != leaves + b:
            total *= tree.weights[at]
            within *= 1.0 if reached else tree.weights[at]
            at = tree.parents[at]
            reached = reached or tree.elements[at] == home
        name = tree.leaves[i]
        rows.append({"indicator_id": name, "outcome": home, "group": groups[name], "within": within, "weight": total})
    columns = ["indicator_id", "group", "outcome", "within", "weight"]
    return pd.DataFrame(rows, columns=columns).set_index("indicator_id")


def _one_mean(tree: Tree, b: int, spec: IndexSpec, leaves: list[str]) -> Aggregation | Literal[""]:
    """The mean by which a node splits exactly, if there is one."""
    if spec.rescale is not None or any(spec.normalise.of(name) != Reference() for name in leaves):
        return ""
    inside, stack = set(), [b]
    while stack:
        at = stack.pop()
        if tree.branches[at].shown:
            inside.add(spec.aggregate.of(tree.branches[at].id))
        stack += [p - len(tree.leaves) for p in tree.branches[at].parts if p >= len(tree.leaves)]
    if inside == {ArithmeticMean()}:
        return "arithmetic"
    return "geometric" if inside == {GeometricMean(offset=100, factor=10)} else ""


def _indicator_score(indicator: Indicator, scores: pd.DataFrame, errors: pd.DataFrame) -> NodeScore:
    """One indicator as published; the last row is England."""
    z, e = scores[indicator.id].to_numpy(float), errors[indicator.id].to_numpy(float)
    weights = pd.DataFrame(
        {"outcome": indicator.outcome, "group": indicator.id, "within": 1.0, "weight": 1.0}, index=[indicator.id]
    )
    present = np.isfinite(z[:-1])
    return NodeScore(
        node=indicator,
        kind="indicator",
        estimate=z[:-1],
        error=e[:-1],
        weights=weights,
        effective=present[:, None].astype(float),
        availability=present.astype(float),
        experimental=False,
        mean="arithmetic",
        england=float(z[-1]),
        england_error=float(e[-1]),
        england_alike=np.full(len(z) - 1, z[-1]),
        england_alike_error=np.full(len(z) - 1, e[-1]),
        contested=float(bool(indicator.contested)),
        agreed=None,
    )


def _overall(nodes: dict[str, NodeScore]) -> NodeScore:
    """Mean of the domains that may be ranked; asked for by name only."""
    parts = [n for n in nodes.values() if n.kind == "domain" and not n.experimental]
    whole = _mean_of([p.beside for p in parts])
    share = float(np.mean([p.contested for p in parts]))
    agreed = [p.agreed or p.beside for p in parts if p.contested < ALL]
    return NodeScore(
        node=Node(id=OVERALL, label="Mean of the domains", kind="overall"),
        kind="overall",
        estimate=whole.estimate,
        error=whole.error,
        weights=pd.concat([p.weights.assign(weight=p.weights["weight"] / len(parts)) for p in parts]),
        effective=np.hstack([p.effective / len(parts) for p in parts]),
        availability=np.mean([p.availability for p in parts], axis=0),
        experimental=False,
        mean=parts[0].mean if len({p.mean for p in parts}) == 1 else "",
        england=whole.england,
        england_error=whole.england_error,
        england_alike=whole.england_alike,
        england_alike_error=whole.england_alike_error,
        contested=share,
        agreed=_mean_of(agreed) if 0 < share < ALL else None,
    )


def _mean_of(parts: list[Beside]) -> Beside:
    """Means of scores of equal weight; errors of different domains are taken as unrelated."""

    def mean(name: str) -> Floats:
        return np.asarray(np.mean([getattr(p, name) for p in parts], axis=0))

    def error(name: str) -> Floats:
        return np.asarray(np.sqrt(np.sum([getattr(p, name) ** 2 for p in parts], axis=0)) / len(parts))

    return Beside(
        mean("estimate"),
        error("error"),
        float(mean("england")),
        float(error("england_error")),
        mean("england_alike"),
        error("england_alike_error"),
    )


def _without_ends(score: NodeScore, ends: pd.DataFrame, small: np.ndarray) -> NodeScore:
    """Take away scores of places too small to rank where capped figures make up most: they say "far out", not where."""
    there = ends[list(score.weights.index)].to_numpy(bool)
    mostly = small & ((score.effective * there).sum(axis=1) > 0.5)
    estimate, error = (np.where(mostly, np.nan, part) for part in (score.estimate, score.error))
    agreed = None if score.agreed is None else _where_computed(score.agreed, estimate)
    return replace(score, estimate=estimate, error=error, agreed=agreed)


def build_index(
    matrix: IndicatorMatrix,
    *,
    spec: IndexSpec | None = None,
    base: IndexResult | None = None,
    allow: Sequence[str] = (),
) -> IndexResult:
    """Score every node of the framework, at any depth, and every indicator in every authority.

    Parameters
    ----------
    matrix : IndicatorMatrix
        Figures with their errors.
    spec : IndexSpec, optional
        Choices; the defaults are equal weights, the arithmetic mean and no overall index.
    base : IndexResult, optional
        An index of the base year by the same specification, whose means and standard deviations ``spec.rescale``
        uses, so that years compare; those of this matrix otherwise.
    allow : sequence of str
        Nodes ranked although their figures do not bear a rank; named in the table and the text.

    Returns
    -------
    IndexResult
        Scores run higher = better; 0 is England in the base period, 1 a standard deviation between authorities.
        Ranks that the figures do not bear are withheld
        (:func:`~outcomes_analysis.index.judging.withholding.withhold_ranks`).

    Raises
    ------
    SpecError
        Everything in the specification that does not fit the matrix at once, or a step that cannot be carried out.

    Notes
    -----
    Steps are carried out in the order of the OECD/JRC Handbook on Constructing Composite Indicators (2008), level by
    level up the tree. Unless the specification says otherwise missing figures are not filled in: the rest of the
    outcome stands in for them, and a domain with less than ``spec.availability`` of its weight is not computed.
    Errors go up by the slopes of the means, or by draws of the figures where a mean has none
    (:func:`~outcomes_analysis.index.climbing.climb`).
    """
    return withhold_ranks(scored(matrix, spec or IndexSpec(), base=base), allow=allow)


def scored(matrix: IndicatorMatrix, spec: IndexSpec, *, base: IndexResult | None = None) -> IndexResult:
    """Score as :func:`build_index` does, with every rank still there, whether the figures bear it or not."""
    names = taking_part(matrix, spec)
    framework = matrix.framework
    ready = prepare(matrix, spec, names)
    groups = {n: framework.indicator(n).doublet or n for n in names}
    found = _climbed(ready, matrix, spec, groups, base)
    nodes = _node_scores(found, matrix, spec, groups)
    for name in names:
        nodes[name] = _indicator_score(framework.indicator(name), ready.scores, ready.scores_error)
    if spec.overall:
        nodes[OVERALL] = _overall(nodes)
    scores, counted, errors = (part.iloc[:-1] for part in (ready.scores, ready.counted, ready.counted_error))
    cells = capped_cells(scores, counted, matrix)
    small = ~matrix.areas["ranked"].to_numpy(bool)
    nodes = {k: v if v.kind == "indicator" else _without_ends(v, scores != counted, small) for k, v in nodes.items()}
    kept = ready.base.iloc[:-1].to_numpy(bool)
    table = score_table(nodes, matrix, spec, kept)
    return IndexResult(
        table=table,
        text=index_told(table, matrix, spec, nodes, cells, ready.text),
        spec=spec,
        manifest=replace(matrix.manifest, spec=spec.hash),
        matrix=matrix,
        nodes=nodes,
        counted=counted,
        counted_error=errors,
        capped=cells,
        prepared=ready,
        tree=found.tree,
        lines={found.tree.branches[b].id: line for b, line in found.up.lines.items()},
    )


def _climbed(
    ready: Prepared, matrix: IndicatorMatrix, spec: IndexSpec, groups: dict[str, str], base: IndexResult | None
) -> _Climbed:
    """Weigh and combine, and once more without contested indicators; the tree comes back with the weights used."""
    tree = hierarchy(list(ready.counted.columns), framework=matrix.framework)
    shown = [tree.branches[i].id for i in tree.shown]
    kept = ready.base.to_numpy(bool)
    weights = None
    if any(method != Equal() for method in spec.weights.methods):
        weights = weight(ready.counted[kept], method=spec.weights.among(shown), framework=matrix.framework)
    methods: dict[str, Method] = {name: spec.aggregate.of(name) for name in shown}
    ascent = Ascent(
        ready.counted.to_numpy(float),
        ready.counted_error.to_numpy(float),
        present=ready.present.to_numpy(bool),
        shares=weights_in(tree, weights),
        base=kept,
        least=spec.least,
        settings={
            "groups": [groups[name] for name in tree.leaves],
            "methods": methods,
            "rescale": spec.rescale,
        },
    )
    up = ascent.climbed(tree, lines=None if base is None else base.lines)
    disputed = {name for name in tree.leaves if matrix.framework.indicator(name).contested}
    agreed = None
    if disputed:
        rest = without(ascent, tree, disputed)
        lines = {tree.branches[b].id: line for b, line in up.lines.items()}
        agreed = scores_beside(rest, rest.climbed(tree, lines=lines), tree)
    return _Climbed(replace(tree, weights=ascent.shares), up, scores_beside(ascent, up, tree), agreed)


__all__ = ["OVERALL", "IndexResult", "NodeScore", "build_index", "competition_rank", "scored"]
