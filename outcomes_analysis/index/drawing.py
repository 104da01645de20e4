"""How sure a rank is: draws of what the figures allow, and of what other weights would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from outcomes_analysis.index.aggregation import random_weights
from outcomes_analysis.index.building import IndexResult, NodeScore, competition_rank
from outcomes_analysis.index.specification import IndexSpec
from outcomes_analysis.observations.shrinkage import empirical_bayes
from outcomes_analysis.project import DRAWS, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import plural

BLOCK = 1_000  # draws handled at once: keeps memory small and the processor's cache warm


@dataclass(frozen=True)
class RankDraws:
    """Ranks the figures allow, from draws.

    Attributes
    ----------
    rank_lower, rank_upper : ndarray, shape (areas,)
        Interval of the rank (1 = best).
    p_bottom_fifth, p_top_fifth : ndarray, shape (areas,)
        Chance of being among the lowest or highest fifth.
    expected : ndarray, shape (areas,)
        Score once drawn towards the average by how unsure it is (posterior mean).
    expected_rank : ndarray, shape (areas,)
        Mean rank over the draws.
    reliability : float
        Share of the spread between places that is not noise.
    """

    rank_lower: np.ndarray
    rank_upper: np.ndarray
    p_bottom_fifth: np.ndarray
    p_top_fifth: np.ndarray
    expected: np.ndarray
    expected_rank: np.ndarray
    reliability: float


@dataclass(frozen=True)
class UncertaintyResult:
    """Scores and ranks with what the figures leave open.

    Attributes
    ----------
    table : DataFrame
        One row a node and area: ``estimate, lower, upper, level, interval`` (``figures``), ``rank, rank_lower,
        rank_upper, p_bottom_fifth, p_top_fifth, expected, expected_rank, method_lower, method_upper,
        status``; ``method_*`` bound the rank under weights drawn around equal and are never mixed with the
        others. Ranks are NaN where a node or place is not ranked.
    method : DataFrame
        Scores and ranks under weights drawn around equal, in the same columns with ``interval = method``.
    reliability : Series
        By node: share of the spread between authorities that is not noise.
    text, spec, manifest
        As in every result.
    """

    table: pd.DataFrame
    method: pd.DataFrame
    reliability: pd.Series
    text: str
    spec: IndexSpec
    manifest: RunManifest


def draw_ranks(
    estimate: np.ndarray, error: np.ndarray, *, draws: int, rng: np.random.Generator, level: float
) -> RankDraws:
    """Draw what the true scores may be, and rank them.

    The field of places is drawn from the empirical-Bayes posterior, which has the spread that the true scores
    have: noise added to published values would spread them too far. Chances of a fifth come from that field.
    The interval of one place's rank sets its own figure, with its own error, against that field: drawing the
    place itself towards the average as well would cover the places that truly are extreme too seldom (66 to
    84 % instead of 90 % at reliabilities of .45 to .8; ``tests/index`` holds the simulation).

    Parameters
    ----------
    estimate, error : ndarray, shape (areas,)
        Scores (higher = better) and standard errors, all finite.
    draws : int
        Number of draws.
    rng : Generator
        Source of randomness.
    level : float
        Level of the rank interval.

    Returns
    -------
    RankDraws
    """
    posterior = empirical_bayes(estimate, error**2)
    n = len(estimate)
    fifth = n / 5
    rank_sum, bottom, top = np.zeros(n), np.zeros(n), np.zeros(n)
    own_ranks = np.empty((draws, n), dtype=np.int16)
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        noise = rng.standard_normal((2, size, n))
        field = posterior.mean + posterior.sd * noise[0]
        own = estimate + error * noise[1]
        order = np.argsort(-field, axis=1)
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(1, n + 1)[None, :], axis=1)
        rank_sum += ranks.sum(axis=0)
        bottom += (ranks > n - fifth).sum(axis=0)
        top += (ranks <= fifth).sum(axis=0)
        own_ranks[start : start + size] = _rank_among(own, field)
    tail = (1 - level) / 2
    own_ranks.sort(axis=0)
    lower = own_ranks[int(np.floor(tail * (draws - 1)))]
    upper = own_ranks[int(np.ceil((1 - tail) * (draws - 1)))]
    return RankDraws(
        rank_lower=lower.astype(float),
        rank_upper=upper.astype(float),
        p_bottom_fifth=bottom / draws,
        p_top_fifth=top / draws,
        expected=np.asarray(posterior.mean, dtype=float),
        expected_rank=rank_sum / draws,
        reliability=float(np.mean(posterior.reliability)),
    )


def _rank_among(own: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Rank of each place's own draw among the other places of the field, draw by draw."""
    size, n = own.shape
    both = np.argsort(np.concatenate([field, own], axis=1), axis=1)
    is_field = both < n
    above = n - np.cumsum(is_field, axis=1)  # field values higher than this position
    counts = np.empty((size, n), dtype=np.int64)
    rows, positions = np.nonzero(~is_field)
    counts[rows, both[rows, positions] - n] = above[rows, positions]
    return 1 + counts - (field > own)


