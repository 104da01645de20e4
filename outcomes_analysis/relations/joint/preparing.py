"""From the tidy table to the figures of the joint model: one structure of indicators, one of weighted sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.building import IndexResult, build_index
from outcomes_analysis.index.matrix import IndicatorMatrix, build_matrix
from outcomes_analysis.provenance import hash_of
from outcomes_analysis.relations.joint.comparing_years import refuse_broken
from outcomes_analysis.relations.joint.graph import spatial_basis
from outcomes_analysis.relations.joint.structure import Floats, Structure
from outcomes_analysis.relations.sample import MINIMUM_AREAS

Form = Literal["reflective", "formative"]
LEAST_SPARE = 10  # authorities beyond the parameters of a domain's regression: as many as say how it spreads
LEAST_PARTS = 3  # with fewer, loadings and own parts of a domain cannot be told apart from its own figures


@dataclass(frozen=True, eq=False)
class JointFigures:
    """What the joint model is fitted to, in both measurement forms.

    Attributes
    ----------
    areas : DataFrame
        Indexed by ``area_code``: ``name, region_code, region_name``, in the order of the arrays.
    indicators, sums : Structure
        Every indicator as an item; every domain's weighted sum as an item.
    items : DataFrame
        Indexed by indicator: ``domain, doublet, centre, spread`` (of its score, by which it was standardised),
        ``areas`` (with a figure in any year).
    left_out : dict
        Reason for each authority left out, by name.
    dropped : dict
        Reason for each indicator left out.
    context : DataFrame
        What may be allowed for, area by area, on its own scale: deprivation, and other measures of it.
    too_few : tuple of str
        Domains with fewer than three parts that are not near-duplicates: as a weighted sum only.
    sources : tuple of str
        ``source_id`` of the figures used.
    hash : str
        Of figures, errors, deprivation and regions.
    """

    areas: pd.DataFrame
    indicators: Structure
    sums: Structure
    items: pd.DataFrame
    left_out: dict[str, str]
    dropped: dict[str, str]
    context: pd.DataFrame
    too_few: tuple[str, ...]
    sources: tuple[str, ...]
    hash: str

    def in_forms(self, forms: Mapping[str, Form]) -> Structure:
        """Each domain in its form: its indicators, or their weighted sum.

        Parameters
        ----------
        forms : mapping of str to str
            ``reflective`` or ``formative`` for every domain.

        Returns
        -------
        Structure
        """
        form = np.array([forms[name] for name in self.indicators.domains])
        keep, take = form[self.indicators.domain] == "reflective", form[self.sums.domain] == "formative"
        one, two = self.indicators, self.sums
        return replace(
            one,
            values=np.concatenate([one.values[:, :, keep], two.values[:, :, take]], axis=2),
            errors=np.concatenate([one.errors[:, :, keep], two.errors[:, :, take]], axis=2),
            domain=np.concatenate([one.domain[keep], two.domain[take]]),
            doublet=np.concatenate([one.doublet[keep], two.doublet[take]]),
            formative=np.concatenate([one.formative[keep], two.formative[take]]),
            items=(
                *(n for n, k in zip(one.items, keep, strict=True) if k),
                *(n for n, k in zip(two.items, take, strict=True) if k),
            ),
        )

    def holding(self, names: Sequence[str]) -> JointFigures | None:
        """The same with something else allowed for; None where that is not known for every area."""
        if not set(names) <= set(self.context.columns) or self.context[list(names)].isna().any(axis=None):
            return None
        held = _standard(self.context[list(names)])
        return replace(self, indicators=replace(self.indicators, held=held), sums=replace(self.sums, held=held))

    def off_the_map(self) -> JointFigures:
        """The same without a map; itself if it has none."""
        if self.indicators.basis is None:
            return self
        return replace(self, indicators=replace(self.indicators, basis=None), sums=replace(self.sums, basis=None))

    def only(self, keep: pd.Series) -> JointFigures:
        """The same of some areas; standardised as before, so that answers can be compared.

        Raises
        ------
        RelationError
            If there is a map and what is left of it falls into parts.
        """
        inside = keep.reindex(self.areas.index).to_numpy(bool)
        region = np.asarray(pd.factorize(self.indicators.region[inside], sort=True)[0])
        basis = None if self.indicators.basis is None else map_basis(self.areas.index[inside])

        def some(s: Structure) -> Structure:
            rest = {"values": s.values[inside], "errors": s.errors[inside], "held": s.held[inside]}
            return replace(s, region=region, basis=basis, **rest)

        return replace(
            self,
            areas=self.areas[inside],
            context=self.context[inside],
            indicators=some(self.indicators),
            sums=some(self.sums),
        )


def prepare_joint(
    observations: pd.DataFrame,
    *,
    framework: Framework,
    areas: pd.DataFrame,
    periods: Sequence[int],
    deprivation: Sequence[str],
    beside: Sequence[str] = (),
    spatial: bool = False,
) -> JointFigures:
    """Line up every indicator of the default index with its error, and the domains' weighted sums with theirs.

    Parameters
    ----------
    observations : DataFrame
        The tidy table with ``se_total``.
    framework : Framework
        Which indicators, in which domain, which near-duplicates.
    areas : DataFrame
        Authorities, indexed by ``area_code``: ``name, region_code, region_name``.
    periods : sequence of int
        Years by whose end figures were measured. With several, a figure carried forward counts in its first year only.
    deprivation : sequence of str
        Indicators allowed for; the latest figure by the last year, taken to be exact.
    beside : sequence of str
        Others to be brought along in ``context``.
    spatial : bool
        Also who neighbours whom; an island is linked with the nearest authority.

    Returns
    -------
    JointFigures

    Raises
    ------
    RelationError
        If deprivation is known for too few authorities or does not vary between them, a domain has nothing left, a
        declared break lies among the figures, there are fewer authorities than the regression of a domain has
        parameters, or (with ``spatial``) the map falls into parts.
    """
    years = sorted({int(p) for p in periods})
    along = [*deprivation, *beside]
    matrices = [build_matrix(observations, framework=framework, period=y, include=along) for y in years]
    areas = areas.sort_index()
    context = matrices[-1].transformed.reindex(index=areas.index, columns=along)
    known = context[list(deprivation)].notna().all(axis=1)
    left_out = {str(areas.at[code, "name"]): f"no figure of {several(deprivation)}" for code in areas.index[~known]}
    if known.sum() < MINIMUM_AREAS:
        message = (
            f"{several(deprivation)} by {years[-1]} is known for {known.sum()} authorities; at least {MINIMUM_AREAS} "
            "are needed. Choose another measure of deprivation or another year."
        )
        raise RelationError(message)
    areas, context = areas[known], context[known]
    _check_held(context[list(deprivation)], areas)
    fresh = _without_repeats([_without(m, along) for m in matrices])
    refuse_broken(fresh, framework=framework, names=list(fresh[-1].values.columns))
    indices = [build_index(m) for m in fresh]
    domains = indices[-1].domains
    weights = {d: indices[-1].nodes[d].weights.index for d in domains}
    domain_of = {str(name): d for d, names in weights.items() for name in names}
    panels = [m.standardised() for m in fresh]
    scores, errors = (
        np.stack([p[k].reindex(index=areas.index, columns=list(domain_of)).to_numpy(float) for p in panels], axis=1)
        for k in (0, 1)
    )
    table, values, spreads, dropped = _standardised(scores, errors, list(domain_of))
    table["domain"] = [domain_of[name] for name in table.index]
    doublets = pd.Series({name: framework.indicator(name).doublet for name in table.index}, dtype=object)
    table["doublet"] = doublets.where(doublets.map(doublets.value_counts()).gt(1), "")
    missing = [d for d in domains if not table["domain"].eq(d).any()]
    if missing:
        message = f"No indicator of {several(missing)} has {MINIMUM_AREAS} figures with a known error by {years[-1]}."
        raise RelationError(message)
    groups = sorted(set(table["doublet"]) - {""})
    shared: dict[str, Any] = {
        "held": _standard(context[list(deprivation)]),
        "region": np.asarray(pd.factorize(areas["region_code"], sort=True)[0]),
        "years": np.array(years),
        "domains": tuple(domains),
        "basis": map_basis(areas.index) if spatial else None,
    }
    indicators = Structure(
        values=values,
        errors=spreads,
        domain=np.array([domains.index(d) for d in table["domain"]]),
        doublet=np.array([groups.index(g) if g else -1 for g in table["doublet"]]),
        formative=np.zeros(len(table), dtype=bool),
        items=tuple(table.index),
        **shared,
    )
    sums = _sums(indices, areas, shared)
    parts = table.assign(part=table["doublet"].where(table["doublet"].ne(""), table.index))
    counts = parts.groupby("domain")["part"].nunique()
    return JointFigures(
        areas=areas,
        indicators=indicators,
        sums=sums,
        items=table,
        left_out=left_out,
        dropped=dropped,
        context=context,
        too_few=tuple(d for d in domains if counts[d] < LEAST_PARTS),
        sources=tuple(sorted({s for m in matrices for s in m.manifest.sources})),
        hash=_hash(indicators, sums),
    )


def map_basis(area_codes: Sequence[str] | pd.Index) -> Floats:
    """Waves of the map of some authorities.

    Parameters
    ----------
    area_codes : sequence of str

    Returns
    -------
    array (areas, waves)
        As :func:`~outcomes_analysis.relations.joint.graph.spatial_basis`.

    Raises
    ------
    RelationError
        If one has no outline or is too small to be compared with neighbours, or the map falls into parts.
    """
    from outcomes_analysis.relations.space.weights import neighbours_of

    found = neighbours_of(list(area_codes))
    one, other = np.nonzero(found.matrix)
    return spatial_basis(zip(one.tolist(), other.tolist(), strict=True), len(found.area_codes))


def _check_held(held: pd.DataFrame, areas: pd.DataFrame) -> None:
    """Refuse what cannot be allowed for: the same everywhere, told by the others or the region, or too many of it."""
    flat = [str(name) for name in held if not held[name].std() > 1e-9]  # a mean of like numbers rounds
    if flat:
        message = f"{several(flat)} is the same in every authority, so that nothing is allowed for by it. Leave it out."
        raise RelationError(message)
    regions = pd.get_dummies(areas["region_code"], dtype=float)
    columns = regions.shape[1] + held.shape[1]
    if len(held) < LEAST_SPARE + columns:
        message = (
            f"{len(held)} authorities are too few to allow for {several(held.columns)} and "
            f"{regions.shape[1]} regions: {LEAST_SPARE + columns} are needed. Allow for fewer things."
        )
        raise RelationError(message)
    design = np.column_stack([regions, (held - held.mean()) / held.std(ddof=1)])
    if np.linalg.matrix_rank(design, tol=1e-6 * np.sqrt(len(design))) < columns:
        message = (
            f"{several(held.columns)} cannot be told apart from one another and the region: one follows exactly from "
            "the rest. Allow for fewer things."
        )
        raise RelationError(message)


def _standard(held: pd.DataFrame) -> Floats:
    return ((held - held.mean()) / held.std(ddof=1)).to_numpy(float)


def _without(matrix: IndicatorMatrix, names: Sequence[str]) -> IndicatorMatrix:
    """Leave out what was only brought along to be allowed for."""
    frames = ("values", "se_sampling", "se_total", "transformed", "transformed_error", "status", "measured", "age")
    return replace(matrix, **{f: getattr(matrix, f).drop(columns=list(names), errors="ignore") for f in frames})


def _without_repeats(matrices: list[IndicatorMatrix]) -> list[IndicatorMatrix]:
    """Blank out figures that were carried forward from a year before: a figure is one measurement, not two."""
    found = matrices[:1]
    for before, now in pairwise(matrices):
        names = now.values.columns
        repeated = now.measured[names].eq(before.measured.reindex(columns=names)) & now.values.notna()
        frames = ("values", "se_sampling", "se_total", "transformed", "transformed_error")
        found.append(replace(now, **{f: getattr(now, f).where(~repeated) for f in frames}))
    return found


def _standardised(
    scores: Floats, errors: Floats, names: list[str]
) -> tuple[pd.DataFrame, Floats, Floats, dict[str, str]]:
    """Centre each item and divide by its sd between authorities within a year; leave out what cannot be used."""
    values = np.where(np.isfinite(errors), scores, np.nan)
    counts = np.isfinite(values).any(axis=1).sum(axis=0)
    usable = counts >= MINIMUM_AREAS
    dropped = {
        name: f"{count} authorities have a figure with a known error"
        for name, count, enough in zip(names, counts, usable, strict=True)
        if not enough
    }
    values, errors = values[:, :, usable], errors[:, :, usable]
    centre = np.nanmean(values, axis=(0, 1))
    spread = _spread_within_years(values)
    flat = ~(spread > 0)
    if flat.any():
        same = [n for n, f in zip(np.array(names)[usable], flat, strict=True) if f]
        message = f"{len(same)} indicators are the same in every authority: {several(same)}. Leave them out."
        raise RelationError(message)
    table = pd.DataFrame(
        {"centre": centre, "spread": spread, "areas": counts[usable]},
        index=pd.Index(np.array(names)[usable], name="indicator_id"),
    )
    return table, (values - centre) / spread, errors / spread, dropped


def _spread_within_years(values: Floats) -> Floats:
    """Sd between authorities, within a year and pooled over the years."""
    present = np.isfinite(values)
    yearly = present.sum(axis=0)
    with np.errstate(invalid="ignore"):
        means = np.where(present, values, 0).sum(axis=0) / np.maximum(yearly, 1)
    squares = np.where(present, (values - means) ** 2, 0).sum(axis=(0, 1))
    return np.sqrt(squares / np.maximum((yearly - 1).clip(min=0).sum(axis=0), 1))


def _sums(indices: list[IndexResult], areas: pd.DataFrame, shared: Mapping[str, Any]) -> Structure:
    """Each domain's score in the default index, with the standard error the index gives it."""
    domains = list(shared["domains"])
    codes = indices[-1].matrix.values.index
    place = codes.get_indexer(areas.index)
    scores, errors = (
        np.stack([np.column_stack([getattr(i.nodes[d], name)[place] for d in domains]) for i in indices], axis=1)
        for name in ("estimate", "error")
    )
    table, values, spreads, dropped = _standardised(scores, errors, domains)
    if dropped:
        message = f"The index cannot be computed for {several(dropped)}: {several(dropped.values())}."
        raise RelationError(message)
    d = len(table)
    return Structure(
        values=values,
        errors=spreads,
        domain=np.arange(d),
        doublet=np.full(d, -1),
        formative=np.ones(d, dtype=bool),
        items=tuple(table.index),
        **shared,
    )


def _hash(*structures: Structure) -> str:
    return hash_of(
        [
            {
                "items": s.items,
                "years": s.years.tolist(),
                **({} if s.basis is None else {"map": np.round(s.basis @ s.basis.T, 6).tolist()}),
                "held": np.round(s.held, 9).tolist(),
                "region": s.region.tolist(),
                "values": np.round(np.nan_to_num(s.values, nan=-999), 9).tolist(),
                "errors": np.round(np.nan_to_num(s.errors, nan=-999), 9).tolist(),
            }
            for s in structures
        ]
    )
