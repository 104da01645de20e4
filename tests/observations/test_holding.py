"""Do the bands hold: what is counted, on figures whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.observations.holding import COLUMNS, bands_held, held_out_bands, held_text

AREAS = [f"E06{i:06d}" for i in range(100, 250)]
YEARS = range(2010, 2019)


@pytest.fixture
def steady(framework, indicator):
    return framework(indicator("a", scale="identity"))


def simulate(observations, *, spread, seed=1, **columns):
    """150 areas about their own level, moved each year by ``spread[year]`` and a national drift."""
    rng = np.random.default_rng(seed)
    level = rng.normal(50, 4, len(AREAS))
    value = np.stack([level + 0.3 * i + rng.normal(0, spread(year), len(AREAS)) for i, year in enumerate(YEARS)])
    return observations(
        indicator_id=["a"] * value.size,
        area_code=np.tile(AREAS, len(YEARS)),
        period=[str(y) for y in YEARS for _ in AREAS],
        value=value.ravel(),
        se_sampling=0.0,
        **columns,
    )


def test_bands_of_a_steady_series_hold_as_stated(steady, observations):
    row = bands_held(simulate(observations, spread=lambda _: 1.0), framework=steady).loc["a"]
    # Seven years of 150; neighbouring years share a figure, so the share's error is about .013.
    assert row["band_held"] == pytest.approx(0.9, abs=0.03)
    assert row["band_tested"] == 7 * len(AREAS)
    assert row["band_verdict"] == "as stated"


def test_one_lively_year_is_counted_and_named(steady, observations):
    table = bands_held(simulate(observations, spread=lambda y: 4.0 if y == 2015 else 1.0), framework=steady)
    row = table.loc["a"]
    assert row["band_verdict"] == "fewer"
    # The step into 2015: the band is 1.645 root 2 wide, the change has sd root 17: 2 Phi(.564) - 1 = .427.
    assert row["band_worst"] == pytest.approx(0.427, abs=0.1)
    assert row["band_worst_period"] == "2015"
    told = held_text(table, names={"a": "a"})
    assert "0 of 1 indicators" in told
    assert "held fewer than that: a (" in told
    assert "in 2015)" in told


def test_a_series_that_calms_down_has_bands_that_hold_more(steady, observations):
    row = bands_held(simulate(observations, spread=lambda y: 4.0 if y < 2013 else 0.2), framework=steady).loc["a"]
    assert row["band_verdict"] == "more"


def test_too_few_held_out_figures_are_not_judged(steady, observations):
    obs = simulate(observations, spread=lambda _: 1.0)
    early = obs[obs["period_end"].dt.year <= 2011]
    table = bands_held(early, framework=steady)
    assert table.loc["a", "band_verdict"] == "not tested"
    assert table.loc["a", "band_tested"] == 0
    assert np.isnan(table.loc["a", "band_held"])
    assert list(table.columns) == list(COLUMNS)
    assert "1 could not be tested" in held_text(table, names={"a": "a"})


def test_a_band_knows_nothing_later_than_the_year_it_starts_from(steady, observations):
    obs = simulate(observations, spread=lambda _: 1.0)
    late = obs["period_end"].dt.year >= 2017
    wild = obs.assign(
        value=obs["value"].where(~late, obs["value"] * np.random.default_rng(2).uniform(0.5, 2, len(obs)))
    )
    before, after = (held_out_bands(x, framework=steady).query("year < 2016") for x in (obs, wild))
    pd.testing.assert_frame_equal(before, after)


def test_only_authorities_figures_of_all_children_are_held_out(steady, observations):
    obs = simulate(observations, spread=lambda _: 1.0)
    noise = obs.assign(value=np.random.default_rng(3).normal(50, 40, len(obs)))
    others = [
        noise.assign(group_type="sex", group="female"),
        noise.assign(area_code=noise["area_code"].str.replace("E06", "E07")),
        noise.assign(area_code=noise["area_code"].str.replace("E06", "E08"), status="inherited"),
    ]
    with_others = bands_held(pd.concat([obs, *others], ignore_index=True), framework=steady)
    pd.testing.assert_frame_equal(with_others, bands_held(obs, framework=steady))
