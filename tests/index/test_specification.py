"""One specification end to end: files, faults, published results, and what must hold for any data and tree."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import outcomes_analysis as oa
from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.coinr import coinr_weights, from_coinr, split_coinr
from outcomes_analysis.framework.model import Indicator, Sampling
from outcomes_analysis.index import (
    BoxCox,
    GeometricMean,
    Given,
    Goalposts,
    IndexSpec,
    Reference,
    Rescale,
    Winsorise,
    ZScore,
    build_index,
    matrix_of,
)
from outcomes_analysis.index.montecarlo.replicates import nominal
from outcomes_analysis.index.steps.aggregation import (
    effective_weights,
    mean_error,
    weighted_mean,
)

sys.path.insert(0, str(Path(__file__).parent))
from leaf_by_leaf import leaf_weights

HDR_2001 = {  # goalposts of the Human Development Report 2001; telephones capped at the OECD average, both as log10
    "patents": (0, 994), "royalties": (0, 272.6), "internet": (0, 232.4), "exports": (0, 80.8),
    "telephones": (0, np.log10(901)), "electricity": (np.log10(22), np.log10(6969)),
    "schooling": (0.8, 12), "university": (0.1, 27.4),
}  # fmt: skip
EXPERTS = [0.11, 0.11, 0.11, 0.18, 0.10, 0.06, 0.15, 0.18]  # Handbook table 22: mean of the experts' budgets
ENGAGED = {"attending": 3, "included": 1, "moving_on": 1, "out_of_trouble": 1}
COINR = 1e-9  # of the column's largest value: the issue's tolerance; found to hold to a few units of rounding

SPECS = {
    "as it is": IndexSpec(),
    "everything": IndexSpec(
        denominate={"by": {"a": "people"}, "scale": {"a": 1000}},
        impute={"default": "none", "ey_maths": "group_mean"},
        screen={"availability": 0.9, "forced": {"E06000001": True}},
        treat={"default": "none", "fte_yjs": Winsorise(units=2)},
        normalise={"default": "reference", "progress8": {"method": "minmax", "lower": 1}},
        cap=None,
        weights={"default": "equal", "learning": Given(weights={"qualified": 2}, rest="equal")},
        aggregate={"default": "arithmetic", "safe": GeometricMean(offset=100, factor=10)},
        rescale=Rescale(),
        availability_of={"happy": 0.5},
        include=["cla_rate"],
        directions={"cla_rate": -1},
        level=0.95,
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_to_yaml_and_back(name, tmp_path):
    spec = SPECS[name]
    text = spec.to_yaml()
    path = tmp_path / "index.yml"
    path.write_text(text, encoding="utf-8")
    for again in (IndexSpec.from_yaml(text), IndexSpec.from_yaml(path), spec.replace()):
        assert again == spec
        assert again.hash == spec.hash
        assert hash(again) == hash(spec)
        assert again.to_yaml() == text
    assert spec.replace(level=0.8).hash != spec.hash


def test_a_method_may_be_written_in_four_ways():
    one = GeometricMean(offset=100, factor=10)
    written = {"method": "geometric", "offset": 100, "factor": 10}
    assert IndexSpec(aggregate=one) == IndexSpec(aggregate=written) == IndexSpec(aggregate={"default": one})
    assert IndexSpec(aggregate="median").aggregate.default.key() == "median"
    named = IndexSpec(aggregate={"safe": one})
    assert named.aggregate.of("safe") == one
    assert named.aggregate.of("learning").key() == "arithmetic"
    assert IndexSpec.from_yaml("aggregate: {safe: {method: geometric, offset: 100, factor: 10}}\n") == named


def test_json_schema_takes_the_files_and_refuses_others():
    validator = Draft202012Validator(IndexSpec.json_schema())
    for spec in SPECS.values():
        validator.validate(json.loads(json.dumps(spec.model_dump(mode="json"))))
    for wrong in (
        {"capp": 3},
        {"aggregate": "medain"},
        {"treat": {"method": "winsorise", "unit": 3}},
        {"treat": {"method": "winsorise"}},
        {"availability_of": {"safe": 2}},
    ):
        assert not validator.is_valid(wrong), wrong


def test_every_fault_of_a_file_is_named_at_once(tmp_path):
    text = "capp: 3\naggregate: {learning: medain}\ntreat: {method: winsorise}\navailability: 2\n"
    with pytest.raises(SpecError) as found:
        IndexSpec.from_yaml(text)
    message = str(found.value)
    for culprit in ("4 problems", "'capp'; did you mean cap?", "learning: `aggregate` has no method 'medain'",
                    "`treat`, method 'winsorise': units", "availability: Input should be less"):  # fmt: skip
        assert culprit in message
    with pytest.raises(SpecError, match="written more than once: cap"):
        IndexSpec.from_yaml("cap: 3\ncap: 4\n")
    with pytest.raises(SpecError, match="there is no file"):
        IndexSpec.from_yaml(tmp_path / "none.yml")
    with pytest.raises(SpecError, match="choices by name"):
        IndexSpec.from_yaml("- a\n- b\n")


def test_every_name_that_is_not_there_is_named_at_once(matrix):
    spec = IndexSpec(
        exclude=("nobody",),
        treat={"attainment": Winsorise(units=1), "default": "none"},
        aggregate={"lerning": "median"},
        availability_of={"sad": 0.5},
        weights=Given(weights={"ready": 1.0}),
        denominate={"by": {"fte_yjs": "people"}},
    )
    with pytest.raises(SpecError) as found:
        build_index(matrix, spec=spec)
    message = str(found.value)
    for culprit in ("6 problems", "exclude: 1 indicators", "treat: 1 indicators", "did you mean learning",
                    "availability_of: 1 nodes", "weights: 1 indicators or nodes", "no denominators people"):  # fmt: skip
        assert culprit in message


def test_by_default_as_weights_leaf_by_leaf(index, matrix):
    """The first index weighed leaf by leaf; level by level up the tree must come to the same, errors too."""
    framework = matrix.framework
    small = ~matrix.areas["ranked"].to_numpy(bool)
    for name in [n.id for n in framework.nodes if n.id in index.nodes]:
        node = index.nodes[name]
        table = leaf_weights(framework, name, indicators=list(index.counted.columns))
        pd.testing.assert_frame_equal(table, node.weights, check_names=False)
        z, e = (part[table.index].to_numpy() for part in (index.counted, index.counted_error))
        used = effective_weights(np.isfinite(z), table)
        share = np.isfinite(z) @ table["weight"].to_numpy()
        enough = (share >= 0.65 - 1e-12) & ~(small & np.isnan(node.estimate))
        np.testing.assert_allclose(node.effective, used, atol=1e-14)
        np.testing.assert_allclose(node.availability, share, atol=1e-14)
        mean = np.where(enough, weighted_mean(z, used, method="arithmetic"), np.nan)
        error = np.where(enough, mean_error(e, used, table["group"].tolist()), np.nan)
        np.testing.assert_allclose(node.estimate, mean, atol=1e-12)
        np.testing.assert_allclose(node.error, error, atol=1e-12)


@pytest.fixture(scope="module")
def asem(gold):
    meta, data = (pd.read_csv(gold / f"coinr/00_in_asem_{part}.csv") for part in ("imeta", "idata"))
    tables = split_coinr(data, meta)
    matrix = matrix_of(
        tables.values,
        framework=from_coinr(meta),
        groups=tables.groups,
        denominators=tables.denominators,
        names=tables.names,
    )
    by = meta[meta["Type"].eq("Indicator") & meta["Denominator"].notna()].set_index("iCode")["Denominator"]
    return matrix, meta, by.to_dict()


def asem_spec(meta, by, **changes):
    choices = {
        "denominate": {"by": by},
        "impute": "group_mean",
        "groups": "EurAsia_group",
        "screen": {"availability": 0.9},
        "treat": "skew_kurtosis",
        "normalise": {"method": "minmax", "lower": 0, "upper": 100},
        "weights": Given(weights=coinr_weights(meta)),
        "availability": 0.0,
    }
    return IndexSpec(**(choices | changes))


def same(found, expected, columns):
    there = expected.loc[found.index, columns].astype(float)
    assert ((found[columns] - there).abs().max() / there.abs().max()).max() <= COINR


def test_asem_end_to_end_as_coinr(asem, gold):
    """Denominated, imputed by group, screened, treated, normalised and aggregated through one file."""
    matrix, meta, by = asem
    spec = IndexSpec.from_yaml(asem_spec(meta, by).to_yaml())
    found = build_index(matrix, spec=spec)
    expected = pd.read_csv(gold / "coinr/01_coin_7_aggregated.csv", index_col=0)
    assert len(found.scores.columns) == 60
    same(found.scores, expected, list(found.scores.columns))
    ranks = pd.read_csv(gold / "coinr/01_coin_results_full_ranks.csv").set_index("uCode")["Index"]
    rows = found.table[found.table["node_id"] == "Index"].set_index("area_code")["rank"]
    assert rows.astype(int).to_dict() == ranks.loc[rows.index].astype(int).to_dict()
    assert found.table["against_england"].eq("").all()
    assert "65 of 65 missing values were imputed" in found.text


@pytest.mark.parametrize(("file", "method"), [("gmean", "geometric"), ("hmean", "harmonic"), ("median", "median")])
def test_asem_by_other_means_as_coinr(asem, gold, file, method):
    matrix, meta, by = asem
    spec = asem_spec(meta, by, normalise={"method": "minmax", "lower": 1, "upper": 100}, aggregate=method)
    expected = pd.read_csv(gold / f"coinr/08_agg_{file}.csv", index_col=0)
    found = build_index(matrix, spec=spec)
    same(found.scores, expected, [n for n, node in found.nodes.items() if node.kind != "indicator"])


@pytest.mark.parametrize(
    ("column", "choices"),
    [
        ("rank_equal", {}),
        ("rank_budget", {"weights": Given(weights=dict(zip(HDR_2001, EXPERTS, strict=True)))}),
        ("rank_geometric", {"normalise": "none", "aggregate": "geometric"}),
    ],
)
def test_technology_achievement_index_through_one_specification(column, choices):
    """Handbook, tables 23 and 38: goalposts of the Human Development Report 2001, equal and experts' weights."""
    tai = pd.read_csv(Path(__file__).with_name("tai.csv"), comment="#", index_col=0)
    posts = Goalposts(
        lower={n: low for n, (low, _) in HDR_2001.items()},
        upper={n: high for n, (_, high) in HDR_2001.items()},
        range=(0, 1),
    )
    framework = tree_of(dict.fromkeys(HDR_2001, "tai"), dict.fromkeys(HDR_2001, 1))
    spec = IndexSpec.from_yaml(IndexSpec(**({"normalise": posts} | choices)).to_yaml())
    found = build_index(matrix_of(tai[list(HDR_2001)].astype(float), framework=framework), spec=spec)
    ranks = found.table[found.table["node_id"] == "tai"].set_index("area_code")["rank"]
    assert (ranks == tai[column].loc[ranks.index]).all()


