"""A chart with two axes at given pixels, and labels put beside points so that none covers another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.rows import ticks
from outcomes_analysis.wording import number

SMALL = 7.5


@dataclass(frozen=True)
class Plane:
    """Two scales and the rectangle they fill, in pixels from the top left of the drawing."""

    left: float
    right: float
    top: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> dict[str, float]:
        """Pixels of a point."""
        across = self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - self.left)
        up = self.bottom - (y - self.y[0]) / (self.y[1] - self.y[0]) * (self.bottom - self.top)
        return {"x": round(across, 2), "y": round(up, 2)}

    def line(self, x: float, y: float, x2: float, y2: float) -> dict[str, float]:
        """Pixels of a straight line."""
        end = self.at(x2, y2)
        return {**self.at(x, y), "x2": end["x"], "y2": end["y"]}


def widened(low: float, high: float, *, share: float = 0.05, floor: float | None = None) -> tuple[float, float]:
    """Limits with a margin on both sides, never below ``floor`` where the numbers themselves are not."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    margin = share * (high - low)
    start = low - margin
    if floor is not None and low >= floor:
        start = max(start, floor)
    return start, high + margin


def draw_axes(
    canvas: Canvas, plane: Plane, *, x_title: str, y_title: str, x_ticks: Mapping[float, str] | None = None
) -> None:
    """Grid lines, numbers and titles of both axes: the upright one's title stands above it, read level."""
    ups = ticks(*plane.y)
    canvas.rules([plane.line(plane.x[0], t, plane.x[1], t) for t in ups], width=0.5, colour="#E3E3E3")
    decimals = _decimals(ups)
    texts = [
        {"x": plane.left - 5, "y": plane.at(plane.x[0], t)["y"], "text": number(t, decimals), "colour": theme.QUIET}
        for t in ups
    ]
    canvas.text(texts, size=SMALL, align="right")
    marks = x_ticks if x_ticks is not None else {t: number(t, _decimals(ticks(*plane.x))) for t in ticks(*plane.x)}
    base = [plane.line(plane.x[0], plane.y[0], plane.x[1], plane.y[0])]
    canvas.rules(base, width=0.8, colour=theme.RULE)
    under = [
        {"x": plane.at(t, plane.y[0])["x"], "y": plane.bottom + 8, "text": text, "colour": theme.QUIET}
        for t, text in marks.items()
    ]
    canvas.text(under, size=SMALL, align="center")
    titles = [{"x": 0.0, "y": 5.0 + 10 * i, "text": t, "colour": theme.QUIET} for i, t in enumerate([y_title])]
    titles += [{"x": plane.left, "y": plane.bottom + 19, "text": x_title, "colour": theme.QUIET}] if x_title else []
    canvas.text(titles, size=SMALL)


def _decimals(places: Sequence[float]) -> int:
    return next((d for d in range(5) if all(abs(round(t, d) - t) < 1e-9 for t in places)), 4)


def spread_out(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Heights as near as can be to those wanted, in the same order, ``gap`` apart and inside the limits.

    Neighbours that are too close are pooled and stand evenly round their mean (pool adjacent violators).
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[float]] = []  # mean wanted height of its middle, and how many
    for i in order:
        blocks.append([wanted[i], 1])
        while len(blocks) > 1 and blocks[-1][0] - blocks[-2][0] < gap * (blocks[-1][1] + blocks[-2][1]) / 2:
            (a, n), (b, m) = blocks[-2], blocks[-1]
            blocks[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    heights = [mid + gap * (k - (n - 1) / 2) for mid, n in blocks for k in range(int(n))]
    if heights and heights[-1] > high:
        for k in range(len(heights) - 1, -1, -1):
            heights[k] = min(heights[k], high - gap * (len(heights) - 1 - k))
    if heights and heights[0] < low:
        for k in range(len(heights)):
            heights[k] = max(heights[k], low + gap * k)
    found = [0.0] * len(wanted)
    for place, i in enumerate(order):
        found[i] = round(heights[place], 2)
    return found


def label_points(
    points: Sequence[dict[str, Any]],
    *,
    taken: Sequence[dict[str, Any]],
    right: float,
    left: float = 0.0,
    size: float = SMALL,
) -> list[dict[str, Any]]:
    """Labels right or left of their points, above or below, the first place that is free; none where there is none.

    Parameters
    ----------
    points : sequence of dict
        ``x, y, text`` in pixels, the most important first.
    taken : sequence of dict
        ``x, y`` of all points drawn, which no label may cover.
    right, left : float
        Edges that no label may pass.
    """
    boxes = [(p["x"] - 2.5, p["y"] - 2.5, p["x"] + 2.5, p["y"] + 2.5) for p in taken]
    placed = []
    for point in points:
        wide = theme.text_width(str(point["text"]), size=size)
        for dx, dy in ((6, 0), (-6 - wide, 0), (5, -7), (5, 7), (-5 - wide, -7), (-5 - wide, 7)):
            x, y = point["x"] + dx, point["y"] + dy
            box = (x, y - size * 0.55, x + wide, y + size * 0.55)
            free = all(box[0] >= b[2] or b[0] >= box[2] or box[1] >= b[3] or b[1] >= box[3] for b in boxes)
            if free and box[0] >= left and box[2] <= right:
                boxes.append(box)
                placed.append({"x": round(x, 2), "y": round(y, 2), "text": point["text"]})
                break
    return placed
