"""Forecasts made as if in past years, set against what was then published: how far off, and how often inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.scales import Floats, inverse
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.stretches import Stretch, stretch_until
from outcomes_analysis.places.trending import Mixture, forecast_england, forecast_gaps

BEFORE, LATER = "forecasts made before 2020", "figures for 2022 to 2024"
PANDEMIC = 2020
APART = 2025  # the year that is told apart
MOST_ORIGINS = 6  # before 2020: older ones say little more
PARTS = ("gap", "england", "figure")
PART_WORDS = {"gap": "the gap to England", "england": "England", "figure": "an authority's figure"}
FEWEST_CHANGES = 2  # from one change of England's no variance about a drift can be told
SCORE_COLUMNS = ("pool", "part", "ahead", "n", "error", "error_no_change", "covered", "level")


def held_out_scores(
    rows: pd.DataFrame,
    *,
    indicator: Indicator,
    framework: Framework,
    regions: pd.Series,
    ahead: int,
    level: float,
) -> pd.DataFrame:
    """Forecast every past year from what was known before it, and compare.

    Parameters
    ----------
    rows : DataFrame
        Of :func:`outcomes_analysis.places.stretches.yearly_rows`.
    indicator : Indicator
    framework : Framework
    regions : Series
        Region of each authority, by code.
    ahead : int
        Longest forecast, years.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        ``pool`` (forecasts made before 2020; figures for 2022 to 2024; figures for 2025), ``part`` (``gap``: the
        authority's figure once England's is known; ``england``: with the recent drift; ``figure``: the authority's
        figure with England's recent drift), ``ahead`` (years), ``n`` (forecasts), ``error`` (mean distance from what
        was published, natural units), ``error_no_change`` (the same if the last gap, England's last figure or the
        authority's last figure had stayed), ``covered`` (share inside the interval; NaN where it could not be made),
        ``level``. Empty where no year can be held out. No forecast crosses a break.

    Notes
    -----
    Everything, also the year-to-year variance, is found anew from the years up to the origin.
    """
    found: list[dict[str, Any]] = []
    years = sorted(rows["year"].unique())
    early = [y for y in years[:-1] if y < PANDEMIC][-MOST_ORIGINS:]
    for origin in [*early, *(y for y in years[:-1] if y > PANDEMIC)]:
        try:
            known = stretch_until(rows, framework=framework, regions=regions, until=int(origin))
        except ObservationsError:
            continue  # too few comparable years by then
        if known.last == origin:
            found += _compare(rows, known, indicator=indicator, ahead=ahead, level=level)
    if not found:
        return pd.DataFrame(columns=list(SCORE_COLUMNS))
    each = pd.DataFrame(found)
    keys = ["pool", "part", "ahead"]
    table = each.groupby(keys, as_index=False).agg(
        n=("error", "size"),
        error=("error", "mean"),
        error_no_change=("error_no_change", "mean"),
        covered=("inside", "mean"),
    )
    order = {word: k for k, word in enumerate((BEFORE, LATER, apart()))} | {p: k for k, p in enumerate(PARTS)}
    table = table.sort_values(keys, key=lambda c: c.map(order) if c.name != "ahead" else c)
    return table.assign(level=level)[list(SCORE_COLUMNS)].reset_index(drop=True)


def apart() -> str:
    """Name of the pool of the year that is told apart."""
    return f"figures for {APART}"


def _pool(origin: int, year: int) -> str:
    return BEFORE if origin < PANDEMIC else apart() if year == APART else LATER


def _compare(
    rows: pd.DataFrame, known: Stretch, *, indicator: Indicator, ahead: int, level: float
) -> list[dict[str, Any]]:
    """One record an authority, year and part: error, error of no change, inside or not."""
    segment = int(rows.loc[rows["year"].eq(known.last), "segment"].iloc[0])
    window = int(known.figures["window"].iloc[0])
    later = rows[
        rows["year"].gt(known.last)
        & rows["year"].le(known.last + ahead)
        & rows["segment"].eq(segment)
        & rows["window"].eq(window)
        & ((rows["year"] - known.last) % window == 0)
    ]
    national = later[later["area_code"].eq(ENGLAND)].set_index("year")["x"]
    # from before the pandemic to after it is no ordinary step
    national = national[(national.index < PANDEMIC) == (known.last < PANDEMIC)].sort_index()
    if national.empty:
        return []
    steps = [int(y - known.last) for y in national.index]
    gaps = forecast_gaps(known.gaps, [int(y) for y in national.index])
    last = float(known.england.iloc[-1])
    england = forecast_england(known.drift, last, steps, drifting=True)
    error = known.figures["variance"].to_numpy(dtype=float)[:, None]
    wide = later.pivot(index="area_code", columns="year", values="x").reindex(known.codes, columns=list(national.index))
    actual, nation = wide.to_numpy(dtype=float), national.to_numpy(dtype=float)
    gap_now = known.gaps.values[:, -1:]
    whole = gaps.plus(_wide(england)).widened(error)
    given = Mixture(gaps.weights, gaps.means + nation, gaps.variances).widened(error)
    found = []
    for part, forecast, naive, truth in (
        ("gap", given, gap_now + nation, actual),
        ("england", _wide(england), np.full((1, len(steps)), last), nation[None, :]),
        ("figure", whole, gap_now + last + 0.0 * nation, actual),
    ):
        tail = (1.0 - level) / 2
        low, centre, high = (forecast.quantile(q) for q in (tail, 0.5, 1.0 - tail))
        back = [_natural(v, indicator) for v in (centre, naive, truth)]
        inside = np.where((truth >= low) & (truth <= high), 1.0, 0.0)
        if part == "england" and known.drift.freedom_from_none < FEWEST_CHANGES:
            inside = np.full_like(inside, np.nan)
        for i, j in zip(*np.nonzero(np.isfinite(truth)), strict=True):
            found.append(
                {
                    "pool": _pool(known.last, int(national.index[j])),
                    "part": part,
                    "ahead": steps[j],
                    "error": abs(back[0][i, j] - back[2][i, j]),
                    "error_no_change": abs(back[1][i, j] - back[2][i, j]),
                    "inside": inside[i, j],
                }
            )
    return found


def _wide(england: Mixture) -> Mixture:
    """England's forecast as one row of places."""
    return Mixture(england.weights, england.means[:, None, :], england.variances[:, None, :])


def _natural(x: Floats, indicator: Indicator) -> Floats:
    low, high = indicator.valid_range
    return inverse(x, indicator.scale, low=low, high=high)
