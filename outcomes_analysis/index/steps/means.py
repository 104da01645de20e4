"""Ways to combine the parts of a node into one score, each using what is present."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.pairwise import copeland_scores
from outcomes_analysis.index.steps.stepping import Method

STEP = "aggregate"


class Aggregator(Method):
    """A way to combine parts; weights are spread over the parts present, unit by unit."""

    @property
    def relative(self) -> bool:
        """Whether a unit's score depends on which other units there are."""
        return False

    def slopes(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """How fast the score moves with each part, units by parts; None where it does not move smoothly.

        Takes what :meth:`combine` takes; 0 for parts that are missing.
        """
        return None

    @abstractmethod
    def combine(self, x: np.ndarray, weights: np.ndarray, *, node: str, parts: list[str]) -> np.ndarray:
        """Combine the parts of one node.

        Parameters
        ----------
        x : ndarray, shape (units, parts)
            NaN is missing.
        weights : ndarray, shape (parts,)
            0 or more; need not add up to 1.
        node, parts : str, list of str
            Named in messages.

        Returns
        -------
        ndarray, shape (units,)
            NaN where no part with a weight is present.
        """


def present_weights(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights unit by unit over what is present, adding up to 1 (or all 0 where nothing is)."""
    w = np.where(np.isfinite(x), weights, 0.0)
    total = w.sum(axis=1, keepdims=True)
    return np.divide(w, total, out=np.zeros_like(w), where=total > 0)


def weighted_average(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Arithmetic mean over what is present; NaN where nothing is."""
    present = np.isfinite(x)
    if present.all():
        return np.asarray(x @ (weights / weights.sum()), dtype=float)
    total = present @ weights
    sums = np.where(present, x, 0.0) @ weights
    return np.divide(sums, total, out=np.full(len(x), np.nan), where=total > 0)


class PowerMean(Aggregator):
    """A mean of ``offset + factor * score``, brought back to the scale of the scores.

    Attributes
    ----------
    offset, factor : float
        Scores centred on 0 need a positive scale before a mean that multiplies or divides: 100 and 10 give the
        one with mean 100 and standard deviation 10.
    """

    offset: float = 0.0
    factor: float = Field(default=1.0, gt=0)

    @abstractmethod
    def _power(self) -> float: ...

    def combine(self, x: np.ndarray, weights: np.ndarray, *, node: str, parts: list[str]) -> np.ndarray:
        """``(sum of w x^p)^(1/p)``, or ``exp(sum of w ln x)`` for p = 0."""
        power = self._power()
        if power == 1:
            return weighted_average(x, weights)
        used = np.where(weights > 0, self.offset + self.factor * x, np.nan)
        self._refuse_low(used, power, node, parts)
        if power == 0:
            mean = np.exp(weighted_average(np.log(used), weights))
        else:
            mean = weighted_average(used**power, weights) ** (1 / power)
        return np.asarray((mean - self.offset) / self.factor)

    def slopes(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``w (x / mean)^(p - 1)`` of the shifted scores."""
        w = present_weights(x, weights)
        used = np.where(w > 0, self.offset + self.factor * x, 1.0)
        power = self._power()
        with np.errstate(invalid="ignore", divide="ignore"):
            if power == 0:
                mean = np.exp((w * np.log(used)).sum(axis=1, keepdims=True))
            else:
                mean = (w * used**power).sum(axis=1, keepdims=True) ** (1 / power)
            return np.where(w > 0, w * (used / mean) ** (power - 1), 0.0)

    def _refuse_low(self, used: np.ndarray, power: float, node: str, parts: list[str]) -> None:
        low = (used < 0) if power > 0 else (used <= 0)
        if not low.any():
            return
        named = [p for p, wrong in zip(parts, low.any(axis=0), strict=True) if wrong]
        limit = "below 0" if power > 0 else "0 or below"
        message = (
            f"`{STEP}`: node '{node}' takes a {self.key()} mean, but {int(low.sum())} scores of {several(named)} are "
            f"{limit}. Normalise to a positive scale (1 to 100, say), or set offset and factor."
        )
        raise SpecError(message)


class ArithmeticMean(Aggregator):
    """``sum of w x``: a low part is made up for by a high one in full."""

    method: Literal["arithmetic"] = "arithmetic"

    def combine(self, x: np.ndarray, weights: np.ndarray, *, node: str, parts: list[str]) -> np.ndarray:
        """The weighted average."""
        return weighted_average(x, weights)

    def slopes(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The weights over what is present."""
        return present_weights(x, weights)


class GeometricMean(PowerMean):
    """``exp(sum of w ln x)``: a low part is made up for in part; scores must be above 0."""

    method: Literal["geometric"] = "geometric"

    def _power(self) -> float:
        return 0.0


class HarmonicMean(PowerMean):
    """``1 / sum of w / x``: a low part weighs more than in the geometric mean; scores must be above 0."""

    method: Literal["harmonic"] = "harmonic"

    def _power(self) -> float:
        return -1.0


class GeneralisedMean(PowerMean):
    """``(sum of w x^p)^(1/p)``: below 1 low parts count more, above 1 high ones."""

    method: Literal["generalised"] = "generalised"
    power: float

    def _power(self) -> float:
        return self.power


class WeightedMedian(Aggregator):
    """The value with half of the weight on either side; halfway between two where the weight splits evenly."""

    method: Literal["median"] = "median"

    def combine(self, x: np.ndarray, weights: np.ndarray, *, node: str, parts: list[str]) -> np.ndarray:
        """With equal weights the ordinary median."""
        w = present_weights(x, weights)
        order = np.argsort(np.where(w > 0, x, np.inf), axis=1, kind="stable")
        ordered = np.take_along_axis(x, order, axis=1)
        so_far = np.cumsum(np.take_along_axis(w, order, axis=1), axis=1)
        # sums of weights are right to a few units of rounding only
        lower = np.argmax(so_far >= 0.5 - 1e-12, axis=1)
        upper = np.argmax(so_far > 0.5 + 1e-12, axis=1)
        rows = np.arange(len(x))
        middle = (ordered[rows, lower] + ordered[rows, upper]) / 2
        return np.where(w.any(axis=1), middle, np.nan)


class MazziottaPareto(Aggregator):
    """``M - S^2 / M``: the mean less a penalty for parts that differ (Mazziotta and Pareto 2013).

    ``M`` and ``S`` are the weighted mean and standard deviation (divisor: the weights) of a unit's parts. Scores
    should lie around 100: normalise with ``ZScore(mean=100, sd=10)`` for the MPI, with ``Adjusted()`` for the
    adjusted MPI, whose years compare.

    Attributes
    ----------
    penalty : {"minus", "plus"}
        Minus where a high score is good, plus where it is bad.
    """

    method: Literal["mazziotta_pareto"] = "mazziotta_pareto"
    penalty: Literal["minus", "plus"] = "minus"

    def combine(self, x: np.ndarray, weights: np.ndarray, *, node: str, parts: list[str]) -> np.ndarray:
        """The mean, penalised."""
        w = present_weights(x, weights)
        filled = np.where(w > 0, x, 0.0)
        mean = (filled * w).sum(axis=1)
        any_present = w.any(axis=1)
        if (mean[any_present] <= 0).any():
            message = (
                f"`{STEP}`: node '{node}' has means of 0 or below, for which a coefficient of variation means nothing. "
                "Normalise to a scale around 100 first: ZScore(mean=100, sd=10) or Adjusted()."
            )
            raise SpecError(message)
        variance = (w * (filled - mean[:, None]) ** 2).sum(axis=1)
        sign = -1.0 if self.penalty == "minus" else 1.0
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(any_present, mean + sign * variance / mean, np.nan)

    def slopes(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``w (1 + s (2 (x - M) / M - S^2 / M^2))``, s being -1 or 1."""
        w = present_weights(x, weights)
        filled = np.where(w > 0, x, 0.0)
        mean = (filled * w).sum(axis=1, keepdims=True)
        away = np.where(w > 0, filled - mean, 0.0)
        variance = (w * away**2).sum(axis=1, keepdims=True)
        sign = -1.0 if self.penalty == "minus" else 1.0
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(w > 0, w * (1 + sign * (2 * away / mean - variance / mean**2)), 0.0)


class Copeland(Aggregator):
    """Wins less losses against every other unit, by majority of the weight (non-compensatory)."""

    method: Literal["copeland"] = "copeland"

    def combine(self, x: np.ndarray, weights: np.ndarray, *, node: str, parts: list[str]) -> np.ndarray:
        """See :func:`~outcomes_analysis.index.steps.pairwise.copeland`."""
        return copeland_scores(x, weights)

    @property
    def relative(self) -> bool:
        """Wins and losses are against the other units."""
        return True


#: Every way to combine parts, told apart by ``method``.
Aggregation = Annotated[
    ArithmeticMean | GeometricMean | HarmonicMean | GeneralisedMean | WeightedMedian | MazziottaPareto | Copeland,
    Field(discriminator="method"),
]


class Rescale(BaseModel):
    """Bring each node to one mean and standard deviation of the base rows before it goes up (ONS Health Index).

    A point then means the same at every level, a tenth of a base-period standard deviation with the defaults; a
    node is no longer the plain mean of the parts shown below it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float = 100.0
    sd: float = Field(default=10.0, gt=0)
