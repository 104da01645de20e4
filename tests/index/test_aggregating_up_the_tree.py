"""Aggregation against COINr, the Handbook and hand calculation, and what must hold for any data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.model import Framework, Node
from outcomes_analysis.index.building import competition_rank
from outcomes_analysis.index.steps.aggregation import aggregate
from outcomes_analysis.index.steps.means import (
    Copeland,
    GeneralisedMean,
    GeometricMean,
    MazziottaPareto,
    Rescale,
    WeightedMedian,
)
from outcomes_analysis.index.steps.normalisation import normalise
from outcomes_analysis.index.steps.pairwise import copeland, kemeny, outranking
from outcomes_analysis.index.steps.scalings import Adjusted, Goalposts

COINR = 1e-9  # of the column's largest value: the tolerance; found to hold to a few units of rounding


def close(found, expected):
    expected = expected.astype(float)[list(found.columns)].loc[found.index]
    assert ((found - expected).abs().max() / expected.abs().max()).max() <= COINR


def read(gold, name):
    return pd.read_csv(gold / "coinr" / f"{name}.csv", index_col=0)


@pytest.fixture(scope="module")
def meta(gold):
    return pd.read_csv(gold / "coinr/00_in_asem_imeta.csv").query("Level.notna()").set_index("iCode")


@pytest.fixture(scope="module")
def tai():
    return pd.read_csv(Path(__file__).with_name("tai.csv"), comment="#", index_col=0)


@pytest.mark.parametrize(
    ("file", "method", "weights"),
    [
        ("amean", "arithmetic", None),
        ("gmean", "geometric", None),
        ("hmean", "harmonic", None),
        ("median", "median", None),
        ("equalweights", "arithmetic", "equal"),
        ("amean_wvaried", "arithmetic", "varied"),
    ],
)
def test_as_coinr(gold, meta, file, method, weights):
    values = read(gold, "08_agg_in").astype(float)
    given_weights = {
        None: meta["Weight"].drop("Index"),
        "equal": None,
        "varied": read(gold, "08_agg_weights_varied")["Weight"],
    }[weights]
    found = aggregate(values, groups=meta["Parent"].dropna(), weights=given_weights, method=method)
    assert set(found.values.columns) == set(meta.index[meta["Type"] == "Aggregate"])
    close(found.values, read(gold, f"08_agg_{file}"))
    assert found.changes.empty


def test_means_of_a_vector_with_a_gap_as_coinr(gold):
    """COINr's generalised mean is NA with any missing value: there the weights of the others are used here too."""
    expected = read(gold, "08_vector_means")["value"]
    values = pd.DataFrame([[1.0, 2.0, np.nan, 4.0]], columns=list("abcd"))
    weights = dict(zip("abcd", [1, 2, 3, 4], strict=True))
    for name, method in {"amean": "arithmetic", "gmean": "geometric", "hmean": "harmonic"}.items():
        found = aggregate(values, weights=weights, method=method)
        assert found.values.iat[0, 0] == pytest.approx(expected[name], rel=1e-12)
    assert found.changes[["what", "before"]].to_numpy().tolist() == [["renormalised", pytest.approx(0.7)]]
    whole = values.assign(c=3.0)
    squares = GeneralisedMean(power=2)
    assert aggregate(whole, weights=weights, method=squares).values.iat[0, 0] == pytest.approx(expected["genmean2"])
    with_gap = aggregate(values, weights=weights, method=squares).values.iat[0, 0]
    assert with_gap == pytest.approx(np.sqrt((1 * 1 + 2 * 4 + 4 * 16) / 7))


def test_coin_from_normalised_to_results(gold, meta):
    found = aggregate(
        read(gold, "01_coin_6_normalised").astype(float),
        groups=meta["Parent"].dropna(),
        weights=read(gold, "01_coin_weights_original")["Weight"].drop("Index"),
    ).values
    close(found, read(gold, "01_coin_7_aggregated"))
    for name in ("summ", "aggs", "full"):
        scores = read(gold, f"01_coin_results_{name}_scores").drop(columns="Rank")
        shared = [c for c in scores if c in found]
        close(found[shared], scores)
    whole = found.join(read(gold, "01_coin_6_normalised"))
    ranks = whole.apply(lambda column: competition_rank(column.to_numpy(float)))
    expected = read(gold, "01_coin_results_full_ranks")
    pd.testing.assert_frame_equal(ranks.loc[expected.index, expected.columns], expected.astype(float))
    summary = read(gold, "01_coin_results_summ_scores")
    assert (ranks["Index"][summary.index] == summary["Rank"]).all()
    within = read(gold, "01_coin_results_aggs_groupranks")
    group = within.pop("EurAsia_group")
    grouped = found.loc[within.index].groupby(group).rank(method="min", ascending=False)
    pd.testing.assert_frame_equal(grouped[within.columns], within.astype(float), check_names=False)


