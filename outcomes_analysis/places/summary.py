"""Sentences about one place, made from the numbers of its table: strengths first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.relations.sentences import checked, in_sentence

MOST_NAMED = 8
SET_NAMES = {
    "dfe_2025": "the ten most like it in the statistical neighbour model (Department for Education, 2025)",
    "dfe_2021": "the ten most like it in the statistical neighbour model (Department for Education, 2021)",
}


def figure_words(row: pd.Series) -> str:
    """Write a figure against England's: ``"good level of development at age 5 (74.1% in 2024/25, England 68.3%)"``."""
    value = wording.number(row["value"], int(row["decimals"]), _unit(row["unit"]))
    england = wording.number(row["england"], int(row["decimals"]), _unit(row["unit"]))
    return f"{in_sentence(str(row['name']))} ({value} in {wording.written_date(row['period'])}, England {england})"


def change_words(row: pd.Series) -> str:
    """Write a change: ``"persistent absence, +3.1 since 2021/22 (+1.2 to +5.0, 90% interval)"``."""
    decimals = int(row["decimals"])
    span = f"{wording.signed(row['change_lower'], decimals)} to {wording.signed(row['change_upper'], decimals)}"
    national = row["england_change"]
    england = f"; England {wording.signed(national, decimals)}" if np.isfinite(national) else ""
    since = wording.written_date(row["since"])
    return (
        f"{in_sentence(str(row['name']))} ({wording.signed(row['change'], decimals)} since {since}, "
        f"{span} at {round(100 * row['change_level'])}%{england})"
    )


def _unit(unit: str) -> str:
    return "%" if unit in ("%", "percent", "per cent") else ""


def _several(words: list[str]) -> str:
    more = len(words) - MOST_NAMED
    # names hold commas of their own, so semicolons part them
    return "; ".join(words if more <= 0 else [*words[:MOST_NAMED], f"and {more} more"])


def _by_distance(rows: pd.DataFrame) -> pd.DataFrame:
    """Furthest from England first, in widths of its interval."""
    width = (rows["upper"] - rows["lower"]).replace(0, np.nan)
    order = ((rows["value"] - rows["england"]).abs() / width).sort_values(ascending=False, kind="stable").index
    return rows.loc[order]


def _domain_sentence(domains: pd.DataFrame) -> str:
    computed = domains[domains["estimate"].notna()] if "estimate" in domains else domains.iloc[:0]
    parts = []
    for _, row in computed.iterrows():
        words = f"{row['node_label']} {wording.signed(row['estimate'], 2)}"
        if np.isfinite(row.get("lower", np.nan)):
            words += f", {wording.interval(row['lower'], row['upper'], level=row['level'], decimals=2)}"
        if str(row.get("status", "")) == "not_ranked":
            words += ", not ranked"
        parts.append(words)
    if not parts:
        return ""
    return f"Domains (0 is England in the base period, higher is better): {'; '.join(parts)}."


def _judged_sentences(table: pd.DataFrame) -> list[str]:
    judged = table[table["verdict"].isin(["better", "similar", "worse"])]
    if judged.empty:
        return ["For none of its figures can a judgement against England be given."]
    better = [figure_words(r) for _, r in _by_distance(judged[judged["verdict"] == "better"]).iterrows()]
    worse = [figure_words(r) for _, r in _by_distance(judged[judged["verdict"] == "worse"]).iterrows()]
    similar = int((judged["verdict"] == "similar").sum())
    of = f"of the {wording.plural(len(judged), 'figure', 'figures')} that bear a judgement"
    sentences = [
        f"Strengths: better than England on {len(better)} {of}{': ' + _several(better) if better else ''}.",
        f"Worse than England on {len(worse)}{': ' + _several(worse) if worse else ''}.",
        f"Too close to England to tell on {similar}.",
    ]
    return sentences


def _trend_sentence(table: pd.DataFrame) -> str:
    compared = table[table["trend"].isin(["higher", "lower", "no clear change"])]
    if compared.empty:
        return ""
    moved = [change_words(r) for _, r in compared[compared["trend"] != "no clear change"].iterrows()]
    head = f"Of {wording.plural(len(compared), 'figure', 'figures')} that can be compared over time"
    if not moved:
        return f"{head}, none shows a clear change."
    return f"{head}, {len(moved)} {'shows' if len(moved) == 1 else 'show'} a clear change: {_several(moved)}."


