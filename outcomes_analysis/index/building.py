"""Domain scores: from the matrix to a score per domain, outcome and indicator, each with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from outcomes_analysis.framework.model import Indicator, Node
from outcomes_analysis.index.build_wording import capped_told, england_told, unsure_told
from outcomes_analysis.index.climbing import Climb, Line, climb
from outcomes_analysis.index.judging.withholding import withhold_ranks
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.preparing import Prepared, prepare
from outcomes_analysis.index.specifying.spec_checking import taking_part
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.aggregation import Aggregation
from outcomes_analysis.index.steps.means import ArithmeticMean, GeometricMean
from outcomes_analysis.index.steps.stepping import Method
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.index.steps.tree_weights import hierarchy, weights_in
from outcomes_analysis.index.steps.weighting import Equal, weight
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import listed, plural

OVERALL = "overall"
SAME = "not clearly different"
TABLE_COLUMNS = [
    "node_id", "node_label", "kind", "area_code", "area_name", "region_name", "period", "estimate", "lower", "upper",
    "level", "interval", "rank", "ranked", "availability", "status", "n_indicators", "oldest_year", "england",
    "against_england",
]  # fmt: skip


@dataclass(frozen=True)
class NodeScore:
    """One node's scores in every area.

    Attributes
    ----------
    node : Node or Indicator
        What is scored.
    kind : str
        ``domain``, ``outcome``, ``indicator`` or ``overall``.
    estimate, error : ndarray, shape (areas,)
        Score (higher = better) and its standard error; NaN where not computed.
    weights : DataFrame
        Leaf weights below the node.
    effective : ndarray, shape (areas, indicators)
        Weights really used in each area.
    availability : ndarray, shape (areas,)
        Share of the weight present.
    experimental : bool
        Mapped part by part, never ranked.
    mean : {"arithmetic", "geometric", ""}
        The one mean by which everything below is combined, of scores on the default scale and not rescaled: then a
        score splits exactly into its indicators. Empty where means differ or are others.
    england, england_error : float
        England's own score at the same date, made from its figures in the same way, and its standard error.
    """

    node: Node | Indicator
    kind: str
    estimate: np.ndarray
    error: np.ndarray
    weights: pd.DataFrame
    effective: np.ndarray
    availability: np.ndarray
    experimental: bool
    mean: Aggregation | Literal[""] = "arithmetic"
    england: float = np.nan
    england_error: float = np.nan


@dataclass(frozen=True)
class IndexResult:
    """Scores of every node in every area.

    Attributes
    ----------
    table : DataFrame
        Tidy: one row a node and area; ``status`` is ``computed``, ``not_computed`` (too little present, or a place
        too small to rank most of whose weight is on capped figures) or
        ``not_ranked`` (experimental node, indicator of disputed direction, or a place too small to rank).
        ``england`` is England's own score for the same date, ``against_england`` whether the interval of the
        difference from it lies ``above`` or ``below`` 0, or is ``not clearly different`` ("" where not computed).
    text : str
        Method and findings in words.
    spec : IndexSpec
        The choices made.
    manifest : RunManifest
        What it was made from.
    matrix : IndicatorMatrix
        The figures behind it.
    nodes : dict of str to NodeScore
        Arrays behind the table, for further work. Those of indicators are as published, before capping.
    counted, counted_error : DataFrame
        Areas by indicators: standardised scores as they enter the nodes above, capped, and their standard errors.
    capped : DataFrame
        Figures that count for less than they are, furthest first: ``area_code, area_name, indicator_id,
        indicator_name, score`` (as published), ``counted`` (as it enters) and ``ranked`` (whether the place is).
    prepared : Prepared
        What the steps before combining gave, England in the last row.
    tree : Tree
        The hierarchy of what takes part, with the weights used.
    lines : dict of str to (float, float)
        By node, mean and standard deviation it was rescaled by; empty unless the specification says so.
    """

    table: pd.DataFrame
    text: str
    spec: IndexSpec
    manifest: RunManifest
    matrix: IndicatorMatrix
    nodes: dict[str, NodeScore]
    counted: pd.DataFrame
    counted_error: pd.DataFrame
    capped: pd.DataFrame
    prepared: Prepared
    tree: Tree
    lines: dict[str, Line]

    @property
    def scores(self) -> pd.DataFrame:
        """Areas by nodes: the estimates alone."""
        return pd.DataFrame({k: v.estimate for k, v in self.nodes.items()}, index=self.matrix.values.index)

    @property
    def domains(self) -> tuple[str, ...]:
        """Ids of the domains scored, in the framework's order."""
        return tuple(k for k, v in self.nodes.items() if v.kind == "domain")


