"""Readers of the English Indices of Deprivation: 2019 by upper-tier authority, 2025 by district."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.sources.cells import NO_SYMBOLS, parse_cells
from outcomes_analysis.sources.raw_frame import concat_raw, raw_frame
from outcomes_analysis.sources.registry import RegisteredSource, Series
from outcomes_analysis.sources.tables import first_column, read_csv, read_sheet, require_columns, select_rows

CODE_2019 = "Upper Tier Local Authority District code (2019)"
YEAR_2019 = "2019"
COLUMNS_2025 = ("area_code", "deprivation_data_year", "index_domain")


def read_2019(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read series from File 11 of the 2019 indices (151 upper-tier authorities of April 2019).

    ``select`` gives ``sheet`` and ``column``; spaces at the ends of headings do not matter. There is no row of England.

    Parameters
    ----------
    path : Path
        The workbook; stored results are read and no formula is evaluated.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`), period ``2019``.

    Raises
    ------
    SourceError
        If a sheet, a column or a cell is not what it should be.
    """
    return concat_raw([_one_2019(path, series, source) for series in source.series])


def _one_2019(path: Path, series: Series, source: RegisteredSource) -> pd.DataFrame:
    if set(series.select) != {"sheet", "column"}:
        message = (
            f"{source.path} ({series.indicator}): select must give `sheet` and `column`, not {several(series.select)}."
        )
        raise SourceError(message)
    sheet, column = series.select["sheet"], series.select["column"].strip()
    where = f"{source.path}, sheet {sheet}"
    table = read_sheet(path, sheet)
    require_columns(table, [CODE_2019, column], where)
    table = table[table[CODE_2019].astype("str") != ""]
    return raw_frame(
        source,
        series,
        codes=table[CODE_2019].astype("str"),
        periods=pd.Series(YEAR_2019, index=table.index, dtype="str"),
        values=parse_cells(table[column].astype("str"), symbols=NO_SYMBOLS, where=f"{where}, column {column}"),
    )


def read_2025(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read series from the district summaries of the 2025 indices (296 districts and unitary authorities of 2024).

    ``select`` names the domain (``index_domain``) and ``value`` the column. Counties are not in the file: their values
    are made from their districts when areas are harmonised. There is no row of England.

    Parameters
    ----------
    path : Path
        The CSV file.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`), period ``2025``.

    Raises
    ------
    SourceError
        If a column, a selected value or a cell is not what it should be.
    """
    table = read_csv(path)
    require_columns(table, COLUMNS_2025, path.name)
    frames = []
    for series in source.series:
        where = f"{source.path} ({series.indicator})"
        rows = select_rows(table, series.select, where)
        column = first_column(rows, series.value or ("average_score",), where)
        values = parse_cells(rows[column], symbols=NO_SYMBOLS, where=f"{where}, column {column}")
        frames.append(
            raw_frame(source, series, codes=rows["area_code"], periods=rows["deprivation_data_year"], values=values)
        )
    return concat_raw(frames)
