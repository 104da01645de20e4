"""Shrinkage against the R package sae, formulas written out, and its own bounds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outcomes_analysis as oa
from outcomes_analysis.areas import load_neighbours
from outcomes_analysis.errors import ObservationsError, SpecError
from outcomes_analysis.index import fay_herriot, shrink, shrink_counts
from outcomes_analysis.pipeline import default_index


@pytest.fixture(scope="module")
def milk(gold):
    folder = gold / "models" / "sae_milk"
    data, reference = pd.read_csv(folder / "milk.csv"), pd.read_csv(folder / "eblup_reference.csv")
    return data.set_index("SmallArea"), reference.set_index("area")


def areas_of(rng, n=30):
    v = rng.uniform(0.2, 1.0, n)
    y = 5 + rng.normal(0, 1, n) + rng.normal(0, v)
    units = [f"u{i}" for i in range(n)]
    return pd.DataFrame({"x": y}, index=units), pd.DataFrame({"x": v}, index=units)


def test_fay_herriot_is_that_of_the_r_package_sae(milk):
    data, reference = milk
    major = data[["MajorArea"]].astype("str")
    found = fay_herriot(data["yi"], data["SD"] ** 2, major)
    # sae iterates to 1e-4 and prints seven digits: 1e-6 is as close as it goes.
    assert found.table["estimate"].to_numpy() == pytest.approx(reference["eblup_ref_R_sae"].to_numpy(), abs=1e-6)
    assert found.table["mse"].to_numpy() == pytest.approx(reference["mse_ref"].to_numpy(), abs=1e-6)
    assert found.table["mse"].to_numpy() == pytest.approx(reference["mse_check"].to_numpy(), abs=1e-8)
    assert found.coefficients.index.tolist() == ["constant", "MajorArea_2", "MajorArea_3", "MajorArea_4"]
    assert (found.table["mse"] < data["SD"] ** 2).all()


def test_fay_herriot_does_not_mind_units_of_covariates_and_fills_areas_without_a_figure(milk):
    data, _ = milk
    x = pd.DataFrame({"size": data["ni"].astype(float)})
    plain = fay_herriot(data["yi"], data["SD"] ** 2, x)
    large = fay_herriot(data["yi"], data["SD"] ** 2, 1e7 * x + 3)
    assert large.table["estimate"].to_numpy() == pytest.approx(plain.table["estimate"].to_numpy(), rel=1e-9)
    assert large.coefficients.at["size", "estimate"] * 1e7 == pytest.approx(plain.coefficients.at["size", "estimate"])
    gap = fay_herriot(data["yi"].where(data.index != 7), data["SD"] ** 2, x)
    row = gap.table.loc[7]
    b = gap.coefficients["estimate"]
    assert row["estimate"] == row["synthetic"] == pytest.approx(b["constant"] + b["size"] * 183)
    assert row["kept"] == 0
    assert row["mse"] > gap.between  # its own spread about the regression, and that of the fitted value


def test_fay_herriot_says_what_is_wrong(milk):
    data, _ = milk
    y, v = data["yi"], data["SD"] ** 2
    with pytest.raises(ObservationsError, match=r"1 covariates have gaps \(a\)"):
        fay_herriot(y, v, pd.DataFrame({"a": np.where(y.index == 3, np.nan, 1.0)}, index=y.index))
    with pytest.raises(ObservationsError, match="only 2 of the 3 covariates are independent"):
        fay_herriot(y, v, pd.DataFrame({"a": data["ni"], "b": 2.0 * data["ni"]}))
    with pytest.raises(SpecError, match="1 units are in the estimates or the variances only: 43"):
        fay_herriot(y, v.drop(43))
    with pytest.raises(SpecError, match="4 figures are too few for 2 coefficients"):
        fay_herriot(y.head(4), v.head(4), data[["ni"]].head(4))


def test_towards_the_region_is_a_fay_herriot_model_of_regions(milk):
    data, reference = milk
    found = shrink(data[["yi"]], data[["SD"]].set_axis(["yi"], axis=1), towards="region", groups=data["MajorArea"])
    assert found.values["yi"].to_numpy() == pytest.approx(reference["eblup_check"].to_numpy(), abs=1e-7)
    assert found.errors["yi"].to_numpy() ** 2 == pytest.approx(reference["mse_check"].to_numpy(), abs=1e-8)
    weighed = found.kept["yi"] * data["yi"] + (1 - found.kept["yi"]) * found.targets["yi"]
    assert found.values["yi"].to_numpy() == pytest.approx(weighed.to_numpy())
    assert found.reliability["yi"] == pytest.approx(found.kept["yi"].mean())


def test_logit_form_as_the_indices_of_deprivation_write_it():
    """The formulas in full, one district of five areas, in plain arithmetic."""
    r, n = np.array([3.0, 0.0, 12.0, 7.0, 30.0]), np.array([50.0, 20.0, 80.0, 60.0, 90.0])
    m = np.log((r + 0.5) / (n - r + 0.5))
    s2 = (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))
    middle = np.log((r.sum() + 0.5) / (n.sum() - r.sum() + 0.5))
    t2 = ((m - middle) ** 2).sum() / 4
    w = (1 / s2) / (1 / s2 + 1 / t2)
    star = w * m + (1 - w) * middle
    expected = np.exp(star) / (1 + np.exp(star))
    table = pd.DataFrame({"x": np.concatenate([r, r[:1] * 9]), "d": ["a"] * 5 + ["b"]})
    people = pd.DataFrame({"x": np.concatenate([n, [90.0]])})
    found = shrink_counts(table[["x"]], people, towards="region", groups=table["d"], spread="published")
    assert found.values["x"].to_numpy()[:5] == pytest.approx(expected, rel=1e-12)
    assert found.kept["x"].to_numpy()[:5] == pytest.approx(w, rel=1e-12)
    assert found.values["x"].iloc[5] == pytest.approx(27 / 90)  # alone in its district: as published
    net = shrink_counts(table[["x"]], people, towards="region", groups=table["d"])
    assert (net.kept["x"][:5] <= found.kept["x"][:5]).all()  # net of errors, less is kept


def test_normal_form_with_the_spread_as_published():
    values, errors = areas_of(np.random.default_rng(2))
    y, v = values["x"].to_numpy(), errors["x"].to_numpy() ** 2
    middle = (y / v).sum() / (1 / v).sum()
    t2 = ((y - middle) ** 2).sum() / (len(y) - 1)
    found = shrink(values, errors, spread="published")
    assert found.values["x"].to_numpy() == pytest.approx((y * t2 + middle * v) / (t2 + v), rel=1e-12)


def test_neighbours_and_given_targets():
    values, errors = areas_of(np.random.default_rng(3))
    ring = [(f"u{i}", f"u{(i + k) % 30}") for i in range(29) for k in (1, 29)]  # u29 names none
    pairs = pd.DataFrame(ring, columns=["area_code", "neighbour_code"])
    found = shrink(values, errors, towards="neighbours", neighbours=pairs)
    weight = 1 / errors["x"] ** 2
    beside = ["u4", "u6"]
    assert found.targets.at["u5", "x"] == pytest.approx((values["x"] * weight)[beside].sum() / weight[beside].sum())
    assert found.values.at["u29", "x"] == values.at["u29", "x"]
    assert np.isnan(found.kept.at["u29", "x"])
    assert "1 figures stay as published" in found.text
    by_indicator = shrink(values, errors, towards=pd.Series({"x": 5.0}))
    by_unit = shrink(values, errors, towards=pd.Series(5.0, index=values.index))
    pd.testing.assert_frame_equal(by_indicator.values, by_unit.values)
    assert (by_indicator.targets == 5.0).all(axis=None)


def test_what_cannot_be_drawn_stays_as_published():
    values, errors = areas_of(np.random.default_rng(4))
    values.loc["u1"], errors.loc["u2"], errors.loc["u3"] = np.nan, np.nan, 0.0
    found = shrink(values, errors)
    assert np.isnan(found.values.at["u1", "x"])
    assert found.values.at["u2", "x"] == values.at["u2", "x"]
    assert found.values.at["u3", "x"] == values.at["u3", "x"]
    assert found.kept.at["u3", "x"] == 1
    assert set(found.changes["unit"]) == set(values.index) - {"u1", "u2", "u3"}
    few = shrink(values.iloc[4:7], errors.iloc[4:7])
    pd.testing.assert_frame_equal(few.values, values.iloc[4:7])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"towards": "region"}, "30 units have no group"),
        ({"towards": "neighbours"}, "`neighbours` must be a table"),
        ({"towards": "somewhere"}, "no target 'somewhere'"),
        ({"towards": pd.Series({"y": 1.0})}, "neither all indicators nor all units"),
    ],
)
def test_missing_targets_are_named(options, message):
    values, errors = areas_of(np.random.default_rng(5))
    with pytest.raises(SpecError, match=message):
        shrink(values, errors, **options)


def test_bad_cells_are_named():
    values, errors = areas_of(np.random.default_rng(5))
    with pytest.raises(ObservationsError, match="negative standard errors in x"):
        shrink(values, -errors)
    with pytest.raises(SpecError, match="the errors must have the same units"):
        shrink(values, errors.head(3))
    with pytest.raises(ObservationsError, match="numerators below 0 or above their denominator"):
        shrink_counts(values * 0 + 5, values * 0 + 4)


numbers = st.floats(-50, 50)
spreads = st.sampled_from(["net", "published"])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(numbers, st.floats(0, 20), st.integers(0, 2), st.booleans()), min_size=1, max_size=15),
    st.sampled_from(["mean", "region", "neighbours"]),
    spreads,
)
def test_never_outside_raw_and_target(rows, towards, spread):
    units = [f"u{i}" for i in range(len(rows))]
    values = pd.DataFrame({"x": [np.nan if gap else y for y, _, _, gap in rows]}, index=units)
    errors = pd.DataFrame({"x": [e for _, e, _, _ in rows]}, index=units)
    before = values.copy()
    pairs = pd.DataFrame({"area_code": units, "neighbour_code": units[1:] + units[:1]})
    groups = pd.Series([g for _, _, g, _ in rows], index=units)
    found = shrink(values, errors, towards=towards, groups=groups, neighbours=pairs, spread=spread)
    raw, target, result = values["x"], found.targets["x"].fillna(values["x"]), found.values["x"]
    low, high = np.fmin(raw, target), np.fmax(raw, target)
    assert (result.isna() == raw.isna()).all()
    assert ((result >= low) & (result <= high) | raw.isna()).all()
    assert (found.errors["x"].dropna() <= errors["x"][found.errors["x"].notna()] + 1e-12).all()
    pd.testing.assert_frame_equal(values, before)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), min_size=2, max_size=12), spreads)
def test_shares_too_stay_between(rows, spread):
    r = pd.DataFrame({"x": [float(a) for a, _ in rows]})
    n = pd.DataFrame({"x": [float(a + b) or np.nan for a, b in rows]})
    found = shrink_counts(r.where(n.notna()), n, spread=spread)
    raw, target = (r / n)["x"], found.targets["x"]
    there = raw.notna()
    low, high = np.fmin(raw, target)[there], np.fmax(raw, target)[there]
    assert (found.values["x"][there] >= low).all()
    assert (found.values["x"][there] <= high).all()


def test_order_of_rows_does_not_matter():
    values, errors = areas_of(np.random.default_rng(6))
    order = np.random.default_rng(1).permutation(30)
    turned = shrink(values.iloc[order], errors.iloc[order])
    pd.testing.assert_frame_equal(turned.values.loc[values.index], shrink(values, errors).values, rtol=1e-9)


def test_nearer_the_truth_than_the_figures_on_simulated_areas():
    """Mean squared error falls, and the 90 % band of the posterior covers about 90 % of the truth."""
    rng = np.random.default_rng(11)
    closer, covered = [], []
    for _ in range(40):
        truth = rng.normal(0, 1, 150)
        error = rng.uniform(0.3, 2.0, 150)
        values = pd.DataFrame({"x": truth + rng.normal(0, error)})
        found = shrink(values, pd.DataFrame({"x": error}))
        closer.append(((found.values["x"] - truth) ** 2).mean() / ((values["x"] - truth) ** 2).mean())
        covered.append((np.abs(found.values["x"] - truth) <= 1.645 * found.errors["x"]).mean())
    assert np.mean(closer) < 0.5
    assert np.mean(covered) == pytest.approx(
        0.90, abs=0.02
    )  # 6,000 areas: standard error .004, allowance for the normal


def test_on_the_release_the_fewer_the_children_the_less_is_kept():
    matrix = default_index(2024).matrix
    ordinary = matrix.areas.index[matrix.areas["ranked"]]
    names = ["attainment8", "infant_mort", "cpp_repeat_pct"]
    values, errors = matrix.transformed.loc[ordinary, names], matrix.transformed_error.loc[ordinary, names]
    region = shrink(values, errors, towards="region", groups=matrix.areas["region_code"])
    like = shrink(values, errors, towards="neighbours", neighbours=load_neighbours())
    for found in (region, like):
        assert found.reliability["attainment8"] > 0.7 > found.reliability["infant_mort"]
        assert (found.values.std() < values.std()).all()
        corr = found.kept["infant_mort"].corr(errors["infant_mort"], method="spearman")
        assert corr == pytest.approx(-1)
    assert oa.index.shrink is shrink
