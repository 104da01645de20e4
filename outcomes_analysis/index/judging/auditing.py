"""Audit of an index, in the order of the OECD/JRC handbook: whether there is one thing behind a score."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from outcomes_analysis.index.building import IndexResult
from outcomes_analysis.index.judging import audit_sections as tables
from outcomes_analysis.index.judging.audit_parts import DomainParts, domain_parts
from outcomes_analysis.index.judging.audit_wording import audit_text, reasons_in_words
from outcomes_analysis.index.judging.components import parallel_analysis
from outcomes_analysis.index.judging.consistency import cronbach_alpha
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest

SECTIONS = {
    "verdict": "Does each domain behave as one thing",
    "availability": "What is there",
    "outliers": "Outliers",
    "within": "Correlations inside each domain",
    "across": "Correlations across domains",
    "consistency": "Cronbach's alpha",
    "dimensions": "How many dimensions",
    "weights": "Weights and importance",
    "trade_offs": "What the weights trade for each other",
    "compensation": "What averaging lets pass",
    "covariate": "Share that goes with child poverty and the like",
    "doublets": "Near-duplicates",
    "leave_one_out": "Leaving one measure out",
}


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes
    ----------
    table : DataFrame
        Tidy: ``section, node_id, item, statistic, value, lower, upper, flag, note``. ``item`` is an indicator, a
        measure (doublets together), a pair (``a | b``), a component, or the node itself. Intervals are 90 %. ``flag``
        is empty where nothing calls for attention.
    verdicts : DataFrame
        Indexed by domain: ``label, one_thing`` (bool), ``n_measures, dimensions, alpha, alpha_lower, negative_pairs,
        set_aside`` (measures, in words, without which the others would behave as one thing; empty where none or too
        many), ``reasons, read_as`` (``one scale`` or ``parts first``).
    text : str
        Findings in words.
    labels : dict of str to str
        Names of domains, measures and indicators in words.
    covariates : tuple of str
        Names of the covariates, empty where none was given.
    spec, manifest
        Of the index audited; the manifest holds the seed.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    text: str
    labels: dict[str, str]
    covariates: tuple[str, ...]
    spec: IndexSpec
    manifest: RunManifest

    @property
    def sections(self) -> dict[str, pd.DataFrame]:
        """Rows of each section, in the handbook's order; empty frames where a section has nothing to say."""
        return {name: self.table[self.table["section"] == name].reset_index(drop=True) for name in SECTIONS}


def judge(part: DomainParts, *, draws: int = 1000, seed: int = SEED) -> dict[str, object]:
    """Decide by a stated rule whether a domain behaves as one thing.

    It does if all of these hold for its distinct measures (near-duplicates averaged first):

    1. there are three or more;
    2. one dimension: by parallel analysis the first eigenvalue lies above the 95th percentile of shuffled figures, and
       the second does not;
    3. no two measures run against each other beyond chance (correlation below 0 with p < .05, adjusted by Holm's
       method for the number of pairs in the domain);
    4. standardised alpha is .6 or more even at the lower end of its 90 % interval.

    Parameters
    ----------
    part : DomainParts
    draws, seed : int
        Of the shuffling.

    Returns
    -------
    dict
        ``label, one_thing, n_measures, dimensions, alpha, alpha_lower, negative_pairs, set_aside, reasons, read_as``.

    Notes
    -----
    A domain that fails may still be scored: its score is then a declared weighted sum (a formative index), true by
    definition and not a measurement of one thing, and its parts are to be read first. That is also how a domain the
    framework calls experimental is read, whatever the rule says.
    """
    verdict, negative = _by_rule(part, draws=draws, seed=seed)
    aside = [] if verdict["one_thing"] else _set_aside(part, draws=draws, seed=seed)
    verdict["set_aside"] = "; ".join(part.labels[m] for m in aside)
    reasons = reasons_in_words(part, verdict, negative)
    first = "one scale" if verdict["one_thing"] and not part.node.experimental else "parts first"
    return verdict | {"reasons": reasons, "read_as": first}


def _by_rule(part: DomainParts, *, draws: int, seed: int) -> tuple[dict[str, object], pd.DataFrame]:
    """The rule's three numbers and its answer, and the pairs that run against each other."""
    k = part.measures.shape[1]
    negative = tables.within_pairs(part)
    negative = negative[(negative["correlation"] < 0) & (negative["adjusted"] < tables.CHANCE)]
    dimensions, alpha, lower = 0, float("nan"), float("nan")
    if k >= tables.FEWEST_MEASURES:
        dimensions = int(parallel_analysis(part.measures, draws=draws, seed=seed)["retained"].sum())
        found = cronbach_alpha(part.measures, level=LEVEL)
        alpha, lower = found.standardised, found.lower
    one = k >= tables.FEWEST_MEASURES and dimensions == 1 and negative.empty and lower >= tables.LEAST_ALPHA
    verdict: dict[str, object] = {
        "label": part.label,
        "one_thing": one,
        "n_measures": k,
        "dimensions": dimensions,
        "alpha": alpha,
        "alpha_lower": lower,
        "negative_pairs": len(negative),
    }
    return verdict, negative


