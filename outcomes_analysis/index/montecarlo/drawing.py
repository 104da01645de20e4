"""How sure a rank is: draws of what the figures allow, and of what other weights would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import norm

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.building import IndexResult, NodeScore, competition_rank
from outcomes_analysis.index.montecarlo.factors import Factor
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.kernels import ranks_both
from outcomes_analysis.index.montecarlo.nominal import index_model, method_factors
from outcomes_analysis.index.montecarlo.rank_sets import RankSets, rank_confidence_sets
from outcomes_analysis.index.montecarlo.replicates import Replicates, replicate
from outcomes_analysis.index.montecarlo.tallies import WIDER
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.observations.shrinkage import empirical_bayes
from outcomes_analysis.project import DRAWS, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import plural

METHOD_DRAWS = 2_048  # a power of 2 fills the space of choices most evenly
FEWEST = 10  # places below which no rank is drawn
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
        status``; ``method_*`` bound the rank under other methods and are never mixed with the
        others. Ranks are NaN where a node or place is not ranked. ``against_england_agreed, standing`` and the other
        columns of the index's table (:class:`~outcomes_analysis.index.scores.IndexResult`); ``rank_agreed,
        rank_lower_agreed, rank_upper_agreed`` are ranks without contested indicators, from the same draws.
    method : DataFrame
        Scores and ranks under other methods, in the same columns with ``interval = method``.
    reliability : Series
        By node: share of the spread between authorities that is not noise.
    text, spec, manifest
        As in every result.
    method_replicates : Replicates
        The draws of method behind ``method``: what each did (``.choices``), acceptability of ranks, convergence.
    index : IndexResult
        What was drawn.
    """

    table: pd.DataFrame
    method: pd.DataFrame
    reliability: pd.Series
    text: str
    spec: IndexSpec
    manifest: RunManifest
    method_replicates: Replicates
    index: IndexResult

    @cached_property
    def both_replicates(self) -> Replicates:
        """Draws in which figures and method vary together; made when first asked for.

        The figures are drawn before they are normalised, each indicator with its own error.
        """
        method = self.method_replicates
        return replicate(
            method.model,
            factors=method.factors,
            figures=FigureDraws(),
            draws=len(method.choices),
            seed=method.seed,
            level=self.spec.level,
        )

    @cached_property
    def both(self) -> pd.DataFrame:
        """Scores and ranks with figures and method varied together, in the columns of ``table`` (``interval = both``).

        Chances of a fifth are those of the draws. Nodes that are not above the indicators are left out.
        """
        columns = ["lower", "upper", "rank_lower", "rank_upper", "p_bottom_fifth", "p_top_fifth"]
        found = self.both_replicates.table.set_index(["node_id", "area_code"])[columns]
        rows = self.method[self.method["node_id"].isin(found.index.get_level_values("node_id").unique())]
        values = found.reindex(pd.MultiIndex.from_frame(rows[["node_id", "area_code"]]))
        result = rows.assign(interval="both", **{c: values[c].to_numpy(float) for c in columns})
        result.loc[~result["ranked"], columns[2:]] = np.nan
        return result.reset_index(drop=True)

    def rank_sets(self, node: str) -> RankSets:
        """Confidence sets for ranks, of one place and of all at once, and which places can be told apart.

        Of the authorities that are ranked; see ``rank_confidence_sets``.
        """
        rows = self.table[(self.table["node_id"] == node) & self.table["ranked"]]
        if rows.empty:
            message = (
                f"'{node}' is not ranked here, so there are no sets of its ranks; ranked: {several(self._ranked)}."
            )
            raise SpecError(message)
        score = self.index.nodes[node]
        error = pd.Series(score.error, index=self.index.matrix.values.index)[rows["area_code"]]
        estimate = pd.Series(rows["estimate"].to_numpy(float), index=rows["area_code"])
        return rank_confidence_sets(estimate, error, level=self.spec.level, seed=self.method_replicates.seed)

    @property
    def _ranked(self) -> list[str]:
        return list(self.table.loc[self.table["ranked"], "node_id"].unique())

    def chance_above(self, node: str) -> pd.DataFrame:
        """Chance that the row's authority truly stands above the column's, from the figures alone.

        Returns
        -------
        DataFrame
            Authorities by authorities (NaN on the diagonal), from the posterior of each pair: normal about the expected
            scores, after empirical Bayes.
        """
        rows = self.table[(self.table["node_id"] == node) & self.table["expected"].notna()]
        score = self.index.nodes[node]
        places = self.index.matrix.values.index.get_indexer(pd.Index(rows["area_code"]))
        posterior = empirical_bayes(score.estimate[places], score.error[places] ** 2)
        away = posterior.mean[:, None] - posterior.mean
        spread = np.sqrt(posterior.sd[:, None] ** 2 + posterior.sd**2)
        chance = norm.cdf(np.divide(away, spread, out=np.sign(away) * 40.0, where=spread > 0))
        np.fill_diagonal(chance, np.nan)
        return pd.DataFrame(chance, index=rows["area_code"].to_numpy(), columns=rows["area_code"].to_numpy())


