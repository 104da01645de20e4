"""The raw frame every reader returns: observations with the published area code, before areas are harmonised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.errors import PeriodError, SourceError, several
from outcomes_analysis.observations.contract import COLUMNS, MISSING, conform
from outcomes_analysis.observations.periods import Kind, parse_periods
from outcomes_analysis.sources.cells import join_flags
from outcomes_analysis.sources.registry import RegisteredSource, Series

RAW_COLUMNS = tuple(column for column in COLUMNS if column != "area_code")
RAW_KEY = ("indicator_id", "published_code", "period", "group_type", "group")
PUBLISHED_LEVEL = 0.95

# What a code's first characters say: E06 unitary, E07 district, E08 metropolitan, E09 London borough, E10 county,
# E12 region, E13 inner and outer London, E92 England. Codes of three digits are the Department for Education's, of the
# upper tier.
_UPPER = r"E06\d{6}|E08\d{6}|E09\d{6}|E10\d{6}|E12\d{6}|E13\d{6}|E92\d{6}|\d{3}"
_DISTRICT = r"E07\d{6}"
_LEVELS = {"upper_tier": _UPPER, "district": _DISTRICT, "both": f"{_UPPER}|{_DISTRICT}"}


def raw_frame(
    source: RegisteredSource,
    series: Series,
    *,
    codes: pd.Series,
    periods: pd.Series,
    values: pd.DataFrame | None = None,
    lower: pd.Series | None = None,
    upper: pd.Series | None = None,
    numerator: pd.DataFrame | None = None,
    denominator: pd.DataFrame | None = None,
    flags: pd.Series | None = None,
    excluded: dict[str, int] | None = None,
) -> pd.DataFrame:
    """Put one series of a file into the common columns.

    Where the series has no published value, ``value`` stays NaN: with both parts, or with a numerator and the
    population as denominator, ``status`` is ``estimated`` and :func:`~outcomes_analysis.sources.deriving.derive_rates`
    fills the value in; otherwise ``status`` is that of the part that is missing.

    Parameters
    ----------
    codes, periods : Series of str
        Area code and period label as published, same index as everything else.
    values, numerator, denominator : DataFrame, optional
        What :func:`~outcomes_analysis.sources.cells.parse_cells` returns.
    lower, upper : Series of float, optional
        Published 95 % limits, in the units of the published value.
    flags : Series of str, optional
        Further flags of each row.
    excluded : dict, optional
        Reasons and numbers of rows the reader has left out already.

    Returns
    -------
    DataFrame
        ``RAW_COLUMNS``; one row for each area, period and group; ``attrs["excluded"]`` lists what was left out, as
        (source id, indicator id, reason, number of rows).

    Raises
    ------
    SourceError
        If a period label cannot be read, no row is left, or one area has two different values for one period.
    """
    where = f"{source.path} ({series.indicator})"
    dated = _dated(periods, series.period_kind, where)
    number, status, cell_flags = _value(series, values, numerator, denominator, codes.index)
    extra = [f for f in (dated["flags"], flags) if f is not None]
    nan = np.full(len(codes), np.nan)
    bounds = {
        "lower": nan if lower is None else lower * series.factor,
        "upper": nan if upper is None else upper * series.factor,
    }
    has_bounds = ~np.isnan(np.asarray(bounds["lower"], dtype=float))
    frame = pd.DataFrame(
        {
            "indicator_id": series.indicator,
            "period": dated["period"].astype("str"),
            "group_type": series.group_type,
            "group": series.group,
            "published_code": codes.astype("str").str.strip(),
            "period_start": dated["period_start"],
            "period_end": dated["period_end"],
            "value": number * series.factor,
            **bounds,
            "level": np.where(has_bounds, PUBLISHED_LEVEL, np.nan),
            "se_sampling": nan,
            "se_total": nan,
            "numerator": nan if numerator is None else numerator["number"],
            "denominator": nan if denominator is None else denominator["number"],
            "status": status,
            "flags": join_flags(cell_flags, *extra),
            "source_id": source.id,
        },
        index=codes.index,
    )
    counted = dict(excluded or {})
    frame = _keep_level(frame, series, where, counted)
    frame = _keep_years(frame, series, where, counted)
    frame = _unique(frame, where, counted)
    frame = conform(frame).reset_index(drop=True)
    frame.attrs["excluded"] = tuple((source.id, series.indicator, why, n) for why, n in counted.items() if n)
    return frame


def concat_raw(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put raw frames under one another, with what each left out."""
    excluded = tuple(item for frame in frames for item in frame.attrs.get("excluded", ()))
    for_concat = [frame.copy(deep=False) for frame in frames]
    for frame in for_concat:
        frame.attrs = {}
    together = pd.concat(for_concat, ignore_index=True)
    together.attrs["excluded"] = excluded
    return together


