"""Every notebook runs without a network; its page has no serious fault; its words are the library's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

import outcomes_analysis as oa
from outcomes_analysis.evidence import notebooks, playbook
from outcomes_analysis.project import project

pytestmark = [pytest.mark.slow, pytest.mark.notebook]

NOTEBOOKS = notebooks.notebook_paths()

# Run before the first cell: the kernel may talk to the notebook's own process, and to nobody else.
NO_NETWORK = """
import socket as _socket

def _guarded(original):
    def connect(self, address, *rest):
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            raise OSError(f"this notebook tried to reach {address!r}: notebooks may not use the network")
        return original(self, address, *rest)
    return connect

_socket.socket.connect = _guarded(_socket.socket.connect)
_socket.socket.connect_ex = _guarded(_socket.socket.connect_ex)
"""


@dataclass(frozen=True)
class Ran:
    path: Path
    notebook: Any
    folder: Path

    def said(self, cell_id: str) -> str:
        """Words of the last output of a cell."""
        cell = next(c for c in self.notebook.cells if c.id == cell_id)
        return str(cell.outputs[-1].data["text/plain"])


def run(path: Path, folder: Path, **values: object) -> Ran:
    notebook = notebooks.with_parameters(notebooks.read_notebook(path), values)
    guard = new_code_cell(NO_NETWORK, id="no-network")  # type: ignore[no-untyped-call]
    notebook.cells.insert(0, guard)
    ran = notebooks.executed(notebook, folder=folder)
    ran.cells.pop(0)
    return Ran(path, ran, folder)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(request.param, tmp_path_factory.mktemp("notebook"))


def answer_of(number: int) -> str:
    """What the library itself says in answer to a notebook's question."""
    if number in (2, 3, 5):
        certainty = oa.uncertainty(index(2025), draws=10_000, seed=1) if number == 3 else oa.uncertainty(index(2025))
        if number == 3:
            return certainty.text
        heat, hexes = oa.figures.tables.domain_heat_table, oa.figures.maps.hex_map
        return heat(certainty).title if number == 2 else hexes(certainty, node="learning").title
    answers: dict[int, Callable[[], str]] = {
        1: lambda: oa.coverage(period=2025).text,
        4: lambda: oa.sensitivity(index(2025), nodes=["learning"], runs=4_096, seed=1).text,
        6: lambda: oa.relate("mh_admissions_0_17", "attainment8", period=2024).text,
        7: lambda: oa.fit_joint_model(periods=(2024,)).text,
        8: lambda: oa.index_change(index(2023), index(2025)).text,
        9: lambda: oa.area_profile("Hackney", period=2025).sections["opening"],
        10: lambda: oa.trajectory("gld_pct", target=75.0, year=2028).text_for("Hackney"),
        11: lambda: oa.check_file(project().path("data", "local", "example_place.yml")).text,
        12: _first_card,
    }
    return answers[number]()


def _first_card() -> str:
    relation = oa.relate("mh_admissions_0_17", "attainment8", period=2024)
    ways = oa.multiverse(spec=playbook.ways_of(relation.spec))
    return playbook.relation_card(relation, name="any", ways=ways).short


def index(period: int) -> oa.IndexResult:
    return oa.build_index(oa.build_matrix(oa.load_observations(), framework=oa.load_framework(), period=period))


def test_runs_from_top_to_bottom(ran: Ran) -> None:
    outputs = [(cell.id, o) for cell in ran.notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    assert [(name, o.text) for name, o in outputs if o.get("name") == "stderr"] == [], "no warnings"
    charts = [o.data["text/plain"] for _, o in outputs if "image/svg+xml" in o.get("data", {})]
    assert charts
    assert [text for text in charts if len(text.partition("\n")[2]) < 80] == [], "every chart says what it shows"
    assert list((ran.folder / "_build").glob("*.svg"))
    assert list((ran.folder / "_build").glob("*.csv"))


def test_its_answer_is_the_library_s(ran: Ran) -> None:
    number = int(ran.path.name[:2])
    said, expected = ran.said("answer"), answer_of(number)
    assert said.startswith(expected) if number == 9 else said == expected  # 9 goes on with the domains


def test_its_page_has_no_serious_fault(ran: Ran, browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = tmp_path / "page.html"
    path.write_text(notebooks.notebook_html(ran.notebook), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert page.title() == page.inner_text("h1")
    assert page.locator("h1").count() == 1
    ids = page.eval_on_selector_all("[id]", "nodes => nodes.map(node => node.id)")
    assert len(ids) == len(set(ids))
    page.eval_on_selector_all("details", "nodes => nodes.forEach(node => { node.open = true; })")
    found = Axe().run(page).response["violations"]
    page.close()
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in serious] == []


def test_the_sentences_follow_the_parameters(tmp_path: Path) -> None:
    other = run(notebooks.find_notebook(1), tmp_path, place="Kent", period=2024)
    assert other.said("answer") == oa.coverage(period=2024).text
    assert other.said("place") == oa.coverage("Kent", period=2024).text
    assert other.said("answer") != oa.coverage(period=2025).text


def test_a_page_is_written_for_a_place(tmp_path: Path) -> None:
    path = notebooks.write_notebook(1, values={"place": "Kent"}, out=tmp_path / "kent.html")
    html = path.read_text(encoding="utf-8")
    assert "Kent" in html
    assert "Hackney" not in html


def test_a_cell_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    from outcomes_analysis.errors import ProjectError

    cell = new_code_cell("raise ValueError('no such place')")  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    with pytest.raises(ProjectError, match="ended with an error: ValueError: no such place"):
        notebooks.executed(notebook, folder=tmp_path)
