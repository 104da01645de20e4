"""The report of a run: one accessible page with every figure, its data, the method and the sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.association import association_section
from outcomes_analysis.evidence.audit import audit_sections
from outcomes_analysis.evidence.cards import fitness_section
from outcomes_analysis.evidence.certainty import certainty_section
from outcomes_analysis.evidence.domain_section import contested_words, domain_section, drawn, label_of
from outcomes_analysis.evidence.page import (
    Section,
    bullets,
    links,
    page,
    paragraph,
    sentences_of,
    table_html,
)
from outcomes_analysis.evidence.poverty import poverty_line, poverty_section
from outcomes_analysis.evidence.together import together_section
from outcomes_analysis.figures.standing import zero_words
from outcomes_analysis.index.score_rows import DEPENDS, among_many
from outcomes_analysis.sources.release import read_manifest, read_reference
from outcomes_analysis.wording import listed, number, plural, written_date

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.index import (
        AuditReport,
        ComparisonResult,
        FitnessResult,
        IndexResult,
        SensitivityResult,
        UncertaintyResult,
    )
    from outcomes_analysis.relations import JointResult, RelationResult

_CONTESTED = re.compile("on contested (?:figures|indicators)")


def report_html(
    index: IndexResult,
    uncertainty: UncertaintyResult,
    comparisons: Sequence[ComparisonResult],
    relation: RelationResult,
    *,
    audit: AuditReport,
    sensitivity: SensitivityResult,
    fitness: FitnessResult,
    joint: JointResult,
    mapped: str,
    figures: Mapping[str, Figure],
) -> str:
    """Write the report of a run.

    Parameters
    ----------
    index, uncertainty : results of the index
        Scores, their intervals and ranks.
    comparisons : sequence of ComparisonResult
        The comparison with places of similar child poverty, by each measure of it.
    relation : RelationResult
        The association shown.
    audit : AuditReport
        Whether each domain behaves as one thing, and what else to mind.
    sensitivity : SensitivityResult
        Which choice of method moves the ranks most.
    fitness : FitnessResult
        What each indicator can bear.
    joint : JointResult
        How the domains go together.
    mapped : str
        Name of the measure of child poverty that the maps use.
    figures : mapping of str to Figure
        By id: ``domain-table``, ``admissions-attainment``, and for each domain ``domain-pair-``, ``domain-hex-``
        and ``rank-intervals-``; an experimental one has no ranks, and ``domain-parts-`` where there are maps of its
        parts.

    Returns
    -------
    str
        One HTML page that asks for nothing outside itself; the same inputs give the same text.
    """
    period = index.matrix.period
    scored = sorted({str(i) for name in index.domains for i in index.nodes[name].weights.index})
    sections = [
        _summary(index, uncertainty, comparisons),
        _reading(index),
        Section("All domains side by side", drawn(figures["domain-table"], "domain-table")),
        *(domain_section(name, index, uncertainty, comparisons, audit, figures) for name in index.domains),
        poverty_section(
            comparisons, mapped=mapped, experimental=[n for n in index.domains if index.nodes[n].experimental]
        ),
        together_section(joint),
        association_section(relation, figures["admissions-attainment"]),
        certainty_section(uncertainty, sensitivity),
        *audit_sections(audit),
        fitness_section(fitness, scored=scored, bands=read_reference()),
        _method(index, uncertainty),
        _sources(index, relation, joint),
    ]
    return page(
        f"Children's outcomes in English local authorities, as measured by the end of {period}",
        sections,
        lead=(
            "Five domains of the Common Outcomes Framework, scored from published official statistics for every "
            f"upper-tier local authority in England. {index.matrix.framework.notice}"
        ),
        footer=(
            f"Data as at {written_date(index.manifest.data_as_at)}. "
            f"Made with outcomes_analysis {index.manifest.package}."
        ),
    )


def _summary(index: IndexResult, uncertainty: UncertaintyResult, comparisons: Sequence[ComparisonResult]) -> Section:
    lines = []
    for name in index.domains:
        label = label_of(index, name)
        if index.nodes[name].experimental:
            lines.append(
                f"{label} is experimental. Few figures say how happy children are, and those there are do not measure "
                f"one thing. Its parts are shown and nothing is ranked. {_sentence(contested_words(index, name))}"
            )
            continue
        rows = uncertainty.table[(uncertainty.table["node_id"] == name) & uncertainty.table["ranked"]]
        if rows.empty:
            lines.append(f"{label}: nothing is ranked. {_sentence(contested_words(index, name))}")
            continue
        width = int((rows["rank_upper"] - rows["rank_lower"] + 1).median())
        better, worse = _sides(rows["standing"])
        lines.append(
            f"{label}: of {plural(len(rows), 'authority', 'authorities')}, {better} are clearly better than England "
            f"and {worse} clearly worse{_among_many(index, name)}. {_disputed(rows)}Half of all have a rank "
            f"interval of at least {width} places. "
            f"{_sentence(contested_words(index, name))}"
        )
    lines = _explained(lines)
    lines.append(poverty_line(comparisons))
    lines.append("There is no overall score: the domains are not added up.")
    return Section("In short", bullets(lines))


def _explained(lines: Sequence[str]) -> list[str]:
    """The same, with what contested means at its first use."""
    first = next((i for i, line in enumerate(lines) if _CONTESTED.search(line)), -1)
    words = r"\g<0>, where people disagree which way is better"
    return [_CONTESTED.sub(words, line, count=1) if i == first else line for i, line in enumerate(lines)]


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _sides(verdicts: pd.Series) -> tuple[int, int]:
    """How many verdicts are above and below England."""
    return int((verdicts == "above").sum()), int((verdicts == "below").sum())


def _among_many(index: IndexResult, name: str) -> str:
    """How many of them stay so once the number of comparisons is allowed for."""
    large = index.matrix.areas["ranked"].to_numpy(bool)
    better, worse = among_many(index.nodes[name], large, level=index.spec.level)
    return f" ({better} and {worse} with the number of comparisons allowed for)"


def _disputed(rows: pd.DataFrame) -> str:
    """How many places depend on contested figures, and the counts with and without them; empty where none does."""
    depend = int((rows["standing"] == DEPENDS).sum())
    if not depend:
        return ""
    whole, left = _sides(rows["against_england"]), _sides(rows["against_england_agreed"])
    return (
        f"{depend} more depend on contested figures. With its contested indicators {whole[0]} would be clearly better "
        f"and {whole[1]} clearly worse, without them {left[0]} and {left[1]}. "
    )


def _reading(index: IndexResult) -> Section:
    """What a score, an interval, a rank and the marks mean, once and for all of the page."""
    level = f"{index.spec.level:.0%}"
    items = [
        "Higher is better. A score of 0 is England in the base period of each indicator, mostly 2022/23. A score of 1 "
        "is one standard deviation between authorities above that.",
        *_zero(index),
        "England has moved on since. Its own scores for the same date as the authorities' are "
        f"{listed([f'{label_of(index, n)} {_now(index, n)}' for n in index.domains])}.",
        "\u201cClearly better\u201d and \u201cclearly worse than England\u201d set an authority beside that score. "
        f"\u201cClearly\u201d means that the {level} interval of the difference leaves out no difference at all. An "
        "authority that lacks some figures is set beside England's score from the others.",
        f"Each authority is compared on its own. If none differed from England, up to {_by_chance(index)} would "
        "still be called clearly better or worse on a domain by chance. The numbers with the number of comparisons "
        f"allowed for leave fewer: at most {number(100 * (1 - index.spec.level), 0)} in 100 of them are expected to be "
        "chance (Benjamini-Hochberg). Maps and tables show each authority's own verdict.",
        "How much of a domain rests on contested indicators is said with the domain, and a single one is never ranked.",
        "Each domain is scored twice, with its contested indicators and without. An authority is called better or "
        "worse only where both scores say so. Where they differ, it \u201cdepends on contested figures\u201d.",
        "Rank 1 is the best. City of London and the Isles of Scilly have too few children to be ranked.",
        "Figures describe places. They do not say what any service or decision did.",
    ]
    more = links(
        [
            ("audit.html", "Audit of the domain scores", "how the parts of each domain hang together"),
            ("fit-for-purpose.html", "Fit-for-purpose cards", "what each indicator can and cannot bear"),
            ("catalogue.html", "Catalogue of indicators", "what each is, and what it cannot tell"),
            ("cards.html", "Evidence cards", "one question each, and how strong the evidence is by stated rules"),
        ]
    )
    return Section("How to read this report", bullets(items) + paragraph("Beside this page lie:") + more, "reading")


def _by_chance(index: IndexResult) -> str:
    """Places that would be called different from England if none was: ``15 of 151``."""
    compared = int(index.matrix.areas["ranked"].sum())
    return f"{number((1 - index.spec.level) * compared, 0)} of {compared}"


def _zero(index: IndexResult) -> list[str]:
    """Where 0 is not England, with the domain concerned."""
    told = [(label_of(index, name), zero_words(index, [name])) for name in index.domains]
    return [f"One thing apart, on {label}: {words}." for label, words in told if words]


def _now(index: IndexResult, name: str) -> str:
    rows = index.table[index.table["node_id"] == name]
    return number(float(rows["england"].iloc[0]), 2)


def _method(index: IndexResult, uncertainty: UncertaintyResult) -> Section:
    notice = index.matrix.framework.notice
    body = [
        bullets(sentences_of(index.text.removesuffix(notice).strip())),
        paragraph(
            "Ranks are drawn many times from what the figures allow. The spread between authorities is first parted "
            "into what is real and what is noise; the unsure figures of a place are drawn towards the average by how "
            "unsure they are."
        ),
        paragraph(
            f"To make this again: specification {index.spec.hash}, data {index.manifest.data}, "
            f"seed {uncertainty.manifest.seed}.",
            kind="note",
        ),
    ]
    return Section("How this was done", "\n".join(body), anchor="method")


def _sources(index: IndexResult, relation: RelationResult, joint: JointResult) -> Section:
    used = {*index.manifest.sources, *relation.manifest.sources, *joint.manifest.sources}
    listed_sources = read_manifest()["sources"]
    rows = [
        {
            "Title": s["title"],
            "Publisher": s["publisher"],
            "Publisher's page": s["publisher_page"],
            "Data as at": written_date(s["data_as_at"]),
            "Licence": s["licence"],
        }
        for s in (listed_sources if isinstance(listed_sources, list) else [])
        if s["id"] in used
    ]
    frame = pd.DataFrame(rows)
    licences = list(frame["Licence"].unique())
    notes = [f"Licence of each: {licences[0]}."] if len(licences) == 1 else []
    body = table_html(
        frame.drop(columns="Licence") if notes else frame,
        "Published files behind this report",
        row_heading="Title",
        notes=notes,
    )
    note = "Contains public sector information licensed under the Open Government Licence v3.0."
    return Section("Sources", body + paragraph(note), anchor="sources")
