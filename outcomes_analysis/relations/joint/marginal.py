"""The compiled density by names: parameters in, log density of every area and gradient out."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from outcomes_analysis.relations.joint.structure import Floats, Structure

NO_PULL = np.zeros((0, 0, 0))


@dataclass(frozen=True, eq=False)
class Natural:
    """Parameters of the density in their own units; a gradient has the same shapes.

    Attributes
    ----------
    alpha : array (years, items)
        Level of each item in each year.
    lam : array (items,)
        Loading; for a weighted sum the spread of its true values given deprivation and region.
    psi : array (items,)
        Sd of the item's own part; 0 for a weighted sum.
    gam : array (items,)
        Loading on what its doublet shares; 0 for an item alone.
    sig : array (items,)
        Sd of what stays from year to year; 0 with one year.
    mu : array (areas, domains * years)
        Expected domain quantities, years running fastest.
    lasting : array (years, years)
        Correlation between years of what a doublet shares.
    covariance : array (domains * years, domains * years)
        Of the domain quantities about ``mu``.
    """

    alpha: Floats
    lam: Floats
    psi: Floats
    gam: Floats
    sig: Floats
    mu: Floats
    lasting: Floats
    covariance: Floats

    def arrays(self) -> tuple[Floats, ...]:
        """All of them, in order, as the compiled code wants them."""
        return tuple(np.ascontiguousarray(getattr(self, f.name), dtype=float) for f in fields(self))


def _size(structure: Structure) -> int:
    return len(structure.domains) * structure.shape[1]


def _cells(structure: Structure) -> tuple[np.ndarray, ...]:
    c = structure.cells
    return c.value, c.error, c.item, c.year, c.column, c.block_start, c.area_start


def area_log_density(natural: Natural, structure: Structure) -> Floats:
    """Log density of each area's figures, domain quantities integrated out.

    Returns
    -------
    array (areas,)
        0 for an area without figures; NaN everywhere if a covariance is not positive definite.
    """
    from outcomes_analysis.relations.joint import kernels

    *theta, covariance = natural.arrays()
    nothing = tuple(np.zeros((0, 0)) if a.ndim == 2 else np.zeros(0) for a in theta)
    each = np.empty(structure.shape[0])
    kernels.density(
        _cells(structure), _size(structure), tuple(theta), covariance, nothing, each, np.zeros((0, 0)), NO_PULL, False
    )
    return each


def log_density(natural: Natural, structure: Structure, pull: Floats | None = None) -> tuple[float, Natural]:
    """Log density of all figures, domain quantities integrated out, and its gradient.

    Parameters
    ----------
    natural : Natural
    structure : Structure
    pull : array (areas, domains * years, domains * years), optional
        Gradient, with respect to what each area's figures tell of its domain quantities, of something else whose
        gradient is to be added to that of ``alpha`` to ``sig`` and ``lasting``.

    Returns
    -------
    (float, Natural)
        NaN, with a gradient without meaning, if a covariance is not positive definite. The gradient with respect to
        the two matrices is that of entries which all move freely (it is symmetric).
    """
    from outcomes_analysis.relations.joint import kernels

    *theta, covariance = natural.arrays()
    gradient = tuple(np.zeros_like(a) for a in theta)
    g_covariance = np.zeros_like(covariance)
    each = np.empty(structure.shape[0])
    total = kernels.density(
        _cells(structure),
        _size(structure),
        tuple(theta),
        covariance,
        gradient,
        each,
        g_covariance,
        NO_PULL if pull is None else np.ascontiguousarray(pull),
        True,
    )
    return float(total), Natural(*(*gradient, g_covariance))


def domain_spreads(natural: Natural, structure: Structure) -> Floats:
    """Covariance of each area's domain quantities given its figures and the parameters.

    Returns
    -------
    array (areas, domains * years, domains * years)
    """
    from outcomes_analysis.relations.joint import kernels

    *theta, covariance = natural.arrays()
    out = np.empty((structure.shape[0], *covariance.shape))
    kernels.spreads(_cells(structure), _size(structure), tuple(theta), covariance, out)
    return out


def domain_draw(natural: Natural, structure: Structure, noise: Floats) -> Floats:
    """Domain quantities drawn from their exact distribution given the figures and the parameters.

    Parameters
    ----------
    natural : Natural
    structure : Structure
    noise : array (areas, domains * years)
        Unit normals; zeros give the conditional mean.

    Returns
    -------
    array (areas, domains * years)
        In units of the sd given deprivation and region.
    """
    from outcomes_analysis.relations.joint import kernels

    *theta, covariance = natural.arrays()
    out = np.empty_like(noise)
    kernels.draw_factors(_cells(structure), _size(structure), tuple(theta), covariance, noise, out)
    return out
