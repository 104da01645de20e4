"""All answers to one question in plain words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.relations.cautions import cautions
from outcomes_analysis.relations.sentences import (
    checked,
    is_clear,
    marked_name,
    marks,
    own_words,
    short_name,
    with_capital,
)
from outcomes_analysis.relations.spec_curve.choices import DIMENSIONS, MultiverseSpec, held_by

if TYPE_CHECKING:
    from outcomes_analysis.relations.spec_curve.curves import MultiverseResult

SMALL_CHANCE = 0.05  # below which a curve is said to exceed what chance gives

_TESTS = {
    "median": "the middle answer",
    "same_sign": "how many are of one sign",
    "clear": "how many are clear",
}


def compose_curve(
    table: pd.DataFrame,
    joint: pd.DataFrame,
    moved: pd.DataFrame,
    *,
    spec: MultiverseSpec,
    framework: Framework,
    diagnostics: Mapping[str, Any],
    level: float,
) -> str:
    """Text of a multiverse, every number from its tables.

    Parameters
    ----------
    table, joint, moved, spec, diagnostics
        As in ``MultiverseResult``.
    framework : Framework
    level : float
        Of the intervals.
    """
    outcomes = [framework.indicator(str(c.value)) for c in spec.outcomes]
    predictors = [framework.indicator(str(c.value)) for c in spec.predictors]
    held = dict.fromkeys(i for c in spec.adjustments for i in held_by(c.value))
    known = table[table["status"].eq("computed")]
    named = wording.listed([short_name(i) for i in predictors]), wording.listed([short_name(i) for i in outcomes])
    left_out = len(table) - len(known)
    named_ids = [*(i.id for i in (*outcomes, *predictors)), *held, *spec.mediators, *spec.colliders]
    parts = [
        f"{with_capital(named[0])}, set against {named[1]} in every way that was named beforehand with a reason: "
        f"{wording.plural(len(known), 'way', 'ways')} of asking the question.",
        _left_out(left_out),
        _turned(diagnostics["turned"], framework),
        _curve(known, level=level),
        _together(joint, permutations=diagnostics["permutations"]),
        *(f"Likeness of neighbours could not be allowed for: {why}" for why in diagnostics["nulls_withheld"].values()),
        _moved(moved),
        _never(spec, framework),
        *cautions(*itertools.product(predictors, outcomes)),
        *marks([framework.indicator(i) for i in named_ids], framework=framework),
        wording.AREAS_NOT_CHILDREN,
        wording.EXPLORATION,
    ]
    quoted = [words for i in named_ids for words in own_words(framework.indicator(i))]
    return checked(" ".join(part for part in parts if part), quoted=quoted)


def short_curve(found: MultiverseResult, *, framework: Framework) -> str:
    """The same in a few sentences, for a page that says the rest elsewhere.

    Parameters
    ----------
    found : MultiverseResult
    framework : Framework
    """
    known, spec = found.computed, found.spec
    level = round(100 * float(known["level"].iloc[0]))
    estimates = known["estimate"]
    low, middle, high = (wording.number(v, 2) for v in (estimates.min(), estimates.median(), estimates.max()))
    clear = int(known.apply(is_clear, axis=1).sum())
    asked = [
        wording.listed([marked_name(framework.indicator(str(c.value)), framework=framework) for c in given])
        for given in (spec.predictors, spec.outcomes)
    ]
    careful = "neighbours" if found.joint["null"].eq("neighbours").any() else "separate"
    rows = found.joint[found.joint["null"] == careful].set_index("statistic")
    kept = " and neighbours as alike as they are" if careful == "neighbours" else ""
    shares = [f"{wording.number(100 * rows.at[s, 'p_value'], 1)}%" for s in ("median", "same_sign", "clear")]
    most = found.moved[found.moved["options"] > 1].head(2)
    moved = [f"{DIMENSIONS[row.choice]} ({wording.number(100 * row.with_others, 0)}%)" for row in most.itertuples()]
    by_choice = (
        f"What moves the answer most is {' and then '.join(moved)}: shares of the variance left with all else fixed."
        if moved and most["with_others"].notna().all()
        else ""
    )
    return "\n".join(
        part
        for part in (
            f"{with_capital(asked[0])} set against {asked[1]} in {wording.plural(len(known), 'way', 'ways')} that can "
            "be defended (by year, authorities, scale, line and what is allowed for): in standard deviations the "
            f"answers run from {low} to {high}, the middle one {middle}; {int((estimates > 0).sum()):,} are above "
            f"0, {int((estimates < 0).sum()):,} below, and {clear:,} have a {level}% interval that leaves it "
            "out, taking authorities as separate.",
            f"With nothing tying the two to each other{kept} ({found.diagnostics['permutations']:,} times), a middle "
            f"answer as far from 0 came up in {shares[0]}, as many of one sign in {shares[1]}, and as many clear "
            f"in {shares[2]}. {said_together(rows)}",
            by_choice,
        )
        if part
    )


def beyond_chance(rows: pd.DataFrame) -> dict[str, bool]:
    """By which joint tests of one null (``median, same_sign, clear``) the answers go beyond what chance gives."""
    by_test = rows.reset_index().set_index("statistic")["p_value"]
    return {name: bool(by_test[name] < SMALL_CHANCE) for name in _TESTS}


def said_together(rows: pd.DataFrame) -> str:
    """What the joint tests of one null say, in a sentence."""
    beyond = beyond_chance(rows)
    if all(beyond.values()):
        return "By all three, the answers taken together go beyond what chance gives."
    if not any(beyond.values()):
        return "By none of the three do the answers go beyond what chance gives: no association can be claimed."
    yes, no = (
        wording.listed([words for name, words in _TESTS.items() if beyond[name] is side]) for side in (True, False)
    )
    return f"By {yes} the answers go beyond what chance gives, by {no} they do not."


def _left_out(count: int) -> str:
    if not count:
        return ""
    return f"{count:,} further {'combination' if count == 1 else 'combinations'} could not be had; the table says why."


def _turned(ids: list[str], framework: Framework) -> str:
    if not ids:
        return ""
    names = wording.listed([short_name(framework.indicator(i)) for i in ids])
    return f"So that higher means the same throughout, the sign was changed for {names}."


def _curve(known: pd.DataFrame, *, level: float) -> str:
    estimates = known["estimate"]
    low, middle, high = (wording.number(v, 2) for v in (estimates.min(), estimates.median(), estimates.max()))
    clear = known[known.apply(is_clear, axis=1)]
    up, down = int((clear["estimate"] > 0).sum()), int((clear["estimate"] < 0).sum())
    return (
        f"In standard deviations of the one for each of the other, the answers run from {low} to {high}, with the "
        f"middle one at {middle}; {int((estimates > 0).sum()):,} are above 0 and {int((estimates < 0).sum()):,} "
        f"below. Taking authorities as separate, the {round(100 * level)}% interval leaves out 0 in "
        f"{up + down:,}: {up:,} above and {down:,} below."
    )


def _together(joint: pd.DataFrame, *, permutations: int) -> str:
    careful = "neighbours" if joint["null"].eq("neighbours").any() else "separate"
    rows = joint[joint["null"] == careful].set_index("statistic")
    kept = " while places stayed as like their neighbours as they are" if careful == "neighbours" else ""
    median = rows.loc["median"]
    span = (
        f"{wording.number(median['null_lower'], 2)} to {wording.number(median['null_upper'], 2)} in "
        f"{round(100 * median['level'])}% of them"
    )
    same, clear = rows.loc["same_sign"], rows.loc["clear"]
    said = [
        f"All the answers rest on much the same figures, so they are tested together: the whole curve was made again "
        f"{permutations:,} times with nothing tying the two figures to each other{kept}.",
        f"The middle answer then lay from {span}; one as far from 0 as ours came up in {_share(median['p_value'])}.",
        f"As many answers of one sign ({wording.number(100 * same['estimate'], 0)}%) came up in "
        f"{_share(same['p_value'])}, as many clear in one direction ({wording.number(100 * clear['estimate'], 0)}%) in "
        f"{_share(clear['p_value'])}.",
    ]
    said.append(said_together(rows))
    if careful == "neighbours":
        plain = joint[joint["null"].eq("separate") & joint["statistic"].eq("median")].iloc[0]
        said.append(
            f"With places exchanged at random, as if neighbours were no more alike than others, a middle answer like "
            f"ours came up in {_share(plain['p_value'])}."
        )
    return " ".join(said)


def _share(p_value: float) -> str:
    return f"{wording.number(100 * p_value, 1)}% of them"


def _moved(moved: pd.DataFrame) -> str:
    varied = moved[moved["options"] > 1]
    if varied.empty or varied["with_others"].isna().all():
        return ""
    said = [f"{DIMENSIONS[row.choice]} {wording.number(100 * row.with_others, 0)}%" for row in varied.itertuples()]
    sum_alone = float(np.nansum(varied["alone"]))
    more_than_all = varied["with_others"].sum() > 1.05
    together = " These add up to more than the whole, since choices work together." if more_than_all else ""
    return (
        f"How much each choice moves the answer, as the share of the variance between answers that is left when all "
        f"other choices are fixed: {wording.listed(said)}.{together} Taken one by one, without their interplay, they "
        f"account for {wording.number(100 * min(sum_alone, 1.0), 0)}%."
    )


def _never(spec: MultiverseSpec, framework: Framework) -> str:
    said = []
    for ids, words in ((spec.mediators, "may lie between the two"), (spec.colliders, "may be fed by both")):
        if ids:
            names = wording.listed([short_name(framework.indicator(i)) for i in ids])
            said.append(f"{with_capital(names)} {words} and was allowed for in none of the answers.")
    return " ".join(said)
