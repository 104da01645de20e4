"""The atlas: how long it takes to open and to answer, and how large it is.

Promises: first render within 1.5 s, a control within 0.3 s, the file within 3 MB.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from outcomes_analysis import pipeline

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("atlas") / "atlas.html"
    made.write_text(pipeline.atlas_page(), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


def test_open(benchmark, browser, path: Path) -> None:
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 2)

    def opened() -> None:
        page = browser.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        page.close()

    benchmark.pedantic(opened, rounds=5, warmup_rounds=1)


@pytest.mark.parametrize(
    ("control", "values"),
    [("measure", ["attainment8", "gld_pct"]), ("second", ["gld_pct", "inj_0_14"]), ("order", ["name", "value"])],
)
def test_answer(benchmark, browser, path: Path, control: str, values: list[str]) -> None:
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    turn = iter(values * 50)
    draw = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

    def answered() -> None:
        page.select_option(f"#{control}", next(turn))
        page.evaluate(draw)  # until it is on the screen

    benchmark.pedantic(answered, rounds=10, warmup_rounds=1)
    page.close()
