"""How long the Monte Carlo engine takes, on one core; the menu of methods is fixed and named here.

Run: ``uv run pytest -m benchmark tests/benchmarks/test_engine.py`` with ``OMP_NUM_THREADS=1``. Menu: winsorising up to 1,
3 or 5 values; min-max (1 to 100) or z-scores (100, 10); arithmetic, geometric or harmonic mean; weights ± 25 %; an
indicator left out. Times are from the figures as published to scores and ranks of every node in every replicate.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    ImputationFactor,
    NormalisationFactor,
    OmissionFactor,
    PeopleFactor,
    TreatmentFactor,
    WeightFactor,
)
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.kernels import ranks_of
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.replicates import nominal, replicate
from outcomes_analysis.index.steps.tree import Tree

# processor time: what one core needs, whoever else uses the machine
pytestmark = pytest.mark.benchmark(timer=time.process_time)

REPLICATES = 1_000
METHOD_SECONDS = 0.1
FIGURES_SECONDS = 0.3
LARGE_SECONDS = 0.06
LARGE_BYTES = 2 * 2**30
MENU = (
    TreatmentFactor(methods=tuple({"method": "skew_kurtosis", "maximum": k} for k in (1, 3, 5))),
    NormalisationFactor(
        methods=({"method": "minmax", "lower": 1, "upper": 100}, {"method": "zscore", "mean": 100, "sd": 10})
    ),
    AggregationFactor(methods=("arithmetic", "geometric", "harmonic")),
    WeightFactor(spread=0.25),
    OmissionFactor(),
)
# Of so many skewed values five are too few to winsorise, so that 1, 3 and 5 are all the same: treated or left alone.
LARGE_MENU = (TreatmentFactor(methods=("none", "skew_kurtosis")), *MENU[1:])


def simulated(units: int, *, indicators: int = 50, domains: int = 5) -> IndexModel:
    """Areas that differ in one common way and in each indicator's own; every tenth indicator is skewed."""
    rng = np.random.default_rng(1)
    names = [f"i{k:02d}" for k in range(indicators)]
    x = 0.6 * rng.standard_normal((units, 1)) + rng.standard_normal((units, indicators))
    x[:, ::10] = np.exp(1.2 * x[:, ::10])
    parents = {name: f"d{k * domains // indicators}" for k, name in enumerate(names)}
    parents |= {f"d{k}": "index" for k in range(domains)}
    values = pd.DataFrame(x, index=[f"u{k:05d}" for k in range(units)], columns=names)
    return IndexModel(
        values,
        Tree.build(parents, leaves=names),
        errors=values * 0 + 0.3,
        normalisation={"method": "minmax", "lower": 1, "upper": 100},
    )


def test_method_choices(benchmark: Any) -> None:
    model = simulated(153)
    found = benchmark.pedantic(lambda: replicate(model, factors=MENU, draws=REPLICATES), rounds=7, warmup_rounds=1)
    assert len(found.table) == 6 * 153
    assert benchmark.stats["min"] <= METHOD_SECONDS


def test_figures_drawn_before_normalisation(benchmark: Any) -> None:
    model, figures = simulated(153), FigureDraws(shrink="no")

    def both() -> Any:
        return replicate(model, factors=MENU, figures=figures, draws=REPLICATES)

    assert len(benchmark.pedantic(both, rounds=7, warmup_rounds=1).table) == 6 * 153
    assert benchmark.stats["min"] <= FIGURES_SECONDS


def test_figures_from_what_they_say_of_the_truth(benchmark: Any) -> None:
    """Two fields to normalise and average instead of one, within the same limit."""
    model = simulated(153)

    def both() -> Any:
        return replicate(model, factors=MENU, figures=FigureDraws(), draws=REPLICATES)

    assert len(benchmark.pedantic(both, rounds=7, warmup_rounds=1).table) == 6 * 153
    assert benchmark.stats["min"] <= FIGURES_SECONDS


def test_gaps_and_people_beside_methods(benchmark: Any) -> None:
    """A twentieth of the figures missing, in ten completed tables, and weights from 30 people; no limit is promised."""
    whole = simulated(153)
    x = whole.values.mask(np.random.default_rng(2).random(whole.values.shape) < 0.05)
    model = replace(whole, values=x)
    people = pd.DataFrame(np.random.default_rng(3).dirichlet(np.ones(5), 30), columns=[f"d{k}" for k in range(5)])
    factors = (*MENU[:3], OmissionFactor(), PeopleFactor(allocations=people), ImputationFactor(draws=10))
    benchmark.pedantic(lambda: replicate(model, factors=factors, draws=REPLICATES), rounds=3, warmup_rounds=1)


def test_small_areas_once(benchmark: Any) -> None:
    """33,000 areas: normalise, aggregate, rank."""
    model = simulated(33_000)
    ranks = benchmark.pedantic(lambda: ranks_of(nominal(model)), rounds=7, warmup_rounds=1)
    assert ranks.shape == (6, 33_000)
    assert benchmark.stats["min"] <= LARGE_SECONDS


@pytest.mark.benchmark(timer=time.perf_counter)
def test_small_areas_many_times(benchmark: Any) -> None:
    """1,000 replicates of 33,000 areas in a process of their own, whose peak of memory is measured."""
    code = (
        "import importlib.util, resource, sys\n"
        f"spec = importlib.util.spec_from_file_location('engine', {str(Path(__file__))!r})\n"
        "engine = importlib.util.module_from_spec(spec); spec.loader.exec_module(engine)\n"
        "sys.modules['engine'] = engine\n"
        "found = engine.replicate(engine.simulated(33_000), factors=engine.LARGE_MENU, draws=engine.REPLICATES)\n"
        "assert len(found.table) == 6 * 33_000 and not found.tally.exact\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)\n"
    )

    def run() -> int:
        return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)

    peak = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["peak_megabytes"] = peak // 2**20
    assert peak <= LARGE_BYTES
