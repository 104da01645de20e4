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


def cautions(predictor: Indicator, outcome: Indicator) -> list[str]:
    """Sentences a reader of the association of two figures must have; none where nothing is amiss.

    Parameters
    ----------
    predictor, outcome : Indicator

    Returns
    -------
    list of str
        On near-duplicates, on a shared denominator, and on figures that tie children to areas in different ways.
    """
    names = f"{short_name(predictor)} and {short_name(outcome)}"
    found = []
    if near_duplicates(predictor, outcome):
        found.append(
            f"{with_capital(names)} are near-duplicates, counted once in the index: that they go together is "
            "to be expected and says little."
        )
    elif shared_denominator(predictor, outcome):
        found.append(
            "Both figures are divided by the same number of children: where that number is off, both move together, so "
            "part of an association between them can be arithmetic."
        )
    basis = basis_sentence(predictor, outcome)
    return [*found, basis] if basis else found
