"""A question asked in every way: lines against statsmodels, nulls against brute force, and the size of the joint test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from made_figures import AREAS, made

from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.index.montecarlo.sobol import every_combination, exact_indices
from outcomes_analysis.relations.space.weights import neighbours_of
from outcomes_analysis.relations.spec_curve.choices import Choice, MultiverseSpec, held_by
from outcomes_analysis.relations.spec_curve.curves import MultiverseResult, multiverse
from outcomes_analysis.relations.spec_curve.joint_tests import joint_tests, moved_by
from outcomes_analysis.relations.spec_curve.rearranging import NeighboursKept, Permuted, first_return, slope_of

SPEC = MultiverseSpec(
    outcomes={"attainment8": "the broadest measure at 16", "persistent_absence": "being there comes first"},
    predictors={"mh_admissions_0_17": "the only figure of young people's mental health for every place"},
    years={2024: "the latest with both", 2023: "the year before"},
    adjustments={"": "the plain association", "child_poverty_bhc+fsm_pct": "poverty goes with both"},
    colliders=("susp_rate",),
)


def figures(*, tie: float, seed: int) -> pd.DataFrame:
    """Admissions tied to attainment and absence with a strength; poverty before them all; three areas lack a figure."""
    rng = np.random.default_rng(seed)
    n = len(AREAS)
    tables = []
    for year in (2023, 2024):
        poverty = rng.uniform(8, 40, n)
        near = rng.normal(size=n)
        values = {
            "mh_admissions_0_17": np.exp(4.4 + 0.4 * near),
            "attainment8": 55 - 0.3 * poverty - tie * near + rng.normal(size=n),
            "persistent_absence": np.clip(15 + 0.2 * poverty + tie * near + rng.normal(size=n), 1, 60),
            "child_poverty_bhc": poverty,
            "fsm_pct": np.clip(poverty + 3 * rng.normal(size=n), 1, 80),
            "pop_0_17": rng.integers(8_000, 300_000, n).astype(float),
        }
        tables.append(made(values, years=(year,), errors={"se_total": 0.5}))
    table = pd.concat(tables, ignore_index=True)
    gone = table["indicator_id"].eq("attainment8") & table["area_code"].isin(AREAS.index[:3])
    return table[~gone].reset_index(drop=True)


@pytest.fixture(scope="module")
def planted() -> MultiverseResult:
    return multiverse(figures(tie=1.0, seed=1), spec=SPEC)


def test_every_line_is_that_of_statsmodels(planted: MultiverseResult):
    """Each estimate and interval of one year and one outcome, made again from the table by another package."""
    table = figures(tie=1.0, seed=1)
    wide = table[table["period"].eq("2024")].pivot(index="area_code", columns="indicator_id", values="value")
    rows = planted.computed.query("outcome == 'persistent_absence' and year == 2024 and transformation != 'even_scale'")
    assert len(rows) == 2 * 3 * 2 * 3
    for row in rows.itertuples():
        names = ["persistent_absence", "mh_admissions_0_17", *held_by(row.adjusted_for)]
        data = wide[[*names, "pop_0_17"]].join(AREAS["region_code"])
        if row.sample == "without_london":
            data = data[data["region_code"] != "E12000007"]
        if row.sample == "without_smallest":
            data = data[data["pop_0_17"] > data["pop_0_17"].quantile(0.1)]
        x = data[names].rank() if row.transformation == "ranks" else data[names]
        x = (x - x.mean()) / x.std()
        # both adjusted attainment and absence have a direction, opposite ones: absence is turned
        y = -x["persistent_absence"]
        levels = pd.get_dummies(data["region_code"], dtype=float) if row.model == "regions" else pd.Series(1.0, x.index)
        design = np.column_stack([x[names[1:]], levels])
        weights = data["pop_0_17"] if row.model == "children" else np.ones(len(x))
        fit = sm.WLS(y.to_numpy(), design, weights=np.asarray(weights)).fit(cov_type="HC3", use_t=True)
        assert row.n == len(x)
        # two ways to the same closed form: rounding alone
        assert row.estimate == pytest.approx(fit.params[0], abs=1e-10)
        assert (row.lower, row.upper) == pytest.approx(tuple(fit.conf_int(0.1)[0]), abs=1e-10)
        assert row.p_value == pytest.approx(fit.pvalues[0], abs=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_without_an_association_by_brute_force(weighted: bool):
    """Freedman and Lane: fit without the predictor, rearrange its residuals, fit the whole line to the sum."""
    rng = np.random.default_rng(3)
    n = 40
    alike = np.column_stack([np.ones(n), rng.normal(size=n)])
    x, y = rng.normal(size=(2, n)) + alike[:, 1]
    weights = rng.uniform(1, 4, n) if weighted else None
    w = np.ones(n) if weights is None else weights
    permuted = Permuted.drawn(n, times=5, rng=rng)
    found = slope_of(y, x, alike, members=np.arange(n), rearrangement=permuted, weights=weights)
    without = sm.WLS(y, alike, weights=w).fit()
    whitened = np.sqrt(w) * without.resid
    for r in range(5):
        again = without.fittedvalues + whitened[permuted.order[r]] / np.sqrt(w)
        fit = sm.WLS(again, np.column_stack([alike, x]), weights=w).fit(cov_type="HC3")
        assert found.null_estimates[r] == pytest.approx(fit.params[2], abs=1e-10)
        assert found.null_t[r] == pytest.approx(fit.tvalues[2], abs=1e-9)


def test_fewer_areas_are_permuted_as_all_are():
    rng = np.random.default_rng(5)
    order = Permuted.drawn(30, times=200, rng=rng).order
    members = np.sort(rng.choice(30, 22, replace=False))
    found = first_return(order, members)
    assert (np.sort(found, axis=1) == members).all()
    for r in range(200):
        for i, member in enumerate(members):
            follow = order[r, member]
            while follow not in members:
                follow = order[r, follow]
            assert found[r, i] == follow


def test_drawn_signs_keep_the_likeness_of_neighbours():
    """Moran's I of a rearranged figure is the figure's own, its spread too, and it is tied to the figure no longer."""
    weights = neighbours_of(list(AREAS.index)).matrix
    rng = np.random.default_rng(7)
    kept = NeighboursKept.drawn(weights, times=400, rng=rng)
    values = np.linalg.solve(np.eye(len(weights)) - 0.8 * weights, rng.normal(size=len(weights)))
    values -= values.mean()
    drawn = kept.of(values, np.arange(len(values)))
    assert np.allclose(np.einsum("ir,ij,jr->r", drawn, weights, drawn), values @ weights @ values, rtol=1e-9)
    assert np.allclose((drawn**2).sum(axis=0), values @ values, rtol=1e-9)
    correlations = drawn.T @ values / (values @ values)
    # 400 draws of a correlation with sd below .3: the mean lies within 4 errors of 0
    assert abs(correlations.mean()) < 4 * 0.3 / 20


def test_shares_of_choices_are_sobol_indices():
    """With every combination there, those of the index's own enumeration."""
    levels = (3, 2, 4)
    combinations = every_combination(levels)
    y = np.random.default_rng(2).normal(size=len(combinations)) + combinations @ np.array([1.0, -2.0, 0.3])
    table = pd.DataFrame(combinations, columns=["a", "b", "c"]).assign(estimate=y)
    found = moved_by(table, choices=["a", "b", "c"]).set_index("choice").loc[["a", "b", "c"]]
    exact = exact_indices(y, levels=levels)
    assert found["alone"].to_numpy() == pytest.approx(exact.first[:, 0], abs=1e-12)
    assert found["with_others"].to_numpy() == pytest.approx(exact.total[:, 0], abs=1e-12)
    assert moved_by(table.assign(estimate=1.0), choices=["a"])["alone"].isna().all()