def tree_of(parents, directions):
    """A hierarchy in COINr's form from child to parent."""
    nodes = list(dict.fromkeys(parents.values()))
    rows = [(n, d, "Indicator", parents[n]) for n, d in directions.items()]
    rows += [(n, 1, "Aggregate", parents.get(n, "")) for n in nodes]
    return from_coinr(pd.DataFrame(rows, columns=["iCode", "Direction", "Type", "Parent"]))


DEEP = {"a": "x", "b": "x", "c": "y", "x": "y", "y": "top", "d": "top"}  # unbalanced: d beside a tree of three levels
MEANS = [
    "arithmetic",
    GeometricMean(offset=100, factor=10),
    "median",
    {"default": "arithmetic", "x": {"method": "generalised", "power": 0.5, "offset": 100, "factor": 10}},
]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    mean=st.sampled_from(MEANS),
    scale=st.sampled_from(["zscore", "rank", {"method": "minmax", "upper": 3}]),
)
def test_order_of_units_and_indicators_does_not_matter_and_better_is_never_worse(seed, mean, scale):
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(rng.normal(size=(8, 4)), index=list("stuvwxyz"), columns=list("abcd"))
    framework = tree_of(DEEP, {"a": 1, "b": -1, "c": 1, "d": 1})
    spec = IndexSpec(normalise=scale, aggregate=mean)
    found = build_index(matrix_of(values, framework=framework), spec=spec).scores
    mixed = values.sample(frac=1, random_state=seed)[rng.permutation(list("abcd"))]
    again = build_index(matrix_of(mixed, framework=framework), spec=spec).scores
    pd.testing.assert_frame_equal(again.loc[found.index, found.columns], found, rtol=1e-9, atol=1e-9)
    better = values.copy()
    better.loc["s", "b"] -= 0.5  # lower is better
    ahead = build_index(matrix_of(better, framework=framework), spec=spec).scores
    # the unit itself against every other: its lead never shrinks, though what others score may move with the spread
    if scale == "rank":
        assert ahead.loc["s", "top"] >= found.loc["s", "top"] - 1e-9


