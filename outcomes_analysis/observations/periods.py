"""Every way in which the publishers write a period, read into dates, a kind and one canonical label."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import pandas as pd

from outcomes_analysis.errors import PeriodError, several

Kind = Literal[
    "academic",
    "financial",
    "calendar",
    "march_31",
    "mid_year",
    "pooled_calendar",
    "pooled_financial",
    "pooled_academic",
    "point",
    "quarter",
    "week",
]
KINDS: tuple[str, ...] = get_args(Kind)
GRAMMARS = (
    "2025",
    "202425",
    "2024/25",
    "2024-25",
    "2024/2025",
    "FYE 2025",
    "2020 - 22",
    "2020-22",
    "2021/22 - 23/24",
    "2024-09-01/P1Y",
    "2024-03-31",
    "2024 Q2",
    "2024|W23",
    "any of these with (prov), (Rev), (Final) or (OT)",
)
FIRST_YEAR, LAST_YEAR = 1900, 2100

_STARTS = {"academic": (9, 1), "financial": (4, 1), "calendar": (1, 1)}
# DfE series on ONS's site start academic years on 1 August or 1 September; both are the same year of schooling.
_KIND_OF_START = {(8, 1): "academic", (9, 1): "academic", (4, 1): "financial", (1, 1): "calendar"}
_SINGLE = {"pooled_academic": "academic", "pooled_financial": "financial", "pooled_calendar": "calendar"}
_SUFFIXES = {
    "prov": "provisional",
    "provisional": "provisional",
    "p": "provisional",
    "rev": "revised",
    "revised": "revised",
    "r": "revised",
    "final": "",
    "ot": "",  # outturn: what was spent, as against what was budgeted
}
_WORDS = {
    "academic year": "academic",
    "ay": "academic",
    "financial year": "financial",
    "fy": "financial",
    "calendar year": "calendar",
    "reporting year": "",
}


@dataclass(frozen=True)
class Period:
    """A stretch of time, or a day, that a figure speaks of.

    Attributes
    ----------
    label : str
        Canonical: ``2024/25`` for an academic or financial year, ``2024`` for a calendar year or a mid-year
        estimate, ``2025-03-31`` for a day, ``2021-23`` for pooled calendar years, ``2021/22-23/24`` for pooled
        academic or financial years, ``2024 Q2``, ``2024-W23``.
    start, end : date
        First and last day, both counted.
    kind : str
        What the label stands for; one of ``KINDS``.
    flags : str
        ``provisional``, ``revised`` or empty.
    """

    label: str
    start: date
    end: date
    kind: Kind
    flags: str = ""


class _NotThis(Exception):
    """The text follows a grammar, but not as the kind asked for; the message says why."""


def _years(kind: str, first: int, last: int) -> Period:
    """Period from the first to the last start-year of academic, financial or calendar years."""
    month, day = _STARTS[kind]
    start = date(first, month, day)
    end = date(last + 1, month, day) - timedelta(days=1)
    if kind == "calendar":
        label = str(first) if first == last else f"{first}-{last % 100:02d}"
    elif first == last:
        label = _split(first)
    else:
        label = f"{_split(first)}-{_split(last)[2:]}"
    return Period(label, start, end, kind if first == last else f"pooled_{kind}")  # type: ignore[arg-type]


def _split(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"


def _day(day: date, kind: str) -> Period:
    if kind == "mid_year":
        return Period(str(day.year), day, day, "mid_year")
    return Period(day.isoformat(), day, day, kind)  # type: ignore[arg-type]


def _second(first: int, text: str) -> int:
    """Full year of a second year that may be written with two digits."""
    if len(text) == 4:
        return int(text)
    century = first - first % 100
    year = century + int(text)
    return year if year >= first else year + 100


def _one_year(match: re.Match[str], kind: str | None) -> Period:
    """Read a bare year: the year a school or financial year ends in, unless the kind says otherwise."""
    year = int(match[1])
    if kind in ("academic", "financial"):
        return _years(kind, year - 1, year - 1)
    if kind in (None, "calendar"):
        return _years("calendar", year, year)
    if kind in ("march_31", "point"):
        if kind == "point":
            message = "a bare year names no day; give the kind 'march_31' or 'mid_year'"
            raise _NotThis(message)
        return _day(date(year, 3, 31), "march_31")
    if kind == "mid_year":
        return _day(date(year, 6, 30), "mid_year")
    message = f"one year cannot be read as kind '{kind}'"
    raise _NotThis(message)


def _split_year(first: int, kind: str | None) -> Period:
    if kind in ("academic", "financial"):
        return _years(kind, first, first)
    if kind == "march_31":
        return _day(date(first + 1, 3, 31), "march_31")
    if kind is None:
        message = "it may be an academic or a financial year; give the kind"
        raise _NotThis(message)
    message = f"a year across two calendar years cannot be read as kind '{kind}'"
    raise _NotThis(message)


def _two_years(match: re.Match[str], kind: str | None) -> Period:
    """``2016-17``, ``2014-16``, ``2024/25``, ``2022/2023``, ``2020 - 22``."""
    first, separator = int(match[1]), match[2]
    last = _second(first, match[3])
    if last <= first:
        message = "the second year does not follow the first"
        raise _NotThis(message)
    if last == first + 1 and ("/" in separator or kind not in ("pooled_calendar", "calendar")):
        return _split_year(first, kind)
    if "/" in separator:
        message = "the year after the slash must be the next one"
        raise _NotThis(message)
    if kind not in (None, "calendar", "pooled_calendar"):
        message = f"{last - first + 1} calendar years together cannot be read as kind '{kind}'"
        raise _NotThis(message)
    if last - first > 9:
        message = "it spans more than ten years"
        raise _NotThis(message)
    return _years("calendar", first, last)


def _six_digits(match: re.Match[str], kind: str | None) -> Period:
    first = int(match[1])
    if _second(first, match[2]) != first + 1:
        message = "its last two digits are not the next year"
        raise _NotThis(message)
    return _split_year(first, kind)


def _sortable(match: re.Match[str], kind: str | None) -> Period:
    """Fingertips' sortable period: the year in which the period starts, followed by zeros."""
    first = int(match[1])
    return _years("calendar", first, first) if kind == "calendar" else _split_year(first, kind)


