"""Reader of OHID's Fingertips CSV: values with their published 95 % limits, and notes on why a value is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.sources.cells import NO_SYMBOLS, parse_cells
from outcomes_analysis.sources.raw_frame import concat_raw, raw_frame
from outcomes_analysis.sources.registry import RegisteredSource, Series
from outcomes_analysis.sources.tables import read_csv, require_columns, select_rows

# Headings differ between the site's own download and copies of it.
ALIASES = {"AreaCode": "Area Code", "AreaName": "Area Name"}
COLUMNS = (
    "Area Code",
    "Sex",
    "Age",
    "Category Type",
    "Time period",
    "Value",
    "Lower CI 95.0 limit",
    "Upper CI 95.0 limit",
    "Count",
    "Denominator",
    "Value note",
)

# What a note must speak of for the value to count as kept back to protect people; any other note on an empty cell
# ("not presented due to ...", "value for Hackney and City of London combined") means it is not available.
_DISCLOSURE = r"(?i)suppress|disclosure"
_CAUTION = r"(?i)caution"
_TAG = r"<[^<>]*>"  # a download made from the page keeps its markup: <div class="no-data">-</div>


def read(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read the series of a source from a Fingertips file.

    Rows of categories (deprivation deciles, which carry England's code) are dropped and counted; ``select`` names Sex
    and Age. An empty value is ``suppressed`` where its note says so, else ``not_available``; a note of caution
    becomes the flag ``low_reliability``. ``Count`` is rounded by the publisher while ``Value`` is not, so the two
    differ a little.

    Parameters
    ----------
    path : Path
        The CSV file.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`), with ``lower``, ``upper`` at level 0.95.

    Raises
    ------
    SourceError
        If a column, a selected value or a cell is not what it should be.
    """
    table = read_csv(path).rename(columns=ALIASES)
    require_columns(table, COLUMNS, path.name)
    areas = table[table["Category Type"] == ""]
    if areas.empty:
        message = f"{path.name}: every row is of a category (deprivation decile ...); there are no rows of whole areas."
        raise SourceError(message)
    return concat_raw([_one(areas, len(table) - len(areas), series, source) for series in source.series])


def _one(areas: pd.DataFrame, categories: int, series: Series, source: RegisteredSource) -> pd.DataFrame:
    where = f"{source.path} ({series.indicator})"
    rows = select_rows(areas, series.select, where)
    for column in ("Sex", "Age"):
        found = rows[column].unique()
        if len(found) > 1:
            message = f"{where}: rows of {len(found)} values of {column} are mixed ({several(found)}). Select one."
            raise SourceError(message)
    values = _numbers(rows, "Value", where)
    note = rows["Value note"].astype("str")
    empty = values["number"].isna()
    hidden = note.str.contains(_DISCLOSURE).to_numpy(dtype=bool)
    values["status"] = np.where(empty, np.where(hidden, "suppressed", "not_available"), "published")
    flags = pd.Series(
        np.where(note.str.contains(_CAUTION) & ~empty, "low_reliability", ""), index=rows.index, dtype="str"
    )
    return raw_frame(
        source,
        series,
        codes=rows["Area Code"],
        periods=rows["Time period"],
        values=values,
        lower=_numbers(rows, "Lower CI 95.0 limit", where)["number"],
        upper=_numbers(rows, "Upper CI 95.0 limit", where)["number"],
        numerator=_numbers(rows, "Count", where),
        denominator=_numbers(rows, "Denominator", where),
        flags=flags,
        excluded={"row of a category, not of an area": categories},
    )


def _numbers(rows: pd.DataFrame, column: str, where: str) -> pd.DataFrame:
    """Read numbers where there are any; an empty cell is NaN, and so is the site's picture of one (a dash in a tag)."""
    bare = rows[column].str.replace(_TAG, "", regex=True).str.strip()
    filled = ~bare.isin(["", "-"])
    cells = parse_cells(bare[filled], symbols=NO_SYMBOLS, where=f"{where}, column {column}")
    return cells.reindex(rows.index).fillna({"status": "not_available", "flags": ""})
