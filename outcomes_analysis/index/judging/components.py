"""How many dimensions indicators have: principal components, parallel analysis, KMO and Bartlett's test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from outcomes_analysis.errors import SpecError, several
from outcomes_analysis.project import LEVEL, SEED

BLOCK = 250  # tables held at a time: 250 x 153 x 20 numbers are 6 MB


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of a correlation matrix.

    Attributes
    ----------
    eigenvalues : Series
        By component (1, 2, ...), largest first; they add up to the number of indicators.
    sdev, proportion, cumulative : Series
        Standard deviation, share of the variance, and the shares added up.
    rotation : DataFrame
        Indicators by components: eigenvectors of length 1, each turned so that its sum is not negative.
    """

    eigenvalues: pd.Series
    sdev: pd.Series
    proportion: pd.Series
    cumulative: pd.Series
    rotation: pd.DataFrame


@dataclass(frozen=True)
class Sphericity:
    """Bartlett's test that indicators are unrelated: statistic, degrees of freedom, p-value."""

    statistic: float
    df: int
    p_value: float


def correlation_matrices(values: np.ndarray) -> np.ndarray:
    """Correlation matrices of a stack of tables, each pair from the rows that have both.

    Parameters
    ----------
    values : ndarray, shape (..., rows, columns)
        NaN is missing.

    Returns
    -------
    ndarray, shape (..., columns, columns)
        A pair without spread has correlation 0.
    """
    present = np.isfinite(values)
    centre = np.where(present, values, 0).sum(-2, keepdims=True) / np.maximum(present.sum(-2, keepdims=True), 1)
    x, m = np.where(present, values - centre, 0.0), present.astype(float)
    xt, mt = np.swapaxes(x, -1, -2), np.swapaxes(m, -1, -2)
    n = np.maximum(mt @ m, 1)
    mean = xt @ m / n  # mean of the row's variable over the pairs with the column's
    cross = xt @ x / n - mean * np.swapaxes(mean, -1, -2)
    square = np.maximum(np.swapaxes(x**2, -1, -2) @ m / n - mean**2, 0)
    scale = np.sqrt(square * np.swapaxes(square, -1, -2))
    r = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 1e-14)
    r[..., np.arange(r.shape[-1]), np.arange(r.shape[-1])] = 1.0
    return r


def _checked(values: pd.DataFrame) -> np.ndarray:
    constant = [str(c) for c in values.columns if not values[c].std(ddof=1) > 0]
    if constant or values.shape[1] < 2:
        message = (
            f"{len(constant)} indicators do not vary: {several(constant)}. Leave them out."
            if constant
            else "Components need two indicators or more."
        )
        raise SpecError(message)
    return ((values - values.mean()) / values.std(ddof=1)).to_numpy(float)


def _numbered(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=pd.RangeIndex(1, len(values) + 1, name="component"))


def principal_components(values: pd.DataFrame) -> Components:
    """Principal components of standardised indicators.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; each pair's correlation is that of the units which have both.

    Returns
    -------
    Components

    Raises
    ------
    SpecError
        If an indicator does not vary, or there are fewer than two.

    Notes
    -----
    With many missing values the smallest eigenvalues may fall below 0: the correlations then belong to no one table.
    """
    found, vectors = np.linalg.eigh(correlation_matrices(_checked(values)))
    found, vectors = found[::-1], vectors[:, ::-1]
    vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    eigenvalues = _numbered(found)
    proportion = eigenvalues / len(found)
    rotation = pd.DataFrame(vectors, index=values.columns, columns=eigenvalues.index)
    return Components(eigenvalues, np.sqrt(eigenvalues.clip(lower=0)), proportion, proportion.cumsum(), rotation)


