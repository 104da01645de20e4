"""Sampling errors against exact software, a publisher's own intervals, and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcomes_analysis.errors import ObservationsError
from outcomes_analysis.observations.contract import check_observations
from outcomes_analysis.observations.intervals import (
    byar,
    negative_binomial,
    poisson_exact,
    sampling_errors,
    wilson,
    z_of,
)

COUNTS = np.array([0, 1, 3, 10, 57, 400, 12_345])


def test_wilson_is_that_of_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    for level in (0.9, 0.95, 0.998):
        for k, n in [(0, 10), (3, 60), (30, 60), (60, 60), (812, 4021)]:
            theirs = proportion_confint(k, n, alpha=1 - level, method="wilson")
            # Same formula; only the order of operations differs. 1e-9 allows for their rounding at 0 and 1.
            assert wilson(k, n, level=level) == pytest.approx(theirs, abs=1e-9)


def test_poisson_is_exact():
    lower, upper = poisson_exact(COUNTS, level=0.9)
    assert stats.poisson.cdf(COUNTS, upper) == pytest.approx(np.full(7, 0.05))
    assert stats.poisson.sf(COUNTS[1:] - 1, lower[1:]) == pytest.approx(np.full(6, 0.05))
    assert lower[0] == 0.0


def test_byar_as_printed_and_close_to_exact():
    # Breslow and Day (1987), formula for the interval of a count, worked by hand for 10 events at 95 %.
    expected_low = 10 * (1 - 1 / 90 - 1.959964 / (3 * np.sqrt(10))) ** 3
    expected_high = 11 * (1 - 1 / 99 + 1.959964 / (3 * np.sqrt(11))) ** 3
    assert byar(10, level=0.95) == pytest.approx((expected_low, expected_high), rel=1e-6)
    low, high = byar(COUNTS, level=0.95)
    exact_low, exact_high = poisson_exact(COUNTS, level=0.95)
    # Known to agree with the exact limits to about 1 % from ten events on.
    assert low[3:] == pytest.approx(exact_low[3:], rel=0.01)
    assert high[3:] == pytest.approx(exact_high[3:], rel=0.01)
    assert low[0] == 0.0
    assert np.isnan(byar(np.nan)).all()


def test_negative_binomial_is_exact():
    for dispersion in (1.5, 4.2):
        lower, upper = negative_binomial(COUNTS, dispersion=dispersion, level=0.9)
        p = 1 / dispersion
        at_upper = stats.nbinom(upper / (dispersion - 1), p)
        assert at_upper.mean() == pytest.approx(upper)
        assert at_upper.var() / at_upper.mean() == pytest.approx(np.full(7, dispersion))
        assert at_upper.cdf(COUNTS) == pytest.approx(np.full(7, 0.05), abs=1e-6)
        at_lower = stats.nbinom(lower[1:] / (dispersion - 1), p)
        assert at_lower.sf(COUNTS[1:] - 1) == pytest.approx(np.full(6, 0.05), abs=1e-6)
    assert np.array(negative_binomial(COUNTS, dispersion=1.0)) == pytest.approx(np.array(poisson_exact(COUNTS)))
    with pytest.raises(ObservationsError, match=r"at least 1; given 0\.5"):
        negative_binomial(3, dispersion=0.5)


def test_z_and_levels():
    assert z_of(0.9) == pytest.approx(1.6448536)
    assert z_of(0.95) == pytest.approx(1.9599640)
    with pytest.raises(ObservationsError, match=r"0\.9 for 90"):
        z_of(90)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_holds_its_share_and_stays_within_bounds(count, level):
    k, n = count
    lower, upper = wilson(k, n, level=level)
    assert 0 <= lower <= k / n + 1e-12
    assert k / n - 1e-12 <= upper <= 1


def test_injuries_the_publishers_intervals_are_byars(mirror):
    table = pd.read_csv(mirror / "ohid_fingertips" / "90284_injuries_0_14.csv", low_memory=False)
    low, high = "Lower CI 95.0 limit", "Upper CI 95.0 limit"
    table = table[table["Category Type"].isna()].dropna(subset=["Value", low, high, "Count", "Denominator"])
    per = 10_000 / table["Denominator"]
    # Until 2011/12 counts are published as they were: the interval comes out to the printed five decimals.
    exact = table["Time period"].isin(["2010/11", "2011/12"])
    lower, upper = byar(table["Count"], level=0.95)
    assert exact.sum() > 290
    assert (lower * per)[exact].to_numpy() == pytest.approx(table[low][exact].to_numpy(), abs=2e-5)
    assert (upper * per)[exact].to_numpy() == pytest.approx(table[high][exact].to_numpy(), abs=2e-5)
    # From 2012/13 counts are rounded to the nearest 5 and intervals come from the unrounded ones: they must lie
    # between those of two and a half fewer and two and a half more.
    fewer = byar(table["Count"] - 2.5, level=0.95)
    more = byar(table["Count"] + 2.5, level=0.95)
    for column, least, most in ((low, fewer[0], more[0]), (high, fewer[1], more[1])):
        inside = table[column].between(least * per - 1e-4, most * per + 1e-4)
        assert inside.all(), table[~inside][["Area Code", "Time period", "Count", column]].head()


@pytest.mark.parametrize(("n", "p"), [(60, 0.05), (60, 0.2), (150, 0.02), (2000, 0.7)])
def test_wilson_covers_what_it_says(n, p):
    k = np.arange(n + 1)
    lower, upper = wilson(k, n, level=0.9)
    inside = (lower <= p) & (p <= upper)
    covered = stats.binom.pmf(k, n, p)[inside].sum()
    # Exact, no simulation. Whole counts make coverage jump about 90 %: for n=60, p=.05 by some 4 points.
    assert 0.86 <= covered <= 0.95


def test_the_error_on_the_logit_covers_what_it_says(framework, indicator, observations):
    rng = np.random.default_rng(1)
    n, p, draws = 60, 0.05, 20_000
    k = rng.binomial(n, p, draws)
    obs = observations(
        indicator_id=["a"] * draws, area_code=[f"E{i:08d}" for i in range(draws)], value=100 * k / n,
        denominator=[float(n)] * draws,
    )  # fmt: skip
    obs = sampling_errors(obs, framework=framework(indicator("a", decimals=4)))
    share = np.clip(k / n, 0.5 / n, 1 - 0.5 / n)
    centre, slope = np.log(share / (1 - share)), 1 / (100 * share * (1 - share))
    off = np.abs(centre - np.log(p / (1 - p)))
    covered = np.mean(off <= z_of(0.9) * obs["se_sampling"] * slope)
    # .80 for the plain (Wald) interval; here .92 by exact summation, with three digits' worth of draws.
    assert 0.87 <= covered <= 0.95


def test_every_model_gives_an_error_and_bounds(framework, indicator, observations):
    models = {
        "wilson": {"model": "wilson"},
        "byar": {"model": "byar"},
        "negbin": {"model": "negbin", "dispersion": 4.0},
        "cohort_proportion": {"model": "cohort_proportion", "cohort_share": 0.05},
        "cohort_rate": {"model": "cohort_rate", "cohort_share": 0.05},
        "cohort_mean": {"model": "cohort_mean", "cohort_share": 0.05, "sd": 20.0},
        "rounding": {"model": "rounding"},
    }
    fw = framework(
        *[
            indicator(name, sampling=s, scale="log" if name in ("byar", "negbin", "cohort_rate") else "logit")
            for name, s in models.items()
        ],
        indicator("pop_0_17", scale="log", per=1.0, valid_range=(0.0, 1e7), sampling={"model": "none"}),
        indicator("none", sampling={"model": "none"}),
    )
    obs = observations(
        indicator_id=[*models, "pop_0_17", "none"],
        value=[20.0] * 7 + [40_000.0, 20.0],
        denominator=[2000.0] * 3 + [np.nan] * 6,
    )
    people = obs.assign(period_end=pd.Timestamp("2024-06-30").as_unit("s"))
    out = sampling_errors(obs, framework=fw, population=people).set_index("indicator_id")
    # 40,000 children times .05 is 2,000: a fifth of them 400. Rounding to one decimal adds next to nothing.
    share = 100 * np.sqrt(0.2 * 0.8 / 2000)
    assert out.loc["wilson", "se_sampling"] == pytest.approx(share, rel=0.01)
    assert out.loc["cohort_proportion", "se_sampling"] == pytest.approx(share, rel=0.01)
    assert out.loc["byar", "se_sampling"] == pytest.approx(100 * np.sqrt(400) / 2000, rel=0.01)
    assert out.loc["cohort_rate", "se_sampling"] == pytest.approx(out.loc["byar", "se_sampling"])
    assert out.loc["negbin", "se_sampling"] == pytest.approx(2 * out.loc["byar", "se_sampling"], rel=0.01)
    assert out.loc["cohort_mean", "se_sampling"] == pytest.approx(20 / np.sqrt(2000), rel=0.01)
    assert out.loc["rounding", "se_sampling"] == pytest.approx(0.1 / np.sqrt(12))
    assert np.isnan(out.loc[["none", "pop_0_17"], "se_sampling"]).all()
    assert out.loc["wilson", ["lower", "upper"]].tolist() == pytest.approx(
        [100 * b for b in wilson(400, 2000)], rel=1e-3
    )
    assert (out["level"].dropna() == 0.9).all()
    assert out["level"].notna().sum() == 7
    check_observations(out.reset_index()[obs.columns], framework=fw)
    # A Series over area and mid-year does as well as observations.
    series = pd.Series({("E06000001", 2024): 40_000.0})
    again = sampling_errors(obs, framework=fw, population=series).set_index("indicator_id")
    pd.testing.assert_frame_equal(out, again)


def test_a_published_interval_is_kept_and_gives_the_error(framework, indicator, observations):
    fw = framework(indicator("rate", scale="log", per=10_000.0, sampling={"model": "published"}))
    obs = observations(
        indicator_id=["rate"] * 2, period=["2023", "2024"], value=[75.0, 75.0], lower=[60.0, np.nan],
        upper=[93.75, np.nan], level=[0.95, np.nan],
    )  # fmt: skip
    out = sampling_errors(obs, framework=fw)
    assert out.loc[0, ["lower", "upper", "level"]].tolist() == [60.0, 93.75, 0.95]
    # On the log scale the width is 2 log 1.25; over 3.92, and back by the slope 1/75.
    assert out.loc[0, "se_sampling"] == pytest.approx(75 * 2 * np.log(1.25) / 3.919928)
    assert out.loc[1, ["se_sampling", "lower", "upper", "level"]].isna().all()


@pytest.mark.filterwarnings("error")
def test_noughts_ends_and_missing_values(framework, indicator, observations):
    fw = framework(indicator("share"), indicator("rate", scale="log", per=10_000.0, sampling={"model": "byar"}))
    obs = observations(
        indicator_id=["share", "share", "share", "rate", "rate"],
        period=["2022", "2023", "2024", "2023", "2024"],
        value=[0.0, 100.0, np.nan, 0.0, np.nan],
        denominator=[50.0, 50.0, np.nan, 9000.0, 9000.0],
        status=["published", "published", "suppressed", "published", "suppressed"],
    )
    out = check_observations(sampling_errors(obs, framework=fw), framework=fw)
    assert (out["se_sampling"].notna() == out["value"].notna()).all()
    assert (out["se_sampling"].dropna() > 0).all()
    # No child of 50: on the logit, half a child of 50 with the error of half a child and 50 and a half.
    half = 0.5 / 50
    exact = 100 * half * (1 - half) * np.sqrt(1 / 0.5 + 1 / 50.5)
    assert out.loc[0, "se_sampling"] == pytest.approx(exact, rel=0.001)
    assert out.loc[1, "se_sampling"] == pytest.approx(exact, rel=0.001)
    assert out.loc[0, "lower"] == 0.0
    assert out.loc[0, "upper"] == pytest.approx(100 * wilson(0, 50)[1], rel=0.01)
    assert out.loc[1, "upper"] == 100.0


def test_rounding_to_whole_numbers_widens_what_many_children_would_make_narrow(framework, indicator, observations):
    fw = framework(indicator("share", decimals=0))
    obs = observations(indicator_id=["share"], value=[63.0], denominator=[600_000.0])
    out = sampling_errors(obs, framework=fw).iloc[0]
    # 600,000 pupils: sampling error .06, rounding 1 / root 12 = .29.
    assert out["se_sampling"] == pytest.approx(np.hypot(0.0623, 1 / np.sqrt(12)), rel=0.01)
    assert out["upper"] - out["lower"] == pytest.approx(2 * 1.645 * out["se_sampling"], rel=0.01)


def test_population_is_that_of_the_mid_year_before(framework, indicator, observations):
    fw = framework(
        indicator("a", sampling={"model": "cohort_mean", "cohort_share": 0.25, "sd": 10.0}, scale="identity"),
        indicator("pop_0_17", scale="log", per=1.0, valid_range=(0.0, 1e7), sampling={"model": "none"}),
    )
    people = observations(
        kind="mid_year", indicator_id=["pop_0_17"] * 3, period=["2022", "2023", "2024"], value=[100.0, 400.0, 1600.0]
    )
    obs = observations(kind="march_31", indicator_id=["a"] * 3, period=["2021", "2024", "2030"], value=[5.0] * 3)
    se = sampling_errors(obs, framework=fw, population=people)["se_sampling"]
    # Children counted: 25 (the first known, in want of an earlier one), 100 and 400; rounding adds .03 at most.
    assert se.tolist() == pytest.approx([2.0, 1.0, 0.5], rel=0.01)
    groups = obs.assign(group_type=["fsm", "sex", "ethnicity"], group=["eligible", "male", "asian"])
    se = sampling_errors(groups, framework=fw, population=people)["se_sampling"]
    assert se.tolist()[:2] == pytest.approx([2.0 / np.sqrt(0.25), 1.0 / np.sqrt(0.5)], rel=0.01)
    assert np.isnan(se[2])  # shares of ethnic groups are not assumed


def test_groups_that_differ_more_among_themselves_have_their_own_spread(framework, indicator, observations):
    sampling = {"model": "cohort_mean", "cohort_share": 0.5, "sd": 10.0, "sd_of": {"social_care/in_need": 30.0}}
    fw = framework(indicator("a", sampling=sampling, scale="identity"))
    obs = observations(
        indicator_id=["a"] * 2, value=[5.0, 15.0], denominator=[100.0, 100.0],
        group_type=["all", "social_care"], group=["all", "in_need"],
    )  # fmt: skip
    se = sampling_errors(obs, framework=fw)["se_sampling"]
    # 10 and 30 over the root of 100 children; rounding adds .03
    assert se.tolist() == pytest.approx([1.0, 3.0], rel=0.01)
