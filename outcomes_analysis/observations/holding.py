"""Do the bands hold? Each past year's figures against bands made from what was known the year before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from outcomes_analysis.errors import several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.yearly import PANDEMIC_YEARS, next_year_band, only_countable, year_to_year
from outcomes_analysis.project import LEVEL

TOLERANCE = 0.05  # a band of 90 % that holds 85 to 95 in 100 does what it says, to within what a few years can show
FEWEST = 100  # figures held out; with fewer the share is too unsure to judge by
COLUMNS = ("band_held", "band_tested", "band_worst", "band_worst_period", "band_verdict")
VERDICTS = ("as stated", "fewer", "more", "not tested")


def held_out_bands(obs: pd.DataFrame, *, framework: Framework, level: float = LEVEL) -> pd.DataFrame:
    """Make every year's bands from what was known by then, beside the next year's figures.

    Parameters
    ----------
    obs : DataFrame
        Table of observations with ``se_sampling``; authorities' figures of all children are used.
    framework : Framework
    level : float
        Between 0 and 1.

    Returns
    -------
    DataFrame
        The rows of ``next_year_band`` whose next figure is published and comparable, and whose year-to-year spread
        comes from earlier years of the indicator's own series. Pandemic years neither set a spread nor are held out.
    """
    whole = only_countable(obs[obs["group_type"] == "all"])
    whole.attrs = {}  # notes of the readers, which pandas would copy at every step
    year = whole["period_end"].dt.year
    found = []
    for start in range(int(year.min()), int(year.max())):
        if {start, start + 1} & set(PANDEMIC_YEARS):
            continue
        known = year_to_year(whole, framework=framework, until=start)
        own = known.index[known["method"] == "own"]
        part = whole[year.isin([start, start + 1]) & whole["indicator_id"].isin(own)]
        if len(part):
            band = next_year_band(part, known, framework=framework, level=level)
            found.append(band[(band["year"] == start) & band["inside"].notna()])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["indicator_id", "inside"])


def bands_held(obs: pd.DataFrame, *, framework: Framework, level: float = LEVEL) -> pd.DataFrame:
    """Count how many held-out figures fell within their bands.

    Parameters
    ----------
    obs, framework, level
        As of ``held_out_bands``.

    Returns
    -------
    DataFrame
        Indexed by ``indicator_id``, a row each: ``band_held`` (share within, 0 to 1, NaN where none
        was tested), ``band_tested`` (figures held out), ``band_worst`` and ``band_worst_period`` (the lowest share in
        one year, and the period of the figures held out), ``band_verdict``: ``as stated`` within five points of the
        level, ``fewer`` or ``more`` beyond, ``not tested`` where fewer than 100 figures could be held out.

    Notes
    -----
    A band says where a figure lies a year later if its place among the others stays put: the national movement is taken
    off. Figures of one year move together, so a share over few years is less sure than its many figures suggest.
    """
    bands = held_out_bands(obs, framework=framework, level=level)
    present = set(obs["indicator_id"].unique())
    ids = pd.Index([i.id for i in framework.indicators if i.id in present], name="indicator_id")
    inside = bands.assign(inside=bands["inside"].astype(float))
    table = inside.groupby("indicator_id")["inside"].agg(band_held="mean", band_tested="size").reindex(ids)
    table["band_tested"] = table["band_tested"].fillna(0).astype(int)
    table["band_held"] = table["band_held"].astype(float).round(3)
    table["band_worst"], table["band_worst_period"] = np.nan, ""
    if len(inside):
        yearly = inside.groupby(["indicator_id", "next_period"])["inside"].mean()
        worst = yearly.groupby("indicator_id").idxmin()
        table.loc[worst.index, "band_worst_period"] = [period for _, period in worst]
        table.loc[worst.index, "band_worst"] = yearly.loc[worst.to_list()].round(3).to_numpy()
    low, high = level - TOLERANCE, level + TOLERANCE
    judged = np.select([table["band_held"] < low, table["band_held"] > high], ["fewer", "more"], "as stated")
    table["band_verdict"] = np.where(table["band_tested"] < FEWEST, "not tested", judged)
    return table[list(COLUMNS)]


def held_text(table: pd.DataFrame, *, names: Mapping[str, str] | pd.Series, level: float = LEVEL) -> str:
    """Say in a few sentences which bands held.

    Parameters
    ----------
    table : DataFrame
        Result of ``bands_held``, or the release's reference table, which holds its columns.
    names : mapping of str to str
        Name of each indicator by its id.
    level : float
        The level the bands state.

    Returns
    -------
    str
    """
    counts = table["band_verdict"].value_counts()
    tested = int(len(table) - counts.get("not tested", 0))
    low, high = round(100 * (level - TOLERANCE)), round(100 * (level + TOLERANCE))
    told = [
        f"On past years held out, the {100 * level:.0f}% bands of {int(counts.get('as stated', 0))} of {tested} "
        f"indicators held {low} to {high} figures in 100, as they should."
    ]
    for verdict in ("fewer", "more"):
        rows = table[table["band_verdict"] == verdict].sort_values("band_held")
        if len(rows):
            named = several(
                f"{names[str(name)]} ({100 * row['band_held']:.0f} in 100"
                + (f", {100 * row['band_worst']:.0f} in {row['band_worst_period']})" if verdict == "fewer" else ")")
                for name, row in rows.iterrows()
            )
            narrow = " Read their intervals as too narrow." if verdict == "fewer" else ""
            told.append(f"Those of {len(rows)} held {verdict} than that: {named}.{narrow}")
    untested = int(counts.get("not tested", 0))
    if untested:
        told.append(f"{untested} could not be tested for want of comparable years.")
    return " ".join(told)
