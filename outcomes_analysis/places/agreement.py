"""How far people agree: Kendall's W, Krippendorff's alpha, the intraclass correlation, and rounds of a Delphi panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from outcomes_analysis.errors import SpecError
from outcomes_analysis.observations.scales import Floats

Metric = Literal["nominal", "ordinal", "interval"]
FEWEST = 2  # people, and things they judge


@dataclass(frozen=True)
class Concordance:
    """Kendall's W with its test.

    Attributes
    ----------
    w : float
        0 (no agreement) to 1 (all put things in the same order).
    chi2, p : float
        Statistic and P value of no agreement, by the chi-squared approximation with ``freedom`` degrees; rough below
        eight things.
    freedom : int
    people, things : int
    """

    w: float
    chi2: float
    p: float
    freedom: int
    people: int
    things: int


def kendall_w(judged: npt.ArrayLike) -> Concordance:
    """Measure how far people put things in the same order.

    Parameters
    ----------
    judged : array, shape (people, things)
        Points or ratings; only their order within a person counts. No NaN.

    Returns
    -------
    Concordance
        Corrected for ties (Kendall 1962, chapter 6). NaN where everybody ties everything.

    Raises
    ------
    SpecError
        If there are fewer than two people or things, or a number is missing.
    """
    from scipy.stats import chi2, rankdata

    x = _complete(judged)
    people, things = x.shape
    ranks = np.apply_along_axis(rankdata, 1, x)
    spread = float(((ranks.sum(axis=0) - people * (things + 1) / 2) ** 2).sum())
    ties = sum(float((n**3 - n).sum()) for n in (np.unique(row, return_counts=True)[1] for row in x))
    most = people**2 * (things**3 - things) - people * ties
    w = 12 * spread / most if most > 0 else float("nan")
    statistic = people * (things - 1) * w
    return Concordance(w, statistic, float(chi2.sf(statistic, things - 1)), things - 1, people, things)


def krippendorff_alpha(judged: npt.ArrayLike, *, metric: Metric = "ordinal") -> float:
    """Measure how far people give things the same ratings, beyond what their mixture gives by chance.

    Parameters
    ----------
    judged : array, shape (people, things)
        Ratings; NaN where a person did not rate a thing. A thing with fewer than two ratings takes no part.
    metric : {"nominal", "ordinal", "interval"}
        How far apart two ratings are.

    Returns
    -------
    float
        1 is full agreement, 0 that of chance, below 0 less than chance; NaN where all ratings are the same.

    Raises
    ------
    SpecError
        If no thing has two ratings.

    Notes
    -----
    Krippendorff (2011), Computing Krippendorff's alpha-reliability, by coincidences of values.
    """
    x = np.asarray(judged, dtype=float)
    paired = x[:, np.isfinite(x).sum(axis=0) >= FEWEST] if x.ndim == 2 else x[:0]
    if not paired.size:
        message = "Nothing is rated by two people or more, so that their agreement cannot be measured."
        raise SpecError(message)
    values = np.unique(paired[np.isfinite(paired)])
    counts = (paired[:, :, None] == values).sum(axis=0).astype(float)  # things by values
    raters = counts.sum(axis=1)
    together = np.einsum("uc,uk,u->ck", counts, counts, 1 / (raters - 1))
    together -= np.diag((counts / (raters - 1)[:, None]).sum(axis=0))
    totals = together.sum(axis=0)
    apart = _apart(values, totals, metric)
    expected = float(totals @ apart @ totals)
    if expected == 0:
        return float("nan")
    return 1.0 - (float(totals.sum()) - 1) * float((together * apart).sum()) / expected


def _apart(values: Floats, totals: Floats, metric: Metric) -> Floats:
    """Squared difference of every two values."""
    if metric == "nominal":
        return (values[:, None] != values[None, :]).astype(float)
    if metric == "interval":
        return np.asarray((values[:, None] - values[None, :]) ** 2)
    upto = np.cumsum(totals) - totals / 2  # those from one value to another, the ends counted half
    return np.asarray((upto[:, None] - upto[None, :]) ** 2)


@dataclass(frozen=True)
class Intraclass:
    """Intraclass correlations for absolute agreement, people drawn from many (Shrout and Fleiss 1979).

    Attributes
    ----------
    single : float
        ICC(2,1): of one person's ratings.
    mean : float
        ICC(2,k): of the mean of as many people as there are.
    people, things : int
    """

    single: float
    mean: float
    people: int
    things: int


def intraclass(judged: npt.ArrayLike) -> Intraclass:
    """Measure how much of the variance of ratings lies between things and not between people.

    Parameters
    ----------
    judged : array, shape (people, things)
        No NaN.

    Returns
    -------
    Intraclass
        NaN where all ratings are the same.

    Raises
    ------
    SpecError
        If there are fewer than two people or things, or a number is missing.
    """
    x = _complete(judged)
    k, n = x.shape
    centre = x.mean()
    between = k * ((x.mean(axis=0) - centre) ** 2).sum() / (n - 1)
    people = n * ((x.mean(axis=1) - centre) ** 2).sum() / (k - 1)
    rest = ((x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + centre) ** 2).sum() / ((n - 1) * (k - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        single = (between - rest) / (between + (k - 1) * rest + k * (people - rest) / n)
        mean = (between - rest) / (between + (people - rest) / n)
    return Intraclass(float(single), float(mean), k, n)


def round_change(before: npt.ArrayLike, after: npt.ArrayLike) -> float:
    """Share of a panel that stands elsewhere than in the round before, as the group's distribution shows it.

    Parameters
    ----------
    before, after : array
        Ratings of one thing in two rounds by the same people; a person missing in either takes no part.

    Returns
    -------
    float
        Half the sum of absolute differences between the two histograms, over the number of people (Scheibe, Skutsch
        and Schofer 1975, who call a change under 15 % stable). NaN where nobody rated it twice.
    """
    x, y = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    both = np.isfinite(x) & np.isfinite(y)
    if not both.any():
        return float("nan")
    values = np.unique(np.concatenate([x[both], y[both]]))
    moved = [abs(int((x[both] == v).sum()) - int((y[both] == v).sum())) for v in values]
    return sum(moved) / 2 / int(both.sum())


def _complete(judged: npt.ArrayLike) -> Floats:
    x = np.asarray(judged, dtype=float)
    if x.ndim != 2 or min(x.shape) < FEWEST or not np.isfinite(x).all():
        message = (
            f"Agreement needs at least {FEWEST} people and {FEWEST} things, each judged by each; given are ratings of "
            f"shape {x.shape} with {int((~np.isfinite(x)).sum())} missing."
        )
        raise SpecError(message)
    return x
