"""Crosswalks: which indicator answers to which outcome or metric of another framework, and how closely."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import FrameworkError, Problems, several
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import project

# Closest first: the relation of our indicator to their item.
RELATIONS: dict[str, str] = {
    "same": "the same measure",
    "derived": "made from this indicator's figures of groups of children",
    "narrower": "a part of it",
    "broader": "more than it",
    "proxy": "stands in for it",
}
KINDS = ("outcome", "metric")
WORDINGS = ("verbatim", "shortened", "to check")
FRAMEWORKS, ITEMS = "frameworks.csv", "items.csv"
_COLUMNS = {
    FRAMEWORKS: ("framework", "label", "edition", "source_url", "note"),
    ITEMS: ("framework", "item", "parent", "kind", "label", "wording"),
}
_LINK_COLUMNS = ("indicator_id", "item", "relation", "note", "source")
_MAY_BE_EMPTY = ("note", "parent")
MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class Crosswalk:
    """Other frameworks beside ours.

    Attributes
    ----------
    frameworks : DataFrame
        Indexed by ``framework``: ``label, edition, source_url, note``.
    items : DataFrame
        One row an outcome or metric of theirs: ``framework, item, parent, kind`` (``outcome`` or ``metric``)``, label,
        wording`` (``verbatim``, ``shortened``, or ``to check``: not seen in a document of the publisher).
    links : DataFrame
        One row a relation: ``framework, indicator_id, item, relation, note, source``; ``relation`` is that of our
        indicator to their item, one of ``RELATIONS``.
    """

    frameworks: pd.DataFrame
    items: pd.DataFrame
    links: pd.DataFrame

    def of_indicator(self, indicator_id: str) -> pd.DataFrame:
        """What one indicator answers to, with the labels of frameworks and items; empty if nothing."""
        rows = self.links[self.links["indicator_id"] == indicator_id]
        labels = self.items.set_index(["framework", "item"])["label"]
        keys = pd.MultiIndex.from_frame(rows[["framework", "item"]])
        return rows.assign(
            framework_label=rows["framework"].map(self.frameworks["label"]), item_label=labels.reindex(keys).to_numpy()
        ).reset_index(drop=True)

    def of_item(self, framework: str, item: str) -> pd.DataFrame:
        """Which indicators answer to an item, the closest first."""
        rows = self.links[(self.links["framework"] == framework) & (self.links["item"] == item)]
        order = rows["relation"].map({name: place for place, name in enumerate(RELATIONS)})
        return rows.loc[order.sort_values(kind="stable").index].reset_index(drop=True)

    def coverage(self) -> pd.DataFrame:
        """Say how much of each framework the indicators answer to.

        Returns
        -------
        DataFrame
            Indexed by ``framework`` in the order of the file: ``label``; ``items``; how many of them have as closest
            indicator one that is the ``same``, ``derived``, a ``part`` (narrower or broader), a ``proxy`` or ``none``;
            ``missing``, the labels of those with none. An outcome without a close link of its own is answered in
            ``part`` where one of its metrics is answered closely, and by a ``proxy`` where one is.
        """
        rows = [self._covered(str(name)) for name in self.frameworks.index]
        return pd.DataFrame(rows).set_index("framework")

    def _covered(self, framework: str) -> dict[str, object]:
        items = self.items[self.items["framework"] == framework]
        closest = {item: self._closest(framework, item) for item in items["item"]}
        for item, parent in zip(items["item"], items["parent"], strict=True):
            if parent and closest[parent] in ("none", "proxy") and closest[item] not in ("none", "proxy"):
                closest[parent] = "part"
            elif parent and closest[parent] == "none":
                closest[parent] = closest[item]
        counts = Counter(closest.values())
        labels = items.set_index("item")["label"]
        return {
            "framework": framework,
            "label": self.frameworks.loc[framework, "label"],
            "items": len(items),
            **{name: counts[name] for name in ("same", "derived", "part", "proxy", "none")},
            "missing": "; ".join(labels[item] for item, relation in closest.items() if relation == "none"),
        }

    def _closest(self, framework: str, item: str) -> str:
        found = self.of_item(framework, item)["relation"]
        if found.empty:
            return "none"
        return "part" if found.iloc[0] in ("narrower", "broader") else str(found.iloc[0])


def load_crosswalk(folder: Path | str | None = None, *, framework: Framework | None = None) -> Crosswalk:
    """Load the crosswalks to other frameworks.

    Parameters
    ----------
    folder : Path or str, optional
        With ``frameworks.csv``, ``items.csv`` and one CSV a framework, named by its id;
        ``data/framework/crosswalks/`` by default.
    framework : Framework, optional
        Whose indicators are linked; the Common Outcomes Framework by default.

    Returns
    -------
    Crosswalk

    Raises
    ------
    FrameworkError
        Naming every fault of every file at once, with file, row and remedy.
    """
    where = project().path("data", "framework", "crosswalks") if folder is None else Path(folder)
    framework = framework or load_framework()
    problems = Problems(f"crosswalks in {where.name}")
    frameworks = _read(where / FRAMEWORKS, _COLUMNS[FRAMEWORKS], problems)
    items = _read(where / ITEMS, _COLUMNS[ITEMS], problems)
    _check_frameworks(frameworks, problems)
    _check_items(items, set(frameworks["framework"]), problems)
    links = []
    for name in dict.fromkeys(frameworks["framework"]):
        table = _read(where / f"{name}.csv", _LINK_COLUMNS, problems)
        _check_links(table, name, set(items.loc[items["framework"] == name, "item"]), framework, problems)
        links.append(table.assign(framework=name))
    expected = {FRAMEWORKS, ITEMS, *(f"{name}.csv" for name in frameworks["framework"])}
    stray = sorted(p.name for p in where.glob("*.csv") if p.name not in expected) if where.is_dir() else []
    if stray:
        problems.add(f"{several(stray)}: no framework of {FRAMEWORKS} bears this name; list it there or take it out")
    problems.raise_if_any(FrameworkError)
    joined = pd.concat(links, ignore_index=True) if links else pd.DataFrame(columns=["framework", *_LINK_COLUMNS])
    order = ["framework", *_LINK_COLUMNS]
    return Crosswalk(frameworks.drop(columns="row").set_index("framework"), items.drop(columns="row"), joined[order])


def _read(path: Path, columns: tuple[str, ...], problems: Problems) -> pd.DataFrame:
    """One file as text, with the number of each row; faults of its shape are noted and its rows left out."""
    nothing = pd.DataFrame({name: pd.Series(dtype="str") for name in columns} | {"row": pd.Series(dtype="int64")})
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.add(f"{path.name}: larger than {MAX_BYTES / 1e6:.0f} MB, so hardly a crosswalk")
            return nothing
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        problems.add(f"{path.name}: {reason}; give a CSV in UTF-8 with the columns {', '.join(columns)}")
        return nothing
    if not rows or tuple(rows[0]) != columns:
        problems.add(f"{path.name}, row 1: the headings must be {','.join(columns)}")
        return nothing
    good = []
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        empty = [name for name, cell in zip(columns, cells, strict=False) if not cell and name not in _MAY_BE_EMPTY]
        if len(cells) != len(columns):
            problems.add(f"{path.name}, row {number}: {len(cells)} cells where {len(columns)} are expected")
        elif empty:
            problems.add(f"{path.name}, row {number}: {several(empty)} left empty; fill it in")
        else:
            good.append([*cells, number])
    return pd.DataFrame(good, columns=[*columns, "row"]) if good else nothing


def _check_frameworks(table: pd.DataFrame, problems: Problems) -> None:
    for row in _twice(table, ["framework"]):
        problems.add(f"{FRAMEWORKS}, row {row['row']}: '{row['framework']}' stands twice; keep one")
    for _, row in table.iterrows():
        if not str(row["framework"]).replace("_", "").isalnum() or not str(row["framework"]).isascii():
            problems.add(f"{FRAMEWORKS}, row {row['row']}: an id has letters, digits and _ alone")
        if not str(row["source_url"]).startswith("https://"):
            problems.add(f"{FRAMEWORKS}, row {row['row']}: source_url must begin with https://")


def _check_items(table: pd.DataFrame, frameworks: set[str], problems: Problems) -> None:
    keys = set(zip(table["framework"], table["item"], strict=True))
    for row in _twice(table, ["framework", "item"]):
        problems.add(f"{ITEMS}, row {row['row']}: item '{row['item']}' of '{row['framework']}' stands twice; keep one")
    for _, row in table.iterrows():
        who = f"{ITEMS}, row {row['row']}"
        if row["framework"] not in frameworks:
            problems.add(f"{who}: framework '{row['framework']}' is not in {FRAMEWORKS}; add it or correct the name")
        if row["parent"] and (row["framework"], row["parent"]) not in keys:
            problems.add(f"{who}: its parent '{row['parent']}' is no item of the same framework")
        if row["kind"] not in KINDS:
            problems.add(f"{who}: kind '{row['kind']}' is none of {', '.join(KINDS)}")
        if row["wording"] not in WORDINGS:
            problems.add(f"{who}: wording '{row['wording']}' is none of {', '.join(WORDINGS)}")


def _check_links(table: pd.DataFrame, name: str, items: set[str], framework: Framework, problems: Problems) -> None:
    known = [i.id for i in framework.indicators]
    for row in _twice(table, ["indicator_id", "item"]):
        problems.add(f"{name}.csv, row {row['row']}: '{row['indicator_id']}' and '{row['item']}' stand twice; keep one")
    for _, row in table.iterrows():
        who = f"{name}.csv, row {row['row']}"
        if row["indicator_id"] not in known:
            near = get_close_matches(row["indicator_id"], known, n=1, cutoff=0.6)
            hint = f"; did you mean '{near[0]}'?" if near else "; `outcomes find WORDS` searches them"
            problems.add(f"{who}: no indicator '{row['indicator_id']}'{hint}")
        if row["item"] not in items:
            problems.add(f"{who}: '{name}' has no item '{row['item']}'; add it to {ITEMS} or correct it")
        if row["relation"] not in RELATIONS:
            problems.add(f"{who}: relation '{row['relation']}' is none of {', '.join(RELATIONS)}")


def _twice(table: pd.DataFrame, columns: list[str]) -> Iterator[pd.Series]:
    again = table[table.duplicated(columns)]
    return (row for _, row in again.iterrows())
