"""Verdicts by cases, neighbours by hand, and trends that stop at a break."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.framework.model import Break, Indicator, Sampling
from outcomes_analysis.places.comparison import (
    change_since,
    neighbour_summary,
    segments,
    total_interval,
    verdict,
    why_withheld,
)


def made(**more: object) -> Indicator:
    settings: dict[str, object] = {
        "id": "x", "name": "X", "definition": "X", "unit": "%", "direction": 1, "form": "proportion", "age_stage": "all",
        "geography_basis": "residence", "base_period": "2019", "source": "s", "decimals": 1, "cannot_tell": "Much.",
        "sampling": Sampling(model="none"), "max_age": 3,
    }  # fmt: skip
    return Indicator(**(settings | more))


@pytest.mark.parametrize(
    ("value", "lower", "upper", "comparator", "direction", "expected"),
    [
        (75, 72, 78, 70, 1, ("better", "above", "")),
        (75, 72, 78, 70, -1, ("worse", "above", "")),
        (65, 62, 68, 70, 1, ("worse", "below", "")),
        (65, 62, 68, 70, -1, ("better", "below", "")),
        (75, 69, 81, 70, 1, ("similar", "above", "")),
        (75, 70, 80, 70, 1, ("similar", "above", "")),  # the bound itself does not leave it out
        (70, 70, 70, 70, 1, ("similar", "equal", "")),
        (75, 72, 78, 70, 0, ("position only", "above", "neither higher nor lower is better")),
        (75, np.nan, np.nan, 70, 1, ("position only", "above", "how sure the figure is, is not known")),
        (75, 72, 78, np.nan, 1, ("position only", "", "nothing of the same period to compare with")),
        (np.nan, np.nan, np.nan, 70, 1, ("no figure", "", "no figure for this place")),
    ],
)
def test_verdict(value, lower, upper, comparator, direction, expected):
    assert verdict(value=value, lower=lower, upper=upper, comparator=comparator, direction=direction) == expected


def test_a_reason_withholds_the_judgement_and_keeps_the_position():
    found = verdict(value=75, lower=72, upper=78, comparator=70, direction=1, withheld="the figure is imputed")
    assert found == ("position only", "above", "the figure is imputed")


@pytest.mark.parametrize(
    ("change", "row", "age", "ranked", "words"),
    [
        ({}, {}, 0, True, ""),
        ({}, {}, 3, True, ""),
        ({}, {}, 4, True, "4 years old"),
        ({"direction": 0}, {}, 0, True, "neither higher nor lower"),
        ({"contested": "More can be better found."}, {}, 0, True, "contested: More can be better found"),
        ({"tier": "context"}, {}, 0, True, "context"),
        ({}, {"status": "inherited"}, 0, True, "authority this place was part of"),
        ({}, {"status": "imputed"}, 0, True, "imputed"),
        ({}, {"flags": "low_reliability;rounded"}, 0, True, "low reliability"),
        ({}, {"flags": "provisional"}, 0, True, ""),
        ({}, {}, 0, False, "too few children"),
    ],
)
def test_why_a_judgement_is_withheld(change, row, age, ranked, words):
    figure = {"status": "published", "flags": ""} | row
    reason = why_withheld(figure, indicator=made(**change), age=age, ranked=ranked)
    assert words in reason
    assert bool(words) == bool(reason)


def test_interval_is_even_on_the_indicators_own_scale():
    # logit of 90 % is ln 9 = 2.1972; its slope there 1 / (100 x .9 x .1) = 1/9; 1.6449 x 2 / 9 = .36552
    # back: 100 / (1 + exp(-(2.1972 -+ .36552))) = 86.197 and 92.844
    lower, upper = total_interval(90, 2, indicator=made(scale="logit"))
    assert (lower, upper) == pytest.approx((86.197, 92.844), abs=0.002)  # the hand arithmetic keeps four digits
    assert total_interval(90, 2, indicator=made()) == pytest.approx((90 - 3.2897, 90 + 3.2897), abs=1e-4)
    assert all(np.isnan(total_interval(90, np.nan, indicator=made())))


def test_neighbour_median_by_hand():
    values = pd.Series({"A": 1.0, "B": 10.0, "C": 20.0, "D": 40.0, "E": np.nan, "F": 5.0})
    pairs = pd.DataFrame({"area_code": ["A"] * 5 + ["B", "B"], "neighbour_code": ["B", "C", "D", "E", "A", "C", "E"]})
    # A's neighbours other than itself: B 10, C 20, D 40, E missing
    assert neighbour_summary(values, area="A", neighbours=pairs) == (20.0, 3, 4)
    found = neighbour_summary(values, area="B", neighbours=pairs)
    assert np.isnan(found.median)  # one value is no median
    assert found[1:] == (1, 2)
    assert neighbour_summary(values, area="Z", neighbours=pairs)[1:] == (0, 0)


def series(values, *, se=1.0, status="published", flags=None, first=2018) -> pd.DataFrame:
    years = range(first, first + len(values))
    return pd.DataFrame(
        {
            "period": [f"{y - 1}/{y % 100:02d}" for y in years],
            "period_start": pd.to_datetime([f"{y - 1}-09-01" for y in years]),
            "period_end": pd.to_datetime([f"{y}-08-31" for y in years]),
            "value": np.array(values, dtype=float),
            "se_total": se,
            "status": status,
            "flags": flags or [""] * len(values),
        }
    )


def test_change_uses_both_errors():
    # 70 to 75 with errors 2 and 2: half-width 1.6449 x sqrt(8) = 4.652, so 0.348 to 9.652
    found = change_since(series([70, 71, 75], se=2.0), indicator=made())
    assert (found.direction, found.since) == ("higher", "2017/18")
    assert (found.change, found.lower, found.upper) == pytest.approx((5, 0.348, 9.652), abs=0.001)
    # half a point less and the interval takes in zero: 4.5 - 4.652
    assert change_since(series([70.5, 71, 75], se=2.0), indicator=made()).direction == "no clear change"
    assert change_since(series([75, 71, 68], se=2.0), indicator=made()).direction == "lower"


def test_no_change_is_told_across_a_break():
    history = series([50, 50, 70, 70.5])
    broken = made(breaks=(Break(period="2019/20", reason="new framework"),))
    assert list(segments(history, breaks=["2019/20"])) == [0, 0, 1, 1]
    assert change_since(history, indicator=made()).direction == "higher"
    found = change_since(history, indicator=broken)
    assert (found.direction, found.since) == ("no clear change", "2019/20")
    flagged = series([50, 50, 70, 70.5], flags=["", "", "break_before;revised", ""])
    assert change_since(flagged, indicator=made()).since == "2019/20"
    last = change_since(series([50, 50, 70]), indicator=made(breaks=(Break(period="2019/20", reason="new"),)))
    assert (last.direction, last.reason) == ("not compared", "the series breaks in between")


def test_pooled_years_that_overlap_are_not_compared():
    history = series([50, 60, 70, 80, 90])
    history["period_start"] = history["period_start"] - pd.DateOffset(years=2)
    # the figure of 2022 counts 2019/20 to 2021/22: those of 2020 and 2021 share years with it, 2018 and 2019 do not
    assert change_since(history, indicator=made()).since == "2017/18"
    assert change_since(history.iloc[1:], indicator=made()).since == "2018/19"
    assert change_since(history.iloc[-3:], indicator=made()).direction == "not compared"


def test_inherited_figures_make_no_trend():
    history = series([50, 60, 70])
    history.loc[:1, "status"] = "inherited"
    assert change_since(history, indicator=made()).direction == "not compared"


def test_unknown_errors_give_no_direction():
    found = change_since(series([50, 90], se=np.nan), indicator=made())
    assert found.direction == "not compared"
    assert "not known" in found.reason


def test_looking_back_stops_after_some_years():
    history = series([50, 60, 61, 62, 63, 64, 65])
    assert change_since(history, indicator=made(), years=5).since == "2018/19"
    assert change_since(history, indicator=made(), years=1).since == "2022/23"
