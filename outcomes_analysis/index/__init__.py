"""Composite indices: indicators to outcomes to domains, each with how sure it is."""

from outcomes_analysis.index.building import IndexResult, build_index
from outcomes_analysis.index.comparing import ComparisonResult, compare_given
from outcomes_analysis.index.drawing import UncertaintyResult, draw_ranks, uncertainty
from outcomes_analysis.index.matrix import IndicatorMatrix, build_matrix
from outcomes_analysis.index.specification import IndexSpec

__all__ = [
    "ComparisonResult",
    "IndexResult",
    "IndexSpec",
    "IndicatorMatrix",
    "UncertaintyResult",
    "build_index",
    "build_matrix",
    "compare_given",
    "draw_ranks",
    "uncertainty",
]
