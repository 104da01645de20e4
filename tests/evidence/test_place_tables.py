"""One place as page and workbook: the profile's own numbers, missing ones explained, hostile text left text."""

from __future__ import annotations

import html
import io
import re
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook

from outcomes_analysis.evidence.place_tables import against_england, place_tables
from outcomes_analysis.evidence.profiles import place_html
from outcomes_analysis.evidence.workbook import place_workbook, plain_cell
from outcomes_analysis.places import area_profile
from outcomes_analysis.wording import EXPLORATION

HOSTILE = ['=HYPERLINK("http://bad.example","x")', "+1+1", "-2+3", "@SUM(A1:A9)", "=1+1", "$$note$$ x",
           "[a](http://bad.example) [b](http://bad.example)", "<script>alert(1)</script>", "==="]  # fmt: skip


def scores():
    """Two domains of an invented place: one computed, one not."""
    common = {"kind": "domain", "level": 0.9, "disputed": False, "experimental": False, "joint": 1}
    one = {"node_id": "safe", "node_label": "Safe", "domain": "safe", "estimate": 0.357, "lower": 0.102, "upper": 0.612,
           "status": "computed", "england": 0.014, "against_england": "above", "standing": "above",
           "neighbours_centre": 0.05, "ranked": True, "rank": 60.0, "rank_lower": 27.0, "rank_upper": 88.0}  # fmt: skip
    none = dict.fromkeys(("estimate", "lower", "upper", "england", "neighbours_centre", "rank"), np.nan)
    two = {"node_id": "healthy", "node_label": "Healthy", "domain": "healthy", **none, "status": "not_computed",
           "against_england": "", "standing": "", "ranked": False, "rank_lower": np.nan,
           "rank_upper": np.nan}  # fmt: skip
    return pd.DataFrame([common | one, common | two])


@pytest.fixture(scope="module")
def profile():
    return replace(area_profile("Essex", period=2025), domains=scores())


@pytest.fixture(scope="module")
def hostile(profile):
    table = profile.table.copy()
    table.loc[: len(HOSTILE) - 1, "name"] = HOSTILE
    table.loc[0, "cannot_tell"] = "=cmd|' /C calc'!A0"
    few = table.head(12)
    series = profile.series[profile.series["indicator_id"].isin(few["indicator_id"])].groupby("indicator_id").head(2)
    return replace(profile, name="=1+2 [x](http://bad.example) $$n$$", table=few, series=series)


@pytest.fixture(scope="module")
def book(profile):
    return place_workbook(profile)


def sheets(content):
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def table_of(rows, first):
    """Rows under the one that begins with a heading."""
    at = next(i for i, row in enumerate(rows) if row[0] == first)
    return pd.DataFrame(rows[at + 1 :], columns=rows[at])


def test_workbook_has_cover_contents_notes_and_a_table_a_sheet(profile, book):
    found = sheets(book)
    tables = [t.label for t in place_tables(profile)]
    assert list(found) == ["Cover", "Contents", "Notes", *tables]
    assert [row[0] for row in found["Contents"][3:]] == tables
    assert any(EXPLORATION in str(row[0]) for row in found["Cover"])
    assert any("Open Government Licence" in str(row[0]) for row in found["Cover"])
    assert all(found[label][1][0] == EXPLORATION for label in tables)


def test_indicators_read_back_are_the_profiles_own(profile, book):
    read = table_of(sheets(book)["Indicators"], "Indicator")
    assert len(read) == len(profile.table) == 101
    for (_, cell), row in zip(read.iterrows(), profile.table.to_dict("records"), strict=True):
        if np.isfinite(row["value"]):
            # written to the decimals published, so that half of the last one is the furthest it can be off
            assert abs(cell["Figure"] - row["value"]) <= 0.5 * 10.0 ** -row["decimals"] + 1e-9
            assert cell["Against England"] == against_england(row)
        else:
            assert cell["Figure"] == row["symbol"]


