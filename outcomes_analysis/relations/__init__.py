"""How outcomes relate across areas. An association between areas says nothing about single children."""

from outcomes_analysis.relations.analyses import correlations, regressions, unmeasured_characteristics
from outcomes_analysis.relations.association import relate
from outcomes_analysis.relations.measurement import fit_measurement_model
from outcomes_analysis.relations.result import RelationResult
from outcomes_analysis.relations.specification import RelationSpec

__all__ = [
    "RelationResult",
    "RelationSpec",
    "correlations",
    "fit_measurement_model",
    "regressions",
    "relate",
    "unmeasured_characteristics",
]
