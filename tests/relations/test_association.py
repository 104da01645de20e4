"""Admissions and attainment on the published figures, and the text that follows the numbers."""

from __future__ import annotations

import dataclasses
import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from outcomes_analysis.errors import FrameworkError, RelationError, SpecError
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.relations import RelationResult, RelationSpec
from outcomes_analysis.relations import relate as whole_page
from outcomes_analysis.relations.asking import ask
from outcomes_analysis.relations.correlation.correlating import CORRELATIONS, correlated
from outcomes_analysis.relations.result import LABELS, SAMPLE_WORDS, headline_row
from outcomes_analysis.relations.sample import refuse_breaks
from outcomes_analysis.relations.sentences import measured
from outcomes_analysis.relations.slopes.regressing import LINES
from outcomes_analysis.wording import associational, causal_words

relate = partial(whole_page, parts=())  # what rests on analyses of its own is tested in test_whole_page.py


@pytest.fixture(scope="module")
def answer(real_observations: pd.DataFrame, framework: Framework) -> RelationResult:
    return relate(observations=real_observations, framework=framework, draws=1000)


def changed(observations: pd.DataFrame, indicator: str, change) -> pd.DataFrame:
    """The same table with one indicator's values changed."""
    table = observations.copy()
    rows = table["indicator_id"].eq(indicator)
    table.loc[rows, "value"] = change(table.loc[rows, "value"])
    return table


def test_reference_correlations(answer: RelationResult):
    """Measured on these files beforehand: -.18 for the pair, -.68 for attainment with child poverty (2024)."""
    raw = answer.row("spearman")
    # .02: the reference counts ties and combined authorities in its own way
    assert raw["estimate"] == pytest.approx(-0.18, abs=0.02)
    assert raw["n"] == 146
    assert raw["lower"] < raw["estimate"] < raw["upper"]
    data = answer.data
    assert stats.spearmanr(data["attainment8"], data["child_poverty_bhc"]).statistic == pytest.approx(-0.68, abs=0.02)


def test_adjusted_by_hand(answer: RelationResult):
    data = answer.data
    ranks = data[["mh_admissions_0_17", "attainment8", "child_poverty_ahc"]].rank()
    precision = np.linalg.inv(ranks.corr().to_numpy())
    by_hand = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    assert answer.row("spearman", adjusted_for="child_poverty_ahc")["estimate"] == pytest.approx(by_hand, abs=1e-10)
    design = np.column_stack([np.ones(len(data)), data["mh_admissions_0_17"], data["child_poverty_bhc"]])
    slope = np.linalg.lstsq(design, data["attainment8"], rcond=None)[0][1]
    row = answer.row("ols_robust", adjusted_for="child_poverty_bhc", scale="natural")
    assert row["estimate"] == pytest.approx(10 * slope, abs=1e-10)
    assert "for each 10 per 100,000 more" in row["unit"]
    standard = answer.row("ols_robust", adjusted_for="child_poverty_bhc", scale="standard")["estimate"]
    spread = data["mh_admissions_0_17"].std() / data["attainment8"].std()
    assert standard == pytest.approx(slope * spread, abs=1e-10)


def test_every_analysis_is_in_the_table(answer: RelationResult):
    table = answer.table
    counted = table.groupby(["sample", "adjusted_for"])["analysis"].agg(set)
    assert set(counted.index.get_level_values("sample")) == {"all", "without_london"}
    assert set(counted.index.get_level_values("adjusted_for")) == {"", "child_poverty_bhc", "child_poverty_ahc"}
    expected = {*CORRELATIONS, *(name for name in LINES if name != "fractional_logit")}  # Attainment 8 is no share
    assert all(c == expected for c in counted)
    shown = table[table["status"] == "computed"]
    assert (shown["lower"] <= shown["estimate"]).all()
    assert (shown["estimate"] <= shown["upper"]).all()
    plain = table[table["analysis"].isin(["spearman", "pearson", "ols_robust"])]
    assert (plain["status"] == "computed").all()
    assert plain.loc[plain["sample"] == "without_london", "n"].eq((~answer.data["london"]).sum()).all()
    withheld = table[table["status"] == "withheld"]
    assert withheld["reason"].str.len().gt(0).all()
    assert withheld[["estimate", "lower", "upper"]].isna().all().all()


