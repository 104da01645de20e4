"""From figures to scores that can be combined: divided, filled, screened, treated, normalised, capped, in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.capping import capped, capped_error
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.montecarlo.alternatives import along
from outcomes_analysis.index.nation import ENGLAND
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.denomination import denominate
from outcomes_analysis.index.steps.imputation import impute
from outcomes_analysis.index.steps.normalisation import normalise
from outcomes_analysis.index.steps.screening import screen
from outcomes_analysis.index.steps.stepping import no_changes
from outcomes_analysis.index.steps.treatment import treat
from outcomes_analysis.observations.scales import Floats, on_scale
from outcomes_analysis.project import SEED


@dataclass(frozen=True, eq=False)
class Prepared:
    """Indicators ready to be combined. The last row of every frame is England.

    Attributes
    ----------
    figures, figures_error : DataFrame
        Figures on each indicator's own scale once divided, filled and screened, and their standard errors.
    scores, scores_error : DataFrame
        Normalised, higher = better, before capping.
    counted, counted_error : DataFrame
        As they enter the nodes above, capped.
    present : DataFrame of bool
        Where a figure was measured; one that was filled in is none.
    base : Series of bool
        Places that decide on treatment, normalisation and comparison: those that are ranked and not screened out.
    changes : DataFrame
        What each step changed, cell by cell (columns of ``CHANGE_COLUMNS``).
    text : str
        What the steps did, in sentences; "" where nothing was done beyond the usual.
    """

    figures: pd.DataFrame
    figures_error: pd.DataFrame
    scores: pd.DataFrame
    scores_error: pd.DataFrame
    counted: pd.DataFrame
    counted_error: pd.DataFrame
    present: pd.DataFrame
    base: pd.Series
    changes: pd.DataFrame
    text: str


@dataclass
class _Work:
    """What the steps hand on."""

    x: pd.DataFrame
    error: pd.DataFrame
    present: pd.DataFrame
    base: pd.Series
    changes: list[pd.DataFrame]
    told: list[str]


def prepare(matrix: IndicatorMatrix, spec: IndexSpec, names: list[str]) -> Prepared:
    """Carry out a specification's steps up to the scores that are combined.

    Parameters
    ----------
    matrix : IndicatorMatrix
    spec : IndexSpec
        Checked against the matrix.
    names : list of str
        Indicators that take part.

    Returns
    -------
    Prepared

    Raises
    ------
    SpecError
        If a step cannot be carried out, naming it.

    Notes
    -----
    Treatment and normalisation are decided on the places that are ranked; England and the places too small to rank
    follow the curve from figure to score that comes of it. A figure's error goes through that curve as half the
    distance between the scores of the figure plus and minus its error, which is exact for straight lines. A figure
    that was filled in has the indicator's standard deviation between places as its error, or that of its draws.
    """
    nation = matrix.nation.reindex(names)
    work = _Work(
        x=pd.concat([matrix.transformed[names], nation[["transformed"]].T.set_axis([ENGLAND]).astype(float)]),
        error=pd.concat(
            [matrix.transformed_error[names], nation[["transformed_error"]].T.set_axis([ENGLAND]).astype(float)]
        ),
        present=pd.DataFrame(),
        base=pd.Series([*matrix.areas["ranked"].astype(bool), False], index=[*matrix.areas.index, ENGLAND]),
        changes=[],
        told=[],
    )
    if spec.denominate is not None:
        _denominate(work, matrix, spec)
    work.present = work.x.notna()
    if any(m.key() != "none" for m in spec.impute.methods):
        _impute(work, matrix, spec)
    if spec.screen is not None:
        _screen(work, spec)
    scores, errors = _normalised(work, matrix, spec, names)
    counted, counted_error = _capped(scores, errors, spec)
    changes = [table for table in work.changes if len(table)]
    return Prepared(
        figures=work.x,
        figures_error=work.error,
        scores=scores,
        scores_error=errors,
        counted=counted,
        counted_error=counted_error,
        present=work.present & counted.notna(),
        base=work.base,
        changes=pd.concat(changes, ignore_index=True) if changes else no_changes(),
        text=" ".join(work.told),
    )


def _denominate(work: _Work, matrix: IndicatorMatrix, spec: IndexSpec) -> None:
    """Divide natural values; errors shrink by the same factor. England is divided where it has a denominator."""
    if spec.denominate is None or matrix.denominators is None:  # pragma: no cover - checked before
        return
    by = {n: d for n, d in spec.denominate.by if n in work.x.columns}
    sizes = matrix.denominators.reindex(work.x.index)
    natural = pd.concat([matrix.values, matrix.nation[["value"]].T.set_axis([ENGLAND])])[list(by)].astype(float)
    scale = spec.denominate.scale if isinstance(spec.denominate.scale, (int, float)) else dict(spec.denominate.scale)
    if not isinstance(scale, float):
        scale = {n: s for n, s in dict(scale).items() if n in by} if isinstance(scale, dict) else float(scale)
    done = denominate(natural, denominators=sizes, by=by, scale=scale, function=spec.denominate.function)
    after = on_scale(done.values, framework=matrix.framework)
    for name in by:
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = (done.values[name] / natural[name]).abs()
        if matrix.framework.indicator(name).scale == "identity":  # a factor leaves errors of logs as they are
            work.error[name] = work.error[name] * factor
        work.x[name] = after[name]
    work.changes.append(done.changes)
    work.told.append(done.text)


def _impute(work: _Work, matrix: IndicatorMatrix, spec: IndexSpec) -> None:
    framework, areas = matrix.framework, work.x.index[:-1]
    names = list(work.x.columns)
    homes = {n: framework.indicator(n).outcome for n in names}
    given = dict(spec.directions)
    groups = matrix.areas.get(spec.groups)
    before = work.x.loc[areas]
    done = impute(
        before,
        method=spec.impute.among(names),
        groups=groups,
        blocks={n: framework.domain_of(home) for n, home in homes.items()},
        directions={n: framework.indicator(n).direction or given.get(n, 1) for n in names},
        rng=np.random.default_rng(SEED),
    )
    filled = before.isna() & done.values.notna()
    spread = before[work.base[areas].to_numpy()].std(ddof=1)
    unsure = pd.DataFrame(np.broadcast_to(spread.to_numpy(), before.shape), index=areas, columns=names).copy()
    if done.draws is not None:
        for cell, sd in zip(done.changes.itertuples(), done.draws.std(axis=0, ddof=1), strict=True):
            if sd > 0:
                unsure.at[cell.unit, cell.indicator] = sd
    work.x.loc[areas] = done.values
    work.error.loc[areas] = work.error.loc[areas].mask(filled, unsure)
    work.changes.append(done.changes)
    work.told.append(done.text)


def _screen(work: _Work, spec: IndexSpec) -> None:
    """Places left out keep their rows, without figures and without a rank."""
    if spec.screen is None:  # pragma: no cover - asked before
        return
    areas = work.x.index[:-1]
    done = screen(
        work.x.loc[areas],
        availability=spec.screen.availability,
        nonzero=spec.screen.nonzero,
        by=spec.screen.by,
        forced=dict(spec.screen.forced),
    )
    gone = areas.difference(done.values.index)
    work.x.loc[gone], work.error.loc[gone] = np.nan, np.nan
    work.base[gone] = False
    work.changes.append(done.changes)
    work.told.append(done.text)


def _normalised(
    work: _Work, matrix: IndicatorMatrix, spec: IndexSpec, names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and errors: by the base period's line, or by the curve that treatment and normalisation give."""
    framework, given = matrix.framework, dict(spec.directions)
    sign = pd.Series({n: float(framework.indicator(n).direction or given.get(n, 1)) for n in names})
    scores, errors = work.x.astype(float).copy(), work.error.astype(float).copy()
    treated = work.x
    curved = [n for n in names if spec.treat.of(n).key() != "none"]
    if curved:
        done = treat(work.x.loc[work.base, curved], method={n: spec.treat.of(n) for n in curved})
        moved = done.details.set_index("indicator")
        lost = [n for n in curved if moved.at[n, "transform"] and isinstance(spec.normalise.of(n), Reference)]
        if lost:
            message = (
                f"treat: {len(lost)} indicators were transformed ({several(lost)}), and the base period's standard is "
                "not of transformed figures; winsorise them, or normalise them by 'zscore' or 'minmax'"
            )
            raise SpecError(message)
        treated = work.x.copy()
        treated.loc[work.base, curved] = done.values
        rest = ~work.base
        for name in curved:
            treated.loc[rest, name] = _follow(work.x, treated, name, work.base, work.x.loc[rest, name].to_numpy(float))
        work.changes.append(done.changes)
        work.told.append(done.text)
    straight = [n for n in names if isinstance(spec.normalise.of(n), Reference)]
    for name in straight:
        line, standard = spec.normalise.of(name), matrix.reference.loc[name]
        factor = sign[name] * line.sd / standard["scale"]  # type: ignore[attr-defined]
        scores[name] = line.mean + factor * (treated[name] - standard["centre"])  # type: ignore[attr-defined]
        errors[name] = _through(work, treated, name) * abs(factor)
    other = [n for n in names if n not in set(straight)]
    if other:
        done = normalise(
            treated.loc[work.base, other], method={n: spec.normalise.of(n) for n in other}, directions=sign[other]
        )
        for name in other:
            scores.loc[work.base, name] = done.values[name]
            rest = ~work.base
            scores.loc[rest, name] = _follow(work.x, scores, name, work.base, work.x.loc[rest, name].to_numpy(float))
            errors[name] = _through(work, scores, name)
        work.told.append(done.text)
    return scores, errors


