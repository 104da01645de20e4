"""What each indicator is fit for, made from its own figures: a rank, a verdict on change, a comparison with England."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import upper_tier
from outcomes_analysis.errors import ObservationsError, SpecError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.index.judging.fit_wording import card_text, fitness_text
from outcomes_analysis.index.judging.precision import ENGLAND, FEWEST_AREAS, measured, quick_to_cut
from outcomes_analysis.project import LEVEL
from outcomes_analysis.provenance import RunManifest, hash_of
from outcomes_analysis.sources.release import data_as_at

Use = Literal["rank", "change", "england"]
USES: tuple[Use, ...] = get_args(Use)


@dataclass(frozen=True)
class Thresholds:
    """What an indicator must reach to bear a use.

    Attributes
    ----------
    reliability : float
        Least share of the variance between areas that is not noise, for a rank: .7, the usual least for comparing
        groups (Nunnally 1978).
    available : float
        Least share of areas with a figure, for a rank: a rank among those that happen to be there misleads.
    change : float
        Largest one-year change, in standard deviations between areas, that may go unseen for a verdict on change: .75
        carries an area in the middle past a quarter of all.
    england : float
        Least share of areas told apart from England, for a comparison with it; .1 would be there by chance.
    level : float
        Of the intervals behind them.
    """

    reliability: float = 0.7
    available: float = 0.9
    change: float = 0.75
    england: float = 0.25
    level: float = LEVEL


@dataclass(frozen=True)
class FitnessResult:
    """Fit-for-purpose cards.

    Attributes
    ----------
    table : DataFrame
        One row an indicator: ``indicator_id, name, unit, form, period, reliability`` (mean share of an area's
        deviation that is not noise), ``pairs_differ`` (share of pairs of areas that differ at 90 %),
        ``smallest_change`` (natural units, at the middle area, that shows in a year at 90 %), ``smallest_change_sd``
        (the same in standard deviations between areas), ``england, differ_from_england`` (share of areas),
        ``n_areas, n_missing, n_suppressed, n_inherited, left_out`` (names), ``geography_basis, lag_months`` (from the
        end of the period to ``judged_at``, one day for all: that of the whole table of figures), ``data_as_at`` (of the
        indicator's own files), ``breaks, previous`` (last comparable period, or empty), ``years_apart`` (from that to
        the period; 0 without it), ``window_years`` (a figure spans), ``contested, direction``; then for each
        use ``use_rank, use_change, use_england`` (bool), ``withheld_rank, withheld_change, withheld_england`` (reasons,
        empty where borne) and ``overridden`` (uses allowed by hand).
    cards : dict of str to str
        One text an indicator.
    text, spec, manifest
        Summary in words; the thresholds; what it was made from.
    """

    table: pd.DataFrame
    cards: dict[str, str]
    text: str
    spec: Thresholds
    manifest: RunManifest

    def bears(self, indicator: str, use: Use) -> bool:
        """Whether an indicator may be put to a use, by its figures or by a named override.

        Raises
        ------
        SpecError
            If the indicator has no card, or the use is unknown.
        """
        _known_use(use)
        found = self.table.loc[self.table["indicator_id"] == indicator]
        if found.empty:
            message = f"No card for '{indicator}'. There are cards for {several(self.table['indicator_id'])}."
            raise SpecError(message)
        return bool(found[f"use_{use}"].iloc[0])


def _known_use(use: str) -> None:
    if use not in USES:
        message = f"'{use}' is not a use that is judged; there are {', '.join(USES)}."
        raise SpecError(message)


def sided_reasons(direction: int, contested: str) -> list[str]:
    """Why nobody can say which of two figures is the better one; empty where a direction is agreed."""
    if direction == 0:
        return ["neither more nor less of it is agreed to be better"]
    return ["which way is better is contested"] if contested else []


def rank_reasons(reliability: float, share: float, spec: Thresholds) -> list[str]:
    """Why a rank is withheld: too little of the spread is more than noise, or too few places have a figure."""
    reasons = []
    if not reliability >= spec.reliability:
        reasons.append(f"reliability {_below(reliability, spec.reliability)}, below {spec.reliability:.2f}")
    if share < spec.available:
        reasons.append(f"{share:.0%} of authorities have a figure, below {spec.available:.0%}")
    return reasons


def _below(value: float, least: float) -> str:
    """A value that falls short, with as many decimals as show that it does."""
    return f"{value:.2f}" if f"{value:.2f}" != f"{least:.2f}" else f"{value:.3f}"


def change_reasons(smallest: float, spec: Thresholds) -> list[str]:
    """Why a verdict on change is withheld: even large changes (in standard deviations between areas) go unseen."""
    if smallest <= spec.change:
        return []
    told = f"only changes beyond {smallest:.2f} standard deviations between authorities show"
    return [f"{told}; {spec.change:.2f} is asked for"]


def _far_apart(years: int, window: int) -> str:
    """Why two figures that are not a year apart tell nothing of a change in a year."""
    if window <= 1:
        return f"its last two comparable figures are {years} years apart, so that no change in a year can be seen"
    share = " and overlap" if window > years else ""
    return (
        f"its last two comparable figures are of {window} years each, are {years} years apart{share}, so that no "
        "change in a year can be seen"
    )


def _withheld(card: Mapping[str, Any], spec: Thresholds) -> dict[Use, list[str]]:
    """Reasons for withholding each use; an empty list where it is borne."""
    share = card["n_areas"] / (card["n_areas"] + card["n_missing"])
    sided = sided_reasons(card["direction"], card["contested"])
    rank = sided + rank_reasons(card["reliability"], share, spec)
    change = list(sided)
    if not card["previous"]:
        change.append("no earlier figure is comparable")
    elif card["years_apart"] != 1:
        change.append(_far_apart(card["years_apart"], card["window_years"]))
    change += change_reasons(card["smallest_change_sd"], spec)
    england = []
    if card["form"] == "count":
        england.append("a count grows with the size of the place")
    elif np.isnan(card["england"]):
        england.append("no figure for England is published for the same period")
    elif not card["differ_from_england"] >= spec.england:
        told = f"{card['differ_from_england']:.0%} of authorities can be told apart from England"
        england.append(f"{told}, below {spec.england:.0%}")
    hidden = card["n_suppressed"] / (card["n_areas"] + card["n_missing"])
    if hidden > 1 - spec.available:  # what is hidden is small: those shown lie further from England than they all do
        england.append(
            f"small counts are hidden in {hidden:.0%} of authorities, so that those shown are no fair sample"
        )
    return {"rank": rank, "change": change, "england": england}


def fitness(
    observations: pd.DataFrame,
    *,
    framework: Framework,
    indicator: str | None = None,
    allow: Mapping[str, Sequence[Use]] | None = None,
    thresholds: Thresholds | None = None,
) -> FitnessResult:
    """Make fit-for-purpose cards from the figures themselves.

    Parameters
    ----------
    observations : DataFrame
        The tidy table in natural units, with ``se_total``.
    framework : Framework
        Scales, directions, breaks, what ties a child to an area.
    indicator : str, optional
        One indicator; by default every one with figures.
    allow : mapping, optional
        Indicator to uses allowed although the figures do not bear them; named in the card and the text.
    thresholds : Thresholds, optional
        What an indicator must reach to bear a use.

    Returns
    -------
    FitnessResult
        Of the newest period in which 30 of the 151 authorities that rank have a figure. Estimated figures count,
        inherited ones (another place's) do not.

    Raises
    ------
    ObservationsError
        If the indicator asked for has no such period.
    FrameworkError, SpecError
        If an indicator or use named is unknown.

    Notes
    -----
    All on the indicator's own scale. Reliability is the mean of prior variance over prior plus error variance, the
    prior variance by restricted maximum likelihood (:func:`~outcomes_analysis.observations.shrinkage.empirical_bayes`);
    with equal errors that is signal over total variance. Errors are total ones: sampling and year-to-year together,
    so that lasting change of an area's own counts as noise where it cannot be told apart. A change in a year shows if
    it exceeds z sqrt(2) times the error of a middling area (divided by the root of k for windows of k years).
    """
    spec = thresholds or Thresholds()
    allowed = {framework.indicator(name).id: tuple(uses) for name, uses in (allow or {}).items()}
    for uses in allowed.values():
        for use in uses:
            _known_use(use)
    wanted = [framework.indicator(indicator)] if indicator else list(framework.indicators)
    areas = upper_tier(ranked_only=True)["name"]
    everyone = observations[
        (observations["group_type"] == "all")
        & (observations["group"] == "all")
        & observations["area_code"].isin([*areas.index, ENGLAND])
        & observations["indicator_id"].isin([one.id for one in wanted])
    ]
    day = str(observations.attrs.get("data_as_at", "")) or data_as_at(observations["source_id"].unique())
    by_indicator = dict(list(quick_to_cut(everyone).groupby("indicator_id")))
    cards: list[dict[str, Any]] = []
    for one in wanted:
        rows = by_indicator.get(one.id)
        card = None if rows is None else measured(rows, one, framework, level=spec.level, areas=areas, day=day)
        if card is not None:
            cards.append(_judged(card, spec, allowed.get(one.id, ())))
    if not cards:
        message = (
            f"No period has figures for {FEWEST_AREAS} authorities or more"
            f"{f' of {indicator}' if indicator else ''}, so nothing can be said of fitness for purpose."
        )
        raise ObservationsError(message)
    table = pd.DataFrame(cards)
    used = everyone[everyone["indicator_id"].isin(table["indicator_id"])]
    sources = tuple(sorted(used["source_id"].unique()))
    manifest = RunManifest(
        data=hash_of(
            pd.util.hash_pandas_object(used[["indicator_id", "area_code", "period", "value"]], index=False).sum()
        ),
        data_as_at=data_as_at(sources),
        spec=hash_of(vars(spec)),
        sources=sources,
    )
    texts = {str(one["indicator_id"]): card_text(one) for one in cards}
    return FitnessResult(table=table, cards=texts, text=fitness_text(table), spec=replace(spec), manifest=manifest)


def _judged(card: dict[str, Any], spec: Thresholds, allowed: Sequence[Use]) -> dict[str, Any]:
    reasons = _withheld(card, spec)
    overridden = [use for use in USES if use in allowed and reasons[use]]
    return (
        card
        | {f"use_{use}": not reasons[use] or use in overridden for use in USES}
        | {f"withheld_{use}": "; ".join(reasons[use]) for use in USES}
        | {"overridden": ", ".join(overridden)}
    )
