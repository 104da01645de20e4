"""How outcomes relate across areas. An association between areas says nothing about single children."""

from outcomes_analysis.relations.analyses import correlations, regressions, unmeasured_characteristics
from outcomes_analysis.relations.association import relate
from outcomes_analysis.relations.evaluating.evaluations import EvaluationResult, EvaluationSpec, evaluate_place
from outcomes_analysis.relations.joint import JointPriors, JointResult, JointSpec, fit_joint_model
from outcomes_analysis.relations.network.networks import outcome_network
from outcomes_analysis.relations.over_time.over_years import panel_regressions
from outcomes_analysis.relations.pair.measurement import fit_measurement_model
from outcomes_analysis.relations.result import RelationResult
from outcomes_analysis.relations.space.map_clusters import ClusterResult, spatial_clusters
from outcomes_analysis.relations.space.spatial import spatial_regressions
from outcomes_analysis.relations.spec_curve.choices import MultiverseSpec
from outcomes_analysis.relations.spec_curve.curves import MultiverseResult, multiverse
from outcomes_analysis.relations.specification import RelationSpec

__all__ = [
    "ClusterResult",
    "EvaluationResult",
    "EvaluationSpec",
    "JointPriors",
    "JointResult",
    "JointSpec",
    "MultiverseResult",
    "MultiverseSpec",
    "RelationResult",
    "RelationSpec",
    "correlations",
    "evaluate_place",
    "fit_joint_model",
    "fit_measurement_model",
    "multiverse",
    "outcome_network",
    "panel_regressions",
    "regressions",
    "relate",
    "spatial_clusters",
    "spatial_regressions",
    "unmeasured_characteristics",
]
