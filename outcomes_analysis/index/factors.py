"""What may be chosen otherwise: each choice an object that turns uniform numbers into what a replicate does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.index.kernels import MEANS, Mean
from outcomes_analysis.index.stepping import Method
from outcomes_analysis.index.tree import Tree


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


Factor = Annotated[
    TreatmentFactor | NormalisationFactor | WeightFactor | AggregationFactor | OmissionFactor | BasePeriodFactor,
    Field(discriminator="factor"),
]


@dataclass(frozen=True, eq=False)
class Choices:
    """What each of a number of replicates does.

    Attributes
    ----------
    treatment, normalisation, base : ndarray of int, shape (replicates,)
        Positions among the alternatives.
    weights : ndarray, shape (replicates, elements)
        Weights within each parent, 0 where left out.
    means : ndarray of int, shape (replicates, branches)
        Positions in :data:`~outcomes_analysis.index.kernels.MEANS`.
    labels : dict of str to ndarray of str
        By factor, what was done in words.
    """

    treatment: np.ndarray
    normalisation: np.ndarray
    base: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    labels: dict[str, np.ndarray]


def varied(factor: WeightFactor, tree: Tree) -> np.ndarray:
    """Positions of the elements whose weight a factor draws: those with siblings, in nodes that are shown."""
    return _varied(factor.within, tree)


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


def check_factors(factors: Sequence[Factor], tree: Tree, *, references: Sequence[str]) -> None:
    """Refuse factors that cannot vary anything, or that step on each other, naming all of them at once."""
    problems = Problems("factors of the uncertainty analysis")
    names = [f.name for f in factors]
    for name in sorted({n for n in names if names.count(n) > 1}):
        problems.add(f"{names.count(name)} factors are called '{name}'; give each its own `name`")
    for kind in ("treatment", "normalisation", "omission", "base_period"):
        if sum(f.factor == kind for f in factors) > 1:
            problems.add(f"there are several factors of kind '{kind}'; list all alternatives in one")
    claimed: set[tuple[str, int]] = set()
    for factor in factors:
        _check_one(factor, tree, references, claimed, problems)
    problems.raise_if_any(SpecError)


def _check_one(
    factor: Factor, tree: Tree, references: Sequence[str], claimed: set[tuple[str, int]], problems: Problems
) -> None:
    try:
        choices, count = alternatives(factor, tree), inputs(factor, tree)
    except SpecError as error:
        problems.add(f"'{factor.name}': {error}")
        return
    if choices is not None and len(set(choices)) < 2:
        problems.add(f"'{factor.name}' has {len(choices)} alternative ({several(choices)}), so it changes nothing")
    if count == 0:
        problems.add(f"'{factor.name}' finds no node with more than one part, so it changes nothing")
    if isinstance(factor, BasePeriodFactor):
        unknown = [p for p in factor.periods if p not in references]
        if unknown:
            problems.add(
                f"'{factor.name}' names unknown references ({several(unknown)}); there are {several(references)}"
            )
    touched: set[tuple[str, int]] = set()
    if isinstance(factor, WeightFactor):
        elements = set(tree.elements)
        unknown = sorted({e for chosen in factor.sets.values() for e in chosen} - elements)
        if unknown:
            problems.add(f"'{factor.name}' has weights for {len(unknown)} unknown elements ({several(unknown)})")
        touched = {("weights", int(i)) for i in varied(factor, tree)}
    if isinstance(factor, AggregationFactor):
        nodes = [b.id for b in tree.branches] if factor.nodes is None else factor.nodes
        touched = {("aggregation", tree.position(n)) for n in nodes}
    if touched & claimed:
        problems.add(f"'{factor.name}' varies nodes that an earlier factor of its kind varies; set `within` or `nodes`")
    claimed |= touched


def choose(factors: Sequence[Factor], tree: Tree, u: np.ndarray, *, means: np.ndarray, seed: int) -> Choices:
    """Turn uniform numbers into what each replicate does.

    Parameters
    ----------
    factors : sequence of Factor
        In the order of the columns of ``u``.
    tree : Tree
        The hierarchy.
    u : ndarray, shape (replicates, inputs)
        Numbers from 0 up to 1, :func:`inputs` columns a factor.
    means : ndarray of int, shape (branches,)
        Means used where no factor says otherwise.
    seed : int
        For weight sets drawn once.

    Returns
    -------
    Choices
    """
    rows = len(u)
    zero = np.zeros(rows, dtype=int)
    found: dict[str, np.ndarray] = {"treatment": zero, "normalisation": zero, "base_period": zero}
    weights, chosen_means = np.tile(tree.weights, (rows, 1)), np.tile(means, (rows, 1))
    left_out: tuple[np.ndarray, np.ndarray] | None = None
    labels: dict[str, np.ndarray] = {}
    start = 0
    for factor in factors:
        width = inputs(factor, tree)
        own, start = u[:, start : start + width], start + width
        options = alternatives(factor, tree)
        pick = zero if options is None else np.minimum((own[:, 0] * len(options)).astype(int), len(options) - 1)
        labels[factor.name] = _labels(factor, options, pick, rows)
        if isinstance(factor, WeightFactor):
            weights = _weights(factor, tree, weights, own, pick, seed)
        elif isinstance(factor, AggregationFactor):
            nodes = slice(None) if factor.nodes is None else [tree.position(n) for n in factor.nodes]
            chosen_means[:, nodes] = np.array([MEANS.index(m) for m in factor.methods])[pick][:, None]
        elif isinstance(factor, OmissionFactor) and options is not None:
            where = np.array([tree.leaves.index(n) if n in tree.leaves else -1 for n in options])[pick]
            left_out = (np.flatnonzero(where >= 0), where[where >= 0])
        else:
            found[factor.factor] = pick
    if left_out is not None:  # after all weights are drawn
        weights[left_out] = 0.0
    return Choices(
        treatment=found["treatment"],
        normalisation=found["normalisation"],
        base=found["base_period"],
        weights=weights,
        means=chosen_means,
        labels=labels,
    )


def _labels(factor: Factor, options: list[str] | None, pick: np.ndarray, rows: int) -> np.ndarray:
    if options is not None:
        return np.array(options, dtype=object)[pick]
    spread = getattr(factor, "spread", 0.0)
    word = "drawn (Dirichlet)" if getattr(factor, "method", "") == "dirichlet" else f"drawn ± {spread:.0%}"
    return np.full(rows, word, dtype=object)


def _weights(
    factor: WeightFactor, tree: Tree, weights: np.ndarray, u: np.ndarray, pick: np.ndarray, seed: int
) -> np.ndarray:
    if factor.method == "given":
        where = {name: i for i, name in enumerate(tree.elements)}
        table = np.tile(tree.weights, (len(factor.sets), 1))
        for row, chosen in enumerate(factor.sets.values()):
            for name, weight in chosen.items():
                table[row, where[name]] = weight
        return table[pick]
    elements = varied(factor, tree)
    result = weights.copy()
    if factor.drawn is not None:
        sets = np.random.default_rng([seed, 77]).random((factor.drawn, len(elements)))
        result[:, elements] = _drawn(factor, tree, elements, sets)[pick]
    else:
        result[:, elements] = _drawn(factor, tree, elements, u)
    return result


def _drawn(factor: WeightFactor, tree: Tree, elements: np.ndarray, u: np.ndarray) -> np.ndarray:
    base = tree.weights[elements]
    if factor.method == "uniform":
        return base * (1 - factor.spread + 2 * factor.spread * u)
    from scipy.special import gammaincinv

    parents = np.array(tree.parents)[elements]
    total, count = np.zeros(len(elements)), np.zeros(len(elements))
    for parent in np.unique(parents):
        same = parents == parent
        total[same], count[same] = base[same].sum(), same.sum()
    shape = factor.concentration * count * base / total
    # shares of independent gamma variables are Dirichlet; 1e-300 keeps a share of 0 from dividing 0 by 0
    return np.maximum(gammaincinv(np.maximum(shape, 1e-12), np.clip(u, 1e-12, 1 - 1e-12)), 1e-300)
