"""Year-to-year variance: known truth comes back, and real held-out years fall where the bands say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.observations.holding import held_out_bands
from outcomes_analysis.observations.intervals import sampling_errors, wilson, z_of
from outcomes_analysis.observations.yearly import (
    PANDEMIC_YEARS,
    TOO_SMALL,
    add_total_errors,
    next_year_band,
    year_to_year,
)

AREAS = [f"E06{i:06d}" for i in range(100, 250)]


def simulate(observations, *, tau, s=0.3, years=range(2010, 2020), seed=1, drift=0.2, **columns):
    """Figures of 150 areas on the identity scale: level + drift + a year's noise + sampling error."""
    rng = np.random.default_rng(seed)
    years = list(years)
    level = rng.normal(50, 4, len(AREAS))
    noise = rng.normal(0, np.hypot(tau, s), (len(years), len(AREAS)))
    value = level + drift * np.arange(len(years))[:, None] + noise
    return observations(
        indicator_id=["a"] * value.size,
        area_code=np.tile(AREAS, len(years)),
        period=[str(y) for y in years for _ in AREAS],
        value=value.ravel(),
        se_sampling=s,
        **columns,
    )


@pytest.fixture
def plain(framework, indicator):
    return framework(indicator("a", scale="identity"))


@pytest.mark.parametrize("tau", [0.0, 0.2, 1.0])
def test_a_known_spread_comes_back(plain, observations, tau):
    found = [
        year_to_year(simulate(observations, tau=tau, seed=seed), framework=plain).loc["a", "sd"] for seed in range(8)
    ]
    # Eight runs of nine times 150 changes. The 90th centile of a change's square has a relative error of about
    # 5 % a run; what is left after taking off sampling (.3² each year) is noisier the smaller tau is.
    assert np.mean(found) == pytest.approx(tau, abs=0.1 if tau < 0.5 else 0.03)


def test_bands_hold_ninety_in_a_hundred_even_with_heavy_tails(plain, observations):
    rng = np.random.default_rng(3)
    obs = simulate(observations, tau=0.0, s=0.2, years=range(2010, 2020))
    obs["value"] += rng.standard_t(3, len(obs)) * 0.5
    past = year_to_year(obs, framework=plain, until=2018)
    band = next_year_band(obs, past, framework=plain)
    last = band[band["year"] == 2018]
    # 150 areas: the share inside has a standard error of .025.
    assert last["inside"].mean() == pytest.approx(0.9, abs=0.06)
    assert band["inside"].mean() == pytest.approx(0.9, abs=0.02)


def test_what_may_not_set_a_spread_is_left_out(framework, indicator, observations):
    fw = framework(indicator("a", scale="identity", breaks=({"period": "2015", "reason": "new definition"},)))
    obs = simulate(observations, tau=0.5, years=range(2013, 2024))
    wild = np.random.default_rng(4).normal(0, 50, len(obs))
    year = obs["period_end"].dt.year
    obs.loc[year >= 2015, "value"] += wild[: len(AREAS)].tolist() * int((year >= 2015).sum() / len(AREAS))
    obs.loc[year.isin(PANDEMIC_YEARS), "value"] += wild[year.isin(PANDEMIC_YEARS)]
    other = obs[obs["area_code"].isin(AREAS[:9])].assign(value=lambda t: t["value"] + wild[: len(t)])
    codes = dict(zip(AREAS[:9], [*TOO_SMALL, "E12000001", "E92000001", "E07000001", *"abcd"], strict=True))
    apart = other.assign(area_code=other["area_code"].map(codes))
    inherited = other.assign(area_code=other["area_code"].str.replace("E06", "E08"), status="inherited")
    groups = other.assign(group_type="sex", group="female")
    table = year_to_year(pd.concat([obs, apart, inherited, groups], ignore_index=True), framework=fw)
    # 2013-14, then 2015-16 to 2018-19, then 2022-23: six pairs of years of 150 areas; 2014-15 lies across the break.
    assert table.loc["a", "n_years"] == 6
    assert table.loc["a", "n_pairs"] == 6 * 150
    assert table.loc["a", "sd"] == pytest.approx(0.5, abs=0.1)
    assert table.loc["a", "method"] == "own"


def test_until_uses_nothing_later(plain, observations):
    obs = simulate(observations, tau=0.5)
    late = obs["period_end"].dt.year > 2015
    wild = obs.assign(value=obs["value"].where(~late, obs["value"] * 10))
    known = year_to_year(obs[~late], framework=plain)
    pd.testing.assert_frame_equal(year_to_year(wild, framework=plain, until=2015), known)


