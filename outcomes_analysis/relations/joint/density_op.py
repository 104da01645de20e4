"""The compiled density as an operation of PyTensor, so that PyMC can sample from the model.

The gradient is written by hand and comes with the value, in one pass. A gradient of that gradient does not exist;
asking for it is an error, never a silent 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.joint import kernels
from outcomes_analysis.relations.joint.structure import Structure

FIGURES = 7  # how many inputs are figures, not parameters
PARAMETERS = (2, 1, 1, 1, 1, 2, 2, 2)  # dimensions of alpha, lam, psi, gam, sig, mu, lasting, covariance


class MarginalDensity(Op):  # type: ignore[misc] # PyTensor's own types say little
    """Log density of all figures and its gradient; inputs are the figures' cells, then the eight parameters."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Name inputs and outputs: the log density, then the gradient with respect to each parameter."""
        variables = [pt.as_tensor_variable(i) for i in inputs]
        outputs = [pt.tensor(dtype="float64", shape=(None,) * d) for d in (0, *PARAMETERS)]
        return Apply(self, variables, outputs)

    def infer_shape(self, node: Any, shapes: list[Any]) -> list[Any]:
        """Shapes of the outputs: none, then those of the parameters."""
        return [(), *shapes[FIGURES:]]

    def perform(self, node: Any, inputs: Any, storage: Any) -> None:
        """Work it out outside compiled code."""
        for place, found in zip(storage, value_and_gradient(*inputs), strict=True):
            place[0] = np.asarray(found)

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        """Gradient with respect to the parameters, from the outputs that hold it.

        Raises
        ------
        RelationError
            If a gradient of the gradient is asked for.
        """
        if not all(isinstance(c.type, DisconnectedType) for c in cotangents[1:]):
            message = (
                "The joint density has a first gradient only. Use NUTS, or take the curvature by differences of the "
                "gradient."
            )
            raise RelationError(message)
        if isinstance(cotangents[0].type, DisconnectedType):
            return [disconnected_type() for _ in inputs]
        figures: list[Any] = [disconnected_type() for _ in range(FIGURES)]
        return [*figures, *(cotangents[0] * g for g in outputs[1:])]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Figures are no parameters: nothing depends on them as far as gradients go."""
        return [[place >= FIGURES] * len(node.outputs) for place in range(len(node.inputs))]


def value_and_gradient(
    value: Any,
    error: Any,
    item: Any,
    year: Any,
    column: Any,
    block_start: Any,
    area_start: Any,
    alpha: Any,
    lam: Any,
    psi: Any,
    gam: Any,
    sig: Any,
    mu: Any,
    lasting: Any,
    covariance: Any,
) -> tuple[Any, ...]:
    """Call the kernel on arrays that lie in memory row by row; compiled into the sampler's function, or as it is."""
    cells = (value, error, item, year, column, block_start, area_start)
    theta = (
        np.ascontiguousarray(alpha),
        np.ascontiguousarray(lam),
        np.ascontiguousarray(psi),
        np.ascontiguousarray(gam),
        np.ascontiguousarray(sig),
        np.ascontiguousarray(mu),
        np.ascontiguousarray(lasting),
    )
    gradient = (
        np.zeros(alpha.shape),
        np.zeros(lam.shape),
        np.zeros(psi.shape),
        np.zeros(gam.shape),
        np.zeros(sig.shape),
        np.zeros(mu.shape),
        np.zeros(lasting.shape),
    )
    each = np.empty(len(area_start) - 1)
    pull = np.zeros((0, 0, 0))
    g_covariance = np.zeros(covariance.shape)
    total = kernels.density(
        cells, covariance.shape[0], theta, np.ascontiguousarray(covariance), gradient, each, g_covariance, pull, True
    )
    g_alpha, g_lam, g_psi, g_gam, g_sig, g_mu, g_lasting = gradient
    return np.asarray(total), g_alpha, g_lam, g_psi, g_gam, g_sig, g_mu, g_lasting, g_covariance


def _compiled(op: MarginalDensity, node: Any, **kwargs: Any) -> Any:
    return numba_njit(value_and_gradient)  # has no way in from Python, so that `perform` calls the plain one


register_funcify_default_op_cache_key(MarginalDensity)(_compiled)


def marginal_density(structure: Structure, parameters: list[Any]) -> Any:
    """Log density of the figures of a structure as a PyTensor scalar.

    Parameters
    ----------
    structure : Structure
    parameters : list of TensorVariable
        ``alpha, lam, psi, gam, sig, mu, lasting, covariance``, shaped as in
        :class:`~outcomes_analysis.relations.joint.marginal.Natural`.

    Returns
    -------
    TensorVariable
    """
    c = structure.cells
    figures = [c.value, c.error, c.item, c.year, c.column, c.block_start, c.area_start]
    return MarginalDensity()(*(pt.constant(a) for a in figures), *parameters)[0]
