"""The card of one place and domain: where it stands to England, and how steady that is, graded by rules for places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.domain_cards import caps_of, caveats_of, method_of
from outcomes_analysis.evidence.playbook.strength import FIFTH, OLDEST, PRESENT, YEARS_BEFORE, Finding, graded
from outcomes_analysis.index.score_rows import DEPENDS
from outcomes_analysis.wording import associational, number, ordinal, plural, signed

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.index import IndexResult, UncertaintyResult
    from outcomes_analysis.places import AreaProfile

_Row = Mapping[Any, Any]
_SIDES = {"above": "clearly better than England", "below": "clearly worse than England"}


def place_card(
    profile: AreaProfile,
    name: str,
    *,
    uncertainty: UncertaintyResult,
    earlier: IndexResult | None = None,
    figure: Figure | None = None,
) -> EvidenceCard | None:
    """Make the card of where a place stands on a domain.

    Parameters
    ----------
    profile : AreaProfile
        With its domains.
    name : str
        Id of the domain.
    uncertainty : UncertaintyResult
        The scores and ranks that the profile's domains were taken from.
    earlier : IndexResult, optional
        The index two years before; without it the rule of years is not known to be met.
    figure : Figure, optional

    Returns
    -------
    EvidenceCard or None
        None where the place has no score there, or too few children for any to be judged. Never above ``tentative``
        where the domain is experimental, or more than a tenth of its weight is on contested indicators.
    """
    found = profile.domains[profile.domains["node_id"].eq(name)]
    row: _Row = {} if found.empty else found.iloc[0].to_dict()
    if not row or not np.isfinite(row["estimate"]) or not row["standing"]:
        return None
    index = uncertainty.index
    label = str(row["node_label"])
    marks = [
        word for word, has in (("experimental", row["experimental"]), ("partly contested", row["disputed"])) if has
    ]
    marked = f"{label} ({', '.join(marks)})" if marks else label
    findings = [_apart(row), _contested(row), _present(row), _recent(row), _methods(row), _years(row, earlier)]
    return EvidenceCard(
        name=f"place-{name}",
        question=f"Where does {profile.name} stand on {marked}?",
        answer=associational(f"{_against_england(profile, row, marked)} {_among_places(profile, row)}"),
        strength=graded("place", findings, caps=caps_of(index, name, label)),
        data=_estimates(profile, row, earlier),
        method=(*method_of(index, name)[:-1], _INTERVALS),
        caveats=caveats_of(index, name, label),
        record="",
        manifest=uncertainty.manifest,
        spec={
            "place": profile.area_code,
            "domain": name,
            "period": profile.period,
            "index": index.spec.hash,
            "neighbours": profile.spec.neighbours,
            "statistic": profile.spec.statistic,
        },
        figure=figure,
    )


_INTERVALS = (
    "Intervals hold sampling and year-to-year variation; scores of England and the neighbours are taken as known. "
    "Contested: it is disputed which way is better, so the score is also made without those indicators."
)


def _scored(row: _Row, suffix: str = "") -> str:
    """A score with its interval, in words."""
    lower, upper = (number(row[f"{side}{suffix}"], 2) for side in ("lower", "upper"))
    return f"{signed(row[f'estimate{suffix}'], 2)} ({lower} to {upper}, {round(100 * row['level'])}% interval)"


def _against_england(profile: AreaProfile, row: _Row, marked: str) -> str:
    """The first sentence: the score, England's, and what may be said of the two."""
    lead = f"On {marked} {profile.name} scores {_scored(row)} where England scores {signed(row['england'], 2)}"
    if row["standing"] in _SIDES:
        return f"{lead}: {_SIDES[row['standing']]}."
    if row["standing"] == DEPENDS:
        theirs = signed(row["england_agreed"], 2)
        return (
            f"{lead}: how it stands depends on contested figures, for without them it scores {_scored(row, '_agreed')} "
            f"where England scores {theirs}."
        )
    return f"{lead}: whether it is better or worse than England is not clear."


