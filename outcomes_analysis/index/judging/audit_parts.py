"""What an audit looks at: each domain's indicators, its distinct measures and its score, in the places that rank."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.index.building import IndexResult, NodeScore
from outcomes_analysis.index.steps.aggregation import Aggregation, effective_weights, weighted_mean
from outcomes_analysis.wording import plural

FEWEST_AREAS = 30  # below this a correlation of .3 is not beyond chance


@dataclass(frozen=True, eq=False)
class DomainParts:
    """One domain as an audit sees it.

    Attributes
    ----------
    id, label : str
    node : NodeScore
        Of the index.
    rows : ndarray of bool
        Which of the index's areas are audited: those that are ranked.
    items : DataFrame
        Areas by indicators: normalised, higher = better.
    measures : DataFrame
        Areas by distinct measures: indicators declared to measure nearly the same thing (a doublet) are averaged into
        one, so that a figure published twice does not pass for agreement.
    members : dict of str to list of str
        Indicators of each measure.
    labels : dict of str to str
        Name of each measure in words.
    score : Series
        By area.
    aggregation : str
        The mean used.
    """

    id: str
    label: str
    node: NodeScore
    rows: np.ndarray
    items: pd.DataFrame
    measures: pd.DataFrame
    members: dict[str, list[str]]
    labels: dict[str, str]
    score: pd.Series
    aggregation: Aggregation

    @property
    def measure_weights(self) -> pd.Series:
        """Weight of each measure in the domain, adding up to 1."""
        weights = self.node.weights.groupby("group", sort=False)["weight"].sum()
        return weights.reindex(self.measures.columns)

    @property
    def contributions(self) -> pd.DataFrame:
        """Areas by measures: effective weight times score; adds up to the score of an arithmetic mean."""
        used = self.node.effective[self.rows]
        parts = pd.DataFrame(
            np.where(used > 0, used * self.items.to_numpy(float), 0.0), self.items.index, self.items.columns
        )
        return pd.DataFrame({name: parts[items].sum(axis=1) for name, items in self.members.items()})

    def narrowed(self, measures: list[str]) -> Self:
        """The same domain with some of its measures only; its score stays that of the whole."""
        return replace(self, measures=self.measures[measures])

    def rescored(self, *, without: str = "", aggregation: Aggregation | None = None) -> pd.Series:
        """Score by area without one measure, or by another mean; NaN where the domain is not computed."""
        kept = [i for name, items in self.members.items() if name != without for i in items]
        weights = self.node.weights.loc[[i for i in self.node.weights.index if i in kept]]
        z = self.items[weights.index].to_numpy(float)
        effective = effective_weights(np.isfinite(z), weights)
        mean = weighted_mean(z, effective, method=aggregation or self.aggregation)
        return pd.Series(mean, self.items.index).where(self.score.notna())


def _measure_label(items: list[str], index: IndexResult) -> str:
    if len(items) == 1:
        return index.matrix.framework.indicator(items[0]).name
    first = index.matrix.framework.indicator(items[0]).name
    return f"{first} (with {plural(len(items) - 1, 'near-duplicate', 'near-duplicates')})"


def domain_parts(index: IndexResult) -> dict[str, DomainParts]:
    """Take an index apart, domain by domain.

    Parameters
    ----------
    index : IndexResult

    Returns
    -------
    dict of str to DomainParts
        In the index's order.

    Raises
    ------
    SpecError
        If fewer than 30 places may be ranked: correlations between so few mean little.
    """
    rows = index.matrix.areas["ranked"].to_numpy(bool)
    if rows.sum() < FEWEST_AREAS:
        message = (
            f"The index ranks {rows.sum()} places; an audit needs {FEWEST_AREAS} for its correlations to mean "
            "anything. Use all upper-tier authorities, or a wider set of places."
        )
        raise SpecError(message)
    codes = index.matrix.areas.index[rows]
    found = {}
    for name in index.domains:
        node = index.nodes[name]
        indicators = list(node.weights.index)
        items = index.counted.loc[codes, indicators]
        members: dict[str, list[str]] = {}
        for indicator, group in node.weights["group"].items():
            members.setdefault(str(group), []).append(str(indicator))
        measures = pd.DataFrame({group: items[m].mean(axis=1) for group, m in members.items()})
        found[name] = DomainParts(
            id=name,
            label=_node_label(node),
            node=node,
            rows=rows,
            items=items,
            measures=measures,
            members=members,
            labels={group: _measure_label(m, index) for group, m in members.items()},
            score=pd.Series(node.estimate[rows], index=codes),
            aggregation=_splitting(node),
        )
    return found


def _splitting(node: NodeScore) -> Aggregation:
    """The mean by which a domain splits into its parts, which an audit goes by."""
    if node.mean == "":
        message = (
            f"'{_node_label(node)}' cannot be audited: its score does not split exactly into its parts. That takes one "
            "arithmetic mean, or one GeometricMean(offset=100, factor=10), throughout, on the base period's scale."
        )
        raise SpecError(message)
    return node.mean


def _node_label(node: NodeScore) -> str:
    return node.node.name if isinstance(node.node, Indicator) else node.node.label
