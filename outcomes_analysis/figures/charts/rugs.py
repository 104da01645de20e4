"""Squares in rows and columns: places by measures against England, and correlations in clustered order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve
from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas, printed_name
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, date_of, finished
from outcomes_analysis.figures.drawing.legends import DEPENDS, Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.relations.sentences import with_capital
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, associational, how_many, interval, number, plural

_SMALL = 7.5
_SIGNS: dict[str, Kind] = {
    "better": Kind("triangle-up", theme.AGAINST[2], "clearly better than England"),
    "worse": Kind("square", theme.AGAINST[0], "clearly worse than England"),
    "higher": Kind("diamond", theme.NEUTRAL_AGAINST[2], "contested: clearly more or higher"),
    "lower": Kind("cross", theme.NEUTRAL_AGAINST[0], "contested: clearly fewer or lower"),
    "similar": Kind("circle", theme.PAPER, "not clear"),
    "disputed": Kind("triangle-right", theme.DISPUTED_MARK, DEPENDS.words),
}


def tartan_rug(
    result: Any,
    *,
    areas: Sequence[str],
    nodes: Sequence[str],
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Draw places by measures, each cell a sign for how the place stands against England of the same date.

    Parameters
    ----------
    result : IndexResult or DataFrame
        As for :func:`~outcomes_analysis.figures.mapping.maps.choropleth`.
    areas : sequence of str
        Codes or names, drawn in the order given.
    nodes : sequence of str
        Measures, outcomes or domains, at most 24; numbered across the top and listed below.
    source, data_as_at : str, optional
        Words on the figure; taken from the register and the result where not given.

    Returns
    -------
    Figure
        Shape says the same as colour; an empty cell has no figure. A contested measure is told in its own direction.

    Raises
    ------
    FigureError
        If a node is not in the result, or there are too many.
    """
    from outcomes_analysis.figures.mapping.panels import prepared

    if len(nodes) > 24:
        message = f"A rug holds 24 measures, not {len(nodes)}: choose fewer."
        raise FigureError(message)
    codes = list(dict.fromkeys(resolve(area) for area in areas))
    cells, labels = {}, {}
    for node in nodes:
        rows, words = prepared(result, node=node, label=None, data_as_at=data_as_at)
        rows = rows.set_index("area_code", drop=False)
        sign, disputed = standing.signs(rows).reindex(codes), standing.depends(rows).reindex(codes, fill_value=False)
        up, down = ("better", "worse") if words.sense.agreed else ("higher", "lower")
        cells[node] = sign.map({1.0: up, -1.0: down, 0.0: "similar"}).fillna("").where(~disputed, "disputed")
        labels[node] = words.sense.named(words.label)
    grid = pd.DataFrame(cells)
    names = _names(result, codes)
    width = float(theme.width_of("page"))
    body = _rug(grid, [names[c] for c in codes], labels, width=width)
    counts = pd.Series(grid.to_numpy().ravel()).value_counts()
    better, worse = int(counts.get("better", 0)), int(counts.get("worse", 0))
    judged = int((~grid.isin(["", "higher", "lower"])).sum().sum())
    title = associational(
        f"{with_capital(how_many(better))} of {judged} comparisons clearly better than England, "
        f"{how_many(worse)} clearly worse, in {plural(len(codes), 'place', 'places')}"
    )
    table = result if isinstance(result, pd.DataFrame) else result.table
    told = [f"{names[c]} {sum(grid.loc[c] == 'better')} better and {sum(grid.loc[c] == 'worse')} worse" for c in codes]
    data = (
        grid.rename_axis("area_code").reset_index().melt("area_code", var_name="node_id", value_name="against_england")
    )
    return finished(
        body,
        title=title,
        subtitle="; ".join(
            p
            for p in [
                f"Against England of the same date, by the {round(100 * findings.level_of(table))}% interval",
                findings.period_of(table),
            ]
            if p
        ),
        unit="clearly better, clearly worse or not clear",
        source=source or figure_entry("tartan-rug").source,
        data_as_at=date_of(result, data_as_at),
        alt=associational(f"Table of signs, places by measures. {title}. {'; '.join(told)}."),
        data=data.assign(area_name=data["area_code"].map(names), node_label=data["node_id"].map(labels)),
        notes=(
            "An empty cell has no figure.",
            standing.chance_line(
                int((grid != "").sum().sum()), findings.level_of(table), what="comparisons, contested ones among them,"
            ),
            WORKING_ASSIGNMENT,
        ),
    )


def _names(result: Any, codes: Sequence[str]) -> dict[str, str]:
    table = result if isinstance(result, pd.DataFrame) else result.table
    found = table.drop_duplicates("area_code").set_index("area_code")["area_name"]
    return {c: str(found.get(c, c)) for c in codes}


