"""Words made from numbers: one place for rounding, intervals, symbols, hedges, and the guard against causal words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from textwrap import fill

SYMBOLS = {"suppressed": "[c]", "not_available": "[x]", "not_applicable": "[z]"}
SYMBOL_MEANINGS = {
    "[c]": "suppressed by the publisher to protect children's confidentiality",
    "[x]": "not available",
    "[z]": "not applicable",
    "[u]": "low reliability",
    "[d]": "doubtful: left as published, though other years or tables of the same place speak against it",
    "[low]": "rounds to zero but is not zero",
}
EXPLORATION = "For exploration, not performance management. Not official statistics."
AREAS_NOT_CHILDREN = "These are associations between areas, not between children."

# What an evaluation of a place and a date must pass before its text may speak of an effect.
EVALUATION_CHECKS = (
    "overlap",
    "fit",
    "earlier_course",
    "earlier_dates",
    "power",
    "other_places",
    "agreement",
)

_CAUSAL = re.compile(
    r"\b(caus(?:e|es|ed|ing|al)|effects?|affect(?:s|ed|ing)?|impact(?:s|ed|ing)?|drives?|driven|driving|"
    r"leads? to|led to|results? in|resulted in|due to|because of|improves?d? by|protects?|influenc(?:e|es|ed|ing)|"
    r"determin(?:e|es|ed)|boosts?|reduces?|harms)\b",
    re.IGNORECASE,
)


def number(value: float, decimals: int = 1, unit: str = "") -> str:
    """Write a number with fixed decimals and thousands separators; a true minus sign; ``"[x]"`` if missing."""
    if value is None or not math.isfinite(value):
        return SYMBOLS["not_available"]
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    sign = "\u2212" if negative else ""
    if not unit:
        return sign + text
    return f"{sign}{text}%" if unit == "%" else f"{sign}{text} {unit}"


def signed(value: float, decimals: int = 1) -> str:
    """Write a number with its sign always shown, ``"0.0"`` when it rounds to nothing."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and float(text.replace(",", "")) != 0 else text


def interval(lower: float, upper: float, *, level: float, decimals: int = 1, unit: str = "") -> str:
    """Write an interval with its level: ``"66.1 to 70.2 (90% interval)"``."""
    span = f"{number(lower, decimals)} to {number(upper, decimals, unit)}"
    return f"{span} ({round(100 * level)}% interval)"


def listed(items: Sequence[str]) -> str:
    """Join words as a person would: ``"a, b and c"``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def plural(count: int, one: str, many: str) -> str:
    """Write a count with its noun: ``"1 authority"``, ``"153 authorities"``."""
    return f"{count:,} {one if count == 1 else many}"


def how_many(count: int) -> str:
    """Write a count that ends a phrase: ``"none"`` for 0, else the number."""
    return f"{count:,}" if count else "none"


def symbol(status: str, flags: str = "") -> str:
    """Symbol of the UK statistical system for a missing or unreliable value, ours for a doubtful one, or nothing."""
    if status in SYMBOLS:
        return SYMBOLS[status]
    marks = {"low_reliability": "[u]", "doubtful": "[d]"}
    return next((mark for flag, mark in marks.items() if flag in flags.split(";")), "")


def chance(probability: float) -> str:
    """Write a probability so that nobody over-reads it: ``"about 8 in 10"``."""
    if probability < 0.05:
        return "less than 1 in 20"
    if probability > 0.95:
        return "more than 19 in 20"
    return f"about {round(10 * probability) or 1} in 10"


def ordinal(rank: int) -> str:
    """Write a rank: ``1st``, ``2nd``, ``23rd``, ``112th``."""
    suffix = "th" if 10 <= rank % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{suffix}"


def causal_words(text: str) -> list[str]:
    """Words in a text that would claim one thing makes another happen."""
    return [match.group(0) for match in _CAUSAL.finditer(text)]


def written_date(iso: str) -> str:
    """Write an ISO date in words: ``8 April 2026``; other text comes back unchanged."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B} {day.year}"


def associational(text: str) -> str:
    """Return a generated text unchanged, once it is certain that it makes no causal claim.

    Raises
    ------
    ValueError
        If it does: the sentence that generated it is wrong, which is our mistake and not the user's.
    """
    found = causal_words(text)
    if found:
        message = f"generated text uses causal words ({', '.join(sorted(set(found)))}): {text[:120]}"
        raise ValueError(message)
    return text


def evaluated(text: str, *, checks: Mapping[str, bool]) -> str:
    """Return the text of an evaluation unchanged, once it is certain that it claims no more than its checks bear.

    Parameters
    ----------
    text : str
    checks : mapping
        Whether each of ``EVALUATION_CHECKS`` passed. Only if all did may the text say "effect"; any other word that
        claims one thing makes another happen is barred even then.

    Raises
    ------
    ValueError
        If it claims more: the sentence that generated it is wrong, which is our mistake and not the user's.
    """
    passed = all(checks.get(name, False) for name in EVALUATION_CHECKS)
    associational(re.sub(r"\beffect\b", "", text, flags=re.IGNORECASE) if passed else text)
    return text


def wrapped(text: str, *, width: int = 100) -> str:
    """Break long lines of a text for a terminal; the lines of an item (``- ``) hang under its first word."""
    return "\n".join(
        fill(line, width, subsequent_indent="  " if line.startswith("- ") else "", break_on_hyphens=False)
        for line in text.split("\n")
    )
