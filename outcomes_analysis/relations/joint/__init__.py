"""The joint model: how the outcomes of all domains relate, noise and missing figures allowed for."""

from outcomes_analysis.relations.joint.fitting import fit_joint_model
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.result import JointResult, JointSpec

__all__ = ["JointPriors", "JointResult", "JointSpec", "fit_joint_model"]
