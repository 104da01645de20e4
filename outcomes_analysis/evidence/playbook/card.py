"""An evidence card: a question, its answer, strength by stated rules, and all that it takes to make it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.evidence.playbook.strength import Strength, rules_version
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.wording import EXPLORATION

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class EvidenceCard:
    """One question with its evidence.

    Attributes
    ----------
    name : str
        Short name for files: ``admissions-attainment``.
    question : str
    answer : str
        Two sentences, made from the numbers of ``data``.
    strength : Strength
        The grade and every rule behind it.
    data : DataFrame
        The estimates the answer rests on: ``label, n, estimate, lower, upper, level`` and what belongs to them.
    method : tuple of str
    caveats : tuple of str
    record : str
        How predictions sealed beforehand did.
    manifest : RunManifest
    spec : mapping
        The question as the program was asked it; JSON-able.
    figure : Figure or None
    hypotheses : tuple of str
        What hypotheses say of the same figures, with the pattern beside each.
    """

    name: str
    question: str
    answer: str
    strength: Strength
    data: pd.DataFrame
    method: tuple[str, ...]
    caveats: tuple[str, ...]
    record: str
    manifest: RunManifest
    spec: Mapping[str, Any]
    figure: Figure | None = None
    hypotheses: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Hash of question, data, seed, rules and version of the package: cards alike in these have the same."""
        manifest = self.manifest
        made = [self.strength.kind, dict(self.spec), manifest.spec, manifest.data, manifest.seed, manifest.package]
        return hash_of([*made, list(self.hypotheses), rules_version()])

    @property
    def table(self) -> pd.DataFrame:
        """The estimates the answer rests on."""
        return self.data

    @property
    def short(self) -> str:
        """Question, answer, strength and record, a line each."""
        return "\n".join(part for part in (self.question, self.answer, self.strength.text, self.record) if part)

    @property
    def text(self) -> str:
        """The whole card in words."""
        return " ".join([*self.short.splitlines(), *self.caveats])

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> str:
        """The card for other programs; the same card gives the same text."""
        figure = None
        if self.figure is not None:
            figure = {"title": self.figure.title, "alt": self.figure.alt, "source": self.figure.source}
        content = {
            "schema": SCHEMA,
            "id": self.id,
            "name": self.name,
            "kind": self.strength.kind,
            "notice": EXPLORATION,
            "question": self.question,
            "answer": self.answer,
            "strength": {
                "grade": self.strength.grade,
                "words": self.strength.text,
                "no_more_than_tentative_because": list(self.strength.caps),
                "rules": self.strength.table.to_dict("records"),
                "rules_version": rules_version(),
            },
            "estimates": json.loads(self.data.to_json(orient="records", double_precision=6)),
            "figure": figure,
            "method": list(self.method),
            "caveats": list(self.caveats),
            "would_change_our_mind": list(self.strength.change_of_mind),
            "hypotheses": list(self.hypotheses),
            "record": self.record,
            "question_as_asked": dict(self.spec),
            "made_from": asdict(self.manifest),
        }
        return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"
