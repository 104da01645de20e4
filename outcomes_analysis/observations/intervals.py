"""Sampling error: intervals for counts, shares and rates, and one rule that gives every figure its error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.framework.model import Framework, Sampling
from outcomes_analysis.observations.cohorts import assumed_children
from outcomes_analysis.observations.scales import Floats, RowScales
from outcomes_analysis.project import LEVEL


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Wilson score interval of a proportion.

    Parameters
    ----------
    k, n : array
        Number with the outcome and number of people; ``k`` need not be whole (a share times a number).
    level : float
        Between 0 and 1.

    Returns
    -------
    lower, upper : array
        Between 0 and 1; NaN where ``n`` is not positive.

    Notes
    -----
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22; the method OHID and ONS use for proportions.
    """
    z2 = z_of(level) ** 2
    count, people = _floats(k), _positive(n)
    share = count / people
    centre = share + z2 / (2 * people)
    half = np.sqrt(z2 * (share * (1 - share) / people + z2 / (4 * people**2)))
    scale = 1 + z2 / people
    return np.clip((centre - half) / scale, 0, 1), np.clip((centre + half) / scale, 0, 1)


def byar(k: npt.ArrayLike, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Byar's interval of a count of events (Poisson).

    Parameters
    ----------
    k : array
        Counts, 0 or more.
    level : float
        Between 0 and 1.

    Returns
    -------
    lower, upper : array
        Expected counts.

    Notes
    -----
    Breslow and Day (1987), Statistical Methods in Cancer Research II, page 69; OHID's method for crude and
    standardised rates with ten events or more.
    """
    z = z_of(level)
    count = _floats(k)
    above = count + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = count * (1 - 1 / (9 * count) - z / (3 * np.sqrt(count))) ** 3
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    # Below half an event the cube turns negative: no events is then the lowest that fits.
    return np.where(count > 0, np.maximum(lower, 0.0), np.where(count == 0, 0.0, np.nan)), upper


def poisson_exact(k: npt.ArrayLike, *, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Exact interval of a count of events (Poisson).

    Parameters
    ----------
    k, level
        As of ``byar``.

    Returns
    -------
    lower, upper : array
        Expected counts.

    Notes
    -----
    F. Garwood (1936), Biometrika 28: from quantiles of the chi-squared, here of the gamma distribution.
    """
    tail = (1 - level) / 2
    count = _floats(k)
    lower = np.where(count > 0, special.gammaincinv(np.where(count > 0, count, 1.0), tail), 0.0)
    return np.where(np.isnan(count), np.nan, lower), special.gammaincinv(count + 1, 1 - tail)


def negative_binomial(k: npt.ArrayLike, *, dispersion: float, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Exact interval of a count whose variance is ``dispersion`` times its mean.

    For events that can befall one child several times, such as suspensions and referrals.

    Parameters
    ----------
    k, level
        As of ``byar``.
    dispersion : float
        Variance over mean, 1 or more; 1 is Poisson.

    Returns
    -------
    lower, upper : array
        Expected counts.

    Raises
    ------
    ObservationsError
        If ``dispersion`` is below 1.

    Notes
    -----
    The mean is found for which the tail beyond the count holds ``(1 - level) / 2``, as Clopper and Pearson do
    for the binomial. The distribution function of a negative binomial of size ``r`` is a regularised incomplete
    beta function, ``P(X <= k) = I_p(r, k + 1)`` with ``p = 1 / dispersion`` and mean ``r (dispersion - 1)``;
    it is inverted in ``r``.
    """
    if dispersion < 1:
        message = f"Dispersion is variance over mean and at least 1; given {dispersion:g}."
        raise ObservationsError(message)
    if dispersion < 1 + 1e-6:
        return poisson_exact(k, level=level)
    tail = (1 - level) / 2
    count, p = _floats(k), 1 / dispersion
    upper = special.btdtria(tail, count + 1, p) * (dispersion - 1)
    lower = special.btdtria(1 - tail, np.where(count > 0, count, 1.0), p) * (dispersion - 1)
    return np.where(count > 0, lower, np.where(count == 0, 0.0, np.nan)), upper


def z_of(level: float) -> float:
    """Half-width of a normal interval in standard deviations: 1.645 for .90, 1.960 for .95."""
    if not 0 < level < 1:
        message = f"A level lies between 0 and 1; given {level:g}. Write 0.9 for 90 %."
        raise ObservationsError(message)
    return float(special.ndtri(0.5 + level / 2))


def rounding_error(decimals: npt.ArrayLike) -> Floats:
    """Standard deviation of rounding to a number of decimals: one unit of the last over the root of 12."""
    return 10.0 ** -np.asarray(decimals, dtype=float) / np.sqrt(12.0)


def sampling_errors(obs: pd.DataFrame, *, framework: Framework, population: pd.DataFrame | None = None) -> pd.DataFrame:
    """Give every value its sampling error, and an interval where the publisher gave none.

    Parameters
    ----------
    obs : DataFrame
        Table of observations in natural units.
    framework : Framework
        Says for each indicator which model holds (``Sampling``), its scale and its decimals.
    population : DataFrame or Series, optional
        Population aged 0 to 17, for the cohort models: observations of ``pop_0_17``, or a Series over area code and
        mid-year; by default what ``obs`` holds of it.

    Returns
    -------
    DataFrame
        ``obs`` with ``se_sampling`` in natural units, and ``lower, upper, level`` (.90) where there were none.
        Rows without a value have none of them. A published interval is kept with its level and gives the
        error: its width on the indicator's scale over twice z (3.92 at 95 %), brought back by the slope
        there. Rounding to the published decimals is added to every other model, as one unit's uniform error.
        Where neither counts nor a population are known the error stays NaN: unknown, not 0.

    Raises
    ------
    FrameworkError
        If an indicator is not registered.
    """
    rows = RowScales.of(obs, framework)
    value, lower, upper, level = (obs[c].to_numpy(dtype=float) for c in ("value", "lower", "upper", "level"))
    se, low, high = np.full((3, len(obs)), np.nan)
    children = assumed_children(obs, obs if population is None else population, framework=framework, figures=obs)
    codes, ids = pd.factorize(obs["indicator_id"])
    for position, indicator_id in enumerate(ids):
        indicator = framework.indicator(indicator_id)
        mine = np.flatnonzero((codes == position) & ~np.isnan(value))
        part = obs.iloc[mine]
        se[mine], low[mine], high[mine] = _by_model(
            indicator.sampling,
            value[mine],
            numerator=part["numerator"].to_numpy(dtype=float),
            denominator=part["denominator"].to_numpy(dtype=float),
            cohort=children[mine],
            spread=_spread(indicator.sampling, part),
            per=indicator.per,
            log_scale=indicator.scale,
            rounding=float(rounding_error(indicator.decimals)),
        )
    slope = rows.derivative(value)
    own = np.flatnonzero(np.isnan(low) & ~np.isnan(se))
    centre, step = rows.transform(value)[own], (z_of(LEVEL) * se * slope)[own]
    back = rows.take(own)
    # Bounds stay within the range that can be right; the guard moves a published 0 or 100 a little way in, so they
    # are also made to hold the value itself.
    low[own], high[own] = back.inverse(centre - step), back.inverse(centre + step)
    low = np.where(np.isnan(low), np.nan, np.fmin(np.maximum(low, rows.low), value))
    high = np.where(np.isnan(high), np.nan, np.fmax(np.minimum(high, rows.high), value))
    published = ~np.isnan(value) & ~np.isnan(lower) & ~np.isnan(upper) & (upper > lower)
    with np.errstate(invalid="ignore"):
        width = rows.transform(upper) - rows.transform(lower)
        theirs = width / (2 * special.ndtri(0.5 + level / 2)) / slope
    result = obs.copy()
    result["se_sampling"] = np.where(published, theirs, se)
    result["lower"] = np.where(published, lower, low)
    result["upper"] = np.where(published, upper, high)
    result["level"] = np.where(published, level, np.where(np.isnan(low), np.nan, LEVEL))
    return result


def _by_model(
    sampling: Sampling,
    value: Floats,
    *,
    numerator: Floats,
    denominator: Floats,
    cohort: Floats,
    spread: Floats,
    per: float,
    log_scale: str,
    rounding: float,
) -> tuple[Floats, Floats, Floats]:
    """Error and bounds of one indicator's values in natural units; NaN bounds are filled from the error."""
    model = sampling.model
    nothing = np.full(len(value), np.nan)
    if model in ("wilson", "cohort_proportion"):
        people = _people(value, numerator, denominator, per)
        return _share_errors(value, np.where(np.isnan(people), cohort, people), per, log_scale, rounding)
    if model in ("byar", "negbin", "cohort_rate"):
        people = _people(value, numerator, denominator, per)
        people = np.where(np.isnan(people), cohort, people)
        dispersion = (sampling.dispersion or 1.0) if model == "negbin" else 1.0
        return _rate_errors(value, people, per, log_scale, rounding, dispersion)
    if model == "cohort_mean":
        children = np.where(denominator > 0, denominator, cohort)
        return np.sqrt(spread**2 / children + rounding**2), nothing, nothing
    if model == "rounding":
        return np.full(len(value), rounding), nothing, nothing
    return nothing, nothing, nothing  # "none", or "published" where the publisher gave no interval


def _spread(sampling: Sampling, obs: pd.DataFrame) -> Floats:
    """Standard deviation between the children behind each row, its group's own where one is stated."""
    groups = obs["group_type"].astype(str) + "/" + obs["group"].astype(str)
    own = groups.map(sampling.sd_of).to_numpy(dtype=float)
    return np.where(np.isnan(own), np.nan if sampling.sd is None else sampling.sd, own)


def _people(value: Floats, numerator: Floats, denominator: Floats, per: float) -> Floats:
    """Denominator as published, else the one that numerator and value imply."""
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = np.where((numerator > 0) & (value > 0), numerator * per / value, np.nan)
    return np.where(denominator > 0, denominator, implied)


def _share_errors(
    value: Floats, people: Floats, per: float, scale: str, rounding: float
) -> tuple[Floats, Floats, Floats]:
    """Proportions: half a child is added to either side, so that 0 of n and n of n have an error too."""
    share = np.clip(value / per, 0, 1)
    count = share * people
    if scale == "logit":
        on_logit = np.sqrt(1 / (count + 0.5) + 1 / (people - count + 0.5))
        edge = np.minimum(0.5 / people, 0.25)
        inside = np.clip(share, edge, 1 - edge)
        se = on_logit * inside * (1 - inside)
    else:
        inside = (count + 0.5) / (people + 1)
        se = np.sqrt(inside * (1 - inside) / (people + 1))
    total = np.hypot(se, rounding / per)
    # Rounding widens the interval as fewer children would.
    low, high = wilson(count * (se / total) ** 2, people * (se / total) ** 2)
    return per * total, np.minimum(per * low, value), np.maximum(per * high, value)


def _rate_errors(
    value: Floats, people: Floats, per: float, scale: str, rounding: float, dispersion: float
) -> tuple[Floats, Floats, Floats]:
    """Rates: Byar's interval of the count, or the negative binomial's where events cluster on the same child."""
    count = np.maximum(value, 0) * people / per
    floor = 0.5 if scale == "log" else 0.0
    # On the log scale var(log count) is about dispersion / (count + ½); elsewhere the count's own variance.
    spread = np.sqrt(dispersion / (count + 0.5)) * np.maximum(count, floor)
    se = spread if scale == "log" else np.sqrt(dispersion * (count + 0.5))
    total = np.hypot(se * per / people, rounding)
    low, high = byar(count) if dispersion == 1.0 else negative_binomial(count, dispersion=dispersion)
    margin = z_of(LEVEL) * rounding
    lower = value - np.hypot(value - low * per / people, margin)
    upper = value + np.hypot(high * per / people - value, margin)
    return total, np.clip(lower, 0, value), upper


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=float)


def _positive(values: npt.ArrayLike) -> Floats:
    people = _floats(values)
    return np.where(people > 0, people, np.nan)
