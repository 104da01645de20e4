"""The Technology Achievement Index of the OECD/JRC Handbook: its published tables, and the order in which choices move
its ranks; the copy in this folder stands in for the published files where they are not at hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.index.judging.components import principal_components
from outcomes_analysis.index.judging.correlating import correlations
from outcomes_analysis.index.montecarlo.factors import (
    AggregationFactor,
    ImputationFactor,
    NormalisationFactor,
    OmissionFactor,
    WeightFactor,
)
from outcomes_analysis.index.montecarlo.modelling import IndexModel
from outcomes_analysis.index.montecarlo.replicates import nominal, replicate
from outcomes_analysis.index.montecarlo.sensitivity_indices import sensitivity
from outcomes_analysis.index.steps.loadings import component_loadings
from outcomes_analysis.index.steps.tree import Tree

NAMES = ["patents", "royalties", "internet", "exports", "telephones", "electricity", "schooling", "university"]
SETS = {  # Handbook tables 18 and 22
    "equal": dict.fromkeys(NAMES, 0.125),
    "factor": dict(zip(NAMES, [0.17, 0.15, 0.11, 0.06, 0.08, 0.13, 0.13, 0.17], strict=True)),
    "budget": dict(zip(NAMES, [0.11, 0.11, 0.11, 0.18, 0.10, 0.06, 0.15, 0.18], strict=True)),
    "hierarchy": dict(zip(NAMES, [0.09, 0.10, 0.07, 0.21, 0.05, 0.06, 0.18, 0.25], strict=True)),
}
GOALPOSTS = {  # Human Development Report 2001; telephones and electricity as log10
    "method": "goalposts",
    "lower": dict(zip(NAMES, [0, 0, 0, 0, 0, np.log10(22), 0.8, 0.1], strict=True)),
    "upper": dict(zip(NAMES, [994, 272.6, 232.4, 80.8, np.log10(901), np.log10(6969), 12, 27.4], strict=True)),
    "range": (0, 1),
}
MINMAX = {"method": "minmax", "lower": 1, "upper": 100}
ZSCORE = {"method": "zscore", "mean": 50, "sd": 15}  # runs from about 15 to 85: a geometric mean can be taken


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(Path(__file__).with_name("tai.csv"), comment="#", index_col=0)


def model(table, **more):
    tree = Tree.build(dict.fromkeys(NAMES, "tai"), leaves=NAMES)
    return IndexModel(table[NAMES].astype(float), tree, **({"normalisation": MINMAX} | more))


def test_the_copy_is_the_published_table(table, gold):
    folder = gold / "oecd_tai"
    raw = pd.read_csv(folder / "A2_raw_23.csv", index_col=0).rename(columns=str.lower)
    pd.testing.assert_frame_equal(table[NAMES].astype(float), raw[NAMES].astype(float))
    ranks = pd.read_csv(folder / "T23_T38_ranks.csv", index_col=0)
    named = {
        "EW": "equal",
        "FA": "factor",
        "BAP": "budget",
        "AHP": "ahp",
        "NCMC_T38": "condorcet",
        "GME_T38": "geometric",
    }
    for theirs, ours in named.items():
        assert (table[f"rank_{ours}"] == ranks[theirs].reindex(table.index)).all()
    schooling = pd.read_csv(folder / "T15_schooling_normalised.csv", index_col=0).reindex(table.index)
    for column in schooling:
        np.testing.assert_allclose(table[f"schooling_{column}"], schooling[column])
    weights = pd.read_csv(folder / "T18_T22_weights.csv", index_col=0).rename(index=str.lower)
    for theirs, ours in {"EW": "equal", "FA": "factor", "BAP": "budget", "AHP": "hierarchy"}.items():
        assert weights[theirs].to_dict() == pytest.approx(SETS[ours])
    posts = pd.read_csv(folder / "HDR2001_goalposts.csv", index_col=0).rename(index=str.lower)
    for end in ("lower", "upper"):
        assert posts[end].to_dict() == pytest.approx(GOALPOSTS[end], abs=1e-4)


def test_published_correlations_and_components(table, gold):
    folder = gold / "oecd_tai"
    published = pd.read_csv(folder / "T06_correlation.csv", index_col=0).rename(index=str.lower, columns=str.lower)
    found = correlations(table[NAMES].astype(float))
    for row in found.itertuples():
        # the Handbook used unrounded logs: the README beside the table has .018
        assert row.correlation == pytest.approx(published.at[row.a, row.b], abs=0.0185)
    eigenvalues = principal_components(table[NAMES].astype(float)).eigenvalues
    printed = pd.read_csv(folder / "T07_eigenvalues.csv")
    np.testing.assert_allclose(eigenvalues, printed["eigenvalue"], atol=0.055)  # one decimal
    np.testing.assert_allclose(100 * eigenvalues / 8, printed["pct"], atol=0.15)
    loadings = component_loadings(table[NAMES].astype(float), components=4)
    rotated = pd.read_csv(folder / "T09_loadings_varimax.csv", index_col=0).rename(index=str.lower).loc[NAMES]
    rotated = rotated[[c for c in rotated if c.startswith("F")]].to_numpy()
    near = np.abs(loadings.to_numpy().T @ rotated)
    assert np.abs(np.abs(loadings.to_numpy()) - np.abs(rotated[:, near.argmax(axis=1)])).max() < 0.014


@pytest.mark.parametrize(
    ("weights", "column", "differ", "most"),
    # weights printed with two decimals leave a few neighbours unsettled
    [("equal", "equal", 0, 0), ("budget", "budget", 0, 0), ("factor", "factor", 4, 1), ("hierarchy", "ahp", 3, 2)],
)
def test_replicates_have_the_published_ranks(table, weights, column, differ, most):
    """Each replicate that takes one of the Handbook's weight sets ranks the 23 countries as its table 23 does."""
    found = replicate(
        model(table, normalisation=GOALPOSTS), factors=[WeightFactor(method="given", sets=SETS)], draws=16
    )
    at = np.flatnonzero(found.choices["weights"] == weights)
    assert len(at) == 4
    apart = np.abs(found.tally.ranks(0)[at].astype(int) - table[f"rank_{column}"].to_numpy())
    assert ((apart > 0).sum(axis=1) == differ).all()
    assert (apart.max(axis=1) == most).all()


