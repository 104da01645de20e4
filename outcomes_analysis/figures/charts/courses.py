"""Charts over time: one measure of one place with its breaks, and places between two dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve
from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas, printed_name
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.planes import SMALL, Plane, draw_axes, spread_out, widened
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.figures.mapping.panels import prepared
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.places.quantities import short_amount, unit_words
from outcomes_analysis.wording import associational, how_many, listed, number, plural, signed, symbol

_HEIGHT = {"page": 250.0, "web": 250.0, "column": 190.0, "slide": 330.0}
_VERDICTS: dict[str, tuple[str, str, list[float] | None]] = {  # colour, words, and dashes as a second channel
    "improved": (theme.AGAINST[2], "clearly better than before", None),
    "worsened": (theme.AGAINST[0], "clearly worse than before", [5, 2]),
    "": (theme.QUIET, "no clear change", [1.5, 1.5]),
}
_ENGLAND = [9.0, 3.0]  # dashes of England's own line, unlike those of any verdict


@resizable
def trend(
    profile: Any,
    indicator: str,
    *,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw one measure of one place over the years beside England, with intervals and visible breaks.

    Parameters
    ----------
    profile : AreaProfile
        Its ``series`` (``indicator_id, period, period_end, value, lower, upper, level, status, segment, england``) and
        ``table`` (name, unit, decimals, contested).
    indicator : str
        Id.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        No line joins two segments: a dashed upright line and the word "break" stand between them. A period without a
        figure is marked at the foot, and leaves a gap in the line.

    Raises
    ------
    FigureError
        If the profile has no figure of the indicator.
    """
    series = profile.series[profile.series["indicator_id"] == indicator].sort_values("period_end", ignore_index=True)
    about = profile.table[profile.table["indicator_id"] == indicator]
    if about.empty or series["value"].notna().sum() == 0:
        message = f"{profile.name} has no figure of {indicator!r} in any period."
        raise FigureError(message)
    words = about.iloc[0]
    years = series["period_end"].dt.year + (series["period_end"].dt.day_of_year - 1) / 366
    width, height = body_width(size), _HEIGHT[size]
    numbers = pd.concat([series[c] for c in ("value", "lower", "upper", "england")]).dropna()
    end_labels = max(theme.text_width(name, size=8) for name in (str(profile.name), "England")) + 10
    plane = Plane(
        left=40,
        right=width - min(end_labels, width * 0.28),
        top=18,
        bottom=height - 26,
        x=widened(float(years.min()), float(years.max()), share=0.02),
        y=widened(float(numbers.min()), float(numbers.max()), floor=0.0),
    )
    canvas = Canvas(width=width, height=height)
    shown = _thinned(dict(zip(years, series["period"].astype(str), strict=True)), plane)
    draw_axes(canvas, plane, x_title="", y_title=unit_words(str(words["unit"])), x_ticks=shown)
    breaks = _breaks(canvas, series, years, plane)
    _course(canvas, series, years, plane, column="england", colour=theme.QUIET, dash=[4, 2])
    _course(canvas, series, years, plane, column="value", colour=theme.DUO[0], dash=None)
    _points(canvas, series, years, plane)
    _ends(canvas, series, years, plane, name=str(profile.name), width=width)
    last = series[series["value"].notna()].iloc[-1]
    decimals = int(words["decimals"])
    unit = str(words["unit"])
    england = (
        f", England {short_amount(last['england'], unit=unit, decimals=decimals)}"
        if np.isfinite(last["england"])
        else ""
    )
    title = associational(
        f"{words['name']}: {profile.name} {short_amount(last['value'], unit=unit, decimals=decimals)} in "
        f"{last['period']}{england}"
    )
    levels = sorted({round(100 * level) for level in series["level"].dropna()})
    stated = f"{levels[0]}% intervals" if len(levels) == 1 else f"intervals of {listed([f'{v}%' for v in levels])}"
    contested = str(words["contested"])
    told = [f"{row.period} {number(row.value, decimals)}" for row in series[series["value"].notna()].itertuples()]
    kept = ["indicator_id", "period", "value", "lower", "upper", "level", "status", "segment", "england"]
    return finished(
        canvas.chart(),
        title=title,
        subtitle=f"{unit_said(unit)}; {stated if levels else 'no intervals published'}; "
        f"{profile.name} and England; the axis may not start at 0",
        unit=str(words["unit"]),
        source=source or figure_entry("trend").source,
        data_as_at=date_of(profile, data_as_at),
        alt=associational(
            f"Line of {plural(len(told), 'period', 'periods')} with intervals. {title}. {_break_words(breaks)}"
            f"{profile.name}: {'; '.join(told)}."
        ),
        data=series[kept],
        notes=(
            f"Contested: {contested}" if contested else "",
            "[x] and [c] at the foot: no figure, not available or suppressed." if series["value"].isna().any() else "",
            f"{_break_words(breaks)}Figures before and after a break cannot be compared." if breaks else "",
        ),
        width=width,
        size=size,
    )


