"""A small framework and a table made by hand, shared by the tests of the observations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.contract import COLUMNS, DATES, TEXT, conform
from outcomes_analysis.observations.periods import parse_periods


def make_indicator(name: str, **fields: Any) -> Indicator:
    given: dict[str, Any] = {
        "id": name,
        "name": name,
        "definition": "made for a test",
        "unit": "%",
        "direction": 1,
        "form": "proportion",
        "age_stage": "0-17",
        "geography_basis": "residence",
        "base_period": "2023",
        "source": "made",
        "decimals": 1,
        "cannot_tell": "anything",
        "scale": "logit",
        "sampling": {"model": "wilson"},
    }
    return Indicator.model_validate(given | fields)


def make_framework(*indicators: Indicator) -> Framework:
    return Framework(
        id="made", label="", version="1", date="", source_url="", notice="", nodes=(), indicators=indicators
    )


def make_observations(kind: str = "calendar", **columns: Any) -> pd.DataFrame:
    """Table from a few columns; the others hold what a plain published figure would have."""
    size = max(len(c) for c in columns.values() if isinstance(c, list | np.ndarray | pd.Series))
    table = pd.DataFrame({c: "" if c in TEXT else np.nan for c in COLUMNS}, index=range(size))
    table = table.drop(columns=[*DATES]).assign(
        area_code="E06000001", period="2024", group_type="all", group="all", status="published", source_id="made"
    )
    for name, column in columns.items():
        table[name] = column
    periods = parse_periods(table["period"], kind=kind)
    for name in ("period", *DATES):
        if name not in columns or name == "period":
            table[name] = periods[name]
    return conform(table)


@pytest.fixture(scope="session")
def indicator() -> Callable[..., Indicator]:
    return make_indicator


@pytest.fixture(scope="session")
def framework() -> Callable[..., Framework]:
    return make_framework


@pytest.fixture(scope="session")
def observations() -> Callable[..., pd.DataFrame]:
    return make_observations


@pytest.fixture(scope="session")
def published() -> tuple[pd.DataFrame, Framework]:
    """Real figures of 2013 to 2025 as released, with sampling errors, and the project's framework."""
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.sources.release import load_observations

    return load_observations(), load_framework()
