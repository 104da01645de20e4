"""WHERE: the register of areas, their changes, outlines, neighbours; one vintage for every figure."""

from __future__ import annotations

from outcomes_analysis.areas.boundaries import build_outlines, contiguity, hex_layout, load_outlines
from outcomes_analysis.areas.harmonising import Harmonised, harmonise
from outcomes_analysis.areas.neighbours import load_neighbours, neighbour_sets
from outcomes_analysis.areas.register import (
    ENGLAND,
    load_changes,
    load_register,
    lower_tier,
    regions,
    resolve,
    resolve_place,
    to_area_code,
    upper_tier,
)
from outcomes_analysis.areas.succession import in_force

__all__ = [
    "ENGLAND",
    "Harmonised",
    "build_outlines",
    "contiguity",
    "harmonise",
    "hex_layout",
    "in_force",
    "load_changes",
    "load_neighbours",
    "load_outlines",
    "load_register",
    "lower_tier",
    "neighbour_sets",
    "regions",
    "resolve",
    "resolve_place",
    "to_area_code",
    "upper_tier",
]
