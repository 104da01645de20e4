"""Maps of two things at once and of how sure one is: two domains together, and the chance of the lowest fifth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, finished, resizable
from outcomes_analysis.figures.mapping import panels
from outcomes_analysis.figures.mapping.classes import MISSING, MapClass, missing_class
from outcomes_analysis.figures.mapping.honeycomb import arranged, honeycomb
from outcomes_analysis.wording import associational, how_many, listed

_STEPS = ("clearly worse", "not clear", "clearly better")
_UNCLEAR = "Better and worse: clearly so, by the interval; not clear: the interval takes in {nation}{or_disputed}."
_SHORT = ("worse", "not clear", "better")
#: Upper limits of the chances of the lowest fifth; from the last on it is next to certain.
CHANCES = (0.05, 0.25, 0.75, 0.95)
_CHANCE_WORDS = (
    "Next to certainly not: less than 1 in 20",
    "Probably not: 1 in 20 to 1 in 4",
    "Open: 1 in 4 to 3 in 4",
    "Probably: 3 in 4 to 19 in 20",
    "Next to certainly: 19 in 20 or more",
)


@resizable
def bivariate(
    result: Any,
    *,
    nodes: tuple[str, str],
    layout: pd.DataFrame | None = None,
    geography: str = "upper-tier local authorities in England, each the same size",
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw a hexagon map of two nodes together, each worse than England, not clear, or better.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        As for :func:`~.maps.choropleth`, with intervals.
    nodes : (str, str)
        Two domains, outcomes or agreed measures.
    layout, geography, source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.mapping.maps.hex_map`.

    Returns
    -------
    Figure
        Nine classes with a 3 × 3 key that counts each; an area without both is in a class of what is missing.

    Raises
    ------
    FigureError
        If one of the two is contested or neutral, so that better and worse mean nothing.
    """
    placed = arranged(layout)
    one, two = (panels.classed(result, placed.shapes, node=n, classes="against", data_as_at=data_as_at) for n in nodes)
    for each in (one, two):
        if not each.words.sense.agreed:
            message = f"{each.words.label} is {each.words.sense.mark}: a map of two can only cross better with worse."
            raise FigureError(message)
    rows = _crossed(one, two)
    cells = rows.dropna(subset=["step_one", "step_two"]).groupby(["step_one", "step_two"]).size()
    missing = _missing(rows)
    england = standing.england_name(one.rows)
    disputed = any(standing.depends(each.rows).any() for each in (one, two))
    unclear = _UNCLEAR.format(
        nation=one.words.nation, or_disputed=", or one that depends on contested figures" if disputed else ""
    )

    def key(width: float) -> Any:
        square = _square_key(cells, one.words.label, two.words.label, width=width)
        return theme.altair().vconcat(square, keys.map_key(missing, title="", width=width, note=unclear), spacing=6)

    comb = honeycomb(rows, placed, key=key, size=size)
    both, neither = int(cells.get((2, 2), 0)), int(cells.get((0, 0), 0))
    names = [w.words.sense.named(w.words.label) for w in (one, two)]
    title = associational(
        f"{listed(names)}: {how_many(both)} of {int(cells.sum())} authorities clearly better than {england} on both, "
        f"{how_many(neither)} clearly worse on both"
    )
    told = [
        f"{int(count)} {_STEPS[int(a)]} on {one.words.label} and {_STEPS[int(b)]} on {two.words.label}"
        for (a, b), count in cells.items()
    ]
    wanted = ["area_code", "estimate", "lower", "upper", "england", "against_england", "status"]
    beside = two.data[[c for c in wanted if c in two.data.columns]]
    data = comb.rows[["area_code", "abbreviation", "map_class"]].merge(
        one.data.drop(columns=["map_class", "higher_means"]), on="area_code"
    )
    return finished(
        comb.body,
        title=title,
        subtitle=findings.subtitle(
            one.rows.drop(columns="england", errors="ignore"),
            unit=f"scores, higher is better, each against {england} of the same date"
            if england == one.words.nation
            else f"scores, higher is better, each against {england}",
            geography=geography,
        ),
        unit=findings.unit_of(standing.AGREED, one.words.nation),
        source=panels.source_of(source, f"domain-cross-{nodes[0]}-{nodes[1]}", one.words.nation),
        data_as_at=one.words.data_as_at,
        alt=f"Hexagon map: {len(rows)} {geography}. {title}. Counts: {'; '.join(told)}.",
        data=data.merge(beside, on="area_code", suffixes=("", f"_{nodes[1]}")),
        notes=(comb.note, *_notes([one, two])),
        width=comb.width,
        size=size,
    )


