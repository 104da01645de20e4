"""What an index says of itself in words: how much it covers, what was capped, left out or made up for England."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from outcomes_analysis.index.matrix import UNSURE, IndicatorMatrix
from outcomes_analysis.index.nation import PUBLISHED
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.index.scores import NodeScore
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.wording import listed, number, plural

NAMED = 3  # examples given of what was capped


def england_told(matrix: IndicatorMatrix, names: Iterable[str], spec: IndexSpec) -> str:
    """How England's own scores come about, and where 0 is not England.

    Parameters
    ----------
    matrix : IndicatorMatrix
    names : iterable of str
        Indicators that take part.
    spec : IndexSpec
        Says which of them stand on the base period's scale.
    """
    taking, framework = list(names), matrix.framework
    how = matrix.nation["how"].reindex(taking).fillna("")
    if (how == "").all():
        return ""
    sentences = ["England's own score for the same date is made from its published figures in the same way."]
    for way in sorted(set(how) - {PUBLISHED, ""}):
        made = [framework.indicator(n).name for n in taking if how[n] == way]
        sentences.append(f"No figure for England is used for {listed(made)}: an estimate stands in ({way}).")
    lacking = [framework.indicator(n).name for n in taking if how[n] == ""]
    if lacking:
        sentences.append(f"For {listed(lacking)} there is none, and the others stand in for it.")
    centres = matrix.reference["centre_from"].reindex(taking)
    based = [n for n in taking if isinstance(spec.normalise.of(n), Reference)]
    for name in [n for n in based if centres[n] == "mean of authorities"]:
        outcome = framework.indicator(name).outcome
        where = f", part of {framework.node(framework.domain_of(outcome)).label}," if outcome else ""
        sentences.append(
            f"For {framework.indicator(name).name}{where} 0 is the mean of authorities in the base period, not England."
        )
    return " ".join(sentences)


def capped_told(table: pd.DataFrame, spec: IndexSpec) -> str:
    """How many figures count for less than they are, and the furthest of them."""
    if spec.cap is None or table.empty:
        return ""
    ranked = table[table["ranked"]]
    first = [
        f"{row['indicator_name']} in {row['area_name']} ({number(row['score'], 1)})"
        for _, row in ranked.head(NAMED).iterrows()
    ]
    named = f" Furthest out: {'; '.join(first)}." if first else ""
    return (
        f"{plural(len(table), 'figure lies', 'figures lie')} further than {spec.cap:g} standard deviations from "
        f"England in the base period and {'counts' if len(table) == 1 else 'count'} as {spec.cap:g}.{named} "
        "In a place too small to rank, nothing is computed where such figures make up more than half of the weight."
    )


def unsure_told(matrix: IndicatorMatrix, names: Iterable[str]) -> str:
    """Which published figures take no part for want of an error."""
    status = matrix.status[list(names)]
    cells = [(str(a), str(n)) for n in status for a in status.index[status[n] == UNSURE]]
    if not cells:
        return ""
    said = [f"{matrix.framework.indicator(n).name} in {matrix.areas.at[a, 'name']}" for a, n in cells[:NAMED]]
    more = f" and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
    return (
        f"{plural(len(cells), 'published figure takes', 'published figures take')} no part, because no number of "
        f"children tells how sure {'it is' if len(cells) == 1 else 'they are'}. Left out: {'; '.join(said)}{more}."
    )


def alike_told(table: pd.DataFrame) -> str:
    """With what a place that lacks figures is compared, and how much that differs from England's whole score."""
    domains = table[(table["kind"] == "domain") & table["estimate"].notna()]
    away = (domains["england_alike"] - domains["england"]).abs()
    if not (away > 0).any():
        return ""
    furthest = domains.loc[away.idxmax()]
    return (
        "A place that lacks some figures is compared with England's score from the parts that the place has. That "
        f"differs from England's whole score by {number(away.max(), 2)} at most ({furthest['area_name']}, "
        f"{furthest['node_label']})."
    )


def disputed_told(table: pd.DataFrame, nodes: Mapping[str, NodeScore]) -> str:
    """What contested indicators decide: verdicts with them, without them, and how many depend on them."""
    sentences = []
    for name, score in nodes.items():
        if score.kind != "domain" or score.agreed is None:
            continue
        rows = table[(table["node_id"] == name) & (table["standing"] != "")]
        whole, left = rows["against_england"].value_counts(), rows["against_england_agreed"].value_counts()
        same = rows["standing"].value_counts()
        sentences.append(
            f"On {rows['node_label'].iloc[0]} {number(100 * score.contested, 0, '%')} of the weight is contested. With "
            f"it {whole.get('above', 0)} authorities are clearly better than England and {whole.get('below', 0)} "
            f"clearly worse, without it {left.get('above', 0)} and {left.get('below', 0)}. The same is found both "
            f"ways for {same.get('above', 0)} and {same.get('below', 0)}; {same.get(DEPENDS, 0)} depend on "
            "contested figures."
        )
    if not sentences:
        return ""
    lead = (
        "Where it is contested which way an indicator is better, the score is also made without it. Its weight then "
        "goes to the parts beside it. A place is called better or worse only where both scores say so."
    )
    return " ".join([lead, *sentences])


def _lacking_told(table: pd.DataFrame, domains: Iterable[NodeScore]) -> str:
    """How many authorities have no score on a domain, for want of figures."""
    found = []
    for score in domains:
        rows = table[table["node_id"] == score.node.id]
        missing = int((rows["status"] == "not_computed").sum())
        if missing:
            found.append(f"{plural(missing, 'authority', 'authorities')} on {_label(score)}")
    return f"Too few figures for a score: {listed(found)}." if found else ""


def _label(score: NodeScore) -> str:
    return str(getattr(score.node, "label", score.node.id))


def index_told(
    table: pd.DataFrame,
    matrix: IndicatorMatrix,
    spec: IndexSpec,
    nodes: dict[str, NodeScore],
    cells: pd.DataFrame,
    steps: str,
) -> str:
    """What the index is, how it was made and what to mind, in sentences."""
    domains = [n for n in nodes.values() if n.kind == "domain"]
    counts = [f"{_label(n)} {len(n.weights)}{' (experimental)' if n.experimental else ''}" for n in domains]
    newest, oldest = table["period"].max(), int(np.nanmin(table["oldest_year"]))
    leaves = [name for name, score in nodes.items() if score.kind == "indicator"]
    when = f"Scores are as measured by the end of {newest}, with figures from {oldest} on. " if newest else ""
    told = [
        f"{when}Number of indicators: {listed(counts)}.",
        _lacking_told(table, domains),
        spec.describe(),
        steps,
        capped_told(cells, spec),
        unsure_told(matrix, leaves),
        england_told(matrix, leaves, spec),
        alike_told(table),
        disputed_told(table, nodes),
        f"Intervals are {spec.level:.0%} intervals from the figures' sampling and year-to-year variation.",
        matrix.framework.notice,
    ]
    return " ".join(part.strip() for part in told if part)
