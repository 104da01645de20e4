"""Tables that a person fills in (hypotheses, a portfolio): read row by row, every fault told, no cell repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import SourceError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.sources.local_headings import Headings, find_headings
from outcomes_analysis.sources.local_lines import TooLong, csv_lines
from outcomes_analysis.sources.local_rows import FAULTS, Kind, area_of_cell, is_formula
from outcomes_analysis.sources.vetting import FaultCounts, FileReport, refusal

MOST_LINES = 20_000  # a portfolio or a loop diagram has a few hundred; a longer file is something else
LONGEST_NAME, LONGEST_NOTE = 80, 500

KINDS: Mapping[str, Kind] = {
    **FAULTS,
    "long": Kind("a text that is too long", f"Keep names to {LONGEST_NAME} characters and notes to {LONGEST_NOTE}."),
    "unprintable": Kind("characters that cannot be printed", "Type the text again, without line ends or tabs in it."),
    "choice": Kind("a word that is not one of those to choose from", "data/local/README.md lists them."),
    "twice": Kind("the same line twice", "Keep one line of each; take the others out."),
    "upper_tier": Kind(
        "a place that is no upper-tier authority",
        "Use a county, unitary, metropolitan district or London borough; `outcomes area --list` lists them.",
    ),
    "known": Kind("an indicator that is not known", "`outcomes find WORDS` gives the ids there are."),
}


class CellFault(Exception):
    """A cell that cannot be used: a kind of fault, and a hint made of our own words."""

    def __init__(self, kind: str, hint: str = "") -> None:
        super().__init__(kind)
        self.kind, self.hint = kind, hint


def refuse_cell(kind: str, hint: str = "") -> NoReturn:
    """Say that a cell cannot be used.

    Raises
    ------
    CellFault
        Always.
    """
    raise CellFault(kind, hint)


@dataclass(frozen=True)
class Column:
    """One column of a form.

    Attributes
    ----------
    name : str
        Its heading.
    read : callable
        From the cell to what it means; raises :class:`CellFault`.
    required : bool
        Whether the column must be there and its cells filled; an empty cell of another column is ``None``.
    """

    name: str
    read: Callable[[str], Any]
    required: bool = True


@dataclass(frozen=True)
class Form:
    """What a file should hold.

    Attributes
    ----------
    columns : tuple of Column
    key : tuple of str
        Columns that no two lines share.
    counted : (str, str)
        What a line is, one and many.
    kinds : mapping of str to Kind
        Kinds of fault beyond :data:`KINDS`.
    aliases : mapping of str to str
        Other headings for the same columns.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    counted: tuple[str, str]
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


def read_form(path: Path | str, form: Form) -> tuple[FileReport, list[dict[str, Any]]]:
    """Read a form and check it.

    Parameters
    ----------
    path : Path or str
        A CSV.
    form : Form

    Returns
    -------
    report : FileReport
        Every fault at once, never the content of a cell.
    lines : list of dict
        One a line without fault, with ``line`` (its number in the file); empty if there is any fault.
    """
    path = Path(path)
    bad_lines: list[int] = []
    ledger = FaultCounts({**KINDS, **form.kinds})
    whole: list[str] = []
    found: list[dict[str, Any]] = []
    names = [column.name for column in form.columns]
    try:
        lines = csv_lines(path, bad_lines=bad_lines)
        required = [column.name for column in form.columns if column.required]
        head = find_headings(lines, required=required, columns=names, aliases=form.aliases)
        whole += head.faults
        for line in _lines(chain(head.below, lines), head, form, ledger):
            if len(found) == MOST_LINES:
                raise TooLong
            found.append(line)
    except SourceError as error:
        whole.append(str(error))
    except TooLong:
        whole.append(
            f"more than {MOST_LINES:,} lines; reading stopped there. Is each line a child or an event? Give one line "
            f"{form.counted[0]}."
        )
    if ledger.personal:
        return FileReport(path.name, (refusal(ledger),), (), 0, form.counted), []
    for ledger.line in bad_lines:
        ledger.told("encoding")
    faults = [*whole, *(fault.text for fault in ledger.faults.values())]
    if not faults and not found:
        faults = [f"there is no row below the headings. Give one row {form.counted[0]}."]
    return FileReport(path.name, tuple(faults), (), 0 if faults else len(found), form.counted), (
        [] if faults else found
    )


