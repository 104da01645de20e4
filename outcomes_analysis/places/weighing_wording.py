"""What is said of people's priorities: what matters most to them, how far they agree, how a panel moved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework, Node
from outcomes_analysis.places.summary import AGAINST, bullets
from outcomes_analysis.relations.sentences import checked, in_sentence

WAY_WORDS = {
    "budget": "Points shared out",
    "delphi": "A Delphi panel's ratings, last round",
    "children": "Children's own choices",
}
STRONG, MODERATE = 0.7, 0.5  # Kendall's W, after Schmidt (1997)
DEPENDABLE, TENTATIVE = 0.8, 2 / 3  # Krippendorff's alpha (Krippendorff 2004, chapter 11)
RELIABLE = ((0.9, "very well"), (0.75, "well"), (0.5, "fairly well"), (-np.inf, "poorly"))  # Koo and Li (2016)


def compose_priorities(table: pd.DataFrame, rounds: pd.DataFrame, agreement: pd.DataFrame, *, level: float) -> str:
    """Write the text of people's priorities from their tables."""
    parts = []
    for way, rows in table.groupby("way", sort=False):
        parts.append(_weights(str(way), rows, level=level))
        mine = agreement[agreement["way"].eq(way)]
        if len(mine):
            parts.append(_agreement(mine, explained="Kendall" in "".join(parts)))
    if len(rounds) and rounds["round"].max() > rounds["round"].min():
        parts.append(_rounds(rounds))
    parts.append(
        "Weights say what those asked care about, not what is true of children or what would help them. Intervals are "
        "for other people of the same kind: they say nothing of people who were not like those asked. Nobody's own "
        "answer is shown."
    )
    parts.append(wording.EXPLORATION)
    return checked("\n\n".join(parts), quoted=list(table["label"]))


def _weights(way: str, rows: pd.DataFrame, *, level: float) -> str:
    told = rows[rows["estimate"].notna()]
    people = rows["people"].iloc[0]
    kind = "children" if way == "children" else "people"
    by = f"{people:,.0f} {kind}" if np.isfinite(people) else f"{kind}, counted together"
    words = [
        f"{in_sentence(str(row['label']))}: {100 * row['estimate']:.0f}%, "
        f"{wording.interval(100 * row['lower'], 100 * row['upper'], level=level, decimals=0, unit='%')}"
        for row in told.to_dict("records")
    ]
    hidden = int(rows["estimate"].isna().sum())
    words += [f"{wording.plural(hidden, 'more thing', 'more things')} not told: too few children"] if hidden else []
    equal = 100 / len(rows)
    lead = f"{WAY_WORDS[way]} ({by}); each of {len(rows)} would have {equal:.0f}% if all mattered alike"
    clear = told[(told["lower"] > 1 / len(rows))]
    said = (
        f"\nClearly above that: {wording.listed([in_sentence(str(name)) for name in clear['label']])}."
        if len(clear)
        else "\nNone is clearly above that."
    )
    return bullets(lead, words) + said


def _agreement(rows: pd.DataFrame, *, explained: bool) -> str:
    """Each statistic in words: what it is and its range, unless it was explained before, and what it says here."""
    parts = []
    for row in rows.to_dict("records"):
        number = f" in round {row['round']}" if len(rows) > 1 else ""
        if not np.isfinite(row["kendall_w"]):
            parts.append(f"How far they agree{number} cannot be told: too few judged everything, or all gave the same.")
            continue
        how = "strong" if row["kendall_w"] >= STRONG else "moderate" if row["kendall_w"] >= MODERATE else "weak"
        given = "ratings" if row["way"] == "delphi" else "points"
        beyond = "more than chance would give" if row["p"] < 0.05 else "no more than chance might give"
        w, alpha, one, mean = (wording.number(row[c], 2) for c in ("kendall_w", "alpha", "icc", "icc_mean"))
        means = (
            "how far they put things in the same order, from 0 (not at all) to 1 (all in one order)",
            f"how alike their {given} are beyond chance, where 1 is fully alike, 0 as by chance and below 0 less than "
            "that",
            f"how well one person's {given} tell what the whole group would give, from 0 (not at all; a number below 0 "
            "counts as none) to 1 (fully)",
            "how well it tells what other such groups would give",
        )
        names = (f"Kendall's W {w}", f"Krippendorff's alpha {alpha}", f"intraclass correlation {one}",
                 f"the same for the mean of all {row['people']}, {mean}")  # fmt: skip
        here = (beyond, _alike(row["alpha"]), _reliable(row["icc"]), _reliable(row["icc_mean"]))
        words = [
            f"{name}: {said}" if explained else f"{name}: {what}; here {said}"
            for name, what, said in zip(names, means, here, strict=True)
        ]
        explained = True
        parts.append(bullets(f"Agreement{number} is {how}; {row['people']} people judged all {row['items']} things",
                             words))  # fmt: skip
    return "\n".join(parts)


def _alike(alpha: float) -> str:
    """What an alpha allows, after Krippendorff (2004)."""
    if alpha >= DEPENDABLE:
        return "enough to rely on"
    if alpha >= TENTATIVE:
        return "enough for careful conclusions alone"
    return f"too little, being under {TENTATIVE:.2f}, for one person to stand for another"


def _reliable(share: float) -> str:
    """An intraclass correlation in words, after Koo and Li (2016)."""
    return next(words for least, words in RELIABLE if not share < least)


