"""Two noisy figures of the same areas: the density of what is seen, with the true values integrated out.

For area i of region r, with child poverty (or another confounder) ``p_i``, all on standard scales::

    x*_i = mu + a_r + gamma p_i + u_i           a_r ~ N(0, omega_x²),  u_i ~ N(0, tau²)
    y*_i = alpha + b_r + beta x*_i + delta p_i + v_i    b_r ~ N(0, omega_y²),  v_i ~ N(0, sigma²)
    x_i  = x*_i + e_i,   y_i = y*_i + f_i       errors of known variance s_i², q_i²

Given its region an area's pair (x, y) is normal in two dimensions: var x = tau² + s², cov = beta tau²,
var y = beta² tau² + sigma² + q². That is the classical model with measurement error of known variance in both
variables (Fuller, Measurement Error Models, 1987, section 1.3 and 3.1). The regions' a and b are normal too and are
integrated out here as well, so that nine numbers are left: a fast second way to the answer that sampling gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from outcomes_analysis.errors import RelationError

Floats = npt.NDArray[np.float64]

LINEAR = ("mu", "gamma", "alpha", "delta", "beta")
SPREADS = ("tau", "sigma", "omega_x", "omega_y")
PARAMETERS = (*LINEAR, *SPREADS)
REPORTED = ("gamma", "delta", "beta", *SPREADS)  # the two overall levels say nothing on a centred scale
# On the standard scale: normal priors of mean 0 for the linear ones, half-normal for the spreads. Reasons: the card.
PRIOR_SCALE = {
    "mu": 1.0,
    "gamma": 1.0,
    "alpha": 1.0,
    "delta": 1.0,
    "beta": 1.0,
    "tau": 1.0,
    "sigma": 1.0,
    "omega_x": 0.5,
    "omega_y": 0.5,
}
LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Pair:
    """Two figures of n areas on a standard scale, with their known errors.

    Attributes
    ----------
    x, y : array (n,)
        Predictor and outcome, centred and divided by the sd seen between areas.
    error_x, error_y : array (n,)
        Standard errors on the same scale; 0 for a figure taken to be exact.
    held : array (n,)
        The confounder, centred and scaled; zeros allow for nothing.
    region : array of int (n,)
        Number of each area's region, from 0.
    """

    x: Floats
    y: Floats
    error_x: Floats
    error_y: Floats
    held: Floats
    region: npt.NDArray[np.intp]

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return int(self.region.max()) + 1

    def without_errors(self) -> Pair:
        """The same figures taken to be exact."""
        zeros = np.zeros_like(self.x)
        return replace(self, error_x=zeros, error_y=zeros)


def log_marginal(theta: Floats, pair: Pair) -> float:
    """Log density of the figures given nine parameters; true values and regions integrated out.

    Parameters
    ----------
    theta : array (9,)
        In the order of ``PARAMETERS``; the four spreads as logarithms.
    pair : Pair

    Returns
    -------
    float

    Notes
    -----
    An area's residuals, x and then y given x, are independent with variances ``vx`` and ``v``; a region moves them by
    ``a`` and ``g a + b``. Completing the square in (a, b) leaves a 2 x 2 system a region.
    """
    mu, gamma, alpha, delta, beta = theta[:5]
    tau2, sigma2 = np.exp(2 * theta[5]), np.exp(2 * theta[6])
    omega2 = np.exp(2 * theta[7:9])
    expected = mu + gamma * pair.held
    vx = tau2 + pair.error_x**2
    share = beta * tau2 / vx  # slope of y on the x that is seen
    v = beta**2 * tau2 + sigma2 + pair.error_y**2 - share * beta * tau2
    first = pair.x - expected
    second = pair.y - alpha - beta * expected - delta * pair.held - share * first
    g = beta - share

    def by_region(values: Floats) -> Floats:
        return np.bincount(pair.region, weights=values, minlength=pair.regions)

    q11 = by_region(1 / vx + g**2 / v) + 1 / omega2[0]
    q12 = by_region(g / v)
    q22 = by_region(1 / v) + 1 / omega2[1]
    h1 = by_region(first / vx + g * second / v)
    h2 = by_region(second / v)
    determinant = q11 * q22 - q12**2
    square = (q22 * h1**2 - 2 * q12 * h1 * h2 + q11 * h2**2) / determinant
    areas = -0.5 * np.sum(2 * LOG_2PI + np.log(vx) + np.log(v) + first**2 / vx + second**2 / v)
    regions = 0.5 * np.sum(square - np.log(determinant)) - 0.5 * pair.regions * np.sum(np.log(omega2))
    return float(areas + regions)


def log_prior(theta: Floats) -> float:
    """Log prior density of ``theta``, that of the logarithms of the spreads included."""
    scale = np.array([PRIOR_SCALE[name] for name in PARAMETERS])
    linear = -0.5 * (theta[:5] / scale[:5]) ** 2 - np.log(scale[:5]) - 0.5 * LOG_2PI
    spread = np.log(2) - 0.5 * (np.exp(theta[5:]) / scale[5:]) ** 2 - np.log(scale[5:]) - 0.5 * LOG_2PI + theta[5:]
    return float(np.sum(linear) + np.sum(spread))


@dataclass(frozen=True, eq=False)
class Peak:
    """The most probable parameters and the curvature there.

    Attributes
    ----------
    theta : array (9,)
        As in ``log_marginal``.
    covariance : array (9, 9)
        Inverse of the curvature: that of the normal which the posterior resembles near its top.
    """

    theta: Floats
    covariance: Floats

    def value(self, name: str) -> float:
        """One parameter, a spread brought back from its logarithm."""
        raw = float(self.theta[PARAMETERS.index(name)])
        return float(np.exp(raw)) if name in SPREADS else raw

    def error(self, name: str) -> float:
        """Standard deviation of one of the linear parameters."""
        place = LINEAR.index(name)
        return float(np.sqrt(self.covariance[place, place]))


def find_peak(pair: Pair) -> Peak:
    """Maximise the posterior and take its curvature (Laplace's approximation), in a few hundredths of a second.

    Raises
    ------
    RelationError
        If the climb does not end on a peak.
    """
    from scipy.optimize import minimize

    def cost(theta: Floats) -> float:
        return -log_marginal(theta, pair) - log_prior(theta)

    start = np.array([0.0, 0.0, 0.0, 0.0, 0.0, np.log(0.7), np.log(0.7), np.log(0.3), np.log(0.3)])
    found = minimize(cost, start, method="BFGS", options={"gtol": 1e-4})
    curvature = _curvature(cost, found.x)
    # Differences of a cost near 300 are good to about 1e-6 of a gradient; a line search that stalls there has arrived.
    if np.abs(found.jac).max() > 1e-2 or np.linalg.eigvalsh(curvature).min() <= 0:
        message = (
            f"The model of {len(pair.x)} areas has no clear most probable answer "
            f"(gradient {np.abs(found.jac).max():.2g}). Use method='nuts', or look for a figure that hardly varies."
        )
        raise RelationError(message)
    return Peak(theta=found.x, covariance=np.linalg.inv(curvature))


def _curvature(cost: object, at: Floats, step: float = 1e-3) -> Floats:
    """Second derivatives by central differences; a step of 1e-3 keeps rounding below 1e-6 of a unit curvature."""
    assert callable(cost)
    n = len(at)
    steps = step * np.eye(n)
    result = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            both, apart = steps[i] + steps[j], steps[i] - steps[j]
            change = cost(at + both) - cost(at + apart) - cost(at - apart) + cost(at - both)
            result[i, j] = result[j, i] = change / (4 * step**2)
    return result


def draws_near_peak(pair: Pair, *, draws: int, chains: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw parameters from the normal at the peak.

    Parameters
    ----------
    pair : Pair
    draws, chains : int
        Shape of what comes back; the chains are independent.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to array (chains, draws)
        One for each of ``REPORTED``, in their own units.
    """
    peak = find_peak(pair)
    drawn = rng.multivariate_normal(peak.theta, peak.covariance, size=(chains, draws), method="cholesky")
    drawn[..., 5:] = np.exp(drawn[..., 5:])
    return {name: drawn[..., PARAMETERS.index(name)] for name in REPORTED}


def partial_correlation(draws: dict[str, Floats]) -> Floats:
    """Correlation of the two true values within regions with the confounder allowed for, draw by draw."""
    shared = draws["beta"] * draws["tau"]
    return shared / np.hypot(shared, draws["sigma"])


def noise_share(variance: Floats, error: Floats) -> Floats:
    """Mean share of error in what differs between areas of one region and level of the confounder, draw by draw.

    Parameters
    ----------
    variance : array (...)
        Of the true values given region and confounder.
    error : array (n,)
        Standard errors of the areas.

    Returns
    -------
    array (...)
        Between 0 and 1: one less the reliability, at the mean error variance.
    """
    noise = float(np.mean(error**2))
    return noise / (noise + variance)
