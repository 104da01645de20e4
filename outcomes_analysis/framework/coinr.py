"""COINr's tables and ours: its ``iMeta`` becomes the one hierarchy and comes back, its ``iData`` becomes frames.

COINr (Becker, Caperna, Del Sorbo, Norlen, Papadimitriou and Saisana 2022, Journal of Open Source Software 7) keeps a
hierarchy as a table with a row a code. It asks that every parent stands exactly one level above its child; here a
tree may be of any depth and unbalanced.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FrameworkError, ObservationsError, Problems, several
from outcomes_analysis.framework.checking import check_framework
from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling

NEEDED = ("iCode", "Parent", "Direction", "Type")
TYPES = ("Indicator", "Aggregate", "Group", "Denominator", "Other")
_NOT_TOLD = "A COINr table says neither how the figure was made nor what it leaves out."
_WHERE = "iMeta"


@dataclass(frozen=True, eq=False)
class CoinrTables:
    """COINr's ``iData`` in parts, rows labelled by unit.

    Attributes
    ----------
    values : DataFrame
        Units × indicators, in the order of the hierarchy; NaN is missing.
    groups : DataFrame
        Units × groups, as text.
    denominators : DataFrame
        Units × denominators.
    names : Series
        Name of each unit; its code where the table has none.
    """

    values: pd.DataFrame
    groups: pd.DataFrame
    denominators: pd.DataFrame
    names: pd.Series


def from_coinr(imeta: pd.DataFrame, *, label: str = "Index in COINr's form") -> Framework:
    """Make a framework of COINr's ``iMeta``.

    Parameters
    ----------
    imeta : DataFrame
        One row a code: ``iCode``, ``Type`` (``Indicator``, ``Aggregate``; ``Group``, ``Denominator`` and ``Other``
        stand outside the hierarchy), ``Parent`` (empty for a root) and ``Direction`` (1 or -1, indicators only);
        ``iName``, ``Unit``, ``Level`` where given. Weights and targets are no part of a framework: see
        :func:`coinr_weights`.
    label : str
        Name of the framework.

    Returns
    -------
    Framework
        Any depth, unbalanced allowed; nodes from the root down, each level and the indicators in the table's order.
        What the table does not say (form, source, sampling) is filled in neutrally: values stay on their own
        scale, without a sampling error.

    Raises
    ------
    FrameworkError
        Naming every fault at once: columns missing, codes twice, unknown types or parents, parents that are
        indicators, circles, aggregates over nothing, indicators without parent or direction, levels that do not
        rise.
    """
    table = _clean(imeta)
    problems = Problems(_WHERE)
    for message in _faults(table):
        problems.add(message)
    problems.raise_if_any(FrameworkError)
    parents = dict(zip(table["iCode"], table["Parent"], strict=True))
    leaves, aggregates = (table[table["Type"] == kind] for kind in ("Indicator", "Aggregate"))
    depth = {code: _depth(code, parents) for code in aggregates["iCode"]}
    nodes = [
        Node(id=r.iCode, label=r.iName, kind="outcome" if r.Parent else "domain", parent=r.Parent or None)
        for r in aggregates.itertuples()
    ]
    framework = Framework(
        id="coinr",
        label=label,
        version="1",
        date="",
        source_url="",
        notice="Made from a table in COINr's form.",
        nodes=tuple(sorted(nodes, key=lambda node: depth.get(node.id, 0))),
        indicators=tuple(_indicator(row, parents) for row in leaves.to_dict("records")),
    )
    return check_framework(framework, where=_WHERE)


def to_coinr(framework: Framework, *, weights: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Write a framework as COINr's ``iMeta``.

    Parameters
    ----------
    framework : Framework
        Ours or any other.
    weights : mapping, optional
        Code to weight among its siblings, as of :func:`coinr_weights`; 1 where not named.

    Returns
    -------
    DataFrame
        ``Level, iCode, iName, Direction, Weight, Unit, Parent, Type``. Indicators come first (level 1), then
        aggregates from the lowest up; a parent's level is one above its highest child's. Indicators without a
        home or a direction have type ``Other``, for COINr knows no neutral ones; nodes left with nothing below
        them are not written. COINr itself refuses a tree whose branches differ in depth.

    Raises
    ------
    FrameworkError
        If a weight is for a code that is not written.
    """
    counted = [i for i in framework.indicators if i.outcome and i.direction != 0]
    level = _levels(framework, counted)
    given = dict(weights or {})
    unknown = [code for code in given if code not in level and code not in {i.id for i in counted}]
    if unknown:
        message = f"{len(unknown)} weights are for codes outside the hierarchy: {several(unknown)}."
        raise FrameworkError(message)
    nodes = sorted((n for n in framework.nodes if n.id in level), key=lambda node: level[node.id])
    rows: list[tuple[Any, ...]] = [
        (1, i.id, i.name, i.direction, given.get(i.id, 1.0), i.unit, i.outcome, "Indicator") for i in counted
    ]
    rows += [(level[n.id], n.id, n.label, 1, given.get(n.id, 1.0), "Score", n.parent, "Aggregate") for n in nodes]
    taken = {i.id for i in counted}
    rows += [(None, i.id, i.name, None, None, i.unit, None, "Other") for i in framework.indicators if i.id not in taken]
    columns = ["Level", "iCode", "iName", "Direction", "Weight", "Unit", "Parent", "Type"]
    table = pd.DataFrame(rows, columns=columns)
    numbers = {"Level": "Int64", "Direction": "Int64", "Weight": "float64"}
    return table.astype({c: numbers.get(c, "str") for c in columns})


