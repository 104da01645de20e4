"""The report of a run, parsed as a browser would: whole, accessible, fetching nothing, and true to the tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag

from outcomes_analysis import pipeline
from outcomes_analysis.evidence.report import report_html
from outcomes_analysis.wording import EXPLORATION, causal_words, number

DOMAINS = ["safe", "healthy", "happy", "learning", "engaged"]
LARGEST = 8_000_000  # bytes: what can be sent by e-mail


@dataclass(frozen=True)
class Drawn:
    """Stands for a figure, so that the page can be tested without drawing for a minute."""

    name: str

    @property
    def title(self) -> str:
        return f"What {self.name} shows"

    @property
    def alt(self) -> str:
        return f"A picture of {self.name}."

    def svg(self, *, prefix: str) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{prefix}-t" viewBox="0 0 9 9">'
            f'<title id="{prefix}-t">{self.name}</title><text>Source: publishers. Data as at today.</text></svg>'
        )


class StandIns(dict[str, Drawn]):
    """A figure by every name but the ranks of what is not ranked."""

    def __missing__(self, name: str) -> Drawn:
        return Drawn(name)

    def __contains__(self, name: object) -> bool:
        return name != "rank-intervals-happy"


def made(figures: Any) -> BeautifulSoup:
    html = report_html(
        pipeline.default_index(),
        pipeline.default_uncertainty(),
        pipeline.default_comparison(),
        pipeline.default_relation(),
        audit=pipeline.default_audit(),
        figures=figures,
    )
    return BeautifulSoup(html, "html.parser")


@pytest.fixture(scope="module", params=["stand-ins", pytest.param("drawn", marks=pytest.mark.slow)])
def page(request: pytest.FixtureRequest) -> BeautifulSoup:
    """The page with figures that only stand for the real ones, and (slow: a minute of drawing) with the real ones."""
    return made(pipeline.figures_of_a_run() if request.param == "drawn" else StandIns())


def section(page: BeautifulSoup, anchor: str) -> Tag:
    found = page.find("section", attrs={"aria-labelledby": anchor})
    assert isinstance(found, Tag), anchor
    return found


def prose(tag: Tag) -> str:
    """Words of a part without its tables and pictures."""
    return " ".join(t for t in tag.find_all(string=True) if not t.find_parent(["table", "svg", "style", "title"]))


def rows(table: Tag) -> list[list[str]]:
    return [[c.get_text() for c in tr.find_all(["th", "td"])] for tr in table.select("tbody tr")]


def test_it_is_one_page_in_english(page: BeautifulSoup) -> None:
    assert page.html is not None
    assert page.html["lang"] == "en-GB"
    assert [h.get_text() for h in page.find_all("h1")] == [page.title.get_text() if page.title else ""]
    assert "measured by the end of 2025" in page.find_all("h1")[0].get_text()
    ids = [t["id"] for t in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert len(str(page).encode()) <= LARGEST
    levels = [int(h.name[1]) for h in page.find_all(re.compile("^h[1-6]$"))]
    assert all(b - a <= 1 for a, b in pairwise(levels))  # no level is left out


def test_it_asks_for_nothing(page: BeautifulSoup) -> None:
    assert not page.find_all(["script", "iframe", "object", "embed", "link", "img", "base", "form"])
    for tag in page.find_all(True):
        for name, value in tag.attrs.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "srcset", "data", "action"}:
                # A link that a reader may follow to a publisher's page is not fetched.
                assert str(value).startswith("#") or (tag.name == "a" and str(value).startswith("https://")), tag
    assert not re.search(r"@import|url\(\s*[\"']?(?!#)", str(page))
    ids = {t["id"] for t in page.find_all(id=True)}
    assert {a["href"][1:] for a in page.find_all("a") if a["href"].startswith("#")} <= ids


def test_every_picture_says_what_it_is(page: BeautifulSoup) -> None:
    outer = [s for s in page.find_all("svg") if not s.find_parent("svg")]
    # Two that are shown once, two maps of every domain, the ranks of all but one, and its parts instead.
    assert len(outer) >= 2 + 2 * len(DOMAINS) + len(DOMAINS) - 1
    for svg in outer:
        assert svg["role"] == "img"
        title = svg.find("title")
        assert title is not None
        assert title.get_text().strip()
        figure = svg.find_parent("figure")
        assert figure is not None
        assert figure.figcaption is not None
        assert figure.figcaption.get_text().strip()
        words = " ".join(svg.stripped_strings)
        assert "Source: " in words
        assert "Data as at" in words
        assert figure.details is not None  # the alt text, open to everyone


def test_every_table_can_be_read_aloud(page: BeautifulSoup) -> None:
    tables = page.find_all("table")
    # two a domain, every estimate of the association, how sure the ranks are, the verdicts of the audit, the sources
    assert len(tables) == 2 * len(DOMAINS) + 4
    captions = []
    for table in tables:
        assert table.caption is not None
        captions.append(table.caption.get_text())
        heads = table.select("thead th")
        assert heads
        assert {h["scope"] for h in heads} == {"col"}
        assert {h["scope"] for h in table.select("tbody th")} <= {"row", "rowgroup"}
        for row in table.select("tbody tr"):
            assert row.find("th") is not None
        assert "nan" not in {c.get_text().lower() for c in table.find_all("td")}
        assert "<NA>" not in {c.get_text() for c in table.find_all("td")}
    assert len(set(captions)) == len(captions)


def test_the_notice_stands_first_and_the_working_assignment_is_said(page: BeautifulSoup) -> None:
    notice = page.find(class_="notice")
    assert notice is not None
    assert notice.get_text() == EXPLORATION
    assert "working assignment, not the Collaborative's" in page.get_text()
    assert "There is no overall score" in page.get_text()
    assert "Admissions are not prevalence" in prose(section(page, "association"))
    assert "not between children" in prose(section(page, "association"))


def test_no_causal_word_is_ours(page: BeautifulSoup) -> None:
    text = re.sub(r"“[^”]*”|‘[^’]*’|\"[^\"]*\"", " ", prose(page))
    assert causal_words(text) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_shows_every_authority_as_in_the_table(domain: str, page: BeautifulSoup) -> None:
    part = section(page, domain)
    unc = pipeline.default_uncertainty().table.query("node_id == @domain").set_index("area_name")
    indicators, scores = part.find_all("table")
    weights = pipeline.default_index().nodes[domain].weights
    assert len(rows(indicators)) == len(weights)
    shares = [float(r[2]) for r in rows(indicators)]
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))  # each is printed to one decimal
    heads = [h.get_text() for h in scores.select("thead th")]
    shown = pd.DataFrame([r for r in rows(scores) if len(r) == len(heads)], columns=heads).set_index("Authority")
    assert sorted(shown.index) == sorted(unc.index)
    assert len(shown) == 153
    for name, row in shown.iterrows():
        expected = unc.loc[str(name)]
        for head, column in (("Score", "estimate"), ("Lower", "lower"), ("Upper", "upper")):
            assert row[head] == number(expected[column], 2) or np.isnan(expected[column])
        if domain != "happy" and np.isfinite(expected["rank"]):
            assert row["Rank"] == f"{expected['rank']:.0f}"
            assert int(row["Rank from"]) <= int(row["Rank"]) <= int(row["Rank to"])
        assert re.fullmatch(r"(20\d\d)?", row["Oldest figure"])  # a year, without a thousands comma
    assert ("Rank" in heads) == (domain != "happy")


def test_what_is_experimental_is_nowhere_ranked(page: BeautifulSoup) -> None:
    text = prose(section(page, "happy"))
    assert "xperimental" in text
    assert "Rank" not in section(page, "happy").get_text()


def test_the_numbers_in_the_summary_are_those_of_the_table(page: BeautifulSoup) -> None:
    lines = [li.get_text() for li in section(page, "in-short").find_all("li")]
    table = pipeline.default_uncertainty().table
    for domain in DOMAINS:
        rows = table[(table["node_id"] == domain) & table["ranked"]]
        line = next(x for x in lines if x.startswith(domain.capitalize()))
        if domain == "happy":
            assert rows.empty
            assert not re.search(r"\d", line)
            continue
        above, below = (rows["lower"] > 0).sum(), (rows["upper"] < 0).sum()
        width = int((rows["rank_upper"] - rows["rank_lower"] + 1).median())
        assert [int(n) for n in re.findall(r"\d+", line)] == [above, below, width, len(rows)]


def test_the_association_in_words_is_that_of_its_table(page: BeautifulSoup) -> None:
    part = section(page, "association")
    relation = pipeline.default_relation()
    first = relation.table.query("analysis == 'spearman' and sample == 'all' and adjusted_for == ''").iloc[0]
    said = f"{number(first['estimate'], 2)}, {number(first['lower'], 2)} to {number(first['upper'], 2)}"
    assert said in prose(part)
    shown = rows(part.find_all("table")[0])
    assert len(shown) == (relation.table["status"] == "computed").sum()
    assert [number(first[c], 2) for c in ("estimate", "lower", "upper")] == shown[0][-4:-1]


def test_sources_are_named_with_their_page_and_licence(page: BeautifulSoup) -> None:
    listed = rows(section(page, "sources").find_all("table")[0])
    used = {*pipeline.default_index().manifest.sources, *pipeline.default_relation().manifest.sources}
    assert len(listed) == len(used)
    assert all(re.match(r"https://", row[2]) for row in listed)
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", row[3]) and row[4] for row in listed)


def test_the_same_results_give_the_same_page(page: BeautifulSoup) -> None:
    assert str(made(StandIns())) == str(made(StandIns()))
