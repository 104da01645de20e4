"""Hypotheses beside the figures as a page: every link with its pattern between areas, and the loops they close."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.page import Section, bullets, page, paragraph, table_html
from outcomes_analysis.evidence.playbook.hypotheses import VERDICTS, HypothesesResult
from outcomes_analysis.relations.sentences import with_capital
from outcomes_analysis.wording import number, plural, written_date

_LINKS = {
    "says": "The hypothesis says",
    "whose": "By whom",
    "verdict": "Beside it",
    "figure": "Rank correlation",
    "size": "Authorities",
    "alike": "Between places with similar child poverty",
    "minding": "What to mind",
}
_LOOPS = {
    "loop": "Loop",
    "kind": "By the hypotheses' signs",
    "links": "Links",
    "same": "Same direction",
    "opposite": "Opposite direction",
    "uncertain": "Too uncertain",
    "unmeasured": "Not measured",
}


def hypotheses_html(result: HypothesesResult, *, title: str = "Hypotheses beside the figures") -> str:
    """Write the page of a file of hypotheses.

    Parameters
    ----------
    result : HypothesesResult
    title : str

    Returns
    -------
    str
        An accessible page that asks for nothing outside itself.
    """
    told = [line for line in result.text.splitlines() if line]
    notes = [line for line in told[1:] if not line.startswith("- ")]
    counts = result.table["verdict"].value_counts().reindex(list(VERDICTS), fill_value=0)
    links = table_html(
        pd.DataFrame([_line(row, result) for row in result.table.to_dict("records")]),
        "Each link with the rank correlation between areas, plain and at similar poverty, each with its "
        f"{result.spec.level:.0%} interval",
        headings=_LINKS,
        row_heading="says",
    )
    sections = [
        Section("In short", bullets([f"{with_capital(verdict)}: {int(counts[verdict])}" for verdict in VERDICTS])),
        Section("Every link", links),
    ]
    if len(result.loops):
        loops = table_html(result.loops, "Loops the links close into", headings=_LOOPS, row_heading="loop")
        sections.append(Section("Loops", loops))
    minded = [f"{row['says']}: {row['mind']}" for row in result.table.to_dict("records") if row["mind"]]
    if minded:
        sections.append(Section("Cautions on single links", bullets(list(dict.fromkeys(minded)))))
    sections.append(Section("How to read this", "".join(paragraph(line) for line in notes)))
    made = result.manifest
    as_at = f"Data as at {written_date(made.data_as_at)}. " if made.data_as_at else ""
    return page(
        title,
        sections,
        lead=f"{plural(len(result.table), 'hypothesis', 'hypotheses')}, each in the words of whoever holds it, with "
        "what the published figures of areas show beside it.",
        footer=f"{as_at}Data {made.data or 'none'}, question {made.spec}, outcomes_analysis {made.package}.",
    )


def _line(row: dict[Hashable, Any], result: HypothesesResult) -> dict[str, str]:
    """One link in words."""
    level = f" ({result.spec.level:.0%} interval)"  # the caption says it
    figure, size = "[x]", ""
    if np.isfinite(row["estimate"]):
        span = f"{number(row['lower'], 2)} to {number(row['upper'], 2)}"
        mark = " (contested)" if row["contested"] else ""
        figure, size = f"{number(row['estimate'], 2)}, {span}{mark}", f"{row['n']} in {row['year']}"
    contested = f"{row['contested']}: contested" if row["contested"] else ""
    return {
        "says": str(row["says"]),
        "whose": str(row["whose"]),
        "verdict": str(row["verdict"]),
        "figure": figure,
        "size": size,
        "alike": str(row["alike"]).replace(level, "") or "[x]",
        "minding": "; ".join(str(part) for part in (row["reason"], contested) if part),
    }
