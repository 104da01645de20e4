"""How far places move when people's weights stand in for equal ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.index import IndexResult, PeopleFactor, WeightFactor, index_model, replicate
from outcomes_analysis.index.montecarlo.factors import Factor
from outcomes_analysis.places.weighing import PRIOR, Priorities

PANELS = 256
HAIR = 1e-8
COLUMNS = ("way", "node_id", "area_code", "name", "rank", "rank_lower", "rank_median", "rank_upper", "move", "level")


def weighable(priorities: Priorities, index: IndexResult) -> dict[tuple[str, str], list[str]]:
    """Find which nodes of an index people weighed: those of whose parts they judged every one.

    Parameters
    ----------
    priorities : Priorities
    index : IndexResult

    Returns
    -------
    dict of (str, str) to list of str
        Way and node to the parts. A node whose parts nobody or only some judged is not there; nor is one with a single
        part, nor one that is not ranked.
    """
    tree = index_model(index).tree
    ranked = set(index.table.loc[index.table["ranked"], "node_id"])
    leaves = len(tree.leaves)
    parts = {
        str(tree.elements[leaves + k]): [str(tree.elements[p]) for p in branch.parts]
        for k, branch in enumerate(tree.branches)
    }
    return {
        (str(way), node): members
        for way, rows in priorities.table.groupby("way", sort=False)
        for node, members in parts.items()
        if node in ranked and len(members) > 1 and set(members) <= set(rows["item"])
    }


def rank_moves(priorities: Priorities, index: IndexResult, *, draws: int = 1_024) -> pd.DataFrame:
    """Rank places with people's weights in place of equal ones.

    Parameters
    ----------
    priorities : Priorities
        Of :func:`outcomes_analysis.places.weighing.weigh_priorities`.
    index : IndexResult
        With the weights that people's stand in for.
    draws : int
        Panels of people drawn.

    Returns
    -------
    DataFrame
        ``way, node_id, area_code, name, rank`` (as the index has it), ``rank_median, rank_lower, rank_upper`` (over
        panels of people drawn with replacement, or shares drawn about the counts), ``move`` (``rank_median`` less
        ``rank``: above 0 is further down), ``level``; ranked places alone. Empty where no node was weighed whole. What
        people weighed beyond an index's parts takes no part, and the other shares keep their proportions.
    """
    from outcomes_analysis.areas.register import upper_tier

    found = []
    model = index_model(index)
    names = upper_tier(ranked_only=True)["name"]
    for (way, node), members in weighable(priorities, index).items():
        result = replicate(
            model,
            factors=[_factor(priorities, way, node, members)],
            draws=draws,
            seed=priorities.spec.seed,
            level=priorities.spec.level,
        ).table
        rows = result[result["node_id"].eq(node) & result["rank"].notna()]
        rows = rows[rows["area_code"].isin(names.index)]
        found.append(rows.assign(way=way, name=rows["area_code"].map(names), move=rows["rank_median"] - rows["rank"]))
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(found, ignore_index=True)[list(COLUMNS)]


def _factor(priorities: Priorities, way: str, node: str, members: list[str]) -> Factor:
    """People's weights of one node's parts as the index draws them."""
    if way in priorities.allocations:
        shares = priorities.allocations[way][members]
        shares = shares[shares.sum(axis=1).gt(0)]  # who gave all points to other nodes says nothing of this one
        if np.ptp(shares.to_numpy(dtype=float), axis=0).max() < HAIR:
            # all alike: a factor must vary, so one person differs by what no rank can show
            shares = shares.copy()
            shares.iloc[0, 0] *= 1 + HAIR
            shares.iloc[0, 1] += HAIR * shares.iloc[0].sum()
        return PeopleFactor(allocations=shares, draw="panel", panels=PANELS, within=(node,))
    counts = priorities.counted[way].reindex(members).to_numpy(dtype=float)
    drawn = np.random.default_rng([priorities.spec.seed, 79]).dirichlet(counts + PRIOR, size=PANELS)
    sets = {f"{k}": dict(zip(members, map(float, row), strict=True)) for k, row in enumerate(drawn)}
    return WeightFactor(method="given", sets=sets, within=(node,))
