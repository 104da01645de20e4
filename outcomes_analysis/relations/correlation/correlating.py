"""Every correlation of a question: raw and with each confounder allowed for, with and without London, compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import RelationError
from outcomes_analysis.relations.asking import Asked, computed, withheld
from outcomes_analysis.relations.cautions import near_duplicates
from outcomes_analysis.relations.correlation.autocorrelation import coordinates_of, modified_t_test
from outcomes_analysis.relations.correlation.correlation import Correlation, Method, correlate, difference
from outcomes_analysis.relations.correlation.noise import take_out_noise
from outcomes_analysis.relations.sample import MINIMUM_AREAS, on_own_scale
from outcomes_analysis.relations.specification import Sample

CORRELATIONS = ("spearman", "pearson", "spearman_neighbours", "pearson_even", "pearson_noise_out")
PLAIN: tuple[Method, ...] = ("spearman", "pearson")
DRAWN_AGAIN = "percentiles of authorities drawn again"
Case = tuple[str, str, str]  # analysis, adjusted_for, sample


@dataclass(frozen=True, eq=False)
class Correlated:
    """The correlations of one question.

    Attributes
    ----------
    rows : list of dict
        Rows of the result's table.
    found : dict
        Each plain correlation with its draws, by analysis, ``adjusted_for`` and sample.
    effective : dict
        Separate authorities that those of a case are worth, neighbours allowed for, by ``adjusted_for`` and sample.
    reliability : dict
        Share of what differs that is not noise, predictor and outcome, likewise.
    """

    rows: list[dict[str, Any]]
    found: dict[Case, Correlation]
    effective: dict[tuple[str, str], float]
    reliability: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def compared(self, *, level: float) -> pd.DataFrame:
        """How far each correlation lies from the one it is read beside, with the interval of that difference.

        Returns
        -------
        DataFrame
            ``analysis, adjusted_for, sample`` of the one, ``with_adjusted_for, with_sample`` of the other,
            ``estimate, lower, upper, level`` of the first less the second. With something allowed for beside nothing
            allowed for, without London beside all, each with the rest the same. Widened as much as the likeness of
        neighbours widens the correlation itself, where that is known.
        """
        areas = {(row["adjusted_for"], row["sample"]): row["n"] for row in self.rows if row["analysis"] == "spearman"}
        widening = {case: max(1.0, np.sqrt(areas[case] / worth)) for case, worth in self.effective.items()}
        rows = []
        for (analysis, alike, sample), one in self.found.items():
            for beside in ((analysis, "", sample), (analysis, alike, "all")):
                if beside == (analysis, alike, sample) or beside not in self.found:
                    continue
                both = [widening.get(case, 1.0) for case in ((alike, sample), beside[1:])]
                apart = difference(one, self.found[beside], widened=max(both), level=level)
                rows.append((analysis, alike, sample, beside[1], beside[2], *apart, level))
        names = ["analysis", "adjusted_for", "sample", "with_adjusted_for", "with_sample"]
        return pd.DataFrame(rows, columns=[*names, "estimate", "lower", "upper", "level"])


def correlated(asked: Asked) -> Correlated:
    """Work out every correlation of a question.

    Raises
    ------
    RelationError
        If a variable is constant or given by another. The corrected ones stand beside the answer: where one of them
        cannot be had, its row is withheld with the reason.
    """
    found = Correlated([], {}, {})
    scaled = _on_own_scales(asked)
    for sample, controls, reason in asked.cases():
        shared = asked.shared(sample, controls) | {"scale": "correlation", "unit": "correlation"}
        if reason:
            found.rows.extend(withheld({**shared, "analysis": name}, reason) for name in CORRELATIONS)
            continue
        _as_they_are(asked, shared, sample=sample, controls=controls, into=found)
        _neighbours_allowed_for(asked, shared, sample=sample, controls=controls, into=found)
        _noise_taken_out(asked, shared, scaled, sample=sample, controls=controls, into=found)
    return found


def _as_they_are(
    asked: Asked, shared: dict[str, Any], *, sample: Sample, controls: tuple[str, ...], into: Correlated
) -> None:
    data = asked.assembled.data
    x, y = (data[i].to_numpy(float) for i in (asked.spec.predictor, asked.spec.outcome))
    held = data[list(controls)].to_numpy(float) if controls else None
    keep = asked.keep(sample)
    some = None if keep.all() else keep
    for method in PLAIN:
        one = correlate(x, y, draws=asked.drawn, controls=held, keep=some, method=method, level=asked.level)
        into.found[method, shared["adjusted_for"], sample] = one
        into.rows.append(computed({**shared, "analysis": method}, *one[:3], method=DRAWN_AGAIN))


def _neighbours_allowed_for(
    asked: Asked, shared: dict[str, Any], *, sample: Sample, controls: tuple[str, ...], into: Correlated
) -> None:
    row = {**shared, "analysis": "spearman_neighbours"}
    data = asked.assembled.data[asked.keep(sample)]
    try:
        places = coordinates_of([str(code) for code in data.index])
        ranks = data[[asked.spec.predictor, asked.spec.outcome, *controls]].rank().to_numpy(float)
        held = ranks[:, 2:] if controls else None
        one = modified_t_test(ranks[:, 0], ranks[:, 1], places, controls=held, level=asked.level)
    except RelationError as error:
        into.rows.append(withheld(row, str(error)))
        return
    note = f"worth about {one.effective:.0f} separate authorities"
    method = "Fisher's interval on the effective number of authorities (modified t-test)"
    into.rows.append(computed(row, *one[:3], method=method, reason=note, p_value=one.p))
    into.effective[shared["adjusted_for"], sample] = one.effective


def _on_own_scales(asked: Asked) -> dict[str, pd.DataFrame]:
    """Every variable with its error, on the scale on which its errors are even."""
    return {
        name: on_own_scale(
            asked.observations, name, year=asked.spec.year, assembled=asked.assembled, framework=asked.framework
        )
        for name in asked.spec.roles
        if name in asked.assembled.data
    }


def _noise_taken_out(
    asked: Asked,
    shared: dict[str, Any],
    scaled: dict[str, pd.DataFrame],
    *,
    sample: Sample,
    controls: tuple[str, ...],
    into: Correlated,
) -> None:
    data = asked.assembled.data[asked.keep(sample)]
    names = (asked.spec.predictor, asked.spec.outcome, *controls)
    values = pd.DataFrame({name: scaled[name]["x"] for name in names}).loc[data.index]
    errors = pd.DataFrame({name: scaled[name]["scaled_error"] for name in names[:2]}).loc[data.index]
    known = (errors.notna().all(axis=1) & values.notna().all(axis=1)).to_numpy()
    row = {**shared, "n": int(known.sum())}
    analyses = ("pearson_even", "pearson_noise_out")
    if known.sum() < MINIMUM_AREAS:
        reason = f"the errors of both figures are known for {known.sum()} authorities; {MINIMUM_AREAS} are needed"
        into.rows.extend(withheld({**row, "analysis": name}, reason) for name in analyses)
        return
    if near_duplicates(asked.predictor, asked.outcome):
        reason = "the errors of near-duplicates move together, so they cannot be taken out one by one"
        into.rows.extend(withheld({**row, "analysis": name}, reason) for name in analyses)
        return
    v, e = values[known].to_numpy(float), errors[known].to_numpy(float)
    try:
        repaired = take_out_noise(
            v[:, 0],
            v[:, 1],
            errors=(e[:, 0], e[:, 1]),
            draws=asked.drawn_again(len(v)),
            controls=v[:, 2:] if controls else None,
            level=asked.level,
        )
    except RelationError as error:
        into.rows.extend(withheld({**row, "analysis": name}, str(error)) for name in analyses)
        return
    note = f"share that is not noise: {repaired.reliability[0]:.2f} and {repaired.reliability[1]:.2f}"
    into.rows.append(computed({**row, "analysis": analyses[0]}, *repaired.ignored[:3], method=DRAWN_AGAIN))
    into.rows.append(
        computed({**row, "analysis": analyses[1]}, *repaired.corrected[:3], method=DRAWN_AGAIN, reason=note)
    )
    into.reliability[shared["adjusted_for"], sample] = repaired.reliability
