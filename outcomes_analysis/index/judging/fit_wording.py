"""Fit-for-purpose cards in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.wording import listed, number, plural, written_date

USE_WORDS = {"rank": "a rank", "change": "a verdict on change in a year", "england": "a comparison with England"}
BASIS_WORDS = {
    "residence": "where the child lives",
    "school": "where the school is",
    "submitting_authority": "the authority that sends in the return",
    "responsible_authority": "the authority responsible for the child",
    "place_of_event": "where it happened",
    "registration": "where the child is registered",
}


def _in_tens(share: float) -> str:
    return f"{number(100 * share, 0)}%"


def amount(value: float, unit: str) -> str:
    """An amount of an indicator in its unit, with decimals by its size; percentages as percentage points."""
    decimals = 0 if abs(value) >= 20 else 1 if abs(value) >= 2 else 2
    return number(value, decimals, "percentage points" if unit == "%" else unit)


def _uses(card: Mapping[str, Any]) -> list[str]:
    overridden = str(card["overridden"]).split(", ")
    borne = [words for use, words in USE_WORDS.items() if card[f"use_{use}"] and use not in overridden]
    sentences = [f"It can bear {listed(borne)}." if borne else "Its figures alone can bear none of the uses judged."]
    for use, words in USE_WORDS.items():
        if use in overridden:
            sentences.append(f"Used for {words} all the same, by override, although {card[f'withheld_{use}']}.")
        elif not card[f"use_{use}"]:
            sentences.append(f"Withheld: {words} ({card[f'withheld_{use}']}).")
    return sentences


def card_text(card: Mapping[str, Any]) -> str:
    """Write one card: what it can bear, how well it tells areas and years apart, and who is left out.

    Parameters
    ----------
    card : mapping
        One row of the table of cards.

    Returns
    -------
    str
        A paragraph.
    """
    name, period = card["name"], card["period"]
    sentences = [f"{name} ({period}).", *_uses(card)]
    if np.isfinite(card["reliability"]):
        noise = 1 - card["reliability"]
        sentences.append(
            f"Reliability {number(card['reliability'], 2)}: about {_in_tens(noise)} of the differences between "
            f"authorities is noise; {_in_tens(card['pairs_differ'])} of pairs of authorities differ at 90%."
        )
        sentences.append(
            "The smallest change in a year that shows for a typical authority is "
            f"{amount(card['smallest_change'], card['unit'])}."
        )
    else:
        sentences.append("Its errors are not known, so neither reliability nor the smallest change can be given.")
    sentences += _left_out(card)
    basis = BASIS_WORDS.get(str(card["geography_basis"]), str(card["geography_basis"]))
    sentences.append(f"A child counts by {basis}.")
    if np.isfinite(card["lag_months"]):
        months = max(0, round(card["lag_months"]))
        sentences.append(
            f"The period ended {plural(months, 'month', 'months')} before {written_date(card['judged_at'])}."
        )
    if card["breaks"]:
        sentences.append(f"Breaks: {str(card['breaks']).rstrip('.')}.")
    if card["contested"]:
        sentences.append(f"Contested: {card['contested']}")
    return " ".join(sentences)


def _left_out(card: Mapping[str, Any]) -> list[str]:
    missing = card["n_missing"]
    if not missing:
        return ["Every authority that can be ranked has a figure."]
    parts = [plural(missing, "authority is", "authorities are") + " left out"]
    if card["n_suppressed"]:
        parts.append(f"{card['n_suppressed']} of them suppressed")
    if card["n_inherited"]:
        parts.append(f"{card['n_inherited']} for having only the figure of a former authority")
    return [f"{', '.join(parts)}: {card['left_out']}."]


def fitness_text(table: pd.DataFrame) -> str:
    """Sum the cards up: how many bear which use, which are the noisiest, and every override by name.

    Parameters
    ----------
    table : DataFrame
        Table of cards.

    Returns
    -------
    str
    """
    total = plural(len(table), "indicator", "indicators")
    counts = [f"{int(table[f'use_{use}'].sum())} can bear {words}" for use, words in USE_WORDS.items()]
    sentences = [f"Of {total}, {listed(counts)}."]
    weakest = table.dropna(subset=["reliability"]).nsmallest(3, "reliability")
    if len(table) > 1 and len(weakest):
        named = listed(
            [f"{r.name_} ({number(r.reliability, 2)})" for r in weakest.rename(columns={"name": "name_"}).itertuples()]
        )
        sentences.append(f"The least reliable are {named}.")
    for _, one in table[table["overridden"] != ""].iterrows():
        uses = listed([USE_WORDS[use] for use in str(one["overridden"]).split(", ")])
        sentences.append(f"By override, {one['name']} is used for {uses} although its figures do not bear it.")
    return " ".join(sentences)
