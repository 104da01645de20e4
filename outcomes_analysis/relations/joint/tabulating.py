"""From one fit to rows of the table: correlations, links, loadings, domain quantities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.relations.joint import summarising
from outcomes_analysis.relations.joint.fits import Fitted
from outcomes_analysis.relations.joint.preparing import JointFigures
from outcomes_analysis.relations.joint.result import GIVEN, RAW, FormSet, JointSpec
from outcomes_analysis.relations.joint.structure import Floats

METHOD_WORDS = {"nuts": "sampled (NUTS)", "laplace": "quick: normal at the posterior's peak (Laplace)"}


def rows_of(
    forms: FormSet,
    fit: Fitted,
    drawn: summarising.Drawn | None,
    figures: JointFigures,
    framework: Framework,
    spec: JointSpec,
    level: float,
) -> Iterator[dict[str, Any]]:
    """Rows of one set of forms; where the fit may not be used, its correlations without numbers and the reason.

    Parameters
    ----------
    forms : str
        Name of the set.
    fit : Fitted
    drawn : Drawn or None
        None where there are no numbers.
    figures : JointFigures
    framework : Framework
        For what is contested and experimental.
    spec : JointSpec
    level : float

    Yields
    ------
    dict
        One row of the table.
    """
    s = fit.layout.structure
    form = {d: "formative" if s.formative[s.domain == k].any() else "reflective" for k, d in enumerate(s.domains)}
    shared = {
        "forms": forms,
        "given": RAW,
        "other": "",
        "form": "",
        "area_code": "",
        "area_name": "",
        "indicator_id": "",
        "period": spec.periods[-1],
        "n": len(figures.areas),
        "level": level,
        "interval": "figures",
        "method": METHOD_WORDS[fit.diagnostics["method"]],
        "contested": "",
        "status": "withheld" if fit.problem else "computed",
        "reason": fit.problem,
    }
    marks = {d: framework.node(d).experimental for d in s.domains}
    nothing = {"estimate": np.nan, "lower": np.nan, "upper": np.nan}
    kinds = (("correlation", RAW, "raw"), ("correlation", GIVEN, "given"))
    links = (("link", RAW, "raw_links"), ("link", GIVEN, "given_links"))
    for quantity, given, name in (*kinds, *links):
        found = None if drawn is None else summarising.interval(getattr(drawn, name), level=level)
        for a, b in zip(*np.triu_indices(len(s.domains), 1), strict=True):
            one, other = s.domains[a], s.domains[b]
            row = {**shared, "quantity": quantity, "given": given, "domain": one, "other": other}
            row |= {
                "form": _both(form[one], form[other]),
                "unit": "correlation" if quantity == "correlation" else "partial correlation",
                "experimental": marks[one] or marks[other],
            }
            yield {**row, **(nothing if found is None else three(found, (a, b)))}
    if drawn is None:
        return
    loadings = summarising.interval(drawn.loadings, level=level)
    for j in np.flatnonzero(~s.formative):
        domain, item = s.domains[s.domain[j]], s.items[j]
        row = {**shared, "quantity": "loading", "domain": domain, "form": "reflective", "indicator_id": item}
        row |= {"unit": "sd of the indicator per sd of the domain", "experimental": marks[domain]}
        yield {**row, "contested": framework.indicator(item).contested, **three(loadings, j)}
    quantities = summarising.interval(drawn.quantities, level=level)
    for t, year in enumerate(s.years):
        for d, domain in enumerate(s.domains):
            row = {**shared, "quantity": "domain", "domain": domain, "form": form[domain], "period": int(year)}
            row |= {"unit": "sd between authorities", "experimental": marks[domain]}
            for i, (code, name) in enumerate(figures.areas["name"].items()):
                yield {**row, "area_code": code, "area_name": name, **three(quantities, (i, t, d))}


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one} and {other}"


def three(found: tuple[Floats, Floats, Floats], place: Any) -> dict[str, float]:
    """Estimate and both ends of an interval at one place of their arrays."""
    return dict(zip(("estimate", "lower", "upper"), (float(f[place]) for f in found), strict=True))
