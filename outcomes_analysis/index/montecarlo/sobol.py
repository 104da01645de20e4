"""Sensitivity: how much of the movement of ranks each choice of method accounts for (Sobol' indices)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.project import LEVEL

ORDERS = ("first", "total")


@dataclass(frozen=True)
class SobolIndices:
    """First-order and total indices of one or many outputs.

    Attributes
    ----------
    first, total : ndarray, shape (inputs, outputs)
        Share of an output's variance that an input accounts for alone, and with all its interactions. NaN where
        the output does not vary.
    first_lower, first_upper, total_lower, total_upper : ndarray
        Bounds of the same shape; equal to the index where every combination was enumerated.
    variance : ndarray, shape (outputs,)
    """

    first: np.ndarray
    total: np.ndarray
    first_lower: np.ndarray
    first_upper: np.ndarray
    total_lower: np.ndarray
    total_upper: np.ndarray
    variance: np.ndarray


def saltelli_design(points: np.ndarray, groups: Sequence[int]) -> np.ndarray:
    """Points at which to evaluate a model: A, B, then A with one group of columns from B, for each group.

    Parameters
    ----------
    points : ndarray, shape (n, 2 * inputs)
        A and B side by side; a scrambled Sobol' sequence of that width.
    groups : sequence of int
        How many columns each input has.

    Returns
    -------
    ndarray, shape (n * (groups + 2), inputs)
    """
    a, b = np.split(points, 2, axis=1)
    mixed, start = [], 0
    for width in groups:
        ab = a.copy()
        ab[:, start : start + width] = b[:, start : start + width]
        mixed.append(ab)
        start += width
    return np.concatenate([a, b, *mixed])


def sobol_indices(
    y: np.ndarray, *, inputs: int, seed: int = 0, resamples: int = 500, level: float = LEVEL
) -> SobolIndices:
    """Estimate Sobol' indices from a model evaluated on :func:`saltelli_design`.

    Parameters
    ----------
    y : ndarray, shape (n * (inputs + 2),) or (n * (inputs + 2), outputs)
        Outputs: A, B, then A with each input from B.
    inputs : int
    seed : int
        For the bootstrap.
    resamples : int
        Bootstrap resamples of the n rows; 0 leaves the bounds NaN.
    level : float

    Returns
    -------
    SobolIndices

    Raises
    ------
    SpecError
        If the number of outputs does not fit the number of inputs, or an output is missing.

    Notes
    -----
    First order: ``mean((yB - m)(yAB - yA)) / V`` (Saltelli et al. 2010, Computer Physics Communications 181, with
    the outputs centred at the mean ``m`` of A and B); without centring the error of the estimate grows with the
    mean of the output. Total: ``mean((yA - yAB)^2) / 2V`` (Jansen 1999). ``V`` is the variance over A and B
    (divisor 2n - 1). Bounds are percentiles of a bootstrap of rows, mean and variance anew in each.
    """
    values = np.asarray(y, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    n, rest = divmod(len(values), inputs + 2)
    if rest or not n or not np.isfinite(values).all():
        message = (
            f"{len(values)} outputs do not make whole sets for {inputs} inputs (n times {inputs + 2}), "
            "or some are missing."
        )
        raise SpecError(message)
    blocks = values.reshape(inputs + 2, n, -1)
    blocks = blocks - blocks[:2].mean(axis=(0, 1))  # nothing but rounding depends on this
    a, b, mixed = blocks[0], blocks[1], blocks[2:]
    even = np.full((1, n), 1.0 / n)
    first, total, variance = _estimates(even, a, b, mixed)
    low_first = high_first = low_total = high_total = np.full((inputs, values.shape[1]), np.nan)
    if resamples:
        counts = np.random.default_rng([seed, 3]).multinomial(n, even[0], size=resamples) / n
        drawn_first, drawn_total, _ = _estimates(counts, a, b, mixed)
        ends = [(1 - level) / 2, (1 + level) / 2]
        low_first, high_first = np.quantile(drawn_first, ends, axis=1)  # NaN stays NaN
        low_total, high_total = np.quantile(drawn_total, ends, axis=1)
    return SobolIndices(first[:, 0], total[:, 0], low_first, high_first, low_total, high_total, variance[0])


def _estimates(
    shares: np.ndarray, a: np.ndarray, b: np.ndarray, mixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices with rows counted by ``shares`` (sets by rows): inputs by sets by outputs, and variances."""
    mean = (shares @ a + shares @ b) / 2
    count = 2 * a.shape[0]
    variance = ((shares @ a**2 + shares @ b**2) / 2 - mean**2) * count / (count - 1)
    safe = np.where(variance > 1e-12 * max(float(np.max(a**2)), 1e-300), variance, np.nan)
    first, total = [], []
    for ab in mixed:
        shift = ab - a
        first.append((shares @ (b * shift) - mean * (shares @ shift)) / safe)
        total.append((shares @ shift**2) / (2 * safe))
    return np.stack(first), np.stack(total), variance