def _method_spread(
    score: NodeScore, z: np.ndarray, rankable: np.ndarray, *, draws: int, rng: np.random.Generator, level: float
) -> dict[str, np.ndarray]:
    """Scores and ranks under weights drawn around equal (published figures, no noise)."""
    drawn = random_weights(score.weights, draws=draws, rng=rng)
    present = np.isfinite(z)
    total = present.astype(float) @ drawn.T
    scores = np.divide(np.nan_to_num(z) @ drawn.T, total, out=np.full_like(total, np.nan), where=total > 0)
    tail = (1 - level) / 2
    quantiles = [tail, 1 - tail]
    ranks = pd.DataFrame(scores[rankable]).rank(ascending=False, method="min").to_numpy()
    result = {k: np.full(len(z), np.nan) for k in ("lower", "upper", "rank_lower", "rank_upper")}
    result["lower"], result["upper"] = np.quantile(scores, quantiles, axis=1)
    if rankable.any():
        low, high = np.quantile(ranks, quantiles, axis=1)
        result["rank_lower"][rankable], result["rank_upper"][rankable] = np.floor(low), np.ceil(high)
    return result


def _node_rows(
    name: str, index: IndexResult, z: pd.DataFrame, *, draws: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    score, level = index.nodes[name], index.spec.level
    rows = index.table[index.table["node_id"] == name].reset_index(drop=True)
    rankable = rows["ranked"].to_numpy(bool)
    empty = np.full(len(rows), np.nan)
    columns = {
        k: empty.copy()
        for k in ("rank_lower", "rank_upper", "p_bottom_fifth", "p_top_fifth", "expected", "expected_rank")
    }
    reliability = np.nan
    # a node that is not ranked still gets its expected score, from the places of ordinary size
    usable = rankable | (np.isfinite(score.estimate) & index.matrix.areas["ranked"].to_numpy(bool))
    if usable.sum() >= 10:
        found = draw_ranks(score.estimate[usable], score.error[usable], draws=draws, rng=rng, level=level)
        reliability = found.reliability
        columns["expected"][usable] = found.expected
        if rankable.any():
            for key in columns:
                columns[key][usable] = getattr(found, key)
    spread = _method_spread(
        score, z[score.weights.index].to_numpy(float), rankable, draws=min(draws, 2_000), rng=rng, level=level
    )
    computed = np.isfinite(score.estimate)
    figures = rows.assign(
        **columns,
        method_lower=spread["rank_lower"],
        method_upper=spread["rank_upper"],
    )
    method = rows.assign(
        interval="method",
        lower=np.where(computed, spread["lower"], np.nan),
        upper=np.where(computed, spread["upper"], np.nan),
        rank_lower=spread["rank_lower"],
        rank_upper=spread["rank_upper"],
    )
    return figures, method, reliability


def uncertainty(
    index: IndexResult, *, draws: int = DRAWS, seed: int = SEED, nodes: Sequence[str] | None = None
) -> UncertaintyResult:
    """Put an interval on every score and rank.

    Parameters
    ----------
    index : IndexResult
        Scores with their errors.
    draws : int
        Draws of what the figures allow; at most 2,000 of the weights.
    seed : int
        Seed; the same seed gives the same result whatever the number of processors.
    nodes : sequence of str, optional
        Nodes to treat; the domains (and the overall, if asked for) by default.

    Returns
    -------
    UncertaintyResult

    Notes
    -----
    Score intervals are score +/- z times the standard error (sampling and year-to-year). For ranks see
    :func:`draw_ranks`. City of London and the Isles of Scilly are not ranked, nor is an experimental node.
    """
    names = list(nodes) if nodes is not None else [k for k, v in index.nodes.items() if v.kind in ("domain", "overall")]
    z = index.matrix.standardised()[0]
    for name, direction in index.spec.directions:
        if index.matrix.framework.indicator(name).direction == 0 and name in z:
            z[name] = z[name] * direction
    figures, method, reliability = [], [], {}
    for position, name in enumerate(names):
        rng = np.random.default_rng([seed, position])
        rows, spread, reliability[name] = _node_rows(name, index, z, draws=draws, rng=rng)
        figures.append(rows)
        method.append(spread)
    table = pd.concat(figures, ignore_index=True)
    return UncertaintyResult(
        table=table,
        method=pd.concat(method, ignore_index=True),
        reliability=pd.Series(reliability, name="reliability"),
        text=_text(table, pd.Series(reliability), index),
        spec=index.spec,
        manifest=replace(index.manifest, seed=seed),
    )


def _text(table: pd.DataFrame, reliability: pd.Series, index: IndexResult) -> str:
    sentences = []
    for name, rows in table[table["ranked"]].groupby("node_id", sort=False):
        width = (rows["rank_upper"] - rows["rank_lower"] + 1).median()
        sure = int((rows["p_bottom_fifth"] > 0.8).sum())
        sentences.append(
            f"{rows['node_label'].iloc[0]}: "
            f"half of the authorities have a rank interval of {width:.0f} places or more out of {len(rows)}; "
            f"{plural(sure, 'authority has', 'authorities have')} more than 8 chances in 10 of being in the lowest "
            f"fifth; about {reliability[str(name)]:.0%} of the spread between authorities is not noise."
        )
    head = f"Ranks with {index.spec.level:.0%} intervals from the figures' sampling and year-to-year variation."
    return " ".join([head, *sentences, index.matrix.framework.notice])


__all__ = ["RankDraws", "UncertaintyResult", "competition_rank", "draw_ranks", "uncertainty"]
