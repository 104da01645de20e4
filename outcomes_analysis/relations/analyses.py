"""One kind of analysis at a time, for any number of predictors: correlations, slopes, and what a slope can bear."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.errors import RelationError
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.project import LEVEL, SEED
from outcomes_analysis.provenance import RunManifest
from outcomes_analysis.relations.asking import DRAWS, Asked, ask, computed, defaults, withheld
from outcomes_analysis.relations.cautions import cautions
from outcomes_analysis.relations.correlation.correlating import correlated
from outcomes_analysis.relations.result import RelationResult, headline_row, table_of
from outcomes_analysis.relations.sentences import (
    checked,
    is_clear,
    marks,
    measured,
    own_words,
    tally_sentence,
    unmeasured_sentence,
    with_capital,
)
from outcomes_analysis.relations.slopes.regressing import STANDARD_UNIT, sloped
from outcomes_analysis.relations.specification import RelationSpec

FALSE_SHARE = 0.1  # of the associations called clear among many that may be called so by chance


def correlations(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = SEED,
) -> RelationResult:
    """Correlations of an outcome with each of several predictors, with what many tries at once do to them.

    Parameters
    ----------
    observations : DataFrame, optional
        The tidy table; by default the release. Whole-population figures that are published or estimated are used, and
        for each pair the authorities that have both.
    spec : RelationSpec
        The question; its last year counts. Where a predictor and the outcome tie children to areas in different ways,
        the answer is given without London too, whatever ``samples`` says.
    framework, areas
        By default the Common Outcomes Framework and the ranked upper-tier authorities.
    level, draws, seed
        Of the intervals by drawing areas again.

    Returns
    -------
    RelationResult
        Rows ``spearman, pearson, spearman_neighbours, pearson_even, pearson_noise_out``, for each predictor, with
        something allowed for or not, and for each sample. ``q_value``: Benjamini and Hochberg (1995) over the
        predictors, case by case. ``data`` are the figures of the first predictor.

    Raises
    ------
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`.
    """
    asked = ask_each(spec, observations, framework=framework, areas=areas, level=level, draws=draws, seed=seed)
    tables = [table_of(correlated(one).rows, names=one.names).assign(predictor=one.spec.predictor) for one in asked]
    table = with_false_discovery(pd.concat(tables, ignore_index=True))
    raw = [headline_row(part) for _, part in table.groupby("predictor", sort=False)]
    clear = [row for row in raw if row["status"] == "computed" and is_clear(row)]
    stand = [row for row in clear if not row["q_value"] > FALSE_SHARE]
    names = {i: n for one in asked for i, n in one.names.items()}
    outcome = asked[0].names[spec.outcome]
    tried = wording.plural(len(raw), "indicator is", "indicators are")
    verb = "has an interval that leaves" if len(clear) == 1 else "have intervals that leave"
    said = [f"{tried} set against {outcome}, with the likeness of neighbours allowed for; {len(clear)} {verb} out 0."]
    if len(raw) > 1:
        said.append(
            f"Of so many tries some would by chance: {len(stand)} still stand when at most one in "
            f"{round(1 / FALSE_SHARE)} of those named is to be chance."
        )
    said += [
        f"{with_capital(names[row['predictor']])}: rank correlation {measured(row)}."
        for row in raw
        if row["status"] == "computed"
    ]
    return answer_of(asked, table, " ".join(said), spec=spec)


def regressions(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    seed: int = SEED,
) -> RelationResult:
    """Slopes of an outcome on each of several predictors, one at a time.

    Parameters
    ----------
    observations, spec, framework, areas, level
        As in :func:`correlations`; all years of the question enter the lines over several years.
    seed : int
        Of the bootstrap of ``ols_wild``; nothing else is drawn at random.

    Returns
    -------
    RelationResult
        Rows ``ols_robust, wls_children, ols_clustered, ols_wild, ols_region, mixed_region, mixed_authority`` and, for a
        proportion, ``fractional_logit``, in standard and natural units. A line that cannot be had is withheld with the
        reason.

    Raises
    ------
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`.
    """
    asked = ask_each(spec, observations, framework=framework, areas=areas, level=level, draws=1, seed=seed)
    found = [sloped(one) for one in asked]
    tables = [
        table_of(slopes.rows, names=one.names).assign(predictor=one.spec.predictor)
        for one, slopes in zip(asked, found, strict=True)
    ]
    said = [
        f"{with_capital(one.names[one.spec.predictor])} and {one.names[one.spec.outcome]}. {tally_sentence(table)}"
        for one, table in zip(asked, tables, strict=True)
    ]
    return answer_of(asked, pd.concat(tables, ignore_index=True), " ".join(said), spec=spec)


def unmeasured_characteristics(
    observations: pd.DataFrame | None = None,
    *,
    spec: RelationSpec,
    framework: Framework | None = None,
    areas: pd.DataFrame | None = None,
    level: float = LEVEL,
    seed: int = SEED,
) -> RelationResult:
    """How strong a characteristic of areas that is not in the figures would have to be to undo each slope.

    Parameters
    ----------
    observations, spec, framework, areas, level, seed
        As in :func:`regressions`; only cases with something allowed for, which serves as the measure.

    Returns
    -------
    RelationResult
        Rows ``unseen_as_strong``: the slope (standard units) that would be left if a further characteristic, just as
        strong as what ``reason`` names, were allowed for too. ``diagnostics["unmeasured"]`` has each
        :class:`outcomes_analysis.relations.slopes.unmeasured.Robustness` by predictor, ``adjusted_for`` and sample.

    Raises
    ------
    FrameworkError, RelationError
        As for :func:`outcomes_analysis.relations.relate`; also where nothing is allowed for.
    """
    asked = ask_each(spec, observations, framework=framework, areas=areas, level=level, draws=1, seed=seed)
    rows, said, kept = [], [], {}
    for one in asked:
        pair = (one.names[one.spec.predictor], one.names[one.spec.outcome])
        for (alike, sample), bears in sloped(one).robustness.items():
            kept[one.spec.predictor, alike, sample] = bears
            controls = tuple(alike.split("+"))
            held = wording.listed([one.names[c] for c in controls])
            if sample == "all":
                slope = wording.number(bears.estimate, 2)
                which = f"{with_capital(pair[0])} and {pair[1]}, between places with similar {held}"
                lead = f"{which}: slope {slope} in standard deviations."
                said.append(f"{lead} {unmeasured_sentence(bears, held=held, names=one.names, pair=pair)}")
            row = one.shared(sample, controls)
            row |= {"analysis": "unseen_as_strong", "scale": "standard", "unit": STANDARD_UNIT}
            for b in bears.benchmarks:
                made = computed(
                    row,
                    b.estimate,
                    b.lower,
                    b.upper,
                    method="ordinary errors",
                    reason=f"as strong as {one.names[b.name]}",
                )
                rows.append(made | {"predictor": one.spec.predictor})
            for lacking in sorted(set(controls) - {b.name for b in bears.benchmarks}):
                reason = f"one as strong as {one.names[lacking]} would leave nothing of predictor or outcome"
                rows.append(withheld(row, reason) | {"predictor": one.spec.predictor})
    if not rows:
        message = "Nothing is allowed for in this question, so there is no measure of strength; name a confounder."
        raise RelationError(message)
    names = {i: n for one in asked for i, n in one.names.items()}
    table = table_of(rows, names=names).assign(predictor=[r["predictor"] for r in rows])
    return answer_of(asked, table, " ".join(said), spec=spec, unmeasured=kept)


def with_false_discovery(table: pd.DataFrame) -> pd.DataFrame:
    """Fill ``q_value`` from ``p_value``, over the predictors of each analysis, case by case.

    Parameters
    ----------
    table : DataFrame
        With ``analysis, adjusted_for, sample, p_value``; rows without a ``p_value`` get none.

    Returns
    -------
    DataFrame
        A copy. Benjamini and Hochberg (1995): right where the tests are separate or rise and fall together.
    """
    from scipy.stats import false_discovery_control

    result = table.copy()
    result["q_value"] = np.nan
    known = result[result["p_value"].notna()]
    for _, part in known.groupby(["analysis", "adjusted_for", "sample"]):
        result.loc[part.index, "q_value"] = false_discovery_control(part["p_value"].to_numpy(float), method="bh")
    return result


def ask_each(
    spec: RelationSpec,
    observations: pd.DataFrame | None,
    *,
    framework: Framework | None,
    areas: pd.DataFrame | None,
    level: float,
    draws: int,
    seed: int,
) -> list[Asked]:
    """Line up the figures of each pair; without London too where the two are of different children.

    Parameters
    ----------
    spec, observations, framework, areas, level, draws, seed
        As in :func:`correlations`.
    """
    framework, observations, areas = defaults(framework, observations, areas)
    found = []
    for pair in spec.pairs:
        bases = {framework.indicator(i).geography_basis for i in (pair.predictor, pair.outcome)}
        wider = len(bases) > 1 and "without_london" not in pair.samples
        put = pair.replace(samples=(*pair.samples, "without_london")) if wider else pair
        found.append(
            ask(put, observations=observations, framework=framework, areas=areas, level=level, draws=draws, seed=seed)
        )
    return found


def answer_of(
    asked: list[Asked], table: pd.DataFrame, text: str, *, spec: RelationSpec, **diagnostics: Any
) -> RelationResult:
    """Put the answer to several pairs together: table, text with every caution and caveat, manifest.

    Parameters
    ----------
    asked : list of Asked
        One a pair.
    table : DataFrame
        As ``RelationResult.table``, with ``predictor``.
    text : str
        What is found; held to claim association only.
    spec : RelationSpec
    **diagnostics
        Added to those that every answer has.
    """
    pairs = [(one.predictor, one.outcome) for one in asked]
    indicators = {i: one.framework.indicator(i) for one in asked for i in one.spec.roles}
    parts = [
        text,
        *cautions(*pairs),
        *marks(indicators.values(), framework=asked[0].framework),
        wording.AREAS_NOT_CHILDREN,
        wording.EXPLORATION,
    ]
    quoted = [words for one in asked for i in one.spec.roles for words in own_words(one.framework.indicator(i))]
    first = asked[0]
    return RelationResult(
        table=table[["predictor", *(c for c in table.columns if c != "predictor")]],
        text=checked(" ".join(parts), quoted=quoted),
        spec=spec,
        manifest=_together((one.manifest() for one in asked), spec=spec),
        diagnostics={
            "cautions": {predictor.id: cautions((predictor, outcome)) for predictor, outcome in pairs},
            "periods": {i: p for one in asked for i, p in one.assembled.periods.items()},
            "left_out": {one.spec.predictor: one.assembled.left_out for one in asked},
            "withheld": {one.spec.predictor: one.assembled.withheld for one in asked},
            **diagnostics,
        },
        data=first.assembled.data,
    )


def _together(manifests: Iterable[RunManifest], *, spec: RelationSpec) -> RunManifest:
    from outcomes_analysis.provenance import hash_of

    made = list(manifests)
    return RunManifest(
        data=hash_of([m.data for m in made]) if len(made) > 1 else made[0].data,
        data_as_at=max(m.data_as_at for m in made),
        spec=spec.hash,
        seed=made[0].seed,
        sources=tuple(sorted({source for m in made for source in m.sources})),
    )
