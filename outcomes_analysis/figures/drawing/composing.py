"""A finished figure, and how a drawing gets its title, subtitle and source line."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any

import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.placing import across, placed
from outcomes_analysis.wording import EXPLORATION, written_date

WORKING_ASSIGNMENT = (
    "Which indicators belong to which domain is this project's working assignment, not the Collaborative's. "
    "0 is England in each indicator's base period, mostly 2022/23."
)
_SIDE = 16  # between a slide's drawing and its words


@dataclass(frozen=True, eq=False)
class Figure:
    """A drawing with everything it must carry to be printed or put on a page.

    Attributes
    ----------
    chart : altair.TopLevelMixin
        The whole drawing, title and source line inside.
    title, subtitle : str
        The finding; then what is shown: unit, period, geography.
    unit : str
        What the numbers are measured in.
    source, data_as_at : str
        Source line; ISO date at which the latest source was current.
    alt : str
        What the picture says, for those who do not see it.
    data : DataFrame
        The numbers drawn, one row a mark.
    notes : tuple of str
        Further lines under the picture; the exploration notice is always added.
    redraw : callable, optional
        Draws the same at another size, for the figures that can be laid out anew.
    """

    chart: Any
    title: str
    subtitle: str
    unit: str
    source: str
    data_as_at: str
    alt: str
    data: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    redraw: Callable[[theme.Size], Figure] | None = field(default=None, repr=False)

    @property
    def caption(self) -> str:
        """Title, subtitle, notes, source and date in one paragraph."""
        parts = [self.title, self.subtitle, *footer_texts(self.source, self.data_as_at, self.notes)]
        return " ".join(as_sentence(part) for part in parts if part)

    def at(self, size: theme.Size) -> Figure:
        """Draw the same figure for a column, a page, a slide or the web.

        Raises
        ------
        FigureError
            If it cannot be laid out anew, or does not fit a slide.
        """
        if self.redraw is None:
            message = f"{self.title!r} has one size only; draw it on a page of 170 mm."
            raise FigureError(message)
        other = self.redraw(size)
        height = float(re.search(r'height="([\d.]+)"', other.drawing)[1])  # type: ignore[index]
        if size == "slide" and height > theme.SLIDE_HEIGHT:
            message = (
                f"{self.title!r} is too tall for a slide by {height - theme.SLIDE_HEIGHT:.0f} pixels: show less of it."
            )
            raise FigureError(message)
        return other

    def svg(self, *, prefix: str = "figure") -> str:
        """Draw as SVG with title and description inside; ``prefix`` keeps ids apart on one page."""
        return accessible_svg(self.drawing, title=self.title, description=self.alt, prefix=prefix)

    @cached_property
    def drawing(self) -> str:
        """The plain SVG, drawn once: every file and page of the figure is made from it."""
        return draw(self.chart)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": f"{self.title}\n{self.alt}"}


def as_sentence(text: str) -> str:
    """Text with a full stop at its end."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def footer_texts(source: str, data_as_at: str, notes: Sequence[str] = ()) -> list[str]:
    """Lines under a figure: source and date, notes, and always the exploration notice."""
    first = f"Source: {as_sentence(source)}" if source else ""
    if data_as_at:
        first = f"{first} Data as at {written_date(data_as_at)}.".strip()
    return [text for text in [first, *notes, EXPLORATION] if text]


def date_of(result: Any, given: str | None = None) -> str:
    """Date at which the data of a result were current, unless another is given; empty where it carries none."""
    return given or str(getattr(getattr(result, "manifest", None), "data_as_at", "") or "")


def text_block(
    lines: Sequence[str],
    *,
    width: float,
    size: float,
    bold: bool = False,
    colour: str = theme.INK,
    outdent: float = 0,
) -> Any:
    """Chart of a few lines of text, set flush left, ``outdent`` pixels to the left of the drawing below it."""
    leading = size * 1.28
    mark = {"type": "text", "align": "left", "baseline": "alphabetic", "color": colour, "fontSize": size}
    return placed({
        "data": {"values": [{"line": line, "y": leading * (i + 0.82)} for i, line in enumerate(lines)]},
        "mark": {**mark, "fontWeight": "bold" if bold else "normal"},
        "encoding": {"text": {"field": "line", "type": "nominal"}, "x": {"value": -outdent}, "y": across("y")},
        "height": leading * len(lines),
        "width": width - outdent,
    })  # fmt: skip


def compose(
    body: Any,
    *,
    title: str,
    subtitle: str,
    footer: Sequence[str],
    width: float,
    outdent: float = 0,
    size: theme.Size = "page",
) -> Any:
    """Put the title and subtitle above a drawing and the footer below it, all flush left and broken to its width.

    ``outdent`` is the room that a drawing with axes takes to the left of its own frame. On a slide, which is wide and
    low, the words stand to the right of the drawing, whose width is ``width``.
    """
    alt = theme.altair()
    if size == "slide":
        side = theme.width_of("slide") - width - _SIDE
        head, foot = _words(title, subtitle, footer, width=side, outdent=0, size=size)
        return alt.hconcat(body, alt.vconcat(head, foot, spacing=14), spacing=_SIDE)
    top, bottom = _words(title, subtitle, footer, width=width, outdent=outdent, size=size)
    return alt.concat(top, body, bottom, columns=1, align="none", spacing=10)


