"""Fit-for-purpose cards: known answers on made-up figures, sane ones on the release."""

import numpy as np
import pandas as pd
import pytest

import outcomes_analysis as oa
from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FrameworkError, ObservationsError, SpecError
from outcomes_analysis.index import fitness
from outcomes_analysis.index.judging.purpose import USES, Thresholds

Z = 1.6448536269514722  # of a two-sided 90 % interval


@pytest.fixture(scope="module")
def result(observations, framework):
    return fitness(observations, framework=framework)


@pytest.fixture(scope="module")
def cards(result):
    return result.table.set_index("indicator_id")


def made_up(framework, *, signal, noise, indicator="attainment8", years=(2024, 2025), seed=1):
    """Figures of an indicator on an identity scale, with a known spread and a known error."""
    codes = upper_tier(ranked_only=True).index
    rng = np.random.default_rng(seed)
    truth = 45 + signal * rng.normal(size=len(codes))
    frames = []
    for year in years:
        frames.append(
            pd.DataFrame(
                {
                    "indicator_id": indicator,
                    "area_code": [*codes, "E92000001"],
                    "period": f"{year - 1}/{year % 100}",
                    "group_type": "all",
                    "group": "all",
                    "period_start": pd.Timestamp(f"{year - 1}-09-01"),
                    "period_end": pd.Timestamp(f"{year}-08-31"),
                    "value": [*(truth + noise * rng.normal(size=len(codes))), 45.0],
                    "se_total": [*[noise] * len(codes), 0.0],
                    "denominator": np.nan,
                    "status": "published",
                    "flags": "",
                    "source_id": "local",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_reliability_is_signal_over_total(framework):
    values = [
        fitness(made_up(framework, signal=2.0, noise=1.0, seed=s), framework=framework).table.at[0, "reliability"]
        for s in range(10)
    ]
    # 4 / 5; each of ten sets of 151 places gives it with an error of about .03.
    assert np.mean(values) == pytest.approx(0.8, abs=0.03)


def test_pairs_that_differ_are_those_of_the_formula(framework):
    obs = made_up(framework, signal=3.0, noise=1.0)
    found = fitness(obs, framework=framework).table.iloc[0]
    x = obs[(obs["period"] == "2024/25") & (obs["area_code"] != "E92000001")]["value"].to_numpy()
    pairs = [abs(a - b) > Z * np.sqrt(2) for i, a in enumerate(x) for b in x[i + 1 :]]
    assert found["pairs_differ"] == pytest.approx(np.mean(pairs), abs=1e-9)
    assert found["differ_from_england"] == pytest.approx(np.mean(np.abs(x - 45) > Z), abs=1e-9)


def test_smallest_change_is_z_root_two_errors(framework):
    found = fitness(made_up(framework, signal=3.0, noise=0.5), framework=framework).table.iloc[0]
    assert found["smallest_change"] == pytest.approx(Z * np.sqrt(2) * 0.5, rel=1e-4)
    assert found["smallest_change_sd"] == pytest.approx(found["smallest_change"] / 3.0, rel=0.15)


def test_noise_alone_bears_nothing_and_signal_alone_everything(framework):
    noise = fitness(made_up(framework, signal=0.0, noise=1.0), framework=framework).table.iloc[0]
    assert noise["reliability"] < 0.2
    assert not any(noise[f"use_{use}"] for use in USES)
    clear = fitness(made_up(framework, signal=3.0, noise=0.2), framework=framework).table.iloc[0]
    assert all(clear[f"use_{use}"] for use in USES)


def test_missing_suppressed_and_inherited_are_left_out_and_named(framework):
    obs = made_up(framework, signal=3.0, noise=0.2)
    latest = obs.index[obs["period"] == "2024/25"]
    obs.loc[latest[:20], ["value", "status"]] = [np.nan, "suppressed"]
    obs.loc[latest[20:23], "status"] = "inherited"
    found = fitness(obs, framework=framework)
    card = found.table.iloc[0]
    assert (card["n_missing"], card["n_suppressed"], card["n_inherited"]) == (23, 20, 3)
    assert not card["use_rank"]
    assert "85% of authorities have a figure" in card["withheld_rank"]
    assert "20 of them suppressed" in found.cards["attainment8"]
    assert "and 18 more" in card["left_out"]


def test_a_break_between_the_years_withholds_the_verdict_on_change(framework):
    assert "2022/23" in {b.period for b in framework.indicator("attainment8").breaks}
    obs = made_up(framework, signal=3.0, noise=0.2, years=(2022, 2023))
    card = fitness(obs, framework=framework).table.iloc[0]
    assert card["previous"] == ""
    assert not card["use_change"]
    assert "no earlier figure is comparable" in card["withheld_change"]
    assert card["use_rank"]


def test_all_cards_are_judged_on_one_day_whatever_the_date_of_their_files(observations, framework, cards):
    """Periods that end on the same day lie the same time back, though their publishers' files are of different dates."""
    day = pd.Timestamp(observations.attrs["data_as_at"])
    assert set(cards["judged_at"]) == {observations.attrs["data_as_at"]}
    assert cards["data_as_at"].nunique() > 3
    ends = observations.drop_duplicates(["indicator_id", "period"]).set_index(["indicator_id", "period"])["period_end"]
    for name, card in cards.iterrows():
        end = ends[name, card["period"]]
        assert card["lag_months"] == pytest.approx((day - end).days / (365.25 / 12), abs=1e-9)
    alone = fitness(observations, framework=framework, indicator="gld_pct")
    assert alone.table.at[0, "lag_months"] == cards.at["gld_pct", "lag_months"]
    assert "before 29 June 2026." in alone.cards["gld_pct"]


def test_figures_that_are_not_a_year_apart_bear_no_verdict_on_a_year(cards, framework):
    """Road casualties: 2018-20 and 2020-22 are two years apart and share one."""
    roads = cards.loc["ksi_0_15"]
    assert (roads["previous"], roads["years_apart"], roads["window_years"]) == ("2018-20", 2, 3)
    assert not roads["use_change"]
    assert "are of 3 years each, are 2 years apart and overlap" in roads["withheld_change"]
    pooled = cards.loc["alcohol_adm_u18"]  # three years pooled as well, but each year anew
    assert (pooled["years_apart"], pooled["window_years"]) == (1, 3)
    assert "apart" not in pooled["withheld_change"]
    gap = fitness(made_up(framework, signal=3.0, noise=0.2, years=(2023, 2025)), framework=framework).table.iloc[0]
    assert "2 years apart, so that no change in a year" in gap["withheld_change"]
    assert gap["use_rank"]


def test_an_override_is_named(observations, framework):
    found = fitness(observations, framework=framework, indicator="cpp_repeat_pct", allow={"cpp_repeat_pct": ["rank"]})
    assert found.bears("cpp_repeat_pct", "rank")
    assert not found.bears("cpp_repeat_pct", "change")
    assert found.table.at[0, "overridden"] == "rank"
    assert "by override" in found.cards["cpp_repeat_pct"]
    assert "By override" in found.text
    plain = fitness(observations, framework=framework, indicator="attainment8", allow={"attainment8": ["rank"]})
    assert plain.table.at[0, "overridden"] == ""  # nothing to override


# ------------------------------------------------------------------------------------------------- the release


def test_repeat_plans_are_mostly_noise_and_attainment_8_is_not(cards):
    assert cards.at["cpp_repeat_pct", "reliability"] < 0.5  # year-to-year correlation .45 in domain.md 9.1
    assert cards.at["attainment8", "reliability"] > 0.95
    assert cards.at["cpp_repeat_pct", "pairs_differ"] < 0.3 < 0.7 < cards.at["attainment8", "pairs_differ"]
    assert cards.loc["attainment8", ["use_rank", "use_change", "use_england"]].all()
    assert not cards.at["cpp_repeat_pct", "use_rank"]
    assert not cards.at["cpp_repeat_pct", "use_england"]


def test_reliability_goes_with_the_correlation_of_two_years(cards, observations):
    """Two years' figures of one place share the signal: their correlation is a second look at reliability."""
    from outcomes_analysis.observations.scales import on_scale

    ranked = upper_tier(ranked_only=True).index
    plain = observations[(observations["group_type"] == "all") & observations["area_code"].isin(ranked)]
    framework = oa.load_framework()
    pairs = []
    for name in ("attainment8", "cpp_repeat_pct", "rereferral_pct", "lac_sdq_mean", "gld_pct", "adult_happiness"):
        card = cards.loc[name]
        wide = plain[plain["indicator_id"] == name].pivot(index="area_code", columns="period", values="value")
        two = wide[[card["previous"], card["period"]]].dropna()
        scaled = [on_scale(two[[c]].set_axis([name], axis=1), framework=framework)[name] for c in two]
        pairs.append((card["reliability"], scaled[0].corr(scaled[1])))
    found = np.array(pairs)
    assert np.corrcoef(found.T)[0, 1] > 0.9
    assert np.abs(found[:, 0] - found[:, 1]).max() < 0.25


def test_disputed_and_neutral_directions_bear_neither_rank_nor_verdict(cards):
    sided = cards[(cards["contested"] != "") | (cards["direction"] == 0)]
    assert len(sided) > 30
    assert not sided["use_rank"].any()
    assert not sided["use_change"].any()
    assert "contested" in cards.at["susp_rate", "withheld_rank"]
    assert cards.at["susp_rate", "use_england"]
    assert not cards.at["pop_0_17", "use_england"]


def test_every_use_withheld_has_a_reason_and_every_card_its_text(result, cards):
    for use in USES:
        assert ((cards[f"withheld_{use}"] == "") == cards[f"use_{use}"]).all()
    assert set(result.cards) == set(cards.index)
    assert len(cards) > 90
    assert f"Of {len(cards)} indicators" in result.text
    for text in result.cards.values():
        assert "nan" not in text
        assert ".;" not in text
        assert ".." not in text


def test_stricter_thresholds_withhold_more(observations, framework, result):
    strict = fitness(observations, framework=framework, thresholds=Thresholds(reliability=0.9, change=0.5, england=0.5))
    for use in USES:
        assert strict.table[f"use_{use}"].sum() < result.table[f"use_{use}"].sum()
    assert strict.manifest.spec != result.manifest.spec


def test_what_is_unknown_is_named(observations, framework, result):
    with pytest.raises(FrameworkError, match="attainment8"):
        fitness(observations, framework=framework, indicator="attainment9")
    with pytest.raises(SpecError, match="league"):
        fitness(observations, framework=framework, indicator="attainment8", allow={"attainment8": ["league"]})
    with pytest.raises(SpecError, match="nothing"):
        result.bears("nothing", "rank")
    with pytest.raises(ObservationsError, match="attainment8"):
        fitness(observations.iloc[:0], framework=framework, indicator="attainment8")


def test_where_many_small_counts_are_hidden_those_shown_are_no_fair_sample(cards):
    """Of plans lasting two years, 1 to 5 are hidden: what is shown is 0 or much."""
    hidden = cards["n_suppressed"] / (cards["n_areas"] + cards["n_missing"])
    assert hidden["cpp_2yr_pct"] > 0.3
    assert "no fair sample" in cards.at["cpp_2yr_pct", "withheld_england"]
    assert not cards.at["cpp_2yr_pct", "use_england"]
    assert not cards.loc[hidden <= 0.1, "withheld_england"].str.contains("fair sample").any()
