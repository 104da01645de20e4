"""The same question under other choices, by the quick way: priors, deprivation, London, the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from outcomes_analysis.relations.joint import summarising
from outcomes_analysis.relations.joint.fits import fit_once
from outcomes_analysis.relations.joint.preparing import Form, JointFigures
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.result import GIVEN, RAW, JointSpec
from outcomes_analysis.relations.joint.tabulating import three
from outcomes_analysis.relations.sample import LONDON, MINIMUM_AREAS

OTHER_POVERTY = {"child_poverty_ahc": "child_poverty_bhc", "child_poverty_bhc": "child_poverty_ahc"}


def otherwise(
    figures: JointFigures,
    spec: JointSpec,
    chosen: Mapping[str, Form],
    priors: JointPriors,
    rng: np.random.Generator,
    level: float,
) -> Iterator[dict[str, Any]]:
    """The correlations under other choices, by the quick way; a choice that gives no answer says why."""
    fits = {
        "as chosen": fit_once(figures, chosen, priors, rng),
        "priors twice as wide": fit_once(figures, chosen, priors.widened(2.0), rng),
    }
    poverty = tuple(OTHER_POVERTY.get(i, i) for i in spec.deprivation)
    swapped = figures.holding(poverty) if poverty != spec.deprivation else None
    if swapped is not None:
        fits[f"{poverty[0]} allowed for instead"] = fit_once(swapped, chosen, priors, rng)
    if spec.spatial:
        fits["without the map"] = fit_once(figures.off_the_map(), chosen, priors, rng)
    elsewhere = figures.areas["region_code"].ne(LONDON)
    if not elsewhere.all() and elsewhere.sum() >= MINIMUM_AREAS:
        fits["without London"] = fit_once(figures.only(elsewhere), chosen, priors, rng)
    for choice, fit in fits.items():
        drawn = None if fit.problem else summarising.drawn_from(fit.layout, fit.thetas[::2], rng)
        s = fit.layout.structure
        for given, name in ((RAW, "raw"), (GIVEN, "given")):
            found = None if drawn is None else summarising.interval(getattr(drawn, name), level=level)
            for a, b in zip(*np.triu_indices(len(s.domains), 1), strict=True):
                row = {"choice": choice, "domain": s.domains[a], "other": s.domains[b], "given": given, "level": level}
                empty = {"estimate": np.nan, "lower": np.nan, "upper": np.nan}
                yield {**row, **(empty if found is None else three(found, (a, b))), "reason": fit.problem}
