"""From draws of the parameters to what is reported: correlations, loadings, domain quantities, priors beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from outcomes_analysis.relations.joint.marginal import domain_draw
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.result import QUANTILES
from outcomes_analysis.relations.joint.simulating import draw_prior
from outcomes_analysis.relations.joint.structure import Floats

FACTOR_DRAWS = 1000  # of a domain quantity: Monte Carlo error of a 5 % quantile is .07 of its sd


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws of what is reported.

    Attributes
    ----------
    given : array (draws, domains, domains)
        Correlations given deprivation and region.
    raw : array (some draws, domains, domains)
        Correlations of the drawn domain quantities over these areas, with nothing allowed for. Not those that regions'
        and deprivation's effects imply: drawn towards 0 domain by domain, these would make them too weak.
    quantities : array (some draws, areas, years, domains)
        Domain quantities in standard deviations between these areas, mean 0, higher = better.
    loadings : array (draws, items)
        On the domain in sds between areas, so that an item's loading is its correlation with the domain if exact.
    """

    given: Floats
    raw: Floats
    quantities: Floats
    loadings: Floats

    @property
    def given_links(self) -> Floats:
        """Correlations with all other domains allowed for, given deprivation and region; in the shape of ``given``."""
        return partial_correlations(self.given)

    @property
    def raw_links(self) -> Floats:
        """Correlations with all other domains allowed for; in the shape of ``raw``."""
        return partial_correlations(self.raw)


