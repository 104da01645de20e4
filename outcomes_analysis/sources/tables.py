"""Opening a published file safely: size caps, web pages served as data, damaged rows, missing columns."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import SourceError, several

MAX_BYTES = 300_000_000  # a hundred times the largest file in use: anything beyond is not one of these files
MAX_ROWS = 5_000_000
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
    check_file(path)
    try:
        frame = pd.read_csv(
            path, dtype="str", keep_default_na=False, na_values=[], encoding="utf-8-sig", nrows=MAX_ROWS + 1
        )
    except UnicodeDecodeError as error:
        message = f"{path.name} is not a CSV file in UTF-8: byte {error.start} cannot be read. Save it as CSV UTF-8."
        raise SourceError(message) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        message = f"{path.name} is not a readable CSV file: {error}. Fetch it again from the publisher."
        raise SourceError(message) from error
    if not isinstance(frame.index, pd.RangeIndex):
        message = f"{path.name}: rows have more cells than there are headings ({len(frame.columns)})."
        raise SourceError(message)
    if len(frame.columns) < 2:
        with path.open("rb") as handle:
            start = quoted(handle.read(1000))
        message = f"{path.name} is not a CSV file: one column only. It begins: {start}"
        raise SourceError(message)
    if len(frame) > MAX_ROWS:
        message = f"{path.name} has more than {MAX_ROWS:,} rows. It is not the file expected."
        raise SourceError(message)
    if frame.empty:
        message = f"{path.name} has headings but no rows. Headings: {several(frame.columns, limit=30)}."
        raise SourceError(message)
    short = frame.isna().any(axis=1)
    if short.any():
        rows = several(frame.index[short] + 2)
        count = int(short.sum())
        message = f"{path.name}: {count} rows have fewer cells than there are headings (rows {rows}). It is damaged."
        raise SourceError(message)
    frame.columns = frame.columns.str.strip()
    return frame


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
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names
        if sheet not in names:
            message = f"{path.name} has no sheet '{sheet}'. There are: {several(names, limit=30)}."
            raise SourceError(message)
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
