"""Every slope of a question: straight lines with and without levels for regions, in standard and natural units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.relations.asking import Asked, computed, withheld
from outcomes_analysis.relations.regression import Fit, fit_mixed, fit_robust
from outcomes_analysis.relations.sentences import short_name

Floats = np.ndarray


@dataclass(frozen=True, eq=False)
class Slopes:
    """The slopes of one question.

    Attributes
    ----------
    rows : list of dict
        Rows of the result's table.
    region_share : dict
        Share of what is left unexplained that lies between regions, by ``adjusted_for`` and sample.
    """

    rows: list[dict[str, Any]]
    region_share: dict[tuple[str, str], float] = field(default_factory=dict)


class NaturalUnit:
    """Turns a slope in standard units into units of the outcome per a round step of the predictor."""

    def __init__(self, predictor: Indicator, outcome: Indicator, data: pd.DataFrame) -> None:
        spread = float(data[predictor.id].std(ddof=1))
        self.step = 10.0 ** np.floor(np.log10(spread)) if spread > 0 else 1.0  # 42 per 100,000: a step of 10
        self.factor = float(data[outcome.id].std(ddof=1)) / spread * self.step if spread > 0 else float("nan")
        decimals = max(0, -int(np.log10(self.step)))
        per = wording.number(self.step, decimals, predictor.unit)
        self.words = (
            f"{short_name(outcome)} ({outcome.unit.split(' (')[0]}) for each {per} more of {short_name(predictor)}"
        )


@dataclass(frozen=True, eq=False)
class Design:
    """Outcome, predictor and what is held alike of one case, each in standard deviations across all authorities."""

    y: Floats
    plain: Floats
    within: Floats
    columns: list[str]
    region_columns: list[str]
    regions: Floats

    @classmethod
    def of(cls, asked: Asked, *, keep: Floats, controls: tuple[str, ...]) -> Design:
        """Lay out one case; one yardstick for every sample, the spread across all authorities of the answer."""
        everywhere = asked.assembled.data
        names = [asked.spec.outcome, asked.spec.predictor, *controls]
        constant = [n for n in names if np.ptp(everywhere[n].to_numpy(float)) == 0]
        if constant:
            message = f"{constant[0]} is the same in all {len(everywhere)} authorities: there is no slope to estimate."
            raise RelationError(message)
        data = everywhere[keep]
        scaled = (data[names] - everywhere[names].mean()) / everywhere[names].std(ddof=1)
        plain = np.column_stack([np.ones(len(data)), scaled[names[1:]].to_numpy(float)])
        regions = data["region_code"].astype(str)
        dummies = pd.get_dummies(regions, drop_first=True, dtype=float)
        return cls(
            y=scaled[names[0]].to_numpy(float),
            plain=plain,
            within=np.column_stack([plain, dummies.to_numpy(float)]),
            columns=["constant", *names[1:]],
            region_columns=[str(c) for c in dummies.columns],
            regions=regions.to_numpy(),
        )


def _plain(design: Design, level: float) -> Fit:
    return fit_robust(design.y, design.plain, names=design.columns, level=level)


def _within(design: Design, level: float) -> Fit:
    return fit_robust(design.y, design.within, names=[*design.columns, *design.region_columns], level=level)


def _mixed(design: Design, level: float) -> Fit:
    return fit_mixed(design.y, design.plain, names=design.columns, groups=design.regions, level=level)


LINES: dict[str, Callable[[Design, float], Fit]] = {
    "ols_robust": _plain,
    "ols_region": _within,
    "mixed_region": _mixed,
}


def sloped(asked: Asked) -> Slopes:
    """Work out every slope of a question.

    Raises
    ------
    RelationError
        If a variable is constant, or the plain line cannot be had. The other lines stand beside the answer: where one
        of them cannot be had, its row is withheld with the reason.
    """
    found = Slopes([])
    unit = NaturalUnit(asked.predictor, asked.outcome, asked.assembled.data)
    for sample, controls, reason in asked.cases():
        shared = asked.shared(sample, controls)
        design = None if reason else Design.of(asked, keep=asked.keep(sample), controls=controls)
        for analysis, line in LINES.items():
            standard = shared | {"analysis": analysis, "scale": "standard", "unit": "sd of outcome per sd of predictor"}
            natural = shared | {"analysis": analysis, "scale": "natural", "unit": unit.words}
            if design is None:
                found.rows.extend([withheld(standard, reason), withheld(natural, reason)])
                continue
            try:
                fit = line(design, asked.level)
            except RelationError as error:
                if analysis == "ols_robust":
                    raise
                found.rows.extend([withheld(standard, str(error)), withheld(natural, str(error))])
                continue
            if analysis == "mixed_region" and np.isfinite(fit.within):
                found.region_share[shared["adjusted_for"], sample] = fit.between / (fit.between + fit.within)
            slope = fit.of(asked.spec.predictor)
            found.rows.append(computed(standard, *slope, method=fit.method, reason=fit.note))
            found.rows.append(computed(natural, *(unit.factor * s for s in slope), method=fit.method, reason=fit.note))
    return found
