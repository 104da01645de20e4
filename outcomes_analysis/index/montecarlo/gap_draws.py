"""What missing and suppressed figures may be: completed tables for the Monte Carlo engine, never shown cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.montecarlo.factors import ImputationFactor
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.steps.incomplete_normal import regression_draws
from outcomes_analysis.index.steps.tree import Tree

#: Units a block must have for each of its indicators; larger blocks are regressed in the parts they consist of.
UNITS_EACH = 3


@dataclass(frozen=True, eq=False)
class GapDraws:
    """Values drawn for missing figures, on the scale of the model's values.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (cells,)
        Which figures are missing.
    values : ndarray, shape (tables, cells)
        Left out of every printed form: what is drawn for a suppressed figure goes into scores alone.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray = field(repr=False)


def gap_draws(model: IndexModel, factor: ImputationFactor, *, seed: int) -> GapDraws:
    """Draw completed tables.

    Parameters
    ----------
    model : IndexModel
        Its ``ranges`` tell where suppressed figures lie.
    factor : ImputationFactor
        How many tables.
    seed : int

    Returns
    -------
    GapDraws

    Raises
    ------
    SpecError
        Nothing is missing, an indicator has too few figures for a regression, or a range is not one.

    Notes
    -----
    Indicators are regressed on the others of their block: the largest node that has at least three units for each of
    its indicators, or the indicators that hang side by side from a larger one. Draws end where the indicator's
    published figures end. What is suppressed is drawn from its regression truncated to its range, and takes part in
    the estimation with its present draw (the data augmentation of Chib 1992, Journal of Econometrics 51): figures
    withheld because they are small are not missing at random, and a regression without them would run too high.
    """
    x = model.x
    rows, columns = np.nonzero(~np.isfinite(x))
    if not len(rows):
        message = f"Factor '{factor.name}' changes nothing: no figure is missing. Take it out."
        raise SpecError(message)
    low, high = model.gap_ranges
    drawn = np.repeat(x[None], factor.draws, axis=0)
    rng = np.random.default_rng([seed, 6])
    for block in blocks(model.tree, units=len(x)):
        if np.isfinite(x[:, block]).all():
            continue
        drawn[:, :, block] = regression_draws(
            x[:, block],
            draws=factor.draws,
            cycles=factor.cycles,
            rng=rng,
            names=[model.tree.leaves[j] for j in block],
            ranges=(low[:, block], high[:, block]),
            secondary=factor.secondary,
        )
    # no further out than any published figure, unless known to be: a share stays a share, and a logarithm can be taken
    free = np.isnan(low[rows, columns])
    least, most = (
        np.where(free, end(x, axis=0)[columns], far) for end, far in ((np.nanmin, -np.inf), (np.nanmax, np.inf))
    )
    return GapDraws(rows, columns, np.clip(drawn[:, rows, columns], least, most))


def blocks(tree: Tree, *, units: int) -> list[list[int]]:
    """Positions of the indicators that are regressed on each other, block by block."""
    leaves, found = len(tree.leaves), []
    open_nodes = [i for i in range(len(tree.branches)) if tree.parents[leaves + i] < 0]
    while open_nodes:
        node = open_nodes.pop()
        below = tree.below(node)
        if len(below) * UNITS_EACH <= units:
            found.append(below)
            continue
        parts = tree.branches[node].parts
        own = [p for p in parts if p < leaves]
        found += [own] if own else []
        open_nodes += [p - leaves for p in parts if p >= leaves]
    return found
