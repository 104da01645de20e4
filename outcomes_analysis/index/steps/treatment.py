"""Bringing in outliers: the decision table by skewness and kurtosis, and treatments asked for by name.

A treatment named outright is carried out, whatever the distribution; only :class:`SkewKurtosis` decides for
itself. All treatments keep the order of the units, so directions stay as they were.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from outcomes_analysis.errors import several
from outcomes_analysis.index.steps.moments import kurtosis, skewness
from outcomes_analysis.index.steps.stepping import (
    Method,
    MethodChoice,
    StepResult,
    changed_cells,
    changed_column,
    check_values,
    classes_of,
    methods_by_indicator,
    step_result,
)
from outcomes_analysis.index.steps.transforms import Shift, TransformName, box_cox, log_transform

Side = Literal["skew", "high", "low"]


class SkewKurtosis(Method):
    """Treat only what needs it: winsorise, and transform if that does not suffice.

    1. An indicator passes when ``|skewness| < skew`` or ``kurtosis < kurtosis`` (type 2). A pass is left alone.
    2. Otherwise it is winsorised one tail value at a time, on the side of its skewness, until it passes or
       ``maximum`` units have been changed.
    3. If it still fails, the winsorising is undone (unless ``combine``) and it is transformed.

    The thresholds are those of the JRC's audits and of COINr's ``Treat``. An indicator that fails even then
    keeps the transform, and ``details`` and ``text`` say so.

    Attributes
    ----------
    skew, kurtosis : float
        Thresholds of the test.
    maximum : int or None
        Most units to winsorise; None sets no limit.
    transform : str
        ``log_ct``, ``log_ct_plus``, ``log_ct_orig``, ``log_gii``, ``box_cox`` (estimated power) or ``none``.
    combine : bool
        Transform the winsorised values instead of the original ones.
    """

    method: Literal["skew_kurtosis"] = "skew_kurtosis"
    skew: float = Field(default=2.0, gt=0)
    kurtosis: float = 3.5
    maximum: int | None = Field(default=5, ge=0)
    transform: TransformName | Literal["box_cox", "none"] = "log_ct"
    combine: bool = False


class Winsorise(Method):
    """Set the most extreme values to the next ones, for ``units`` units, even where nothing is skewed.

    Attributes
    ----------
    units : int
        Most units to change.
    side : {"skew", "high", "low"}
        Which tail; ``skew`` looks at the sign of the skewness before each value (0 counts as high).
    """

    method: Literal["winsorise"] = "winsorise"
    units: int = Field(ge=1)
    side: Side = "skew"


class LogCT(Method):
    """``log(x - min + 0.01 (max - min))``: the COIN Tool's log, free of the unit of measurement."""

    method: Literal["log_ct"] = "log_ct"


class LogCTPlus(Method):
    """As :class:`LogCT` for positive skewness; ``-log(max - x + 0.01 (max - min))`` for negative."""

    method: Literal["log_ct_plus"] = "log_ct_plus"


class LogCTOrig(Method):
    """``log(x - min + 1)``: the COIN Tool's first log. It depends on the unit of measurement."""

    method: Literal["log_ct_orig"] = "log_ct_orig"


class LogGII(Method):
    """``log((max - 1)(x - min) / (max - min) + 1)``: the Global Innovation Index's log.

    It needs a maximum above 1: below, it would turn the indicator round.
    """

    method: Literal["log_gii"] = "log_gii"


class BoxCox(Method):
    """``(y^power - 1) / power``, or ``log(y)`` for power 0, of shifted values ``y`` (Box and Cox 1964).

    Attributes
    ----------
    power : float or None
        None estimates it by maximum likelihood of the normal distribution.
    shift : {"one", "range", "none"}
        ``one``: ``y = x - min + 1`` as in COINr (depends on the unit); ``range``: ``y = x - min + 0.01 (max -
        min)``; ``none``: ``y = x``, which must be above 0.
    """

    method: Literal["box_cox"] = "box_cox"
    power: float | None = None
    shift: Shift = "one"


class Untreated(Method):
    """Leave the indicator as it is."""

    method: Literal["none"] = "none"


TreatmentMethod = Annotated[
    SkewKurtosis | Winsorise | LogCT | LogCTPlus | LogCTOrig | LogGII | BoxCox | Untreated,
    Field(discriminator="method"),
]

