"""How an association stands once neighbours are allowed for, and where on the map like stands among like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.analyses import answer_of, ask_each
from outcomes_analysis.relations.asking import Asked, ask
from outcomes_analysis.relations.clustering import (
    CLUSTERS,
    FALSE_SHARE,
    PERMUTATIONS,
    Moran,
    local_moran,
    moran,
    residual_moran,
)
from outcomes_analysis.relations.regressing import Case, NaturalUnit, slope_rows
from outcomes_analysis.relations.regression import Fit, check_design
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sentences import checked, contested_marks, measured, own_words
from outcomes_analysis.relations.spatial_models import Dependence, SpatialFit, dependence_tests, fit_spatial
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.relations.weights import Neighbours, neighbours_of

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
    observations, spec, framework, areas, level
        As in :func:`outcomes_analysis.relations.regressions`; the last year of the question counts. Neighbours are
        those among the authorities of each sample; an island is linked with the nearest.
    seed : int
        Kept in the manifest; nothing here is drawn at random.

    Returns
    -------
    RelationResult
        Rows ``spatial_error, spatial_lag, spatial_lag_total`` in standard and natural units, for each predictor, with
        something held alike or not, and for each sample. ``diagnostics["spatial"]`` has each :class:`Allowed` by
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
    table = pd.concat(tables, ignore_index=True)
    return answer_of(asked, table, " ".join(said), spec=spec, spatial=found)


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
    forms: tuple[Literal["error"], Literal["lag"]] = ("error", "lag")
    simple = [f for f, t in zip(forms, (tests.error, tests.lag), strict=True) if t.p_value < CHANCE]
    if not simple:
        return "plain"
    if len(simple) == 1:
        return simple[0]
    robust = [f for f, t in zip(forms, (tests.robust_error, tests.robust_lag), strict=True) if t.p_value < CHANCE]
    return robust[0] if len(robust) == 1 else "both"


def _allowed(case: Case) -> Allowed | str:
    try:
        neighbours = neighbours_of([str(code) for code in case.data.index])
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
    held = f", with {wording.listed([names[c] for c in controls])} held alike" if controls else ""
    advice = {
        "plain": "Tests ask for no allowance for neighbours",
        "error": "Tests speak for the line whose remainder is alike between neighbours",
        "lag": "Tests speak for the line that holds the neighbours' outcome alike",
        "both": "Tests do not tell the two ways of allowing for neighbours apart",
    }[allowed.preferred]
    plain, error, lag = (
        measured(_as_row(fit, one.spec.predictor)) for fit in (allowed.plain, allowed.error.fit, allowed.lag.fit)
    )
    return (
        f"{pair[0].upper()}{pair[1:]}{held}: what a plain straight line leaves over is {_likeness(allowed.left_over)}. "
        f"{advice}. The slope, in standard deviations, is {plain} in the plain line, {error} with the remainder alike "
        f"between neighbours, and {lag} with the neighbours' outcome held alike."
    )


def _as_row(fit: Fit, name: str) -> pd.Series[Any]:
    estimate, lower, upper = fit.of(name)
    return pd.Series({"estimate": estimate, "lower": lower, "upper": upper, "level": fit.level})


def _likeness(found: Moran) -> str:
    """Whether neighbours are alike, with I and what chance gives."""
    if found.lower <= found.estimate <= found.upper:
        words = "no more alike between neighbours than chance would have it"
    elif found.estimate > found.upper:
        words = "more alike between neighbours than chance would have it"
    else:
        words = "less alike between neighbours than chance would have it"
    span = f"{wording.number(found.lower, 2)} to {wording.number(found.upper, 2)}"
    return (
        f"{words} (Moran's I {wording.number(found.estimate, 2)}; chance gives {span} in "
        f"{round(100 * found.level)}% of cases)"
    )


@dataclass(frozen=True, eq=False)
class ClusterResult:
    """Where on the map like stands among like.

    Attributes
    ----------
    table : DataFrame
        One row an authority and figure: ``variable`` (indicator id), ``kind`` (``figure``, or ``left over`` by a line
        in the predictors and what is held alike), ``adjusted_for``, ``area_code, area_name, value, neighbours,
        estimate, p_value, q_value, cluster`` as in :func:`outcomes_analysis.relations.clustering.local_moran`. Ready
        for a map: ``cluster`` is ``not clear`` where chance will do.
    overall : DataFrame
        One row a figure: Moran's I with ``expected, z, p_value`` and ``lower, upper, level``, the range that chance
        gives (no interval of I itself).
    text, spec, manifest, diagnostics
        As of :class:`outcomes_analysis.relations.RelationResult`.
    """

    table: pd.DataFrame
    overall: pd.DataFrame
    text: str
    spec: RelationSpec
    manifest: RunManifest
    diagnostics: dict[str, Any]

    def __str__(self) -> str:
        return self.text


def spatial_clusters(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    permutations: int = PERMUTATIONS,
    false_share: float = FALSE_SHARE,
    level: float = LEVEL,
    seed: int = SEED,
) -> ClusterResult:
    """Clusters of neighbours alike: in each figure of a question, and in what the predictors leave over of the outcome.

    Parameters
    ----------
    observations, spec, framework, areas
        As in :func:`outcomes_analysis.relations.correlations`; the last year of the question counts, and all
        predictors enter the line together.
    permutations, seed, false_share
        As in :func:`outcomes_analysis.relations.clustering.local_moran`.
    level : float
        Of the ranges that chance gives.

    Returns
    -------
    ClusterResult

    Raises
    ------
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`; also for a figure that is the same everywhere, predictors
        that can be worked out from each other, and a map that falls into parts.
    """
    one = ask(spec, observations=observations, framework=framework, areas=areas, level=level, draws=1, seed=seed)
    data = one.assembled.data
    neighbours = neighbours_of([str(code) for code in data.index])
    tables, overall, said = [], [], []
    for variable, kind, controls in _figures(one):
        values = data[variable].to_numpy(float)
        if kind == "figure":
            whole = moran(values, neighbours, level=level)
        else:
            names = ["constant", *spec.predictors, *controls]
            design = np.column_stack([np.ones(len(data)), data[names[1:]].to_numpy(float)])
            check_design(design, names=names)
            whole = residual_moran(values, design, neighbours, level=level)
            values = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        local = local_moran(values, neighbours, permutations=permutations, seed=seed, false_share=false_share)
        label = {"variable": variable, "kind": kind, "adjusted_for": "+".join(controls)}
        tables.append(local.reset_index().assign(**label, area_name=data["area_name"].to_numpy()))
        overall.append({**label, "n": len(data), **whole._asdict()})
        said.append(_clusters_sentence(one, tables[-1], whole, kind=kind, controls=controls, variable=variable))
    order = ["variable", "kind", "adjusted_for", "area_code", "area_name"]
    table = pd.concat(tables, ignore_index=True)
    indicators = [one.framework.indicator(i) for i in (spec.outcome, *spec.predictors)]
    text = [
        *said,
        "High and low are above and below the mean of the authorities, which is not better and worse. Of the "
        f"authorities named at most one in {round(1 / false_share)} is to be chance.",
        *contested_marks(indicators),
        wording.AREAS_NOT_CHILDREN,
        wording.EXPLORATION,
    ]
    quoted = [words for i in one.spec.roles for words in own_words(one.framework.indicator(i))]
    return ClusterResult(
        table=table[[*order, *(c for c in table.columns if c not in order)]],
        overall=pd.DataFrame(overall).drop(columns=["normal_variance", "normal_z"]),
        text=checked(" ".join(text), quoted=quoted),
        spec=spec,
        manifest=one.manifest(),
        diagnostics={
            "periods": one.assembled.periods,
            "left_out": one.assembled.left_out,
            "withheld": one.assembled.withheld,
            "islands": neighbours.islands,
            "permutations": permutations,
        },
    )


def _figures(one: Asked) -> list[tuple[str, str, tuple[str, ...]]]:
    """What is mapped: each figure of the question, then what is left over of the outcome, case by case."""
    plain = [(i, "figure", ()) for i in (one.spec.outcome, *one.spec.predictors)]
    cases = [controls for sample, controls, reason in one.cases() if sample == "all" and not reason]
    return [*plain, *((one.spec.outcome, "left over", controls) for controls in cases)]


def _clusters_sentence(
    one: Asked, table: pd.DataFrame, whole: Moran, *, kind: str, controls: tuple[str, ...], variable: str
) -> str:
    names: Mapping[str, str] = one.names
    what = names[variable]
    if kind == "left over":
        line = wording.listed([names[i] for i in (*one.spec.predictors, *controls)])
        what = f"what a straight line in {line} leaves over of {what}"
    parts = []
    for cluster in CLUSTERS:
        there = table.loc[table["cluster"] == cluster, "area_name"]
        if len(there):
            parts.append(f"{cluster}: {len(there)} ({several(sorted(there))})")
    groups = f" By itself stand out, {'; '.join(parts)}." if parts else " No single authority stands out from chance."
    return f"{what[0].upper()}{what[1:]} is {_likeness(whole)}.{groups}"
