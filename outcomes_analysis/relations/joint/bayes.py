"""The model written in PyMC, and draws from its posterior by NUTS.

The sampler is PyMC's own: nutpie's took as many steps for as many effective draws, from one process (ARCHITECTURE.md).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from outcomes_analysis.errors import RelationError, SpecError
from outcomes_analysis.relations.joint import lkj
from outcomes_analysis.relations.joint.laplace import Peak
from outcomes_analysis.relations.joint.parameters import UNIT, Layout
from outcomes_analysis.relations.joint.structure import Floats
from outcomes_analysis.relations.pair.posteriors import Posterior, quiet

# our own checks of convergence are stricter, and withhold
SILENT: dict[str, Any] = {"progressbar": False, "compute_convergence_checks": False}
TARGET_ACCEPT = 0.95  # at .8 one draw in some thousand diverged where a region spread is near 0


def model_of(layout: Layout) -> Any:
    """Write the model in PyMC, domain quantities integrated out.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    pymc.Model
        One free variable a kind of the layout, on its free scale (partial correlations as shares between 0 and 1), and
        the figures' density as a potential.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from outcomes_analysis.relations.joint.density_op import marginal_density

    s, kinds = layout.structure, layout.priors.kinds()
    _, t, j = s.shape
    d = len(s.domains)
    with pm.Model() as model:
        free: dict[str, Any] = {}
        for name, shape in layout.shapes.items():
            if name == "partial":
                free[name] = pm.Beta(name, layout.partial_shapes, layout.partial_shapes)
            elif name in UNIT:
                free[name] = pm.Normal(name, 0, 1, shape=shape)
            else:
                free[name] = pm.Normal(name, kinds[name].centre, kinds[name].scale, shape=shape)
        reflective, formative = np.flatnonzero(~s.formative), np.flatnonzero(s.formative)
        lam = _placed(j, reflective, free.get("loading"))
        psi = _placed(j, reflective, pt.exp(free["own"]) if "own" in free else None)
        sig = _placed(j, reflective, pt.exp(free["stays"]) if "stays" in free else None)
        if len(formative):
            lam = pt.set_subtensor(lam[formative], pt.exp(free["spread"]))
        gam: Any = pt.zeros(j)
        if "shared" in free:
            inside = np.flatnonzero(layout.shared_index >= 0)
            gam = pt.set_subtensor(gam[inside], pt.exp(free["shared"])[layout.shared_index[inside]])
        low = _cholesky(free["partial"], d) if "partial" in free else pt.eye(d)
        covariance, lasting = low @ low.T, pt.ones((1, 1))
        if "lasting" in free:
            lasting = pm.math.invlogit(free["lasting"][0]) ** s.gaps
            covariance = (covariance[:, None, :, None] * lasting[None, :, None, :]).reshape((d * t, d * t))
        mean = pt.dot(s.held, free["held"]) if "held" in free else pt.zeros((s.shape[0], d))
        if "region" in free:
            effects = pt.dot(layout.contrasts, free["region_z"]) * pt.exp(free["region"])
            mean = mean + effects[s.region]
        if s.basis is not None:
            share = pm.math.invlogit(free["spatial"][0])
            mean = mean + pt.sqrt(share) * pt.dot(s.basis, free["waves"]) @ low.T
            covariance = covariance * (1 - share)
        mu = mean if t == 1 else pt.repeat(mean, t, axis=1)
        pm.Potential("figures", marginal_density(s, [free["level"], lam, psi, gam, sig, mu, lasting, covariance]))
    return model


def _placed(items: int, places: Any, values: Any) -> Any:
    """Values in their items' places, zeros elsewhere; as they are if they fill every place."""
    import pytensor.tensor as pt

    if values is None:
        return pt.zeros(items)
    return values if len(places) == items else pt.set_subtensor(pt.zeros(items)[places], values)


def _cholesky(share: Any, n: int) -> Any:
    """As :func:`~outcomes_analysis.relations.joint.lkj.cholesky`, from shares ``(1 + partial) / 2``."""
    import pytensor.tensor as pt

    rows, columns = lkj.pairs(n)
    partial = 2 * share - 1
    entries = pt.set_subtensor(pt.eye(n)[rows, columns], partial)
    root = pt.set_subtensor(pt.ones((n, n))[rows, columns + 1], pt.sqrt(1 - partial**2))
    return entries * pt.cumprod(root, axis=1)


def point_of(layout: Layout, theta: Floats) -> dict[str, Floats]:
    """The vector of parameters as PyMC's starting values."""
    found = {name: layout.take(theta, name) for name in layout.shapes}
    if "partial" in found:
        found["partial"] = 1 / (1 + np.exp(-found["partial"]))
    return found


