"""What an index is made of: the scores of one node, the same without what is disputed, and the whole result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from outcomes_analysis.framework.model import Indicator, Node
from outcomes_analysis.index.climbing import Line
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.preparing import Prepared
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.aggregation import Aggregation
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.observations.scales import Floats
from outcomes_analysis.provenance import RunManifest

OVERALL = "overall"


@dataclass(frozen=True, eq=False)
class Beside:
    """Scores with England's own for the same date.

    Attributes
    ----------
    estimate, error : ndarray, shape (areas,)
        Score (higher = better) and its standard error; NaN where not computed.
    england, england_error : float
        England's score from all of its figures, and its standard error.
    england_alike, england_alike_error : ndarray, shape (areas,)
        England's score from the parts that the area has figures for: what the area is compared with. The same as
        ``england`` where the area lacks nothing, and everywhere if a mean only compares places with one another.
    """

    estimate: Floats
    error: Floats
    england: float
    england_error: float
    england_alike: Floats
    england_alike_error: Floats


@dataclass(frozen=True, eq=False)
class NodeScore:
    """One node's scores in every area.

    Attributes
    ----------
    node : Node or Indicator
        What is scored.
    kind : str
        ``domain``, ``outcome``, ``indicator`` or ``overall``.
    estimate, error : ndarray, shape (areas,)
        Score (higher = better) and its standard error; NaN where not computed.
    weights : DataFrame
        Leaf weights below the node.
    effective : ndarray, shape (areas, indicators)
        Weights really used in each area.
    availability : ndarray, shape (areas,)
        Share of the weight present.
    experimental : bool
        Mapped part by part, never ranked.
    mean : {"arithmetic", "geometric", ""}
        The one mean by which everything below is combined, of scores on the default scale and not rescaled: then a
        score splits exactly into its indicators. Empty where means differ or are others.
    england, england_error : float
        England's own score at the same date, made from its figures in the same way, and its standard error.
    england_alike, england_alike_error : ndarray, shape (areas,)
        As :class:`Beside` has them.
    contested : float
        Share of the nominal weight that lies on contested indicators, 0 to 1.
    agreed : Beside, optional
        The same without contested indicators, whose weight goes to the parts beside them as that of a missing figure
        does; NaN where the score itself is not computed. None where no indicator is contested, or every one.
    """

    node: Node | Indicator
    kind: str
    estimate: Floats
    error: Floats
    weights: pd.DataFrame
    effective: Floats
    availability: Floats
    experimental: bool
    mean: Aggregation | Literal[""]
    england: float
    england_error: float
    england_alike: Floats
    england_alike_error: Floats
    contested: float
    agreed: Beside | None

    @property
    def beside(self) -> Beside:
        """The scores, contested indicators included, with England's."""
        return Beside(
            self.estimate,
            self.error,
            self.england,
            self.england_error,
            self.england_alike,
            self.england_alike_error,
        )


@dataclass(frozen=True)
class IndexResult:
    """Scores of every node in every area.

    Attributes
    ----------
    table : DataFrame
        Tidy: one row a node and area; ``status`` is ``computed``, ``not_computed`` (too little present, or a place
        too small to rank most of whose weight is on capped figures) or
        ``not_ranked`` (experimental node, indicator of disputed direction, or a place too small to rank).
        ``england`` is England's own score for the same date, ``england_alike`` that from the parts the place has.
        ``against_england`` is whether the interval of the difference from the latter lies ``above`` or ``below`` 0, or
        is ``not clear`` ("" where not computed). ``estimate_agreed, lower_agreed, upper_agreed,
        england_agreed`` and ``against_england_agreed`` are the same without contested indicators (NaN and "" where
        there would be none left). ``standing`` is what may be said of a place: as ``against_england`` where both
        agree, else ``depends on contested figures``; of a single indicator as ``against_england``, where above is
        neither better nor worse if it is contested; "" for a place too small to rank.
    text : str
        Method and findings in words.
    spec : IndexSpec
        The choices made.
    manifest : RunManifest
        What it was made from.
    matrix : IndicatorMatrix
        The figures behind it.
    nodes : dict of str to NodeScore
        Arrays behind the table, for further work. Those of indicators are as published, before capping.
    counted, counted_error : DataFrame
        Areas by indicators: standardised scores as they enter the nodes above, capped, and their standard errors.
    capped : DataFrame
        Figures that count for less than they are, furthest first: ``area_code, area_name, indicator_id,
        indicator_name, score`` (as published), ``counted`` (as it enters) and ``ranked`` (whether the place is).
    prepared : Prepared
        What the steps before combining gave, England in the last row.
    tree : Tree
        The hierarchy of what takes part, with the weights used.
    lines : dict of str to (float, float)
        By node, mean and standard deviation it was rescaled by; empty unless the specification says so.
    """

    table: pd.DataFrame
    text: str
    spec: IndexSpec
    manifest: RunManifest
    matrix: IndicatorMatrix
    nodes: dict[str, NodeScore]
    counted: pd.DataFrame
    counted_error: pd.DataFrame
    capped: pd.DataFrame
    prepared: Prepared
    tree: Tree
    lines: dict[str, Line]

    @property
    def scores(self) -> pd.DataFrame:
        """Areas by nodes: the estimates alone."""
        return pd.DataFrame({k: v.estimate for k, v in self.nodes.items()}, index=self.matrix.values.index)

    @property
    def domains(self) -> tuple[str, ...]:
        """Ids of the domains scored, in the framework's order."""
        return tuple(k for k, v in self.nodes.items() if v.kind == "domain")
