"""Filling gaps within one period: by column, by group of units, by row, or from all indicators together.

Every cell filled is listed, so that no later step or output can take it for a published figure. An index does not
need this: aggregation renormalises weights over what is present. Imputing is for methods that need whole
tables, and for asking what the gaps may hide (``Regression``, whose draws go into the uncertainty).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.incomplete_normal import em_normal, regression_draws
from outcomes_analysis.index.steps.stepping import (
    Method,
    MethodChoice,
    StepResult,
    by_method,
    changed_cells,
    check_known,
    check_values,
    classes_of,
    methods_by_indicator,
    no_changes,
    signs,
)


class Mean(Method):
    """The mean of the indicator over the units that have it."""

    method: Literal["mean"] = "mean"


class Median(Method):
    """The median of the indicator over the units that have it."""

    method: Literal["median"] = "median"


class GroupMean(Method):
    """The mean over the units of the same group (a region, a kind of authority)."""

    method: Literal["group_mean"] = "group_mean"


class GroupMedian(Method):
    """The median over the units of the same group."""

    method: Literal["group_median"] = "group_median"


class RowMean(Method):
    """The mean of the unit's other indicators in the block.

    Attributes
    ----------
    rescale : bool
        Put the indicators, times their direction, on 0 to 1 (min-max) before, and bring the mean back: without
        it indicators of different units of measurement are averaged as they are.
    """

    method: Literal["row_mean"] = "row_mean"
    rescale: bool = True


class RowMedian(RowMean):
    """The median of the unit's other indicators in the block."""

    method: Literal["row_median"] = "row_median"  # type: ignore[assignment]


class EM(Method):
    """The mean given the unit's other indicators in the block, of a multivariate normal fitted by EM.

    Attributes
    ----------
    tolerance : float
        Largest move of a parameter, in standard deviations, at which to stop.
    iterations : int
        Most steps.
    """

    method: Literal["em"] = "em"
    tolerance: float = Field(default=1e-10, gt=0)
    iterations: int = Field(default=2000, ge=1)


class Regression(Method):
    """Draws from chained Bayesian regressions on the other indicators of the block; filled with their mean.

    Attributes
    ----------
    draws : int
        Number of completed tables.
    cycles : int
        Rounds through the incomplete indicators before a draw is taken.
    """

    method: Literal["regression"] = "regression"
    draws: int = Field(default=20, ge=2)
    cycles: int = Field(default=20, ge=1)


class Unimputed(Method):
    """Leave the gaps."""

    method: Literal["none"] = "none"


ImputationMethod = Annotated[
    Mean | Median | GroupMean | GroupMedian | RowMean | RowMedian | EM | Regression | Unimputed,
    Field(discriminator="method"),
]


@dataclass(frozen=True, eq=False)
class ImputationResult(StepResult):
    """What :func:`impute` gives: a :class:`StepResult` with draws.

    Attributes
    ----------
    draws : ndarray, shape (draws, cells) or None
        Values drawn for the cells listed in ``changes``, in that order; a cell filled without chance has the
        same value in all. None where no method draws.
    """

    draws: np.ndarray | None

    def completed(self, draw: int) -> pd.DataFrame:
        """The whole table with the values of one draw (numbered from 0).

        Raises
        ------
        SpecError
            There are no draws, or not so many.
        """
        if self.draws is None or not 0 <= draw < len(self.draws):
            have = 0 if self.draws is None else len(self.draws)
            message = f"`completed`: there is no draw {draw}; {have} were made (the method 'regression' makes draws)"
            raise SpecError(message)
        table = self.values.to_numpy(copy=True)
        rows = {str(unit): i for i, unit in enumerate(self.values.index)}
        columns = {str(name): j for j, name in enumerate(self.values.columns)}
        at = [rows[u] for u in self.changes["unit"]], [columns[c] for c in self.changes["indicator"]]
        table[at] = self.draws[draw]
        return pd.DataFrame(table, index=self.values.index, columns=self.values.columns)


