"""Imputation against COINr and an independent EM, draws against known truth, and what it refuses."""

import warnings

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import ObservationsError, OutcomesWarning, SpecError
from outcomes_analysis.index.steps.imputation import EM, Regression, RowMedian, impute
from outcomes_analysis.index.steps.imputation_checking import imputation_check, pool_imputations
from outcomes_analysis.index.steps.incomplete_normal import em_normal


def read(gold, name):
    return pd.read_csv(gold / "coinr" / f"{name}.csv", index_col=0)


def assert_close(got, wanted, *, tolerance=1e-9):
    """Equal to `tolerance` of the column's largest value: the files carry 17 digits, sums differ in their order."""
    assert got.columns.tolist() == wanted.columns.tolist()
    assert got.index.tolist() == wanted.index.tolist()
    got, wanted = got.to_numpy(float), wanted.to_numpy(float)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    assert np.nanmax(np.abs(got - wanted) / np.nanmax(np.abs(wanted), axis=0)) <= tolerance


@pytest.fixture(scope="module")
def values(gold):
    return read(gold, "01_coin_2_denominated")


@pytest.fixture(scope="module")
def units(gold):
    return pd.read_csv(gold / "coinr" / "00_in_asem_idata.csv").set_index("uCode")


@pytest.fixture(scope="module")
def directions(gold):
    return pd.read_csv(gold / "coinr" / "00_in_asem_imeta.csv").set_index("iCode")["Direction"]


def settings(case, units, directions, lineage):
    """What each of COINr's files was made with."""
    return {
        "mean": {"method": "mean"},
        "median": {"method": "median"},
        "mean_grp_EurAsia": {"method": "group_mean", "groups": units["EurAsia_group"]},
        "median_grp_GDP": {"method": "group_median", "groups": units["GDP_group"]},
        "rowmean": {"method": "row_mean", "directions": directions},
        "rowmean_within_pillar": {
            "method": "row_mean",
            "directions": directions,
            "blocks": lineage["Pillar"].to_dict(),
        },
        "rowmedian_nonorm": {"method": RowMedian(rescale=False)},
    }[case]


CASES = [
    "mean",
    "median",
    "mean_grp_EurAsia",
    "median_grp_GDP",
    "rowmean",
    "rowmean_within_pillar",
    "rowmedian_nonorm",
]


@pytest.mark.parametrize("case", CASES)
def test_imputed_as_coinr(gold, values, units, directions, case):
    before = values.copy()
    chosen = settings(case, units, directions, read(gold, "01_coin_lineage"))
    result = impute(values, **chosen)
    assert_close(result.values, read(gold, f"04_impute_{case}"))
    # what COINr keeps no record of: each filled cell is listed and marked, and nothing else is
    missing = values.isna().to_numpy()
    assert len(result.changes) == missing.sum() == result.details["imputed"].sum()
    assert ((result.marked != "").to_numpy() == missing).all()
    assert (result.values.to_numpy()[~missing] == values.to_numpy()[~missing]).all()
    pd.testing.assert_frame_equal(values, before)


def test_the_example_index_as_coinr(gold, values, units):
    got = impute(values, method="group_mean", groups=units["EurAsia_group"]).values
    assert_close(got, read(gold, "01_coin_3_imputed"))


def test_em_as_an_independent_one(gold):
    given = read(gold, "04_em_instit_input_zscored")
    assert_close(impute(given, method="em").values, read(gold, "04_em_instit_imputed"))
    wanted = read(gold, "04_em_instit_params")
    fitted = em_normal(given.to_numpy())
    # means near 0 in standard deviations: absolute; both stop when no parameter moves by 1e-10
    np.testing.assert_allclose(fitted.mean, wanted["mu"], atol=1e-9)
    np.testing.assert_allclose(fitted.covariance, wanted[given.columns], atol=1e-9)


def test_em_does_not_depend_on_the_unit_of_measurement(gold):
    given = read(gold, "04_em_instit_input_zscored")
    factor = np.array([1e6, -1e-3, 1, 5, 1e3, 2])
    got = impute(given * factor + 7, method="em").values
    # seven and a million: ten digits are left
    np.testing.assert_allclose((got - 7) / factor, impute(given, method="em").values, atol=1e-8)


