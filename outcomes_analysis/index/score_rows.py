"""The tidy table of an index: a row for every node and area, with rank, interval and standing against England."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import false_discovery_control, norm

from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.index.matrix import IndicatorMatrix
from outcomes_analysis.index.scores import Beside, NodeScore
from outcomes_analysis.index.specifying.specification import IndexSpec

SAME = "not clear"
DEPENDS = "depends on contested figures"
ALL = 1 - 1e-9  # shares of weight are sums, and rounded
TABLE_COLUMNS = [
    "node_id", "node_label", "kind", "area_code", "area_name", "region_name", "period", "estimate", "lower", "upper",
    "level", "interval", "rank", "ranked", "availability", "status", "n_indicators", "oldest_year", "england",
    "england_alike", "against_england", "estimate_agreed", "lower_agreed", "upper_agreed", "england_agreed",
    "against_england_agreed", "standing",
]  # fmt: skip


def score_table(
    nodes: Mapping[str, NodeScore], matrix: IndicatorMatrix, spec: IndexSpec, kept: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Tidy table of an index.

    Parameters
    ----------
    nodes : mapping of str to NodeScore
        Every node of the tree and every indicator, in the order the rows are to have.
    matrix : IndicatorMatrix
    spec : IndexSpec
    kept : array of bool
        Areas that are compared with one another, in the order of the matrix's areas.

    Returns
    -------
    DataFrame
        ``TABLE_COLUMNS``; one row a node and area.
    """
    areas, size = matrix.areas, len(matrix.areas)
    cells = [_node_cells(score, matrix, spec, kept) for score in nodes.values()]
    each = {"node_id": list(nodes)} | {c: [one.pop(c) for one in cells] for c in ("node_label", "kind")}
    # a column at a time: a table for each of a hundred nodes would take most of the time of an index
    columns: dict[str, Any] = {c: _text(np.repeat(np.array(words, dtype=object), size)) for c, words in each.items()}
    for name, column in (
        ("area_code", areas.index),
        ("area_name", areas["name"]),
        ("region_name", areas["region_name"]),
    ):
        columns[name] = _text(np.tile(np.asarray(column, dtype=object), len(nodes)))
    columns |= {"period": matrix.period, "level": spec.level, "interval": "figures"}
    for name in cells[0]:
        column = np.concatenate([np.broadcast_to(one[name], size) for one in cells])
        columns[name] = _text(column) if column.dtype == object else column
    return pd.DataFrame(columns)[TABLE_COLUMNS]


def _text(words: npt.NDArray[np.object_]) -> pd.Series[str]:
    return pd.Series(words, dtype="str")


