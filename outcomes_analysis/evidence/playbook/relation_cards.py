"""The card of an association: how two figures go together across areas, graded by the rules for such questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.records import Record
from outcomes_analysis.evidence.playbook.strength import CHANCE, CLEAR, SAME_SIGN, Finding, graded
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.relations.cautions import cautions, near_duplicates, shared_denominator
from outcomes_analysis.relations.sentences import (
    checked,
    contested_marks,
    is_clear,
    measured,
    own_words,
    short_name,
)
from outcomes_analysis.relations.specification import RelationSpec

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.relations import MultiverseResult, MultiverseSpec, RelationResult

YEARS_ASKED = 3  # of the multiverse: the newest of the question
Rows = list[pd.Series]
ANALYSES = ("spearman", "spearman_neighbours", "pearson_noise_out")


def ways_of(spec: RelationSpec) -> MultiverseSpec:
    """Every defensible way of asking the question of a card.

    Parameters
    ----------
    spec : RelationSpec
        Its first predictor, its last three years, and what it allows for.

    Returns
    -------
    MultiverseSpec
        With every sample, scale and line there is.
    """
    from outcomes_analysis.relations.spec_curve.choices import Choice, MultiverseSpec

    held = [Choice("+".join(names), "allowed for in the question") for names in spec.adjustment_sets if names]
    newest = spec.years[-YEARS_ASKED:]
    return MultiverseSpec(
        outcomes=(Choice(spec.outcome, "the question's own"),),
        predictors=(Choice(spec.predictor, "the question's own"),),
        years=tuple(Choice(year, "one of the newest years without a break") for year in newest),
        adjustments=(Choice("", "the plain association"), *held),
        mediators=spec.mediators,
        colliders=spec.colliders,
    )


def relation_card(
    relation: RelationResult,
    *,
    name: str,
    ways: MultiverseResult | None = None,
    framework: Framework | None = None,
    record: Record | None = None,
    figure: Figure | None = None,
    hypotheses: tuple[str, ...] = (),
) -> EvidenceCard:
    """Make the card of an association.

    Parameters
    ----------
    relation : RelationResult
        From :func:`outcomes_analysis.relations.relate`.
    name : str
        For files: small letters, digits and hyphens.
    ways : MultiverseResult, optional
        The same question in every way (:func:`ways_of`); without it that rule is not known to be met.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    record : Record, optional
        How predictions of this association did.
    figure : Figure, optional
        The picture, such as the scatter of the association.
    hypotheses : tuple of str
        What hypotheses say of the two, from ``HypothesesResult.lines_about``.

    Returns
    -------
    EvidenceCard
        Never above ``tentative`` where one of the two is contested, where they are near-duplicates, or where both are
        divided by the same number of children.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    pair = framework.indicator(relation.spec.predictor), framework.indicator(relation.spec.outcome)
    record = record or Record()
    strength = graded("relation", _findings(relation, ways, record), caps=_caps(*pair))
    quoted = [words for i in relation.spec.roles for words in own_words(framework.indicator(i))]
    answer = checked(_answer(relation, framework, clear=strength.grade != "not clear"), quoted=quoted)
    return EvidenceCard(
        name=name,
        question=f"Do {_marked(pair[0])} and {_marked(pair[1])} go together across areas?",
        answer=answer,
        strength=strength,
        data=_estimates(relation),
        method=_method(relation, ways),
        caveats=_caveats(relation, pair),
        record=record.text,
        manifest=relation.manifest,
        spec={"relation": relation.spec.hash, "ways": ways.manifest.spec if ways else "", "record": record.head},
        figure=figure,
        hypotheses=hypotheses,
    )


def _marked(indicator: Indicator) -> str:
    return f"{short_name(indicator)}{' (contested)' if indicator.contested else ''}"


def _caps(one: Indicator, other: Indicator) -> list[str]:
    found = [f"{short_name(i)} is contested" for i in (one, other) if i.contested]
    if near_duplicates(one, other):
        found.append("the two measure nearly the same")
    elif shared_denominator(one, other):
        found.append("both are divided by the same number of children")
    return found


def _cases(relation: RelationResult, analysis: str, *, sample: str = "all", alike: bool | None = None) -> Rows:
    """Rows of one analysis: with something allowed for (True), nothing (False), or both (None)."""
    table = relation.table[relation.table["analysis"].eq(analysis) & relation.table["sample"].eq(sample)]
    if alike is not None:
        table = table[table["adjusted_for"].ne("").eq(alike)]
    return [row for _, row in table.iterrows()]


def _survives(rows: Rows, sign: float) -> bool | None:
    """Whether every estimate leaves out 0 on one side; not known where one is withheld."""
    if not rows or not sign or any(row["status"] != "computed" for row in rows):
        return None
    return all(is_clear(row) and np.sign(row["estimate"]) == sign for row in rows)


def _said(rows: Rows) -> str:
    known = [row for row in rows if row["status"] == "computed"]
    return "; ".join(f"{_where(row)}: {measured(row)}" for row in known) or "withheld"


def _where(row: pd.Series[Any]) -> str:
    return f"between places with similar {row['alike']}" if row["adjusted_for"] else "as the figures stand"


