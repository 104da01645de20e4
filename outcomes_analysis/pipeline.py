"""The stages in order: files to release, and release to indices, association, figures and report.

Each stage of a run leaves a small record of what it was made from; a stage whose inputs have not changed, and whose
files are all there, is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from outcomes_analysis.errors import ReleaseError, several
from outcomes_analysis.project import Project, project
from outcomes_analysis.provenance import hash_of, package_version, sha256_of, write_atomic

Progress = Callable[[str], None]
FIRST_YEAR, LAST_YEAR = 2013, 2025
INDEX_YEARS = range(2019, LAST_YEAR + 1)
PERIOD = LAST_YEAR
RELATION_YEAR = 2024  # newest year with figures on admissions


def _quiet(_: str) -> None:
    return None


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


def rebuild(*, mirror: Path | None = None, progress: Progress = _quiet) -> Rebuilt:
    """Read every source and make the release, without writing it.

    Parameters
    ----------
    mirror : Path, optional
        Folder that mirrors the raw files; without it they are downloaded to ``data/raw/``.
    progress : callable
        Told what is being done.

    Returns
    -------
    Rebuilt
    """
    from outcomes_analysis.areas.boundaries import build_outlines
    from outcomes_analysis.framework import load_framework
    from outcomes_analysis.observations.yearly import year_to_year
    from outcomes_analysis.sources.fetching import fetch
    from outcomes_analysis.sources.reading import read_all
    from outcomes_analysis.sources.registry import load_sources
    from outcomes_analysis.sources.release import pack_release

    framework, registry = load_framework(), load_sources()
    progress("fetching the published files")
    paths = fetch(registry, mirror=mirror, raw=project().result("data", "raw"))
    progress("reading them")
    raw = read_all(paths, registry)
    progress("harmonising areas")
    observations, report = _observe(raw, framework=framework, progress=progress)
    yearly = year_to_year(observations, framework=framework)
    observations = _with_total_errors(observations, yearly, framework)
    progress("drawing outlines")
    outlines = build_outlines(paths["boundaries"])
    progress("packing")
    files = pack_release(
        observations,
        framework=framework,
        yearly=yearly,
        sources=[registry.source(name).source for name in paths],
        outlines=outlines,
        report=report,
    )
    return Rebuilt(files, observations)


def _with_total_errors(observations: pd.DataFrame, yearly: pd.DataFrame, framework: object) -> pd.DataFrame:
    from outcomes_analysis.observations.yearly import add_total_errors

    return add_total_errors(observations, yearly, framework=framework)  # type: ignore[arg-type]


def refresh(*, mirror: Path | None = None, progress: Progress = _quiet) -> list[Path]:
    """Rebuild the release and write it; the last good one stays untouched until every file is ready.

    Returns
    -------
    list of Path
        Files written.
    """
    rebuilt = rebuild(mirror=mirror, progress=progress)
    folder = project().result("data", "release")
    written = [write_atomic(folder / name, content) for name, content in rebuilt.files.items()]
    for stale in set(folder.glob("*")) - set(written):
        stale.unlink()
    return written


def verify(*, mirror: Path | None = None, progress: Progress = _quiet) -> str:
    """Rebuild the release and compare it with the one here.

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

    rebuilt = rebuild(mirror=mirror, progress=progress)
    differences = compare_releases(rebuilt.files, release_folder())
    if differences:
        message = (
            f"The release differs from what the files give in {len(differences)} ways: {several(differences)}. "
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
    """

    name: str
    does: str
    needs: tuple[str, ...]
    work: Callable[[Project, int], list[Path]]


@dataclass(frozen=True)
class StageState:
    """Whether a stage is fresh, and why not."""

    stage: Stage
    fresh: bool
    reason: str
    key: str


def _record(target: Project, name: str) -> Path:
    return target.result("data", "processed", "stages", f"{name}.json")


def _code_key(home: Project) -> str:
    """Hash of what every stage depends on: package code, framework, release."""
    package = Path(__file__).resolve().parent
    code = sorted(package.rglob("*.py"))
    data = sorted(
        p for sub in ("framework", "areas", "release", "local") for p in (home.home / "data" / sub).rglob("*") if p.is_file()
    )
    register = [p for p in (home.home / "figures" / "figures.yml",) if p.is_file()]
    files = {p.as_posix(): sha256_of(p) for p in (*code, *data, *register)}
    return hash_of([package_version(), list(files.values())])


def states(*, period: int = PERIOD) -> list[StageState]:
    """Find which stages are fresh.

    Parameters
    ----------
    period : int
        Year of the indices.

    Returns
    -------
    list of StageState
        In order; a stage is stale when its inputs changed, a file of it is missing, or a stage it needs is stale.
    """
    target = project()
    base = _code_key(target)
    found: dict[str, StageState] = {}
    for stage in STAGES:
        key = hash_of([base, stage.name, period])
        reason = _why_stale(_record(target, stage.name), key, target)
        stale_needs = [n for n in stage.needs if not found[n].fresh]
        if not reason and stale_needs:
            reason = f"{several(stale_needs)} changed"
        found[stage.name] = StageState(stage, not reason, reason or "fresh", key)
    return list(found.values())


def _why_stale(record: Path, key: str, target: Project) -> str:
    if not record.is_file():
        return "not made yet"
    kept = json.loads(record.read_text(encoding="utf-8"))
    if kept.get("key") != key:
        return "code, data or period changed"
    missing = [name for name in kept.get("files", []) if not target.result(*name.split("/")).is_file()]
    return f"{len(missing)} files missing" if missing else ""


def run(*, period: int = PERIOD, force: bool = False, progress: Progress = _quiet) -> list[Path]:
    """Do the main job: every stage that is not fresh.

    Parameters
    ----------
    period : int
        Year by whose end figures must have been measured.
    force : bool
        Do every stage.
    progress : callable
        Told each stage as it starts.

    Returns
    -------
    list of Path
        Files made or found fresh.
    """
    target = project()
    made: list[Path] = []
    for state in states(period=period):
        record = _record(target, state.stage.name)
        if state.fresh and not force:
            made += [target.result(*n.split("/")) for n in json.loads(record.read_text(encoding="utf-8"))["files"]]
            continue
        progress(state.stage.does)
        files = state.stage.work(target, period)
        names = [p.relative_to(target.output).as_posix() for p in files]
        write_atomic(record, json.dumps({"key": state.key, "files": names}, indent=1) + "\n")
        made += files
    return made


@dataclass
class _Results:
    """Results shared by the stages of one process, made on first use."""

    made: dict[tuple[str, int], object] = field(default_factory=dict)

    def get(self, name: str, period: int, make: Callable[[], object]) -> object:
        if (name, period) not in self.made:
            self.made[name, period] = make()
        return self.made[name, period]


_RESULTS = _Results()


def default_index(period: int = PERIOD) -> object:
    """Index of the default data and framework for one year, made once a process."""

    def make() -> object:
        from outcomes_analysis.framework import load_framework
        from outcomes_analysis.index import build_index, build_matrix
        from outcomes_analysis.sources.release import load_observations

        return build_index(build_matrix(load_observations(), framework=load_framework(), period=period))

    return _RESULTS.get("index", period, make)


STAGES: tuple[Stage, ...] = ()
_: Mapping[str, str] = {}
