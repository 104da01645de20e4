"""WHERE: the register of areas, their changes, outlines, neighbours; one vintage for every figure."""

from __future__ import annotations

from outcomes_analysis.areas.register import (
    ENGLAND,
    load_changes,
    load_register,
    lower_tier,
    regions,
    resolve,
    to_area_code,
    upper_tier,
)

__all__ = [
    "ENGLAND",
    "load_changes",
    "load_register",
    "lower_tier",
    "regions",
    "resolve",
    "to_area_code",
    "upper_tier",
]
