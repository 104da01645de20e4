"""The verb ``area``: one place in the terminal, as a page, or as the spreadsheet people share."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from outcomes_analysis.cli.telling import (
    USERS_MISTAKE,
    WIDTH,
    AsJson,
    Children,
    Districts,
    Period,
    names_of_option,
    numbers_of_option,
    say,
    stop,
)

if TYPE_CHECKING:
    from outcomes_analysis.framework.model import Framework
    from outcomes_analysis.places import AreaProfile, JoinedPlace


def area(
    name: Annotated[
        list[str] | None, typer.Argument(help="Any spelling, code or former name; no quotes needed.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the authorities there are, and stop.")] = False,
    neighbours: Annotated[
        str,
        typer.Option(
            metavar="SET",
            help="Whom to compare with: dfe_2025, dfe_2021, region, similar_poverty (after housing costs), "
            "similar_poverty_bhc (before them), or names with commas between.",
        ),
    ] = "dfe_2025",
    mean: Annotated[bool, typer.Option("--mean", help="Use the neighbours' mean, not their median.")] = False,
    districts: Districts = "", children: Children = "",
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write a page (.html) with figures and show nothing.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Write the shared spreadsheet (.csv or .xlsx) and show nothing."),
    ] = None,
    read_sheet: Annotated[
        Path | None,
        typer.Option("--read-sheet", metavar="FILE", help="Read a shared spreadsheet back, check it, and stop."),
    ] = None,
    local: Annotated[
        Path | None,
        typer.Option("--local", metavar="FILE", help="Overlay (.yml) of your own figures, to stand beside the core's."),
    ] = None,
    period: Period = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show one place: each figure beside England, its region and similar places."""
    if listing:
        say(_authorities())
        return
    if read_sheet is not None:
        say(_sheet_read(read_sheet, local))
        return
    if not name:
        message = "outcomes: Missing argument 'name'. See: outcomes area --help"
        stop(message, USERS_MISTAKE)
    _endings(("--page", page, (".html",)), ("--sheet", sheet, (".csv", ".xlsx")))
    from outcomes_analysis.pipeline.one_place import place_profile
    from outcomes_analysis.pipeline.results import PERIOD
    from outcomes_analysis.places import JoinedPlace, districts_of, joined_text, profile_text
    from outcomes_analysis.sources.local import load_local
    from outcomes_analysis.wording import listed, wrapped

    called = " ".join(name)
    if (districts or districts_of(called)) and (sheet is not None or local is not None):
        which = "--sheet" if sheet is not None else "--local"
        stop(f"outcomes: {which} is of one authority or district, not of a place made of several.", USERS_MISTAKE)
    own = load_local(local) if local else None
    profile = place_profile(
        called,
        period=period or PERIOD,
        neighbours=neighbours,
        statistic="mean" if mean else "median",
        districts=names_of_option(districts),
        children=numbers_of_option(children),
        local=own,
    )
    if page is not None:
        say(_page_written(profile, page))
    elif isinstance(profile, JoinedPlace):
        say(profile.table.to_json(orient="records") if as_json else joined_text(profile))
    elif sheet is not None:
        say(_sheet_written(profile, sheet, own.framework if own else None))
    elif as_json:
        say(profile.table.to_json(orient="records", date_format="iso"))
    else:
        say(profile_text(profile))
    if own and local and sheet is None and not as_json:
        names = listed([own.framework.indicator(i).name for i in own.added])
        said = f"Local figures, from {local.name}: {names}. They are not official statistics."
        kept = " Small counts are not held back on it, so keep the page: outcomes pack --local makes one to pass on."
        say(wrapped(f"{said}{kept if page is not None else ''}"))


def _endings(*options: tuple[str, Path | None, tuple[str, ...]]) -> None:
    """Refuse a file whose ending is not one that the option writes."""
    for option, path, endings in options:
        if path is not None and path.suffix.lower() not in endings:
            kinds = " or ".join(f"{'an' if e == '.xlsx' else 'a'} {e}" for e in endings)
            stop(f"outcomes: {option} writes {kinds}, not '{path.suffix}'.", USERS_MISTAKE)


def _page_written(profile: AreaProfile | JoinedPlace, path: Path) -> str:
    """Write a place's page, its figures in it."""
    from outcomes_analysis.evidence.packing import page_of
    from outcomes_analysis.pipeline.one_place import default_targets, place_figures
    from outcomes_analysis.places import JoinedPlace
    from outcomes_analysis.provenance import write_atomic

    targets = () if isinstance(profile, JoinedPlace) else default_targets()
    write_atomic(path, page_of(profile, figures=place_figures(profile), targets=targets))
    return f"The page of {profile.name} is ready: {path}"


def _sheet_written(profile: AreaProfile, path: Path, framework: Framework | None) -> str:
    """Write a place's shared spreadsheet in the format its name asks for."""
    from outcomes_analysis.evidence.workbook import shared_workbook
    from outcomes_analysis.places import shared_csv, shared_table
    from outcomes_analysis.provenance import write_atomic

    write_atomic(
        path,
        shared_workbook(profile, framework=framework)
        if path.suffix.lower() == ".xlsx"
        else shared_csv(shared_table(profile, framework=framework)),
    )
    return f"The shared spreadsheet is ready: {path}, {len(profile.table)} rows, one an indicator."


def _sheet_read(path: Path, overlay: Path | None) -> str:
    """Read a shared spreadsheet back, with the indicators of an overlay if there is one."""
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.framework.overlay import with_overlay
    from outcomes_analysis.places import read_shared

    framework = with_overlay(load_framework(), overlay) if overlay else None
    return read_shared(path, framework=framework).text


def _authorities() -> str:
    """Every upper-tier authority with its code, under its region."""
    from outcomes_analysis.areas.register import upper_tier

    table = upper_tier().sort_values(["region_name", "name"])
    blocks = []
    for region, rows in table.groupby("region_name"):
        names = ", ".join(f"{row['name']} ({code})" for code, row in rows.iterrows())
        blocks.append(f"{region}\n" + fill(names, WIDTH, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(blocks)
