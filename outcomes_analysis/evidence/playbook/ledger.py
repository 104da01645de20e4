"""The ledger of predictions: a file that only grows, each entry bound to the one before, so that tampering shows.

The chain proves that nothing before the newest entry was altered, taken out or put in. It cannot prove the date, nor
that the newest entries were not cut off: whoever wants that proved gives the seal (a hash) to somebody else on the day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from outcomes_analysis.errors import ProjectError
from outcomes_analysis.project import project
from outcomes_analysis.provenance import only_writer, write_atomic
from outcomes_analysis.wording import plural

Kind = Literal["seal", "score"]
FIRST = "0" * 64
KEYS = ("number", "kind", "made_on", "content", "previous", "hash")
LARGEST = 50_000_000  # bytes; a forecast of all authorities has about eight thousand


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Attributes
    ----------
    number : int
        From 1.
    kind : {"seal", "score"}
        A prediction, or how one did.
    made_on : str
        ISO date, as the computer that made it had it.
    content : dict
    previous, hash : str
        Sha256 of the entry before, and of all of this one but its own.
    """

    number: int
    kind: Kind
    made_on: str
    content: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Ledger:
    """All entries of a file, each checked against the one before."""

    path: Path
    entries: tuple[Entry, ...]

    @property
    def head(self) -> str:
        """Hash of the newest entry; empty where there is none."""
        return self.entries[-1].hash if self.entries else ""

    @property
    def seals(self) -> tuple[Entry, ...]:
        """The predictions."""
        return tuple(entry for entry in self.entries if entry.kind == "seal")

    @property
    def scores(self) -> dict[int, Entry]:
        """By number of the prediction, the entry that scores it."""
        return {int(entry.content["of"]): entry for entry in self.entries if entry.kind == "score"}

    @property
    def open(self) -> tuple[Entry, ...]:
        """Predictions that have not been scored."""
        scored = self.scores
        return tuple(entry for entry in self.seals if entry.number not in scored)

    def holding(self, seal: str) -> Entry:
        """Entry of a seal told earlier.

        Parameters
        ----------
        seal : str
            The hash, or its first twelve characters or more.

        Raises
        ------
        ProjectError
            If there is none: it was cut off, or never in this ledger.
        """
        wanted = seal.strip().lower()
        found = [entry for entry in self.entries if entry.hash.startswith(wanted)]
        if len(wanted) < 12 or not found:
            message = (
                f"{self.path.name} holds no entry with the seal {wanted[:16]!r}. Either it was cut off since, or the "
                "seal is of another ledger; give twelve characters of it or more."
            )
            raise ProjectError(message)
        return found[0]


def ledger_path() -> Path:
    """Where the ledger lies by default: ``predictions/ledger.jsonl`` below the user's own folder."""
    return project().result("predictions", "ledger.jsonl")


def seal_of(entry: Mapping[str, Any]) -> str:
    """Sha256 of an entry without its own hash, in canonical form."""
    bare = {key: entry[key] for key in KEYS if key != "hash"}
    text = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_ledger(path: Path | None = None) -> Ledger:
    """Read a ledger and prove its chain.

    Parameters
    ----------
    path : Path, optional
        By default :func:`ledger_path`; a file that is not there is an empty ledger.

    Returns
    -------
    Ledger

    Raises
    ------
    ProjectError
        At the first entry that was altered, taken out, put in or moved, naming it and what before it still stands.
    """
    path = path or ledger_path()
    if not path.exists():
        return Ledger(path, ())
    try:
        if path.stat().st_size > LARGEST:
            message = f"{path} is larger than any ledger of predictions; it was not read. Check the path."
            raise ProjectError(message)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read as a ledger of predictions. Check the path."
        raise ProjectError(message) from error
    entries: list[Entry] = []
    before, day = FIRST, ""
    for number, line in enumerate(lines, start=1):
        entry = _entry(line)
        fault = _fault(entry, number=number, before=before, day=day, entries=entries)
        if entry is None or fault:
            stands = f"{plural(number - 1, 'entry', 'entries')} before it {'stands' if number == 2 else 'stand'}"
            message = (
                f"{path.name}, entry {number}: {fault or 'it cannot be read'}. "
                f"{stands if number > 1 else 'None stands'}; nothing from here on can be relied on. Go back to a copy "
                "of the file as it was."
            )
            raise ProjectError(message)
        before, day = entry.hash, entry.made_on
        entries.append(entry)
    return Ledger(path, tuple(entries))


def _entry(line: str) -> Entry | None:
    try:
        content = json.loads(line)
        if not isinstance(content, dict) or set(content) != set(KEYS) or not isinstance(content["content"], dict):
            return None
        if seal_of(content) != content["hash"]:
            return Entry(**{**content, "hash": ""})
        date.fromisoformat(content["made_on"])
        return Entry(**content)
    except (ValueError, TypeError, RecursionError):
        return None


def _fault(entry: Entry | None, *, number: int, before: str, day: str, entries: list[Entry]) -> str:
    if entry is None:
        return "it cannot be read"
    if not entry.hash:
        return "it was altered since it was sealed"
    if entry.number != number or entry.previous != before:
        return "an entry before it was altered, taken out, put in or moved"
    if entry.made_on < day:
        return "it is dated before the entry above it"
    if entry.kind == "score" and entry.content.get("of") not in {e.number for e in entries if e.kind == "seal"}:
        return "it scores a prediction that is not there"
    return "" if entry.kind in ("seal", "score") else "it is neither a prediction nor a score"


def append(content: Mapping[str, Any], *, kind: Kind, path: Path | None = None, today: date | None = None) -> Entry:
    """Add an entry to a ledger, after proving the chain so far; two who add at once take turns.

    Parameters
    ----------
    content : mapping
        JSON-able, without NaN.
    kind : {"seal", "score"}
    path : Path, optional
        By default :func:`ledger_path`.
    today : date, optional

    Returns
    -------
    Entry

    Raises
    ------
    ProjectError
        If the chain is broken, the newest entry bears a later date, the file cannot be written, or somebody else goes
        on writing it.
    """
    path = path or ledger_path()
    with only_writer(path):  # from reading to writing: else what another adds in between would be lost
        return _added(content, kind=kind, path=path, day=(today or date.today()).isoformat())


def _added(content: Mapping[str, Any], *, kind: Kind, path: Path, day: str) -> Entry:
    ledger = read_ledger(path)
    if ledger.entries and day < ledger.entries[-1].made_on:
        message = (
            f"The newest entry of {ledger.path.name} is of {ledger.entries[-1].made_on}, after {day}: check the clock "
            "of this computer. Nothing was written."
        )
        raise ProjectError(message)
    bare: dict[str, Any] = {
        "number": len(ledger.entries) + 1,
        "kind": kind,
        "made_on": day,
        "content": dict(content),
        "previous": ledger.head or FIRST,
    }
    made = {**bare, "hash": seal_of(bare)}
    old = ledger.path.read_text(encoding="utf-8") if ledger.entries else ""
    line = json.dumps(made, ensure_ascii=False, allow_nan=False)
    write_atomic(ledger.path, f"{old}{line}\n")
    return Entry(**made)
