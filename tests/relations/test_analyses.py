"""Correlations, slopes and robustness for several predictors, on made figures of real authorities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_figures import AREAS, made

from outcomes_analysis.errors import FrameworkError, RelationError
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.relations import RelationSpec, correlations, regressions, unmeasured_characteristics
from outcomes_analysis.relations.analyses import with_false_discovery
from outcomes_analysis.relations.cautions import cautions, near_duplicates, shared_denominator
from outcomes_analysis.relations.sentences import short_name
from outcomes_analysis.wording import associational


@pytest.fixture(scope="module")
def figures() -> pd.DataFrame:
    """A share, something that goes with it, something that does not, poverty, and children; two years alike."""
    rng = np.random.default_rng(4)
    n = len(AREAS)
    poverty = rng.uniform(8, 40, n)
    near = rng.normal(size=n)
    shares = np.clip(70 - 0.5 * poverty + 6 * near + rng.normal(size=n), 5, 95)
    base = {
        "gld_pct": shares,
        "phonics_y1": np.clip(75 + 3 * near + rng.normal(size=n), 5, 99),
        "mh_admissions_0_17": np.exp(4.4 + 0.4 * rng.normal(size=n)),
        "child_poverty_bhc": poverty,
        "pop_0_17": rng.integers(20_000, 300_000, n).astype(float),
    }
    later = made(base, errors={"se_total": 0.5})
    moved = {k: v + (0.2 * rng.normal(size=n) if k != "pop_0_17" else 0) for k, v in base.items()}
    earlier = made(moved, years=(2023,), errors={"se_total": 0.5})
    return pd.concat([earlier, later], ignore_index=True)


SPEC = RelationSpec(
    outcome="gld_pct",
    predictors=("phonics_y1", "mh_admissions_0_17"),
    years=(2023, 2024),
    confounders=("child_poverty_bhc",),
    samples=("all",),
)
ONE = SPEC.replace(predictors=("phonics_y1",), confounders=())


def test_many_predictors_are_corrected_together(figures: pd.DataFrame):
    result = correlations(figures, spec=SPEC, draws=200)
    table = result.table
    assert list(table["predictor"].unique()) == ["phonics_y1", "mh_admissions_0_17"]
    tested = table[table["analysis"] == "spearman_neighbours"]
    assert tested["q_value"].notna().all()
    assert table.loc[table["analysis"] != "spearman_neighbours", "q_value"].isna().all()
    case = tested[(tested["adjusted_for"] == "") & (tested["sample"] == "all")].set_index("predictor")
    assert case.at["phonics_y1", "q_value"] == pytest.approx(2 * case.at["phonics_y1", "p_value"], rel=1e-12)
    assert case.at["mh_admissions_0_17", "q_value"] == pytest.approx(
        case.at["mh_admissions_0_17", "p_value"], rel=1e-12
    )
    assert "2 indicators are set against good level of development" in result.text
    assert "1 still stand" in result.text or "1 still stands" in result.text
    associational(result.text)
    assert "not between children" in result.text


def test_different_children_are_read_without_london_too_even_unasked(figures: pd.DataFrame):
    result = correlations(figures, spec=SPEC, draws=100)
    samples = result.table.groupby("predictor")["sample"].agg(set)
    assert samples["mh_admissions_0_17"] == {"all", "without_london"}  # by residence beside by school
    assert "Many children cross a boundary to school" in result.text


def test_benjamini_and_hochbergs_own_example():
    """Fifteen p-values of their section 4.1: at .05 the four smallest stand."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    table = pd.DataFrame({"analysis": "a", "adjusted_for": "", "sample": "all", "p_value": [*p, np.nan]})
    q = with_false_discovery(table)["q_value"]
    assert (q[:15] <= 0.05).sum() == 4
    assert q[3] == pytest.approx(0.0095 * 15 / 4, abs=1e-12)
    assert np.isnan(q[15])
    assert "q_value" not in table


def test_slopes_of_a_share_have_the_curve_too(figures: pd.DataFrame):
    result = regressions(figures, spec=SPEC)
    rows = result.table.query("scale == 'standard' and sample == 'all' and adjusted_for == 'child_poverty_bhc'")
    one = rows[rows["predictor"] == "phonics_y1"].set_index("analysis")
    assert (one["status"] == "computed").all()
    assert "fractional_logit" in one.index
    # shares from 30 to 80 %: the average slope of the curve is near that of the line
    assert one.at["fractional_logit", "estimate"] == pytest.approx(one.at["ols_robust", "estimate"], rel=0.05)
    assert one.at["mixed_authority", "n"] == len(AREAS)
    assert one.at["wls_children", "estimate"] != one.at["ols_robust", "estimate"]
    associational(result.text)


