"""What may be chosen otherwise: each choice an object that turns uniform numbers into what a replicate does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.montecarlo.kernels import Mean
from outcomes_analysis.index.steps.stepping import Method
from outcomes_analysis.index.steps.tree import Branch, Tree
from outcomes_analysis.index.steps.weighting import ByPerson


def _as_data(methods: tuple[Any, ...]) -> tuple[Any, ...]:
    """Method objects as the mappings a YAML file would hold."""
    return tuple(
        m.model_dump(exclude_defaults=True) | {"method": m.key()} if isinstance(m, Method) else m for m in methods
    )


class _Factor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TreatmentFactor(_Factor):
    """Ways to bring in outliers.

    Attributes
    ----------
    methods : tuple
        Methods of :func:`outcomes_analysis.index.treat`, one alternative each, all equally likely: a name, a mapping
        with ``method`` and parameters, or a method object. Treatment is decided on the published figures.
    """

    factor: Literal["treatment"] = "treatment"
    name: str = "treatment"
    methods: tuple[Any, ...] = Field(default=("none", "skew_kurtosis"), min_length=1)

    _plain = field_validator("methods")(_as_data)


class NormalisationFactor(_Factor):
    """Ways to bring indicators to one scale.

    Attributes
    ----------
    methods : tuple
        Methods of :func:`outcomes_analysis.index.normalise`: a name, a mapping with ``method`` and parameters, or a
        method object. ``"reference"`` is the distance from the base period in standard deviations, with mean 100
        and sd 10, for an index that has base periods.
    """

    factor: Literal["normalisation"] = "normalisation"
    name: str = "normalisation"
    methods: tuple[Any, ...] = Field(min_length=1)

    _plain = field_validator("methods")(_as_data)


class WeightFactor(_Factor):
    """Weights drawn anew within each node.

    Attributes
    ----------
    method : {"uniform", "dirichlet", "given"}
        ``uniform``: each weight times a number between ``1 - spread`` and ``1 + spread``. ``dirichlet``: the shares
        within a node are Dirichlet about the present ones with ``concentration`` times the number of parts as total
        (1 about equal weights is every set of shares alike). ``given``: one of ``sets``.
    spread : float
        Above 0, at most 1.
    concentration : float
        Above 0; the higher, the nearer to the present weights.
    sets : mapping of str to mapping of str to float
        Named weight sets, element to weight; elements not named keep theirs.
    drawn : int, optional
        Draw so many sets once and choose among them (a discrete factor that can be enumerated).
    within : tuple of str, optional
        Nodes within which weights vary; all by default.
    """

    factor: Literal["weights"] = "weights"
    name: str = "weights"
    method: Literal["uniform", "dirichlet", "given"] = "uniform"
    spread: float = Field(default=0.25, gt=0, le=1)
    concentration: float = Field(default=1.0, gt=0)
    sets: Mapping[str, Mapping[str, float]] = {}
    drawn: int | None = Field(default=None, ge=1)
    within: tuple[str, ...] | None = None


class AggregationFactor(_Factor):
    """The mean by which parts become a whole.

    Attributes
    ----------
    methods : tuple of {"arithmetic", "geometric", "harmonic"}
    nodes : tuple of str, optional
        Nodes for which one choice is made; all by default. Use one factor a level, with different names, to let the
        levels differ.
    """

    factor: Literal["aggregation"] = "aggregation"
    name: str = "aggregation"
    methods: tuple[Mean, ...] = Field(default=("arithmetic", "geometric"), min_length=1)
    nodes: tuple[str, ...] | None = None


class OmissionFactor(_Factor):
    """One indicator left out, or none; each equally likely.

    Attributes
    ----------
    indicators : tuple of str, optional
        Those that may be left out; by default all but those whose absence would leave a node at the top empty.
    none : bool
        Whether leaving none out is one of the alternatives.
    """

    factor: Literal["omission"] = "omission"
    name: str = "omission"
    indicators: tuple[str, ...] | None = None
    none: bool = True


class BasePeriodFactor(_Factor):
    """The period that defines 0 and 1, where normalisation is by reference.

    Attributes
    ----------
    periods : tuple of str
        Names among the model's references.
    """

    factor: Literal["base_period"] = "base_period"
    name: str = "base_period"
    periods: tuple[str, ...] = Field(min_length=1)


class PeopleFactor(_Factor):
    """Weights that people gave: each replicate uses those of one person, or of a panel drawn from all of them.

    Attributes
    ----------
    allocations : mapping of str to mapping of str to float, or DataFrame of people by parts
        By person, points by part of the nodes they weigh: indicators, or nodes. Each person counts the same, however
        many points they used; near-duplicates together have what theirs add up to.
    draw : {"person", "panel"}
        ``person``: one person's weights, each equally likely: how far people differ. ``panel``: the mean of the shares
        of as many people, drawn with replacement: how unsure their mean is, had others been asked (bootstrap).
    panels : int
        Panels drawn once, to choose among.
    within : tuple of str, optional
        Nodes whose parts people weigh; by default every node of which somebody weighs a part. To let levels vary apart,
        use one factor a level.
    """

    factor: Literal["people"] = "people"
    name: str = "people"
    allocations: ByPerson = Field(min_length=2)
    draw: Literal["person", "panel"] = "person"
    panels: int = Field(default=256, ge=2)
    within: tuple[str, ...] | None = None

    @field_validator("allocations", mode="before")
    @classmethod
    def _from_table(cls, given: Any) -> Any:
        if isinstance(given, pd.DataFrame):
            return {str(who): {str(k): v for k, v in row.dropna().items()} for who, row in given.iterrows()}
        return given


class ImputationFactor(_Factor):
    """What missing figures may be: completed tables drawn from the figures that are there.

    Attributes
    ----------
    draws : int
        Completed tables, made once to choose among: chained Bayesian regressions on the other indicators
        (``regression_draws``), so that tables differ by all that is not
        known. A suppressed figure is drawn from within the range its publisher states, never as one missing at random;
        its draws are used in scores and not kept.
    none : bool
        Whether leaving the gaps, so that weights go to what is present, is one more alternative.
    secondary : float
        Chance that a suppressed figure lies outside the range, withheld to protect another.
    cycles : int
        Rounds through the incomplete indicators before a table is taken.
    """

    factor: Literal["imputation"] = "imputation"
    name: str = "imputation"
    draws: int = Field(default=50, ge=2)
    none: bool = False
    secondary: float = Field(default=0.0, ge=0, lt=1)
    cycles: int = Field(default=20, ge=1)


class FiguresFactor(_Factor):
    """The figures' own uncertainty as one factor beside the choices of method.

    Attributes
    ----------
    draws : int
        Tables of what the true values may be, drawn once to choose among, before treatment and normalisation; a
        discrete factor, so that a Sobol' analysis can enumerate it.
    shrink : {"jointly", "no"}
        As in :class:`~outcomes_analysis.index.montecarlo.figure_posterior.FigureDraws`.
    """

    factor: Literal["figures"] = "figures"
    name: str = "figures"
    draws: int = Field(default=64, ge=2)
    shrink: Literal["jointly", "no"] = "jointly"


Factor = Annotated[
    TreatmentFactor
    | NormalisationFactor
    | WeightFactor
    | PeopleFactor
    | AggregationFactor
    | OmissionFactor
    | BasePeriodFactor
    | ImputationFactor
    | FiguresFactor,
    Field(discriminator="factor"),
]


def varied(factor: WeightFactor | PeopleFactor, tree: Tree) -> np.ndarray:
    """Positions of the elements whose weight a factor draws: those with siblings, in nodes that are shown."""
    if isinstance(factor, PeopleFactor) and factor.within is None:
        return _varied(_weighed(factor, tree), tree)
    return _varied(factor.within, tree)


def _weighed(factor: PeopleFactor, tree: Tree) -> tuple[str, ...]:
    """Nodes of which somebody weighs a part, or a member of a group of near-duplicates that is one."""
    named = {part for _, points in factor.allocations for part, _ in points}
    return tuple(
        branch.id
        for branch in tree.branches
        if branch.shown and any(named & set(members) for members in parts_of(tree, branch).values())
    )


def parts_of(tree: Tree, branch: Branch) -> dict[str, tuple[str, ...]]:
    """Parts of a node by name, each with the names it answers to: a group of near-duplicates to its members'."""
    found = {}
    for part in branch.parts:
        below = tree.branches[part - len(tree.leaves)] if part >= len(tree.leaves) else None
        hidden = below is not None and not below.shown
        members = tuple(tree.elements[p] for p in below.parts) if below is not None and hidden else None
        found[tree.elements[part]] = members or (tree.elements[part],)
    return found


