"""Scores without what is disputed, England's from the parts a place has, and the verdict that rests on both."""

import numpy as np
import pandas as pd
import pytest

import outcomes_analysis as oa
from outcomes_analysis.index import GeometricMean
from outcomes_analysis.index.agreeing import Ascent, scores_beside, without
from outcomes_analysis.index.score_rows import DEPENDS, SAME, standing
from outcomes_analysis.index.steps.means import ArithmeticMean, Rescale
from outcomes_analysis.index.steps.tree import Tree

DISPUTED = ["safe", "happy", "engaged"]


@pytest.fixture(scope="module")
def uncertain(index):
    return oa.uncertainty(index, draws=500, seed=1)


def _cells(result, node):
    return result.table[result.table["node_id"] == node].set_index("area_code")


@pytest.mark.parametrize(
    "spec",
    [oa.IndexSpec(), oa.IndexSpec(aggregate=GeometricMean(offset=100, factor=10), overall=True)],
    ids=["arithmetic", "geometric"],
)
def test_agreed_scores_are_those_of_an_index_without_contested_indicators(matrix, spec):
    """The reference is the index computed by itself from fewer indicators, tree and weights and all."""
    whole = oa.build_index(matrix, spec=spec)
    alone = oa.build_index(matrix, spec=spec.replace(contested="exclude"))
    for name in [*whole.domains, *(["overall"] if spec.overall else [])]:
        left, right = _cells(whole, name), _cells(alone, name)
        known = left["estimate"].notna()
        assert known.sum() > 140
        for ours, theirs in (("estimate_agreed", "estimate"), ("lower_agreed", "lower"), ("upper_agreed", "upper")):
            # sums of the same products in another order
            np.testing.assert_allclose(left.loc[known, ours], right.loc[known, theirs], rtol=0, atol=1e-12)
        same = left.loc[known, "against_england_agreed"] == right.loc[known, "against_england"]
        assert same.all()
        assert left["england_agreed"].iloc[0] == pytest.approx(right["england"].iloc[0], abs=1e-12)
        assert left.loc[~known, "estimate_agreed"].isna().all()


def test_the_share_contested_is_that_of_the_weights(index):
    assert {k: round(v.contested, 3) for k, v in index.nodes.items() if v.kind == "domain"} == {
        "safe": 0.444, "healthy": 0.0, "happy": 0.25, "learning": 0.0, "engaged": 0.5,
    }  # fmt: skip
    assert [k for k in index.domains if index.nodes[k].agreed is not None] == DISPUTED


def test_standing_is_plain_only_where_both_agree(index):
    table = index.table[index.table["kind"] != "indicator"]
    small = ["E09000001", "E06000053"]
    for row in table.to_dict("records"):
        whole, agreed, said = row["against_england"], row["against_england_agreed"], row["standing"]
        share = index.nodes[row["node_id"]].contested
        if row["area_code"] in small:
            assert said == ""
        elif share == 0 or whole == agreed:
            assert said == whole
        else:
            assert said in {DEPENDS, SAME if agreed == "" else DEPENDS}
    assert (table.loc[table["node_id"] == "safe", "standing"] == DEPENDS).sum() > 30
    trouble = table[table["node_id"] == "out_of_trouble"]  # of one contested indicator
    assert set(trouble["standing"]) <= {DEPENDS, SAME, ""}
    single = index.table[(index.table["node_id"] == "fte_yjs") & ~index.table["area_code"].isin(small)]
    assert (single["standing"] == single["against_england"]).all()


def test_standing_of_every_pair():
    whole = np.array(["above", "above", "above", "above", SAME, SAME, SAME, "below", "", ""], dtype=object)
    agreed = np.array(["above", SAME, "below", "", SAME, "above", "", SAME, "", "above"], dtype=object)
    expected = ["above", DEPENDS, DEPENDS, DEPENDS, SAME, DEPENDS, SAME, DEPENDS, "", ""]
    assert standing(whole, agreed).tolist() == expected


def test_ranks_without_contested_indicators_are_drawn_alike(index, uncertain, matrix):
    alone = oa.uncertainty(oa.build_index(matrix, spec=oa.IndexSpec(contested="exclude")), draws=500, seed=1)
    for name in ("safe", "engaged"):
        ours, theirs = _cells(uncertain, name), _cells(alone, name)
        ranked = ours["ranked"]
        np.testing.assert_array_equal(ours.loc[ranked, "rank_agreed"], theirs.loc[ranked, "rank"])
        # the same seed and the same scores but for rounding, so that draws are the same
        for end in ("lower", "upper"):
            np.testing.assert_allclose(
                ours.loc[ranked, f"rank_{end}_agreed"], theirs.loc[ranked, f"rank_{end}"], rtol=0, atol=1
            )
        assert ours.loc[~ranked, "rank_agreed"].isna().all()
    learning = _cells(uncertain, "learning")
    pd.testing.assert_series_equal(learning["rank_lower_agreed"], learning["rank_lower"], check_names=False)
    assert _cells(uncertain, "happy")["rank_agreed"].isna().all()


