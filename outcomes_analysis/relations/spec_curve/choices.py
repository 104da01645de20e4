"""Every defensible way of asking one question: the choices, each with its reason, and their combinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from types import MappingProxyType
from typing import Any, Literal

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.provenance import hash_of
from outcomes_analysis.relations.specification import RelationSpec

Area = Literal["all", "without_london", "without_smallest"]
Transformation = Literal["as_published", "even_scale", "ranks"]
Model = Literal["line", "children", "regions"]

SAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "all": "every authority with figures",
        "without_london": "London differs from the rest in much, and many of its children cross a boundary to school",
        "without_smallest": "figures of the tenth with the fewest children are the least steady",
    }
)
TRANSFORMATIONS: Mapping[str, str] = MappingProxyType(
    {
        "as_published": "the figures as people know them",
        "even_scale": "the scale on which errors are about even, so that extreme places do not decide alone",
        "ranks": "no shape is assumed, and no single place can decide",
    }
)
MODELS: Mapping[str, str] = MappingProxyType(
    {
        "line": "authorities count alike",
        "children": "each authority counts by its number of children",
        "regions": "places are compared within their region alone",
    }
)
# What is varied, in the order of every table, and in words.
DIMENSIONS: Mapping[str, str] = MappingProxyType(
    {
        "outcome": "which outcome",
        "predictor": "which figure is set against it",
        "year": "which year",
        "adjusted_for": "what is allowed for",
        "sample": "which authorities",
        "transformation": "which scale",
        "model": "which line",
    }
)


@dataclass(frozen=True)
class Choice:
    """One way of deciding one thing, and why it can be defended.

    Attributes
    ----------
    value : str or int
    reason : str
        In words, never empty.
    """

    value: str | int
    reason: str


Given = tuple[Choice, ...]


def _choices(given: Mapping[Any, str]) -> Given:
    return tuple(Choice(value, reason) for value, reason in given.items())


@dataclass(frozen=True)
class MultiverseSpec:
    """A question asked in every defensible way. Frozen and hashable.

    Each attribute but the last two is a tuple of :class:`Choice`; a mapping of value to reason may be given instead.

    Attributes
    ----------
    outcomes, predictors : tuple of Choice
        Indicator ids that can stand for the same thing. All are turned to the first's way: where the framework calls
        higher better for one and worse for another, the other's sign is changed; an indicator without a direction is
        left as it is.
    years : tuple of Choice
        Analysis years, each asked on its own: places are compared, not years.
    adjustments : tuple of Choice
        What is allowed for: indicator ids joined by ``+``, or an empty text for nothing.
    samples, transformations, models : tuple of Choice
        Keys of ``SAMPLES``, ``TRANSFORMATIONS`` and ``MODELS``; by default all of them.
    mediators, colliders : tuple of str
        What may lie between the two, and what both may feed into: named so that the reader sees they were thought of,
        and refused wherever an adjustment names them.

    Raises
    ------
    SpecError
        Naming everything that is wrong.
    """

    outcomes: Given
    predictors: Given
    years: Given
    adjustments: Given = (Choice("", "the plain association"),)
    samples: Given = field(default_factory=lambda: _choices(SAMPLES))
    transformations: Given = field(default_factory=lambda: _choices(TRANSFORMATIONS))
    models: Given = field(default_factory=lambda: _choices(MODELS))
    mediators: tuple[str, ...] = ()
    colliders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, _ in self._given():
            given = getattr(self, name)
            if isinstance(given, Mapping):
                object.__setattr__(self, name, _choices(given))
        problems = Problems("choices of a multiverse")
        for message in (*self._unreasoned(), *self._unknown(), *self._never_held_alike()):
            problems.add(message)
        problems.raise_if_any(SpecError)

    def _given(self) -> list[tuple[str, str]]:
        names = ("outcomes", "predictors", "years", "adjustments", "samples", "transformations", "models")
        return list(zip(names, DIMENSIONS, strict=True))

    def _unreasoned(self) -> Iterator[str]:
        for name, _ in self._given():
            choices = getattr(self, name)
            if not choices:
                yield f"{name} has no choice; name at least one with its reason."
            silent = [c.value for c in choices if not c.reason.strip()]
            if silent:
                yield f"{name}: no reason is given for {several(silent)}; say why each can be defended."
            values = [c.value for c in choices]
            twice = sorted({str(v) for v in values if values.count(v) > 1})
            if twice:
                yield f"{name}: named twice: {several(twice)}; name each once."

    def _unknown(self) -> Iterator[str]:
        for name, known in (("samples", SAMPLES), ("transformations", TRANSFORMATIONS), ("models", MODELS)):
            strange = [c.value for c in getattr(self, name) if c.value not in known]
            if strange:
                yield f"{name}: unknown: {several(strange)}. There are: {several(known)}."

    def _never_held_alike(self) -> Iterator[str]:
        held = {i for c in self.adjustments for i in held_by(c.value)}
        kinds = {
            "what both may feed into": self.colliders,
            "what may lie between the two": self.mediators,
            "an outcome": [str(c.value) for c in self.outcomes],
            "a predictor": [str(c.value) for c in self.predictors],
        }
        for words, ids in kinds.items():
            wrong = sorted(held & set(ids))
            if wrong:
                yield f"adjustments: {several(wrong)} is allowed for, but is {words}; leave it out."
        both = sorted({str(c.value) for c in self.outcomes} & {str(c.value) for c in self.predictors})
        if both:
            yield f"both outcome and predictor: {several(both)}; choose one role."

    @property
    def choices(self) -> dict[str, Given]:
        """What is varied, by the column of the table that says what was chosen."""
        return {dimension: getattr(self, name) for name, dimension in self._given()}

    @property
    def combinations(self) -> int:
        """How many ways of asking there are, before any is left out."""
        count = 1
        for given in self.choices.values():
            count *= len(given)
        return count

    def questions(self) -> Iterator[RelationSpec]:
        """Each outcome, predictor, year and adjustment as a question of one pair."""
        for outcome, predictor, year, held in product(self.outcomes, self.predictors, self.years, self.adjustments):
            ids = held_by(held.value)
            yield RelationSpec(
                outcome=str(outcome.value),
                predictors=(str(predictor.value),),
                years=(int(year.value),),
                confounders=(ids,) if ids else (),
                mediators=self.mediators,
                colliders=self.colliders,
            )

    @property
    def hash(self) -> str:
        """Short hash of the choices, the same in every session."""
        return hash_of(asdict(self))

    def replace(self, **changes: Any) -> MultiverseSpec:
        """Make the same question with some choices changed."""
        return replace(self, **changes)


def held_by(adjustment: str | int) -> tuple[str, ...]:
    """Indicator ids of an adjustment: ``"a+b"`` holds ``a`` and ``b`` alike, an empty text nothing."""
    return tuple(part for part in str(adjustment).split("+") if part)
