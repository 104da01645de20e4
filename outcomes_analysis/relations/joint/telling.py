"""Sentences about how the domains relate, made from the numbers of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.relations.joint.result import GIVEN, RAW, JointSpec
from outcomes_analysis.relations.sentences import checked, is_clear, measured, short_name

NOT_VALIDITY = (
    "Noise and gaps in the figures are allowed for; whether an indicator measures what its name says is the same "
    "question as before. The sizes of the errors are taken as known, and those of different indicators as unrelated "
    "unless they are near-duplicates. Domains may also go together because their figures come from the same records, "
    "schools or services."
)
QUICK = (
    "These numbers come from the quick way, a normal approximation: over 200 sets of figures with a known truth its "
    "90% intervals held the truth in 88 to 89% of cases."
)
LEANING_MAP = (
    "Whether single authorities carry the answer is not said for this form of the model: on the map an authority's own "
    "share of the field is known by its own figures."
)
QUICK_YEARS = (
    "These numbers come from the quick way, a normal approximation: over 50 sets of figures of three years with a "
    "known truth its 90% intervals held it in 85 to 93% of cases."
)


QUICK_MAP = (
    "These numbers come from the quick way, a normal approximation: over 40 sets of figures on this map with a known "
    "truth its 90% intervals held it in 82 to 91% of cases, that of the share that follows the map in 75%."
)
QUICK_YEARS_MAP = (
    "These numbers come from the quick way, a normal approximation; how often its intervals hold a known truth for "
    "several years on a map has not been tried."
)


def tell(
    table: pd.DataFrame,
    *,
    checks: pd.DataFrame,
    leaning: pd.DataFrame,
    other: pd.DataFrame,
    priors: pd.DataFrame,
    diagnostics: Mapping[str, Any],
    framework: Framework,
    spec: JointSpec,
) -> str:
    """Write the page of the joint model.

    Parameters
    ----------
    table, checks, leaning, other, priors : DataFrame
        As :class:`~outcomes_analysis.relations.joint.result.JointResult` has them (``areas`` and ``sensitivity``).
    diagnostics : mapping
        ``forms``, ``close``, ``as_sums``, ``left_out``, ``sampling``.
    framework : Framework
    spec : JointSpec

    Returns
    -------
    str
        Paragraphs with an empty line between them; passed by the guard against causal words.
    """
    labels = {d: framework.node(d).label for d in diagnostics["forms"]}
    held = wording.listed([short_name(framework.indicator(i)) for i in spec.deprivation])
    rows = table[table["quantity"].eq("correlation")]
    chosen = rows[rows["forms"].eq("chosen")]
    quick = diagnostics["sampling"]["chosen"]["method"] == "laplace"
    paragraphs = [_opening(chosen, labels, spec, diagnostics)]
    if chosen["status"].iloc[0] == "withheld":
        paragraphs.append(f"No numbers are given: {chosen['reason'].iloc[0]}.")
    else:
        paragraphs += [
            _pairs(chosen[chosen["given"].eq(RAW)], labels, "As they are,"),
            _pairs(
                chosen[chosen["given"].eq(GIVEN)], labels, f"Between authorities of one region with similar {held},"
            ),
            _linked(table[table["quantity"].eq("link") & table["forms"].eq("chosen")], labels, held),
            _shares(priors, spec),
        ]
    paragraphs += [
        _forms(checks, diagnostics, labels, framework),
        _compared(rows, labels),
        _otherwise(other, labels, framework),
        LEANING_MAP if spec.spatial else _leaning(leaning),
        _quick(spec) if quick else "",
        NOT_VALIDITY,
        _marks(table, diagnostics, labels, framework),
    ]
    names = [name for i in framework.indicators for name in (i.name, i.name.split(" (")[0], i.contested)]
    return checked("\n\n".join(p for p in paragraphs if p), quoted=names)


def _opening(rows: pd.DataFrame, labels: Mapping[str, str], spec: JointSpec, diagnostics: Mapping[str, Any]) -> str:
    when = f"by the end of {spec.periods[-1]}"
    if len(spec.periods) > 1:
        when = f"by the end of each year from {spec.periods[0]} to {spec.periods[-1]}"
    text = (
        f"How {wording.listed(list(labels.values()))} go together across "
        f"{wording.plural(int(rows['n'].iloc[0]), 'upper-tier authority', 'upper-tier authorities')}: figures as "
        f"measured {when}, each with its known error, missing ones left missing."
    )
    if spec.spatial:
        text += (
            " Neighbouring authorities may resemble each other beyond poverty and region: part of what differs between "
            "places follows the map (neighbours share a border or a corner; an island is linked with the nearest)."
        )
    if diagnostics["left_out"]:
        text += f" Left out: {several(f'{a} ({r})' for a, r in diagnostics['left_out'].items())}."
    return text


def _pair(row: pd.Series, labels: Mapping[str, str]) -> str:
    return f"{labels[row['domain']]} with {labels[row['other']]}"


def _pairs(rows: pd.DataFrame, labels: Mapping[str, str], lead: str) -> str:
    """Which pairs of domains go together, which do not, and the two ends."""
    clear = rows.apply(is_clear, axis=1)
    together, apart = rows[clear & rows["estimate"].gt(0)], rows[clear & rows["estimate"].lt(0)]
    parts = [f"{_share(len(together), len(rows))} clearly go together (better with better)"]
    if len(apart):
        parts.append(f"{len(apart)} clearly run against each other")
    if not clear.all():
        parts.append(f"{len(rows) - int(clear.sum())} cannot be told apart from no association")
    text = f"{lead} {wording.listed(parts)}."
    ordered = rows.sort_values("estimate", ascending=False)
    first, last = ordered.iloc[0], ordered.iloc[-1]
    text += f" Closest: {_pair(first, labels)}, correlation {measured(first)}."
    if len(rows) > 1:
        text += f" At the other end: {_pair(last, labels)}, {measured(last)}."
    return text


def _linked(rows: pd.DataFrame, labels: Mapping[str, str], held: str) -> str:
    """Which pairs still go together with all other domains allowed for."""
    parts = []
    for given, lead in ((RAW, "as they are"), (GIVEN, f"for authorities of one region with similar {held}")):
        mine = rows[rows["given"].eq(given)]
        clear = mine[mine.apply(is_clear, axis=1)]
        first = mine.sort_values("estimate", key=abs).iloc[-1]
        parts.append(
            f"{lead}, {len(clear)} of {wording.plural(len(mine), 'pair', 'pairs')} still clearly go together or run "
            f"against each other, most of all {_pair(first, labels)}, {measured(first)}"
        )
    return (
        f"With the other domains allowed for too (partial correlations): {'; '.join(parts)}. Pairs that are not clear "
        "here may go together only as part of the whole."
    )


def _shares(priors: pd.DataFrame, spec: JointSpec) -> str:
    """How much lasts, and how much follows the map."""
    parts = []
    for kind, words in (
        ("lasting", "From one year to the next, what poverty and region leave of a domain has a correlation of"),
        ("spatial", "Of what poverty and region leave, the share that follows the map is"),
    ):
        row = priors[priors["kind"].eq(kind)]
        if len(row):
            parts.append(f"{words} {measured(row.iloc[0])}.")
    return " ".join(parts)


def _quick(spec: JointSpec) -> str:
    """What is known of the quick way's intervals for this form of the model."""
    if spec.spatial:
        return QUICK_MAP if len(spec.periods) == 1 else QUICK_YEARS_MAP
    return QUICK if len(spec.periods) == 1 else QUICK_YEARS


