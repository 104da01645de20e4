"""From the tidy table to areas by indicators: the latest figure of each, how old it is, how sure, and why missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.nation import ENGLAND, PUBLISHED, stand_ins
from outcomes_analysis.observations.cohorts import cohort_population
from outcomes_analysis.observations.scales import RowScales
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.sources.release import data_as_at

LEAST_SPREAD = 30  # authorities below which a standard deviation between them means little
USABLE = ("published", "estimated")  # an inherited value is another place's figure: shown, never used
UNSURE = "error_unknown"  # why a published figure takes no part: nothing says how far off it may be


@dataclass(frozen=True)
class IndicatorMatrix:
    """Authorities by indicators at one date.

    Attributes
    ----------
    period : int
        Year by whose end every value had been measured.
    values : DataFrame
        Areas by indicators, natural units, NaN where nothing usable was published.
    se_sampling, se_total : DataFrame
        Standard errors of the same shape and units: sampling alone; sampling and year-to-year together.
    transformed, transformed_error : DataFrame
        Values and their total errors on each indicator's own scale (logit, log or identity), where a published 0
        or 100 stands half a child away from the end.
    status : DataFrame
        Why a value is what it is; ``inherited`` values are named here but absent from ``values``, and so is a
        published value whose sampling error nobody can tell, for it has no number of children
        (``error_unknown``).
    measured : DataFrame
        Label of the period each value was measured in.
    age : DataFrame
        Years between the measurement and ``period``.
    england : Series
        England's latest published value by indicator, natural units.
    nation : DataFrame
        England at the same date, by indicator: ``value`` (natural units), ``transformed, transformed_error`` (on the
        indicator's own scale), ``measured`` and ``how`` it comes about: ``published``, or made from the authorities
        where nothing is published (see :func:`~outcomes_analysis.index.nation.stand_ins`).
    reference : DataFrame
        By indicator: ``base_period``, ``centre`` (England) and ``scale`` (sd between ranked authorities), both
        on the indicator's transformed scale, ``n`` authorities behind the sd and ``centre_from``.
    framework : Framework
        Which indicators these are.
    areas : DataFrame
        Register rows of the areas (name, region, whether ranked).
    manifest : RunManifest
        What it was made from.
    denominators : DataFrame, optional
        Areas by sizes to divide by, where a specification asks for it.
    """

    period: int
    values: pd.DataFrame
    se_sampling: pd.DataFrame
    se_total: pd.DataFrame
    transformed: pd.DataFrame
    transformed_error: pd.DataFrame
    status: pd.DataFrame
    measured: pd.DataFrame
    age: pd.DataFrame
    england: pd.Series
    nation: pd.DataFrame
    reference: pd.DataFrame
    framework: Framework
    areas: pd.DataFrame
    manifest: RunManifest
    denominators: pd.DataFrame | None = None

    def standardised(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Scores and their standard errors: distance from England's base period in sds, higher = better.

        A neutral indicator keeps its own sign. Errors are carried over by the delta method.

        Returns
        -------
        (DataFrame, DataFrame)
            Both areas by indicators.
        """
        return self._standardised(self.transformed), self.transformed_error / self._scale

    @property
    def _scale(self) -> pd.Series:
        return self.reference["scale"].reindex(self.values.columns)

    def _standardised(self, transformed: pd.DataFrame) -> pd.DataFrame:
        names = self.values.columns
        sign = pd.Series({name: self.framework.indicator(name).direction or 1 for name in names}, dtype=float)
        return (transformed - self.reference["centre"].reindex(names)) / self._scale * sign


def _on_scale(rows: pd.DataFrame, *, framework: Framework, observations: pd.DataFrame) -> pd.DataFrame:
    """Add ``x`` (value on the indicator's scale) and ``slope`` to rows of observations.

    Where the publisher gives no denominator, the number of children assumed for the sampling error tells how near
    to an end of the range a value can be.
    """
    share = {i.id: i.sampling.cohort_share or np.nan for i in framework.indicators}
    assumed = cohort_population(rows, observations) * rows["indicator_id"].map(share).to_numpy(float)
    scales = RowScales.of(
        rows.assign(denominator=rows["denominator"].fillna(pd.Series(assumed, rows.index))), framework
    )
    return rows.assign(x=scales.transform(rows["value"]), slope=scales.derivative(rows["value"]))


def _chosen(framework: Framework, include: Sequence[str]) -> list[str]:
    extra = [framework.indicator(name).id for name in include]
    return [i.id for i in framework.indicators if i.scored or i.id in extra]


def reference_values(observations: pd.DataFrame, *, framework: Framework, indicators: Sequence[str]) -> pd.DataFrame:
    """England's value and the spread between authorities in each indicator's base period.

    Parameters
    ----------
    observations : DataFrame
        The tidy table.
    framework : Framework
        Gives base periods and scales.
    indicators : sequence of str
        Indicator ids.

    Returns
    -------
    DataFrame
        Indexed by indicator: ``base_period, centre, scale, n, centre_from`` (``England as published``, or
        ``mean of authorities`` where no England figure is published). City of London, the Isles of Scilly and
        inherited values are left out of the spread.

    Raises
    ------
    SpecError
        If an indicator has fewer than 30 authorities in its base period.
    """
    ranked = upper_tier(ranked_only=True).index
    base_period = {name: framework.indicator(name).base_period for name in indicators}
    plain = observations["group_type"].eq("all") & observations["status"].isin(USABLE)
    in_base = plain & observations["period"].eq(observations["indicator_id"].map(base_period))
    base = _on_scale(observations[in_base], framework=framework, observations=observations)
    spread = base[base["area_code"].isin(ranked)].groupby("indicator_id")["x"].agg(["mean", "std", "count"])
    england = base[base["area_code"] == ENGLAND].set_index("indicator_id")["x"]
    rows, thin = [], []
    for name in indicators:
        count = int(spread["count"].get(name, 0))
        if count < LEAST_SPREAD:
            thin.append(f"{name} ({count} in {base_period[name]})")
            continue
        rows.append(
            {
                "indicator_id": name,
                "base_period": base_period[name],
                "centre": float(england.get(name, spread.at[name, "mean"])),
                "scale": float(spread.at[name, "std"]),
                "n": count,
                "centre_from": "England as published" if name in england else "mean of authorities",
            }
        )
    if thin:
        message = (
            f"{len(thin)} indicators have fewer than {LEAST_SPREAD} authorities in their base period: {several(thin)}. "
            "Choose another base_period in the framework file."
        )
        raise SpecError(message)
    return pd.DataFrame(rows).set_index("indicator_id")


def _latest(frame: pd.DataFrame, framework: Framework, period: int) -> pd.DataFrame:
    """Keep, for each area and indicator, the newest row that has a value, else the newest row."""
    max_age = {i.id: i.max_age for i in framework.indicators}
    age = period - frame["period_end"].dt.year
    allowed = (age >= 0) & (age <= frame["indicator_id"].map(max_age))
    frame = frame[allowed].assign(age=age[allowed])
    measured = frame["status"].isin(USABLE)
    surveyed = frame["indicator_id"].isin([i.id for i in framework.indicators if i.sampling.model != "none"])
    unsure = measured & surveyed & frame["se_sampling"].isna()
    frame = frame.assign(usable=measured & ~unsure, status=frame["status"].mask(unsure, UNSURE))
    ordered = frame.sort_values(["indicator_id", "area_code", "usable", "period_end"], kind="stable")
    return ordered.drop_duplicates(["indicator_id", "area_code"], keep="last")


def _nation(used: pd.DataFrame, *, framework: Framework, observations: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """England's figures on each indicator's scale, published or made from the authorities."""
    published = used[used["area_code"] == ENGLAND].assign(how=PUBLISHED)
    lacking = [name for name in names if name not in set(published["indicator_id"])]
    made = stand_ins(used, framework=framework, observations=observations, indicators=lacking)
    if len(made):
        made = _on_scale(made, framework=framework, observations=observations)
        made["x_error"] = made["se_total"] * made["slope"]
    columns = {"value": "value", "x": "transformed", "x_error": "transformed_error", "period": "measured", "how": "how"}
    rows = [part.set_index("indicator_id")[list(columns)] for part in (published, made) if len(part)]
    table = pd.concat(rows) if rows else pd.DataFrame(columns=list(columns))
    table = table.rename(columns=columns).reindex(names).rename_axis("indicator_id")
    return table.fillna({"measured": "", "how": ""}).astype({"value": float, "transformed_error": float})


def build_matrix(
    observations: pd.DataFrame, *, framework: Framework, period: int, include: Sequence[str] = ()
) -> IndicatorMatrix:
    """Take the latest figure of each indicator measured by the end of a year.

    Parameters
    ----------
    observations : DataFrame
        The tidy table in natural units.
    framework : Framework
        Which indicators count, in which direction, and how old a figure may be.
    period : int
        Year by whose end a figure must have been measured (its period ends in that year or before).
    include : sequence of str
        Further indicators by name, neutral ones too.

    Returns
    -------
    IndicatorMatrix
        All 153 upper-tier authorities of the December 2023 vintage, whether or not they have a figure.

    Raises
    ------
    SpecError
        If nothing at all was measured in time.
    """
    names = _chosen(framework, include)
    areas = upper_tier().sort_index()
    wanted = (
        observations["indicator_id"].isin(names)
        & (observations["group_type"] == "all")
        & (observations["area_code"].isin(areas.index) | (observations["area_code"] == ENGLAND))
    )
    frame = observations[wanted]
    latest = _latest(frame, framework, period)
    if latest.empty:
        years = sorted(frame["period_end"].dt.year.unique())
        span = f"Figures run from {years[0]} to {years[-1]}." if years else "The table holds no such figures."
        message = f"Nothing was measured by {period} within the indicators' maximum ages. {span}"
        raise SpecError(message)
    latest = _on_scale(latest, framework=framework, observations=observations)
    latest["x_error"] = latest["se_total"] * latest["slope"]
    having = set(latest["indicator_id"])
    present = [name for name in names if name in having]
    reference = reference_values(observations, framework=framework, indicators=present)

    def wide(column: str, fill: object = np.nan) -> pd.DataFrame:
        table = latest.pivot(index="area_code", columns="indicator_id", values=column)
        table = table.reindex(index=areas.index, columns=present)
        return table if fill is np.nan else table.where(table.notna(), fill)

    usable = wide("usable").fillna(value=False).astype(bool)
    england = latest[latest["area_code"] == ENGLAND].set_index("indicator_id")["value"].reindex(present)
    used = latest[latest["usable"]]
    nation = _nation(used, framework=framework, observations=observations, names=present)
    sources = tuple(sorted(used["source_id"].unique()))
    manifest = RunManifest(
        data_as_at=data_as_at(sources),
        data=hash_of(pd.util.hash_pandas_object(used[["indicator_id", "area_code", "value"]], index=False).sum()),
        sources=sources,
    )
    return IndicatorMatrix(
        period=period,
        values=wide("value").astype(float).where(usable),
        se_sampling=wide("se_sampling").astype(float).where(usable),
        se_total=wide("se_total").astype(float).where(usable),
        transformed=wide("x").astype(float).where(usable),
        transformed_error=wide("x_error").astype(float).where(usable),
        status=wide("status", "not_available"),
        measured=wide("period", ""),
        age=wide("age").astype(float),
        england=england,
        nation=nation,
        reference=reference,
        framework=framework,
        areas=areas,
        manifest=manifest,
    )