def test_neighbours_make_the_answer_less_sure(answer: RelationResult):
    """The headline is the interval that does not take 146 authorities as separate."""
    plain, head = answer.row("spearman"), headline_row(answer.table)
    assert head["analysis"] == "spearman_neighbours"
    assert head["estimate"] == pytest.approx(plain["estimate"], abs=1e-10)
    assert head["upper"] - head["lower"] > 1.5 * (plain["upper"] - plain["lower"])
    assert answer.diagnostics["effective"]["", "all"] < 80
    assert f"worth about {answer.diagnostics['effective']['', 'all']:.0f} separate" in answer.text


def test_lines_of_several_years_use_years_without_a_break(real_observations: pd.DataFrame):
    """Attainment 8 has a declared break at 2022/23, so 2023 and 2024 are left."""
    answer = relate(observations=real_observations, framework=load_framework(), draws=50)
    assert answer.spec.years == (2023, 2024)
    row = answer.row("mixed_authority", adjusted_for="child_poverty_bhc", scale="standard")
    assert row["status"] == "computed"
    assert "figures of" in row["reason"]
    with pytest.raises(RelationError, match="declared break"):
        relate(observations=real_observations, framework=load_framework(), years=(2022, 2023, 2024), draws=50)
    with pytest.raises(SpecError, match="last of the years"):
        relate(observations=real_observations, framework=load_framework(), years=(2023,), draws=50)


def test_small_places_and_inherited_figures_stay_out(real_observations: pd.DataFrame, framework: Framework):
    """In 2022/23 Cumbria's admissions are handed down to its successors: shown elsewhere, no second measurement here."""
    answer = relate(observations=real_observations, framework=framework, period=2023, draws=100)
    assert not {"E09000001", "E06000053", "E06000063", "E06000064", "E92000001"} & set(answer.data.index)
    assert answer.diagnostics["left_out"]["Westmorland and Furness"] == "mh_admissions_0_17 inherited"
    assert answer.data["region_code"].nunique() == 9


def test_a_confounder_without_figures_is_withheld_with_the_reason(
    real_observations: pd.DataFrame, framework: Framework
):
    """Poverty after housing costs is published from 2023/24 only."""
    answer = relate(observations=real_observations, framework=framework, period=2022, draws=100)
    row = answer.row("spearman", adjusted_for="child_poverty_ahc")
    assert row["status"] == "withheld"
    assert np.isnan(row["estimate"])
    assert "could not be adjusted for child poverty after housing costs" in answer.text


def test_the_page(answer: RelationResult):
    text = answer.text
    assert text.startswith("Admissions are not prevalence")
    associational(text)
    assert "between areas, not between children" in text
    assert "before housing costs" in text
    assert "after housing costs" in text
    assert "Without London (114 authorities)" in text
    parts = ("In short.", "What is found.", "How sure.", "What changes it.", "What it cannot say.")
    assert [text.index(p) for p in parts] == sorted(text.index(p) for p in parts)
    assert len(text.split()) <= 900  # a printed page of small type
    assert "noise taken out is withheld: the errors of both figures are known for 0 authorities" in text
    assert "a characteristic of places that is not in these figures would have to account for" in text
    assert "90% interval" in text
    assert "2023/24" in text
    assert "by where children live" in text
    assert "by where their school is" in text
    assert answer.diagnostics["geography_mismatch"]


def test_sentences_follow_the_numbers(answer: RelationResult, real_observations: pd.DataFrame, framework: Framework):
    assert "there is no clear association between the two: rank correlation \u22120.18" in answer.text
    raw = changed(real_observations, "attainment8", lambda v: v)
    places = raw.merge(
        raw.loc[raw["indicator_id"].eq("mh_admissions_0_17"), ["area_code", "period", "value"]],
        on=["area_code", "period"],
        how="left",
        suffixes=("", "_of_admissions"),
    )
    ours = places["indicator_id"].eq("attainment8") & places["value_of_admissions"].notna()
    for sign, way in ((-1, "lower"), (1, "higher")):
        made = places.copy()
        made.loc[ours, "value"] += sign * 0.08 * made.loc[ours, "value_of_admissions"]
        other = relate(observations=made.drop(columns="value_of_admissions"), framework=framework, draws=300)
        assert re.search(rf"tended to have (slightly|somewhat|clearly|strongly) {way} Attainment 8", other.text)
        slope = other.row("ols_robust", scale="natural")
        assert f"differs by {measured(slope)}" in other.text
        assert f"always higher with {way}" in other.text


