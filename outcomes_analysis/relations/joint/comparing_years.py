"""Whether every indicator's figures are of one series: none on two sides of a declared break or pooled across it."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.wording import plural


def refuse_broken(matrices: Sequence[IndicatorMatrix], *, framework: Framework, names: Sequence[str]) -> None:
    """Refuse figures that a declared break lies between, or that pool years from both of its sides.

    Parameters
    ----------
    matrices : sequence of IndicatorMatrix
        One a year, with the figures that are to be used.
    framework : Framework
        Declares the breaks: each is the first period of a new series.
    names : sequence of str
        Indicators to look at.

    Raises
    ------
    RelationError
        Naming every series broken, where and why.
    """
    found = []
    for name in names:
        labels = _labels(matrices, name)
        ends = [year_of(label) for label in labels]
        for one in framework.indicator(name).breaks:
            new = year_of(one.period)
            pooled = sorted(p for p in labels if _first_year(p) < _first_year(one.period) and year_of(p) >= new)
            between = bool(ends) and min(ends) < new <= max(ends)
            if between or pooled:
                what = f"{several(pooled)} pools both sides" if pooled else f"figures from {min(ends)} to {max(ends)}"
                found.append(f"'{name}' from {one.period} ({what}): {one.reason.rstrip('.')}")
    if found:
        lie = plural(len(found), "declared break of a series lies", "declared breaks of series lie")
        message = (
            f"{lie} among the figures asked for, so these are not comparable: {several(found)}. Choose years on one "
            "side of it, or leave the indicator out of the framework that is passed."
        )
        raise RelationError(message)


def _labels(matrices: Sequence[IndicatorMatrix], name: str) -> list[str]:
    """Periods of the figures there are."""
    found: set[str] = set()
    for matrix in matrices:
        if name in matrix.values:
            found |= set(matrix.measured[name][matrix.values[name].notna()].astype(str))
    return sorted(found - {""})


def _first_year(label: str) -> int:
    """Year in which the first of the pooled years ends; of a single year, that year: 2022 for ``2021/22-23/24``."""
    first = int(label[:4])
    return first + 1 if label[4:5] == "/" else first
