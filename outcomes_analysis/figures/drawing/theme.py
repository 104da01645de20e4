"""How every figure looks: palettes, font, sizes, and the one way Altair and what draws are loaded."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

# Colours of the UK Government Analysis Function, as given in the afcharts package 1.2.0 (Crown copyright, MIT licence).
CATEGORICAL = ("#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1")
DUO = ("#12436D", "#F46A25")
FOCUS = ("#12436D", "#BFBFBF")
SEQUENTIAL = ("#ADD1F1", "#6BACE6", "#2073BC", "#12436D", "#092135")  # lowest to highest
# Orange to blue, built round the Analysis Function's blues: its own pink to blue fails readers with protanopia.
DIVERGING = ("#B84A12", "#F4A582", "#F2F2F2", "#6BACE6", "#12436D")  # lowest to highest
AGAINST = ("#B84A12", "#E3E3E3", "#12436D")  # clearly worse, not clear, clearly better
# Where it is disputed which way is better: no colour here stands for good or bad anywhere else.
NEUTRAL_AGAINST = ("#A285D1", "#E3E3E3", "#3D3D3D")  # clearly lower, not clear, clearly higher
DISPUTED = "#E8D27A"  # a verdict that differs with and without contested indicators; hatched on maps
DISPUTED_MARK = "#8F6B00"  # the same as a mark or a line, which must stand out from paper
NEUTRAL_SEQUENTIAL = ("#E6DDF3", "#BFA9DE", "#9274C4", "#5D4092", "#2A1750")  # lowest to highest
# Where like stands among like: high among high, low among low, high among low, low among high, not clear. High is not
# good and low is not bad, so none of the colours above that stand for either.
CLUSTERS = ("#2A1750", "#9274C4", "#00695C", "#F0B429", "#E3E3E3")
# Two things at once, blue by gold: rows are the second, columns the first, lowest to highest in both.
BIVARIATE = (
    ("#F3F3F3", "#B4D3E1", "#509DC2"),
    ("#F3E6B3", "#B3B3B3", "#376387"),
    ("#F3B300", "#A85F00", "#000000"),
)

INK = "#1A1A1A"
QUIET = "#595959"  # 7:1 on white
RULE = "#BFBFBF"
PAPER = "#FFFFFF"

# The stack must end in a generic family: a renderer that lacks every named font otherwise draws no text at all,
# and says nothing.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

# Where computers have their fonts that heed the setting of :func:`renderer`.
_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))

Size = Literal["column", "page", "slide", "web"]
_MILLIMETRES: dict[str, float] = {"column": 85, "page": 170, "slide": 254, "web": 255}
SLIDE_HEIGHT = 405  # pixels of a 16:9 slide 254 mm wide
WEB_SCALE = 1.5  # a page's figure on a screen: 8.5 point text becomes 12.75 pixels
# Title, subtitle, footer.
TYPE: dict[str, tuple[float, float, float]] = {
    "column": (11, 8.5, 7),
    "page": (13, 10, 7.5),
    "slide": (17, 11.5, 8),
    "web": (13, 10, 7.5),
}

# Widths of Liberation Sans (those of Arial), thousandths of the type size, for breaking lines before drawing.
_WIDTHS: dict[str, int] = {
    **dict.fromkeys("ijl'", 222),
    **dict.fromkeys(" !,./:;\\[]Ift|\u2019", 278),
    **dict.fromkeys("()-`r", 333),
    **dict.fromkeys("Jcksvxyz", 500),
    **dict.fromkeys("FTZ", 611),
    **dict.fromkeys("&ABEKPSVXY", 667),
    **dict.fromkeys("CDHNRUw", 722),
    **dict.fromkeys("GOQ", 778),
    **dict.fromkeys("Mm", 833),
    **dict.fromkeys("%W", 920),
    **dict.fromkeys("+<=>\u2212", 584),
}


def pixels(millimetres: float) -> int:
    """Pixels for a printed length; exported pictures have one pixel to the point (1/72 inch)."""
    return round(millimetres / 25.4 * 72)


def width_of(size: Size) -> int:
    """Width in pixels of a figure for a report column (85 mm), a page (170 mm), a slide (254 mm) or the web."""
    return pixels(_MILLIMETRES[size])


def text_width(text: str, *, size: float, bold: bool = False) -> float:
    """Width in pixels of one line of text in the house font."""
    thousandths = sum(_WIDTHS.get(character, 556) for character in text)
    return thousandths / 1000 * size * (1.08 if bold else 1.0)


def wrap(text: str, *, width: float, size: float, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than ``width`` pixels; a word longer than that keeps its own line."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size=size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shorten(text: str, *, width: float, size: float, bold: bool = False) -> str:
    """Cut a text to ``width`` pixels, with an ellipsis where something was cut."""
    if text_width(text, size=size, bold=bold) <= width:
        return text
    while text and text_width(f"{text}\u2026", size=size, bold=bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}\u2026"


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB``, from 0 to 1 (WCAG 2.2)."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast between two colours, from 1 to 21 (WCAG 2.2); text needs 4.5."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_on(fill: str) -> str:
    """White or ink, whichever reads better on a fill."""
    return PAPER if contrast(fill, PAPER) >= contrast(fill, INK) else INK


def config() -> dict[str, Any]:
    """Vega-Lite configuration of the house style."""
    axis = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": 9,
        "titleFontSize": 9,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": RULE,
        "tickColor": RULE,
        "gridColor": "#E3E3E3",
        "gridWidth": 0.6,
    }
    return {
        "background": PAPER,
        "font": FONT,
        "aria": False,  # the picture has one title and one description, put in when it is exported
        "padding": 6,
        "view": {"stroke": None},
        "axis": axis,
        "text": {"font": FONT, "color": INK, "fontSize": 9},
        "mark": {"opacity": 1, "font": FONT},  # Vega-Lite draws points and ticks at 0.7 otherwise
        "point": {"opacity": 1},
        "circle": {"opacity": 1},
        "tick": {"opacity": 1},
        "legend": {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 9, "titleFontSize": 9},
        "header": {"labelFont": FONT, "titleFont": FONT},
        "title": {"font": FONT, "subtitleFont": FONT, "anchor": "start", "color": INK},
        "range": {"category": list(CATEGORICAL), "ordinal": list(SEQUENTIAL), "diverging": list(DIVERGING)},
    }


@cache
def altair() -> Any:
    """Load Altair with the house theme on, and drawings as SVG so that notebooks need no network.

    Altair takes seconds to import, so nothing in this package imports it before a figure is asked for.
    """
    import altair as alt

    alt.theme.register("outcomes", enable=True)(lambda: alt.theme.ThemeConfig(config=config()))
    alt.renderers.enable("svg")
    return alt


@cache
def renderer() -> Any:
    """Load the library that draws, with the house font it brings before any of the computer's.

    To measure a text it opens a computer's font anew for every letter, which was nine tenths of the time a drawing
    takes; its own it holds in memory. So it is first told of none, by way of the setting that says where fonts lie,
    and of the computer's after that: letters which its own lack are still found.
    """
    import vl_convert

    before = os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(Path(__file__).with_name("fonts.conf"))
    try:
        # it looks for fonts when it first measures a text
        vl_convert.vega_to_svg({"marks": [{"type": "text", "encode": {"enter": {"text": {"value": "a"}}}}]})
    finally:
        os.environ.pop("FONTCONFIG_FILE")
        if before is not None:
            os.environ["FONTCONFIG_FILE"] = before
    for folder in _FONTS:
        if folder.is_dir():
            vl_convert.register_font_directory(str(folder))
    return vl_convert


def interactive() -> None:
    """Draw in notebooks with Altair's offline interactive renderer instead (adds about 1 MB to a notebook)."""
    altair().renderers.enable("jupyter", offline=True)