def test_an_interval_over_zero_gives_no_clear_association(real_observations: pd.DataFrame, framework: Framework):
    rng = np.random.default_rng(1)
    shuffled = changed(real_observations, "attainment8", lambda v: rng.permutation(v))
    answer = relate(observations=shuffled, framework=framework, draws=1000)
    row = answer.row("spearman")
    assert row["lower"] < 0 < row["upper"]
    assert "there is no clear association between the two" in answer.text
    assert "tended to have" not in answer.text


def test_same_seed_same_result(real_observations: pd.DataFrame, framework: Framework, answer: RelationResult):
    again = relate(observations=real_observations, framework=framework, draws=1000)
    pd.testing.assert_frame_equal(again.table, answer.table, check_exact=True)
    assert again.text == answer.text
    assert again.manifest == answer.manifest
    other = relate(observations=real_observations, framework=framework, draws=1000, seed=2)
    assert other.row("spearman")["lower"] != answer.row("spearman")["lower"]


def test_inputs_are_left_alone(real_observations: pd.DataFrame, framework: Framework):
    before = real_observations.copy()
    relate(observations=real_observations, framework=framework, draws=50)
    pd.testing.assert_frame_equal(real_observations, before)


def test_questions_that_cannot_be_answered(real_observations: pd.DataFrame, framework: Framework):
    with pytest.raises(SpecError, match="same indicator"):
        relate("attainment8", "attainment8", observations=real_observations, framework=framework)
    with pytest.raises(FrameworkError, match="Did you mean mh_admissions_0_17"):
        relate("mh_admissions", observations=real_observations, framework=framework)
    with pytest.raises(RelationError, match="no figures measured in 1999"):
        relate(observations=real_observations, framework=framework, period=1999)
    flat = changed(real_observations, "mh_admissions_0_17", lambda v: v * 0 + 5)
    with pytest.raises(RelationError, match="same"):
        relate(observations=flat, framework=framework)
    few = real_observations[~real_observations["area_code"].str.startswith(("E08", "E10", "E09", "E06"))]
    with pytest.raises(RelationError, match="no figures"):
        relate(observations=few, framework=framework)
    twin = real_observations[real_observations["indicator_id"].ne("child_poverty_bhc")]
    copy = twin[twin["indicator_id"].eq("mh_admissions_0_17")].assign(indicator_id="child_poverty_bhc")
    with pytest.raises(RelationError, match="collinear"):
        relate(observations=pd.concat([twin, copy]), framework=framework)


def test_specification():
    spec = RelationSpec(outcome="attainment8", predictors="mh_admissions_0_17", years=2024)
    assert hash(spec) == hash(dataclasses.replace(spec))
    assert spec.hash != spec.replace(years=(2023,)).hash
    assert spec.adjustment_sets == ((), ("child_poverty_bhc",), ("child_poverty_ahc",))
    assert spec.roles["child_poverty_bhc"] == "confounder"
    with pytest.raises(SpecError, match="two roles"):
        spec.replace(mediators=("child_poverty_bhc",))


def test_every_code_is_said_in_words_too(answer: RelationResult):
    table = answer.table
    assert not table[["label", "alike", "authorities"]].isna().any().any()
    assert table.groupby("analysis")["label"].nunique().eq(1).all()
    assert table["label"].nunique() == table["analysis"].nunique()
    for column in ("label", "alike", "authorities"):
        assert not table[column].str.contains("_").any()
    assert not causal_words(" ".join([*LABELS.values(), *SAMPLE_WORDS.values()]))


def test_differences_compare_the_same_draws(answer: RelationResult):
    compared = answer.diagnostics["compared"]
    one = compared.query("analysis == 'spearman' and adjusted_for == '' and sample == 'without_london'").iloc[0]
    assert one["estimate"] == pytest.approx(
        answer.row("spearman", sample="without_london")["estimate"] - answer.row("spearman")["estimate"], abs=1e-12
    )
    # narrower than the interval of either, widened for neighbours alike: 114 of the 146 areas are the same
    assert one["upper"] - one["lower"] < 0.8 * np.ptp(headline_row(answer.table)[["lower", "upper"]].to_numpy(float))


