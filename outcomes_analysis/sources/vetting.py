"""Is my local file valid, and what is wrong: a report to act on, with every fault and no cell repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import yaml

from outcomes_analysis.errors import OutcomesError, SourceError
from outcomes_analysis.framework import load_framework, overlay_values, with_overlay
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.sources.local_headings import Headings, Line, find_headings
from outcomes_analysis.sources.local_lines import MOST_ROWS, TooLong, csv_lines
from outcomes_analysis.sources.local_rows import FAULTS, SMALL, Figure, Kind, RowChecker
from outcomes_analysis.sources.personal import personal_cell
from outcomes_analysis.wording import plural

SHOWN = 5  # rows named of each kind of fault
OVERLAYS = (".yml", ".yaml")


@dataclass
class Fault:
    """One kind of fault in one column.

    Attributes
    ----------
    column : str
        Heading, or ``""`` for the whole row.
    what, remedy : str
        What is wrong and what to do.
    count : int
        Rows that have it.
    rows : list of str
        The first five: line numbers, with a hint in brackets where there is one.
    """

    column: str
    what: str
    remedy: str
    count: int = 0
    rows: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The fault in one line."""
        where = f"column {self.column}" if self.column else "whole rows"
        more = f" and {self.count - len(self.rows):,} more" if self.count > len(self.rows) else ""
        rows = f"{plural(self.count, 'row', 'rows')} ({', '.join(self.rows)}{more})"
        return f"{where}: {self.what}, in {rows}. {self.remedy}"


@dataclass(frozen=True)
class FileReport:
    """What was found in a file.

    Attributes
    ----------
    file : str
        Its name.
    faults : tuple of str
        One line a kind of fault: column, what, how many rows and the first five, remedy. Empty if the file is valid.
    notes : tuple of str
        What is no fault but should be known.
    rows : int
        Figures read, or lines of a form.
    counted : (str, str)
        What ``rows`` counts, one and many.
    """

    file: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    rows: int
    counted: tuple[str, str] = ("figure", "figures")

    @property
    def valid(self) -> bool:
        """Whether the file can be used."""
        return not self.faults

    @property
    def text(self) -> str:
        """The report for a person."""
        if self.valid:
            head = f"{self.file} is valid: {plural(self.rows, *self.counted)}."
        else:
            head = f"{self.file} cannot be used yet: {plural(len(self.faults), 'kind', 'kinds')} of fault."
        faults = [f"  {number}. {fault}" for number, fault in enumerate(self.faults, start=1)]
        return "\n".join([head, *faults, *(f"  Note: {note}" for note in self.notes)])

    def to_json(self) -> str:
        """The report for other programs."""
        return json.dumps(
            {"file": self.file, "valid": self.valid, "figures": self.rows, "faults": self.faults, "notes": self.notes},
            ensure_ascii=False,
        )


def check_file(path: Path | str, *, framework: Framework | None = None) -> FileReport:
    """Check a file of local figures, or an overlay together with its figures.

    Parameters
    ----------
    path : Path or str
        A CSV with the columns ``indicator, area, period, value`` and any of ``period_kind, numerator, denominator,
        lower, upper, level, group_type, group, note``; or a YAML overlay, whose ``values`` are checked with it. A CSV
        is held against the overlay in the same folder that names it, if there is one.
    framework : Framework, optional
        The core; the Common Outcomes Framework by default.

    Returns
    -------
    FileReport
        With every fault at once, never an error of the program, and never the content of a cell: a file may hold what
        must not be seen. At most 250,000 rows are read.
    """
    return collect(Path(path), framework=framework)[0]


def collect(path: Path, *, framework: Framework | None = None) -> tuple[FileReport, Framework, list[Figure]]:
    """Check a file and give the framework with its overlay, and the figures read (none if there is a fault)."""
    core = framework or load_framework()
    overlay: Path | None = None
    try:
        overlay = path if path.suffix.lower() in OVERLAYS else _overlay_of(path)
        extended = with_overlay(core, overlay) if overlay else core
        values = overlay_values(path) if overlay == path else path
    except OutcomesError as error:
        lines = [line.removeprefix("  - ") for line in str(error).splitlines()]
        at = overlay or path  # a file of figures is no worse than the overlay it is held against
        return FileReport(at.name, tuple(lines[1:] or lines), (_HOW,) if overlay else (), 0), core, []
    known = {i.id for i in core.indicators}
    local = {i.id: i for i in extended.indicators if i.id not in known} if overlay else None
    notes = [] if overlay or not path.is_file() else [_NO_OVERLAY]
    if values is None:
        added = plural(len(local or {}), "indicator", "indicators")
        return FileReport(path.name, (), (f"It adds {added} and names no file of values.",), 0), extended, []
    report, figures = _check_values(values, local=local, core=known, notes=notes)
    return report, extended, figures if report.valid else []


