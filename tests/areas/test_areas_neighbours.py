"""Sets of neighbours: the published ones, the region, and the nearest in a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.neighbours import nearest_set, neighbour_sets, published_set, region_set
from outcomes_analysis.areas.register import upper_tier


def test_region_set_by_counting():
    found = region_set()
    table = upper_tier()
    for code, region in table["region_code"].items():
        near = set(found.pairs.loc[found.pairs["area_code"].eq(code), "neighbour_code"])
        others = table.index[table["region_code"].eq(region) & table["ranked"]].difference([code])
        assert near == set(others), code
    # nobody is compared with the City of London or the Isles of Scilly, who are compared with others
    assert not {"E09000001", "E06000053"} & set(found.pairs["neighbour_code"])
    assert found.pairs["area_code"].eq("E09000001").sum() == 32


def test_nearest_set_by_brute_force():
    rng = np.random.default_rng(3)
    codes = upper_tier().index
    values = pd.Series(np.round(rng.normal(30, 8, len(codes)), 1), index=codes)
    values.iloc[5] = np.nan
    found = nearest_set(values, id="x", label="those alike", nearest=4)
    usable = values.drop(["E09000001", "E06000053"]).dropna().sort_index()
    assert set(found.pairs["area_code"]) == set(usable.index)
    for code in usable.index:
        others = usable.drop(code)
        # ties go to the smaller code
        expected = sorted(others.index, key=lambda c: (abs(others[c] - usable[code]), c))[:4]
        rows = found.pairs[found.pairs["area_code"].eq(code)]
        assert list(rows["neighbour_code"]) == expected
        assert list(rows["rank"]) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", neighbour_sets())
def test_published_sets_are_named_and_dated(name):
    found = published_set(name)
    assert found.id == name
    assert found.label.endswith(f"model of {name[-4:]})")
    assert list(found.pairs.columns) == ["area_code", "neighbour_code", "rank"]
    assert not (found.pairs["area_code"] == found.pairs["neighbour_code"]).any()
