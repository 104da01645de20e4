"""Spread, correlations, alpha, components and importance: against COINr, SAS, the OECD handbook and closed forms."""

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.judging.components import (
    bootstrap_eigenvalues,
    correlation_matrices,
    parallel_analysis,
    principal_components,
    sampling_adequacy,
    sphericity,
)
from outcomes_analysis.index.judging.consistency import alpha_interval, cronbach_alpha
from outcomes_analysis.index.judging.correlating import correlation_flags, correlations, fisher_interval, holm
from outcomes_analysis.index.judging.describing import statistics
from outcomes_analysis.index.judging.weights_in_effect import (
    correlation_ratio,
    hidden_lows,
    importance,
    trade_offs,
    variance_shares,
)

# COINr prints 17 digits: what differs is the order in which sums are taken.
COINR = 1e-9

# Harman's socio-economic data (Modern Factor Analysis, 1976), the example of SAS PROC FACTOR and of SPSS-like KMO.
HARMAN = pd.DataFrame(
    [
        [5700, 12.8, 2500, 270, 25000],
        [1000, 10.9, 600, 10, 10000],
        [3400, 8.8, 1000, 10, 9000],
        [3800, 13.6, 1700, 140, 25000],
        [4000, 12.8, 1600, 140, 25000],
        [8200, 8.3, 2600, 60, 12000],
        [1200, 11.4, 400, 10, 16000],
        [9100, 11.5, 3300, 60, 14000],
        [9900, 12.5, 3400, 180, 18000],
        [9600, 13.7, 3600, 390, 25000],
        [9600, 9.6, 3300, 80, 12000],
        [9400, 11.4, 4000, 100, 13000],
    ],
    columns=["population", "school", "employment", "services", "housevalue"],
    dtype=float,
)


@pytest.fixture(scope="module")
def coinr(gold):
    def read(name, index=None):
        return pd.read_csv(gold / "coinr" / f"{name}.csv", index_col=index)

    return read


@pytest.fixture(scope="module")
def lineage(coinr):
    return coinr("01_coin_lineage").set_index("Indicator")


@pytest.fixture(scope="module")
def normalised(coinr):
    return coinr("01_coin_6_normalised", "uCode").apply(pd.to_numeric)


@pytest.fixture(scope="module")
def aggregated(coinr):
    return coinr("01_coin_7_aggregated", "uCode").apply(pd.to_numeric)


def close(ours, theirs, tolerance=COINR):
    size = np.nanmax(np.abs(theirs))
    assert np.nanmax(np.abs(np.asarray(ours, float) - np.asarray(theirs, float))) <= tolerance * size


# ------------------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize("name", ["raw", "treated"])
def test_statistics_are_those_of_coinr(coinr, name):
    data = coinr({"raw": "01_coin_1_raw", "treated": "01_coin_5_treated"}[name], "uCode").apply(pd.to_numeric)
    theirs = coinr(f"09_stats_{name}", "iCode")
    ours = statistics(data).loc[theirs.index]
    names = {
        "minimum": "Min", "maximum": "Max", "mean": "Mean", "median": "Median", "sd": "Std", "skew": "Skew",
        "kurtosis": "Kurt", "n_available": "N.Avail", "n_nonzero": "N.NonZero", "n_unique": "N.Unique",
        "n_same": "N.Same", "available": "Frc.Avail", "nonzero": "Frc.NonZero", "unique": "Frc.Unique",
        "same": "Frc.Same",
    }  # fmt: skip
    for mine, their in names.items():
        close(ours[mine], theirs[their])
    flags = {"flag_available": "Flag.Avail", "flag_nonzero": "Flag.NonZero", "flag_unique": "Flag.Unique",
             "flag_outliers": "Flag.SkewKurt"}  # fmt: skip
    for mine, their in flags.items():
        assert ((ours[mine] != "") == (theirs[their] != "ok")).all()
    assert (theirs["Flag.SkewKurt"] != "ok").sum() > 0 or name == "treated"


def test_statistics_of_little_or_nothing():
    table = statistics(pd.DataFrame({"a": [1.0, 1.0, 1.0], "b": [np.nan] * 3, "c": [1.0, 2.0, np.nan]}))
    assert np.isnan(table.at["a", "skew"])
    assert np.isnan(table.at["a", "kurtosis"])
    assert table.at["b", "n_available"] == 0
    assert table.at["b", "flag_available"] == "low"
    assert table.at["c", "available"] == pytest.approx(2 / 3)
    with pytest.raises(SpecError, match="x"):
        statistics(pd.DataFrame({"x": ["a", "b"]}))


# ------------------------------------------------------------------------------------------------- correlations


