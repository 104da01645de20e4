"""Domain scores: from the matrix to a score per domain, outcome and indicator, each with an interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.framework.model import Indicator, Node
from outcomes_analysis.index.aggregation import (
    availability,
    effective_weights,
    leaf_weights,
    mean_error,
    slope_of_mean,
    weighted_mean,
)
from outcomes_analysis.index.build_wording import capped_told, england_told, unsure_told
from outcomes_analysis.index.capping import capped, capped_error
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.nation import ENGLAND
from outcomes_analysis.index.specification import IndexSpec
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

    @property
    def scores(self) -> pd.DataFrame:
        """Areas by nodes: the estimates alone."""
        return pd.DataFrame({k: v.estimate for k, v in self.nodes.items()}, index=self.matrix.values.index)

    @property
    def domains(self) -> tuple[str, ...]:
        """Ids of the domains scored, in the framework's order."""
        return tuple(k for k, v in self.nodes.items() if v.kind == "domain")


def _taking_part(matrix: IndicatorMatrix, spec: IndexSpec) -> list[str]:
    """Indicators that enter, after the spec's additions and omissions; a neutral one needs a direction."""
    framework = matrix.framework
    unknown = [n for n in (*spec.include, *spec.exclude) if n not in {i.id for i in framework.indicators}]
    if unknown:
        message = f"{len(unknown)} indicators named in the specification are unknown: {several(unknown)}."
        raise SpecError(message)
    absent = [n for n in spec.include if n not in matrix.values.columns]
    if absent:
        message = f"Not in the matrix: {several(absent)}. Pass them to build_matrix(..., include=[...]) as well."
        raise SpecError(message)
    directions = dict(spec.directions)
    neutral = [n for n in spec.include if framework.indicator(n).direction == 0 and n not in directions]
    if neutral:
        message = (
            f"{several(neutral)} have no agreed direction. Say which way is better, for instance "
            f"directions=(('{neutral[0]}', -1),), and say so wherever the result is shown."
        )
        raise SpecError(message)
    kept = []
    for name in matrix.values.columns:
        indicator = framework.indicator(name)
        if name in spec.exclude or not (indicator.scored or name in spec.include):
            continue
        if spec.contested == "exclude" and indicator.contested and name not in spec.include:
            continue
        if indicator.outcome:
            kept.append(name)
    if not kept:
        message = "No indicator is left after the specification's omissions."
        raise SpecError(message)
    return kept


def _score(
    node: Node, kind: str, scores: pd.DataFrame, errors: pd.DataFrame, weights: pd.DataFrame, spec: IndexSpec
) -> NodeScore:
    """One node above the indicators; the last row of scores and errors is England."""
    z, e = scores[weights.index].to_numpy(float), errors[weights.index].to_numpy(float)
    present = np.isfinite(z)
    effective = effective_weights(present, weights)
    share = availability(present, weights)
    mean = weighted_mean(z, effective, method=spec.aggregation)
    moved = effective * slope_of_mean(z, effective, mean, method=spec.aggregation)
    error = mean_error(e, np.nan_to_num(moved), weights["group"].tolist())
    enough = share >= spec.availability - 1e-12
    mean, error = np.where(enough, mean, np.nan), np.where(enough, error, np.nan)
    return NodeScore(
        node=node,
        kind=kind,
        estimate=mean[:-1],
        error=error[:-1],
        weights=weights,
        effective=effective[:-1],
        availability=share[:-1],
        experimental=node.experimental,
        england=float(mean[-1]),
        england_error=float(error[-1]),
    )


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
        england=float(np.mean([p.england for p in parts])),
        england_error=float(np.sqrt(np.sum([p.england_error**2 for p in parts])) / len(parts)),
    )


