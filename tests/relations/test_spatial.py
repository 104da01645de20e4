"""Slopes with neighbours allowed for and clusters on the map, asked of made figures of real authorities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_figures import AREAS, made

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations import RelationSpec
from outcomes_analysis.relations.space.clustering import residual_moran
from outcomes_analysis.relations.space.map_clusters import spatial_clusters
from outcomes_analysis.relations.space.spatial import preferred_form, spatial_regressions
from outcomes_analysis.relations.space.spatial_models import Dependence, Multiplier, fit_spatial
from outcomes_analysis.relations.space.weights import neighbours_of
from outcomes_analysis.wording import associational

SPEC = RelationSpec(
    outcome="gld_pct",
    predictors=("phonics_y1",),
    years=(2024,),
    confounders=("child_poverty_bhc",),
    samples=("all", "without_london"),
)


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    """A share whose remainder is alike between neighbours, what goes with it, and poverty."""
    rng = np.random.default_rng(8)
    w = neighbours_of(list(AREAS.index)).matrix
    alike = np.linalg.inv(np.eye(151) - 0.7 * w)
    near, poverty = rng.normal(size=151), rng.uniform(8, 40, 151)
    return {
        "gld_pct": 70 - 0.3 * poverty + 2 * near + 2 * alike @ rng.normal(size=151),
        "phonics_y1": 75 + 3 * near,
        "child_poverty_bhc": poverty,
    }


def test_rows_are_the_lines_of_the_same_figures_in_standard_units(values: dict[str, np.ndarray]):
    result = spatial_regressions(made(values), spec=SPEC)
    assert len(result.table) == 3 * 2 * 2 * 2  # lines, scales, samples, alike or not
    assert result.table["status"].eq("computed").all()
    frame = pd.DataFrame(values, index=AREAS.index).sort_index()
    scaled = ((frame - frame.mean()) / frame.std()).to_numpy()
    design = np.column_stack([np.ones(151), scaled[:, 1:]])
    neighbours = neighbours_of(list(frame.index))
    names = ["constant", "phonics_y1", "child_poverty_bhc"]
    for form, analysis in (("error", "spatial_error"), ("lag", "spatial_lag")):
        fit = fit_spatial(scaled[:, 0], design, neighbours, form=form, names=names).fit.of("phonics_y1")
        row = result.row(analysis, adjusted_for="child_poverty_bhc", scale="standard")
        # the same search on the same figures
        assert (row["estimate"], row["lower"], row["upper"]) == pytest.approx(fit, rel=1e-9)
    natural = result.row("spatial_error", adjusted_for="child_poverty_bhc", scale="natural")
    standard = result.row("spatial_error", adjusted_for="child_poverty_bhc", scale="standard")
    assert natural["estimate"] == pytest.approx(
        standard["estimate"] * frame["gld_pct"].std() / frame["phonics_y1"].std(), rel=1e-9
    )
    allowed = result.diagnostics["spatial"]["phonics_y1", "child_poverty_bhc", "all"]
    assert allowed.preferred == "error"
    assert allowed.left_over.z > 4


def test_text_says_what_is_alike_and_which_line_the_tests_speak_for(values: dict[str, np.ndarray]):
    text = spatial_regressions(made(values), spec=SPEC).text
    assert "more alike between neighbours than chance would have it (Moran's I 0." in text
    assert "Tests speak for the line whose remainder is alike between neighbours" in text
    assert "Hampshire and Isle of Wight" in text or "Isle of Wight and Hampshire (1 km)" in text
    assert "not between children" in text
    assert "(90% interval)" in text
    associational(text)


def test_a_map_in_two_is_joined_and_the_text_says_where(values: dict[str, np.ndarray]):
    figures = made(values)
    between = ["E06000063", "E06000064", "E06000065"]
    result = spatial_clusters(figures[~figures["area_code"].isin(between)], spec=SPEC, permutations=999)
    assert len(result.table) == 148 * 4  # two figures, what is left over raw and with poverty alike
    assert "cut off by authorities without figures" in result.text
    assert "km)" in result.text
    lines = spatial_regressions(figures[~figures["area_code"].isin(between)], spec=SPEC)
    assert lines.table["status"].eq("computed").all()
    assert "cut off by authorities without figures" in lines.text


def test_clusters_are_of_the_figures_and_of_what_is_left_over(values: dict[str, np.ndarray]):
    raised = {**values, "gld_pct": values["gld_pct"] + np.where(AREAS["region_code"] == "E12000007", 15.0, 0.0)}
    result = spatial_clusters(made(raised), spec=SPEC, permutations=999)
    kinds = list(zip(result.overall["variable"], result.overall["kind"], result.overall["adjusted_for"], strict=True))
    assert kinds == [
        ("gld_pct", "figure", ""),
        ("phonics_y1", "figure", ""),
        ("gld_pct", "left over", ""),
        ("gld_pct", "left over", "child_poverty_bhc"),
    ]
    table = result.table
    left = table[(table["kind"] == "left over") & (table["adjusted_for"] == "child_poverty_bhc")]
    frame = pd.DataFrame(raised, index=AREAS.index).sort_index()
    design = np.column_stack([np.ones(151), frame[["phonics_y1", "child_poverty_bhc"]]])
    expected = frame["gld_pct"] - design @ np.linalg.lstsq(design, frame["gld_pct"], rcond=None)[0]
    assert left["area_code"].tolist() == frame.index.tolist()
    assert left["value"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-9)
    whole = residual_moran(frame["gld_pct"].to_numpy(), design, neighbours_of(list(frame.index)))
    row = result.overall.iloc[3]
    assert (row["estimate"], row["z"], row["lower"], row["level"]) == pytest.approx(
        (whole.estimate, whole.z, whole.lower, 0.9), rel=1e-9
    )
    high = set(left.loc[left["cluster"] == "high among high", "area_code"])
    assert len(high & set(AREAS.index[AREAS["region_code"] == "E12000007"])) > 20
    assert result.overall["p_value"].iloc[1] > 0.01  # phonics was made of separate draws
    assert "No single authority stands out from chance" in result.text
    assert "which is not better and worse" in result.text
    associational(result.text)


def test_figures_that_bear_no_line_are_refused_or_withheld(values: dict[str, np.ndarray]):
    constant = made({**values, "phonics_y1": np.full(151, 80.0)})
    with pytest.raises(RelationError, match="same in all 151"):
        spatial_regressions(constant, spec=SPEC)
    with pytest.raises(RelationError, match="same in all 151"):
        spatial_clusters(constant, spec=SPEC)
    twice = made({**values, "child_poverty_bhc": 2 * values["phonics_y1"] + 1})
    result = spatial_regressions(twice, spec=SPEC)
    row = result.row("spatial_lag", adjusted_for="child_poverty_bhc", scale="standard")
    assert row["status"] == "withheld"
    assert "collinear" in row["reason"]
    assert np.isnan(row["estimate"])


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ((0.2, 0.3, 0.01, 0.01), "plain"),
        ((0.01, 0.3, 0.5, 0.5), "error"),
        ((0.3, 0.01, 0.5, 0.5), "lag"),
        ((0.01, 0.01, 0.5, 0.01), "lag"),
        ((0.01, 0.01, 0.01, 0.5), "error"),
        ((0.01, 0.01, 0.01, 0.01), "both"),
        ((0.01, 0.01, 0.5, 0.5), "both"),
    ],
)
def test_which_line_the_tests_speak_for(p_values: tuple[float, ...], expected: str):
    assert preferred_form(Dependence(*(Multiplier(1.0, p) for p in p_values))) == expected