def lookup(pairs):
    return {frozenset((r.a, r.b)): r for r in pairs.itertuples()}


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_correlations_of_indicators(coinr, normalised, method):
    theirs = coinr(f"09_corr_ind_{method}")
    found = lookup(correlations(normalised, method=method))
    assert len(found) == 49 * 48 // 2
    theirs = theirs[theirs["Var1"] != theirs["Var2"]]
    assert len(theirs) == 49 * 48
    ours = [found[frozenset(pair)].correlation for pair in zip(theirs["Var1"], theirs["Var2"], strict=True)]
    close(ours, theirs["Correlation"])


def test_correlations_with_the_level_above(coinr, normalised, aggregated, lineage):
    theirs = coinr("09_corr_ind_pillar_parent")
    pillars = aggregated[sorted(set(lineage["Pillar"]))]
    found = correlations(normalised, pillars).set_index(["a", "b"])["correlation"]
    close([found[b, a] for a, b in zip(theirs["Var1"], theirs["Var2"], strict=True)], theirs["Correlation"])


def test_correlations_with_the_whole_family(coinr, normalised, aggregated, lineage):
    theirs = coinr("09_corr_family_L1")
    for above in ("Pillar", "Sub-index", "Index"):
        rows = theirs[theirs["Var1"] == above]
        assert len(rows) == 49
        tops = aggregated[sorted(set(lineage[above]))]
        found = correlations(normalised, tops).set_index(["a", "b"])["correlation"]
        close([found[i, lineage.at[i, above]] for i in rows["Var2"]], rows["Correlation"])


def test_correlations_and_p_values_of_pillars(coinr, aggregated):
    theirs, p = coinr("09_corr_pillars"), coinr("09_pvals_pillars", "iCode")
    found = lookup(correlations(aggregated[p.columns]))
    theirs = theirs[theirs["Var1"] != theirs["Var2"]]
    close(
        [found[frozenset(pair)].correlation for pair in zip(theirs["Var1"], theirs["Var2"], strict=True)],
        theirs["Correlation"],
    )
    for pair, one in found.items():
        a, b = pair
        assert one.p_value == pytest.approx(p.at[a, b], rel=1e-7)  # from tails of t, themselves good to 1e-10 or so


def test_flags_of_high_and_low_pairs(coinr, normalised, lineage):
    groups = lineage["Pillar"].to_dict()
    for name, threshold, above in (("high", 0.75, True), ("low", -0.3, False)):
        theirs = coinr(f"09_corrflags_{name}")
        ours = correlation_flags(normalised, groups=groups, threshold=threshold, above=above)
        assert set(map(frozenset, zip(ours["a"], ours["b"], strict=True))) == set(
            map(frozenset, zip(theirs["Ind1"], theirs["Ind2"], strict=True))
        )
        merged = {frozenset((r.a, r.b)): (r.group, r.correlation) for r in ours.itertuples()}
        for r in theirs.itertuples():
            group, value = merged[frozenset((r.Ind1, r.Ind2))]
            assert group == r.Group
            assert value == pytest.approx(r.Corr, rel=COINR)


def test_fisher_interval_is_the_textbook_one():
    # r = .5 of 28 units: atanh .5493, standard error 1/5, 95 %: .1573 to .9413 on z, .156 to .736 back.
    low, high = fisher_interval(0.5, 28, level=0.95)
    assert (float(low), float(high)) == pytest.approx((0.1560, 0.7356), abs=5e-4)


def test_holm_multiplies_the_smallest_by_all_and_never_falls():
    assert holm([0.01, 0.04, 0.03, np.nan]) == pytest.approx([0.03, 0.06, 0.06, np.nan], nan_ok=True)
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(1).uniform(0, 0.2, 12)
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


# ------------------------------------------------------------------------------------------------- alpha


def test_cronbach_alpha_is_that_of_coinr(coinr, normalised, aggregated, lineage):
    theirs = coinr("09_cronbach").set_index("group")
    for group in lineage["Pillar"].unique():
        mine = cronbach_alpha(normalised[lineage.index[lineage["Pillar"] == group]])
        assert mine.raw == pytest.approx(theirs.at[group, "alpha"], rel=COINR)
        assert mine.k == theirs.at[group, "n"]
    for group in ("Conn", "Sust"):
        pillars = lineage.loc[lineage["Sub-index"] == group, "Pillar"].unique()
        assert cronbach_alpha(aggregated[pillars]).raw == pytest.approx(theirs.at[group, "alpha"], rel=COINR)
    everything = cronbach_alpha(normalised[lineage.index])
    assert everything.raw == pytest.approx(theirs.at["Index_all_indicators", "alpha"], rel=COINR)


