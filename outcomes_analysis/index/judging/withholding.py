"""Ranks and verdicts on change that the figures behind them do not bear are taken out, and it is said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.framework.model import Framework, Indicator, Node
from outcomes_analysis.index.judging.precision import FEWEST_AREAS
from outcomes_analysis.index.judging.purpose import Thresholds, change_reasons, rank_reasons, sided_reasons
from outcomes_analysis.index.years.change_wording import change_text
from outcomes_analysis.observations.shrinkage import empirical_bayes
from outcomes_analysis.wording import associational, plural

if TYPE_CHECKING:
    from outcomes_analysis.index.building import IndexResult
    from outcomes_analysis.index.years.changing import ChangeResult

WITHHELD = "withheld"
JUDGED = ("improved", "worsened", "not_clear")
EXPERIMENTAL = "experimental: its figures do not measure one thing"


def withhold_ranks(
    index: IndexResult, *, allow: Sequence[str] = (), thresholds: Thresholds | None = None
) -> IndexResult:
    """Take out the ranks that the figures do not bear, and say which and why.

    Parameters
    ----------
    index : IndexResult
    allow : sequence of str
        Nodes ranked all the same; named in the table and the text.
    thresholds : Thresholds, optional
        The rule of the fit-for-purpose cards (``fitness``), here applied to the
        figures the index was built from, whatever its year, and to its domains and outcomes too.

    Returns
    -------
    IndexResult
        The same index; in its table ``rank`` is NaN, ``ranked`` false and ``status`` ``withheld`` on the nodes that
        fail, a column ``withheld`` says why (empty where a rank is borne) and ``overridden`` whether it is given all
        the same. Scores and intervals stay. Where fewer than 30 areas have a score nothing can be judged, and nothing
        is withheld for noise.

    Raises
    ------
    SpecError
        If a node allowed is not in the index, or cannot be ranked at all (contested, neutral, experimental), or the
        result is one from which ranks were withheld already.
    """
    _once(index.table, allow, "build_index")
    if WITHHELD in index.table:
        return index
    _known(allow, index.nodes, "index")
    spec = thresholds or Thresholds()
    places = index.matrix.areas["ranked"].to_numpy(bool)
    reasons = {}
    for name, score in index.nodes.items():
        found = [EXPERIMENTAL] if score.experimental else _sided(score.node)
        x, error = score.estimate[places], score.error[places]
        known = np.isfinite(x) & np.isfinite(error)
        if known.sum() >= FEWEST_AREAS:
            kept = float(np.mean(empirical_bayes(x[known], error[known] ** 2).reliability))
            found = found + rank_reasons(kept, float(np.isfinite(x).mean()), spec)
        reasons[name] = "; ".join(found)
    # Neither a disputed direction nor an experiment can be ranked by asking: there is no better to rank by.
    firm = {name for name, score in index.nodes.items() if score.experimental or _sided(score.node)}
    if set(allow) & firm:
        message = (
            f"{several(sorted(set(allow) & firm))} cannot be ranked at all: nobody has agreed which way is better, or "
            "it is experimental. Give it a direction in the specification, and say so wherever it is shown."
        )
        raise SpecError(message)
    table = _marked(index.table, reasons, allow)
    out = (table[WITHHELD] != "") & ~table["overridden"]
    table.loc[out, "rank"] = np.nan
    table.loc[out, "ranked"] = False
    table.loc[out & (table["status"] == "computed"), "status"] = WITHHELD
    labels = table.drop_duplicates("node_id").set_index("node_id")["node_label"]
    notice = index.matrix.framework.notice
    told = [index.text.removesuffix(notice).strip(), *_rank_sentences(index, reasons, allow, labels), notice]
    text = " ".join(told)
    return replace(index, table=table, text=text)


def withhold_verdicts(
    change: ChangeResult, *, framework: Framework, allow: Sequence[str] = (), thresholds: Thresholds | None = None
) -> ChangeResult:
    """Take out the verdicts on change that the figures do not bear, and say which and why.

    Parameters
    ----------
    change : ChangeResult
    framework : Framework
        Directions of indicators, and which nodes are experimental.
    allow : sequence of str
        Nodes judged all the same; named in the table and the text.
    thresholds : Thresholds, optional
        The rule of the fit-for-purpose cards: a verdict is borne where a change of three quarters of a standard
        deviation between authorities would show.

    Returns
    -------
    ChangeResult
        The same change; where a verdict is not borne ``verdict`` is ``withheld`` and the chances of improvement are
        NaN, ``withheld`` says why and ``overridden`` whether it is given all the same. Estimates, their intervals and
        what they come from stay: they are what was found, a verdict is what is made of it.

    Raises
    ------
    SpecError
        If a node allowed is not in the change, or verdicts were withheld from it already.

    Notes
    -----
    The smallest change that shows is the half-width of the interval of the middle area's measured change; the
    standard deviation is that between the later year's scores; of areas that can be ranked. Areas of other codes than
    England's upper-tier authorities are not judged.
    """
    _once(change.table, allow, "index_change")
    if WITHHELD in change.table:
        return change
    nodes: dict[str, Node | Indicator] = {n.id: n for n in framework.nodes}
    nodes |= {i.id: i for i in framework.indicators}
    ordinary = change.table["area_code"].isin(upper_tier(ranked_only=True).index)
    _known(allow, set(change.table["node_id"]), "change")
    spec = thresholds or Thresholds()
    reasons = {}
    for name, rows in change.table.groupby("node_id", sort=False):
        node = nodes.get(str(name))
        found = [] if node is None else _sided(node)
        if node is not None and not isinstance(node, Indicator) and _experimental(node, framework):
            found = [EXPERIMENTAL]
        judged = rows[rows["verdict"].isin(JUDGED) & ordinary[rows.index]]
        if len(judged) >= FEWEST_AREAS:
            half = float(((judged["measured_upper"] - judged["measured_lower"]) / 2).median())
            found = found + change_reasons(half / float(judged["later"].std(ddof=1)), spec)
        reasons[str(name)] = "; ".join(found)
    table = _marked(change.table, reasons, allow)
    out = (table[WITHHELD] != "") & ~table["overridden"] & table["verdict"].isin(JUDGED)
    table.loc[out, "verdict"] = WITHHELD
    table.loc[out, ["p_improved", "p_measured_improved"]] = np.nan
    labels = table.drop_duplicates("node_id").set_index("node_id")["node_label"]
    sentences = [f"By override, verdicts on {labels[n]} stand although {reasons[n]}." for n in allow if reasons[n]]
    text = change_text(table, change.parts, change.bridged, framework)
    return replace(change, table=table, text=associational(" ".join([text, *sentences])))


def _once(table: pd.DataFrame, allow: Sequence[str], made_by: str) -> None:
    """What has been taken out cannot be given back."""
    if WITHHELD in table and allow:
        message = f"Uses were withheld from this result already; give allow=... to the result of {made_by} itself."
        raise SpecError(message)


def _known(allow: Sequence[str], names: Collection[str], what: str) -> None:
    unknown = [n for n in allow if n not in names]
    if unknown:
        message = f"{len(unknown)} names in allow=... are not in the {what}: {several(unknown)}."
        raise SpecError(message)


def _sided(node: Node | Indicator) -> list[str]:
    return sided_reasons(node.direction, node.contested) if isinstance(node, Indicator) else []


def _experimental(node: Node, framework: Framework) -> bool:
    domain = node if node.parent is None else framework.node(framework.domain_of(node.id))
    return node.experimental or domain.experimental


def _marked(table: pd.DataFrame, reasons: Mapping[str, str], allow: Sequence[str]) -> pd.DataFrame:
    why = table["node_id"].map(reasons).fillna("").astype(str)
    return table.assign(withheld=why, overridden=table["node_id"].isin(allow) & (why != ""))


def _rank_sentences(
    index: IndexResult, reasons: Mapping[str, str], allow: Sequence[str], labels: pd.Series
) -> list[str]:
    sentences = []
    noisy = [
        n
        for n, why in reasons.items()
        if why and n not in allow and not index.nodes[n].experimental and not _sided(index.nodes[n].node)
    ]
    scores = [n for n in noisy if index.nodes[n].kind != "indicator"]
    single = [n for n in noisy if index.nodes[n].kind == "indicator"]
    for name in scores:
        sentences.append(f"No rank is given on {labels[name]}, since {reasons[name]}.")
    if single:
        count = plural(len(single), "single indicator", "single indicators")
        sentences.append(f"No rank is given on {count} whose figures do not bear one.")
    sentences += [f"By override, {labels[n]} is ranked although {reasons[n]}." for n in allow if reasons[n]]
    return sentences
