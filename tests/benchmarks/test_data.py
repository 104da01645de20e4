"""How long the data take: reading every file, checking a large table, counting which bands held, checking a local file.

Promises: reading is 12 s of the refresh, a check of 400,000 rows 1.5 s.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.framework import load_framework
from outcomes_analysis.observations.contract import check_observations
from outcomes_analysis.observations.holding import bands_held
from outcomes_analysis.sources.fetching import fetch
from outcomes_analysis.sources.reading import read_all
from outcomes_analysis.sources.registry import load_sources
from outcomes_analysis.sources.release import load_observations
from outcomes_analysis.sources.vetting import check_file

pytestmark = pytest.mark.benchmark


@pytest.fixture(scope="module")
def observations() -> pd.DataFrame:
    return load_observations()


def test_reading_every_file(benchmark, mirror: Path, tmp_path: Path) -> None:
    registry = load_sources()
    paths = fetch(registry, mirror=mirror, raw=tmp_path)
    assert len(benchmark.pedantic(read_all, args=(paths, registry), rounds=3)) > 250_000


def test_checking_400_000_rows(benchmark, observations: pd.DataFrame) -> None:
    rows = np.arange(400_000)
    table = observations.iloc[np.zeros(len(rows), dtype=int)].reset_index(drop=True)
    table = table.assign(
        indicator_id=pd.Series(rows % 50).map("i{}".format).astype("str"),
        area_code=pd.Series(rows // 50 % 200).map("E{:08d}".format).astype("str"),
        period=pd.Series(rows // 10_000).map("{}".format).astype("str"),
    )
    areas = list(table["area_code"].unique())
    benchmark.pedantic(check_observations, args=(table,), kwargs={"known_areas": areas}, rounds=3)


def test_counting_which_bands_held(benchmark, observations: pd.DataFrame) -> None:
    benchmark.pedantic(bands_held, args=(observations,), kwargs={"framework": load_framework()}, rounds=2)


def test_checking_a_local_file_of_100_000_rows(benchmark, tmp_path: Path) -> None:
    path = tmp_path / "local.csv"
    lines = (f"i{n // 2_000},Hackney,{1990 + n % 100},{n % 97},{n // 100 % 20}" for n in range(100_000))
    path.write_text("\n".join(["indicator,area,period,value,note", *lines, ""]), encoding="utf-8")
    benchmark.pedantic(check_file, args=(path,), rounds=2)