def coinr_weights(imeta: pd.DataFrame) -> dict[str, float]:
    """Weights of COINr's ``iMeta``: of each indicator and aggregate among its siblings; they need not add up to 1.

    Parameters
    ----------
    imeta : DataFrame
        As for :func:`from_coinr`, with ``Weight``.

    Returns
    -------
    dict
        Code to weight.

    Raises
    ------
    FrameworkError
        If the column or a weight is missing, a weight is negative, or all children of a node weigh nothing.
    """
    if "Weight" not in imeta:
        message = f"{_WHERE}: there is no column 'Weight'. It has: {several(imeta.columns, limit=20)}."
        raise FrameworkError(message)
    table = _clean(imeta)
    table["Weight"] = pd.to_numeric(imeta["Weight"], errors="coerce").to_numpy(float)
    table = table[table["Type"].isin(["Indicator", "Aggregate"])]
    problems = Problems(_WHERE)
    missing = table.loc[~np.isfinite(table["Weight"]), "iCode"]
    if len(missing):
        problems.add(f"{len(missing)} codes have no weight that is a number ({several(missing)}); give each one")
    negative = table.loc[table["Weight"] < 0, "iCode"]
    if len(negative):
        problems.add(f"{len(negative)} weights are negative ({several(negative)}); turn the direction round instead")
    total = table.fillna({"Weight": 1.0}).groupby("Parent")["Weight"].sum()
    empty = [parent for parent in total.index[total == 0] if parent]
    if empty:
        problems.add(f"everything below {several(empty)} weighs 0; give at least one child a weight")
    problems.raise_if_any(FrameworkError)
    return {code: float(weight) for code, weight in zip(table["iCode"], table["Weight"], strict=True)}


