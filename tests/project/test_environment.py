"""pyproject.toml is the one place where dependencies are named; what is generated from it is up to date."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "outcomes_analysis"
OWNERS_CHOICE = {"jupyterlab", "pandas", "statsmodels", "pymc", "geopandas", "altair"}
LOADED_FOR_US = {
    "jupyterlab": "`outcomes lab` starts it as a program",
    "vl-convert-python": "Altair draws SVG and PNG with it",
}


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


def modules_imported() -> set[str]:
    """Top-level names of every import in the package, inside functions too."""
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names - sys.stdlib_module_names - {"outcomes_analysis"}


def test_what_is_imported_is_what_is_declared(pyproject: dict[str, Any]) -> None:
    """No direct dependency is unused, and none is borrowed from another package's dependencies."""
    declared = {package_name(item) for item in pyproject["project"]["dependencies"]}
    owners = packages_distributions()
    used = {owners[name][0].lower().replace("_", "-") for name in modules_imported()}
    assert used - declared == set(), "imported, but not among the dependencies"
    assert declared - used - LOADED_FOR_US.keys() == set(), "among the dependencies, but never imported"


def test_python_version_is_the_floor(pyproject: dict[str, Any]) -> None:
    floor = re.match(r">=(\d+\.\d+)", pyproject["project"]["requires-python"])
    assert floor
    assert (ROOT / ".python-version").read_text().strip() == floor.group(1)
