"""Verdicts by cases, how few is too few by hand, and the number of comparisons by the published example."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.framework.model import Indicator, Sampling
from outcomes_analysis.places.quantities import amount, difference, more_or_fewer, standing_words, when, year_words
from outcomes_analysis.places.verdicts import (
    controlled,
    kind_of,
    spread_between,
    standing,
    strands,
    too_few,
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
        (75, 69, 81, 70, 1, ("not clear", "above", "")),
        (75, 70, 80, 70, 1, ("not clear", "above", "")),  # the bound itself does not leave it out
        (70, 70, 70, 70, 1, ("not clear", "equal", "")),  # how far authorities lie apart is not known
        (75, 72, 78, 70, 0, ("position only", "above", "neither higher nor lower is better")),
        (75, np.nan, np.nan, 70, 1, ("position only", "above", "how sure the figure is, is not known")),
        (75, 72, 78, np.nan, 1, ("position only", "", "nothing of the same period to compare with")),
        (np.nan, np.nan, np.nan, 70, 1, ("no figure", "", "no figure for this place")),
    ],
)
def test_verdict(value, lower, upper, comparator, direction, expected):
    assert verdict(value=value, lower=lower, upper=upper, comparator=comparator, direction=direction) == expected


@pytest.mark.parametrize(
    ("lower", "upper", "spread", "kept", "expected"),
    [
        # authorities 8 apart, England 70: alike is 66 to 74
        (67, 73, 8, True, "similar"),
        (66, 74, 8, True, "similar"),
        (65.9, 73, 8, True, "not clear"),
        (67, 74.1, 8, True, "not clear"),
        (40, 99, 8, True, "not clear"),
        (67, 73, np.nan, True, "not clear"),
        # a clear difference is clear, however small, and is taken back by the number of comparisons alone
        (70.1, 71, 8, True, "above"),
        (69, 69.9, 8, True, "below"),
        (70.1, 71, 8, False, "not clear (many compared)"),
        (69, 69.9, 8, False, "not clear (many compared)"),
        (67, 73, 8, False, "similar"),
        (np.nan, 73, 8, True, ""),
    ],
)
def test_similar_only_where_the_interval_is_narrow_enough(lower, upper, spread, kept, expected):
    assert standing(lower=lower, upper=upper, comparator=70, spread=spread, kept=kept) == expected
    both = standing(lower=[lower, 80], upper=[upper, 90], comparator=70, spread=spread, kept=kept)
    assert list(both) == [expected, "above" if kept else "not clear (many compared)"]
    assert standing(lower=lower, upper=upper, comparator=np.nan, spread=spread, kept=kept) == ""


def test_a_verdict_follows_the_same_rule():
    near = {"value": 71, "lower": 67, "upper": 73, "comparator": 70, "direction": -1}
    assert verdict(**near, spread=8) == ("similar", "above", "")
    assert verdict(**near, spread=4) == ("not clear", "above", "")


def test_how_far_authorities_lie_apart():
    values = np.arange(30.0)
    # variance of 0 to 29, n - 1: 30 x 31 / 12
    assert spread_between([*values, np.nan]) == pytest.approx(np.sqrt(77.5))
    assert np.isnan(spread_between(values[:29]))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"verdict": "better"}, "clearly better"),
        ({"verdict": "similar"}, "similar"),
        ({"verdict": "not clear (many compared)"}, "not clear (many compared)"),
        ({"verdict": "no figure"}, ""),
        ({"verdict": "position only", "kind": "outcome", "standing": "above"}, ""),
        ({"verdict": "position only", "kind": "contested", "standing": "above"}, "clearly more"),
        ({"verdict": "position only", "kind": "activity", "form": "mean", "standing": "below"}, "clearly lower"),
        ({"verdict": "position only", "kind": "activity", "standing": "not clear"}, "not clear"),
    ],
)
def test_one_wording_of_how_a_figure_stands(row, words):
    blank = {"kind": "outcome", "form": "rate", "standing": ""}
    assert standing_words(blank | row) == words


@pytest.mark.parametrize(
    ("period", "measured", "words"),
    [
        ("2024/25", 2025, "2025"),
        ("2025-03-31", 2025, "2025"),
        ("2020-22", 2022, "2020-22"),
        ("2021/22-23/24", 2024, "2022-24"),
    ],
)
def test_years_taken_together_are_not_one_year(period, measured, words):
    assert year_words(period, measured) == words


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
        ({}, {"flags": "revised;doubtful"}, 0, True, "speak against the figure"),
        ({"sampling": Sampling(model="wilson")}, {"se_sampling": np.nan}, 0, True, "how many children"),
        ({"direction": 0}, {"se_sampling": 20.0}, 0, True, "fewer than 30 children"),
    ],
)
def test_why_a_judgement_is_withheld(change, row, age, ranked, words):
    figure = {"status": "published", "flags": "", "value": 50.0, "se_sampling": 1.0} | row
    reason = why_withheld(figure, indicator=made(**change), age=age, ranked=ranked)
    assert words in reason
    assert bool(words) == bool(reason)


@pytest.mark.parametrize(
    ("more", "row", "few"),
    [
        # a percentage: 29 children, 30 children
        ({}, {"value": 60.0, "denominator": 29.0}, "fewer than 30 children"),
        ({}, {"value": 60.0, "denominator": 30.0}, ""),
        # without a denominator the error tells: 60 x 40 / 9^2 = 29.6, / 8.5^2 = 33
        ({"decimals": 2}, {"value": 60.0, "se_sampling": 9.0}, "fewer than 30 children"),
        ({"decimals": 2}, {"value": 60.0, "se_sampling": 8.5}, ""),
        # at 100 % of n the half child gives sqrt(2) / (2n): 1.81 % is 39 children, 10.5 % is 7
        ({}, {"value": 100.0, "se_sampling": 1.81}, ""),
        ({}, {"value": 100.0, "se_sampling": 10.5}, "fewer than 30 children"),
        # a rate: 9.9 and 10 events in 1,000 children; (10.9 / 5.07)^2 = 4.6 and (10.9 / 3.4)^2 = 10.3 events
        ({"form": "rate", "per": 1000.0}, {"value": 9.9, "denominator": 1000.0}, "fewer than 10 events"),
        ({"form": "rate", "per": 1000.0}, {"value": 10.0, "denominator": 1000.0}, ""),
        ({"form": "rate", "per": 1000.0}, {"value": 10.9, "se_sampling": 5.07}, "fewer than 10 events"),
        ({"form": "rate", "per": 1000.0}, {"value": 10.9, "se_sampling": 3.4}, ""),
        # rounding to whole numbers is no sign of few: 4^2 / (1.27^2 - 1/12) = 10.5, where 4^2 / 1.27^2 = 9.9
        ({"form": "rate", "per": 1000.0, "decimals": 0}, {"value": 4.0, "se_sampling": 1.27}, ""),
        # a mean with 18 points between children: (18 / 3.4)^2 = 28, (18 / 3.2)^2 = 31.6
        ({"form": "mean", "sampling": Sampling(model="cohort_mean", sd=18)}, {"value": 50.0, "se_sampling": 3.4}, "fewer than 30 children"),
        ({"form": "mean", "sampling": Sampling(model="cohort_mean", sd=18)}, {"value": 50.0, "se_sampling": 3.2}, ""),
        ({"form": "mean"}, {"value": 50.0, "se_sampling": 3.4}, ""),  # how children spread is not known
        ({}, {"value": 50.0}, ""),
        ({}, {"value": np.nan, "denominator": 3.0}, ""),
    ],
)  # fmt: skip
def test_how_few_is_too_few(more, row, few):
    blank = {"denominator": np.nan, "se_sampling": np.nan}
    found = too_few(blank | row, indicator=made(**more))
    assert few in found
    assert bool(few) == bool(found)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "outcome"),
        ({"contested": "More can be better found."}, "contested"),
        ({"direction": 0, "measure_of": "activity"}, "activity"),
        ({"layer": "system", "measure_of": "enabler"}, "enabler"),
        ({"layer": "parent_carer"}, "enabler"),
        ({"tier": "local"}, "local"),
        ({"tier": "context", "direction": 0}, "context"),
    ],
)
def test_what_an_indicator_is_evidence_of(more, kind):
    assert kind_of(made(**more)) == kind


def compared(distances: dict[str, float], **more: object) -> pd.DataFrame:
    table = pd.DataFrame({"indicator_id": list(distances), "distance": list(distances.values())})
    return table.assign(**({"kind": "outcome", "doublet": "", "direction": 1} | more))


# Benjamini and Hochberg (1995), section 4: fifteen endpoints of thrombolysis; at .05 their procedure keeps four.
THROMBOLYSIS = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip


def test_the_published_example_keeps_four():
    from scipy.stats import norm

    table = compared({f"e{k}": norm.isf(p / 2) for k, p in enumerate(THROMBOLYSIS)})
    found = strands(table, distance="distance", level=0.95)
    assert found["p_value"].to_numpy() == pytest.approx(THROMBOLYSIS, abs=1e-12)  # isf and sf undo each other
    assert list(found["clear"]) == [True] * 4 + [False] * 11
    assert list(controlled(table, distance="distance", level=0.95)) == [True] * 4 + [False] * 11
    # alone, nine would be below .05
    assert (found["p_value"] < 0.05).sum() == 9


def test_where_nothing_differs_little_is_found():
    """Of 400 families of 25 comparisons and no difference, about one in ten names anything (the rate when all are null)."""
    rng = np.random.default_rng(11)
    table = compared({str(k): z for k, z in enumerate(rng.normal(size=10_000))}, kind=np.repeat(np.arange(400), 25))
    found = strands(table, distance="distance", level=0.9)
    # binomial error sqrt(.1 x .9 / 400) = .015; three of them
    assert found.groupby("kind")["clear"].any().mean() == pytest.approx(0.1, abs=0.045)
    # uncontrolled, 1 - .9^25 = .93 of them would
    assert found.groupby("kind")["p_value"].min().lt(0.1).mean() == pytest.approx(0.93, abs=0.045)


def test_near_duplicates_count_once_and_directions_are_turned():
    table = compared(
        {"a": 3.0, "b": 1.0, "c": -5.0, "d": 2.0}, doublet=["pair", "pair", "", ""], direction=[1, -1, -1, 1]
    )
    found = strands(table, distance="distance", level=0.9).set_index("strand")
    assert list(found.index) == ["pair", "c", "d"]
    assert found.loc["pair", "members"] == ("a", "b")
    # b is better lower: (3 - 1) / 2; c is better lower
    assert list(found["distance"]) == [1.0, 5.0, 2.0]


def test_kinds_are_families_of_their_own_and_the_disputed_are_not_turned():
    strong = compared({f"x{k}": 8.0 for k in range(20)}, kind="activity", direction=0)
    weak = compared({"y": -2.0, "z": 0.1}, kind="contested", direction=-1)
    both = pd.concat([strong, weak], ignore_index=True)
    found = strands(both, distance="distance", level=0.9).set_index("strand")
    assert found.loc["y", "distance"] == -2.0
    # p of y is .0455, of two: .091 <= .10; among the twenty strong ones it would have been .05
    assert found.loc["y", "q_value"] == pytest.approx(0.091, abs=0.001)
    assert found.loc["z", "q_value"] == pytest.approx(0.920, abs=0.001)


def test_local_figures_never_change_a_verdict_of_the_core():
    core = compared({"a": 1.9, **{f"n{k}": 0.2 for k in range(5)}}, kind="contested", tier="core")
    local = compared({f"x{k}": 9.0 for k in range(30)}, kind="contested", tier="local")
    alone, both = core, pd.concat([core, local], ignore_index=True)
    assert not controlled(alone, distance="distance", level=0.9)[0]
    kept = controlled(both, distance="distance", level=0.9)  # thirty strong ones of one family would let it pass
    assert list(kept) == [False] * 6 + [True] * 30


def test_a_figure_stays_clear_only_with_its_family():
    # of six, 1.9 (p = .057) needs .1 / 6 = .017 alone; beside five strong ones it needs .1
    alone = compared({"a": 1.9, **{f"n{k}": 0.2 for k in range(5)}})
    beside = compared({"a": 1.9, **{f"n{k}": 4.0 for k in range(5)}})
    assert not controlled(alone, distance="distance", level=0.9)[0]
    assert controlled(beside, distance="distance", level=0.9)[0]
    missing = compared({"a": np.nan, "b": 4.0})
    assert list(controlled(missing, distance="distance", level=0.9)) == [False, True]


def test_nothing_to_compare_is_nothing_found():
    table = compared({"a": np.nan})
    assert strands(table, distance="distance", level=0.9).empty
    assert not controlled(table, distance="distance", level=0.9).any()


@pytest.mark.parametrize(
    ("unit", "value", "change"),
    [
        ("%", "70.7%", "+2.0 percentage points"),
        ("percentage points", "70.7 percentage points", "+2.0 percentage points"),
        ("per 10,000 children aged 0-14", "70.7 per 10,000 children aged 0 to 14", "+2.0 per 10,000 children aged 0 to 14"),
        ("points (0-90)", "70.7 points", "+2.0 points"),
        ("cases", "70.7 cases", "+2.0 cases"),
    ],
)  # fmt: skip
def test_a_figure_is_never_without_its_unit(unit, value, change):
    assert amount(70.7, unit=unit, decimals=1) == value
    assert difference(2.0, unit=unit, decimals=1) == change


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2024/25", "in 2024/25"),
        ("2024", "in 2024"),
        ("2025-03-31", "at 31 March 2025"),
        ("2020-22", "in 2020 to 2022"),
        ("2021/22-23/24", "in 2021/22 to 2023/24"),
    ],
)
def test_periods_as_they_are_said(period, words):
    assert when(period) == words


@pytest.mark.parametrize(
    ("form", "above", "below"),
    [
        ("rate", "more", "fewer"),
        ("proportion", "more", "fewer"),
        ("mean", "higher", "lower"),
        ("gap", "higher", "lower"),
    ],
)
def test_more_of_what_is_counted_and_higher_of_what_is_measured(form, above, below):
    assert (more_or_fewer("above", form=form), more_or_fewer("below", form=form)) == (above, below)