def test_recent_years_count_more(plain, observations):
    calm = simulate(observations, tau=0.2, years=range(2008, 2014))
    lively = simulate(observations, tau=1.0, years=range(2014, 2020), seed=2)
    lively["value"] += calm["value"].mean() - lively["value"].mean()
    both = pd.concat([calm, lively], ignore_index=True)
    forwards = year_to_year(both, framework=plain).loc["a", "sd"]
    backwards = both.assign(
        period_start=both["period_start"].map(lambda d: d.replace(year=4027 - d.year)),
        period_end=both["period_end"].map(lambda d: d.replace(year=4027 - d.year)),
    )
    assert forwards > year_to_year(backwards, framework=plain).loc["a", "sd"] + 0.1


def test_pooled_windows_are_compared_without_overlap(plain, observations):
    years = range(2008, 2020)
    single = simulate(observations, tau=0.6, s=0.0, years=years, drift=0.0)
    wide = single["value"].to_numpy().reshape(len(years), -1)
    pooled = (wide[:-2] + wide[1:-1] + wide[2:]) / 3
    obs = observations(
        indicator_id=["a"] * pooled.size,
        area_code=np.tile(AREAS, len(pooled)),
        period=[f"{y}-{(y + 2) % 100:02d}" for y in years[:-2] for _ in AREAS],
        value=pooled.ravel(),
        se_sampling=0.0,
    )
    table = year_to_year(obs, framework=plain)
    assert table.loc["a", "gap"] == 3
    # Noise of a mean of three years: .6 over root 3.
    assert table.loc["a", "sd"] == pytest.approx(0.6 / np.sqrt(3), abs=0.03)
    band = next_year_band(obs, table, framework=plain)
    # Next year's window shares two years with this one: only one year in and one out move it.
    assert (band["upper"] - band["lower"]).mean() == pytest.approx(2 * 1.645 * np.sqrt(2) * 0.6 / 3, rel=0.1)
    assert band["inside"].mean() == pytest.approx(0.9, abs=0.02)


def test_surveys_every_second_year_are_compared_over_two(plain, observations):
    obs = simulate(observations, tau=0.5, years=[2009, 2011, 2013, 2015, 2017])
    table = year_to_year(obs, framework=plain)
    assert table.loc["a", ["gap", "n_years"]].tolist() == [2, 4]
    assert table.loc["a", "sd"] == pytest.approx(0.5, abs=0.08)


def test_without_two_years_the_spread_is_borrowed(framework, indicator, observations):
    fw = framework(*[indicator(name, scale="identity") for name in "abc"])
    one = simulate(observations, tau=0.5, years=[2019]).assign(indicator_id="b")
    one["value"] = 2 * one["value"]
    many = simulate(observations, tau=0.5)
    nothing = one.assign(indicator_id="c", value=np.nan, status="not_available")
    table = year_to_year(pd.concat([many, one, nothing], ignore_index=True), framework=fw)
    assert table["method"].tolist() == ["own", "borrowed", "none"]
    ratio = table["sd"] / table["spread"]
    assert ratio["b"] == pytest.approx(ratio["a"])
    assert np.isnan(table.loc["c", "sd"])


def test_total_errors_add_both_variances_in_natural_units(framework, indicator, observations):
    fw = framework(indicator("a"), indicator("b"))
    yearly = pd.DataFrame({"sd": {"a": 0.2, "b": np.nan}})
    obs = observations(
        indicator_id=["a", "a", "a", "a", "b", "b"],
        area_code=["E06000001", "E92000001", "E06000002", "E06000003", "E06000001", "E06000002"],
        value=[20.0, 20.0, 20.0, np.nan, 20.0, 20.0],
        se_sampling=[1.0, 0.0, np.nan, np.nan, 1.5, np.nan],
        status=["published"] * 3 + ["suppressed", "published", "published"],
    )
    total = add_total_errors(obs, yearly, framework=fw)["se_total"]
    tau = 0.2 * 100 * 0.2 * 0.8  # on the percentage scale at 20 %
    assert total[0] == pytest.approx(np.hypot(1.0, tau))
    assert total[1] == pytest.approx(tau / np.sqrt(151))  # England: noise of 151 authorities evens out
    assert total[2] == pytest.approx(tau)
    assert np.isnan(total[3])
    assert total[4] == pytest.approx(1.5)
    assert np.isnan(total[5])


def test_the_band_by_hand(framework, indicator, observations):
    fw = framework(indicator("a", scale="identity", breaks=({"period": "2019", "reason": "redefined"},)))
    obs = observations(
        indicator_id=["a"] * 9,
        area_code=[f"E0600000{i}" for i in (1, 2, 3)] * 3,
        period=["2017"] * 3 + ["2018"] * 3 + ["2019"] * 3,
        value=[10.0, 20.0, 30.0, 11.0, 21.5, 38.0, 90.0, 91.0, 92.0],
        se_sampling=[3.0] * 9,
    )
    band = next_year_band(obs, pd.DataFrame({"sd": {"a": 4.0}}), framework=fw)
    first = band[band["year"] == 2017]
    assert first["drift"].tolist() == [1.5] * 3  # the median of 1, 1.5 and 8
    assert first["estimate"].tolist() == [11.5, 21.5, 31.5]
    assert (first["upper"] - first["estimate"]).to_numpy() == pytest.approx(1.6448536 * np.sqrt(2 * (9 + 16)))
    assert first["inside"].tolist() == [True, True, True]
    narrow = next_year_band(obs, pd.DataFrame({"sd": {"a": 0.0}}), framework=fw, level=0.8)
    assert narrow[narrow["year"] == 2017]["inside"].tolist() == [True, True, False]  # 6.5 off, 5.4 allowed
    across = band[band["year"] == 2018]  # the next year is published, but after a break
    assert across["inside"].isna().all()
    assert across["next_value"].isna().all()
    assert (across["drift"] == 0).all()


