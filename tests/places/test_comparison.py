"""Intervals and neighbours by hand, and trends that stop at a break."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.framework.model import Break, Indicator, Sampling
from outcomes_analysis.places.comparison import change_since, distance, neighbour_summary, segments, total_interval


def made(**more: object) -> Indicator:
    settings: dict[str, object] = {
        "id": "x", "name": "X", "definition": "X", "unit": "%", "direction": 1, "form": "proportion", "age_stage": "all",
        "geography_basis": "residence", "base_period": "2019", "source": "s", "decimals": 1, "cannot_tell": "Much.",
        "sampling": Sampling(model="none"), "max_age": 3,
    }  # fmt: skip
    return Indicator(**(settings | more))


def test_interval_is_even_on_the_indicators_own_scale():
    # logit of 90 % is ln 9 = 2.1972; its slope there 1 / (100 x .9 x .1) = 1/9; 1.6449 x 2 / 9 = .36552
    # back: 100 / (1 + exp(-(2.1972 -+ .36552))) = 86.197 and 92.844
    lower, upper = total_interval(90, 2, indicator=made(scale="logit"))
    assert (lower, upper) == pytest.approx((86.197, 92.844), abs=0.002)  # the hand arithmetic keeps four digits
    assert total_interval(90, 2, indicator=made()) == pytest.approx((90 - 3.2897, 90 + 3.2897), abs=1e-4)
    assert total_interval(2, 4, indicator=made()) == pytest.approx((0.0, 2 + 6.5794), abs=1e-4)  # no share below 0
    assert all(np.isnan(total_interval(90, np.nan, indicator=made())))


def test_a_share_of_all_children_has_no_interval_beyond_them():
    # counts that do not match bring an offer to 100.2 %, never an interval of 98.7 % beyond 100:
    # logit of 98.7 % is 4.3296; 1.6449 x 1.5 x 100 / (98.7 x 1.3) = 1.9229; back: 91.73 and 99.81
    offers = made(scale="identity", valid_range=(0, 101), decimals=2)
    assert total_interval(98.7, 1.5, indicator=offers) == pytest.approx((91.73, 99.81), abs=0.01)
    lower, upper = total_interval(100.2, 1.5, indicator=offers)
    assert lower < 100
    assert upper == 100.2  # as published
    # places taken up, of those thought entitled, can truly exceed 100 %
    places = made(scale="identity", valid_range=(0, 250))
    assert total_interval(99, 2, indicator=places)[1] == pytest.approx(99 + 3.2897, abs=1e-4)


@pytest.mark.parametrize("scale", ["identity", "logit", "log"])
def test_a_figure_is_as_many_errors_away_as_its_interval_says(scale):
    """Beyond z of a level just where the interval of that level leaves the comparator out, at every level."""
    indicator = made(scale=scale)
    rng = np.random.default_rng(7)
    sides = set()
    for value, error, comparator in zip(
        rng.uniform(2, 98, 200), rng.uniform(0.2, 6, 200), rng.uniform(2, 98, 200), strict=True
    ):
        apart = distance(value, error, comparator=comparator, indicator=indicator)
        assert np.sign(apart) == np.sign(value - comparator)
        for level, z in ((0.5, 0.67449), (0.9, 1.64485), (0.99, 2.57583)):
            lower, upper = total_interval(value, error, indicator=indicator, level=level)
            sides.add(out := not lower <= comparator <= upper)
            assert out == (abs(apart) > z)
    assert sides == {True, False}
    assert np.isnan(distance(50, np.nan, comparator=40, indicator=indicator))
    assert np.isnan(distance(50, 1, comparator=np.nan, indicator=indicator))


def test_neighbour_median_by_hand():
    values = pd.Series({"A": 1.0, "B": 10.0, "C": 20.0, "D": 40.0, "E": np.nan, "F": 5.0})
    pairs = pd.DataFrame({"area_code": ["A"] * 5 + ["B", "B"], "neighbour_code": ["B", "C", "D", "E", "A", "C", "E"]})
    # A's neighbours other than itself: B 10, C 20, D 40, E missing
    assert neighbour_summary(values, area="A", neighbours=pairs) == (20.0, 3, 4)
    found = neighbour_summary(values, area="B", neighbours=pairs)
    assert np.isnan(found.centre)  # one value is no median
    assert found[1:] == (1, 2)
    assert neighbour_summary(values, area="Z", neighbours=pairs)[1:] == (0, 0)
    # the simple mean: (10 + 20 + 40) / 3
    assert neighbour_summary(values, area="A", neighbours=pairs, statistic="mean").centre == pytest.approx(70 / 3)


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


def test_no_change_is_told_of_too_few_children():
    history = series([50, 60, 70])
    assert change_since(history, indicator=made()).direction == "higher"
    for few, reason in (({"ranked": False}, "too few children for a judgement"), ({}, "fewer than 30 children")):
        # 5 points of error at 70 % are those of 0.7 x 0.3 / 0.05^2 = 84 children, 9 points of 26
        told = change_since(history.assign(se_sampling=9.0 if not few else 1.0), indicator=made(), **few)
        assert told.direction == "not compared"
        assert reason in told.reason
        assert np.isnan(told.change)
    assert change_since(history.assign(se_sampling=5.0), indicator=made()).direction == "higher"


def test_year_to_year_variation_alone_tells_no_change():
    counted = made(sampling=Sampling(model="wilson"))
    told = change_since(series([50, 60, 70]).assign(se_sampling=np.nan), indicator=counted)
    assert (told.direction, told.reason) == (
        "not compared",
        "how many children are behind the figure is not known here",
    )


def test_unknown_errors_give_no_direction():
    found = change_since(series([50, 90], se=np.nan), indicator=made())
    assert found.direction == "not compared"
    assert "not known" in found.reason


def test_looking_back_stops_after_some_years():
    history = series([50, 60, 61, 62, 63, 64, 65])
    assert change_since(history, indicator=made(), years=5).since == "2018/19"
    assert change_since(history, indicator=made(), years=1).since == "2022/23"
