"""Every slope of a question: straight lines with and without levels for regions, in standard and natural units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.relations.asking import Asked, computed, withheld
from outcomes_analysis.relations.sample import refuse_breaks, several_years
from outcomes_analysis.relations.sentences import short_name
from outcomes_analysis.relations.slopes.clusters import fit_clustered
from outcomes_analysis.relations.slopes.fractions import fit_fractional
from outcomes_analysis.relations.slopes.mixed import fit_nested
from outcomes_analysis.relations.slopes.regression import Fit, fit_mixed, fit_robust
from outcomes_analysis.relations.slopes.unmeasured import Robustness, robustness
from outcomes_analysis.relations.slopes.wild import fit_wild
from outcomes_analysis.relations.specification import Sample

Floats = NDArray[np.float64]

STANDARD_UNIT = "sd of outcome per sd of predictor"


@dataclass(frozen=True, eq=False)
class Slopes:
    """The slopes of one question.

    Attributes
    ----------
    rows : list of dict
        Rows of the result's table.
    region_share : dict
        Share of what is left unexplained that lies between regions, by ``adjusted_for`` and sample.
    robustness : dict
        What the plain slope can bear, by ``adjusted_for`` and sample, where something is allowed for.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    region_share: dict[tuple[str, str], float] = field(default_factory=dict)
    robustness: dict[tuple[str, Sample], Robustness] = field(default_factory=dict)


class NaturalUnit:
    """Turns a slope in standard units into units of the outcome per a round step of the predictor."""

    def __init__(self, predictor: Indicator, outcome: Indicator, data: pd.DataFrame) -> None:
        spread = float(data[predictor.id].std(ddof=1))
        self.step = 10.0 ** np.floor(np.log10(spread)) if spread > 0 else 1.0  # 42 per 100,000: a step of 10
        self.factor = float(data[outcome.id].std(ddof=1)) / spread * self.step if spread > 0 else float("nan")
        decimals = max(0, -int(np.log10(self.step)))
        per = wording.number(self.step, decimals, predictor.unit)
        of = f"{short_name(outcome)} ({outcome.unit.split(' (')[0]})"
        self.words = f"{of} for each {per} more of {short_name(predictor)}"


class Case:
    """Outcome, predictor and what is allowed for of one sample, each in standard deviations across all authorities.

    One yardstick for every sample: the spread across all authorities of the answer.
    """

    def __init__(self, asked: Asked, *, sample: Sample, controls: tuple[str, ...]) -> None:
        everywhere = asked.assembled.data
        names = [asked.spec.outcome, asked.spec.predictor, *controls]
        constant = [n for n in names if np.ptp(everywhere[n].to_numpy(float)) == 0]
        if constant:
            message = f"{constant[0]} is the same in all {len(everywhere)} authorities: there is no slope to estimate."
            raise RelationError(message)
        self.asked, self.sample, self.controls = asked, sample, controls
        self.data = everywhere[asked.keep(sample)]
        self.centre, self.spread = everywhere[names].mean(), everywhere[names].std(ddof=1)
        self.columns = ["constant", *names[1:]]
        scaled = self._scaled(self.data)
        self.y, self.design = scaled[:, 0], np.column_stack([np.ones(len(scaled)), scaled[:, 1:]])
        self.regions = self.data["region_code"].astype(str).to_numpy()

    def _scaled(self, data: pd.DataFrame) -> Floats:
        return ((data[self.centre.index] - self.centre) / self.spread).to_numpy(float)

    def plain(self) -> Fit:
        """Least squares with robust errors."""
        return fit_robust(self.y, self.design, names=self.columns, level=self.asked.level)

    def by_children(self) -> Fit:
        """The same with each authority counted by its children aged 0 to 17."""
        children = self.asked.assembled.children
        lacking = int(children.reindex(self.data.index).isna().sum())
        if lacking:
            message = f"the number of children is not known for {lacking} of {len(self.data)} authorities"
            raise RelationError(message)
        weights = children.loc[self.data.index].to_numpy(float)
        return fit_robust(self.y, self.design, names=self.columns, weights=weights, level=self.asked.level)

    def clustered(self) -> Fit:
        """The same line with errors for likeness within regions."""
        return fit_clustered(self.y, self.design, names=self.columns, groups=self.regions, level=self.asked.level)

    def wild(self) -> Fit:
        """A check on those errors: residuals of whole regions drawn anew, with no slope supposed."""
        asked = self.asked
        return fit_wild(
            self.y,
            self.design,
            names=self.columns,
            predictor=asked.spec.predictor,
            groups=self.regions,
            rng=np.random.default_rng(asked.further if asked.seed is None else asked.seed),
            level=asked.level,
        )

    def within_regions(self) -> Fit:
        """With a level for each region taken out."""
        dummies = pd.get_dummies(pd.Series(self.regions), drop_first=True, dtype=float)
        design = np.column_stack([self.design, dummies.to_numpy(float)])
        return fit_robust(self.y, design, names=[*self.columns, *map(str, dummies)], level=self.asked.level)

    def mixed(self) -> Fit:
        """With a random level for each region."""
        return fit_mixed(self.y, self.design, names=self.columns, groups=self.regions, level=self.asked.level)

    def of_a_share(self) -> Fit:
        """Average slope of fractional logit, in standard deviations of the outcome like the others."""
        per = 100.0 / float(self.spread.iloc[0])
        share = self.data[self.asked.spec.outcome].to_numpy(float) / 100
        return fit_fractional(share, self.design, names=self.columns, level=self.asked.level).times(per)

    def with_authorities(self) -> Fit:
        """Levels for regions and authorities, over all the years of the question."""
        asked = self.asked
        refuse_breaks(asked.spec, framework=asked.framework, also=self.controls)
        table = several_years(asked.observations, spec=asked.spec, controls=self.controls, areas=self.data)
        years = pd.get_dummies(table["year"].astype(str), drop_first=True, dtype=float)
        scaled = self._scaled(table)
        design = np.column_stack([np.ones(len(table)), scaled[:, 1:], years.to_numpy(float)])
        return fit_nested(
            scaled[:, 0],
            design,
            names=[*self.columns, *map(str, years)],
            areas=table["area_code"].to_numpy(),
            regions=table["region_code"].to_numpy(),
            level=asked.level,
        )

    def robustness(self) -> Robustness:
        """What the plain slope can bear, with each thing allowed for as the measure."""
        return robustness(
            self.y,
            self.design,
            names=self.columns,
            predictor=self.asked.spec.predictor,
            benchmarks={control: [control] for control in self.controls},
            level=self.asked.level,
        )


