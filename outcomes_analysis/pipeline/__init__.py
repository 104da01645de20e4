"""The stages in order: files to release, and release to indices, association, figures and report.

Each stage of a run leaves a small record of what it was made from; a stage whose inputs have not changed, and whose
files are all there, is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd

from outcomes_analysis.errors import ReleaseError, several
from outcomes_analysis.pipeline.atlas import atlas_page, make_atlas
from outcomes_analysis.pipeline.playbook import default_cards, ledger_hash, write_cards
from outcomes_analysis.pipeline.results import (
    PERIOD,
    RELATION_YEAR,
    association,
    audits,
    catalogue,
    default_audit,
    default_comparison,
    default_comparisons,
    default_fitness,
    default_index,
    default_joint,
    default_relation,
    default_sensitivity,
    default_uncertainty,
    draw,
    figures_of_a_run,
    forget,
    indices,
    report,
    sampled,
)
from outcomes_analysis.project import Project, project
from outcomes_analysis.provenance import hash_of, package_version, sha256_of, write_atomic, write_folder, writing
from outcomes_analysis.wording import plural

if TYPE_CHECKING:
    from outcomes_analysis.framework.model import Framework

__all__ = [
    "PERIOD",
    "RELATION_YEAR",
    "STAGES",
    "Stage",
    "StageState",
    "atlas_page",
    "default_audit",
    "default_cards",
    "default_comparison",
    "default_comparisons",
    "default_fitness",
    "default_index",
    "default_joint",
    "default_relation",
    "default_sensitivity",
    "default_uncertainty",
    "figures_of_a_run",
    "make_atlas",
    "rebuild",
    "refresh",
    "run",
    "states",
    "verify",
]
Progress = Callable[[str], None]
Downloaded = Callable[[str, int, int], None]
FIRST_YEAR, LAST_YEAR = 2013, 2025


def _quiet(_: str) -> None:
    return None


def _nothing_more(_: Project) -> str:
    return ""


# ------------------------------------------------------------------------------------------------ files to release


@dataclass(frozen=True)
class Rebuilt:
    """A release in memory.

    Attributes
    ----------
    files : dict of str to bytes
        Content of every file of ``data/release/``.
    observations : DataFrame
        The table they hold, natural units.
    """

    files: dict[str, bytes]
    observations: pd.DataFrame


def rebuild(
    *, mirror: Path | None = None, progress: Progress = _quiet, downloaded: Downloaded | None = None
) -> Rebuilt:
    """Read every source and make the release, without writing it.

    Parameters
    ----------
    mirror : Path, optional
        Folder that mirrors the raw files; without it they are downloaded to ``data/raw/``.
    progress : callable
        Told what is being done.
    downloaded : callable, optional
        Told source, bytes so far and bytes in all.

    Returns
    -------
    Rebuilt
    """
    from outcomes_analysis.areas.boundaries import build_outlines
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.sources.fetching import fetch
    from outcomes_analysis.sources.reading import read_all
    from outcomes_analysis.sources.registry import load_sources
    from outcomes_analysis.sources.release import pack_release

    framework, registry = load_framework(), load_sources()
    progress("fetching the published files")
    paths = fetch(registry, mirror=mirror, raw=project().result("data", "raw"), progress=downloaded)
    progress("reading them")
    raw = read_all(paths, registry)
    progress("harmonising areas and finding how sure each figure is")
    observed = _observed(raw, framework=framework)
    progress("drawing outlines")
    outlines = build_outlines(paths["boundaries_all_vintages"])
    progress("packing")
    files = pack_release(
        observed.observations,
        framework=framework,
        yearly=observed.yearly,
        sources=[registry.source(name).provenance for name in paths],
        outlines=outlines,
        report=observed.report,
    )
    return Rebuilt(files, observed.observations)


@dataclass(frozen=True)
class _Observed:
    observations: pd.DataFrame
    yearly: pd.DataFrame
    report: pd.DataFrame


def _observed(raw: pd.DataFrame, *, framework: Framework) -> _Observed:
    """From readers' rows to the tidy table with both kinds of error, for the years the release keeps."""
    from outcomes_analysis.areas.harmonising import harmonise
    from outcomes_analysis.observations.breaks import mark_breaks
    from outcomes_analysis.observations.contract import check_observations
    from outcomes_analysis.observations.holding import bands_held
    from outcomes_analysis.observations.intervals import sampling_errors
    from outcomes_analysis.observations.yearly import add_total_errors, year_to_year
    from outcomes_analysis.sources.corrections import apply_corrections, load_corrections
    from outcomes_analysis.sources.deriving import derive_rates

    raw = apply_corrections(raw, load_corrections())
    children = raw[raw["indicator_id"] == "pop_0_17"]
    by_code = children.set_index([children["published_code"], children["period_end"].dt.year])["value"]
    harmonised = harmonise(raw, framework=framework, population=by_code.dropna())
    table = harmonised.table
    table = derive_rates(table, framework=framework, population=table[table["indicator_id"] == "pop_0_17"])
    table = sampling_errors(table, framework=framework)
    table = table[table["period_end"].dt.year.between(FIRST_YEAR, LAST_YEAR)]
    table = mark_breaks(table, framework=framework)
    yearly = year_to_year(table, framework=framework)
    yearly = yearly.join(bands_held(table, framework=framework))
    table = add_total_errors(table, yearly, framework=framework)
    return _Observed(check_observations(table, framework=framework, where="release"), yearly, harmonised.report)


