"""Statistical neighbours: named, dated lists of the authorities each one is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.project import project

NEAREST = 20  # places of similar child poverty, as many as the index compares with
_DFE = "its statistical neighbours (Department for Education, model of {})"


@dataclass(frozen=True, eq=False)
class NeighbourSet:
    """A named, dated list of the places each place is compared with.

    Attributes
    ----------
    id : str
        Its name, with the year of its model or figures.
    label : str
        What a sentence calls a place's neighbours in it.
    pairs : DataFrame
        ``area_code, neighbour_code, rank`` (1 = most alike; 0 where there is no order), one row a pair.
    """

    id: str
    label: str
    pairs: pd.DataFrame


def published_set(name: str) -> NeighbourSet:
    """Give a published list (:func:`load_neighbours`) as a set.

    Raises
    ------
    AreaError
        If there is no such list.
    """
    pairs = load_neighbours(name)[["area_code", "neighbour_code", "rank"]]
    return NeighbourSet(name, _DFE.format(name.rsplit("_", 1)[-1]), pairs)


def region_set() -> NeighbourSet:
    """Give every authority the others of its region; the City of London and the Isles of Scilly are nobody's."""
    table = upper_tier()
    others = table[table["ranked"]].reset_index()[["area_code", "region_code"]]
    joined = table.reset_index()[["area_code", "region_code"]].merge(others, on="region_code", suffixes=("", "_near"))
    pairs = joined.rename(columns={"area_code_near": "neighbour_code"})[["area_code", "neighbour_code"]]
    pairs = pairs[pairs["area_code"].ne(pairs["neighbour_code"])].reset_index(drop=True).assign(rank=0)
    return NeighbourSet("region_2023", "the other authorities of its region", pairs)


def nearest_set(values: pd.Series, *, id: str, label: str, nearest: int = NEAREST) -> NeighbourSet:
    """Give every authority those nearest to it in one figure.

    Parameters
    ----------
    values : Series
        By ``area_code``; missing ones and those of the City of London and the Isles of Scilly are left out.
    id, label : str
        Of the set.
    nearest : int
        How many; places equally far are taken in the order of their codes.

    Returns
    -------
    NeighbourSet
    """
    ordinary = upper_tier(ranked_only=True).index
    known = values[values.index.isin(ordinary)].dropna().sort_index()
    gaps = np.abs(known.to_numpy(float)[:, None] - known.to_numpy(float)[None, :])
    np.fill_diagonal(gaps, np.inf)
    chosen = np.argsort(gaps, axis=1, kind="stable")[:, : min(nearest, len(known) - 1)]
    codes = known.index.to_numpy()
    pairs = pd.DataFrame(
        {
            "area_code": np.repeat(codes, chosen.shape[1]),
            "neighbour_code": codes[chosen].ravel(),
            "rank": np.tile(np.arange(1, chosen.shape[1] + 1), len(codes)),
        }
    )
    return NeighbourSet(id, label, pairs)


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
