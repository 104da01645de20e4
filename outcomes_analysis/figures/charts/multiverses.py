"""Specification curve: every answer to one question in order, and below it how each was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import findings
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.drawing.planes import SMALL, Plane, draw_axes, widened
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.relations.spec_curve.curve_wording import beyond_chance, said_together
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, associational, how_many, listed, number, plural

if TYPE_CHECKING:
    from outcomes_analysis.framework.model import Framework

_CURVE = {"page": 170.0, "web": 170.0, "column": 140.0, "slide": 150.0}
_ROW, _HEADING = 10.5, 15.0
_PALE = "#B4C3D6"  # intervals, light enough for the answers to stand out on them
_BAND = "#E3E3E3"
_CLEAR = Kind("circle", theme.DUO[0], "interval leaves out 0")
_UNCLEAR = Kind("circle", theme.PAPER, "interval holds 0")
#: Each option of what a multiverse varies, in the few words a row has room for.
_OPTIONS = {
    "sample": {
        "all": "every authority",
        "without_london": "without London",
        "without_smallest": "without the smallest tenth",
    },
    "transformation": {"as_published": "as published", "even_scale": "scale with even errors", "ranks": "ranks"},
    "model": {"line": "authorities alike", "children": "by number of children", "regions": "within regions"},
}
_NULLS = {
    "neighbours": "places staying as like their neighbours as they are",
    "separate": "places exchanged at random",
}


@resizable
def specification_curve(
    result: Any,
    *,
    framework: Framework | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw every answer to one question with its interval, sorted, over the choices that led to it.

    Parameters
    ----------
    result : MultiverseResult
        From :func:`outcomes_analysis.relations.multiverse`: its ``computed`` answers and its ``joint`` test.
    framework : Framework, optional
        For names; the default one where not given.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Choices with one option only are left out of the panel. At its right, the middle answer of each option. The grey
        band is where the middle of all answers would lie without an association; neighbours are kept as alike as they
        are where that could be done.

    Raises
    ------
    FigureError
        If the result has no answer.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    answers = result.computed
    if answers.empty:
        message = "The multiverse has no computed answer to draw."
        raise FigureError(message)
    answers = answers.assign(place=np.arange(1, len(answers) + 1))
    null, band = _null(result.joint)
    panel = _panel(answers, framework)
    width = body_width(size)
    outcome, predictor = (_told(spec, framework) for spec in (result.spec.outcomes, result.spec.predictors))
    above, below = int((answers["lower"] > 0).sum()), int((answers["upper"] < 0).sum())
    n = len(answers)
    title = associational(_title(result.joint[result.joint["null"] == null], predictor, outcome, (below, above, n)))
    middle = float(answers["estimate"].median())
    level = round(100 * findings.level_of(answers))
    ends = f"{number(answers['estimate'].min(), 2)} to {number(answers['estimate'].max(), 2)}"
    lies = "inside" if band[0] <= middle <= band[1] else "outside"
    told = [f"{row.heading}, {row.option}: {number(row.median, 2)}" for row in panel.itertuples()]
    return finished(
        _drawn(answers, panel, band, width=width, height=_CURVE[size]),
        title=title,
        subtitle=f"Standard deviations of the one for each of the other, with {level}% intervals that take authorities "
        f"as separate, from the lowest answer to the highest; middle answer {number(middle, 2)}",
        unit="standard deviations of the outcome for each of the predictor",
        source=source or figure_entry("specification-curve").source,
        data_as_at=date_of(result, data_as_at),
        alt=associational(
            f"Curve of {n} answers from {ends}, the middle one {number(middle, 2)}, {lies} the band from "
            f"{number(band[0], 2)} to {number(band[1], 2)} in which it would lie without an association. {title}. "
            f"Middle answer by choice: {'; '.join(told)}."
        ),
        data=result.table,
        notes=(
            f"Grey band: where the middle answer would lie in {level}% of cases without an association, "
            f"{_NULLS[null]}.",
            "Tested together, since all answers rest on much the same figures. "
            + said_together(result.joint[result.joint["null"] == null]),
            _marks(result.spec, framework),
            _left_out(result.table),
            AREAS_NOT_CHILDREN,
        ),
        width=width,
        size=size,
    )


def _title(joint: pd.DataFrame, predictor: str, outcome: str, counts: tuple[int, int, int]) -> str:
    """What the answers say together, which single intervals cannot: they rest on much the same figures."""
    below, above, n = counts
    ways = plural(n, "way", "ways")
    beyond = beyond_chance(joint)
    if beyond["median"]:
        (rest, other), (most, sign) = sorted([(above, "higher"), (below, "lower")])
        higher = f"places with higher {predictor} have clearly {sign} {outcome}"
        return f"In {how_many(most)} of {ways} of asking, {higher}, in {how_many(rest)} clearly {other}"
    head = (
        f"Whether {predictor} and {outcome} go together depends on how it is asked"
        if any(beyond.values())
        else f"No association of {predictor} and {outcome} can be claimed"
    )
    return f"{head}: clearly lower in {how_many(below)} of {ways} of asking, clearly higher in {how_many(above)}"


def _null(joint: pd.DataFrame) -> tuple[str, tuple[float, float]]:
    """The stricter null there is, and where the middle answer lies under it."""
    medians = joint[joint["statistic"] == "median"].set_index("null")
    null = next(name for name in _NULLS if name in medians.index)
    return null, (float(medians.at[null, "null_lower"]), float(medians.at[null, "null_upper"]))


def _told(choices: Sequence[Any], framework: Framework) -> str:
    """Figures that stand for one thing: the first by name, and how many others."""
    from outcomes_analysis.relations.sentences import short_name

    first = framework.indicator(str(choices[0].value))
    mark = " (contested)" if first.contested else ""
    more = len(choices) - 1
    others = "" if not more else " or a measure like it" if more == 1 else f" or {more} measures like it"
    return f"{short_name(first)}{mark}{others}"


def _marks(spec: Any, framework: Framework) -> str:
    from outcomes_analysis.relations.sentences import short_name

    found = [framework.indicator(str(c.value)) for c in (*spec.outcomes, *spec.predictors)]
    disputed = [short_name(i) for i in found if i.contested]
    return f"Contested: people disagree which way is better for {listed(disputed)}." if disputed else ""


def _left_out(table: pd.DataFrame) -> str:
    without = int((table["status"] != "computed").sum())
    if not without:
        return ""
    return f"{plural(without, 'further way', 'further ways')} of asking had no answer; the data says why."


def _panel(answers: pd.DataFrame, framework: Framework) -> pd.DataFrame:
    """One row an option of what is varied: ``choice, heading, value, option, median``."""
    from outcomes_analysis.relations.spec_curve.choices import DIMENSIONS

    rows = []
    for choice, words in DIMENSIONS.items():
        values = list(dict.fromkeys(answers.sort_index()[choice]))
        if len(values) < 2:
            continue
        if choice in ("year", "adjusted_for"):
            values = sorted(values)
        elif choice in _OPTIONS:
            values = [value for value in _OPTIONS[choice] if value in values]
        medians = answers.groupby(choice)["estimate"].median()
        rows += [
            {
                "choice": choice,
                "heading": f"{words[:1].upper()}{words[1:]}",
                "value": value,
                "option": _option(choice, value, framework),
                "median": float(medians[value]),
            }
            for value in values
        ]
    return pd.DataFrame(rows, columns=["choice", "heading", "value", "option", "median"])


def _option(choice: str, value: Any, framework: Framework) -> str:
    from outcomes_analysis.relations.sentences import short_name

    if choice in _OPTIONS:
        return _OPTIONS[choice][str(value)]
    if choice == "year":
        return str(value)
    if not value:
        return "nothing"
    return listed([short_name(framework.indicator(i)) for i in str(value).split("+")])


@dataclass(frozen=True)
class _Line:
    """One line of the panel: a heading, or an option with its label broken to fit."""

    y: float
    labels: list[str]
    row: Any = None


def _drawn(
    answers: pd.DataFrame, panel: pd.DataFrame, band: tuple[float, float], *, width: float, height: float
) -> Any:
    left, right = width * 0.34, width - 34
    entries = [
        Entry(_CLEAR.words, _CLEAR),
        Entry(_UNCLEAR.words, _UNCLEAR),
        Entry("interval", swatch=_PALE),
        Entry("middle answer without an association", swatch=_BAND),
    ]
    key = laid_out(entries, width=width)
    top = height_of(key) + 16
    low = min(float(answers["lower"].min()), band[0], 0.0)
    high = max(float(answers["upper"].max()), band[1], 0.0)
    plane = Plane(left, right, top, top + height, x=(0.5, len(answers) + 0.5), y=widened(low, high, share=0.03))
    lines, bottom = _lines(panel, top=plane.bottom + 10, room=left - 8)
    canvas = Canvas(width=width, height=bottom + 4)
    draw_legend(canvas, key)
    ends = plane.at(plane.x[0], band[0]), plane.at(plane.x[1], band[1])
    box = {"x": ends[0]["x"], "x2": ends[1]["x"], "y": ends[1]["y"], "y2": ends[0]["y"], "fill": _BAND}
    canvas.boxes([box])
    draw_axes(canvas, plane, x_title="", y_title="", x_ticks={})
    _curve(canvas, answers, plane)
    _choices(canvas, answers, lines, plane, width=width)
    return canvas.chart()


def _curve(canvas: Canvas, answers: pd.DataFrame, plane: Plane) -> None:
    """Intervals, the line at 0 and the answers; marks shrink as answers grow many."""
    step = (plane.right - plane.left) / len(answers)
    lines = [plane.line(row.place, row.lower, row.place, row.upper) for row in answers.itertuples()]
    canvas.rules(lines, width=round(min(1.6, max(0.5, 0.7 * step)), 2), colour=_PALE)
    canvas.rules([plane.line(plane.x[0], 0, plane.x[1], 0)], width=0.9, colour=theme.INK, dash=[2, 2])
    clear = (answers["lower"] > 0) | (answers["upper"] < 0)
    points = []
    for row, sure in zip(answers.itertuples(), clear, strict=True):
        kind = _CLEAR if sure else _UNCLEAR
        points.append(
            {**plane.at(row.place, row.estimate), "shape": kind.shape, "fill": kind.fill, "colour": theme.DUO[0]}
        )
    canvas.points(points, area=14 if len(answers) <= 80 else 4)


def _lines(panel: pd.DataFrame, *, top: float, room: float) -> tuple[list[_Line], float]:
    found, y, last = [], top, None
    for row in panel.itertuples():
        if row.choice != last:
            y += _HEADING - _ROW if last else 0
            found.append(_Line(y, [row.heading]))
            y += _ROW
            last = row.choice
        labels = theme.wrap(str(row.option), width=room - 8, size=SMALL)
        found.append(_Line(y, labels, row))
        y += _ROW + 8.5 * (len(labels) - 1)
    return found, y


def _choices(canvas: Canvas, answers: pd.DataFrame, lines: Sequence[_Line], plane: Plane, *, width: float) -> None:
    """A stroke under every answer that was reached by an option; neighbouring ones run together."""
    strokes, labels, headings, medians, guides = [], [], [], [], []
    for line in lines:
        if line.row is None:
            headings.append({"x": 0.0, "y": line.y, "text": line.labels[0]})
            continue
        labels += [{"x": 8.0, "y": line.y + 8.5 * i, "text": text} for i, text in enumerate(line.labels)]
        medians.append({"x": width, "y": line.y, "text": number(line.row.median, 2), "colour": theme.INK})
        guides.append({"x": plane.left, "x2": plane.right, "y": line.y, "y2": line.y})
        chosen = (answers[line.row.choice] == line.row.value).to_numpy()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(int), [0]])))
        for start, stop in edges.reshape(-1, 2):
            x, x2 = (plane.at(float(place) + 0.5, 0)["x"] for place in (start, stop))
            strokes.append({"x": x, "x2": x2, "y": line.y, "y2": line.y})
    canvas.rules(guides, width=0.5, colour="#E3E3E3")
    canvas.rules(strokes, width=5.5, colour=theme.DUO[0])
    canvas.text(labels, size=SMALL)
    canvas.text(headings, size=SMALL, bold=True)
    canvas.text(medians, size=SMALL, align="right")
    if lines:
        above = [{"x": width, "y": lines[0].y, "text": "middle", "colour": theme.QUIET}]
        canvas.text(above, size=SMALL, align="right")
