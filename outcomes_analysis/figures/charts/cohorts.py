"""The early years by cohort: a row for each year of birth, a column for each stage, every figure beside England's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import findings
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import STANDING, Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.drawing.rows import body_width, ticks
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.places.pathway import FEWEST_STAGES, NOBODY, NOT_YET
from outcomes_analysis.places.quantities import PERCENT, short_amount
from outcomes_analysis.places.verdicts import MANY, NOT_CLEAR
from outcomes_analysis.relations.sentences import in_sentence
from outcomes_analysis.wording import associational, listed, signed

_ROW, _SIZE, _SMALL, _LEADING = 13.0, 8.0, 7.5, 9.5
_LABELS, _GAP = 42.0, 12.0
_NARROWEST = 55.0  # pixels of a stage in which an interval can still be read; with fewer, stages stand in two bands
_BREAK: dict[str, Any] = {"width": 1.2, "colour": theme.INK, "dash": [4, 2.5]}
_EMPTY = "#EDEDED"
_KINDS = {
    "above": STANDING["above"],
    "similar": Kind("circle", theme.QUIET, "similar to England"),
    "unclear": STANDING["similar"],
    "below": STANDING["below"],
    "unjudged": Kind("cross", theme.QUIET, "not judged"),
}
_SAID = {"above": "clearly better on", "below": "clearly worse on", "similar": "similar on", "unclear": "not clear on",
         "unjudged": "not judged on"}  # fmt: skip
_WORDS = {  # over the column, and inside a sentence
    "birth": ("low birth weight", "low birth weight"),
    "review": ("reviews with the questionnaire", "use of the questionnaire at 2"),
    "reception": ("good level of development", "development at 5"),
    "year_1": ("phonics", "phonics at 6"),
    "year_6": ("Key Stage 2", "Key Stage 2 at 11"),
}
_SERVICE = "review"
_ORDER = {stage: place for place, stage in enumerate(_WORDS)}
_ABSENT = {NOT_YET: "not yet", NOBODY: "nowhere"}
_HERE = "not here"


@resizable
def early_years(
    pathway: Any, *, source: str | None = None, data_as_at: str | None = None, size: theme.Size = "page"
) -> Figure:
    """Draw how far each stage of each cohort stands from England in the year the cohort passed it.

    Parameters
    ----------
    pathway : Pathway
        From :func:`outcomes_analysis.places.early_years_pathway`; its ``table`` has ``cohort, stage, age, name, unit,
        decimals, direction, period, value, lower, upper, level, england, standing, reason, segment, break_reason``.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Differences in percentage points, England's figure taken as known, from the first cohort with figures at two
        stages to the last with any. No line joins stages, which are different measures, nor years across a break. Right
        is better; each stage has its own scale. What is missing is said in its place.

    Raises
    ------
    FigureError
        If no cohort has figures at two stages.
    """
    shown = _shown(pathway)
    width = body_width(size)
    level = round(100 * findings.level_of(shown))
    title = associational(f"{pathway.name}, newest figures beside England: {_finding(shown)}")
    newest = _newest(shown)
    told = [
        f"{row.name_} ({row.period}) {short_amount(row.value, unit=PERCENT, decimals=int(row.decimals))}, England "
        f"{short_amount(row.england, unit=PERCENT, decimals=int(row.decimals))}"
        for row in newest.rename(columns={"name": "name_"}).itertuples()
    ]
    first, last = (str(shown["cohort"].iloc[i]) for i in (0, -1))
    kept = ["cohort", "stage", "name", "period", "value", "lower", "upper", "level", "england", "difference",
            "difference_lower", "difference_upper", "standing", "reason", "segment"]  # fmt: skip
    return finished(
        _drawn(shown, width=width),
        title=title,
        subtitle=f"Percentage points from England, {level}% intervals; children born in the school years {first} to "
        f"{last}, each stage in the year they passed it",
        unit="percentage points from England",
        source=source or figure_entry("early-years").source,
        data_as_at=date_of(pathway, data_as_at),
        alt=associational(
            f"A row for each cohort and a column for each stage from birth to age 11. {title}. {'; '.join(told)}."
        ),
        data=shown[kept],
        notes=_notes(shown),
        width=width,
        size=size,
    )


def _shown(pathway: Any) -> pd.DataFrame:
    """Rows from the first cohort with enough stages to the last with any figure, with differences to England."""
    table = pathway.table
    table = table[table["unit"].eq(PERCENT)] if len(table) else table
    count = table[table["value"].notna()].groupby("cohort").size() if len(table) else pd.Series(dtype=int)
    enough = count.index[count >= FEWEST_STAGES]
    if enough.empty:
        message = f"{pathway.name} has no cohort with figures at {FEWEST_STAGES} stages: there is nothing to draw."
        raise FigureError(message)
    shown = table[table["cohort"].between(enough.min(), count.index.max())].reset_index(drop=True)
    for column, end in (("difference", "value"), ("difference_lower", "lower"), ("difference_upper", "upper")):
        shown[column] = shown[end] - shown["england"]
    return shown


def _newest(shown: pd.DataFrame) -> pd.DataFrame:
    """Newest figure of every stage, from birth on."""
    return _in_order(shown[shown["difference"].notna()].groupby("stage", sort=False).tail(1))


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("stage", key=lambda stages: stages.map(_ORDER), kind="stable")


def _kind(row: Mapping[Any, Any]) -> str:
    """Mark of a figure, turned so that above is better."""
    stands = str(row["standing"])
    if stands in ("above", "below"):
        return "above" if (stands == "above") == (row["direction"] > 0) else "below"
    return "similar" if stands == "similar" else "unclear" if stands in (NOT_CLEAR, MANY) else "unjudged"


def _finding(shown: pd.DataFrame) -> str:
    """How the newest figures of the children stand; what the review's questionnaire says is no outcome of theirs."""
    newest = _newest(shown)
    kinds = [
        (_kind(row), _WORDS[str(row["stage"])][1]) for row in newest.to_dict("records") if row["stage"] != _SERVICE
    ]
    groups = {said: [words for kind, words in kinds if kind == key] for key, said in _SAID.items()}
    return "; ".join(f"{said} {listed(what)}" for said, what in groups.items() if what)


