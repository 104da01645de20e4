"""What an index says of itself in words: how much it covers, what was capped, left out or made up for England."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from outcomes_analysis.index.matrix import UNSURE, IndicatorMatrix
from outcomes_analysis.index.nation import PUBLISHED
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
    named = f"; furthest out {listed(first)}" if first else ""
    return (
        f"{plural(len(table), 'figure lies', 'figures lie')} further than {spec.cap:g} standard deviations from "
        f"England in the base period and {'counts' if len(table) == 1 else 'count'} as {spec.cap:g}{named}. "
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
        f"children tells how sure {'it is' if len(cells) == 1 else 'they are'}: {listed(said)}{more}."
    )
