"""Map of where like stands among like: local Moran clusters of one figure, or of what a line leaves over of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import standing
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.mapping import panels
from outcomes_analysis.figures.mapping.classes import MISSING, MapClass
from outcomes_analysis.figures.mapping.sheets import sheet
from outcomes_analysis.wording import AREAS_NOT_CHILDREN, associational, listed, number, plural

if TYPE_CHECKING:
    import geopandas as gpd

    from outcomes_analysis.framework.model import Framework

_KINDS = ("high among high", "low among low", "high among low", "low among high", "not clear")
_WORDS = {
    "high among high": "High, neighbours high",
    "low among low": "Low, neighbours low",
    "high among low": "High, neighbours low",
    "low among high": "Low, neighbours high",
    "not clear": "Not clear: chance will do",
}
#: Colour alone cannot carry those unlike their neighbours: they are few, small and the ones to look at.
_HATCHES = {"high among low": "rising", "low among high": "falling"}
_HIGH = "High and low are above and below the mean of the authorities, which is not better and worse."


@resizable
def cluster_map(
    result: Any,
    *,
    variable: str | None = None,
    kind: str = "figure",
    adjusted_for: str = "",
    outlines: gpd.GeoDataFrame | None = None,
    inset: str | None = "London",
    framework: Framework | None = None,
    geography: str = "upper-tier local authorities in England",
    source: str | None = None,
    data_as_at: str | None = None,
    size: theme.Size = "page",
) -> Figure:
    """Map the areas that are like their neighbours, or unlike them, by more than chance would have it.

    Parameters
    ----------
    result : ClusterResult
        From :func:`outcomes_analysis.relations.spatial_clusters`: ``variable, kind, adjusted_for, area_code, area_name,
        cluster`` in ``table``, Moran's I with chance's range in ``overall``.
    variable : str, optional
        Indicator id; the question's outcome by default.
    kind : {"figure", "left over"}
        The figure itself, or what the question's line leaves over of it.
    adjusted_for : str
        For what is left over: what is allowed for, as in the result's table.
    outlines, inset, geography, source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.mapping.maps.choropleth`.
    framework : Framework, optional
        For the figure's name; the default one where not given.

    Returns
    -------
    Figure
        "Not clear" is neutral grey; areas that the result lacks are "No data" or "Not ranked", never "not clear".

    Raises
    ------
    FigureError
        If the result has no such figure.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    chosen = variable or result.spec.outcome
    mine, whole = _mine(result, variable=chosen, kind=kind, adjusted_for=adjusted_for)
    shapes = panels.drawable(outlines)
    rows, classes = _classed(mine, shapes)
    name = _name(result, chosen, kind=kind, adjusted_for=adjusted_for, framework=framework)
    indicator = framework.indicator(chosen)
    chance = (
        f"Moran\u2019s I {number(whole['estimate'], 2)}; chance gives {number(whole['lower'], 2)} to "
        f"{number(whole['upper'], 2)} in {round(100 * whole['level'])}% of cases"
    )

    def key(width: float) -> Any:
        return keys.map_key(classes, title="Beside its neighbours", width=width)

    laid = sheet(shapes, rows, key=key, inset=inset, size=size)
    nation = standing.ENGLAND if geography.endswith(standing.ENGLAND) else geography
    counts = {k: int((rows["cluster"] == k).sum()) for k in _KINDS}
    alike, unlike = (counts[a] + counts[b] for a, b in (_KINDS[:2], _KINDS[2:4]))
    title = associational(
        f"{name}: {alike} of {plural(sum(counts.values()), 'authority', 'authorities')} stand out as like their "
        f"neighbours, {unlike} as unlike them"
    )
    told = [
        f"{_WORDS[k].lower()} ({counts[k]}): {listed(sorted(rows.loc[rows['cluster'] == k, 'area_name'].astype(str)))}"
        for k in _KINDS[:4]
        if counts[k]
    ]
    kept = ["variable", "kind", "adjusted_for", "area_code", "area_name", "region_name", "value", "neighbours"]
    return finished(
        laid.body,
        title=title,
        subtitle=f"Each area beside those it borders on, where chance would not do; {chance}; {geography}",
        unit=f"{indicator.unit}, beside the mean of the neighbours",
        source=panels.source_of(source, "cluster-map", nation),
        data_as_at=date_of(result, data_as_at),
        alt=associational(
            f"Map of {plural(len(rows), 'area', 'areas')}. {title}. {chance}. {'; '.join(told)}. "
            f"Not clear: {counts['not clear']}."
        ),
        data=rows[[*kept, "p_value", "q_value", "cluster", "map_class"]],
        notes=(
            _HIGH,
            f"Contested: {indicator.contested.rstrip('.')}." if indicator.contested else "",
            AREAS_NOT_CHILDREN,
        ),
        width=laid.width,
        size=size,
    )


def _mine(result: Any, *, variable: str, kind: str, adjusted_for: str) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of one figure and the likeness of the whole map."""
    keys_of = ["variable", "kind", "adjusted_for"]
    wanted = [variable, kind, adjusted_for]
    found = [part[(part[keys_of].to_numpy() == wanted).all(axis=1)] for part in (result.table, result.overall)]
    if found[0].empty or found[1].empty:
        known = [" / ".join(k for k in row if k) for row in result.overall[keys_of].itertuples(index=False)]
        message = f"No clusters of {' / '.join(w for w in wanted if w)}; the result has {several(known)}."
        raise FigureError(message)
    return found[0].reset_index(drop=True), found[1].iloc[0]


def _classed(mine: pd.DataFrame, shapes: gpd.GeoDataFrame) -> tuple[pd.DataFrame, list[MapClass]]:
    """A row for every shape with its class, and the classes that occur, those of chance and of no figure last."""
    rows = panels.with_all_areas(mine.assign(node_id=mine["variable"], region_name=None, status="computed"), shapes)
    absent = rows["cluster"].isna()
    reasons = rows["area_code"].isin(standing.UNRANKED).map({True: "not_ranked", False: "no_data"})
    keyed = rows["cluster"].where(~absent, reasons)
    fills = dict(zip(_KINDS, theme.CLUSTERS, strict=True))
    classes = [
        MapClass(k, _WORDS[k], fills[k], _HATCHES.get(k, ""), int((keyed == k).sum()))  # type: ignore[arg-type]
        for k in _KINDS
    ]
    classes += [MapClass(k, c.label, c.fill, c.hatch, int((keyed == k).sum())) for k, c in MISSING.items()]
    found = [c for c in classes if c.count]
    return panels.coloured(rows, keyed, found), found


def _name(result: Any, variable: str, *, kind: str, adjusted_for: str, framework: Framework) -> str:
    from outcomes_analysis.relations.sentences import short_name

    def named(i: str) -> str:
        return short_name(framework.indicator(i))

    own = named(variable)
    mark = " (contested)" if framework.indicator(variable).contested else ""
    if kind == "figure":
        return f"{own[:1].upper()}{own[1:]}{mark}"
    line = listed([named(i) for i in (*result.spec.predictors, *(a for a in adjusted_for.split("+") if a))])
    return f"What a line in {line} leaves over of {own}{mark}"