def _words(
    title: str, subtitle: str, footer: Sequence[str], *, width: float, outdent: float, size: theme.Size
) -> tuple[Any, Any]:
    """Title over subtitle, and the footer."""
    alt = theme.altair()
    large, middle, small = theme.TYPE[size]
    head = theme.wrap(title, width=width, size=large, bold=True)
    below = theme.wrap(subtitle, width=width, size=middle)
    foot = [line for text in footer for line in theme.wrap(text, width=width, size=small)]
    place: dict[str, Any] = {"width": width, "outdent": outdent}
    top = alt.vconcat(
        text_block(head, size=large, bold=True, **place),
        text_block(below, size=middle, colour=theme.QUIET, **place),
        spacing=3,
    )
    return top, text_block(foot, size=small, colour=theme.QUIET, **place)


def finished(
    body: Any,
    *,
    title: str,
    subtitle: str,
    unit: str,
    source: str,
    data_as_at: str,
    alt: str,
    data: pd.DataFrame,
    notes: Sequence[str] = (),
    width: float | None = None,
    outdent: float = 0,
    size: theme.Size = "page",
) -> Figure:
    """Make a figure of a drawing: its words round it, and all that it carries.

    ``width`` is that of the drawing, by default that of the size asked for.
    """
    kept = tuple(note for note in notes if note)
    chart = compose(
        body,
        title=title,
        subtitle=subtitle,
        footer=footer_texts(source, data_as_at, kept),
        width=theme.width_of(size) if width is None else width,
        outdent=outdent,
        size=size,
    )
    return Figure(
        chart=chart,
        title=title,
        subtitle=subtitle,
        unit=unit,
        source=source,
        data_as_at=data_as_at,
        alt=alt,
        data=data,
        notes=kept,
    )


def resizable[**P](make: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a figure be drawn again at another size: for functions that take ``size``."""

    @wraps(make)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        def again(size: theme.Size) -> Figure:
            return make(*args, **{**kwargs, "size": size})  # type: ignore[arg-type]

        return replace(make(*args, **kwargs), redraw=again)

    return drawn


def draw(chart: Any) -> str:
    """Draw a chart as SVG with the house theme, whatever theme is on, without the network."""
    alt, renderer = theme.altair(), theme.renderer()
    with alt.theme.enable("outcomes"), alt.data_transformers.enable("default", max_rows=None):
        # not held against the schema, which every chart of ours passes and which takes a third of the time
        drawing = chart.to_dict(validate=False)
    return str(renderer.vegalite_to_svg(drawing, vl_version="_".join(alt.SCHEMA_VERSION.split(".")[:2])))


def png(svg: str, *, ppi: int) -> bytes:
    """Make pixels of a drawing: one point of the drawing is one 72nd of an inch."""
    return bytes(theme.renderer().svg_to_png(svg, ppi=ppi))


def pdf(svg: str) -> bytes:
    """Make a PDF of a drawing."""
    return bytes(theme.renderer().svg_to_pdf(svg))


def enlarged(svg: str, factor: float) -> str:
    """An SVG shown larger: its width and height grow, its inner coordinates stay."""
    start = svg.index("<svg")
    end = svg.index(">", start)

    def grown(found: re.Match[str]) -> str:
        return f'{found[1]}="{round(float(found[2]) * factor, 2):g}"'

    return svg[:start] + re.sub(r'\b(width|height)="([\d.]+)"', grown, svg[start:end]) + svg[end:]


def _rounded(found: re.Match[str]) -> str:
    """A path with as many decimals as can be seen: outlines of hundreds of corners one, other shapes two."""
    decimals = 1 if len(found[0]) > 400 else 2

    def shorter(number: re.Match[str]) -> str:
        return f"{round(float(number[0]), decimals) + 0.0:g}"

    return re.sub(r"-?\d+\.\d+", shorter, found[0])


def accessible_svg(svg: str, *, title: str, description: str, prefix: str = "figure") -> str:
    """Give an SVG its role, title and description, and ids of its own.

    Two SVGs on a page may not share an id, and the renderer numbers its clips on from drawing to drawing of one
    process: numbered anew here, the same figure has the same bytes whatever was drawn before it.
    """
    prefix = re.sub(r"[^A-Za-z0-9_-]", "-", prefix)
    numbers: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        name = numbers.setdefault(found[2], f"{prefix}-{len(numbers) + 1}")
        return f"{found[1]}{name}{found[3]}"

    svg = re.sub(r'(\bid="|url\(#|href="#)([^")]+)("|\))', renamed, svg)
    start = svg.index("<svg")
    end = svg.index(">", start)
    names = f'role="img" aria-labelledby="{prefix}-title {prefix}-desc"'
    inside = (
        f'<title id="{prefix}-title">{html.escape(title)}</title>'
        f'<desc id="{prefix}-desc">{html.escape(description)}</desc>'
    )
    # parts of a picture that is described as a whole are no pictures of their own
    parts = re.sub(r' (?:role="graphics-[a-z]+"|aria-(?:roledescription|label)="[^"]*")', "", svg[end + 1 :])
    parts = re.sub(r'(?<= d=")[^"]+', _rounded, parts)
    return f"{svg[start:end]} {names}>{inside}{parts}"
