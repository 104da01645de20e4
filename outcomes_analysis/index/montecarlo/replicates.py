"""The Monte Carlo engine: an index computed many times over, with other methods, other figures, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.montecarlo.alternatives import Alternatives, alternatives_of
from outcomes_analysis.index.montecarlo.choosing import Choices, check_factors, choose
from outcomes_analysis.index.montecarlo.factors import Factor, FiguresFactor, alternatives, inputs
from outcomes_analysis.index.montecarlo.figure_draws import drawn_block
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.kernels import node_scores, ranks_of
from outcomes_analysis.index.montecarlo.modelling import MIDDLE, REFERENCE, SPREAD, IndexModel
from outcomes_analysis.index.montecarlo.tallies import Tally
from outcomes_analysis.project import LEVEL, SEED

BLOCK = 1_000  # replicates at once; smaller where there are many units, see `block_size`
CELLS = 2**22  # scores of all nodes held at once in a block: 32 MB
Interval = Literal["figures", "method", "both"]


@dataclass(frozen=True, eq=False)
class Replicates:
    """What the replicates gave.

    Attributes
    ----------
    table : DataFrame
        One row a node and unit: ``node_id, area_code, estimate, lower, upper, rank, rank_lower, rank_median,
        rank_upper, p_bottom_fifth, p_top_fifth, level, interval, draws``. ``estimate`` and ``rank`` are those of the
        index as specified; score bounds are NaN where alternatives have different units (other normalisations).
    choices : DataFrame
        What each replicate did, a column a factor.
    weights : DataFrame
        Weight of each element within its node, a row a replicate (made on demand by :meth:`weights`).
    """

    table: pd.DataFrame
    choices: pd.DataFrame
    model: IndexModel
    factors: tuple[Factor, ...]
    tally: Tally
    seed: int
    interval: Interval

    def weights(self) -> pd.DataFrame:
        """Weight of every element within its node, replicates by elements; each node's parts add up to 1."""
        return shares(design(self.factors, self.model, draws=len(self.choices), seed=self.seed), self.model)

    def acceptability(self, node: str) -> pd.DataFrame:
        """Share of replicates in which each unit takes each rank (units by ranks, or by bands of ranks)."""
        return self.tally.acceptability(self.model.tree.position(node), self.model.values.index)

    def chance_above(self, node: str) -> pd.DataFrame:
        """Share of replicates in which the row's unit stands above the column's; ties count half.

        Raises
        ------
        SpecError
            Where single ranks were not kept, because there are too many units and replicates.
        """
        return self.tally.chance_above(self.model.tree.position(node), self.model.values.index)

    def convergence(self) -> pd.DataFrame:
        """Monte Carlo error of the rank bounds with an eighth, a quarter, a half and all of the replicates.

        Returns
        -------
        DataFrame
            ``node_id, draws, error_lower, error_upper`` (mean over units of the standard error of each bound, in
            ranks, from ten batches) and ``moved`` (mean shift of the bounds since the row before).
        """
        return self.tally.convergence([b.id for b in self.model.tree.branches], shown=self.model.tree.shown)


def design(factors: Sequence[Factor], model: IndexModel, *, draws: int, seed: int) -> Choices:
    """What each of ``draws`` replicates does, from a scrambled Sobol' sequence.

    A replicate's choices do not depend on how many follow it.
    """
    width = sum(inputs(f, model.tree) for f in factors)
    u = sobol_points(draws, width, seed=seed) if width else np.zeros((draws, 0))
    return choose(factors, model.tree, u, means=model.means, seed=seed)


def dry_run(
    model: IndexModel, *, factors: Sequence[Factor], draws: int = 1_000, seed: int = SEED, weights: bool = False
) -> pd.DataFrame:
    """What each replicate would do, before any is computed: the ``choices`` of :func:`replicate` with the same seed.

    Parameters
    ----------
    model : IndexModel
    factors : sequence of Factor
    draws : int
    seed : int
    weights : bool
        Add a column ``weight: element`` for each element: its weight within its node, the node's parts adding up to 1.

    Returns
    -------
    DataFrame
        A row a replicate, a column a factor: the alternative taken, in words.

    Raises
    ------
    SpecError
        Factors that have nothing to choose among, or contradict each other. That a factor changes no score is found
        when replicates are computed.
    """
    check_factors(factors, model.tree, references=list(model.references))
    choices = design(factors, model, draws=draws, seed=seed)
    table = choices.table
    if weights:
        table = pd.concat([table, shares(choices, model).add_prefix("weight: ").set_index(table.index)], axis=1)
    return table