HDR_2001 = {  # goalposts of the Human Development Report 2001; telephones capped at the OECD average, both as log10
    "patents": (0, 994), "royalties": (0, 272.6), "internet": (0, 232.4), "exports": (0, 80.8),
    "telephones": (0, np.log10(901)), "electricity": (np.log10(22), np.log10(6969)),
    "schooling": (0.8, 12), "university": (0.1, 27.4),
}  # fmt: skip
EXPERTS = [0.11, 0.11, 0.11, 0.18, 0.10, 0.06, 0.15, 0.18]  # Handbook table 22: mean of the experts' budgets


FACTOR = [0.17, 0.15, 0.11, 0.06, 0.08, 0.13, 0.13, 0.17]
HIERARCHY = [0.09, 0.10, 0.07, 0.21, 0.05, 0.06, 0.18, 0.25]


@pytest.mark.parametrize(
    ("column", "weights", "differ", "most"),
    [
        ("rank_equal", None, 0, 0),
        ("rank_budget", EXPERTS, 0, 0),
        # weights printed with two decimals leave a few neighbours unsettled
        ("rank_factor", FACTOR, 4, 1),
        ("rank_ahp", HIERARCHY, 3, 2),
    ],
)
def test_technology_index_ranks(tai, column, weights, differ, most):
    values = tai[list(HDR_2001)].astype(float)
    posts = Goalposts(
        lower={n: low for n, (low, _) in HDR_2001.items()},
        upper={n: high for n, (_, high) in HDR_2001.items()},
        range=(0, 1),
    )
    scores = normalise(values, method=posts).values
    given_weights = None if weights is None else dict(zip(HDR_2001, weights, strict=True))
    index = aggregate(scores, weights=given_weights).values["index"]
    apart = np.abs(competition_rank(index.to_numpy()) - tai[column])
    assert (apart > 0).sum() == differ
    assert apart.max() == most


def test_technology_index_geometric_ranks(tai):
    index = aggregate(tai[list(HDR_2001)].astype(float), method="geometric").values["index"]
    assert (competition_rank(index.to_numpy()) == tai["rank_geometric"]).all()


def test_technology_index_outranking(tai):
    five = tai[list(HDR_2001)].head(5).astype(float)
    # telephones are printed as equal logs; the Report has 993 in the United States and 1,007 in Japan
    five.loc["Japan", "telephones"] += 0.003
    published = [
        [0, 0.5, 0.375, 0.75, 0.625],
        [0.5, 0, 0.5, 0.625, 0.625],
        [0.625, 0.5, 0, 0.75, 0.625],
        [0.25, 0.375, 0.25, 0, 0.75],
        [0.375, 0.375, 0.375, 0.25, 0],
    ]
    np.testing.assert_allclose(outranking(five), published, rtol=1e-12)  # Handbook table 36
    order = kemeny(five)
    assert order.max() == 5
    # table 37: three orders share the highest support, 6.375, and all end with Japan and Korea
    assert list(order.sort_values().index[3:]) == ["Japan", "Korea, Rep. of"]
    assert support(outranking(five), order) == pytest.approx(6.375)


def support(share, ranks):
    above = ranks.to_numpy()[:, None] < ranks.to_numpy()[None, :]
    level = ranks.to_numpy()[:, None] == ranks.to_numpy()[None, :]
    return float((share.to_numpy() * (above + 0.5 * level)).sum())


def test_kemeny_supports_more_than_the_published_order_and_every_other_of_six(tai):
    values = tai[list(HDR_2001)].astype(float)
    share = outranking(values)
    assert support(share, kemeny(values)) >= support(share, tai["rank_condorcet"])
    from itertools import permutations

    six = values.iloc[5:11]
    part = outranking(six)
    best = max(support(part, pd.Series(order, six.index)) for order in permutations(range(6)))
    assert support(part, kemeny(six)) == pytest.approx(best)
    with pytest.raises(SpecError, match="too many"):
        kemeny(pd.DataFrame(np.eye(61)))


