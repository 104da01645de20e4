"""The table of rules: what grade any set of findings gets, and that nothing disputed rises above its cap."""

from __future__ import annotations

from itertools import product

import pytest

from outcomes_analysis import wording
from outcomes_analysis.evidence.playbook.strength import GRADES, RULES, Finding, Kind, graded, rule_table

ANSWERS = (True, False, None)


def by_hand(kind: Kind, answers: dict[str, bool | None], *, capped: bool) -> str:
    """The grade said the other way round: the first grade that lacks something is not reached."""
    lacking = [rule.grade for rule in RULES[kind] if answers[rule.id] is not True]
    first = min((GRADES.index(grade) for grade in lacking), default=len(GRADES))
    reached = first - 1
    return GRADES[min(reached, 1) if capped else reached]


@pytest.mark.parametrize("kind", RULES)
def test_every_set_of_findings_gets_the_grade_of_the_table(kind: Kind) -> None:
    names = [rule.id for rule in RULES[kind]]
    for given in product(ANSWERS, repeat=len(names)):
        answers = dict(zip(names, given, strict=True))
        findings = [Finding(name, met, "") for name, met in answers.items()]
        for caps in ((), ("one is contested",)):
            strength = graded(kind, findings, caps=caps)
            assert strength.grade == by_hand(kind, answers, capped=bool(caps)), answers


@pytest.mark.parametrize("kind", RULES)
def test_what_is_disputed_never_rises_above_tentative_and_says_why(kind: Kind) -> None:
    findings = [Finding(rule.id, True, "seen") for rule in RULES[kind]]
    assert graded(kind, findings).grade == "strong"
    capped = graded(kind, findings, caps=["admissions are contested"])
    assert capped.grade == "tentative"
    assert "no more than tentative: admissions are contested." in capped.text


def test_findings_must_answer_the_rules() -> None:
    findings = [Finding(rule.id, True, "") for rule in RULES["relation"]]
    with pytest.raises(ValueError, match="do not answer the rules"):
        graded("relation", findings[1:])
    with pytest.raises(ValueError, match="do not answer the rules"):
        graded("relation", [*findings, findings[0]])


def test_the_words_name_what_the_next_grade_lacks() -> None:
    met = {"plain": True, "alike": True, "neighbours": True, "noise": True, "ways": False, "london": None}
    strength = graded("relation", [*(Finding(n, m, "") for n, m in met.items()), Finding("foretold", True, "")])
    assert strength.text == (
        "Strength of evidence: tentative, on a scale of not clear, tentative, fair and strong. To be fair it lacks 2 "
        "rules of those below: ways and london."
    )
    assert list(strength.table["met"]) == ["yes", "yes", "yes", "yes", "no", "not known", "yes"]
    assert [", met now: it would fall" in line for line in strength.change_of_mind] == [True] * 4 + [False] * 2 + [True]


def test_the_published_table_claims_association_alone() -> None:
    table = rule_table()
    assert set(table["needed_for"]) == set(GRADES[1:])
    assert not table.duplicated(["kind", "rule"]).any()
    mind = [rule.otherwise for rules in RULES.values() for rule in rules]
    assert [text for text in [*table["asks"], *mind] if wording.causal_words(text)] == []
