"""Change of an index between two years: how far, how sure, from which indicators, and what is no change at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from outcomes_analysis.errors import PeriodError, Problems, SpecError, several
from outcomes_analysis.index.building import IndexResult
from outcomes_analysis.index.judging.withholding import withhold_verdicts
from outcomes_analysis.index.reading.decomposing import Cells, cells, difference, exchange, pieces, steepness
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.observations.breaks import break_years
from outcomes_analysis.observations.periods import Kind, parse_period
from outcomes_analysis.observations.scales import Floats
from outcomes_analysis.provenance import RunManifest

Part = Literal["measured", "timing", "revised", "bridged", "present"]
#: What a change can come from, in the order of the table's columns.
PARTS: tuple[Part, ...] = ("measured", "timing", "revised", "bridged", "present")
_SAME = "same"


@dataclass(frozen=True)
class ChangeResult:
    """Change of every node in every area.

    Attributes
    ----------
    table : DataFrame
        One row a node and area: ``node_id, node_label, kind, area_code, area_name, region_name, period_earlier,
        period_later, earlier, later`` (scores); ``estimate`` (their difference: higher = better than before, in
        standard deviations between authorities of the base period), ``lower, upper, level, interval, p_improved``;
        its parts ``measured`` (with ``measured_lower, measured_upper, p_measured_improved``), ``timing, revised,
        bridged, present``, which add up to the estimate; ``england``, the change of England's own score over the
        same time (NaN where either is not known); ``verdict`` and ``status``.
        A verdict is passed on the measured part alone: ``improved`` or ``worsened`` where its interval leaves out
        0, else ``not_clear``; where nothing was measured anew it says what the difference comes from
        (``timing_only, revised_only, bridged_only, present_only``) or ``unchanged``; ``withheld`` where the figures
        do not bear a verdict, with the reason in a column of that name, unless ``overridden``.
    parts : DataFrame
        One row an area, indicator and part of it, for domains, outcomes and the overall: ``node_id, area_code,
        indicator_id, part, contribution, measured_earlier, measured_later, value_earlier, value_later``.
        Contributions of a node and area add up to its estimate.
    bridged : tuple of str
        Indicators whose declared break was bridged because that was asked for.
    text : str
        Findings in words.
    spec : IndexSpec
        Of both indices.
    manifest : RunManifest
        What the later index was made from.
    """

    table: pd.DataFrame
    parts: pd.DataFrame
    bridged: tuple[str, ...]
    text: str
    spec: IndexSpec
    manifest: RunManifest


@dataclass(frozen=True)
class _Figures:
    """The figures of both years behind the nodes, areas by indicators.

    ``kind`` says where a difference of a cell comes from; ``shared`` is the correlation of the errors of the two
    figures: 1 for one and the same, the share of common years for overlapping pooled windows, else 0.
    """

    indicators: pd.Index
    kind: npt.NDArray[np.str_]
    shared: Floats
    measured: tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]
    values: tuple[Floats, Floats]


@dataclass(frozen=True)
class _Split:
    """One part of one node's change: amounts not 0, and the cells they come from."""

    node: str
    part: Part
    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    amounts: Floats


