"""pyproject.toml is the one place where dependencies are named; what is generated from it is up to date."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "outcomes_analysis"
OWNERS_CHOICE = {"jupyterlab", "pandas", "statsmodels", "pymc", "geopandas", "altair"}
IMPORT_NAMES = {"pyyaml": "yaml", "vl-convert-python": "vl_convert", "python-calamine": "calamine"}


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def package_name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower()


def test_environment_yml_is_made_from_pyproject(tmp_path: Path) -> None:
    """The file equals what `make environment` writes."""
    recipe = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "pyproject2conda yaml" in line)
    arguments = [
        quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', recipe.split("pyproject2conda", 1)[1])
    ]
    arguments[arguments.index("environment.yml")] = str(tmp_path / "made.yml")
    code = "import sys; from pyproject2conda.cli import app; sys.argv[0] = 'pyproject2conda'; app()"
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, capture_output=True)
    assert (ROOT / "environment.yml").read_text() == (tmp_path / "made.yml").read_text(), "run: make environment"


def test_pins_agree() -> None:
    run = subprocess.run(
        [sys.executable, ".ci/pins.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_every_direct_dependency_is_capped_at_its_next_major(pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    listed = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert [item for item in listed if not re.search(r">=[\d.]+,<[\d.]+$", item)] == []


def test_owners_choice_is_among_the_dependencies(pyproject: dict[str, Any]) -> None:
    assert {package_name(item) for item in pyproject["project"]["dependencies"]} >= OWNERS_CHOICE


def test_every_direct_dependency_is_used(pyproject: dict[str, Any]) -> None:
    """Each is imported, or named where another package loads it for us (an engine, a program that is started)."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    names = [package_name(item) for item in pyproject["project"]["dependencies"]]
    unused = [name for name in names if not re.search(rf"\b{IMPORT_NAMES.get(name, name.replace('-', '_'))}\b", code)]
    assert unused == []


def test_python_version_is_the_floor(pyproject: dict[str, Any]) -> None:
    floor = re.match(r">=(\d+\.\d+)", pyproject["project"]["requires-python"])
    assert floor
    assert (ROOT / ".python-version").read_text().strip() == floor.group(1)
