"""A place's measures, each on the spread of all authorities, beside England, its region and its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import STANDING, Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.places.quantities import short_amount
from outcomes_analysis.places.verdicts import MANY, NOT_CLEAR
from outcomes_analysis.relations.sentences import with_capital
from outcomes_analysis.wording import associational, how_many, listed, plural

_ROW, _SIZE, _SMALL = 10.5, 8.0, 7.5
_FEWEST = 20  # authorities with a figure of the period, below which a spread means little
_OTHERS = {
    "similar": Kind("circle", theme.PAPER, "similar to England, or not clear"),
    "disputed": Kind("diamond", theme.NEUTRAL_AGAINST[0], "contested or neutral: not called better or worse"),
    "unjudged": Kind("cross", theme.QUIET, "not judged"),
}
_SPREAD, _MIDDLE = "#E3E3E3", "#BFBFBF"
_BESIDE = (
    Entry("region", stroke=theme.QUIET, dash=(2, 1.5)),
    Entry("neighbours", stroke=theme.QUIET),
    Entry("all authorities", swatch=_SPREAD),
    Entry("middle half of them", swatch=_MIDDLE),
)


@resizable
def spine_chart(
    profile: Any,
    *,
    domain: str,
    observations: pd.DataFrame | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw each measure of a domain on the spread of all authorities, England in the middle.

    Parameters
    ----------
    profile : AreaProfile
        Its ``table`` has ``indicator_id, name, unit, decimals, direction, contested, period, value, lower, upper,
        level, england, region, neighbours_centre, verdict``.
    domain : str
        Whose measures.
    observations : DataFrame, optional
        Figures of all authorities; the project's own release by default.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Right is better; for a contested or neutral measure right is higher, and the mark says so. Each spine is scaled
        by its own further end, so that lengths cannot be compared between measures.

    Raises
    ------
    FigureError
        If the profile has no measure of the domain that can be drawn.

    Notes
    -----
    A measure without a figure, without England's, or with one in fewer than 20 authorities is listed in the note.
    """
    table = profile.table[(profile.table["domain"] == domain)]
    spreads = _spreads(table, observations)
    usable = table["value"].notna() & table["england"].notna() & table["indicator_id"].isin(spreads.index)
    shown = table[usable].reset_index(drop=True)
    if shown.empty:
        message = f"{profile.name} has no figure on {domain!r} to set beside England and the other authorities."
        raise FigureError(message)
    placed = _placed(shown, spreads)
    width = body_width(size)
    canvas_chart = _drawn(shown, placed, width=width)
    kinds = placed["kind"]
    better, worse = int((kinds == "above").sum()), int((kinds == "below").sum())
    judged = int(kinds.isin(["above", "similar", "below"]).sum())
    title = associational(
        f"{profile.name}, {with_capital(domain.replace('_', ' '))}: clearly better than England on {how_many(better)} "
        f"of {plural(judged, 'measure', 'measures')}, clearly worse on {how_many(worse)}"
    )
    level = round(100 * float(shown["level"].dropna().iloc[0])) if shown["level"].notna().any() else 90
    left_out = sorted(table.loc[~usable, "name"])
    told = [
        f"{row.name_} {short_amount(row.value, unit=str(row.unit), decimals=int(row.decimals))}, England "
        f"{short_amount(row.england, unit=str(row.unit), decimals=int(row.decimals))}"
        for row in shown.rename(columns={"name": "name_"}).itertuples()
    ]
    kept = ["indicator_id", "name", "unit", "period", "value", "lower", "upper", "level", "england", "region",
            "neighbours_centre", "verdict"]  # fmt: skip
    return finished(
        canvas_chart,
        title=title,
        subtitle=f"Each measure from the lowest to the highest authority, turned so that right is better; {level}% "
        f"intervals; latest figures by {profile.period}",
        unit="as published, each measure in its own",
        source=source or figure_entry("spine").source,
        data_as_at=date_of(profile, data_as_at),
        alt=associational(f"One line a measure. {title}. {'; '.join(told)}."),
        data=shown[kept].join(spreads, on="indicator_id"),
        notes=(
            "Each line has its own scale: lengths cannot be compared between measures. * contested or no better "
            "direction: right is higher. \u201cClearly\u201d allows for how many comparisons are made.",
            f"Not drawn, for want of figures: {listed(left_out)}." if left_out else "",
        ),
        width=width,
        size=size,
    )


def _spreads(table: pd.DataFrame, observations: pd.DataFrame | None) -> pd.DataFrame:
    """Lowest, lower quartile, upper quartile and highest authority of each measure, in the period of the place."""
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    codes = upper_tier(ranked_only=True).index
    wanted = observations[
        observations["group_type"].eq("all")
        & observations["area_code"].isin(codes)
        & observations["indicator_id"].isin(table["indicator_id"])
        & observations["value"].notna()
    ]
    periods = table.set_index("indicator_id")["period"]
    same = wanted[wanted["period"].eq(wanted["indicator_id"].map(periods))]
    grouped = same.groupby("indicator_id")["value"]
    found = pd.DataFrame(
        {
            "lowest": grouped.min(),
            "lower_quartile": grouped.quantile(0.25),
            "upper_quartile": grouped.quantile(0.75),
            "highest": grouped.max(),
            "authorities": grouped.size(),
        }
    )
    return found[found["authorities"] >= _FEWEST]


