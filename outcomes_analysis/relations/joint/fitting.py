"""Fit the joint model: how the outcomes of all domains relate across areas, noise and missing figures allowed for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import RelationError, SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.joint import judging, summarising
from outcomes_analysis.relations.joint.fits import Fitted, fit_once
from outcomes_analysis.relations.joint.other_choices import OTHER_POVERTY, otherwise
from outcomes_analysis.relations.joint.preparing import Form, JointFigures, prepare_joint
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.result import (
    FORM_SETS,
    TABLE_COLUMNS,
    FormSet,
    JointResult,
    JointSpec,
    forms_for,
)
from outcomes_analysis.relations.joint.tabulating import rows_of
from outcomes_analysis.relations.joint.telling import tell
from outcomes_analysis.relations.pair.fits import fits_folder
from outcomes_analysis.relations.pair.posteriors import METHODS, Method
from outcomes_analysis.sources.release import data_as_at

LEANING_DRAWS = 5000  # by the quick way
FORM_SEED = 1  # of the checks that choose the forms: the choice is the same whatever seed the rest has


def fit_joint_model(
    observations: pd.DataFrame | None = None,
    *,
    framework: Framework | None = None,
    periods: Sequence[int] = (2024,),
    method: Method = "laplace",
    areas: pd.DataFrame | None = None,
    deprivation: str | Sequence[str] = "child_poverty_ahc",
    forms: Mapping[str, Form] | None = None,
    spatial: bool = False,
    priors: JointPriors | None = None,
    draws: int | None = None,
    tune: int | None = None,
    chains: int = 4,
    seed: int = SEED,
    level: float = LEVEL,
    sensitivity: bool = True,
    fits: Path | None = None,
) -> JointResult:
    """How the outcomes of all domains relate across authorities, with noise and missing figures allowed for.

    Every indicator of the default index, with its known error, informs the quantity of its domain in each authority;
    the domains' quantities correlate, given deprivation and region. A domain is measured in one of two forms:
    reflective (its indicators behave as one thing, each with a loading) or formative (the index's weighted sum, with
    the known error of that sum). Posterior predictive checks choose; both forms are reported.

    Parameters
    ----------
    observations : DataFrame, optional
        The tidy table with ``se_total``; by default the release. Inherited figures are left out; a missing figure, or
        one without a known error, leaves the area in, less sure.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    periods : sequence of int
        Years by whose end figures were measured. With several, the domains' quantities follow an autoregression and
        a figure carried forward counts once. Years on both sides of a declared break are refused.
    method : {"laplace", "nuts"}
        The quick normal approximation (a few seconds, a minute on the map; labelled as such), or sampling in
        PyMC of the chosen forms (a minute; with several years a few, on the map some ten; kept on disk). The other
        forms, and all sensitivity, always go by the quick way.
    areas : DataFrame, optional
        Authorities, indexed by ``area_code``: ``name, region_code, region_name``; by default those that are ranked.
    deprivation : str or sequence of str
        Allowed for, beside the region; taken to be exact.
    forms : mapping of str to str, optional
        Prescribed form of some domains.
    spatial : bool
        Whether neighbours may resemble each other beyond deprivation and region: part of what differs between
        authorities then follows the map (BYM2, one share for all domains). An island is linked with the nearest
        authority.
    priors : JointPriors, optional
        By default those of ``relations/joint/priors.py``, each with its reason.
    draws, tune, chains : int
        Of the sampler; by default as many draws as it takes, fewer where they are near independent (several years, a
        map).
    seed : int
        The same seed gives the same result.
    level : float
        Of the intervals, which are quantiles with equal tails.
    sensitivity : bool
        Also fit with wider priors, other deprivation and without London, by the quick way.
    fits : Path, optional
        Folder of sampled fits kept; by default ``models/fits``.

    Returns
    -------
    JointResult
        Domain quantities run higher = better, in standard deviations between these authorities with mean 0. A positive
        correlation means that places that do better on the one tend to do better on the other.

    Raises
    ------
    SpecError, FrameworkError
        For a question, a form or an indicator that does not exist.
    RelationError
        If too few figures are known; what is allowed for is one of the domains' indicators, does not vary or follows
        from the rest; a declared break lies among the figures; the map falls into parts; or a stored fit does not
        match.

    Notes
    -----
    Model: ``relations/joint/structure.py`` and the card ``models/joint-domains.yml``. A fit whose diagnostics fail
    (R-hat above 1.01, fewer than 400 independent draws, a divergence; or no clear peak) gives no numbers, only the
    reason.
    """
    if method not in METHODS:
        message = f"method '{method}' is not known; choose one of {', '.join(METHODS)}."
        raise SpecError(message)
    held = (deprivation,) if isinstance(deprivation, str) else tuple(deprivation)
    spec = JointSpec(tuple(sorted(periods)), held, tuple(sorted((forms or {}).items())), spatial)
    framework, observations, areas = _defaults(framework, observations, areas)
    both = [i for i in held if framework.indicator(i).scored]
    if both:
        message = (
            f"{several(both)} cannot be allowed for: it is an indicator of a domain, and so part of what is asked "
            "about. Allow for something else, such as child_poverty_ahc."
        )
        raise RelationError(message)
    given = forms_for(spec, tuple(node.id for node in framework.domains))
    figures = prepare_joint(
        observations,
        framework=framework,
        areas=areas,
        periods=spec.periods,
        deprivation=held,
        beside=[OTHER_POVERTY[i] for i in held if i in OTHER_POVERTY and OTHER_POVERTY[i] not in held],
        spatial=spatial,
    )
    priors = priors or JointPriors()
    settings: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    rng = np.random.default_rng(seed)
    reflective, why, checks = _as_one_thing(figures.off_the_map(), priors, level)
    chosen = _choose(figures, checks, given, why)
    folder = fits if fits is not None else fits_folder()
    if spatial and not reflective.problem:
        as_before: dict[str, Form] = {d: "formative" if d in why else "reflective" for d in figures.indicators.domains}
        reflective = fit_once(figures, as_before, priors, rng)
    sums = fit_once(figures, dict.fromkeys(figures.sums.domains, "formative"), priors, rng)
    same = method == "laplace" and set(chosen.values()) == {"formative"}
    best = sums if same else fit_once(figures, chosen, priors, rng, method=method, settings=settings, folder=folder)
    fitted: dict[FormSet, Fitted] = {"chosen": best, "reflective": reflective, "formative": sums}
    drawn = {id(fit): summarising.drawn_from(fit.layout, fit.thetas, rng) for fit in fitted.values() if not fit.problem}
    rows = [
        row
        for name in FORM_SETS
        for row in rows_of(name, fitted[name], drawn.get(id(fitted[name])), figures, framework, spec, level)
    ]
    table = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    usable = not best.problem
    leaning = pd.DataFrame()
    if usable and not spatial:  # on the map an area's own share of the field is known by its own figures
        many = best.many(LEANING_DRAWS, np.random.default_rng(seed))
        leaning = judging.leave_one_out(best.layout, many, list(figures.areas["name"]))
    beside = summarising.priors_beside(best.layout, best.thetas, level=level, seed=seed) if usable else pd.DataFrame()
    other = pd.DataFrame(columns=["choice", "domain", "other", "given", "estimate", "lower", "upper", "reason"])
    if sensitivity and usable:
        other = pd.DataFrame(otherwise(figures, spec, chosen, priors, rng, level))
    diagnostics = {
        "sampling": {name: fit.diagnostics for name, fit in fitted.items()},
        "problems": {name: fit.problem for name, fit in fitted.items() if fit.problem},
        "form": spec.form,
        "forms": dict(chosen),
        "close": _close(checks, given, why),
        "as_sums": why,
        "left_out": figures.left_out,
        "dropped": figures.dropped,
    }
    text = tell(
        table,
        checks=checks,
        leaning=leaning,
        other=other,
        priors=beside,
        diagnostics=diagnostics,
        framework=framework,
        spec=spec,
    )
    manifest = RunManifest(
        data=figures.hash,
        data_as_at=data_as_at(figures.sources) or str(observations.attrs.get("data_as_at", "")),
        spec=spec.hash,
        seed=seed,
        sources=figures.sources,
    )
    return JointResult(
        table=table,
        text=text,
        spec=spec,
        manifest=manifest,
        diagnostics=diagnostics,
        checks=checks,
        areas=leaning,
        priors=beside,
        sensitivity=other,
    )


def _defaults(
    framework: Framework | None, observations: pd.DataFrame | None, areas: pd.DataFrame | None
) -> tuple[Framework, pd.DataFrame, pd.DataFrame]:
    from outcomes_analysis.areas.register import upper_tier
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.sources.release import load_observations

    return (
        load_framework() if framework is None else framework,
        load_observations() if observations is None else observations,
        upper_tier(ranked_only=True) if areas is None else areas,
    )


def _as_one_thing(
    figures: JointFigures, priors: JointPriors, level: float
) -> tuple[Fitted, dict[str, str], pd.DataFrame]:
    """Every domain by its indicators, but for those of which that makes no sense; why for each of these; the checks.

    With a seed of its own, and without the map: how a domain's indicators hang together is a matter of measurement.
    """
    rng = np.random.default_rng(FORM_SEED)
    domains = figures.indicators.domains
    why = dict.fromkeys(figures.too_few, "has fewer than three indicators that are not near-duplicates")
    while True:
        found = fit_once(figures, {d: "formative" if d in why else "reflective" for d in domains}, priors, rng)
        unsure = found.diagnostics["upside_down"]
        if not unsure:
            if found.problem:
                return found, why, pd.DataFrame(columns=["domain", "one_thing", "close"])
            return found, why, judging.predictive_checks(found.layout, found.thetas, rng, level=level)
        why |= dict.fromkeys(
            unsure, "has indicators that point both ways about equally, so that up cannot be told from down"
        )


def _choose(
    figures: JointFigures, checks: pd.DataFrame, given: Mapping[str, Form], why: Mapping[str, str]
) -> dict[str, Form]:
    """Prescribed forms first; else reflective where the checks bear it out, a weighted sum otherwise."""
    bears = set(checks.loc[checks["one_thing"].astype(bool), "domain"])
    return {
        d: given.get(d, "reflective" if d in bears and d not in why else "formative")
        for d in figures.indicators.domains
    }


def _close(checks: pd.DataFrame, given: Mapping[str, Form], why: Mapping[str, str]) -> dict[str, float]:
    """Domains whose form was chosen, but by little, with the share of replicates that decided."""
    rows = checks[checks["close"].astype(bool) & ~checks["domain"].isin([*given, *why])]
    return dict(zip(rows["domain"], rows["p"].astype(float), strict=True)) if len(rows) else {}
