"""The card of a domain: how far authorities differ on it, and how steady that is, graded by the rules for domains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.strength import DISPUTED_WEIGHT, FIFTH, RELIABLE, Finding, graded
from outcomes_analysis.figures.standing import contested_shares
from outcomes_analysis.provenance import hash_of
from outcomes_analysis.wording import associational, number, plural

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.index import AuditReport, ComparisonResult, IndexResult, UncertaintyResult

FEWEST_RANKED = 30
TIMES_CHANCE = 2


def domain_card(
    name: str,
    uncertainty: UncertaintyResult,
    comparisons: Sequence[ComparisonResult],
    *,
    audit: AuditReport,
    earlier: IndexResult | None = None,
    figure: Figure | None = None,
) -> EvidenceCard:
    """Make the card of a domain.

    Parameters
    ----------
    name : str
        Id of the domain.
    uncertainty : UncertaintyResult
        Scores with intervals, and ranks where there are any.
    comparisons : sequence of ComparisonResult
        With places of similar child poverty, one for each measure of it.
    audit : AuditReport
        Whether the domain behaves as one thing.
    earlier : IndexResult, optional
        The index two years before; without it the rule of years is not known to be met.
    figure : Figure, optional
        A map of the domain.

    Returns
    -------
    EvidenceCard
        Never above ``tentative`` where the domain is experimental, or more than a tenth of its weight is on contested
        indicators. Nothing is said of single places.
    """
    index = uncertainty.index
    node = index.nodes[name]
    scores = index.table[index.table["node_id"].eq(name) & index.table["estimate"].notna()]
    scores = scores[scores["area_code"].isin(index.matrix.areas.index[index.matrix.areas["ranked"]])]
    label = str(scores["node_label"].iloc[0])
    marked = f"{label} (experimental)" if node.experimental else label
    strength = graded(
        "domain",
        [
            _spread(uncertainty, name),
            _apart(scores, level=index.spec.level),
            _alike(comparisons, name),
            Finding("one_thing", bool(audit.verdicts.at[name, "one_thing"]), str(audit.verdicts.at[name, "read_as"])),
            _methods(uncertainty, name),
            _years(scores, earlier, name),
        ],
        caps=caps_of(index, name, label),
    )
    return EvidenceCard(
        name=f"domain-{name}",
        question=f"How far do authorities differ on {marked}?",
        answer=associational(_answer(scores, comparisons, name=name, label=marked, level=index.spec.level)),
        strength=strength,
        data=_estimates(scores, comparisons, name),
        method=method_of(index, name),
        caveats=caveats_of(index, name, label),
        record="",
        manifest=uncertainty.manifest,
        spec={"domain": name, "period": index.matrix.period, "index": index.spec.hash, "others": _others(comparisons)},
        figure=figure,
    )


def _others(comparisons: Sequence[ComparisonResult]) -> list[str]:
    return [hash_of([one.label, one.table["poverty"].to_list()]) for one in comparisons]


def caps_of(index: IndexResult, name: str, label: str) -> list[str]:
    """Why a card about a domain may not rise above ``tentative``; empty where nothing stands against it."""
    share = contested_shares(index, [name]).get(name, 0.0)
    found = [f"{label} is experimental"] if index.nodes[name].experimental else []
    if share > DISPUTED_WEIGHT:
        found.append(f"{number(100 * share, 0)}% of its weight is on contested indicators")
    return found


def _spread(uncertainty: UncertaintyResult, name: str) -> Finding:
    share = uncertainty.reliability.get(name, np.nan)
    if not np.isfinite(share):
        return Finding("spread", None, "how much of the spread is noise is not told of a domain without ranks")
    return Finding("spread", bool(share >= RELIABLE), f"{number(100 * share, 0)}% of the spread is more than noise")


def _sides(scores: pd.DataFrame) -> tuple[int, int]:
    standing = scores["standing"]
    return int(standing.eq("above").sum()), int(standing.eq("below").sum())


def _disputed(scores: pd.DataFrame) -> str:
    """How many are judged otherwise without contested indicators."""
    count = int(scores["standing"].eq("depends on contested figures").sum())
    return f" (of {count} it depends on contested figures)" if count else ""


def _apart(scores: pd.DataFrame, *, level: float) -> Finding:
    differ, chance = sum(_sides(scores)), (1 - level) * len(scores)
    said = f"{differ} of {len(scores)} differ clearly from England; about {number(chance, 0)} would by chance"
    return Finding("apart", bool(differ >= TIMES_CHANCE * chance), said)


def _alike(comparisons: Sequence[ComparisonResult], name: str) -> Finding:
    """Against the mean of places alike: the range of single places alike would hold nine in ten whatever they are."""
    met, said = True, []
    for one in comparisons:
        counts = one.counts.loc[name]
        differ, chance = int(counts["differ_from_mean"]), float(counts["by_chance"])
        met &= differ >= TIMES_CHANCE * chance
        said.append(f"{differ} of {int(counts['n'])} by {one.label} (about {number(chance, 0)} would by chance)")
    return Finding("alike", bool(met) if comparisons else None, "; ".join(said) or "not compared")


def _methods(uncertainty: UncertaintyResult, name: str) -> Finding:
    rows = uncertainty.table[uncertainty.table["node_id"].eq(name)]
    width = (rows["method_upper"] - rows["method_lower"]).dropna()
    if len(width) < FEWEST_RANKED:
        return Finding("methods", None, "nothing is ranked")
    middle, most = float(width.median()), FIFTH * len(width)
    said = f"half of the authorities move {number(middle, 0)} places or less; a fifth of all is {number(most, 0)}"
    return Finding("methods", bool(middle <= most), said)


def _years(scores: pd.DataFrame, earlier: IndexResult | None, name: str) -> Finding:
    if earlier is None or name not in earlier.nodes:
        return Finding("years", None, "no index of two years before to compare with")
    before = earlier.table[earlier.table["node_id"].eq(name)].set_index("area_code")["estimate"]
    pairs = scores.set_index("area_code")[["estimate"]].join(before.rename("before"), how="inner").dropna()
    if len(pairs) < FEWEST_RANKED:
        return Finding("years", None, f"only {len(pairs)} authorities have a score in both years")
    agreement = float(spearmanr(pairs["estimate"], pairs["before"]).statistic)
    said = f"rank correlation {number(agreement, 2)} with {earlier.matrix.period}, {len(pairs)} authorities"
    return Finding("years", bool(agreement >= RELIABLE), said)


def _answer(
    scores: pd.DataFrame, comparisons: Sequence[ComparisonResult], *, name: str, label: str, level: float
) -> str:
    """Two sentences: against England, and beside places of similar child poverty."""
    above, below = _sides(scores)
    first = (
        f"Of {plural(len(scores), 'authority', 'authorities')}, {above} are clearly better than England on {label} and "
        f"{below} clearly worse by their {level:.0%} intervals{_disputed(scores)}; if none differed, "
        f"up to {number((1 - level) * len(scores), 0)} would still be one or the other by chance."
    )
    beside = []
    for one in comparisons:
        counts, goes = one.counts.loc[name], one.goes_with.loc[name]
        bounds = " to ".join(number(100 * goes[c], 0) for c in ("share_lower", "share_upper"))
        beside.append(
            f"{one.label} goes with {number(100 * goes['share'], 0)}% of the differences ({bounds}%, {level:.0%} "
            f"interval), and {int(counts['differ_from_mean'])} authorities differ clearly from the mean of places "
            "similar in it"
        )
    told = "; ".join(beside)
    return f"{first} {told[:1].upper()}{told[1:]}." if told else first


def _estimates(scores: pd.DataFrame, comparisons: Sequence[ComparisonResult], name: str) -> pd.DataFrame:
    rows = []
    for one in comparisons:
        goes = one.goes_with.loc[name]
        for words, column in (
            (f"rank correlation with {one.label}", "correlation"),
            (f"share going with {one.label}", "share"),
        ):
            rows.append(
                {
                    "label": words[:1].upper() + words[1:],
                    "n": int(goes["n"]),
                    "estimate": float(goes[column]),
                    "lower": float(goes[f"{column}_lower"]),
                    "upper": float(goes[f"{column}_upper"]),
                    "level": one.spec.level,
                }
            )
    ends = scores.sort_values("estimate")
    for words, row in (("Lowest score", ends.iloc[0]), ("Highest score", ends.iloc[-1])):
        numbers = {c: float(row[c]) for c in ("estimate", "lower", "upper", "level")}
        rows.append({"label": words, "n": 1, **numbers})
    return pd.DataFrame(rows)


def method_of(index: IndexResult, name: str) -> tuple[str, ...]:
    """What a domain's score is made of, where its zero lies, and what its intervals hold."""
    weights = index.nodes[name].weights["weight"]
    names = [index.matrix.framework.indicator(str(i)).name for i in weights.index]
    return (
        f"Score of {plural(len(names), 'indicator', 'indicators')}: {'; '.join(names)}.",
        "0 is England in each indicator's base period, 1 a standard deviation between authorities then; higher is "
        "better. Each score is set beside England's own for the same date.",
        "Intervals hold sampling and year-to-year variation. Places alike: a local line through the 60 nearest in "
        "child poverty.",
    )


def caveats_of(index: IndexResult, name: str, label: str) -> tuple[str, ...]:
    """What to mind with a domain's score: marks of it first."""
    share = contested_shares(index, [name]).get(name, 0.0)
    disputed = [f"{number(100 * share, 0)}% of the weight of {label} is on contested indicators."] if share else []
    experimental = (
        [f"{label} is experimental: few figures say how children feel, and those there are do not measure one thing."]
        if index.nodes[name].experimental
        else []
    )
    return (
        *experimental,
        *disputed,
        index.matrix.framework.notice,
        "Figures describe places. They do not say what any service or decision did.",
        "That most places of one kind stand alike says nothing of a single child in them.",
    )
