"""The part of the page on neighbours: what a line leaves over, lines that allow for it, and where it is on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.asking import Asked
from outcomes_analysis.relations.result import TABLE_COLUMNS
from outcomes_analysis.relations.sentences import is_clear, levels, spanned
from outcomes_analysis.relations.slopes.regression import Fit
from outcomes_analysis.relations.space.map_clusters import spatial_clusters
from outcomes_analysis.relations.space.spatial import Allowed, spatial_regressions
from outcomes_analysis.relations.space.spatial_wording import likeness, standing_out
from outcomes_analysis.relations.whole.parts import Part, seed_of

BESIDE_THE_LINE = {
    "high among high": "above the line like their neighbours",
    "low among low": "below the line like their neighbours",
    "high among low": "above the line among neighbours below",
    "low among high": "below the line among neighbours above",
}


def map_part(asked: Asked, *, areas: pd.DataFrame, controls: tuple[str, ...]) -> Part:
    """Allow for neighbours, and say where like stands among like.

    Parameters
    ----------
    asked : Asked
    areas : DataFrame
    controls : tuple of str
        What is allowed for beside the case with nothing allowed for.

    Raises
    ------
    RelationError
        If no case can be had, with the first reason.
    """
    spec = asked.spec.replace(years=(asked.spec.year,))
    given: dict[str, Any] = {
        "spec": spec,
        "framework": asked.framework,
        "areas": areas,
        "level": asked.level,
        "seed": seed_of(asked),
    }
    lines = spatial_regressions(asked.observations, **given)
    found: dict[tuple[str, str, str], Allowed] = lines.diagnostics["spatial"]
    keys = [key for key in dict.fromkeys(("", "+".join(controls))) if (spec.predictor, key, "all") in found]
    if not keys:
        raise RelationError(str(lines.table["reason"].iloc[0]))
    cases = [(_words(asked, key), found[spec.predictor, key, "all"]) for key in keys]
    said = [_left_over(asked, cases[-1]), _slopes(asked, cases), _other_form(asked, cases)]
    answers: dict[str, Any] = {"lines": lines}
    try:
        clusters = spatial_clusters(asked.observations, **given)
    except RelationError as error:
        said.append(f"Single authorities could not be looked at: {error}")
    else:
        answers["clusters"] = clusters
        said.append(_clusters(asked, clusters.table, keys[-1]))
    return Part("\n".join(s for s in said if s), lines.table[list(TABLE_COLUMNS)], answers)


def _words(asked: Asked, key: str) -> str:
    held = wording.listed([asked.names[i] for i in key.split("+") if i])
    return f"between places with similar {held}" if held else "as the figures stand"


def _row(asked: Asked, fit: Fit) -> pd.Series[Any]:
    estimate, lower, upper = fit.of(asked.spec.predictor)
    return pd.Series({"estimate": estimate, "lower": lower, "upper": upper, "level": fit.level})


def _left_over(asked: Asked, case: tuple[str, Allowed]) -> str:
    words, allowed = case
    outcome = asked.names[asked.spec.outcome]
    return f"What a straight line leaves over of {outcome} {words} is {likeness(allowed.left_over)}."


def _chosen(allowed: Allowed) -> Fit:
    """The form the tests speak for; where they do not choose, the one whose slope compares with the plain one."""
    return allowed.lag.fit if allowed.preferred == "lag" else allowed.error.fit


def _slopes(asked: Asked, cases: Sequence[tuple[str, Allowed]]) -> str:
    said = [f"{words}, {spanned(_row(asked, _chosen(allowed)))}" for words, allowed in cases]
    clear = [is_clear(_row(asked, _chosen(allowed))) for _, allowed in cases]
    if len(cases) == 1:
        verdict = "It leaves out 0." if clear[0] else "It does not leave out 0."
    elif all(clear) or not any(clear):
        verdict = f"{'Both leave' if all(clear) else 'Neither leaves'} out 0."
    else:
        verdict = f"Only that {cases[clear.index(True)][0]} leaves out 0."
    tail = levels(len(cases), asked.level)
    return f"With this allowed for, the slope in standard deviations is, {'; '.join(said)} ({tail}). {verdict}"


def _other_form(asked: Asked, cases: Sequence[tuple[str, Allowed]]) -> str:
    """Whether the second way of allowing for neighbours gives the same verdicts."""

    def verdicts(fits: Sequence[Fit]) -> list[tuple[bool, float]]:
        rows = [_row(asked, fit) for fit in fits]
        return [(is_clear(row), float(np.sign(row["estimate"])) if is_clear(row) else 0.0) for row in rows]

    first = verdicts([_chosen(allowed) for _, allowed in cases])
    second = verdicts([a.error.fit if a.preferred == "lag" else a.lag.fit for _, a in cases])
    if first == second:
        return "A second way of allowing for neighbours says the same."
    return "A second way of allowing for neighbours does not say the same, so read either with care."


def _clusters(asked: Asked, table: pd.DataFrame, key: str) -> str:
    rows = table[table["kind"].eq("left over") & table["adjusted_for"].eq(key)]
    said = standing_out(rows, words=BESIDE_THE_LINE)
    if not said:
        return "In what is left over no single authority stands out from chance."
    return f"Standing out from chance in what is left over, {said}."