def test_copeland_by_hand():
    values = pd.DataFrame({"a": [3.0, 2, 1], "b": [1.0, 2, 3], "c": [3.0, 3, 1]}, index=list("xyz"))
    # x : y = a, half c against b: 1.5 to 1.5; x : z = 2 to 1; y : z = 2 to 1
    assert copeland(values).to_dict() == {"x": 1, "y": 1, "z": -2}
    assert aggregate(values, method="copeland").values["index"].to_dict() == {"x": 1, "y": 1, "z": -2}
    assert copeland(values, weights={"a": 0, "b": 1, "c": 0}).to_dict() == {"x": -2, "y": 0, "z": 2}


@settings(max_examples=40)
@given(
    x=arrays(float, (7, 4), elements=st.one_of(st.integers(0, 3).map(float), st.just(np.nan))),
    seed=st.integers(0, 1000),
)
def test_copeland_with_gaps_does_not_depend_on_the_order_of_rows(x, seed):
    """In COINr it does: pairs with missing values are compared in one triangle of the table only."""
    values = pd.DataFrame(x)
    share, score = outranking(values), copeland(values)
    pairs = (share + share.T).to_numpy()[~np.eye(7, dtype=bool)]
    np.testing.assert_allclose(pairs[np.isfinite(pairs)], 1, rtol=1e-12)
    shuffled = values.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(copeland(shuffled).sort_index(), score)
    assert score.isna().equals(values.isna().all(axis=1))
    assert score.sum() == 0  # every win is somebody's loss


def test_weighted_median():
    values = pd.DataFrame({"a": [1.0, 1.0, np.nan], "b": [2.0, np.nan, np.nan], "c": [10.0, 10.0, np.nan]})
    plain = aggregate(values, method=WeightedMedian()).values["index"]
    assert plain.tolist()[:2] == [2, 5.5]
    assert np.isnan(plain[2])
    assert aggregate(values, method="median", weights={"a": 3, "b": 1, "c": 1}).values.iat[0, 0] == 1
    assert aggregate(values, method="median", weights={"a": 2, "b": 1, "c": 1}).values.iat[0, 0] == 1.5


def test_mazziotta_pareto_by_hand():
    values = pd.DataFrame({"a": [110.0, 100, np.nan], "b": [90.0, 100, 80]})
    # mean 100, standard deviation 10 (divisor 2), penalty 10^2 / 100
    assert aggregate(values, method=MazziottaPareto()).values["index"].tolist() == pytest.approx([99, 100, 80])
    up = aggregate(values, method=MazziottaPareto(penalty="plus"))
    assert up.values["index"].tolist() == pytest.approx([101, 100, 80])
    with pytest.raises(SpecError, match="0 or below"):
        aggregate(values - 100, method="mazziotta_pareto")
    raw = pd.DataFrame({"a": [0.0, 10, 5], "b": [2.0, 4, 3]})
    adjusted = aggregate(normalise(raw, method=Adjusted()).values, method="mazziotta_pareto").values["index"]
    # both at their best: 130 each, no penalty; both in the middle: 100
    assert adjusted.tolist() == pytest.approx([70, 130, 100])


TREE = {"a": "x", "b": "x", "x": "top", "c": "top"}  # unbalanced: c hangs beside x


def test_unbalanced_tree_with_a_method_for_each_node():
    values = pd.DataFrame({"a": [1.0, 4], "b": [4.0, 4], "c": [8.0, np.nan]})
    found = aggregate(values, groups=TREE, method={"x": "geometric", "default": "arithmetic"})
    assert list(found.values.columns) == ["top", "x"]
    assert found.values["x"].tolist() == pytest.approx([2, 4])
    assert found.values["top"].tolist() == pytest.approx([5, 4])
    assert found.details["method"].to_dict() == {"top": "arithmetic", "x": "geometric"}
    assert "1 score rests on a part of the weight" in found.text
    with pytest.raises(SpecError, match="zz"):
        aggregate(values, groups=TREE, method={"zz": "geometric", "default": "arithmetic"})


