"""How strong a characteristic of areas that is not in the figures would have to be to bring an association to nothing.

After Cinelli and Hazlett (2020). What is left out of a straight line can be described by two shares: of what is left of
the predictor, and of what is left of the outcome, once the controls are allowed for. The robustness value is
the share that both would have to reach. Characteristics that are in the figures serve as a measure: one as strong as
child poverty, say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.regression import check_design

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Benchmark:
    """What one characteristic as strong as an observed one would leave of an association.

    Attributes
    ----------
    name : str
        The observed characteristic (or group of columns).
    with_predictor, with_outcome : float
        Shares of what is left of predictor and of outcome that such a characteristic would account for.
    estimate, lower, upper : float
        The slope with such a characteristic allowed for too, if it worked against the association.
    """

    name: str
    with_predictor: float
    with_outcome: float
    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Robustness:
    """How much a slope can bear.

    Attributes
    ----------
    estimate, error, df : float
        The slope, its ordinary standard error and the degrees of freedom left.
    partial_r2 : float
        Share of what is left of the outcome that the predictor accounts for.
    to_nothing : float
        Share of what is left of both that a characteristic must account for to bring the slope to nothing.
    to_unclear : float
        The same to let its interval at ``level`` reach 0; 0 if it does already.
    level : float
    benchmarks : tuple of Benchmark
    """

    estimate: float
    error: float
    df: float
    partial_r2: float
    to_nothing: float
    to_unclear: float
    level: float
    benchmarks: tuple[Benchmark, ...]


def robustness_value(t: float, df: float, *, level: float | None = None) -> float:
    """Share of what is left of both sides that would bring a slope to nothing, or its interval to 0.

    Parameters
    ----------
    t : float
        Slope over its ordinary standard error.
    df : float
        Degrees of freedom left.
    level : float, optional
        Of the interval that is to reach 0; without it the slope itself is to vanish.

    Returns
    -------
    float
        From 0 to 1. Cinelli and Hazlett (2020), equation 15 and, with a level, section 4.3: f is the slope's partial
        Cohen's f less the one that the interval needs with one degree of freedom fewer.

    Raises
    ------
    RelationError
        Without two degrees of freedom.
    """
    from scipy import stats

    if not df > 1:
        message = f"{df:.0f} degrees of freedom are left; a robustness value needs two."
        raise RelationError(message)
    f = abs(t) / np.sqrt(df)
    if level is not None:
        needed = float(stats.t.ppf((1 + level) / 2, df - 1)) / np.sqrt(df - 1)
        whole, f = f, f - needed
        if f <= 0:
            return 0.0
        if whole > 1 / needed:  # the worst share of the outcome is then below that of the predictor
            return float((whole**2 - needed**2) / (1 + whole**2))
    return float(0.5 * (np.sqrt(f**4 + 4 * f**2) - f**2))


def adjusted_for_unseen(
    estimate: float, error: float, df: float, *, with_predictor: float, with_outcome: float
) -> tuple[float, float]:
    """Slope and ordinary error once a characteristic of this strength were allowed for, working against the slope.

    Parameters
    ----------
    estimate, error, df : float
        Of the slope without it.
    with_predictor, with_outcome : float
        Shares of what is left of predictor and outcome that it accounts for, each from 0 and below 1.

    Notes
    -----
    Cinelli and Hazlett (2020), equations 11 and 12: an identity, not an approximation.
    """
    bias = error * np.sqrt(df * with_outcome * with_predictor / (1 - with_predictor))
    new_error = error * np.sqrt((1 - with_outcome) / (1 - with_predictor)) * np.sqrt(df / (df - 1))
    return float(np.sign(estimate) * (abs(estimate) - bias)), float(new_error)


def robustness(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    predictor: str,
    benchmarks: Mapping[str, Sequence[str]],
    level: float = LEVEL,
) -> Robustness:
    """How much the slope on a predictor can bear, beside characteristics that are in the figures.

    Parameters
    ----------
    outcome : array of shape (n,)
    design : array of shape (n, k)
        First column the constant.
    names : sequence of str
        One a column.
    predictor : str
        Column whose slope is asked about.
    benchmarks : mapping
        Name to columns of the design: each is taken as the measure of one further characteristic just as strong.
    level : float
        Of the intervals.

    Returns
    -------
    Robustness
        A benchmark that would leave nothing of the predictor or outcome is not among those given back.

    Raises
    ------
    RelationError
        As :func:`~.regression.check_design`.
    """
    from scipy import stats

    check_design(design, names=names)
    place = list(names).index(predictor)
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ outcome
    left = outcome - design @ slopes
    df = float(len(outcome) - design.shape[1])
    error = float(np.sqrt(left @ left / df * inverse[place, place]))
    estimate = float(slopes[place])
    t = estimate / error
    found = []
    for name, columns in benchmarks.items():
        strength = _as_strong_as(outcome, design, place=place, columns=[list(names).index(c) for c in columns])
        if strength is None:
            continue
        adjusted, new_error = adjusted_for_unseen(
            estimate, error, df, with_predictor=strength[0], with_outcome=strength[1]
        )
        reach = float(stats.t.ppf((1 + level) / 2, df - 1)) * new_error
        found.append(Benchmark(name, *strength, adjusted, adjusted - reach, adjusted + reach))
    return Robustness(
        estimate=estimate,
        error=error,
        df=df,
        partial_r2=t**2 / (t**2 + df),
        to_nothing=robustness_value(t, df),
        to_unclear=robustness_value(t, df, level=level),
        level=level,
        benchmarks=tuple(found),
    )


def _share(outcome: Floats, without: Floats, columns: Floats) -> float:
    """Share of what ``without`` leaves of the outcome that further columns account for: a partial R squared."""

    def left(design: Floats) -> float:
        rest = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
        return float(rest @ rest)

    before = left(without)
    return 1 - left(np.column_stack([without, columns])) / before if before > 0 else 0.0


def _as_strong_as(outcome: Floats, design: Floats, *, place: int, columns: Sequence[int]) -> tuple[float, float] | None:
    """Shares that a characteristic exactly as strong as these columns would account for; None where they reach one.

    Cinelli and Hazlett (2020), section 4.4, equations 18 to 20, with the multiples 1 for predictor and outcome.
    """
    predictor, own = design[:, place], design[:, columns]
    rest = np.delete(design, [place, *columns], axis=1)
    in_predictor = _share(predictor, rest, own)
    in_outcome = _share(outcome, np.column_stack([rest, predictor]), own)
    if in_predictor >= 0.5 or in_outcome >= 1:
        return None
    with_predictor = in_predictor / (1 - in_predictor)
    # correlation, squared, that predictor and outcome allowed for bring about between the two characteristics
    crossed = in_predictor**2 / (1 - in_predictor) ** 2
    with_outcome = (1 + np.sqrt(crossed)) ** 2 / (1 - crossed) * in_outcome / (1 - in_outcome)
    return (with_predictor, float(with_outcome)) if with_outcome < 1 else None
