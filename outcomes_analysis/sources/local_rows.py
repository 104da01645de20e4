"""One row of a local file, checked: every fault by its kind, and the figure if there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from outcomes_analysis.areas.register import resolve
from outcomes_analysis.errors import AreaError, PeriodError
from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.observations.contract import GROUP_TYPES
from outcomes_analysis.observations.periods import KINDS, Period, parse_period

REQUIRED = ("indicator", "area", "period", "value")
OPTIONAL = ("period_kind", "numerator", "denominator", "lower", "upper", "level", "group_type", "group", "note")
COLUMNS = (*REQUIRED, *OPTIONAL)
ALIASES = {
    **dict.fromkeys(("indicator_id", "indicatorid"), "indicator"),
    **dict.fromkeys(("area_code", "area_name", "local_authority", "authority", "council", "place"), "area"),
    **dict.fromkeys(("year", "time_period"), "period"),
    "notes": "note",
}
SYMBOLS = {"c": "suppressed", "x": "not_available", "z": "not_applicable"}
SMALL = 5  # counts up to this are withheld by the publishers of children's figures

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_FORMULA = re.compile(r"[+-](?![0-9.]*$).*[A-Za-z(=]")  # +A1, -SUM(...): a sign before something other than a number
_CODE = re.compile(r"[A-Z][0-9]{8}", re.IGNORECASE)
_SERIAL = re.compile(r"[2-6][0-9]{4}(?:\.[0-9]+)?")
_MONTH = re.compile(r"(?:[A-Za-z]{3}[- ][0-9]{2,4}|[0-9]{1,2}[- ][A-Za-z]{3}(?:[- ][0-9]{2,4})?)")
_DAY = re.compile(r"[0-9]{1,2}[/.][0-9]{1,2}[/.][0-9]{2,4}(?: .*)?")


class Kind(NamedTuple):
    """A kind of fault: what is wrong and what to do, in words for somebody who keeps spreadsheets."""

    what: str
    remedy: str


FAULTS: dict[str, Kind] = {
    "cells": Kind(
        "more or fewer cells than there are headings",
        "Give each row as many cells as the first; a comma within a text needs the text in double quotes.",
    ),
    "encoding": Kind(
        "characters that are not UTF-8", "Save the file again as 'CSV UTF-8'; do not join files of different encodings."
    ),
    "formula": Kind("a formula", "Copy the cells and paste them as values, so that the file holds numbers and words."),
    "empty": Kind("nothing in a cell that is needed", "Fill it in; for a missing value write c, x or z."),
    "indicator": Kind(
        "an indicator that the overlay does not define", "Use an id of the overlay, or add the indicator to it."
    ),
    "core": Kind(
        "an indicator of the core",
        "The core's figures come from the publishers and stay as they are; give yours an id of its own.",
    ),
    "area_code": Kind(
        "a code of no area in England",
        "Use the nine-character code (E06..., E08..., E09..., E10...) or the name; `outcomes area --list` lists them.",
    ),
    "area_name": Kind(
        "a name of no area in England",
        "Use the authority's name or code; totals, wards, schools and other nations have no row here.",
    ),
    "area_former": Kind(
        "an area that was merged or split", "Give the figures of the areas of today; `outcomes area --list` lists them."
    ),
    "serial": Kind(
        "a spreadsheet's number for a date",
        "Format the column as text and write the period out: 2023/24, 2024 or 2024-03-31.",
    ),
    "date": Kind(
        "a date as a spreadsheet writes it",
        "Write a day as year-month-day (2024-03-31) and a year as 2024 or 2023/24; format the column as text first.",
    ),
    "period_kind": Kind(
        "a year that may be a school year or a financial year",
        "Add a column period_kind with academic (September to August) or financial (April to March).",
    ),
    "period": Kind("a period that cannot be read", "Write 2023/24, 2024, 2022-24 or 2024-03-31."),
    "kind": Kind("an unknown period_kind", f"Use one of {', '.join(KINDS)}."),
    "percent": Kind("a percent sign", "Write 45.6, not 45.6%; the overlay says that the unit is per cent."),
    "comma": Kind(
        "a comma within a number", "Write 1234.5, without commas between thousands or for the decimal point."
    ),
    "scientific": Kind(
        "a number in scientific notation", "Format the column as number and save again, so that it is 120000."
    ),
    "number": Kind(
        "no number", "Write digits alone, such as 45.6; for a missing value write c, x or z in the column value."
    ),
    "negative": Kind("a negative count", "Counts of children or events are 0 or more."),
    "whole": Kind("a count that is not whole", "Counts are whole numbers; give a rate or a share in the column value."),
    "more": Kind("a numerator above its denominator", "In a share the numerator is a part of the denominator."),
    "apart": Kind(
        "a value that its numerator and denominator do not give",
        "Check all three; the value is numerator over denominator, times 100 for a percentage.",
    ),
    "range": Kind(
        "a value outside the indicator's valid_range", "Check the unit, or widen valid_range in the overlay."
    ),
    "bounds": Kind(
        "an interval that does not hold the value", "Give lower and upper both, with lower <= value <= upper."
    ),
    "level": Kind("an interval without its level", "Write the level as 0.95 or 0.9 beside lower and upper."),
    "group": Kind(
        "a group that is not known",
        f"Fill in group_type ({', '.join(GROUP_TYPES)}) and group both, or leave both out for all children.",
    ),
    "twice": Kind(
        "the same figure twice", "Keep one row for each indicator, area, period and group; take the others out."
    ),
}


@dataclass(frozen=True)
class Figure:
    """One figure of a local file, read."""

    indicator: str
    area: str
    period: Period
    group_type: str
    group: str
    value: float
    status: str
    numerator: float
    denominator: float
    lower: float
    upper: float
    level: float

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What no two figures share."""
        return (self.indicator, self.area, self.period.label, self.group_type, self.group)


