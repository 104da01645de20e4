"""Lines through points: least squares with its band, a line that single points hardly move, and which point pulls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.project import LEVEL

STRONG_PULL = 0.5  # standard errors of the slope by which one point moves it; from here on a reader should know


@dataclass(frozen=True)
class Line:
    """A fitted straight line with its band: columns ``x, estimate, lower, upper`` and the band's level."""

    table: pd.DataFrame
    level: float
    slope: float


@dataclass(frozen=True)
class Pull:
    """The point that moves the least-squares slope most.

    Attributes
    ----------
    row : int
        Its place in the arrays given.
    slope, slope_without : float
        With every point, and with this one left out.
    strength : float
        The difference in standard errors of the slope without it (DFBETAS of Belsley, Kuh and Welsch 1980).
    """

    row: int
    slope: float
    slope_without: float
    strength: float


def fitted_line(x: np.ndarray, y: np.ndarray, *, level: float = LEVEL, points: int = 60) -> Line:
    """Least-squares line through areas with the band of its mean, by HC3 errors and the t distribution.

    Parameters
    ----------
    x, y : ndarray
        One value an area, finite; at least four areas, and ``x`` not constant.
    level : float
        Of the band.
    points : int
        Places along the line.

    Raises
    ------
    FigureError
        If there is nothing to draw a line through.

    Notes
    -----
    HC3 as in MacKinnon and White (1985): residuals over one less the leverage, so that a few unusual areas do not
    make the band too narrow.
    """
    from scipy import stats

    n = len(x)
    if n < 4 or np.ptp(x) == 0:
        message = f"No line can be drawn through {n} areas{' with one value of x' if n >= 4 else ''}."
        raise FigureError(message)
    centre = x.mean()
    design = np.column_stack([np.ones(n), x - centre])
    bread = np.linalg.inv(design.T @ design)
    slope = bread @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    weighted = design * ((y - design @ slope) / (1 - leverage))[:, None]
    covariance = bread @ weighted.T @ weighted @ bread
    along = np.linspace(x.min(), x.max(), points)
    rows = np.column_stack([np.ones(points), along - centre])
    error = np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows))
    reach = stats.t.ppf(0.5 + level / 2, n - 2) * error
    middle = rows @ slope
    table = pd.DataFrame({"x": along, "estimate": middle, "lower": middle - reach, "upper": middle + reach})
    return Line(table, level, float(slope[1]))


def steady_line(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Line whose slope is the median of the slopes between all pairs of points, which single points hardly move.

    Parameters
    ----------
    x, y : ndarray
        As for :func:`fitted_line`.

    Returns
    -------
    DataFrame
        ``x, estimate`` at both ends; the slope is that of Theil (1950) and Sen (1968), and half of the points lie
        on or above the line.
    """
    first, second = np.triu_indices(len(x), k=1)
    apart = x[second] - x[first]
    level = apart != 0
    slope = float(np.median((y[second] - y[first])[level] / apart[level]))
    ends = np.array([x.min(), x.max()])
    return pd.DataFrame({"x": ends, "estimate": float(np.median(y - slope * x)) + slope * ends})


def strongest_pull(x: np.ndarray, y: np.ndarray) -> Pull:
    """Find the point that moves the least-squares slope most.

    Parameters
    ----------
    x, y : ndarray
        As for :func:`fitted_line`; at least four points.
    """
    n = len(x)
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    left = y - y.mean() - slope * centred
    away = 1 - (1 / n + centred**2 / spread)
    moved = centred * left / (spread * away)  # slope with all less slope without each
    variance = (left @ left - left**2 / away) / (n - 3)  # of what is left without each
    error = np.sqrt(np.maximum(variance, 0) / spread)
    strength = np.divide(moved, error, out=np.zeros(n), where=error > 0)
    row = int(np.argmax(np.abs(strength)))
    return Pull(row, slope, slope - float(moved[row]), float(strength[row]))
