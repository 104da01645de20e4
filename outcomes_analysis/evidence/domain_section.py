"""One domain in the report: its parts, its maps and ranks, and the scores of every authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.page import Section, details_html, figure_html, heading, paragraph, table_html
from outcomes_analysis.figures.standing import both_ways, contested_shares
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.wording import listed, number, written_date

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.index import AuditReport, ComparisonResult, IndexResult, UncertaintyResult

SCORE_HEADINGS = {
    "area_name": "Authority",
    "estimate": "Score",
    "lower": "Lower",
    "upper": "Upper",
    "standing": "Against England now",
    "alike": "Beside places of similar child poverty",
    "rank": "Rank",
    "rank_lower": "Rank from",
    "rank_upper": "Rank to",
    "p_bottom_fifth": "Chance of lowest fifth",
    "availability": "Figures present, %",
    "oldest_year": "Oldest figure",
}
FORMS = {1: "higher is better", -1: "lower is better", 0: "no agreed direction"}
AGAINST = {
    "above": "clearly better",
    "below": "clearly worse",
    "not clear": "not clear",
    DEPENDS: DEPENDS,
    "": "",
}
STANDING = {
    "above the range": "better",
    "within the range": "within",
    "below the range": "worse",
    DEPENDS: "contested",
    "": "",
}


def drawn(figure: Figure, name: str) -> str:
    """A figure with its caption and alt text; ``name`` keeps its ids apart on the page."""
    # title, unit, source and date stand in the drawing itself
    return figure_html(figure.svg(prefix=name), figure.title, figure.alt)


def contested_words(index: IndexResult, name: str) -> str:
    """How much of a domain rests on indicators where people disagree which way is better."""
    share = contested_shares(index, [name]).get(name, 0.0)
    if share == 0:
        return "no indicator of it is contested"
    return f"{number(100 * share, 0)}% of its weight is on contested indicators"


def label_of(index: IndexResult, name: str) -> str:
    """Name of a domain in words."""
    return str(getattr(index.nodes[name].node, "label", name))


def domain_section(
    name: str,
    index: IndexResult,
    uncertainty: UncertaintyResult,
    comparisons: Sequence[ComparisonResult],
    audit: AuditReport,
    figures: Mapping[str, Figure],
) -> Section:
    """One domain: what it rests on, its maps and ranks, and the scores of every authority.

    Parameters
    ----------
    name : str
        Id of the domain.
    index, uncertainty, comparisons, audit, figures
        As of :func:`~outcomes_analysis.evidence.report.report_html`.

    Returns
    -------
    Section
        Its parts first where they do not behave as one thing.
    """
    node = index.nodes[name]
    one_scale = audit.verdicts.loc[name, "read_as"] == "one scale"
    statement, note = getattr(node.node, "statement", ""), getattr(node.node, "note", "")
    parts = [paragraph(statement)] if statement else []
    if note:
        parts.append(paragraph(note, kind="note"))
    parts.append(paragraph(f"{contested_words(index, name).capitalize()}.{_both_ways(name, uncertainty)}"))
    if node.experimental:
        parts += [heading("Its parts, which do not measure one thing")]
    elif not one_scale:
        parts.append(
            paragraph(
                "Read its parts first. They do not behave as one thing across authorities (see the audit below), so "
                "the score is a declared weighted sum of them, not a measure of something that lies behind them."
            )
        )
        parts += [heading("Its parts")]
    if not one_scale:
        parts.append(_indicators(name, index))
        shown = f"domain-parts-{name}"
        parts += [drawn(figures[shown], shown)] if shown in figures else []
        parts += [heading("Taken together, as an experiment" if node.experimental else "Taken together")]
    parts += [drawn(figures[f"domain-pair-{name}"], f"domain-pair-{name}")]
    ranks, hexes = f"rank-intervals-{name}", f"domain-hex-{name}"
    parts += [drawn(figures[ranks], ranks)] if ranks in figures else []
    parts += [details_html("The same with every authority the same size", drawn(figures[hexes], hexes))]
    if one_scale:
        parts += [heading("What it is made of"), _indicators(name, index)]
    parts += [_scores(name, uncertainty, comparisons)]
    return Section(label_of(index, name), "\n".join(parts), anchor=name)


def _both_ways(name: str, uncertainty: UncertaintyResult) -> str:
    """Verdicts with and without contested indicators, and how far ranks move; empty where nothing depends on them."""
    rows = uncertainty.table[uncertainty.table["node_id"] == name]
    said = both_ways(rows, str(rows["node_label"].iloc[0]))
    away = (rows["rank_agreed"] - rows["rank"]).abs()
    if said and away.notna().any():
        said += f" Without them half of the authorities would rank at least {int(away.median())} places elsewhere."
    return f" {said}" if said else ""


def _indicators(name: str, index: IndexResult) -> str:
    framework, reference = index.matrix.framework, index.matrix.reference
    rows = []
    disputed: dict[str, list[str]] = {}
    notes = []
    for indicator_id, weight in index.nodes[name].weights["weight"].items():
        indicator = framework.indicator(str(indicator_id))
        rows.append(
            {
                "Indicator": indicator.name,
                "Outcome": framework.node(indicator.outcome).label,
                "Share of the domain, %": 100 * float(weight),
                "Direction": FORMS[indicator.direction] + (" (contested)" if indicator.contested else ""),
                "Newest figure": written_date(str(index.matrix.measured[str(indicator_id)].mode().iloc[0])),
                "What it cannot tell": indicator.cannot_tell,
            }
        )
        if indicator.contested:
            disputed.setdefault(indicator.contested, []).append(indicator.name)
        centre = str(reference.at[indicator_id, "centre_from"])
        if centre == "mean of authorities" and centre not in indicator.cannot_tell:
            notes.append(f"{indicator.name}: 0 is the mean of authorities in the base period, not England.")
    notes = [f"{'; '.join(names)} (contested): {why}" for why, names in disputed.items()] + notes
    caption = f"Indicators of {label_of(index, name)}, with the weight each has where all are present"
    return table_html(pd.DataFrame(rows), caption, row_heading="Indicator", group="Outcome", decimals=1, notes=notes)


def _scores(name: str, uncertainty: UncertaintyResult, comparisons: Sequence[ComparisonResult]) -> str:
    rows = uncertainty.table[uncertainty.table["node_id"] == name].sort_values(["region_name", "area_name"])
    beside = [_agreeing(one.table[one.table["node_id"] == name].set_index("area_code")) for one in comparisons]
    rows = rows.assign(
        standing=rows["standing"].map(AGAINST),
        alike=[_standing([one.get(code, "") for one in beside]) for code in rows["area_code"]],
    )
    experimental = not rows["ranked"].any()
    columns = [c for c in SCORE_HEADINGS if not (experimental and c.startswith(("rank", "p_")))]
    frame = rows[["region_name", *columns]].copy()
    for column in ("rank", "rank_lower", "rank_upper", "availability"):
        if column in frame:
            frame[column] = (frame[column] * (100 if column == "availability" else 1)).round().astype("Int64")
    years = frame["oldest_year"]
    frame["oldest_year"] = years.round().astype("Int64").astype("str").where(years.notna(), "")  # no thousands comma
    table = table_html(
        frame,
        f"Scores on {rows['node_label'].iloc[0]} with {uncertainty.spec.level:.0%} intervals, by region",
        headings={"region_name": "Region", **SCORE_HEADINGS},
        row_heading="area_name",
        group="region_name",
        decimals=2,
        notes=[
            "Beside similar places: better or worse than the range expected of places of similar child poverty, or "
            "within it; contested where that differs with and without contested indicators. "
            f"Where measures of poverty disagree there are two words, by {listed([one.label for one in comparisons])}."
        ],
    )
    return details_html("Scores of every authority", table)


def _agreeing(rows: pd.DataFrame) -> pd.Series:
    """Standing beside places alike, where contested indicators do not decide it."""
    return rows["standing"].where(rows["standing"] == rows["standing_agreed"], DEPENDS)


def _standing(found: Sequence[str]) -> str:
    words = [STANDING[one] for one in found]
    return words[0] if len(set(words)) == 1 else ", ".join(words)
