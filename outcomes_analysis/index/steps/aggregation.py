"""Up the tree: weights that count near-duplicates once, and means that use what is present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.steps import means
from outcomes_analysis.index.steps.means import Rescale
from outcomes_analysis.index.steps.normalisation import aligned
from outcomes_analysis.index.steps.scalings import mean_and_sd
from outcomes_analysis.index.steps.stepping import (
    CHANGE_COLUMNS,
    Method,
    MethodChoice,
    StepResult,
    check_known,
    check_values,
    classes_of,
    methods_by_indicator,
    no_changes,
    step_result,
)
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.index.steps.tree_weights import hierarchy, weights_in
from outcomes_analysis.wording import listed, plural

STEP = "aggregate"
Aggregation = Literal["arithmetic", "geometric"]  # means of which a score splits exactly into its parts


def effective_weights(present: np.ndarray, weights: pd.DataFrame) -> np.ndarray:
    """Weights by area once missing indicators have handed theirs to what is present beside them.

    A missing member of a doublet hands its share to the other member, a missing indicator to its outcome, a
    missing outcome to the domain.

    Parameters
    ----------
    present : ndarray of bool, shape (areas, indicators)
        Which cells have a value; columns as the rows of ``weights``.
    weights : DataFrame
        As :attr:`outcomes_analysis.index.scores.NodeScore.weights` has them, equal at every level: columns ``group``
        and ``outcome``.

    Returns
    -------
    ndarray, shape (areas, indicators)
        Each row adds up to 1, or is all zero where nothing is present.
    """
    result = present.astype(float)
    for level in ("group", "outcome"):
        labels = pd.factorize(weights[level])[0]
        # weight of a part = 1 / (parts of its parent that are present)
        membership = np.eye(labels.max() + 1)[labels] if len(labels) else np.zeros((0, 0))
        total = result @ membership
        share = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
        result = result * (share @ membership.T)
    outcomes_present = result.sum(axis=1, keepdims=True)
    return np.divide(result, outcomes_present, out=np.zeros_like(result), where=outcomes_present > 0)


def weighted_mean(scores: np.ndarray, weights: np.ndarray, *, method: Aggregation) -> np.ndarray:
    """Mean of scores with weights given by row, over the last axis.

    Parameters
    ----------
    scores : ndarray, shape (..., indicators)
        Missing cells must carry weight 0.
    weights : ndarray
        Same shape or broadcastable; adds up to 1 where anything is present.
    method : {"arithmetic", "geometric"}
        The geometric mean is that of ``100 + 10 * score`` (a scale with mean 100 and sd 10, as the ONS Health
        Index has), brought back to the score's own scale.

    Returns
    -------
    ndarray
        NaN where all weights are 0.
    """
    filled = np.where(weights > 0, scores, 0.0)
    if method == "arithmetic":
        mean = (filled * weights).sum(axis=-1)
    else:
        logs = np.log(np.maximum(100 + 10 * filled, 1e-6))
        mean = (np.exp((logs * weights).sum(axis=-1)) - 100) / 10
    return np.where((weights > 0).any(axis=-1), mean, np.nan)


def mean_error(errors: np.ndarray, weights: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Standard error of a weighted mean, by area.

    Errors of different indicators are taken as unrelated; those of one doublet as moving together, since they
    are figures on the same children.

    Parameters
    ----------
    errors, weights : ndarray, shape (areas, indicators)
        Standard errors of the scores (missing cells carry weight 0) and effective weights, or slopes.
    groups : sequence of str
        Doublet, or own name, of each column.

    Returns
    -------
    ndarray, shape (areas,)
    """
    parts = np.where(weights != 0, np.nan_to_num(errors) * weights, 0.0)
    labels = pd.factorize(np.asarray(groups))[0]
    by_group = parts @ np.eye(labels.max() + 1)[labels]
    return np.asarray(np.sqrt((by_group**2).sum(axis=1)))


