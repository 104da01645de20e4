"""Titles, subtitles and alt texts made from the numbers that a figure draws."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.figures import standing
from outcomes_analysis.figures.mapping.classes import MapClass
from outcomes_analysis.figures.standing import AGREED, Sense
from outcomes_analysis.wording import associational, how_many, listed, plural

SCORE_UNIT = (
    "score, higher is better: 0 = England in the base period, 1 = one standard deviation between authorities then"
)


def label_of(rows: pd.DataFrame, node: str) -> str:
    """Label of a node as the result has it, else its id made readable."""
    if "node_label" in rows.columns and rows["node_label"].notna().any():
        return str(rows["node_label"].dropna().iloc[0])
    return node.replace("_", " ").capitalize()


def finding(rows: pd.DataFrame, *, label: str, sense: Sense = AGREED) -> str:
    """Title of a map: how many places are clearly better and worse than England, by their intervals.

    A place counts only where the verdict is the same without contested indicators; those that depend on them are
    counted apart. An experimental or contested node says that it is one, and says nothing that could be read as a
    rank; a contested measure is told in its own direction.
    """
    above, below, n = standing.against_counts(rows)
    name = sense.named(label)
    if n == 0:
        return associational(f"{name}: {plural(int(rows['estimate'].notna().sum()), 'authority', 'authorities')} shown")
    having = "with " if sense.up == "more" else ""
    england = standing.england_name(rows)
    disputed = int(standing.depends(rows).sum())
    rest = f"; {disputed} {'depends' if disputed == 1 else 'depend'} on contested figures" if disputed else ""
    return associational(
        f"{name}: {how_many(above)} of {n} authorities {having}clearly {sense.up} than {england}, "
        f"{how_many(below)} {having}clearly "
        f"{sense.down}{rest}"
    )


def unit_of(sense: Sense, nation: str = standing.ENGLAND) -> str:
    """What the numbers of a map are, and which way they run; 0 is ``nation``."""
    if sense.agreed:
        return SCORE_UNIT.replace(standing.ENGLAND, nation)
    return (
        f"standardised figure, in its own direction ({sense.up} = larger): 0 = {nation} in the base period, 1 = one "
        "standard deviation between authorities then"
    )


def level_of(rows: pd.DataFrame) -> float:
    """Level of the intervals drawn, 0.9 where the table does not say."""
    if "level" in rows.columns and rows["level"].notna().any():
        return float(rows["level"].dropna().iloc[0])
    return 0.9


def period_of(rows: pd.DataFrame) -> str:
    """Period of a result in words, or an empty string."""
    if "period" not in rows.columns or rows["period"].isna().all():
        return ""
    period = rows["period"].dropna().iloc[0]
    return f"latest figures measured by {period}" if isinstance(period, int) or str(period).isdigit() else str(period)


def subtitle(rows: pd.DataFrame, *, unit: str, geography: str, extra: str = "", sense: Sense = AGREED) -> str:
    """Subtitle: unit, England's own score, period, geography, and what "clearly" means."""
    england = "" if pd.isna(standing.england_of(rows)) else standing.england_words(rows, sense)
    parts = [unit, england, period_of(rows), geography]
    if len(standing.judged(rows)):
        parts.append(f"\u201cclearly\u201d by the {round(100 * level_of(rows))}% interval")
    parts.append(extra)
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def region_sentence(rows: pd.DataFrame, sense: Sense = AGREED) -> str:
    """For each region, how many of its places are clearly better and worse than England; empty without regions."""
    known = standing.judged(rows)
    if known.empty or "region_name" not in known.columns:
        return ""
    parts = []
    for region, part in known.groupby("region_name", sort=True):
        above, below, n = standing.against_counts(part)
        parts.append(f"{region} {above} {sense.up} and {below} {sense.down} of {n}")
    return f"By region, clearly {sense.up} or {sense.down} than {standing.england_name(rows)}: {'. '.join(parts)}."


def class_sentence(classes: Sequence[MapClass]) -> str:
    """The classes of a map and their counts in a sentence."""
    parts = [f"{cls.label.replace(':', ',')} ({plural(cls.count, 'authority', 'authorities')})" for cls in classes]
    return f"Classes: {'. '.join(parts)}."


def map_alt(rows: pd.DataFrame, classes: Sequence[MapClass], *, title: str, kind: str, sense: Sense = AGREED) -> str:
    """Alt text of a map: what it says, its classes with counts, then region by region."""
    own = standing.nation_of(rows) == standing.ENGLAND
    each = ("upper-tier local authority", "upper-tier local authorities") if own else ("area", "areas")
    first = f"{kind} of {plural(len(rows), *each)}. {title}."
    return " ".join(part for part in [first, class_sentence(classes), region_sentence(rows, sense)] if part)


def names(rows: pd.DataFrame, column: str = "area_name") -> str:
    """Names of a few places as a person would list them."""
    return listed([str(name) for name in rows[column]])
