"""How many children stand behind a figure published without a number: the population, and a group's share of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.scales import Floats

POPULATION = "pop_0_17"
ENGLAND = "E92000001"

# A group's share of an authority's children, from the authority's own published figures: a constant, and what each
# indicator counts for. A flat share would make the errors of pupils with free school meals 1.8 times too small where
# 8 % have them, as in some counties, and 1.3 times too large where 42 % do, as in some London boroughs.
OWN_SHARES: dict[tuple[str, str], tuple[float, dict[str, float]]] = {
    ("fsm", "eligible"): (0.0, {"fsm_pct": 0.01}),
    ("fsm", "not_eligible"): (1.0, {"fsm_pct": -0.01}),
    ("sen", "ehcp"): (0.0, {"ehcp_pct": 0.01}),
    ("sen", "support"): (0.0, {"sen_support_pct": 0.01}),
    ("sen", "none"): (1.0, {"ehcp_pct": -0.01, "sen_support_pct": -0.01}),
    ("social_care", "in_need"): (0.0, {"cin_rate": 0.0001}),
    ("social_care", "child_protection"): (0.0, {"cpp_rate": 0.0001}),
    ("social_care", "looked_after"): (0.0, {"cla_rate": 0.0001}),
}

# Where an authority has no such figure: England's share, assumed and rounded. A share wrong by a quarter makes the
# sampling error wrong by an eighth. Disadvantaged pupils (free school meals in the last six years, looked after, or
# adopted) have no figure of their own in the files read: more than have free school meals now, about 27 % nationally.
# Ethnic groups differ too much between areas for one number: without counts their error stays unknown.
GROUP_SHARES: dict[tuple[str, str], float] = {
    ("all", "all"): 1.0,
    ("sex", "female"): 0.49,
    ("sex", "male"): 0.51,
    ("fsm", "eligible"): 0.25,
    ("fsm", "not_eligible"): 0.75,
    ("disadvantage", "disadvantaged"): 0.27,
    ("disadvantage", "other"): 0.73,
    ("sen", "ehcp"): 0.04,
    ("sen", "support"): 0.13,
    ("sen", "none"): 0.83,
    ("social_care", "in_need"): 0.034,
    ("social_care", "child_protection"): 0.0043,
    ("social_care", "looked_after"): 0.007,
}


def cohort_population(
    obs: pd.DataFrame, population: pd.DataFrame | pd.Series, *, figures: pd.DataFrame | None = None
) -> Floats:
    """Find the population aged 0 to 17 behind each row.

    Parameters
    ----------
    obs : DataFrame
        Table of observations.
    population : DataFrame or Series
        Observations of ``pop_0_17`` (other rows are ignored), or a Series over area code and mid-year.
    figures : DataFrame, optional
        Observations in which the groups' own shares are looked up (``OWN_SHARES``); by default ``population`` where it
        is a table.

    Returns
    -------
    array
        Of the row's area at the last mid-year by the period's end (a rate at 31 March is over the mid-year before,
        as the publishers have it), else at the next one known; a group has its share, the area's own where that is
        published by then (else the next one known), else England's assumed one of ``GROUP_SHARES``. NaN where the
        area or the group's share is unknown.
    """
    people = _last_known(obs, _by_mid_year(population))
    if figures is None:
        figures = population if isinstance(population, pd.DataFrame) else obs
    return people * _shares(obs, figures)


def assumed_children(
    obs: pd.DataFrame,
    population: pd.DataFrame | pd.Series,
    *,
    framework: Framework,
    figures: pd.DataFrame | None = None,
) -> Floats:
    """Number of children taken to be behind each row where none is published.

    Parameters
    ----------
    obs, population, figures
        As of ``cohort_population``.
    framework : Framework
        Its ``cohort_share`` and ``cohort_follows``.

    Returns
    -------
    array
        Population aged 0 to 17 of the row's area and group, times the indicator's ``cohort_share``; where that share
        follows another indicator (children looked after, say), times the area's figure of it over England's, each the
        last known by the row's period. NaN where the population or the share is unknown.
    """
    if figures is None:
        figures = population if isinstance(population, pd.DataFrame) else obs
    children = cohort_population(obs, population, figures=figures)
    codes, ids = pd.factorize(obs["indicator_id"])
    for code, name in enumerate(ids):
        sampling = framework.indicator(name).sampling
        rows = np.flatnonzero(codes == code)
        children[rows] *= sampling.cohort_share or np.nan
        if sampling.cohort_follows:
            part, table = obs.iloc[rows], _of_all(figures, sampling.cohort_follows)
            own, whole = (_last_known(p, table) for p in (part, part.assign(area_code=ENGLAND)))
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = own / whole
            children[rows] *= np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
    return children


def _shares(obs: pd.DataFrame, figures: pd.DataFrame) -> Floats:
    """Share of children each row's group makes up."""
    codes, groups = pd.factorize(pd.MultiIndex.from_frame(obs[["group_type", "group"]]))
    result = np.array([GROUP_SHARES.get(group, np.nan) for group in groups], dtype=float)[codes]
    for code, group in enumerate(groups):
        if group not in OWN_SHARES:
            continue
        rows = np.flatnonzero(codes == code)
        constant, parts = OWN_SHARES[group]
        own = np.full(len(rows), constant)
        for indicator, weight in parts.items():
            own += weight * _last_known(obs.iloc[rows], _of_all(figures, indicator))
        # A share of 0 would leave nobody to be counted; the figure itself says that there is somebody.
        result[rows] = np.where(own > 0, own, result[rows])
    return result


def _last_known(obs: pd.DataFrame, table: pd.DataFrame) -> Floats:
    """Value of each row's area at the last date by the row's period's end, else at the next date known."""
    if table.empty:
        return np.full(len(obs), np.nan)
    wanted = obs[["area_code", "period_end"]].assign(row=np.arange(len(obs))).sort_values("period_end")
    known = table.assign(period_end=table["period_end"].astype(wanted["period_end"].dtype)).sort_values("period_end")
    sides = [
        pd.merge_asof(wanted, known, on="period_end", by="area_code", direction=side).set_index("row")["value"]
        for side in ("backward", "forward")
    ]
    return sides[0].fillna(sides[1]).reindex(np.arange(len(obs))).to_numpy(dtype=float)


def _by_mid_year(population: pd.DataFrame | pd.Series) -> pd.DataFrame:
    if isinstance(population, pd.Series):
        table = population.dropna().rename_axis(["area_code", "year"]).rename("value").reset_index()
        day = pd.to_datetime(table["year"].astype(int).astype(str) + "-06-30")
        return table.assign(period_end=day)[["area_code", "period_end", "value"]]
    return _of_all(population, POPULATION)


def _of_all(figures: pd.DataFrame, indicator: str) -> pd.DataFrame:
    """Figures of all children of one indicator."""
    mine = (figures["indicator_id"] == indicator) & (figures["group_type"] == "all")
    return figures.loc[mine, ["area_code", "period_end", "value"]].dropna()
