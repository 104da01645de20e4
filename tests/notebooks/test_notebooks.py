"""Notebooks are clean as committed, say who they are for and what they do not show, and lie in the gallery."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from outcomes_analysis import wording
from outcomes_analysis.errors import ProjectError
from outcomes_analysis.evidence import notebooks

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]-*.ipynb"))
WITH_TEMPLATE = [*NOTEBOOKS, FOLDER / "template.ipynb"]
MAX_CELLS, MAX_CODE_LINES, MAX_CELL_LINES, MAX_DEFS = 30, 120, 15, 1
SECTIONS = (
    "card",
    "parameters",
    "setup",
    "answer",
    "data",
    "method",
    "result",
    "uncertainty",
    "checks",
    "outputs",
    "limits",
)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def prose_of(notebook: Any) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_ten_to_twelve_questions() -> None:
    assert 10 <= len(NOTEBOOKS) <= 12
    assert all(entry["question"].endswith("?") for entry in notebooks.gallery())


def test_the_gallery_lists_every_notebook_and_the_readme_is_made_from_it() -> None:
    assert notebooks.notebook_paths() == NOTEBOOKS
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == notebooks.gallery_readme()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_title_is_the_question_of_the_gallery(path: Path) -> None:
    asked = {entry["file"]: entry["question"] for entry in notebooks.gallery()}
    assert read(path).cells[0].source.splitlines()[0] == f"# {asked[path.name]}"


@pytest.mark.parametrize("path", WITH_TEMPLATE, ids=lambda path: path.stem)
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


@pytest.mark.parametrize("path", WITH_TEMPLATE, ids=lambda path: path.stem)
def test_short_and_in_order(path: Path) -> None:
    notebook = read(path)
    assert len(re.findall(r"^# ", prose_of(notebook), flags=re.MULTILINE)) == 1
    assert len(notebook.cells) <= MAX_CELLS
    lengths = [len(source.splitlines()) for source in code_of(notebook)]
    assert sum(lengths) <= MAX_CODE_LINES
    assert max(lengths) <= MAX_CELL_LINES
    assert sum(source.count("def ") for source in code_of(notebook)) <= MAX_DEFS
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    first = [tags.index(section) for section in SECTIONS]
    assert first == sorted(first)
    assert [tags.count(one) for one in ("card", "parameters", "setup", "limits")] == [1, 1, 1, 1]
    assert notebook.cells[0].metadata.tags == ["card"]
    assert notebook.cells[-1].source.startswith("## What this does not show\n")


@pytest.mark.parametrize("path", WITH_TEMPLATE, ids=lambda path: path.stem)
def test_the_card_speaks_to_its_readers(path: Path) -> None:
    card = read(path).cells[0].source
    for words in ("For an evaluator:", "For a researcher:", "For Dartington staff, what to say:", "What not to say:"):
        assert words in card
    assert "not official statistics" in card


@pytest.mark.parametrize("path", WITH_TEMPLATE, ids=lambda path: path.stem)
def test_leaves_the_work_to_the_package(path: Path) -> None:
    code = "\n".join(code_of(read(path)))
    forbidden = r"^\s*[%!]|filterwarnings|inplace=True|https?://|requests|urllib|read_csv|\bopen\(|^(?:for|while) "
    assert re.findall(forbidden, code, flags=re.MULTILINE) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_result_is_typed_by_hand(path: Path) -> None:
    """What is written holds no figures of a result: no decimals, no shares, no counts of places."""
    typed = re.findall(r"\d+\.\d+|\d+ ?%|\b\d{3,}\b|\d+ (?:authorities|places|indicators)", prose_of(read(path)))
    assert typed == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_written_claims_no_cause(path: Path) -> None:
    cells = [c for c in read(path).cells if c.cell_type == "markdown" and c.metadata.get("tags") != ["card"]]
    assert [words for cell in cells if (words := wording.causal_words(cell.source))] == []


# ------------------------------------------------------------------------------------------- parameters and the page


@pytest.fixture
def small() -> Any:
    cell = nbformat.v4
    made = [
        cell.new_markdown_cell("# A question?\n\nTo whom.", id="card"),
        cell.new_code_cell('place = "Hackney"\nperiod = 2025', id="parameters", metadata={"tags": ["parameters"]}),
        cell.new_markdown_cell("## First <part>\n\nSee [another](02-other.ipynb).", id="first"),
        cell.new_code_cell("print('- one\\n- <two>')", id="shown"),
    ]
    made[3].outputs = [cell.new_output("stream", name="stdout", text="- one\n- <two>\n")]
    return cell.new_notebook(cells=made)


def test_a_parameter_is_replaced_in_the_tagged_cell_alone(small: Any) -> None:
    changed = notebooks.with_parameters(small, {"place": 'King\'s "Lynn"'})
    assert changed.cells[1].source == "place = 'King\\'s \"Lynn\"'\nperiod = 2025"
    assert small.cells[1].source.startswith('place = "Hackney"'), "the notebook given is left as it is"


def test_a_parameter_that_is_not_there_is_named(small: Any) -> None:
    with pytest.raises(ProjectError, match=r"no parameter domain\. It has: place, period"):
        notebooks.with_parameters(small, {"domain": "safe"})


def test_a_number_that_is_not_there_is_named() -> None:
    with pytest.raises(ProjectError, match=r"there is no notebook 99\. There are: 1, 2, 3"):
        notebooks.find_notebook(99)


def test_the_page_has_one_title_sections_and_escapes(small: Any) -> None:
    html = notebooks.notebook_html(small)
    assert '<html lang="en-GB">' in html
    assert html.count("<h1>") == 1
    assert "<title>A question?</title>" in html
    assert '<h2 id="first-part">First &lt;part&gt;</h2>' in html
    assert "<ul><li>one</li><li>&lt;two&gt;</li></ul>" in html
    assert ".ipynb" not in html
    assert "<script" not in html


def test_words_and_tables_keep_what_they_were_given() -> None:
    import pandas as pd

    shown = notebooks.words("One.\n- a < b\n- c")._repr_mimebundle_()
    assert shown == {"text/html": "<p>One.</p><ul><li>a &lt; b</li><li>c</li></ul>", "text/plain": "One.\n- a < b\n- c"}
    frame = pd.DataFrame({"score": [1.25]}, index=pd.Index(["Kent"], name="area"))
    html = notebooks.listing(frame, "Scores", decimals=2)._repr_mimebundle_()["text/html"]
    assert "<caption>Scores</caption>" in html
    assert '<th scope="row">Kent</th>' in html
    assert ">1.25<" in html
