"""Weights reckoned leaf by leaf, as the first index did: a second way to what the tree gives level by level."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.framework.model import Framework


def leaf_weights(framework: Framework, domain: str, *, indicators: Sequence[str]) -> pd.DataFrame:
    """Equal weights down the tree, near-duplicates sharing one.

    A doublet counts once, in the outcome of its first member; outcomes that hold no indicator are passed over.

    Parameters
    ----------
    framework : Framework
        The tree.
    domain : str
        Node to weigh below.
    indicators : sequence of str
        Indicators that take part.

    Returns
    -------
    DataFrame
        Indexed by indicator: ``outcome``, ``group`` (the doublet's name, else the indicator's own),
        ``within`` (weight in its outcome, adding up to 1) and ``weight`` (in the domain, adding up to 1).
    """
    members = [i for i in framework.below(domain) if i.id in set(indicators)]
    home: dict[str, str] = {}
    for indicator in members:
        home.setdefault(indicator.doublet or indicator.id, indicator.outcome)
    rows = [{"indicator_id": i.id, "group": i.doublet or i.id, "outcome": home[i.doublet or i.id]} for i in members]
    table = pd.DataFrame(rows, columns=["indicator_id", "group", "outcome"]).set_index("indicator_id")
    groups_in_outcome = table.groupby("outcome")["group"].transform("nunique")
    size_of_group = table.groupby("group")["group"].transform("size")
    table["within"] = 1 / groups_in_outcome / size_of_group
    table["weight"] = table["within"] / max(table["outcome"].nunique(), 1)
    return table
