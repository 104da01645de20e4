"""Leaving out units that have too few values, or too many zeros, to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.stepping import (
    CHANGE_COLUMNS,
    StepResult,
    check_known,
    check_values,
    no_changes,
    step_result,
)

Criterion = Literal["availability", "zeros"]
type Groups = Mapping[str, str] | pd.DataFrame


def availability_table(values: pd.DataFrame, *, groups: Groups | None = None) -> pd.DataFrame:
    """How much of each unit's data is there: by unit, and in each group of indicators.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; NaN is missing.
    groups : mapping or DataFrame, optional
        Indicator to group (a domain, say), or one column a level of the hierarchy with a row an indicator. Without
        it the table speaks of all indicators together.

    Returns
    -------
    DataFrame
        Indexed as ``values``. Without groups: ``missing``, ``zeros``, ``missing_or_zero`` (counts),
        ``availability`` (share of indicators with a value) and ``nonzero`` (share of the values that are not
        zero; NaN for a unit without any). With groups: one column a group, the share of its indicators that
        have a value.

    Raises
    ------
    SpecError
        Groups name indicators that are not there, or leave some without a group.
    """
    data = check_values(values, step="availability_table")
    if groups is not None:
        return _by_group(data, groups, step="availability_table")
    total = data.shape[1]
    missing = data.isna().sum(axis=1)
    zeros = (data == 0).sum(axis=1)
    present = (total - missing).to_numpy(float)
    nonzero = 1 - np.divide(zeros.to_numpy(float), present, out=np.full(len(data), np.nan), where=present > 0)
    return pd.DataFrame(
        {
            "missing": missing,
            "zeros": zeros,
            "missing_or_zero": missing + zeros,
            "availability": 1 - missing / max(total, 1),
            "nonzero": nonzero,
        },
        index=data.index,
    )


def screen(
    values: pd.DataFrame,
    *,
    availability: float = 2 / 3,
    nonzero: float = 0.05,
    by: Sequence[Criterion] = ("availability", "zeros"),
    forced: Mapping[str, bool] | None = None,
    groups: Groups | None = None,
) -> StepResult:
    """Drop units whose data are too thin to be compared.

    A unit stays when at least ``availability`` of its indicators have a value and at least ``nonzero`` of those
    values are not zero (COINr's ``Screen``). With ``groups`` the availability must be reached in every group as
    well: a unit with all of its health figures and none of its schooling is not a unit one can compare.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; NaN is missing.
    availability : float
        Least share of indicators with a value, 0 to 1.
    nonzero : float
        Least share of values that are not zero, 0 to 1.
    by : sequence of {"availability", "zeros"}
        Which criteria drop a unit; the others are only reported.
    forced : mapping of str to bool, optional
        Units kept (True) or dropped (False) whatever the criteria say.
    groups : mapping or DataFrame, optional
        As in :func:`availability_table`: the availability is then asked of each group too.

    Returns
    -------
    StepResult
        ``values`` without the dropped rows; ``changes`` a row a dropped unit, the reason in ``parameters``;
        ``details`` indexed by unit: the columns of :func:`availability_table`, ``lowest_group`` (lowest
        availability in a group; NaN without groups), ``low_availability``, ``low_nonzero``, ``forced`` and
        ``kept``.

    Raises
    ------
    SpecError
        Thresholds outside 0 to 1, unknown criteria, units or indicators.
    """
    step = "screen"
    data = check_values(values, step=step)
    _check_choices(availability, nonzero, by)
    obeyed = dict(forced or {})
    check_known(obeyed, data.index, what="units named in `forced` were", step=step)

    table = availability_table(data)
    table["lowest_group"] = np.nan if groups is None else _by_group(data, groups, step=step).min(axis=1)
    table["low_availability"] = (table["availability"] < availability) | (table["lowest_group"] < availability)
    table["low_nonzero"] = table["nonzero"] < nonzero
    fails = pd.Series(False, index=data.index)
    if "availability" in by:
        fails |= table["low_availability"]
    if "zeros" in by:
        fails |= table["low_nonzero"]
    table["forced"] = [unit in obeyed for unit in data.index]
    table["kept"] = [obeyed.get(unit, not fail) for unit, fail in zip(data.index, fails, strict=True)]

    dropped = table[~table["kept"]]
    changes = pd.DataFrame(
        [[step, str(u), "", "dropped", np.nan, np.nan, _reason(row, by)] for u, row in dropped.iterrows()],
        columns=CHANGE_COLUMNS,
    ).astype(no_changes().dtypes.to_dict())
    return step_result(
        data.loc[table["kept"]], changes=[changes], text=_text(table, availability, nonzero, by), details=table
    )


def _by_group(data: pd.DataFrame, groups: Groups, *, step: str) -> pd.DataFrame:
    """Share of each group's indicators that have a value, by unit; groups of all levels side by side."""
    levels = [groups[c] for c in groups.columns] if isinstance(groups, pd.DataFrame) else [pd.Series(dict(groups))]
    present = data.notna()
    parts: dict[str, pd.Series] = {}
    for level in levels:
        check_known(data.columns, level.index, what="indicators without a group were", step=step)
        labels = level.reindex(data.columns)
        for group in pd.unique(labels.dropna()):
            parts[str(group)] = present.loc[:, (labels == group).to_numpy()].mean(axis=1)
    return pd.DataFrame(parts, index=data.index)


def _check_choices(availability: float, nonzero: float, by: Sequence[Criterion]) -> None:
    """Refuse thresholds that are no shares and criteria that do not exist."""
    for name, share in (("availability", availability), ("nonzero", nonzero)):
        if not 0 <= share <= 1:
            message = f"`screen`: {name}={share} is not a share between 0 and 1"
            raise SpecError(message)
    unknown = [c for c in by if c not in ("availability", "zeros")]
    if unknown or isinstance(by, str):
        message = f"`screen`: `by` must be a sequence of 'availability' and 'zeros', not {by!r}"
        raise SpecError(message)


def _reason(row: pd.Series, by: Sequence[Criterion]) -> str:
    """Why a unit was dropped."""
    if row["forced"]:
        return "dropped as asked"
    reasons = []
    if "availability" in by and row["low_availability"]:
        lowest = f", lowest group {row['lowest_group']:.0%}" if np.isfinite(row["lowest_group"]) else ""
        reasons.append(f"availability {row['availability']:.0%}{lowest}")
    if "zeros" in by and row["low_nonzero"]:
        reasons.append(f"values that are not zero {row['nonzero']:.0%}")
    return "; ".join(reasons)


def _text(table: pd.DataFrame, availability: float, nonzero: float, by: Sequence[Criterion]) -> str:
    """What was done, in words."""
    rules = []
    if "availability" in by:
        where = " (in each group too)" if table["lowest_group"].notna().any() else ""
        rules.append(f"at least {availability:.0%} of the indicators have a value{where}")
    if "zeros" in by:
        rules.append(f"at least {nonzero:.0%} of the values are not zero")
    rule = f"Units are kept when {' and '.join(rules)}. " if rules else ""
    gone = [str(u) for u in table.index[~table["kept"]]]
    done = f"{len(gone)} of {len(table)} were dropped: {several(gone, limit=10)}." if gone else "None was dropped."
    asked = int(table["forced"].sum())
    return rule + done + (f" {asked} were decided by name." if asked else "")
