"""Weights of neighbours: of the real map, of made ones, and of maps that bear none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.boundaries import load_outlines
from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.space.weights import neighbours_of, weights_from

RANKED = list(upper_tier(ranked_only=True).index)


def both_ways(*pairs: tuple[str, str]) -> pd.DataFrame:
    """A list of links from pairs."""
    return pd.DataFrame([*pairs, *((b, a) for a, b in pairs)], columns=["area_code", "neighbour_code"])


def test_all_ranked_authorities_hang_together_and_the_isle_of_wight_is_joined_to_the_nearest():
    found = neighbours_of(RANKED)
    assert len(found.area_codes) == 151
    assert [len(part) for part in found.parts] == [151]
    assert found.islands == ("E06000046",)
    wight = found.matrix[found.area_codes.index("E06000046")]
    assert dict(zip(found.area_codes, wight, strict=True))["E10000014"] == 1  # Hampshire, 1.5 km across the Solent
    # one area's neighbours share one whole; sums of a few equal shares are right to the last digits
    assert found.matrix.sum(axis=1) == pytest.approx(np.ones(151), abs=1e-14)


def test_neighbours_share_one_whole_alike():
    found = weights_from(both_ways(("a", "b"), ("b", "c"), ("b", "d")), area_codes=["d", "a", "b", "c"])
    expected = [[0, 0, 1, 0], [0, 0, 1, 0], [1 / 3, 1 / 3, 0, 1 / 3], [0, 0, 1, 0]]
    assert found.matrix.tolist() == expected


def test_eigenvalues_are_those_of_the_weights():
    found = neighbours_of(RANKED[:60], apart="keep")
    # a general solver on the matrix itself: good to about n times the machine's precision
    assert found.eigenvalues == pytest.approx(np.sort(np.linalg.eigvals(found.matrix).real), abs=1e-10)


def test_a_map_in_parts_is_refused_or_its_parts_are_said():
    links = both_ways(("a", "b"), ("b", "c"), ("d", "e"))
    with pytest.raises(RelationError, match=r"2 parts.*outside the largest lie 2 areas: d, e"):
        weights_from(links, area_codes=list("abcde"))
    found = weights_from(links, area_codes=list("abcde"), whole=False)
    assert found.parts == (("a", "b", "c"), ("d", "e"))


def test_parts_of_the_real_map_are_joined_where_they_lie_closest():
    # without these three the North East touches nothing else
    between = {"E06000063", "E06000064", "E06000065"}  # Cumberland, Westmorland and Furness, North Yorkshire
    codes = [code for code in RANKED if code not in between]
    with pytest.raises(RelationError, match="2 parts"):
        neighbours_of(codes)
    parts = neighbours_of(codes, apart="keep").parts
    assert [len(part) for part in parts] == [136, 12]
    found = neighbours_of(codes, apart="join")
    joined = found.links[found.links["link"] == "joined"]
    assert len(found.parts) == 1
    outlines = load_outlines("upper").set_index("area_code").geometry
    gap = min(outlines[a].distance(outlines[b]) for a in parts[1] for b in parts[0])
    assert joined["distance"].tolist() == [round(gap)] * 2
    assert set(zip(joined["area_code"], joined["neighbour_code"], strict=True)) == set(
        zip(joined["neighbour_code"], joined["area_code"], strict=True)
    )


@pytest.mark.parametrize(
    ("links", "codes", "message"),
    [
        (both_ways(("a", "b")).iloc[:1], "ab", "one way only: a to b"),
        (both_ways(("a", "b")), "abc", "1 area has no neighbour: c"),
        (both_ways(("a", "b")), "a", "not among those compared: b"),
        (both_ways(("a", "b"), ("b", "b")), "ab", "own neighbour.*: b"),
        (both_ways(("a", "b")), "aab", "Named twice: a"),
    ],
)
def test_links_that_cannot_be_are_refused(links: pd.DataFrame, codes: str, message: str):
    with pytest.raises(RelationError, match=message):
        weights_from(links, area_codes=list(codes))


def test_authorities_too_small_or_without_an_outline_are_refused():
    with pytest.raises(RelationError, match="City of London and Isles of Scilly"):
        neighbours_of([*RANKED[:3], "E09000001", "E06000053"])
    with pytest.raises(RelationError, match=r"no outline.*E99999999"):
        neighbours_of([*RANKED[:3], "E99999999"])
