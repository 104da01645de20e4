"""One place: its figures, what they are compared with, and what they cannot tell."""

from outcomes_analysis.places.comparison import NeighbourSummary, change_since, neighbour_summary
from outcomes_analysis.places.covering import CoverageReport, coverage, coverage_text
from outcomes_analysis.places.equity import EquityTwin, equity_twin
from outcomes_analysis.places.joined_wording import joined_text
from outcomes_analysis.places.joining import JoinedPlace, districts_of, named_places, place_of_districts
from outcomes_analysis.places.neighbouring import neighbour_choices, neighbour_set
from outcomes_analysis.places.pathway import Pathway, early_years_pathway
from outcomes_analysis.places.profile import AreaProfile, area_profile
from outcomes_analysis.places.rendering import profile_text
from outcomes_analysis.places.shared_sheet import SharedSheet, read_shared, shared_csv, shared_table
from outcomes_analysis.places.trajectories import Trajectory, trajectory
from outcomes_analysis.places.verdicts import Verdict, verdict

__all__ = [
    "AreaProfile",
    "CoverageReport",
    "EquityTwin",
    "JoinedPlace",
    "NeighbourSummary",
    "Pathway",
    "SharedSheet",
    "Trajectory",
    "Verdict",
    "area_profile",
    "change_since",
    "coverage",
    "coverage_text",
    "districts_of",
    "early_years_pathway",
    "equity_twin",
    "joined_text",
    "named_places",
    "neighbour_choices",
    "neighbour_set",
    "neighbour_summary",
    "place_of_districts",
    "profile_text",
    "read_shared",
    "shared_csv",
    "shared_table",
    "trajectory",
    "verdict",
]
