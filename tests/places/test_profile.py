"""Hackney, the City of London, and Westmorland and Furness, on the published figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import AreaError, ObservationsError
from outcomes_analysis.framework.model import Sampling
from outcomes_analysis.places import AreaProfile, area_profile, neighbour_set, profile_text
from outcomes_analysis.wording import associational


@pytest.fixture(scope="module")
def profile_of(place_observations, framework, pairs):
    def make(name: str, **more: object) -> AreaProfile:
        settings = {"observations": place_observations, "framework": framework, "neighbours": pairs} | more
        return area_profile(name, **settings)

    return make


def rows(profile: AreaProfile) -> pd.DataFrame:
    return profile.table.set_index("indicator_id")


def test_hackney(profile_of, place_observations, pairs):
    profile = profile_of("Hackney")
    table = rows(profile)
    assert (profile.area_code, profile.region_name, profile.period) == ("E09000012", "London", 2025)
    # as published: 68.1 % of Hackney's children in 2024/25, England 68.3; Attainment 8 50.5 against 46.0 in 2024/25
    gld, a8 = table.loc["gld_pct"], table.loc["attainment8"]
    assert (round(gld["value"], 1), round(gld["england"], 1), gld["verdict"]) == (68.1, 68.3, "not clear")
    assert (round(a8["value"], 1), round(a8["england"], 1), a8["verdict"]) == (50.5, 46.0, "better")
    assert (a8["period"], a8["age"], a8["level"]) == ("2024/25", 0, 0.9)
    codes = pairs.loc[pairs["area_code"].eq("E09000012"), "neighbour_code"]
    own = place_observations.query("indicator_id == 'attainment8' and period == '2024/25'").set_index("area_code")[
        "value"
    ]
    by_hand = sorted(own.loc[list(codes)])
    assert a8["neighbours_centre"] == pytest.approx((by_hand[4] + by_hand[5]) / 2)
    assert (a8["neighbours_count"], a8["neighbours_of"]) == (10, 10)


def changed(table: pd.DataFrame, values: dict[tuple[str, str, str], float], *, column: str = "value") -> pd.DataFrame:
    """Cells by indicator, area and period, added to."""
    made = table.copy()
    for (indicator, area, period), more in values.items():
        made.loc[
            made["indicator_id"].eq(indicator) & made["area_code"].eq(area) & made["period"].eq(period), column
        ] += more
    return made


def test_what_the_number_of_comparisons_takes_back_is_said(profile_of, place_observations):
    """Attainment 8 lies 4.5 above England: with an error of 2.5 clear alone (p = .07), of two comparisons not."""
    wide = changed(place_observations, {("attainment8", "E09000012", "2024/25"): 1.7}, column="se_total")
    profile = profile_of("Hackney", observations=wide)
    a8 = rows(profile).loc["attainment8"]
    assert a8["lower"] > a8["england"]
    assert (a8["verdict"], a8["clear"]) == ("not clear (many compared)", "")
    assert a8["reason"].startswith("its own interval leaves the comparison out")
    assert "Of the others: not clear (many compared) on 1 and not clear on 1." in profile.sections["judged"]
    assert "not clear\u2020" in profile_text(profile)


def test_similar_needs_an_interval_within_half_the_distance_between_authorities(profile_of, place_observations):
    own = ("gld_pct", "E09000012", "2024/25")
    there = place_observations.query("indicator_id == 'gld_pct' and period == '2024/25'").set_index("area_code")
    england = there.loc["E92000001", "value"]
    ordinary = there.index.isin(upper_tier(ranked_only=True).index) & there["status"].eq("published")
    spread = there["value"].where(there.index != "E09000012", england)[ordinary].std()
    for error, said in ((0.9, "similar"), (1.1, "not clear")):
        # right on England: 1.645 errors to each side
        assert (1.645 * error < spread / 2) == (said == "similar")
        table = changed(place_observations, {own: england - there.loc["E09000012", "value"]})
        table = changed(table, {own: error - 1.2}, column="se_total")
        gld = rows(profile_of("Hackney", observations=table)).loc["gld_pct"]
        assert gld["spread"] == pytest.approx(spread)
        assert gld["verdict"] == said


def test_a_change_is_judged_beside_englands(profile_of, place_observations):
    """A rise is Hackney's own only where its difference from England's leaves 0 out."""
    first, last, here, nation = "2021/22", "2024/25", "E09000012", "E92000001"
    gld = place_observations.query("indicator_id == 'gld_pct'").set_index(["area_code", "period"])["value"]
    own, national = gld[here, last] - gld[here, first], gld[nation, last] - gld[nation, first]
    reach = 1.644854 * 1.2 * np.sqrt(2)  # both errors are 1.2
    row = rows(profile_of("Hackney")).loc["gld_pct"]
    assert row["change_beyond"] == pytest.approx(own - national)
    assert row["change_beyond_lower"] == pytest.approx(own - national - reach, abs=1e-5)
    assert row["change_beyond_upper"] == pytest.approx(own - national + reach, abs=1e-5)
    assert bool(row["from_pandemic"])
    # from here on Hackney rose just as England did; now both by six more: higher than before, and as England did
    level = changed(place_observations, {("gld_pct", here, first): own - national})
    both = changed(level, {("gld_pct", area, first): -6.0 for area in (here, nation)})
    profile = profile_of("Hackney", observations=both)
    row = rows(profile).loc["gld_pct"]
    assert (row["trend"], row["verdict_change"]) == ("higher", "not clear")
    said = profile.sections["trends"]
    assert "Moved clearly more favourably than England on none." in said
    assert "without a clear difference from England's change, on 1:\n- good level of" in said
    assert f"since 2021/22, a year of the pandemic; England {national + 6:+.1f}; difference" in said
    assert "higher E" in profile_text(profile)
    # Hackney alone rose by six more
    alone = changed(level, {("gld_pct", here, first): -6.0})
    profile = profile_of("Hackney", observations=alone)
    assert rows(profile).loc["gld_pct", "verdict_change"] == "better"
    assert "Moved clearly more favourably than England on 1:\n- good level of" in profile.sections["trends"]
    # England alone rose: Hackney's change is not clear of itself and clearly less favourable
    back = {("gld_pct", here, first): national, ("gld_pct", nation, first): -6.0}
    left = profile_of("Hackney", observations=changed(level, back))
    assert rows(left).loc["gld_pct", ["trend", "verdict_change"]].tolist() == ["no clear change", "worse"]
    assert "Clearly less favourably on 1:\n- good level of" in left.sections["trends"]
    assert "not as E" in profile_text(left)


def test_rows_that_need_a_remark_carry_it(profile_of, place_observations):
    over = changed(place_observations, {("gld_pct", "E09000012", "2024/25"): 60.0})
    shown = profile_text(profile_of("Hackney", observations=over))
    assert "[over 100] more children were counted than were thought entitled" in shown
    assert shown.count("[over 100]") == 2  # its row, and what the mark means
    old = profile_text(profile_of("Hackney", period=2030))
    assert "[old] measured too long ago" in old
    assert old.count("[old]") > 1
    plain = profile_text(profile_of("Hackney"))
    assert "[old]" not in plain
    assert "[over 100]" not in plain
    assert "dfe_2025" not in profile_text(profile_of("Hackney", neighbours="dfe_2025"))


def test_contested_and_neutral_figures_are_not_judged(profile_of):
    table = rows(profile_of("Hackney"))
    mh = table.loc["mh_admissions_0_17"]
    assert (mh["verdict"], mh["position"]) == ("position only", "below")
    assert mh["reason"].startswith("contested")
    assert mh["age"] == 1  # measured to March 2024, seen from 2025
    assert table.loc["child_poverty_bhc", "verdict"] == "position only"
    assert (table.loc["cin_rate", "verdict"], table.loc["cin_rate", "symbol"]) == ("no figure", "[x]")


def test_city_of_london_is_shown_and_not_judged(profile_of):
    profile = profile_of("City of London")
    table = rows(profile)
    assert table.loc["attainment8", "verdict"] == "no figure"
    assert table.loc["attainment8", "symbol"] == "[x]"
    assert np.isnan(table.loc["attainment8", "value"])
    assert table.loc["gld_pct", "reason"] == "too few children for a judgement"
    assert (
        "- 2 published for the region (London) but not for City of London: average Attainment 8"
        in (profile.sections["missing"])
    )
    assert "can a judgement against England be given" in profile.sections["judged"]
    assert "shown and not judged: too few children" in profile.sections["opening"]
    assert set(table["trend"]) == {"not compared"}
    assert table.loc["gld_pct", "trend_reason"] == "too few children for a judgement"
    assert "No change over time is told here: too few children" in profile.sections["trends"]
    assert "[x]" in profile_text(profile)


def test_westmorland_and_furness_shows_what_it_inherited(profile_of):
    """Cumbria's admissions of 2022/23 are shown, marked, and neither judged nor compared over time."""
    mh = rows(profile_of("Westmorland and Furness")).loc["mh_admissions_0_17"]
    assert (round(mh["value"], 2), mh["status"], mh["period"]) == (110.39, "inherited", "2022/23")
    assert mh["reason"] == "the figure is that of the authority this place was part of"
    assert mh["trend"] == "not compared"
    assert mh["age"] == 2


