"""A place's own cards: each rule follows its own numbers, and the answer is two sentences made from them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.evidence.playbook import EvidenceCard, card_html, cards_html, place_card
from outcomes_analysis.framework import load_framework
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.provenance import RunManifest

# By hand: clearly above England with and without contested indicators, all figures there and new, steady under methods.
ROW = {
    "node_id": "learning", "node_label": "Learning", "area_code": "E10000012", "period": 2025, "experimental": False,
    "disputed": False, "estimate": 0.8, "lower": 0.5, "upper": 1.1, "level": 0.9, "england": 0.2, "standing": "above",
    "against_england": "above", "estimate_agreed": 0.7, "lower_agreed": 0.4, "upper_agreed": 1.0, "england_agreed": 0.1,
    "neighbours_centre": 0.3, "ranked": True, "rank_lower": 5, "rank_upper": 22, "ranked_of": 151, "availability": 0.7,
    "oldest_year": 2022, "method_lower": 4, "method_upper": 34,
}  # fmt: skip
BEFORE = {**ROW, "period": 2023, "estimate": 0.6, "lower": 0.3, "upper": 0.9}


def card(row: dict[str, Any], before: dict[str, Any] | None = BEFORE) -> EvidenceCard | None:
    """The card of a row of scores made by hand."""
    framework = load_framework()
    weights = pd.DataFrame({"weight": [1.0]}, index=["gld_pct"])
    node = SimpleNamespace(kind="domain", experimental=row["experimental"], weights=weights)
    index = SimpleNamespace(
        nodes={"learning": node}, matrix=SimpleNamespace(framework=framework), spec=SimpleNamespace(hash="spec")
    )
    profile = SimpleNamespace(
        name="Essex", area_code="E10000012", period=2025, neighbours="its neighbours", domains=pd.DataFrame([row]),
        spec=SimpleNamespace(statistic="median", neighbours="dfe_2025"),
    )  # fmt: skip
    manifest = RunManifest(package="1", data="d", data_as_at="2026-01-01", spec="s", seed=1, sources=())
    earlier = None
    if before is not None:
        earlier = SimpleNamespace(table=pd.DataFrame([before]), matrix=SimpleNamespace(period=before["period"]))
    uncertainty = SimpleNamespace(index=index, manifest=manifest)
    return place_card(profile, "learning", uncertainty=uncertainty, earlier=earlier)


def unmet(found: EvidenceCard) -> set[str]:
    return {f.rule for f in found.strength.findings if f.met is not True}


def test_the_answer_is_two_sentences_made_from_the_row() -> None:
    found = card(ROW)
    assert found.question == "Where does Essex stand on Learning?"
    assert found.answer == (
        "On Learning Essex scores +0.80 (0.50 to 1.10, 90% interval) where England scores +0.20: clearly better than "
        "England. The median of its neighbours is +0.30; its rank among 151 lies between 5th and 22nd (90%)."
    )
    assert found.strength.grade == "strong"
    assert not unmet(found)


@pytest.mark.parametrize(
    ("change", "rule", "grade"),
    [
        ({"against_england": "not clear", "standing": "not clear"}, {"clear", "years"}, "not clear"),
        ({"standing": DEPENDS, "disputed": True}, {"contested", "years"}, "not clear"),
        ({"availability": 0.69}, {"present"}, "tentative"),
        ({"oldest_year": 2021}, {"recent"}, "tentative"),
        # a fifth of 151 places is 30.2
        ({"method_upper": 35}, {"methods"}, "tentative"),
    ],
)
def test_each_rule_follows_its_own_numbers(change: dict[str, Any], rule: set[str], grade: str) -> None:
    found = card({**ROW, **change})
    assert unmet(found) == rule
    assert found.strength.grade == grade
    assert len(found.strength.change_of_mind) == len(found.strength.findings)


@pytest.mark.parametrize("before", [None, {**BEFORE, "standing": "below"}, {**BEFORE, "period": 2022}])
def test_without_the_same_standing_two_years_before_it_is_no_more_than_fair(before: dict[str, Any] | None) -> None:
    found = card(ROW, before)
    assert unmet(found) == {"years"}
    assert found.strength.grade == "fair"


def test_contested_and_experimental_scores_are_marked_and_capped() -> None:
    disputed = card({**ROW, "disputed": True, "standing": DEPENDS})
    assert disputed.question == "Where does Essex stand on Learning (partly contested)?"
    assert "depends on contested figures, for without them it scores +0.70 (0.40 to 1.00" in disputed.answer
    tried = card({**ROW, "experimental": True, "ranked": False, "method_lower": np.nan, "method_upper": np.nan})
    assert tried.question == "Where does Essex stand on Learning (experimental)?"
    assert tried.answer.endswith("it has no rank, as its figures do not measure one thing.")
    assert tried.strength.caps == ("Learning is experimental",)


@pytest.mark.parametrize("change", [{"estimate": np.nan}, {"standing": ""}, {"node_id": "safe"}])
def test_where_nothing_can_be_judged_there_is_no_card(change: dict[str, Any]) -> None:
    assert card({**ROW, **change}) is None


def test_page_json_and_list_hold_the_card_and_the_rules_for_places_alone() -> None:
    found = card(ROW)
    assert json.loads(found.to_json())["id"] == found.id == card(dict(ROW)).id
    assert found.answer.split(":")[0] in card_html(found)
    listing = cards_html([found])
    assert 'href="card-place-learning.html"' in listing
    assert "Where a place stands on a domain" in listing
    assert "How far places differ on a domain" not in listing
