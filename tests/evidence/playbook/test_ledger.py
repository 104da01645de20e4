"""The ledger only grows; whatever is altered, taken out, put in or moved shows, and so does a seal that is gone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outcomes_analysis.errors import ProjectError
from outcomes_analysis.evidence.playbook.ledger import FIRST, append, read_ledger, seal_of
from outcomes_analysis.provenance import only_writer

DAY = date(2026, 1, 5)


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A ledger of two predictions and a score of the first."""
    path = tmp_path / "deep" / "ledger.jsonl"
    append({"what": "a", "estimate": 0.5}, kind="seal", path=path, today=DAY)
    append({"what": "b", "words": "caf\u00e9 \u2212"}, kind="seal", path=path, today=DAY)
    append({"of": 1, "true": True}, kind="score", path=path, today=date(2027, 1, 5))
    return path


def test_entries_are_chained_by_sha256_of_what_stands_in_them(three: Path) -> None:
    ledger = read_ledger(three)
    assert [entry.number for entry in ledger.entries] == [1, 2, 3]
    before = FIRST
    for line in three.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        told = entry.pop("hash")
        plain = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert hashlib.sha256(plain.encode()).hexdigest() == told
        assert entry["previous"] == before
        before = told
    assert ledger.head == before
    assert [entry.number for entry in ledger.open] == [2]


def test_appending_leaves_what_is_there_byte_for_byte(three: Path) -> None:
    before = three.read_bytes()
    append({"what": "c"}, kind="seal", path=three, today=date(2027, 1, 5))
    assert three.read_bytes().startswith(before)


def changed(edit: Callable[[list[str]], list[str]], path: Path) -> None:
    path.write_text("".join(f"{line}\n" for line in edit(path.read_text(encoding="utf-8").splitlines())))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda x: [x[0].replace("0.5", "0.6"), *x[1:]], "entry 1: it was altered since it was sealed. None stands"),
        (lambda x: [x[0], x[1].replace("2026", "2025"), x[2]], "entry 2: it was altered .* 1 entry before it stands"),
        (lambda x: x[1:], "entry 1: an entry before it was altered, taken out, put in or moved"),
        (lambda x: [x[0], x[2]], "entry 2: an entry before it was altered, taken out"),
        (lambda x: [x[1], x[0], x[2]], "entry 1: an entry before it was altered, taken out, put in or moved"),
        (lambda x: [x[0], x[0], *x[1:]], "entry 2: an entry before it was altered, taken out, put in or moved"),
        (lambda x: [*x, "{}"], "entry 4: it cannot be read. 3 entries before it stand"),
        (lambda x: [*x, ""], "entry 4: it cannot be read"),
        (lambda x: [x[0], "[" * 100_000, x[2]], "entry 2: it cannot be read"),
    ],
)
def test_tampering_is_shown_with_what_still_stands(
    three: Path, edit: Callable[[list[str]], list[str]], said: str
) -> None:
    changed(edit, three)
    with pytest.raises(ProjectError, match=said):
        read_ledger(three)
    before = three.read_bytes()
    with pytest.raises(ProjectError, match="entry"):
        append({"what": "d"}, kind="seal", path=three, today=date(2028, 1, 1))
    assert three.read_bytes() == before, "nothing is added to a broken chain"


def test_an_entry_altered_and_sealed_anew_breaks_the_next(three: Path) -> None:
    """Whoever alters an entry can make its own hash good, but the one after it still names the old."""

    def forged(lines: list[str]) -> list[str]:
        entry = json.loads(lines[0])
        entry["content"]["estimate"] = 0.9
        return [json.dumps({**entry, "hash": seal_of(entry)}), *lines[1:]]

    changed(forged, three)
    with pytest.raises(ProjectError, match="entry 2: an entry before it was altered, taken out, put in or moved"):
        read_ledger(three)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_other_character_anywhere_is_found(three: Path, data: st.DataObject) -> None:
    """Any one character changed breaks the chain."""
    text = three.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from('0123456789abcdefx{}:," \u2212'))
    copy = three.with_name("copy.jsonl")
    copy.write_text(text[:at] + other + text[at + 1 :], encoding="utf-8")
    if text[at] == other:
        assert len(read_ledger(copy).entries) == 3
        return
    try:
        found = read_ledger(copy)
    except ProjectError:
        return
    # a space beside a comma may change into nothing that JSON minds: what is said is still the same
    assert found.entries == read_ledger(three).entries


def test_a_ledger_made_anew_does_not_hold_the_seal_told_earlier(three: Path) -> None:
    """Cutting off the end cannot be seen from the file alone: the seal given to somebody else shows it."""
    seal = read_ledger(three).entries[1].hash
    assert read_ledger(three).holding(seal[:12]).number == 2
    changed(lambda lines: lines[:1], three)
    assert len(read_ledger(three).entries) == 1
    with pytest.raises(ProjectError, match="cut off since"):
        read_ledger(three).holding(seal)
    with pytest.raises(ProjectError, match="twelve characters"):
        read_ledger(three).holding("")


def test_dates_do_not_run_backwards(three: Path) -> None:
    with pytest.raises(ProjectError, match="check the clock"):
        append({"what": "e"}, kind="seal", path=three, today=date(2026, 12, 31))


def test_no_file_is_an_empty_ledger_and_another_file_is_refused(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none.jsonl").entries == ()
    (tmp_path / "other.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProjectError, match="cannot be read as a ledger"):
        read_ledger(tmp_path / "other.bin")
    with pytest.raises(ProjectError, match="cannot be read as a ledger"):
        read_ledger(tmp_path)


#: Adds ten entries of its own as soon as the other is there too.
WRITER = """
import sys, time
from datetime import date
from pathlib import Path
from outcomes_analysis.evidence.playbook.ledger import append
path, name, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
path.with_name(name).touch()
while not path.with_name(other).exists():
    time.sleep(0.005)
for i in range(10):
    append({"what": name, "place": i}, kind="seal", path=path, today=date(2026, 1, 5))
"""
#: Takes the lock, says so and keeps it.
HOLDER = """
import sys, time
from pathlib import Path
from outcomes_analysis.provenance import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def _started(script: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *words], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow  # each process loads the package
def test_two_who_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    both = [_started(WRITER, str(path), *names) for names in (("a", "b"), ("b", "a"))]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    entries = read_ledger(path).entries  # and the chain holds
    assert len(entries) == 20
    for name in ("a", "b"):
        assert [e.content["place"] for e in entries if e.content["what"] == name] == list(range(10))


def test_a_ledger_that_somebody_else_goes_on_writing_is_left_alone_until_they_stop(three: Path) -> None:
    before = three.read_bytes()
    holder = _started(HOLDER, str(three))
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = r"Somebody else has been writing .*ledger\.jsonl for 0\.2 seconds"
        with pytest.raises(ProjectError, match=said), only_writer(three, wait=0.2):
            raise AssertionError
        assert three.read_bytes() == before
        assert len(read_ledger(three).entries) == 3, "reading goes on"
    finally:
        holder.kill()  # not let go of, and yet free
        holder.wait(timeout=60)
    with only_writer(three, wait=5), only_writer(three, wait=0):  # one thread may hold it twice
        append({"what": "c"}, kind="seal", path=three, today=date(2027, 1, 5))
    assert len(read_ledger(three).entries) == 4