def drawn_from(layout: Layout, thetas: Floats, rng: np.random.Generator) -> Drawn:
    """Work out every reported quantity, draw by draw.

    Parameters
    ----------
    layout : Layout
    thetas : array (draws, size)
    rng : numpy.random.Generator
        For the domain quantities, drawn from their exact distribution given the parameters.

    Returns
    -------
    Drawn
    """
    s = layout.structure
    n, t, _ = s.shape
    d = len(s.domains)
    given = np.array([layout.correlation(theta) for theta in thetas])
    spread = np.empty((len(thetas), d))
    quantities: list[Floats] = []
    every = max(1, len(thetas) // FACTOR_DRAWS)
    for theta in thetas[::every][:FACTOR_DRAWS]:
        noise = rng.normal(size=(n, d * t))
        factors = domain_draw(layout.natural(theta), s, noise).reshape(n, d, t).transpose(0, 2, 1)
        quantities.append((factors - factors.mean(axis=(0, 1))) / factors.std(axis=(0, 1), ddof=1))
    found = np.array(quantities)
    flat = found.reshape(len(found), n * t, d)
    raw = flat.transpose(0, 2, 1) @ flat / (n * t - 1)
    for k, theta in enumerate(thetas):
        between = np.cov(layout.expected(theta).T).reshape(d, d) + given[k] * layout.unstructured(theta)
        spread[k] = np.sqrt(np.diag(between))
    return Drawn(given=given, raw=raw, quantities=found, loadings=layout.loadings(thetas) * spread[:, s.domain])


def partial_correlations(correlations: Floats) -> Floats:
    """Correlation of every two with all others allowed for, from the inverse; 1 on the diagonal.

    Parameters
    ----------
    correlations : array (..., n, n)
        Positive definite.

    Returns
    -------
    array (..., n, n)
    """
    precision = np.linalg.inv(correlations)
    root = np.sqrt(np.diagonal(precision, axis1=-2, axis2=-1))
    found = -precision / (root[..., :, None] * root[..., None, :])
    n = found.shape[-1]
    found[..., np.arange(n), np.arange(n)] = 1.0
    return np.asarray(found)


def interval(values: Floats, *, level: float) -> tuple[Floats, Floats, Floats]:
    """Median and equal-tailed interval over the first axis."""
    tail = (1 - level) / 2
    estimate, lower, upper = np.quantile(values, [0.5, tail, 1 - tail], axis=0)
    return estimate, lower, upper


NATURAL = {
    "level": "as is",
    "loading": "as is",
    "held": "as is",
    "own": "exponential",
    "shared": "exponential",
    "stays": "exponential",
    "spread": "exponential",
    "region": "exponential",
    "lasting": "share",
    "spatial": "share",
    "partial": "partial",
}
WORDS = {
    "level": "level of {}",
    "loading": "loading of {} given deprivation and region",
    "own": "own part of {}",
    "stays": "what {} keeps from year to year",
    "spread": "spread of the weighted sum of {} given deprivation and region",
    "held": "deprivation and {}",
    "region": "spread of {} between regions",
    "lasting": "what lasts from one year to the next",
    "spatial": "share of variance that follows the map",
}


def priors_beside(layout: Layout, thetas: Floats, *, level: float, seed: int = 0) -> pd.DataFrame:
    """Every parameter's prior and posterior, in its own units.

    Parameters
    ----------
    layout : Layout
    thetas : array (draws, size)
    level : float
    seed : int
        Of the draws from the prior of the correlations.

    Returns
    -------
    DataFrame
        ``parameter, kind``; ``estimate, lower, upper, lower_half, upper_half`` of the posterior (median, interval of
        ``level``, and the middle half) and, with ``prior_`` before them, of the prior; ``level``; ``narrowed``: by what
        share the sd on the free scale fell from prior to posterior; near 0, the figures say nothing and the prior
        decides.
    """
    kinds = layout.priors.kinds()
    z = norm.ppf(_points(level))
    frames = []
    for name, place in layout.places.items():
        if name not in kinds:
            continue
        prior, values = kinds[name], thetas[:, place]
        back = {"as is": np.asarray, "exponential": np.exp, "share": expit}[NATURAL[name]]
        before = np.repeat(back(prior.centre + z * prior.scale)[:, None], values.shape[1], axis=1)
        after = back(np.quantile(values, _points(level), axis=0))
        narrowed = 1 - values.std(axis=0) / prior.scale
        frames.append(_beside(_names(layout, name), name, before, after, level=level, narrowed=narrowed))
    frames.append(_correlations_beside(layout, thetas, level=level, seed=seed))
    return pd.concat(frames, ignore_index=True)


def _correlations_beside(layout: Layout, thetas: Floats, *, level: float, seed: int) -> pd.DataFrame:
    domains = layout.structure.domains
    rows, columns = np.tril_indices(len(domains), -1)
    rng = np.random.default_rng(seed)
    before = np.array([layout.correlation(draw_prior(layout, rng))[rows, columns] for _ in range(500)]).ravel()
    after = np.array([layout.correlation(theta)[rows, columns] for theta in thetas])
    names = [
        f"correlation of {domains[b]} and {domains[a]} given deprivation and region"
        for a, b in zip(rows, columns, strict=True)
    ]
    prior = np.repeat(np.quantile(before, _points(level))[:, None], len(names), axis=1)
    posterior = np.quantile(after, _points(level), axis=0)
    narrowed = 1 - after.std(axis=0) / before.std()
    return _beside(names, "partial", prior, posterior, level=level, narrowed=narrowed)


def _points(level: float) -> Floats:
    """Which quantiles: the median, both ends of the interval, both ends of the middle half."""
    return np.array([0.5, (1 - level) / 2, (1 + level) / 2, 0.25, 0.75])


def _beside(
    names: list[str], kind: str, before: Floats, after: Floats, *, level: float, narrowed: Floats
) -> pd.DataFrame:
    prior = {f"prior_{name}": row for name, row in zip(QUANTILES, before, strict=True)}
    posterior = dict(zip(QUANTILES, after, strict=True))
    return pd.DataFrame({"parameter": names, "kind": kind, **prior, **posterior, "level": level, "narrowed": narrowed})


def _names(layout: Layout, kind: str) -> list[str]:
    s = layout.structure
    reflective = [i for i, f in zip(s.items, s.formative, strict=True) if not f]
    formative = [i for i, f in zip(s.items, s.formative, strict=True) if f]
    if kind == "level":
        return [f"level of {i} in {y}" for y in s.years for i in s.items]
    if kind == "shared":
        found: dict[int, list[str]] = {}
        for item, index in zip(s.items, layout.shared_index, strict=True):
            if index >= 0:
                found.setdefault(int(index), []).append(item)
        return [f"what {' and '.join(found[k])} share with near-duplicates" for k in sorted(found)]
    who = {"held": s.domains, "region": s.domains, "spread": formative}.get(kind, reflective)
    if kind in ("lasting", "spatial"):
        return [WORDS[kind]]
    names = [WORDS[kind].format(w) for w in who]
    covariates = layout.shapes[kind][0] if kind == "held" else 1
    return names if covariates == 1 else [f"{name} ({k + 1})" for k in range(covariates) for name in names]
