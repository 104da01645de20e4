"""What is known of one place as tables in words, written once for its page, its workbook and its files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.places import AreaProfile, JoinedPlace
from outcomes_analysis.places.pathway import turned
from outcomes_analysis.places.quantities import PERCENT, spoken, standing_words, unit_words
from outcomes_analysis.places.verdicts import SIMILAR_RULE
from outcomes_analysis.relations.sentences import in_sentence
from outcomes_analysis.sources.release import read_manifest
from outcomes_analysis.wording import EXPLORATION, SYMBOL_MEANINGS, SYMBOLS, plural, symbol, written_date

LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."
STANDING = {
    "above": "clearly better",
    "below": "clearly worse",
    "not clear": "not clear",
    DEPENDS: DEPENDS,
}
CHANGES = (
    "A change is judged only by how it differs from England's over the same time, which is taken as known. Both are in "
    "the figure's own unit: where a rate is twice England's, the same share less is twice as large a change."
)
CONTEXT = "Context"
NONE, NOT_FOR_THIS = SYMBOLS["not_available"], SYMBOLS["not_applicable"]
SCORE_DECIMALS = 2


@dataclass(frozen=True)
class PlaceTable:
    """One table of a place.

    Attributes
    ----------
    id, label, title : str
        For a file's name; for a sheet's; and above the table.
    frame : DataFrame
        Headings in words; a cell is a number, rounded as published, or text. None is empty: a missing figure is its
        symbol (``[c]``, ``[x]``), and ``[z]`` stands where there can be none.
    notes : tuple of str
        What to know before reading it.
    """

    id: str
    label: str
    title: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that occur in it, each with its meaning."""
        cells = {cell for column in self.frame for cell in self.frame[column] if isinstance(cell, str)}
        return tuple(f"{s} {words}" for s, words in SYMBOL_MEANINGS.items() if any(s in cell for cell in cells))


@lru_cache(maxsize=1)  # page, workbook and files of one place are written from the same tables
def place_tables(profile: AreaProfile) -> tuple[PlaceTable, ...]:
    """Put everything known of a place into tables.

    Parameters
    ----------
    profile : AreaProfile
        With its domains, if scores are wanted.

    Returns
    -------
    tuple of PlaceTable
        Domains and parts; indicators; their series; the equity twin by domain and by indicator; the early years by
        cohort; sources. One that would have no row is left out.
    """
    made = (_domains, _indicators, _series, _equity_domains, _equity_indicators, _early_years, _sources)
    return tuple(table for table in (make(profile) for make in made) if len(table.frame))


def against_england(row: Mapping[Any, Any]) -> str:
    """How a figure stands against England's of the same period, once the number of comparisons is allowed for.

    Parameters
    ----------
    row : mapping
        A row of :attr:`~outcomes_analysis.places.AreaProfile.table`.

    Returns
    -------
    str
        As :func:`outcomes_analysis.places.quantities.standing_words` says it; ``"not judged: "`` with the reason; a
        symbol where there is no figure.
    """
    if row["verdict"] == "no figure":
        return NOT_FOR_THIS
    if said := standing_words(row):
        return said
    return f"not judged: {in_sentence(str(row['reason']))}" if row["reason"] else "not judged"


def domain_names(profile: AreaProfile | JoinedPlace) -> dict[str, str]:
    """Words of each domain's id, and of what is outside them."""
    from outcomes_analysis.framework.loading import load_framework

    known = {node.id: node.label for node in load_framework().domains}
    return {d: known.get(d, d) if d else CONTEXT for d in dict.fromkeys(profile.table["domain"])}


def score_rows(profile: AreaProfile) -> list[tuple[str, Mapping[Any, Any], str]]:
    """Scores in the order of reading: what kind of score, its row, its label with its marks."""
    found: list[tuple[str, Mapping[Any, Any], str]] = []
    for row in profile.domains.to_dict("records"):
        star = " (holds contested indicators)" if row["disputed"] else ""
        if not row["experimental"]:
            found.append(("domain", row, f"{row['node_label']}{star}"))
            continue
        for part in profile.parts[profile.parts["domain"].eq(row["node_id"])].to_dict("records"):
            inside = " (holds contested indicators)" if part["disputed"] else ""
            found.append(("part of an experimental domain", part, f"{part['node_label']}{inside}"))
        found.append(("experimental domain", row, f"{row['node_label']}, all parts together (experimental){star[:-1]}"
                      f"{')' if star else ''}"))  # fmt: skip
    return found


def number_cell(value: Any, decimals: int, missing: str = NONE) -> float | int | str:
    """A number as published, or the symbol of what is missing."""
    if value is None or not np.isfinite(value):
        return missing
    rounded = round(float(value), int(decimals))
    return int(rounded) if decimals == 0 else rounded + 0.0  # no -0


