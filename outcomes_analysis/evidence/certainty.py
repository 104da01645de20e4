"""How sure the ranks are, and which choice of method moves them most, in words that a trustee can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.page import Section, bullets, heading, paragraph, table_html
from outcomes_analysis.index.montecarlo.sensitivity_indices import CHOICES
from outcomes_analysis.wording import listed, number

if TYPE_CHECKING:
    from outcomes_analysis.index import SensitivityResult, UncertaintyResult

SHIFT = "mean_rank_shift"


def certainty_section(uncertainty: UncertaintyResult, sensitivity: SensitivityResult) -> Section:
    """Rank intervals from the figures beside those from the method, and what the latter come from.

    Parameters
    ----------
    uncertainty : UncertaintyResult
    sensitivity : SensitivityResult
        Of the domains that are ranked.

    Returns
    -------
    Section
    """
    body = "\n".join(
        [
            paragraph(
                "A rank is no more certain than the figures behind it. Two doubts are kept apart: doubt about the "
                "figures, which vary by chance from year to year, and the choice of method, which others might make "
                "otherwise."
            ),
            bullets(
                [
                    "The rank interval of an authority rests in equal parts on its own figures as they stand, and on "
                    "what is likely of an authority among all the others.",
                    "The chance of being in the lowest or highest fifth rests on the latter alone. Where figures are "
                    "unsure, as in small authorities, an interval may reach into the lowest fifth although the chance "
                    "of lying there is small.",
                    "Ranks under other methods are those that other weights, another kind of mean, or one indicator "
                    "left out would give.",
                ]
            ),
            _ranks(uncertainty),
            heading("Which choice of method moves the ranks most"),
            paragraph(
                "The index was computed again and again: with other weights, other ways to bring indicators to a "
                "common scale, another kind of mean, or one indicator left out. The shares say how much of the "
                "movement of ranks goes with each choice: alone, and with what it does in combination with the others. "
                "The list gives the latter, which count combinations more than once and add up to more than 100%."
            ),
            bullets(movers(uncertainty, sensitivity)),
            _shares(uncertainty, sensitivity),
        ]
    )
    return Section("How sure are the ranks", body, anchor="certainty")


def _ranks(uncertainty: UncertaintyResult) -> str:
    rows = []
    for name in ranked_nodes(uncertainty):
        part = uncertainty.table[(uncertainty.table["node_id"] == name) & uncertainty.table["ranked"]]
        own = part["rank_upper"] - part["rank_lower"] + 1
        other = part["method_upper"] - part["method_lower"] + 1
        bottom, top = (int((part[f"p_{end}_fifth"] > 0.8).sum()) for end in ("bottom", "top"))
        rows.append(
            {
                "Domain": str(part["node_label"].iloc[0]),
                "Middle rank interval from the figures (places)": int(own.median()),
                "Middle spread of ranks under other methods (places)": int(other.median()),
                "Spread between authorities that is not noise, %": round(100 * float(uncertainty.reliability[name])),
                "More than 8 chances in 10 of the lowest fifth (authorities)": bottom,
                "More than 8 chances in 10 of the highest fifth (authorities)": top,
            }
        )
    caption = f"How sure the ranks are ({uncertainty.spec.level:.0%} intervals)"
    note = "Middle: half of the authorities have an interval of at least so many places, half of at most so many."
    return table_html(pd.DataFrame(rows), caption, row_heading="Domain", decimals=0, notes=[note])


def ranked_nodes(uncertainty: UncertaintyResult) -> list[str]:
    """Nodes with ranks, in the table's order."""
    return list(uncertainty.table.loc[uncertainty.table["ranked"], "node_id"].unique())


def _shift_rows(sensitivity: SensitivityResult, node: str) -> pd.DataFrame:
    rows = sensitivity.table
    return rows[(rows["node_id"] == node) & (rows["output"] == SHIFT)]


def movers(uncertainty: UncertaintyResult, sensitivity: SensitivityResult) -> list[str]:
    """One sentence a domain: the choice that moves its ranks most, or those that cannot be told apart in this.

    Parameters
    ----------
    uncertainty : UncertaintyResult
        Says which nodes are ranked, and their names.
    sensitivity : SensitivityResult

    Returns
    -------
    list of str
    """
    labels = uncertainty.table.drop_duplicates("node_id").set_index("node_id")["node_label"]
    sentences = []
    for node in ranked_nodes(uncertainty):
        rows = _shift_rows(sensitivity, node)
        total = rows[rows["order"] == "total"].sort_values("estimate", ascending=False, kind="stable")
        if total["estimate"].isna().all():
            sentences.append(f"No choice of method moves a rank on {labels[node]}.")
            continue
        level = f"{total['level'].iloc[0]:.0%}"
        near = total[total["upper"] >= total["lower"].iloc[0]]
        named = [f"{CHOICES.get(r.factor, r.factor)} ({_percent(r)})" for r in near.itertuples()]
        told = f"{level} interval" if len(named) == 1 else f"{level} intervals; these cannot be told apart"
        sentences.append(f"Ranks on {labels[node]} move most with {listed(named)} ({told}).")
    return sentences


def _shares(uncertainty: UncertaintyResult, sensitivity: SensitivityResult) -> str:
    labels = uncertainty.table.drop_duplicates("node_id").set_index("node_id")["node_label"]
    rows = []
    for node in ranked_nodes(uncertainty):
        part = _shift_rows(sensitivity, node)
        for factor in dict.fromkeys(part["factor"]):
            here = {r.order: _percent(r) for r in part[part["factor"] == factor].itertuples()}
            rows.append(
                {
                    "domain": labels[node],
                    "choice": CHOICES.get(str(factor), str(factor)),
                    "first": here["first"],
                    "total": here["total"],
                }
            )
    level = float(sensitivity.table["level"].iloc[0])
    note = (
        f"All {sensitivity.runs:,} combinations were computed, so the shares are exact."
        if sensitivity.exact
        else f"Estimated from {sensitivity.runs:,} computations of the index."
    )
    return table_html(
        pd.DataFrame(rows),
        "Share of the movement of ranks that goes with each choice of method",
        headings={
            "choice": "Choice",
            "first": f"Alone ({level:.0%} interval)",
            "total": f"With combinations ({level:.0%} interval)",
        },
        row_heading="choice",
        group="domain",
        notes=[note],
    )


def _percent(row: object) -> str:
    # An estimated share may fall a little below 0; there is no such share.
    share, low, high = (number(100 * max(getattr(row, c), 0.0), 0) for c in ("estimate", "lower", "upper"))
    return f"{share}%, {low}% to {high}%" if low != high else f"{share}%"
