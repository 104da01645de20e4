"""Packs of all authorities without workbooks: within 10 minutes on two cores, so 7.5 s of one core for each.

The first pack of a process scores the default index and forecasts the national targets; that is told apart.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.pipeline import packs

pytestmark = pytest.mark.benchmark


def test_first_pack_of_a_process(benchmark, tmp_path: Path) -> None:
    benchmark.pedantic(lambda: packs.make_pack("Kent", tmp_path / "kent", workbook=False), rounds=1)


def test_pack_among_many(benchmark, tmp_path: Path) -> None:
    """Every eighth authority, from the smallest to the largest; rounds are places."""
    codes = iter(list(upper_tier(ranked_only=True).index)[::8])
    packs.make_pack("Kent", tmp_path / "kent", workbook=False)
    benchmark.pedantic(
        lambda code: packs.make_pack(code, tmp_path / code, workbook=False),
        setup=lambda: ((next(codes),), {}),
        rounds=19,
    )
    if benchmark.stats:  # none where benchmarks are switched off
        benchmark.extra_info["minutes_for_all_on_two_cores"] = round(benchmark.stats["mean"] * 153 / 2 / 60, 1)
