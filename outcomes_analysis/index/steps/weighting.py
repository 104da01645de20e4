"""What each part counts: given, found in the data, or said by people."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, PlainSerializer

from outcomes_analysis.errors import OutcomesWarning, SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.steps.loadings import component_loadings, ml_factor
from outcomes_analysis.index.steps.means import weighted_average
from outcomes_analysis.index.steps.scalings import ByIndicator
from outcomes_analysis.index.steps.stepping import Method, MethodChoice, check_values, classes_of, methods_by_indicator
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.index.steps.tree_weights import down_the_tree, hierarchy

STEP = "weight"

#: Points by person and part: mappings in and out, pairs within, so that the method can be hashed.
ByPerson = Annotated[
    tuple[tuple[str, ByIndicator], ...],
    BeforeValidator(lambda given: tuple(sorted(dict(given).items())) if hasattr(given, "keys") else given),
    PlainSerializer(lambda pairs: {who: dict(points) for who, points in pairs}, return_type=dict[str, Any]),
]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a method may know of the parts of one node.

    Attributes
    ----------
    node : str
        The node, for messages.
    values : DataFrame
        Units by parts: normalised indicators, or scores of the nodes below.
    sizes : mapping of str to int
        How many indicators each part holds, near-duplicates counted once.
    duplicates : mapping of str to tuple of str
        The indicators in each hidden group of near-duplicates.
    """

    node: str
    values: pd.DataFrame
    sizes: Mapping[str, int]
    duplicates: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """The parts."""
        return [str(name) for name in self.values.columns]

    def looked_up(self, table: Mapping[str, float], *, whose: str) -> pd.Series:
        """Find a number for each part; near-duplicates together have what theirs add up to.

        Raises
        ------
        SpecError
            Parts that are not named, or numbers that cannot be weights.
        """
        members = {name: self.duplicates.get(name, (name,)) for name in self.names}
        missing = [m for group in members.values() for m in group if m not in table]
        if missing:
            message = f"`{STEP}`: {whose} does not name {several(missing)}, of the parts of '{self.node}'"
            raise SpecError(message)
        found = pd.Series({name: float(sum(table[m] for m in group)) for name, group in members.items()})
        if not (found >= 0).all() or not found.sum() > 0:
            message = f"`{STEP}`: {whose} gives the parts of '{self.node}' weights below 0, or 0 to all of them"
            raise SpecError(message)
        return found


class Weighting(Method):
    """A way to weigh the parts of one node."""

    @abstractmethod
    def shares(self, parts: Parts) -> pd.Series:
        """Weigh the parts: 0 or more each; they need not add up to 1."""


class Equal(Weighting):
    """The same for every part of a node, or for every indicator in the end.

    Attributes
    ----------
    across : {"parts", "indicators"}
        Parts of a node weigh the same; or each as many as it has indicators below, so that all indicators do.
        Near-duplicates count as one.
    """

    method: Literal["equal"] = "equal"
    across: Literal["parts", "indicators"] = "parts"

    def shares(self, parts: Parts) -> pd.Series:
        """Ones, or counts."""
        return pd.Series({p: float(parts.sizes[p]) if self.across == "indicators" else 1.0 for p in parts.names})


class Given(Weighting):
    """Weights as decided: by indicator and by node, at whichever levels.

    Attributes
    ----------
    weights : mapping of str to float
        0 or more; made to add up to 1 among the parts of each node. Near-duplicates share theirs equally.
    rest : {"equal", "refuse"}
        What to do with a node none of whose parts is named. Naming some of its parts only is always refused.
    """

    method: Literal["given"] = "given"
    weights: ByIndicator
    rest: Literal["equal", "refuse"] = "refuse"

    def shares(self, parts: Parts) -> pd.Series:
        """As given."""
        table = dict(self.weights)
        if self.rest == "equal" and not set(table) & {m for p in parts.names for m in parts.duplicates.get(p, (p,))}:
            return pd.Series(1.0, index=parts.names)
        return parts.looked_up(table, whose="`weights`")


class People(Weighting):
    """Budget allocation: each person spreads points over the parts; the weight is the mean of their shares.

    Attributes
    ----------
    allocations : mapping of str to mapping of str to float
        By person, points by part. Each person counts the same, however many points they used.
    """

    method: Literal["people"] = "people"
    allocations: ByPerson = Field(min_length=1)

    def shares(self, parts: Parts) -> pd.Series:
        """Mean share by part."""
        each = [parts.looked_up(dict(points), whose=f"the allocation of '{who}'") for who, points in self.allocations]
        return pd.DataFrame([one / one.sum() for one in each]).mean()


