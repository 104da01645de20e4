"""A search of the indicators by words: names count most, near spellings are understood, nothing is found in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import pandas as pd

from outcomes_analysis.errors import FrameworkError, several
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework, Indicator

WEIGHTS = {"id": 4.0, "name": 4.0, "domain": 3.0, "outcome": 2.0, "definition": 1.0, "further": 1.0, "other": 0.5}
SHORT_FORMS = {
    "a8": "attainment 8",
    "cin": "children in need",
    "cla": "looked after",
    "cpp": "protection plan",
    "ehcp": "health care plan",
    "fsm": "free school meals",
    "gld": "good level development",
    "lac": "looked after",
    "ncmp": "overweight",
    "nursery": "early education",
    "obese": "obesity",
    "p8": "progress 8",
    "pa": "persistent absence",
    "readiness": "ready",
    "sdq": "strengths difficulties",
    "send": "special educational needs",
    "sen": "special educational needs",
    "truancy": "absence",
}
_STOP = frozenset(re.findall(r"\w+", "a an and are as at be by for from in is it of on or the their to who with"))
_COLUMNS = ["name", "domain", "outcome_label", "unit", "direction", "scored", "contested", "age_stage", "tier"]


def find(words: str, *, framework: Framework | None = None) -> pd.DataFrame:
    """Find the indicators that speak of something.

    Parameters
    ----------
    words : str
        What to look for: ``"absence"``, ``"mental health"``, ``"GLD"``, or a domain's name.
    framework : Framework, optional
        Where to look; the default framework if None.

    Returns
    -------
    DataFrame
        Indexed by ``indicator_id``, best first; columns ``name, domain, outcome_label, unit, direction`` (1 higher
        is better, -1 lower, 0 neither)``, scored, contested, age_stage, tier, found`` (which words were found, and as
        what), ``score``. Indicators that match the most words are kept. Never empty.

    Raises
    ------
    FrameworkError
        If no word was given or nothing matches; the message says what can be looked for.

    Notes
    -----
    A word matches a word with the same stem or beginning; a word found nowhere is replaced by the words most like it
    (``difflib``). Each place counts by ``WEIGHTS`` and ties keep the framework's order.
    """
    fw = load_framework() if framework is None else framework
    asked = _asked(words)
    if not asked:
        message = f"Nothing to look for. Give a word, such as 'absence', or a domain: {_themes(fw)}."
        raise FrameworkError(message)
    places = {indicator.id: _places(indicator, fw) for indicator in fw.indicators}
    vocabulary = sorted({word for fields in places.values() for found in fields.values() for word in found})
    accepted = {word: _accepted(word, vocabulary) for word in asked}
    if not any(accepted.values()):
        message = f"No indicator speaks of '{words.strip()}'. Try a word of a domain ({_themes(fw)}) or of a name."
        raise FrameworkError(message)
    return _ranked(fw, places, accepted)


def _asked(words: str) -> list[str]:
    """Words of a question, short forms written out, in order and once each."""
    text = " ".join(SHORT_FORMS.get(word, word) for word in _split(words))
    return list(dict.fromkeys(word for word in _split(text) if word not in _STOP))


def _split(text: str) -> list[str]:
    return re.findall(r"[a-z0-9½]+", text.casefold().replace("'s", "").replace("’s", ""))


def _stem(word: str) -> str:
    """Take off what English adds for number and tense, crudely but alike on both sides."""
    for ending, instead in (("ies", "y"), ("ses", "s"), ("ing", ""), ("ed", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: len(word) - len(ending)] + instead
    return word


def _places(indicator: Indicator, framework: Framework) -> dict[str, frozenset[str]]:
    outcome = framework.node(indicator.outcome) if indicator.outcome else None
    domains = [framework.node(domain) for domain in indicator.domains]
    texts: dict[str, Iterable[str]] = {
        "id": [indicator.id],
        "name": [indicator.name],
        "domain": [domain.label for domain in domains[:1]] or ["context"],
        "further": [domain.label for domain in domains[1:]],
        "outcome": [outcome.label, outcome.statement] if outcome else [],
        "definition": [indicator.definition],
        "other": [indicator.unit, indicator.measure_of, "contested" if indicator.contested else ""],
    }
    return {place: frozenset(_split(" ".join(text).replace("_", " "))) for place, text in texts.items()}


def _accepted(word: str, vocabulary: list[str]) -> frozenset[str]:
    """Words of the framework taken for a word asked for: the same stem, the same beginning, else the nearest."""
    stem = _stem(word)
    same = {known for known in vocabulary if _stem(known) == stem}
    if len(stem) >= 5:  # shorter beginnings are shared by chance: read and ready
        same |= {known for known in vocabulary if known.startswith(stem)}
    if not same and len(word) >= 4:
        near = get_close_matches(word, [v for v in vocabulary if v not in _STOP], n=2, cutoff=0.8)
        same = {known for known in vocabulary if near and _stem(known) in {_stem(n) for n in near}}
    return frozenset(same)


def _ranked(
    framework: Framework, places: Mapping[str, Mapping[str, frozenset[str]]], accepted: Mapping[str, frozenset[str]]
) -> pd.DataFrame:
    rows = []
    for indicator in framework.indicators:
        scores = {word: _score(places[indicator.id], known) for word, known in accepted.items()}
        found = {word: score for word, score in scores.items() if score > 0}
        spoken = [_spoken(word, places[indicator.id], accepted[word]) for word in found]
        rows.append({"indicator_id": indicator.id, "n": len(found), "score": sum(found.values()), "found": spoken})
    table = pd.DataFrame(rows).set_index("indicator_id")
    table = table[table["n"] == table["n"].max()].sort_values("score", ascending=False, kind="stable")
    table["found"] = table["found"].map(", ".join)
    facts = framework.to_frame()
    facts["scored"] = [indicator.scored for indicator in framework.indicators]
    return facts.loc[table.index, _COLUMNS].join(table[["found", "score"]])


def _score(places: Mapping[str, frozenset[str]], known: frozenset[str]) -> float:
    return sum(WEIGHTS[place] for place, words in places.items() if words & known)


def _spoken(word: str, places: Mapping[str, frozenset[str]], known: frozenset[str]) -> str:
    """Word asked for, with what it was taken for where that differs."""
    here = sorted({w for words in places.values() for w in words if w in known}, key=lambda w: (len(w), w))
    return word if word in here or not here else f"{word} ({here[0]})"


def _themes(framework: Framework) -> str:
    return several((domain.label.lower() for domain in framework.domains), limit=12)
