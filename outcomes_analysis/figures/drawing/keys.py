"""The key of a map, drawn by us: swatches with hatching, words, and the number of areas in each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping.classes import MapClass

_SWATCH, _ROW, _TEXT = 11.0, 16.0, 8.5
_LINES: dict[str, list[tuple[float, float, float, float]]] = {
    "rising": [(0, 5, 5, 0), (0, 11, 11, 0), (6, 11, 11, 6)],
    "falling": [(6, 0, 11, 5), (0, 0, 11, 11), (0, 6, 5, 11)],
    "level": [(0, 2.75, 11, 2.75), (0, 5.5, 11, 5.5), (0, 8.25, 11, 8.25)],
}
_LINES["crossed"] = _LINES["rising"] + _LINES["falling"]
HATCH_STROKE = {"stroke": "#7A7A7A", "strokeWidth": 0.55}


def map_key(
    classes: Sequence[MapClass], *, title: str, width: float, counted: str = "authorities", note: str = ""
) -> Any:
    """Draw the key of a map.

    Parameters
    ----------
    classes : sequence of MapClass
        In the order to print.
    title : str
        What the classes are of.
    width : float
        Pixels; longer labels break into lines.
    counted : str
        What the numbers in brackets count; without it no line says so.
    note : str
        A further line under the classes.
    """
    alt = theme.altair()
    head = theme.wrap(title, width=width, size=_TEXT, bold=True)
    y = 11.0 * len(head) + (3 if head else 0)
    swatches, lines, texts = [], [], []
    texts += [{"x": 0.0, "y": 11.0 * i + 6, "text": line, "bold": True} for i, line in enumerate(head)]
    for cls in classes:
        label = theme.wrap(f"{cls.label} ({cls.count})", width=width - _SWATCH - 6, size=_TEXT)
        height = max(_ROW, 11.0 * len(label) + 4)
        middle = y + height / 2
        top = middle - _SWATCH / 2
        edge = "#7A7A7A" if cls.missing else cls.fill
        swatches.append({"x": 0.5, "x2": _SWATCH + 0.5, "y": top, "y2": top + _SWATCH, "fill": cls.fill, "edge": edge})
        lines += [
            {"x": 0.5 + a, "y": top + b, "x2": 0.5 + c, "y2": top + d} for a, b, c, d in _LINES.get(cls.hatch, [])
        ]
        first = middle - 11.0 * (len(label) - 1) / 2
        texts += [
            {"x": _SWATCH + 6, "y": first + 11.0 * i, "text": line, "bold": False} for i, line in enumerate(label)
        ]
        y += height
    counting = f"(in brackets: number of {counted})" if counted else ""
    under = [line for text in (counting, note) for line in theme.wrap(text, width=width, size=_TEXT)]
    for line in under:
        texts.append({"x": 0.0, "y": y + 8, "text": line, "bold": False})
        y += 11
    place = {"scale": None, "axis": None}
    size = {"width": width, "height": y + 3}
    boxes = (
        alt.Chart(pd.DataFrame(swatches), **size)
        .mark_rect(strokeWidth=0.6)
        .encode(
            x=alt.X("x:Q", **place),
            x2="x2:Q",
            y=alt.Y("y:Q", **place),
            y2="y2:Q",
            fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("edge:N", scale=None),
        )
    )
    layers = [boxes]
    if lines:
        rules = alt.Chart(pd.DataFrame(lines), **size).mark_rule(**HATCH_STROKE)
        layers.append(rules.encode(x=alt.X("x:Q", **place), x2="x2:Q", y=alt.Y("y:Q", **place), y2="y2:Q"))
    words = pd.DataFrame(texts)
    for bold, part in words.groupby("bold"):
        mark = {"align": "left", "baseline": "middle", "fontSize": _TEXT, "fontWeight": "bold" if bold else "normal"}
        layers.append(
            alt.Chart(part.drop(columns="bold"), **size)
            .mark_text(**mark)
            .encode(x=alt.X("x:Q", **place), y=alt.Y("y:Q", **place), text="text:N")
        )
    return alt.layer(*layers)
