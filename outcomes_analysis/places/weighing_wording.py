"""What is said of people's priorities: what matters most to them, how far they agree, how a panel moved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.places.summary import bullets
from outcomes_analysis.relations.sentences import checked, in_sentence

WAY_WORDS = {
    "budget": "Points shared out",
    "delphi": "A Delphi panel's ratings, last round",
    "children": "Children's own choices",
}
STRONG, MODERATE = 0.7, 0.5  # Kendall's W, after Schmidt (1997)


def compose_priorities(table: pd.DataFrame, rounds: pd.DataFrame, agreement: pd.DataFrame, *, level: float) -> str:
    """Write the text of people's priorities from their tables."""
    parts = []
    for way, rows in table.groupby("way", sort=False):
        parts.append(_weights(str(way), rows, level=level))
        mine = agreement[agreement["way"].eq(way)]
        if len(mine):
            parts.append(_agreement(mine))
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


def _agreement(rows: pd.DataFrame) -> str:
    sentences = []
    for row in rows.to_dict("records"):
        if not np.isfinite(row["kendall_w"]):
            sentences.append("How far they agree cannot be told: too few judged everything.")
            continue
        how = "strong" if row["kendall_w"] >= STRONG else "moderate" if row["kendall_w"] >= MODERATE else "weak"
        number = f" in round {row['round']}" if len(rows) > 1 else ""
        clear = "more than by chance" if row["p"] < 0.05 else "no more than chance might give"
        sentences.append(
            f"Agreement{number} is {how}: Kendall's W {row['kendall_w']:.2f} (0 none, 1 full; {clear}), "
            f"Krippendorff's alpha {row['alpha']:.2f}, intraclass correlation {row['icc']:.2f} of one person and "
            f"{row['icc_mean']:.2f} of the mean of {row['people']}."
        )
    return "\n".join(sentences)


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


def _ranks(number: float) -> str:
    return f"{number:g} {'rank' if number == 1 else 'ranks'}"
