"""How strong evidence is said to be: a table of rules, each met or not, and the grade they add up to.

The rules are the same for every card, are printed on each and bear a version, so that a change of them shows. They
grade how steady a pattern between places is. No grade, however high, says that one thing makes another happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import pandas as pd

from outcomes_analysis.provenance import hash_of
from outcomes_analysis.wording import listed

Grade = Literal["not clear", "tentative", "fair", "strong"]
Kind = Literal["relation", "domain", "place", "trajectory"]

GRADES: tuple[Grade, ...] = get_args(Grade)
MOST_WHERE_DISPUTED: Grade = "tentative"
RELIABLE = 0.7  # share of the spread that is more than noise; as for ranks on the fit-for-purpose cards
SAME_SIGN, CLEAR, CHANCE = 0.9, 0.5, 0.05  # of all ways of asking
HELD = 0.05  # how far below its level the share of intervals that held may lie
NO_WORSE = 1.05  # error over that of "no change"
FEWEST_FORECASTS = 100  # the share that held is then known to within 5 points
FEWEST_YEARS = 3
DISPUTED_WEIGHT = 0.1  # of a domain, on contested indicators
FIFTH = 0.2  # of all places
PRESENT, OLDEST = 0.7, 3  # share of a domain's weight on figures that are there; years since the oldest of them
YEARS_BEFORE = 2  # the index that today's is held against


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    id : str
    grade : {"tentative", "fair", "strong"}
        Grade for which it must be met, besides all rules of the grades below.
    asks : str
        What must hold, in words.
    otherwise : str
        What would have to come in for the answer to change, in words that end a sentence.
    """

    id: str
    grade: Grade
    asks: str
    otherwise: str


@dataclass(frozen=True)
class Finding:
    """What was found on one rule: met, not met, or not known (``None``, which counts as not met), and in what words."""

    rule: str
    met: bool | None
    seen: str


RULES: Mapping[Kind, tuple[Rule, ...]] = MappingProxyType(
    {
        "relation": (
            Rule(
                "plain",
                "tentative",
                "The interval of the rank correlation leaves out 0.",
                "a year in which places with more of the one have no more, and no less, of the other",
            ),
            Rule(
                "alike",
                "tentative",
                "It does so too, on the same side, between places of similar child poverty, by every measure of it.",
                "figures of places with similar child poverty that point the other way",
            ),
            Rule(
                "neighbours",
                "tentative",
                "All these intervals leave out 0 also where the likeness of neighbours is allowed for.",
                "further years or smaller areas, from which the pattern can be told from neighbours' likeness",
            ),
            Rule(
                "noise",
                "fair",
                "With the known noise of the figures taken out, plain and at similar poverty, the intervals still "
                "leave out 0 on the same side.",
                "steadier figures, if the pattern were gone in them",
            ),
            Rule(
                "ways",
                "fair",
                f"Asked in every way named beforehand, at least {SAME_SIGN:.0%} of the answers point one way, at least "
                f"{CLEAR:.0%} leave out 0, and as far a middle answer comes up by chance, neighbours staying as "
                f"like as they are, in {CHANCE:.0%} at most.",
                "an equally defensible way of asking that points the other way",
            ),
            Rule(
                "london",
                "fair",
                "It points the same way and leaves out 0 without London, at similar poverty.",
                "the figures of places outside London, taken alone",
            ),
            Rule(
                "foretold",
                "strong",
                "A prediction of its direction, sealed before the figures were there, came true.",
                "next year's figures, set against a prediction sealed now",
            ),
        ),
        "domain": (
            Rule(
                "spread",
                "tentative",
                f"At least {RELIABLE:.0%} of the spread between authorities is more than noise.",
                "figures that move more from year to year than they have so far",
            ),
            Rule(
                "apart",
                "tentative",
                "At least twice as many authorities as by chance differ clearly from England.",
                "new figures in which fewer authorities differ from England",
            ),
            Rule(
                "alike",
                "fair",
                "At least twice as many authorities as by chance differ clearly from the mean of places of similar "
                "child poverty, by every measure of it.",
                "a further characteristic of places that accounts for the differences at similar poverty",
            ),
            Rule(
                "one_thing",
                "fair",
                "By the audit its indicators behave as one thing.",
                "indicators that measure more closely what children say of their lives",
            ),
            Rule(
                "methods",
                "fair",
                "Under other methods half of the authorities stay within a fifth of all places in rank.",
                "a method as easy to defend that puts places in another order",
            ),
            Rule(
                "years",
                "strong",
                "The order of authorities two years before was much the same (rank correlation of at least "
                f"{RELIABLE}).",
                "a year that turns the order of authorities over",
            ),
        ),
        "place": (
            Rule(
                "clear",
                "tentative",
                "The interval of its score leaves England's score for the same date out.",
                "new figures whose interval holds England's",
            ),
            Rule(
                "contested",
                "tentative",
                "It stands the same to England with and without contested indicators.",
                "agreement on which way is better of the figures that are contested",
            ),
            Rule(
                "present",
                "fair",
                f"At least {PRESENT:.0%} of the weight of the domain is on figures that are there for the place.",
                "figures of the place where now there are none",
            ),
            Rule(
                "recent",
                "fair",
                f"No figure in it is more than {OLDEST} years old.",
                "newer figures that put the place elsewhere",
            ),
            Rule(
                "methods",
                "fair",
                "Under other methods its rank stays within a fifth of all places.",
                "a method as easy to defend that puts the place elsewhere",
            ),
            Rule(
                "years",
                "strong",
                f"{YEARS_BEFORE} years before it stood clearly on the same side of England's score.",
                "a year that puts the place on the other side of England, or leaves it unclear",
            ),
        ),
        "trajectory": (
            Rule(
                "series",
                "tentative",
                f"There are at least {FEWEST_YEARS} comparable years since the latest break.",
                "a revised definition, which would start the series again",
            ),
            Rule(
                "tested",
                "tentative",
                f"At least {FEWEST_FORECASTS} forecasts of past years were set against what came.",
                "more years to set forecasts against",
            ),
            Rule(
                "covered",
                "fair",
                "In every group of past years the intervals held at least what they state, less "
                f"{100 * HELD:.0f} points.",
                "a year in which more figures than stated fall outside",
            ),
            Rule(
                "error",
                "fair",
                "In no group of past years was the error above that of \u201cno change\u201d by more than "
                f"{100 * NO_WORSE - 100:.0f}%.",
                "forecasts that beat \u201cno change\u201d in the years to come",
            ),
            Rule(
                "foretold",
                "strong",
                "A forecast sealed before the figures were there held as it stated.",
                "next year's figures, set against a forecast sealed now",
            ),
        ),
    }
)


