"""Getting the published files, from a mirror or by download: every byte checked, nothing left half-written."""

from __future__ import annotations

import errno
import http.client
import os
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO, Any

from outcomes_analysis.errors import Problems, SourceError, several
from outcomes_analysis.provenance import package_version, sha256_of
from outcomes_analysis.sources.registry import RegisteredSource, Registry, check_address
from outcomes_analysis.sources.tables import looks_like_html, quoted

Progress = Callable[[str, int, int], None]

ATTEMPTS = 3
TIMEOUT = 30.0  # seconds without a byte
BACKOFF = 1.0  # seconds before the second attempt, doubled before the third
BLOCK = 1 << 16
FEW = 5  # files missing from a mirror that are named one a line
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that may be different a moment later


class _Retry(Exception):
    """A failure that may pass; its text is the reason."""


class _Refused(Exception):
    """A failure that will not pass; its text is the reason."""


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect to a safe address only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        try:
            check_address(newurl)
            if req.full_url.startswith("https:") and not newurl.startswith("https:"):
                message = "it leaves https"
                raise ValueError(message)
        except ValueError as error:
            message = f"it redirects to an address that is not safe ({error})"
            raise _Refused(message) from error
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    registry: Registry,
    *,
    raw: Path,
    mirror: Path | None = None,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
    timeout: float = TIMEOUT,
    backoff: float = BACKOFF,
) -> dict[str, Path]:
    """Make sure every file is there and is the one registered, by size and sha256.

    Parameters
    ----------
    registry : Registry
        The sources.
    raw : Path
        Folder for downloads; a file already there and right is kept, one that is wrong is replaced once the right one
        has arrived. Not used with ``mirror``.
    mirror : Path, optional
        A folder that holds the files at their registered paths. It is only read.
    only : collection of str, optional
        Source ids; all sources if not given.
    progress : callable, optional
        Called with source id, bytes so far and bytes in all.
    timeout, backoff : float
        Seconds without an answer before an attempt fails; seconds before the next of three, then doubled.

    Returns
    -------
    dict
        Source id to path, in the order of the registry.

    Raises
    ------
    SourceError
        Naming every file that is missing, cannot be fetched, or is not the one registered, and where to put it by hand.

    Notes
    -----
    Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``); certificates are those the computer trusts.
    """
    chosen = _chosen(registry, only)
    if mirror is not None:
        return _from_mirror(chosen, mirror, progress)
    problems, paths = Problems("Fetching the sources"), {}
    for source in chosen:
        target = _inside(raw, source)
        if not _matches(target, source):
            try:
                _download(source, target, progress, timeout, backoff)
            except _Refused as error:
                problems.add(f"{source.id}: {error}. {_by_hand(source, target)}")
                continue
            except _Retry as error:
                # Where one address cannot be reached the others seldom can: say so now rather than after minutes.
                problems.add(f"{source.id}: {error} ({ATTEMPTS} attempts). {_by_hand(source, target)}")
                left = [s.path for s in chosen if s.id not in paths and s is not source]
                if left:
                    problems.add(f"not attempted or not complete: {several(left)}.")
                break
        paths[source.id] = target
        _tell(progress, source, source.bytes)
    problems.raise_if_any(SourceError)
    return paths


def _chosen(registry: Registry, only: Collection[str] | None) -> list[RegisteredSource]:
    if only is None:
        return list(registry.sources)
    wanted = {registry.source(source_id).id for source_id in only}
    return [source for source in registry.sources if source.id in wanted]


def _inside(folder: Path, source: RegisteredSource) -> Path:
    """Path of a source's file below a folder; a link that leads out of it is refused."""
    path = folder.joinpath(*source.path.split("/"))
    if not path.resolve().is_relative_to(folder.resolve()):
        message = f"{source.id}: {source.path} is a link that leads out of {folder}. Put the file itself there."
        raise SourceError(message)
    return path


def _from_mirror(chosen: list[RegisteredSource], mirror: Path, progress: Progress | None) -> dict[str, Path]:
    if not mirror.is_dir():
        message = f"There is no folder {mirror} to read the sources from."
        raise SourceError(message)
    problems, paths = Problems(f"Reading the sources from {mirror}"), {}
    missing = [source.path for source in chosen if not _inside(mirror, source).is_file()]
    if len(missing) > FEW:  # most likely another folder: one line, not one a file
        problems.add(
            f"{len(missing)} of {len(chosen)} files are missing: {several(missing)}. Is this the folder that holds "
            "them? data/sources.yml has the address of each."
        )
    for source in chosen:
        path = _inside(mirror, source)
        fault = "" if len(missing) > FEW and source.path in missing else _fault(path, source)
        if fault:
            problems.add(f"{source.id}: {source.path} {fault}. {_by_hand(source, path)}")
        paths[source.id] = path
        _tell(progress, source, source.bytes)
    problems.raise_if_any(SourceError)
    return paths