def _share(count: int, of: int) -> str:
    return f"all {of} pairs of domains" if count == of > 1 else f"{count} of {wording.plural(of, 'pair', 'pairs')}"


def _forms(
    checks: pd.DataFrame, diagnostics: Mapping[str, Any], labels: Mapping[str, str], framework: Framework
) -> str:
    """In which form each domain was put in, and what decided it."""
    sums = [labels[d] for d, form in diagnostics["forms"].items() if form == "formative"]
    things = [labels[d] for d, form in diagnostics["forms"].items() if form == "reflective"]
    parts = []
    if things:
        parts.append(
            f"{wording.listed(things)}: measured by indicators that behave as one thing, each with its weight."
        )
    if sums:
        parts.append(
            f"{wording.listed(sums)}: the index's weighted sum, since the indicators do not behave as one thing."
        )
    for _, row in checks.iterrows():
        if row["one_thing"]:
            continue
        text = (
            f"{labels[row['domain']]}: {row['large']} of {row['pairs']} pairs of indicators go together more, or less, "
            "than one common thing would have them (by more than 0.2)"
        )
        if row["against"]:
            names = [short_name(framework.indicator(i)) for i in row["against"]]
            text += f"; {wording.listed(names)} {'runs' if len(names) == 1 else 'run'} against the rest"
        parts.append(f"{text}.")
    for domain, p in diagnostics["close"].items():
        parts.append(
            f"{labels[domain]} is near the line: figures drawn as if its indicators behaved as one thing look as "
            f"unlike that as the real ones in {p:.0%} of draws, and clearly more than 5% are asked for. Other figures "
            "might turn the choice; both forms are in the table."
        )
    parts += [f"{labels[d]} {why}." for d, why in diagnostics["as_sums"].items()]
    return " ".join(parts)