def unit_said(unit: str) -> str:
    """A unit as a subtitle begins: ``"Per cent"``, ``"Per 10,000 children"``."""
    words = "per cent" if unit == "%" else unit_words(unit)
    return f"{words[:1].upper()}{words[1:]}"


def _thinned(wanted: dict[float, str], plane: Plane) -> dict[float, str]:
    """Periods along the axis that stand clear of each other, the latest always among them."""
    found: dict[float, str] = {}
    edge = float("inf")
    for year in sorted(wanted, reverse=True):
        x = plane.at(year, plane.y[0])["x"]
        half = theme.text_width(wanted[year], size=SMALL) / 2
        if x + half + 5 <= edge:
            found[year] = wanted[year]
            edge = x - half
    return found


def _breaks(canvas: Canvas, series: pd.DataFrame, years: pd.Series, plane: Plane) -> list[str]:
    """Upright lines between segments; the periods from which figures are no longer comparable."""
    known = series["value"].notna() | series["england"].notna()
    found, lines, texts = [], [], []
    part, at = series[known], years[known]
    usual = float(np.median(np.diff(years.to_numpy(float)))) if len(years) > 1 else 1.0
    for i in range(1, len(part)):
        if part["segment"].iloc[i] != part["segment"].iloc[i - 1]:
            middle = at.iloc[i] - usual / 2
            lines.append(plane.line(middle, plane.y[0], middle, plane.y[1]))
            texts.append({"x": plane.at(middle, 0)["x"], "y": plane.top - 5, "text": "break", "colour": theme.QUIET})
            found.append(str(part["period"].iloc[i]))
    canvas.rules(lines, width=0.9, colour=theme.QUIET, dash=[2, 2])
    canvas.text(texts, size=SMALL, align="center")
    return found


def _course(
    canvas: Canvas, series: pd.DataFrame, years: pd.Series, plane: Plane, *, column: str, colour: str, dash: Any
) -> None:
    """Straight lines between neighbouring periods of one segment that both have a figure; none over a year left out."""
    values, segment = series[column].to_numpy(float), series["segment"].to_numpy()
    apart = np.diff(years.to_numpy(float))
    usual = float(np.median(apart)) if len(apart) else 1.0
    lines = [
        plane.line(years.iloc[i - 1], values[i - 1], years.iloc[i], values[i])
        for i in range(1, len(series))
        if np.isfinite(values[i - 1])
        and np.isfinite(values[i])
        and segment[i] == segment[i - 1]
        and apart[i - 1] < 1.5 * usual
    ]
    canvas.rules(lines, width=1.5, colour=colour, dash=dash)


def _points(canvas: Canvas, series: pd.DataFrame, years: pd.Series, plane: Plane) -> None:
    """Dots and whiskers of the place, small rings of England, and a sign at the foot where there is no figure."""
    whiskers, dots, rings, gaps = [], [], [], []
    for year, row in zip(years, series.itertuples(), strict=True):
        if np.isfinite(row.england):
            point = plane.at(year, row.england)
            rings.append({**point, "shape": "circle", "fill": theme.PAPER, "colour": theme.QUIET})
        if not np.isfinite(row.value):
            foot = {"x": plane.at(year, plane.y[0])["x"], "y": plane.bottom - 5}
            gaps.append({**foot, "text": symbol(str(row.status)) or "[x]", "colour": theme.QUIET})
            continue
        if np.isfinite(row.lower) and np.isfinite(row.upper):
            whiskers.append(plane.line(year, row.lower, year, row.upper))
        dots.append({**plane.at(year, row.value), "shape": "circle", "fill": theme.DUO[0], "colour": theme.DUO[0]})
    canvas.rules(whiskers, width=1.1, colour=theme.DUO[0])
    canvas.points(rings, area=10)
    canvas.points(dots, area=24)
    canvas.text(gaps, size=SMALL, align="center")


def _ends(canvas: Canvas, series: pd.DataFrame, years: pd.Series, plane: Plane, *, name: str, width: float) -> None:
    """Names at the end of both lines, clear of each other."""
    ends = []
    for column, text, colour in (("value", name, theme.DUO[0]), ("england", "England", theme.QUIET)):
        known = series[column].notna()
        if known.any():
            ends.append((plane.at(years[known].iloc[-1], series.loc[known, column].iloc[-1])["y"], text, colour))
    heights = spread_out([e[0] for e in ends], gap=11, low=plane.top + 4, high=plane.bottom - 4)
    texts = [
        {
            "x": plane.right + 4,
            "y": y,
            "text": theme.shorten(text, width=width - plane.right - 4, size=8),
            "colour": colour,
        }
        for y, (_, text, colour) in zip(heights, ends, strict=True)
    ]
    canvas.text(texts, size=8)


