"""A target in page and workbook: the forecast's own numbers, labels where they belong, the record good or bad."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from outcomes_analysis.evidence.target_section import target_section, target_tables
from outcomes_analysis.framework import load_framework
from outcomes_analysis.places import trajectory
from outcomes_analysis.places.allocating import NOT_AGREED
from outcomes_analysis.places.goals import national_targets
from outcomes_analysis.places.target_wording import record_text
from outcomes_analysis.wording import causal_words

ESSEX, SCILLY = "E10000012", "E06000053"


@pytest.fixture(scope="module")
def result():
    return trajectory("gld_pct", target=75, year=2028, own_targets={"Essex": 77.5}, score=False)


def scores(rows):
    """Rows of (part, forecasts, error, error of no change, covered)."""
    table = pd.DataFrame(rows, columns=["part", "n", "error", "error_no_change", "covered"])
    return table.assign(pool="figures for 2025", ahead=1, level=0.9)


def test_the_national_targets_are_known_indicators_with_a_source():
    framework = load_framework()
    goals = national_targets()
    assert ("gld_pct", 75.0, 2028) in [(g.indicator_id, g.target, g.year) for g in goals]
    for goal in goals:
        low, high = framework.indicator(goal.indicator_id).valid_range
        assert low <= goal.target <= high
        assert goal.source


def test_tables_hold_the_forecast_of_the_place_and_of_england(result):
    tables = {t.id.removesuffix("-gld_pct"): t for t in target_tables(result, ESSEX)}
    assert list(tables) == ["target", "target-shares", "target-own"]  # nothing held out: no record
    frame = tables["target"].frame
    assert frame["Place"].tolist() == ["England", "Essex"] * 3
    mine = result.table[result.table["area_code"].eq(ESSEX)]
    told = frame[frame["Place"].eq("Essex")]
    assert told["Estimate"].tolist() == [round(x, 1) for x in mine["estimate"]]
    assert told["Children more at the newest figure"].nunique() == 1
    # 75 less Essex's figure, of its children, whole ones
    one = mine.iloc[0]
    assert told["Children more at the newest figure"].iloc[0] == np.ceil((75 - one["value"]) * one["cohort"] / 100)
    assert tables["target-shares"].frame["What it is"].eq(NOT_AGREED).all()
    assert tables["target-own"].frame["Local target"].eq(77.5).all()
    assert all(len(t.label) <= 31 for t in tables.values())  # the most a sheet's name may have


def test_no_local_target_no_chance_of_one(result):
    assert "target-own-gld_pct" not in [t.id for t in target_tables(result, "E09000012")]


def test_the_section_says_where_the_target_stands_and_what_is_only_illustrative(result):
    section = target_section(result, ESSEX)
    soup = BeautifulSoup(section.body, "html.parser")
    text = soup.get_text(" ")
    assert section.heading == "The national target: Good level of development at age 5, 75.0% by 2028"
    assert "CP 1362" in text
    assert "Illustrative share, not the DfE-agreed target." in text
    assert "the local target given, 77.5%" in text
    assert "2,028" not in text
    assert not causal_words(text)
    assert len(soup.find_all("table")) == 3


def test_a_place_without_a_forecast_is_told_why(result):
    assert "too few children for a rate to be told" in target_section(result, SCILLY).body
    (table,) = target_tables(result, SCILLY)
    own = table.frame[table.frame["Place"].ne("England")]
    assert own["Estimate"].eq("[x]").all()
    assert own["Why there is no estimate"].str.contains("too few children").all()


def test_the_record_is_told_good_or_bad(result):
    indicator = result.indicator
    rows = [("gap", 100, 0.90, 1.00, 0.88), ("gap", 300, 1.04, 1.00, 0.92), ("england", 2, 1.06, 1.00, 1.0)]
    text = record_text(scores(rows), indicator=indicator)
    # 0.90 is more than 5 % nearer, 1.04 within 5 %; (88 + 276) of 400 inside; two forecasts say nothing of intervals
    assert "the gap to England: nearer than expecting no change in 1 of 2 comparisons, about the same in 1" in text
    assert "91 in 100 figures lay inside the 90% interval" in text
    assert text.endswith("England: nearer than expecting no change in 0 of 1 comparisons, about the same in 0, further "
                         "off in 1")  # fmt: skip
    assert "could not be checked" in record_text(scores([]), indicator=indicator)
    from dataclasses import replace

    table = target_tables(replace(result, scores=scores(rows)), ESSEX)[-1]
    assert table.frame["Beside expecting no change"].tolist() == ["nearer", "about the same", "further off"]
    assert table.frame["Inside the interval, per cent"].tolist() == [88, 92, "[z]"]
