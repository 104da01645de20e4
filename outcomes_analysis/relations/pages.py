"""The page of one association: what is found, how sure, what changes it, and what it cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.relations.cautions import cautions
from outcomes_analysis.relations.headlines import sentence_of
from outcomes_analysis.relations.result import headline_row
from outcomes_analysis.relations.sentences import (
    caveats,
    checked,
    compared_sentence,
    marks,
    neighbours_sentence,
    noise_out_sentence,
    opening,
    own_words,
    raw_sentence,
    regions_sentence,
    short_name,
    slope_sentence,
    tally_sentence,
    unmeasured_sentence,
    with_capital,
)
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.relations.whole.parts import HEADINGS, Part, PartName


class _Page:
    """The rows of a table by what they answer, and the names to speak of them."""

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        spec: RelationSpec,
        framework: Framework,
        diagnostics: Mapping[str, Any],
        parts: Mapping[PartName, Part],
    ) -> None:
        self.table, self.spec, self.diagnostics, self.parts = table, spec, diagnostics, parts
        self.predictor = framework.indicator(spec.predictor)
        self.outcome = framework.indicator(spec.outcome)
        self.marks = marks([framework.indicator(i) for i in spec.roles], framework=framework)
        self.names = {i: short_name(framework.indicator(i)) for i in spec.roles}
        self.pair = (self.names[spec.predictor], self.names[spec.outcome])
        self.rows = {(r["analysis"], r["adjusted_for"], r["sample"], r["scale"]): r for _, r in table.iterrows()}
        self.apart = {
            (r["adjusted_for"], r["sample"], r["with_adjusted_for"], r["with_sample"]): r
            for _, r in diagnostics["compared"].iterrows()
            if r["analysis"] == "spearman"
        }
        self.adjusted = [s for s in spec.adjustment_sets if s]
        self.computed = computed_sets(table, spec=spec)
        self.first = self.computed[0] if self.computed else ()

    def rank(self, controls: tuple[str, ...] = (), sample: str = "all") -> pd.Series[Any]:
        return headline_row(self.table, adjusted_for="+".join(controls), sample=sample)

    def slope(self, analysis: str, controls: tuple[str, ...] = (), scale: str = "natural") -> pd.Series[Any]:
        return self.rows[analysis, "+".join(controls), "all", scale]

    def held(self, controls: tuple[str, ...]) -> str:
        return wording.listed([self.names[i] for i in controls])

    def found(self) -> str:
        sentences = [
            raw_sentence(
                self.rank(), predictor=self.predictor, outcome=self.outcome, periods=self.diagnostics["periods"]
            )
        ]
        count = len(self.diagnostics["left_out"])
        if count:
            lacking = wording.plural(count, "authority", "authorities")
            sentences[0] += f" Left out for want of a published figure of their own: {lacking}."
        alike = self.slope("ols_robust", self.first) if self.first else None
        sentences.append(slope_sentence(self.slope("ols_robust"), alike=alike, held=self.held(self.first)))
        if "ways" not in self.parts or not self.parts["ways"].answers:
            sentences.append(tally_sentence(self.table))
        return "\n".join(s for s in sentences if s)

    def sure(self) -> str:
        plain = self.rows["spearman", "", "all", "correlation"]
        sentences = [
            neighbours_sentence(
                self.rank(), plain=plain, effective=self.diagnostics["effective"].get(("", "all"), float("nan"))
            ),
            noise_out_sentence(
                self.rows["pearson_noise_out", "", "all", "correlation"],
                even=self.rows["pearson_even", "", "all", "correlation"],
                reliability=self.diagnostics["reliability"].get(("", "all")),
                names=self.pair,
            ),
        ]
        return "\n".join(sentences)

    def changes(self) -> str:
        sentences = [*self._adjusting(), *self._without_london(), self._regions()]
        bears = self.diagnostics["unmeasured"].get(("+".join(self.first), "all")) if self.first else None
        if bears is not None:
            sentences.append(unmeasured_sentence(bears, held=self.held(self.first), names=self.names, pair=self.pair))
        return "\n".join(s for s in sentences if s)

    def _adjusting(self) -> list[str]:
        cases = [
            (f"with similar {self.held(s)}", self.rank(s), self.rank(), self.apart["+".join(s), "all", "", "all"])
            for s in self.computed
        ]
        beside = "the one as the figures stand"
        reasons = [
            f"It could not be adjusted for {self.held(s)}: {self.rank(s)['reason']}."
            for s in self.adjusted
            if s not in self.computed
        ]
        return [
            *([compared_sentence("The rank correlation between places", cases, beside=beside)] if cases else []),
            *reasons,
        ]

    def _without_london(self) -> list[str]:
        sample = "without_london"
        if sample not in self.spec.samples:
            return []
        row = self.rank((), sample)
        if row["status"] == "withheld":
            return [f"The answer without London is withheld: {row['reason']}."]
        cases = []
        for controls in ((), *self.computed):
            key = "+".join(controls)
            words = f"with similar {self.held(controls)}" if controls else "as the figures stand"
            apart = self.apart[key, sample, key, "all"]
            cases.append((words, self.rank(controls, sample), self.rank(controls), apart))
        authorities = wording.plural(int(row["n"]), "authority", "authorities")
        return [compared_sentence(f"Without London ({authorities}),", cases, beside="the same with London")]

    def _regions(self) -> str:
        kinds = ("ols_robust", "ols_clustered", "ols_wild", "mixed_region", "ols_region")
        return regions_sentence(
            {kind: self.slope(kind, self.first, "standard") for kind in kinds},
            share=self.diagnostics["region_share"].get(("+".join(self.first), "all"), float("nan")),
            held=self.held(self.first),
            names=self.pair,
        )

    def cannot_say(self, *, draws: int, level: float) -> str:
        both = (self.predictor, self.outcome)
        held = [self.held(s) for s in self.computed]
        named = [
            f"{with_capital(self.names[i])} may {words} and so is not allowed for."
            for ids, words in ((self.spec.mediators, "lie between the two"), (self.spec.colliders, "follow from both"))
            for i in ids
        ]
        said = [*cautions(both), *named, *self.marks, *caveats(draws=draws, level=level, held=held)]
        return "\n".join(said)


def compose(
    table: pd.DataFrame,
    *,
    spec: RelationSpec,
    framework: Framework,
    diagnostics: Mapping[str, Any],
    draws: int,
    level: float,
    parts: Mapping[PartName, Part],
) -> tuple[tuple[str, str], ...]:
    """Write the page of one association.

    Parameters
    ----------
    table : DataFrame
        As :class:`outcomes_analysis.relations.result.RelationResult` has it, without the rows of the parts.
    spec, framework
        The question, and what its indicators are called.
    diagnostics : mapping
        ``periods, left_out, compared, effective, reliability, region_share, unmeasured``.
    draws, level
        As used for the intervals.
    parts : mapping
        What rests on an analysis of its own.

    Returns
    -------
    tuple of (heading, text)
        One line a point: what the figures are not (without a heading), the answer in short, what is found, how sure,
        what changes it, the parts, what it cannot say. Passed by the guard against causal words.
    """
    page = _Page(table, spec=spec, framework=framework, diagnostics=diagnostics, parts=parts)
    sections = [
        ("", opening(page.predictor, page.outcome)),
        ("In short", sentence_of(table, pair=page.pair, names=page.names)),
        ("What is found", page.found()),
        ("How sure", page.sure()),
        ("What changes it", page.changes()),
        *((HEADINGS[name], part.text) for name, part in parts.items()),
        ("What it cannot say", page.cannot_say(draws=draws, level=level)),
    ]
    quoted = [words for i in spec.roles for words in own_words(framework.indicator(i))]
    quoted += [words for part in parts.values() for words in part.quoted]
    return tuple((heading, checked(text, quoted=quoted)) for heading, text in sections if text)


def computed_sets(table: pd.DataFrame, *, spec: RelationSpec) -> list[tuple[str, ...]]:
    """What is allowed for together in the cases that have an answer, in the order of the question."""
    return [
        held
        for held in spec.adjustment_sets
        if held and headline_row(table, adjusted_for="+".join(held))["status"] == "computed"
    ]


def as_text(sections: Sequence[tuple[str, str]]) -> str:
    """The page as plain paragraphs, each begun by its heading, with an empty line between them."""
    said = [(heading, " ".join(text.split("\n"))) for heading, text in sections]
    return "\n\n".join(f"{heading}. {text}" if heading else text for heading, text in said)
