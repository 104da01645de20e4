"""Frames by contract on the real register and outlines, with scores drawn at random and known gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.boundaries import load_outlines
from outcomes_analysis.areas.register import upper_tier

DOMAINS = {"safe": "Safe", "healthy": "Healthy", "happy": "Happy", "learning": "Learning", "engaged": "Engaged"}
TINY = ["E09000001", "E06000053"]
NOT_COMPUTED = ["E06000017", "E06000046"]  # Rutland, Isle of Wight
ABSENT = "E06000065"  # North Yorkshire: the table has no row for it
AS_AT = "2026-04-08"


def _domain(node: str, areas: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(areas)
    estimate, error = rng.normal(size=n), rng.uniform(0.1, 0.4, n)
    rows = pd.DataFrame(
        {
            "node_id": node,
            "node_label": DOMAINS[node],
            "kind": "domain",
            "area_code": areas.index,
            "area_name": areas["name"].to_numpy(),
            "region_name": areas["region_name"].to_numpy(),
            "period": 2024,
            "estimate": estimate,
            "lower": estimate - 1.645 * error,
            "upper": estimate + 1.645 * error,
            "level": 0.9,
            "interval": "figures",
            "status": "computed",
        }
    )
    absent = rows["area_code"].isin([*TINY, *NOT_COMPUTED])
    rows.loc[absent, ["estimate", "lower", "upper"]] = np.nan
    rows.loc[rows["area_code"].isin(TINY), "status"] = "not_ranked"
    rows.loc[rows["area_code"].isin(NOT_COMPUTED), "status"] = "not_computed"
    if node == "happy":
        rows["status"] = rows["status"].replace("computed", "not_ranked")
    ranked = rows["estimate"].where(rows["status"] == "computed")
    rows["rank"] = ranked.rank(ascending=False, method="min")
    rows["rank_lower"] = (rows["rank"] - 40 * error).clip(lower=1).round()
    rows["rank_upper"] = (rows["rank"] + 40 * error).clip(upper=ranked.notna().sum()).round()
    return rows[rows["area_code"] != ABSENT]


@pytest.fixture(scope="session")
def scores() -> pd.DataFrame:
    """Domain scores of 152 of the 153 authorities."""
    areas = upper_tier()
    assert len(areas) == 153
    rng = np.random.default_rng(20)
    return pd.concat([_domain(node, areas, rng) for node in DOMAINS], ignore_index=True)


@pytest.fixture(scope="session")
def outlines():
    return load_outlines("upper")


@pytest.fixture(scope="session")
def layout() -> pd.DataFrame:
    """Hexagons standing on a point, in rows of twelve by code: any layout of that grid must do."""
    areas = upper_tier().sort_index()
    place = np.arange(len(areas))
    row = place // 12
    return pd.DataFrame(
        {
            "area_code": areas.index,
            "name": areas["name"].to_numpy(),
            "region_code": areas["region_code"].to_numpy(),
            "x": place % 12 + 0.5 * (row % 2),
            "y": -row * np.sqrt(3) / 2,
        }
    )
