"""The quick way: the normal distribution at the posterior's peak, from the exact gradient alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.structure import Floats

STEP = 1e-5  # of the differences: a gradient good to 1e-10 gives a curvature good to about 1e-5
MAX_DECREMENT = 1e-6  # in units of log density: how far below the peak the point found may be
MAX_CLIMBS = 20


@dataclass(frozen=True, eq=False)
class Peak:
    """The most probable parameters and the curvature there.

    Attributes
    ----------
    theta : array (size,)
        As in :class:`~outcomes_analysis.relations.joint.parameters.Layout`.
    value : float
        Log posterior there.
    root : array (size, size)
        Lower Cholesky factor of the curvature (less the Hessian of the log posterior).
    decrement : float
        How much higher the peak itself is, by the curvature: half the squared Newton step.
    problem : str
        Why nothing may be said from it; empty if something may.
    """

    theta: Floats
    value: float
    root: Floats
    decrement: float
    problem: str

    def draws(self, count: int, rng: np.random.Generator) -> Floats:
        """Draws of the parameters, (count, size)."""
        from scipy.linalg import solve_triangular

        noise = rng.normal(size=(len(self.theta), count))
        return np.asarray(self.theta + solve_triangular(self.root, noise, lower=True, trans="T").T)

    @property
    def covariance(self) -> Floats:
        """Covariance of the parameters on their free scale."""
        inverse = np.linalg.inv(self.root)
        return np.asarray(inverse.T @ inverse)


def curvature(layout: Layout, theta: Floats, gradient: Floats) -> Floats:
    """Less the Hessian of the log posterior, by differences of its exact gradient.

    Parameters
    ----------
    layout : Layout
    theta, gradient : array (size,)
        Where, and the gradient there.

    Returns
    -------
    array (size, size)
        Symmetric.
    """
    size = layout.size
    found = np.empty((size, size))
    for k in range(size):
        moved = theta.copy()
        moved[k] += STEP
        found[k] = (gradient - layout.log_posterior(moved)[1]) / STEP
    return 0.5 * (found + found.T)


def find_peak(layout: Layout, start: Floats | None = None) -> Peak:
    """Climb to the posterior's peak and take its curvature.

    Parameters
    ----------
    layout : Layout
    start : array (size,), optional
        By default the priors' centres.

    Returns
    -------
    Peak
        With ``problem`` set where the climb did not end on a peak.

    Notes
    -----
    L-BFGS, then Newton steps until what is left to climb is below ``MAX_DECREMENT``.
    """
    from scipy.optimize import minimize

    def cost(theta: Floats) -> tuple[float, Floats]:
        value, gradient = layout.log_posterior(theta)
        return -value, -gradient

    options = {"maxiter": 2000, "maxfun": 4000, "maxcor": 30, "gtol": 1e-4, "ftol": 1e-12}
    begin = layout.start() if start is None else start
    theta = np.asarray(minimize(cost, begin, jac=True, method="L-BFGS-B", options=options).x)
    value, gradient = layout.log_posterior(theta)
    problem, decrement = "", np.inf
    root = np.eye(layout.size)
    for _ in range(MAX_CLIMBS):
        try:
            root = np.linalg.cholesky(curvature(layout, theta, gradient))
        except np.linalg.LinAlgError:
            problem = "the climb did not end on a peak (the curvature is not that of one)"
            break
        step = np.linalg.solve(root.T, np.linalg.solve(root, gradient))
        decrement = 0.5 * float(gradient @ step)
        if decrement < MAX_DECREMENT:
            break
        theta, value, gradient = _climbed(layout, theta, step, value)
    if not problem and not decrement < MAX_DECREMENT:
        problem = f"the climb did not end on a peak ({decrement:.2g} of log density left after {MAX_CLIMBS} steps)"
    return Peak(theta=theta, value=value, root=root, decrement=decrement, problem=problem)


def _climbed(layout: Layout, theta: Floats, step: Floats, value: float) -> tuple[Floats, float, Floats]:
    """A Newton step, halved until it does not lead down."""
    share = 1.0
    while True:
        moved = theta + share * step
        found, gradient = layout.log_posterior(moved)
        if found >= value - 1e-9 or share < 1e-3:
            return moved, found, gradient
        share /= 2
