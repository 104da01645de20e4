"""Fetching: each way a mirror or a server can fail, in plain words, and never a half-written file."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from outcomes_analysis.errors import SourceError
from outcomes_analysis.sources import fetching
from outcomes_analysis.sources.fetching import fetch
from outcomes_analysis.sources.registry import Registry

CONTENT = b"area_code,value\n" + b"E06000001,1\n" * 20_000  # several blocks
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Your office asks you to sign in" + b" " * 500
ANSWERS: dict[str, dict[str, Any]] = {
    "/good": {"body": CONTENT},
    "/flaky": {"body": CONTENT},
    "/truncated": {"body": CONTENT[:100_000], "length": len(CONTENT)},
    "/short": {"body": CONTENT[:100_000]},
    "/larger": {"body": CONTENT + b"x"},
    "/endless": {"body": CONTENT + b"x" * 100_000, "length": -1},
    "/altered": {"body": CONTENT[:-2] + b"2\n"},
    "/page": {"body": HTML, "kind": "text/html; charset=utf-8"},
    "/page-as-csv": {"body": HTML},
    "/big-page": {"body": HTML + b"x" * len(CONTENT), "kind": "text/html"},
}


class Publisher(BaseHTTPRequestHandler):
    """A server that answers each path in its own way."""

    hits: ClassVar[list[str]] = []

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def answer(self, body: bytes, *, code: int = 200, length: int | None = None, kind: str = "text/csv") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        if length != -1:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.hits.append(self.path)
        if self.path == "/slow":
            threading.Event().wait(0.1)
        elif self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://example.org/elsewhere")
            self.end_headers()
        elif self.path == "/flaky" and self.hits.count(self.path) < 3:
            self.answer(b"busy", code=503)
        else:
            self.answer(**ANSWERS.get(self.path, {"body": b"not here", "code": 404}))


@pytest.fixture
def server() -> Iterator[str]:
    Publisher.hits.clear()
    running = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


def registry(register: Any, *urls: str) -> Registry:
    about = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    made = [
        register("lookup", f"folder/file{n}.csv", id=f"file{n}", url=url, **about)
        for n, url in enumerate(urls, start=1)
    ]
    return Registry(sources=tuple(made))


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_file_is_downloaded_whole_and_not_again(register: Any, server: str, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    known = registry(register, f"{server}/good")
    paths = fetch(known, raw=tmp_path, progress=lambda *seen: told.append(seen))
    assert paths == {"file1": tmp_path / "folder" / "file1.csv"}
    assert paths["file1"].read_bytes() == CONTENT
    assert files(tmp_path) == ["folder/file1.csv"]
    assert told[-1] == ("file1", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    fetch(known, raw=tmp_path)
    assert Publisher.hits == ["/good"]


def test_a_busy_server_is_asked_again_three_times_at_most(register: Any, server: str, tmp_path: Path) -> None:
    fetch(registry(register, f"{server}/flaky"), raw=tmp_path, backoff=0.001)
    assert Publisher.hits == ["/flaky"] * 3


FAILURES = {
    "/none": ("the server answered 404", 1),
    "/truncated": (r"only 100,000 of 240,016 bytes arrived \(3 attempts\)", 3),
    "/short": (r"only 100,000 of 240,016 bytes arrived \(3 attempts\)", 3),
    "/larger": ("the server offers 240,017 bytes where 240,016 are registered", 1),
    "/endless": ("more than the 240,016 bytes registered arrived", 1),
    "/altered": ("has sha256 .* where .* is registered: the publisher's file has changed", 1),
    "/page": ("web page instead of the file; it begins: <!DOCTYPE html><html><head><title>Sign in</title>", 1),
    "/page-as-csv": ("web page instead of the file; it begins: <!DOCTYPE html>", 1),
    "/big-page": ("web page instead of the file", 1),
    "/redirect": ("redirects to an address that is not safe", 1),
    "/slow": (r"connection broke off|no connection", 3),
}


@pytest.mark.parametrize("path", FAILURES)
def test_a_failure_is_said_and_leaves_the_old_file(path: str, register: Any, server: str, tmp_path: Path) -> None:
    old = tmp_path / "folder" / "file1.csv"
    old.parent.mkdir()
    old.write_text("old")
    message, attempts = FAILURES[path]
    patience = 0.02 if path == "/slow" else 10.0  # a busy machine must not look like a slow server
    with pytest.raises(SourceError, match=message) as caught:
        fetch(registry(register, f"{server}{path}"), raw=tmp_path, timeout=patience, backoff=0.001)
    assert f"put it at {old}" in str(caught.value)
    assert f"get it from {server}{path}" in str(caught.value)
    assert files(tmp_path) == ["folder/file1.csv"]
    assert old.read_text() == "old"
    assert len(Publisher.hits) == attempts


def test_a_web_page_is_quoted_no_further_than_200_characters(register: Any, server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(registry(register, f"{server}/big-page"), raw=tmp_path)
    quoted = str(caught.value).split("it begins: ")[1].split(". Or get it")[0]
    assert 90 < len(quoted) <= 200


def test_every_refused_file_is_named_at_once_and_good_ones_are_kept(register: Any, server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="2 problems") as caught:
        fetch(registry(register, f"{server}/none", f"{server}/good", f"{server}/altered"), raw=tmp_path)
    assert "file1:" in str(caught.value)
    assert "file3:" in str(caught.value)
    assert files(tmp_path) == ["folder/file2.csv"]


def test_no_connection_stops_at_the_first_file(register: Any, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as gone:
        closed = f"http://127.0.0.1:{gone.server_address[1]}"
    with pytest.raises(SourceError, match=r"no connection .*refused") as caught:
        fetch(registry(register, f"{closed}/a", f"{closed}/b"), raw=tmp_path, backoff=0.001)
    assert "not attempted or not complete: folder/file2.csv" in str(caught.value)
    assert files(tmp_path) == []


def test_a_full_disk_is_said(register: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, block: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    original: Any = fetching._write
    monkeypatch.setattr(fetching, "_write", lambda handle, block, path: original(Full(), block, path))
    with pytest.raises(SourceError, match="the disk is full"):
        fetch(registry(register, f"{server}/good"), raw=tmp_path)
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(register: Any, server: str, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where the folder should be")
    with pytest.raises(SourceError, match="could not write"):
        fetch(registry(register, f"{server}/good"), raw=tmp_path)


def test_an_interruption_leaves_nothing(
    register: Any, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(registry(register, f"{server}/good"), raw=tmp_path)
    assert files(tmp_path) == []


def test_a_mirror_is_checked_and_left_alone(register: Any, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "folder").mkdir(parents=True)
    known = registry(register, "https://example.org/1", "https://example.org/2", "https://example.org/3")
    (mirror / "folder" / "file1.csv").write_bytes(CONTENT)
    (mirror / "folder" / "file2.csv").write_bytes(CONTENT[:-2] + b"2\n")
    assert fetch(known, raw=tmp_path / "raw", mirror=mirror, only=["file1"]) == {"file1": mirror / "folder/file1.csv"}
    with pytest.raises(SourceError, match="2 problems") as caught:
        fetch(known, raw=tmp_path / "raw", mirror=mirror)
    assert "file2: folder/file2.csv has sha256" in str(caught.value)
    assert "file3: folder/file3.csv is missing" in str(caught.value)
    assert files(mirror) == ["folder/file1.csv", "folder/file2.csv"]
    assert not (tmp_path / "raw").exists()


def test_a_mirror_may_not_link_out_of_itself(register: Any, tmp_path: Path) -> None:
    mirror, outside = tmp_path / "mirror" / "folder", tmp_path / "outside.csv"
    mirror.mkdir(parents=True)
    outside.write_bytes(CONTENT)
    (mirror / "file1.csv").symlink_to(outside)
    with pytest.raises(SourceError, match="leads out of"):
        fetch(registry(register, "https://example.org/1"), raw=tmp_path / "raw", mirror=tmp_path / "mirror")


def test_an_unknown_source_and_a_missing_mirror_are_said(register: Any, tmp_path: Path) -> None:
    known = registry(register, "https://example.org/1")
    with pytest.raises(SourceError, match="No source 'x'"):
        fetch(known, raw=tmp_path, only=["x"])
    with pytest.raises(SourceError, match="no folder"):
        fetch(known, raw=tmp_path, mirror=tmp_path / "none")
