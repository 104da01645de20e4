"""What a trajectory says, in words: England, the authorities, what it would take, and how past forecasts did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Indicator
from outcomes_analysis.places.allocating import NOT_AGREED, SHARING_WORDS, LocalSum
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.quantities import PERCENT, POINTS, amount, difference, short_amount, unit_words, when
from outcomes_analysis.places.scoring import BEFORE, PART_WORDS, apart
from outcomes_analysis.places.summary import bullets
from outcomes_analysis.relations.sentences import checked, in_sentence, with_capital

SCENARIO_WORDS = {
    "no_change": "if England stayed where it is",
    "recent_drift": "if England's recent drift went on",
    "to_target": "if England came to the target exactly",
}
LIKELY, UNLIKELY = 0.9, 0.1
SAME = 0.05  # errors closer than this share of each other are called alike
FEWEST_COUNTED = 30  # forecasts from which a share in 100 says something
MOST_OWN = 8
NOT_CHECKED = "Forecasts could not be checked: no comparable year can be held out."


@dataclass(frozen=True)
class Target:
    """What was asked, and the years it rests on.

    Attributes
    ----------
    indicator : Indicator
    target : float
    year : int
    level : float
    first, last : int
        Years of the comparable stretch.
    drift : float
        England's mean change a year over it, natural units.
    scored : bool
        Whether forecasts of held-out years were asked for.
    """

    indicator: Indicator
    target: float
    year: int
    level: float
    first: int
    last: int
    drift: float
    scored: bool


def compose_target(
    asked: Target,
    *,
    table: pd.DataFrame,
    shares: pd.DataFrame,
    own: pd.DataFrame,
    local_sum: LocalSum | None,
    scores: pd.DataFrame,
) -> str:
    """Write the whole text of a trajectory from its tables."""
    indicator = asked.indicator
    parts = [
        _opening(asked, table),
        _england(asked, table),
        _authorities(asked, table),
        _children(asked, table),
        _shares(asked, shares),
        _own(asked, own, local_sum),
        score_text(scores, indicator=indicator) if asked.scored else "",
        _method(asked),
        wording.EXPLORATION,
    ]
    return checked("\n\n".join(p for p in parts if p), quoted=_quoted(indicator))


def place_paragraphs(rows: pd.DataFrame, *, shares: pd.DataFrame, own: pd.DataFrame, indicator: Indicator) -> str:
    """Write what is said of one authority from its rows of the three tables."""
    first = rows.iloc[0]
    unit, decimals = indicator.unit, indicator.decimals
    if first["reason"]:
        verb = "are" if str(first["reason"]).startswith("too few") else "is"
        return f"{first['name']}: no forecast is made, for there {verb} {first['reason']}."
    lead = (
        f"{first['name']}, {in_sentence(indicator.name)}{_mark(indicator)}: "
        f"{amount(first['value'], unit=unit, decimals=decimals)} {when(first['period'])}, "
        f"{_from_england(first, indicator)}. In {first['year']}, that would be"
    )
    lines = [bullets(lead, [_scenario_words(row, indicator) for _, row in rows.iterrows()])]
    if np.isfinite(first["children_now"]):
        goal = f"the national target of {short_amount(first['target'], unit=unit, decimals=decimals)}"
        lines.append(f"From the newest figure, {goal} would take {_children_more(first, indicator)}.")
    if len(shares):
        words = [
            f"{SHARING_WORDS[row['sharing']]}: {amount(row['share'], unit=unit, decimals=decimals)} "
            f"({difference(row['gain'], unit=unit, decimals=decimals)} from the newest figure"
            + _share_in_children(row, assumed=first["cohort_from"] == "assumed")
            + ")"
            for _, row in shares.iterrows()
        ]
        goal = "level to compare with" if _neutral(indicator) else "target"
        lines.append(bullets(f"{NOT_AGREED} What would add up to the national {goal}", words))
    if len(own):
        goal = amount(own.iloc[0]["own_target"], unit=unit, decimals=decimals)
        words = [f"{wording.chance(r['chance'])} {SCENARIO_WORDS[r['scenario']]}" for _, r in own.iterrows()]
        lines.append(f"{with_capital(_chance_of(indicator))} the local target given, {goal}: {'; '.join(words)}.")
    return checked("\n\n".join(lines), quoted=_quoted(indicator))


def _share_in_children(row: pd.Series, *, assumed: bool) -> str:
    if not row["children"] > 0:
        return ""
    return (
        f", about {_roughly(row['children'])} children"
        if assumed and row["children"] > 1
        else f", {wording.plural(int(row['children']), 'child', 'children')}"
    )


def _from_england(row: pd.Series, indicator: Indicator) -> str:
    unit, decimals = indicator.unit, indicator.decimals
    england = short_amount(row["england"], unit=unit, decimals=decimals)
    away = difference(row["gap"], unit=unit, decimals=decimals).lstrip("+\u2212")
    side = np.sign(round(float(row["gap"]), decimals))
    return f"{away} {'above' if side > 0 else 'below'} England's {england}" if side else f"as in England ({england})"


def _children_more(row: pd.Series, indicator: Indicator) -> str:
    """How many children a target takes, of how many a year, and where that number is from."""
    number = int(row["children_now"])
    assumed = row["cohort_from"] == "assumed"
    told = f"about {_roughly(number)}" if assumed else f"{number:,}"
    whence = " (a number taken from the population, so both are rounded)" if assumed else ""
    cohort = _roughly(row["cohort"]) if assumed else f"{row['cohort']:,.0f}"
    children = "child" if number == 1 else "children"
    return f"{told} {_more(indicator)} {children} of about {cohort} a year{whence}"


def _roughly(number: float) -> str:
    """A number that rests on an assumed one, to two figures: a share of children wrong by a tenth moves the second."""
    return f"{float(f'{number:.2g}'):,.0f}"


def record_text(scores: pd.DataFrame, *, indicator: Indicator) -> str:
    """Say in a few sentences how forecasts of held-out years did beside expecting no change, the gap and England apart.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`outcomes_analysis.places.scoring.held_out_scores`.
    indicator : Indicator

    Returns
    -------
    str
        Good or bad; that it could not be checked, where nothing can be held out.
    """
    if scores.empty:
        return NOT_CHECKED
    sentences = []
    for part, rows in scores.groupby("part", sort=False):
        nearer = int((rows["error"] < rows["error_no_change"] * (1 - SAME)).sum())
        further = int((rows["error"] > rows["error_no_change"] * (1 + SAME)).sum())
        counted = rows[rows["n"].ge(FEWEST_COUNTED) & rows["covered"].notna()]
        held = (
            f"; {round(100 * float(counted['covered'] @ counted['n'] / counted['n'].sum()))} in 100 figures lay inside "
            f"the {round(100 * rows['level'].iloc[0])}% interval"
            if len(counted)
            else ""
        )
        alike = len(rows) - nearer - further
        sentences.append(
            f"{PART_WORDS[str(part)]}: nearer than expecting no change in {nearer} of {len(rows)} comparisons, about "
            f"the same in {alike}, further off in {further}{held}"
        )
    lead = "The record of such forecasts, made as if in past years for all authorities (more than 5% apart counts)"
    return checked(bullets(lead, sentences), quoted=_quoted(indicator))


def score_text(scores: pd.DataFrame, *, indicator: Indicator) -> str:
    """Say how forecasts of held-out years did, good or bad, beside expecting no change."""
    if scores.empty:
        return NOT_CHECKED
    lines = [
        f"{pool}, {wording.plural(int(ahead), 'year', 'years')} ahead: {_scored(rows, indicator)}"
        for (pool, ahead), rows in scores.groupby(["pool", "ahead"], sort=False)
    ]
    better = {
        part: (int((rows["error"] < rows["error_no_change"] * (1 - SAME)).sum()), len(rows))
        for part, rows in scores.groupby("part", sort=False)
    }
    verdicts = [f"{PART_WORDS[str(part)]} in {k} of {n}" for part, (k, n) in better.items()]
    nearer = (
        f"They were clearly nearer (by more than {round(100 * SAME)}%) than expecting no change for "
        f"{wording.listed(verdicts)} comparisons; where that is few, read the slopes and drifts as no better than no "
        "change."
    )
    missing = [p for p in (BEFORE, apart()) if p not in set(scores["pool"])]
    none = f" None could be made for: {'; '.join(missing)}." if missing else ""
    lead = (
        "How such forecasts did on years held out, made with what was known before them: the mean error in "
        f"{POINTS if indicator.unit == PERCENT else unit_words(indicator.unit)}, and beside it that of expecting no "
        "change. The gap is judged with England's figure taken as known, an authority's figure and England's with "
        "England's recent drift"
    )
    return f"{bullets(lead, lines)}\n{nearer}{none}"


def _scored(rows: pd.DataFrame, indicator: Indicator) -> str:
    """Each part's error beside that of no change, with how many lay inside."""
    decimals = max(indicator.decimals, 2)
    words = []
    for row in rows.to_dict("records"):
        held = (
            f", {round(100 * row['covered'])} in 100 inside the {round(100 * row['level'])}% interval"
            if np.isfinite(row["covered"]) and row["n"] >= FEWEST_COUNTED
            else ""
        )
        words.append(
            f"{PART_WORDS[str(row['part'])]} {wording.number(row['error'], decimals)}, no change "
            f"{wording.number(row['error_no_change'], decimals)} "
            f"({wording.plural(int(row['n']), 'forecast', 'forecasts')}{held})"
        )
    return "; ".join(words)