def _text(value: Any) -> str:
    return NOT_FOR_THIS if value is None or str(value).strip() in ("", "nan") else str(value)


def unit_cell(unit: str) -> str:
    """A unit in words."""
    return "per cent" if unit == PERCENT else unit_words(unit)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, dtype=object)


def _domains(profile: AreaProfile) -> PlaceTable:
    rows = []
    for kind, row, label in score_rows(profile):
        ranked = bool(row.get("ranked", False)) and kind == "domain"
        computed = np.isfinite(row["estimate"])
        rows.append(
            {
                "Domain or part": label,
                "Kind of score": kind,
                "Score": number_cell(row["estimate"], SCORE_DECIMALS),
                "Lower": number_cell(row["lower"], SCORE_DECIMALS),
                "Upper": number_cell(row["upper"], SCORE_DECIMALS),
                "Level of the interval": f"{round(100 * row['level'])}%" if np.isfinite(row["level"]) else NOT_FOR_THIS,
                "England, same date": number_cell(row["england"], SCORE_DECIMALS),
                "Against England": STANDING.get(str(row["standing"]), "not judged" if computed else NONE),
                f"Neighbours' {profile.spec.statistic}": number_cell(row["neighbours_centre"], SCORE_DECIMALS),
                "Rank (1 is best)": number_cell(row.get("rank", np.nan) if ranked else np.nan, 0, NOT_FOR_THIS),
                "Rank from": number_cell(row.get("rank_lower", np.nan) if ranked else np.nan, 0, NOT_FOR_THIS),
                "Rank to": number_cell(row.get("rank_upper", np.nan) if ranked else np.nan, 0, NOT_FOR_THIS),
            }
        )
    notes = (
        "0 is England in the base period of each indicator, mostly 2022/23; 1 is the usual distance between "
        "authorities then; higher is better. England's own score for the same date stands beside.",
        "A contested indicator is one where people disagree which way is better. An experimental domain is read part "
        "by part and never ranked.",
        "Depends on contested figures: with and without contested indicators the score stands differently to "
        "England's.",
    )
    return PlaceTable("domains", "Domains", f"{profile.name}: scores with their intervals", _frame(rows), notes)


def _indicators(profile: AreaProfile) -> PlaceTable:
    words = domain_names(profile)
    rows = []
    for row in profile.table.to_dict("records"):
        places, missing = int(row["decimals"]), row["symbol"] or NONE
        beside = NONE if np.isfinite(row["value"]) else NOT_FOR_THIS
        mark = row["symbol"] if np.isfinite(row["value"]) else ""
        elsewhere = f"published for {row['only_for']} only" if row["only_for"] else ""
        rows.append(
            {
                "Indicator": row["name"] + (" (contested)" if row["contested"] else ""),
                "Domain": words[row["domain"]],
                "Kind": {"activity": "activity of services", "enabler": "services, parents and carers"}.get(
                    row["kind"], row["kind"]
                ),
                "Unit": unit_cell(row["unit"]),
                "Which way is better": {1: "higher", -1: "lower"}.get(row["direction"], "not agreed")
                if not row["contested"]
                else "not agreed",
                "Period": _text(spoken(row["period"])) if row["period"] else NOT_FOR_THIS,
                "Figure": number_cell(row["value"], places, missing),
                "Lower": number_cell(row["lower"], places, beside),
                "Upper": number_cell(row["upper"], places, beside),
                "Level of the interval": f"{round(100 * row['level'])}%" if np.isfinite(row["lower"]) else beside,
                "England": number_cell(row["england"], places, beside),
                "Region": number_cell(row["region"], places, beside),
                f"Neighbours' {profile.spec.statistic}": number_cell(row["neighbours_centre"], places, beside),
                "Neighbours with a figure": f"{row['neighbours_count']} of {row['neighbours_of']}",
                "Against England": against_england(row),
                "Over time": row["trend"] if row["trend"] else NOT_FOR_THIS,
                "Change": number_cell(row["change"], places, NOT_FOR_THIS),
                "Change, lower": number_cell(row["change_lower"], places, NOT_FOR_THIS),
                "Change, upper": number_cell(row["change_upper"], places, NOT_FOR_THIS),
                "Since": _since(row),
                "England's change": number_cell(row["england_change"], places, NOT_FOR_THIS),
                "Change less England's": number_cell(row["change_beyond"], places, NOT_FOR_THIS),
                "Less England's, lower": number_cell(row["change_beyond_lower"], places, NOT_FOR_THIS),
                "Less England's, upper": number_cell(row["change_beyond_upper"], places, NOT_FOR_THIS),
                "Against England's change": _beyond(row),
                "What to mind": "; ".join(part for part in (mark, elsewhere, row["cannot_tell"]) if part)
                or NOT_FOR_THIS,
            }
        )
    notes = (
        "Every figure is set beside others of the same period. A judgement is given only where the interval, sampling "
        "and year-to-year variation together, leaves England's figure out and the number of comparisons is allowed "
        f"for. {SIMILAR_RULE} Contested figures and the activity of services are more or fewer, never better or worse.",
        CHANGES,
    )
    title = f"{profile.name}: {plural(len(rows), 'indicator', 'indicators')} beside England, region and neighbours"
    return PlaceTable("indicators", "Indicators", title, _frame(rows), notes)