DETAIL_COLUMNS = [
    "indicator",
    "method",
    "n",
    "skewness",
    "kurtosis",
    "passes",
    "winsorised",
    "winsorised_skewness",
    "winsorised_kurtosis",
    "winsorised_passes",
    "transform",
    "parameters",
    "final_skewness",
    "final_kurtosis",
    "final_passes",
]

_TEST = SkewKurtosis()


def treat(values: pd.DataFrame, *, method: MethodChoice = "skew_kurtosis") -> StepResult:
    """Bring in outliers of each indicator.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; NaN is missing and stays so.
    method : Method, str or mapping
        One of :data:`TreatmentMethod` for all, or a mapping indicator → method with ``"default"``. Every
        method but :class:`SkewKurtosis` is carried out even where the indicator passes the test.

    Returns
    -------
    StepResult
        ``changes``: a row a winsorised cell (``winsorised_high`` or ``winsorised_low``) and a row a transformed
        column. ``details``: a row an indicator, with type-2 skewness and excess kurtosis before, after
        winsorising and at the end, whether each passes the test, how many units were winsorised and the
        parameters of the transform. With fewer than 4 values, or all alike, there is no test (NaN) and
        :class:`SkewKurtosis` leaves the indicator alone.

    Raises
    ------
    SpecError
        An unknown method, or a transform that does not exist for the values given.
    """
    step = "treat"
    data = check_values(values, step=step)
    methods = methods_by_indicator(method, data.columns, menu=classes_of(TreatmentMethod), step=step)
    result, changes, rows = data.copy(), [], []
    for indicator, chosen in methods.items():
        before = data[indicator].to_numpy()
        after, tail, row = treat_one(before, chosen, name=str(indicator))
        result[indicator] = after
        rows.append({"indicator": str(indicator), "method": chosen.key(), **row})
        if tail.any():
            marks = np.where(tail > 0, "winsorised_high", "winsorised_low")
            capped = _capped(before, tail) if row["transform"] else after
            changes.append(
                changed_cells(
                    data[[indicator]],
                    pd.DataFrame({indicator: capped}, index=data.index),
                    step=step,
                    what=pd.DataFrame({indicator: marks}, index=data.index),
                    parameters=chosen.parameters,
                )
            )
        if row["transform"]:
            changes.append(changed_column(step, indicator, row["transform"], parameters=row["parameters"]))
    details = pd.DataFrame(rows, columns=DETAIL_COLUMNS)
    return step_result(result, changes=changes, text=_text(details), details=details)


def winsorise_tail(
    values: np.ndarray,
    *,
    units: int | None,
    side: Side = "skew",
    test: SkewKurtosis | None = None,
) -> np.ndarray:
    """Say which values are winsorised: one tail value after another, units that tie going together.

    The limit is on units changed, and is never passed: a group of tied units that would pass it stays as it
    is, and winsorising ends there. (COINr counts only after it has changed them, so that three tied at the top
    are changed although one was allowed.)

    Parameters
    ----------
    values : ndarray, shape (units,)
        NaN is missing.
    units : int or None
        Most units to change.
    side : {"skew", "high", "low"}
        Which tail.
    test : SkewKurtosis, optional
        Stop as soon as the values pass it.

    Returns
    -------
    ndarray of int, shape (units,)
        1 where winsorised from above, -1 from below, else 0.
    """
    tail = np.zeros(len(values), dtype=int)
    current = np.array(values, dtype=float)
    limit = len(values) if units is None else units
    if np.isnan(current).all():
        return tail
    while test is None or not _passes(*_moments(current), test):
        lowest, highest = np.nanmin(current), np.nanmax(current)
        if not ((current > lowest) & (current < highest)).any():
            break  # two values left: capping one by the other would leave an indicator that says nothing
        high = side == "high" or (side == "skew" and not skewness(current) < 0)
        extreme = highest if high else lowest
        at = current == extreme
        if np.count_nonzero((tail != 0) | at) > limit:
            break
        rest = current[~at]
        current[at] = np.nanmax(rest) if high else np.nanmin(rest)
        tail[at] = 1 if high else -1
    return tail


