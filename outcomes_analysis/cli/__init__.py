"""The command ``outcomes``: arguments, progress, exit codes."""

from __future__ import annotations

import io
import json
import sys
import warnings
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer

from outcomes_analysis.cli.packing import pack
from outcomes_analysis.cli.placing import area
from outcomes_analysis.cli.playbook import VERBS
from outcomes_analysis.cli.targets import priorities, trajectory
from outcomes_analysis.cli.telling import (
    OURS,
    STOPPED,
    USERS_MISTAKE,
    WIDTH,
    App,
    AsJson,
    Group,
    Mirror,
    Period,
    Quiet,
    measured_year,
    progress,
    say,
    stop,
)
from outcomes_analysis.errors import OutcomesError, OutcomesWarning

NEED_SCORES = (2, 3, 8, 9)  # notebooks that need a place's scores

app = App(
    name="outcomes",
    help="Children's outcomes in English local authorities: indices, associations, maps and evidence.",
    no_args_is_help=True,
    cls=Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def run(
    period: Period = None, force: Annotated[bool, typer.Option("--force", help="Do every stage again.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Sample the model of the domains: exact, some minutes.")] = False,
    quiet: Quiet = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Do the main job: indices with intervals, one association, maps, a ranking and a report."""
    from outcomes_analysis import pipeline

    with progress(quiet=quiet or as_json) as told:
        files = pipeline.run(period=period or pipeline.PERIOD, force=force, full=full, progress=told.step)
    if as_json:
        say(json.dumps({"files": [str(f) for f in files]}))
    elif not quiet:
        report = next((f for f in files if f.name == "report.html"), files[-1])
        say(f"{len(files)} files are ready. Open the report: {report}")


@app.command()
def status(period: Period = None, as_json: AsJson = False) -> None:
    """Show which stages are fresh and which would be done again."""
    from outcomes_analysis import pipeline
    from outcomes_analysis.sources.release import read_manifest
    from outcomes_analysis.wording import written_date

    found = pipeline.states(period=period or pipeline.PERIOD)
    if as_json:
        say(json.dumps([{"stage": s.stage.name, "fresh": s.fresh, "reason": s.reason} for s in found]))
        return
    say(f"Data as at {written_date(str(read_manifest()['data_as_at']))}")
    for state in found:
        mark = "fresh" if state.fresh else f"stale: {state.reason}"
        say(f"  {state.stage.name:<12} {mark}")


@app.command()
def refresh(mirror: Mirror = None, quiet: Quiet = False) -> None:
    """Rebuild the default data from the published files."""
    from outcomes_analysis import pipeline

    with progress(quiet=quiet) as told:
        files = pipeline.refresh(mirror=mirror, progress=told.step, downloaded=None if mirror else told.downloaded)
    if not quiet:
        size = sum(f.stat().st_size for f in files) / 1e6
        say(f"The release is rebuilt: {len(files)} files, {size:.1f} MB, in {files[0].parent}")


@app.command()
def verify(mirror: Mirror = None, quiet: Quiet = False) -> None:
    """Prove that the default data are what the published files give."""
    from outcomes_analysis import pipeline

    with progress(quiet=quiet) as told:
        message = pipeline.verify(mirror=mirror, progress=told.step, downloaded=None if mirror else told.downloaded)
    if not quiet:
        say(message)


app.command()(area)


@app.command()
def coverage(
    name: Annotated[list[str] | None, typer.Argument(help="One place; all authorities without it.")] = None,
    by: Annotated[str, typer.Option(metavar="WHAT", help="domain, outcome, layer, age_stage or area.")] = "domain",
    period: Period = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what is measured, what is not, and how late."""
    from outcomes_analysis import pipeline
    from outcomes_analysis.places import coverage as cover
    from outcomes_analysis.places import coverage_text

    if by not in ("domain", "outcome", "layer", "age_stage", "area"):
        stop(f"outcomes: --by is domain, outcome, layer, age_stage or area, not '{by}'.", USERS_MISTAKE)
    report = cover(" ".join(name) if name else None, period=measured_year(period) if period else pipeline.PERIOD)
    if as_json:
        say(report.table.to_json(orient="records"))
    else:
        say(coverage_text(report, by=by))  # type: ignore[arg-type]


app.command()(trajectory)
app.command()(priorities)


@app.command()
def find(
    words: Annotated[list[str], typer.Argument(help="Words to look for, such as: absence")], as_json: AsJson = False
) -> None:
    """Search the indicators."""
    from outcomes_analysis.framework import find as find_indicators

    found = find_indicators(" ".join(words))
    if as_json:
        say(found.reset_index().to_json(orient="records"))
        return
    wide = max(len(str(name)) for name in found.index) + 2
    for name, row in found.iterrows():
        about = (
            f"{row['name']} ({row['domain'] or 'context'}; {row['unit']}{'; contested' if row['contested'] else ''})"
        )
        say(fill(f"{name:<{wide}}{about}", WIDTH, subsequent_indent=" " * wide, break_on_hyphens=False))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A CSV of local figures, or the overlay (.yml) that names it.")],
    as_json: AsJson = False,
) -> None:
    """Check a file of local figures: is it valid, and what is wrong."""
    from outcomes_analysis.sources.vetting import check_file

    report = check_file(file)
    say(report.to_json() if as_json else report.text)
    if not report.valid:
        raise typer.Exit(USERS_MISTAKE)


@app.command()
def atlas(
    out: Annotated[Path | None, typer.Option("--out", help="File to write.", show_default="figures/atlas.html")] = None,
    period: Period = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write the atlas: one file with every measure, place and year, to open in a browser without a network."""
    from outcomes_analysis import pipeline

    with progress(quiet=quiet) as told:
        told.step("scoring every year and writing the atlas")
        path = pipeline.make_atlas(out, period=period or pipeline.PERIOD)
    if not quiet:
        say(f"The atlas is ready ({path.stat().st_size / 1e6:.1f} MB). Open it in a browser: {path}")


app.command()(pack)


@app.command()
def notebook(
    number: Annotated[int, typer.Argument(help="Number of the notebook, as in notebooks/README.md.")],
    place: Annotated[
        str, typer.Option(metavar="NAME", help="Place to write it for, where it has one.", show_default="its own")
    ] = "",
    local: Annotated[
        Path | None, typer.Option("--local", metavar="FILE", help="Overlay (.yml) of your figures, for notebook 11.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write.", show_default="notebooks/_build/")] = None,
    period: Period = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Run a notebook and write it as a page, its place, year or local figures replaced."""
    from outcomes_analysis.evidence.notebooks import find_notebook, write_notebook
    from outcomes_analysis.project import project

    source = find_notebook(number)  # a slip of the pen is said before anything is computed
    values: dict[str, object] = {"period": measured_year(period)} if period else {}
    if place:
        values["place"] = _authority(place, scored=number in NEED_SCORES)
    if local:
        values |= _of_overlay(local)
        out = out or project().result("notebooks", "_build", f"{source.stem}-{local.stem}.html")
    with progress(quiet=quiet) as told:
        told.step(f"running {source.name}, up to two minutes")
        path = write_notebook(number, values=values, out=out)
    if not quiet:
        say(f"The page is ready. Open it in a browser: {path}")


def _authority(place: str, *, scored: bool) -> str:
    """Name of the authority that a notebook is to be about, or why there can be none."""
    from outcomes_analysis.areas.register import load_register, resolve_place
    from outcomes_analysis.figures.standing import UNRANKED
    from outcomes_analysis.places.joining import districts_of

    if districts_of(place):
        message = f"a notebook is about one authority; {place} is made of districts: see outcomes area {place}"
        stop(f"outcomes: {message}, or outcomes pack {place}.", USERS_MISTAKE)
    code = resolve_place(place)
    name = str(load_register().loc[code, "name"])
    if scored and code in UNRANKED:
        stop(f"outcomes: {name} has too few children for scores. See outcomes area {name}.", USERS_MISTAKE)
    return name


def _of_overlay(path: Path) -> dict[str, object]:
    """Parameters of a notebook on local figures: the overlay, its first indicator with a figure, the newest date."""
    from outcomes_analysis.project import project
    from outcomes_analysis.sources.local import load_local

    rows = load_local(path).observations.dropna(subset=["value"])
    if rows.empty:
        stop(f"outcomes: {path.name} has no figures to show. Name their CSV in its line `values:`.", USERS_MISTAKE)
    beside = path.resolve().parent == project().path("data", "local").resolve()  # then no path of this machine is told
    return {
        "overlay": path.name if beside else str(path.resolve()),
        "indicator": str(rows["indicator_id"].iloc[0]),
        "as_at": str(rows["period_end"].max().date()),
    }


@app.command()
def lab() -> None:
    """Open JupyterLab on the notebooks."""
    import subprocess

    from outcomes_analysis.project import project

    say(
        "JupyterLab opens in your browser, on this machine alone. Click a notebook, then Run, Run All Cells. To stop "
        "it, press Ctrl+C here."
    )
    raise typer.Exit(subprocess.call(lab_command(project().path("notebooks"))))


for verb in VERBS:
    app.command()(verb)


def lab_command(folder: Path) -> list[str]:
    """Command that opens JupyterLab on a folder; it asks nobody for news or newer versions."""
    silent = ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None"]
    quiet = ["--LabApp.extension_manager=readonly", "--log-level=WARN"]
    return [sys.executable, "-m", "jupyterlab", str(folder), *silent, *quiet]


def main() -> None:
    """Run the command; a user's mistake ends with one plain message and code 2, ours with code 1."""
    warnings.showwarning = _warn
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a true minus sign is no reason to fail on an old console
    try:
        code = app(prog_name="outcomes", standalone_mode=False)
    except OutcomesError as error:
        stop(f"outcomes: {error}", USERS_MISTAKE)
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except Exception as error:
        stop(*_unexpected(error))
    if code == STOPPED:
        stop("outcomes: stopped. Nothing half-written is left behind.", STOPPED)
    sys.exit(code if isinstance(code, int) else 0)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Show our own warnings as a note without a place in the code, and others as Python does."""
    if issubclass(category, OutcomesWarning):
        typer.echo(f"Note: {message}", err=True)
    else:
        typer.echo(warnings.formatwarning(message, category, filename, lineno, line), err=True, nl=False)


def _unexpected(error: Exception) -> tuple[str, int]:
    """Tell a wrong argument (theirs) from a fault of the program (ours)."""
    show = getattr(error, "format_message", None)
    if callable(show):  # what the argument parser raises
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "") or "outcomes"
        said = str(show()).strip()
        return (f"outcomes: {said.rstrip('.')}. See: {command} --help" if said else "", USERS_MISTAKE)
    return (
        f"outcomes: something went wrong inside the program ({type(error).__name__}: {error}). "
        "This is our mistake: please report it with the command you ran.",
        OURS,
    )
