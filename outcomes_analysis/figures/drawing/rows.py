"""Labelled rows with a mark and an interval each, on one axis: the drawing that most charts of estimates share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.legends import Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.wording import number

_SIZE, _SMALL, _LEADING = 8.5, 7.5, 10.5
_PRINTED = 92.0  # room for an estimate and its interval in figures
_SLIDE_BODY = 440.0
_BEHIND = "#C6D1DD"  # pale enough for an interval to stand out on it
NEEDS = ("label", "estimate", "lower", "upper")


PLAIN = {"": Kind("circle", theme.DUO[0])}


@dataclass(frozen=True)
class Axis:
    """The one axis of the rows: its words, limits, a line drawn through all rows, and decimals of printed numbers.

    ``low`` and ``high`` are widened to hold every interval; ``zero`` is where the line stands, None for no line.
    """

    title: str
    low: float = math.inf
    high: float = -math.inf
    zero: float | None = 0.0
    decimals: int = 2


def body_width(size: theme.Size) -> float:
    """Pixels of a chart's drawing in a figure of a given size; on a slide the words stand beside it."""
    return _SLIDE_BODY if size == "slide" else float(theme.width_of("page" if size == "web" else size))


def ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Round numbers from ``low`` to ``high``, both inside or at the ends, ``most`` at the most."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    rough = 10.0 ** math.floor(math.log10(span / most))
    step = next(rough * factor for factor in (1, 2, 2.5, 5, 10, 20) if span / (rough * factor) <= most - 1)
    first = math.ceil(round(low / step, 9))
    last = math.floor(round(high / step, 9))
    return [round(i * step, 12) for i in range(first, last + 1)]


def checked(table: pd.DataFrame, *, where: str, needs: Sequence[str] = NEEDS) -> pd.DataFrame:
    """Return the rows unchanged in order, or say what they lack.

    Raises
    ------
    FigureError
        If columns are missing, there is no row, none has an estimate, or a bound lies on the wrong side.
    """
    problems = Problems(where)
    lacking = [column for column in needs if column not in table.columns]
    if lacking:
        problems.add(f"{len(lacking)} columns are missing: {several(lacking)}.")
        problems.raise_if_any(FigureError)
    rows = table.reset_index(drop=True)
    if rows["estimate"].notna().sum() == 0:
        problems.add("there is no estimate to draw.")
    wrong = rows[(rows["lower"] > rows["estimate"] + 1e-9) | (rows["upper"] < rows["estimate"] - 1e-9)]
    if len(wrong) and "label" in rows.columns:
        problems.add(f"{len(wrong)} intervals do not hold their estimate ({several(wrong['label'])}).")
    problems.raise_if_any(FigureError)
    return rows


def interval_rows(
    table: pd.DataFrame,
    *,
    axis: Axis,
    width: float,
    kinds: Mapping[str, Kind] = PLAIN,
    beside: str = "",
    behind: str = "",
    bars: bool = False,
    printed: bool | None = None,
    share: float = 0.4,
) -> Any:
    """Draw rows of estimates with their intervals.

    Parameters
    ----------
    table : DataFrame
        One row each, in the order drawn: ``label, estimate, lower, upper``; if wanted ``group`` (heading over the rows
        that share it, consecutive), ``kind`` (key of ``kinds``), ``beside`` (a second number, drawn as an upright
        stroke), ``behind_lower, behind_upper`` (a second range, drawn as a pale bar behind the first), ``bold`` and
        ``note`` (printed where there is no estimate). A row without an estimate gets its label and its note, and no
        mark.
    axis : Axis
        The scale.
    width : float
        Pixels of the whole drawing.
    kinds : mapping of str to Kind
        Marks, in the order of the key; those without words are left out of it.
    beside, behind : str
        What the second number and the second range are, for the key.
    bars : bool
        Draw bars from the axis' line instead of marks, with the interval over them.
    printed : bool, optional
        Print each estimate with its interval at the right; by default where there is room.
    share : float
        Of the width that labels may take.

    Returns
    -------
    altair chart
    """
    rows = checked(table, where="rows of estimates")
    printed = width >= 400 if printed is None else printed
    layout = _laid(rows, width=width, share=share, printed=printed, axis=axis)
    entries = [Entry(kind.words, kind) for kind in kinds.values() if kind.words]
    entries += [Entry(beside, stroke=theme.INK)] if beside else []
    entries += [Entry(behind, swatch=_BEHIND)] if behind else []
    key = laid_out(entries, width=width)
    top = height_of(key)
    lines = _lines(rows, layout, top=top)
    bottom = lines[-1]["bottom"]
    title = theme.wrap(axis.title, width=layout.right - layout.left, size=_SMALL)
    canvas = Canvas(width=width, height=bottom + 14 + 10 * len(title) + 2)
    draw_legend(canvas, key)
    canvas.boxes(_behind(rows, lines, layout))
    _axis(canvas, layout, axis, title, top=lines[0]["top"], bottom=bottom)
    _marks(canvas, rows, lines, layout, kinds=kinds, axis=axis, bars=bars)
    _texts(canvas, rows, lines, layout, axis=axis, printed=printed, width=width)
    return canvas.chart()


