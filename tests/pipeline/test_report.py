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
from outcomes_analysis.index.score_rows import among_many
from outcomes_analysis.wording import EXPLORATION, causal_words, number

DOMAINS = ["safe", "healthy", "happy", "learning", "engaged"]
PAGES_OF_A_RUN = {"audit.html", "fit-for-purpose.html", "catalogue.html", "cards.html", "admissions-attainment.html"}
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
    """A figure by every name but the ranks of what is not ranked, and the maps of parts of what is."""

    def __missing__(self, name: str) -> Drawn:
        return Drawn(name)

    def __contains__(self, name: object) -> bool:
        name = str(name)
        return name == "domain-parts-happy" if name.startswith("domain-parts-") else name != "rank-intervals-happy"


def made(figures: Any) -> BeautifulSoup:
    html = report_html(
        pipeline.default_index(),
        pipeline.default_uncertainty(),
        pipeline.default_comparisons(),
        pipeline.default_relation(),
        audit=pipeline.default_audit(),
        sensitivity=pipeline.default_sensitivity(),
        fitness=pipeline.default_fitness(),
        joint=pipeline.default_joint(),
        mapped="child poverty after housing costs",
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
                # A link that a reader may follow, to a publisher or to a page of the same run, is not fetched.
                aside = str(value).startswith("https://") or str(value) in PAGES_OF_A_RUN
                assert str(value).startswith("#") or (tag.name == "a" and aside), tag
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
    # two a domain, child poverty, how the domains go together (as they are and with the others allowed for), every
    # estimate of the association, how sure the ranks are, what moves them, the verdicts of the audit, the sources
    assert len(tables) == 2 * len(DOMAINS) + 8
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
    listed = [r for r in rows(indicators) if len(r) > 1]  # a line of one cell names an outcome
    assert len(listed) == len(weights)
    shares = [float(r[1]) for r in listed]
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


def test_the_text_of_ranks_has_the_numbers_of_its_table() -> None:
    found = pipeline.default_uncertainty()
    assert isinstance(found.reliability, pd.Series)
    for (name, label), rows in found.table[found.table["ranked"]].groupby(["node_id", "node_label"]):
        start = found.text.index(f"{label}: half of the authorities")
        said = re.findall(r"\d+", found.text[start : found.text.index("is not noise.", start)])
        width = np.median(rows["rank_upper"] - rows["rank_lower"] + 1)
        low, real = (rows["p_bottom_fifth"] > 0.8).sum(), round(100 * found.reliability[name])
        assert [int(n) for n in said] == [int(width), len(rows), low, 8, 10, real]


def test_what_is_experimental_is_nowhere_ranked(page: BeautifulSoup) -> None:
    text = prose(section(page, "happy"))
    assert "xperimental" in text
    assert "Rank" not in section(page, "happy").get_text()


def test_the_numbers_in_the_summary_are_those_of_the_table(page: BeautifulSoup) -> None:
    lines = [li.get_text() for li in section(page, "in-short").find_all("li")]
    table, index = pipeline.default_uncertainty().table, pipeline.default_index()
    for domain in DOMAINS:
        rows = table[(table["node_id"] == domain) & table["ranked"]]
        line = next(x for x in lines if x.startswith(domain.capitalize()))
        weights = index.nodes[domain].weights["weight"]
        contested = [i for i in weights.index if index.matrix.framework.indicator(i).contested]
        share = round(100 * weights[contested].sum())
        said = [int(n) for n in re.findall(r"\d+", line)]
        assert f"{share}% of its weight is on contested" in line if share else "No indicator of it is contested" in line
        if domain == "happy":
            assert rows.empty
            assert said == [share]
            continue
        # England of the same date, not of the base period: where its score is not 0 the two part ways.
        expected = [len(rows)]
        for column in ("standing", "against_england", "against_england_agreed")[: 3 if contested else 1]:
            counts = rows[column].value_counts()
            expected += [counts["above"], counts["below"]]
            if column == "standing":
                large = index.matrix.areas["ranked"].to_numpy(bool)
                expected += among_many(index.nodes[domain], large, level=index.spec.level)
                expected += [counts["depends on contested figures"]] if contested else []
        width = int((rows["rank_upper"] - rows["rank_lower"] + 1).median())
        assert said == [*expected, width, *([share] if share else [])]
        assert f"Half of all have a rank interval of at least {width} places" in line


def test_what_depends_on_disputed_figures_is_called_neither_better_nor_worse(page: BeautifulSoup) -> None:
    table = pipeline.default_uncertainty().table
    for domain in DOMAINS:
        part = section(page, domain)
        rows_of = table[table["node_id"] == domain].set_index("area_name")
        scores = part.find_all("table")[1]
        heads = [h.get_text() for h in scores.select("thead th")]
        shown = pd.DataFrame([r for r in rows(scores) if len(r) == len(heads)], columns=heads).set_index("Authority")
        words = {"above": "clearly better", "below": "clearly worse", "not clear": "not clear"}
        for name, said in shown["Against England now"].items():
            standing = rows_of.loc[str(name), "standing"]
            assert said == words.get(standing, standing)
        depend = int((rows_of["standing"] == "depends on contested figures").sum())
        assert ("both ways" in prose(part)) == (depend > 0)
    reading = prose(section(page, "reading"))
    assert "depends on contested figures" in reading
    assert "0 = the mean of authorities then, not England" in reading


def test_england_now_is_said_once_for_every_domain(page: BeautifulSoup) -> None:
    text = prose(section(page, "reading"))
    table = pipeline.default_index().table
    for domain in DOMAINS:
        now = table.loc[table["node_id"] == domain, "england"].iloc[0]
        assert f"{domain.capitalize()} {number(now, 2)}" in text
    assert "mostly 2022/23" in text


def test_child_poverty_is_shown_by_both_measures_with_intervals(page: BeautifulSoup) -> None:
    part = section(page, "poverty")
    shown = [r for r in rows(part.find_all("table")[0]) if len(r) > 1]
    assert len(shown) == 2 * len(DOMAINS)
    assert [r[0] for r in shown[:2]] == ["Before housing costs", "After housing costs"]
    for found, domain in zip(shown[::2], DOMAINS, strict=True):
        before = pipeline.default_comparison(measure="child_poverty_bhc")
        one, counts = before.goes_with.loc[domain], before.counts.loc[domain]
        assert found[1].startswith(f"{number(100 * one['share'], 0, '%')} (")
        ends = [number(one[f"correlation{end}"], 2) for end in ("", "_lower", "_upper")]
        assert found[2] == f"{ends[0]} ({ends[1]} to {ends[2]})"
        assert [int(n) for n in found[3:]] == [counts["above"], counts["below"]]
    text = prose(part)
    assert "about 15 authorities on each domain" in text
    assert "no finding by itself" in text
    assert "in good part a map" not in page.get_text()


def test_places_that_stand_out_do_so_by_both_measures(page: BeautifulSoup) -> None:
    lines = [li.get_text() for li in section(page, "poverty").find_all("li")]
    named_domains = [d for d in DOMAINS if d != "happy"]  # no place is named on what is experimental
    assert len(lines) == len(named_domains)
    for line, domain in zip(lines, named_domains, strict=True):
        tables = [one.table[one.table["node_id"] == domain] for one in pipeline.default_comparisons()]
        found = [
            table[table["standing"].eq("above the range") & table["standing_agreed"].eq("above the range")]
            for table in tables
        ]
        both = set(found[0]["area_name"]) & set(found[1]["area_name"])
        named = line.split("better than places alike: ")[1].split("; worse")[0] if "better than" in line else ""
        assert [name for name in both if name not in named] == []
        only = (set(found[0]["area_name"]) | set(found[1]["area_name"])) - both
        assert not [name for name in only if re.search(rf"\b{name}\b", named)]


def test_what_moves_the_ranks_is_that_of_the_indices(page: BeautifulSoup) -> None:
    part = section(page, "certainty")
    sensitivity = pipeline.default_sensitivity()
    shown = [r for r in rows(part.find_all("table")[1]) if len(r) > 1]
    assert len(shown) == 4 * (len(DOMAINS) - 1)
    total = sensitivity.of_shift("learning")["total"]
    assert total.idxmax() == "weights"
    assert f"Ranks on Learning move most with the weights ({number(100 * total.max(), 0)}%" in prose(part)
    assert "Happy" not in prose(part)
    for code in ("normalisation", "aggregation", "omission", "mean_rank_shift"):
        assert code not in part.get_text()


def test_what_each_indicator_is_fit_for_is_counted_as_on_its_card(page: BeautifulSoup) -> None:
    lines = [li.get_text() for li in section(page, "fitness").find_all("li")]
    scored = {i for d in DOMAINS for i in pipeline.default_index().nodes[d].weights.index}
    cards = pipeline.default_fitness().table
    mine = cards[cards["indicator_id"].isin(scored)]
    assert f"A rank: {mine['use_rank'].sum()} of {len(mine)} scored indicators can bear it" in lines[0]


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
    results = (pipeline.default_index(), pipeline.default_relation(), pipeline.default_joint())
    used = {source for result in results for source in result.manifest.sources}
    assert len(listed) == len(used)
    assert all(re.match(r"https://", row[2]) for row in listed)
    assert all(re.fullmatch(r"\d{1,2} [A-Z][a-z]+ 20\d\d", row[3]) for row in listed)
    assert "Licence of each: Open Government Licence v3.0." in prose(section(page, "sources"))


def test_the_same_results_give_the_same_page(page: BeautifulSoup) -> None:
    assert str(made(StandIns())) == str(made(StandIns()))


def test_how_the_domains_go_together_is_said_with_every_pair_and_interval(page: BeautifulSoup) -> None:
    part = section(page, "together")
    rows = pipeline.default_joint().correlations()
    assert len(rows) == 10
    text = part.get_text(" ")
    for row in rows.itertuples():
        for value in (row.estimate, row.lower, row.upper, row.estimate_given, row.lower_given, row.upper_given):
            assert number(value, 2) in text
    assert "90%" in text
    assert text.count("(experimental)") == 8  # four pairs, as they are and with the other domains allowed for
    for row in pipeline.default_joint().links().itertuples():
        assert number(row.estimate_given, 2) in text
    assert "between areas, not between children" in text
