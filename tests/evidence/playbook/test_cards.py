"""Evidence cards on the release: each rule follows its own rows, answers are made from them, ids from what made them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

import outcomes_analysis as oa
from outcomes_analysis import wording
from outcomes_analysis.evidence.playbook import card_html, cards_html, domain_cards, relation_card, ways_of
from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.records import Record
from outcomes_analysis.relations import MultiverseResult, RelationResult

TRUE, NO, UNKNOWN = "yes", "no", "not known"


@pytest.fixture(scope="module")
def absence() -> RelationResult:
    """Two figures that plainly go together: persistent absence and attainment."""
    return oa.relate("persistent_absence", "attainment8", period=2024, draws=200, parts=())


@pytest.fixture(scope="module")
def ways(absence: RelationResult) -> MultiverseResult:
    return oa.multiverse(spec=ways_of(absence.spec), permutations=40)


def card_of(relation: RelationResult, ways: MultiverseResult | None = None, **given: object) -> EvidenceCard:
    return relation_card(relation, name="a-card", ways=ways, **given)  # type: ignore[arg-type]


def met(card: EvidenceCard) -> dict[str, str]:
    return dict(zip(card.strength.table["rule"], card.strength.table["met"], strict=True))


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?]) (?=[A-Z])", text)


def test_a_plain_pattern_meets_every_rule_that_figures_alone_can_meet(
    absence: RelationResult, ways: MultiverseResult
) -> None:
    card = card_of(absence, ways)
    assert met(card) == dict.fromkeys(["plain", "alike", "neighbours", "noise", "ways", "london"], TRUE) | {
        "foretold": UNKNOWN
    }
    assert card.strength.grade == "fair"
    assert card_of(absence, ways, record=Record(1, 1, 1, "h")).strength.grade == "strong"
    assert card_of(absence, ways, record=Record(2, 2, 1, "h")).strength.grade == "fair"
    assert card_of(absence, None).strength.grade == "tentative"  # of other ways nothing is known


@pytest.mark.parametrize(
    ("analysis", "adjusted_for", "sample", "rules"),
    [
        ("spearman", "", "all", {"plain"}),
        ("spearman", "child_poverty_ahc", "all", {"alike"}),
        ("spearman_neighbours", "", "all", {"neighbours"}),
        ("spearman_neighbours", "child_poverty_bhc", "all", {"neighbours"}),
        ("pearson_noise_out", "child_poverty_bhc", "all", {"noise"}),
        ("spearman_neighbours", "child_poverty_bhc", "without_london", {"london"}),
        ("spearman_neighbours", "", "without_london", set()),  # asked of nothing: London counts at similar poverty
        ("pearson", "", "all", set()),
    ],
)
def test_each_rule_follows_its_own_rows(
    absence: RelationResult, ways: MultiverseResult, analysis: str, adjusted_for: str, sample: str, rules: set[str]
) -> None:
    """An interval that takes 0 in, an estimate turned round, a row withheld: only the row's own rule changes."""
    here = (
        absence.table["analysis"].eq(analysis)
        & absence.table["adjusted_for"].eq(adjusted_for)
        & absence.table["sample"].eq(sample)
    )
    assert here.sum() == 1
    usual = met(card_of(absence, ways))
    turned = absence.table.copy()
    turned.loc[here, ["estimate", "lower", "upper"]] = [0.5, 0.3, 0.7]
    for what, columns, answer in (
        ("0 inside", {"upper": 0.01}, NO),
        ("withheld", {"status": "withheld"}, UNKNOWN),
    ):
        table = absence.table.copy()
        for column, value in columns.items():
            table.loc[here, column] = value
        changed = met(card_of(replace(absence, table=table), ways))
        expected = rules
        if rules == {"plain"} and answer == UNKNOWN:  # without it nobody knows which side the others should be on
            expected = {"plain", "alike", "neighbours", "noise", "london"}
        assert {rule for rule in usual if changed[rule] != usual[rule]} == expected, what
        assert {changed[rule] for rule in rules} <= {answer}
    if adjusted_for:
        assert {r for r, m in met(card_of(replace(absence, table=turned), ways)).items() if m != usual[r]} == rules, (
            "another side"
        )


