"""Sampling with the effects integrated out: for several years and for the map, where sampling everything mixes badly.

Slopes of deprivation, regions' departures and the map's waves are exactly normal given the rest
(``integrating.py``). NUTS draws the rest alone, in the coordinates of the posterior's peak, in which it is nearly a
unit normal; each draw's effects are then drawn from their normal. The draws are those of the model whole: nothing is
approximated, and no spread near 0 makes a narrow neck. A step costs more than one of everything, and far fewer
are needed.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.joint.integrating import draw_effects, profiled
from outcomes_analysis.relations.joint.laplace import Peak
from outcomes_analysis.relations.joint.structure import Floats, Ints


class Rest:
    """The numbers that are sampled, as steps from the peak that are nearly unit normals.

    Parameters
    ----------
    peak : Peak
    """

    def __init__(self, peak: Peak) -> None:
        self.peak = peak

    @cached_property
    def places(self) -> Ints:
        """Where they stand in the vector."""
        layout = self.peak.layout
        return np.setdiff1d(np.arange(layout.size), layout.integrated)

    @cached_property
    def root(self) -> Floats:
        """From unit normals to coordinates."""
        inverse = np.linalg.inv(self.peak.root)
        covariance = inverse.T @ inverse
        return np.linalg.cholesky(covariance[np.ix_(self.places, self.places)])

    def vector(self, z: Floats) -> tuple[Floats, Floats]:
        """Coordinates and parameters, the effects as at the peak."""
        eta = self.peak.eta.copy()
        eta[self.places] += self.root @ z
        return eta, self.peak.coordinates.to_vector(eta)

    def log_density(self, z: Floats) -> tuple[float, Floats]:
        """Log density of unit steps and its gradient; minus infinity where it cannot be computed."""
        coordinates = self.peak.coordinates
        eta, theta = self.vector(z)
        value, gradient, moved = profiled(self.peak.layout, theta)
        if not np.isfinite(value):
            return -np.inf, np.zeros_like(z)
        pulled = coordinates.pull_back(eta, moved, gradient)
        return value + coordinates.log_volume(eta), self.root.T @ pulled[self.places]

    def whole(self, z: Floats, rng: np.random.Generator) -> Floats:
        """All parameters, the effects drawn given the rest."""
        return draw_effects(self.peak.layout, self.vector(z)[1], rng)


class RestDensity(Op):  # type: ignore[misc] # PyTensor's own types say little
    """Log density of the rest and its gradient, worked out outside compiled code."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    def make_node(self, z: Any) -> Apply:
        """Name input and outputs: unit steps; log density and gradient."""
        return Apply(self, [pt.as_tensor_variable(z)], [pt.dscalar(), pt.dvector()])

    def perform(self, node: Any, inputs: Any, storage: Any) -> None:
        """Work both out."""
        value, gradient = self.rest.log_density(np.asarray(inputs[0], dtype=float))
        storage[0][0], storage[1][0] = np.asarray(value), gradient

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient from the output that holds it.

        Raises
        ------
        RelationError
            If a gradient of the gradient is asked for.
        """
        if not isinstance(cotangents[1].type, DisconnectedType):
            message = "The joint density has a first gradient only. Use NUTS."
            raise RelationError(message)
        return [cotangents[0] * outputs[1]]


def model_of_the_rest(rest: Rest) -> Any:
    """Write the density of the rest as a model of PyMC with one free vector ``z``.

    Returns
    -------
    pymc.Model
    """
    import pymc as pm

    with pm.Model() as model:
        z = pm.Flat("z", shape=len(rest.places))
        pm.Potential("figures", RestDensity(rest)(z)[0])
    return model