def test_inherited_figures_stay_out_of_neighbour_medians(profile_of, place_observations):
    """Cumberland is a neighbour in a made list: in 2022/23 its figure is Cumbria's."""
    pairs = pd.DataFrame(
        {"area_code": "E06000064", "neighbour_code": ["E06000063", "E10000017", "E10000023", "E06000065"]}
    )
    pairs = pd.concat([pairs, pd.DataFrame({"area_code": ["E06000064"], "neighbour_code": ["E10000018"]})])
    table = rows(profile_of("E06000064", neighbours=pairs, period=2023))
    own = place_observations.query("indicator_id == 'mh_admissions_0_17' and period == '2022/23'")
    own = own[own["area_code"].isin(pairs["neighbour_code"]) & own["status"].eq("published")]["value"]
    assert table.loc["mh_admissions_0_17", "neighbours_count"] == len(own)
    assert len(own) < len(pairs)


def test_trend_stops_at_the_break(profile_of):
    profile = profile_of("Hackney")
    assert rows(profile).loc["gld_pct", "since"] == "2021/22"
    series = profile.series.query("indicator_id == 'gld_pct'")
    assert series.groupby(series["period_end"].dt.year >= 2022)["segment"].nunique().eq(1).all()
    assert series["segment"].nunique() == 2
    assert series.set_index("period").loc["2024/25", "england"] == pytest.approx(68.3, abs=0.05)
    early = rows(profile_of("Hackney", period=2022)).loc["gld_pct"]
    assert (early["trend"], early["trend_reason"]) == ("not compared", "the series breaks in between")


