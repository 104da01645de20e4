"""The model in PyMC: the same density and gradient as ours, no second gradient, and draws that agree with the quick way."""

from __future__ import annotations

import numpy as np
import pytest

from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.relations.joint.bayes import model_of, point_of, sample, vectors_of
from outcomes_analysis.relations.joint.laplace import Peak, find_peak
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.simulating import draw_figures, draw_prior

EVERY_PART = {
    "areas": 14,
    "years": 2,
    "items": 8,
    "domains": 3,
    "regions": 3,
    "doublets": ((0, 1), (3, 4, 5)),
    "formative": (7,),
    "waves": 3,
}


@pytest.fixture(scope="module")
def layout(make_skeleton) -> Layout:
    return Layout(make_skeleton(8, **EVERY_PART), JointPriors())


@pytest.fixture(scope="module")
def model(layout):
    return model_of(layout)


def on_free_scale(layout: Layout, theta: np.ndarray) -> dict[str, np.ndarray]:
    """As PyMC names its unconstrained variables."""
    return {
        "partial_logodds__" if name == "partial" else name: layout.take(theta, name).reshape(shape)
        for name, shape in layout.shapes.items()
    }


def test_pymc_has_the_same_density_and_gradient_to_the_last_digits(layout, model):
    theta = draw_prior(layout, np.random.default_rng(3))
    value, gradient = layout.log_posterior(theta)
    function = model.logp_dlogp_function(
        ravel_inputs=True, mode="FAST_COMPILE"
    )  # without compiling what surrounds ours
    point = on_free_scale(layout, theta)
    flat = np.concatenate([point[v.name].ravel() for v in model.value_vars])
    theirs, slopes = function(flat)
    # two codes for one formula: rounding of sums of some hundred terms
    assert float(theirs) == pytest.approx(value, rel=1e-11)
    np.testing.assert_allclose(slopes, gradient, rtol=1e-8, atol=1e-8)


def test_a_gradient_of_the_gradient_is_refused(model):
    with pytest.raises(RelationError, match="first gradient only"):
        model.d2logp()


def test_starting_values_and_draws_are_the_vector_there_and_back(layout):
    import xarray as xr

    theta = draw_prior(layout, np.random.default_rng(4))
    point = point_of(layout, theta)
    shaped = {
        name: (("chain", "draw", *(f"{name}{k}" for k in range(len(shape)))), point[name].reshape(1, 1, *shape))
        for name, shape in layout.shapes.items()
    }
    # through shares between 0 and 1 and back: rounding grows where a partial correlation is near 1
    np.testing.assert_allclose(vectors_of(layout, xr.Dataset(shaped))[0, 0], theta, atol=1e-9)


def test_what_cannot_be_sampled_is_refused(layout):
    peak = find_peak(layout)
    with pytest.raises(SpecError, match="two or more"):
        sample(layout, peak, chains=1, seed=1)
    broken = Peak(**{**vars(peak), "problem": "no peak"})
    with pytest.raises(RelationError, match="no peak"):
        sample(layout, broken, seed=1)


@pytest.mark.slow
def test_nuts_converges_and_agrees_with_the_quick_way(make_skeleton):
    skeleton = make_skeleton(1)  # 153 areas, 40 indicators, 9 % missing
    rng = np.random.default_rng(101)
    natural = Layout(skeleton, JointPriors()).natural(draw_prior(Layout(skeleton, JointPriors()), rng))
    layout = Layout(skeleton.with_values(draw_figures(natural, skeleton, rng)[1]), JointPriors())
    peak = find_peak(layout)
    posterior = sample(layout, peak, seed=1)
    assert posterior.diagnostics["r_hat"] < 1.01
    assert posterior.diagnostics["divergences"] == 0
    assert posterior.problem == ""
    theta = posterior.draws["theta"].reshape(-1, layout.size)
    quick = peak.draws(4000, rng)
    pairs = np.tril_indices(5, -1)
    sampled = np.array([layout.correlation(t)[pairs] for t in theta])
    near = np.array([layout.correlation(t)[pairs] for t in quick])
    # the limits asked for; Monte Carlo error of a mean is .003, of a ratio of sds .03
    assert np.abs(sampled.mean(0) - near.mean(0)).max() < 0.05
    ratio = near.std(0) / sampled.std(0)
    assert (ratio > 0.8).all()
    assert (ratio < 1.2).all()
    loadings, quickly = layout.loadings(theta), layout.loadings(quick)
    # measured .24 sd at most: what the normal in better coordinates leaves of the skewness
    assert (np.abs(loadings.mean(0) - quickly.mean(0)) / loadings.std(0)).max() < 0.4
