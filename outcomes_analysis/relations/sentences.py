"""Sentences about an association, made from the numbers of its table. No sentence here is written for one result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Indicator

SHORT_NAMES = {
    "child_poverty_bhc": "child poverty before housing costs",
    "child_poverty_ahc": "child poverty after housing costs",
    "mh_admissions_0_17": "mental health admissions",
    "attainment8": "Attainment 8",
}
PROPER = ("Attainment 8", "English", "Key Stage", "Level ", "Progress 8", "Reception", "Year ")
BASIS_WORDS = {
    "residence": "by where children live",
    "school": "by where their school is",
    "submitting_authority": "by the authority that sent in the figure",
    "responsible_authority": "by the authority responsible for them",
    "place_of_event": "by where it happened",
    "registration": "by where they are registered",
}
SIZES = ((0.2, "slightly"), (0.4, "somewhat"), (0.7, "clearly"), (1.01, "strongly"))


def in_sentence(name: str) -> str:
    """Write a title so that it can stand inside a sentence: small first letter, unless it is a name or abbreviation."""
    if name.startswith(PROPER):
        return name
    return name[0].lower() + name[1:] if len(name) > 1 and name[1].islower() else name


def short_name(indicator: Indicator) -> str:
    """Write an indicator's name inside a sentence, without its bracketed details; a few by their everyday name."""
    return SHORT_NAMES.get(indicator.id, in_sentence(indicator.name.split(" (")[0]))


def checked(text: str, *, quoted: Iterable[str] = ()) -> str:
    """Return a generated text once it is sure to make no causal claim of its own.

    Parameters
    ----------
    text : str
    quoted : iterable of str
        Publishers' own titles inside it ("admissions caused by injuries"), which are not our claims.

    Raises
    ------
    ValueError
        As :func:`outcomes_analysis.wording.associational`.
    """
    ours = text
    for title in sorted(set(quoted), key=len, reverse=True):
        if title:
            ours = ours.replace(title, "").replace(in_sentence(title), "")
    wording.associational(ours)
    return text


def is_clear(row: Mapping[str, Any] | pd.Series[Any]) -> bool:
    """Whether an interval leaves out zero."""
    return bool(row["lower"] > 0 or row["upper"] < 0)


def measured(row: pd.Series[Any], *, decimals: int = 2) -> str:
    """Estimate with its interval and level: ``"−0.18, −0.31 to −0.04 (90% interval)"``."""
    estimate = wording.number(row["estimate"], decimals)
    span = wording.interval(row["lower"], row["upper"], level=row["level"], decimals=decimals)
    return f"{estimate}, {span}"


def opening(predictor: Indicator, outcome: Indicator) -> str:
    """First sentence: what the figures are not."""
    counted = [i for i in (predictor, outcome) if "admission" in i.name.lower()]
    if counted:
        names = wording.listed([f"\u201c{i.name}\u201d" for i in counted])
        verb = "counts" if len(counted) == 1 else "count"
        return (
            f"Admissions are not prevalence: {names} {verb} stays in hospital, which also reflect how many beds there "
            "are, who is referred and how stays are recorded, not how many children have the condition."
        )
    limits = [i for i in (predictor, outcome) if i.cannot_tell]
    return " ".join(f"What \u201c{i.name}\u201d cannot tell: {i.cannot_tell.rstrip('.')}." for i in limits)


def raw_sentence(row: pd.Series[Any], *, predictor: Indicator, outcome: Indicator, periods: Mapping[str, str]) -> str:
    """The plain association, before anything is held alike."""
    x, y = short_name(predictor), short_name(outcome)
    when = f"{x} of {periods[predictor.id]}, {y} of {periods[outcome.id]}"
    across = f"Across {wording.plural(int(row['n']), 'upper-tier authority', 'upper-tier authorities')} ({when}),"
    if not is_clear(row):
        return f"{across} there is no clear association between the two: rank correlation {measured(row)}."
    size = next(word for bound, word in SIZES if abs(row["estimate"]) < bound)
    way = "higher" if row["estimate"] > 0 else "lower"
    return (
        f"{across} places with higher {x} tended to have {size} {way} {y}: rank correlation {measured(row)}, "
        f"on a scale from {wording.number(-1, 0)} to 1."
    )


def compared_sentence(
    lead: str, row: pd.Series[Any], *, with_row: pd.Series[Any], apart: Mapping[str, Any] | pd.Series[Any]
) -> str:
    """How the association changes when something is held alike or left out.

    Parameters
    ----------
    lead : str
        Says what changed: ``"Between places with similar child poverty,"``.
    row, with_row : Series
        The new estimate and the one it is compared with.
    apart : mapping
        ``estimate, lower, upper, level`` of the first less the second. Two intervals that overlap say nothing of it:
        it is stronger or weaker only where the interval of the difference itself leaves out nought.
    """
    towards = np.sign(with_row["estimate"])
    if is_clear(row) and is_clear(with_row) and np.sign(row["estimate"]) != towards:
        words = "the association turns round"
    elif not is_clear(apart):
        words = "the association cannot be told apart from the one it is set beside"
    else:
        words = f"the association is {'stronger' if np.sign(apart['estimate']) == towards else 'weaker'}"
    own = "" if is_clear(row) else ", and not clear in itself"
    authorities = wording.plural(int(row["n"]), "authority", "authorities")
    span = wording.interval(apart["lower"], apart["upper"], level=apart["level"], decimals=2)
    return (
        f"{lead} {words}{own}: {measured(row)}; difference {wording.signed(apart['estimate'], 2)}, {span}; "
        f"{authorities}."
    )


