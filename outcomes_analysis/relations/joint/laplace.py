"""The quick way: the normal distribution at the posterior's peak, from the exact gradient alone.

In coordinates in which that is a good description (``coordinates.py``) and with regression effects integrated out
(``integrating.py``); checked against sampling and by simulated truths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcomes_analysis.errors import several
from outcomes_analysis.relations.joint.coordinates import Coordinates
from outcomes_analysis.relations.joint.integrating import log_posterior, profiled
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.structure import Floats, Ints

Target = Callable[[Floats], tuple[float, Floats]]

STEP = 1e-5  # of the differences: a gradient good to 1e-10 gives a curvature good to about 1e-5
MAX_DECREMENT = 1e-6  # in units of log density: how far below the peak the point found may be
# About what the sd of each kind of parameter comes to with some 150 areas: lengths to climb by, nothing else.
ROUGH = {
    "level": 0.06, "loading": 0.07, "own": 0.07, "shared": 0.1, "stays": 0.1, "spread": 0.07, "held": 0.1,
    "region": 0.3, "region_z": 0.6, "partial": 0.2, "lasting": 0.2, "spatial": 0.5, "waves": 0.8,
}  # fmt: skip
MEMORY = 20  # steps remembered by L-BFGS
MAX_ITERATIONS = 3000
MAX_CLIMBS = 20
SURE_OF_SIGN = 4.6  # log of 100: the fit upside down is at most a hundredth as likely
RECOMPUTE = 6  # Newton steps with one curvature before it is taken anew


@dataclass(frozen=True, eq=False)
class Peak:
    """The most probable parameters and the curvature there.

    Attributes
    ----------
    layout : Layout
    coordinates : Coordinates
        In which the posterior is taken to be normal.
    eta : array (size,)
        The peak in these coordinates.
    value : float
        Log posterior there.
    root : array (size, size)
        Lower Cholesky factor of the curvature (less the Hessian of the log posterior).
    decrement : float
        How much higher the peak itself is, by the curvature: half the squared Newton step.
    problem : str
        Why nothing may be said from it; empty if something may.
    """

    layout: Layout
    coordinates: Coordinates
    eta: Floats
    value: float
    root: Floats
    decrement: float
    problem: str

    @property
    def theta(self) -> Floats:
        """The parameters at the peak."""
        return self.coordinates.to_vector(self.eta)

    def draws(self, count: int, rng: np.random.Generator) -> Floats:
        """Draws of the parameters, (count, size)."""
        from scipy.linalg import solve_triangular

        noise = rng.normal(size=(len(self.eta), count))
        eta = self.eta + solve_triangular(self.root, noise, lower=True, trans="T").T
        return self.coordinates.to_vector(eta)

    @property
    def covariance(self) -> Floats:
        """Covariance of the parameters on their free scale, to first order in their spread."""
        inverse = np.linalg.inv(self.root)
        identity = np.eye(len(self.eta))
        turn = np.array([(self.coordinates.to_vector(self.eta + STEP * e) - self.theta) / STEP for e in identity]).T
        return np.asarray(turn @ inverse.T @ inverse @ turn.T)


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
    L-BFGS, first on the parameters and then in the coordinates they suggest; Newton steps until what is left to climb
    is below ``MAX_DECREMENT``.
    """
    begin = layout.start() if start is None else start
    flat = layout.without_map()
    theta, _ = _climb(flat.log_posterior, begin[layout.off_the_map], rough=_rough(flat), tolerance=1.0)
    for domain in np.flatnonzero(flat.sureness_of_sign(theta) < 0):
        theta = flat.turned(theta, int(domain))  # as good a fit to the figures, and likelier by the prior
    begin = begin.copy()
    begin[layout.off_the_map] = theta
    # the likelihood's maximum is the same in all coordinates, and volume is no part of it
    coordinates = Coordinates((), ()) if layout.priors.flat else Coordinates.about(layout, begin)

    def target(eta: Floats) -> tuple[float, Floats]:
        moved = coordinates.to_vector(eta)
        value, gradient = log_posterior(layout, moved)
        return value + coordinates.log_volume(eta), coordinates.pull_back(eta, moved, gradient)

    def of_the_rest(eta: Floats) -> tuple[float, Floats]:
        value, gradient, moved = profiled(layout, coordinates.to_vector(eta))
        return value + coordinates.log_volume(eta), coordinates.pull_back(eta, moved, gradient)

    def plain(eta: Floats) -> tuple[float, Floats]:
        moved = coordinates.to_vector(eta)
        value, gradient = layout.log_posterior(moved)
        return value + coordinates.log_volume(eta), coordinates.pull_back(eta, moved, gradient)

    eta, finite = _climb(of_the_rest, coordinates.of_vector(begin), rough=_rough(layout), tolerance=0.01)
    if not finite:
        return Peak(layout, coordinates, eta, -np.inf, np.eye(layout.size), np.inf, "the density could not be computed")
    eta = coordinates.of_vector(profiled(layout, coordinates.to_vector(eta))[2])
    return _polished(target, plain, eta, layout, coordinates)