def index_change(
    earlier: IndexResult,
    later: IndexResult,
    *,
    bridge_breaks: bool = False,
    nodes: Sequence[str] | None = None,
    allow: Sequence[str] = (),
) -> ChangeResult:
    """Compare two years of an index on the base period's scale.

    Parameters
    ----------
    earlier, later : IndexResult
        Same framework and specification, standardised on the same base periods.
    bridge_breaks : bool
        Whether to set figures on both sides of a declared break against each other. They then stand as a part of
        their own, named in the text, and no verdict rests on them.
    nodes : sequence of str, optional
        Nodes to compare; all that both have by default. Breaks are looked for in the indicators below them.
    allow : sequence of str
        Nodes on which a verdict is passed although their figures do not bear one; named in the output.

    Returns
    -------
    ChangeResult
        Areas and nodes of both indices; where either score is missing the change is ``not_computed``. Verdicts that
        the figures do not bear are withheld, with the reason, by the rule of the fit-for-purpose cards
        (:func:`~outcomes_analysis.index.judging.withholding.withhold_verdicts`).

    Raises
    ------
    SpecError
        If a declared break lies between two figures used (naming the indicators), the periods are not in order,
        or specification or standards differ.

    Notes
    -----
    A figure that is the same in both years has moved by exactly 0 and its error cancels. Otherwise errors of two
    years are independent, but for pooled windows that share years, whose errors correlate as the share of common
    time. Errors of a doublet move together within a year, as in
    :func:`~outcomes_analysis.index.steps.aggregation.mean_error`; both years' sampling and year-to-year variance count.
    ``p_improved`` is the chance that the true change is above 0 under a flat prior; NaN where nothing is new.

    An indicator's movement counts at the mean of its two weights; what other weights (an indicator come or gone,
    others standing in) add is set against the mean of both scores, as ``present``. For the geometric mean the
    same split is taken of the logarithms and brought back by the logarithmic mean (see
    ``decomposing``); its errors are carried by the delta method. ``timing`` is movement
    of figures whose age differs between the two years: an old figure replaced by a newer one covers more (or less)
    time than the years compared.
    """
    _comparable(earlier, later)
    areas = later.matrix.areas.index[later.matrix.areas.index.isin(earlier.matrix.areas.index)]
    names = [name for name in later.nodes if name in earlier.nodes and (nodes is None or name in nodes)]
    lost = [name for name in nodes or () if name not in names]
    if lost or not names:
        message = (
            f"{len(lost)} nodes are not in both indices: {several(lost)}. Both have {several(later.nodes, limit=9)}."
        )
        raise SpecError(message)
    figures = _figures(earlier, later, areas, names)
    crossed = _crossed(later, figures)
    if crossed and not bridge_breaks:
        labels = [f"{name} (from {year})" for name, year in crossed.items()]
        message = (
            f"{len(crossed)} indicators have a declared break between the figures of {earlier.matrix.period} and "
            f"{later.matrix.period}: {several(labels, limit=12)}. Leave them out of both years, for instance "
            f"IndexSpec(exclude={tuple(crossed)!r}), or pass bridge_breaks=True and have it said in the text."
        )
        raise SpecError(message)
    frames: list[pd.DataFrame] = []
    splits: list[_Split] = []
    for name in names:
        rows, split = _node_change(earlier, later, name, figures, areas)
        frames.append(rows)
        if later.nodes[name].kind != "indicator":
            splits += split
    table, parts = pd.concat(frames, ignore_index=True), _parts_table(splits, areas, figures)
    found = ChangeResult(table, parts, tuple(crossed), "", later.spec, later.manifest)
    return withhold_verdicts(found, framework=later.matrix.framework, allow=allow)


def _comparable(earlier: IndexResult, later: IndexResult) -> None:
    problems = Problems("index_change")
    first, second = earlier.matrix, later.matrix
    if first.period >= second.period:
        problems.add(
            f"the earlier index is of {first.period}, the later of {second.period}; give them in order of time "
            "(compare_indices sets two indices of one year side by side)"
        )
    if earlier.spec.hash != later.spec.hash:
        problems.add("the two were built to different specifications; build both to one (compare_indices takes two)")
    both = first.reference.index.intersection(second.reference.index)
    standards = ["base_period", "centre", "scale"]
    same = first.reference.loc[both, standards].eq(second.reference.loc[both, standards]).all(axis=1)
    if not same.all():
        problems.add(f"{int((~same).sum())} indicators have other standards in the two ({several(both[~same])})")
    if len(second.areas.index.intersection(first.areas.index)) == 0:
        problems.add("the two have no area in common")
    problems.raise_if_any(SpecError)


