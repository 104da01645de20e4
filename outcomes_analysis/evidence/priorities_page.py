"""People's priorities as tables and a page: weights with intervals, rounds, agreement, how far places move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.domain_section import drawn
from outcomes_analysis.evidence.page import Section, bullets, page
from outcomes_analysis.evidence.place_tables import NOT_FOR_THIS, PlaceTable, number_cell
from outcomes_analysis.evidence.profiles import told_html, whole_table
from outcomes_analysis.places.weighing import Priorities
from outcomes_analysis.places.weighing_wording import WAY_WORDS
from outcomes_analysis.wording import EXPLORATION, SYMBOLS

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure


def priority_tables(
    priorities: Priorities, *, moves: pd.DataFrame | None = None, labels: Mapping[str, str] | None = None
) -> tuple[PlaceTable, ...]:
    """Put people's priorities into tables; nobody's own answer is among them.

    Parameters
    ----------
    priorities : Priorities
    moves : DataFrame, optional
        Of :func:`outcomes_analysis.places.reweighing.rank_moves`.
    labels : mapping of str to str, optional
        Words of nodes.

    Returns
    -------
    tuple of PlaceTable
        Weights, rounds, agreement, ranks of places. One that would have no row is left out.
    """
    made = (_weights(priorities), _rounds(priorities), _agreement(priorities), _moves(moves, labels or {}))
    return tuple(table for table in made if len(table.frame))


def _table(id_: str, title: str, rows: list[dict[str, Any]], *notes: str) -> PlaceTable:
    return PlaceTable(id_, id_.capitalize(), title, pd.DataFrame(rows, dtype=object), notes)


def _weights(priorities: Priorities) -> PlaceTable:
    rows = []
    for row in priorities.table.to_dict("records"):
        missing = SYMBOLS["suppressed"] if row["status"] == "suppressed" else NOT_FOR_THIS
        rows.append(
            {
                "Asked by": WAY_WORDS[row["way"]],
                "What matters": row["label"],
                "Weight, per cent": number_cell(100 * row["estimate"], 0, missing),
                "Lower": number_cell(100 * row["lower"], 0, missing),
                "Upper": number_cell(100 * row["upper"], 0, missing),
                "Level of the interval": f"{round(100 * row['level'])}%",
                "How often first, per cent": number_cell(100 * row["first"], 0, missing),
                "People": number_cell(row["people"], 0, "counted together"),
            }
        )
    return _table(
        "weights",
        "What matters most to those asked",
        rows,
        "Intervals are for other people of the same kind. How often first: in panels drawn again from those asked.",
        "[c] stands where fewer than ten children chose it, or where it would tell such a number.",
    )


def _rounds(priorities: Priorities) -> PlaceTable:
    rows = [
        {
            "What matters": row["label"],
            "Round": str(row["round"]),
            "People": int(row["people"]),
            "Median rating": number_cell(row["median"], 1),
            "Lower quartile": number_cell(row["lower_quartile"], 2),
            "Upper quartile": number_cell(row["upper_quartile"], 2),
            "Rate it 7 to 9, per cent": number_cell(100 * row["important"], 0),
            "Change of the median": number_cell(row["median_change"], 1, NOT_FOR_THIS),
            "Change of the middle half": number_cell(row["spread_change"], 2, NOT_FOR_THIS),
            "Panel that moved, per cent": number_cell(100 * row["moved"], 0, NOT_FOR_THIS),
            "Stands where it stood": NOT_FOR_THIS if row["stable"] is None else "yes" if row["stable"] else "no",
        }
        for row in priorities.rounds.to_dict("records")
    ]
    return _table(
        "rounds",
        "The Delphi panel, round by round",
        rows,
        "It stands where it stood where fewer than 15 in 100 of the panel give another rating, as its distribution "
        "shows (Scheibe, Skutsch and Schofer 1975).",
    )


def _agreement(priorities: Priorities) -> PlaceTable:
    rows = [
        {
            "Asked by": WAY_WORDS[row["way"]],
            "Round": str(row["round"]),
            "People": int(row["people"]),
            "Things judged": int(row["items"]),
            "Kendall's W": number_cell(row["kendall_w"], 2, NOT_FOR_THIS),
            "Chi-squared": number_cell(row["chi2"], 1, NOT_FOR_THIS),
            "P value": number_cell(row["p"], 3, NOT_FOR_THIS),
            "Krippendorff's alpha": number_cell(row["alpha"], 2, NOT_FOR_THIS),
            "Intraclass correlation, one person": number_cell(row["icc"], 2, NOT_FOR_THIS),
            "Intraclass correlation, mean of all": number_cell(row["icc_mean"], 2, NOT_FOR_THIS),
        }
        for row in priorities.agreement.to_dict("records")
    ]
    return _table(
        "agreement",
        "How far people agree",
        rows,
        "Kendall's W: 0 none, 1 all put things in the same order; its P value is rough for fewer than eight things. "
        "Krippendorff's alpha of orders: 0 as by chance. Intraclass correlation for absolute agreement.",
    )


def _moves(moves: pd.DataFrame | None, labels: Mapping[str, str]) -> PlaceTable:
    rows = [
        {
            "Score": labels.get(row["node_id"], row["node_id"]),
            "Asked by": WAY_WORDS[row["way"]],
            "Authority": row["name"],
            "Rank, equal weights": int(row["rank"]),
            "Rank, people's weights": number_cell(row["rank_median"], 1),
            "Rank from": number_cell(row["rank_lower"], 0),
            "Rank to": number_cell(row["rank_upper"], 0),
            "Level of the interval": f"{round(100 * row['level'])}%",
        }
        for row in ([] if moves is None else moves.to_dict("records"))
    ]
    return _table(
        "ranks",
        "How far places move when these weights stand in for equal ones",
        rows,
        "1 is best. The interval is over other people's answers alone: how unsure the figures are is not in it.",
    )


def priorities_html(
    priorities: Priorities,
    *,
    moves: pd.DataFrame | None = None,
    moved: str = "",
    labels: Mapping[str, str] | None = None,
    figures: Mapping[str, Figure] | None = None,
) -> str:
    """Write the page of people's priorities.

    Parameters
    ----------
    priorities : Priorities
    moves, labels
        As for :func:`priority_tables`.
    moved : str
        What is said of places under these weights.
    figures : mapping of str to Figure, optional
        Drawn under the words.

    Returns
    -------
    str
        One accessible HTML page; the same answers give the same text.
    """
    tables = {t.id: t for t in priority_tables(priorities, moves=moves, labels=labels)}
    pictures = "\n".join(drawn(figure, name) for name, figure in (figures or {}).items())
    *told, _ = priorities.text.split("\n\n")
    sections = [Section("In short", told_html("\n".join(told)) + pictures, "short")]
    headings = {"weights": "Weights", "rounds": "Rounds", "agreement": "Agreement"}
    sections += [Section(words, whole_table(tables[name]), name) for name, words in headings.items() if name in tables]
    if moved:
        ranks = whole_table(tables["ranks"]) if "ranks" in tables else ""
        sections.append(Section("Places under these weights", told_html(moved) + ranks, "ranks"))
    spec = priorities.spec
    method = [
        "Everybody counts the same, however many points they used. A weight is the mean of people's shares, its "
        f"interval that of {spec.resamples:,} panels of as many people drawn again from those asked (seed "
        f"{spec.seed}).",
        "Choices counted together: shares with the equal tails of their Dirichlet distribution (Jeffreys' prior).",
        "Of a Delphi panel the last round counts, and those who rated everything in it.",
        f"Answers {priorities.manifest.data}, question {priorities.manifest.spec}. Made with outcomes_analysis "
        f"{priorities.manifest.package}. {EXPLORATION}",
    ]
    sections.append(Section("How this was done", bullets(method), "method"))
    return page("What matters most to those asked", sections, lead="Weights from people's own answers.")


def priority_figures(priorities: Priorities) -> dict[str, Figure]:
    """Weights of each way of asking with their intervals, beside what each would have if all mattered alike."""
    from outcomes_analysis.figures.charts.estimates import coefficient_forest

    made = {}
    for way, rows in priorities.table.groupby("way", sort=False):
        told = rows[rows["estimate"].notna()]
        if told.empty:
            continue
        scaled = told[["label", "level"]].assign(**{c: 100 * told[c] for c in ("estimate", "lower", "upper")})
        scaled[["lower", "upper"]] = np.array([np.minimum(scaled["lower"], scaled["estimate"]),
                                               np.maximum(scaled["upper"], scaled["estimate"])]).T  # fmt: skip
        first = told.iloc[0]
        made[f"weights-{way}"] = coefficient_forest(
            scaled,
            what="weight, per cent",
            unit="per cent of the whole",
            source="answers given to this program",
            data_as_at="",
            title=f"{WAY_WORDS[str(way)]}: most weight on {first['label'][:1].lower()}{first['label'][1:]}",
            zero=round(100 / len(rows), 1),
            decimals=0,
        )
    return made
