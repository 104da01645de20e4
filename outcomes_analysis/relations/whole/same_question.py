"""The part of the page on choices: the same question in every way that can be defended, and all answers together."""

from __future__ import annotations

import pandas as pd

from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.relations.asking import Asked
from outcomes_analysis.relations.sample import USABLE
from outcomes_analysis.relations.sentences import own_words
from outcomes_analysis.relations.spec_curve.choices import Choice, MultiverseSpec
from outcomes_analysis.relations.spec_curve.curve_wording import short_curve
from outcomes_analysis.relations.spec_curve.curves import PERMUTATIONS, multiverse
from outcomes_analysis.relations.whole.parts import Part, seed_of

MOST_YEARS = 3
MOST_ALIKE = 1  # near-duplicates asked about beside each figure: with two of each the ways come to 1,500


def ways_part(asked: Asked, *, areas: pd.DataFrame, controls: tuple[str, ...]) -> Part:
    """Ask the question in every defensible way.

    Parameters
    ----------
    asked, areas
        As in :func:`~.standing_beside.map_part`.
    controls : tuple of str
        Unused: every adjustment of the question is one of the choices.

    Raises
    ------
    RelationError
        If fewer than two ways of asking have an answer.
    """
    spec = choices_of(asked)
    found = multiverse(
        asked.observations,
        spec=spec,
        framework=asked.framework,
        areas=areas,
        level=asked.level,
        permutations=PERMUTATIONS,
        seed=seed_of(asked),
    )
    named = [str(c.value) for c in (*spec.outcomes, *spec.predictors)]
    quoted = tuple(words for i in named for words in own_words(asked.framework.indicator(i)))
    return Part(short_curve(found, framework=asked.framework), answers={"multiverse": found}, quoted=quoted)


def choices_of(asked: Asked) -> MultiverseSpec:
    """Every choice that the question and the framework give, with its reason.

    Near-duplicates of the same age stand for a figure where they have figures of the question's year; the years are
    the latest of the question; what is allowed for is nothing, or each adjustment of the question.

    Parameters
    ----------
    asked : Asked
    """
    spec = asked.spec
    sets = [s for s in spec.adjustment_sets if s]
    unbroken = "without a declared break from the others"
    return MultiverseSpec(
        outcomes=_standing_for(asked, asked.outcome),
        predictors=_standing_for(asked, asked.predictor),
        years=tuple(Choice(year, unbroken) for year in spec.years[-MOST_YEARS:]),
        adjustments=(Choice("", "the plain association"), *(Choice("+".join(s), "places differ in it") for s in sets)),
        mediators=spec.mediators,
        colliders=spec.colliders,
    )


def _standing_for(asked: Asked, indicator: Indicator) -> tuple[Choice, ...]:
    observations, year = asked.observations, asked.spec.year
    there = observations.loc[
        observations["period_end"].dt.year.eq(year)
        & observations["status"].isin(USABLE)
        & observations["area_code"].isin(asked.assembled.data.index),
        "indicator_id",
    ].unique()
    alike = [
        i.id
        for i in asked.framework.indicators
        if i.doublet
        and i.doublet == indicator.doublet
        and i.age_stage == indicator.age_stage
        and i.outcome == indicator.outcome
        and i.id not in asked.spec.roles
        and i.id in there
    ]
    reason = "the framework counts it once with the figure asked about, as nearly the same"
    return (Choice(indicator.id, "the figure asked about"), *(Choice(i, reason) for i in alike[:MOST_ALIKE]))
