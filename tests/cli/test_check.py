"""`outcomes check FILE`: exit codes, JSON, and a report in place of a traceback."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from outcomes_analysis.cli import main
from outcomes_analysis.project import project

EXAMPLE = project().path("data", "local", "example_place.csv")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["outcomes", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_a_valid_file_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "check", str(EXAMPLE)) == 0
    assert capsys.readouterr().out == "example_place.csv is valid: 10 figures.\n"
    assert run(monkeypatch, "check", str(EXAMPLE.with_suffix(".yml")), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": "example_place.csv",
        "valid": True,
        "figures": 10,
        "faults": [],
        "notes": [],
    }


def test_a_faulty_file_ends_with_2_and_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("indicator,area,period,value\nmine,Hackny,45382,45%\n", encoding="utf-8")
    assert run(monkeypatch, "check", str(path)) == 2
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.splitlines()[0] == "mine.csv cannot be used yet: 3 kinds of fault."
    assert "column area: a name of no area in England, in 1 row (2 (Hackney?))." in told.out
    assert run(monkeypatch, "check", str(path), "--json") == 2
    assert len(json.loads(capsys.readouterr().out)["faults"]) == 3


def test_a_file_that_is_not_there_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "check", str(tmp_path / "none.csv")) == 2
    assert "cannot be read" in capsys.readouterr().out