def test_differences_are_widened_as_the_correlation_is(real_observations: pd.DataFrame, framework: Framework):
    spec = RelationSpec(outcome="attainment8", predictors="mh_admissions_0_17", years=2024, confounders=())
    asked = ask(spec, observations=real_observations, framework=framework, draws=200)
    found = correlated(asked)
    whole, part = (found.found["spearman", "", sample] for sample in ("all", "without_london"))
    widened = np.sqrt(max(146 / found.effective["", "all"], 114 / found.effective["", "without_london"]))
    row = found.compared(level=0.9).query("analysis == 'spearman'").iloc[0]
    plain = np.quantile(part.drawn - whole.drawn, [0.05, 0.95])
    assert row["upper"] - row["lower"] == pytest.approx(widened * (plain[1] - plain[0]), rel=1e-9)
    assert widened > 1.5


def test_years_across_a_declared_break_are_refused(framework: Framework):
    spec = RelationSpec(outcome="attainment8", predictors=("mh_admissions_0_17",), years=(2022, 2024))
    broken = load_framework()
    with pytest.raises(RelationError, match=r"'attainment8' from 2022/23"):
        refuse_breaks(spec, framework=broken)
    refuse_breaks(spec.replace(years=(2023, 2024)), framework=broken)
    older = RelationSpec(outcome="cin_rate", predictors="cpp_rate", years=(2020, 2024))
    refuse_breaks(older, framework=broken)
    with pytest.raises(RelationError, match=r"'child_poverty_bhc' from 2021/22"):
        refuse_breaks(older, framework=broken, also=("child_poverty_bhc",))


def test_questions_that_are_wrong_in_themselves():
    """Everything wrong is said at once."""
    with pytest.raises(SpecError) as raised:
        RelationSpec(outcome="a", predictors=("a", "b", "b"), years=(), colliders=("b",), samples=("without_london",))
    for said in ("same indicator", "named twice: b", "no year", "two roles, predictor and collider", "'all' is always"):
        assert said in str(raised.value)
    spec = RelationSpec(outcome="a", predictors="b", years=2024)
    assert (spec.predictors, spec.years) == (("b",), (2024,))
    pairs = spec.replace(predictors=("b", "c"), years=(2024, 2023)).pairs
    assert [(p.predictor, p.year) for p in pairs] == [("b", 2024), ("c", 2024)]


def test_the_page_of_the_release():
    """The figures that come with the project: errors known, everything said, still one page."""
    answer = relate(draws=300)
    text = answer.text
    assert "repairs noise, not validity" in text
    assert "withheld" not in text
    assert len(text.split()) <= 900
    associational(text.replace(answer_of("mh_admissions_0_17"), ""))
    corrected = answer.row("pearson_noise_out")
    even = answer.row("pearson_even")
    assert abs(corrected["estimate"]) > abs(even["estimate"])
    assert f"{measured(even)} becomes {measured(corrected)}" in text
    assert "mh_admissions" not in text
    assert "ols_" not in text
    assert "London" in text
    assert answer.manifest.sources == ("lait", "ons_child_poverty")


def answer_of(indicator: str) -> str:
    """What an indicator says of itself, in words that are not ours."""
    return load_framework().indicator(indicator).contested.rstrip(".")


def test_only_confounders_are_held_alike(real_observations: pd.DataFrame, framework: Framework):
    """Naming a mediator or a collider changes the words and no number."""
    given = {"observations": real_observations, "framework": framework, "draws": 50, "years": (2024,)}
    plain = relate(confounders=("child_poverty_bhc",), **given)
    named = relate(
        confounders=("child_poverty_bhc",), mediators=("child_poverty_ahc",), colliders=("gld_pct",), **given
    )
    pd.testing.assert_frame_equal(named.table, plain.table, check_exact=True)
    assert "Child poverty after housing costs may lie between the two and so is not allowed for." in named.text
    assert "Good level of development at age 5 may follow from both and so is not allowed for." in named.text
    assert named.spec.hash != plain.spec.hash