def refresh(
    *, mirror: Path | None = None, progress: Progress = _quiet, downloaded: Downloaded | None = None
) -> list[Path]:
    """Rebuild the release and write it: all of it, or the last good one stays as it was.

    Parameters
    ----------
    mirror, progress, downloaded
        As of :func:`rebuild`.

    Returns
    -------
    list of Path
        Files written.
    """
    rebuilt = rebuild(mirror=mirror, progress=progress, downloaded=downloaded)
    written = write_folder(project().result("data", "release"), rebuilt.files)
    _forget()
    return written


def _forget() -> None:
    """Let go of what was made in this process from the release before."""
    from outcomes_analysis.sources import release

    release.forget()
    forget()
    default_cards.cache_clear()


def verify(*, mirror: Path | None = None, progress: Progress = _quiet, downloaded: Downloaded | None = None) -> str:
    """Rebuild the release and compare it with the one here.

    Parameters
    ----------
    mirror, progress, downloaded
        As of :func:`rebuild`.

    Returns
    -------
    str
        What was compared, in words.

    Raises
    ------
    ReleaseError
        If they differ, naming how.
    """
    from outcomes_analysis.sources.release import compare_releases, release_folder

    rebuilt = rebuild(mirror=mirror, progress=progress, downloaded=downloaded)
    differences = compare_releases(rebuilt.files, release_folder())
    if differences:
        message = (
            f"The release differs from what the files give, in {plural(len(differences), 'way', 'ways')}: "
            f"{several(differences)}. "
            "Run `outcomes refresh` and look at the change before committing it."
        )
        raise ReleaseError(message)
    return f"{len(rebuilt.files)} files, {len(rebuilt.observations):,} figures: the release is what the files give."


# ------------------------------------------------------------------------------------------------ stages of a run


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Attributes
    ----------
    name : str
        Word shown to the user.
    does : str
        What it makes, in words.
    needs : tuple of str
        Names of earlier stages.
    work : callable
        Makes the files and returns them.
    also : callable
        What it depends on besides what every stage does, as a hash.
    """

    name: str
    does: str
    needs: tuple[str, ...]
    work: Callable[[Project, int], list[Path]]
    also: Callable[[Project], str] = _nothing_more


@dataclass(frozen=True)
class StageState:
    """Whether a stage is fresh, and why not."""

    stage: Stage
    fresh: bool
    reason: str
    key: str


def _record(target: Project, name: str) -> Path:
    return target.result("data", "processed", "stages", f"{name}.json")


def _inputs_key(home: Project) -> str:
    """Hash of what every stage depends on: the package's code, the framework, the areas, the release."""
    package = Path(__file__).resolve().parents[1]
    code = sorted(package.rglob("*.py"))
    data = sorted(
        p
        for sub in ("framework", "areas", "release", "local")
        for p in (home.home / "data" / sub).rglob("*")
        if p.is_file()
    )
    register = [p for p in (home.home / "figures" / "figures.yml",) if p.is_file()]
    files = {p.as_posix(): sha256_of(p) for p in (*code, *data, *register)}
    return hash_of([package_version(), list(files.values())])


