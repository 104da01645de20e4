"""Sentences about an association with noise allowed for, made from the numbers of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.relations.sentences import (
    basis_sentence,
    checked,
    is_clear,
    marks,
    measured,
    opening,
    own_words,
    short_name,
)
from outcomes_analysis.relations.specification import RelationSpec

JUST = 0.1  # an interval that ends within this share of its width from 0 could reach it with other draws
NOT_VALIDITY = (
    "What is repaired is noise, not validity: whether a figure measures what its name says is the same question as "
    "before. The sizes of the errors are taken as known, and the errors of the two figures as unrelated. They count "
    "all of the ordinary change from year to year as noise, lasting change with it; if that is too much, the "
    "association with errors allowed for comes out too strong."
)


def noise_sentence(shares: Mapping[str, float], *, predictor: Indicator, outcome: Indicator, held: str) -> str:
    """How much of what differs between similar places is error."""
    parts = [
        f"about {wording.number(100 * shares[role], 0)}% for {short_name(indicator)}"
        for role, indicator in (("predictor", predictor), ("outcome", outcome))
    ]
    return (
        f"Of the variation between authorities of one region with similar {held}, part is noise (small numbers, and "
        f"one year that differs from the next): {wording.listed(parts)}."
    )


def _clarity(row: pd.Series[Any], *, predictor: Indicator, outcome: Indicator) -> str:
    if not is_clear(row):
        return f"there is no clear association of {short_name(predictor)} with {short_name(outcome)}"
    way = "higher" if row["estimate"] > 0 else "lower"
    nearest = min(abs(row["lower"]), abs(row["upper"]))
    only_just = " (only just told apart from none)" if nearest < JUST * (row["upper"] - row["lower"]) else ""
    return f"places with higher {short_name(predictor)} tended to have {way} {short_name(outcome)}{only_just}"


def slopes_sentence(
    allowed: pd.Series[Any], ignored: pd.Series[Any], *, predictor: Indicator, outcome: Indicator, held: str
) -> str:
    """The slope with errors allowed for, beside the one without."""
    lead = (
        f"Across {wording.plural(int(allowed['n']), 'upper-tier authority', 'upper-tier authorities')}, with the known "
        f"errors of both figures allowed for, and between those of one region with similar {held},"
    )
    if allowed["status"] == "withheld":
        return f"The association with errors allowed for is withheld: {allowed['reason']}."
    beside = (
        f"the comparison with the same figures taken to be exact is withheld: {ignored['reason']}"
        if ignored["status"] == "withheld"
        else f"with the same figures taken to be exact it is {measured(ignored)}"
    )
    return (
        f"{lead} {_clarity(allowed, predictor=predictor, outcome=outcome)}: a place one standard deviation higher on "
        f"the first differs on the second by {measured(allowed)} standard deviations; {beside}."
    )


def others_sentence(rows: Mapping[tuple[str, str], pd.Series[Any]]) -> str:
    """The correlation both ways and, where there is one, the slope in natural units."""
    allowed, ignored = rows["errors_allowed_for", "correlation"], rows["errors_ignored", "correlation"]
    if allowed["status"] == "withheld":
        return ""
    sentence = f"As a correlation within regions, {held_alike(allowed, ignored)}."
    natural = rows.get(("errors_allowed_for", "natural"))
    if natural is None:
        return sentence
    estimate = wording.signed(natural["estimate"], 1)
    span = wording.interval(natural["lower"], natural["upper"], level=natural["level"], decimals=1)
    return f"{sentence} In natural units: {estimate} in {natural['unit']}, {span}."


def held_alike(allowed: pd.Series[Any], ignored: pd.Series[Any]) -> str:
    """Write the two correlations side by side."""
    if ignored["status"] == "withheld":
        return f"{measured(allowed)} with errors allowed for"
    return f"{measured(allowed)} with errors allowed for and {measured(ignored)} without"


def compose_measurement(
    table: pd.DataFrame, *, spec: RelationSpec, framework: Framework, diagnostics: Mapping[str, Any]
) -> str:
    """Write the page of one association with noise allowed for.

    Parameters
    ----------
    table : DataFrame
        As ``fit_measurement_model`` has it.
    spec, framework
        The question, and what its indicators are called.
    diagnostics : mapping
        ``noise_share``, ``left_out``, ``periods``.

    Returns
    -------
    str
        Paragraphs with an empty line between them; passed by the guard against causal words.
    """
    predictor, outcome = framework.indicator(spec.predictor), framework.indicator(spec.outcome)
    held = short_name(framework.indicator(spec.adjustment_sets[1][0]))
    rows = {(str(r["analysis"]), str(r["scale"])): r for _, r in table.iterrows()}
    allowed, ignored = rows["errors_allowed_for", "standard"], rows["errors_ignored", "standard"]
    computed = allowed["status"] == "computed"
    when = ", ".join(f"{short_name(i)} of {diagnostics['periods'][i.id]}" for i in (predictor, outcome))
    left_out = len(diagnostics["left_out"])
    sample = f"Figures: {when}."
    if left_out:
        verb = wording.plural(left_out, "authority is", "authorities are")
        sample = f"{sample} {verb} left out for want of a published figure of their own or its error."
    marked = marks([framework.indicator(i) for i in spec.roles], framework=framework)
    paragraphs = [
        opening(predictor, outcome),
        f"{slopes_sentence(allowed, ignored, predictor=predictor, outcome=outcome, held=held)} {others_sentence(rows)}",
        noise_sentence(diagnostics["noise_share"], predictor=predictor, outcome=outcome, held=held) if computed else "",
        sample,
        NOT_VALIDITY,
        basis_sentence(predictor, outcome),
        " ".join([*marked, wording.AREAS_NOT_CHILDREN, wording.EXPLORATION]),
    ]
    own = [words for i in spec.roles for words in own_words(framework.indicator(i))]
    return checked("\n\n".join(p.strip() for p in paragraphs if p.strip()), quoted=own)
