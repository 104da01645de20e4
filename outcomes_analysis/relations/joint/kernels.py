"""The density of all figures with the domain quantities integrated out, and its gradient; compiled by numba.

For one area let ``r`` be its figures less their expectation, C the covariance of everything outside the domains
(block diagonal: an item alone, or a doublet), A the loadings (one a row) and P = Omega (x) R the covariance of the
domain quantities given deprivation and region. Then var r = C + A P A', and with K = P^-1 + A' C^-1 A::

    log p = -1/2 [ n log 2 pi + log|C| + log|P| + log|K| + r' C^-1 r - h' K^-1 h ],   h = A' C^-1 r

K^-1 h and K^-1 are mean and covariance of the area's domain quantities given its figures. The gradient is Fisher's
identity, grad log p(y) = E[grad log p(y, f) | y]: expectations under that normal, with no derivative of a Cholesky
factor. Everything here is called with plain arrays; ``marginal.py`` has the names.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

LOG_2PI = math.log(2 * math.pi)
# sums may be taken in any order, so that the compiler can use vector instructions; NaN stays NaN
_compiled: Callable[[Any], Any] = njit(cache=True, fastmath={"reassoc", "contract", "arcp"})

Arrays = tuple[Any, ...]


@_compiled
def invert(a: Any, n: int, low: Any, out: Any) -> float:  # noqa: C901 - loops
    """Inverse of a positive definite matrix into ``out``, its lower Cholesky factor into ``low``; log determinant."""
    log_det = 0.0
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                if not s > 0.0:
                    return np.nan
                low[i, i] = math.sqrt(s)
                log_det += 2.0 * math.log(low[i, i])
            else:
                low[i, j] = s / low[j, j]
    # rows of the factor's inverse, kept transposed in the upper part of `out` until they are multiplied out
    for j in range(n):
        out[j, j] = 1.0 / low[j, j]
        for i in range(j + 1, n):
            s = 0.0
            for k in range(j, i):
                s += low[i, k] * out[j, k]
            out[j, i] = -s / low[i, i]
    for i in range(n):
        for j in range(i, n):
            s = 0.0
            for k in range(j, n):
                s += out[i, k] * out[j, k]
            out[i, j] = s
    for i in range(n):
        for j in range(i):
            out[i, j] = out[j, i]
    return log_det


@_compiled
def gather(  # noqa: C901 - loops: a call for each would cost more than it holds
    i: int, cells: Arrays, size: int, theta: Arrays, precision: Any, work: Arrays
) -> tuple[float, int]:
    """Sum the figures of one area into what its domain quantities are known by.

    Fills residuals, the inverse of each block's covariance, h and K (``precision`` added); gives back log|C| + r'C^-1 r
    and the number of figures. NaN if a covariance is not positive definite.
    """
    value, error, item, year, column, block_start, area_start = cells
    alpha, lam, psi, gam, sig, mu, lasting = theta
    residual, inverse, offset, h, k_matrix, block, low = work
    for p in range(size):
        h[p] = 0.0
        for q in range(size):
            k_matrix[p, q] = precision[p, q]
    total = 0.0
    product = 1.0  # one logarithm for many variances: far cheaper than one each
    count = 0
    place = 0
    for b in range(area_start[i], area_start[i + 1]):
        first, last = block_start[b], block_start[b + 1]
        m = last - first
        offset[b - area_start[i]] = place
        base = count
        if m == 1:
            j, t, p = item[first], year[first], column[first]
            r = value[first] - alpha[t, j] - lam[j] * mu[i, p]
            residual[count] = r
            count += 1
            v = psi[j] ** 2 + error[first] ** 2 + gam[j] ** 2 * lasting[t, t] + sig[j] ** 2
            if not v > 0.0:
                return np.nan, count
            w = 1.0 / v
            inverse[place] = w
            place += 1
            product *= v
            if not 1e-200 < product < 1e200:
                total += math.log(product)
                product = 1.0
            total += w * r * r
            h[p] += lam[j] * w * r
            k_matrix[p, p] += lam[j] ** 2 * w
            continue
        for c in range(m):
            j, t = item[first + c], year[first + c]
            residual[count] = value[first + c] - alpha[t, j] - lam[j] * mu[i, column[first + c]]
            count += 1
        for c in range(m):
            j, t = item[first + c], year[first + c]
            for d in range(c + 1):
                k, s = item[first + d], year[first + d]
                v = gam[j] * gam[k] * lasting[t, s]
                if t == s:
                    v += error[first + c] * error[first + d]
                if j == k:
                    v += sig[j] ** 2
                    if t == s:
                        v += psi[j] ** 2
                block[c, d] = v
        part = inverse[place : place + m * m].reshape((m, m))
        log_det = invert(block, m, low, part)
        if math.isnan(log_det):
            return np.nan, count
        total += log_det
        for c in range(m):
            j = item[first + c]
            s = 0.0
            for d in range(m):
                s += part[c, d] * residual[base + d]
            total += residual[base + c] * s
            p = column[first + c]
            h[p] += lam[j] * s
            for d in range(m):
                k_matrix[p, column[first + d]] += lam[j] * lam[item[first + d]] * part[c, d]
        place += m * m
    return total + math.log(product), count


@_compiled
def workspace(cells: Arrays, size: int) -> Arrays:
    """Make the arrays that one area after another is worked out in."""
    block_start, area_start = cells[5], cells[6]
    most, widest, space, blocks = 1, 1, 1, 1
    for i in range(len(area_start) - 1):
        first, last = area_start[i], area_start[i + 1]
        need = 0
        for b in range(first, last):
            m = block_start[b + 1] - block_start[b]
            widest = max(widest, m)
            need += m * m
        space = max(space, need)
        blocks = max(blocks, last - first)
        most = max(most, block_start[last] - block_start[first])
    return (
        np.empty(most),
        np.empty(space),
        np.empty(blocks, np.int64),
        np.empty(size),
        np.empty((size, size)),
        np.empty((widest, widest)),
        np.empty((widest, widest)),
    )


@_compiled
def scatter(  # noqa: C901
    i: int, cells: Arrays, size: int, theta: Arrays, mean: Any, cov: Any, work: Arrays, gradient: Arrays
) -> int:
    """Add one area's part to the gradient, given mean and covariance of its domain quantities.

    ``cov`` is -2 times the gradient with respect to the information A' C^-1 A.
    """
    _, _, item, year, column, block_start, area_start = cells
    _, lam, psi, gam, sig, mu, lasting = theta
    residual, inverse, offset, _, _, _, first_product = work
    g_alpha, g_lam, g_psi, g_gam, g_sig, _, g_lasting = gradient
    count = 0
    for b in range(area_start[i], area_start[i + 1]):
        first, last = block_start[b], block_start[b + 1]
        m = last - first
        place = offset[b - area_start[i]]
        if m == 1:
            j, t, p = item[first], year[first], column[first]
            w = inverse[place]
            left = residual[count] - lam[j] * mean[p]
            pull = w * left
            g = 0.5 * (w * w * (left * left + lam[j] ** 2 * cov[p, p]) - w)
            g_alpha[t, j] += pull
            g_lam[j] += pull * (mu[i, p] + mean[p]) - w * lam[j] * cov[p, p]
            g_psi[j] += 2.0 * psi[j] * g
            g_gam[j] += 2.0 * gam[j] * lasting[t, t] * g
            g_sig[j] += 2.0 * sig[j] * g
            g_lasting[t, t] += gam[j] ** 2 * g
            count += 1
            continue
        part = inverse[place : place + m * m].reshape((m, m))
        for c in range(m):
            residual[count + c] -= lam[item[first + c]] * mean[column[first + c]]
        for c in range(m):
            p = column[first + c]
            j, t = item[first + c], year[first + c]
            pull, spread = 0.0, 0.0
            for d in range(m):
                pull += part[c, d] * residual[count + d]
                spread += part[c, d] * lam[item[first + d]] * cov[column[first + d], p]
            g_alpha[t, j] += pull
            g_lam[j] += pull * (mu[i, p] + mean[p]) - spread
        for c in range(m):
            for d in range(m):
                s = 0.0
                for k in range(m):
                    e = residual[count + k] * residual[count + d]
                    e += lam[item[first + k]] * lam[item[first + d]] * cov[column[first + k], column[first + d]]
                    s += part[c, k] * e
                first_product[c, d] = s
        for c in range(m):
            j, t = item[first + c], year[first + c]
            for d in range(m):
                k, s = item[first + d], year[first + d]
                g = -part[c, d]
                for q in range(m):
                    g += first_product[c, q] * part[q, d]
                g *= 0.5
                g_gam[j] += 2.0 * g * gam[k] * lasting[t, s]
                g_lasting[t, s] += g * gam[j] * gam[k]
                if j == k:
                    g_sig[j] += 2.0 * g * sig[j]
                    if t == s:
                        g_psi[j] += 2.0 * g * psi[j]
        count += m
    return count


@_compiled
def density(  # noqa: C901
    cells: Arrays,
    size: int,
    theta: Arrays,
    covariance: Any,
    gradient: Arrays,
    each: Any,
    g_covariance: Any,
    pull: Any,
    with_gradient: bool,
) -> float:
    """Log density of every area into ``each`` and, if asked for, the gradient into ``gradient`` and ``g_covariance``.

    ``covariance`` is P; the gradient with respect to it is that of a matrix whose entries all move freely. ``pull``
    (areas, size, size) is the gradient with respect to each area's information A' C^-1 A of something to be added to
    the log density; empty for nothing.
    """
    areas = len(cells[6]) - 1
    work = workspace(cells, size)
    low, precision = np.empty((size, size)), np.empty((size, size))
    cov, low_k = np.empty((size, size)), np.empty((size, size))
    mean = np.empty(size)
    second = np.zeros((size, size))
    g_mu = gradient[5]
    log_det_p = invert(covariance, size, low, precision)
    total = 0.0
    if math.isnan(log_det_p):
        each[:] = np.nan
        return np.nan
    for i in range(areas):
        fit, count = gather(i, cells, size, theta, precision, work)
        h, k_matrix = work[3], work[4]
        log_det_k = invert(k_matrix, size, low_k, cov)
        explained = 0.0
        for p in range(size):
            s = 0.0
            for q in range(size):
                s += cov[p, q] * h[q]
            mean[p] = s
            explained += s * h[p]
        each[i] = -0.5 * (count * LOG_2PI + fit + log_det_p + log_det_k - explained)
        total += each[i]
        if not with_gradient:
            continue
        for p in range(size):
            s = 0.0
            for q in range(size):
                s += precision[p, q] * mean[q]
                second[p, q] += mean[p] * mean[q] + cov[p, q]
            g_mu[i, p] = s
        if len(pull) > 0:
            for p in range(size):
                for q in range(size):
                    cov[p, q] -= 2.0 * pull[i, p, q]
        scatter(i, cells, size, theta, mean, cov, work, gradient)
    if with_gradient:
        half = precision @ second @ precision
        for p in range(size):
            for q in range(size):
                g_covariance[p, q] = 0.5 * (half[p, q] - areas * precision[p, q])
    return total


@_compiled
def spreads(cells: Arrays, size: int, theta: Arrays, covariance: Any, out: Any) -> None:
    """Covariance of every area's domain quantities given its figures, into ``out`` (areas, size, size)."""
    work = workspace(cells, size)
    low, precision = np.empty((size, size)), np.empty((size, size))
    if not invert(covariance, size, low, precision) < np.inf:
        out[:] = np.nan
        return
    for i in range(len(cells[6]) - 1):
        gather(i, cells, size, theta, precision, work)
        invert(work[4], size, low, out[i])


@_compiled
def draw_factors(cells: Arrays, size: int, theta: Arrays, covariance: Any, noise: Any, out: Any) -> None:
    """Domain quantities of every area drawn from their exact distribution given figures and parameters, into ``out``.

    ``noise`` holds unit normals, areas by size.
    """
    mu = theta[5]
    work = workspace(cells, size)
    low, precision, cov = np.empty((size, size)), np.empty((size, size)), np.empty((size, size))
    step = np.empty(size)
    if not invert(covariance, size, low, precision) < np.inf:
        out[:] = np.nan
        return
    for i in range(len(cells[6]) - 1):
        gather(i, cells, size, theta, precision, work)
        h, k_matrix = work[3], work[4]
        invert(k_matrix, size, low, cov)
        # K = L L': L^-T z has covariance K^-1
        for p in range(size - 1, -1, -1):
            s = noise[i, p]
            for q in range(p + 1, size):
                s -= low[q, p] * step[q]
            step[p] = s / low[p, p]
        for p in range(size):
            s = mu[i, p] + step[p]
            for q in range(size):
                s += cov[p, q] * h[q]
            out[i, p] = s
