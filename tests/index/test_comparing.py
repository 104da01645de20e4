"""Places beside places of similar poverty: the line by brute force, intervals that cover a simulated truth."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import outcomes_analysis as oa
from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.reading.comparing import _beside, compare_given, smoother
from outcomes_analysis.index.reading.going_with import strength

Z = stats.norm.ppf(0.95)


def poverty(measure):
    framework = oa.load_framework()
    return oa.build_matrix(oa.load_observations(), framework=framework, period=2025, include=[measure]).values[measure]


@pytest.fixture(scope="module")
def before(index):
    return compare_given(index, poverty("child_poverty_bhc"), label="child poverty before housing costs")


@pytest.fixture(scope="module")
def after(index):
    return compare_given(index, poverty("child_poverty_ahc"), label="child poverty after housing costs")


def places(n=151, seed=1):
    return np.random.default_rng(seed).gamma(6.0, 4.5, size=n)


# ------------------------------------------------------------------------------------------------- the line


def test_what_is_expected_of_a_place_is_a_weighted_regression_on_the_others():
    x = places()
    y = np.sin(x / 8) + np.random.default_rng(2).normal(size=len(x))
    expected = smoother(x, nearest=40) @ y
    for i in (0, 17, int(x.argmin()), int(x.argmax())):
        others = np.delete(np.arange(len(x)), i)
        distance = np.abs(x[others] - x[i])
        reach = np.sort(distance)[39] * 1.0001
        weight = np.where(distance < reach, (1 - (distance / reach) ** 3) ** 3, 0.0)
        fit = sm.WLS(y[others], sm.add_constant(x[others] - x[i]), weights=weight).fit()
        assert expected[i] == pytest.approx(fit.params[0], rel=1e-9)


def test_a_place_says_nothing_of_what_is_expected_of_it():
    weights = smoother(places(), nearest=60)
    assert np.diag(weights) == pytest.approx(0, abs=0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(len(weights)))


def test_the_ends_of_a_straight_line_are_not_pulled_to_one_side():
    """The mean of the nearest places would put the poorest and the richest place off by several points."""
    x = np.sort(places())
    y = 3 - 0.2 * x
    assert smoother(x) @ y == pytest.approx(y, abs=1e-9)


def test_places_that_do_not_differ_are_compared_with_their_mean():
    x = np.repeat([1.0, 2.0], 40)
    y = np.arange(80.0)
    expected = smoother(x, nearest=20) @ y
    first = np.arange(40.0)
    assert expected[:40] == pytest.approx((first.sum() - first) / 39)


# ------------------------------------------------------------------------------------------------- two intervals


def test_both_intervals_cover_a_simulated_truth():
    """True scores scatter about a bent curve, figures about them; both questions are answered 90 times in 100."""
    x = places(seed=3)
    truth_curve = 1.5 - 0.06 * x + 0.0006 * x**2
    weights = smoother(x)
    rng = np.random.default_rng(4)
    error = rng.uniform(0.05, 0.5, size=len(x))
    ends = (x < np.quantile(x, 0.15)) | (x > np.quantile(x, 0.85))
    covers, inside = [], []
    for _ in range(400):
        truth = truth_curve + 0.4 * rng.normal(size=len(x))
        score = truth + error * rng.normal(size=len(x))
        expected, from_mean, from_alike = _beside(score, error, weights)
        covers.append(np.abs(score - expected - (truth - truth_curve)) < Z * from_mean)
        inside.append(np.abs(score - expected) < Z * from_alike)
    # 60,000 places, not independent; .01 is four standard errors of the mean over 400 sets, at the ends .015.
    assert np.mean(covers) == pytest.approx(0.9, abs=0.01)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.01)
    assert np.mean(np.array(covers)[:, ends]) == pytest.approx(0.9, abs=0.015)
    assert np.mean(np.array(inside)[:, ends]) == pytest.approx(0.9, abs=0.015)


def test_errors_are_those_of_the_formula():
    weights = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
    score, error = np.array([0.0, 0.0, 3.0]), np.array([0.1, 0.2, 0.3])
    expected, from_mean, from_alike = _beside(score, error, weights)
    assert expected == pytest.approx([1.5, 1.5, 0.0])
    # differences -1.5, -1.5, 3; 13.5 less the figures' noise (.01+.04+.09)(1 + 1/2), over three times 1 + 1/2
    spread = (13.5 - 0.14 * 1.5) / 4.5
    noise = np.array([0.01 + 0.13 / 4, 0.04 + 0.10 / 4, 0.09 + 0.05 / 4])
    assert from_mean == pytest.approx(np.sqrt(noise + spread / 2))
    assert from_alike == pytest.approx(np.sqrt(noise + 1.5 * spread))


def test_noise_alone_leaves_no_spread_among_places_alike():
    weights = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
    _, from_mean, from_alike = _beside(np.array([0.0, 0.0, 0.1]), np.ones(3), weights)
    assert from_alike == pytest.approx(from_mean)


# ------------------------------------------------------------------------------------------------- strength


def test_strength_is_scipys_with_its_bootstrap():
    rng = np.random.default_rng(5)
    x = rng.normal(size=150)
    y = -0.7 * x + rng.normal(size=150)
    y[:3] = np.nan
    found = strength(y, x)
    known = np.isfinite(y)
    assert found["n"] == 147
    assert found["correlation"] == pytest.approx(stats.spearmanr(x[known], y[known]).statistic)
    assert found["share"] == pytest.approx(stats.pearsonr(x[known], y[known]).statistic ** 2)
    for name, statistic in (
        ("correlation", lambda a, b: stats.spearmanr(a, b).statistic),
        ("share", lambda a, b: stats.pearsonr(a, b).statistic ** 2),
    ):
        theirs = stats.bootstrap(
            (x[known], y[known]), statistic, paired=True, vectorized=False, n_resamples=2000,
            confidence_level=0.9, method="percentile", random_state=6,
        ).confidence_interval  # fmt: skip
        # percentiles of two sets of 2,000 resamples: the ends differ by about .006
        assert found[f"{name}_lower"] == pytest.approx(theirs.low, abs=0.02)
        assert found[f"{name}_upper"] == pytest.approx(theirs.high, abs=0.02)


def test_where_the_sign_is_open_the_share_may_be_nothing():
    rng = np.random.default_rng(7)
    found = strength(rng.normal(size=150), rng.normal(size=150))
    assert found["correlation_lower"] < 0 < found["correlation_upper"]
    assert found["share_lower"] == 0
    assert found["share"] < found["share_upper"]


# ------------------------------------------------------------------------------------------------- our index


def test_the_measure_of_poverty_matters(before, after):
    """domain.md 9.1 gives ranks with poverty before housing costs; after them London's rents change the order."""
    expected = {"safe": -0.32, "healthy": -0.81, "happy": -0.65, "learning": -0.64, "engaged": -0.72}
    assert before.goes_with["correlation"].to_dict() == pytest.approx(expected, abs=0.03)
    assert before.goes_with.at["healthy", "share"] == pytest.approx(0.63, abs=0.02)
    assert after.goes_with.at["healthy", "share"] == pytest.approx(0.47, abs=0.02)
    for found in (before, after):
        inside = found.goes_with
        assert (inside["correlation_lower"] < inside["correlation"]).all()
        assert (inside["correlation"] < inside["correlation_upper"]).all()
        assert (inside["share_lower"] < inside["share"]).all()
        assert (inside["share"] < inside["share_upper"]).all()