def _eigenvalues(stack: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(correlation_matrices(stack))[..., ::-1]


def bootstrap_eigenvalues(
    values: pd.DataFrame, *, draws: int = 1000, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Intervals of eigenvalues by drawing the units again, with replacement.

    Parameters
    ----------
    values : DataFrame
        Units by indicators.
    draws : int
        Tables drawn.
    seed : int
        Of the draws.
    level : float
        Between 0 and 1.

    Returns
    -------
    DataFrame
        By component: ``eigenvalue, lower, upper, level``; percentiles of the draws, as the OECD/JRC Handbook (2008)
        advises. The largest eigenvalue of a drawn table is on average somewhat too large, the smallest too small.
    """
    z = _checked(values)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([_eigenvalues(z[rng.integers(0, len(z), size=(size, len(z)))]) for size in _blocks(draws)])
    lower, upper = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    table = principal_components(values).eigenvalues.rename("eigenvalue").to_frame()
    return table.assign(lower=lower, upper=upper, level=level)


def _blocks(draws: int) -> list[int]:
    return [min(BLOCK, draws - start) for start in range(0, draws, BLOCK)]


def parallel_analysis(
    values: pd.DataFrame, *, draws: int = 1000, seed: int = SEED, percentile: float = 0.95
) -> pd.DataFrame:
    """Compare eigenvalues with those of the same figures put in random order.

    Parameters
    ----------
    values : DataFrame
        Units by indicators.
    draws : int
        Tables shuffled.
    seed : int
        Of the shuffling.
    percentile : float
        Of the shuffled tables' eigenvalues.

    Returns
    -------
    DataFrame
        By component: ``eigenvalue, threshold`` and ``retained``: True for the first components in unbroken order
        whose eigenvalue lies above the threshold.

    Notes
    -----
    Horn (1965), Psychometrika 30; the 95th percentile after Glorfeld (1995); each column shuffled on its own keeps
    its distribution and its missing cells (Buja and Eyuboglu 1992).
    """
    z = _checked(values)
    rng = np.random.default_rng(seed)
    present = [np.flatnonzero(np.isfinite(column)) for column in z.T]
    drawn = []
    for size in _blocks(draws):
        stack = np.full((size, *z.shape), np.nan)
        for j, rows in enumerate(present):
            stack[:, rows, j] = rng.permuted(np.tile(z[rows, j], (size, 1)), axis=1)
        drawn.append(_eigenvalues(stack))
    table = principal_components(values).eigenvalues.rename("eigenvalue").to_frame()
    table["threshold"] = np.quantile(np.concatenate(drawn), percentile, axis=0)
    table["retained"] = (table["eigenvalue"] > table["threshold"]).cummin()
    return table


def sampling_adequacy(values: pd.DataFrame) -> tuple[float, pd.Series]:
    """Kaiser-Meyer-Olkin measure: squared correlations over squared correlations plus squared partial correlations.

    Parameters
    ----------
    values : DataFrame
        Units by indicators.

    Returns
    -------
    (float, Series)
        Of the whole set, and by indicator; between 0 and 1, .6 or more being usable. NaN where the correlation
        matrix cannot be inverted.

    Notes
    -----
    Kaiser and Rice (1974), Little Jiffy, Mark IV.
    """
    r = correlation_matrices(_checked(values))
    names = values.columns
    if np.linalg.eigvalsh(r)[0] < 1e-10:
        return np.nan, pd.Series(np.nan, index=names)
    inverse = np.linalg.inv(r)
    partial = inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    np.fill_diagonal(r, 0.0)
    np.fill_diagonal(partial, 0.0)
    r2, q2 = (r**2).sum(axis=1), (partial**2).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return float(r2.sum() / (r2.sum() + q2.sum())), pd.Series(r2 / (r2 + q2), index=names)


def sphericity(values: pd.DataFrame) -> Sphericity:
    """Bartlett's (1951) test that all correlations are 0: -(n - 1 - (2p + 5) / 6) log |R|.

    Parameters
    ----------
    values : DataFrame
        Units by indicators; n is the smallest number of units with a pair.

    Returns
    -------
    Sphericity
        Chi-squared with p (p - 1) / 2 degrees of freedom; NaN where the correlation matrix has no positive determinant.
    """
    z = _checked(values)
    there = np.isfinite(z).astype(float)
    n, p = (there.T @ there).min(), z.shape[1]
    df = p * (p - 1) // 2
    sign, log_determinant = np.linalg.slogdet(correlation_matrices(z))
    if sign <= 0:
        return Sphericity(np.nan, df, np.nan)
    statistic = float(-(n - 1 - (2 * p + 5) / 6) * log_determinant)
    return Sphericity(statistic, df, float(stats.chi2.sf(statistic, df)))
