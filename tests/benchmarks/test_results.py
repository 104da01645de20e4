"""How long the main results take, from files in place to a figure on the page.

Run: ``uv run pytest -m benchmark tests/benchmarks``. The limits are those of the README on two cores; the first round,
which loads what a process loads once, is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outcomes_analysis import pipeline
from outcomes_analysis.figures.charts import ranks, relations, tables
from outcomes_analysis.figures.mapping import maps
from outcomes_analysis.framework import load_framework
from outcomes_analysis.index import IndexResult, build_index, build_matrix, uncertainty
from outcomes_analysis.places import area_profile
from outcomes_analysis.sources.release import load_observations, read_release, release_folder

pytestmark = pytest.mark.benchmark

REFRESH_SECONDS = 60
DRAWS, DRAW_SECONDS = 10_000, 2
UNCHANGED_RUN_SECONDS = 10
DOMAINS = ("safe", "healthy", "happy", "learning", "engaged")


@pytest.fixture(scope="module")
def observations() -> pd.DataFrame:
    return load_observations()


@pytest.fixture(scope="module")
def index(observations: pd.DataFrame) -> IndexResult:
    return build_index(build_matrix(observations, framework=load_framework(), period=pipeline.PERIOD))


def timed(benchmark: Any, work: Callable[..., Any], *, rounds: int = 3, **given: Any) -> Any:
    return benchmark.pedantic(work, kwargs=given, rounds=rounds, warmup_rounds=1)


def test_refresh(benchmark: Any, mirror: Path) -> None:
    """Every published file read, harmonised and packed; writing adds nothing that could be measured."""
    rebuilt = benchmark.pedantic(pipeline.rebuild, kwargs={"mirror": mirror}, rounds=1)
    assert len(rebuilt.observations) > 200_000
    assert benchmark.stats["max"] < REFRESH_SECONDS


def test_loading_the_release(benchmark: Any) -> None:
    assert len(timed(benchmark, read_release, folder=release_folder())) > 200_000


def test_matrix(benchmark: Any, observations: pd.DataFrame) -> None:
    framework = load_framework()

    def matrix() -> Any:
        return build_matrix(observations, framework=framework, period=pipeline.PERIOD)

    assert len(timed(benchmark, matrix).values) == 153


def test_index(benchmark: Any, index: IndexResult) -> None:
    matrix = index.matrix
    assert timed(benchmark, lambda: build_index(matrix)).domains == DOMAINS


def test_draws(benchmark: Any, index: IndexResult) -> None:
    """Ten thousand draws behind the ranks of five domains in 153 areas, and as many of the weights."""
    result = timed(benchmark, lambda: uncertainty(index, draws=DRAWS, seed=1))
    assert result.table.groupby("node_id").size().to_dict() == dict.fromkeys(DOMAINS, 153)
    assert benchmark.stats["median"] < DRAW_SECONDS


def test_given_child_poverty(benchmark: Any) -> None:
    pipeline.default_index()

    def comparison() -> Any:
        pipeline.default_comparison.cache_clear()
        return pipeline.default_comparison()

    timed(benchmark, comparison)


def test_association(benchmark: Any) -> None:
    def relation() -> Any:
        pipeline.default_relation.cache_clear()
        return pipeline.default_relation()

    assert timed(benchmark, relation, rounds=2).text


def test_one_place(benchmark: Any) -> None:
    unc = pipeline.default_uncertainty()
    profile = timed(benchmark, lambda: area_profile("Hackney", period=pipeline.PERIOD, index=unc))
    assert len(profile.table) > 90


FIGURES: dict[str, Callable[[], Any]] = {
    "choropleth": lambda: maps.choropleth(pipeline.default_uncertainty(), node="learning"),
    "domain pair": lambda: maps.domain_pair(
        pipeline.default_uncertainty(), pipeline.default_comparison(), node="learning"
    ),
    "hex map": lambda: maps.hex_map(pipeline.default_uncertainty(), node="learning"),
    "rank intervals": lambda: ranks.rank_intervals(pipeline.default_uncertainty(), node="learning"),
    "domain heat table": lambda: tables.domain_heat_table(pipeline.default_index()),
    "scatter": lambda: relations.scatter(pipeline.default_relation()),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure(name: str, benchmark: Any) -> None:
    """Made and drawn as SVG."""
    figure = FIGURES[name]
    assert timed(benchmark, lambda: figure().svg(), rounds=2).startswith("<svg")


def test_a_run_with_nothing_to_do(benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = pipeline.Project(home=pipeline.project().home, output=tmp_path)
    monkeypatch.setattr(pipeline, "project", lambda: target)
    monkeypatch.setattr(pipeline, "STAGES", tuple(s for s in pipeline.STAGES if s.name in ("indices", "association")))
    first = pipeline.run()
    assert timed(benchmark, pipeline.run) == first
    assert benchmark.stats["max"] < UNCHANGED_RUN_SECONDS
