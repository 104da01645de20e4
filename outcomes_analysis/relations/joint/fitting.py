"""Fit the joint model: how the outcomes of all domains relate across areas, noise and missing figures allowed for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.joint import judging, summarising
from outcomes_analysis.relations.joint.laplace import SURE_OF_SIGN, Peak, find_peak
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.preparing import Form, JointFigures, prepare_joint
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.result import (
    FORM_SETS,
    GIVEN,
    RAW,
    TABLE_COLUMNS,
    FormSet,
    JointResult,
    JointSpec,
    forms_for,
)
from outcomes_analysis.relations.joint.structure import Floats
from outcomes_analysis.relations.joint.telling import tell
from outcomes_analysis.relations.pair.fits import fits_folder, key_of, load_fit, save_fit
from outcomes_analysis.relations.pair.posteriors import METHODS, Method, Posterior
from outcomes_analysis.relations.sample import LONDON, MINIMUM_AREAS
from outcomes_analysis.sources.release import data_as_at

QUICK_DRAWS = 1000  # a 5 % quantile of a correlation of sd .1 then has a Monte Carlo error of .007
METHOD_WORDS = {"nuts": "sampled (NUTS)", "laplace": "quick: normal at the posterior's peak (Laplace)"}
CODE = tuple(str(path) for path in sorted(Path(__file__).parent.glob("*.py")))
UPSIDE_DOWN = "has indicators that point both ways about equally, so that up cannot be told from down"
OTHER_POVERTY = {"child_poverty_ahc": "child_poverty_bhc", "child_poverty_bhc": "child_poverty_ahc"}


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fit: the model as laid out, draws of its parameters, and whether they may be used.

    Attributes
    ----------
    layout : Layout
    thetas : array (draws, size)
        Empty where there is a problem.
    diagnostics : dict
    problem : str
        Why nothing may be said from it; empty if something may.
    """

    layout: Layout
    thetas: Floats
    diagnostics: dict[str, Any]
    problem: str


