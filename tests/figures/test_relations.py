"""The scatter of an association, read back out of the picture, and the lines drawn through it."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.outliers_influence import OLSInfluence

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.charts import lines, relations
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import draw, png
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations import RelationResult, RelationSpec
from outcomes_analysis.sources.release import read_manifest
from outcomes_analysis.wording import causal_words

sys.path.insert(0, str(Path(__file__).parent))
import drawn

AS_AT = "2026-04-08"


def _relation(slope: float) -> RelationResult:
    areas = upper_tier(ranked_only=True)
    rng = np.random.default_rng(3)
    x = np.exp(rng.normal(4.4, 0.4, len(areas)))
    data = pd.DataFrame(
        {
            "area_name": areas["name"],
            "region_code": areas["region_code"],
            "region_name": areas["region_name"],
            "london": areas["region_code"] == "E12000007",
            "mh_admissions_0_17": x,
            "attainment8": 46 + slope * (x - 80) + rng.normal(0, 3, len(areas)),
        },
        index=areas.index,
    )
    row = {
        "analysis": "spearman",
        "adjusted_for": "",
        "sample": "all",
        "n": len(data),
        "estimate": np.sign(slope) * 0.3,
    }
    row |= {"lower": row["estimate"] - 0.1, "upper": row["estimate"] + 0.1, "level": 0.9, "interval": "figures"}
    row |= {"unit": "correlation", "scale": "correlation", "method": "", "status": "computed", "reason": ""}
    return RelationResult(
        table=pd.DataFrame([row]),
        text="",
        spec=RelationSpec(outcome="attainment8", predictors="mh_admissions_0_17", years=2024),
        manifest=RunManifest(data_as_at=AS_AT),
        diagnostics={"periods": {"mh_admissions_0_17": "2023/24", "attainment8": "2023/24"}},
        data=data,
    )


@pytest.fixture(scope="module")
def plot():
    return relations.scatter(_relation(-0.03), framework=load_framework())


def test_every_area_is_a_point_and_london_has_a_shape_of_its_own(plot):
    points = [s for s in drawn.shapes(plot.svg()) if s.width == "0.5" and s.stroke.upper() == "#FFFFFF"]
    london = [s for s in points if s.fill.upper() == theme.DUO[1]]
    assert len(points) == 151
    assert len(london) == 32
    assert len({s.d for s in points}) == 2
    assert {s.d for s in london}.isdisjoint({s.d for s in points if s not in london})


@pytest.mark.parametrize(
    ("slope", "words"),
    [(-0.03, "somewhat lower Attainment 8"), (0.03, "somewhat higher Attainment 8"), (0.0, "No clear association")],
)
def test_the_title_is_the_association_and_never_more(slope, words):
    figure = relations.scatter(_relation(slope), framework=load_framework())
    assert words in figure.title
    assert not causal_words(f"{figure.title} {figure.subtitle} {figure.alt}")


def test_the_picture_says_what_admissions_are_not_and_that_areas_are_not_children(plot):
    words = " ".join(drawn.texts(plot.svg()))
    for needed in [
        "Admissions are not prevalence",
        "not between children",
        "Neither axis starts at zero",
        "2023/24",
        "90% interval",
    ]:
        assert needed in words


def test_intervals_of_the_figures_are_drawn_where_they_are_given():
    result = _relation(-0.03)
    ids = ("mh_admissions_0_17", "attainment8")
    obs = pd.concat(
        [
            pd.DataFrame(
                {"indicator_id": i, "area_code": result.data.index, "period": "2023/24", "group": "all",
                 "lower": result.data[i] * 0.97, "upper": result.data[i] * 1.03}
            )
            for i in ids
        ]
    )  # fmt: skip
    figure = relations.scatter(result, observations=obs, framework=load_framework())
    faint = drawn.root_of(figure.svg()).iter(f"{drawn.SVG}line")
    assert sum(line.get("stroke", "").upper() == "#D0D5DB" for line in faint) == 2 * 151
    assert figure.data["attainment8_lower"].notna().all()


def test_the_band_is_that_of_statsmodels():
    rng = np.random.default_rng(5)
    x = rng.normal(size=60)
    y = 1 + 2 * x + rng.normal(size=60) * (1 + np.abs(x))
    line = lines.fitted_line(x, y, level=0.9)
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC3", use_t=True)
    expected = fit.get_prediction(sm.add_constant(line.table["x"].to_numpy())).summary_frame(alpha=0.1)
    # The same formula in another order of operations: only rounding is left.
    assert np.allclose(line.table["estimate"], expected["mean"], rtol=1e-9)
    assert np.allclose(line.table["lower"], expected["mean_ci_lower"], rtol=1e-9)
    assert np.allclose(line.table["upper"], expected["mean_ci_upper"], rtol=1e-9)


def test_no_line_through_areas_all_alike():
    with pytest.raises(FigureError, match="No line"):
        lines.fitted_line(np.ones(9), np.arange(9.0))


def test_a_relation_without_its_data_is_refused():
    result = _relation(-0.03)
    bare = SimpleNamespace(
        spec=result.spec, data=result.data.drop(columns="london"), diagnostics={}, manifest=result.manifest
    )
    with pytest.raises(FigureError, match="london"):
        relations.scatter(bare, framework=load_framework())


def test_text_is_really_drawn_in_the_png(plot):
    grey = drawn.pixels(png(draw(plot.chart), ppi=72))
    _, x, y = drawn.text_places(plot.svg())[0]
    assert grey[round(y) - 9 : round(y) + 2, round(x) : round(x) + 60].min() < 120


def _far_out(n: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Points without a slope, and one far to the right that makes one."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(2, n))
    return np.append(x, 12.0), np.append(y, 9.0)


def test_the_steady_line_is_that_of_scipy_and_hardly_moves():
    x, y = _far_out()
    line = lines.steady_line(x, y)
    slope = float(np.diff(line["estimate"])[0] / np.diff(line["x"])[0])
    # the same median of the same slopes: rounding alone
    assert slope == pytest.approx(stats.theilslopes(y, x).slope, abs=1e-12)
    assert np.median(y - np.interp(x, line["x"], line["estimate"])) == pytest.approx(0, abs=1e-12)
    without = stats.theilslopes(y[:-1], x[:-1]).slope
    assert abs(slope - without) < 0.1 * abs(np.polyfit(x, y, 1)[0] - np.polyfit(x[:-1], y[:-1], 1)[0])


def test_the_point_that_pulls_is_found_as_statsmodels_does():
    x, y = _far_out()
    pull = lines.strongest_pull(x, y)
    influence = OLSInfluence(sm.OLS(y, sm.add_constant(x)).fit())
    assert pull.row == int(np.abs(influence.dfbetas[:, 1]).argmax()) == 50
    assert pull.strength == pytest.approx(influence.dfbetas[50, 1], rel=1e-9)  # the same formula, other order of sums
    assert pull.slope_without == pytest.approx(np.polyfit(x[:-1], y[:-1], 1)[0], rel=1e-9)
    assert pull.slope == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-9)


def test_the_area_that_pulls_is_named_with_the_slope_without_it():
    result = _relation(-0.03)
    data = result.data.copy()
    quiet = relations.scatter(result, framework=load_framework())
    assert "pulls" not in " ".join(quiet.notes)
    data.loc["E06000024", ["mh_admissions_0_17", "attainment8"]] = [900.0, 60.0]
    figure = relations.scatter(dataclasses.replace(result, data=data), framework=load_framework())
    note = next(n for n in figure.notes if "pulls" in n)
    rest = data.drop(index="E06000024")
    without = np.polyfit(rest["mh_admissions_0_17"], rest["attainment8"], 1)[0]
    step = 10.0 if data["mh_admissions_0_17"].std() < 100 else 100.0
    assert note.startswith("North Somerset pulls")
    assert f"{abs(step * without):.2f} without" in note


def test_contested_figures_are_marked_under_the_title(plot):
    assert "Contested: people disagree which way is better for mental health admissions" in plot.subtitle


def test_the_axes_note_is_exact():
    def note(low: float, high: float) -> str:
        points = pd.DataFrame({"x": [1.0, 100.0], "y": [low, high]})
        for axis in ("x", "y"):
            points[f"{axis}_lower"], points[f"{axis}_upper"] = np.nan, np.nan
        return relations._axes_note(points.assign(x=[0.0, 100.0]))

    assert note(40, 60) == "The vertical axis does not start at zero."
    assert note(-1, 60) == ""
    assert note(3, 103) == ""  # with its margin the axis starts at zero exactly


def test_the_source_is_the_file_that_was_read():
    result = _relation(-0.03)
    read = {"mh_admissions_0_17": ("lait",), "attainment8": ("lait",), "child_poverty_ahc": ("ons_child_poverty",)}
    result = dataclasses.replace(result, diagnostics={**result.diagnostics, "read_from": read})
    figure = relations.scatter(result, framework=load_framework())
    manifest = {s["id"]: s for s in read_manifest()["sources"]}
    assert figure.source.startswith(f"{manifest['lait']['title']} ({manifest['lait']['publisher']})")
    assert figure.source.count(manifest["lait"]["title"]) == 1
    assert figure.data_as_at == manifest["lait"]["data_as_at"]
    assert manifest["ons_child_poverty"]["title"] not in figure.source  # allowed for, not drawn
    ours = {"mh_admissions_0_17": ("my_survey",), "attainment8": ("lait",)}
    result = dataclasses.replace(result, diagnostics={**result.diagnostics, "read_from": ours})
    assert relations.scatter(result, framework=load_framework()).source.endswith("local figures")
