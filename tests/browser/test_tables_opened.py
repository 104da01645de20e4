"""The table of results in a browser: nothing for axe-core to find, nothing asked of another host."""

from __future__ import annotations

from typing import Any

import pytest

from outcomes_analysis.figures.charts.html_tables import results_table
from outcomes_analysis.pipeline.results import default_index


@pytest.mark.slow
def test_a_table_of_results_is_accessible_and_asks_for_nothing(browser: Any, tmp_path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "table.html"
    path.write_text(results_table(default_index()).page(), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"]] == []
    assert asked == [path.as_uri()]
    page.close()
