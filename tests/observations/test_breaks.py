"""Declared breaks are marked, and periods either side of one are not compared."""

from __future__ import annotations

import pytest

from outcomes_analysis.errors import FrameworkError, PeriodError
from outcomes_analysis.observations.breaks import break_years, comparable, mark_breaks


@pytest.fixture
def fw(framework, indicator):
    return framework(indicator("gld", breaks=({"period": "2021/22", "reason": "profile revised"},)), indicator("other"))


@pytest.fixture
def obs(observations):
    return observations(
        kind="academic",
        indicator_id=["gld"] * 6 + ["other"],
        area_code=["E06000001"] * 4 + ["E06000002", "E06000003", "E06000001"],
        period=["2022/23", "2018/19", "2021/22", "2017/18", "2021/22", "2022/23", "2021/22"],
        value=[67.2, 71.8, 65.2, 71.5, 66.0, 60.0, 50.0],
        flags=["", "", "revised", "", "", "", ""],
    )


def test_breaks_by_analysis_year(fw):
    assert break_years(fw) == [("gld", 2022)]


def test_the_first_figure_after_a_break_is_flagged(fw, obs):
    marked = mark_breaks(obs, framework=fw)
    # The second and third areas' series begin after the break: nothing lies before it.
    assert marked["flags"].tolist() == ["", "", "break_before;revised", "", "", "", ""]
    assert obs["flags"].tolist()[2] == "revised"


def test_a_gap_at_the_break_moves_the_mark_on(fw, obs):
    gap = obs.assign(value=obs["value"].where(obs.index != 2), status=obs["status"].where(obs.index != 2, "suppressed"))
    assert mark_breaks(gap, framework=fw)["flags"].tolist()[:3] == ["break_before", "", "revised"]


def test_groups_are_series_of_their_own(fw, obs):
    girls = obs.assign(group_type="sex", group="female")
    both = mark_breaks(girls.iloc[[0, 1]], framework=fw)
    assert both["flags"].tolist() == ["break_before", ""]


def test_comparable(fw, obs):
    ask = {"framework": fw, "indicator": "gld"}
    assert comparable(obs, a="2017/18", b="2018/19", **ask)
    assert comparable(obs, a="2021/22", b="2022/23", **ask)
    assert not comparable(obs, a="2018/19", b="2021/22", **ask)
    assert not comparable(obs, a="2022/23", b="2018/19", **ask)  # in either order
    with pytest.raises(PeriodError, match=r"'gld' has no figures for 2019/20. It has: 2017/18"):
        comparable(obs, a="2019/20", b="2018/19", **ask)
    with pytest.raises(FrameworkError, match="No indicator 'gdl'"):
        comparable(obs, framework=fw, indicator="gdl", a="2017/18", b="2018/19")


def test_pooled_and_single_years_are_not_compared(fw, observations):
    obs = observations(
        kind="academic", indicator_id=["gld"] * 2, period=["2022/23", "2022/23 - 24/25"], value=[1.0, 2.0]
    )
    assert not comparable(obs, framework=fw, indicator="gld", a="2022/23", b="2022/23-24/25")


def test_real_breaks_bar_the_pair_of_years(published):
    obs, framework = published
    marked = mark_breaks(obs, framework=framework)
    gld = marked[(marked["indicator_id"] == "gld_pct") & (marked["group_type"] == "all")]
    flagged = gld[gld["flags"].str.contains("break_before")]
    assert set(flagged["period"]) == {"2021/22"}
    assert len(flagged) > 140
    assert not comparable(obs, framework=framework, indicator="gld_pct", a="2018/19", b="2022/23")
