"""Whether a domain's indicators behave as one thing, and whether single areas carry the answer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from outcomes_analysis.relations.joint.marginal import Natural, area_log_density
from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.simulating import draw_figures
from outcomes_analysis.relations.joint.structure import Floats, Structure
from outcomes_analysis.relations.joint.summarising import interval

REPLICATES = 1000
ERRORS = 2.0  # Monte Carlo errors by which a share must clear the limit
CLOSE = (0.02, 0.12)  # shares between which another release might turn the choice
LEAST_CHANCE = 0.05  # below it, figures drawn from the model nearly never look as unlike it as the real ones do
LARGE_RESIDUAL = 0.2  # a residual correlation beyond this is worth a name
PARTS = 5  # into which the draws are split: k of one alone swings by .2 from seed to seed; all but one must agree
MAX_K = 0.7  # Vehtari, Gelman and Gabry 2017: beyond it, leaving an area out cannot be told from the others' draws


def predictive_checks(layout: Layout, thetas: Floats, rng: np.random.Generator, *, level: float) -> pd.DataFrame:
    """Compare how a reflective domain's indicators go together with how the model has them go together.

    Parameters
    ----------
    layout : Layout
    thetas : array (draws, size)
    rng : numpy.random.Generator
    level : float
        Of the loadings' intervals.

    Returns
    -------
    DataFrame
        One row a reflective domain: ``domain, items, p`` (share of replicates, drawn from the model whole, whose
        correlations are at least as far from the model's as the real ones; Gelman, Meng and Stern 1996), ``misfit``
        (root mean square of real less expected correlations), ``large`` (pairs off by more than .2), ``pairs``,
        ``against`` (indicators whose loading is surely negative), ``one_thing`` (whether p is at least .05, by twice
        its Monte Carlo error, and nothing runs against the rest), ``close`` (nothing does, and p is near that limit)
        and ``worst`` (the pair furthest off).
    """
    s = layout.structure
    domains = [d for d in range(len(s.domains)) if ((s.domain == d) & ~s.formative).sum() > 1]
    chosen = thetas[np.linspace(0, len(thetas) - 1, min(REPLICATES, len(thetas))).astype(int)]
    exceeded = dict.fromkeys(domains, 0)
    for theta in chosen:
        natural = layout.natural(theta)
        expected = expected_correlations(layout, natural, theta)
        drawn = _correlations(draw_figures(natural, s, rng)[1])
        real = _correlations(s.values)
        for d in domains:
            pairs = _pairs(s, d)
            exceeded[d] += int(_distance(drawn, expected, pairs) >= _distance(real, expected, pairs))
    _, _, upper = interval(layout.loadings(thetas), level=level)
    middle = np.median(thetas, axis=0)
    residual = _correlations(s.values) - expected_correlations(layout, layout.natural(middle), middle)
    rows = []
    for d in domains:
        first, second = _pairs(s, d)
        off = residual[first, second]
        against = [s.items[j] for j in np.flatnonzero((s.domain == d) & (upper < 0))]
        p = exceeded[d] / len(chosen)
        worst = int(np.nanargmax(np.abs(off)))
        rows.append(
            {
                "domain": s.domains[d],
                "items": int((s.domain == d).sum()),
                "p": p,
                "misfit": float(np.sqrt(np.nanmean(off**2))),
                "large": int((np.abs(off) > LARGE_RESIDUAL).sum()),
                "pairs": len(off),
                "against": tuple(against),
                "one_thing": bool(p - ERRORS * np.sqrt(p * (1 - p) / len(chosen)) >= LEAST_CHANCE and not against),
                "close": bool(CLOSE[0] <= p <= CLOSE[1] and not against),
                "worst": f"{s.items[first[worst]]} and {s.items[second[worst]]}",
            }
        )
    columns = ["domain", "items", "p", "misfit", "large", "pairs", "against", "one_thing", "close", "worst"]
    return pd.DataFrame(rows, columns=columns)


def expected_correlations(layout: Layout, natural: Natural, theta: Floats) -> Floats:
    """Correlations between items over areas and years that the model expects, (items, items)."""
    s = layout.structure
    expected = layout.expected(theta)
    quantity = np.cov(expected.T).reshape(len(s.domains), -1) + layout.correlation(theta)
    found = np.outer(natural.lam, natural.lam) * quantity[np.ix_(s.domain, s.domain)]
    twins = (s.doublet[:, None] == s.doublet) & (s.doublet[:, None] >= 0)
    present = np.isfinite(s.values)
    errors = np.where(present, s.errors, 0.0).reshape(-1, len(s.items))
    seen = present.reshape(-1, len(s.items)).astype(float)
    product = (errors.T @ errors) / np.maximum(seen.T @ seen, 1)
    found += np.where(twins, np.outer(natural.gam, natural.gam) + product, 0.0)
    alone = natural.psi**2 + natural.sig**2 + np.where(s.doublet < 0, np.diag(product), 0.0)
    found[np.diag_indices_from(found)] += alone
    spread = np.sqrt(np.diag(found))
    return np.asarray(found / np.outer(spread, spread))


def _correlations(values: Floats) -> Floats:
    """Correlations between items over all areas and years in which both have a figure, each year centred."""
    present = np.isfinite(values)
    means = np.where(present, values, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    x = np.where(present, values - means, 0.0).reshape(-1, values.shape[2])
    m = present.reshape(-1, values.shape[2]).astype(float)
    n = m.T @ m
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (x.T @ m) / n  # of the first item where the second is present
        cross = (x.T @ x) / n - mean * mean.T
        square = (x**2).T @ m / n - mean**2
        return np.asarray(cross / np.sqrt(square * square.T))


def _pairs(s: Structure, domain: int) -> tuple[np.ndarray, np.ndarray]:
    items = np.flatnonzero((s.domain == domain) & ~s.formative)
    rows, columns = np.tril_indices(len(items), -1)
    return items[columns], items[rows]


def _distance(found: Floats, expected: Floats, pairs: tuple[np.ndarray, np.ndarray]) -> float:
    return float(np.nansum((found[pairs] - expected[pairs]) ** 2))


def leave_one_out(layout: Layout, thetas: Floats, areas: list[str]) -> pd.DataFrame:
    """How well each area's figures are foretold from the others, by Pareto-smoothed importance sampling.

    Parameters
    ----------
    layout : Layout
    thetas : array (draws, size)
    areas : list of str
        Names.

    Returns
    -------
    DataFrame
        ``area_name, elpd`` (log density of the area's figures given all others), ``k`` (median over five parts of the
        draws; above .7, the answer leans on this area, and its ``elpd`` cannot be relied on) and ``leans`` (above .7 in
        at least four of the parts).

    Notes
    -----
    With draws near the peak instead of sampled ones this rests on the normal approximation as everything else does.
    """
    import arviz  # noqa: F401 - brings the method used below
    import xarray as xr

    density = np.array([area_log_density(layout.natural(theta), layout.structure) for theta in thetas])
    # takes log densities and turns them round itself, unlike its namesake in older versions
    parts = []
    for part in np.array_split(density.T, PARTS, axis=1):
        weights, k = xr.DataArray(part, dims=("area", "draw")).azstats.psislw(dim="draw")
        parts.append((np.logaddexp.reduce(np.asarray(weights) + part, axis=1), np.asarray(k, dtype=float)))
    elpd, k = (np.array([p[i] for p in parts]) for i in (0, 1))
    found = {"area_name": areas, "elpd": np.median(elpd, axis=0), "k": np.median(k, axis=0)}
    return pd.DataFrame(found | {"leans": (~(k <= MAX_K)).sum(axis=0) >= PARTS - 1})
