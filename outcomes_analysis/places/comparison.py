"""Comparing one place with others and with itself earlier, and saying no more than the figures bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.observations.scales import derivative, inverse, transform
from outcomes_analysis.project import LEVEL

Judgement = Literal["better", "similar", "worse", "position only", "no figure"]
Position = Literal["above", "below", "equal", ""]
Direction = Literal["higher", "lower", "no clear change", "not compared"]

USABLE = ("published", "estimated")
FEWEST_NEIGHBOURS = 3  # a median of fewer is one place's figure by another name


class Verdict(NamedTuple):
    """How a figure stands to a comparator: the judgement, where it lies, and why a judgement is withheld."""

    judgement: Judgement
    position: Position
    reason: str


class NeighbourSummary(NamedTuple):
    """Median of the neighbours that have a value, how many have, how many there are."""

    median: float
    having: int
    of: int


class Change(NamedTuple):
    """Change since an earlier figure that can be compared."""

    direction: Direction
    change: float
    lower: float
    upper: float
    level: float
    since: str
    reason: str


def total_interval(value: float, error: float, *, indicator: Indicator, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a figure from both of its variances, even on the indicator's own scale.

    Parameters
    ----------
    value, error : float
        In natural units; ``error`` is ``se_total`` (sampling and year to year together).
    indicator : Indicator
        Says which scale (logit, log or identity) and range.
    level : float
        Of the interval.

    Returns
    -------
    tuple of float
        Lower and upper bound in natural units, within the indicator's range on a logit; NaN where either is missing.
    """
    if not (np.isfinite(value) and np.isfinite(error)):
        return float("nan"), float("nan")
    low, high = indicator.valid_range
    # a published 0 or 100 cannot be told from what lies within half its error: the scale has no end to stand on
    guard = max(0.5 * 10.0**-indicator.decimals, 0.5 * error)
    middle = transform(value, indicator.scale, low=low, high=high, guard=guard)
    reach = z_of(level) * error * derivative(value, indicator.scale, low=low, high=high, guard=guard)
    lower, upper = (float(inverse(middle + side * reach, indicator.scale, low=low, high=high)) for side in (-1, 1))
    return min(lower, value), max(upper, value)


def verdict(
    *, value: float, lower: float, upper: float, comparator: float, direction: int, withheld: str = ""
) -> Verdict:
    """Judge a figure against a comparator.

    Parameters
    ----------
    value, lower, upper : float
        The figure and its interval from both variances.
    comparator : float
        What it is held against, taken as known.
    direction : {1, -1, 0}
        Which way is better.
    withheld : str
        Why no judgement may be given (see :func:`why_withheld`), or empty.

    Returns
    -------
    Verdict
        ``better`` or ``worse`` only where the interval leaves out the comparator; else ``similar``. Where a judgement
        is withheld, only the position.
    """
    if not np.isfinite(value):
        return Verdict("no figure", "", withheld or "no figure for this place")
    if not np.isfinite(comparator):
        return Verdict("position only", "", "nothing of the same period to compare with")
    position: Position = "equal" if value == comparator else "above" if value > comparator else "below"
    if withheld or direction == 0:
        return Verdict("position only", position, withheld or "neither higher nor lower is better")
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return Verdict("position only", position, "how sure the figure is, is not known")
    if lower <= comparator <= upper:
        return Verdict("similar", position, "")
    return Verdict("better" if (value - comparator) * direction > 0 else "worse", position, "")


def why_withheld(row: pd.Series[Any] | dict[str, Any], *, indicator: Indicator, age: int, ranked: bool = True) -> str:
    """Say why a figure bears no judgement, or nothing.

    Parameters
    ----------
    row : Series or dict
        ``status`` and ``flags`` of the figure.
    indicator : Indicator
        Its direction, dispute and maximum age.
    age : int
        Years since it was measured.
    ranked : bool
        False for the City of London and the Isles of Scilly.
    """
    if row["status"] == "inherited":
        return "the figure is that of the authority this place was part of"
    if row["status"] == "imputed":
        return "the figure is imputed"
    if indicator.tier == "context":
        return "context, not an outcome"
    if indicator.direction == 0:
        return "neither higher nor lower is better"
    if indicator.contested:
        return f"contested: {indicator.contested.rstrip('.')}"
    if "low_reliability" in str(row["flags"]).split(";"):
        return "the publisher marks the figure as of low reliability"
    if age > indicator.max_age:
        return f"the figure is {age} years old"
    if not ranked:
        return "too few children for a judgement"
    return ""


