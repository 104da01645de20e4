"""Figures, differences and comparisons in words, always with their unit."""

from __future__ import annotations

import re

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
