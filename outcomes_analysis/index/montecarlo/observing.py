"""What the table of observations adds to an index as the engine takes it: suppressed ranges and other base periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.building import IndexResult
from outcomes_analysis.index.matrix import LEAST_SPREAD, reference_values
from outcomes_analysis.index.nation import ENGLAND
from outcomes_analysis.observations.disclosure import censored_bounds
from outcomes_analysis.observations.scales import RowScales


def suppressed_ranges(
    index: IndexResult,
    observations: pd.DataFrame,
    *,
    units: pd.Index,
    rules: Mapping[str, tuple[int, int]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Range in which each suppressed figure of an index lies, on the indicator's own scale.

    Parameters
    ----------
    index : IndexResult
    observations : DataFrame
        The tidy table the index was made from.
    units : Index
        Area codes.
    rules : mapping of source_id to (int, int), optional
        As in :func:`~outcomes_analysis.observations.disclosure.censored_bounds`.

    Returns
    -------
    (DataFrame, DataFrame)
        Lowest and highest value, areas by indicators; NaN where nothing is suppressed, or the number of children is
        unknown, so that nothing is known of the figure.
    """
    matrix, framework = index.matrix, index.matrix.framework
    hidden = matrix.status.eq("suppressed") & matrix.values.isna()
    empty = pd.DataFrame(np.nan, index=units, columns=matrix.values.columns)
    rows, columns = np.nonzero(hidden.loc[units].to_numpy(bool))
    if not len(rows):
        return empty, empty.copy()
    cells = pd.DataFrame(
        {
            "area_code": units[rows],
            "indicator_id": hidden.columns[columns],
            "period": matrix.measured.loc[units].to_numpy()[rows, columns],
        }
    )
    concerned = observations["indicator_id"].isin(cells["indicator_id"]) & observations["group_type"].eq("all")
    plain = observations[concerned]
    found = censored_bounds(plain, framework=framework, population=observations, rules=rules)
    known = cells.merge(found, on=["area_code", "indicator_id", "period"]).dropna(subset=["lower", "upper"])
    low, high = empty, empty.copy()
    scales = RowScales.of(known, framework)
    for table, end in ((low, "lower"), (high, "upper")):
        for area, name, value in zip(
            known["area_code"], known["indicator_id"], scales.transform(known[end]), strict=True
        ):
            table.at[area, name] = value
    open_range = ~(low < high)
    return low.mask(open_range), high.mask(open_range)


def other_bases(
    index: IndexResult, observations: pd.DataFrame, *, steps: Sequence[int] = (-1, 1)
) -> dict[str, pd.DataFrame]:
    """What 0 and 1 would be, had another period been the base.

    Parameters
    ----------
    index : IndexResult
    observations : DataFrame
        The tidy table the index was made from.
    steps : sequence of int
        How many of an indicator's own periods later (earlier: below 0) the base is.

    Returns
    -------
    dict of str to DataFrame
        By name (``"1 period later"``): ``centre, scale`` by indicator, for
        ``BasePeriodFactor``. An indicator without figures of England and of 30
        authorities in that period keeps its own base.

    Raises
    ------
    SpecError
        No indicator has such a period.
    """
    framework, names = index.matrix.framework, list(index.matrix.reference.index)
    plain = observations[
        observations["group_type"].eq("all") & observations["indicator_id"].isin(names) & observations["value"].notna()
    ]
    own = index.matrix.reference["base_period"].to_dict()
    from_england = index.matrix.reference["centre_from"].eq("England as published").to_dict()
    usable = {
        str(name): _periods(rows, england=from_england[str(name)]) for name, rows in plain.groupby("indicator_id")
    }
    found: dict[str, pd.DataFrame] = {}
    for step in steps:
        moved = {name: _moved(usable.get(name, []), own[name], step) for name in names}
        label = f"{abs(step)} {'period' if abs(step) == 1 else 'periods'} {'later' if step > 0 else 'earlier'}"
        if step == 0 or moved == own:
            message = f"No indicator of this index has a base period {label} with enough figures."
            raise SpecError(message)
        shifted = framework.model_copy(
            update={
                "indicators": tuple(
                    i.model_copy(update={"base_period": moved[i.id]}) if i.id in moved else i
                    for i in framework.indicators
                )
            }
        )
        found[label] = reference_values(plain, framework=shifted, indicators=names)[["centre", "scale"]]
    return found


def _periods(rows: pd.DataFrame, *, england: bool) -> list[str]:
    """Periods of one indicator, in order, that could be a base."""
    ordered = rows.sort_values("period_end")["period"].drop_duplicates()
    nation = rows["area_code"].eq(ENGLAND)
    counts = rows[~nation & rows["area_code"].str.match(r"E0[689]|E10")].groupby("period")["area_code"].nunique()
    has_nation = set(rows.loc[nation, "period"])
    # some areas are left out of the spread: well above the least number is surely enough
    return [p for p in ordered if counts.get(p, 0) >= LEAST_SPREAD + 10 and (p in has_nation or not england)]


def _moved(periods: list[str], base: str, step: int) -> str:
    if base not in periods:
        return base
    at = periods.index(base) + step
    return periods[at] if 0 <= at < len(periods) else base


__all__ = ["other_bases", "suppressed_ranges"]
