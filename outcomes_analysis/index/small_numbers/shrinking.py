"""Small numbers: figures drawn towards those of their like, as far as their own errors warrant, and no further.

The English Indices of Deprivation draw each small area towards its district; here the target may be the mean of all,
a region, neighbours or a known value. The arithmetic is that of
:func:`~outcomes_analysis.observations.shrinkage.empirical_bayes`, column by column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError, Problems, SpecError, several
from outcomes_analysis.index.steps.stepping import StepResult, changed_cells, check_values
from outcomes_analysis.observations.scales import Floats
from outcomes_analysis.observations.shrinkage import FEWEST, Posterior, empirical_bayes
from outcomes_analysis.wording import listed, number

Towards = Literal["mean", "region", "neighbours"]
Spread = Literal["net", "published"]
_STEP = "shrink"


@dataclass(frozen=True, eq=False)
class ShrinkResult(StepResult):
    """Shrunken figures, with what each was drawn towards and how much of it was kept.

    Attributes
    ----------
    values : DataFrame
        Units × indicators, each cell between the published figure and its target.
    targets, kept, errors : DataFrame
        Of the same shape: what each figure was drawn towards; the share of its distance from there that was kept (1 =
        all; NaN where its error or target is unknown, and the figure stays as published); the standard error of the
        shrunken figure (posterior sd, never above the published figure's own).
    reliability : Series
        By indicator: mean of ``kept``, the share of what sets a unit apart that is not noise.
    """

    targets: pd.DataFrame
    kept: pd.DataFrame
    errors: pd.DataFrame
    reliability: pd.Series


@dataclass(frozen=True)
class _Column:
    """One indicator's figures after shrinking."""

    value: Floats
    target: Floats
    kept: Floats
    error: Floats


@dataclass(frozen=True)
class _Plan:
    """What to draw towards, checked against the units."""

    towards: str
    groups: np.ndarray
    links: Floats
    given: pd.DataFrame | None
    spread: Spread
    words: str


def shrink(
    values: pd.DataFrame,
    errors: pd.DataFrame,
    *,
    towards: Towards | pd.Series | pd.DataFrame = "mean",
    groups: pd.Series | None = None,
    neighbours: pd.DataFrame | None = None,
    spread: Spread = "net",
) -> ShrinkResult:
    """Draw figures towards those of their like (normal form, from standard errors).

    Parameters
    ----------
    values : DataFrame
        Units × indicators, on scales where errors are about normal; NaN is missing and stays so.
    errors : DataFrame
        Standard errors, same labels. A figure whose error is unknown stays as published.
    towards : {"mean", "region", "neighbours"}, Series or DataFrame
        The precision-weighted mean of all units, of the unit's group, or of its neighbours; or known values: by
        indicator, by unit, or units × indicators.
    groups : Series, optional
        Unit → group; needed for ``"region"``.
    neighbours : DataFrame, optional
        ``area_code, neighbour_code``, a row a pair (as of :func:`~outcomes_analysis.areas.load_neighbours`); needed
        for ``"neighbours"``. A unit none of whose neighbours has a figure stays as published.
    spread : {"net", "published"}
        Variance of true values about the target. ``net``: restricted maximum likelihood, one for all groups, what
        the errors account for taken off. ``published``: the plain variance of the figures themselves about the
        target, group by group, as the Indices of Deprivation take it; it keeps more.

    Returns
    -------
    ShrinkResult
        No value lies outside its figure and its target. ``details`` has a row an indicator.

    Raises
    ------
    SpecError
        If what ``towards`` needs is missing, or labels do not match.
    ObservationsError
        If a cell is no number or an error is negative.

    Notes
    -----
    ``w = (1/s²) / (1/s² + 1/t²)``, ``m* = w m + (1 - w) M``, with error s of figure m, variance t² of true values
    about target M (Indices of Deprivation, technical reports; Efron and Morris 1975). With fewer than four figures
    nothing is drawn anywhere under ``net``. The standard errors of ``net`` allow for what is not known of M and t²
    (Prasad and Rao 1990); those of ``published`` do not.
    """
    figures, known = check_values(values, step=_STEP), check_values(errors, step=_STEP)
    _same_labels(figures, known, "errors")
    if (known < 0).any(axis=None):
        message = f"`{_STEP}`: negative standard errors in {several(known.columns[(known < 0).any()])}."
        raise ObservationsError(message)
    plan = _planned(figures, towards=towards, groups=groups, neighbours=neighbours, spread=spread)
    columns = {}
    for name in figures:
        y, v = figures[name].to_numpy(float), known[name].to_numpy(float) ** 2
        given = None if plan.given is None else plan.given[name].to_numpy(float)
        columns[str(name)] = _drawn(y, v, plan, given)
    return _result(figures, columns, plan)


def shrink_counts(
    numerators: pd.DataFrame,
    denominators: pd.DataFrame,
    *,
    towards: Towards | pd.Series | pd.DataFrame = "mean",
    groups: pd.Series | None = None,
    neighbours: pd.DataFrame | None = None,
    spread: Spread = "net",
) -> ShrinkResult:
    """Draw shares towards those of their like (logit form, from counts), as the Indices of Deprivation do.

    Parameters
    ----------
    numerators, denominators : DataFrame
        Units × indicators: people with the outcome, and people; same labels. NaN in either is missing.
    towards, groups, neighbours
        As for :func:`shrink`; the target is the share of all people of the group (or of the neighbours) together,
        and known values are shares between 0 and 1.
    spread : {"net", "published"}
        As for :func:`shrink`; ``published`` is the Indices' own.

    Returns
    -------
    ShrinkResult
        Shares between 0 and 1; ``errors`` too are of shares (delta method).

    Raises
    ------
    SpecError, ObservationsError
        As for :func:`shrink`; also for a numerator below 0 or above its denominator.

    Notes
    -----
    ``m = ln((r + .5) / (n - r + .5))``, ``s² = (n + 1)(n + 2) / (n (r + 1)(n - r + 1))``, likewise M from the
    group's totals; then as in :func:`shrink`, and back from the logit. A share of 0 or 1 has a place on the logit
    by the half added, which may lie past the target: the result is held between the share and the target.
    """
    r, n = check_values(numerators, step=_STEP), check_values(denominators, step=_STEP)
    _same_labels(r, n, "denominators")
    wrong = [str(c) for c in r if ((r[c] < 0) | (r[c] > n[c]) | (n[c] <= 0)).any()]
    if wrong:
        message = (
            f"`{_STEP}`: numerators below 0 or above their denominator, or no people at all, in {len(wrong)} "
            f"indicators ({several(wrong)}); set such cells missing."
        )
        raise ObservationsError(message)
    plan = _planned(r, towards=towards, groups=groups, neighbours=neighbours, spread=spread)
    columns = {}
    for name in r:
        given = None if plan.given is None else plan.given[name].to_numpy(float)
        columns[str(name)] = _drawn_share(r[name].to_numpy(float), n[name].to_numpy(float), plan, given)
    return _result(r / n, columns, plan)


def _planned(
    figures: pd.DataFrame,
    *,
    towards: Towards | pd.Series | pd.DataFrame,
    groups: pd.Series | None,
    neighbours: pd.DataFrame | None,
    spread: Spread,
) -> _Plan:
    """Check the target against the units, all faults at once."""
    problems = Problems(f"`{_STEP}`")
    codes, links, given = np.zeros(len(figures), dtype=int), np.zeros((0, 0)), None
    kind = towards if isinstance(towards, str) else "given"
    words = "values given"
    if kind == "mean":
        words = "the mean of all"
    elif kind == "region":
        words = "the mean of their group"
        placed = pd.Series(index=figures.index, dtype=object) if groups is None else groups.reindex(figures.index)
        lost = placed.index[placed.isna()]
        if len(lost):
            problems.add(f"{len(lost)} units have no group ({several(lost)}); `groups` names one for each unit")
        codes = pd.factorize(placed)[0]
    elif kind == "neighbours":
        words = "the mean of their neighbours"
        if neighbours is None or not {"area_code", "neighbour_code"} <= set(neighbours):
            problems.add("`neighbours` must be a table with area_code and neighbour_code")
        else:
            links = _linked(figures.index, neighbours)
    elif kind == "given" and not isinstance(towards, str):
        given = _given(towards, figures, problems)
    else:
        problems.add(f"no target '{kind}'; there are mean, region, neighbours, or values of your own")
    problems.raise_if_any(SpecError)
    return _Plan(kind, codes, links, given, spread, words)


def _linked(units: pd.Index, neighbours: pd.DataFrame) -> Floats:
    rows = units.get_indexer(neighbours["area_code"])
    columns = units.get_indexer(neighbours["neighbour_code"])
    links = np.zeros((len(units), len(units)))
    both = (rows >= 0) & (columns >= 0) & (rows != columns)
    links[rows[both], columns[both]] = 1.0
    return links


def _given(towards: pd.Series | pd.DataFrame, figures: pd.DataFrame, problems: Problems) -> pd.DataFrame | None:
    """Known targets as a frame labelled as the figures."""
    if isinstance(towards, pd.DataFrame):
        if set(figures.index) <= set(towards.index) and set(figures.columns) <= set(towards.columns):
            return towards.reindex(index=figures.index, columns=figures.columns)
        problems.add("the frame of targets lacks some units or indicators of the figures")
    elif set(figures.columns) <= set(towards.index):
        row = towards.reindex(figures.columns).to_numpy(float)
        return pd.DataFrame(np.tile(row, (len(figures), 1)), index=figures.index, columns=figures.columns)
    elif set(figures.index) <= set(towards.index):
        column = towards.reindex(figures.index).to_numpy(float)
        return pd.DataFrame(dict.fromkeys(figures, column), index=figures.index)
    else:
        problems.add("the labels of the targets are neither all indicators nor all units of the figures")
    return None


def _drawn(y: Floats, v: Floats, plan: _Plan, given: Floats | None) -> _Column:
    """One column in normal form."""
    known = np.isfinite(y) & np.isfinite(v)
    # In units of the largest variance; a figure known exactly outweighs the others without bounds being broken.
    unit = float(np.max(v, initial=0.0, where=known)) or 1.0
    precision = np.where(known, 1.0 / np.maximum(np.nan_to_num(v) / unit, 1e-12), 0.0)
    filled = np.where(known, y, 0.0)
    vague = np.zeros(len(y))
    target = given
    if plan.towards == "neighbours":
        target, vague = _ratio(plan.links @ (precision * filled), plan.links @ precision), plan.links @ precision
        vague = unit * _ratio(np.ones(len(y)), vague)
    elif plan.spread == "published" and given is None:
        together = _by_group(np.column_stack([precision * filled, precision]), plan.groups)
        target = _ratio(together[:, 0], together[:, 1])
    if plan.spread == "published":
        return _published(y, v, target if target is not None else y, plan, estimated=given is None)
    if target is not None:
        return _column(y, v, empirical_bayes(y, v, prior_mean=target), vague)
    there = np.unique(plan.groups[known])
    if known.sum() < len(there) + FEWEST - 1:
        nowhere = np.full(len(y), np.nan)
        return _Column(value=y, target=nowhere, kept=np.where(known, 1.0, np.nan), error=np.sqrt(v))
    # A group without a figure has no mean to draw towards; nothing in it has a figure either.
    member = (plan.groups[:, None] == there[None, :]).astype(float)
    member[member.sum(axis=1) == 0, 0] = 1.0
    return _column(y, v, empirical_bayes(y, v, covariates=member), vague)


def _column(y: Floats, v: Floats, found: Posterior, vague: Floats) -> _Column:
    """Keep what could not be drawn anywhere as published; add what is not known of an estimated target."""
    drawn = np.isfinite(found.mean)
    more = np.where(drawn, (1 - found.reliability) ** 2 * np.nan_to_num(vague), 0.0)
    error = np.sqrt(np.fmin(found.mse + more, v))
    return _Column(
        value=np.where(drawn, found.mean, y),
        target=np.where(drawn, found.prior_mean, np.nan),
        kept=found.reliability,
        error=np.where(drawn, error, np.sqrt(v)),
    )


def _published(y: Floats, v: Floats, target: Floats, plan: _Plan, *, estimated: bool) -> _Column:
    """Weights from the plain variance of the figures about the target, group by group."""
    known = np.isfinite(y) & np.isfinite(v) & np.isfinite(target)
    squares = np.where(known, (y - target) ** 2, 0.0)
    together = _by_group(np.column_stack([squares, known.astype(float)]), plan.groups)
    between = _ratio(together[:, 0], together[:, 1] - (1.0 if estimated else 0.0))
    total = between + v
    # Known exactly, and no spread: nothing to draw. A group of one has no spread at all, and stays as published.
    kept = np.divide(between, total, out=np.where(total == 0, 1.0, np.nan), where=total > 0)
    drawn = known & np.isfinite(kept)
    mean = np.clip(kept * y + (1 - kept) * target, np.fmin(y, target), np.fmax(y, target))
    return _Column(
        value=np.where(drawn, mean, y),
        target=np.where(drawn, target, np.nan),
        kept=np.where(drawn, kept, np.nan),
        error=np.where(drawn, np.sqrt(kept * v), np.sqrt(v)),
    )


def _drawn_share(r: Floats, n: Floats, plan: _Plan, given: Floats | None) -> _Column:
    """One column in logit form."""
    known = np.isfinite(r) & np.isfinite(n)
    counts = np.column_stack([np.where(known, r, 0.0), np.where(known, n, 0.0)])
    if given is not None:
        share = np.clip(given, 1e-9, 1 - 1e-9)
        target = np.log(share / (1 - share))
    else:
        totals = plan.links @ counts if plan.towards == "neighbours" else _by_group(counts, plan.groups)
        target = np.where(totals[:, 1] > 0, _logit(totals[:, 0], totals[:, 1]), np.nan)
    m, s2 = _logit(r, n), (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))
    if plan.spread == "published":
        column = _published(m, s2, target, plan, estimated=given is None)
    else:
        column = _column(m, s2, empirical_bayes(m, s2, prior_mean=target), np.zeros(len(r)))
    raw, middle, back = r / n, _expit(column.target), _expit(column.value)
    drawn = np.isfinite(middle)
    held = np.clip(back, np.fmin(raw, middle), np.fmax(raw, middle))
    return _Column(
        value=np.where(drawn, held, raw),
        target=middle,
        kept=column.kept,
        error=column.error * back * (1 - back),
    )