def vectors_of(layout: Layout, posterior: Any) -> Floats:
    """Draws that PyMC gave back, as vectors, (chains, draws, size)."""
    parts = []
    for name in layout.shapes:
        values = posterior[name].to_numpy()
        if name == "partial":
            values = np.log(values) - np.log1p(-values)
        parts.append(values.reshape(*values.shape[:2], -1))
    return np.concatenate(parts, axis=-1)


def sample(
    layout: Layout,
    peak: Peak,
    *,
    draws: int | None = None,
    tune: int | None = None,
    chains: int = 4,
    seed: int,
    cores: int | None = None,
) -> Posterior:
    """Draw from the posterior by NUTS, setting out from the peak.

    Parameters
    ----------
    layout : Layout
        With proper priors.
    peak : Peak
        Its covariance is the sampler's yardstick, so that tuning need only find a step; chains begin at draws from it.
    draws, tune : int, optional
        Kept draws a chain, and draws spent on tuning; by default 1,000 and 400, or 500 and 200 for several years and on
        the map, where draws are near independent.
    chains : int
    seed : int
        The same seed gives the same draws, however many cores there are.
    cores : int, optional
        Processes; as many as there are, at most 4, if not given.

    Returns
    -------
    Posterior
        ``draws["theta"]``: (chains, draws, size), as in the layout.

    Raises
    ------
    RelationError
        If the peak is none: there is nowhere to set out from.
    SpecError
        For fewer than two chains.
    """
    import arviz as az

    if peak.problem:
        message = f"No sampling without a place to begin: {peak.problem}."
        raise RelationError(message)
    if chains < 2:
        message = f"chains={chains}: whether chains agree can only be told from two or more."
        raise SpecError(message)
    several = layout.structure.shape[1] > 1 or layout.structure.basis is not None
    draw = _draw_rest if several else _draw_all
    draws = draws or (500 if several else 1000)
    tune = tune or (200 if several else 400)
    asked = {"draws": draws, "tune": tune, "chains": chains, "random_seed": seed}
    asked["cores"] = cores if cores is not None else max(1, min(4, chains, os.cpu_count() or 1))
    sampled, vectors = draw(layout, peak, asked)
    posterior = sampled["posterior"].to_dataset()
    diagnostics = {
        "method": "nuts",
        "sampler": "pymc",
        "draws": draws,
        "tune": tune,
        "chains": chains,
        "seed": seed,
        "r_hat": max(float(v.max()) for v in az.rhat(posterior).data_vars.values()),
        "ess_bulk": min(float(v.min()) for v in az.ess(posterior, method="bulk").data_vars.values()),
        "ess_tail": min(float(v.min()) for v in az.ess(posterior, method="tail").data_vars.values()),
        "divergences": int(sampled["sample_stats"]["diverging"].sum()),
    }
    return Posterior(draws={"theta": vectors}, diagnostics=diagnostics)


def _draw_all(layout: Layout, peak: Peak, asked: dict[str, Any]) -> tuple[Any, Floats]:
    """Everything sampled; what PyMC gave back, and the vectors."""
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialFull

    rng = np.random.default_rng(asked["random_seed"])
    with quiet(), model_of(layout):
        step = pm.NUTS(potential=QuadPotentialFull(peak.covariance), target_accept=TARGET_ACCEPT)
        begin = [point_of(layout, theta) for theta in peak.draws(asked["chains"], rng)]
        sampled = pm.sample(step=step, initvals=begin, **asked, **SILENT)
    return sampled, vectors_of(layout, sampled["posterior"].to_dataset())


def _draw_rest(layout: Layout, peak: Peak, asked: dict[str, Any]) -> tuple[Any, Floats]:
    """What is not exactly normal sampled, the effects drawn given it."""
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialDiag

    from outcomes_analysis.relations.joint.collapsing import Rest, model_of_the_rest

    rng, rest = np.random.default_rng(asked["random_seed"]), Rest(peak)
    size = len(rest.places)
    with quiet(), model_of_the_rest(rest):
        # nothing around the density is worth compiling
        step = pm.NUTS(
            potential=QuadPotentialDiag(np.ones(size)), step_scale=size**0.25, compile_kwargs={"mode": "FAST_COMPILE"}
        )
        begin = [{"z": rng.normal(size=size)} for _ in range(asked["chains"])]
        sampled = pm.sample(step=step, initvals=begin, compile_kwargs={"mode": "FAST_COMPILE"}, **asked, **SILENT)
    steps = sampled["posterior"]["z"].to_numpy()
    return sampled, np.array([[rest.whole(z, rng) for z in chain] for chain in steps])
