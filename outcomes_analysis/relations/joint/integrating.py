"""The log posterior with deprivation's slopes, the regions' departures and the map's waves integrated out.

At the joint peak of everything these numbers use up freedom as regressors do: the spread of the domain quantities given
them, and with it every loading, comes out too small, the regions' spread too large, and of a map nothing but the map is
left. Given the rest they are exactly normal, so that integrating them out is one determinant,

    log p(rest | y) = max over b of log p(rest, b | y) - 1/2 log |H|,     H = -d² log p / db² (free of b).

Restricted maximum likelihood is the same step (Patterson and Thompson 1971). The joint peak over rest and b of the
right-hand side without the "max" is at the peak of the left, and its curvature has there the marginal one as its Schur
complement: the normal at that peak is the one wanted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes_analysis.relations.joint import lkj
from outcomes_analysis.relations.joint.marginal import Natural, domain_spreads, log_density
from outcomes_analysis.relations.joint.parameters import INTEGRATED, Layout
from outcomes_analysis.relations.joint.structure import Floats


def log_posterior(layout: Layout, theta: Floats) -> tuple[float, Floats]:
    """Log posterior less half the log determinant of H, and its gradient.

    Parameters
    ----------
    layout : Layout
    theta : array (size,)

    Returns
    -------
    (float, array)
        As :meth:`~outcomes_analysis.relations.joint.parameters.Layout.log_posterior`, which it is for a model without
        deprivation, regions and a map.
    """
    found = _curved(layout, theta)
    if found is None:
        return layout.log_posterior(theta)
    return _value(layout, theta, found)


def profiled(layout: Layout, theta: Floats) -> tuple[float, Floats, Floats]:
    """The same with the effects at their peak given the rest: a function of the rest alone.

    Returns
    -------
    (float, array, array)
        Value; gradient, 0 but for rounding where effects stand; the vector with the effects at their peak.
    """
    found = _curved(layout, theta)
    if found is None:
        return *layout.log_posterior(theta), theta
    value, gradient = layout.log_posterior(theta)
    moved = theta.copy()
    if np.isfinite(value) and np.isfinite(found.inverse).all():
        moved[layout.integrated] += found.inverse @ gradient[layout.integrated]
    return *_value(layout, moved, found), moved


def draw_effects(layout: Layout, theta: Floats, rng: np.random.Generator) -> Floats:
    """The vector with its effects drawn from their exact normal given the rest and the figures."""
    found = _curved(layout, theta)
    if found is None:
        return theta
    _, gradient = layout.log_posterior(theta)
    moved = theta.copy()
    step = np.linalg.solve(found.low.T, rng.normal(size=len(layout.integrated)))
    moved[layout.integrated] += found.inverse @ gradient[layout.integrated] + step
    return moved


@dataclass(frozen=True, eq=False)
class _Curved:
    """H, by what makes it up.

    Attributes
    ----------
    log_det : float
        Of H; NaN where it is not positive definite.
    low, inverse : array (effects, effects)
        Cholesky factor of H, and its inverse.
    turn : array (columns, domains, domains)
        What a column's free parameters are multiplied by to give its effects on the domains.
    prior : array (effects,)
        Prior precision of the free parameters.
    precision, left : array (size, size), (areas, size, size)
        Inverse of the covariance of the domain quantities, and that times their covariance given the figures.
    """

    log_det: float
    low: Floats
    inverse: Floats
    turn: Floats
    prior: Floats
    precision: Floats
    left: Floats


def _curved(layout: Layout, theta: Floats) -> _Curved | None:
    """H of the effects; none without effects."""
    from scipy.linalg import lapack

    q = layout.effects.shape[1]
    if not q:
        return None
    s = layout.structure
    n, t, _ = s.shape
    d = len(s.domains)
    natural = layout.natural(theta)
    turn, prior = _turn_and_prior(layout, theta)
    nothing = np.full((q * d, q * d), np.nan)
    spread = domain_spreads(natural, s)
    if not np.isfinite(spread).all():
        return _Curved(np.nan, nothing, nothing, turn, prior, nothing, nothing)
    precision = np.linalg.inv(natural.covariance)
    rs = precision @ spread
    told = precision - rs @ precision  # what an area's figures tell of its expectation
    yearly = told.reshape(n, d, t, d, t).sum(axis=(2, 4)) if t > 1 else told
    data = (layout.crossed.T @ yearly.reshape(n, -1)).reshape(q, q, d, d).transpose(0, 2, 1, 3).reshape(q * d, q * d)
    half = turn.transpose(0, 2, 1) @ data.reshape(q, d, q * d)
    h = (turn.transpose(0, 2, 1) @ half.reshape(q * d, q * d).T.reshape(q, d, q * d)).reshape(q * d, q * d)
    h[np.diag_indices(q * d)] += prior
    low, failed = lapack.dpotrf(h, lower=1, clean=1)
    if failed:
        return _Curved(np.nan, nothing, nothing, turn, prior, precision, rs)
    inverse, _ = lapack.dpotri(low, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    return _Curved(2 * float(np.log(np.diag(low)).sum()), low, inverse, turn, prior, precision, rs)


def _value(layout: Layout, theta: Floats, found: _Curved) -> tuple[float, Floats]:
    if not np.isfinite(found.log_det):
        return -np.inf, np.zeros_like(theta)
    s = layout.structure
    n, t, _ = s.shape
    d, q = len(s.domains), layout.effects.shape[1]
    natural = layout.natural(theta)
    precision, rs = found.precision, found.left
    # gradient of -1/2 log |H| with respect to the information on effects, then area by area
    turned = found.turn @ found.inverse.reshape(q, d, q * d)
    half = -0.5 * (found.turn @ turned.reshape(q * d, q * d).T.reshape(q, d, q * d))
    by_area = (layout.crossed @ half.reshape(q, d, q, d).transpose(0, 2, 1, 3).reshape(q * q, d * d)).reshape(n, d, d)
    if t > 1:
        by_area = np.repeat(np.repeat(by_area, t, axis=1), t, axis=2)
    value, g = log_density(natural, s, pull=rs.transpose(0, 2, 1) @ by_area @ rs)
    if not np.isfinite(value):
        return -np.inf, np.zeros_like(theta)
    kept = np.eye(d * t) - rs
    outer = np.einsum("iab,iac,icd->bd", kept, by_area, kept, optimize=True) if t > 1 else _summed(kept, by_area)
    g_covariance = g.covariance - precision @ outer @ precision
    g = Natural(g.alpha, g.lam, g.psi, g.gam, g.sig, g.mu, g.lasting, g_covariance)
    log_prior, gradient = layout.log_prior(theta)
    gradient += layout.pull_back(theta, natural, g)
    _add_turn(layout, theta, found, gradient)
    return value + log_prior - 0.5 * found.log_det, gradient


def _add_turn(layout: Layout, theta: Floats, found: _Curved, gradient: Floats) -> None:
    """Add the gradient of -1/2 log |H| by way of what the effects' free parameters are multiplied by."""
    s = layout.structure
    d, q = len(s.domains), layout.effects.shape[1]
    if "region" in layout.places:
        start = s.held.shape[1] * d
        inside = slice(start, start + (s.regions - 1) * d)
        moved = -(1 - np.diag(found.inverse) * found.prior)
        gradient[layout.places["region"]] += moved[inside].reshape(-1, d).sum(axis=0)
    if "waves" in layout.places:
        waves = layout.shapes["waves"][0]
        blocks = found.inverse.reshape(q, d, q, d)[np.arange(q - waves, q), :, np.arange(q - waves, q), :]
        moved = -(waves * np.eye(d) - blocks.sum(axis=0))  # times the inverse factor: gradient by the factor itself
        share = 1 - layout.unstructured(theta)
        gradient[layout.places["spatial"]] += 0.5 * (1 - share) * np.trace(moved)
        if "partial" in layout.places:
            g_low = np.linalg.solve(layout.cholesky(theta).T, moved)
            gradient[layout.places["partial"]] += lkj.pull_back(g_low, layout.take(theta, "partial"), d)


def _summed(kept: Floats, by_area: Floats) -> Floats:
    return np.asarray((kept.transpose(0, 2, 1) @ by_area @ kept).sum(axis=0))


def _turn_and_prior(layout: Layout, theta: Floats) -> tuple[Floats, Floats]:
    """What each column's free parameters are multiplied by, and the prior precision of these."""
    d = len(layout.structure.domains)
    tau = np.exp(layout.take(theta, "region")) if "region" in layout.places else np.ones(d)
    kinds = {"held": np.eye(d), "region_z": np.diag(tau)}
    if "waves" in layout.places:
        kinds["waves"] = np.sqrt(1 - layout.unstructured(theta)) * layout.cholesky(theta)
    turn, prior = [], []
    width = 0.0 if layout.priors.flat else layout.priors.kinds()["held"].scale ** -2
    for name in INTEGRATED:
        columns = layout.shapes[name][0] if name in layout.shapes else 0
        turn.append(np.repeat(kinds[name][None], columns, axis=0) if columns else np.zeros((0, d, d)))
        prior.append(np.full(columns * d, width if name == "held" else 1.0))
    return np.concatenate(turn), np.concatenate(prior)