def _set_aside(part: DomainParts, *, draws: int, seed: int) -> list[str]:
    """Measures to set aside, the one least like the others each time, for the rest to pass; none if half must go."""
    kept, aside = list(part.measures.columns), []
    while len(kept) > max(tables.FEWEST_MEASURES, len(part.measures.columns) // 2):
        without = cronbach_alpha(part.measures[kept], level=LEVEL).without["rest_correlation"]
        aside.append(str(without.idxmin()))
        kept.remove(aside[-1])
        if _by_rule(part.narrowed(kept), draws=draws, seed=seed)[0]["one_thing"]:
            return aside
    return []


def _verdict_rows(verdicts: pd.DataFrame) -> tables.Rows:
    return [
        tables.row(
            str(name),
            str(name),
            "one_thing",
            float(one["one_thing"]),
            note=one["reasons"],
            flag="" if one["read_as"] == "one scale" else "parts first",
        )
        for name, one in verdicts.iterrows()
    ]


def audit(
    index: IndexResult,
    *,
    covariate: pd.Series | pd.DataFrame | None = None,
    label: str = "child poverty",
    draws: int = 1000,
    seed: int = SEED,
) -> AuditReport:
    """Audit an index: what is there, what hangs together, what the weights come to, what one measure more or less does.

    Parameters
    ----------
    index : IndexResult
        Scores and the figures behind them. City of London and the Isles of Scilly are left out.
    covariate : Series or DataFrame, optional
        By area code, for instance the share of children in poverty: how much of each domain goes with it. In a frame,
        a column each (poverty before and after housing costs, say) with its name in words.
    label : str
        Name of the covariate, for the text, where it is a series.
    draws : int
        Bootstrap draws of eigenvalues and shuffles of the parallel analysis.
    seed : int
        Of both; the same seed gives the same report.

    Returns
    -------
    AuditReport
        Sections in the order of the OECD/JRC Handbook on Constructing Composite Indicators (2008): availability,
        outliers, correlations within and across domains, alpha, components, weights against importance, trade-offs,
        compensation, the covariate's share, near-duplicates, leaving one out. The rule by which a domain is said to
        behave as one thing is that of :func:`judge`.

    Raises
    ------
    SpecError
        If the index ranks fewer than 30 places.

    Notes
    -----
    Alpha and components use distinct measures: indicators declared as one doublet are averaged first, since a figure
    published twice agrees with itself. Missing figures are not filled in: each correlation is that of the places with
    both. Limits are those of the JRC's audits: correlation with the rest of the domain .3 or more, near-duplicates
    beyond .92, availability 65 %, skew 2 with kurtosis 3.5, KMO .6.
    """
    parts = domain_parts(index)
    covariates = _covariates(covariate, label)
    found = {name: judge(part, draws=draws, seed=seed) for name, part in parts.items()}
    verdicts = pd.DataFrame.from_dict(found, orient="index").rename_axis("node_id")
    rows = {
        "verdict": _verdict_rows(verdicts),
        "availability": tables.availability_rows(index, parts),
        "outliers": tables.outlier_rows(index, parts),
        "within": tables.within_rows(parts),
        "across": tables.across_rows(parts),
        "consistency": tables.consistency_rows(parts),
        "dimensions": tables.dimension_rows(parts, draws=draws, seed=seed),
        "weights": tables.weight_rows(parts),
        "trade_offs": tables.trade_rows(index, parts),
        "compensation": tables.compensation_rows(parts),
        "covariate": tables.covariate_rows(parts, covariates, seed=seed),
        "doublets": tables.doublet_rows(index, parts),
        "leave_one_out": tables.leave_out_rows(parts),
    }
    table = pd.concat([tables.tidy(name, rows[name]) for name in SECTIONS], ignore_index=True)
    labels = _labels(index, parts)
    return AuditReport(
        table=table,
        verdicts=verdicts,
        text=audit_text(table, verdicts, labels=labels),
        labels=labels,
        covariates=tuple(map(str, covariates)),
        spec=index.spec,
        manifest=replace(index.manifest, seed=seed),
    )


def _covariates(covariate: pd.Series | pd.DataFrame | None, label: str) -> pd.DataFrame:
    """The covariates by name in words; a frame without columns where there are none."""
    if covariate is None:
        return pd.DataFrame()
    return covariate if isinstance(covariate, pd.DataFrame) else covariate.to_frame(label)


def _labels(index: IndexResult, parts: dict[str, DomainParts]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, part in parts.items():
        labels[name] = part.label
        labels |= {item: index.matrix.framework.indicator(item).name for item in part.items}
        labels |= part.labels
    return labels