def test_em_that_does_not_converge_says_so(gold):
    given = read(gold, "04_em_instit_input_zscored")
    with pytest.warns(OutcomesWarning, match="not converged after 2 steps"):
        impute(given, method=EM(iterations=2))


@pytest.fixture(scope="module")
def incomplete():
    rng = np.random.default_rng(5)
    mixed = rng.normal(size=(150, 4)) @ np.linalg.cholesky(0.7 + 0.3 * np.eye(4)).T * [1, 10, 100, 5] + [0, 50, 3, -9]
    full = pd.DataFrame(mixed, columns=list("abcd"), index=[f"U{i}" for i in range(150)])
    return full, full.mask(rng.random(full.shape) < 0.15)


def test_draws_are_reproducible_and_fill_the_cells_listed(incomplete):
    _, holed = incomplete
    one = impute(holed, method=Regression(draws=5), rng=np.random.default_rng(1))
    two = impute(holed, method=Regression(draws=5), rng=np.random.default_rng(1))
    np.testing.assert_array_equal(one.draws, two.draws)
    assert one.draws.shape == (5, int(holed.isna().to_numpy().sum()))
    third = one.completed(2)
    assert not third.isna().any(axis=None)
    pd.testing.assert_frame_equal(third.where(holed.notna()), holed)
    first = one.changes.iloc[0]
    assert third.at[first["unit"], first["indicator"]] == one.draws[2, 0]
    np.testing.assert_allclose(one.draws.mean(axis=0), one.changes["after"], rtol=1e-9)
    with pytest.raises(SpecError, match="no draw 5; 5 were made"):
        one.completed(5)


def test_mixed_methods_share_one_set_of_draws(incomplete):
    _, holed = incomplete
    result = impute(holed, method={"default": Regression(draws=3), "c": "median"}, rng=np.random.default_rng(1))
    filled = result.completed(1)
    assert (filled.loc[holed["c"].isna(), "c"] == holed["c"].median()).all()
    pd.testing.assert_frame_equal(filled.where(holed.notna()), holed)
    assert (filled.loc[holed["a"].isna(), "a"] != result.values.loc[holed["a"].isna(), "a"]).all()


def test_intervals_of_draws_hold_the_truth_as_often_as_they_say(incomplete):
    full, holed = incomplete
    result = impute(holed, method=Regression(draws=400), rng=np.random.default_rng(2))
    low, high = np.quantile(result.draws, [0.05, 0.95], axis=0)
    truth = np.array([full.at[u, c] for u, c in result.changes[["unit", "indicator"]].to_numpy()])
    inside = float(((truth >= low) & (truth <= high)).mean())
    # about 90 cells: the standard error of a share of 90 % is 3 points
    assert 0.82 <= inside <= 0.98
    # and the draws are centred where EM has the conditional mean, to their Monte Carlo error
    em = impute(holed, method="em").values
    gap = np.array([em.at[u, c] for u, c in result.changes[["unit", "indicator"]].to_numpy()])
    assert np.abs((result.draws.mean(axis=0) - gap) / result.draws.std(axis=0)).max() < 0.4


@pytest.mark.slow
def test_pooled_means_cover_the_true_mean():
    rng = np.random.default_rng(8)
    covered = []
    for _ in range(200):
        x = rng.normal(size=100)
        y = 2 + 0.8 * x + 0.6 * rng.normal(size=100)
        # y is missing more often where x is high: the mean of what is seen is too low
        holed = pd.DataFrame({"x": x, "y": np.where(rng.random(100) < 0.6 / (1 + np.exp(-2 * x)), np.nan, y)})
        result = impute(holed, method=Regression(draws=20), rng=rng)
        tables = [result.completed(k)["y"] for k in range(20)]
        pooled = pool_imputations(np.array([t.mean() for t in tables]), np.array([t.var() / 100 for t in tables]))
        half = 1.7 * np.sqrt(pooled.at[0, "total"])
        covered.append(abs(pooled.at[0, "estimate"] - 2) <= half)
    # 200 trials of a 90 % interval: standard error 2 points
    assert 0.84 <= np.mean(covered) <= 0.97