@dataclass(frozen=True)
class _Layout:
    left: float
    right: float
    low: float
    high: float
    labels: list[list[str]]

    def across(self, value: float) -> float:
        return round(self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left), 2)


def _laid(rows: pd.DataFrame, *, width: float, share: float, printed: bool, axis: Axis) -> _Layout:
    bold = rows["bold"].tolist() if "bold" in rows.columns else [False] * len(rows)
    left = round(width * share)
    wrapped = [
        theme.wrap(str(label), width=left - 8, size=_SIZE, bold=bool(b))
        for label, b in zip(rows["label"], bold, strict=True)
    ]
    drawn = ("estimate", "lower", "upper", "beside", "behind_lower", "behind_upper")
    numbers = [rows[c] for c in drawn if c in rows.columns]
    known = pd.concat(numbers).astype(float)
    known = known[np.isfinite(known)]
    ends = [axis.low, axis.high, *([axis.zero] if axis.zero is not None else [])]
    inside = [e for e in ends if math.isfinite(e)]
    low, high = min([known.min(), *inside]), max([known.max(), *inside])
    if high <= low:
        low, high = low - 0.5, high + 0.5
    margin = 0.02 * (high - low)
    return _Layout(left, width - (_PRINTED if printed else 4), low - margin, high + margin, wrapped)


def _lines(rows: pd.DataFrame, layout: _Layout, *, top: float) -> list[dict[str, Any]]:
    """Top, middle and bottom of every row, and the heading above it where its group begins."""
    found: list[dict[str, Any]] = []
    y, last = top, None
    for i in range(len(rows)):
        group = rows["group"].iloc[i] if "group" in rows.columns else None
        heading = None
        if group is not None and str(group) and group != last:
            y += 5 if found else 0
            heading = {"text": str(group), "y": y + 7}
            y += 15
        last = group
        height = max(14.0, _LEADING * len(layout.labels[i]) + 3.5)
        found.append({"top": y, "middle": y + height / 2, "bottom": y + height, "heading": heading})
        y += height
    if found:
        found[0]["top"] = top
    return found


def _axis(canvas: Canvas, layout: _Layout, axis: Axis, title: list[str], *, top: float, bottom: float) -> None:
    places = ticks(layout.low, layout.high, most=6 if layout.right - layout.left > 150 else 4)
    canvas.rules(
        [{"x": layout.across(t), "x2": layout.across(t), "y": top, "y2": bottom} for t in places],
        width=0.5,
        colour="#E3E3E3",
    )
    if axis.zero is not None:
        x = layout.across(axis.zero)
        canvas.rules([{"x": x, "x2": x, "y": top, "y2": bottom}], width=0.9, colour=theme.INK, dash=[2, 2])
    decimals = next((d for d in range(4) if all(abs(round(t, d) - t) < 1e-9 for t in places)), 3)
    numbers = [
        {"x": layout.across(t), "y": bottom + 7, "text": number(t, decimals), "colour": theme.QUIET} for t in places
    ]
    canvas.text(numbers, size=_SMALL, align="center")
    words = [{"x": layout.left, "y": bottom + 18 + 10 * i, "text": line} for i, line in enumerate(title)]
    canvas.text([{**w, "colour": theme.QUIET} for w in words], size=_SMALL)


