"""Packs of a county, a London borough and a place of districts, opened in a browser and in a spreadsheet reader."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from outcomes_analysis.evidence.proving import read_pack
from outcomes_analysis.pipeline import packs

pytestmark = pytest.mark.slow

PLACES: dict[str, dict[str, Any]] = {"Essex": {}, "Hackney": {}, "West Essex": {"children": [29_000, 24_000, 20_000]}}
PHONE, DESK = 360, 1300


@pytest.fixture(scope="module", params=PLACES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> packs.MadePack:
    folder = tmp_path_factory.mktemp("packs") / request.param.lower().replace(" ", "-")
    return packs.make_pack(request.param, folder, **PLACES[request.param])


@pytest.fixture(params=[DESK, PHONE])
def page(request: pytest.FixtureRequest, browser: Any, made: packs.MadePack) -> Any:
    opened = browser.new_page(viewport={"width": request.param, "height": 900})
    asked: list[str] = []
    faults: list[str] = []
    opened.on("request", lambda sent: asked.append(sent.url))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    opened.goto((made.folder / "profile.html").as_uri())
    yield opened
    assert asked == [(made.folder / "profile.html").as_uri()]  # a page that is handed over asks for nothing
    assert faults == []
    opened.close()


def test_the_page_opens_whole_and_accessible(page: Any, made: packs.MadePack) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    found = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:90]}" for v in found if v["impact"] in ("serious", "critical")] == []
    assert "Not official statistics" in page.inner_text("[role=note]")
    assert page.eval_on_selector("html", "root => root.scrollWidth <= root.clientWidth")  # wide tables scroll alone
    files = read_pack(made.folder)
    drawn = [name for name in files if name.endswith(".svg")]
    assert page.locator("main svg").count() == len(drawn) > 0
    for link in page.eval_on_selector_all("nav a", "all => all.map(a => a.getAttribute('href'))"):
        assert page.locator(f"[id='{link[1:]}']").count() == 1


def test_the_workbook_opens_as_a_spreadsheet_reader_does(made: packs.MadePack) -> None:
    files = read_pack(made.archive)
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["workbook.xlsx"]))
    assert book.sheet_names[:3] == ["Cover", "Contents", "Notes"]
    parts = zipfile.ZipFile(io.BytesIO(files["workbook.xlsx"]))
    xml = {name: parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml")}
    sheets = [text for name, text in xml.items() if name.startswith("xl/worksheets/sheet")]
    assert not [text for text in sheets if "<f>" in text or "<mergeCell" in text]  # no formula, no merged cells
    # every table that is a file is a sheet too, whole and without an empty cell; the shared sheet is for other tables
    tables = {name: text.splitlines() for name, content in files.items() if name.endswith(".csv")
              and name != "shared-sheet.csv" for text in [content.decode()]}  # fmt: skip
    for sheet in book.sheet_names[3:]:
        rows = book.get_sheet_by_name(sheet).to_python()
        width = max(len([cell for cell in row if cell != ""]) for row in rows)
        whole = [row for row in rows if len([cell for cell in row if cell != ""]) == width]
        own = [name for name, lines in tables.items() if next(csv.reader(lines[:1])) == [str(c) for c in whole[0]]]
        assert len(own) == 1, sheet
        lines = list(csv.reader(io.StringIO(files[own[0]].decode())))
        assert len(whole) == len(lines), sheet
        for told, line in zip(whole[1:], lines[1:], strict=True):
            for cell, text in zip(told, line, strict=True):
                if isinstance(cell, float):
                    assert cell == pytest.approx(float(text))
        del tables[own[0]]
    assert tables == {}


def test_it_says_what_it_is_of(page: Any, made: packs.MadePack) -> None:
    place = json.loads((made.folder / "manifest.json").read_text(encoding="utf-8"))["place"]
    assert page.title().startswith(f"Children's outcomes in {place}")
    text = page.inner_text("main")
    if place == "West Essex":
        assert "is made of Epping Forest, Harlow and Uttlesford, districts of Essex" in text
        assert "Essex as a whole only" in text
        assert "estimated" in text
    else:
        assert "The national target: Good level of development at age 5, 75.0% by 2028" in text
        assert "not the DfE-agreed target" in text
        assert "The record of such forecasts" in text
