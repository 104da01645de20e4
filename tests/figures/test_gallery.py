"""The approved figures say what the results say today."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from outcomes_analysis.figures.mapping import maps
from outcomes_analysis.pipeline.results import default_uncertainty
from outcomes_analysis.project import project

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.slow
def test_the_map_in_the_readme_says_what_the_results_say_today():
    path = project().path("figures", "gallery", "domain-map-learning.svg")
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    figure = maps.choropleth(default_uncertainty(), node="learning")
    again = (
        "Results have changed: `outcomes run`, look at figures/domain-map-learning.svg, copy it to figures/gallery/."
    )
    assert root.findtext(f"{SVG}title") == figure.title, again
    assert root.findtext(f"{SVG}desc") == figure.alt, again
    # What the README says of it beside the numbers.
    london = figure.data[figure.data["region_name"] == "London"]
    assert london["map_class"].str.startswith("Highest fifth").mean() > 0.5
