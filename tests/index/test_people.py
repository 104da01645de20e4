"""Weights from people as a factor: each person's own, panels drawn from them, level by level."""

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index import weight
from outcomes_analysis.index.montecarlo.factors import PeopleFactor, WeightFactor
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.replicates import dry_run, replicate
from outcomes_analysis.index.steps.tree import Tree

LEAVES = ["a", "b", "c", "d", "e"]
PARENTS = {"a": "first", "b": "first", "c": "first", "d": "second", "e": "second", "first": "top", "second": "top"}
PEOPLE = pd.DataFrame(
    {"a": [10, 1, 50], "b": [20, 1, 25], "c": [70, 2, 25], "first": [60, 3, 1], "second": [40, 1, 1]},
    index=["Ann", "Bo", "Cy"],
)


def model(hidden=(), parents=PARENTS):
    x = pd.DataFrame(np.random.default_rng(1).normal(size=(20, 5)), columns=LEAVES)
    return IndexModel(x, Tree.build(parents, leaves=LEAVES, hidden=hidden), normalisation="zscore")


def test_each_replicate_has_one_persons_weights_at_the_levels_they_gave():
    factor = PeopleFactor(allocations=PEOPLE)
    found = replicate(model(), factors=[factor], draws=64)
    weights = found.weights()
    assert set(found.choices["people"]) == {"Ann", "Bo", "Cy"}
    for r, who in found.choices["people"].items():
        own = PEOPLE.loc[who]
        np.testing.assert_allclose(weights.loc[r, ["a", "b", "c"]], own[["a", "b", "c"]] / own[["a", "b", "c"]].sum())
        np.testing.assert_allclose(weights.loc[r, "first"], own["first"] / (own["first"] + own["second"]))
        assert weights.loc[r, "d"] == 0.5  # nobody weighed the parts of "second"
    # each person equally likely: 64 points of a Sobol' sequence over three people
    assert found.choices["people"].value_counts().between(20, 23).all()


def test_the_mean_of_all_people_is_what_weight_gives():
    everyone = PEOPLE.assign(d=1.0, e=3.0)
    allocations = {who: dict(row) for who, row in everyone.iterrows()}
    given = weight(
        pd.DataFrame(np.random.default_rng(1).normal(size=(9, 5)), columns=LEAVES),
        method={"method": "people", "allocations": allocations},
        groups=PARENTS,
    )
    table = dry_run(model(), factors=[PeopleFactor(allocations=everyone)], draws=3 * 2**10, weights=True)
    for element in given.index.drop("top"):
        # 3,072 points of a Sobol' sequence err by less than one in a thousand
        assert table[f"weight: {element}"].mean() == pytest.approx(given.at[element, "weight"], abs=1e-3)


def test_panels_have_the_mean_of_people_and_the_error_of_that_mean():
    rng = np.random.default_rng(2)
    many = pd.DataFrame(rng.dirichlet([2, 2, 2], size=40), columns=["a", "b", "c"], index=[f"p{i}" for i in range(40)])
    factor = PeopleFactor(allocations=many, draw="panel", panels=4_096)
    table = dry_run(model(), factors=[factor], draws=4_096, weights=True)
    for name in many.columns:
        drawn = table[f"weight: {name}"]
        # standard error of a mean of 40, in closed form; of a bootstrap of 4,096 sets known to 1.1 %
        assert drawn.std() == pytest.approx(many[name].std(ddof=0) / np.sqrt(40), rel=0.04)
        assert drawn.mean() == pytest.approx(many[name].mean(), abs=4 * many[name].std() / np.sqrt(40 * 4_096))
    one = dry_run(model(), factors=[PeopleFactor(allocations=many)], draws=4_096, weights=True)
    assert one["weight: a"].std() == pytest.approx(many["a"].std(ddof=0), rel=0.04)


def test_levels_may_vary_apart():
    lower = PeopleFactor(name="indicators", allocations=PEOPLE[["a", "b", "c"]])
    upper = PeopleFactor(name="nodes", allocations=PEOPLE[["first", "second"]])
    table = dry_run(model(), factors=[lower, upper], draws=64)
    assert len(table.drop_duplicates()) == 9
    beside = dry_run(model(), factors=[lower, WeightFactor(within=("top",))], draws=16, weights=True)
    assert beside["weight: first"].nunique() == 16
    only = PeopleFactor(allocations=PEOPLE, within=("top",))
    assert dry_run(model(), factors=[only], draws=8, weights=True)["weight: a"].eq(1 / 3).all()


def test_near_duplicates_have_together_what_theirs_add_up_to():
    parents = PARENTS | {"a": "twins", "b": "twins", "twins": "first"}
    found = dry_run(
        model({"twins"}, parents), factors=[PeopleFactor(allocations=PEOPLE[["a", "b", "c"]])], draws=16, weights=True
    )
    for _, row in found.iterrows():
        own = PEOPLE.loc[row["people"], ["a", "b", "c"]]
        assert row["weight: twins"] == pytest.approx((own["a"] + own["b"]) / own.sum())
        assert row["weight: a"] == 0.5


@pytest.mark.parametrize(
    ("allocations", "message"),
    [
        ({"Ann": {"a": 1, "b": 1, "c": 1}, "Bo": {"a": 1, "b": 2}}, "allocation of 'Bo' does not name c"),
        ({"Ann": {"a": 1, "b": 1, "c": 0}, "Bo": {"a": 0, "b": 0, "c": 0}}, "allocation of 'Bo' gives the parts"),
        (
            {"Ann": {"z": 1, "a": 1, "b": 1, "c": 1}, "Bo": {"a": 1, "b": 1, "c": 1}},
            "1 elements .* not in the index: z",
        ),
        ({"Ann": {"a": 1, "b": 2, "c": 1}, "Bo": {"a": 2, "b": 4, "c": 2}}, "changes nothing"),
        ({"Ann": {"top": 1}, "Bo": {"top": 2}}, "changes nothing"),
    ],
)
def test_what_people_got_wrong_is_named(allocations, message):
    with pytest.raises(SpecError, match=message):
        replicate(model(), factors=[PeopleFactor(allocations=allocations)], draws=8)


def test_people_and_drawn_weights_of_one_node_are_refused():
    with pytest.raises(SpecError, match="varies nodes that an earlier factor"):
        dry_run(model(), factors=[PeopleFactor(allocations=PEOPLE), WeightFactor()], draws=8)


def test_a_factor_from_a_table_goes_to_and_from_json():
    factor = PeopleFactor(allocations=PEOPLE, draw="panel")
    assert PeopleFactor.model_validate_json(factor.model_dump_json()) == factor