def _node_cells(
    score: NodeScore, matrix: IndicatorMatrix, spec: IndexSpec, kept: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Columns of one node, in the order of the matrix's areas; a number stands for all of them."""
    z = norm.ppf(0.5 + spec.level / 2)
    computed = np.isfinite(score.estimate)
    # no best place where "best" is disputed
    contested = isinstance(score.node, Indicator) and bool(score.node.contested)
    ranked = computed & kept & (not score.experimental) & (not contested)
    used = score.effective > 0
    years = matrix.period - matrix.age[score.weights.index].to_numpy(float)
    oldest = np.where(used, years, np.inf).min(axis=1)
    against = against_england(score.beside, z)
    agreed = score.agreed or (score.beside if score.contested == 0 else None)
    without = np.full(len(kept), "", dtype=object) if agreed is None else against_england(agreed, z)
    said = against if score.kind == "indicator" else standing(against, without)
    mean, error = (np.full(len(kept), np.nan),) * 2 if agreed is None else (agreed.estimate, agreed.error)
    status = np.where(~computed, "not_computed", np.where(ranked, "computed", "not_ranked"))
    return {
        "node_label": score.node.name if isinstance(score.node, Indicator) else score.node.label,
        "kind": score.kind,
        "estimate": score.estimate,
        "lower": score.estimate - z * score.error,
        "upper": score.estimate + z * score.error,
        "rank": competition_rank(np.where(ranked, score.estimate, np.nan)),
        "ranked": ranked,
        "availability": score.availability,
        "status": status.astype(object),
        "n_indicators": used.sum(axis=1),
        "oldest_year": np.where(np.isfinite(oldest), oldest, np.nan),
        "england": score.england,
        "england_alike": score.england_alike,
        "against_england": against,
        "estimate_agreed": mean,
        "lower_agreed": mean - z * error,
        "upper_agreed": mean + z * error,
        "england_agreed": np.nan if agreed is None else agreed.england,
        "against_england_agreed": without,
        "standing": np.where(matrix.areas["ranked"].to_numpy(bool), said, "").astype(object),
    }


def against_england(score: Beside, z: float) -> npt.NDArray[np.object_]:
    """Whether each area's score lies above or below England's from the same parts, by the interval of the difference.

    Parameters
    ----------
    score : Beside
    z : float
        Standard errors to either side that the interval reaches.

    Returns
    -------
    ndarray of str
        ``above``, ``below``, ``not clear``, or "" where nothing is computed.
    """
    away = score.estimate - score.england_alike
    half = z * np.sqrt(score.error**2 + np.nan_to_num(score.england_alike_error) ** 2)
    return np.select([np.isnan(away + half), away > half, away < -half], ["", "above", "below"], SAME).astype(object)


def standing(whole: npt.NDArray[np.object_], agreed: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """What may be said of each area: the verdict where it is the same without contested indicators.

    Where too little is left without them, a clear verdict depends on them; one that is not clear stays so.
    """
    same = (whole == agreed) | (whole == "") | ((agreed == "") & (whole == SAME))
    return np.where(same, whole, DEPENDS).astype(object)


def among_many(score: NodeScore, ranked: npt.NDArray[np.bool_], *, level: float) -> tuple[int, int]:
    """How many areas stay clearly above and below England once it is allowed for that so many are compared.

    Parameters
    ----------
    score : NodeScore
        Of a node that may be compared.
    ranked : ndarray of bool, shape (areas,)
        Areas large enough to be compared.
    level : float
        Of the intervals; at most one minus it of the areas counted is expected to be chance.

    Returns
    -------
    tuple of int
        Clearly above, clearly below: none that the intervals alone do not name.

    Notes
    -----
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57. Where the verdict has to hold with and
    without contested indicators, the larger of the two chances counts, and an area between the two sides is not named.
    """
    ways = [score.beside, *([score.agreed] if score.agreed is not None else [])]
    if score.agreed is None and score.contested > 0:
        return 0, 0  # nothing would be left without what is contested
    away = np.stack([w.estimate - w.england_alike for w in ways])
    error = np.stack([np.hypot(w.error, np.nan_to_num(w.england_alike_error)) for w in ways])
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = 2 * norm.sf(np.abs(away) / error)
    one_way = (np.sign(away) == np.sign(away[0])).all(axis=0)
    known = ranked & np.isfinite(chance).all(axis=0)
    if not known.any():
        return 0, 0
    surprise = false_discovery_control(np.where(one_way, chance.max(axis=0), 1.0)[known], method="bh")
    clear = surprise < 1 - level
    above = away[0][known] > 0
    return int((clear & above).sum()), int((clear & ~above).sum())


def capped_cells(scores: pd.DataFrame, counted: pd.DataFrame, matrix: IndicatorMatrix) -> pd.DataFrame:
    """Figures of authorities that count for less than they are, furthest first."""
    rows, columns = np.nonzero((scores != counted).to_numpy() & scores.notna().to_numpy())
    codes, names = scores.index[rows], scores.columns[columns]
    table = pd.DataFrame(
        {
            "area_code": codes,
            "area_name": matrix.areas["name"].reindex(codes).to_numpy(),
            "indicator_id": names,
            "indicator_name": [matrix.framework.indicator(n).name for n in names],
            "score": scores.to_numpy()[rows, columns],
            "counted": counted.to_numpy()[rows, columns],
            "ranked": matrix.areas["ranked"].astype(bool).reindex(codes).to_numpy(),
        }
    )
    return table.sort_values("score", key=abs, ascending=False, kind="stable").reset_index(drop=True)


def competition_rank(values: np.ndarray) -> np.ndarray:
    """Rank with 1 = best (highest); ties share the better rank; NaN stays NaN. Full precision, no rounding."""
    return np.asarray(pd.Series(values).rank(method="min", ascending=False), dtype=float)
