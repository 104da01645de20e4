"""Notebooks are clean as committed, and run from top to bottom without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]-*.ipynb"))
MAX_CELLS, MAX_CODE_LINES, MAX_CELL_LINES, MAX_DEFS = 30, 120, 15, 1
SECONDS_A_CELL = 60
SECTIONS = ("card", "parameters", "setup", "data", "checks")

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


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_the_three_notebooks_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01-find-and-load",
        "02-domain-indices",
        "03-admissions-for-mental-health-and-attainment",
    ]


def test_the_readme_lists_every_notebook() -> None:
    listed = re.findall(r"\]\((\d\d-[\w-]+\.ipynb)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs(path: Path) -> None:
    assert b"\r" not in path.read_bytes()
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z0-9-]{2,40}", name)] == [], "cell ids are words"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_short_and_in_order(path: Path) -> None:
    notebook = read(path)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) == 1
    assert len(notebook.cells) <= MAX_CELLS
    code = code_of(notebook)
    lengths = [len(source.splitlines()) for source in code]
    assert sum(lengths) <= MAX_CODE_LINES
    assert max(lengths) <= MAX_CELL_LINES
    assert sum(source.count("def ") for source in code) <= MAX_DEFS
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    first = [tags.index(section) for section in SECTIONS]
    assert first == sorted(first)
    assert tags.count("parameters") == 1
    assert "not official statistics" in notebook.cells[0].source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_leaves_the_work_to_the_package(path: Path) -> None:
    code = "\n".join(code_of(read(path)))
    forbidden = r"^\s*[%!]|filterwarnings|inplace=True|https?://|requests|urllib|read_csv|\bopen\("
    assert re.findall(forbidden, code, flags=re.MULTILINE) == []


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    notebook = read(path)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK, id="no-network"))
    client = NotebookClient(
        notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    warned = [
        (cell.id, output.text)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.get("name") == "stderr"
    ]
    assert warned == [], "a notebook may not print warnings"
    promised = next((cell for cell in notebook.cells if "outputs" in cell.metadata.get("tags", [])), None)
    if promised is not None:
        assert list((tmp_path / "_build").glob("*.svg"))
        assert list((tmp_path / "_build").glob("*.csv"))
