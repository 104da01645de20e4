"""Reader of the Local Authority Interactive Tool: one long table of 434 measures, areas by three-digit codes."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import OutcomesWarning, SourceError, several
from outcomes_analysis.sources.cells import LAIT_SYMBOLS, parse_cells
from outcomes_analysis.sources.raw_frame import concat_raw, raw_frame
from outcomes_analysis.sources.registry import RegisteredSource, Series
from outcomes_analysis.sources.tables import MAX_BYTES, MAX_ROWS, check_file, require_columns

COLUMNS = ("Short Desc", "Years", "Values", "LA Number")
_YEARS = r".*(?:19|20)\d{2}.*"  # a period names a year; the tool has measures dated "0"


def read(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read the series of a source from the tool's parquet file.

    ``select: {series: NAME}`` names the measure (column ``Short Desc``). ``-`` is a missing value whose reason the tool
    does not give (``not_available``). Rows whose period names no year are left out, counted, and warned about.

    Parameters
    ----------
    path : Path
        The parquet file.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame (see :func:`~outcomes_analysis.sources.raw_frame.raw_frame`); ``published_code`` is the DfE number.

    Raises
    ------
    SourceError
        If the file is not such a table, a measure is not in it, or a cell is neither number nor ``-``.
    """
    names = [_measure(series, source) for series in source.series]
    table = _load(path, names)
    # grouping by a text column walks through it once a group: its codes are looked up instead
    codes, found = pd.factorize(table["Short Desc"].to_numpy(dtype=object))
    pieces = {name: table[codes == code] for code, name in enumerate(found)}
    missing = [name for name in names if name not in pieces]
    if missing:
        _raise_missing(path, missing)
    frames = [_one(pieces[name], series, source) for name, series in zip(names, source.series, strict=True)]
    return concat_raw(frames)


def _measure(series: Series, source: RegisteredSource) -> str:
    if set(series.select) != {"series"}:
        message = f"{source.path} ({series.indicator}): select must be `series: NAME`, not {several(series.select)}."
        raise SourceError(message)
    return series.select["series"]


def _load(path: Path, names: list[str]) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_file(path)
    try:
        file = pq.ParquetFile(path)
        metadata = file.metadata
        unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        if metadata.num_rows > MAX_ROWS or unpacked > MAX_BYTES:
            message = f"{path.name} has {metadata.num_rows:,} rows ({unpacked:,} bytes): it is not the file expected."
            raise SourceError(message)
        require_columns(pd.DataFrame(columns=file.schema_arrow.names), COLUMNS, path.name)
        table = pq.read_table(path, columns=list(COLUMNS), filters=[("Short Desc", "in", names)], memory_map=False)
    except (pa.ArrowException, OSError) as error:
        message = f"{path.name} is not a readable parquet file: {error}"
        raise SourceError(message) from error
    frame: pd.DataFrame = table.to_pandas()
    blank = frame[list(COLUMNS)].isna().any(axis=1)
    if blank.any():
        rows = several(frame.index[blank])
        message = f"{path.name}: {int(blank.sum())} rows lack a measure, year, value or area (rows {rows})."
        raise SourceError(message)
    return frame


def _raise_missing(path: Path, missing: list[str]) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    known = pc.unique(pq.read_table(path, columns=["Short Desc"])["Short Desc"]).to_pylist()
    lines = []
    for name in missing:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        lines.append(f"'{name}'" + (f" (did you mean {several(near)}?)" if near else ""))
    shown = several(lines, limit=20)
    message = f"{path.name}: {len(missing)} of the measures asked for are not among its {len(known)}: {shown}."
    raise SourceError(message)


def _one(piece: pd.DataFrame, series: Series, source: RegisteredSource) -> pd.DataFrame:
    where = f"{source.path}, measure {series.select['series']}"
    dated = piece["Years"].str.fullmatch(_YEARS).to_numpy(dtype=bool)
    undated = int((~dated).sum())
    if undated:
        labels = several(repr(y) for y in piece["Years"][~dated].unique())
        if not dated.any():
            message = f"{where}: no row names a year; the labels are {labels}."
            raise SourceError(message)
        warnings.warn(
            f"{where}: {undated} rows left out, their period names no year ({labels}).", OutcomesWarning, stacklevel=2
        )
        piece = piece[dated]
    return raw_frame(
        source,
        series,
        codes=piece["LA Number"].astype("int64").astype("str"),
        periods=piece["Years"],
        values=parse_cells(piece["Values"], symbols=LAIT_SYMBOLS, where=f"{where}, column Values", first_row=1),
        excluded={"period names no year": undated},
    )
