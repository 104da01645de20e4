"""An audit in words: parts first where a domain is not one thing, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from outcomes_analysis.index.judging.audit_parts import DomainParts
from outcomes_analysis.index.judging.audit_sections import WEAK
from outcomes_analysis.wording import associational, listed, number, plural

COUNT_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def reasons_in_words(part: DomainParts, verdict: Mapping[str, Any], negative: pd.DataFrame) -> str:
    """Say why a domain does, or does not, behave as one thing.

    Parameters
    ----------
    part : DomainParts
    verdict : mapping
        ``one_thing, n_measures, dimensions, alpha, alpha_lower``.
    negative : DataFrame
        Pairs that run against each other beyond chance: ``a, b, correlation``.

    Returns
    -------
    str
        A sentence for each reason.
    """
    k, dimensions = verdict["n_measures"], verdict["dimensions"]
    if k < 3:
        return f"It has only {plural(k, 'distinct measure', 'distinct measures')}, too few to tell."
    agree = (
        f"agreement {number(verdict['alpha'], 2)} on a scale up to 1, {number(verdict['alpha_lower'], 2)} at the lower "
        "end of its 90% interval"
    )
    if verdict["one_thing"]:
        return f"Its {k} distinct measures vary together as one thing and none runs against another ({agree})."
    found = []
    if dimensions != 1:
        what = f"hold {_count(dimensions)} separate things" if dimensions else "share nothing beyond chance"
        found.append(f"its {k} distinct measures {what}")
    if len(negative):
        worst = negative.loc[negative["correlation"].idxmin()]
        both = f"{_inner(part.labels[worst['a']])} and {_inner(part.labels[worst['b']])}"
        pairs = "pair of measures runs" if len(negative) == 1 else "pairs of measures run"
        most = "" if len(negative) == 1 else ", most of all"
        sign = f"correlation {number(worst['correlation'], 2)}"
        found.append(f"{_count(len(negative))} {pairs} against each other{most or ':'} {both} ({sign})")
    if not verdict["alpha_lower"] >= 0.6:
        found.append(f"the measures agree too little ({agree}; 0.60 is asked for)")
    text = " ".join(f"{reason[0].upper()}{reason[1:]}." for reason in found)
    if verdict["set_aside"]:
        names = [_inner(name) for name in str(verdict["set_aside"]).split("; ")]
        text += f" The other {_count(k - len(names))} would behave as one thing without {_parted(names)}."
    return text


def _parted(names: list[str]) -> str:
    """Join names that hold commas of their own."""
    return listed(names) if not any("," in name for name in names) else "; ".join(names)


def _count(count: int) -> str:
    return COUNT_WORDS[count] if count < len(COUNT_WORDS) else str(count)


def _inner(label: str) -> str:
    """Lower the first letter of a name inside a sentence, unless it is an abbreviation."""
    return label if label[1:2].isupper() or label[1:2].isdigit() else label[:1].lower() + label[1:]


def domain_sentences(table: pd.DataFrame, verdict: pd.Series, *, labels: Mapping[str, str]) -> list[str]:
    """Sentences about one domain, the verdict first.

    Parameters
    ----------
    table : DataFrame
        The audit's tidy table.
    verdict : Series
        Row of the verdicts; its name is the domain.
    labels : mapping
        Names in words.

    Returns
    -------
    list of str
    """
    name = str(verdict.name)
    mine = table[table["node_id"] == name]
    if verdict["read_as"] == "one scale":
        first = f"{verdict['label']} behaves as one thing. {verdict['reasons']}"
    elif verdict["one_thing"]:
        first = f"{verdict['label']} is experimental: read its parts first. {verdict['reasons']}"
    else:
        first = (
            f"{verdict['label']} does not behave as one thing: its score is a declared weighted sum, so read its parts "
            f"first. {verdict['reasons']}"
        )
    sentences = [first]
    sentences += _standing_apart(mine, labels)
    sentences += _importance_sentence(mine, labels)
    sentences += _trade_sentence(mine, labels)
    low = _cell(mine, "compensation", "best_with_low_part")
    if low is not None:
        sentences.append(f"A good average can hide a poor part: {low['note']}.")
    out = mine[(mine["section"] == "leave_one_out") & (mine["statistic"] == "without_mean_shift")]
    if len(out):
        worst = out.loc[out["value"].idxmax()]
        sentences.append(
            f"The order rests most on {_inner(labels[worst['item']])}: without it places would move by "
            f"{number(worst['value'], 0)} on average."
        )
    shares = mine[(mine["section"] == "covariate") & (mine["statistic"] == "share")]
    if len(shares):
        named = [
            f"{number(100 * r.value, 0)}% {'go ' if first else ''}with {r.item} "
            f"({number(100 * r.lower, 0)}% to {number(100 * r.upper, 0)}%)"
            for first, r in zip([True, *[False] * len(shares)], shares.itertuples(), strict=False)
        ]
        sentences.append(f"Of the differences between authorities, {listed(named)} (90% intervals).")
    return sentences


def _cell(rows: pd.DataFrame, section: str, statistic: str) -> pd.Series | None:
    found = rows[(rows["section"] == section) & (rows["statistic"] == statistic)]
    return found.iloc[0] if len(found) else None


def _standing_apart(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    weak = rows[(rows["statistic"] == "own_rest") & rows["flag"].isin(["weak", "negative"])]
    if weak.empty:
        return []
    names = [
        f"{_inner(labels[r.item])} ({number(r.value, decimals_below(r.value, WEAK))})"
        for r in weak.sort_values("value").itertuples()
    ]
    return [f"Standing apart from the rest of the domain (correlation below {WEAK}): {'; '.join(names)}."]


def decimals_below(value: float, limit: float) -> int:
    """Decimals, two at least, with which a value below a limit still reads as below it."""
    return next((d for d in range(2, 6) if round(value, d) < limit), 6)


def _importance_sentence(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    table = rows[rows["section"] == "weights"].pivot(index="item", columns="statistic", values="value")
    if len(table) < 2:
        return []
    ratio = (table["importance_share"] / table["weight"]).sort_values()
    least, most = str(ratio.index[0]), str(ratio.index[-1])
    return [
        f"As the scores turned out, {_inner(labels[most])} counts for most against its weight "
        f"({_percent(table, most)}). The least, {_inner(labels[least])} ({_percent(table, least)})."
    ]


def _trade_sentence(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """What the average trades for each other, for the two indicators of most weight that stand alone."""
    amounts = rows[rows["statistic"] == "amount"].set_index("item")
    weight = rows[rows["statistic"] == "weight"].set_index("item")["value"].sort_values(ascending=False, kind="stable")
    single = [i for i in weight.index if i in amounts.index][:2]
    if len(single) < 2:
        return []
    words = []
    for item in single:
        amount, unit = amounts.at[item, "value"], amounts.at[item, "note"]
        decimals = 1 if abs(amount) >= 1 else 2
        size = number(
            abs(amount), decimals, "percentage points" if unit == "%" else re.sub(r"(?<=\d)-(?=\d)", " to ", unit)
        )
        words.append(f"{_inner(labels[item])} {'higher' if amount > 0 else 'lower'} by {size}")
    return [f"Near England's figures the average counts two things as equal. One is {words[0]}; one is {words[1]}."]


def _percent(table: pd.DataFrame, item: str) -> str:
    share, weight = (number(100 * table.at[item, c], 0) for c in ("importance_share", "weight"))
    return f"{share}% of the importance, {weight}% of the weight"


def audit_text(table: pd.DataFrame, verdicts: pd.DataFrame, *, labels: Mapping[str, str]) -> str:
    """Findings in words: the verdict on every domain, then a paragraph each, then what concerns them all.

    Parameters
    ----------
    table, verdicts : DataFrame
        Of the audit.
    labels : mapping
        Names in words.

    Returns
    -------
    str
        Paragraphs parted by an empty line; no causal words.
    """
    one = [str(v["label"]) for _, v in verdicts.iterrows() if v["read_as"] == "one scale"]
    apart = [str(v["label"]) for _, v in verdicts.iterrows() if v["read_as"] != "one scale"]
    head = []
    if one:
        head.append(f"{listed(one)} {'behaves' if len(one) == 1 else 'behave'} as one thing.")
    if apart:
        verb = "is a declared weighted sum" if len(apart) == 1 else "are declared weighted sums"
        head.append(f"{listed(apart)} {verb}, whose parts are to be read first.")
    paragraphs = [" ".join(head)]
    for _, verdict in verdicts.iterrows():
        paragraphs.append(" ".join(domain_sentences(table, verdict, labels=labels)))
    paragraphs.append(" ".join(_general(table, labels)))
    return associational("\n\n".join(paragraphs))


def _general(table: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    sentences = []
    pairs = table[table["section"] == "doublets"]
    shared = int((pairs["flag"] == "").sum())
    if shared:
        sentences.append(
            f"{plural(shared, 'pair of indicators', 'pairs of indicators')} beyond a correlation of 0.92 "
            f"{'shares' if shared == 1 else 'share'} one weight, as declared."
        )
    for flag, words in (("doublet", "counted twice in one domain"), ("two domains", "counted in two domains")):
        found = pairs[pairs["flag"] == flag]
        names = [" with ".join(_inner(labels[i]) for i in r.item.split(" | ")) for r in found.itertuples()]
        if names:
            sentences.append(f"Near-duplicates {words}: {'; '.join(names)}.")
    out = table[(table["section"] == "outliers") & (table["statistic"] == "kurtosis") & (table["flag"] != "")]
    if len(out):
        named = listed([_inner(labels[i]) for i in out["item"]])
        sentences.append(f"Outliers remain after the scale is changed in {named}.")
    if table[table["section"] == "covariate"].empty:
        sentences.append(
            "How much of the scores goes with child poverty was not looked at: no figures on it were given."
        )
    return sentences
