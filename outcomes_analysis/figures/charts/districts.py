"""The districts of a place side by side, each measure beside England."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import Figure, date_of, finished, resizable
from outcomes_analysis.figures.drawing.legends import Kind
from outcomes_analysis.figures.drawing.rows import Axis, body_width, interval_rows
from outcomes_analysis.places.quantities import PERCENT, short_amount, spoken
from outcomes_analysis.wording import associational, listed, plural

_KINDS = {
    "district": Kind("circle", theme.DUO[0], "a district"),
    "whole": Kind("diamond", theme.DUO[1], "the place as a whole"),
}
_SOURCE = "the publishers named in the table of sources"


@resizable
def district_rows(
    place: Any, *, source: str | None = None, data_as_at: str | None = None, size: theme.Size = "page"
) -> Figure:
    """Draw every percentage that all districts of a place have, with England's of the same period.

    Parameters
    ----------
    place : JoinedPlace
        Its ``table`` has ``indicator_id, name, unit, decimals, contested, period, value, lower, upper, lowest,
        highest, england, position, status``; its ``values`` the districts.
    source, data_as_at, size
        As for :func:`~outcomes_analysis.figures.charts.estimates.coefficient_forest`.

    Returns
    -------
    Figure
        Children's outcomes in per cent. A district has no interval, for how many children are behind its figure is
        mostly not known; the place as a whole has one where it is known. Nothing is called better or worse.

    Raises
    ------
    FigureError
        If no percentage is there for all districts.
    """
    table = place.table
    shown = table[table["lowest"].notna() & table["unit"].eq(PERCENT) & table["kind"].ne("context")]
    if shown.empty:
        message = f"{place.name} has no percentage that all its districts have: there is nothing to draw."
        raise FigureError(message)
    rows = []
    for row in shown.to_dict("records"):
        group = f"{row['name']}{' *' if row['contested'] else ''}, {spoken(row['period'])}"
        own = place.values.loc[row["indicator_id"]]
        common = {"indicator_id": row["indicator_id"], "group": group, "period": row["period"]}
        rows += [
            common | {"label": name, "estimate": float(own[code]), "kind": "district", "bold": False,
                      "beside": row["england"]}
            for code, name in place.districts.items()
        ]  # fmt: skip
        if row["status"] in ("counted", "estimated"):
            told = f"{place.name}{' (estimated)' if row['status'] == 'estimated' else ''}"
            rows.append(
                common | {"label": told, "estimate": row["value"], "lower": row["lower"], "upper": row["upper"],
                          "kind": "whole", "bold": True, "beside": row["england"]}
            )  # fmt: skip
    data = pd.DataFrame(rows, columns=["indicator_id", "group", "period", "label", "estimate", "lower", "upper",
                                       "kind", "bold", "beside"])  # fmt: skip
    data[["lower", "upper"]] = data[["lower", "upper"]].astype(float)
    sides = {side: int(shown["position"].eq(side).sum()) or "none" for side in ("above", "below")}
    title = (
        f"{place.name}: on {sides['above']} of {plural(len(shown), 'measure', 'measures')} every district is above "
        f"England, on {sides['below']} every district is below"
    )
    kinds = {key: kind for key, kind in _KINDS.items() if data["kind"].eq(key).any()}
    width = body_width(size)
    described = [
        f"{row.measure}: {short_amount(row.lowest, unit=PERCENT, decimals=int(row.decimals))} to "
        f"{short_amount(row.highest, unit=PERCENT, decimals=int(row.decimals))}, England "
        f"{short_amount(row.england, unit=PERCENT, decimals=int(row.decimals))}"
        for row in shown.rename(columns={"name": "measure"}).itertuples()
    ]
    whole = f"; {round(100 * place.spec.level)}% intervals for the whole, where known" if "whole" in kinds else ""
    drawing = interval_rows(
        data, axis=Axis("per cent", low=0.0, zero=None, decimals=1), width=width, kinds=kinds, beside="England"
    )
    return finished(
        drawing,
        title=associational(title),
        subtitle=f"{listed(list(place.districts))}; latest period that all have, by {place.spec.period}{whole}",
        unit="per cent of children, as published",
        source=source or _SOURCE,
        data_as_at=date_of(place, data_as_at),
        alt=associational(f"One row a district, under each measure. {title}. {'; '.join(described)}."),
        data=data.drop(columns="bold"),
        notes=("How many children are behind a district's figure is mostly not known, so neither is how sure it is: "
               "no district is judged. * contested: people disagree which way is better.",),
        width=width,
        size=size,
    )  # fmt: skip