def draw_ranks(
    estimate: np.ndarray, error: np.ndarray, *, draws: int, rng: np.random.Generator, level: float
) -> RankDraws:
    """Draw what the true scores may be, and rank them.

    The field of places is drawn from the empirical-Bayes posterior, which has the spread that the true scores
    have: noise added to published values would spread them too far. Chances of a fifth come from that field.

    The interval of a place's rank is that of two ways of drawing the place itself, in equal parts: from the
    posterior too, and from its own figure with its own error. The first alone covers the places that truly are
    extreme too seldom (66 to 86 % instead of 90 % at reliabilities of .45 to .8), the second alone contradicts the
    chances of a fifth. Together they err on the wide side, so that tails of 1.4 times the nominal ones
    (:data:`WIDER`) make 90 % intervals cover 90 % (``tests/index`` holds the simulation). An interval that leaves
    out a fifth therefore never comes with a chance of more than 2.8 times the nominal tail of being in it (14 % at a
    level of 90 %), and one that lies inside it never with a chance of less than the rest of that.

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
    starts = np.arange(n) * (n + 1)
    tally = np.zeros((2, n * (n + 1)), dtype=np.int64)  # how often each place takes each rank: field, own
    for start in range(0, draws, BLOCK):
        noise = rng.standard_normal((2, min(BLOCK, draws - start), n))
        drawn = ranks_both(estimate + error * noise[1], posterior.mean + posterior.sd * noise[0])
        for count, ranks in zip(tally, drawn, strict=True):
            count += np.bincount((ranks + starts).ravel(), minlength=len(count))
    field, own = tally.reshape(2, n, n + 1)
    so_far = np.cumsum(field + own, axis=1) / (2 * draws)
    tail = min(WIDER * (1 - level) / 2, 0.5)
    # sums of shares are rounded: a tail of exactly 7 % must count as one
    lower = (so_far > tail - 1e-12).argmax(axis=1)
    upper = (so_far >= 1 - tail - 1e-12).argmax(axis=1)
    places = np.arange(n + 1)
    return RankDraws(
        rank_lower=lower.astype(float),
        rank_upper=upper.astype(float),
        p_bottom_fifth=field[:, places > n - fifth].sum(axis=1) / draws,
        p_top_fifth=field[:, (places >= 1) & (places <= fifth)].sum(axis=1) / draws,
        expected=np.asarray(posterior.mean, dtype=float),
        expected_rank=field @ places / draws,
        reliability=float(np.mean(posterior.reliability)),
    )


def _method_spread(name: str, rows: pd.DataFrame, method: Replicates) -> dict[str, np.ndarray]:
    """Bounds of scores and ranks under other methods (published figures, no noise); NaN where not ranked."""
    columns = ["lower", "upper", "rank_lower", "rank_upper"]
    found = method.table[method.table["node_id"] == name].set_index("area_code")[columns].reindex(rows["area_code"])
    if found.isna().all(axis=None):  # a single indicator: no choice of method touches it
        certain = rows.set_index("area_code")
        found = pd.DataFrame({c: certain["rank" if "rank" in c else "estimate"] for c in columns})
    result = {c: found[c].to_numpy(float, copy=True) for c in columns}
    for column in ("rank_lower", "rank_upper"):
        result[column][~rows["ranked"].to_numpy(bool)] = np.nan
    return result


def _node_rows(
    name: str, index: IndexResult, method: Replicates, *, draws: int, rng: np.random.Generator
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
    if usable.sum() >= FEWEST:
        found = draw_ranks(score.estimate[usable], score.error[usable], draws=draws, rng=rng, level=level)
        reliability = found.reliability
        columns["expected"][usable] = found.expected
        if rankable.any():
            for key in columns:
                columns[key][usable] = getattr(found, key)
    spread = _method_spread(name, rows, method)
    computed = np.isfinite(score.estimate)
    figures = rows.assign(
        **columns,
        method_lower=spread["rank_lower"],
        method_upper=spread["rank_upper"],
    )
    other = rows.assign(
        interval="method",
        lower=np.where(computed, spread["lower"], np.nan),
        upper=np.where(computed, spread["upper"], np.nan),
        rank_lower=spread["rank_lower"],
        rank_upper=spread["rank_upper"],
    )
    return figures, other, reliability


def _agreed_ranks(
    rows: pd.DataFrame, score: NodeScore, draws: int, rng: np.random.Generator, level: float
) -> dict[str, np.ndarray]:
    """Ranks of a node without its contested indicators, among the places ranked with them; NaN elsewhere."""
    names = ("rank", "rank_lower", "rank_upper")
    if score.agreed is None:
        nothing = score.contested > 0  # all of it is contested
        return {f"{n}_agreed": np.full(len(rows), np.nan) if nothing else rows[n].to_numpy(float) for n in names}
    found = {f"{n}_agreed": np.full(len(rows), np.nan) for n in names}
    estimate, error = score.agreed.estimate, score.agreed.error
    usable = rows["ranked"].to_numpy(bool) & np.isfinite(estimate) & np.isfinite(error)
    if usable.sum() < FEWEST:
        return found
    drawn = draw_ranks(estimate[usable], error[usable], draws=draws, rng=rng, level=level)
    parts = (competition_rank(estimate[usable]), drawn.rank_lower, drawn.rank_upper)
    for name, part in zip(names, parts, strict=True):
        found[f"{name}_agreed"][usable] = part
    return found


def uncertainty(
    index: IndexResult,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    nodes: Sequence[str] | None = None,
    factors: Sequence[Factor] | None = None,
) -> UncertaintyResult:
    """Put an interval on every score and rank.

    Parameters
    ----------
    index : IndexResult
        Scores with their errors.
    draws : int
        Draws of what the figures allow; at most 2,048 of the method, and of both together.
    seed : int
        Seed; the same seed gives the same result whatever the number of processors.
    nodes : sequence of str, optional
        Nodes to treat; the domains (and the overall, if asked for) by default.
    factors : sequence of Factor, optional
        Choices of method that may be made otherwise; by default the kind of mean, weights half as large to half as
        large again, and an indicator left out (see :func:`~outcomes_analysis.index.index_model.method_factors`).

    Returns
    -------
    UncertaintyResult

    Raises
    ------
    SpecError
        A factor that changes nothing.

    Notes
    -----
    Score intervals are score +/- z times the standard error (sampling and year-to-year). For ranks see
    :func:`draw_ranks`. City of London and the Isles of Scilly are not ranked, nor is an experimental node.
    """
    names = list(nodes) if nodes is not None else [k for k, v in index.nodes.items() if v.kind in ("domain", "overall")]
    model = index_model(index)
    varied = method_factors(model) if factors is None else tuple(factors)
    other = replicate(model, factors=varied, draws=min(draws, METHOD_DRAWS), seed=seed, level=index.spec.level)
    figures, method, reliability = [], [], {}
    for position, name in enumerate(names):
        rng = np.random.default_rng([seed, position])
        rows, spread, reliability[name] = _node_rows(name, index, other, draws=draws, rng=rng)
        again = np.random.default_rng([seed, position])  # the same draws, so that ranks differ by the indicators alone
        figures.append(rows.assign(**_agreed_ranks(rows, index.nodes[name], draws, again, index.spec.level)))
        method.append(spread)
    table = pd.concat(figures, ignore_index=True)
    return UncertaintyResult(
        table=table,
        method=pd.concat(method, ignore_index=True),
        reliability=pd.Series(reliability, name="reliability"),
        text=_text(table, pd.Series(reliability), index),
        spec=index.spec,
        manifest=replace(index.manifest, seed=seed),
        method_replicates=other,
        index=index,
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
    level = index.spec.level
    head = (
        f"Ranks with {level:.0%} intervals from the figures' sampling and year-to-year variation. An interval rests in "
        "equal parts on the place's own figures and on what is likely of a place among these; the chance of being in a "
        "fifth rests on the latter. Where an interval leaves a fifth out, that chance is "
        f"{WIDER * (1 - level):.0%} at most."
    )
    return " ".join([head, *sentences, index.matrix.framework.notice])


__all__ = ["RankDraws", "UncertaintyResult", "competition_rank", "draw_ranks", "uncertainty"]
