"""Indicators onto one scale, higher = better; what a published value became can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from outcomes_analysis.errors import ObservationsError, SpecError, several
from outcomes_analysis.index.steps.orderings import (
    AroundMean,
    Borda,
    Categories,
    Exponential,
    NormalScores,
    Ordering,
    PercentileRank,
    Rank,
)
from outcomes_analysis.index.steps.scalings import (
    About,
    Adjusted,
    BasePeriod,
    Distance,
    Goalposts,
    Linear,
    MinMax,
    Ratio,
    Scaled,
    Unscaled,
    ZScore,
    highest,
    lowest,
)
from outcomes_analysis.index.steps.stepping import (
    CHANGE_COLUMNS,
    Method,
    MethodChoice,
    StepResult,
    by_method,
    check_values,
    classes_of,
    methods_by_indicator,
    no_changes,
    signs,
    step_result,
)
from outcomes_analysis.wording import listed, plural

STEP = "normalise"
Constant = Literal["raise", "middle"]

#: Every normalisation, told apart by ``method``.
Normalisation = Annotated[
    MinMax
    | ZScore
    | BasePeriod
    | Scaled
    | Distance
    | Goalposts
    | Adjusted
    | Ratio
    | Unscaled
    | Rank
    | Borda
    | PercentileRank
    | NormalScores
    | Exponential
    | AroundMean
    | Categories,
    Field(discriminator="method"),
]


def normalise(
    values: pd.DataFrame,
    *,
    method: MethodChoice = "zscore",
    directions: Mapping[str, int] | pd.Series | None = None,
    constant: Constant = "raise",
    base: pd.Series | None = None,
    population: pd.Series | None = None,
    national: Mapping[str, float] | pd.Series | None = None,
) -> StepResult:
    """Put indicators on one scale, so that higher is better.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, each in its own units; missing stays missing and counts nowhere. For a panel the
        rows are units and years together.
    method : Method, str or mapping
        One method, its name, or a mapping from indicator to method (``"default"`` for the rest): ``zscore``,
        ``minmax``, ``base_period``, ``scaled``, ``distance`` (to the best, a unit or a target), ``goalposts``,
        ``adjusted``, ``ratio`` (fraction of best, mean or worst), ``none``, ``rank``, ``borda``,
        ``percentile_rank``, ``normal_scores``, ``exponential``, ``around_mean``, ``categories``.
    directions : Series or mapping, optional
        1 where higher is better, -1 where lower is; values are multiplied by it first. All 1 if not given.
        Targets and goalposts are in the indicator's own units all the same.
    constant : {"raise", "middle"}
        What to do with an indicator that has nothing to scale by: name it, or give every unit the middle of the
        scale.
    base : Series of bool, optional
        Which rows are the base period (``base_period``, ``adjusted``); all rows if not given.
    population : Series, optional
        People in each row, for centres and spreads weighted by people.
    national : Series or mapping, optional
        The nation's value of each indicator in the base period, in its own units.

    Returns
    -------
    StepResult
        ``values`` labelled as given; ``details`` by indicator: ``method, direction, slope, intercept``
        (score = intercept + slope * value, before cutting off; NaN for orderings), ``cut_off`` (cells at an end).

    Raises
    ------
    SpecError
        Unknown methods or parameters, missing directions, targets or goalposts, or an indicator with nothing to
        scale by; named.
    ObservationsError
        An indicator without a single value, or labels and cells that cannot be right.

    Notes
    -----
    Formulas: OECD/JRC Handbook (2008) step 5; COINr 1.1.14, whose results these equal.
    """
    frame = check_values(values, step=STEP)
    empty = frame.columns[frame.isna().all()] if len(frame) else frame.columns
    if len(empty):
        message = f"`{STEP}`: {len(empty)} indicators have no value at all ({several(empty)}); drop or impute them"
        raise ObservationsError(message)
    sign = signs(directions, frame.columns, step=STEP)
    methods = methods_by_indicator(method, frame.columns, menu=classes_of(Normalisation), step=STEP)
    result, rows, numbers = np.empty(frame.shape), [], frame.to_numpy(float)
    for chosen, names in by_method(methods):
        places = frame.columns.get_indexer(pd.Index(names))
        about = About(
            names=tuple(names),
            signs=sign[names].to_numpy(float),
            units=frame.index,
            base=aligned(base, frame.index, "base", fill=True).astype(bool),
            population=None if population is None else aligned(population, frame.index, "population"),
            national=None if national is None else _national(national, names) * sign[names].to_numpy(float),
        )
        whole = len(names) == frame.shape[1]
        x = (numbers if whole else numbers[:, places]) * about.signs
        block, table = _block(x, chosen, about, constant)
        if whole:
            result = block
        else:
            result[:, places] = block
        rows.append(table)
    details = pd.concat(rows).loc[list(frame.columns)]
    scores = pd.DataFrame(result, index=frame.index, columns=frame.columns)
    return step_result(scores, changes=[_changes(methods)], text=_text(details), details=details)


def _changes(methods: Mapping[str, Method]) -> pd.DataFrame:
    """One row an indicator: the method and its parameters."""
    words = {m: (m.key(), m.parameters) for m in set(methods.values())}
    table = pd.DataFrame(
        [(STEP, "", str(n), words[m][0], np.nan, np.nan, words[m][1]) for n, m in methods.items()],
        columns=CHANGE_COLUMNS,
    )
    return table.astype(no_changes().dtypes.to_dict())


def _national(national: Mapping[str, float] | pd.Series, names: list[str]) -> np.ndarray:
    return pd.Series(dict(national), dtype=float).reindex(names).to_numpy(float)


def aligned(
    given: pd.Series | None, index: pd.Index, name: str, *, fill: bool | None = None, step: str = STEP
) -> np.ndarray:
    """Values of a Series by row label; every row must have one."""
    if given is None:
        return np.full(len(index), fill)
    column = given.reindex(index)
    missing = index[column.isna()]
    if len(missing):
        message = f"`{step}`: `{name}` lacks {len(missing)} of the rows ({several(missing)})"
        raise SpecError(message)
    return column.to_numpy(float)


def _block(x: np.ndarray, method: Method, about: About, constant: Constant) -> tuple[np.ndarray, pd.DataFrame]:
    """Scores of the columns that share a method, and how they came about."""
    details = pd.DataFrame(
        {"method": method.key(), "direction": about.signs, "slope": np.nan, "intercept": np.nan, "cut_off": 0},
        index=pd.Index(about.names, name="indicator_id"),
    )
    if isinstance(method, Ordering):
        flat = highest(x) == lowest(x)
        _refuse_flat(flat, about, constant)
        scores = method.score(x)
        return (scores if not flat.any() else _centred(scores, flat, x, method)), details
    if not isinstance(method, Linear):  # pragma: no cover - the menu holds nothing else
        raise TypeError(method)
    line = method.line(x, about)
    flat = ~(line.width > 0)
    _refuse_flat(flat, about, constant)
    width = np.where(flat, 1.0, line.width)
    scores = x - line.origin
    scores /= width  # in place: passes over memory are what costs here
    scores *= line.high - line.low
    scores += line.low
    if flat.any():
        scores = np.where(flat & np.isfinite(x), line.middle, scores)
    low, high = method.ends
    if np.isfinite([low, high]).any():
        details["cut_off"] = ((scores < low) | (scores > high)).sum(axis=0)
        scores = np.clip(scores, low, high)
    slope = np.where(flat, 0.0, (line.high - line.low) / width)
    details["slope"] = slope * about.signs
    details["intercept"] = np.where(flat, line.middle, line.low - slope * line.origin)
    return scores, details


def _centred(scores: np.ndarray, flat: np.ndarray, x: np.ndarray, method: Ordering) -> np.ndarray:
    """Give constant columns the score of the middle rank."""
    evenly = method.score(np.arange(1.0, 2.0 * (len(x) // 2) + 2)[:, None])
    return np.where(flat & np.isfinite(x), np.median(evenly), scores)


def _refuse_flat(flat: np.ndarray, about: About, constant: Constant) -> None:
    if constant == "middle" or not flat.any():
        return
    names = [name for name, is_flat in zip(about.names, flat, strict=True) if is_flat]
    message = (
        f"`{STEP}`: {len(names)} indicators have nothing to scale by ({several(names)}): they are constant, or their "
        "target or reference is no better than their worst value. Drop them, choose another method for them, or "
        "pass constant='middle'."
    )
    raise SpecError(message)


def _text(details: pd.DataFrame) -> str:
    counts = details.groupby("method", sort=False).size()
    used = listed([f"{name} ({count})" for name, count in counts.items()])
    turned = int((details["direction"] < 0).sum())
    cut = int(details["cut_off"].sum())
    sentence = f"{plural(len(details), 'indicator', 'indicators')} put on one scale: {used}."
    if turned:
        sentence += f" {turned} of them run the other way round, so that higher is better in all."
    if cut:
        sentence += f" {plural(cut, 'value', 'values')} beyond the end of the scale scored as the end."
    return sentence
