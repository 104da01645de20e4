"""Charts of one place: its domains beside England, and what one of its scores adds up from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import rows, theme
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import DEPENDS, STANDING, Kind
from outcomes_analysis.figures.drawing.rows import Axis
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.relations.sentences import in_sentence
from outcomes_analysis.wording import associational, how_many, number, plural, signed

_DISPUTED = Kind("diamond", theme.NEUTRAL_AGAINST[0], "contested: not called better or worse")
_UNJUDGED = Kind("circle", theme.QUIET, "too few children to judge")
_CONTRIBUTIONS = {
    "adds": Kind("square", theme.AGAINST[2], "adds"),
    "takes": Kind("square", theme.AGAINST[0], "takes away"),
    "disputed": Kind("square", theme.NEUTRAL_AGAINST[0], "contested"),
    "score": Kind("square", theme.QUIET),
}


_KINDS = {**STANDING, "depends": DEPENDS, "disputed": _DISPUTED, "unjudged": _UNJUDGED}


@resizable
def domain_profile(
    result: Any,
    area: str,
    *,
    parts: bool = True,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw one place's domains, each with its outcomes, as dots with intervals beside England.

    Parameters
    ----------
    result : IndexResult or DataFrame
        Table with ``node_id, node_label, kind, area_code, area_name, estimate, lower, upper, level, status`` and, where
        known, ``england, against_england``; higher = better. Outcomes follow their domain where the result knows them.
    area : str
        Code or name.
    parts : bool
        Whether to draw outcomes too.
    source, data_as_at, size
        As for :func:`coefficient_forest`; taken from the register and the result where not given.

    Returns
    -------
    Figure
        A domain that is not computed is listed without a mark. Of a place too small to rank nothing is judged; where a
        verdict depends on contested indicators it is not given. England's stroke is its score from the parts that the
        place has.

    Raises
    ------
    AreaError
        If the place is unknown.
    FigureError
        If the result has no domain of it.
    """
    code = resolve(area)
    table = result if isinstance(result, pd.DataFrame) else result.table
    own = table[(table["area_code"] == code) & table["kind"].isin(["domain", "outcome"])]
    if "interval" in own.columns:
        own = own[~own["interval"].isin(["method", "both"])]
    domains = own[own["kind"] == "domain"]
    if domains.empty:
        message = f"The result has no domain of {area} ({code})."
        raise FigureError(message)
    homes = _homes(result)
    ordered = []
    for _, domain in domains.iterrows():
        ordered.append(domain)
        if parts:
            inside = own[(own["kind"] == "outcome") & (own["node_id"].map(homes) == domain["node_id"])]
            ordered += [row for _, row in inside.iterrows()]
    shown = pd.DataFrame(ordered).reset_index(drop=True)
    experimental = [n for n in domains["node_id"] if standing.is_unranked(table[table["node_id"] == n])]
    shares = standing.contested_shares(result, list(shown["node_id"]))
    disputed = [n for n in shown["node_id"] if shares.get(n, 0.0) > 1 - 1e-9]
    marks = [
        " (experimental)" if n in experimental else " (contested)" if n in disputed else "" for n in shown["node_id"]
    ]
    kinds = _kinds(shown, disputed=disputed, judged=code not in standing.UNRANKED)
    drawn = pd.DataFrame(
        {
            "label": [f"{label}{mark}" for label, mark in zip(shown["node_label"], marks, strict=True)],
            "estimate": shown["estimate"],
            "lower": shown["lower"],
            "upper": shown["upper"],
            "bold": shown["kind"] == "domain",
            "kind": kinds,
            "note": "not computed: too few figures",
        }
    )
    if np.isfinite(standing.england_of(shown)):
        own_parts = shown["england_alike"] if "england_alike" in shown.columns else shown["england"]
        drawn["beside"] = own_parts.where(shown["estimate"].notna())  # a note stands where there is no score
    name = str(shown["area_name"].iloc[0])
    counted = ~shown["node_id"].isin(experimental) & (shown["kind"] == "domain") & shown["estimate"].notna()
    title = _profile_title(name, [k for k, c in zip(kinds, counted, strict=True) if c], standing.england_name(shown))
    level = f"{round(100 * findings.level_of(shown))}%"
    labels = dict(zip(domains["node_id"], domains["node_label"], strict=True))
    line = standing.contested_line({n: share for n, share in shares.items() if n in labels}, labels)
    stars = [f"{labels[n]}: experimental, its figures do not measure one thing; not counted." for n in experimental]
    kept = ["node_id", "node_label", "kind", "area_code", "area_name", "period", "estimate", "lower", "upper", "level",
            "interval", "england", "england_alike", "against_england", "against_england_agreed", "standing",
            "status"]  # fmt: skip
    told = [
        f"{row.label} {number(row.estimate)} ({number(row.lower)} to {number(row.upper)})"
        for row in drawn[drawn["estimate"].notna()].itertuples()
    ]
    return finished(
        rows.interval_rows(
            drawn,
            axis=Axis("score: 0 = England in the base period, higher is better", decimals=1),
            width=rows.body_width(size),
            kinds={key: kind for key, kind in _KINDS.items() if key in kinds},
            beside="England, same date" if "beside" in drawn.columns else "",
        ),
        title=title,
        subtitle="; ".join(
            part for part in [f"Score with its {level} interval, domains in bold", findings.period_of(shown)] if part
        ),
        unit=findings.SCORE_UNIT,
        source=source or figure_entry("domain-profile").source,
        data_as_at=date_of(result, data_as_at),
        alt=f"Dot and line for each domain and outcome. {title}. {'; '.join(told)}.",
        data=shown[[c for c in kept if c in shown.columns]],
        notes=(*stars, line, WORKING_ASSIGNMENT),
        width=rows.body_width(size),
        size=size,
    )


