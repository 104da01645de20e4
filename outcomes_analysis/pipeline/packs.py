"""Packs and workbooks of places on the default data: made whole or not at all, and proved by making them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes_analysis.errors import OutcomesError, ProjectError
from outcomes_analysis.pipeline.one_place import default_targets, own_target, place_cards, place_figures, place_profile
from outcomes_analysis.pipeline.results import PERIOD
from outcomes_analysis.project import project
from outcomes_analysis.provenance import write_atomic, write_folder

if TYPE_CHECKING:
    from outcomes_analysis.places import AreaProfile, JoinedPlace, Trajectory

Progress = Callable[[str], None]


@dataclass(frozen=True)
class MadePack:
    """Where a pack lies: its folder, its zip, how many files, and the hash that stands for all of it."""

    folder: Path
    archive: Path
    files: int
    fingerprint: str
    notes: tuple[str, ...] = ()


def _quiet(_: str) -> None:
    return None


def make_workbook(
    name: str,
    path: Path | None = None,
    *,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    districts: Sequence[str] = (),
    children: Sequence[float] = (),
    progress: Progress = _quiet,
) -> Path:
    """Write the workbook of a place, ``packs/NAME.xlsx`` by default; give its path.

    Raises
    ------
    AreaError
        If there is no such place.
    ProjectError
        If it cannot be written.
    """
    from outcomes_analysis.evidence.workbook import place_workbook

    progress("reading the place's figures")
    profile = place_profile(name, period=period, neighbours=neighbours, districts=districts, children=children)
    progress("writing the workbook")
    return write_atomic(path or project().result("packs", f"{_slug(profile)}.xlsx"), place_workbook(profile))


def make_pack(
    name: str,
    folder: Path | None = None,
    *,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    districts: Sequence[str] = (),
    children: Sequence[float] = (),
    local: Path | None = None,
    include: Sequence[str] = (),
    own: Path | None = None,
    workbook: bool = True,
    progress: Progress = _quiet,
) -> MadePack:
    """Put page, evidence cards, workbook, figures, tables and methods of a place into one folder and one zip.

    Parameters
    ----------
    name : str
        An authority, a district or a named place in any spelling; with ``districts`` what the place is called.
    folder : Path, optional
        ``packs/NAME`` by default; the zip lies beside it.
    period : int
    neighbours : str
        Set to compare with.
    districts, children : sequence
        Of a place made of districts: their names or codes, and the children in each for estimates.
    local : Path, optional
        Overlay of local figures.
    include : sequence of str
        Local indicators that may leave; no other does.
    own : Path, optional
        Local targets of the national target's indicator: that of this place leaves with the pack, and no other.
    workbook : bool
        Whether the workbook is among the files.
    progress : callable

    Returns
    -------
    MadePack

    Raises
    ------
    AreaError, SourceError
        If there is no such place, the local figures or targets are not valid, or there is no target for the place.
    ProjectError
        If the folder holds something else, or cannot be written; nothing is changed then.
    """
    from outcomes_analysis.evidence.packing import zip_bytes
    from outcomes_analysis.evidence.proving import fingerprint

    if include and local is None:
        message = "Local indicators are named, and no file of local figures: give it with --local."
        raise ProjectError(message)
    if folder is not None:
        _may_replace(folder)  # before anything is computed
    progress("reading the place's figures")
    profile = place_profile(name, period=period, neighbours=neighbours, districts=districts, children=children)
    target = folder or project().result("packs", _slug(profile))
    _may_replace(target)
    goal = own_target(own, profile) if own is not None else None
    files, notes = _files(
        profile, neighbours=neighbours, local=local, include=include, goal=goal, workbook=workbook, progress=progress
    )
    archive = _archive(target)
    write_atomic(archive, zip_bytes(files))
    write_folder(target, files)
    return MadePack(target, archive, len(files), fingerprint(files), notes)


def make_packs(
    names: Sequence[str] = (),
    *,
    folder: Path | None = None,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    workbook: bool = True,
    workers: int = 2,
    progress: Progress = _quiet,
) -> list[MadePack]:
    """Make the pack of every authority, several at a time; each is the same as when made alone.

    Parameters
    ----------
    names : sequence of str
        Places; every upper-tier authority without them.
    folder : Path, optional
        In which each pack gets a folder and a zip; ``packs`` by default.
    period, neighbours, workbook
        As for :func:`make_pack`.
    workers : int
        Processes; each scores the default index once.
    progress : callable

    Returns
    -------
    list of MadePack
        In the order of the places.

    Raises
    ------
    AreaError, ProjectError
        As :func:`make_pack` does; packs made before stay.
    """
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context

    from outcomes_analysis.areas.register import resolve_place, upper_tier

    codes = [resolve_place(name) for name in names] or list(upper_tier().index)
    one = partial(_one_of_many, folder=folder, period=period, neighbours=neighbours, workbook=workbook)
    made: list[MadePack] = []
    progress(f"making {len(codes)} packs")
    if workers == 1:
        return [one(code) for code in codes]
    # started anew, not forked: numerical libraries hold threads that do not survive a fork
    with ProcessPoolExecutor(min(workers, len(codes)), mp_context=get_context("spawn")) as pool:
        for pack in pool.map(one, codes):
            made.append(pack)
            if len(made) % 10 == 0:
                progress(f"{len(made)} of {len(codes)} packs are made")
    return made


def _one_of_many(code: str, *, folder: Path | None, period: int, neighbours: str, workbook: bool) -> MadePack:
    from outcomes_analysis.areas.register import load_register

    slug = _slug_of(str(load_register().loc[code, "name"]))
    target = folder / slug if folder is not None else None
    return make_pack(code, target, period=period, neighbours=neighbours, workbook=workbook)


def _files(
    profile: AreaProfile | JoinedPlace,
    *,
    neighbours: str,
    local: Path | None,
    include: Sequence[str],
    goal: float | None,
    workbook: bool,
    progress: Progress,
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Files of a pack, and what was left out."""
    from outcomes_analysis.evidence.packing import pack_files
    from outcomes_analysis.places import JoinedPlace

    notes: tuple[str, ...] = ()
    table = None
    if local is not None:
        from outcomes_analysis.evidence.local_guard import local_table
        from outcomes_analysis.sources.local import load_local

        table, notes = local_table(load_local(local), _codes(profile), include=include)
    progress("drawing its figures")
    figures = place_figures(profile)
    progress("writing page, workbook and tables")
    asked: dict[str, Any] = {"neighbours": neighbours, "local": sorted(include), "workbook": workbook}
    if isinstance(profile, JoinedPlace):
        spec = profile.spec
        asked |= {"place": profile.name, "period": spec.period, "districts": list(spec.district_codes)}
        asked |= {"children": list(spec.children)}
    else:
        asked |= {"place": profile.area_code, "period": profile.period}
    more = () if table is None else (table,)
    targets: tuple[Trajectory, ...] = ()
    if goal is not None:
        asked["own_target"] = goal
    if not isinstance(profile, JoinedPlace):
        targets = default_targets(() if goal is None else ((profile.area_code, goal),))
    made = pack_files(
        profile,
        figures=figures,
        asked=asked,
        more=more,
        targets=targets,
        cards=place_cards(profile, figures),
        notes=notes,
        workbook=workbook,
    )
    return made, notes


