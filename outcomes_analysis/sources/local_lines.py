"""The lines of a CSV that a person made: read one at a time, whatever is in them, in bounded memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from outcomes_analysis.errors import SourceError

MOST_ROWS = 250_000  # 153 authorities, 20 years, 80 figures; a longer file is hardly one of figures by place
LONGEST_LINE = 20_000  # bytes; a line of figures has a few hundred
_OTHER_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or a zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a database"),
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS = "In the spreadsheet choose Save As, then 'CSV UTF-8 (Comma delimited)'."


class TooLong(Exception):
    """The file goes on beyond the most rows a file of figures has; what was read stands."""


def csv_lines(path: Path, *, bad_lines: list[int]) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV row by row.

    Parameters
    ----------
    path : Path
        The file.
    bad_lines : list of int
        Filled with the numbers of lines that are not UTF-8; their undecodable characters are replaced.

    Yields
    ------
    int, list of str
        Number of the line on which the row ends, from 1, and its cells with spaces around them taken off. Rows without
        any content are passed over.

    Raises
    ------
    SourceError
        If the file as a whole is not one to be read: missing, empty, of another format, not parted by commas, with a
        quote that is never closed. No cell is repeated in the message.
    TooLong
        After ``MOST_ROWS`` rows.
    """
    _check_format(path)
    with path.open("rb") as file:
        reader = csv.reader(_decoded(file, path, bad_lines), strict=True)
        count = 0
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                count += 1
                if count > MOST_ROWS + 1:
                    raise TooLong
                yield reader.line_num, cells
        except csv.Error as error:
            message = (
                f"{path.name}, line {reader.line_num}: the cells cannot be told apart ({error}): a quotation mark that "
                f"is not closed, or unusual line ends. {_SAVE_AS}"
            )
            raise SourceError(message) from None
    if not count:
        message = f"{path.name} holds no rows. Give one row of headings and one row a figure."
        raise SourceError(message)


def _check_format(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}. Check the path."
        raise SourceError(message) from error
    if not head.strip():
        message = f"{path.name} is empty. Give one row of headings and one row a figure."
        raise SourceError(message)
    for start, what in _OTHER_FORMATS:
        if head.startswith(start):
            message = f"{path.name} is {what}, not a CSV. {_SAVE_AS}"
            raise SourceError(message)
    if head.startswith(_UTF_16) or b"\x00" in head:
        message = f"{path.name} is in another encoding ('Unicode text', UTF-16) or is not text at all. {_SAVE_AS}"
        raise SourceError(message)
    if head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        message = f"{path.name} is a web page, not a CSV. Download the file itself, not the page that shows it."
        raise SourceError(message)
    first = head.split(b"\n", 1)[0]
    if b"," not in first and (b";" in first or b"\t" in first):
        message = f"{path.name} is parted by semicolons or tabs, not commas. {_SAVE_AS}"
        raise SourceError(message)


def _decoded(file: BinaryIO, path: Path, bad_lines: list[int]) -> Iterator[str]:
    """Lines as text; a line without end is stopped before it fills the memory."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            message = f"{path.name}, line {number}: longer than {LONGEST_LINE:,} characters. {_SAVE_AS}"
            raise SourceError(message)
        if b"\x00" in line:
            message = f"{path.name}, line {number}: holds bytes that are no text. {_SAVE_AS}"
            raise SourceError(message)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            bad_lines.append(number)
            yield line.decode("utf-8", errors="replace")
