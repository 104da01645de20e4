"""What the pages say to type exists, and what they point to is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN, TEST = "pip install uv && uv run outcomes run", "pip install uv && uv run pytest"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("data/*.md"), *ROOT.glob("notebooks/*.md"), *ROOT.glob("models/*.md")])


def test_readme_has_the_two_commands_as_written() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert RUN in lines
    assert TEST in lines


def test_build_server_runs_the_second_as_written() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"step tests '{TEST}'\n" in script
    assert script.index("unset PYTHONDONTWRITEBYTECODE") < script.index(TEST)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_named_exist(page: Path) -> None:
    from typer.main import get_command

    from outcomes_analysis.cli import app

    spoken = r"(?:^|`|&& |bin/uv run )(?:(?:python -m )?uv run (?:--\S+ (?:3\.\d+ )?)?)?outcomes ([a-z]+)"
    named = set(re.findall(spoken, page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n### {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("## Software", 1)[1]
