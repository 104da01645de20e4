"""The question an association answers: which outcome, predictor and year, and the role of every other variable.

A specification holds the question alone. How it is answered (draws, level, seed) belongs to the functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.provenance import hash_of

Role = Literal["outcome", "predictor", "confounder", "mediator", "collider"]
Sample = Literal["all", "without_london"]

POVERTY = ("child_poverty_bhc", "child_poverty_ahc")
SAMPLES: tuple[Sample, ...] = ("all", "without_london")


@dataclass(frozen=True)
class RelationSpec:
    """One question about how outcomes relate across areas. Frozen and hashable.

    Attributes
    ----------
    outcome : str
        Indicator id of what is laid along the vertical axis. The word does not say which figure comes first.
    predictors : tuple of str
        Indicator ids set against the outcome, each in turn; a single id may be given as text.
    years : tuple of int
        Analysis years (those in which a figure's period ends), in order; a single one may be given as a number. A
        question about one point in time is asked of the last of them.
    confounders : tuple of str or of tuple of str
        What is allowed for between places. Each entry is adjusted for on its own, a tuple of ids together: child
        poverty before and after housing costs are two measures of one thing, never put in side by side.
    mediators, colliders : tuple of str
        What may lie between the two, and what both may feed into. Named so that the reader sees they were thought
        of; they are never adjusted for.
    samples : tuple of str
        Sets of authorities the question is asked of.

    Raises
    ------
    SpecError
        Naming everything that is wrong with the question.
    """

    outcome: str
    predictors: tuple[str, ...]
    years: tuple[int, ...]
    confounders: tuple[str | tuple[str, ...], ...] = POVERTY
    mediators: tuple[str, ...] = ()
    colliders: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = SAMPLES

    def __post_init__(self) -> None:
        object.__setattr__(self, "predictors", _several_or_one(self.predictors))
        object.__setattr__(self, "years", tuple(sorted(_several_or_one(self.years))))
        problems = Problems(f"question '{several(self.predictors)}' with '{self.outcome}'")
        for message in (*self._empty(), *self._repeated(), *self._two_roles()):
            problems.add(message)
        problems.raise_if_any(SpecError)

    def _empty(self) -> Iterator[str]:
        if not self.predictors or not all(self.predictors):
            yield "no predictor is named; name at least one indicator."
        if not self.years:
            yield "no year is named; name at least one."
        if "all" not in self.samples:
            yield "the sample 'all' is always part of the answer; add it to samples."
        unknown = sorted(set(self.samples) - set(SAMPLES))
        if unknown:
            yield f"unknown samples: {several(unknown)}. There are: {several(SAMPLES)}."

    def _repeated(self) -> Iterator[str]:
        if self.outcome in self.predictors:
            yield f"outcome and predictor are the same indicator, '{self.outcome}'; choose two."
        together = [tuple(sorted(s)) for s in self.adjustment_sets]
        for what, named in (("predictors", self.predictors), ("years", self.years), ("confounders", together)):
            twice = sorted({str(n) for n in named if list(named).count(n) > 1})
            if twice:
                yield f"{what} named twice: {several(twice)}; name each once."

    def _two_roles(self) -> Iterator[str]:
        seen: dict[str, str] = {}
        for role, ids in self._by_role():
            for indicator in ids:
                first = seen.setdefault(indicator, role)
                if first != role and {first, role} != {"outcome", "predictor"}:
                    yield f"'{indicator}' is given two roles, {first} and {role}; choose one."

    def _by_role(self) -> list[tuple[Role, tuple[str, ...]]]:
        together = tuple(dict.fromkeys(i for group in self.adjustment_sets for i in group))
        return [
            ("outcome", (self.outcome,)),
            ("predictor", self.predictors),
            ("confounder", together),
            ("mediator", self.mediators),
            ("collider", self.colliders),
        ]

    @property
    def predictor(self) -> str:
        """The first predictor: the only one of a question about a pair."""
        return self.predictors[0]

    @property
    def year(self) -> int:
        """The last year: the one of a question about one point in time."""
        return self.years[-1]

    @property
    def pairs(self) -> tuple[RelationSpec, ...]:
        """The same question, one predictor at a time."""
        return tuple(self.replace(predictors=(p,)) for p in self.predictors)

    @property
    def adjustment_sets(self) -> tuple[tuple[str, ...], ...]:
        """What is adjusted for, answer by answer: nothing first, then each entry of ``confounders``."""
        return ((), *((c,) if isinstance(c, str) else c for c in self.confounders))

    @property
    def roles(self) -> dict[str, Role]:
        """Role of every indicator named."""
        return {indicator: role for role, ids in reversed(self._by_role()) for indicator in ids}

    @property
    def hash(self) -> str:
        """Short hash of the question, the same in every session."""
        return hash_of(asdict(self))

    def replace(self, **changes: Any) -> RelationSpec:
        """Make the same question with something changed."""
        return replace(self, **changes)


def _several_or_one(given: Any) -> tuple[Any, ...]:
    return (given,) if isinstance(given, str | int) else tuple(given)
