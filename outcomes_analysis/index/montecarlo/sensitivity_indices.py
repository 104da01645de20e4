"""Which choice of method moves the ranks: Sobol' indices of an index, enumerated where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.building import IndexResult
from outcomes_analysis.index.montecarlo.alternatives import Alternatives, alternatives_of
from outcomes_analysis.index.montecarlo.choosing import check_factors, choose
from outcomes_analysis.index.montecarlo.factors import (
    Factor,
    FiguresFactor,
    ImputationFactor,
    PeopleFactor,
    WeightFactor,
    alternatives,
    inputs,
)
from outcomes_analysis.index.montecarlo.kernels import ranks_of
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.nominal import default_factors, index_model
from outcomes_analysis.index.montecarlo.replicates import (
    block_size,
    nominal,
    refuse_idle,
    run_blocks,
    scores_of,
    sobol_points,
)
from outcomes_analysis.index.montecarlo.sobol import (
    every_combination,
    exact_indices,
    indices_table,
    saltelli_design,
    sobol_indices,
    with_bounds,
)
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import listed

SHIFT = "mean_rank_shift"
CHOICES = {
    "weights": "the weights",
    "normalisation": "the common scale",
    "aggregation": "the kind of mean",
    "omission": "one indicator left out",
}


@dataclass(frozen=True, eq=False)
class SensitivityResult:
    """What each choice of method accounts for.

    Attributes
    ----------
    table : DataFrame
        One row a node, output, factor and order: ``node_id, output`` (``mean_rank_shift``, or an area's code: its
        rank), ``factor, order`` (``first`` alone, ``total`` with interactions), ``estimate, lower, upper, level``.
        NaN where an output never moves. Exact indices have bounds only for the mean shift, and only where sets of
        weights, figures or gaps were drawn; others equal the estimate.
    exact : bool
        Whether every combination was computed, so that there is nothing to estimate.
    runs : int
        Times the index was computed.
    factors : tuple of Factor
    text : str
    manifest : RunManifest or None
    """

    table: pd.DataFrame
    exact: bool
    runs: int
    factors: tuple[Factor, ...]
    text: str
    manifest: RunManifest | None

    def of_shift(self, node: str) -> pd.DataFrame:
        """Indices of the mean absolute rank shift of one node, factors by order."""
        rows = self.table[(self.table["node_id"] == node) & (self.table["output"] == SHIFT)]
        return rows.pivot(index="factor", columns="order", values="estimate").loc[[f.name for f in self.factors]]


def rank_outputs(
    model: IndexModel,
    factors: Sequence[Factor],
    options: Alternatives,
    u: np.ndarray,
    *,
    nodes: Sequence[int],
    seed: int,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Mean absolute rank shift, then each unit's rank, for each row of uniform numbers.

    Returns
    -------
    ndarray, shape (nodes, rows, 1 + units)
        The shift is over ranked units, from the ranks of the index as specified; unranked units have 0.
    """
    base = ranks_of(nominal(model))
    choices = choose(factors, model.tree, u, means=model.means, seed=seed)
    result = np.empty((len(nodes), len(u), 1 + base.shape[1]), dtype=np.float32)
    starts = list(range(0, len(u), block_size(model)))

    def block(number: int) -> np.ndarray:
        rows = slice(starts[number], starts[number] + block_size(model))
        return ranks_of(scores_of(model, options, choices, rows))[list(nodes)]

    for start, ranks in zip(starts, run_blocks(block, range(len(starts)), n_jobs=n_jobs), strict=True):
        rows = slice(start, start + ranks.shape[1])
        for k, node in enumerate(nodes):
            result[k, rows, 1:] = ranks[k]
            ranked = base[node] > 0
            away = np.abs(ranks[k].astype(float) - base[node])
            result[k, rows, 0] = away[:, ranked].mean(axis=1) if ranked.any() else 0.0
    return result


