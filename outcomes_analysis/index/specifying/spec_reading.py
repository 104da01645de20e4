"""A specification as a file: read with suspicion, written so that it reads back the same, faults named by place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from outcomes_analysis.errors import Problems, SpecError, several

WHERE = "index specification"
MAX_CHARACTERS = 1_000_000


class _Strict(yaml.SafeLoader):
    """The safe loader, but a key written twice is refused: one of the two would silently be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """As the safe loader does."""
        keys = [key.value for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            message = f"line {node.start_mark.line + 1}: written more than once: {several(twice)}"
            raise yaml.YAMLError(message)
        return super().construct_mapping(node, deep=deep)


def read_yaml(source: Path | str) -> dict[str, Any]:
    """Read the choices from a YAML file or text.

    Parameters
    ----------
    source : Path or str
        A path, or the text itself: a string with a line break or a colon and a blank is text.

    Raises
    ------
    SpecError
        If there is no such file, it is no YAML, or not a set of named choices.
    """
    text, where = _text_of(source)
    if len(text) > MAX_CHARACTERS:
        message = f"{where}: {len(text):,} characters are no specification; it has {MAX_CHARACTERS:,} at most."
        raise SpecError(message)
    try:
        content = yaml.load(text, Loader=_Strict)
    except yaml.YAMLError as error:
        message = f"{where}: this is not YAML that can be read: {' '.join(str(error).split())}"
        raise SpecError(message) from error
    content = {} if content is None else content
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        message = f"{where}: the top level must be choices by name (`cap: 3`), not {type(content).__name__}."
        raise SpecError(message)
    return dict(content)


def _text_of(source: Path | str) -> tuple[str, str]:
    """The text, and what to call it in messages."""
    if isinstance(source, str) and ("\n" in source or ": " in source):
        return source, WHERE
    path = Path(source)
    if not path.is_file():
        message = f"{WHERE}: there is no file {path}. Give a path, or the text of a specification."
        raise SpecError(message)
    return path.read_text(encoding="utf-8"), path.name


def as_yaml(choices: Mapping[str, Any]) -> str:
    """Write choices as YAML, in their order."""
    return str(yaml.safe_dump(dict(choices), sort_keys=False, allow_unicode=True, width=100))


def faults_of(error: ValidationError, *, fields: list[str]) -> Problems:
    """Every fault of a specification, each with the choice it is in."""
    problems = Problems(WHERE)
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            near = get_close_matches(place, fields, n=2, cutoff=0.5)
            hint = f"did you mean {several(near)}?" if near else f"there are {several(fields, limit=30)}"
            problems.add(f"there is no choice '{place}'; {hint}")
        else:
            problems.add(f"{place}: {fault['msg'].removeprefix('Value error, ')}")
    return problems
