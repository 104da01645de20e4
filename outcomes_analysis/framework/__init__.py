"""What is measured: the framework as data, loaded, checked, searched, listed and extended locally."""

from outcomes_analysis.framework.cataloguing import catalogue, catalogue_csv, domain_summary
from outcomes_analysis.framework.checking import check_framework
from outcomes_analysis.framework.coinr import CoinrTables, coinr_weights, from_coinr, split_coinr, to_coinr
from outcomes_analysis.framework.crosswalk import Crosswalk, load_crosswalk
from outcomes_analysis.framework.finding import find
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Break, Framework, Indicator, Node, Sampling
from outcomes_analysis.framework.overlay import overlay_values, with_overlay

__all__ = [
    "Break",
    "CoinrTables",
    "Crosswalk",
    "Framework",
    "Indicator",
    "Node",
    "Sampling",
    "catalogue",
    "catalogue_csv",
    "check_framework",
    "coinr_weights",
    "domain_summary",
    "find",
    "from_coinr",
    "load_crosswalk",
    "load_framework",
    "overlay_values",
    "split_coinr",
    "to_coinr",
    "with_overlay",
]