def _rug(grid: pd.DataFrame, names: Sequence[str], labels: dict[str, str], *, width: float) -> Any:
    """Signs in cells, numbers over the columns, and the list of measures below."""
    left = min(150.0, max(theme.text_width(n, size=8) for n in names) + 8)
    cell = min(22.0, (width - left) / len(labels))
    used = [Entry(kind.words, kind) for key, kind in _SIGNS.items() if (grid == key).any().any()]
    key = laid_out(used, width=width)
    top = height_of(key) + 15
    row = 13.5
    listing = _listing(labels, width=width)
    canvas = Canvas(width=width, height=top + row * len(grid) + 10 + 10.5 * len(listing))
    draw_legend(canvas, key)
    points, texts, lines = [], [], []
    for i, (code, name) in enumerate(zip(grid.index, names, strict=True)):
        y = top + row * (i + 0.5)
        texts.append({"x": 0.0, "y": y, "text": printed_name(name, width=left - 6, size=8)})
        lines.append({"x": left, "x2": left + cell * len(labels), "y": top + row * (i + 1), "y2": top + row * (i + 1)})
        for j, node in enumerate(grid.columns):
            sign = str(grid.at[code, node])
            if sign:
                kind = _SIGNS[sign]
                x = round(left + cell * (j + 0.5), 2)
                points.append({"x": x, "y": y, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge})
    heads = [{"x": left + cell * (j + 0.5), "y": top - 8, "text": str(j + 1)} for j in range(len(labels))]
    canvas.rules(lines, width=0.4, colour="#E3E3E3")
    canvas.points(points, area=30)
    canvas.text(texts, size=8)
    canvas.text(heads, size=_SMALL, align="center", bold=True)
    foot = top + row * len(grid) + 12
    canvas.text([{"x": 0.0, "y": foot + 10.5 * i, "text": line} for i, line in enumerate(listing)], size=_SMALL)
    return canvas.chart()


def _listing(labels: dict[str, str], *, width: float) -> list[str]:
    numbered = [f"{i + 1} {label}" for i, label in enumerate(labels.values())]
    return theme.wrap("; ".join(numbered) + ".", width=width, size=_SMALL)


