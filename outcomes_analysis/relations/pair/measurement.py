"""The association of two figures once the known errors of both are allowed for: a companion to ``relate``.

``relate`` takes the figures as they are; noise then makes an association look weaker than it is. Here each figure is
its true value plus an error of known size (``se_total``: sampling and the ordinary change from year to year), and the
association is one of true values. Noise is repaired by this, validity is not: a figure that measures something else
than its name says still does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.pair.fits import fits_folder, key_of, load_fit, save_fit
from outcomes_analysis.relations.pair.latent_pair import Pair, noise_share, partial_correlation
from outcomes_analysis.relations.pair.measurement_sentences import compose_measurement
from outcomes_analysis.relations.pair.posteriors import SAMPLER, Method, Posterior, sample_posterior
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sample import MINIMUM_AREAS, Assembled, assemble, on_own_scale
from outcomes_analysis.relations.sentences import short_name
from outcomes_analysis.relations.slopes.regression import check_design
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.sources.release import data_as_at

CORRECTED, IGNORED = "errors_allowed_for", "errors_ignored"


def fit_measurement_model(
    predictor: str = "mh_admissions_0_17",
    outcome: str = "attainment8",
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    period: int = 2024,
    confounder: str = "child_poverty_ahc",
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 2,
    seed: int = SEED,
    method: Method = "nuts",
    level: float = LEVEL,
    fits: Path | None = None,
) -> RelationResult:
    """How two outcomes go together across authorities once noise in both figures is allowed for.

    Parameters
    ----------
    predictor, outcome : str
        Indicator ids.
    observations : DataFrame, optional
        The tidy table with ``se_total``; by default the release. Inherited and imputed figures are left out, and so
        are authorities for which an error is not known.
    framework : Framework, optional
        By default the Common Outcomes Framework; gives each figure's scale (log, logit or as it is).
    areas : DataFrame, optional
        Authorities, indexed by ``area_code``: ``name, region_code, region_name``; by default those that are ranked.
    period : int
        Analysis year: the year in which both figures' periods end.
    confounder : str
        Indicator allowed for; taken to be exact.
    draws, tune, chains : int
        Kept draws a chain, tuning draws, chains. With 1,000 draws one seed in eight missed the limit of R-hat.
    seed : int
        The same seed gives the same result.
    method : {"nuts", "laplace"}
        Sampling in PyMC (up to a minute the first time, then kept on disk), or the quick normal approximation.
    level : float
        Of the intervals, which are quantiles of the posterior with equal tails.
    fits : Path, optional
        Folder of fits kept; by default ``models/fits``.

    Returns
    -------
    RelationResult
        ``analysis`` is ``errors_allowed_for`` or, with the same figures taken to be exact, ``errors_ignored``; both
        given the confounder and the region. ``scale``: ``standard`` (sd of the outcome per sd of the predictor, both
        sds those seen between authorities on the figure's own scale), ``correlation`` (within regions, confounder
        allowed for) and, for a rate on the log scale with an outcome in its own units, ``natural`` (per doubling).
        ``estimate`` is the posterior median. A positive estimate means that higher goes with higher.

    Raises
    ------
    SpecError, FrameworkError
        For a question or an indicator that does not exist.
    RelationError
        If a figure is missing, constant or known for too few authorities, or a stored fit does not match.

    Notes
    -----
    Model and priors: ``relations/pair/latent_pair.py`` and the card ``models/measurement-admissions-attainment.yml``.
    Rows are withheld, with the reason, if R-hat is above 1.01, the effective number of draws below 400, or there was
    a divergence.
    """
    spec = RelationSpec(
        outcome=outcome, predictors=(predictor,), years=(period,), confounders=(confounder,), samples=("all",)
    )
    framework, observations, areas = defaults(framework, observations, areas)
    for indicator in spec.roles:
        framework.indicator(indicator)
    figures = prepare(observations, spec=spec, framework=framework, areas=areas)
    settings: dict[str, Any] = {"method": method, "draws": draws, "tune": tune, "chains": chains, "seed": seed}
    folder = fits if fits is not None else fits_folder()
    pairs = {CORRECTED: figures.pair, IGNORED: figures.pair.without_errors()}
    posteriors = {name: _fitted(pair, figures.hash, name, settings, folder) for name, pair in pairs.items()}
    shared = {"adjusted_for": confounder, "sample": "all", "n": len(figures.assembled.data), "level": level}
    rows = [
        row
        for name, posterior in posteriors.items()
        for row in _rows(posterior, figures, framework, spec, {**shared, "analysis": name})
    ]
    table = table_of(rows, names={i: short_name(framework.indicator(i)) for i in spec.roles})
    diagnostics = _diagnostics(figures, posteriors)
    text = compose_measurement(table, spec=spec, framework=framework, diagnostics=diagnostics)
    manifest = RunManifest(
        data=figures.hash,
        data_as_at=data_as_at(figures.assembled.sources) or str(observations.attrs.get("data_as_at", "")),
        spec=spec.hash,
        seed=seed,
        sources=figures.assembled.sources,
    )
    data = figures.assembled.data
    return RelationResult(table=table, text=text, spec=spec, manifest=manifest, diagnostics=diagnostics, data=data)


@dataclass(frozen=True, eq=False)
class Figures:
    """What the model is fitted to, and what was left out.

    Attributes
    ----------
    assembled : Assembled
        Values in natural units; ``data`` has in addition ``{indicator}_error``, the standard error of each figure.
    pair : Pair
        The same on standard scales.
    spread : dict of str to float
        Sd seen between authorities of each variable on its own scale, by which it was divided.
    hash : str
        Of values, errors and regions in natural units.
    """

    assembled: Assembled
    pair: Pair
    spread: dict[str, float]
    hash: str


def prepare(observations: pd.DataFrame, *, spec: RelationSpec, framework: Framework, areas: pd.DataFrame) -> Figures:
    """Line up the figures of both variables with their errors, each on its own scale and standardised.

    Parameters
    ----------
    observations, framework, areas
        As in :func:`fit_measurement_model`.
    spec : RelationSpec
        With one confounder.

    Returns
    -------
    Figures

    Raises
    ------
    RelationError
        If a figure is missing, constant or known for too few authorities, or can be worked out from another.
    """
    assembled = assemble(observations, spec=spec, framework=framework, areas=areas)
    confounder = spec.adjustment_sets[1][0]
    if confounder in assembled.withheld:
        message = f"'{confounder}' has {assembled.withheld[confounder]}. Choose another confounder or year."
        raise RelationError(message)
    names = (spec.predictor, spec.outcome, confounder)
    found = {
        name: on_own_scale(observations, name, year=spec.year, assembled=assembled, framework=framework)
        for name in names
    }
    errors = pd.DataFrame({f"{n}_error": found[n]["error"] for n in (spec.predictor, spec.outcome)})
    known = errors.notna().all(axis=1)
    left_out = dict(assembled.left_out)
    for code in errors.index[~known]:
        left_out[str(assembled.data.at[code, "area_name"])] = "no known error of a figure"
    if known.sum() < MINIMUM_AREAS:
        message = (
            f"The errors of both figures are known for {known.sum()} authorities; at least {MINIMUM_AREAS} are needed. "
            "Use a table with se_total, as load_observations() gives."
        )
        raise RelationError(message)
    data = assembled.data.join(errors)[known]
    standard, spread = {}, {}
    for name in names:
        scaled = found[name].loc[data.index]
        spread[name] = float(scaled["x"].std(ddof=1))
        if not np.ptp(scaled["x"]) > 0:  # the spread of figures all alike need not be exactly 0
            message = f"{name} is the same in all {len(data)} authorities: there is no association to estimate."
            raise RelationError(message)
        standard[name] = (scaled["x"] - scaled["x"].mean()) / spread[name]
        standard[f"{name}_error"] = scaled["scaled_error"] / spread[name]
    design = np.column_stack([np.ones(len(data)), standard[spec.predictor], standard[confounder]])
    check_design(design, names=["constant", spec.predictor, confounder])
    pair = Pair(
        x=standard[spec.predictor].to_numpy(float),
        y=standard[spec.outcome].to_numpy(float),
        error_x=standard[f"{spec.predictor}_error"].to_numpy(float),
        error_y=standard[f"{spec.outcome}_error"].to_numpy(float),
        held=standard[confounder].to_numpy(float),
        region=pd.factorize(data["region_code"], sort=True)[0],
    )
    kept = replace(assembled, data=data, left_out=left_out)
    used = data[["region_code", *names, *errors.columns]].reset_index()
    return Figures(assembled=kept, pair=pair, spread=spread, hash=hash_of(used.to_dict(orient="list")))


def _fitted(pair: Pair, data: str, name: str, settings: dict[str, Any], folder: Path) -> Posterior:
    """The posterior, from disk if it was fitted before; the quick method is not worth keeping."""
    if settings["method"] != "nuts":
        return sample_posterior(pair, **settings)
    key = key_of(data=data, settings={**settings, "sampler": SAMPLER, "errors": name})
    path = folder / f"measurement-{name.replace('_', '-')}-{key}.nc"
    if path.exists():
        return load_fit(path, key=key)
    posterior = sample_posterior(pair, **settings)
    save_fit(posterior, key=key, path=path)
    return posterior


def _rows(
    posterior: Posterior, figures: Figures, framework: Framework, spec: RelationSpec, shared: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    slope = posterior.draws["beta"]
    quantities = [
        ("standard", "sd of outcome per sd of predictor", slope),
        ("correlation", "correlation", partial_correlation(posterior.draws)),
    ]
    predictor, outcome = framework.indicator(spec.predictor), framework.indicator(spec.outcome)
    if predictor.scale == "log" and outcome.scale == "identity":
        factor = np.log(2) * figures.spread[outcome.id] / figures.spread[predictor.id]
        words = f"{short_name(outcome)} ({outcome.unit}) for each doubling of {short_name(predictor)}"
        quantities.append(("natural", words, slope * factor))
    tail = (1 - shared["level"]) / 2
    method = f"posterior quantiles ({'NUTS' if posterior.diagnostics['method'] == 'nuts' else 'normal at the peak'})"
    for scale, unit, values in quantities:
        row = {**shared, "scale": scale, "unit": unit, "interval": "figures", "method": method}
        if posterior.problem:
            empty = {"estimate": np.nan, "lower": np.nan, "upper": np.nan}
            yield {**row, **empty, "status": "withheld", "reason": posterior.problem}
            continue
        estimate, lower, upper = (float(q) for q in np.quantile(values, [0.5, tail, 1 - tail]))
        yield {**row, "estimate": estimate, "lower": lower, "upper": upper, "status": "computed", "reason": ""}


def _diagnostics(figures: Figures, posteriors: dict[str, Posterior]) -> dict[str, Any]:
    found = posteriors[CORRECTED]
    pair, draws = figures.pair, found.draws
    variance_y = (draws["beta"] * draws["tau"]) ** 2 + draws["sigma"] ** 2
    return {
        "periods": figures.assembled.periods,
        "left_out": figures.assembled.left_out,
        "spread": figures.spread,
        "sampling": {name: posterior.diagnostics for name, posterior in posteriors.items()},
        "noise_share": {
            "predictor": float(np.median(noise_share(draws["tau"] ** 2, pair.error_x))),
            "outcome": float(np.median(noise_share(variance_y, pair.error_y))),
        },
    }
