"""Normalisations by order: what counts is who stands above whom, not by how much."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator
from scipy.special import ndtri

from outcomes_analysis.index.steps.stepping import Method

Ties = Literal["min", "average", "max"]


class Ordering(Method):
    """A normalisation that uses ranks, or classes, of the directed values."""

    @abstractmethod
    def score(self, x: np.ndarray) -> np.ndarray:
        """Score each column of directed values; missing stays missing."""


def ascending(x: np.ndarray, ties: Ties) -> tuple[np.ndarray, np.ndarray]:
    """Ranks from 1 (worst), and how many values each column has."""
    ranks = pd.DataFrame(x).rank(method=ties).to_numpy(float)
    return ranks, np.isfinite(x).sum(axis=0).astype(float)


class Rank(Ordering):
    """Rank, the best having the highest (Handbook 5; COINr ``n_rank``)."""

    method: Literal["rank"] = "rank"
    ties: Ties = "min"

    def score(self, x: np.ndarray) -> np.ndarray:
        """From 1 to the number of values."""
        return ascending(x, self.ties)[0]


class Borda(Ordering):
    """Borda points: how many stand below (COINr ``n_borda``)."""

    method: Literal["borda"] = "borda"
    ties: Ties = "min"

    def score(self, x: np.ndarray) -> np.ndarray:
        """From 0 to the number of values less one."""
        return ascending(x, self.ties)[0] - 1


class PercentileRank(Ordering):
    """Percentile rank, from 0 or just above to 1.

    Attributes
    ----------
    worst : {"zero", "one_nth"}
        Where the worst stands: ``(rank - 1) / (n - 1)`` (COINr ``n_prank``) or ``rank / n`` (Handbook).
    """

    method: Literal["percentile_rank"] = "percentile_rank"
    ties: Ties = "min"
    worst: Literal["zero", "one_nth"] = "zero"

    def score(self, x: np.ndarray) -> np.ndarray:
        """Shares of the units."""
        ranks, n = ascending(x, self.ties)
        return (ranks - 1) / np.maximum(n - 1, 1) if self.worst == "zero" else ranks / np.maximum(n, 1)


class NormalScores(Ordering):
    """The normal quantile of the rank's position.

    Attributes
    ----------
    position : {"blom", "van_der_waerden"}
        ``(rank - 3/8) / (n + 1/4)`` (Blom 1958) or ``rank / (n + 1)`` (Scottish Index of Multiple Deprivation).
    """

    method: Literal["normal_scores"] = "normal_scores"
    position: Literal["blom", "van_der_waerden"] = "blom"
    ties: Ties = "average"

    def score(self, x: np.ndarray) -> np.ndarray:
        """About normal with mean 0 and sd 1; ``n`` counts the values observed."""
        ranks, n = ascending(x, self.ties)
        share = (ranks - 0.375) / (n + 0.25) if self.position == "blom" else ranks / (n + 1)
        return np.asarray(ndtri(share))


class Exponential(Ordering):
    """The English Indices of Deprivation's transform: ``-k ln(1 - R (1 - exp(-100 / k)))``, ``R = rank / n``.

    The highest tenth (the most deprived, if direction says that more is more deprived) is spread over 50 to 100,
    so that a high score in one domain is not simply cancelled by a low one in another.
    """

    method: Literal["exponential"] = "exponential"
    constant: float = Field(default=23.0, gt=0)
    ties: Ties = "average"

    def score(self, x: np.ndarray) -> np.ndarray:
        """From just above 0 to 100."""
        ranks, n = ascending(x, self.ties)
        share = ranks / np.maximum(n, 1)
        return np.asarray(-self.constant * np.log1p(share * np.expm1(-100 / self.constant)))


class AroundMean(Ordering):
    """1 above the mean by more than ``threshold`` of it, -1 below by more, else 0 (Handbook 5)."""

    method: Literal["around_mean"] = "around_mean"
    threshold: float = Field(default=0.2, gt=0)

    def score(self, x: np.ndarray) -> np.ndarray:
        """Only -1, 0 and 1."""
        present = np.isfinite(x)
        mean = np.where(present, x, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
        beyond = (x - mean) - self.threshold * np.abs(mean)
        short = (mean - x) - self.threshold * np.abs(mean)
        return np.where(present, (beyond > 0).astype(float) - (short > 0), np.nan)


class Categories(Ordering):
    """Scores by class of the percentile rank ``100 rank / n`` (Handbook 5, categorical scale).

    Attributes
    ----------
    edges : tuple of float
        Percentiles at which the next class starts, ascending.
    scores : tuple of float
        One more than there are edges, ascending.
    """

    method: Literal["categories"] = "categories"
    edges: tuple[float, ...] = (5, 15, 35, 65, 85, 95)
    scores: tuple[float, ...] = (0, 20, 40, 50, 60, 80, 100)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if len(self.scores) != len(self.edges) + 1:
            message = f"{len(self.edges)} edges make {len(self.edges) + 1} classes, but there are {len(self.scores)}"
            raise ValueError(message)
        if list(self.edges) != sorted(self.edges) or list(self.scores) != sorted(self.scores):
            message = "edges and scores must both ascend"
            raise ValueError(message)
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """One of ``scores`` for each value."""
        ranks, n = ascending(x, "min")
        share = 100 * ranks / np.maximum(n, 1)
        classes = np.searchsorted(np.array(self.edges), share, side="right")
        return np.where(np.isfinite(x), np.array(self.scores)[np.minimum(classes, len(self.edges))], np.nan)
