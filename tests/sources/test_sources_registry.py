"""The registry of sources: what it refuses, all at once, and what it finds."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from outcomes_analysis.errors import SourceError
from outcomes_analysis.provenance import Source
from outcomes_analysis.sources.registry import load_sources

GOOD: dict[str, Any] = {
    "id": "lait",
    "path": "dfe_lait/bds_long_0.parquet",
    "url": "https://example.org/bds_long_0.parquet",
    "sha256": "ab" * 32,
    "bytes": 10,
    "title": "Local Authority Interactive Tool",
    "publisher": "Department for Education",
    "publisher_page": "https://example.org",
    "obtained_via": "a copy",
    "data_as_at": "2026-04-27",
    "licence": "Open Government Licence v3.0",
    "attribution": "Contains public sector information",
    "reader": "lait",
    "series": [{"indicator": "gld_pct", "period_kind": "academic", "select": {"series": "FSP_NEW_GOODDEV"}}],
}


def entry(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **changes}


def written(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "sources.yml"
    path.write_text(yaml.safe_dump({"sources": list(entries)}), encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    other = entry(id="ons", path="ons/x.csv", reader="ons")
    other["series"][0] |= {
        "role": "cross_check",
        "select": {"indicator": "GLD"},
        "value": ["new", "old"],
        "factor": 100,
    }
    registry = load_sources(written(tmp_path, other, entry()))
    assert [source.id for source in registry.sources] == ["ons", "lait"]
    assert [(s.id, x.role) for s, x in registry.series_for("gld_pct")] == [("lait", "primary"), ("ons", "cross_check")]
    assert registry.series_for("nothing") == ()
    assert registry.source("ons").series[0].value == ("new", "old")
    assert isinstance(registry.source("lait").provenance, Source)
    with pytest.raises(SourceError, match=r"No source 'x'.*ons, lait"):
        registry.source("x")


FAULTS = {
    "reader": ({"reader": "excel"}, "reader: Input should be"),
    "climbs": ({"path": "../secret.csv"}, "leads out of the folder"),
    "climbs within": ({"path": "a/../../secret.csv"}, "leads out of the folder"),
    "absolute": ({"path": "/etc/passwd"}, "must be relative"),
    "windows": ({"path": "C:/x.csv"}, "must be relative"),
    "back slash": ({"path": "a\\b.csv"}, "must be relative"),
    "http": ({"url": "http://example.org/x"}, "is not https"),
    "file": ({"url": "file:///etc/passwd"}, "is not https"),
    "password": ({"url": "https://me:secret@example.org/x"}, "carries a user name or password"),
    "short hash": ({"sha256": "ab" * 31}, "sha256: String should match"),
    "capital hash": ({"sha256": "AB" * 32}, "sha256: String should match"),
    "unknown key": ({"sheet": "IDACI"}, "unknown key 'sheet'"),
    "no size": ({"bytes": 0}, "bytes: Input should be greater than 0"),
    "date": ({"data_as_at": "April 2026"}, "data_as_at: String should match"),
    "no series": ({"series": []}, "needs at least one series"),
    "series of a map": ({"reader": "boundaries"}, "gives no series"),
}


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match="1 problem\n") as caught:
        load_sources(written(tmp_path, entry(**change)))
    assert message in str(caught.value)
    assert "source 'lait'" in str(caught.value)


SERIES_FAULTS = {
    "unknown key": ({"filter": {}}, "unknown key 'filter'"),
    "level": ({"level": "ward"}, "level: Input should be"),
    "kind": ({"period_kind": "yearly"}, "period_kind: Input should be"),
    "group": ({"group_type": "sex"}, "both are 'all', or neither"),
    "group type": ({"group_type": "colour", "group": "red"}, "'colour' is not one of"),
    "years": ({"first_period": 2025, "last_period": 2020}, "2025 is after last_period 2020"),
    "factor": ({"factor": 0}, "factor: Input should be greater than 0"),
}


@pytest.mark.parametrize(("change", "message"), SERIES_FAULTS.values(), ids=SERIES_FAULTS)
def test_each_fault_of_a_series_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    bad = entry()
    bad["series"][0] |= change
    with pytest.raises(SourceError, match=r"series 1 \(gld_pct\)") as caught:
        load_sources(written(tmp_path, bad))
    assert message in str(caught.value)


@pytest.mark.parametrize("reader", ["lait", "fingertips", "ons", "districts", "deprivation_2019", "deprivation_2025"])
def test_series_without_select_are_named(tmp_path: Path, reader: str) -> None:
    bad = entry(reader=reader, note="A trap of the file.")
    del bad["series"][0]["select"]
    with pytest.raises(SourceError, match=r"source 'lait': series without select: gld_pct"):
        load_sources(written(tmp_path, bad))


def test_a_file_of_one_table_needs_no_select(tmp_path: Path) -> None:
    plain = entry(reader="ees")
    del plain["series"][0]["select"]
    assert load_sources(written(tmp_path, plain)).sources[0].series[0].select == {}


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    second = entry(id="second", path="second.csv", url="http://example.org", sha256="x")
    third = entry(id="lait", path="third.csv")
    fourth = entry(
        id="fourth", path="third.csv", series=[{"indicator": "x", "period_kind": "academic", "select": {"series": "X"}}]
    )
    with pytest.raises(SourceError) as caught:
        load_sources(written(tmp_path, entry(reader="?", path="/x"), second, third, fourth, entry(path="last.csv")))
    text = str(caught.value)
    assert "7 problems" in text
    for part in (
        "reader:",
        "must be relative",
        "is not https",
        "sha256:",
        "id 'lait' is given 2 times",
        "path 'third.csv' is given 2 times",
        "gld_pct (upper_tier) has 2 primary sources: lait, lait",
    ):
        assert part in text


def test_a_district_source_may_stand_beside_an_upper_tier_one_but_not_beside_both(tmp_path: Path) -> None:
    def of_level(name: str, level: str) -> dict[str, Any]:
        made = entry(id=name, path=f"{name}.csv")
        made["series"][0]["level"] = level
        return made

    registry = load_sources(written(tmp_path, of_level("a", "upper_tier"), of_level("b", "district")))
    assert len(registry.series_for("gld_pct")) == 2
    with pytest.raises(SourceError, match=r"gld_pct \(district\) has 2 primary sources: a, b"):
        load_sources(written(tmp_path, of_level("a", "both"), of_level("b", "district")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: [", "not a readable YAML"),
        ("- a\n- b", "one key, `sources`"),
        ("sources: []", "lists no source"),
        ("sources: [1, 2]", "number 1"),
    ],
)
def test_a_file_that_is_no_registry(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        load_sources(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no registry of sources"):
        load_sources(tmp_path / "none.yml")


def test_no_python_object_is_made_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sources.yml"
    path.write_text("sources: !!python/object/apply:os.getcwd []", encoding="utf-8")
    with pytest.raises(SourceError, match="not a readable YAML"):
        load_sources(path)
