"""The map as a basis: scaling as published, and a disease map as Stan has it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.joint.graph import scaling_factor, spatial_basis


@pytest.fixture(scope="module")
def scotland(gold):
    folder = gold / "models" / "scotland_bym2"
    data = pd.read_csv(folder / "scotland.csv")
    edges = pd.read_csv(folder / "edges.csv").to_numpy()[:, :2].astype(int) - 1
    return folder, data, [tuple(map(int, e)) for e in edges]


def test_scaling_is_the_published_one(scotland):
    _, data, edges = scotland
    assert len(edges) == 132
    # published with seven digits, found with a hair added to the diagonal so that the matrix can be inverted
    assert scaling_factor(edges, len(data)) == pytest.approx(0.4853175, abs=1e-6)


def test_field_has_the_precision_of_the_graph_and_sums_to_nought(scotland):
    _, data, edges = scotland
    n = len(data)
    basis = spatial_basis(edges, n)
    q = np.zeros((n, n))
    for a, b in edges:
        q[a, b] = q[b, a] = -1
    np.fill_diagonal(q, -q.sum(axis=1))
    scale = scaling_factor(edges, n)
    # covariance times precision is the identity on what sums to 0 in each connected part
    from scipy.sparse.csgraph import connected_components

    count, part = connected_components(q != 0)
    means = (part[:, None] == part) / np.bincount(part)[part]
    np.testing.assert_allclose(basis @ basis.T * scale @ q, np.eye(n) - means, atol=1e-9)  # a pseudo-inverse's rounding
    assert basis.shape[1] == n - count
    np.testing.assert_allclose(means @ basis, 0, atol=1e-10)


def test_a_place_without_neighbours_gets_no_field_and_a_wrong_pair_is_refused():
    basis = spatial_basis([(0, 1), (1, 2), (2, 1)], 4)
    np.testing.assert_array_equal(basis[3], 0)
    assert np.exp(np.log((basis[:3] ** 2).sum(axis=1)).mean()) == pytest.approx(1)
    for pairs, words in (([(0, 0)], "1 pairs"), ([(0, 9)], "1 pairs"), ([], "no neighbours")):
        with pytest.raises(RelationError, match=words):
            spatial_basis(pairs, 4)


@pytest.mark.slow
def test_a_disease_map_is_that_of_stan(scotland):
    """Lip cancer in Scotland: BYM2 with this basis against published values and a long run of Stan."""
    import pymc as pm

    from outcomes_analysis.relations.pair.posteriors import quiet

    folder, data, edges = scotland
    basis = spatial_basis(edges, len(data))
    with quiet(), pm.Model():
        b0, b1 = pm.Normal("b0", 0, 5), pm.Normal("b1", 0, 5)
        sigma, rho = pm.HalfNormal("sigma", 5), pm.Beta("rho", 0.5, 0.5)
        theta, waves = pm.Normal("theta", 0, 1, shape=len(data)), pm.Normal("waves", 0, 1, shape=basis.shape[1])
        mixed = pm.math.sqrt(1 - rho) * theta + pm.math.sqrt(rho) * (basis @ waves)
        log_mu = np.log(data["E"].to_numpy()) + b0 + b1 * data["x"].to_numpy() / 10 + sigma * mixed
        pm.Deterministic("mu", pm.math.exp(log_mu))
        pm.Poisson("y", pm.math.exp(log_mu), observed=data["y"].to_numpy())
        found = pm.sample(
            2000, tune=1000, chains=2, cores=2, random_seed=1, nuts_sampler="pymc", target_accept=0.95,
            progressbar=False, compute_convergence_checks=False,
        )  # fmt: skip
    posterior = found["posterior"].to_dataset()
    stan = pd.read_csv(folder / "stan_posterior_summary.csv", index_col=0)
    mu = posterior["mu"].to_numpy().reshape(-1, len(data))
    rows = stan.loc[[f"mu[{k}]" for k in range(1, len(data) + 1)]]
    # every area within .05 of its sd: Monte Carlo error of 4,000 draws, near independent, is .016, of the largest of 56 .045
    assert (np.abs(mu.mean(axis=0) - rows["mean"].to_numpy()) / rows["sd"].to_numpy()).max() < 0.05
    for name, mean, sd in (
        ("b0", -0.2192, 0.1290),
        ("b1", 0.3680, 0.1348),
        ("sigma", 0.5204, 0.0878),
        ("rho", 0.8768, 0.1439),
    ):
        # three Monte Carlo errors at some 400 independent draws, .15 sd
        assert float(posterior[name].mean()) == pytest.approx(mean, abs=0.15 * sd), name
