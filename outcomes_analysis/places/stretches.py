"""The comparable years of an indicator: England's figures, and every authority's gap to them with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.breaks import break_years
from outcomes_analysis.observations.contract import MEASURED
from outcomes_analysis.observations.scales import Floats, RowScales
from outcomes_analysis.observations.yearly import PANDEMIC_YEARS, add_total_errors, only_countable, year_to_year
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.trending import Gaps, NationalDrift, national_drift

LONGEST = 10  # years of a stretch that are used: older ones say little about the years ahead
FEWEST_PLACES = 30
FEWEST_YEARS = 2


@dataclass(frozen=True, eq=False)
class Stretch:
    """Everything known of an indicator by one year.

    Attributes
    ----------
    last : int
        Year of the newest figures.
    period : str
        Their period, as published.
    codes : Index
        Authorities with a figure of that year and a known error.
    gaps : Gaps
        In the order of ``codes``.
    figures : DataFrame
        Indexed by ``codes``: the newest ``value``, its place ``x`` on the scale and its ``variance`` there.
    england : Series
        England's figures on the scale, by year, of the comparable stretch.
    drift : NationalDrift
    """

    last: int
    period: str
    codes: pd.Index
    gaps: Gaps
    figures: pd.DataFrame
    england: pd.Series
    drift: NationalDrift


def yearly_rows(observations: pd.DataFrame, *, framework: Framework, indicator: str) -> pd.DataFrame:
    """Whole-population figures of England and the authorities with their year and place on the scale.

    Parameters
    ----------
    observations : DataFrame
        The tidy table.
    framework : Framework
    indicator : str

    Returns
    -------
    DataFrame
        Rows as published with a value, the two smallest authorities, pandemic years and parts of a year left out, with
        ``year, window`` (years pooled), ``segment`` (number of declared breaks up to that year), ``x``, ``slope``.
    """
    mine = (
        observations["indicator_id"].eq(indicator)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & observations["value"].notna()
        & observations["status"].isin(MEASURED)
    )
    rows = observations[mine]
    rows = pd.concat([only_countable(rows), rows[rows["area_code"].eq(ENGLAND)]])
    days = (rows["period_end"] - rows["period_start"]).dt.days
    rows = rows[(days == 0) | (days >= 360)]
    window = np.maximum(1, np.round((rows["period_end"] - rows["period_start"]).dt.days / 365.25)).astype("int64")
    rows = rows.assign(year=rows["period_end"].dt.year.astype("int64"), window=window)
    rows = rows[~rows["year"].isin(PANDEMIC_YEARS)].drop_duplicates(["area_code", "year", "window"], keep="last")
    breaks = np.array(sorted(year for name, year in break_years(framework) if name == indicator), dtype=int)
    scale = RowScales.of(rows, framework)
    return rows.assign(
        segment=np.searchsorted(breaks, rows["year"], side="right"),
        x=scale.transform(rows["value"]),
        slope=scale.derivative(rows["value"]),
    )


def stretch_until(rows: pd.DataFrame, *, framework: Framework, regions: pd.Series, until: int | None = None) -> Stretch:
    """Cut the newest comparable stretch out of an indicator's figures.

    Parameters
    ----------
    rows : DataFrame
        Of :func:`yearly_rows`.
    framework : Framework
    regions : Series
        Region of each authority, by code.
    until : int, optional
        Use nothing measured later; the year-to-year variance is then found anew from what was known. By default all,
        with the variances of the table.

    Returns
    -------
    Stretch
        Years since the last declared break, at most ten. Windows of pooled years are taken without overlap.

    Raises
    ------
    ObservationsError
        If there are fewer than two comparable years, or fewer than 30 authorities with a figure of the last.
    """
    known = rows if until is None else rows[rows["year"] <= until]
    if until is not None:
        known = add_total_errors(known, year_to_year(known, framework=framework), framework=framework)
    known = known.assign(variance=(known["se_total"].astype(float) * known["slope"]) ** 2)
    national = known[known["area_code"].eq(ENGLAND)]
    authorities = known[~known["area_code"].eq(ENGLAND) & known["variance"].notna()]
    counts = authorities.groupby("year")["area_code"].nunique()
    years = sorted(set(national["year"]) & set(counts.index[counts >= FEWEST_PLACES]))
    name = str(rows["indicator_id"].iloc[0]) if len(rows) else "This indicator"
    if not years:
        message = (
            f"'{name}' has no year with a figure for England and for {FEWEST_PLACES} authorities whose error is known. "
            "A trajectory needs both."
        )
        raise ObservationsError(message)
    last = int(years[-1])
    window = int(national.loc[national["year"].eq(last), "window"].max())
    national = national[national["window"].eq(window) & ((last - national["year"]) % window == 0)]
    national = national[national["year"] <= last].sort_values("year")
    segment = int(national.loc[national["year"].eq(last), "segment"].iloc[0])
    recent = national[national["segment"].eq(segment) & (national["year"] > last - LONGEST)]
    used = [int(y) for y in recent["year"] if y in years]
    if len(used) < FEWEST_YEARS:
        message = (
            f"'{name}' has {len(used)} comparable year ({last}) since its last break, and breaks are not bridged: at "
            f"least {FEWEST_YEARS} are needed for a trend. Wait for the next figures, or choose another indicator."
        )
        raise ObservationsError(message)
    england = recent.set_index("year")["x"].loc[used]
    table = authorities[authorities["year"].isin(used) & authorities["window"].eq(window)]
    wide, errors = (
        table.pivot(index="area_code", columns="year", values=c).reindex(columns=used) for c in ("x", "variance")
    )
    present = wide.index[wide[last].notna()]
    number, _ = pd.factorize(regions.reindex(present).fillna(""), sort=True)
    gaps = Gaps(
        years=np.array(used, dtype=float),
        values=wide.loc[present].to_numpy(dtype=float) - england.to_numpy(dtype=float)[None, :],
        variances=errors.loc[present].to_numpy(dtype=float),
        regions=np.asarray(number, dtype=np.int64),
    )
    newest = table[table["year"].eq(last)].set_index("area_code").loc[present]
    stretches = [_series(part) for key, part in national.groupby("segment") if key < segment]
    drift = national_drift([*stretches, (np.array(used, dtype=float), england.to_numpy(dtype=float))])
    return Stretch(
        last=last,
        period=str(recent.loc[recent["year"].eq(last), "period"].iloc[0]),
        codes=present,
        gaps=gaps,
        figures=newest,
        england=england,
        drift=drift,
    )


def _series(part: pd.DataFrame) -> tuple[Floats, Floats]:
    return part["year"].to_numpy(dtype=float), part["x"].to_numpy(dtype=float)
