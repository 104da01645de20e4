"""Charts of estimates with their intervals: forests, gaps between groups of children, Sobol indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings
from outcomes_analysis.figures.drawing import rows, theme
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import Kind
from outcomes_analysis.figures.drawing.rows import Axis
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.relations.sentences import with_capital
from outcomes_analysis.wording import associational, how_many, listed, number, plural

_WIDEST = 10.0  # of an interval, in standard deviations between authorities, beyond which a gap says nothing
_COUNTED = "Who is counted in these groups differs between places, so a wider gap can also mean fewer are counted."
_CLEAR = {
    "above": Kind("triangle-up", theme.DUO[0], "interval above 0"),
    "": Kind("circle", theme.PAPER, "interval holds 0"),
    "below": Kind("square", theme.DUO[1], "interval below 0"),
}


def sided(table: pd.DataFrame, centre: pd.Series | float = 0.0) -> list[str]:
    """Whether each interval lies ``above`` or ``below`` a number, or holds it (empty)."""
    return np.select([table["lower"] > centre, table["upper"] < centre], ["above", "below"], default="").tolist()


@resizable
def coefficient_forest(
    table: pd.DataFrame,
    *,
    what: str,
    unit: str,
    source: str,
    data_as_at: str,
    title: str | None = None,
    zero: float = 0.0,
    decimals: int = 2,
    notes: Sequence[str] = (),
    size: theme.Size = "page",
) -> Figure:
    """Draw estimates one under the other with their intervals.

    Parameters
    ----------
    table : DataFrame
        ``label, estimate, lower, upper, level`` and, if wanted, ``group``; drawn in the order given.
    what : str
        What each estimate is, for the axis and the alt text: ``"difference in Attainment 8 points"``.
    unit, source, data_as_at : str
        As every figure must have them.
    title : str, optional
        The finding; a count of intervals on either side of ``zero`` by default.
    zero : float
        No difference, on the scale of the estimates.
    decimals : int
        Of the numbers printed.
    notes : sequence of str
        Lines under the figure.
    size : {"page", "column", "slide", "web"}
        Layout.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If the table lacks columns, mixes levels, or an interval does not hold its estimate.
    """
    given = rows.checked(table, where="forest", needs=(*rows.NEEDS, "level"))
    levels = sorted(given["level"].dropna().unique())
    if len(levels) != 1:
        message = f"A forest has intervals of one level; these have {several(levels) or 'none'}."
        raise FigureError(message)
    sides = sided(given, zero)
    drawn = given.assign(kind=sides)
    known = int(given["estimate"].notna().sum())
    above, below = sides.count("above"), sides.count("below")
    line = number(zero, 0 if zero == int(zero) else decimals)
    finding = title or (
        f"{with_capital(how_many(above))} of {plural(known, 'estimate', 'estimates')} clearly above {line}, "
        f"{how_many(below)} clearly below"
    )
    kinds = {key: Kind(k.shape, k.fill, k.words.replace("0", line)) for key, k in _CLEAR.items()}
    level = f"{round(100 * levels[0])}% interval"
    body = rows.interval_rows(
        drawn,
        axis=Axis(f"{what}, %" if unit == "%" else what, zero=zero, decimals=decimals),
        width=rows.body_width(size),
        kinds=kinds,
    )
    told = [
        f"{f'{row.group}, ' if 'group' in given else ''}{row.label} {number(row.estimate, decimals)} "
        f"({number(row.lower, decimals)} to {number(row.upper, decimals)})"
        for row in given[given["estimate"].notna()].itertuples()
    ]
    return finished(
        body,
        title=associational(finding),
        subtitle=f"{what[:1].upper()}{what[1:]}, with its {level}",
        unit=unit,
        source=source,
        data_as_at=data_as_at,
        alt=associational(
            f"Dot and line for each of {plural(known, 'estimate', 'estimates')}. {finding}. {'; '.join(told)}."
        ),
        data=given,
        notes=notes,
        width=rows.body_width(size),
        size=size,
    )


@resizable
def equity_gaps(
    twin: Any,
    *,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw the gaps between groups of children in one place, domain by domain, beside England's.

    Parameters
    ----------
    twin : EquityTwin
        From :func:`outcomes_analysis.places.equity_twin`: its ``domains`` have ``node_label, group_label, estimate``
        (these children less all children, higher = better for these), ``lower, upper, level, england_gap,
        against_england, status, reason``.
    source, data_as_at, size
        As for :func:`coefficient_forest`.

    Returns
    -------
    Figure
        Gaps that are not known, or whose interval is wider than ten standard deviations, are left out, and a note
        says so.

    Raises
    ------
    FigureError
        If no gap is known well enough.
    """
    table = twin.domains
    unsure = (table["upper"] - table["lower"]) > _WIDEST
    clear = table[table["estimate"].notna() & ~unsure]
    if clear.empty:
        message = f"No gap of {twin.name} is known well enough to be drawn."
        raise FigureError(message)
    drawn = pd.DataFrame(
        {
            "label": clear["node_label"],
            "group": [f"{g[:1].upper()}{g[1:]}" for g in clear["group_label"]],
            "estimate": clear["estimate"],
            "lower": clear["lower"],
            "upper": clear["upper"],
            "beside": clear["england_gap"],
            "kind": clear["against_england"].map({"narrower": "above", "wider": "below"}).fillna("similar"),
        }
    ).sort_values("group", kind="stable", ignore_index=True)
    known = table[table["estimate"].notna()]
    wider, narrower = (int((known["against_england"] == word).sum()) for word in ("wider", "narrower"))
    title = associational(
        f"{twin.name}: {how_many(wider)} of {plural(len(known), 'gap', 'gaps')} clearly wider than England\u2019s, "
        f"{how_many(narrower)} clearly narrower"
    )
    kinds = {
        "above": Kind("triangle-up", theme.AGAINST[2], "clearly narrower than England\u2019s"),
        "similar": Kind("circle", theme.PAPER, "not clear"),
        "below": Kind("square", theme.AGAINST[0], "clearly wider than England\u2019s"),
    }
    level = round(100 * findings.level_of(table))
    told = [
        f"{row.group}, {row.label}: {number(row.estimate)}" for row in drawn[drawn["estimate"].notna()].itertuples()
    ]
    return finished(
        rows.interval_rows(
            drawn,
            axis=Axis("score of these children less that of all children on the same indicators", decimals=1),
            width=rows.body_width(size),
            kinds=kinds,
            beside="England\u2019s gap",
        ),
        title=title,
        subtitle=f"Gap in scores, below 0 = these children fare worse, with its {level}% interval; 1 = the usual "
        f"distance between authorities; latest figures measured by {twin.period}",
        unit="difference of scores; 1 = one standard deviation between authorities",
        source=source or figure_entry("equity-gaps").source,
        data_as_at=date_of(twin, data_as_at),
        alt=f"Dot and line for each domain and group of children. {title}. {'; '.join(told)}.",
        data=table,
        notes=(_not_drawn(table, unsure), _COUNTED, WORKING_ASSIGNMENT),
        width=rows.body_width(size),
        size=size,
    )


