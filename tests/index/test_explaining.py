"""One score explained: sums, steps that can be checked by hand, COINr's strengths and weaknesses, and two indices."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes_analysis.errors import AreaError, SpecError
from outcomes_analysis.index import (
    GeometricMean,
    IndexSpec,
    build_index,
    compare_indices,
    explain,
    strengths_and_weaknesses,
)
from outcomes_analysis.pipeline import default_index
from outcomes_analysis.wording import causal_words, signed

MEANS = {"arithmetic": "arithmetic", "geometric": GeometricMean(offset=100, factor=10)}


@pytest.fixture(scope="module")
def geometric(index):
    return build_index(index.matrix, spec=IndexSpec(aggregate=MEANS["geometric"], overall=True))


@pytest.fixture(scope="module")
def asem(gold):
    folder = gold / "coinr"
    raw = pd.read_csv(folder / "01_coin_1_raw.csv").set_index("uCode")
    imeta = pd.read_csv(folder / "00_in_asem_imeta.csv").set_index("iCode")
    return raw, imeta["Direction"].reindex(raw.columns).astype(int)


@pytest.mark.parametrize(
    ("area", "node"), [("Hackney", "learning"), ("Somerset", "healthy"), ("Leeds", "attending"), ("Kent", "gld_pct")]
)
def test_contributions_add_up_to_the_published_score(index, area, node):
    found = explain(index, area, node=node)
    assert found.score == index.scores.at[found.area_code, node]
    # Sums of a dozen numbers of order one.
    assert found.table["contribution"].sum() == pytest.approx(found.score, abs=1e-13)
    assert found.outcomes["contribution"].sum() == pytest.approx(found.score, abs=1e-13)
    assert found.table["weight"].sum() == pytest.approx(1)


@pytest.mark.parametrize("node", ["safe", "overall", "qualified"])
def test_they_add_up_for_the_geometric_mean_and_the_overall_too(geometric, index, node):
    found = explain(geometric, "Hackney", node=node)
    assert found.table["contribution"].sum() == pytest.approx(found.score, abs=1e-12)
    plain = build_index(index.matrix, spec=IndexSpec(overall=True))
    found = explain(plain, "Hackney", node=node)
    assert found.table["contribution"].sum() == pytest.approx(found.score, abs=1e-12)


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric"])
def test_errors_of_contributions_make_up_the_scores_own(index, aggregation):
    """Those of a doublet move together; others are unrelated."""
    made = build_index(index.matrix, spec=IndexSpec(aggregate=MEANS[aggregation]))
    found = explain(made, "Hackney", node="learning")
    half = ((found.table["contribution_upper"] - found.table["contribution_lower"]) / 2).to_numpy()
    by_group = pd.Series(half).groupby(made.nodes["learning"].weights["group"].to_numpy()).sum()
    assert np.sqrt((by_group**2).sum()) == pytest.approx((found.upper - found.lower) / 2)


def test_every_step_follows_from_the_one_before(index):
    table = explain(index, "E09000012", node="learning").table.set_index("indicator_id")
    gld = table.loc["gld_pct"]
    assert (gld["value"], gld["england"], gld["base_period"]) == (68.1, pytest.approx(67.2), "2022/23")  # as published
    assert gld["on_scale"] == pytest.approx(np.log(68.1 / 31.9))
    assert gld["england_on_scale"] == pytest.approx(np.log(67.2 / 32.8))
    assert gld["standardised"] == pytest.approx((gld["on_scale"] - gld["england_on_scale"]) / gld["spread"])
    assert table["score"].to_numpy() == pytest.approx(
        (table["direction"] * table["standardised"]).clip(-3, 3).to_numpy()  # no figure counts for more
    )
    assert table["contribution"].to_numpy() == pytest.approx((table["weight"] * table["score"]).to_numpy())
    assert (table["lower"] < table["value"]).all()
    assert (table["value"] < table["upper"]).all()
    assert table.at["l3_fsm_gap", "direction"] == -1
    at = index.matrix.areas.index.get_loc("E09000012")
    half = (table["contribution_upper"] - table["contribution_lower"]) / 2
    one = 1.644853627 * index.counted_error["gld_pct"].iloc[at] * gld["weight"]
    assert half["gld_pct"] == pytest.approx(one, rel=1e-8)


def test_a_missing_figure_weighs_nothing_and_is_named(index):
    below = index.nodes["healthy"].weights.index
    some = index.matrix.values[below].isna().any(axis=1) & index.scores["healthy"].notna()
    found = explain(index, some.idxmax(), node="healthy")
    gone = found.table[found.table["value"].isna()]
    assert len(gone) > 0
    assert (gone[["weight", "contribution"]] == 0).all(axis=None)
    assert (gone["weight_if_all_present"] > 0).all()
    assert set(gone["status"]) <= {"not_available", "suppressed", "inherited", "not_applicable"}
    assert "Missing, with the others standing in: " + "; ".join(gone["name"]) in found.text


def test_the_text_says_the_numbers(index):
    found = explain(index, "Hackney", node="learning")
    assert f"Hackney, Learning, as measured by 2025: {signed(found.score, 2)}" in found.text
    top = found.table.loc[found.table["contribution"].idxmax()]
    assert f"Most is added by {top['name']} (76% in 2024/25 beside England's 60% in 2022/23" in found.text
    assert index.matrix.framework.notice in found.text
    assert causal_words(found.text) == []


def test_what_cannot_be_explained_is_refused(index):
    with pytest.raises(
        SpecError, match=r"'healthy' is not computed for City of London: 9 of its 10 indicators are missing"
    ):
        explain(index, "City of London", node="healthy")
    with pytest.raises(SpecError, match="The index has no node 'overall'"):
        explain(index, "Hackney", node="overall")
    with pytest.raises(AreaError):
        explain(index, "Atlantis", node="safe")


def test_disputed_indicators_are_no_strength_and_tiny_places_have_none(index):
    framework = index.matrix.framework
    for node in index.domains:
        ids = explain(index, "Leeds", node=node, top=50).profile["indicator_id"]
        assert not any(framework.indicator(i).contested for i in ids)
    assert explain(index, "Leeds", node="rereferral_pct").profile.empty
    assert explain(index, "City of London", node="gld_pct").profile.empty


def test_strengths_carry_the_ranks_of_the_index(index):
    found = explain(index, "Hackney", node="learning", top=16).profile
    ranks = index.table[index.table["area_code"] == "E09000012"].set_index("node_id")["rank"]
    for row in found.itertuples():
        assert row.rank == ranks[row.indicator_id]
    strong = found[found["what"] == "strength"]
    assert strong["rank"].is_monotonic_increasing
    clear = strong[strong["clear"]]
    assert (
        clear["lower"] > index.scores.loc[index.matrix.areas["ranked"], clear["indicator_id"]].median().to_numpy()
    ).all()


@pytest.mark.parametrize(
    ("what", "file"), [("strength", "01_coin_strengths_GBR"), ("weakness", "01_coin_weaknesses_GBR")]
)
def test_strengths_and_weaknesses_are_coinrs(asem, gold, what, file):
    raw, directions = asem
    found = strengths_and_weaknesses(raw, "GBR", directions=directions)
    found = found[found["what"] == what].set_index("indicator_id")
    expected = pd.read_csv(gold / "coinr" / f"{file}.csv").set_index("Code")
    assert set(found.index) == set(expected.index)
    assert found["rank"].to_dict() == expected["Rank"].to_dict()
    # COINr shows three significant digits.
    assert found["value"].reindex(expected.index).to_numpy() == pytest.approx(expected["Value"].to_numpy(), rel=5e-3)


def test_ties_share_the_better_rank_and_short_columns_do_not_flatter():
    values = pd.DataFrame(
        {"a": [3.0, 3, 1, 0], "b": [1.0, np.nan, np.nan, 2], "c": [np.nan, 1, 2, 3]}, index=list("wxyz")
    )
    found = strengths_and_weaknesses(values, "w", errors=values * 0 + 0.1)
    assert found[["what", "indicator_id", "rank", "of"]].to_numpy().tolist() == [
        ["strength", "a", 1, 4],
        ["weakness", "b", 2, 2],
    ]
    assert found["clear"].all()
    with pytest.raises(SpecError, match="no unit 'q'"):
        strengths_and_weaknesses(values, "q")


numbers = st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=2, max_size=9)


@settings(max_examples=40)
@given(numbers)
def test_turning_everything_round_turns_strengths_into_weaknesses(rows):
    values = pd.DataFrame(rows, columns=list("abc")).rank()  # whole numbers, so that turning loses nothing
    values.index = [f"u{i}" for i in range(len(values))]
    values = values.loc[:, values.nunique() == len(values)]
    plain = strengths_and_weaknesses(values, "u0")
    turned = strengths_and_weaknesses(-values, "u0")
    for one, other in (("strength", "weakness"), ("weakness", "strength")):
        assert set(plain.loc[plain["what"] == one, "indicator_id"]) == set(
            turned.loc[turned["what"] == other, "indicator_id"]
        )


def test_two_specifications_side_by_side(index):
    other = build_index(index.matrix, spec=IndexSpec(contested="exclude"))
    found = compare_indices(index, other, names=("all", "undisputed"), nodes=["safe", "learning"])
    learning = found.table[found.table["node_id"] == "learning"]
    assert (learning["difference"].dropna() == 0).all()
    assert found.nodes.at["learning", "spearman"] == pytest.approx(1)
    assert found.nodes.at["learning", "same_fifth"] == 1
    assert (learning["why"] == "").all()
    safe = found.table[found.table["node_id"] == "safe"].set_index("area_code")
    ranked = safe.index[safe["shift"].notna()]
    first, second = (i.table[i.table["node_id"] == "safe"].set_index("area_code")["rank"] for i in (index, other))
    assert (safe.loc[ranked, "shift"] == (first - second)[ranked]).all()
    expected = index.scores.loc[ranked, "safe"].corr(other.scores.loc[ranked, "safe"], method="kendall")
    assert found.nodes.at["safe", "kendall"] == pytest.approx(expected)
    assert (safe["figures"].dropna() == 0).all()  # the same figures: only what counts has changed
    assert safe["weights"].to_numpy() == pytest.approx(safe["difference"].to_numpy(), abs=1e-12, nan_ok=True)
    assert found.text.startswith(
        "Two indices side by side: all and undisputed. They differ in contested (include, exclude)"
    )
    farthest = safe["shift"].abs().idxmax()
    assert safe.at[farthest, "area_name"] in found.text
    assert safe.at[farthest, "why"] != ""


def test_another_mean_is_named_as_the_method(index, geometric):
    found = compare_indices(index, geometric, nodes=[*index.domains, "qualified"])
    table = found.table[found.table["status"] != "not_computed"]
    assert (table["figures"] == 0).all()
    assert table["weights"].to_numpy() == pytest.approx(0, abs=1e-12)
    assert table["method"].to_numpy() == pytest.approx(table["difference"].to_numpy(), abs=1e-12)
    assert set(found.parts.loc[found.parts["contribution"].abs() > 1e-9, "reason"]) == {"method"}
    assert "They differ in aggregate (arithmetic, geometric" in found.text
    assert "{" not in found.text
    # A geometric mean is never above the arithmetic one.
    assert (table["difference"] <= 1e-12).all()


def test_two_years_side_by_side_add_up(index):
    found = compare_indices(default_index(2024), index, nodes=[*index.domains, "qualified", "gld_pct"])
    assert found.names == ("2024", "2025")
    table = found.table[found.table["status"] != "not_computed"]
    assert table[["figures", "weights", "method"]].sum(axis=1).to_numpy() == pytest.approx(
        table["difference"].to_numpy(), abs=1e-12
    )
    shown = table[table["kind"] != "indicator"].set_index(["node_id", "area_code"])["difference"]
    added = found.parts.groupby(["node_id", "area_code"])["contribution"].sum().reindex(shown.index).fillna(0)
    assert added.to_numpy() == pytest.approx(shown.to_numpy(), abs=1e-12)
    assert found.nodes["n"].max() <= 151
    # Places gained are places lost: among those ranked in both, with few ties, shifts nearly cancel.
    domains = table[(table["kind"] == "domain") & table["shift"].notna()]
    assert domains.groupby("node_id")["shift"].sum().abs().max() <= 2
    assert causal_words(found.text) == []


def test_nodes_not_in_both_are_named(index, geometric):
    with pytest.raises(SpecError, match="1 nodes are not in both indices: overall"):
        compare_indices(index, geometric, nodes=["safe", "overall"])


def test_the_same_index_twice_is_built_alike(index):
    found = compare_indices(index, index, nodes=index.domains)
    assert (found.table["shift"].dropna() == 0).all()
    assert "They are built alike." in found.text
    assert found.parts.empty
