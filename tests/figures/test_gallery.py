"""The approved figures are those that today's data and code make, they fit a page, and the README lists them."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.pipeline import gallery, results
from outcomes_analysis.project import project
from outcomes_analysis.relations import RelationSpec, correlations

sys.path.insert(0, str(Path(__file__).parent))
import drawn

FOLDER = project().path("figures", "gallery")
IDS = [shown.id for shown in gallery.GALLERY]
AGAIN = "If the new drawing is right, look at it and run `make gallery`."
#: A few that are made quickly and reach most of the code: outlines, hexagons, rows, planes, cards, areas and lines.
REMADE = ("domain-map-learning", "domain-hex-safe", "cluster-map", "trend", "trajectory-fan", "funnel", "fitness-card")


def _svg(name: str) -> str:
    return (FOLDER / f"{name}.svg").read_text(encoding="utf-8")


def test_the_gallery_holds_what_it_lists_and_no_more():
    assert len(IDS) >= 14
    assert len(set(IDS)) == len(IDS)
    assert sorted(p.stem for p in FOLDER.glob("*.svg")) == sorted(IDS)


def test_the_readme_has_the_index_of_the_gallery():
    readme = project().path("README.md").read_text(encoding="utf-8")
    assert gallery.index_text() in readme, "Run `make gallery`."
    for shown in gallery.GALLERY:
        module, _, function = shown.made.partition(".")
        from importlib import import_module

        from outcomes_analysis.figures import _MODULES

        found = import_module(f"outcomes_analysis.figures.{_MODULES[module]}.{module}")
        assert callable(getattr(found, function))


@pytest.mark.parametrize("name", IDS)
def test_every_approved_figure_fits_a_page_and_can_be_read(name):
    """247 mm between the margins of a page; no text cut off or over another; title, description and glyphs are there."""
    svg = _svg(name)
    root = ET.fromstring(svg)
    assert float(root.get("height")) <= theme.pixels(247)
    assert float(root.get("width")) <= theme.width_of("page") + 20  # the white edge round it
    assert root.get("role") == "img"
    assert len(root.findtext(f"{drawn.SVG}title")) > 20
    assert len(root.findtext(f"{drawn.SVG}desc")) > 60
    assert len(drawn.texts(svg)) >= 10
    # a name with a white edge is drawn twice, edge first
    assert [pair for pair in drawn.overlaps(svg, theme.text_width) if pair[0] != pair[1]] == []
    assert drawn.outside(svg, theme.text_width) == []
    assert len(svg) < 1_000_000
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]+"', "", svg)
    assert any("not performance management" in text for text in drawn.texts(svg))


def test_the_gallery_is_of_modest_size():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.svg")) < 6_000_000


def test_a_figure_that_is_not_in_the_gallery_is_refused():
    with pytest.raises(FigureError, match="domain-mop"):
        gallery.write_gallery(["domain-mop"])


@pytest.mark.slow
def test_drawn_again_the_approved_figures_have_the_same_bytes(tmp_path):
    for path in gallery.write_gallery(REMADE, folder=tmp_path):
        same = path.read_bytes() == (FOLDER / path.name).read_bytes()
        assert same, f"{path.stem} has changed. {AGAIN}"


@pytest.mark.slow
def test_what_the_readme_says_of_the_map_beside_it_holds():
    from outcomes_analysis.figures.mapping import maps
    from outcomes_analysis.pipeline.results import default_uncertainty

    data = maps.choropleth(default_uncertainty(), node="learning").data
    london = data[data["region_name"] == "London"]
    assert london["map_class"].str.startswith("Highest fifth").mean() > 0.5


@pytest.mark.slow
def test_the_forest_counts_as_clear_what_the_answer_counts():
    forest = next(shown for shown in gallery.GALLERY if shown.id == "forest").draw()
    question = RelationSpec(outcome="attainment8", predictors=gallery.ASIDE, years=(results.RELATION_YEAR,))
    said = re.search(r"; (\d+) have intervals that leave out 0", correlations(spec=question).text)
    plain = forest.data[forest.data["group"] == "As they are"]
    assert len(plain) == len(gallery.ASIDE)
    assert int(said[1]) == ((plain["lower"] > 0) | (plain["upper"] < 0)).sum()