def test_period_looks_back(profile_of):
    table = rows(profile_of("Hackney", period=2023))
    assert table.loc["gld_pct", "period"] == "2022/23"
    assert (table["measured"].dropna() <= 2023).all()


def test_older_figure_when_the_newest_is_suppressed(profile_of, place_observations):
    hidden = place_observations.copy()
    here = hidden["area_code"].eq("E09000012") & hidden["indicator_id"].eq("gld_pct") & hidden["period"].eq("2024/25")
    hidden.loc[here, "value"] = np.nan
    hidden.loc[here, "status"] = "suppressed"
    profile = profile_of("Hackney", observations=hidden)
    gld = rows(profile).loc["gld_pct"]
    assert (gld["period"], gld["latest_symbol"], gld["latest_period"]) == ("2023/24", "[c]", "2024/25")
    assert "the newest figure is held back by the publisher and an older one given for 1: good level of" in profile.text


@pytest.mark.parametrize("spelling", ["hackney", "E09000012", "204", "London Borough of Hackney"])
def test_any_spelling(profile_of, spelling):
    assert profile_of(spelling).area_code == "E09000012"


def test_helpful_refusals(profile_of):
    with pytest.raises(AreaError, match="Hackney"):
        profile_of("Hackny")
    with pytest.raises(AreaError, match="region"):
        profile_of("North West")
    with pytest.raises(ObservationsError, match="measured by 1990"):
        profile_of("Hackney", period=1990)


