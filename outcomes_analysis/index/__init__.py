"""Composite indices: indicators to outcomes to domains, each with how sure it is."""

from outcomes_analysis.index.auditing import AuditReport, audit
from outcomes_analysis.index.building import IndexResult, build_index
from outcomes_analysis.index.comparing import ComparisonResult, compare_given
from outcomes_analysis.index.denomination import denominate, denominator_correlations
from outcomes_analysis.index.drawing import UncertaintyResult, draw_ranks, uncertainty
from outcomes_analysis.index.imputation import (
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
from outcomes_analysis.index.imputation_checking import imputation_check, pool_imputations
from outcomes_analysis.index.matrix import IndicatorMatrix, build_matrix
from outcomes_analysis.index.normalisation import normalise
from outcomes_analysis.index.orderings import (
    AroundMean,
    Borda,
    Categories,
    Exponential,
    NormalScores,
    PercentileRank,
    Rank,
)
from outcomes_analysis.index.panel_imputation import Constant, Latest, Linear, LinearConstant, impute_panel
from outcomes_analysis.index.purpose import FitnessResult, fitness
from outcomes_analysis.index.scalings import (
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
from outcomes_analysis.index.screening import availability_table, screen
from outcomes_analysis.index.shrinking import ShrinkResult, shrink, shrink_counts
from outcomes_analysis.index.small_areas import FayHerriotResult, fay_herriot
from outcomes_analysis.index.specification import IndexSpec
from outcomes_analysis.index.stepping import StepResult
from outcomes_analysis.index.treatment import (
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

__all__ = [
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
    "ComparisonResult",
    "FayHerriotResult",
    "IndexResult",
    "IndexSpec",
    "IndicatorMatrix",
    "ShrinkResult",
    "UncertaintyResult",
    "build_index",
    "build_matrix",
    "compare_given",
    "draw_ranks",
    "fay_herriot",
    "shrink",
    "shrink_counts",
    "uncertainty",
]
