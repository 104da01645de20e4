"""One place and one date: planted changes found, nothing claimed where any check fails, and words to match."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.observations.contract import COLUMNS
from outcomes_analysis.relations.evaluating.evaluation_checks import DESIGN
from outcomes_analysis.relations.evaluating.evaluation_wording import FAILURES
from outcomes_analysis.relations.evaluating.evaluations import EvaluationResult, EvaluationSpec, evaluate_place
from outcomes_analysis.wording import EVALUATION_CHECKS, causal_words, evaluated

AREAS = upper_tier(ranked_only=True)
PLACE = "E08000035"
YEARS = range(2016, 2026)
SINCE = 2023
BEFORE = SINCE - YEARS.start
SPEC = EvaluationSpec(indicator="cin_rate", area_code=PLACE, since=SINCE, change="the family hubs of 2022")
ME = list(AREAS.index).index(PLACE)


def panel(seed: int, *, noise: float = 3.0) -> np.ndarray:
    """Years by places: levels of their own, two common courses with unequal loads, noise."""
    rng = np.random.default_rng(seed)
    n, years = len(AREAS), len(YEARS)
    courses, loads = rng.normal(size=(years, 2)).cumsum(axis=0), rng.normal(size=(2, n))
    values = 350 + 40 * rng.normal(size=n) + 4 * courses @ loads + noise * rng.normal(size=(years, n))
    values[:, ME] += 350 - values[:BEFORE, ME].mean()  # amid the others
    return values


def made(values: np.ndarray, *, error: float = 2.0) -> pd.DataFrame:
    """Rows of the tidy table."""
    frames = [
        pd.DataFrame({"area_code": AREAS.index, "value": row, "period": str(year)}).assign(
            period_start=pd.Timestamp(year, 1, 1), period_end=pd.Timestamp(year, 3, 31)
        )
        for year, row in zip(YEARS, values, strict=True)
    ]
    table = pd.concat(frames, ignore_index=True).assign(
        indicator_id="cin_rate",
        group_type="all",
        group="all",
        status="published",
        flags="",
        source_id="ees",
        se_sampling=error,
        se_total=1.5 * error,
    )
    return table.reindex(columns=list(COLUMNS))


def plant(values: np.ndarray, change: float, *, since: int = SINCE) -> np.ndarray:
    """The same with a change at the place."""
    changed = values.copy()
    changed[since - YEARS.start :, ME] += change
    return changed


def failed(result: EvaluationResult) -> set[str]:
    return set(result.checks.loc[~result.checks["passed"].astype(bool), "check"])


@pytest.fixture(scope="module")
def planted() -> EvaluationResult:
    return evaluate_place(made(plant(panel(1), -30)), spec=SPEC)


def test_a_planted_change_is_found(planted: EvaluationResult):
    table = planted.table.set_index("method")
    assert planted.passed
    assert (table["status"] == "computed").all()
    assert table["lower"].le(-30).all()
    assert table["upper"].ge(-30).all()
    assert (table["upper"] < 0).all()
    # the place against 148 others: nobody differs as much
    assert table["p_value"].max() < 0.02
    # noise 3 in a mean of three years, and in its counterpart: about 2; three of them
    assert table.at["weighted", "estimate"] == pytest.approx(-30, abs=6)
    assert planted.weights.sum() == pytest.approx(1, abs=1e-9)
    assert PLACE not in planted.weights.index
    assert list(planted.checks["check"]) == list(EVALUATION_CHECKS)


def test_only_then_may_the_text_speak_of_an_effect(planted: EvaluationResult):
    assert causal_words(planted.text) == ["effect"]
    assert "may be read as an effect of the family hubs of 2022, provided nothing else" in planted.text
    assert "90% interval" in planted.text
    assert "would have stood out at the 90% level less than four times in five" in planted.text
    assert "Were sampling error all that moves the figures" in planted.text
    for seed in range(4):
        nothing = evaluate_place(made(panel(20 + seed)), spec=SPEC)
        assert "other_places" in failed(nothing)
        assert causal_words(nothing.text) == []


@pytest.mark.slow
def test_planted_changes_come_back_and_intervals_hold():
    """Over many places of one map, each in turn with a change of 20: nine in ten intervals hold it."""
    values, codes = panel(5), list(AREAS.index)
    held, estimates = [], []
    for code in codes[::5]:
        me = codes.index(code)
        changed = values.copy()
        changed[BEFORE:, me] += 20
        table = evaluate_place(made(changed), spec=SPEC.replace(area_code=code)).table
        known = table[table["status"] == "computed"]
        held += (known["lower"].le(20) & known["upper"].ge(20)).tolist()
        estimates += known["estimate"].tolist()
    assert len(held) > 30
    # about 45 estimates of nearly as many places: standard error .045, two of them and a half below
    assert np.mean(held) > 0.79
    assert np.mean(estimates) == pytest.approx(20, abs=4 * 12 / np.sqrt(len(held)))


@pytest.mark.parametrize(
    ("check", "values"),
    [
        ("overlap", panel(2) + 400 * (np.arange(len(AREAS)) == ME)),
        ("fit", panel(2) + 40 * np.outer(np.resize([1, -1], len(YEARS)), np.arange(len(AREAS)) == ME)),
        ("earlier_course", panel(2) + 9 * np.outer(np.arange(len(YEARS)), np.arange(len(AREAS)) == ME)),
        ("earlier_dates", plant(panel(2), 40, since=2020)),
    ],
)
def test_a_design_that_fails_gives_no_number(check: str, values: np.ndarray):
    result = evaluate_place(made(plant(values, -60)), spec=SPEC)
    assert check in failed(result)
    assert (result.table["status"] == "withheld").all()
    assert result.table[["estimate", "lower", "upper", "p_value"]].isna().all().all()
    assert result.table["reason"].str.contains(check).all()
    assert FAILURES[check] in result.text
    assert "What followed is withheld" in result.text
    assert causal_words(result.text) == []


def test_too_little_power_is_no_finding():
    """Noise far above the spread of places: even where the difference happens to be large, no effect is spoken of."""
    noisy = panel(3, noise=80.0)
    noisy -= noisy[:BEFORE].mean(axis=0) - 350
    result = evaluate_place(made(plant(noisy, -400)), spec=SPEC)
    assert "power" in failed(result)
    assert causal_words(result.text) == []
    strength = result.power.iloc[0]
    assert strength["detectable"] > strength["spread"]
    assert strength["by_sampling"] < strength["by_year_to_year"] < strength["detectable"]


def test_checks_that_were_not_made_have_not_passed():
    every = dict.fromkeys(EVALUATION_CHECKS, True)
    assert evaluated("It may be read as an effect.", checks=every) == "It may be read as an effect."
    for name in EVALUATION_CHECKS:
        for checks in (every | {name: False}, {k: v for k, v in every.items() if k != name}):
            with pytest.raises(ValueError, match="causal words"):
                evaluated("It may be read as an effect.", checks=checks)
    with pytest.raises(ValueError, match="caused"):
        evaluated("This effect was caused by the hubs.", checks=every)
    assert set(FAILURES) == set(EVALUATION_CHECKS)
    assert set(DESIGN) < set(EVALUATION_CHECKS)
    assert not causal_words(" ".join(FAILURES.values()))


def test_two_methods_that_disagree_are_no_finding():
    """Thirty places share a course that jumps after the date: weighted ones follow the place, the mean of all does not."""
    loads = np.isin(np.arange(len(AREAS)), [ME, *range(30)])
    course = np.array([0.0, 30, -30, 20, -20, 25, -25, 90, 90, 90])
    result = evaluate_place(made(panel(4) + np.outer(course, loads)), spec=SPEC)
    assert "agreement" in failed(result)
    assert abs(result.paths["place"] - result.paths["weighted"]).max() < 40
    assert (result.paths["place"] - result.paths["differences"])[result.paths["since"]].min() > 50
    assert causal_words(result.text) == []


def test_several_failures_are_told_apart():
    values = plant(panel(2) + 400 * (np.arange(len(AREAS)) == ME), 40, since=2020)
    result = evaluate_place(made(values), spec=SPEC)
    told = [FAILURES[name] for name in EVALUATION_CHECKS if name in failed(result)]
    assert len(told) > 2
    assert f"What followed is withheld: {'; '.join(told[:-1])}; and {told[-1]}." in result.text


def test_places_where_the_same_changed_are_compared_with_nothing(planted: EvaluationResult):
    also = tuple(planted.weights.index[:3])
    result = evaluate_place(made(plant(panel(1), -30)), spec=SPEC.replace(also_changed=also))
    assert not set(also) & set(result.weights.index)
    assert "set beside 147 other places" in result.text


def test_years_before_a_break_do_not_count():
    """Attainment 8 has a declared break at 2022/23."""
    table = made(panel(1)).assign(indicator_id="attainment8")
    with pytest.raises(RelationError, match="since the declared break of 2023: 2 before 2025"):
        evaluate_place(table, spec=SPEC.replace(indicator="attainment8", since=2025))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"since": 2020}, "4 before 2020"),
        ({"since": 2026, "until": 2027}, "0 from it on"),
        ({"area_code": "E99999999"}, "1 area is not among those compared: E99999999"),
        ({"also_changed": tuple(c for c in AREAS.index if c != PLACE)[:125]}, "Only 25 other places"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(changes: dict[str, object], message: str):
    with pytest.raises(RelationError, match=message):
        evaluate_place(made(panel(1)), spec=SPEC.replace(**changes))


def test_questions_that_make_no_sense():
    with pytest.raises(SpecError, match="3 problems"):
        SPEC.replace(change=" ", until=2020, also_changed=(PLACE,))


def test_a_place_without_figures_is_refused():
    table = made(panel(1))
    with pytest.raises(RelationError, match="has figures of no year"):
        evaluate_place(table[table["area_code"] != PLACE], spec=SPEC)
