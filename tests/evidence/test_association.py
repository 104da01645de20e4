"""The page of one association, parsed as a browser would."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup

from outcomes_analysis.evidence.association import association_html, association_section
from outcomes_analysis.figures.charts.relations import scatter
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.relations import RelationResult, relate
from outcomes_analysis.relations.sentences import spanned
from outcomes_analysis.wording import EXPLORATION


@pytest.fixture(scope="module")
def answer() -> RelationResult:
    """Without the parts that need analyses of their own, but for the one that takes no time."""
    return relate(draws=100, parts=("years",))


@pytest.fixture(scope="module")
def page(answer: RelationResult) -> BeautifulSoup:
    figures = {"In short": scatter(answer)}
    return BeautifulSoup(association_html(answer, framework=load_framework(), figures=figures), "html.parser")


def test_the_title_is_the_answer_and_every_part_has_its_heading(page: BeautifulSoup, answer: RelationResult) -> None:
    title = page.find_all("h1")[0].get_text()
    assert title.startswith("No clear association between mental health admissions and Attainment 8")
    assert "similar child poverty" in title
    headings = [h.get_text() for h in page.find_all("h2")]
    assert headings == ["What the figures are not", *[h for h, _ in answer.sections if h], "Every estimate"]


def test_every_point_of_the_answer_is_on_the_page(page: BeautifulSoup, answer: RelationResult) -> None:
    told = {re.sub(r"\s+", " ", tag.get_text()) for tag in page.find_all(["p", "li"])}
    for _, text in answer.sections:
        assert set(text.split("\n")) <= told
    assert EXPLORATION in told


def test_the_table_holds_every_estimate_computed(page: BeautifulSoup, answer: RelationResult) -> None:
    caption = page.find("caption", string=re.compile("Every way the question was asked"))
    assert caption is not None
    table = caption.find_parent("table")
    assert table is not None
    assert len(table.select("tbody tr")) == answer.table["status"].eq("computed").sum()


def test_the_page_asks_for_nothing_and_is_the_same_each_time(page: BeautifulSoup, answer: RelationResult) -> None:
    assert not page.find_all(["script", "link", "img", "iframe"])
    bare = association_html(answer, framework=load_framework(), figures={})
    assert bare == association_html(answer, framework=load_framework(), figures={})
    assert "<svg" not in bare


def test_the_section_of_the_report_opens_with_the_answer(answer: RelationResult) -> None:
    section = BeautifulSoup(association_section(answer, scatter(answer)).body, "html.parser")
    before = section.get_text().split("The whole answer, with what to mind")[0]
    assert spanned(answer.row("spearman_neighbours", adjusted_for="child_poverty_bhc")) in before
    folded = section.find_all("details")
    assert [h.get_text() for d in folded for h in d.find_all("h3")] == [
        "How sure", "What changes it", "The same places over the years", "What it cannot say",
    ]  # fmt: skip
