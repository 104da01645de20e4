"""Whether neighbours are alike: Moran's I of a whole map, of what a line leaves over, and area by area."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.relations.space.weights import Neighbours

Floats = NDArray[np.float64]

PERMUTATIONS = 9_999  # with 999 no fewer than four areas of 151 could be told from chance together
FALSE_SHARE = 0.1
CLUSTERS = ("high among high", "low among low", "high among low", "low among high")
NOT_CLEAR = "not clear"


class Moran(NamedTuple):
    """Likeness of neighbours across a map.

    Attributes
    ----------
    estimate : float
        Moran's I: 1 would be neighbours all alike, ``expected`` is what chance gives.
    expected, variance : float
        Were the same figures dealt out to the areas at random (or, for what a line leaves over, were the errors
        unrelated and normal).
    z, p_value : float
        Distance from chance in standard deviations, and the chance of one as far off on either side.
    lower, upper, level : float
        Where chance would put I this often: no interval of I itself.
    normal_variance, normal_z : float
        The same were the figures drawn from one normal distribution.
    """

    estimate: float
    expected: float
    variance: float
    z: float
    p_value: float
    lower: float
    upper: float
    level: float
    normal_variance: float
    normal_z: float


def moran(values: Floats, neighbours: Neighbours, *, level: float = LEVEL) -> Moran:
    """Moran's I of one figure, with its moments under dealing out at random and under normality.

    Parameters
    ----------
    values : array of shape (areas,)
        In the order of ``neighbours.area_codes``; no missing values.
    neighbours : Neighbours
    level : float
        Of the range that chance gives.

    Returns
    -------
    Moran

    Raises
    ------
    RelationError
        If a value is missing or all are the same, or there are fewer than four areas.

    Notes
    -----
    Cliff and Ord (1981), equations 1.44 and 2.43.
    """
    z = _centred(values, neighbours)
    w = neighbours.matrix
    n = len(z)
    if n < 4:
        message = f"{n} areas are too few to say whether neighbours are alike; four is the least."
        raise RelationError(message)
    s0, s1 = float(w.sum()), float(((w + w.T) ** 2).sum() / 2)
    s2 = float(((w.sum(axis=0) + w.sum(axis=1)) ** 2).sum())
    estimate = float(n / s0 * (z @ w @ z) / (z @ z))
    expected = -1 / (n - 1)
    peak = float(n * (z**4).sum() / (z @ z) ** 2)
    normal = (n**2 * s1 - n * s2 + 3 * s0**2) / (s0**2 * (n**2 - 1)) - expected**2
    dealt = (n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2) - peak * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)) / (
        (n - 1) * (n - 2) * (n - 3) * s0**2
    ) - expected**2
    return _moran(estimate, expected, dealt, normal, level=level)


def residual_moran(outcome: Floats, design: Floats, neighbours: Neighbours, *, level: float = LEVEL) -> Moran:
    """Moran's I of what least squares leaves over, with the moments that allow for the fitting.

    Parameters
    ----------
    outcome : array of shape (areas,)
    design : array of shape (areas, k)
        First column the constant; not collinear.
    neighbours : Neighbours
    level : float
        As in :func:`moran`.

    Returns
    -------
    Moran
        Both variances are that for normal errors.

    Notes
    -----
    Cliff and Ord (1981), equations 8.14 and 8.15, with the weights made the same both ways (which leaves I as it is).
    """
    w = neighbours.matrix
    n, k = design.shape
    left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    s0, s1 = float(w.sum()), float(((w + w.T) ** 2).sum() / 2)
    bread = np.linalg.inv(design.T @ design)
    both = w + w.T
    a = bread @ design.T @ (both / 2) @ design
    b = bread @ design.T @ both @ both @ design
    first = float(np.trace(a))
    expected = -n * first / ((n - k) * s0)
    variance = (
        n**2
        / (s0**2 * (n - k) * (n - k + 2))
        * (s1 + 2 * float(np.trace(a @ a)) - float(np.trace(b)) - 2 * first**2 / (n - k))
    )
    estimate = float(n / s0 * (left @ w @ left) / (left @ left))
    return _moran(estimate, expected, variance, variance, level=level)


def local_moran(
    values: Floats,
    neighbours: Neighbours,
    *,
    permutations: int = PERMUTATIONS,
    seed: int | np.random.Generator = SEED,
    false_share: float = FALSE_SHARE,
) -> pd.DataFrame:
    """Each area beside its neighbours: which stand among their like, and which stand out.

    Parameters
    ----------
    values : array of shape (areas,)
        In the order of ``neighbours.area_codes``; no missing values.
    neighbours : Neighbours
    permutations : int
        How often the figures of all other areas are dealt out to an area's neighbours.
    seed : int or Generator
        By which they are dealt.
    false_share : float
        Of the areas named at most this share is to be chance.

    Returns
    -------
    DataFrame
        Indexed by ``area_code``: ``value``, ``neighbours`` (mean of their values), ``estimate`` (local Moran: own
        distance from the mean times that of the neighbours, in variances; the mean of all is I), ``p_value`` (either
        side, the area's own figure held), ``q_value`` (Benjamini and Hochberg 1995 over the areas), ``cluster``:
        ``high among high, low among low, high among low, low among high``, or ``not clear`` where ``q_value`` exceeds
        ``false_share``. High is above the mean of the areas, whatever is better.

    Raises
    ------
    RelationError
        As :func:`moran`.

    Notes
    -----
    Anselin (1995), with variance over n. The same deals serve every area: each area's chances are exact, those of two
    areas are not separate.
    """
    from scipy.stats import false_discovery_control

    z = _centred(values, neighbours)
    w = neighbours.matrix
    rng = np.random.default_rng(seed)
    lagged = w @ z
    n, most = len(z), int((w > 0).sum(axis=1).max())
    # rows: who of the n - 1 others comes first, second, ... in each deal
    others = rng.permuted(np.broadcast_to(np.arange(n - 1, dtype=np.int32), (permutations, n - 1)), axis=1)[:, :most]
    p_value = np.empty(n)
    for i in range(n):
        beside = np.flatnonzero(w[i])
        dealt = np.delete(z, i)[others[:, : len(beside)]] @ w[i, beside]
        # sums of the same figures in another order differ in the last digits: these are ties
        slack = 1e-10 * np.abs(z).max()
        as_high = 1 + np.count_nonzero(dealt >= lagged[i] - slack)
        as_low = 1 + np.count_nonzero(dealt <= lagged[i] + slack)
        p_value[i] = min(1.0, 2 * min(as_high, as_low) / (permutations + 1))
    q_value = false_discovery_control(p_value, method="bh")
    kind = np.select(
        [(z > 0) & (lagged > 0), (z < 0) & (lagged < 0), (z > 0) & (lagged < 0), (z < 0) & (lagged > 0)],
        CLUSTERS,
        default=NOT_CLEAR,
    )
    return pd.DataFrame(
        {
            "value": values,
            "neighbours": w @ values,
            "estimate": z * lagged / np.mean(z**2),
            "p_value": p_value,
            "q_value": q_value,
            "cluster": np.where(q_value <= false_share, kind, NOT_CLEAR),
        },
        index=pd.Index(neighbours.area_codes, name="area_code"),
    )


def _centred(values: Floats, neighbours: Neighbours) -> Floats:
    values = np.asarray(values, dtype=float)
    if values.shape != (len(neighbours.area_codes),):
        message = f"{values.size} values were given for {len(neighbours.area_codes)} areas; give one for each."
        raise RelationError(message)
    missing = int(np.sum(~np.isfinite(values)))
    if missing:
        message = f"{missing} of {len(values)} areas have no value; leave these out first."
        raise RelationError(message)
    if np.ptp(values) == 0:
        message = f"The figure is the same in all {len(values)} areas: there is nothing to be alike in."
        raise RelationError(message)
    return values - values.mean()


def _moran(estimate: float, expected: float, variance: float, normal: float, *, level: float) -> Moran:
    from scipy import stats

    z = (estimate - expected) / np.sqrt(variance)
    reach = float(stats.norm.ppf((1 + level) / 2)) * np.sqrt(variance)
    return Moran(
        estimate=estimate,
        expected=expected,
        variance=variance,
        z=float(z),
        p_value=float(2 * stats.norm.sf(abs(z))),
        lower=float(expected - reach),
        upper=float(expected + reach),
        level=level,
        normal_variance=normal,
        normal_z=float((estimate - expected) / np.sqrt(normal)),
    )
