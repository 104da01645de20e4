"""The project's own registry and corrections, on the publishers' files: all of it reads."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from outcomes_analysis.observations.contract import MISSING
from outcomes_analysis.sources.corrections import apply_corrections, load_corrections
from outcomes_analysis.sources.fetching import fetch
from outcomes_analysis.sources.raw_frame import RAW_KEY
from outcomes_analysis.sources.reading import read_all
from outcomes_analysis.sources.registry import Registry, load_sources


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_sources()


@pytest.fixture(scope="module")
def read(registry: Registry, mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    paths = fetch(registry, mirror=mirror, raw=tmp_path_factory.mktemp("raw"))
    return apply_corrections(read_all(paths, registry), load_corrections(registry=registry))


def test_the_registry_is_the_mirror_list(registry: Registry, mirror: Path) -> None:
    listed = pd.read_csv(mirror / "sources.csv").set_index("path")
    for source in registry.sources:
        row = listed.loc[source.path]
        assert (source.url, source.bytes, source.sha256) == (row["url"], row["bytes"], row["sha256"])


def test_every_file_is_read(read: pd.DataFrame, registry: Registry) -> None:
    assert len(read) > 250_000
    assert set(read["source_id"]) <= {s.id for s in registry.with_series}


def test_one_value_a_key_and_a_reason_for_each_missing_one(read: pd.DataFrame) -> None:
    raw = read
    assert not raw.duplicated(list(RAW_KEY)).any()
    waiting = (raw["status"] == "estimated") & raw["numerator"].notna()
    assert (raw["value"].isna() == (raw["status"].isin(MISSING) | waiting)).all()


def test_every_series_is_read(read: pd.DataFrame, registry: Registry) -> None:
    primary = {(s.id, x.indicator, x.group) for s in registry.sources for x in s.series if x.role == "primary"}
    raw = read[["source_id", "indicator_id", "group"]].drop_duplicates()
    assert set(raw.itertuples(index=False, name=None)) == primary


def test_england_of_first_time_entrants_is_gone(read: pd.DataFrame) -> None:
    entrants = read.query("indicator_id == 'fte_yjs'")
    assert "970" not in set(entrants["published_code"])
    assert entrants["value"].max() < 1_000
