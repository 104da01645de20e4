"""A domain beside places of similar child poverty: what poverty goes with, and which places stand out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.building import IndexResult, NodeScore
from outcomes_analysis.index.reading.going_with import RESAMPLES, strength, strength_text
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.project import SEED
from outcomes_analysis.provenance import RunManifest

NEAREST = 60
FEWEST = 30  # below this neither a line nor the spread about it means much
STANDINGS = ("above the range", "within the range", "below the range")


@dataclass(frozen=True)
class ComparisonResult:
    """Scores as differences from what places alike in one respect would lead one to expect.

    Attributes
    ----------
    table : DataFrame
        One row a domain and area: ``node_id, node_label, area_code, area_name, region_name, period, poverty_measure``
        (name of the covariate), ``poverty`` (its value), ``expected`` (score to be expected of a place like it),
        ``estimate`` (score less expected; higher = better), then two intervals that answer two questions.
        ``lower, upper``: the difference from one of the places alike, the spread among them included; where it leaves
        out 0 the place lies outside the range of places like it, and ``standing`` says ``above the range`` or
        ``below the range``, else ``within the range``. ``standing_agreed``: the same of the score without contested
        indicators; empty where nothing would be left of it. ``mean_lower, mean_upper``: the difference from what places
        alike have on average. ``level, interval, status``; NaN and an empty ``standing`` where not computed.
    goes_with : DataFrame
        Indexed by domain: ``n``, ``correlation, correlation_lower, correlation_upper`` (of ranks) and ``share,
        share_lower, share_upper`` (of the variance of the score, the squared correlation), bounds by bootstrap.
    counts : DataFrame
        Indexed by domain: ``n, above, below`` (outside the range of places alike), ``by_chance`` (how many would lie
        there if nothing set any place apart), ``differ_from_mean``.
    label : str
        Name of the covariate.
    text, spec, manifest
        As in every result.
    """

    table: pd.DataFrame
    goes_with: pd.DataFrame
    counts: pd.DataFrame
    label: str
    text: str
    spec: IndexSpec
    manifest: RunManifest


def smoother(covariate: np.ndarray, *, nearest: int = NEAREST) -> np.ndarray:
    """Weights by which the scores of the other places give the score to be expected of each place.

    Parameters
    ----------
    covariate : ndarray, shape (n,)
        Finite.
    nearest : int
        How many places the line of each place is laid through, the nearer counting for more.

    Returns
    -------
    ndarray, shape (n, n)
        Rows add up to 1 and have 0 on the diagonal: a place says nothing of what is expected of it.

    Notes
    -----
    Local linear regression with tricube weights (Cleveland 1979, JASA 74), leaving each place out of its own line. A
    line, unlike a mean, is not pulled to one side at the ends, where all neighbours lie on the same side. Where the
    neighbours do not differ in the covariate their weighted mean is taken.
    """
    away = covariate[None, :] - covariate[:, None]
    distance = np.abs(away)
    np.fill_diagonal(distance, np.inf)
    k = min(nearest, len(covariate) - 1)
    # A hair beyond the furthest of them, so that equally distant neighbours do not all count for nothing.
    reach = np.sort(distance, axis=1)[:, k - 1 : k] * 1.0001
    ratio = np.divide(distance, reach, out=np.where(np.isfinite(distance), 0.0, 1.0), where=reach > 0)
    weight = np.clip(1 - np.minimum(ratio, 1.0) ** 3, 0.0, None) ** 3
    s0, s1, s2 = (np.sum(weight * away**power, axis=1, keepdims=True) for power in (0, 1, 2))
    spread = s0 * s2 - s1**2
    even = spread <= 1e-9 * s0 * s2
    line = weight * (s2 - s1 * away) / np.where(even, 1.0, spread)
    return np.asarray(np.where(even, weight / s0, line), dtype=float)


def _beside(score: np.ndarray, error: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score expected of each place, and the errors of its difference from the average and from a place alike."""
    expected = weights @ score
    difference = score - expected
    squared = weights**2
    # What differences would vary by if places alike were all the same: the figures' own noise.
    noise = error**2 + squared @ error**2
    # One place and the weights of its line carry the spread among places alike, whatever it is (method of moments).
    spread = max(0.0, float(np.sum(difference**2 - noise)) / float(np.sum(1 + squared.sum(axis=1))))
    from_mean = noise + squared.sum(axis=1) * spread
    return expected, np.sqrt(from_mean), np.sqrt(from_mean + spread)


