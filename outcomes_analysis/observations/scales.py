"""Scales on which errors are about even: there and back, and the slope between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from outcomes_analysis.framework.model import Framework, Indicator, Scale

Floats = npt.NDArray[np.float64]
SCALES: tuple[Scale, ...] = get_args(Scale)

# Where neither decimals nor people are known, nothing closer to a bound than this share of the range is told apart.
GUARD = 0.0005


def transform(
    values: npt.ArrayLike,
    scale: Scale,
    *,
    low: npt.ArrayLike = 0.0,
    high: npt.ArrayLike = 100.0,
    guard: npt.ArrayLike | None = None,
) -> Floats:
    """Put values on a scale.

    Parameters
    ----------
    values : array
        In natural units; any shape.
    scale : {"identity", "logit", "log"}
        ``logit`` is of ``(value - low) / (high - low)``; ``log`` of the value itself.
    low, high : float or array
        Ends of the range of a ``logit``; the others use neither.
    guard : float or array, optional
        In natural units: nothing is taken to be nearer than this to an end of the range, so that a published 0
        or 100 has a finite place. Half a unit of the last published decimal, or half a child where the number
        of children is known (see ``guards``). By default 0.0005 of the range; of 100 for ``log``.

    Returns
    -------
    array
        Shape of ``values``; NaN stays NaN.
    """
    x = np.asarray(values, dtype=float)
    if scale == "identity":
        return x.copy()
    if scale == "log":
        return np.log(_above(x, guard))
    share = _share(x, low, high, guard)
    return np.log(share) - np.log1p(-share)


def inverse(values: npt.ArrayLike, scale: Scale, *, low: npt.ArrayLike = 0.0, high: npt.ArrayLike = 100.0) -> Floats:
    """Bring values back from a scale to natural units; NaN stays NaN.

    Parameters
    ----------
    values : array
        On the scale.
    scale, low, high
        As in ``transform``.

    Returns
    -------
    array
        In natural units; within ``low`` and ``high`` for ``logit``.
    """
    z = np.asarray(values, dtype=float)
    if scale == "identity":
        return z.copy()
    if scale == "log":
        return np.exp(np.minimum(z, 700.0))  # beyond which a double overflows
    bottom = np.asarray(low, dtype=float)
    # tanh neither overflows nor warns, however far out z lies.
    return bottom + (np.asarray(high, dtype=float) - bottom) * 0.5 * (1.0 + np.tanh(0.5 * z))


def derivative(
    values: npt.ArrayLike,
    scale: Scale,
    *,
    low: npt.ArrayLike = 0.0,
    high: npt.ArrayLike = 100.0,
    guard: npt.ArrayLike | None = None,
) -> Floats:
    """Slope of the scale at natural values: a small error times this is the error on the scale (delta method).

    Parameters
    ----------
    values, scale, low, high, guard
        As in ``transform``.

    Returns
    -------
    array
        Positive; NaN where the value is.
    """
    x = np.asarray(values, dtype=float)
    if scale == "identity":
        return np.where(np.isnan(x), np.nan, 1.0)
    if scale == "log":
        return 1.0 / _above(x, guard)
    share = _share(x, low, high, guard)
    span = np.asarray(high, dtype=float) - np.asarray(low, dtype=float)
    return 1.0 / (span * share * (1.0 - share))


def scales_of(framework: Framework) -> pd.DataFrame:
    """List the scale of every indicator of a framework.

    Parameters
    ----------
    framework : Framework

    Returns
    -------
    DataFrame
        Indexed by ``indicator_id``: ``scale``, ``low`` and ``high`` (the valid range), ``guard`` (half a unit of
        the last published decimal), ``per``.
    """
    rows = [_row_of(i) for i in framework.indicators]
    columns = ["indicator_id", "scale", "low", "high", "guard", "per"]
    return pd.DataFrame(rows, columns=columns).set_index("indicator_id")


def _row_of(indicator: Indicator) -> tuple[str, Scale, float, float, float, float]:
    low, high = indicator.valid_range
    return indicator.id, indicator.scale, float(low), float(high), 0.5 * 10.0**-indicator.decimals, float(indicator.per)


@dataclass(frozen=True)
class RowScales:
    """The scale of each row of a table of observations, for moving whole columns at once.

    Attributes
    ----------
    scale : array of str
        One of the three scales, for each row.
    low, high, guard, per : array of float
        As in ``scales_of``, for each row; ``guard`` is widened to half a child where the denominator is known.
    """

    scale: npt.NDArray[np.str_]
    low: Floats
    high: Floats
    guard: Floats
    per: Floats

    @classmethod
    def of(cls, obs: pd.DataFrame, framework: Framework) -> RowScales:
        """Look up each row's indicator.

        Raises
        ------
        FrameworkError
            If an indicator is not registered.
        """
        codes, ids = pd.factorize(obs["indicator_id"])
        found = [_row_of(framework.indicator(name)) for name in ids]
        low, high, guard, per = (np.array([row[n] for row in found], dtype=float)[codes] for n in (2, 3, 4, 5))
        scale = np.array([row[1] for row in found], dtype=str)[codes]
        people = obs["denominator"].to_numpy(dtype=float) if "denominator" in obs else np.full(len(obs), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            half_child = np.where(people > 0, 0.5 * per / people, 0.0)
        widened = np.where(scale == "identity", guard, np.fmax(guard, np.minimum(half_child, 0.25 * (high - low))))
        return cls(scale, low, high, widened, per)

    def take(self, rows: npt.NDArray[np.integer]) -> RowScales:
        """Scales of some rows, by position."""
        return RowScales(*(getattr(self, field.name)[rows] for field in fields(self)))

    def transform(self, values: npt.ArrayLike) -> Floats:
        """Put natural values on their row's scale."""
        return self._apply(transform, values, guarded=True)

    def inverse(self, values: npt.ArrayLike) -> Floats:
        """Bring values back to natural units, kept within each indicator's valid range."""
        return np.clip(self._apply(inverse, values, guarded=False), self.low, self.high)

    def derivative(self, values: npt.ArrayLike) -> Floats:
        """Slope of each row's scale at natural values."""
        return self._apply(derivative, values, guarded=True)

    def _apply(self, function: Callable[..., Floats], values: npt.ArrayLike, *, guarded: bool) -> Floats:
        x = np.asarray(values, dtype=float)
        result = np.full(x.shape, np.nan)
        for scale in SCALES:
            rows = self.scale == scale
            more = {"guard": self.guard[rows]} if guarded else {}
            result[rows] = function(x[rows], scale, low=self.low[rows], high=self.high[rows], **more)
        return result


