"""A network of outcomes: which go together across areas once all the others are allowed for."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.relations.asking import Asked, ask, computed, withheld
from outcomes_analysis.relations.cautions import near_duplicates, shared_denominator
from outcomes_analysis.relations.network.network_draws import Links, link_intervals, strength_stability
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sentences import checked, experimental_domain, marks, measured, own_words, with_capital
from outcomes_analysis.relations.slopes.regression import check_design
from outcomes_analysis.relations.specification import RelationSpec

if TYPE_CHECKING:
    from outcomes_analysis.relations.network.graphical_lasso import Network

Floats = NDArray[np.float64]
Scale = Literal["ranks", "values"]

DRAWS = 500
DROPS = 50  # draws for each share of areas dropped
READABLE, GOOD = 0.25, 0.5  # stability coefficients
SHOWN = 5
NEGLIGIBLE = 1e-10  # of a figure's variance: below it nothing is left once others are allowed for


def outcome_network(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    scale: Scale = "ranks",
    gamma: float = 0.5,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    drops: int = DROPS,
    seed: int = SEED,
) -> RelationResult:
    """Links between three to twenty figures: what two share across areas beyond all the others.

    Parameters
    ----------
    observations, framework, areas
        As in :func:`outcomes_analysis.relations.correlations`.
    spec : RelationSpec
        Outcome and predictors are the figures, all alike; confounders are allowed for first, each in turn. The last
        year counts, and areas with every figure.
    scale : {"ranks", "values"}
        Correlate ranks turned into normal scores, which no single area can sway, or the figures as they are.
    gamma : float
        As in :func:`outcomes_analysis.relations.network.graphical_lasso.ebic_network`.
    level, draws, seed
        Of the intervals by drawing areas again.
    drops : int
        Times that each share of the areas is left out to see whether the order of figures stands; 0 leaves the order
        out of the answer.

    Returns
    -------
    RelationResult
        One row a pair of figures and case: ``node, other``, ``estimate`` (partial correlation, 0 without a link)
        with its interval, ``kept`` (share of draws in which the link is there). ``diagnostics["nodes"]`` has a row a
        figure: ``node, name, domain, contested, experimental``. ``diagnostics["networks"]`` has each
        :class:`outcomes_analysis.relations.network.graphical_lasso.Network` by ``adjusted_for`` and sample,
        ``diagnostics["stability"]`` the correlation-stability coefficient of the sample ``all``,
        unless ``drops`` is 0.

    Raises
    ------
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`; for fewer than three or more than twenty figures, one that
        is the same everywhere, and figures that can be worked out from others.
    """
    nodes = (spec.outcome, *spec.predictors)
    _check_count(len(nodes))
    one = ask(spec, observations=observations, framework=framework, areas=areas, level=level, draws=draws, seed=seed)
    rng = np.random.default_rng([one.further, len(nodes)])
    pairs = list(combinations(range(len(nodes)), 2))
    rows: list[dict[str, Any]] = []
    kept: list[float] = []
    networks: dict[tuple[str, str], Network] = {}
    stability: dict[tuple[str, str], float] = {}
    said = []
    for sample, controls, reason in one.cases():
        shared = one.shared(sample, controls) | {
            "analysis": "network",
            "scale": "correlation",
            "unit": "partial correlation",
        }
        if reason:
            rows.extend(withheld(shared, reason) for _ in pairs)
            kept.extend(float("nan") for _ in pairs)
            continue
        figures = _figures(one, nodes=nodes, controls=controls, keep=one.keep(sample), scale=scale)
        network, links = _network(one, figures, nodes=nodes, held=len(controls), gamma=gamma)
        method = "graphical lasso by EBIC, areas drawn again"
        rows.extend(
            computed(shared, network.weights[i, j], links.lower[i, j], links.upper[i, j], method=method)
            for i, j in pairs
        )
        kept.extend(float(links.kept[i, j]) for i, j in pairs)
        key = shared["adjusted_for"], sample
        networks[key] = network
        if sample == "all":
            if drops:
                stability[key] = strength_stability(
                    figures, network.weights, gamma=gamma, draws=drops, rng=rng, held=len(controls)
                )
            said.append(_sentence(one, network, links, controls=controls, stability=stability.get(key)))
    table = table_of(rows, names=one.names)
    cases = len(table) // len(pairs)
    table.insert(0, "node", [nodes[i] for i, _ in pairs] * cases)
    table.insert(1, "other", [nodes[j] for _, j in pairs] * cases)
    table["kept"] = kept
    quoted = [words for i in one.spec.roles for words in own_words(one.framework.indicator(i))]
    return RelationResult(
        table=table,
        text=checked(" ".join([*said, *_caveats(one, nodes)]), quoted=quoted),
        spec=spec,
        manifest=one.manifest(),
        diagnostics={
            "nodes": _nodes(one, nodes),
            "networks": networks,
            "stability": stability,
            "periods": one.assembled.periods,
            "left_out": one.assembled.left_out,
            "withheld": one.assembled.withheld,
        },
        data=one.assembled.data,
    )


def _nodes(one: Asked, nodes: tuple[str, ...]) -> pd.DataFrame:
    """What a chart or table needs to say of each figure, in the order of the network."""
    rows = []
    for indicator in (one.framework.indicator(node) for node in nodes):
        domain = one.framework.domain_of(indicator.outcome) if indicator.outcome else ""
        rows.append(
            {
                "node": indicator.id,
                "name": one.names[indicator.id],
                "domain": domain,
                "contested": bool(indicator.contested),
                "experimental": bool(experimental_domain(indicator, framework=one.framework)),
            }
        )
    return pd.DataFrame(rows)


def _check_count(count: int) -> None:
    from outcomes_analysis.relations.network.graphical_lasso import MOST_NODES

    if not 3 <= count <= MOST_NODES:
        message = (
            f"{count} figures are named; a network needs three, and with some 150 authorities more than {MOST_NODES} "
            "cannot be told apart. Name one outcome and two to nineteen predictors."
        )
        raise RelationError(message)


def _figures(
    one: Asked, *, nodes: tuple[str, ...], controls: tuple[str, ...], keep: NDArray[np.bool_], scale: Scale
) -> Floats:
    """Figures on the scale on which they are correlated, with what is allowed for taken off."""
    data = one.assembled.data.loc[keep, [*nodes, *controls]]
    constant = [name for name in data if np.ptp(data[name].to_numpy(float)) == 0]
    if constant:
        message = f"The same in all {len(data)} authorities: {several(constant)}. Leave out what does not vary."
        raise RelationError(message)
    if scale == "ranks":
        from scipy.special import ndtri

        values = ndtri((data.rank().to_numpy(float) - 0.375) / (len(data) + 0.25))  # Blom's normal scores
    else:
        values = ((data - data.mean()) / data.std()).to_numpy(float)
    figures, held = values[:, : len(nodes)], values[:, len(nodes) :]
    if controls:
        design = np.column_stack([np.ones(len(held)), held])
        check_design(design, names=["constant", *controls])
        before = figures.var(axis=0)
        figures = figures - design @ np.linalg.lstsq(design, figures, rcond=None)[0]
        gone = [name for name, left in zip(nodes, figures.var(axis=0) / before, strict=True) if left < NEGLIGIBLE]
        if gone:
            message = (
                f"Perfectly collinear: {several(gone)} can be worked out from what is allowed for "
                f"({several(controls)}). Allow for less."
            )
            raise RelationError(message)
    return np.asarray(figures)


def _network(one: Asked, figures: Floats, *, nodes: tuple[str, ...], held: int, gamma: float) -> tuple[Network, Links]:
    from outcomes_analysis.relations.network.graphical_lasso import ebic_network

    n = len(figures)
    network = ebic_network(np.asarray(np.corrcoef(figures.T)), n=n - held, nodes=nodes, gamma=gamma)
    drawn = one.drawn if n == one.drawn.shape[1] else one.drawn_again(n)
    return network, link_intervals(figures, drawn=drawn, gamma=gamma, level=one.level, held=held)


def _sentence(one: Asked, network: Network, links: Links, *, controls: tuple[str, ...], stability: float | None) -> str:
    names = one.names
    held = f" and {wording.listed([names[c] for c in controls])}" if controls else ""
    pairs = list(combinations(range(len(network.nodes)), 2))
    there = sorted((p for p in pairs if network.weights[p] != 0), key=lambda p: -abs(network.weights[p]))
    of = wording.plural(len(pairs), "pair", "pairs")
    lead = (
        f"Of {of} of figures {len(there)} {'is' if len(there) == 1 else 'are'} linked across "
        f"{len(one.assembled.data)} authorities once all other figures{held} are allowed for."
    )
    shown = [
        f"{names[network.nodes[i]]} with {names[network.nodes[j]]} {_measured(network, links, i, j, level=one.level)}"
        for i, j in there[:SHOWN]
    ]
    strongest = f" Strongest: {'; '.join(shown)}." if shown else ""
    dense = (
        " The penalty chosen is small, so most links are let in: read the strongest only."
        if network.dense and len(there) > len(pairs) / 2
        else ""
    )
    order = "" if stability is None else f" {_order(one, network, stability)}"
    return f"{lead}{strongest}{dense}{order}"


def _measured(network: Network, links: Links, i: int, j: int, *, level: float) -> str:
    row = {
        "estimate": network.weights[i, j],
        "lower": links.lower[i, j],
        "upper": links.upper[i, j],
        "level": level,
    }
    return measured(pd.Series(row))


def _order(one: Asked, network: Network, stability: float) -> str:
    """Which figure has the strongest links, if the order bears reading."""
    share = wording.number(100 * stability, 0, "%")
    if stability < READABLE:
        return (
            "Which figure has the strongest links cannot be read from it: the order changes once "
            f"{'a twentieth' if stability == 0 else 'more than ' + share} of the authorities are left out."
        )
    first = one.names[network.nodes[int(np.argmax(np.abs(network.weights).sum(axis=0)))]]
    steady = "steady" if stability >= GOOD else "fairly steady"
    return (
        f"{with_capital(first)} has the strongest links in all; the order of figures by this is {steady} (up to "
        f"{share} of the authorities can be left out)."
    )


def _caveats(one: Asked, nodes: tuple[str, ...]) -> list[str]:
    indicators = [one.framework.indicator(node) for node in nodes]
    both = [
        (f"{one.names[a.id]} with {one.names[b.id]}", near_duplicates(a, b), shared_denominator(a, b))
        for a, b in combinations(indicators, 2)
    ]
    same = [pair for pair, duplicate, _ in both if duplicate]
    divided = [pair for pair, duplicate, shared in both if shared and not duplicate]
    said = [
        "A link is a partial association between areas: what two figures share beyond the other figures here. With "
        "other figures in the network other links appear, and a link says nothing about which of the two comes first.",
        "Small links are shrunk to 0, so a missing link is no proof of none; intervals tell how steady a link is, "
        "and take authorities as separate although neighbours are alike.",
    ]
    if same:
        said.append(f"Near-duplicates, which go together by the way they are made: {several(same)}.")
    if divided:
        said.append(f"Divided by the same number of children, so part of a link can be arithmetic: {several(divided)}.")
    if len({i.geography_basis for i in indicators}) > 1:
        said.append("Not all figures are of the same children: some go by where they live, some by their school.")
    return [
        *said,
        *marks([one.framework.indicator(i) for i in one.spec.roles], framework=one.framework),
        wording.AREAS_NOT_CHILDREN,
        wording.EXPLORATION,
    ]
