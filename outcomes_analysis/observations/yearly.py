"""Year-to-year variance: how far a figure moves in one year beyond its sampling error and the national drift.

The model, on the indicator's scale: a published figure of authority i in year t is
``x = level + drift_t + w + e``, with sampling error ``e`` of known variance and a transient year's noise ``w`` of
standard deviation ``tau``. Then the change to the next year, less the drift (the median change of all
authorities), has variance ``s_t² + s_{t+1}² + 2 tau²``. Lasting change of an authority's own level is counted as
noise too: from two neighbouring years it cannot be told apart.

``tau`` is not found from the variance of the changes, since their tails are heavier than a normal's: it is the
value for which a normal 90 % band holds 90 % of the changes seen (quantile matching), so that bands of that level
say what they mean. A normal band of 50 % then holds rather more than 50 % (about 55), one of 95 % about 94.
Recent years count more: spreads of change alter over time.

Whether the bands hold is counted on past years (``holding``) and kept with the release. They do on the whole, and for
single indicators but for a few, whose bands carry a mark: absence moved twice as far in 2022/23 as in any year
known by then. Other estimators were tried on the same rolling origins (94 indicators of single years: 90 held
85 to 95 in 100, 91.1 on average; absence 82.9, persistent absence 84.2) and not kept. Halving weights after 1, 1.5 or 6
years or never: 91, 91, 89 and 86 hold, absence 84.0 at best. Wider bands for each year without data, by 5 or
10 %: 91 and 91 hold, 91.5 and 91.8 on average, so too wide elsewhere. The mean of the years' own variances: 88; the
largest: 73. A drift for each region: 90 hold, absence 86.2 (62 in 2022/23), but then what regions share
would no longer count as noise between them, as a comparison across regions needs. A drift that depends on level: 88.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.breaks import break_years
from outcomes_analysis.observations.contract import MEASURED
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.scales import Floats, RowScales
from outcomes_analysis.project import LEVEL

# Schools closed, censuses were cancelled or estimated and admissions were postponed: movement into, out of and
# between these years (of the period's end) says nothing about an ordinary year.
PANDEMIC_YEARS = (2020, 2021)
# City of London and the Isles of Scilly: too few children for a rate to mean anything.
TOO_SMALL = ("E09000001", "E06000053")
UPPER_TIER = ("E06", "E08", "E09", "E10")
MIN_PAIRS = 60  # the 90th centile then rests on six changes beyond it
HALF_LIFE = 3.0  # years after which a pair of years counts half as much
# Where an indicator has no two years to compare, its tau is borrowed: this share of the spread between
# authorities, the typical one of the indicators that have (used only if none has).
BORROWED_SHARE = 0.25
# Noise of single authorities evens out in their sum: region and country get tau over the root of the number.
AUTHORITIES_IN = {"E12": 17.0, "E92": 151.0}


def year_to_year(obs: pd.DataFrame, *, framework: Framework, until: int | None = None) -> pd.DataFrame:
    """Estimate each indicator's year-to-year standard deviation from its own series.

    Parameters
    ----------
    obs : DataFrame
        Table of observations with ``se_sampling`` (``sampling_errors``).
    framework : Framework
        Scales and declared breaks.
    until : int, optional
        Use only changes completed by this analysis year.

    Returns
    -------
    DataFrame
        Indexed by ``indicator_id``: ``sd`` (tau, on the indicator's scale, 0 or more), ``sampling_sd`` (typical
        sampling error of the same figures), ``spread`` (sd between authorities, median over years), ``n_pairs``,
        ``n_years`` (pairs of years), ``gap`` (years between the two of a pair), ``method``: ``own`` series,
        ``borrowed`` from the other indicators, or ``none`` (no value at all: NaN).

    Notes
    -----
    Pairs are whole-population figures, as published, of the upper-tier authorities, City of London and Scilly
    left out. Not used: pairs across a declared break, and pandemic years. The two of a pair are one year apart;
    windows of several pooled years follow one another without overlap, so their ``gap`` is the window's length,
    and surveys made every second year have a gap of two. All movement within the gap is then counted, nothing
    is scaled down. An unknown sampling error counts as 0, so that tau holds it too.
    """
    rows = _authority_rows(obs, framework)
    pairs = _consecutive(rows, framework)
    if until is not None:
        pairs, rows = pairs[pairs["next_year"] <= until], rows[rows["year"] <= until]
    spread = rows.groupby(["indicator_id", "year"])["x"].std().groupby("indicator_id").median()
    found = {name: _match(group) for name, group in pairs.groupby("indicator_id")}
    own = pd.DataFrame.from_dict(found, orient="index", columns=["sd", "sampling_sd", "n_pairs", "n_years", "gap"])
    present = set(obs["indicator_id"].unique())
    ids = pd.Index([i.id for i in framework.indicators if i.id in present], name="indicator_id")
    table = own.reindex(ids).assign(spread=spread.reindex(ids))
    table[["n_pairs", "n_years", "gap"]] = table[["n_pairs", "n_years", "gap"]].fillna(0).astype(int)
    enough = table["n_pairs"] >= MIN_PAIRS
    ratio = (table["sd"] / table["spread"])[enough & (table["spread"] > 0)].median()
    borrowed = table["spread"] * (BORROWED_SHARE if np.isnan(ratio) else ratio)
    table["sd"] = table["sd"].where(enough, borrowed)
    table["method"] = np.where(enough, "own", np.where(table["sd"].notna(), "borrowed", "none"))
    return table[["sd", "sampling_sd", "spread", "n_pairs", "n_years", "gap", "method"]]


def add_total_errors(obs: pd.DataFrame, yearly: pd.DataFrame, *, framework: Framework) -> pd.DataFrame:
    """Add year-to-year variance to sampling variance.

    Parameters
    ----------
    obs : DataFrame
        Table of observations with ``se_sampling``.
    yearly : DataFrame
        Result of ``year_to_year``.
    framework : Framework

    Returns
    -------
    DataFrame
        ``obs`` with ``se_total`` in natural units: the root of sampling variance plus tau² (brought to natural
        units by the slope of the scale at the value). Regions and England have tau over the root of their number
        of authorities; districts and groups have their indicator's tau. NaN where there is no value, or where
        neither part is known; if one is, it stands alone.
    """
    rows = RowScales.of(obs, framework)
    slope = rows.derivative(obs["value"])
    total = _total(obs, yearly, slope) / slope
    result = obs.copy()
    # The root of a sum of squares may fall a rounding error short of its larger part.
    result["se_total"] = np.fmax(total, np.where(np.isnan(total), np.nan, obs["se_sampling"]))
    return result


def next_year_band(
    obs: pd.DataFrame, yearly: pd.DataFrame, *, framework: Framework, level: float = LEVEL
) -> pd.DataFrame:
    """Say where each figure would lie a year later if its level stayed put relative to the others.

    Parameters
    ----------
    obs : DataFrame
        Table of observations with ``se_sampling``.
    yearly : DataFrame
        Result of ``year_to_year``; estimated ``until`` the year the band starts from, for an honest test.
    framework : Framework
    level : float
        Between 0 and 1.

    Returns
    -------
    DataFrame
        One row a value: ``indicator_id, area_code, group_type, group, period, year, value``; ``drift`` on the
        indicator's scale, the median change of the authorities to the next year, 0 where that is not published;
        ``estimate, lower, upper, level, interval`` in natural units; ``next_period, next_value, inside``, where
        the next year is published and no break lies between.

    Notes
    -----
    Half-width: z times the root of the total variances of both years, the later one's taken to be the earlier
    one's where it is not published. Windows of k pooled years share all but one year with the next window:
    their difference rests on one year out and one in, so the variance is divided by k.
    """
    rows = RowScales.of(obs, framework)
    x = rows.transform(obs["value"])
    total = _total(obs, yearly, rows.derivative(obs["value"]))
    table: pd.DataFrame = _with_years(obs.assign(x=x, total=total, at=np.arange(len(obs))))
    table = table[table["value"].notna()]
    keys = ["indicator_id", "area_code", "group_type", "group", "window"]
    later = table[[*keys, "year", "x", "total", "period", "value", "status"]].assign(year=table["year"] - 1)
    both = table.merge(later, on=[*keys, "year"], how="left", suffixes=("", "_next")).rename(
        columns={"period_next": "next_period", "value_next": "next_value"}
    )
    breaks = break_years(framework)
    starts = pd.MultiIndex.from_arrays([both["indicator_id"], both["year"] + 1]).isin(breaks)
    both.loc[starts, ["x_next", "total_next", "next_value", "next_period"]] = np.nan
    both["change"] = (both["x_next"] - both["x"]).where(_countable(both) & both["status_next"].isin(MEASURED))
    by_year = both.groupby(["indicator_id", "group_type", "group", "year"])["change"]
    both["drift"] = by_year.transform("median").fillna(0.0)
    variance = (both["total"] ** 2 + both["total_next"].fillna(both["total"]) ** 2) / both["window"]
    half = z_of(level) * variance**0.5
    back = rows.take(both["at"].to_numpy())
    centre = both["x"] + both["drift"]
    both["estimate"], both["lower"], both["upper"] = (back.inverse(c) for c in (centre, centre - half, centre + half))
    both["level"], both["interval"] = level, "figures"
    # Compared on the scale: a published 0 has a place there, which its natural value would miss.
    miss = (both["x_next"] - centre).abs()
    both["inside"] = (miss <= half).astype("boolean").where((miss.notna() & half.notna()).to_numpy())
    columns = ["indicator_id", "area_code", "group_type", "group", "period", "year", "value", "drift", "estimate"]
    columns += ["lower", "upper", "level", "interval", "next_period", "next_value", "inside"]
    return both[columns].reset_index(drop=True)


def _total(obs: pd.DataFrame, yearly: pd.DataFrame, slope: Floats) -> Floats:
    """Root of sampling plus year-to-year variance on the scale; NaN where neither is known."""
    sampling = obs["se_sampling"].to_numpy(dtype=float) * slope
    tau = obs["indicator_id"].map(yearly["sd"]).to_numpy(dtype=float)
    number = obs["area_code"].str[:3].map(AUTHORITIES_IN).fillna(1.0).to_numpy(dtype=float)
    tau = np.where(np.isnan(slope), np.nan, tau / np.sqrt(number))
    total = np.hypot(np.nan_to_num(sampling), np.nan_to_num(tau))
    return np.where(np.isnan(sampling) & np.isnan(tau), np.nan, total)


def _with_years(obs: pd.DataFrame) -> pd.DataFrame:
    """Add the analysis year and the window's length in years; parts of a year (quarters, weeks) are dropped."""
    days = (obs["period_end"] - obs["period_start"]).dt.days
    table = obs.assign(
        year=obs["period_end"].dt.year.astype("int64"),
        window=np.maximum(1, np.round(days / 365.25)).astype("int64"),
    )
    return table[(days == 0) | (days >= 360)]


