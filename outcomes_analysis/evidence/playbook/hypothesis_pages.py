"""Hypotheses beside the figures as a page: every link with its pattern between areas, and the loops they close."""

from __future__ import annotations

from outcomes_analysis.evidence.page import Section, bullets, page, paragraph, table_html
from outcomes_analysis.evidence.playbook.hypotheses import VERDICTS, HypothesesResult
from outcomes_analysis.wording import plural, written_date

_LINKS = {
    "says": "The hypothesis says",
    "whose": "By whom",
    "verdict": "Beside it",
    "estimate": "Rank correlation",
    "lower": "Lower",
    "upper": "Upper",
    "n": "Authorities",
    "year": "Year",
    "alike": "Between places alike in child poverty",
    "reason": "Why no direction is told",
    "contested": "Contested figures",
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
    level = f"{result.spec.level:.0%}"
    shown = result.table[list(_LINKS)].assign(
        year=result.table["year"].astype("Int64").astype("str").replace("<NA>", ""),
        n=result.table["n"].astype("Int64"),
    )
    links = table_html(
        shown,
        f"Each link with the rank correlation between areas and its {level} interval",
        headings=_LINKS,
        row_heading="says",
        decimals=2,
    )
    sections = [
        Section("In short", bullets([f"{verdict}: {int(counts[verdict])}" for verdict in VERDICTS])),
        Section("Every link", links),
    ]
    if len(result.loops):
        loops = table_html(result.loops, "Loops the links close into", headings=_LOOPS, row_heading="loop")
        sections.append(Section("Loops", loops))
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
