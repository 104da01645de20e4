"""Suppressed counts are bounded by their publisher's rule, never worked out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.observations.disclosure import censored_bounds, rule_of


@pytest.fixture
def fw(framework, indicator):
    return framework(
        indicator("rate", form="rate", scale="log", per=10_000.0, sampling={"model": "byar"}),
        indicator("few", form="proportion"),
        indicator("most", form="proportion"),
        indicator("cohort", form="rate", per=1000.0, sampling={"model": "cohort_rate", "cohort_share": 0.05}),
    )


@pytest.fixture
def obs(observations):
    names = ["rate", "few", "most", "cohort"]
    return observations(
        indicator_id=names * 2,
        area_code=["E06000001"] * 4 + ["E06000002"] * 4,
        value=[12.0, 8.0, 95.0, 2.0] + [np.nan] * 4,
        numerator=[24.0, 8.0, 95.0, np.nan] + [np.nan] * 4,
        denominator=[20_000.0, 100.0, 100.0, np.nan, 20_000.0, 40.0, 40.0, np.nan],
        status=["published"] * 4 + ["suppressed"] * 4,
        source_id=["fingertips_90284", "ees_d3", "ees_d3", "lait"] * 2,
    )


def test_rules_of_the_publishers():
    assert rule_of("fingertips_90284") == (1, 7)
    assert rule_of("ees_b1_children_in_need") == (1, 5)


def test_ranges_in_natural_units(fw, obs):
    population = pd.Series({("E06000002", 2024): 40_000.0})
    bounds = censored_bounds(obs, framework=fw, population=population).set_index("indicator_id")
    assert len(bounds) == 4
    # OHID: 1 to 7 of 20,000, per 10,000
    assert bounds.loc["rate", ["lower", "upper"]].tolist() == pytest.approx([0.5, 3.5])
    # DfE: 1 to 5 of 40 with; where most have the outcome, 1 to 5 of 40 without
    assert bounds.loc["few", ["lower", "upper", "side"]].tolist() == pytest.approx([2.5, 12.5, "few_with"])
    assert bounds.loc["most", ["lower", "upper", "side"]].tolist() == pytest.approx([87.5, 97.5, "few_without"])
    # no denominator: 5 % of 40,000 children
    assert bounds.loc["cohort", ["lower", "upper"]].tolist() == pytest.approx([0.5, 2.5])
    assert bounds.loc["cohort", "denominator"] == 2000.0


def test_an_unknown_denominator_gives_no_range_but_the_counts(fw, obs):
    bounds = censored_bounds(obs.assign(denominator=np.nan), framework=fw)
    assert bounds[["lower", "upper"]].isna().all(axis=None)
    assert bounds["count_high"].tolist() == [7.0, 5.0, 5.0, 5.0]
    named = censored_bounds(obs, framework=fw, rules={"lait": (1, 2)})
    assert named["count_high"].tolist() == [7.0, 5.0, 5.0, 2.0]


def test_nothing_is_worked_out_from_other_cells(fw, obs):
    # England's total less the published cells would give the suppressed one away: it must change nothing.
    england = obs[obs["area_code"] == "E06000001"].assign(area_code="E92000001", numerator=27.0)
    alone = censored_bounds(obs, framework=fw)
    beside = censored_bounds(pd.concat([obs, england], ignore_index=True), framework=fw)
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), beside.reset_index(drop=True))


def test_a_share_never_leaves_0_to_100(fw, obs):
    tiny = obs.assign(denominator=obs["denominator"].where(obs["indicator_id"] == "rate", 3.0))
    bounds = censored_bounds(tiny, framework=fw).set_index("indicator_id").loc[["few", "most"]]
    assert bounds["lower"].between(0, 100).all()
    assert bounds["upper"].between(0, 100).all()
    assert (bounds["lower"] <= bounds["upper"]).all()


def test_real_suppressed_cells(published):
    obs, framework = published
    bounds = censored_bounds(obs, framework=framework)
    assert len(bounds) == (obs["status"] == "suppressed").sum() > 1000
    known = bounds.dropna(subset=["lower"])
    assert len(known) > 500
    assert (known["lower"] <= known["upper"]).all()
    assert (known["lower"] >= 0).all()
