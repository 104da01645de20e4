"""Real and made figures for the tests of associations."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from outcomes_analysis.framework.model import Framework


def _load(name: str) -> ModuleType:
    """A module of figures beside the tests; from then on it can be imported by its name."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


real_figures, made_figures = _load("real_figures"), _load("made_figures")


@pytest.fixture(scope="session")
def framework() -> Framework:
    """Admissions, attainment and child poverty."""
    r = real_figures
    return r.framework(r.MH, r.A8, r.GLD, r.BHC, r.AHC)


@pytest.fixture(scope="session")
def real_observations(mirror: Path) -> pd.DataFrame:
    """Admissions, attainment, school readiness and child poverty as published."""
    r = real_figures
    return pd.concat(
        [
            r.lait(mirror, "CMH_0-17yrs", indicator_id="mh_admissions_0_17", kind="financial"),
            r.lait(mirror, "AVG_Attain8_Score", indicator_id="attainment8", kind="academic"),
            r.poverty(mirror, "before"),
            r.poverty(mirror, "after"),
        ],
        ignore_index=True,
    )
