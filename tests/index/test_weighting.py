"""Weights against COINr, the Scottish index, the Handbook, closed forms, and refusals that name the culprit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import OutcomesWarning, SpecError
from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling
from outcomes_analysis.index.judging.components import principal_components
from outcomes_analysis.index.steps.aggregation import aggregate
from outcomes_analysis.index.steps.loadings import component_loadings, ml_factor, varimax
from outcomes_analysis.index.steps.normalisation import normalise
from outcomes_analysis.index.steps.orderings import NormalScores
from outcomes_analysis.index.steps.weighting import (
    Equal,
    Given,
    MLFactor,
    Optimised,
    People,
    PrincipalComponents,
    weight,
)

REVERSED = ["Attendance", "Attainment", "HESA"]  # gold/simd2016/README.md


@pytest.fixture(scope="module")
def asem(gold):
    meta = pd.read_csv(gold / "coinr/00_in_asem_imeta.csv").query("Level.notna()").set_index("iCode")
    values = pd.read_csv(gold / "coinr/08_agg_in.csv", index_col=0).astype(float)
    return values, meta["Parent"].dropna()


@pytest.fixture(scope="module")
def tai():
    table = pd.read_csv(Path(__file__).with_name("tai.csv"), comment="#", index_col=0)
    return table.loc[:, :"university"].astype(float)


def test_effective_weights_as_coinr(gold, asem):
    values, parents = asem
    gold_weights = pd.read_csv(gold / "coinr/07_eff_weights.csv", index_col=0)
    found = weight(values, groups=parents)
    np.testing.assert_allclose(found["effective"], gold_weights["EffWeight"].loc[found.index], rtol=1e-12)
    given = Given(weights=dict(gold_weights["Weight"].drop("Index")))
    pd.testing.assert_frame_equal(weight(values, groups=parents, method=given), found)


def test_principal_components_as_coinr_up_to_sign(gold, asem):
    """COINr takes first loadings with R's arbitrary signs as weights; here they are squared, or refused."""
    values, parents = asem
    loadings = pd.read_csv(gold / "coinr/07_pca_weights_L1.csv", index_col=0)["Weight"]
    groups = {node: list(parents.index[parents == node]) for node in ("Physical", "ConEcFin", "Instit", "SusEcFin")}
    refused = 0
    for node, names in groups.items():
        expected = loadings[names]
        rotation = principal_components(values[names]).rotation[1]
        np.testing.assert_allclose(rotation.abs(), expected.abs(), atol=1e-9)
        method = PrincipalComponents(components=1)
        flat = dict.fromkeys(names, node)
        if (np.sign(expected) == np.sign(expected.iloc[0])).all():
            found = weight(values[names], groups=flat, method=method)
            np.testing.assert_allclose(found.loc[names, "weight"], expected**2, atol=1e-9)
        else:
            refused += 1
            with pytest.raises(SpecError, match=f"negatively on a component of '{node}'"):
                weight(values[names], groups=flat, method=method)
    assert 0 < refused < len(groups)  # both ways are met


def test_upper_levels_by_the_scores_below(gold, asem):
    values, parents = asem
    loadings = pd.read_csv(gold / "coinr/07_pca_weights_L2.csv", index_col=0)["Weight"]
    pillars = list(parents.index[parents == "Conn"])
    found = weight(values, groups=parents, method={"Conn": PrincipalComponents(components=1), "default": "equal"})[
        "weight"
    ]
    assert (loadings[pillars] > 0).all() or (loadings[pillars] < 0).all()
    np.testing.assert_allclose(found[pillars], loadings[pillars] ** 2, atol=1e-9)


def test_factor_weights_of_the_scottish_index(gold):
    folder = gold / "simd2016"
    raw = pd.read_csv(folder / "in_indicators.csv.gz", index_col=0)
    expected = pd.read_csv(folder / "calc_fa_weights.csv")
    published = pd.read_excel(folder / "published_sas_weights.xlsx", engine="calamine").iloc[0]
    named = {"Attendance": "attend", "CIF": "cif", "drive_GP": "dr_gp", "PT_Post": "pt_post", "DEPRESS": "depress"}
    for _, group in expected.groupby("domain"):
        names = list(group["indicator"])
        directions = {n: -1 if n in REVERSED else 1 for n in names}
        scores = normalise(raw[names], method=NormalScores(position="van_der_waerden"), directions=directions).values
        found = weight(scores.fillna(0), method=MLFactor(by="scores"))["weight"]
        group = group.set_index("indicator")
        # two optimisers that stop at slightly different points of the same flat maximum
        np.testing.assert_allclose(found[names], group["weight"], atol=1e-5)
        np.testing.assert_allclose(ml_factor(scores.fillna(0)).loadings, group["loading"], atol=1e-5)
        for name in set(names) & set(named):
            # the published ones come from SAS, where missing data in the ranks are treated another way
            assert abs(found[name] - published[f"wt_{named[name]}"]) <= 1.5e-3


