"""National targets that a government has set: which indicator, how much, by when, and where that was said."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pandas as pd

from outcomes_analysis.project import project


@dataclass(frozen=True)
class NationalTarget:
    """One national target.

    Attributes
    ----------
    indicator_id : str
    target : float
        In the indicator's unit.
    year : int
        In which the target's period ends.
    name, source : str
        The target in its own words, and where it stands.
    """

    indicator_id: str
    target: float
    year: int
    name: str
    source: str


@cache
def national_targets() -> tuple[NationalTarget, ...]:
    """Read the national targets of ``data/framework/targets.csv``, in its order.

    Targets that were set for single authorities are not published together; a user gives those.
    """
    table = pd.read_csv(project().path("data", "framework", "targets.csv"), dtype="str", keep_default_na=False)
    return tuple(
        NationalTarget(row["indicator_id"], float(row["target"]), int(row["year"]), row["name"], row["source"])
        for row in table.to_dict("records")
    )
