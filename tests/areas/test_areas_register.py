"""The register of areas: one canonical vintage, every spelling and code, and what became of former areas."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from outcomes_analysis.areas import (
    in_force,
    load_changes,
    load_register,
    lower_tier,
    regions,
    resolve,
    resolve_place,
    to_area_code,
    upper_tier,
)
from outcomes_analysis.areas.register import recodes
from outcomes_analysis.areas.spelling import distance
from outcomes_analysis.areas.succession import required_parts, succession
from outcomes_analysis.errors import AreaError


def test_153_upper_tier_authorities_of_december_2023():
    table = upper_tier()
    # Counted in the December 2023 boundary file: unitary, metropolitan, London and county.
    assert table.index.str[:3].value_counts().to_dict() == {"E06": 63, "E08": 36, "E09": 33, "E10": 21}
    assert table.index.is_unique
    assert table["dfe_code"].is_unique
    assert set(upper_tier().index) - set(upper_tier(ranked_only=True).index) == {"E09000001", "E06000053"}
    assert {"E08000016", "E08000019"} <= set(table.index)
    assert not {"E08000038", "E08000039"} & set(table.index)


def test_every_authority_has_a_region_and_a_code_of_each_kind():
    table = upper_tier()
    assert table["region_name"].value_counts().to_dict() == {
        "London": 33, "South East": 19, "North West": 24, "South West": 15, "Yorkshire and The Humber": 15,
        "West Midlands": 14, "North East": 12, "East of England": 11, "East Midlands": 10,
    }  # fmt: skip
    assert table["dfe_code"].str.fullmatch(r"\d{3}").all()
    assert len(regions()) == 9


def test_districts_agree_with_the_april_2023_lookup(mirror):
    lookup = pd.read_csv(mirror / "lookups" / "ltla_utla_apr23.csv", dtype="str", encoding="utf-8-sig")
    lookup = lookup[lookup["LTLA23CD"].str.startswith("E")].set_index("LTLA23CD")
    ours = lower_tier()
    assert len(ours) == 296
    assert ours["upper_code"].sort_index().to_dict() == lookup["UTLA23CD"].sort_index().to_dict()
    assert ours["name"].sort_index().to_dict() == lookup["LTLA23NM"].sort_index().to_dict()


def test_dfe_codes_agree_with_the_department_s_own_list(mirror):
    listed = pd.read_excel(mirror / "dfe_lait" / "la_code_list.xlsx", engine="calamine", dtype="str")
    codes = set(listed["LA Number"]) - {"1000"}  # "England (discontinued)"
    assert codes <= set(load_register()["dfe_code"])
    names = listed.set_index("LA Number")["LA Name"]
    for code in upper_tier()["dfe_code"]:
        assert resolve(names[code]) == resolve(code), names[code]


def test_codes_of_every_file_are_known(mirror):
    """Every English code of an authority, district or region in the publishers' files is in the register."""
    register = load_register()
    seen: set[str] = set()
    for path in [*mirror.glob("ons_els/*.csv"), *mirror.glob("dfe_ees/*.csv"), *mirror.glob("district_tables/*.csv")]:
        head = pd.read_csv(path, dtype="str", nrows=0).columns
        column = next(c for c in ("new_la_code", "areacd", "area_code") if c in head)
        seen |= set(pd.read_csv(path, dtype="str", usecols=[column])[column].dropna())
    english = {code for code in seen if re.match(r"E(0[6-9]|10|12|13|92)", code)}
    assert len(english) > 350
    assert english <= set(register.index)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hackney", "E09000012"),
        ("hackney ", "E09000012"),
        ("204", "E09000012"),
        ("204.0", "E09000012"),
        ("London Borough of Hackney", "E09000012"),
        ("Hull", "E06000010"),
        ("Kingston Upon Hull, City of", "E06000010"),
        ("Bristol City Council", "E06000023"),
        ("Telford & Wrekin", "E06000020"),
        ("St Helens", "E08000013"),
        ("Saint Helens", "E08000013"),
        ("Durham", "E06000047"),
        ("Bedford Borough", "E06000055"),
        ("City of London", "E09000001"),
        ("London", "E12000007"),
        ("Dorset", "E06000059"),
        ("838", "E06000059"),
        ("BCP", "E06000058"),
        ("North Yorkshire County Council", "E06000065"),
        ("E10000002", "E06000060"),
        ("825", "E06000060"),
        ("e08000038", "E08000016"),
        ("370", "E08000016"),
        ("England", "E92000001"),
        ("970", "E92000001"),
        ("980", "E12000001"),
        ("Shepway", "E07000112"),
        ("Epping Forest", "E07000072"),
    ],
)
def test_resolve_knows_usual_spellings(text, code):
    assert resolve(text) == code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dorset (Pre LG)", ["E06000059", "E06000058", "1 April 2019"]),
        ("835", ["E06000059", "E06000058"]),
        ("Cumbria", ["Cumberland (E06000063)", "Westmorland and Furness (E06000064)", "1 April 2023"]),
        ("Northamptonshire", ["North Northamptonshire", "West Northamptonshire", "1 April 2021"]),
        ("Bournemouth", ["Bournemouth, Christchurch and Poole (E06000058)"]),
        ("Cheshire", ["Cheshire East", "Cheshire West and Chester"]),
        ("Hackny", ["Did you mean Hackney (E09000012)"]),
        ("Sussex", ["East Sussex", "West Sussex"]),
        ("E06999999", ["No area in England"]),
        (
            "Kingston",
            ["Did you mean Kingston upon Hull, City of (E06000010) or Kingston upon Thames (E09000021)? Give"],
        ),
        ("Bornemouth", ["Did you mean Bournemouth, Christchurch and Poole (E06000058)? Give"]),
        ("county of nottinham", ["Did you mean Nottingham (E06000018)? Give"]),
        ("W06000015", ["'W06000015' is a code of Wales. These figures are of England's 153 authorities"]),
        ("s12000033", ["is a code of Scotland"]),
        ("Wales", ["Wales is not covered"]),
        ("E05009376", ["is a ward"]),
        ("", ["No area in England"]),
    ],
)
def test_resolve_says_what_happened_or_what_is_near(text, said):
    with pytest.raises(AreaError) as caught:
        resolve(text)
    for words in said:
        assert words in str(caught.value)


