"""A national target in the page and the workbook of a place: where it may stand, what it would take, the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.domain_section import drawn
from outcomes_analysis.evidence.page import Section, details_html
from outcomes_analysis.evidence.place_tables import NONE, NOT_FOR_THIS, PlaceTable, number_cell
from outcomes_analysis.evidence.profiles import told_html, whole_table
from outcomes_analysis.places import Trajectory
from outcomes_analysis.places.allocating import NOT_AGREED, SHARING_WORDS
from outcomes_analysis.places.goals import national_targets
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.quantities import PERCENT, POINTS, amount, unit_words
from outcomes_analysis.places.scoring import PART_WORDS
from outcomes_analysis.places.target_wording import FEWEST_COUNTED, SAME, SCENARIO_WORDS, record_text
from outcomes_analysis.wording import chance

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure

SCENARIO_NOTE = (
    "What England does next is a scenario, not a finding: each row holds only under its own. Intervals are of the "
    "figure as it would be published: sampling, year-to-year movement and how unsure the trend is."
)


def target_tables(result: Trajectory, code: str) -> tuple[PlaceTable, ...]:
    """Put a target into tables for one authority.

    Parameters
    ----------
    result : Trajectory
    code : str
        The authority.

    Returns
    -------
    tuple of PlaceTable
        Scenarios; illustrative shares; the user's own target, if it has one; how past forecasts did. One without a row
        is left out.
    """
    made = (_scenarios(result, code), _shares(result, code), _own(result, code), _record(result))
    return tuple(table for table in made if len(table.frame))


def target_section(result: Trajectory, code: str, *, figures: Mapping[str, Figure] | None = None) -> Section:
    """Write the section of a target for one authority.

    Parameters
    ----------
    result : Trajectory
    code : str
        The authority.
    figures : mapping of str to Figure, optional
        Drawn under the words.

    Returns
    -------
    Section
        The scenarios in words, the children needed, illustrative shares labelled as such, how past forecasts did
        beside expecting no change, good or bad; then the tables, folded away.
    """
    pictures = "\n".join(drawn(figure, name) for name, figure in (figures or {}).items())
    tables = "".join(details_html(table.title, whole_table(table)) for table in target_tables(result, code))
    record = told_html(record_text(result.scores, indicator=result.indicator))
    body = told_html(_origin(result)) + told_html(result.text_for(code)) + pictures + record + tables
    return Section(_heading(result), body, f"target-{result.indicator.id}")


def _origin(result: Trajectory) -> str:
    """Where the target was set, if it is one of those on record."""
    spec = result.spec
    for goal in national_targets():
        if (goal.indicator_id, goal.target, goal.year) == (spec.indicator_id, spec.target, spec.year):
            return f"{goal.name}. Source: {goal.source}."
    return ""


def _heading(result: Trajectory) -> str:
    i, spec = result.indicator, result.spec
    word = "A level to compare with" if i.contested or not i.direction else "The national target"
    return f"{word}: {i.name}, {amount(spec.target, unit=i.unit, decimals=i.decimals)} by {spec.year}"


def _table(
    kind: str, label: str, title: str, rows: list[dict[str, Any]], notes: tuple[str, ...], of: str
) -> PlaceTable:
    """One table; ids and labels of several targets differ by their indicator."""
    return PlaceTable(f"{kind}-{of}", f"{label} {of}"[:31], title, pd.DataFrame(rows, dtype=object), notes)


def _scenarios(result: Trajectory, code: str) -> PlaceTable:
    i = result.indicator
    goal = amount(result.spec.target, unit=i.unit, decimals=i.decimals)
    more = "fewer" if i.direction < 0 else "more"
    rows = []
    for row in result.table[result.table["area_code"].isin([code, ENGLAND])].to_dict("records"):
        has = np.isfinite(row["estimate"])
        rows.append(
            {
                "Place": row["name"],
                "England": SCENARIO_WORDS[row["scenario"]],
                "Newest figure": number_cell(row["value"], i.decimals),
                "Year": str(row["year"]),  # a year has no comma
                "Estimate": number_cell(row["estimate"], i.decimals),
                "Lower": number_cell(row["lower"], i.decimals),
                "Upper": number_cell(row["upper"], i.decimals),
                "Level of the interval": f"{round(100 * row['level'])}%" if has else NOT_FOR_THIS,
                f"Chance of {goal}": chance(row["chance"]) if np.isfinite(row["chance"]) else NOT_FOR_THIS,
                f"Children {more} at the newest figure": number_cell(row["children_now"], 0, NOT_FOR_THIS),
                f"Children {more} at the estimate": number_cell(row["children_then"], 0, NOT_FOR_THIS),
                "Children in a year": number_cell(row["cohort"], 0),
                "Their number": row["cohort_from"] or NONE,
                "Why there is no estimate": row["reason"] or NOT_FOR_THIS,
            }
        )
    return _table("target", "Target", f"Scenarios to {result.spec.year}", rows, (SCENARIO_NOTE,), i.id)


def _shares(result: Trajectory, code: str) -> PlaceTable:
    i = result.indicator
    mine = result.shares[result.shares["area_code"].eq(code)] if len(result.shares) else result.shares
    rows = [
        {
            "Way of sharing": SHARING_WORDS[row["sharing"]],
            "Newest figure": number_cell(row["value"], i.decimals),
            "Share": number_cell(row["share"], i.decimals),
            "Change": number_cell(row["gain"], i.decimals),
            "Children": number_cell(row["children"], 0, NOT_FOR_THIS),
            "What it is": row["label"],
        }
        for row in mine.to_dict("records")
    ]
    notes = (NOT_AGREED, "Each way adds up to the national target, every authority weighted by its children.")
    return _table("target-shares", "Shares", "Illustrative shares of the national target", rows, notes, i.id)


def _own(result: Trajectory, code: str) -> PlaceTable:
    i = result.indicator
    mine = result.own[result.own["area_code"].eq(code)] if len(result.own) else result.own
    rows = [
        {
            "England": SCENARIO_WORDS[row["scenario"]],
            "Local target": number_cell(row["own_target"], i.decimals),
            "Estimate": number_cell(row["estimate"], i.decimals),
            "Lower": number_cell(row["lower"], i.decimals),
            "Upper": number_cell(row["upper"], i.decimals),
            "Level of the interval": f"{round(100 * row['level'])}%",
            "Chance of the local target": chance(row["chance"]) if np.isfinite(row["chance"]) else NOT_FOR_THIS,
            "Children": number_cell(row["children"], 0, NOT_FOR_THIS),
        }
        for row in mine.to_dict("records")
    ]
    notes = ("The local target is the one given to this program; nobody here has checked with whom it was agreed.",)
    return _table("target-own", "Local target", "The local target given", rows, notes, i.id)


def _record(result: Trajectory) -> PlaceTable:
    i = result.indicator
    decimals = max(i.decimals, 2)
    rows = []
    for row in result.scores.to_dict("records"):
        ratio = row["error"] / row["error_no_change"] if row["error_no_change"] > 0 else np.nan
        said = "nearer" if ratio < 1 - SAME else "further off" if ratio > 1 + SAME else "about the same"
        rows.append(
            {
                "What was held out": row["pool"],
                "What was forecast": PART_WORDS[row["part"]],
                "Years ahead": int(row["ahead"]),
                "Forecasts": int(row["n"]),
                "Mean error": number_cell(row["error"], decimals),
                "Mean error of expecting no change": number_cell(row["error_no_change"], decimals),
                "Beside expecting no change": said if np.isfinite(ratio) else NONE,
                "Inside the interval, per cent": number_cell(
                    100 * row["covered"] if row["n"] >= FEWEST_COUNTED else np.nan, 0, NOT_FOR_THIS
                ),
                "Level of the interval": f"{round(100 * row['level'])}%",
            }
        )
    unit = POINTS if i.unit == PERCENT else unit_words(i.unit)
    notes = (
        f"Errors in {unit}. The gap to England is judged with England's figure taken as known; England and an "
        "authority's figure with England's recent drift. From few forecasts little follows.",
    )
    title = "How such forecasts did on years held out, all authorities together"
    return _table("target-record", "Record", title, rows, notes, i.id)
