"""A YAML file read with suspicion: size, twice-written keys and aliases are refused, line numbers are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from outcomes_analysis.errors import FrameworkError, Problems

MAX_BYTES = 2_000_000
MAX_DEPTH = 40


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where there is one
    """The safe loader, but for dates: ``2023-03-31`` is a period's label, not a date."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's own name for it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True)
class Document:
    """What a YAML file holds, and where each item of its lists begins.

    Attributes
    ----------
    where : str
        Name of the file, for messages.
    content : dict
        The top level.
    lines : mapping of str to tuple of int
        For every list at the top level, the line (from 1) at which each item begins.
    """

    where: str
    content: dict[str, Any]
    lines: Mapping[str, tuple[int, ...]]

    def line(self, section: str, position: int) -> int:
        """Line at which an item of a top-level list begins; 0 if unknown."""
        lines = self.lines.get(section, ())
        return lines[position] if position < len(lines) else 0


def read_document(path: Path) -> Document:
    """Read a YAML file whose top level is a set of named entries.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Document

    Raises
    ------
    FrameworkError
        If the file is missing, empty, larger than 2 MB, not UTF-8, not YAML, has a key twice, uses aliases, or
        holds no named entries.
    """
    text = _text_of(path)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _check_tree(node, where=path.name)
        content = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise FrameworkError(_yaml_message(error, where=path.name)) from error
    except (RecursionError, ValueError) as error:
        message = f"{path.name} cannot be read: {error}. Write it anew from data/framework/common_outcomes.yml."
        raise FrameworkError(message) from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        message = f"{path.name} holds {_kind(content)} where named entries (`id: ...`, `nodes: ...`) are expected."
        raise FrameworkError(message)
    return Document(where=path.name, content=content, lines=_item_lines(node))


def _text_of(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"{path.name} is {size / 1e6:.1f} MB; a framework file is at most {MAX_BYTES / 1e6:.0f} MB."
            raise FrameworkError(message)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}. Check the path."
        raise FrameworkError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path.name} is not UTF-8 text (byte {error.start}). Save it again as UTF-8."
        raise FrameworkError(message) from error
    if not text.strip():
        message = f"{path.name} is empty. Start from a copy of data/framework/common_outcomes.yml."
        raise FrameworkError(message)
    if text.lstrip()[:9].lower().startswith(("<!doctype", "<html")):
        message = f"{path.name} is a web page, not YAML. Download the file itself, not the page that shows it."
        raise FrameworkError(message)
    return text


def _walk(node: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    yield node, depth
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(key, depth + 1)
            yield from _walk(value, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item, depth + 1)


def _check_tree(node: Any, *, where: str) -> None:
    """Refuse aliases, which can grow a small file without bound, keys written twice, and endless depth."""
    problems = Problems(where)
    seen: set[int] = set()
    for part, depth in _walk(node):
        line = part.start_mark.line + 1 if part is not None else 0
        if id(part) in seen:
            problems.add(f"line {line}: an anchor is used again by an alias (`*name`); write the entry out in full")
            break  # what an alias points to would be walked again and again
        if depth > MAX_DEPTH:
            problems.add(f"line {line}: entries lie more than {MAX_DEPTH} deep; flatten them")
            break
        seen.add(id(part))
        if isinstance(part, yaml.MappingNode):
            _check_keys(part, problems)
    problems.raise_if_any(FrameworkError)


def _check_keys(node: yaml.MappingNode, problems: Problems) -> None:
    first: dict[str, int] = {}
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in first:
            problems.add(f"line {line}: '{name}' is given twice (first on line {first[name]}); keep one")
        first.setdefault(name, line)


def _item_lines(node: Any) -> dict[str, tuple[int, ...]]:
    return {
        str(key.value): tuple(item.start_mark.line + 1 for item in value.value)
        for key, value in node.value
        if isinstance(value, yaml.SequenceNode)
    }


def _yaml_message(error: yaml.YAMLError, *, where: str) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}" if mark is not None else ""
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{where} is not YAML{place}: {reason}. Check the indents, colons and quotes there."


def _kind(content: object) -> str:
    return "nothing" if content is None else f"a {type(content).__name__}"
