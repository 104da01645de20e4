"""Sampling with the effects integrated out, for several years and on the map: the same posterior, and chains that agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.joint import integrating
from outcomes_analysis.relations.joint.bayes import sample
from outcomes_analysis.relations.joint.collapsing import Rest, model_of_the_rest
from outcomes_analysis.relations.joint.laplace import find_peak
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.preparing import map_basis
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.simulating import draw_figures, draw_prior
from outcomes_analysis.relations.joint.structure import Structure


def of_a_truth(skeleton: Structure, seed: int) -> Layout:
    blank = Layout(skeleton, JointPriors())
    rng = np.random.default_rng(seed)
    values = draw_figures(blank.natural(draw_prior(blank, rng)), skeleton, rng)[1]
    return Layout(skeleton.with_values(values), JointPriors())


@pytest.fixture(scope="module")
def rest(make_skeleton) -> Rest:
    shape = {"areas": 25, "items": 8, "domains": 3, "regions": 3, "doublets": ((0, 1),), "formative": (7,), "waves": 4}
    return Rest(find_peak(of_a_truth(make_skeleton(2, years=2, **shape), 3)))


def test_the_density_of_the_rest_is_that_with_effects_integrated_out(rest):
    z = 0.3 * np.random.default_rng(1).normal(size=len(rest.places))
    value, gradient = rest.log_density(z)
    eta, theta = rest.vector(z)
    layout, coordinates = rest.peak.layout, rest.peak.coordinates
    # the largest value over the effects less half the log determinant: by Newton's step from the gradient alone
    _, _, moved = integrating.profiled(layout, theta)
    assert value == pytest.approx(integrating.log_posterior(layout, moved)[0] + coordinates.log_volume(eta), abs=1e-9)
    step = 1e-5 * np.eye(len(z))
    differences = [(rest.log_density(z + s)[0] - rest.log_density(z - s)[0]) / 2e-5 for s in step]
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-6)  # as for the density itself
    # steps are counted so that the peak is at 0 and its curvature one
    np.testing.assert_allclose(rest.log_density(0 * z)[1], 0, atol=0.05)
    np.testing.assert_array_equal(
        np.delete(rest.whole(z, np.random.default_rng(0)), layout.integrated), theta[rest.places]
    )


def test_pymc_is_handed_that_density_and_no_second_gradient(rest):
    model = model_of_the_rest(rest)
    z = 0.2 * np.random.default_rng(2).normal(size=len(rest.places))
    function = model.logp_dlogp_function(ravel_inputs=True, mode="FAST_COMPILE")
    value, gradient = function(z)
    ours, slopes = rest.log_density(z)
    assert float(value) == pytest.approx(ours, abs=1e-10)
    np.testing.assert_allclose(gradient, slopes, atol=1e-10)
    with pytest.raises(RelationError, match="first gradient only"):
        model.d2logp()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["several years", "on the map"])
def test_chains_agree_with_each_other_and_with_the_quick_way(make_skeleton, form):
    if form == "several years":
        skeleton = make_skeleton(3, areas=100, years=2, items=5, formative=(0, 1, 2, 3, 4))
    else:
        areas = (
            upper_tier(ranked_only=True).query("region_code in ('E12000008', 'E12000009', 'E12000006')").sort_index()
        )
        region = pd.factorize(areas["region_code"], sort=True)[0]
        skeleton = make_skeleton(3, areas=len(areas), items=3, domains=3, formative=(0, 1, 2))
        skeleton = replace(skeleton, basis=map_basis(areas.index), region=region)
    layout = of_a_truth(skeleton, 5)
    peak = find_peak(layout)
    posterior = sample(layout, peak, seed=1)
    print(form, posterior.diagnostics)
    assert posterior.diagnostics["r_hat"] < 1.01
    assert posterior.diagnostics["divergences"] == 0
    assert posterior.problem == ""
    theta = posterior.draws["theta"].reshape(-1, layout.size)
    quick = peak.draws(2000, np.random.default_rng(0))
    pairs = np.tril_indices(len(skeleton.domains), -1)
    sampled, near = (np.array([layout.correlation(t)[pairs] for t in some]) for some in (theta, quick))
    # Monte Carlo error of a mean from some 800 independent draws of sd .1 is .004, of a ratio of sds .03
    assert np.abs(sampled.mean(0) - near.mean(0)).max() < 0.05
    assert (near.std(0) / sampled.std(0)).min() > 0.8
    assert (near.std(0) / sampled.std(0)).max() < 1.2
    # effects too: drawn from their normal given each draw of the rest
    effects, quickly = theta[:, layout.integrated], quick[:, layout.integrated]
    assert np.abs((effects.mean(0) - quickly.mean(0)) / effects.std(0)).max() < 0.35