@dataclass(frozen=True)
class Strength:
    """A grade with everything it rests on.

    Attributes
    ----------
    kind : {"relation", "domain", "place", "trajectory"}
    grade : {"not clear", "tentative", "fair", "strong"}
    findings : tuple of Finding
        One a rule, in the order of the table.
    caps : tuple of str
        Why the grade may not rise above ``tentative``, whatever the rules say; empty where nothing stands against it.
    """

    kind: Kind
    grade: Grade
    findings: tuple[Finding, ...]
    caps: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The rules as a table: ``rule, needed_for, asks, met`` (yes, no, not known), ``seen``."""
        words = {True: "yes", False: "no", None: "not known"}
        rows = [
            {"rule": r.id, "needed_for": r.grade, "asks": r.asks, "met": words[f.met], "seen": f.seen}
            for r, f in zip(RULES[self.kind], self.findings, strict=True)
        ]
        return pd.DataFrame(rows)

    @property
    def text(self) -> str:
        """The grade in a sentence or two."""
        unmet = [r for r, f in zip(RULES[self.kind], self.findings, strict=True) if f.met is not True]
        step = GRADES.index(self.grade) + 1
        said = f"Strength of evidence: {self.grade}, on a scale of {listed(list(GRADES))}."
        lacking = [r.id.replace("_", " ") for r in unmet if step < len(GRADES) and r.grade == GRADES[step]]
        if lacking:
            rules = "a rule" if len(lacking) == 1 else f"{len(lacking)} rules"
            said += f" To be {GRADES[step]} it lacks {rules} of those below: {listed(lacking)}."
        if self.caps:
            said += f" It can be no more than {MOST_WHERE_DISPUTED}: {'; '.join(self.caps)}."
        return said

    @property
    def change_of_mind(self) -> tuple[str, ...]:
        """What would move the grade, up or down: one line a rule."""
        found = {f.rule: f.met for f in self.findings}
        return tuple(
            f"Rule “{r.id.replace('_', ' ')}”, "
            f"{'met now: it would fall with' if found[r.id] is True else 'not met: it would take'} {r.otherwise}."
            for r in RULES[self.kind]
        )


def graded(kind: Kind, findings: Sequence[Finding], *, caps: Sequence[str] = ()) -> Strength:
    """Grade evidence by the table of rules.

    Parameters
    ----------
    kind : {"relation", "domain", "place", "trajectory"}
    findings : sequence of Finding
        One for every rule of that kind.
    caps : sequence of str
        Reasons for which it may not rise above ``tentative``: a contested or experimental figure, say.

    Returns
    -------
    Strength
        The highest grade all of whose rules, and all rules of the grades below, are met; ``not clear`` where a rule of
        ``tentative`` is not. What is not known counts as not met.

    Raises
    ------
    ValueError
        If the findings are not those of the rules.
    """
    by_rule = {finding.rule: finding for finding in findings}
    rules = RULES[kind]
    if set(by_rule) != {rule.id for rule in rules} or len(findings) != len(rules):
        message = f"findings on {sorted(by_rule)} do not answer the rules {[rule.id for rule in rules]}"
        raise ValueError(message)
    reached = 0
    for step, grade in enumerate(GRADES[1:], start=1):
        if all(by_rule[rule.id].met is True for rule in rules if rule.grade == grade):
            reached = step
        else:
            break
    most = GRADES.index(MOST_WHERE_DISPUTED) if caps else len(GRADES) - 1
    return Strength(kind, GRADES[min(reached, most)], tuple(by_rule[rule.id] for rule in rules), tuple(caps))


def rules_version() -> str:
    """Short hash of the whole table of rules: part of the id of every card."""
    return hash_of([[kind, [[r.id, r.grade, r.asks] for r in rules]] for kind, rules in RULES.items()])


def rule_table() -> pd.DataFrame:
    """Every rule of every kind of question: ``kind, rule, needed_for, asks``."""
    return pd.DataFrame(
        [
            {"kind": kind, "rule": rule.id, "needed_for": rule.grade, "asks": rule.asks}
            for kind, rules in RULES.items()
            for rule in rules
        ]
    )