def prove_pack(path: Path, *, progress: Progress = _quiet) -> str:
    """Prove that a pack is unaltered, and where the data and versions are the same, make it again and compare.

    Parameters
    ----------
    path : Path
        Zip or folder.

    Returns
    -------
    str
        What was found, in words.

    Raises
    ------
    ProjectError
        If it is no pack, is altered, or comes out otherwise when made again.
    """
    from outcomes_analysis.evidence.proving import check_pack, read_pack

    progress("comparing every file with the manifest")
    found = check_pack(path)
    said = (
        f"{found.file}: {found.files} files of {found.place}, each as the manifest says. "
        f"Fingerprint {found.fingerprint}."
    )
    asked = found.manifest.get("asked", {})
    if asked.get("local"):
        return f"{said} It holds local figures, so it was not made again here."
    progress("making it again")
    try:
        profile = place_profile(
            str(asked["place"]),
            period=int(asked["period"]),
            neighbours=str(asked["neighbours"]),
            districts=[str(d) for d in asked.get("districts", [])],
            children=[float(n) for n in asked.get("children", [])],
        )
        again, _ = _files(
            profile,
            neighbours=str(asked["neighbours"]),
            local=None,
            include=(),
            goal=float(asked["own_target"]) if "own_target" in asked else None,
            workbook=bool(asked.get("workbook", True)),
            progress=progress,
        )
    except (KeyError, TypeError, ValueError, OutcomesError):
        return f"{said} It could not be made again here: its manifest does not say what for."
    old = read_pack(path)
    differing = sorted(n for n in {*old, *again} if old.get(n) != again.get(n))
    if not differing:
        return f"{said} Made again here, it is the same byte for byte."
    import json

    mine = json.loads(again["manifest.json"])
    other = [key for key in ("data", "versions") if mine[key] != found.manifest.get(key)]
    if other:
        words = " and ".join({"data": "data", "versions": "program versions"}[key] for key in other)
        return f"{said} It was made with other {words} than are here, so it cannot be made again byte for byte."
    message = (
        f"{found.file}: with the same data and versions it comes out otherwise here, in {len(differing)} files "
        f"({', '.join(differing[:5])}). Its manifest was written for other files: make the pack anew."
    )
    raise ProjectError(message)


def _codes(profile: AreaProfile | JoinedPlace) -> tuple[str, ...]:
    from outcomes_analysis.places import JoinedPlace

    return profile.spec.district_codes if isinstance(profile, JoinedPlace) else (profile.area_code,)


def _slug(profile: AreaProfile | JoinedPlace) -> str:
    return _slug_of(profile.name)


def _slug_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _may_replace(folder: Path) -> None:
    """Let an earlier pack, an empty folder or none at all be replaced, and nothing else; the same for the zip."""
    from outcomes_analysis.evidence.proving import check_kind

    for path in (folder, _archive(folder)):
        there = any(path.iterdir()) if path.is_dir() else path.exists()
        if there and not check_kind(path):
            message = f"{path} is there and is not a pack; nothing was written. Choose another place with --out."
            raise ProjectError(message)


def _archive(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.zip")