def test_text_follows_the_numbers(profile_of, place_observations):
    profile = profile_of("Hackney")
    associational(profile.text)
    # Attainment 8: 4.5 points over an error of 0.8; good level of development: 0.2 % over 1.2
    assert "Strengths: clearly better than England on 1 of 2 outcomes for children" in profile.text
    assert "\n- average Attainment 8 score (50.5 points in 2024/25, England 46.0)\n" in profile.text
    assert "Clearly worse than England on none.\nOf the others: not clear on 1." in profile.text
    assert "about 0.2 of 2 intervals (90%)" in profile.text
    assert list(profile.sections)[:2] == ["opening", "judged"]
    assert list(profile.sections).index("judged") < list(profile.sections).index("missing")
    worse = place_observations.copy()
    here = worse["area_code"].eq("E09000012") & worse["indicator_id"].eq("attainment8")
    worse.loc[here, "value"] -= 12
    text = profile_of("Hackney", observations=worse).text
    assert "Clearly worse than England on 1:\n- average Attainment 8 score (38.5 points" in text


def test_disputed_figures_are_more_or_fewer_and_never_better(profile_of):
    profile = profile_of("Hackney")
    mh = rows(profile).loc["mh_admissions_0_17"]
    assert (mh["verdict"], mh["kind"]) == ("position only", "contested")
    assert "admissions" not in profile.sections["judged"]
    assert profile.sections["contested"].startswith("Contested figures (marked *)")
    line = next(x for x in profile_text(profile).splitlines() if x.startswith("Hospital admissions for"))
    # 54.5 against England's 80.2 per 100,000, an error of 15: clearly fewer
    assert "fewer" in line.split()
    assert (
        "- clearly fewer: hospital admissions for mental health conditions, under 18 (54.5 per 100,000"
        in (profile.sections["contested"])
    )
    assert not {"better", "worse"} & set(line.split())


def test_near_duplicates_count_once(place_observations, framework, pairs):
    """Three names for Attainment 8 that share a doublet are one outcome; without it they are three."""
    a8 = framework.indicator("attainment8")
    copies = [a8.model_copy(update={"id": f"copy{k}", "name": f"Copy {k}"}) for k in (1, 2)]
    extra = [place_observations.query("indicator_id == 'attainment8'").assign(indicator_id=c.id) for c in copies]
    table = pd.concat([place_observations, *extra], ignore_index=True)
    for doublet, counted in (("qualifications", 2), ("", 4)):
        marked = [i.model_copy(update={"doublet": doublet}) if i.id != "gld_pct" else i for i in (a8, *copies)]
        others = [i for i in framework.indicators if i.id != "attainment8"]
        wide = framework.model_copy(update={"indicators": (*marked, *others)})
        text = area_profile("Hackney", observations=table, framework=wide, neighbours=pairs).sections["judged"]
        assert f"of {counted} outcomes for children" in text
        assert ("England 46.0), with 2 figures much like it\n" in text) == (counted == 2)


