"""From the tidy table to areas by indicators: the latest figure of each, how old it is, how sure, and why missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import load_register
from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.scales import derivative, transform
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.sources.release import data_as_at

ENGLAND = "E92000001"
USABLE = ("published", "estimated")  # an inherited value is another place's figure: shown, never used


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
    status : DataFrame
        Why a value is what it is; ``inherited`` values are named here but absent from ``values``.
    measured : DataFrame
        Label of the period each value was measured in.
    age : DataFrame
        Years between the measurement and ``period``.
    england : Series
        England's latest published value by indicator, natural units.
    reference : DataFrame
        By indicator: ``base_period``, ``centre`` (England) and ``scale`` (sd between ranked authorities), both
        on the indicator's transformed scale, ``n`` authorities behind the sd and ``centre_from``.
    framework : Framework
        Which indicators these are.
    areas : DataFrame
        Register rows of the areas (name, region, whether ranked).
    manifest : RunManifest
        What it was made from.
    """

    period: int
    values: pd.DataFrame
    se_sampling: pd.DataFrame
    se_total: pd.DataFrame
    status: pd.DataFrame
    measured: pd.DataFrame
    age: pd.DataFrame
    england: pd.Series
    reference: pd.DataFrame
    framework: Framework
    areas: pd.DataFrame
    manifest: RunManifest

    def standardised(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Scores and their standard errors: distance from England's base period in sds, higher = better.

        A neutral indicator keeps its own sign. Errors are carried over by the delta method.

        Returns
        -------
        (DataFrame, DataFrame)
            Both areas by indicators.
        """
        scores, errors = {}, {}
        for name in self.values.columns:
            indicator = self.framework.indicator(name)
            centre, scale = self.reference.loc[name, "centre"], self.reference.loc[name, "scale"]
            x = self.values[name].to_numpy(float)
            sign = indicator.direction or 1
            scores[name] = sign * (_on_scale(x, indicator) - centre) / scale
            errors[name] = self.se_total[name].to_numpy(float) * _slope(x, indicator) / scale
        index = self.values.index
        return pd.DataFrame(scores, index=index), pd.DataFrame(errors, index=index)


def _on_scale(x: np.ndarray, indicator: Indicator) -> np.ndarray:
    low, high = indicator.valid_range
    return transform(x, indicator.scale, low=low, high=high, guard=0.5 * 10.0**-indicator.decimals)


def _slope(x: np.ndarray, indicator: Indicator) -> np.ndarray:
    low, high = indicator.valid_range
    return derivative(x, indicator.scale, low=low, high=high, guard=0.5 * 10.0**-indicator.decimals)


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
    ranked = set(load_register().query("tier == 'upper' and canonical and ranked").index)
    plain = observations[(observations["group_type"] == "all") & observations["status"].isin(USABLE)]
    rows, thin = [], []
    by_indicator = dict(tuple(plain[plain["indicator_id"].isin(indicators)].groupby("indicator_id")))
    for name in indicators:
        indicator = framework.indicator(name)
        frame = by_indicator.get(name, plain.iloc[:0])
        base = frame[frame["period"] == indicator.base_period].set_index("area_code")["value"]
        spread = _on_scale(base[base.index.isin(ranked)].to_numpy(float), indicator)
        if len(spread) < 30:
            thin.append(f"{name} ({len(spread)} in {indicator.base_period})")
            continue
        has_england = ENGLAND in base.index
        centre = _on_scale(np.array([base[ENGLAND]]), indicator)[0] if has_england else float(np.mean(spread))
        rows.append(
            {
                "indicator_id": name,
                "base_period": indicator.base_period,
                "centre": centre,
                "scale": float(np.std(spread, ddof=1)),
                "n": len(spread),
                "centre_from": "England as published" if has_england else "mean of authorities",
            }
        )
    if thin:
        message = (
            f"{len(thin)} indicators have fewer than 30 authorities in their base period: {several(thin)}. "
            "Choose another base_period in the framework file."
        )
        raise SpecError(message)
    return pd.DataFrame(rows).set_index("indicator_id")


def _latest(frame: pd.DataFrame, framework: Framework, period: int) -> pd.DataFrame:
    """Keep, for each area and indicator, the newest row that has a value, else the newest row."""
    max_age = {i.id: i.max_age for i in framework.indicators}
    age = period - frame["period_end"].dt.year
    allowed = (age >= 0) & (age <= frame["indicator_id"].map(max_age))
    frame = frame[allowed].assign(age=age[allowed], usable=frame["status"].isin(USABLE)[allowed])
    ordered = frame.sort_values(["indicator_id", "area_code", "usable", "period_end"], kind="stable")
    return ordered.drop_duplicates(["indicator_id", "area_code"], keep="last")


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
    areas = load_register().query("tier == 'upper' and canonical").sort_index()
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
    present = [name for name in names if name in set(latest["indicator_id"])]
    reference = reference_values(observations, framework=framework, indicators=present)

    def wide(column: str, fill: object = np.nan) -> pd.DataFrame:
        table = latest.pivot(index="area_code", columns="indicator_id", values=column)
        table = table.reindex(index=areas.index, columns=present)
        return table if fill is np.nan else table.where(table.notna(), fill)

    usable = wide("usable").fillna(value=False).astype(bool)
    england = latest[latest["area_code"] == ENGLAND].set_index("indicator_id")["value"].reindex(present)
    used = latest[latest["usable"]]
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
        status=wide("status", "not_available"),
        measured=wide("period", ""),
        age=wide("age").astype(float),
        england=england,
        reference=reference,
        framework=framework,
        areas=areas,
        manifest=manifest,
    )
