"""Notebooks: what their cells show as words and tables, running them, and the page made of one that has run.

Words and tables shown here read the same in JupyterLab and on the page, with caption, scopes and no long lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from outcomes_analysis.errors import ProjectError, several
from outcomes_analysis.evidence.page import Section, details_html, figure_html, page, sentences_of, table_html
from outcomes_analysis.project import project

SECONDS_A_CELL = 90
LONG = 700  # letters, beyond which a paragraph is shown as a list of its sentences
#: Words for columns that the tables of results have.
HEADINGS = {
    "alike": "Between places similar in",
    "similar_in": "Between places similar in",
    "area_name": "Authority",
    "authorities": "Which authorities",
    "estimate": "Estimate",
    "indicator_id": "Indicator id",
    "label": "What is estimated",
    "level": "Interval level, %",
    "n": "Number of authorities",
    "node_label": "Domain",
    "p_bottom_fifth": "Chance of lowest fifth",
    "rank_lower": "Rank from",
    "rank_upper": "Rank to",
    "region_name": "Region",
}
IDS = ("indicator_id", "ids", "status")  # columns whose cells are kept as they are
PATIENCE = 900  # seconds a cell may take for a reader, whose machine may be slow or busy
SETUP = "parameters"


@dataclass(frozen=True)
class Words:
    """Text of a result, shown as paragraphs and lists; ``text`` is the result's own, unchanged."""

    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": _paragraphs(self.text), "text/plain": self.text}


@dataclass(frozen=True, eq=False)
class Listing:
    """A table with its caption; ``frame`` holds the numbers, unrounded."""

    frame: pd.DataFrame
    caption: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        html = table_html(_named(self.frame), self.caption, **_worded(self.frame, self.options))
        return {"text/html": html, "text/plain": f"{self.caption}\n{self.frame.to_string()}"}


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Domains and outcomes by their names instead of their ids, cells that begin with a capital, levels in percent."""
    from outcomes_analysis.framework.loading import load_framework

    labels = {node.id: node.label for node in load_framework().nodes}
    columns = [c for c in ("domain", "outcome", "other") if c in frame and not pd.api.types.is_numeric_dtype(frame[c])]
    shown = frame.assign(**{c: frame[c].map(lambda name: labels.get(name, name)) for c in columns})
    if "rule" in shown:
        shown = shown.assign(rule=shown["rule"].str.replace("_", " "))
    texts = [c for c in shown if pd.api.types.is_string_dtype(shown[c]) and c.lower() not in IDS]
    shown = shown.assign(**{c: shown[c].map(_begun, na_action="ignore") for c in texts})
    return shown.assign(level=100 * shown["level"]) if "level" in shown else shown


def _begun(cell: str) -> str:
    """A cell that begins with a capital; one that begins with an id stays as it is."""
    return cell if "_" in cell.split(" ")[0] else f"{cell[:1].upper()}{cell[1:]}"


def _worded(frame: pd.DataFrame, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a table with words for the columns that many tables have."""
    decimals = options.get("decimals", 1)
    by_column = dict(decimals) if isinstance(decimals, Mapping) else dict.fromkeys(frame.columns, decimals)
    headings = {**HEADINGS, **options.get("headings", {})}
    return {**options, "headings": headings, "decimals": {**by_column, "level": 0}}


def words(text: str) -> Words:
    """Show the text of a result in a notebook as paragraphs and lists.

    Parameters
    ----------
    text : str
        Lines that start with ``- `` become a list, all others paragraphs.

    Returns
    -------
    Words
    """
    return Words(text)


def listing(frame: pd.DataFrame, caption: str, **options: Any) -> Listing:
    """Show a table in a notebook, with its caption.

    Parameters
    ----------
    frame : DataFrame
        One row a line; a named index is printed as first columns.
    caption : str
        What the table shows.
    **options
        As for :func:`outcomes_analysis.evidence.page.table_html`: ``headings``, ``decimals``, ``status`` and so on.

    Returns
    -------
    Listing
    """
    named = any(name is not None for name in frame.index.names)
    return Listing(frame.reset_index() if named else frame, caption, options)


