"""The index as the Monte Carlo engine takes it: figures, hierarchy, and the choices that can be made otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.montecarlo.kernels import MEANS, Mean
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.wording import plural

REFERENCE = "reference"
MIDDLE, SPREAD = 100.0, 10.0  # scale on which a score by reference is averaged, so that it stays above 0


@dataclass(frozen=True, eq=False)
class IndexModel:
    """An index whose choices of method can be made otherwise.

    Attributes
    ----------
    values : DataFrame
        Units by indicators, on the scale on which they are treated and normalised; NaN = missing.
    tree : Tree
        The hierarchy.
    directions : mapping of str to int
        1 where higher is better, -1 where lower is; applied before normalising. All 1 by default.
    errors : DataFrame, optional
        Standard errors of ``values``; needed to draw the figures.
    references : mapping of str to DataFrame
        By name of the period: ``centre`` and ``scale`` by indicator, for normalisation by reference. The first is
        the index's own.
    ranges : (DataFrame, DataFrame), optional
        Lowest and highest a suppressed figure may be, units by indicators on the scale of ``values``; NaN where nothing
        is known of a missing one. Used when imputing.
    limits : DataFrame, optional
        By indicator, ``low`` and ``high`` on the scale of ``values``: figures and draws count as no further out than
        these, before anything else is done to them.
    treatment : method
        As in :class:`~outcomes_analysis.index.montecarlo.factors.TreatmentFactor`; ``"none"`` leaves outliers alone.
    normalisation : method
        As in :class:`~outcomes_analysis.index.montecarlo.factors.NormalisationFactor`.
    mean : str, or mapping of str to str
        The mean of every node, or by node (others arithmetic).
    computed : DataFrame of bool, optional
        Units by nodes: which scores may be shown; all by default.
    names : Series, optional
        Unit names for people.
    """

    values: pd.DataFrame
    tree: Tree
    directions: Mapping[str, int] = field(default_factory=dict)
    errors: pd.DataFrame | None = None
    references: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    ranges: tuple[pd.DataFrame, pd.DataFrame] | None = None
    limits: pd.DataFrame | None = None
    treatment: Any = "none"
    normalisation: Any = "zscore"
    mean: Mean | Mapping[str, Mean] = "arithmetic"
    computed: pd.DataFrame | None = None
    names: pd.Series | None = None

    def __post_init__(self) -> None:
        missing = [name for name in self.tree.leaves if name not in self.values.columns]
        if missing:
            message = f"{len(missing)} indicators of the hierarchy are not among the values: {several(missing)}."
            raise SpecError(message)
        empty = [name for name in self.tree.leaves if not self.values[name].notna().any()]
        if empty:
            message = (
                f"{len(empty)} indicators have no value at all: {several(empty)}. Leave them out of the hierarchy."
            )
            raise SpecError(message)

    @property
    def x(self) -> np.ndarray:
        """Values, units by leaves."""
        return self.values[list(self.tree.leaves)].to_numpy(float)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest value that counts, by leaf; infinite where there is no limit."""
        count = len(self.tree.leaves)
        if self.limits is None:
            return np.full(count, -np.inf), np.full(count, np.inf)
        table = self.limits.reindex(list(self.tree.leaves))
        return table["low"].fillna(-np.inf).to_numpy(float), table["high"].fillna(np.inf).to_numpy(float)

    @property
    def signs(self) -> np.ndarray:
        """Direction of each leaf, 1.0 or -1.0."""
        return np.array([float(self.directions.get(name, 1)) for name in self.tree.leaves])

    @property
    def means(self) -> np.ndarray:
        """Mean of each branch, as a position in :data:`~outcomes_analysis.index.montecarlo.kernels.MEANS`."""
        if isinstance(self.mean, str):
            return np.full(len(self.tree.branches), MEANS.index(self.mean))
        found = np.zeros(len(self.tree.branches), dtype=int)
        for node, mean in self.mean.items():
            found[self.tree.position(node)] = MEANS.index(mean)
        return found

    @property
    def gap_ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Range of each suppressed figure, units by leaves; NaN elsewhere.

        Raises
        ------
        SpecError
            A range that is upside down, open, or given for a figure that is there.
        """
        none = np.full(self.x.shape, np.nan)
        if self.ranges is None:
            return none, none
        low, high = (r.reindex(index=self.values.index, columns=list(self.tree.leaves)) for r in self.ranges)
        a, b = low.to_numpy(float), high.to_numpy(float)
        given = ~np.isnan(a) | ~np.isnan(b)
        wrong = given & (np.isfinite(self.x) | ~(a < b) | ~np.isfinite(a) | ~np.isfinite(b))
        if wrong.any():
            rows, columns = np.nonzero(wrong)
            cells = [f"{self.tree.leaves[j]} of {self.values.index[i]}" for i, j in zip(rows, columns, strict=True)]
            message = (
                f"{plural(len(cells), 'suppressed figure has', 'suppressed figures have')} no proper range (a lowest "
                f"below a highest, where no figure is given): {several(cells)}."
            )
            raise SpecError(message)
        return a, b

    @cached_property
    def shown(self) -> np.ndarray:
        """Whether a unit has a score, branches by units: never where no figure below the node is published."""
        there = np.isfinite(self.x)
        published = np.array([there[:, self.tree.below(b)].any(axis=1) for b in range(len(self.tree.branches))])
        if self.computed is None:
            return published
        found = self.computed.reindex(index=self.values.index, columns=[b.id for b in self.tree.branches])
        return np.asarray(found.fillna(value=True).to_numpy(bool).T & published)
