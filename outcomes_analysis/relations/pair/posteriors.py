"""Draws from the posterior of two noisy figures: by NUTS in PyMC, or near the peak; and whether they can be trusted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from outcomes_analysis.errors import SpecError
from outcomes_analysis.relations.pair.latent_pair import (
    PRIOR_SCALE,
    REPORTED,
    SPREADS,
    Floats,
    Pair,
    draws_near_peak,
)
from outcomes_analysis.wording import plural

Method = Literal["nuts", "laplace"]
METHODS: tuple[Method, ...] = get_args(Method)
# Named, for PyMC would else take whichever it finds installed, and two machines would give two answers.
SAMPLER: Literal["pymc", "nutpie"] = "pymc"
TARGET_ACCEPT = 0.95  # region spreads near 0 make a narrow neck; small steps get through it
MAX_R_HAT = 1.01
MIN_ESS = 400.0  # Vehtari et al. 2021: both limits


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the parameters and how the sampling went.

    Attributes
    ----------
    draws : dict of str to array (chains, draws)
        One for each of ``latent_pair.REPORTED``; spreads as themselves.
    diagnostics : dict
        ``method, sampler, draws, tune, chains, seed``; for NUTS also ``r_hat`` (largest), ``ess_bulk, ess_tail``
        (smallest, of every sampled number) and ``divergences``.
    """

    draws: dict[str, Floats]
    diagnostics: dict[str, Any]

    @property
    def problem(self) -> str:
        """Why nothing may be said from these draws; empty if something may."""
        found = self.diagnostics
        if found["method"] != "nuts":
            return ""
        problems = []
        # written so that a value that is not a number fails
        if not found["r_hat"] <= MAX_R_HAT:
            problems.append(f"chains disagree (R-hat {found['r_hat']:.3f}, at most {MAX_R_HAT} is allowed)")
        ess = min(found["ess_bulk"], found["ess_tail"])
        if not ess >= MIN_ESS:
            problems.append(f"too few independent draws ({ess:.0f}, at least {MIN_ESS:.0f} are needed)")
        if found["divergences"] > 0:
            problems.append(plural(found["divergences"], "divergence", "divergences"))
        return "; ".join(problems)


def model_of(pair: Pair) -> Any:
    """Write the model in PyMC: true values integrated out, region intercepts pooled and non-centred.

    Returns
    -------
    pymc.Model
        Two observed normals: ``x``, and ``y`` given ``x``.
    """
    import pymc as pm

    with pm.Model(coords={"region": range(pair.regions), "area": range(len(pair.x))}) as model:
        gamma, delta, beta = (pm.Normal(name, 0, PRIOR_SCALE[name]) for name in ("gamma", "delta", "beta"))
        tau, sigma, omega_x, omega_y = (pm.HalfNormal(name, PRIOR_SCALE[name]) for name in SPREADS)
        level_x = _region_levels("x", scale=PRIOR_SCALE["mu"], omega=omega_x, regions=pair.regions)
        level_y = _region_levels("y", scale=PRIOR_SCALE["alpha"], omega=omega_y, regions=pair.regions)
        expected = level_x[pair.region] + gamma * pair.held
        vx = tau**2 + pair.error_x**2
        share = beta * tau**2 / vx
        v = beta**2 * tau**2 * (pair.error_x**2 / vx) + sigma**2 + pair.error_y**2
        pm.Normal("x", expected, pm.math.sqrt(vx), observed=pair.x, dims="area")
        mean_y = level_y[pair.region] + beta * expected + delta * pair.held + share * (pair.x - expected)
        pm.Normal("y", mean_y, pm.math.sqrt(v), observed=pair.y, dims="area")
    return model


def _region_levels(name: str, *, scale: float, omega: Any, regions: int) -> Any:
    """Intercepts of the regions: N(0, scale²) in common plus N(0, omega²) each, written so that NUTS mixes well.

    The mean of the regions' own parts is moved into the common one, which leaves the distribution as it was: the mean
    of ``regions`` draws from N(0, omega²) is N(0, omega²/regions), and independent of the distances from it.
    """
    import pymc as pm

    common = pm.Normal(f"mean_{name}", 0, 1) * pm.math.sqrt(scale**2 + omega**2 / regions)
    return common + omega * pm.ZeroSumNormal(f"z_{name}", dims="region")


def sample_posterior(
    pair: Pair, *, draws: int = 2000, tune: int = 1000, chains: int = 2, seed: int, method: Method = "nuts"
) -> Posterior:
    """Draw from the posterior.

    Parameters
    ----------
    pair : Pair
    draws, tune, chains : int
        Kept draws a chain, draws spent on tuning, and chains (2 or more for NUTS).
    seed : int
        The same seed gives the same draws, however many cores there are.
    method : {"nuts", "laplace"}
        ``laplace`` draws from the normal at the posterior's peak: quick, and too narrow where a spread is near 0.

    Returns
    -------
    Posterior

    Raises
    ------
    SpecError
        For an unknown method or too few chains.
    """
    if method not in METHODS:
        message = f"method '{method}' is not known; choose one of {', '.join(METHODS)}."
        raise SpecError(message)
    settings = {"method": method, "draws": draws, "chains": chains, "seed": seed}
    if method == "laplace":
        found = draws_near_peak(pair, draws=draws, chains=chains, rng=np.random.default_rng(seed))
        return Posterior(draws=found, diagnostics={**settings, "sampler": "normal at the peak", "tune": 0})
    if chains < 2:
        message = f"chains={chains}: whether chains agree can only be told from two or more."
        raise SpecError(message)
    return _by_nuts(pair, settings={**settings, "sampler": SAMPLER, "tune": tune})


def _by_nuts(pair: Pair, *, settings: dict[str, Any]) -> Posterior:
    import arviz as az
    import pymc as pm

    with quiet():
        sampled = pm.sample(
            settings["draws"],
            tune=settings["tune"],
            chains=settings["chains"],
            cores=1,  # starting a second process takes longer than the sampling
            random_seed=settings["seed"],
            nuts_sampler=SAMPLER,
            target_accept=TARGET_ACCEPT,
            progressbar=False,
            compute_convergence_checks=False,  # ours are stricter, and withhold
            model=model_of(pair),
        )
    posterior = sampled["posterior"].to_dataset()
    extremes = {
        "r_hat": max(float(v.max()) for v in az.rhat(posterior).data_vars.values()),
        "ess_bulk": min(float(v.min()) for v in az.ess(posterior, method="bulk").data_vars.values()),
        "ess_tail": min(float(v.min()) for v in az.ess(posterior, method="tail").data_vars.values()),
        "divergences": int(sampled["sample_stats"]["diverging"].sum()),
    }
    draws = {name: posterior[name].transpose("chain", "draw").to_numpy() for name in REPORTED}
    return Posterior(draws=draws, diagnostics={**settings, **extremes})


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the sampler's running commentary off the screen; what matters of it is in the diagnostics."""
    logger = logging.getLogger("pymc")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
