"""From the tidy table to the areas and variables an association rests on, with account of what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from outcomes_analysis.errors import RelationError, several
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.periods import year_of
from outcomes_analysis.observations.scales import RowScales
from outcomes_analysis.relations.specification import RelationSpec
from outcomes_analysis.wording import plural

USABLE = ("published", "estimated")  # an inherited or imputed figure is not a second measurement
LONDON = "E12000007"
MINIMUM_AREAS = 30
REPEATED = 1e-10  # below 1 a correlation this close to it is rounding
CHILDREN, CHILDREN_AGE = "pop_0_17", 3  # years after which a count of children is too old to weigh by


@dataclass(frozen=True, eq=False)
class Assembled:
    """Areas by variables, and what did not get in.

    Attributes
    ----------
    data : DataFrame
        Indexed by ``area_code``, ordered by it; complete on every variable.
    periods : dict
        Period label used for each variable.
    left_out : dict
        Reason for each authority left out: ``{area_name: "mh_admissions_0_17 suppressed"}``.
    withheld : dict
        Confounders that could not be adjusted for, with the reason.
    sources : tuple of str
        ``source_id`` of the figures used.
    read_from : dict
        The same for each variable.
    children : Series
        Children aged 0 to 17 by ``area_code``, at the latest date up to the year of the question; NaN where not known.
    """

    data: pd.DataFrame
    periods: dict[str, str]
    left_out: dict[str, str]
    withheld: dict[str, str]
    sources: tuple[str, ...]
    read_from: dict[str, tuple[str, ...]]
    children: pd.Series[float]


def assemble(observations: pd.DataFrame, *, spec: RelationSpec, framework: Framework, areas: pd.DataFrame) -> Assembled:
    """Line up the variables of a question across the upper-tier authorities.

    Parameters
    ----------
    observations : DataFrame
        The tidy table. Only whole-population rows (``all``/``all``) with status published or estimated are used.
    spec : RelationSpec
        The question. Outcome and predictor must be measured in ``spec.year``; a confounder may be older, within its
        indicator's maximum age, and the same period is used for every area.
    framework : Framework
        Says how old a confounder may be.
    areas : DataFrame
        Authorities to keep, indexed by ``area_code``: ``name, region_code, region_name``.

    Returns
    -------
    Assembled

    Raises
    ------
    RelationError
        If outcome or predictor has no figure in that year, fewer than 30 authorities have them all, or a figure can be
        worked out from the outcome alone.
    """
    everyone = _relevant(observations, spec=spec, areas=areas)
    usable = everyone[everyone["status"].isin(USABLE) & everyone["value"].notna()]
    columns: dict[str, pd.Series[float]] = {}
    periods: dict[str, str] = {}
    withheld: dict[str, str] = {}
    read_from: dict[str, tuple[str, ...]] = {}
    for indicator, role in spec.roles.items():
        if role in ("mediator", "collider"):
            continue
        rows = usable[usable["indicator_id"] == indicator]
        oldest = spec.year - framework.indicator(indicator).max_age if role == "confounder" else spec.year
        year = _latest_year(rows, oldest=oldest, newest=spec.year)
        if year is None:
            reason = f"no figures measured {_span(oldest, spec.year)} (there are: {_years(rows)})"
            if role != "confounder":
                message = f"'{indicator}' has {reason}. Choose one of these years with period=."
                raise RelationError(message)
            withheld[indicator] = reason
            continue
        chosen = rows[rows["year"] == year].sort_values("period_end").drop_duplicates("area_code", keep="last")
        columns[indicator] = chosen.set_index("area_code")["value"]
        periods[indicator] = several(sorted(chosen["period"].unique()))
        read_from[indicator] = tuple(sorted(set(chosen["source_id"].astype(str)) - {""}))
    wide = pd.DataFrame(columns).reindex(areas.index)
    complete = wide.dropna()
    if len(complete) < MINIMUM_AREAS:
        message = (
            f"Only {len(complete)} authorities have every figure for {spec.year} ({several(columns)}); "
            f"at least {MINIMUM_AREAS} are needed. Fewest figures: {wide.count().idxmin()} ({wide.count().min()})."
        )
        raise RelationError(message)
    _refuse_repeats(complete, spec=spec)
    labels = areas.loc[complete.index, ["name", "region_code", "region_name"]].rename(columns={"name": "area_name"})
    labels["london"] = labels["region_code"].eq(LONDON)
    return Assembled(
        data=labels.join(complete).sort_index(),
        periods=periods,
        left_out=_left_out(wide, everyone=everyone, areas=areas, year=spec.year),
        withheld=withheld,
        sources=tuple(sorted({source for used in read_from.values() for source in used})),
        read_from=read_from,
        children=_children(observations, areas=complete.index.sort_values(), year=spec.year),
    )


def _refuse_repeats(complete: pd.DataFrame, *, spec: RelationSpec) -> None:
    """Refuse what is the outcome over again, whatever its name: every line would fit it exactly, sure beyond doubt."""
    varied = complete.loc[:, complete.max() > complete.min()]  # what does not vary is refused later, for that reason
    if spec.outcome not in varied:
        return
    scaled = (varied - varied.mean()) / varied.std(ddof=0)
    with_outcome = scaled.mul(scaled[spec.outcome], axis=0).mean()
    same = [str(i) for i in varied if i != spec.outcome and 1 - abs(float(with_outcome[i])) < REPEATED]
    if same:
        message = (
            f"{plural(len(same), 'figure', 'figures')} can be worked out from '{spec.outcome}' by a straight line in "
            f"all {len(complete)} authorities: {several(same)}. It is one figure under two names; leave one out."
        )
        raise RelationError(message)


def _children(observations: pd.DataFrame, *, areas: pd.Index, year: int) -> pd.Series[float]:
    rows = _rows_of(observations, [CHILDREN])
    rows = rows[rows["area_code"].isin(areas)]
    rows = rows[rows["value"].gt(0) & rows["period_end"].dt.year.between(year - CHILDREN_AGE, year)]
    latest = rows.sort_values("period_end").drop_duplicates("area_code", keep="last")
    return latest.set_index("area_code")["value"].reindex(areas)


def several_years(
    observations: pd.DataFrame, *, spec: RelationSpec, controls: tuple[str, ...], areas: pd.DataFrame
) -> pd.DataFrame:
    """Figures of a pair and of what is allowed for, one row an authority and year of the question.

    Parameters
    ----------
    observations : DataFrame
        The tidy table.
    spec : RelationSpec
        Its first predictor and all its years count.
    controls : tuple of str
        Allowed for; measured in the very year.
    areas : DataFrame
        As ``Assembled.data``: indexed by ``area_code``, with ``region_code``.

    Returns
    -------
    DataFrame
        ``area_code, region_code, year`` and a column a variable; rows with every figure, in order.

    Raises
    ------
    RelationError
        If fewer than two years have every figure for thirty authorities.
    """
    names = [spec.outcome, spec.predictor, *controls]
    rows = _rows_of(observations, names)
    rows = rows[
        rows["area_code"].isin(areas.index)
        & rows["group"].eq("all")
        & rows["status"].isin(USABLE)
        & rows["value"].notna()
    ]
    rows = rows.assign(year=rows["period_end"].dt.year)
    rows = rows[rows["year"].isin(spec.years)].sort_values("period_end")
    rows = rows.drop_duplicates(["indicator_id", "area_code", "year"], keep="last")
    wide = rows.pivot(index=["area_code", "year"], columns="indicator_id", values="value")
    wide = wide.reindex(columns=names).dropna().reset_index().rename_axis(columns=None)
    counts = wide.groupby("year").size()
    enough = counts.index[counts >= MINIMUM_AREAS]
    if len(enough) < 2:
        message = (
            f"every figure is there for {plural(len(enough), 'year', 'years')} of {spec.years[0]} to {spec.years[-1]}; "
            "levels for authorities need two"
        )
        raise RelationError(message)
    wide = wide[wide["year"].isin(enough)]
    return wide.assign(region_code=wide["area_code"].map(areas["region_code"]))


def on_own_scale(
    observations: pd.DataFrame, indicator: str, *, year: int, assembled: Assembled, framework: Framework
) -> pd.DataFrame:
    """Value and error of the very figures that were assembled, on the scale on which the indicator's errors are even.

    Parameters
    ----------
    observations : DataFrame
        The tidy table they were assembled from.
    indicator : str
        One of the variables.
    year : int
        Of the question.
    assembled : Assembled
    framework : Framework
        Gives the scale.

    Returns
    -------
    DataFrame
        Indexed by ``area_code``: ``x`` (on the scale), ``error`` (``se_total``, natural units) and ``scaled_error``.
    """
    rows = _rows_of(observations, [indicator])
    rows = rows[
        rows["area_code"].isin(assembled.data.index)
        & rows["group_type"].eq("all")
        & rows["group"].eq("all")
        & rows["status"].isin(USABLE)
        & rows["value"].notna()
        & rows["period_end"].dt.year.le(year)
    ]
    # every area assembled has a figure of the latest year that any has: its own latest is that very figure
    rows = rows.sort_values("period_end").drop_duplicates("area_code", keep="last").set_index("area_code")
    rows = rows.loc[assembled.data.index]
    assert rows["value"].equals(assembled.data[indicator].rename("value"))
    scales = RowScales.of(rows, framework)
    error = rows["se_total"].to_numpy(float)
    return pd.DataFrame(
        {
            "x": scales.transform(rows["value"]),
            "error": error,
            "scaled_error": error * scales.derivative(rows["value"]),
        },
        index=rows.index,
    )


def refuse_breaks(spec: RelationSpec, *, framework: Framework, also: tuple[str, ...] = ()) -> None:
    """Refuse years that a declared break of the outcome or a predictor lies between.

    Parameters
    ----------
    spec : RelationSpec
        A question of one year passes: it compares places, not years.
    framework : Framework
        Declares the breaks: each is the first period of a new series.
    also : tuple of str
        Further indicators followed over the years, such as what is allowed for.

    Raises
    ------
    RelationError
        Naming every series broken, where and why.
    """
    first, last = spec.years[0], spec.years[-1]
    found = [
        f"'{i}' from {b.period}: {b.reason.rstrip('.')}"
        for i in (spec.outcome, *spec.predictors, *also)
        for b in framework.indicator(i).breaks
        if first < year_of(b.period) <= last
    ]
    if found:
        count = plural(len(found), "declared break lies", "declared breaks lie")
        message = (
            f"{count} between {first} and {last}, so these years are not comparable: {several(found)}. "
            "Choose years on one side of it."
        )
        raise RelationError(message)


def unbroken_years(spec: RelationSpec, *, framework: Framework, observations: pd.DataFrame) -> tuple[int, ...]:
    """The longest run of years up to the question's own with figures of the pair and no declared break between them.

    Parameters
    ----------
    spec : RelationSpec
        Its first predictor and its last year count.
    framework, observations
        As in :func:`assemble`.

    Returns
    -------
    tuple of int
        In order; at least the question's own year.
    """
    pair = (spec.outcome, spec.predictor)
    plain = _rows_of(observations, pair)
    plain = plain[plain["group"].eq("all") & plain["status"].isin(USABLE) & plain["value"].notna()]
    have = plain["period_end"].dt.year.groupby(plain["indicator_id"]).agg(set)
    breaks = {year_of(b.period) for i in pair for b in framework.indicator(i).breaks}
    years = [spec.year]
    while years[0] not in breaks and all(years[0] - 1 in have.get(i, set()) for i in pair):
        years.insert(0, years[0] - 1)
    return tuple(years)


def _rows_of(observations: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows of a few indicators: all else is then compared within them, not within the whole table."""
    return observations[observations["indicator_id"].isin(names)]


