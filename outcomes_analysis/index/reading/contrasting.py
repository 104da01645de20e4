"""Two indices side by side (years, specifications, weight sets): who moves, how far, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.building import IndexResult, competition_rank
from outcomes_analysis.index.reading.decomposing import Cells, cells, difference, pieces
from outcomes_analysis.index.specifying.spec_wording import choice_told
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.aggregation import weighted_mean
from outcomes_analysis.observations.scales import Floats
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import associational, listed, number, plural, signed

PART_COLUMNS = ["node_id", "area_code", "indicator_id", "reason", "contribution"]
REASONS = ("figures", "weights", "method")
FEWEST = 3  # places below which a correlation says nothing


@dataclass(frozen=True)
class ContrastResult:
    """How two indices differ.

    Attributes
    ----------
    table : DataFrame
        One row a node and area of both: ``node_id, node_label, kind, area_code, area_name, region_name, first, second``
        (scores), ``difference`` (second less first), ``rank_first, rank_second`` (1 = best, among the places both
        indices rank), ``shift`` (places gained in the second), ``figures, weights, method`` (parts that add up to the
        difference: other figures or another standard; other weights, or others present; another mean), ``why`` (the
        indicators that weigh most in it) and ``status``.
    nodes : DataFrame
        By node: ``n`` (places of ordinary size with both scores), ``pearson, spearman, kendall`` of the scores,
        ``mean_shift, median_shift, largest_shift`` (places, either way), ``same_fifth`` (share of places in the same
        fifth).
    parts : DataFrame
        One row an area, indicator and reason, for domains, outcomes and the overall: ``node_id, area_code,
        indicator_id, reason, contribution``; ``method`` belongs to no indicator.
    names : tuple of str
        What the two are called.
    text : str
        Findings in words.
    spec : IndexSpec
        Of the second.
    manifest : RunManifest
        Of the second.
    """

    table: pd.DataFrame
    nodes: pd.DataFrame
    parts: pd.DataFrame
    names: tuple[str, str]
    text: str
    spec: IndexSpec
    manifest: RunManifest


def compare_indices(
    first: IndexResult,
    second: IndexResult,
    *,
    names: tuple[str, str] | None = None,
    nodes: Sequence[str] | None = None,
    top: int = 3,
) -> ContrastResult:
    """Set two indices side by side.

    Parameters
    ----------
    first, second : IndexResult
        Of two years, two specifications or two sets of weights; what differs is found and named.
    names : tuple of str, optional
        What to call them; their years, else "first" and "second".
    nodes : sequence of str, optional
        Nodes to compare; all that both have by default.
    top : int
        Indicators to name as the reason of each move, and movers to name in the text.

    Returns
    -------
    ContrastResult
        Nodes and areas that both have. Ranks are given anew among the places both rank, so that a place gained is
        never one that only dropped out. Whether a place's change over time is more than noise is the question of
        :func:`~outcomes_analysis.index.years.changing.index_change`.

    Raises
    ------
    SpecError
        If the two have no node or no area in common.

    Notes
    -----
    With the same mean in both, a difference splits exactly (:mod:`~outcomes_analysis.index.reading.decomposing`). With
    another mean, the second's figures and weights are first put through the first's mean; what is left is
    ``method``.
    """
    shared = [n for n in first.nodes if n in second.nodes and (nodes is None or n in nodes)]
    absent = [n for n in nodes or () if n not in shared]
    if absent:
        message = f"{len(absent)} nodes are not in both indices: {several(absent)}."
        raise SpecError(message)
    areas = first.matrix.areas.index[first.matrix.areas.index.isin(second.matrix.areas.index)]
    if not shared or not len(areas):
        message = "The two indices have no node or no area in common, so there is nothing to compare."
        raise SpecError(message)
    called = names or _names(first, second)
    ordinary = second.matrix.areas["ranked"].reindex(areas).to_numpy(bool)
    frames, parts, summary = [], [], {}
    for name in shared:
        rows, split = _node(first, second, name, areas, top)
        frames.append(rows)
        summary[name] = _summary(rows[ordinary])
        if first.nodes[name].kind != "indicator":
            parts.append(split)
    table = pd.concat(frames, ignore_index=True)
    alike = pd.DataFrame.from_dict(summary, orient="index").rename_axis("node_id")
    return ContrastResult(
        table=table,
        nodes=alike,
        parts=pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PART_COLUMNS),
        names=called,
        text=_text(first, second, called, table, alike, top),
        spec=second.spec,
        manifest=second.manifest,
    )


def _names(first: IndexResult, second: IndexResult) -> tuple[str, str]:
    if first.matrix.period != second.matrix.period:
        return str(first.matrix.period), str(second.matrix.period)
    return "first", "second"


def _node(
    first: IndexResult, second: IndexResult, name: str, areas: pd.Index, top: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of one node, and its split into indicators and reasons."""
    scores = [np.zeros(len(areas)), np.zeros(len(areas))]
    sums = {reason: np.zeros(len(areas)) for reason in REASONS}
    columns: list[str] = []
    amounts: dict[str, list[Floats]] = {"figures": [], "weights": []}
    for factor, piece in pieces(second, name):
        a, b = cells(first, piece, areas=areas), cells(second, piece, areas=areas)
        union = [*a.indicators, *(i for i in b.indicators if i not in a.indicators)]
        a, b = a.on(union), b.on(union)
        moved, counted = difference(a, _by_the_mean_of(a, b))
        columns += union
        for reason, part in (("figures", moved), ("weights", counted)):
            amounts[reason].append(factor * part)
            sums[reason] += factor * part.sum(axis=1)
        scores[0] += factor * a.estimate
        scores[1] += factor * b.estimate
    gap = scores[1] - scores[0]
    # Exactly 0 under one mean, but for rounding.
    sums["method"] = gap - sums["figures"] - sums["weights"]
    if first.nodes[name].mean == second.nodes[name].mean:
        sums["method"] = np.where(np.isfinite(gap), 0.0, np.nan)
    whole = {reason: np.hstack(part) for reason, part in amounts.items()}
    rows = second.table[second.table["node_id"] == name].set_index("area_code").reindex(areas).reset_index()
    before = first.table[first.table["node_id"] == name].set_index("area_code").reindex(areas)
    ranked = before["ranked"].to_numpy(bool) & rows["ranked"].to_numpy(bool)
    ranks = [competition_rank(np.where(ranked, s, np.nan)) for s in scores]
    table = rows[["node_id", "node_label", "kind", "area_code", "area_name", "region_name"]].assign(
        first=scores[0],
        second=scores[1],
        difference=gap,
        rank_first=ranks[0],
        rank_second=ranks[1],
        shift=ranks[0] - ranks[1],
        **sums,
        why=pd.Series(_reasons(whole["figures"] + whole["weights"], gap, columns, top), dtype="str"),
        status=np.where(np.isfinite(gap), np.where(ranked, "computed", "not_ranked"), "not_computed"),
    )
    return table, _split(name, areas, columns, whole, sums["method"])


