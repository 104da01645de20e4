"""The alternatives that factors name: each combination of figures, treatment and normalisation made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.montecarlo.choosing import Choices
from outcomes_analysis.index.montecarlo.factors import (
    BasePeriodFactor,
    Factor,
    FiguresFactor,
    ImputationFactor,
    NormalisationFactor,
    TreatmentFactor,
    describe_method,
    method_dict,
)
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.gap_draws import GapDraws, gap_draws
from outcomes_analysis.index.montecarlo.kernels import LeafScores
from outcomes_analysis.index.montecarlo.modelling import MIDDLE, REFERENCE, SPREAD, IndexModel
from outcomes_analysis.index.steps.moments import kurtosis, skewness
from outcomes_analysis.index.steps.normalisation import STEP, Normalisation
from outcomes_analysis.index.steps.orderings import Ordering
from outcomes_analysis.index.steps.scalings import About, Linear, highest, lowest
from outcomes_analysis.index.steps.stepping import Method, classes_of, method_for
from outcomes_analysis.index.steps.transforms import MARGIN
from outcomes_analysis.index.steps.treatment import SkewKurtosis, TreatmentMethod, treat_one
from outcomes_analysis.project import SEED


@dataclass(frozen=True, eq=False)
class Treatment:
    """One treatment of all indicators, as it was decided on the published figures.

    Attributes
    ----------
    values : ndarray, shape (units, indicators)
        Treated figures.
    low, high : ndarray, shape (indicators,)
        Limits to which draws are winsorised; infinite where nothing was.
    logged : tuple of int
        Indicators logged by ``log_ct``: a draw is logged by its own lowest value and range.
    curves : dict of int to (ndarray, ndarray)
        By indicator transformed otherwise: published and treated values in rising order, which draws follow.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    logged: tuple[int, ...]
    curves: dict[int, tuple[np.ndarray, np.ndarray]]

    def of(self, drawn: np.ndarray, *, field: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Treat draws as was decided on the published figures.

        Parameters
        ----------
        drawn : ndarray, shape (units, indicators, draws)
            Overwritten.
        field : ndarray of the same shape
            Draws whose range counts (``drawn`` itself, or the field it stands in), not yet treated.
        there : ndarray of bool, shape (units, indicators, 1)
            Where a figure exists.
        """
        bounded = np.flatnonzero(np.isfinite(self.low) | np.isfinite(self.high))
        if len(bounded) == drawn.shape[1]:
            np.clip(drawn, self.low[:, None], self.high[:, None], out=drawn)
        else:
            for k in bounded:
                np.clip(drawn[:, k], self.low[k], self.high[k], out=drawn[:, k])
        for j in self.logged:
            low = np.where(there[:, j], field[:, j], np.inf).min(axis=0)
            high = np.where(there[:, j], field[:, j], -np.inf).max(axis=0)
            drawn[:, j] = np.log(np.maximum(drawn[:, j] - low, 0) + MARGIN * (high - low))
        for j, (before, after) in self.curves.items():
            drawn[:, j] = along(drawn[:, j], before, after)
        return drawn


def _to_treat(x: np.ndarray, method: Method) -> np.ndarray:
    """Indicators that a treatment may touch: those that fail its test, all columns tested at once."""
    if not isinstance(method, SkewKurtosis):
        return np.arange(x.shape[1])
    fails = (np.abs(skewness(x)) >= method.skew) & (kurtosis(x) >= method.kurtosis)
    return np.flatnonzero(fails)


def along(x: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Follow a rising curve through points, straight on beyond its ends."""
    y = np.interp(x, before, after)
    first = (after[1] - after[0]) / (before[1] - before[0])
    last = (after[-1] - after[-2]) / (before[-1] - before[-2])
    return y + np.minimum(x - before[0], 0) * first + np.maximum(x - before[-1], 0) * last


def treatment_of(model: IndexModel, method: Any) -> Treatment:
    """Treat the published figures, and note the rule for draws."""
    low, high = model.ends
    x = np.clip(model.x, low, high)
    if method == "none":
        return Treatment(x, low, high, (), {})
    chosen = method_for(method_dict(method), classes_of(TreatmentMethod), step="treat")
    treated, logged, curves = x.copy(), [], {}
    for j in _to_treat(x, chosen):
        treated[:, j], tail, row = treat_one(x[:, j], chosen, name=model.tree.leaves[j])
        there = np.isfinite(x[:, j])
        before, after = x[there, j], treated[there, j]
        if row["transform"] == "log_ct" and not tail.any():
            logged.append(int(j))
        elif row["transform"]:
            points, first = np.unique(before, return_index=True)
            curves[int(j)] = (points, after[first])
        else:
            low[j] = after.min() if after.min() > before.min() else low[j]
            high[j] = after.max() if after.max() < before.max() else high[j]
    return Treatment(treated, low, high, tuple(logged), curves)


@dataclass(frozen=True, eq=False)
class Scaling:
    """One normalisation: score = shift + stretch * (signed value - centre) / spread."""

    kind: str
    shift: float
    stretch: float
    centre: np.ndarray | None = None
    spread: np.ndarray | None = None

    def within(self, signed: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and spread of each draw, shape (indicators, draws); or the fixed ones.

        Parameters
        ----------
        signed : ndarray, shape (units, indicators, draws)
            Drawn values times direction.
        there : ndarray of bool, shape (units, indicators, 1)
            Where a figure exists.
        """
        if self.centre is not None and self.spread is not None:
            return self.centre[:, None], self.spread[:, None]
        full = bool(there.all())
        if self.kind == "minmax":
            low = signed.min(axis=0) if full else np.where(there, signed, np.inf).min(axis=0)
            high = signed.max(axis=0) if full else np.where(there, signed, -np.inf).max(axis=0)
            return low, high - low
        count = there.sum(axis=0)
        centre = (signed if full else np.where(there, signed, 0.0)).sum(axis=0) / count
        away = signed - centre
        if not full:
            away *= there
        return centre, np.sqrt(np.einsum("upr,upr->pr", away, away) / (count - 1))


def scaling_of(model: IndexModel, method: Any, period: str | None) -> Scaling | None:
    """The fast form of a normalisation, where it has one (z-scores, min-max, reference); None elsewhere."""
    given = method_dict(method)
    kind = given.get("method")
    if kind == REFERENCE:
        if period is None:
            message = "Normalisation by reference needs base periods; pass `references` to the IndexModel."
            raise SpecError(message)
        table = model.references[period].reindex(list(model.tree.leaves))
        centre = table["centre"].to_numpy(float) * model.signs
        return Scaling(REFERENCE, MIDDLE, SPREAD, centre, table["scale"].to_numpy(float))
    if kind not in ("zscore", "minmax"):
        return None
    full = method_for(given, classes_of(Normalisation), step=STEP).model_dump()
    if kind == "zscore":
        return Scaling(kind, full["mean"], full["sd"])
    return Scaling(kind, full["lower"], full["upper"] - full["lower"])


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Every alternative that factors name, and each combination of them made when first used.

    Attributes
    ----------
    model : IndexModel
    treatments : list of Treatment
    normalisations : list of (method, Scaling or None), one for each base period in turn
    periods : int
        How many base periods.
    figures : ndarray, shape (tables, units, indicators), or None
        What the true values may be, drawn.
    gaps : GapDraws or None
        What missing figures may be, drawn.
    """

    model: IndexModel
    treatments: list[Treatment]
    normalisations: list[tuple[Any, Scaling | None]]
    periods: int
    figures: np.ndarray | None = None
    gaps: GapDraws | None = None
    _made: dict[int, LeafScores] = field(default_factory=dict)

    def method(self, choices: Choices, rows: slice) -> np.ndarray:
        """Which combination of treatment and normalisation each replicate uses."""
        at = choices.treatment[rows] * len(self.normalisations) + choices.normalisation[rows] * self.periods
        return np.asarray(at + choices.base[rows])

    def position(self, choices: Choices, rows: slice) -> np.ndarray:
        """Which combination of figures, treatment and normalisation each replicate uses."""
        tables = 1 + (0 if self.figures is None else len(self.figures))
        table = choices.gaps[rows] * tables + choices.figures[rows]
        return np.asarray(table * self._methods + self.method(choices, rows))

    @property
    def _methods(self) -> int:
        return len(self.treatments) * len(self.normalisations)

    def __getitem__(self, position: int) -> LeafScores:
        """Normalised indicators of one combination."""
        if position not in self._made:
            table, method = divmod(position, self._methods)
            treatment = self.treatments[method // len(self.normalisations)]
            way, scaling = self.normalisations[method % len(self.normalisations)]
            self._made[position] = LeafScores.of(
                normalised(self.model, self._treated(table, treatment), way, scaling),
                label=f"normalising by {describe_method(way)}",
                names=self.model.tree.leaves,
            )
        return self._made[position]

    def _treated(self, table: int, treatment: Treatment) -> np.ndarray:
        if not table:
            return treatment.values
        gaps, figures = divmod(table, 1 + (0 if self.figures is None else len(self.figures)))
        drawn = self.figures[figures - 1].copy() if figures and self.figures is not None else self.model.x.copy()
        if gaps and self.gaps is not None:
            drawn[self.gaps.rows, self.gaps.columns] = self.gaps.values[gaps - 1]
        cells = drawn[:, :, None]
        return treatment.of(cells, field=cells, there=np.isfinite(cells))[:, :, 0]


def alternatives_of(model: IndexModel, factors: Sequence[Factor], *, seed: int = SEED) -> Alternatives:
    """Work out what factors choose among: treat the published figures each way, and draw the tables they need.

    Raises
    ------
    SpecError
        No figure is missing where gaps are to be drawn, figures without errors where they are, or too little to
        estimate them from.
    """
    treatings: tuple[Any, ...] = (model.treatment,)
    methods: tuple[Any, ...] = (model.normalisation,)
    periods: tuple[str | None, ...] = tuple(model.references)[:1] or (None,)
    figures, gaps = None, None
    for factor in factors:
        if isinstance(factor, TreatmentFactor):
            treatings = factor.methods
        elif isinstance(factor, NormalisationFactor):
            methods = factor.methods
        elif isinstance(factor, BasePeriodFactor):
            periods = factor.periods
        elif isinstance(factor, ImputationFactor):
            gaps = gap_draws(model, factor, seed=seed)
        elif isinstance(factor, FiguresFactor):
            posterior = FigureDraws(shrink=factor.shrink).prepare(model)
            figures = posterior.tables(factor.draws, rng=np.random.default_rng([seed, 7]))
    treatments = [treatment_of(model, m) for m in treatings]
    normalisations = [(m, scaling_of(model, m, p)) for m in methods for p in periods]
    return Alternatives(model, treatments, normalisations, len(periods), figures, gaps)


def normalised(model: IndexModel, values: np.ndarray, method: Any, scaling: Scaling | None) -> np.ndarray:
    """Normalise one array of units by indicators, missing where missing."""
    if scaling is not None and scaling.centre is not None and scaling.spread is not None:
        return scaling.shift + scaling.stretch * (values * model.signs - scaling.centre) / scaling.spread
    chosen = method_for(method_dict(method), classes_of(Normalisation), step=STEP)
    signed = values * model.signs
    names = model.tree.leaves
    flat = [n for n, narrow in zip(names, highest(signed) == lowest(signed), strict=True) if narrow]
    if flat:
        message = (
            f"{len(flat)} indicators have one value everywhere ({several(flat)}): leave them out of the hierarchy."
        )
        raise SpecError(message)
    if isinstance(chosen, Ordering):
        return chosen.score(signed)
    if not isinstance(chosen, Linear):  # pragma: no cover - the menu holds nothing else
        raise TypeError(chosen)
    # labels are looked at only to measure from a unit; making text of 33,000 of them takes longer than scaling does
    units = tuple(map(str, model.values.index)) if chosen.key() == "distance" else ()
    line = chosen.line(
        signed, About(names=names, signs=model.signs, units=units, base=np.ones(len(signed), dtype=bool))
    )
    scores = line.low + (line.high - line.low) * ((signed - line.origin) / line.width)
    return np.asarray(np.clip(scores, *chosen.ends), dtype=float)
