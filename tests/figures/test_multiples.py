"""Small maps side by side: one geometry, every area in each, and the words of each measure's own direction."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import maps
from outcomes_analysis.framework.loading import load_framework

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"
MEMBERS = {"psed_expected": 1 / 2, "mh_admissions_0_17": 1 / 4, "lac_sdq_mean": 1 / 4}


@pytest.fixture(scope="module")
def index(scores) -> SimpleNamespace:
    """As much of an index as the parts of a domain need: each part has the scores of another domain."""
    domains = ["safe", "healthy", "learning"]
    measures = [
        scores[scores["node_id"] == d].assign(node_id=m, node_label=f"Measure {m}", kind="indicator")
        for m, d in zip(MEMBERS, domains, strict=True)
    ]
    measures[1]["status"] = measures[1]["status"].replace("computed", "not_ranked")
    happy = SimpleNamespace(
        kind="domain",
        node=SimpleNamespace(label="Happy"),
        weights=pd.DataFrame({"weight": MEMBERS}),
    )
    return SimpleNamespace(
        table=pd.concat([scores, *measures], ignore_index=True),
        nodes={"happy": happy},
        matrix=SimpleNamespace(framework=load_framework()),
        manifest=SimpleNamespace(data_as_at=AS_AT),
    )


@pytest.fixture(scope="module")
def parts(index):
    return maps.parts(index, node="happy")


def test_every_part_is_a_whole_map_with_the_words_of_its_own_direction(parts):
    svg = parts.svg()
    areas = drawn.areas(svg)
    assert len(areas) == 3 * 153
    fills = [{a.fill.upper() for a in areas[i * 153 : (i + 1) * 153]} for i in range(3)]
    for i, palette in enumerate((theme.AGAINST, theme.NEUTRAL_AGAINST, theme.AGAINST)):
        assert set(palette) <= fills[i]
    assert fills[1].isdisjoint({theme.AGAINST[0], theme.AGAINST[2]})
    words = drawn.texts(svg)
    assert sum(w.startswith("Clearly more (") for w in words) == 1
    assert sum(w.startswith("Clearly better (") for w in words) == 2
    assert "(contested)" in " ".join(words)
    assert any("Admissions are not prevalence" in note for note in parts.notes)


def test_the_title_of_parts_counts_only_those_whose_direction_is_agreed(parts, index):
    signs = {
        m: standing.signs(index.table[index.table["node_id"] == m].set_index("area_code", drop=False))
        for m in ("psed_expected", "lac_sdq_mean")
    }
    both = pd.DataFrame(signs)
    mixed = int(((both > 0).any(axis=1) & (both < 0).any(axis=1)).sum())
    assert f": {mixed} of 148 authorities are clearly better than England in the base period on one part" in parts.title


def test_the_data_of_parts_has_every_area_once_a_part_and_says_which_way_it_runs(parts):
    assert len(parts.data) == 3 * 153
    assert not parts.data.duplicated(["node_id", "area_code"]).any()
    runs = parts.data.groupby("node_id")["higher_means"].first()
    assert dict(runs) == {"psed_expected": "better", "mh_admissions_0_17": "more", "lac_sdq_mean": "better"}


def test_parts_share_one_geometry(index, parts):
    one = {**index.nodes, "happy": SimpleNamespace(**{**vars(index.nodes["happy"])})}
    one["happy"].weights = one["happy"].weights.head(1)
    single = len(json.dumps(maps.parts(SimpleNamespace(**{**vars(index), "nodes": one}), node="happy").chart.to_dict()))
    assert len(json.dumps(parts.chart.to_dict())) < 2 * single


def test_keys_and_headings_of_parts_do_not_run_into_each_other(parts):
    """Boxes of all texts between the subtitle and the source line, by the widths of the house font."""
    places = drawn.text_places(parts.svg())
    source = next(y for text, _, y in places if text.startswith("Source"))
    boxes = [
        (x, y - 4, x + theme.text_width(text, size=8.5), y + 4, text)
        for text, x, y in places
        if 75 < y < source - 5 and text.strip()
    ]
    for i, a in enumerate(boxes):
        assert a[2] <= theme.width_of("page") + 14, a[4]
        for b in boxes[i + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]), (a[4], b[4])


def test_parts_need_to_know_what_stands_below_a_node(scores):
    with pytest.raises(FigureError, match="stand below 'happy'"):
        maps.parts(scores, node="happy")


@pytest.fixture(scope="module")
def nine(scores, outlines):
    return maps.small_multiples(
        {str(year): scores for year in range(2017, 2026)}, node="learning", outlines=outlines, data_as_at=AS_AT
    )


@pytest.mark.slow
def test_nine_maps_share_one_geometry(nine, scores, outlines):
    spec = json.dumps(nine.chart.to_dict())
    assert len(spec) < 1_000_000  # the promise for nine maps
    one = maps.small_multiples({"2025": scores}, node="learning", outlines=outlines, data_as_at=AS_AT)
    assert len(spec) < 2 * len(json.dumps(one.chart.to_dict()))
    assert len(drawn.areas(nine.svg())) == 9 * 153
    assert len(nine.data) == 9 * 153
    assert list(nine.data["map"].unique()) == [str(y) for y in range(2017, 2026)]


@pytest.mark.slow
def test_domains_side_by_side_name_the_most_and_the_least(scores, outlines):
    figure = maps.small_multiples(
        dict.fromkeys(("safe", "happy", "learning"), scores), outlines=outlines, data_as_at=AS_AT
    )
    better = {d: standing.against_counts(scores[scores["node_id"] == d])[0] for d in ("safe", "happy", "learning")}
    most, least = max(better, key=better.get), min(better, key=better.get)
    assert figure.title == (
        f"{better[most]} authorities are clearly better than England in the base period on {most.capitalize()}, "
        f"{better[least]} on {least.capitalize()}"
    )
    words = " ".join(drawn.texts(figure.svg()))
    assert "Happy (experimental)" in words
    fills = [a.fill.upper() for a in drawn.areas(figure.svg())[:153]]
    values = figure.data[figure.data["node_id"] == "safe"].sort_values("area_code")["estimate"]
    for fill, value in zip(fills, values, strict=True):
        assert (fill in theme.AGAINST) == pd.notna(value)
