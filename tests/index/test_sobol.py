"""Sobol' indices: Ishigami's function in closed form, COINr's own sample, and the ASEM index with every combination."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.montecarlo.alternatives import alternatives_of
from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    FiguresFactor,
    NormalisationFactor,
    TreatmentFactor,
    WeightFactor,
)
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.kernels import ranks_of
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.replicates import nominal, replicate, sobol_points
from outcomes_analysis.index.montecarlo.sensitivity_indices import SHIFT, rank_outputs, sensitivity
from outcomes_analysis.index.montecarlo.sobol import (
    every_combination,
    exact_indices,
    saltelli_design,
    sobol_indices,
    with_bounds,
)
from outcomes_analysis.index.steps.tree import Tree

A, B = 7.0, 0.1


def ishigami(u):
    x = np.pi * (2 * u[:, :3] - 1)
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices():
    """Closed form (Ishigami and Homma 1990): first-order and total indices of the three inputs."""
    first = np.array([0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, 0.0])
    both = B**2 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = first.sum() + both
    return first / variance, (first + np.array([both, 0, both])) / variance


def test_ishigami_in_closed_form():
    results = [
        sobol_indices(ishigami(saltelli_design(sobol_points(2**12, 6, seed=seed), [1, 1, 1])), inputs=3, resamples=0)
        for seed in range(16)
    ]
    first, total = ishigami_indices()
    # a scramble of 4,096 rows errs by .003, now and then by .01; the mean of 16 by a quarter of that
    np.testing.assert_allclose(np.mean([r.first[:, 0] for r in results], axis=0), first, atol=0.003)
    np.testing.assert_allclose(np.mean([r.total[:, 0] for r in results], axis=0), total, atol=0.003)


def test_bounds_hold_the_truth():
    first, total = ishigami_indices()
    inside = []
    for seed in range(100):
        points = np.random.default_rng(seed).random((512, 6))
        found = sobol_indices(ishigami(saltelli_design(points, [1, 1, 1])), inputs=3, seed=seed, resamples=200)
        inside.append((found.first_lower[:, 0] <= first) & (first <= found.first_upper[:, 0]))
        inside.append((found.total_lower[:, 0] <= total) & (total <= found.total_upper[:, 0]))
    # 600 bounds at 90 %, three of a kind together: standard error about .015
    assert 0.84 <= np.mean(inside) <= 0.96


def test_centred_where_coinr_is_not(gold):
    """COINr's sample and outputs. Its own first-order indices (.261, .249, .123) come of not centring the outputs and
    are not to imitate: the third input has none at all in truth, and the second is the largest."""
    y = pd.read_csv(gold / "coinr/10_sobol_ishigami_y.csv").to_numpy(float)[:, 0]
    coinr = pd.read_csv(gold / "coinr/10_sobol_ishigami_indices.csv")
    sample = pd.read_csv(gold / "coinr/10_sobol_sample_64x4.csv").to_numpy(float)
    np.testing.assert_allclose(ishigami(sample), y, rtol=1e-9)
    found = sobol_indices(y, inputs=4, resamples=0)
    np.testing.assert_allclose(found.first[:, 0], [0.168, 0.376, 0.081, 0.0], atol=5e-4)  # reference to 3 decimals
    # total indices need no centring: Jansen's, and COINr's, are right
    np.testing.assert_allclose(found.total[:, 0], coinr["STi"], rtol=1e-9)
    np.testing.assert_allclose(found.variance[0], coinr["Variance"].iloc[0], rtol=1e-9)
    truth = np.append(ishigami_indices()[0], 0)
    assert np.abs(found.first[:, 0] - truth).max() < np.abs(coinr["Si"] - truth).max()


def test_salibs_estimates_on_the_same_runs():
    """SALib (the published Python package) on its own design: the same total indices, and first-order ones that differ
    by its centring at the mean of all outputs instead of those of A and B."""
    from SALib.analyze import sobol as salib
    from SALib.sample import sobol as sampler

    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    sample = sampler.sample(problem, 2**10, calc_second_order=False, seed=3)
    y = ishigami(sample)
    theirs = salib.analyze(problem, y, calc_second_order=False, num_resamples=2, seed=1)
    # SALib has A, AB1, AB2, AB3, B for each row of the sequence; ours are A, B, then AB by input
    rows = y.reshape(-1, 5)
    found = sobol_indices(np.concatenate([rows[:, k] for k in (0, 4, 1, 2, 3)]), inputs=3, resamples=0)
    count = 2 * len(rows)
    # its variance has the divisor 2n, ours 2n - 1
    np.testing.assert_allclose(found.total[:, 0] * count / (count - 1), theirs["ST"], rtol=1e-9)
    np.testing.assert_allclose(found.first[:, 0], theirs["S1"], atol=2e-3)


def test_a_shifted_output_has_the_same_indices():
    y = ishigami(saltelli_design(sobol_points(64, 6, seed=2), [1, 1, 1]))
    near, far = (sobol_indices(v, inputs=3, resamples=0).first for v in (y, y + 1e6))
    np.testing.assert_allclose(near, far, atol=1e-6)


def test_enumeration_by_hand():
    """y = a + 2b + ab over a in 0, 1 and b in -1, 0, 1: variances of conditional means worked out by hand."""
    u = every_combination([2, 3])
    a, b = np.floor(u[:, 0] * 2), np.floor(u[:, 1] * 3) - 1
    found = exact_indices(a + 2 * b + a * b, levels=[2, 3])
    # means over b: 0, 1 -> 1/4; means over a: .5 + 2.5 b -> 6.25 * 2/3; whole: those and the interaction 1/6
    whole = 0.25 + 6.25 * 2 / 3 + 1 / 6
    np.testing.assert_allclose(found.variance, whole)
    np.testing.assert_allclose(found.first[:, 0], [0.25 / whole, 6.25 * 2 / 3 / whole])
    np.testing.assert_allclose(found.total[:, 0], [(0.25 + 1 / 6) / whole, (6.25 * 2 / 3 + 1 / 6) / whole])


def test_bounds_over_drawn_alternatives_hold_the_index_of_all_there_might_be():
    """y = a + b: a from a normal with variance 3, drawn 64 times; b is 1 or -1. The index of a is 3/4 in truth."""
    inside = []
    for seed in range(120):
        a = np.random.default_rng(seed).normal(size=64) * np.sqrt(3)
        y = (a[:, None] + [-1.0, 1.0]).ravel()[:, None]
        exact = exact_indices(y, levels=[64, 2])
        found = with_bounds(exact, y, levels=[64, 2], drawn=[0], seed=seed, resamples=100)
        assert found.first[0, 0] == exact.first[0, 0]
        inside.append(found.first_lower[0, 0] <= 0.75 <= found.first_upper[0, 0])
    # 1,500 repeats gave 89 %; standard error of 120 .03
    assert 0.82 <= np.mean(inside) <= 0.96
    alone = with_bounds(exact, y, levels=[64, 2], drawn=[])
    assert (alone.first_lower == exact.first).all()


def test_an_output_that_never_moves_has_no_index():
    assert np.isnan(exact_indices(np.full(6, 3.0), levels=[2, 3]).first).all()
    assert np.isnan(sobol_indices(np.full(64, 3.0), inputs=2, resamples=5).first).all()


@pytest.fixture(scope="module")
def asem(gold):
    """COINr's example after screening, with its tree; nominal: winsorised up to 5, min-max, arithmetic."""
    folder = gold / "coinr"
    meta = pd.read_csv(folder / "00_in_asem_imeta.csv").dropna(subset=["Level"]).set_index("iCode")
    values = pd.read_csv(folder / "01_coin_4_screened.csv").set_index("uCode")
    leaves = list(meta.index[meta["Level"] == 1])
    tree = Tree.build(meta["Parent"].dropna().to_dict(), leaves=leaves, weights=meta["Weight"].astype(float).to_dict())
    return IndexModel(
        values,
        tree,
        directions=meta["Direction"].astype(int).to_dict(),
        treatment="skew_kurtosis",
        normalisation={"method": "minmax", "lower": 1, "upper": 100},
    )