def sensitivity(
    index: IndexResult | IndexModel,
    *,
    factors: Sequence[Factor] | None = None,
    nodes: Sequence[str] | None = None,
    runs: int = 8_192,
    seed: int = SEED,
    level: float = LEVEL,
    n_jobs: int | None = None,
) -> SensitivityResult:
    """Say how much each choice of method moves the ranks.

    Parameters
    ----------
    index : IndexResult or IndexModel
        The index; its ranks as specified are what shifts are measured from.
    factors : sequence of Factor, optional
        What may be chosen otherwise; for our own index normalisation, aggregation, weights and omission.
    nodes : sequence of str, optional
        Nodes whose ranks are looked at; those that hang from nothing by default (the domains, or the overall index).
    runs : int
        Most times the index may be computed. Where all factors are discrete and their combinations number no more,
        each is computed once and the indices are exact; otherwise a Saltelli design of at most this size is used.
    seed : int
        For weight sets drawn once, the design and the bootstrap.
    level : float
        Level of the bootstrap bounds.
    n_jobs : int, optional
        As in :func:`~outcomes_analysis.index.montecarlo.replicates.replicate`.

    Returns
    -------
    SensitivityResult

    Raises
    ------
    SpecError
        A factor that changes nothing, fewer than two factors, or too few runs for a design.

    Notes
    -----
    Outputs: the mean absolute shift in rank (OECD/JRC Handbook 2008, eq. 38) and each area's rank. A first-order
    index is the share of the output's variance that would go if the choice were settled; the total index is what
    would be left if all other choices were. The discrete alternatives of a factor count as equally likely.
    """
    model = index if isinstance(index, IndexModel) else index_model(index)
    chosen = tuple(default_factors(model) if factors is None else factors)
    if len(chosen) < 2:
        message = "Sensitivity compares factors: pass at least two."
        raise SpecError(message)
    check_factors(chosen, model.tree, references=list(model.references))
    options = alternatives_of(model, chosen, seed=seed)
    refuse_idle(model, chosen, options, seed=seed)
    positions = _nodes(model, nodes)
    lists = [alternatives(f, model.tree) for f in chosen]
    counts = [len(names) for names in lists if names is not None]
    exact = len(counts) == len(lists) and float(np.prod([float(c) for c in counts])) <= runs
    groups = [inputs(f, model.tree) for f in chosen]

    u = every_combination(counts) if exact else _design(groups, runs=runs, seed=[seed, 2])
    y = rank_outputs(model, chosen, options, u, nodes=positions, seed=seed, n_jobs=n_jobs)
    drawn = [i for i, f in enumerate(chosen) if _draws_sets(f)]
    tables = []
    for k, node in enumerate(positions):
        if exact:
            found = exact_indices(y[k], levels=counts)
            found = with_bounds(found, y[k], levels=counts, drawn=drawn, seed=seed, level=level)
        else:
            found = sobol_indices(y[k], inputs=len(chosen), seed=seed, level=level)
        outputs = [SHIFT, *map(str, model.values.index)]
        table = indices_table(found, inputs=[f.name for f in chosen], outputs=outputs, level=level)
        table.insert(0, "node_id", model.tree.branches[node].id)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    manifest = replace(index.manifest, seed=seed) if isinstance(index, IndexResult) else None
    return SensitivityResult(
        table=table,
        exact=exact,
        runs=len(u),
        factors=chosen,
        text=_text(table, model, chosen, exact=exact, runs=len(u), level=level),
        manifest=manifest,
    )


def _nodes(model: IndexModel, nodes: Sequence[str] | None) -> list[int]:
    """Positions of the nodes asked for; by default the roots."""
    if nodes is not None:
        return [model.tree.position(name) for name in nodes]
    leaves = len(model.tree.leaves)
    return [i for i in model.tree.shown if model.tree.parents[leaves + i] < 0]


def _draws_sets(factor: Factor) -> bool:
    """Whether a factor's alternatives are a sample of what they might be."""
    if isinstance(factor, FiguresFactor | ImputationFactor):
        return True
    if isinstance(factor, PeopleFactor):
        return factor.draw == "panel"
    return isinstance(factor, WeightFactor) and factor.drawn is not None


def _design(groups: Sequence[int], *, runs: int, seed: Sequence[int]) -> np.ndarray:
    """Saltelli design on a scrambled Sobol' sequence with the largest power of 2 that the runs allow."""
    sets = runs // (len(groups) + 2)
    if sets < 16:
        message = (
            f"{runs} runs are too few for {len(groups)} factors: at least {16 * (len(groups) + 2)} are needed "
            f"(16 rows of {len(groups) + 2})."
        )
        raise SpecError(message)
    n = 2 ** int(np.log2(sets))
    return saltelli_design(sobol_points(n, 2 * sum(groups), seed=seed), groups)


def _text(
    table: pd.DataFrame, model: IndexModel, factors: Sequence[Factor], *, exact: bool, runs: int, level: float
) -> str:
    labels = {b.id: b.label for b in model.tree.branches}
    of_draws = " for the sets that were drawn" if any(map(_draws_sets, factors)) else ""
    rows = table[table["output"] == SHIFT]
    sentences = []
    for node, part in rows.groupby("node_id", sort=False):
        total = part[part["order"] == "total"].set_index("factor")["estimate"]
        first = part[part["order"] == "first"].set_index("factor")["estimate"]
        if total.isna().all():
            sentences.append(f"{labels[str(node)]}: no choice moves a rank.")
            continue
        ordered = total.sort_values(ascending=False)
        named = [
            f"{CHOICES.get(name, name)} ({max(first[name], 0):.0%} alone, {total[name]:.0%} with combinations)"
            for name in ordered.index
        ]
        sentences.append(f"{labels[str(node)]}: {listed(named)}.")
    how = (
        f"All {runs:,} combinations of choices were computed, so these shares are exact{of_draws}"
        if exact
        else f"Estimated from {runs:,} computations of the index; the table gives {level:.0%} bounds"
    )
    return (
        "Share of the movement of ranks (mean shift from the ranks as specified) that each choice of method accounts "
        f"for. {' '.join(sentences)} {how}."
    )