def _logit(r: Floats, n: Floats) -> Floats:
    return np.log((r + 0.5) / (n - r + 0.5))


def _expit(x: Floats) -> Floats:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Quotient, NaN where the divisor is not positive."""
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)


def _by_group(columns: Floats, groups: np.ndarray) -> Floats:
    """Sums of each column over the unit's group, one row a unit."""
    sums = np.zeros((int(groups.max(initial=0)) + 1, columns.shape[1]))
    np.add.at(sums, groups, columns)
    return sums[groups]


def _result(figures: pd.DataFrame, columns: dict[str, _Column], plan: _Plan) -> ShrinkResult:
    def frame(part: str) -> pd.DataFrame:
        parts = [getattr(column, part) for column in columns.values()]
        return pd.DataFrame(np.column_stack(parts), index=figures.index, columns=figures.columns)

    values, targets, kept, errors = (frame(part) for part in ("value", "target", "kept", "error"))
    reliability = kept.mean().rename("reliability")
    details = pd.DataFrame(
        {
            "reliability": reliability,
            "drawn": kept.notna().sum(),
            "as_published": (figures.notna() & kept.isna()).sum(),
            "largest_move": (values - figures).abs().max(),
        }
    )
    words = f"{plan.words}, variance {'net of errors' if plan.spread == 'net' else 'of the figures as published'}"
    left = int(details["as_published"].sum())
    stay = f" {left} figures stay as published, for their error or target is unknown." if left else ""
    text = f"Figures are drawn towards {plan.words} as far as their errors warrant.{_least(reliability)}{stay}"
    return ShrinkResult(
        values=values,
        changes=changed_cells(figures, values, step=_STEP, what="drawn", parameters=words),
        text=text,
        details=details,
        targets=targets,
        kept=kept,
        errors=errors,
        reliability=reliability,
    )


def _least(reliability: pd.Series) -> str:
    known: pd.Series = reliability.dropna()
    if known.empty:
        return ""
    least = known.sort_values(kind="stable").head(3)
    named = listed([f"{name} {number(value, 2)}" for name, value in least.items()])
    return f" Reliability is {number(float(known.median()), 2)} at the median; lowest: {named}."


def _same_labels(a: pd.DataFrame, b: pd.DataFrame, name: str) -> None:
    if not (a.index.equals(b.index) and a.columns.equals(b.columns)):
        message = f"`{_STEP}`: the {name} must have the same units and indicators, in the same order, as the values."
        raise SpecError(message)