def _overlay_of(path: Path) -> Path | None:
    """The overlay in a file's folder that names it."""
    if not path.is_file():
        return None
    for candidate in sorted(p for p in path.parent.iterdir() if p.suffix.lower() in OVERLAYS and p.is_file()):
        try:
            content = (
                yaml.safe_load(candidate.read_text(encoding="utf-8")) if candidate.stat().st_size < 10**6 else None
            )
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError):
            continue
        if isinstance(content, dict) and str(content.get("values", "")) == path.name:
            return candidate
    return None


class FaultCounts:
    """Faults by kind and column, each with its count and its first rows; personal details apart.

    Parameters
    ----------
    kinds : mapping of str to Kind
        What each kind of fault is, and what to do.
    """

    def __init__(self, kinds: Mapping[str, Kind] = FAULTS) -> None:
        self.kinds = kinds
        self.faults: dict[tuple[str, str], Fault] = {}
        self.personal: dict[str, Fault] = {}
        self.line = 0

    def told(self, kind: str, column: str = "", *, hint: str = "") -> None:
        """Count a fault of the present line."""
        fault = self.faults.setdefault((kind, column), Fault(column, *self.kinds[kind]))
        self._count(fault, hint)

    def look_for_persons(self, cells: list[str], columns: dict[int, str], days: set[int]) -> None:
        """Note personal details of one row: cells below such a heading, and cells that look like one."""
        kinds = {kind for at, kind in columns.items() if at < len(cells) and cells[at]}
        kinds |= {personal_cell(cell, dates=at not in days) for at, cell in enumerate(cells)} - {""}
        for kind in sorted(kinds):
            self._count(self.personal.setdefault(kind, Fault("", kind, "")))

    def _count(self, fault: Fault, hint: str = "") -> None:
        fault.count += 1
        if len(fault.rows) < SHOWN:
            fault.rows.append(f"{self.line} ({hint})" if hint else str(self.line))


def _check_values(
    path: Path, *, local: dict[str, Indicator] | None, core: set[str], notes: list[str]
) -> tuple[FileReport, list[Figure]]:
    ledger, bad_lines, figures, whole = FaultCounts(), list[int](), list[Figure](), list[str]()
    checker = RowChecker(local=local, core=core, told=ledger.told)
    try:
        lines = csv_lines(path, bad_lines=bad_lines)
        head = find_headings(lines)
        whole += head.faults
        for figure in _figures(chain(head.below, lines), head, checker, ledger):
            figures.append(figure)
    except SourceError as error:
        whole.append(str(error))
    except TooLong:
        whole.append(_TOO_LONG)
    if ledger.personal:
        return FileReport(path.name, (refusal(ledger),), (), 0), []
    for ledger.line in bad_lines:
        ledger.told("encoding")
    faults = [*whole, *(fault.text for fault in ledger.faults.values())]
    if not faults and not figures:
        faults = ["there is no row below the headings. Give one row a figure."]
    small = sum(0 < figure.numerator <= SMALL for figure in figures)
    if small:
        notes = [*notes, _SMALL_NOTE.format(plural(small, "row rests", "rows rest"))]
    return FileReport(path.name, tuple(faults), tuple(notes), 0 if faults else len(figures)), figures


def _figures(lines: Iterable[Line], head: Headings, checker: RowChecker, ledger: FaultCounts) -> Iterator[Figure]:
    """Check each row; give the figures without a fault."""
    days = {at for name, at in (head.places or {}).items() if name == "period"}
    for ledger.line, cells in head.read:
        ledger.look_for_persons(cells, head.personal, days)
    seen: set[int] = set()
    for ledger.line, cells in lines:
        ledger.look_for_persons(cells, head.personal, days)
        if head.places is None or ledger.personal:
            continue  # the rest is read for personal details alone
        if len(cells) < head.width or any(cells[head.width :]):
            ledger.told("cells")
            continue
        figure = checker.read({name: cells[at] for name, at in head.places.items()})
        if figure is None:
            continue
        if (key := hash(figure.key)) in seen:
            ledger.told("twice")
        seen.add(key)
        yield figure


_NO_OVERLAY = (
    "no overlay (a YAML file with `values: this file`) lies beside it, so units, ranges and the names of indicators "
    "could not be checked. data/local/README.md shows how to write one."
)
_HOW = (
    "data/local/README.md and example_place.yml show how to write an overlay; ids of outcomes stand in "
    "data/framework/common_outcomes.yml."
)
_TOO_LONG = (
    f"more than {MOST_ROWS:,} rows; reading stopped there. Figures of places have fewer: is each row a child or an "
    "event? Only figures of areas belong in this file."
)
_SMALL_NOTE = (
    f"{{}} on counts of 1 to {SMALL}. Publishers withhold such figures, since a child might be recognised: write c for "
    "the value and leave the counts out before showing them to others."
)


def refusal(ledger: FaultCounts) -> str:
    """What to say of a file with personal details, and no more than that."""
    found = "; ".join(
        f"{kind} in {plural(fault.count, 'row', 'rows')} (first: {', '.join(fault.rows)})"
        for kind, fault in ledger.personal.items()
    )
    return (
        f"it looks like records of persons: {found}. Nothing of it is shown or kept here. Only figures of areas belong "
        "in this file: count the children, put the counts in it, and keep the records where they are protected."
    )
