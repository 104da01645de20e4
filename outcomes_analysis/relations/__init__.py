"""How outcomes relate across areas. An association between areas says nothing about single children."""

from outcomes_analysis.relations.association import relate
from outcomes_analysis.relations.measurement import fit_measurement_model
from outcomes_analysis.relations.result import RelationResult
from outcomes_analysis.relations.specification import RelationSpec

__all__ = ["RelationResult", "RelationSpec", "fit_measurement_model", "relate"]
