"""Local files: a report to act on for whatever is in them, never a traceback, never the content of a cell."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcomes_analysis.project import project
from outcomes_analysis.sources import local_lines
from outcomes_analysis.sources.local_headings import letter
from outcomes_analysis.sources.personal import personal_cell, personal_headings
from outcomes_analysis.sources.vetting import FileReport, check_file

HEAD = "indicator,area,period,value\n"
EXAMPLE = project().path("data", "local", "example_place.csv")
OVERLAY = Path(__file__).with_name("overlay.yml").read_text(encoding="utf-8")


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., FileReport]:
    """Write a CSV with an overlay beside it and check it."""

    def make(content: str | bytes, *, overlay: str = OVERLAY) -> FileReport:
        if overlay:
            (tmp_path / "here.yml").write_text(overlay, encoding="utf-8")
        path = tmp_path / "here.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return check_file(path)

    return make


def rows(*lines: str, head: str = HEAD) -> str:
    return head + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    "head", ["indicator,Local authority,Year,value,Notes", "Indicator_ID,council,time period,VALUE,note"]
)
def test_headings_that_councils_use_are_known(head: str, checked: Callable[..., FileReport]) -> None:
    assert checked(rows("here_pct,Hackney,2024,45.6,", head=f"{head}\n")).text == "here.csv is valid: 1 figure."


def test_the_worked_example_is_valid() -> None:
    assert check_file(EXAMPLE).text == "example_place.csv is valid: 10 figures."
    assert check_file(EXAMPLE.with_suffix(".yml")).valid


def test_a_good_file_in_the_ways_people_write_it(checked: Callable[..., FileReport]) -> None:
    report = checked(
        "\ufeffIndicator ID,Area Code,PERIOD,value,period kind,Note\r\n"
        "here_pct,Hackney,2024,45.6,,\r\nhere_pct,E09000012,2023/24,[c],academic,withheld\r\n"
        'here_pct,"Kingston upon Hull, City of",2024-03-31,7,,"one, two"\r\nhere_pct,204,2023/24,50,financial,\r\n\r\n,,,,,\r\n'
    )
    # Hackney by name, code and DfE code: financial and school year bear one label, so the last is told as the same.
    assert report.faults == (
        "whole rows: the same figure twice, in 1 row (5). Keep one row for each indicator, area, period and group; take "
        "the others out.",
    )


CASES: dict[str, tuple[str, str]] = {
    "code": ("here_pct,E09999999,2024,4", "column area: a code of no area in England, in 1 row (2)"),
    "name": ("here_pct,Hackny,2024,4", "column area: a name of no area in England, in 1 row (2 (Hackney?))"),
    "total": ("here_pct,TOTAL,2024,4", "a name of no area in England"),
    "Wales": ("here_pct,Cardiff,2024,4", "a name of no area in England"),
    "former": ("here_pct,Cumbria,2024,4", "an area that was merged or split"),
    "former code": ("here_pct,E10000006,2024,4", "an area that was merged or split"),
    "serial": ("here_pct,Hackney,45382,4", "column period: a spreadsheet's number for a date"),
    "month": ("here_pct,Hackney,Jan-24,4", "column period: a date as a spreadsheet writes it"),
    "British day": ("here_pct,Hackney,31/03/2024,4", "a date as a spreadsheet writes it"),
    "two kinds": ("here_pct,Hackney,2023/24,4", "a year that may be a school year or a financial year"),
    "period": ("here_pct,Hackney,last year,4", "a period that cannot be read"),
    "percent": ("here_pct,Hackney,2024,45%", "column value: a percent sign"),
    "thousands": ('here_pct,Hackney,2024,"1,234"', "a comma within a number"),
    "decimal comma": ('here_pct,Hackney,2024,"45,6"', "a comma within a number"),
    "scientific": ("here_pct,Hackney,2024,1.2E+05", "a number in scientific notation"),
    "word": ("here_pct,Hackney,2024,n/a", "column value: no number"),
    "not a number": ("here_pct,Hackney,2024,NaN", "column value: no number"),
    "infinite": ("here_pct,Hackney,2024,inf", "column value: no number"),
    "empty": ("here_pct,Hackney,2024,", "column value: nothing in a cell that is needed"),
    "range": ("here_pct,Hackney,2024,145", "a value outside the indicator's valid_range"),
    "formula": ("here_pct,Hackney,2024,=A1+1", "column value: a formula"),
    "attack": ("here_pct,@SUM(1),2024,4", "column area: a formula"),
    "attack by sign": ("here_pct,+cmd|' /C calc'!A0,2024,4", "column area: a formula"),
    "unknown": ("other_pct,Hackney,2024,4", "an indicator that the overlay does not define"),
    "core": ("gld_pct,Hackney,2024,4", "an indicator of the core"),
    "too few cells": ("here_pct,Hackney,2024", "more or fewer cells than there are headings"),
    "too many cells": ("here_pct,Hackney,2024,4,5", "more or fewer cells than there are headings"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_of_a_cell_is_told_with_row_column_and_remedy(case: str, checked: Callable[..., FileReport]) -> None:
    line, said = CASES[case]
    report = checked(rows(line))
    assert len(report.faults) == 1, report.text
    assert said in report.faults[0]
    assert report.faults[0].count(". ") >= 1  # a remedy follows
    cells = [c for c in line.replace('"', "").split(",") if len(c) > 4 and c not in ("here_pct", "Hackney")]
    assert not any(cell in report.text for cell in cells)


COUNTS: dict[str, tuple[str, str]] = {
    "negative": ("-3,10,,,", "column numerator: a negative count"),
    "part of a child": ("2.5,10,,,", "column numerator: a count that is not whole"),
    "more than all": ("12,10,,,", "a numerator above its denominator"),
    "apart": ("300,1000,,,", "a value that its numerator and denominator do not give"),
    "one bound": (",,40,,0.9", "an interval that does not hold the value"),
    "outside": (",,60,70,0.9", "an interval that does not hold the value"),
    "no level": (",,40,60,", "an interval without its level"),
    "level in per cent": (",,40,60,95", "an interval without its level"),
}


@pytest.mark.parametrize("case", COUNTS)
def test_counts_and_bounds_must_agree_with_the_value(case: str, checked: Callable[..., FileReport]) -> None:
    cells, said = COUNTS[case]
    head = "indicator,area,period,value,numerator,denominator,lower,upper,level\n"
    report = checked(rows(f"here_pct,Hackney,2024,50,{cells}", head=head))
    assert len(report.faults) == 1, report.text
    assert said in report.faults[0]


def test_rounded_counts_and_withheld_ones_are_no_fault(checked: Callable[..., FileReport]) -> None:
    head = "indicator,area,period,value,numerator,denominator\n"
    good = rows(
        "here_pct,Hackney,2024,33.3,35,105", "here_pct,Leeds,2024,c,c,40", "here_pct,Hull,2024,3,3,100", head=head
    )
    report = checked(good)
    assert report.valid, report.text
    # Counts of 1 to 5 are a note: what to do before the file is shown to others.
    assert "1 row rests on counts of 1 to 5" in report.notes[0]


def test_all_faults_at_once_five_rows_of_each(checked: Callable[..., FileReport]) -> None:
    lines = [f"here_pct,Hackney,{2000 + i},45%" for i in range(12)] + ["here_pct,Nowhere,2024,4"] * 2
    report = checked(rows(*lines))
    assert len(report.faults) == 2
    assert "in 12 rows (2, 3, 4, 5, 6 and 7 more)" in report.faults[0]
    assert "in 2 rows (14, 15)" in report.faults[1]
    assert json.loads(report.to_json())["valid"] is False


HEADINGS: dict[str, tuple[str, str]] = {
    "none": ("1,2,3\n4,5,6\n", "none of the first rows holds the headings"),
    "title above": (f"Our survey,,,\n,,,\n{HEAD}here_pct,Hackney,2024,4\n", "the headings stand in row 3"),
    "merged": ("indicator,area,period,,value\nhere_pct,Hackney,2024,,4\n", "no heading above column D (merged cells?)"),
    "missing": ("indicator,period,value\nhere_pct,2024,4\n", "no column area. Add it"),
    "unknown": (
        "indicator,area,period,value,Secret\nhere_pct,Hackney,2024,4,5\n",
        "the heading of column E is not known",
    ),
    "twice": ("indicator,area,period,value,value\nhere_pct,Hackney,2024,4,5\n", "value stands more than once"),
    "alone": (HEAD, "there is no row below the headings"),
}


@pytest.mark.parametrize("case", HEADINGS)
def test_headings(case: str, checked: Callable[..., FileReport]) -> None:
    content, said = HEADINGS[case]
    report = checked(content)
    assert any(said in fault for fault in report.faults), report.text
    assert "Secret" not in report.text


FORMATS: dict[str, tuple[bytes, str]] = {
    "workbook": (b"PK\x03\x04rest", "an Excel workbook"),
    "old workbook": (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
    "pdf": (b"%PDF-1.7", "a PDF"),
    "utf-16": ("indicator,area\n".encode("utf-16"), "UTF-16"),
    "bytes": (b"a,b\x00c", "not text at all"),
    "late bytes": (HEAD.encode() + b"x" * 5000 + b",\x00\n", "bytes that are no text"),
    "web page": (b"<!DOCTYPE html><html>", "a web page"),
    "semicolons": (b"indicator;area;period;value\n", "parted by semicolons"),
    "tabs": (b"indicator\tarea\n", "parted by semicolons or tabs"),
    "empty": (b"", "is empty"),
    "blank": (b"\n\n\n", "is empty"),
    "only commas": (b",,,\n,,,\n", "holds no rows"),
    "open quote": (HEAD.encode() + b'here_pct,"Hackney,2024,4\nhere_pct,Leeds,2024,5\n', "cells cannot be told apart"),
    "endless line": (HEAD.encode() + b"a" * 50_000, "longer than 20,000 characters"),
}


@pytest.mark.parametrize("case", FORMATS)
def test_files_of_other_formats(case: str, checked: Callable[..., FileReport]) -> None:
    content, said = FORMATS[case]
    report = checked(content)
    assert not report.valid
    assert any(said in fault for fault in report.faults), report.text


def test_mixed_encodings_name_their_rows(checked: Callable[..., FileReport]) -> None:
    content = HEAD.encode() + b"here_pct,Hackney,2024,4\n" + b"here_pct,C\xf4te,2024,4\n"
    report = checked(content)
    assert any("characters that are not UTF-8, in 1 row (3)" in fault for fault in report.faults), report.text


PERSONS: dict[str, str] = {
    "headings alone": "Forename,Surname,DOB\n",
    "pupil numbers": rows("here_pct,A123456789012,2024,4", "here_pct,H12345678901B,2024,4"),
    "NHS numbers": rows("here_pct,Hackney,2024,943 476 5919"),
    "dates of birth": rows("here_pct,03/04/2012,2024,4"),
    "whole postcodes": rows("here_pct,E8 1EA,2024,4"),
    "e-mail": rows("here_pct,jo.smith@example.org,2024,4"),
    "telephone": rows("here_pct,07700 900123,2024,4"),
    "names under a heading": rows("here_pct,Hackney,2024,4,Jo Smith", head="indicator,area,period,value,child name\n"),
    "no headings at all": "Jo,Smith,A123456789012,03/04/2012\nSam,Jones,B123456789012,05/06/2011\n",
    "in a note": rows("here_pct,Hackney,2024,4,E8 1EA", head="indicator,area,period,value,note\n"),
    "beside other faults": rows("nothing,Nowhere,never,x%", "here_pct,A123456789012,2024,4"),
    "in an old file": rows("here_pct,Hackney,2024,4") + "A123456789012,a,b\n",
}


@pytest.mark.parametrize("case", PERSONS)
def test_records_of_persons_are_refused_without_a_cell(case: str, checked: Callable[..., FileReport]) -> None:
    report = checked(PERSONS[case])
    assert len(report.faults) == 1
    assert report.faults[0].startswith("it looks like records of persons")
    assert report.rows == 0
    said = report.text + report.to_json()
    for line in PERSONS[case].splitlines()[0 if "headings" in case else 1 :]:
        for cell in line.split(","):
            assert len(cell) < 3 or cell in ("DOB",) or cell not in said, cell


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("9434765919", "NHS number"),  # the example number of the NHS Data Dictionary
        ("9434765918", ""),
        ("0000000000", ""),
        ("A123456789012", "unique pupil number"),
        ("E09000012", ""),
        ("Hackney", ""),
        ("2023/24", ""),
        ("1234567.5", ""),
        ("SW1A 1AA", "postcode"),
        ("SW1A", ""),
        ("QQ123456C", ""),  # no true prefix
        ("AB123456C", "National Insurance number"),
        ("2012-04-03", "date of birth"),
    ],
)
def test_what_looks_like_a_person(cell: str, kind: str) -> None:
    assert personal_cell(cell) == kind
    if kind == "date of birth":
        assert personal_cell(cell, dates=False) == ""


def test_headings_about_persons_in_any_spelling() -> None:
    found = personal_headings(["N.H.S. Number", "Date of Birth", "indicator", "Post-code", "Home Address", "area name"])
    assert found == {0: "NHS number", 1: "date of birth", 3: "postcode", 4: "address"}


def test_no_area_period_or_indicator_looks_like_a_person() -> None:
    from outcomes_analysis.areas.register import load_register
    from outcomes_analysis.framework import load_framework

    register = load_register()
    aliases = [a for text in register["aliases"] for a in text.split("|") if a]
    ids = [i.id for i in load_framework().indicators]
    for cell in [*register.index, *register["name"], *aliases, *register["dfe_code"], *ids]:
        assert personal_cell(cell) == "", cell


def test_a_file_without_end_is_left_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ten million rows: reading stops at the most rows, whatever follows."""
    monkeypatch.setattr(local_lines, "MOST_ROWS", 2_000)
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        block = "".join(f"here_pct,Hackney,2024,{i % 90}\n" for i in range(10_000))
        for _ in range(200):
            file.write(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = check_file(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert any("rows; reading stopped there" in fault for fault in report.faults)
    assert grown < 50_000  # kilobytes; the file has 50,000 too, of which a thousandth is read


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    assert "cannot be read" in check_file(tmp_path / "none.csv").text
    assert "cannot be read" in check_file(tmp_path).text


def test_without_an_overlay_it_says_what_could_not_be_checked(checked: Callable[..., FileReport]) -> None:
    report = checked(rows("anything,Hackney,2024,400"), overlay="")
    assert report.valid
    assert "no overlay" in report.notes[0]
    assert not checked(rows("gld_pct,Hackney,2024,40"), overlay="").valid


def test_a_faulty_overlay_is_told_with_its_line(checked: Callable[..., FileReport]) -> None:
    report = checked(rows("here_pct,Hackney,2024,4"), overlay=OVERLAY.replace("here_pct", "gld_pct"))
    assert not report.valid
    assert any(f.startswith("line 7, indicator 'gld_pct'") and "redefine" in f for f in report.faults), report.text


@given(st.binary(max_size=300))
def test_any_bytes_give_a_report(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(content)
        assert check_file(path).text


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=6), min_size=1, max_size=8), st.randoms())
def test_any_cells_give_a_report_that_repeats_none(cells: list[list[str]], chance: random.Random) -> None:
    import csv
    import tempfile

    marked = [[f"zq{chance.randrange(10**6)}{cell}" for cell in row] for row in cells]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
            csv.writer(file).writerows([["indicator", "area", "period", "value"], *marked])
        report = check_file(path)
    assert "zq" not in report.text
    assert "zq" not in report.to_json()


def test_letters_of_columns() -> None:
    assert [letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
