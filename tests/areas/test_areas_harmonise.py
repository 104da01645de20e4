"""Figures of every vintage come to the areas of December 2023: on made-up rows, and on the publishers' files."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes_analysis.areas import harmonise, in_force, load_register, upper_tier
from outcomes_analysis.areas.register import recodes
from outcomes_analysis.errors import AreaError, ObservationsError
from outcomes_analysis.observations.contract import COLUMNS, KEY, check_observations, conform

UPPER = set(upper_tier().index)


def framework(*indicators):
    """Only what harmonising asks of a framework: id, form and what a rate is per."""
    return SimpleNamespace(indicators=[SimpleNamespace(id=i, form=f, per=p) for i, f, p in indicators])


def raw(*rows, **common):
    """Rows of (published_code, value, numerator, denominator)."""
    table = pd.DataFrame(rows, columns=["published_code", "value", "numerator", "denominator"])
    defaults = {
        "indicator_id": "gld_pct", "period": "2017/18", "group_type": "all", "group": "all",
        "period_start": pd.Timestamp("2017-09-01"), "period_end": pd.Timestamp("2018-08-31"),
        "lower": np.nan, "upper": np.nan, "level": np.nan, "se_sampling": np.nan, "se_total": np.nan,
        "flags": "", "source_id": "made_up",
    }  # fmt: skip
    table = table.assign(**{**defaults, **common})
    if "status" not in common:
        table["status"] = np.where(table["value"].isna(), "not_available", "published")
    return conform(table)


def cell(result, code, column="value"):
    rows = result.table[result.table["area_code"].eq(code)]
    assert len(rows) == 1, code
    return rows[column].iloc[0]


def actions(result):
    return result.report.groupby("action")["rows"].sum().to_dict()


# --- recodes --------------------------------------------------------------------------------------------------------


def test_recodes_are_mapped_and_the_published_code_is_kept():
    done = harmonise(raw(("E10000002", 60.0, np.nan, np.nan), ("815", 61.0, np.nan, np.nan), ("204.0", 62, 1, 2)))
    table = done.table.set_index("area_code")
    assert table["published_code"].to_dict() == {
        "E06000060": "E10000002", "E06000065": "815", "E09000012": "204.0",
    }  # fmt: skip
    assert table["value"].tolist() == [60, 61, 62]
    assert table["status"].eq("published").all()
    assert actions(done) == {"recoded": 1}
    assert tuple(done.table.columns) == COLUMNS


def test_barnsley_and_sheffield_are_never_two_places():
    rows = [("E08000016", 85.7, 6, 7), ("E08000038", 85.7, 6, 7), ("E08000039", 70.0, 7, 10)]
    done = harmonise(raw(*rows))
    assert done.table["area_code"].tolist() == ["E08000016", "E08000019"]
    assert actions(done)["same_twice"] == 1


@pytest.mark.parametrize(("end", "value"), [("2025-03-31", 85.7), ("2025-08-31", 77.6)])
def test_of_two_values_for_one_place_the_code_in_force_is_kept(end, value):
    rows = raw(("E08000016", 85.7, 6, 7), ("E08000038", 77.6, 66, 85), period_end=pd.Timestamp(end))
    done = harmonise(rows)
    assert cell(done, "E08000016") == value
    assert actions(done)["chosen"] == 1
    assert "not used" in done.report.set_index("action").loc["chosen", "detail"]


def test_two_values_that_no_rule_chooses_between_are_refused():
    with pytest.raises(ObservationsError, match="two values for one place: E09000012"):
        harmonise(raw(("204", 85.7, 6, 7), ("204.0", 77.6, 6, 7)))
    with pytest.raises(ObservationsError, match="more than once for one place and period"):
        harmonise(raw(("E09000012", 85.7, 6, 7), ("E09000012", 77.6, 6, 7)))


# --- merges ---------------------------------------------------------------------------------------------------------


def test_a_merged_area_is_summed_from_counts():
    # 1,200 of 2,000 and 900 of 1,800 children: 2,100 of 3,800, not the mean of 60 % and 50 %.
    rows = raw(("E06000028", 60.0, 1200, 2000), ("E06000029", 50.0, 900, 1800))
    done = harmonise(rows)
    # Exact arithmetic on integers; float rounding only.
    assert cell(done, "E06000058") == pytest.approx(100 * 2100 / 3800, abs=1e-12)
    assert cell(done, "E06000058", "numerator") == 2100
    assert cell(done, "E06000058", "denominator") == 3800
    assert cell(done, "E06000058", "published_code") == "E06000028+E06000029"
    assert cell(done, "E06000058", "status") == "estimated"  # Christchurch is not in it
    detail = done.report.set_index("action").loc["merged", "detail"]
    assert detail == "counts; without Christchurch"
    assert set(done.table["area_code"]) == {"E06000058"}


def test_a_merger_with_all_its_parts_counted_is_exact():
    rows = raw(("E06000028", 60.0, 1200, 2000), ("E06000029", 50.0, 900, 1800), ("E07000048", 70.0, 350, 500))
    done = harmonise(rows)
    assert cell(done, "E06000058") == pytest.approx(100 * 2450 / 4300, abs=1e-12)
    assert cell(done, "E06000058", "status") == "published"


def test_rates_per_ten_thousand_need_no_framework():
    rows = raw(("E06000028", 300.0, 1050, 35000), ("E06000029", 200.0, 600, 30000))
    assert cell(harmonise(rows), "E06000058") == pytest.approx(1e4 * 1650 / 65000, abs=1e-9)


def test_counts_that_do_not_give_back_the_values_serve_as_weights_only():
    """A standardised rate is not its count over its population: 95 per 1,000 is not 200 / 4,000."""
    rows = raw(("E06000028", 95.0, 200, 4000), ("E06000029", 80.0, 100, 1000), indicator_id="dsr")
    fw = framework(("dsr", "dsr", 1000.0))
    done = harmonise(rows, framework=fw)
    assert cell(done, "E06000058") == pytest.approx((95 * 4000 + 80 * 1000) / 5000, abs=1e-9)
    assert "weighted by the parts' denominators" in done.report.set_index("action").loc["merged", "detail"]


def test_without_counts_population_is_the_weight_and_is_named():
    population = pd.Series(
        [34000.0, 33000.0, 29000.0],
        index=pd.MultiIndex.from_tuples([("E06000028", 2018), ("E06000028", 2017), ("E06000029", 2018)]),
    )
    rows = raw(("E06000028", 60.0, np.nan, np.nan), ("E06000029", 50.0, np.nan, np.nan))
    done = harmonise(rows, population=population)
    assert cell(done, "E06000058") == pytest.approx((60 * 34000 + 50 * 29000) / 63000, abs=1e-9)
    assert cell(done, "E06000058", "status") == "estimated"
    assert "population aged 0 to 17" in done.report.set_index("action").loc["merged", "detail"]
    # A figure at 31 March goes with the estimate of the middle of the year before; Poole's nearest is 2018.
    march = raw(*rows[["published_code", "value", "numerator", "denominator"]].itertuples(index=False, name=None),
                period_end=pd.Timestamp("2018-03-31"))  # fmt: skip
    assert cell(harmonise(march, population=population), "E06000058") == pytest.approx(
        (60 * 33000 + 50 * 29000) / 62000, abs=1e-9
    )


def test_without_counts_or_weights_there_is_no_value():
    done = harmonise(raw(("E06000028", 60.0, np.nan, np.nan), ("E06000029", 50.0, np.nan, np.nan)))
    assert np.isnan(cell(done, "E06000058"))
    assert cell(done, "E06000058", "status") == "not_available"
    assert done.report.set_index("action").loc["not_combined", "detail"].startswith("no counts and no weights")


def test_a_suppressed_part_suppresses_the_sum():
    rows = raw(("E06000028", 60.0, 1200, 2000), ("E06000029", np.nan, np.nan, 1800), status=["published", "suppressed"])
    done = harmonise(rows)
    assert cell(done, "E06000058", "status") == "suppressed"
    assert done.table[["value", "numerator", "denominator"]].isna().all(axis=None)


def test_a_part_that_should_be_there_is_not_left_out_quietly():
    done = harmonise(raw(("E06000028", 60.0, 1200, 2000)))
    assert cell(done, "E06000058", "status") == "not_available"
    assert "without Poole" in done.report.set_index("action").loc["not_combined", "detail"]


def test_counts_are_added_and_not_divided():
    fw = framework(("pop_0_17", "count", 1.0))
    rows = raw(("E06000028", 34000, np.nan, np.nan), ("E06000029", 29000, np.nan, np.nan), indicator_id="pop_0_17")
    assert cell(harmonise(rows, framework=fw), "E06000058") == 63000


def test_a_publisher_s_own_figure_stands():
    rows = raw(
        ("E06000058", 58.0, 580, 1000), ("E06000028", 60.0, 1200, 2000), ("E06000029", 50.0, 900, 1800),
        ("E06000063", 71.0, 71, 100), ("E06000064", 72.0, 72, 100), ("E10000006", 71.5, 143, 200),
    )  # fmt: skip
    done = harmonise(rows)
    assert done.table.set_index("area_code")["value"].to_dict() == {
        "E06000058": 58.0, "E06000063": 71.0, "E06000064": 72.0,
    }  # fmt: skip
    assert done.table["status"].eq("published").all()
    assert actions(done) == {"former": 3, "not_in_force": 3}


def test_districts_that_became_one_are_summed_to_the_district_of_2023():
    rows = raw(("E07000205", 70.0, 700, 1000), ("E07000206", 60.0, 300, 500), ("E07000200", 66.0, 66, 100))
    done = harmonise(rows)
    assert cell(done, "E07000244") == pytest.approx(100 * 1000 / 1500, abs=1e-12)
    assert cell(done, "E07000244", "status") == "published"
    assert cell(done, "E07000200") == 66.0


# --- splits ---------------------------------------------------------------------------------------------------------


def test_successors_inherit_the_value_and_nothing_else():
    rows = raw(("E10000021", 68.0, 680, 1000), ("835", 71.0, 710, 1000)).assign(lower=65.0, upper=72.0, level=0.95)
    done = harmonise(rows)
    table = done.table.set_index("area_code")
    assert table["value"].to_dict() == {"E06000059": 71.0, "E06000061": 68.0, "E06000062": 68.0}
    assert table["status"].eq("inherited").all()
    assert table["published_code"].to_dict() == {"E06000059": "835", "E06000061": "E10000021", "E06000062": "E10000021"}
    assert table[["lower", "upper", "level", "numerator", "denominator"]].isna().all(axis=None)
    assert actions(done) == {"former": 2, "inherited": 3}


def test_a_count_is_not_inherited():
    fw = framework(("pop_0_17", "count", 1.0))
    done = harmonise(raw(("E10000006", 92000, np.nan, np.nan), indicator_id="pop_0_17"), framework=fw)
    assert done.table["value"].isna().all()
    assert done.table["status"].tolist() == ["not_available"] * 2


def test_an_empty_row_for_an_area_not_yet_formed_gives_way_but_a_suppression_in_force_does_not():
    old = raw(("E10000006", 70.0, 7, 10), ("E06000063", np.nan, np.nan, np.nan), ("E06000064", np.nan, np.nan, np.nan))
    assert harmonise(old).table["status"].tolist() == ["inherited", "inherited"]
    new = raw(
        ("E10000006", 70.0, 7, 10), ("E06000063", np.nan, np.nan, np.nan), ("E06000064", 71.0, 7, 10),
        status=["published", "suppressed", "published"], period_end=pd.Timestamp("2024-08-31"),
    )  # fmt: skip
    done = harmonise(new)
    assert cell(done, "E06000063", "status") == "suppressed"
    assert cell(done, "E06000064") == 71.0


def test_what_the_publisher_copied_from_the_parent_is_inherited_too():
    rows = raw(("E10000021", 68.0, 6, 9), ("E06000061", 68.0, 6, 9), ("E06000062", 68.0, 6, 9))
    done = harmonise(rows)
    assert done.table["status"].tolist() == ["inherited", "inherited"]
    assert done.table["denominator"].isna().all()


# --- other places, errors -------------------------------------------------------------------------------------------


def test_other_geographies_are_dropped_and_counted():
    rows = raw(
        *[(code, 50.0, 1, 2) for code in ("W06000001", "S12000033", "K02000001", "E13000001", "988", "E47000001", "1000")],
        ("E92000001", 50.0, 1, 2), ("E12000007", 51.0, 1, 2), ("E09000001", 52.0, 1, 2), ("420", 53.0, 1, 2),
    )  # fmt: skip
    done = harmonise(rows)
    assert done.table["area_code"].tolist() == ["E92000001", "E12000007", "E09000001", "E06000053"]
    dropped = done.report.query("action == 'dropped'").set_index("detail")["rows"].to_dict()
    assert dropped == {
        "Wales": 1, "Scotland": 1, "more than England": 1, "inner and outer London": 2, "combined authorities": 1,
        "England (discontinued)": 1,
    }  # fmt: skip


def test_unknown_codes_are_refused_with_their_source():
    with pytest.raises(AreaError, match=r"2 published codes belong to no known area: 999, E06000099; 0 rows.*made_up"):
        harmonise(raw(("999", 1.0, 1, 2), ("E06000099", 1.0, 1, 2), ("204", 1.0, 1, 2)))


def test_raw_is_not_changed():
    rows = raw(("E10000021", 68.0, 680, 1000), ("E06000028", 60.0, 1200, 2000), ("E06000029", 50.0, 900, 1800))
    before = rows.copy(deep=True)
    harmonise(rows)
    pd.testing.assert_frame_equal(rows, before)


PLACES = sorted({recodes().get(code, code) for code in load_register().query("area_type != 'part of region'").index})


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.integers(0, 1000)), min_size=1, max_size=40, unique_by=lambda t: t[0]
    ),
    st.dates(pd.Timestamp("2013-03-31").date(), pd.Timestamp("2025-12-31").date()),
)
def test_whatever_is_published_the_table_is_of_one_vintage(figures, end):
    rows = [(code, np.nan if top % 7 == 0 else top / 10, top, 1000) for code, top in figures]
    start = pd.Timestamp(end) - pd.Timedelta(days=364)
    done = harmonise(raw(*rows, period_start=start, period_end=pd.Timestamp(end)))
    canonical = set(load_register().query("canonical").index)
    assert not done.table.duplicated(list(KEY)).any()
    assert set(done.table["area_code"]) <= canonical
    check_observations(done.table)
    # Nothing canonical is lost, and its published value is untouched.
    own = {code: value for code, value, *_ in rows if code in canonical and not np.isnan(value)}
    kept = done.table.set_index("area_code")["value"]
    assert {code: kept[code] for code in own} == own


# --- real files -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def children_in_need(mirror):
    table = pd.read_csv(mirror / "dfe_ees" / "b1_children_in_need_2013_to_2025.csv", dtype="str")
    year = table["time_period"].astype(int)
    count = pd.to_numeric(table["At31_episodes"], errors="coerce")
    code = table["new_la_code"].fillna(table["region_code"]).fillna(table["country_code"])
    parts = pd.DataFrame({"published_code": code, "value": np.nan, "numerator": count, "denominator": np.nan})
    return raw(
        *parts.itertuples(index=False, name=None),
        indicator_id="cin_rate", source_id="cin", period=(year - 1).astype(str) + "/" + (year % 100).astype(str).str.zfill(2),
        period_start=pd.to_datetime({"year": year - 1, "month": 4, "day": 1}),
        period_end=pd.to_datetime({"year": year, "month": 3, "day": 31}),
        status=np.where(count.isna(), "suppressed", "estimated"),
    )  # fmt: skip


def test_children_in_need_has_as_many_authorities_as_were_in_force(children_in_need):
    """152 (2013 to 2019), 151, 151, 152, 152, 153, 153: what vested by 31 March, whatever the label of the year."""
    table = children_in_need[children_in_need["published_code"].str.match("E0|E10")]
    counts = table.groupby(table["period_end"].dt.year)["published_code"].nunique().to_dict()
    assert counts == dict.fromkeys(range(2013, 2020), 152) | {
        2020: 151,
        2021: 151,
        2022: 152,
        2023: 152,
        2024: 153,
        2025: 153,
    }
    valid = in_force(table["published_code"], table["period_end"])
    # Gateshead and Northumberland carry their new codes even for March 2013, the day before the change.
    assert set(table.loc[~valid, "published_code"]) == {"E08000037", "E06000057"}


def test_children_in_need_harmonised(children_in_need):
    done = harmonise(children_in_need)
    table = done.table[done.table["area_code"].isin(UPPER)]
    assert table.groupby("period")["area_code"].nunique().eq(153).all()
    assert not done.table.duplicated(list(KEY)).any()
    before = children_in_need.set_index(["published_code", "period"])["numerator"]
    after = done.table.set_index(["area_code", "period"])
    # Rates wait to be made from counts and population, so merged counts must be sums: 2017/18, by hand from the file.
    both = before["E06000028", "2017/18"] + before["E06000029", "2017/18"]
    assert after.loc[("E06000058", "2017/18"), "numerator"] == both == 2221
    assert after.loc[("E06000058", "2017/18"), "status"] == "estimated"
    assert after.loc[("E06000058", "2019/20"), "published_code"] == "E06000058"
    assert after.loc[("E06000065", "2022/23"), "numerator"] == before["E10000023", "2022/23"]


def test_a_parent_s_rate_is_made_from_its_own_population_before_it_is_passed_on(children_in_need):
    population = pd.Series([150_000.0], index=pd.MultiIndex.from_tuples([("E10000021", 2017)]))
    fw = framework(("cin_rate", "rate", 10_000.0))
    done = harmonise(children_in_need, framework=fw, population=population)
    after = done.table.set_index(["area_code", "period"]).loc[("E06000061", "2017/18")]
    parent = children_in_need.query("published_code == 'E10000021' and period == '2017/18'")["numerator"].iloc[0]
    assert after["value"] == pytest.approx(parent / 150_000 * 1e4, abs=1e-9)
    assert after["status"] == "inherited"


@pytest.fixture(scope="module")
def good_level(mirror):
    table = pd.read_parquet(mirror / "dfe_lait" / "bds_long_0.parquet")
    table = table[table["Short Desc"].eq("FSP_NEW_GOODDEV")]
    year = table["Years"].astype(int)
    value = pd.to_numeric(table["Values"], errors="coerce")
    parts = pd.DataFrame({"code": table["LA Number"].astype(str), "value": value, "n": np.nan, "d": np.nan})
    return raw(
        *parts.itertuples(index=False, name=None),
        source_id="lait", period=((year - 1).astype(str) + "/" + (year % 100).astype(str).str.zfill(2)).to_numpy(),
        period_start=pd.to_datetime({"year": year - 1, "month": 9, "day": 1}).to_numpy(),
        period_end=pd.to_datetime({"year": year, "month": 8, "day": 31}).to_numpy(),
    )  # fmt: skip


def test_summer_assessments_show_new_authorities_one_label_earlier(good_level):
    """Dorset from 2019, Northamptonshire's successors from 2022 (none in 2020, 2021), Cumbria's from 2023."""
    valued = good_level[good_level["value"].notna()]
    first = valued.groupby("published_code")["period"].min()
    last = valued.groupby("published_code")["period"].max()
    assert first[["838.0", "839.0", "940.0", "941.0", "942.0", "943.0"]].tolist() == [
        "2018/19", "2018/19", "2021/22", "2021/22", "2022/23", "2022/23",
    ]  # fmt: skip
    assert last[["835.0", "836.0", "837.0", "928.0", "909.0"]].tolist() == [
        "2017/18", "2017/18", "2017/18", "2018/19", "2021/22",
    ]  # fmt: skip


def test_lait_harmonised(good_level):
    weights = pd.Series([34_000.0, 29_000.0], index=pd.MultiIndex.from_product([["E06000028", "E06000029"], [2018]]))
    done = harmonise(good_level, population=weights)
    table = done.table[done.table["area_code"].isin(UPPER) & done.table["value"].notna()]
    assert table.groupby("period")["area_code"].nunique().between(151, 153).all()
    after = done.table.set_index(["area_code", "period"])
    before = good_level.set_index(["published_code", "period"])["value"]
    for code, parent, period in [
        ("E06000059", "835.0", "2017/18"), ("E06000061", "928.0", "2018/19"), ("E06000064", "909.0", "2021/22"),
    ]:  # fmt: skip
        assert after.loc[(code, period), "value"] == before[parent, period]
        assert after.loc[(code, period), "status"] == "inherited"
    hand = (before["837.0", "2017/18"] * 34 + before["836.0", "2017/18"] * 29) / 63
    assert after.loc[("E06000058", "2017/18"), "value"] == pytest.approx(hand, abs=1e-9)
    assert after.loc[("E06000059", "2018/19"), "status"] == "published"
    assert after.loc[("E92000001", "2023/24"), "value"] == 67.7  # published England figure
    assert {"E09000001", "E06000053"} <= set(done.table["area_code"])


def test_a_real_file_has_barnsley_and_sheffield_twice_in_every_year(mirror):
    """The ONS file gives both codes for all its years, before and after April 2025, with the same value."""
    table = pd.read_csv(mirror / "ons_els" / "children-in-relative-poverty.csv", dtype="str")
    table = table[table["areacd"].str.match("E0|E10|E92|W") & table["indicator"].str.contains("before housing costs")]
    year = table["period"].str[:4].astype(int)
    parts = pd.DataFrame({"c": table["areacd"], "v": pd.to_numeric(table["observation"]), "n": np.nan, "d": np.nan})
    done = harmonise(
        raw(
            *parts.itertuples(index=False, name=None),
            period=(year.astype(str) + "/" + ((year + 1) % 100).astype(str)).to_numpy(),
            period_start=pd.to_datetime({"year": year, "month": 4, "day": 1}).to_numpy(),
            period_end=pd.to_datetime({"year": year + 1, "month": 3, "day": 31}).to_numpy(),
        )
    )
    twice = done.report[done.report["action"].eq("same_twice")].set_index("published_code")["rows"].to_dict()
    assert twice == {"E08000038": 4, "E08000039": 4}
    barnsley = done.table[done.table["area_code"].eq("E08000016")].set_index("period")["value"]
    assert barnsley["2024/25"] == 28.16042038
    assert len(barnsley) == 4


def test_four_hundred_thousand_rows_take_seconds(children_in_need):
    many = pd.concat([children_in_need.assign(indicator_id=f"i{k}") for k in range(190)], ignore_index=True)
    assert len(many) > 400_000
    start = time.perf_counter()
    harmonise(many)
    # About 1 s on two idle cores; the rest is room for a busy machine.
    assert time.perf_counter() - start < 6