def amounts(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Write figures of several indicators as text, each with its own unit and decimals, for a table of them.

    Parameters
    ----------
    table : DataFrame
        With ``unit, decimals, status`` and the columns named.
    columns : sequence of str
        Of figures.

    Returns
    -------
    DataFrame
        The same; a missing figure is the symbol that says why.
    """
    from outcomes_analysis.places.quantities import short_amount
    from outcomes_analysis.wording import symbol

    def text(row: pd.Series[Any], column: str) -> str:
        if pd.isna(row[column]):
            return symbol(str(row["status"])) or symbol("not_available")
        return short_amount(row[column], unit=row["unit"], decimals=int(row["decimals"]))

    return table.assign(**{c: [text(row, c) for _, row in table.iterrows()] for c in columns})


def notebook_paths(folder: Path | None = None) -> list[Path]:
    """Notebooks of the gallery, in its order.

    Raises
    ------
    ProjectError
        If the gallery names a notebook that is not there.
    """
    home = folder or project().path("notebooks")
    names = [entry["file"] for entry in gallery(home)]
    absent = [name for name in names if not (home / name).is_file()]
    if absent:
        message = f"gallery.yml names {len(absent)} notebooks that are not in {home}: {several(absent)}."
        raise ProjectError(message)
    return [home / name for name in names]


def gallery(folder: Path | None = None) -> list[dict[str, str]]:
    """Entries of ``notebooks/gallery.yml``: file, question, audience."""
    home = folder or project().path("notebooks")
    return list(yaml.safe_load((home / "gallery.yml").read_text(encoding="utf-8"))["notebooks"])


def gallery_readme(folder: Path | None = None) -> str:
    """Write ``notebooks/README.md`` from the gallery."""
    home = folder or project().path("notebooks")
    document = yaml.safe_load((home / "gallery.yml").read_text(encoding="utf-8"))
    rows = [
        f"| {entry['file'][:2]} | [{entry['question']}]({entry['file']}) | {entry['audience']} |"
        for entry in document["notebooks"]
    ]
    head = ["# Notebooks", "", document["lead"].strip(), "", "| | question | for |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", document["foot"].strip()]) + "\n"


def write_readme() -> Path:
    """Write ``notebooks/README.md`` from the gallery, to its place."""
    from outcomes_analysis.provenance import write_atomic

    return write_atomic(project().path("notebooks") / "README.md", gallery_readme())


def find_notebook(number: int, folder: Path | None = None) -> Path:
    """Path of a notebook by its number.

    Raises
    ------
    ProjectError
        If there is none of that number.
    """
    paths = notebook_paths(folder)
    for path in paths:
        if int(path.name[:2]) == number:
            return path
    message = f"there is no notebook {number}. There are: {', '.join(str(int(p.name[:2])) for p in paths)}."
    raise ProjectError(message)


def with_parameters(notebook: Any, values: Mapping[str, object]) -> Any:
    """Replace values in the cell tagged ``parameters``.

    Parameters
    ----------
    notebook : NotebookNode
        Left as it is.
    values : mapping
        Name to value; only names that the cell has.

    Returns
    -------
    NotebookNode
        A copy; lines that are not replaced stay as they were written.

    Raises
    ------
    ProjectError
        If the cell has no such parameter.
    """
    import copy

    changed = copy.deepcopy(notebook)
    cell = next(c for c in changed.cells if SETUP in c.metadata.get("tags", []))
    lines = cell.source.splitlines()
    named = {line.split("=")[0].strip(): place for place, line in enumerate(lines) if re.match(r"\w+ = ", line)}
    unknown = sorted(set(values) - set(named))
    if unknown:
        message = f"this notebook has no parameter {several(unknown)}. It has: {', '.join(named)}."
        raise ProjectError(message)
    for name, value in values.items():
        lines[named[name]] = f"{name} = {value!r}"
    cell.source = "\n".join(lines)
    return changed


def read_notebook(path: Path) -> Any:
    """Read a notebook file."""
    import nbformat

    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def executed(notebook: Any, *, folder: Path, seconds: int = SECONDS_A_CELL) -> Any:
    """Run a copy of a notebook from top to bottom.

    Parameters
    ----------
    notebook : NotebookNode
        Left as it is.
    folder : Path
        Where it runs and saves its files; made if need be.
    seconds : int
        The longest a cell may take.

    Returns
    -------
    NotebookNode
        With outputs.

    Raises
    ------
    ProjectError
        If a cell ends with an error, or takes too long: with the cell's name and the error's last line.
    """
    import copy

    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    ran = copy.deepcopy(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(ran, timeout=seconds, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.extra_arguments = ["--IPKernelApp.log_level=CRITICAL"]  # its notices are not the reader's business
    try:
        client.execute()
    except CellExecutionError as error:
        message = f"a cell of the notebook ended with an error: {error.ename}: {error.evalue}"
        raise ProjectError(message) from error
    except CellTimeoutError as error:
        message = (
            f"a cell of the notebook took longer than {seconds} seconds. Close other programs and try again, or run "
            "it in `outcomes lab`, where a cell may take as long as it needs."
        )
        raise ProjectError(message) from error
    return ran


def notebook_html(notebook: Any) -> str:
    """Make the page of a notebook that has run: one title, a contents list, code folded away, charts with their words.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs; its first cell holds the title, every heading of second level opens a section.

    Returns
    -------
    str
        A whole HTML page without scripts, that asks nothing of any host.
    """
    title = "Notebook"
    sections: list[Section] = []
    heading, body = "About this notebook", ""
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            body += _code(cell, place)
            continue
        for part in re.split(r"^(?=#{1,2} )", cell.source, flags=re.MULTILINE):
            first, _, rest = part.partition("\n")
            if first.startswith("# "):
                title, part = first[2:].strip(), rest
            elif first.startswith("## "):
                sections.append(Section(heading, body))
                heading, body, part = first[3:].strip(), "", rest
            body += _prose(part)
    sections.append(Section(heading, body))
    return page(title, [section for section in sections if section.body])


def write_notebook(number: int, *, values: Mapping[str, object] | None = None, out: Path | None = None) -> Path:
    """Run a notebook and write its page.

    Parameters
    ----------
    number : int
        Of the notebook.
    values : mapping, optional
        Parameters that replace the notebook's own.
    out : Path, optional
        File to write; by default under ``notebooks/_build``, the parameters in its name.

    Returns
    -------
    Path
    """
    from outcomes_analysis.provenance import write_atomic

    source = find_notebook(number)
    chosen = dict(values or {})
    notebook = with_parameters(read_notebook(source), chosen)
    home = project().result("notebooks")
    ran = executed(notebook, folder=home, seconds=PATIENCE)
    marks = [re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-") for value in chosen.values()]
    path = out or home / "_build" / f"{'-'.join([source.stem, *marks])}.html"
    return write_atomic(path, notebook_html(ran))


def _paragraphs(text: str) -> str:
    """Paragraphs and lists of plain text, escaped."""
    html: list[str] = []
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("- "):
            item = f"<li>{escape(line[2:])}</li>"
            if html and html[-1].startswith("<ul>"):
                html[-1] = html[-1].replace("</ul>", f"{item}</ul>")
            else:
                html.append(f"<ul>{item}</ul>")
        elif len(line) > LONG:  # a wall of text: one sentence a line of a list
            first, *rest = sentences_of(line)
            items = "".join(f"<li>{escape(sentence)}</li>" for sentence in rest)
            html.append(f"<p>{escape(first)}</p><ul>{items}</ul>" if rest else f"<p>{escape(first)}</p>")
        elif line:
            html.append(f"<p>{escape(line)}</p>")
    return "".join(html)


def _prose(source: str) -> str:
    """HTML of a cell of words. Links to other notebooks become plain words: their pages may not be there."""
    if not source.strip():
        return ""
    import mistune

    plain = re.sub(r"\[([^\]]+)\]\([^)]+\.ipynb\)", r"\1", source)
    return str(mistune.create_markdown(escape=True, plugins=["table"])(plain))


def _code(cell: Any, place: int) -> str:
    """One code cell: its outputs, and the code itself folded away."""
    shown = "".join(_output(output, f"cell-{place}-{i}") for i, output in enumerate(cell.outputs))
    name = f"Code: {cell.id.replace('-', ' ')}"
    code = f"<pre><code>{escape(cell.source)}</code></pre>"
    scroll = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name, quote=True)}">{code}</div>'
    return shown + details_html(name, scroll)


def _output(output: Any, prefix: str) -> str:
    """One output: a chart, a table, words, or what was printed."""
    if output.output_type == "stream":
        return _paragraphs(output.text)
    if output.output_type == "error":
        return f"<p>{escape(output.ename)}: {escape(output.evalue)}</p>"
    data = output.data
    if "image/svg+xml" in data:
        title, _, alt = str(data.get("text/plain", "")).partition("\n")
        return figure_html(_own_ids(str(data["image/svg+xml"]), prefix), title, alt)
    if "text/html" in data:
        return str(data["text/html"])
    return _paragraphs(str(data.get("text/plain", "")))


def _own_ids(svg: str, prefix: str) -> str:
    """Give every id of a drawing a name of its own."""
    return re.sub(r'(?<=["# ])figure-(?=(?:\d+|title|desc)\b)', f"{prefix}-", svg)
