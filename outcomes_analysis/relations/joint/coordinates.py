"""Coordinates in which the posterior is closest to a normal: each domain's loadings as one scale and their proportions.

If a domain's quantities are of half the size, all its loadings are twice as large, and so is what is not known about
their proportions. A normal in the loadings themselves misses that: its peak lies below their mean by some half of a
standard deviation. In the logarithm of their common scale, and in proportions, it does not::

    lambda_d = exp(kappa_d) (m_d + T_d t_d),    m_d fixed, T_d an orthonormal basis of what is at right angles to it

Volume shrinks by ``exp(items of d * kappa_d)`` on the way, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes_analysis.relations.joint.parameters import Layout
from outcomes_analysis.relations.joint.structure import Floats, Ints


@dataclass(frozen=True, eq=False)
class Coordinates:
    """A change of coordinates; everything but the loadings of reflective items stays as it is.

    Attributes
    ----------
    places : tuple of array of int
        For each domain with reflective items, where their loadings stand in the vector; the first place holds the
        logarithm of the scale afterwards, the others the proportions.
    bases : tuple of array (items, items)
        For each, ``m`` and then the columns of ``T``.
    """

    places: tuple[Ints, ...]
    bases: tuple[Floats, ...]

    @classmethod
    def about(cls, layout: Layout, theta: Floats) -> Coordinates:
        """Coordinates with the loadings of a vector as ``m``."""
        s = layout.structure
        reflective = np.flatnonzero(~s.formative)
        places, bases = [], []
        for d in range(len(s.domains)):
            inside = np.flatnonzero(s.domain[reflective] == d)
            if not len(inside):
                continue
            place = layout.places["loading"].start + inside
            m = theta[place]
            if not np.linalg.norm(m) > 0:
                m = np.ones(len(place))
            basis, _ = np.linalg.qr(np.column_stack([m, np.eye(len(m))]))
            basis[:, 0] = m
            places.append(place)
            bases.append(basis)
        return cls(tuple(places), tuple(bases))

    def to_vector(self, eta: Floats) -> Floats:
        """Parameters from coordinates; also for draws, along the last axis."""
        theta = eta.copy()
        for place, basis in zip(self.places, self.bases, strict=True):
            parts = eta[..., place].copy()
            scale = np.exp(parts[..., :1])
            parts[..., 0] = 1.0
            theta[..., place] = scale * (parts @ basis.T)
        return theta

    def of_vector(self, theta: Floats) -> Floats:
        """Coordinates of parameters whose loadings do not all run against ``m``."""
        eta = theta.copy()
        for place, basis in zip(self.places, self.bases, strict=True):
            parts = np.linalg.solve(basis, theta[place])
            eta[place] = parts / parts[0]
            eta[place[0]] = np.log(parts[0])
        return eta

    def log_volume(self, eta: Floats) -> float:
        """Logarithm of how much volume of parameters a unit of coordinates holds, up to a constant."""
        return float(sum(len(place) * eta[place[0]] for place in self.places))

    def pull_back(self, eta: Floats, theta: Floats, gradient: Floats) -> Floats:
        """Gradient with respect to the coordinates, that of the volume included."""
        found = gradient.copy()
        for place, basis in zip(self.places, self.bases, strict=True):
            found[place] = np.exp(eta[place[0]]) * (basis.T @ gradient[place])
            found[place[0]] = theta[place] @ gradient[place] + len(place)
        return found