LINES: dict[str, Callable[[Case], Fit]] = {
    "ols_robust": Case.plain,
    "wls_children": Case.by_children,
    "ols_clustered": Case.clustered,
    "ols_wild": Case.wild,
    "ols_region": Case.within_regions,
    "mixed_region": Case.mixed,
    "mixed_authority": Case.with_authorities,
    "fractional_logit": Case.of_a_share,
}


def lines_for(outcome: Indicator) -> list[str]:
    """Analyses that suit an outcome: fractional logit only for a proportion."""
    return [name for name in LINES if name != "fractional_logit" or outcome.form == "proportion"]


def sloped(asked: Asked) -> Slopes:
    """Work out every slope of a question.

    Raises
    ------
    RelationError
        If a variable is constant, or the plain line cannot be had. The other lines stand beside the answer: where one
        of them cannot be had, its row is withheld with the reason.
    """
    found = Slopes()
    unit = NaturalUnit(asked.predictor, asked.outcome, asked.assembled.data)
    for sample, controls, reason in asked.cases():
        shared = asked.shared(sample, controls)
        case = None if reason else Case(asked, sample=sample, controls=controls)
        for analysis in lines_for(asked.outcome):
            fit: Fit | str = reason if case is None else _fitted(case, analysis)
            if isinstance(fit, Fit) and analysis == "mixed_region" and np.isfinite(fit.within):
                found.region_share[shared["adjusted_for"], sample] = fit.between / (fit.between + fit.within)
            found.rows.extend(
                slope_rows(fit, {**shared, "analysis": analysis}, predictor=asked.spec.predictor, unit=unit)
            )
        if case is not None and controls:
            found.robustness[shared["adjusted_for"], sample] = case.robustness()
    return found


def _fitted(case: Case, analysis: str) -> Fit | str:
    try:
        return LINES[analysis](case)
    except RelationError as error:
        if analysis == "ols_robust":
            raise
        return str(error)


def slope_rows(
    fit: Fit | str, shared: dict[str, Any], *, predictor: str, unit: NaturalUnit
) -> Iterator[dict[str, Any]]:
    """Rows of a slope in standard and in natural units, or why it is withheld."""
    for scale, factor, words in (("standard", 1.0, STANDARD_UNIT), ("natural", unit.factor, unit.words)):
        row = shared | {"scale": scale, "unit": words}
        if isinstance(fit, str):
            yield withheld(row, fit)
        else:
            row["n"] = fit.areas or row["n"]
            yield computed(row, *(factor * s for s in fit.of(predictor)), method=fit.method, reason=fit.note)
