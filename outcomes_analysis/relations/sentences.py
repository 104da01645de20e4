"""Sentences about an association, made from the numbers of its table. No sentence here is written for one result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.relations.slopes.unmeasured import Robustness

SHORT_NAMES = {
    "child_poverty_bhc": "child poverty before housing costs",
    "child_poverty_ahc": "child poverty after housing costs",
    "mh_admissions_0_17": "mental health admissions",
    "attainment8": "Attainment 8",
}
PROPER = ("Attainment 8", "English", "Key Stage", "Level ", "Progress 8", "Reception", "Year ")
BASIS_WORDS = {
    "residence": "by where children live",
    "school": "by where their school is",
    "submitting_authority": "by the authority that sent in the figure",
    "responsible_authority": "by the authority responsible for them",
    "place_of_event": "by where it happened",
    "registration": "by where they are registered",
}
CAREFUL = ("spearman_neighbours", "ols_clustered", "ols_wild")  # intervals that do not take authorities as separate
SIZES = ((0.2, "slightly"), (0.4, "somewhat"), (0.7, "clearly"), (1.01, "strongly"))


def in_sentence(name: str) -> str:
    """Write a title so that it can stand inside a sentence: small first letter, unless it is a name or abbreviation."""
    if name.startswith(PROPER):
        return name
    return name[0].lower() + name[1:] if len(name) > 1 and name[1].islower() else name


def with_capital(name: str) -> str:
    """Write a name so that it can begin a sentence."""
    return f"{name[0].upper()}{name[1:]}"


def short_name(indicator: Indicator) -> str:
    """Write an indicator's name inside a sentence, without its bracketed details; a few by their everyday name."""
    return SHORT_NAMES.get(indicator.id, in_sentence(indicator.name.split(" (")[0]))


def own_words(indicator: Indicator) -> tuple[str, ...]:
    """What an indicator says of itself in a publisher's words, which are not our claims."""
    parts = (indicator.name, indicator.name.split(" (")[0], indicator.cannot_tell, indicator.contested)
    return tuple(part.rstrip(".") for part in parts)


def checked(text: str, *, quoted: Iterable[str] = ()) -> str:
    """Return a generated text once it is sure to make no causal claim of its own.

    Parameters
    ----------
    text : str
    quoted : iterable of str
        Publishers' own titles inside it ("admissions caused by injuries"), which are not our claims.

    Raises
    ------
    ValueError
        As :func:`outcomes_analysis.wording.associational`.
    """
    ours = text
    for title in sorted(set(quoted), key=len, reverse=True):
        if title:
            ours = ours.replace(title, "").replace(in_sentence(title), "")
    wording.associational(ours)
    return text


def is_clear(row: Mapping[str, Any] | pd.Series[Any]) -> bool:
    """Whether an interval leaves out zero."""
    return bool(row["lower"] > 0 or row["upper"] < 0)


def measured(row: pd.Series[Any], *, decimals: int = 2) -> str:
    """Estimate with its interval and level: ``"−0.18, −0.31 to −0.04 (90% interval)"``."""
    estimate = wording.number(row["estimate"], decimals)
    span = wording.interval(row["lower"], row["upper"], level=row["level"], decimals=decimals)
    return f"{estimate}, {span}"


def spanned(row: Mapping[str, Any] | pd.Series[Any]) -> str:
    """Estimate with its bounds, for a sentence that gives the level of all its intervals once, by :func:`levels`."""
    return (
        f"{wording.number(row['estimate'], 2)}, {wording.number(row['lower'], 2)} to {wording.number(row['upper'], 2)}"
    )


def levels(count: int, level: float) -> str:
    """Say of what level the intervals of a sentence are: ``"90% interval"``, ``"90% intervals"``."""
    return f"{round(100 * level)}% {'interval' if count == 1 else 'intervals'}"


def opening(predictor: Indicator, outcome: Indicator) -> str:
    """First sentence: what the figures are not."""
    counted = [i for i in (predictor, outcome) if "admission" in i.name.lower()]
    if counted:
        names = wording.listed([f"\u201c{i.name}\u201d" for i in counted])
        verb = "counts" if len(counted) == 1 else "count"
        return (
            f"Admissions are not prevalence: {names} {verb} stays in hospital, which also reflect how many beds there "
            "are, who is referred and how stays are recorded, not how many children have the condition."
        )
    limits = [i for i in (predictor, outcome) if i.cannot_tell]
    return " ".join(f"What \u201c{i.name}\u201d cannot tell: {i.cannot_tell.rstrip('.')}." for i in limits)