def test_the_table_says_which_measure_and_who_stands_out(before, index):
    rows = before.table[before.table["status"] == "computed"]
    assert set(rows["poverty_measure"]) == {"child poverty before housing costs"}
    score = index.table.set_index(["node_id", "area_code"])["estimate"]
    whole = rows["expected"] + rows["estimate"]
    assert whole.to_numpy() == pytest.approx(score.reindex(pd.MultiIndex.from_frame(rows[["node_id", "area_code"]])))
    assert (rows["lower"] < rows["mean_lower"]).all()
    assert (rows["mean_upper"] < rows["upper"]).all()
    assert ((rows["standing"] == "above the range") == (rows["lower"] > 0)).all()
    assert ((rows["standing"] == "below the range") == (rows["upper"] < 0)).all()
    counted = rows.groupby("node_id")["standing"].value_counts().unstack()
    assert counted["above the range"].to_dict() == before.counts["above"].to_dict()
    tiny = before.table[before.table["area_code"].isin(["E09000001", "E06000053"])]
    assert (tiny["standing"] == "").all()
    assert tiny["estimate"].isna().all()
    # one place in ten lies outside by chance: far more, or none, would belie the spread found
    assert (before.counts["above"] + before.counts["below"]).between(5, 25).all()


def test_the_text_gives_every_number_its_interval_and_what_chance_would_give(before):
    healthy = before.goes_with.loc["healthy"]
    assert f"Healthy: {100 * healthy['share']:.0f}% ({100 * healthy['share_lower']:.0f}% to" in before.text
    assert "About 15 would lie there by chance" in before.text
    assert "90% interval" in before.text
    assert "is in good part a map" not in before.text


def test_too_few_places_are_refused(index):
    few = poverty("child_poverty_bhc").iloc[:20]
    with pytest.raises(SpecError, match="needs 30"):
        compare_given(index, few)