def _capped(values: np.ndarray, tail: np.ndarray) -> np.ndarray:
    """Values with the marked tails set to the nearest value that is not marked."""
    result = values.copy()
    kept = values[tail == 0]
    result[tail > 0] = np.nanmax(kept) if (tail > 0).any() else 0.0
    result[tail < 0] = np.nanmin(kept) if (tail < 0).any() else 0.0
    return result


def treat_one(values: np.ndarray, chosen: Method, *, name: str) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Treat one indicator: its new values, which cells were winsorised in them, and a row of details."""
    test = chosen if isinstance(chosen, SkewKurtosis) else _TEST
    first = _moments(values)
    row: dict[str, Any] = dict.fromkeys(DETAIL_COLUMNS[2:], np.nan)
    row |= {"n": int((~np.isnan(values)).sum()), "skewness": first[0], "kurtosis": first[1]}
    row |= {"passes": _verdict(*first, test), "winsorised": 0, "transform": "", "parameters": ""}
    result, tail = values, np.zeros(len(values), dtype=int)
    transform: tuple[str, Any] | None = None
    if isinstance(chosen, Winsorise):
        tail = winsorise_tail(values, units=chosen.units, side=chosen.side)
        result = _capped(values, tail)
        row["winsorised"] = int(np.count_nonzero(tail))
    elif isinstance(chosen, SkewKurtosis) and row["passes"] is False:
        tail = winsorise_tail(values, units=chosen.maximum, test=chosen)
        result = _capped(values, tail)
        second = _moments(result)
        row |= {"winsorised": int(np.count_nonzero(tail)), "winsorised_skewness": second[0]}
        row |= {"winsorised_kurtosis": second[1], "winsorised_passes": _verdict(*second, test)}
        if row["winsorised_passes"] is False and chosen.transform != "none":
            transform = (chosen.transform, BoxCox())
            if not chosen.combine:
                result, tail = values, np.zeros(len(values), dtype=int)
    elif isinstance(chosen, (LogCT, LogCTPlus, LogCTOrig, LogGII, BoxCox)):
        transform = (chosen.key(), chosen)
    if transform is not None:
        result, row["parameters"] = _transformed(result, *transform, name=name)
        row["transform"] = transform[0]
    last = _moments(result)
    row |= {"final_skewness": last[0], "final_kurtosis": last[1], "final_passes": _verdict(*last, test)}
    return result, tail, row


def _transformed(values: np.ndarray, transform: Any, chosen: Method, *, name: str) -> tuple[np.ndarray, str]:
    """Values after a log or Box-Cox transform, and its parameters in words."""
    if isinstance(chosen, BoxCox) and transform == "box_cox":
        return box_cox(values, power=chosen.power, shift=chosen.shift, name=name)
    return log_transform(values, transform, name=name)


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Skewness and excess kurtosis of one column."""
    return float(skewness(values)), float(kurtosis(values))


def _passes(skew: float, kurt: float, test: SkewKurtosis) -> bool:
    """Whether a column needs no treatment; one that cannot be tested does not get any."""
    untestable = bool(np.isnan(skew) or np.isnan(kurt))
    return untestable or bool(abs(skew) < test.skew) or bool(kurt < test.kurtosis)


def _verdict(skew: float, kurt: float, test: SkewKurtosis) -> bool | float:
    """Whether the test is passed; NaN where there is none."""
    return np.nan if np.isnan(skew) or np.isnan(kurt) else _passes(skew, kurt, test)


def _text(details: pd.DataFrame) -> str:
    """What was done, in words."""
    winsorised = details[(details["winsorised"] > 0) & (details["transform"] == "")]
    transformed = details[details["transform"] != ""]
    parts = []
    if len(winsorised):
        units = int(winsorised["winsorised"].sum())
        parts.append(f"{len(winsorised)} indicators were winsorised ({units} values): {several(winsorised.indicator)}.")
    if len(transformed):
        parts.append(f"{len(transformed)} indicators were transformed: {several(transformed.indicator)}.")
    if not parts:
        parts.append("No indicator was treated.")
    failing = details[[v is False for v in details["final_passes"]]]
    if len(failing):
        parts.append(f"{len(failing)} indicators still fail the test of outliers: {several(failing.indicator)}.")
    untested = details[[isinstance(v, float) for v in details["passes"]]]
    if len(untested):
        parts.append(
            f"{len(untested)} indicators could not be tested (fewer than 4 values, or all alike): "
            f"{several(untested.indicator)}."
        )
    return " ".join(parts)
