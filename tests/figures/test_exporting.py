"""Files of a figure: what must be there, what they say, and that a spreadsheet cannot be made to run them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import outcomes_analysis.figures as figures
from outcomes_analysis.errors import FigureError, ProjectError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import Figure, accessible_svg, compose
from outcomes_analysis.figures.exporting import export, safe_csv
from outcomes_analysis.figures.registering import figure_entry, load_figures

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def figure() -> Figure:
    alt = theme.altair()
    data = pd.DataFrame({"place": ["A", "B"], "value": [1.5, 2.5]})
    body = alt.Chart(data, width=100, height=60).mark_bar().encode(x="value:Q", y="place:N")
    facts = {
        "title": 'One & "two" <three>',
        "subtitle": "Percent; 2024; England",
        "source": "A publisher",
        "data_as_at": "2026-04-08",
    }
    chart = compose(body, title=facts["title"], subtitle=facts["subtitle"], footer=[], width=200)
    return Figure(chart=chart, **facts, unit="percent", alt="Two bars.", data=data)


def test_an_svg_announces_itself_by_role_title_and_description(figure):
    root = ET.fromstring(figure.svg(prefix="a b"))
    assert root.get("role") == "img"
    ids = root.get("aria-labelledby").split()
    named = {child.get("id"): child for child in root}
    assert [named[i].tag for i in ids] == [f"{SVG}title", f"{SVG}desc"]
    assert named[ids[0]].text == figure.title
    assert named[ids[1]].text == "Two bars."


def test_two_svgs_on_one_page_share_no_id(figure):
    svg = '<svg><defs><clipPath id="clip1"/></defs><g clip-path="url(#clip1)"/><use xlink:href="#clip1"/></svg>'
    one, two = (accessible_svg(svg, title="t", description="d", prefix=p) for p in ("one", "two"))
    assert 'id="one-1"' in one
    assert "url(#one-1)" in one
    assert 'href="#one-1"' in one
    assert "one-" not in two
    # The renderer counts on from drawing to drawing: another number there is the same number here.
    later = accessible_svg(svg.replace("clip1", "clip94"), title="t", description="d", prefix="one")
    assert later == one


def test_export_writes_all_files_and_they_say_the_same(figure, tmp_path):
    files = export(figure, "domain-table", folder=tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {f"domain-table.{k}" for k in ("svg", "png", "csv", "json", "txt")}
    facts = json.loads(files["json"].read_text(encoding="utf-8"))
    assert facts["alt"] == "Two bars."
    assert "Data as at 8 April 2026." in facts["caption"]
    assert "Not official statistics." in facts["caption"]
    assert facts["caption"] in files["txt"].read_text(encoding="utf-8")
    back = pd.read_csv(files["csv"])
    pd.testing.assert_frame_equal(back, figure.data, check_dtype=False)


def test_svg_and_png_are_the_same_bytes_in_another_process(tmp_path):
    code = (
        "import sys, pandas as pd\n"
        "from pathlib import Path\n"
        "from outcomes_analysis.figures import theme\n"
        "from outcomes_analysis.figures.exporting import export\n"
        "alt = theme.altair()\n"
        "data = pd.DataFrame({'x': [1, 2], 'y': [3, 4]})\n"
        "chart = alt.Chart(data, title='T').mark_line().encode(x='x:Q', y='y:Q')\n"
        "meta = dict(title='T', alt='A', unit='u', source='s', data_as_at='2026-01-01')\n"
        "export(chart, 'mine', folder=Path(sys.argv[1]), data=data, meta=meta)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "one")], check=True, timeout=120)
    data = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    chart = theme.altair().Chart(data, title="T").mark_line().encode(x="x:Q", y="y:Q")
    meta = {"title": "T", "alt": "A", "unit": "u", "source": "s", "data_as_at": "2026-01-01"}
    export(chart, "mine", folder=tmp_path / "two", data=data, meta=meta)
    for kind in ("svg", "png", "csv", "json"):
        assert (tmp_path / "one" / f"mine.{kind}").read_bytes() == (tmp_path / "two" / f"mine.{kind}").read_bytes()


@pytest.mark.parametrize(("field", "words"), [("alt", "alt text"), ("data_as_at", "data as at"), ("title", "a title")])
def test_a_figure_that_lacks_something_is_refused_and_nothing_is_written(figure, tmp_path, field, words):
    with pytest.raises(FigureError, match=words):
        export(replace(figure, **{field: " "}), "domain-table", folder=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("field", "words"), [("unit", "a unit"), ("source", "a source line")])
def test_unit_and_source_come_from_the_register_or_are_refused(figure, tmp_path, field, words):
    bare = replace(figure, **{field: ""})
    files = export(bare, "domain-table", folder=tmp_path, forms=())
    assert json.loads(files["json"].read_text(encoding="utf-8"))[field] == getattr(figure_entry("domain-table"), field)
    with pytest.raises(FigureError, match=words):
        export(bare, "not-in-the-register", folder=tmp_path / "none")


def test_a_bare_chart_without_anything_names_all_that_is_lacking(figure, tmp_path):
    with pytest.raises(FigureError, match="2 problems") as caught:
        export(figure.chart, "domain-table", folder=tmp_path)
    assert "data as at" in str(caught.value)
    assert "data that it draws" in str(caught.value)
    with pytest.raises(FigureError, match="No figure 'unheard-of'"):
        export(figure.chart, "unheard-of", folder=tmp_path)


def test_a_folder_that_cannot_be_written_is_a_plain_message(figure, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="utf-8")
    with pytest.raises(ProjectError, match="Could not write"):
        export(figure, "domain-table", folder=blocked, forms=())


def test_csv_text_that_starts_like_a_formula_is_made_harmless_and_numbers_are_not_touched():
    frame = pd.DataFrame(
        {
            "name": ["=1+1", "+x", "-x", "@x", "\tx", " =1", "plain", None],
            "value": [-1.5, 0.1 + 0.2, np.nan, 1e-9, 2.0, 3.0, 4.0, 5.0],
        }
    )
    rows = list(csv.reader(safe_csv(frame).splitlines()))
    assert [r[0] for r in rows[1:]] == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "' =1", "plain", ""]
    assert [r[1] for r in rows[1:4]] == ["-1.5", "0.30000000000000004", ""]


def test_every_entry_of_the_register_is_complete_and_names_a_function_that_exists():
    entries = load_figures()
    ids = {e.id for e in entries}
    assert ids >= {
        "domain-map-{domain}",
        "domain-hex-{domain}",
        "rank-intervals-{domain}",
        "domain-table",
        "admissions-attainment",
    }
    for entry in entries:
        module, function = entry.function.split(".")
        assert callable(getattr(getattr(figures, module), function))
        assert "http" not in f"{entry.source}{entry.alt}"
    assert (
        figure_entry("domain-map-learning").title == "Map of the learning index in English upper-tier local authorities"
    )


def test_a_faulty_register_names_every_fault(tmp_path):
    path = tmp_path / "figures.yml"
    path.write_text(
        "figures:\n  - {id: a, title: t, alt: a, unit: u, source: s, function: maps}\n"
        "  - {id: a, title: t, unit: u, source: s, function: maps.choropleth}\n"
        "  - {id: a, title: t, alt: a, unit: u, source: s, function: maps.choropleth, colour: red}\n",
        encoding="utf-8",
    )
    with pytest.raises(FigureError, match=r"figures\.yml: 4 problems") as caught:
        load_figures(path)
    for part in ["module.function", "lacks alt", "unknown fields: colour", "occurs twice"]:
        assert part in str(caught.value)


def test_a_figure_shows_in_a_notebook_as_svg_without_the_network(figure):
    bundle = figure._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "Two bars." in bundle["text/plain"]
    assert theme.altair().renderers.active == "svg"


def test_what_draws_measures_with_its_own_letters_and_leaves_the_environment_as_it_was():
    """A font of the computer is mapped into memory anew for every letter, which shows in the pages mapped."""
    code = (
        "import os\n"
        "before = dict(os.environ)\n"
        "from outcomes_analysis.figures.drawing import theme\n"
        "draw = theme.renderer().vega_to_svg\n"
        "assert dict(os.environ) == before\n"
        "said = {'text': {'value': 'letters ' * 9}, 'font': {'value': theme.FONT}}\n"
        "words = [{'type': 'text', 'encode': {'enter': said}}]\n"
        "pages = lambda: int(open('/proc/self/stat').read().rsplit(')', 1)[1].split()[7])\n"
        "draw({'marks': words})\n"
        "before = pages()\n"
        "draw({'marks': words * 40})\n"
        "print(pages() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert int(done.stdout) < 40 * 72  # one a letter; 1,103 are seen here, and 23,821 with the computer's font


def test_another_theme_that_is_on_changes_nothing(figure):
    alt = theme.altair()
    before = figure.svg()
    with alt.theme.enable("dark"):
        assert figure.svg() == before


def test_pdf_is_there_when_asked_for(figure, tmp_path):
    files = export(figure, "domain-table", folder=tmp_path, forms=("pdf",))
    assert files["pdf"].read_bytes()[:5] == b"%PDF-"
    assert isinstance(files["pdf"], Path)


@pytest.fixture(scope="module")
def hexagons(scores) -> Figure:
    from outcomes_analysis.figures.mapping import maps

    return maps.hex_map(scores, node="learning", data_as_at="2026-04-08")


def test_a_figure_comes_in_every_size_with_the_same_numbers(hexagons, tmp_path):
    files = export(hexagons, "domain-hex-learning", folder=tmp_path, forms=("svg",), sizes=("column", "slide", "web"))
    assert set(files) == {"svg", "svg-column", "svg-slide", "svg-web", "csv", "json", "txt"}
    widths = {}
    for name in ("svg", "svg-column", "svg-slide", "svg-web"):
        root = ET.fromstring(files[name].read_text(encoding="utf-8"))
        widths[name] = float(root.get("width"))
        words = " ".join("".join(t.itertext()) for t in root.iter(f"{SVG}text"))
        counts = [f"({count})" for count in hexagons.data["map_class"].value_counts()]
        for said in (*counts, "Not official statistics", "Source:"):
            assert said in words, name
        if name == "svg-slide":
            assert float(root.get("height")) <= theme.SLIDE_HEIGHT
    # The padding stands outside the width asked for; letters at the edge may add a pixel.
    assert widths["svg-column"] == pytest.approx(theme.width_of("column") + 12, abs=2)
    assert widths["svg"] == pytest.approx(theme.width_of("page") + 12, abs=2)
    assert widths["svg-slide"] == pytest.approx(theme.width_of("slide") + 12, abs=12)
    assert widths["svg-web"] == pytest.approx(widths["svg"] * theme.WEB_SCALE, abs=0.1)


def test_no_text_is_smaller_than_its_size_allows(hexagons):
    """Letters in hexagons are left out of a column, where they would be too small to read."""
    for size, least in (("column", 7.0), ("page", 5.5), ("slide", 5.5)):
        root = ET.fromstring(hexagons.at(size).svg())
        sizes = [float(t.get("font-size").removesuffix("px")) for t in root.iter(f"{SVG}text")]
        assert min(sizes) >= least, size
    assert "Hack" in hexagons.svg()
    assert "Hack" not in "".join(ET.fromstring(hexagons.at("column").drawing).itertext())


def test_a_size_that_does_not_go_is_refused_and_nothing_is_written(figure, scores, tmp_path):
    from outcomes_analysis.figures.charts import tables

    with pytest.raises(FigureError, match="one size only"):
        export(figure, "domain-table", folder=tmp_path, sizes=("column",))
    meta = {"title": "T", "alt": "A", "data_as_at": "2026-01-01"}
    with pytest.raises(FigureError, match="bare chart has one size"):
        export(figure.chart, "domain-table", folder=tmp_path, data=figure.data, meta=meta, sizes=("slide",))
    tall = tables.domain_heat_table(scores, data_as_at="2026-04-08")
    with pytest.raises(FigureError, match="too tall for a slide"):
        replace(tall, redraw=lambda _: tall).at("slide")
    assert not list(tmp_path.iterdir())