def test_what_is_clear_by_itself_only_is_said(place_observations, framework, pairs):
    """A near-duplicate as far below England as Attainment 8 is above: together neither, each alone clear."""
    a8 = framework.indicator("attainment8").model_copy(update={"doublet": "qualifications"})
    copy = a8.model_copy(update={"id": "copy1", "name": "Copy 1"})
    twin = place_observations.query("indicator_id == 'attainment8'").assign(indicator_id="copy1")
    table = changed(
        pd.concat([place_observations, twin], ignore_index=True),
        {("copy1", "E09000012", "2024/25"): -9.0, ("gld_pct", "E09000012", "2024/25"): 3.0},
    )
    others = [i for i in framework.indicators if i.id != "attainment8"]
    both = framework.model_copy(update={"indicators": (a8, copy, *others)})
    text = area_profile("Hackney", observations=table, framework=both, neighbours=pairs).sections["judged"]
    alone = text.split("Clear by itself, but not once figures much like it are taken together:\n")[1].split("\nOf the")[
        0
    ]
    assert [line.split(" (")[0] for line in alone.split("\n")] == [
        "- better on average Attainment 8 score",
        "- worse on copy 1",
    ]
    assert "Attainment 8" not in text.split("Clear by itself")[0]


def test_enablers_are_no_strengths(place_observations, framework, pairs):
    enabling = framework.indicator("attainment8").model_copy(update={"layer": "system", "measure_of": "enabler"})
    others = [i for i in framework.indicators if i.id != "attainment8"]
    wide = framework.model_copy(update={"indicators": (enabling, *others)})
    profile = area_profile("Hackney", observations=place_observations, framework=wide, neighbours=pairs)
    assert "Attainment 8" not in profile.sections["judged"]
    assert "Clearly better than England on 1:\n- average Attainment 8 score" in profile.sections["enablers"]


def test_what_exists_for_others_only(profile_of, place_observations):
    here = place_observations["area_code"].eq("E09000012")
    without = place_observations[~(here & place_observations["indicator_id"].eq("gld_pct"))]
    profile = profile_of("Hackney", observations=without)
    assert rows(profile).loc["gld_pct", "only_for"] == "the region (London)"
    assert "- 1 published for the region (London) but not for Hackney: good level of" in profile.sections["missing"]
    assert rows(profile).loc["cin_rate", "only_for"] == ""
    assert "- 1 without any figure ([x] not available): children in need" in profile.sections["missing"]


def test_a_district_names_its_county(profile_of, place_observations):
    essex = place_observations[place_observations["area_code"].eq("E10000012")]
    one = essex["indicator_id"].eq("gld_pct")
    table = pd.concat([place_observations, essex[one].assign(area_code="E07000073")], ignore_index=True)
    profile = profile_of("Harlow", observations=table)
    assert profile.county == "Essex"
    assert "Harlow is a district: Essex is the authority" in profile.sections["opening"]
    assert rows(profile).loc["attainment8", "only_for"] == "Essex"
    assert "Attainment 8" not in profile_text(profile).split("LEARNING")[1]
    assert (
        rows(
            profile_of(
                "Essex", observations=table[~(table.area_code.eq("E10000012") & table.indicator_id.eq("gld_pct"))]
            )
        ).loc["gld_pct", "only_for"]
        == "its districts"
    )


def test_named_sets_of_neighbours(profile_of, place_observations):
    for choice, label, count in (
        ("dfe_2025", "its statistical neighbours (Department for Education, model of 2025)", 10),
        ("region", "the other authorities of its region", 31),  # of 33, not itself nor the City of London
        (["Islington", "204", "Tower Hamlets", "Newham"], "the 4 places named for it", 3),  # itself is left out
        ("Islington, Tower Hamlets, Newham", "the 3 places named for it", 3),
    ):
        profile = profile_of("Hackney", neighbours=choice, statistic="mean")
        assert f"Against the mean of {label}, all of them together" in profile.sections["neighbours"]
        a8 = rows(profile).loc["attainment8"]
        assert a8["neighbours_of"] == count
    mean = place_observations.query("indicator_id == 'attainment8' and period == '2024/25'").set_index("area_code")
    expected = mean.loc[["E09000019", "E09000030", "E09000025"], "value"].mean()
    assert a8["neighbours_centre"] == pytest.approx(expected)
    for wrong, said in (
        ("dfe_1999", "There are: dfe_2021, dfe_2025, region, similar_poverty"),
        (["Newham"], "at least 3"),
    ):
        with pytest.raises(AreaError, match=said):
            profile_of("Hackney", neighbours=wrong)


