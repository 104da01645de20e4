"""Whom a place is compared with: named sets with their date, or a list of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.areas.neighbours import (
    NEAREST,
    NeighbourSet,
    nearest_set,
    neighbour_sets,
    published_set,
    region_set,
)
from outcomes_analysis.areas.register import resolve_place, upper_tier
from outcomes_analysis.errors import AreaError, several
from outcomes_analysis.places.comparison import FEWEST_NEIGHBOURS

type Neighbours = str | Sequence[str] | pd.DataFrame | None
# Housing costs turn the order of authorities about: inner London is poor after them and near the middle before.
POVERTY = {
    "similar_poverty": ("child_poverty_ahc", "after housing costs"),
    "similar_poverty_bhc": ("child_poverty_bhc", "before housing costs"),
}


def neighbour_choices() -> tuple[str, ...]:
    """Name the sets there are: the published lists, ``region``, ``similar_poverty`` and ``similar_poverty_bhc``."""
    return (*neighbour_sets(), "region", *POVERTY)


def neighbour_set(choice: Neighbours, *, observations: pd.DataFrame, period: int | None = None) -> NeighbourSet:
    """Find the set of neighbours that is meant.

    Parameters
    ----------
    choice : str, list of str, DataFrame or None
        ``dfe_2025`` or ``dfe_2021`` (ten statistical neighbours, Department for Education); ``region`` (the other
        authorities of the region); ``similar_poverty`` and ``similar_poverty_bhc`` (the twenty nearest in the share of
        children in poverty, after and before housing costs); at least three names of places; a table of pairs
        (``area_code, neighbour_code``); or none.
    observations : DataFrame
        Holds the figures of child poverty.
    period : int, optional
        They are the newest measured by this year.

    Returns
    -------
    NeighbourSet

    Raises
    ------
    AreaError
        If there is no such set, a name is not known, or fewer than three places are named.
    """
    if choice is None:
        return NeighbourSet("none", "", pd.DataFrame({"area_code": [], "neighbour_code": [], "rank": []}, dtype="str"))
    if isinstance(choice, pd.DataFrame):
        return NeighbourSet("own list", "the places listed for it", choice)
    if not isinstance(choice, str):
        return _own_list(list(choice))
    if choice == "region":
        return region_set()
    if choice in POVERTY:
        return _similar_poverty(choice, observations, period=period)
    if choice in neighbour_sets():
        return published_set(choice)
    if "," in choice:
        return _own_list([name.strip() for name in choice.split(",")])
    message = (
        f"No set of neighbours '{choice}'. There are: {several(neighbour_choices())}; or name at least "
        f"{FEWEST_NEIGHBOURS} places, with commas between."
    )
    raise AreaError(message)


def _own_list(names: list[str]) -> NeighbourSet:
    codes = list(dict.fromkeys(resolve_place(name) for name in names if name))
    if len(codes) < FEWEST_NEIGHBOURS:
        message = (
            f"{len(codes)} places are named as neighbours; name at least {FEWEST_NEIGHBOURS}: the middle of fewer is "
            "one place's figure by another name."
        )
        raise AreaError(message)
    everywhere = upper_tier().index.union(pd.Index(codes))
    pairs = pd.MultiIndex.from_product([everywhere, codes], names=["area_code", "neighbour_code"]).to_frame(index=False)
    return NeighbourSet(f"own list: {' '.join(codes)}", f"the {len(codes)} places named for it", pairs.assign(rank=0))


def _similar_poverty(choice: str, observations: pd.DataFrame, *, period: int | None) -> NeighbourSet:
    indicator, costs = POVERTY[choice]
    rows = observations[
        observations["indicator_id"].eq(indicator)
        & observations["group_type"].eq("all")
        & observations["status"].eq("published")
        & observations["area_code"].isin(upper_tier().index)
    ]
    years = rows["period_end"].dt.year
    rows = rows[years <= (period or years.max())]
    if rows.empty:
        message = (
            f"No figure of child poverty ({indicator}) by {period}: choose another set of neighbours or a later year."
        )
        raise AreaError(message)
    newest = rows[rows["period_end"].eq(rows["period_end"].max())]
    when = str(newest["period"].iloc[0])
    return nearest_set(
        newest.set_index("area_code")["value"],
        id=f"{choice}_{when}",
        label=f"the {NEAREST} authorities nearest in child poverty {costs} ({when})",
    )