def _pooled_split(match: re.Match[str], kind: str | None) -> Period:
    first = int(match[1])
    last = _second(first, match[3])
    if _second(first, match[2]) != first + 1 or _second(last, match[4]) != last + 1:
        message = "the year after a slash must be the next one"
        raise _NotThis(message)
    if last <= first:
        message = "the second year does not follow the first"
        raise _NotThis(message)
    single = _SINGLE.get(kind or "", kind)
    if single is None:
        message = "it may be academic or financial years; give the kind"
        raise _NotThis(message)
    if single not in ("academic", "financial"):
        message = f"years across two calendar years cannot be read as kind '{kind}'"
        raise _NotThis(message)
    return _years(single, first, last)


def _iso_interval(match: re.Match[str], kind: str | None) -> Period:
    """ISO 8601 start and duration in years, as in ONS Explore Local Statistics."""
    start = date(int(match[1]), int(match[2]), int(match[3]))
    length = int(match[4])
    found = _KIND_OF_START.get((start.month, start.day))
    if found is None or length < 1:
        message = "years are known to start on 1 January, 1 April, 1 August or 1 September"
        raise _NotThis(message)
    if kind == "march_31" and found == "financial" and length == 1:
        return _day(date(start.year + 1, 3, 31), "march_31")
    wanted = _SINGLE.get(kind or found, kind or found)
    if wanted != found:
        message = f"its start makes it {found}, not '{kind}'"
        raise _NotThis(message)
    return _years(found, start.year, start.year + length - 1)


def _iso_day(match: re.Match[str], kind: str | None) -> Period:
    day = date(int(match[1]), int(match[2]), int(match[3]))
    fixed = {"march_31": (3, 31), "mid_year": (6, 30)}
    if kind in fixed and (day.month, day.day) != fixed[kind]:
        message = f"it is not the day that kind '{kind}' stands for"
        raise _NotThis(message)
    if kind not in (None, "point", *fixed):
        message = f"one day cannot be read as kind '{kind}'"
        raise _NotThis(message)
    return _day(day, kind or "point")