DESIGN = (
    TreatmentFactor(methods=tuple({"method": "skew_kurtosis", "maximum": k} for k in range(1, 6)), name="winmax"),
    NormalisationFactor(
        methods=({"method": "minmax", "lower": 1, "upper": 100}, {"method": "zscore", "mean": 10, "sd": 2})
    ),
    WeightFactor(spread=0.25, drawn=100),
    AggregationFactor(),
)


@pytest.mark.slow
def test_asem_sobol_against_every_combination(asem):
    """2,000 combinations enumerated; 384 runs on 200 scrambles come within .07 of them (root mean square over the four
    factors, mean over scrambles). ``pytest -m slow -s`` prints the figure."""
    exact = sensitivity(asem, factors=DESIGN, nodes=["Index"], runs=2_000, seed=1)
    assert exact.exact
    assert exact.runs == 2_000
    truth = exact.of_shift("Index")["first"].to_numpy(float)
    # COINr's vignette, enumerated with other weight sets: winsorising .033, normalisation .071, weights .129,
    # aggregation .563; its 100 sets differ from ours, hence .1
    np.testing.assert_allclose(truth, [0.033, 0.071, 0.129, 0.563], atol=0.1)
    levels = [5, 2, 100, 2]
    options, node = alternatives_of(asem, DESIGN), asem.tree.position("Index")
    y = rank_outputs(asem, DESIGN, options, every_combination(levels), nodes=[node], seed=1)[0, :, 0].astype(float)

    def estimated(seed):
        u = saltelli_design(sobol_points(64, 8, seed=seed), [1, 1, 1, 1])
        at = np.ravel_multi_index(tuple((u * levels).astype(int).T), levels)
        assert len(at) == 384
        return sobol_indices(y[at], inputs=4, resamples=0).first[:, 0]

    # the lookup is what the function itself would do
    np.testing.assert_allclose(
        sensitivity(asem, factors=DESIGN, nodes=["Index"], runs=384, seed=1).of_shift("Index")["first"],
        estimated([1, 2]),
        atol=1e-6,  # single precision
    )
    errors = [np.sqrt(np.mean((estimated(seed) - truth) ** 2)) for seed in range(200)]
    print(f"\nFirst-order indices at 384 runs, mean root mean square error of 200 scrambles: {np.mean(errors):.4f}")
    assert np.mean(errors) <= 0.07


