"""The atlas: one HTML file with every domain, indicator, group of children and year, that asks for nothing outside."""

from __future__ import annotations

from outcomes_analysis.figures.atlas.page import atlas_html

__all__ = ["atlas_html"]