def _standing(difference: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Where each place lies against the range of places alike; "" where the difference is not known."""
    known = np.isfinite(difference)
    return np.select([difference > reach, difference < -reach, known], [STANDINGS[0], STANDINGS[2], STANDINGS[1]], "")


def _agreed_standing(node: NodeScore, values: np.ndarray, usable: np.ndarray, z: float, *, nearest: int) -> np.ndarray:
    """The same of the score without contested indicators, each place beside others by that score too."""
    part = node.agreed or (node.beside if node.contested == 0 else None)
    difference, reach = np.full((2, len(values)), np.nan)
    if part is not None:
        known = usable & np.isfinite(part.estimate)
        weights = smoother(values[known], nearest=nearest)
        expected, _, error = _beside(part.estimate[known], part.error[known], weights)
        difference[known], reach[known] = part.estimate[known] - expected, z * error
    return _standing(difference, reach)


def compare_given(
    index: IndexResult,
    covariate: pd.Series,
    *,
    nearest: int = NEAREST,
    label: str = "child poverty",
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> ComparisonResult:
    """Compare each domain score with what places nearest in a covariate would lead one to expect.

    Parameters
    ----------
    index : IndexResult
        Domain scores.
    covariate : Series
        By area code, for instance the share of children in poverty after housing costs; taken as known exactly.
    nearest : int
        Through how many of the other places a place's line is laid, the nearer counting for more.
    label : str
        Name of the covariate, for the table and the text.
    resamples, seed : int
        Of the bootstrap behind the intervals of correlations.

    Returns
    -------
    ComparisonResult
        A place without a score or covariate is ``not_computed``; City of London and the Isles of Scilly are
        neither compared nor compared with.

    Raises
    ------
    SpecError
        If fewer than 30 places have both.

    Notes
    -----
    The expected score comes from a local linear regression that leaves the place out (:func:`smoother`). Two intervals
    are kept apart. That of the difference from the average of places alike holds the place's own error and that of the
    expected score: its neighbours' errors, and their spread about the line. That of the difference from a place alike
    holds their spread once more (a prediction interval): places truly differ at the same poverty, and only what lies
    outside that is unusual. At 90 %, one place in ten lies outside it by chance. The spread among places alike is found
    by the method of moments from all differences, less what the figures' errors account for.
    """
    z = norm.ppf(0.5 + index.spec.level / 2)
    values = covariate.reindex(index.matrix.areas.index).to_numpy(float)
    ordinary = index.matrix.areas["ranked"].to_numpy(bool)
    frames, strengths, counts = [], {}, {}
    for name in index.domains:
        node = index.nodes[name]
        usable = np.isfinite(node.estimate) & np.isfinite(values) & ordinary
        if usable.sum() < FEWEST:
            message = (
                f"Only {usable.sum()} authorities have both a score for '{name}' and {label}; a comparison with places "
                f"alike needs {FEWEST}. Use all upper-tier authorities, or a covariate that more of them have."
            )
            raise SpecError(message)
        score, error = node.estimate[usable], node.error[usable]
        expected, mean_error, range_error = np.full((3, len(values)), np.nan)
        weights = smoother(values[usable], nearest=nearest)
        expected[usable], mean_error[usable], range_error[usable] = _beside(score, error, weights)
        difference = node.estimate - expected
        strengths[name] = strength(score, values[usable], resamples=resamples, seed=seed, level=index.spec.level)
        above, below = difference > z * range_error, difference < -z * range_error
        counts[name] = {
            "n": int(usable.sum()),
            "above": int(above.sum()),
            "below": int(below.sum()),
            "by_chance": (1 - index.spec.level) * usable.sum(),
            "differ_from_mean": int((np.abs(difference) > z * mean_error).sum()),
        }
        rows = index.table[index.table["node_id"] == name].reset_index(drop=True)
        keep = rows[["node_id", "node_label", "area_code", "area_name", "region_name", "period"]]
        frames.append(
            keep.assign(
                poverty_measure=label,
                poverty=values,
                expected=expected,
                estimate=difference,
                lower=difference - z * range_error,
                upper=difference + z * range_error,
                mean_lower=difference - z * mean_error,
                mean_upper=difference + z * mean_error,
                level=index.spec.level,
                interval="figures",
                standing=_standing(difference, z * range_error),
                standing_agreed=_agreed_standing(node, values, usable, z, nearest=nearest),
                status=np.where(usable, "computed", "not_computed"),
            )
        )
    goes_with = pd.DataFrame.from_dict(strengths, orient="index").rename_axis("node_id")
    counted = pd.DataFrame.from_dict(counts, orient="index").rename_axis("node_id")
    labels = [str(frame["node_label"].iloc[0]) for frame in frames]
    return ComparisonResult(
        table=pd.concat(frames, ignore_index=True),
        goes_with=goes_with,
        counts=counted,
        label=label,
        text=strength_text(goes_with, counted, labels=labels, label=label, level=index.spec.level),
        spec=index.spec,
        manifest=index.manifest,
    )
