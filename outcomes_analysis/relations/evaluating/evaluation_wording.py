"""An evaluation in plain words: of an effect only where every check has passed."""

from __future__ import annotations

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.relations.evaluating.counterparts import METHOD_WORDS
from outcomes_analysis.relations.sentences import in_sentence, marks, own_words, short_name, with_capital

# What a failed check means, in words.
FAILURES = {
    "overlap": "the place lies outside the range of all others, so nothing resembles it",
    "fit": "even places weighted to resemble it do not follow its earlier course",
    "earlier_course": "it was on a course of its own before the date",
    "earlier_dates": "dates before, when nothing is known to have changed, stand out as well",
    "power": "only a change larger than one standard deviation between places could have been seen",
    "other_places": "other places, where it did not happen, differ as much from what was to be expected",
    "agreement": "two ways of asking do not give the same answer",
}


def compose_evaluation(
    table: pd.DataFrame,
    checks: pd.DataFrame,
    power: pd.DataFrame,
    paths: pd.DataFrame,
    *,
    weights: pd.Series[float],
    change: str,
    indicator: Indicator,
    framework: Framework,
    names: pd.Series[str],
    place: str,
    others: int,
) -> str:
    """Text of an evaluation, every number from its tables.

    Parameters
    ----------
    table, checks, power, paths, weights
        As in ``EvaluationResult``.
    change : str
        The user's words for what changed.
    indicator : Indicator
    framework : Framework
        Says whether its domain is experimental.
    names : Series
        Name by ``area_code``.
    place : str
        Name of the place.
    others : int
        How many other places there are.
    """
    years = paths["year"]
    since = int(years[paths["since"]].iloc[0])
    parts = [
        f"{with_capital(short_name(indicator))} in {place} from {since} to {years.iloc[-1]}, set beside {others} other "
        f"places with figures for the same {len(years)} years from {years.iloc[0]}; asked about: {change}.",
        _verdict(table, checks, change=change, unit=indicator.unit, decimals=_decimals(indicator)),
        _fitted(table, weights, names, unit=indicator.unit, decimals=_decimals(indicator)),
        _seen(power, level=float(table["level"].iloc[0]), unit=indicator.unit, decimals=_decimals(indicator)),
        "Anything else that set the place apart at the same time is part of any difference.",
        *marks([indicator], framework=framework),
        wording.EXPLORATION,
    ]
    text = " ".join(part for part in parts if part)
    ours = text.replace(change, "")
    for words in sorted({w for w in own_words(indicator) if w}, key=len, reverse=True):
        ours = ours.replace(words, "").replace(in_sentence(words), "")
    wording.evaluated(ours, checks=dict(zip(checks["check"], checks["passed"].astype(bool), strict=True)))
    return text


def _decimals(indicator: Indicator) -> int:
    return max(indicator.decimals, 1)


def _verdict(table: pd.DataFrame, checks: pd.DataFrame, *, change: str, unit: str, decimals: int) -> str:
    failed = checks.loc[~checks["passed"].astype(bool), "check"].tolist()
    if table["status"].eq("withheld").all():
        return f"What followed is withheld: {_reasons(failed)}."
    said = [
        f"beside {METHOD_WORDS[row.method]}, {wording.signed(row.estimate, decimals)}, "
        f"{wording.interval(row.lower, row.upper, level=row.level, decimals=decimals)}, a difference as large in "
        f"{wording.number(100 * row.p_value, 0)}% of places"
        for row in table.itertuples()
    ]
    figures = f"The place differs ({in_sentence(unit)}): {'; '.join(said)}."
    if failed:
        return f"{figures} This is not to be put down to {change}: {_reasons(failed)}."
    way = "higher" if table["estimate"].iloc[0] > 0 else "lower"
    return (
        f"{figures} Every check was passed, so it may be read as an effect of {change}, provided nothing else set the "
        f"place apart at that time: the figure is {way} than it would otherwise be expected to be."
    )


def _reasons(failed: list[str]) -> str:
    """What failed checks mean, the parts held apart by semicolons since some have commas of their own."""
    said = [FAILURES[name] for name in failed]
    return "; and ".join(["; ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def _fitted(table: pd.DataFrame, weights: pd.Series[float], names: pd.Series[str], *, unit: str, decimals: int) -> str:
    misfit = table.set_index("method").at["weighted", "misfit"]
    largest = [f"{names[code]} {wording.number(100 * weight, 0)}%" for code, weight in weights.head(3).items()]
    worth = 1 / float((weights**2).sum())
    return (
        f"Before the date the weighted places miss it by {wording.number(misfit, decimals + 1)} in a typical year "
        f"({in_sentence(unit)}); {wording.plural(len(weights), 'place has', 'places have')} weight, worth "
        f"{wording.number(worth, 0)} of equal weight, most of all {wording.listed(largest)}."
    )


def _seen(power: pd.DataFrame, *, level: float, unit: str, decimals: int) -> str:
    row = power.loc[power["detectable"].idxmin()]
    least = wording.number(row["detectable"], decimals)
    known = (
        f" Were sampling error all that moves the figures, it would be {wording.number(row['by_sampling'], decimals)}; "
        f"with ordinary year-to-year variation too, {wording.number(row['by_year_to_year'], decimals)}."
        if pd.notna(row["by_sampling"]) and pd.notna(row["by_year_to_year"])
        else " The sampling error of these figures is not known."
    )
    return (
        f"What could have been seen at all: a change smaller than {least} ({in_sentence(unit)}) would have stood out "
        f"at the {round(100 * level)}% level less than four times in five.{known}"
    )
