"""A matrix from any frame of units by indicators, for frameworks and data that are not ours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.steps.stepping import check_values
from outcomes_analysis.observations.scales import derivative, on_scale, scales_of
from outcomes_analysis.provenance import RunManifest, hash_of


def matrix_of(
    values: pd.DataFrame,
    *,
    framework: Framework,
    errors: pd.DataFrame | None = None,
    names: pd.Series | None = None,
    groups: pd.DataFrame | None = None,
    denominators: pd.DataFrame | None = None,
    period: int = 0,
) -> IndicatorMatrix:
    """Make an indicator matrix of a frame, without base periods and without a nation to compare with.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, natural units; NaN is missing. Columns are indicators of the framework.
    framework : Framework
        The hierarchy: ours, or one of :func:`~outcomes_analysis.framework.from_coinr`, of any depth.
    errors : DataFrame, optional
        Standard errors of the same shape, 0 where a figure is known exactly; not known if not given, and intervals
        then have no width.
    names : Series, optional
        Names of the units for people; their codes otherwise.
    groups : DataFrame, optional
        Units by kinds of group, for imputation by group.
    denominators : DataFrame, optional
        Units by sizes to divide by.
    period : int
        Year the figures are of.

    Returns
    -------
    IndicatorMatrix
        Every unit is ranked. There is no ``reference``, so a specification must normalise otherwise.

    Raises
    ------
    SpecError
        Columns that are no indicators of the framework, or tables whose labels do not match; all at once.
    ObservationsError
        If a cell is no number.
    """
    data = check_values(values, step="matrix_of")
    problems = Problems("matrix_of")
    known = {i.id for i in framework.indicators}
    lost = [str(c) for c in data.columns if c not in known]
    if lost:
        problems.add(
            f"{len(lost)} columns are no indicators of '{framework.id}' ({several(lost)}); drop or rename them"
        )
    for what, table in (("names", names), ("groups", groups), ("denominators", denominators), ("errors", errors)):
        if table is not None and not data.index.isin(table.index).all():
            gone = data.index[~data.index.isin(table.index)]
            problems.add(f"{what}: {len(gone)} units have no row ({several(gone)})")
    problems.raise_if_any(SpecError)
    unsure = check_values(errors, step="matrix_of") if errors is not None else data * np.nan
    unsure = unsure.reindex(index=data.index, columns=data.columns)
    x = on_scale(data, framework=framework)
    slope = _slopes(data, framework)
    labels = data.index.astype("str") if names is None else names.reindex(data.index)
    areas = pd.DataFrame({"name": labels, "region_name": "", "ranked": True}, index=data.index)
    if groups is not None:
        areas = areas.drop(columns=[c for c in groups.columns if c in areas]).join(groups)
    nothing = pd.DataFrame(
        {"value": np.nan, "transformed": np.nan, "transformed_error": np.nan, "measured": "", "how": ""},
        index=pd.Index(data.columns, name="indicator_id"),
    )
    there = data.notna()
    return IndicatorMatrix(
        period=period,
        values=data,
        se_sampling=unsure,
        se_total=unsure,
        transformed=x,
        transformed_error=(unsure * slope).where(there),
        status=pd.DataFrame(np.where(there, "published", "not_available"), index=data.index, columns=data.columns),
        measured=pd.DataFrame(np.where(there, str(period), ""), index=data.index, columns=data.columns),
        age=pd.DataFrame(np.where(there, 0.0, np.nan), index=data.index, columns=data.columns),
        england=pd.Series(np.nan, index=data.columns),
        nation=nothing,
        reference=pd.DataFrame(columns=["base_period", "centre", "scale", "n", "centre_from"]),
        framework=framework,
        areas=areas,
        manifest=RunManifest(data_as_at="", data=hash_of(int(pd.util.hash_pandas_object(data).sum())), sources=()),
        denominators=None if denominators is None else denominators.reindex(data.index),
    )


def _slopes(values: pd.DataFrame, framework: Framework) -> pd.DataFrame:
    """How fast each indicator's scale moves with its figures."""
    scales = scales_of(framework).loc[list(values.columns)]
    columns = {
        name: derivative(values[name], row["scale"], low=row["low"], high=row["high"], guard=row["guard"])
        for name, row in scales.iterrows()
    }
    return pd.DataFrame(columns, index=values.index)