def shares(choices: Choices, model: IndexModel) -> pd.DataFrame:
    """Weight of every element within its node, replicates by elements; each node's parts add up to 1."""
    found, parents = choices.weights.copy(), np.array(model.tree.parents)
    for parent in np.unique(parents[parents >= 0]):
        same = parents == parent
        total = found[:, same].sum(axis=1, keepdims=True)
        found[:, same] = np.divide(found[:, same], total, out=np.zeros((len(found), same.sum())), where=total > 0)
    return pd.DataFrame(found, columns=list(model.tree.elements))


def sobol_points(count: int, width: int, *, seed: int | Sequence[int]) -> np.ndarray:
    """First points of a scrambled Sobol' sequence, shape (count, width)."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(width, scramble=True, rng=np.random.default_rng(seed))
    return np.asarray(sequence.random_base2(max(int(np.ceil(np.log2(max(count, 1)))), 0))[:count])


def block_size(model: IndexModel) -> int:
    """Replicates computed at once, so that memory stays bounded whatever the number of units."""
    return int(np.clip(CELLS // (len(model.tree.branches) * len(model.values)), 1, BLOCK))


def scores_of(model: IndexModel, options: Alternatives, choices: Choices, rows: slice) -> np.ndarray:
    """Scores of the published figures under each replicate's choices, shape (branches, replicates, units)."""
    which = options.position(choices, rows)
    found = node_scores(model.tree, options, which, choices.weights[rows], choices.means[rows])
    _hide(found, model)
    return found


def _hide(scores: np.ndarray, model: IndexModel) -> None:
    shown = model.shown
    for b in np.flatnonzero(~shown.all(axis=1)):
        scores[b][:, ~shown[b]] = np.nan


def nominal(model: IndexModel) -> np.ndarray:
    """Scores of the index as specified, shape (branches, units)."""
    options = alternatives_of(model, ())
    choices = choose((), model.tree, np.zeros((1, 0)), means=model.means, seed=0)
    return scores_of(model, options, choices, slice(0, 1))[:, 0, :]


def refuse_idle(model: IndexModel, factors: Sequence[Factor], options: Alternatives, *, seed: int) -> None:
    """Refuse a factor that changes no score of any node, whatever else is chosen.

    Raises
    ------
    SpecError
        Naming the factor and what it would have varied.
    """
    if not factors:
        return
    width = [inputs(f, model.tree) for f in factors]
    ends: list[int] = np.cumsum(width).tolist()
    base, other = np.split(sobol_points(4, 2 * sum(width), seed=[seed, 5]), 2, axis=1)

    def scores(trials: list[np.ndarray]) -> np.ndarray:
        choices = choose(factors, model.tree, np.concatenate(trials), means=model.means, seed=seed)
        found = scores_of(model, options, choices, slice(None))
        return np.stack(np.split(found, len(trials), axis=1))

    def differs(found: np.ndarray, from_these: np.ndarray) -> bool:
        return not np.allclose(found, from_these, rtol=1e-12, atol=1e-12, equal_nan=True)

    # one trial a factor settles nearly all; only where it finds nothing is every alternative tried
    trials = [_with(base, end - size, end, other) for end, size in zip(ends, width, strict=True)]
    first, *others = scores([base, *trials])
    for found, factor, end, size in zip(others, factors, ends, width, strict=True):
        if differs(found, first):
            continue
        names = alternatives(factor, model.tree) or []
        each = ([_with(base, end - size, end, np.full_like(base, (k + 0.5) / len(names)))] for k in range(len(names)))
        if not any(differs(scores(trial)[0], first) for trial in each):
            what = f"{len(names)} alternatives" if names else "weights drawn"
            message = (
                f"Factor '{factor.name}' changes nothing: {what}, and not one score of any node differs. "
                "Take it out, or give it alternatives that matter here."
            )
            raise SpecError(message)


def _with(base: np.ndarray, start: int, end: int, other: np.ndarray) -> np.ndarray:
    """Rows of one design with some columns from another."""
    result = base.copy()
    result[:, start:end] = other[:, start:end]
    return result


