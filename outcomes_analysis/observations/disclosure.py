"""Suppressed small counts: not missing at random but censored, known to lie in a range the publisher states.

A model may use the range (interval censoring); nothing here, or anywhere in the package, works a suppressed cell
out from totals less the other cells: outputs inherit suppression.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.cohorts import assumed_children
from outcomes_analysis.observations.contract import KEY

# Counts each publisher withholds. DfE, children in need and looked-after children: 1 to 5 are shown as "c".
# OHID, hospital admissions: "counts of 1 to 7 are suppressed" (from 2012).
RULES: dict[str, tuple[int, int]] = {"dfe": (1, 5), "ohid": (1, 7)}
_OHID_WORDS = ("fingertips", "ohid")


def rule_of(source_id: str) -> tuple[int, int]:
    """Lowest and highest count a source withholds; DfE's rule unless the id speaks of OHID or Fingertips."""
    ohid = any(word in source_id.lower() for word in _OHID_WORDS)
    return RULES["ohid" if ohid else "dfe"]


def censored_bounds(
    obs: pd.DataFrame,
    *,
    framework: Framework,
    population: pd.DataFrame | pd.Series | None = None,
    rules: Mapping[str, tuple[int, int]] | None = None,
) -> pd.DataFrame:
    """Give the range in which each suppressed figure lies.

    Parameters
    ----------
    obs : DataFrame
        Table of observations.
    framework : Framework
    population : DataFrame or Series, optional
        As in ``sampling_errors``, for the number of children where a row has no denominator and the indicator
        states a ``cohort_share``; by default those in ``obs``.
    rules : mapping of source_id to (int, int), optional
        Counts a source withholds; ``rule_of`` for sources not named.

    Returns
    -------
    DataFrame
        One row a suppressed figure, with its index in ``obs``: the key, ``count_low, count_high`` (children or
        events), ``denominator``, ``lower, upper`` in natural units, ``side``. NaN where the denominator is unknown.

    Notes
    -----
    For a proportion, few children with the outcome and few without are both withheld. ``side`` tells which is
    meant: ``few_without`` where the indicator's published median is above 50 %, else ``few_with``. Publishers also
    withhold some larger cells to protect a small neighbour; they look the same, so a model should let a share of
    suppressed cells lie outside the range.
    """
    rows = obs[obs["status"] == "suppressed"]
    ids = rows["indicator_id"]
    found = {name: framework.indicator(name) for name in ids.unique()}
    chosen = {source: (rules or {}).get(source, rule_of(source)) for source in rows["source_id"].unique()}
    low = rows["source_id"].map({source: float(rule[0]) for source, rule in chosen.items()}).astype(float)
    high = rows["source_id"].map({source: float(rule[1]) for source, rule in chosen.items()}).astype(float)
    known = obs if population is None else population
    cohort = pd.Series(assumed_children(rows, known, framework=framework, figures=obs), index=rows.index)
    people = rows["denominator"].where(rows["denominator"] > 0, cohort)
    per = ids.map({name: i.per for name, i in found.items()}).astype(float)
    medians = obs.loc[obs["value"].notna()].groupby("indicator_id")["value"].median()
    high_side = {name: i.form == "proportion" and medians.get(name, 0.0) > i.per / 2 for name, i in found.items()}
    few_without = ids.map(high_side).astype(bool)
    few, many = (low / people).clip(upper=1.0), high / people
    lower = few.where(~few_without, (1 - many).clip(lower=0.0)) * per
    upper = many.where(~few_without, 1 - few) * per
    proportion = ids.map({name: i.form == "proportion" for name, i in found.items()}).astype(bool)
    return rows[list(KEY)].assign(
        count_low=low,
        count_high=high,
        denominator=people,
        lower=lower,
        upper=upper.where(~proportion, upper.clip(upper=per)),
        side=np.where(few_without, "few_without", "few_with"),
    )
