"""Pages of evidence for the Playbook as a browser has them: no serious fault, and nothing fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import outcomes_analysis as oa
from outcomes_analysis.evidence import playbook
from outcomes_analysis.evidence.playbook.hypothesis_pages import hypotheses_html
from outcomes_analysis.evidence.playbook.portfolio_pages import portfolio_html
from outcomes_analysis.figures.charts.relations import scatter
from outcomes_analysis.figures.mapping.provision import programme_map
from outcomes_analysis.places.portfolios import portfolio
from outcomes_analysis.project import project
from outcomes_analysis.sources.hypothesis_form import load_hypotheses
from outcomes_analysis.sources.portfolio_form import load_portfolio

pytestmark = pytest.mark.slow


def _card() -> str:
    relation = oa.relate(draws=100)
    ways = oa.multiverse(spec=playbook.ways_of(relation.spec), permutations=20)
    said = ("A hypothesis of an example says: more of one goes with less of the other.",)
    card = playbook.relation_card(relation, name="one", ways=ways, figure=scatter(relation), hypotheses=said)
    return playbook.card_html(card)


def _hypotheses() -> str:
    links = load_hypotheses(project().path("data", "local", "example_hypotheses.csv"))
    return hypotheses_html(playbook.weigh_hypotheses(links[:3]))


def _portfolio() -> str:
    index = oa.build_index(oa.build_matrix(oa.load_observations(), framework=oa.load_framework(), period=2025))
    found = portfolio(load_portfolio(project().path("data", "local", "example_portfolio.csv")), index=index)
    return portfolio_html(found, figures={"learning": programme_map(found, domain="learning")})


@pytest.mark.parametrize("make", [_card, _hypotheses, _portfolio], ids=["card", "hypotheses", "portfolio"])
def test_no_serious_fault_and_nothing_fetched(make: Callable[[], str], browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "page.html"
    path.write_text(make(), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.eval_on_selector_all("details", "nodes => nodes.forEach(node => { node.open = true; })")
    ids = page.eval_on_selector_all("[id]", "nodes => nodes.map(node => node.id)")
    found = Axe().run(page).response["violations"]
    title, headings = page.title(), page.locator("h1").all_inner_texts()
    page.close()
    assert asked == [path.as_uri()]
    assert headings == [title]
    assert len(ids) == len(set(ids))
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in serious] == []
