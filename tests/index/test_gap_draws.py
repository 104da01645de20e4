"""What missing and suppressed figures may be: against scipy's censored fit, closed forms and known truths."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from outcomes_analysis.errors import SpecError
from outcomes_analysis.index.montecarlo.alternatives import alternatives_of
from outcomes_analysis.index.montecarlo.factors import AggregationFactor, ImputationFactor, NormalisationFactor
from outcomes_analysis.index.montecarlo.figure_posterior import FigureDraws
from outcomes_analysis.index.montecarlo.gap_draws import blocks, gap_draws
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.replicates import replicate
from outcomes_analysis.index.steps.incomplete_normal import truncated
from outcomes_analysis.index.steps.tree import Tree


def model_of(x, parents=None, **more):
    names = [f"i{j}" for j in range(x.shape[1])]
    frame = pd.DataFrame(x, index=[f"u{i:04d}" for i in range(len(x))], columns=names)
    tree = Tree.build(parents or dict.fromkeys(names, "top"), leaves=names)
    reference = {"base": pd.DataFrame({"centre": 0.0, "scale": 1.0}, index=names)}
    return IndexModel(frame, tree, **({"normalisation": "reference", "references": reference} | more))


def ranges(model, low, high):
    """One range for every missing figure."""
    gone = model.values.isna()
    return tuple(pd.DataFrame(np.where(gone, end, np.nan), gone.index, gone.columns) for end in (low, high))


def correlated(n, p, r, seed):
    rng = np.random.default_rng(seed)
    return np.sqrt(r) * rng.normal(size=(n, 1)) + np.sqrt(1 - r) * rng.normal(size=(n, p))


@pytest.mark.parametrize(
    ("mean", "low", "high"), [(0.0, -1.0, 0.5), (0.0, 4.0, 6.0), (3.0, -40.0, -36.5), (1.0, -np.inf, 0.0)]
)
def test_truncated_draws_are_scipys_truncated_normal(mean, low, high):
    rng = np.random.default_rng(1)
    shape = (20_000,)
    drawn = truncated(np.full(shape, mean), np.full(shape, 2.0), np.full(shape, low), np.full(shape, high), rng=rng)
    assert ((drawn >= low) & (drawn <= high)).all()
    expected = stats.truncnorm((low - mean) / 2, (high - mean) / 2, loc=mean, scale=2)
    # 20,000 draws: the largest gap between the distributions is below .0115 in 99 of 100 samples
    assert stats.kstest(drawn, expected.cdf).statistic < 0.0115


def test_missing_figures_follow_the_normal_given_the_others():
    """Missing at random with two indicators: the conditional normal, in closed form."""
    x = correlated(3_000, 2, 0.8, 2)
    hidden = np.arange(0, 3_000, 3)
    other = x[hidden, 0].copy()
    x[hidden, 1] = np.nan
    drawn = gap_draws(model_of(x), ImputationFactor(draws=200), seed=1)
    assert (drawn.columns == 1).all()
    # 2,000 complete pairs put the slope's standard error at .013; 200 draws of 1,000 cells add nothing to speak of
    slope = np.polyfit(other, drawn.values.mean(axis=0), 1)[0]
    assert slope == pytest.approx(0.8, abs=0.04)
    assert np.mean(drawn.values.std(axis=0)) == pytest.approx(0.6, abs=0.03)


def test_suppressed_figures_give_the_distribution_that_scipys_censored_fit_finds():
    """Small figures withheld: the completed table has the mean and spread of scipy's maximum likelihood for
    interval-censored data, where taking them as missing at random would put both far out."""
    rng = np.random.default_rng(3)
    x = rng.normal(2.0, 1.0, size=(600, 1))
    small = x[:, 0] < 1.5  # about three in ten
    x[small, 0] = np.nan
    model = model_of(x)
    tobit = stats.CensoredData(uncensored=x[~small, 0], interval=np.tile([-2.0, 1.5], (small.sum(), 1)))
    centre, spread = stats.norm.fit(tobit)
    limited = model_of(x, ranges=ranges(model, -2.0, 1.5))
    drawn = gap_draws(limited, ImputationFactor(draws=200, cycles=60), seed=1)
    assert drawn.values.max() <= 1.5
    assert drawn.values.min() >= -2.0
    whole = np.concatenate([np.tile(x[~small, 0], (200, 1)), drawn.values], axis=1)
    # posterior and likelihood agree to order 1/n; the fit's own standard error is .04
    assert whole.mean() == pytest.approx(centre, abs=0.02)
    assert np.mean(whole.std(axis=1)) == pytest.approx(spread, abs=0.02)
    careless = gap_draws(model, ImputationFactor(draws=50), seed=1)
    assert np.concatenate([np.tile(x[~small, 0], (50, 1)), careless.values], axis=1).mean() > centre + 0.3


def test_draws_end_where_published_figures_end():
    x = np.exp(1.5 * correlated(100, 3, 0.5, 9))
    x[::4, 1] = np.nan
    drawn = gap_draws(model_of(x), ImputationFactor(draws=50), seed=1).values
    assert drawn.min() == np.nanmin(x[:, 1])  # a normal regression of so skewed an indicator would go below
    assert drawn.max() <= np.nanmax(x[:, 1])


def test_a_suppressed_figure_may_lie_outside_its_range_where_some_protect_another():
    x = correlated(400, 2, 0.5, 4)
    x[x[:, 1] < -0.8, 1] = np.nan
    model = model_of(x)
    limited = model_of(x, ranges=ranges(model, -4.0, -0.8))
    strict, loose = (gap_draws(limited, ImputationFactor(draws=100, secondary=s), seed=2).values for s in (0.0, 0.3))
    assert (strict <= -0.8).all()
    # of the 30 % that are free, some fall into the range all the same
    assert 0.05 < (loose > -0.8).mean() < 0.30


def test_scores_of_completed_tables_hold_those_of_the_whole_one():
    """A fifth of the figures missing: 90 % bounds over completed tables hold the score from all figures nine times in ten."""
    inside = []
    for seed in range(8):
        whole = correlated(150, 6, 0.5, seed)
        x = whole.copy()
        x[np.random.default_rng([seed, 1]).random(x.shape) < 0.2] = np.nan
        x[:, 0] = whole[:, 0]
        table = replicate(model_of(x), factors=[ImputationFactor(draws=100)], draws=512, seed=seed).table
        gaps = np.isnan(x).any(axis=1)
        true = whole.mean(axis=1)[gaps] / 1.0
        lower, upper = (table[c].to_numpy()[gaps] for c in ("lower", "upper"))
        inside.append((lower <= true) & (true <= upper))
    # 8 tables of some 100 places: standard error .012
    assert np.mean(np.concatenate(inside)) == pytest.approx(0.9, abs=0.036)


@pytest.mark.parametrize("none", [True, False])
def test_each_replicate_uses_the_table_it_names(none):
    x = correlated(40, 4, 0.5, 5)
    x[3, 1] = x[9, 2] = x[9, 3] = np.nan
    model = model_of(x, {"i0": "a", "i1": "a", "i2": "b", "i3": "b", "a": "top", "b": "top"})
    factor = ImputationFactor(draws=3, none=none)
    normalisation = NormalisationFactor(methods=("zscore", "rank"))
    found = replicate(model, factors=[factor, normalisation], draws=32, seed=3)
    drawn = alternatives_of(model, [factor], seed=3).gaps
    assert set(found.choices["imputation"]) == {"draw 1", "draw 2", "draw 3"} | ({"gaps left"} if none else set())
    for r, choice in found.choices.iterrows():
        table = x.copy()
        if choice["imputation"] != "gaps left":
            table[drawn.rows, drawn.columns] = drawn.values[int(choice["imputation"].split()[1]) - 1]
        frame = pd.DataFrame(table)
        z = (frame - frame.mean()) / frame.std() if choice["normalisation"] == "zscore" else frame.rank()
        parts = pd.DataFrame({"a": z[[0, 1]].mean(axis=1), "b": z[[2, 3]].mean(axis=1)})
        expected = parts.mean(axis=1).rank(ascending=False, method="min")
        np.testing.assert_array_equal(found.tally.ranks(model.tree.position("top"))[r], expected)


def test_figures_drawn_anew_beside_gaps():
    """With errors of 0 for what is published, drawing figures too changes nothing about the gaps."""
    x = correlated(60, 3, 0.6, 6)
    x[::5, 1] = np.nan
    model = model_of(x, errors=pd.DataFrame(x * 0, index=[f"u{i:04d}" for i in range(60)], columns=["i0", "i1", "i2"]))
    factors = [ImputationFactor(draws=4)]
    alone = replicate(model, factors=factors, draws=64, seed=1)
    both = replicate(model, factors=factors, figures=FigureDraws(shrink="no"), draws=64, seed=1)
    # scores are kept in single precision
    np.testing.assert_allclose(alone.table["lower"], both.table["lower"], rtol=1e-6)
    np.testing.assert_array_equal(alone.tally.ranks(0), both.tally.ranks(0))  # replicate by replicate


@pytest.mark.parametrize("told", [True, False])
def test_a_suppressed_figure_is_never_shown(told):
    """A node that rests on a suppressed figure alone keeps no score; drawn cells are in no table and no printed form."""
    x = correlated(60, 3, 0.6, 7)
    x[4, 2] = np.nan
    empty = model_of(x, {"i0": "a", "i1": "a", "i2": "alone", "a": "top", "alone": "top"})
    model = model_of(
        x, {"i0": "a", "i1": "a", "i2": "alone", "a": "top", "alone": "top"}, ranges=ranges(empty, -3.0, -1.0)
    )
    if told:
        model = replace(model, computed=pd.DataFrame(True, index=model.values.index, columns=["a", "alone", "top"]))
    found = replicate(model, factors=[ImputationFactor(draws=5), AggregationFactor(nodes=("top",))], draws=64)
    row = found.table.query("node_id == 'alone'").iloc[4]
    assert row[["lower", "upper", "rank_lower", "rank_upper", "p_bottom_fifth"]].isna().all()
    assert np.isfinite(found.table.query("node_id == 'top'").iloc[4]["lower"])
    assert np.isnan(found.model.values.iloc[4, 2])
    assert found.acceptability("alone").iloc[4].eq(0).all()
    drawn = gap_draws(model, ImputationFactor(draws=5), seed=1)
    assert "values" not in repr(drawn)


def test_what_cannot_be_imputed_is_named():
    whole = model_of(correlated(30, 3, 0.5, 8))
    with pytest.raises(SpecError, match="no figure is missing"):
        replicate(whole, factors=[ImputationFactor()], draws=8)
    x = correlated(30, 3, 0.5, 8)
    x[2, 1] = np.nan
    model = model_of(x)
    low, high = ranges(model, 1.0, -1.0)
    with pytest.raises(SpecError, match=r"1 suppressed figure has no proper range.*i1 of u0002"):
        gap_draws(model_of(x, ranges=(low, high)), ImputationFactor(), seed=1)
    low.iloc[0, 0], high.iloc[0, 0] = 0.0, 1.0
    with pytest.raises(SpecError, match="i0 of u0000"):
        gap_draws(model_of(x, ranges=(low, -low)), ImputationFactor(), seed=1)


def test_blocks_are_nodes_with_three_units_for_each_indicator():
    names = [f"i{j}" for j in range(9)]
    parents = dict.fromkeys(names[:4], "a") | dict.fromkeys(names[4:8], "b") | {"i8": "top", "a": "top", "b": "top"}
    tree = Tree.build(parents, leaves=names)
    assert blocks(tree, units=27) == [list(range(9))]
    assert sorted(blocks(tree, units=26)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert sorted(blocks(tree, units=5)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]  # no smaller nodes to go by