@lru_cache(maxsize=64)
def _varied(within: tuple[str, ...] | None, tree: Tree) -> np.ndarray:
    wanted = None if within is None else {tree.position(n) for n in within}
    found = []
    for element, parent in enumerate(tree.parents):
        branch = parent - len(tree.leaves)
        if parent < 0 or (wanted is not None and branch not in wanted) or not tree.branches[branch].shown:
            continue
        if len(tree.branches[branch].parts) > 1:
            found.append(element)
    return np.array(found, dtype=int)


def omittable(factor: OmissionFactor, tree: Tree) -> list[str]:
    """Names of the indicators that a factor may leave out."""
    if factor.indicators is not None:
        unknown = [n for n in factor.indicators if n not in tree.leaves]
        if unknown:
            message = f"Factor '{factor.name}' leaves out indicators that are not in the index: {several(unknown)}."
            raise SpecError(message)
        return list(factor.indicators)
    needed: set[int] = set()
    for i in range(len(tree.branches)):
        below = tree.below(i)
        if tree.parents[len(tree.leaves) + i] < 0 and len(below) == 1:
            needed |= set(below)
    return [name for i, name in enumerate(tree.leaves) if i not in needed]


def alternatives(factor: Factor, tree: Tree) -> list[str] | None:
    """What a discrete factor chooses among, in words; None for one that draws from a continuum."""
    if isinstance(factor, TreatmentFactor | NormalisationFactor):
        return [describe_method(m) for m in factor.methods]
    if isinstance(factor, AggregationFactor):
        return list(factor.methods)
    if isinstance(factor, BasePeriodFactor):
        return list(factor.periods)
    if isinstance(factor, OmissionFactor):
        return (["none"] if factor.none else []) + omittable(factor, tree)
    if isinstance(factor, PeopleFactor):
        people = [who for who, _ in factor.allocations]
        return people if factor.draw == "person" else [f"panel {i + 1}" for i in range(factor.panels)]
    if isinstance(factor, ImputationFactor):
        return (["gaps left"] if factor.none else []) + [f"draw {i + 1}" for i in range(factor.draws)]
    if isinstance(factor, FiguresFactor):
        return [f"draw {i + 1}" for i in range(factor.draws)]
    if factor.method == "given":
        return list(factor.sets)
    return None if factor.drawn is None else [f"set {i + 1}" for i in range(factor.drawn)]


def describe_method(method: Any) -> str:
    """Name and parameters of a method, in a few words."""
    given = method_dict(method)
    name = given.pop("method", "?")
    return f"{name} ({', '.join(f'{k}={v}' for k, v in given.items())})" if given else str(name)


def method_dict(method: Any) -> dict[str, Any]:
    """A method, given as a name, a mapping or an object, as a mapping with ``method``."""
    if isinstance(method, Method):
        return method.model_dump(exclude_defaults=True) | {"method": method.key()}
    return {"method": method} if isinstance(method, str) else dict(method)


def inputs(factor: Factor, tree: Tree) -> int:
    """How many uniform numbers a factor takes a replicate."""
    return 1 if alternatives(factor, tree) is not None else len(varied(factor, tree))  # type: ignore[arg-type]
