"""Linear normalisations: every score is a straight line of the published value, so it can be traced back."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.index.steps.stepping import Method

STEP = "normalise"


def _pairs(given: Any) -> Any:
    """Turn a mapping into sorted pairs, so that a frozen method that holds one can be hashed."""
    return tuple(sorted(dict(given).items())) if hasattr(given, "keys") else given


#: Numbers by indicator: given as a mapping, kept as sorted pairs, written as a mapping.
ByIndicator = Annotated[
    tuple[tuple[str, float], ...],
    BeforeValidator(_pairs),
    PlainSerializer(lambda pairs: dict(pairs), return_type=dict[str, float]),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}}),
]


def by_column(given: float | ByIndicator, names: tuple[str, ...], *, what: str) -> np.ndarray:
    """One number a column: the same for all, or looked up by name.

    Raises
    ------
    SpecError
        Columns without a number, all named at once.
    """
    if isinstance(given, (int, float)):
        return np.full(len(names), float(given))
    table = dict(given)
    missing = [name for name in names if name not in table]
    if missing:
        message = f"`{STEP}`: no {what} for {len(missing)} indicators ({several(missing)}); give one each"
        raise SpecError(message)
    return np.array([table[name] for name in names], dtype=float)


@dataclass(frozen=True)
class About:
    """What a normalisation may need to know besides the values.

    Attributes
    ----------
    names : tuple of str
        Columns of the block at hand.
    signs : ndarray, shape (columns,)
        1 or -1; the values have been multiplied by it.
    units : Index
        Row labels.
    base : ndarray of bool, shape (rows,)
        Rows of the base period (all of them if none was given).
    population : ndarray, shape (rows,), optional
        People behind each row.
    national : ndarray, shape (columns,), optional
        The nation's value in the base period, multiplied by the sign.
    """

    names: tuple[str, ...]
    signs: np.ndarray
    units: pd.Index
    base: np.ndarray
    population: np.ndarray | None = None
    national: np.ndarray | None = None


@dataclass(frozen=True)
class Line:
    """``score = low + (high - low) * (x - origin) / width``, ``x`` being the value times its direction.

    Attributes
    ----------
    origin, width : ndarray, shape (columns,)
        A width that is not above 0 says that there is nothing to scale by.
    low, high : float
        Scores at ``origin`` and at ``origin + width``.
    middle : float
        Score of a column without spread, if one is asked for.
    """

    origin: np.ndarray
    width: np.ndarray
    low: float
    high: float
    middle: float


class Linear(Method):
    """A normalisation that is a line of the value, perhaps cut off at its ends."""

    @abstractmethod
    def line(self, x: np.ndarray, about: About) -> Line:
        """Find the line for each column of directed values."""

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest score possible."""
        return (-np.inf, np.inf)


def lowest(x: np.ndarray) -> np.ndarray:
    """Smallest value of each column, missing ones left out."""
    return np.asarray(np.fmin.reduce(x, axis=0), dtype=float)


def highest(x: np.ndarray) -> np.ndarray:
    """Largest value of each column, missing ones left out."""
    return np.asarray(np.fmax.reduce(x, axis=0), dtype=float)


