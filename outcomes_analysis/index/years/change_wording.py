"""Words for what changed between two years, and for what only seems to have."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from outcomes_analysis.framework.model import Framework
from outcomes_analysis.wording import associational, listed, plural, signed

_MANY = ("authority", "authorities")


def change_text(table: pd.DataFrame, parts: pd.DataFrame, bridged: Sequence[str], framework: Framework) -> str:
    """Describe a change, domain by domain, from the tables of a :class:`ChangeResult`.

    Parameters
    ----------
    table, parts : DataFrame
        Of the result.
    bridged : sequence of str
        Indicators whose break was bridged.
    framework : Framework
        Gives names and the notice.

    Returns
    -------
    str
    """
    first, last, level = table[["period_earlier", "period_later", "level"]].iloc[0]
    head = (
        f"Change from {first:.0f} to {last:.0f} in standard deviations between authorities of the base period, higher "
        f"being better. A verdict rests on figures measured anew, as old as those before, and is passed where a "
        f"{level:.0%} interval from both years' errors leaves out 0."
    )
    domains = table[table["kind"].isin(["domain", "overall"])]
    sentences = [_domain(rows, parts, framework) for _, rows in domains.groupby("node_id", sort=False)]
    if bridged:
        names = listed([framework.indicator(name).name for name in bridged])
        sentences.append(
            f"As asked, declared breaks are bridged for {names}: figures before and after are not measured alike, "
            "so this part of the change may be one of measurement; it is kept apart and no verdict rests on it."
        )
    return associational(" ".join([head, *sentences, framework.notice]))


def _domain(rows: pd.DataFrame, parts: pd.DataFrame, framework: Framework) -> str:
    label = str(rows["node_label"].iloc[0])
    shown = rows[rows["status"] != "not_computed"]
    if shown.empty:
        return f"{label}: not computed in both years anywhere."
    count = shown["verdict"].value_counts()
    middle = float(shown["measured"].median())
    mine = parts[parts["node_id"] == rows["node_id"].iloc[0]]
    judged = int(count.reindex(["improved", "worsened", "not_clear"]).fillna(0).sum())
    if count.get("withheld", 0):
        reason = next(why for why in shown["withheld"] if why)
        text = (
            f"{label}: no verdict on change is passed ({reason}); the middle authority's measured change is "
            f"{signed(middle, 2)}."
        )
    elif judged == 0:
        text = f"{label}: nothing was measured anew between the two years, so there is no change to judge."
    else:
        text = (
            f"{label}: {plural(int(count.get('improved', 0)), *_MANY)} improved and "
            f"{int(count.get('worsened', 0))} worsened clearly out of {judged}; the middle authority's measured "
            f"change is {signed(middle, 2)}." + _beside_england(shown)
        )
    return text + _kept_apart(shown, mine, framework)


def _beside_england(shown: pd.DataFrame) -> str:
    """What moved as England did is no change of the place alone, so the whole change is set beside England's."""
    known = shown.dropna(subset=["england", "lower", "upper"])
    if known.empty:
        return ""
    own = known["england"].iloc[0]
    more, less = int((known["lower"] > own).sum()), int((known["upper"] < own).sum())
    return (
        f" England's own score moved by {signed(own, 2)} over the same time, taken as known: in all that changed, "
        f"{plural(more, *_MANY)} moved clearly more favourably than that and {less} clearly less."
    )


def _kept_apart(shown: pd.DataFrame, mine: pd.DataFrame, framework: Framework) -> str:
    """Name what moved the scores without being a change of the same figures over the same time."""
    sentences = []
    reasons = {
        "timing": "comes only from refreshed timing (an old figure replaced by one of another age)",
        "revised": "comes only from figures the publisher revised",
        "bridged": "crosses a declared break",
        "present": "comes only from other indicators being present, with others standing in",
    }
    for part, reason in reasons.items():
        here = mine[mine["part"] == part]
        if here.empty:
            continue
        # Where others stand in, the indicators that came or went say why; those standing in do not.
        size = here.assign(size=here["contribution"].abs()).groupby("indicator_id")["size"].sum()
        top = [framework.indicator(str(name)).name for name in size.sort_values(ascending=False, kind="stable").index]
        more = f" and {len(top) - 3} more" if len(top) > 3 else ""
        typical = float(shown.loc[shown["area_code"].isin(here["area_code"]), part].abs().median())
        where = here["area_code"].nunique()
        sentences.append(
            f" A part {reason}, in {plural(where, *_MANY)} (typically {signed(typical, 2).lstrip('+')} either way): "
            f"{'; '.join(top[:3])}{more}."
        )
    return "".join(sentences)
