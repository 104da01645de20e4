"""What is measured: the framework as data, loaded, checked, searched and listed."""

from outcomes_analysis.framework.checking import check_framework
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Break, Framework, Indicator, Node, Sampling

__all__ = [
    "Break",
    "Framework",
    "Indicator",
    "Node",
    "Sampling",
    "check_framework",
    "load_framework",
]
