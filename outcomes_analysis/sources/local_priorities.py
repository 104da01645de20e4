"""What people say matters most: points shared out, a Delphi panel's ratings, children's choices, as a checked CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import SourceError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.sources.local_forms import (
    Column,
    Form,
    amount_cell,
    choice_of,
    name_cell,
    note_cell,
    read_form,
    refuse_cell,
    sound,
)
from outcomes_analysis.sources.local_rows import Kind

WAYS: Mapping[str, str] = {
    "budget": "budget",
    "points": "budget",
    "delphi": "delphi",
    "rating": "delphi",
    "children": "children",
}
HIGHEST_RATING = 9
MOST_ROUNDS = 9
ALL = ""  # stands for a person where choices were counted together
COLUMNS = ("way", "round", "person", "item", "points", "line")


def load_priorities(path: Path | str, *, framework: Framework | None = None) -> pd.DataFrame:
    """Read what people say matters most.

    Parameters
    ----------
    path : Path or str
        A CSV with the columns ``way`` (``budget``: points shared out; ``delphi``: ratings of 1 to 9; ``children``:
        children's own choices), ``person`` (a code such as P1, never a name; left empty where children's choices were
        counted together), ``item`` (an outcome or domain of the framework, by id or label, or words of their own),
        ``points``, and if wanted ``round`` (of a Delphi panel, 1 for the first) and ``note``, which is not read.
    framework : Framework, optional
        Its outcomes and domains; the Common Outcomes Framework by default.

    Returns
    -------
    DataFrame
        ``way, round, person, item, points, line``: items of the framework by their id, others as written.

    Raises
    ------
    SourceError
        With the whole report: every fault, where, and what to do; never the content of a cell.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    known = {key: node.id for node in framework.nodes for key in (node.id.lower(), _plain(node.label))}

    def item(cell: str) -> str:
        return known.get(_plain(cell), known.get(cell.lower(), name_cell(cell)))

    form = Form(
        columns=(
            Column("way", choice_of(WAYS)),
            Column("person", _person, required=False),
            Column("item", item),
            Column("points", _points),
            Column("round", _round, required=False),
            Column("note", note_cell, required=False),
        ),
        key=("way", "round", "person", "item"),
        counted=("answer", "answers"),
        kinds={
            "person": Kind(
                "a person's code that is none",
                "Write a code of at most four letters and six digits, such as P1; names of persons have no place here.",
            ),
            "round": Kind("a round that is none", f"Write 1 for the first round, 2 for the second, to {MOST_ROUNDS}."),
            "much": Kind("points beyond a million", "Points are shared out of 10, 100 or the like."),
        },
        aliases={"outcome": "item", "domain": "item", "score": "points", "rating": "points", "method": "way"},
    )
    table = pd.DataFrame(sound(*read_form(path, form)), columns=list(COLUMNS))
    table["person"] = table["person"].fillna(ALL)
    table["round"] = table["round"].fillna(1).astype(int)
    _whole(table, Path(path).name)
    return table


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _person(cell: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{0,4}[-_ ]?[0-9]{1,6}", cell):
        refuse_cell("person")
    return cell.upper()


def _points(cell: str) -> float:
    if re.fullmatch(r"-[0-9.]+", cell):
        refuse_cell("negative")
    points = amount_cell(cell)
    if points > 1e6:
        refuse_cell("much")
    return points


def _round(cell: str) -> int:
    if not re.fullmatch(rf"[1-{MOST_ROUNDS}]", cell):
        refuse_cell("round")
    return int(cell)


def _whole(table: pd.DataFrame, file: str) -> None:
    """Refuse what is right line by line and cannot be as a whole."""
    faults = []
    adults = table["way"].ne("children")
    checks = {
        "a Delphi panel's rating is outside 1 to 9": table["way"].eq("delphi")
        & ~table["points"].between(1, HIGHEST_RATING),
        "no person's code, and only children's choices may be counted together": adults & table["person"].eq(ALL),
        "a round other than 1, and only a Delphi panel has rounds": table["way"].ne("delphi") & table["round"].ne(1),
    }
    for what, wrong in checks.items():
        if wrong.any():
            lines = ", ".join(str(n) for n in table.loc[wrong, "line"].head(5))
            more = f" and {int(wrong.sum()) - 5:,} more" if wrong.sum() > 5 else ""
            faults.append(f"{what}, in lines {lines}{more}")
    for way, rows in table.groupby("way", sort=False):
        together = rows["person"].eq(ALL)
        if together.any() and not together.all():
            faults.append(f"{way}: some answers are of one person, others counted together; keep one of the two")
        if rows["item"].nunique() < 2:
            faults.append(f"{way}: one thing alone; give at least two to choose between")
        given = rows.groupby(["round", "person"])["points"].sum()
        if (given <= 0).any():
            faults.append(f"{way}: {int((given <= 0).sum())} of {len(given)} people give nothing to anything")
    if faults:
        message = "\n".join([f"{file} cannot be used yet:", *(f"  {n}. {f}." for n, f in enumerate(faults, start=1))])
        raise SourceError(message)
