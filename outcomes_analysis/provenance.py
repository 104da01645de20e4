"""What a result was made from: sources, hashes, the manifest of a run; and the one way files are written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from outcomes_analysis.errors import ProjectError

_FORMULA_STARTS = frozenset("=+-@\t\r\n")


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


def made_from(data: object, *, spec: object, data_as_at: object = "", sources: Iterable[object] = ()) -> RunManifest:
    """Write down what a result was made from.

    Parameters
    ----------
    data : object
        The observations used, JSON-able.
    spec : object
        What was asked for: a dataclass or other object with a ``__dict__``.
    data_as_at : str
        ISO date; None or empty where it is not known.
    sources : iterable of str
        Ids of the sources, repeated or not; an empty one is left out.

    Returns
    -------
    RunManifest
    """
    return RunManifest(
        data=hash_of(data),
        data_as_at=str(data_as_at or ""),
        spec=hash_of(spec.__dict__),
        sources=tuple(sorted({str(s) for s in sources} - {""})),
    )


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_of(content: object) -> str:
    """Hex sha256 (first 16 digits) of a JSON-able object in canonical form."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def safe_cell(cell: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; anything else stays as it is."""
    if isinstance(cell, str) and cell.lstrip(" ")[:1] in _FORMULA_STARTS:
        return f"'{cell}"
    return cell


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
        raise _not_written(path, error) from error
    return path


def write_folder(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write a folder of files whole or not at all, in place of what it held.

    Every file is written beside the folder first; then the folder changes places with the old one. A failure leaves
    the old folder as it was, and nothing beside it.

    Parameters
    ----------
    folder : Path
        Target; what it held before is gone afterwards.
    files : mapping of str to bytes
        Content by file name.

    Returns
    -------
    list of Path
        The files written, in the order given.

    Raises
    ------
    ProjectError
        If the disk is full, or the folder may not be written.
    """
    workplace: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        workplace = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        new, old = workplace / "new", workplace / "old"
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
        if folder.exists():
            folder.replace(old)
        try:
            new.replace(folder)
        except BaseException:  # stopped by hand between the two: the old folder comes back all the same
            if old.exists():
                old.replace(folder)
            raise
    except OSError as error:
        raise _not_written(folder, error) from error
    finally:
        if workplace is not None and (folder.exists() or not (workplace / "old").exists()):
            shutil.rmtree(workplace, ignore_errors=True)
    return [folder / name for name in files]


@contextmanager
def only_writer(path: Path, *, wait: float = 10.0) -> Iterator[None]:
    """Keep other writers away from a file that is read, added to and written again.

    The lock is the system's own, on a small file ``.NAME.lock`` beside it that stays there: whoever holds it and is
    stopped lets go of it. Held twice by one thread it is held once.

    Parameters
    ----------
    path : Path
        The file; missing folders are made. Reading needs no lock, as files are written whole.
    wait : float
        Seconds to wait for another writer.

    Raises
    ------
    ProjectError
        If somebody else is still writing then, or the folder may not be written.
    """
    from filelock import FileLock, Timeout

    lock = path.parent / f".{path.name}.lock"
    held = FileLock(lock, is_singleton=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=wait)
    except Timeout as error:  # first: it is an OSError too
        message = (
            f"Somebody else has been writing {path} for {wait:g} seconds. Nothing was written; try again once they are "
            f"done. If nobody is writing, the lock {lock.name} beside it may be deleted."
        )
        raise ProjectError(message) from error
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        yield
    finally:
        held.release()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in plain words that a path could not be written, whatever the system calls it."""
    try:
        yield
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> ProjectError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full" if full else (error.strerror or str(error))
    return ProjectError(
        f"Could not write {path}: {reason}. Nothing was changed; free some space or choose another folder."
    )
