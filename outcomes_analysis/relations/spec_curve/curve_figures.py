"""The figures of every way of asking, each read once, and those of one way in standard deviations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.relations.sample import CHILDREN, MINIMUM_AREAS, Assembled, assemble, on_own_scale
from outcomes_analysis.relations.spec_curve.choices import MultiverseSpec, held_by
from outcomes_analysis.relations.spec_curve.rearranging import Floats, Places
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.sources.release import data_as_at

SMALLEST_SHARE = 0.1  # of authorities, those with the fewest children


class CurveFigures:
    """The figures of every question, each read once."""

    def __init__(self, observations: pd.DataFrame, *, framework: Framework, areas: pd.DataFrame) -> None:
        self.observations, self.framework, self.areas = observations, framework, areas
        self.signs: dict[str, int] = {}
        self.periods: dict[str, dict[int, str]] = {}
        self.sources: set[str] = set()
        self.used: dict[tuple[str, int], dict[str, float]] = {}
        self._even: dict[tuple[str, int, int], Floats] = {}

    @classmethod
    def of(
        cls, spec: MultiverseSpec, *, observations: pd.DataFrame, framework: Framework, areas: pd.DataFrame
    ) -> CurveFigures:
        """Keep the figures that any choice names, and say which of them change sign.

        Parameters
        ----------
        spec, observations, framework, areas
            As in :func:`~.curves.multiverse`.
        """
        ids = {i for c in spec.adjustments for i in held_by(c.value)} | set(spec.mediators) | set(spec.colliders)
        ids |= {str(c.value) for c in (*spec.outcomes, *spec.predictors)}
        for name in sorted(ids):
            framework.indicator(name)
        kept = observations["indicator_id"].isin([*ids, CHILDREN]) & observations["area_code"].isin(areas.index)
        kept &= observations["group_type"].eq("all") & observations["group"].eq("all")
        figures = cls(observations[kept], framework=framework, areas=areas)
        for choices in (spec.outcomes, spec.predictors):
            first = framework.indicator(str(choices[0].value)).direction
            for choice in choices:
                other = framework.indicator(str(choice.value)).direction
                figures.signs[str(choice.value)] = -1 if first * other < 0 else 1
        return figures

    def lined_up(self, question: RelationSpec) -> Assembled:
        """Areas by variables, with everything that is to be allowed for.

        Raises
        ------
        RelationError
            If a figure is missing for the year.
        """
        found = assemble(self.observations, spec=question, framework=self.framework, areas=self.areas)
        if found.withheld:
            lacking = "; ".join(f"'{i}' has {reason}" for i, reason in found.withheld.items())
            raise RelationError(lacking)
        for indicator, period in found.periods.items():
            self.periods.setdefault(indicator, {})[question.year] = period
            values = self.used.setdefault((indicator, question.year), {})
            values.update(zip(found.data.index, found.data[indicator], strict=True))
        self.sources.update(found.sources)
        return found

    def columns(self, found: Assembled, question: RelationSpec, transformation: str) -> pd.DataFrame:
        """Variables in one transformation, outcome and predictor turned to the first choice's way."""
        names = list(found.periods)
        data = found.data[names].astype(float)
        if transformation == "even_scale":
            for name in names:
                key = (name, question.year, hash(tuple(data.index)))
                if key not in self._even:
                    even = on_own_scale(
                        self.observations, name, year=question.year, assembled=found, framework=self.framework
                    )
                    self._even[key] = even["x"].to_numpy(float)
                data[name] = self._even[key]
        for name in (question.outcome, question.predictor):
            data[name] = self.signs[name] * data[name]
        data.attrs["ranked"] = transformation == "ranks"
        return data

    def all_even(self, found: Assembled) -> bool:
        """Whether every variable's own scale is the one it is published on."""
        return all(self.framework.indicator(name).scale == "identity" for name in found.periods)

    def manifest(self, spec: MultiverseSpec, *, seed: int) -> RunManifest:
        """What was used, once every way has been asked.

        Parameters
        ----------
        spec, seed
            As in :func:`~.curves.multiverse`.
        """
        sources = tuple(sorted(self.sources))
        used = [[i, year, sorted(values.items())] for (i, year), values in sorted(self.used.items())]
        return RunManifest(
            data=hash_of(used),
            data_as_at=data_as_at(sources) or str(self.observations.attrs.get("data_as_at", "")),
            spec=spec.hash,
            seed=seed,
            sources=sources,
        )


@dataclass(frozen=True, eq=False)
class Case:
    """Figures of one question, sample and transformation, in standard deviations."""

    outcome: Floats
    predictor: Floats
    held: Floats
    members: Places
    regions: pd.Series[Any]
    children: Floats

    @classmethod
    def of(
        cls, found: Assembled, columns: pd.DataFrame, question: RelationSpec, *, sample: str, figures: CurveFigures
    ) -> Case:
        """Figures of one way.

        Parameters
        ----------
        found, columns
            From :meth:`CurveFigures.lined_up` and :meth:`CurveFigures.columns`.
        question : RelationSpec
        sample : str
            A key of ``choices.SAMPLES``.
        figures : CurveFigures

        Raises
        ------
        RelationError
            If fewer than thirty authorities have every figure, or one is the same in all of them.
        """
        from scipy.stats import rankdata

        keep = _members(found, sample)
        if keep.sum() < MINIMUM_AREAS:
            message = f"only {keep.sum()} authorities have every figure; at least {MINIMUM_AREAS} are needed"
            raise RelationError(message)
        names = [question.outcome, question.predictor, *question.adjustment_sets[-1]]
        values = columns[names].to_numpy(float)[keep]
        if columns.attrs["ranked"]:
            values = rankdata(values, axis=0)
        constant = [name for name, spread in zip(names, np.ptp(values, axis=0), strict=True) if spread == 0]
        if constant:
            message = f"constant across the {len(values)} authorities: {several(constant)}"
            raise RelationError(message)
        scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
        codes = found.data.index[keep]
        return cls(
            outcome=scaled[:, 0],
            predictor=scaled[:, 1],
            held=scaled[:, 2:],
            members=figures.areas.index.get_indexer(codes),
            regions=found.data["region_code"][keep],
            children=found.children.loc[codes].to_numpy(float),
        )

    def levels(self, model: str) -> Floats:
        """A level for all, or one for each region."""
        if model == "regions":
            return pd.get_dummies(self.regions, dtype=float).to_numpy()
        return np.ones((len(self.outcome), 1))

    def weights(self, model: str) -> Floats | None:
        """Numbers of children where they count."""
        if model != "children":
            return None
        lacking = int(np.isnan(self.children).sum())
        if lacking:
            message = f"the number of children is not known for {wording.plural(lacking, 'authority', 'authorities')}"
            raise RelationError(message)
        return self.children


def _members(found: Assembled, sample: str) -> NDArray[np.bool_]:
    if sample == "without_london":
        return ~found.data["london"].to_numpy(bool)
    if sample == "without_smallest":
        children = found.children.loc[found.data.index]
        lacking = int(children.isna().sum())
        if lacking:
            message = f"the number of children is not known for {wording.plural(lacking, 'authority', 'authorities')}"
            raise RelationError(message)
        return (children > children.quantile(SMALLEST_SHARE)).to_numpy(bool)
    return np.ones(len(found.data), dtype=bool)
