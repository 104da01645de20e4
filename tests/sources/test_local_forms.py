"""Forms that people fill in: every fault with row, column and remedy, no cell repeated, never a traceback."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outcomes_analysis.errors import SourceError
from outcomes_analysis.project import project
from outcomes_analysis.sources import local_forms
from outcomes_analysis.sources.hypothesis_form import check_hypotheses, load_hypotheses
from outcomes_analysis.sources.vetting import FileReport

EXAMPLE = project().path("data", "local", "example_hypotheses.csv")
HEAD = "from,to,sign,whose,from_indicator,to_indicator\n"
GOOD = "absence,results,-,a workshop,persistent_absence,attainment8\n"
Check = Callable[..., FileReport]


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    def make(content: str | bytes) -> FileReport:
        path = tmp_path / "mine.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return check_hypotheses(path)[0]

    return make


def test_the_worked_example_is_valid_and_marked_as_one() -> None:
    report, links = check_hypotheses(EXAMPLE)
    assert report.text == "example_hypotheses.csv is valid: 13 hypotheses."
    assert {link.whose for link in links} == {"example (illustrative)"}


def test_signs_headings_and_ids_in_the_ways_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "\ufeffFrom,To,Polarity,By whom\nattainment8,b,+,us\nattainment8,c,\u2212,us\nc,b,Minus,us\nb,d,same,us\n",
        encoding="utf-8",
    )
    links = load_hypotheses(path)
    assert [link.sign for link in links] == [1, -1, -1, 1]
    assert [link.start_indicator for link in links] == ["attainment8", "attainment8", "", ""]
    assert links[1].says == "more \u201cattainment8\u201d goes with less \u201cc\u201d"


CASES: dict[str, tuple[str, str]] = {
    "sign": ("absence,results,?,us,,", "column sign: a sign that is neither + nor -, in 1 row (2)"),
    "no sign": ("absence,results,,us,,", "column sign: nothing in a cell that is needed"),
    "nobody": ("absence,results,-,,,", "column whose: nothing in a cell that is needed"),
    "indicator": ("absence,results,-,us,absense,", "column from_indicator: an indicator that is not known"),
    "formula": ('"=HYPERLINK(""x"")",results,-,us,,', "column from: a formula"),
    "attack": ("absence,@SUM(1+1),-,us,,", "column to: a formula"),
    "long": (f"{'a' * 81},results,-,us,,", "column from: a text that is too long"),
    "unprintable": ("abs\x07ence,results,-,us,,", "column from: characters that cannot be printed"),
    "itself": ("absence,absence,-,us,,", "whole rows: a link from a thing to itself"),
    "same indicator": ("x,y,-,us,attainment8,attainment8", "a link from a thing to itself"),
    "cells": ("absence,results,-", "more or fewer cells than there are headings"),
    "pupil": ("absence,A123456789012,-,us,,", "unique pupil number in 1 row"),
    "born": ("absence,results,-,us,,2012-03-04", "date of birth in 1 row"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_told_with_row_column_and_remedy(case: str, checked: Check) -> None:
    line, said = CASES[case]
    report = checked(HEAD + line + "\n")
    assert not report.valid
    assert len(report.faults) == 1, report.text
    assert said in report.faults[0]
    assert report.faults[0].count(". ") >= 1  # a remedy follows
    cells = [c for c in line.replace('"', "").split(",") if len(c) > 4 and c not in ("absence", "results")]
    assert not any(cell in report.text for cell in cells)


def test_a_thing_stands_for_one_indicator_and_a_link_is_named_once(checked: Check) -> None:
    two = HEAD + GOOD + "absence,other,-,us,severe_absence,\n"
    assert "stands for another indicator elsewhere, in 1 row (3)" in checked(two).text
    assert "the same link of the same people twice, in 1 row (3)" in checked(HEAD + GOOD + GOOD).text
    assert checked(HEAD + GOOD + GOOD.replace("a workshop", "others")).valid


def test_headings_are_looked_for_and_missed_ones_named(checked: Check) -> None:
    assert "no column whose" in checked("from,to,sign\na,b,+\n").text
    assert "the headings stand in row 2" in checked("Our loop,,,\nfrom,to,sign,whose\na,b,+,us\n").text
    pupil = checked("from,to,sign,whose,UPN\na,b,+,us,\na,c,+,us,A123456789012\n")
    assert "unique pupil number" in pupil.text
    assert "A123" not in pupil.text
    assert "there is no row below the headings" in checked(HEAD).text


def test_other_files_and_long_ones_are_reports(checked: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Excel workbook" in checked(b"PK\x03\x04rest").text
    assert "empty" in checked(b"").text
    assert "another encoding" in checked("from,to".encode("utf-16")).text
    assert "characters that are not UTF-8" in checked(HEAD.encode() + b"caf\xe9,b,+,us,,\n").text
    assert not check_hypotheses("nowhere.csv")[0].valid
    monkeypatch.setattr(local_forms, "MOST_LINES", 3)
    many = HEAD + "".join(f"a{k},b,+,us,,\n" for k in range(4))
    assert "more than 3 lines; reading stopped there." in checked(many).text
    assert checked(HEAD + "".join(f"a{k},b,+,us,,\n" for k in range(3))).valid


def test_a_faulty_file_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(HEAD + "a,b,?,us,,\n")
    with pytest.raises(SourceError, match="cannot be used yet: 1 kind of fault"):
        load_hypotheses(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400) | st.text(max_size=400).map(lambda s: (HEAD + s).encode("utf-8", "replace")))
def test_whatever_is_in_a_file_it_is_a_report(content: bytes, checked: Check) -> None:
    report = checked(content)
    assert report.valid == (not report.faults)
    assert report.text


def test_a_damaged_example_is_a_report(checked: Check) -> None:
    rng = random.Random(4)
    whole = EXAMPLE.read_bytes()
    for _ in range(60):
        at = rng.randrange(len(whole))
        assert checked(whole[:at] + bytes([rng.randrange(256)]) + whole[at + rng.randrange(3) :]).text
