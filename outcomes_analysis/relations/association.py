"""One association, end to end: how two outcomes go together across areas, and what that can and cannot say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.correlation import correlate, resamples
from outcomes_analysis.relations.regression import Fit, fit_mixed, fit_robust
from outcomes_analysis.relations.result import TABLE_COLUMNS, RelationResult
from outcomes_analysis.relations.sample import MINIMUM_AREAS, Assembled, assemble
from outcomes_analysis.relations.sentences import compose, short_name
from outcomes_analysis.relations.specification import POVERTY, RelationSpec
from outcomes_analysis.sources.release import data_as_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 4_000  # Monte Carlo error of a 5 % quantile of a correlation: about .003, below the two decimals shown


def relate(
    predictor: str = "mh_admissions_0_17",
    outcome: str = "attainment8",
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    period: int = 2024,
    confounders: tuple[str | tuple[str, ...], ...] = POVERTY,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int | np.random.Generator = SEED,
) -> RelationResult:
    """How two outcomes go together across upper-tier authorities, with what changes the answer.

    Rank and product-moment correlations, raw and with each confounder held alike; slopes by least squares with robust
    errors, with a random intercept for each region, and within regions; all of it with and without London.

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
    confounders : tuple
        See :class:`RelationSpec`.
    level : float
        Of the intervals.
    draws : int
        Times that authorities are drawn again.
    seed : int or numpy.random.Generator
        The same seed gives the same result to the last digit.

    Returns
    -------
    RelationResult
        Figures in their published orientation: a positive estimate means that higher goes with higher.

    Raises
    ------
    SpecError
        If predictor and outcome are the same, or an indicator has two roles.
    FrameworkError
        If an indicator is not known.
    RelationError
        If a figure is missing for the year, constant, collinear, or known for too few authorities.
    """
    spec = RelationSpec(outcome=outcome, predictor=predictor, year=period, confounders=confounders)
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    for indicator in spec.roles:
        framework.indicator(indicator)
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    if areas is None:
        from outcomes_analysis.areas.register import upper_tier

        areas = upper_tier(ranked_only=True)
    assembled = assemble(observations, spec=spec, framework=framework, areas=areas)
    rng = np.random.default_rng(seed)
    shares: dict[tuple[str, str], float] = {}
    rows = list(_rows(assembled, spec=spec, framework=framework, level=level, draws=draws, rng=rng, shares=shares))
    table = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    diagnostics = _diagnostics(assembled, spec=spec, framework=framework, shares=shares, draws=draws)
    text = compose(table, spec=spec, framework=framework, diagnostics=diagnostics, draws=draws, level=level)
    manifest = RunManifest(
        data=hash_of(assembled.data.reset_index().to_dict(orient="list")),
        data_as_at=data_as_at(assembled.sources) or str(observations.attrs.get("data_as_at", "")),
        spec=spec.hash,
        seed=seed if isinstance(seed, int) else None,
        sources=assembled.sources,
    )
    return RelationResult(
        table=table, text=text, spec=spec, manifest=manifest, diagnostics=diagnostics, data=assembled.data
    )


def _rows(
    assembled: Assembled,
    *,
    spec: RelationSpec,
    framework: Framework,
    level: float,
    draws: int,
    rng: np.random.Generator,
    shares: dict[tuple[str, str], float],
) -> Iterator[dict[str, Any]]:
    """Every row of the table, sample by sample and adjustment by adjustment."""
    everywhere = assembled.data
    unit = _NaturalUnit(framework.indicator(spec.predictor), framework.indicator(spec.outcome), everywhere)
    for sample in spec.samples:
        data = everywhere if sample == "all" else everywhere[~everywhere["london"]]
        drawn = resamples(max(len(data), 1), draws=draws, rng=rng)
        for controls in spec.adjustment_sets:
            shared = {"adjusted_for": "+".join(controls), "sample": sample, "n": len(data), "level": level}
            missing = [c for c in controls if c in assembled.withheld]
            reason = "; ".join(f"{c} has {assembled.withheld[c]}" for c in missing)
            if not missing and len(data) < MINIMUM_AREAS:
                reason = f"only {len(data)} authorities have every figure; at least {MINIMUM_AREAS} are needed"
            if reason:
                yield _withheld({**shared, "analysis": "spearman", "scale": "correlation"}, reason)
                continue
            yield from _correlation_rows(data, spec=spec, controls=controls, drawn=drawn, level=level, shared=shared)
            yield from _slope_rows(
                data, everywhere, spec=spec, controls=controls, level=level, shared=shared, unit=unit, shares=shares
            )


def _correlation_rows(
    data: pd.DataFrame,
    *,
    spec: RelationSpec,
    controls: tuple[str, ...],
    drawn: NDArray[np.intp],
    level: float,
    shared: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    x, y = data[spec.predictor].to_numpy(float), data[spec.outcome].to_numpy(float)
    held = data[list(controls)].to_numpy(float) if controls else None
    for method in ("spearman", "pearson"):
        found = correlate(x, y, draws=drawn, controls=held, method=method, level=level)
        yield _row(
            {**shared, "analysis": method, "scale": "correlation", "unit": "correlation"},
            found.estimate,
            found.lower,
            found.upper,
            method="percentiles of authorities drawn again",
        )


def _slope_rows(
    data: pd.DataFrame,
    everywhere: pd.DataFrame,
    *,
    spec: RelationSpec,
    controls: tuple[str, ...],
    level: float,
    shared: dict[str, Any],
    unit: _NaturalUnit,
    shares: dict[tuple[str, str], float],
) -> Iterator[dict[str, Any]]:
    names = [spec.outcome, spec.predictor, *controls]
    # one yardstick for every sample: the spread across all authorities of the answer
    constant = [n for n in names if np.ptp(everywhere[n].to_numpy(float)) == 0]
    if constant:
        message = f"{constant[0]} is the same in all {len(everywhere)} authorities: there is no slope to estimate."
        raise RelationError(message)
    scaled = (data[names] - everywhere[names].mean()) / everywhere[names].std(ddof=1)
    y = scaled[spec.outcome].to_numpy(float)
    plain = np.column_stack([np.ones(len(data)), scaled[names[1:]].to_numpy(float)])
    columns = ["constant", *names[1:]]
    regions = data["region_code"].astype(str)
    dummies = pd.get_dummies(regions, drop_first=True, dtype=float)
    within = np.column_stack([plain, dummies.to_numpy(float)])
    fits: dict[str, Fit | RelationError] = {"ols_robust": fit_robust(y, plain, names=columns, level=level)}
    for analysis in ("ols_region", "mixed_region"):
        try:
            if analysis == "ols_region":
                fits[analysis] = fit_robust(y, within, names=[*columns, *map(str, dummies.columns)], level=level)
            else:
                fits[analysis] = fit_mixed(y, plain, names=columns, groups=regions.to_numpy(), level=level)
        except RelationError as error:  # these two are beside the answer: withheld with the reason, not the end of it
            fits[analysis] = error
    for analysis, fit in fits.items():
        standard = {**shared, "analysis": analysis, "scale": "standard", "unit": "sd of outcome per sd of predictor"}
        natural = {**shared, "analysis": analysis, "scale": "natural", "unit": unit.words}
        if isinstance(fit, RelationError):
            yield _withheld(standard, str(fit))
            yield _withheld(natural, str(fit))
            continue
        if analysis == "mixed_region" and np.isfinite(fit.within):
            shares[shared["adjusted_for"], shared["sample"]] = fit.between / (fit.between + fit.within)
        slope = fit.of(spec.predictor)
        yield _row(standard, *slope, method=fit.method, reason=fit.note)
        yield _row(natural, *(unit.factor * s for s in slope), method=fit.method, reason=fit.note)


class _NaturalUnit:
    """Turns a slope in standard units into units of the outcome per a round step of the predictor."""

    def __init__(self, predictor: Indicator, outcome: Indicator, data: pd.DataFrame) -> None:
        spread = float(data[predictor.id].std(ddof=1))
        self.step = 10.0 ** np.floor(np.log10(spread)) if spread > 0 else 1.0  # 42 per 100,000: a step of 10
        self.factor = float(data[outcome.id].std(ddof=1)) / spread * self.step if spread > 0 else float("nan")
        decimals = max(0, -int(np.log10(self.step)))
        per = wording.number(self.step, decimals, predictor.unit)
        self.words = f"{short_name(outcome)} ({outcome.unit}) for each {per} more of {short_name(predictor)}"


def _row(
    shared: dict[str, Any], estimate: float, lower: float, upper: float, *, method: str, reason: str = ""
) -> dict[str, Any]:
    return {
        **shared,
        "estimate": float(estimate),
        "lower": float(lower),
        "upper": float(upper),
        "interval": "figures",
        "method": method,
        "status": "computed",
        "reason": reason,
    }


def _withheld(shared: dict[str, Any], reason: str) -> dict[str, Any]:
    empty = {"estimate": np.nan, "lower": np.nan, "upper": np.nan, "interval": "figures", "method": "", "unit": ""}
    return {**empty, **shared, "status": "withheld", "reason": reason}


def _diagnostics(
    assembled: Assembled,
    *,
    spec: RelationSpec,
    framework: Framework,
    shares: dict[tuple[str, str], float],
    draws: int,
) -> dict[str, Any]:
    variables = [i for i in spec.roles if i in assembled.data]
    bases = {i: framework.indicator(i).geography_basis for i in (spec.predictor, spec.outcome)}
    return {
        "periods": assembled.periods,
        "left_out": assembled.left_out,
        "withheld": assembled.withheld,
        "draws": draws,
        "region_share": shares,
        "geography_basis": bases,
        "geography_mismatch": len(set(bases.values())) > 1,
        "spread": assembled.data[variables].agg(["mean", "std", "min", "max"]).T,
    }
