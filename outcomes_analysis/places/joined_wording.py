"""What is said of a place made of districts: which figures there are, where they stand, what is the county's alone."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.quantities import PERCENT, amount, short_amount, spoken, unit_words, when
from outcomes_analysis.places.summary import bullets, several_words
from outcomes_analysis.relations.sentences import checked, in_sentence

if TYPE_CHECKING:
    from outcomes_analysis.places.joining import JoinedPlace

MADE = ("counted", "estimated")  # statuses of figures made for the place as a whole


def compose_joined(
    table: pd.DataFrame,
    *,
    name: str,
    labels: pd.Series[str],
    counties: tuple[str, ...],
    framework: Framework,
    period: int,
    weights: tuple[float, ...],
) -> dict[str, str]:
    """Write what exists for the place, where its districts stand, and what is the county's alone.

    Returns
    -------
    dict of str to str
        ``opening, method``, then what there is of ``above, below, across, partial``, and ``notice``.
    """
    made = table[table["status"].isin([*MADE, "range"])]
    of = f", {'districts' if counties else 'authorities'} of {wording.listed(counties)}" if counties else ""
    every = "both" if len(labels) == 2 else f"all {len(labels)}"
    opening = (
        f"{name} is made of {wording.listed(list(labels))}{of}. {len(made)} of {len(table)} indicators are published "
        f"for {every} of them, looking back from {period}."
    )
    alone = table[table["status"].eq("county only")]
    if len(alone) and counties:
        opening += (
            f" {len(alone)} exist for {wording.listed(counties)} as a whole only, which is not {name}: see them with "
            f"outcomes area {counties[0]}."
        )
    said = {"opening": opening, "method": _method(made, name=name, labels=labels, weights=weights)}
    context = made["kind"].eq("context")
    for side, lead in (
        ("above", "Every district above England"),
        ("below", "Every district below England"),
        ("across", "Districts on both sides of England"),
    ):
        rows = made[made["position"].eq(side) & ~context]
        if len(rows):
            said[side] = bullets(f"{lead}, {len(rows)}", [_words(r) for _, r in rows.iterrows()])
    partial = table[table["status"].eq("partial")]
    if len(partial):
        names = several_words([in_sentence(str(n)) for n in partial["name"]])
        said["partial"] = (
            f"Published for some of the districts only, so nothing is made of them for {name}, {len(partial)}: {names}."
        )
    said["notice"] = framework.notice
    quoted = [i.name for i in framework.indicators] + [framework.notice]
    return {key: checked(text, quoted=quoted) for key, text in said.items()}


def _method(made: pd.DataFrame, *, name: str, labels: pd.Series[str], weights: tuple[float, ...]) -> str:
    """How figures of the whole were made, or why there is none."""
    parts = []
    counted = int(made["status"].eq("counted").sum())
    if counted:
        parts.append(
            f"{wording.plural(counted, 'figure', 'figures')} for {name} as a whole: from the numbers of children "
            "published with its districts' figures."
        )
    if weights:
        shares = wording.listed([f"{n} {100 * w:.0f}%" for n, w in zip(labels, weights, strict=True)])
        parts.append(
            f"{'Other figures' if counted else 'Figures'} for {name} are estimated: means of its districts weighted "
            f"by the numbers of children given ({shares}), which are not always the children a figure counts. They lie "
            "between the lowest and the highest district whatever the weights."
        )
    else:
        parts.append(
            f"No {'other ' if counted else ''}figure is made for {name} as a whole, because the numbers of children "
            "behind its districts' figures are not published here; whatever they are, it lies between its lowest and "
            "its highest district."
        )
    hidden = int(made["withheld"].sum())
    if hidden:
        parts.append(
            f"{wording.plural(hidden, 'figure is', 'figures are')} not made for {name}, because a figure elsewhere in "
            "its county is suppressed, and the two together could tell it."
        )
    if not made["lower"].notna().any():
        parts.append(
            "No judgement is given: how many children are behind most of the districts' figures is not known, so "
            "neither is how sure they are."
        )
    else:
        parts.append("No judgement is given: how sure the figures are is known for some of them only.")
    return " ".join(parts)


def _words(row: pd.Series) -> str:
    unit, decimals = str(row["unit"]), int(row["decimals"])
    ends = [short_amount(row[c], unit=unit, decimals=decimals) for c in ("lowest", "highest")]
    told = f"{ends[0]} to {ends[1]}" if unit == PERCENT else f"{ends[0]} to {ends[1]} {unit_words(unit)}"
    if row["status"] == "counted":
        told = f"{amount(row['value'], unit=unit, decimals=decimals)}, districts {told}"
    elif row["status"] == "estimated":
        told = f"about {amount(row['value'], unit=unit, decimals=decimals)}, districts {told}"
    disputed = " *" if row["contested"] else ""
    england = short_amount(row["england"], unit=unit, decimals=decimals)
    return f"{in_sentence(str(row['name']))}{disputed} ({told} {when(str(row['period']))}, England {england})"


def joined_text(place: JoinedPlace) -> str:
    """Write a place made of districts for a terminal: its text, then its districts side by side.

    Parameters
    ----------
    place : JoinedPlace

    Returns
    -------
    str
        No line over 100 characters for up to four districts; more are written below each other.
    """
    prose = wording.wrapped(place.text)
    rows = place.table[place.table["having"] > 0]
    lines = [f"{place.name}: {wording.listed(list(place.districts))}", "", prose, ""]
    heads = [textwrap.shorten(n, 14, placeholder="") or n[:14] for n in place.districts]
    heads = [*heads, place.name[:14], *([place.counties[0][:10]] if len(place.counties) == 1 else []), "England"]
    whole = bool(place.table["value"].notna().any())
    if not whole:
        heads.remove(place.name[:14])
    if len(heads) > 6:
        heads = heads[:0]
    for _, row in rows.iterrows():
        decimals = int(row["decimals"])
        unit = row["unit"] if row["unit"] == PERCENT else unit_words(row["unit"])
        own = place.values.loc[row["indicator_id"]]
        why = place.symbols.loc[row["indicator_id"]]
        cells = [
            wording.number(own[c], decimals) if np.isfinite(own[c]) else wording.symbol(str(why[c]))
            for c in place.districts.index
        ]
        cells += [_shown(row["value"], decimals)] if whole else []
        cells += [_shown(row["county"], decimals)] if len(place.counties) == 1 else []
        cells += [_shown(row["england"], decimals)]
        title = f"{row['name']} ({unit}){' *' if row['contested'] else ''}, {spoken(str(row['period']))}"
        lines.append(
            _side_by_side(title, cells, heads=heads, first=row["indicator_id"] == rows["indicator_id"].iloc[0])
        )
    ids = rows["indicator_id"]
    lacking = place.values.loc[ids].isna().to_numpy()
    notes = {wording.symbol(str(status)) for status in place.symbols.loc[ids].to_numpy()[lacking]}
    beside = ["england", *(["value"] if whole else []), *(["county"] if len(place.counties) == 1 else [])]
    if rows[beside].isna().to_numpy().any():
        notes.add(wording.SYMBOLS["not_available"])
    lines += ["", *(f"{mark} {wording.SYMBOL_MEANINGS[mark]}" for mark in sorted(notes))] if notes else []
    return "\n".join(lines).rstrip() + "\n"


def _shown(value: float, decimals: int) -> str:
    return wording.number(value, decimals) if np.isfinite(value) else wording.SYMBOLS["not_available"]


def _side_by_side(title: str, cells: list[str], *, heads: list[str], first: bool) -> str:
    if not heads:
        return "\n".join([*textwrap.wrap(title, 100), textwrap.fill(", ".join(c for c in cells if c), 96)])
    widths = [max(len(h), 7) for h in heads]
    room = 100 - sum(widths) - 2 * len(widths)
    parts = textwrap.wrap(title, room, subsequent_indent="  ")
    line = f"{parts[0]:<{room}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
    top = [f"{'':<{room}}  " + "  ".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True))] if first else []
    return "\n".join([*top, line.rstrip(), *parts[1:]])