def raw_sentence(row: pd.Series[Any], *, predictor: Indicator, outcome: Indicator, periods: Mapping[str, str]) -> str:
    """The plain association, before anything is allowed for."""
    x, y = short_name(predictor), short_name(outcome)
    when = f"{x} of {periods[predictor.id]}, {y} of {periods[outcome.id]}"
    across = f"Across {wording.plural(int(row['n']), 'upper-tier authority', 'upper-tier authorities')} ({when}),"
    figure = f"rank correlation {measured(row)}, on a scale from {wording.number(-1, 0)} to 1"
    if not is_clear(row):
        return f"{across} there is no clear association between the two: {figure}."
    size = next(word for bound, word in SIZES if abs(row["estimate"]) < bound)
    way = "higher" if row["estimate"] > 0 else "lower"
    return f"{across} places with higher {x} tended to have {size} {way} {y}: {figure}."


def neighbours_sentence(row: pd.Series[Any], *, plain: pd.Series[Any], effective: float) -> str:
    """How much less sure an association is because neighbours resemble each other."""
    if row["analysis"] == plain["analysis"]:
        return (
            "The interval takes authorities as separate, although neighbours resemble each other: the truth is less "
            "sure than it says."
        )
    return (
        f"Neighbouring authorities resemble each other: the {int(row['n'])} are worth about {effective:.0f} separate "
        f"ones. The intervals of rank correlations here allow for it; with all taken as separate it would be "
        f"{measured(plain)}."
    )


def noise_out_sentence(
    row: pd.Series[Any], *, even: pd.Series[Any], reliability: tuple[float, float] | None, names: Sequence[str]
) -> str:
    """What the known noise of the figures hides, and what taking it out does not mend."""
    if row["status"] == "withheld" or reliability is None:
        return f"A correlation with noise taken out is withheld: {row['reason']}."
    shares = [
        f"about {wording.number(100 * (1 - r), 0)}% for {name}" for r, name in zip(reliability, names, strict=True)
    ]
    return (
        f"Part of what differs between authorities is noise: {wording.listed(shares)}. With it taken out a "
        f"straight-line correlation of {measured(even)} becomes {measured(row)}. That repairs noise, not validity: a "
        "figure that measures something else than its name says still does."
    )


def compared_words(row: pd.Series[Any], *, with_row: pd.Series[Any], apart: Mapping[str, Any] | pd.Series[Any]) -> str:
    """How an association changes when something is allowed for or left out; empty where the two cannot be told apart.

    Parameters
    ----------
    row, with_row : Series
        The new estimate and the one it is compared with.
    apart : mapping
        ``estimate, lower, upper, level`` of the first less the second. Two intervals that overlap say nothing of it:
        it is stronger or weaker only where the interval of the difference itself leaves out 0.
    """
    if not is_clear(apart):
        return ""
    towards = np.sign(with_row["estimate"])
    if np.sign(row["estimate"]) == towards:
        words = "stronger" if np.sign(apart["estimate"]) == towards else "weaker"
    else:
        words = "turned round" if is_clear(row) and is_clear(with_row) else "different"
    span = wording.interval(apart["lower"], apart["upper"], level=apart["level"], decimals=2)
    return f"{words} (difference {wording.signed(apart['estimate'], 2)}, {span})"


def compared_sentence(
    lead: str, cases: Sequence[tuple[str, pd.Series[Any], pd.Series[Any], pd.Series[Any]]], *, beside: str
) -> str:
    """Associations with something changed, each beside the one it is compared with.

    Parameters
    ----------
    lead : str
        Says what was changed in all of them.
    cases : sequence of (str, Series, Series, Series)
        Words for the case, its estimate, the one beside it, and the difference as in :func:`compared_words`.
    beside : str
        What each is set beside, in words.
    """
    said, same = [], 0
    for words, row, with_row, apart in cases:
        verdict = compared_words(row, with_row=with_row, apart=apart)
        same += not verdict
        said.append(f"{words}: {spanned(row)}{', ' + verdict if verdict else ''}")
    if same == len(cases):
        both = "It" if same == 1 else "Neither" if same == 2 else f"None of the {same}"
        tail = f" {both} {'cannot' if same == 1 else 'can'} be told apart from {beside}."
    elif same:
        tail = f" The {'other' if same == 1 else f'other {same}'} cannot be told apart from {beside}."
    else:
        tail = ""
    level = float(cases[0][1]["level"])
    return f"{lead} {'; '.join(said)} ({levels(len(cases), level)}).{tail}"


