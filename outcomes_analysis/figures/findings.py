"""Titles, subtitles and alt texts made from the numbers that a figure draws."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.figures.classes import UNRANKED, MapClass
from outcomes_analysis.wording import associational, listed, number, plural

BASE = "England in the base period"
SCORE_UNIT = "score: 0 = England and 1 = one standard deviation between authorities, both in the base period"


def label_of(rows: pd.DataFrame, node: str) -> str:
    """Label of a node as the result has it, else its id made readable."""
    if "node_label" in rows.columns and rows["node_label"].notna().any():
        return str(rows["node_label"].dropna().iloc[0])
    return node.replace("_", " ").capitalize()


def is_experimental(rows: pd.DataFrame) -> bool:
    """Whether a node as a whole is not ranked: scores are there, and every one of them is marked so."""
    if "status" not in rows.columns:
        return False
    scored = rows[rows["estimate"].notna() & ~rows["area_code"].isin(UNRANKED)]
    return bool(len(scored)) and bool((scored["status"] == "not_ranked").all())


def mark_of(rows: pd.DataFrame) -> str:
    """Why a node as a whole is not ranked: ``contested`` (an indicator), ``experimental`` (a domain), or nothing."""
    if not is_experimental(rows):
        return ""
    return "contested" if "kind" in rows.columns and rows["kind"].eq("indicator").all() else "experimental"


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose estimate and interval can be compared with 0: scored places other than the two tiny ones."""
    if not {"lower", "upper"} <= set(rows.columns):
        return rows.iloc[:0]
    finite = rows[["estimate", "lower", "upper"]].notna().all(axis=1)
    return rows[finite & ~rows["area_code"].isin(UNRANKED)]


def against_counts(rows: pd.DataFrame) -> tuple[int, int, int]:
    """Places whose interval lies above 0, below 0, and all that have one."""
    known = judged(rows)
    return int((known["lower"] > 0).sum()), int((known["upper"] < 0).sum()), len(known)


def finding(rows: pd.DataFrame, *, label: str, against: str = BASE, mark: str = "") -> str:
    """Title of a map: how many places are clearly above and below, by their intervals.

    An experimental or contested node says that it is one, and says nothing that could be read as a rank.
    """
    above, below, n = against_counts(rows)
    name = f"{label} ({mark})" if mark else label
    if n == 0:
        return associational(f"{name}: {plural(int(rows['estimate'].notna().sum()), 'authority', 'authorities')} shown")
    return associational(f"{name}: {above} of {n} authorities score clearly above {against}, {below} clearly below")


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


def subtitle(rows: pd.DataFrame, *, unit: str, geography: str, extra: str = "") -> str:
    """Subtitle: unit, period, geography, and the level of the intervals."""
    parts = [unit, period_of(rows), geography]
    if len(judged(rows)):
        parts.append(f"\u201cclearly\u201d by the {round(100 * level_of(rows))}% interval")
    parts.append(extra)
    text = "; ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def region_sentence(rows: pd.DataFrame) -> str:
    """For each region, how many of its places are clearly above and below England; empty without regions."""
    known = judged(rows)
    if known.empty or "region_name" not in known.columns:
        return ""
    parts = []
    for region, part in known.groupby("region_name", sort=True):
        above, below, n = against_counts(part)
        parts.append(f"{region} {above} above and {below} below of {n}")
    return f"By region: {'; '.join(parts)}."


def class_sentence(classes: Sequence[MapClass]) -> str:
    """The classes of a map and their counts in a sentence."""
    parts = [f"{cls.label.replace(':', ',')} ({plural(cls.count, 'authority', 'authorities')})" for cls in classes]
    return f"Classes: {'; '.join(parts)}."


def map_alt(rows: pd.DataFrame, classes: Sequence[MapClass], *, title: str, kind: str) -> str:
    """Alt text of a map: what it says, its classes with counts, then region by region."""
    first = f"{kind} of {plural(len(rows), 'upper-tier local authority', 'upper-tier local authorities')}. {title}."
    return " ".join(part for part in [first, class_sentence(classes), region_sentence(rows)] if part)


def spread_sentence(rows: pd.DataFrame) -> str:
    """Lowest and highest estimate among ranked places."""
    known = rows[rows["estimate"].notna() & ~rows["area_code"].isin(UNRANKED)]
    if known.empty:
        return ""
    return f"Scores run from {number(known['estimate'].min())} to {number(known['estimate'].max())}."


def names(rows: pd.DataFrame, column: str = "area_name") -> str:
    """Names of a few places as a person would list them."""
    return listed([str(name) for name in rows[column]])
