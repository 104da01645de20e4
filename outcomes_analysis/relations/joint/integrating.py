"""The log posterior with deprivation's slopes and the regions' departures integrated out, for the quick way.

At the joint peak of everything these nine or ten numbers a domain use up freedom as regressors do: the spread of the
domain quantities given them, and with it every loading, comes out too small, and the regions' spread too large. Given
the rest they are exactly normal, so that integrating them out is one determinant,

    log p(rest | y) = max over b of log p(rest, b | y) - 1/2 log |H|,     H = -d² log p / db² (free of b).

Restricted maximum likelihood is the same step (Patterson and Thompson 1971). The joint peak over rest and b of the
right-hand side without the "max" is at the peak of the left, and its curvature has there the marginal one as its Schur
complement: the normal at that peak is the one wanted.
"""

from __future__ import annotations

import numpy as np

from outcomes_analysis.relations.joint.marginal import Natural, domain_spreads, log_density
from outcomes_analysis.relations.joint.parameters import Layout
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
        As :meth:`~outcomes_analysis.relations.joint.parameters.Layout.log_posterior`, which it is for a model with
        neither deprivation nor regions.
    """
    effects = layout.effects
    if not effects.shape[1]:
        return layout.log_posterior(theta)
    s = layout.structure
    n, t, _ = s.shape
    d = len(s.domains)
    natural = layout.natural(theta)
    spread = domain_spreads(natural, s)
    if not np.isfinite(spread).all():
        return -np.inf, np.zeros_like(theta)
    precision = np.linalg.inv(natural.covariance)
    rs = precision @ spread
    told = precision - rs @ precision  # what an area's figures tell of its expectation
    yearly = told.reshape(n, d, t, d, t).sum(axis=(2, 4)) if t > 1 else told
    crossed = (effects[:, :, None] * effects[:, None, :]).reshape(n, -1)
    q = effects.shape[1]
    data = (crossed.T @ yearly.reshape(n, -1)).reshape(q, q, d, d).transpose(0, 2, 1, 3).reshape(q * d, q * d)
    scale, prior = _scale_and_prior(layout, theta)
    h = data * np.outer(scale, scale) + np.diag(prior)
    low = np.linalg.cholesky(h)
    inverse = np.linalg.inv(h)
    half = -0.5 * inverse * np.outer(scale, scale)  # gradient with respect to `data`
    by_area = (crossed @ half.reshape(q, d, q, d).transpose(0, 2, 1, 3).reshape(q * q, d * d)).reshape(n, d, d)
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
    if "region" in layout.places:
        # d/d log tau of -1/2 log |H|; what does not depend on tau is the prior's part
        moved = -(1 - np.diag(inverse) * prior)
        held = len(moved) - (s.regions - 1) * d
        gradient[layout.places["region"]] += moved[held:].reshape(-1, d).sum(axis=0)
    return value + log_prior - float(np.log(np.diag(low)).sum()), gradient


def _summed(kept: Floats, by_area: Floats) -> Floats:
    return np.asarray((kept.transpose(0, 2, 1) @ by_area @ kept).sum(axis=0))


def _scale_and_prior(layout: Layout, theta: Floats) -> tuple[Floats, Floats]:
    """By how much each effect's free parameter is multiplied, and the prior precision of that parameter."""
    d = len(layout.structure.domains)
    covariates = layout.structure.held.shape[1]
    tau = np.exp(layout.take(theta, "region")) if "region" in layout.places else np.ones(d)
    scale = np.concatenate([np.ones(covariates * d), np.tile(tau, layout.structure.regions - 1)])
    width = layout.priors.kinds()["held"].scale
    prior = np.concatenate(
        [np.full(covariates * d, 0.0 if layout.priors.flat else width**-2), np.ones((layout.structure.regions - 1) * d)]
    )
    return scale, prior
