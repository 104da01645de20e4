"""Sentences about one place, made from the numbers of its table: strengths first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.places.comparison import USABLE
from outcomes_analysis.places.quantities import (
    amount,
    difference,
    more_or_fewer,
    short_amount,
    since_words,
    spoken,
    when,
)
from outcomes_analysis.places.verdicts import MANY, NOT_CLEAR, SIMILAR_RULE, TOO_FEW, strands
from outcomes_analysis.relations.sentences import checked, in_sentence

MOST_NAMED = 8
SHORTFALL = "Shortfall: "  # what a domain's note begins with where it says what is measured nowhere
SCORED, UNSCORED = ("outcome",), ("enabler", "local")


@dataclass(frozen=True)
class Place:
    """What the sentences call a place and what it is compared with.

    Attributes
    ----------
    name, region : str
    county : str
        Authority a district lies in; empty for an authority.
    as_of : int
        Year looked back from.
    neighbours : str
        The set it is compared with, in words; empty for none.
    statistic : str
        ``median`` or ``mean`` of it.
    ranked : bool
        False for the City of London and the Isles of Scilly.
    level : float
    """

    name: str
    region: str
    county: str
    as_of: int
    neighbours: str
    statistic: str
    ranked: bool
    level: float


def figure_words(row: pd.Series, *, against: str = "england") -> str:
    """Write a figure beside another: ``"good level of development at age 5 (74.1% in 2024/25, England 68.3%)"``."""
    unit, decimals = str(row["unit"]), int(row["decimals"])
    called = "England" if against == "england" else "neighbours"
    other = f", {called} {short_amount(row[against], unit=unit, decimals=decimals)}"
    there = other if np.isfinite(row[against]) else ""
    value = amount(row["value"], unit=unit, decimals=decimals)
    return f"{in_sentence(str(row['name']))} ({value} {when(row['period'])}{there})"


def change_words(row: pd.Series) -> str:
    """Write a change beside England's over the same time, with the difference and its interval where it is known."""
    unit, decimals = str(row["unit"]), int(row["decimals"])

    def span(first: str, last: str) -> str:
        return f"{wording.signed(row[first], decimals)} to {wording.signed(row[last], decimals)}"

    said = (
        f"{in_sentence(str(row['name']))} ({difference(row['change'], unit=unit, decimals=decimals)} "
        f"{since_words(str(row['since']), pandemic=bool(row['from_pandemic']))}"
    )
    at = f"at {round(100 * row['change_level'])}%"
    if not np.isfinite(row["change_beyond"]):
        return f"{said}, {span('change_lower', 'change_upper')} {at}; England's change not known)"
    beyond = wording.signed(row["change_beyond"], decimals)
    many = {MANY: f", {MANY}", "similar": ", much as England"}.get(str(row["standing_change"]), "")
    return (
        f"{said}; England {wording.signed(row['england_change'], decimals)}; difference {beyond}, "
        f"{span('change_beyond_lower', 'change_beyond_upper')} {at}{many})"
    )


def several_words(words: list[str], *, most: int = MOST_NAMED) -> str:
    """Join phrases by semicolons (names hold commas of their own), the first few named and the rest counted."""
    more = len(words) - most
    return "; ".join(words if more <= 0 else [*words[:most], f"and {more} more"])


def bullets(lead: str, words: list[str]) -> str:
    """Write a list below its lead, one line each; a full stop where there is nothing to list."""
    return f"{lead}." if not words else "\n".join([f"{lead}:", *(f"- {w}" for w in words)])


def _count(number: int) -> str:
    return str(number) if number else "none"


def _clear_strands(table: pd.DataFrame, *, distance: str, kinds: tuple[str, ...], level: float) -> pd.DataFrame:
    """Strands of some kinds, clear ones first and the furthest first among them."""
    found = strands(table, distance=distance, level=level)
    found = found[found["family"].isin(kinds)]  # local figures are told beside the core's, not among them
    return found.sort_values("distance", key=lambda d: -d.abs(), kind="stable")


