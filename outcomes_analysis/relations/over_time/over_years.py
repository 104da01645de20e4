"""How outcomes move together over the years within the same authorities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import hash_of
from outcomes_analysis.relations.analyses import answer_of, ask_each
from outcomes_analysis.relations.asking import Asked, defaults
from outcomes_analysis.relations.over_time.panels import Errors, Levels, fit_panel, lagged
from outcomes_analysis.relations.result import RelationResult, table_of
from outcomes_analysis.relations.sample import refuse_breaks, several_years
from outcomes_analysis.relations.sentences import measured, with_capital
from outcomes_analysis.relations.slopes.regressing import Case, NaturalUnit, slope_rows
from outcomes_analysis.relations.slopes.regression import Fit
from outcomes_analysis.relations.specification import RelationSpec

LINES: dict[str, tuple[Levels, Errors]] = {
    "panel_within": ("areas", "areas"),
    "panel_two_way": ("areas and years", "areas"),
    "panel_two_way_regions": ("areas and years", "groups"),
    "panel_two_way_years": ("areas and years", "years"),
    "panel_lagged": ("areas and years", "areas"),
}


def panel_regressions(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    lag: int = 1,
    breaks: Literal["refuse", "level"] = "refuse",
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    seed: int = SEED,
) -> RelationResult:
    """Slopes of an outcome on each of several predictors within the same authorities over several years.

    Parameters
    ----------
    observations, framework, areas, level
        As in :func:`outcomes_analysis.relations.regressions`.
    spec : RelationSpec
        The question; all its years count, those in which thirty authorities have every figure. Authorities are those
        with every figure in the last year.
    lag : int
        Years by which the predictor of ``panel_lagged`` lies before the outcome, among the years of the question.
    breaks : {"refuse", "level"}
        What becomes of years across a declared break of any figure used: an error, or a level of its own for each
        stretch of years between breaks (levels for years hold it already). A level takes out what a break does to all
        authorities alike, not what it does to some more than to others.
    seed : int
        Only kept: no line here needs a draw.

    Returns
    -------
    RelationResult
        Rows ``panel_within`` (levels for authorities, errors CR1 by authority), ``panel_two_way`` (levels for
        years too), ``panel_two_way_regions`` (errors CR2 by region), ``panel_two_way_years`` (errors of Driscoll and
        Kraay) and ``panel_lagged``, in standard and natural units, for each predictor, with something allowed for or
        not, and for each sample. Standard deviations are those between authorities in the last year. A line that cannot
        be had is withheld with the reason. ``diagnostics["years"]`` has the years of each case,
        ``diagnostics["stretches"]`` where levels for breaks begin.

    Raises
    ------
    SpecError
        If ``lag`` is not above 0.
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`; for a single year, and for years across a break unless
        ``breaks="level"``.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    _check(spec, lag=lag, breaks=breaks, framework=framework)
    latest = spec.replace(years=(spec.year,))
    asked = ask_each(latest, observations, framework=framework, areas=areas, level=level, draws=1, seed=seed)
    starts = _stretches(spec, framework=framework)
    tables, said, used = [], [], {}
    figures: dict[tuple[str, str, str], pd.DataFrame] = {}
    for one in asked:
        rows: list[dict[str, Any]] = []
        unit = NaturalUnit(one.predictor, one.outcome, one.assembled.data)
        for sample, controls, reason in one.cases():
            shared = one.shared(sample, controls)
            case: _Panel | str = reason or _panel(one, spec, sample=sample, controls=controls, starts=starts)
            found = {name: case if isinstance(case, str) else case.fitted(name, lag=lag) for name in LINES}
            for name, fit in found.items():
                row = {**shared, "analysis": name}
                rows.extend(slope_rows(fit, row, predictor=one.spec.predictor, unit=unit))
            if isinstance(case, _Panel):
                key = (one.spec.predictor, shared["adjusted_for"], sample)
                used[key], figures[key] = case.years, case.table
                if sample == "all":
                    said.append(_sentence(one, case, found, controls=controls, lag=lag))
        tables.append(table_of(rows, names=one.names).assign(predictor=one.spec.predictor))
    said.append(
        "A line within authorities leaves out all that stays the same there, seen or unseen, but nothing that changes "
        "at the same time. Noise weighs more in it: what changes in one authority from year to year is small beside "
        "the noise in its figures, which draws such a slope towards 0, so one near 0 is no proof of none."
    )
    if starts:
        years = wording.listed([str(start) for start in starts])
        said.append(f"Figures are not comparable across {years}: each stretch of years has a level of its own.")
    result = answer_of(
        asked, pd.concat(tables, ignore_index=True), " ".join(said), spec=spec, years=used, stretches=starts
    )
    data = hash_of({str(key): table.to_dict(orient="list") for key, table in figures.items()})
    return replace(result, manifest=replace(result.manifest, data=data))


class _Panel:
    """Figures of one case over the years, each in standard deviations across the authorities of the last year."""

    def __init__(self, case: Case, table: pd.DataFrame, *, starts: tuple[int, ...]) -> None:
        self.case, self.table, self.starts = case, table, starts
        self.years = tuple(int(year) for year in sorted(table["year"].unique()))

    def fitted(self, name: str, *, lag: int) -> Fit | str:
        """One line, or why it cannot be had."""
        levels, errors = LINES[name]
        predictor, outcome = self.case.asked.spec.predictor, self.case.asked.spec.outcome
        table = lagged(self.table, predictor, lag=lag) if name == "panel_lagged" else self.table
        if table["year"].nunique() < 2:
            return f"fewer than two years have a figure of the predictor {wording.plural(lag, 'year', 'years')} before"
        names = [predictor, *self.case.controls]
        scaled = (table[[outcome, *names]] - self.case.centre) / self.case.spread
        design = scaled[names].to_numpy(float)
        if levels == "areas":
            stretch = np.searchsorted(self.starts, table["year"], side="right")
            own = pd.get_dummies(pd.Series(stretch), prefix="stretch", drop_first=True, dtype=float)
            names, design = [*names, *own.columns], np.column_stack([design, own.to_numpy(float)])
        try:
            return fit_panel(
                scaled[outcome].to_numpy(float),
                design,
                names=names,
                areas=table["area_code"].to_numpy(),
                years=table["year"].to_numpy(),
                levels=levels,
                errors=errors,
                groups=table["region_code"].to_numpy(),
                level=self.case.asked.level,
            )
        except RelationError as error:
            return str(error)


def _panel(
    one: Asked, spec: RelationSpec, *, sample: Any, controls: tuple[str, ...], starts: tuple[int, ...]
) -> _Panel | str:
    case = Case(one, sample=sample, controls=controls)
    pair = spec.replace(predictors=(one.spec.predictor,))
    try:
        table = several_years(one.observations, spec=pair, controls=controls, areas=case.data)
    except RelationError as error:
        return str(error)
    years = table["year"].unique()
    return _Panel(case, table, starts=tuple(s for s in starts if years.min() < s <= years.max()))


def _check(spec: RelationSpec, *, lag: int, breaks: str, framework: Framework) -> None:
    if lag < 1:
        message = f"lag is {lag}; the predictor lies one year or more before the outcome."
        raise SpecError(message)
    if len(spec.years) < 2:
        message = f"The question names one year, {spec.year}; to set authorities beside themselves name several."
        raise RelationError(message)
    for indicator in spec.roles:
        framework.indicator(indicator)
    if breaks == "refuse":
        held = tuple(i for group in spec.adjustment_sets for i in group)
        refuse_breaks(spec, framework=framework)
        for indicator in dict.fromkeys(held):
            refuse_breaks(spec.replace(predictors=(indicator,), confounders=()), framework=framework)


def _stretches(spec: RelationSpec, *, framework: Framework) -> tuple[int, ...]:
    """First years of new series of any figure used, within the years of the question."""
    used = (i for i, role in spec.roles.items() if role not in ("mediator", "collider"))
    years = {year_of(b.period) for i in used for b in framework.indicator(i).breaks}
    return tuple(sorted(y for y in years if spec.years[0] < y <= spec.years[-1]))


def _sentence(one: Asked, case: _Panel, found: Mapping[str, Fit | str], *, controls: tuple[str, ...], lag: int) -> str:
    names = one.names
    pair = f"{names[one.spec.predictor]} and {names[one.spec.outcome]}"
    held = f", with {wording.listed([names[c] for c in controls])} allowed for" if controls else ""

    def words(name: str) -> str:
        fit = found[name]
        if isinstance(fit, str):
            return f"withheld ({fit.rstrip('.')})"
        estimate, lower, upper = fit.of(one.spec.predictor)
        return measured(pd.Series({"estimate": estimate, "lower": lower, "upper": upper, "level": fit.level}))

    before = "the year before" if lag == 1 else f"{lag} years before"
    return (
        f"{with_capital(pair)}{held}, {case.table['area_code'].nunique()} authorities set beside themselves in "
        f"{span_of(case.years)}: for each standard deviation more of {names[one.spec.predictor]} than the authority's "
        f"own mean, {names[one.spec.outcome]} differs from its own by {words('panel_within')} standard deviations. "
        f"With what all authorities share in a year taken out as well: {words('panel_two_way')}; the same with errors "
        f"for likeness within the few regions: {words('panel_two_way_regions')}; with errors for what authorities "
        f"share in a year and the next: {words('panel_two_way_years')}. Against the predictor of {before}: "
        f"{words('panel_lagged')}."
    )


def span_of(years: tuple[int, ...]) -> str:
    """Years as a person would write them: ``2016 to 2019, 2022 and 2023``."""
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 2 else wording.listed([str(y) for y in run]) for run in runs]
    return wording.listed(parts)