def only_countable(obs: pd.DataFrame) -> pd.DataFrame:
    """Rows that may set a spread or a drift: authorities' figures as published, the two smallest left out."""
    return obs[_countable(obs)]


def _countable(table: pd.DataFrame) -> pd.Series:
    codes = table["area_code"]
    return codes.str[:3].isin(UPPER_TIER) & ~codes.isin(TOO_SMALL) & table["status"].isin(MEASURED)


def _authority_rows(obs: pd.DataFrame, framework: Framework) -> pd.DataFrame:
    """Whole-population figures of authorities on their scale, outside the pandemic years."""
    kept = _with_years(obs[(obs["group_type"] == "all") & obs["value"].notna() & _countable(obs)])
    kept = kept[~kept["year"].isin(PANDEMIC_YEARS)]
    rows = RowScales.of(kept, framework)
    sampling = kept["se_sampling"].to_numpy(dtype=float) * rows.derivative(kept["value"])
    kept = kept.assign(x=rows.transform(kept["value"]), variance=np.nan_to_num(sampling) ** 2)
    columns = ["indicator_id", "area_code", "window", "year", "x", "variance"]
    return kept[columns].drop_duplicates(columns[:4], keep="last")


def _consecutive(rows: pd.DataFrame, framework: Framework) -> pd.DataFrame:
    """Pairs of an authority's figures in successive years, with the change less its median."""
    years = rows[["indicator_id", "window", "year"]].drop_duplicates()
    steps = years.merge(years.rename(columns={"year": "next_year"}), on=["indicator_id", "window"])
    steps["gap"] = steps["next_year"] - steps["year"]
    steps = steps[steps["gap"] >= steps["window"]]
    # The usual step of each series: the shortest without overlap. A longer one would hold more movement.
    steps = steps[steps["gap"] == steps.groupby(["indicator_id", "window"])["gap"].transform("min")]
    crossed = np.zeros(len(steps), dtype=bool)
    for name, year in break_years(framework):
        crossed |= ((steps["indicator_id"] == name) & (steps["year"] < year) & (steps["next_year"] >= year)).to_numpy()
    keys = ["indicator_id", "window"]
    pairs = steps[~crossed].merge(rows, on=[*keys, "year"])
    later = rows.rename(columns={"year": "next_year", "x": "next_x", "variance": "next_variance"})
    pairs = pairs.merge(later, on=[*keys, "area_code", "next_year"])
    change = pairs["next_x"] - pairs["x"]
    by_year = [pairs["indicator_id"], pairs["window"], pairs["year"]]
    return pairs.assign(
        change=change - change.groupby(by_year).transform("median"),
        known=pairs["variance"] + pairs["next_variance"],
    )


def _match(pairs: pd.DataFrame) -> tuple[float, float, int, int, int]:
    """Find the tau for which the 90 % band holds 90 % of one indicator's changes."""
    change, known, year = (pairs[c].to_numpy() for c in ("change", "known", "next_year"))
    years, pair, size = np.unique(year, return_inverse=True, return_counts=True)
    # Each pair of years counts as one, however many authorities it has.
    weight = 0.5 ** ((years[-1] - year) / HALF_LIFE) / size[pair]
    needed = ((change / z_of(LEVEL)) ** 2 - known) / 2
    tau = np.sqrt(max(_weighted_quantile(needed, weight, LEVEL), 0.0))
    return float(tau), float(np.sqrt(np.median(known) / 2)), len(pairs), len(years), int(pairs["gap"].min())


def _weighted_quantile(values: Floats, weights: Floats, q: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    place = min(int(np.searchsorted(reached, q)), len(values) - 1)
    return float(values[order[place]])
