"""The tree is as ARCHITECTURE.md says: layers, sizes, names, and nothing tracked that should not be."""

from __future__ import annotations

import ast
import csv
import hashlib
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "outcomes_analysis"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 500
MAX_BYTES = 1_000_000
VAGUE = {"utils", "util", "helpers", "helper", "core", "common", "misc", "tools", "base", "lib"}
HEAVY = ("altair", "geopandas", "pymc", "arviz", "statsmodels", "scipy", "mapclassify", "pooch", "requests", "pyarrow")

# Spelled in parts, so that this file does not hold what it forbids.
FORBIDDEN_TEXT = {
    "a path of one machine": r"(?<![\w.~-])/(?:ho" + r"me|ro" + r"ot|wo" + r"rk|Use" + r"rs|op" + r"t|tm" + r"p)/\w",
    "a package registry": r"py" + r"pi\.org|files\.python" + r"hosted|registry\.np" + r"mjs|conda\.anaco" + r"nda\.org",
    "an unfinished marker": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|TB" + r"D)\b",
}
TEXT_SUFFIXES = {
    ".py",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".txt",
    ".ipynb",
    ".cff",
    ".html",
    ".jinja",
    ".csv",
    ".svg",
    "",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tracked() -> tuple[Path, ...]:
    """Files git tracks or would add, that exist."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return tuple(ROOT / name for name in listed if name and (ROOT / name).is_file())


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_imports_run_downwards_only() -> None:
    """The contracts of pyproject.toml, by import-linter."""
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_architecture_lists_the_rooms_and_modules_there_are() -> None:
    run = subprocess.run(
        [sys.executable, ".ci/rooms.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_architecture_lists_the_rooms_from_top_to_bottom() -> None:
    """In the order of the layers in pyproject.toml."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE) == layers


def test_no_module_is_longer_than_a_person_can_hold() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_module_has_a_vague_name() -> None:
    assert [name_of(path) for path in MODULES if VAGUE & set(path.relative_to(PACKAGE).with_suffix("").parts)] == []


def exposed_by(init: Path) -> set[str]:
    """Names a package offers: what its ``__init__`` defines, imports from elsewhere, or loads on first use."""
    names: set[str] = set()
    for node in tree_of(init).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            names.update(key.value for key in node.value.keys if isinstance(key, ast.Constant))
    return names


def test_no_module_bears_the_name_of_a_public_function_of_its_package() -> None:
    """Such a name would mean the module or the function, depending on what was imported first."""
    clashes = []
    for init in PACKAGE.rglob("__init__.py"):
        files = {path.stem for path in init.parent.glob("*.py")}
        folders = {folder.parent.name for folder in init.parent.glob("*/__init__.py")}
        clashes += [f"{name_of(init.parent)}: {name}" for name in sorted(exposed_by(init) & (files | folders))]
    assert clashes == []


def docstring_lacks(path: Path) -> list[str]:
    return [
        f"{name_of(path)}: {node.name}"
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]


def test_every_public_thing_says_what_it_is() -> None:
    assert [lack for path in MODULES for lack in docstring_lacks(path)] == []


def test_public_names_of_the_package_exist() -> None:
    import outcomes_analysis

    names = list(getattr(outcomes_analysis, "__all__", []))
    assert names == sorted(set(names), key=names.index)
    assert [name for name in names if not hasattr(outcomes_analysis, name)] == []


def test_import_is_light() -> None:
    """Maps, charts and models are loaded when first used, not before."""
    code = "import sys, outcomes_analysis; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) & set(HEAVY) == set()


# What each room may be imported without, from the bottom up: one process shows it for all of them.
WITHOUT = {
    "areas": ("geopandas", "shapely", "pyproj"),
    "relations": ("pymc", "pytensor", "arviz", "numba"),
    "relations.pair.cards": ("pymc", "pytensor", "arviz"),
    "relations.pair.measurement": ("pymc", "pytensor", "arviz"),
    "figures.charts.html_tables": ("great_tables",),
    "figures": ("altair", "geopandas", "shapely", "vl_convert", "mapclassify"),
}


def test_rooms_load_what_is_heavy_only_when_it_is_used() -> None:
    code = f"""
import importlib, sys
for room, heavy in {WITHOUT!r}.items():
    found = importlib.import_module("outcomes_analysis." + room)
    if room == "figures":
        found.maps, found.ranks, found.tables, found.relations, found.export, found.theme
    print(*(f"{{room}} loads {{name}}" for name in heavy if name in sys.modules), sep="\\n", end="")
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == ""


def test_help_is_light() -> None:
    """The command answers ``--help`` without loading anything heavy."""
    code = (
        "import sys\n"
        "from outcomes_analysis.cli import main\n"
        "sys.argv = ['outcomes', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print('MODULES', ' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert set(run.stdout.rsplit("MODULES", 1)[1].split()) & set(HEAVY) == set()


@pytest.mark.parametrize("what", FORBIDDEN_TEXT)
def test_no_tracked_text_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN_TEXT[what])
    found = []
    for path in tracked():
        if path.suffix.lower() not in TEXT_SUFFIXES:
            continue
        match = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        if match:
            found.append(f"{name_of(path)}: {match.group(0)!r}")
    assert found == []


def test_text_files_end_their_lines_alike() -> None:
    assert [name_of(p) for p in tracked() if p.suffix.lower() in TEXT_SUFFIXES and b"\r\n" in p.read_bytes()] == []


def test_no_tracked_file_is_large() -> None:
    assert {name_of(path): size for path in tracked() if (size := path.stat().st_size) > MAX_BYTES} == {}


def test_no_tracked_file_is_a_copy_of_the_shared_material(shared: Path) -> None:
    with (shared / "mirror" / "sources.csv").open(encoding="utf-8", newline="") as handle:
        hashes = {row["sha256"]: row["path"] for row in csv.DictReader(handle)}
    for folder in ("gold", "reference"):
        for path in (shared / folder).rglob("*"):
            if path.is_file() and path.stat().st_size:
                hashes[hashlib.sha256(path.read_bytes()).hexdigest()] = name_of_shared(path, shared)
    assert len(hashes) > 42, "the shared folder should hold more than the mirror's files"
    copies = [
        f"{name_of(path)} is {hashes[digest]}"
        for path in tracked()
        if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) in hashes
    ]
    assert copies == []


def name_of_shared(path: Path, shared: Path) -> str:
    return path.relative_to(shared).as_posix()