def _crossed(one: panels.Classed, two: panels.Classed) -> pd.DataFrame:
    """Rows of the first with the step of each node (0 worse, 1, 2 better), class and fill.

    An area that lacks either takes the class of what it lacks, the first node's reason before the second's.
    """
    steps = [(standing.signs(each.rows) + 1).to_numpy() for each in (one, two)]
    absent = []
    for position in range(len(one.rows)):
        reasons = [_absence(each, position) for each in (one, two)]
        absent.append(next((reason for reason in reasons if reason), ""))
    fills, labels = [], []
    for a, b, reason in zip(*steps, absent, strict=True):
        if reason:
            fills.append(MISSING[reason].fill)
            labels.append(MISSING[reason].label)
        else:
            fills.append(theme.BIVARIATE[int(b)][int(a)])
            labels.append(f"{one.words.label}: {_STEPS[int(a)]}; {two.words.label}: {_STEPS[int(b)]}")
    known = np.array([not reason for reason in absent])
    return one.rows.assign(
        step_one=np.where(known, steps[0], np.nan),
        step_two=np.where(known, steps[1], np.nan),
        missing=absent,
        fill=fills,
        hatch=[MISSING[reason].hatch if reason else "" for reason in absent],
        map_class=labels,
    )


def _absence(each: panels.Classed, position: int) -> str:
    """Key of what a place lacks on a node, its interval included, or an empty string."""
    row = each.rows.iloc[position]
    reason = missing_class(row, unranked=bool(each.words.sense.mark))
    return reason or ("no_data" if row[["lower", "upper"]].isna().any() else "")


def _missing(rows: pd.DataFrame) -> list[MapClass]:
    counts = rows["missing"].value_counts()
    return [
        MapClass(cls.key, cls.label, cls.fill, cls.hatch, int(counts[key]))
        for key, cls in MISSING.items()
        if key in counts.index
    ]


def _square_key(cells: pd.Series, across: str, up: str, *, width: float) -> Any:
    """Three by three squares with the number of areas in each; better to the right and at the top."""
    side, left, size = 28.0, 40.0, 8.5
    heading = theme.wrap(f"Upwards: {up}", width=width, size=size, bold=True)
    under = theme.wrap(f"To the right: {across}", width=width, size=size, bold=True)
    top = 11.0 * len(heading) + 6
    foot = top + 3 * side + 22
    canvas = Canvas(width=width, height=foot + 11.0 * len(under) + 4)
    boxes, texts, names, crosswise = [], [], [], []
    for a in range(3):
        x = left + a * side
        crosswise.append({"x": x + side / 2, "y": top + 3 * side + 8, "text": _SHORT[a]})
        for b in range(3):
            y = top + (2 - b) * side
            fill = theme.BIVARIATE[b][a]
            boxes.append({"x": x, "x2": x + side, "y": y, "y2": y + side, "fill": fill})
            count = str(int(cells.get((a, b), 0)))
            texts.append({"x": x + side / 2, "y": y + side / 2, "text": count, "colour": theme.text_on(fill)})
    for b, word in enumerate(_SHORT):
        names.append({"x": left - 4, "y": top + (2 - b) * side + side / 2, "text": word})
    canvas.boxes(boxes)
    canvas.text(texts, size=size, align="center")
    canvas.text(names, size=7, align="right")
    canvas.text(crosswise, size=7, align="center")
    canvas.text([{"x": 0.0, "y": 6.0 + 11 * i, "text": t} for i, t in enumerate(heading)], size=size, bold=True)
    canvas.text([{"x": 0.0, "y": foot + 11 * i, "text": t} for i, t in enumerate(under)], size=size, bold=True)
    return canvas.chart()


