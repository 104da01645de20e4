"""Map of one measure as published: authorities or districts in fifths of its own figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import load_register
from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.charts.courses import unit_said
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.composing import Figure, finished, resizable
from outcomes_analysis.figures.mapping import panels
from outcomes_analysis.figures.mapping.classes import Classing, classify
from outcomes_analysis.figures.mapping.sheets import sheet
from outcomes_analysis.figures.standing import Sense
from outcomes_analysis.observations.contract import MEASURED
from outcomes_analysis.places.quantities import amount, short_amount
from outcomes_analysis.sources.release import data_as_at as release_date
from outcomes_analysis.sources.release import source_line
from outcomes_analysis.wording import listed, number, plural

if TYPE_CHECKING:
    import geopandas as gpd

    from outcomes_analysis.framework.model import Framework, Indicator

Tier = Literal["upper", "lower"]
_TIERS: dict[str, tuple[str, str, str]] = {
    "upper": ("upper-tier local authority", "upper-tier local authorities", "authorities"),
    "lower": ("district or unitary authority", "districts and unitary authorities", "areas"),
}
_OUTLINES_FROM = (
    "boundaries: Office for National Statistics, contains OS data \u00a9 Crown copyright and database right"
)
_FEWEST = 5  # areas with a figure, for classes to mean something


@resizable
def measure_map(
    observations: pd.DataFrame,
    indicator: str,
    *,
    period: str | None = None,
    tier: Tier = "upper",
    outlines: gpd.GeoDataFrame | None = None,
    classes: Classing = "quintile",
    inset: str | None = "London",
    framework: Framework | None = None,
    geography: str | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Map one measure in its own unit, for authorities or for districts and unitary authorities.

    Parameters
    ----------
    observations : DataFrame
        The tidy table.
    indicator : str
        Id.
    period : str, optional
        As published; by default the newest with a figure for at least half of the areas that ever had one.
    tier : {"upper", "lower"}
        Which of the project's outlines, where none are given: the upper tier, or districts and unitary authorities.
    outlines : GeoDataFrame, optional
        ``area_code``, ``name`` and geometry in metres of any other geography, whose figures ``observations`` hold.
    classes : {"quintile", "jenks", "equal"}
        Of the figures as published, lowest to highest.
    inset : str, optional
        Region drawn again, enlarged.
    framework : Framework, optional
        For name, unit and direction; the default one where not given.
    geography : str, optional
        What the areas are, in words; by ``tier`` where not given.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.mapping.maps.choropleth`.

    Returns
    -------
    Figure
        Darker is higher, whichever way is better; the key says which. Suppressed and missing figures have classes of
        their own.

    Raises
    ------
    FigureError
        If fewer than five areas of the outlines have a figure.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    measure = framework.indicator(indicator)
    shapes = panels.drawable(outlines if outlines is not None else _outlines(tier))
    chosen, drawn, england = _rows(observations, measure, shapes, period=period)
    used = sorted(set(drawn["source_id"].dropna().astype(str)) - {""})
    sense = Sense(mark="contested", up="higher", down="lower") if measure.contested else Sense()
    keyed, found = classify(drawn, method=classes, decimals=measure.decimals, sense=sense)
    rows = panels.coloured(drawn, keyed, found)
    name = f"{measure.name} (contested)" if measure.contested else measure.name

    def key(width: float) -> Any:
        side = "contested: people disagree which way is better" if measure.contested else _SIDES[measure.direction]
        note = f"{side[:1].upper()}{side[1:]}."
        if np.isfinite(england):
            note = f"England: {amount(england, unit=measure.unit, decimals=measure.decimals)}. {note}"
        return keys.map_key(found, title=unit_said(measure.unit), width=width, note=note, counted=_TIERS[tier][2])

    laid = sheet(shapes, rows, key=key, inset=inset, size=size, grid=50.0 if len(shapes) > 200 else 10.0)
    known = rows[~keyed.isin(_MISSING_KEYS)]
    title = _title(known, measure, name=name, england=england)
    where = geography or f"{_TIERS[tier][1]} in England"
    level = sorted({round(100 * v) for v in known["level"].dropna()})
    stated = f"{listed([f'{v}%' for v in level])} intervals in the data" if level else "no intervals known"
    return finished(
        laid.body,
        title=title,
        subtitle=f"{unit_said(measure.unit)}, {chosen}; {len(known)} of {len(rows)} {where}; {stated}",
        unit=measure.unit,
        source=source or f"{source_line(used)}; {_OUTLINES_FROM}",
        data_as_at=data_as_at or release_date(used) or str(observations.attrs.get("data_as_at", "")),
        alt=_alt(known, rows, found, title=title, measure=measure),
        data=rows[[c for c in _DATA if c in rows.columns]],
        notes=(f"Contested: {measure.contested.rstrip('.')}." if measure.contested else "",),
        width=laid.width,
        size=size,
    )


_SIDES = {1: "higher is better", -1: "lower is better", 0: "neither higher nor lower is better"}
_MISSING_KEYS = ("no_data", "not_ranked", "withheld", "not_computed")
_DATA = ("area_code", "area_name", "region_name", "period", "estimate", "lower", "upper", "level", "status", "england",
         "map_class")  # fmt: skip


def _outlines(tier: Tier) -> gpd.GeoDataFrame:
    from outcomes_analysis.areas.boundaries import load_outlines

    return load_outlines(tier)


def _rows(
    observations: pd.DataFrame, measure: Indicator, shapes: gpd.GeoDataFrame, *, period: str | None
) -> tuple[str, pd.DataFrame, float]:
    """The period drawn, one row a shape, and England's figure (NaN where there is none)."""
    mine = observations[
        observations["indicator_id"].eq(measure.id)
        & observations["group_type"].eq("all")
        & observations["group"].eq("all")
    ]
    here = mine[mine["area_code"].isin(shapes["area_code"])]
    counts = here[here["value"].notna()].groupby("period")["area_code"].nunique()
    full = [p for p, n in counts.items() if 2 * n >= counts.max()]
    ends = here.groupby("period")["period_end"].max()
    chosen = period or (max(full, key=lambda p: ends[p]) if full else "")
    if counts.get(chosen, 0) < _FEWEST:
        known = several(sorted(map(str, counts.index))) or "none"
        message = (
            f"{measure.name} has a figure for {int(counts.get(chosen, 0))} of {len(shapes)} areas in "
            f"{chosen or 'any year'}; a map needs {_FEWEST}. Periods with figures: {known}."
        )
        raise FigureError(message)
    now = here[here["period"].eq(chosen)].drop_duplicates("area_code", keep="last")
    national = mine[mine["period"].eq(chosen) & mine["area_code"].str.startswith("E92")]["value"].dropna()
    england = float(national.iloc[-1]) if len(national) else float("nan")
    register = load_register()
    table = pd.DataFrame(
        {
            "node_id": measure.id,
            "area_code": now["area_code"],
            "area_name": now["area_code"].map(register["name"]),
            "region_name": now["area_code"].map(register["region_name"]),
            "period": chosen,
            "estimate": now["value"].astype(float),
            **{c: now[c].astype(float) for c in ("lower", "upper", "level")},
            "source_id": now["source_id"],
            "status": now["status"].astype(str).where(~now["status"].isin(MEASURED), "computed"),
        }
    )
    rows = panels.with_all_areas(table, shapes)
    return str(chosen), rows.assign(england=england), england


def _title(known: pd.DataFrame, measure: Indicator, *, name: str, england: float) -> str:
    areas = plural(len(known), "area", "areas")
    compared = standing.judged(known)
    if np.isfinite(england) and 2 * len(compared) >= len(known):
        above, below, n = standing.against_counts(known)
        return f"{name}: {above} of {n} areas clearly above England, {below} clearly below"
    low, high = (
        short_amount(v, unit=measure.unit, decimals=measure.decimals) for v in known["estimate"].quantile([0.25, 0.75])
    )
    return f"{name}: the middle half of {areas} lies between {low} and {high}"


def _alt(known: pd.DataFrame, rows: pd.DataFrame, found: Any, *, title: str, measure: Indicator) -> str:
    ordered = known.sort_values("estimate")
    ends = [f"{row.area_name} {number(row.estimate, measure.decimals)}" for row in (ordered.iloc[0], ordered.iloc[-1])]
    classes = "; ".join(f"{c.label.replace(':', ',')} ({c.count})" for c in found)
    first = f"Map of {plural(len(rows), 'area', 'areas')}. {title}."
    return f"{first} Lowest {ends[0]}, highest {ends[1]}. Classes: {classes}."
