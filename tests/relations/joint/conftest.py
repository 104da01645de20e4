"""Figures of a known truth for the tests of the joint model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from outcomes_analysis.relations.joint.structure import Structure


def skeleton(
    seed: int = 0,
    *,
    areas: int = 153,
    years: int = 1,
    items: int = 40,
    domains: int = 5,
    regions: int = 9,
    missing: float = 0.09,
    doublets: tuple[tuple[int, ...], ...] = (),
    formative: tuple[int, ...] = (),
    waves: int = 0,
) -> Structure:
    """Areas, errors (.1 to .5 sd) and missing cells as the design has them; figures are only there to be replaced."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(areas, years, items))
    values[rng.random(values.shape) < missing] = np.nan
    doublet = np.full(items, -1)
    for number, members in enumerate(doublets):
        doublet[list(members)] = number
    alone = np.isin(np.arange(items), formative)  # a weighted sum has its domain to itself
    domain = np.empty(items, dtype=int)
    domain[~alone] = np.sort(np.arange((~alone).sum()) % max(domains - alone.sum(), 1))
    domain[alone] = domains - alone.sum() + np.arange(alone.sum())
    return Structure(
        values=values,
        errors=0.1 + 0.4 * rng.random(values.shape),
        domain=domain,
        doublet=doublet,
        formative=alone,
        held=rng.normal(size=(areas, 1)),
        region=np.arange(areas) % regions,
        years=np.array([2018, 2019, 2022, 2023, 2024])[:years],  # with a gap
        items=tuple(f"item {k}" for k in range(items)),
        domains=tuple(f"domain {k}" for k in range(domains)),
        basis=rng.normal(size=(areas, waves)) if waves else None,
    )


@pytest.fixture(scope="session")
def make_skeleton() -> Callable[..., Structure]:
    """The function above."""
    return skeleton