# --------------------------------------------------------------------------------------------- real held-out years


@pytest.fixture(scope="module")
def bands(published):
    """For each year, bands from what was known by then, beside the next year's figures."""
    obs, framework = published
    return held_out_bands(obs, framework=framework)


# What truly moved otherwise than before, seen in the figures: absence of 2021/22 fell back unevenly in 2022/23
# (46 to 60 % inside that year, 87 to 93 % in every other); the 2-year review's coverage (reporting was made up in
# its first years) and funded places for 2-year-olds calmed down, so that their bands are too wide.
REAL_CHANGE = {"absence_overall", "persistent_absence", "asq3_coverage", "takeup_2yo"}


def test_held_out_years_fall_within_the_bands(bands):
    inside = bands.groupby("indicator_id")["inside"].agg(["mean", "size"]).astype(float)
    # Errors have three digits in the release, which can tip one case at a band's edge (164 or 165 of 193).
    missed = inside[~(inside["mean"] * inside["size"] + 1).ge(0.85 * inside["size"]) | inside["mean"].gt(0.95)]
    told = ", ".join(f"{name} {row['mean']:.3f} ({row['size']:.0f})" for name, row in missed.iterrows())
    print(f"\n{len(inside)} indicators tested on held-out years; outside 85-95 %: {told}")
    assert len(inside) >= 85
    # Measured: 91 of 95. Nothing fails but for the reasons given above, and nothing fails badly.
    assert set(missed.index) <= REAL_CHANGE, told
    assert inside["mean"].between(0.8, 0.98).all(), told
    assert inside["mean"].mean() == pytest.approx(0.905, abs=0.015)


def test_small_and_large_authorities_are_both_covered(published, bands):
    obs, _ = published
    people = obs[obs["indicator_id"] == "pop_0_17"].groupby("area_code")["value"].mean()
    third = pd.qcut(bands["area_code"].map(people), 3, labels=["small", "middle", "large"])
    covered = bands["inside"].astype(float).groupby(third, observed=True).mean()
    # Sampling error takes care of size in the main: measured .890, .904, .919.
    assert covered.between(0.87, 0.94).all(), covered.to_dict()


def test_rereferrals_leave_a_sampling_only_band_in_most_authorities(published):
    obs, framework = published
    mine = obs[(obs["indicator_id"] == "rereferral_pct") & (obs["group_type"] == "all")]
    mine = mine[mine["area_code"].str[:3].isin(["E06", "E08", "E09", "E10"]) & ~mine["area_code"].isin(TOO_SMALL)]
    share = mine["value"] / 100
    plain = mine.assign(se_sampling=100 * np.sqrt(share * (1 - share) / mine["denominator"]))
    band = next_year_band(plain, pd.DataFrame({"sd": {"rereferral_pct": 0.0}}), framework=framework)
    band = band[~band["year"].isin([*PANDEMIC_YEARS, 2019]) & band["inside"].notna()]
    leave = 1 - band["inside"].astype(float).groupby(band["year"]).mean()
    # Binomial error alone: 60 to 74 % of authorities leave the 90 % band, as found elsewhere on the same figures
    # (here 68 to 75 before the pandemic, 54 to 58 since); 10 % should.
    assert leave[leave.index < 2019].between(0.6, 0.76).all(), leave.to_dict()
    assert leave.between(0.5, 0.76).all(), leave.to_dict()


def test_the_published_interval_of_a_share_agrees_with_its_error(published):
    obs, framework = published
    mine = obs[(obs["indicator_id"] == "cpp_repeat_pct") & (obs["denominator"] > 0) & obs["value"].between(10, 40)]
    lower, upper = wilson(mine["value"] / 100 * mine["denominator"], mine["denominator"], level=0.9)
    # Error and bounds tell the same: half the width over z, a few per cent apart since Wilson's is not symmetric.
    ratio = 100 * (upper - lower) / (2 * z_of(0.9)) / mine["se_sampling"]
    assert ratio.quantile([0.05, 0.5, 0.95]).between(0.9, 1.03).all()
    again = sampling_errors(mine, framework=framework)
    assert again["lower"].to_numpy() == pytest.approx(100 * lower, rel=0.01)
