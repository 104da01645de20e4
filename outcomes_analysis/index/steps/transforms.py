"""Logs and the Box-Cox transform of one indicator, all increasing, so that order and direction are kept."""

from __future__ import annotations

from typing import Literal

import numpy as np

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.steps.moments import skewness

TransformName = Literal["log_ct", "log_ct_plus", "log_ct_orig", "log_gii"]
Shift = Literal["one", "range", "none"]

#: The COIN Tool's logs keep the lowest value this share of the range above zero.
MARGIN = 0.01

#: Powers of the Box-Cox transform are sought between these.
POWERS = (-5.0, 5.0)


def log_transform(values: np.ndarray, transform: TransformName, *, name: str) -> tuple[np.ndarray, str]:
    """Take one of the logs in use for composite indicators (formulas: COINr 1.1.14 and the GII 2020).

    Parameters
    ----------
    values : ndarray, shape (units,)
        NaN is missing.
    transform : {"log_ct", "log_ct_plus", "log_ct_orig", "log_gii"}
        ``log(x - min + a)``, the same mirrored where skewness is negative, ``log(x - min + 1)``, or
        ``log((max - 1)(x - min) / (max - min) + 1)``; ``a`` is a hundredth of the range.
    name : str
        The indicator, for messages.

    Returns
    -------
    (ndarray, str)
        The values, and the formula with its numbers.

    Raises
    ------
    SpecError
        All values are alike, or ``log_gii`` is asked of an indicator whose maximum is not above 1.
    """
    low, high = _range(values, transform, name=name)
    margin = MARGIN * (high - low)
    if transform == "log_gii":
        if high <= 1:
            message = (
                f"`treat`: log_gii needs a maximum above 1, that of {name!r} is {high:g}: the log would turn it "
                "round; use log_ct"
            )
            raise SpecError(message)
        slope = (high - 1) / (high - low)
        return np.log(slope * (values - low) + 1), f"log({slope:.6g} (x - {low:.6g}) + 1)"
    if transform == "log_ct_orig":
        return np.log(values - low + 1), f"log(x - {low:.6g} + 1)"
    if transform == "log_ct_plus" and not skewness(values) > 0:
        return -np.log(high + margin - values), f"-log({high + margin:.6g} - x)"
    return np.log(values - low + margin), f"log(x - {low:.6g} + {margin:.6g})"


def box_cox(values: np.ndarray, *, power: float | None, shift: Shift, name: str) -> tuple[np.ndarray, str]:
    """Box-Cox transform with a power given or estimated (Box and Cox 1964).

    Parameters
    ----------
    values : ndarray, shape (units,)
        NaN is missing.
    power : float or None
        None: see :func:`estimate_power`.
    shift : {"one", "range", "none"}
        What makes the values positive: the minimum becomes 1, or a hundredth of the range, or nothing is done.
    name : str
        The indicator, for messages.

    Returns
    -------
    (ndarray, str)
        The values, and the parameters.

    Raises
    ------
    SpecError
        All values are alike, or not above 0 while ``shift="none"``.
    """
    low, high = _range(values, "box_cox", name=name)
    if shift == "none" and low <= 0:
        message = f"`treat`: box_cox of {name!r} needs values above 0, the lowest is {low:g}; choose another shift"
        raise SpecError(message)
    least = {"one": 1.0, "range": MARGIN * (high - low), "none": low}[shift]
    base = values if shift == "none" else values - low + least
    chosen = estimate_power(base) if power is None else float(power)
    result = np.log(base) if chosen == 0 else np.expm1(chosen * np.log(base)) / chosen
    how = "estimated" if power is None else "given"
    return result, f"power={chosen:.6g} ({how}), lowest value {least:.6g}"


def estimate_power(values: np.ndarray) -> float:
    """The Box-Cox power of largest likelihood if the transformed values were normal.

    Maximises ``(power - 1) sum(log y) - n/2 log(var(y_power))``, with the variance's divisor n, between -5 and 5.

    Parameters
    ----------
    values : ndarray, shape (units,)
        Above 0; NaN is missing.

    Returns
    -------
    float
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(values[~np.isnan(values)])
    # powers of y / geometric mean: the same estimate, without overflow
    centred = logs - logs.mean()

    def loss(power: float) -> float:
        y = centred if abs(power) < 1e-12 else np.expm1(power * centred) / power
        return float(np.log(y.var()))

    grid = np.linspace(*POWERS, 41)
    best = int(np.argmin([loss(p) for p in grid]))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    return float(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x)


def _range(values: np.ndarray, transform: str, *, name: str) -> tuple[float, float]:
    """Lowest and highest value, which must differ."""
    present = values[~np.isnan(values)]
    if present.size == 0 or present.min() == present.max():
        message = f"`treat`: {transform} cannot be taken of {name!r}: its values are all alike or missing"
        raise SpecError(message)
    return float(present.min()), float(present.max())