Told = Callable[..., None]
NOTHING = float("nan")


class RowChecker:
    """Checks rows against the overlay's indicators.

    Parameters
    ----------
    local : mapping of str to Indicator, or None
        Indicators that the file may hold; None where no overlay is known: any id but the core's.
    core : set of str
        Ids of the core.
    told : callable
        Told each fault: kind, column, and optionally a ``hint`` made of the register's words, never of the cell's.
    """

    def __init__(self, *, local: Mapping[str, Indicator] | None, core: set[str], told: Told) -> None:
        self.local = local
        self.core = core
        self.told = told
        self.clean = True

    def fault(self, kind: str, column: str, hint: str = "") -> None:
        """Note a fault of the present row."""
        self.clean = False
        self.told(kind, column, hint=hint)

    def read(self, row: Mapping[str, str]) -> Figure | None:
        """Check one row; give its figure if it has no fault."""
        self.clean = True
        for column, cell in row.items():
            if is_formula(cell):
                self.fault("formula", column)
        if not self.clean:
            return None
        indicator = self.indicator(row["indicator"])
        area = self.area(row["area"])
        period = self.period(row["period"], row.get("period_kind", ""))
        value, status = self.value(row["value"])
        numerator, denominator = (self.count(row.get(c, ""), c) for c in ("numerator", "denominator"))
        lower, upper, level = (self.number(row.get(c, ""), c) for c in ("lower", "upper", "level"))
        group_type, group = self.group(row.get("group_type", ""), row.get("group", ""))
        if self.clean:
            self.together(indicator, value, numerator, denominator)
            self.interval(value, lower, upper, level)
        if not self.clean or period is None:
            return None
        return Figure(
            *(row["indicator"], area, period, group_type, group, value, status),
            *(numerator, denominator, lower, upper, level),
        )

    def indicator(self, cell: str) -> Indicator | None:
        """Find the indicator among the overlay's."""
        if not cell:
            self.fault("empty", "indicator")
        elif cell in self.core:
            self.fault("core", "indicator")
        elif self.local is not None and cell not in self.local:
            self.fault("indicator", "indicator")
        return (self.local or {}).get(cell)

    def area(self, cell: str) -> str:
        """Find the area's canonical code."""
        if not cell:
            self.fault("empty", "area")
            return ""
        code, kind, hint = area_of_cell(cell)
        if kind:
            self.fault(kind, "area", hint)
        return code

    def period(self, cell: str, kind: str) -> Period | None:
        """Read the period, telling what spreadsheets make of it."""
        if not cell:
            self.fault("empty", "period")
            return None
        if kind and kind.lower() not in KINDS:
            self.fault("kind", "period_kind")
            return None
        found, fault = _period(cell, kind.lower())
        if fault:
            self.fault(fault, "period")
        return found

    def value(self, cell: str) -> tuple[float, str]:
        """Read a value, or the symbol in its place."""
        symbol = SYMBOLS.get(cell.strip("[]").lower())
        if symbol:
            return NOTHING, symbol
        if not cell:
            self.fault("empty", "value")
        return self.number(cell, "value"), "published"

    def number(self, cell: str, column: str) -> float:
        """Read a number; NaN for an empty cell or a fault."""
        if not cell:
            return NOTHING
        if _NUMBER.fullmatch(cell) and len(cell) < 40:
            return float(cell)
        self.fault(_why_no_number(cell), column)
        return NOTHING

    def count(self, cell: str, column: str) -> float:
        """Read a count."""
        count = self.number("" if cell.strip("[]").lower() in SYMBOLS else cell, column)
        if count < 0:
            self.fault("negative", column)
        elif count % 1 > 0:
            self.fault("whole", column)
        return count

    def group(self, kind: str, group: str) -> tuple[str, str]:
        """Read whom the figure is about; all children if nothing is said."""
        if not kind and not group:
            return "all", "all"
        if kind not in GROUP_TYPES or not group or (kind == "all") != (group == "all"):
            self.fault("group", "group_type")
        return kind, group

    def together(self, indicator: Indicator | None, value: float, numerator: float, denominator: float) -> None:
        """Hold a value against its counts and its valid range."""
        if indicator is None:
            return
        low, high = indicator.valid_range
        if value < low or value > high:
            self.fault("range", "value")
        if indicator.form == "proportion" and numerator > denominator:
            self.fault("more", "numerator")
        elif denominator > 0 and numerator == numerator and indicator.form in ("proportion", "rate"):
            # Half a unit of the decimals the overlay states, and what rounding a count to the nearest 5 can do.
            room = 0.5 * 10.0**-indicator.decimals + 2.5 * indicator.per / denominator
            if abs(value - numerator / denominator * indicator.per) > room:
                self.fault("apart", "value")

    def interval(self, value: float, lower: float, upper: float, level: float) -> None:
        """Check bounds: both, around the value, with a level."""
        given = [x == x for x in (lower, upper)]
        if any(given) and (not all(given) or not lower <= value <= upper):
            self.fault("bounds", "lower")
        elif all(given) and not 0 < level < 1:
            self.fault("level", "level")


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run a cell rather than show it."""
    return cell.startswith(("=", "@")) or (cell[:1] in ("+", "-") and bool(_FORMULA.match(cell)))


@lru_cache(maxsize=4096)
def area_of_cell(cell: str) -> tuple[str, str, str]:
    """Canonical code, or the kind of fault and a hint from the register."""
    try:
        return resolve(cell), "", ""
    except AreaError as error:
        said = str(error)
    if _CODE.fullmatch(cell) and "replaced by" not in said and "became part of" not in said:
        return "", "area_code", ""
    if "replaced by" in said or "became part of" in said:
        return "", "area_former", ""
    meant = re.search(r"Did you mean (.+?) \(", said)
    return "", "area_name", f"{meant[1]}?" if meant else ""


@lru_cache(maxsize=4096)
def _period(cell: str, kind: str) -> tuple[Period | None, str]:
    """Period, or the kind of fault."""
    if _SERIAL.fullmatch(cell):
        return None, "serial"
    if _MONTH.fullmatch(cell) or _DAY.fullmatch(cell):
        return None, "date"
    try:
        period = parse_period(cell, kind=kind or None)  # type: ignore[arg-type]
    except PeriodError:
        return None, "period" if kind or not re.fullmatch(r"\d{4} ?[/-] ?\d{2,4}|\d{6}", cell) else "period_kind"
    if not date(1990, 1, 1) <= period.start <= period.end <= date(2100, 1, 1):
        return None, "period"
    return period, ""


def _why_no_number(cell: str) -> str:
    if re.fullmatch(r"-?[0-9.,]+ ?%", cell):
        return "percent"
    if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]+", cell):
        return "scientific"
    return "comma" if re.fullmatch(r"-?[0-9.]*(?:,[0-9]+)+(?:\.[0-9]+)?", cell) else "number"
