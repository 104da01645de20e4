"""Comparing one place with others and with itself earlier, and saying no more than the figures bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Indicator, Scale
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.observations.scales import derivative, inverse, transform
from outcomes_analysis.places.verdicts import TOO_FEW, UNKNOWN, sampling_unknown, too_few
from outcomes_analysis.project import LEVEL

Statistic = Literal["median", "mean"]
Direction = Literal["higher", "lower", "no clear change", "not compared"]

USABLE = ("published", "estimated")
MISMATCH = 0.01  # a share counts as bounded by all children where its range ends no further above them than this
# The school year 2021/22 and the year to March 2022 are the last that the pandemic's closures reach into.
PANDEMIC = (pd.Timestamp("2020-04-01"), pd.Timestamp("2022-08-31"))
FEWEST_NEIGHBOURS = 3  # a median of fewer is one place's figure by another name


class NeighbourSummary(NamedTuple):
    """Median or mean of the neighbours that have a value, how many have, how many there are."""

    centre: float
    having: int
    of: int


class Change(NamedTuple):
    """Change since an earlier figure that can be compared, with its error, both in natural units."""

    direction: Direction
    change: float
    lower: float
    upper: float
    level: float
    since: str
    reason: str
    error: float = float("nan")
    from_pandemic: bool = False

    @property
    def distance(self) -> float:
        """The change over its error; NaN where that is not known."""
        return self.change / self.error if self.error > 0 else float("nan")


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
        Lower and upper bound in natural units, within the indicator's range; NaN where either is missing.
    """
    if not (np.isfinite(value) and np.isfinite(error)):
        return float("nan"), float("nan")
    scale, low, high = interval_scale(indicator)
    guard = _guard(error, indicator)
    middle = transform(value, scale, low=low, high=high, guard=guard)
    reach = z_of(level) * error * derivative(value, scale, low=low, high=high, guard=guard)
    lower, upper = (float(inverse(middle + side * reach, scale, low=low, high=high)) for side in (-1, 1))
    return min(max(lower, low), value), max(min(upper, high), value)


def interval_scale(indicator: Indicator) -> tuple[Scale, float, float]:
    """Scale and ends on which the interval of an indicator's figures is even.

    Parameters
    ----------
    indicator : Indicator

    Returns
    -------
    tuple
        The indicator's own scale and range; for a share that only mismatched counts bring above 100 % (a range that
        ends at most one point above it), ``logit`` from 0 to 100 %: no interval of it reaches beyond all children.
        One that can truly exceed 100 %, because those who could be counted are estimated elsewhere, keeps its own.
    """
    low, high = indicator.valid_range
    per = indicator.per
    if indicator.form == "proportion" and per < high <= per * (1 + MISMATCH):
        return "logit", low, per
    return indicator.scale, low, high


def distance(value: float, error: float, *, comparator: float, indicator: Indicator) -> float:
    """How many of its errors a figure lies above a comparator, on the indicator's own scale.

    Parameters
    ----------
    value, error : float
        In natural units; ``error`` is ``se_total``.
    comparator : float
        In natural units, taken as known.
    indicator : Indicator
        Says which scale and range.

    Returns
    -------
    float
        Positive where the figure is higher; beyond z of a level just where :func:`total_interval` leaves the
        comparator out. NaN where any of the three is missing.
    """
    if not (np.isfinite(value) and np.isfinite(comparator) and error > 0):
        return float("nan")
    scale, low, high = interval_scale(indicator)
    guard = _guard(error, indicator)
    here, there = (transform(x, scale, low=low, high=high, guard=guard) for x in (value, comparator))
    return float((here - there) / (error * derivative(value, scale, low=low, high=high, guard=guard)))


def _guard(error: float, indicator: Indicator) -> float:
    """A published 0 or 100 cannot be told from what lies within half its error: the scale has no end to stand on."""
    return max(0.5 * 10.0**-indicator.decimals, 0.5 * error)