def _marks(
    canvas: Canvas,
    rows: pd.DataFrame,
    lines: list[dict[str, Any]],
    layout: _Layout,
    *,
    kinds: Mapping[str, Kind],
    axis: Axis,
    bars: bool,
) -> None:
    first = next(iter(kinds))
    chosen = [kinds[str(k)] for k in rows["kind"]] if "kind" in rows.columns else [kinds[first]] * len(rows)
    boxes, intervals, points, strokes = [], [], [], []
    for (_, row), line, kind in zip(rows.iterrows(), lines, chosen, strict=True):
        y = line["middle"]
        if "beside" in rows.columns and np.isfinite(row["beside"]):
            x = layout.across(row["beside"])
            strokes.append({"x": x, "x2": x, "y": y - 5, "y2": y + 5})
        if not np.isfinite(row["estimate"]):
            continue
        x = layout.across(row["estimate"])
        if bars:
            start = layout.across(axis.zero or 0.0)
            boxes.append({"x": min(start, x), "x2": max(start, x), "y": y - 4.5, "y2": y + 4.5, "fill": kind.fill})
        else:
            points.append({"x": x, "y": y, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge})
        if np.isfinite(row["lower"]) and np.isfinite(row["upper"]):
            ends = {"x": layout.across(row["lower"]), "x2": layout.across(row["upper"]), "y": y, "y2": y}
            intervals.append({**ends, "colour": theme.INK if bars else kind.edge})
    canvas.boxes(boxes)
    canvas.rules(strokes, width=1.6, colour=theme.INK)
    canvas.rules(intervals, width=1.3)
    canvas.points(points, area=30)


def _under(note: dict[str, Any]) -> dict[str, Any]:
    """Paper under a note, so that no line of the grid strikes through its words."""
    end = note["x"] + theme.text_width(note["text"], size=_SMALL) + 2
    return {"x": note["x"] - 2, "x2": end, "y": note["y"] - 5, "y2": note["y"] + 5, "fill": theme.PAPER}


def _behind(rows: pd.DataFrame, lines: list[dict[str, Any]], layout: _Layout) -> list[dict[str, Any]]:
    """Pale bars of the second range, where there is one."""
    if "behind_lower" not in rows.columns:
        return []
    return [
        {
            "x": layout.across(low),
            "x2": layout.across(high),
            "y": line["middle"] - 5,
            "y2": line["middle"] + 5,
            "fill": _BEHIND,
        }
        for low, high, line in zip(rows["behind_lower"], rows["behind_upper"], lines, strict=True)
        if np.isfinite(low) and np.isfinite(high)
    ]


def _paper(note: dict[str, Any]) -> dict[str, Any]:
    """Paper behind a note."""
    x, y = note["x"], note["y"]
    end = x + theme.text_width(note["text"], size=_SMALL)
    return {"x": x - 2, "x2": end + 2, "y": y - 5, "y2": y + 5, "fill": theme.PAPER}


def _texts(
    canvas: Canvas,
    rows: pd.DataFrame,
    lines: list[dict[str, Any]],
    layout: _Layout,
    *,
    axis: Axis,
    printed: bool,
    width: float,
) -> None:
    labels: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    values, notes, headings = [], [], []
    bold = rows["bold"].tolist() if "bold" in rows.columns else [False] * len(rows)
    for i, (_, row) in enumerate(rows.iterrows()):
        line = lines[i]
        if line["heading"]:
            headings.append({"x": 0.0, **line["heading"]})
        first = line["middle"] - _LEADING * (len(layout.labels[i]) - 1) / 2
        for j, text in enumerate(layout.labels[i]):
            labels[bool(bold[i])].append({"x": 0.0, "y": first + _LEADING * j, "text": text})
        if np.isfinite(row["estimate"]):
            span = f"{number(row['lower'], axis.decimals)} to {number(row['upper'], axis.decimals)}"
            whole = (
                f"{number(row['estimate'], axis.decimals)}  ({span})"
                if np.isfinite(row["lower"])
                else (number(row["estimate"], axis.decimals))
            )
            values.append({"x": width, "y": line["middle"], "text": whole, "colour": theme.INK})
        else:
            note = str(row["note"]) if "note" in rows.columns and row["note"] else "not available"
            fitted = theme.shorten(note, width=width - layout.left - 4, size=_SMALL)
            notes.append({"x": layout.left + 4, "y": line["middle"], "text": fitted, "colour": theme.QUIET})
    canvas.boxes([_paper(note) for note in notes])  # the lines of the axis would go through the words
    canvas.text(headings, size=_SIZE, bold=True)
    canvas.text(labels[False], size=_SIZE)
    canvas.text(labels[True], size=_SIZE, bold=True)
    canvas.boxes([_under(note) for note in notes])
    canvas.text(notes, size=_SMALL)
    if printed:
        canvas.text(values, size=_SMALL, align="right")