def test_a_deep_unbalanced_tree_by_hand():
    values = pd.DataFrame({"a": [1.0, 3.0], "b": [2.0, 0.0], "c": [4.0, np.nan], "d": [0.0, 10.0]}, index=["p", "q"])
    framework = tree_of(DEEP, {"a": 1, "b": -1, "c": 1, "d": 1})
    spec = IndexSpec(
        normalise="none",
        weights={"default": "equal", "top": Given(weights={"y": 3, "d": 1})},
        availability=0.5,
        availability_of={"top": 0.8},
    )
    found = build_index(matrix_of(values, framework=framework, errors=values * 0 + 1), spec=spec)
    scores = found.scores
    assert scores["x"].tolist() == [-0.5, 1.5]
    assert scores["y"].tolist() == [1.75, 1.5]  # c missing: x stands in for it
    assert scores.loc["p", "top"] == pytest.approx(0.75 * 1.75)
    assert np.isnan(scores.loc["q", "top"])  # 3/8 of the weight lacks: less than 80 % present
    assert found.nodes["top"].availability.tolist() == pytest.approx([1, 0.625])
    assert found.nodes["top"].weights["weight"].to_dict() == pytest.approx(
        {"a": 0.1875, "b": 0.1875, "c": 0.375, "d": 0.25}
    )
    # independent errors of 1: root of the sum of squared weights
    assert found.nodes["top"].error[0] == pytest.approx(np.sqrt(2 * 0.1875**2 + 0.375**2 + 0.25**2))


