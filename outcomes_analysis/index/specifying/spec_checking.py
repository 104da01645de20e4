"""A specification against a matrix: every name it uses must be there, and what it asks must fit together."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from outcomes_analysis.errors import Problems, SpecError, several
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.specifying.spec_parts import Reference
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.weighting import Given


def taking_part(matrix: IndicatorMatrix, spec: IndexSpec) -> list[str]:
    """Indicators that enter, after the specification's additions and omissions.

    Parameters
    ----------
    matrix : IndicatorMatrix
    spec : IndexSpec

    Returns
    -------
    list of str
        In the matrix's order.

    Raises
    ------
    SpecError
        Everything that does not fit at once: unknown indicators and nodes, neutral indicators without a direction,
        a base period's scale where there is none, denominators that are not there, nothing left.
    """
    problems = Problems("index specification")
    _check_names(matrix, spec, problems)
    _check_included(matrix, spec, problems)
    kept = _kept(matrix, spec)
    if not kept:
        problems.add("no indicator is left after the specification's omissions")
    based = [n for n in kept if isinstance(spec.normalise.of(n), Reference)]
    baseless = [n for n in based if n not in matrix.reference.index]
    if baseless:
        problems.add(
            f"normalise: {len(baseless)} indicators have no base period here ({several(baseless)}), as 'reference' "
            "needs; choose another method for them, 'zscore' or 'minmax' say"
        )
    _check_denominators(matrix, spec, problems)
    problems.raise_if_any(SpecError)
    return kept


def _kept(matrix: IndicatorMatrix, spec: IndexSpec) -> list[str]:
    framework, kept = matrix.framework, []
    for name in matrix.values.columns:
        indicator = framework.indicator(name)
        if name in spec.exclude or not (indicator.scored or name in spec.include):
            continue
        if spec.contested == "exclude" and indicator.contested and name not in spec.include:
            continue
        if indicator.outcome:
            kept.append(str(name))
    return kept


def _check_names(matrix: IndicatorMatrix, spec: IndexSpec, problems: Problems) -> None:
    """Every id must be one of the framework's: of an indicator, or of a node, as the step has it."""
    framework = matrix.framework
    indicators, nodes = [i.id for i in framework.indicators], [n.id for n in framework.nodes]
    by_indicator = {
        "include": spec.include,
        "exclude": spec.exclude,
        "directions": dict(spec.directions),
        "impute": spec.impute.names,
        "treat": spec.treat.names,
        "normalise": spec.normalise.names,
        "denominate": dict(spec.denominate.by) if spec.denominate is not None else (),
    }
    by_node = {
        "weights": spec.weights.names,
        "aggregate": spec.aggregate.names,
        "availability_of": dict(spec.availability_of),
    }
    for what, names in by_indicator.items():
        _unknown(what, names, indicators, "indicators", problems)
    for what, names in by_node.items():
        _unknown(what, names, nodes, "nodes", problems)
    for method in spec.weights.methods:
        if isinstance(method, Given):
            _unknown("weights", dict(method.weights), [*indicators, *nodes], "indicators or nodes", problems)


def _unknown(what: str, names: Iterable[str], known: list[str], kind: str, problems: Problems) -> None:
    there = set(known)
    lost = [name for name in names if name not in there]
    if lost:
        near = get_close_matches(lost[0], known, n=2, cutoff=0.6)
        hint = f"; did you mean {several(near)}?" if near else ""
        problems.add(f"{what}: {len(lost)} {kind} named in the specification are unknown: {several(lost)}{hint}")


def _check_included(matrix: IndicatorMatrix, spec: IndexSpec, problems: Problems) -> None:
    framework = matrix.framework
    known = {i.id for i in framework.indicators}
    absent = [n for n in spec.include if n in known and n not in matrix.values.columns]
    if absent:
        problems.add(
            f"include: not in the matrix: {several(absent)}. Pass them to build_matrix(..., include=[...]) as well"
        )
    given = dict(spec.directions)
    neutral = [n for n in spec.include if n in known and framework.indicator(n).direction == 0 and n not in given]
    if neutral:
        problems.add(
            f"include: {several(neutral)} have no agreed direction. Say which way is better, for instance "
            f"directions={{'{neutral[0]}': -1}}, and say so wherever the result is shown"
        )


def _check_denominators(matrix: IndicatorMatrix, spec: IndexSpec, problems: Problems) -> None:
    if spec.denominate is None:
        return
    there = [] if matrix.denominators is None else list(matrix.denominators.columns)
    lost = sorted({by for _, by in spec.denominate.by if by not in there})
    if lost:
        problems.add(
            f"denominate: the matrix has no denominators {several(lost)}; it has {several(there)}. "
            "Pass them to matrix_of(..., denominators=...)"
        )
