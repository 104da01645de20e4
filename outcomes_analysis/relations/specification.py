"""The question an association answers: which outcome, predictor and year, and the role of every other variable.

A specification holds the question alone. How it is answered (draws, level, seed) belongs to the functions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from outcomes_analysis.errors import Problems, SpecError
from outcomes_analysis.provenance import hash_of

Role = Literal["outcome", "predictor", "confounder", "mediator", "collider"]
Sample = Literal["all", "without_london"]

POVERTY = ("child_poverty_bhc", "child_poverty_ahc")
SAMPLES: tuple[Sample, ...] = ("all", "without_london")


@dataclass(frozen=True)
class RelationSpec:
    """One question about how two outcomes relate across areas. Frozen and hashable.

    Attributes
    ----------
    outcome, predictor : str
        Indicator ids. The words say which one is laid along the vertical axis, not which comes first.
    year : int
        Analysis year: both figures were measured in it (the year in which their period ends).
    confounders : tuple of str or of tuple of str
        What is held alike between places. Each entry is adjusted for on its own, a tuple of ids together: child
        poverty before and after housing costs are two measures of one thing, never put in side by side.
    mediators, colliders : tuple of str
        Named so that the reader sees they were thought of; they are never adjusted for.
    samples : tuple of str
        Sets of authorities the question is asked of.
    """

    outcome: str
    predictor: str
    year: int
    confounders: tuple[str | tuple[str, ...], ...] = POVERTY
    mediators: tuple[str, ...] = ()
    colliders: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = SAMPLES

    def __post_init__(self) -> None:
        problems = Problems(f"question '{self.predictor}' with '{self.outcome}'")
        if self.outcome == self.predictor:
            problems.add("outcome and predictor are the same indicator; choose two.")
        seen: dict[str, str] = {}
        for role, ids in self._by_role():
            for indicator in ids:
                if seen.get(indicator, role) != role:
                    problems.add(f"'{indicator}' is given two roles, {seen[indicator]} and {role}; choose one.")
                seen.setdefault(indicator, role)
        if "all" not in self.samples:
            problems.add("the sample 'all' is always part of the answer; add it to samples.")
        problems.raise_if_any(SpecError)

    def _by_role(self) -> list[tuple[Role, tuple[str, ...]]]:
        together = tuple(dict.fromkeys(i for group in self.adjustment_sets for i in group))
        return [
            ("outcome", (self.outcome,)),
            ("predictor", (self.predictor,)),
            ("confounder", together),
            ("mediator", self.mediators),
            ("collider", self.colliders),
        ]

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
