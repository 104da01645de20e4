"""Which district figures stay untold because, with their county's, they would give a suppressed figure away.

A county's figure less those of its districts is the figure of whatever district is missing. Where one is suppressed,
another is therefore held back too (secondary suppression), and no sum of districts is made beside it. Nothing here
works a suppressed figure out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import lower_tier
from outcomes_analysis.framework.model import Framework

THRESHOLD = 10  # a count from here on may be told
KEYS = ["indicator_id", "area_code"]
AMPLE = 2 * THRESHOLD  # a second figure held back hides a small one only if it is itself well above the threshold


def counts_of(rows: pd.DataFrame, *, per: pd.Series | float) -> pd.DataFrame:
    """Children with and without the outcome behind each figure, as far as known.

    Parameters
    ----------
    rows : DataFrame
        Observations, with ``value, numerator, denominator``.
    per : Series or float
        What the value is per: 100 for percentages.

    Returns
    -------
    DataFrame
        ``with_outcome, without``; NaN where the number of children is not known. Events may be more than children, and
        then nobody is without.
    """
    children = pd.to_numeric(rows["denominator"]).astype(float)
    counted = pd.to_numeric(rows["numerator"]).astype(float)
    made = counted.fillna(rows["value"].astype(float) * children / per)
    without = (children - made).where(children - made >= 0)
    return pd.DataFrame({"with_outcome": made, "without": without})


def held_back(rows: pd.DataFrame, *, counties: pd.Series, per: pd.Series | float = 100.0) -> pd.Series:
    """Find the figures of districts and counties that are not told beside each other.

    Parameters
    ----------
    rows : DataFrame
        Observations of whole populations in districts and their counties: ``indicator_id, area_code, period,
        period_start, period_end, value, numerator, denominator, status``.
    counties : Series of str
        County of each district, by code of the district.
    per : Series or float
        What each row's value is per.

    Returns
    -------
    Series of bool
        True for suppressed figures; for another figure of the same district and indicator whose period overlaps a
        held one; and for a second district of the county, the smallest whose counts are ample, where otherwise one held
        figure would be what the county's leaves over. If no district has ample counts, all of them are held. Where the
        numbers of children are not known, nothing can be subtracted and nothing more is held.
    """
    held = rows["status"].eq("suppressed")
    if not held.any():
        return held.rename("held")
    number = counts_of(rows, per=per)
    ample = number["with_outcome"].ge(AMPLE) & (number["without"].isna() | number["without"].ge(AMPLE))
    upper = rows["area_code"].map(counties)
    county = upper.fillna(rows["area_code"])
    touched = rows["indicator_id"].isin(rows.loc[held, "indicator_id"].unique())
    tables = [at.to_numpy() for _, at in rows[touched & upper.notna()].groupby(KEYS).groups.items()]
    columns = [at.to_numpy() for _, at in rows[touched].groupby(["indicator_id", "period", county]).groups.items()]
    before = -1
    while before != int(held.sum()):  # each round only adds
        before = int(held.sum())
        for at in tables:
            _over_time(rows, held, at)
        for at in columns:
            _across(held, at, district=upper.notna(), ample=ample, number=number["with_outcome"])
    return held.rename("held")


def _over_time(rows: pd.DataFrame, held: pd.Series, at: np.ndarray) -> None:
    """Hold figures of one area and indicator whose period overlaps a held one: pooled years hold single ones."""
    own = held.loc[at].to_numpy()
    start, end = rows.loc[at, "period_start"].to_numpy(), rows.loc[at, "period_end"].to_numpy()
    held.loc[at] = own | ((start[:, None] <= end[own]) & (end[:, None] >= start[own])).any(axis=1)


def _across(held: pd.Series, at: np.ndarray, *, district: pd.Series, ample: pd.Series, number: pd.Series) -> None:
    """Hold one more district of a county and period, if one held figure would be what the others leave over."""
    if not held.loc[at].any() or held.loc[at].all():
        return
    inside = at[district.loc[at].to_numpy()]
    above = at[~district.loc[at].to_numpy()]
    told = inside[~held.loc[inside].to_numpy()]
    hidden = [*inside[held.loc[inside].to_numpy()], *above[held.loc[above].to_numpy()]]
    if not len(told) or not len(above) or number.loc[[*told]].isna().all():
        return
    if ample.loc[hidden].any():
        return
    fit = told[ample.loc[told].to_numpy()]
    if len(fit):
        held.loc[number.loc[fit].idxmin()] = True
    else:
        held.loc[told] = True


def district_figures_told(observations: pd.DataFrame, *, framework: Framework) -> pd.DataFrame:
    """Leave out the district figures that are held back, so that no pack tells what another's withholds.

    Parameters
    ----------
    observations : DataFrame
        The tidy table.
    framework : Framework
        Says what each value is per.

    Returns
    -------
    DataFrame
        The same table; where a district's figure is suppressed, further ones of its county are too
        (:func:`held_back`). Figures of counties and other authorities stay as published.
    """
    lower = lower_tier()
    above = lower.loc[lower["upper_code"].ne(lower.index), "upper_code"]
    pers = {i.id: i.per for i in framework.indicators}
    mine = observations["area_code"].isin([*above.index, *above.unique()]) & observations["group_type"].eq("all")
    rows = observations[mine & observations["indicator_id"].isin(pers)]
    if not rows.loc[rows["area_code"].isin(above.index), "status"].eq("suppressed").any():
        return observations
    held = held_back(rows, counties=above, per=rows["indicator_id"].map(pers).astype(float))
    gone = held[held & rows["area_code"].isin(above.index)].index
    table = observations.copy()
    table.loc[gone, ["value", "lower", "upper", "numerator"]] = np.nan
    table.loc[gone, "status"] = "suppressed"
    table.attrs = dict(observations.attrs)
    return table
