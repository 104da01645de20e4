"""The fit-for-purpose card of a measure as a picture: what it may be used for, and why not for the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.places.quantities import amount
from outcomes_analysis.wording import associational, listed, number, plural

_USES = {
    "rank": "Ranking authorities",
    "change": "Telling change from year to year",
    "england": "Setting beside England",
}
_SIZE, _LEADING = 8.5, 11.0


@resizable
def fitness_card(
    result: Any,
    indicator: str,
    *,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw what one measure is fit for.

    Parameters
    ----------
    result : FitnessResult
        From :func:`outcomes_analysis.index.fitness`: its ``table`` has ``indicator_id, name, unit, period, reliability,
        smallest_change, differ_from_england, n_areas, contested, use_rank, use_change, use_england`` and the reasons
        ``withheld_rank`` and so on.
    indicator : str
        Id.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        One line a use with a sign, the words yes or no, and the reason; below it what that rests on.

    Raises
    ------
    FigureError
        If the result has no card of the measure.
    """
    rows = result.table[result.table["indicator_id"] == indicator]
    if rows.empty:
        message = f"No card of {indicator!r}; there are {several(result.table['indicator_id'])}."
        raise FigureError(message)
    card = rows.iloc[0]
    fit = {use: bool(card[f"use_{use}"]) for use in _USES}
    why = {use: str(card[f"withheld_{use}"] or "") for use in _USES}
    good = [_USES[use][:1].lower() + _USES[use][1:] for use, ok in fit.items() if ok]
    name = f"{card['name']} (contested)" if card["contested"] else str(card["name"])
    title = associational(f"{name}: fit for {listed(good) or 'none of the three uses'}")
    areas = plural(int(card["n_areas"]), "upper-tier local authority", "upper-tier local authorities")
    facts = _facts(card)
    width = body_width(size)
    told = [f"{_USES[use]}: {'yes' if fit[use] else f'no, {why[use]}'}" for use in _USES]
    contested = str(card["contested"] or "")
    return finished(
        _card(fit, why, facts, width=width),
        title=title,
        subtitle=f"{card['period']}; {areas} with a figure",
        unit=str(card["unit"]),
        source=source or figure_entry("fitness-card").source,
        data_as_at=date_of(result, data_as_at) or str(card.get("data_as_at", "") or ""),
        alt=associational(f"Card. {title}. {'; '.join(told)}. {' '.join(f'{k}: {v}.' for k, v in facts)}"),
        data=pd.DataFrame(
            [{"indicator_id": indicator, "use": use, "fit": fit[use], "reason": why[use]} for use in _USES]
        ),
        notes=(f"Contested: {contested}" if contested else "",),
        width=width,
        size=size,
    )


def _facts(card: pd.Series) -> list[tuple[str, str]]:
    """What the verdicts rest on, in words and numbers; what is not known is said to be so."""
    unit, change = str(card["unit"]), float(card["smallest_change"])
    decimals = 1 if abs(change) >= 1 else 2
    points = "percentage points" if unit == "%" else unit
    shows = amount(change, unit=points, decimals=decimals) if np.isfinite(change) else "not known"
    return [
        ("Share of the differences between authorities that is not noise", _share(card["reliability"])),
        ("Pairs of authorities that differ clearly", _share(card["pairs_differ"])),
        ("Authorities that differ clearly from England", _share(card["differ_from_england"])),
        ("Smallest change in a year that would show", shows),
    ]


def _share(value: float) -> str:
    return number(100 * float(value), 0, "%") if np.isfinite(value) else "not known"


def _card(fit: dict[str, bool], why: dict[str, str], facts: list[tuple[str, str]], *, width: float) -> Any:
    """Uses with their signs, then the facts in two columns."""
    left = 22.0
    blocks: list[tuple[str, list[str]]] = []
    for use, words in _USES.items():
        reason = "" if fit[use] else f"{why[use][:1].upper()}{why[use][1:]}"
        blocks.append((words, theme.wrap(reason, width=width - left, size=_SIZE)))
    answer = {True: "yes", False: "no"}
    column = width * 0.68
    wrapped = [
        (theme.wrap(f"{k}", width=column - 8, size=_SIZE), theme.wrap(v, width=width - column, size=_SIZE, bold=True))
        for k, v in facts
    ]
    tall = sum(16 + _LEADING * len(lines) + 4 for _, lines in blocks)
    below = sum(max(len(k), len(v)) * _LEADING + 4 for k, v in wrapped)
    canvas = Canvas(width=width, height=tall + below + 16)
    points, bold, texts, lines_ = [], [], [], []
    y = 4.0
    for use, (words, reasons) in zip(_USES, blocks, strict=True):
        shape, fill = ("circle", theme.AGAINST[2]) if fit[use] else ("cross", theme.AGAINST[0])
        points.append({"x": 8, "y": y + 6, "shape": shape, "fill": fill, "colour": fill})
        bold.append({"x": left, "y": y + 6, "text": f"{words}: {answer[fit[use]]}"})
        texts += [{"x": left, "y": y + 18 + _LEADING * i, "text": line} for i, line in enumerate(reasons)]
        y += 16 + _LEADING * len(reasons) + 4
    lines_.append({"x": 0.0, "x2": width, "y": y + 2, "y2": y + 2})
    y += 12
    for fact, found in wrapped:
        texts += [{"x": 0.0, "y": y + _LEADING * i, "text": line} for i, line in enumerate(fact)]
        bold += [{"x": column, "y": y + _LEADING * i, "text": line} for i, line in enumerate(found)]
        y += max(len(fact), len(found)) * _LEADING + 4
    canvas.rules(lines_, width=0.6, colour=theme.RULE)
    canvas.points(points, area=70)
    canvas.text(texts, size=_SIZE)
    canvas.text(bold, size=_SIZE, bold=True)
    return canvas.chart()