def _findings(relation: RelationResult, ways: MultiverseResult | None, record: Record) -> list[Finding]:
    plain = _cases(relation, "spearman", alike=False)
    sign = float(np.sign(plain[0]["estimate"])) if plain and plain[0]["status"] == "computed" else 0.0
    asked = {
        "plain": plain,
        "alike": _cases(relation, "spearman", alike=True),
        "neighbours": _cases(relation, "spearman_neighbours"),
        "noise": _cases(relation, "pearson_noise_out"),
        "london": _cases(relation, "spearman_neighbours", sample="without_london", alike=True),
    }
    found = {name: Finding(name, _survives(rows, sign), _said(rows)) for name, rows in asked.items()}
    found["ways"] = _of_ways(ways)
    found["foretold"] = Finding("foretold", record.held, record.text)
    return list(found.values())


def _of_ways(ways: MultiverseResult | None) -> Finding:
    if ways is None:
        return Finding("ways", None, "not asked in other ways")
    rows = ways.computed
    same = max(rows["estimate"].gt(0).mean(), rows["estimate"].lt(0).mean())
    clear = max(rows["lower"].gt(0).mean(), rows["upper"].lt(0).mean())
    joint = ways.joint[ways.joint["null"].eq("neighbours") & ways.joint["statistic"].eq("median")]
    chance = float(joint["p_value"].iloc[0]) if len(joint) else np.nan
    said = (
        f"{wording.number(100 * same, 0)}% of {len(rows)} ways of asking of these two figures alone point one way, "
        f"{wording.number(100 * clear, 0)}% leave out 0; as far a middle answer by chance, neighbours staying alike: "
        f"{f'{wording.number(100 * chance, 1)}%' if np.isfinite(chance) else 'not known'}"
    )
    met = None if np.isnan(chance) else bool(same >= SAME_SIGN and clear >= CLEAR and chance <= CHANCE)
    return Finding("ways", met, said)


def _answer(relation: RelationResult, framework: Framework, *, clear: bool) -> str:
    """Two sentences: the pattern as it is, and between places with similar child poverty."""
    x, y = (short_name(framework.indicator(i)) for i in (relation.spec.predictor, relation.spec.outcome))
    raw = _cases(relation, "spearman_neighbours", alike=False)[0]
    if raw["status"] != "computed":
        raw = _cases(relation, "spearman", alike=False)[0]
    across = f"Across {wording.plural(int(raw['n']), 'upper-tier authority', 'upper-tier authorities')}"
    if clear:
        way = "higher" if raw["estimate"] > 0 else "lower"
        found = f"places with higher {x} tended to have {way} {y}"
    else:
        found = "no pattern holds in every way the rules ask for" if is_clear(raw) else "there is no clear pattern"
    first = f"{across} {found}: rank correlation {measured(raw)}, the likeness of neighbours allowed for."
    alike = [row for row in _cases(relation, "spearman_neighbours", alike=True) if row["status"] == "computed"]
    if not alike:
        return (
            f"{first} Places with similar child poverty could not be compared, so whether poverty accounts for it is "
            "not known."
        )
    held = "; ".join(f"{_where(row)} it is {measured(row)}" for row in alike)
    return f"{first} {held[:1].upper()}{held[1:]}."


def _estimates(relation: RelationResult) -> pd.DataFrame:
    table = relation.table[relation.table["analysis"].isin(ANALYSES) & relation.table["status"].eq("computed")]
    shown = table[["label", "alike", "authorities", "n", "estimate", "lower", "upper", "level"]]
    return shown.rename(columns={"alike": "similar_in"}).reset_index(drop=True)


def _method(relation: RelationResult, ways: MultiverseResult | None) -> tuple[str, ...]:
    periods = relation.diagnostics["periods"]
    lines = [
        "Spearman's rank correlation across ranked upper-tier authorities, plain and with each measure of child "
        "poverty allowed for (partial rank correlation), with and without London.",
        "The likeness of neighbours is allowed for by the effective number of authorities (modified t-test of "
        "Clifford, Richardson and H\u00e9mon in Dutilleul's form); known noise is taken out by the reliability of each "
        "figure.",
        "Periods used: " + "; ".join(f"{i}: {p}" for i, p in periods.items()) + ".",
    ]
    if ways is not None:
        lines.append(
            f"The question was also asked in {len(ways.computed)} ways (specification curve of Simonsohn, Simmons and "
            f"Nelson), and all answers together were held against {ways.diagnostics['permutations']} curves without an "
            "association."
        )
    return tuple(lines)


def _caveats(relation: RelationResult, pair: tuple[Indicator, Indicator]) -> tuple[str, ...]:
    limits = [f"What \u201c{i.name}\u201d cannot tell: {i.cannot_tell.rstrip('.')}." for i in pair if i.cannot_tell]
    unmeasured: dict[Any, Any] = relation.diagnostics.get("unmeasured", {})
    shares = [found.to_nothing for (_, sample), found in unmeasured.items() if sample == "all"]
    hidden = []
    if shares:
        hidden = [
            "A characteristic of places that is not in these figures, and accounts for "
            f"{wording.number(100 * min(shares), 0)}% of what is left of both between places with similar child poverty"
            ", would bring the slope to nothing."
        ]
    return (
        *limits,
        *cautions(pair),
        *contested_marks(pair),
        f"{wording.AREAS_NOT_CHILDREN} A pattern between places can be absent, or run the other way, among children.",
        "Places differ in much else; nothing here says which of the two figures comes first, or that either follows "
        "from the other.",
        *hidden,
    )
