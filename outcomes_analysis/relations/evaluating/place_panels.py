"""Figures of one place and all others over the years, lined up for an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.relations.evaluating.counterparts import Floats
from outcomes_analysis.relations.sample import USABLE
from outcomes_analysis.wording import plural

if TYPE_CHECKING:
    from outcomes_analysis.relations.evaluating.evaluations import EvaluationSpec

MINIMUM_BEFORE = 5  # years: three to fit, two to see whether the fit holds
MINIMUM_OTHERS = 30  # places; an interval of 90 % then rests on three beyond it


@dataclass(frozen=True, eq=False)
class PlacePanel:
    """Years by places, the place first; variances of sampling error, and with year-to-year variation."""

    years: Floats
    codes: list[str]
    values: Floats
    sampling: Floats
    total: Floats
    before: int
    sources: tuple[str, ...]

    def variance(self, errors: Floats, before: int, last: int) -> Floats:
        """Variance of the mean of later years less that of earlier ones, for each place."""
        squares = errors[:last] ** 2
        return np.asarray(
            squares[:before].sum(axis=0) / before**2 + squares[before:].sum(axis=0) / (last - before) ** 2
        )


def place_panel(
    observations: pd.DataFrame, *, spec: EvaluationSpec, framework: Framework, areas: pd.DataFrame
) -> PlacePanel:
    """Line up the place and every other place with figures for the same years, since the latest declared break.

    Parameters
    ----------
    observations, spec, framework, areas
        As in :func:`~.evaluations.evaluate_place`.

    Raises
    ------
    RelationError
        As there.
    """
    indicator = framework.indicator(spec.indicator)
    unknown = [code for code in (spec.area_code, *spec.also_changed) if code not in areas.index]
    if unknown:
        message = f"{plural(len(unknown), 'area is', 'areas are')} not among those compared: {several(unknown)}."
        raise RelationError(message)
    rows = observations[
        observations["indicator_id"].eq(spec.indicator)
        & observations["area_code"].isin(areas.index.difference(spec.also_changed))
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
    ]
    rows = rows.assign(year=rows["period_end"].dt.year).sort_values("period_end")
    rows = rows.drop_duplicates(["area_code", "year"], keep="last")
    mine = rows.loc[rows["area_code"].eq(spec.area_code), "year"]
    last = spec.until if spec.until is not None else int(mine.max()) if len(mine) else spec.since
    broken = [year_of(b.period) for b in indicator.breaks if year_of(b.period) <= last]
    start = max(broken, default=0)
    years = sorted(int(y) for y in mine if start <= y <= last)
    before = sum(y < spec.since for y in years)
    if before < MINIMUM_BEFORE or before == len(years):
        since_break = f", since the declared break of {start}" if start else ""
        message = (
            f"'{spec.indicator}' has figures of {several(years, limit=15) or 'no year'} for '{spec.area_code}'"
            f"{since_break}: {before} before {spec.since} and {len(years) - before} from it on. "
            f"At least {MINIMUM_BEFORE} before and one from it on are needed."
        )
        raise RelationError(message)
    wide = {
        c: rows.pivot(index="area_code", columns="year", values=c)[years] for c in ("value", "se_sampling", "se_total")
    }
    complete = wide["value"].dropna().index
    others = [str(code) for code in complete if code != spec.area_code]
    if len(others) < MINIMUM_OTHERS:
        message = (
            f"Only {len(others)} other places have '{spec.indicator}' for every year of {several(years, limit=15)}; "
            f"at least {MINIMUM_OTHERS} are needed."
        )
        raise RelationError(message)
    codes = [spec.area_code, *others]
    values, sampling, total = (wide[c].loc[codes].to_numpy(float).T for c in ("value", "se_sampling", "se_total"))
    if np.ptp(values) == 0:
        message = f"'{spec.indicator}' is the same for every place and year."
        raise RelationError(message)
    return PlacePanel(
        years=np.array(years, dtype=float),
        codes=codes,
        values=values,
        sampling=sampling,
        total=total,
        before=before,
        sources=tuple(sorted(set(rows["source_id"].astype(str)) - {""})),
    )
