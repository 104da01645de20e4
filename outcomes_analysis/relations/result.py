"""What an analysis of how outcomes relate gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.wording import listed

TABLE_COLUMNS = (
    "analysis",
    "label",
    "adjusted_for",
    "alike",
    "sample",
    "authorities",
    "n",
    "estimate",
    "lower",
    "upper",
    "level",
    "interval",
    "p_value",
    "q_value",
    "unit",
    "scale",
    "method",
    "status",
    "reason",
)

# An analysis in plain words, for tables that people read.
LABELS = {
    "spearman": "Rank correlation",
    "pearson": "Straight-line correlation",
    "spearman_neighbours": "Rank correlation, likeness of neighbours allowed for",
    "pearson_even": "Straight-line correlation, each figure on an even scale",
    "pearson_noise_out": "Straight-line correlation on an even scale, known noise taken out",
    "ols_robust": "Straight line, errors robust to unequal spread",
    "wls_children": "Straight line, each authority counted by its number of children",
    "ols_clustered": "Straight line, errors robust to likeness within the few regions",
    "ols_wild": "Straight line, likeness within the few regions checked by drawing their residuals anew",
    "ols_region": "Straight line within regions, each with a level of its own",
    "mixed_region": "Line with a level for each region, the levels drawn from one spread",
    "mixed_authority": "Line with levels for regions and for authorities, over several years",
    "fractional_logit": "Curve for a share (fractional logit), average slope",
    "spatial_error": "Straight line, what it leaves over alike between neighbours",
    "spatial_lag": "Straight line, the neighbours' outcome allowed for",
    "spatial_lag_total": "The same line with neighbours' outcomes following suit",
    "panel_within": "Line within authorities over the years",
    "panel_two_way": "Line within authorities, what all share in a year taken out",
    "panel_two_way_regions": "Line within authorities and years, errors robust to likeness within the few regions",
    "panel_two_way_years": "Line within authorities and years, errors robust to what all share in a year and the next",
    "panel_lagged": "Line within authorities and years, the predictor of an earlier year",
    "network": "Partial correlation, all other figures of the network allowed for",
    "unseen_as_strong": "Straight line, were a further characteristic just as strong allowed for too",
    "errors_allowed_for": "Line of true values, the known errors of both figures allowed for",
    "errors_ignored": "The same line with the figures taken to be exact",
}
SAMPLE_WORDS = {"all": "all", "without_london": "without London"}


@dataclass(frozen=True, eq=False)
class RelationResult:
    """The answer to one question, on one page.

    Attributes
    ----------
    table : DataFrame
        One row an estimate: ``analysis`` (a key of ``LABELS``) and ``label`` (the same in words), ``adjusted_for``
        (indicator ids joined by ``+``, empty for none) and ``alike`` (in words), ``sample`` and ``authorities`` (in
        words), ``n`` (how many), ``estimate, lower, upper, level, interval``, ``p_value`` (chance of one as large
        were there none; only for ``spearman_neighbours``) and ``q_value`` (the same when several pairs are tried:
        Benjamini and Hochberg 1995), ``unit`` in words, ``scale``
        (``correlation``, ``standard``: sd of the outcome per sd of the predictor, ``natural``: units of the outcome
        per ``unit``), ``method`` (how the interval was made), ``status`` (``computed`` or ``withheld``) and
        ``reason``.
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
    sections : tuple of (heading, text)
        The same prose part by part, where it is a page: one line a point, the first part without a heading.
    """

    table: pd.DataFrame
    text: str
    spec: RelationSpec
    manifest: RunManifest
    diagnostics: dict[str, Any]
    data: pd.DataFrame
    sections: tuple[tuple[str, str], ...] = ()

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


def headline_row(table: pd.DataFrame, *, adjusted_for: str = "", sample: str = "all") -> pd.Series[Any]:
    """The rank correlation to be spoken of: with the likeness of neighbours allowed for, where that can be had.

    Parameters
    ----------
    table : DataFrame
        As ``RelationResult.table``.
    adjusted_for, sample : str
        The case.

    Raises
    ------
    KeyError
        If the table has no rank correlation of this case.
    """
    case = table[(table["adjusted_for"] == adjusted_for) & (table["sample"] == sample)]
    for analysis in ("spearman_neighbours", "spearman"):
        rows = case[case["analysis"] == analysis]
        if len(rows) == 1 and (analysis == "spearman" or rows["status"].iloc[0] == "computed"):
            return rows.iloc[0]
    message = f"no rank correlation adjusted for '{adjusted_for}' in the sample '{sample}'"
    raise KeyError(message)


def table_of(rows: Iterable[Mapping[str, Any]], *, names: Mapping[str, str]) -> pd.DataFrame:
    """Table of a result from its rows, with everything that has a code said in words too.

    Parameters
    ----------
    rows : iterable of mapping
        Columns of ``TABLE_COLUMNS`` but for those in words.
    names : mapping
        Indicator id to its name inside a sentence.
    """
    table = pd.DataFrame(list(rows))
    table["label"] = table["analysis"].map(LABELS)
    table["alike"] = [listed([names[i] for i in key.split("+") if i]) or "nothing" for key in table["adjusted_for"]]
    table["authorities"] = table["sample"].map(SAMPLE_WORDS)
    return table.reindex(columns=list(TABLE_COLUMNS))
