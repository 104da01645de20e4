"""The part of the page on years: each authority set beside itself."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.asking import Asked
from outcomes_analysis.relations.over_time.over_years import panel_regressions, span_of
from outcomes_analysis.relations.result import TABLE_COLUMNS, RelationResult
from outcomes_analysis.relations.sentences import is_clear, levels, measured, spanned
from outcomes_analysis.relations.whole.parts import Part, seed_of

FEW_YEARS = 4  # below it the years are said to be few


def years_part(asked: Asked, *, areas: pd.DataFrame, controls: tuple[str, ...]) -> Part:
    """Set the same authorities beside themselves over the years without a break.

    Parameters
    ----------
    asked, areas, controls
        As in :func:`~.standing_beside.map_part`.

    Raises
    ------
    RelationError
        If there is one year only, or no line can be had, with the first reason.
    """
    if len(asked.spec.years) < 2:
        message = (
            f"only {asked.spec.year} has both figures without a declared break, so no place can be set beside itself."
        )
        raise RelationError(message)
    found = panel_regressions(
        asked.observations,
        spec=asked.spec,
        breaks="level",
        framework=asked.framework,
        areas=areas,
        level=asked.level,
        seed=seed_of(asked),
    )
    keys = [
        key
        for key in dict.fromkeys(("", "+".join(controls)))
        if found.row("panel_two_way", adjusted_for=key, scale="standard")["status"] == "computed"
    ]
    if not keys:
        raise RelationError(str(found.row("panel_two_way", scale="standard")["reason"]))
    text = "\n".join(s for s in (_lines(asked, found, keys), _before(asked, found, keys[-1]), _caveat(found)) if s)
    return Part(text, found.table[list(TABLE_COLUMNS)], {"panel": found})


def _row(found: RelationResult, analysis: str, key: str) -> pd.Series[Any]:
    return found.row(analysis, adjusted_for=key, scale="standard")


def _lines(asked: Asked, found: RelationResult, keys: list[str]) -> str:
    first = _row(found, "panel_two_way", keys[0])
    years = found.diagnostics["years"][asked.spec.predictor, keys[0], "all"]
    predictor, outcome = asked.names[asked.spec.predictor], asked.names[asked.spec.outcome]
    held = wording.listed([asked.names[i] for i in keys[-1].split("+") if i])
    also = f"; with {held} allowed for too, {spanned(_row(found, 'panel_two_way', keys[-1]))}" if len(keys) > 1 else ""
    row = _row(found, "panel_two_way_regions", keys[-1])
    regions = (
        f"; with errors that allow for likeness within the few regions as well, {spanned(row)}"
        if row["status"] == "computed"
        else ""
    )
    rows = [_row(found, "panel_two_way", key) for key in keys] + ([row] if regions else [])
    clear = sum(is_clear(r) for r in rows)
    verdict = (
        "None of these leaves out 0."
        if not clear
        else "All leave out 0."
        if clear == len(rows)
        else f"{clear} of these {len(rows)} {'leaves' if clear == 1 else 'leave'} out 0."
    )
    return (
        f"{wording.plural(int(first['n']), 'authority', 'authorities')} set beside themselves in {span_of(years)}, "
        f"with what all share in a year taken out: for one standard deviation more of {predictor} than the "
        f"authority's own mean, {outcome} was {spanned(first)} standard deviations from its own{also}{regions} "
        f"({levels(len(rows), first['level'])}). {verdict}"
    )


def _before(asked: Asked, found: RelationResult, key: str) -> str:
    row = _row(found, "panel_lagged", key)
    if row["status"] != "computed":
        return ""
    return f"Against {asked.names[asked.spec.predictor]} of the year before: {measured(row)}."


def _caveat(found: RelationResult) -> str:
    years = next(iter(found.diagnostics["years"].values()))
    few = f"Figures of {len(years)} years are few. " if len(years) < FEW_YEARS else ""
    starts = found.diagnostics["stretches"]
    broken = (
        f"Figures are not comparable across {wording.listed([str(s) for s in starts])}, so each stretch of years has a "
        "level of its own. "
        if starts
        else ""
    )
    return (
        f"{few}{broken}This leaves out all that stays the same in a place, seen or unseen, but noise in the figures "
        "draws such a slope towards 0: one near 0 is no proof of none."
    )
