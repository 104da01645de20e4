"""One question asked in every defensible way: the curve of all answers, and what it would be by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.space.weights import neighbours_of
from outcomes_analysis.relations.spec_curve.choices import DIMENSIONS, MultiverseSpec
from outcomes_analysis.relations.spec_curve.curve_figures import Case, CurveFigures
from outcomes_analysis.relations.spec_curve.curve_wording import compose_curve
from outcomes_analysis.relations.spec_curve.joint_tests import joint_tests, moved_by
from outcomes_analysis.relations.spec_curve.rearranging import (
    Floats,
    NeighboursKept,
    Permuted,
    Rearrangement,
    slope_of,
)
from outcomes_analysis.relations.specification import RelationSpec

PERMUTATIONS = 200
COLUMNS = (*DIMENSIONS, "n", "estimate", "lower", "upper", "level", "interval", "p_value", "place", "status", "reason")


@dataclass(frozen=True, eq=False)
class MultiverseResult:
    """Every answer to one question.

    Attributes
    ----------
    table : DataFrame
        One row a way of asking: what was chosen (``outcome, predictor, year, adjusted_for, sample, transformation,
        model``), ``n`` authorities, ``estimate`` (sd of the outcome for each sd of the predictor) with ``lower, upper,
        level, interval`` and ``p_value`` taking authorities as separate, ``place`` on the curve (1 is the lowest
        estimate), ``status`` (``computed`` or ``withheld``) and ``reason``.
    joint : DataFrame
        One row a null and statistic: ``null`` (``separate``: places exchanged at random; ``neighbours``: places as
        like their neighbours as they are), ``statistic`` (``median``, ``same_sign``, ``clear``), ``estimate``,
        ``null_lower, null_upper, level`` (where it lies without an association) and ``p_value``.
    moved : DataFrame
        One row a choice: ``choice``, ``options`` (how many were computed), ``alone`` and ``with_others`` (shares of the
        variance of all estimates that the choice accounts for, without and with its interplay with others).
    text : str
    spec : MultiverseSpec
    manifest : RunManifest
    diagnostics : dict
        ``permutations``, ``turned`` (indicators whose sign was changed), ``periods``, ``nulls_withheld``.
    """

    table: pd.DataFrame
    joint: pd.DataFrame
    moved: pd.DataFrame
    text: str
    spec: MultiverseSpec
    manifest: RunManifest
    diagnostics: dict[str, Any]

    def __str__(self) -> str:
        return self.text

    @property
    def computed(self) -> pd.DataFrame:
        """The answers there are, in the order of the curve."""
        return self.table[self.table["status"].eq("computed")].sort_values("place", ignore_index=True)


def multiverse(
    observations: pd.DataFrame | None = None,
    *,
    spec: MultiverseSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
) -> MultiverseResult:
    """Ask how two figures go together in every defensible way, and whether all the answers together exceed chance.

    Parameters
    ----------
    observations : DataFrame, optional
        The tidy table; by default the release. Whole-population figures that are published or estimated are used; each
        question rests on the authorities with all its figures.
    spec : MultiverseSpec
        The choices and their reasons.
    framework, areas
        By default the Common Outcomes Framework and the ranked upper-tier authorities.
    level : float
        Of every interval, and what counts as clear.
    permutations : int
        Times the curve is made again without an association.
    seed : int

    Returns
    -------
    MultiverseResult
        A combination that cannot be had (no figures in that year, too few authorities) is a row withheld with the
        reason.

    Raises
    ------
    FrameworkError
        If an indicator is not known.
    RelationError
        If fewer than two ways of asking have an answer.

    Notes
    -----
    Specification curve of Simonsohn, Simmons and Nelson (2020). Without an association, each line's residuals without
    the predictor are rearranged (Freedman and Lane 1983), all lines alike: the median estimate, the share of one sign
    and the share clear in one direction are compared with the same of those curves. The direction is not chosen
    beforehand: each statistic is the larger of the two.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    figures = CurveFigures.of(spec, observations=observations, framework=framework, areas=areas)
    rng = np.random.default_rng(seed)
    nulls, lacking = _rearrangements(areas.index, times=permutations, rng=rng)
    rows, drawn = [], []
    for question in spec.questions():
        for row, slopes in _answers(question, spec=spec, figures=figures, nulls=nulls, level=level):
            rows.append(row)
            if slopes is not None:
                drawn.append(slopes)
    if len(drawn) < 2:
        reasons = list(dict.fromkeys(row["reason"] for row in rows))
        message = (
            f"Only {len(drawn)} of {len(rows)} ways of asking have an answer. First reason: {reasons[0].rstrip('.')}."
        )
        raise RelationError(message)
    table = pd.DataFrame(rows)
    known = table["status"].eq("computed")
    table.loc[known, "place"] = table.loc[known, "estimate"].rank(method="first")
    table = table.reindex(columns=list(COLUMNS))
    observed = table.loc[known, ["estimate", "lower", "upper"]]
    joint = pd.concat(
        [
            joint_tests(
                observed,
                null_estimates=np.stack([s[name][0] for s in drawn], axis=1),
                null_clear=np.stack([s[name][1] for s in drawn], axis=1),
                level=level,
            ).assign(null=name)
            for name in nulls
        ],
        ignore_index=True,
    )
    joint = joint[["null", *(c for c in joint.columns if c != "null")]]
    moved = moved_by(table[known], choices=list(DIMENSIONS))
    diagnostics = {
        "permutations": permutations,
        "turned": sorted(i for i, sign in figures.signs.items() if sign < 0),
        "periods": figures.periods,
        "nulls_withheld": lacking,
    }
    return MultiverseResult(
        table=table,
        joint=joint,
        moved=moved,
        text=compose_curve(table, joint, moved, spec=spec, framework=framework, diagnostics=diagnostics, level=level),
        spec=spec,
        manifest=figures.manifest(spec, seed=seed),
        diagnostics=diagnostics,
    )