def _order(tree: Tree, framework: Framework | None) -> list[int]:
    """Positions of the shown branches, in the framework's order or from the top down."""
    if framework is None:
        return sorted(tree.shown, key=lambda i: -tree.branches[i].height)
    place = {node.id: k for k, node in enumerate(framework.nodes)}
    return sorted(tree.shown, key=lambda i: place[tree.branches[i].id])


def aggregate(
    values: pd.DataFrame,
    *,
    weights: pd.DataFrame | pd.Series | Mapping[str, float] | None = None,
    framework: Framework | None = None,
    groups: Mapping[str, str] | pd.Series | None = None,
    method: MethodChoice = "arithmetic",
    availability: float | Mapping[str, float] = 0.0,
    rescale: Rescale | None = None,
    base: pd.Series | None = None,
    population: pd.Series | None = None,
) -> StepResult:
    """Combine indicators into nodes, level by level up the tree.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, normalised, higher = better. NaN is missing: the weight goes to the parts beside it.
    weights : DataFrame, Series or mapping, optional
        By indicator and node within its parent (see :func:`~outcomes_analysis.index.steps.tree_weights.weights_in`);
        equal if not given. 0 leaves a part out.
    framework, groups : Framework, or mapping from child to parent
        The tree; one node ``"index"`` over everything if neither is given.
    method : Method, str or mapping
        One method, or a mapping from node to method (``"default"`` for the rest): ``arithmetic``, ``geometric``,
        ``harmonic``, ``generalised``, ``median``, ``mazziotta_pareto``, ``copeland``. Near-duplicates become one
        by the same mean, or the arithmetic one where the node uses none.
    availability : float or mapping from node to float
        Least share of a node's weight that must be present, counted down to the indicators; below it the node is
        not computed (NaN). The node above judges by its own share: what is present below still counts there.
    rescale : Rescale, optional
        Bring each node to a mean and standard deviation before it goes up.
    base : Series of bool, optional
        Base rows of ``rescale``; all rows if not given.
    population : Series, optional
        Weigh the base rows by people.

    Returns
    -------
    StepResult
        ``values``: units by nodes. ``changes``: each unit and node computed without some of its parts
        (``renormalised``) or not computed (``withheld``), ``before`` being the share of weight present and ``after``
        the score. ``details`` by node: ``method, parts, partial, withheld`` (counts of units).

    Raises
    ------
    SpecError
        Names that do not fit the tree, weights that cannot be used, or scores a mean cannot take.

    Notes
    -----
    OECD/JRC Handbook (2008), step 6; equals COINr 1.1.14 where that is right.
    """
    frame = check_values(values, step=STEP)
    tree = hierarchy(list(frame.columns), framework=framework, groups=groups)
    shares = weights_in(tree, weights)
    shown = [tree.branches[i].id for i in _order(tree, framework)]
    chosen = methods_by_indicator(method, shown, menu=classes_of(means.Aggregation), step=STEP)
    least = _least(availability, shown)
    base_rows = aligned(base, frame.index, "base", fill=True, step=STEP).astype(bool)
    people = None if population is None else aligned(population, frame.index, "population", step=STEP)[base_rows]
    elements = tree.elements
    columns = [*np.ascontiguousarray(frame.to_numpy(float).T)]  # one after another in memory
    present = [np.isfinite(column).astype(float) for column in columns]
    withheld: dict[str, np.ndarray] = {}
    for branch in tree.branches:
        parts = list(branch.parts)
        x, w = np.array([columns[p] for p in parts]).T, shares[parts]
        names = [elements[p] for p in parts]
        combiner = _combiner(tree, len(frame.columns) + len(withheld), chosen)
        score = combiner.combine(x, w, node=branch.id, parts=names)
        share = w @ np.array([present[p] for p in parts])
        # sums of shares are rounded: two thirds must count as two thirds
        withheld[branch.id] = ~np.isfinite(score) | (share < least.get(branch.id, 0.0) - 1e-12)
        if rescale is not None and branch.shown:
            score = _rescaled(score, base_rows & ~withheld[branch.id], people, base_rows, rescale, branch.id)
        columns.append(score)
        present.append(share)
    where = {name: i for i, name in enumerate(elements)}
    table = pd.DataFrame({n: np.where(withheld[n], np.nan, columns[where[n]]) for n in shown}, index=frame.index)
    share_table = pd.DataFrame({n: present[where[n]] for n in shown}, index=frame.index)
    details = pd.DataFrame(
        {
            "method": [chosen[n].key() for n in shown],
            "parts": [len(tree.branches[tree.position(n)].parts) for n in shown],
            "partial": [int(((share_table[n] < 1 - 1e-12) & table[n].notna()).sum()) for n in shown],
            "withheld": [int(withheld[n].sum()) for n in shown],
        },
        index=pd.Index(shown, name="node_id"),
    )
    return step_result(table, changes=[_incomplete(table, share_table)], text=_told(details, rescale), details=details)


