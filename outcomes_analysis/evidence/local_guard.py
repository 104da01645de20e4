"""Which local figures may leave in a pack: those named, and none from which a small count could be worked out.

Every local figure is taken as restricted: it stays at home unless its indicator is named. Of a named indicator, a
count below the threshold is withheld, and with it every figure of the same indicator, of any place or group, whose
period overlaps: whatever sum or difference holds the small count also holds one of those, so that nothing that leaves,
in one pack or several, gives it away.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import load_register
from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.evidence.place_tables import NONE, PlaceTable
from outcomes_analysis.places.quantities import spoken, unit_words
from outcomes_analysis.wording import plural

if TYPE_CHECKING:
    from outcomes_analysis.sources.local import LocalAddition

THRESHOLD = 10  # smallest number of children or events that may be told


def small_counts(table: pd.DataFrame, *, threshold: int = THRESHOLD) -> pd.Series:
    """Find figures behind which there are too few children or events, or nobody knows how many.

    Parameters
    ----------
    table : DataFrame
        Local figures with ``status, numerator, denominator``.
    threshold : int
        Smallest count that may be told.

    Returns
    -------
    Series of bool
        True where the count, those without the outcome, or all children are fewer than the threshold, 0
        included; where the figure is suppressed; and where neither is given.
    """
    count, children = table["numerator"].astype(float), table["denominator"].astype(float)
    without = children - count
    unknown = count.isna() & children.isna()
    counted_among = without.ge(0)  # events may be more than children, and then there is nobody without
    few = count.lt(threshold) | children.lt(threshold) | (counted_among & without.lt(threshold))
    return (few | unknown | table["status"].eq("suppressed")).rename("small")


def withheld(table: pd.DataFrame, *, threshold: int = THRESHOLD) -> pd.Series:
    """Find figures that do not leave: small ones, and all of the same indicator whose period overlaps one of them.

    Parameters
    ----------
    table : DataFrame
        All local figures of all places, with ``indicator_id, period_start, period_end`` besides those of
        :func:`small_counts`.
    threshold : int

    Returns
    -------
    Series of bool
    """
    small = small_counts(table, threshold=threshold)
    held = small.copy()
    for _, rows in table.groupby("indicator_id", sort=False):
        start, end = rows["period_start"].to_numpy(), rows["period_end"].to_numpy()
        own = small.loc[rows.index].to_numpy()
        overlap = (start[:, None] <= end[own][None, :]) & (end[:, None] >= start[own][None, :])
        held.loc[rows.index] = overlap.any(axis=1) | own
    return held.rename("withheld")


def local_table(
    addition: LocalAddition, codes: str | Collection[str], *, include: Collection[str], threshold: int = THRESHOLD
) -> tuple[PlaceTable | None, tuple[str, ...]]:
    """Put the local figures of a place that may leave into a table.

    Parameters
    ----------
    addition : LocalAddition
        From :func:`outcomes_analysis.sources.local.load_local`.
    codes : str or collection of str
        The place, or its districts: figures of others do not leave.
    include : collection of str
        Ids of the indicators that may leave.
    threshold : int

    Returns
    -------
    table : PlaceTable or None
        None where nothing leaves. A withheld figure is ``[c]``, and no count is given for any.
    notes : tuple of str
        What stays at home, and why.

    Raises
    ------
    SourceError
        If a name is not among the local indicators; all there are, are named.
    """
    unknown = [name for name in include if name not in addition.added]
    if unknown:
        message = (
            f"{plural(len(unknown), 'name is', 'names are')} not among the local indicators: {several(unknown)}. "
            f"Choose from: {several(addition.added, limit=20)}."
        )
        raise SourceError(message)
    notes: list[str] = []
    kept = [name for name in addition.added if name not in include]
    if kept:
        words = plural(len(kept), "local indicator stays", "local indicators stay")
        notes.append(f"{words} at home, being not named: {several(kept)}.")
    held = withheld(addition.observations, threshold=threshold)
    own = [codes] if isinstance(codes, str) else list(codes)
    mine = addition.observations["area_code"].isin(own) & addition.observations["indicator_id"].isin(list(include))
    rows = addition.observations[mine].assign(held=held[mine])
    if rows.empty:
        return None, (*notes, *(["No local figure of this place is named."] if include else ()))
    if rows["held"].any():
        notes.append(
            f"{plural(int(rows['held'].sum()), 'local figure is', 'local figures are')} withheld: fewer than "
            f"{threshold} children or events are behind it or behind another of the same indicator and time, or "
            "nobody says how many."
        )
    return PlaceTable(
        "local",
        "Local figures",
        "Local figures, beside the core and in no score",
        pd.DataFrame([_line(row, addition, named=len(own) > 1) for row in rows.to_dict("records")], dtype=object),
        tuple(notes),
    ), tuple(notes)


def _line(row: dict[Any, Any], addition: LocalAddition, *, named: bool) -> dict[str, Any]:
    indicator = addition.framework.indicator(row["indicator_id"])
    places = indicator.decimals

    def told(value: float) -> float | str:
        if row["held"]:
            return "[c]"
        return round(float(value), places) if np.isfinite(value) else NONE

    return {
        **({"Place": str(load_register().loc[row["area_code"], "name"])} if named else {}),
        "Indicator": indicator.name,
        "Unit": "per cent" if indicator.unit == "%" else unit_words(indicator.unit),
        "Period": spoken(str(row["period"])),
        "Children": "all" if row["group_type"] == "all" else f"{row['group_type']}: {row['group']}",
        "Figure": told(row["value"]),
        "Lower": told(row["lower"]),
        "Upper": told(row["upper"]),
        "What to mind": indicator.cannot_tell or "[z]",
    }
