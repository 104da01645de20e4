"""Lines within authorities asked of made figures of real authorities over several years."""

from __future__ import annotations

import numpy as np
import pytest
from made_figures import AREAS, made

from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.relations import RelationResult, RelationSpec
from outcomes_analysis.relations.over_time.over_years import panel_regressions
from outcomes_analysis.relations.over_time.panels import fit_panel
from outcomes_analysis.wording import associational

YEARS = (2022, 2023, 2024)
SPEC = RelationSpec(
    outcome="gld_pct",
    predictors=("phonics_y1",),
    years=YEARS,
    confounders=("child_poverty_ahc",),
    samples=("all",),
)


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    """Across authorities the two rise together; within them one falls as the other rises. Shape (areas, years)."""
    rng = np.random.default_rng(9)
    own = rng.normal(size=(151, 1))
    change = rng.normal(size=(151, 3))
    return {
        "gld_pct": 68 + 4 * own - 0.8 * change + 0.3 * rng.normal(size=(151, 3)) + [0, 1.0, 2.0],
        "phonics_y1": 70 + 15 * own + 5 * change,
        "child_poverty_ahc": rng.uniform(10, 40, size=(151, 1)) + rng.normal(size=(151, 3)),
    }


@pytest.fixture(scope="module")
def result(values: dict[str, np.ndarray]) -> RelationResult:
    return panel_regressions(made(values, years=YEARS), spec=SPEC)


def test_rows_are_lines_within_authorities_in_standard_units(values: dict[str, np.ndarray], result: RelationResult):
    table = result.table
    assert len(table) == 5 * 2 * 2 * 2  # lines, scales, alike or not, and without London since the children differ
    assert set(table.loc[table["status"] == "withheld", "analysis"]) == {"panel_two_way_years"}
    spread = {name: v[:, -1].std(ddof=1) for name, v in values.items()}
    scaled = {name: (v / spread[name]).ravel() for name, v in values.items()}
    areas, years = np.repeat(AREAS.index, 3), np.tile(YEARS, 151)
    for name, levels, errors in (
        ("panel_within", "areas", "areas"),
        ("panel_two_way", "areas and years", "areas"),
        ("panel_two_way_regions", "areas and years", "groups"),
    ):
        fit = fit_panel(
            scaled["gld_pct"],
            np.column_stack([scaled["phonics_y1"], scaled["child_poverty_ahc"]]),
            names=["phonics_y1", "child_poverty_ahc"],
            areas=areas,
            years=years,
            levels=levels,
            errors=errors,
            groups=np.repeat(AREAS["region_code"].to_numpy(str), 3),
        ).of("phonics_y1")
        row = result.row(name, adjusted_for="child_poverty_ahc", scale="standard")
        # the same equations, rows in another order
        assert (row["estimate"], row["lower"], row["upper"]) == pytest.approx(fit, rel=1e-8)
    row = result.row("panel_two_way", scale="natural")
    per = 10.0  # a round step of a spread of 15 or so
    assert row["estimate"] == pytest.approx(-0.8 / 5 * per, abs=0.05)
    assert row["n"] == 151


def test_a_lag_sets_the_outcome_against_the_year_before(values: dict[str, np.ndarray]):
    moved = values | {"gld_pct": 60 + 0.2 * np.roll(values["phonics_y1"], 1, axis=1)}
    result = panel_regressions(made(moved, years=YEARS), spec=SPEC.replace(confounders=()))
    spread = moved["phonics_y1"][:, -1].std(ddof=1), moved["gld_pct"][:, -1].std(ddof=1)
    row = result.row("panel_lagged", scale="standard")
    # without noise the slope comes back to the digits of the solver
    assert row["estimate"] == pytest.approx(0.2 * spread[0] / spread[1], rel=1e-6)
    assert "302 figures of 151 authorities in 2 years" in row["reason"]


def test_text_names_years_levels_and_what_it_cannot_say(result: RelationResult):
    text = result.text
    assert "151 authorities set beside themselves in 2022 to 2024" in text
    assert "than the authority's own mean" in text
    assert "withheld (3 years are too few" in text
    assert "(90% interval)" in text
    assert "not between children" in text
    assert "one near 0 is no proof of none" in text
    associational(text)


def test_years_across_a_break_are_refused_or_get_levels_of_their_own(values: dict[str, np.ndarray]):
    years = (2023, 2024, 2025)
    figures = {"attainment8": values["gld_pct"], "takeup_2yo": values["phonics_y1"]}
    spec = SPEC.replace(outcome="attainment8", predictors=("takeup_2yo",), years=years, confounders=())
    with pytest.raises(RelationError, match=r"1 declared break lies between 2023 and 2025.*takeup_2yo"):
        panel_regressions(made(figures, years=years), spec=spec)
    shifted = figures | {"takeup_2yo": figures["takeup_2yo"] + [0, 0, 30.0]}
    first, second = (panel_regressions(made(f, years=years), spec=spec, breaks="level") for f in (figures, shifted))
    assert second.diagnostics["stretches"] == (2025,)
    assert "not comparable across 2025" in second.text
    # a break that moves all authorities alike changes nothing
    for name in ("panel_within", "panel_two_way"):
        one, other = (r.row(name, scale="natural")["estimate"] for r in (first, second))
        assert one == pytest.approx(other, rel=1e-8)


def test_a_break_of_what_is_held_alike_is_refused_too(values: dict[str, np.ndarray]):
    years = (2021, 2022, 2023)
    figures = values | {"child_poverty_bhc": values["child_poverty_ahc"]}
    spec = SPEC.replace(
        outcome="takeup_34yo", predictors=("cla_rate",), years=years, confounders=("child_poverty_bhc",)
    )
    renamed = {**figures, "takeup_34yo": figures["gld_pct"], "cla_rate": figures["phonics_y1"]}
    with pytest.raises(RelationError, match="child_poverty_bhc"):
        panel_regressions(made(renamed, years=years), spec=spec)


def test_the_manifest_changes_with_an_earlier_year(values: dict[str, np.ndarray], result: RelationResult):
    earlier = values["gld_pct"].copy()
    earlier[0, 0] += 1
    other = panel_regressions(made(values | {"gld_pct": earlier}, years=YEARS), spec=SPEC)
    assert result.manifest.data != other.manifest.data
    assert result.manifest.spec == other.manifest.spec == SPEC.hash


def test_questions_without_years_to_compare_are_refused(values: dict[str, np.ndarray]):
    with pytest.raises(RelationError, match="names one year, 2024"):
        panel_regressions(made(values, years=YEARS), spec=SPEC.replace(years=(2024,)))
    with pytest.raises(SpecError, match="lag is 0"):
        panel_regressions(made(values, years=YEARS), spec=SPEC, lag=0)
    result = panel_regressions(made(values, years=YEARS), spec=SPEC.replace(confounders=()), lag=2)
    row = result.row("panel_lagged", scale="standard")
    assert row["status"] == "withheld"
    assert "2 years before" in row["reason"]
    still = values | {"phonics_y1": np.repeat(values["phonics_y1"][:, :1], 3, axis=1)}
    row = panel_regressions(made(still, years=YEARS), spec=SPEC.replace(confounders=())).row(
        "panel_two_way", scale="standard"
    )
    assert row["status"] == "withheld"
    assert "Does not change within areas" in row["reason"]
