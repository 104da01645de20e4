"""A funder's programmes, read from a table: one programme in one place a line, every fault told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.sources.local_forms import (
    Column,
    Form,
    authority_cell,
    choice_of,
    count_cell,
    indicator_cell_of,
    name_cell,
    note_cell,
    read_form,
    refuse_cell,
    sound,
)
from outcomes_analysis.sources.local_rows import Kind
from outcomes_analysis.sources.vetting import Fault, FileReport

FEWEST = 10  # children that may be told of
SINGLE_LINES = 5  # so many lines or more that each reach one child are a list of children

STAGE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("early years", "0-5", "under 5", "early"), "early years"),
    **dict.fromkeys(("primary years", "5-11", "primary"), "primary years"),
    **dict.fromkeys(("secondary years", "10-18", "11-16", "11-18", "secondary"), "secondary years"),
    **dict.fromkeys(("young adults", "18-25", "16-25"), "young adults"),
    **dict.fromkeys(("several stages", "several", "all", "0-18", "0-25"), "several stages"),
}
KINDS: Mapping[str, Kind] = {
    "domain": Kind("a domain that is not one of the framework's", "Write safe, healthy, happy, learning or engaged."),
    "choice": Kind(
        "an age stage that is not known",
        "Write early years, primary years, secondary years, young adults or several stages.",
    ),
    "few": Kind(
        f"a reach of 1 to {FEWEST - 1}", "Write c: so few children might be recognised. The line counts without them."
    ),
    "twice": Kind("the same programme, domain, stage and place twice", "Add the lines up, or take one out."),
    "children": Kind(
        "a reach of one child, line after line",
        "Is each line a child? Only programmes belong in this file: one line a programme and place, with the number "
        "of children it reaches in a year.",
    ),
}
ALIASES = {"program": "programme", "project": "programme", "area": "place", "authority": "place", "stage": "age_stage"}


@dataclass(frozen=True)
class Programme:
    """One programme in one place.

    Attributes
    ----------
    line : int
        Of the file.
    name, domain, stage, place : str
        Its name; id of the domain; one of five stages of age; code of the authority.
    reach : int or None
        Children reached in a year; ``None`` where withheld.
    indicator : str
        The figure it hopes to see move; empty where none is named.
    """

    line: int
    name: str
    domain: str
    stage: str
    place: str
    reach: int | None
    indicator: str


def check_portfolio(
    path: Path | str, *, framework: Framework | None = None
) -> tuple[FileReport, tuple[Programme, ...]]:
    """Check a file of programmes.

    Parameters
    ----------
    path : Path or str
        A CSV with the columns ``programme, domain, age_stage, place, reach`` and any of ``indicator, note``. ``reach``
        is children in a year, 0 or at least 10, or ``c`` where withheld.
    framework : Framework, optional
        Whose domains and indicators may be named; the Common Outcomes Framework by default.

    Returns
    -------
    report : FileReport
        Every fault at once, never the content of a cell.
    programmes : tuple of Programme
        Empty if there is any fault.
    """
    framework = framework or load_framework()
    domains = {node.id: node.id for node in framework.domains}
    single: list[int] = []

    def domain(cell: str) -> str:
        found = domains.get(re.split(r"[^a-z]", cell.lower())[0])
        if found is None:
            refuse_cell("domain")
        return found

    def reach(cell: str) -> int:
        if cell.strip("[]").lower() == "c":
            return -1
        count = count_cell(cell)
        if 0 < count < FEWEST:
            single.extend([count] if count == 1 else [])
            refuse_cell("few")
        return count

    form = Form(
        columns=(
            Column("programme", name_cell),
            Column("domain", domain),
            Column("age_stage", choice_of(STAGE_WORDS)),
            Column("place", authority_cell),
            Column("reach", reach),
            Column("indicator", indicator_cell_of(framework), required=False),
            Column("note", note_cell, required=False),
        ),
        key=("programme", "domain", "age_stage", "place", "indicator"),
        counted=("programme in a place", "programmes in places"),
        kinds=KINDS,
        aliases=ALIASES,
    )
    report, lines = read_form(path, form)
    if len(single) >= SINGLE_LINES:
        fault = Fault("reach", *KINDS["children"], count=len(single))
        told = fault.text.replace("rows ()", "rows")
        return FileReport(report.file, (told, *report.faults), report.notes, 0, report.counted), ()
    return report, tuple(_programme(line) for line in lines)


def load_portfolio(path: Path | str, *, framework: Framework | None = None) -> tuple[Programme, ...]:
    """Read a file of programmes.

    Raises
    ------
    SourceError
        With the whole report of :func:`check_portfolio`, if the file has any fault.
    """
    return sound(*check_portfolio(path, framework=framework))


def _programme(line: Mapping[str, Any]) -> Programme:
    return Programme(
        line=int(line["line"]),
        name=line["programme"],
        domain=line["domain"],
        stage=line["age_stage"],
        place=line["place"],
        reach=None if line["reach"] < 0 else int(line["reach"]),
        indicator=line["indicator"] or "",
    )
