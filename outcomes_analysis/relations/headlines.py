"""The answer in one sentence: as the figures stand, between places similar in what is allowed for, neighbours too.

An association that is not clear as it stands can be clear between like places, and the other way round; a headline
that gives one of the two misleads, so both are always in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.relations.result import headline_row
from outcomes_analysis.relations.sentences import SIZES, is_clear, levels, spanned, with_capital

Case = tuple[str, "pd.Series[Any]"]
_STRENGTHS = tuple(
    (bound, word) for (bound, _), word in zip(SIZES, ("very weak", "weak", "moderate", "strong"), strict=True)
)
_COUNTS = {1: "one", 2: "two", 3: "three"}


def size_word(estimate: float) -> str:
    """How much a correlation of this size is called: slightly, somewhat, clearly, strongly."""
    return next(word for bound, word in SIZES if abs(estimate) < bound)


def title_of(table: pd.DataFrame, *, pair: tuple[str, str], names: Mapping[str, str]) -> str:
    """Title of a picture or page: the plain association and that between like places, in one sentence.

    Parameters
    ----------
    table : DataFrame
        As ``RelationResult.table``.
    pair : (str, str)
        Names of predictor and outcome inside a sentence.
    names : mapping
        Name of what is allowed for, by indicator id.
    """
    plain, cases = headline_row(table), _held_alike(table, names)
    known = [case for case in cases if case[1]["status"] == "computed"]
    lead = _plain_title(plain, pair)
    if not known:
        return lead
    clear = [case for case in known if is_clear(case[1])]
    alike = f"similar {_shortest([words for words, _ in known])}"
    if not clear:
        return f"{lead}, {'but not clearly among places with' if is_clear(plain) else 'with or without'} {alike}"
    same_way = {bool(row["estimate"] > 0) for _, row in clear} == {bool(plain["estimate"] > 0)}
    if len(clear) == len(known) and is_clear(plain) and same_way:
        return f"{lead}, also among places with {alike}"
    said = _among_like(known, clear, lead_clear=is_clear(plain), same_way=same_way)
    return f"{lead.removesuffix(' across authorities')}; {said}"


def sentence_of(table: pd.DataFrame, *, pair: tuple[str, str], names: Mapping[str, str]) -> str:
    """The same with its numbers and intervals, and whether they allow for the likeness of neighbours.

    Parameters
    ----------
    table, pair, names
        As in :func:`title_of`.
    """
    plain = headline_row(table)
    cases = [case for case in _held_alike(table, names) if case[1]["status"] == "computed"]
    rows = [plain, *(row for _, row in cases)]
    careful = [row["analysis"] == "spearman_neighbours" for row in rows]
    lead = "With the likeness of neighbours allowed for, " if all(careful) else ""
    first = f"{_stands(plain, pair)} (rank correlation {spanned(plain)})"
    sentence = f"{lead}{first}" if lead else with_capital(first)
    said = [f"{words}, {_way(row, pair)} ({spanned(row)})" for words, row in _said_once(cases, "between places with ")]
    if said:
        sentence = f"{sentence}; {'; '.join(said)}"
    tail = (
        "" if all(careful) or not any(careful) else " Not all of these intervals allow for the likeness of neighbours."
    )
    return f"{sentence} ({levels(len(rows), plain['level'])}).{tail}"


def numbers_of(table: pd.DataFrame, *, names: Mapping[str, str]) -> str:
    """Rank correlations of the headline with their intervals, for a subtitle.

    Parameters
    ----------
    table, names
        As in :func:`title_of`.
    """
    plain = headline_row(table)
    cases = [case for case in _held_alike(table, names) if case[1]["status"] == "computed"]
    rows = [plain, *(row for _, row in cases)]
    said = "; ".join([spanned(plain), *(f"{words} {spanned(row)}" for words, row in _said_once(cases, "with "))])
    allowed = (
        ", likeness of neighbours allowed for" if all(r["analysis"] == "spearman_neighbours" for r in rows) else ""
    )
    return f"{said} ({levels(len(rows), plain['level'])}{allowed})"


def _said_once(cases: Sequence[Case], lead: str) -> list[Case]:
    """Words for each case; what all names begin with is said with the first alone."""
    names = [held.split() for held, _ in cases]
    start = _shared(names) if len(names) > 1 else 0
    rest = [" ".join(words[start:]) if start else f"{lead}similar {' '.join(words)}" for words in names[1:]]
    return [(f"{lead}similar {held}" if k == 0 else rest[k - 1], row) for k, (held, row) in enumerate(cases)]


def _held_alike(table: pd.DataFrame, names: Mapping[str, str]) -> list[Case]:
    sets = [key for key in table.loc[table["analysis"].eq("spearman"), "adjusted_for"].unique() if key]
    return [(wording.listed([names[i] for i in key.split("+")]), headline_row(table, adjusted_for=key)) for key in sets]


def _plain_title(plain: pd.Series[Any], pair: tuple[str, str]) -> str:
    if plain["status"] != "computed" or not is_clear(plain):
        return f"No clear association between {pair[0]} and {pair[1]} across authorities"
    way = "higher" if plain["estimate"] > 0 else "lower"
    return f"Places with higher {pair[0]} tended to have {size_word(plain['estimate'])} {way} {pair[1]}"


def _stands(plain: pd.Series[Any], pair: tuple[str, str]) -> str:
    if not is_clear(plain):
        return f"there is no clear association between {pair[0]} and {pair[1]} as they stand"
    way = "higher" if plain["estimate"] > 0 else "lower"
    return f"places with higher {pair[0]} tended to have {size_word(plain['estimate'])} {way} {pair[1]}"


def _way(row: pd.Series[Any], pair: tuple[str, str]) -> str:
    if not is_clear(row):
        return "no clear one"
    way = "higher" if row["estimate"] > 0 else "lower"
    return f"higher {pair[0]} went with {size_word(row['estimate'])} {way} {pair[1]}"


def _among_like(known: Sequence[Case], clear: Sequence[Case], *, lead_clear: bool, same_way: bool) -> str:
    """What holds among like places where it is not what holds of all: short enough for a title."""
    names = [words for words, _ in known]
    words = [name.split() for name in names]
    start = _shared(words) if len(names) > 1 else 0
    if start and _shared([w[start:][::-1] for w in words]):  # measures of one thing: the subtitle has each number
        held = " ".join(words[0][:start])
        some = "" if len(clear) == len(known) else f"{_COUNTS.get(len(clear), len(clear))} of "
        by = f", by {some}{_COUNTS.get(len(known), len(known))} measures" if some else ""
    else:
        held = wording.listed([name for name, _ in clear])
        others = [name for name, row in known if not is_clear(row)]
        by = f", not at similar {wording.listed(others)}" if others else ""
    if len({bool(row["estimate"] > 0) for _, row in clear}) > 1:
        return f"at similar {held} its direction depends on the measure"
    if lead_clear and same_way:
        return f"at similar {held} this is clear{by.replace(', by', ' by only', 1)}"
    sizes = [word for bound, word in _STRENGTHS if any(_strength(row) == word for _, row in clear)]
    way = "positive" if clear[0][1]["estimate"] > 0 else "negative"
    thing = "association" if lead_clear else "one"
    return f"a {' to '.join(sizes)} {way} {thing} at similar {held}{by}"


def _strength(row: pd.Series[Any]) -> str:
    return next(word for bound, word in _STRENGTHS if abs(row["estimate"]) < bound)


def _shortest(names: Sequence[str]) -> str:
    """Names with the words they begin with said once: ``child poverty before or after housing costs``."""
    words = [name.split() for name in names]
    if len(words) < 2:
        return " or ".join(names)
    start = _shared(words)
    end = _shared([w[start:][::-1] for w in words])
    middles = [" ".join(w[start : len(w) - end]) for w in words]
    return " ".join([*words[0][:start], " or ".join(middles), *words[0][len(words[0]) - end :]])


def _shared(words: Sequence[Sequence[str]]) -> int:
    """How many first words all have in common, at least one left over in each."""
    count = 0
    while all(len(w) > count + 1 for w in words) and len({w[count] for w in words}) == 1:
        count += 1
    return count
