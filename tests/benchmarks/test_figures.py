"""Figures: how long each of the gallery takes to become SVG and PNG at 300 pixels to the inch, its result at hand.

Promise: 2.5 s for both, once the libraries are loaded.
"""

from __future__ import annotations

from typing import Any

import pytest

from outcomes_analysis.figures.drawing.composing import accessible_svg, draw, png
from outcomes_analysis.figures.exporting import PPI
from outcomes_analysis.pipeline import gallery

pytestmark = pytest.mark.benchmark

# One of each way of drawing: outlines, hexagons, small maps, rows, marks in columns, planes and panels.
TIMED = ("domain-map-learning", "domain-pair-engaged", "domain-hex-safe", "domain-maps", "domain-table",
         "rank-intervals-learning", "domain-profile", "specification-curve", "trajectory-fan", "funnel")  # fmt: skip
DRAWN = {shown.id: shown.draw for shown in gallery.GALLERY}


@pytest.mark.parametrize("name", TIMED)
def test_svg_and_png(benchmark: Any, name: str) -> None:
    figure = DRAWN[name]()

    def both() -> int:
        svg = draw(figure.chart)  # the figure itself keeps its drawing
        return len(accessible_svg(svg, title=figure.title, description=figure.alt)) + len(png(svg, ppi=PPI))

    both()
    benchmark.extra_info["kilobytes of SVG"] = len(figure.svg()) // 1000
    benchmark.pedantic(both, rounds=3)
