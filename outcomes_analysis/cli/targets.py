"""``outcomes trajectory`` and ``outcomes priorities``: where places may stand in a target year; what matters most."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outcomes_analysis.cli.telling import WIDTH, AsJson, Period, Quiet, progress, say, year_of_option
from outcomes_analysis.wording import wrapped


def trajectory(
    indicator: Annotated[str, typer.Argument(help="Its id; outcomes find WORDS gives it.")],
    target: Annotated[float, typer.Option("--target", help="The national target, in the indicator's unit.")],
    year: Annotated[
        int,
        typer.Option("--year", metavar="YEAR", parser=year_of_option, help="Year in which the target's period ends."),
    ],
    own: Annotated[
        Path | None,
        typer.Option("--own", metavar="FILE", help="CSV of local targets (area, target), held against this one."),
    ] = None,
    place: Annotated[str, typer.Option("--place", metavar="NAME", help="One authority; all without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say where places may stand in a target year, what a target takes, and how past forecasts did."""
    from outcomes_analysis.areas.register import resolve_place
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.places import trajectory as forecast
    from outcomes_analysis.sources.local_targets import load_targets

    if place:
        resolve_place(place)  # a slip of the pen is said before anything is computed
    goals = load_targets(own, indicator=load_framework().indicator(indicator)) if own else {}
    found = forecast(indicator, target=target, year=year, own_targets=goals)
    if as_json:
        rows = found.table[found.table["area_code"].eq(resolve_place(place))] if place else found.table
        say(rows.to_json(orient="records"))
        return
    text = "\n\n".join([found.text_for(place), found.text]) if place else found.text
    say(wrapped(text, width=WIDTH))


def priorities(
    file: Annotated[Path, typer.Argument(help="A CSV of answers: way, person, item, points, and round of a panel.")],
    place: Annotated[str, typer.Option("--place", metavar="NAME", help="One authority to be told of as well.")] = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a page too.")] = None,
    period: Period = None, quiet: Quiet = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what matters most to people, how sure and how agreed that is, and how far places move under it."""
    from outcomes_analysis.pipeline import PERIOD
    from outcomes_analysis.pipeline.priorities import weigh_file

    with progress(quiet=quiet or as_json) as told:
        found = weigh_file(file, place=place, period=period or PERIOD, page=out, progress=told.step)
    if as_json:
        say(found.priorities.table.to_json(orient="records"))
        return
    say(wrapped(found.text, width=WIDTH))
    if out is not None and not quiet:
        say(f"\nThe page is ready. Open it in a browser: {out}")
