"""Long lists that print: places grouped by region, regions spread over columns of about equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd

from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.placing import across, as_given, placed, plain_rows

# North to south, as the publishers list them; other regions follow by name.
REGION_ORDER = (
    "North East", "North West", "Yorkshire and The Humber", "East Midlands", "West Midlands", "East of England",
    "London", "South East", "South West",
)  # fmt: skip
HEADING_ROWS = 1.9  # height of a region's heading with the space above it, in rows
_SHORTER = {  # the first that fits is printed
    "Bournemouth, Christchurch and Poole": ("Bournemouth, C. & P.", "B\u2019mouth, C. & P."),
    "Bath and North East Somerset": ("Bath & NE Somerset",),
    "Kingston upon Hull, City of": ("Kingston upon Hull", "Hull"),
    "Westmorland and Furness": ("Westmorland & Furness", "Westmorland & F."),
    "Cheshire West and Chester": ("Cheshire West & Chester", "Cheshire W. & C."),
    "East Riding of Yorkshire": ("East Riding",),
    "Herefordshire, County of": ("Herefordshire",),
    "North East Lincolnshire": ("NE Lincolnshire",),
    "Windsor and Maidenhead": ("Windsor & M\u2019head",),
    "Blackburn with Darwen": ("Blackburn w. Darwen", "Blackburn w. D."),
    "Hammersmith and Fulham": ("Hammersmith & F.",),
    "Kensington and Chelsea": ("Kensington & C.",),
    "Kingston upon Thames": ("Kingston u. Thames",),
    "Richmond upon Thames": ("Richmond u. Thames",),
    "Newcastle upon Tyne": ("Newcastle u. Tyne", "Newcastle"),
    "North Northamptonshire": ("N. Northamptonshire", "N. Northants"),
    "West Northamptonshire": ("W. Northamptonshire", "W. Northants"),
    "South Gloucestershire": ("S. Gloucestershire", "S. Gloucs"),
    "Central Bedfordshire": ("Central Beds",),
    "Redcar and Cleveland": ("Redcar & Cleveland", "Redcar & Clev."),
    "Barking and Dagenham": ("Barking & Dagenham", "Barking & Dag."),
    "Brighton and Hove": ("Brighton & Hove",),
    "Telford and Wrekin": ("Telford & Wrekin",),
    "Stockton-on-Tees": ("Stockton",),
    "Bristol, City of": ("Bristol",),
    "Yorkshire and The Humber": ("Yorkshire & Humber", "Yorks & Humber"),
}


@dataclass(frozen=True)
class Columns:
    """Where every row and heading stands.

    Attributes
    ----------
    rows : DataFrame
        The rows given, with ``column`` (from 0) and ``line`` (position in rows from the top, at the row's middle).
    headings : DataFrame
        ``region, column, line, first, last``: where the heading stands, and the lines its rows span.
    length : float
        Rows in the longest column, headings counted.
    """

    rows: pd.DataFrame
    headings: pd.DataFrame
    length: float


def region_rank(region: str) -> tuple[int, str]:
    """Sort key that puts England's regions from north to south."""
    return (REGION_ORDER.index(region) if region in REGION_ORDER else len(REGION_ORDER), region)


def spread(sizes: Sequence[int], *, columns: int) -> list[int]:
    """Column of each group, so that the longest column is as short as can be and groups stay nearly in order.

    Every way is tried where there are at most ten groups; with more, each goes in turn to the shortest column.
    """
    if len(sizes) > 10:
        heights = [0.0] * columns
        chosen = []
        for size in sizes:
            column = heights.index(min(heights))
            heights[column] += size + HEADING_ROWS
            chosen.append(column)
        return chosen

    def badness(way: tuple[int, ...]) -> tuple[float, int]:
        heights = [0.0] * columns
        for size, column in zip(sizes, way, strict=True):
            heights[column] += size + HEADING_ROWS
        backwards = sum(way[i] > way[j] for i in range(len(way)) for j in range(i + 1, len(way)))
        return (max(heights), backwards)

    return list(min((badness(way), way) for way in product(range(columns), repeat=len(sizes)))[1])


def place(rows: pd.DataFrame, *, columns: int = 3) -> Columns:
    """Stand rows under their regions, in the order given within each region."""
    grouped = rows.assign(region_name=rows["region_name"].fillna("No region"))
    regions = sorted(grouped["region_name"].unique(), key=region_rank)
    sizes = [int((grouped["region_name"] == region).sum()) for region in regions]
    reached = [0.0] * columns
    parts, headings = [], []
    for region, column in zip(regions, spread(sizes, columns=columns), strict=True):
        part = grouped[grouped["region_name"] == region].copy()
        top = reached[column]
        part["column"] = column
        part["line"] = [top + HEADING_ROWS + i + 0.5 for i in range(len(part))]
        first = top + HEADING_ROWS
        headings.append(
            {
                "region": region,
                "column": column,
                "line": top + HEADING_ROWS - 0.75,
                "first": first,
                "last": first + len(part),
            }
        )
        reached[column] = first + len(part)
        parts.append(part)
    return Columns(pd.concat(parts, ignore_index=True), pd.DataFrame(headings), max(reached))


def printed_name(name: str, *, width: float, size: float, bold: bool = False) -> str:
    """Name of a place or region that fits a width: its usual short form first, cut only where none fits."""
    forms = (name, *_SHORTER.get(name, ()))
    fitting = (form for form in forms if theme.text_width(form, size=size, bold=bold) <= width)
    return next(fitting, theme.shorten(forms[-1], width=width, size=size, bold=bold))


class Canvas:
    """Marks at given pixels, for charts that are laid out like a page and not along axes."""

    def __init__(self, *, width: float, height: float) -> None:
        self.size = {"width": width, "height": height}
        self.layers: list[dict[str, Any]] = []

    def _add(self, rows: list[dict[str, Any]], mark: dict[str, Any], *names: str, **channels: Any) -> None:
        places = {name: across(name, axis=not name.endswith("2")) for name in names}
        self.layers.append({"data": {"values": plain_rows(rows)}, "mark": mark, "encoding": {**channels, **places}})

    def text(self, rows: list[dict[str, Any]], *, size: float, align: str = "left", bold: bool = False) -> None:
        """Texts: ``x, y, text`` and, if wanted, ``colour``."""
        if not rows:
            return
        mark = {
            "type": "text",
            "align": align,
            "baseline": "middle",
            "fontSize": size,
            "fontWeight": "bold" if bold else "normal",
        }
        coloured = {"color": as_given("colour")} if "colour" in rows[0] else {}
        self._add(rows, mark, "x", "y", **coloured, text={"field": "text", "type": "nominal"})

    def rules(self, rows: list[dict[str, Any]], *, width: float, colour: str = theme.RULE, dash: Any = None) -> None:
        """Lines: ``x, y, x2, y2`` and, if wanted, ``colour``."""
        if not rows:
            return
        dashed = {"strokeDash": list(dash)} if dash else {}
        coloured = {"stroke": as_given("colour")} if "colour" in rows[0] else {}
        mark = {"type": "rule", "stroke": colour, **dashed, "strokeWidth": width}
        self._add(rows, mark, "x", "y", "x2", "y2", **coloured)

    def boxes(self, rows: list[dict[str, Any]]) -> None:
        """Rectangles: ``x, y, x2, y2, fill``."""
        if rows:
            mark = {"type": "rect", "stroke": theme.PAPER, "strokeWidth": 0.6}
            self._add(rows, mark, "x", "y", "x2", "y2", fill=as_given("fill"))

    def bands(self, rows: list[dict[str, Any]], *, fill: str) -> None:
        """One area between two courses: ``x, y, y2`` from left to right."""
        if rows:  # an order channel would cut the area into one empty piece a point
            self._add(rows, {"type": "area", "fill": fill}, "x", "y", "y2")

    def course(self, rows: list[dict[str, Any]], *, width: float, colour: str, dash: Sequence[float] = ()) -> None:
        """One line through points in the order given: ``x, y``."""
        if rows:
            dashed = {"strokeDash": list(dash)} if dash else {}
            mark = {"type": "line", "stroke": colour, **dashed, "strokeWidth": width}
            ordered = [{**row, "place": i} for i, row in enumerate(rows)]
            self._add(ordered, mark, "x", "y", order={"field": "place", "type": "quantitative"})

    def points(self, rows: list[dict[str, Any]], *, area: float) -> None:
        """Points: ``x, y, shape, fill, colour``."""
        if rows:
            given = {"fill": as_given("fill"), "shape": as_given("shape"), "stroke": as_given("colour")}
            self._add(rows, {"type": "point", "filled": True, "size": area, "strokeWidth": 0.9}, "x", "y", **given)

    def chart(self) -> Any:
        """All marks, the first below."""
        return placed({"layer": list(self.layers), **self.size})