def test_threshold_counts_weight_down_to_the_indicators():
    values = pd.DataFrame({"a": [1.0, np.nan, np.nan], "b": [np.nan, np.nan, 2], "c": [3.0, 3, np.nan]})
    found = aggregate(values, groups=TREE, availability={"x": 0.6, "top": 0.5})
    # row 0: x has half its weight and is withheld, yet top has 3/4 and counts what x had; row 1: top has just 1/2
    assert found.values["x"].isna().tolist() == [True, True, True]
    assert found.values["top"].tolist()[:2] == pytest.approx([2, 3])
    assert np.isnan(found.values["top"][2])  # a quarter
    marked = found.changes.set_index(["unit", "indicator"])
    assert marked.loc[("0", "top"), ["what", "before"]].tolist() == ["renormalised", 0.75]
    assert marked.loc[("0", "x"), "what"] == "withheld"
    assert found.details["withheld"].to_dict() == {"top": 1, "x": 3}
    two_thirds = pd.DataFrame([[1.0, 2, np.nan]], columns=list("abc"))
    assert aggregate(two_thirds, availability=2 / 3).values.iat[0, 0] == 1.5  # rounding of thirds is no reason
    with pytest.raises(SpecError, match="share from 0 to 1"):
        aggregate(values, availability=65)


def test_rescaled_at_each_level():
    index = pd.Index([f"{a} {y}" for y in (2015, 2016) for a in "pqr"])
    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.normal(100, 10, size=(6, 3)), index=index, columns=list("abc"))
    base = pd.Series(index.str.endswith("2015"), index=index)
    people = pd.Series(np.arange(1.0, 7), index=index)
    found = aggregate(values, groups=TREE, rescale=Rescale(), base=base).values
    np.testing.assert_allclose(found[base].mean(), 100)
    np.testing.assert_allclose(found[base].std(), 10)
    # the node above is made of the rescaled node below
    top = (found["x"] + values["c"]) / 2
    np.testing.assert_allclose(np.corrcoef(top, found["top"])[0, 1], 1)
    weighted = aggregate(values, groups=TREE, rescale=Rescale(), base=base, population=people).values
    np.testing.assert_allclose(np.average(weighted["top"][base], weights=people[base]), 100)
    with pytest.raises(SpecError, match="no spread"):
        aggregate(values * 0 + 1, rescale=Rescale())


def test_scores_around_zero_need_a_positive_scale():
    values = pd.DataFrame({"a": [1.0, -1], "b": [-1.0, 1]})
    with pytest.raises(SpecError, match=r"node 'index' takes a geometric mean, but 2 scores of a, b are 0 or below"):
        aggregate(values, method="geometric")
    shifted = aggregate(values, method=GeometricMean(offset=100, factor=10)).values["index"]
    assert shifted.tolist() == pytest.approx([(np.sqrt(9900) - 100) / 10] * 2)


def test_weights_that_do_not_fit_are_all_named():
    values = pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]})
    with pytest.raises(SpecError, match="zz"):
        aggregate(values, weights={"zz": 1})
    with pytest.raises(SpecError, match=r"(?s)negative \(c\).*parts of 'x' without a weight.*b"):
        aggregate(values, groups=TREE, weights={"a": 1, "c": -1, "x": 1})
    with pytest.raises(SpecError, match="all weigh 0"):
        aggregate(values, weights={"a": 0, "b": 0, "c": 0})
    with pytest.raises(SpecError, match="one hierarchy"):
        aggregate(values, groups=TREE, framework=Framework(
            id="f", label="F", version="1", date="2026", source_url="", notice="n",
            nodes=(Node(id="x", label="X", kind="domain"),), indicators=(),
        ))  # fmt: skip
    with pytest.raises(SpecError, match=r"no parent \(c\)"):
        aggregate(values, groups={"a": "x", "b": "x"})


MEANS = ["arithmetic", "geometric", "harmonic", "median", GeneralisedMean(power=3), GeneralisedMean(power=-2)]
scores = arrays(float, (6, 3), elements=st.integers(1, 1000).map(lambda k: k / 10))
weight_sets = st.lists(st.integers(1, 9), min_size=4, max_size=4)