def test_places_of_similar_poverty_say_before_or_after_housing_costs(place_observations, framework):
    """Of five authorities in each measure of poverty, the nearest differ: by hand from the figures themselves."""
    codes = ["E09000012", "E09000030", "E06000015", "E08000025", "E10000012"]
    both = {"child_poverty_bhc": [20.0, 21, 22, 35, 12], "child_poverty_ahc": [45.0, 45.5, 30, 44, 22]}
    made = [
        place_observations.query("indicator_id == 'child_poverty_bhc'").iloc[:5].assign(
            indicator_id=name, area_code=codes, value=values, status="published", period="2024/25",
            period_end=pd.Timestamp("2025-03-31"), group_type="all",
        )
        for name, values in both.items()
    ]  # fmt: skip
    poverty = pd.concat(made)
    for choice, words, nearest in (
        ("similar_poverty", "after housing costs (2024/25)", ["E09000030", "E08000025", "E06000015", "E10000012"]),
        ("similar_poverty_bhc", "before housing costs (2024/25)", ["E09000030", "E06000015", "E10000012", "E08000025"]),
    ):
        found = neighbour_set(choice, observations=poverty)
        assert words in found.label
        assert found.id == f"{choice}_2024/25"
        own = found.pairs[found.pairs["area_code"].eq("E09000012")].sort_values("rank")
        assert list(own["neighbour_code"]) == nearest
    with pytest.raises(AreaError, match="child_poverty_ahc"):
        neighbour_set("similar_poverty", observations=poverty[poverty["indicator_id"].eq("child_poverty_bhc")])


def test_domains_from_an_index(profile_of):
    class Index:
        table = pd.DataFrame(
            {
                "node_id": ["learning", "learning", "o"],
                "area_code": ["E09000012", "E09000013", "E09000012"],
                "estimate": [0.42, 1.0, 0.1],
                "lower": [0.2, 0.9, 0.0],
                "upper": [0.64, 1.1, 0.2],
                "level": 0.9,
                "rank": [31.0, 1.0, 2.0],
                "rank_lower": [20.0, 1.0, 1.0],
                "rank_upper": [45.0, 3.0, 9.0],
                "status": "computed",
            }
        )

    profile = profile_of("Hackney", index=Index())
    assert list(profile.domains["node_label"]) == ["Learning"]
    # it holds a disputed indicator, hence the mark; without a column for it England is 0
    assert "- Learning * +0.42, 0.20 to 0.64 (90% interval), clearly better than England" in profile.text
    line = next(x for x in profile_text(profile).splitlines() if x.startswith("Learning *"))
    assert " ".join(line.split()) == "Learning * +0.42 0.20 to 0.64 clearly better 20th to 45th (31st)"