def _combiner(tree: Tree, element: int, chosen: Mapping[str, Method]) -> means.Aggregator:
    """How a node combines its parts; near-duplicates by the mean of the node they count in, if it has one."""
    branch = tree.branches[element - len(tree.leaves)]
    found = chosen[branch.id] if branch.shown else chosen[tree.elements[tree.parents[element]]]
    if not branch.shown and not isinstance(found, means.PowerMean):
        return means.ArithmeticMean()
    if not isinstance(found, means.Aggregator):  # pragma: no cover - the menu holds nothing else
        raise TypeError(found)
    return found


def _least(availability: float | Mapping[str, float], nodes: list[str]) -> dict[str, float]:
    given = {"default": availability} if isinstance(availability, (int, float)) else dict(availability)
    check_known([k for k in given if k != "default"], nodes, what="nodes named in `availability` were", step=STEP)
    wrong = [k for k, share in given.items() if not 0 <= share <= 1]
    if wrong:
        message = f"`{STEP}`: availability is a share from 0 to 1; it is not for {several(wrong)}"
        raise SpecError(message)
    return {node: float(given.get(node, given.get("default", 0.0))) for node in nodes}


def _rescaled(
    score: np.ndarray, rows: np.ndarray, people: np.ndarray | None, base: np.ndarray, to: Rescale, node: str
) -> np.ndarray:
    weights = None if people is None else people[rows[base]]
    mean, sd = mean_and_sd(score[rows][:, None], weights)
    if not rows.any() or not sd[0] > 0:
        message = f"`{STEP}`: node '{node}' has no spread in the base rows to rescale by"
        raise SpecError(message)
    return np.asarray(to.mean + to.sd * (score - mean[0]) / sd[0])


def _incomplete(table: pd.DataFrame, share: pd.DataFrame) -> pd.DataFrame:
    """Tell which scores rest on a part of the weight only, node by node."""
    columns, rows = np.nonzero((share.to_numpy() < 1 - 1e-12).T)
    if not len(rows):
        return no_changes()
    score = table.to_numpy()[rows, columns]
    found = pd.DataFrame(
        {
            "step": STEP,
            "unit": np.array([str(u) for u in table.index], dtype=object)[rows],
            "indicator": np.array(list(table.columns), dtype=object)[columns],
            "what": np.where(np.isnan(score), "withheld", "renormalised"),
            "before": share.to_numpy()[rows, columns],
            "after": score,
            "parameters": "",
        },
        columns=CHANGE_COLUMNS,
        index=range(len(rows)),
    )
    return found.astype(no_changes().dtypes.to_dict())


def _told(details: pd.DataFrame, rescale: Rescale | None) -> str:
    used = listed([f"{m} ({n})" for m, n in details.groupby("method", sort=False).size().items()])
    sentence = f"{plural(len(details), 'node', 'nodes')} computed: {used}."
    if rescale is not None:
        sentence += f" Each was brought to mean {rescale.mean:g} and standard deviation {rescale.sd:g} of the base."
    partial, withheld = int(details["partial"].sum()), int(details["withheld"].sum())
    if partial:
        sentence += f" {plural(partial, 'score rests', 'scores rest')} on a part of the weight."
    if withheld:
        sentence += f" {plural(withheld, 'score', 'scores')} not computed: too little is present."
    return sentence