def sound[T](report: FileReport, found: T) -> T:
    """Give what was found in a file without fault.

    Raises
    ------
    SourceError
        With the whole report, if the file has any fault.
    """
    if not report.valid:
        raise SourceError(report.text)
    return found


def _lines(
    lines: Iterator[tuple[int, list[str]]], head: Headings, form: Form, ledger: FaultCounts
) -> Iterator[dict[str, Any]]:
    """Check each line; give those without a fault."""
    for ledger.line, cells in head.read:
        ledger.look_for_persons(cells, head.personal, set())
    seen: set[tuple[Any, ...]] = set()
    for ledger.line, cells in lines:
        ledger.look_for_persons(cells, head.personal, set())
        if head.places is None or ledger.personal:
            continue  # the rest is read for personal details alone
        if len(cells) < head.width or any(cells[head.width :]):
            ledger.told("cells")
            continue
        line = _line(cells, head.places, form, ledger)
        if line is None:
            continue
        key = tuple(line[name] for name in form.key)
        if key in seen:
            ledger.told("twice")
        seen.add(key)
        yield line


def _line(cells: list[str], places: Mapping[str, int], form: Form, ledger: FaultCounts) -> dict[str, Any] | None:
    """What one line means, or nothing where a cell of it has a fault."""
    line: dict[str, Any] = {"line": ledger.line}
    clean = True
    for column in form.columns:
        cell = cells[places[column.name]] if column.name in places else ""
        try:
            if is_formula(cell):
                refuse_cell("formula")
            if not cell and column.required:
                refuse_cell("empty")
            line[column.name] = column.read(cell) if cell else None
        except CellFault as fault:
            clean = False
            ledger.told(fault.kind, column.name, hint=fault.hint)
    return line if clean else None


# ------------------------------------------------------------------------------------------------ readers of cells


def name_cell(cell: str) -> str:
    """A short name, on one line."""
    return _text(cell, LONGEST_NAME)


def note_cell(cell: str) -> str:
    """A note, on one line."""
    return _text(cell, LONGEST_NOTE)


def _text(cell: str, longest: int) -> str:
    if len(cell) > longest:
        refuse_cell("long")
    if not cell.isprintable():
        refuse_cell("unprintable")
    return cell


def choice_of(words: Mapping[str, str]) -> Callable[[str], str]:
    """Reader of a cell that holds one of several words.

    Parameters
    ----------
    words : mapping of str to str
        What may be written, in small letters, to what it means.
    """

    def read(cell: str) -> str:
        found = words.get(" ".join(cell.lower().split()))
        if found is None:
            refuse_cell("choice")
        return found

    return read


def count_cell(cell: str) -> int:
    """A whole number of children, 0 or more."""
    if re.fullmatch(r"-[0-9.]+", cell):
        refuse_cell("negative")
    if re.fullmatch(r"[0-9]+\.[0-9]*[1-9][0-9]*", cell):
        refuse_cell("whole")
    if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+", cell):
        refuse_cell("comma")
    if not re.fullmatch(r"[0-9]{1,9}(?:\.0*)?", cell):
        refuse_cell("number")
    return int(float(cell))


def amount_cell(cell: str) -> float:
    """A number written with digits, at most nine before the point and nine after it."""
    if cell.endswith("%"):
        refuse_cell("percent")
    if "," in cell:
        refuse_cell("comma")
    if re.fullmatch(r"[0-9.]+[eE][+-]?[0-9]+", cell):
        refuse_cell("scientific")
    if not re.fullmatch(r"-?[0-9]{1,9}(?:\.[0-9]{0,9})?", cell):
        refuse_cell("number")
    return float(cell)


def indicator_cell_of(framework: Framework) -> Callable[[str], str]:
    """Reader of a cell that holds the id of an indicator of a framework."""
    known = {i.id for i in framework.indicators}

    def read(cell: str) -> str:
        if cell not in known:
            refuse_cell("known")
        return cell

    return read


def authority_cell(cell: str) -> str:
    """Code of an upper-tier authority, from any spelling."""
    code, kind, hint = area_of_cell(cell)
    if kind:
        refuse_cell(kind, hint)
    if code not in _authorities():
        refuse_cell("upper_tier")
    return code


@cache
def _authorities() -> frozenset[str]:
    """Codes of upper-tier authorities; the register is a table, too slow to look at for each of many lines."""
    return frozenset(upper_tier().index)