def pooled_record(scores: pd.DataFrame, *, indicator: Indicator) -> list[str]:
    """Say in a sentence a pool of years how far off forecasts were, the gap, England and the figure apart.

    Parameters
    ----------
    scores : DataFrame
        Of :func:`outcomes_analysis.places.scoring.held_out_scores`.
    indicator : Indicator

    Returns
    -------
    list of str
        Forecasts of all lengths together, each counting the same; one sentence where nothing could be held out.
    """
    if scores.empty:
        return [NOT_CHECKED]
    unit = POINTS if indicator.unit == PERCENT else unit_words(indicator.unit)
    numbers = ["error", "error_no_change", "covered"]
    found = []
    for pool, rows in scores.groupby("pool", sort=False):
        each = rows.assign(**{c: rows[c] * rows["n"] for c in numbers}).groupby("part", sort=False)
        total = each["n"].sum()
        means = each[numbers].agg(lambda x: x.sum(skipna=False)).div(total, axis=0)
        table = means.assign(n=total, level=rows["level"].iloc[0]).reset_index()
        found.append(f"{with_capital(str(pool))}, mean error in {unit}: {_scored(table, indicator)}.")
    return found


def _mark(indicator: Indicator) -> str:
    return " *" if indicator.contested else ""


def _quoted(indicator: Indicator) -> list[str]:
    return [indicator.name, indicator.contested, indicator.cannot_tell]


