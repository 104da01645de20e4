"""What every command shares: its options, how it tells of progress, and how it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

USERS_MISTAKE, OURS, STOPPED = 2, 1, 130
WIDTH = 100
_KINDS = {"<path>": "FILE", "<int>": "NUMBER", "<str>": "WORDS"}

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Mirror = Annotated[
    Path | None,
    typer.Option("--mirror", metavar="FOLDER", help="Folder that mirrors the raw files, instead of downloading them."),
]


class Plain:
    """Help that speaks of files and numbers, not of types of the language it is written in."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Parameters of the command; switches and arguments have no type beside them."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if param.param_type_name == "argument":
                param.display_type_rich = lambda ctx: None
            elif param.is_flag:
                param.metavar = ""
            elif param.metavar is None:
                param.metavar = _KINDS.get(param.display_type(ctx))
        return params


class Command(Plain, typer.core.TyperCommand):
    """A command with plain help."""


class Group(Plain, typer.core.TyperGroup):
    """The command above all others, with plain help."""


class App(typer.Typer):
    """An application all of whose commands have plain help."""

    def command[F: Callable[..., Any]](self, *args: Any, **options: Any) -> Callable[[F], F]:
        """Register a function as a command."""
        return super().command(*args, **{"cls": Command, **options})


def year_of_option(text: str) -> int:
    """Read a year of four digits."""
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        message = f"{text!r} is not a year, such as 2024."
        raise typer.BadParameter(message)
    return int(text)


Period = Annotated[
    int | None,
    typer.Option(
        "--period",
        metavar="YEAR",
        parser=year_of_option,
        help="Use what was measured by the end of this year.",
        show_default="the newest",
    ),
]


Districts = Annotated[
    str, typer.Option("--districts", metavar="NAMES", help="Districts the place is made of, with commas between.")
]
Children = Annotated[
    str,
    typer.Option("--children", metavar="NUMBERS", help="Children in each of them, with commas between, for estimates."),
]


def names_of_option(text: str) -> list[str]:
    """Read names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers_of_option(text: str) -> list[float]:
    """Read numbers of children with commas between, or stop."""
    try:
        return [float(number) for number in text.replace(" ", "").split(",") if number]
    except ValueError:
        stop(f"outcomes: --children takes numbers with commas between, not '{text}'.", USERS_MISTAKE)


def say(text: str) -> None:
    """Print a line or more."""
    typer.echo(text)


def measured_year(period: int) -> int:
    """A year in which something was measured, or stop."""
    from outcomes_analysis.sources.release import load_observations

    ends = load_observations()["period_end"].dt.year
    first, last = int(ends.min()), int(ends.max())
    if not first <= period <= last:
        stop(f"outcomes: nothing was measured by {period}. Figures run from {first} to {last}.", USERS_MISTAKE)
    return period


@dataclass(frozen=True)
class Told:
    """What a long job is told to call: at each step, and as a file arrives (source, bytes so far, bytes in all)."""

    step: Callable[[str], None]
    downloaded: Callable[[str, int, int], None]


@contextmanager
def progress(*, quiet: bool) -> Iterator[Told]:
    """Show what is being done and for how long; one plain line a step where there is no terminal."""
    if quiet:
        yield Told(lambda _: None, lambda *_: None)
    elif sys.stderr.isatty():
        with _bars() as told:
            yield told
    else:
        began = time.monotonic()

        def line(text: str) -> None:
            typer.echo(f"{time.monotonic() - began:5.1f} s  {text}", err=True)

        yield Told(line, lambda source, done, size: line(f"  {_arrived(source, size)}") if done >= size else None)


@contextmanager
def _bars() -> Iterator[Told]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: list[Any] = []
        words = [""]

        def finish() -> None:
            if tasks:
                bar.update(tasks[-1], description=words[0], total=1, completed=1)

        def step(text: str) -> None:
            finish()
            words[0] = text
            tasks.append(bar.add_task(text, total=None))

        def downloaded(source: str, done: int, size: int) -> None:
            bar.update(tasks[-1], description=f"{words[0]}: {_arrived(source, size)}", total=size, completed=done)

        yield Told(step, downloaded)
        finish()


def _arrived(source: str, size: int) -> str:
    return f"{source} ({size / 1e6:.1f} MB)"


def stop(text: str, code: int) -> NoReturn:
    """End with a message and an exit code."""
    if text:
        typer.echo(text, err=True)
    sys.exit(code)
