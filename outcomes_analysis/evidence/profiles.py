"""The page of one place: strengths first, every figure with its interval, and what cannot be measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.domain_section import drawn
from outcomes_analysis.evidence.page import Section, bullets, details_html, page, paragraph, table_html
from outcomes_analysis.evidence.place_tables import (
    CHANGES,
    LICENCE,
    STANDING,
    PlaceTable,
    against_england,
    domain_names,
    method_lines,
    place_tables,
    score_rows,
)
from outcomes_analysis.places import AreaProfile
from outcomes_analysis.places.quantities import PERCENT, difference, short_amount, since_words, spoken, unit_words
from outcomes_analysis.places.verdicts import SIMILAR_RULE
from outcomes_analysis.wording import number, ordinal, plural, signed, written_date

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure

EARLY = "early-years"

#: How the ids of the figures of a section begin; all others stand with the domains.
PICTURED = {"equity": "equity-gaps", "trends": "trend-", "pathway": EARLY, "indicators": "spine-"}
#: Sections of a profile that are told in words, in the order of the page, with their headings.
TOLD = {
    "judged": "Strengths, and what is worse",
    "contested": "Contested figures",
    "enablers": "Services, parents and carers",
    "equity": "The same for groups of children",
    "neighbours": "Beside similar places",
    "trends": "Over time",
    "pathway": "From birth to age 11, by cohort",
    "missing": "What cannot be measured here",
}


def place_html(
    profile: AreaProfile,
    *,
    figures: Mapping[str, Figure] | None = None,
    more: Sequence[PlaceTable] = (),
    after: Sequence[Section] = (),
) -> str:
    """Write the page of one place.

    Parameters
    ----------
    profile : AreaProfile
        With its domains, if scores are wanted.
    figures : mapping of str to Figure, optional
        By id; each stands with its section (see ``PICTURED``), ``domain-profile`` above the scores, others below them.
    more : sequence of PlaceTable
        Further tables, such as local figures.
    after : sequence of Section
        Further sections, such as those of targets, before the table of every indicator.

    Returns
    -------
    str
        One accessible HTML page that asks for nothing outside itself and holds all its tables; the same profile gives
        the same text.
    """
    said = profile.sections
    sections = [Section("In short", told_html(said.get("judged", "")), "strengths")] if said.get("judged") else []
    if len(profile.domains):
        sections.append(Section("Domains", _domains(profile, figures or {}), "domains"))
    sections += [
        Section(heading, _pictures(name, figures or {}) + told_html(said[name]) + _folded(profile, name), name)
        for name, heading in TOLD.items()
        if name != "judged" and said.get(name)
    ]
    sections += after
    sections.append(
        Section("Every indicator", _pictures("indicators", figures or {}) + _indicators(profile), "indicators")
    )
    sections += [Section(table.label, whole_table(table), table.id) for table in more]
    sections.append(Section("How this was done", bullets(method_lines(profile)[1:]), "method"))
    sections += [Section("Sources", whole_table(table), "sources") for table in place_tables(profile)
                 if table.id == "sources"]  # fmt: skip
    return page(
        f"Children's outcomes in {profile.name}, as measured by the end of {profile.period}",
        sections,
        lead=f"{profile.name} ({profile.area_code}), {profile.region_name}. {said.get('opening', '')}",
        footer=(
            f"Data as at {written_date(profile.manifest.data_as_at)}. {LICENCE} "
            f"Made with outcomes_analysis {profile.manifest.package}."
        ),
    )


def told_html(text: str) -> str:
    """Prose of a section: lines that begin with a dash become a list under the line before them."""
    parts: list[str] = []
    items: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("- "):
            items.append(line[2:])
            continue
        if items:
            parts.append(bullets(items))
            items = []
        if line.strip():
            parts.append(paragraph(line))
    return "".join(parts)


def _span(lower: Any, upper: Any, decimals: int) -> str:
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return ""
    return f"{number(lower, decimals)}\u00a0to\u00a0{number(upper, decimals)}"


def _domains(profile: AreaProfile, figures: Mapping[str, Figure]) -> str:
    rows = [
        {
            "Domain or part": label,
            "Score": number(row["estimate"], 2),
            f"{round(100 * profile.spec.level)}% interval": _span(row["lower"], row["upper"], 2),
            "England now": number(row["england"], 2),
            "Against England now": STANDING.get(str(row["standing"]), "not judged"),
            f"Neighbours' {profile.spec.statistic}": number(row["neighbours_centre"], 2),
            "Rank (1 is best): its range, and the likeliest": _rank(row) if kind == "domain" else "not ranked",
        }
        for kind, row, label in score_rows(profile)
    ]
    notes = [
        "0 is England in the base period of each indicator, mostly 2022/23; 1 is the usual distance between "
        "authorities then; higher is better. England now is England's own score for the same date.",
        "Contested: people disagree which way is better. Depends on contested figures: with and without contested "
        "indicators the score stands differently to England's. Experimental: its figures do not measure one thing.",
    ]
    told = _as_headed(pd.DataFrame(rows), f"{profile.name}: scores with their intervals", notes=notes)
    first = [name for name in figures if name == "domain-profile"]
    rest = [name for name in figures if name != "domain-profile" and not name.startswith(tuple(PICTURED.values()))]
    pictures = [drawn(figures[name], name) for name in [*first, *rest]]
    return "\n".join([*pictures[: len(first)], told, *pictures[len(first) :]])


def _rank(row: Mapping[Any, Any]) -> str:
    if not row.get("ranked") or not np.isfinite(row.get("rank", np.nan)):
        return "not ranked"
    own = number(float(row["rank"]), 0)
    if "rank_lower" not in row or not np.isfinite(row["rank_lower"]):
        return own
    first, last = (ordinal(int(row[c])) for c in ("rank_lower", "rank_upper"))
    of = f" of {row['ranked_of']:.0f}" if row.get("ranked_of", 0) > 0 else ""
    return f"between {first} and {last}{of} ({round(100 * row['level'])}%); {ordinal(int(row['rank']))}"


def _pictures(section: str, figures: Mapping[str, Figure]) -> str:
    """Figures that belong to a section, by how their ids begin."""
    start = PICTURED.get(section)
    return "".join(drawn(figure, name) for name, figure in figures.items() if start and name.startswith(start))


def _folded(profile: AreaProfile, name: str) -> str:
    """Tables of the equity twin and of the early years, folded away under their prose."""
    start = {"equity": "equity", "pathway": EARLY}.get(name)
    tables = [table for table in place_tables(profile) if start and table.id.startswith(start)]
    return "".join(details_html(table.title.split(": ", 1)[1].capitalize(), whole_table(table)) for table in tables)


def _indicators(profile: AreaProfile) -> str:
    words = domain_names(profile)
    rows = []
    for row in profile.table.to_dict("records"):
        places, unit, has = int(row["decimals"]), str(row["unit"]), np.isfinite(row["value"])
        said = "%" if unit == PERCENT else unit_words(unit)
        level = round(100 * row["level"]) if np.isfinite(row["level"]) else 0
        span = _span(row["lower"], row["upper"], places)
        if span and level != round(100 * profile.spec.level):
            span += f" ({level}%)"
        rows.append(
            {
                "domain": words[row["domain"]],
                "Indicator": f"{row['name']} ({said}){' (contested)' if row['contested'] else ''}",
                "Period": spoken(row["period"]) if row["period"] else "",
                "Figure": f"{short_amount(row['value'], unit=unit, decimals=places)} {row['symbol']}".strip()
                if has
                else row["symbol"] or "[x]",
                f"{round(100 * profile.spec.level)}% interval": span,
                "England": short_amount(row["england"], unit=unit, decimals=places) if has else "",
                "Region": short_amount(row["region"], unit=unit, decimals=places) if has else "",
                "Neighbours": short_amount(row["neighbours_centre"], unit=unit, decimals=places) if has else "",
                "Against England": against_england(row)
                if has
                else f"published for {row['only_for']} only"
                if row["only_for"]
                else "no figure",
                "Over time": _change(row, unit=unit, places=places),
            }
        )
    frame = pd.DataFrame(rows)
    return _as_headed(
        frame,
        f"{plural(len(frame), 'indicator', 'indicators')} for {profile.name}, beside the same period elsewhere",
        row_heading="Indicator",
        group="domain",
        notes=[
            f"Neighbours: the {profile.spec.statistic} of those with a figure of the same period.",
            "Clearly better or worse: the interval leaves England's figure out, the number of comparisons allowed for. "
            f"{SIMILAR_RULE} Contested figures and the activity of services are more or fewer, never better or worse.",
            CHANGES,
        ],
    )


def _change(row: Mapping[Any, Any], *, unit: str, places: int) -> str:
    if not np.isfinite(row["value"]) or not np.isfinite(row["change"]):
        return ""
    moved = difference(row["change"], unit=unit, decimals=places)
    since = since_words(row["since"], pandemic=bool(row["from_pandemic"]))
    if not np.isfinite(row["change_beyond"]):
        return f"{row['trend']}: {moved} {since}"
    span = _span(row["change_beyond_lower"], row["change_beyond_upper"], places)
    apart = f"{signed(row['change_beyond'], places)}, {span} at {round(100 * row['change_level'])}%"
    return f"{row['trend']}: {moved} {since}; England {signed(row['england_change'], places)}, difference {apart}"


def whole_table(table: PlaceTable) -> str:
    """A table of the workbook as it is, numbers written for reading."""
    lines = [_written(row) for row in table.frame.itertuples(index=False, name=None)]
    frame = pd.DataFrame(lines, columns=table.frame.columns)
    return _as_headed(frame.reset_index(drop=True), table.title, notes=table.notes)


def _as_headed(frame: pd.DataFrame, caption: str, **given: Any) -> str:
    """Table whose headings are words already and keep their capitals."""
    return table_html(frame, caption, headings={str(c): str(c) for c in frame.columns}, **given)


def _written(row: tuple[float | int | str, ...]) -> list[str]:
    """Cells of one line: numbers that are not whole all with the decimals of the finest, as they were rounded alike."""
    places = max((len(str(cell).partition(".")[2]) for cell in row if isinstance(cell, float)), default=0)
    return [cell if isinstance(cell, str) else number(cell, places if isinstance(cell, float) else 0) for cell in row]
