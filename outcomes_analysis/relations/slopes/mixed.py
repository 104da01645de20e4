"""A line with a level for each authority and each region: several years of the same places, by restricted likelihood.

Written here rather than taken from a library, because the estimate may lie on the boundary (no difference between
regions), where the library at hand can return slopes of exactly zero as if it had converged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.project import LEVEL
from outcomes_analysis.relations.slopes.regression import Fit, check_design, fit_of

Floats = NDArray[np.float64]

STARTS = ((0.5, 0.5), (2.0, 0.1), (4.0, 2.0))
AGREE = 1e-4  # twice the log likelihood: starts that end further apart than this have not found one answer


def fit_nested(
    outcome: Floats,
    design: Floats,
    *,
    names: Sequence[str],
    areas: Sequence[str] | NDArray[Any],
    regions: Sequence[str] | NDArray[Any] | None = None,
    level: float = LEVEL,
) -> Fit:
    """Linear mixed model with a random intercept for each area and, if given, for each region that areas lie in.

    Parameters
    ----------
    outcome : array of shape (n,)
        One row an area and year.
    design : array of shape (n, k)
        First column the constant; give years columns of their own.
    names : sequence of str
        One a column.
    areas : sequence of str
        Area of each row; some area has several rows.
    regions : sequence of str, optional
        Region of each row, the same in all rows of an area.
    level : float
        Of the intervals, on t with areas - k - (regions - 1) degrees of freedom: years of one area are not separate.

    Returns
    -------
    Fit
        ``between`` is the variance between regions (0 without them), ``area`` that between areas of a region,
        ``within`` what is left.

    Raises
    ------
    RelationError
        As :func:`~.regression.check_design`; if no area has several rows, an area lies in
        two regions, or the search for the variances does not settle.

    Notes
    -----
    Slopes and one variance are worked out of the restricted likelihood (Patterson and Thompson 1971), which leaves a
    search over the roots of two ratios of variances, 0 included (as in Bates et al. 2015).
    """
    check_design(design, names=names)
    sums = _Sums(outcome, design, areas=areas, regions=regions)
    roots, value = _search(sums)
    slopes, scale, information = sums.solved(roots)
    if not np.all(np.isfinite(slopes)) or not np.isfinite(value) or scale <= 0:
        message = f"The model with a level for each of {sums.areas} areas did not settle; no figure is given."
        raise RelationError(message)
    errors = np.sqrt(scale * np.diag(np.linalg.inv(information)))
    df = float(sums.areas - _varying(design, sums) - max(sums.regions - 1, 0))
    method = "random intercepts for regions and their authorities, restricted maximum likelihood"
    return replace(
        fit_of(slopes, errors, names=names, level=level, df=df, method=method),
        between=float(roots[1] ** 2 * scale),
        within=float(scale),
        area=float(roots[0] ** 2 * scale),
        areas=sums.areas,
        note=f"{sums.n} figures of {sums.areas} authorities",
    )


class _Sums:
    """Everything the likelihood needs: sums of each area's rows, so that one step costs as much as there are areas."""

    def __init__(self, outcome: Floats, design: Floats, *, areas: Any, regions: Any) -> None:
        self.n, self.k = design.shape
        labels, code = np.unique(np.asarray(areas), return_inverse=True)
        self.code = code
        self.areas = len(labels)
        rows = np.column_stack([design, outcome])
        self.size = np.bincount(code).astype(float)
        if not np.any(self.size > 1):
            message = "Every area has one year only: a level for each area cannot be told from what is left over."
            raise RelationError(message)
        self.sum = np.stack([np.bincount(code, weights=column) for column in rows.T], axis=1)
        self.products = rows.T @ rows
        self.region = np.zeros(self.areas, dtype=int)
        self.regions = 0
        if regions is not None:
            _, region = np.unique(np.asarray(regions), return_inverse=True)
            self.region[code] = region
            torn = np.unique(code[self.region[code] != region])
            if len(torn):
                message = f"{len(torn)} areas lie in two regions: {several(labels[torn])}. Give each area one region."
                raise RelationError(message)
            self.regions = int(region.max()) + 1

    def _parts(self, roots: Floats) -> tuple[Floats, float]:
        """X'V⁻¹X with the outcome as its last row and column, and log|V|; V in units of what is left over."""
        area, region = roots**2
        shrink = 1 / (1 + area * self.size)
        inverse = self.products - (self.sum * (area * shrink)[:, None]).T @ self.sum
        log_det = -float(np.log(shrink).sum())
        if self.regions and region > 0:
            weight = np.bincount(self.region, weights=self.size * shrink, minlength=self.regions)
            total = np.zeros((self.regions, self.k + 1))
            np.add.at(total, self.region, self.sum * shrink[:, None])
            inverse = inverse - (total * (region / (1 + region * weight))[:, None]).T @ total
            log_det += float(np.log1p(region * weight).sum())
        return inverse, log_det

    def solved(self, roots: Floats) -> tuple[Floats, float, Floats]:
        """Slopes, the variance left over, and X'V⁻¹X."""
        inverse, _ = self._parts(roots)
        information, cross = inverse[: self.k, : self.k], inverse[: self.k, self.k]
        slopes = np.linalg.solve(information, cross)
        scale = float(inverse[self.k, self.k] - cross @ slopes) / (self.n - self.k)
        return slopes, scale, information

    def deviance(self, roots: Floats) -> float:
        """Minus twice the restricted log likelihood, slopes and one variance worked out, without its constants."""
        _, log_det = self._parts(roots)
        _, scale, information = self.solved(roots)
        if scale <= 0:
            return float("inf")
        return log_det + float(np.linalg.slogdet(information)[1]) + (self.n - self.k) * float(np.log(scale))


def _search(sums: _Sums) -> tuple[Floats, float]:
    """Roots of the ratios of variances (areas, regions) with the highest restricted likelihood, from several starts."""
    from scipy.optimize import minimize

    free = 2 if sums.regions else 1
    found = []
    for start in STARTS:
        run = minimize(
            lambda r: sums.deviance(np.append(r, np.zeros(2 - free))),
            np.array(start[:free]),
            method="Nelder-Mead",  # of two numbers: quicker than a gradient by differences, and exact at the boundary
            bounds=[(0.0, None)] * free,
            options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 2000},
        )
        found.append((float(run.fun), run.x))
    found.sort(key=lambda pair: pair[0])
    if not np.isfinite(found[0][0]) or found[1][0] - found[0][0] > AGREE:
        message = f"The search for the variances of {sums.areas} areas did not settle; no figure is given."
        raise RelationError(message)
    return np.append(found[0][1], np.zeros(2 - free)), found[0][0]


def _varying(design: Floats, sums: _Sums) -> int:
    """Columns that differ between areas: years alone, shared by all areas, take up no areas."""
    means = np.stack([np.bincount(sums.code, weights=column) for column in design.T], axis=1) / sums.size[:, None]
    return 1 + int(np.sum(np.ptp(means[:, 1:], axis=0) > 1e-12))
