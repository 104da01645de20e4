"""Evidence for the Systemic Change Playbook: cards, hypotheses beside the figures, predictions sealed beforehand."""

from __future__ import annotations

from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.card_pages import card_html, cards_html
from outcomes_analysis.evidence.playbook.domain_cards import domain_card
from outcomes_analysis.evidence.playbook.hypotheses import HypothesesResult, weigh_hypotheses
from outcomes_analysis.evidence.playbook.known import known_by
from outcomes_analysis.evidence.playbook.ledger import read_ledger
from outcomes_analysis.evidence.playbook.place_cards import place_card
from outcomes_analysis.evidence.playbook.predicting import seal_forecast, seal_relation
from outcomes_analysis.evidence.playbook.relation_cards import relation_card, ways_of
from outcomes_analysis.evidence.playbook.scorekeeping import ledger_table, record_of, score_predictions
from outcomes_analysis.evidence.playbook.strength import GRADES, RULES, rule_table
from outcomes_analysis.evidence.playbook.trajectory_cards import trajectory_card

__all__ = [
    "GRADES",
    "RULES",
    "EvidenceCard",
    "HypothesesResult",
    "card_html",
    "cards_html",
    "domain_card",
    "known_by",
    "ledger_table",
    "place_card",
    "read_ledger",
    "record_of",
    "relation_card",
    "rule_table",
    "score_predictions",
    "seal_forecast",
    "seal_relation",
    "trajectory_card",
    "ways_of",
    "weigh_hypotheses",
]
