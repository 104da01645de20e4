"""Two domains on one map, and how sure the lowest fifth is, read back out of the picture."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.mapping import maps
from outcomes_analysis.figures.mapping.crossing import CHANCES

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"


@pytest.fixture(scope="module")
def both(scores):
    return maps.bivariate(scores, nodes=("learning", "safe"), data_as_at=AS_AT)


def _steps(scores: pd.DataFrame, node: str) -> pd.Series:
    rows = scores[scores["node_id"] == node].set_index("area_code", drop=False)
    return standing.signs(rows) + 1


def test_every_hexagon_has_the_colour_of_its_two_steps(both, scores):
    one, two = _steps(scores, "learning"), _steps(scores, "safe")
    fills = [s.fill.upper() for s in drawn.areas(both.svg())[:153]]  # the nine squares of the key follow
    codes = list(both.data["area_code"])
    assert len(fills) == len(codes) == 153
    nine = {colour for row in theme.BIVARIATE for colour in row}
    seen = 0
    for code, fill in zip(codes, fills, strict=True):
        a, b = one.get(code, np.nan), two.get(code, np.nan)
        if np.isnan(a) or np.isnan(b):
            assert fill not in nine
        else:
            assert fill == theme.BIVARIATE[int(b)][int(a)]
            seen += 1
    assert seen == 148


def test_the_key_counts_every_cell_and_the_title_the_corners(both, scores):
    pairs = pd.crosstab(_steps(scores, "learning"), _steps(scores, "safe"))
    key = [s for s in drawn.shapes(both.svg()) if s.width == "0.6" and s.stroke.upper() == "#FFFFFF"][153:]
    assert {s.fill.upper() for s in key} == {c for row in theme.BIVARIATE for c in row}
    words = drawn.texts(both.svg())
    for count in pairs.to_numpy().ravel():
        assert str(int(count)) in words
    assert f": {pairs.loc[2, 2]} of 148 authorities clearly better" in both.title
    assert both.title.endswith(f"{pairs.loc[0, 0]} clearly worse on both")
    assert (
        both.data["map_class"].str.startswith("Learning: clearly worse; Safe: clearly better").sum() == pairs.loc[0, 2]
    )


def test_two_are_not_crossed_where_better_means_nothing(scores):
    rows = scores[scores["node_id"] == "safe"].assign(node_id="susp_rate", kind="indicator")
    rows["status"] = rows["status"].replace("computed", "not_ranked")
    with pytest.raises(FigureError, match="contested"):
        maps.bivariate(pd.concat([scores, rows]), nodes=("learning", "susp_rate"), data_as_at=AS_AT)


@pytest.fixture(scope="module")
def chances(scores) -> pd.DataFrame:
    chance = scores["rank"].rank(pct=True).where(scores["node_id"] != "happy")
    table = scores.assign(p_bottom_fifth=chance.where(scores["rank"].notna()))
    at_limits = table.index[(table["node_id"] == "safe") & table["p_bottom_fifth"].notna()][:4]
    table.loc[at_limits, "p_bottom_fifth"] = CHANCES  # a limit belongs to the class above it
    return table


@pytest.fixture(scope="module")
def sure(chances):
    return maps.sureness(chances, node="safe", data_as_at=AS_AT)


def test_chances_are_classed_at_their_limits_and_none_is_made_up(sure, chances):
    rows = chances[chances["node_id"] == "safe"].set_index("area_code")["p_bottom_fifth"]
    fills = dict(zip(sure.data["area_code"], [s.fill.upper() for s in drawn.areas(sure.svg())], strict=True))
    for code, fill in fills.items():
        chance = rows.get(code, np.nan)
        if np.isnan(chance):
            assert fill not in theme.SEQUENTIAL
        else:
            assert fill == theme.SEQUENTIAL[sum(chance >= limit for limit in CHANCES)]
    certain = int((rows >= 0.95).sum())
    assert f": {certain} of 148 authorities next to certainly" in sure.title


def test_a_node_without_ranks_has_no_lowest_fifth(chances, scores):
    for table, node in ((chances, "happy"), (scores, "safe")):
        with pytest.raises(FigureError, match="No chances of the lowest fifth"):
            maps.sureness(table, node=node, data_as_at=AS_AT)
