"""Parameters drawn from the priors, and figures drawn from parameters: for checks of the model and of its intervals."""

from __future__ import annotations

import numpy as np

from outcomes_analysis.relations.joint.marginal import Natural
from outcomes_analysis.relations.joint.parameters import UNIT, Layout
from outcomes_analysis.relations.joint.structure import Floats, Structure


def draw_prior(layout: Layout, rng: np.random.Generator) -> Floats:
    """One vector of parameters from the priors.

    Parameters
    ----------
    layout : Layout
        With proper priors.
    rng : numpy.random.Generator

    Returns
    -------
    array (size,)
    """
    theta = np.empty(layout.size)
    kinds = layout.priors.kinds()
    for name, place in layout.places.items():
        width = place.stop - place.start
        if name == "partial":
            share = rng.beta(layout.partial_shapes, layout.partial_shapes)
            theta[place] = np.log(share) - np.log1p(-share)
        elif name in UNIT:
            theta[place] = rng.normal(size=width)
        else:
            theta[place] = rng.normal(kinds[name].centre, kinds[name].scale, size=width)
    return theta


def draw_figures(natural: Natural, structure: Structure, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Domain quantities and figures drawn anew, for the same areas, errors and missing cells.

    Parameters
    ----------
    natural : Natural
    structure : Structure
        Its figures are not looked at, only which are missing.
    rng : numpy.random.Generator

    Returns
    -------
    (array (areas, domains * years), array (areas, years, items))
        Domain quantities in units of the sd given deprivation and region; figures, NaN where they are missing.
    """
    n, t, j = structure.shape
    factors = natural.mu + rng.normal(size=natural.mu.shape) @ np.linalg.cholesky(natural.covariance).T
    by_year = factors.reshape(n, len(structure.domains), t).transpose(0, 2, 1)
    values = natural.alpha + natural.lam * by_year[:, :, structure.domain]
    values += natural.psi * rng.normal(size=(n, t, j))
    values += natural.sig * rng.normal(size=(n, 1, j))
    # errors of near-duplicates move together; what they share beyond the domain lasts from year to year
    group = np.where(structure.doublet >= 0, structure.doublet, structure.doublet.max() + 1 + np.arange(j))
    values += structure.errors * rng.normal(size=(n, t, group.max() + 1))[:, :, group]
    root = np.linalg.cholesky(natural.lasting + 1e-12 * np.eye(t))
    shared = np.einsum("ts,nsg->ntg", root, rng.normal(size=(n, t, group.max() + 1)))
    values += natural.gam * shared[:, :, group]
    return factors, np.where(np.isfinite(structure.values), values, np.nan)
