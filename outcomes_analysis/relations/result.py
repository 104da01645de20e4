"""What an analysis of how outcomes relate gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.specification import RelationSpec

TABLE_COLUMNS = (
    "analysis",
    "adjusted_for",
    "sample",
    "n",
    "estimate",
    "lower",
    "upper",
    "level",
    "interval",
    "unit",
    "scale",
    "method",
    "status",
    "reason",
)


@dataclass(frozen=True, eq=False)
class RelationResult:
    """The answer to one question, on one page.

    Attributes
    ----------
    table : DataFrame
        One row an estimate: ``analysis`` (``spearman``, ``pearson``, ``ols_robust``, ``ols_region``,
        ``mixed_region``), ``adjusted_for`` (indicator ids joined by ``+``, empty for none), ``sample``, ``n``
        (authorities), ``estimate, lower, upper, level, interval``, ``unit`` in words, ``scale`` (``correlation``,
        ``standard``: sd of the outcome per sd of the predictor, ``natural``: units of the outcome per ``unit``),
        ``method`` (how the interval was made), ``status`` (``computed`` or ``withheld``) and ``reason``.
    text : str
        Prose made from the same numbers.
    spec : RelationSpec
        The question.
    manifest : RunManifest
        What the answer was made from.
    diagnostics : dict
        Periods used, authorities left out and why, spread of each variable, variances of the region model, warnings.
    data : DataFrame
        Indexed by ``area_code``: ``area_name, region_code, region_name, london`` and one column a variable, in natural
        units; the authorities that every estimate of the sample ``all`` rests on.
    """

    table: pd.DataFrame
    text: str
    spec: RelationSpec
    manifest: RunManifest
    diagnostics: dict[str, Any]
    data: pd.DataFrame

    def __str__(self) -> str:
        return self.text

    def row(
        self, analysis: str, *, adjusted_for: str = "", sample: str = "all", scale: str | None = None
    ) -> pd.Series[Any]:
        """One estimate of the table.

        Raises
        ------
        KeyError
            If there is no such row, or more than one.
        """
        table = self.table
        found = table[
            (table["analysis"] == analysis) & (table["adjusted_for"] == adjusted_for) & (table["sample"] == sample)
        ]
        if scale is not None:
            found = found[found["scale"] == scale]
        if len(found) != 1:
            message = f"{len(found)} rows for analysis '{analysis}', adjusted for '{adjusted_for}', sample '{sample}'"
            raise KeyError(message)
        return found.iloc[0]