def slope_sentence(row: pd.Series[Any], *, alike: pd.Series[Any] | None = None, held: str = "") -> str:
    """A slope in natural units, with what it is per, and the same with something allowed for.

    Parameters
    ----------
    row, alike : Series
        Plain slope, and the one with ``held`` alike.
    held : str
        What is allowed for, in words.
    """
    of, per = str(row["unit"]).split(" for each ")
    also = "" if alike is None else f", and between places with similar {held} by {measured(alike)}"
    return f"For each {per}, {of} differs by {measured(row)}{also}."


def regions_sentence(rows: Mapping[str, pd.Series[Any]], *, share: float, held: str, names: tuple[str, str]) -> str:
    """What allowing for regions does to the slope: likeness within them, their levels, and both against the plain line.

    Parameters
    ----------
    rows : mapping
        Slopes in standard units by analysis: ``ols_robust, ols_clustered, ols_wild, ols_region, mixed_region``; those
        missing are not spoken of.
    share : float
        Of what is left unexplained, that between regions; NaN if not known.
    held : str
        What is allowed for, in words.
    names : (str, str)
        Of predictor and outcome.
    """
    plain = rows["ols_robust"]
    part = f" ({wording.number(100 * share, 0)}% of what is left unexplained lies between them)" if share >= 0 else ""
    alike = f" with similar {held}" if held else ""
    kinds = (
        ("ols_clustered", "with errors that allow for likeness within the few regions"),
        ("ols_wild", "the same checked by drawing the residuals of whole regions anew"),
        ("mixed_region", f"with a level for each region{part}"),
        ("ols_region", "within regions alone"),
    )
    said = [
        f"{words}, " + (f"withheld ({row['reason']})" if row["status"] == "withheld" else spanned(row))
        for row, words in ((rows[kind], words) for kind, words in kinds if kind in rows)
    ]
    agree = len({(is_clear(r), np.sign(r["estimate"])) for r in rows.values() if r["status"] == "computed"}) == 1
    verdict = "They say the same." if agree else "They do not all say the same, so read any one of them with care."
    return (
        f"In standard deviations of {names[1]} for one of {names[0]}, between places{alike} the slope is "
        f"{spanned(plain)}; {'; '.join(said)} ({levels(len(rows), plain['level'])}). {verdict}"
    )


def unmeasured_sentence(found: Robustness, *, held: str, names: Mapping[str, str], pair: tuple[str, str]) -> str:
    """How strong a characteristic not in the figures would have to be, and what one as strong as one held would do."""
    lead = (
        "To bring that slope to nothing, a characteristic of places that is not in these figures would have to account "
        f"for {_percent(found.to_nothing)} of what is left of both between places with similar {held}"
    )
    unclear = (
        f" ({_percent(found.to_unclear)} to make it unclear)" if found.to_unclear > 0 else " (it is unclear as it is)"
    )
    strong = [
        f"One as strong as {names[b.name]} ({_percent(b.with_predictor)} of what is left of {pair[0]}, "
        f"{_percent(b.with_outcome)} of {pair[1]}) could leave {wording.number(b.estimate, 2)}, "
        f"{wording.interval(b.lower, b.upper, level=found.level, decimals=2)}."
        for b in found.benchmarks
    ]
    return " ".join([f"{lead}{unclear}.", *strong])


def _percent(share: float) -> str:
    return wording.number(100 * share, 0 if share >= 0.02 else 1, "%")


def basis_sentence(*indicators: Indicator) -> str:
    """State it when figures that are set against each other tie children to areas in different ways."""
    ways: dict[str, list[str]] = {}
    for indicator in indicators:
        ways.setdefault(BASIS_WORDS[indicator.geography_basis], []).append(short_name(indicator))
    if len(ways) < 2:
        return ""
    (first, names), *rest = [(way, wording.listed(list(dict.fromkeys(names)))) for way, names in ways.items()]
    others = [f"those on {names} {way}" for way, names in rest]
    figures = "The two figures are not" if len({i.id for i in indicators}) == 2 else "Not all figures are"
    return (
        f"{figures} of the same children: those on {names} go {first}, {', '.join(others)}. Many children cross a "
        "boundary to school, most of all in London, which is one reason to read the answer without London too."
    )


def contested_marks(indicators: Iterable[Indicator]) -> list[str]:
    """One sentence for each indicator whose direction people disagree on."""
    return [
        f"\u201c{i.name}\u201d is contested: {in_sentence(i.contested.rstrip('.'))}." for i in indicators if i.contested
    ]