def on_scale(values: pd.DataFrame, *, framework: Framework, back: bool = False) -> pd.DataFrame:
    """Put a table of areas × indicators on each indicator's own scale, or bring it back.

    Parameters
    ----------
    values : DataFrame
        Columns are indicator ids of the framework; natural units, or the scale's if ``back``.
    framework : Framework
        Gives scale, range and guard of each.
    back : bool
        Whether to go from the scale to natural units.

    Returns
    -------
    DataFrame
        Same labels; NaN stays NaN.

    Raises
    ------
    FrameworkError
        If a column is not an indicator of the framework.
    """
    result = {}
    for name in values.columns:
        indicator = framework.indicator(str(name))
        low, high = indicator.valid_range
        column = values[name].to_numpy(dtype=float)
        if back:
            result[name] = inverse(column, indicator.scale, low=low, high=high)
        else:
            guard = 0.5 * 10.0**-indicator.decimals
            result[name] = transform(column, indicator.scale, low=low, high=high, guard=guard)
    return pd.DataFrame(result, index=values.index, columns=values.columns)


def _share(x: Floats, low: npt.ArrayLike, high: npt.ArrayLike, guard: npt.ArrayLike | None) -> Floats:
    bottom = np.asarray(low, dtype=float)
    span = np.asarray(high, dtype=float) - bottom
    edge = GUARD if guard is None else np.minimum(np.asarray(guard, dtype=float) / span, 0.5)
    return np.clip((x - bottom) / span, edge, 1.0 - edge)


def _above(x: Floats, guard: npt.ArrayLike | None) -> Floats:
    edge = 100.0 * GUARD if guard is None else np.asarray(guard, dtype=float)
    return np.maximum(x, edge)
