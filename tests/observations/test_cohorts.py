"""How many children stand behind a figure: the right mid-year, and the group's own share where it is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.observations.cohorts import GROUP_SHARES, OWN_SHARES, assumed_children, cohort_population
from outcomes_analysis.observations.contract import GROUP_TYPES
from outcomes_analysis.observations.intervals import sampling_errors


@pytest.fixture
def figures(observations):
    """Two areas with 1,000 and 2,000 children in 2023; the first 1,100 in 2024, 8 % with free school meals, then 10 %."""
    return observations(
        indicator_id=[
            "pop_0_17",
            "pop_0_17",
            "pop_0_17",
            "fsm_pct",
            "fsm_pct",
            "ehcp_pct",
            "sen_support_pct",
            "cla_rate",
        ],
        area_code=["E06000001", "E06000002", *["E06000001"] * 6],
        period=["2023", "2023", "2024", "2023", "2024", "2023", "2023", "2023"],
        value=[1000.0, 2000.0, 1100.0, 8.0, 10.0, 4.0, 16.0, 90.0],
    )


def asked(observations, *groups, area="E06000001", period="2023"):
    return observations(
        indicator_id="a",
        area_code=[area] * len(groups),
        period=period,
        group_type=[g[0] for g in groups],
        group=[g[1] for g in groups],
        value=50.0,
    )


def test_a_group_has_the_areas_own_share(figures, observations):
    groups = [
        ("all", "all"),
        ("fsm", "eligible"),
        ("fsm", "not_eligible"),
        ("sen", "none"),
        ("social_care", "looked_after"),
    ]
    people = cohort_population(asked(observations, *groups), figures)
    assert people == pytest.approx([1000, 80, 920, 800, 9])


def test_the_share_is_of_its_own_year_and_else_of_the_nearest(figures, observations):
    later = cohort_population(asked(observations, ("fsm", "eligible"), period="2025"), figures)
    earlier = cohort_population(asked(observations, ("fsm", "eligible"), period="2019"), figures)
    assert [*later, *earlier] == pytest.approx([110, 80])


def test_the_mid_year_before_counts_not_the_one_after(observations):
    people = observations(
        indicator_id="pop_0_17", area_code="E06000001", period=["2021", "2024"], value=[900.0, 1100.0]
    )
    assert cohort_population(asked(observations, ("all", "all")), people) == pytest.approx([900])
    assert cohort_population(asked(observations, ("all", "all"), period="2020"), people) == pytest.approx([900])


def test_without_a_share_of_its_own_an_area_has_the_assumed_one(figures, observations):
    people = cohort_population(
        asked(observations, ("fsm", "eligible"), ("disadvantage", "disadvantaged"), area="E06000002"), figures
    )
    shares = [GROUP_SHARES["fsm", "eligible"], GROUP_SHARES["disadvantage", "disadvantaged"]]
    assert people == pytest.approx([2000 * s for s in shares])
    assert np.isnan(cohort_population(asked(observations, ("ethnicity", "asian")), figures)).all()


def test_errors_of_a_small_group_are_those_of_its_number(framework, indicator, figures, observations):
    fw = framework(
        *[indicator(n, sampling={"model": "none"}) for n in ("pop_0_17", "fsm_pct", "ehcp_pct", "sen_support_pct")],
        indicator("cla_rate", sampling={"model": "none"}, valid_range=(0, 10_000), scale="identity"),
        indicator("a", sampling={"model": "cohort_proportion", "cohort_share": 0.5}, scale="identity", decimals=6),
    )
    rows = asked(observations, ("fsm", "eligible"))
    whole = pd.concat([figures, rows], ignore_index=True)
    se = sampling_errors(whole, framework=fw)["se_sampling"].iloc[-1]
    # Half of the 80 children are of the age: 40 of them at 50 %, half a child added to either side.
    assert se == pytest.approx(100 * np.sqrt(0.25 / 41), rel=1e-6)


def test_every_assumed_group_is_of_a_known_type_and_shares_sum_to_one():
    assert {kind for kind, _ in GROUP_SHARES} <= set(GROUP_TYPES)
    assert set(OWN_SHARES) <= set(GROUP_SHARES)
    for kind in ("sex", "fsm", "disadvantage", "sen"):
        assert sum(share for (k, _), share in GROUP_SHARES.items() if k == kind) == pytest.approx(1)


def test_assumed_shares_are_those_of_england(published):
    obs, _ = published
    england = obs[(obs["area_code"] == "E92000001") & (obs["group_type"] == "all") & obs["value"].notna()]
    latest = england[england["period_end"].dt.year == 2023].set_index("indicator_id")["value"]
    for group, (constant, parts) in OWN_SHARES.items():
        own = constant + sum(weight * latest[name] for name, weight in parts.items())
        # Rounded to two digits, and England's share has moved since: within a tenth.
        assert GROUP_SHARES[group] == pytest.approx(own, rel=0.1), group


@pytest.mark.parametrize(
    ("indicator_id", "characteristic", "breakdown", "off", "flat_off"),
    [
        ("cla_health_checks_pct", "Health assessments: Children looked after all ages", "Total all ages", 0.13, 0.4),
        (
            "cla_convicted_pct",
            "Convictions: Children looked after Ages 10 to 17 years",
            "Total ages 10 to 17 years",
            0.13,
            0.33,
        ),
    ],
)
def test_assumed_numbers_are_near_the_published_ones(
    published, mirror, indicator_id, characteristic, breakdown, off, flat_off
):
    """The main source gives no counts; another table of the publisher does, for five years."""
    obs, fw = published
    table = pd.read_csv(mirror / "dfe_ees" / "la_conviction_health_outcome_cla.csv", dtype="str")
    table = table[(table["characteristic"] == characteristic) & (table["breakdown"] == breakdown)]
    table = table[table["geographic_level"] == "Local authority"]
    there = pd.DataFrame(
        {
            "area_code": table["new_la_code"],
            "year": table["time_period"].astype(int),
            "there": pd.to_numeric(table["children_count"], errors="coerce"),
        }
    )
    rows = obs[(obs["indicator_id"] == indicator_id) & (obs["group_type"] == "all") & obs["value"].notna()]
    rows = rows.assign(year=rows["period_end"].dt.year, assumed=assumed_children(rows, obs, framework=fw))
    rows["flat"] = cohort_population(rows, obs) * fw.indicator(indicator_id).sampling.cohort_share
    both = rows.merge(there[there["there"] > 0], on=["area_code", "year"])
    assert len(both) > 400
    # Measured: a spread of .10 in the logarithm, so within a fifth nearly everywhere; with one share for all .40 to .47.
    assert np.log(both["assumed"] / both["there"]).std() < off
    assert np.log(both["flat"] / both["there"]).std() > flat_off
    assert np.log(both["assumed"] / both["there"]).median() == pytest.approx(0, abs=0.05)


def test_a_share_follows_another_figure_beside_englands(framework, indicator, observations):
    fw = framework(
        indicator("cla_rate", sampling={"model": "none"}),
        indicator("a", sampling={"model": "cohort_proportion", "cohort_share": 0.01, "cohort_follows": "cla_rate"}),
    )
    known = observations(
        indicator_id=["pop_0_17"] * 3 + ["cla_rate"] * 2,
        area_code=["E06000001", "E06000002", "E92000001", "E06000001", "E92000001"],
        period="2023",
        value=[1000.0, 2000.0, 10**6, 105.0, 70.0],
    )
    rows = observations(indicator_id="a", area_code=["E06000001", "E06000002", "E92000001"], period="2023", value=50.0)
    # Half as many again as in England; the second area's own rate is unknown, so it has England's share.
    assert assumed_children(rows, known, framework=fw) == pytest.approx([15, 20, 10**4])
