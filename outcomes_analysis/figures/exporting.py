"""Write a figure as files that can go into a report: SVG, PNG, PDF, its data, caption and alt text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import (
    Figure,
    accessible_svg,
    as_sentence,
    draw,
    enlarged,
    footer_texts,
    pdf,
    png,
)
from outcomes_analysis.figures.registering import FigureEntry, figure_entry
from outcomes_analysis.project import project
from outcomes_analysis.provenance import safe_cell, write_atomic

Form = Literal["svg", "png", "pdf"]
PPI = 300
_REQUIRED = {
    "title": "a title that states the finding",
    "alt": "alt text",
    "unit": "a unit",
    "source": "a source line",
    "data_as_at": "a 'data as at' date",
}


def safe_csv(frame: pd.DataFrame) -> str:
    """Write a frame as CSV that no spreadsheet will run: text that starts like a formula gets a leading apostrophe.

    Numbers keep full precision and missing values are empty; lines end with a line feed.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([safe_cell(str(column)) for column in frame.columns])
    for row in frame.itertuples(index=False):
        writer.writerow(["" if pd.isna(cell) else safe_cell(cell) for cell in row])
    return target.getvalue()


def export(
    chart: Any,
    id: str,
    *,
    folder: Path | None = None,
    data: pd.DataFrame | None = None,
    meta: Mapping[str, Any] | None = None,
    forms: Collection[Form] = ("svg", "png"),
    sizes: Collection[theme.Size] = (),
) -> dict[str, Path]:
    """Write a figure: drawing, data, caption and alt text.

    Parameters
    ----------
    chart : Figure or altair chart
        A ``Figure`` knows its own title, alt text and source; a bare chart needs ``data`` and ``meta``.
    id : str
        Name of the files, and of the entry in ``figures/figures.yml`` that fills in what is not given.
    folder : Path, optional
        Where to write; ``figures/`` by default.
    data : DataFrame, optional
        The numbers drawn; the figure's own by default.
    meta : mapping, optional
        ``title, subtitle, alt, unit, source, data_as_at, notes``: take the place of the figure's own. A figure
        without an entry must have all of them but ``subtitle`` and ``notes``.
    forms : collection of {"svg", "png", "pdf"}
        Drawings wanted. SVG and PNG come out with the same bytes each time, PDF does not. PNG has 300 pixels to the
        inch at the size printed.
    sizes : collection of {"column", "page", "slide", "web"}
        Drawings at further sizes, written beside as ``id-column.svg`` and so on: a report column of 85 mm, a page of
        170 mm, a slide of 254 by 143 mm, and the page's layout one and a half times as large for a screen. Only for
        figures that can be laid out anew, except for the web.

    Returns
    -------
    dict of str to Path
        Files written, by kind: ``svg, png, csv, json, txt``, and ``svg-column`` and so on for further sizes.

    Raises
    ------
    FigureError
        Without title, alt text, unit, source, date or data, naming all that is lacking, or if a size does not go;
        nothing is written then.
    """
    facts = _facts(chart, id, meta or {})
    frame = data if data is not None else getattr(chart, "data", None) if isinstance(chart, Figure) else None
    problems = Problems(f"figure {id!r}")
    for name, words in _REQUIRED.items():
        if not str(facts.get(name, "")).strip():
            problems.add(f"it lacks {words}: give `{name}`.")
    if frame is None:
        problems.add("it lacks the data that it draws: give `data`.")
    unknown = sorted(set(forms) - {"svg", "png", "pdf"})
    if unknown:
        problems.add(f"unknown forms: {several(unknown)}; choose from svg, png, pdf.")
    problems.raise_if_any(FigureError)
    assert frame is not None
    drawings = {"": chart.drawing if isinstance(chart, Figure) else draw(chart)}
    drawings |= {f"-{size}": _at_size(chart, size, drawings[""]) for size in sizes}
    contents: dict[str, tuple[str, bytes | str]] = {
        f"{form}{tail}": (f"{id}{tail}.{form}", _drawn(drawing, form, id=f"{id}{tail}", facts=facts))
        for tail, drawing in drawings.items()
        for form in forms
    }
    contents["csv"] = (f"{id}.csv", safe_csv(frame))
    description = json.dumps(_description(id, facts), ensure_ascii=False, indent=2) + "\n"
    contents["json"] = (f"{id}.json", description)
    contents["txt"] = (f"{id}.txt", f"{_caption(facts)}\n\nAlt text: {facts['alt']}\n")
    target = folder if folder is not None else project().result("figures")
    return {kind: write_atomic(Path(target) / name, content) for kind, (name, content) in contents.items()}


def _at_size(chart: Any, size: theme.Size, drawing: str) -> str:
    """The plain SVG of a figure at a size."""
    if size == "web":
        return enlarged(drawing, theme.WEB_SCALE)
    if not isinstance(chart, Figure):
        message = "A bare chart has one size only; give a Figure, or sizes=('web',)."
        raise FigureError(message)
    return chart.at(size).drawing


def _facts(chart: Any, figure_id: str, meta: Mapping[str, Any]) -> dict[str, Any]:
    names = ("title", "subtitle", "alt", "unit", "source", "data_as_at", "notes")
    own = {name: getattr(chart, name) for name in names} if isinstance(chart, Figure) else {}
    facts = {**own, **{name: value for name, value in meta.items() if name in names}}
    entry: FigureEntry | None = None
    if not all(str(facts.get(name, "")).strip() for name in _REQUIRED):
        try:
            entry = figure_entry(figure_id)
        except FigureError:
            if not facts:  # nothing at all is known of it: say which ids there are
                raise
    # A bare chart may lean on the register for its words, but a Figure makes its alt text from its own numbers.
    names_from_entry = ("unit", "source") if isinstance(chart, Figure) else ("title", "alt", "unit", "source")
    for name in names_from_entry if entry else ():
        if not str(facts.get(name, "")).strip():
            facts[name] = getattr(entry, name)
    return facts


def _drawn(drawing: str, form: str, *, id: str, facts: Mapping[str, Any]) -> bytes | str:
    if form == "svg":
        return accessible_svg(drawing, title=facts["title"], description=facts["alt"], prefix=id)
    return png(drawing, ppi=PPI) if form == "png" else pdf(drawing)


def _caption(facts: Mapping[str, Any]) -> str:
    notes = tuple(facts.get("notes", ()))
    parts = [facts["title"], facts.get("subtitle", ""), *footer_texts(facts["source"], facts["data_as_at"], notes)]
    return " ".join(as_sentence(part) for part in parts if part)


def _description(figure_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: facts.get(name, "") for name in ("title", "subtitle", "alt", "unit", "source", "data_as_at")}
    return {"id": figure_id, **plain, "notes": list(facts.get("notes", ())), "caption": _caption(facts)}
