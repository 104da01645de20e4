"""``outcomes pack``: everything known of a place, or of every authority, to hand over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outcomes_analysis.cli.telling import (
    USERS_MISTAKE,
    Children,
    Districts,
    Period,
    Quiet,
    names_of_option,
    numbers_of_option,
    progress,
    say,
    stop,
)


def pack(
    name: Annotated[list[str] | None, typer.Argument(help="Any spelling, code or former name of one place.")] = None,
    every: Annotated[bool, typer.Option("--all", help="One pack for every authority, two at a time.")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write the workbook alone.")] = False,
    svg_only: Annotated[
        bool, typer.Option("--svg-only", help="Leave the workbook out: page, figures as SVG, tables as CSV.")
    ] = False,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Prove that a pack is unaltered, and stop.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder, or file with --xlsx, to write.", show_default="packs/NAME")
    ] = None,
    districts: Districts = "", children: Children = "",
    local: Annotated[Path | None, typer.Option("--local", help="Overlay (.yml) of local figures.")] = None,
    include: Annotated[
        str, typer.Option(metavar="IDS", help="Local indicators that may leave, with commas between; no other does.")
    ] = "",
    own: Annotated[
        Path | None,
        typer.Option(
            "--own", metavar="FILE", help="CSV of local targets (area, target): this place's own leaves, no other."
        ),
    ] = None,
    neighbours: Annotated[
        str, typer.Option(metavar="SET", help="Whom to compare with: dfe_2025, dfe_2021, region, similar_poverty.")
    ] = "dfe_2025",
    period: Period = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Put one place's page, workbook, figures, tables and methods into one folder and one zip."""
    from outcomes_analysis.pipeline import PERIOD, packs

    if check is not None:
        if name or xlsx or local or include or own or out or every or districts:
            stop("outcomes: --check takes a file and nothing else. See: outcomes pack --help", USERS_MISTAKE)
        with progress(quiet=quiet) as told:
            found = packs.prove_pack(check, progress=told.step)
        say(found)
        return
    year = period or PERIOD
    if every:
        if name or xlsx or local or include or own or districts or children:
            stop("outcomes: --all makes the packs of all authorities, without anything local or a name.", USERS_MISTAKE)
        _every(out, year=year, neighbours=neighbours, workbook=not svg_only, quiet=quiet)
        return
    if not name:
        stop("outcomes: Missing argument 'name'. See: outcomes pack --help", USERS_MISTAKE)
    called, parts, numbers = " ".join(name), names_of_option(districts), numbers_of_option(children)
    if xlsx:
        if local or include or own or svg_only:
            stop("outcomes: --xlsx alone holds nothing local: make the whole pack for those.", USERS_MISTAKE)
        with progress(quiet=quiet) as told:
            path = packs.make_workbook(
                called, out, period=year, neighbours=neighbours, districts=parts, children=numbers, progress=told.step
            )
        if not quiet:
            say(f"The workbook is ready: {path}")
        return
    with progress(quiet=quiet) as told:
        made = packs.make_pack(
            called,
            out,
            period=year,
            neighbours=neighbours,
            districts=parts,
            children=numbers,
            local=local,
            include=names_of_option(include),
            own=own,
            workbook=not svg_only,
            progress=told.step,
        )
    if not quiet:
        say("\n".join([
            f"{made.files} files are ready in {made.folder}, and as one: {made.archive}", *made.notes,
            f"Fingerprint {made.fingerprint}. Prove it later with: outcomes pack --check {made.archive}",
        ]))  # fmt: skip


def _every(folder: Path | None, *, year: int, neighbours: str, workbook: bool, quiet: bool) -> None:
    """Make the pack of every authority."""
    from outcomes_analysis.pipeline import packs

    with progress(quiet=quiet) as told:
        made = packs.make_packs(
            folder=folder, period=year, neighbours=neighbours, workbook=workbook, progress=told.step
        )
    if not quiet:
        say(f"{len(made)} packs are ready in {made[0].folder.parent}")
