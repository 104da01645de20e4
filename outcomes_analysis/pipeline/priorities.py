"""People's priorities from a file, held against the default index: words, tables and a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from outcomes_analysis.pipeline.results import PERIOD, default_index
from outcomes_analysis.provenance import write_atomic

if TYPE_CHECKING:
    import pandas as pd

    from outcomes_analysis.places.weighing import Priorities


@dataclass(frozen=True, eq=False)
class WeighedPlaces:
    """Priorities, how far places move under them (empty where no domain was weighed whole), and all in words."""

    priorities: Priorities
    moves: pd.DataFrame
    text: str


def weigh_file(
    path: Path,
    *,
    place: str = "",
    period: int = PERIOD,
    page: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> WeighedPlaces:
    """Read what people say matters most, and rank places by it.

    Parameters
    ----------
    path : Path
        A CSV (:func:`outcomes_analysis.sources.local_priorities.load_priorities`).
    place : str
        An authority to be told of as well, in any spelling.
    period : int
        Year of the default index.
    page : Path, optional
        Where to write the page.
    progress : callable

    Returns
    -------
    WeighedPlaces

    Raises
    ------
    SourceError, SpecError, AreaError
        If the file has faults, too few answered, or there is no such place.
    """
    from outcomes_analysis.areas.register import resolve_place
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.places.reweighing import rank_moves
    from outcomes_analysis.places.weighing import weigh_priorities
    from outcomes_analysis.places.weighing_wording import domains_text, moves_text
    from outcomes_analysis.sources.local_priorities import load_priorities

    code = resolve_place(place) if place else ""
    framework = load_framework()
    progress("reading the answers")
    priorities = weigh_priorities(load_priorities(path, framework=framework), framework=framework)
    progress("ranking places by them")
    index = default_index(period)
    moves = rank_moves(priorities, index)
    labels = {node.id: node.label for node in framework.nodes}
    over = domains_text(priorities.table, index.table, framework=framework, place=code)
    inside = moves_text(moves, labels=labels, place=code) if len(moves) else "" if over else NOTHING_MOVES
    moved = "\n\n".join(part for part in (inside, over) if part)
    if page is not None:
        from outcomes_analysis.evidence.priorities_page import priorities_html, priority_figures

        progress("writing the page")
        figures = priority_figures(priorities)
        html = priorities_html(priorities, moves=moves, moved=moved, labels=labels, figures=figures)
        write_atomic(page, html)
    return WeighedPlaces(priorities, moves, "\n\n".join([priorities.text, moved]))


NOTHING_MOVES = (
    "No ranks of places are set beside these weights: that takes weights for every part of a ranked domain, such as "
    "all the outcomes of engaged that have figures. `outcomes find` and data/local/README.md name them."
)