def _placed(shown: pd.DataFrame, spreads: pd.DataFrame) -> pd.DataFrame:
    """Everything on a scale from -1 to 1 with England at 0 and better (or higher) to the right."""
    spread = spreads.loc[shown["indicator_id"]].reset_index(drop=True)
    england = shown["england"].to_numpy(float)
    agreed = (shown["contested"].fillna("") == "") & (shown["direction"] != 0)
    turn = np.where(agreed, shown["direction"], 1.0).astype(float)
    reach = np.maximum(np.abs(spread["highest"].to_numpy() - england), np.abs(spread["lowest"].to_numpy() - england))
    reach = np.maximum(reach, np.abs(shown["value"].to_numpy(float) - england))
    reach = np.where(reach > 0, reach, 1.0)
    out = pd.DataFrame(
        {
            name: np.clip(turn * (values.to_numpy(float) - england) / reach, -1, 1)
            for name, values in {
                "value": shown["value"],
                "lower": shown["lower"],
                "upper": shown["upper"],
                "region": shown["region"],
                "neighbours": shown["neighbours_centre"],
                **{c: spread[c] for c in ("lowest", "lower_quartile", "upper_quartile", "highest")},
            }.items()
        }
    )
    alike = dict.fromkeys(("similar", NOT_CLEAR, MANY), "similar")
    words = shown["verdict"].map({"better": "above", "worse": "below", **alike}).fillna("unjudged")
    return out.assign(kind=np.where(agreed, words, "disputed"))


def _drawn(shown: pd.DataFrame, placed: pd.DataFrame, *, width: float) -> Any:
    """Names, the two numbers, and the spine of every measure."""
    numbers = 44.0 if width > 300 else 0.0
    left = round(width * (0.38 if numbers else 0.42))
    start = left + 2 * numbers + (8 if numbers else 0)
    middle, half = (start + width) / 2, (width - start) / 2 - 5
    found = set(placed["kind"])
    kinds = {**STANDING, **{key: kind for key, kind in _OTHERS.items() if key in found}}
    labels = [
        theme.wrap(f"{name}{'*' if kind == 'disputed' else ''}", width=left - 8, size=_SIZE)
        for name, kind in zip(shown["name"], placed["kind"], strict=True)
    ]
    key = laid_out([*(Entry(kind.words, kind) for kind in kinds.values()), *_BESIDE], width=width)
    top = height_of(key) + 13
    heights = [max(15.0, _ROW * len(lines) + 4) for lines in labels]
    canvas = Canvas(width=width, height=top + sum(heights) + 14)
    draw_legend(canvas, key)
    boxes, lines, points, texts = [], [], [], []
    regions: list[dict[str, Any]] = []
    near: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    y = top
    for i in range(len(placed)):
        row, place, height = placed.iloc[i], shown.iloc[i], heights[i]
        centre = y + height / 2
        x = {name: round(middle + half * float(row[name]), 2) for name in placed.columns if name != "kind"}
        for low, high, fill in (("lowest", "highest", _SPREAD), ("lower_quartile", "upper_quartile", _MIDDLE)):
            ends = sorted((x[low], x[high]))
            boxes.append({"x": ends[0], "x2": ends[1], "y": centre - 4.5, "y2": centre + 4.5, "fill": fill})
        kind = kinds[str(row["kind"])]
        if np.isfinite(row["lower"]) and np.isfinite(row["upper"]):
            lines.append({"x": x["lower"], "x2": x["upper"], "y": centre, "y2": centre, "colour": kind.edge})
        points.append({"x": x["value"], "y": centre, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge})
        for name, strokes in (("region", regions), ("neighbours", near)):
            if np.isfinite(row[name]):
                strokes.append({"x": x[name], "x2": x[name], "y": centre - 5.5, "y2": centre + 5.5})
        first = centre - _ROW * (len(labels[i]) - 1) / 2
        texts += [{"x": 0.0, "y": first + _ROW * j, "text": t} for j, t in enumerate(labels[i])]
        if numbers:
            unit, decimals = str(place["unit"]), min(int(place["decimals"]), 2)
            for k, column in enumerate(("value", "england")):
                text = short_amount(float(place[column]), unit=unit, decimals=decimals)
                values.append({"x": left + (k + 1) * numbers, "y": centre, "text": text})
        y += height
    canvas.boxes(boxes)
    canvas.rules([{"x": middle, "x2": middle, "y": top - 3, "y2": y + 1}], width=1.0, colour=theme.INK)
    canvas.rules(regions, width=1.6, colour=theme.QUIET, dash=[2, 1.5])
    canvas.rules(near, width=1.6, colour=theme.QUIET)
    canvas.rules(lines, width=1.3)
    canvas.points(points, area=30)
    canvas.text(texts, size=_SIZE)
    canvas.text(values, size=_SMALL, align="right")
    if numbers:
        heads = [("Here", left + numbers), ("England", left + 2 * numbers)]
        canvas.text([{"x": x, "y": top - 8, "text": t} for t, x in heads], size=_SMALL, align="right", bold=True)
    canvas.text([{"x": start + 3, "y": y + 7, "text": "worse", "colour": theme.QUIET}], size=_SMALL)
    canvas.text([{"x": width - 2, "y": y + 7, "text": "better", "colour": theme.QUIET}], size=_SMALL, align="right")
    canvas.text([{"x": middle, "y": y + 7, "text": "England", "colour": theme.QUIET}], size=_SMALL, align="center")
    return canvas.chart()
