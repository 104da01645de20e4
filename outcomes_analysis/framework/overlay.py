"""Local additions to a framework: they extend the core and can never redefine, rename or reweight it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from outcomes_analysis.errors import FrameworkError, Problems, several
from outcomes_analysis.framework.checking import faults
from outcomes_analysis.framework.loading import located, parse_items
from outcomes_analysis.framework.model import Framework, Indicator, Node
from outcomes_analysis.framework.reading import Document, read_document

SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
ENTRIES = ("id", "label", "nodes", "indicators", "values")
FORBIDDEN = ("weight", "weights", "rename", "remove", "replace", "override")


def with_overlay(framework: Framework, path: Path | str) -> Framework:
    """Add local outcomes and indicators to a framework.

    Parameters
    ----------
    framework : Framework
        The core; it is returned whole, in order, before the additions.
    path : Path or str
        A YAML file with ``id, label`` and any of ``nodes`` (outcomes below a domain or outcome of the core),
        ``indicators`` (``tier: local``, which may be left out) and ``values`` (a CSV file beside it).

    Returns
    -------
    Framework
        With the overlay's id added to its own and to its version.

    Raises
    ------
    FrameworkError
        Naming every fault with its line: anything that would redefine, rename, move or reweight the core.
    """
    document = read_document(Path(path))
    problems = Problems(document.where)
    _check_entries(document, problems)
    nodes = parse_items(document, "nodes", _node, problems=problems)
    indicators = parse_items(document, "indicators", _local_indicator, problems=problems)
    _check_against_core(document, framework, nodes, indicators, problems)
    both = ((*framework.nodes, *nodes), (*framework.indicators, *indicators))
    if not problems.messages:
        for message in faults(*both):
            problems.add(located(message, document))
    problems.raise_if_any(FrameworkError)
    name = str(document.content["id"])
    changes: dict[str, Any] = {
        "id": f"{framework.id}+{name}",
        "label": f"{framework.label}, with {document.content.get('label') or name}",
        "version": f"{framework.version}+{name}",
        "nodes": both[0],
        "indicators": both[1],
    }
    return framework.model_copy(update=changes)


def overlay_values(path: Path | str) -> Path | None:
    """Find the file of values that an overlay names.

    Parameters
    ----------
    path : Path or str
        The overlay.

    Returns
    -------
    Path or None
        None if it names none.

    Raises
    ------
    FrameworkError
        If the file is not there, or lies outside the overlay's folder.
    """
    document = read_document(Path(path))
    name = document.content.get("values")
    if name is None:
        return None
    parts = PurePosixPath(str(name))
    file = Path(path).parent / parts
    named = parts.is_absolute() or ".." in parts.parts or "\\" in str(name) or ":" in str(name)
    if named or not file.resolve().is_relative_to(Path(path).parent.resolve()):  # a link may lead out, too
        message = f"{document.where}: `values: {name}` points outside the folder; put the CSV beside the overlay."
        raise FrameworkError(message)
    if not file.is_file():
        message = f"{document.where}: `values` names {name}, which is not beside it. Put it there or correct the name."
        raise FrameworkError(message)
    return file


def _node(**entry: Any) -> Node:
    return Node(**{"kind": "outcome", **entry})


def _local_indicator(**entry: Any) -> Indicator:
    return Indicator(**{"tier": "local", **entry})


def _check_entries(document: Document, problems: Problems) -> None:
    if not document.content.get("id"):
        problems.add("`id` is missing; give the overlay a short name")
    elif not SHORT_NAME.fullmatch(str(document.content["id"])):
        problems.add("`id` names files and sources: use letters, digits, - and _ alone, 60 at most")
    for name in document.content:
        if name in FORBIDDEN:
            problems.add(f"`{name}`: an overlay may only add; the core's weights, names and entries stay as they are")
        elif name not in ENTRIES:
            problems.add(f"`{name}` means nothing here; the entries are {several(ENTRIES)}")


def _check_against_core(
    document: Document, core: Framework, nodes: list[Node], indicators: list[Indicator], problems: Problems
) -> None:
    taken_nodes, taken_indicators = {n.id for n in core.nodes}, {i.id for i in core.indicators}
    labels, names = {_letters(n.label) for n in core.nodes}, {_letters(i.name) for i in core.indicators}
    doublets = {i.doublet for i in core.indicators if i.doublet}

    def judge(section: str, items: list[Any], rules: list[tuple[Callable[[Any], bool], str]]) -> None:
        for item in items:
            for broken, remedy in rules:
                if broken(item):
                    problems.add(located(f"{section} '{item.id}': {remedy}", document))

    judge(
        "node",
        nodes,
        [
            (lambda n: n.id in taken_nodes, "would redefine a node of the core; give yours another id"),
            (lambda n: n.parent is None, "would add a domain; the core's domains are fixed: name one as its `parent`"),
            (lambda n: _letters(n.label) in labels, "bears the name of a node of the core; give it a name of its own"),
        ],
    )
    judge(
        "indicator",
        indicators,
        [
            (lambda i: i.id in taken_indicators, "would redefine an indicator of the core; give yours another id"),
            (lambda i: i.tier != "local", "has a tier other than local; write `tier: local` or leave it out"),
            (lambda i: _letters(i.name) in names, "bears the name of an indicator of the core; give it its own"),
            (lambda i: i.doublet in doublets, "joins near-duplicates of the core and so would reweight them"),
        ],
    )


def _letters(text: str) -> str:
    """Letters and figures alone: a name that differs in spaces, dashes or kinds of type reads as the same."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
