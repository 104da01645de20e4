"""Trajectory fan: where one place may stand in a target year, one panel for each scenario of England."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve_place
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts.courses import unit_said
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.drawing.planes import SMALL, Plane, draw_axes, widened
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.quantities import short_amount
from outcomes_analysis.places.stretches import yearly_rows
from outcomes_analysis.places.target_wording import SCENARIO_WORDS
from outcomes_analysis.wording import associational, chance, plural

if TYPE_CHECKING:
    from outcomes_analysis.framework.model import Framework, Indicator

_LEVELS = ("#C9DDF0", "#8FBCE6")  # the outer band, then the inner one
_SO_FAR = Kind("circle", theme.DUO[0], "figure so far, with its interval where one is known")
_HEIGHT = {"page": 170.0, "web": 170.0, "column": 105.0, "slide": 200.0}
_GAP = 10.0
_SHOWN = 10  # years of the past at most
_SCENARIO_NOTE = (
    "What England does is a scenario and not a forecast: each band holds only if England goes that way. New policies, "
    "changed assessments and anything not seen in the years behind it are not in them."
)


@dataclass(frozen=True)
class _Case:
    """One place and measure with everything a panel needs."""

    past: pd.DataFrame
    fan: pd.DataFrame
    ends: pd.DataFrame
    indicator: Indicator
    target: float
    year: int
    y: tuple[float, float]

    def said(self, value: float) -> str:
        return short_amount(value, unit=self.indicator.unit, decimals=self.indicator.decimals)

    @property
    def agreed(self) -> bool:
        """Whether it is agreed which way is better, so that a level can be a target."""
        return bool(self.indicator.direction) and not self.indicator.contested


@resizable
def trajectory_fan(
    result: Any,
    place: str,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw the figures of one place so far and, for each scenario, the fan of those to come beside the target.

    Parameters
    ----------
    result : Trajectory
        From :func:`outcomes_analysis.places.trajectory`.
    place : str
        Any usual spelling, a former name or a code; ``England`` too.
    observations : DataFrame, optional
        The tidy table that the forecast was made from; the release by default.
    framework : Framework, optional
        For breaks in the series; the default one where not given.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Bands at two levels, fanning out from the newest figure; pandemic years and years without a figure are left out,
        and no line joins years on both sides of a break.

    Raises
    ------
    FigureError
        If the trajectory has no forecast for the place, giving the reason.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    case, name = _case(result, place, observations=observations, framework=framework)
    width = body_width(size)
    scenarios = [str(s) for s in dict.fromkeys(case.ends["scenario"])]
    upright = size == "column"
    each = width if upright else (width - _GAP * (len(scenarios) - 1)) / len(scenarios)
    alt = theme.altair()
    words = [_heading(case, scenario, width=each - 4) for scenario in scenarios]
    most = len(words[0][0]) if upright else max(len(bold) for bold, _ in words)
    lines = max(len(under) for _, under in words)
    top = 11.0 * most + 9.5 * lines + 14
    drawings = [
        _panel(case, scenario, heading=heading, width=each, top=top, height=_HEIGHT[size])
        for scenario, heading in zip(scenarios, words, strict=True)
    ]
    panels = alt.vconcat(*drawings, spacing=_GAP) if upright else alt.hconcat(*drawings, spacing=_GAP)
    body = alt.vconcat(_key(case, width=width), panels, spacing=4)
    ends = case.ends.set_index("scenario")
    low, high = (case.said(float(getattr(ends["estimate"], f)())) for f in ("min", "max"))
    goal = "the target is" if case.agreed else "the level compared with is"
    mark = " (contested)" if case.indicator.contested else ""
    title = associational(
        f"{case.indicator.name}{mark}: scenarios put {name} between {low} and {high} in {case.year}; {goal} "
        f"{case.said(case.target)}",
    )
    level = round(100 * float(ends["level"].iloc[0]))
    newest = case.past.iloc[-1]
    told = [
        f"{SCENARIO_WORDS[s]}, {case.said(ends.at[s, 'estimate'])} ({case.said(ends.at[s, 'lower'])} to "
        f"{case.said(ends.at[s, 'upper'])}, {level}% interval){_chance_words(case, ends.loc[s])}"
        for s in scenarios
    ]
    return finished(
        body,
        title=title,
        subtitle=f"{unit_said(case.indicator.unit)}; newest figure "
        f"{case.said(newest['value'])} in {newest['period']}; bands hold the figure as published, under their scenario "
        "alone; the axis may not start at 0",
        unit=case.indicator.unit,
        source=source or figure_entry("trajectory-fan").source,
        data_as_at=date_of(result, data_as_at),
        alt=associational(
            f"{plural(len(scenarios), 'panel', 'panels')} of {plural(len(case.past), 'figure', 'figures')} so far and "
            f"a fan of what may come. {title}. By scenario: {'; '.join(told)}."
        ),
        data=_data(case),
        notes=(
            f"Contested: {case.indicator.contested.rstrip('.')}." if case.indicator.contested else "",
            _SCENARIO_NOTE,
        ),
        width=width,
        size=size,
    )


def _case(result: Any, place: str, *, observations: pd.DataFrame, framework: Framework) -> tuple[_Case, str]:
    code = ENGLAND if place.strip().casefold() in ("england", ENGLAND.casefold()) else resolve_place(place)
    ends = result.table[result.table["area_code"] == code]
    if ends.empty:
        message = (
            f"The trajectory has nothing about {place} ({code}): it covers England and the upper-tier authorities."
        )
        raise FigureError(message)
    name = str(ends["name"].iloc[0])
    if ends["estimate"].isna().all():
        message = f"There is no forecast for {name}: {ends['reason'].iloc[0]}."
        raise FigureError(message)
    rows = yearly_rows(observations, framework=framework, indicator=result.spec.indicator_id)
    past = rows[(rows["area_code"] == code) & (rows["window"] == rows["window"].min())].sort_values("year")
    past = past[past["year"] > past["year"].max() - _SHOWN].reset_index(drop=True)
    fan = result.fan[result.fan["area_code"] == code]
    numbers = [past[["value", "lower", "upper"]].to_numpy(float).ravel(), fan[["lower", "upper"]].to_numpy().ravel()]
    known = np.concatenate([*numbers, [result.spec.target]])
    case = _Case(
        past=past,
        fan=fan,
        ends=ends,
        indicator=result.indicator,
        target=float(result.spec.target),
        year=int(result.spec.year),
        y=widened(float(np.nanmin(known)), float(np.nanmax(known)), floor=0.0),
    )
    return case, name


def _heading(case: _Case, scenario: str, *, width: float) -> tuple[list[str], list[str]]:
    """The scenario, and under it the chance, broken into lines."""
    words = SCENARIO_WORDS[scenario]
    row = case.ends[case.ends["scenario"] == scenario].iloc[0]
    said = _chance_words(case, row).removeprefix(", ")
    bold = theme.wrap(f"{words[:1].upper()}{words[1:]}", width=width, size=8.5, bold=True)
    return bold, theme.wrap(said, width=width, size=SMALL)


def _panel(
    case: _Case, scenario: str, *, heading: tuple[list[str], list[str]], width: float, top: float, height: float
) -> Any:
    """One scenario: heading, figures so far, two bands, the middle of the fan and the target."""
    bold, under = heading
    plane = Plane(
        left=26,
        right=width - 6,
        top=top,
        bottom=top + height,
        x=widened(float(case.past["year"].min()), float(case.year), share=0.04),
        y=case.y,
    )
    canvas = Canvas(width=width, height=plane.bottom + 14)
    canvas.text([{"x": 0.0, "y": 6.0 + 11 * i, "text": t} for i, t in enumerate(bold)], size=8.5, bold=True)
    first = 6.0 + 11 * len(bold)
    words = [{"x": 0.0, "y": first + 9.5 * i, "text": t, "colour": theme.QUIET} for i, t in enumerate(under)]
    canvas.text(words, size=SMALL)
    years = sorted({int(case.past["year"].min()), int(case.past["year"].max()), case.year})
    draw_axes(canvas, plane, x_title="", y_title="", x_ticks={float(year): str(year) for year in years})
    _bands(canvas, case, scenario, plane)
    target = plane.line(plane.x[0], case.target, plane.x[1], case.target)
    canvas.rules([target], width=1.2, colour=theme.INK, dash=[5, 3])
    _past(canvas, case, plane)
    return canvas.chart()


def _bands(canvas: Canvas, case: _Case, scenario: str, plane: Plane) -> None:
    """The outer band below the inner one, both from the newest figure on, and the middle."""
    newest = case.past.iloc[-1]
    start = {"year": newest["year"], "estimate": newest["value"], "lower": newest["value"], "upper": newest["value"]}
    mine = case.fan[case.fan["scenario"] == scenario]
    courses = []
    for level, fill in zip(sorted(mine["level"].unique(), reverse=True), _LEVELS, strict=True):
        rows = mine[mine["level"] == level].sort_values("year")
        courses = [start, *rows[["year", "estimate", "lower", "upper"]].to_dict("records")]
        edges = [(plane.at(r["year"], r["lower"]), plane.at(r["year"], r["upper"])["y"]) for r in courses]
        canvas.bands([{**foot, "y2": head} for foot, head in edges], fill=fill)
    canvas.course([plane.at(r["year"], r["estimate"]) for r in courses], width=1.3, colour=theme.DUO[0], dash=(3, 2))


def _past(canvas: Canvas, case: _Case, plane: Plane) -> None:
    """Dots and intervals of the years behind, joined where they follow each other without a break."""
    past = case.past
    years, values, segments = (past[c].to_numpy() for c in ("year", "value", "segment"))
    joined = [
        plane.line(years[i - 1], values[i - 1], years[i], values[i])
        for i in range(1, len(past))
        if years[i] - years[i - 1] == 1 and segments[i] == segments[i - 1]
    ]
    canvas.rules(joined, width=1.3, colour=theme.DUO[0])
    known = past[past[["lower", "upper"]].notna().all(axis=1)]
    whiskers = [plane.line(r.year, r.lower, r.year, r.upper) for r in known.itertuples()]
    canvas.rules(whiskers, width=1.0, colour=theme.DUO[0])
    breaks = past["year"].to_numpy(float)[past["segment"].diff().fillna(0).to_numpy() > 0]
    canvas.rules([plane.line(y - 0.5, plane.y[0], y - 0.5, plane.y[1]) for y in breaks], width=0.9, dash=[2, 2])
    texts = [
        {"x": plane.at(y - 0.5, plane.y[1])["x"], "y": plane.top - 4, "text": "break", "colour": theme.QUIET}
        for y in breaks
    ]
    canvas.text(texts, size=SMALL, align="center")
    dots = [{**plane.at(r.year, r.value), "shape": "circle", "fill": theme.DUO[0]} for r in past.itertuples()]
    canvas.points([{**dot, "colour": theme.DUO[0]} for dot in dots], area=18)


def _key(case: _Case, *, width: float) -> Any:
    goal = "target" if case.agreed else "level compared with"
    inner, outer = (f"{round(100 * level)}% of cases" for level in sorted(case.fan["level"].unique()))
    entries = [
        Entry(_SO_FAR.words, _SO_FAR),
        Entry("middle of the fan", stroke=theme.DUO[0], dash=(3, 2), thick=1.3),
        Entry(inner, swatch=_LEVELS[1]),
        Entry(outer, swatch=_LEVELS[0]),
        Entry(f"{goal}, {case.said(case.target)}", stroke=theme.INK, dash=(5, 3), thick=1.2),
    ]
    lines = laid_out(entries, width=width)
    canvas = Canvas(width=width, height=height_of(lines))
    draw_legend(canvas, lines)
    return canvas.chart()


def _chance_words(case: _Case, row: pd.Series) -> str:
    """The chance of being at the target or beyond, where there is one."""
    if not np.isfinite(row["chance"]):
        return ""
    goal = case.said(case.target)
    if case.agreed:
        return f", chance of reaching {goal}: {chance(float(row['chance']))}"
    side = "below" if case.indicator.direction < 0 else "above"
    return f", chance of {goal} or {side}: {chance(float(row['chance']))}"


def _data(case: _Case) -> pd.DataFrame:
    """Figures so far and the fans in one table: ``scenario`` is empty for the years behind."""
    columns = ["year", "scenario", "estimate", "lower", "upper", "level", "interval"]
    past = case.past.assign(estimate=case.past["value"], scenario="", interval="as published or estimated")
    return pd.concat([past[columns], case.fan[columns]], ignore_index=True).assign(target=case.target)
