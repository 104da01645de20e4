"""A part of the page that rests on an analysis of its own, and the parts there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from outcomes_analysis.errors import RelationError, SpecError, several
from outcomes_analysis.relations.asking import Asked
from outcomes_analysis.relations.result import TABLE_COLUMNS

PartName = Literal["map", "years", "others", "ways"]

HEADINGS: Mapping[PartName, str] = MappingProxyType(
    {
        "map": "Neighbours on the map",
        "years": "The same places over the years",
        "others": "Other figures beside them",
        "ways": "Every way of asking",
    }
)
ALL_PARTS: tuple[PartName, ...] = tuple(HEADINGS)


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the page.

    Attributes
    ----------
    text : str
        Its sentences; where it could not be done, one that says why.
    rows : DataFrame
        Rows for the table of the page, with the columns of ``RelationResult.table``; may be empty.
    answers : dict
        The full results it rests on, by kind; empty where it could not be done.
    quoted : tuple of str
        Publishers' own words of figures named in it beyond those of the question.
    """

    text: str
    rows: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(TABLE_COLUMNS)))
    answers: dict[str, Any] = field(default_factory=dict)
    quoted: tuple[str, ...] = ()


def made_parts(
    asked: Asked, *, areas: pd.DataFrame, names: Collection[PartName], controls: tuple[str, ...]
) -> dict[PartName, Part]:
    """Make the parts asked for, in the order of the page.

    Parameters
    ----------
    asked : Asked
        The question lined up with its figures.
    areas : DataFrame
        The authorities it was asked of.
    names : collection of str
        Which parts.
    controls : tuple of str
        What is allowed for where a part speaks of one case only; empty for nothing.

    Raises
    ------
    SpecError
        If there is no such part.

    Notes
    -----
    A part that cannot be done says why and does not take the others with it.
    """
    from outcomes_analysis.relations.whole import over_years, same_question, standing_beside, standing_between

    unknown = sorted(set(names) - set(HEADINGS))
    if unknown:
        message = f"unknown parts of the page: {several(unknown)}. There are: {several(HEADINGS)}."
        raise SpecError(message)
    makers: Mapping[PartName, Callable[..., Part]] = {
        "map": standing_beside.map_part,
        "years": over_years.years_part,
        "others": standing_between.others_part,
        "ways": same_question.ways_part,
    }
    made: dict[PartName, Part] = {}
    for name in ALL_PARTS:
        if name not in names:
            continue
        try:
            made[name] = makers[name](asked, areas=areas, controls=controls)
        except RelationError as error:
            made[name] = Part(f"This could not be done: {_small(str(error))}")
    return made


def seed_of(asked: Asked) -> int:
    """Seed for the analyses of the parts: that of the question, or one drawn from its generator."""
    return asked.seed if asked.seed is not None else asked.further % 2**32


def _small(reason: str) -> str:
    """Reason as the rest of a sentence."""
    text = reason.rstrip(".")
    return f"{text[0].lower() + text[1:] if text[1:2].islower() else text}."
