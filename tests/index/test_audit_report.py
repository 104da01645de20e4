"""The audit of our own index, and of made-up domains whose answer is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import outcomes_analysis as oa
from outcomes_analysis.errors import SpecError
from outcomes_analysis.index import audit
from outcomes_analysis.index.judging.audit_parts import DomainParts, domain_parts
from outcomes_analysis.index.judging.auditing import SECTIONS, judge
from outcomes_analysis.observations.scales import derivative
from outcomes_analysis.wording import causal_words

POVERTY, OTHER = "child_poverty_bhc", "child_poverty_ahc"


@pytest.fixture(scope="module")
def poverty():
    matrix = oa.build_matrix(oa.load_observations(), framework=oa.load_framework(), period=2025, include=[POVERTY])
    return matrix.values[POVERTY]


@pytest.fixture(scope="module")
def report(index, poverty):
    return audit(index, covariate=poverty, draws=200)


@pytest.fixture(scope="module")
def parts(index):
    return domain_parts(index)


def cell(report, section, node, item, statistic):
    table = report.table
    found = table[
        (table["section"] == section)
        & (table["node_id"] == node)
        & (table["item"] == item)
        & (table["statistic"] == statistic)
    ]
    assert len(found) == 1
    return found.iloc[0]


def made_up(parts, values, **changes):
    """A domain with made-up measures, in the shape of a real one."""
    real = parts["engaged"]
    frame = pd.DataFrame(values, columns=[f"m{i}" for i in range(values.shape[1])])
    return replace(
        real,
        measures=frame,
        members={c: [c] for c in frame},
        labels={c: f"Measure {c}" for c in frame},
        items=frame,
        score=frame.mean(axis=1),
        **changes,
    )


# ------------------------------------------------------------------------------------------------- the rule


def test_one_factor_is_one_thing_and_two_are_not(parts):
    rng = np.random.default_rng(1)
    one = rng.normal(size=(150, 1)) * 0.8 + 0.6 * rng.normal(size=(150, 6))
    found = judge(made_up(parts, one), draws=200)
    assert found["one_thing"]
    assert (found["dimensions"], found["negative_pairs"], found["read_as"]) == (1, 0, "one scale")
    factors = rng.normal(size=(150, 2))
    two = np.repeat(factors, 3, axis=1) * 0.8 + 0.6 * rng.normal(size=(150, 6))
    found = judge(made_up(parts, two), draws=200)
    assert not found["one_thing"]
    assert (found["dimensions"], found["read_as"]) == (2, "parts first")
    assert "hold two separate things" in found["reasons"]


def test_a_measure_against_the_rest_is_found_and_set_aside(parts):
    rng = np.random.default_rng(2)
    common = rng.normal(size=(150, 1))
    values = common * 0.8 + 0.6 * rng.normal(size=(150, 6))
    values[:, 5] = -values[:, 5]
    found = judge(made_up(parts, values), draws=200)
    assert not found["one_thing"]
    assert found["negative_pairs"] == 5
    assert found["set_aside"] == "Measure m5"
    assert "The other five would behave as one thing without measure m5." in found["reasons"]


def test_measures_that_share_nothing_are_not_one_thing(parts):
    found = judge(made_up(parts, np.random.default_rng(3).normal(size=(150, 5))), draws=200)
    assert not found["one_thing"]
    assert found["set_aside"] == ""
    assert "agree too little" in found["reasons"]


def exactly(r, n=150):
    """Figures whose sample correlations are just these."""
    z = np.random.default_rng(9).normal(size=(n, len(r)))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z, rowvar=False)), (z - z.mean(0)).T).T
    return z @ np.linalg.cholesky(np.asarray(r)).T


def test_each_part_of_the_rule_is_enough_to_fail(parts):
    even = np.full((8, 8), 0.45) + 0.55 * np.eye(8)
    passing = judge(made_up(parts, exactly(even)), draws=200)
    assert passing["one_thing"]
    # Two factors that go together: only the number of dimensions speaks against one thing.
    two = np.kron([[0.81, 0.32], [0.32, 0.81]], np.ones((4, 4)))
    np.fill_diagonal(two, 1.0)
    found = judge(made_up(parts, exactly(two)), draws=200)
    assert (found["dimensions"], found["negative_pairs"]) == (2, 0)
    assert found["alpha_lower"] > 0.8
    assert not found["one_thing"]
    # One pair at odds, in an otherwise even set.
    odd = even.copy()
    odd[0, 1] = odd[1, 0] = -0.22
    found = judge(made_up(parts, exactly(odd)), draws=200)
    assert (found["dimensions"], found["negative_pairs"]) == (1, 1)
    assert found["alpha_lower"] > 0.6
    assert not found["one_thing"]
    # One dimension, but a thin one: alpha .47.
    thin = judge(made_up(parts, exactly(np.full((6, 6), 0.13) + 0.87 * np.eye(6))), draws=200)
    assert (thin["dimensions"], thin["negative_pairs"]) == (1, 0)
    assert thin["alpha"] == pytest.approx(6 * 0.13 / (1 + 5 * 0.13))
    assert not thin["one_thing"]


def test_two_measures_are_too_few_and_an_experimental_domain_is_read_by_its_parts(parts):
    rng = np.random.default_rng(4)
    one = rng.normal(size=(150, 1)) * 0.9 + 0.4 * rng.normal(size=(150, 5))
    found = judge(made_up(parts, one[:, :2]), draws=100)
    assert not found["one_thing"]
    assert "too few to tell" in found["reasons"]
    experimental = replace(parts["engaged"].node, experimental=True)
    found = judge(made_up(parts, one, node=experimental), draws=100)
    assert found["one_thing"]
    assert found["read_as"] == "parts first"


def test_one_thing_is_seldom_taken_for_two(parts):
    rng = np.random.default_rng(5)
    runs = [
        judge(made_up(parts, rng.normal(size=(150, 1)) * 0.7 + 0.7 * rng.normal(size=(150, 6))), draws=100)["one_thing"]
        for _ in range(30)
    ]
    assert np.mean(runs) > 0.9


# ------------------------------------------------------------------------------------------------- our index


def test_only_engaged_behaves_as_one_thing(report):
    """domain.md 9.1: happy, and by first measurement healthy and safe, are not; learning is not with its gap."""
    assert report.verdicts["read_as"].to_dict() == {
        "safe": "parts first",
        "healthy": "parts first",
        "happy": "parts first",
        "learning": "parts first",
        "engaged": "one scale",
    }
    assert report.verdicts.at["learning", "dimensions"] == 2
    assert "gap in Level 3" in report.verdicts.at["learning", "reasons"]
    assert report.verdicts.at["healthy", "negative_pairs"] >= 1
    assert not report.verdicts.at["happy", "alpha_lower"] > 0.6


def test_known_correlations_come_back(report):
    """Alcohol admissions against low birth weight: -.50 in domain.md (Spearman, figures to 2024)."""
    found = cell(report, "within", "healthy", "lbw_term | alcohol_adm_u18", "rank_correlation")
    assert found["value"] == pytest.approx(-0.50, abs=0.06)
    found = cell(report, "within", "healthy", "lbw_term | alcohol_adm_u18", "correlation")
    assert found["flag"] == "negative"
    assert found["lower"] < found["value"] < found["upper"] < 0
    # Attainment 8 with English and maths .97 there, counted once here.
    found = cell(report, "doublets", "learning", "attainment8 | em_94", "correlation")
    assert found["value"] == pytest.approx(0.97, abs=0.01)
    assert found["flag"] == ""


def test_poverty_shares_are_those_measured_before(report, index, poverty):
    """domain.md 9.1, Spearman: healthy -.81, engaged -.73, learning -.63; indicators and years differ a little."""
    expected = {"healthy": -0.81, "engaged": -0.73, "learning": -0.63}
    for name, value in expected.items():
        ranks = cell(report, "covariate", name, "child poverty", "rank_correlation")
        assert ranks["value"] == pytest.approx(value, abs=0.03)
        assert -1 < ranks["lower"] < ranks["value"] < ranks["upper"] < 0
        share = cell(report, "covariate", name, "child poverty", "share")
        assert 0 < share["lower"] < share["value"] < share["upper"] < 1
    # the comparison with places alike reports the same share, to the last digit
    goes_with = oa.compare_given(index, poverty).goes_with.loc["healthy"]
    share = cell(report, "covariate", "healthy", "child poverty", "share")
    assert tuple(share[["value", "lower", "upper"]]) == tuple(goes_with[["share", "share_lower", "share_upper"]])


def test_two_measures_of_poverty_stand_side_by_side(index, poverty):
    ahc = oa.build_matrix(oa.load_observations(), framework=oa.load_framework(), period=2025, include=[OTHER])
    both = pd.DataFrame({"poverty before housing costs": poverty, "poverty after housing costs": ahc.values[OTHER]})
    found = audit(index, covariate=both, draws=50)
    assert found.covariates == tuple(both)
    shares = found.table.query("section == 'covariate' and statistic == 'share'")
    assert [list(rows["item"]) for _, rows in shares.groupby("node_id")] == [list(both)] * 5
    assert "go with poverty before housing costs" in found.text
    assert "with poverty after housing costs" in found.text


def test_a_share_that_may_be_nought_starts_at_nought(index):
    noise = pd.Series(np.random.default_rng(1).normal(size=153), index=index.matrix.areas.index)
    found = audit(index, covariate=noise, label="noise", draws=50)
    rows = found.table[(found.table["section"] == "covariate") & (found.table["statistic"] == "share")]
    assert (rows["lower"] == 0).sum() >= 3
    assert "go with noise" in found.text


def test_distinct_measures_are_doublets_averaged(parts, index):
    learning = parts["learning"]
    assert len(learning.measures.columns) == 7
    assert learning.members["early_years"] == ["gld_pct", "ey_comms", "ey_literacy", "ey_maths"]
    mean = index.counted[learning.members["early_years"]].mean(axis=1)
    assert learning.measures["early_years"].to_numpy() == pytest.approx(mean[learning.rows].to_numpy())
    assert learning.measure_weights.sum() == pytest.approx(1)


def test_contributions_add_up_to_the_score(parts):
    for part in parts.values():
        known = part.score.notna()
        assert part.contributions.sum(axis=1)[known].to_numpy() == pytest.approx(part.score[known].to_numpy())


def test_leaving_out_agrees_with_building_the_index_again(report, index):
    for name, left_out in (("safe", ["inj_0_14"]), ("learning", ["gld_pct", "ey_comms", "ey_literacy", "ey_maths"])):
        spec = index.spec.replace(exclude=tuple(left_out), availability=0.0)
        again = oa.build_index(index.matrix, spec=spec).scores[name]
        ranked = index.matrix.areas["ranked"]
        old = index.scores[name][ranked]
        new = again[ranked].where(old.notna())
        shift = (new.rank(ascending=False, method="min") - old.rank(ascending=False, method="min")).abs()
        item = "early_years" if name == "learning" else "inj_0_14"
        assert cell(report, "leave_one_out", name, item, "without_mean_shift")["value"] == pytest.approx(shift.mean())
        assert cell(report, "leave_one_out", name, item, "without_largest_shift")["value"] == shift.max()


def test_compensation_agrees_with_the_geometric_index(report, index):
    again = oa.build_index(
        index.matrix, spec=index.spec.replace(aggregate=oa.index.GeometricMean(offset=100, factor=10))
    )
    ranked = index.matrix.areas["ranked"]
    for name in index.domains:
        value = index.scores[name][ranked].corr(again.scores[name][ranked], method="spearman")
        found = cell(report, "compensation", name, name, "geometric_rank_correlation")["value"]
        assert found == pytest.approx(value, abs=1e-12)


def test_trade_offs_move_the_real_score_by_a_tenth(report, index):
    """Give a place the amount, through the scales: the domain moves by a tenth, to first order."""
    framework, reference = index.matrix.framework, index.matrix.reference
    for name, item in (("engaged", "persistent_absence"), ("healthy", "infant_mort"), ("learning", "ks2_rwm")):
        amount = cell(report, "trade_offs", name, item, "amount")["value"]
        indicator = framework.indicator(item)
        assert np.sign(amount) == indicator.direction
        low, high = indicator.valid_range
        slope = derivative(index.matrix.england[item], indicator.scale, low=low, high=high)
        weight = index.nodes[name].weights.at[item, "weight"]
        move = weight * indicator.direction * slope * amount / reference.at[item, "scale"]
        assert float(move) == pytest.approx(0.1)


def test_importance_and_weight_stand_side_by_side(report):
    rows = report.sections["weights"]
    for _, block in rows.groupby("node_id"):
        wide = block.pivot(index="item", columns="statistic", values="value")
        assert wide["weight"].sum() == pytest.approx(1)
        assert wide["importance_share"].sum() == pytest.approx(1)
        assert wide["variance_share"].sum() == pytest.approx(1)
    assert cell(report, "weights", "safe", "cla_20miles_pct", "importance_share")["flag"] == "less than its weight"


def test_availability_says_what_is_missing(report, index):
    assert cell(report, "availability", "healthy", "dental_decay_5", "available")["value"] == pytest.approx(
        index.matrix.values["dental_decay_5"][index.matrix.areas["ranked"]].notna().mean()
    )
    assert cell(report, "availability", "safe", "ksi_0_15", "age")["flag"] == "old"


def test_sections_come_in_the_handbooks_order_and_the_table_is_tidy(report):
    assert list(report.sections) == list(SECTIONS)
    assert report.table["section"].drop_duplicates().tolist() == list(SECTIONS)
    key = ["section", "node_id", "item", "statistic"]
    assert not report.table.duplicated(key).any()
    assert report.table["value"].notna().mean() > 0.99
    assert report.manifest.seed is not None


def test_text_puts_parts_first_and_claims_no_causes(report):
    first = report.text.split("\n\n")[0]
    assert first.startswith("Engaged behaves as one thing.")
    assert "Safe, Healthy, Happy and Learning are declared weighted sums, whose parts are to be read first." in first
    assert causal_words(report.text) == []
    assert "go with child poverty" in report.text


def test_same_seed_same_report_and_inputs_unchanged(index, poverty, report):
    before = index.scores.copy()
    again = audit(index, covariate=poverty, draws=200)
    pd.testing.assert_frame_equal(again.table, report.table)
    assert again.text == report.text
    pd.testing.assert_frame_equal(index.scores, before)


def test_without_a_covariate_the_text_says_so(index):
    found = audit(index, draws=50)
    assert found.sections["covariate"].empty
    assert found.covariates == ()
    assert "child poverty was not looked at" in found.text


def test_few_places_are_refused(index):
    small = replace(index.matrix, areas=index.matrix.areas.assign(ranked=np.arange(153) < 20))
    with pytest.raises(SpecError, match="20 places"):
        audit(replace(index, matrix=small))


def test_parts_are_frozen(parts):
    assert isinstance(parts["safe"], DomainParts)
    with pytest.raises(AttributeError):
        parts["safe"].id = "x"
