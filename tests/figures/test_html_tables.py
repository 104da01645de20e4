"""The table of results in HTML: every number with its interval, symbols explained, readable without sight or network."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import html_tables
from outcomes_analysis.wording import number

AS_AT = "2026-04-08"


@pytest.fixture(scope="module")
def made(scores) -> html_tables.HtmlTable:
    rows = scores.copy()
    rows.loc[rows["area_code"].eq("E06000001") & rows["node_id"].eq("safe"), ["estimate", "lower", "upper"]] = np.nan
    rows.loc[rows["area_code"].eq("E06000001") & rows["node_id"].eq("safe"), "status"] = "suppressed"
    rows.loc[rows["area_code"].eq("E06000002"), "area_name"] = "<script>alert(1)</script>"
    return html_tables.results_table(rows, nodes=["safe", "happy"], data_as_at=AS_AT)


@pytest.fixture(scope="module")
def soup(made) -> BeautifulSoup:
    return BeautifulSoup(made.page(), "html.parser")


def test_every_place_has_its_score_interval_and_standing(made, soup, scores):
    printed = {}
    for row in soup.select("tbody tr"):
        cells = [td.get_text(strip=True).replace("\u00a0", " ") for td in row.find_all("td")]
        if cells:
            printed[row.find("th").get_text(strip=True)] = cells
    assert len(printed) == 152
    rows = scores[scores["node_id"] == "safe"].set_index("area_name").drop(["Hartlepool", "Middlesbrough"])
    for name, row in rows.iterrows():
        score, words = printed[name][:2]
        if not np.isfinite(row["estimate"]):
            assert [score, words] == ["[x]", "not judged"]
            continue
        assert score == f"{number(row['estimate'], 2)} ({number(row['lower'], 2)} to {number(row['upper'], 2)})"
        side = "better" if row["lower"] > 0 else "worse" if row["upper"] < 0 else ""
        assert words == (f"clearly {side}" if side else "not clear")
    assert printed["Hartlepool"][0] == "[c]"
    assert not any(cell == "" for cells in printed.values() for cell in cells)


def test_symbols_are_explained_and_the_source_date_and_notice_stand_under_it(soup, made):
    foot = soup.find("tfoot").get_text(" ")
    assert "[c] suppressed" in foot
    assert "[x] not available" in foot
    assert "[z]" not in foot
    assert "Source: Department for Education" in foot
    assert "Data as at 8 April 2026" in foot
    assert "not performance management" in foot
    assert "Happy: experimental" in foot
    assert "Happy (experimental)" in soup.find("thead").get_text()
    assert made.data["level"].dropna().eq(0.9).all()


def test_headings_say_what_they_head_and_the_caption_what_the_table_is(soup):
    table = soup.find("table")
    assert table.find("caption").get_text().startswith("Scores of 152 authorities on Safe and Happy")
    assert all(th.get("scope") in {"col", "colgroup", "row", "rowgroup"} for th in table.find_all("th"))
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for cell in table.find_all("td", headers=True):
        assert set(cell["headers"]) <= set(ids)
    region = soup.find(role="region")
    assert region["tabindex"] == "0"
    assert region["aria-labelledby"] in ids


def test_nothing_is_fetched_nothing_runs_and_a_name_stays_text(made, soup):
    assert not re.search(r"https?:|//|@import|url\(", made.page().replace("<!DOCTYPE", ""))
    assert not soup.find_all(["script", "link", "img", "iframe"])
    assert "<script>alert(1)</script>" in soup.get_text()


def test_the_style_holds_for_the_table_alone(made):
    style = re.search(r"<style>(.*?)</style>", made.html, re.DOTALL)[1]
    selectors = [s.strip() for group in re.findall(r"([^{}]+)\{", style) for s in group.split(",")]
    assert len(selectors) > 30
    assert all(s.startswith("#results") for s in selectors)


def test_a_few_places_come_in_the_order_asked_and_two_tables_have_two_ids(scores):
    few = html_tables.results_table(scores, nodes=["safe"], areas=["Leeds", "Barnet"], id="few", data_as_at=AS_AT)
    soup = BeautifulSoup(few.html, "html.parser")
    assert [th.get_text() for th in soup.select("tbody th")] == ["Leeds", "Barnet"]
    assert soup.find("div")["id"] == "few"
    assert few.title == "Scores of 2 authorities on Safe"
    with pytest.raises(FigureError, match="1 places are not in the result: E06000065"):
        html_tables.results_table(scores, areas=["North Yorkshire"])
    with pytest.raises(FigureError, match="no id"):
        html_tables.results_table(scores, id="two words")
    with pytest.raises(FigureError, match="upper"):
        html_tables.results_table(scores.drop(columns="upper"))


def test_the_table_is_a_frame_as_well(made):
    assert len(made.data) == 2 * 152
    assert set(made.data.columns) >= {"node_id", "area_code", "estimate", "lower", "upper", "level", "status", "words"}
    assert isinstance(made.data, pd.DataFrame)
