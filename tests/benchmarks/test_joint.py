"""How long the joint model takes: 153 areas, 40 indicators, five domains, one year, 9 % missing.

Run: ``uv run pytest -m benchmark tests/benchmarks/test_joint.py`` with ``OMP_NUM_THREADS=1``. Compiled code is warm: each is
called once before it is timed. The latent-variable form is the same model with the domain quantities sampled.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from outcomes_analysis.relations.joint.laplace import find_peak
from outcomes_analysis.relations.joint.marginal import domain_draw, log_density
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.priors import JointPriors
from outcomes_analysis.relations.joint.simulating import draw_figures, draw_prior
from outcomes_analysis.relations.joint.structure import Structure

# processor time: what one core needs, whoever else uses the machine
pytestmark = pytest.mark.benchmark(timer=time.process_time)

FIT_SECONDS = 0.3
DRAWS_SECONDS = 1.0
NUTS_SECONDS = 45.0
LEAST_GAIN = 4.0
LATENT_DRAWS, LATENT_TUNE = 300, 500  # of two chains: enough to tell its rate


@pytest.fixture(scope="module")
def layout() -> Layout:
    """Figures of a truth drawn from the priors."""
    rng = np.random.default_rng(1)
    n, j = 153, 40
    values = rng.normal(size=(n, 1, j))
    values[rng.random(values.shape) < 0.09] = np.nan
    skeleton = Structure(
        values=values,
        errors=0.1 + 0.4 * rng.random(values.shape),
        domain=np.arange(j) // 8,
        doublet=np.full(j, -1),
        formative=np.zeros(j, dtype=bool),
        held=rng.normal(size=(n, 1)),
        region=np.arange(n) % 9,
        years=np.array([2024]),
        items=tuple(f"item {k}" for k in range(j)),
        domains=tuple(f"domain {k}" for k in range(5)),
    )
    blank = Layout(skeleton, JointPriors())
    _, drawn = draw_figures(blank.natural(draw_prior(blank, rng)), skeleton, rng)
    return Layout(skeleton.with_values(drawn), JointPriors())


def test_gradient(benchmark, layout):
    natural = layout.natural(layout.start())
    log_density(natural, layout.structure)
    benchmark(log_density, natural, layout.structure)


def test_quick_fit(benchmark, layout):
    assert find_peak(layout).problem == ""
    benchmark.pedantic(find_peak, args=(layout,), rounds=5)
    assert benchmark.stats["min"] <= FIT_SECONDS


def test_a_thousand_draws_of_the_domain_quantities(benchmark, layout):
    rng = np.random.default_rng(0)
    thetas = find_peak(layout).draws(1000, rng)
    noise = rng.normal(size=(153, 5))

    def all_of_them() -> None:
        for theta in thetas:
            domain_draw(layout.natural(theta), layout.structure, noise)

    benchmark.pedantic(all_of_them, rounds=3)
    assert benchmark.stats["min"] <= DRAWS_SECONDS


def effective_draws(posterior: Any) -> float:
    """Fewest effective draws, bulk or tail, of any number."""
    import arviz as az

    return min(
        float(v.min()) for method in ("bulk", "tail") for v in az.ess(posterior, method=method).data_vars.values()
    )


def test_sampling_and_its_gain_over_sampling_the_domain_quantities_too(layout):
    """Both forms by the same sampler, in one run: what a second of sampling is worth.

    The latent form is written as one ordinarily would: non-centred domain quantities as unit normals, loadings and own
    parts as here, the sampler's own tuning. Its priors are those of the model, and it has the better start, at the
    loadings' peak.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from outcomes_analysis.relations.joint.bayes import _cholesky, sample
    from outcomes_analysis.relations.pair.posteriors import quiet

    peak = find_peak(layout)
    sample(layout, peak, draws=5, tune=5, chains=2, seed=1)  # compiles
    start = time.perf_counter()
    ours = sample(layout, peak, draws=1000, chains=4, seed=1)
    wall = time.perf_counter() - start
    assert ours.problem == ""
    gained = min(ours.diagnostics["ess_bulk"], ours.diagnostics["ess_tail"]) / wall

    s, kinds = layout.structure, layout.priors.kinds()
    seen = np.isfinite(s.values[:, 0])
    area, item = np.nonzero(seen)
    with quiet(), pm.Model():
        free = {
            name: pm.Normal(name, 0, 1, shape=shape)
            if name == "region_z"
            else pm.Beta(name, layout.partial_shapes, layout.partial_shapes)
            if name == "partial"
            else pm.Normal(name, kinds[name].centre, kinds[name].scale, shape=shape)
            for name, shape in layout.shapes.items()
        }
        low = _cholesky(free["partial"], 5)
        mean = pt.dot(s.held, free["held"])
        mean += (pt.dot(layout.contrasts, free["region_z"]) * pt.exp(free["region"]))[s.region]
        factors = mean + pm.Normal("z", 0, 1, shape=(153, 5)) @ low.T
        mu = free["level"][0][item] + free["loading"][item] * factors[area, s.domain[item]]
        spread = pt.sqrt(pt.exp(2 * free["own"])[item] + s.errors[:, 0][seen] ** 2)
        pm.Normal("y", mu, spread, observed=s.values[:, 0][seen])
        found = pm.sample(
            LATENT_DRAWS, tune=LATENT_TUNE, chains=2, cores=2, random_seed=1, nuts_sampler="pymc", progressbar=False,
            compute_convergence_checks=False, initvals={"loading": layout.take(peak.theta, "loading")}, init="adapt_diag",
        )  # fmt: skip
    seconds = float(found["posterior"].attrs["sampling_time"])
    theirs = effective_draws(found["posterior"].to_dataset().drop_vars("z")) / seconds
    print(
        f"\nsampled in {wall:.1f} s: {gained:.1f} effective draws a second; domain quantities sampled too, in "
        f"{seconds:.1f} s: {theirs:.2f}; {gained / theirs:.1f} times"
    )
    assert gained >= LEAST_GAIN * theirs
    assert wall <= NUTS_SECONDS
