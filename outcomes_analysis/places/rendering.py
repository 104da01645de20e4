"""A profile as plain text for the terminal: aligned columns, at most 100 wide, nothing told by colour alone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.places.profile import AreaProfile

WIDTH = 100
NAME = 27
COLUMNS = (
    ("year", 4),
    ("value", 7),
    ("interval", 15),
    ("England", 7),
    ("region", 7),
    ("neighb.", 7),
    ("judged", 8),
    ("trend", 8),
)
TRENDS = {"no clear change": "no clear", "not compared": "-"}
JUDGED = {"position only": "-", "no figure": ""}


def profile_text(profile: AreaProfile) -> str:
    """Write a profile for a terminal.

    Parameters
    ----------
    profile : AreaProfile

    Returns
    -------
    str
        Title, prose, domains, then one block a domain with the indicators in columns; no line over 100 characters.
    """
    blocks = [f"{profile.name} ({profile.area_code}), {profile.region_name}: figures measured by {profile.period}"]
    blocks += [_wrapped(paragraph) for paragraph in profile.text.split("\n\n")]
    if len(profile.domains):
        blocks.append(_domain_block(profile.domains))
    table = profile.table
    for domain in dict.fromkeys(table["domain"]):
        title = str(domain).upper() if domain else "CONTEXT"
        lines = [title, _header()]
        lines += [_line(row) for _, row in table[table["domain"].eq(domain)].iterrows()]
        blocks.append("\n".join(lines))
    blocks.append(_legend(table))
    return "\n\n".join(blocks) + "\n"


def _wrapped(text: str, *, indent: str = "") -> str:
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False))


def _header() -> str:
    return " ".join([f"{'':<{NAME}}", *(f"{title:>{width}}" for title, width in COLUMNS)]).rstrip()


def _line(row: pd.Series) -> str:
    decimals = int(row["decimals"])
    mark = " *" if row["contested"] else ""
    name = textwrap.wrap(f"{row['name']}{mark}", NAME)
    has = np.isfinite(row["value"])
    value = wording.number(row["value"], decimals) if has else row["symbol"]
    bounded = has and np.isfinite(row["lower"])
    span = f"{wording.number(row['lower'], decimals)} to {wording.number(row['upper'], decimals)}" if bounded else ""
    if bounded and round(100 * row["level"]) != 90:
        span += "+"
    cells = [
        str(int(row["measured"])) if has else "",
        value,
        span,
        *(wording.number(row[c], decimals) if np.isfinite(row[c]) else "" for c in ("england", "region")),
        wording.number(row["neighbours_median"], decimals) if np.isfinite(row["neighbours_median"]) else "",
        JUDGED.get(row["verdict"], row["verdict"]),
        TRENDS.get(row["trend"], row["trend"]) if has else "",
    ]
    return "\n".join([_aligned(name[0], cells), *(f"  {part}" for part in name[1:])])


def _aligned(name: str, cells: Sequence[str]) -> str:
    """Cells flush right under their headings; one too wide for its column takes room from those after it."""
    line, end = f"{name:<{NAME}}", NAME
    for cell, (_, width) in zip(cells, COLUMNS, strict=True):
        end += 1 + width
        line += f" {cell}".rjust(end - len(line))
    return line.rstrip()


def _domain_block(domains: pd.DataFrame) -> str:
    lines = ["DOMAINS (0 is England in the base period; higher is better)"]
    for _, row in domains.iterrows():
        if not np.isfinite(row["estimate"]):
            lines.append(f"{row['node_label']:<12} not computed: too few of its figures are there")
            continue
        words = f"{row['node_label']:<12} {wording.signed(row['estimate'], 2):>6}"
        if np.isfinite(row.get("lower", np.nan)):
            words += f"   {wording.interval(row['lower'], row['upper'], level=row['level'], decimals=2)}"
        if np.isfinite(row.get("rank", np.nan)):
            words += f"   rank {wording.ordinal(int(row['rank']))}"
            if np.isfinite(row.get("rank_lower", np.nan)):
                words += f" ({int(row['rank_lower'])} to {int(row['rank_upper'])})"
        elif str(row.get("status", "")) == "not_ranked":
            words += "   not ranked"
        lines.append(words)
    return "\n".join(lines)


def _legend(table: pd.DataFrame) -> str:
    level = table["level"].dropna()
    shown = sorted(set(table["symbol"]) - {""})
    notes = [f"{s} {wording.SYMBOL_MEANINGS[s]}" for s in shown]
    if table["contested"].ne("").any():
        notes.append("* which way is better is disputed, so no judgement is given")
    if (level.round(2) != 0.9).any():
        notes.append("+ a published interval, at 95%")
    notes += [
        "interval: 90%, sampling and year-to-year variation together",
        "neighb.: median of the statistical neighbours that have a figure",
        "judged: against England; - no judgement given",
        "trend: over at most five years, never across a break; - not comparable",
    ]
    return "\n".join(_wrapped(note, indent="  ") for note in notes)
