"""The smallest change in a population figure that could be seen, and what it asks of those a programme reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.cohorts import POPULATION, assumed_children
from outcomes_analysis.places.comparison import USABLE
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.evaluating.power import POWER, detectable_by_error

NO_FIGURE = "no figure of this place"
UNSURE = "how sure the figure is, is not known"
NO_REACH = "the reach is withheld or 0"
NO_COHORT = "how many children are behind the figure is not known"
CANNOT = "cannot be seen: more than all of those reached could change"
IN_REACH = "could be seen"


@dataclass(frozen=True)
class Smallest:
    """What a change would have to be to be seen.

    Attributes
    ----------
    period : str
        Of the newest figure.
    value, error : float
        It and its error: sampling and year-to-year together, natural units.
    cohort : float
        Children behind it.
    change : float
        Smallest change from one year to the next that would be seen, natural units.
    share : float
        Of those children, how many the programme reaches; 1 at most.
    among_reached : float
        The same change if it all came from the children reached: ``change / share``.
    verdict : str
        ``could be seen``, or why not or not known.
    """

    period: str = ""
    value: float = np.nan
    error: float = np.nan
    cohort: float = np.nan
    change: float = np.nan
    share: float = np.nan
    among_reached: float = np.nan
    verdict: str = NO_FIGURE


def smallest_change(error: float, *, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest change between two years that would be seen.

    Parameters
    ----------
    error : float
        Of one year's figure, sampling and year-to-year together; that of the other year is taken to be the same.
    level : float
        Of the interval of the change that must leave out 0.
    power : float
        Chance with which it should.

    Returns
    -------
    float
        ``(z of the interval + z of the power) x sqrt(2) x error``; NaN where the error is.

    Notes
    -----
    Minimum detectable effect of Bloom (1995), Evaluation Review 19, for a difference of two independent figures. What
    all places share in a year is not in the error: the change is one beside that of England.
    """
    return detectable_by_error(np.sqrt(2.0) * error, level=level, power=power)


def smallest_for(
    indicator: str,
    area: str,
    *,
    reach: float | None,
    observations: pd.DataFrame,
    framework: Framework,
    level: float = LEVEL,
    power: float = POWER,
) -> Smallest:
    """Say what change a programme's place would have to show, and what that asks of those it reaches.

    Parameters
    ----------
    indicator, area : str
        Id and code.
    reach : float or None
        Children reached in a year; ``None`` where withheld.
    observations, framework
        The tidy table and the framework.
    level, power : float
        As of :func:`smallest_change`.

    Returns
    -------
    Smallest
        If a share ``s`` of the children behind a figure is reached and the figure among them changes by ``d``, the
        figure of all changes by ``s d``. A share of children cannot rise above all, nor any figure fall below 0:
        what asks for more is said to be out of sight.
    """
    measure = framework.indicator(indicator)
    row = _newest(observations, indicator, area)
    if row is None:
        return Smallest()
    cohort = _cohort(row, observations, framework=framework)
    value, error = float(row["value"].iloc[0]), float(row["se_total"].iloc[0])
    change = smallest_change(error, level=level, power=power)
    share = min(float(reach) / cohort, 1.0) if reach and np.isfinite(cohort) else np.nan
    among = change / share if share > 0 else np.nan
    return Smallest(
        period=str(row["period"].iloc[0]),
        value=value,
        error=error,
        cohort=cohort,
        change=change,
        share=share,
        among_reached=among,
        verdict=_verdict(measure, value=value, error=error, cohort=cohort, share=share, among=among),
    )


def _newest(observations: pd.DataFrame, indicator: str, area: str) -> pd.DataFrame | None:
    rows = observations[
        observations["indicator_id"].eq(indicator)
        & observations["area_code"].eq(area)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
    ]
    return rows.sort_values("period_end").tail(1) if len(rows) else None


def _cohort(row: pd.DataFrame, observations: pd.DataFrame, *, framework: Framework) -> float:
    published = float(pd.to_numeric(row["denominator"]).iloc[0])
    if published > 0:
        return published
    population = observations[observations["indicator_id"].eq(POPULATION)]
    return float(assumed_children(row, population, framework=framework, figures=observations)[0])


def _verdict(measure: Indicator, *, value: float, error: float, cohort: float, share: float, among: float) -> str:
    if not np.isfinite(error):
        return UNSURE
    if not np.isfinite(cohort):
        return NO_COHORT
    if not share > 0:
        return NO_REACH
    low, high = measure.valid_range
    rises, falls = high - value, value - low
    room = {1: rises, -1: falls}.get(measure.direction, max(rises, falls))
    return CANNOT if among > room else IN_REACH