def _notes(shown: pd.DataFrame) -> tuple[str, ...]:
    """What to mind: the scales, what is missing, and why years cannot be compared."""
    turned = [_WORDS[s][1] for s in shown.loc[shown["direction"].lt(0), "stage"].unique()]
    other = f"; lower is better on {listed(turned)}, whose scale is turned" if turned else ""
    absent = shown["difference"].isna()
    missing = {
        "not yet": f"measured after {_last(shown)}",
        "nowhere": "no authority has a figure of that year",
        _HERE: "no figure of this place, or none of England to set it beside",
    }
    said = {_absent(r) for r in shown.loc[absent, "reason"]}
    words = [f"\u201c{word}\u201d: {meaning}" for word, meaning in missing.items() if word in said]
    breaks = [
        f"{_WORDS[str(row.stage)][1]}, {row.period}: {in_sentence(str(row.break_reason).rstrip('.'))}"
        for row in _in_order(shown[_first_after(shown) & shown["break_reason"].ne("")]).itertuples()
    ]
    unjudged = sorted({str(r) for r in shown.loc[~absent & shown["reason"].ne(""), "reason"]})
    return (
        f"Stages are different measures, each on its own scale: compare neither lengths nor positions between them. "
        f"Right of England\u2019s line is better{other}. \u201cClearly\u201d allows for how many comparisons are made.",
        f"{'; '.join(words)}." if words else "",
        f"Not judged: {'; '.join(unjudged)}." if unjudged else "",
        f"Breaks: {'; '.join(breaks)}." if breaks else "",
        "The review says how many had the questionnaire, not how the children were. Areas in each year, not the same "
        "children followed: families move.",
    )


def _absent(reason: str) -> str:
    return _ABSENT.get(reason, _HERE)


def _last(shown: pd.DataFrame) -> str:
    return str(max(shown.loc[shown["value"].notna(), "period"], key=year_of))


def _first_after(shown: pd.DataFrame) -> pd.Series[bool]:
    """Rows whose figures cannot be compared with those of the cohort before."""
    before = shown.groupby("stage", sort=False)["segment"].shift()
    return before.notna() & before.ne(shown["segment"])