@pytest.mark.parametrize("text", ["nowhere", "Narnia", "banana", "city", "Cardiff", "x", "681"])
def test_nothing_is_suggested_that_is_not_really_close(text):
    with pytest.raises(AreaError) as caught:
        resolve(text)
    assert "Did you mean" not in str(caught.value)
    assert "outcomes area --list" in str(caught.value)


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [
        ("kent", "kent", 0),
        ("", "kent", 4),
        ("kant", "kent", 1),
        ("ketn", "kent", 1),  # two letters side by side exchanged: one slip
        ("kittens", "sitting", 3),  # k-s, e-i, and s for g
        ("ca", "abc", 3),  # the restricted distance; the unrestricted one is 2
        ("nowhere", "rother", 3),  # n-r, w-t, and the last e too many: one more than seven letters are allowed
    ],
)
def test_slips_between_words(a, b, slips):
    assert distance(a, b) == distance(b, a) == slips


def test_one_place_is_asked_for():
    assert resolve_place("Essex county") == "E10000012"
    assert resolve_place("Harlow") == "E07000073"
    with pytest.raises(AreaError, match=r"London is a region.* in it: Barking and Dagenham, .* and 28 more"):
        resolve_place("London")
    with pytest.raises(AreaError, match=r"Inner London is a region.* authority in London"):
        resolve_place("E13000001")
    with pytest.raises(AreaError, match=r"England is a country.* and 148 more"):
        resolve_place("England")


def test_every_name_and_code_of_the_canonical_vintage_resolves_to_itself():
    table = load_register().query("canonical")
    for code, row in table.iterrows():
        assert resolve(code) == code
        assert resolve(row["name"]) == code
        if row["dfe_code"]:
            assert resolve(row["dfe_code"]) == code


def test_to_area_code_takes_any_vintage_and_lists_what_it_does_not_know():
    codes = pd.Series([204.0, "E10000002", "837", "E08000038", "970", "E12000007"], index=list("abcdef"))
    expected = ["E09000012", "E06000060", "E06000028", "E08000016", "E92000001", "E12000007"]
    assert to_area_code(codes).tolist() == expected
    assert to_area_code(codes).index.tolist() == list("abcdef")
    with pytest.raises(AreaError, match=r"2 unknown codes \(999, W06000001\) and 1 without a code"):
        to_area_code(pd.Series(["999", "W06000001", None, "204"]))


