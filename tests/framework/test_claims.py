"""What `cannot_tell` says of the figures is what the figures show: each number in it is computed here from the release."""

from __future__ import annotations

import pandas as pd
import pytest

from outcomes_analysis.framework import load_framework
from outcomes_analysis.sources.release import load_observations, read_reference

PANDEMIC = {2019, 2020, 2021}  # no pair of years begins in these


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    table = load_observations()
    table = table[table["group_type"] == "all"]
    upper = table["area_code"].str[:3].isin(["E06", "E08", "E09", "E10"])
    kept = table[(upper & ~table["area_code"].isin(["E09000001", "E06000053"])) | (table["area_code"] == "E92000001")]
    return kept.assign(year=kept["period_end"].dt.year)


@pytest.fixture(scope="module")
def wide(figures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    published = figures[(figures["status"] == "published") & (figures["area_code"] != "E92000001")]
    return {
        str(name): part.pivot_table(index="area_code", columns="year", values="value")
        for name, part in published.groupby("indicator_id")
    }


@pytest.fixture(scope="module")
def steadiness(wide: dict[str, pd.DataFrame]) -> pd.Series:
    """Median over pairs of years of the rank correlation of authorities from one year to the next."""
    found = {}
    for name, table in wide.items():
        pairs = [table[[y, y + 1]].dropna() for y in table if y + 1 in table and y not in PANDEMIC]
        ranks = [p.corr("spearman").iloc[0, 1] for p in pairs if len(p) >= 60]
        if ranks:
            found[name] = float(pd.Series(ranks).median())
    return pd.Series(found)


def told(name: str) -> str:
    return load_framework().indicator(name).cannot_tell


@pytest.mark.parametrize(
    ("name", "said"),
    [("active_cyp", 0.2), ("social_worker_turnover", 0.35), ("cpp_repeat_pct", 0.45), ("cpp_2yr_pct", 0.5)],
)
def test_least_steady_figures(name: str, said: float, steadiness: pd.Series) -> None:
    assert f"about {said:g}" in told(name)
    assert steadiness[name] == pytest.approx(said, abs=0.06)
    # "Among the least steady": of 97 figures, within the seven least.
    assert (steadiness < steadiness[name]).sum() <= 6


def test_a_middling_figure(steadiness: pd.Series) -> None:
    assert "0.9 for a middling figure" in told("cpp_repeat_pct")
    assert steadiness.median() == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("name", "said", "low", "high"),
    [
        ("cpp_2yr_pct", "three to four of ten", 0.28, 0.42),
        ("cla_convicted_pct", "four of ten", 0.36, 0.46),
        ("cla_substance_pct", "a quarter", 0.2, 0.28),
        ("breastfeeding_6_8w", "four to six of ten", 0.38, 0.6),
    ],
)
def test_shares_without_a_figure(name: str, said: str, low: float, high: float, figures: pd.DataFrame) -> None:
    mine = figures[
        (figures["indicator_id"] == name) & (figures["year"] >= 2022) & (figures["area_code"] != "E92000001")
    ]
    assert said in told(name)
    # Breastfeeding's claim is of the share published, the others' of the share without a figure.
    assert mine.groupby("year")["value"].apply(lambda v: v.isna().mean()).between(low, high).all()


def test_rank_correlations_between_figures(wide: dict[str, pd.DataFrame]) -> None:
    def between(a: str, b: str, since: int = 2022) -> pd.Series:
        years = [y for y in wide[a] if y in wide[b] and y >= since]
        return pd.Series({y: wide[a][y].corr(wide[b][y], method="spearman") for y in years})

    assert "0.76 to 0.83 since 2022" in told("psed_expected")
    assert between("psed_expected", "gld_pct").round(2).agg(["min", "max"]).tolist() == [0.76, 0.83]
    assert "at 11 (rank correlation about 0.6), but hardly with those at 5 (about 0.1)" in told("mtc_full")
    assert between("mtc_full", "ks2_rwm").between(0.54, 0.65).all()
    assert between("mtc_full", "gld_pct").between(0.05, 0.15).all()


def test_levels_named_in_words(figures: pd.DataFrame, wide: dict[str, pd.DataFrame]) -> None:
    england = figures[figures["area_code"] == "E92000001"].set_index(["indicator_id", "year"])["value"]
    assert "about 80 in 100,000" in told("mh_admissions_0_17")
    assert england["mh_admissions_0_17"].iloc[-2:].between(79, 82).all()
    assert england["mtc_full"].is_monotonic_increasing
    apart = (wide["gcse_em_19"] - wide["l2_em_19"]).stack()
    assert "two to three points above" in told("gcse_em_19")
    # "Most authorities": half lie between 1.9 and 3.1.
    assert apart.quantile(0.25) > 1.8
    assert apart.quantile(0.75) < 3.2
    recorded = figures[(figures["indicator_id"] == "cce_factor_rate") & figures["value"].notna()]
    assert recorded["period"].min() == "2021/22"
    assert "fte_yjs" not in set(england.dropna().index.get_level_values(0))


def test_bands_that_did_not_hold_are_told_with_the_indicator() -> None:
    reference = read_reference()
    fewer = reference[reference["band_verdict"] == "fewer"]
    assert set(fewer.index) == {"absence_overall", "persistent_absence"}
    for name, row in fewer.iterrows():
        assert row["band_worst_period"] == "2022/23"
        assert f"only {100 * row['band_worst']:.0f} in 100" in told(str(name))