def impute(
    values: pd.DataFrame,
    *,
    method: MethodChoice,
    groups: pd.Series | Mapping[str, str] | None = None,
    blocks: Mapping[str, str] | None = None,
    directions: Mapping[str, int] | pd.Series | None = None,
    rng: np.random.Generator | None = None,
) -> ImputationResult:
    """Fill gaps, and list every cell filled.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, natural units; NaN is missing.
    method : Method, str or mapping
        One of :data:`ImputationMethod` for all, or a mapping indicator → method with ``"default"``. Methods
        that use other indicators use all of the block, whatever the method of those is.
    groups : Series or mapping of unit to group, optional
        For ``group_mean`` and ``group_median``. Units without a group keep their gaps.
    blocks : mapping of indicator to block, optional
        Within which row-wise, EM and regression methods work (a domain, say); without it all indicators are
        one block.
    directions : mapping or Series of indicator to 1 or -1, optional
        For row-wise methods that rescale.
    rng : Generator, optional
        For ``regression``.

    Returns
    -------
    ImputationResult
        Observed cells are untouched to the last bit. ``changes``: a row a filled cell, ``what`` the method.
        ``details``: a row an indicator, how many cells were ``missing``, ``imputed`` and ``left``: a gap stays
        where the indicator, the group or the row has nothing to go by.

    Raises
    ------
    SpecError
        What a method needs is not given, or the data do not bear it.
    """
    step = "impute"
    data = check_values(values, step=step)
    methods = methods_by_indicator(method, data.columns, menu=classes_of(ImputationMethod), step=step)
    parts = _blocks(data, blocks)
    result = data.copy()
    changes: list[pd.DataFrame] = []
    drawn: list[np.ndarray | None] = []
    for chosen, names in by_method(methods):
        filled, draws = _fill(data, chosen, names, groups=groups, parts=parts, directions=directions, rng=rng)
        result[names] = data[names].where(data[names].notna(), filled[names])
        cells = changed_cells(data[names], result[names], step=step, what=chosen.key(), parameters=chosen.parameters)
        changes.append(cells)
        drawn.append(None if draws is None else _cells_of(draws, data, names))
    table = pd.concat([no_changes(), *[c for c in changes if len(c)]], ignore_index=True)
    details = pd.DataFrame(
        {
            "method": [methods[c].key() for c in data.columns],
            "missing": data.isna().sum().to_numpy(),
            "imputed": (data.isna() & result.notna()).sum().to_numpy(),
            "left": result.isna().sum().to_numpy(),
        },
        index=pd.Index(data.columns, name="indicator"),
    ).reset_index()
    return ImputationResult(
        values=result, changes=table, text=_text(details), details=details, draws=_joined(drawn, changes)
    )


def _fill(
    data: pd.DataFrame,
    chosen: Method,
    names: list[str],
    *,
    groups: pd.Series | Mapping[str, str] | None,
    parts: list[list[str]],
    directions: Mapping[str, int] | pd.Series | None,
    rng: np.random.Generator | None,
) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The table that gaps of the named columns are filled from, and its draws (draws, units, indicators)."""
    if isinstance(chosen, Unimputed):
        return data, None
    if isinstance(chosen, (Mean, Median)):
        single = data[names].mean() if isinstance(chosen, Mean) else data[names].median()
        return data[names].fillna(single), None
    if isinstance(chosen, (GroupMean, GroupMedian)):
        return _by_group(data[names], chosen, groups), None
    wanted = set(names)
    parts = [part for part in parts if wanted & set(part) and data[part].isna().any(axis=None)]
    result, draws = data.copy(), None
    for part in parts:
        table = data[part]
        if isinstance(chosen, RowMean):
            result[part] = _by_row(table, chosen, directions)
        elif isinstance(chosen, EM):
            _check_filled(table, "em")
            fitted = em_normal(table.to_numpy(), tolerance=chosen.tolerance, iterations=chosen.iterations)
            result[part] = fitted.filled
        elif isinstance(chosen, Regression):
            if rng is None:
                message = "`impute`: the method 'regression' draws at random; pass `rng`, a numpy Generator"
                raise SpecError(message)
            _check_filled(table, "regression")
            chains = regression_draws(
                table.to_numpy(), draws=chosen.draws, cycles=chosen.cycles, rng=rng, names=[str(c) for c in part]
            )
            draws = np.repeat(data.to_numpy()[None], chosen.draws, axis=0) if draws is None else draws
            draws[:, :, [data.columns.get_loc(c) for c in part]] = chains
            result[part] = chains.mean(axis=0)
    return result, draws


def _by_group(data: pd.DataFrame, chosen: Method, groups: pd.Series | Mapping[str, str] | None) -> pd.DataFrame:
    """Means or medians of each unit's group."""
    if groups is None:
        message = f"`impute`: the method {chosen.key()!r} needs `groups`, a group for each unit"
        raise SpecError(message)
    labels = groups if isinstance(groups, pd.Series) else pd.Series(dict(groups))
    if not data.index.isin(labels.dropna().index).any():
        message = f"`impute`: no unit has a group; `groups` is indexed by {several(labels.index)}"
        raise SpecError(message)
    how = "mean" if isinstance(chosen, GroupMean) else "median"
    return data.fillna(data.groupby(labels.reindex(data.index).to_numpy()).transform(how))


