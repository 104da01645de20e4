"""What became of an area: which parts make up a merged one, who follows a split one, which code was in force when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import load_changes, load_register, recodes

_EVER = (pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01"))


@dataclass(frozen=True)
class Succession:
    """Former areas and what follows them.

    Attributes
    ----------
    merged_into : dict
        Former area to the canonical areas it became part of (through several steps if need be).
    split_into : dict
        Former area to the canonical areas that took parts of it.
    formed_on : dict
        Canonical area to the first day on which it was in force.
    """

    merged_into: dict[str, tuple[str, ...]]
    split_into: dict[str, tuple[str, ...]]
    formed_on: dict[str, pd.Timestamp]

    def parts_of(self, area_code: str) -> tuple[str, ...]:
        """Former areas that are parts of a merged one."""
        return tuple(code for code, targets in self.merged_into.items() if area_code in targets)


@cache
def succession() -> Succession:
    """Read what became of every former area from the table of changes."""
    register, changes = load_register(), load_changes()
    canonical = set(register.index[register["canonical"]])
    steps: dict[str, list[tuple[str, str]]] = {}
    for old, new, kind in changes[["old_code", "new_code", "kind"]].itertuples(index=False, name=None):
        if kind != "recode":
            steps.setdefault(old, []).append((recodes().get(new, new), kind))

    def ends(code: str, kind: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for new, step in steps.get(code, []):
            # Once an area has been split anywhere along the way, what follows holds a part of it only.
            worst = "split" if "split" in (kind, step) else "merge"
            found += [(new, worst)] if new in canonical else ends(new, worst)
        return found

    merged: dict[str, tuple[str, ...]] = {}
    split: dict[str, tuple[str, ...]] = {}
    for old in steps:
        if old in canonical:  # Surrey stands until its successors are in the canonical vintage
            continue
        reached = ends(old, "merge")
        merged |= {old: tuple(code for code, kind in reached if kind == "merge")}
        split |= {old: tuple(code for code, kind in reached if kind == "split")}
    starts = register["start_date"].dropna()
    return Succession(
        merged_into={old: new for old, new in merged.items() if new},
        split_into={old: new for old, new in split.items() if new},
        formed_on={str(code): pd.Timestamp(day) for code, day in starts.items()},
    )


def in_force(area_codes: pd.Series, dates: pd.Series) -> pd.Series:
    """Tell whether each code was in force on a date.

    Parameters
    ----------
    area_codes : Series of str
        GSS codes of the register; a code it does not know is not in force.
    dates : Series of datetime64
        Same index: the date measured at (the end of the period), not the year of its label.

    Returns
    -------
    Series of bool
    """
    register = load_register()
    codes = area_codes.astype("str")
    start = codes.map(register["start_date"].fillna(_EVER[0]))
    end = codes.map(register["end_date"].fillna(_EVER[1]))
    known = codes.isin(register.index)
    return known & (start <= dates) & (dates <= end)


@cache
def required_parts(area_code: str, date: pd.Timestamp) -> frozenset[str]:
    """Name the areas that together made up a merged one.

    Parameters
    ----------
    area_code : str
        Canonical merged area.
    date : Timestamp
        Date measured at. From the merger on, the last parts are meant: some publishers keep them in use.

    Returns
    -------
    frozenset of str
        Parts in force on that date; empty if the area was not formed by merging.
    """
    found = succession()
    parts = pd.Series(found.parts_of(area_code), dtype="str")
    if parts.empty:
        return frozenset()
    day = min(date, found.formed_on[area_code] - pd.Timedelta(days=1))
    valid = in_force(parts, pd.Series(day, index=parts.index))
    return frozenset(parts[np.asarray(valid)])
