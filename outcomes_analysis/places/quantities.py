"""Figures, differences and comparisons in words, always with their unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from outcomes_analysis import wording

PERCENT, POINTS = "%", "percentage points"


def unit_words(unit: str) -> str:
    """Write a framework's unit as a reader says it: ``"per 10,000 children aged 0 to 14"``, ``"points"``."""
    plain = re.sub(r"\s*\([^)]*\)", "", unit)
    return re.sub(r"(\d)-(\d)", r"\1 to \2", plain)


def amount(value: float, *, unit: str, decimals: int) -> str:
    """Write a figure with its unit.

    Parameters
    ----------
    value : float
    unit : str
        As the framework has it: ``%``, ``percentage points``, ``per 10,000 children aged 0-14``, ``points (0-90)``.
    decimals : int
        As published.

    Returns
    -------
    str
        ``"70.7%"``, ``"52.64 per 10,000 children aged 0 to 14"``; ``"[x]"`` where there is none.
    """
    return wording.number(value, decimals, PERCENT if unit == PERCENT else unit_words(unit))


def short_amount(value: float, *, unit: str, decimals: int) -> str:
    """Write a figure whose unit was just said: a percentage keeps its sign, the others are bare."""
    return wording.number(value, decimals, PERCENT if unit == PERCENT else "")


def difference(value: float, *, unit: str, decimals: int) -> str:
    """Write a difference between two figures: that of two percentages is in percentage points.

    Parameters
    ----------
    value, unit, decimals
        As in :func:`amount`; the sign is always shown.

    Returns
    -------
    str
        ``"+2.0 percentage points"``, ``"−30.62 per 10,000 children aged 0 to 14"``.
    """
    return f"{wording.signed(value, decimals)} {POINTS if unit == PERCENT else unit_words(unit)}"


def more_or_fewer(position: str, *, form: str) -> str:
    """Say without a judgement where a figure lies: ``more`` or ``fewer`` of what is counted, else ``higher, lower``.

    Parameters
    ----------
    position : {"above", "below"}
    form : str
        Form of the indicator (:class:`outcomes_analysis.framework.model.Indicator`).
    """
    counted = form in ("proportion", "rate", "dsr", "count")
    return {"above": ("higher", "more"), "below": ("lower", "fewer")}[position][counted]


def standing_words(row: Mapping[Any, Any], *, suffix: str = "") -> str:
    """Say how a figure of a profile stands to its comparator, in the words of every page and table.

    Parameters
    ----------
    row : mapping
        A row of :attr:`outcomes_analysis.places.AreaProfile.table`.
    suffix : {"", "_neighbours"}
        Against England, or the neighbours.

    Returns
    -------
    str
        ``"clearly better"``, ``"clearly worse"``; ``"clearly more"`` and so on where no way is better; ``"similar"``,
        ``"not clear"``, ``"not clear (many compared)"``; empty where nothing can be said.
    """
    judged = str(row[f"verdict{suffix}"])
    if judged in ("better", "worse"):
        return f"clearly {judged}"
    stands = str(row[f"standing{suffix}"]) if f"standing{suffix}" in row else ""
    if judged == "position only" and row["kind"] in ("contested", "activity"):
        side = stands in ("above", "below")
        return f"clearly {more_or_fewer(stands, form=str(row['form']))}" if side else stands
    return judged if judged in ("similar", "not clear", "not clear (many compared)") else ""


def since_words(period: str, *, pandemic: bool) -> str:
    """Write what a change is counted from: ``"since 2021/22, a year of the pandemic"``."""
    return f"since {spoken(period)}{', a year of the pandemic' if pandemic else ''}"


def year_words(period: str, measured: float) -> str:
    """Write the year of a figure shortly: ``"2025"``, the year its period ends; ``"2022-24"`` for years together."""
    pooled = re.fullmatch(r"(\d{4})(/\d{2})?-(\d{2})(/\d{2})?", period)
    if pooled is None:
        return str(int(measured))
    first = int(pooled[1]) + (1 if pooled[2] else 0)
    return f"{first}-{int(measured) % 100:02d}"


def when(period: str) -> str:
    """Write a period with its preposition: ``"in 2024/25"``, ``"at 31 March 2025"``, ``"in 2021/22 to 2023/24"``."""
    words = spoken(period)
    return f"at {words}" if wording.written_date(period) != period else f"in {words}"


def spoken(period: str) -> str:
    """Write a period as it is said: ``"31 March 2025"``, ``"2021/22 to 2023/24"``."""
    pooled = re.fullmatch(r"(\d{4})(/\d{2})?-(\d{2})(/\d{2})?", period)
    if pooled:
        first, split, last, end = pooled.groups()
        return f"{first}{split or ''} to {first[:2]}{last}{end or ''}"
    return wording.written_date(period)
