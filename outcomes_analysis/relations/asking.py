"""A question lined up with its figures: what every analysis of it starts from, so that all speak of the same areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.correlation.correlation import resamples
from outcomes_analysis.relations.sample import MINIMUM_AREAS, Assembled, assemble, refuse_breaks
from outcomes_analysis.relations.sentences import short_name
from outcomes_analysis.relations.specification import RelationSpec, Sample
from outcomes_analysis.sources.release import data_as_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 4_000  # Monte Carlo error of a 5 % quantile of a correlation: about .003, below the two decimals shown


@dataclass(frozen=True, eq=False)
class Asked:
    """A question of one pair and one year with its figures.

    Attributes
    ----------
    spec, framework, observations
        The question, what its indicators are, and the tidy table it is answered from.
    assembled : Assembled
        Areas by variables.
    level : float
        Of every interval.
    drawn : array of int, shape (draws, areas)
        Areas drawn again, the same for every analysis.
    seed : int or None
        By which they were drawn.
    further : int
        Drawn from the same generator: the start of draws for analyses that rest on fewer areas.
    """

    spec: RelationSpec
    framework: Framework
    observations: pd.DataFrame
    assembled: Assembled
    level: float
    drawn: NDArray[np.intp]
    seed: int | None
    further: int

    @property
    def predictor(self) -> Indicator:
        """The first of the pair."""
        return self.framework.indicator(self.spec.predictor)

    @property
    def outcome(self) -> Indicator:
        """The second of the pair."""
        return self.framework.indicator(self.spec.outcome)

    @property
    def names(self) -> dict[str, str]:
        """Name of every indicator of the question as it stands inside a sentence."""
        return {i: short_name(self.framework.indicator(i)) for i in self.spec.roles}

    def keep(self, sample: Sample) -> NDArray[np.bool_]:
        """Say which of the areas assembled belong to a sample."""
        london = self.assembled.data["london"].to_numpy(bool)
        return ~london if sample == "without_london" else np.ones(len(london), dtype=bool)

    def cases(self) -> Iterator[tuple[Sample, tuple[str, ...], str]]:
        """Sample, what is allowed for, and why there is no answer (empty if there is): every way of asking."""
        without = self.assembled.withheld
        for sample in self.spec.samples:
            n = int(self.keep(sample).sum())
            for controls in self.spec.adjustment_sets:
                lacking = [f"{self.names[c]} has {without[c]}" for c in controls if c in without]
                few = f"only {n} authorities have every figure; at least {MINIMUM_AREAS} are needed"
                yield sample, controls, "; ".join(lacking) or ("" if n >= MINIMUM_AREAS else few)

    def shared(self, sample: Sample, controls: tuple[str, ...]) -> dict[str, Any]:
        """Columns of the table that every estimate of one case has in common."""
        n = int(self.keep(sample).sum())
        return {"adjusted_for": "+".join(controls), "sample": sample, "n": n, "level": self.level}

    def drawn_again(self, n: int) -> NDArray[np.intp]:
        """Draws for an analysis of fewer areas, the same each time it is asked for."""
        return resamples(n, draws=len(self.drawn), rng=np.random.default_rng([self.further, n]))

    def manifest(self, figures: pd.DataFrame | None = None) -> RunManifest:
        """What an answer was made from; ``figures`` where more than the assembled ones were used."""
        data = self.assembled.data if figures is None else figures
        sources = self.assembled.sources
        return RunManifest(
            data=hash_of(data.reset_index().to_dict(orient="list")),
            data_as_at=data_as_at(sources) or str(self.observations.attrs.get("data_as_at", "")),
            spec=self.spec.hash,
            seed=self.seed,
            sources=sources,
        )


def defaults(
    framework: Framework | None, observations: pd.DataFrame | None, areas: pd.DataFrame | None
) -> tuple[Framework, pd.DataFrame, pd.DataFrame]:
    """Give the project's own framework, release and ranked authorities where none are given."""
    from outcomes_analysis.areas.register import upper_tier
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.sources.release import load_observations

    return (
        load_framework() if framework is None else framework,
        load_observations() if observations is None else observations,
        upper_tier(ranked_only=True) if areas is None else areas,
    )


def ask(
    spec: RelationSpec,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int | np.random.Generator = SEED,
) -> Asked:
    """Line up the figures of a question of one pair.

    Parameters
    ----------
    spec : RelationSpec
        Its first predictor and its last year count; see ``RelationSpec.pairs``.
    observations, framework, areas
        By default the release, the Common Outcomes Framework and the ranked upper-tier authorities.
    level, draws, seed
        Of the intervals by drawing areas again.

    Raises
    ------
    FrameworkError
        If an indicator is not known.
    RelationError
        If the years lie across a declared break, or a figure is missing for the last of them or known for too few
        authorities.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    for indicator in spec.roles:
        framework.indicator(indicator)
    refuse_breaks(spec, framework=framework)
    assembled = assemble(observations, spec=spec, framework=framework, areas=areas)
    rng = np.random.default_rng(seed)
    drawn = resamples(len(assembled.data), draws=draws, rng=rng)
    return Asked(
        spec=spec,
        framework=framework,
        observations=observations,
        assembled=assembled,
        level=level,
        drawn=drawn,
        seed=seed if isinstance(seed, int) else None,
        further=int(rng.integers(2**62)),
    )


def computed(
    shared: dict[str, Any],
    estimate: float,
    lower: float,
    upper: float,
    *,
    method: str,
    reason: str = "",
    p_value: float = np.nan,
) -> dict[str, Any]:
    """Row of an estimate; ``reason`` is what a reader must know of it."""
    return {
        **shared,
        "p_value": float(p_value),
        "estimate": float(estimate),
        "lower": float(lower),
        "upper": float(upper),
        "interval": "figures",
        "method": method,
        "status": "computed",
        "reason": reason,
    }


def withheld(shared: dict[str, Any], reason: str) -> dict[str, Any]:
    """Row without an estimate, and why."""
    empty = {"estimate": np.nan, "lower": np.nan, "upper": np.nan, "interval": "figures", "method": "", "unit": ""}
    return {**empty, **shared, "status": "withheld", "reason": reason}