def test_cronbach_alpha_of_the_oecd_technology_index(gold):
    raw = pd.read_csv(gold / "oecd_tai" / "A2_raw_23.csv", index_col=0).select_dtypes("number")
    published = pd.read_csv(gold / "oecd_tai" / "T11_cronbach.csv", index_col=0)
    mine = cronbach_alpha(raw)
    assert mine.standardised == pytest.approx(0.70, abs=0.005)  # printed with two decimals
    published = published.rename(index=str.lower)
    without = mine.without.rename(index=str.lower).loc[published.index]
    # The README beside the table: alpha reproduces to .0014, the correlation with the rest to .0055 (rounded inputs).
    assert (without["standardised"] - published["alpha_if_deleted"]).abs().max() < 0.0015
    assert (without["rest_correlation"] - published["corr_with_total"]).abs().max() < 0.006


def test_standardised_alpha_of_equal_correlations():
    # Spearman-Brown: k r / (1 + (k - 1) r).
    k, r = 6, 0.3
    z = np.random.default_rng(3).normal(size=(200, k))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z, rowvar=False)), (z - z.mean(0)).T).T
    z = z @ np.linalg.cholesky(np.full((k, k), r) + (1 - r) * np.eye(k)).T
    mine = cronbach_alpha(pd.DataFrame(z * [1, 2, 3, 4, 5, 6]))
    assert mine.standardised == pytest.approx(k * r / (1 + (k - 1) * r), rel=1e-9)
    assert mine.without["standardised"].to_numpy() == pytest.approx(np.full(k, 5 * r / (1 + 4 * r)), rel=1e-9)
    assert mine.without["rest_correlation"].to_numpy() == pytest.approx(
        np.full(k, 5 * r / np.sqrt(5 + 20 * r)), rel=1e-9
    )
    assert mine.raw < mine.standardised  # unequal spreads weigh unequally


def test_interval_of_alpha_is_that_published():
    # statpsych (R), ci.cronbach(.05, .85, 7, 89): .7971 to .8931; it takes 89 x 6 degrees of freedom, Feldt's
    # formula 88 x 6, hence the fourth decimal.
    assert alpha_interval(0.85, n=89, k=7, level=0.95) == pytest.approx((0.7971, 0.8931), abs=1e-4)


def test_interval_of_alpha_covers_the_truth():
    rng = np.random.default_rng(7)
    k, r, n, runs = 5, 0.25, 60, 600
    truth = k * r / (1 + (k - 1) * r)
    inside = 0
    for _ in range(runs):
        x = np.sqrt(r) * rng.normal(size=(n, 1)) + np.sqrt(1 - r) * rng.normal(size=(n, k))
        mine = cronbach_alpha(pd.DataFrame(x), level=0.9)
        inside += mine.raw_lower <= truth <= mine.raw_upper
    # The formula is exact here; three standard errors of a share of .9 in 600 runs are .037.
    assert abs(inside / runs - 0.9) < 0.037


def test_alpha_refuses_one_indicator_and_a_constant():
    with pytest.raises(SpecError, match="1 indicator"):
        cronbach_alpha(pd.DataFrame({"a": [1.0, 2.0]}))
    with pytest.raises(SpecError, match="b does not vary"):
        cronbach_alpha(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 3.0]}))


# ------------------------------------------------------------------------------------------------- components


def test_components_by_group_are_those_of_coinr(coinr, lineage):
    # The PCA files belong to the coin normalised to 1..100; correlations do not see that.
    data = coinr("08_agg_in", "uCode").apply(pd.to_numeric)
    sdev, rotation = coinr("07_pca_sdev_L1"), coinr("07_pca_rotation_L1")
    weights = coinr("07_pca_weights_L1").set_index("iCode")["Weight"]
    for group in lineage["Pillar"].unique():
        names = list(lineage.index[lineage["Pillar"] == group])
        mine = principal_components(data[names])
        theirs = sdev[sdev["Group"] == group]
        close(mine.sdev, theirs["sdev"])
        close(mine.proportion, theirs["prop"])
        close(mine.cumulative, theirs["cum"])
        table = rotation[rotation["Group"] == group].pivot(index="iCode", columns="PC", values="Loading")
        close(np.abs(mine.rotation.loc[table.index]), np.abs(table), 1e-7)  # near-equal eigenvalues blur their vectors
        agree = (mine.rotation.loc[table.index] * table).sum().abs()
        assert agree.to_numpy() == pytest.approx(1, abs=1e-9)  # the same direction, up to its sign
        assert (mine.rotation.sum() >= 0).all()
        close(np.abs(mine.rotation[1]), np.abs(weights[names]))


