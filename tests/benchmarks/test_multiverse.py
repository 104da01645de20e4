"""How long a question asked in more than 1,000 ways takes, with 200 curves of each kind without an association.

Run: ``uv run pytest -m benchmark tests/benchmarks/test_multiverse.py`` with ``OMP_NUM_THREADS=1``. Figures of the
release; 1,080 of 1,296 combinations can be had. Both kinds of curve are made: places exchanged at random, and places as
like their neighbours as they are.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from outcomes_analysis.relations import EvaluationSpec, MultiverseSpec, evaluate_place, multiverse
from outcomes_analysis.sources.release import load_observations

# processor time: what one core needs, whoever else uses the machine
pytestmark = pytest.mark.benchmark(timer=time.process_time)

PERMUTATIONS = 200
SECONDS = 120
SPEC = MultiverseSpec(
    outcomes={"attainment8": "the broadest measure at 16", "progress8": "what school adds from 11 on"},
    predictors={
        "mh_admissions_0_17": "the one figure of young people's mental health for every place",
        "inj_0_14": "stays in hospital for another reason",
    },
    years={2022: "before the break in attainment", 2023: "after it", 2024: "the latest with all"},
    adjustments={
        "": "the plain association",
        "child_poverty_bhc": "poverty goes with both",
        "child_poverty_ahc": "poverty with the cost of housing",
        "fsm_pct+sen_support_pct": "who goes to school there",
    },
    colliders=("persistent_absence",),
)


def test_a_thousand_ways(benchmark: Any) -> None:
    figures = load_observations()
    found = benchmark.pedantic(
        lambda: multiverse(figures, spec=SPEC, permutations=PERMUTATIONS), rounds=3, warmup_rounds=1
    )
    assert len(found.computed) >= 1_000
    assert benchmark.stats["min"] <= SECONDS


def test_a_place_and_a_date(benchmark: Any) -> None:
    """With every other place and every earlier date as placebos; no limit is promised."""
    figures = load_observations()
    spec = EvaluationSpec(indicator="cla_rate", area_code="E08000035", since=2022, change="a new programme")
    found = benchmark.pedantic(lambda: evaluate_place(figures, spec=spec), rounds=3, warmup_rounds=1)
    assert len(found.checks) == 7