def test_the_geometric_ranks(table):
    raw = model(table, normalisation="none", mean="geometric")
    assert ((-nominal(raw)[0]).argsort().argsort() + 1 == table["rank_geometric"]).all()


def test_the_order_of_influence(table):
    """Handbook 7.3, tables 39 and 40: the mean moves ranks most, then weights and the indicator left out; how indicators
    are normalised, and what stands for missing figures, little. With the linear mean alone, weights come first."""
    weights, omission = WeightFactor(method="given", sets=SETS), OmissionFactor()
    normalisation = NormalisationFactor(methods=(MINMAX, ZSCORE))
    whole = sensitivity(model(table), factors=[normalisation, omission, AggregationFactor(), weights])
    assert whole.exact
    for order in ("first", "total"):
        shares = whole.of_shift("tai")[order]
        assert shares.idxmax() == "aggregation"
    assert whole.of_shift("tai")["first"].idxmin() == "normalisation"

    gaps = table.copy()
    for country, name in (
        ("Israel", "internet"),
        ("Spain", "exports"),
        ("Norway", "patents"),
        ("Ireland", "royalties"),
    ):
        gaps.loc[country, name] = np.nan  # four of 184
    linear = sensitivity(model(gaps), factors=[normalisation, omission, weights, ImputationFactor(draws=6)])
    assert linear.exact
    first = linear.of_shift("tai")["first"]
    assert list(first.sort_values(ascending=False).index[:2]) == ["weights", "omission"]
    # .000 and .001 in the Handbook
    assert first["normalisation"] < 0.05
    assert first["imputation"] < 0.1
