"""The guards of tests/conftest.py hold: nothing leaves this machine, and nothing is skipped in silence."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = "192.0.2.1"  # set aside for documentation (RFC 5737): never a real machine


def test_other_machines_are_out_of_reach() -> None:
    with pytest.raises(OSError, match="tests may not use the network"):
        socket.create_connection((ELSEWHERE, 80), timeout=1)
    with pytest.raises(OSError, match="tests may not use the network"):
        socket.getaddrinfo("example.org", 443)


def test_loopback_works() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        client.sendall(b"x")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b"x"


def test_processes_that_tests_start_find_no_proxy() -> None:
    code = "import urllib.request; print(urllib.request.getproxies().get('https'))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert shown == "http://127.0.0.1:9"
    assert "127.0.0.1" in os.environ["NO_PROXY"]


SKIPPING = """
import pytest

def test_skips():
    pytest.skip("no reason")

@pytest.mark.skip(reason="marked")
def test_is_marked():
    pass

@pytest.mark.platform
def test_is_for_another_system():
    pytest.skip("declared")

def test_needs_the_shared_folder(mirror):
    pass
"""


@pytest.mark.parametrize(
    ("shared", "expected"),
    [(True, {"passed": 1, "failed": 1, "error": 1, "skipped": 1}), (False, {"skipped": 4})],
)
def test_skips_are_errors_where_the_shared_folder_exists(
    tmp_path: Path, shared: bool, expected: dict[str, int]
) -> None:
    tests = tmp_path / "clone" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(Path(__file__).resolve().parents[1] / "conftest.py", tests)
    (tests / "test_skipping.py").write_text(SKIPPING)
    (tmp_path / "clone" / "pytest.ini").write_text("[pytest]\nmarkers =\n    platform: declared\n")
    if shared:
        (tmp_path / "shared" / "mirror").mkdir(parents=True)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "clone",
        capture_output=True,
        text=True,
        check=False,
    )
    closing = run.stdout.strip().splitlines()[-1]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", closing)}
    assert counts == expected, run.stdout
    assert (run.returncode == 0) is not shared
