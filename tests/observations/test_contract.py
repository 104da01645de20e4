"""The contract of the one table: each fault is found, named with its rows, and all are told at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.observations.contract import (
    COLUMNS,
    NUMBERS,
    check_observations,
    combine,
    empty,
    join_flags,
)


@pytest.fixture
def good(observations):
    return observations(
        indicator_id=["a", "a", "b"],
        area_code=["E06000001", "E06000002", "E06000001"],
        value=[10.0, 20.0, 30.0],
        lower=[9.0, np.nan, np.nan],
        upper=[11.0, np.nan, np.nan],
        level=[0.95, np.nan, np.nan],
    )


def test_an_empty_table_meets_the_contract():
    table = check_observations(empty())
    assert tuple(table.columns) == COLUMNS
    assert all(table[name].dtype == "float64" for name in NUMBERS)
    assert table["area_code"].dtype == "str"


def test_a_good_table_passes_and_comes_back(good, framework, indicator):
    fw = framework(indicator("a"), indicator("b"))
    assert check_observations(good, framework=fw, known_areas=["E06000001", "E06000002"]) is good


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": ["publishd", "published", "published"]}, r"unknown status .* in 1 row: row 1 \(publishd\)"),
        ({"status": [None, "published", "published"]}, "unknown status .* row 1"),
        ({"flags": ["", "revised;capped", ""]}, r"unknown flags .* row 2 \(revised;capped\)"),
        ({"flags": ["guess", "", ""]}, r"unknown flags .* row 1 \(guess\)"),
        ({"value": [10.0, np.nan, 30.0]}, "no value, yet the status says there is one in 1 row: row 2"),
        ({"status": ["published", "suppressed", "published"]}, "a value, yet the status says there is none .* row 2"),
        ({"value": [10.0, np.inf, 30.0]}, "infinite value .* row 2"),
        ({"lower": [10.5, np.nan, np.nan]}, "lower bound above the value .* row 1"),
        ({"upper": [9.5, np.nan, np.nan]}, "upper bound below the value .* row 1"),
        ({"upper": [np.nan] * 3}, "only one of the two bounds in 1 row: row 1"),
        ({"level": [95.0, np.nan, np.nan]}, "level between 0 and 1 in 1 row: row 1"),
        ({"se_sampling": [1.0, -1.0, np.nan]}, "negative se_sampling .* row 2"),
        ({"se_sampling": [1.0] * 3, "se_total": [0.5, 1.0, 1.0]}, "se_total smaller than se_sampling .* row 1"),
        ({"denominator": [1.0, 1.0, -1.0]}, "negative denominator .* row 3"),
        ({"period_end": pd.to_datetime(["2023-01-01"] * 3)}, "period_end before period_start in 3 rows"),
        ({"period_end": pd.to_datetime([None] * 3)}, "no period_start or period_end in 3 rows"),
        ({"area_code": ["E06000001"] * 3}, r"more than one value for one key .* rows 1 \(a\), 2 \(a\)"),
        ({"area_code": [None, "E06000002", "E06000001"]}, "no area_code in 1 row: row 1"),
        ({"group": ["girls", "all", "all"]}, r"group_type and group .* row 1 \(girls\)"),
    ],
)
def test_each_fault_is_named_with_its_row(good, change, said):
    with pytest.raises(ObservationsError, match=said):
        check_observations(good.assign(**change))


def test_faults_of_columns(good):
    with pytest.raises(ObservationsError, match="1 columns missing: status"):
        check_observations(good.drop(columns="status"))
    with pytest.raises(ObservationsError, match="1 unknown columns: colour"):
        check_observations(good.assign(colour="red"))
    with pytest.raises(ObservationsError, match="not numbers: columns value"):
        check_observations(good.assign(value=["1", "c", "3"]))
    with pytest.raises(ObservationsError, match="not dates: columns period_start"):
        check_observations(good.assign(period_start="2024"))
    with pytest.raises(ObservationsError, match="columns given twice: value"):
        check_observations(pd.concat([good, good[["value"]]], axis=1))


def test_faults_against_framework_and_register(good, framework, indicator):
    fw = framework(indicator("a", valid_range=(0.0, 15.0)))
    with pytest.raises(ObservationsError) as caught:
        check_observations(good, framework=fw, known_areas=["E06000001"], where="local.csv", first_row=2)
    message = str(caught.value)
    assert message.startswith("local.csv: 3 problems")
    assert (
        "indicator not registered in framework 'made' (register it or remove the rows) in 1 row: row 4 (b)" in message
    )
    assert "value outside the range of 'a' (0 to 15) in 1 row: row 3 (20.0)" in message
    assert "unknown area codes (E06000002)" in message


def test_a_percentage_above_100_is_told_unless_its_indicator_allows_it(good, framework, indicator):
    high = good.assign(value=[100.2, 20.0, 30.0], lower=np.nan, upper=np.nan, level=np.nan)
    with pytest.raises(ObservationsError, match=r"range of 'a' \(0 to 100\) in 1 row: row 1 \(100.2\)"):
        check_observations(high, framework=framework(indicator("a"), indicator("b")))
    check_observations(high, framework=framework(indicator("a", valid_range=(0.0, 250.0)), indicator("b")))


def test_first_five_rows_and_the_number_of_the_rest(observations):
    codes = [f"E0600{i:04d}" for i in range(8)]
    bad = observations(indicator_id="a", area_code=codes, value=[1.0] * 8, status="guess")
    with pytest.raises(ObservationsError, match=r"in 8 rows: rows 1 \(guess\), .*5 \(guess\) and 3 more"):
        check_observations(bad)


def test_combine_keeps_types_and_skips_empty_tables(good):
    both = combine([empty(), good, good.assign(group_type="sex", group="girls")])
    assert len(both) == 6
    assert list(both.index) == list(range(6))
    assert (both.dtypes == empty().dtypes).all()
    assert len(combine([])) == 0


def test_join_flags_sorts_and_does_not_repeat():
    flags = pd.Series(["", "revised", "provisional", "break_before;revised"])
    joined = join_flags(flags, "break_before", where=[True, True, False, True])
    assert list(joined) == ["break_before", "break_before;revised", "provisional", "break_before;revised"]
    assert list(flags) == ["", "revised", "provisional", "break_before;revised"]  # the input is left alone
