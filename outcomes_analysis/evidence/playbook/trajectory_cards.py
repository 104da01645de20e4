"""The card of a target: where places may stand in its year, graded by how forecasts of past years did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.records import Record
from outcomes_analysis.evidence.playbook.strength import (
    FEWEST_FORECASTS,
    FEWEST_YEARS,
    HELD,
    NO_WORSE,
    Finding,
    graded,
)
from outcomes_analysis.places.lines import ENGLAND
from outcomes_analysis.places.scoring import PART_WORDS
from outcomes_analysis.places.target_wording import pooled_record
from outcomes_analysis.relations.sentences import checked, contested_marks, own_words, short_name
from outcomes_analysis.wording import chance, interval, number, plural

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.places import Trajectory

SCENARIO_WORDS = {"no_change": "if England stayed where it is", "recent_drift": "if England's recent drift went on"}


def trajectory_card(
    found: Trajectory, *, name: str, record: Record | None = None, figure: Figure | None = None
) -> EvidenceCard:
    """Make the card of a target.

    Parameters
    ----------
    found : Trajectory
        With its scores.
    name : str
        For files: small letters, digits and hyphens.
    record : Record, optional
        How sealed forecasts of this indicator did.
    figure : Figure, optional

    Returns
    -------
    EvidenceCard
        Never above ``tentative`` where the indicator is contested.
    """
    indicator, record = found.indicator, record or Record()
    strength = graded(
        "trajectory",
        [
            Finding("series", found.years >= FEWEST_YEARS, plural(found.years, "comparable year", "comparable years")),
            *_tested(found.scores),
            Finding("foretold", record.held, record.text),
        ],
        caps=[f"{short_name(indicator)} is contested"] if indicator.contested else [],
    )
    unit = "%" if indicator.unit == "%" else indicator.unit
    return EvidenceCard(
        name=name,
        question=(
            f"Where may authorities stand on {short_name(indicator)} in {found.spec.year}, against "
            f"{number(found.spec.target, indicator.decimals, unit)}?"
        ),
        answer=checked(_answer(found), quoted=own_words(indicator)),
        strength=strength,
        data=_estimates(found),
        method=(
            "Each authority's gap to England with a slope of its own, drawn towards its region's; England's own path "
            "is a scenario, not a finding. The fan holds sampling and year-to-year variation and what is not known of "
            "the model.",
            "Forecasts were made as if in past years, from what was known by then, and set against what came.",
            *pooled_record(found.scores, indicator=indicator),
        ),
        caveats=(
            "What England does next is not foretold: every estimate holds only under its scenario.",
            *(
                [f"What \u201c{indicator.name}\u201d cannot tell: {indicator.cannot_tell.rstrip('.')}."]
                if indicator.cannot_tell
                else []
            ),
            *contested_marks([indicator]),
            "No target agreed with the Department is known here; shares of a national target are illustrations.",
        ),
        record=record.text,
        manifest=found.manifest,
        spec={"indicator": indicator.id, "target": found.spec.target, "year": found.spec.year, "record": record.head},
        figure=figure,
    )


def _tested(scores: pd.DataFrame) -> list[Finding]:
    """Three rules from the forecasts of past years: of authorities' figures and of their gaps to England."""
    rows = scores[scores["part"].isin(["gap", "figure"])]
    known = rows.dropna(subset=["covered"])
    count = int(scores.loc[scores["part"].eq("figure"), "n"].sum())
    tested = Finding("tested", count >= FEWEST_FORECASTS, plural(count, "forecast", "forecasts"))
    if known.empty:
        return [tested, Finding("covered", None, "not tested"), Finding("error", None, "not tested")]
    least = known.loc[known["covered"].idxmin()]
    covered = Finding(
        "covered",
        bool(least["covered"] >= least["level"] - HELD),
        f"the least of {len(known)} groups: {number(100 * least['covered'], 0)}% inside where {least['level']:.0%} is "
        f"stated ({least['pool']}, {PART_WORDS[least['part']]})",
    )
    ratio = rows["error"] / rows["error_no_change"]
    worst = rows.loc[ratio.idxmax()]
    error = Finding(
        "error",
        bool(ratio.max() <= NO_WORSE),
        f"at worst {number(ratio.max(), 2)} times that of \u201cno change\u201d ({worst['pool']}, "
        f"{PART_WORDS[worst['part']]}, {plural(int(worst['ahead']), 'year', 'years')} ahead)",
    )
    return [tested, covered, error]


def _answer(found: Trajectory) -> str:
    """Two sentences: England under its scenarios, and how many authorities are likely to be there."""
    indicator, year = found.indicator, found.spec.year
    unit = "%" if indicator.unit == "%" else indicator.unit
    table = found.table[found.table["scenario"].isin(list(SCENARIO_WORDS))]
    england = table[table["area_code"].eq(ENGLAND)].set_index("scenario")
    said = [
        f"{number(r['estimate'], indicator.decimals, unit)}, "
        f"{interval(r['lower'], r['upper'], level=r['level'], decimals=indicator.decimals)}, {words}"
        for scenario, words in SCENARIO_WORDS.items()
        for r in [england.loc[scenario]]
    ]
    goal = number(found.spec.target, indicator.decimals, unit)
    chances = [chance(float(england.at[s, "chance"])) for s in SCENARIO_WORDS]
    either = " in both" if len(set(chances)) == 1 else ""
    likelihood = " and ".join(dict.fromkeys(chances))
    places = table[~table["area_code"].eq(ENGLAND) & table["estimate"].notna()]
    likely = places[places["chance"].ge(0.5)].groupby("scenario").size().reindex(list(SCENARIO_WORDS), fill_value=0)
    many = plural(int(places["area_code"].nunique()), "authority", "authorities")
    counts = " and ".join(f"{int(likely[s])} {words}" for s, words in SCENARIO_WORDS.items())
    return (
        f"In {year} England would be at {' and '.join(said)}; the chance of reaching {goal} is {likelihood}{either}. "
        f"Of {many}, those more likely than not to reach it are {counts}."
    )


def _estimates(found: Trajectory) -> pd.DataFrame:
    rows = found.table[found.table["area_code"].eq(ENGLAND) & found.table["scenario"].isin(list(SCENARIO_WORDS))]
    england = pd.DataFrame(
        {
            "label": [f"England in {found.spec.year}, {SCENARIO_WORDS[s]}" for s in rows["scenario"]],
            "n": 1,
            **{c: rows[c].to_numpy(dtype=float) for c in ("estimate", "lower", "upper", "level")},
        }
    )
    return england.reset_index(drop=True)