def test_weights_are_withheld_where_children_are_not_counted(figures: pd.DataFrame):
    lacking = figures[~(figures["indicator_id"].eq("pop_0_17") & figures["area_code"].eq("E06000001"))]
    rows = regressions(lacking, spec=ONE).table.query("analysis == 'wls_children' and sample == 'all'")
    assert (rows["status"] == "withheld").all()
    assert rows["reason"].str.contains("not known for 1 of 151 authorities").all()


def test_one_year_gives_no_levels_for_authorities(figures: pd.DataFrame):
    rows = regressions(figures, spec=ONE.replace(years=(2024,))).table.query("analysis == 'mixed_authority'")
    assert (rows["status"] == "withheld").all()
    assert rows["reason"].str.contains("1 year of 2024 to 2024; levels for authorities need two").all()


def test_what_a_slope_can_bear_is_a_result_like_others(figures: pd.DataFrame):
    result = unmeasured_characteristics(figures, spec=SPEC)
    assert set(result.table["analysis"]) == {"unseen_as_strong"}
    shown = result.table[result.table["status"] == "computed"]
    assert list(shown["predictor"].unique()) == ["mh_admissions_0_17"]
    assert shown["lower"].lt(shown["upper"]).all()
    # poverty and phonics say nearly all there is to say of the made share: another as strong as poverty cannot be
    assert result.table.loc[result.table["predictor"] == "phonics_y1", "reason"].str.contains("leave nothing").all()
    with pytest.raises(RelationError, match="Nothing is allowed for"):
        unmeasured_characteristics(figures, spec=SPEC.replace(confounders=()))
    bears = result.diagnostics["unmeasured"]["phonics_y1", "child_poverty_bhc", "all"]
    assert bears.to_nothing > bears.to_unclear > 0.2
    assert "would have to account for" in result.text
    associational(result.text)


def test_bad_questions_get_reasons(figures: pd.DataFrame):
    with pytest.raises(FrameworkError):
        correlations(figures, spec=SPEC.replace(predictors=("nonsense",)))
    flat = figures.assign(value=figures["value"].where(figures["indicator_id"].ne("phonics_y1"), 50.0))
    for analysis in (correlations, regressions, unmeasured_characteristics):
        with pytest.raises(RelationError, match="same"):
            analysis(flat, spec=SPEC.replace(predictors=("phonics_y1",)))
    twin = figures[figures["indicator_id"].ne("child_poverty_bhc")]
    copy = twin[twin["indicator_id"].eq("phonics_y1")].assign(indicator_id="child_poverty_bhc")
    for analysis in (correlations, regressions):
        with pytest.raises(RelationError, match=r"[Cc]ollinear"):
            analysis(pd.concat([twin, copy]), spec=SPEC.replace(predictors=("phonics_y1",)))


def test_what_two_figures_share_by_the_way_they_are_made():
    framework = load_framework()

    def pair(one: str, other: str):
        return framework.indicator(one), framework.indicator(other)

    assert shared_denominator(*pair("cin_rate", "cpp_rate"))
    assert shared_denominator(*pair("mh_admissions_0_17", "cla_rate"))  # per 100,000 and per 10,000 of the same
    assert not shared_denominator(*pair("mh_admissions_0_17", "fte_yjs"))  # children aged 10 to 17
    assert shared_denominator(*pair("cla_health_checks_pct", "cla_dental_checks_pct"))
    assert not shared_denominator(*pair("mh_admissions_0_17", "attainment8"))
    assert near_duplicates(*pair("em_94", "attainment8"))
    assert not near_duplicates(*pair("mh_admissions_0_17", "attainment8"))
    told = cautions(pair("cin_rate", "cpp_rate"))
    assert "arithmetic" in told[0]
    assert "near-duplicates" in cautions(pair("em_94", "attainment8"))[0]
    assert cautions(pair("gld_pct", "phonics_y1"))[0].startswith("The two figures are not of the same children")
    assert all(associational(t) for t in told)


def test_what_holds_of_several_pairs_is_said_once():
    framework = load_framework()
    outcome = framework.indicator("attainment8")  # by school; the others by residence
    pairs = [(framework.indicator(i), outcome) for i in ("y6_obesity", "mh_admissions_0_17", "em_94")]
    near, basis = cautions(*pairs)
    assert "near-duplicates" in near
    assert basis.startswith("Not all figures are of the same children: those on ")
    assert basis.count(short_name(outcome)) == 1
    assert "by where children live" in basis
    assert not any("same children" in words for words in cautions((outcome, outcome)))
