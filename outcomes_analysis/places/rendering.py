"""A profile as plain text for the terminal: aligned columns, at most 100 wide, nothing told by colour alone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.places.profile import AreaProfile
from outcomes_analysis.places.quantities import PERCENT, standing_words, unit_words, year_words
from outcomes_analysis.places.summary import AGAINST
from outcomes_analysis.places.verdicts import BY_CHANCE, MANY, SIMILAR_RULE

WIDTH = 100
NAME = 24
COLUMNS = (
    ("year", 7),
    ("value", 7),
    ("interval", 15),
    ("England", 7),
    ("region", 7),
    ("neighb.", 7),
    ("judged", 10),
    ("trend", 8),
)
SCORED = 22
SHORT = {"against England: not clear": "not clear", AGAINST[DEPENDS]: "contested"}
DAGGER = "\u2020"


def profile_text(profile: AreaProfile) -> str:
    """Write a profile for a terminal.

    Parameters
    ----------
    profile : AreaProfile

    Returns
    -------
    str
        Title, domains, prose, then one block a domain with the indicators in columns; no line over 100 characters.
    """
    blocks = [f"{profile.name} ({profile.area_code}), {profile.region_name}: figures measured by {profile.period}"]
    shown = dict(profile.sections)
    if len(profile.domains):  # the block says the same in columns
        shown = {name: text for name, text in shown.items() if name not in ("domains", "experimental")}
    blocks += [_paragraph(shown.pop("opening"))]
    if len(profile.domains):
        blocks.append(_domain_block(profile.domains, profile.parts))
    blocks += [_paragraph(text) for text in shown.values()]
    table = profile.table
    if profile.county:  # what is published for the county alone was counted above
        table = table[table["value"].notna() | table["only_for"].eq("")]
    for domain in dict.fromkeys(table["domain"]):
        title = str(domain).upper() if domain else "CONTEXT"
        lines = [title, _header()]
        lines += [_line(row) for _, row in table[table["domain"].eq(domain)].iterrows()]
        blocks.append("\n".join(lines))
    blocks.append(_legend(profile))
    return "\n\n".join(blocks) + "\n"


def _paragraph(text: str) -> str:
    """Wrap each line of a section; items of a list hang under their dash."""
    return "\n".join(_wrapped(line, indent="  " if line.startswith("- ") else "") for line in text.split("\n"))


def _wrapped(text: str, *, indent: str = "") -> str:
    return "\n".join(
        textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    )


def _header() -> str:
    return " ".join([f"{'':<{NAME}}", *(f"{title:>{width}}" for title, width in COLUMNS)]).rstrip()


def _line(row: pd.Series) -> str:
    decimals = int(row["decimals"])
    mark = " *" if row["contested"] else ""
    if np.isfinite(row["value"]) and row["symbol"]:
        mark += f" {row['symbol']}"
    unit = row["unit"] if row["unit"] == PERCENT else unit_words(row["unit"])
    has = np.isfinite(row["value"])
    if has and row["age"] > row["max_age"]:
        mark += " [old]"
    if has and row["unit"] == PERCENT and row["value"] > 100:
        mark += " [over 100]"
    name = textwrap.wrap(f"{row['name']} ({unit}){mark}", NAME)
    value = wording.number(row["value"], decimals) if has else row["symbol"]
    bounded = has and np.isfinite(row["lower"])
    span = f"{wording.number(row['lower'], decimals)} to {wording.number(row['upper'], decimals)}" if bounded else ""
    if bounded and round(100 * row["level"]) != 90:
        span += "+"
    cells = [
        year_words(str(row["period"]), row["measured"]) if has else "",
        value,
        span,
        *(wording.number(row[c], decimals) if np.isfinite(row[c]) else "" for c in ("england", "region")),
        wording.number(row["neighbours_centre"], decimals) if np.isfinite(row["neighbours_centre"]) else "",
        _judged(row),
        _trend(row) if has else "",
    ]
    return "\n".join([_aligned(name[0], cells), *(f"  {part}" for part in name[1:])])


def _aligned(name: str, cells: Sequence[str]) -> str:
    """Cells flush right under their headings; one too wide for its column takes room from those after it."""
    line, end = f"{name:<{NAME}}", NAME
    for cell, (_, width) in zip(cells, COLUMNS, strict=True):
        end += 1 + width
        line += f" {cell}".rjust(end - len(line))
    return line.rstrip()


def _judged(row: pd.Series) -> str:
    """One word: better, similar or worse; more or fewer where no way is better; a dash where nothing can be said."""
    said = standing_words(row)
    if said:
        return said.removeprefix("clearly ").replace(" (many compared)", DAGGER)
    return "-" if row["verdict"] == "position only" else ""


def _trend(row: pd.Series) -> str:
    """Higher or lower than before, with E where England moved likewise, or a question mark where that is not known."""
    if row["trend"] == "not compared":
        return "-"
    apart = row["standing_change"] in ("above", "below")
    if row["trend"] == "no clear change":
        return "not as E" if apart else "no clear"
    return f"{row['trend']}{'' if apart else ' E' if np.isfinite(row['distance_beyond']) else ' ?'}"


def _domain_block(domains: pd.DataFrame, parts: pd.DataFrame) -> str:
    levels = domains["level"].dropna()
    level = f"{round(100 * levels.iloc[0])}%" if len(levels) else ""
    ranked = domains["ranked_of"].max() if "ranked_of" in domains else 0
    heading = f"rank, {level} range of {ranked:.0f}" if ranked > 0 else "rank"
    heads = f"{'score':>6}  {f'{level} interval'.strip():<14}  {'England':>7}  {'against England':<15} {heading}"
    lines = ["DOMAINS (higher is better; 0 is England in the base period; England now stands beside)"]
    lines += [f"{'':<{SCORED}} {heads}"]
    for _, row in domains.iterrows():
        if not row["experimental"]:
            lines += _score_lines(row)
            continue
        lines.append(f"{row['node_label']} (experimental): parts first, never ranked")
        for _, part in parts[parts["domain"].eq(row["node_id"])].iterrows():
            lines += _score_lines(part, indent="  ")
        lines += _score_lines(row, indent="  ", label="all parts together")
    return "\n".join(lines)


def _score_lines(row: pd.Series, *, indent: str = "", label: str = "") -> list[str]:
    """One score: estimate, interval, England's, the judgement and the rank; a long name stands above."""
    name = f"{indent}{label or row['node_label']}{' *' if row['disputed'] else ''}"
    above = [] if len(name) <= SCORED else [name]
    name = f"{indent * 2 if above else name}"
    if not np.isfinite(row["estimate"]):
        return [*above, f"{name:<{SCORED}} not computed: too few of its figures are there"]
    span = ""
    if np.isfinite(row.get("lower", np.nan)):
        span = f"{wording.number(row['lower'], 2)} to {wording.number(row['upper'], 2)}"
    england = wording.signed(row["england"], 2) if np.isfinite(row["england"]) else ""
    against = AGAINST.get(str(row["standing"]), "").split(" than")[0].split(" from")[0]
    rank = ""
    if np.isfinite(row.get("rank", np.nan)):
        rank = f"{'joint ' if row['joint'] > 1 else ''}{wording.ordinal(int(row['rank']))}"
        if np.isfinite(row.get("rank_lower", np.nan)):
            first, last = (wording.ordinal(int(row[c])) for c in ("rank_lower", "rank_upper"))
            rank = f"{first} to {last} ({rank})"
    elif str(row.get("status", "")) == "not_ranked":
        rank = "not ranked"
    score = wording.signed(row["estimate"], 2)
    words = f"{name:<{SCORED}} {score:>6}  {span:<14}  {england:>7}  {SHORT.get(against, against):<15} {rank}"
    return [*above, words.rstrip()]