def _neutral(indicator: Indicator) -> bool:
    """Whether nothing may be called better: which way is, is disputed or not said."""
    return bool(indicator.contested) or indicator.direction == 0


def _reach(indicator: Indicator) -> str:
    if _neutral(indicator):
        return "being at that level or beyond it" if indicator.direction else "being at that level or higher"
    return "reaching it"


def _chance_of(indicator: Indicator) -> str:
    if _neutral(indicator):
        return "the chance of being at or below" if indicator.direction < 0 else "the chance of being at or above"
    return "the chance of reaching"


def _more(indicator: Indicator) -> str:
    return "fewer" if indicator.direction < 0 else "more"


def _opening(asked: Target, table: pd.DataFrame) -> str:
    i = asked.indicator
    row = table.iloc[0]
    side = {1: "higher is better", -1: "lower is better", 0: "no direction is agreed"}[i.direction]
    disputed = f" * Contested: {i.contested.rstrip('.')}." if i.contested else ""
    if _neutral(i):
        side = "which way is better is not agreed"
    word = "A level to compare with" if _neutral(i) else "Target"
    return (
        f"{i.name}{_mark(i)}. {word}: {amount(asked.target, unit=i.unit, decimals=i.decimals)} by {asked.year} "
        f"({side}). England {when(row['period'])}: "
        f"{short_amount(row['england'], unit=i.unit, decimals=i.decimals)}.{disputed}"
    )


