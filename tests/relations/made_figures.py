"""Tables of made figures of real authorities, where a test needs to know the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.observations.contract import COLUMNS

AREAS = upper_tier(ranked_only=True)


def made(
    values: Mapping[str, np.ndarray],
    *,
    years: Sequence[int] = (2024,),
    areas: pd.DataFrame = AREAS,
    errors: Mapping[str, float | np.ndarray] | None = None,
) -> pd.DataFrame:
    """Rows of the tidy table, one an indicator, authority and year.

    ``values``: by indicator, of shape (areas,) for every year alike or (areas, years). ``errors``: columns of the
    table, the same for every figure.
    """
    frames = [
        pd.DataFrame(
            {
                "indicator_id": name,
                "area_code": areas.index,
                "value": column if column.ndim == 1 else column[:, k],
                "period": str(year),
                "period_start": pd.Timestamp(year, 1, 1),
                "period_end": pd.Timestamp(year, 8, 31),
            }
        )
        for name, column in values.items()
        for k, year in enumerate(years)
    ]
    table = pd.concat(frames, ignore_index=True).assign(
        group_type="all", group="all", status="published", flags="", source_id="lait", **(errors or {})
    )
    return table.reindex(columns=list(COLUMNS))
