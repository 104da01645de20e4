"""A map's graph as a basis of smooth fields: the spatial part of BYM2 without soft constraints.

An intrinsic autoregression s with precision Q = D - W (D: numbers of neighbours, W: who is next to whom) is
``U diag(l^-1/2) z`` with unit normals z, l and U the positive eigenvalues of Q and their eigenvectors: it sums to
0 in each connected part of the map exactly. Divided by the geometric mean of its standard deviations it has
variance about 1, so that the share phi of variance that follows the map means the same on every map (Riebler et al.
2016, Simpson et al. 2017). Places without a neighbour get no field.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.relations.joint.structure import Floats


def spatial_basis(pairs: Iterable[tuple[int, int]], areas: int) -> Floats:
    """Columns that turn unit normals into a scaled field on the map.

    Parameters
    ----------
    pairs : iterable of (int, int)
        Neighbours, each pair once or twice, numbered from 0.
    areas : int
        How many there are.

    Returns
    -------
    array (areas, waves)
        As many waves as areas less the connected parts; rows of places without neighbours are 0.

    Raises
    ------
    RelationError
        If a pair names an area that does not exist, or itself, or there are no pairs.
    """
    edges = np.array(sorted({(min(a, b), max(a, b)) for a, b in pairs}), dtype=int).reshape(-1, 2)
    wrong = [tuple(map(int, e)) for e in edges if e[0] == e[1] or e[0] < 0 or e[1] >= areas]
    if wrong or not len(edges):
        what = f"{len(wrong)} pairs of neighbours are none: {several(wrong)}" if wrong else "there are no neighbours"
        message = f"A map of {areas} areas: {what}. Number areas from 0 and give each pair of different areas."
        raise RelationError(message)
    q = np.zeros((areas, areas))
    q[edges[:, 0], edges[:, 1]] = q[edges[:, 1], edges[:, 0]] = -1.0
    np.fill_diagonal(q, -q.sum(axis=1))
    values, vectors = np.linalg.eigh(q)
    positive = values > 1e-9 * values.max()
    basis = vectors[:, positive] / np.sqrt(values[positive])
    alone = np.diag(q) == 0
    basis[alone] = 0.0
    spread = np.sqrt((basis**2).sum(axis=1))
    return np.asarray(basis / np.exp(np.log(spread[~alone]).mean()))


def scaling_factor(pairs: Iterable[tuple[int, int]], areas: int) -> float:
    """Geometric mean of the variances of the unscaled field: the scaling factor that BYM2 is published with."""
    edges = list(pairs)
    scaled = spatial_basis(edges, areas)
    first = min(edges[0])
    q = np.zeros((areas, areas))
    for a, b in edges:
        q[a, b] = q[b, a] = -1.0
    np.fill_diagonal(q, -q.sum(axis=1))
    raw = np.linalg.pinv(q, hermitian=True)[first, first]
    return float(raw / (scaled[first] ** 2).sum())
