"""Funnel plots: which areas differ from a common figure by more than their size would let chance bring about."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, finished, resizable
from outcomes_analysis.figures.drawing.planes import SMALL, Plane, draw_axes, label_points, widened
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.wording import associational, listed, number, plural

Form = Literal["proportion", "rate"]
_LEVELS = (0.95, 0.998)
_HEIGHT = {"page": 300.0, "web": 300.0, "column": 230.0, "slide": 370.0}
_MANY_WORDS = (
    "So many lie outside that areas plainly differ for reasons beyond chance, ways of recording among them: being "
    "outside does not mark a single area out."
)
# Inside both limits, outside the inner, outside the outer: shape, fill, edge.
_LOOKS = (
    ("circle", theme.PAPER, theme.QUIET),
    ("circle", theme.QUIET, theme.QUIET),
    ("diamond", theme.DUO[0], theme.DUO[0]),
)
_NAMED = 12  # points named at the most, the furthest out first
_MANY = 0.1  # share outside from which areas plainly differ for more than chance
_NEEDS = ("area_name", "value", "denominator")


def control_limits(
    target: float, denominator: np.ndarray, *, form: Form, per: float = 100.0, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Limits between which an area's figure falls with the stated probability if its true figure is the target.

    Parameters
    ----------
    target : float
        The common figure, in units of ``per``.
    denominator : ndarray
        Children each figure counts among; taken to the nearest whole number.
    form : {"proportion", "rate"}
        Binomial or Poisson counts.
    per : float
        100 for a percentage, 100,000 for a rate per 100,000.
    level : float
        Probability between the limits.

    Returns
    -------
    (ndarray, ndarray)
        Lower and upper limits, in units of ``per``; never below 0, a proportion's never above ``per``.

    Notes
    -----
    Exact quantiles, interpolated between whole counts so that the lines are smooth: Spiegelhalter (2005), Statistics
    in Medicine 24, appendix A.1.
    """
    from scipy import stats

    n = np.rint(np.asarray(denominator, dtype=float))
    share = target / per
    found = []
    for p in ((1 - level) / 2, (1 + level) / 2):
        law = stats.binom(n, share) if form == "proportion" else stats.poisson(n * share)
        count = law.ppf(p)
        upto, before = law.cdf(count), law.cdf(count - 1)
        within = np.where(upto > before, (upto - p) / np.where(upto > before, upto - before, 1.0), 0.0)
        found.append(np.clip((count - within) / n, 0, None if form == "rate" else 1) * per)
    return found[0], found[1]


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
    """Draw areas' figures against their size, with the limits of chance round a common figure.

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
        Points outside the 99.8% limits differ by shape and colour from those outside the 95% limits and the rest;
        nothing is called better or worse.

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
    outside = np.zeros(len(drawn), dtype=int)
    for step, level in enumerate(_LEVELS, start=1):
        low, high = control_limits(target, drawn["denominator"].to_numpy(), form=form, per=per, level=level)
        outside = np.where((drawn["value"] < low - 1e-9) | (drawn["value"] > high + 1e-9), step, outside)
    drawn = drawn.assign(outside=[("no", "95%", "99.8%")[o] for o in outside])
    beyond = int((outside == 2).sum())
    called = f"{name} (contested)" if contested else name
    areas = plural(len(drawn), "authority", "authorities")
    title = associational(f"{called}: {beyond} of {areas} differ from England by more than chance would bring")
    width, height = body_width(size), _HEIGHT[size]
    chart = _funnel(
        drawn, outside, target=target, form=form, per=per, unit=unit, counted=counted, width=width, height=height
    )
    expected = number(0.002 * len(drawn), 1)
    far = drawn[outside == 2].sort_values("value", ascending=False)
    told = f"Outside the 99.8% limits: {listed([str(n) for n in far['area_name']])}." if len(far) else ""
    return finished(
        chart,
        title=title,
        subtitle=f"{unit}, {period}, by size; dashed: 95% and solid: 99.8% of areas would lie inside if all were like "
        f"England ({number(target, 1)}), so {expected} outside the solid lines",
        unit=unit,
        source=source,
        data_as_at=data_as_at,
        alt=associational(f"Point for each area, its figure against its size. {title}. {told}"),
        data=drawn,
        notes=(
            f"Contested: {contested}" if contested else "",
            "Named: those furthest out, where there is room; the data says of every area whether it lies outside.",
            _MANY_WORDS if beyond > _MANY * len(drawn) else "",
            f"No figure or no count: {listed(absent)}." if absent else "",
        ),
        width=width,
        size=size,
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


def _funnel(
    drawn: pd.DataFrame,
    outside: np.ndarray,
    *,
    target: float,
    form: Form,
    per: float,
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
    low, high = float(sizes.min()) / 1.15, float(sizes.max()) * 1.15
    # The limits of the smallest areas may be far wider than the figures: the figures set the scale.
    plane = Plane(
        left=44,
        right=width - 6,
        top=18,
        bottom=height - 30,
        x=(float(np.log10(low)), float(np.log10(high))),
        y=widened(float(min(values.min(), target)), float(max(values.max(), target)), share=0.12, floor=0.0),
    )
    canvas = Canvas(width=width, height=height)
    draw_axes(canvas, plane, x_title=counted, y_title=unit, x_ticks=_size_ticks(low, high))
    canvas.rules([plane.line(plane.x[0], target, plane.x[1], target)], width=1.0, colour=theme.INK)
    grid = np.unique(np.rint(np.geomspace(low, high, 120)))
    for level, solid in zip(_LEVELS, (False, True), strict=True):  # short pieces left out make the dashes
        for bound in control_limits(target, grid, form=form, per=per, level=level):
            inside = (bound >= plane.y[0]) & (bound <= plane.y[1])
            places = np.log10(grid)
            pieces = [
                plane.line(places[i], bound[i], places[i + 1], bound[i + 1])
                for i in range(len(grid) - 1)
                if inside[i] and inside[i + 1] and (solid or i % 4 < 2)
            ]
            canvas.rules(pieces, width=0.8, colour=theme.QUIET)
    points = []
    for value, size, step in zip(values, sizes, outside, strict=True):
        shape, fill, edge = _LOOKS[step]
        points.append({**plane.at(float(np.log10(size)), value), "shape": shape, "fill": fill, "colour": edge})
    canvas.points(points, area=18)
    far = np.abs(values - target) * np.sqrt(sizes)
    order = [i for i in np.argsort(-far, kind="stable") if outside[i] == 2][:_NAMED]
    wanted = [{**points[i], "text": str(drawn["area_name"].iloc[i])} for i in order]
    canvas.text(label_points(wanted, taken=points, left=plane.left + 2, right=width), size=SMALL)
    return canvas.chart()


def _size_ticks(low: float, high: float) -> dict[float, str]:
    """Round sizes between two, at ones, twos and fives of every power of ten."""
    wanted = [
        m * 10.0**k for k in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1) for m in (1, 2, 5)
    ]
    inside = [size for size in wanted if low <= size <= high]
    return {float(np.log10(size)): number(size, 0) for size in inside[:: 2 if len(inside) > 8 else 1]}
