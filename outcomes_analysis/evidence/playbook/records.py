"""What became of predictions sealed beforehand, in a form that a card can carry."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes_analysis.wording import plural


@dataclass(frozen=True)
class Record:
    """How predictions of one question did.

    Attributes
    ----------
    sealed, scored, true : int
        Predictions sealed, of these scored, and of those scored how many came true.
    head : str
        Hash of the ledger's newest entry, empty where there is no ledger.
    """

    sealed: int = 0
    scored: int = 0
    true: int = 0
    head: str = ""

    @property
    def held(self) -> bool | None:
        """Whether what was foretold came true: each time; not known where nothing has been scored."""
        return None if not self.scored else self.true == self.scored

    @property
    def text(self) -> str:
        """The record in one sentence."""
        if not self.sealed:
            return "No prediction of it has been sealed."
        sealed = f"{plural(self.sealed, 'prediction', 'predictions')} of it sealed before the figures were there"
        if not self.scored:
            return f"{sealed}; none can be scored yet."
        return f"{sealed}; {self.true} of the {self.scored} scored came true."
