"""Readers on files that are damaged, changed or hostile: a plain error that names the file, the place and what there is."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import OutcomesWarning, SourceError
from outcomes_analysis.sources import tables
from outcomes_analysis.sources.cells import EES_SYMBOLS, join_flags, parse_cells
from outcomes_analysis.sources.raw_frame import excluded_rows
from outcomes_analysis.sources.reading import read_all, read_source
from outcomes_analysis.sources.registry import Registry
from outcomes_analysis.sources.tables import read_csv, read_sheet

EES_HEAD = "time_period,time_identifier,geographic_level,country_code,region_code,old_la_code,la_name,new_la_code,topic,n,pct\n"
EES_ROWS = (
    "2024,Reporting year,National,E92000001,,,,,A,10,5\n"
    "2024,Reporting year,Regional,E92000001,E12000001,,,,A,4,6\n"
    "2024,Reporting year,Local authority,E92000001,E12000001,390,Gateshead,E08000037,A,c,z\n"
)
SHARE: dict[str, Any] = {
    "indicator": "share",
    "period_kind": "march_31",
    "select": {"topic": "A"},
    "value": "pct",
    "numerator": "n",
}

Write = Callable[[str, str], Path]


def cells(*texts: str) -> pd.Series:
    return pd.Series(list(texts), dtype="str")


def test_symbols_and_numbers() -> None:
    known = ["c", "z", "x", ":", "b", "u", "low", "k", "~", "0", "-1.5", "60,817", " 7 ", "1e2", ".5"]
    parsed = parse_cells(cells(*known), symbols=EES_SYMBOLS, where="file")
    assert parsed["status"].tolist() == [
        *["suppressed", "not_applicable", "not_available", "not_available", "not_available", "not_available"],
        *["published"] * 9,
    ]
    assert parsed["flags"].tolist() == [
        "",
        "",
        "",
        "",
        "",
        "low_reliability",
        "rounded",
        "rounded",
        "rounded",
        *[""] * 6,
    ]
    numbers = [np.nan] * 6 + [0, 0, 0, 0, -1.5, 60_817, 7, 100, 0.5]
    np.testing.assert_array_equal(parsed["number"], numbers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "C",
        "nan",
        "NaN",
        "inf",
        "-",
        "n/a",
        "1,2",
        "1,23,456",
        "1.2.3",
        "5%",
        "£5",
        "0x10",
        "1_000",
        "=1+1",
        "١٢",
        "1 000",
    ],
)
def test_an_unknown_symbol_names_file_rows_and_symbol(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_cells(cells("1", text, "2", text), symbols=EES_SYMBOLS, where="ks2.csv, column pct")
    assert "ks2.csv, column pct: 2 cells hold neither a number nor a known symbol" in str(caught.value)
    assert f"{text!r} (rows 3, 5)" in str(caught.value)
    assert "c, z, x" in str(caught.value)


def test_a_number_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(SourceError, match="too large"):
        parse_cells(cells("1e999"), symbols=EES_SYMBOLS, where="file")


def test_flags_are_merged_sorted_and_once() -> None:
    merged = join_flags(cells("rounded", "", "revised"), cells("revised", "", "revised"), cells("", "", "capped"))
    assert merged.tolist() == ["revised;rounded", "", "capped;revised"]


DAMAGED = {
    "short row": ("a,b,c\n1,2,3\n1,2\n", "1 row does not have 3 cells as the headings do (row 3 has 2)"),
    "cut off": ("a,b\n1,2\n1,2\n3", "1 row does not have 2 cells as the headings do (row 4 has 1)"),
    "long row": ("a,b\n1,2\n1,2,3\n", "row 3 has 3"),
    "open quote": ('a,b\n"1,2\n3,4\n', "damaged"),
    "web page": (
        "\n<!DOCTYPE html><html><body>Sign in to the proxy",
        "is a web page, not data. It begins: <!DOCTYPE html>",
    ),
    "xhtml": ('<?xml version="1.0"?><html><body>Sign in', "is a web page"),
    "headings only": ("a,b\n", "has headings but no rows. Headings: a, b"),
    "empty": ("", "is empty"),
    "no table": ("hello\nworld\n", "not a CSV file"),
    "json": ('{"a": [1],\n"b": 3}', "damaged"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_csv_file(case: str, write: Write) -> None:
    text, message = DAMAGED[case]
    with pytest.raises(SourceError, match=re.escape(message)):
        read_csv(write("file.csv", text))


def test_a_csv_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("a,b\nCafé,1\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"file\.csv is not a readable CSV file in UTF-8"):
        read_csv(path)


def test_cells_are_kept_as_published(write: Write) -> None:
    table = read_csv(write("file.csv", '\ufeff"a", b ,b\nNA,"x, ""y""\nz",\n007,,null\n'))
    assert table.columns.tolist() == ["a", "b", "b.1"]
    assert table.to_numpy().tolist() == [["NA", 'x, "y"\nz', ""], ["007", "", "null"]]


def test_a_file_larger_than_any_of_these_is_not_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("file.csv", "a,b\n1,2\n3,4\n")
    monkeypatch.setattr(tables, "MAX_BYTES", 5)
    with pytest.raises(SourceError, match="more than the 5 that are read"):
        read_csv(path)
    monkeypatch.setattr(tables, "MAX_BYTES", 500)
    monkeypatch.setattr(tables, "MAX_ROWS", 1)
    with pytest.raises(SourceError, match="more than 1 rows"):
        read_csv(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Fetch the sources again"):
        read_csv(tmp_path / "none.csv")


def test_a_workbook_that_unpacks_to_far_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 1_000_000)
    monkeypatch.setattr(tables, "MAX_BYTES", 100_000)
    with pytest.raises(SourceError, match="unpacks to 1,000,000 bytes"):
        read_sheet(path, "IDACI")


def test_what_is_no_workbook(write: Write) -> None:
    with pytest.raises(SourceError, match="not an Excel workbook"):
        read_sheet(write("file.xlsx", "a,b\n1,2\n"), "IDACI")


def test_missing_sheet_and_column_are_named_with_those_there_are(mirror: Path, register: Any) -> None:
    path = "deprivation/iod2019_file11_utla.xlsx"

    def idaci(sheet: str, column: str) -> pd.DataFrame:
        select = {"sheet": sheet, "column": column}
        series = {"indicator": "idaci_2019", "period_kind": "calendar", "select": select}
        return read_source(mirror / path, register("deprivation_2019", path, series))

    with pytest.raises(SourceError, match=r"no sheet 'IDAKI'. There are: Notes, IMD, Income"):
        idaci("IDAKI", "x")
    with pytest.raises(
        SourceError, match=r"sheet IDACI: no column 'Average'. The columns are: .*IDACI - Average score"
    ):
        idaci("IDACI", "Average")
    with pytest.raises(SourceError, match="neither a number nor a known symbol: 'Hartlepool'"):
        idaci("IDACI", "Upper Tier Local Authority District name (2019)")


def test_levels_and_symbols_of_an_open_data_file(write: Write, register: Any) -> None:
    school = "2024,Reporting year,School,E92000001,E12000001,390,Gateshead,E08000037,A,1,1\n"
    path = write("ees.csv", "\ufeff" + EES_HEAD + EES_ROWS + school)
    raw = read_source(path, register("ees", "ees.csv", SHARE))
    assert raw["published_code"].tolist() == ["E92000001", "E12000001", "E08000037"]
    assert raw["status"].tolist() == ["published", "published", "not_applicable"]
    assert raw["numerator"].isna().tolist() == [False, False, True]
    assert excluded_rows(raw)[["reason", "rows"]].to_numpy().tolist() == [["level of area is not read", 1]]


def test_columns_in_any_order(write: Write, register: Any) -> None:
    frame = read_csv(write("ees.csv", EES_HEAD + EES_ROWS))
    other = frame[frame.columns[::-1]]
    path = write("other.csv", other.to_csv(index=False))
    first, second = (read_source(p, register("ees", "ees.csv", SHARE)) for p in (path.with_name("ees.csv"), path))
    pd.testing.assert_frame_equal(first, second)


def test_the_final_version_is_kept_over_the_revised(write: Write, register: Any) -> None:
    head = EES_HEAD.replace(",topic,", ",topic,version,")
    row = "{},Academic year,Local authority,E92000001,E12000001,390,Gateshead,E08000037,A,{},1,{}\n"
    rows = [
        ("202223", "Revised", 50),
        ("202223", "Final", 51),
        ("202324", "Revised", 60),
        ("202324", "Provisional", 59),
    ]
    path = write("ees.csv", head + "".join(row.format(*r) for r in rows))
    raw = read_source(path, register("ees", "ees.csv", SHARE | {"period_kind": "academic"}))
    assert raw[["period", "value", "flags"]].to_numpy().tolist() == [["2022/23", 51, ""], ["2023/24", 60, "revised"]]
    assert excluded_rows(raw)[["reason", "rows"]].to_numpy().tolist() == [["superseded version", 2]]
    strange = write("strange.csv", head + row.format("202223", "Draft", 1))
    with pytest.raises(SourceError, match=r"column version: unknown 'Draft'. Known are Final, Revised, Provisional"):
        read_source(strange, register("ees", "ees.csv", SHARE | {"period_kind": "academic"}))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown column": ({"value": "percent"}, r"no column 'percent'. The columns are: .*, n, pct"),
    "two unknown names": ({"value": ["percent", "share"]}, r"no column 'percent', 'share'"),
    "unknown filter": ({"select": {"subject": "A"}}, r"no column 'subject'. The columns are: .*topic"),
    "unknown value": ({"select": {"topic": "B"}}, r"no row has topic = 'B'. The values there are: 'A'"),
    "second filter": (
        {"select": {"topic": "A", "geographic_level": "School"}},
        r"no row has geographic_level = 'School'.*'National', 'Regional', 'Local authority'",
    ),
    "years": ({"first_period": 2030}, r"no period from 2030 to .*covers 2024 to 2024"),
    "level": ({"level": "district"}, r"no area of level 'district'. The codes are: E92000001"),
    "kind": ({"period_kind": "pooled_calendar"}, r"ees\.csv .*2024"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_asked_for_and_not_there(case: str, write: Write, register: Any) -> None:
    change, message = REFUSED[case]
    path = write("ees.csv", EES_HEAD + EES_ROWS)
    with pytest.raises(SourceError, match=message) as caught:
        read_source(path, register("ees", "ees.csv", SHARE | change))
    assert "ees.csv" in str(caught.value)


def test_the_first_column_that_is_there_is_used(write: Write, register: Any) -> None:
    path = write("ees.csv", EES_HEAD + EES_ROWS)
    raw = read_source(
        path, register("ees", "ees.csv", SHARE | {"value": ["gld_children_percent", "pct"], "factor": 10})
    )
    assert raw["value"].tolist()[:2] == [50, 60]


def test_rows_without_an_area_code(write: Write, register: Any) -> None:
    path = write("ees.csv", EES_HEAD + EES_ROWS.replace("E08000037", ""))
    with pytest.raises(SourceError, match=r"1 rows of level 'Local authority' have no new_la_code \(rows 4\)"):
        read_source(path, register("ees", "ees.csv", SHARE))


def test_an_open_data_file_without_area_columns(write: Write, register: Any) -> None:
    path = write("ees.csv", (EES_HEAD + EES_ROWS).replace("new_la_code", "la_gss"))
    with pytest.raises(SourceError, match=r"level 'Local authority': no column 'new_la_code'. The columns are"):
        read_source(path, register("ees", "ees.csv", SHARE))


def test_one_area_with_two_values(write: Write, register: Any) -> None:
    again = "2024,Reporting year,Regional,E92000001,E12000001,,,,A,4,7\n"
    path = write("ees.csv", EES_HEAD + EES_ROWS + again)
    with pytest.raises(SourceError, match="1 areas have two different values for one period: E12000001 2024-03-31"):
        read_source(path, register("ees", "ees.csv", SHARE))


def lait_table(folder: Path, **columns: Any) -> Path:
    made = {
        "Short Desc": ["A", "A", "A"],
        "Years": ["2024", "2025 (prov)", "0"],
        "LA Number": [301.0, 301.0, 301.0],
        "Values": ["1", "-", "3"],
    }
    path = folder / "lait.parquet"
    pd.DataFrame(made | columns).to_parquet(path)
    return path


def lait_series(name: str) -> dict[str, Any]:
    return {"indicator": "share", "period_kind": "academic", "select": {"series": name}}


def test_a_year_that_is_none_is_left_out_counted_and_said(tmp_path: Path, register: Any) -> None:
    path = lait_table(tmp_path)
    with pytest.warns(OutcomesWarning, match="1 rows left out, their period names no year .*'0'"):
        raw = read_source(path, register("lait", "lait.parquet", lait_series("A")))
    assert raw["status"].tolist() == ["published", "not_available"]
    assert raw["flags"].tolist() == ["", "provisional"]
    assert excluded_rows(raw)["rows"].tolist() == [1]
    with pytest.raises(SourceError, match="no row names a year"):
        read_source(lait_table(tmp_path, Years=["0"] * 3), register("lait", "lait.parquet", lait_series("A")))


def test_the_real_measure_without_years_is_refused(mirror: Path, register: Any) -> None:
    path = "dfe_lait/bds_long_0.parquet"
    with pytest.warns(OutcomesWarning, match="170 rows left out"):
        raw = read_source(mirror / path, register("lait", path, lait_series("CINPermExclusion")))
    assert excluded_rows(raw)["rows"].tolist() == [170]


def test_a_measure_that_is_not_there(mirror: Path, register: Any) -> None:
    path = "dfe_lait/bds_long_0.parquet"
    with pytest.raises(
        SourceError, match=r"2 of the measures asked for .* 434: 'CPP_rates' \(did you mean CPP_rate"
    ) as caught:
        read_source(
            mirror / path, register("lait", path, lait_series("CPP_rates"), lait_series("LAC"), lait_series("?"))
        )
    assert "'?'" in str(caught.value)


def test_what_is_no_table_of_the_tool(tmp_path: Path, write: Write, register: Any) -> None:
    with pytest.raises(SourceError, match="not a readable parquet file"):
        read_source(write("lait.parquet", "a,b\n"), register("lait", "lait.parquet", lait_series("A")))
    other = lait_table(tmp_path, Values=["1", "?", "3"])
    with (
        pytest.raises(SourceError, match=r"measure A, column Values: 1 cells .*'\?'"),
        pytest.warns(OutcomesWarning),
    ):
        read_source(other, register("lait", "lait.parquet", lait_series("A")))
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(SourceError, match="no column 'Short Desc', 'Years', 'Values', 'LA Number'"):
        read_source(tmp_path / "x.parquet", register("lait", "x.parquet", lait_series("A")))


ONS_HEAD = "areacd,areanm,geography,indicator,period,observation,measure,unit,lci_95,uci_95,status,notes\n"
ONS_ROW = "E06000001,Hartlepool,UA,I,2023-09-01/P1Y,{},Percentage,%,,,{},\n"
ONS: dict[str, Any] = {"indicator": "share", "period_kind": "academic", "select": {"indicator": "I"}}


@pytest.mark.parametrize(
    ("observation", "status", "message"),
    [
        ("", "", r"1 observations are empty and no status says why \(rows 2\)"),
        ("", "q", r"column status: 1 cells .*'q'"),
        ("5", "q", "carry a symbol that is not known beside a number: q"),
        ("5 %", "", "column observation: 1 cells"),
    ],
)
def test_ons_cells_that_do_not_explain_themselves(
    observation: str, status: str, message: str, write: Write, register: Any
) -> None:
    path = write("ons.csv", ONS_HEAD + ONS_ROW.format(observation, status))
    with pytest.raises(SourceError, match=message):
        read_source(path, register("ons", "ons.csv", ONS))


def test_ons_measures_are_not_mixed(write: Write, register: Any) -> None:
    rows = ONS_ROW.format("5", "") + ONS_ROW.format("0.05", "").replace("Percentage", "Share")
    path = write("ons.csv", ONS_HEAD + rows)
    with pytest.raises(SourceError, match=r"rows of 2 values of measure are mixed .*Select one"):
        read_source(path, register("ons", "ons.csv", ONS))
    raw = read_source(path, register("ons", "ons.csv", ONS | {"select": {"measure": "Share"}}))
    assert raw["value"].tolist() == [0.05]


def test_fingertips_groups_are_not_mixed(mirror: Path, register: Any) -> None:
    path = "ohid_fingertips/90284_injuries_0_14.csv"
    series = {"indicator": "inj_0_14", "period_kind": "financial", "select": {"Age": "<15 yrs"}}
    with pytest.raises(SourceError, match=r"rows of 3 values of Sex are mixed \(Persons, Male, Female\)"):
        read_source(mirror / path, register("fingertips", path, series))


def test_a_source_without_figures_is_not_read(mirror: Path, register: Any) -> None:
    path = "boundaries/rgn_dec2023_en_buc.geojson"
    with pytest.raises(SourceError, match="gives no observations"):
        read_source(mirror / path, register("boundaries", path))


def test_every_source_that_fails_is_named_at_once(write: Write, register: Any) -> None:
    good = write("good.csv", EES_HEAD + EES_ROWS)
    sources = (
        register("ees", "good.csv", SHARE, id="good"),
        register("ees", "bad.csv", SHARE | {"value": "nothing"}, id="bad"),
        register("ees", "absent.csv", SHARE, id="absent"),
        register("ees", "other.csv", SHARE | {"role": "cross_check"}, id="other"),
    )
    registry = Registry(sources=sources)
    with pytest.raises(SourceError, match="2 problems") as caught:
        read_all({"good": good, "bad": good, "other": good}, registry)
    assert "no column 'nothing'" in str(caught.value)
    assert "no file for source 'absent'" in str(caught.value)
    told: list[tuple[str, int, int]] = []
    checks = read_all({"other": good}, registry, role="cross_check", progress=lambda *seen: told.append(seen))
    assert told == [("other", 1, 1)]
    assert set(checks["source_id"]) == {"other"}
    with pytest.raises(SourceError, match="No source of the registry has a series"):
        read_all({}, Registry(sources=(sources[3],)))


def test_an_unreliable_number_is_flagged_and_kept(write: Write, register: Any) -> None:
    rows = ONS_ROW.format("5", "u") + ONS_ROW.format("", "u").replace("E06000001", "E06000002")
    raw = read_source(write("ons.csv", ONS_HEAD + rows), register("ons", "ons.csv", ONS))
    assert raw["status"].tolist() == ["published", "not_available"]
    assert raw["flags"].tolist() == ["low_reliability", "low_reliability"]


def test_rows_of_quintiles_and_wards_are_not_areas(mirror: Path, register: Any) -> None:
    path = "district_tables/obese_reception.csv"
    name = "Reception prevalence of obesity (including severe obesity), {} years data combined"
    base = {"indicator": "share", "period_kind": "academic", "level": "both"}
    for years in (5, 3):  # the first has quintiles alone, the second wards alone
        series = base | {"select": {"indicator": name.format(years)}}
        with pytest.raises(
            SourceError, match=r"every row selected is of a deprivation quintile \(\d+\) or a ward \(\d+\)"
        ):
            read_source(mirror / path, register("districts", path, series))


def test_quintiles_and_wards_are_counted(write: Write, register: Any) -> None:
    head = "area_code,area_name,period,indicator,value,inequality\n"
    rows = ["E92000001,England,2023/24,I,10,NA", "E92000001,England,2023/24,I,12,Most deprived quintile"]
    rows += ["E05000001,A ward,2023/24,I,9,NA", "E06000001,Hartlepool,2023/24,I,NA,NA"]
    series = {"indicator": "share", "period_kind": "academic", "select": {"indicator": "I"}}
    raw = read_source(write("d.csv", head + "\n".join(rows)), register("districts", "d.csv", series))
    assert raw[["published_code", "status"]].to_numpy().tolist() == [
        ["E92000001", "published"],
        ["E06000001", "not_available"],
    ]
    left = excluded_rows(raw).set_index("reason")["rows"].to_dict()
    assert left == {"row of a deprivation quintile, not of an area": 1, "area is a ward": 1}
