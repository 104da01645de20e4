"""The cards as a page: every indicator with what it can bear, reasons given, nothing fetched, nothing unexplained."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup

import outcomes_analysis as oa
from outcomes_analysis.evidence.cards import cards_html, fitness_section
from outcomes_analysis.evidence.page import links
from outcomes_analysis.index import fitness
from outcomes_analysis.wording import causal_words, number

OVERRIDE = {"cpp_repeat_pct": ["england"]}


@pytest.fixture(scope="module")
def framework():
    return oa.load_framework()


@pytest.fixture(scope="module")
def cards(framework):
    return fitness(oa.load_observations(), framework=framework, allow=OVERRIDE)


@pytest.fixture(scope="module")
def page(cards, framework):
    return BeautifulSoup(cards_html(cards, framework=framework), "html.parser")


def lines(page):
    found = {}
    for table in page.find_all("table"):
        for tr in table.select("tbody tr"):
            cells = [c.get_text() for c in tr.find_all(["th", "td"])]
            found[cells[0]] = cells[1:]
    return found


def test_every_indicator_has_its_line_and_its_card(page, cards):
    shown = lines(page)
    assert sorted(shown) == sorted(cards.table["name"])
    opened = {d.summary.get_text(): d.p.get_text() for d in page.find_all("details")}
    assert opened == {row["name"]: cards.cards[row["indicator_id"]] for _, row in cards.table.iterrows()}


def test_what_a_line_says_is_the_tables(page, cards):
    shown = lines(page)
    for _, row in cards.table.iterrows():
        uses = shown[row["name"]][1:4]
        for said, use in zip(uses, ("rank", "change", "england"), strict=True):
            expected = "by override" if use in row["overridden"] else "yes" if row[f"use_{use}"] else "withheld"
            assert said == expected
        assert shown[row["name"]][4] == number(row["reliability"], 2)
    assert sum("by override" in cells for cells in shown.values()) == 1


def test_one_page_that_fetches_nothing_in_words_without_codes(page):
    assert page.html["lang"] == "en-GB"
    assert len(page.find_all("h1")) == 1
    headings = [h.get_text() for h in page.find_all("h2")]
    assert headings[:2] == ["How to read the cards", "Safe"]
    assert headings[-1].startswith("Context")
    assert not page.find_all(["script", "link", "img", "iframe"])
    assert all(a["href"].startswith("#") for a in page.find_all("a"))
    captions = [t.caption.get_text() for t in page.find_all("table")]
    assert len(set(captions)) == len(captions)
    text = page.get_text(" ")
    assert not re.search(r"\b[a-z0-9]+_[a-z_]+\b", text)
    assert "nan" not in text.lower().split()
    assert causal_words(re.sub(r"“[^”]*”", "", text)) == []


def test_what_rests_on_the_movement_of_other_indicators_is_named(cards):
    scored = ["inj_15_24", "inj_0_14"]
    bands = pd.DataFrame({"method": ["borrowed", "own"]}, index=scored).assign(
        band_verdict="not tested", band_held=float("nan"), band_tested=0
    )
    text = BeautifulSoup(fitness_section(cards, scored=scored, bands=bands).body, "html.parser").get_text()
    assert "No two comparable years: Hospital admissions for injuries, ages 15 to 24." in text
    own = fitness_section(cards, scored=scored, bands=bands.assign(method="own")).body
    assert "No two comparable years" not in own


def test_bands_that_held_too_little_are_named(cards):
    scored = ["attainment8", "absence_overall", "lbw_term"]
    bands = pd.DataFrame(
        {
            "band_verdict": ["fewer", "as stated", "not tested"],
            "band_held": [0.71, 0.9, float("nan")],
            "band_worst": [0.6, 0.8, float("nan")],
            "band_worst_period": ["2022", "2019", ""],
        },
        index=scored,
    )
    text = BeautifulSoup(fitness_section(cards, scored=scored, bands=bands).body, "html.parser").get_text()
    assert "bands of 1 of 2 indicators held 85 to 95 figures in 100" in text
    assert "Attainment 8 (71 in 100, 60 in 2022). Read their intervals as too narrow." in text
    assert "1 could not be tested" in text
    without = fitness_section(cards, scored=scored, bands=pd.DataFrame(index=scored)).body
    assert "tested" not in without


def test_only_pages_beside_this_one_are_linked():
    assert '<a href="audit.html">A &amp; b</a>: what' in links([("audit.html", "A & b", "what")])
    for file in ("https://example.org/a.html", "../a.html", "javascript:x", 'a".html'):
        with pytest.raises(ValueError, match="not a page in the same folder"):
            links([(file, "t", "w")])
