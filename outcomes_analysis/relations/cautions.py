"""What makes two figures go together by the way they are made: shared denominators, near-duplicates, other children."""

from __future__ import annotations

import re

from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.relations.sentences import basis_sentence, short_name, with_capital

_PER = re.compile(r"^per [\d,]+ (?P<people>.+)$")


def people_counted(indicator: Indicator) -> str:
    """Whom a rate is per: ``"children"`` for ``per 10,000 children``; empty for a figure that is no rate of people."""
    found = _PER.match(indicator.unit)
    return found["people"] if found and indicator.form == "rate" else ""


def shared_denominator(one: Indicator, other: Indicator) -> bool:
    """Say whether two figures are divided by the same number of people.

    Rates by whom they are per; proportions by the group of children they are of: the same share of those aged 0 to 17,
    tied to areas in the same way.
    """
    if one.form == other.form == "rate":
        return people_counted(one) != "" and people_counted(one) == people_counted(other)
    share = one.sampling.cohort_share
    return (
        one.form == other.form == "proportion"
        and share is not None
        and share == other.sampling.cohort_share
        and one.geography_basis == other.geography_basis
    )


def near_duplicates(one: Indicator, other: Indicator) -> bool:
    """Say whether the framework counts two indicators once, because they measure nearly the same."""
    return bool(one.doublet) and one.doublet == other.doublet


def cautions(*pairs: tuple[Indicator, Indicator]) -> list[str]:
    """Sentences a reader of the association of two figures must have; none where nothing is amiss.

    Parameters
    ----------
    *pairs : (Indicator, Indicator)
        Predictor and outcome; what holds of several pairs is said once.

    Returns
    -------
    list of str
        On near-duplicates, on a shared denominator, and on figures that tie children to areas in different ways.
    """
    found = dict.fromkeys(words for pair in pairs if (words := _made_alike(*pair)))
    basis = basis_sentence(*(indicator for pair in pairs for indicator in pair))
    return [*found, basis] if basis else list(found)


def _made_alike(predictor: Indicator, outcome: Indicator) -> str:
    names = f"{short_name(predictor)} and {short_name(outcome)}"
    if near_duplicates(predictor, outcome):
        return (
            f"{with_capital(names)} are near-duplicates, counted once in the index: that they go together is "
            "to be expected and says little."
        )
    if shared_denominator(predictor, outcome):
        return (
            f"The figures on {names} are divided by the same number of children: where that number is off, both move "
            "together, so part of an association between them can be arithmetic."
        )
    return ""