def _since(row: Mapping[Any, Any]) -> str:
    if not row["since"]:
        return NOT_FOR_THIS
    return f"{spoken(row['since'])}{' (a year of the pandemic)' if row['from_pandemic'] else ''}"


def _beyond(row: Mapping[Any, Any]) -> str:
    """How a change differs from England's: more or less favourable, else higher or lower, where that is clear."""
    said = {"better": "more favourable", "worse": "less favourable"}.get(str(row["verdict_change"]), "")
    stands = str(row["standing_change"])
    return said or {"above": "higher", "below": "lower"}.get(stands, stands) or NOT_FOR_THIS


def _series(profile: AreaProfile) -> PlaceTable:
    about = {row["indicator_id"]: row for row in profile.table.to_dict("records")}
    rows = []
    for row in profile.series.to_dict("records"):
        known = about[row["indicator_id"]]
        places = int(known["decimals"])
        missing = symbol(str(row["status"]), str(row["flags"])) or NONE
        rows.append(
            {
                "Indicator": known["name"] + (" (contested)" if known["contested"] else ""),
                "Unit": unit_cell(known["unit"]),
                "Period": spoken(str(row["period"])),
                "Figure": number_cell(row["value"], places, missing),
                "Lower": number_cell(row["lower"], places, NONE),
                "Upper": number_cell(row["upper"], places, NONE),
                "Level of the interval": f"{round(100 * row['level'])}%" if np.isfinite(row["lower"]) else NOT_FOR_THIS,
                "England": number_cell(row["england"], places),
                "Stretch without a break": int(row["segment"]),
            }
        )
    notes = ("Never compare, or join by a line, two figures of one indicator that lie in different stretches.",
             "Intervals are those of the publisher, where there is one, or of sampling alone.")  # fmt: skip
    return PlaceTable("series", "Series", f"{profile.name}: figures over time", _frame(rows), notes)


def _equity_domains(profile: AreaProfile) -> PlaceTable:
    rows = []
    for row in profile.equity.domains.to_dict("records"):
        twin = row["status"] == "computed"
        lack = NONE if not twin else NOT_FOR_THIS
        rows.append(
            {
                "Domain": row["node_label"],
                "Children": row["group_label"],
                "Gap": number_cell(row["estimate"], 1, lack),
                "Lower": number_cell(row["lower"], 1, lack),
                "Upper": number_cell(row["upper"], 1, lack),
                "Level of the interval": f"{round(100 * row['level'])}%",
                "England's gap": number_cell(row["england_gap"], 1, lack),
                "Against England's gap": row["against_england"] or ("not judged" if twin else NONE),
                "Against the same children in England": row["these_against"] or (NOT_FOR_THIS if twin else NONE),
                "Indicators": f"{row['indicators']} of {row['of']}",
                "Why there is no twin": row["reason"] or NOT_FOR_THIS,
            }
        )
    notes = (
        "How far the children named are from all children of the place, on the same indicators; 1 is the usual "
        "distance between authorities; negative is worse.",
        "Who is counted in these groups differs between places, so a wider gap can also say that fewer children are "
        "counted in the group.",
    )
    title = f"{profile.name}: equity twin, each domain for groups of children"
    return PlaceTable("equity-domains", "Equity domains", title, _frame(rows), notes)