def _by_row(table: pd.DataFrame, chosen: RowMean, directions: Mapping[str, int] | pd.Series | None) -> pd.DataFrame:
    """Mean or median of each unit's indicators, on each indicator's own scale."""
    x = table.to_numpy()
    if chosen.rescale:
        if directions is None:
            message = f"`impute`: the method {chosen.key()!r} rescales by direction and needs `directions`"
            raise SpecError(message)
        sign = signs(directions, table.columns, step="impute").to_numpy()
        directed = x * sign
        low = np.fmin.reduce(directed, axis=0)
        width = np.fmax.reduce(directed, axis=0) - low
        # a constant indicator says nothing of how high a unit stands
        x = np.divide(directed - low, width, out=np.full_like(x, np.nan), where=width > 0)
    frame = pd.DataFrame(x)
    centre = (frame.median(axis=1) if isinstance(chosen, RowMedian) else frame.mean(axis=1)).to_numpy()[:, None]
    filled = sign * (centre * width + low) if chosen.rescale else np.broadcast_to(centre, x.shape)
    return table.where(table.notna(), filled)


def _blocks(data: pd.DataFrame, blocks: Mapping[str, str] | None) -> list[list[str]]:
    """The indicators of each block, in the order of the columns."""
    if blocks is None:
        return [list(data.columns)]
    check_known(data.columns, blocks, what="indicators without a block were", step="impute")
    gathered: dict[str, list[str]] = {}
    for name in data.columns:
        gathered.setdefault(blocks[name], []).append(name)
    return list(gathered.values())


def _check_filled(table: pd.DataFrame, method: str) -> None:
    """Refuse blocks that a joint model cannot be fitted to."""
    empty = table.columns[table.isna().all()]
    if len(empty):
        message = f"`impute`: {len(empty)} indicators have no value at all ({several(empty)}); leave them out"
        raise SpecError(message)
    units, indicators = table.shape
    if units < indicators + 2:
        message = (
            f"`impute`: {method!r} cannot estimate {indicators} indicators together from {units} units "
            f"({several(table.columns)}); use smaller blocks or another method"
        )
        raise SpecError(message)


def _cells_of(draws: np.ndarray, data: pd.DataFrame, names: list[str]) -> np.ndarray:
    """The draws of the gaps of some columns, column by column as a table of changes lists them."""
    at = [data.columns.get_loc(name) for name in names]
    columns, rows = np.nonzero(data[names].isna().to_numpy().T)
    return draws[:, rows, np.asarray(at, dtype=int)[columns]]


def _joined(drawn: list[np.ndarray | None], changes: list[pd.DataFrame]) -> np.ndarray | None:
    """Draws of all methods side by side, what was filled without chance repeated."""
    numbers = {len(draws) for draws in drawn if draws is not None}
    if not numbers:
        return None
    if len(numbers) > 1:
        message = f"`impute`: methods ask for different numbers of draws ({several(sorted(numbers))}); ask for one"
        raise SpecError(message)
    m = numbers.pop()
    parts = [
        np.tile(cells["after"].to_numpy(), (m, 1)) if draws is None else draws
        for draws, cells in zip(drawn, changes, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def _text(details: pd.DataFrame) -> str:
    """What was done, in words."""
    filled, missing = int(details["imputed"].sum()), int(details["missing"].sum())
    if missing == 0:
        return "No value was missing."
    ways = details.loc[details["imputed"] > 0].groupby("method")["imputed"].sum()
    how = ", ".join(f"{int(n)} by {name}" for name, n in ways.items())
    text = f"{filled} of {missing} missing values were imputed" + (f" ({how})." if how else ".")
    left = details.loc[details["left"] > 0, "indicator"]
    return text + (f" Gaps are left in {len(left)} indicators: {several(left)}." if len(left) else "")