def fit_joint_model(
    observations: pd.DataFrame | None = None,
    *,
    framework: Framework | None = None,
    periods: Sequence[int] = (2024,),
    method: Method = "laplace",
    areas: pd.DataFrame | None = None,
    deprivation: str | Sequence[str] = "child_poverty_ahc",
    forms: Mapping[str, Form] | None = None,
    priors: JointPriors | None = None,
    draws: int = 1000,
    tune: int = 400,
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
        a figure carried forward counts once.
    method : {"laplace", "nuts"}
        The quick normal approximation (a second or two; labelled as such), or sampling in PyMC of the chosen forms
        (a minute, more the first time; kept on disk). The other forms, and all sensitivity, always go by the quick way.
    areas : DataFrame, optional
        Authorities, indexed by ``area_code``: ``name, region_code, region_name``; by default those that are ranked.
    deprivation : str or sequence of str
        Held alike, beside the region; taken to be exact.
    forms : mapping of str to str, optional
        Prescribed form of some domains.
    priors : JointPriors, optional
        By default those of ``relations/joint/priors.py``, each with its reason.
    draws, tune, chains : int
        Of the sampler.
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
        If too few figures are known, or a stored fit does not match.

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
    spec = JointSpec(tuple(sorted(periods)), held, tuple(sorted((forms or {}).items())))
    framework, observations, areas = _defaults(framework, observations, areas)
    for indicator in held:
        framework.indicator(indicator)
    given = forms_for(spec, tuple(node.id for node in framework.domains))
    figures = prepare_joint(
        observations,
        framework=framework,
        areas=areas,
        periods=spec.periods,
        deprivation=held,
        beside=[OTHER_POVERTY[i] for i in held if i in OTHER_POVERTY],
    )
    priors = priors or JointPriors()
    settings: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "seed": seed}
    rng = np.random.default_rng(seed)
    reflective, why = _all_reflective(figures, priors, rng)
    checks = (
        judging.predictive_checks(reflective.layout, reflective.thetas, rng, level=level)
        if not reflective.problem
        else pd.DataFrame(columns=["domain", "one_thing"])
    )
    chosen = _choose(figures, checks, given, why)
    folder = fits if fits is not None else fits_folder()
    sums = _fit(figures, dict.fromkeys(figures.sums.domains, "formative"), priors, rng)
    same = method == "laplace" and set(chosen.values()) == {"formative"}
    best = sums if same else _fit(figures, chosen, priors, rng, method=method, settings=settings, folder=folder)
    fitted: dict[FormSet, Fitted] = {"chosen": best, "reflective": reflective, "formative": sums}
    drawn = {id(fit): summarising.drawn_from(fit.layout, fit.thetas, rng) for fit in fitted.values() if not fit.problem}
    rows = [
        row
        for name in FORM_SETS
        for row in _rows(name, fitted[name], drawn.get(id(fitted[name])), figures, framework, spec, level)
    ]
    table = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    usable = not best.problem
    thin = best.thetas[:: max(1, len(best.thetas) // 1000)]
    leaning = judging.leave_one_out(best.layout, thin, list(figures.areas["name"])) if usable else pd.DataFrame()
    beside = summarising.priors_beside(best.layout, best.thetas, level=level, seed=seed) if usable else pd.DataFrame()
    other = pd.DataFrame(columns=["choice", "domain", "other", "given", "estimate", "lower", "upper", "reason"])
    if sensitivity and usable:
        other = pd.DataFrame(_otherwise(figures, spec, chosen, priors, rng, level))
    diagnostics = {
        "sampling": {name: fit.diagnostics for name, fit in fitted.items()},
        "problems": {name: fit.problem for name, fit in fitted.items() if fit.problem},
        "forms": dict(chosen),
        "as_sums": why,
        "left_out": figures.left_out,
        "dropped": figures.dropped,
    }
    text = tell(
        table, checks=checks, leaning=leaning, other=other, diagnostics=diagnostics, framework=framework, spec=spec
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


def _all_reflective(
    figures: JointFigures, priors: JointPriors, rng: np.random.Generator
) -> tuple[Fitted, dict[str, str]]:
    """Every domain by its indicators, but for those of which that makes no sense; with the reason for each of these."""
    domains = figures.indicators.domains
    why = dict.fromkeys(figures.too_few, "has fewer than three indicators that are not near-duplicates")
    while True:
        found = _fit(figures, {d: "formative" if d in why else "reflective" for d in domains}, priors, rng)
        unsure = found.diagnostics["upside_down"]
        if not unsure:
            return found, why
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


def _fit(
    figures: JointFigures,
    forms: Mapping[str, Form],
    priors: JointPriors,
    rng: np.random.Generator,
    *,
    method: Method = "laplace",
    settings: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Fitted:
    """The peak, and draws near it or sampled from it on."""
    layout = Layout(figures.in_forms(forms), priors)
    peak = find_peak(layout)
    unsure = layout.sureness_of_sign(peak.theta) if peak.problem else np.full(len(layout.structure.domains), np.inf)
    upside = [d for d, s in zip(layout.structure.domains, unsure, strict=True) if s < SURE_OF_SIGN]
    quick: dict[str, Any] = {
        "method": "laplace",
        "decrement": peak.decrement,
        "parameters": layout.size,
        "upside_down": upside,
    }
    if peak.problem:
        return Fitted(layout, np.zeros((0, layout.size)), quick, peak.problem)
    if method == "laplace":
        return Fitted(layout, peak.draws(QUICK_DRAWS, rng), {**quick, "draws": QUICK_DRAWS}, "")
    assert settings is not None
    assert folder is not None
    posterior = _sampled(layout, peak, figures.hash, forms, settings, folder)
    thetas = posterior.draws["theta"]
    return Fitted(
        layout,
        thetas.reshape(-1, layout.size),
        {**posterior.diagnostics, "parameters": layout.size, "upside_down": []},
        posterior.problem,
    )


def _sampled(
    layout: Layout, peak: Peak, data: str, forms: Mapping[str, Form], settings: Mapping[str, Any], folder: Path
) -> Posterior:
    """The sampled posterior, from disk if it was fitted before."""
    asked = {**settings, "forms": dict(forms), "priors": layout.priors.to_dict()}
    key = key_of(data=data, settings=asked, code=CODE)
    path = folder / f"joint-{key}.nc"
    if path.exists():
        return load_fit(path, key=key, names=("theta",))
    from outcomes_analysis.relations.joint.bayes import sample

    posterior = sample(layout, peak, **settings)
    save_fit(posterior, key=key, path=path)
    return posterior


def _rows(
    forms: FormSet,
    fit: Fitted,
    drawn: summarising.Drawn | None,
    figures: JointFigures,
    framework: Framework,
    spec: JointSpec,
    level: float,
) -> Iterator[dict[str, Any]]:
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
    for given, name in ((RAW, "raw"), (GIVEN, "given")):
        found = None if drawn is None else summarising.interval(getattr(drawn, name), level=level)
        for a, b in zip(*np.triu_indices(len(s.domains), 1), strict=True):
            one, other = s.domains[a], s.domains[b]
            row = {**shared, "quantity": "correlation", "given": given, "domain": one, "other": other}
            row |= {
                "form": _both(form[one], form[other]),
                "unit": "correlation",
                "experimental": marks[one] or marks[other],
            }
            yield {**row, **(nothing if found is None else _three(found, (a, b)))}
    if drawn is None:
        return
    loadings = summarising.interval(drawn.loadings, level=level)
    for j in np.flatnonzero(~s.formative):
        domain, item = s.domains[s.domain[j]], s.items[j]
        row = {**shared, "quantity": "loading", "domain": domain, "form": "reflective", "indicator_id": item}
        row |= {"unit": "sd of the indicator per sd of the domain", "experimental": marks[domain]}
        yield {**row, "contested": framework.indicator(item).contested, **_three(loadings, j)}
    quantities = summarising.interval(drawn.quantities, level=level)
    for t, year in enumerate(s.years):
        for d, domain in enumerate(s.domains):
            row = {**shared, "quantity": "domain", "domain": domain, "form": form[domain], "period": int(year)}
            row |= {"unit": "sd between authorities", "experimental": marks[domain]}
            for i, (code, name) in enumerate(figures.areas["name"].items()):
                yield {**row, "area_code": code, "area_name": name, **_three(quantities, (i, t, d))}


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one} and {other}"


def _three(found: tuple[Floats, Floats, Floats], place: Any) -> dict[str, float]:
    return dict(zip(("estimate", "lower", "upper"), (float(f[place]) for f in found), strict=True))


def _otherwise(
    figures: JointFigures,
    spec: JointSpec,
    chosen: Mapping[str, Form],
    priors: JointPriors,
    rng: np.random.Generator,
    level: float,
) -> Iterator[dict[str, Any]]:
    """The correlations under other choices, by the quick way; a choice that gives no answer says why."""
    fits = {
        "as chosen": _fit(figures, chosen, priors, rng),
        "priors twice as wide": _fit(figures, chosen, priors.widened(2.0), rng),
    }
    poverty = tuple(OTHER_POVERTY.get(i, i) for i in spec.deprivation)
    swapped = figures.holding(poverty) if poverty != spec.deprivation else None
    if swapped is not None:
        fits[f"{poverty[0]} held alike instead"] = _fit(swapped, chosen, priors, rng)
    elsewhere = figures.areas["region_code"].ne(LONDON)
    if not elsewhere.all() and elsewhere.sum() >= MINIMUM_AREAS:
        fits["without London"] = _fit(figures.only(elsewhere), chosen, priors, rng)
    for choice, fit in fits.items():
        drawn = None if fit.problem else summarising.drawn_from(fit.layout, fit.thetas[::2], rng)
        s = fit.layout.structure
        for given, name in ((RAW, "raw"), (GIVEN, "given")):
            found = None if drawn is None else summarising.interval(getattr(drawn, name), level=level)
            for a, b in zip(*np.triu_indices(len(s.domains), 1), strict=True):
                row = {"choice": choice, "domain": s.domains[a], "other": s.domains[b], "given": given, "level": level}
                empty = {"estimate": np.nan, "lower": np.nan, "upper": np.nan}
                yield {**row, **(empty if found is None else _three(found, (a, b))), "reason": fit.problem}