def _by_the_mean_of(first: Cells, second: Cells) -> Cells:
    """The second's cells under the first's mean."""
    if first.method == second.method:
        return second
    mean = weighted_mean(second.scores, second.weights, method=first.method)
    estimate = np.where(np.isfinite(second.estimate), mean, np.nan)
    return Cells(**{**vars(second), "estimate": estimate, "method": first.method})


def _reasons(amounts: Floats, gap: Floats, indicators: list[str], top: int) -> list[str]:
    """The indicators that weigh most in each difference, in its direction."""
    towards = np.nan_to_num(amounts) * np.sign(np.nan_to_num(gap))[:, None]
    order = np.argsort(-towards, axis=1, kind="stable")[:, :top]
    # A share of a difference that is itself rounding is no reason.
    least = np.maximum(1e-12, 0.01 * np.abs(np.nan_to_num(gap)))
    return ["; ".join(indicators[j] for j in row if towards[i, j] > least[i]) for i, row in enumerate(order)]


def _split(
    name: str, areas: pd.Index, indicators: list[str], amounts: dict[str, Floats], method: Floats
) -> pd.DataFrame:
    frames = []
    for reason, table in (*amounts.items(), ("method", method[:, None])):
        rows, columns = np.nonzero(np.nan_to_num(table))
        named = [""] if reason == "method" else indicators
        frames.append(
            pd.DataFrame(
                {
                    "node_id": name,
                    "area_code": np.asarray(areas, dtype=str)[rows],
                    "indicator_id": np.asarray(named, dtype=str)[columns],
                    "reason": reason,
                    "contribution": table[rows, columns],
                }
            )
        )
    text = dict.fromkeys(("node_id", "area_code", "indicator_id", "reason"), "str")
    return pd.concat(frames, ignore_index=True).astype(text)


