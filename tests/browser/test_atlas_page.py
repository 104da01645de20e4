"""The atlas in a browser: every control by keyboard, no request outside, no serious fault of accessibility."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outcomes_analysis import pipeline

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Any, atlas: Path) -> Any:
    opened = browser.new_page(viewport={"width": 1300, "height": 900})
    opened.asked = []
    opened.faults = []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("pageerror", lambda error: opened.faults.append(str(error)))
    opened.on("console", lambda line: opened.faults.append(line.text) if line.type == "error" else None)
    opened.goto(atlas.as_uri())
    opened.wait_for_selector("html[data-ready=yes]")
    yield opened
    assert opened.faults == []
    opened.close()


def test_nothing_is_asked_of_anyone(page: Any, atlas: Path) -> None:
    page.select_option("#measure", "mh_admissions_0_17")
    page.check("input[value=hex]")
    assert page.asked == [atlas.as_uri()]


def test_the_figures_shown_are_those_of_the_release(page: Any) -> None:
    from outcomes_analysis.sources.release import load_observations

    rows = load_observations().query("indicator_id == 'gld_pct' and group_type == 'all' and period == '2024/25'")
    known = rows.set_index("area_code")["value"]
    page.select_option("#measure", "gld_pct")
    page.select_option("#period", "2024/25")
    cells = page.eval_on_selector_all(
        "#list tr", "rows => rows.map(r => [r.cells[0].children[0].innerText, r.cells[1].innerText])"
    )
    shown = {name: text.split(" ")[0] for name, text in cells}
    assert len(shown) == 153
    assert shown["Hackney"] == f"{known['E09000012']:.1f}"
    assert shown["Essex"] == f"{known['E10000012']:.1f}"
    assert "England: 68.3" in page.inner_text("#under")


def test_the_page_says_what_the_one_rule_says(page: Any) -> None:
    """Similar, not clear or clearly better: of every authority what the rule of the profiles gives, comparison by one."""
    from outcomes_analysis.areas.register import upper_tier
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.places.comparison import USABLE, total_interval
    from outcomes_analysis.places.verdicts import spread_between, standing
    from outcomes_analysis.sources.release import load_observations

    rows = load_observations().query("indicator_id == 'gld_pct' and group_type == 'all' and period == '2024/25'")
    rows = rows.set_index("area_code")
    names, indicator = upper_tier()["name"], load_framework().indicator("gld_pct")
    ordinary = rows[rows["status"].isin(USABLE)].reindex(upper_tier(ranked_only=True).index)
    spread = spread_between(ordinary["value"])
    page.select_option("#measure", "gld_pct")
    page.select_option("#period", "2024/25")
    cells = page.eval_on_selector_all(
        "#list tr", "rows => rows.map(r => [r.cells[0].children[0].innerText, r.innerText])"
    )
    shown = dict(cells)
    words = {"above": "clearly better", "below": "clearly worse"}
    told = set()
    for code, row in ordinary.dropna(subset=["value", "se_total"]).iterrows():
        lower, upper = total_interval(row["value"], row["se_total"], indicator=indicator)
        said = str(standing(lower=lower, upper=upper, comparator=rows.loc["E92000001", "value"], spread=spread))
        told.add(said)
        assert words.get(said, said) in shown[names[code]], names[code]
    assert told == {"above", "below", "similar", "not clear"}
    assert "no allowance is made for that here" in page.inner_text("#under")


def test_the_title_counts_as_the_index_does(page: Any) -> None:
    table = pipeline.default_uncertainty().table.query("node_id == 'learning'")
    better, worse = (int((table["against_england"] == side).sum()) for side in ("above", "below"))
    title = page.inner_text("#finding")
    # scores are kept to two decimals on the page: a bound may fall on England's own
    told = [int(word) for word in title.replace(",", "").split() if word.isdigit()]
    assert abs(told[0] - better) <= 2
    assert abs(told[-1] - worse) <= 2


def test_a_contested_measure_is_neither_better_nor_worse(page: Any) -> None:
    page.select_option("#measure", "mh_admissions_0_17")
    assert "(contested)" in page.inner_text("#finding")
    assert "clearly higher" in page.inner_text("#key")
    for part in ("#finding", "#key", "#list"):
        words = page.inner_text(part)
        assert "better" not in words
        assert "worse" not in words


def test_the_map_has_every_authority_and_as_many_colours_as_classes(page: Any) -> None:
    for view, count in (("map", 153 + 33), ("hex", 153)):
        page.check(f"input[value={view}]")
        fills = page.eval_on_selector_all(".area", "nodes => nodes.map(n => n.getAttribute('fill'))")
        assert len(fills) == count
        assert None not in fills
        assert len(set(fills)) == page.locator("#key li").count()


def test_every_control_works_by_keyboard(page: Any) -> None:
    before = page.inner_text("#finding")
    page.focus("#measure")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#finding") != before
    page.focus("#search")
    page.keyboard.type("Rutland")
    page.keyboard.press("Enter")
    assert page.inner_text("#place-heading") == "Rutland"
    page.focus("input[value=map]")
    page.keyboard.press("ArrowRight")
    assert page.locator("polygon.area").count() == 153
    page.focus("#list button >> nth=0")
    page.keyboard.press("Enter")
    assert page.inner_text("#place-heading") == page.inner_text("#list button >> nth=0")


def test_every_control_is_reached_by_tab(page: Any) -> None:
    reached = set()
    page.focus(".skip")
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"measure", "group", "period", "view", "colour", "search", "order", "download"} <= reached


def test_a_link_opens_what_was_shown(page: Any, browser: Any) -> None:
    page.select_option("#measure", "attainment8")
    page.select_option("#group", "Eligible for free school meals")
    page.fill("#search", "Kent")
    page.press("#search", "Enter")
    again = browser.new_page()
    again.goto(page.url)
    again.wait_for_selector("html[data-ready=yes]")
    for part in ("#finding", "#place-heading", "#list-caption"):
        assert again.inner_text(part) == page.inner_text(part)
    assert again.inner_text("#place-heading") == "Kent"
    again.close()


def test_the_table_can_be_taken_away(page: Any) -> None:
    with page.expect_download() as waiting:
        page.click("#download")
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    assert lines[0].startswith("area_code,area_name,region,measure,group,period,unit,value,lower,upper,level")
    assert sum(line.startswith("E") for line in lines) == 153
    assert "not official statistics" in text


def test_a_name_that_is_markup_stays_text(browser: Any, atlas: Path, tmp_path: Path) -> None:
    page = atlas.read_text(encoding="utf-8")
    nasty = "\\u003cscript\\u003edocument.title='x'\\u003c/script\\u003e"
    changed = page.replace('"name":"Hackney"', f'"name":"{nasty}"')
    assert changed != page
    path = tmp_path / "nasty.html"
    path.write_text(changed, encoding="utf-8")
    opened = browser.new_page()
    opened.goto(path.as_uri())
    opened.wait_for_selector("html[data-ready=yes]")
    assert opened.inner_text("#place-heading") == "<script>document.title='x'</script>"
    assert opened.title() != "x"
    opened.close()


def test_no_fault_of_accessibility(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for view in ("map", "hex"):
        page.check(f"input[value={view}]")
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found] == []


@pytest.mark.parametrize("width", [1600, 1200, 1024, 400])
def test_no_column_is_hidden_at_the_edge(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("(n => n.scrollWidth - n.clientWidth)(document.querySelector('#all .scroll'))") == 0
    assert page.locator("#list-head th").last.inner_text() == "Beside England"


def test_it_prints_without_its_controls(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.is_visible("#controls")
    assert page.is_visible("#list")