def test_loadings_and_scores_are_two_things(gold):
    rng = np.random.default_rng(3)
    common = rng.normal(size=500)
    values = pd.DataFrame({n: common * a + rng.normal(size=500) for n, a in {"a": 2, "b": 1, "c": 0.6}.items()})
    by_loading = weight(values, method="factor")["weight"]
    by_score = weight(values, method=MLFactor(by="scores"))["weight"]
    fit = ml_factor(values)
    np.testing.assert_allclose(by_loading[["a", "b", "c"]], fit.loadings / fit.loadings.sum())
    # closed form of the coefficients of one factor: loading over uniqueness, up to a common factor
    ratio = fit.loadings / fit.uniqueness
    np.testing.assert_allclose(by_score[["a", "b", "c"]], ratio / ratio.sum(), rtol=1e-4)
    # with three indicators one factor fits exactly: l1^2 = r12 r13 / r23
    r = values.corr()
    assert fit.loadings["a"] ** 2 == pytest.approx(r.at["a", "b"] * r.at["a", "c"] / r.at["b", "c"], rel=1e-4)


def test_maximum_likelihood_agrees_with_statsmodels(gold):
    from statsmodels.multivariate.factor import Factor as Reference

    scores = pd.read_csv(gold / "coinr/08_agg_in.csv", index_col=0)[["LPI", "ConSpeed", "Cov4G", "Flights"]]
    reference = np.abs(Reference(scores.astype(float).to_numpy(), 1, method="ml").fit().loadings[:, 0])
    # its optimiser stops at 1e-4 or so of the maximum
    np.testing.assert_allclose(ml_factor(scores.astype(float)).loadings.abs(), reference, atol=2e-3)


def test_technology_index_factor_weights(tai):
    found = weight(tai, method=PrincipalComponents(components=4, negative="next"))["weight"]
    # Handbook table 22, and table 18 from before rounding twice; exports loads -.65 and is counted by its next, .56
    table_22 = dict(zip(tai.columns, [0.17, 0.15, 0.11, 0.06, 0.08, 0.13, 0.13, 0.17], strict=True))
    table_18 = dict(zip(tai.columns, [0.17, 0.15, 0.11, 0.07, 0.08, 0.12, 0.14, 0.16], strict=True))
    for name in tai:
        assert min(abs(found[name] - table_22[name]), abs(found[name] - table_18[name])) <= 0.01
    with pytest.raises(SpecError, match="exports load negatively"):
        weight(tai, method=PrincipalComponents(components=4))


def test_technology_index_rotated_loadings(tai):
    found = component_loadings(tai, components=4)
    # Handbook table 9, first column and the communality of patents; two decimals of data and loadings
    published = [0.07, 0.13, 0.79, -0.64, 0.37, 0.82, 0.88, 0.08]
    np.testing.assert_allclose(found[1], published, atol=0.013)
    assert (found.loc["patents"] ** 2).sum() == pytest.approx(0.95, abs=0.01)


def test_rotation_keeps_communalities():
    x = np.random.default_rng(1).normal(size=(8, 3))
    turned = varimax(x)
    np.testing.assert_allclose((turned**2).sum(axis=1), (x**2).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(varimax(turned), turned, atol=1e-5)  # rotated once is rotated


def test_optimised_weights_reach_their_targets_whatever_the_order():
    rng = np.random.default_rng(5)
    common = rng.normal(size=400)
    values = pd.DataFrame({"a": common + rng.normal(size=400), "b": 5 * rng.normal(size=400), "c": common})
    targets = {"a": 0.3, "b": 0.3, "c": 0.4}
    found = weight(values, method=Optimised(targets=targets))["weight"]
    score = aggregate(values, weights=found.drop("index")).values["index"]
    reached = values.corrwith(score)
    np.testing.assert_allclose(reached / reached.sum(), list(targets.values()), rtol=1e-9)
    swapped = weight(values, method=Optimised(targets=dict(reversed(targets.items()))))["weight"]
    pd.testing.assert_series_equal(found, swapped)
    squared = weight(values, method=Optimised(targets=targets, measure="squared"))["weight"]
    r2 = values.corrwith(aggregate(values, weights=squared.drop("index")).values["index"]) ** 2
    np.testing.assert_allclose(r2 / r2.sum(), list(targets.values()), rtol=1e-9)


def test_targets_out_of_reach_are_said_so():
    x = np.arange(50.0)
    values = pd.DataFrame({"a": x, "b": x + np.tile([0.1, -0.1], 25), "c": np.tile([1.0, -1.0], 25)})
    with pytest.warns(OutcomesWarning, match="Reached: a"):
        found = weight(values, method=Optimised(targets={"a": 0.9, "b": 0.05, "c": 0.05}))["weight"]
    assert (found >= 0).all()


def test_peoples_weights_are_mean_shares():
    values = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "b"])
    method = People(allocations={"Ann": {"a": 75, "b": 25}, "Bo": {"a": 1, "b": 3}})
    assert weight(values, method=method)["weight"].to_dict() == {"a": 0.5, "b": 0.5, "index": 1}
    with pytest.raises(SpecError, match=r"allocation of 'Bo' does not name b"):
        weight(values, method=People(allocations={"Ann": {"a": 1, "b": 1}, "Bo": {"a": 1}}))
    assert People.model_validate_json(method.model_dump_json()) == method
    assert hash(method)


