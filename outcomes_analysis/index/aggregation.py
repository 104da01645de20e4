"""Weights that count near-duplicates once, and means that use what is present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.specification import Aggregation


def leaf_weights(framework: Framework, domain: str, *, indicators: Sequence[str]) -> pd.DataFrame:
    """Equal weights down the tree, near-duplicates sharing one.

    A doublet counts once, in the outcome of its first member; outcomes that hold no indicator are passed over.

    Parameters
    ----------
    framework : Framework
        The tree.
    domain : str
        Node to weigh below.
    indicators : sequence of str
        Indicators that take part.

    Returns
    -------
    DataFrame
        Indexed by indicator: ``outcome``, ``group`` (the doublet's name, else the indicator's own),
        ``within`` (weight in its outcome, adding up to 1) and ``weight`` (in the domain, adding up to 1).
    """
    members = [i for i in framework.below(domain) if i.id in set(indicators)]
    home: dict[str, str] = {}
    for indicator in members:
        home.setdefault(indicator.doublet or indicator.id, indicator.outcome)
    rows = [{"indicator_id": i.id, "group": i.doublet or i.id, "outcome": home[i.doublet or i.id]} for i in members]
    table = pd.DataFrame(rows, columns=["indicator_id", "group", "outcome"]).set_index("indicator_id")
    groups_in_outcome = table.groupby("outcome")["group"].transform("nunique")
    size_of_group = table.groupby("group")["group"].transform("size")
    table["within"] = 1 / groups_in_outcome / size_of_group
    table["weight"] = table["within"] / max(table["outcome"].nunique(), 1)
    return table


def effective_weights(present: np.ndarray, weights: pd.DataFrame) -> np.ndarray:
    """Weights by area once missing indicators have handed theirs to what is present beside them.

    A missing member of a doublet hands its share to the other member, a missing indicator to its outcome, a
    missing outcome to the domain.

    Parameters
    ----------
    present : ndarray of bool, shape (areas, indicators)
        Which cells have a value; columns as the rows of ``weights``.
    weights : DataFrame
        From :func:`leaf_weights`.

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


def availability(present: np.ndarray, weights: pd.DataFrame) -> np.ndarray:
    """Share of a domain's weight that is present, by area (0 to 1)."""
    return np.asarray(present, dtype=float) @ weights["weight"].to_numpy(float)


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
        Standard errors of the scores (missing cells carry weight 0) and effective weights.
    groups : sequence of str
        Doublet, or own name, of each column.

    Returns
    -------
    ndarray, shape (areas,)
    """
    parts = np.where(weights > 0, np.nan_to_num(errors) * weights, 0.0)
    labels = pd.factorize(np.asarray(groups))[0]
    by_group = parts @ np.eye(labels.max() + 1)[labels]
    return np.asarray(np.sqrt((by_group**2).sum(axis=1)))


def slope_of_mean(scores: np.ndarray, weights: np.ndarray, mean: np.ndarray, *, method: Aggregation) -> np.ndarray:
    """How fast the mean moves with each score, as a factor on its weight (all 1 for the arithmetic mean)."""
    if method == "arithmetic":
        return np.ones_like(weights)
    base = np.maximum(100 + 10 * np.where(weights > 0, scores, 0.0), 1e-6)
    return (100 + 10 * mean)[:, None] / base


def random_weights(weights: pd.DataFrame, *, draws: int, rng: np.random.Generator, spread: float = 0.5) -> np.ndarray:
    """Weights drawn around equal ones: each part's weight times a uniform number, made to add up again.

    Parameters
    ----------
    weights : DataFrame
        From :func:`leaf_weights`.
    draws : int
        How many sets.
    rng : Generator
        Source of randomness.
    spread : float
        Each outcome's and each indicator's (or doublet's) weight is multiplied by a number between
        ``1 - spread`` and ``1 + spread``.

    Returns
    -------
    ndarray, shape (draws, indicators)
        Each row adds up to 1.
    """
    factors: Mapping[str, np.ndarray] = {
        level: rng.uniform(1 - spread, 1 + spread, size=(draws, weights[level].nunique()))
        for level in ("outcome", "group")
    }
    drawn = np.tile(weights["weight"].to_numpy(float), (draws, 1))
    for level, factor in factors.items():
        drawn *= factor[:, pd.factorize(weights[level])[0]]
    return drawn / drawn.sum(axis=1, keepdims=True)
