"""Treatment against COINr and scipy, the ties and forced treatments COINr gets wrong, and properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.steps.moments import kurtosis, skewness
from outcomes_analysis.index.steps.transforms import estimate_power
from outcomes_analysis.index.steps.treatment import (
    BoxCox,
    LogCT,
    LogCTOrig,
    LogCTPlus,
    LogGII,
    SkewKurtosis,
    Untreated,
    Winsorise,
    treat,
    winsorise_tail,
)


def read(gold, name):
    return pd.read_csv(gold / "coinr" / f"{name}.csv", index_col=0)


def assert_close(got, wanted, *, tolerance=1e-9):
    """Equal to `tolerance` of the column's largest value: the files carry 17 digits, sums differ in their order."""
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    assert np.nanmax(np.abs(got - wanted) / np.nanmax(np.abs(wanted), axis=0)) <= tolerance


def marks_of(points):
    """COINr's marks in our words.

    COINr goes on calling points "winhi+log_CT" although the log was taken of the original values: the
    winsorising was undone, so we mark what holds.
    """
    table = {"winhi": "winsorised_high", "winlo": "winsorised_low"}
    return (
        points.astype("str")
        .fillna("")
        .map(lambda mark: "log_ct" if mark.endswith("+log_CT") else table.get(mark, mark))
    )


DECISIONS = {
    "default": SkewKurtosis(),
    "winmax1": SkewKurtosis(maximum=1),
    "strict": SkewKurtosis(skew=1, kurtosis=2),
}


@pytest.mark.parametrize("case", DECISIONS)
def test_the_decision_table_as_coinr(gold, case):
    screened = read(gold, "01_coin_4_screened")
    before = screened.copy()
    result = treat(screened, method=DECISIONS[case])
    wanted = read(gold, f"05_treat_{case}")
    assert result.values.columns.tolist() == wanted.columns.tolist()
    assert_close(result.values, wanted)
    assert (result.marked == marks_of(read(gold, f"05_treat_{case}_points"))).all(axis=None)
    details = read(gold, f"05_treat_{case}_details")
    assert_details(result.details.set_index("indicator"), details)
    pd.testing.assert_frame_equal(screened, before)


def assert_details(got, wanted):
    assert got.index.tolist() == wanted.index.tolist()
    pairs = {
        "check_SkewKurt0.Pass": "passes",
        "check_SkewKurt0.Skew": "skewness",
        "check_SkewKurt0.Kurt": "kurtosis",
        "check_SkewKurt1.Pass": "winsorised_passes",
        "check_SkewKurt1.Skew": "winsorised_skewness",
        "check_SkewKurt1.Kurt": "winsorised_kurtosis",
    }
    for theirs, ours in pairs.items():
        assert_close(got[ours], wanted[theirs])
    assert_close(got["winsorised"], wanted["winsorise.nwin"].fillna(0))
    if "check_SkewKurt2.Pass" in wanted:
        third = wanted["check_SkewKurt2.Pass"].notna()
        for theirs, ours in {"Pass": "final_passes", "Skew": "final_skewness", "Kurt": "final_kurtosis"}.items():
            assert_close(got.loc[third, ours], wanted.loc[third, f"check_SkewKurt2.{theirs}"])


def test_the_example_index_as_coinr(gold):
    result = treat(read(gold, "01_coin_4_screened"))
    assert_close(result.values, read(gold, "01_coin_5_treated"))
    assert (result.marked == marks_of(read(gold, "01_coin_treat_points"))).all(axis=None)
    assert_details(result.details.set_index("indicator"), read(gold, "01_coin_treat_details"))


def test_three_at_most_as_coinr(gold):
    result = treat(read(gold, "01_coin_4_screened"), method=SkewKurtosis(maximum=3))
    assert_close(result.values, read(gold, "05_qtreat_winmax3"))


def test_one_that_fails_to_the_end_is_named(gold):
    # COINr keeps the logs too, but only its table of details says that they still fail.
    result = treat(read(gold, "01_coin_4_screened"), method=SkewKurtosis(maximum=1))
    assert "2 indicators still fail the test of outliers: ForPort, CultServ" in result.text


