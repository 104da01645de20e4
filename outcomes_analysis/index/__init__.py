"""Composite indices: indicators to outcomes to domains, each with how sure it is."""

from outcomes_analysis.index.building import IndexResult, build_index
from outcomes_analysis.index.framing import matrix_of
from outcomes_analysis.index.judging.auditing import AuditReport, audit
from outcomes_analysis.index.judging.purpose import FitnessResult, fitness
from outcomes_analysis.index.judging.withholding import withhold_ranks, withhold_verdicts
from outcomes_analysis.index.matrix import IndicatorMatrix, build_matrix
from outcomes_analysis.index.montecarlo.drawing import UncertaintyResult, draw_ranks, uncertainty
from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    BasePeriodFactor,
    Factor,
    FiguresFactor,
    ImputationFactor,
    NormalisationFactor,
    OmissionFactor,
    PeopleFactor,
    TreatmentFactor,
    WeightFactor,
)
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.nominal import index_model
from outcomes_analysis.index.montecarlo.rank_sets import RankSets, rank_confidence_sets
from outcomes_analysis.index.montecarlo.replicates import Replicates, dry_run, replicate
from outcomes_analysis.index.montecarlo.sensitivity_indices import SensitivityResult, sensitivity
from outcomes_analysis.index.reading.comparing import ComparisonResult, compare_given
from outcomes_analysis.index.reading.contrasting import ContrastResult, compare_indices
from outcomes_analysis.index.reading.explaining import Explanation, explain, strengths_and_weaknesses
from outcomes_analysis.index.small_numbers.shrinking import ShrinkResult, shrink, shrink_counts
from outcomes_analysis.index.small_numbers.small_areas import FayHerriotResult, fay_herriot
from outcomes_analysis.index.specifying.spec_parts import Denominated, Reference, Screened
from outcomes_analysis.index.specifying.specification import IndexSpec
from outcomes_analysis.index.steps.aggregation import aggregate
from outcomes_analysis.index.steps.denomination import denominate, denominator_correlations
from outcomes_analysis.index.steps.imputation import (
    EM,
    GroupMean,
    GroupMedian,
    ImputationResult,
    Mean,
    Median,
    Regression,
    RowMean,
    RowMedian,
    Unimputed,
    impute,
)
from outcomes_analysis.index.steps.imputation_checking import imputation_check, pool_imputations
from outcomes_analysis.index.steps.means import (
    ArithmeticMean,
    Copeland,
    GeneralisedMean,
    GeometricMean,
    HarmonicMean,
    MazziottaPareto,
    Rescale,
    WeightedMedian,
)
from outcomes_analysis.index.steps.normalisation import normalise
from outcomes_analysis.index.steps.orderings import (
    AroundMean,
    Borda,
    Categories,
    Exponential,
    NormalScores,
    PercentileRank,
    Rank,
)
from outcomes_analysis.index.steps.pairwise import copeland, kemeny, outranking
from outcomes_analysis.index.steps.panel_imputation import Constant, Latest, Linear, LinearConstant, impute_panel
from outcomes_analysis.index.steps.scalings import (
    Adjusted,
    BasePeriod,
    Distance,
    Goalposts,
    MinMax,
    Ratio,
    Scaled,
    Unscaled,
    ZScore,
)
from outcomes_analysis.index.steps.screening import availability_table, screen
from outcomes_analysis.index.steps.stepping import StepResult
from outcomes_analysis.index.steps.treatment import (
    BoxCox,
    LogCT,
    LogCTOrig,
    LogCTPlus,
    LogGII,
    SkewKurtosis,
    Untreated,
    Winsorise,
    treat,
)
from outcomes_analysis.index.steps.tree import Tree
from outcomes_analysis.index.steps.weighting import (
    Equal,
    Given,
    MLFactor,
    Optimised,
    People,
    PrincipalComponents,
    weight,
)
from outcomes_analysis.index.years.changing import ChangeResult, index_change

__all__ = [
    "matrix_of",
    "Denominated",
    "Reference",
    "Screened",
    "AggregationFactor",
    "BasePeriodFactor",
    "Factor",
    "FiguresFactor",
    "ImputationFactor",
    "PeopleFactor",
    "NormalisationFactor",
    "OmissionFactor",
    "TreatmentFactor",
    "WeightFactor",
    "FigureDraws",
    "IndexModel",
    "index_model",
    "RankSets",
    "rank_confidence_sets",
    "Replicates",
    "dry_run",
    "replicate",
    "SensitivityResult",
    "sensitivity",
    "Tree",
    "Rescale",
    "aggregate",
    "ArithmeticMean",
    "Copeland",
    "GeneralisedMean",
    "GeometricMean",
    "HarmonicMean",
    "MazziottaPareto",
    "WeightedMedian",
    "copeland",
    "kemeny",
    "outranking",
    "Equal",
    "MLFactor",
    "Given",
    "Optimised",
    "People",
    "PrincipalComponents",
    "weight",
    "impute_panel",
    "LinearConstant",
    "Linear",
    "Latest",
    "Constant",
    "pool_imputations",
    "imputation_check",
    "impute",
    "Unimputed",
    "RowMedian",
    "RowMean",
    "Regression",
    "Median",
    "Mean",
    "ImputationResult",
    "GroupMedian",
    "GroupMean",
    "EM",
    "AuditReport",
    "FitnessResult",
    "audit",
    "fitness",
    "normalise",
    "AroundMean",
    "Borda",
    "Categories",
    "Exponential",
    "NormalScores",
    "PercentileRank",
    "Rank",
    "Adjusted",
    "BasePeriod",
    "Distance",
    "Goalposts",
    "MinMax",
    "Ratio",
    "Scaled",
    "Unscaled",
    "ZScore",
    "treat",
    "Winsorise",
    "Untreated",
    "SkewKurtosis",
    "LogGII",
    "LogCTPlus",
    "LogCTOrig",
    "LogCT",
    "BoxCox",
    "StepResult",
    "screen",
    "availability_table",
    "denominator_correlations",
    "denominate",
    "ChangeResult",
    "ComparisonResult",
    "ContrastResult",
    "Explanation",
    "FayHerriotResult",
    "IndexResult",
    "IndexSpec",
    "IndicatorMatrix",
    "ShrinkResult",
    "UncertaintyResult",
    "build_index",
    "build_matrix",
    "compare_given",
    "compare_indices",
    "draw_ranks",
    "explain",
    "fay_herriot",
    "index_change",
    "shrink",
    "shrink_counts",
    "strengths_and_weaknesses",
    "uncertainty",
    "withhold_ranks",
    "withhold_verdicts",
]
