"""Opening a published file safely: size caps, web pages served as data, damaged rows, missing columns."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from csv import reader
from pathlib import Path
from typing import Any

import pandas as pd

from outcomes_analysis.errors import SourceError, several
from outcomes_analysis.wording import plural

MAX_BYTES = 300_000_000  # a hundred times the largest file in use: anything beyond is not one of these files
MAX_ROWS = 5_000_000
MAX_LINE = 1_000_000
QUOTED = 200  # characters of a web page shown to the reader, enough to recognise a sign-in or proxy page

_HTML = ("<!doctype html", "<html", "<head", "<body")


def looks_like_html(start: bytes) -> bool:
    """Whether a file's first bytes are those of a web page."""
    text = start[:1000].decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n").lower()
    return text.startswith(_HTML) or (text.startswith("<?xml") and "<html" in text)


def quoted(start: bytes) -> str:
    """First characters of a file on one line, for an error message."""
    return " ".join(start.decode("utf-8", errors="replace").split())[:QUOTED]


def check_file(path: Path) -> None:
    """Refuse a file that is missing, empty, far too large, or a web page.

    Raises
    ------
    SourceError
        Saying which, and what to do.
    """
    if not path.is_file():
        message = (
            f"There is no file {path}. Fetch the sources again (`outcomes refresh`), or put the file there by hand."
        )
        raise SourceError(message)
    size = path.stat().st_size
    if size == 0:
        message = f"{path.name} is empty. Fetch it again, or put the publisher's file at {path} by hand."
        raise SourceError(message)
    if size > MAX_BYTES:
        message = (
            f"{path.name} has {size:,} bytes, more than the {MAX_BYTES:,} that are read. It is not the file expected."
        )
        raise SourceError(message)
    with path.open("rb") as handle:
        start = handle.read(4000)
    if looks_like_html(start):
        message = f"{path.name} is a web page, not data. It begins: {quoted(start)}"
        raise SourceError(message)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file as published: every cell text, nothing taken for missing, a byte-order mark dropped.

    Parameters
    ----------
    path : Path
        A comma-separated UTF-8 file with one line of headings.

    Returns
    -------
    DataFrame
        All columns ``str``, without missing values; index 0, 1, ... in the order of the file. Where a heading occurs
        twice, the second gets ``.1``.

    Raises
    ------
    SourceError
        If it is no such file, has no rows, or has rows with too many or too few cells.
    """
    import pyarrow as pa
    from pyarrow import csv

    check_file(path)
    names = _headings(path)
    uneven: list[tuple[int | None, int]] = []

    def keep_uneven(row: csv.InvalidRow) -> str:
        uneven.append((row.number, row.actual_columns))
        return "skip"

    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_uneven),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, null_values=[]
            ),
        )
    except (pa.ArrowException, ValueError, OSError) as error:
        message = f"{path.name} is not a readable CSV file in UTF-8: {error}. Fetch it again, or save it as CSV UTF-8."
        raise SourceError(message) from error
    if uneven:
        rows = several(f"row {number} has {cells}" for number, cells in uneven)
        count = plural(len(uneven), "row does", "rows do")
        message = f"{path.name} is damaged: {count} not have {len(names)} cells as the headings do ({rows})."
        raise SourceError(message)
    if table.num_rows > MAX_ROWS:
        message = f"{path.name} has more than {MAX_ROWS:,} rows. It is not the file expected."
        raise SourceError(message)
    if table.num_rows == 0:
        message = f"{path.name} has headings but no rows. Headings: {several(names, limit=30)}."
        raise SourceError(message)
    return table.rename_columns(_distinct(names)).to_pandas()


def _headings(path: Path) -> list[str]:
    """Cells of the first line; at least two, or it is no table."""
    with path.open("rb") as handle:
        first = handle.readline(MAX_LINE)
    names = next(reader([first.decode("utf-8-sig", errors="replace")]), [])
    if len(names) < 2 or b"\x00" in first:
        message = f"{path.name} is not a CSV file: its first line has no two headings. It begins: {quoted(first)}"
        raise SourceError(message)
    return names


def _distinct(names: Sequence[str]) -> list[str]:
    """Headings without spaces at the ends; the second of two alike gets ``.1``, the third ``.2``."""
    seen: Counter[str] = Counter()
    result = []
    for name in (n.strip() for n in names):
        result.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return result


def open_workbook(path: Path) -> Any:
    """Open a workbook whose size is bounded: a ``CalamineWorkbook``, which gives stored results and runs no formula.

    Raises
    ------
    SourceError
        If it is no workbook, or unpacks to far too much.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        message = f"{path.name} is not an Excel workbook (.xlsx). Fetch it again from the publisher."
        raise SourceError(message) from error
    if unpacked > MAX_BYTES:
        message = f"{path.name} unpacks to {unpacked:,} bytes, more than the {MAX_BYTES:,} that are read."
        raise SourceError(message)
    try:
        return CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        message = f"{path.name} is not a readable Excel workbook: {error}"
        raise SourceError(message) from error


def read_sheet(path: Path, sheet: str) -> pd.DataFrame:
    """Read one sheet of a workbook: headings from its first row, stored results only (no formula is evaluated).

    Returns
    -------
    DataFrame
        Columns named by the headings without spaces at the ends; cells as stored.

    Raises
    ------
    SourceError
        If it is no workbook, the sheet is missing (naming those there are) or empty, or it unpacks to far too much.
    """
    from python_calamine import CalamineError

    workbook = open_workbook(path)
    names = workbook.sheet_names
    if sheet not in names:
        message = f"{path.name} has no sheet '{sheet}'. There are: {several(names, limit=30)}."
        raise SourceError(message)
    try:
        rows = workbook.get_sheet_by_name(sheet).to_python()
    except CalamineError as error:
        message = f"{path.name} is not a readable Excel workbook: {error}"
        raise SourceError(message) from error
    if len(rows) < 2:
        message = f"{path.name}, sheet '{sheet}': no rows below the headings."
        raise SourceError(message)
    return pd.DataFrame(rows[1:], columns=[str(heading).strip() for heading in rows[0]])


def require_columns(frame: pd.DataFrame, names: Iterable[str], where: str) -> None:
    """Raise :class:`SourceError` naming the columns that are missing and those that are there."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        there = several(frame.columns, limit=60)
        message = f"{where}: no column {several(repr(m) for m in missing)}. The columns are: {there}."
        raise SourceError(message)


def first_column(frame: pd.DataFrame, names: Sequence[str], where: str) -> str:
    """Return the first of several possible names that is a column; names change between releases."""
    for name in names:
        if name in frame.columns:
            return name
    require_columns(frame, names, where)
    raise AssertionError  # pragma: no cover  (require_columns has raised)


def select_rows(frame: pd.DataFrame, select: dict[str, str], where: str) -> pd.DataFrame:
    """Keep the rows in which every column of ``select`` has its value.

    Raises
    ------
    SourceError
        If a column is missing, or no row is left: names what was asked and the values there are.
    """
    require_columns(frame, select, where)
    kept = frame
    for column, value in select.items():
        match = kept[kept[column] == value]
        if match.empty:
            after = "" if kept is frame else " among the rows selected so far"
            values = several((repr(v) for v in kept[column].unique()), limit=20)
            message = f"{where}: no row has {column} = {value!r}{after}. The values there are: {values}."
            raise SourceError(message)
        kept = match
    return kept
