"""Moran's I, whole and local: published software, every deal of a small map, and figures no likeness is in."""

from __future__ import annotations

from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.space.clustering import local_moran, moran, residual_moran
from outcomes_analysis.relations.space.weights import Neighbours, neighbours_of, weights_from


@pytest.fixture(scope="module")
def columbus(gold: Path) -> pd.DataFrame:
    return pd.read_csv(gold / "models" / "columbus" / "columbus.csv")


@pytest.fixture(scope="module")
def queen(gold: Path) -> Neighbours:
    links = pd.read_csv(gold / "models" / "columbus" / "neighbours.csv").astype(str)
    links.columns = ["area_code", "neighbour_code"]
    return weights_from(links, area_codes=[str(k) for k in range(1, 50)])


@pytest.fixture(scope="module")
def small() -> Neighbours:
    """Seven areas with one to four neighbours."""
    pairs = [("a", "b"), ("b", "c"), ("b", "d"), ("b", "e"), ("c", "d"), ("e", "f"), ("f", "g")]
    links = pd.DataFrame([*pairs, *((q, p) for p, q in pairs)], columns=["area_code", "neighbour_code"])
    return weights_from(links, area_codes=list("abcdefg"))


FIGURES = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0])


def test_crime_in_columbus_as_spdep_has_it(columbus: pd.DataFrame, queen: Neighbours):
    found = moran(columbus["CRIME"].to_numpy(float), queen)
    # as many digits as spdep printed (12 of I and variances, 7 of z)
    assert found.estimate == pytest.approx(0.485770913662, abs=5e-13)
    assert found.expected == pytest.approx(-0.020833333333, abs=5e-13)
    assert found.variance == pytest.approx(0.008991121322, abs=5e-13)
    assert found.normal_variance == pytest.approx(0.008860962269, abs=5e-13)
    assert found.z == pytest.approx(5.3427136, abs=5e-8)
    assert found.normal_z == pytest.approx(5.3818103, abs=5e-8)
    assert found.p_value == pytest.approx(2 * 4.578268e-08, rel=1e-6)  # either side; spdep's is one-sided


def test_what_a_line_leaves_over_in_columbus_as_spdep_has_it(columbus: pd.DataFrame, queen: Neighbours):
    design = np.column_stack([np.ones(49), columbus[["INC", "HOVAL"]]])
    found = residual_moran(columbus["CRIME"].to_numpy(float), design, queen)
    assert found.estimate == pytest.approx(0.212374152523, abs=5e-13)
    assert found.expected == pytest.approx(-0.033268284347, abs=5e-13)
    assert found.variance == pytest.approx(0.008394852786, abs=5e-13)
    assert found.z == pytest.approx(2.6810003, abs=5e-8)


def test_local_figures_of_columbus_as_spdep_has_them(columbus: pd.DataFrame, queen: Neighbours, gold: Path):
    published = pd.read_csv(gold / "models" / "columbus" / "local_moran.csv")
    found = local_moran(columbus["CRIME"].to_numpy(float), queen, permutations=99)
    # sums of a few products of 49 numbers: all fifteen digits but the last
    assert found["estimate"].to_numpy() == pytest.approx(published["Ii"].to_numpy(), abs=1e-12)


def test_moments_are_those_of_every_deal(small: Neighbours):
    z = FIGURES - FIGURES.mean()
    dealt = np.array([np.array(p) @ small.matrix @ np.array(p) for p in permutations(z)]) / (z @ z)
    found = moran(FIGURES, small)
    # exact moments of all 5,040 deals: equal but for rounding
    assert found.expected == pytest.approx(dealt.mean(), abs=1e-13)
    assert found.variance == pytest.approx(dealt.var(), abs=1e-13)


def test_local_chances_are_those_of_every_deal(small: Neighbours):
    found = local_moran(FIGURES, small, permutations=20_000, seed=1)
    for i, code in enumerate(small.area_codes):
        others, k = np.delete(FIGURES, i), int((small.matrix[i] > 0).sum())
        means = np.array([np.mean(c) for c in combinations(others, k)])
        own = small.matrix[i] @ FIGURES
        share = min(np.mean(means >= own - 1e-9), np.mean(means <= own + 1e-9))
        # four standard errors of twice a share of 20,000 deals
        assert found.at[code, "p_value"] == pytest.approx(min(1, 2 * share), abs=4 * np.sqrt(share / 20_000) * 2)


def test_clusters_are_found_named_and_few_by_chance():
    authorities = upper_tier(ranked_only=True)
    neighbours = neighbours_of(list(authorities.index))
    rng = np.random.default_rng(2)
    n = len(authorities)
    raised = np.where(authorities["region_code"].eq("E12000007"), 3.0, 0.0)
    found = local_moran(raised + rng.normal(size=n), neighbours, seed=3)
    high = found["cluster"].eq("high among high")
    assert found.index[high].isin(authorities.index[raised > 0]).mean() > 0.85
    assert high.sum() > 15
    clear = found["cluster"] != "not clear"
    assert (found.loc[clear, "q_value"] <= 0.1).all()
    assert (found.loc[~clear, "q_value"] > 0.1).all()
    # figures without any likeness: some area is named in no more than one map of ten (three standard errors of 60)
    maps = [local_moran(rng.normal(size=n), neighbours, permutations=999, seed=k)["cluster"] for k in range(60)]
    assert np.mean([(m != "not clear").any() for m in maps]) < 0.1 + 3 * np.sqrt(0.09 / 60)


def test_an_area_unlike_its_neighbours_is_named_so():
    neighbours = neighbours_of(list(upper_tier(ranked_only=True).index))
    place = neighbours.area_codes.index("E06000052")  # Cornwall: one neighbour
    many = int(np.argmax((neighbours.matrix > 0).sum(axis=1)))
    values = np.random.default_rng(4).normal(size=151)
    values[neighbours.matrix[many] > 0] -= 4
    values[many] = 6
    found = local_moran(values, neighbours, seed=5)
    assert found["cluster"].iloc[many] == "high among low"
    assert found["estimate"].iloc[many] < 0
    assert (neighbours.matrix[place] > 0).sum() == 1


def test_the_same_seed_gives_the_same_clusters(small: Neighbours):
    pd.testing.assert_frame_equal(local_moran(FIGURES, small, seed=7), local_moran(FIGURES, small, seed=7))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones(7), "same in all 7"),
        (np.append(FIGURES[:6], np.nan), "1 of 7 areas have no value"),
        (FIGURES[:6], "6 values were given for 7 areas"),
    ],
)
def test_figures_that_bear_no_answer_are_refused(small: Neighbours, values: np.ndarray, message: str):
    with pytest.raises(RelationError, match=message):
        moran(values, small)
    with pytest.raises(RelationError, match=message):
        local_moran(values, small)