def _named(found: pd.DataFrame, table: pd.DataFrame, *, distance: str, words: Callable[[pd.Series], str]) -> list[str]:
    """Name each strand by its member that lies furthest the strand's way, with how many are much like it."""
    rows = table.set_index("indicator_id")
    turned = rows["kind"].isin([*SCORED, *UNSCORED])
    oriented = rows[distance] * rows["direction"].where(turned, 1)
    named = []
    for _, strand in found.iterrows():
        lead = (oriented[list(strand["members"])] * np.sign(strand["distance"])).idxmax()
        others = len(strand["members"]) - 1
        like = f", with {wording.plural(others, 'figure', 'figures')} much like it" if others else ""
        named.append(f"{words(rows.loc[lead])}{like}")
    return named


def _domain_sentence(domains: pd.DataFrame) -> str:
    plain = domains[~domains["experimental"]] if len(domains) else domains
    parts = [domain_words(row) for _, row in plain.iterrows() if np.isfinite(row["estimate"])]
    lead = (
        "Domains (0 is England in the base period and 1 the usual distance between authorities; higher is better; set "
        "against England's score for the same date)"
    )
    return bullets(lead, parts) if parts else ""


def domain_words(row: pd.Series) -> str:
    """Write a domain's score with its interval and how it stands to England's score for the same date."""
    words = f"{row['node_label']}{' *' if row['disputed'] else ''} {wording.signed(row['estimate'], 2)}"
    if np.isfinite(row.get("lower", np.nan)):
        words += f", {wording.interval(row['lower'], row['upper'], level=row['level'], decimals=2)}"
    against = AGAINST.get(str(row["standing"]), "")
    return f"{words}, {against}" if against else words


AGAINST = {
    "above": "clearly better than England",
    "below": "clearly worse than England",
    "not clear": "against England: not clear",
    DEPENDS: "against England: depends on contested figures",
}


def _experimental_sentence(domains: pd.DataFrame, parts: pd.DataFrame) -> str:
    """Parts first, then the sum, said to be experimental; never a rank."""
    blocks = []
    for _, domain in (domains[domains["experimental"]] if len(domains) else domains).iterrows():
        own = parts[parts["domain"].eq(domain["node_id"]) & parts["estimate"].notna()]
        words = [domain_words(row) for _, row in own.iterrows()]
        if np.isfinite(domain["estimate"]):
            words.append(f"all parts together: {domain_words(domain)}")
        if words:
            lead = f"{domain['node_label']} is experimental, shown part by part and never ranked"
            blocks.append(bullets(lead, words))
    return "\n".join(blocks)


def _clear_lists(
    table: pd.DataFrame, found: pd.DataFrame, *, distance: str, words: Callable[[pd.Series], str]
) -> tuple[list[str], list[str]]:
    """Names of the strands that are clearly better and clearly worse."""
    clear = found[found["clear"]]
    better, worse = (clear[side] for side in (clear["distance"] > 0, clear["distance"] < 0))
    return (
        _named(better, table, distance=distance, words=words),
        _named(worse, table, distance=distance, words=words),
    )


def _judged_sentence(table: pd.DataFrame, *, level: float) -> str:
    found = _clear_strands(table, distance="distance", kinds=SCORED, level=level)
    if found.empty:
        return "For none of its figures of children's outcomes can a judgement against England be given."
    better, worse = _clear_lists(table, found, distance="distance", words=figure_words)
    counted = len(found)
    return "\n".join(
        [
            bullets(
                f"Strengths: clearly better than England on {_count(len(better))} of {counted} outcomes for children "
                "that bear a judgement (near-duplicates counted once)",
                better,
            ),
            bullets(f"Clearly worse than England on {_count(len(worse))}", worse),
            *_alone(found, table),
            f"{_others(found, table, level=level)} If nothing differed, about "
            f"{wording.number((1 - level) * counted, 1)} of {counted} intervals ({round(100 * level)}%) would leave "
            "England out by chance alone; those named remain once that is allowed for: at most one in ten of such "
            "differences is expected to be chance (Benjamini-Hochberg).",
        ]
    )


