"""Pages: escaped, self-contained, and readable by those who do not see them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from outcomes_analysis.evidence.page import Section, details_html, figure_html, page, paragraph, table_html

EVIL = "<script>alert('x')</script>"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4" viewBox="0 0 4 4"><rect width="4" height="4"/></svg>'
)


def _table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area": [EVIL, "Hackney", "Rutland", "Isles of Scilly"],
            "region": ["London", "London", "East Midlands", "South West"],
            "value": [68.25, -3.14159, np.nan, np.nan],
            "rank": pd.array([1, 2, 3, 4], dtype="int64"),
            "status": ["published", "published", "suppressed", "not_applicable"],
            "flags": ["", "low_reliability", "", ""],
        }
    )


def _soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def test_a_page_has_language_title_one_h1_a_skip_link_that_works_and_the_notice():
    soup = _soup(page("Learning & more", [("First", paragraph("a")), ("Second", paragraph("b"))], lead="Lead"))
    assert soup.html is not None
    assert soup.html["lang"] == "en-GB"
    assert soup.title is not None
    assert soup.title.string == "Learning & more"
    assert [h.text for h in soup.find_all("h1")] == ["Learning & more"]
    skip = soup.find("a", class_="skip")
    assert skip is not None
    assert soup.find("main", id=str(skip["href"]).lstrip("#")) is not None
    assert "Not official statistics" in soup.get_text()


def test_headings_of_the_same_words_get_anchors_of_their_own():
    soup = _soup(page("T", [("Main", ""), ("Main", ""), Section("Other", "", anchor="main")]))
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for link in soup.find_all("a"):
        assert soup.find(id=str(link["href"]).lstrip("#")) is not None


def test_a_name_that_is_a_script_stays_text():
    html = page(EVIL, [(EVIL, paragraph(EVIL) + table_html(_table(), EVIL, group="region") + details_html(EVIL, ""))])
    soup = _soup(html)
    assert soup.find("script") is None
    assert soup.title is not None
    assert soup.title.string == EVIL
    assert EVIL in [th.text for th in soup.find_all("th", scope="row")]


def test_a_page_names_no_host_and_runs_nothing():
    html = page("T", [("A", figure_html(SVG, "Caption", "Alt") + table_html(_table(), "Numbers"))])
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)
    assert not re.search(r"https?://|//[a-z]+\.", without_namespaces)
    assert not re.search(r"<script|<link|<iframe|\son\w+=", _soup(html).decode().replace(EVIL, ""))


def test_missing_values_are_symbols_with_their_meaning_and_never_blank_or_nan():
    html = table_html(_table(), "Numbers", status="status", flags="flags")
    cells = [[c.text for c in row.find_all(["th", "td"])] for row in _soup(html).select("tbody tr")]
    assert cells[1] == ["Hackney", "London", "\u22123.1 [u]", "2 [u]"]
    assert cells[2] == ["Rutland", "East Midlands", "[c]", "3"]
    assert cells[3][2] == "[z]"
    assert "nan" not in html.lower().replace("finance", "")
    assert "[c] suppressed" in html
    assert "[x]" not in html
    # Without a status nobody knows why: the symbol says not available.
    assert "[x] not available" in table_html(_table()[["area", "value"]], "Numbers")


def test_a_table_has_caption_column_and_row_scopes_and_groups():
    soup = _soup(table_html(_table(), "Numbers", group="region", headings={"value": "Score"}, status="status"))
    assert soup.caption is not None
    assert soup.caption.text == "Numbers"
    assert [th.text for th in soup.select("thead th[scope=col]")] == ["Area", "Score", "Rank", "Flags"]
    assert [th.text for th in soup.select("th[scope=rowgroup]")] == ["London", "East Midlands", "South West"]
    assert len(soup.select("tbody th[scope=row]")) == 4
    widths = {sum(int(c.get("colspan", 1)) for c in row.find_all(["th", "td"])) for row in soup.find_all("tr")}
    assert widths == {4}


def test_shaded_cells_keep_their_number_and_readable_text():
    frame = _table()[["area", "value"]]
    fills = pd.DataFrame({"value": ["#12436D", "#FFFFFF", "#F2F2F2", "#B84A12"]}, index=frame.index)
    cells = _soup(table_html(frame, "Numbers", fills=fills)).select("tbody td")
    assert cells[0]["style"] == "background:#12436D;color:#FFFFFF"
    assert cells[0].text == "68.2"  # 68.25 lies exactly between; Python rounds to even
    assert cells[1]["style"].endswith("color:#1A1A1A")
    with pytest.raises(ValueError, match="not a colour"):
        table_html(frame, "Numbers", fills=fills.replace("#FFFFFF", "red;x:url(//a)"))


def test_an_input_frame_is_left_as_it_was():
    frame = _table()
    before = frame.copy(deep=True)
    table_html(frame, "Numbers", group="region", status="status", flags="flags")
    pd.testing.assert_frame_equal(frame, before)


def test_a_figure_is_announced_and_described_in_text():
    soup = _soup(figure_html(SVG, "Caption <1>", 'Alt "text"', data=table_html(_table(), "Numbers")))
    svg = soup.find("svg")
    assert svg is not None
    assert svg["role"] == "img"
    assert svg["aria-label"] == 'Alt "text"'
    assert soup.figcaption is not None
    assert soup.figcaption.text == "Caption <1>"
    assert [s.text for s in soup.find_all("summary")] == ["Description of this figure", "Data of this figure"]


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        '<rect onload="x()"/>',
        '<image href="https://example.org/a.png"/>',
        "<style>@import 'a'</style>",
        "<foreignObject/>",
    ],
)
def test_an_svg_that_could_act_or_fetch_is_refused(inside: str):
    with pytest.raises(ValueError, match="only drawings of this package"):
        figure_html(SVG.replace("<rect", f"{inside}<rect"), "c", "a")


def test_the_same_page_comes_out_the_same():
    assert page("T", [("A", table_html(_table(), "N"))]) == page("T", [("A", table_html(_table(), "N"))])


def test_what_is_wide_moves_on_its_own_and_the_keyboard_reaches_it():
    """A drawing shrunk to a phone cannot be read, and a column of sentences set one word to a line neither."""
    frame = pd.DataFrame({"Indicator": ["a"], "What it cannot tell": ["a sentence of many words " * 5], "Score": [1.0]})
    soup = _soup(page("T", [("A", figure_html(SVG, "Caption", "Alt") + table_html(frame, "Numbers"))]))
    drawing = soup.find(class_="drawing")
    assert (drawing["tabindex"], drawing["role"], drawing["aria-label"]) == ("0", "region", "Caption")
    assert drawing.find("svg") is not None
    style = soup.find("style").get_text()
    assert ".drawing { overflow-x: auto; }" in style
    assert ".drawing svg { min-width: 36rem; }" in style
    assert [h.get("class") for h in soup.select("thead th")] == [None, ["long"], ["number"]]
