"""The atlas's columns and page, without a browser."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes_analysis.figures.atlas.columns import MISSING, column, packed, unpacked
from outcomes_analysis.figures.atlas.gathering import WITHHELD, indicator_series, measures, outlines, places
from outcomes_analysis.figures.atlas.page import _inside_script
from outcomes_analysis.framework import load_framework
from outcomes_analysis.observations.groups import group_label
from outcomes_analysis.sources.release import load_observations


@given(
    st.lists(st.floats(-1000, 1000), min_size=1, max_size=30),
    st.integers(0, 3),
    st.integers(0, 15),
)
def test_columns_come_back_to_their_decimals(values: list[float], decimals: int, reason: int) -> None:
    x = np.array(values)
    made = column(x, x - 1, x + 2, missing=np.zeros(len(x), int), withheld=np.full(len(x), reason), decimals=decimals)
    value, below, third = unpacked(packed([made])).reshape(3, -1)
    scale = 10.0**decimals
    half = 0.5 / scale + 1e-9  # rounding to the last decimal
    assert np.abs(value / scale - x).max() <= half
    assert np.abs((value - below) / scale - (x - 1)).max() <= half
    assert np.abs((value + (third >> 4)) / scale - (x + 2)).max() <= half
    assert ((third & 15) == reason).all()


def test_a_missing_value_keeps_its_reason_and_no_bounds() -> None:
    nothing = np.array([np.nan, 3.0])
    made = column(nothing, nothing, np.array([np.nan, np.nan]), missing=np.array([2, 0]),
                  withheld=np.array([0, 6]), decimals=0)  # fmt: skip
    assert made[0].tolist() == [MISSING + 2, 3]
    assert made[1].tolist() == [-1, -1]
    assert (made[2] & 15).tolist() == [0, 6]
    assert (made[2] >> 4).tolist() == [-1, -1]


def test_a_reason_out_of_range_is_refused() -> None:
    one = np.ones(1)
    with pytest.raises(ValueError, match="from 0 to 15"):
        column(one, one, one, missing=np.zeros(1, int), withheld=np.array([16]), decimals=0)


@pytest.fixture(scope="module")
def some() -> pd.DataFrame:
    table = load_observations()
    return table[table["indicator_id"].isin(["gld_pct", "cla_long_stable_pct", "mh_admissions_0_17"])]


def test_series_hold_the_figures_of_the_release(some: pd.DataFrame) -> None:
    order = list(places().index)
    found = indicator_series(some, framework=load_framework(), order=order)
    wanted = next(s for s in found if s.measure == "gld_pct" and s.group == "Eligible for free school meals")
    rows = some[(some["indicator_id"] == "gld_pct") & (some["group"] == "eligible") & (some["period"] == "2023/24")]
    rows = rows.set_index("area_code")["value"].reindex(order)
    value = wanted.columns[wanted.periods.index("2023/24")][0]
    known = rows.notna().to_numpy()
    assert known.sum() > 150
    np.testing.assert_allclose(value[known] / 10**wanted.decimals, rows[known], atol=0.5 / 10**wanted.decimals)
    assert (value[~known] < -1_000_000_000).all()


def test_tiny_places_are_shown_and_never_compared(some: pd.DataFrame) -> None:
    table = places()
    order = list(table.index)
    for series in indicator_series(some, framework=load_framework(), order=order):
        for whole, _, third in series.columns:
            for code in ("E09000001", "E06000053"):
                at = order.index(code)
                assert whole[at] <= MISSING + 100 or third[at] & 15


def test_few_children_bear_no_comparison(some: pd.DataFrame) -> None:
    order = list(places().index)
    found = indicator_series(some, framework=load_framework(), order=order)
    stable = next(s for s in found if s.measure == "cla_long_stable_pct")
    rutland = [
        int(c[2][order.index("E06000017")] & 15)
        for c in stable.columns
        if c[0][order.index("E06000017")] > MISSING + 100
    ]
    assert rutland
    assert set(rutland) == {WITHHELD.index("too few children or events behind it")}


def test_places_run_by_region_and_end_with_england() -> None:
    table = places()
    assert table["kind"].value_counts().to_dict() == {"authority": 153, "region": 9, "country": 1}
    assert table.index[-1] == "E92000001"
    own = table[table["kind"] == "authority"]
    assert own["region_name"].is_monotonic_increasing
    assert (~own["ranked"]).sum() == 2


def test_outlines_are_closed_paths_within_the_country() -> None:
    found = outlines(["E09000012", "E06000053", "E10000012"])
    for path in found.values():
        assert re.fullmatch(r"(M-?\d+ -?\d+l(-?\d+ -?\d+ ?)+z)+", path)
    x, y = map(int, re.match(r"M(-?\d+) (-?\d+)", found["E09000012"]).groups())
    assert 5300 < x < 5400  # Hackney lies near 534 km east, 185 km north
    assert -1900 < y < -1800


def test_contested_measures_have_no_better_way() -> None:
    framework = load_framework()
    found = measures(framework, scored={}, sources={})
    for indicator in framework.indicators:
        if indicator.contested:
            assert found[indicator.id]["direction"] == 0
            assert found[indicator.id]["contested"]
    assert found["happy"]["experimental"]


def test_names_can_neither_end_the_script_nor_open_another() -> None:
    nasty = {"name": "</script><script>alert(1)</script><!-- & --"}
    text = _inside_script(nasty)
    assert "<" not in text
    assert ">" not in text
    assert json.loads(text) == nasty


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(Exception, match="fsm/some"):
        group_label("fsm", "some")


def test_the_atlas_gives_a_score_no_word_that_its_standing_does_not_give():
    """What the page works out from rounded bounds never goes further than the index; the reason stands with the place."""
    from outcomes_analysis.figures.atlas.gathering import NOT_CLEAR, domain_series
    from outcomes_analysis.index.score_rows import DEPENDS
    from outcomes_analysis.pipeline.results import default_index

    table = default_index().table
    order = list(places().index)
    depending = 0
    for series in domain_series({2025: table}, order=order):
        rows = table[table["node_id"] == series.measure].set_index("area_code").reindex(order)
        value, below, third = (part.astype(int) for part in series.columns[0])
        above, reason = third >> 4, third & 15
        england = value[order.index("E92000001")]
        page = np.select([value - below > england, value + above < england], ["above", "below"], "not clear")
        said = rows["standing"].fillna("").to_numpy(object)
        told = (reason == 0) & (said != "")
        plain = told & (page != "not clear")
        assert (page[plain] == said[plain]).all()
        assert {WITHHELD[r] for r in reason[said == DEPENDS]} <= {DEPENDS}
        assert (WITHHELD.index(NOT_CLEAR) == reason).sum() <= 5
        depending += int((said == DEPENDS).sum())
    assert depending > 100
