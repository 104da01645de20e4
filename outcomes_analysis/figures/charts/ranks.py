"""Ranks with their intervals, for all places on one printed page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas, Columns, place, printed_name
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, date_of, finished
from outcomes_analysis.figures.drawing.legends import DEPENDS, STANDING, Entry, draw_legend, height_of, laid_out
from outcomes_analysis.figures.mapping.classes import check_table
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.wording import listed, plural

Order = Literal["region", "rank", "name"]
Measure = Literal["rank", "score"]

_SHOWN: dict[Measure, str] = {
    "rank": "Rank, 1 = best (the highest score),",
    "score": "Score, higher is better, 0 = England in the base period,",
}
_ROW, _GAP, _SIZE = 8.5, 14.0, 7.2  # rows so low that 151 places and the notes fit one printed page


def rank_intervals(
    result: Any,
    *,
    node: str,
    order: Order = "region",
    measure: Measure = "rank",
    label: str | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Rank (or score) of every place with its interval, grouped by region.

    Parameters
    ----------
    result : UncertaintyResult or DataFrame
        Table with ``node_id, area_code, area_name, region_name, estimate, lower, upper, level, rank, rank_lower,
        rank_upper, status`` and, where known, ``england, against_england``; rank 1 = best, higher score = better.
    node : str
        What to show.
    order : {"region", "rank", "name"}
        Within each region by rank (``region``, the default) or by name; ``rank`` drops the regions.
    measure : {"rank", "score"}
        What to place along the line.
    label, source, data_as_at : str, optional
        Words on the figure; taken from the result and the register where not given.

    Returns
    -------
    Figure
        Places without a rank are named under it, not drawn.

    Raises
    ------
    FigureError
        If the table lacks columns or the node, or the node as a whole is not ranked.
    """
    table = result if isinstance(result, pd.DataFrame) else result.table
    needs = ["area_name", "region_name", "estimate", "lower", "upper", "rank", "rank_lower", "rank_upper", "status"]
    rows = check_table(table, node=node, needs=needs, where=f"rank intervals of {node!r}")
    name = label or findings.label_of(rows, node)
    ranked = rows[rows[["rank", "rank_lower", "rank_upper"]].notna().all(axis=1)]
    if ranked.empty:
        message = f"{name} is not ranked: no authority has a rank. Use maps.choropleth for an experimental domain."
        raise FigureError(message)
    by = ["area_name"] if order == "name" else ["rank", "area_name"]
    drawn = ranked.sort_values(by, kind="stable").reset_index(drop=True)
    if order == "rank":
        drawn = drawn.assign(group=_thirds(len(drawn)))
        placed = place(drawn.assign(region_name=drawn["group"]))
    else:
        placed = place(drawn)
    width = theme.width_of("page")
    body = _body(placed, measure=measure, total=len(drawn), width=width)
    widths = drawn["rank_upper"] - drawn["rank_lower"] + 1
    level = round(100 * findings.level_of(rows))
    title = f"{name}: half of the authorities could rank anywhere within {_whole(widths.median())} or more places"
    subtitle = "; ".join(
        part
        for part in [
            f"{_SHOWN[measure]} with its {level}% interval",
            standing.england_words(rows),
            findings.period_of(rows),
            f"{plural(len(drawn), 'upper-tier local authority', 'upper-tier local authorities')} in England",
            standing.zero_words(result, [node]),
        ]
        if part
    )
    disputed = standing.contested_line(standing.contested_shares(result, [node]), {node: name})
    moved = " ".join(part for part in (disputed, standing.both_ways(drawn, name), _moved(drawn)) if part)
    notes = (*_absent(rows, ranked), moved, standing.alike_line(drawn), WORKING_ASSIGNMENT)
    return finished(
        body,
        title=title,
        subtitle=subtitle,
        unit="rank, 1 = best" if measure == "rank" else findings.SCORE_UNIT,
        source=source or figure_entry(f"rank-intervals-{node}").source,
        data_as_at=date_of(result, data_as_at),
        alt=_alt(drawn, title=title, level=level),
        data=drawn[["node_id", "area_code", *needs, *_also(drawn)]].sort_values(
            ["rank", "area_name"], ignore_index=True
        ),
        notes=notes,
    )


def _also(drawn: pd.DataFrame) -> list[str]:
    wanted = ("england", "against_england", "against_england_agreed", "standing", "level")
    return [c for c in (*wanted, "rank_agreed", "rank_lower_agreed", "rank_upper_agreed") if c in drawn.columns]


def _moved(drawn: pd.DataFrame) -> str:
    """How far ranks lie from those without contested indicators; empty where there are none."""
    if not standing.depends(drawn).any() or "rank_agreed" not in drawn.columns:
        return ""
    away = (drawn["rank_agreed"] - drawn["rank"]).abs().median()
    return f"Without them half of the authorities would rank at least {_whole(away)} places from here."


def _whole(value: float) -> str:
    return f"{int(np.floor(value))}"


def _thirds(n: int) -> list[str]:
    cuts = np.array_split(np.arange(1, n + 1), 3)
    return [f"Ranks {part[0]} to {part[-1]}" for part in cuts for _ in part]


