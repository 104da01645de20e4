"""The graphical lasso: qgraph's network of nine tests, scikit-learn's fits, and the conditions of an optimum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import graphical_lasso

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.network.graphical_lasso import ebic_network, ebic_weights


@pytest.fixture(scope="module")
def tests_of_children(gold: Path) -> pd.DataFrame:
    """Correlations of the nine tests of Holzinger and Swineford."""
    return pd.read_csv(gold / "models" / "qgraph" / "hs_cor.csv", index_col=0)


def made(nodes: int, *, n: int = 150, seed: int = 3) -> np.ndarray:
    """Figures of which each goes with the one before."""
    rng = np.random.default_rng(seed)
    figures = rng.normal(size=(n, nodes))
    for k in range(1, nodes):
        figures[:, k] += 0.6 * figures[:, k - 1]
    return figures


def test_nine_tests_of_children_as_qgraph_has_them(tests_of_children: pd.DataFrame, gold: Path):
    folder = gold / "models" / "qgraph"
    published = pd.read_csv(folder / "hs_ebicglasso_gamma0.5.csv", index_col=0).to_numpy()
    path = pd.read_csv(folder / "hs_path.csv")
    found = ebic_network(tests_of_children.to_numpy(), n=301, nodes=list(tests_of_children))
    assert found.penalty == pytest.approx(0.0517237, abs=5e-8)
    assert np.count_nonzero(np.triu(found.weights, 1)) == 22
    assert ((found.weights != 0) == (published != 0)).all()
    # qgraph stops its own search at 1e-4 of the mean correlation: its weights are good to 1e-5
    assert found.weights == pytest.approx(published, abs=1e-5)
    assert found.path["penalty"].to_numpy() == pytest.approx(path["lambda"].to_numpy(), rel=1e-12)
    assert found.path["ebic"].to_numpy() == pytest.approx(path["ebic"].to_numpy(), abs=2e-3)  # for the same reason


@pytest.mark.parametrize("nodes", [4, 12, 20])
def test_precision_is_that_of_scikit_learn(nodes: int):
    correlations = np.corrcoef(made(nodes).T)
    found = ebic_network(correlations, n=150, nodes=[str(k) for k in range(nodes)])
    _, theirs = graphical_lasso(correlations, found.penalty, tol=1e-10, enet_tol=1e-10, max_iter=1000)
    assert found.precision == pytest.approx(theirs, abs=1e-6)  # both stop at about 1e-9 of covariances


def test_the_answer_is_an_optimum():
    """Fitted and given correlations differ by the penalty where there is a link, and by no more where there is none."""
    correlations = np.corrcoef(made(8).T)
    found = ebic_network(correlations, n=150, nodes=list("abcdefgh"))
    apart = np.linalg.inv(found.precision) - correlations
    # the search stops at 1e-9; inverting loses two digits
    assert np.diag(apart) == pytest.approx(np.zeros(8), abs=1e-7)
    linked = found.weights != 0
    assert 0 < linked.sum() < 56
    assert apart[linked] == pytest.approx(-found.penalty * np.sign(found.weights[linked]), abs=1e-7)
    assert (np.abs(apart[~linked]) <= found.penalty + 1e-7).all()
    root = np.sqrt(np.diag(found.precision))
    partial = -found.precision / np.outer(root, root)
    assert found.weights == pytest.approx(partial - np.diag(np.diag(partial)), abs=1e-12)


def test_penalty_chosen_has_the_lowest_extended_bic_written_out():
    correlations = np.corrcoef(made(6).T)
    found = ebic_network(correlations, n=150, nodes=list("abcdef"), gamma=0.5, penalties=20)
    row = found.path.loc[found.path["ebic"].idxmin()]
    assert row["penalty"] == found.penalty
    links = np.count_nonzero(np.triu(found.weights, 1))
    likelihood = 75 * (np.linalg.slogdet(found.precision)[1] - np.trace(found.precision @ correlations))
    assert row["ebic"] == pytest.approx(-2 * likelihood + links * (np.log(150) + 2 * np.log(6)), abs=1e-8)
    assert row["links"] == links


def test_dearer_links_are_fewer():
    correlations = np.corrcoef(made(10).T)
    nodes = [str(k) for k in range(10)]
    cheap, dear = (ebic_network(correlations, n=150, nodes=nodes, gamma=g) for g in (0.0, 2.0))
    assert np.count_nonzero(cheap.weights) > np.count_nonzero(dear.weights)


def test_a_network_that_lets_nearly_all_in_is_marked():
    rng = np.random.default_rng(7)
    alike = rng.normal(size=(5000, 1)) + rng.normal(size=(5000, 6))  # every pair goes together
    found = ebic_network(np.corrcoef(alike.T), n=5000, nodes=list("abcdef"))
    assert np.count_nonzero(found.weights) == 30
    assert found.dense
    assert not ebic_network(np.corrcoef(made(10).T), n=150, nodes=list("abcdefghij")).dense


def test_a_chain_is_found_and_little_else():
    """With 2,000 areas every link of a chain of eight is found, its weight near the truth; few others are."""
    correlations = np.corrcoef(made(8, n=2000).T)
    found = ebic_network(correlations, n=2000, nodes=list("abcdefgh")).weights
    chain = np.eye(8, k=1, dtype=bool)
    assert (found[chain] != 0).all()
    assert np.abs(found[np.triu(~chain, 1)]).max() < 0.05
    # 0.6 / 1.36 inside the chain by its precision; shrunk a little
    assert found[2, 3] == pytest.approx(0.6 / 1.36, abs=0.06)


def test_draws_have_the_same_network_to_six_digits():
    correlations = np.corrcoef(made(8).T)
    exact = ebic_network(correlations, n=150, nodes=list("abcdefgh")).weights
    assert ebic_weights(correlations, n=150) == pytest.approx(exact, abs=1e-5)  # stopped at 1e-6
    blank = np.full((4, 4), np.nan)
    assert np.isnan(ebic_weights(blank, n=150)).all()


def test_figures_that_bear_no_network_are_refused():
    figures = made(6)
    nodes = list("abcdef")

    def refused(match: str, given: np.ndarray, *, n: int = 150, names: list[str] = nodes) -> None:
        with pytest.raises(RelationError, match=match), np.errstate(invalid="ignore", divide="ignore"):
            ebic_network(np.corrcoef(given.T), n=n, nodes=names)

    twice = figures.copy()
    twice[:, 5] = 3 * figures[:, 0] - figures[:, 1]
    refused("Perfectly collinear: a, b, f", twice)
    still = figures.copy()
    still[:, 2] = 7.0
    refused("same in every area.*: c. Leave", still)
    refused("2 figures: a network needs three", figures[:, :2], names=["a", "b"])
    refused("21 figures", made(21), names=[str(k) for k in range(21)])
    refused("7 areas are too few for a network of 6", figures, n=7)
