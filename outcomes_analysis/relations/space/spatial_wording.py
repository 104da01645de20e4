"""Likeness of neighbours in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import several
from outcomes_analysis.relations.space.clustering import CLUSTERS, Moran
from outcomes_analysis.relations.space.weights import Neighbours


def likeness(found: Moran) -> str:
    """Whether neighbours are alike, with I and what chance gives."""
    if found.lower <= found.estimate <= found.upper:
        words = "no more alike between neighbours than chance would have it"
    elif found.estimate > found.upper:
        words = "more alike between neighbours than chance would have it"
    else:
        words = "less alike between neighbours than chance would have it"
    span = f"{wording.number(found.lower, 2)} to {wording.number(found.upper, 2)}"
    return (
        f"{words} (Moran's I {wording.number(found.estimate, 2)}; chance gives {span} in "
        f"{round(100 * found.level)}% of cases)"
    )


def standing_out(table: pd.DataFrame, *, words: Mapping[str, str] | None = None) -> str:
    """Authorities that stand out from chance, cluster by cluster; empty where there are none.

    Parameters
    ----------
    table : DataFrame
        Rows of one figure: ``area_name, cluster``.
    words : mapping, optional
        Words for each cluster other than its name.
    """
    parts = []
    for cluster in CLUSTERS:
        there = table.loc[table["cluster"] == cluster, "area_name"]
        if len(there):
            parts.append(f"{(words or {}).get(cluster, cluster)}: {len(there)} ({several(sorted(there))})")
    return "; ".join(parts)


def linked_sentence(neighbours: Neighbours, names: pd.Series[str]) -> str:
    """Which authorities are neighbours by rule alone; empty where all share a border."""
    links = neighbours.links[neighbours.links["link"].isin(["nearest", "joined"])]
    once = links[links["area_code"] < links["neighbour_code"]]
    if once.empty:
        return ""
    said = [
        f"{names[row.area_code]} and {names[row.neighbour_code]} ({row.distance / 1000:.0f} km)"
        for row in once.itertuples()
    ]
    return (
        "Islands, and parts of the map cut off by authorities without figures, count as neighbours of the nearest: "
        f"{several(said)}."
    )
