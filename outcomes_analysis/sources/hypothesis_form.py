"""Causal-loop hypotheses that people hold, read from an edge list: one link a line, every fault told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.sources.local_forms import (
    Column,
    Form,
    choice_of,
    indicator_cell_of,
    name_cell,
    note_cell,
    read_form,
    sound,
)
from outcomes_analysis.sources.local_rows import Kind
from outcomes_analysis.sources.vetting import Fault, FileReport

SIGNS: Mapping[str, str] = {
    **dict.fromkeys(("+", "plus", "same", "positive", "more"), "+"),
    **dict.fromkeys(("-", "\u2212", "\u2013", "minus", "opposite", "negative", "less"), "-"),
}
KINDS: Mapping[str, Kind] = {
    "choice": Kind("a sign that is neither + nor -", "Write + where more goes with more, - where more goes with less."),
    "itself": Kind("a link from a thing to itself", "A link joins two things; draw a loop as two links or more."),
    "twice": Kind("the same link of the same people twice", "Keep one line of each; take the others out."),
    "two_ways": Kind(
        "a thing that stands for another indicator elsewhere",
        "Name the same indicator wherever the thing is named, or give the two things different names.",
    ),
}
ALIASES = {"by": "whose", "by_whom": "whose", "polarity": "sign", "source": "from", "target": "to"}


@dataclass(frozen=True)
class Link:
    """One hypothesis: more of one thing goes with more (or less) of another.

    Attributes
    ----------
    line : int
        Of the file.
    start, end : str
        The two things, in the words of whoever drew the loop.
    sign : {1, -1}
    whose : str
        By whom the hypothesis is.
    note : str
    start_indicator, end_indicator : str
        What stands for each in the figures; empty where nothing does.
    """

    line: int
    start: str
    end: str
    sign: int
    whose: str
    note: str
    start_indicator: str
    end_indicator: str

    @property
    def says(self) -> str:
        """The hypothesis in words."""
        return f"more \u201c{self.start}\u201d goes with {'more' if self.sign > 0 else 'less'} \u201c{self.end}\u201d"


def check_hypotheses(path: Path | str, *, framework: Framework | None = None) -> tuple[FileReport, tuple[Link, ...]]:
    """Check a file of hypotheses.

    Parameters
    ----------
    path : Path or str
        A CSV with the columns ``from, to, sign, whose`` and any of ``from_indicator, to_indicator, note``. A thing that
        bears the id of an indicator stands for it.
    framework : Framework, optional
        Whose indicators may be named; the Common Outcomes Framework by default.

    Returns
    -------
    report : FileReport
        Every fault at once, never the content of a cell.
    links : tuple of Link
        Empty if there is any fault.
    """
    framework = framework or load_framework()
    indicator = indicator_cell_of(framework)
    form = Form(
        columns=(
            Column("from", name_cell),
            Column("to", name_cell),
            Column("sign", choice_of(SIGNS)),
            Column("whose", name_cell),
            Column("from_indicator", indicator, required=False),
            Column("to_indicator", indicator, required=False),
            Column("note", note_cell, required=False),
        ),
        key=("from", "to", "whose"),
        counted=("hypothesis", "hypotheses"),
        kinds=KINDS,
        aliases=ALIASES,
    )
    report, lines = read_form(path, form)
    if not report.valid:
        return report, ()
    known = {i.id for i in framework.indicators}
    links = tuple(_link(line, known) for line in lines)
    faults = tuple(fault.text for fault in _faults(links))
    if faults:
        return FileReport(report.file, faults, report.notes, 0, report.counted), ()
    return report, links


def load_hypotheses(path: Path | str, *, framework: Framework | None = None) -> tuple[Link, ...]:
    """Read a file of hypotheses.

    Raises
    ------
    SourceError
        With the whole report of :func:`check_hypotheses`, if the file has any fault.
    """
    return sound(*check_hypotheses(path, framework=framework))


def _link(line: Mapping[str, Any], known: set[str]) -> Link:
    def stands_for(side: str) -> str:
        thing = str(line[side])
        return line[f"{side}_indicator"] or (thing if thing in known else "")

    return Link(
        line=int(line["line"]),
        start=line["from"],
        end=line["to"],
        sign=1 if line["sign"] == "+" else -1,
        whose=line["whose"],
        note=line["note"] or "",
        start_indicator=stands_for("from"),
        end_indicator=stands_for("to"),
    )


def _faults(links: tuple[Link, ...]) -> Iterator[Fault]:
    """Faults that only several cells together have."""
    itself = [x.line for x in links if x.start == x.end or (x.start_indicator and x.start_indicator == x.end_indicator)]
    stands: dict[str, str] = {}
    other: list[int] = []
    for link in links:
        ends = ((link.start, link.start_indicator), (link.end, link.end_indicator))
        if any(stands.setdefault(thing, indicator) != indicator for thing, indicator in ends):
            other.append(link.line)
    for kind, lines in (("itself", itself), ("two_ways", other)):
        if lines:
            yield Fault("", *KINDS[kind], count=len(lines), rows=[str(line) for line in lines[:5]])