def states(*, period: int = PERIOD, full: bool = False) -> list[StageState]:
    """Find which stages are fresh.

    Parameters
    ----------
    period : int
        Year of the indices.
    full : bool
        Whether the joint model is to be sampled. What was made with it sampled is fresh either way.

    Returns
    -------
    list of StageState
        In order; a stage is stale when its inputs changed, a file of it is missing, or a stage it needs is stale.
    """
    target = project()
    base = _inputs_key(target)
    found: dict[str, StageState] = {}
    for stage in STAGES:
        parts = [base, stage.name, period, stage.also(target)]
        quick, thorough = hash_of(parts), hash_of([*parts, "full"])
        key, good = (thorough, {thorough}) if full and stage.name in SAMPLED else (quick, {quick, thorough})
        reason = _why_stale(_record(target, stage.name), good, target)
        stale_needs = [n for n in stage.needs if not found[n].fresh]
        if not reason and stale_needs:
            reason = f"made from what is stale: {several(stale_needs)}"
        found[stage.name] = StageState(stage, not reason, reason or "fresh", key)
    return list(found.values())


def _why_stale(record: Path, good: set[str], target: Project) -> str:
    if not record.is_file():
        return "not made yet"
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
        recorded, names = kept["key"], kept["files"]
    except (ValueError, KeyError, TypeError):
        return "its record is damaged"
    if recorded not in good:
        return "code, data or period changed"
    missing = [name for name in names if not target.result(*name.split("/")).is_file()]
    return f"{plural(len(missing), 'file', 'files')} missing ({several(missing, limit=2)})" if missing else ""


def run(*, period: int = PERIOD, force: bool = False, full: bool = False, progress: Progress = _quiet) -> list[Path]:
    """Do the main job: every stage that is not fresh.

    Parameters
    ----------
    period : int
        Year by whose end figures must have been measured.
    force : bool
        Do every stage.
    full : bool
        Sample the joint model of the domains (NUTS) instead of taking the normal at its peak: minutes the first time;
        the fit is kept on disk.
    progress : callable
        Told each stage as it starts.

    Returns
    -------
    list of Path
        Files made or found fresh.
    """
    target = project()
    made: list[Path] = []
    for state in states(period=period, full=full):
        record = _record(target, state.stage.name)
        if state.fresh and not force:
            made += [target.result(*n.split("/")) for n in json.loads(record.read_text(encoding="utf-8"))["files"]]
            continue
        progress(state.stage.does)
        with sampled() if full else nullcontext():
            names = _work(state.stage, target, period)
        files = [target.result(*n.split("/")) for n in names]
        write_atomic(record, json.dumps({"key": state.key, "files": names}, indent=1) + "\n")
        made += files
    return made


def _work(stage: Stage, target: Project, period: int) -> list[str]:
    """Let a stage make its files beside the old ones, and put them in place once all are there."""
    workshop = target.result("data", "processed")
    with writing(workshop):
        workshop.mkdir(parents=True, exist_ok=True)
        temporary = TemporaryDirectory(dir=workshop, prefix=f".{stage.name}.")
    with temporary as folder:
        made = [(p, p.relative_to(folder)) for p in stage.work(Project(target.home, Path(folder)), period)]
        for path, relative in made:
            place = target.output / relative
            with writing(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
    return [relative.as_posix() for _, relative in made]


SAMPLED = ("association", "figures", "report")  # made from the joint model, directly or not
STAGES: tuple[Stage, ...] = (
    Stage("catalogue", "listing the indicators", (), catalogue),
    Stage("indices", "scoring the domains of every authority, with intervals", (), indices),
    Stage("audit", "auditing the index and each indicator", (), audits),
    Stage("association", "relating admissions to attainment, and the domains to one another", (), association),
    Stage(
        "cards",
        "writing evidence cards",
        ("indices", "audit", "association"),
        write_cards,
        also=ledger_hash,
    ),
    Stage("figures", "drawing maps, ranks and tables", ("indices", "association"), draw),
    Stage("report", "writing the report", ("indices", "audit", "association", "figures"), report),
)
