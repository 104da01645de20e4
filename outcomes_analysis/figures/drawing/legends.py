"""Keys of charts: marks, strokes and swatches with their words, broken into lines that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas

_LINE = 13.0
_SIZE = 8.0


@dataclass(frozen=True)
class Kind:
    """A sort of mark: its shape and fill, and what that means in the key."""

    shape: str
    fill: str
    words: str = ""

    @property
    def edge(self) -> str:
        """Colour of the mark's outline and of its interval."""
        return theme.QUIET if self.fill == theme.PAPER else self.fill


@dataclass(frozen=True)
class Entry:
    """One entry of a key: a mark, an upright stroke, a level one (``thick`` pixels) or a swatch, and its words."""

    words: str
    kind: Kind | None = None
    stroke: str = ""
    dash: tuple[float, ...] = ()
    swatch: str = ""
    thick: float = 0.0

    @property
    def room(self) -> float:
        """Pixels from the mark's left edge to the words."""
        return 24.0 if self.thick else 11.0


#: Against England, in the shapes and colours that every chart uses for it.
STANDING: dict[str, Kind] = {
    "above": Kind("triangle-up", theme.AGAINST[2], "clearly better than England"),
    "similar": Kind("circle", theme.PAPER, "not clear"),
    "below": Kind("square", theme.AGAINST[0], "clearly worse than England"),
}
#: A verdict that differs with and without contested indicators, so that none is given.
DEPENDS = Kind("diamond", theme.DISPUTED_MARK, "depends on contested figures")

Lines = list[list[tuple[Entry, float]]]


def laid_out(entries: Sequence[Entry], *, width: float) -> Lines:
    """Entries broken into lines no wider than ``width``, each with where it starts."""
    lines: Lines = []
    x = 0.0
    for entry in entries:
        needed = entry.room + 11 + theme.text_width(entry.words, size=_SIZE)
        if not lines or x + needed - 10 > width:
            lines.append([])
            x = 0.0
        lines[-1].append((entry, x))
        x += needed
    return lines


def height_of(lines: Lines) -> float:
    """Pixels that the lines take, with the space below them."""
    return _LINE * len(lines) + (5 if lines else 0)


def draw_legend(canvas: Canvas, lines: Lines) -> None:
    """Draw a key at the top of a canvas."""
    points: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for i, line in enumerate(lines):
        y = 6.0 + _LINE * i
        for entry, x in line:
            if entry.kind is not None:
                kind = entry.kind
                points.append({"x": x + 4, "y": y, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge})
            elif entry.thick:
                level = [{"x": x, "x2": x + 20, "y": y, "y2": y}]
                canvas.rules(level, width=entry.thick, colour=entry.stroke, dash=list(entry.dash) or None)
            elif entry.stroke:
                upright = [{"x": x + 4, "x2": x + 4, "y": y - 5, "y2": y + 5}]
                canvas.rules(upright, width=1.6, colour=entry.stroke, dash=list(entry.dash) or None)
            else:
                boxes.append({"x": x, "x2": x + 9, "y": y - 4, "y2": y + 4, "fill": entry.swatch})
            texts.append({"x": x + entry.room, "y": y, "text": entry.words})
    canvas.boxes(boxes)
    canvas.points(points, area=30)
    canvas.text(texts, size=_SIZE)
