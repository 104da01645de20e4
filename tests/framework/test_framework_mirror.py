"""The framework and the registry held against the publishers' files, read here by plain means, not by our readers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import yaml

from outcomes_analysis.framework import load_framework
from outcomes_analysis.observations.periods import parse_period

pytestmark = pytest.mark.slow  # reads every file; changes with the framework and the files alone

FRAMEWORK = load_framework()
UPPER = ("E06", "E08", "E09", "E10")
ENGLAND_LAIT = 970
# No file of the mirror has a value for England.
NO_ENGLAND = {"child_poverty_ahc", "idaci_2019", "idaci_2025"}
# England's value is a sum of rates and is dropped by a correction.
WRONG_ENGLAND = {"fte_yjs"}
# Surveys, tables that lack most county councils, and figures suppressed in many places. All others have 140 or more.
FEW = {
    "dental_decay_5": 110, "active_cyp": 110, "reception_obesity": 130, "y6_obesity": 130, "idaci_2025": 130,
    "breastfeeding_6_8w": 75, "asq3_coverage": 115, "cla_substance_pct": 110, "cla_convicted_pct": 85,
    "cpp_2yr_pct": 95,
}  # fmt: skip


def number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column.astype(str).str.replace(",", ""), errors="coerce")


@cache
def table(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)


@pytest.fixture(scope="module")
def figures(root: Path, mirror: Path) -> pd.DataFrame:
    """Every series of all children, one row a figure: indicator, role, label, kind, tier, area, value."""
    sources = yaml.safe_load((root / "data" / "sources.yml").read_text("utf-8"))["sources"]
    population = children(mirror / next(s["path"] for s in sources if s["id"] == "ees_population"))
    frames = []
    for source in sources:
        for series in source.get("series", []):
            rows = read(mirror / source["path"], source["reader"], series, population)
            assert len(rows), f"{source['id']} holds no rows for {series}"
            kind = series["period_kind"]
            labels = {text: parse_period(text, kind=kind) for text in rows["text"].unique() if text != "0"}
            rows = rows[rows["text"] != "0"].assign(
                indicator=series["indicator"], role=series.get("role", "primary"), level=series["level"],
                group=series.get("group", "all"), source=source["id"],
                period=lambda r, known=labels: r["text"].map(lambda t: known[t].label),
                year=lambda r, known=labels: r["text"].map(lambda t: known[t].end.year),
            )  # fmt: skip
            frames.append(rows)
    everything = pd.concat(frames, ignore_index=True)
    return everything[everything["year"] >= 2013].drop_duplicates(
        ["indicator", "role", "level", "group", "source", "period", "area"]
    )


def children(path: Path) -> pd.Series:
    rows = table(path)
    area = rows["new_la_code"].where(rows["geographic_level"] == "Local authority", rows["geographic_level"])
    known = pd.Series(number(rows["population_estimate"]).to_numpy(), index=[area, rows["time_period"].astype(int)])
    return known[~known.index.duplicated()]


def read(path: Path, reader: str, series: dict, population: pd.Series) -> pd.DataFrame:
    select = series.get("select", {})
    if reader == "deprivation_2019":
        rows = pd.read_excel(path, sheet_name=select["sheet"], engine="calamine")
        return frame(rows.iloc[:, 0], "2019", rows[select["column"]] * series["factor"])
    rows = table(path)
    if reader == "lait":
        rows = rows[rows["Short Desc"] == select["series"]]
        area = rows["LA Number"].astype(int)
        tier = area.map(
            lambda code: "upper" if code < ENGLAND_LAIT else "england" if code == ENGLAND_LAIT else "region"
        )
        return frame(area.astype(str), rows["Years"], number(rows["Values"]), tier)
    for column, wanted in select.items():
        rows = rows[rows[column] == wanted]
    if reader == "fingertips":
        rows = rows[rows["Category Type"] == ""]
        return frame(rows["Area Code"], rows["Time period"], number(rows["Value"]))
    if reader == "ons":
        return frame(rows["areacd"], rows["period"], number(rows["observation"]))
    if reader == "districts":
        rows = rows[rows["inequality"] == "NA"]
        return frame(rows["area_code"], rows["period"], number(rows["value"]))
    if reader == "deprivation_2025":
        return frame(rows["area_code"], rows["deprivation_data_year"], number(rows[series["value"]]) * series["factor"])
    return ees(rows, series, population)


def ees(rows: pd.DataFrame, series: dict, population: pd.Series) -> pd.DataFrame:
    tier = rows["geographic_level"].map({"Local authority": "upper", "National": "england", "Regional": "region"})
    for column in {series.get("numerator"), series.get("denominator")} - {None, "population_0_17"}:
        assert column in rows, (series["indicator"], column)
    if "value" in series:
        value = number(rows[series["value"]])
    else:  # the department dates a rate by the population of the middle of the year before
        area = rows["new_la_code"].where(tier == "upper", rows["geographic_level"])
        index = pd.MultiIndex.from_arrays([area, rows["time_period"].astype(int) - 1])
        people = pd.Series(population.reindex(index).to_numpy(), index=rows.index)
        value = number(rows[series["numerator"]]) / people * FRAMEWORK.indicator(series["indicator"]).per
    return frame(rows["new_la_code"], rows["time_period"], value, tier)


def frame(area: pd.Series, text: pd.Series | str, value: pd.Series, tier: pd.Series | None = None) -> pd.DataFrame:
    if tier is None:
        start = area.str[:3]
        tier = start.map({"E92": "england", "E12": "region", "E07": "district"} | dict.fromkeys(UPPER, "upper"))
    rows = pd.DataFrame({"area": area, "text": text, "value": value, "tier": tier})
    return rows.dropna(subset=["value", "tier"]).astype({"text": "str"})


def primary(figures: pd.DataFrame, *, base: bool = False) -> pd.DataFrame:
    rows = figures[(figures["role"] == "primary") & (figures["group"] == "all") & (figures["level"] != "district")]
    if base:
        bases = rows["indicator"].map({i.id: i.base_period for i in FRAMEWORK.indicators})
        rows = rows[rows["period"] == bases]
    return rows


def test_the_base_period_has_england_and_most_authorities(figures: pd.DataFrame):
    rows = primary(figures, base=True)
    counts = rows[rows["tier"] == "upper"].groupby("indicator")["area"].nunique()
    england = set(rows.loc[rows["tier"] == "england", "indicator"])
    for indicator in FRAMEWORK.indicators:
        assert counts.get(indicator.id, 0) >= FEW.get(indicator.id, 140), indicator.id
    assert {i.id for i in FRAMEWORK.indicators} - england == NO_ENGLAND


def test_the_base_period_lies_after_the_last_break_but_those_of_later_years(figures: pd.DataFrame):
    years = {
        (name, period): year
        for (name, period, year) in primary(figures)[["indicator", "period", "year"]].itertuples(index=False)
    }
    for indicator in FRAMEWORK.indicators:
        base = years[(indicator.id, indicator.base_period)]
        before = [b.period for b in indicator.breaks if years.get((indicator.id, b.period), 0) > base]
        # Working families' entitlement began in 2024/25; the year to compare with is the one before.
        assert not before or indicator.id == "takeup_2yo", (indicator.id, before)


def test_every_value_lies_in_the_valid_range(figures: pd.DataFrame):
    ranges = {i.id: i.valid_range for i in FRAMEWORK.indicators}
    outside = figures[
        (figures["value"] < figures["indicator"].map(lambda name: ranges[name][0]))
        | (figures["value"] > figures["indicator"].map(lambda name: ranges[name][1]))
    ]
    outside = outside[~((outside["tier"] == "england") & outside["indicator"].isin(WRONG_ENGLAND))]
    assert outside.empty, outside[["indicator", "area", "text", "value"]].head().to_string()


def test_proportions_of_england_and_authorities_agree(figures: pd.DataFrame):
    # A wrong row, column or factor shows as an England far outside the authorities' values.
    rows = primary(figures, base=True)
    for name, part in rows.groupby("indicator"):
        if name in WRONG_ENGLAND or name == "pop_0_17":
            continue
        values = part.loc[part["tier"] == "upper", "value"]
        for value in part.loc[part["tier"] == "england", "value"]:
            assert values.quantile(0.05) < value < values.quantile(0.95), name


def test_direction_agrees_with_the_publishers_polarity(root: Path, mirror: Path):
    words = pd.read_csv(
        mirror / "dfe_lait" / "lait_data_dictionary.csv", encoding="utf-8-sig", encoding_errors="replace"
    )
    polarity = words.drop_duplicates("Measure_short").set_index("Measure_short")["Polarity"]
    sources = yaml.safe_load((root / "data" / "sources.yml").read_text("utf-8"))["sources"]
    lait = next(s for s in sources if s["id"] == "lait")
    differ = set()
    for series in lait["series"]:
        indicator = FRAMEWORK.indicator(series["indicator"])
        publisher = {"High": 1, "Low": -1}.get(polarity[series["select"]["series"]], 0)
        if publisher != indicator.direction:
            differ.add((indicator.id, publisher, indicator.direction))
    # Where we say "neither" and the publisher "lower is better": what is counted is recording, or context.
    assert differ == {
        ("cla_substance_pct", -1, 0), ("activity_not_known_16_17", -1, 0), ("cla_convicted_pct", -1, 0),
        ("child_poverty_bhc", -1, 0), ("cpp_start_rate", -1, 0), ("cpp_2yr_pct", -1, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("indicator", "known"),
    [
        ("gld_pct", {2019: 71.8, 2022: 65.2, 2023: 67.2, 2024: 67.7, 2025: 68.3}),
        ("attainment8", {2019: 46.7, 2023: 46.3}),
        ("persistent_absence", {2019: 10.9, 2022: 22.5}),
    ],
)
def test_series_give_englands_published_figures(figures: pd.DataFrame, indicator: str, known: dict[int, float]):
    rows = primary(figures)
    rows = rows[(rows["indicator"] == indicator) & (rows["tier"] == "england")].set_index("year")["value"]
    for year, value in known.items():
        assert rows[year] == pytest.approx(value, abs=0.051)  # published to one decimal


@pytest.mark.parametrize(
    ("indicator", "tolerance", "pairs"),
    [
        # Derived rates against the department's, which are rounded to one decimal: half a unit in its last place.
        ("cpp_rate", 0.0501, 1400),
        ("cin_rate", 0.0501, 1400),
        ("cpp_start_rate", 0.0501, 1400),
        ("referral_rate", 0.0501, 1400),
        # The same published number twice.
        ("rereferral_pct", 0.001, 1400),
        ("cpp_repeat_pct", 0.001, 1400),
        ("cla_rate", 0.001, 700),
        ("cla_immunised_pct", 0.001, 700),
        ("lac_sdq_mean", 0.001, 700),
    ],
)
def test_cross_checks_agree(figures: pd.DataFrame, mirror: Path, indicator: str, tolerance: float, pairs: int):
    codes = table(mirror / "dfe_ees" / "b1_children_in_need_2013_to_2025.csv")
    gss = codes[codes["new_la_code"] != ""].drop_duplicates("old_la_code").set_index("old_la_code")["new_la_code"]
    rows = figures[(figures["indicator"] == indicator) & (figures["group"] == "all") & (figures["tier"] == "upper")]
    rows = rows.assign(area=rows["area"].where(rows["source"] != "lait", rows["area"].map(gss))).dropna(subset="area")
    lait = rows[rows["source"] == "lait"].set_index(["area", "year"])["value"]
    other = rows[rows["source"] != "lait"].set_index(["area", "year"])["value"]
    both = pd.concat([lait.rename("lait"), other.rename("other")], axis=1, join="inner")
    assert len(both) >= pairs
    assert (both["lait"] - both["other"]).abs().max() <= tolerance
