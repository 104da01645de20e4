"""Places of every sort, on the release: each is written, fits the terminal and says what it must."""

from __future__ import annotations

import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.places import area_profile, coverage, profile_text
from outcomes_analysis.sources.release import load_observations

# London, counties, cities, places formed lately, the two smallest, the smallest county, and districts
SORTS = (
    "Hackney", "Essex", "Leeds", "Cumberland", "West Northamptonshire", "Bournemouth, Christchurch and Poole",
    "City of London", "Isles of Scilly", "Rutland", "Barnsley", "Harlow", "Northumberland",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SORTS)
def test_a_place_of_every_sort(name):
    profile = area_profile(name, observations=load_observations(), framework=load_framework(), period=2025)
    shown = profile_text(profile)
    assert max(map(len, shown.splitlines())) <= 100
    assert "nan" not in shown.lower().replace("maintenance", "").split()
    assert "What cannot be measured here" in shown
    assert "there is no current measure of children's own wellbeing" in shown.replace("\n  ", " ")
    assert "not official statistics" in shown.replace("\n", " ")
    table = profile.table
    judged = table[table["verdict"].isin(["better", "worse"])]
    assert judged["contested"].eq("").all()
    assert judged["direction"].ne(0).all()
    # a judgement never goes without an interval that leaves England out
    assert ((judged["lower"] > judged["england"]) | (judged["upper"] < judged["england"])).all()
    if not upper_tier().get("ranked", {}).get(profile.area_code, True):
        assert judged.empty
        assert set(table["trend"]) == {"not compared"}


@pytest.mark.slow
def test_two_counts_of_one_place_are_told_apart():
    """City of London: 64 figures, 56 of them young enough for the coverage report, which counts on its own."""
    counts = coverage(period=2025).by("area")["indicators"]
    for name in ("City of London", "Hackney"):
        profile = area_profile(name, period=2025, neighbours=None)
        have, counted = int(profile.table["value"].notna().sum()), int(counts[profile.area_code])
        opening = profile.sections["opening"]
        assert opening.startswith(f"{have} of {len(profile.table)} indicators have a figure")
        assert (f"The coverage report counts {counted} of them:" in opening) == (counted < have)


@pytest.mark.slow
@pytest.mark.parametrize("year", [2014, 2019, 2021])
def test_a_place_in_earlier_years(year):
    profile = area_profile("Essex", observations=load_observations(), framework=load_framework(), period=year)
    assert profile.period == year
    assert (profile.table["measured"].dropna() <= year).all()
    assert (profile.equity.table["measured"].dropna() <= year).all()
    assert max(map(len, profile_text(profile).splitlines())) <= 100
