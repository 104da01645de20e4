"""The default data and their index, made once a process; not to be altered."""

from __future__ import annotations

import pandas as pd
import pytest

from outcomes_analysis.framework import load_framework
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index import IndexResult, IndicatorMatrix
from outcomes_analysis.pipeline import default_index
from outcomes_analysis.sources.release import load_observations


@pytest.fixture(scope="session")
def framework() -> Framework:
    return load_framework()


@pytest.fixture(scope="session")
def observations() -> pd.DataFrame:
    """The release in natural units."""
    return load_observations()


@pytest.fixture(scope="session")
def index() -> IndexResult:
    """Of figures measured by 2025; test files of another year have their own."""
    return default_index(2025)


@pytest.fixture(scope="session")
def matrix(index: IndexResult) -> IndicatorMatrix:
    return index.matrix
