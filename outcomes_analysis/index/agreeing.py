"""The same score without what is disputed, and England's from the same parts as a place's: what verdicts rest on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes_analysis.index.climbing import Climb, Line, climb
from outcomes_analysis.index.scores import Beside
from outcomes_analysis.index.steps.means import Aggregator
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.observations.scales import Floats

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ascent:
    """What goes up the tree, and by which means; the last unit is England.

    Attributes
    ----------
    x, errors : ndarray, shape (units, leaves)
        Scores as they count and their standard errors.
    present : ndarray of bool, same shape
        Figures that were measured.
    shares : ndarray, shape (elements,)
        Weight of each element within its parent.
    least : callable
        By node, the least share of its weight that must be present.
    settings : dict
        What else :func:`~outcomes_analysis.index.climbing.climb` takes: groups, methods and how to rescale.
    """

    x: Floats
    errors: Floats
    present: Mask
    shares: Floats
    base: Mask
    least: Callable[[str], float]
    settings: dict[str, Any]

    def climbed(self, tree: Tree, *, lines: dict[str, Line] | None = None) -> Climb:
        """Every node's score from these figures."""
        return climb(
            tree,
            self.x,
            self.errors,
            present=self.present,
            shares=self.shares,
            base=self.base,
            lines=lines,
            **self.settings,
        )


def scores_beside(ascent: Ascent, up: Climb, tree: Tree) -> list[Beside]:
    """Scores of every branch beside England's: from all its figures, and from the parts each area has.

    Parameters
    ----------
    ascent : Ascent
    up : Climb
        What its figures gave.
    tree : Tree

    Returns
    -------
    list of Beside
        By branch; NaN where too little is present.

    Notes
    -----
    Areas lack figures in a few patterns only: England is computed once for each. Where a mean compares places with
    one another there is no England on its own, and its score from all figures stands.
    """
    have = np.isfinite(ascent.x[:-1])
    patterns, which = np.unique(have, axis=0, return_inverse=True)
    relative = any(isinstance(m, Aggregator) and m.relative for m in ascent.settings["methods"].values())
    alike = None
    if not relative:
        own = [np.where(patterns, part[-1], np.nan) for part in (ascent.x, ascent.errors)]
        masked = Ascent(
            own[0],
            own[1],
            present=patterns & ascent.present[-1],
            shares=ascent.shares,
            base=np.ones(len(patterns), dtype=bool),
            least=ascent.least,
            settings=ascent.settings,
        )
        alike = masked.climbed(tree, lines={tree.branches[b].id: line for b, line in up.lines.items()})
    there = np.isfinite(ascent.x[-1])
    found = []
    for b, branch in enumerate(tree.branches):
        enough = up.present[b] >= ascent.least(branch.id) - 1e-12  # sums of shares are rounded
        mean, error = (np.where(enough, part[b], np.nan) for part in (up.values, up.errors))
        below = [i for i in tree.below(b) if there[i]]
        full = have[:, below].all(axis=1)
        same = [np.full(len(have), part[-1]) for part in (mean, error)]
        if alike is not None:
            other = (alike.values[b][which.ravel()], alike.errors[b][which.ravel()])
            same = [np.where(full, whole, part) for whole, part in zip(same, other, strict=True)]
        found.append(Beside(mean[:-1], error[:-1], float(mean[-1]), float(error[-1]), same[0], same[1]))
    return found


def without(ascent: Ascent, tree: Tree, disputed: Collection[str]) -> Ascent:
    """The same climb with some indicators left out, their weight going to the parts beside them.

    Parameters
    ----------
    ascent : Ascent
    tree : Tree
    disputed : collection of str
        Indicators to leave out.

    Returns
    -------
    Ascent
        A node of such indicators alone has no score and hands its weight on.
    """
    out = np.array([name in disputed for name in tree.leaves])
    shares = np.array(ascent.shares, dtype=float)
    kept = [not gone for gone in out]
    for branch in tree.branches:  # parts before wholes
        parts = list(branch.parts)
        left = np.array([kept[p] for p in parts])
        kept.append(bool(left.any()))
        if left.any() and not left.all():
            shares[parts] = np.where(left, shares[parts], 0.0)
            shares[parts] /= shares[parts].sum() or 1.0
    return Ascent(
        np.where(out, np.nan, ascent.x),
        np.where(out, np.nan, ascent.errors),
        present=ascent.present & ~out,
        shares=shares,
        base=ascent.base,
        least=ascent.least,
        settings=ascent.settings,
    )