def neighbour_summary(values: pd.Series[float], *, area: str, neighbours: pd.DataFrame) -> NeighbourSummary:
    """Median of a place's neighbours.

    Parameters
    ----------
    values : Series
        Figures of one indicator and period by ``area_code``; missing ones are left out.
    area : str
        The place, itself never among its neighbours.
    neighbours : DataFrame
        ``area_code, neighbour_code``, one row a pair.

    Returns
    -------
    NeighbourSummary
        The median is NaN where fewer than three neighbours have a value.
    """
    codes = neighbours.loc[neighbours["area_code"].eq(area) & neighbours["neighbour_code"].ne(area), "neighbour_code"]
    found = values.reindex(pd.unique(codes)).dropna()
    median = float(found.median()) if len(found) >= FEWEST_NEIGHBOURS else float("nan")
    return NeighbourSummary(median, len(found), len(pd.unique(codes)))


def segments(history: pd.DataFrame, *, breaks: Sequence[str]) -> pd.Series[int]:
    """Number the stretches of a series within which figures can be compared.

    Parameters
    ----------
    history : DataFrame
        One area's figures of one indicator in order of time: ``period_end, flags``.
    breaks : sequence of str
        Periods with which something new begins, as declared in the framework. The flag ``break_before`` counts too.

    Returns
    -------
    Series of int
        From 0, on the index of ``history``; a new number from each break on.
    """
    years = history["period_end"].dt.year
    declared = sum((years >= year_of(label)).astype(int) for label in breaks) if breaks else 0
    flagged = history["flags"].fillna("").str.split(";").map(lambda f: "break_before" in f).astype(int).cumsum()
    return flagged + declared


def change_since(history: pd.DataFrame, *, indicator: Indicator, years: int = 5, level: float = LEVEL) -> Change:
    """Change of a place since the oldest figure within some years that can be compared.

    Parameters
    ----------
    history : DataFrame
        One area's figures of one indicator: ``period, period_start, period_end, value, se_total, status, flags``.
        Inherited, imputed and missing ones are passed over.
    indicator : Indicator
        Its declared breaks: nothing is compared across one. Nor are periods that overlap (pooled years).
    years : int
        How far back to look.
    level : float
        Of the interval: the two errors (sampling and year to year) are taken as independent.

    Returns
    -------
    Change
        ``higher`` or ``lower`` only where the interval leaves out zero; in natural units.
    """
    ordered = history.sort_values("period_end", ignore_index=True)
    stretch = segments(ordered, breaks=[b.period for b in indicator.breaks])
    usable = ordered["status"].isin(USABLE) & ordered["value"].notna()
    own, stretch = ordered[usable], stretch[usable]
    nothing = (float("nan"),) * 3
    if own.empty:
        return Change("not compared", *nothing, level, "", "no figure of its own")
    last = own.iloc[-1]
    earlier = own[(own["period_end"] <= last["period_start"]) & (own["period_end"] < last["period_end"])]
    near = earlier[earlier["period_end"].dt.year >= last["period_end"].year - years]
    comparable = near[stretch.loc[near.index] == stretch.iloc[-1]]
    if comparable.empty:
        reason = "the series breaks in between" if len(near) else f"no earlier figure within {years} years"
        return Change("not compared", *nothing, level, "", reason)
    first = comparable.iloc[0]
    change = float(last["value"] - first["value"])
    error = float(np.hypot(last["se_total"], first["se_total"]))
    if not np.isfinite(error):
        reason = "how sure the figures are, is not known"
        return Change("not compared", change, float("nan"), float("nan"), level, str(first["period"]), reason)
    reach = z_of(level) * error
    lower, upper = change - reach, change + reach
    direction: Direction = "higher" if lower > 0 else "lower" if upper < 0 else "no clear change"
    return Change(direction, change, lower, upper, level, str(first["period"]), "")
