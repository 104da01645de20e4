"""The shared spreadsheet: what it says is what the profile has, it comes back whole, and every fault is named."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import SourceError
from outcomes_analysis.evidence.workbook import shared_workbook
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.overlay import with_overlay
from outcomes_analysis.places import area_profile, read_shared, shared_csv, shared_table
from outcomes_analysis.places.shared_sheet import COLUMNS, as_defined
from outcomes_analysis.project import project
from outcomes_analysis.sources.release import load_observations


@pytest.fixture(scope="module")
def profile():
    return area_profile("Hackney", period=2025)


@pytest.fixture(scope="module")
def table(profile):
    return shared_table(profile)


@pytest.fixture(scope="module")
def read():
    """Reader with the release opened once."""
    observations, framework = load_observations(), load_framework()

    def made(path, **more):
        return read_shared(path, **({"observations": observations, "framework": framework} | more))

    return made


def row_of(table: pd.DataFrame, name: str) -> pd.Series:
    return table.set_index("Indicator id").loc[name]


def test_one_row_an_indicator_with_what_was_asked_for(profile, table):
    assert tuple(table.columns) == COLUMNS
    assert list(table["Indicator id"]) == list(profile.table["indicator_id"])
    assert table.map(lambda cell: cell != "" and cell is not None).all().all()
    gld = row_of(table, "gld_pct")
    own = profile.table.set_index("indicator_id").loc["gld_pct"]
    assert (gld["Place"], gld["Area code"], gld["Layer"], gld["Unit"]) == (
        "Hackney",
        "E09000012",
        "children",
        "per cent",
    )
    assert (gld["Figure"], gld["England"], gld["Region"]) == tuple(
        round(own[c], 1) for c in ("value", "england", "region")
    )
    assert gld["Neighbours"] == round(own["neighbours_centre"], 1)
    assert gld["Who the neighbours are"].startswith("median of its statistical neighbours (Department for Education")
    assert (gld["Level"], gld["Verdict"]) == ("90%", "not clear")
    assert "England +" in gld["Trend"]
    assert "Department for Education" in gld["Source"]
    lacking = profile.table[profile.table["value"].isna()]["indicator_id"]
    for name in lacking:
        assert row_of(table, name)["Figure"] in ("[x]", "[c]", "[z]")
        assert row_of(table, name)["England"] == "[z]"
    assert len(lacking)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_it_comes_back_as_it_went(profile, table, read, tmp_path, kind):
    path = tmp_path / f"hackney.{kind}"
    path.write_bytes(shared_workbook(profile) if kind == "xlsx" else shared_csv(table).encode())
    back = read(path)
    pd.testing.assert_frame_equal(back.table, table, check_dtype=False)
    assert back.local.empty
    figures = int(profile.table["value"].notna().sum())
    assert f"holds {len(table)} rows for Hackney: {figures} figures of the core, each as published" in back.text


def test_same_profile_same_bytes(profile, table):
    assert shared_csv(table) == shared_csv(shared_table(profile))
    assert shared_workbook(profile) == shared_workbook(profile)


def test_no_cell_runs_as_a_formula(table, read, tmp_path):
    hostile = table.copy()
    hostile.loc[0, "What to mind"] = "=HYPERLINK(A1)"
    text = shared_csv(hostile)
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "+", "@")) or (cell[:1] == "-" and cell[1:2].isalpha()) for cell in row)
    path = tmp_path / "sheet.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match="1 row with a formula: copy the cells and paste them as values"):
        read(path)


FAULTS = [
    ({"Figure": "68.3"}, "a core figure for that period that is not the published one"),
    ({"England": "70"}, "a core england for that period that is not the published one"),
    ({"Period": "1999/00"}, "a core figure for that period that is not the published one"),
    ({"Figure": "most"}, "neither a number nor one of"),
    ({"Figure": ""}, "nothing under Figure: write \\[x\\]"),
    ({"Indicator id": "gld_of_ours"}, "an indicator id that is not defined: add it to an overlay first"),
    ({"Metric": "Readiness"}, "another Metric than the framework's, which no sheet redefines"),
    ({"Which way is better": "lower", "Domain": "Safe"}, "another Domain, Which way is better than the framework's"),
    ({"Area code": "E09999999"}, "an area code of no place in England"),
    ({"Place": "Islington"}, "a place and an area code that do not belong together"),
    ({"Lower": "75"}, "a figure outside its interval, or half an interval"),
    ({"Upper": "[x]"}, "a figure outside its interval, or half an interval"),
    ({"Level": "sure"}, "no level of the interval, such as 90%"),
    ({"What to mind": "born 2011-03-04, 943 476 5919"}, ""),  # an NHS number within a text is a text
    ({"What to mind": "943 476 5919"}, "what looks like a detail of a person: delete it"),
]


@pytest.mark.parametrize(("change", "words"), FAULTS)
def test_each_fault_is_named_with_its_row(table, read, tmp_path, change, words):
    wrong = table.copy()
    at = wrong.index[wrong["Indicator id"].eq("gld_pct")][0]
    for column, cell in change.items():
        wrong.loc[at, column] = cell
    path = tmp_path / "sheet.csv"
    path.write_text(shared_csv(wrong))
    if not words:
        assert len(read(path).table) == len(table)
        return
    with pytest.raises(SourceError, match=words) as caught:
        read(path)
    assert f"row {at + 2}" in str(caught.value)
    assert "943" not in str(caught.value)


def test_all_faults_at_once_and_rows_given_twice(table, read, tmp_path):
    wrong = pd.concat([table, table.iloc[:6]], ignore_index=True)
    wrong.loc[3, "Level"] = "sure"
    path = tmp_path / "sheet.csv"
    path.write_text(shared_csv(wrong))
    with pytest.raises(SourceError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith("sheet.csv: 2 problems")
    rows = ", ".join(str(len(table) + 2 + k) for k in range(5))
    assert f"6 rows with the same indicator, place and period as a row above (row {rows} and 1 more)" in said


def test_headings_that_are_lost_or_moved(table, read, tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text(shared_csv(table.drop(columns=["Unit", "England"])))
    with pytest.raises(SourceError, match="the headings lack Unit, England"):
        read(path)
    path.write_text("Notes of a meeting\n" + shared_csv(table[list(reversed(COLUMNS))].assign(**{"Said by": "us"})))
    pd.testing.assert_frame_equal(read(path).table, table, check_dtype=False)
    path.write_text(shared_csv(table.assign(UPN="A123456789012")))
    with pytest.raises(SourceError, match="no detail of a person is read"):
        read(path)
    path.write_text(shared_csv(table.iloc[:0]))
    with pytest.raises(SourceError, match="headings and no rows"):
        read(path)
    path.write_bytes(b"\x89PNG not a sheet")
    with pytest.raises(SourceError):
        read(path)
    (tmp_path / "sheet.xlsx").write_bytes(b"not a workbook")
    with pytest.raises(SourceError, match="not an Excel workbook"):
        read(tmp_path / "sheet.xlsx")


def test_rows_of_an_overlay_come_back_as_local_figures(table, read, tmp_path):
    """The worked example defines indicators of its own: their rows may be added, and come out as a local file has them."""
    overlay = project().path("data", "local") / "example_place.yml"
    framework = with_overlay(load_framework(), overlay)
    added = next(i for i in framework.indicators if i.tier == "local")
    own = table.iloc[0].copy()
    cells = {
        "Indicator id": added.id,
        "Period": "2023/24",
        "Figure": 51.0,
        "Lower": 45.5,
        "Upper": 56.5,
        "Level": "90%",
    }
    own.update(pd.Series(cells | as_defined(added, framework)))
    path = tmp_path / "sheet.csv"
    path.write_text(shared_csv(pd.concat([table, own.to_frame().T], ignore_index=True)))
    with pytest.raises(SourceError, match="an indicator id that is not defined"):
        read(path)
    back = read(path, framework=framework)
    assert back.local.to_dict("records") == [
        {"indicator": added.id, "area": "E09000012", "period": "2023/24", "value": 51.0, "lower": 45.5, "upper": 56.5,
         "level": "90"}
    ]  # fmt: skip
    assert back.text.endswith("and 1 row of local indicators.")


def test_no_region_or_england_is_made_of_its_parts():
    """Where the publisher gives no region or England there is none: nothing is summed, nothing taken from England."""
    observations = load_observations()
    published = observations[observations["group_type"].eq("all")].set_index(["indicator_id", "area_code", "period"])
    values = published["value"]
    profile = area_profile("Hackney", observations=observations, period=2025)
    for row in profile.table[profile.table["value"].notna()].to_dict("records"):
        for column, code in (("england", "E92000001"), ("region", "E12000007")):
            known = values.get((row["indicator_id"], code, row["period"]), np.nan)
            known = float(known.iloc[0]) if isinstance(known, pd.Series) else float(known)
            assert row[column] == pytest.approx(known, nan_ok=True)
    without = observations[~observations["area_code"].isin(["E92000001", "E12000007"])]
    table = area_profile("Hackney", observations=without, period=2025).table
    assert table[["england", "region", "england_change"]].isna().all().all()