def _rough(layout: Layout) -> Floats:
    rough = np.ones(layout.size)
    for name, place in layout.places.items():
        rough[place] = ROUGH[name]
    return rough


def _climb(target: Target, start: Floats, *, rough: Floats, tolerance: float) -> tuple[Floats, bool]:
    """Climb until the slope, counted per rough sd, is nowhere above ``tolerance``, or as far as it goes.

    L-BFGS in a few lines: the library's may spend ten times longer between two evaluations than on them.
    """
    x = start
    value, gradient = target(x)
    memory: deque[tuple[Floats, Floats]] = deque(maxlen=MEMORY)
    for _ in range(MAX_ITERATIONS):
        steepest = float(np.abs(gradient * rough).max())
        if not np.isfinite(value) or steepest < tolerance:
            break
        direction = _two_loops(gradient, memory, rough)
        slope = float(direction @ gradient)
        share = 1.0 if memory else min(1.0, 5.0 / steepest)
        while True:
            moved = x + share * direction
            found, new = target(moved)
            if found >= value + 1e-4 * share * slope or share < 1e-10:
                break
            share /= 4
        if share < 1e-10:
            break
        step, bend = moved - x, gradient - new
        if float(step @ bend) > 1e-10 * float(step @ step):
            memory.append((step, bend))
        x, value, gradient = moved, found, new
    return x, bool(np.isfinite(value))


def _two_loops(gradient: Floats, memory: deque[tuple[Floats, Floats]], rough: Floats) -> Floats:
    """Direction of the quasi-Newton step (Nocedal 1980)."""
    q = gradient.copy()
    shares = []
    for step, bend in reversed(memory):
        share = float(step @ q) / float(step @ bend)
        q -= share * bend
        shares.append(share)
    q *= rough**2
    if memory:
        step, bend = memory[-1]
        q *= float(step @ bend) / float((rough * bend) @ (rough * bend))
    for (step, bend), share in zip(memory, reversed(shares), strict=True):
        q += (share - float(bend @ q) / float(step @ bend)) * step
    return q


def _polished(target: Target, plain: Target, eta: Floats, layout: Layout, coordinates: Coordinates) -> Peak:
    """Newton steps to the peak, and the curvature near enough to it."""
    value, gradient = target(eta)
    problem, decrement = "", np.inf
    root = np.eye(len(eta))
    for attempt in range(MAX_CLIMBS):
        if attempt % RECOMPUTE == 0:
            try:
                bend = curvature(target, eta, gradient, plain=plain, where=layout.not_in_h)
                root = np.linalg.cholesky(bend)
            except np.linalg.LinAlgError:
                problem = "the climb did not end on a peak (the curvature is not that of one)"
                break
        step = np.linalg.solve(root.T, np.linalg.solve(root, gradient))
        decrement = 0.5 * float(gradient @ step)
        if decrement < MAX_DECREMENT:
            break
        eta, value, gradient = _stepped(target, eta, step, value)
    if not problem and not decrement < MAX_DECREMENT:
        problem = f"the climb did not end on a peak ({decrement:.2g} of log density left after {MAX_CLIMBS} steps)"
    return Peak(
        layout, coordinates, eta, value, root, decrement, problem or upside_down(layout, coordinates.to_vector(eta))
    )


def upside_down(layout: Layout, theta: Floats) -> str:
    """Why up cannot be told from down in some domain; empty if it can."""
    unsure = layout.sureness_of_sign(theta) < SURE_OF_SIGN
    if layout.priors.flat or not unsure.any():
        return ""
    names = several(name for name, u in zip(layout.structure.domains, unsure, strict=True) if u)
    return f"the indicators of {names} point both ways about equally: which way is up cannot be told"


def curvature(
    target: Target, at: Floats, gradient: Floats, *, plain: Target | None = None, where: Ints | None = None
) -> Floats:
    """Less the second derivatives of a function, by differences of its exact gradient.

    Parameters
    ----------
    target : callable
        Gives value and gradient.
    at, gradient : array (size,)
        Where, and the gradient there.
    plain : callable, optional
        Another function, quicker to work out, from which the first differs by something that does not depend on the
        numbers at ``where``.
    where : array of int, optional

    Returns
    -------
    array (size, size)
        Symmetric.
    """
    found = np.empty((len(at), len(at)))
    quick = np.zeros(len(at), dtype=bool)
    here = gradient
    if plain is not None and where is not None:
        quick[where] = True
        here = plain(at)[1]
    for k in range(len(at)):
        moved = at.copy()
        moved[k] += STEP
        if quick[k]:
            assert plain is not None
            found[k] = (here - plain(moved)[1]) / STEP
        else:
            found[k] = (gradient - target(moved)[1]) / STEP
    return 0.5 * (found + found.T)


def _stepped(target: Target, eta: Floats, step: Floats, value: float) -> tuple[Floats, float, Floats]:
    """A Newton step, halved until it does not lead down."""
    share = 1.0
    while True:
        moved = eta + share * step
        found, gradient = target(moved)
        if found >= value - 1e-9 or share < 1e-3:
            return moved, found, gradient
        share /= 2
