"""The headings of a CSV that a person made: where they stand, which column is which, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from outcomes_analysis.errors import several
from outcomes_analysis.sources.local_rows import ALIASES, COLUMNS, REQUIRED
from outcomes_analysis.sources.personal import personal_headings

ROWS_LOOKED_AT = 10
Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Headings:
    """What the first rows say.

    Attributes
    ----------
    places : dict of str to int, or None
        Column to position; None where rows cannot be read by them.
    width : int
        Number of headings.
    personal : dict of int to str
        Positions of columns about persons.
    faults : tuple of str
        What is wrong, with the remedy; headings that are not ours are named by their letter, never repeated.
    read : tuple of (int, list of str)
        Rows read while looking: those above the headings and the headings themselves.
    below : tuple of (int, list of str)
        Rows read beyond them.
    """

    places: dict[str, int] | None
    width: int
    personal: dict[int, str]
    faults: tuple[str, ...]
    read: tuple[Line, ...]
    below: tuple[Line, ...]


def find_headings(
    lines: Iterator[Line],
    *,
    required: Collection[str] = REQUIRED,
    columns: Collection[str] = COLUMNS,
    aliases: Mapping[str, str] = ALIASES,
) -> Headings:
    """Find the headings among the first ten rows.

    Parameters
    ----------
    lines : iterator of (int, list of str)
        Of the file; read up to the headings, or ten rows where they are not found.
    required, columns : collection of str
        Columns that must be there, and all that may be; those of a file of figures by default.
    aliases : mapping of str to str
        Other headings for the same columns.

    Returns
    -------
    Headings
    """
    first: list[Line] = []
    for line, cells in lines:
        first.append((line, cells))
        if len(first) == ROWS_LOOKED_AT or set(required) <= set(_names(cells, aliases)):
            break
    known = [sum(name in columns for name in _names(cells, aliases)) for _, cells in first]
    at = known.index(max(known)) if known else 0
    if not known or not known[at]:
        fault = f"none of the first rows holds the headings. Write {', '.join(required)} in the first row"
        personal = personal_headings(first[0][1]) if first else {}
        return Headings(None, 0, personal, (f"{fault}.",), tuple(first), ())
    line, cells = first[at]
    names = _names(cells, aliases)
    personal = personal_headings(cells)
    faults = [f"the headings stand in row {line}. Delete the titles or merged headings above them."] if at else []
    faults += [f"row {line}: {fault}" for fault in _faults(names, personal, required, columns)]
    usable = set(required) <= set(names) and all(names.count(name) < 2 for name in columns)
    places = {name: names.index(name) for name in columns if name in names} if usable else None
    return Headings(places, len(cells), personal, tuple(faults), tuple(first[: at + 1]), tuple(first[at + 1 :]))


def _faults(
    names: list[str], personal: dict[int, str], required: Collection[str], columns: Collection[str]
) -> Iterator[str]:
    missing = [name for name in required if name not in names]
    if missing:
        yield f"no column {several(missing)}. Add {'it' if len(missing) == 1 else 'them'}."
    blank = [letter(at) for at, name in enumerate(names) if not name]
    if blank:
        yield f"no heading above column {several(blank)} (merged cells?). Give each column one heading."
    unknown = [letter(at) for at, name in enumerate(names) if name and name not in columns and at not in personal]
    if unknown:
        yield (
            f"the heading of column {several(unknown)} is not known. Take the column out or rename it: the columns are "
            f"{', '.join(columns)}."
        )
    doubled = sorted({name for name in names if name in columns and names.count(name) > 1})
    if doubled:
        yield f"{several(doubled)} stands more than once. Keep one column of each."


def _names(cells: list[str], aliases: Mapping[str, str]) -> list[str]:
    plain = ("_".join(cell.lower().split()) for cell in cells)
    return [aliases.get(name, name) for name in plain]


def letter(position: int) -> str:
    """Letter of a column by its position, as spreadsheets have it: ``A`` for 0, ``AA`` for 26."""
    letters, position = "", position + 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
