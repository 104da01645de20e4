"""Panel imputation: by hand, against pandas, the same in any order of rows, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.index.steps.panel_imputation import Latest, Linear, impute_panel

YEARS = [2018, 2019, 2020, 2021, 2022]
WANTED = {
    "latest": [np.nan, 2, 2, 2, 8],
    "constant": [2, 2, 2, 2, 8],
    "linear": [2, 2, 4, 6, 8],
    "linear_constant": [2, 2, 4, 6, 8],
}


@pytest.fixture(scope="module")
def panel(gold):
    return pd.read_csv(gold / "coinr" / "04_panel_in.csv")


@pytest.mark.parametrize("method", WANTED)
def test_each_method_by_hand(method):
    values = pd.DataFrame({"x": [np.nan, 2, np.nan, np.nan, 8]})
    result = impute_panel(values, units=["A"] * 5, times=YEARS, method=method)
    np.testing.assert_array_equal(result.values["x"], WANTED[method])


def test_where_each_value_comes_from_is_told():
    values = pd.DataFrame({"x": [np.nan, 2, np.nan, np.nan, 8]})
    result = impute_panel(values, units=["A"] * 5, times=YEARS, method="linear")
    assert result.details[["time", "from_time", "to_time"]].to_numpy().tolist() == [
        [2018, 2019, 2019],
        [2020, 2019, 2022],
        [2021, 2019, 2022],
    ]
    assert result.changes["parameters"].tolist() == ["from 2019", "between 2019 and 2022", "between 2019 and 2022"]
    assert result.text == "3 of 3 missing values were filled from other times of the same unit."


def test_one_value_makes_no_line():
    # COINr stops there with an error (its issue 63); "linear_constant" is its way out, and so it is here.
    values = pd.DataFrame({"x": [np.nan, 2, np.nan]})
    line = impute_panel(values, units=["A"] * 3, times=YEARS[:3], method="linear")
    assert line.values["x"].isna().tolist() == [True, False, True]
    assert "0 of 2" in line.text
    both = impute_panel(values, units=["A"] * 3, times=YEARS[:3], method="linear_constant")
    assert both.values["x"].tolist() == [2, 2, 2]


def test_a_value_too_far_away_is_not_used():
    values = pd.DataFrame({"x": [1, np.nan, np.nan, np.nan, 9]})
    assert impute_panel(values, units=["A"] * 5, times=YEARS, method=Latest(max_gap=2)).values["x"].isna().sum() == 1
    near = impute_panel(values, units=["A"] * 5, times=YEARS, method=Linear(max_gap=1)).values["x"]
    np.testing.assert_array_equal(near, [1, 3, np.nan, 7, 9])


@pytest.mark.parametrize("method", WANTED)
def test_the_order_of_rows_does_not_matter(panel, method):
    # COINr's record of sources is in another order than its data, and shuffled years mix units (defect 5).
    indicators = panel.drop(columns=["uCode", "Time"])
    whole = impute_panel(indicators, units=panel["uCode"], times=panel["Time"], method=method)
    order = np.random.default_rng(0).permutation(len(panel))
    mixed = panel.iloc[order]
    again = impute_panel(mixed[indicators.columns], units=mixed["uCode"], times=mixed["Time"], method=method)
    assert again.values.index.tolist() == mixed.index.tolist()
    pd.testing.assert_frame_equal(again.values.sort_index(), whole.values)
    keys = ["unit", "time", "indicator"]
    pd.testing.assert_frame_equal(
        again.details.sort_values(keys, ignore_index=True), whole.details.sort_values(keys, ignore_index=True)
    )


@pytest.mark.parametrize("method", WANTED)
def test_the_panel_as_pandas_does_it_unit_by_unit(panel, method):
    indicators = panel.drop(columns=["uCode", "Time"])
    got = impute_panel(indicators, units=panel["uCode"], times=panel["Time"], method=method).values

    def by_unit(series):
        indexed = series.set_axis(panel.loc[series.index, "Time"])
        if method in ("latest", "constant"):
            filled = indexed.ffill() if method == "latest" else indexed.ffill().bfill()
        elif method == "linear" and indexed.count() == 1:
            filled = indexed
        else:
            filled = indexed.interpolate("index", limit_direction="both")
        return filled.set_axis(series.index)

    ordered = panel.sort_values("Time")
    wanted = pd.concat(
        [by_unit(part) for c in indicators for _, part in ordered.groupby("uCode")[c]], keys=None
    )  # column after column
    wanted = pd.DataFrame(
        {c: wanted.iloc[k * len(panel) : (k + 1) * len(panel)].sort_index() for k, c in enumerate(indicators)}
    )
    # a straight line computed in another order: rounding only
    pd.testing.assert_frame_equal(got, wanted, rtol=1e-12)
    assert got.isna().to_numpy().sum() < indicators.isna().to_numpy().sum()


def test_refusals_name_the_culprit():
    values = pd.DataFrame({"x": [1.0, 2.0]})
    with pytest.raises(ObservationsError, match=r"same time \(A 2019\)"):
        impute_panel(values, units=["A", "A"], times=[2019, 2019])
    with pytest.raises(ObservationsError, match="1 units and 2 times"):
        impute_panel(values, units=["A"], times=[2019, 2020])
    with pytest.raises(ObservationsError, match="lack a unit or a time"):
        impute_panel(values, units=["A", None], times=[2019, 2020])
