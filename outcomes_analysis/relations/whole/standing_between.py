"""The part of the page on other figures: those linked with both once all the others are allowed for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.relations.asking import Asked
from outcomes_analysis.relations.cautions import shared_denominator
from outcomes_analysis.relations.network.networks import outcome_network
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sample import USABLE
from outcomes_analysis.relations.sentences import is_clear, levels, marked_name, measured, own_words, spanned
from outcomes_analysis.relations.whole.parts import Part, seed_of

Links = dict[frozenset[str], "pd.Series[Any]"]

MOST = 10  # other figures: with some 150 authorities a network of a dozen can be told from chance
LEAST_SHARE = 0.95  # of the authorities of the question that must have a figure: each further one loses some
DRAWS = 200  # areas drawn again: the ends of an interval are then good to about a tenth of its width
SHOWN = 2  # of those linked with both, where none is so steadily


def others_part(asked: Asked, *, areas: pd.DataFrame, controls: tuple[str, ...]) -> Part:
    """Set the pair among the figures that go most closely with both, and say which are linked with both.

    Parameters
    ----------
    asked, areas
        As in :func:`~.standing_beside.map_part`.
    controls : tuple of str
        Allowed for in the question; here they are figures among the others, since they too can stand between.

    Raises
    ------
    RelationError
        If there are no other figures to set beside the pair, or no network can be had.
    """
    chosen = figures_beside(asked)
    if not chosen:
        message = "No other scored figure of the framework is there in that year for the same authorities."
        raise RelationError(message)
    spec = asked.spec.replace(
        predictors=(asked.spec.predictor, *(i for i in controls if i in asked.assembled.data), *chosen),
        years=(asked.spec.year,),
        confounders=(),
        mediators=(),
        colliders=(),
        samples=("all",),
    )
    network = outcome_network(
        asked.observations,
        spec=spec,
        framework=asked.framework,
        areas=areas,
        level=asked.level,
        draws=DRAWS,
        drops=0,  # the page does not speak of the order of figures
        seed=seed_of(asked),
    )
    links: Links = {frozenset((row["node"], row["other"])): row for _, row in network.table.iterrows()}
    direct = links[frozenset((spec.predictor, spec.outcome))]
    others = [i for i in spec.predictors if i != spec.predictor]
    between = sorted(
        (i for i in others if all(links[frozenset((i, end))]["estimate"] for end in (spec.predictor, spec.outcome))),
        key=lambda i: -min(abs(links[frozenset((i, end))]["estimate"]) for end in (spec.predictor, spec.outcome)),
    )
    named = [asked.framework.indicator(i) for i in between]
    said = [
        _lead(asked, network, chosen=chosen, held=[i for i in others if i not in chosen]),
        _direct(asked, direct),
        _between(asked, links, between),
        _caveat(asked, named),
    ]
    row = {c: direct[c] for c in ("sample", "n", "level", "scale", "unit", "estimate", "lower", "upper", "interval")}
    row |= {c: direct[c] for c in ("p_value", "method", "status", "reason", "analysis")}
    row["adjusted_for"] = "+".join(others)
    names = {i: asked.framework.indicator(i) for i in others}
    rows = table_of([row], names={i: marked_name(one, framework=asked.framework) for i, one in names.items()})
    quoted = tuple(words for i in others for words in own_words(names[i]))
    return Part("\n".join(s for s in said if s), rows, {"network": network}, quoted)


def figures_beside(asked: Asked) -> list[str]:
    """Ids of the other figures to set beside a pair: those whose weaker rank correlation with the two is strongest.

    Scored figures of children, of the question's year and for nearly all of its authorities; near-duplicates once and
    never those of the pair; what is named as following from both is left out, what may lie between is always in.

    Parameters
    ----------
    asked : Asked
    """
    data, spec = asked.assembled.data, asked.spec
    pair = (asked.predictor, asked.outcome)
    taken = {i.doublet for i in pair if i.doublet}
    roles = spec.roles
    candidates = [
        i
        for i in asked.framework.indicators
        if ((i.scored and i.layer == "child") or roles.get(i.id) == "mediator")
        and i.doublet not in taken - {""}
        and roles.get(i.id, "mediator") == "mediator"
    ]
    figures = _figures(asked, [i.id for i in candidates])
    strength: dict[str, float] = {}
    for one in candidates:
        if one.id not in figures or figures[one.id].notna().mean() < LEAST_SHARE or figures[one.id].nunique() < 3:
            continue
        ranks = data[[spec.predictor, spec.outcome]].corrwith(figures[one.id], method="spearman").abs()
        strength[one.id] = float("inf") if roles.get(one.id) == "mediator" else float(ranks.min())
    chosen: list[str] = []
    for name in sorted(strength, key=lambda i: -strength[i]):
        doublet = asked.framework.indicator(name).doublet
        if doublet not in taken and len(chosen) < MOST:
            chosen.append(name)
            taken |= {doublet} - {""}
    return chosen


def _figures(asked: Asked, ids: list[str]) -> pd.DataFrame:
    observations = asked.observations
    rows = observations[
        observations["indicator_id"].isin(ids)
        & observations["area_code"].isin(asked.assembled.data.index)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
        & observations["status"].isin(USABLE)
        & observations["value"].notna()
        & observations["period_end"].dt.year.eq(asked.spec.year)
    ]
    rows = rows.sort_values("period_end").drop_duplicates(["indicator_id", "area_code"], keep="last")
    wide = rows.pivot(index="area_code", columns="indicator_id", values="value")
    return wide.reindex(asked.assembled.data.index)


def _kept(row: pd.Series[Any]) -> str:
    return f"in {wording.number(100 * row['kept'], 0)}% of draws of authorities"


def _lead(asked: Asked, network: RelationResult, *, chosen: list[str], held: list[str]) -> str:
    also = f" and {wording.listed([asked.names[i] for i in held])}" if held else ""
    figures = wording.plural(len(chosen), "scored figure that goes", "scored figures that go")
    return (
        f"The pair was set beside the {figures} most closely with both{also}, across "
        f"{wording.plural(len(network.data), 'authority', 'authorities')} with them all."
    )


def _direct(asked: Asked, row: pd.Series[Any]) -> str:
    if row["estimate"] == 0:
        return f"Once all the others are allowed for the two are not linked directly (a link is there {_kept(row)})."
    return (
        f"Once all the others are allowed for the two are still linked: partial correlation {measured(row)}, there "
        f"{_kept(row)}."
    )


def _between(asked: Asked, links: Links, between: list[str]) -> str:
    """Figures linked with both: all whose two intervals leave out 0; failing those the closest, said to be so."""
    spec, names = asked.spec, asked.names
    ends = (spec.predictor, spec.outcome)
    steady = [i for i in between if all(is_clear(links[frozenset((i, end))]) for end in ends)]
    if not between:
        return "No figure is linked with both."
    said = [
        f"{marked_name(asked.framework.indicator(i), framework=asked.framework)} ("
        f"{'; '.join(f'with {names[end]} {spanned(links[frozenset((i, end))])}' for end in ends)})"
        for i in (steady or between[:SHOWN])
    ]
    lead = "Steadily linked with both" if steady else "No figure is steadily linked with both; the closest"
    return f"{lead}: {'; '.join(said)}; {levels(2, asked.level)}."


def _caveat(asked: Asked, named: list[Indicator]) -> str:
    shared = [i for i in named for end in (asked.predictor, asked.outcome) if shared_denominator(i, end)]
    arithmetic = " Some are divided by the same number of children, so part can be arithmetic." if shared else ""
    return (
        "They were chosen because they go with both, so links look steadier than they are; a figure linked with both "
        f"may come before them, lie between them or follow from them, which figures of places cannot tell.{arithmetic}"
    )