def _absent(rows: pd.DataFrame, ranked: pd.DataFrame) -> tuple[str, ...]:
    absent = rows[~rows["area_code"].isin(ranked["area_code"])].sort_values("area_name")
    return (f"Not ranked: {listed([str(n) for n in absent['area_name']])}.",) if len(absent) else ()


_KIND_OF = {1.0: "above", -1.0: "below"}


def _body(placed: Columns, *, measure: Measure, total: int, width: float) -> Any:
    columns = int(placed.headings["column"].max()) + 1
    each = (width - _GAP * (columns - 1)) / columns
    names = each * 0.55
    rows = placed.rows.assign(sign=standing.signs(placed.rows), disputed=standing.depends(placed.rows))
    kinds = [*STANDING.values(), *([DEPENDS] if rows["disputed"].any() else [])]
    england_line = Entry("where England would stand", stroke=theme.INK, dash=(2, 2))
    key = laid_out([*(Entry(kind.words, kind) for kind in kinds), england_line], width=width)
    head = height_of(key)
    canvas = Canvas(width=width, height=head + placed.length * _ROW + 4)
    low, high = (1.0, float(total)) if measure == "rank" else (float(rows["lower"].min()), float(rows["upper"].max()))
    inside = each - names - 11

    def across(column: int, value: float) -> float:
        return round(column * (each + _GAP) + names + 3 + (value - low) / max(high - low, 1e-9) * inside, 2)

    def down(line: float) -> float:
        return round(head + line * _ROW, 2)

    scores = [t for t in (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0) if low <= t <= high]
    ticks = _rank_ticks(total) if measure == "rank" else scores
    own = float(np.nan_to_num(standing.england_of(rows)))  # 0, the base period, where the table does not say
    england = float((rows["estimate"] > own).sum()) + 0.5 if measure == "rank" else own
    _grid(canvas, placed, ticks=ticks, england=england, across=across, down=down, each=each)
    intervals, points, texts = [], [], []
    bounds = ("rank", "rank_lower", "rank_upper") if measure == "rank" else ("estimate", "lower", "upper")
    for row in rows.itertuples():
        y = down(row.line)
        value, lower, upper = (float(getattr(row, b)) for b in bounds)
        kind = DEPENDS if row.disputed else STANDING[_KIND_OF.get(row.sign, "similar")]
        left = row.column * (each + _GAP)
        text = printed_name(str(row.area_name), width=names - 2, size=_SIZE)
        intervals.append(
            {"x": across(row.column, lower), "x2": across(row.column, upper), "y": y, "y2": y, "colour": kind.edge}
        )
        point = {"x": across(row.column, value), "y": y, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge}
        points.append(point)
        texts.append({"x": left, "y": y, "text": text})
    canvas.rules(intervals, width=1.1)
    canvas.points(points, area=15)
    canvas.text(texts, size=_SIZE)
    draw_legend(canvas, key)
    return canvas.chart()


def _rank_ticks(total: int) -> list[float]:
    step = 50 if total > 80 else 10
    return [1.0, *(float(t) for t in range(step, total - step // 3, step)), float(total)]


def _grid(
    canvas: Canvas,
    placed: Columns,
    *,
    ticks: list[float],
    england: float,
    across: Callable[[int, float], float],
    down: Callable[[float], float],
    each: float,
) -> None:
    lines, middle, headings, under, numbers = [], [], [], [], []
    heading_width = each * 0.55 - 4
    for part in placed.headings.itertuples():
        top, bottom = down(part.first), down(part.last)
        for tick in ticks:
            x = across(part.column, tick)
            lines.append({"x": x, "x2": x, "y": top, "y2": bottom})
            numbers.append(
                {"x": x, "y": down(part.line), "text": f"{tick:g}".replace("-", "\u2212"), "colour": theme.QUIET}
            )
        x = across(part.column, england)
        middle.append({"x": x, "x2": x, "y": top, "y2": bottom})
        left = part.column * (each + _GAP)
        headings.append(
            {
                "x": left,
                "y": down(part.line),
                "text": printed_name(str(part.region), width=heading_width, size=_SIZE + 0.5, bold=True),
            }
        )
        under.append({"x": left, "x2": left + each, "y": top, "y2": top})
    canvas.rules(lines, width=0.5, colour="#E3E3E3")
    canvas.rules(under, width=0.6, colour=theme.QUIET)
    canvas.rules(middle, width=0.8, colour=theme.INK, dash=[2, 2])
    canvas.text(headings, size=_SIZE + 0.5, bold=True)
    canvas.text(numbers, size=6.2, align="center")


def _alt(drawn: pd.DataFrame, *, title: str, level: int) -> str:
    n = len(drawn)
    fifth = round(n / 5)
    top, bottom = int((drawn["rank_upper"] <= fifth).sum()), int((drawn["rank_lower"] > n - fifth).sum())
    return (
        f"A dot for the rank of each of {plural(n, 'authority', 'authorities')} and a line for its {level}% interval, "
        f"grouped by region. {title}. The interval lies wholly in the top fifth for "
        f"{plural(top, 'authority', 'authorities')} and wholly in the bottom fifth for {bottom}. "
        f"{findings.region_sentence(drawn)}"
    ).strip()