def _rounds(rounds: pd.DataFrame) -> str:
    last = rounds[rounds["round"].eq(rounds["round"].max())]
    stable = int(last["stable"].eq(True).sum())
    closer, wider = int(last["spread_change"].lt(0).sum()), int(last["spread_change"].gt(0).sum())
    words = [
        f"{in_sentence(str(row['label']))}: median {row['median']:g} ({_moved(row['median_change'])}), middle half "
        f"{row['lower_quartile']:g} to {row['upper_quartile']:g}, {100 * row['important']:.0f}% rate it 7 to 9"
        for row in last[last["median"].notna()].to_dict("records")
    ]
    lead = (
        f"Between the last two of {rounds['round'].nunique()} rounds the panel came closer on {closer} of {len(last)}, "
        f"spread wider on {wider}, and stands where it stood (fewer than 15 in 100 moved) on {stable}"
    )
    return bullets(lead, words)


def _moved(change: float) -> str:
    if not np.isfinite(change) or change == 0:
        return "as before"
    return f"{wording.signed(change, 1)} from the round before"


def moves_text(moves: pd.DataFrame, *, labels: dict[str, str], place: str = "") -> str:
    """Say how far ranks move under people's weights instead of equal ones.

    Parameters
    ----------
    moves : DataFrame
        Of :func:`outcomes_analysis.places.reweighing.rank_moves`.
    labels : dict of str to str
        Words of nodes.
    place : str
        Code of an authority to be told of as well.
    """
    parts = []
    for (way, node), rows in moves.groupby(["way", "node_id"], sort=False):
        moved = rows["move"].abs()
        words = [
            f"half of {len(rows)} authorities move by {_ranks(moved.median())} or fewer, one in ten by "
            f"{moved.quantile(0.9):.0f} or more; the furthest by {_ranks(moved.max())}",
            f"had other people been asked, half of them would be within "
            f"{_ranks((rows['rank_upper'] - rows['rank_lower']).median())} from end to end",
        ]
        mine = rows[rows["area_code"].eq(place)]
        if len(mine):
            one = mine.iloc[0]
            words.append(
                f"{one['name']}: {wording.ordinal(int(one['rank']))} with equal weights, "
                f"{wording.ordinal(round(one['rank_median']))} with these "
                f"({round(100 * one['level'])}% interval {one['rank_lower']:.0f} to {one['rank_upper']:.0f})"
            )
        asked = WAY_WORDS[str(way)]
        lead = f"{labels.get(str(node), str(node))}, {asked[:1].lower()}{asked[1:]}"
        parts.append(bullets(lead, words))
    return checked("\n\n".join(parts), quoted=list(labels.values()))


def domains_text(table: pd.DataFrame, scores: pd.DataFrame, *, framework: Framework, place: str = "") -> str:
    """Say which domain weighs most, how a place stands on each in that order, and why no place is ranked over them.

    Parameters
    ----------
    table : DataFrame
        Of :class:`outcomes_analysis.places.weighing.Priorities`.
    scores : DataFrame
        Table of an index: ``node_id, area_code, area_name, estimate, standing``.
    framework : Framework
        Whose domains they are.
    place : str
        Code of an authority to be told of as well.

    Returns
    -------
    str
        Empty where nobody weighed two domains against each other.
    """
    domains = {node.id: node for node in framework.domains}
    own = scores[scores["area_code"].eq(place)].set_index("node_id") if place else scores.iloc[:0]
    parts = []
    for way, rows in table[table["item"].isin(list(domains)) & table["estimate"].notna()].groupby("way", sort=False):
        if len(rows) < 2:
            continue
        top = domains[str(rows["item"].iloc[0])]
        asked = WAY_WORDS[str(way)]
        lead = (
            f"Between domains, {asked[:1].lower()}{asked[1:]}: {_named(top)} has the most weight, and "
            f"{wording.chance(float(rows['first'].iloc[0]))} groups of people drawn again would put it first"
        )
        if not len(own):
            parts.append(f"{lead}.")
            continue
        words = [f"{_named(domains[i])}: {_stands(domains[i], own)}" for i in rows["item"]]
        name = own["area_name"].iloc[0]
        parts.append(bullets(f"{lead}. {name} beside England, in the order of these weights", words))
    if not parts:
        return ""
    apart = wording.listed([_named(node) for node in domains.values() if node.experimental])
    parts.append(
        "No place is ranked over its domains together: in one sum, good figures of one domain would make up for poor "
        f"ones of another{f', and {apart} is never in a sum' if apart else ''}. Weights between domains say which to "
        "look at first. To see how far ranks move, ask about the outcomes inside one domain; data/local/README.md "
        "names them."
    )
    return checked("\n\n".join(parts), quoted=[node.label for node in domains.values()])


def _named(node: Node) -> str:
    return f"{in_sentence(node.label)}{' (experimental)' if node.experimental else ''}"


def _stands(node: Node, own: pd.DataFrame) -> str:
    if node.id not in own.index or not np.isfinite(own.at[node.id, "estimate"]):
        return "no score, for want of figures"
    if node.experimental:
        return "not judged, as its figures do not measure one thing"
    return AGAINST.get(str(own.at[node.id, "standing"]), "not judged").removeprefix("against England: ")


def _ranks(number: float) -> str:
    return f"{number:g} {'rank' if number == 1 else 'ranks'}"
