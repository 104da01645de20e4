"""Rates made from a published count and a published denominator, where the publisher gives no rate of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.framework.model import Framework

MIDDLE_OF_YEAR = 7  # month: what ends earlier in the year is set against the estimate of the middle of the year before


def derive_rates(obs: pd.DataFrame, *, framework: Framework, population: pd.DataFrame) -> pd.DataFrame:
    """Fill in values that wait to be made from their parts: numerator / denominator x ``per``.

    A row waits if its status is ``estimated`` and it has a numerator but no value. Where it has no denominator either,
    the population aged 0 to 17 becomes it: of the middle of the year before for what ends in January to June (a rate
    at 31 March 2025 uses mid-2024, as in the Department for Education's own rates), else of the same year. Rows that
    are suppressed stay so, even where their parts are known.

    Parameters
    ----------
    obs : DataFrame
        Observations with harmonised ``area_code``.
    framework : Framework
        Gives each indicator's ``per`` (10,000 for a rate per 10,000 children).
    population : DataFrame
        Observations of the population aged 0 to 17: ``area_code``, ``period_end``, ``value``; one row an area and year.

    Returns
    -------
    DataFrame
        A new table of the same shape. A value made here is ``published``: both its parts are, and dividing them adds
        nothing. A row whose denominator is not known, or is 0, becomes ``not_available``.

    Raises
    ------
    SourceError
        If ``population`` has more than one figure for an area and year.
    """
    waiting = (obs["status"] == "estimated") & obs["value"].isna()
    result = obs.copy()
    if not waiting.any():
        return result
    rows = obs[waiting]
    own = rows["denominator"].to_numpy(dtype=float)
    denominator = np.where(np.isnan(own), _children(rows, population), own)
    per = rows["indicator_id"].map({i: framework.indicator(i).per for i in rows["indicator_id"].unique()})
    with np.errstate(divide="ignore", invalid="ignore"):
        value = rows["numerator"].to_numpy(dtype=float) / denominator * per.to_numpy(dtype=float)
    value[~np.isfinite(value)] = np.nan
    result.loc[waiting, "denominator"] = denominator
    result.loc[waiting, "value"] = value
    result.loc[waiting, "status"] = np.where(np.isnan(value), "not_available", "published")
    return result


def _children(rows: pd.DataFrame, population: pd.DataFrame) -> np.ndarray:
    """Population aged 0 to 17 that belongs to each row, NaN where there is none."""
    year = population["period_end"].dt.year
    table = pd.Series(population["value"].to_numpy(), index=pd.MultiIndex.from_arrays([population["area_code"], year]))
    repeated = table.index.duplicated()
    if repeated.any():
        places = several(f"{area} {when}" for area, when in table.index[repeated].unique())
        message = f"{int(repeated.sum())} areas have two population figures for one year: {places}. Give one of each."
        raise SourceError(message)
    end = rows["period_end"]
    wanted = end.dt.year - (end.dt.month < MIDDLE_OF_YEAR).astype(int)
    return table.reindex(pd.MultiIndex.from_arrays([rows["area_code"], wanted])).to_numpy(dtype=float)
