"""Real figures for the tests of one place."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from outcomes_analysis.areas.register import to_area_code
from outcomes_analysis.framework.model import Framework

ERRORS = {"attainment8": 0.8, "gld_pct": 1.2, "mh_admissions_0_17": 15.0, "cin_rate": 20.0}  # plausible sizes, given


def _load() -> ModuleType:
    if "real_figures" in sys.modules:
        return sys.modules["real_figures"]
    path = Path(__file__).parents[1] / "relations" / "real_figures.py"
    spec = importlib.util.spec_from_file_location("real_figures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["real_figures"] = module
    spec.loader.exec_module(module)
    return module


real_figures = _load()


@pytest.fixture(scope="session")
def framework() -> Framework:
    """Five indicators; school readiness has its break of 2021/22."""
    r = real_figures
    gld = r.GLD.model_copy(update={"breaks": (r.Break(period="2021/22", reason="the profile was revised"),)})
    return r.framework(gld, r.A8, r.MH, r.CIN, r.BHC)


@pytest.fixture(scope="session")
def place_observations(mirror: Path) -> pd.DataFrame:
    """As published, with the errors above given as ``se_total``."""
    r = real_figures
    table = pd.concat(
        [
            r.lait(mirror, "FSP_NEW_GOODDEV", indicator_id="gld_pct", kind="academic"),
            r.lait(mirror, "AVG_Attain8_Score", indicator_id="attainment8", kind="academic"),
            r.lait(mirror, "CMH_0-17yrs", indicator_id="mh_admissions_0_17", kind="financial"),
            r.poverty(mirror, "before"),
        ],
        ignore_index=True,
    )
    table["se_total"] = table["indicator_id"].map(ERRORS)
    return table


@pytest.fixture(scope="session")
def pairs(mirror: Path) -> pd.DataFrame:
    """The Department's statistical neighbours of 2025, ten a place."""
    wide = pd.read_csv(mirror / "lookups" / "statistical_neighbours_2025_wide.csv", encoding="utf-8-sig", dtype=str)
    long = wide.melt(id_vars="old_la_code", value_vars=[f"SN_{k}" for k in range(1, 11)])
    return pd.DataFrame({"area_code": to_area_code(long["old_la_code"]), "neighbour_code": to_area_code(long["value"])})