def replicate(
    model: IndexModel,
    *,
    factors: Sequence[Factor] = (),
    figures: FigureDraws | None = None,
    draws: int = 1_000,
    seed: int = SEED,
    level: float = LEVEL,
    n_jobs: int | None = None,
) -> Replicates:
    """Compute an index many times, with method choices, figures or both drawn anew.

    Parameters
    ----------
    model : IndexModel
        The index as a function of its choices.
    factors : sequence of Factor
        Method choices to vary.
    figures : FigureDraws, optional
        Draw the figures as well, before they are treated and normalised.
    draws : int
        Replicates; powers of 2 fill the space of choices most evenly.
    seed : int
        Same seed, same result, whatever ``n_jobs``.
    level : float
        Level of the bounds.
    n_jobs : int, optional
        Workers, through joblib: 1, or as many as the ``joblib.parallel_config`` around the call says. With
        ``joblib.parallel_config(backend="dask")`` and a Dask client the replicates run on its cluster.

    Returns
    -------
    Replicates

    Raises
    ------
    SpecError
        Factors that change nothing or contradict each other, means that need positive scores, or figures without
        errors.

    Notes
    -----
    Method choices come from a scrambled Sobol' sequence (``scipy.stats.qmc``); the figures' noise, which has a
    dimension for every cell, from one pseudo-random stream a block. Distinct combinations of treatment and
    normalisation are computed once; a replicate is then one matrix product a node. Ranks: 1 = highest, ties share.
    """
    if not factors and figures is None:
        message = "Nothing to vary: pass `factors`, `figures` or both."
        raise SpecError(message)
    check_factors(factors, model.tree, references=list(model.references))
    if figures is not None and any(isinstance(f, FiguresFactor) for f in factors):
        message = (
            "Figures are drawn either anew in each replicate (`figures`) or from tables drawn once (FiguresFactor, for "
            "Sobol' indices); pass one of the two."
        )
        raise SpecError(message)
    options = alternatives_of(model, factors, seed=seed)
    refuse_idle(model, factors, options, seed=seed)
    choices = design(factors, model, draws=draws, seed=seed)
    starts = list(range(0, draws, block_size(model)))
    prepared = None if figures is None else figures.prepare(model)

    def block(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        rows = slice(starts[number], min(starts[number] + block_size(model), draws))
        if prepared is None:
            scores = scores_of(model, options, choices, rows)
            return scores, ranks_of(scores), None
        rng = np.random.default_rng([seed, 1, number])
        return drawn_block(model, options, choices, rows, posterior=prepared, rng=rng, hide=_hide)

    point = nominal(model)
    tally = Tally(point, draws=draws, level=level, comparable=_comparable(model, factors))
    for scores, ranks, field in run_blocks(block, range(len(starts)), n_jobs=n_jobs):
        tally.add(scores, ranks, field)
    of_figures = figures is not None or any(isinstance(f, FiguresFactor) for f in factors)
    other = any(not isinstance(f, FiguresFactor) for f in factors)
    interval: Interval = "method" if not of_figures else ("both" if other else "figures")
    unit = (MIDDLE, SPREAD) if model.normalisation == REFERENCE else (0.0, 1.0)
    return Replicates(
        table=_table(model, tally, point, unit, interval=interval),
        choices=choices.table,
        model=model,
        factors=tuple(factors),
        tally=tally,
        seed=seed,
        interval=interval,
    )


def run_blocks[T](work: Callable[[int], T], numbers: Sequence[int], *, n_jobs: int | None) -> Iterator[T]:
    """Do independent blocks of work and hand back their results in order, here or through joblib."""
    from joblib import Parallel, delayed

    workers = Parallel(n_jobs=n_jobs, return_as="generator")
    if workers.n_jobs == 1 or len(numbers) == 1:
        yield from map(work, numbers)
    else:
        yield from workers(delayed(work)(number) for number in numbers)


def _comparable(model: IndexModel, factors: Sequence[Factor]) -> bool:
    """Whether scores of all replicates have one unit, so that bounds of the score mean something."""
    return not any(f.factor == "normalisation" for f in factors)


def _table(
    model: IndexModel, tally: Tally, point: np.ndarray, unit: tuple[float, float], *, interval: Interval
) -> pd.DataFrame:
    middle, spread = unit
    ranks = ranks_of(point).astype(float)
    frames = []
    for b in model.tree.shown:
        branch, found = model.tree.branches[b], tally.summary(b)
        frame = pd.DataFrame(
            {
                "node_id": branch.id,
                "node_label": branch.label,
                "area_code": model.values.index,
                "estimate": (point[b] - middle) / spread,
                "lower": (found.lower - middle) / spread,
                "upper": (found.upper - middle) / spread,
                "level": tally.level,
                "interval": interval,
                "rank": np.where(ranks[b] > 0, ranks[b], np.nan),
                "rank_lower": found.rank_lower,
                "rank_median": found.rank_median,
                "rank_upper": found.rank_upper,
                "p_bottom_fifth": found.p_bottom_fifth,
                "p_top_fifth": found.p_top_fifth,
                "draws": tally.done,
            }
        )
        frames.append(frame)
    return pd.concat(frames[::-1], ignore_index=True)
