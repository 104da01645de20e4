"""Declared breaks: years from which a series is not comparable with what came before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.errors import PeriodError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.contract import join_flags
from outcomes_analysis.observations.periods import year_of


def break_years(framework: Framework) -> list[tuple[str, int]]:
    """List each declared break as indicator and analysis year.

    Parameters
    ----------
    framework : Framework
        ``Break.period`` is the first period of the new series.

    Returns
    -------
    list of (str, int)
        In the framework's order; the year is that in which the period ends.
    """
    return [(i.id, year_of(b.period)) for i in framework.indicators for b in i.breaks]


def mark_breaks(obs: pd.DataFrame, *, framework: Framework) -> pd.DataFrame:
    """Flag the first figure after each declared break.

    Parameters
    ----------
    obs : DataFrame
        Table of observations.
    framework : Framework

    Returns
    -------
    DataFrame
        ``obs`` with ``break_before`` among the flags of the first period published at or after a break, in each
        area and group. A series that starts with that period has nothing before it and is not flagged.
    """
    marked = np.zeros(len(obs), dtype=bool)
    codes, ids = pd.factorize(obs["indicator_id"])
    years = obs["period_end"].dt.year.to_numpy()
    valued = obs["value"].notna().to_numpy()
    places = pd.MultiIndex.from_frame(obs[["area_code", "group_type", "group"]])
    series = pd.factorize(places)[0]
    for name, year in break_years(framework):
        mine = np.flatnonzero((np.asarray(ids) == name)[codes] & valued)
        after = mine[years[mine] >= year]
        first = after[np.argsort(years[after], kind="stable")]
        _, at = np.unique(series[first], return_index=True)
        first = first[at]
        marked[first[np.isin(series[first], series[mine[years[mine] < year]])]] = True
    return obs.assign(flags=join_flags(obs["flags"], "break_before", where=marked))


def comparable(obs: pd.DataFrame, *, framework: Framework, indicator: str, a: str, b: str) -> bool:
    """Say whether two periods of an indicator may be compared.

    Parameters
    ----------
    obs : DataFrame
        Table of observations, in which both periods must occur.
    framework : Framework
    indicator : str
        Its id.
    a, b : str
        Canonical labels, in either order.

    Returns
    -------
    bool
        False if a declared break lies between them, the later one included, or if they span different lengths
        of time.

    Raises
    ------
    FrameworkError
        If the indicator is not registered.
    PeriodError
        If it has no figures for one of the periods.
    """
    breaks = [year_of(one.period) for one in framework.indicator(indicator).breaks]
    mine = obs.loc[obs["indicator_id"] == indicator, ["period", "period_start", "period_end"]]
    mine = mine.drop_duplicates("period").set_index("period")
    missing = [label for label in (a, b) if label not in mine.index]
    if missing:
        message = f"'{indicator}' has no figures for {', '.join(missing)}. It has: {', '.join(sorted(mine.index))}."
        raise PeriodError(message)
    ends = sorted(mine.loc[[a, b], "period_end"].dt.year)
    days = (mine["period_end"] - mine["period_start"]).dt.days
    return abs(days[a] - days[b]) <= 2 and not any(ends[0] < year <= ends[1] for year in breaks)