@pytest.mark.parametrize(
    "mean",
    [
        GeometricMean(offset=100, factor=10),
        {"method": "harmonic", "offset": 100, "factor": 10},
        {"method": "generalised", "power": 2.5, "offset": 100, "factor": 10},
        {"default": "mazziotta_pareto"},
    ],
    ids=["geometric", "harmonic", "generalised", "mazziotta_pareto"],
)
def test_errors_of_any_mean_by_brute_force(mean):
    """The delta method against moving each figure and building the index again, rescaling and all."""
    rng = np.random.default_rng(4)
    values = pd.DataFrame(rng.normal(100, 8, size=(6, 4)), columns=list("abcd"))
    framework = tree_of(DEEP, {"a": 1, "b": -1, "c": 1, "d": 1})
    # the penalised mean is of scores about 100, the others of 100 + 10 x
    shifted = (values if mean == {"default": "mazziotta_pareto"} else (values - 100) / 10) * [1, -1, 1, 1]
    size = shifted.std().to_numpy() * 0.05
    spec = IndexSpec(normalise="none", aggregate=mean, rescale=Rescale(mean=50, sd=5), availability=0)
    found = build_index(matrix_of(shifted, framework=framework, errors=shifted * 0 + size), spec=spec)
    assert set(found.lines) == {"x", "y", "top"}
    variance = np.zeros(6)
    for name, step in zip("abcd", size, strict=True):  # central differences, the base's line kept
        ends = []
        for sign in (1, -1):
            moved = shifted.assign(**{name: shifted[name] + sign * 1e-4})
            ends.append(build_index(matrix_of(moved, framework=framework), spec=spec, base=found).scores["top"])
        variance += ((ends[0] - ends[1]) / 2e-4 * step).to_numpy() ** 2
    # the error of a central difference is of the order of the step squared
    np.testing.assert_allclose(np.sqrt(variance), found.nodes["top"].error, rtol=1e-6)