def _alone(found: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Figures that are clearly better or worse while those much like them, taken together, are not."""
    held = {i: np.sign(s["distance"]) * s["clear"] for _, s in found.iterrows() for i in s["members"]}
    rows = table[table["indicator_id"].isin(held) & table["verdict"].isin(["better", "worse"])]
    signs = rows["verdict"].map({"better": 1, "worse": -1})
    rows = rows[rows["indicator_id"].map(held) != signs]
    words = [f"{r['verdict']} on {figure_words(r)}" for _, r in rows.iterrows()]
    return [bullets("Clear by itself, but not once figures much like it are taken together", words)] if words else []


def _others(found: pd.DataFrame, table: pd.DataFrame, *, level: float) -> str:
    """How many of the rest are similar, not clear, or not clear among so many: each strand as its first figure is."""
    stands = table.set_index("indicator_id")["standing"]
    rest = found[~found["clear"]]
    # of a pair of near-duplicates that differ the less certain word is said: similar only where all of them are
    alike = rest["members"].map(lambda ids: stands[list(ids)].eq("similar").all()).astype(bool)
    many = ~alike & (rest["p_value"] <= 1 - level)
    counts = {"similar to England": int(alike.sum()), MANY: int(many.sum()), NOT_CLEAR: int((~alike & ~many).sum())}
    words = [f"{said} on {count}" for said, count in counts.items() if count]
    return f"Of the others: {wording.listed(words)}." if words else "There are no others."


def _enabler_sentence(table: pd.DataFrame, *, level: float) -> str:
    found = _clear_strands(table, distance="distance", kinds=UNSCORED, level=level)
    if found.empty:
        return ""
    better, worse = _clear_lists(table, found, distance="distance", words=figure_words)
    lead = f"Services, parents and carers: {len(found)} figures that bear a judgement and that no score counts"
    return "\n".join(
        [
            bullets(f"{lead}. Clearly better than England on {_count(len(better))}", better),
            bullets(f"Clearly worse than England on {_count(len(worse))}", worse),
        ]
    )


def _contested_sentence(table: pd.DataFrame) -> str:
    rows = table[table["kind"].eq("contested") & table["tier"].ne("local") & table["distance"].notna()]
    if rows.empty:
        return ""
    clear = rows[rows["clear"].ne("")]
    words = [f"clearly {more_or_fewer(r['clear'], form=r['form'])}: {figure_words(r)}" for _, r in clear.iterrows()]
    rest = rows[rows["clear"].eq("")]["standing"].value_counts()
    words += [f"{stands}: {rest[stands]}" for stands in ("similar", NOT_CLEAR, MANY) if stands in rest]
    return bullets(
        "Contested figures (marked *): people disagree which way is better, so only more or fewer than England is said",
        words,
    )


def _neighbour_scores(domains: pd.DataFrame, *, place: Place) -> list[str]:
    """Scores beside the middle of the neighbours' scores; positions only, experimental domains left out."""
    if domains.empty:
        return []
    rows = domains[~domains["experimental"] & domains["neighbours_centre"].notna() & domains["estimate"].notna()]
    words = [
        f"{r['node_label']}{' *' if r['disputed'] else ''} {wording.signed(r['estimate'], 2)} "
        f"({wording.signed(r['neighbours_centre'], 2)})"
        for _, r in rows.iterrows()
    ]
    return [f"Scores, with the {place.statistic} of the neighbours' scores: {', '.join(words)}."] if words else []


def _neighbour_sentence(table: pd.DataFrame, *, domains: pd.DataFrame, place: Place) -> str:
    found = _clear_strands(table, distance="distance_neighbours", kinds=SCORED, level=place.level)
    if found.empty or not place.neighbours:
        return ""
    better, worse = _clear_lists(table, found, distance="distance_neighbours", words=_beside_neighbours)
    lead = f"Against the {place.statistic} of {place.neighbours}, all of them together and never one"
    return "\n".join(
        [
            bullets(f"{lead}: clearly better on {_count(len(better))} of {len(found)} outcomes for children", better),
            bullets(f"Clearly worse on {_count(len(worse))}", worse),
            *_neighbour_scores(domains, place=place),
        ]
    )


def _beside_neighbours(row: pd.Series) -> str:
    return figure_words(row, against="neighbours_centre")


def _trend_sentence(table: pd.DataFrame, *, place: Place, years: int) -> str:
    if not place.ranked:
        return f"No change over time is told here: {TOO_FEW.split(' for ')[0]}, so that figures swing by chance."
    found = _clear_strands(table, distance="distance_beyond", kinds=SCORED, level=place.level)
    own = _clear_strands(table, distance="trend_distance", kinds=SCORED, level=place.level)
    if own.empty:
        return ""
    better, worse = _clear_lists(table, found, distance="distance_beyond", words=change_words)
    apart = set(found.loc[found["clear"], "strand"])
    likewise = own[~own["strand"].isin(apart)]
    rose, fell = _clear_lists(table, likewise, distance="trend_distance", words=change_words)
    pandemic = table.loc[table["since"].ne("") & table["kind"].isin(SCORED), "from_pandemic"].astype(bool)
    marked = (
        " What is counted from a year of the pandemic holds the way out of it: England's change does too."
        if pandemic.any()
        else ""
    )
    return "\n".join(
        [
            f"Over time (at most {years} years, never across a break): {len(own)} outcomes for children can be set "
            f"beside themselves, {'all' if len(found) == len(own) else len(found)} of them with England's change over "
            f"the same years, which is taken as known.{marked}",
            bullets(f"Moved clearly more favourably than England on {_count(len(better))}", better),
            bullets(f"Clearly less favourably on {_count(len(worse))}", worse),
            bullets(
                "Better than before, without a clear difference from England's change, on " + _count(len(rose)), rose
            ),
            bullets(
                "Worse than before, without a clear difference from England's change, on " + _count(len(fell)), fell
            ),
        ]
    )


def _withheld_sentence(table: pd.DataFrame) -> str:
    rows = table[table["verdict"].eq("position only") & ~table["kind"].isin(["context", "contested"])]
    if rows.empty:
        return ""
    reasons = rows["reason"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
    words = [f"{reason} ({count})" for reason, count in reasons.items()]
    return f"Shown without a judgement: {wording.plural(len(rows), 'figure', 'figures')}. Reasons: {'; '.join(words)}."


def _missing_sentence(table: pd.DataFrame, *, framework: Framework, place: Place) -> str:
    none = table[table["verdict"].eq("no figure")]
    found = []
    for wider, rows in none[none["only_for"].ne("")].groupby("only_for", sort=False):
        found.append(f"{len(rows)} published for {wider} but not for {place.name}: {_names(rows)}")
    for symbol, rows in none[none["only_for"].eq("")].groupby("symbol", sort=True):
        meaning = wording.SYMBOL_MEANINGS[str(symbol)]
        found.append(f"{len(rows)} without any figure ({symbol} {meaning}): {_names(rows)}")
    hidden = none[none["symbol"].eq("[c]") & none["only_for"].ne("")]
    if len(hidden):
        found.append(f"{len(hidden)} of these held back by the publisher for confidentiality: {_names(hidden)}")
    newer = table[table["verdict"].ne("no figure") & table["latest_symbol"].isin(["[c]", "[z]"])]
    if len(newer):
        names = several_words(
            [f"{in_sentence(str(r['name']))} ({spoken(r['latest_period'])})" for _, r in newer.iterrows()]
        )
        found.append(
            f"the newest figure is held back by the publisher and an older one given for {len(newer)}: {names}"
        )
    inherited = table[table["status"].eq("inherited")]
    if len(inherited):
        count = wording.plural(len(inherited), "figure", "figures")
        found.append(f"{count} of the authority this place was part of, shown and not compared: {_names(inherited)}")
    old = table[table["age"] > table["max_age"]]
    if len(old):
        names = several_words([f"{in_sentence(str(r['name']))} ({spoken(r['period'])})" for _, r in old.iterrows()])
        found.append(f"{len(old)} too old to say much about today: {names}")
    late = table[(table["age"] > 1) & (table["age"] <= table["max_age"])]
    if len(late):
        names = several_words([f"{in_sentence(str(r['name']))} ({spoken(r['period'])})" for _, r in late.iterrows()])
        found.append(f"{len(late)} measured before {place.as_of - 1}, the newest there are: {names}")
    found += [f"nowhere, or for too few places, in the domain {gap}" for gap in _gaps(framework)]
    empty = [n.label for n in framework.nodes if not framework.children(n.id) and not any(framework.below(n.id))]
    if empty:
        found.append(f"no published figure for any place: {wording.listed(empty)}")
    return bullets("What cannot be measured here", found) if found else ""


def _gaps(framework: Framework) -> list[str]:
    """What the notes of the domains say is measured nowhere."""
    return [
        f"{node.label}: {in_sentence(node.note.split(SHORTFALL)[1].split('. ')[0].rstrip('.'))}"
        for node in framework.domains
        if SHORTFALL in node.note
    ]


def _names(rows: pd.DataFrame) -> str:
    return several_words([in_sentence(str(name)) for name in rows["name"]])


def _opening(table: pd.DataFrame, *, place: Place) -> str:
    have = int(table["value"].notna().sum())
    words = [f"{have} of {len(table)} indicators have a figure for {place.name} measured by {place.as_of}."]
    counted = int((table["value"].notna() & table["status"].isin(USABLE) & (table["age"] <= table["max_age"])).sum())
    if counted < have:
        few = "1 is too old for today, or stands" if have - counted == 1 else f"{have - counted} are too old, or stand"
        words.append(f"The coverage report counts {counted} of them: {few} in for this place's own.")
    if place.county:
        words.append(
            f"{place.name} is a district: {place.county} is the authority for its schools and children's services, and "
            f"most figures are published for {place.county} alone. See them with: outcomes area {place.county}."
        )
    if not place.ranked:
        words.append(f"Its figures are shown and not judged: {TOO_FEW}.")
    return " ".join(words)


def compose(
    table: pd.DataFrame,
    *,
    domains: pd.DataFrame,
    parts: pd.DataFrame,
    equity: str,
    pathway: str = "",
    framework: Framework,
    place: Place,
    years: int,
) -> dict[str, str]:
    """Write the page of one place.

    Parameters
    ----------
    table, domains, parts : DataFrame
        As :class:`outcomes_analysis.places.profile.AreaProfile` has them.
    equity, pathway : str
        Text of the twin, and of the cohorts from birth to age 11.
    framework : Framework
        For what is measured nowhere, and its notice.
    place : Place
    years : int
        How far back a change may reach.

    Returns
    -------
    dict of str to str
        Sections in the order of reading, those with nothing to say left out; lists have a line an item, beginning with
        a dash. Passed by the guard against causal words.
    """
    sections = {
        "opening": _opening(table, place=place),
        "domains": _domain_sentence(domains),
        "experimental": _experimental_sentence(domains, parts),
        "judged": _judged_sentence(table, level=place.level),
        "contested": _contested_sentence(table),
        "enablers": _enabler_sentence(table, level=place.level),
        "equity": equity,
        "neighbours": _neighbour_sentence(table, domains=domains, place=place),
        "trends": _trend_sentence(table, place=place, years=years),
        "pathway": pathway,
        "withheld": _withheld_sentence(table),
        "missing": _missing_sentence(table, framework=framework, place=place),
        "method": (
            f"A judgement is given only where the {round(100 * place.level)}% interval, sampling and year-to-year "
            "variation together, leaves out the figure it is set against, which is of the same period and taken as "
            f"known. {SIMILAR_RULE} Not clear: neither can be said. Not clear (many compared): the interval leaves it "
            "out, but among so many comparisons chance alone would bring that."
        ),
        "notice": (
            framework.notice
            if "official statistics" in framework.notice
            else f"{framework.notice} {wording.EXPLORATION}".strip()
        ),
    }
    quoted = [text for i in framework.indicators for text in (i.name, i.contested.rstrip("."), i.cannot_tell)]
    quoted += [*(n.label for n in framework.nodes), framework.notice, *_gaps(framework)]
    quoted += [*wording.SYMBOL_MEANINGS.values(), *(b.reason for i in framework.indicators for b in i.breaks)]
    said = {name: text for name, text in sections.items() if text}
    checked("\n".join(said.values()), quoted=quoted)
    return said