def excluded_rows(raw: pd.DataFrame) -> pd.DataFrame:
    """Rows of the published files that a raw frame left out, and why.

    Returns
    -------
    DataFrame
        Columns ``source_id``, ``indicator_id``, ``reason``, ``rows``.
    """
    return pd.DataFrame(list(raw.attrs.get("excluded", ())), columns=["source_id", "indicator_id", "reason", "rows"])


def _dated(periods: pd.Series, kind: Kind, where: str) -> pd.DataFrame:
    try:
        return parse_periods(periods, kind=kind, where=where, first_row=2)
    except PeriodError as error:
        raise SourceError(str(error)) from error


def _value(
    series: Series,
    values: pd.DataFrame | None,
    numerator: pd.DataFrame | None,
    denominator: pd.DataFrame | None,
    index: pd.Index,
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Value, status and flags: as published, or pending until both parts are divided."""
    if values is not None:
        return values["number"], values["status"], values["flags"]
    parts = [part for part in (numerator, denominator) if part is not None]
    if not parts:
        message = f"{series.indicator}: neither a value nor a numerator to make it from."
        raise SourceError(message)
    status = pd.Series("estimated", index=index, dtype="str")
    for part in reversed(parts):  # the numerator's reason is the one to keep
        status = status.mask(part["status"].isin(MISSING), part["status"])
    return pd.Series(np.nan, index=index), status, join_flags(*(part["flags"] for part in parts))


def _keep_level(frame: pd.DataFrame, series: Series, where: str, counted: dict[str, int]) -> pd.DataFrame:
    inside = frame["published_code"].str.fullmatch(_LEVELS[series.level]).to_numpy(dtype=bool)
    if not inside.any():
        message = (
            f"{where}: no area of level '{series.level}'. The codes are: {several(frame['published_code'].unique())}."
        )
        raise SourceError(message)
    counted[f"area is not of level {series.level}"] = int((~inside).sum())
    return frame[inside]


def _keep_years(frame: pd.DataFrame, series: Series, where: str, counted: dict[str, int]) -> pd.DataFrame:
    year = frame["period_end"].dt.year
    first = year.min() if series.first_period is None else series.first_period
    last = year.max() if series.last_period is None else series.last_period
    inside = year.between(first, last)
    if not inside.any():
        message = f"{where}: no period from {first} to {last}. The file covers {year.min()} to {year.max()}."
        raise SourceError(message)
    counted["period is outside those asked for"] = int((~inside).sum())
    return frame[inside]


def _unique(frame: pd.DataFrame, where: str, counted: dict[str, int]) -> pd.DataFrame:
    """One row an area and period: identical repeats are merged and counted, different ones are an error."""
    key = list(RAW_KEY)
    if not frame.duplicated(key).any():
        return frame
    once = frame.drop_duplicates([*key, "value", "lower", "upper", "numerator", "denominator", "status"])
    clash = once[once.duplicated(key, keep=False)]
    if not clash.empty:
        names = several((clash["published_code"] + " " + clash["period"]).unique())
        count = clash.groupby(key).ngroups
        message = f"{where}: {count} areas have two different values for one period: {names}. Select rows further."
        raise SourceError(message)
    counted["same row twice"] = len(frame) - len(once)
    return once
