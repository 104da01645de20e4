"""Pictures of how two outcomes relate across areas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures.charts.lines import STRONG_PULL, Line, fitted_line, steady_line, strongest_pull
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import Figure, compose, footer_texts
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, listed, number, plural

if TYPE_CHECKING:
    from outcomes_analysis.framework.model import Framework, Indicator
    from outcomes_analysis.relations.result import RelationResult

_LONDON = {True: ("diamond", theme.DUO[1], "London borough"), False: ("circle", theme.DUO[0], "other authority")}
_HEIGHT = 300
_DASHES = [4, 3]
_LEFT = 40  # room for the labels and title of the vertical axis


def scatter(
    result: RelationResult,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    named: int = 4,
    source: str | None = None,
    data_as_at: str | None = None,
    register_id: str = "admissions-attainment",
) -> Figure:
    """One point an area for the two figures of an association, London marked by shape, with the line and its band.

    Parameters
    ----------
    result : RelationResult
        The answer to the question; its ``data`` are the areas drawn.
    observations : DataFrame, optional
        The tidy table; gives the figures' own intervals, drawn faintly. Without it no intervals are drawn.
    framework : Framework, optional
        For the figures' names and units; the default one where not given.
    named : int
        Areas to name: those farthest from the middle.
    source, data_as_at : str, optional
        Words on the figure; taken from the result and the register where not given.
    register_id : str
        Entry of the register that gives the source line where the result does not say what it was read from.

    Returns
    -------
    Figure
        Title: whether higher goes with higher or lower, as the figures stand and among places similar in what is
        allowed for, by the intervals of the rank correlations; these stand under it. Two lines: least
        squares with its band, and one that single areas hardly move; a note names the area that pulls the first.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    x, y = framework.indicator(result.spec.predictor), framework.indicator(result.spec.outcome)
    points = _points(result, x=x.id, y=y.id, observations=observations)
    at = points["x"].to_numpy(float), points["y"].to_numpy(float)
    line, steady = fitted_line(*at), steady_line(*at)
    width = theme.width_of("page")
    periods: Mapping[str, str] = result.diagnostics.get("periods", {})
    axes = {"x": _axis_title(x, periods), "y": _axis_title(y, periods)}
    body = _body(points, line, steady, **axes, named=named, width=width)
    title = _title(result, x=x, y=y, framework=framework)
    subtitle = _subtitle(result, x=x, y=y, framework=framework)
    has_bars = bool(points[["x_lower", "y_lower"]].notna().any().any())
    notes = _notes(points, x=x, y=y, bars=has_bars, effective=_effective(result))
    as_at = data_as_at or _as_at(result, x.id, y.id)
    origin = source or _read_from(result, x.id, y.id) or figure_entry(register_id).source
    return Figure(
        chart=compose(
            body,
            title=title,
            subtitle=subtitle,
            footer=footer_texts(origin, as_at, notes),
            width=width,
            outdent=_LEFT,
        ),
        title=title,
        subtitle=subtitle,
        unit=f"{x.unit}; {y.unit}",
        source=origin,
        data_as_at=as_at,
        alt=_alt(points, title=title, subtitle=subtitle, x=x, y=y),
        data=points.drop(columns=["shape", "fill"]).rename(columns=_column_names(x.id, y.id)),
        notes=notes,
    )


def _column_names(x: str, y: str) -> dict[str, str]:
    ends = ("", "_lower", "_upper")
    return {f"x{end}": f"{x}{end}" for end in ends} | {f"y{end}": f"{y}{end}" for end in ends}


def _points(result: RelationResult, *, x: str, y: str, observations: pd.DataFrame | None) -> pd.DataFrame:
    data = result.data
    lacking = [c for c in ("area_name", "region_name", "london", x, y) if c not in data.columns]
    if lacking:
        message = f"The relation's data lack {several(lacking)}; a scatter plot needs them."
        raise FigureError(message)
    points = data[["area_name", "region_name", "london"]].assign(x=data[x], y=data[y])
    points = points[points[["x", "y"]].notna().all(axis=1)].sort_index()
    periods = result.diagnostics.get("periods", {})
    for axis, indicator in (("x", x), ("y", y)):
        bounds = _bounds(observations, indicator=indicator, period=periods.get(indicator))
        points[f"{axis}_lower"] = bounds["lower"].reindex(points.index)
        points[f"{axis}_upper"] = bounds["upper"].reindex(points.index)
    points["shape"] = [_LONDON[bool(v)][0] for v in points["london"]]
    points["fill"] = [_LONDON[bool(v)][1] for v in points["london"]]
    return points.rename_axis("area_code").reset_index()