def test_errors_of_a_median_come_from_draws():
    rng = np.random.default_rng(5)
    values = pd.DataFrame(rng.normal(size=(5, 4)), columns=list("abcd"))
    flat = tree_of(dict.fromkeys("abcd", "top"), dict.fromkeys("abcd", 1))
    spec = IndexSpec(normalise="none", aggregate="median", availability=0)
    error = build_index(matrix_of(values, framework=flat, errors=values * 0 + 0.4), spec=spec).nodes["top"].error
    noise = values.to_numpy()[None] + 0.4 * rng.normal(size=(20_000, 5, 4))
    expected = np.median(noise, axis=2).std(axis=0)
    # 400 draws tell a standard deviation to 3.5 %; five units, so three such errors
    np.testing.assert_allclose(error, expected, rtol=0.11)


def test_rescaled_as_the_ons_health_index(matrix):
    """Every node has mean 100 and sd 10 in the base year, and other years are on the base year's line."""
    spec = IndexSpec(normalise=Reference(mean=100, sd=10), rescale=Rescale())
    now = build_index(matrix, spec=spec)
    ranked = matrix.areas["ranked"]
    for name in now.domains:
        column = now.scores[name][ranked].dropna()
        assert column.mean() == pytest.approx(100, abs=0.3), name  # some areas are withheld, and still count
        assert column.std() == pytest.approx(10, abs=0.3), name
    before = oa.build_matrix(oa.load_observations(), framework=matrix.framework, period=2023)
    first = build_index(before, spec=spec)
    later = build_index(matrix, spec=spec, base=first)
    mean, sd = first.lines["stable_homes"]
    own_mean, own_sd = now.lines["stable_homes"]
    expected = 100 + 10 * (own_mean + own_sd * (now.scores["stable_homes"] - 100) / 10 - mean) / sd
    pd.testing.assert_series_equal(later.scores["stable_homes"], expected, check_names=False)
    assert now.nodes["learning"].england != 100


def test_scores_on_mean_100_are_the_default_ones_stretched(index, matrix):
    found = build_index(matrix, spec=IndexSpec(normalise=Reference(mean=100, sd=10)))
    pd.testing.assert_frame_equal(found.scores, 100 + 10 * index.scores)
    one, other = (table.set_index(["node_id", "area_code"]) for table in (found.table, index.table))
    pd.testing.assert_series_equal(one["rank"], other["rank"])
    pd.testing.assert_series_equal(one["england"], 100 + 10 * other["england"])
    pd.testing.assert_series_equal(one["against_england"], other["against_england"])


def test_england_and_small_places_follow_the_curve(matrix):
    """Min-max is a straight line: they lie on it, whether inside the range or out of it."""
    found = build_index(matrix, spec=IndexSpec(normalise="minmax"))
    x = matrix.transformed["attainment8"]
    ranked = matrix.areas["ranked"]
    low, high = x[ranked].min(), x[ranked].max()
    np.testing.assert_allclose(found.scores["attainment8"], 100 * (x - low) / (high - low), atol=1e-9)
    england = matrix.nation.at["attainment8", "transformed"]
    assert found.nodes["attainment8"].england == pytest.approx(100 * (england - low) / (high - low))
    error = matrix.transformed_error["attainment8"] * 100 / (high - low)
    np.testing.assert_allclose(found.nodes["attainment8"].error, error, rtol=1e-9)
    assert found.capped.empty


def test_winsorised_and_filled_figures(matrix):
    spec = IndexSpec(treat={"default": "none", "rereferral_pct": Winsorise(units=5)}, cap=None)
    found = build_index(matrix, spec=spec).scores["rereferral_pct"]
    plain = build_index(matrix, spec=IndexSpec(cap=None)).scores["rereferral_pct"]
    moved = (found - plain).abs() > 1e-12
    ranked = matrix.areas["ranked"]
    assert 1 <= moved[ranked].sum() <= 5
    assert found[ranked].abs().max() < plain[ranked].abs().max()
    with pytest.raises(SpecError, match="1 indicators were transformed \\(rereferral_pct\\)"):
        build_index(matrix, spec=IndexSpec(treat={"default": "none", "rereferral_pct": BoxCox()}))
    filled = build_index(matrix, spec=IndexSpec(impute={"default": "none", "fte_yjs": "group_mean"}))
    gaps = matrix.values.index[matrix.values["fte_yjs"].isna() & ranked]
    assert len(gaps) > 0
    at = filled.scores.index.get_indexer(gaps)
    assert np.isfinite(filled.scores.loc[gaps, "fte_yjs"]).all()
    assert (filled.nodes["fte_yjs"].error[at] > 0.5).all()  # as unsure as places differ, not as a figure is
    assert filled.nodes["out_of_trouble"].availability[at].max() < 1  # filled figures are not present