@pytest.mark.parametrize("column", ["same", "clear", "chance"])
def test_the_ways_of_asking_must_agree(absence: RelationResult, ways: MultiverseResult, column: str) -> None:
    table, joint = ways.table.copy(), ways.joint.copy()
    rows = table.index[table["status"].eq("computed")]
    if column == "same":  # 11 % the other way
        table.loc[rows[: int(0.11 * len(rows)) + 1], ["estimate", "lower", "upper"]] = [0.1, -0.1, 0.3]
    if column == "clear":
        table.loc[rows[: int(0.51 * len(rows)) + 1], "upper"] = 0.01
    if column == "chance":
        joint["p_value"] = 0.06
    assert met(card_of(absence, replace(ways, table=table, joint=joint)))["ways"] == NO


def test_admissions_are_contested_and_not_clear() -> None:
    """The association of the founding question: clear taken alone, not once the likeness of neighbours is allowed for."""
    relation = oa.relate(period=2024, draws=200, parts=())
    card = card_of(relation)
    assert card.strength.grade == "not clear"
    assert card.question == "Do mental health admissions (contested) and Attainment 8 go together across areas?"
    assert card.strength.caps == ("mental health admissions is contested",)
    assert "there is no clear pattern" in card.answer
    assert any("is contested" in caveat for caveat in card.caveats)


def test_the_answer_is_two_sentences_made_from_the_rows(absence: RelationResult) -> None:
    card = card_of(absence)
    assert len(sentences(card.answer)) == 2
    rows = absence.table[absence.table["analysis"].eq("spearman_neighbours") & absence.table["sample"].eq("all")]
    first, second = sentences(card.answer)
    for place, row in enumerate(rows.to_dict("records")):
        said = wording.interval(row["lower"], row["upper"], level=row["level"], decimals=2)
        assert f"{wording.number(row['estimate'], 2)}, {said}" in (second if place else first)
    assert wording.causal_words(card.answer) == []
    assert wording.AREAS_NOT_CHILDREN in card.text


def test_the_id_is_that_of_question_data_rules_and_record(
    absence: RelationResult, ways: MultiverseResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = card_of(absence, ways)
    assert card.id == card_of(absence, ways).id
    assert card.to_json() == card_of(absence, ways).to_json()
    others = [
        card.id,
        card_of(absence, None).id,
        card_of(replace(absence, manifest=replace(absence.manifest, data="other")), ways).id,
        card_of(replace(absence, manifest=replace(absence.manifest, seed=1)), ways).id,
        card_of(absence, ways, record=Record(1, 0, 0, "head")).id,
    ]
    monkeypatch.setattr("outcomes_analysis.evidence.playbook.card.rules_version", lambda: "changed")
    assert len({card_of(absence, ways).id, *others}) == 6


def test_the_page_and_the_json_hold_all_of_the_card(absence: RelationResult, ways: MultiverseResult) -> None:
    card = card_of(absence, ways)
    html = card_html(replace(card, figure=oa.figures.relations.scatter(absence)))
    assert html.count("<h1>") == 1
    assert "<script" not in html
    for heading in ("Answer", "Figure", "Strength of evidence", "Data", "Method", "Caveats", "To make it again"):
        assert f">{heading}</h2>" in html
    assert card.id in html
    content = json.loads(card.to_json())
    assert content["answer"] == card.answer
    assert [rule["rule"] for rule in content["strength"]["rules"]] == list(met(card))
    assert pd.DataFrame(content["estimates"])["estimate"].to_numpy() == pytest.approx(
        card.data["estimate"].to_numpy(), abs=1e-6
    )  # six decimals are written
    listed = cards_html([card])
    assert 'href="card-a-card.html"' in listed
    assert "What must hold" in listed


def test_a_domain_s_answer_says_what_chance_would_give_if_none_differed():
    rows = pd.DataFrame({"standing": ["above"] * 30 + ["below"] * 20 + ["not clear"] * 100})
    rows = rows.assign(against_england=rows["standing"], against_england_agreed=rows["standing"])
    told = domain_cards._answer(rows, [], name="safe", label="Safe", level=0.9)
    assert "30 are clearly better than England on Safe and 20 clearly worse" in told
    assert told.endswith("if none differed, up to 15 would still be one or the other by chance.")