def _fault(path: Path, source: RegisteredSource) -> str:
    """What is wrong with a file, or nothing."""
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != source.bytes:
        with path.open("rb") as handle:
            start = handle.read(1000)
        if looks_like_html(start) and not source.path.endswith((".html", ".htm")):
            return f"is a web page, not data; it begins: {quoted(start)}"
        return f"has {size:,} bytes where {source.bytes:,} are registered"
    found = sha256_of(path)
    return "" if found == source.sha256 else f"has sha256 {found} where {source.sha256} is registered"


def _matches(path: Path, source: RegisteredSource) -> bool:
    return path.is_file() and not _fault(path, source)


def _by_hand(source: RegisteredSource, path: Path) -> str:
    return f"Or get it from {source.url} yourself and put it at {path}"


def _tell(progress: Progress | None, source: RegisteredSource, done: int) -> None:
    if progress is not None:
        progress(source.id, done, source.bytes)


def _download(
    source: RegisteredSource, target: Path, progress: Progress | None, timeout: float, backoff: float
) -> None:
    """Download to a temporary file beside the target, check it, and give it the target's name."""
    temporary = _temporary(target)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _attempt(source, temporary, progress, timeout)
                break
            except _Retry:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(backoff * 2 ** (attempt - 1))
        fault = _fault(temporary, source)
        if fault:
            message = f"what was downloaded {fault}: the publisher's file has changed, or was altered on the way"
            raise _Refused(message)
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise _Refused(_disk(error, target)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _Refused(_disk(error, target)) from error
    os.close(descriptor)
    return Path(name)


def _disk(error: OSError, target: Path) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"could not write {target}: {'the disk is full' if full else error.strerror or error}"


def _attempt(source: RegisteredSource, temporary: Path, progress: Progress | None, timeout: float) -> None:
    """Download once; leaves ``temporary`` whole, or raises."""
    request = urllib.request.Request(
        source.url, headers={"User-Agent": f"outcomes-analysis/{package_version()}", "Accept-Encoding": "identity"}
    )
    try:
        with _opener(source.url).open(request, timeout=timeout) as answer:
            _check_answer(answer, source)
            received = _copy(answer, temporary, source, progress)
    except urllib.error.HTTPError as error:
        reason = f"the server answered {error.code} {error.reason}"
        raise (_Retry if error.code in _PASSING else _Refused)(reason) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            reason = f"the server's certificate is not trusted by this computer ({error.reason})"
            raise _Refused(reason) from error
        reason = f"no connection ({error.reason})"
        raise _Retry(reason) from error
    except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
        reason = f"the connection broke off ({error or type(error).__name__})"
        raise _Retry(reason) from error
    if received < source.bytes:
        reason = f"only {received:,} of {source.bytes:,} bytes arrived"
        raise _Retry(reason)


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Opener with the computer's own certificates, so that an office's own certificate is known."""
    handlers: list[urllib.request.BaseHandler] = [_CheckedRedirects()]
    if url.startswith("https"):
        import truststore

        handlers.append(urllib.request.HTTPSHandler(context=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))
    return urllib.request.build_opener(*handlers)


def _check_answer(answer: Any, source: RegisteredSource) -> None:
    """Refuse an answer that says beforehand that it is larger than registered (a web page is quoted later)."""
    length = answer.headers.get("Content-Length", "")
    web_page = "html" in (answer.headers.get("Content-Type") or "").lower()
    if length.isdigit() and int(length) > source.bytes and not web_page:
        message = f"the server offers {int(length):,} bytes where {source.bytes:,} are registered: it is not that file"
        raise _Refused(message)


def _copy(answer: IO[bytes], temporary: Path, source: RegisteredSource, progress: Progress | None) -> int:
    received = 0
    with temporary.open("wb") as handle:
        while block := answer.read(BLOCK):
            if received == 0 and looks_like_html(block) and not source.path.endswith((".html", ".htm")):
                message = f"the server sent a web page instead of the file; it begins: {quoted(block)}"
                raise _Refused(message)
            received += len(block)
            if received > source.bytes:
                message = f"more than the {source.bytes:,} bytes registered arrived: it is not that file"
                raise _Refused(message)
            _write(handle, block, temporary)
            _tell(progress, source, received)
    return received


def _write(handle: IO[bytes], block: bytes, path: Path) -> None:
    """Write a block, keeping a full disk apart from a broken connection (both are ``OSError``)."""
    try:
        handle.write(block)
        handle.flush()
    except OSError as error:
        raise _Refused(_disk(error, path)) from error
