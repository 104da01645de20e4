"""What all tests share: the reference material, no network, and no quiet skips."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# One thread each: two workers share two cores, and sums come out the same on any machine. Before NumPy is loaded.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
# The same examples each time, and no failure because a machine is busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", ""}


@pytest.fixture(scope="session")
def root() -> Path:
    """The clone."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with publishers' files and reference results beside the clone."""
    if not SHARED.is_dir():
        pytest.skip("there is no ../shared folder beside this clone")
    return SHARED


@pytest.fixture(scope="session")
def mirror(shared: Path) -> Path:
    """The publishers' files, unaltered."""
    return shared / "mirror"


@pytest.fixture(scope="session")
def gold(shared: Path) -> Path:
    """Results of published software, and published tables."""
    return shared / "gold"


@pytest.fixture(scope="session")
def england() -> dict[tuple[str, str], float]:
    """England as the Department for Education published it, to one decimal: early years, key stage 4, pupil absence."""
    return {
        ("gld_pct", "2018/19"): 71.8,
        ("gld_pct", "2021/22"): 65.2,
        ("gld_pct", "2022/23"): 67.2,
        ("gld_pct", "2023/24"): 67.7,
        ("gld_pct", "2024/25"): 68.3,
        ("attainment8", "2018/19"): 46.7,
        ("attainment8", "2022/23"): 46.3,
        ("persistent_absence", "2018/19"): 10.9,
        ("persistent_absence", "2021/22"): 22.5,
    }


def is_loopback(address: object) -> bool:
    """Whether a socket address stays on this machine (a Unix socket's address is text)."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    return host in LOOPBACK or host.startswith("127.")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Let nothing leave this machine: a test that needs the internet would fail on a closed network."""
    patch = pytest.MonkeyPatch()

    def guard(name: str) -> None:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: object, *rest: object) -> object:
            if not is_loopback(address):
                message = f"a test tried to reach {address!r}: tests may not use the network"
                raise OSError(message)
            return original(self, address, *rest)

        patch.setattr(socket.socket, name, guarded)

    original_lookup = socket.getaddrinfo

    def lookup(host: object, *rest: object, **more: object) -> object:
        if host is not None and not is_loopback((host.decode() if isinstance(host, bytes) else host,)):
            message = f"a test tried to look up {host!r}: tests may not use the network"
            raise OSError(message)
        return original_lookup(host, *rest, **more)

    guard("connect")
    guard("connect_ex")
    patch.setattr(socket, "getaddrinfo", lookup)
    # Processes that tests start find no proxy to go through either.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        patch.setenv(name, "http://127.0.0.1:9")
        patch.setenv(name.lower(), "http://127.0.0.1:9")
    patch.setenv("NO_PROXY", "localhost,127.0.0.1,::1")
    patch.setenv("no_proxy", "localhost,127.0.0.1,::1")
    yield
    patch.undo()


def refuse_skip(report: pytest.TestReport | pytest.CollectReport, allowed: bool) -> None:
    """Turn a skip into a failure where everything a test needs is there."""
    if report.skipped and not allowed and not hasattr(report, "wasxfail") and SHARED.is_dir():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = (
            f"{reason}\nSkips are errors here: ../shared exists. Mark a skip for an operating system `platform`."
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    refuse_skip(report, item.get_closest_marker("platform") is not None)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    report = yield
    refuse_skip(report, allowed=False)
    return report