def _refuse_negative(loadings: pd.Series, *, node: str, what: str, remedy: str) -> None:
    negative = loadings.index[loadings < 0]
    if len(negative):
        message = (
            f"`{STEP}`: {several(negative)} load negatively on {what} of '{node}': a weight would count them as good "
            f"while the data set them against the others. Check their direction and whether they belong there{remedy}."
        )
        raise SpecError(message)


class PrincipalComponents(Weighting):
    """Squared loadings on the components kept (Handbook step 6; Nicoletti, Scarpetta and Boylaud 2000).

    With several components, rotated by varimax, an indicator's weight is its squared loading on the component it
    loads on most, which equals squared loading over explained variance times that component's share of it.

    Attributes
    ----------
    components : int or None
        How many to keep; None keeps those with an eigenvalue of 1 or more.
    negative : {"refuse", "next"}
        What to do with an indicator whose largest loading is negative: name it, or use its largest positive one
        (as the Handbook did for the Technology Achievement Index).
    """

    method: Literal["pca"] = "pca"
    components: int | None = Field(default=None, ge=1)
    negative: Literal["refuse", "next"] = "refuse"

    def shares(self, parts: Parts) -> pd.Series:
        """Squared loadings."""
        loadings = component_loadings(parts.values, components=self.components)
        columns = np.abs(loadings.to_numpy()).argmax(axis=1)
        largest = pd.Series(loadings.to_numpy()[np.arange(len(loadings)), columns], loadings.index)
        if self.negative == "next":
            largest = loadings.max(axis=1)
        remedy = "" if self.negative == "next" else ", keep fewer components, or pass negative='next'"
        _refuse_negative(largest, node=parts.node, what="a component", remedy=remedy)
        return largest**2


class MLFactor(Weighting):
    """One maximum-likelihood factor behind the parts of a node.

    Attributes
    ----------
    by : {"loadings", "scores"}
        Loadings (ONS Health Index), or regression factor-score coefficients (Scottish Index of Multiple
        Deprivation), which favour the parts that share most with the others more strongly.
    """

    method: Literal["factor"] = "factor"
    by: Literal["loadings", "scores"] = "loadings"

    def shares(self, parts: Parts) -> pd.Series:
        """Loadings or coefficients."""
        try:
            found = ml_factor(parts.values)
        except SpecError as error:
            message = f"`{STEP}`, node '{parts.node}': {error}"
            raise SpecError(message) from error
        at_end = found.uniqueness.index[found.uniqueness < 0.0051]
        if len(at_end):
            text = (
                f"The factor of '{parts.node}' explains {several(at_end)} in full: its weights rest on that one part."
            )
            warnings.warn(text, OutcomesWarning, stacklevel=2)
        chosen = found.loadings if self.by == "loadings" else found.coefficients
        _refuse_negative(found.loadings, node=parts.node, what="the factor", remedy="")
        return chosen


class Optimised(Weighting):
    """Weights under which each part's correlation with the node stands as importance says it should.

    Attributes
    ----------
    targets : mapping of str to float
        Importance by name, above 0; made to add up to 1. Their order does not matter.
    measure : {"correlation", "squared"}
        Whether importance is the correlation of a part with the node's arithmetic mean, or its square.
    """

    method: Literal["optimised"] = "optimised"
    targets: ByIndicator
    measure: Literal["correlation", "squared"] = "correlation"

    def shares(self, parts: Parts) -> pd.Series:
        """Exact where weights of 0 or more can do it, else as near as they can, with a warning."""
        targets = parts.looked_up(dict(self.targets), whose="`targets`")
        whole = parts.values.dropna()
        if len(whole) <= len(parts.names):
            message = (
                f"`{STEP}`: only {len(whole)} units have every part of '{parts.node}'; too few to find weights from"
            )
            raise SpecError(message)
        goal = (targets if self.measure == "correlation" else np.sqrt(targets)).to_numpy()
        covariance = np.cov(whole.to_numpy(float), rowvar=False)
        spread = np.sqrt(np.diag(covariance))
        # the correlation of part i with the mean is (C w)_i / sd_i times a number common to all parts
        weights = np.linalg.lstsq(covariance, goal * spread, rcond=None)[0]
        exact = bool((weights >= 0).all() and np.allclose(covariance @ weights, goal * spread, rtol=1e-8, atol=0))
        if not exact:
            weights = _nearest(covariance, spread, goal / goal.sum())
            reached = covariance @ weights / spread
            reached = (reached / reached.sum()) if self.measure == "correlation" else reached**2 / (reached**2).sum()
            text = (
                f"No weights of 0 or more give the parts of '{parts.node}' the importance asked for. Reached: "
                + ", ".join(f"{p} {share:.3f}" for p, share in zip(parts.names, reached, strict=True))
            )
            warnings.warn(text, OutcomesWarning, stacklevel=2)
        return pd.Series(weights / weights.sum(), parts.names)


