"""One place and one date: whether its figures left the course that others would have one expect."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import Problems, SpecError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.asking import defaults
from outcomes_analysis.relations.evaluating.counterparts import METHODS, Counterpart
from outcomes_analysis.relations.evaluating.evaluation_checks import (
    checks_table,
    earlier_dates,
    estimates_of,
    judged_on,
    power_table,
)
from outcomes_analysis.relations.evaluating.evaluation_wording import compose_evaluation
from outcomes_analysis.relations.evaluating.place_panels import place_panel
from outcomes_analysis.relations.evaluating.placebos import Judged, each_as_the_place
from outcomes_analysis.sources.release import data_as_at


@dataclass(frozen=True)
class EvaluationSpec:
    """One figure, place and date. Frozen and hashable.

    Attributes
    ----------
    indicator : str
        Indicator id.
    area_code : str
        Of the upper-tier authority.
    since : int
        First analysis year (that in which a figure's period ends) in which a change could show.
    change : str
        What changed there, in words that can stand inside a sentence: ``"the family hubs of 2021"``.
    until : int, optional
        Last year; by default the latest the place has.
    also_changed : tuple of str
        Codes of other areas where the same changed about that time: they are compared with nothing.

    Raises
    ------
    SpecError
        Naming everything that is wrong.
    """

    indicator: str
    area_code: str
    since: int
    change: str
    until: int | None = None
    also_changed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = Problems("evaluation of a place and a date")
        if not self.change.strip():
            problems.add("what changed is not said; put it in words.")
        if self.until is not None and self.until < self.since:
            problems.add(f"the last year, {self.until}, lies before the first, {self.since}.")
        if self.area_code in self.also_changed:
            problems.add(f"'{self.area_code}' is the place itself; leave it out of also_changed.")
        problems.raise_if_any(SpecError)

    @property
    def hash(self) -> str:
        """Short hash of the question, the same in every session."""
        return hash_of(asdict(self))

    def replace(self, **changes: Any) -> EvaluationSpec:
        """Make the same question with something changed."""
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What can be said of a place and a date.

    Attributes
    ----------
    table : DataFrame
        One row a method (``weighted``: synthetic control; ``differences``: difference in differences): ``estimate``
        (place less counterpart, mean of the years since the date, natural units), ``lower, upper, level, interval``,
        ``p_value`` (share of places with as large a difference, this one counted), ``misfit`` (root mean square before
        the date), ``status`` and ``reason``. Withheld where a check in ``DESIGN`` fails.
    checks : DataFrame
        One row a check (``wording.EVALUATION_CHECKS``): ``check, passed, found`` (in words).
    power : DataFrame
        One row a method: the smallest change that would have stood out four times in five, ``detectable``; were
        sampling error, ``by_sampling``, or sampling error and year-to-year variation, ``by_year_to_year``, all that
        moves the figures (NaN where not known); and ``spread``, one standard deviation between places.
    paths : DataFrame
        By ``year``: ``place``, ``weighted`` and ``differences``; and ``since``, whether the year is from the date on.
    weights : Series
        By ``area_code``: those of the weighted counterpart, the largest first, none of 0.
    text : str
    spec : EvaluationSpec
    manifest : RunManifest
    """

    table: pd.DataFrame
    checks: pd.DataFrame
    power: pd.DataFrame
    paths: pd.DataFrame
    weights: pd.Series[float]
    text: str
    spec: EvaluationSpec
    manifest: RunManifest

    def __str__(self) -> str:
        return self.text

    @property
    def passed(self) -> bool:
        """Whether every check passed, so that the text may speak of an effect."""
        return bool(self.checks["passed"].all())


def evaluate_place(
    observations: pd.DataFrame | None = None,
    *,
    spec: EvaluationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
) -> EvaluationResult:
    """Set a place since a date beside its counterpart, with every check an answer has to pass.

    Parameters
    ----------
    observations : DataFrame, optional
        The tidy table; by default the release. Whole-population figures that are published or estimated are used, in
        natural units, of years since the indicator's latest declared break; places that lack one are left out.
    spec : EvaluationSpec
        The figure, the place and the date.
    framework, areas
        By default the Common Outcomes Framework and the ranked upper-tier authorities.
    level : float
        Of the intervals; ``1 - level`` is the chance at which a difference counts as standing out.

    Returns
    -------
    EvaluationResult
        Its text speaks of an effect only if all checks passed: the place lies within the others (``overlap``), its
        counterpart follows it (``fit``), it was on no course of its own (``earlier_course``), no date before stands
        out (``earlier_dates``), a change of one standard deviation between places could have been seen (``power``),
        the difference stands out from that of other places (``other_places``), and both methods say the same
        (``agreement``).

    Raises
    ------
    FrameworkError
        If the indicator is not known.
    RelationError
        If the place is unknown or lacks figures, a declared break lies at or after the date, fewer than five years lie
        before it, or fewer than thirty other places have every figure.

    Notes
    -----
    Abadie, Diamond and Hainmueller (2010) for the weighted counterpart and places as placebos; Conley and Taber (2011)
    and Ferman and Pinto (2019) for differences with one place, allowing for places of different size. Counted on four
    indicators of the release and 200 places, at dates when nothing particular is known to have changed: 3 passed all
    checks. So one evaluation in about seventy speaks of an effect by chance or for another reason; many places tried in
    turn will find some.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    panel = place_panel(observations, spec=spec, framework=framework, areas=areas)
    counterparts: dict[str, Counterpart] = {}
    judged: dict[str, Judged] = {}
    fits: dict[str, float] = {}
    for name, method in METHODS.items():
        place, others = panel.values[:, 0], panel.values[:, 1:]
        found = method(place, others, panel.before)
        placebos = each_as_the_place(others, before=panel.before, method=method)
        counterparts[name] = found
        judged[name] = judged_on(panel, found, placebos, before=panel.before, last=len(panel.years))
        fits[name] = (1 + sum(p.misfit >= found.misfit for p in placebos)) / (1 + len(placebos))
    strength = power_table(panel, judged, level=level)
    earlier = earlier_dates(panel)
    checks = checks_table(panel, counterparts, judged, fits, strength, earlier, level=level)
    table = estimates_of(counterparts, judged, checks, level=level)
    weights = pd.Series(counterparts["weighted"].weights, index=pd.Index(panel.codes[1:], name="area_code"))
    result = EvaluationResult(
        table=table,
        checks=checks,
        power=strength,
        paths=pd.DataFrame(
            {
                "year": panel.years.astype(int),
                "place": panel.values[:, 0],
                **{name: found.path for name, found in counterparts.items()},
                "since": np.arange(len(panel.years)) >= panel.before,
            }
        ),
        weights=weights[weights > 0].sort_values(ascending=False),
        text="",
        spec=spec,
        manifest=RunManifest(
            data=hash_of([panel.codes, panel.years.tolist(), panel.values.tolist()]),
            data_as_at=data_as_at(panel.sources) or str(observations.attrs.get("data_as_at", "")),
            spec=spec.hash,
            seed=None,
            sources=panel.sources,
        ),
    )
    text = compose_evaluation(
        result.table,
        result.checks,
        result.power,
        result.paths,
        weights=result.weights,
        change=spec.change,
        indicator=framework.indicator(spec.indicator),
        framework=framework,
        names=areas["name"],
        place=str(areas.at[spec.area_code, "name"]),
        others=len(panel.codes) - 1,
    )
    return replace(result, text=text)
