"""What is known by now: years with figures, breaks between years, and the correlation of a pair in one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.provenance import package_version
from outcomes_analysis.relations.analyses import correlations
from outcomes_analysis.relations.result import headline_row
from outcomes_analysis.relations.sample import MINIMUM_AREAS, USABLE
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.sources.release import content_hash

DRAWS = 100  # of the intervals that are not used here
DECIMALS = 6


def known_by(observations: pd.DataFrame, year: int) -> pd.DataFrame:
    """The table as if nothing measured after a year had come; errors stay those found from all years."""
    kept = observations[observations["period_end"].dt.year <= year]
    kept.attrs = dict(observations.attrs)
    return kept


def stamp(note: str, observations: pd.DataFrame) -> dict[str, Any]:
    """What an entry was made from: note, hash and date of the data, version of the package."""
    return {
        "note": note,
        "release": content_hash(observations),
        "data_as_at": str(observations.attrs.get("data_as_at", "")),
        "package": package_version(),
    }


def rounded(value: float) -> float:
    """A number as entries hold it."""
    return round(float(value), DECIMALS)


def years_known(
    observations: pd.DataFrame, indicator: str, areas: pd.Index, *, framework: Framework, fewest: int = MINIMUM_AREAS
) -> set[int]:
    """Years in which at least so many authorities have a usable figure."""
    framework.indicator(indicator)
    rows = observations[
        observations["indicator_id"].eq(indicator)
        & observations["area_code"].isin(areas)
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
    ]
    counts = rows.groupby(rows["period_end"].dt.year)["area_code"].nunique()
    return {int(year) for year in counts.index[counts >= fewest]}


def breaks_between(ids: Sequence[str], origin: int, year: int, *, framework: Framework) -> list[str]:
    """Declared breaks of any of the indicators after one year and up to another, in words."""
    return [
        f"{i} from {b.period}" for i in ids for b in framework.indicator(i).breaks if origin < year_of(b.period) <= year
    ]


def rank_correlation(
    predictor: str, outcome: str, year: int, *, observations: pd.DataFrame, framework: Framework
) -> pd.Series[Any]:
    """Row of the rank correlation of a pair in one year, the likeness of neighbours allowed for where it can be."""
    spec = RelationSpec(outcome=outcome, predictors=(predictor,), years=(year,), confounders=(), samples=("all",))
    found = correlations(observations, spec=spec, framework=framework, draws=DRAWS)
    return headline_row(found.table)
