"""Reader of the Office for National Statistics' "explore local statistics" files: ISO intervals, one symbol column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.sources.cells import EES_SYMBOLS, NO_SYMBOLS, parse_cells
from outcomes_analysis.sources.raw_frame import concat_raw, raw_frame
from outcomes_analysis.sources.registry import RegisteredSource, Series
from outcomes_analysis.sources.tables import read_csv, require_columns, select_rows

COLUMNS = ("areacd", "geography", "indicator", "period", "observation", "measure", "unit", "lci_95", "uci_95", "status")
ENGLAND = "E"  # first letter of every code in England; the files cover the United Kingdom


def read(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read the series of a source from an explore local statistics file; columns are found by name, in any order.

    An empty observation has its reason in ``status`` (``x`` not available, ``c`` suppressed, ``z`` not applicable,
    ``u`` too unreliable). Areas outside England and combined authorities are left out and counted.

    Parameters
    ----------
    path : Path
        The CSV file.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`), with published 95 % limits where there
        are any.

    Raises
    ------
    SourceError
        If a column, a selected value, a symbol or a cell is not what it should be, or an observation is empty without
        a reason.
    """
    table = read_csv(path)
    require_columns(table, COLUMNS, path.name)
    return concat_raw([_one(table, series, source) for series in source.series])


def _one(table: pd.DataFrame, series: Series, source: RegisteredSource) -> pd.DataFrame:
    where = f"{source.path} ({series.indicator})"
    rows = select_rows(table, series.select, where)
    for column in ("indicator", "measure", "unit"):
        found = rows[column].unique()
        if len(found) > 1:
            message = f"{where}: rows of {len(found)} values of {column} are mixed ({several(found)}). Select one."
            raise SourceError(message)
    english = rows["areacd"].str.startswith(ENGLAND).to_numpy(dtype=bool)
    outside, rows = int((~english).sum()), rows[english]
    if rows.empty:
        message = f"{where}: none of the {outside} rows is of an area in England."
        raise SourceError(message)
    lower, upper = (_limits(rows[name], f"{where}, column {name}") for name in ("lci_95", "uci_95"))
    return raw_frame(
        source,
        series,
        codes=rows["areacd"],
        periods=rows["period"],
        values=_observed(rows, where),
        lower=lower,
        upper=upper,
        excluded={"area is outside England": outside},
    )


def _observed(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Read each observation or, where it is empty, the symbol beside it."""
    empty = rows["observation"].str.strip() == ""
    silent = empty & (rows["status"].str.strip() == "")
    if silent.any():
        at = several(rows.index[silent] + 2)
        message = f"{where}: {int(silent.sum())} observations are empty and no status says why (rows {at})."
        raise SourceError(message)
    number = parse_cells(rows["observation"][~empty], symbols=NO_SYMBOLS, where=f"{where}, column observation")
    reason = parse_cells(rows["status"][empty], symbols=EES_SYMBOLS, where=f"{where}, column status")
    cells = pd.concat([number, reason]).reindex(rows.index)
    # A symbol beside a number (a provisional or unreliable figure) is a flag, not a missing value.
    beside = ~empty & (rows["status"].str.strip() != "")
    unreliable = beside & (rows["status"].str.strip() == "u")
    strange = beside & ~unreliable
    if strange.any():
        message = (
            f"{where}, column status: {int(strange.sum())} numbers carry a symbol that is not known beside a number: "
            f"{several(rows['status'][strange].unique())} (rows {several(rows.index[strange] + 2)})."
        )
        raise SourceError(message)
    cells["flags"] = cells["flags"].mask(unreliable, "low_reliability")
    return cells


def _limits(texts: pd.Series, where: str) -> pd.Series:
    filled = texts.str.strip() != ""
    if not filled.any():
        return pd.Series(np.nan, index=texts.index)
    return parse_cells(texts[filled], symbols=NO_SYMBOLS, where=where)["number"].reindex(texts.index)
