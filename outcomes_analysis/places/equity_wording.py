"""Sentences about the equity twin, made from the numbers of its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.quantities import amount, difference, short_amount, when
from outcomes_analysis.places.verdicts import MANY, NOT_CLEAR, TOO_FEW
from outcomes_analysis.relations.sentences import checked, in_sentence

CAVEAT = (
    "Who is counted in these groups differs between places (thresholds of services, take-up of free meals), so a "
    "wider gap can also say that fewer children are counted in the group, or that those beside it do better than "
    "elsewhere; a narrower one, that they do worse. Disadvantaged means free school meals in "
    "the last six years, looked after, or adopted from care."
)
MOST_NAMED = 6
THESE = {
    "better": "; these children clearly better than the same children in England",
    "worse": "; these children clearly worse than the same children in England",
    NOT_CLEAR: "; whether better or worse than the same children in England is not clear",
    MANY: "; whether better or worse than the same children in England is not clear (many compared)",
}


def compose_equity(table: pd.DataFrame, domains: pd.DataFrame, *, framework: Framework, name: str) -> str:
    """Write what the twins say, which gaps stand out, and where no twin can be made.

    Parameters
    ----------
    table, domains : DataFrame
        As :class:`outcomes_analysis.places.equity.EquityTwin` has them.
    framework : Framework
    name : str
        Of the place.

    Returns
    -------
    str
        Passed by the guard against causal words.
    """
    if table.empty or not table["value"].notna().any():
        return f"No figure for groups of children is published for {name}, so no equity twin can be made."
    quoted = [i.name for i in framework.indicators] + [n.label for n in framework.nodes]
    quoted += wording.SYMBOL_MEANINGS.values()
    if table["reason"].eq(TOO_FEW).any():  # a place of few children: no other reason matters
        return f"No equity twin can be made for {name}: {TOO_FEW}."
    if not table["estimate"].notna().any():
        return checked(f"No equity twin can be made for {name}: {_reasons(table['reason'])}.", quoted=quoted)
    twins = domains[domains["status"].eq("computed")]
    lines = [
        f"Equity twin: how far groups of children in {name} are from all children there, on the same indicators (1 is "
        "the usual distance between authorities; England's distance beside it)"
    ]
    lines[0] += ":" if len(twins) else "."
    for _, row in twins.iterrows():
        span = wording.interval(row["lower"], row["upper"], level=row["level"], decimals=1)
        england = f"; England {wording.signed(row['england_gap'], 1)}" if np.isfinite(row["england_gap"]) else ""
        against = str(row["against_england"])
        said = f", {'clearly ' if against in ('wider', 'narrower') else ''}{against}" if against else ""
        said += THESE.get(str(row["these_against"]), "")
        lines.append(
            f"- {row['node_label']}, {row['group_label']}: {wording.signed(row['estimate'], 1)}, {span}{england}{said} "
            f"({row['indicators']} of {row['of']} indicators)"
        )
    compared = int(table["distance"].notna().sum())
    for side in ("wider", "narrower"):
        rows = table[table["clear"].eq(side)]
        if len(rows):
            rows = rows.loc[rows["distance"].abs().sort_values(ascending=False, kind="stable").index]
            words = [_gap_words(r) for _, r in rows.iterrows()]
            more = [f"- and {len(words) - MOST_NAMED} more"] if len(words) > MOST_NAMED else []
            lead = (
                f"Gaps clearly {side} than England's, {len(rows)} of {compared} compared (once the number of "
                "comparisons is allowed for); each group stands beside the same children in England:"
            )
            lines += [lead, *(f"- {w}" for w in words[:MOST_NAMED]), *more]
    lines += [_without(domains, framework=framework), CAVEAT]
    return checked("\n".join(line for line in lines if line), quoted=quoted)


def _reasons(reasons: pd.Series[str]) -> str:
    return "; ".join(dict.fromkeys(reasons[reasons.ne("")]))


def _gap_words(row: pd.Series) -> str:
    unit, decimals = str(row["unit"]), int(row["decimals"])
    value = amount(row["value"], unit=unit, decimals=decimals)
    beside = f"{row['beside']} {short_amount(row['beside_value'], unit=unit, decimals=decimals)}"
    bounds = f"{wording.signed(row['gap_lower'], decimals)} to {wording.signed(row['gap_upper'], decimals)}"
    gap = f"gap {difference(row['estimate'], unit=unit, decimals=decimals)}"

    def there(column: str, stands: str) -> str:
        clear = {"above": "better", "below": "worse"} if row["direction"] > 0 else {"above": "worse", "below": "better"}
        said = f"clearly {clear[stands]}" if stands in clear else stands
        return f"England {short_amount(row[column], unit=unit, decimals=decimals)}: {said}"

    return (
        f"{in_sentence(str(row['name']))}, {row['group_label']} ({value} {when(str(row['period']))}, "
        f"{there('england_value', str(row['standing_group']))}; {beside}, "
        f"{there('england_beside', str(row['standing_beside']))}; {gap}, {bounds} at {round(100 * row['level'])}%, "
        f"England {wording.signed(row['england_gap'], decimals)})"
    )


def _without(domains: pd.DataFrame, *, framework: Framework) -> str:
    """Where no twin can be made, and why."""
    missing = domains[domains["status"].eq("no twin")]
    never = [
        d.label for d in framework.domains if missing["node_id"].eq(d.id).sum() == domains["node_id"].eq(d.id).sum()
    ]
    words = []
    if never:
        reasons = _reasons(missing[missing["node_label"].isin(never)]["reason"])
        words.append(f"No twin can be made of {wording.listed(never)}: {reasons}.")
    some = missing[~missing["node_label"].isin(never)]
    for (label, reason), rows in some.groupby(["node_label", "reason"], sort=False):
        words.append(f"{label} has none for {wording.listed(list(rows['group_label']))}: {reason}.")
    return " ".join(words)
