"""What a result was made from: sources, hashes, the manifest of a run; and the one way a file is written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from outcomes_analysis.errors import ProjectError


def package_version() -> str:
    """Version of this package, ``"0+unknown"`` when it is not installed."""
    try:
        return version("outcomes-analysis")
    except PackageNotFoundError:
        return "0+unknown"


@dataclass(frozen=True)
class Source:
    """One published file and where it came from.

    Attributes
    ----------
    id : str
        Short name used in ``source_id`` columns.
    path : str
        Path below the raw folder or a mirror, with forward slashes.
    url : str
        Pinned address of the copy that is read.
    sha256, bytes : str, int
        What the file must be.
    title, publisher, publisher_page, obtained_via, data_as_at, licence, attribution : str
        For the reader of a figure; ``data_as_at`` is an ISO date.
    """

    id: str
    path: str
    url: str
    sha256: str
    bytes: int
    title: str
    publisher: str
    publisher_page: str
    obtained_via: str
    data_as_at: str
    licence: str
    attribution: str


@dataclass(frozen=True)
class RunManifest:
    """What a result was made from. Holds no time of day, so that the same inputs give the same bytes.

    Attributes
    ----------
    package : str
        Version of the package.
    data : str
        Hash of the observations used.
    data_as_at : str
        Latest date at which a source used was current (ISO).
    spec : str
        Hash of the specification.
    seed : int or None
        Seed of the random draws, if any were made.
    sources : tuple of str
        ``source_id`` of every source used, sorted.
    """

    package: str = field(default_factory=package_version)
    data: str = ""
    data_as_at: str = ""
    spec: str = ""
    seed: int | None = None
    sources: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, ready for JSON."""
        return asdict(self)


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_of(content: object) -> str:
    """Hex sha256 (first 16 digits) of a JSON-able object in canonical form."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def write_atomic(path: Path, content: bytes | str) -> Path:
    r"""Write a file whole or not at all.

    The content goes to a temporary file beside the target, which then takes its name; a failure leaves the
    old file as it was and no half-written one behind.

    Parameters
    ----------
    path : Path
        Target; missing folders are made.
    content : bytes or str
        Text is written as UTF-8 with ``\n`` line ends.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    ProjectError
        If the disk is full, or the folder may not be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
        Path(temporary).chmod(0o644)  # mkstemp makes files private; ours are meant to be shared
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        message = f"Could not write {path}: {reason}. Nothing was changed; free some space or choose another folder."
        raise ProjectError(message) from error
    return path