def _withheld_sentence(table: pd.DataFrame) -> str:
    rows = table[(table["verdict"] == "position only") & (table["tier"] != "context")]
    if rows.empty:
        return ""
    reasons = rows["reason"].str.split(":").str[0].value_counts()
    words = [f"{reason} ({count})" for reason, count in reasons.items()]
    return f"Shown without a judgement: {wording.plural(len(rows), 'figure', 'figures')}. Reasons: {'; '.join(words)}."


def _missing_sentence(table: pd.DataFrame, *, framework: Framework, as_of: int) -> str:
    sentences = []
    none = table[table["verdict"] == "no figure"]
    for symbol, rows in none.groupby("symbol", sort=True):
        names = _several([in_sentence(str(n)) for n in rows["name"]])
        meaning = wording.SYMBOL_MEANINGS[str(symbol)]
        sentences.append(f"No figure here for {len(rows)} ({symbol} {meaning}): {names}.")
    newer = table[(table["verdict"] != "no figure") & table["latest_symbol"].isin(["[c]", "[z]"])]
    if len(newer):
        names = _several(
            [f"{in_sentence(str(r['name']))} ({wording.written_date(r['latest_period'])})" for _, r in newer.iterrows()]
        )
        sentences.append(f"The newest figure is not shown by the publisher, an older one is given, for: {names}.")
    inherited = table[table["status"] == "inherited"]
    if len(inherited):
        count = wording.plural(len(inherited), "figure is", "figures are")
        sentences.append(f"{count} that of the authority this place was part of, and not compared.")
    old = table[table["age"] > 2]
    if len(old):
        count = wording.plural(len(old), "figure was", "figures were")
        sentences.append(f"{count} measured before {as_of - 2}.")
    empty = [n.label for n in framework.nodes if not framework.children(n.id) and not any(framework.below(n.id))]
    if empty:
        sentences.append(f"No published figure for any place: {wording.listed(empty)}.")
    return f"What cannot be measured here. {' '.join(sentences)}" if sentences else ""


def compose(
    table: pd.DataFrame,
    *,
    domains: pd.DataFrame,
    framework: Framework,
    name: str,
    region: str,
    as_of: int,
    neighbours: str,
    level: float,
) -> str:
    """Write the page of one place.

    Parameters
    ----------
    table, domains : DataFrame
        As :class:`outcomes_analysis.places.profile.AreaProfile` has them.
    framework : Framework
        For what is measured nowhere, and its notice.
    name, region, as_of, neighbours, level
        Of the profile.

    Returns
    -------
    str
        Paragraphs with an empty line between them; passed by the guard against causal words.
    """
    where = f"{name}, {region}" if region else name
    have = int(table["value"].notna().sum())
    opening = f"{where}. {have} of {len(table)} indicators have a figure measured by {as_of}."
    near = ""
    if table["neighbours_of"].max() > 0:
        named = SET_NAMES.get(neighbours, "the places named for it")
        near = f"Its neighbours are {named}; the median is of those with a figure of the same period."
    paragraphs = [
        opening,
        _domain_sentence(domains),
        " ".join(_judged_sentences(table)),
        _trend_sentence(table),
        _withheld_sentence(table),
        _missing_sentence(table, framework=framework, as_of=as_of),
        f"A judgement is given only where the {round(100 * level)}% interval, sampling and year-to-year variation "
        "together, leaves out England's figure; by chance alone about one in ten would be given where nothing differs. "
        f"{near}".rstrip(),
        framework.notice if "official statistics" in framework.notice else f"{framework.notice} {wording.EXPLORATION}",
    ]
    quoted = [text for i in framework.indicators for text in (i.name, i.contested.rstrip("."), i.cannot_tell)]
    quoted += [
        *(n.label for n in framework.nodes),
        framework.notice,
        *(i.contested.split(":")[0] for i in framework.indicators),
    ]
    return checked("\n\n".join(p.strip() for p in paragraphs if p.strip()), quoted=quoted)
