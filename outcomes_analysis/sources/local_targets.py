"""Local targets that somebody gives: one line an authority, checked like every file that people fill in."""

from __future__ import annotations

from pathlib import Path

from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.sources.local_forms import (
    Column,
    Form,
    amount_cell,
    authority_cell,
    note_cell,
    read_form,
    refuse_cell,
    sound,
)
from outcomes_analysis.sources.local_rows import Kind


def load_targets(path: Path | str, *, indicator: Indicator) -> dict[str, float]:
    """Read local targets of one indicator.

    Parameters
    ----------
    path : Path or str
        A CSV with the columns ``area`` (a code or any usual spelling of an upper-tier authority) and ``target`` (in the
        indicator's unit, without a percent sign); ``note`` may be there and is not read.
    indicator : Indicator
        Its ``valid_range`` bounds the targets.

    Returns
    -------
    dict of str to float
        Target by code of the authority.

    Raises
    ------
    SourceError
        With the whole report: every fault, where, and what to do; never the content of a cell.
    """
    low, high = indicator.valid_range

    def target(cell: str) -> float:
        goal = amount_cell(cell)
        if not low <= goal <= high:
            refuse_cell("goal")
        return goal

    form = Form(
        columns=(Column("area", authority_cell), Column("target", target), Column("note", note_cell, required=False)),
        key=("area",),
        counted=("local target", "local targets"),
        kinds={"goal": Kind(f"a target outside {low:g} to {high:g}", "Check the unit: it is that of the indicator.")},
        aliases={"area_code": "area", "area_name": "area", "authority": "area", "place": "area"},
    )
    return {str(line["area"]): float(line["target"]) for line in sound(*read_form(path, form))}