def _figures(earlier: IndexResult, later: IndexResult, areas: pd.Index, names: list[str]) -> _Figures:
    """Kind of difference and share of error of every cell of the indicators either year uses below the nodes."""
    first, second = earlier.matrix, later.matrix
    used = list(dict.fromkeys(i for index in (later, earlier) for n in names for i in index.nodes[n].weights.index))

    def wide(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.reindex(index=areas, columns=used)

    a, b = wide(first.values).to_numpy(float), wide(second.values).to_numpy(float)
    old, new = (wide(m.measured).to_numpy(dtype=object, na_value="").astype(str) for m in (first, second))
    age = wide(first.age).to_numpy(float), wide(second.age).to_numpy(float)
    both = np.isfinite(a) & np.isfinite(b)
    same_period = old == new
    kind = np.full(a.shape, "present", dtype="<U8")
    kind[both & ~same_period & (age[0] == age[1])] = "measured"
    kind[both & ~same_period & (age[0] != age[1])] = "timing"
    kind[both & same_period] = "revised"
    kind[both & same_period & (a == b)] = _SAME
    for name, year in break_years(later.matrix.framework):
        if name in used:
            at = used.index(name)
            crossed = (first.period - age[0][:, at] < year) & (second.period - age[1][:, at] >= year)
            kind[both[:, at] & crossed, at] = "bridged"
    shared = np.where(same_period & both, 1.0, 0.0)
    fresh = np.nonzero(both & ~same_period)
    shared[fresh] = [_overlap(str(x), str(y)) for x, y in zip(old[fresh], new[fresh], strict=True)]
    return _Figures(pd.Index(used), kind, shared, (old, new), (a, b))


@cache
def _overlap(first: str, second: str) -> float:
    """Share of common time of two periods, 0 to 1."""
    (start0, end0), (start1, end1) = _span(first), _span(second)
    common = max(0, min(end0, end1) - max(start0, start1) + 1)
    return float(common / np.sqrt((end0 - start0 + 1) * (end1 - start1 + 1)))


@cache
def _span(label: str) -> tuple[int, int]:
    """First and last day of a canonical label, as ordinals; any one month of start serves to find an overlap."""
    kinds: tuple[Kind | None, ...] = (None, "academic", "pooled_academic")
    for kind in kinds:
        try:
            period = parse_period(label, kind=kind)
        except PeriodError:
            continue
        return period.start.toordinal(), period.end.toordinal()
    message = f"'{label}' is not a period whose length is known, so two of them cannot be compared."
    raise PeriodError(message)


def _crossed(later: IndexResult, figures: _Figures) -> dict[str, int]:
    """Indicators used on both sides of a declared break, and the year of the last one."""
    crossed = figures.indicators[(figures.kind == "bridged").any(axis=0)]
    return {n: y for n, y in break_years(later.matrix.framework) if n in crossed and y <= later.matrix.period}


def _node_change(
    earlier: IndexResult, later: IndexResult, name: str, figures: _Figures, areas: pd.Index
) -> tuple[pd.DataFrame, list[_Split]]:
    """One node: its rows of the table, and its split into indicators and parts."""
    first, second = np.zeros(len(areas)), np.zeros(len(areas))
    variance, clean = np.zeros(len(areas)), np.zeros(len(areas))
    sums = {part: np.zeros(len(areas)) for part in PARTS}
    found = {part: np.zeros(len(areas), dtype=bool) for part in PARTS}
    splits: list[_Split] = []
    for factor, piece in pieces(later, name):
        a, b = cells(earlier, piece, areas=areas), cells(later, piece, areas=areas)
        union = [*b.indicators, *(i for i in a.indicators if i not in b.indicators)]
        a, b = a.on(union), b.on(union)
        at = figures.indicators.get_indexer(pd.Index(union))
        kind, shared = figures.kind[:, at], figures.shared[:, at]
        moved, counted = difference(a, b)
        first += factor * a.estimate
        second += factor * b.estimate
        variance += factor**2 * _variance(a, b, shared)
        clean += factor**2 * _variance(a, b, shared, only=kind == "measured")
        both = (a.weights > 0) & (b.weights > 0)
        for part in PARTS:
            here = counted if part == "present" else np.where(both & (kind == part), moved, 0.0)
            sums[part] += factor * here.sum(axis=1)
            found[part] |= (np.abs(here) > 0).any(axis=1) if part == "present" else (both & (kind == part)).any(axis=1)
            where = np.nonzero(np.nan_to_num(here))
            splits.append(_Split(name, part, where[0], at[where[1]], factor * here[where]))
    estimate = second - first
    z = norm.ppf(0.5 + later.spec.level / 2)
    error, clean_error = np.sqrt(variance), np.sqrt(clean)
    rows = later.table[later.table["node_id"] == name].set_index("area_code").reindex(areas).reset_index()
    lost = ~np.isfinite(estimate)
    table = rows[["node_id", "node_label", "kind", "area_code", "area_name", "region_name"]].assign(
        period_earlier=earlier.matrix.period,
        period_later=later.matrix.period,
        earlier=first,
        later=second,
        estimate=estimate,
        lower=estimate - z * error,
        upper=estimate + z * error,
        level=later.spec.level,
        interval="figures",
        p_improved=_chance(estimate, error),
        measured=sums["measured"],
        measured_lower=sums["measured"] - z * clean_error,
        measured_upper=sums["measured"] + z * clean_error,
        p_measured_improved=_chance(sums["measured"], np.where(lost, np.nan, clean_error)),
        **{part: sums[part] for part in PARTS[1:]},
        england=rows["england"].to_numpy(float) - _england(earlier, name),
        verdict=_verdicts(sums["measured"], z * clean_error, found, lost),
        status=np.where(lost, "not_computed", rows["status"]),
    )
    table.loc[lost, ["lower", "upper", "measured", "measured_lower", "measured_upper", *PARTS[1:]]] = np.nan
    return table, splits


def _england(index: IndexResult, name: str) -> float:
    """England's own score on a node, NaN where no row holds it."""
    found = index.table.loc[index.table["node_id"] == name, "england"].dropna()
    return float(found.iloc[0]) if len(found) else np.nan


def _variance(first: Cells, second: Cells, shared: Floats, *, only: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Error variance of the difference of two scores, or of the movement of some cells at mean weight."""
    k = exchange(first.estimate, second.estimate, first.method)[:, None]
    if only is None:
        weights = first.weights, second.weights
        # Each score's own slope: K at a single score is the geometric mean over ten.
        ks = tuple(exchange(c.estimate, c.estimate, c.method)[:, None] for c in (first, second))
    else:
        mean = np.where(only & (first.weights > 0) & (second.weights > 0), (first.weights + second.weights) / 2, 0.0)
        weights, ks = (mean, mean), (k, k)
    labels = pd.factorize(np.asarray(second.groups))[0]
    member = np.eye(labels.max() + 1)[labels]
    noise = [
        np.where(w > 0, slope * w * steepness(np.nan_to_num(c.scores), c.method) * c.errors, 0.0)
        for w, slope, c in zip(weights, ks, (first, second), strict=True)
    ]
    own = [(n @ member) ** 2 for n in noise]
    common = [(n * np.sqrt(shared)) @ member for n in noise]
    # Rounding may leave a difference of equal errors a hair below nought.
    return np.asarray(np.maximum((own[0] + own[1] - 2 * common[0] * common[1]).sum(axis=1), 0.0))


def _chance(change: Floats, error: Floats) -> Floats:
    """Chance that the true change is above 0; NaN where nothing is known or nothing is new."""
    known = np.isfinite(change) & (error > 0)
    return np.where(known, norm.cdf(np.divide(change, error, out=np.zeros_like(change), where=known)), np.nan)


def _verdicts(
    measured: Floats, half: Floats, found: dict[Part, npt.NDArray[np.bool_]], lost: npt.NDArray[np.bool_]
) -> npt.NDArray[np.object_]:
    others = [found[part] for part in PARTS[1:]]
    return np.asarray(
        np.select(
            [
                lost,
                found["measured"] & (measured - half > 0),
                found["measured"] & (measured + half < 0),
                found["measured"],
                *others,
            ],
            ["not_computed", "improved", "worsened", "not_clear", *(f"{part}_only" for part in PARTS[1:])],
            default="unchanged",
        ),
        dtype=object,
    )


def _parts_table(splits: list[_Split], areas: pd.Index, figures: _Figures) -> pd.DataFrame:
    """The cells that moved a score, with both figures and when they were measured."""
    none = np.zeros(0, dtype=int)
    rows = np.concatenate([none, *(split.rows for split in splits)])
    columns = np.concatenate([none, *(split.columns for split in splits)])
    sizes = np.array([len(split.rows) for split in splits], dtype=int)
    texts = {
        "node_id": np.repeat(np.array([split.node for split in splits], dtype=str), sizes),
        "area_code": np.asarray(areas, dtype=str)[rows],
        "indicator_id": np.asarray(figures.indicators, dtype=str)[columns],
        "part": np.repeat(np.array([split.part for split in splits], dtype=str), sizes),
    }
    table = pd.DataFrame({k: pd.Series(v, dtype="str") for k, v in texts.items()})
    return table.assign(
        contribution=np.concatenate([np.zeros(0), *(split.amounts for split in splits)]),
        measured_earlier=pd.Series(figures.measured[0][rows, columns], dtype="str"),
        measured_later=pd.Series(figures.measured[1][rows, columns], dtype="str"),
        value_earlier=figures.values[0][rows, columns],
        value_later=figures.values[1][rows, columns],
    )