VECTORS = {
    "wins_max5": SkewKurtosis(transform="none"),
    "wins_max1": SkewKurtosis(transform="none", maximum=1),
    # Until neither tail fails any more, COINr's file has four values changed: two above, two below.
    "wins_force_nolimit": Winsorise(units=4),
    "log_CT": LogCT(),
    "log_CT_plus": LogCTPlus(),
    "log_CT_orig": LogCTOrig(),
    "log_GII_intended": LogGII(),
    "boxcox_0": BoxCox(power=0),
    "boxcox_m05": BoxCox(power=-0.5),
    "boxcox_05": BoxCox(power=0.5),
    "boxcox_2": BoxCox(power=2),
}


@pytest.mark.parametrize("column", VECTORS)
def test_one_vector_as_coinr(gold, column):
    table = pd.read_csv(gold / "coinr" / "05_vector_transforms.csv")
    assert_close(treat(table[["x"]], method=VECTORS[column]).values["x"], table[column])


def test_the_mirrored_log_and_the_flags_as_coinr(gold):
    table = pd.read_csv(gold / "coinr" / "05_vector_transforms.csv")
    assert_close(treat(-table[["x"]], method="log_ct_plus").values["x"], table["log_CT_plus_neg"])
    marked = treat(table[["x"]], method=SkewKurtosis(transform="none")).marked["x"]
    names = {"winhi": "winsorised_high", "winlo": "winsorised_low"}
    assert marked.tolist() == [names.get(m, "") for m in table["wins_flag"]]


def test_log_gii_is_the_log_and_not_the_input(gold):
    # COINr 1.1.14 computes the log and returns x (composite.md 4.2, defect 1): the file's other column has the formula.
    table = pd.read_csv(gold / "coinr" / "05_vector_transforms.csv")
    got = treat(table[["x"]], method="log_gii").values["x"]
    assert not np.allclose(got, table["log_GII_BUG"], equal_nan=True)
    with pytest.raises(SpecError, match="maximum above 1"):
        treat(pd.DataFrame({"share": [0.1, 0.2, 0.9]}), method="log_gii")


def test_skewness_and_kurtosis_as_coinr_and_scipy(gold):
    wanted = read(gold, "05_vector_skewkurt")["value"]
    x = pd.read_csv(gold / "coinr" / "05_vector_transforms.csv")["x"].to_numpy()
    got = [float(skewness(x)), float(kurtosis(x)), float(skewness(-x))]
    np.testing.assert_allclose(got, wanted.loc[["skew", "kurt", "skew_neg"]], rtol=1e-12)
    present = x[~np.isnan(x)]
    assert float(kurtosis(x)) == pytest.approx(stats.kurtosis(present, bias=False), rel=1e-12)
    assert np.isnan(skewness(np.full(5, 0.1)))
    assert np.isnan(kurtosis(np.array([1.0, 2.0, 4.0])))