def mean_and_sd(x: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column.

    Parameters
    ----------
    x : ndarray, shape (rows, columns)
        Missing values are left out, column by column.
    weights : ndarray, shape (rows,), optional
        With weights the standard deviation has the sum of weights as divisor (the spread of the people);
        without, the number of values less one (an estimate from a sample).

    Returns
    -------
    (ndarray, ndarray)
        The standard deviation of a constant column is exactly 0, whatever rounding makes of it.
    """
    if weights is None and len(x) > 1 and np.isfinite(x).all():
        return x.mean(axis=0), np.where(highest(x) == lowest(x), 0.0, x.std(axis=0, ddof=1))
    present = np.isfinite(x)
    w = np.where(present, 1.0 if weights is None else weights[:, None], 0.0)
    total = w.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present, x, 0.0)
        mean = (mean * w).sum(axis=0) / total
        squares = (np.where(present, x - mean, 0.0) ** 2 * w).sum(axis=0)
        sd = np.sqrt(squares / (total - 1 if weights is None else total))
    return mean, np.where(highest(x) == lowest(x), 0.0, sd)


class MinMax(Linear):
    """``(x - min) / (max - min)``, stretched from ``lower`` to ``upper`` (Handbook 5; COINr ``n_minmax``)."""

    method: Literal["minmax"] = "minmax"
    lower: float = 0.0
    upper: float = 100.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower >= self.upper:
            message = f"lower ({self.lower}) must be below upper ({self.upper})"
            raise ValueError(message)
        return self

    def line(self, x: np.ndarray, about: About) -> Line:
        """From the lowest to the highest value."""
        return Line(lowest(x), highest(x) - lowest(x), self.lower, self.upper, (self.lower + self.upper) / 2)


class ZScore(Linear):
    """``mean + sd * (x - average) / standard deviation`` (divisor n - 1; Handbook 5; COINr ``n_zscore``)."""

    method: Literal["zscore"] = "zscore"
    mean: float = 0.0
    sd: float = Field(default=1.0, gt=0)

    def line(self, x: np.ndarray, about: About) -> Line:
        """From the average to one standard deviation above it."""
        average, spread = mean_and_sd(x)
        return Line(average, spread, self.mean, self.mean + self.sd, self.mean)


class BasePeriod(Linear):
    """``mean + sd * (x - centre) / spread`` with centre and spread of the base period, so that years compare.

    Attributes
    ----------
    centre : {"population_mean", "mean", "national"}
        Mean over the base rows weighted by people (ONS Health Index: England in 2015), their plain mean, or
        the nation's own value as published.
    spread : {"population_sd", "sd"}
        Standard deviation around the mean of the base rows, weighted by people or plain (divisor n - 1).
    """

    method: Literal["base_period"] = "base_period"
    mean: float = 100.0
    sd: float = Field(default=10.0, gt=0)
    centre: Literal["population_mean", "mean", "national"] = "population_mean"
    spread: Literal["population_sd", "sd"] = "population_sd"

    def line(self, x: np.ndarray, about: About) -> Line:
        """From the base period's centre to one of its standard deviations above."""
        base = x[about.base]
        empty = [n for n, some in zip(about.names, np.isfinite(base).any(axis=0), strict=True) if not some]
        if empty:
            message = f"`{STEP}`: {len(empty)} indicators have no value in the base period ({several(empty)})"
            raise SpecError(message)
        centre = self._centre(base, about)
        spread = mean_and_sd(base, self._people(about) if self.spread == "population_sd" else None)[1]
        return Line(centre, spread, self.mean, self.mean + self.sd, self.mean)

    def _people(self, about: About) -> np.ndarray:
        if about.population is None:
            message = f"`{STEP}`, base_period: centre={self.centre!r}, spread={self.spread!r} need population=..."
            raise SpecError(message)
        return about.population[about.base]

    def _centre(self, base: np.ndarray, about: About) -> np.ndarray:
        if self.centre != "national":
            return mean_and_sd(base, self._people(about) if self.centre == "population_mean" else None)[0]
        if about.national is None:
            message = f"`{STEP}`, base_period: centre='national' needs national=... (a value for each indicator)"
            raise SpecError(message)
        unknown = [n for n, some in zip(about.names, np.isfinite(about.national), strict=True) if not some]
        if unknown:
            message = f"`{STEP}`: no national value for {len(unknown)} indicators ({several(unknown)})"
            raise SpecError(message)
        return about.national


class Scaled(Linear):
    """``factor * (x - zero) / (one - zero)`` with fixed numbers, in directed units (COINr ``n_scaled``)."""

    method: Literal["scaled"] = "scaled"
    zero: float = 0.0
    one: float = 100.0
    factor: float = Field(default=100.0, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.zero >= self.one:
            message = f"zero ({self.zero}) must be below one ({self.one})"
            raise ValueError(message)
        return self

    def line(self, x: np.ndarray, about: About) -> Line:
        """From ``zero`` to ``one``, whatever the values."""
        k = x.shape[1]
        return Line(np.full(k, self.zero), np.full(k, self.one - self.zero), 0.0, self.factor, self.factor / 2)


class Distance(Linear):
    """``1 - (reference - x) / (reference - min)``: 1 at the reference, 0 at the worst value.

    Attributes
    ----------
    to : {"best", "unit", "target"}
        The highest value (COINr ``n_dist2max``), the value of ``unit`` (``n_dist2ref``) or ``target``
        (``n_dist2targ``, in the indicator's own units).
    cap : bool
        Whether what goes beyond the reference still scores 1.
    """

    method: Literal["distance"] = "distance"
    to: Literal["best", "unit", "target"] = "best"
    unit: str = ""
    target: float | ByIndicator = ()
    cap: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """Nothing above 1 where capped."""
        return (-np.inf, 1.0 if self.cap else np.inf)

    def line(self, x: np.ndarray, about: About) -> Line:
        """From the worst value to the reference."""
        if self.to == "best":
            reference = highest(x)
        elif self.to == "target":
            reference = by_column(self.target, about.names, what="target") * about.signs
        else:
            reference = self._of_unit(x, about)
        worst = lowest(x)
        return Line(worst, reference - worst, 0.0, 1.0, 0.5)

    def _of_unit(self, x: np.ndarray, about: About) -> np.ndarray:
        units = [str(unit) for unit in about.units]
        if self.unit not in units:
            message = f"`{STEP}`: reference unit {self.unit!r} is not in the data; there are {several(units)}"
            raise SpecError(message)
        row: np.ndarray = x[units.index(self.unit)]
        unknown = [n for n, value in zip(about.names, row, strict=True) if not np.isfinite(value)]
        if unknown:
            message = f"`{STEP}`: reference unit {self.unit!r} has no value of {several(unknown)}"
            raise SpecError(message)
        return row


class Goalposts(Linear):
    """From one fixed post to another, as in the Human Development Index (COINr ``n_goalposts``).

    Attributes
    ----------
    lower, upper : float or mapping from indicator to number
        Posts in the indicator's own units, ``lower`` the smaller number whichever way is better.
    range : (float, float)
        Scores at the worse and the better post (for a geometric mean start above 0).
    truncate : bool
        Whether values beyond a post score as the post.
    """

    method: Literal["goalposts"] = "goalposts"
    lower: float | ByIndicator
    upper: float | ByIndicator
    range: tuple[float, float] = (0.0, 100.0)
    truncate: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            message = f"range must run from a lower to a higher score, not {self.range}"
            raise ValueError(message)
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The range, where truncated."""
        return self.range if self.truncate else (-np.inf, np.inf)

    def line(self, x: np.ndarray, about: About) -> Line:
        """From the worse post to the better."""
        lower = by_column(self.lower, about.names, what="lower goalpost")
        upper = by_column(self.upper, about.names, what="upper goalpost")
        crossed = [n for n, wrong in zip(about.names, lower >= upper, strict=True) if wrong]
        if crossed:
            message = f"`{STEP}`: the lower goalpost is not below the upper one for {several(crossed)}"
            raise SpecError(message)
        worse = np.where(about.signs > 0, lower, -upper)
        return Line(worse, upper - lower, *self.range, float(np.mean(self.range)))


class Adjusted(Linear):
    """70 to 130 around the reference, the scale of the adjusted Mazziotta-Pareto index.

    ``70 + 60 * (x - (R - d)) / (2 d)`` with ``d`` half the range of all rows and ``R`` the mean of the base rows
    (or the nation's value): 100 is the reference, years compare (Mazziotta and Pareto 2016, Soc Indic Res 127).
    """

    method: Literal["adjusted"] = "adjusted"
    reference: Literal["mean", "national"] = "mean"

    def line(self, x: np.ndarray, about: About) -> Line:
        """From the lower to the upper adjusted goalpost."""
        centre = BasePeriod(centre=self.reference, spread="sd").line(x, about).origin
        return Line(centre, highest(x) - lowest(x), 100.0, 160.0, 100.0)


class Ratio(Linear):
    """A fraction of the best, the mean or the worst value (Handbook: distance to a reference).

    A fraction needs a true zero, and "higher is better". Where lower is better the values are first mirrored
    about the middle of their range (``max + min - x``): the best still has ``max`` and the worst ``min``, gaps
    keep their size, and the fraction of the maximum is 1 for the best. (COINr divides the negated value by a
    negative maximum, which reverses the order.)

    Attributes
    ----------
    to : {"best", "mean", "worst"}
        What the fraction is of; "best" is the fraction of the maximum.
    difference : bool
        Whether to take 1 off: the relative difference.
    """

    method: Literal["ratio"] = "ratio"
    to: Literal["best", "mean", "worst"] = "best"
    difference: bool = False

    of: ClassVar[dict[str, Any]] = {"best": highest, "mean": lambda x: mean_and_sd(x)[0], "worst": lowest}

    def line(self, x: np.ndarray, about: About) -> Line:
        """From zero to the reference."""
        low, high = lowest(x), highest(x)
        below = np.where(about.signs > 0, low, -high) < 0
        if below.any():
            names = [n for n, is_below in zip(about.names, below, strict=True) if is_below]
            message = (
                f"`{STEP}`, ratio: {len(names)} indicators have values below 0 ({several(names)}), of which a "
                "fraction means nothing; choose 'minmax' for them"
            )
            raise SpecError(message)
        zero = np.where(about.signs > 0, 0.0, high + low)
        reference = self.of[self.to](x) - zero
        shift = 1.0 if self.difference else 0.0
        return Line(zero, reference, -shift, 1 - shift, 1 - shift)


class Unscaled(Linear):
    """The value as it is, times its direction."""

    method: Literal["none"] = "none"

    def line(self, x: np.ndarray, about: About) -> Line:
        """The identity."""
        return Line(np.zeros(x.shape[1]), np.ones(x.shape[1]), 0.0, 1.0, 0.0)
