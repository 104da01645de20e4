"""From birth to age 11 by cohort: whose year is whose by hand and by counting births, and what is said where."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.places import early_years_pathway
from outcomes_analysis.places.pathway import NOBODY, NOT_YET, STAGES
from outcomes_analysis.sources.release import load_observations
from outcomes_analysis.wording import associational

ESSEX, ENGLAND = "E10000012", "E92000001"


@pytest.fixture(scope="module")
def observations():
    ids = [s.indicator_id for s in STAGES]
    table = load_observations()
    kept = table[table["indicator_id"].isin(ids) & table["group_type"].eq("all")].copy()
    kept.attrs = dict(table.attrs)
    return kept


@pytest.fixture(scope="module")
def path_of(observations):
    framework = load_framework()

    def made(name, **more):
        settings = {"observations": observations, "framework": framework, "period": 2025} | more
        return early_years_pathway(name, **settings)

    return made


@pytest.fixture(scope="module")
def essex(path_of):
    return path_of("Essex")


def test_the_years_of_two_children_by_hand():
    """Born in March 2016: at 2 and a quarter in June 2018; five in Reception 2020/21; Year 1, and Year 6 five on."""
    assert [s.period(2015) for s in STAGES] == ["2016", "2018/19", "2020/21", "2021/22", "2026/27"]
    # born in September 2012, the first of its year: Reception in 2017/18, Key Stage 2 in summer 2024
    assert [s.period(2012) for s in STAGES] == ["2013", "2015/16", "2017/18", "2018/19", "2023/24"]
    assert STAGES[2].period(1994) == "1999/00"


def test_each_stage_is_the_year_in_which_most_of_the_cohort_passed_it():
    """Every birthday of a cohort counted: calendar year of birth, financial year at 2.25, school years from age 4."""
    days = [date(2015, 9, 1) + timedelta(d) for d in range(366)]
    assert days[-1] == date(2016, 8, 31)

    def financial(day: date) -> str:
        first = day.year if day >= date(day.year, 4, 1) else day.year - 1
        return f"{first}/{(first + 1) % 100:02d}"

    def school_year_when_turning(age: int, born: date) -> str:
        turned = (
            born.replace(year=born.year + age) if (born.month, born.day) != (2, 29) else date(born.year + age, 3, 1)
        )
        first = turned.year if turned >= date(turned.year, 9, 1) else turned.year - 1
        return f"{first}/{(first + 1) % 100:02d}"

    counted = {
        "birth": Counter(str(d.year) for d in days),
        "review": Counter(financial(d + timedelta(round(2.25 * 365.25))) for d in days),
        "reception": Counter(school_year_when_turning(5, d) for d in days),
        "year_1": Counter(school_year_when_turning(6, d) for d in days),
        "year_6": Counter(school_year_when_turning(11, d) for d in days),
    }
    for stage in STAGES:
        (most, number), *_ = counted[stage.id].most_common()
        assert stage.period(2015) == most
        assert number > len(days) / 2
    for school in ("reception", "year_1", "year_6"):
        assert len(counted[school]) == 1  # all children of a cohort are in one school year


def test_figures_are_the_published_ones_of_the_cohorts_own_years(essex, observations):
    published = observations.set_index(["indicator_id", "area_code", "period"])["value"]
    with_figure = essex.table[essex.table["value"].notna()]
    assert len(with_figure) > 20
    for row in with_figure.to_dict("records"):
        assert row["value"] == published[row["indicator_id"], ESSEX, row["period"]]
        england = published.get((row["indicator_id"], ENGLAND, row["period"]), np.nan)
        assert row["england"] == pytest.approx(england, nan_ok=True)
    cohort = essex.table[essex.table["cohort"].eq("2018/19")].set_index("stage")
    assert list(cohort["period"]) == ["2019", "2021/22", "2023/24", "2024/25", "2029/30"]
    assert cohort.loc["year_6", "reason"] == NOT_YET
    # 69.4 % of Essex's children in 2023/24, England 67.7: far clear of it
    assert (round(cohort.loc["reception", "value"], 1), cohort.loc["reception", "standing"]) == (69.4, "above")
    assert (cohort["neighbours_of"].iloc[:4] == 10).all()


def test_years_without_assessments_and_breaks_are_shown(essex):
    born = essex.table.set_index(["cohort", "stage"])
    assert born.loc[("2015/16", "reception"), "reason"] == NOBODY  # 2020/21: none were collected
    assert born.loc[("2013/14", "year_1"), "reason"] == NOBODY  # 2019/20: no check
    reception = essex.table[essex.table["stage"].eq("reception")].set_index("cohort")
    assert (reception.loc["2013/14", "segment"], reception.loc["2016/17", "segment"]) == (0, 1)
    assert "the profile was revised" in reception.loc["2016/17", "break_reason"].lower()
    assert reception.loc["2017/18", "break_reason"] == ""
    assert "Not to be compared between these cohorts: good level of development at age 5 (2021/22:" in essex.text


def test_the_text_takes_the_fullest_cohort_that_reached_each_age(essex):
    told = list(dict.fromkeys(essex.table.loc[essex.table["told"], "cohort"]))
    # at 11: born 2012/13 has review, 5, 6, 11; at 6: 2018/19 has four stages; at 5: 2019/20
    assert told == ["2012/13", "2018/19", "2019/20"]
    assert "Born from September 2018 to August 2019:\n- at birth (2019), low birth weight" in essex.text
    assert (
        "- at 5 (2023/24), good level of development at age 5: 69.4%, 68.7 to 70.1; England 67.7%, clearly better"
        in essex.text
    )
    assert "- not measured yet: at 11 (2029/30)" in essex.text
    assert "not the same children followed: families move in and out" in essex.text
    associational(essex.text)


def test_lower_birth_weight_is_worse_where_it_is_higher(path_of, observations):
    here = observations["indicator_id"].eq("lbw_term") & observations["area_code"].eq(ESSEX)
    heavy = observations.copy()
    heavy.loc[here, "value"] = 6.0
    text = path_of("Essex", observations=heavy).text
    assert "low birth weight of babies born at term: 6.00%" in text
    assert "England 2.90%, clearly worse" in text


def test_nothing_after_the_year_looked_back_from(path_of):
    early = path_of("Essex", period=2019)
    assert early.table["value"].notna().sum() > 5
    valued = early.table[early.table["value"].notna()]["period"]
    assert max(int(p[:4]) + ("/" in p) for p in valued) <= 2019
    assert "2019/20)" not in early.text.split("not measured yet")[0]


def test_places_without_a_path_or_too_small_to_judge(path_of):
    assert path_of("Harlow").text == (
        "No path from birth to age 11 can be shown for Harlow: no cohort has figures at two stages."
    )
    city = path_of("City of London").table
    assert set(city.get("standing", pd.Series(dtype=str))) <= {""}
    cumberland = path_of("Cumberland").table
    inherited = cumberland[cumberland["reason"].str.contains("was part of")]
    assert len(inherited) > 3
    assert inherited["standing"].eq("").all()
    assert path_of("Essex", neighbours=None).table["neighbours_centre"].isna().all()


def test_one_cohort_asked_for(path_of):
    one = path_of("Hackney", cohorts=[2015]).table
    assert list(one["cohort"].unique()) == ["2015/16"]
    assert list(one["stage"]) == [s.id for s in STAGES]