def marks(indicators: Iterable[Indicator], *, framework: Framework) -> list[str]:
    """What must be said wherever these figures appear: a direction people disagree on, a domain still on trial.

    Parameters
    ----------
    indicators : iterable of Indicator
    framework : Framework
        Says which domains are experimental.

    Returns
    -------
    list of str
        A sentence for each contested indicator, then one for each experimental domain that any of them belongs to.
    """
    given = list(indicators)
    on_trial: dict[str, list[str]] = {}
    for i in given:
        domain = experimental_domain(i, framework=framework)
        if domain:
            on_trial.setdefault(domain, []).append(f"\u201c{i.name}\u201d")
    trials = [
        f"{wording.listed(list(dict.fromkeys(names)))} {'belongs' if len(set(names)) == 1 else 'belong'} to the domain "
        f"{domain}, which is experimental."
        for domain, names in on_trial.items()
    ]
    return [*contested_marks(given), *trials]


def experimental_domain(indicator: Indicator, *, framework: Framework) -> str:
    """Name of the domain an indicator belongs to first, if that domain is experimental; else empty."""
    if not indicator.outcome:
        return ""
    domain = framework.node(framework.domain_of(indicator.outcome))
    return domain.label if domain.experimental else ""


def marked_name(indicator: Indicator, *, framework: Framework) -> str:
    """Name inside a sentence with its marks in brackets, for figures that are named in passing."""
    said = [
        *(["contested"] if indicator.contested else []),
        *(["experimental"] if experimental_domain(indicator, framework=framework) else []),
    ]
    return f"{short_name(indicator)}{f' ({wording.listed(said)})' if said else ''}"


def caveats(*, draws: int, level: float, held: Sequence[str]) -> list[str]:
    """What every reader must know, whatever the numbers."""
    return [
        f"{wording.AREAS_NOT_CHILDREN} A pattern between places can be absent, or run the other way, among children.",
        f"Places differ in much besides {wording.listed(list(held)) or 'what is shown here'}; allowing for one thing "
        "leaves the others, and says nothing about which of the two figures comes first.",
        f"Intervals of differences ({round(100 * level)}%) come from drawing authorities again {draws:,} times, "
        "widened as much as the likeness of neighbours asks.",
        wording.EXPLORATION,
    ]


def tally_sentence(table: pd.DataFrame) -> str:
    """How many analyses were made and of what kinds, how far apart their estimates lie, and which way they point.

    Parameters
    ----------
    table : DataFrame
        Rows of the result. A slope in natural units is the one in standard units said again and is not counted; nor is
        a line that fell back on another.
    """
    rows = table[table["status"].eq("computed") & table["scale"].ne("natural")]
    rows = rows[~rows.duplicated(["adjusted_for", "sample", "scale", "estimate", "lower", "upper"])]
    if len(rows) < 2:
        return ""
    parts = []
    for scale, one, many in (("correlation", "correlation", "correlations"), ("standard", "slope", "slopes")):
        part = rows.loc[rows["scale"] == scale, "estimate"]
        if len(part):
            span = f"{wording.number(part.min(), 2)} to {wording.number(part.max(), 2)}"
            parts.append(f"{wording.plural(len(part), one, many)} from {span}")
    clear = rows[(rows["lower"] > 0) | (rows["upper"] < 0)]
    signs = set(np.sign(clear["estimate"]))
    if clear.empty:
        verdict = "none has an interval that leaves out 0"
    elif len(signs) > 1:
        verdict = f"{len(clear)} leave out 0, and they do not agree on the direction: no single answer can be given"
    else:
        way = "higher" if signs == {1.0} else "lower"
        verb = "has an interval that leaves" if len(clear) == 1 else "have intervals that leave"
        which = f"all {len(rows)}" if len(clear) == len(rows) else f"{len(clear)} of the {len(rows)}"
        verdict = f"{which} {verb} out 0, always higher with {way}"
    return (
        f"Asked in {len(rows)} ways, the estimates are {wording.listed(parts)} (in standard deviations of the one for "
        f"each of the other); {verdict}{_of_the_careful(rows)}. All rest on the same authorities: they are no "
        f"{len(rows)} separate answers."
    )


def _of_the_careful(rows: pd.DataFrame) -> str:
    """How many of those that allow for likeness of neighbours or within regions are clear."""
    careful = rows[rows["analysis"].isin(CAREFUL)]
    if careful.empty:
        return ""
    clear = int(((careful["lower"] > 0) | (careful["upper"] < 0)).sum())
    verb = "does" if clear == 1 else "do"
    return f"; of the {len(careful)} that allow for the likeness of neighbours or within regions, {clear} {verb}"