def slope_sentence(row: pd.Series[Any], *, outcome: Indicator, held: str = "") -> str:
    """A slope in natural units, with what it is per."""
    lead = f"between places with similar {held}" if held else "with nothing held alike"
    per = str(row["unit"]).split(" for each ")[-1]
    if not is_clear(row):
        return f"{lead}, no clear difference in {short_name(outcome)} ({measured(row)} for each {per})"
    more = "higher" if row["estimate"] > 0 else "lower"
    near, far = sorted((abs(row["lower"]), abs(row["upper"])))
    span = wording.interval(near, far, level=row["level"], decimals=2)
    size = wording.number(abs(row["estimate"]), 2, outcome.unit.split(" (")[0])
    return f"{lead}, {short_name(outcome)} {size} {more} for each {per}: {span}"


def region_sentence(
    row: pd.Series[Any], *, robust: pd.Series[Any], share: float, held: str, names: tuple[str, str]
) -> str:
    """What the model with a random intercept for each region says, beside least squares."""
    if row["status"] == "withheld":
        return f"Allowing for differences between regions is withheld: {row['reason']}."
    if np.isfinite(share):
        part = f" ({wording.number(100 * share, 0)}% of what is left unexplained lies between regions)"
    else:
        part = ""
    agree = is_clear(row) == is_clear(robust) and (np.sign(row["estimate"]) == np.sign(robust["estimate"]))
    verdict = "both say the same" if agree else "the two do not say the same, so read either with care"
    held_words = f" and {held}" if held else ""
    return (
        f"Allowing for differences between regions{held_words}{part}, a place one standard deviation higher on "
        f"{names[0]} differs on {names[1]} by this many standard deviations: {measured(row)}. Plain least squares with "
        f"robust errors gives {measured(robust)}; {verdict}."
    )


def basis_sentence(predictor: Indicator, outcome: Indicator) -> str:
    """State it when the two figures tie children to areas in different ways."""
    if predictor.geography_basis == outcome.geography_basis:
        return ""
    first, second = BASIS_WORDS[predictor.geography_basis], BASIS_WORDS[outcome.geography_basis]
    return (
        f"The two figures are not of the same children: those on {short_name(predictor)} go {first}, those on "
        f"{short_name(outcome)} {second}. Many children cross a boundary to school, most of all in London, which is "
        "one reason to read the answer without London too."
    )


def caveats(*, draws: int, level: float, contested: Iterable[Indicator], held: Sequence[str]) -> list[str]:
    """What every reader must know, whatever the numbers."""
    marks = [
        f"\u201c{i.name}\u201d is contested: {in_sentence(i.contested.rstrip('.'))}." for i in contested if i.contested
    ]
    return [
        *marks,
        f"{wording.AREAS_NOT_CHILDREN} A pattern between places can be absent, or run the other way, among children.",
        f"Places differ in much besides {wording.listed(list(held)) or 'what is shown here'}; holding one thing alike "
        "leaves the others, and says nothing about which of the two figures comes first.",
        f"Intervals of correlations ({round(100 * level)}%) come from drawing authorities again {draws:,} times. They "
        "take authorities as separate although neighbours resemble each other, so the truth is somewhat less sure; "
        "noise in the figures themselves makes associations look weaker than they are.",
        wording.EXPLORATION,
    ]


def tally_sentence(table: pd.DataFrame) -> str:
    """How many analyses were made and of what kinds, how far apart their estimates lie, and which way they point.

    Parameters
    ----------
    table : DataFrame
        Rows of the result. A slope in natural units is the one in standard units said again and is not counted.
    """
    rows = table[table["status"].eq("computed") & table["scale"].ne("natural")]
    if len(rows) < 2:
        return ""
    parts = []
    for scale, one, many in (("correlation", "correlation", "correlations"), ("standard", "slope", "slopes")):
        part = rows.loc[rows["scale"] == scale, "estimate"]
        if len(part):
            span = f"{wording.number(part.min(), 2)} to {wording.number(part.max(), 2)}"
            parts.append(f"{wording.plural(len(part), one, many)} from {span}")
    clear = rows[(rows["lower"] > 0) | (rows["upper"] < 0)]
    signs = set(np.sign(clear["estimate"]))
    if clear.empty:
        verdict = "none has an interval that leaves out nought"
    elif len(signs) > 1:
        verdict = (
            f"{len(clear)} leave out nought, and they do not agree on the direction: no single answer can be given"
        )
    else:
        way = "higher" if signs == {1.0} else "lower"
        verb = "has an interval that leaves" if len(clear) == 1 else "have intervals that leave"
        verdict = f"{len(clear)} of the {len(rows)} {verb} out nought, always higher with {way}"
    return (
        f"Asked in {len(rows)} ways, the estimates are {wording.listed(parts)} (in standard deviations of the one for "
        f"each of the other); {verdict}. All rest on the same authorities: they are no {len(rows)} separate answers."
    )
