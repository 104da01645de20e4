"""A notebook is opened and run in JupyterLab, in a browser, and nothing leaves this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outcomes_analysis import cli
from outcomes_analysis.evidence import notebooks

pytestmark = [pytest.mark.slow, pytest.mark.notebook]

NUMBER = 1
TOKEN = "test"
SECONDS = 120


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """JupyterLab as the command starts it, on a copy of the notebooks."""
    folder = tmp_path / "notebooks"
    shutil.copytree(notebooks.find_notebook(NUMBER).parent, folder, ignore=shutil.ignore_patterns("_build"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    more = [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True",
        "--allow-root",
    ]
    homes = {name: str(tmp_path / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR")}
    log = (tmp_path / "server.log").open("w")
    server = subprocess.Popen([*cli.lab_command(folder), *more], env={**os.environ, **homes}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(SECONDS):
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "server.log").read_text()
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def test_a_notebook_runs_in_jupyterlab(served: str, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    picture = tmp_path_factory.getbasetemp() / "artefacts" / "lab.png"  # kept when the test passes, too
    picture.parent.mkdir(exist_ok=True)
    name = notebooks.find_notebook(NUMBER).name
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served}/lab/tree/{name}?token={TOKEN}", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=SECONDS * 1000)
    # running before the kernel is idle hangs
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=SECONDS * 1000,
    )
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        "() => { const c = window.jupyterapp.shell.currentWidget.content.model.cells;"
        " const last = [...c].filter(x => x.type === 'code').pop();"
        " return last.executionCount !== null && last.outputs.length > 0; }",
        timeout=SECONDS * 1000,
    )
    outputs = page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(x => x.type === 'code')"
        ".flatMap(x => x.outputs.toJSON()).map(o => [o.output_type, Object.keys(o.data || {})])"
    )
    page.screenshot(path=str(picture))
    page.close()
    assert "error" not in [kind for kind, _ in outputs]
    assert any("image/svg+xml" in forms for _, forms in outputs)
    outside = [url for url in asked if not url.startswith((served, "data:", "blob:", served.replace("http", "ws")))]
    assert outside == []
    assert picture.stat().st_size > 20_000
