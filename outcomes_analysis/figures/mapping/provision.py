"""A map of where programmes are beside where need is, one hexagon an authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, finished, resizable
from outcomes_analysis.figures.mapping import panels
from outcomes_analysis.figures.mapping.classes import MapClass
from outcomes_analysis.figures.mapping.honeycomb import arranged, honeycomb
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.wording import associational, plural

if TYPE_CHECKING:
    from outcomes_analysis.places.portfolios import PortfolioResult

WORSE = "clearly worse than England"
CLASSES = {
    (True, True): MapClass("both", "Clearly worse than England, with a programme", theme.DUO[0]),
    (True, False): MapClass("need", "Clearly worse than England, without one", theme.DUO[1]),
    (False, True): MapClass("programme", "Other or not judged, with a programme", "#6BACE6", "falling"),
    (False, False): MapClass("neither", "Other or not judged, without one", "#E3E3E3"),
}


@resizable
def programme_map(
    result: PortfolioResult, *, domain: str, label: str | None = None, size: theme.Size = "page"
) -> Figure:
    """Map where a portfolio's programmes on one domain are, beside which authorities are clearly worse than England.

    Parameters
    ----------
    result : PortfolioResult
    domain : str
        Its id.
    label : str, optional
        Its name in words.
    size : {"page", "column", "slide", "web"}

    Raises
    ------
    FigureError
        If the domain is not of the portfolio's framework.
    """
    rows = result.places[result.places["domain"].eq(domain)]
    if rows.empty:
        message = f"{domain!r} is no domain of this portfolio's framework."
        raise FigureError(message)
    name = label or domain.capitalize()
    placed = arranged(None)
    shown = rows.rename(columns={"place": "area_name"}).assign(
        node_id=domain,
        region_name=rows["area_code"].map(placed.centres.set_index("area_code")["region_code"]),
        status="computed",
        estimate=0.0,
    )
    every = panels.with_all_areas(shown, placed.shapes)
    worse = every["standing"].eq(WORSE)
    here = every["programmes"].fillna(0).gt(0)
    keyed = pd.Series([CLASSES[w, h].key for w, h in zip(worse, here, strict=True)], index=every.index)
    counts = keyed.value_counts()
    found = [MapClass(c.key, c.label, c.fill, c.hatch, int(counts[c.key])) for c in CLASSES.values() if c.key in counts]

    def key(width: float) -> Any:
        return keys.map_key(found, title=f"{name}: programmes beside need", width=width)

    comb = honeycomb(panels.coloured(every, keyed, found), placed, key=key, size=size)
    many, both = int(here.sum()), int((worse & here).sum())
    title = associational(
        f"{name}: programmes in {plural(many, 'authority', 'authorities')}, {both} of them clearly worse than England; "
        f"{int((worse & ~here).sum())} clearly worse without one"
    )
    told = "; ".join(f"{c.label}: {c.count}" for c in found)
    return finished(
        comb.body,
        title=title,
        subtitle="Upper-tier local authorities in England, each the same size; "
        f"{result.spec.level:.0%} intervals, figures measured by the end of {result.spec.period}",
        unit="authorities",
        source=figure_entry(f"domain-hex-{domain}").source,
        data_as_at=result.manifest.data_as_at,
        alt=f"Hexagon map of {len(every)} upper-tier local authorities. {title}. Counts: {told}.",
        data=comb.rows[["area_code", "area_name", "abbreviation", "standing", "programmes", "reach", "map_class"]],
        notes=(comb.note, WORKING_ASSIGNMENT),
        width=comb.width,
        size=size,
    )
