"""What the figures of one indicator say of their own precision, before anything is judged by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.breaks import comparable
from outcomes_analysis.observations.intervals import z_of
from outcomes_analysis.observations.scales import RowScales
from outcomes_analysis.observations.shrinkage import empirical_bayes
from outcomes_analysis.sources.release import data_as_at

ENGLAND = "E92000001"
FIGURES = ("published", "estimated")
FEWEST_AREAS = 30
DAYS_A_YEAR = 365.25
DAYS_A_MONTH = DAYS_A_YEAR / 12
READ = (
    "indicator_id",
    "area_code",
    "period",
    "period_start",
    "period_end",
    "value",
    "se_total",
    "denominator",
    "status",
    "source_id",
)


def quick_to_cut(everyone: pd.DataFrame) -> pd.DataFrame:
    """Make a table that is soon cut into small pieces.

    Parameters
    ----------
    everyone : DataFrame
        Rows of the table of observations.

    Returns
    -------
    DataFrame
        The same rows with the columns a card is made from: text as plain objects, columns of a kind in one block.
    """
    plain = everyone[list(READ)].astype({c: "object" for c in READ if isinstance(everyone[c].dtype, pd.StringDtype)})
    plain = plain.copy()
    plain.attrs = {}  # what is noted of the whole table would be copied at every cut
    return plain


def _latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the newest period in which 30 areas or more have a figure; none if there is no such period."""
    counted = rows[rows["status"].isin(FIGURES) & rows["value"].notna()].groupby("period")
    size, end = counted["area_code"].nunique(), counted["period_end"].max()
    enough = end[size >= FEWEST_AREAS]
    return rows[rows["period"] == enough.idxmax()] if len(enough) else rows.iloc[:0]


def _precision(rows: pd.DataFrame, framework: Framework, level: float) -> dict[str, float]:
    """Reliability, pairs told apart, and the smallest change that shows, all on the indicator's scale."""
    scales = RowScales.of(rows, framework)
    x = scales.transform(rows["value"])
    slope = scales.derivative(rows["value"])
    error = rows["se_total"].to_numpy(float) * slope
    known = np.isfinite(x) & np.isfinite(error)
    if known.sum() < FEWEST_AREAS:
        return dict.fromkeys(("reliability", "pairs_differ", "smallest_change", "smallest_change_sd"), np.nan)
    x, error, slope = x[known], error[known], slope[known]
    z = z_of(level)
    above = np.triu_indices(len(x), k=1)
    far = np.abs(x[:, None] - x[None, :]) > z * np.hypot(error[:, None], error[None, :])
    days = (rows["period_end"] - rows["period_start"]).dt.days.median()
    # Windows of k pooled years share all but one year with the next, as in observations.yearly.
    window = max(1, round(days / DAYS_A_YEAR))
    half = z * np.sqrt(2 / window) * float(np.median(error))
    return {
        "reliability": float(np.mean(empirical_bayes(x, error**2).reliability)),
        "pairs_differ": float(far[above].mean()),
        "smallest_change": half / float(np.median(slope)),
        "smallest_change_sd": half / float(np.std(x, ddof=1)),
    }


def _against_england(
    rows: pd.DataFrame, england: pd.DataFrame, framework: Framework, level: float
) -> tuple[float, float]:
    """England's figure of the same period, and the share of areas whose figure differs from it."""
    if england.empty:
        return np.nan, np.nan
    both = pd.concat([rows, england])
    scales = RowScales.of(both, framework)
    x = scales.transform(both["value"])
    error = np.nan_to_num(both["se_total"].to_numpy(float) * scales.derivative(both["value"]), nan=np.inf)
    error[-1] = error[-1] if np.isfinite(error[-1]) else 0.0
    differ = np.abs(x[:-1] - x[-1]) > z_of(level) * np.hypot(error[:-1], error[-1])
    return float(england["value"].iloc[0]), float(differ.mean())


def _previous(plain: pd.DataFrame, indicator: Indicator, framework: Framework, period: str) -> str:
    """Newest earlier period that may be compared with the latest, or an empty text."""
    known = plain[plain["value"].notna()].groupby("period")["period_end"].max().sort_values(ascending=False)
    earlier = [str(p) for p in known.index[known < known[period]]]
    fit = (p for p in earlier if comparable(plain, framework=framework, indicator=indicator.id, a=period, b=p))
    return next(fit, "")


def measured(
    plain: pd.DataFrame,
    indicator: Indicator,
    framework: Framework,
    *,
    level: float,
    areas: pd.Series,
    day: str,
) -> dict[str, Any] | None:
    """What a card says on a day before any judgement.

    Parameters
    ----------
    plain : DataFrame
        Whole-population rows of one indicator, of authorities and England.
    indicator : Indicator
    framework : Framework
        Scales and breaks.
    level : float
        Of the intervals.
    areas : Series of str
        Names of the authorities that rank, by code.
    day : str
        On which all cards are judged, or empty.

    Returns
    -------
    dict or None
        Columns of :class:`outcomes_analysis.index.judging.purpose.FitnessResult` up to ``direction``; None where no
        period has enough figures.
    """
    mine = _latest(plain[plain["area_code"] != ENGLAND])
    if mine.empty:
        return None
    period = str(mine["period"].iloc[0])
    used = mine[mine["status"].isin(FIGURES) & mine["value"].notna()]
    status = mine.drop_duplicates("area_code").set_index("area_code")["status"].reindex(areas.index)
    missing = areas.index.difference(used["area_code"])
    england = plain[(plain["area_code"] == ENGLAND) & (plain["period"] == period) & plain["value"].notna()].iloc[:1]
    value, differ = _against_england(used, england, framework, level)
    end = used["period_end"].max()
    previous = _previous(plain, indicator, framework, period)
    before = plain.loc[plain["period"] == previous, "period_end"].max() if previous else pd.NaT
    return {
        "indicator_id": indicator.id,
        "name": indicator.name,
        "unit": indicator.unit,
        "form": indicator.form,
        "period": period,
        **_precision(used, framework, level),
        "england": value,
        "differ_from_england": differ,
        "n_areas": used["area_code"].nunique(),
        "n_missing": len(missing),
        "n_suppressed": int((status.loc[missing] == "suppressed").sum()),
        "n_inherited": int((status.loc[missing] == "inherited").sum()),
        "left_out": several(areas[missing]) if len(missing) else "",
        "geography_basis": indicator.geography_basis,
        "lag_months": (pd.Timestamp(day) - end).days / DAYS_A_MONTH if day else np.nan,
        "judged_at": day,
        "data_as_at": data_as_at(used["source_id"].unique()),
        "breaks": "; ".join(f"{b.period}: {b.reason.rstrip('.')}" for b in indicator.breaks),
        "previous": previous,
        "years_apart": round((end - before).days / DAYS_A_YEAR) if previous else 0,
        "window_years": max(1, round((end - used["period_start"].max()).days / DAYS_A_YEAR)),
        "contested": indicator.contested,
        "direction": indicator.direction,
    }