def _not_drawn(table: pd.DataFrame, unsure: pd.Series) -> str:
    """What is left out of a chart of gaps, and why."""
    words = "Not shown: domains without figures for these children, or with one indicator alone; the data says which."
    named = [f"{row.node_label} of {row.group_label}" for row in table[unsure].itertuples()]
    return f"{words} Too unsure to draw: {listed(named)}." if named else words


@resizable
def sobol_bars(
    result: Any,
    *,
    node: str,
    label: str | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw what share of the movement of ranks each choice of method accounts for, alone and with combinations.

    Parameters
    ----------
    result : SensitivityResult
        Table with ``node_id, output, factor, order, estimate, lower, upper, level``.
    node : str
        Whose ranks.
    label : str, optional
        Its name.
    source, data_as_at, size
        As for :func:`coefficient_forest`.

    Returns
    -------
    Figure

    Raises
    ------
    FigureError
        If the result has nothing about the node.
    """
    from outcomes_analysis.index.montecarlo.sensitivity_indices import CHOICES

    table = result.table
    shift = table[(table["node_id"] == node) & (table["output"] == "mean_rank_shift")]
    if shift.empty:
        message = f"Nothing about node {node!r}; the result has {several(table['node_id'].unique())}."
        raise FigureError(message)
    name = label or node.replace("_", " ").capitalize()
    total = shift[shift["order"] == "total"].sort_values("estimate", ascending=False)
    order = list(total["factor"])
    words = {"first": "alone", "total": "with combinations"}
    parts = []
    for factor in order:
        for kind in ("first", "total"):
            row = shift[(shift["factor"] == factor) & (shift["order"] == kind)].iloc[0]
            parts.append(
                {
                    "label": words[kind],
                    "group": with_capital(CHOICES.get(factor, factor.replace("_", " "))),
                    "estimate": 100 * row["estimate"],
                    "lower": 100 * row["lower"],
                    "upper": 100 * row["upper"],
                    "kind": kind,
                }
            )
    drawn = pd.DataFrame(parts)
    top = total.iloc[0]
    alone = shift[(shift["factor"] == top["factor"]) & (shift["order"] == "first")]["estimate"].iloc[0]
    title = associational(
        f"{name}: {number(100 * alone, 0, '%')} of the movement of ranks between methods goes with "
        f"{CHOICES.get(top['factor'], top['factor'].replace('_', ' '))} alone"
    )
    level = round(100 * findings.level_of(shift))
    told = [f"{row.group} {row.label} {number(row.estimate, 0, '%')}" for row in drawn.itertuples()]
    return finished(
        rows.interval_rows(
            drawn,
            axis=Axis("share of the variance of the mean shift of ranks, %", low=0, high=100, decimals=0),
            width=rows.body_width(size),
            kinds={"first": Kind("square", theme.DUO[0]), "total": Kind("square", "#6BACE6")},
            bars=True,
            share=0.3,
        ),
        title=title,
        subtitle=f"Sobol indices with their {level}% intervals; how far ranks move on average when methods are varied",
        unit="%",
        source=source or figure_entry("sobol-bars").source,
        data_as_at=date_of(result, data_as_at),
        alt=f"Two bars for each choice of method. {title}. {'; '.join(told)}.",
        data=shift.reset_index(drop=True),
        notes=("Shares alone add up to 100% or less; the rest comes from choices in combination.",),
        width=rows.body_width(size),
        size=size,
    )