def test_a_score_is_set_against_englands_of_the_same_date(profile_of):
    class Index:
        table = pd.DataFrame(
            {
                "node_id": "learning",
                "area_code": ["E09000012", "E09000013", "E92000001"],
                "estimate": [0.42, 0.42, 0.5],
                "lower": 0.2,
                "upper": 0.64,
                "level": 0.9,
                "rank": [1.5, 1.5, np.nan],
                "rank_lower": 1.0,
                "rank_upper": 3.0,
                "england": 0.5,
                "status": "computed",
            }
        )

    line = next(
        x for x in profile_text(profile_of("Hackney", index=Index())).splitlines() if x.startswith("Learning *")
    )
    assert " ".join(line.split()) == "Learning * +0.42 0.20 to 0.64 +0.50 not clear 1st to 3rd (joint 1st)"
    Index.table["against_england"] = "below"  # what the index says goes before what is worked out here
    profile = profile_of("Hackney", index=Index())
    assert "clearly worse than England" in profile.sections["domains"]
    Index.table["standing"] = "depends on contested figures"  # and what may be said of it goes before both
    profile = profile_of("Hackney", index=Index())
    assert "against England: depends on contested figures" in profile.sections["domains"]
    assert "clearly worse than England" not in profile.sections["domains"]
    page = profile_text(profile)
    assert "+0.50  contested " in page
    assert "against England: contested: with and without the contested figures" in " ".join(page.split())
    near = ["E09000019", "E09000025", "E09000030"]
    Index.table = pd.concat([Index.table, Index.table.iloc[:1].assign(area_code=near[0], estimate=0.1)])
    Index.table = pd.concat([Index.table, Index.table.iloc[:1].assign(area_code=near[1], estimate=0.2)])
    few = profile_of("Hackney", index=Index(), neighbours=near)
    assert "Scores, with" not in few.sections["neighbours"]  # two of the three have a score: no middle
    Index.table = pd.concat([Index.table, Index.table.iloc[:1].assign(area_code=near[2], estimate=0.9)])
    said = profile_of("Hackney", index=Index(), neighbours=near).sections["neighbours"]
    assert "Scores, with the median of the neighbours' scores: Learning * +0.42 (+0.20)." in said
    city = Index()
    city.table = Index.table.assign(area_code="E09000001")
    assert "clearly" not in profile_of("City of London", index=city).sections["domains"]


def test_an_experimental_domain_is_shown_part_by_part_and_never_ranked(profile_of, framework):
    nodes = tuple(n.model_copy(update={"experimental": True}) for n in framework.nodes)
    marked = framework.model_copy(update={"nodes": nodes})

    class Index:
        table = pd.DataFrame(
            {
                "node_id": ["learning", "o"],
                "area_code": "E09000012",
                "estimate": [0.42, 0.1],
                "lower": [0.2, 0.0],
                "upper": [0.64, 0.2],
                "level": 0.9,
                "rank": np.nan,
                "status": "not_ranked",
            }
        )

    profile = profile_of("Hackney", index=Index(), framework=marked)
    assert "domains" not in profile.sections
    text = profile.sections["experimental"]
    assert text.startswith("Learning is experimental, shown part by part and never ranked:\n- o * +0.10")
    assert text.index("- o *") < text.index("- all parts together")
    shown = profile_text(profile)
    block = shown[shown.index("DOMAINS") :].split("\n\n")[0].splitlines()
    assert block[2] == "Learning (experimental): parts first, never ranked"
    assert [line.split("*")[0].strip() for line in block[3:]] == ["o", "all parts together"]
    assert "st (" not in "".join(block)


def test_plain_text_fits_the_terminal(profile_of):
    for name in ("Hackney", "City of London", "Bournemouth, Christchurch and Poole"):
        lines = profile_text(profile_of(name)).splitlines()
        assert max(map(len, lines)) <= 100, [line for line in lines if len(line) > 100]


def test_inputs_are_left_alone_and_results_repeat(profile_of, place_observations):
    before = place_observations.copy()
    first, second = profile_of("Hackney"), profile_of("Hackney")
    pd.testing.assert_frame_equal(place_observations, before)
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.manifest == second.manifest


def test_a_single_figure_without_sampling_error_has_no_interval(place_observations, framework, pairs):
    """Its year-to-year movement could only be borrowed from other indicators; with two periods it is its own."""
    ids = [i.model_copy(update={"sampling": Sampling(model="none")}) for i in framework.indicators if i.id == "gld_pct"]
    only = framework.model_copy(update={"indicators": (*ids, *(i for i in framework.indicators if i.id != "gld_pct"))})
    newest = place_observations["period"].eq("2024/25") | place_observations["indicator_id"].ne("gld_pct")
    for table, known in ((place_observations, True), (place_observations[newest], False)):
        profile = area_profile("Hackney", observations=table, framework=only, neighbours=pairs)
        assert np.isfinite(rows(profile).loc["gld_pct", ["lower", "upper"]].astype(float)).all() == known
