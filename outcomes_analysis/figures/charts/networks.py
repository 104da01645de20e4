"""Which outcomes are linked once all others are allowed for, as a ring of figures joined by lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import Entry, Kind, draw_legend, height_of, laid_out
from outcomes_analysis.figures.drawing.rows import body_width
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, associational, interval, listed, number, plural

if TYPE_CHECKING:
    from outcomes_analysis.framework.model import Framework

# Lower limit of each class of strength, and the width of its lines.
WIDTHS = ((0.0, 0.8), (0.1, 1.8), (0.2, 3.2), (0.3, 5.0))
SIGNS: dict[int, tuple[str, tuple[float, ...]]] = {1: (theme.DUO[0], ()), -1: (theme.DUO[1], (5, 3))}
_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
_SIZE, _LEADING = 8.0, 9.5
_NO_PROOF = (
    "Small links are shrunk to 0 and only links whose interval leaves out 0 are drawn: a missing line is no proof "
    "that two figures have nothing to do with each other. Intervals take authorities as separate, although neighbours "
    "are alike, so some links look surer than they are."
)


@resizable
def network(
    result: Any,
    *,
    given: str | None = None,
    sample: str = "all",
    framework: Framework | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Draw the links of a network of outcomes that hold.

    Parameters
    ----------
    result : RelationResult
        From :func:`outcomes_analysis.relations.outcome_network`: ``node, other, sample, adjusted_for, estimate``
        (partial correlation), ``lower, upper, level, status``.
    given : str, optional
        What is allowed for beside the other figures, as in ``adjusted_for``; by default the last case in the table that
        allows for something, and the plain one where there is none.
    sample : str
        Set of authorities.
    framework : Framework, optional
        For names and domains; the default one where not given.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Figures stand round a ring by domain, which their shape gives too; a line's width is the strength of the link in
        four classes, and its colour and dashes the sign, in the figures' own directions. Where a figure stands on the
        ring says nothing. The data has every pair, drawn or not.

    Raises
    ------
    FigureError
        If the result has no such case, or could not be computed for it.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    from outcomes_analysis.relations.sentences import short_name

    case, alike = _case(result.table, given=given, sample=sample)
    pairs = case.assign(holds=(case["lower"] > 0) | (case["upper"] < 0))
    held = pairs[pairs["holds"]].assign(strength=lambda t: t["estimate"].abs()).sort_values("strength", kind="stable")
    nodes = _by_domain(list(dict.fromkeys([*pairs["node"], *pairs["other"]])), framework)
    names = {node.id: node.name for node in nodes}
    width = body_width(size)
    level = findings.level_of(pairs)
    beside = _beside(alike, framework)
    title = associational(
        f"{len(held)} of {plural(len(pairs), 'pair', 'pairs')} of figures {'is' if len(held) == 1 else 'are'} clearly "
        f"linked once the other figures{beside} are allowed for"
    )
    told = [
        f"{names[row.node]} with {names[row.other]} {number(row.estimate, 2)}, "
        f"{interval(row.lower, row.upper, level=level, decimals=2)}"
        for row in held.iloc[::-1].itertuples()
    ]
    known = framework.indicator
    disputed = [short_name(known(node.id)) for node in nodes if known(node.id).contested]
    count = int(pairs["n"].iloc[0])
    return finished(
        _ring(nodes, held, width=width),
        title=title,
        subtitle=f"Partial rank correlations whose {round(100 * level)}% interval leaves out 0; higher and lower in "
        f"each figure\u2019s own direction; {plural(count, 'authority', 'authorities')} with every figure, measured by "
        f"{result.spec.years[-1]}",
        unit="partial correlation, from \u22121 to 1",
        source=source or figure_entry("outcome-network").source,
        data_as_at=date_of(result, data_as_at),
        alt=f"Ring of {len(nodes)} figures joined by {plural(len(held), 'line', 'lines')}. {title}. "
        f"{'; '.join(told) or 'No line is drawn'}.",
        data=pairs.reset_index(drop=True),
        notes=(
            f"Contested, so neither more nor fewer is called better: {listed(disputed)}." if disputed else "",
            _NO_PROOF,
            AREAS_NOT_CHILDREN,
        ),
        width=width,
        size=size,
    )


@dataclass(frozen=True)
class _Node:
    id: str
    name: str
    domain: str


def _case(table: pd.DataFrame, *, given: str | None, sample: str) -> tuple[pd.DataFrame, str]:
    """Rows of one case and what it allows for."""
    here = table[table["sample"] == sample]
    known = list(dict.fromkeys(here["adjusted_for"]))
    if not known:
        message = f"No network of the sample {sample!r}; the result has {several(dict.fromkeys(table['sample']))}."
        raise FigureError(message)
    alike = known[-1] if given is None else given
    case = here[here["adjusted_for"] == alike]
    if case.empty:
        named = several([k or "nothing allowed for" for k in known])
        message = f"No network with {alike!r} allowed for; the result has {named}."
        raise FigureError(message)
    if (case["status"] != "computed").any():
        message = f"The network with {alike or 'nothing'} allowed for was not computed: {case['reason'].iloc[0]}."
        raise FigureError(message)
    return case.reset_index(drop=True), alike


def _by_domain(ids: Sequence[str], framework: Framework) -> list[_Node]:
    """Figures in the order of their domains, named shortly."""
    from outcomes_analysis.relations.sentences import short_name

    order = [domain.id for domain in framework.domains]
    labels = {domain.id: domain.label for domain in framework.domains}
    found = []
    for node in ids:
        indicator = framework.indicator(node)
        name = short_name(indicator)
        mark = " (contested)" if indicator.contested else ""
        domain = framework.domain_of(indicator.outcome) if indicator.outcome else ""
        found.append((domain, _Node(node, f"{name[:1].upper()}{name[1:]}{mark}", labels.get(domain, "Context"))))
    place = {domain: i for i, domain in enumerate(order)}
    return [node for _, node in sorted(found, key=lambda pair: place.get(pair[0], len(order)))]


def _beside(alike: str, framework: Framework) -> str:
    from outcomes_analysis.relations.sentences import short_name

    named = [short_name(framework.indicator(i)) for i in alike.split("+") if i]
    return f" and {listed(named)}" if named else ""


def _ring(nodes: Sequence[_Node], held: pd.DataFrame, *, width: float) -> Any:
    """Figures evenly down both sides of an upright ellipse, the first at the top right, and their links."""
    room = width * 0.29
    texts = [theme.wrap(node.name, width=room - 8, size=_SIZE) for node in nodes]
    right = math.ceil(len(nodes) / 2)
    step = _LEADING * max(len(lines) for lines in texts) + 5
    domains = list(dict.fromkeys(node.domain for node in nodes))
    shapes = {domain: _SHAPES[i % len(_SHAPES)] for i, domain in enumerate(domains)}
    entries = [Entry(domain, Kind(shape, theme.INK)) for domain, shape in shapes.items()]
    key = laid_out([*entries, *_line_entries(held)], width=width)
    top = height_of(key) + 6
    height = step * right
    canvas = Canvas(width=width, height=top + height + 4)
    draw_legend(canvas, key)
    places = [_place(i, right=right, count=len(nodes), width=width, top=top, height=height) for i in range(len(nodes))]
    at = {node.id: place for node, place in zip(nodes, places, strict=True)}
    for row in held.itertuples():
        colour, dash = SIGNS[1 if row.estimate > 0 else -1]
        bent = _bent(at[row.node], at[row.other], centre=(width / 2, top + height / 2))
        canvas.course(bent, width=_width_of(row.strength), colour=colour, dash=dash)
    marks: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for i, (node, (x, y)) in enumerate(zip(nodes, places, strict=True)):
        marks.append({"x": x, "y": y, "shape": shapes[node.domain], "fill": theme.INK, "colour": theme.PAPER})
        first = y - _LEADING * (len(texts[i]) - 1) / 2
        lines = [{"y": first + _LEADING * j, "text": text} for j, text in enumerate(texts[i])]
        (after if i < right else left).extend({"x": x + 8 if i < right else x - 8, **line} for line in lines)
    canvas.points(marks, area=60)
    canvas.text(after, size=_SIZE)
    canvas.text(left, size=_SIZE, align="right")
    return canvas.chart()


def _place(i: int, *, right: int, count: int, width: float, top: float, height: float) -> tuple[float, float]:
    """Pixels of one figure: clockwise from the top right, evenly from top to bottom on each side."""
    side, of = (i, right) if i < right else (count - 1 - i, count - right)
    share = (side + 0.5) / of  # from the top
    across = width * 0.21 * math.sqrt(1 - (1.84 * (share - 0.5)) ** 2)
    middle = width / 2
    return round(middle + across if i < right else middle - across, 2), round(top + height * share, 2)


def _bent(
    start: tuple[float, float], end: tuple[float, float], *, centre: tuple[float, float], pull: float = 0.25
) -> list[dict[str, float]]:
    """A curve drawn towards the centre, so that links along one side do not lie on one another."""
    middle = [(1 - pull) * (a + b) / 2 + pull * c for a, b, c in zip(start, end, centre, strict=True)]
    return [
        {
            axis: round((1 - t) ** 2 * start[i] + 2 * t * (1 - t) * middle[i] + t**2 * end[i], 2)
            for i, axis in enumerate("xy")
        }
        for t in (k / 16 for k in range(17))
    ]


def _width_of(strength: float) -> float:
    return [wide for limit, wide in WIDTHS if strength >= limit][-1]


def _line_entries(held: pd.DataFrame) -> list[Entry]:
    """Key of the lines: the two signs, and the widths that occur."""
    words = {1: "higher goes with higher", -1: "higher goes with lower"}
    found = [
        Entry(words[sign], stroke=colour, dash=dash, thick=1.8)
        for sign, (colour, dash) in SIGNS.items()
        if (held["estimate"] * sign > 0).any()
    ]
    limits = [limit for limit, _ in WIDTHS]
    for i, (limit, wide) in enumerate(WIDTHS):
        there = held["strength"].map(_width_of) == wide
        if there.any():
            above = limits[i + 1] if i + 1 < len(limits) else None
            said = f"{number(limit, 1)} or more" if above is None else f"{number(limit, 1)} to {number(above, 1)}"
            found.append(
                Entry(f"strength {said}" if i else f"below {number(limits[1], 1)}", stroke=theme.QUIET, thick=wide)
            )
    return found
