"""Funnel plots: which areas differ from a common figure by more than their size would let chance bring about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures.charts.limits import Form, UsualDifferences, control_limits, usual_differences
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, finished, resizable
from outcomes_analysis.figures.drawing.legends import Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.drawing.planes import SMALL, Plane, draw_axes, label_points, widened
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.wording import associational, listed, number, plural

_LEVELS = (0.95, 0.998)
_HEIGHT = {"page": 300.0, "web": 300.0, "column": 230.0, "slide": 345.0}
_MANY_WORDS = (
    "So many lie outside that areas plainly differ for reasons beyond chance, ways of recording among them: being "
    "outside does not mark a single area out."
)
# Inside the limits of chance; outside them and inside the wide ones; outside both.
_LOOKS = (
    Kind("circle", theme.PAPER, "as chance would have it"),
    Kind("circle", theme.QUIET, "beyond chance"),
    Kind("diamond", theme.DUO[0], "beyond what is usual among areas, too"),
)
_WIDE = theme.DUO[1]
_NAMED = 12  # points named at the most, the furthest out first
_MANY = 0.1  # share outside from which areas plainly differ for more than chance
_NEEDS = ("area_name", "value", "denominator")


@resizable
def funnel_plot(
    table: pd.DataFrame,
    *,
    name: str,
    unit: str,
    target: float,
    source: str,
    data_as_at: str,
    period: str,
    form: Form = "proportion",
    per: float = 100.0,
    contested: str = "",
    counted: str = "children counted among",
    size: theme.Size = "page",
) -> Figure:
    """Draw areas' figures against their size, with the limits of chance round a common figure and wider ones beside.

    Parameters
    ----------
    table : DataFrame
        One row an area: ``area_name, value, denominator``; rows without either are named in a note, not drawn.
    name, unit, period : str
        Of the measure.
    target : float
        England's figure, which the limits are drawn round.
    source, data_as_at : str
        As every figure must have them.
    form : {"proportion", "rate"}
        Of the counts behind the figures.
    per : float
        100 for a percentage, 100,000 for a rate per 100,000.
    contested : str
        Why its direction is disputed, if it is.
    counted : str
        What the denominators count.
    size : {"page", "column", "slide", "web"}
        Layout.

    Returns
    -------
    Figure
        Grey lines: the limits of chance alone, 95% dashed and 99.8% solid. Orange lines: the same allowing for how
        areas usually differ (:func:`~outcomes_analysis.figures.charts.limits.usual_differences`). Points outside the
        solid lines differ by shape and fill; nothing is called better or worse. The data has ``outside`` and
        ``outside_usual``: ``no``, ``95%`` or ``99.8%``.

    Raises
    ------
    FigureError
        If columns are missing, fewer than five areas have both numbers, or a denominator is not positive.

    Notes
    -----
    Where many more areas than the limits allow lie outside, areas differ for reasons beyond chance, and the subtitle
    gives both numbers.
    """
    drawn, absent = _checked(table)
    sizes, values = (drawn[c].to_numpy(float) for c in ("denominator", "value"))
    usual = usual_differences(values, sizes, target=target, form=form, per=per)
    chance = [control_limits(target, sizes, form=form, per=per, level=level) for level in _LEVELS]
    # the wide limits are those of the normal law, and never inside the exact ones of chance
    wide = [_wider(usual.limits(sizes, level=level), c) for level, c in zip(_LEVELS, chance, strict=True)]
    steps = [_outside(values, limits) for limits in (chance, wide)]
    names = np.array(["no", "95%", "99.8%"])
    drawn = drawn.assign(outside=names[steps[0]], outside_usual=names[steps[1]])
    look = (steps[0] == 2).astype(int) + (steps[1] == 2)
    beyond, apart = int((look >= 1).sum()), int((look == 2).sum())
    called = f"{name} (contested)" if contested else name
    areas = plural(len(drawn), "authority", "authorities")
    title = associational(
        f"{called}: {beyond} of {areas} differ from England by more than chance would bring, {apart} by more than "
        "areas usually differ"
    )
    width, height = body_width(size), _HEIGHT[size]
    chart = _funnel(drawn, look, usual=usual, unit=unit, counted=counted, width=width, height=height)
    expected = number(0.002 * len(drawn), 1)
    far = drawn[look == 2].sort_values("value", ascending=False)
    told = f"Outside both solid limits: {listed([str(n) for n in far['area_name']])}." if len(far) else ""
    return finished(
        chart,
        title=title,
        subtitle=f"{unit}, {period}, by size; dashed: 95% and solid: 99.8% of areas would lie inside if all were like "
        f"England ({number(target, 1)}), so {expected} outside the solid grey lines",
        unit=unit,
        source=source,
        data_as_at=data_as_at,
        alt=associational(f"Point for each area, its figure against its size. {title}. {told}"),
        data=drawn,
        notes=(
            f"Contested: {contested}" if contested else "",
            "Named: those furthest out, where there is room; the data says of every area whether it lies outside.",
            _usual_words(usual),
            _MANY_WORDS if beyond > _MANY * len(drawn) else "",
            f"No figure or no count: {listed(absent)}." if absent else "",
        ),
        width=width,
        size=size,
    )


def _usual_words(usual: UsualDifferences) -> str:
    """What the wide limits allow for."""
    if usual.spread == 0:
        return "Once the outer tenths are drawn in, areas differ no more than chance has it: grey and orange are one."
    return (
        f"Orange limits also allow for differences that are usual among areas: squared distances from England are "
        f"{number(usual.ratio, 1)} times those of chance, the outer tenths drawn in."
    )


def _checked(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    problems = Problems("funnel plot")
    lacking = [c for c in _NEEDS if c not in table.columns]
    if lacking:
        problems.add(f"{len(lacking)} columns are missing: {several(lacking)}.")
        problems.raise_if_any(FigureError)
    known = table["value"].notna() & table["denominator"].notna()
    bad = table[known & ~(table["denominator"] > 0)]
    if len(bad):
        problems.add(f"{len(bad)} areas have a count that is not positive: {several(bad['area_name'])}.")
    if known.sum() < 5:
        problems.add(f"{int(known.sum())} areas have a figure and a count; five are needed.")
    problems.raise_if_any(FigureError)
    return table[known].reset_index(drop=True), sorted(table.loc[~known, "area_name"].astype(str))


def _outside(values: np.ndarray, limits: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """0 inside, 1 outside the first limits, 2 outside the second."""
    found = np.zeros(len(values), dtype=int)
    for step, (low, high) in enumerate(limits, start=1):
        found = np.where((values < low - 1e-9) | (values > high + 1e-9), step, found)
    return found


def _wider(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])


def _funnel(
    drawn: pd.DataFrame,
    look: np.ndarray,
    *,
    usual: UsualDifferences,
    unit: str,
    counted: str,
    width: float,
    height: float,
) -> Any:
    """The drawing: the target, the limits, the points, and names of those furthest out where there is room.

    Size runs on a scale of ratios, so that the many small areas do not crowd together.
    """
    sizes = drawn["denominator"].to_numpy(float)
    values = drawn["value"].to_numpy(float)
    target = usual.target
    low, high = float(sizes.min()) / 1.15, float(sizes.max()) * 1.15
    entries = [Entry(kind.words, kind) for kind in _LOOKS]
    entries += [
        Entry("limits of chance", stroke=theme.QUIET, thick=1.0),
        Entry("and of usual differences", stroke=_WIDE, thick=1.4),
    ]
    key = laid_out(entries, width=width)
    top = height_of(key) + 18
    # The limits of the smallest areas may be far wider than the figures: the figures set the scale.
    plane = Plane(
        left=44,
        right=width - 6,
        top=top,
        bottom=top + height - 48,
        x=(float(np.log10(low)), float(np.log10(high))),
        y=widened(float(min(values.min(), target)), float(max(values.max(), target)), share=0.12, floor=0.0),
    )
    canvas = Canvas(width=width, height=plane.bottom + 30)
    draw_legend(canvas, key)
    draw_axes(canvas, plane, x_title=counted, y_title="", x_ticks=_size_ticks(low, high))
    canvas.rules([plane.line(plane.x[0], target, plane.x[1], target)], width=1.0, colour=theme.INK)
    grid = np.unique(np.rint(np.geomspace(low, high, 120)))
    for level, solid in zip(_LEVELS, (False, True), strict=True):
        chance = control_limits(target, grid, form=usual.form, per=usual.per, level=level)
        wide = _wider(usual.limits(grid, level=level), chance)
        for bounds, colour, thick in ((chance, theme.QUIET, 0.8), (wide, _WIDE, 1.2)):
            for bound in bounds:
                canvas.rules(_pieces(plane, grid, bound, solid=solid), width=thick, colour=colour)
    points = []
    for value, size, step in zip(values, sizes, look, strict=True):
        kind = _LOOKS[step]
        at = plane.at(float(np.log10(size)), value)
        points.append({**at, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge})
    canvas.points(points, area=18)
    far = np.abs(values - target) * np.sqrt(sizes)
    order = [i for i in np.argsort(-far, kind="stable") if look[i] == 2][:_NAMED]
    wanted = [{**points[i], "text": str(drawn["area_name"].iloc[i])} for i in order]
    canvas.text(label_points(wanted, taken=points, left=plane.left + 2, right=width), size=SMALL)
    return canvas.chart()


def _pieces(plane: Plane, grid: np.ndarray, bound: np.ndarray, *, solid: bool) -> list[dict[str, float]]:
    """A limit as short straight pieces inside the plane; pieces left out make the dashes."""
    places = np.log10(grid)
    inside = (bound >= plane.y[0]) & (bound <= plane.y[1])
    return [
        plane.line(places[i], bound[i], places[i + 1], bound[i + 1])
        for i in range(len(grid) - 1)
        if inside[i] and inside[i + 1] and (solid or i % 4 < 2)
    ]


def _size_ticks(low: float, high: float) -> dict[float, str]:
    """Round sizes between two, at ones, twos and fives of every power of ten."""
    wanted = [
        m * 10.0**k for k in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1) for m in (1, 2, 5)
    ]
    inside = [size for size in wanted if low <= size <= high]
    return {float(np.log10(size)): number(size, 0) for size in inside[:: 2 if len(inside) > 8 else 1]}