@dataclass(frozen=True)
class _Column:
    """Where one stage stands, and its scale from England's line."""

    rows: pd.DataFrame
    left: float
    right: float
    head: float
    top: float
    low: float
    high: float

    def across(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        if int(self.rows["direction"].iloc[0]) < 0:
            share = 1 - share
        return round(self.left + share * (self.right - self.left), 2)

    def at(self, place: int) -> float:
        return self.top + _ROW * (place + 0.5)

    @property
    def bottom(self) -> float:
        return self.top + _ROW * len(self.rows)


def _drawn(shown: pd.DataFrame, *, width: float) -> Any:
    """Bands of stages side by side, as many bands as the width needs."""
    stages = [rows.reset_index(drop=True) for _, rows in shown.groupby("stage", sort=False)]
    room = (width - _LABELS) / len(stages) - _GAP
    beside = len(stages) if room >= _NARROWEST else (len(stages) + 1) // 2
    key = laid_out(_entries(shown), width=width)
    each = (width - _LABELS) / beside - _GAP
    columns: list[_Column] = []
    heads: list[list[str]] = []
    y = height_of(key)
    for start in range(0, len(stages), beside):
        band = stages[start : start + beside]
        titles = [theme.wrap(_WORDS[str(rows["stage"].iloc[0])][0], width=each + 4, size=_SMALL) for rows in band]
        top = y + 15 + _LEADING * max(map(len, titles))
        for i, rows in enumerate(band):
            left = _LABELS + i * (each + _GAP) + _GAP / 2
            low, high = _limits(rows)
            columns.append(_Column(rows, left, left + each, y, top, low, high))
        heads += titles
        y = columns[-1].bottom + 14 + (8 if start + beside < len(stages) else 0)
    axis = theme.wrap("percentage points from England; to the right is better", width=width - _LABELS, size=_SMALL)
    canvas = Canvas(width=width, height=y + 4 + _LEADING * len(axis))
    draw_legend(canvas, key)
    for column, head in zip(columns, heads, strict=True):
        _headed(canvas, column, head, labelled=column.left < _LABELS + _GAP)
        _stage(canvas, column)
    words = [{"x": _LABELS, "y": y + 6 + _LEADING * i, "text": t, "colour": theme.QUIET} for i, t in enumerate(axis)]
    canvas.text(words, size=_SMALL)
    return canvas.chart()


def _entries(shown: pd.DataFrame) -> list[Entry]:
    """The key: the marks that occur, England's line, breaks and what is missing."""
    used = {_kind(row) for row in shown[shown["difference"].notna()].to_dict("records")}
    entries = [Entry(kind.words, kind) for name, kind in _KINDS.items() if name in used]
    entries.append(Entry("England", stroke=theme.INK))
    if _first_after(shown).any():
        entries.append(Entry("not comparable across", stroke=theme.INK, dash=(4, 2.5), thick=1.2))
    if shown["difference"].isna().any():
        entries.append(Entry("no figure", swatch=_EMPTY))
    return entries


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    """From the lowest to the highest end of an interval, England's line inside."""
    ends = rows[["difference", "difference_lower", "difference_upper"]].to_numpy(float)
    known = [0.0, *ends[np.isfinite(ends)]]
    low, high = min(known), max(known)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _headed(canvas: Canvas, column: _Column, head: list[str], *, labelled: bool) -> None:
    """Age and measure over the rows, and the cohorts at their left in the first column of a band."""
    y = column.head + 5
    canvas.text([{"x": column.left, "y": y, "text": str(column.rows["age"].iloc[0])}], size=_SIZE, bold=True)
    lines = [{"x": column.left, "y": y + 10 + _LEADING * i, "text": t, "colour": theme.QUIET}
             for i, t in enumerate(head)]  # fmt: skip
    canvas.text(lines, size=_SMALL)
    if labelled:
        canvas.text([{"x": 0.0, "y": y, "text": "Born"}], size=_SIZE, bold=True)
        born = [{"x": 0.0, "y": column.at(i), "text": str(c)} for i, c in enumerate(column.rows["cohort"])]
        canvas.text(born, size=_SIZE)


def _stage(canvas: Canvas, column: _Column) -> None:
    """Scale, a row for each cohort, what is missing and where figures stop being comparable."""
    rows = column.rows
    marks = next(t for most in (3, 4, 5, 6) if len(t := ticks(column.low, column.high, most=most)) > 1)
    canvas.rules([_upright(column, t) for t in marks if t], width=0.5, colour="#E3E3E3")
    canvas.rules([_upright(column, 0.0)], width=1.0, colour=theme.INK)
    decimals = next((d for d in range(3) if all(abs(round(t, d) - t) < 1e-9 for t in marks)), 2)
    numbers = [{"x": column.across(t), "y": column.bottom + 7, "text": signed(t, decimals if t else 0),
                "colour": theme.QUIET} for t in marks]  # fmt: skip
    canvas.text(numbers, size=_SMALL, align="center")
    boxes, texts, lines, points = [], [], [], []
    for place, row in enumerate(rows.to_dict("records")):
        y = column.at(place)
        if not np.isfinite(row["difference"]):
            boxes.append({"x": column.left, "x2": column.right, "y": y - _ROW / 2, "y2": y + _ROW / 2, "fill": _EMPTY})
            middle = (column.left + column.right) / 2
            texts.append({"x": middle, "y": y, "text": _absent(str(row["reason"])), "colour": theme.QUIET})
            continue
        kind = _KINDS[_kind(row)]
        if np.isfinite(row["difference_lower"]) and np.isfinite(row["difference_upper"]):
            ends = [column.across(row[c]) for c in ("difference_lower", "difference_upper")]
            lines.append({"x": min(ends), "x2": max(ends), "y": y, "y2": y, "colour": kind.edge})
        x = column.across(row["difference"])
        points.append({"x": x, "y": y, "shape": kind.shape, "fill": kind.fill, "colour": kind.edge})
    canvas.boxes(boxes)
    canvas.text(texts, size=_SMALL, align="center")
    canvas.rules(lines, width=1.3)
    canvas.points(points, area=30)
    after = _first_after(rows)
    cuts = [column.top + _ROW * place for place in rows.index[after]]
    canvas.rules([{"x": column.left, "x2": column.right, "y": y, "y2": y} for y in cuts], **_BREAK)


def _upright(column: _Column, value: float) -> dict[str, float]:
    x = column.across(value)
    return {"x": x, "x2": x, "y": column.top, "y2": column.bottom}
