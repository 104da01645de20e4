"""Reader of the tables of districts and unitary authorities: percentages by area and year, ``NA`` for none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import SourceError
from outcomes_analysis.sources.cells import DISTRICT_SYMBOLS, parse_cells
from outcomes_analysis.sources.raw_frame import concat_raw, raw_frame
from outcomes_analysis.sources.registry import RegisteredSource, Series
from outcomes_analysis.sources.tables import read_csv, require_columns, select_rows

COLUMNS = ("area_code", "period", "indicator", "value")
WARDS = "E05"  # first characters of a ward's code


def read(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read the series of a source from a table of districts.

    Rows of deprivation quintiles (``inequality`` other than ``NA``) and of wards are left out and counted. ``NA`` is a
    missing value whose reason the table does not give (``not_available``).

    Parameters
    ----------
    path : Path
        The CSV file; ``area_type`` and ``inequality`` may be missing from it.
    source : RegisteredSource
        Its registration; ``select`` names the indicator.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`).

    Raises
    ------
    SourceError
        If a column, a selected value or a cell is not what it should be.
    """
    table = read_csv(path)
    require_columns(table, COLUMNS, path.name)
    return concat_raw([_one(table, series, source) for series in source.series])


def _one(table: pd.DataFrame, series: Series, source: RegisteredSource) -> pd.DataFrame:
    where = f"{source.path} ({series.indicator})"
    rows = select_rows(table, series.select, where)
    quintiles = wards = 0
    if "inequality" in rows.columns:
        whole = rows["inequality"].isin(["NA", ""]).to_numpy(dtype=bool)
        quintiles, rows = int((~whole).sum()), rows[whole]
    in_ward = rows["area_code"].str.startswith(WARDS).to_numpy(dtype=bool)
    wards, rows = int(in_ward.sum()), rows[~in_ward]
    if rows.empty:
        left_out = f"a deprivation quintile ({quintiles}) or a ward ({wards})"
        message = f"{where}: every row selected is of {left_out}, none of an area."
        raise SourceError(message)
    return raw_frame(
        source,
        series,
        codes=rows["area_code"],
        periods=rows["period"],
        values=parse_cells(rows["value"], symbols=DISTRICT_SYMBOLS, where=f"{where}, column value"),
        excluded={"row of a deprivation quintile, not of an area": quintiles, "area is a ward": wards},
    )
