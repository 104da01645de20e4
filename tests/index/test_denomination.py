"""Denominating against COINr, by hand, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import ObservationsError, SpecError
from outcomes_analysis.index.steps.denomination import denominate, denominator_correlations


def read(gold, name):
    return pd.read_csv(gold / "coinr" / f"{name}.csv", index_col=0)


def assert_same(got, wanted, *, tolerance=1e-9):
    """Equal to `tolerance` of the column's largest value: the files carry 17 digits, sums differ in their order."""
    pd.testing.assert_index_equal(got.index, wanted.index, check_names=False)
    pd.testing.assert_index_equal(got.columns, wanted.columns, check_names=False)
    assert (got.isna() == wanted.isna()).all(axis=None)
    largest = wanted.abs().max()
    assert ((got - wanted).abs() / largest).max(axis=None) <= tolerance


@pytest.fixture(scope="module")
def units(gold):
    return pd.read_csv(gold / "coinr" / "00_in_asem_idata.csv").set_index("uCode")


@pytest.fixture(scope="module")
def meta(gold):
    return pd.read_csv(gold / "coinr" / "00_in_asem_imeta.csv").set_index("iCode")


def test_a_rate_per_thousand_by_hand():
    values = pd.DataFrame({"cases": [10.0, np.nan, 6.0]}, index=["A", "B", "C"])
    sizes = pd.DataFrame({"children": [3000.0, 0.0, 2000.0]}, index=["C", "B", "A"])
    result = denominate(values, denominators=sizes, by={"cases": "children"}, scale=1000)
    assert result.values["cases"].tolist()[::2] == [5.0, 2.0]
    assert np.isnan(result.values.at["B", "cases"])
    assert result.changes[["indicator", "what"]].to_numpy().tolist() == [["cases", "divide"]]
    back = denominate(result.values, denominators=sizes, by={"cases": "children"}, scale=1000, function="multiply")
    pd.testing.assert_frame_equal(back.values, values)


def test_the_example_index_as_coinr(gold, units, meta):
    wanted = read(gold, "01_coin_2_denominated")
    raw = read(gold, "01_coin_1_raw")
    by = meta.loc[raw.columns, "Denominator"].dropna().to_dict()
    before = raw.copy()
    # The table of denominators is in another order than the values: rows are matched by label.
    result = denominate(raw, denominators=units[["GDP", "Population", "Area", "Energy"]], by=by)
    assert_same(result.values, wanted)
    assert sorted(result.changes["indicator"]) == sorted(by)
    pd.testing.assert_frame_equal(raw, before)


def test_scales_by_indicator_as_coinr(gold, units):
    wanted = read(gold, "02_denominate_scalefactor")
    raw = read(gold, "01_coin_1_raw")[wanted.columns]
    result = denominate(
        raw,
        denominators=units,
        by={"Flights": "Population", "Goods": "GDP", "CultServ": "Population"},
        scale={"Flights": 1000, "CultServ": 1e6},
    )
    assert_same(result.values, wanted)


def test_correlations_with_denominators_as_coinr(gold, units):
    wanted = pd.read_csv(gold / "coinr" / "02_denom_corr.csv")
    raw = read(gold, "01_coin_1_raw")
    got = denominator_correlations(raw, denominators=units[["Area", "Energy", "GDP", "Population"]])
    assert got[["indicator", "denominator"]].to_numpy().tolist() == wanted[["Ind", "Denom"]].to_numpy().tolist()
    np.testing.assert_allclose(got["correlation"], wanted["Corr"], rtol=1e-9)


def test_a_zero_denominator_makes_missing_and_says_so():
    values = pd.DataFrame({"cases": [1.0, 2.0]}, index=["A", "B"])
    sizes = pd.DataFrame({"children": [0.0, 4.0]}, index=["A", "B"])
    result = denominate(values, denominators=sizes, by={"cases": "children"})
    assert result.values["cases"].isna().tolist() == [True, False]
    assert result.details["made_missing"].tolist() == [1]
    assert "1 values became missing" in result.text


def test_refusals_name_the_culprit():
    values = pd.DataFrame({"cases": [1.0, 2.0]}, index=["A", "B"])
    sizes = pd.DataFrame({"children": [-1.0]}, index=["A"])
    with pytest.raises(ObservationsError, match=r"2 problems(.|\n)*\(B\)(.|\n)*\(children\)"):
        denominate(values, denominators=sizes, by={"cases": "children"})
    with pytest.raises(SpecError, match="deaths"):
        denominate(values, denominators=sizes, by={"deaths": "children"})
    with pytest.raises(SpecError, match="adults"):
        denominate(values, denominators=sizes, by={"cases": "adults"})
    with pytest.raises(SpecError, match="not above zero"):
        denominate(values, denominators=sizes.abs(), by={"cases": "children"}, scale=0)