def test_beside_places_alike_without_contested_indicators(index, matrix):
    """The reference is the same comparison of an index computed by itself without them."""
    poverty = oa.build_matrix(
        oa.load_observations(), framework=oa.load_framework(), period=2025, include=["child_poverty_ahc"]
    ).values["child_poverty_ahc"]
    alone = oa.build_index(matrix, spec=oa.IndexSpec(contested="exclude"))
    ours, theirs = (oa.index.compare_given(one, poverty, resamples=20) for one in (index, alone))
    for name in index.domains:
        left, right = _cells(ours, name), _cells(theirs, name)
        known = left["status"] == "computed"
        assert (left.loc[known, "standing_agreed"] == right.loc[known, "standing"]).all()
        same = left.loc[known, "standing_agreed"] == left.loc[known, "standing"]
        assert same.all() == (name not in DISPUTED)


def test_england_has_the_parts_that_a_place_has(index):
    """By hand: England's figures times the weights really used in each place."""
    moved = 0
    for name in index.domains:
        score = index.nodes[name]
        own = index.prepared.counted.iloc[-1][list(score.weights.index)].to_numpy(float)
        expected = score.effective @ own
        known = np.isfinite(score.estimate)
        np.testing.assert_allclose(score.england_alike[known], expected[known], rtol=0, atol=1e-12)
        lacking = np.abs(expected - score.england) > 1e-9
        moved += int((known & lacking).sum())
        assert (score.england_alike[known & ~lacking] == score.england).all()
    assert moved >= 40  # Healthy alone has 35 places that lack a figure
    assert "compared with England's score from the parts that the place has" in index.text


def test_a_place_with_englands_figures_and_gaps_stands_at_england():
    """A place that has England's own figures, but for one that is missing, must not differ from England at all."""
    tree = Tree.build({"a": "one", "b": "one", "c": "two", "one": "top", "two": "top"}, leaves=["a", "b", "c"])
    x = np.array([[1.0, np.nan, -1.0], [1.0, 3.0, np.nan], [1.0, 3.0, -1.0], [1.0, 3.0, -1.0]])
    ascent = _ascent(x, tree)
    found = scores_beside(ascent, ascent.climbed(tree), tree)[tree.position("top")]
    np.testing.assert_allclose(found.estimate, [0.0, 2.0, 0.5])
    np.testing.assert_allclose(found.england_alike, found.estimate)
    assert found.england == 0.5
    # 0.1 for every figure; halves and quarters of it by hand
    np.testing.assert_allclose(found.england_alike_error, 0.1 * np.sqrt([0.5, 0.5, 0.375]))


def test_weight_of_what_is_disputed_goes_to_the_parts_beside_it():
    tree = Tree.build({"a": "one", "b": "one", "c": "two", "one": "top", "two": "top"}, leaves=["a", "b", "c"])
    x = np.array([[1.0, 5.0, -2.0], [2.0, 5.0, -2.0]])
    ascent = _ascent(x, tree)
    top = tree.position("top")
    rest = without(ascent, tree, {"b"})
    assert rest.climbed(tree).values[top][0] == pytest.approx(-0.5)
    assert rest.climbed(tree).present[top][0] == pytest.approx(1.0)  # b's share is not one that is lacking
    alone = without(ascent, tree, {"c"})
    assert alone.climbed(tree).values[top][0] == pytest.approx(3.0)
    assert np.isnan(alone.climbed(tree).values[tree.position("two")]).all()


def test_rescaled_nodes_are_rescaled_by_the_same_numbers():
    """A node of disputed parts alone has no spread to rescale by; the whole index gives the numbers."""
    tree = Tree.build({"a": "one", "b": "two", "one": "top", "two": "top"}, leaves=["a", "b"])
    x = np.array([[1.0, 5.0], [2.0, 1.0], [4.0, 2.0], [2.5, 3.0]])
    ascent = _ascent(x, tree, rescale=Rescale(mean=0, sd=1))
    up = ascent.climbed(tree)
    lines = {tree.branches[b].id: line for b, line in up.lines.items()}
    rest = without(ascent, tree, {"b"}).climbed(tree, lines=lines)
    assert np.isnan(rest.values[tree.position("two")]).all()
    np.testing.assert_allclose(rest.values[tree.position("one")], up.values[tree.position("one")])
    assert scores_beside(ascent, up, tree)[tree.position("top")].england == pytest.approx(up.values[-1][-1])


def _ascent(x, tree, *, rescale=None):
    return Ascent(
        x,
        np.full(x.shape, 0.1),
        present=np.isfinite(x),
        shares=np.array([0.5, 0.5, 1.0, 0.5, 0.5, 1.0]) if len(tree.leaves) == 3 else np.array([1, 1, 0.5, 0.5, 1.0]),
        base=np.array([True] * (len(x) - 1) + [False]),
        least=lambda _: 0.0,
        settings={
            "groups": list(tree.leaves),
            "methods": {b.id: ArithmeticMean() for b in tree.branches},
            "rescale": rescale,
        },
    )
