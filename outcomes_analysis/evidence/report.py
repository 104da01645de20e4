"""The report of a run: one accessible page with every figure, its data, the method and the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.audit import audit_sections
from outcomes_analysis.evidence.page import (
    Section,
    bullets,
    details_html,
    figure_html,
    heading,
    page,
    paragraph,
    table_html,
)
from outcomes_analysis.sources.release import read_manifest
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, listed, plural

if TYPE_CHECKING:
    from outcomes_analysis.figures.composing import Figure
    from outcomes_analysis.index import AuditReport, ComparisonResult, IndexResult, UncertaintyResult
    from outcomes_analysis.relations import RelationResult

SCORE_HEADINGS = {
    "area_name": "Authority",
    "estimate": "Score",
    "lower": "Lower",
    "upper": "Upper",
    "rank": "Rank",
    "rank_lower": "Rank from",
    "rank_upper": "Rank to",
    "p_bottom_fifth": "Chance of lowest fifth",
    "availability": "Figures present, %",
    "oldest_year": "Oldest figure",
}
FORMS = {1: "higher is better", -1: "lower is better", 0: "no agreed direction"}


def report_html(
    index: IndexResult,
    uncertainty: UncertaintyResult,
    comparison: ComparisonResult,
    relation: RelationResult,
    *,
    audit: AuditReport,
    figures: Mapping[str, Figure],
) -> str:
    """Write the report of a run.

    Parameters
    ----------
    index, uncertainty, comparison : results of the index
        Scores, their intervals and ranks, and the comparison with places of similar child poverty.
    relation : RelationResult
        The association shown.
    audit : AuditReport
        Whether each domain behaves as one thing, and what else to mind.
    figures : mapping of str to Figure
        By id: ``domain-table``, ``admissions-attainment``, and for each domain ``domain-pair-``, ``domain-hex-``
        and ``rank-intervals-``; an experimental one has no ranks.

    Returns
    -------
    str
        One HTML page that asks for nothing outside itself; the same inputs give the same text.
    """
    period = index.matrix.period
    sections = [
        _summary(index, uncertainty, comparison),
        Section("All domains side by side", _figure(figures["domain-table"], "domain-table")),
        *(_domain(name, index, uncertainty, audit, figures) for name in index.domains),
        _relation(relation, figures["admissions-attainment"]),
        _certainty(index, uncertainty),
        *audit_sections(audit),
        _method(index, uncertainty),
        _sources(index, relation),
    ]
    as_at = index.manifest.data_as_at
    return page(
        f"Children's outcomes in English local authorities, as measured by the end of {period}",
        sections,
        lead=(
            "Five domains of the Common Outcomes Framework, scored from published official statistics for every "
            f"upper-tier local authority in England. {index.matrix.framework.notice}"
        ),
        footer=f"Data as at {as_at}. Made with outcomes_analysis {index.manifest.package}.",
    )


def _figure(figure: Figure, name: str) -> str:
    # title, unit, source and date stand in the drawing itself
    return figure_html(figure.svg(prefix=name), figure.title, figure.alt)


def _summary(index: IndexResult, uncertainty: UncertaintyResult, comparison: ComparisonResult) -> Section:
    nodes = index.nodes
    ranked = [n for n in index.domains if not nodes[n].experimental]
    experimental = [n for n in index.domains if nodes[n].experimental]
    lines = []
    for name in ranked:
        rows = uncertainty.table[(uncertainty.table["node_id"] == name) & uncertainty.table["ranked"]]
        above, below = int((rows["lower"] > 0).sum()), int((rows["upper"] < 0).sum())
        width = int((rows["rank_upper"] - rows["rank_lower"] + 1).median())
        lines.append(
            f"{name.capitalize()}: {plural(above, 'authority lies', 'authorities lie')} clearly above England in the "
            f"base period and {below} clearly below; a typical rank could be anywhere within {width} places of "
            f"{len(rows)}."
        )
    if experimental:
        lines.append(
            f"{listed([n.capitalize() for n in experimental])}: experimental. Few figures say how happy children are, "
            "and those there are do not measure one thing, so its parts are shown and nothing is ranked."
        )
    lines.append(comparison.text)
    lines.append("There is no overall score: the domains are not added up.")
    return Section("In short", bullets(lines))


def _domain(
    name: str,
    index: IndexResult,
    uncertainty: UncertaintyResult,
    audit: AuditReport,
    figures: Mapping[str, Figure],
) -> Section:
    node = index.nodes[name].node
    statement = getattr(node, "statement", "")
    note = getattr(node, "note", "")
    parts = [paragraph(statement)] if statement else []
    if note:
        parts.append(paragraph(note, kind="note"))
    verdict = audit.verdicts.loc[name]
    if verdict["read_as"] != "one scale" and not index.nodes[name].experimental:
        parts.append(
            paragraph(
                "Read its parts first. They do not behave as one thing across authorities (see the audit below), so "
                "the score is a declared weighted sum of them, not a measure of something that lies behind them."
            )
        )
        parts += [heading("Its parts"), _indicators(name, index)]
    if index.nodes[name].experimental:
        parts += [heading("Its parts, which do not measure one thing")]
        parts += [_indicators(name, index)]
        parts += [heading("Taken together, as an experiment")]
    parts += [_figure(figures[f"domain-pair-{name}"], f"domain-pair-{name}")]
    ranks = f"rank-intervals-{name}"
    if ranks in figures:
        parts += [_figure(figures[ranks], ranks)]
    hexes = f"domain-hex-{name}"
    parts += [details_html("The same with every authority the same size", _figure(figures[hexes], hexes))]
    if verdict["read_as"] == "one scale" and not index.nodes[name].experimental:
        parts += [heading("What it is made of"), _indicators(name, index)]
    parts += [_scores(name, uncertainty)]
    return Section(getattr(node, "label", name), "\n".join(parts), anchor=name)


def _indicators(name: str, index: IndexResult) -> str:
    framework = index.matrix.framework
    rows = []
    for indicator_id, weight in index.nodes[name].weights["weight"].items():
        indicator = framework.indicator(str(indicator_id))
        rows.append(
            {
                "Indicator": indicator.name,
                "Outcome": framework.node(indicator.outcome).label,
                "Share of the domain, %": 100 * float(weight),
                "Direction": FORMS[indicator.direction] + (" (contested)" if indicator.contested else ""),
                "Newest figure": str(index.matrix.measured[str(indicator_id)].mode().iloc[0]),
                "What it cannot tell": indicator.cannot_tell,
            }
        )
    notes = [
        f"{i.name}: {i.contested}"
        for i in framework.below(name)
        if i.contested and i.id in index.nodes[name].weights.index
    ]
    caption = f"Indicators of the domain '{name}', with the weight each has where all are present"
    return table_html(pd.DataFrame(rows), caption, row_heading="Indicator", decimals=1, notes=notes)


def _scores(name: str, uncertainty: UncertaintyResult) -> str:
    rows = uncertainty.table[uncertainty.table["node_id"] == name].sort_values(["region_name", "area_name"])
    experimental = not rows["ranked"].any()
    columns = [c for c in SCORE_HEADINGS if not (experimental and c.startswith(("rank", "p_")))]
    frame = rows[["region_name", *columns]].copy()
    for column in ("rank", "rank_lower", "rank_upper", "availability"):
        if column in frame:
            frame[column] = (frame[column] * (100 if column == "availability" else 1)).round().astype("Int64")
    years = frame["oldest_year"]
    frame["oldest_year"] = years.round().astype("Int64").astype("str").where(years.notna(), "")  # no thousands comma
    table = table_html(
        frame,
        f"Scores of the domain '{name}' with {uncertainty.spec.level:.0%} intervals, by region",
        headings={"region_name": "Region", **SCORE_HEADINGS},
        row_heading="area_name",
        group="region_name",
        decimals=2,
    )
    return details_html("Scores of every authority", table)


def _relation(relation: RelationResult, figure: Figure) -> Section:
    computed = relation.table[relation.table["status"] == "computed"]
    frame = computed[["label", "alike", "authorities", "n", "estimate", "lower", "upper", "unit"]]
    table = table_html(
        frame,
        f"Every way the question was asked, with {relation.table['level'].iloc[0]:.0%} intervals",
        headings={
            "label": "Analysis",
            "alike": "Held alike",
            "authorities": "Authorities",
            "n": "Number",
            "estimate": "Estimate",
            "lower": "Lower",
            "upper": "Upper",
            "unit": "Unit",
        },
        row_heading="label",
        decimals=2,
    )
    body = [
        *(paragraph(p) for p in relation.text.split("\n") if p.strip()),
        _figure(figure, "admissions-attainment"),
        details_html("Every estimate", table),
        paragraph(AREAS_NOT_CHILDREN, kind="note"),
    ]
    return Section("Admissions for mental health and attainment", "\n".join(body), anchor="association")


def _certainty(index: IndexResult, uncertainty: UncertaintyResult) -> Section:
    """How sure the ranks are, and how far other weights would move them, for a reader in a hurry."""
    rows = []
    for name in index.domains:
        part = uncertainty.table[(uncertainty.table["node_id"] == name) & uncertainty.table["ranked"]]
        if part.empty:
            continue
        own = part["rank_upper"] - part["rank_lower"] + 1
        other = part["method_upper"] - part["method_lower"] + 1
        rows.append(
            {
                "Domain": name.capitalize(),
                "Typical rank interval from the figures (places)": int(own.median()),
                "Typical spread of ranks under other methods (places)": int(other.median()),
                "Spread between authorities that is not noise, %": 100 * float(uncertainty.reliability[name]),
                "More than 8 chances in 10 of the lowest fifth": int((part["p_bottom_fifth"] > 0.8).sum()),
                "More than 8 chances in 10 of the highest fifth": int((part["p_top_fifth"] > 0.8).sum()),
            }
        )
    intro = paragraph(
        "A rank is no more certain than the figures behind it. The first column says how far a typical authority's "
        "rank could lie apart, given sampling and year-to-year variation; the second how far it would move if other "
        "weights or another mean were chosen, or one indicator left out. They are kept apart: one is doubt about the "
        "figures, the other a choice."
    )
    caption = f"How sure the ranks are ({uncertainty.spec.level:.0%} intervals)"
    return Section(
        "How sure are the ranks", intro + table_html(pd.DataFrame(rows), caption, row_heading="Domain", decimals=0)
    )


def _method(index: IndexResult, uncertainty: UncertaintyResult) -> Section:
    reliability = ", ".join(f"{k} {v:.0%}" for k, v in uncertainty.reliability.dropna().items())
    body = [
        paragraph(index.text),
        paragraph(
            "An authority's rank interval sets its own figure, with its error, against the field of all the others, "
            "which is drawn from what their figures allow once drawn towards the average by how unsure they are. "
            f"Share of the spread between authorities that is not noise: {reliability}."
        ),
        paragraph(uncertainty.text),
        paragraph(f"Specification {index.spec.hash}, data {index.manifest.data}, seed {uncertainty.manifest.seed}."),
    ]
    return Section("How this was done", "\n".join(body), anchor="method")


def _sources(index: IndexResult, relation: RelationResult) -> Section:
    used = {*index.manifest.sources, *relation.manifest.sources}
    listed_sources = read_manifest()["sources"]
    rows = [
        {
            "Title": s["title"],
            "Publisher": s["publisher"],
            "Publisher's page": s["publisher_page"],
            "Data as at": s["data_as_at"],
            "Licence": s["licence"],
        }
        for s in (listed_sources if isinstance(listed_sources, list) else [])
        if s["id"] in used
    ]
    body = table_html(pd.DataFrame(rows), "Published files behind this report", row_heading="Title")
    note = "Contains public sector information licensed under the Open Government Licence v3.0."
    return Section("Sources", body + paragraph(note), anchor="sources")