def _nearest(covariance: np.ndarray, spread: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Weights of 0 or more that come nearest to the shares of correlation asked for."""
    from scipy.optimize import minimize

    def miss(w: np.ndarray) -> float:
        r = covariance @ w / spread
        return float(1e4 * ((r / r.sum() - goal) ** 2).sum()) if r.sum() > 0 else 1e8

    k = len(goal)
    adds_up = {"type": "eq", "fun": lambda w: w.sum() - 1}
    found = minimize(
        miss, np.full(k, 1 / k), bounds=[(0, 1)] * k, constraints=adds_up, method="SLSQP", options={"ftol": 1e-14}
    )
    return np.clip(found.x, 0, None)


#: Every way to weigh, told apart by ``method``.
WeightMethod = Annotated[
    Equal | Given | People | PrincipalComponents | MLFactor | Optimised, Field(discriminator="method")
]


def weight(
    values: pd.DataFrame,
    *,
    method: MethodChoice = "equal",
    framework: Framework | None = None,
    groups: Mapping[str, str] | pd.Series | None = None,
) -> pd.DataFrame:
    """Weigh every part of every node.

    Parameters
    ----------
    values : DataFrame
        Units by indicators, normalised, higher = better. Weights found in the data of an upper level use the
        arithmetic mean of what is below it, with the weights found there.
    method : Method, str or mapping
        One method, or a mapping from node to the method that weighs its parts (``"default"`` for the rest), so
        that levels may differ: ``equal``, ``given``, ``people``, ``pca``, ``factor``, ``optimised``.
    framework, groups : Framework, or mapping from child to parent
        The tree; one node ``"index"`` over everything if neither is given.

    Returns
    -------
    DataFrame
        Indexed by ``node_id`` (indicators, then nodes from the bottom up): ``parent`` ("" for a root), ``weight``
        (adding up to 1 among the parts of a node) and ``effective`` (the share in the root, all the way down).
        Ready for ``aggregate(..., weights=...)``.

    Raises
    ------
    SpecError
        Weights that are missing, negative or all 0; loadings of both signs; too little to find weights from. Each
        names the node and the parts.
    """
    frame = check_values(values, step=STEP)
    tree = hierarchy(list(frame.columns), framework=framework, groups=groups)
    shown = [tree.branches[i].id for i in tree.shown]
    methods = methods_by_indicator(method, shown, menu=classes_of(WeightMethod), step=STEP)
    columns, elements = [*frame.to_numpy(float).T], tree.elements
    weights, sizes = np.ones(len(elements)), dict.fromkeys(tree.leaves, 1)
    duplicates: dict[str, tuple[str, ...]] = {}
    for branch in tree.branches:
        parts = list(branch.parts)
        names = [elements[p] for p in parts]
        x = pd.DataFrame(np.column_stack([columns[p] for p in parts]), index=frame.index, columns=names)
        chosen = methods.get(branch.id, Equal())
        if not branch.shown:
            duplicates[branch.id] = tuple(names)
        if not isinstance(chosen, Weighting):  # pragma: no cover - the menu holds nothing else
            raise TypeError(chosen)
        if len(parts) > 1:
            found = chosen.shares(Parts(branch.id, x, sizes, duplicates)).reindex(names).to_numpy(float)
            weights[parts] = found / found.sum()
        sizes[branch.id] = sum(sizes[n] for n in names) if branch.shown else 1
        columns.append(weighted_average(x.to_numpy(), weights[parts]))
    return _table(tree, weights)


def _table(tree: Tree, weights: np.ndarray) -> pd.DataFrame:
    elements = tree.elements
    return pd.DataFrame(
        {
            "parent": ["" if p < 0 else elements[p] for p in tree.parents],
            "weight": weights,
            "effective": down_the_tree(tree, weights),
        },
        index=pd.Index(elements, name="node_id"),
    )
