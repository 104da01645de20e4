"""Put to every public function in turn: marks on what is contested or experimental, and bad input.

Bad input gives an error, or no figure and the reason, never a quiet number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_figures import AREAS, made
from scipy import optimize

from outcomes_analysis.errors import OutcomesError, RelationError, SpecError
from outcomes_analysis.relations import (
    EvaluationSpec,
    MultiverseSpec,
    RelationSpec,
    correlations,
    evaluate_place,
    fit_measurement_model,
    multiverse,
    outcome_network,
    panel_regressions,
    regressions,
    relate,
    spatial_clusters,
    spatial_regressions,
    unmeasured_characteristics,
)
from outcomes_analysis.relations.network import graphical_lasso
from outcomes_analysis.relations.slopes import fractions, regression

YEARS = (2022, 2023, 2024)
PREDICTOR, OUTCOME, HELD, ALSO_HELD = "phonics_y1", "gld_pct", "child_poverty_bhc", "child_poverty_ahc"
SPEC = RelationSpec(outcome=OUTCOME, predictors=PREDICTOR, years=YEARS, confounders=(HELD,), samples=("all",))

Figures = dict[str, np.ndarray]
Call = Callable[[pd.DataFrame, RelationSpec, pd.DataFrame], Any]


def _several_ways(observations: pd.DataFrame, spec: RelationSpec, areas: pd.DataFrame) -> Any:
    held = {"+".join(s): "places differ in it" for s in spec.adjustment_sets if s}
    choices = MultiverseSpec(
        outcomes={spec.outcome: "asked about"},
        predictors={spec.predictor: "asked about"},
        years=dict.fromkeys(spec.years, "there"),
        adjustments={"": "plain"} | held,
        samples={"all": "every one"},
        models={"line": "alike", "regions": "within"},
        transformations={"as_published": "known", "ranks": "no shape"},
    )
    return multiverse(observations, spec=choices, areas=areas, permutations=20)


def _relate(observations: pd.DataFrame, spec: RelationSpec, areas: pd.DataFrame) -> Any:
    return relate(
        spec.predictor, spec.outcome, observations=observations, areas=areas, period=spec.year, years=spec.years,
        confounders=spec.confounders, draws=50, parts=(),
    )  # fmt: skip


def _network(observations: pd.DataFrame, spec: RelationSpec, areas: pd.DataFrame) -> Any:
    wider = spec.replace(predictors=(*spec.predictors, "cla_rate"))
    return outcome_network(observations, spec=wider, areas=areas, draws=20, drops=0)


def _measurement(observations: pd.DataFrame, spec: RelationSpec, areas: pd.DataFrame) -> Any:
    (held, *_) = spec.adjustment_sets[1]
    return fit_measurement_model(
        spec.predictor, spec.outcome, observations=observations, areas=areas, period=spec.year, confounder=held,
        method="laplace",
    )  # fmt: skip


CALLS: dict[str, Call] = {
    "correlations": lambda o, s, a: correlations(o, spec=s, areas=a, draws=50),
    "regressions": lambda o, s, a: regressions(o, spec=s, areas=a),
    "unmeasured_characteristics": lambda o, s, a: unmeasured_characteristics(o, spec=s, areas=a),
    "spatial_regressions": lambda o, s, a: spatial_regressions(o, spec=s, areas=a),
    "spatial_clusters": lambda o, s, a: spatial_clusters(o, spec=s, areas=a, permutations=99),
    "panel_regressions": lambda o, s, a: panel_regressions(o, spec=s, areas=a),
    "outcome_network": _network,
    "multiverse": _several_ways,
    "relate": _relate,
    "fit_measurement_model": _measurement,
}
OF_YEARS = [name for name in CALLS if name not in ("multiverse", "fit_measurement_model")]  # these ask of one at a time


def figures() -> Figures:
    """What is right: two figures that go together, one of its own, two measures of poverty; shape (areas, years)."""
    rng = np.random.default_rng(1)
    n, shape = len(AREAS), (len(AREAS), len(YEARS))
    near, poverty = rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    return {
        OUTCOME: 68 + 3 * near + 2 * poverty + rng.normal(size=shape),
        PREDICTOR: 78 + 2 * near + rng.normal(size=shape),
        "cla_rate": 60 + 5 * rng.normal(size=shape),
        HELD: 22 + 4 * poverty + rng.normal(size=shape),
        ALSO_HELD: 30 + 3 * poverty + 2 * rng.normal(size=shape),
    }


def table(changed: Figures | None = None, **more: Any) -> pd.DataFrame:
    return made(figures() | (changed or {}), years=YEARS, errors={"se_total": 0.5, "se_sampling": 0.4}, **more)


def numbers(call: Call, observations: pd.DataFrame, spec: RelationSpec = SPEC, areas: pd.DataFrame = AREAS) -> Any:
    """Rows with a figure, and all reasons: of the error, or of the rows withheld."""
    try:
        result = call(observations, spec, areas)
    except OutcomesError as error:
        return pd.DataFrame(columns=["adjusted_for", "estimate"]), str(error)
    rows = result.table
    if "status" not in rows:
        return rows, ""
    there = rows["status"].eq("computed")
    assert rows.loc[~there, "estimate"].isna().all()
    assert rows.loc[~there, "reason"].str.len().gt(10).all()
    assert np.isfinite(rows.loc[there, ["estimate", "lower", "upper"]].to_numpy(float)).all()
    return rows[there], " ".join(rows.loc[~there, "reason"].unique())


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_what_is_right_is_answered(name: str):
    """Else the refusals below would prove nothing; and nothing is marked that is neither contested nor on trial."""
    result = CALLS[name](table(), SPEC, AREAS)
    assert result.table.get("status", pd.Series(["computed"])).eq("computed").any()
    assert "experimental" not in result.text
    assert "is contested" not in result.text


@pytest.mark.parametrize("name", CALLS)
def test_contested_and_experimental_figures_are_marked(name: str):
    """Admissions are contested, and belong to a domain on trial."""
    given = figures() | {"mh_admissions_0_17": np.exp(4 + 0.01 * figures()[PREDICTOR])}
    observations = made(given, years=YEARS, errors={"se_total": 0.5, "se_sampling": 0.4})
    text = CALLS[name](observations, SPEC.replace(predictors=("mh_admissions_0_17",)), AREAS).text
    assert "\u201cHospital admissions for mental health, under 18\u201d is contested:" in text
    assert "belongs to the domain Happy, which is experimental" in text


def test_an_evaluation_marks_them_too():
    years = tuple(range(2013, 2025))
    values = 300 + 20 * np.random.default_rng(2).normal(size=(len(AREAS), len(years)))
    spec = EvaluationSpec(
        indicator="child_mh_factor_rate", area_code=str(AREAS.index[0]), since=2022, change="a programme"
    )
    text = evaluate_place(made({spec.indicator: values}, years=years), spec=spec).text
    assert "belongs to the domain Happy, which is experimental" in text


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("same", [lambda v: v, lambda v: 3 - 2 * v], ids=["copied", "on another scale"])
def test_a_predictor_that_is_the_outcome(name: str, same: Callable[[np.ndarray], np.ndarray]):
    rows, reason = numbers(CALLS[name], table({PREDICTOR: same(figures()[OUTCOME])}))
    assert rows.empty
    assert "can be worked out from 'gld_pct' by a straight line in all 151 authorities: phonics_y1" in reason


def test_a_predictor_named_as_the_outcome():
    with pytest.raises(SpecError, match="same indicator"):
        SPEC.replace(predictors=(OUTCOME,))
    with pytest.raises(SpecError, match="both outcome and predictor"):
        MultiverseSpec(outcomes={OUTCOME: "a"}, predictors={OUTCOME: "b"}, years={2024: "c"})


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("column", [PREDICTOR, OUTCOME, HELD])
def test_a_constant_column(name: str, column: str):
    rows, reason = numbers(CALLS[name], table({column: np.full(len(AREAS), 20.0)}))
    if column == HELD:  # the plain answer may stand
        rows = rows[rows["adjusted_for"].ne("")]
    assert rows.empty
    assert any(words in reason.lower() for words in ("same", "constant"))


@pytest.mark.parametrize("name", CALLS)
def test_fewer_areas_than_parameters(name: str):
    few = AREAS.iloc[:6]
    small = {name: values[:6] for name, values in figures().items()}
    observations = made(small, years=YEARS, areas=few, errors={"se_total": 0.5})
    rows, reason = numbers(CALLS[name], observations, areas=few)
    assert rows.empty
    assert "6 authorities" in reason
    assert "at least 30 are needed" in reason


@pytest.mark.parametrize("name", OF_YEARS)
def test_an_indicator_across_a_declared_break(name: str):
    earlier = (2021, 2022, 2023)
    observations = made(figures(), years=earlier, errors={"se_total": 0.5})
    rows, reason = numbers(CALLS[name], observations, SPEC.replace(years=earlier))
    assert rows.empty
    assert "declared breaks lie between 2021 and 2023" in reason
    assert "'gld_pct' from 2021/22" in reason


def test_years_of_a_multiverse_are_asked_apart_so_a_break_lies_between_no_two():
    """Places are compared within a year, so the answer for a year is that of the year alone."""
    earlier = (2021, 2022)
    observations = made({k: v[:, :2] for k, v in figures().items()}, years=earlier, errors={"se_total": 0.5})
    both, _ = numbers(CALLS["multiverse"], observations, SPEC.replace(years=earlier))
    one, _ = numbers(CALLS["multiverse"], observations, SPEC.replace(years=(2022,)))
    pd.testing.assert_series_equal(
        both.loc[both["year"].eq(2022), "estimate"].reset_index(drop=True), one["estimate"].reset_index(drop=True)
    )


@pytest.mark.parametrize("name", CALLS)
def test_perfect_collinearity_with_what_is_held_alike(name: str):
    rows, reason = numbers(CALLS[name], table({HELD: figures()[PREDICTOR]}))
    # the plain answer may stand; and the predictor of a year before is not what is allowed for in the year itself
    rows = rows[rows["adjusted_for"].ne("")]
    if "analysis" in rows:
        rows = rows[rows["analysis"].ne("panel_lagged")]
    assert rows.empty
    assert "collinear" in reason.lower()


@pytest.mark.parametrize("name", [n for n in CALLS if n != "fit_measurement_model"])  # it allows for one thing
def test_perfect_collinearity_among_what_is_held_alike(name: str):
    rows, reason = numbers(
        CALLS[name],
        table({ALSO_HELD: 2 * figures()[HELD] + 1}),
        SPEC.replace(confounders=((HELD, ALSO_HELD),)),
    )
    assert rows[rows["adjusted_for"].ne("")].empty
    assert "collinear" in reason.lower()


@pytest.mark.parametrize("name", ["spatial_regressions", "spatial_clusters", "correlations", "multiverse"])
def test_areas_that_are_not_on_the_map(name: str):
    """What needs neighbours has none; what does not says in its text that they are not allowed for."""
    places = AREAS.set_axis([f"E99{i:06d}" for i in range(len(AREAS))])
    observations = table(areas=places)
    rows, reason = numbers(CALLS[name], observations, areas=places)
    if name.startswith("spatial"):
        assert rows.empty
        assert "have no outline, so no neighbours" in reason
    elif name == "correlations":
        assert "spearman_neighbours" not in set(rows["analysis"])
        assert "have no outline" in reason
    else:
        assert "Likeness of neighbours could not be allowed for" in CALLS[name](observations, SPEC, places).text


@pytest.mark.parametrize("name", ["spatial_regressions", "spatial_clusters"])
def test_a_map_in_parts_is_joined_and_said_so(name: str):
    apart = AREAS.index.isin(AREAS.index[AREAS["region_name"].isin(["London", "North East", "South West"])])
    observations = table()
    result = CALLS[name](observations[observations["area_code"].isin(AREAS.index[apart])], SPEC, AREAS[apart])
    assert "parts of the map cut off" in result.text


def test_a_region_model_that_does_not_converge(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(regression, "_optimise", lambda *_, **__: None)
    rows, reason = numbers(CALLS["regressions"], table())
    assert "mixed_region" not in set(rows["analysis"])
    assert "did not converge" in reason


def test_a_model_of_several_years_that_does_not_settle(monkeypatch: pytest.MonkeyPatch):
    """From every start the search ends elsewhere."""
    real, runs = optimize.minimize, iter(range(1_000))

    def unsettled(*given: Any, **more: Any) -> Any:
        found = real(*given, **more)
        found.fun += 10.0 * next(runs)
        return found

    monkeypatch.setattr(optimize, "minimize", unsettled)
    rows, reason = numbers(CALLS["regressions"], table())
    assert "mixed_authority" not in set(rows["analysis"])
    assert "did not settle" in reason


def test_a_network_that_does_not_converge(monkeypatch: pytest.MonkeyPatch):
    real = graphical_lasso._path
    monkeypatch.setattr(graphical_lasso, "_path", lambda *given: (*real(*given)[:3], -1))
    rows, reason = numbers(CALLS["outcome_network"], table())
    assert rows.empty
    assert "did not converge; no links are given" in reason


def test_a_share_whose_curve_does_not_converge(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fractions, "STEPS", 1)
    rows, reason = numbers(CALLS["regressions"], table())
    assert "fractional_logit" not in set(rows["analysis"])
    assert "did not converge" in reason


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda o: o.assign(value=300.0), "same for every place and year"),
        (lambda o: o[o["area_code"].isin(AREAS.index[:6])], "other places"),
        (lambda o: o[o["period_end"].dt.year >= 2021], "before 2022"),
    ],
    ids=["constant", "few places", "few years"],
)
def test_an_evaluation_of_bad_figures(changed: Callable[[pd.DataFrame], pd.DataFrame], message: str):
    years = tuple(range(2013, 2025))
    values = 300 + 20 * np.random.default_rng(2).normal(size=(len(AREAS), len(years)))
    observations = made({"cin_rate": values}, years=years)
    spec = EvaluationSpec(indicator="cin_rate", area_code=str(AREAS.index[0]), since=2022, change="a programme")
    with pytest.raises(RelationError, match=message):
        evaluate_place(changed(observations), spec=spec)
