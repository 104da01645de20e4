"""The tables of an audit, one function a section, each giving tidy rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.index.building import IndexResult, competition_rank
from outcomes_analysis.index.judging.audit_parts import DomainParts
from outcomes_analysis.index.judging.components import (
    bootstrap_eigenvalues,
    parallel_analysis,
    sampling_adequacy,
    sphericity,
)
from outcomes_analysis.index.judging.consistency import cronbach_alpha
from outcomes_analysis.index.judging.correlating import correlations, holm
from outcomes_analysis.index.judging.describing import LEAST_AVAILABLE, statistics
from outcomes_analysis.index.judging.weights_in_effect import hidden_lows, importance, trade_offs, variance_shares
from outcomes_analysis.index.reading.going_with import strength
from outcomes_analysis.index.steps.aggregation import Aggregation
from outcomes_analysis.observations.scales import derivative
from outcomes_analysis.project import LEVEL
from outcomes_analysis.wording import plural

COLUMNS = ["section", "node_id", "item", "statistic", "value", "lower", "upper", "flag", "note"]
Rows = list[dict[str, Any]]
DOUBLET = 0.92
WEAK = 0.3
LEAST_ALPHA = 0.6
CHANCE = 0.05
LEAST_ADEQUACY = 0.6
FEWEST_MEASURES = 3
STEP = 0.1
OLD = 3  # years


def row(
    node: str,
    item: str,
    statistic: str,
    value: float,
    *,
    lower: float = np.nan,
    upper: float = np.nan,
    flag: str = "",
    note: str = "",
) -> dict[str, Any]:
    """One line of an audit's table, without its section."""
    return {
        "node_id": node,
        "item": item,
        "statistic": statistic,
        "value": float(value),
        "lower": float(lower),
        "upper": float(upper),
        "flag": flag,
        "note": note,
    }


def tidy(section: str, rows: Rows) -> pd.DataFrame:
    """Rows of one section as a frame with all columns, also where there are none."""
    frame = pd.DataFrame(rows, columns=COLUMNS[1:])
    frame.insert(0, "section", section)
    return frame.astype({"value": float, "lower": float, "upper": float})


def pair(a: str, b: str) -> str:
    """Name of a pair of items."""
    return f"{a} | {b}"


def availability_rows(index: IndexResult, parts: dict[str, DomainParts]) -> Rows:
    """How much is there, by domain and by indicator, and how old it is."""
    rows: Rows = []
    for name, part in parts.items():
        n = len(part.score)
        computed = part.score.notna().mean()
        missing = n - int(part.score.notna().sum())
        rows.append(
            row(
                name,
                name,
                "computed",
                computed,
                flag="low" if computed < 1 else "",
                note=f"{plural(missing, 'authority', 'authorities')} without a score" if missing else "",
            )
        )
        rows.append(row(name, name, "weight_present", part.node.availability[part.rows].mean()))
        for item in part.items:
            there = part.items[item].notna()
            rows.append(
                row(name, item, "available", there.mean(), flag="low" if there.mean() < LEAST_AVAILABLE else "")
            )
            age = index.matrix.age.loc[there.index[there], item]
            old = float(age.median())
            rows.append(row(name, item, "age", old, lower=age.min(), upper=age.max(), flag="old" if old >= OLD else ""))
    return rows


def outlier_rows(index: IndexResult, parts: dict[str, DomainParts]) -> Rows:
    """Skew and kurtosis of figures as published and as they enter, and how far out the furthest lies."""
    rows: Rows = []
    for name, part in parts.items():
        raw = statistics(index.matrix.values.loc[part.items.index, part.items.columns])
        used = statistics(part.items)
        far = ((part.items - part.items.mean()) / part.items.std(ddof=1)).abs()
        for item in part.items:
            rows += [
                row(name, item, "skew_published", raw.at[item, "skew"]),
                row(name, item, "kurtosis_published", raw.at[item, "kurtosis"], flag=raw.at[item, "flag_outliers"]),
                row(name, item, "skew", used.at[item, "skew"]),
                row(name, item, "kurtosis", used.at[item, "kurtosis"], flag=used.at[item, "flag_outliers"]),
                row(name, item, "furthest", far[item].max(), note=_named(index, far[item].idxmax())),
            ]
    return rows