def _among_places(profile: AreaProfile, row: _Row) -> str:
    """The second sentence: its neighbours, and its rank with the range it may have."""
    centre = row["neighbours_centre"]
    beside = ""
    if np.isfinite(centre):
        beside = f"the {profile.spec.statistic} of {profile.neighbours} is {signed(centre, 2)}"
    if not row["ranked"]:
        ranks = "it has no rank, as its figures do not measure one thing"
    else:
        first, last = (ordinal(int(row[c])) for c in ("rank_lower", "rank_upper"))
        ranks = f"its rank among {row['ranked_of']:.0f} lies between {first} and {last} ({round(100 * row['level'])}%)"
    said = "; ".join(part for part in (beside, ranks) if part)
    return f"{said[:1].upper()}{said[1:]}."


def _apart(row: _Row) -> Finding:
    clear = row["against_england"] in _SIDES
    return Finding("clear", bool(clear), f"{_scored(row)}; England {signed(row['england'], 2)}")


def _contested(row: _Row) -> Finding:
    if not row["disputed"]:
        return Finding("contested", True, "no indicator of it is contested")
    return Finding("contested", row["standing"] != DEPENDS, f"without contested indicators {_scored(row, '_agreed')}")


def _present(row: _Row) -> Finding:
    share = float(row["availability"])
    return Finding(
        "present", share >= PRESENT, f"{number(100 * share, 0)}% of the domain's weight is on figures that are there"
    )


def _recent(row: _Row) -> Finding:
    age = int(row["period"] - row["oldest_year"])
    return Finding("recent", age <= OLDEST, f"the oldest is {plural(age, 'year', 'years')} old")


def _methods(row: _Row) -> Finding:
    width = row["method_upper"] - row["method_lower"]
    if not np.isfinite(width):
        return Finding("methods", None, "nothing is ranked")
    most = FIFTH * row["ranked_of"]
    return Finding("methods", bool(width <= most), f"{width:.0f} places; a fifth of all is {number(most, 0)}")


def _years(row: _Row, earlier: IndexResult | None) -> Finding:
    before = _before(row, earlier)
    if before is None:
        return Finding("years", None, "no score of two years before to compare with")
    same = row["standing"] in _SIDES and before["standing"] == row["standing"]
    return Finding("years", bool(same), f"then {_scored(before)}; England {signed(before['england'], 2)}")


def _before(row: _Row, earlier: IndexResult | None) -> _Row | None:
    """The same score two years before, if there was one."""
    if earlier is None or int(row["period"]) - int(earlier.matrix.period) != YEARS_BEFORE:
        return None
    same = earlier.table["node_id"].eq(row["node_id"]) & earlier.table["area_code"].eq(row["area_code"])
    found = earlier.table[same & earlier.table["estimate"].notna()]
    return None if found.empty else found.iloc[0].to_dict()


def _estimates(profile: AreaProfile, row: _Row, earlier: IndexResult | None) -> pd.DataFrame:
    def line(label: str, numbers: _Row, suffix: str = "") -> dict[str, Any]:
        return {"label": label, **{c: numbers[f"{c}{suffix}"] for c in ("estimate", "lower", "upper")},
                "level": row["level"]}  # fmt: skip

    def known(label: str, value: float) -> dict[str, Any]:
        return {"label": label, "estimate": value, **dict.fromkeys(("lower", "upper", "level"), np.nan)}

    before = _before(row, earlier)
    rows = [
        line(f"{profile.name}'s score", row),
        known("England's score for the same date", row["england"]),
        known(f"Its neighbours' {profile.spec.statistic}", row["neighbours_centre"]),
    ]
    if row["disputed"]:
        rows.append(line(f"{profile.name}'s score without contested indicators", row, "_agreed"))
        rows.append(known("England's score without them", row["england_agreed"]))
    if before is not None:
        rows.append(line(f"{profile.name}'s score {YEARS_BEFORE} years before", before))
    return pd.DataFrame([r for r in rows if np.isfinite(r["estimate"])])
