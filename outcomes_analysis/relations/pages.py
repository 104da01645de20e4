"""The page of one association: what is found, how sure, what changes it, and what it cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.relations.sentences import (
    basis_sentence,
    caveats,
    checked,
    compared_sentence,
    opening,
    raw_sentence,
    region_sentence,
    short_name,
    slope_sentence,
    tally_sentence,
)
from outcomes_analysis.relations.specification import RelationSpec


class _Page:
    """The rows of a table by what they answer, and the names to speak of them."""

    def __init__(
        self, table: pd.DataFrame, *, spec: RelationSpec, framework: Framework, diagnostics: Mapping[str, Any]
    ) -> None:
        self.table = table
        self.diagnostics = diagnostics
        self.apart = {
            (r["analysis"], r["adjusted_for"], r["sample"], r["with_adjusted_for"], r["with_sample"]): r
            for _, r in diagnostics["compared"].iterrows()
        }
        self.spec = spec
        self.predictor = framework.indicator(spec.predictor)
        self.outcome = framework.indicator(spec.outcome)
        self.names = {i: short_name(framework.indicator(i)) for i in spec.roles}
        self.rows = {(r["analysis"], r["adjusted_for"], r["sample"], r["scale"]): r for _, r in table.iterrows()}
        self.adjusted = [s for s in spec.adjustment_sets if s]
        self.computed = [s for s in self.adjusted if self.correlation(s)["status"] == "computed"]

    def correlation(self, controls: tuple[str, ...] = (), sample: str = "all") -> pd.Series[Any]:
        return self.rows["spearman", "+".join(controls), sample, "correlation"]

    def difference(self, controls: tuple[str, ...], sample: str, beside: tuple[str, ...]) -> pd.Series[Any]:
        return self.apart["spearman", "+".join(controls), sample, "+".join(beside), "all"]

    def slope(self, analysis: str, controls: tuple[str, ...] = (), scale: str = "natural") -> pd.Series[Any]:
        return self.rows[analysis, "+".join(controls), "all", scale]

    def held(self, controls: tuple[str, ...]) -> str:
        return wording.listed([self.names[i] for i in controls])

    def found(self, diagnostics: Mapping[str, Any]) -> str:
        sentences = [
            raw_sentence(
                self.correlation(), predictor=self.predictor, outcome=self.outcome, periods=diagnostics["periods"]
            )
        ]
        count = len(diagnostics["left_out"])
        if count:
            verb = wording.plural(count, "authority is", "authorities are")
            sentences.append(f"{verb} left out for want of a published figure of their own.")
        return " ".join([*sentences, tally_sentence(self.table)])

    def adjusting(self) -> str:
        raw = self.correlation()
        sentences = [
            compared_sentence(
                f"Between places with similar {self.held(s)},",
                self.correlation(s),
                with_row=raw,
                apart=self.difference(s, "all", ()),
            )
            for s in self.computed
        ]
        sentences += [
            f"It could not be adjusted for {self.held(s)}: {self.correlation(s)['reason']}."
            for s in self.adjusted
            if s not in self.computed
        ]
        return " ".join(sentences)

    def without_london(self) -> str:
        sample = "without_london"
        if sample not in self.spec.samples:
            return ""
        row = self.correlation((), sample)
        if row["status"] == "withheld":
            return f"The answer without London is withheld: {row['reason']}."
        apart = self.difference((), sample, ())
        sentences = [compared_sentence("Without London,", row, with_row=self.correlation(), apart=apart)]
        sentences += [
            compared_sentence(
                f"Without London and between places with similar {self.held(s)},",
                self.correlation(s, sample),
                with_row=self.correlation(s),
                apart=self.difference(s, sample, s),
            )
            for s in self.computed
        ]
        return " ".join(sentences)

    def in_units(self) -> str:
        sentences = [slope_sentence(self.slope("ols_robust"), outcome=self.outcome)]
        sentences += [
            slope_sentence(self.slope("ols_robust", s), outcome=self.outcome, held=self.held(s)) for s in self.computed
        ]
        return f"In natural units: {'; '.join(sentences)}."

    def regions(self, shares: Mapping[tuple[str, str], float]) -> str:
        controls = self.computed[0] if self.computed else ()
        return region_sentence(
            self.slope("mixed_region", controls, "standard"),
            robust=self.slope("ols_robust", controls, "standard"),
            share=shares.get(("+".join(controls), "all"), float("nan")),
            held=self.held(controls),
            names=(self.names[self.spec.predictor], self.names[self.spec.outcome]),
        )


def compose(
    table: pd.DataFrame,
    *,
    spec: RelationSpec,
    framework: Framework,
    diagnostics: Mapping[str, Any],
    draws: int,
    level: float,
) -> str:
    """Write the page of one association.

    Parameters
    ----------
    table : DataFrame
        As :class:`outcomes_analysis.relations.result.RelationResult` has it.
    spec, framework
        The question, and what its indicators are called.
    diagnostics : mapping
        ``periods``, ``left_out``, ``region_share``.
    draws, level
        As used for the intervals.

    Returns
    -------
    str
        Paragraphs with an empty line between them; passed by the guard against causal words.
    """
    page = _Page(table, spec=spec, framework=framework, diagnostics=diagnostics)
    held = [page.held(s) for s in page.computed]
    paragraphs = [
        opening(page.predictor, page.outcome),
        page.found(diagnostics),
        page.adjusting(),
        page.without_london(),
        page.in_units(),
        page.regions(diagnostics["region_share"]),
        basis_sentence(page.predictor, page.outcome),
        " ".join(caveats(draws=draws, level=level, contested=(page.predictor, page.outcome), held=held)),
    ]
    quoted = [text for i in spec.roles for text in _own_words(framework.indicator(i))]
    return checked("\n\n".join(p for p in paragraphs if p), quoted=quoted)


def _own_words(indicator: Indicator) -> tuple[str, ...]:
    parts = (indicator.name, indicator.name.split(" (")[0], indicator.cannot_tell, indicator.contested)
    return tuple(part.rstrip(".") for part in parts)
