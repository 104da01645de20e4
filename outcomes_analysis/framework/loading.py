"""A framework file read and checked: every fault is reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from outcomes_analysis.errors import FrameworkError, Problems, several
from outcomes_analysis.framework.checking import faults
from outcomes_analysis.framework.model import Framework, Indicator, Node
from outcomes_analysis.framework.reading import Document, read_document
from outcomes_analysis.project import project

DEFAULT = "common_outcomes.yml"
HEAD = ("id", "label", "version", "date", "source_url", "notice")
SECTIONS = ("nodes", "indicators")


def load_framework(path: Path | str | None = None) -> Framework:
    """Load a framework.

    Parameters
    ----------
    path : Path or str, optional
        A YAML file laid out as ``data/framework/common_outcomes.yml``; that file if None.

    Returns
    -------
    Framework

    Raises
    ------
    FrameworkError
        If the file is missing, empty, too large, not YAML, or the framework is not sound; the message names the
        file and, for every fault at once, the line, the node or indicator, and the remedy.
    """
    file = project().path("data", "framework", DEFAULT) if path is None else Path(path)
    if not file.is_file():
        message = f"There is no framework file {file}.{_beside(file)}"
        raise FrameworkError(message)
    stat = file.stat()
    return _load(file.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _load(file: Path, _modified: int, _size: int) -> Framework:
    return parse_framework(read_document(file))


def parse_framework(document: Document) -> Framework:
    """Turn a document into a framework.

    Parameters
    ----------
    document : Document
        As read by ``read_document``.

    Returns
    -------
    Framework

    Raises
    ------
    FrameworkError
        Naming every fault at once.
    """
    problems = Problems(document.where)
    head = _head(document, problems)
    _unknown_entries(document, known=(*HEAD, *SECTIONS), problems=problems)
    nodes = parse_items(document, "nodes", Node, problems=problems)
    indicators = parse_items(document, "indicators", Indicator, problems=problems)
    for section in SECTIONS:
        if not document.content.get(section):
            problems.add(f"`{section}` is empty or missing; list at least one")
    if not problems.messages:  # the tree can be judged only once each of its parts is sound
        for message in faults(nodes, indicators):
            problems.add(located(message, document))
    problems.raise_if_any(FrameworkError)
    return Framework(**head, nodes=tuple(nodes), indicators=tuple(indicators))


def parse_items[Item: BaseModel](
    document: Document, section: str, model: Callable[..., Item], *, problems: Problems
) -> list[Item]:
    """Turn one list of a document into nodes or indicators, noting each fault with its line and id."""
    entries = document.content.get(section) or []
    if not isinstance(entries, list):
        problems.add(f"`{section}` must be a list; begin each entry with `- id: ...`")
        return []
    items: list[Item] = []
    for position, entry in enumerate(entries):
        who = f"line {document.line(section, position)}, {section[:-1]}"
        if not isinstance(entry, dict):
            problems.add(f"{who}: is {entry!r:.40} where fields (`id: ...`) are expected")
            continue
        who = f"{who} '{entry.get('id', '(no id)')}'"
        try:
            items.append(model(**_texts(entry)))
        except ValidationError as error:
            for message in _messages(error, entry, known=_fields(model)):
                problems.add(f"{who}: {message}")
        except TypeError:
            problems.add(f"{who}: its field names must be words")
    return items


def located(message: str, document: Document) -> str:
    """Put the line of the node or indicator that a message names first at its head."""
    kind, _, rest = message.partition(" '")
    name = rest.split("'", 1)[0]
    entries = document.content.get(f"{kind}s")
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and entry.get("id") == name:
            return f"line {document.line(f'{kind}s', position)}, {message}"
    return message


def _head(document: Document, problems: Problems) -> dict[str, str]:
    head = {name: str(document.content.get(name) or "").strip() for name in HEAD}
    for name in HEAD:
        if not head[name]:
            problems.add(f"`{name}` is missing; write it at the top of the file")
    return head


def _unknown_entries(document: Document, *, known: tuple[str, ...], problems: Problems) -> None:
    for name in document.content:
        if name not in known:
            problems.add(f"`{name}` means nothing here; the entries are {several(known, limit=9)}")


def _texts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Undo what YAML makes of unquoted texts: a bare year is a period's label, not a number."""
    changed = dict(entry)
    if isinstance(changed.get("base_period"), int):
        changed["base_period"] = str(changed["base_period"])
    if isinstance(changed.get("breaks"), list):
        changed["breaks"] = [
            {**item, "period": str(item["period"])} if isinstance(item, dict) and "period" in item else item
            for item in changed["breaks"]
        ]
    return {name: tuple(value) if isinstance(value, list) else value for name, value in changed.items()}


def _fields(model: Callable[..., BaseModel]) -> list[str]:
    return list(getattr(model, "model_fields", {}))


def _messages(error: ValidationError, entry: Mapping[str, Any], *, known: list[str]) -> list[str]:
    return [_message(dict(fault), entry, known=known) for fault in error.errors()]


def _message(fault: dict[str, Any], entry: Mapping[str, Any], *, known: list[str]) -> str:
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"`{field}` is missing; add it"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(field, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"the fields are {several(known, limit=12)}"
        return f"`{field}` is no field; {hint}"
    given = fault.get("input")
    reason = str(fault["msg"]).replace("Input should be", "must be")
    return f"`{field}` {reason} (it is {given!r:.40})"


def _beside(file: Path) -> str:
    if not file.parent.is_dir():
        return " The folder does not exist either."
    names = sorted(p.name for p in file.parent.glob("*.y*ml"))
    near = get_close_matches(file.name, names, n=1) or names
    return f" That folder holds: {several(near)}." if near else " Check the path."
