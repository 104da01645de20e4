"""What the joint model is fitted to: indicators of areas and years, their known errors, and which hang together.

The model, for indicator j of domain d(j) in area i and year t, all on standard scales, higher = better::

    y_ijt = alpha_jt + lambda_j f_i,d(j),t + gamma_j h_i,g(j),t + u_ij + eps_ijt + e_ijt
    f_it  = B' x_i + a_region(i) + b_it,     b_i ~ N(0, Omega (x) AR1(rho)),  diag(Omega) = 1

``f`` are the domain quantities and Omega their correlation given deprivation and region. ``e`` is the published
figure's error, of known size; errors of near-duplicates (a doublet) move together. ``h`` is what a doublet shares
beyond its domain, ``u`` what an indicator keeps from year to year, ``eps ~ N(0, psi_j²)`` its own part.

A domain in the formative form is one such column: the index's weighted sum, with the known error of that sum and no
part of its own (psi = 0); lambda is then the spread of the true sum given deprivation and region.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from outcomes_analysis.errors import Problems, RelationError, several

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells that have a figure, area by area and within an area block by block, as the compiled code reads them.

    Attributes
    ----------
    value, error : array (cells,)
        Figure and its known standard error.
    item, year : array of int (cells,)
        Item and year of each.
    column : array of int (cells,)
        Domain quantity each speaks to, domains by years, years running fastest.
    block_start : array of int (blocks + 1,)
        Where each block begins: cells of one area whose parts outside the domain are related.
    area_start : array of int (areas + 1,)
        Which block each area begins with.
    """

    value: Floats
    error: Floats
    item: Ints
    year: Ints
    column: Ints
    block_start: Ints
    area_start: Ints


@dataclass(frozen=True, eq=False)
class Structure:
    """Figures and the skeleton of the model.

    Attributes
    ----------
    values, errors : array (areas, years, items)
        On a standard scale, higher = better; NaN in ``values`` is missing. Errors are standard errors, 0 for exact.
    domain : array of int (items,)
        Number of each item's domain, from 0.
    doublet : array of int (items,)
        Number of the group of near-duplicates, from 0; -1 for an item that stands alone.
    formative : array of bool (items,)
        Whether the item is a domain's weighted sum: no part of its own.
    held : array (areas, covariates)
        What is allowed for (deprivation), centred and scaled.
    region : array of int (areas,)
        Number of each area's region, from 0.
    years : array of int (years,)
        Calendar years, increasing; gaps may be of any length.
    items, domains : tuple of str
        Names.
    basis : array (areas, waves), optional
        Columns of the graph's eigenvectors, scaled so that unit normals make a spatial field of variance about 1
        (:func:`~outcomes_analysis.relations.joint.graph.spatial_basis`); none for a model without space.
    """

    values: Floats
    errors: Floats
    domain: Ints
    doublet: Ints
    formative: npt.NDArray[np.bool_]
    held: Floats
    region: Ints
    years: Ints
    items: tuple[str, ...]
    domains: tuple[str, ...]
    basis: Floats | None = None

    def __post_init__(self) -> None:
        problems = Problems("figures of the joint model")
        n, t, j = self.values.shape
        shapes = {
            "errors": (self.errors.shape, (n, t, j)),
            "domain": (self.domain.shape, (j,)),
            "doublet": (self.doublet.shape, (j,)),
            "formative": (self.formative.shape, (j,)),
            "held": (self.held.shape[:1], (n,)),
            "region": (self.region.shape, (n,)),
            "years": (self.years.shape, (t,)),
        }
        wrong = [name for name, (found, wanted) in shapes.items() if found != wanted]
        if wrong:
            problems.add(f"{several(wrong)} do not fit {n} areas, {t} years and {j} items.")
            problems.raise_if_any(RelationError)
        self._check_columns(problems)
        present = np.isfinite(self.values)
        if not np.isfinite(self.errors[present]).all() or (self.errors[present] < 0).any():
            problems.add("some figures have no known error, or a negative one.")
        if not np.isfinite(self.held).all():
            problems.add("what is allowed for is missing in some areas; leave these out.")
        exact = [n for k, n in enumerate(self.items) if self.formative[k] and not (self._errors_of(k) > 0).all()]
        if exact:
            problems.add(f"{several(exact)} have errors of 0: a weighted sum has no part of its own to vary by.")
        problems.raise_if_any(RelationError)

    def _errors_of(self, item: int) -> Floats:
        return self.errors[:, :, item][np.isfinite(self.values[:, :, item])]

    def _check_columns(self, problems: Problems) -> None:
        flat = [name for k, name in enumerate(self.items) if not _varies(self.values[:, :, k])]
        if flat:
            problems.add(f"{len(flat)} items are the same in every area or missing: {several(flat)}. Leave them out.")
        empty = [name for d, name in enumerate(self.domains) if not (self.domain == d).any()]
        if empty:
            problems.add(f"no item speaks to {several(empty)}.")
        for d in np.unique(self.domain[self.formative]):
            if (self.domain == d).sum() > 1:
                problems.add(f"'{self.domains[d]}' is a weighted sum and has other items beside it; give it one.")
        if not (np.diff(self.years) > 0).all():
            problems.add("years must increase.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Areas, years and items."""
        n, t, j = self.values.shape
        return n, t, j

    @cached_property
    def regions(self) -> int:
        """How many regions there are."""
        return int(self.region.max()) + 1

    @cached_property
    def gaps(self) -> Floats:
        """Calendar years between each two years."""
        return np.abs(self.years[:, None] - self.years[None, :]).astype(float)

    @cached_property
    def cells(self) -> Cells:
        """The cells that have a figure, in the order of the compiled code."""
        n, t, j = self.shape
        # doublets first, then items alone; a year apart is a block apart unless something outlasts the year
        block = np.where(self.doublet >= 0, self.doublet, self.doublet.max() + 1 + np.arange(j))
        area, year, item = np.nonzero(np.isfinite(self.values))
        order = np.lexsort((year, item, block[item], area))
        area, year, item = area[order], year[order], item[order]
        key = area * (block.max() + 1) + block[item]
        starts = np.flatnonzero(np.concatenate([[True], np.diff(key) != 0]))
        return Cells(
            value=self.values[area, year, item],
            error=self.errors[area, year, item],
            # unsigned: the compiled code need not look out for places counted from the end
            item=item.astype(np.uint64),
            year=year.astype(np.uint64),
            column=(self.domain[item] * t + year).astype(np.uint64),
            block_start=np.append(starts, len(key)).astype(np.int64),
            area_start=np.searchsorted(area[starts], np.arange(n + 1)).astype(np.int64),
        )

    def with_values(self, values: Floats) -> Structure:
        """The same skeleton around other figures, missing where these are missing."""
        return replace(self, values=np.where(np.isfinite(self.values), values, np.nan))


def _varies(values: Floats) -> bool:
    present = values[np.isfinite(values)]
    return len(present) > 1 and float(np.ptp(present)) > 0