def clustered(correlation: pd.DataFrame) -> list[str]:
    """Order of measures in which those that move together stand together.

    Average linkage on one less the correlation, leaves ordered so that neighbours are as alike as the tree allows
    (Bar-Joseph, Gifford and Jaakkola 2001); a pair that is not known counts as unrelated.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(correlation) < 3:
        return list(correlation.index)
    filled = correlation.fillna(0.0).to_numpy(float)
    away = 1 - (filled + filled.T) / 2
    np.fill_diagonal(away, 0.0)
    tree = linkage(squareform(np.clip(away, 0, 2), checks=False), method="average", optimal_ordering=True)
    return [str(correlation.index[i]) for i in leaves_list(tree)]


def correlation_heatmap(
    correlation: pd.DataFrame,
    *,
    lower: pd.DataFrame,
    upper: pd.DataFrame,
    level: float,
    labels: dict[str, str],
    what: str,
    source: str,
    data_as_at: str,
    areas: int | None = None,
    order: Sequence[str] | None = None,
    notes: Sequence[str] = (),
) -> Figure:
    """Draw correlations between measures across areas, those that move together side by side.

    Parameters
    ----------
    correlation : DataFrame
        Square and symmetric, from -1 to 1, measures on both sides; NaN where a pair is not known.
    lower, upper : DataFrame
        Interval of each, in the same shape.
    level : float
        Of the intervals.
    labels : dict
        Name of each measure.
    what : str
        What kind of correlation, for the subtitle: ``"Spearman correlation of scores"``.
    source, data_as_at : str
        As every figure must have them.
    areas : int, optional
        How many areas.
    order : sequence of str, optional
        Measures in the order to draw; clustered by default.
    notes : sequence of str
        Lines under the figure; that areas are not children is always added.

    Returns
    -------
    Figure
        The lower half only; up to twelve measures each cell prints its number, bold where the interval leaves out
        0; with more a dot marks cells whose interval holds 0. Intervals are in the data. At most 40 measures.

    Raises
    ------
    FigureError
        If the table is not a correlation matrix, or is too large to be read.
    """
    _check_square(correlation)
    names = list(order) if order is not None else clustered(correlation)
    if set(names) != set(correlation.index):
        message = f"The order must name the {len(correlation)} measures of the table once each."
        raise FigureError(message)
    width = float(theme.width_of("page"))
    values, low, high = (frame.loc[names, names].to_numpy(float) for frame in (correlation, lower, upper))
    pairs = [
        (names[i], names[j], values[i, j], low[i, j], high[i, j])
        for i in range(len(names))
        for j in range(i)
        if np.isfinite(values[i, j])
    ]
    columns = ["measure", "with_measure", "estimate", "lower", "upper"]
    data = pd.DataFrame(pairs, columns=columns).assign(level=level)
    top = data.loc[data["estimate"].abs().idxmax()]
    span = interval(top["lower"], top["upper"], level=level, decimals=2)
    title = associational(
        f"{labels[top['measure']]} and {labels[top['with_measure']]} go together most: "
        f"{number(top['estimate'], 2)}, {span}"
    )
    clear = int(((data["lower"] > 0) | (data["upper"] < 0)).sum())
    return finished(
        _triangle(values, (low > 0) | (high < 0), [labels[name] for name in names], width=width),
        title=title,
        subtitle="; ".join(
            p
            for p in [
                what,
                f"{areas} authorities" if areas else "",
                _order_words(level, printed=len(names) <= _PRINTED),
            ]
            if p
        ),
        unit="correlation, -1 to 1",
        source=source,
        data_as_at=data_as_at,
        alt=associational(
            f"Triangle of correlations between {len(names)} measures. {title}. For {clear} of {len(data)} pairs the "
            f"interval leaves out 0. Order: {'; '.join(labels[n] for n in names)}."
        ),
        data=data,
        notes=(*notes, AREAS_NOT_CHILDREN),
    )


def _order_words(level: float, *, printed: bool) -> str:
    percent = f"{round(100 * level)}% interval"
    sign = f"bold: the {percent} leaves out 0" if printed else f"dot: the {percent} holds 0"
    return f"{sign}; measures that move together side by side"


def _check_square(correlation: pd.DataFrame) -> None:
    values = correlation.to_numpy(float)
    square = values.shape[0] == values.shape[1] and list(correlation.index) == list(correlation.columns)
    if not square or len(values) < 2:
        message = "A correlation heatmap needs a square table of two measures or more, the same on both sides."
        raise FigureError(message)
    if len(values) > 40:
        message = f"{len(values)} measures cannot be read on one page; choose 40 at most."
        raise FigureError(message)
    known = np.nan_to_num(values)
    wrong = correlation.index[(np.abs(known) > 1 + 1e-9).any(axis=1)]
    if len(wrong):
        message = f"Correlations outside -1 to 1 for {len(wrong)} measures: {several(wrong)}."
        raise FigureError(message)
    if not np.allclose(known, known.T, atol=1e-8):
        message = "The table is not symmetric: the correlation of a with b differs from that of b with a."
        raise FigureError(message)


_PRINTED = 12  # measures up to which a cell has room for its number
_LIMITS = (-0.5, -0.2, 0.2, 0.5)
_WORDS = ("below \u22120.5", "\u22120.5 to \u22120.2", "\u22120.2 to 0.2", "0.2 to 0.5", "above 0.5")


def _triangle(values: np.ndarray, clear: np.ndarray, labels: Sequence[str], *, width: float) -> Any:
    """The lower half: names at the left, numbers of the columns along the diagonal."""
    n = len(values)
    numbered = [f"{i + 1} {label}" for i, label in enumerate(labels)]
    left = min(width * 0.46, max(theme.text_width(text, size=8) for text in numbered) + 6)
    wrapped = [theme.wrap(text, width=left - 4, size=8) for text in numbered]
    cell = min(26.0, (width - left) / n)
    row = max(cell, 11.0 if max(map(len, wrapped)) == 1 else 2.0 + 9.0 * max(map(len, wrapped)))
    top = 22.0
    canvas = Canvas(width=width, height=top + row * n + 4)
    boxes: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    texts: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    x = 0.0
    for fill, words in zip(theme.DIVERGING, _WORDS, strict=True):
        boxes.append({"x": x, "x2": x + 12, "y": 1, "y2": 12, "fill": fill})
        names.append({"x": x + 16, "y": 6.5, "text": words})
        x += 28 + theme.text_width(words, size=8)
    for i, lines in enumerate(wrapped):
        y = top + row * i
        first = y + row / 2 - 4.5 * (len(lines) - 1)
        names += [{"x": 0.0, "y": first + 9 * k, "text": line} for k, line in enumerate(lines)]
        for j in range(i):
            value = float(values[i, j])
            known = bool(np.isfinite(value))
            fill = theme.DIVERGING[int(np.searchsorted(_LIMITS, value))] if known else theme.PAPER
            boxes.append({"x": left + cell * j, "x2": left + cell * (j + 1), "y": y, "y2": y + row, "fill": fill})
            place = {"x": left + cell * (j + 0.5), "y": y + row / 2, "colour": theme.text_on(fill)}
            if n <= _PRINTED:
                texts[bool(clear[i, j])].append({**place, "text": number(value, 1) if known else "x"})
            elif not clear[i, j]:
                texts[True].append({**place, "text": "\u00b7" if known else "x"})
        heads.append({"x": left + cell * (i + 0.5), "y": y + row / 2, "text": str(i + 1), "colour": theme.QUIET})
    canvas.boxes(boxes)
    canvas.text(names, size=8)
    canvas.text(texts[False], size=6.8, align="center")
    canvas.text(texts[True], size=6.8, align="center", bold=True)
    canvas.text(heads, size=6.8, align="center")
    return canvas.chart()