def test_recodes_end_in_one_canonical_code():
    canonical = set(load_register().query("canonical").index)
    mapping = recodes()
    assert set(mapping.values()) <= canonical
    assert not set(mapping) & canonical
    assert mapping["E06000048"] == "E06000057"
    assert mapping["E10000022"] == "E06000057"  # two steps: county, unitary authority, new boundary
    assert mapping["E08000039"] == "E08000019"


def test_the_table_of_changes():
    changes = load_changes()
    upper = changes[changes["tier"].eq("upper")]
    pairs = set(upper[["effective_date", "old_code", "new_code", "kind"]].itertuples(index=False, name=None))
    for date, old, new, kind in [
        ("2013-04-01", "E08000020", "E08000037", "recode"),
        ("2013-04-01", "E06000048", "E06000057", "recode"),
        ("2019-04-01", "E06000028", "E06000058", "merge"),
        ("2019-04-01", "E06000029", "E06000058", "merge"),
        ("2019-04-01", "E10000009", "E06000059", "split"),
        ("2020-04-01", "E10000002", "E06000060", "recode"),
        ("2021-04-01", "E10000021", "E06000061", "split"),
        ("2021-04-01", "E10000021", "E06000062", "split"),
        ("2023-04-01", "E10000006", "E06000063", "split"),
        ("2023-04-01", "E10000006", "E06000064", "split"),
        ("2023-04-01", "E10000023", "E06000065", "recode"),
        ("2023-04-01", "E10000027", "E06000066", "recode"),
        ("2025-04-01", "E08000016", "E08000038", "recode"),
        ("2025-04-01", "E08000019", "E08000039", "recode"),
        ("2027-04-01", "E10000030", "unknown", "split"),
    ]:
        assert (pd.Timestamp(date), old, new, kind) in pairs
    unverified = changes[changes["verified"].eq("no")]
    assert unverified["source"].ne("").all()
    assert set(changes["new_code"]) - {"unknown"} <= set(load_register().index)
    assert set(changes["old_code"]) <= set(load_register().index)


def test_changes_agree_with_the_years_of_the_boundary_file(mirror):
    """A former area's last year in the boundary file is the year before its change."""
    import json

    content = json.loads((mirror / "boundaries" / "uk_areas_all_vintages.topojson").read_text(encoding="utf-8"))
    years = {}
    for layer in ("utla", "ltla"):
        for shape in content["objects"][layer]["geometries"]:
            years[shape["properties"]["areacd"]] = shape["properties"]
    changes = load_changes()
    checked = 0
    for row in changes[changes["effective_date"].between("2016-01-01", "2026-01-01")].itertuples():
        assert years[row.old_code]["end"] == row.effective_date.year - 1, row.old_code
        assert years[row.new_code]["start"] == row.effective_date.year, row.new_code
        checked += 1
    assert checked > 50


def test_in_force_is_judged_by_day():
    codes = pd.Series(["E10000006", "E10000006", "E06000063", "E06000063", "E08000016", "E08000038", "nowhere"])
    dates = pd.to_datetime(
        ["2023-03-31", "2023-04-01", "2023-03-31", "2023-04-01", "2025-03-31", "2025-03-31", "2020-01-01"]
    )
    assert in_force(codes, pd.Series(dates)).tolist() == [True, False, False, True, True, False, False]


def test_what_a_merged_area_is_made_of():
    assert required_parts("E06000058", pd.Timestamp("2019-03-31")) == {"E06000028", "E06000029", "E07000048"}
    assert required_parts("E06000058", pd.Timestamp("2021-03-31")) == {"E06000028", "E06000029", "E07000048"}
    # Somerset's districts changed in 2019, before the county became one authority in 2023.
    before = {"E07000187", "E07000188", "E07000189", "E07000190", "E07000191"}
    assert required_parts("E06000066", pd.Timestamp("2016-08-31")) == before
    assert required_parts("E06000066", pd.Timestamp("2020-08-31")) == {*sorted(before)[:3], "E07000246"}
    assert required_parts("E09000012", pd.Timestamp("2020-08-31")) == frozenset()
    assert succession().split_into["E10000009"] == ("E06000059",)
    assert "E10000030" not in succession().split_into  # Surrey stands
