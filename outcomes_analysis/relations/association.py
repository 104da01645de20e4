"""One association, end to end: how two outcomes go together across areas, and what that can and cannot say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.relations.asking import DRAWS, Asked, ask, defaults
from outcomes_analysis.relations.correlation.correlating import correlated
from outcomes_analysis.relations.pages import as_text, compose, computed_sets
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sample import unbroken_years
from outcomes_analysis.relations.slopes.regressing import sloped
from outcomes_analysis.relations.specification import POVERTY, RelationSpec
from outcomes_analysis.relations.whole.parts import ALL_PARTS, PartName, made_parts


def relate(
    predictor: str = "mh_admissions_0_17",
    outcome: str = "attainment8",
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    period: int = 2024,
    years: tuple[int, ...] | None = None,
    confounders: tuple[str | tuple[str, ...], ...] = POVERTY,
    mediators: tuple[str, ...] = (),
    colliders: tuple[str, ...] = (),
    level: float = LEVEL,
    draws: int = DRAWS,
    parts: Collection[PartName] = ALL_PARTS,
    seed: int | np.random.Generator = SEED,
) -> RelationResult:
    """How two outcomes go together across upper-tier authorities, with what changes the answer.

    Rank and product-moment correlations, raw and with each confounder allowed for, with the likeness of neighbours
    allowed for and with known noise taken out; slopes by least squares with robust errors, with errors for likeness
    within regions, with authorities counted by their children, with levels for regions and for authorities, and within
    regions; all of it with and without London; and what the slope could bear of what is not in the figures. Then the
    parts of the page that rest on an analysis of their own: lines that allow for neighbours and clusters on the map,
    the same places over the years, other figures linked with both, and the question asked in every defensible way.

    Parameters
    ----------
    predictor, outcome : str
        Indicator ids.
    observations : DataFrame, optional
        The tidy table; by default the release. City of London and the Isles of Scilly are left out, and so are
        inherited and imputed figures.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    areas : DataFrame, optional
        Authorities, indexed by ``area_code``: ``name, region_code, region_name``; by default those that are ranked.
    period : int
        Analysis year: the year in which both figures' periods end.
    years : tuple of int, optional
        Years for the lines over several years, ``period`` the last of them. By default the years up to it that both
        figures have, back to the latest declared break of either.
    confounders, mediators, colliders : tuple
        See :class:`RelationSpec`: only confounders are allowed for, the others are named in the text.
    level : float
        Of the intervals.
    draws : int
        Times that authorities are drawn again.
    parts : collection of {"map", "years", "others", "ways"}
        Parts of the page to make; all take some eight seconds together, and ``()`` leaves them out. One that cannot be
        done says why.
    seed : int or numpy.random.Generator
        The same seed gives the same result to the last digit.

    Returns
    -------
    RelationResult
        Figures in their published orientation: a positive estimate means that higher goes with higher. Its ``sections``
        are the page part by part; ``diagnostics["parts"]`` has the full result behind each part, by kind: ``lines``
        and ``clusters``, ``panel``, ``network``, ``multiverse``.

    Raises
    ------
    SpecError
        If predictor and outcome are the same, an indicator has two roles, or there is no such part.
    FrameworkError
        If an indicator is not known.
    RelationError
        If years lie across a declared break; if a figure is missing for the year, constant, collinear, or known for
        too few authorities.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    spec = RelationSpec(
        outcome=outcome,
        predictors=(predictor,),
        years=(period,),
        confounders=confounders,
        mediators=mediators,
        colliders=colliders,
    )
    for indicator in spec.roles:
        framework.indicator(indicator)
    spec = spec.replace(years=years or unbroken_years(spec, framework=framework, observations=observations))
    if spec.year != period:
        message = f"the last of the years is {spec.year}, but period is {period}; make them the same."
        raise SpecError(message)
    asked = ask(spec, observations=observations, framework=framework, areas=areas, level=level, draws=draws, seed=seed)
    correlations, slopes = correlated(asked), sloped(asked)
    table = table_of([*correlations.rows, *slopes.rows], names=asked.names)
    diagnostics = {
        **_diagnostics(asked, draws=draws),
        "compared": correlations.compared(level=level),
        "effective": correlations.effective,
        "reliability": correlations.reliability,
        "region_share": slopes.region_share,
        "unmeasured": slopes.robustness,
    }
    held = computed_sets(table, spec=spec)
    made = made_parts(asked, areas=areas, names=parts, controls=held[0] if held else ())
    sections = compose(
        table, spec=spec, framework=asked.framework, diagnostics=diagnostics, draws=draws, level=level, parts=made
    )
    diagnostics["parts"] = {kind: answer for part in made.values() for kind, answer in part.answers.items()}
    further = [part.rows for part in made.values() if len(part.rows)]
    return RelationResult(
        table=pd.concat([table, *further], ignore_index=True) if further else table,
        text=as_text(sections),
        sections=sections,
        spec=spec,
        manifest=asked.manifest(),
        diagnostics=diagnostics,
        data=asked.assembled.data,
    )


def _diagnostics(asked: Asked, *, draws: int) -> dict[str, Any]:
    spec, assembled = asked.spec, asked.assembled
    variables = [i for i in spec.roles if i in assembled.data]
    bases = {i.id: i.geography_basis for i in (asked.predictor, asked.outcome)}
    return {
        "periods": assembled.periods,
        "left_out": assembled.left_out,
        "withheld": assembled.withheld,
        "read_from": assembled.read_from,
        "draws": draws,
        "geography_basis": bases,
        "geography_mismatch": len(set(bases.values())) > 1,
        "spread": assembled.data[variables].agg(["mean", "std", "min", "max"]).T,
    }