def test_the_engine_builds_coinrs_example(asem, gold):
    """Treated, normalised and aggregated by the engine alone: every score and rank, and the summary of one country."""
    folder = gold / "coinr"
    scores = nominal(replace(asem, normalisation={"method": "minmax", "lower": 0, "upper": 100}))
    names = [b.id for b in asem.tree.branches]
    expected = pd.read_csv(folder / "01_coin_7_aggregated.csv").set_index("uCode").loc[asem.values.index, names]
    for node, score in zip(names, scores, strict=True):
        np.testing.assert_allclose(score, expected[node], atol=1e-9 * expected[node].abs().max(), rtol=0)
    summary = pd.read_csv(folder / "01_coin_unit_summary_GBR.csv").set_index("Code")
    at = asem.values.index.get_loc("GBR")
    for node, score, rank in zip(names, scores, ranks_of(scores), strict=True):
        assert score[at] == pytest.approx(summary.at[node, "Score"], rel=1e-9)
        assert rank[at] == summary.at[node, "Rank"]
    assert set(summary.index) == set(names)


def test_asem_each_country_has_indices(asem):
    found = sensitivity(asem, factors=DESIGN, nodes=["Index"], runs=2_000, seed=1).table
    units = found[found["output"] != SHIFT]
    assert units["output"].nunique() == 51
    moved = units.dropna(subset=["estimate"])
    assert moved["estimate"].between(-1e-9, 1 + 1e-9).all()
    wide = moved.pivot(index=["output", "factor"], columns="order", values="estimate")
    assert (wide["first"] <= wide["total"] + 1e-6).all()  # ranks are kept in single precision
    assert (wide.groupby("output")["first"].sum() <= 1 + 1e-6).all()


def drawn_figures(n=40):
    """An index of four indicators in two nodes, with errors of about their spread."""
    rng = np.random.default_rng(9)
    names = ["a", "b", "c", "d"]
    x = pd.DataFrame(rng.normal(size=(n, 1)) + rng.normal(size=(n, 4)), columns=names)
    tree = Tree.build({"a": "p", "b": "p", "c": "q", "d": "q", "p": "top", "q": "top"}, leaves=names)
    normalisation = {"method": "minmax", "lower": 1, "upper": 100}
    return IndexModel(x, tree, errors=x * 0 + 0.7, normalisation=normalisation)


