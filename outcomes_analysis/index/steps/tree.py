"""The hierarchy as arrays: which parts each node has, with what weight, from the bottom up; any depth, unbalanced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.framework.model import Framework


@dataclass(frozen=True)
class Branch:
    """One node above the indicators.

    Attributes
    ----------
    id, label : str
        Its name, and its name for people.
    parts : tuple of int
        Positions of its parts in :attr:`Tree.elements`: indicators first, then nodes.
    height : int
        1 above indicators alone, otherwise 1 more than its highest part.
    shown : bool
        Whether it is a node of the framework; False for a group of near-duplicates that only share one weight.
    """

    id: str
    label: str
    parts: tuple[int, ...]
    height: int
    shown: bool = True


@dataclass(frozen=True, eq=False)
class Tree:
    """A hierarchy of indicators, in the order in which it is computed.

    Attributes
    ----------
    leaves : tuple of str
        Indicators, in the order of the columns of the data.
    branches : tuple of Branch
        Nodes above them, parts before wholes.
    weights : ndarray, shape (elements,)
        Weight of each element within its parent; need not add up to 1. Roots have weight 1.
    """

    leaves: tuple[str, ...]
    branches: tuple[Branch, ...]
    weights: np.ndarray
    _parents: tuple[int, ...] = field(repr=False)

    @property
    def elements(self) -> tuple[str, ...]:
        """Indicators, then nodes from the bottom up: what weights belong to."""
        return (*self.leaves, *(b.id for b in self.branches))

    @property
    def parents(self) -> tuple[int, ...]:
        """Position among the elements of each element's parent; -1 for a root."""
        return self._parents

    @property
    def shown(self) -> tuple[int, ...]:
        """Positions among the branches of those that are nodes of the framework."""
        return tuple(i for i, b in enumerate(self.branches) if b.shown)

    def position(self, name: str) -> int:
        """Position of a node among the branches.

        Raises
        ------
        SpecError
            If there is none of that name.
        """
        for i, branch in enumerate(self.branches):
            if branch.id == name:
                return i
        message = f"No node '{name}' above the indicators. There are: {several(b.id for b in self.branches)}."
        raise SpecError(message)

    def below(self, branch: int) -> list[int]:
        """Positions of the indicators under a branch."""
        found: list[int] = []
        for part in self.branches[branch].parts:
            found += [part] if part < len(self.leaves) else self.below(part - len(self.leaves))
        return sorted(found)

    @classmethod
    def build(
        cls,
        parents: Mapping[str, str],
        *,
        leaves: Sequence[str],
        weights: Mapping[str, float] | None = None,
        labels: Mapping[str, str] | None = None,
        hidden: Iterable[str] = (),
    ) -> Self:
        """Build a hierarchy from each element's parent.

        Parameters
        ----------
        parents : mapping of str to str
            Parent of each element; elements that are nobody's child are roots, and there may be several.
            Nodes without any indicator below them are left out.
        leaves : sequence of str
            Indicators.
        weights : mapping of str to float, optional
            Weight of an element within its parent, 0 or more; 1 where not named.
        labels : mapping of str to str, optional
            Names for people.
        hidden : iterable of str
            Nodes that only share out a weight and are not reported.

        Returns
        -------
        Tree

        Raises
        ------
        SpecError
            A circle, an indicator that has parts, an indicator without a parent, a negative weight, or a node all of
            whose parts weigh 0.
        """
        names, given, hide = list(leaves), dict(weights or {}), set(hidden)
        problems = Problems("hierarchy of the index")
        _check_parents(parents, names, given, problems)
        problems.raise_if_any(SpecError)
        heights = _heights(parents, names)
        nodes = sorted((n for n in heights if n not in set(names)), key=lambda n: heights[n])
        elements = [*names, *nodes]
        where = {name: i for i, name in enumerate(elements)}
        weight = np.array([given.get(name, 1.0) for name in elements], dtype=float)
        parts: dict[str, list[int]] = {node: [] for node in nodes}
        for name in elements:
            if name in parents:
                parts[parents[name]].append(where[name])
        empty = [n for n in nodes if not weight[parts[n]].sum() > 0]
        if empty:
            problems.add(
                f"{len(empty)} nodes have parts that all weigh 0 ({several(empty)}); give one of them a weight"
            )
        problems.raise_if_any(SpecError)
        branches = tuple(
            Branch(n, (labels or {}).get(n, n), tuple(parts[n]), heights[n], shown=n not in hide) for n in nodes
        )
        return cls(tuple(names), branches, weight, tuple(where[parents[n]] if n in parents else -1 for n in elements))

    @classmethod
    def of(cls, framework: Framework, *, leaves: Sequence[str], weights: Mapping[str, float] | None = None) -> Self:
        """Build the hierarchy of a framework for the indicators that take part."""
        taking = {i.id: i.outcome for i in framework.indicators if i.id in set(leaves)}
        unknown = [name for name in leaves if name not in taking]
        if unknown:
            message = f"{len(unknown)} indicators are not in the framework '{framework.id}': {several(unknown)}."
            raise SpecError(message)
        above = {n.id: n.parent for n in framework.nodes if n.parent is not None}
        return cls.build(
            {**taking, **above}, leaves=leaves, weights=weights, labels={n.id: n.label for n in framework.nodes}
        )


def _check_parents(
    parents: Mapping[str, str], leaves: Sequence[str], weights: Mapping[str, float], problems: Problems
) -> None:
    homeless = [n for n in leaves if not parents.get(n)]
    if homeless:
        problems.add(f"{len(homeless)} indicators have no parent ({several(homeless)}); hang them from a node")
    wholes = sorted({n for n in leaves if n in set(parents.values())})
    if wholes:
        problems.add(f"{len(wholes)} indicators have parts of their own ({several(wholes)}); only nodes can")
    negative = [n for n, w in weights.items() if not w >= 0]
    if negative:
        problems.add(f"{len(negative)} weights are negative or missing ({several(negative)}); use 0 or more")
    circles = [n for n in leaves if _climbs_forever(n, parents)]
    if circles:
        problems.add(f"{len(circles)} indicators hang from a node that is above itself ({several(circles)})")


def _climbs_forever(name: str, parents: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    while name in parents:
        if name in seen:
            return True
        seen.add(name)
        name = parents[name]
    return False


def _heights(parents: Mapping[str, str], leaves: Sequence[str]) -> dict[str, int]:
    """How far each element with an indicator below it stands above the indicators; insertion order is the data's."""
    heights = dict.fromkeys(leaves, 0)
    for leaf in leaves:
        name, height = leaf, 0
        while name in parents:
            name, height = parents[name], height + 1
            heights[name] = max(heights.get(name, 0), height)
    return heights