def test_levels_may_differ_and_omissions_are_named():
    values = pd.DataFrame(np.eye(3) + 1, columns=["a", "b", "c"])
    groups = {"a": "x", "b": "x", "c": "y", "x": "top", "y": "top"}
    top = weight(values, groups=groups, method=Given(weights={"x": 3, "y": 1}, rest="equal"))
    assert top["effective"].to_dict() == {"a": 0.375, "b": 0.375, "c": 0.25, "x": 0.75, "y": 0.25, "top": 1}
    assert top["parent"].to_dict() == groups | {"top": ""}
    assert weight(values, groups=groups, method=Equal(across="indicators"))["effective"]["c"] == pytest.approx(1 / 3)
    with pytest.raises(SpecError, match="does not name y"):
        weight(values, groups=groups, method=Given(weights={"x": 3}, rest="equal"))
    with pytest.raises(SpecError, match="does not name a, b"):
        weight(values, groups=groups, method=Given(weights={"x": 3, "y": 1}))
    with pytest.raises(SpecError, match="below 0"):
        weight(values, method=Given(weights={"a": -1, "b": 1, "c": 1}))
    with pytest.raises(SpecError, match=r"node 'x': one factor needs three"):
        weight(values, groups=groups, method={"x": "factor", "default": "equal"})
    with pytest.raises(SpecError, match="zz"):
        weight(values, groups=groups, method={"zz": "equal", "default": "equal"})


def test_factor_refuses_an_indicator_set_against_the_others():
    rng = np.random.default_rng(9)
    common = rng.normal(size=300)
    values = pd.DataFrame({n: s * common + rng.normal(size=300) for n, s in zip("abcd", [1, 1, 1, -1], strict=True)})
    with pytest.raises(SpecError, match="d load negatively on the factor"):
        weight(values, method="factor")
    with pytest.raises(SpecError, match="do not vary"):
        weight(values.assign(d=0.5), method="factor")
    with pytest.raises(SpecError, match="nothing to each of its own"):
        weight(values.assign(d=values["a"]), method="factor")


def framework():
    def indicator(name, **more):
        return Indicator(
            id=name, name=name, definition="d", unit="%", direction=1, form="mean", age_stage="5",
            geography_basis="residence", base_period="2023", source="s", decimals=1, cannot_tell="c",
            sampling=Sampling(model="none"), **more,
        )  # fmt: skip

    nodes = (
        Node(id="safe", label="Safe", kind="domain"),
        Node(id="home", label="Home", kind="outcome", parent="safe"),
        Node(id="road", label="Road", kind="outcome", parent="safe"),
    )
    indicators = (
        indicator("a", outcome="home", doublet="twins"),
        indicator("b", outcome="road", doublet="twins"),
        indicator("c", outcome="home"),
        indicator("d", outcome="safe"),
        indicator("e", outcome="road"),
    )
    return Framework(
        id="f", label="F", version="1", date="2026", source_url="", notice="n", nodes=nodes, indicators=indicators
    )


def test_near_duplicates_share_one_weight_where_the_first_of_them_is():
    values = pd.DataFrame(np.eye(5), index=list("abcde"), columns=list("abcde"))
    found = weight(values, framework=framework())
    expected = {"a": 1 / 12, "b": 1 / 12, "c": 1 / 6, "d": 1 / 3, "e": 1 / 3}
    assert found["effective"][list("abcde")].to_dict() == pytest.approx(expected)
    alone = weight(values[["a", "c", "d", "e"]], framework=framework())
    assert alone.at["a", "parent"] == "home"
    given = Given(weights={"a": 1, "b": 1, "c": 2}, rest="equal")
    assert weight(values, framework=framework(), method=given)["effective"].to_dict() == found["effective"].to_dict()
    doubled = aggregate(values, framework=framework(), weights={"a": 1, "b": 1, "c": 4}).values.loc["a", "home"]
    assert doubled == pytest.approx(1 / 6)  # the twins weigh 2 against 4, and one of them has 1
    everyone = weight(values, framework=framework(), method=Equal(across="indicators"))["effective"]
    assert everyone["d"] == pytest.approx(1 / 4)  # four measures, the twins being one
    with pytest.raises(SpecError, match="zz"):
        weight(values.assign(zz=1.0), framework=framework())