def test_joint_statistics_by_hand():
    observed = pd.DataFrame({"estimate": [0.2, 0.4, -0.1], "lower": [0.1, 0.2, -0.3], "upper": [0.3, 0.6, 0.1]})
    null_estimates = np.array([[-0.3, -0.2, 0.1], [0.1, 0.0, -0.1], [0.3, 0.2, 0.2], [0.1, -0.1, -0.1]])
    null_clear = np.array([[-1, -1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=float)
    found = joint_tests(observed, null_estimates=null_estimates, null_clear=null_clear, level=0.9)
    found = found.set_index("statistic")
    assert found["estimate"].to_dict() == pytest.approx({"median": 0.2, "same_sign": 2 / 3, "clear": 2 / 3})
    # medians -.2, 0, .2, -.1; signs 2/3, 1/3, 1, 2/3; clear 2/3, 0, 1, 0
    assert found["p_value"].to_dict() == pytest.approx({"median": 3 / 5, "same_sign": 4 / 5, "clear": 3 / 5})


def _rejections(*, alike: float, null: str, runs: int = 250) -> float:
    """How often the joint test of the median calls two unrelated figures tied, at one in ten."""
    weights = neighbours_of(list(AREAS.index)).matrix
    count = len(weights)
    # neighbours drawn together as a spatial lag has them: not the very process for which drawn signs are exact
    spread = np.linalg.inv(np.eye(count) - alike * weights)
    everyone, some = np.arange(count), np.arange(10, count)
    rejected = 0
    for run in range(runs):
        rng = np.random.default_rng(run)
        x, y, z = (spread @ rng.normal(size=count) for _ in range(3))
        drawn = (
            Permuted.drawn(count, times=59, rng=rng)
            if null == "separate"
            else NeighboursKept.drawn(weights, times=59, rng=rng)
        )
        ones = np.ones(count)
        lines = [
            slope_of(y[m], x[m], held[m], members=m, rearrangement=drawn)
            for m in (everyone, some)
            for held in (ones[:, None], np.column_stack([ones, z]))
        ]
        table = pd.DataFrame({"estimate": [s.estimate for s in lines], "lower": 0.0, "upper": 0.0})
        nulls = np.stack([s.null_estimates for s in lines], axis=1)
        found = joint_tests(table, null_estimates=nulls, null_clear=np.zeros_like(nulls), level=0.9)
        rejected += found["p_value"].iloc[0] <= 0.1
    return rejected / runs


def test_size_where_places_are_separate():
    # 250 runs at .1: standard error .019; the bounds are three of them
    assert 0.043 < _rejections(alike=0.0, null="separate") < 0.157


@pytest.mark.slow
def test_size_where_neighbours_are_alike():
    """Places exchanged at random call too many unrelated figures tied; with likeness kept the size is right."""
    assert _rejections(alike=0.8, null="separate") > 0.157
    assert 0.043 < _rejections(alike=0.8, null="neighbours") < 0.157


def test_a_planted_association_is_found(planted: MultiverseResult):
    joint = planted.joint.set_index(["null", "statistic"])
    assert len(planted.table) == SPEC.combinations == 2 * 1 * 2 * 2 * 3 * 3 * 3
    assert joint["p_value"].max() < 0.05
    assert joint.at[("neighbours", "median"), "estimate"] < -0.15
    assert planted.diagnostics["turned"] == ["persistent_absence"]
    assert "go beyond what chance gives" in planted.text
    assert "the sign was changed for" in planted.text
    assert "allowed for in none" in planted.text
    assert "between areas, not between children" in planted.text
    assert "90% interval" in planted.text
    places = planted.computed["place"]
    assert (places == np.arange(1, len(places) + 1)).all()
    assert planted.computed["estimate"].is_monotonic_increasing


def test_unrelated_figures_are_not_called_tied():
    result = multiverse(figures(tie=0.0, seed=11), spec=SPEC, permutations=99)
    assert result.joint.loc[result.joint["statistic"].eq("median"), "p_value"].min() > 0.1
    assert "no association can be claimed" in result.text


def test_what_cannot_be_had_is_withheld_with_the_reason():
    spec = SPEC.replace(years={2024: "the latest", 2019: "before the pandemic"})
    result = multiverse(figures(tie=1.0, seed=1), spec=spec, permutations=19)
    gone = result.table[result.table["status"] == "withheld"]
    assert set(gone["year"]) == {2019}
    assert gone["reason"].str.contains("no figures measured in 2019").all()
    assert gone["estimate"].isna().all()
    assert f"{len(gone)} further combinations could not be had" in result.text
    with pytest.raises(RelationError, match="Only 0 of 108 ways"):
        multiverse(figures(tie=1.0, seed=1), spec=SPEC.replace(years={2019: "x"}), permutations=19)


def test_figures_already_even_are_not_counted_twice():
    spec = SPEC.replace(
        outcomes={"attainment8": "broad"},
        predictors={"progress8": "a mean, like the other"},
        adjustments={"": "plain"},
        samples={"all": "all"},
    )
    framework = load_framework()
    assert framework.indicator("attainment8").scale == framework.indicator("progress8").scale == "identity"
    table = figures(tie=1.0, seed=1)
    other = table[table["indicator_id"].eq("attainment8")].assign(indicator_id="progress8")
    other["value"] = other["value"] ** 2 / 1000
    result = multiverse(pd.concat([table, other], ignore_index=True), spec=spec, permutations=19)
    reasons = result.table.loc[result.table["status"] == "withheld", ["transformation", "reason"]]
    assert set(reasons["transformation"]) == {"even_scale"}
    assert reasons["reason"].str.contains("on an even scale already").all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adjustments": {"susp_rate": "wrongly"}}, "susp_rate is allowed for, but is what both may feed into"),
        ({"mediators": ("fsm_pct",)}, "fsm_pct is allowed for, but is what may lie between"),
        ({"adjustments": {"attainment8": "wrongly"}}, "attainment8 is allowed for, but is an outcome"),
        ({"years": {2024: " "}}, "no reason is given for 2024"),
        ({"models": {"spline": "bends"}}, "unknown: spline"),
        ({"samples": {}}, "samples has no choice"),
        ({"years": (Choice(2024, "a"), Choice(2024, "b"))}, "named twice: 2024"),
        ({"predictors": {"attainment8": "both"}}, "both outcome and predictor: attainment8"),
    ],
)
def test_choices_that_cannot_be_defended(changes: dict[str, object], message: str):
    with pytest.raises(SpecError, match=message):
        SPEC.replace(**changes)


def test_the_same_seed_gives_the_same_curve(planted: MultiverseResult):
    one, again = (multiverse(figures(tie=1.0, seed=1), spec=SPEC, permutations=19) for _ in range(2))
    pd.testing.assert_frame_equal(again.joint, one.joint)
    assert again.text == one.text
    assert not again.joint.equals(planted.joint)
    assert hash(SPEC) == hash(SPEC.replace())
    assert SPEC.hash == again.manifest.spec