def _bounds(observations: pd.DataFrame | None, *, indicator: str, period: str | None) -> pd.DataFrame:
    if observations is None:
        return pd.DataFrame({"lower": pd.Series(dtype=float), "upper": pd.Series(dtype=float)})
    wanted = (observations["indicator_id"] == indicator) & (observations["group"] == "all")
    if period is not None:
        wanted &= observations["period"] == period
    return observations.loc[wanted].drop_duplicates("area_code", keep="last").set_index("area_code")[["lower", "upper"]]


def _axis_title(indicator: Indicator, periods: Mapping[str, str]) -> list[str]:
    period = f", {periods[indicator.id]}" if indicator.id in periods else ""
    unit = "" if indicator.unit.lower() in indicator.name.lower() else f", {indicator.unit}"
    return theme.wrap(f"{indicator.name}{unit}{period}", width=_HEIGHT + 40, size=9)


def _body(
    points: pd.DataFrame, line: Line, steady: pd.DataFrame, *, x: list[str], y: list[str], named: int, width: float
) -> Any:
    alt = theme.altair()
    size = {"width": width - _LEFT - 8, "height": _HEIGHT}
    frame = _Window(points, width=size["width"], height=size["height"])
    across = alt.X("x:Q", scale=alt.Scale(domain=frame.x, nice=False), title=x, axis=alt.Axis(grid=False, tickCount=7))
    upward = alt.Axis(tickCount=6, minExtent=20, maxExtent=20)
    up = alt.Y("y:Q", scale=alt.Scale(domain=frame.y, nice=False), title=y, axis=upward)
    layers = []
    faint = {"stroke": "#D0D5DB", "strokeWidth": 0.6}
    for axis in ("x", "y"):
        ends = _ends(points, axis)
        if len(ends):
            layers.append(
                alt.Chart(ends, **size).mark_rule(**faint).encode(x=across, y=up, **{f"{axis}2": f"{axis}2:Q"})
            )
    band = alt.Chart(line.table.rename(columns={"lower": "y"}), **size)
    layers.append(band.mark_area(color="#BFBFBF", opacity=0.55, clip=True).encode(x=across, y=up, y2="upper:Q"))
    middle = alt.Chart(line.table.rename(columns={"estimate": "y"})[["x", "y"]], **size)
    layers.append(middle.mark_line(color=theme.INK, strokeWidth=1.3, clip=True).encode(x=across, y=up))
    robust = alt.Chart(steady.rename(columns={"estimate": "y"}), **size)
    layers.append(
        robust.mark_line(color=theme.INK, strokeWidth=1.3, strokeDash=_DASHES, clip=True).encode(x=across, y=up)
    )
    marks = alt.Chart(points[["x", "y", "shape", "fill"]], **size)
    layers.append(
        marks.mark_point(filled=True, size=28, stroke=theme.PAPER, strokeWidth=0.5).encode(
            x=across, y=up, shape=alt.Shape("shape:N", scale=None), fill=alt.Fill("fill:N", scale=None)
        )
    )
    layers += _names(points, frame, count=named, size=size, x=across, y=up)
    return alt.vconcat(_key(points, line, width=size["width"]), alt.layer(*layers), spacing=4)