def test_no_cell_of_a_table_is_empty_and_every_symbol_is_explained(book, profile):
    found = sheets(book)
    for table in place_tables(profile):
        rows = found[table.label]
        read = table_of(rows, table.frame.columns[0])
        assert not read.map(lambda cell: str(cell).strip() == "").any().any(), table.label
        legend = " ".join(str(row[0]) for row in rows[: len(rows) - len(read)])
        used = {m for cell in read.to_numpy().ravel() for m in re.findall(r"\[[a-z]+\]", str(cell))}
        assert all(f"{symbol} " in legend for symbol in used), table.label


def test_domain_not_computed_is_said_and_not_nought(book):
    read = table_of(sheets(book)["Domains"], "Domain or part").set_index("Domain or part")
    assert read.loc["Safe", ["Score", "Lower", "Upper"]].tolist() == [0.36, 0.10, 0.61]
    assert read.loc["Safe", "Against England"] == "clearly better"
    assert read.loc["Healthy", ["Score", "Lower", "Against England", "Rank (1 is best)"]].tolist() == [
        "[x]", "[x]", "[x]", "[z]"]  # fmt: skip


def test_hostile_names_stay_text(hostile):
    content = place_workbook(hostile)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet_parts = [n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
        text = "".join(archive.read(n).decode() for n in sheet_parts)
        links = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".rels"))
    assert "<f>" not in text
    assert "bad.example" not in links
    assert set(re.findall(r'hyperlink [^>]*location="([^"]*)"', text)) == {
        f"'{t.label}'!A1" for t in place_tables(hostile)}  # fmt: skip
    names = table_of(sheets(content)["Indicators"], "Indicator")["Indicator"].tolist()
    assert [n.removesuffix(" (contested)") for n in names[:5]] == HOSTILE[:5]
    assert names[8].removesuffix(" (contested)") in ("text: ===", "===")


@pytest.mark.parametrize("cell", ["$$$$$", "[a](b)", "a\x00b", "...", "", "x" * 40_000])
def test_plain_cell_leaves_nothing_the_writer_would_read_as_its_own(cell):
    text = plain_cell(cell)
    assert "$$" not in text
    assert "](" not in text
    assert "\x00" not in text
    assert re.search(r"[A-Za-z0-9]", text)
    assert len(text) <= 32_767  # what a cell holds


def test_same_profile_same_workbook(profile, book):
    assert place_workbook(profile) == book


@pytest.fixture(scope="module")
def page(profile):
    return place_html(profile)


def test_page_tells_strengths_first_and_what_is_not_measured(page):
    headings = [h.get_text() for h in BeautifulSoup(page, "html.parser").find_all("h2")]
    assert headings[:2] == ["In short", "Domains"]
    assert {"The same for groups of children", "What cannot be measured here", "Every indicator", "Sources"} <= set(
        headings
    )
    text = BeautifulSoup(page, "html.parser").get_text(" ")
    assert text.index("Strengths: clearly better") < text.index("Clearly worse than England on")
    assert EXPLORATION in text


def test_page_lists_every_indicator_and_asks_for_nothing_outside(page, profile):
    soup = BeautifulSoup(page, "html.parser")
    table = next(t for t in soup.find_all("table") if "101 indicators" in t.caption.get_text())
    assert len(table.find_all("th", scope="row")) == 101
    assert "Against England" in [th.get_text() for th in table.find_all("th", scope="col")]
    assert not re.search(r"<script|src=|href=\"(?!#)|url\(", page)
    assert all(t.caption for t in soup.find_all("table"))
    assert not re.search(r"\bnan\b|\bNone\b", soup.get_text(" "))


def test_hostile_names_stay_text_on_the_page(hostile):
    page = place_html(hostile)
    assert "<script" not in page
    assert html.escape("<script>alert(1)</script>") in page


def test_contested_figures_are_never_better_or_worse(profile):
    rows = profile.table[profile.table["kind"].isin(["contested", "activity"])]
    words = {against_england(row) for row in rows.to_dict("records")}
    assert "clearly fewer" in words  # Essex has some, so the test can fail
    assert not any("better" in w or "worse" in w for w in words if not w.startswith("not judged"))
