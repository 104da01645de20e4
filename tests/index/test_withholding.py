"""Ranks and verdicts that the figures do not bear are taken out: by the cards' rule, said, and overridden by name only."""

from dataclasses import replace

import numpy as np
import pytest

import outcomes_analysis as oa
from outcomes_analysis.errors import SpecError
from outcomes_analysis.index import fitness, index_change
from outcomes_analysis.index.building import scored
from outcomes_analysis.index.judging.purpose import Thresholds
from outcomes_analysis.index.judging.withholding import withhold_ranks, withhold_verdicts


@pytest.fixture(scope="module")
def years():
    framework, observations = oa.load_framework(), oa.load_observations()
    matrices = (oa.build_matrix(observations, framework=framework, period=year) for year in (2024, 2025))
    return tuple(scored(matrix, oa.IndexSpec()) for matrix in matrices)


@pytest.fixture(scope="module")
def cards():
    framework = oa.load_framework()
    return fitness(oa.load_observations(), framework=framework).table.set_index("indicator_id")


@pytest.fixture(scope="module")
def held(years):
    return withhold_ranks(years[1])


@pytest.fixture(scope="module")
def change(years):
    return index_change(*years)


def test_an_index_is_built_with_what_it_does_not_bear_withheld(held, years):
    built = oa.build_index(years[1].matrix)
    assert built.table["status"].eq("withheld").any()
    assert built.table.equals(held.table)
    allowed = oa.build_index(years[1].matrix, allow=("cla_3placements_pct",))
    assert allowed.table.query("node_id == 'cla_3placements_pct'")["overridden"].all()
    assert "cla_3placements_pct" not in reasons(built.table)[reasons(built.table) == ""]


def reasons(table):
    return table.drop_duplicates("node_id").set_index("node_id")["withheld"]


def test_an_indicator_is_ranked_just_where_its_card_says_that_it_may_be(held, cards):
    why = reasons(held.table)
    single = [name for name in why.index if name in cards.index]
    assert len(single) > 40
    assert [name for name in single if (why[name] == "") != cards.at[name, "use_rank"]] == []
    for name in single:
        ranked = held.table[held.table["node_id"] == name]["rank"].notna()
        assert ranked.any() == cards.at[name, "use_rank"]


def test_a_verdict_is_passed_just_where_the_card_says_that_it_may_be(change, cards):
    judged = change.table[change.table["verdict"].isin(["improved", "worsened", "not_clear", "withheld"])]
    single = judged[judged["node_id"].isin(cards.index)]
    assert single["node_id"].nunique() > 30
    passed = (single["verdict"] != "withheld").groupby(single["node_id"]).agg(["any", "all"])
    assert (passed["any"] == passed["all"]).all()
    # where only few authorities were measured anew there is too little to judge the indicator by
    many = passed[single["node_id"].value_counts().reindex(passed.index) >= 30]
    differ = [name for name, found in many["all"].items() if found != cards.at[name, "use_change"]]
    assert differ == []


def test_scores_stay_and_only_ranks_go(held, years):
    before, after = years[1].table, held.table
    for column in ("estimate", "lower", "upper", "availability"):
        assert after[column].equals(before[column])
    kept = after["withheld"] == ""
    assert after.loc[kept, "rank"].equals(before.loc[kept, "rank"])
    gone = (after["withheld"] != "") & before["ranked"]
    assert gone.any()
    assert after.loc[gone, "rank"].isna().all()
    assert not after.loc[gone, "ranked"].any()
    assert set(after.loc[gone, "status"]) == {"withheld"}
    assert "No rank is given on" in held.text
    assert "withheld" not in before  # the result handed in is left as it was


def test_domains_that_are_mostly_noise_lose_their_ranks_too(years):
    index = years[1]
    domain = index.nodes["safe"]
    noisy = replace(domain, error=np.full_like(domain.error, 2 * np.nanstd(domain.estimate)))
    found = withhold_ranks(replace(index, nodes=index.nodes | {"safe": noisy}))
    assert "reliability" in reasons(found.table)["safe"]
    assert found.table.query("node_id == 'safe'")["rank"].isna().all()
    assert "No rank is given on Safe, since reliability" in found.text
    assert reasons(found.table)["learning"] == ""


def test_thresholds_are_the_callers(years):
    lax = reasons(withhold_ranks(years[1], thresholds=Thresholds(reliability=0.0, available=0.0)).table)
    strict = reasons(withhold_ranks(years[1], thresholds=Thresholds(reliability=0.99)).table)
    assert lax["cla_3placements_pct"] == ""
    assert "contested" in lax["cla_20miles_pct"]
    assert "below 0.99" in strict["safe"]


def test_an_override_is_by_name_and_named(years):
    found = withhold_ranks(years[1], allow=("cla_3placements_pct",))
    rows = found.table.query("node_id == 'cla_3placements_pct'")
    assert rows["rank"].notna().any()
    assert rows["overridden"].all()
    assert (rows["withheld"] != "").all()
    assert "By override, Children looked after with three or more placements is ranked although" in found.text
    assert not found.table.query("node_id == 'infant_mort'")["overridden"].any()
    untouched = withhold_ranks(years[1], allow=("attainment8",))
    assert not untouched.table["overridden"].any()
    assert "By override" not in untouched.text


def test_verdicts_may_be_overridden_by_name(years):
    plain, found = index_change(*years), index_change(*years, allow=("safe",))
    assert set(plain.table.query("node_id == 'safe'")["verdict"]) <= {"withheld", "not_computed", "timing_only"}
    assert "Safe: no verdict on change is passed (only changes beyond" in plain.text
    assert plain.table.query("node_id == 'safe' and verdict == 'withheld'")["p_improved"].isna().all()
    rows = found.table.query("node_id == 'safe'")
    assert {"improved", "not_clear"} <= set(rows["verdict"])
    assert rows["overridden"].all()
    assert "By override, verdicts on Safe stand although only changes beyond" in found.text
    assert found.table["estimate"].equals(plain.table["estimate"])


def test_what_is_experimental_gets_no_verdict(change):
    rows = change.table.query("node_id in ['happy', 'emotional_health']")
    assert not rows["verdict"].isin(["improved", "worsened", "not_clear"]).any()
    assert "experimental" in reasons(change.table)["happy"]


@pytest.mark.parametrize(("name", "words"), [("susp_rate", "agreed which way"), ("happy", "experimental")])
def test_what_has_no_better_cannot_be_ranked_by_asking(years, name, words):
    with pytest.raises(SpecError, match=words):
        withhold_ranks(years[1], allow=(name,))


def test_unknown_names_and_a_second_time(years, held, change):
    with pytest.raises(SpecError, match="attainment9"):
        withhold_ranks(years[1], allow=("attainment9",))
    with pytest.raises(SpecError, match="attainment9"):
        index_change(*years, nodes=["learning"], allow=("attainment9",))
    framework = oa.load_framework()
    assert withhold_ranks(held) is held
    assert withhold_verdicts(change, framework=framework) is change
    with pytest.raises(SpecError, match="build_index"):
        withhold_ranks(held, allow=("safe",))
    with pytest.raises(SpecError, match="index_change"):
        withhold_verdicts(change, framework=framework, allow=("safe",))