class _Window:
    """The part of the plane drawn, a little wider than points and intervals, and where things fall in pixels."""

    def __init__(self, points: pd.DataFrame, *, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.x, self.y = self._span(points, "x"), self._span(points, "y")

    @staticmethod
    def _span(points: pd.DataFrame, axis: str) -> list[float]:
        ends = points[[axis, f"{axis}_lower", f"{axis}_upper"]]
        low, high = float(ends.min().min()), float(ends.max().max())
        room = 0.03 * (high - low)
        return [low - room, high + room]

    def pixels(self, points: pd.DataFrame) -> pd.DataFrame:
        """Pixels from the left and top."""
        across = (points["x"] - self.x[0]) / (self.x[1] - self.x[0]) * self.width
        down = (self.y[1] - points["y"]) / (self.y[1] - self.y[0]) * self.height
        return pd.DataFrame({"x": across, "y": down})


def _ends(points: pd.DataFrame, axis: str) -> pd.DataFrame:
    other = "y" if axis == "x" else "x"
    known = points[points[[f"{axis}_lower", f"{axis}_upper"]].notna().all(axis=1)]
    return pd.DataFrame({axis: known[f"{axis}_lower"], f"{axis}2": known[f"{axis}_upper"], other: known[other]})


def _names(points: pd.DataFrame, frame: _Window, *, count: int, size: Mapping[str, float], x: Any, y: Any) -> list[Any]:
    """Names of the areas farthest from the middle, each on the side where it covers fewest points and no other name."""
    alt = theme.altair()
    at = frame.pixels(points)
    far = np.hypot(at["x"] - at["x"].median(), at["y"] - at["y"].median()).sort_values(ascending=False, kind="stable")
    taken: list[tuple[float, float, float, float]] = []
    chosen: list[tuple[int, int]] = []
    for i in far.index:
        if len(chosen) == count:
            break
        span = theme.text_width(str(points.at[i, "area_name"]), size=8) + 8
        found = _free_side(at, at.loc[i], span, taken, width=frame.width)
        if found:
            side, box = found
            taken.append(box)
            chosen.append((i, side))
    layers = []
    for side in (-1, 1):
        part = points.loc[[i for i, chosen_side in chosen if chosen_side == side], ["x", "y", "area_name"]]
        if part.empty:
            continue
        mark = {"align": "left" if side > 0 else "right", "dx": 6 * side, "fontSize": 8, "baseline": "middle"}
        for halo in ({"stroke": theme.PAPER, "strokeWidth": 2.5, "strokeJoin": "round"}, {}):
            layers.append(alt.Chart(part, **size).mark_text(**mark, **halo).encode(x=x, y=y, text="area_name:N"))
    return layers


def _free_side(
    at: pd.DataFrame, here: pd.Series, span: float, taken: list[tuple[float, float, float, float]], *, width: float
) -> tuple[int, tuple[float, float, float, float]] | None:
    """Side of a point (1 right, -1 left) on which a name fits, with the box it fills; None where it fits on neither."""
    best: tuple[int, int, tuple[float, float, float, float]] | None = None
    for side in (1, -1):
        west, east = sorted((here["x"] + 4 * side, here["x"] + (4 + span) * side))
        box = (west, here["y"] - 6, east, here["y"] + 6)
        outside = west < 0 or east > width
        if outside or any(_overlap(box, other) for other in taken):
            continue
        covered = int((at["x"].between(box[0], box[2]) & at["y"].between(box[1], box[3])).sum())
        if covered <= 1 and (best is None or covered < best[0]):
            best = (covered, side, box)
    return best[1:] if best else None


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _key(points: pd.DataFrame, line: Line, *, width: float) -> Any:
    from outcomes_analysis.figures.drawing.columns import Canvas

    canvas = Canvas(width=width, height=32)
    marks, texts, at = [], [], 5.0
    counts = points["london"].astype(bool).value_counts()
    for london in (False, True):
        shape, fill, words = _LONDON[london]
        if london in counts.index:
            marks.append({"x": at, "y": 8, "shape": shape, "fill": fill, "colour": theme.PAPER})
            texts.append({"x": at + 7, "y": 8, "text": f"{words} ({counts[london]})"})
            at += 26 + theme.text_width(str(texts[-1]["text"]), size=8.5)
    canvas.boxes([{"x": 1, "x2": 19, "y": 18.5, "y2": 29.5, "fill": "#D9D9D9"}])
    canvas.rules([{"x": 1, "x2": 19, "y": 24, "y2": 24}], width=1.3, colour=theme.INK)
    texts.append(
        {"x": 24, "y": 24, "text": f"least-squares line, {round(100 * line.level)}% band (places as separate)"}
    )
    at = 48 + theme.text_width(str(texts[-1]["text"]), size=8.5)
    dashes = [{"x": at + k, "x2": at + k + 4, "y": 24, "y2": 24} for k in (0, 7, 14)]
    canvas.rules(dashes, width=1.3, colour=theme.INK)
    texts.append({"x": at + 23, "y": 24, "text": "median slope of all pairs of places (steadier)"})
    canvas.points(marks, area=34)
    canvas.text(texts, size=8.5)
    return canvas.chart()


def _title(result: RelationResult, *, x: Indicator, y: Indicator, framework: Framework) -> str:
    from outcomes_analysis.relations import headlines, sentences

    names = {i: sentences.short_name(framework.indicator(i)) for i in result.spec.roles}
    return headlines.title_of(result.table, pair=(names[x.id], names[y.id]), names=names)


def _subtitle(result: RelationResult, *, x: Indicator, y: Indicator, framework: Framework) -> str:
    from outcomes_analysis.relations import headlines, sentences
    from outcomes_analysis.relations.result import headline_row

    row = headline_row(result.table)
    where = f"{plural(int(row['n']), 'upper-tier local authority', 'upper-tier local authorities')} in England"
    disputed = [sentences.short_name(i) for i in (x, y) if i.contested]
    trial = list(dict.fromkeys(d for i in (x, y) if (d := sentences.experimental_domain(i, framework=framework))))
    mark = f". Contested: people disagree which way is better for {listed(disputed)}" if disputed else ""
    mark += f". Experimental: the domain {listed(trial)}" if trial else ""
    if row["status"] != "computed":
        return f"{where}; measured in {result.spec.year}{mark}"
    names = {i: sentences.short_name(framework.indicator(i)) for i in result.spec.roles}
    numbers = headlines.numbers_of(result.table, names=names)
    return f"Rank correlation {numbers}; {where}; measured in {result.spec.year}{mark}"


def _used(result: RelationResult, *indicators: str) -> list[str]:
    """Sources of these figures, each once; none where the result does not say."""
    read: Mapping[str, tuple[str, ...]] = result.diagnostics.get("read_from", {})
    return list(dict.fromkeys(source for i in indicators for source in read.get(i, ())))


def _as_at(result: RelationResult, *indicators: str) -> str:
    """Date of the figures drawn, not of those allowed for."""
    from outcomes_analysis.sources.release import data_as_at

    return data_as_at(_used(result, *indicators)) or str(getattr(result.manifest, "data_as_at", "") or "")


def _read_from(result: RelationResult, *indicators: str) -> str:
    """Title and publisher of the files that the two figures were read from; empty where the result does not say."""
    from outcomes_analysis.sources.release import read_manifest

    used = _used(result, *indicators)
    listed_sources = read_manifest()["sources"]
    known = {s["id"]: s for s in listed_sources} if isinstance(listed_sources, list) else {}
    lines = [f"{known[s]['title']} ({known[s]['publisher']}), {known[s]['licence']}" for s in used if s in known]
    return "; ".join([*lines, *(["local figures"] if set(used) - set(known) else [])])


def _effective(result: RelationResult) -> float:
    """How many separate areas the areas are worth, of the plain association; NaN where not known."""
    return float(result.diagnostics.get("effective", {}).get(("", "all"), np.nan))


def _notes(
    points: pd.DataFrame, *, x: Indicator, y: Indicator, bars: bool, effective: float = float("nan")
) -> tuple[str, ...]:
    from outcomes_analysis.relations import sentences

    faint = "Faint lines: intervals of the figures themselves." if bars else ""
    band = "The grey band takes authorities as separate, although neighbours resemble each other."
    if effective < len(points):
        wider = number(float(np.sqrt(len(points) / effective)), 1)
        band += (
            f" The intervals under the title allow for that: the {len(points)} are worth about {effective:.0f} "
            f"separate ones, so the band should be some {wider} times as wide."
        )
    drawing = " ".join(text for text in (_pull_note(points, x=x, y=y), band, _axes_note(points), faint) if text)
    return tuple(
        text for text in (sentences.opening(x, y), AREAS_NOT_CHILDREN, sentences.basis_sentence(x, y), drawing) if text
    )


def _pull_note(points: pd.DataFrame, *, x: Indicator, y: Indicator) -> str:
    """Name the area that pulls the least-squares line, where one moves its slope by half a standard error or more."""
    from outcomes_analysis.relations.slopes.regressing import NaturalUnit

    pull = strongest_pull(points["x"].to_numpy(float), points["y"].to_numpy(float))
    if abs(pull.strength) < STRONG_PULL:
        return ""
    unit = NaturalUnit(x, y, points.rename(columns={"x": x.id, "y": y.id}))
    slopes = [number(unit.step * slope, 2) for slope in (pull.slope_without, pull.slope)]
    return (
        f"{points['area_name'].iloc[pull.row]} pulls the least-squares line most: its slope is {slopes[1]} "
        f"with it and {slopes[0]} without, in {unit.words}."
    )


def _axes_note(points: pd.DataFrame) -> str:
    """Which of the two axes leaves out zero."""
    window = _Window(points, width=1, height=1)
    outside = [name for name, (low, high) in (("horizontal", window.x), ("vertical", window.y)) if low > 0 or high < 0]
    if len(outside) == 2:
        return "Neither axis starts at zero."
    return f"The {outside[0]} axis does not start at zero." if outside else ""


def _alt(points: pd.DataFrame, *, title: str, subtitle: str, x: Indicator, y: Indicator) -> str:
    spans = [
        f"{name} runs from {points[axis].min():,.{indicator.decimals}f} to {points[axis].max():,.{indicator.decimals}f}"
        for axis, indicator, name in (("x", x, x.name), ("y", y, y.name))
    ]
    london = int(points["london"].astype(bool).sum())
    return (
        f"Scatter plot of {plural(len(points), 'authority', 'authorities')}, {london} of them in London. {title}. "
        f"{subtitle}. {'; '.join(spans)}. {AREAS_NOT_CHILDREN}"
    )
