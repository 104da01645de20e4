"""What is measured: by hand on made figures, and against counting on the release."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework, Indicator, Node, Sampling
from outcomes_analysis.observations.contract import COLUMNS
from outcomes_analysis.places import coverage, coverage_text
from outcomes_analysis.places.covering import STAGES, stage_of
from outcomes_analysis.sources.release import load_observations
from outcomes_analysis.wording import associational

CODES = list(upper_tier().index)


def made(id_: str, outcome: str, **more: object) -> Indicator:
    settings: dict[str, object] = {
        "id": id_, "name": f"Share {id_}", "definition": "X", "unit": "%", "direction": 1, "outcome": outcome,
        "form": "proportion", "age_stage": "5", "geography_basis": "residence", "base_period": "2024",
        "source": "s", "decimals": 1, "cannot_tell": "Much.", "sampling": Sampling(model="none"), "max_age": 2,
    }  # fmt: skip
    return Indicator(**(settings | more))


@pytest.fixture
def framework() -> Framework:
    nodes = [
        Node(id="learning", label="Learning", kind="domain"),
        Node(id="early", label="Ready for school", kind="outcome", parent="learning"),
        Node(id="served", label="Places are offered", kind="outcome", parent="learning", layer="system"),
        Node(id="happy", label="Happy", kind="domain", note="Shortfall: no figure of wellbeing. More words."),
        Node(id="content", label="Children feel well", kind="outcome", parent="happy"),
    ]
    indicators = (
        made("everywhere", "early"),
        made("most", "early", age_stage="10-11"),
        made("few", "early"),
        made("old", "early", age_stage="16-17"),
        made("hidden", "early"),
        made("nowhere", "early"),
        made("service", "served", layer="system", measure_of="enabler", age_stage="services"),
        made("context", "", tier="context", direction=0),
    )
    return Framework(
        id="t", label="T", version="1", date="2026-01-01", source_url="", notice="", nodes=tuple(nodes),
        indicators=indicators,
    )  # fmt: skip


def rows(indicator: str, codes: list[str], *, year: int = 2025, **more: object) -> pd.DataFrame:
    settings: dict[str, object] = {
        "indicator_id": indicator, "period": str(year), "group_type": "all", "group": "all",
        "period_start": pd.Timestamp(f"{year}-01-01"), "period_end": pd.Timestamp(f"{year}-12-31"), "value": 50.0,
        "status": "published", "flags": "", "source_id": "s",
    }  # fmt: skip
    frame = pd.DataFrame({"area_code": codes}).assign(**(settings | more))
    return frame.assign(**{c: np.nan for c in COLUMNS if c not in frame})


@pytest.fixture
def figures() -> pd.DataFrame:
    parts = [
        rows("everywhere", CODES),
        rows("most", CODES[:138]),  # nine tenths of 153 is 137.7
        rows("few", CODES[:137]),
        rows("few", CODES[137:], status="inherited"),
        rows("old", CODES, year=2022),  # three years old, and it bears two
        rows("old", CODES[:20], year=2025, value=np.nan, status="suppressed"),
        rows("hidden", CODES, value=np.nan, status="suppressed"),
        rows("service", CODES),
        rows("few", ["E07000073", "E07000072"]),  # districts count apart
        rows("everywhere", CODES[:3], group_type="fsm", group="eligible"),
    ]
    return pd.concat(parts, ignore_index=True)


def test_what_is_measured_by_hand(framework, figures):
    table = coverage(observations=figures, framework=framework).table.set_index("indicator_id")
    assert table["status"].to_dict() == {
        "everywhere": "measured", "most": "measured", "few": "partly", "old": "stale", "hidden": "suppressed",
        "nowhere": "not measured", "service": "measured", "context": "not measured",
    }  # fmt: skip
    assert list(table.loc["few", ["authorities", "districts", "of"]]) == [137, 2, 153]
    assert list(table.loc["old", ["authorities", "stale", "suppressed", "newest"]]) == [0, 153, 20, "2022"]
    assert table.loc["everywhere", "groups"] == "fsm"
    # without a date of the data the year's end stands for it: 0 months, and 36 for 2022
    assert table.loc["everywhere", "months_late"] == 0
    assert table.loc["old", "months_late"] == pytest.approx(36, abs=0.1)
    assert not table.loc["service", "scored"]
    figures.attrs["data_as_at"] = "2026-06-30"  # 181 days on, of 30.4375 a month
    assert coverage(observations=figures, framework=framework).table["months_late"].iloc[0] == 5.9


def test_counts_along_each_dimension(framework, figures):
    report = coverage(observations=figures, framework=framework)
    domains = report.by("domain")
    assert domains.loc["learning", ["indicators", "scored", "measured", "partly", "stale", "not_measured"]].tolist() == [
        7, 6, 3, 1, 1, 2,
    ]  # fmt: skip
    for dimension in ("domain", "outcome", "layer", "age_stage"):
        counts = report.by(dimension)
        assert counts["indicators"].sum() == 7, dimension  # all but the context
        parts = counts[["measured", "partly", "stale", "not_measured"]].sum(axis=1)
        assert (parts == counts["indicators"]).all(), dimension
    assert report.by("outcome").loc["content", "indicators"] == 0
    assert report.by("layer").loc["system", "measured"] == 1
    areas = report.by("area")
    assert areas.loc[CODES[0], "indicators"] == 4
    assert areas.loc[CODES[-1], ["indicators", "learning", "happy"]].tolist() == [2, 2, 0]
    assert report.gaps.loc["happy"].sum() == 0
    # the middle of everywhere and few (5 years); most is about ages 10 to 11
    assert report.gaps.loc["learning"].tolist() == [2, 1, 0, 0, 0]


def test_the_text_names_what_is_not_measured(framework, figures):
    text = coverage(observations=figures, framework=framework).text
    associational(text)
    assert text.startswith("3 of 7 indicators have a usable figure for at least nine in ten of the 153 authorities")
    assert "Only for some authorities, 1: share few." in text
    assert "Too old to say much about today, 1: share old (2022)." in text
    assert "Held back by the publisher for confidentiality, 1: share hidden." in text
    assert "No figure, 1: share nowhere." in text
    assert "Outcomes that nothing measures: children feel well." in text
    assert "(services, parents, activity): places are offered." in text
    assert "Learning: secondary years (10 to 18), young adults (18 to 25)" in text
    assert "Happy: no figure of wellbeing. More words" in text


def test_one_place(framework, figures):
    report = coverage("Harlow", observations=figures, framework=framework)
    table = report.table.set_index("indicator_id")
    assert table.loc["few", ["status", "of"]].tolist() == ["measured", 1]
    assert table.loc["everywhere", "status"] == "not measured"
    assert report.areas.empty
    assert "1 of 7 indicators have a usable figure for Harlow" in report.text
    last = coverage(CODES[-1], observations=figures, framework=framework).table.set_index("indicator_id")
    assert last.loc["few", "status"] == "not measured"  # inherited is not its own


@pytest.mark.parametrize(
    ("ages", "stage"),
    [
        ("birth", 0), ("6-8 weeks", 0), ("2-2.5", 0), ("0-1", 0), ("4-5", 0), ("5", 0), ("6", 1), ("4-11", 1),
        ("10-11", 1), ("11-18", 2), ("16", 2), ("10-17", 2), ("19", 3), ("19-21", 3), ("0-17", 4), ("5-16", 4),
        ("15-24", 4), ("16 and over", 5), ("services", 5), ("parents and carers", 5),
    ],
)  # fmt: skip
def test_stages(ages, stage):
    assert stage_of(ages) == STAGES[stage]


def test_the_release_by_counting():
    """Overweight in Year 6, counted the long way."""
    obs, fw = load_observations(), load_framework()
    report = coverage(observations=obs, framework=fw, period=2025)
    max_age = fw.indicator("y6_overweight").max_age
    count = 0
    for code in CODES:
        own = obs[obs["area_code"].eq(code) & obs["indicator_id"].eq("y6_overweight") & obs["group_type"].eq("all")]
        own = own[own["value"].notna() & own["status"].isin(["published", "estimated"])]
        years = own["period_end"].dt.year
        count += bool(len(years) and 2025 - years.max() <= max_age)
    table = report.table.set_index("indicator_id")
    assert table.loc["y6_overweight", "authorities"] == count
    assert set(table["status"]) <= {"measured", "partly", "stale", "suppressed", "not measured"}
    for by in ("domain", "outcome", "layer", "age_stage", "area"):
        assert max(map(len, coverage_text(report, by=by).splitlines())) <= 100