def _relevant(observations: pd.DataFrame, *, spec: RelationSpec, areas: pd.DataFrame) -> pd.DataFrame:
    rows = _rows_of(observations, list(spec.roles))
    rows = rows[rows["area_code"].isin(areas.index) & rows["group_type"].eq("all") & rows["group"].eq("all")]
    return rows.assign(year=rows["period_end"].dt.year)


def _latest_year(rows: pd.DataFrame, *, oldest: int, newest: int) -> int | None:
    years = rows.loc[rows["year"].between(oldest, newest), "year"]
    return None if years.empty else int(years.max())


def _span(oldest: int, newest: int) -> str:
    return f"in {newest}" if oldest == newest else f"from {oldest} to {newest}"


def _years(rows: pd.DataFrame) -> str:
    return several(sorted(rows["year"].unique()), limit=15) or "none at all"


def _left_out(wide: pd.DataFrame, *, everyone: pd.DataFrame, areas: pd.DataFrame, year: int) -> dict[str, str]:
    """Say of each authority left out which figure it lacks and what became of it."""
    that_year = everyone[everyone["year"] == year].drop_duplicates(["area_code", "indicator_id"], keep="last")
    status = that_year.set_index(["area_code", "indicator_id"])["status"]
    reasons: dict[str, str] = {}
    for code, values in wide[wide.isna().any(axis=1)].iterrows():
        missing = [str(i) for i in values.index[values.isna()]]
        words = [f"{i} {str(status.get((code, i), 'not_available')).replace('_', ' ')}" for i in missing]
        reasons[str(areas.at[code, "name"])] = ", ".join(words)
    return reasons