def neighbour_summary(
    values: pd.Series[float], *, area: str, neighbours: pd.DataFrame, statistic: Statistic = "median"
) -> NeighbourSummary:
    """Median or mean of all of a place's neighbours, never one of them.

    Parameters
    ----------
    values : Series
        Figures of one indicator and period by ``area_code``; missing ones are left out.
    area : str
        The place, itself never among its neighbours.
    neighbours : DataFrame
        ``area_code, neighbour_code``, one row a pair.
    statistic : {"median", "mean"}
        The mean is the simple one, each neighbour counting alike.

    Returns
    -------
    NeighbourSummary
        The centre is NaN where fewer than three neighbours have a value.
    """
    pairs = zip(neighbours["area_code"].tolist(), neighbours["neighbour_code"].tolist(), strict=True)
    codes = list(dict.fromkeys(near for here, near in pairs if here == area and near != area))
    every = values.reindex(codes).to_numpy(float)
    found = every[~np.isnan(every)]
    if len(found) < FEWEST_NEIGHBOURS:
        centre = float("nan")
    else:
        centre = float(np.median(found) if statistic == "median" else found.mean())
    return NeighbourSummary(centre, len(found), len(codes))


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
    begins = [year_of(label) for label in breaks]
    flagged = 0
    numbers = []
    for end, flags in zip(history["period_end"].tolist(), history["flags"].fillna("").tolist(), strict=True):
        flagged += "break_before" in str(flags).split(";")
        numbers.append(flagged + sum(end.year >= year for year in begins))
    return pd.Series(numbers, index=history.index, dtype="int64")


def change_since(
    history: pd.DataFrame, *, indicator: Indicator, years: int = 5, level: float = LEVEL, ranked: bool = True
) -> Change:
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
    ranked : bool
        False for the City of London and the Isles of Scilly: no change is told of so few children. Nor is one where
        either figure rests on too few (:func:`outcomes_analysis.places.verdicts.too_few`).

    Returns
    -------
    Change
        ``higher`` or ``lower`` only where the interval leaves out zero; in natural units. ``from_pandemic`` says that
        the earlier figure ends between April 2020 and August 2022.
    """
    ordered = history.sort_values("period_end", ignore_index=True)
    stretch = segments(ordered, breaks=[b.period for b in indicator.breaks]).tolist()
    usable = (ordered["status"].isin(USABLE) & ordered["value"].notna()).tolist()
    # a few rows: plain ones are many times as quick as frames cut from frames
    own = [(row, k) for row, k, use in zip(ordered.to_dict("records"), stretch, usable, strict=True) if use]
    nothing = (float("nan"),) * 3
    if not own:
        return Change("not compared", *nothing, level, "", "no figure of its own")
    if not ranked:
        return Change("not compared", *nothing, level, "", TOO_FEW)
    last, newest = own[-1]
    before = min(last["period_start"], last["period_end"] - pd.Timedelta(days=1))  # periods that do not overlap
    near = [
        (r, k) for r, k in own if r["period_end"] <= before and r["period_end"].year >= last["period_end"].year - years
    ]
    comparable = [r for r, k in near if k == newest]
    if not comparable:
        reason = "the series breaks in between" if near else f"no earlier figure within {years} years"
        return Change("not compared", *nothing, level, "", reason)
    first = comparable[0]
    few = too_few(last, indicator=indicator) or too_few(first, indicator=indicator)
    if few:
        return Change("not compared", *nothing, level, "", few)
    if sampling_unknown(last, indicator=indicator) or sampling_unknown(first, indicator=indicator):
        return Change("not compared", *nothing, level, "", UNKNOWN)
    change = float(last["value"] - first["value"])
    error = float(np.hypot(last["se_total"], first["se_total"]))
    if not np.isfinite(error):
        reason = "how sure the figures are, is not known"
        return Change("not compared", change, float("nan"), float("nan"), level, str(first["period"]), reason)
    reach = z_of(level) * error
    lower, upper = change - reach, change + reach
    direction: Direction = "higher" if lower > 0 else "lower" if upper < 0 else "no clear change"
    pandemic = PANDEMIC[0] <= first["period_end"] <= PANDEMIC[1]
    return Change(direction, change, lower, upper, level, str(first["period"]), "", error, bool(pandemic))