def split_coinr(idata: pd.DataFrame, imeta: pd.DataFrame) -> CoinrTables:
    """Take COINr's ``iData`` apart by the types of ``iMeta``.

    Parameters
    ----------
    idata : DataFrame
        One row a unit: ``uCode``, perhaps ``uName`` and ``Time``, and a column for each indicator, group and
        denominator.
    imeta : DataFrame
        As for :func:`from_coinr`.

    Returns
    -------
    CoinrTables
        With a column ``Time`` of more than one value, rows are labelled by code and time.

    Raises
    ------
    ObservationsError
        Naming every fault at once: codes missing or twice, columns missing, figures that are not numbers.
    FrameworkError
        If ``imeta`` is not sound.
    """
    framework = from_coinr(imeta)
    kinds = _clean(imeta)
    indicators = [i.id for i in framework.indicators]
    groups = kinds.loc[kinds["Type"] == "Group", "iCode"].tolist()
    denominators = kinds.loc[kinds["Type"] == "Denominator", "iCode"].tolist()
    problems = Problems("iData")
    if "uCode" not in idata:
        problems.add("there is no column 'uCode' to name the units")
        problems.raise_if_any(ObservationsError)
    keys = ["uCode", "Time"] if "Time" in idata and len(idata["Time"].unique()) > 1 else ["uCode"]
    twice = idata.loc[idata.duplicated(keys), "uCode"].unique()
    if len(twice):
        problems.add(f"{len(twice)} units appear more than once ({several(twice)}); keep one row of each")
    absent = [c for c in (*indicators, *groups, *denominators) if c not in idata]
    if absent:
        problems.add(f"{len(absent)} codes of iMeta are no columns ({several(absent)}); add them or drop their rows")
    numeric = [c for c in (*indicators, *denominators) if c in idata]
    numbers = idata[numeric].apply(pd.to_numeric, errors="coerce")
    worded = [c for c in numeric if (numbers[c].isna() & idata[c].notna()).any()]
    if worded:
        problems.add(f"{len(worded)} columns hold text where numbers belong ({several(worded)}); leave gaps empty")
    problems.raise_if_any(ObservationsError)
    rows = pd.MultiIndex.from_frame(idata[keys]) if len(keys) > 1 else pd.Index(idata["uCode"].astype("str"))
    names = idata["uName"] if "uName" in idata else idata["uCode"]
    return CoinrTables(
        values=numbers[indicators].astype(float).set_axis(rows, axis=0),
        groups=idata[groups].astype("str").set_axis(rows, axis=0),
        denominators=numbers[denominators].astype(float).set_axis(rows, axis=0),
        names=names.astype("str").set_axis(rows).rename("name"),
    )


def _clean(imeta: pd.DataFrame) -> pd.DataFrame:
    """The columns read, text without blanks around it and empty where missing, numbers as floats."""
    absent = [c for c in NEEDED if c not in imeta]
    if absent:
        there = several(imeta.columns, limit=20)
        message = f"{_WHERE}: {len(absent)} columns are missing: {several(absent)}. It has: {there}."
        raise FrameworkError(message)
    table = pd.DataFrame(index=range(len(imeta)))
    for name in ("iCode", "Parent", "Type", "iName", "Unit"):
        column = imeta[name] if name in imeta else pd.Series("", index=imeta.index)
        table[name] = column.fillna("").astype("str").str.strip().to_numpy()
    table["iName"] = table["iName"].where(table["iName"] != "", table["iCode"])
    for name in ("Direction", "Level"):
        column = imeta[name] if name in imeta else pd.Series(np.nan, index=imeta.index)
        table[name] = pd.to_numeric(column, errors="coerce").to_numpy(float)
    return table


