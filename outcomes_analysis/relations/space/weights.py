"""Who neighbours whom, as weights: each area's neighbours share one whole between them.

Areas are neighbours where they share a border or a corner. An island has none and is linked with the area closest to
it, both ways; an area whose neighbours all lack figures is treated alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.wording import listed, plural

if TYPE_CHECKING:
    import geopandas as gpd

Apart = Literal["refuse", "join", "keep"]
Floats = NDArray[np.float64]

TOO_SMALL = {"E09000001": "City of London", "E06000053": "Isles of Scilly"}


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Areas and the weights of their neighbours.

    Attributes
    ----------
    area_codes : tuple of str
        In the order of the rows of ``matrix``.
    matrix : array of shape (areas, areas)
        Row i holds the weights of the neighbours of area i: alike, and 1 in sum. 0 on the diagonal.
    links : DataFrame
        ``area_code, neighbour_code``, every pair both ways; where known ``link`` (``border``, ``near``, ``nearest``,
        or ``joined``: two parts of the map linked where they lie closest) and ``distance`` in metres.
    parts : tuple of tuple of str
        Areas that hang together, the largest part first; one part where the map is whole.
    """

    area_codes: tuple[str, ...]
    matrix: Floats
    links: pd.DataFrame
    parts: tuple[tuple[str, ...], ...]

    @cached_property
    def eigenvalues(self) -> Floats:
        """Eigenvalues of ``matrix``, rising; the largest is 1.

        All are real: weights that come from links both ways have those of a symmetric matrix (Ord 1975).
        """
        count = (self.matrix > 0).sum(axis=1)
        root = np.sqrt(count)
        return np.asarray(np.linalg.eigvalsh(self.matrix * root[:, None] / root[None, :]))

    @property
    def islands(self) -> tuple[str, ...]:
        """Areas that border on none and are linked with the nearest."""
        if "link" not in self.links:
            return ()
        kinds = self.links.groupby("area_code")["link"].agg(set)
        return tuple(str(code) for code in kinds.index[kinds.map(lambda kind: kind == {"nearest"})])


def neighbours_of(
    area_codes: Sequence[str],
    *,
    within: float = 0.0,
    apart: Apart = "refuse",
    outlines: gpd.GeoDataFrame | None = None,
) -> Neighbours:
    """Weights of the neighbours of upper-tier authorities, from their outlines.

    Parameters
    ----------
    area_codes : sequence of str
        The authorities to be compared; who neighbours whom is asked among these alone.
    within : float
        Metres: authorities no farther apart than this are neighbours too.
    apart : {"refuse", "join", "keep"}
        What becomes of a map that falls into parts, as it may where authorities between them lack figures: an error;
        each smaller part linked, both ways, where it lies closest to the rest; or left in parts.
    outlines : GeoDataFrame, optional
        ``area_code`` and geometry in metres, of another geography; the project's upper tier by default.

    Returns
    -------
    Neighbours

    Raises
    ------
    RelationError
        If an authority has no outline, is the City of London or the Isles of Scilly (too small to be compared), or
        the map falls into parts.
    """
    from outcomes_analysis.areas.boundaries import contiguity, load_outlines

    codes = [str(code) for code in area_codes]
    small = [TOO_SMALL[code] for code in codes if code in TOO_SMALL]
    if small:
        message = f"Too small to be compared with neighbours: {listed(small)}. Leave them out."
        raise RelationError(message)
    outlines = load_outlines("upper") if outlines is None else outlines
    missing = sorted(set(codes) - set(outlines["area_code"]))
    if missing:
        message = f"{len(missing)} authorities have no outline, so no neighbours: {several(missing)}. Leave them out."
        raise RelationError(message)
    chosen = outlines[outlines["area_code"].isin(codes)]
    links = contiguity(chosen, within=within)
    found = weights_from(links, area_codes=codes, whole=apart == "refuse")
    while apart == "join" and len(found.parts) > 1:
        links = pd.concat([links, _closest(chosen, found.parts[-1])], ignore_index=True)
        found = weights_from(links, area_codes=codes, whole=False)
    return found


def _closest(outlines: gpd.GeoDataFrame, part: tuple[str, ...]) -> pd.DataFrame:
    """The link, both ways, between a part of the map and the rest where they lie closest."""
    import shapely

    inside = outlines[outlines["area_code"].isin(part)]
    outside = outlines[~outlines["area_code"].isin(part)]
    distance = shapely.distance(inside.geometry.to_numpy()[:, None], outside.geometry.to_numpy()[None, :])
    here, there = np.unravel_index(int(np.argmin(distance)), distance.shape)
    ends = [str(inside["area_code"].iloc[here]), str(outside["area_code"].iloc[there])]
    far = round(float(distance[here, there]))
    return pd.DataFrame({"area_code": ends, "neighbour_code": ends[::-1], "link": "joined", "distance": float(far)})


def weights_from(links: pd.DataFrame, *, area_codes: Sequence[str], whole: bool = True) -> Neighbours:
    """Weights from a list of who neighbours whom.

    Parameters
    ----------
    links : DataFrame
        ``area_code, neighbour_code``, every pair both ways; further columns are kept.
    area_codes : sequence of str
        All areas, in the order wanted.
    whole : bool
        Refuse a map that falls into parts; otherwise ``parts`` says which.

    Returns
    -------
    Neighbours

    Raises
    ------
    RelationError
        If an area is named twice or has no neighbour, a link is one way only, names an unknown area or leads back to
        the same area, or the map falls into parts.
    """
    from scipy.sparse.csgraph import connected_components

    codes = tuple(str(code) for code in area_codes)
    place = {code: k for k, code in enumerate(codes)}
    if len(place) < len(codes):
        message = f"Named twice: {several(sorted({c for c in codes if codes.count(c) > 1}))}. Name each area once."
        raise RelationError(message)
    ends = links[["area_code", "neighbour_code"]].astype(str)
    unknown = sorted(set(ends.to_numpy().ravel()) - set(codes))
    if unknown:
        message = f"{len(unknown)} areas of the links are not among those compared: {several(unknown)}."
        raise RelationError(message)
    joined = np.zeros((len(codes), len(codes)))
    joined[ends["area_code"].map(place), ends["neighbour_code"].map(place)] = 1.0
    one_way = np.argwhere(joined > joined.T)
    if len(one_way):
        named = several(f"{codes[i]} to {codes[j]}" for i, j in one_way)
        message = f"{plural(len(one_way), 'link is', 'links are')} one way only: {named}. List every pair both ways."
        raise RelationError(message)
    if np.any(np.diag(joined)):
        named = several(codes[k] for k in np.flatnonzero(np.diag(joined)))
        message = f"No area is its own neighbour, yet the links say so of: {named}. Take these links out."
        raise RelationError(message)
    count = joined.sum(axis=1)
    alone = [codes[k] for k in np.flatnonzero(count == 0)]
    if alone:
        message = f"{plural(len(alone), 'area has', 'areas have')} no neighbour: {several(alone)}. Link or leave out."
        raise RelationError(message)
    number, part = connected_components(joined, directed=False)
    parts = sorted((tuple(codes[k] for k in np.flatnonzero(part == p)) for p in range(number)), key=len, reverse=True)
    if whole and number > 1:
        smaller = [code for some in parts[1:] for code in some]
        message = (
            f"The map falls into {number} parts that do not touch; outside the largest lie {len(smaller)} areas: "
            f"{several(smaller)}. Link the parts, or leave the smaller out."
        )
        raise RelationError(message)
    return Neighbours(codes, joined / count[:, None], links.reset_index(drop=True), tuple(parts))
