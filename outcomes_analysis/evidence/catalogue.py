"""The catalogue of indicators as a page: what each figure is, which way is better, and what it cannot tell."""

from __future__ import annotations

import pandas as pd

from outcomes_analysis.evidence.page import Section, page, paragraph, table_html
from outcomes_analysis.framework.cataloguing import catalogue
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.wording import plural

CONTEXT = "Context"
HEADINGS = {
    "name": "Indicator",
    "outcome": "Outcome",
    "definition": "What it is",
    "unit": "Unit",
    "better": "Which way is better",
    "scored": "Counts in the domain",
    "measures": "What it measures",
    "layer": "Whose outcome",
    "geography_basis": "A child belongs to an area by",
    "breaks": "Breaks",
    "contested": "Why the direction is disputed",
    "cannot_tell": "What it cannot tell",
}


def catalogue_html(framework: Framework) -> str:
    """Write the catalogue as one accessible page, a section a domain.

    Parameters
    ----------
    framework : Framework

    Returns
    -------
    str
        An HTML page that asks for nothing outside itself.
    """
    table = catalogue(framework)
    notes = {node.label: (node.statement, node.note) for node in framework.domains}
    labels = [*notes, CONTEXT]
    sections = [_section(label, table[table["domain"] == label], *notes.get(label, ("", ""))) for label in labels]
    return page(
        "Catalogue of indicators",
        sections,
        lead=f"{plural(len(table), 'indicator', 'indicators')} of {framework.label}. {framework.notice}",
        footer=f"Framework version {framework.version}, {framework.date}.",
    )


def _section(label: str, rows: pd.DataFrame, statement: str, note: str) -> Section:
    parts = [paragraph(statement)] if statement else []
    parts += [paragraph(note, kind="note")] if note else []
    parts.append(
        table_html(
            rows[list(HEADINGS)],
            f"{label}: {plural(len(rows), 'indicator', 'indicators')}",
            headings=HEADINGS,
            row_heading="name",
        )
    )
    return Section(label, "\n".join(parts))
