"""Where on the map like stands among like: in each figure, and in what others leave over of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.asking import Asked, ask
from outcomes_analysis.relations.sentences import checked, marks, own_words, with_capital
from outcomes_analysis.relations.slopes.regression import check_design
from outcomes_analysis.relations.space.clustering import (
    FALSE_SHARE,
    PERMUTATIONS,
    Moran,
    local_moran,
    moran,
    residual_moran,
)
from outcomes_analysis.relations.space.spatial_wording import likeness, linked_sentence, standing_out
from outcomes_analysis.relations.space.weights import neighbours_of
from outcomes_analysis.relations.specification import RelationSpec

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True, eq=False)
class ClusterResult:
    """Where on the map like stands among like.

    Attributes
    ----------
    table : DataFrame
        One row an authority and figure: ``variable`` (indicator id), ``kind`` (``figure``, or ``left over`` by a line
        in the predictors and what is allowed for), ``adjusted_for``, ``area_code, area_name, value, neighbours,
        estimate, p_value, q_value, cluster`` as in :func:`~.clustering.local_moran`. Ready
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
    outlines: gpd.GeoDataFrame | None = None,
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
    outlines : GeoDataFrame, optional
        As in :func:`~.weights.neighbours_of`: who neighbours whom in another geography, of which ``areas`` then are.
    permutations, seed, false_share
        As in :func:`~.clustering.local_moran`.
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
    neighbours = neighbours_of([str(code) for code in data.index], apart="join", outlines=outlines)
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
    indicators = [one.framework.indicator(i) for i in spec.roles]
    text = [
        *said,
        linked_sentence(neighbours, data["area_name"]),
        "High and low are above and below the mean of the authorities, which is not better and worse. Of the "
        f"authorities named at most one in {round(1 / false_share)} is to be chance.",
        *marks(indicators, framework=one.framework),
        wording.AREAS_NOT_CHILDREN,
        wording.EXPLORATION,
    ]
    quoted = [words for i in one.spec.roles for words in own_words(one.framework.indicator(i))]
    return ClusterResult(
        table=table[[*order, *(c for c in table.columns if c not in order)]],
        overall=pd.DataFrame(overall).drop(columns=["normal_variance", "normal_z"]),
        text=checked(" ".join(part for part in text if part), quoted=quoted),
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
    said = standing_out(table)
    groups = f"Standing out from chance: {said}." if said else "No single authority stands out from chance."
    return f"{with_capital(what)} is {likeness(whole)}. {groups}"
