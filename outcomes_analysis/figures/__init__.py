"""Figures: maps, rank intervals, tables and scatter plots, drawn from results and written as files.

Nothing here loads a drawing library until a figure is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULES = {
    "cohorts": "charts",
    "courses": "charts",
    "estimates": "charts",
    "fans": "charts",
    "fitness_cards": "charts",
    "funnels": "charts",
    "html_tables": "charts",
    "maps": "mapping",
    "multiverses": "charts",
    "networks": "charts",
    "priors": "charts",
    "profiles": "charts",
    "ranks": "charts",
    "relations": "charts",
    "rugs": "charts",
    "spines": "charts",
    "tables": "charts",
    "theme": "drawing",
}
_NAMES = {
    "Figure": "drawing.composing",
    "export": "exporting",
    "figure_entry": "registering",
    "interactive": "drawing.theme",
    "load_figures": "registering",
}

__all__ = [
    "Figure",
    "courses",
    "estimates",
    "export",
    "fans",
    "figure_entry",
    "fitness_cards",
    "funnels",
    "html_tables",
    "interactive",
    "load_figures",
    "maps",
    "multiverses",
    "networks",
    "priors",
    "profiles",
    "ranks",
    "relations",
    "rugs",
    "spines",
    "tables",
    "theme",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}.{name}")
    if name in _NAMES:
        return getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
