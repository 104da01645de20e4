"""What a place would be set beside: others weighted so that they resemble it beforehand, or the mean of all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAREST = 40  # places the weighted counterpart may draw on: with many more than years, any path could be copied


class Counterpart(NamedTuple):
    """A place beside its counterpart.

    ``path`` of shape (years,): the counterpart's figures. ``estimate``: mean over the later years of place less
    counterpart. ``misfit``: root mean square of the same over the earlier years. ``weights`` of shape (others,).
    """

    path: Floats
    estimate: float
    misfit: float
    weights: Floats


Method = Callable[[Floats, Floats, int], Counterpart]


def simplex_weights(target: Floats, others: Floats, *, ridge: float = 0.0) -> Floats:
    """Weights, none below 0 and 1 in sum, with which others come closest to a target.

    Parameters
    ----------
    target : array of shape (years,)
    others : array of shape (years, others)
    ridge : float
        What the sum of squared weights costs, in squared units: noise in the weighted mean, so that one lucky place
        does not get all the weight.

    Returns
    -------
    array of shape (others,)
        The exact minimum of ``|target - others w|² + ridge |w|²``: as weights add up to 1 it is a quadratic form
        ``q(w)``; the least ``q(v) + (1 - sum v)²`` without the sum fixed is a multiple of the same weights, since for
        ``v = s w`` its least over ``s`` is ``q / (1 + q)``, which rises with ``q``.
    """
    from scipy.optimize import nnls

    away = others - target[:, None]
    unit = float(np.sqrt((away**2).sum(axis=0).mean() + ridge)) or 1.0
    count = others.shape[1]
    rows = [away / unit, np.ones((1, count))]
    if ridge > 0:
        rows.insert(1, np.sqrt(ridge) / unit * np.eye(count))
    system = np.vstack(rows)
    goal = np.zeros(len(system))
    goal[-1] = 1.0
    found, _ = nnls(system, goal)
    return np.asarray(found / found.sum())


def year_noise(values: Floats) -> float:
    """Variance of one year's noise: half that of changes to the next year, less what all places share.

    Parameters
    ----------
    values : array of shape (years, places)
        At least two years.
    """
    changes = np.diff(values, axis=0)
    return float(0.5 * (changes - changes.mean(axis=1, keepdims=True)).var())


def weighted_others(place: Floats, others: Floats, before: int) -> Counterpart:
    """Synthetic control (Abadie, Diamond and Hainmueller 2010) from the nearest others, weights kept from one place.

    Parameters
    ----------
    place : array of shape (years,)
    others : array of shape (years, others)
    before : int
        How many of the years are earlier than the date; the weights know these alone.
    """
    far = ((others[:before] - place[:before, None]) ** 2).sum(axis=0)
    near = np.sort(np.argsort(far, kind="stable")[:NEAREST])
    # the penalty is what noise adds to the expected squared misfit (as in synthetic difference-in-differences)
    ridge = before * year_noise(others[:before])
    weights = np.zeros(others.shape[1])
    weights[near] = simplex_weights(place[:before], others[:before, near], ridge=ridge)
    return _counterpart(place, others @ weights, before, weights)


def mean_of_others(place: Floats, others: Floats, before: int) -> Counterpart:
    """Difference in differences: the mean of all others, moved to the place's own level of the earlier years."""
    mean = others.mean(axis=1)
    path = mean + (place[:before] - mean[:before]).mean()
    return _counterpart(place, path, before, np.full(others.shape[1], 1 / others.shape[1]))


METHODS: Mapping[str, Method] = MappingProxyType({"weighted": weighted_others, "differences": mean_of_others})
METHOD_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "weighted": "places weighted so that they resemble it beforehand",
        "differences": "all other places, from its own level beforehand",
    }
)


def _counterpart(place: Floats, path: Floats, before: int, weights: Floats) -> Counterpart:
    gap = place - path
    return Counterpart(
        path=path,
        estimate=float(gap[before:].mean()),
        misfit=float(np.sqrt((gap[:before] ** 2).mean())),
        weights=weights,
    )