def _week(match: re.Match[str], kind: str | None) -> Period:
    if kind not in (None, "week"):
        message = f"a week cannot be read as kind '{kind}'"
        raise _NotThis(message)
    monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    return Period(f"{match[1]}-W{int(match[2]):02d}", monday, monday + timedelta(days=6), "week")


def _quarter(match: re.Match[str], kind: str | None) -> Period:
    """Read a quarter of a calendar year (``2024 Q2``) or of a financial year (``2024/25 Q1`` starts in April)."""
    if kind not in (None, "quarter"):
        message = f"a quarter cannot be read as kind '{kind}'"
        raise _NotThis(message)
    year, number = int(match[1]), int(match[3])
    financial = match[2] is not None
    if financial and _second(year, match[2]) != year + 1:
        message = "the year after the slash must be the next one"
        raise _NotThis(message)
    months = year * 12 + 3 * (number - 1) + (3 if financial else 0)
    start = date(months // 12, months % 12 + 1, 1)
    end = date((months + 3) // 12, (months + 3) % 12 + 1, 1) - timedelta(days=1)
    label = f"{_split(year)} Q{number}" if financial else f"{year} Q{number}"
    return Period(label, start, end, "quarter")


def _financial_year_ending(match: re.Match[str], kind: str | None) -> Period:
    if kind not in (None, "financial", "march_31"):
        message = f"a financial year cannot be read as kind '{kind}'"
        raise _NotThis(message)
    year = int(match[1])
    return _day(date(year, 3, 31), "march_31") if kind == "march_31" else _years("financial", year - 1, year - 1)


_Reader = Callable[[re.Match[str], str | None], Period]
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reader)
    for pattern, reader in (
        (r"(\d{4})", _one_year),
        (r"(\d{4})(\d{2})", _six_digits),
        (r"(\d{4})0000", _sortable),
        (r"(\d{4})( ?[-/] ?)(\d{4}|\d{2})", _two_years),
        (r"(\d{4})/(\d{4}|\d{2}) ?- ?(\d{4}|\d{2})/(\d{4}|\d{2})", _pooled_split),
        (r"(\d{4})-(\d{2})-(\d{2})/P(\d{1,2})Y", _iso_interval),
        (r"(\d{4})-(\d{2})-(\d{2})", _iso_day),
        (r"(\d{4})[ |-]?W(\d{1,2})", _week),
        (r"(\d{4})(?:/(\d{2}))?[ |-]?Q([1-4])", _quarter),
        (r"(?:FYE|year ending (?:31 )?march) ?(\d{4})", _financial_year_ending),
    )
)


@lru_cache(maxsize=8192)
def _read(text: str, kind: str | None) -> Period:
    """Read one text; raises ``PeriodError`` with the reason, without rows."""
    core, flags = re.sub(r"\s+", " ", text.replace("\u2013", "-").replace("\u2014", "-")).strip(), ""
    note = re.fullmatch(r"(.+?) ?\((\w+)\)", core)
    if note and note[2].lower() in _SUFFIXES:
        core, flags = note[1], _SUFFIXES[note[2].lower()]
    core, kind = _spoken_kind(core, kind, text)
    reason = "no grammar knows it"
    for pattern, reader in _READERS:
        match = pattern.fullmatch(core)
        if not match:
            continue
        try:
            period = reader(match, kind)
        except _NotThis as fault:
            reason = str(fault)
            continue
        except ValueError:
            reason = "there is no such date"
            continue
        if not FIRST_YEAR <= period.start.year <= period.end.year <= LAST_YEAR:
            reason = f"its year lies outside {FIRST_YEAR} to {LAST_YEAR}"
            continue
        return Period(period.label, period.start, period.end, period.kind, flags)
    message = f"'{text}' is not a period: {reason}"
    raise PeriodError(message)


def _spoken_kind(core: str, kind: str | None, text: str) -> tuple[str, str | None]:
    """Take off words such as 'Academic year' and let them decide or confirm the kind."""
    for words, meaning in _WORDS.items():
        pattern = rf"(?:{words} (?P<after>\d.*)|(?P<before>\d.*?) {words})"
        match = re.fullmatch(pattern, core, re.IGNORECASE)
        if not match:
            continue
        rest = match["after"] or match["before"]
        if meaning and kind is not None and _SINGLE.get(kind, kind) != meaning:
            message = f"'{text}' is not a period: it says {words}, not '{kind}'"
            raise PeriodError(message)
        if not meaning and kind is None:
            message = f"'{text}' is not a period: a reporting year may end on any date; give the kind"
            raise PeriodError(message)
        return rest, kind or meaning
    return core, kind


