"""The audit as a page: findings first, every section there, nothing fetched, nothing unexplained."""

import html
import re

import pytest

import outcomes_analysis as oa
from outcomes_analysis.evidence.audit import SHOWN, audit_html, audit_sections
from outcomes_analysis.index import audit
from outcomes_analysis.index.judging.auditing import SECTIONS


@pytest.fixture(scope="module")
def report():
    framework, observations = oa.load_framework(), oa.load_observations()
    matrix = oa.build_matrix(observations, framework=framework, period=2025, include=["child_poverty_bhc"])
    return audit(oa.build_index(matrix), covariate=matrix.values["child_poverty_bhc"], draws=50)


@pytest.fixture(scope="module")
def page(report):
    return audit_html(report)


def words(text):
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def test_every_section_of_the_handbook_has_its_place_in_order(page):
    headings = [words(h) for h in re.findall(r"<h2[^>]*>(.*?)</h2>", page)]
    assert headings[0] == "What was found"
    expected = [t for name, t in SECTIONS.items() if name in SHOWN]
    assert len(headings) == 1 + len(expected) == 13
    assert headings[1:9] == expected[:8]
    assert headings[10] == "Share that goes with child poverty"


def test_the_verdict_stands_first_and_parts_come_first_where_they_should(page):
    text = words(page)
    assert text.index("Engaged behaves as one thing") < text.index("What is there")
    table = page[page.index("How each domain is to be read") :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</table>")], flags=re.S)[1:]
    read = {words(r).split()[0]: "Parts first" in words(r) for r in rows}
    assert read == {"Safe": True, "Healthy": True, "Happy": True, "Learning": True, "Engaged": False}


def test_no_statistic_or_identifier_shows_its_short_name(page, report):
    text = words(page)
    for name in ("alpha_standardised", "own_rest", "cpp_repeat_pct", "early_years", "None", "nan"):
        assert name not in text, name
    assert not re.search(r"\b[a-z]+_[a-z_]+\b", text)


def test_numbers_on_the_page_are_the_reports(page, report):
    rows = report.sections["consistency"]
    one = rows[(rows["node_id"] == "engaged") & (rows["statistic"] == "alpha_standardised")].iloc[0]
    assert f"{one['value']:.2f} ({one['lower']:.2f} to {one['upper']:.2f})" in words(page)


def test_the_page_asks_for_nothing_outside(page):
    assert not re.search(r"<script|src=|href=\"(?!#)|url\(", page)
    assert page.count("<h1") == 1
    assert page.count("<caption>") == page.count("<table")


def test_findings_alone_for_a_larger_page(report):
    (section,) = audit_sections(report)
    assert "Engaged behaves as one thing" in words(section.body)
    assert "<h1" not in section.body


def test_same_report_same_page(report, page):
    assert audit_html(report) == page