def test_figures_beside_methods_by_every_combination():
    """The figures' uncertainty as one factor: indices by plain sums over the drawn tables, the means and the weights."""
    model = drawn_figures()
    factors = [FiguresFactor(draws=8), AggregationFactor(), WeightFactor(drawn=4, spread=0.5)]
    found = sensitivity(model, factors=factors, runs=64, seed=2)
    assert found.exact
    assert found.runs == 64
    choices = replicate(model, factors=factors, draws=512, seed=2).choices
    assert choices["figures"].nunique() == 8
    rows = []
    nominal = replicate(model, factors=factors[1:], draws=8, seed=2).table.query("node_id == 'top'")["rank"]
    drawn = FigureDraws().prepare(model).tables(8, rng=np.random.default_rng([2, 7]))
    sets = np.random.default_rng([2, 77]).random((4, 6))
    for f, table in enumerate(drawn):
        z = 1 + 99 * (table - table.min(axis=0)) / (table.max(axis=0) - table.min(axis=0))
        for mean in ("arithmetic", "geometric"):
            for k, u in enumerate(sets):
                w = 0.5 + u
                y = z if mean == "arithmetic" else np.log(z)
                p, q = (y[:, s] @ w[s] / w[s].sum() for s in (slice(0, 2), slice(2, 4)))
                top = -(p * w[4] + q * w[5])
                shift = np.abs(pd.Series(top).rank(method="min").to_numpy() - nominal.to_numpy()).mean()
                rows.append((f, mean, k, shift))
    frame = pd.DataFrame(rows, columns=["figures", "aggregation", "weights", "y"])
    whole = frame["y"].var(ddof=0)
    shift = found.of_shift("top")
    for name in ("figures", "aggregation", "weights"):
        others = [n for n in ("figures", "aggregation", "weights") if n != name]
        first = frame.groupby(name)["y"].mean().var(ddof=0) / whole
        total = frame.groupby(others)["y"].var(ddof=0).mean() / whole
        # shifts are kept in single precision
        assert shift.at[name, "first"] == pytest.approx(first, abs=1e-5)
        assert shift.at[name, "total"] == pytest.approx(total, abs=1e-5)
    assert shift["first"].idxmax() == "figures"
    rows = found.table.query("node_id == 'top' and output == @SHIFT")
    assert (rows["lower"] < rows["upper"]).all()  # eight tables are a small sample of what the figures allow
    ranks = found.table.query("node_id == 'top' and output != @SHIFT").dropna(subset=["estimate"])
    assert (ranks["lower"] == ranks["upper"]).all()


def test_figures_beside_methods_by_sampling_with_bounds():
    """Too many combinations to enumerate: a Saltelli design whose bounds hold the exact indices."""
    model = drawn_figures()
    factors = [FiguresFactor(draws=32), AggregationFactor(), WeightFactor(drawn=32, spread=0.5)]
    exact = sensitivity(model, factors=factors, runs=2_048, seed=2)
    sampled = sensitivity(model, factors=factors, runs=2_047, seed=2)
    assert exact.exact
    assert not sampled.exact
    both = (
        r.table.query("node_id == 'top' and output == @SHIFT").set_index(["factor", "order"]) for r in (exact, sampled)
    )
    truth, found = both
    assert (found["lower"] < found["upper"]).all()
    # six bounds at 90 %: one may miss, none by far
    inside = (found["lower"] <= truth["estimate"]) & (truth["estimate"] <= found["upper"])
    assert inside.sum() >= 5
    # 256 rows and an output with heavy tails: standard error about .07
    assert (found["estimate"] - truth["estimate"]).abs().max() < 0.2
    assert "Estimated from" in sampled.text
    said = [int(n) for n in re.findall(r"(\d+)% (?:alone|with)", sampled.text)]
    ordered = found["estimate"].xs("total", level="order").sort_values(ascending=False).index
    expected = [max(found.loc[(name, order), "estimate"], 0) for name in ordered for order in ("first", "total")]
    assert said == [round(100 * share) for share in expected]


def test_figures_are_drawn_one_way_at_a_time():
    with pytest.raises(SpecError, match="pass one of the two"):
        replicate(drawn_figures(), factors=[FiguresFactor()], figures=FigureDraws(), draws=8)
    bare = drawn_figures()
    with pytest.raises(SpecError, match="no standard errors"):
        sensitivity(IndexModel(bare.values, bare.tree), factors=[FiguresFactor(), AggregationFactor()])


def test_too_few_runs_or_factors_are_refused(asem):
    with pytest.raises(SpecError, match="at least 96"):
        sensitivity(asem, factors=DESIGN, runs=50)
    with pytest.raises(SpecError, match="at least two"):
        sensitivity(asem, factors=DESIGN[:1])
