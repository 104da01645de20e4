"""The answer with errors allowed for, on the figures of the release; fits kept on disk; the model card."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis import wording
from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.loading import load_framework
from outcomes_analysis.relations.pair import measurement
from outcomes_analysis.relations.pair.cards import differences, load_card, record_fit
from outcomes_analysis.relations.pair.measurement import fit_measurement_model, prepare
from outcomes_analysis.relations.pair.posteriors import SAMPLER, TARGET_ACCEPT, Posterior, sample_posterior
from outcomes_analysis.relations.result import TABLE_COLUMNS
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.sources.release import load_observations

CARD = "measurement-admissions-attainment"
SPEC = RelationSpec(
    outcome="attainment8",
    predictors=("mh_admissions_0_17",),
    years=(2024,),
    confounders=("child_poverty_ahc",),
    samples=("all",),
)


@pytest.fixture(scope="module")
def default_framework():
    return load_framework()


@pytest.fixture(scope="module")
def observations():
    return load_observations()


@pytest.fixture(scope="module")
def result(observations, default_framework):
    return fit_measurement_model(observations=observations, framework=default_framework, method="laplace")


@pytest.fixture(scope="module")
def figures(observations, default_framework):
    return prepare(observations, spec=SPEC, framework=default_framework, areas=upper_tier(ranked_only=True))


def test_figures_and_errors_are_those_of_the_release_on_their_own_scale(figures, observations):
    data, pair = figures.assembled.data, figures.pair
    assert len(data) == len(pair.x) > 130
    code = "E06000001"  # Hartlepool
    here = observations[
        observations["area_code"].eq(code) & observations["period"].eq("2023/24") & observations["group"].eq("all")
    ]
    row = here[here["indicator_id"].eq("mh_admissions_0_17")].iloc[0]
    place = data.index.get_loc(code)
    logs = np.log(data["mh_admissions_0_17"])
    assert pair.x[place] == pytest.approx((np.log(row["value"]) - logs.mean()) / logs.std(ddof=1))
    assert pair.error_x[place] == pytest.approx(row["se_total"] / row["value"] / logs.std(ddof=1))
    a8 = here[here["indicator_id"].eq("attainment8")].iloc[0]
    spread = data["attainment8"].std(ddof=1)
    assert pair.error_y[place] == pytest.approx(a8["se_total"] / spread)
    assert pair.y[place] == pytest.approx((a8["value"] - data["attainment8"].mean()) / spread)
    assert pair.regions == 9
    for values in (pair.x, pair.y, pair.held):
        assert values.mean() == pytest.approx(0, abs=1e-12)
        assert values.std(ddof=1) == pytest.approx(1)


def test_table_says_both_answers_and_the_corrected_slope_is_the_stronger(result):
    table = result.table
    assert list(table.columns) == list(TABLE_COLUMNS)
    assert (table["level"] == 0.90).all()
    assert (table["status"] == "computed").all()
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()
    for scale in ("standard", "correlation", "natural"):
        corrected = result.row("errors_allowed_for", adjusted_for="child_poverty_ahc", scale=scale)
        ignoring = result.row("errors_ignored", adjusted_for="child_poverty_ahc", scale=scale)
        assert abs(corrected["estimate"]) > abs(ignoring["estimate"])
    standard = result.row("errors_allowed_for", adjusted_for="child_poverty_ahc", scale="standard")["estimate"]
    natural = result.row("errors_allowed_for", adjusted_for="child_poverty_ahc", scale="natural")["estimate"]
    spread = result.diagnostics["spread"]
    assert natural == pytest.approx(standard * np.log(2) * spread["attainment8"] / spread["mh_admissions_0_17"])


def test_ignoring_errors_is_close_to_regression_with_regions(result, figures):
    pair = figures.pair
    dummies = (pair.region[:, None] == np.arange(9)).astype(float)
    slopes = [
        np.linalg.lstsq(np.column_stack([pair.x, pair.held, more]), pair.y, rcond=None)[0][0]
        for more in (dummies, np.ones((len(pair.x), 1)))
    ]
    found = result.row("errors_ignored", adjusted_for="child_poverty_ahc", scale="standard")["estimate"]
    # partial pooling lies between the two, but for the priors and the draws (together under .01)
    assert min(slopes) - 0.01 < found < max(slopes) + 0.01


def test_text_says_what_noise_repair_can_and_cannot_do(result):
    text = result.text
    assert "noise, not validity" in text
    assert wording.AREAS_NOT_CHILDREN in text
    assert wording.EXPLORATION in text
    assert "(90% interval)" in text
    row = result.row("errors_allowed_for", adjusted_for="child_poverty_ahc", scale="standard")
    assert wording.number(row["estimate"], 2) in text
    assert result.manifest.data
    assert result.manifest.sources


def test_same_seed_same_answer_another_seed_another(result, observations, default_framework):
    again = fit_measurement_model(observations=observations, framework=default_framework, method="laplace")
    pd.testing.assert_frame_equal(again.table, result.table)
    other = fit_measurement_model(observations=observations, framework=default_framework, method="laplace", seed=1)
    assert not other.table["estimate"].equals(result.table["estimate"])


def pretend(diagnostics):
    """A stand-in for the sampler: quick draws that claim these diagnostics; counts its calls."""
    calls = []

    def sample(pair, *, draws, tune, chains, seed, method):
        calls.append(method)
        quick = sample_posterior(pair, draws=draws, chains=chains, seed=seed, method="laplace")
        return Posterior(draws=quick.draws, diagnostics={"method": "nuts", **diagnostics})

    return sample, calls


GOOD = {"r_hat": 1.001, "ess_bulk": 900.0, "ess_tail": 800.0, "divergences": 0}


def test_a_fit_is_kept_and_used_again_until_the_figures_change(monkeypatch, tmp_path, observations, default_framework):
    sample, calls = pretend(GOOD)
    monkeypatch.setattr(measurement, "sample_posterior", sample)
    ask = {"framework": default_framework, "fits": tmp_path}
    first = fit_measurement_model(observations=observations, **ask)
    assert calls == ["nuts", "nuts"]
    second = fit_measurement_model(observations=observations, **ask)
    assert len(calls) == 2
    pd.testing.assert_frame_equal(first.table, second.table)
    row = observations.index[
        observations["indicator_id"].eq("attainment8")
        & observations["area_code"].eq("E06000001")
        & observations["period"].eq("2023/24")
        & observations["group"].eq("all")
    ][0]
    changed = observations.copy()
    changed.loc[row, "se_total"] *= 1.1
    fit_measurement_model(observations=changed, **ask)
    assert len(calls) == 4
    one, other = sorted(tmp_path.glob("measurement-errors-allowed-for-*.nc"))
    contents = one.read_bytes()
    one.write_bytes(other.read_bytes())  # a file that took another's name
    other.write_bytes(contents)
    with pytest.raises(RelationError, match="other data, another model or other software"):
        fit_measurement_model(observations=observations, **ask)


def test_a_fit_that_went_badly_is_withheld_with_the_reason(monkeypatch, tmp_path, observations, default_framework):
    sample, _ = pretend({**GOOD, "r_hat": 1.03, "divergences": 4})
    monkeypatch.setattr(measurement, "sample_posterior", sample)
    bad = fit_measurement_model(observations=observations, framework=default_framework, fits=tmp_path)
    assert (bad.table["status"] == "withheld").all()
    assert bad.table[["estimate", "lower", "upper"]].isna().all(axis=None)
    assert bad.table["reason"].str.contains("R-hat 1.030").all()
    assert "is withheld: chains disagree" in bad.text
    assert "Of the variation" not in bad.text
    with pytest.raises(RelationError, match="the card is left as it was"):
        record_fit(CARD, bad)


def test_figures_without_errors_are_refused(observations, default_framework):
    bare = observations.assign(se_total=np.nan)
    with pytest.raises(RelationError, match="errors of both figures are known for 0 authorities"):
        fit_measurement_model(observations=bare, framework=default_framework, method="laplace")


def test_an_authority_without_a_known_error_is_left_out_and_named(observations, default_framework, result):
    row = observations["indicator_id"].eq("attainment8") & observations["area_code"].eq("E06000001")
    bare = observations.assign(se_total=observations["se_total"].mask(row))
    found = fit_measurement_model(observations=bare, framework=default_framework, method="laplace")
    assert found.diagnostics["left_out"]["Hartlepool"] == "no known error of a figure"
    assert len(found.data) == len(result.data) - 1


def test_the_card_tells_the_truth_or_says_that_it_is_stale(figures, default_framework):
    card = load_card(CARD)
    found = differences(card, data_hash=figures.hash, framework=default_framework)
    advice = f"{CARD}.yml: {found}. Fit again (models/README.md) or set `state: stale`."
    assert not found or card.state == "stale", advice
    roles = {v.indicator: v.role for v in card.variables}
    assert roles == SPEC.roles
    assert card.period == SPEC.year


def test_the_cards_estimates_are_those_of_the_model(result):
    card = load_card(CARD)
    if card.state == "stale":
        return
    assert card.obtained.areas == len(result.data)
    for estimate in card.obtained.estimates:
        row = result.row(estimate.analysis, adjusted_for="child_poverty_ahc", scale=estimate.scale)
        width = row["upper"] - row["lower"]
        # sampling against the normal at the peak: each within .05 of the width by draws, and skewness
        for column in ("estimate", "lower", "upper"):
            assert getattr(estimate, column) == pytest.approx(row[column], abs=0.12 * width)
    for found in card.obtained.diagnostics.values():
        assert Posterior(draws={}, diagnostics=found).problem == ""


def test_a_changed_card_is_caught(figures, default_framework, tmp_path, root):
    text = (root / "models" / f"{CARD}.yml").read_text(encoding="utf-8")
    path = tmp_path / f"{CARD}.yml"
    path.write_text(text.replace("scale: 0.5, reason", "scale: 2.0, reason").replace("scale: log,", "scale: logit,"))
    card = load_card(CARD, folder=tmp_path)
    found = differences(card, data_hash="0" * 16, framework=default_framework)
    assert [f.split(" (")[0] for f in found] == [
        "the figures changed",
        "mh_admissions_0_17 is on the scale log, on the card logit",
        "prior of omega_x:",
        "prior of omega_y:",
    ]
    path.write_text(text.replace("state: current", "state: fresh").replace("title:", "titel:"))
    with pytest.raises(RelationError, match=r"(?s)titel.*state|state.*titel"):
        load_card(CARD, folder=tmp_path)
    with pytest.raises(RelationError, match="There is no model card 'nothing'"):
        load_card("nothing")


def test_recording_a_fit_leaves_what_was_written_by_hand(result, tmp_path, root):
    text = (root / "models" / f"{CARD}.yml").read_text(encoding="utf-8")
    path = tmp_path / f"{CARD}.yml"
    path.write_text(text, encoding="utf-8")
    record_fit(CARD, result, folder=tmp_path)
    once = path.read_text(encoding="utf-8")
    assert once.split("\nobtained:")[0] == text.split("\nobtained:")[0]
    assert load_card(CARD, folder=tmp_path).obtained.data_hash == result.manifest.data
    record_fit(CARD, result, folder=tmp_path)
    assert path.read_text(encoding="utf-8") == once


def test_the_cards_sampler_settings_are_the_defaults():
    defaults = {k: p.default for k, p in inspect.signature(fit_measurement_model).parameters.items()}
    card = load_card(CARD)
    for name in ("chains", "tune", "draws"):
        assert card.sampler[name] == defaults[name]
        assert all(found[name] == defaults[name] for found in card.obtained.diagnostics.values())
    assert card.sampler["target_accept"] == TARGET_ACCEPT
    assert {found["sampler"] for found in card.obtained.diagnostics.values()} == {SAMPLER}