def _named(index: IndexResult, code: object) -> str:
    return str(index.matrix.areas.at[code, "name"])


def within_pairs(part: DomainParts) -> pd.DataFrame:
    """Correlations of a domain's measures with their p-values adjusted for how many pairs there are (Holm)."""
    pairs = correlations(part.measures, level=LEVEL)
    return pairs.assign(adjusted=holm(pairs["p_value"]))


def within_rows(parts: dict[str, DomainParts]) -> Rows:
    """Correlations of a domain's measures with each other and with the rest of the domain."""
    rows: Rows = []
    for name, part in parts.items():
        ranks = correlations(part.measures, method="spearman").set_index(["a", "b"])["correlation"]
        for one in within_pairs(part).itertuples():
            against = one.correlation < 0 and one.adjusted < CHANCE
            item = pair(str(one.a), str(one.b))
            rows.append(
                row(
                    name,
                    item,
                    "correlation",
                    one.correlation,
                    lower=one.lower,
                    upper=one.upper,
                    flag="negative" if against else "",
                    note=plural(one.n, "authority", "authorities"),
                )
            )
            rows.append(row(name, item, "rank_correlation", ranks[one.a, one.b]))
    return rows


def across_rows(parts: dict[str, DomainParts]) -> Rows:
    """Each measure with the rest of its own domain and with the other domains; domains with one another."""
    rows: Rows = []
    scores = pd.DataFrame({name: part.score for name, part in parts.items()})
    for name, part in parts.items():
        others = scores.drop(columns=name)
        for measure in part.measures:
            rest = part.rescored(without=measure) if part.measures.shape[1] > 1 else pd.Series(dtype=float)
            own = part.measures[measure].corr(rest)
            flag = "negative" if own < 0 else ("weak" if own < WEAK else "")
            rows.append(row(name, measure, "own_rest", own, flag=flag, note="with the score made without it"))
            if others.shape[1]:
                found = others.corrwith(part.measures[measure])
                top = str(found.idxmax())
                rows.append(
                    row(name, measure, "best_other", found[top], note=top, flag="elsewhere" if found[top] > own else "")
                )
    for one in correlations(scores).itertuples():
        item = pair(str(one.a), str(one.b))
        rows.append(
            row(
                "",
                item,
                "correlation",
                one.correlation,
                lower=one.lower,
                upper=one.upper,
                flag="negative" if one.upper < 0 else "",
                note=plural(one.n, "authority", "authorities"),
            )
        )
    return rows


def consistency_rows(parts: dict[str, DomainParts]) -> Rows:
    """Cronbach's alpha of the distinct measures, with each left out; and of all indicators as they stand."""
    rows: Rows = []
    for name, part in parts.items():
        if part.measures.shape[1] < 2:
            continue
        alpha = cronbach_alpha(part.measures, level=LEVEL)
        low = "low" if alpha.lower < LEAST_ALPHA else ""
        rows.append(
            row(
                name,
                name,
                "alpha_standardised",
                alpha.standardised,
                lower=alpha.lower,
                upper=alpha.upper,
                flag=low,
                note=f"{alpha.k} distinct measures",
            )
        )
        rows.append(row(name, name, "alpha_raw", alpha.raw, lower=alpha.raw_lower, upper=alpha.raw_upper))
        whole = cronbach_alpha(part.items, level=LEVEL)
        rows.append(
            row(
                name,
                name,
                "alpha_indicators",
                whole.standardised,
                lower=whole.lower,
                upper=whole.upper,
                note=f"all {whole.k} indicators, near-duplicates counted apart",
            )
        )
        for measure, one in alpha.without.iterrows():
            rows.append(
                row(
                    name,
                    str(measure),
                    "alpha_without",
                    one["standardised"],
                    flag="higher without" if one["standardised"] > alpha.standardised else "",
                )
            )
    return rows


