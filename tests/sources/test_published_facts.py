"""What the readers give from the publishers' files, against figures the publishers state elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.observations.contract import COLUMNS, DATES, FLAGS, MISSING, NUMBERS, STATUSES
from outcomes_analysis.sources.cells import EES_SYMBOLS, parse_cells
from outcomes_analysis.sources.corrections import apply_corrections, load_corrections
from outcomes_analysis.sources.deriving import derive_rates
from outcomes_analysis.sources.raw_frame import RAW_KEY, concat_raw, excluded_rows
from outcomes_analysis.sources.reading import read_all, read_source
from outcomes_analysis.sources.registry import Registry
from outcomes_analysis.sources.tables import read_csv

ENGLAND = "E92000001"
PERSONS = {"Sex": "Persons", "Age": "<15 yrs"}
LAIT = "dfe_lait/bds_long_0.parquet"
PLANS = "dfe_ees/d5_cpps_at31march_by_duration_2013_to_2025.csv"
PEOPLE = "dfe_ees/ons_mid-year_population_estimates_2012_to_2024.csv"


def series(indicator: str, kind: str, select: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"indicator": indicator, "period_kind": kind, "select": select, **more}


# One registration of every file of the mirror that holds figures.
REGISTERED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    LAIT: (
        "lait",
        [
            series("gld_pct", "academic", {"series": "FSP_NEW_GOODDEV"}),
            series("attainment8", "academic", {"series": "AVG_Attain8_Score"}),
            series("persistent_absence", "academic", {"series": "TotPerAbNew"}),
            series("phonics_y1", "academic", {"series": "KS1P_all"}),
            series("cpp_rate_published", "march_31", {"series": "CPP_rate"}),
            series("fte_yjs", "financial", {"series": "FirstYJS"}),
            series("lac_sdq_mean", "march_31", {"series": "Emotional_LAC"}),
        ],
    ),
    PLANS: (
        "ees",
        [
            series(
                "cpp_rate",
                "march_31",
                {"category": "Child Protection Plans by length of time"},
                numerator="CPP_At31",
                denominator="population_0_17",
            ),
            series(
                "cpp_2yr_pct",
                "march_31",
                {"category": "Child Protection Plans by length of time"},
                value="2_years_or_more_percent",
                numerator="2_years_or_more",
                denominator="CPP_At31",
            ),
        ],
    ),
    PEOPLE: (
        "population",
        [series("pop_0_17", "mid_year", {"age_group": "Children aged 0 to 17 years"}, value="population_estimate")],
    ),
    "dfe_ees/b1_children_in_need_2013_to_2025.csv": (
        "ees",
        [
            series(
                "cin_rate",
                "march_31",
                {"category": "Children in Need"},
                numerator="At31_episodes",
                denominator="population_0_17",
            )
        ],
    ),
    "dfe_ees/c1_children_in_need_referrals_and_rereferrals_2013_to_2025.csv": (
        "ees",
        [
            series(
                "rereferral_pct",
                "financial",
                {"category": "Referrals and Re-referrals"},
                value="rereferral_percent",
                numerator="rereferral_count",
                denominator="referral_count",
            )
        ],
    ),
    "dfe_ees/c3_factors_identified_at_end_of_assessment_2018_to_2025.csv": (
        "ees",
        [
            series(
                "da_factor_rate",
                "financial",
                {"category": "Factors identified at the end of assessment"},
                numerator="Domestic_Abuse_parent",
                denominator="population_0_17",
            )
        ],
    ),
    "dfe_ees/cla_number_and_rate_per_10k_children.csv": (
        "ees",
        [
            series(
                "cla_rate",
                "march_31",
                {"population_type": "Children looked after on 31 March each year"},
                value="rate_per_10000",
                numerator="children_count",
                denominator="population_estimate",
            )
        ],
    ),
    "dfe_ees/d3_cpps_subsequent_plan_2013_to_2025.csv": (
        "ees",
        [
            series(
                "cpp_repeat_pct",
                "financial",
                {"category": "Child Protection Plans which are a second or subsequent plan"},
                value="CPP_subsequent_percent",
                numerator="CPP_subsequent",
                denominator="CPP_start",
            )
        ],
    ),
    "dfe_ees/ks2_la.csv": (
        "ees",
        [
            series(
                "ks2_rwm_care",
                "academic",
                {"social_care_group": "CLA 12 months at 31 March"},
                group_type="social_care",
                group="looked_after",
                value="pt_rwm_met_expected_standard",
                numerator="t_rwm_met_expected_standard",
                denominator="t_rwm_eligible_pupils",
            )
        ],
    ),
    "dfe_ees/ks4_la.csv": (
        "ees",
        [
            series(
                "attainment8_care",
                "academic",
                {"social_care_group": "CLA 12 months at 31 March"},
                group_type="social_care",
                group="looked_after",
                value="avg_att8",
                denominator="t_pupils",
            )
        ],
    ),
    "dfe_ees/la_conviction_health_outcome_cla.csv": (
        "ees",
        [series("lac_sdq_mean_ees", "march_31", {"breakdown": "SDQ average score"}, value="children_count")],
    ),
    "dfe_ees/absence_la.csv": (
        "ees",
        [
            series(
                "pa_care",
                "academic",
                {"social_care_group": "CLA 12 months at 31 March", "phase_type_grouping": "Total"},
                group_type="social_care",
                group="looked_after",
                value=["pt_persistent_absentees", "pt_pupils_pa_10_exact"],
                numerator="t_pupils_pa_10_exact",
                denominator="t_pupils",
            )
        ],
    ),
    "ohid_fingertips/90284_injuries_0_14.csv": ("fingertips", [series("inj_0_14", "financial", PERSONS)]),
    "ohid_fingertips/90285_injuries_15_24.csv": (
        "fingertips",
        [series("inj_15_24", "financial", {"Sex": "Persons", "Age": "15-24 yrs"})],
    ),
    "ons_els/children-in-relative-poverty.csv": (
        "ons",
        [
            series(
                "child_poverty_ahc",
                "financial",
                {"indicator": "Children in relative poverty after housing costs"},
                level="both",
            )
        ],
    ),
    "ons_els/early-years.csv": ("ons", [series("literacy", "academic", {"indicator": "Literacy"}, level="both")]),
    "ons_els/persistent-absences-for-all-pupils.csv": (
        "ons",
        [series("pa_ons", "academic", {"indicator": "Persistent absences for all pupils"})],
    ),
    "ons_els/persistent-absences-for-pupils-eligible-for-free-school-meals.csv": (
        "ons",
        [
            series(
                "pa_fsm",
                "academic",
                {"indicator": "Persistent absences for pupils eligible for free school meals"},
                group_type="fsm",
                group="eligible",
            )
        ],
    ),
    "ons_els/persistent-absences-for-pupils-looked-after-by-local-authorities.csv": (
        "ons",
        [
            series(
                "pa_care_ons",
                "financial",
                {"indicator": "Persistent absences for pupils looked after by local authorities"},
            )
        ],
    ),
    "ons_els/pupils-at-expected-standards-by-end-of-primary-school.csv": (
        "ons",
        [
            series(
                "ks2_ons",
                "academic",
                {"indicator": "Pupils meeting the expected standard in reading, writing and maths"},
                level="both",
            )
        ],
    ),
    "ons_els/gcses-in-english-and-maths.csv": (
        "ons",
        [series("gcse", "academic", {"indicator": "GCSEs in English and Maths"}, level="district")],
    ),
    "ons_els/apprenticeships.csv": (
        "ons",
        [series("starts", "academic", {"indicator": "Apprenticeship starts (England)"}, level="both")],
    ),
    "ons_els/library-walk.csv": (
        "ons",
        [series("library", "point", {"measure": "Percentage"}, level="both")],
    ),
    "ons_els/sports-facilities.csv": (
        "ons",
        [series("sports", "point", {"indicator": "Sports facilities"}, level="both")],
    ),
    "ons_els/personal-wellbeing-estimates.csv": (
        "ons",
        [series("adult_anxiety", "financial", {"indicator": "Anxiety"}, level="both")],
    ),
    "district_tables/active_children.csv": (
        "districts",
        [
            series(
                "active_cyp",
                "academic",
                {"indicator": "Percentage of physically active children and young people"},
                level="both",
            )
        ],
    ),
    "district_tables/children_dental_decay.csv": (
        "districts",
        [
            series(
                "dental_decay_5",
                "academic",
                {"indicator": "Percentage of 5 year olds with experience of visually obvious dental decay"},
                level="both",
            )
        ],
    ),
    "district_tables/obese_reception.csv": (
        "districts",
        [
            series(
                "obese_reception",
                "academic",
                {"indicator": "Reception prevalence of obesity (including severe obesity)"},
                level="both",
            )
        ],
    ),
    "district_tables/obese_year6.csv": (
        "districts",
        [
            series(
                "obese_y6",
                "academic",
                {"indicator": "Year 6 prevalence of obesity (including severe obesity)"},
                level="both",
            )
        ],
    ),
    "district_tables/vaccination_mmr.csv": (
        "districts",
        [
            series(
                "mmr2_5",
                "financial",
                {"indicator": "Population vaccination coverage: MMR for two doses (5 years old)"},
            )
        ],
    ),
    "deprivation/iod2019_file11_utla.xlsx": (
        "deprivation_2019",
        [series("idaci_2019", "calendar", {"sheet": "IDACI", "column": "IDACI - Average score "}, factor=100)],
    ),
    "deprivation/iod2025_lad.csv": (
        "deprivation_2025",
        [
            series(
                "idaci_2025",
                "calendar",
                {"index_domain": "Income Deprivation Affecting Children"},
                value="average_score",
                factor=100,
                level="both",
            )
        ],
    ),
}


@pytest.fixture(scope="module")
def registry(register: Any) -> Registry:
    entries = enumerate(REGISTERED.items(), start=1)
    return Registry(sources=tuple(register(r, path, *s, id=f"s{n}") for n, (path, (r, s)) in entries))


@pytest.fixture(scope="module")
def paths(registry: Registry, mirror: Path) -> dict[str, Path]:
    return {source.id: mirror / source.path for source in registry.sources}


@pytest.fixture(scope="module")
def raw(registry: Registry, paths: dict[str, Path]) -> pd.DataFrame:
    return read_all(paths, registry)


def value(raw: pd.DataFrame, indicator: str, area: str, period: str) -> pd.Series:
    found = raw[(raw["indicator_id"] == indicator) & (raw["published_code"] == area) & (raw["period"] == period)]
    assert len(found) == 1
    return found.iloc[0]


def test_every_file_with_figures_is_registered_here(mirror: Path) -> None:
    listed = pd.read_csv(mirror / "sources.csv")["path"]
    without = ("boundaries/", "lookups/", "dfe_lait/la_code", "dfe_lait/lait_data", "dfe_lait/sn_")
    assert sorted(REGISTERED) == sorted(p for p in listed if not p.startswith(without))


def test_the_table_keeps_the_contract(raw: pd.DataFrame) -> None:
    assert list(raw.columns) == [c for c in COLUMNS if c != "area_code"]
    assert not raw.duplicated(list(RAW_KEY)).any()
    assert set(raw["status"]) <= set(STATUSES)
    assert {f for text in raw["flags"].unique() for f in text.split(";") if f} <= set(FLAGS)
    assert all(raw[c].dtype == "float64" for c in NUMBERS)
    assert all(str(raw[c].dtype) == "datetime64[s]" for c in DATES)
    assert raw.drop(columns=list(NUMBERS)).notna().all().all()
    assert (raw["period_end"] >= raw["period_start"]).all()


def test_every_missing_value_says_why(raw: pd.DataFrame) -> None:
    missing = raw["status"].isin(MISSING)
    waiting = (raw["status"] == "estimated") & raw["numerator"].notna()  # made from its parts once areas are harmonised
    assert (raw["value"].isna() == (missing | waiting)).all()
    assert missing.sum() > 2_000
    assert (raw["level"].notna() == raw["lower"].notna()).all()
    assert (raw["lower"].notna() == raw["upper"].notna()).all()


def test_england_as_published(raw: pd.DataFrame, england: dict[tuple[str, str], float]) -> None:
    assert {key: round(value(raw, key[0], "970", key[1])["value"], 1) for key in england} == england


def test_years_not_collected_are_not_available(raw: pd.DataFrame) -> None:
    rows = raw[(raw["indicator_id"] == "gld_pct") & raw["period"].isin(["2019/20", "2020/21"])]
    assert len(rows) == 2 * 170
    assert set(rows["status"]) == {"not_available"}


def test_provisional_and_revised_figures_are_flagged(raw: pd.DataFrame) -> None:
    phonics = raw[raw["indicator_id"] == "phonics_y1"].groupby("period")["flags"].unique()
    assert list(phonics["2024/25"]) == ["provisional"]
    assert list(phonics["2023/24"]) == [""]
    care = raw[raw["indicator_id"] == "attainment8_care"].groupby("period")["flags"].unique()
    assert list(care["2024/25"]) == ["revised"]
    assert list(care["2023/24"]) == [""]


def test_injuries_with_their_published_interval(raw: pd.DataFrame) -> None:
    row = value(raw, "inj_0_14", "E10000031", "2023/24")  # Warwickshire, as shown on the Fingertips site
    assert (row["value"], row["lower"], row["upper"], row["level"]) == (67.1083, 62.2283, 72.2693, 0.95)
    assert (row["numerator"], row["denominator"]) == (700, 104_309)
    assert (row["period_start"], row["period_end"]) == (pd.Timestamp("2023-04-01"), pd.Timestamp("2024-03-31"))


def test_england_is_not_a_deprivation_decile(raw: pd.DataFrame) -> None:
    row = value(raw, "inj_15_24", ENGLAND, "2023/24")
    assert row["numerator"] == 60_817  # printed as 60,817
    assert row["value"] == pytest.approx(60_817 / 6_861_435 * 10_000, abs=0.01)  # the count is rounded to 5
    england = raw[(raw["indicator_id"] == "inj_0_14") & (raw["published_code"] == ENGLAND)]
    assert len(england) == 14  # 2010/11 to 2023/24, one row each, among 1,406 rows with England's code
    assert england["value"].between(60, 120).all()


def test_why_an_admission_rate_is_missing(mirror: Path, register: Any) -> None:
    path = "ohid_fingertips/90284_injuries_0_14.csv"
    sexes = [
        series("inj_0_14", "financial", {**PERSONS, "Sex": sex}, group_type="sex", group=sex)
        for sex in ("Male", "Female")
    ]
    raw = read_source(mirror / path, register("fingertips", path, *sexes))
    # One value in the file is suppressed for disclosure; the others are combined with a neighbour or not presented.
    assert raw["status"].value_counts().to_dict() == {"published": 3_631, "not_available": 64, "suppressed": 1}
    assert (raw["flags"] == "low_reliability").sum() == 6


COUNTS = {
    # path: (rows of the file, rows read, rows left out for each reason)
    LAIT: (641_070, 69 * 170, {}),  # six measures of ten years and one of nine, 170 areas each
    PLANS: (2_132, 4_264, {}),
    PEOPLE: (2_132, 2_132, {}),
    "dfe_ees/absence_la.csv": (17_220, 1_148, {}),
    "dfe_ees/ks2_la.csv": (3_444, 1_148, {}),
    "ohid_fingertips/90284_injuries_0_14.csv": (
        7_208,
        2_144,
        {"row of a category, not of an area": 1_330, "same row twice": 14},
    ),
    "ohid_fingertips/90285_injuries_15_24.csv": (154, 154, {}),
    "ons_els/personal-wellbeing-estimates.csv": (
        20_112,
        4_140,
        {"area is outside England": 828, "area is not of level both": 60},
    ),
    "ons_els/sports-facilities.csv": (361, 346, {"area is not of level both": 15}),
    "ons_els/gcses-in-english-and-maths.csv": (3_387, 1_757, {"area is not of level district": 1_630}),
    "district_tables/obese_reception.csv": (3_671, 3_590, {}),
    "deprivation/iod2019_file11_utla.xlsx": (None, 151, {}),
    "deprivation/iod2025_lad.csv": (2_960, 296, {}),
}


@pytest.mark.parametrize("path", COUNTS)
def test_rows_read_and_left_out(path: str, raw: pd.DataFrame, registry: Registry, mirror: Path) -> None:
    in_file, read, left_out = COUNTS[path]
    if path.endswith(".csv"):
        assert len(read_csv(mirror / path)) == in_file
    source = next(s for s in registry.sources if s.path == path)
    assert (raw["source_id"] == source.id).sum() == read
    excluded = excluded_rows(raw).query("source_id == @source.id")
    assert dict(zip(excluded["reason"], excluded["rows"], strict=True)) == left_out


SYMBOLS = {
    # Counts of domain notes, section 5.2, over all columns of figures: suppressed, not available, not applicable, zero.
    "dfe_ees/absence_la.csv": (12, 44_743, 29_700, 4_917, 4),
    PLANS: (11, 2_957, 33 + 11, 45, 0),
    "dfe_ees/cla_number_and_rate_per_10k_children.csv": (11, 4, 42, 112, 0),
}


@pytest.mark.parametrize("path", SYMBOLS)
def test_every_symbol_is_counted_once(path: str, mirror: Path) -> None:
    first, *expected = SYMBOLS[path]
    table = read_csv(mirror / path)
    names = [c for c in table.columns[first:] if c != "phase_type_grouping"]
    cells = pd.concat([parse_cells(table[c], symbols=EES_SYMBOLS, where=c) for c in names])
    counted = [int((cells["status"] == s).sum()) for s in ("suppressed", "not_available", "not_applicable")]
    rounded = cells["flags"] == "rounded"
    assert [*counted, int(rounded.sum())] == expected
    assert (cells.loc[rounded, "number"] == 0).all()
    assert (cells["number"].isna() == cells["status"].isin(MISSING)).all()


def test_columns_in_another_order_and_a_doubled_heading(raw: pd.DataFrame, mirror: Path) -> None:
    anxiety = value(raw, "adult_anxiety", ENGLAND, "2022/23")  # in this file measure comes before observation
    table = read_csv(mirror / "ons_els/personal-wellbeing-estimates.csv")
    england = table.query("areacd == @ENGLAND and indicator == 'Anxiety' and period == '2022-04-01/P1Y'").iloc[0]
    assert anxiety["value"] == float(england["observation"]) == 3.24
    assert (anxiety["lower"], anxiety["upper"], anxiety["level"]) == (3.21, 3.28, 0.95)
    assert value(raw, "pa_fsm", ENGLAND, "2021/22")["value"] == 36.52231  # two columns called notes
    assert value(raw, "pa_care_ons", ENGLAND, "2024/25")["value"] == value(raw, "pa_care", ENGLAND, "2024/25")["value"]


def test_two_publishers_of_one_figure_agree(raw: pd.DataFrame) -> None:
    ours = value(raw, "persistent_absence", "970", "2023/24")["value"]
    theirs = value(raw, "pa_ons", ENGLAND, "2023/24")["value"]
    assert ours == pytest.approx(theirs, abs=0.005)  # one is published to two decimals


def test_deprivation_is_in_percent(raw: pd.DataFrame) -> None:
    assert value(raw, "idaci_2019", "E06000001", "2019")["value"] == pytest.approx(28.3)  # Hartlepool: 0.283
    shares = raw.loc[raw["indicator_id"] == "idaci_2025", "value"]
    assert len(shares) == 296
    assert shares.between(5, 80).all()


def test_our_protection_plan_rates_are_those_of_the_department(raw: pd.DataFrame, mirror: Path, framework: Any) -> None:
    """Plans at 31 March over children aged 0 to 17 in the middle of the year before, against the tool's own rates."""
    counts = raw[raw["indicator_id"] == "cpp_rate"].assign(area_code=lambda t: t["published_code"])
    people = raw[raw["indicator_id"] == "pop_0_17"].assign(area_code=lambda t: t["published_code"])
    ours = derive_rates(counts, framework=framework, population=people)
    table = read_csv(mirror / PLANS)
    numbers = table.assign(period=table["time_period"] + "-03-31").set_index(["new_la_code", "period"])["old_la_code"]
    numbers = numbers[(numbers != "") & ~numbers.index.duplicated()]
    ours = ours.join(numbers.rename("number"), on=["area_code", "period"]).dropna(subset=["number", "value"])
    theirs = raw[raw["indicator_id"] == "cpp_rate_published"].dropna(subset=["value"])
    both = ours.merge(
        theirs, left_on=["number", "period"], right_on=["published_code", "period"], suffixes=("", "_theirs")
    )
    difference = (both["value"] - both["value_theirs"]).abs()
    assert len(both) > 1_400
    # The tool prints one decimal: half a unit of it, and a hair for numbers such as 0.05 that are not exact in binary.
    assert difference.max() <= 0.05 + 1e-9
    assert (ours["status"] == "published").all()


