"""How two outcomes go together, on a page of its own and as a section of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.domain_section import drawn
from outcomes_analysis.evidence.page import Section, bullets, details_html, heading, links, page, paragraph, table_html
from outcomes_analysis.relations.headlines import title_of
from outcomes_analysis.relations.sentences import short_name
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, written_date

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.framework.model import Framework
    from outcomes_analysis.relations import RelationResult

OPEN = ("In short", "What is found")  # parts of the answer that the report shows; the rest is folded away
PAGE = "admissions-attainment.html"


def association_section(relation: RelationResult, figure: Figure) -> Section:
    """Write the section of the report: the answer in short, the picture, and the rest folded away.

    Parameters
    ----------
    relation : RelationResult
        From :func:`outcomes_analysis.relations.relate`.
    figure : Figure
        Its scatter.
    """
    first = [_points(text) for name, text in relation.sections if not name or name in OPEN]
    rest = [heading(name) + _points(text) for name, text in relation.sections if name and name not in OPEN]
    body = [
        *first,
        paragraph(AREAS_NOT_CHILDREN, kind="note"),
        drawn(figure, "admissions-attainment"),
        links([(PAGE, "The whole answer on a page of its own", "what is found, how sure, and what changes it")]),
        details_html("The whole answer, with what to mind", "".join(rest)),
        details_html("Every estimate", estimates_table(relation.table)),
    ]
    return Section("Admissions for mental health and attainment", "\n".join(body), anchor="association")


def association_html(
    relation: RelationResult,
    *,
    framework: Framework,
    figures: Mapping[str, Figure],
    name: str = "admissions-attainment",
) -> str:
    """Write the page of one association.

    Parameters
    ----------
    relation : RelationResult
        From :func:`outcomes_analysis.relations.relate`.
    framework : Framework
        Gives the names in the title.
    figures : mapping
        By the heading of the part that a figure belongs to (``"In short"`` for the scatter,
        ``"Every way of asking"``); parts without one have none.
    name : str
        What the parts of the figures' ids begin with.

    Returns
    -------
    str
        One HTML page that asks for nothing outside itself; the same inputs give the same text.
    """
    names = {i: short_name(framework.indicator(i)) for i in relation.spec.roles}
    pair = (names[relation.spec.predictor], names[relation.spec.outcome])
    sections = []
    for at, (title, text) in enumerate(relation.sections):
        picture = drawn(figures[title], f"{name}-{at}") if title in figures else ""
        sections.append(Section(title or "What the figures are not", _points(text) + picture))
    manifest = relation.manifest
    again = f"To make this again: question {manifest.spec}, data {manifest.data}, seed {manifest.seed}."
    return page(
        title_of(relation.table, pair=pair, names=names),
        [*sections, Section("Every estimate", estimates_table(relation.table) + paragraph(again, kind="note"))],
        lead=AREAS_NOT_CHILDREN,
        footer=f"Data as at {written_date(manifest.data_as_at)}. Made with outcomes_analysis {manifest.package}.",
    )


def estimates_table(table: pd.DataFrame) -> str:
    """Every estimate that was made, as a table a person can read; what was withheld is not in it."""
    columns = {
        "label": "Analysis",
        "alike": "Between places similar in",
        "authorities": "Authorities",
        "n": "Number",
        "estimate": "Estimate",
        "lower": "Lower",
        "upper": "Upper",
        "unit": "Unit",
    }
    return table_html(
        table.loc[table["status"] == "computed", list(columns)],
        f"Every way the question was asked, with {table['level'].iloc[0]:.0%} intervals",
        headings=columns,
        row_heading="label",
        decimals=2,
    )


def _points(text: str) -> str:
    """One point as a paragraph, several as a list."""
    lines = [line for line in text.split("\n") if line]
    return paragraph(lines[0]) if len(lines) == 1 else bullets(lines)
