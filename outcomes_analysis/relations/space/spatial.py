"""How an association stands once neighbours are allowed for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.relations.analyses import answer_of, ask_each
from outcomes_analysis.relations.asking import Asked
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sentences import measured, with_capital
from outcomes_analysis.relations.slopes.regressing import Case, NaturalUnit, slope_rows
from outcomes_analysis.relations.slopes.regression import Fit, check_design
from outcomes_analysis.relations.space.clustering import Moran, residual_moran
from outcomes_analysis.relations.space.spatial_models import Dependence, SpatialFit, dependence_tests, fit_spatial
from outcomes_analysis.relations.space.spatial_wording import likeness, linked_sentence
from outcomes_analysis.relations.space.weights import Neighbours, neighbours_of
from outcomes_analysis.relations.specification import RelationSpec

LINES = ("spatial_error", "spatial_lag", "spatial_lag_total")
CHANCE = 0.05  # below it a multiplier test speaks

Preferred = Literal["plain", "error", "lag", "both"]


@dataclass(frozen=True, eq=False)
class Allowed:
    """One case of a question with neighbours allowed for.

    Attributes
    ----------
    plain : Fit
        The straight line that takes areas as separate, errors robust to unequal spread.
    left_over : Moran
        Likeness of neighbours in what it leaves over.
    tests : Dependence
    error, lag : SpatialFit
    preferred : {"plain", "error", "lag", "both"}
        The form that the tests speak for.
    neighbours : Neighbours
    """

    plain: Fit
    left_over: Moran
    tests: Dependence
    error: SpatialFit
    lag: SpatialFit
    preferred: Preferred
    neighbours: Neighbours

    def line(self, analysis: str) -> Fit:
        """The slopes of one row of the table."""
        return {"spatial_error": self.error.fit, "spatial_lag": self.lag.fit, "spatial_lag_total": self.lag.total}[
            analysis
        ]


def spatial_regressions(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    seed: int = SEED,
) -> RelationResult:
    """Slopes of an outcome on each of several predictors with the likeness of neighbours allowed for.

    Parameters
    ----------
    observations, spec, framework, areas, level, seed
        As in :func:`outcomes_analysis.relations.regressions`, but that the last year of the question counts and that
        nothing is drawn at random. Neighbours are those among the authorities of each sample; an island is linked with
        the nearest.

    Returns
    -------
    RelationResult
        Rows ``spatial_error, spatial_lag, spatial_lag_total`` in standard and natural units, for each predictor, with
        something allowed for or not, and for each sample. ``diagnostics["spatial"]`` has each :class:`Allowed` by
        predictor, ``adjusted_for`` and sample: Moran's I of what the plain line leaves over, the multiplier tests and
        the fits. A line that cannot be had is withheld with the reason.

    Raises
    ------
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`.
    """
    asked = ask_each(spec, observations, framework=framework, areas=areas, level=level, draws=1, seed=seed)
    tables, said = [], []
    found: dict[tuple[str, str, str], Allowed] = {}
    for one in asked:
        rows: list[dict[str, Any]] = []
        unit = NaturalUnit(one.predictor, one.outcome, one.assembled.data)
        for sample, controls, reason in one.cases():
            shared = one.shared(sample, controls)
            allowed: Allowed | str = reason or _allowed(Case(one, sample=sample, controls=controls))
            for analysis in LINES:
                line = allowed if isinstance(allowed, str) else allowed.line(analysis)
                row = {**shared, "analysis": analysis}
                rows.extend(slope_rows(line, row, predictor=one.spec.predictor, unit=unit))
            if isinstance(allowed, Allowed):
                found[one.spec.predictor, shared["adjusted_for"], sample] = allowed
                if sample == "all":
                    said.append(_sentence(one, allowed, controls))
        tables.append(table_of(rows, names=one.names).assign(predictor=one.spec.predictor))
        said.extend(_linked(one, found))
    table = pd.concat(tables, ignore_index=True)
    return answer_of(asked, table, " ".join(dict.fromkeys(said)), spec=spec, spatial=found)


def preferred_form(tests: Dependence) -> Preferred:
    """Which line the multiplier tests speak for.

    Parameters
    ----------
    tests : Dependence

    Returns
    -------
    {"plain", "error", "lag", "both"}
        The plain one if neither test speaks (chance of one as large 5 % or more); else the form whose test alone
        speaks; where both do, the one whose robust test alone speaks (Anselin, Bera, Florax and Yoon 1996), or both.
    """
    simple = (tests.error.p_value < CHANCE, tests.lag.p_value < CHANCE)
    robust = (tests.robust_error.p_value < CHANCE, tests.robust_lag.p_value < CHANCE)
    speaks = robust if all(simple) else simple
    if not any(simple):
        return "plain"
    if speaks[0] == speaks[1]:
        return "both"
    return "error" if speaks[0] else "lag"


def _allowed(case: Case) -> Allowed | str:
    try:
        neighbours = neighbours_of([str(code) for code in case.data.index], apart="join")
        check_design(case.design, names=case.columns)
        tests = dependence_tests(case.y, case.design, neighbours)
        error, lag = (
            fit_spatial(case.y, case.design, neighbours, form=form, names=case.columns, level=case.asked.level)
            for form in ("error", "lag")
        )
    except RelationError as problem:
        return str(problem)
    return Allowed(
        plain=case.plain(),
        left_over=residual_moran(case.y, case.design, neighbours, level=case.asked.level),
        tests=tests,
        error=error,
        lag=lag,
        preferred=preferred_form(tests),
        neighbours=neighbours,
    )


def _sentence(one: Asked, allowed: Allowed, controls: tuple[str, ...]) -> str:
    names = one.names
    pair = f"{names[one.spec.predictor]} and {names[one.spec.outcome]}"
    held = f", between places with similar {wording.listed([names[c] for c in controls])}" if controls else ""
    advice = {
        "plain": "Tests ask for no allowance for neighbours",
        "error": "Tests speak for the line whose remainder is alike between neighbours",
        "lag": "Tests speak for the line that allows for the neighbours' outcome",
        "both": "Tests do not tell the two ways of allowing for neighbours apart",
    }[allowed.preferred]
    plain, error, lag = (
        measured(_as_row(fit, one.spec.predictor)) for fit in (allowed.plain, allowed.error.fit, allowed.lag.fit)
    )
    return (
        f"{with_capital(pair)}{held}: what a plain straight line leaves over is {likeness(allowed.left_over)}. "
        f"{advice}. The slope, in standard deviations, is {plain} in the plain line, {error} with the remainder alike "
        f"between neighbours, and {lag} with the neighbours' outcome allowed for."
    )


def _linked(one: Asked, found: Mapping[tuple[str, str, str], Allowed]) -> list[str]:
    """The note on links by rule, from the first case of all authorities."""
    mine = [a for (p, _, sample), a in found.items() if p == one.spec.predictor and sample == "all"]
    said = [linked_sentence(mine[0].neighbours, one.assembled.data["area_name"])] if mine else []
    return [s for s in said if s]


def _as_row(fit: Fit, name: str) -> pd.Series[Any]:
    estimate, lower, upper = fit.of(name)
    return pd.Series({"estimate": estimate, "lower": lower, "upper": upper, "level": fit.level})