def dimension_rows(parts: dict[str, DomainParts], *, draws: int, seed: int) -> Rows:
    """Eigenvalues with bootstrap intervals and parallel-analysis thresholds; KMO; Bartlett's test."""
    rows: Rows = []
    for name, part in parts.items():
        if part.measures.shape[1] < 2:
            continue
        drawn = bootstrap_eigenvalues(part.measures, draws=draws, seed=seed, level=LEVEL)
        chance = parallel_analysis(part.measures, draws=draws, seed=seed)
        for number, one in drawn.iterrows():
            item = f"component {number}"
            rows.append(
                row(
                    name,
                    item,
                    "eigenvalue",
                    one["eigenvalue"],
                    lower=one["lower"],
                    upper=one["upper"],
                    flag="kept" if chance.at[number, "retained"] else "",
                )
            )
            rows.append(
                row(name, item, "threshold", chance.at[number, "threshold"], note="95th percentile of shuffled figures")
            )
        rows.append(row(name, name, "first_share", drawn["eigenvalue"].iloc[0] / len(drawn)))
        rows.append(row(name, name, "dimensions", chance["retained"].sum()))
        adequacy, by_measure = sampling_adequacy(part.measures)
        rows.append(row(name, name, "kmo", adequacy, flag="low" if not adequacy >= LEAST_ADEQUACY else ""))
        rows += [row(name, str(m), "kmo", v, flag="low" if v < 0.5 else "") for m, v in by_measure.items()]
        test = sphericity(part.measures)
        rows.append(row(name, name, "bartlett", test.statistic, note=f"{test.df} degrees of freedom"))
        rows.append(row(name, name, "bartlett_p", test.p_value, flag="" if test.p_value < CHANCE else "unrelated"))
    return rows


def weight_rows(parts: dict[str, DomainParts]) -> Rows:
    """Weight given, and importance as it turned out."""
    rows: Rows = []
    for name, part in parts.items():
        found = importance(part.measures, part.score)
        share = variance_shares(part.contributions, part.score)
        weight = part.measure_weights
        relative = found / found.sum()
        for measure in part.measures:
            flag = "negative" if share[measure] < 0 else ""
            ratio = relative[measure] / weight[measure]
            flag = flag or ("less than its weight" if ratio < 0.5 else "more than its weight" if ratio > 2 else "")
            rows += [
                row(name, measure, "weight", weight[measure]),
                row(
                    name, measure, "importance", found[measure], note="share of the score's variance that goes with it"
                ),
                row(name, measure, "importance_share", relative[measure], flag=flag),
                row(name, measure, "variance_share", share[measure], note="by covariance; adds up to 1"),
            ]
    return rows


def trade_rows(index: IndexResult, parts: dict[str, DomainParts]) -> Rows:
    """Amount of each indicator that moves the domain by a tenth: what the weights trade for each other."""
    rows: Rows = []
    framework, reference = index.matrix.framework, index.matrix.reference
    for name, part in parts.items():
        slopes = {}
        for item in part.items:
            indicator = framework.indicator(item)
            values = index.matrix.values.loc[part.items.index, item]
            at = float(index.matrix.nation["value"].get(item, np.nan))
            at = at if np.isfinite(at) else float(values.median())
            low, high = indicator.valid_range
            slope = float(derivative(np.array([at]), indicator.scale, low=low, high=high)[0])
            sign = np.sign(values.corr(part.items[item], method="spearman"))
            slopes[item] = sign * slope / reference.at[item, "scale"]
        table = trade_offs(part.node.weights["weight"], slopes=pd.Series(slopes), step=STEP)
        for item, one in table.iterrows():
            unit = framework.indicator(str(item)).unit
            rows.append(row(name, str(item), "price", one["price"], note=f"domain score for one more of: {unit}"))
            rows.append(row(name, str(item), "amount", one["amount"], note=unit))
    return rows


