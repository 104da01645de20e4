"""Children's outcomes in English local authorities: indices, associations, maps and evidence.

The public names load on first use, so that ``import outcomes_analysis`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "AreaProfile": "places.profile",
    "AuditReport": "index",
    "CoverageReport": "places.covering",
    "EquityTwin": "places.equity",
    "EvidenceCard": "evidence.playbook",
    "EvaluationResult": "relations",
    "EvaluationSpec": "relations",
    "IndexResult": "index",
    "IndexSpec": "index",
    "IndicatorMatrix": "index",
    "JoinedPlace": "places.joining",
    "MultiverseResult": "relations",
    "MultiverseSpec": "relations",
    "RelationResult": "relations",
    "RelationSpec": "relations",
    "SensitivityResult": "index",
    "Trajectory": "places.trajectories",
    "UncertaintyResult": "index",
    "area_profile": "places",
    "audit": "index",
    "build_index": "index",
    "build_matrix": "index",
    "check_file": "sources.vetting",
    "compare_given": "index",
    "compare_indices": "index",
    "coverage": "places",
    "equity_twin": "places",
    "evaluate_place": "relations",
    "explain": "index",
    "find": "framework",
    "fit_joint_model": "relations",
    "fit_measurement_model": "relations",
    "fitness": "index",
    "index_change": "index",
    "load_crosswalk": "framework",
    "load_framework": "framework",
    "load_local": "sources.local",
    "load_observations": "sources.release",
    "multiverse": "relations",
    "place_of_districts": "places",
    "outcome_network": "relations",
    "panel_regressions": "relations",
    "relate": "relations",
    "sensitivity": "index",
    "spatial_clusters": "relations",
    "spatial_regressions": "relations",
    "trajectory": "places",
    "uncertainty": "index",
}
_ROOMS = ("areas", "evidence", "figures", "framework", "index", "observations", "places", "relations", "sources")

__all__ = [*_HOMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    message = f"module '{__name__}' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