def _rearrangements(
    codes: pd.Index, *, times: int, rng: np.random.Generator
) -> tuple[dict[str, Rearrangement], dict[str, str]]:
    nulls: dict[str, Rearrangement] = {"separate": Permuted.drawn(len(codes), times=times, rng=rng)}
    try:
        weights = neighbours_of(codes, apart="join").matrix
    except RelationError as error:
        return nulls, {"neighbours": str(error)}
    nulls["neighbours"] = NeighboursKept.drawn(weights, times=times, rng=rng)
    return nulls, {}


def _answers(
    question: RelationSpec,
    *,
    spec: MultiverseSpec,
    figures: CurveFigures,
    nulls: dict[str, Rearrangement],
    level: float,
) -> Iterator[tuple[dict[str, Any], dict[str, tuple[Floats, Floats]] | None]]:
    """Rows of one question, sample by transformation by model, each with its slopes without an association."""
    base: dict[str, Any] = {
        "outcome": question.outcome,
        "predictor": question.predictor,
        "year": question.year,
        "adjusted_for": "+".join(question.adjustment_sets[-1]),
        "level": level,
        "interval": "figures",
    }
    ways = [(s.value, t.value) for s in spec.samples for t in spec.transformations]
    try:
        found = figures.lined_up(question)
    except RelationError as error:
        for sample, transformation in ways:
            row = base | {"sample": sample, "transformation": transformation}
            yield from ((_without(row | {"model": m.value}, str(error)), None) for m in spec.models)
        return
    repeated = {c.value for c in spec.transformations} >= {"as_published", "even_scale"} and figures.all_even(found)
    columns = {
        str(t.value): figures.columns(found, question, str(t.value))
        for t in spec.transformations
        if not (repeated and t.value == "even_scale")
    }
    for sample, transformation in ways:
        row = base | {"sample": sample, "transformation": transformation}
        try:
            if transformation not in columns:
                message = "the figures as published are on an even scale already"
                raise RelationError(message)
            case = Case.of(found, columns[str(transformation)], question, sample=str(sample), figures=figures)
        except RelationError as error:
            yield from ((_without(row | {"model": m.value}, str(error)), None) for m in spec.models)
            continue
        for model in spec.models:
            try:
                yield _one(row | {"model": model.value}, case, nulls=nulls)
            except RelationError as error:
                yield _without(row | {"model": model.value}, str(error)), None


def _one(
    row: dict[str, Any], case: Case, *, nulls: dict[str, Rearrangement]
) -> tuple[dict[str, Any], dict[str, tuple[Floats, Floats]]]:
    from scipy.special import stdtr, stdtrit

    model = str(row["model"])
    alike = np.column_stack([case.levels(model), case.held])
    weights = case.weights(model)
    slopes = {
        name: slope_of(
            case.outcome,
            case.predictor,
            alike,
            members=case.members,
            rearrangement=rearrangement,
            weights=weights,
        )
        for name, rearrangement in nulls.items()
    }
    plain = next(iter(slopes.values()))
    half = float(stdtrit(plain.df, 0.5 + row["level"] / 2))
    made = row | {
        "n": len(case.outcome),
        "estimate": plain.estimate,
        "lower": plain.estimate - half * plain.error,
        "upper": plain.estimate + half * plain.error,
        "p_value": float(2 * stdtr(plain.df, -abs(plain.estimate) / plain.error)),
        "status": "computed",
        "reason": "",
    }
    clear = {
        n: (s.null_estimates, np.where(np.abs(s.null_t) > half, np.sign(s.null_t), 0.0)) for n, s in slopes.items()
    }
    return made, clear


def _without(row: dict[str, Any], reason: str) -> dict[str, Any]:
    return row | {"status": "withheld", "reason": reason}
