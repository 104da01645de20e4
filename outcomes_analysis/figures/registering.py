"""The register of figures: for each id its title, alt text, unit, source line and the function that draws it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.project import project

_FIELDS = ("id", "title", "alt", "unit", "source", "function")


@dataclass(frozen=True)
class FigureEntry:
    """One line of the register; ``id`` may hold a placeholder, as in ``domain-map-{domain}``."""

    id: str
    title: str
    alt: str
    unit: str
    source: str
    function: str

    def filled(self, figure_id: str) -> FigureEntry | None:
        """Entry for a concrete id, its placeholders filled; None when the id is not of this form."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[a-z0-9_-]+)", re.escape(self.id))
        found = re.fullmatch(pattern, figure_id)
        if not found:
            return None
        words = {name: value.replace("_", " ") for name, value in found.groupdict().items()}
        return FigureEntry(
            id=figure_id,
            title=self.title.format_map(words),
            alt=self.alt.format_map(words),
            unit=self.unit,
            source=self.source,
            function=self.function,
        )


def load_figures(path: Path | None = None) -> tuple[FigureEntry, ...]:
    """Read the register of figures.

    Parameters
    ----------
    path : Path, optional
        Another register; the project's ``figures/figures.yml`` by default.

    Raises
    ------
    FigureError
        Naming every entry that lacks a field, occurs twice, or names no function of this package.
    """
    path = path or project().path("figures", "figures.yml")
    problems = Problems(path.name)
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    entries: list[FigureEntry] = []
    for i, row in enumerate(content.get("figures", []), start=1):
        lacking = [name for name in _FIELDS if not str(row.get(name, "")).strip()]
        if lacking:
            problems.add(f"entry {i} ({row.get('id', 'no id')}) lacks {', '.join(lacking)}.")
            continue
        extra = sorted(set(row) - set(_FIELDS))
        if extra:
            problems.add(f"entry {i} ({row['id']}) has unknown fields: {several(extra)}.")
        if not re.fullmatch(r"\w+\.\w+", row["function"]):
            problems.add(f"entry {i} ({row['id']}): function must be module.function, not {row['function']!r}.")
        if any(entry.id == row["id"] for entry in entries):
            problems.add(f"entry {i}: the id {row['id']} occurs twice.")
        entries.append(FigureEntry(**{name: " ".join(str(row[name]).split()) for name in _FIELDS}))
    problems.raise_if_any(FigureError)
    return tuple(entries)


@cache
def _register() -> tuple[FigureEntry, ...]:
    return load_figures()


def figure_entry(figure_id: str, *, entries: tuple[FigureEntry, ...] | None = None) -> FigureEntry:
    """Entry of one figure.

    Raises
    ------
    FigureError
        If no entry has this id or a pattern that fits it.
    """
    known = _register() if entries is None else entries
    for entry in known:
        filled = entry.filled(figure_id)
        if filled:
            return filled
    message = (
        f"No figure {figure_id!r} in figures.yml; it has {several([e.id for e in known], limit=12)}. "
        "Add an entry there, or give title, alt, unit, source and data_as_at in `meta`."
    )
    raise FigureError(message)
