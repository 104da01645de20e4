"""Reader of the Department for Education's open data (explore education statistics): numbers mixed with symbols."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.sources.cells import EES_SYMBOLS, parse_cells
from outcomes_analysis.sources.raw_frame import concat_raw, raw_frame
from outcomes_analysis.sources.registry import POPULATION, RegisteredSource, Series
from outcomes_analysis.sources.tables import first_column, read_csv, require_columns, select_rows

TIME = ("time_period", "time_identifier", "geographic_level")
# Column that holds the nine-character code at each level; other levels (school, provider ...) are left out and counted.
CODE_COLUMNS = {
    "National": "country_code",
    "Regional": "region_code",
    "Local authority": "new_la_code",
    "Local authority district": "lad_code",
}
# Newest first: of two versions of one figure the first is kept.
VERSIONS = {"Final": "", "Revised": "revised", "Provisional": "provisional"}


def read(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read the series of a source from an open data file; columns are found by name, in any order.

    Symbols become statuses, cell by cell: ``c`` suppressed; ``z`` not applicable; ``x``, ``:``, ``b`` not available;
    ``u`` not available and flagged ``low_reliability``; ``low``, ``k``, ``~`` zero and flagged ``rounded``. Where a
    file has a column ``version`` and the selection does not name one, Final is kept over Revised over Provisional.

    Parameters
    ----------
    path : Path
        The CSV file.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`); ``published_code`` is the GSS code.

    Raises
    ------
    SourceError
        If a column, a selected value or a symbol is not what it should be, or a row has no area code.
    """
    table = read_csv(path)
    require_columns(table, TIME, path.name)
    codes = _area_codes(table, path.name)
    frames = [_one(table, codes, series, source) for series in source.series]
    return concat_raw(frames)


def _area_codes(table: pd.DataFrame, where: str) -> pd.Series:
    """Code of each row's area by its level, empty for levels that are not read."""
    levels = table["geographic_level"]
    known = [level for level in CODE_COLUMNS if (levels == level).any()]
    if not known:
        message = f"{where}: no known geographic_level. There are: {several(levels.unique(), limit=20)}."
        raise SourceError(message)
    codes = np.full(len(table), "", dtype=object)
    for level in known:
        column = CODE_COLUMNS[level]
        require_columns(table, [column], f"{where}, level '{level}'")
        at = (levels == level).to_numpy()
        codes[at] = table[column].to_numpy(dtype=object)[at]
        blank = at & (codes == "")
        if blank.any():
            rows = several(np.flatnonzero(blank) + 2)
            message = f"{where}: {int(blank.sum())} rows of level '{level}' have no {column} (rows {rows})."
            raise SourceError(message)
    return pd.Series(codes, index=table.index, dtype="str")


def _one(table: pd.DataFrame, codes: pd.Series, series: Series, source: RegisteredSource) -> pd.DataFrame:
    where = f"{source.path} ({series.indicator})"
    rows = select_rows(table, series.select, where)
    other_level = int((codes[rows.index] == "").sum())
    rows = rows[codes[rows.index] != ""]
    flags, superseded = pd.Series("", index=rows.index, dtype="str"), 0
    if "version" in rows.columns and "version" not in series.select:
        rows, flags, superseded = _newest(rows, codes, where)
    return raw_frame(
        source,
        series,
        codes=codes[rows.index],
        periods=rows["time_period"],
        values=_cells(rows, series.value, where),
        numerator=_cells(rows, series.numerator, where),
        denominator=None if series.denominator == (POPULATION,) else _cells(rows, series.denominator, where),
        flags=flags,
        excluded={"level of area is not read": other_level, "superseded version": superseded},
    )


def _cells(rows: pd.DataFrame, names: tuple[str, ...], where: str) -> pd.DataFrame | None:
    if not names:
        return None
    column = first_column(rows, names, where)
    return parse_cells(rows[column], symbols=EES_SYMBOLS, where=f"{where}, column {column}")


def _newest(rows: pd.DataFrame, codes: pd.Series, where: str) -> tuple[pd.DataFrame, pd.Series, int]:
    """Keep each area's and period's newest version, flagged as what it is."""
    unknown = sorted(set(rows["version"]) - set(VERSIONS))
    if unknown:
        message = (
            f"{where}, column version: unknown {several(repr(u) for u in unknown)}. Known are {several(VERSIONS)}."
        )
        raise SourceError(message)
    rank = rows["version"].map({name: number for number, name in enumerate(VERSIONS)})
    place = pd.DataFrame({"code": codes[rows.index], "period": rows["time_period"], "rank": rank})
    best = place["rank"] == place.groupby(["code", "period"])["rank"].transform("min")
    kept = rows[best]
    return kept, kept["version"].map(VERSIONS).astype("str"), int((~best).sum())