def parse_period(text: object, *, kind: Kind | None = None) -> Period:
    """Read one period.

    Parameters
    ----------
    text : str or int
        As the publisher wrote it.
    kind : str, optional
        Decides what is ambiguous: a bare ``2025`` is the academic year 2024/25 for ``academic``, the year to
        31 March 2025 for ``financial``, that day for ``march_31``, 30 June for ``mid_year``, and the calendar
        year without a kind. ``2014-16`` is three calendar years; ``2016-17`` is one academic or financial year,
        or two calendar years for ``pooled_calendar``. An academic, financial or calendar kind also reads pooled
        years of that kind.

    Returns
    -------
    Period

    Raises
    ------
    PeriodError
        Naming the text, why it cannot be read, and the grammars there are.
    """
    _check_kind(kind)
    try:
        return _read(_as_text(text), kind)
    except PeriodError as fault:
        message = f"{fault}. {_remedy()}"
        raise PeriodError(message) from None


def parse_periods(texts: pd.Series, *, kind: Kind | None = None, where: str = "", first_row: int = 1) -> pd.DataFrame:
    """Read a column of periods, each distinct text once.

    Parameters
    ----------
    texts : Series
        As the publisher wrote them.
    kind : str, optional
        As in ``parse_period``.
    where : str
        File or table named in an error.
    first_row : int
        Number of the first row in an error; 2 for a CSV whose header is line 1.

    Returns
    -------
    DataFrame
        Index of ``texts``; columns ``period``, ``period_start``, ``period_end`` (both days counted), ``flags``.

    Raises
    ------
    PeriodError
        Naming every text that cannot be read, with the first five of its rows.
    """
    _check_kind(kind)
    codes, values = pd.factorize(texts, use_na_sentinel=False)
    found: list[Period] = []
    faults: list[str] = []
    for position, value in enumerate(values):
        try:
            found.append(_read(_as_text(value), kind))
        except PeriodError as fault:
            rows = np.flatnonzero(codes == position)
            named = several(str(row + first_row) for row in rows)
            faults.append(f"{fault} (row{'s' if len(rows) > 1 else ''} {named})")
    if faults:
        head = f"{where}: " if where else ""
        noun = "text is" if len(faults) == 1 else "texts are"
        message = f"{head}{len(faults)} {noun} not a period. {several(faults)}. {_remedy()}"
        raise PeriodError(message)
    table = pd.DataFrame(
        {
            "period": pd.array([p.label for p in found], dtype="str"),
            "period_start": np.array([p.start for p in found], dtype="datetime64[s]"),
            "period_end": np.array([p.end for p in found], dtype="datetime64[s]"),
            "flags": pd.array([p.flags for p in found], dtype="str"),
        }
    )
    return table.take(codes).set_axis(texts.index, axis=0)


def year_of(label: str) -> int:
    """Year in which a canonical label ends, whatever its kind: 2025 for ``2024/25`` and ``2025-03-31``.

    Parameters
    ----------
    label : str
        Canonical label.

    Returns
    -------
    int

    Raises
    ------
    PeriodError
        If the label has no four-digit year at its head.
    """
    dated = re.match(r"(\d{4})(?:-\d{2}-\d{2}$|-W| Q|$)", label)
    if dated:
        return int(dated[1])
    match = re.match(r"(\d{4}).*?(\d{2})(?: Q\d)?$", label)
    if not match:
        message = f"'{label}' is not a canonical label. {_remedy()}"
        raise PeriodError(message)
    return _second(int(match[1]), match[2])


def _as_text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))  # a year read from a column with gaps
    return str(value)


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        message = f"Unknown kind of period '{kind}'. There are: {', '.join(KINDS)}."
        raise PeriodError(message)


def _remedy() -> str:
    return f"Known forms: {', '.join(GRAMMARS)}; kinds: {', '.join(KINDS)}. Correct the label, or give its kind."