def exact_indices(y: np.ndarray, *, levels: Sequence[int]) -> SobolIndices:
    """Sobol' indices of discrete inputs from every combination of them, all equally likely: exact.

    Parameters
    ----------
    y : ndarray, shape (product of levels,) or (product of levels, outputs)
        Outputs in the order of :func:`every_combination` (last input fastest).
    levels : sequence of int
        Number of alternatives of each input.

    Returns
    -------
    SobolIndices

    Notes
    -----
    First order: variance of the conditional mean over the variance; total: 1 less the share of the variance of the
    mean given all other inputs.
    """
    grid = np.asarray(y, dtype=float).reshape(*levels, -1)
    axes = tuple(range(len(levels)))
    variance = grid.var(axis=axes)
    safe = np.where(variance > 1e-12 * np.maximum((grid**2).mean(axis=axes), 1e-300), variance, np.nan)
    first = np.stack([grid.mean(axis=tuple(j for j in axes if j != i)).var(axis=0) / safe for i in axes])
    total = np.stack([grid.var(axis=i).mean(axis=tuple(range(len(levels) - 1))) / safe for i in axes])
    return SobolIndices(first, total, first, first, total, total, variance)


def with_bounds(
    exact: SobolIndices,
    y: np.ndarray,
    *,
    levels: Sequence[int],
    drawn: Sequence[int],
    seed: int = 0,
    resamples: int = 200,
    level: float = LEVEL,
) -> SobolIndices:
    """Bounds of exact indices where the alternatives of some inputs are a sample of what they might be.

    Parameters
    ----------
    exact : SobolIndices
        From :func:`exact_indices`; given back with bounds for its first output, whose index is exact for the sets drawn
        but would differ with others. Those of further outputs stay equal to the index.
    y : ndarray, shape (product of levels, outputs)
    levels : sequence of int
    drawn : sequence of int
        Positions of the inputs whose alternatives were drawn.
    seed, resamples, level
        Of the bootstrap: the drawn alternatives are drawn again, with replacement.

    Notes
    -----
    Basic bootstrap bounds (twice the index less the opposite quantile, kept within 0 and 1): a variance of alternatives
    drawn again is on average a little smaller than that of those drawn, which percentiles would take for real.
    """
    if not len(drawn):
        return exact
    grid = np.asarray(y[:, 0], dtype=float).reshape(levels)
    rng = np.random.default_rng([seed, 8])
    found = []
    for _ in range(resamples):
        other = grid
        for axis in drawn:
            other = np.take(other, rng.integers(levels[axis], size=levels[axis]), axis=axis)
        again = exact_indices(other.ravel(), levels=levels)
        found.append((again.first[:, 0], again.total[:, 0]))
    ends = np.quantile(np.array(found), [(1 - level) / 2, (1 + level) / 2], axis=0)
    bounds = {}
    for order, (low, high) in zip(ORDERS, ends.transpose(1, 0, 2), strict=True):
        for end, opposite in (("lower", high), ("upper", low)):
            table = getattr(exact, f"{order}_{end}").copy()
            table[:, 0] = np.clip(2 * getattr(exact, order)[:, 0] - opposite, 0.0, 1.0)
            bounds[f"{order}_{end}"] = table
    return replace(exact, **bounds)


def every_combination(levels: Sequence[int]) -> np.ndarray:
    """Every combination of discrete inputs as numbers from 0 to 1 (middles of their steps), last input fastest."""
    axes = [(np.arange(k) + 0.5) / k for k in levels]
    return np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)


def indices_table(found: SobolIndices, *, inputs: Sequence[str], outputs: Sequence[str], level: float) -> pd.DataFrame:
    """One row an output, input and order: ``output, factor, order, estimate, lower, upper, level``."""
    frames = []
    for order in ORDERS:
        parts = [getattr(found, f"{order}{end}") for end in ("", "_lower", "_upper")]
        frame = pd.DataFrame(
            {
                "output": np.tile(np.asarray(outputs, dtype=object), len(inputs)),
                "factor": np.repeat(np.asarray(inputs, dtype=object), len(outputs)),
                "order": order,
                **dict(zip(("estimate", "lower", "upper"), (p.ravel() for p in parts), strict=True)),
                "level": level,
            }
        )
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
