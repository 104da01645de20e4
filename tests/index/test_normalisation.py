"""Normalisation against COINr, the Handbook's table and hand calculation, and what must hold for any data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from outcomes_analysis.errors import ObservationsError, SpecError
from outcomes_analysis.index.steps.normalisation import Normalisation, normalise
from outcomes_analysis.index.steps.orderings import (
    AroundMean,
    Categories,
    Exponential,
    NormalScores,
    PercentileRank,
    Rank,
)
from outcomes_analysis.index.steps.scalings import (
    Adjusted,
    BasePeriod,
    Distance,
    Goalposts,
    MinMax,
    Ratio,
    Scaled,
    Unscaled,
    ZScore,
)
from outcomes_analysis.index.steps.stepping import classes_of

# Sums of 51 numbers in another order differ by a few units of rounding: the 1e-9 leaves room, no more.
COINR = 1e-9


def close(found, expected, tolerance=COINR):
    expected = expected[list(found.columns)].loc[found.index]
    assert (found.isna() == expected.isna()).all(axis=None)
    largest = expected.abs().max().replace(0, 1)
    assert ((found - expected).abs().max() / largest).max() <= tolerance


@pytest.fixture(scope="module")
def asem(gold):
    folder = gold / "coinr"
    return (
        pd.read_csv(folder / "06_norm_in_treated.csv", index_col=0).astype(float),
        pd.read_csv(folder / "06_norm_directions.csv", index_col=0).iloc[:, 0],
    )


@pytest.fixture(scope="module")
def tai():
    return pd.read_csv(Path(__file__).with_name("tai.csv"), comment="#", index_col=0)


@pytest.mark.parametrize(
    ("file", "method"),
    [
        ("minmax_0_100", "minmax"),
        ("minmax_1_100", MinMax(lower=1)),
        ("minmax_0_1", MinMax(upper=1)),
        ("zscore_0_1", "zscore"),
        ("zscore_100_10", ZScore(mean=100, sd=10)),
        ("scaled", Scaled()),
        ("scaled_10_60", {"method": "scaled", "zero": 10, "one": 60, "factor": 1}),
        ("rank", "rank"),
        ("rank_average", Rank(ties="average")),
        ("borda", "borda"),
        ("prank", "percentile_rank"),
        ("prank_average", PercentileRank(ties="average")),
        ("dist2max", Distance()),
    ],
)
def test_as_coinr(gold, asem, file, method):
    values, directions = asem
    found = normalise(values, method=method, directions=directions)
    close(found.values, pd.read_csv(gold / "coinr" / f"06_norm_{file}.csv", index_col=0))
    assert found.values.index.equals(values.index)


def test_distance_to_targets_as_coinr(gold, asem):
    values, directions = asem
    targets = pd.read_csv(gold / "coinr/06_norm_goalposts_in.csv", index_col=0)["Target"]
    found = normalise(values, method=Distance(to="target", target=dict(targets)), directions=directions)
    close(found.values, pd.read_csv(gold / "coinr/06_norm_dist2targ.csv", index_col=0))


def test_distance_to_a_unit_is_one_there_and_zero_at_the_worst(asem):
    values, directions = asem
    columns = ["LPI", "Flights", "CO2", "Tariff"]
    found = normalise(values[columns], method=Distance(to="unit", unit="AUT"), directions=directions)
    assert (found.values.loc["AUT"] == 1).all()
    assert (found.values.min() == 0).all()
    # 1 - (ref - x) / (ref - min) by hand, for an indicator where lower is better
    x = -values["CO2"]
    expected = 1 - (x["AUT"] - x) / (x["AUT"] - x.min())
    assert found.values["CO2"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)


def test_goalposts_as_coinr(gold, asem):
    values, directions = asem
    posts = pd.read_csv(gold / "coinr/06_norm_goalposts_in.csv", index_col=0)
    method = Goalposts(lower=dict(posts["goalpost_lower"]), upper=dict(posts["goalpost_upper"]))
    found = normalise(values, method=method, directions=directions)
    close(found.values, pd.read_csv(gold / "coinr/06_norm_goalposts_trunc.csv", index_col=0))
    assert found.details["cut_off"].sum() > 0
    assert "beyond the end" in found.text


def test_goalposts_may_start_above_zero_and_stay_untruncated():
    values = pd.DataFrame({"a": [0.0, 50.0, 120.0]})
    low = normalise(values, method=Goalposts(lower=0, upper=100, range=(1, 101)))
    assert low.values["a"].tolist() == [1, 51, 101]
    free = normalise(values, method=Goalposts(lower=0, upper=100, truncate=False), directions={"a": -1})
    assert free.values["a"].tolist() == [100, 50, -20]


def test_fraction_of_maximum_keeps_higher_better(asem):
    """COINr's n_fracmax reverses 11 of ASEM's negative indicators; here the best always has 1."""
    values, directions = asem
    values = values.loc[:, values.min() >= 0]
    found = normalise(values, method="ratio", directions=directions).values
    directed = values * directions[values.columns]
    assert (found.max() == 1).all()
    for name in values:
        # a step down of less than rounding is none
        assert (np.diff(found[name].to_numpy()[directed[name].argsort()]) >= -1e-12).all()
    positive = values.columns[directions[values.columns] > 0]
    close(found[positive], values[positive] / values[positive].max())


def test_fraction_of_values_below_zero_is_refused():
    with pytest.raises(SpecError, match=r"below 0 \(b\)"):
        normalise(pd.DataFrame({"a": [1.0, 2], "b": [-1.0, 1]}), method="ratio")


TAI_METHODS = {
    "rank_best_high": "rank",
    "zscore": "zscore",
    "minmax": MinMax(upper=1),
    "dist_c_mean": Ratio(to="mean"),
    "dist_c_best": Ratio(to="best"),
    "dist_c_worst": Ratio(to="worst"),
    "diff_c_mean": Ratio(to="mean", difference=True),
    "diff_c_worst": Ratio(to="worst", difference=True),
    "above_below_mean_p20": AroundMean(threshold=0.2),
    "percentile": PercentileRank(worst="one_nth"),
    "categorical": Categories(),
}


@pytest.mark.parametrize("name", TAI_METHODS)
def test_the_handbooks_eleven_normalisations(tai, name):
    found = normalise(tai[["schooling"]].astype(float), method=TAI_METHODS[name]).values["schooling"]
    scale, decimals = (100, 1) if name == "percentile" else (1, 2)
    # printed with two decimals (percentiles with one): half a unit of the last, and rounding of the data
    assert np.abs(found * scale - tai[f"schooling_{name}"]).max() <= 0.5 * 10**-decimals + 1e-9


def test_normal_scores_by_hand():
    values = pd.DataFrame({"a": [3.0, 1.0, np.nan, 2.0]})
    blom = normalise(values, method="normal_scores").values["a"]
    # Blom for n = 3: the largest stands at (3 - 3/8) / 3.25 = .8077, whose normal quantile is .8694
    assert blom.tolist()[0] == pytest.approx(0.86942, abs=1e-5)
    assert blom[3] == pytest.approx(0, abs=1e-12)
    assert np.isnan(blom[2])
    scottish = normalise(values, method=NormalScores(position="van_der_waerden")).values["a"]
    assert scottish[0] == pytest.approx(0.67449, abs=1e-5)  # the upper quartile


def test_exponential_and_the_scottish_index(gold):
    table = pd.read_csv(gold / "simd2016/calc_domains_and_rank.csv.gz", index_col=0)
    weights = {
        "income": 0.28,
        "employment": 0.28,
        "health": 0.14,
        "education": 0.14,
        "access": 0.09,
        "crime": 0.05,
        "housing": 0.02,
    }
    ranks = table[list(weights)].astype(float)  # 1 = most deprived
    found = normalise(ranks, method=Exponential(), directions=dict.fromkeys(weights, -1)).values
    score = found @ pd.Series(weights)
    assert np.abs(score - table["simd_score"]).max() <= 1e-9
    # the top tenth is spread over about 50 (50.4) to 100, and the highest has exactly 100
    assert found["health"].max() == pytest.approx(100, rel=1e-12)
    assert -23 * np.log(1 - 0.9 * (1 - np.exp(-100 / 23))) == pytest.approx(50.43, abs=0.005)


def test_base_period_with_population_weights_by_hand():
    index = ["a 2015", "b 2015", "a 2016", "b 2016"]
    values = pd.DataFrame({"x": [0.0, 4.0, 2.0, 6.0]}, index=index)
    base = pd.Series([True, True, False, False], index=index)
    people = pd.Series([1.0, 3.0, 9.0, 9.0], index=index)
    found = normalise(values, method="base_period", base=base, population=people[::-1]).values["x"]
    # mean 3, variance (9 * 1 + 1 * 3) / 4 = 3
    assert found.to_numpy() == pytest.approx(100 + 10 * (values["x"].to_numpy() - 3) / np.sqrt(3))
    assert np.average(found[base], weights=people[base]) == pytest.approx(100)
    england = BasePeriod(centre="national", spread="sd", mean=0, sd=1)
    lower = normalise(values, method=england, base=base, national={"x": 1.0}, directions={"x": -1}).values["x"]
    assert lower.to_numpy() == pytest.approx((1 - values["x"].to_numpy()) / np.sqrt(8))


def test_adjusted_scale_has_the_reference_at_100():
    values = pd.DataFrame({"x": [0.0, 10.0, 5.0]})
    found = normalise(values, method=Adjusted(), base=pd.Series([True, False, True])).values["x"]
    # reference 2.5, half range 5: goalposts -2.5 and 7.5
    assert found.tolist() == pytest.approx([85, 145, 115])
    with pytest.raises(SpecError, match="national"):
        normalise(values, method=Adjusted(reference="national"))


def test_methods_by_indicator():
    values = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, 2, 3], "c": [1.0, 2, 3]})
    found = normalise(values, method={"b": "rank", "default": MinMax(upper=1)})
    assert found.values["b"].tolist() == [1, 2, 3]
    assert found.values[["a", "c"]].max().tolist() == [1, 1]
    assert found.changes["what"].tolist() == ["minmax", "rank", "minmax"]
    with pytest.raises(SpecError, match="zz"):
        normalise(values, method={"zz": "rank", "default": "zscore"})


@pytest.mark.parametrize("method", ["zscore", "minmax", "rank", "distance", "percentile_rank"])
def test_constant_columns_are_named_never_spread(method):
    # 0.1 three times has a computed standard deviation above 0
    values = pd.DataFrame({"a": [1.0, 2, 4], "flat": [0.1, 0.1, 0.1]})
    with pytest.raises(SpecError, match=r"flat"):
        normalise(values, method=method)
    middle = normalise(values, method=method, constant="middle").values
    assert middle["flat"].nunique() == 1
    assert middle.notna().all(axis=None)
    reversed_ = normalise(values, method=method, constant="middle", directions={"a": 1, "flat": -1}).values
    assert reversed_["flat"].tolist() == middle["flat"].tolist()


def test_faults_are_named():
    values = pd.DataFrame({"a": [1.0, 2], "b": [np.nan, np.nan]})
    with pytest.raises(ObservationsError, match=r"no value at all \(b\)"):
        normalise(values)
    with pytest.raises(SpecError, match="b"):
        normalise(values.fillna(1), directions={"a": 1, "b": 0})
    with pytest.raises(SpecError, match="AUT"):
        normalise(values[["a"]], method=Distance(to="unit", unit="AUT"))
    with pytest.raises(SpecError, match="target"):
        normalise(values[["a"]], method=Distance(to="target"))
    with pytest.raises(SpecError, match=r"nothing to scale by \(a\)"):
        normalise(values[["a"]], method=Distance(to="target", target=0.5))
    with pytest.raises(SpecError, match="not below"):
        normalise(values[["a"]], method=Goalposts(lower=3, upper=2))
    with pytest.raises(SpecError, match="population"):
        normalise(values[["a"]], method="base_period")
    with pytest.raises(SpecError, match="no method"):
        normalise(values[["a"]], method="zzz")
    with pytest.raises(SpecError, match="lacks 1 of the rows"):
        normalise(values[["a"]], method="base_period", population=pd.Series([1.0]))


SIMPLE = [
    "minmax", "zscore", Unscaled(), Scaled(), Distance(), Ratio(), "rank", "borda", "percentile_rank",
    "normal_scores", "exponential", AroundMean(), Categories(), Goalposts(lower=10, upper=60), Adjusted(),
    BasePeriod(centre="mean", spread="sd"), Distance(to="target", target={"a": 200, "b": -1}, cap=True),
]  # fmt: skip


def test_every_method_of_the_menu_is_tried_below():
    tried = {m if isinstance(m, str) else m.key() for m in SIMPLE}
    assert tried == {kind.key() for kind in classes_of(Normalisation)}


# whole hundredths: real figures have decimals, and rounding cannot turn neighbours round
data = arrays(float, st.tuples(st.integers(3, 12), st.just(2)), elements=st.integers(0, 10000).map(lambda k: k / 100))


@pytest.mark.parametrize("method", SIMPLE, ids=lambda m: m if isinstance(m, str) else f"{m.key()}-{m.parameters[:12]}")
@settings(max_examples=8)  # for each of 17 methods
@given(x=data, seed=st.integers(0, 99))
def test_monotone_and_indifferent_to_row_order(method, x, seed):
    values = pd.DataFrame(x, columns=["a", "b"])
    values.loc[0] = [0.0, 100.0]
    values.loc[1] = [100.0, 0.0]
    before = values.copy()
    directions = {"a": 1, "b": -1}
    found = normalise(values, method=method, directions=directions).values
    for name, sign in directions.items():
        order = (values[name] * sign).argsort(kind="stable")
        assert (np.diff(found[name].to_numpy()[order]) >= -1e-12).all()
    shuffled = values.sample(frac=1, random_state=seed)
    again = normalise(shuffled, method=method, directions=directions).values.loc[values.index]
    pd.testing.assert_frame_equal(found, again, rtol=1e-9, atol=1e-9)
    pd.testing.assert_frame_equal(values, before)


@settings(max_examples=20)
@given(x=data, slope=st.floats(0.01, 100), shift=st.floats(-1000, 1000))
def test_zscores_do_not_depend_on_the_unit_of_measurement(x, slope, shift):
    values = pd.DataFrame(x)
    values.loc[0] = 0.0
    values.loc[1] = 100.0
    one = normalise(values).values
    other = normalise(values * slope + shift).values
    # shifting by 1,000 costs three digits, a slope of 1/100 two more
    np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("method", ["zscore", "minmax", Ratio(), Distance(), Adjusted(), Unscaled()], ids=str)
def test_slope_and_intercept_lead_back_to_the_published_value(method):
    values = pd.DataFrame({"a": [1.0, 2, 7, np.nan], "b": [40.0, 10, 30, 20]})
    found = normalise(values, method=method, directions={"a": 1, "b": -1})
    rebuilt = found.details["intercept"] + values * found.details["slope"]
    pd.testing.assert_frame_equal(rebuilt, found.values, check_names=False, rtol=1e-12)


def test_a_class_starts_at_its_edge():
    values = pd.DataFrame({"a": np.arange(20.0)})
    found = normalise(values, method="categories").values["a"]
    # the 1st of 20 stands at percentile 5, where the second class starts; the 19th at 95, where the last does
    assert found.tolist() == [20, 20, *[40] * 4, *[50] * 6, *[60] * 4, *[80] * 2, 100, 100]