def compensation_rows(parts: dict[str, DomainParts]) -> Rows:
    """What averaging lets pass: best places with a part among the worst; and ranks by a mean that forgives less."""
    rows: Rows = []
    for name, part in parts.items():
        low = hidden_lows(part.measures, part.score)
        rows.append(
            row(
                name,
                name,
                "best_with_low_part",
                (low > 0).mean(),
                note=f"of the {plural(len(low), 'authority', 'authorities')} in the best fifth, "
                f"{int((low > 0).sum())} have a measure in the worst fifth",
            )
        )
        other: Aggregation = "arithmetic" if part.aggregation == "geometric" else "geometric"
        rows += _shift_rows(name, name, part.score, part.rescored(aggregation=other), other)
    return rows


def _shift_rows(node: str, item: str, score: pd.Series, other: pd.Series, prefix: str) -> Rows:
    shift = pd.Series(competition_rank(other.to_numpy()) - competition_rank(score.to_numpy()), score.index).abs()
    return [
        row(node, item, f"{prefix}_rank_correlation", score.corr(other, method="spearman")),
        row(node, item, f"{prefix}_mean_shift", shift.mean(), note="places in the order"),
        row(node, item, f"{prefix}_largest_shift", shift.max(), note="places in the order"),
    ]


def covariate_rows(parts: dict[str, DomainParts], covariates: pd.DataFrame, *, seed: int) -> Rows:
    """Share of each domain's variance that goes with each covariate, and the correlation of the ranks."""
    rows: Rows = []
    for name, part in parts.items():
        for label, values in covariates.reindex(part.score.index).items():
            found = strength(part.score.to_numpy(float), values.to_numpy(float), seed=seed, level=LEVEL)
            rows.append(
                row(
                    name,
                    str(label),
                    "share",
                    found["share"],
                    lower=found["share_lower"],
                    upper=found["share_upper"],
                    note=plural(int(found["n"]), "authority", "authorities"),
                    flag="mostly" if found["share"] >= 0.5 else "",
                )
            )
            rows.append(
                row(
                    name,
                    str(label),
                    "rank_correlation",
                    found["correlation"],
                    lower=found["correlation_lower"],
                    upper=found["correlation_upper"],
                )
            )
    return rows


def doublet_rows(index: IndexResult, parts: dict[str, DomainParts]) -> Rows:
    """Pairs of indicators, in any domain, that say nearly the same: correlation beyond .92 either way."""
    items = pd.concat([part.items for part in parts.values()], axis=1)
    home = {i: name for name, part in parts.items() for i in part.items}
    declared = {i: d for part in parts.values() for d, members in part.members.items() for i in members}
    rows: Rows = []
    for one in correlations(items).itertuples():
        if not abs(one.correlation) > DOUBLET:
            continue
        a, b = str(one.a), str(one.b)
        known = declared[a] == declared[b]
        where = home[a] if home[a] == home[b] else pair(home[a], home[b])
        flag = "" if known else "doublet" if home[a] == home[b] else "two domains"
        rows.append(
            row(
                where,
                pair(a, b),
                "correlation",
                one.correlation,
                lower=one.lower,
                upper=one.upper,
                flag=flag,
                note="share one weight" if known else "counted twice",
            )
        )
    return rows


def leave_out_rows(parts: dict[str, DomainParts]) -> Rows:
    """How the order of the places shifts when each measure is left out."""
    rows: Rows = []
    for name, part in parts.items():
        if part.measures.shape[1] < 2:
            continue
        for measure in part.measures:
            rows += _shift_rows(name, measure, part.score, part.rescored(without=measure), "without")
    return rows
