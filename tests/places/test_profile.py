"""Hackney, the City of London, and Westmorland and Furness, on the published figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import AreaError, ObservationsError
from outcomes_analysis.places import AreaProfile, area_profile, profile_text
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
    assert (round(gld["value"], 1), round(gld["england"], 1), gld["verdict"]) == (68.1, 68.3, "similar")
    assert (round(a8["value"], 1), round(a8["england"], 1), a8["verdict"]) == (50.5, 46.0, "better")
    assert (a8["period"], a8["age"], a8["level"]) == ("2024/25", 0, 0.9)
    codes = pairs.loc[pairs["area_code"].eq("E09000012"), "neighbour_code"]
    own = place_observations.query("indicator_id == 'attainment8' and period == '2024/25'").set_index("area_code")[
        "value"
    ]
    by_hand = sorted(own.loc[list(codes)])
    assert a8["neighbours_median"] == pytest.approx((by_hand[4] + by_hand[5]) / 2)
    assert (a8["neighbours_count"], a8["neighbours_of"]) == (10, 10)


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
    assert "No figure here for 3 ([x] not available)" in profile.text
    assert "For none of its figures can a judgement" in profile.text
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
    assert "The newest figure is not shown by the publisher" in profile.text


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
    assert "Strengths: better than England on 1 of the 2 figures" in profile.text
    assert "average Attainment 8 score (50.5 in 2024/25, England 46.0)" in profile.text
    assert profile.text.index("Strengths") < profile.text.index("Worse than England")
    assert profile.text.index("Worse than England") < profile.text.index("What cannot be measured here")
    worse = place_observations.copy()
    here = worse["area_code"].eq("E09000012") & worse["indicator_id"].eq("attainment8")
    worse.loc[here, "value"] -= 12
    assert "Worse than England on 1: average Attainment 8 score (38.5" in profile_of("Hackney", observations=worse).text


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
    assert "Learning +0.42, 0.20 to 0.64 (90% interval)" in profile.text
    assert "rank 31st (20 to 45)" in profile_text(profile)


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