def test_harmans_data_give_the_published_eigenvalues_kmo_and_bartlett():
    mine = principal_components(HARMAN)
    assert mine.eigenvalues.to_numpy() == pytest.approx(
        [2.87331359, 1.79666009, 0.21483689, 0.09993405, 0.01525537], abs=5e-9
    )  # SAS prints eight decimals
    overall, each = sampling_adequacy(HARMAN)
    assert overall == pytest.approx(0.57536759, abs=5e-8)  # SAS/STAT, PROC FACTOR, option MSA
    assert each.to_numpy() == pytest.approx([0.47207897, 0.55158839, 0.48851137, 0.80664365, 0.61281377], abs=5e-8)
    test = sphericity(HARMAN)
    assert test.df == 10
    assert test.statistic == pytest.approx(54.252, abs=0.001)
    assert test.p_value < 1e-6


def equicorrelated(p, r, n=50):
    z = np.random.default_rng(5).normal(size=(n, p))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z, rowvar=False)), (z - z.mean(0)).T).T
    return pd.DataFrame(z @ np.linalg.cholesky(np.full((p, p), r) + (1 - r) * np.eye(p)).T)


@pytest.mark.parametrize(("p", "r"), [(4, 0.5), (7, 0.2), (3, -0.3)])
def test_closed_forms_where_all_correlations_are_equal(p, r):
    data = equicorrelated(p, r)
    values = sorted([1 + (p - 1) * r, *[1 - r] * (p - 1)], reverse=True)
    assert principal_components(data).eigenvalues.to_numpy() == pytest.approx(values, rel=1e-9)
    partial = r / (1 + (p - 2) * r)
    overall, _ = sampling_adequacy(data)
    assert overall == pytest.approx(r**2 / (r**2 + partial**2), rel=1e-9)
    determinant = (1 + (p - 1) * r) * (1 - r) ** (p - 1)
    assert sphericity(data).statistic == pytest.approx(-(49 - (2 * p + 5) / 6) * np.log(determinant), rel=1e-9)


def test_bartletts_test_rejects_one_time_in_twenty_where_nothing_is_related():
    rng = np.random.default_rng(11)
    p = [sphericity(pd.DataFrame(rng.normal(size=(100, 5)))).p_value for _ in range(400)]
    assert abs(np.mean(np.array(p) < 0.05) - 0.05) < 0.033  # three standard errors of .05 in 400


def test_correlations_with_gaps_are_pairwise():
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.normal(size=(40, 4)) + rng.normal(size=(40, 1))).mask(rng.random((40, 4)) < 0.2)
    assert correlation_matrices(data.to_numpy()) == pytest.approx(data.corr().to_numpy(), abs=1e-12)
    stack = np.stack([data.to_numpy(), data.to_numpy()[::-1]])
    assert correlation_matrices(stack)[1] == pytest.approx(data.corr().to_numpy(), abs=1e-12)


def test_parallel_analysis_keeps_as_many_dimensions_as_there_are():
    rng = np.random.default_rng(4)
    factors = rng.normal(size=(150, 2))
    loadings = np.zeros((2, 8))
    loadings[0, :4], loadings[1, 4:] = 0.8, 0.8
    two = pd.DataFrame(factors @ loadings + 0.6 * rng.normal(size=(150, 8)))
    assert parallel_analysis(two, draws=300)["retained"].sum() == 2
    assert parallel_analysis(two.iloc[:, :4], draws=300)["retained"].sum() == 1


def test_components_after_one_that_chance_would_give_are_not_kept():
    # Four pairs with r = .55 each: eigenvalues 1.55 four times. Chance gives 60 places one of about 1.8, but a fourth
    # of about 1.2 only; a fourth dimension without a first makes no sense.
    z = np.random.default_rng(5).normal(size=(60, 8))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z, rowvar=False)), (z - z.mean(0)).T).T
    r = np.kron(np.eye(4), [[1, 0.55], [0.55, 1]])
    found = parallel_analysis(pd.DataFrame(z @ np.linalg.cholesky(r).T), draws=200)
    assert found.at[1, "eigenvalue"] < found.at[1, "threshold"]
    assert found.at[4, "eigenvalue"] > found.at[4, "threshold"]
    assert not found["retained"].any()


@pytest.mark.slow
def test_parallel_analysis_keeps_nothing_of_noise_but_one_time_in_twenty():
    rng = np.random.default_rng(6)
    kept = [
        parallel_analysis(pd.DataFrame(rng.normal(size=(60, 5))), draws=100, seed=i)["retained"].iloc[0]
        for i in range(200)
    ]
    assert abs(np.mean(kept) - 0.05) < 0.046 + 0.01  # three standard errors of .05 in 200, and 100 shuffles