def test_uncertainty_obeys_the_specification_or_names_what_it_cannot(matrix):
    other = build_index(
        matrix,
        spec=IndexSpec(
            normalise={"method": "minmax", "lower": 1, "upper": 100},
            treat=Winsorise(units=3),
            weights={"default": "equal", "engaged": Given(weights=ENGAGED)},
            aggregate={"default": "arithmetic", "learning": "geometric"},
        ),
    )
    found = oa.uncertainty(other, draws=200, seed=1)
    model = found.method_replicates.model
    scores = pd.DataFrame(nominal(model).T, index=model.values.index, columns=[b.id for b in model.tree.branches])
    for name in other.domains:
        np.testing.assert_allclose(scores[name], other.scores.loc[scores.index, name], atol=1e-9)
    assert (found.table["estimate"].dropna().between(1, 100)).all()
    fixed = build_index(
        matrix,
        spec=IndexSpec(
            aggregate={"default": "arithmetic", "safe": "median"}, rescale=Rescale(), normalise={"fte_yjs": ZScore()}
        ),
    )
    with pytest.raises(SpecError) as error:
        oa.uncertainty(fixed, draws=100)
    for culprit in ("3 problems", "normalise: fte_yjs", "'safe' is combined by median", "rescale"):
        assert culprit in str(error.value)


def test_what_does_not_split_is_said_and_not_split(matrix):
    found = build_index(matrix, spec=IndexSpec(aggregate={"safe": "median"}))
    assert found.nodes["safe"].mean == ""
    assert found.nodes["learning"].mean == "arithmetic"
    with pytest.raises(SpecError, match="'safe' does not split exactly"):
        oa.index.explain(found, "Hackney", node="safe")
    assert oa.index.explain(found, "Hackney", node="learning").score == found.scores.loc["E09000012", "learning"]


def test_the_words_say_what_is_not_usual():
    text = SPECS["everything"].describe()
    for part in ("a is divided by people", "by group mean for ey_maths", "by winsorise (units 2) for fte_yjs",
                 "progress8 by minmax (lower 1.0)", "safe is the geometric mean", "the parts of learning count",
                 "mean 100 and standard deviation 10", "happy 50%", "cla_rate (lower is better)"):  # fmt: skip
        assert part in text
    assert "No figure counts" not in text
    assert "No figure counts as further than 3" in SPECS["as it is"].describe()


def test_frames_that_do_not_fit_are_named():
    framework = tree_of({"a": "top", "b": "top"}, {"a": 1, "b": 1})
    values = pd.DataFrame({"a": [1.0, 2.0], "zz": [1.0, 2.0]}, index=["p", "q"])
    with pytest.raises(SpecError, match=r"(?s)2 problems.*no indicators of 'coinr' \(zz\).*names: 1 units"):
        matrix_of(values, framework=framework, names=pd.Series({"p": "P"}))
    plain = matrix_of(values[["a"]], framework=framework)
    with pytest.raises(SpecError, match="1 indicators have no base period here"):
        build_index(plain)


def test_slope_of_an_indicators_own_scale(framework_of_one):
    values = pd.DataFrame({"a": [20.0, 50.0]}, index=["p", "q"])
    found = matrix_of(values, framework=framework_of_one, errors=values * 0 + 1)
    np.testing.assert_allclose(found.transformed_error["a"], [1 / (100 * 0.2 * 0.8), 1 / 25])


@pytest.fixture
def framework_of_one():
    framework = tree_of({"a": "top"}, {"a": 1})
    share = Indicator(**(framework.indicators[0].model_dump() | {
        "scale": "logit", "valid_range": (0.0, 100.0), "sampling": Sampling(model="none")}))  # fmt: skip
    return framework.model_copy(update={"indicators": (share,)})