def _england(asked: Target, table: pd.DataFrame) -> str:
    i = asked.indicator
    rows = table[table["area_code"].eq(ENGLAND)].set_index("scenario")
    needed = (asked.target - float(rows["value"].iloc[0])) / (asked.year - asked.last)
    yearly = difference(asked.drift, unit=i.unit, decimals=max(i.decimals, 2))
    words = [_scenario_words(rows.loc[s].rename(s), i, scenario=s) for s in ("no_change", "recent_drift")]
    return bullets(
        f"England's drift since {asked.first} was {yearly} a year; the target would take "
        f"{wording.signed(needed, max(i.decimals, 2))} a year from now on. What England does next is a scenario, not a "
        f"finding. In {asked.year}, England would be at",
        words,
    )


def _scenario_words(row: pd.Series, indicator: Indicator, *, scenario: str | None = None) -> str:
    unit = "%" if indicator.unit == "%" else ""
    span = wording.interval(row["lower"], row["upper"], level=row["level"], decimals=indicator.decimals, unit=unit)
    chance = (
        f"; {_chance_of(indicator)} {short_amount(row['target'], unit=indicator.unit, decimals=indicator.decimals)}"
    )
    told = f"{chance} is {wording.chance(row['chance'])}" if np.isfinite(row["chance"]) else ""
    return (
        f"{amount(row['estimate'], unit=indicator.unit, decimals=indicator.decimals)}, {span}, "
        f"{SCENARIO_WORDS[scenario or str(row['scenario'])]}{told}"
    )


def _authorities(asked: Target, table: pd.DataFrame) -> str:
    rows = table[~table["area_code"].eq(ENGLAND) & table["chance"].notna()]
    words = []
    for scenario, said in SCENARIO_WORDS.items():
        chance = rows.loc[rows["scenario"].eq(scenario), "chance"]
        likely, unlikely = int((chance >= LIKELY).sum()), int((chance <= UNLIKELY).sum())
        words.append(
            f"{said}: a chance of 9 in 10 or more for {likely} of {len(chance)}, of 1 in 10 or less for {unlikely}, in "
            f"between for {len(chance) - likely - unlikely}"
        )
    none = table[table["scenario"].eq("no_change") & table["reason"].ne("")]
    left = f"\nNo forecast for {wording.listed(list(none['name'][:5]))}"
    left += f" and {len(none) - 5} more" if len(none) > 5 else ""
    lead = f"Chances of authorities of {_reach(asked.indicator)} in {asked.year}, scenario by scenario"
    return bullets(lead, words) + (f"{left}." if len(none) else "")


def _children(asked: Target, table: pd.DataFrame) -> str:
    row = table[table["area_code"].eq(ENGLAND)].iloc[0]
    i = asked.indicator
    if not np.isfinite(row["children_now"]):
        return (
            f"How many children the target would take is not told: the figure ({unit_words(i.unit)}) is no share of a "
            "known number of children."
        )
    return (
        f"From England's newest figure, the target would take {_children_more(row, i)}; each authority's own number is "
        "in the table."
    )


