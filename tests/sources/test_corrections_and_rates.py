"""Corrections hold only while the published figure is what it was; rates are made from their parts and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from outcomes_analysis.errors import CorrectionError, SourceError
from outcomes_analysis.observations.contract import COLUMNS, conform
from outcomes_analysis.sources.corrections import Correction, apply_corrections, doubts, load_corrections
from outcomes_analysis.sources.deriving import derive_rates
from outcomes_analysis.sources.raw_frame import excluded_rows

BASE: dict[str, Any] = {
    "id": "a-wrong-figure",
    "indicator": "share",
    "source": "lait",
    "area": "970",
    "periods": [2024],
    "action": "drop",
    "expect": {"value": 50},
    "reason": "The figure is the sum of the others, not a share.",
    "reported": "not reported",
    "status": "open",
}


def correction(**changes: Any) -> Correction:
    return Correction.model_validate(BASE | changes)


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    base = {
        **dict.fromkeys(COLUMNS, np.nan),
        "indicator_id": "share",
        "area_code": "",
        "published_code": "970",
        "period": "2024-03-31",
        "group_type": "all",
        "group": "all",
        "status": "published",
        "flags": "",
        "source_id": "lait",
        "period_start": pd.Timestamp("2024-03-31"),
        "period_end": pd.Timestamp("2024-03-31"),
    }
    return conform(pd.DataFrame([base | row for row in rows]))


@pytest.fixture
def raw() -> pd.DataFrame:
    later: dict[str, Any] = {
        "period": "2025-03-31",
        "period_end": pd.Timestamp("2025-03-31"),
        "period_start": pd.Timestamp("2025-03-31"),
    }
    return table(
        {"value": 50.0, "lower": 40.0, "upper": 60.0, "level": 0.95},
        {"value": 51.0} | later,
        {"value": 5.0, "published_code": "301"},
        {"value": np.nan, "published_code": "302", "status": "suppressed"},
    )


def test_mark_leaves_the_figure_and_says_so(raw: pd.DataFrame) -> None:
    raw.loc[0, "flags"] = "provisional"
    marked = apply_corrections(raw, (correction(action="mark"),))
    assert marked["flags"].tolist() == ["doubtful;provisional", "", "", ""]
    pd.testing.assert_frame_equal(marked.drop(columns="flags"), raw.drop(columns="flags"))
    told = doubts((correction(action="mark", periods=[2024, "2024/25"], area=["970", "301"]), correction(id="other")))
    assert told[["published_code", "period"]].to_numpy().tolist() == [
        ["970", "2024"],
        ["970", "2024/25"],
        ["301", "2024"],
        ["301", "2024/25"],
    ]
    assert told["reason"].eq(BASE["reason"]).all()


def test_drop(raw: pd.DataFrame) -> None:
    before = raw.copy()
    corrected = apply_corrections(raw, (correction(),))
    assert corrected["value"].tolist()[:2] == [51.0, 5.0]
    assert excluded_rows(corrected).to_numpy().tolist() == [["lait", "share", "correction a-wrong-figure", 1]]
    pd.testing.assert_frame_equal(raw, before)


def test_scale_replace_and_set_status(raw: pd.DataFrame) -> None:
    scaled = apply_corrections(raw, (correction(action="scale", to=0.1),))
    assert scaled[["value", "lower", "upper"]].to_numpy()[0].tolist() == pytest.approx([5.0, 4.0, 6.0])
    replaced = apply_corrections(raw, (correction(action="replace", to=5.5),)).iloc[0]
    assert (replaced["value"], replaced["status"]) == (5.5, "estimated")
    assert np.isnan(replaced[["lower", "upper", "level"]].astype(float)).all()
    emptied = apply_corrections(raw, (correction(action="set_status", to="not_available"),)).iloc[0]
    assert emptied["status"] == "not_available"
    assert np.isnan(emptied[["value", "lower", "upper", "level"]].astype(float)).all()


def test_periods_by_label_by_year_and_all(raw: pd.DataFrame) -> None:
    assert len(apply_corrections(raw, (correction(periods=["2024-03-31"]),))) == 3
    assert len(apply_corrections(raw, (correction(periods="all", expect={"min": 50, "max": 51}),))) == 2


STALE: dict[str, tuple[dict[str, Any], str]] = {
    "figure changed": (
        {"expect": {"value": 49}},
        r"expects value 49.0, but 1 figures are not so \(970 2024-03-31: 50\)",
    ),
    "below the minimum": (
        {"periods": "all", "expect": {"min": 50.5}},
        r"but 1 figures are not so \(970 2024-03-31: 50\)",
    ),
    "above the maximum": ({"expect": {"max": 40}}, "expects max 40.0"),
    "now there": ({"expect": {"missing": True}}, "expects missing True"),
    "now missing": ({"area": "302", "expect": {"value": 1}}, r"302 2024-03-31: nan"),
    "area gone": ({"area": ["970", "971"]}, "matches no row of area 971"),
    "period gone": ({"periods": [2024, 2019]}, "matches no row of period 2019"),
    "nothing matches": ({"periods": [1999]}, "matches no row of area 970"),
}


@pytest.mark.parametrize("case", STALE)
def test_a_correction_that_no_longer_matches(case: str, raw: pd.DataFrame) -> None:
    change, message = STALE[case]
    with pytest.raises(CorrectionError, match=message) as caught:
        apply_corrections(raw, (correction(**change), correction(id="fine")))
    assert "a-wrong-figure (share of lait)" in str(caught.value)
    assert "1 problem\n" in str(caught.value)
    assert "Look at the source again" in str(caught.value)


def test_all_stale_corrections_are_named_at_once(raw: pd.DataFrame) -> None:
    stale = tuple(correction(id=f"stale-{n}", expect={"value": n}) for n in range(3))
    with pytest.raises(CorrectionError, match="3 problems"):
        apply_corrections(raw, stale)


def test_a_correction_of_another_source_is_passed_over(raw: pd.DataFrame) -> None:
    same = apply_corrections(raw, (correction(source="ons"), correction(indicator="other")))
    pd.testing.assert_frame_equal(same, raw)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"note": "x"}, "note: Extra inputs"),
    "no expectation": ({"expect": {}}, "expect must say"),
    "two expectations": ({"expect": {"missing": True, "value": 1}}, "expect must say"),
    "no number": ({"action": "scale", "to": "ten"}, "action 'scale' with to = 'ten'"),
    "no reason to give": ({"action": "set_status", "to": "published"}, "action 'set_status'"),
    "something to drop to": ({"to": 1}, "action 'drop' with to = 1.0"),
    "unknown action": ({"action": "delete"}, "action: Input should be"),
    "short reason": ({"reason": "wrong"}, "reason: String should have at least 20"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_of_corrections(case: str, tmp_path: Path) -> None:
    change, message = BAD[case]
    path = tmp_path / "corrections.yml"
    path.write_text(yaml.safe_dump({"corrections": [BASE, BASE | change | {"id": "second"}]}), encoding="utf-8")
    with pytest.raises(CorrectionError, match="correction second: ") as caught:
        load_corrections(path)
    assert message in str(caught.value)


def test_ids_are_given_once_and_files_are_files(tmp_path: Path) -> None:
    path = tmp_path / "corrections.yml"
    path.write_text(yaml.safe_dump({"corrections": [BASE, BASE]}), encoding="utf-8")
    with pytest.raises(CorrectionError, match="id 'a-wrong-figure' is given 2 times"):
        load_corrections(path)
    path.write_text("- a", encoding="utf-8")
    with pytest.raises(CorrectionError, match="one key, `corrections`"):
        load_corrections(path)
    with pytest.raises(CorrectionError, match="not a readable YAML"):
        load_corrections(tmp_path / "none.yml")


def waiting(**changes: Any) -> dict[str, Any]:
    return {"indicator_id": "cpp_rate", "area_code": "E1", "status": "estimated", "numerator": 30.0} | changes


@pytest.fixture
def people() -> pd.DataFrame:
    def one(year: int, number: float) -> dict[str, Any]:
        day = pd.Timestamp(year=year, month=6, day=30)
        return {"area_code": "E1", "period": str(year), "period_start": day, "period_end": day, "value": number}

    return table(one(2023, 6_000.0), one(2024, 12_000.0))


def test_a_rate_at_31_march_uses_the_middle_of_the_year_before(framework: Any, people: pd.DataFrame) -> None:
    obs = table(
        waiting(),
        waiting(period="2023/24", period_end=pd.Timestamp("2024-08-31")),
        waiting(period="2024", period_end=pd.Timestamp("2024-12-31")),
    )
    rates = derive_rates(obs, framework=framework, population=people)
    assert rates["value"].tolist() == pytest.approx([30 / 6_000 * 10_000, 25.0, 25.0])
    assert rates["denominator"].tolist() == [6_000, 12_000, 12_000]
    assert rates["status"].tolist() == ["published"] * 3


def test_its_own_denominator_comes_first(framework: Any, people: pd.DataFrame) -> None:
    rates = derive_rates(table(waiting(indicator_id="share", denominator=40.0)), framework=framework, population=people)
    assert rates.loc[0, "value"] == pytest.approx(75.0)


def test_what_cannot_be_made_is_not_available_and_what_is_hidden_stays_hidden(
    framework: Any, people: pd.DataFrame
) -> None:
    obs = table(
        waiting(area_code="E2"),
        waiting(denominator=0.0),
        waiting(status="suppressed", denominator=40.0),
        waiting(status="published", value=7.0, denominator=40.0),
        waiting(numerator=np.nan),
    )
    rates = derive_rates(obs, framework=framework, population=people)
    assert rates["status"].tolist() == ["not_available", "not_available", "suppressed", "published", "not_available"]
    assert rates["value"].isna().tolist() == [True, True, True, False, True]
    assert rates.loc[3, "value"] == 7.0


def test_a_population_given_twice_is_refused(framework: Any, people: pd.DataFrame) -> None:
    with pytest.raises(SourceError, match="1 areas have two population figures for one year: E1 2023"):
        derive_rates(table(waiting()), framework=framework, population=pd.concat([people, people.head(1)]))


def test_nothing_waits_nothing_changes(framework: Any, people: pd.DataFrame) -> None:
    obs = table({"value": 1.0})
    same = derive_rates(obs, framework=framework, population=people)
    pd.testing.assert_frame_equal(same, obs)
    assert same is not obs
