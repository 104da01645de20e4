"""England beside its authorities: its figure for each indicator at a date, and where none is published, one made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.cohorts import cohort_population

ENGLAND = "E92000001"
FEWEST = 30  # authorities below which nothing is said of England from them
PUBLISHED, COUNTS, WEIGHTED = "published", "authorities' counts added up", "mean of authorities weighted by children"
COLUMNS = ["indicator_id", "area_code", "period", "period_end", "value", "se_total", "denominator"]


def stand_ins(
    latest: pd.DataFrame, *, framework: Framework, observations: pd.DataFrame, indicators: Sequence[str]
) -> pd.DataFrame:
    """Make England's figure where none is published.

    Parameters
    ----------
    latest : DataFrame
        Newest usable row of each authority and indicator.
    framework : Framework
        Says what a rate is per.
    observations : DataFrame
        The tidy table, for the population aged 0 to 17.
    indicators : sequence of str
        Indicators without a published figure for England.

    Returns
    -------
    DataFrame
        Rows of observations for England with a column ``how``: from the authorities' counts added up where
        numerators and denominators are there, else their mean weighted by children. Of the commonest period among
        the authorities. Indicators of fewer than 30 authorities are left out.

    Notes
    -----
    A mean of rates weighted by their own denominators is the rate of the whole; the population aged 0 to 17 stands
    for a denominator that is not published. Errors of authorities are taken as unrelated.
    """
    rows = []
    for name in indicators:
        part = latest[(latest["indicator_id"] == name) & (latest["area_code"] != ENGLAND)]
        if len(part) < FEWEST:
            continue
        common = part["period"].mode().iloc[0]
        counted = part["numerator"].notna() & (part["denominator"] > 0)
        if counted.sum() >= max(FEWEST, 0.9 * len(part)):
            used = part[counted]
            weights, how = used["denominator"].to_numpy(float), COUNTS
            value = framework.indicator(name).per * used["numerator"].sum() / weights.sum()
        else:
            people = cohort_population(part, observations)
            used, weights, how = part[people > 0], people[people > 0], WEIGHTED
            value = float(np.average(used["value"], weights=weights))
        error = float(np.sqrt(((weights * used["se_total"].to_numpy(float)) ** 2).sum()) / weights.sum())
        rows.append(
            {
                "indicator_id": name,
                "area_code": ENGLAND,
                "period": common,
                "period_end": part.loc[part["period"] == common, "period_end"].iloc[0],
                "value": value,
                "se_total": error,
                "denominator": weights.sum() if how == COUNTS else np.nan,
                "group_type": "all",
                "group": "all",
                "how": how,
            }
        )
    return pd.DataFrame(rows, columns=[*COLUMNS, "group_type", "group", "how"])