def _compared(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """What both forms come to for the pair on which they differ most."""
    given = rows[rows["given"].eq(GIVEN) & rows["status"].eq("computed")]
    one, two = (given[given["forms"].eq(f)].set_index(["domain", "other"]) for f in ("reflective", "formative"))
    if one.empty or two.empty:
        withheld = rows[rows["forms"].eq("reflective") & rows["status"].eq("withheld")]
        reason = withheld["reason"].iloc[0] if len(withheld) else "the weighted sums have none either"
        return f"With indicators taken to behave as one thing: no numbers, {reason}."
    gap = (one["estimate"] - two["estimate"]).abs()
    pair = gap.idxmax()
    return (
        "Had the indicators of each domain been taken to behave as one thing, correlations given deprivation and "
        f"region would differ by {wording.number(float(gap.median()), 2)} at the middle pair and most for "
        f"{labels[pair[0]]} with {labels[pair[1]]}: {measured(one.loc[pair])} against {measured(two.loc[pair])} for "
        "the weighted sums."
    )


def _otherwise(other: pd.DataFrame, labels: Mapping[str, str], framework: Framework) -> str:
    """How far each other choice moves the correlations given deprivation and region."""
    if other.empty:
        return ""
    given = other[other["given"].eq(GIVEN)].set_index(["domain", "other"])
    base = given[given["choice"].eq("as chosen")]
    parts = []
    for choice in pd.unique(given["choice"]):
        rows = given[given["choice"].eq(choice)]
        if choice == "as chosen":
            continue
        words = choice
        for indicator in framework.indicators:
            words = words.replace(indicator.id, short_name(indicator))
        if rows["reason"].iloc[0]:
            parts.append(f"{words}: no numbers, {rows['reason'].iloc[0]}")
            continue
        moved = rows["estimate"] - base["estimate"]
        pair = moved.abs().idxmax()
        lost = int((base.apply(is_clear, axis=1) & ~rows.apply(is_clear, axis=1)).sum())
        text = f"{words}: by {wording.signed(float(moved[pair]), 2)} at most ({labels[pair[0]]} with {labels[pair[1]]})"
        if lost:
            text += f", and {wording.plural(lost, 'pair is', 'pairs are')} no longer clear"
        parts.append(text)
    return f"Other choices move these correlations, region and deprivation allowed for, so: {'; '.join(parts)}."


def _leaning(leaning: pd.DataFrame) -> str:
    """Whether single authorities carry the answer."""
    if leaning.empty:
        return ""
    names = leaning.sort_values("k", ascending=False).loc[leaning["leans"], "area_name"]
    if names.empty:
        return "No single authority carries the answer: leaving out any one would hardly move it."
    return (
        f"{wording.plural(len(names), 'authority is', 'authorities are')} so unlike the rest that the answer leans on "
        f"{'it' if len(names) == 1 else 'them'}: {several(names)}."
    )


def _marks(table: pd.DataFrame, diagnostics: Mapping[str, Any], labels: Mapping[str, str], framework: Framework) -> str:
    """Experimental domains, contested indicators, and what holds of all of this."""
    trial = [labels[d] for d in labels if framework.node(d).experimental]
    disputed = [
        short_name(i)
        for i in framework.indicators
        if i.contested and i.scored and i.outcome and framework.domain_of(i.outcome) in labels
        and i.id not in diagnostics["dropped"]
    ]  # fmt: skip
    parts = []
    if trial:
        parts.append(f"{wording.listed(trial)} {'is' if len(trial) == 1 else 'are'} experimental.")
    if disputed:
        parts.append(f"Which way is better is contested for {wording.listed(disputed)}.")
    return " ".join([*parts, wording.AREAS_NOT_CHILDREN, wording.EXPLORATION])
