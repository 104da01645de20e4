"""Evidence cards as pages: one card a page, and a page that lists them with the table of rules."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.evidence.page import (
    Section,
    bullets,
    details_html,
    figure_html,
    links,
    page,
    paragraph,
    table_html,
)
from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.hypotheses import NOT_PROOF
from outcomes_analysis.evidence.playbook.strength import GRADES, MOST_WHERE_DISPUTED, rule_table, rules_version
from outcomes_analysis.wording import listed, written_date

KINDS = {
    "relation": "How two figures go together",
    "domain": "How far places differ on a domain",
    "place": "Where a place stands on a domain",
    "trajectory": "Where places may stand in a target year",
}
_RULE_HEADINGS = {"rule": "Rule", "needed_for": "Needed for", "asks": "What must hold", "met": "Met", "seen": "Seen"}
_DATA_HEADINGS = {
    "label": "Estimate of",
    "n": "Places",
    "similar_in": "Between places similar in",
    "estimate": "Estimate",
    "lower": "Lower",
    "upper": "Upper",
    "level": "Level of the interval",
}
_LISTS = {"yes": "met", "no": "not met", "not known": "not known"}


def card_file(card: EvidenceCard) -> str:
    """Name of a card's page."""
    return f"card-{card.name}.html"


def card_sections(card: EvidenceCard, *, prefix: str = "") -> list[Section]:
    """Parts of a card, for its own page or one that holds several.

    Parameters
    ----------
    card : EvidenceCard
    prefix : str
        Put before the ids of the figure, so that several cards can stand on one page.
    """
    strength = card.strength
    rules = strength.table.assign(rule=strength.table["rule"].str.replace("_", " "))
    sections = [
        Section("Answer", paragraph(card.answer) + paragraph(strength.text)),
    ]
    if card.figure is not None:
        drawing = card.figure.svg(prefix=f"{prefix}{card.name}")
        sections.append(Section("Figure", figure_html(drawing, card.figure.title, card.figure.alt)))
    numbers = table_html(
        card.data, "Estimates the answer rests on", headings=_DATA_HEADINGS, row_heading="label", decimals=2
    )
    table = table_html(
        rules,
        f"The rules, and what was found ({strength.grade})",
        headings=_RULE_HEADINGS,
        row_heading="rule",
        notes=[f"A rule of which it is not known whether it is met counts as not met. Rules {rules_version()}."],
    )
    foretold = paragraph(card.record) if card.record else ""
    made = card.manifest
    seeded = "nothing drawn by chance" if made.seed is None else f"seed {made.seed}"
    again = [
        f"Card {card.id}: it comes out the same from the same data, question, rules and version.",
        f"Data {made.data}, as at {written_date(made.data_as_at)}; question {made.spec}; {seeded}; "
        f"outcomes_analysis {made.package}.",
    ]
    sections += [
        Section("Strength of evidence", table + foretold),
        *(
            [Section("What hypotheses say", bullets(list(card.hypotheses)) + paragraph(NOT_PROOF))]
            if card.hypotheses
            else []
        ),
        Section("Data", numbers),
        Section("Method", bullets(list(card.method))),
        Section("Caveats", bullets(list(card.caveats))),
        Section("What would change our mind", bullets(list(strength.change_of_mind))),
        Section("To make it again", bullets(again)),
    ]
    return sections


def card_html(card: EvidenceCard) -> str:
    """Write one card as an accessible page that asks for nothing outside itself."""
    return page(
        card.question, card_sections(card), lead="Evidence card: a pattern between places, and how steady it is."
    )


def cards_html(cards: Sequence[EvidenceCard]) -> str:
    """Write the page that lists cards and prints the rules.

    Parameters
    ----------
    cards : sequence of EvidenceCard
        Their pages lie beside this one, named as :func:`card_file` has it. Rules are printed for their kinds alone.
    """
    listing = pd.DataFrame(
        [{"question": c.question, "strength": c.strength.grade, "answer": c.answer, "id": c.id} for c in cards]
    )
    headings = {"question": "Question", "strength": "Strength", "answer": "Answer", "id": "Card"}
    rules = rule_table()
    tables = "".join(
        table_html(
            rules[rules["kind"] == kind].drop(columns="kind").assign(rule=lambda t: t["rule"].str.replace("_", " ")),
            words,
            headings=_RULE_HEADINGS,
            row_heading="rule",
        )
        for kind, words in KINDS.items()
        if kind in {c.strength.kind for c in cards}
    )
    about = bullets(
        [
            f"The grades are {listed(list(GRADES))}. A grade is given where all its rules and all rules of the grades "
            "below are met.",
            f"Where a figure is contested or experimental, or two figures are made to go together by the way they are "
            f"counted, the grade is never above {MOST_WHERE_DISPUTED}.",
            "The rules are the same for every card. They grade how steady a pattern between places is; no grade says "
            "what would follow from changing anything.",
            f"Rules {rules_version()}; a card names the rules it was graded by in its id.",
        ]
    )
    pages = links([(card_file(c), c.question, f"Strength of evidence: {c.strength.grade}") for c in cards])
    sections = [
        Section(
            "The cards",
            pages + details_html("All answers side by side", table_html(listing, "Cards", headings=headings)),
        ),
        Section("How strength is graded", about + tables, anchor="rules"),
    ]
    return page(
        "Evidence cards",
        sections,
        lead="One question a card: the answer in two sentences, how strong the evidence is by stated rules, and what "
        "would change our mind.",
    )
