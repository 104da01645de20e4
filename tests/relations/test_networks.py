"""Networks asked of made figures of real authorities: links, how steady they are, words, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_figures import AREAS, made
from scipy import stats

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations import RelationResult, RelationSpec
from outcomes_analysis.relations.network.graphical_lasso import ebic_network
from outcomes_analysis.relations.network.network_draws import link_intervals, strength_stability
from outcomes_analysis.relations.network.networks import outcome_network
from outcomes_analysis.wording import associational

NODES = ("gld_pct", "phonics_y1", "cla_rate", "y6_obesity", "mh_admissions_0_17")
SPEC = RelationSpec(
    outcome=NODES[0], predictors=NODES[1:], years=(2024,), confounders=("child_poverty_bhc",), samples=("all",)
)


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    """The first figure goes with the second and the third; poverty with the third and the fourth; one with none."""
    rng = np.random.default_rng(6)
    n = len(AREAS)
    poverty = rng.normal(size=n)
    first = rng.normal(size=n)
    return {
        "gld_pct": 68 + 3 * first,
        "phonics_y1": 78 + 2 * first + 2 * rng.normal(size=n),
        "cla_rate": np.exp(4 - 0.3 * first + 0.3 * poverty + 0.2 * rng.normal(size=n)),
        "y6_obesity": 20 + 3 * poverty + rng.normal(size=n),
        "mh_admissions_0_17": 80 + 20 * rng.normal(size=n),
        "child_poverty_bhc": 22 + 7 * poverty,
    }


@pytest.fixture(scope="module")
def result(values: dict[str, np.ndarray]) -> RelationResult:
    return outcome_network(made(values), spec=SPEC, draws=200)


def link(result: RelationResult, one: str, other: str, *, alike: str = "") -> pd.Series:
    table = result.table
    found = table[(table["node"] == one) & (table["other"] == other) & (table["adjusted_for"] == alike)]
    assert len(found) == 1
    return found.iloc[0]


def test_links_are_those_of_normal_scores(values: dict[str, np.ndarray], result: RelationResult):
    frame = pd.DataFrame(values, index=AREAS.index)
    scores = stats.norm.ppf((frame.rank() - 0.375) / (151 + 0.25))
    plain = ebic_network(np.corrcoef(scores[:, :5].T), n=151, nodes=NODES).weights
    design = np.column_stack([np.ones(151), scores[:, 5]])
    left = scores[:, :5] - design @ np.linalg.lstsq(design, scores[:, :5], rcond=None)[0]
    held = ebic_network(np.corrcoef(left.T), n=150, nodes=NODES)  # one area is taken off for what is allowed for
    ours = result.diagnostics["networks"]["child_poverty_bhc", "all"]
    assert ours.path["ebic"].to_numpy() == pytest.approx(held.path["ebic"].to_numpy(), abs=1e-6)
    alike = held.weights
    for i in range(5):
        for j in range(i + 1, 5):
            # the same fit of the same scores, rows in another order
            assert link(result, NODES[i], NODES[j])["estimate"] == pytest.approx(plain[i, j], abs=1e-7)
            row = link(result, NODES[i], NODES[j], alike="child_poverty_bhc")
            assert row["estimate"] == pytest.approx(alike[i, j], abs=1e-7)
    assert len(result.table) == 2 * 10


def test_what_is_held_alike_takes_its_link_away(result: RelationResult):
    assert link(result, "cla_rate", "y6_obesity")["estimate"] > 0.3
    assert abs(link(result, "cla_rate", "y6_obesity", alike="child_poverty_bhc")["estimate"]) < 0.1
    real = link(result, "gld_pct", "phonics_y1")
    assert real["lower"] > 0.3
    assert real["kept"] == 1
    nothing = link(result, "y6_obesity", "mh_admissions_0_17")
    assert nothing["lower"] <= 0 <= nothing["upper"]
    assert nothing["kept"] < 0.9


def test_a_scale_of_ranks_is_not_moved_by_a_curve(values: dict[str, np.ndarray]):
    bent = values | {"gld_pct": np.exp(values["gld_pct"] / 10)}
    one, other = (outcome_network(made(v), spec=SPEC.replace(confounders=()), draws=20) for v in (values, bent))
    pd.testing.assert_frame_equal(one.table, other.table)
    straight = outcome_network(made(bent), spec=SPEC.replace(confounders=()), draws=20, scale="values")
    assert not np.allclose(straight.table["estimate"], one.table["estimate"], atol=1e-3)


def test_text_says_what_a_link_is(result: RelationResult):
    text = result.text
    assert "partial association between areas" in text
    assert "across 151 authorities once all other figures are allowed for" in text
    assert "and child poverty before housing costs are allowed for" in text
    assert "(90% interval)" in text
    assert "is contested" in text
    assert "Not all figures are of the same children" in text
    assert "a missing link is no proof of none" in text
    associational(text.split("is contested")[0])


def test_intervals_are_quantiles_of_networks_of_areas_drawn_again():
    rng = np.random.default_rng(2)
    figures = rng.normal(size=(60, 4))
    figures[:, 1] += figures[:, 0]
    drawn = rng.integers(0, 60, size=(40, 60))
    found = link_intervals(figures, drawn=drawn, gamma=0.5, level=0.8)
    each = [ebic_network(np.corrcoef(figures[d].T), n=60, nodes=list("abcd")).weights for d in drawn]
    # draws stop at 1e-6
    assert found.lower == pytest.approx(np.quantile(each, 0.1, axis=0), abs=1e-4)
    assert found.upper == pytest.approx(np.quantile(each, 0.9, axis=0), abs=1e-4)
    assert found.kept == pytest.approx(np.mean(np.array(each) != 0, axis=0), abs=0.03)


def test_a_strong_order_is_steady_and_no_order_is_not():
    rng = np.random.default_rng(5)
    n = 150
    hub = rng.normal(size=n)
    spokes = np.column_stack([hub, *(hub + 0.8 * rng.normal(size=n) for _ in range(4)), rng.normal(size=(n, 3))])
    none = rng.normal(size=(n, 8))

    def stability(figures: np.ndarray, *, gamma: float) -> float:
        nodes = [str(k) for k in range(8)]
        weights = ebic_network(np.corrcoef(figures.T), n=n, nodes=nodes, gamma=gamma).weights
        assert np.count_nonzero(weights) > 0
        return strength_stability(figures, weights, gamma=gamma, draws=20, rng=np.random.default_rng(1))

    assert stability(spokes, gamma=0.5) >= 0.5
    assert stability(none, gamma=0.0) < 0.25  # links cost little: some are found where there are none


def test_figures_that_bear_no_network_are_refused(values: dict[str, np.ndarray]):
    with pytest.raises(RelationError, match="2 figures are named; a network needs three"):
        outcome_network(made(values), spec=SPEC.replace(predictors=NODES[1:2]))
    many = tuple(f"i{k}" for k in range(20))
    with pytest.raises(RelationError, match="21 figures are named"):
        outcome_network(made(values), spec=SPEC.replace(predictors=many))
    with pytest.raises(RelationError, match=r"same in all 151 authorities: cla_rate"):
        outcome_network(made(values | {"cla_rate": np.full(151, 60.0)}), spec=SPEC, draws=5)
    with pytest.raises(RelationError, match=r"Perfectly collinear: .*phonics_y1"):
        outcome_network(made(values | {"cla_rate": 2 * values["phonics_y1"]}), spec=SPEC, draws=5)


def test_the_same_seed_gives_the_same_network(values: dict[str, np.ndarray]):
    one, other = (outcome_network(made(values), spec=SPEC.replace(confounders=()), draws=20, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, other.table)
    assert one.diagnostics["stability"] == other.diagnostics["stability"]


def test_nodes_say_what_a_chart_must_show_of_each(result: RelationResult):
    nodes = result.diagnostics["nodes"].set_index("node")
    assert list(nodes.index) == list(NODES)
    assert set(result.table["node"]) | set(result.table["other"]) == set(NODES)
    assert nodes.loc["mh_admissions_0_17"].tolist() == ["mental health admissions", "happy", True, True]
    assert nodes.loc["phonics_y1", ["domain", "contested", "experimental"]].tolist() == ["learning", False, False]