def _notes(drawn: Sequence[panels.Classed]) -> list[str]:
    """Marks of each, the share contested of each, and the working assignment once."""
    marks = [
        f"{d.words.label} is {d.words.sense.note[0].lower()}{d.words.sense.note[1:]}"
        for d in drawn
        if d.words.sense.note
    ]
    return [*marks, *(d.words.contested for d in drawn), drawn[0].words.assigned]


@resizable
def sureness(
    result: Any,
    *,
    node: str,
    layout: pd.DataFrame | None = None,
    label: str | None = None,
    geography: str = "upper-tier local authorities in England, each the same size",
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw a hexagon map of how sure it is that a place belongs to the lowest fifth.

    Parameters
    ----------
    result : UncertaintyResult or DataFrame
        Table as for :func:`~.maps.choropleth` with ``p_bottom_fifth``, the chance from 0 to 1.
    node : str
        What to map; a node that is not ranked has no lowest fifth.
    layout, label, source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.mapping.maps.hex_map`.

    Returns
    -------
    Figure
        Five classes from next to certainly not to next to certainly.

    Raises
    ------
    FigureError
        If the table has no chances, or none for this node.
    """
    placed = arranged(layout)
    drawn = panels.classed(result, placed.shapes, node=node, classes="against", label=label, data_as_at=data_as_at)
    rows, words = drawn.rows, drawn.words
    if "p_bottom_fifth" not in rows.columns or rows["p_bottom_fifth"].isna().all():
        message = (
            f"No chances of the lowest fifth for {words.label}: give an uncertainty result, and a node that is ranked."
        )
        raise FigureError(message)
    chance = rows["p_bottom_fifth"]
    step = np.searchsorted(CHANCES, chance.fillna(0), side="right")
    absent = [
        missing_class(row) or ("not_computed" if pd.isna(p) else "")
        for (_, row), p in zip(rows.iterrows(), chance, strict=True)
    ]
    known = np.array([not key for key in absent])
    counts = pd.Series(step[known]).value_counts()
    classes = [
        MapClass(f"chance_{i}", _CHANCE_WORDS[i], theme.SEQUENTIAL[i], "", int(counts.get(i, 0)))
        for i in reversed(range(len(_CHANCE_WORDS)))
    ]
    rows = rows.assign(
        missing=absent,
        fill=[theme.SEQUENTIAL[s] if ok else MISSING[k].fill for s, ok, k in zip(step, known, absent, strict=True)],
        hatch=["" if ok else MISSING[k].hatch for ok, k in zip(known, absent, strict=True)],
        map_class=[_CHANCE_WORDS[s] if ok else MISSING[k].label for s, ok, k in zip(step, known, absent, strict=True)],
    )
    classes += _missing(rows)

    def key(width: float) -> Any:
        return keys.map_key(classes, title=f"{words.label}: chance of being in the lowest fifth", width=width)

    comb = honeycomb(rows, placed, key=key, size=size)
    sure, open_ = int(counts.get(4, 0)), int(counts.get(2, 0))
    title = associational(
        f"{words.label}: {sure} of {int(known.sum())} authorities next to certainly in the lowest fifth, "
        f"for {open_} it is open"
    )
    wanted = [
        "node_id",
        "area_code",
        "area_name",
        "abbreviation",
        "region_name",
        "period",
        "estimate",
        "rank",
        "p_bottom_fifth",
        "status",
        "map_class",
    ]
    return finished(
        comb.body,
        title=title,
        subtitle=findings.subtitle(
            rows.drop(columns=["lower", "upper", "england"], errors="ignore"),
            unit="chance that an authority truly belongs to the fifth with the lowest scores",
            geography=geography,
        ),
        unit="probability",
        source=panels.source_of(source, f"domain-sureness-{node}", words.nation),
        data_as_at=words.data_as_at,
        alt=f"Hexagon map: {len(rows)} {geography}. {title}. {findings.class_sentence(classes)}",
        data=comb.rows[[c for c in wanted if c in comb.rows.columns]],
        notes=(comb.note, *words.notes),
        width=comb.width,
        size=size,
    )
