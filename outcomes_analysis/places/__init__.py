"""One place: its figures, what they are compared with, and what they cannot tell."""

from outcomes_analysis.places.comparison import NeighbourSummary, Verdict, change_since, neighbour_summary, verdict
from outcomes_analysis.places.profile import AreaProfile, area_profile
from outcomes_analysis.places.rendering import profile_text

__all__ = [
    "AreaProfile",
    "NeighbourSummary",
    "Verdict",
    "area_profile",
    "change_since",
    "neighbour_summary",
    "profile_text",
    "verdict",
]
