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
    "what": "What it is",
    "better": "Which way is better",
    "scored": "Counts in the domain",
    "mind": "What it cannot tell, and what to mind",
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
            _in_words(rows)[list(HEADINGS)],
            f"{label}: {plural(len(rows), 'indicator', 'indicators')}",
            headings=HEADINGS,
            row_heading="name",
        )
    )
    return Section(label, "\n".join(parts))


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Gather the many columns of the catalogue into the few that a reader can take in on a page."""

    def after(label: str, text: pd.Series) -> pd.Series:
        return text.where(text == "", f" {label}: " + text)

    what = rows["definition"] + " Unit: " + rows["unit"] + ". Outcome: " + rows["outcome"].str.lower() + "."
    neutral = rows["measures"].where(rows["scored"] == "no", "")
    return rows.assign(
        what=what.where(rows["outcome"] != "", rows["definition"] + " Unit: " + rows["unit"] + "."),
        scored=rows["scored"] + neutral.where(neutral == "", ": " + neutral),
        mind=rows["cannot_tell"]
        + after("Contested", rows["contested"])
        + after("Break", rows["breaks"])
        + " A child belongs to an area by "
        + rows["geography_basis"]
        + ".",
    )
