"""Where the project's files are, and the few settings everything shares.

Reads: the clone's ``data/`` if the package runs from a clone, else the copy inside the installed package.
Writes: under the clone, else under the current folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from outcomes_analysis.errors import ProjectError

PACKAGE = Path(__file__).resolve().parent
CLONE = PACKAGE.parent
INSTALLED = PACKAGE / "_project"  # the wheel carries data/, notebooks/, models/, figures.yml here

SEED = 20260101
LEVEL = 0.90  # our own intervals; published intervals keep their 95 %
DRAWS = 10_000


def _is_clone(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() and (folder / "data" / "framework").is_dir()


@dataclass(frozen=True)
class Project:
    """Folders of one project.

    Attributes
    ----------
    home : Path
        Folder that holds the committed ``data/``, ``models/``, ``figures/`` and ``notebooks/``.
    output : Path
        Folder under which results are written.
    """

    home: Path
    output: Path

    def path(self, *parts: str) -> Path:
        """Path of a committed file, given relative to the project; it must exist.

        Raises
        ------
        ProjectError
            If there is no such file or folder.
        """
        path = self.home.joinpath(*parts)
        if not path.exists():
            message = (
                f"{'/'.join(parts)} is missing from {self.home}: install the package again, or run inside a clone."
            )
            raise ProjectError(message)
        return path

    def result(self, *parts: str) -> Path:
        """Path of a file to be written, relative to the output folder (not created here)."""
        return self.output.joinpath(*parts)


@cache
def project() -> Project:
    """Find the project: the clone the package runs from, else the installed copy and the current folder."""
    if _is_clone(CLONE):
        return Project(home=CLONE, output=CLONE)
    return Project(home=INSTALLED, output=Path.cwd())
