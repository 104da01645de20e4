"""The framework as data: one tree of any depth, with indicators at its leaves."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from outcomes_analysis.errors import FrameworkError, several

Form = Literal["proportion", "rate", "dsr", "mean", "gap", "count", "composition", "model"]
Layer = Literal["child", "parent_carer", "system"]
Tier = Literal["core", "local", "context"]
Direction = Literal[1, -1, 0]
Scale = Literal["identity", "logit", "log"]
GeographyBasis = Literal[
    "residence", "school", "submitting_authority", "responsible_authority", "place_of_event", "registration"
]
SamplingModel = Literal[
    "published", "wilson", "byar", "negbin", "cohort_proportion", "cohort_rate", "cohort_mean", "rounding", "none"
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Break(_Frozen):
    """A change after which a series is not comparable with what came before."""

    period: str
    reason: str


class Sampling(_Frozen):
    """How the sampling error of an indicator's figures is known.

    Attributes
    ----------
    model : str
        ``published`` interval; ``wilson`` from counts; ``byar`` from a count of events; ``negbin`` where events
        exceed people; ``cohort_*`` from an assumed number of children (population aged 0 to 17 times
        ``cohort_share``); ``rounding`` alone; ``none``.
    cohort_share : float, optional
        Share of the population aged 0 to 17 that the figure counts in England (years pooled count several times).
    cohort_follows : str
        Indicator whose figure, beside England's, says how much larger or smaller that share is in an area; empty
        where it is taken to be the same everywhere.
    sd : float, optional
        Standard deviation between children, for ``cohort_mean``.
    sd_of : dict of str to float
        The same for groups of children who differ more among themselves, by ``group_type/group``.
    dispersion : float, optional
        Variance over mean of the count, for ``negbin``.
    reason : str
        Why this model.
    """

    model: SamplingModel
    cohort_share: float | None = Field(default=None, gt=0)
    cohort_follows: str = ""
    sd: float | None = Field(default=None, gt=0)
    sd_of: dict[str, float] = Field(default_factory=dict)
    dispersion: float | None = Field(default=None, ge=1)
    reason: str = ""


class Node(_Frozen):
    """A domain, an outcome, or any other step of the tree above the indicators.

    ``statement`` is worded as a strength; ``experimental`` marks a node that is mapped part by part and
    never ranked.
    """

    id: str
    label: str
    kind: str
    parent: str | None = None
    statement: str = ""
    layer: Layer = "child"
    experimental: bool = False
    note: str = ""


class Indicator(_Frozen):
    """One measure: what it is, which way is better, where it belongs, and what it cannot tell you.

    Attributes
    ----------
    outcome : str
        Node it hangs from (its first domain is found by walking up); empty for context indicators.
    direction : {1, -1, 0}
        Higher is better, lower is better, or neutral; a neutral one never enters an index unless asked for.
    contested : str
        Why the direction is disputed, or empty.
    domains : tuple of str
        Domains it speaks to, the primary one first.
    geography_basis : str
        What ties a child to an area in this figure.
    base_period : str
        Period whose England value and spread between authorities define 0 and 1.
    source : str
        ``source_id`` of the primary source.
    cross_checks : tuple of str
        Other sources of the same figure.
    decimals : int
        Decimals as published.
    valid_range : tuple of float
        Lowest and highest value that can be right, in ``unit``.
    per : float
        What a rate is per (100 for a percentage, 10,000, 100,000); 1 for means.
    scale : str
        Scale on which errors are about even: ``logit``, ``log`` or ``identity``.
    max_age : int
        Years after which a value is too old for an index.
    doublet : str
        Name of the group of near-duplicates that count once together, or empty.
    """

    id: str
    name: str
    definition: str
    unit: str
    direction: Direction
    outcome: str = ""
    contested: str = ""
    form: Form
    age_stage: str
    layer: Layer = "child"
    tier: Tier = "core"
    domains: tuple[str, ...] = ()
    geography_basis: GeographyBasis
    base_period: str
    source: str
    cross_checks: tuple[str, ...] = ()
    decimals: int = Field(ge=0, le=6)
    breaks: tuple[Break, ...] = ()
    cannot_tell: str
    valid_range: tuple[float, float] = (0.0, 100.0)
    per: float = Field(default=100.0, gt=0)
    scale: Scale = "identity"
    sampling: Sampling
    max_age: int = Field(default=3, ge=0)
    doublet: str = ""
    measure_of: Literal["outcome", "activity", "context", "enabler"] = "outcome"

    @property
    def scored(self) -> bool:
        """Whether it may enter an index without being asked for by name."""
        return self.direction != 0 and self.tier == "core" and self.measure_of == "outcome"


class Framework(_Frozen):
    """A framework: its nodes, its indicators, and where both come from.

    Attributes
    ----------
    nodes : tuple of Node
        Every domain and outcome; roots have no parent.
    indicators : tuple of Indicator
        In the order in which they are shown.
    notice : str
        The line shown wherever the domains are used.
    """

    id: str
    label: str
    version: str
    date: str
    source_url: str
    notice: str
    nodes: tuple[Node, ...]
    indicators: tuple[Indicator, ...]

    def __hash__(self) -> int:
        return hash((self.id, self.version, len(self.indicators)))

    @property
    def domains(self) -> tuple[Node, ...]:
        """The roots of the tree, in order."""
        return tuple(node for node in self.nodes if node.parent is None)

    def node(self, node_id: str) -> Node:
        """Find a node by its id.

        Raises
        ------
        FrameworkError
            If there is none, naming those there are.
        """
        for node in self.nodes:
            if node.id == node_id:
                return node
        message = f"No node '{node_id}' in framework '{self.id}'. There are: {several(n.id for n in self.nodes)}."
        raise FrameworkError(message)

    def indicator(self, indicator_id: str) -> Indicator:
        """Find an indicator by its id.

        Raises
        ------
        FrameworkError
            If there is none, naming ids that look alike.
        """
        for indicator in self.indicators:
            if indicator.id == indicator_id:
                return indicator
        near = get_close_matches(indicator_id, [i.id for i in self.indicators], n=3, cutoff=0.4)
        hint = f" Did you mean {several(near)}?" if near else ""
        message = f"No indicator '{indicator_id}' in framework '{self.id}'.{hint} `outcomes find WORDS` searches them."
        raise FrameworkError(message)

    def children(self, node_id: str) -> tuple[Node, ...]:
        """Nodes directly below a node."""
        return tuple(node for node in self.nodes if node.parent == node_id)

    def domain_of(self, node_id: str) -> str:
        """Root above a node (or the node itself)."""
        node = self.node(node_id)
        while node.parent is not None:
            node = self.node(node.parent)
        return node.id

    def below(self, node_id: str) -> Iterator[Indicator]:
        """Indicators whose primary home is a node or anything under it, in order."""
        ids = {node_id}
        for _ in self.nodes:
            ids |= {node.id for node in self.nodes if node.parent in ids}
        return (i for i in self.indicators if i.outcome in ids)

    def to_frame(self) -> pd.DataFrame:
        """One row an indicator, with its primary domain and its outcome's label.

        Returns
        -------
        DataFrame
            Indexed by ``indicator_id``.
        """
        rows: list[dict[str, Any]] = []
        for indicator in self.indicators:
            row = indicator.model_dump(exclude={"sampling", "breaks"})
            row["indicator_id"] = row.pop("id")
            row["domain"] = self.domain_of(indicator.outcome) if indicator.outcome else ""
            row["outcome_label"] = self.node(indicator.outcome).label if indicator.outcome else ""
            row["breaks"] = "; ".join(f"{b.period}: {b.reason}" for b in indicator.breaks)
            row["sampling"] = indicator.sampling.model
            rows.append(row)
        return pd.DataFrame(rows).set_index("indicator_id")
