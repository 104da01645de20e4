"""The tree above the columns of a table, and the weights in it: in the parent, and all the way down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.steps.stepping import check_known
from outcomes_analysis.index.steps.tree import Tree

#: Node that everything hangs from when neither a framework nor groups are given.
FLAT = "index"


def hierarchy(
    columns: Sequence[str],
    *,
    framework: Framework | None = None,
    groups: Mapping[str, str] | pd.Series | None = None,
    weights: Mapping[str, float] | None = None,
) -> Tree:
    """Build the tree above the columns of a table.

    Parameters
    ----------
    columns : sequence of str
        Indicators.
    framework : Framework, optional
        Near-duplicates (one ``doublet``) get a hidden node, so that they share one weight.
    groups : Series or mapping, optional
        Parent of each indicator and node, where there is no framework; any depth, unbalanced too.
    weights : mapping, optional
        By element, within its parent; 1 where not named.

    Returns
    -------
    Tree
        One node, ``"index"``, over everything if neither is given.

    Raises
    ------
    SpecError
        Both given, indicators without a place in the tree, or a tree that is none.
    """
    if framework is not None and groups is not None:
        message = "give either framework or groups, not both: there is one hierarchy"
        raise SpecError(message)
    if framework is None:
        parents = dict.fromkeys(columns, FLAT) if groups is None else dict(groups)
        above = {child: parent for child, parent in parents.items() if isinstance(parent, str) and parent}
        return Tree.build(above, leaves=list(columns), weights=weights)
    known = {i.id: i for i in framework.indicators}
    check_known(columns, known, what="indicators were", step=f"hierarchy of '{framework.id}'")
    parents = {n.id: n.parent for n in framework.nodes if n.parent is not None}
    members = [known[name] for name in columns]
    shared = pd.Series([i.doublet for i in members], dtype=object).value_counts()
    hidden: dict[str, str] = {}
    place = {name: k for k, name in enumerate(known)}
    for indicator in sorted(members, key=lambda i: place[i.id]):
        if indicator.doublet and shared[indicator.doublet] > 1:
            group = f"doublet {indicator.doublet}"
            hidden.setdefault(group, indicator.outcome)
            parents[indicator.id] = group
        elif indicator.outcome:
            parents[indicator.id] = indicator.outcome
    labels = {n.id: n.label for n in framework.nodes}
    return Tree.build({**parents, **hidden}, leaves=list(columns), weights=weights, labels=labels, hidden=hidden)


def weights_in(tree: Tree, weights: pd.DataFrame | pd.Series | Mapping[str, float] | None) -> np.ndarray:
    """Weight of every element of a tree within its parent, adding up to 1 among siblings.

    Parameters
    ----------
    tree : Tree
        Its own weights are used if ``weights`` is None.
    weights : DataFrame, Series or mapping, optional
        By element: a frame from :func:`~outcomes_analysis.index.weight` or numbers of 0 or more. Siblings of which
        none is named weigh the same. Near-duplicates together weigh what theirs add up to.

    Raises
    ------
    SpecError
        Unknown names, negative weights, siblings of which only some are named, or which all weigh 0; all at once.
    """
    elements = tree.elements
    if weights is None:
        found = tree.weights.copy()
    else:
        given = dict(weights["weight"] if isinstance(weights, pd.DataFrame) else weights)
        check_known(given, elements, what="weighted names were", step="aggregate")
        found = np.array([given.get(name, np.nan) for name in elements], dtype=float)
    problems = Problems("weights given to `aggregate`")
    negative = [name for name, w in zip(elements, found, strict=True) if w < 0]
    if negative:
        problems.add(f"{len(negative)} are negative ({several(negative)}); use 0 or more")
    for i, branch in enumerate(tree.branches):
        if not branch.shown and np.isnan(found[len(tree.leaves) + i]):
            found[len(tree.leaves) + i] = found[list(branch.parts)].sum()
    for branch in tree.branches:
        _share_out(found, branch.id, np.array(branch.parts), elements, problems)
    problems.raise_if_any(SpecError)
    found[[i for i, parent in enumerate(tree.parents) if parent < 0]] = 1.0
    return found


def _share_out(found: np.ndarray, node: str, parts: np.ndarray, elements: tuple[str, ...], problems: Problems) -> None:
    """Make the weights of one node's parts add up to 1, in place."""
    unnamed = np.isnan(found[parts])
    if unnamed.all():
        found[parts] = 1.0
    elif unnamed.any():
        names = [elements[p] for p in parts[unnamed]]
        problems.add(f"parts of '{node}' without a weight, while others have one: {several(names)}; give all or none")
        return
    total = found[parts].sum()
    if total > 0:
        found[parts] /= total
    else:
        problems.add(f"the parts of '{node}' all weigh 0; give one of them a weight")


def down_the_tree(tree: Tree, weights: np.ndarray) -> np.ndarray:
    """Weight of every element in its root: the product of the weights on the way (COINr's effective weights)."""
    result = weights.copy()
    for i in range(len(tree.elements) - 1, -1, -1):  # wholes come after their parts
        if tree.parents[i] >= 0:
            result[i] *= result[tree.parents[i]]
    return result
