"""A place as an accessible workbook: cover, contents, notes, one table a sheet, by the Analysis Function's rules.

Every text is written as text: a name or note that looks like a formula, a link or a mark of the writer's own stays
what it is. The same tables give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from outcomes_analysis.evidence.joined_pages import joined_method_lines, joined_tables
from outcomes_analysis.evidence.place_tables import LICENCE, PlaceTable, method_lines, place_tables
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places import AreaProfile, JoinedPlace, shared_table
from outcomes_analysis.wording import EXPLORATION, SYMBOL_MEANINGS, listed, written_date

WIDEST, NARROWEST = 60, 9
LONGEST = 32_000  # characters; a cell of a spreadsheet holds 32,767
UNDATED = "2000-01-01"
_OPTIONS = {
    "in_memory": True,  # also gives every part of the file the same time
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


def plain_cell(cell: Any) -> Any:
    """Keep a text what it is: no reference to a note, no link, nothing a spreadsheet cannot hold; numbers stay.

    Parameters
    ----------
    cell : object

    Returns
    -------
    object
        A text without ``$$``, without a bracket that would make a link of it, without control characters; one that
        has no letter or digit is put in words, since the writer refuses it.
    """
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub(" ", cell).replace("](", "] (")[:LONGEST]
    while "$$" in text:
        text = text.replace("$$", "$ $")
    if not text.strip():
        return "[z]"
    return text if re.search(r"[A-Za-z0-9]", text) else f"text: {text}"


def place_workbook(place: AreaProfile | JoinedPlace, *, more: Sequence[PlaceTable] = ()) -> bytes:
    """Write a place as a workbook.

    Parameters
    ----------
    place : AreaProfile or JoinedPlace
        A profile with its domains, if scores are wanted; or a place made of districts.
    more : sequence of PlaceTable
        Further tables, such as local figures, each on a sheet of its own after the others.

    Returns
    -------
    bytes
        An ``.xlsx`` file: cover with the exploration notice and the licence, contents with links, notes, then one
        named table a sheet from cell A downwards with its symbols explained above it. Nothing is told by colour.
        The same place gives the same bytes.
    """
    if isinstance(place, JoinedPlace):
        period, tables, notes = place.spec.period, joined_tables(place), joined_method_lines(place)
        where = f"{place.name}: {listed(list(place.districts))}."
    else:
        period, tables, notes = place.period, place_tables(place), method_lines(place)
        where = f"{place.name} ({place.area_code}), {place.region_name}."
    return workbook_bytes(
        (*tables, *more),
        title=f"Children's outcomes in {place.name}, as measured by the end of {period}",
        intro=[EXPLORATION, where, place.sections.get("opening", "")],
        notes=notes,
        data_as_at=place.manifest.data_as_at,
    )


def shared_workbook(profile: AreaProfile, *, framework: Framework | None = None) -> bytes:
    """Write the spreadsheet people share, one row an indicator, as a workbook.

    Parameters
    ----------
    profile : AreaProfile
    framework : Framework, optional
        Names the domains and outcomes; by default the Common Outcomes Framework.

    Returns
    -------
    bytes
        An ``.xlsx`` file that :func:`outcomes_analysis.places.read_shared` reads back; the same place, the same bytes.
    """
    title = f"{profile.name}: one row an indicator, as measured by the end of {profile.period}"
    notes = (
        "Keep the headings and the columns that say what an indicator is; figures of the core are the published ones. "
        "Rows of local indicators may be added once an overlay defines them. Read it back with: outcomes area "
        "--read-sheet FILE",
    )
    table = PlaceTable("shared", "Shared", title, shared_table(profile, framework=framework), notes)
    return workbook_bytes(
        (table,),
        title=title,
        intro=[EXPLORATION, profile.sections.get("opening", "")],
        notes=method_lines(profile),
        data_as_at=profile.manifest.data_as_at,
    )


def workbook_bytes(
    tables: Sequence[PlaceTable], *, title: str, intro: Sequence[str], notes: Sequence[str], data_as_at: str
) -> bytes:
    """Write tables as a workbook.

    Parameters
    ----------
    tables : sequence of PlaceTable
        One sheet each, in this order; labels of sheets differ.
    title : str
        Of the cover.
    intro, notes : sequence of str
        Lines of the cover, and of the sheet of notes.
    data_as_at : str
        ISO date, also that of the file itself.

    Returns
    -------
    bytes
        The file; the same input gives the same bytes.
    """
    import warnings

    from gptables import Cover, produce_workbook

    target = io.BytesIO()
    cover = Cover(
        title=plain_cell(title),
        intro=[plain_cell(line) for line in intro if line],
        about=[
            f"Data as at {written_date(data_as_at)}." if data_as_at else "",
            LICENCE,
            "A missing figure has a symbol in its cell: "
            + "; ".join(f"{s} {words}" for s, words in SYMBOL_MEANINGS.items())
            + ".",
            "Nothing in this workbook is told by colour alone.",
        ],
    )
    cover.about = [line for line in cover.about if line]
    lines = pd.DataFrame({"order": range(len(notes)), "Note": [plain_cell(line) for line in notes]})
    with warnings.catch_warnings():
        # The notes stand for all sheets; no cell points to one of them by number.
        warnings.filterwarnings("ignore", message="The following notes are not referenced")
        warnings.filterwarnings("ignore", module="gptables")
        book = produce_workbook(
            target,
            {table.label: _sheet(table) for table in tables},
            cover=cover,
            notes_table=lines,
            auto_width=False,
            workbook_options=dict(_OPTIONS),
        )
    day = datetime.fromisoformat(data_as_at or UNDATED)
    book.set_properties({"title": plain_cell(title), "comments": EXPLORATION, "created": day, "language": "en-GB"})
    widths = {table.label: _widths(table.frame) for table in tables}
    widths |= {"Contents": [22, 90], "Notes": [14, 110]}
    for label, sizes in widths.items():
        sheet = book.get_worksheet_by_name(label)
        for column, size in enumerate(sizes):
            sheet.set_column(column, column, size)
    book.close()
    return target.getvalue()


def _sheet(table: PlaceTable) -> Any:
    from gptables import GPTable

    frame = table.frame.map(plain_cell).reset_index(drop=True)
    frame.columns = [str(plain_cell(str(c))) for c in frame.columns]
    return GPTable(
        table=frame,
        table_name=re.sub(r"\W+", "_", f"table_{table.id}"),
        title=plain_cell(table.title),
        subtitles=[EXPLORATION, *(plain_cell(note) for note in table.notes)],
        instructions="This worksheet contains one table. How it was made is on the notes worksheet.",
        legend=[plain_cell(f"Symbols: {'; '.join(table.symbols)}.")] if table.symbols else [],
        index_columns={2: 0},
    )


def _widths(frame: pd.DataFrame) -> list[int]:
    """Width of each column in characters, from its longest cell, within bounds."""
    longest = [max([len(str(c)) // 2, *(len(str(x)) for x in frame[c])]) for c in frame.columns]
    return [min(max(n + 2, NARROWEST), WIDEST) for n in longest]