def _faults(table: pd.DataFrame) -> Iterator[str]:
    """Everything that keeps a cleaned table from being a hierarchy; circles are found by the framework's check."""
    blank = int((table["iCode"] == "").sum())
    if blank:
        yield f"{blank} rows have no iCode; name or drop them"
    twice = table.loc[table["iCode"].duplicated() & (table["iCode"] != ""), "iCode"].unique()
    if len(twice):
        yield f"{len(twice)} codes appear more than once ({several(twice)}); rename them, or keep one row of each"
    strange = table.loc[~table["Type"].isin(TYPES), "Type"].unique()
    if len(strange):
        yield f"unknown Type {several(repr(t) for t in strange)}; the types are {several(TYPES)}"
    inside = table[table["Type"].isin(["Indicator", "Aggregate"])]
    leaves, nodes = (inside.loc[inside["Type"] == t] for t in ("Indicator", "Aggregate"))
    if leaves.empty:
        yield "no row has Type 'Indicator', so there is nothing to make an index of"
    yield from _parent_faults(inside, set(leaves["iCode"]), nodes["iCode"].tolist())
    barren = [code for code in nodes["iCode"] if code not in set(inside["Parent"])]
    if barren:
        yield f"{len(barren)} aggregates have nothing below them ({several(barren)}); give them children or drop them"
    wrong = leaves.loc[~leaves["Direction"].isin([1, -1]), "iCode"]
    if len(wrong):
        yield f"{len(wrong)} indicators have no Direction of 1 or -1 ({several(wrong)})"
    turned = nodes.loc[nodes["Direction"] == -1, "iCode"]
    if len(turned):
        yield (
            f"{len(turned)} aggregates have Direction -1 ({several(turned)}), which would do nothing; turn the "
            "indicators below them"
        )
    yield from _level_faults(inside)


def _parent_faults(inside: pd.DataFrame, leaves: set[str], nodes: list[str]) -> Iterator[str]:
    for row in inside.itertuples():
        if row.Parent in leaves:
            yield f"'{row.iCode}' hangs from '{row.Parent}', which is an indicator; a parent is an aggregate"
        elif row.Parent and row.Parent not in nodes:
            near = get_close_matches(row.Parent, nodes, n=2, cutoff=0.5)
            hint = f"did you mean {several(near)}?" if near else "add a row of Type 'Aggregate' for it"
            yield f"'{row.iCode}' hangs from '{row.Parent}', which is not there; {hint}"
    homeless = inside.loc[(inside["Parent"] == "") & (inside["Type"] == "Indicator"), "iCode"]
    if len(homeless):
        yield f"{len(homeless)} indicators have no Parent ({several(homeless)}); name an aggregate for each"


def _level_faults(inside: pd.DataFrame) -> Iterator[str]:
    level = dict(zip(inside["iCode"], inside["Level"], strict=False))
    low = [
        f"'{row.iCode}' (level {row.Level:g}) below '{row.Parent}' (level {level[row.Parent]:g})"
        for row in inside.itertuples()
        if row.Parent in level and level[row.Parent] <= row.Level
    ]
    if low:
        yield f"{len(low)} parents do not stand on a higher level than their child: {several(low)}"


def _depth(code: str, parents: Mapping[str, str]) -> int:
    """Steps up to a root; a circle ends after as many steps as there are codes."""
    steps, at = 0, code
    while parents.get(at) and steps <= len(parents):
        at, steps = parents[at], steps + 1
    return steps


def _indicator(row: Mapping[Hashable, Any], parents: Mapping[str, str]) -> Indicator:
    root = row["Parent"]
    for _ in parents:
        root = parents.get(root) or root
    return Indicator(
        id=row["iCode"],
        name=row["iName"],
        definition=row["iName"],
        unit=row["Unit"],
        direction=1 if row["Direction"] > 0 else -1,
        outcome=row["Parent"],
        form="mean",
        age_stage="",
        domains=(root,),
        geography_basis="residence",
        base_period="as given",
        source="coinr",
        decimals=6,
        cannot_tell=_NOT_TOLD,
        valid_range=(-np.inf, np.inf),
        sampling=Sampling(model="none", reason=_NOT_TOLD),
    )


def _levels(framework: Framework, counted: list[Indicator]) -> dict[str, int]:
    """Level of each node that has an indicator somewhere below it: one above its highest child's."""
    level: dict[str, int] = {}
    for indicator in counted:
        home, height = indicator.outcome, 2
        while home:
            level[home] = height = max(level.get(home, 0), height)
            home, height = framework.node(home).parent or "", height + 1
    return level
