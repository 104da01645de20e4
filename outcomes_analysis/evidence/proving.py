"""Reading a pack, and proving by its manifest that it is what it was when it was made."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes_analysis.errors import Problems, ProjectError, several
from outcomes_analysis.provenance import hash_of
from outcomes_analysis.wording import plural

KIND = "outcomes pack"
MANIFEST = "manifest.json"
LARGEST = 50_000_000  # bytes of all files of a pack together; ours have about one in twenty of that
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class PackCheck:
    """What a pack was found to be.

    Attributes
    ----------
    file, place : str
    manifest : dict
    files : int
        How many were compared.
    fingerprint : str
        Hash of the manifest, to compare with that told when the pack was made.
    """

    file: str
    place: str
    manifest: dict[str, Any]
    files: int
    fingerprint: str


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Short hash that stands for a whole pack: that of its manifest, which holds the hash of every file."""
    return hash_of(json.loads(files[MANIFEST]))


def read_pack(path: Path | str) -> dict[str, bytes]:
    """Read a pack, zip or folder, into memory.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    dict of str to bytes

    Raises
    ------
    ProjectError
        If there is no such file, it is no pack, it is damaged, or larger than a pack can be.
    """
    path = Path(path)
    if path.is_dir():
        found = {p.name: p for p in sorted(path.iterdir()) if p.is_file()}
        _within(path, sum(p.stat().st_size for p in found.values()), has=MANIFEST in found)
        return {name: p.read_bytes() for name, p in found.items()}
    if not path.is_file():
        message = f"There is no file {path}. Give the zip or the folder that `outcomes pack` made."
        raise ProjectError(message)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _within(path, sum(e.file_size for e in entries), has=MANIFEST in archive.namelist())
            if len(entries) != len(set(archive.namelist())):
                message = f"{path.name} holds two files of the same name: it is not a pack as it was made."
                raise ProjectError(message)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, RuntimeError) as error:
        message = f"{path.name} is not a zip that can be read, or is damaged: ask for it again, or make the pack anew."
        raise ProjectError(message) from error


def _within(path: Path, size: int, *, has: bool) -> None:
    if not has:
        message = f"{path.name} is not a pack: it holds no {MANIFEST}. Give the zip or folder `outcomes pack` made."
        raise ProjectError(message)
    if size > LARGEST:
        message = f"{path.name} would unpack to {size / 1e6:,.0f} MB, more than any pack has; it was not read."
        raise ProjectError(message)


def check_kind(path: Path) -> bool:
    """Whether a zip or folder says that it is a pack, altered or not."""
    try:
        manifest = json.loads(read_pack(path)[MANIFEST])
    except (ProjectError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def check_pack(path: Path | str) -> PackCheck:
    """Prove that a pack is what its manifest says: every file there, none more, each unaltered.

    Parameters
    ----------
    path : Path or str
        The zip, or the folder.

    Returns
    -------
    PackCheck

    Raises
    ------
    ProjectError
        Naming every file that is missing, altered or not of the pack; or if it is no pack at all.
    """
    path = Path(path)
    files = read_pack(path)
    try:
        manifest = json.loads(files[MANIFEST])
        listed = {str(name): str(entry["sha256"]) for name, entry in manifest["files"].items()}
        place, kind = str(manifest["place"]), manifest["kind"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path.name} is not a pack: its {MANIFEST} cannot be read. Make the pack anew."
        raise ProjectError(message) from error
    if kind != KIND:
        message = f"{path.name} is not a pack: its {MANIFEST} is of another kind."
        raise ProjectError(message)
    problems = Problems(path.name)
    here = set(files) - {MANIFEST}
    altered = [n for n in sorted(here & set(listed)) if hashlib.sha256(files[n]).hexdigest() != listed[n]]
    for found, words in (
        (sorted(set(listed) - here), "missing"),
        (sorted(here - set(listed)), "not of the pack"),
        (altered, "altered since it was made"),
        (sorted(n for n in {*here, *listed} if not _NAME.fullmatch(n)), "with a name no pack has"),
    ):
        if found:
            problems.add(f"{plural(len(found), 'file', 'files')} {words}: {several(map(repr, found))}.")
    if problems.messages:
        problems.add("Do not rely on it: ask for it again, or make the pack anew.")
    problems.raise_if_any(ProjectError)
    return PackCheck(path.name, place, manifest, len(listed), fingerprint(files))