def test_rubins_rules_by_hand():
    pooled = pool_imputations(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.5, 0.5])).iloc[0]
    assert pooled["estimate"] == 2
    assert pooled["total"] == pytest.approx(0.5 + (4 / 3) * 1)
    assert pooled["df"] == pytest.approx(2 * (1 + 0.5 / (4 / 3)) ** 2)
    assert pooled["missing_share"] == pytest.approx((4 / 3) / (0.5 + 4 / 3))
    with pytest.raises(SpecError, match="2 or more draws"):
        pool_imputations(np.array([1.0]), np.array([1.0]))


def test_the_hold_out_table_ranks_methods_as_it_should(incomplete):
    full, _ = incomplete
    table = imputation_check(full, methods=["mean", "em"], rng=np.random.default_rng(4), repeats=5)
    every = table[table["indicator"] == "all"].set_index("method")
    # correlation .7 between indicators: three others explain about 63 % of the variance (rmse .6); the mean, none
    assert every.at["em", "rmse"] == pytest.approx(0.6, abs=0.1)
    assert every.at["mean", "rmse"] == pytest.approx(1.0, abs=0.15)
    assert every.at["em", "willmott_d"] > 0.8 > every.at["mean", "willmott_d"]
    assert every.at["em", "r2"] > 0.5
    assert every["mae"].lt(every["rmse"]).all()
    assert table.groupby("indicator")["n"].nunique().eq(1).all()


def test_willmotts_d_by_hand():
    full = pd.DataFrame({"x": [0.0, 0.0, 4.0, 4.0]}, index=list("ABCD"))
    table = imputation_check(full, methods={"m": "median"}, rng=np.random.default_rng(0), share=0.25, repeats=1)
    row = table.iloc[0]
    # one cell hidden: |P - O| is all there is, and the observed mean is O itself, so d is 1 - e^2 / e^2
    assert row["n"] == 1
    assert row["willmott_d"] == 0
    assert row["rmse"] == row["mae"] > 0


def test_gaps_without_anything_to_go_by_stay_and_are_named():
    holed = pd.DataFrame({"x": [1.0, np.nan, 3], "y": [np.nan] * 3}, index=list("ABC"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = impute(holed, method="group_mean", groups={"A": "north", "B": "south"})
    assert result.values["x"].isna().tolist() == [False, True, False]
    assert result.text == "0 of 4 missing values were imputed. Gaps are left in 2 indicators: x, y."
    assert result.changes.empty
    row = impute(holed, method="row_mean", directions={"x": 1, "y": 1})
    assert row.details["left"].tolist() == [1, 3]


def test_refusals_name_the_culprit(incomplete):
    _, holed = incomplete
    with pytest.raises(SpecError, match="needs `groups`"):
        impute(holed, method="group_mean")
    with pytest.raises(SpecError, match="needs `directions`"):
        impute(holed, method="row_mean")
    with pytest.raises(SpecError, match=r"direction of 1 or -1 \(b\)"):
        impute(holed, method="row_mean", directions={"a": 1, "b": 0, "c": 1, "d": -1})
    with pytest.raises(SpecError, match="pass `rng`"):
        impute(holed, method="regression")
    with pytest.raises(SpecError, match=r"cannot estimate 4 indicators together from 5 units"):
        impute(holed.head(5), method="em")
    with pytest.raises(SpecError, match=r"without a block were not found in the data \(d\)"):
        impute(holed, method="em", blocks={"a": "1", "b": "1", "c": "1"})
    thin = holed.assign(d=holed["d"].where(np.arange(150) < 5))
    with pytest.raises(SpecError, match=r"fewer than 6 values.*\(d\)"):
        impute(thin, method="regression", rng=np.random.default_rng(0))
    with pytest.raises(SpecError, match=r"different numbers of draws \(3, 4\)"):
        impute(holed, method={"default": Regression(draws=3), "a": Regression(draws=4)}, rng=np.random.default_rng(0))
    with pytest.raises(ObservationsError, match=r"units appear more than once \(U0\)"):
        impute(pd.concat([holed, holed.head(1)]), method="mean")