def _with_england(matrix: IndicatorMatrix, spec: IndexSpec) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Standardised scores and errors as published, directions applied; the last row is England."""
    areas, nation = matrix.standardised(), matrix.england_standardised()
    scores, errors = (pd.concat([a, n.to_frame(ENGLAND).T.astype(float)]) for a, n in zip(areas, nation, strict=True))
    for name, direction in spec.directions:
        if matrix.framework.indicator(name).direction == 0 and name in scores:
            scores[name] = scores[name] * direction
    return scores, errors


def _without_ends(score: NodeScore, ends: pd.DataFrame, small: np.ndarray) -> NodeScore:
    """Take away scores of places too small to rank where capped figures make up most: they say "far out", not where."""
    there = ends[score.weights.index].iloc[:-1].to_numpy(bool)
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


def _rows(name: str, score: NodeScore, matrix: IndicatorMatrix, spec: IndexSpec) -> pd.DataFrame:
    areas = matrix.areas
    z = norm.ppf(0.5 + spec.level / 2)
    computed = np.isfinite(score.estimate)
    contested = isinstance(score.node, Indicator) and bool(
        score.node.contested
    )  # no best place where "best" is disputed
    ranked = computed & areas["ranked"].to_numpy(bool) & (not score.experimental) & (not contested)
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
    return (
        f"Scores as measured by the end of {newest}, with figures from {oldest} on: {listed(counts)}. "
        f"{spec.describe()}{capped_told(capped_cells, spec)}{unsure_told(matrix, leaves)} "
        f"{england_told(matrix, leaves)} "
        f"Intervals are {spec.level:.0%} intervals from the figures' sampling and year-to-year variation. "
        f"{matrix.framework.notice}"
    )


def build_index(matrix: IndicatorMatrix, *, spec: IndexSpec | None = None) -> IndexResult:
    """Score every domain, outcome and indicator in every authority.

    Parameters
    ----------
    matrix : IndicatorMatrix
        Figures with their errors.
    spec : IndexSpec, optional
        Choices; the defaults are equal weights, the arithmetic mean and no overall index.

    Returns
    -------
    IndexResult
        Scores run higher = better; 0 is England in the base period, 1 a standard deviation between authorities.

    Raises
    ------
    SpecError
        If the specification names unknown or directionless indicators, or leaves none.

    Notes
    -----
    Missing figures are not filled in: the rest of the outcome stands in for them (see
    :func:`~outcomes_analysis.index.aggregation.effective_weights`), and a domain with less than
    ``spec.availability`` of its weight is not computed. The order of steps is that of the OECD/JRC Handbook on
    Constructing Composite Indicators (2008).
    """
    spec = spec or IndexSpec()
    taking_part = _taking_part(matrix, spec)
    framework = matrix.framework
    published, published_error = (frame[taking_part] for frame in _with_england(matrix, spec))
    scores = published.copy(deep=True)
    errors = published_error.copy(deep=True)
    scores[:] = capped(published.to_numpy(float), spec.cap)
    errors[:] = capped_error(published.to_numpy(float), published_error.to_numpy(float), spec.cap)
    nodes: dict[str, NodeScore] = {}
    for domain in framework.domains:
        weights = leaf_weights(framework, domain.id, indicators=taking_part)
        if weights.empty:
            continue
        nodes[domain.id] = _score(domain, "domain", scores, errors, weights, spec)
    for node in framework.nodes:
        if node.parent is None or framework.domain_of(node.id) not in nodes:
            continue
        weights = leaf_weights(framework, node.id, indicators=taking_part)
        if not weights.empty:
            part = _score(node, "outcome", scores, errors, weights, spec)
            nodes[node.id] = replace(part, experimental=nodes[framework.domain_of(node.id)].experimental)
    for name in taking_part:
        indicator = framework.indicator(name)
        nodes[name] = _indicator_score(indicator, published, published_error)
    if spec.overall:
        nodes[OVERALL] = _overall(nodes)
    capped_cells = _capped_cells(published.iloc[:-1], scores.iloc[:-1], matrix)
    small = ~matrix.areas["ranked"].to_numpy(bool)
    nodes = {k: v if v.kind == "indicator" else _without_ends(v, published != scores, small) for k, v in nodes.items()}
    table = pd.concat([_rows(k, v, matrix, spec) for k, v in nodes.items()], ignore_index=True)
    return IndexResult(
        table=table,
        text=_text(table, matrix, spec, nodes, capped_cells),
        spec=spec,
        manifest=replace(matrix.manifest, spec=spec.hash),
        matrix=matrix,
        nodes=nodes,
        counted=scores.iloc[:-1],
        counted_error=errors.iloc[:-1],
        capped=capped_cells,
    )
