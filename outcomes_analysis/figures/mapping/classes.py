"""Classes for maps, made before drawing and named in words, with their own classes for what is missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.standing import AGREED, UNRANKED, Sense
from outcomes_analysis.wording import number

Classing = Literal["quintile", "jenks", "equal", "against"]
Hatch = Literal["", "rising", "falling", "level", "crossed"]


@dataclass(frozen=True)
class MapClass:
    """One class of a map: its words in the key, fill, hatching (second channel) and number of areas."""

    key: str
    label: str
    fill: str
    hatch: Hatch = ""
    count: int = 0

    @property
    def missing(self) -> bool:
        """Whether it stands for the absence of a value."""
        return self.key in MISSING


MISSING: dict[str, MapClass] = {
    "no_data": MapClass("no_data", "No data", "#F2F2F2", "rising"),
    "not_ranked": MapClass("not_ranked", "Not ranked: too few children", "#FFFFFF", "falling"),
    "withheld": MapClass("withheld", "Withheld by the publisher", "#D9D9D9", "level"),
    "not_computed": MapClass("not_computed", "Not computed: too few figures", "#FFFFFF", "crossed"),
}
_STATUS_CLASS = {
    "not_computed": "not_computed",
    "suppressed": "withheld",
    "not_available": "no_data",
    "not_applicable": "no_data",
}
_FIFTHS = ("Lowest fifth", "Second lowest fifth", "Middle fifth", "Second highest fifth", "Highest fifth")


def missing_class(row: pd.Series, *, unranked: bool = False) -> str:
    """Key of the class of an area without a value to class, or an empty string where it has one.

    ``unranked``: the node as a whole has no ranks, so that a place without one is nothing special.
    """
    status = str(row.get("status", ""))
    if row["area_code"] in UNRANKED:
        return "not_ranked"
    if status == "not_ranked" and not unranked:
        return "not_ranked"
    if status in _STATUS_CLASS:
        return _STATUS_CLASS[status]
    return "" if np.isfinite(row["estimate"]) else "no_data"


def breaks(values: np.ndarray, *, method: Classing, k: int = 5) -> np.ndarray:
    """Inner class limits of ``values`` (finite, any order), ascending: ``k - 1`` of them, fewer if values tie.

    ``quintile`` puts about the same number of areas in each class, ``equal`` makes classes equally wide, ``jenks``
    keeps near values together (Fisher-Jenks, from mapclassify). Limits belong to the class below them.
    """
    if method == "quintile":
        inner = np.quantile(values, np.arange(1, k) / k)
    elif method == "equal":
        inner = np.linspace(values.min(), values.max(), k + 1)[1:-1]
    elif method == "jenks":
        from mapclassify import FisherJenks

        inner = np.asarray(FisherJenks(values, k=k).bins[:-1], dtype=float)
    else:
        message = f"Classes {method!r} have no limits; choose quintile, equal or jenks."
        raise FigureError(message)
    return np.unique(inner[inner < values.max()])


def classify(
    table: pd.DataFrame,
    *,
    method: Classing = "quintile",
    decimals: int | None = None,
    said: tuple[str, str, str] | None = None,
    sense: Sense = AGREED,
) -> tuple[pd.Series, list[MapClass]]:
    """Class of every row, and the classes in the order of the key (highest first, then what is missing).

    Parameters
    ----------
    table : DataFrame
        One row an area: ``area_code``, ``estimate`` (in the direction that ``sense`` gives), ``status``; for
        ``method="against"`` also ``lower`` and ``upper``, and what they are compared with
        (:func:`~outcomes_analysis.figures.standing.signs`).
    method : {"quintile", "jenks", "equal", "against"}
        ``against``: interval above England's score of the same date, across it, below it; apart from these, hatched,
        places of which the verdict differs with and without contested indicators.
    decimals : int, optional
        Decimals of class limits in the key; by default 1, or 2 where two classes would share a limit.
    said : (str, str, str), optional
        Words of the key for clearly above, neither, clearly below, where the places are not compared with England.
    sense : Sense
        Words and colours. Where the node is not ranked as a whole, its areas keep their classes, and the key avoids
        the words of ranks.

    Returns
    -------
    (Series, list of MapClass)
        Keys by row, index of ``table``; classes that occur, with counts. A row without a value never gets the
        class of a value.
    """
    unranked = bool(sense.mark)
    keys = pd.Series([missing_class(row, unranked=unranked) for _, row in table.iterrows()], index=table.index)
    valued = keys == ""
    if method == "against":
        found = _against(table, valued, said=said, sense=sense)
    else:
        found = _by_limits(table, valued, method=method, decimals=decimals, sense=sense)
    keys = keys.astype(object)
    drawn: list[MapClass] = []
    for cls, member in found:
        keys[member] = cls.key
        drawn.append(cls)
    counts = keys.value_counts()
    drawn += [_counted(cls, int(counts[key])) for key, cls in MISSING.items() if key in counts.index]
    return keys.astype("str"), drawn


def _counted(cls: MapClass, count: int) -> MapClass:
    return MapClass(cls.key, cls.label, cls.fill, cls.hatch, count)


def _against(
    table: pd.DataFrame, valued: pd.Series, *, said: tuple[str, str, str] | None, sense: Sense
) -> list[tuple[MapClass, pd.Series]]:
    lacking = [c for c in ("lower", "upper") if c not in table.columns]
    if lacking:
        message = f"Classes against England need the interval, but the table has no {' or '.join(lacking)}."
        raise FigureError(message)
    england = standing.england_name(table)
    clearly = (f"Clearly {sense.up} than {england}", f"Clearly {sense.down} than {england}")
    above, between, below = said or (clearly[0], "Not clear", clearly[1])
    sign = standing.signs(table)
    higher, lower, disputed = valued & (sign > 0), valued & (sign < 0), valued & standing.depends(table)
    members: dict[str, tuple[str, str, Hatch, pd.Series]] = {
        "higher": (above, sense.against[2], "", higher),
        "similar": (between, sense.against[1], "", valued & ~higher & ~lower & ~disputed),
        "disputed": ("Depends on contested figures", theme.DISPUTED, "rising", disputed),
        "lower": (below, sense.against[0], "", lower),
    }
    return [
        (MapClass(key, label, fill, hatch, int(m.sum())), m)
        for key, (label, fill, hatch, m) in members.items()
        if key != "disputed" or m.any()
    ]


def _by_limits(
    table: pd.DataFrame, valued: pd.Series, *, method: Classing, decimals: int | None, sense: Sense
) -> list[tuple[MapClass, pd.Series]]:
    values = table.loc[valued, "estimate"].to_numpy(dtype=float)
    if values.size == 0:
        return []
    inner = breaks(values, method=method)
    place = pd.Series(-1, index=table.index)
    place[valued] = np.searchsorted(inner, values, side="left")
    named = method == "quintile" and len(inner) == 4 and not sense.mark
    fills = sense.sequence if len(inner) == 4 else _spread(sense.sequence, len(inner) + 1)
    if decimals is None:
        decimals = _decimals(np.sort(values), inner)
    found = []
    for i in reversed(range(len(inner) + 1)):
        member = place == i
        inside = table.loc[member, "estimate"]
        if inside.empty:
            continue
        span = f"{number(inside.min(), decimals)} to {number(inside.max(), decimals)}"
        label = f"{_FIFTHS[i]}: {span}" if named else span
        found.append((MapClass(f"class_{i + 1}", label, fills[i], "", int(member.sum())), member))
    return found


def _decimals(values: np.ndarray, inner: np.ndarray) -> int:
    """1 where the top of each class is then written differently from the foot of the next, else 2.

    Scores are not known to three decimals, so that two limits closer than that are printed alike.
    """
    tops = [values[values <= limit].max() for limit in inner if (values <= limit).any()]
    feet = [values[values > limit].min() for limit in inner if (values <= limit).any()]
    return 1 if all(round(t, 1) < round(f, 1) for t, f in zip(tops, feet, strict=True)) else 2


def _spread(palette: Collection[str], n: int) -> list[str]:
    colours = list(palette)
    return [colours[round(i * (len(colours) - 1) / max(n - 1, 1))] for i in range(n)]


def check_table(table: pd.DataFrame, *, node: str, needs: Collection[str], where: str) -> pd.DataFrame:
    """Rows of one node, one an area, or an error that says what the table lacks."""
    problems = Problems(where)
    lacking = [column for column in ("node_id", "area_code", *needs) if column not in table.columns]
    if lacking:
        problems.add(f"{len(lacking)} columns are missing: {several(lacking)}.")
        problems.raise_if_any(FigureError)
    rows = table[table["node_id"] == node].reset_index(drop=True)
    if rows.empty:
        known = several(sorted(table["node_id"].dropna().unique()))
        problems.add(f"nothing about node {node!r}; the result has {known}.")
    twice = rows.loc[rows["area_code"].duplicated(), "area_code"].unique()
    if len(twice):
        problems.add(f"{len(twice)} areas occur more than once ({several(twice)}): choose one period.")
    problems.raise_if_any(FigureError)
    return rows
