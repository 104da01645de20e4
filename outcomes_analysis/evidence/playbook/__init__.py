"""Evidence for the Systemic Change Playbook: cards, hypotheses beside the figures, predictions sealed beforehand."""

from __future__ import annotations

from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.card_pages import card_html, cards_html
from outcomes_analysis.evidence.playbook.domain_cards import domain_card
from outcomes_analysis.evidence.playbook.relation_cards import relation_card, ways_of
from outcomes_analysis.evidence.playbook.strength import GRADES, RULES
from outcomes_analysis.evidence.playbook.trajectory_cards import trajectory_card

__all__ = [
    "GRADES",
    "RULES",
    "EvidenceCard",
    "card_html",
    "cards_html",
    "domain_card",
    "relation_card",
    "trajectory_card",
    "ways_of",
]