def _homes(result: Any) -> dict[str, str]:
    """Domain of every outcome, where the result's framework says."""
    framework = standing.framework_of(result)
    if framework is None:
        return {}
    return {node.id: framework.domain_of(node.id) for node in framework.nodes if node.parent is not None}


def _kinds(shown: pd.DataFrame, *, disputed: Sequence[str], judged: bool) -> list[str]:
    """How each row stands against England on its own node."""
    if not judged:
        return ["unjudged"] * len(shown)
    found = []
    for i, node in enumerate(shown["node_id"]):
        row = shown.iloc[[i]]
        sign = standing.signs(row).iloc[0]
        if node in disputed:
            found.append("disputed")
        elif standing.depends(row).iloc[0]:
            found.append("depends")
        else:
            found.append("above" if sign > 0 else "below" if sign < 0 else "similar")
    return found


def _profile_title(name: str, kinds: Sequence[str], england: str) -> str:
    """Counts of the domains that are ranked and computed, by how they stand."""
    domains = plural(len(kinds), "domain", "domains")
    if "unjudged" in kinds:
        return f"{name}: scores on {domains}, with too few children to judge them"
    depending = kinds.count("depends")
    rest = f", {depending} {'depends' if depending == 1 else 'depend'} on contested figures" if depending else ""
    return associational(
        f"{name}: clearly better than {england} on {how_many(kinds.count('above'))} of {domains}, clearly "
        f"worse on {how_many(kinds.count('below'))}{rest}"
    )


@resizable
def score_decomposition(
    explanation: Any,
    *,
    name: str,
    framework: Any = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw what each indicator adds to a place's score or takes from it, under its outcome.

    Parameters
    ----------
    explanation : Explanation
        From :func:`outcomes_analysis.index.explain`; contributions add up to the score.
    name : str
        Of the place.
    framework : Framework, optional
        Where contested indicators and labels are looked up; the project's own by default.
    source, data_as_at, size
        As for :func:`coefficient_forest`.

    Returns
    -------
    Figure
        An indicator whose figure is missing is listed, with no bar: the others stand in for it.
    """
    from outcomes_analysis.framework.loading import load_framework

    known = framework or load_framework()
    table = explanation.table
    labels = dict(zip(explanation.outcomes["outcome"], explanation.outcomes["label"], strict=True))
    disputed = {i.id for i in known.indicators if i.contested}
    there = table["weight"] > 0
    contested = table["indicator_id"].isin(disputed)
    kind = np.select([contested, table["contribution"] >= 0], ["disputed", "adds"], default="takes")
    drawn = pd.DataFrame(
        {
            "label": table["name"].where(~contested, table["name"] + " (contested)"),
            "group": table["outcome"].map(labels),
            "estimate": table["contribution"].where(there),
            "lower": table["contribution_lower"].where(there),
            "upper": table["contribution_upper"].where(there),
            "kind": kind,
            "bold": False,
            "note": "no figure: the others stand in",
        }
    )
    total = {"label": "Score", "group": "Together", "estimate": explanation.score, "lower": explanation.lower,
             "upper": explanation.upper, "kind": "score", "bold": True, "note": ""}  # fmt: skip
    drawn = pd.concat([drawn, pd.DataFrame([total])], ignore_index=True)
    node = known.node(explanation.node) if explanation.node in {n.id for n in known.nodes} else None
    label = node.label if node else explanation.node
    most = table.loc[table["contribution"].where(there).abs().idxmax()]
    verb = "added by" if most["contribution"] >= 0 else "taken away by"
    experimental = node is not None and (node.experimental or known.node(known.domain_of(node.id)).experimental)
    mark = " (contested)" if most["indicator_id"] in disputed else ""
    from_disputed = float(table.loc[contested & there, "contribution"].sum())
    part = f" (contested indicators {signed(from_disputed, 2)})" if bool((contested & there).any()) else ""
    title = associational(
        f"{name}, {label}{' (experimental)' if experimental else ''}: a score of {number(explanation.score, 2)}{part}; "
        f"most is {verb} {in_sentence(most['name'])}{mark}"
    )
    level = round(100 * findings.level_of(table))
    told = [f"{row.label} {number(row.estimate, 2)}" for row in drawn[drawn["estimate"].notna()].itertuples()]
    span = f"{number(explanation.lower, 2)} to {number(explanation.upper, 2)}"
    stars = ("Contested: people disagree which way is better; counted in the direction that the framework assumes.",)
    return finished(
        rows.interval_rows(
            drawn,
            axis=Axis("contribution to the score", decimals=2),
            width=rows.body_width(size),
            kinds={k: v for k, v in _CONTRIBUTIONS.items() if k in set(drawn["kind"])},
            bars=True,
            share=0.46,
        ),
        title=title,
        subtitle=f"Weight times score of each indicator, with the {level}% interval of its own figure; 0 = a place at "
        f"England in the base period; the score\u2019s own {level}% interval is {span}",
        unit=findings.SCORE_UNIT,
        source=source or figure_entry("score-decomposition").source,
        data_as_at=date_of(explanation, data_as_at),
        alt=f"Bar for each indicator. {title}. {'; '.join(told)}.",
        data=table,
        notes=(*(stars if bool(contested.any()) else ()), WORKING_ASSIGNMENT),
        width=rows.body_width(size),
        size=size,
    )