def _legend(profile: AreaProfile) -> str:
    table = profile.table
    level = table["level"].dropna()
    shown = sorted(set(table["symbol"]) - {""})
    notes = [f"{s} {wording.SYMBOL_MEANINGS[s]}" for s in shown]
    if table["contested"].ne("").any():
        notes.append("* contested: people disagree which way is better, so more or fewer is said, not better or worse")
    if len(profile.domains) and pd.concat([profile.domains, profile.parts])["standing"].eq(DEPENDS).any():
        notes.append(
            "against England: contested: with and without the contested figures the answer differs, so none is given"
        )
    if (level.round(2) != 0.9).any():
        notes.append("+ a published interval, at 95%")
    usual = f"{round(100 * profile.spec.level)}%"
    notes.append(f"interval: {usual}, sampling and year-to-year variation together")
    if table["neighbours_of"].max() > 0:
        notes.append(f"neighb.: {profile.spec.statistic} of {profile.neighbours}, those that have a figure")
    has = table["value"].notna()
    if (has & (table["age"] > table["max_age"])).any():
        notes.append("[old] measured too long ago to say much about today; shown and not judged")
    if (has & table["unit"].eq(PERCENT) & (table["value"] > 100)).any():
        notes.append(
            "[over 100] more children were counted than were thought entitled, whose number is estimated elsewhere"
        )
    if table["standing"].eq(MANY).any():
        notes.append(f"not clear{DAGGER}: not clear (many compared): {BY_CHANCE}")
    notes += [
        f"judged: against England's figure of the same period. {SIMILAR_RULE} More and fewer (higher, lower) where "
        "neither way is better; - none given",
        f"trend: against itself over at most {profile.spec.years} years, never across a break; E: without a clear "
        "difference from England's change over the same years; not as E: no clear change here, while England's "
        "differs; ? cannot be set beside England's; - not comparable",
    ]
    return "\n".join(_wrapped(note, indent="  ") for note in notes)
