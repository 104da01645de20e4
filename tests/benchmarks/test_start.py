"""How long the package takes to import and the command to answer, each in a new process.

Run: ``uv run pytest -m benchmark tests/benchmarks``. The limits are promises of the README's kind, measured on two
cores with compiled files in place; the first round compiles them.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.benchmark

IMPORT_SECONDS = 0.5
HELP_SECONDS = 1.0
NOTHING = "pass"
IMPORT = "import outcomes_analysis"
HELP = "import sys; sys.argv = ['outcomes', '--help']; from outcomes_analysis.cli import main; main()"


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_bare_python_for_comparison(benchmark: Any) -> None:
    benchmark.pedantic(run, args=(NOTHING,), rounds=5, warmup_rounds=1)


def test_import(benchmark: Any) -> None:
    benchmark.pedantic(run, args=(IMPORT,), rounds=5, warmup_rounds=1)
    assert benchmark.stats["median"] < IMPORT_SECONDS


def test_help(benchmark: Any) -> None:
    benchmark.pedantic(run, args=(HELP,), rounds=5, warmup_rounds=1)
    assert benchmark.stats["median"] < HELP_SECONDS
