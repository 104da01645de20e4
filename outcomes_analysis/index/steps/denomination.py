"""Dividing extensive indicators by the size of a place, and finding those that may need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError, Problems, SpecError, several
from outcomes_analysis.index.steps.stepping import (
    StepResult,
    changed_column,
    check_known,
    check_values,
    step_result,
)

Operation = Literal["divide", "multiply"]
CorrelationMethod = Literal["pearson", "spearman", "kendall"]

_OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "divide": np.divide,
    "multiply": np.multiply,
}


def denominate(
    values: pd.DataFrame,
    *,
    denominators: pd.DataFrame,
    by: Mapping[str, str],
    scale: Mapping[str, float] | float = 1.0,
    function: Operation = "divide",
) -> StepResult:
    """Express indicators per something: ``x / (denominator / scale)``, as COINr's ``Denominate`` does.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, natural units; NaN is missing.
    denominators : DataFrame
        Units by denominators. Rows are matched by label, so their order does not matter; further units are
        passed over.
    by : mapping of str to str
        Indicator to the column of ``denominators`` it is divided by. Indicators not named stay as they are.
    scale : mapping or float
        By indicator, or one for all: 1,000 gives a rate per 1,000. Indicators not named have 1.
    function : {"divide", "multiply"}
        ``"multiply"`` turns a rate back into a total: ``x * (denominator / scale)``.

    Returns
    -------
    StepResult
        ``changes`` has a row an indicator; ``details`` names denominator, scale, and how many cells became
        missing because their denominator is missing or (dividing) zero.

    Raises
    ------
    SpecError
        Indicators or denominators not found, or a scale that is not above zero.
    ObservationsError
        Units without a row of denominators, or denominators below zero.
    """
    step = "denominate"
    data = check_values(values, step=step)
    sizes = check_values(denominators.loc[:, [c for c in denominators.columns if c in set(by.values())]], step=step)
    check_known(by, data.columns, what="indicators named in `by` were", step=step)
    check_known(by.values(), sizes.columns, what="denominators named in `by` were", step=step)
    scales = _scales(scale, by)
    absent = [unit for unit in data.index if unit not in sizes.index]
    problems = Problems(f"`{step}`")
    if absent:
        problems.add(f"{len(absent)} units have no row in `denominators` ({several(absent)}); add them")
    matched = sizes.reindex(data.index)
    below = [c for c in matched.columns if (matched[c] < 0).any()]
    if below:
        problems.add(f"{len(below)} denominators are below zero somewhere ({several(below)}); correct them")
    problems.raise_if_any(ObservationsError)

    result = data.copy()
    rows, changes = [], []
    for indicator, name in by.items():
        size = matched[name].to_numpy() / scales[indicator]
        if function == "divide":
            size = np.where(size == 0, np.nan, size)
        before = data[indicator].to_numpy()
        after = _OPERATIONS[function](before, size)
        result[indicator] = after
        lost = int((~np.isnan(before) & np.isnan(after)).sum())
        rows.append([str(indicator), str(name), scales[indicator], lost])
        sign = "/" if function == "divide" else "*"
        changes.append(
            changed_column(step, indicator, function, parameters=f"x {sign} ({name} / {scales[indicator]:g})")
        )
    details = pd.DataFrame(rows, columns=["indicator", "denominator", "scale", "made_missing"])
    return step_result(result, changes=changes, text=_text(details, function), details=details)


def denominator_correlations(
    values: pd.DataFrame,
    *,
    denominators: pd.DataFrame,
    threshold: float = 0.6,
    method: CorrelationMethod = "pearson",
) -> pd.DataFrame:
    """Indicators that move with the size of a place, and so may have to be divided by it.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, before denominating.
    denominators : DataFrame
        Units by possible denominators, matched by label.
    threshold : float
        Pairs with an absolute correlation above it are returned; 0 returns all.
    method : {"pearson", "spearman", "kendall"}
        Each pair uses the units that have both.

    Returns
    -------
    DataFrame
        ``indicator, denominator, correlation, n``, by indicator and denominator. A constant column has no
        correlation and is left out.
    """
    step = "denominator_correlations"
    data = check_values(values, step=step)
    sizes = check_values(denominators, step=step).reindex(data.index)
    rows = []
    for indicator in data.columns:
        for name in sizes.columns:
            both = pd.concat([data[indicator], sizes[name]], axis=1).dropna()
            if len(both) < 3 or (both.nunique() < 2).any():
                continue
            correlation = both.iloc[:, 0].corr(both.iloc[:, 1], method=method)
            if abs(correlation) > threshold:
                rows.append([str(indicator), str(name), float(correlation), len(both)])
    table = pd.DataFrame(rows, columns=["indicator", "denominator", "correlation", "n"])
    return table.sort_values(["indicator", "denominator"], ignore_index=True)


def _scales(scale: Mapping[str, float] | float, by: Mapping[str, str]) -> dict[str, float]:
    """The scale of each indicator to be denominated."""
    if isinstance(scale, Mapping):
        check_known(scale, by, what="indicators named in `scale` but not in `by` were", step="denominate")
        scales = {indicator: float(scale.get(indicator, 1.0)) for indicator in by}
    else:
        scales = dict.fromkeys(by, float(scale))
    wrong = [indicator for indicator, value in scales.items() if not (value > 0 and np.isfinite(value))]
    if wrong:
        message = f"`denominate`: {len(wrong)} scales are not above zero ({several(wrong)}); 1 leaves the size as it is"
        raise SpecError(message)
    return scales


def _text(details: pd.DataFrame, function: Operation) -> str:
    """What was done, in words."""
    if details.empty:
        return "No indicator was denominated."
    verb = "divided" if function == "divide" else "multiplied"
    parts = [f"{row.indicator} by {row.denominator}" for row in details.itertuples()]
    lost = int(details["made_missing"].sum())
    tail = f" {lost} values became missing for want of a denominator." if lost else ""
    return f"{len(details)} indicators were {verb} by the size of the place: {several(parts, limit=10)}.{tail}"
