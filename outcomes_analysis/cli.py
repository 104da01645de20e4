"""The command ``outcomes``: arguments, progress, exit codes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from outcomes_analysis.errors import OutcomesError

USERS_MISTAKE, OURS = 2, 1

app = typer.Typer(
    name="outcomes",
    help="Children's outcomes in English local authorities: indices, associations, maps and evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Mirror = Annotated[
    Path | None, typer.Option("--mirror", help="Folder that mirrors the raw files, instead of downloading them.")
]
Period = Annotated[int, typer.Option("--period", help="Year by whose end figures must have been measured.")]


def _say(text: str) -> None:
    typer.echo(text)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Show what is being done and for how long; one plain line a step where there is no terminal."""
    if quiet:
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        began = time.monotonic()
        yield lambda step: typer.echo(f"{time.monotonic() - began:5.1f} s  {step}", err=True)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task: list[Any] = []

        def step(text: str) -> None:
            if task:
                bar.update(task[-1], total=1, completed=1)
            task.append(bar.add_task(text, total=None))

        yield step
        if task:
            bar.update(task[-1], total=1, completed=1)


@app.command()
def run(
    period: Period = 0, force: Annotated[bool, typer.Option("--force", help="Do every stage again.")] = False,
    quiet: Quiet = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Do the main job: indices with intervals, one association, maps, a ranking and a report."""
    from outcomes_analysis import pipeline

    with _progress(quiet=quiet or as_json) as step:
        files = pipeline.run(period=period or pipeline.PERIOD, force=force, progress=step)
    if as_json:
        _say(json.dumps({"files": [str(f) for f in files]}))
    elif not quiet:
        report = next((f for f in files if f.name == "report.html"), files[-1])
        _say(f"{len(files)} files are ready. Open the report: {report}")


@app.command()
def status(period: Period = 0, as_json: AsJson = False) -> None:
    """Show which stages are fresh and which would be done again."""
    from outcomes_analysis import pipeline
    from outcomes_analysis.sources.release import read_manifest

    found = pipeline.states(period=period or pipeline.PERIOD)
    if as_json:
        _say(json.dumps([{"stage": s.stage.name, "fresh": s.fresh, "reason": s.reason} for s in found]))
        return
    _say(f"Data as at {read_manifest()['data_as_at']}")
    for state in found:
        mark = "fresh" if state.fresh else f"stale: {state.reason}"
        _say(f"  {state.stage.name:<12} {mark}")


@app.command()
def refresh(mirror: Mirror = None, quiet: Quiet = False) -> None:
    """Rebuild the default data from the published files."""
    from outcomes_analysis import pipeline

    with _progress(quiet=quiet) as step:
        files = pipeline.refresh(mirror=mirror, progress=step)
    if not quiet:
        size = sum(f.stat().st_size for f in files) / 1e6
        _say(f"{len(files)} files, {size:.1f} MB, in {files[0].parent}")


@app.command()
def verify(mirror: Mirror = None, quiet: Quiet = False) -> None:
    """Prove that the default data are what the published files give."""
    from outcomes_analysis import pipeline

    with _progress(quiet=quiet) as step:
        message = pipeline.verify(mirror=mirror, progress=step)
    if not quiet:
        _say(message)


@app.command()
def area(
    name: Annotated[str, typer.Argument(help="Any spelling, code or former name.")],
    period: Period = 0, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show one place: each figure beside England, its region and similar places."""
    from outcomes_analysis import pipeline
    from outcomes_analysis.places import area_profile, profile_text

    year = period or pipeline.PERIOD
    profile = area_profile(name, period=year, index=pipeline.default_uncertainty(year))
    if as_json:
        _say(profile.table.to_json(orient="records", date_format="iso"))
    else:
        _say(profile_text(profile))


@app.command()
def find(words: Annotated[list[str], typer.Argument(help="Words to look for, such as: absence")]) -> None:
    """Search the indicators."""
    from outcomes_analysis.framework import find as find_indicators

    for name, row in find_indicators(" ".join(words)).iterrows():
        _say(f"{name}\n    {row['name']}")


@app.command()
def lab() -> None:
    """Open JupyterLab on the notebooks."""
    import subprocess

    from outcomes_analysis.project import project

    folder = project().path("notebooks")
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", str(folder)]))


def main() -> None:
    """Run the command; a user's mistake ends with one plain message and code 2, ours with code 1."""
    try:
        app(standalone_mode=False)
    except OutcomesError as error:
        typer.echo(f"outcomes: {error}", err=True)
        sys.exit(USERS_MISTAKE)
    except KeyboardInterrupt:
        typer.echo("outcomes: stopped. Nothing half-written is left behind.", err=True)
        sys.exit(130)
    except Exception as error:
        code, text = _unexpected(error)
        typer.echo(text, err=True)
        sys.exit(code)


def _unexpected(error: Exception) -> tuple[int, str]:
    """Tell a wrong argument (theirs) from a fault of the program (ours)."""
    show = getattr(error, "format_message", None)
    if callable(show):  # what the argument parser raises
        return USERS_MISTAKE, f"outcomes: {show()} See: outcomes --help"
    return OURS, (
        f"outcomes: something went wrong inside the program ({type(error).__name__}: {error}). "
        "This is our mistake: please report it with the command you ran."
    )


if __name__ == "__main__":
    main()