def _node_scores(
    up: Climb, tree: Tree, matrix: IndicatorMatrix, spec: IndexSpec, groups: dict[str, str]
) -> dict[str, NodeScore]:
    """Nodes above the indicators: domains first, then the others in the framework's order. England is the last unit."""
    framework = matrix.framework
    where = {branch.id: b for b, branch in enumerate(tree.branches) if branch.shown}
    order = [n for n in framework.nodes if n.id in where and n.parent is None]
    order += [n for n in framework.nodes if n.id in where and n.parent is not None]
    found = {}
    for node in order:
        b = where[node.id]
        below = tree.below(b)
        enough = up.present[b] >= spec.least(node.id) - 1e-12  # sums of shares are rounded
        mean, error = (np.where(enough, part[b], np.nan) for part in (up.values, up.errors))
        found[node.id] = NodeScore(
            node=node,
            kind="domain" if node.parent is None else "outcome",
            estimate=mean[:-1],
            error=error[:-1],
            weights=_leaf_table(tree, b, below, matrix, groups),
            effective=up.effective[b][:-1, below],
            availability=up.present[b][:-1],
            experimental=framework.node(framework.domain_of(node.id)).experimental or node.experimental,
            mean=_one_mean(tree, b, spec, [tree.leaves[i] for i in below]),
            england=float(mean[-1]),
            england_error=float(error[-1]),
        )
    return found


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
    )


def _overall(nodes: dict[str, NodeScore]) -> NodeScore:
    """Mean of the domains that may be ranked; asked for by name only."""
    parts = [n for n in nodes.values() if n.kind == "domain" and not n.experimental]
    estimate = np.mean([p.estimate for p in parts], axis=0)
    error = np.sqrt(np.sum([p.error**2 for p in parts], axis=0)) / len(parts)
    weights = pd.concat([p.weights.assign(weight=p.weights["weight"] / len(parts)) for p in parts])
    return NodeScore(
        node=Node(id=OVERALL, label="Mean of the domains", kind="overall"),
        kind="overall",
        estimate=estimate,
        error=error,
        weights=weights,
        effective=np.hstack([p.effective / len(parts) for p in parts]),
        availability=np.mean([p.availability for p in parts], axis=0),
        experimental=False,
        mean=parts[0].mean if len({p.mean for p in parts}) == 1 else "",
        england=float(np.mean([p.england for p in parts])),
        england_error=float(np.sqrt(np.sum([p.england_error**2 for p in parts])) / len(parts)),
    )


def _without_ends(score: NodeScore, ends: pd.DataFrame, small: np.ndarray) -> NodeScore:
    """Take away scores of places too small to rank where capped figures make up most: they say "far out", not where."""
    there = ends[list(score.weights.index)].to_numpy(bool)
    mostly = small & ((score.effective * there).sum(axis=1) > 0.5)
    return replace(
        score, estimate=np.where(mostly, np.nan, score.estimate), error=np.where(mostly, np.nan, score.error)
    )


def _capped_cells(scores: pd.DataFrame, counted: pd.DataFrame, matrix: IndicatorMatrix) -> pd.DataFrame:
    """Figures of authorities that count for less than they are, furthest first."""
    rows, columns = np.nonzero((scores != counted).to_numpy() & scores.notna().to_numpy())
    codes, names = scores.index[rows], scores.columns[columns]
    table = pd.DataFrame(
        {
            "area_code": codes,
            "area_name": matrix.areas["name"].reindex(codes).to_numpy(),
            "indicator_id": names,
            "indicator_name": [matrix.framework.indicator(n).name for n in names],
            "score": scores.to_numpy()[rows, columns],
            "counted": counted.to_numpy()[rows, columns],
            "ranked": matrix.areas["ranked"].astype(bool).reindex(codes).to_numpy(),
        }
    )
    return table.sort_values("score", key=abs, ascending=False, kind="stable").reset_index(drop=True)


def competition_rank(values: np.ndarray) -> np.ndarray:
    """Rank with 1 = best (highest); ties share the better rank; NaN stays NaN. Full precision, no rounding."""
    return np.asarray(pd.Series(values).rank(method="min", ascending=False), dtype=float)


