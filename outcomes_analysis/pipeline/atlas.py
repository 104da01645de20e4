"""The atlas of the default data."""

from __future__ import annotations

from pathlib import Path

from outcomes_analysis.pipeline.results import FIRST_INDEX_YEAR, PERIOD, default_index, default_uncertainty
from outcomes_analysis.project import project
from outcomes_analysis.provenance import write_atomic


def atlas_page(period: int = PERIOD) -> str:
    """Write the atlas of the default index, with every year up to one."""
    from outcomes_analysis.figures.atlas import atlas_html
    from outcomes_analysis.sources.release import load_observations

    years = {year: default_index(year) for year in range(FIRST_INDEX_YEAR, period + 1)}
    return atlas_html(load_observations(), uncertainty=default_uncertainty(period), years=years)


def make_atlas(path: Path | None = None, *, period: int = PERIOD) -> Path:
    """Write the atlas to a file, ``figures/atlas.html`` by default; give its path."""
    return write_atomic(path or project().result("figures", "atlas.html"), atlas_page(period))
