"""Screening against COINr, by group, with forced units, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.steps.screening import availability_table, screen

COLUMNS = {
    "N_missing": "missing",
    "N_zero": "zeros",
    "N_miss_or_zero": "missing_or_zero",
    "Dat_Avail": "availability",
    "Non_Zero": "nonzero",
    "LowData": "low_availability",
    "LowNonZero": "low_nonzero",
    "Included": "kept",
}


def read(gold, name):
    return pd.read_csv(gold / "coinr" / f"{name}.csv", index_col=0)


def assert_summary(got, wanted):
    for theirs, ours in COLUMNS.items():
        if theirs in wanted:
            # shares of small counts: nothing but rounding of a division
            np.testing.assert_allclose(got[ours].astype(float), wanted[theirs].astype(float), rtol=1e-12)
    pd.testing.assert_index_equal(got.index, wanted.index, check_names=False)


def test_dropped_and_kept_as_coinr(gold):
    values = read(gold, "01_coin_2_denominated")
    result = screen(values, availability=0.9, nonzero=0.9, by=["availability"])
    assert_summary(result.details, read(gold, "03_screen_byNA_summary"))
    removed = read(gold, "03_screen_byNA_removed").index.tolist()
    assert result.changes["unit"].tolist() == removed
    assert result.values.index.tolist() == [u for u in values.index if u not in removed]
    assert "5 of 51 were dropped: BGD, BRN, KHM, LAO, MMR" in result.text


def test_the_example_index_as_coinr(gold):
    result = screen(read(gold, "01_coin_3_imputed"), availability=0.9, by=["availability"])
    assert_summary(result.details, read(gold, "01_coin_screen_summary"))
    pd.testing.assert_frame_equal(result.values, read(gold, "01_coin_4_screened"), check_dtype=False, rtol=1e-12)
    assert len(result.changes) == 0


def test_availability_by_unit_and_group_as_coinr(gold):
    values = read(gold, "01_coin_2_denominated")
    assert_summary(availability_table(values), read(gold, "03_data_avail_summary"))
    wanted = read(gold, "03_data_avail_bygroup")
    got = availability_table(values, groups=read(gold, "01_coin_lineage"))
    assert sorted(got.columns) == sorted(wanted.columns)
    np.testing.assert_allclose(got[wanted.columns], wanted, rtol=1e-12)


@pytest.fixture
def values():
    return pd.DataFrame(
        {"h1": [1.0, np.nan, 1.0, 0.0], "h2": [2.0, np.nan, np.nan, 0.0], "s1": [3.0, 1, 5, 0], "s2": [4.0, 2, 6, 0]},
        index=["A", "B", "C", "Z"],
    )


GROUPS = {"h1": "health", "h2": "health", "s1": "schooling", "s2": "schooling"}


def test_a_group_with_nothing_drops_a_unit(values):
    assert screen(values, availability=0.5, by=["availability"]).values.index.tolist() == ["A", "B", "C", "Z"]
    result = screen(values, availability=0.5, by=["availability"], groups=GROUPS)
    assert result.values.index.tolist() == ["A", "C", "Z"]
    assert result.changes["parameters"].tolist() == ["availability 50%, lowest group 0%"]


def test_zeros_drop_and_forced_units_are_obeyed(values):
    assert screen(values, availability=0).values.index.tolist() == ["A", "B", "C"]
    result = screen(values, availability=0, forced={"Z": True, "A": False})
    assert result.values.index.tolist() == ["B", "C", "Z"]
    assert result.changes["parameters"].tolist() == ["dropped as asked"]


def test_a_unit_without_any_value_is_dropped_for_that_not_for_zeros(values):
    values.loc["B"] = np.nan
    result = screen(values, availability=0.1)
    assert not result.details.at["B", "low_nonzero"]
    assert not result.details.at["B", "kept"]


def test_refusals_name_the_culprit(values):
    with pytest.raises(SpecError, match="Nowhere"):
        screen(values, forced={"Nowhere": True})
    with pytest.raises(SpecError, match=r"availability=66"):
        screen(values, availability=66)
    with pytest.raises(SpecError, match="s2"):
        screen(values, groups={k: v for k, v in GROUPS.items() if k != "s2"})
    with pytest.raises(SpecError, match="byNA"):
        screen(values, by=["byNA"])
