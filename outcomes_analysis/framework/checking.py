"""Whether nodes and indicators make a sound framework: every fault, each with its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import chain

from outcomes_analysis.errors import FrameworkError, Problems, several
from outcomes_analysis.framework.model import Framework, Indicator, Node


def check_framework(framework: Framework, *, where: str = "") -> Framework:
    """Return a framework unchanged, once it is certain that it is sound.

    Parameters
    ----------
    framework : Framework
    where : str
        File named in the error; the framework's id if empty.

    Returns
    -------
    Framework

    Raises
    ------
    FrameworkError
        Naming every fault at once.
    """
    problems = Problems(where or f"framework '{framework.id}'")
    for message in faults(framework.nodes, framework.indicators):
        problems.add(message)
    problems.raise_if_any(FrameworkError)
    return framework


def faults(nodes: Sequence[Node], indicators: Sequence[Indicator]) -> list[str]:
    """Everything wrong with the tree and its leaves taken together.

    Parameters
    ----------
    nodes, indicators : sequence
        Each sound in itself.

    Returns
    -------
    list of str
        One message a fault, with the id it concerns and what to do; empty if there is none.
    """
    parents = {node.id: node.parent for node in nodes}
    homes = _domains(parents)
    messages = chain(
        _twice("node", [n.id for n in nodes]),
        _twice("indicator", [i.id for i in indicators]),
        _shared_ids(nodes, indicators),
        _missing_parents(nodes),
        _cycles(parents),
        *(_home_faults(indicator, homes) for indicator in indicators),
        *(_direction_faults(indicator) for indicator in indicators),
        _layer_faults(nodes, indicators),
        *(_number_faults(indicator) for indicator in indicators),
        _lonely_doublets(indicators),
        _unknown_cohorts(indicators),
    )
    return list(messages)


def _twice(kind: str, ids: Sequence[str]) -> Iterator[str]:
    for name, count in Counter(ids).items():
        if count > 1:
            yield f"{kind} '{name}' is defined {count} times; keep one or rename the others"


def _shared_ids(nodes: Sequence[Node], indicators: Sequence[Indicator]) -> Iterator[str]:
    for name in sorted({n.id for n in nodes} & {i.id for i in indicators}):
        yield f"'{name}' names both a node and an indicator; rename one of them"


def _missing_parents(nodes: Sequence[Node]) -> Iterator[str]:
    ids = [node.id for node in nodes]
    for node in nodes:
        if node.parent is not None and node.parent not in ids:
            yield f"node '{node.id}': its parent '{node.parent}' is not defined{_hint(node.parent, ids)}"


def _cycles(parents: dict[str, str | None]) -> Iterator[str]:
    told: set[str] = set()
    for start in parents:
        path = [start]
        while (above := parents.get(path[-1])) is not None and above not in path:
            path.append(above)
        if above is None or path[-1] in told:
            continue
        cycle = path[path.index(above) :]
        told.update(path)
        yield f"nodes go round in a circle: {' < '.join([*cycle, cycle[0]])}; give one of them another parent, or none"


def _domains(parents: dict[str, str | None]) -> dict[str, str]:
    """Root above each node; nodes in a circle or below a missing parent have none."""
    homes: dict[str, str] = {}
    for start in parents:
        node, steps = start, 0
        while (above := parents.get(node)) is not None and steps <= len(parents):
            node, steps = above, steps + 1
        if node in parents and steps <= len(parents):
            homes[start] = node
    return homes


def _home_faults(indicator: Indicator, homes: dict[str, str]) -> Iterator[str]:
    who = f"indicator '{indicator.id}'"
    roots = sorted(set(homes.values()))
    for domain in indicator.domains:
        if domain not in roots:
            yield f"{who}: unknown domain '{domain}'; the domains are {several(roots)}"
    if len(set(indicator.domains)) < len(indicator.domains):
        yield f"{who}: a domain is named twice in `domains`; name each once, the primary one first"
    if not indicator.outcome:
        if indicator.tier != "context":
            yield f"{who}: has no outcome; name one, or give it `tier: context`"
        return
    if indicator.tier == "context":
        yield f"{who}: a context indicator belongs to no outcome; leave `outcome` out, or change its tier"
    if indicator.outcome not in homes:
        yield f"{who}: unknown outcome '{indicator.outcome}'{_hint(indicator.outcome, homes)}"
        return
    home = homes[indicator.outcome]
    if not indicator.domains:
        yield f"{who}: names no domain; write `domains: [{home}]`"
    elif indicator.domains[0] != home:
        first = indicator.domains[0]
        yield f"{who}: its primary domain is '{first}' but its outcome lies in '{home}'; put '{home}' first"


def _direction_faults(indicator: Indicator) -> Iterator[str]:
    who = f"indicator '{indicator.id}'"
    if indicator.contested and indicator.direction == 0:
        yield f"{who}: `contested` says why a direction is disputed, but it has none; use `cannot_tell`"
    if indicator.measure_of == "activity" and indicator.direction != 0:
        yield f"{who}: counts activity, which is neither good nor bad; give it `direction: 0`"
    if indicator.tier == "core" and indicator.measure_of == "outcome" and indicator.layer != "child":
        yield f"{who}: an outcome is a child's; in layer '{indicator.layer}' use another `measure_of` (such as enabler)"


def _layer_faults(nodes: Sequence[Node], indicators: Sequence[Indicator]) -> Iterator[str]:
    layers = {node.id: node.layer for node in nodes}
    for indicator in indicators:
        layer = layers.get(indicator.outcome, indicator.layer)
        if layer != indicator.layer:
            yield (
                f"indicator '{indicator.id}': is in layer '{indicator.layer}' but its outcome '{indicator.outcome}' "
                f"is in '{layer}'; give both the same"
            )


def _number_faults(indicator: Indicator) -> Iterator[str]:
    who = f"indicator '{indicator.id}'"
    low, high = indicator.valid_range
    if not low < high:
        yield f"{who}: valid_range [{low:g}, {high:g}] is empty; give the lowest value first"
    if indicator.scale == "logit" and (low < 0 or high > indicator.per):
        yield f"{who}: scale logit needs values between 0 and {indicator.per:g}, not {low:g} to {high:g}; use another"
    if indicator.scale == "log" and low < 0:
        yield f"{who}: scale log needs values of 0 or more, not from {low:g}; use identity"
    sampling = indicator.sampling
    if sampling.model.startswith("cohort_") and sampling.cohort_share is None:
        yield f"{who}: sampling model {sampling.model} needs `cohort_share`"
    if sampling.model == "cohort_mean" and sampling.sd is None:
        yield f"{who}: sampling model cohort_mean needs `sd`, the standard deviation between children"
    for group, spread in sampling.sd_of.items():
        if group.count("/") != 1 or not spread > 0:
            yield f"{who}: sd_of has '{group}: {spread:g}'; write group_type/group and a standard deviation above 0"
    if not indicator.base_period.strip():
        yield f"{who}: base_period is empty; name a period as in the data, such as '2022/23' or '2023-03-31'"


def _lonely_doublets(indicators: Sequence[Indicator]) -> Iterator[str]:
    members: dict[str, list[Indicator]] = {}
    for indicator in indicators:
        if indicator.doublet:
            members.setdefault(indicator.doublet, []).append(indicator)
    for name, group in members.items():
        ids = several(i.id for i in group)
        if len(group) == 1:
            yield f"doublet '{name}' has one member only ({ids}); name its near-duplicate too, or leave it out"
        if len({i.outcome for i in group}) > 1:
            yield f"doublet '{name}' spreads over several outcomes ({ids}); near-duplicates share one outcome"


def _unknown_cohorts(indicators: Sequence[Indicator]) -> Iterator[str]:
    known = [i.id for i in indicators]
    for indicator in indicators:
        followed = indicator.sampling.cohort_follows
        if followed and (followed not in known or indicator.sampling.cohort_share is None):
            reason = "needs `cohort_share` too" if followed in known else f"names no indicator{_hint(followed, known)}"
            yield f"indicator '{indicator.id}': cohort_follows '{followed}' {reason}"


def _hint(name: str, known: Sequence[str] | dict[str, str]) -> str:
    near = get_close_matches(name, list(known), n=2, cutoff=0.5)
    return f"; did you mean {several(near)}?" if near else "; define it, or correct the name"