def _follow(before: pd.DataFrame, after: pd.DataFrame, name: str, base: pd.Series, x: Floats) -> Floats:
    """Where figures lie on the curve that the base places draw; straight on beyond its ends."""
    known = base & before[name].notna()
    points, first = np.unique(before.loc[known, name].to_numpy(float), return_index=True)
    if len(points) < 2:  # one value everywhere: nothing tells how scores go on from there
        score = after.loc[known, name].to_numpy(float)
        return np.where(x == points[0], score[0], np.nan) if len(points) else np.full(len(x), np.nan)
    return along(x, points, after.loc[known, name].to_numpy(float)[first])


def _through(work: _Work, after: pd.DataFrame, name: str) -> Floats:
    """Errors of figures after a curve: half of what figures plus and minus their errors are apart."""
    x, s = work.x[name].to_numpy(float), work.error[name].to_numpy(float)
    if after is work.x or after[name].equals(work.x[name]):
        return s
    up, down = (_follow(work.x, after, name, work.base, x + k * s) for k in (1, -1))
    return np.abs(up - down) / 2


def _capped(scores: pd.DataFrame, errors: pd.DataFrame, spec: IndexSpec) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cap what stands on the base period's scale, in its standard deviations."""
    counted, unsure = scores.copy(), errors.copy()
    for name in scores:
        method = spec.normalise.of(str(name))
        if spec.cap is None or not isinstance(method, Reference):
            continue
        z, s = (scores[name].to_numpy(float) - method.mean) / method.sd, errors[name].to_numpy(float) / method.sd
        counted[name] = method.mean + method.sd * capped(z, spec.cap)
        unsure[name] = method.sd * capped_error(z, s, spec.cap)
    return counted, unsure
