"""Keeping count over replicates: bounds of scores and ranks, exact for few units and by histogram for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis.errors import SpecError

EXACT_CELLS = 60_000_000  # node x replicate x unit: beyond this (some 600 MB) ranks are kept as histograms
RANK_BINS, SCORE_BINS = 1024, 256
BATCHES = 10
WIDER = 1.4  # tails of rank intervals from own draws and the field's, in units of the nominal ones; see `draw_ranks`


@dataclass(frozen=True)
class Summary:
    """Bounds of one node, one entry a unit; NaN where it has no score."""

    lower: np.ndarray
    upper: np.ndarray
    rank_lower: np.ndarray
    rank_median: np.ndarray
    rank_upper: np.ndarray
    p_bottom_fifth: np.ndarray
    p_top_fifth: np.ndarray


class Tally:
    """Scores and ranks of all replicates, summed up as they come.

    Parameters
    ----------
    point : ndarray, shape (branches, units)
        Scores as specified: tells which units are ranked.
    draws : int
        How many replicates will come.
    level : float
        Level of the bounds.
    comparable : bool
        Whether scores of different replicates have one unit.

    Notes
    -----
    Bounds of ranks are order statistics rounded outwards. Where figures are drawn from a shrunken field, they rest in
    equal parts on the ranks of the field and on those of each unit's own figure among it, with tails 1.4 times the
    nominal ones, as in ``draw_ranks``; chances, acceptability and comparisons of
    two units are the field's. Up to :data:`EXACT_CELLS` node-replicate-units all scores
    and ranks are kept. Beyond, ranks go to 1,024 equal bands (a bound is right to a band: 33 places of 33,000) and
    scores to 256 bins over the first block's range widened by half at each end, outer bins catching the rest.
    """

    def __init__(self, point: np.ndarray, *, draws: int, level: float, comparable: bool) -> None:
        branches, units = point.shape
        self.level, self.comparable, self.done = level, comparable, 0
        self.ranked = np.isfinite(point).sum(axis=1)
        self.exact = branches * draws * units <= EXACT_CELLS
        self._ranks: list[np.ndarray] = []
        self._own: list[np.ndarray] = []
        self._tail, self._ways = (1 - level) / 2, 1  # of rank bounds, and how many ranks a replicate gives a unit
        self._scores: list[np.ndarray] = []
        self._low = np.zeros((branches, units), dtype=np.float32)
        self._step = np.ones((branches, units), dtype=np.float32)
        if not self.exact:
            self._rank_counts = np.zeros((branches, units, RANK_BINS), dtype=np.uint16 if draws < 2**15 else np.uint32)
            self._score_counts = np.zeros((branches, units, SCORE_BINS), dtype=self._rank_counts.dtype)
        self.bottom, self.top = np.zeros((branches, units)), np.zeros((branches, units))
        self.scored = np.zeros((branches, units))  # replicates in which there is a score
        self.size = np.maximum(self.ranked / RANK_BINS, 1.0)  # ranks in a band

    def add(self, scores: np.ndarray, ranks: np.ndarray, field: np.ndarray | None = None) -> None:
        """Add a block.

        Parameters
        ----------
        scores, ranks : ndarray, shape (branches, replicates, units)
            Ranks are 0 where there is no score.
        field : ndarray, optional
            Ranks of the field, where ``ranks`` are those of units' own figures among it.
        """
        drawn = ranks if field is None else field
        if field is not None:
            self._tail, self._ways = min(WIDER * (1 - self.level) / 2, 0.5), 2
        cut = self.ranked[:, None, None] / 5
        self.scored += (drawn > 0).sum(axis=1)
        self.bottom += (drawn > self.ranked[:, None, None] - cut).sum(axis=1)
        self.top += ((drawn <= cut) & (drawn > 0)).sum(axis=1)
        if self.exact:
            self._ranks.append(drawn)
            if field is not None:
                self._own.append(ranks)
            if self.comparable:
                self._scores.append(scores.astype(np.float32))
        else:
            self._count(scores, ranks)
            if field is not None:
                self._count_ranks(field)
        self.done += ranks.shape[1]

    def _count(self, scores: np.ndarray, ranks: np.ndarray) -> None:
        if not self.done and self.comparable:
            low, high = (np.nan_to_num(f.reduce(scores, axis=1)) for f in (np.fmin, np.fmax))
            room = np.maximum((high - low) / 2, 1e-9 * np.abs(high) + 1e-12)
            self._low, self._step = (low - room).astype(np.float32), ((high - low + 2 * room) / SCORE_BINS).astype("f4")
        self._count_ranks(ranks)
        if not self.comparable:
            return
        everyone = np.arange(ranks.shape[2])
        for b in range(len(ranks)):
            for r in range(ranks.shape[1]):
                there = everyone[ranks[b, r] > 0]
                place = (scores[b, r, there] - self._low[b, there]) / self._step[b, there]
                self._score_counts[b, there, np.clip(place, 0, SCORE_BINS - 1).astype(int)] += 1

    def _count_ranks(self, ranks: np.ndarray) -> None:
        everyone = np.arange(ranks.shape[2])
        for b in range(len(ranks)):
            for r in range(ranks.shape[1]):
                there = everyone[ranks[b, r] > 0]
                band = ((ranks[b, r, there] - 0.5) / self.size[b]).astype(int)
                self._rank_counts[b, there, np.minimum(band, RANK_BINS - 1)] += 1

    def ranks(self, branch: int) -> np.ndarray:
        """All ranks of a node, replicates by units; only where they are kept."""
        if not self.exact:
            message = (
                f"There are too many units and replicates to keep every rank ({self.ranked.max():,} units); "
                "use the bounds and acceptability in bands, or fewer units or replicates."
            )
            raise SpecError(message)
        return np.concatenate([r[branch] for r in self._ranks])

    def _bounding(self, branch: int) -> np.ndarray:
        """Ranks behind the bounds: all ways of drawing a unit, (ways x replicates) by units, ways in turn."""
        ranks = self.ranks(branch)
        if not self._own:
            return ranks
        own = np.concatenate([r[branch] for r in self._own])
        return np.stack([ranks, own], axis=1).reshape(-1, ranks.shape[1])

    def summary(self, branch: int) -> Summary:
        """Bounds and chances of one node."""
        tail = (1 - self.level) / 2
        missing = np.full(len(self.bottom[branch]), np.nan)
        lower, upper = missing, missing
        if self.exact:
            rank_lower, rank_median, rank_upper = _order(self._bounding(branch), self._tail)
            if self.comparable:
                scores = np.concatenate([s[branch] for s in self._scores])
                quantile = np.nanquantile if np.isnan(scores).any() else np.quantile
                known = ~np.isnan(scores).all(axis=0)
                lower, upper = missing.copy(), missing.copy()
                lower[known], upper[known] = quantile(scores[:, known], [tail, 1 - tail], axis=0)
        else:
            bands, size = self._rank_counts[branch], self.size[branch]
            count = self.scored[branch].astype(int)
            places = _places(count, tail)
            low, below, above, high = (_bin_of(bands, p) for p in _places(self._ways * count, self._tail))
            rank_lower, rank_upper = np.floor(low * size) + 1, np.ceil((high + 1) * size)
            rank_median = ((below + above) / 2 + 0.5) * size + 0.5
            if self.comparable:
                counts, start, step = self._score_counts[branch], self._low[branch], self._step[branch]
                lower, upper = (start + step * (_bin_of(counts, place) + 0.5) for place in (places[0], places[3]))
        count = self.scored[branch]
        bottom, top = (
            np.divide(part[branch], count, out=np.zeros(len(count)), where=count > 0)
            for part in (self.bottom, self.top)
        )
        found = (lower, upper, rank_lower, rank_median, rank_upper, bottom, top)
        return Summary(*(np.where(count > 0, part, np.nan) for part in found))

    def acceptability(self, branch: int, units: pd.Index) -> pd.DataFrame:
        """Share of replicates by rank, units by ranks; rows add up to 1.

        Where only bands of ranks are kept, the share by band, of all ways in which units are drawn.
        """
        n = int(self.ranked[branch])
        if self.exact:
            ranks = self.ranks(branch)
            counts = np.stack([(ranks == k).sum(axis=0) for k in range(1, n + 1)], axis=1)
            return pd.DataFrame(
                counts / np.maximum(self.scored[branch][:, None], 1),
                index=units,
                columns=pd.RangeIndex(1, n + 1, name="rank"),
            )
        last = np.ceil((np.arange(RANK_BINS) + 1) * self.size[branch]).astype(int)
        shares = self._rank_counts[branch] / np.maximum(self._ways * self.scored[branch][:, None], 1)
        return pd.DataFrame(shares, index=units, columns=pd.Index(last, name="rank_up_to"))

    def chance_above(self, branch: int, units: pd.Index) -> pd.DataFrame:
        """Share of replicates in which the row's unit ranks above the column's, ties half."""
        ranks = np.ascontiguousarray(self.ranks(branch).T)
        n = len(ranks)
        there = ranks > 0
        result = np.full((n, n), 0.5)
        for i in range(n - 1):
            both = there[i] & there[i + 1 :]
            above, level = ranks[i] < ranks[i + 1 :], ranks[i] == ranks[i + 1 :]
            wins = (above & both).sum(axis=1) + 0.5 * (level & both).sum(axis=1)
            count = both.sum(axis=1)
            result[i, i + 1 :] = np.divide(wins, count, out=np.full(len(count), np.nan), where=count > 0)
        lower = np.tril_indices(n, -1)
        result[lower] = 1 - result.T[lower]
        return pd.DataFrame(result, index=units, columns=units)

    def convergence(self, names: list[str], *, shown: tuple[int, ...]) -> pd.DataFrame:
        """Monte Carlo error of the rank bounds as replicates grow; see ``Replicates.convergence``."""
        rows = []
        for b in shown:
            ranks = self._bounding(b)
            ranks = ranks[:, (ranks > 0).any(axis=0)]
            ways, units = self._ways, ranks.shape[1]
            replicates = ranks.reshape(-1, ways, units)
            before = None
            for part in (8, 4, 2, 1):
                count = len(replicates) // part
                if count < 2 * BATCHES:
                    continue
                batches = [_order(replicates[k:count:BATCHES].reshape(-1, units), self._tail) for k in range(BATCHES)]
                errors = [np.std([batch[i] for batch in batches], axis=0, ddof=1) / np.sqrt(BATCHES) for i in (0, 2)]
                bounds = np.stack(_order(ranks[: count * ways], self._tail))[[0, 2]]
                moved = np.nan if before is None else float(np.abs(bounds - before).mean())
                before = bounds
                rows.append((names[b], count, float(errors[0].mean()), float(errors[1].mean()), moved))
        return pd.DataFrame(rows, columns=["node_id", "draws", "error_lower", "error_upper", "moved"])


def _places(count: np.ndarray, tail: float) -> np.ndarray:
    """Which of ``count`` values in order (from 0) are the lower bound, the two in the middle, and the upper bound."""
    last = np.maximum(count - 1, 0)
    wanted = (np.floor(tail * last), np.floor(last / 2), np.ceil(last / 2), np.ceil((1 - tail) * last))
    return np.stack(wanted).astype(int)


def _order(ranks: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower bound, median and upper bound of ranks, as order statistics rounded outwards; 0 (no score) left out."""
    ordered = np.sort(ranks, axis=0)
    absent = (ordered == 0).sum(axis=0)  # zeros come first
    places = np.minimum(_places(len(ordered) - absent, tail) + absent, len(ordered) - 1)
    low, below, above, high = np.take_along_axis(ordered, places, axis=0).astype(float)
    return low, (below + above) / 2, high


def _bin_of(counts: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Bin that holds the value of a place in order (from 0), by unit."""
    return np.argmax(np.cumsum(counts, axis=1, dtype=np.int32) > place[:, None], axis=1).astype(float)