def _summary(rows: pd.DataFrame) -> dict[str, float]:
    """How alike the two are over the places given; ranks and fifths over those both rank."""
    both = rows[rows["status"] != "not_computed"]
    ranked = rows[rows["status"] == "computed"]
    shift = ranked["shift"].abs()
    n = len(ranked)
    fifths = [np.ceil(5 * ranked[column] / max(n, 1)) for column in ("rank_first", "rank_second")]
    found: dict[str, float] = {"n": len(both)}
    for kind in ("pearson", "spearman", "kendall"):
        enough = len(both) >= FEWEST and both["first"].std() > 0 and both["second"].std() > 0
        found[kind] = float(both["first"].corr(both["second"], method=kind)) if enough else np.nan
    return found | {
        "mean_shift": float(shift.mean()),
        "median_shift": float(shift.median()),
        "largest_shift": float(shift.max()),
        "same_fifth": float((fifths[0] == fifths[1]).mean()) if n else np.nan,
    }


def _differences(first: IndexResult, second: IndexResult) -> str:
    """What the two were built with differently."""
    found = []
    if first.matrix.period != second.matrix.period:
        found.append(f"the year ({first.matrix.period}, {second.matrix.period})")
    for key in type(first.spec).model_fields:
        a, b = getattr(first.spec, key), getattr(second.spec, key)
        if a != b:
            found.append(f"{key.replace('_', ' ')} ({_short(a)}, {_short(b)})")
    weights = [
        n for n in first.domains if n in second.nodes and not first.nodes[n].weights.equals(second.nodes[n].weights)
    ]
    if weights:
        found.append(f"the weights in {listed(weights)}")
    return f"They differ in {listed(found)}." if found else "They are built alike."


def _short(value: object) -> str:
    text = choice_told(value)
    return (text[:57] + "...") if len(text) > 60 else text


def _text(
    first: IndexResult,
    second: IndexResult,
    names: tuple[str, str],
    table: pd.DataFrame,
    nodes: pd.DataFrame,
    top: int,
) -> str:
    framework = second.matrix.framework
    sentences = [f"Two indices side by side: {names[0]} and {names[1]}. {_differences(first, second)}"]
    shown = table[table["kind"].isin(["domain", "overall"])]
    for name, rows in shown.groupby("node_id", sort=False):
        found = nodes.loc[str(name)]
        start = f"{rows['node_label'].iloc[0]}: correlation of the scores {number(found['pearson'], 2)}"
        ranked = rows[rows["shift"].notna()]
        if ranked.empty:
            sentences.append(f"{start} (not ranked).")
            continue
        movers = ranked[ranked["shift"] != 0]
        movers = movers.loc[movers["shift"].abs().sort_values(ascending=False, kind="stable").index].head(top)
        who = f" Furthest: {'; '.join(_mover(row, framework) for _, row in movers.iterrows())}." if len(movers) else ""
        sentences.append(
            f"{start}, of the ranks {number(found['spearman'], 2)}; the middle place moves by "
            f"{plural(round(found['median_shift']), 'place', 'places')}, {found['same_fifth']:.0%} stay in their "
            f"fifth.{who}"
        )
    return associational(" ".join([*sentences, framework.notice]))


def _mover(row: pd.Series, framework: Framework) -> str:
    reasons = [framework.indicator(name).name for name in row["why"].split("; ") if name]
    why = f", mostly {listed(reasons[:2])}" if reasons else ""
    return f"{row['area_name']} ({signed(row['shift'], 0)} places{why})"
