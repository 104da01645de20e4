"""Filling gaps in a panel from the same unit's other years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from outcomes_analysis.errors import ObservationsError, several
from outcomes_analysis.index.steps.stepping import (
    Method,
    MethodChoice,
    StepResult,
    changed_cells,
    check_values,
    classes_of,
    methods_by_indicator,
    no_changes,
)


class Latest(Method):
    """The last value before the gap; a gap before the first value stays.

    Attributes
    ----------
    max_gap : float or None
        Longest distance in time over which a value is taken, in the unit of ``times``; None: any.
    """

    method: Literal["latest"] = "latest"
    max_gap: float | None = Field(default=None, gt=0)


class Constant(Method):
    """The last value before the gap; before the first value, the first."""

    method: Literal["constant"] = "constant"
    max_gap: float | None = Field(default=None, gt=0)


class Linear(Method):
    """A straight line between the values on either side; the nearest value beyond the ends.

    A series with a single value makes no line: its gaps stay (COINr stops there with an error).
    """

    method: Literal["linear"] = "linear"
    max_gap: float | None = Field(default=None, gt=0)


class LinearConstant(Method):
    """As :class:`Linear`, and the one value throughout where a series has no other."""

    method: Literal["linear_constant"] = "linear_constant"
    max_gap: float | None = Field(default=None, gt=0)


PanelMethod = Annotated[Latest | Constant | Linear | LinearConstant, Field(discriminator="method")]


def impute_panel(
    values: pd.DataFrame,
    *,
    units: Sequence[str] | pd.Series,
    times: Sequence[float] | pd.Series,
    method: MethodChoice = "latest",
) -> StepResult:
    """Fill gaps of each unit's series from its own other times, as COINr's ``impute_panel`` (R's ``approx``, rule 2).

    The result has the rows of the input, in the order of the input, however they are sorted (COINr puts its record
    of sources in another order than the data, and mixes up units when the years are shuffled).

    Parameters
    ----------
    values : DataFrame
        A row a unit and time, one column an indicator; any unique index. NaN is missing.
    units, times : sequence or Series
        The unit and the time (a number, such as a year) of each row, in the order of the rows.
    method : Method, str or mapping
        One of :data:`PanelMethod` for all, or a mapping indicator → method with ``"default"``.

    Returns
    -------
    StepResult
        ``changes``: a row a filled cell, ``unit`` its row label, ``parameters`` the times the value comes from
        ("from 2018" or "between 2018 and 2020"). ``details``: the same cells as
        ``unit, time, indicator, from_time, to_time``.

    Raises
    ------
    ObservationsError
        Lengths differ, a unit or time is missing, or a unit has two rows of one time.
    """
    step = "impute_panel"
    data = check_values(values, step=step)
    methods = methods_by_indicator(method, data.columns, menu=classes_of(PanelMethod), step=step)
    who, when = _keys(data, units, times)
    order = np.lexsort((when, pd.factorize(who)[0]))
    series = np.split(order, np.flatnonzero(who[order][1:] != who[order][:-1]) + 1) if len(order) else []
    result = data.copy()
    sources = np.full((2, *data.shape), np.nan)
    for j, (indicator, chosen) in enumerate(methods.items()):
        column = data[indicator].to_numpy(copy=True)
        for rows in series:
            if np.isnan(column[rows]).any():
                column[rows], sources[:, rows, j] = _fill_series(column[rows], when[rows], chosen)
        result[indicator] = column
    return _result(data, result, who, when, sources, methods)


def _result(
    data: pd.DataFrame,
    result: pd.DataFrame,
    who: np.ndarray,
    when: np.ndarray,
    sources: np.ndarray,
    methods: dict[str, Method],
) -> StepResult:
    """The filled table with its record of cells."""
    columns, rows = np.nonzero((data.isna() & result.notna()).to_numpy().T)
    start, end = sources[0, rows, columns], sources[1, rows, columns]
    details = pd.DataFrame(
        {
            "unit": who[rows],
            "time": when[rows],
            "indicator": np.array([str(c) for c in data.columns], dtype=object)[columns],
            "from_time": start,
            "to_time": end,
        }
    )
    changes = pd.concat(
        [
            no_changes(),
            *(
                changed_cells(data[[c]], result[[c]], step="impute_panel", what=chosen.key())
                for c, chosen in methods.items()
            ),
        ],
        ignore_index=True,
    )
    changes["parameters"] = [
        f"from {a:g}" if a == b else f"between {a:g} and {b:g}" for a, b in zip(start, end, strict=True)
    ]
    left = int(result.isna().to_numpy().sum())
    text = f"{len(details)} of {len(details) + left} missing values were filled from other times of the same unit."
    return StepResult(values=result, changes=changes, text=text, details=details)


def _fill_series(y: np.ndarray, t: np.ndarray, chosen: Method) -> tuple[np.ndarray, np.ndarray]:
    """One series filled, and the times each filled value comes from (first and last, the same for one)."""
    there = np.flatnonzero(~np.isnan(y))
    gaps = np.flatnonzero(np.isnan(y))
    filled, sources = y.copy(), np.full((2, len(y)), np.nan)
    if there.size == 0 or (there.size == 1 and isinstance(chosen, Linear)):
        return filled, sources
    before = np.searchsorted(there, gaps) - 1
    after = before + 1
    first, last = before < 0, after >= there.size
    left = there[np.where(first, after, before).clip(0, there.size - 1)]
    right = there[np.where(last, before, after).clip(0, there.size - 1)]
    if isinstance(chosen, (Latest, Constant)):
        right = left
    share = np.divide(t[gaps] - t[left], t[right] - t[left], out=np.zeros(len(gaps)), where=left != right)
    value = y[left] + share * (y[right] - y[left])
    limit = getattr(chosen, "max_gap", None)
    near = np.minimum(np.abs(t[gaps] - t[left]), np.abs(t[gaps] - t[right]))
    use = near <= limit if limit is not None else np.full(len(gaps), True)
    if isinstance(chosen, Latest):
        use &= ~first
    filled[gaps[use]] = value[use]
    sources[0, gaps[use]], sources[1, gaps[use]] = t[left[use]], t[right[use]]
    return filled, sources


def _keys(
    data: pd.DataFrame, units: Sequence[str] | pd.Series, times: Sequence[float] | pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Unit and time of each row, checked."""
    who, when = np.asarray(units, dtype=object), np.asarray(times, dtype=float)
    if len(who) != len(data) or len(when) != len(data):
        message = f"`impute_panel`: {len(data)} rows of values, but {len(who)} units and {len(when)} times"
        raise ObservationsError(message)
    blank = np.isnan(when) | pd.isna(who)
    if blank.any():
        message = f"`impute_panel`: {int(blank.sum())} rows lack a unit or a time ({several(data.index[blank])})"
        raise ObservationsError(message)
    twice = pd.DataFrame({"unit": who, "time": when}).duplicated(keep="first").to_numpy()
    if twice.any():
        named = [f"{u} {t:g}" for u, t in zip(who[twice], when[twice], strict=True)]
        message = f"`impute_panel`: {len(named)} units have more than one row of the same time ({several(named)})"
        raise ObservationsError(message)
    return who, when