def test_a_treatment_named_is_carried_out_even_where_the_indicator_passes():
    # COINr's `force_win` does nothing for an indicator that passes (defect 6, its issue 53).
    values = pd.DataFrame({"even": np.arange(1.0, 11), "other": np.arange(1.0, 11)})
    result = treat(values, method={"default": "skew_kurtosis", "even": Winsorise(units=2, side="high")})
    assert result.values["even"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    assert result.values["other"].tolist() == values["other"].tolist()
    assert result.changes["unit"].tolist() == ["8", "9"]
    assert treat(values, method="log_ct").changes["what"].tolist() == ["log_ct", "log_ct"]


def test_ties_count_as_the_units_they_are():
    # Three tie at the top and one may be changed. COINr changes all three; changing one of three equal units
    # would set equals apart: so none is.
    x = np.array([1.0, 2, 3, 4, 5, 90, 90, 90])
    assert winsorise_tail(x, units=1, side="high").tolist() == [0] * 8
    assert winsorise_tail(x, units=3, side="high").tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert winsorise_tail(x, units=4, side="high").tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_combined_winsorising_and_log_marks_both():
    rng = np.random.default_rng(3)
    values = pd.DataFrame({"x": np.exp(2 * rng.normal(size=60))})
    apart = treat(values, method=SkewKurtosis(maximum=1))
    joined = treat(values, method=SkewKurtosis(maximum=1, combine=True))
    top = int(values["x"].argmax())
    assert apart.marked["x"].iloc[top] == "log_ct"
    assert joined.marked["x"].iloc[top] == "winsorised_high+log_ct"
    capped = np.sort(values["x"].to_numpy())[-2]
    low = values["x"].min()
    assert joined.values["x"].iloc[top] == pytest.approx(np.log(capped - low + 0.01 * (capped - low)), rel=1e-12)
    cell = joined.changes.iloc[0]
    assert (cell["before"], cell["after"]) == (values["x"].max(), capped)


def test_the_estimated_power_is_that_of_largest_likelihood():
    rng = np.random.default_rng(11)
    for y in (np.exp(rng.normal(size=200)), rng.gamma(2, size=150), 5 + rng.normal(size=80)):
        wanted = stats.boxcox_normmax(y, method="mle", brack=(-2, 2))
        # both stop when the likelihood is flat to rounding, some 1e-8 of its curvature
        assert estimate_power(y) == pytest.approx(wanted, abs=1e-5)
        losses = [-stats.boxcox_llf(p, y) for p in np.linspace(-5, 5, 101)]
        assert -stats.boxcox_llf(estimate_power(y), y) <= min(losses) + 1e-9
    result = treat(pd.DataFrame({"x": np.exp(rng.normal(size=2000))}), method=BoxCox(shift="none"))
    assert abs(result.details.at[0, "final_skewness"]) < 0.15
    assert "estimated" in result.details.at[0, "parameters"]


def test_short_and_constant_columns_are_left_alone_and_named():
    # COINr stops with an error on a short series (its issue 45), and divides nothing by nothing on a constant one.
    values = pd.DataFrame({"flat": np.ones(8), "short": [1.0, 2, 900] + [np.nan] * 5})
    result = treat(values)
    pd.testing.assert_frame_equal(result.values, values)
    assert "2 indicators could not be tested" in result.text
    with pytest.raises(SpecError, match="flat"):
        treat(values, method=LogCT())
    empty = pd.DataFrame({"none": [np.nan] * 6})
    pd.testing.assert_frame_equal(treat(empty, method=Winsorise(units=2)).values, empty)


def test_methods_by_name_and_what_is_refused():
    values = pd.DataFrame({"x": [1.0, 2, 3, 4, 500]})
    with pytest.raises(SpecError, match="no method 'log'"):
        treat(values, method="log")
    with pytest.raises(SpecError, match="winmax"):
        treat(values, method={"method": "skew_kurtosis", "winmax": 5})
    with pytest.raises(SpecError, match="have no method"):
        treat(values.assign(y=1.0), method={"x": "none"})
    with pytest.raises(SpecError, match="units"):
        treat(values, method="winsorise")
    with pytest.raises(SpecError, match="above 0"):
        treat(values - 1, method=BoxCox(shift="none"))
    assert treat(values, method=Untreated()).changes.empty


numbers = hnp.arrays(float, st.integers(6, 40), elements=st.floats(-1e3, 1e3).map(lambda v: round(v, 3)))


@given(numbers, st.sampled_from([SkewKurtosis(), SkewKurtosis(maximum=2, combine=True), Winsorise(units=3), BoxCox()]))
def test_order_is_kept_and_input_unchanged(x, method):
    if np.unique(x).size < 3:
        return
    values = pd.DataFrame({"x": x})
    got = treat(values, method=method).values["x"].to_numpy()
    order = np.argsort(x, kind="stable")
    assert (np.diff(got[order]) >= -1e-9 * max(1, np.abs(got).max())).all()
    assert values["x"].to_numpy().tolist() == x.tolist()


@given(numbers, st.integers(1, 6))
def test_no_more_units_change_than_allowed(x, units):
    assert np.count_nonzero(winsorise_tail(x, units=units)) <= units


def test_two_values_are_never_made_one():
    # a rare event, 1 in 41: winsorising the one would leave an indicator that says nothing
    values = pd.DataFrame({"x": [0.0] * 40 + [1.0]})
    result = treat(values, method=SkewKurtosis(transform="none"))
    pd.testing.assert_frame_equal(result.values, values)
    assert "still fail the test of outliers: x" in result.text
