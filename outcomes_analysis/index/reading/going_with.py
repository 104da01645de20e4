"""How far the scores of places go with something else about them: correlation and share, in a table and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.wording import associational, listed, number

if TYPE_CHECKING:
    from outcomes_analysis.index.reading.comparing import ComparisonResult

RESAMPLES = 2_000


def strength(
    score: np.ndarray, covariate: np.ndarray, *, resamples: int = RESAMPLES, seed: int = SEED, level: float = LEVEL
) -> dict[str, float]:
    """How far a score goes with a covariate across places, with bootstrap intervals.

    Parameters
    ----------
    score, covariate : ndarray, shape (n,)
        Places that have both are used.
    resamples : int
        Bootstrap resamples of places.
    seed : int
    level : float

    Returns
    -------
    dict
        ``n, correlation, correlation_lower, correlation_upper`` (Spearman's, of ranks) and ``share, share_lower,
        share_upper``: squared Pearson correlation, the share of the variance that goes with the covariate. Bounds are
        percentiles; the share's lower bound is 0 where the sign of the correlation is open.
    """
    both = np.isfinite(score) & np.isfinite(covariate)
    pairs = np.stack([score[both], covariate[both]])
    n = pairs.shape[1]
    picked = np.random.default_rng([seed, n]).integers(0, n, size=(resamples, n))
    drawn = pairs[:, picked]
    ends = [(1 - level) / 2, (1 + level) / 2]
    straight, ranked = float(_pearson(pairs)), float(_pearson(rankdata(pairs, axis=-1)))
    low, high = np.quantile(_pearson(drawn), ends)
    rank_low, rank_high = np.quantile(_pearson(rankdata(drawn, axis=-1)), ends)
    return {
        "n": n,
        "correlation": ranked,
        "correlation_lower": float(rank_low),
        "correlation_upper": float(rank_high),
        "share": straight**2,
        "share_lower": 0.0 if low * high <= 0 else float(min(low**2, high**2)),
        "share_upper": float(max(low**2, high**2)),
    }


def _pearson(pairs: np.ndarray) -> np.ndarray:
    """Correlation of the two rows along the last axis."""
    x, y = pairs - pairs.mean(axis=-1, keepdims=True)
    return np.asarray((x * y).sum(axis=-1) / np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1)))


def strength_table(results: Sequence[ComparisonResult]) -> pd.DataFrame:
    """How far each domain goes with each measure, one under the other.

    Parameters
    ----------
    results : sequence of ComparisonResult
        One for each measure, of the same index.

    Returns
    -------
    DataFrame
        One row a domain, measure and statistic: ``node_id, node_label, poverty_measure, statistic``
        (``rank_correlation`` or ``share`` of the variance), ``estimate, lower, upper, level, interval, n`` and, of the
        authorities, how many lie ``above`` and ``below`` the range of places alike, how many would ``by_chance`` and
        how many ``differ_from_mean``.
    """
    frames = []
    for name in results[0].goes_with.index if results else ():
        for one in results:
            label = one.table.loc[one.table["node_id"] == name, "node_label"].iloc[0]
            found, counts = one.goes_with.loc[name], one.counts.loc[name]
            for statistic, column in (("rank_correlation", "correlation"), ("share", "share")):
                frames.append(
                    {
                        "node_id": name,
                        "node_label": label,
                        "poverty_measure": one.label,
                        "statistic": statistic,
                        "estimate": found[column],
                        "lower": found[f"{column}_lower"],
                        "upper": found[f"{column}_upper"],
                        "level": one.spec.level,
                        "interval": "figures",
                        **{c: counts[c] for c in ("n", "above", "below", "by_chance", "differ_from_mean")},
                    }
                )
    table = pd.DataFrame(frames)
    return table.astype(dict.fromkeys(("n", "above", "below", "differ_from_mean"), int)) if frames else table


def strength_text(
    goes_with: pd.DataFrame, counts: pd.DataFrame, *, labels: Sequence[str], label: str, level: float
) -> str:
    """Say how far each domain goes with a measure, and how many places stand out.

    Parameters
    ----------
    goes_with, counts : DataFrame
        As :class:`~outcomes_analysis.index.reading.comparing.ComparisonResult` has them.
    labels : sequence of str
        Names of the domains, in the order of the rows.
    label : str
        What the measure is called in a sentence.
    level : float
        Of the intervals.

    Returns
    -------
    str
    """
    percent = f"{level:.0%} interval"
    shares = [f"{name}: {_share(one)}" for name, (_, one) in zip(labels, goes_with.iterrows(), strict=True)]
    outside = listed(
        [
            f"{one['above'] + one['below']:.0f} of {one['n']:.0f} on {name}"
            for name, (_, one) in zip(labels, counts.iterrows(), strict=True)
        ]
    )
    chance = number(float(counts["by_chance"].mean()), 0)
    return associational(
        f"Share of the differences between authorities that goes with {label} ({percent}), and correlation of the "
        f"ranks. {'; '.join(shares)}. Authorities that lie outside the range in which {level:.0%} of places with "
        f"similar {label} are expected: {outside}. About {chance} would lie there by chance, so this marks places to "
        "look at and is no finding by itself."
    )


def _share(one: pd.Series) -> str:
    share, low, high = (number(100 * one[c], 0) for c in ("share", "share_lower", "share_upper"))
    ranks = [number(one[c], 2) for c in ("correlation", "correlation_lower", "correlation_upper")]
    return f"{share}% ({low}% to {high}%), {ranks[0]} ({ranks[1]} to {ranks[2]})"