def test_a_rate_without_its_population_is_not_available(raw: pd.DataFrame, framework: Any) -> None:
    counts = raw[raw["indicator_id"] == "cpp_rate"].assign(area_code=lambda t: t["published_code"])
    people = raw[raw["indicator_id"] == "pop_0_17"].assign(area_code=lambda t: t["published_code"])
    before = counts.copy()
    derived = derive_rates(counts, framework=framework, population=people[people["period"] != "2023"])
    gone = derived["period"] == "2024-03-31"
    assert set(derived.loc[gone, "status"]) <= {"not_available", "suppressed"}
    assert derived.loc[gone, "value"].isna().all()
    assert (derived["value"].isna() == derived["status"].isin(MISSING)).all()
    suppressed = before["status"] == "suppressed"
    assert derived.loc[suppressed, "value"].isna().all()
    pd.testing.assert_frame_equal(counts, before)


def test_the_corrections_of_the_project_still_hold(raw: pd.DataFrame, registry: Registry) -> None:
    corrections = tuple(c.model_copy(update={"source": "s1"}) for c in load_corrections())
    of_tool = raw[raw["source_id"] == "s1"].reset_index(drop=True)
    corrected = apply_corrections(of_tool, corrections)
    entrants = corrected[corrected["indicator_id"] == "fte_yjs"]
    assert "970" in set(of_tool.loc[of_tool["indicator_id"] == "fte_yjs", "published_code"])
    assert "970" not in set(entrants["published_code"])
    assert entrants["value"].max() < 1_000
    assert len(of_tool) - len(corrected) == 9  # England, 2016 to 2024
    of_corrections = excluded_rows(corrected).query("reason.str.startswith('correction')")
    assert of_corrections[["indicator_id", "rows"]].to_numpy().tolist() == [["fte_yjs", 9]]
    scores = corrected.loc[corrected["indicator_id"] == "lac_sdq_mean", "value"]
    assert scores.min() > 0


def test_the_sum_of_the_regions_is_what_the_tool_calls_england(raw: pd.DataFrame) -> None:
    wide = raw[raw["indicator_id"] == "fte_yjs"].pivot(index="period", columns="published_code", values="value")
    regions = wide[["980", "981", "982", "983", "984", "985", "986", "989", "990"]].sum(axis=1)
    assert np.abs(regions - wide["970"]).max() <= 4.5  # nine rates, each rounded to a whole number


def test_reading_again_gives_the_same(registry: Registry, mirror: Path, raw: pd.DataFrame) -> None:
    source = registry.sources[0]
    again = concat_raw([read_source(mirror / source.path, source)])
    pd.testing.assert_frame_equal(again, raw[raw["source_id"] == source.id].reset_index(drop=True), check_like=False)