def test_threshold_of_many_figures_nears_the_marchenko_pastur_edge():
    data = pd.DataFrame(np.random.default_rng(8).normal(size=(600, 60)))
    threshold = parallel_analysis(data, draws=30)["threshold"].iloc[0]
    assert threshold == pytest.approx((1 + np.sqrt(60 / 600)) ** 2, rel=0.03)  # fluctuations of order n^(-2/3), .014


def test_bootstrap_holds_the_eigenvalues_and_the_seed_settles_it():
    drawn = bootstrap_eigenvalues(HARMAN, draws=200, seed=3)
    assert (drawn["lower"] < drawn["upper"]).all()
    assert drawn.equals(bootstrap_eigenvalues(HARMAN, draws=200, seed=3))
    big = equicorrelated(4, 0.5, n=400)
    drawn = bootstrap_eigenvalues(big, draws=400)
    # Asymptotic standard error of a simple eigenvalue of a normal correlation matrix of this form:
    # (p - 1) (1 - r) (1 + (p - 1) r) sqrt(2 / (p (p - 1) n)) = .078; the 90 % interval is 3.29 times that wide.
    width = drawn.at[1, "upper"] - drawn.at[1, "lower"]
    assert width == pytest.approx(3.29 * 3 * 0.5 * 2.5 * np.sqrt(2 / (4 * 3 * 400)), rel=0.15)


def test_components_name_what_does_not_vary():
    with pytest.raises(SpecError, match="flat"):
        principal_components(pd.DataFrame({"x": [1.0, 2, 3], "flat": [1.0, 1, 1]}))


# ------------------------------------------------------------------------------------------------- importance


def test_importance_of_a_straight_line_is_the_squared_correlation():
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    y = 0.6 * x + 0.8 * rng.normal(size=400)
    assert correlation_ratio(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, abs=0.02)
    assert correlation_ratio(x, 3 * x + 1) == pytest.approx(1, abs=1e-6)


def test_importance_sees_a_curve_that_correlation_does_not():
    x = np.linspace(-1, 1, 301)
    assert np.corrcoef(x, x**2)[0, 1] == pytest.approx(0, abs=1e-12)
    assert correlation_ratio(x, x**2) > 0.999


def test_importance_of_the_ishigami_function_is_its_first_order_index():
    x = np.random.default_rng(1).uniform(-np.pi, np.pi, (20_000, 3))
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = importance(pd.DataFrame(x), pd.Series(y))
    # .3139, .4424 and 0 by integration; a share of variance in 20,000 points is known to about .006.
    assert found.to_numpy() == pytest.approx([0.3139, 0.4424, 0.0], abs=0.015)


def test_importance_of_something_unrelated_is_about_nought():
    rng = np.random.default_rng(9)
    assert np.mean([correlation_ratio(rng.normal(size=150), rng.normal(size=150)) for _ in range(200)]) < 0.02


def test_importance_of_too_little_is_missing():
    assert np.isnan(correlation_ratio([1.0, 2.0], [1.0, 2.0]))
    assert np.isnan(correlation_ratio(np.ones(20), np.arange(20.0)))


def test_variance_shares_add_up_and_turn_negative_against_the_score():
    rng = np.random.default_rng(10)
    a = rng.normal(size=100)
    parts = pd.DataFrame({"a": a, "b": -0.5 * a + 0.1 * rng.normal(size=100)})
    shares = variance_shares(parts, parts.sum(axis=1))
    assert shares.sum() == pytest.approx(1)
    assert shares["b"] < 0


def test_trade_offs_are_marginal_rates_of_substitution():
    weights, slopes = pd.Series({"a": 0.75, "b": 0.25}), pd.Series({"a": 0.2, "b": -0.05})
    table = trade_offs(weights, slopes=slopes, step=0.1)
    assert table["price"].tolist() == pytest.approx([0.15, -0.0125])
    index = weights["a"] * slopes["a"] * table.at["a", "amount"]
    assert index == pytest.approx(0.1)
    assert weights["b"] * slopes["b"] * table.at["b", "amount"] == pytest.approx(0.1)


def test_hidden_lows_are_counted_among_the_best():
    values = pd.DataFrame({"a": np.arange(10.0), "b": [5, 6, 7, 8, 9, 4, 3, 2, 1.0, 0.5]})
    score = values["a"] * 10 + values["b"]
    low = hidden_lows(values, score)
    assert low.to_dict() == {8: 1, 9: 1}
