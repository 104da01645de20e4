"""Lines between neighbouring areas: tests of what a plain line leaves over, and lines that allow for it.

Two ways in which neighbours can be alike. In the error form what the line leaves over is alike between neighbours; in
the lag form the outcome itself goes with that of the neighbours. Closed forms in numpy: with a hundred and fifty areas
the eigenvalues of the weights give the likelihood at once (Ord 1975).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.regression import Fit, check_design, fit_of
from outcomes_analysis.relations.space.weights import Neighbours

Floats = NDArray[np.float64]
Form = Literal["lag", "error"]

GRID = 60  # values of the dependence tried before the best is refined


class Multiplier(NamedTuple):
    """A Lagrange multiplier test: chi-squared on one degree of freedom."""

    statistic: float
    p_value: float


class Dependence(NamedTuple):
    """Tests of what a plain line leaves over; a robust one allows for the other form being there."""

    error: Multiplier
    lag: Multiplier
    robust_error: Multiplier
    robust_lag: Multiplier


@dataclass(frozen=True)
class SpatialFit:
    """A line that allows for the likeness of neighbours.

    Attributes
    ----------
    form : {"lag", "error"}
    fit : Fit
        Slopes; in the lag form with the outcome of the neighbours allowed for.
    total : Fit
        Lag form: what each slope comes to once neighbours' outcomes have followed suit, slope / (1 - dependence).
        Error form: the slopes themselves.
    dependence : Fit
        One column, ``"neighbours"``: rho of the lag form, lambda of the error form.
    variance : float
        Of what is left over, over n.
    log_likelihood, plain_log_likelihood : float
        Of this line and of the plain one.
    """

    form: Form
    fit: Fit
    total: Fit
    dependence: Fit
    variance: float
    log_likelihood: float
    plain_log_likelihood: float


def dependence_tests(outcome: Floats, design: Floats, neighbours: Neighbours) -> Dependence:
    """Test what least squares leaves over for both forms of likeness between neighbours.

    Parameters
    ----------
    outcome : array of shape (areas,)
    design : array of shape (areas, k)
        First column the constant.
    neighbours : Neighbours

    Returns
    -------
    Dependence

    Raises
    ------
    RelationError
        If the line fits exactly.

    Notes
    -----
    Anselin, Bera, Florax and Yoon (1996), equations 10 to 13.
    """
    from scipy.stats import chi2

    w = neighbours.matrix
    slopes, left, variance = _plain(outcome, design)
    trace = float(np.sum(w * w.T) + np.sum(w * w))
    error = float(left @ w @ left) / variance
    lag = float(left @ w @ outcome) / variance
    beside = w @ design @ slopes
    beside = beside - design @ np.linalg.lstsq(design, beside, rcond=None)[0]
    spread = float(beside @ beside) / variance + trace
    statistics = (
        error**2 / trace,
        lag**2 / spread,
        (error - trace / spread * lag) ** 2 / (trace * (1 - trace / spread)) if spread > trace else np.nan,
        (lag - error) ** 2 / (spread - trace) if spread > trace else np.nan,
    )
    return Dependence(*(Multiplier(float(s), float(chi2.sf(s, 1))) for s in statistics))


def fit_spatial(
    outcome: Floats,
    design: Floats,
    neighbours: Neighbours,
    *,
    form: Form,
    names: Sequence[str],
    level: float = LEVEL,
) -> SpatialFit:
    """Fit a line with spatial lag or spatial error by maximum likelihood.

    Parameters
    ----------
    outcome : array of shape (areas,)
        In the order of ``neighbours.area_codes``.
    design : array of shape (areas, k)
        First column the constant.
    neighbours : Neighbours
    form : {"lag", "error"}
        y = rho W y + X b + e, or y = X b + u with u = lambda W u + e; e normal with one variance.
    names : sequence of str
        One a column.
    level : float
        Of the intervals: normal, from the expected information of all parameters together.

    Returns
    -------
    SpatialFit

    Raises
    ------
    RelationError
        As :func:`~.regression.check_design`; if the line fits exactly, or the likelihood
        rises to the end of the range that the dependence can have.

    Notes
    -----
    Ord (1975); information as in Anselin (1988), chapter 6.
    """
    check_design(design, names=names)
    _, _, plain = _plain(outcome, design)
    find = _lag if form == "lag" else _error
    found = find(outcome, design, neighbours)
    n = len(outcome)
    log_likelihood = _log_likelihood(found.variance, n) + found.log_det
    variance = np.linalg.inv(found.information)
    estimates = np.append(found.slopes, found.dependence)
    method = f"spatial {form}, maximum likelihood, normal intervals"
    k = len(names)
    fit = _fit(found.slopes, np.sqrt(np.diag(variance)[:k]), names=names, level=level, method=method)
    total = fit
    if form == "lag":
        rest = 1 - found.dependence
        # delta method: slope / (1 - rho) moves with the slope and with rho
        gradient = np.column_stack([np.eye(k) / rest, found.slopes / rest**2])
        spread = np.sqrt(np.einsum("ij,jk,ik->i", gradient, variance[: k + 1, : k + 1], gradient))
        total = _fit(estimates[:k] / rest, spread, names=names, level=level, method=f"{method} by the delta method")
    strength = _fit(
        np.array([found.dependence]), np.sqrt(variance[[k], [k]]), names=["neighbours"], level=level, method=method
    )
    return SpatialFit(form, fit, total, strength, found.variance, log_likelihood, _log_likelihood(plain, n))


class _Found(NamedTuple):
    """Where the likelihood peaks; information of slopes, dependence and variance, in this order."""

    slopes: Floats
    dependence: float
    variance: float
    log_det: float
    information: Floats


def _lag(outcome: Floats, design: Floats, neighbours: Neighbours) -> _Found:
    w = neighbours.matrix
    beside = w @ outcome
    own, theirs = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (outcome, beside))
    sums = own @ own, own @ theirs, theirs @ theirs

    def squares(rho: float) -> float:
        return float(sums[0] - 2 * rho * sums[1] + rho**2 * sums[2])

    rho = _peak(squares, neighbours, n=len(outcome), form="lag")
    slopes = np.linalg.lstsq(design, outcome - rho * beside, rcond=None)[0]
    variance = squares(rho) / len(outcome)
    g = _spill(w, rho)
    mean = g @ design @ slopes
    information = _information(design, g, variance)
    k = design.shape[1]
    information[:k, k] = information[k, :k] = design.T @ mean / variance
    information[k, k] += float(mean @ mean) / variance
    return _Found(slopes, rho, variance, _log_det(rho, neighbours), information)


def _error(outcome: Floats, design: Floats, neighbours: Neighbours) -> _Found:
    w = neighbours.matrix
    n = len(outcome)

    def filtered(strength: float) -> tuple[Floats, Floats]:
        return outcome - strength * (w @ outcome), design - strength * (w @ design)

    def squares(strength: float) -> float:
        y, x = filtered(strength)
        left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        return float(left @ left)

    strength = _peak(squares, neighbours, n=n, form="error")
    y, x = filtered(strength)
    variance = squares(strength) / n
    information = _information(x, _spill(w, strength), variance)
    slopes = np.linalg.lstsq(x, y, rcond=None)[0]
    return _Found(slopes, strength, variance, _log_det(strength, neighbours), information)


def _information(design: Floats, spill: Floats, variance: float) -> Floats:
    """What both forms share of the expected information, slopes and dependence taken as unrelated."""
    n, k = design.shape
    information = np.zeros((k + 2, k + 2))
    information[:k, :k] = design.T @ design / variance
    information[k, k] = float(np.sum(spill * spill.T) + np.sum(spill * spill))
    information[k, k + 1] = information[k + 1, k] = float(np.trace(spill)) / variance
    information[k + 1, k + 1] = n / (2 * variance**2)
    return information


def _spill(w: Floats, strength: float) -> Floats:
    """W (I - strength W)^-1."""
    n = len(w)
    return np.asarray(np.linalg.solve((np.eye(n) - strength * w).T, w.T).T)


def _peak(squares: Callable[[float], float], neighbours: Neighbours, *, n: int, form: Form) -> float:
    """Dependence with the highest likelihood, slopes and variance worked out of it."""
    from scipy.optimize import minimize_scalar

    lowest = 1 / float(neighbours.eigenvalues[0])

    def lack(strength: float) -> float:
        return n / 2 * float(np.log(squares(strength))) - _log_det(strength, neighbours)

    tried = np.linspace(lowest, 1, GRID + 2)[1:-1]
    found = np.array([lack(float(s)) for s in tried])
    best = int(np.argmin(found))
    if best in (0, GRID - 1):
        message = (
            f"The likelihood of the spatial {form} line rises to the end of its range: neighbours are so alike that no "
            "line can be told from the map. No figure is given."
        )
        raise RelationError(message)
    bracket = (tried[best - 1], tried[best], tried[best + 1])
    return float(minimize_scalar(lack, bracket=bracket, method="brent", options={"xtol": 1e-12}).x)


def _log_det(strength: float, neighbours: Neighbours) -> float:
    return float(np.log(1 - strength * neighbours.eigenvalues).sum())


def _log_likelihood(variance: float, n: int) -> float:
    return -n / 2 * (float(np.log(2 * np.pi * variance)) + 1)


def _plain(outcome: Floats, design: Floats) -> tuple[Floats, Floats, float]:
    """Slopes of least squares, what they leave over, and its variance over n."""
    slopes = np.linalg.lstsq(design, outcome, rcond=None)[0]
    left = outcome - design @ slopes
    variance = float(left @ left) / len(outcome)
    if variance <= 1e-20 * float(np.var(outcome)):
        message = "The line fits every area exactly: nothing is left over that could be alike between neighbours."
        raise RelationError(message)
    return slopes, left, variance


def _fit(estimates: Floats, errors: Floats, *, names: Sequence[str], level: float, method: str) -> Fit:
    """Normal intervals: t with no end of degrees of freedom."""
    return fit_of(estimates, errors, names=names, level=level, df=float("inf"), method=method)
