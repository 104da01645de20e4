"""Each domain beside child poverty, by every measure of it: how far they go together, and who stands out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.page import Section, bullets, paragraph, table_html
from outcomes_analysis.wording import associational, listed, number

if TYPE_CHECKING:
    from outcomes_analysis.index import ComparisonResult


def poverty_section(
    comparisons: Sequence[ComparisonResult], *, mapped: str, experimental: Collection[str] = ()
) -> Section:
    """The comparison with places of similar child poverty, in words and as a table.

    Parameters
    ----------
    comparisons : sequence of ComparisonResult
        One for each measure of poverty.
    mapped : str
        Name of the measure that the maps use.
    experimental : collection of str
        Domains of which no place is named.

    Returns
    -------
    Section
    """
    level = f"{comparisons[0].spec.level:.0%}"
    chance = number(float(comparisons[0].counts["by_chance"].mean()), 0)
    body = [
        paragraph(
            "How far a domain goes with child poverty depends on how poverty is measured. After housing costs, rents "
            "count as spent, which puts London higher; before them, they do not. Neither is the only right one, so "
            f"both are shown. The maps above use {mapped}."
        ),
        _table(comparisons),
        paragraph(
            "Places with the same child poverty differ too. An authority is said to stand out only where its score "
            f"lies outside the range in which {level} of places with similar child poverty are expected, given how "
            f"unsure its own figures are. One in ten does so by chance alone: about {chance} authorities on each "
            "domain. Standing out marks a place to look at and is no finding by itself. Maps and table count "
            "contested indicators in."
        ),
        paragraph(
            "Standing out by both measures, and with and without contested indicators, in alphabetical order. What is "
            "experimental is left out."
        ),
        bullets([_named(name, comparisons) for name in comparisons[0].goes_with.index if name not in experimental]),
    ]
    return Section("Beside places of similar child poverty", "\n".join(body), anchor="poverty")


def _label(comparison: ComparisonResult, name: str) -> str:
    rows = comparison.table
    return str(rows.loc[rows["node_id"] == name, "node_label"].iloc[0])


def poverty_line(comparisons: Sequence[ComparisonResult]) -> str:
    """Two sentences for a summary: the domains that go with child poverty most and least, by every measure.

    Parameters
    ----------
    comparisons : sequence of ComparisonResult

    Returns
    -------
    str
    """
    mean = pd.concat([one.goes_with["share"] for one in comparisons], axis=1).mean(axis=1)
    most, least = str(mean.idxmax()), str(mean.idxmin())
    level = f"{comparisons[0].spec.level:.0%} intervals"
    return associational(
        f"Child poverty goes most with {_label(comparisons[0], most)}: {_shares(most, comparisons)} of the differences "
        f"between authorities ({level}). It goes least with {_label(comparisons[0], least)}: "
        f"{_shares(least, comparisons)}."
    )


def _shares(name: str, comparisons: Sequence[ComparisonResult]) -> str:
    parts = []
    for one in comparisons:
        share, low, high = (
            number(100 * one.goes_with.at[name, c], 0, "%") for c in ("share", "share_lower", "share_upper")
        )
        parts.append(f"{share} ({low} to {high}) {_short(one.label)}")
    return listed(parts)


def _short(label: str) -> str:
    """A measure's name without what all of them share."""
    return label.removeprefix("child poverty ").strip()


def _table(comparisons: Sequence[ComparisonResult]) -> str:
    rows = []
    for name in comparisons[0].goes_with.index:
        for one in comparisons:
            found, counts = one.goes_with.loc[name], one.counts.loc[name]
            share = [number(100 * found[c], 0, "%") for c in ("share", "share_lower", "share_upper")]
            ranks = [number(found[c], 2) for c in ("correlation", "correlation_lower", "correlation_upper")]
            rows.append(
                {
                    "domain": _label(one, name),
                    "measure": _short(one.label).capitalize(),
                    "share": f"{share[0]} ({share[1]} to {share[2]})",
                    "ranks": f"{ranks[0]} ({ranks[1]} to {ranks[2]})",
                    "above": int(counts["above"]),
                    "below": int(counts["below"]),
                }
            )
    level = f"{comparisons[0].spec.level:.0%} interval"
    n = int(comparisons[0].counts["n"].max())
    return table_html(
        pd.DataFrame(rows),
        "Each domain and child poverty, by both measures",
        headings={
            "measure": "Child poverty measured",
            "share": f"Differences between authorities that go with it ({level})",
            "ranks": f"Correlation of the ranks ({level})",
            "above": f"Better than the range of places alike, of {n}",
            "below": f"Worse than the range, of {n}",
        },
        row_heading="measure",
        group="domain",
    )


def _named(name: str, comparisons: Sequence[ComparisonResult]) -> str:
    """Places that stand out by every measure of poverty, contested indicators counted in or not.

    Not in order of size, which would read as a rank.
    """
    tables = [one.table[one.table["node_id"] == name].set_index("area_code") for one in comparisons]
    said = []
    for standing, words in (("above the range", "better"), ("below the range", "worse")):
        both = [t.index[t["standing"].eq(standing) & t["standing_agreed"].eq(standing)] for t in tables]
        codes = reduce(lambda a, b: a.intersection(b), both)
        names = sorted(str(tables[0].at[c, "area_name"]) for c in codes)
        if names:
            said.append(f"{words} than places alike: {listed(names)}")
    found = "; ".join(said) if said else "none"
    return f"{_label(comparisons[0], name)}, {found}."
