"""A domain beside places of similar child poverty: what poverty goes with, and what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.building import IndexResult
from outcomes_analysis.index.specification import IndexSpec
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.wording import associational, listed, number

NEAREST = 20


@dataclass(frozen=True)
class ComparisonResult:
    """Scores as differences from places alike in one respect.

    Attributes
    ----------
    table : DataFrame
        ``node_id, node_label, area_code, area_name, region_name, poverty, estimate, lower, upper, level,
        interval, status``; the estimate is the score less the mean of the nearest places (higher = better).
    correlation : Series
        By node: rank correlation of the score with the covariate.
    text, spec, manifest
        As in every result.
    """

    table: pd.DataFrame
    correlation: pd.Series
    text: str
    spec: IndexSpec
    manifest: RunManifest


def _nearest_means(
    score: np.ndarray, error: np.ndarray, covariate: np.ndarray, *, nearest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Difference of each score from the mean of its nearest places in the covariate, with its error."""
    n = len(score)
    distance = np.abs(covariate[:, None] - covariate[None, :])
    np.fill_diagonal(distance, np.inf)
    chosen = np.argsort(distance, axis=1, kind="stable")[:, : min(nearest, n - 1)]
    k = chosen.shape[1]
    difference = score - score[chosen].mean(axis=1)
    variance = error**2 + (error[chosen] ** 2).sum(axis=1) / k**2
    return difference, np.sqrt(variance)


def compare_given(
    index: IndexResult, covariate: pd.Series, *, nearest: int = NEAREST, label: str = "child poverty"
) -> ComparisonResult:
    """Compare each domain score with the mean of the places nearest in a covariate.

    Parameters
    ----------
    index : IndexResult
        Domain scores.
    covariate : Series
        By area code, for instance the share of children in poverty after housing costs.
    nearest : int
        How many places to compare with (the place itself is left out of their mean).
    label : str
        Name of the covariate, for the text.

    Returns
    -------
    ComparisonResult
        A place without a score or covariate is ``not_computed``; City of London and the Isles of Scilly are
        neither compared nor compared with.

    Raises
    ------
    SpecError
        If fewer than twice ``nearest`` places have both.
    """
    z = norm.ppf(0.5 + index.spec.level / 2)
    values = covariate.reindex(index.matrix.areas.index).to_numpy(float)
    ordinary = index.matrix.areas["ranked"].to_numpy(bool)
    frames, correlation = [], {}
    for name in index.domains:
        node = index.nodes[name]
        usable = np.isfinite(node.estimate) & np.isfinite(values) & ordinary
        if usable.sum() < 2 * nearest:
            message = (
                f"Only {usable.sum()} authorities have both a score for '{name}' and {label}; comparing with the "
                f"{nearest} nearest needs {2 * nearest}."
            )
            raise SpecError(message)
        difference, error = np.full((2, len(values)), np.nan)
        difference[usable], error[usable] = _nearest_means(
            node.estimate[usable], node.error[usable], values[usable], nearest=nearest
        )
        correlation[name] = pd.Series(node.estimate[usable]).corr(pd.Series(values[usable]), method="spearman")
        rows = index.table[index.table["node_id"] == name].reset_index(drop=True)
        keep = rows[["node_id", "node_label", "area_code", "area_name", "region_name", "period"]]
        frames.append(
            keep.assign(
                poverty=values,
                estimate=difference,
                lower=difference - z * error,
                upper=difference + z * error,
                level=index.spec.level,
                interval="figures",
                status=np.where(usable, "computed", "not_computed"),
            )
        )
    table = pd.concat(frames, ignore_index=True)
    shares = pd.Series(correlation, name="correlation")
    differ = {
        name: int((rows["lower"] > 0).sum()) + int((rows["upper"] < 0).sum()) for name, rows in table.groupby("node_id")
    }
    goes_with = listed([f"{n} {number(shares[n], 2)}" for n in index.domains])
    clearly = listed([f"{differ[n]} on {n}" for n in index.domains])
    strong = [n for n in index.domains if abs(shares[n]) >= 0.5]
    last = f" A map of {listed(strong)} is in good part a map of {label}." if strong else ""
    text = associational(
        f"Rank correlations of the scores with {label} across authorities: {goes_with}.{last} Set beside the {nearest} "
        f"places nearest in {label}, authorities that differ clearly number {clearly}."
    )
    return ComparisonResult(table=table, correlation=shares, text=text, spec=index.spec, manifest=index.manifest)