def _shares(asked: Target, shares: pd.DataFrame) -> str:
    if shares.empty:
        return (
            "No illustrative shares: the authorities together are at the target already, or their numbers of children "
            "are not known."
        )
    i = asked.indicator
    words = []
    for sharing, rows in shares.groupby("sharing", sort=False):
        low, high = (amount(rows["share"].agg(f), unit=i.unit, decimals=i.decimals) for f in ("min", "max"))
        least, most = (wording.signed(rows["gain"].agg(f), i.decimals) for f in ("min", "max"))
        changes = f"a change of {least} each" if least == most else f"changes of {least} to {most}"
        words.append(f"{SHARING_WORDS[str(sharing)]}: from {low} to {high} ({changes})")  # type: ignore[index]
    lead = (
        f"Illustrative shares, not the DfE-agreed targets: three ways to share "
        f"{short_amount(asked.target, unit=i.unit, decimals=i.decimals)} out among {shares['area_code'].nunique()} "
        "authorities so that they add up to it, each weighted by its children"
    )
    return bullets(lead, words)


def _beside(short: float, indicator: Indicator) -> str:
    """Where a sum lies; ``short`` is positive where it falls short of the target, or above it where no side is."""
    if _neutral(indicator):
        return "above" if short > 0 else "below"
    return "short of" if short > 0 else "beyond"


def _own(asked: Target, own: pd.DataFrame, local_sum: LocalSum | None) -> str:
    if local_sum is None:
        return ""
    i = asked.indicator
    places = wording.plural(local_sum.places, "local target is given", "local targets are given")
    covered = f"{100 * local_sum.covered:.0f}% of children"
    together = amount(local_sum.together, unit=i.unit, decimals=max(i.decimals, 2))
    goal = short_amount(asked.target, unit=i.unit, decimals=i.decimals)
    turn = -1 if i.direction < 0 else 1
    short = turn * local_sum.short
    whole = not np.isfinite(local_sum.rest_needs)
    if _neutral(i):
        short = 0.0 - local_sum.short
    if abs(short) < 1e-9:
        verdict = f"exactly the national {goal}"
    else:
        away = difference(abs(local_sum.short), unit=i.unit, decimals=max(i.decimals, 2)).lstrip("+")
        verdict = f"{away} {_beside(short, i)} the national {goal}"
    rest = (
        ""
        if whole
        else f" All other authorities together would then have to come to "
        f"{amount(local_sum.rest_needs, unit=i.unit, decimals=max(i.decimals, 2))}."
    )
    words = [
        f"{name}, {amount(rows['own_target'].iloc[0], unit=i.unit, decimals=i.decimals)}: "
        + "; ".join(
            f"{wording.chance(r['chance'])} {SCENARIO_WORDS[r['scenario']]}"
            for _, r in rows.iterrows()
            if np.isfinite(r["chance"])
        )
        for name, rows in list(own.groupby("name", sort=False))[:MOST_OWN]
        if rows["chance"].notna().any()
    ]
    more = own["name"].nunique() - MOST_OWN
    words += [f"and {more} more in the table"] if more > 0 else []
    lead = (
        f"{places}, for {covered}. Weighted by children, {'it comes' if local_sum.places == 1 else 'they come'} to "
        f"{together}, {verdict}.{rest} {with_capital(_chance_of(i))} each"
    )
    return bullets(lead, words)


def _method(asked: Target) -> str:
    years = f"{asked.first} to {asked.last}"
    return (
        f"How it is made: England's drift and each authority's gap to England are forecast apart, from {years} (years "
        "since the last break; breaks are never bridged). Each gap may have a slope of its own, drawn towards its "
        "region's and England's as far as the figures of all authorities say. Intervals hold sampling error, "
        "year-to-year movement and how unsure the slopes are, for the figure as it would be "
        "published; they depend on the scenario. New "
        "policies, changed assessments and anything not seen in those years are not in them. "
        f"{asked.indicator.cannot_tell}"
    )