def _equity_indicators(profile: AreaProfile) -> PlaceTable:
    words = domain_names(profile)
    rows = []
    for row in profile.equity.table.to_dict("records"):
        places = int(row["decimals"])
        missing = symbol(str(row["status"])) or NONE
        has = np.isfinite(row["estimate"])
        more = {"more": "clearly more", "fewer": "clearly fewer"}
        clear = {"wider": "clearly wider", "narrower": "clearly narrower", **more}.get(str(row["clear"]), "")
        judged = clear or ("not clear" if np.isfinite(row["distance"]) else "not judged")
        rows.append(
            {
                "Indicator": row["name"] + (" (contested)" if row["contested"] else ""),
                "Domain": words.get(row["domain"], CONTEXT),
                "Children": row["group_label"],
                "Unit": unit_cell(row["unit"]),
                "Period": spoken(str(row["period"])) if row["period"] else NOT_FOR_THIS,
                "Figure": number_cell(row["value"], places, missing),
                "Lower": number_cell(row["lower"], places, NOT_FOR_THIS),
                "Upper": number_cell(row["upper"], places, NOT_FOR_THIS),
                "Set beside": row["beside"] or NOT_FOR_THIS,
                "Figure beside": number_cell(row["beside_value"], places, NOT_FOR_THIS),
                "Gap": number_cell(row["estimate"], places, NOT_FOR_THIS),
                "Gap, lower": number_cell(row["gap_lower"], places, NOT_FOR_THIS),
                "Gap, upper": number_cell(row["gap_upper"], places, NOT_FOR_THIS),
                "Level of the intervals": f"{round(100 * row['level'])}%",
                "England's gap": number_cell(row["england_gap"], places, NOT_FOR_THIS),
                "Against England's gap": judged if has else NOT_FOR_THIS,
                "Why it is not judged": row["reason"] or NOT_FOR_THIS,
            }
        )
    title = f"{profile.name}: groups of children by indicator"
    return PlaceTable("equity-indicators", "Equity indicators", title, _frame(rows))


def _early_years(profile: AreaProfile) -> PlaceTable:
    path = profile.pathway.table if profile.pathway is not None else pd.DataFrame()
    rows = []
    for row in path.to_dict("records"):
        places, has = int(row["decimals"]), np.isfinite(row["value"])
        level = f"{round(100 * row['level'])}%" if np.isfinite(row["lower"]) else NOT_FOR_THIS
        rows.append(
            {
                "Born in the school year": row["cohort"],
                "Stage": row["age"],
                "Indicator": row["name"],
                "Unit": unit_cell(str(row["unit"])),
                "Period": row["period"],
                "Figure": number_cell(row["value"], places, symbol(str(row["status"])) or NONE),
                "Lower": number_cell(row["lower"], places, NOT_FOR_THIS),
                "Upper": number_cell(row["upper"], places, NOT_FOR_THIS),
                "Level of the interval": level,
                "England": number_cell(row["england"], places, NONE if has else NOT_FOR_THIS),
                f"Neighbours' {profile.spec.statistic}": number_cell(
                    row["neighbours_centre"], places, NONE if has else NOT_FOR_THIS
                ),
                "Against England": turned(str(row["standing"]), int(row["direction"])) or NOT_FOR_THIS,
                "Stretch without a break": int(row["segment"]),
                "What to mind": "; ".join(str(row[c]).rstrip(".") for c in ("reason", "break_reason") if row[c])
                or NOT_FOR_THIS,
            }
        )
    notes = (
        "Each stage in the year the cohort passed it: areas in each year, not the same children followed.",
        "Never compare two figures of one stage that lie in different stretches.",
    )
    return PlaceTable("early-years", "Early years", f"{profile.name}: early years by cohort", _frame(rows), notes)


def _sources(profile: AreaProfile) -> PlaceTable:
    return source_table({*profile.manifest.sources, *profile.equity.manifest.sources})


def source_table(used: Collection[str]) -> PlaceTable:
    """Published files behind a place's tables, by their ids."""
    listed: Any = read_manifest()["sources"]
    rows = [
        {
            "Title": s["title"],
            "Publisher": s["publisher"],
            "Publisher's page": s["publisher_page"],
            "Data as at": written_date(s["data_as_at"]),
            "Licence": s["licence"],
        }
        for s in listed
        if s["id"] in used
    ]
    return PlaceTable("sources", "Sources", "Published files behind these tables", _frame(rows), (LICENCE,))


def method_lines(profile: AreaProfile) -> list[str]:
    """How the figures of a place were made, line by line, with what to mind and what it can be made again from."""
    said = profile.sections
    beside = (
        f"Neighbours: {profile.neighbours}; their {profile.spec.statistic}."
        if profile.neighbours
        else "No neighbours were asked for."
    )
    lines = [
        EXPLORATION,
        said.get("notice", ""),
        said.get("method", ""),
        said.get("withheld", ""),
        f"Figures measured by the end of {profile.period}. {beside} Changes are over at most {profile.spec.years} "
        "years, never across a break.",
        f"Data as at {written_date(profile.manifest.data_as_at)}. Made with outcomes_analysis "
        f"{profile.manifest.package}; data {profile.manifest.data}, question {profile.manifest.spec}.",
        LICENCE,
    ]
    return [line for line in lines if line]
