"""The joint model on the figures of the release: what it says, what it withholds, fits kept on disk, the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import outcomes_analysis as oa
from outcomes_analysis import wording
from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import FrameworkError, RelationError, SpecError
from outcomes_analysis.relations.joint import fits as fitting
from outcomes_analysis.relations.joint import judging
from outcomes_analysis.relations.joint.carding import card_differences, load_joint_card, record_joint
from outcomes_analysis.relations.joint.laplace import find_peak
from outcomes_analysis.relations.joint.marginal import Natural
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.preparing import map_basis, prepare_joint
from outcomes_analysis.relations.joint.priors import JointPriors, Prior
from outcomes_analysis.relations.joint.result import TABLE_COLUMNS, JointSpec
from outcomes_analysis.relations.joint.simulating import draw_figures, draw_prior
from outcomes_analysis.relations.joint.summarising import drawn_from, partial_correlations
from outcomes_analysis.relations.pair.posteriors import Posterior

DOMAINS = ("safe", "healthy", "happy", "learning", "engaged")


@pytest.fixture(scope="module")
def framework():
    return oa.load_framework()


@pytest.fixture(scope="module")
def observations():
    return oa.load_observations()


@pytest.fixture(scope="module")
def result(observations, framework):
    return oa.fit_joint_model(observations, framework=framework, periods=[2024])


@pytest.fixture(scope="module")
def figures(observations, framework):
    areas = upper_tier(ranked_only=True)
    return prepare_joint(
        observations, framework=framework, areas=areas, periods=[2024], deprivation=["child_poverty_ahc"]
    )


def test_figures_are_those_of_the_index_standardised(figures, observations, framework):
    matrix = oa.build_matrix(observations, framework=framework, period=2024)
    scores, errors = matrix.standardised()
    name = "attainment8"
    place = figures.indicators.items.index(name)
    row = figures.items.loc[name]
    code = "E06000001"  # Hartlepool
    area = list(figures.areas.index).index(code)
    value, error = figures.indicators.values[area, 0, place], figures.indicators.errors[area, 0, place]
    assert value * row["spread"] + row["centre"] == pytest.approx(scores.at[code, name])
    assert error * row["spread"] == pytest.approx(errors.at[code, name])
    index = oa.build_index(matrix)
    score = index.nodes["learning"].estimate[list(matrix.values.index).index(code)]
    every = pd.Series(index.nodes["learning"].estimate, index=matrix.values.index)[figures.areas.index]
    place = figures.sums.items.index("learning")
    assert figures.sums.values[area, 0, place] == pytest.approx((score - every.mean()) / every.std())
    assert figures.indicators.values.shape[0] == len(upper_tier(ranked_only=True))
    assert np.nanstd(figures.indicators.values, axis=(0, 1), ddof=1) == pytest.approx(1)
    items, doublet = list(figures.indicators.items), figures.indicators.doublet
    assert doublet[items.index("absence_overall")] == doublet[items.index("severe_absence")] >= 0
    assert doublet[items.index("perm_excl_rate")] == -1


def test_table_is_whole_tidy_and_ordered(result):
    table = result.table
    assert tuple(table.columns) == TABLE_COLUMNS
    assert table["status"].eq("computed").all()
    assert (table["lower"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["upper"]).all()
    pairs = result.correlations()
    assert len(pairs) == 10
    assert pairs["estimate"].between(-1, 1).all()
    quantities = table[table["quantity"].eq("domain") & table["forms"].eq("chosen")]
    assert len(quantities) == 151 * 5
    # posterior medians of quantities with sd 1 as the model expects it of such areas, give or take 1 / sqrt(2 x 151)
    assert quantities.groupby("domain")["estimate"].mean().abs().max() < 0.05
    assert quantities.groupby("domain")["estimate"].std().between(0.8, 1.1).all()
    assert table.loc[table["domain"].eq("happy"), "experimental"].all()
    assert table.loc[table["indicator_id"].eq("susp_rate"), "contested"].str.len().gt(10).all()


def test_correlation_of_weighted_sums_is_that_of_the_index_repaired_for_noise(result, figures):
    seen = pd.DataFrame(figures.sums.values[:, 0], columns=list(figures.sums.items))
    noise = np.nanmean(figures.sums.errors[:, 0] ** 2, axis=0)
    reliability = dict(zip(figures.sums.items, 1 - noise, strict=True))
    for _, row in result.correlations(forms="formative").iterrows():
        raw = seen[row["domain"]].corr(seen[row["other"]])
        repaired = raw / np.sqrt(reliability[row["domain"]] * reliability[row["other"]])
        # Spearman 1904, at mean error variances; ours weighs areas by their errors, which differ, and draws the noisiest
        # towards what their deprivation and region lead one to expect
        assert row["estimate"] == pytest.approx(repaired, abs=0.06)
        assert row["lower"] < repaired < row["upper"]


def test_the_checks_see_what_does_not_behave_as_one_thing(result):
    assert set(result.diagnostics["forms"]) == set(DOMAINS)
    assert result.diagnostics["forms"]["learning"] == "formative"
    checks = result.checks.set_index("domain")
    assert "alcohol_adm_u18" in checks.at["healthy", "against"]
    loading = result.table[result.table["indicator_id"].eq("alcohol_adm_u18")]
    assert (loading["upper"] < 0).all()  # negative loadings show
    assert "runs against the rest" in result.text


def test_text_is_associational_and_says_its_level_and_method(result):
    assert wording.AREAS_NOT_CHILDREN in result.text
    assert wording.EXPLORATION in result.text
    assert "(90% interval)" in result.text
    assert "quick way" in result.text
    assert "Happy is experimental" in result.text
    assert "contested for" in result.text
    row = result.correlations().sort_values("estimate").iloc[-1]
    assert f"correlation {wording.number(row['estimate'], 2)}, {wording.number(row['lower'], 2)} to" in result.text


def test_other_choices_are_shown_beside(result):
    choices = set(result.sensitivity["choice"])
    assert choices == {
        "as chosen",
        "priors twice as wide",
        "child_poverty_bhc allowed for instead",
        "without London",
    }
    assert "without London: by" in result.text
    assert "child poverty before housing costs allowed for instead" in result.text


@pytest.mark.slow
def test_a_fit_whose_diagnostics_fail_gives_no_numbers_only_the_reason(observations, framework, monkeypatch, tmp_path):
    def badly(layout, peak, **settings):
        rng = np.random.default_rng(0)
        found = {"method": "nuts", "r_hat": 1.05, "ess_bulk": 300.0, "ess_tail": 900.0, "divergences": 2}
        return Posterior(draws={"theta": rng.normal(size=(2, 5, layout.size))}, diagnostics=found)

    monkeypatch.setattr("outcomes_analysis.relations.joint.bayes.sample", badly)
    result = oa.fit_joint_model(
        observations, framework=framework, periods=[2024], method="nuts", fits=tmp_path, sensitivity=False
    )
    rows = result.table[result.table["forms"].eq("chosen")]
    assert set(rows["quantity"]) == {"correlation", "link"}
    assert rows[["estimate", "lower", "upper"]].isna().all(axis=None)
    assert rows["status"].eq("withheld").all()
    assert rows["reason"].str.contains("R-hat 1.050").all()
    assert "No numbers are given: chains disagree (R-hat 1.050" in result.text
    with pytest.raises(RelationError, match="card is left as it was"):
        record_joint(result)
    kept = list(tmp_path.glob("joint-*.nc"))
    assert len(kept) == 1


def test_a_stored_fit_of_other_figures_is_refused(figures, tmp_path):
    layout = Layout(figures.in_forms(dict.fromkeys(DOMAINS, "formative")), JointPriors())
    settings = {"draws": 4, "tune": 1, "chains": 2, "seed": 1}
    forms = dict.fromkeys(DOMAINS, "formative")
    asked = {**settings, "forms": forms, "priors": layout.priors.to_dict()}
    key = fitting.key_of(data=figures.hash, settings=asked, code=fitting.CODE)
    other = Posterior(draws={"theta": np.zeros((2, 4, layout.size))}, diagnostics={"method": "nuts"})
    fitting.save_fit(other, key="of something else", path=tmp_path / f"joint-{key}.nc")
    with pytest.raises(RelationError, match="other data, another model or other software"):
        fitting._sampled(layout, find_peak(layout), figures.hash, forms, settings, tmp_path)
    mine = Posterior(draws={"theta": np.ones((2, 4, layout.size))}, diagnostics={"method": "nuts"})
    fitting.save_fit(mine, key=key, path=tmp_path / f"joint-{key}.nc")
    found = fitting._sampled(layout, find_peak(layout), figures.hash, forms, settings, tmp_path)
    np.testing.assert_array_equal(found.draws["theta"], mine.draws["theta"])  # read, not sampled again


@pytest.mark.slow
def test_a_prescribed_form_is_followed_and_the_same_seed_gives_the_same_answer(observations, framework):
    asked = {"framework": framework, "periods": [2024], "forms": {"engaged": "reflective"}, "sensitivity": False}
    found, again = (oa.fit_joint_model(observations, **asked) for _ in range(2))
    assert found.diagnostics["forms"]["engaged"] == "reflective"
    rows = found.table[found.table["forms"].eq("chosen") & found.table["quantity"].eq("loading")]
    assert set(rows["domain"]) == {"engaged"}
    pd.testing.assert_frame_equal(again.table, found.table)
    assert again.text == found.text


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"periods": []}, SpecError, "no year is given"),
        ({"periods": [2024, 2024]}, SpecError, "given twice"),
        ({"method": "vi"}, SpecError, "method 'vi' is not known"),
        ({"forms": {"engaged": "both"}}, SpecError, "engaged: both"),
        ({"forms": {"lucky": "formative"}}, SpecError, "No domain lucky"),
        ({"deprivation": ()}, SpecError, "nothing is allowed for"),
        ({"deprivation": "child_povery"}, FrameworkError, "No indicator 'child_povery'"),
        ({"deprivation": ["child_poverty_ahc", "child_poverty_ahc"]}, SpecError, "allowed for twice"),
        ({"deprivation": "attainment8"}, RelationError, "attainment8 cannot be allowed for: it is an indicator"),
        ({"periods": [2022, 2024]}, RelationError, r"'attainment8' from 2022/23 \(figures from 2022 to 2024\)"),
    ],
)
def test_what_cannot_be_asked_is_refused(observations, framework, change, error, words):
    asked = {"periods": [2024], **change}
    with pytest.raises(error, match=words):
        oa.fit_joint_model(observations, framework=framework, **asked)


@pytest.mark.parametrize("spatial", [False, True])
def test_too_few_areas_are_refused(observations, framework, spatial):
    few = upper_tier(ranked_only=True).query("region_code == 'E12000001'")
    with pytest.raises(RelationError, match="is known for 12 authorities; at least 30 are needed"):
        oa.fit_joint_model(observations, framework=framework, areas=few, spatial=spatial)


def test_a_map_in_parts_is_refused_and_an_island_is_linked(observations, framework):
    parts = upper_tier(ranked_only=True).query("region_code in ('E12000001', 'E12000002', 'E12000007')")  # and London
    with pytest.raises(RelationError, match="falls into 2 parts that do not touch"):
        oa.fit_joint_model(observations, framework=framework, areas=parts, spatial=True)
    areas = upper_tier(ranked_only=True).query("region_code in ('E12000008', 'E12000009')")
    basis = map_basis(areas.sort_index().index)
    island = list(areas.sort_index().index).index("E06000046")  # Isle of Wight
    assert basis.shape == (len(areas), len(areas) - 1)
    assert np.linalg.norm(basis[island]) > 0


def test_what_is_held_alike_must_vary_and_not_follow_from_the_rest(observations, framework):
    asked = {"framework": framework, "areas": upper_tier(ranked_only=True), "periods": [2024]}
    same = observations["indicator_id"].eq("child_poverty_ahc")
    flat = observations.assign(value=observations["value"].mask(same, 20.0))
    with pytest.raises(RelationError, match="child_poverty_ahc is the same in every authority"):
        prepare_joint(flat, deprivation=["child_poverty_ahc"], **asked)
    keys = ["area_code", "period_end"]
    after = observations[same].drop_duplicates(keys).set_index(keys)["value"]
    before = observations["indicator_id"].eq("child_poverty_bhc")
    copied = pd.Series(after.reindex(pd.MultiIndex.from_frame(observations[keys])).to_numpy(), observations.index)
    twice = observations.assign(value=observations["value"].mask(before & copied.notna(), copied))
    with pytest.raises(RelationError, match="cannot be told apart from one another"):
        prepare_joint(twice, deprivation=["child_poverty_ahc", "child_poverty_bhc"], **asked)


def test_a_figure_pooled_across_a_break_is_refused(observations, framework):
    from outcomes_analysis.relations.joint.comparing_years import refuse_broken

    matrix = oa.build_matrix(observations, framework=framework, period=2024)
    refuse_broken([matrix], framework=framework, names=["infant_mort", "ksi_0_15"])
    pooled = replace(matrix, measured=matrix.measured.assign(infant_mort="2017-19", ksi_0_15="2015-17"))
    with pytest.raises(RelationError, match=r"1 declared break .* 'infant_mort' from 2018 \(2017-19 pools both sides"):
        refuse_broken([pooled], framework=framework, names=["infant_mort", "ksi_0_15"])


def test_links_are_partial_correlations(result):
    correlations = np.eye(3)
    correlations[np.tril_indices(3, -1)] = 0.5, 0.4, 0.2
    correlations = correlations + correlations.T - np.eye(3)
    found = partial_correlations(np.stack([correlations, np.eye(3)]))
    # the textbook's recursion for three
    assert found[0, 1, 0] == pytest.approx((0.5 - 0.4 * 0.2) / np.sqrt((1 - 0.4**2) * (1 - 0.2**2)), abs=1e-12)
    np.testing.assert_array_equal(found[1], np.eye(3))
    links = result.links()
    assert len(links) == 10
    assert (links["lower"] < links["estimate"]).all()
    # for two of five hanging together, most of what goes together goes by way of the others
    assert (links["estimate"].abs() < result.correlations()["estimate"]).all()
    assert (links["estimate_given"] - result.correlations()["estimate_given"]).abs().max() > 0.05
    best = links.sort_values("estimate", key=abs).iloc[-1]
    assert "With the other domains allowed for too (partial correlations)" in result.text
    assert f"{best['domain'].capitalize()} with {best['other'].capitalize()}, {best['estimate']:.2f}," in result.text


@pytest.mark.slow
def test_the_choice_of_forms_does_not_hang_on_the_seed(observations, framework, result):
    other = oa.fit_joint_model(observations, framework=framework, periods=[2024], seed=5, sensitivity=False)
    assert other.diagnostics["forms"] == result.diagnostics["forms"]
    pd.testing.assert_frame_equal(other.checks, result.checks)
    close = result.diagnostics["close"]
    assert set(close) == {"engaged"}
    assert "Engaged is near the line: figures drawn as if its indicators behaved as one thing" in result.text
    assert f"as the real ones in {close['engaged']:.0%} of draws" in result.text


def test_a_share_must_clear_the_limit_by_its_own_error(make_skeleton, monkeypatch):
    skeleton = make_skeleton(2, items=16, domains=2)
    layout = Layout(skeleton, JointPriors(loading=Prior(0.7, 0.1, "itself", "clear loadings, for this test")))
    rng = np.random.default_rng(8)
    values = draw_figures(layout.natural(draw_prior(layout, rng)), skeleton, rng)[1]
    told = Layout(skeleton.with_values(values), JointPriors())
    thetas = find_peak(told).draws(1000, rng)
    share = judging.predictive_checks(told, thetas, np.random.default_rng(0), level=0.9).set_index("domain")["p"]
    error = np.sqrt(share["domain 1"] * (1 - share["domain 1"]) / 1000)
    for limit, passes in ((share["domain 1"] - 2.5 * error, True), (share["domain 1"] - 1.5 * error, False)):
        monkeypatch.setattr(judging, "LEAST_CHANCE", limit)
        found = judging.predictive_checks(told, thetas, np.random.default_rng(0), level=0.9).set_index("domain")
        assert found.at["domain 1", "one_thing"] == passes


@pytest.mark.slow
def test_on_the_map_every_table_and_text_says_so(observations, framework, result):
    found = oa.fit_joint_model(observations, framework=framework, periods=[2024], spatial=True, sensitivity=False)
    assert found.spec.hash != result.spec.hash
    assert found.manifest.data != result.manifest.data
    assert found.diagnostics["form"] == "one year, on the map"
    assert "Neighbouring authorities may resemble each other" in found.text
    assert "90% intervals held it in 82 to 91% of cases" in found.text
    share = found.priors.set_index("parameter").loc["share of variance that follows the map"]
    assert f"the share that follows the map is {share['estimate']:.2f}, {share['lower']:.2f} to" in found.text
    assert share["lower"] > 0.3  # neighbours are alike beyond poverty and region, plainly so
    assert found.areas.empty
    assert found.table["status"].eq("computed").all()
    beside = found.correlations()["estimate"] - result.correlations()["estimate"]
    # the same areas and errors: what they are like as they are hardly depends on whether neighbours may be alike
    assert beside.abs().max() < 0.05


@pytest.mark.slow
def test_two_years_count_each_figure_once_and_say_how_long_things_last(observations, framework):
    found = oa.fit_joint_model(observations, framework=framework, periods=[2023, 2024], sensitivity=False)
    assert found.diagnostics["form"] == "2 years"
    lasting = found.priors.set_index("kind").loc["lasting"]
    assert f"has a correlation of {lasting['estimate']:.2f}" in found.text
    quantities = found.table[found.table["quantity"].eq("domain") & found.table["forms"].eq("chosen")]
    assert set(quantities["period"]) == {2023, 2024}
    assert "figures of three years" in found.text


def test_a_domain_that_behaves_as_one_thing_passes_and_one_with_a_hidden_pair_does_not(make_skeleton):
    skeleton = make_skeleton(2, items=16, domains=2)
    layout = Layout(skeleton, JointPriors(loading=Prior(0.7, 0.1, "itself", "clear loadings, for this test")))
    rng = np.random.default_rng(8)
    natural = layout.natural(draw_prior(layout, rng))
    twins = Natural(**{**vars(natural), "gam": np.where(np.arange(16) < 2, 1.5, 0.0)})
    paired = make_skeleton(2, items=16, domains=2, doublets=((0, 1),))
    values = draw_figures(twins, paired, rng)[1]  # two items of the first domain share what the model is not told of
    told = Layout(skeleton.with_values(values), JointPriors())
    thetas = find_peak(told).draws(400, rng)
    checks = judging.predictive_checks(told, thetas, rng, level=0.9).set_index("domain")
    assert checks.at["domain 0", "p"] < 0.05
    assert checks.at["domain 0", "worst"] == "item 0 and item 1"
    assert checks.at["domain 1", "p"] > 0.05
    assert checks.at["domain 1", "one_thing"]


def test_leaving_an_area_out_is_as_fitting_without_it(make_skeleton):
    skeleton = make_skeleton(4, areas=120, items=12, domains=2, regions=1)
    blank = Layout(skeleton, JointPriors())
    rng = np.random.default_rng(1)
    _, values = draw_figures(blank.natural(draw_prior(blank, rng)), skeleton, rng)
    layout = Layout(skeleton.with_values(values), JointPriors())
    thetas = find_peak(layout).draws(1500, rng)
    found = judging.leave_one_out(layout, thetas, [f"area {k}" for k in range(120)])
    assert found["leans"].mean() < 0.2
    for area in found.loc[found["k"] < 0.3].index[:3]:
        rest = values.copy()
        rest[area] = np.nan
        fitted = find_peak(Layout(skeleton.with_values(rest), JointPriors())).draws(1500, rng)
        density = [judging.area_log_density(layout.natural(t), layout.structure)[area] for t in fitted]
        brute = np.logaddexp.reduce(density) - np.log(len(density))
        # means of exp(density) over 1,500 draws with an sd of .4: .01 each; the two normals differ by as much again
        assert found.at[area, "elpd"] == pytest.approx(brute, abs=0.06)


def test_priors_stand_beside_posteriors_in_their_own_units(result):
    beside = result.priors.set_index("parameter")
    spread = beside.loc["spread of the weighted sum of safe given deprivation and region"]
    assert spread["prior_lower"] == pytest.approx(np.exp(-0.4 - 1.6449 * 0.5), rel=1e-3)
    assert spread["prior_upper"] == pytest.approx(np.exp(-0.4 + 1.6449 * 0.5), rel=1e-3)
    assert spread["lower"] < spread["estimate"] < spread["upper"]
    correlation = beside.loc["correlation of learning and engaged given deprivation and region"]
    row = result.correlations().set_index(["domain", "other"]).loc[("learning", "engaged")]
    assert correlation["estimate"] == pytest.approx(row["estimate_given"], abs=1e-12)
    # LKJ(2) of five: sd .354, so that 90 % lie within some .58; 5,000 draws
    assert correlation["prior_upper"] == pytest.approx(0.58, abs=0.03)
    assert beside["narrowed"].between(-0.3, 1).all()


def test_the_table_for_a_chart_of_priors_and_posteriors_is_tidy(result):
    both = result.priors_and_posteriors()
    assert list(both["of"]) == ["prior", "posterior"] * len(result.priors)
    inner = ["lower", "lower_half", "estimate", "upper_half", "upper"]
    assert (both[inner].diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    held = both[both["parameter"].eq("deprivation and safe")].set_index("of")
    # of a normal with mean 0 and sd 1: 5th and 25th percentile
    assert held.loc["prior", inner].to_list() == pytest.approx([-1.645, -0.674, 0, 0.674, 1.645], abs=1e-3)
    row = result.priors.set_index("parameter").loc["deprivation and safe"]
    assert held.loc["posterior", inner].to_list() == row[inner].to_list()
    assert both["level"].eq(0.9).all()
    assert both["method"].str.contains("quick").all()


def test_raw_correlations_are_those_of_the_areas_themselves(make_skeleton):
    skeleton = make_skeleton(1, items=20, domains=2)
    blank = Layout(skeleton, JointPriors(loading=Prior(0.7, 0.1, "itself", "clear loadings, for this test")))
    rng = np.random.default_rng(5)
    theta = draw_prior(blank, rng)
    factors, values = draw_figures(blank.natural(theta), skeleton, rng)
    layout = Layout(skeleton.with_values(values), JointPriors())
    drawn = drawn_from(layout, np.repeat(theta[None], 400, axis=0), rng)  # parameters known: only areas are unsure
    truth = np.corrcoef(factors.T)[0, 1]
    # ten indicators a domain: an area's quantity has an error of some .3, the correlation of 153 one of some .02
    assert drawn.raw[:, 0, 1].mean() == pytest.approx(truth, abs=0.06)
    assert drawn.given[0, 0, 1] == pytest.approx(layout.correlation(theta)[0, 1], abs=1e-12)
    np.testing.assert_allclose(drawn.quantities.std(axis=1, ddof=1), 1, atol=1e-12)
    np.testing.assert_allclose(np.diagonal(drawn.raw, axis1=1, axis2=2), 1, atol=1e-12)


def test_the_card_is_that_of_todays_figures_and_priors(figures):
    card = load_joint_card()
    found = card_differences(card, data_hash=figures.hash)
    advice = f"joint-domains.yml: {found}. Fit again (models/README.md) or set `state: stale`."
    assert (card.state == "stale") == bool(found), advice
    assert card.obtained.diagnostics["chosen"]["method"] == "nuts"
    changed = JointPriors(held=Prior(0, 3, "itself", "wider, for this test"), eta=3)
    assert len(card_differences(card, data_hash="x", priors=changed)) == 3


def test_a_card_records_a_fit_and_keeps_what_is_written_by_hand(result, tmp_path, root):
    text = (root / "models" / "joint-domains.yml").read_text(encoding="utf-8")
    (tmp_path / "joint-domains.yml").write_text(text, encoding="utf-8")
    record_joint(result, folder=tmp_path)
    card = load_joint_card(folder=tmp_path)
    assert card.obtained.data_hash == result.manifest.data
    assert card.obtained.diagnostics["chosen"]["method"] == "laplace"
    written = (tmp_path / "joint-domains.yml").read_text(encoding="utf-8")
    assert written.split("\nobtained:")[0] == text.split("\nobtained:")[0]
    (tmp_path / "joint-domains.yml").write_text("id: joint-domains\n", encoding="utf-8")
    with pytest.raises(RelationError, match="not valid"):
        load_joint_card(folder=tmp_path)


def test_specifications_hash_alike():
    assert JointSpec((2024,)).hash == JointSpec((2024,)).hash != JointSpec((2023,)).hash
