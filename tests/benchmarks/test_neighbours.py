"""How long clusters on the map take, on one core.

Run: ``uv run pytest -m benchmark tests/benchmarks/test_neighbours.py`` with ``OMP_NUM_THREADS=1``.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.relations.space.clustering import PERMUTATIONS, local_moran
from outcomes_analysis.relations.space.weights import neighbours_of

# processor time: what one core needs, whoever else uses the machine
pytestmark = pytest.mark.benchmark(timer=time.process_time)

SECONDS = 1.5


@pytest.mark.parametrize("permutations", [999, PERMUTATIONS])
def test_local_moran_of_every_authority(benchmark: Any, permutations: int) -> None:
    neighbours = neighbours_of(list(upper_tier(ranked_only=True).index))
    values = np.random.default_rng(1).normal(size=151)
    found = benchmark.pedantic(
        local_moran, (values, neighbours), {"permutations": permutations}, rounds=3, warmup_rounds=1
    )
    assert len(found) == 151
    assert benchmark.stats["max"] < SECONDS
