"""Statistical neighbours: named, dated lists of the authorities each one is compared with."""

from __future__ import annotations

import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.project import project


def neighbour_sets() -> tuple[str, ...]:
    """Name the lists there are, the newest last."""
    return tuple(sorted(path.stem for path in project().path("data", "areas", "neighbours").glob("*.csv")))


def load_neighbours(name: str = "dfe_2025", *, former: bool = False) -> pd.DataFrame:
    """Read a list of statistical neighbours.

    Parameters
    ----------
    name : str
        ``dfe_2025`` or ``dfe_2021``: the children's services lists of the Department for Education (model of NFER), ten
        neighbours each, as issued in May 2025 and April 2021. They are lists of places alike in background, not of
        places that border on each other, and are not symmetric.
    former : bool
        Keep authorities that no longer exist, as rows and as neighbours.

    Returns
    -------
    DataFrame
        area_code, neighbour_code, rank (1 = most alike), closeness (``extremely close`` ... ``not close``). Without
        ``former`` an authority may have fewer than ten neighbours in an older list, and one formed since has none;
        ranks are as issued.

    Raises
    ------
    AreaError
        If there is no such list, naming those there are.
    """
    if name not in neighbour_sets():
        message = f"No list of neighbours '{name}'. There are: {several(neighbour_sets())}."
        raise AreaError(message)
    path = project().path("data", "areas", "neighbours", f"{name}.csv")
    text = {"area_code": "str", "neighbour_code": "str", "closeness": "str", "rank": "int64"}
    table = pd.read_csv(path, dtype=text)
    if former:
        return table
    today = upper_tier().index
    keep = table["area_code"].isin(today) & table["neighbour_code"].isin(today)
    return table[keep].reset_index(drop=True)