def _rows(name: str, score: NodeScore, matrix: IndicatorMatrix, spec: IndexSpec, kept: np.ndarray) -> pd.DataFrame:
    areas = matrix.areas
    z = norm.ppf(0.5 + spec.level / 2)
    computed = np.isfinite(score.estimate)
    contested = isinstance(score.node, Indicator) and bool(
        score.node.contested
    )  # no best place where "best" is disputed
    ranked = computed & kept & (not score.experimental) & (not contested)
    rank = competition_rank(np.where(ranked, score.estimate, np.nan))
    used = score.effective > 0
    years = matrix.period - matrix.age[score.weights.index].to_numpy(float)
    oldest = np.where(used, years, np.inf).min(axis=1)
    away = score.estimate - score.england
    half = z * np.sqrt(score.error**2 + np.nan_to_num(score.england_error) ** 2)
    against = np.select([np.isnan(away + half), away > half, away < -half], ["", "above", "below"], SAME)
    label = score.node.name if isinstance(score.node, Indicator) else score.node.label
    return pd.DataFrame(
        {
            "node_id": name,
            "node_label": label,
            "kind": score.kind,
            "area_code": areas.index,
            "area_name": areas["name"].to_numpy(),
            "region_name": areas["region_name"].to_numpy(),
            "period": matrix.period,
            "estimate": score.estimate,
            "lower": score.estimate - z * score.error,
            "upper": score.estimate + z * score.error,
            "level": spec.level,
            "interval": "figures",
            "rank": rank,
            "ranked": ranked,
            "availability": score.availability,
            "status": np.where(~computed, "not_computed", np.where(ranked, "computed", "not_ranked")),
            "n_indicators": used.sum(axis=1),
            "oldest_year": np.where(np.isfinite(oldest), oldest, np.nan),
            "england": score.england,
            "against_england": pd.Series(against, dtype="str"),
        }
    )[TABLE_COLUMNS]


def _text(
    table: pd.DataFrame,
    matrix: IndicatorMatrix,
    spec: IndexSpec,
    nodes: dict[str, NodeScore],
    capped_cells: pd.DataFrame,
    steps: str,
) -> str:
    domains = [n for n in nodes.values() if n.kind == "domain"]
    counts = []
    for score in domains:
        rows = table[table["node_id"] == score.node.id]
        missing = int((rows["status"] == "not_computed").sum())
        left_out = f" ({plural(missing, 'authority', 'authorities')} without enough figures)" if missing else ""
        mark = ", experimental" if score.experimental else ""
        counts.append(f"{score.node.id} from {plural(len(score.weights), 'indicator', 'indicators')}{mark}{left_out}")
    newest, oldest = table["period"].max(), int(np.nanmin(table["oldest_year"]))
    leaves = [name for name, score in nodes.items() if score.kind == "indicator"]
    when = f" as measured by the end of {newest}, with figures from {oldest} on" if newest else ""
    told = [
        f"Scores{when}: {listed(counts)}.",
        spec.describe(),
        steps,
        capped_told(capped_cells, spec),
        unsure_told(matrix, leaves),
        england_told(matrix, leaves, spec),
        f"Intervals are {spec.level:.0%} intervals from the figures' sampling and year-to-year variation.",
        matrix.framework.notice,
    ]
    return " ".join(part.strip() for part in told if part)


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
    tree, up = _climbed(ready, matrix, spec, groups, base)
    nodes = _node_scores(up, tree, matrix, spec, groups)
    for name in names:
        nodes[name] = _indicator_score(framework.indicator(name), ready.scores, ready.scores_error)
    if spec.overall:
        nodes[OVERALL] = _overall(nodes)
    scores, counted, errors = (part.iloc[:-1] for part in (ready.scores, ready.counted, ready.counted_error))
    capped_cells = _capped_cells(scores, counted, matrix)
    small = ~matrix.areas["ranked"].to_numpy(bool)
    nodes = {k: v if v.kind == "indicator" else _without_ends(v, scores != counted, small) for k, v in nodes.items()}
    kept = ready.base.iloc[:-1].to_numpy(bool)
    table = pd.concat([_rows(k, v, matrix, spec, kept) for k, v in nodes.items()], ignore_index=True)
    return IndexResult(
        table=table,
        text=_text(table, matrix, spec, nodes, capped_cells, ready.text),
        spec=spec,
        manifest=replace(matrix.manifest, spec=spec.hash),
        matrix=matrix,
        nodes=nodes,
        counted=counted,
        counted_error=errors,
        capped=capped_cells,
        prepared=ready,
        tree=tree,
        lines={tree.branches[b].id: line for b, line in up.lines.items()},
    )


def _climbed(
    ready: Prepared, matrix: IndicatorMatrix, spec: IndexSpec, groups: dict[str, str], base: IndexResult | None
) -> tuple[Tree, Climb]:
    """Weigh and combine; the tree comes back with the weights used."""
    tree = hierarchy(list(ready.counted.columns), framework=matrix.framework)
    shown = [tree.branches[i].id for i in tree.shown]
    kept = ready.base.to_numpy(bool)
    weights = None
    if any(method != Equal() for method in spec.weights.methods):
        weights = weight(ready.counted[kept], method=spec.weights.among(shown), framework=matrix.framework)
    shares = weights_in(tree, weights)
    methods: dict[str, Method] = {name: spec.aggregate.of(name) for name in shown}
    found = climb(
        tree,
        ready.counted.to_numpy(float),
        ready.counted_error.to_numpy(float),
        present=ready.present.to_numpy(bool),
        groups=[groups[name] for name in tree.leaves],
        shares=shares,
        methods=methods,
        base=kept,
        rescale=spec.rescale,
        lines=None if base is None else base.lines,
    )
    return replace(tree, weights=shares), found