def _break_words(breaks: Sequence[str]) -> str:
    return f"Break in the series from {listed(list(breaks))} on. " if breaks else ""


@resizable
def slope_chart(
    earlier: Any,
    later: Any,
    *,
    node: str,
    areas: Sequence[str],
    change: Any = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw places between two dates, with their intervals at both.

    Parameters
    ----------
    earlier, later : IndexResult, UncertaintyResult or DataFrame
        As for :func:`~outcomes_analysis.figures.mapping.maps.choropleth`, for two years.
    node : str
        What to draw.
    areas : sequence of str
        Codes or names, at most sixteen.
    change : ChangeResult, optional
        From :func:`outcomes_analysis.index.index_change`: its verdicts colour the lines. Without it all are alike,
        since two intervals alone do not say whether a change is clear. Where the results hold England's own score
        it is drawn too and its movement is in the title: what moved as England did is no change of the place alone.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If there are too many places, or one has no score at one of the dates.
    """
    codes = list(dict.fromkeys(resolve(area) for area in areas))
    if len(codes) > 16:
        message = f"A slope chart holds sixteen places, not {len(codes)}: name fewer."
        raise FigureError(message)
    (before, words), (after, _) = (prepared(r, node=node, label=None, data_as_at=data_as_at) for r in (earlier, later))
    left, right = (rows.set_index("area_code").reindex(codes) for rows in (before, after))
    lacking = [c for c in codes if not (np.isfinite(left.at[c, "estimate"]) and np.isfinite(right.at[c, "estimate"]))]
    if lacking:
        message = f"{len(lacking)} places have no score on {words.label} at one of the dates: {several(lacking)}."
        raise FigureError(message)
    codes = list(right["estimate"].sort_values(ascending=False, kind="stable").index)
    left, right = left.loc[codes], right.loc[codes]
    dates = [str(rows["period"].dropna().iloc[0]) for rows in (before, after)]
    verdicts = _verdicts(change, node, codes)
    width, height = body_width(size), max(_HEIGHT[size], 60 + 13.0 * len(codes))
    names = [str(right.at[c, "area_name"]) for c in codes]
    side = min(max(theme.text_width(n, size=8) for n in names) + 8, width * 0.36)
    nation = [_nation(rows) for rows in (before, after)]
    ends = [*(s["lower"].min() for s in (left, right)), *(s["upper"].max() for s in (left, right)), *nation]
    ends = [end for end in ends if np.isfinite(end)]
    plane = Plane(
        left=44,
        right=width - side,
        top=34,
        bottom=height - 24,
        x=(-0.12, 1.06),
        y=widened(min(map(float, ends)), max(map(float, ends))),
    )
    canvas = Canvas(width=width, height=height)
    draw_axes(canvas, plane, x_title="", y_title="score", x_ticks=dict(zip((0.0, 1.0), dates, strict=True)))
    known = bool(np.isfinite(nation).all())
    _slope_key(canvas, _key_entries(set(verdicts.values()), judged=change is not None, england=known), width=width)
    if known:
        canvas.rules([plane.line(0.0, nation[0], 1.0, nation[1])], width=1.4, colour=theme.INK, dash=_ENGLAND)
    heights = spread_out(
        [plane.at(1.0, right.at[c, "estimate"])["y"] for c in codes], gap=10, low=plane.top, high=plane.bottom - 4
    )
    _slopes(canvas, plane, left, right, codes, verdicts, heights)
    texts = [
        {
            "x": plane.right + 2,
            "y": y,
            "text": printed_name(name, width=side - 4, size=8),
            "colour": _VERDICTS[verdicts[c]][0],
        }
        for y, name, c in zip(heights, names, codes, strict=True)
    ]
    canvas.text(texts, size=8)
    title = _slope_title(words, dates, left, right, verdicts, judged=change is not None)
    if known:
        title = f"{title}; England moved by {signed(nation[1] - nation[0], 2)}"
    told = [
        f"{name} {number(left.at[c, 'estimate'], 2)} and {number(right.at[c, 'estimate'], 2)}"
        for name, c in zip(names, codes, strict=True)
    ]
    level = round(100 * findings.level_of(after))
    return finished(
        canvas.chart(),
        title=title,
        subtitle=f"S{findings.unit_of(words.sense)[1:]}; {level}% intervals; the axis may not start at 0",
        unit=findings.unit_of(words.sense),
        source=source or figure_entry(f"slopes-{node}").source,
        data_as_at=date_of(later, data_as_at),
        alt=associational(f"A line for each of {plural(len(codes), 'place', 'places')}. {title}. {'; '.join(told)}."),
        data=_slope_data(left, right, codes, verdicts, dates),
        notes=(
            "" if change is not None else "Whether a change is clear cannot be told from two intervals alone.",
            *words.notes,
        ),
        width=width,
        size=size,
    )


def _verdicts(change: Any, node: str, codes: Sequence[str]) -> dict[str, str]:
    """Verdict on each place's change: improved, worsened, or empty."""
    if change is None:
        return dict.fromkeys(codes, "")
    rows = change.table[change.table["node_id"] == node].set_index("area_code")["verdict"].reindex(codes)
    return {c: v if v in ("improved", "worsened") else "" for c, v in rows.fillna("").items()}


def _slopes(
    canvas: Canvas,
    plane: Plane,
    left: pd.DataFrame,
    right: pd.DataFrame,
    codes: Sequence[str],
    verdicts: dict[str, str],
    heights: Sequence[float],
) -> None:
    """Lines, thin ones to the names, and at both ends a dot and an interval.

    Places stand a little apart, so that intervals do not cover each other.
    """
    whiskers, dots, leaders = [], [], []
    for i, code in enumerate(codes):
        colour, _, dash = _VERDICTS[verdicts[code]]
        shift = 0.07 * (i / max(len(codes) - 1, 1) - 0.5)
        for x, rows in ((shift, left), (1 + shift, right)):
            row = rows.loc[code]
            whiskers.append({**plane.line(x, row["lower"], x, row["upper"]), "colour": colour})
            dots.append({**plane.at(x, row["estimate"]), "shape": "circle", "fill": colour, "colour": colour})
        line = plane.line(shift, left.at[code, "estimate"], 1 + shift, right.at[code, "estimate"])
        canvas.rules([line], width=1.2, colour=colour, dash=dash)
        end = plane.at(1 + shift, right.at[code, "estimate"])
        leaders.append({"x": end["x"] + 3, "x2": plane.right, "y": end["y"], "y2": heights[i]})
    canvas.rules(leaders, width=0.4, colour=theme.RULE)
    canvas.rules(whiskers, width=0.7)
    canvas.points(dots, area=20)


def _nation(rows: pd.DataFrame) -> float:
    """England's own score at the date, NaN where the result does not hold it."""
    found = rows["england"].dropna() if "england" in rows else pd.Series(dtype=float)
    return float(found.iloc[0]) if len(found) else np.nan


def _key_entries(found: set[str], *, judged: bool, england: bool) -> list[tuple[str, str, list[float] | None]]:
    verdicts = [look for verdict, look in _VERDICTS.items() if judged and verdict in found]
    return [*verdicts, *([(theme.INK, "England, same dates", _ENGLAND)] if england else [])]


def _slope_key(canvas: Canvas, entries: list[tuple[str, str, list[float] | None]], *, width: float) -> None:
    texts, x, y = [], 44.0, 6.0
    for colour, words, dash in entries:
        if x + 26 + theme.text_width(words, size=8) > width:
            x, y = 44.0, y + 11
        canvas.rules([{"x": x, "x2": x + 14, "y": y, "y2": y}], width=1.6, colour=colour, dash=dash)
        texts.append({"x": x + 18, "y": y, "text": words, "colour": colour})
        x += 32 + theme.text_width(words, size=8)
    canvas.text(texts, size=8)


def _slope_title(
    words: Any, dates: list[str], left: pd.DataFrame, right: pd.DataFrame, verdicts: dict[str, str], *, judged: bool
) -> str:
    name = words.sense.named(words.label)
    n = len(left)
    if judged:
        better, worse = (list(verdicts.values()).count(v) for v in ("improved", "worsened"))
        places = plural(n, "place", "places")
        told = f"{how_many(better)} of {places} clearly better than before, {how_many(worse)} clearly worse"
    else:
        higher = int((right["estimate"] > left["estimate"]).sum())
        told = f"{higher} of {plural(n, 'place', 'places')} score higher"
    return associational(f"{name}: {told}, from {dates[0]} to {dates[1]}")


def _slope_data(
    left: pd.DataFrame, right: pd.DataFrame, codes: Sequence[str], verdicts: dict[str, str], dates: list[str]
) -> pd.DataFrame:
    columns = ["estimate", "lower", "upper"]
    out = right[["area_name", *columns]].join(left[columns].add_suffix("_earlier")).reset_index()
    return out.assign(earlier=dates[0], later=dates[1], verdict=[verdicts[c] for c in codes])


__all__ = ["slope_chart", "trend"]
