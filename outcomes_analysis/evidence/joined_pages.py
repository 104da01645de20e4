"""A place made of districts as tables and as a page: what there is for it, and what is its county's alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.domain_section import drawn
from outcomes_analysis.evidence.page import Section, bullets, page
from outcomes_analysis.evidence.place_tables import (
    LICENCE,
    NONE,
    NOT_FOR_THIS,
    PlaceTable,
    domain_names,
    number_cell,
    source_table,
    unit_cell,
)
from outcomes_analysis.evidence.profiles import told_html, whole_table
from outcomes_analysis.places import JoinedPlace
from outcomes_analysis.places.quantities import spoken
from outcomes_analysis.wording import EXPLORATION, SYMBOLS, listed, plural, symbol, written_date

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure

HOW = {"counted": "from counts", "estimated": "estimated", "range": "not made", "partial": "not made: a gap"}
WITHHELD = "held back"
STANDS = {"above": "every district above", "below": "every district below", "across": "districts on both sides"}


def joined_tables(place: JoinedPlace) -> tuple[PlaceTable, ...]:
    """Put everything known of a place made of districts into tables.

    Parameters
    ----------
    place : JoinedPlace

    Returns
    -------
    tuple of PlaceTable
        Indicators of its districts, side by side and as one where that can be done; indicators that exist for its
        county alone or nowhere; sources. One that would have no row is left out.
    """
    made = (_districts(place), _elsewhere(place), source_table(place.manifest.sources))
    return tuple(table for table in made if len(table.frame))


def _districts(place: JoinedPlace) -> PlaceTable:
    words = domain_names(place)
    rows: list[dict[str, Any]] = []
    for row in place.table[place.table["period"].ne("")].to_dict("records"):
        places, own = int(row["decimals"]), place.values.loc[row["indicator_id"]]
        why = place.symbols.loc[row["indicator_id"]]
        made = np.isfinite(row["value"])
        none = SYMBOLS["suppressed"] if row["withheld"] else NOT_FOR_THIS
        rows.append(
            {
                "Indicator": row["name"] + (" (contested)" if row["contested"] else ""),
                "Domain": words[row["domain"]],
                "Unit": unit_cell(row["unit"]),
                "Which way is better": {1: "higher", -1: "lower"}.get(row["direction"], "not agreed")
                if not row["contested"]
                else "not agreed",
                "Period": spoken(row["period"]),
                **{
                    str(name): number_cell(own[code], places, symbol(str(why[code])))
                    for code, name in place.districts.items()
                },
                f"{place.name} as a whole": number_cell(row["value"], places, none),
                "Lower": number_cell(row["lower"], places, NONE if made else NOT_FOR_THIS),
                "Upper": number_cell(row["upper"], places, NONE if made else NOT_FOR_THIS),
                "Level of the interval": f"{round(100 * row['level'])}%" if np.isfinite(row["lower"]) else NOT_FOR_THIS,
                "How it was made": WITHHELD if row["withheld"] and not made else HOW[row["status"]],
                **({place.counties[0]: number_cell(row["county"], places)} if len(place.counties) == 1 else {}),
                "England": number_cell(row["england"], places),
                "Beside England": STANDS.get(row["position"], NOT_FOR_THIS),
            }
        )
    notes = (
        "Every figure of a row is of the same period. How many children are behind a district's figure is mostly not "
        "known, so neither is how sure it is: nothing is called better or worse, and small differences mean little.",
        "From counts: of the children published with the districts' figures. Estimated: from the numbers of children "
        "given. Not made: the children behind the districts' figures are not known, or a district has no figure. Held "
        "back: with a suppressed figure elsewhere in the county it could tell that one.",
        "[c] stands also for a figure held back because, with its county's, it would tell one that is suppressed.",
    )
    title = f"{place.name}: {plural(len(rows), 'indicator', 'indicators')} published for its districts"
    return PlaceTable("indicators", "Indicators", title, pd.DataFrame(rows, dtype=object), notes)


def _elsewhere(place: JoinedPlace) -> PlaceTable:
    words = domain_names(place)
    counties = listed(place.counties) if place.counties else ""
    rows = [
        {
            "Indicator": row["name"] + (" (contested)" if row["contested"] else ""),
            "Domain": words[row["domain"]],
            "Published for": f"{counties} as a whole only" if row["status"] == "county only" else "neither",
        }
        for row in place.table[place.table["period"].eq("")].to_dict("records")
    ]
    title = f"{place.name}: {plural(len(rows), 'indicator', 'indicators')} without a figure for its districts"
    notes = (f"{counties} is not {place.name}: its figures say nothing of its parts.",) if counties else ()
    return PlaceTable("county-only", "County only", title, pd.DataFrame(rows, dtype=object), notes)


def joined_method_lines(place: JoinedPlace) -> list[str]:
    """How the figures of a place made of districts were made, and what they can be made again from."""
    lines = [
        EXPLORATION,
        place.sections.get("notice", ""),
        place.sections.get("method", ""),
        f"Figures measured by the end of {place.spec.period}; the newest period that every district has.",
        "A figure that is suppressed takes another with it where the two and their county's would tell it, and no "
        "figure of the whole is made beside it. No sum of districts stands for a region or for the rest of a county.",
        f"Data as at {written_date(place.manifest.data_as_at)}. Made with outcomes_analysis {place.manifest.package}; "
        f"data {place.manifest.data}, question {place.manifest.spec}.",
        LICENCE,
    ]
    return [line for line in lines if line]


def joined_html(
    place: JoinedPlace, *, figures: Mapping[str, Figure] | None = None, more: Sequence[PlaceTable] = ()
) -> str:
    """Write the page of a place made of districts.

    Parameters
    ----------
    place : JoinedPlace
    figures : mapping of str to Figure, optional
        By id, shown in this order.
    more : sequence of PlaceTable
        Further tables.

    Returns
    -------
    str
        One accessible HTML page that asks for nothing outside itself and holds all its tables; the same place gives
        the same text.
    """
    said = place.sections
    told = "".join(told_html(said[name]) for name in ("above", "below", "across", "partial") if name in said)
    sections = [Section("Where its districts stand", told, "stand")] if told else []
    if figures:
        pictures = "\n".join(drawn(figure, name) for name, figure in figures.items())
        sections.append(Section("Figures", pictures, "figures"))
    headings = {"indicators": "Every indicator of its districts", "county-only": "What is its county's alone"}
    tables = {table.id: table for table in joined_tables(place)}
    sections += [Section(words, whole_table(tables[name]), name) for name, words in headings.items() if name in tables]
    sections += [Section(table.label, whole_table(table), table.id) for table in more]
    sections.append(Section("How this was done", bullets(joined_method_lines(place)[1:]), "method"))
    if "sources" in tables:
        sections.append(Section("Sources", whole_table(tables["sources"]), "sources"))
    return page(
        f"Children's outcomes in {place.name}, as measured by the end of {place.spec.period}",
        sections,
        lead=said.get("opening", ""),
        footer=(
            f"Data as at {written_date(place.manifest.data_as_at)}. {LICENCE} "
            f"Made with outcomes_analysis {place.manifest.package}."
        ),
    )