@pytest.mark.parametrize("method", [*MEANS, Copeland()], ids=lambda m: m if isinstance(m, str) else m.key())
@settings(max_examples=12)  # for each of seven methods
@given(x=scores, w=weight_sets, times=st.floats(0.01, 100), seed=st.integers(0, 99), cell=st.integers(0, 17))
def test_what_must_hold_for_any_scores(method, x, w, times, seed, cell):
    values = pd.DataFrame(x, columns=list("abc"))
    values.iloc[cell // 3, (cell + 1) % 3] = np.nan
    before = values.copy()
    weights = pd.Series(w, ["a", "b", "c", "x"], dtype=float)
    found = aggregate(values, groups=TREE, weights=weights, method=method).values
    # weights count only against each other, rows have no order, inputs stay as they are
    pd.testing.assert_frame_equal(
        found, aggregate(values, groups=TREE, weights=weights * times, method=method).values, rtol=1e-9
    )
    shuffled = values.sample(frac=1, random_state=seed)
    again = aggregate(shuffled, groups=TREE, weights=weights, method=method).values
    pd.testing.assert_frame_equal(found, again.loc[found.index], rtol=1e-9)
    pd.testing.assert_frame_equal(values, before)
    # better in one indicator is never worse above it
    row, column = divmod(cell, 3)
    better = values.copy()
    better.iat[row, column] += 7
    if np.isfinite(values.iat[row, column]):
        higher = aggregate(better, groups=TREE, weights=weights, method=method).values
        assert (higher.iloc[row] >= found.iloc[row] - 1e-9).all()
    if method != Copeland():
        assert (found["top"] >= values.min(axis=1) - 1e-9).all()
        assert (found["top"] <= values.max(axis=1) + 1e-9).all()


@settings(max_examples=20)
@given(x=scores, slope=st.floats(0.1, 10), shift=st.floats(-100, 100))
def test_index_of_zscores_does_not_depend_on_units_of_measurement(x, slope, shift):
    values = pd.DataFrame(x, columns=list("abc"))
    values.iloc[0], values.iloc[1] = 0.1, 100.0
    moved = values.assign(b=values["b"] * slope + shift)
    one, other = (aggregate(normalise(v).values, groups=TREE).values for v in (values, moved))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_means_are_in_their_order():
    values = pd.DataFrame(np.random.default_rng(4).uniform(1, 100, size=(50, 5)))
    values.columns = list("abcde")
    harmonic, geometric, arithmetic, squares = (
        aggregate(values, method=m).values["index"]
        for m in ("harmonic", "geometric", "arithmetic", GeneralisedMean(power=2))
    )
    assert (harmonic < geometric).all()
    assert (geometric < arithmetic).all()
    assert (arithmetic < squares).all()
    near_zero = aggregate(values, method=GeneralisedMean(power=1e-7)).values["index"]
    np.testing.assert_allclose(near_zero, geometric, rtol=1e-5)  # the limit of the family


@pytest.fixture(scope="module")
def ours():
    import outcomes_analysis as oa

    framework = oa.load_framework()
    return oa.build_matrix(oa.load_observations(), framework=framework, period=2024)


@pytest.mark.parametrize("method", ["arithmetic", "geometric"])
def test_our_own_domains_are_the_same_by_either_road(ours, method):
    """The index of areas counts weights leaf by leaf; level by level must come to the same, missing figures too."""
    from outcomes_analysis.index import IndexSpec, build_index

    mean = method if method == "arithmetic" else GeometricMean(offset=100, factor=10)
    result = build_index(ours, spec=IndexSpec(aggregate=mean))
    domains = list(result.domains)
    taking_part = [n for d in domains for n in result.nodes[d].weights.index]
    scores = result.counted[taking_part]
    found = aggregate(scores, framework=ours.framework, method=mean, availability=result.spec.availability)
    expected = result.scores[domains]
    small = ~ours.areas["ranked"]  # where capped figures make up most, no score is shown of a small place
    expected, found.values.loc[small, domains] = expected.where(~small, np.nan), np.nan
    assert expected.notna().to_numpy().mean() > 0.9
    pd.testing.assert_frame_equal(found.values[domains], expected, check_names=False, rtol=1e-10, atol=1e-10)
    assert found.details["partial"].sum() > 0  # some areas lack figures


@settings(max_examples=30)
@given(x=arrays(float, (5, 4), elements=st.integers(70, 130).map(float)), cell=st.integers(0, 19))
def test_mazziotta_pareto_is_monotone_on_its_own_scale(x, cell):
    values = pd.DataFrame(x, columns=list("abcd"))
    better = values.copy()
    better.iloc[divmod(cell, 4)] += 3
    one, other = (aggregate(v, method="mazziotta_pareto").values["index"] for v in (values, better))
    assert (other >= one - 1e-9).all()
    assert (one <= values.mean(axis=1) + 1e-9).all()
