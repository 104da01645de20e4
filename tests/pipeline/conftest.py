"""The release made afresh from the publishers' files, once a session, and a project that writes elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outcomes_analysis import pipeline
from outcomes_analysis.project import Project, project
from outcomes_analysis.sources import release
from outcomes_analysis.sources.release import load_observations, release_folder

PACKED: dict[str, Any] = {}  # what the release was packed from, besides the observations


@pytest.fixture(scope="session")
def rebuilt(mirror: Path) -> pipeline.Rebuilt:
    pack = release.pack_release

    def noted(observations: pd.DataFrame, **given: Any) -> dict[str, bytes]:
        PACKED.update(given)
        return pack(observations, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release, "pack_release", noted)
        return pipeline.rebuild(mirror=mirror)


@pytest.fixture(scope="session")
def packed_from(rebuilt: pipeline.Rebuilt) -> dict[str, Any]:
    """What ``pack_release`` was given besides the observations."""
    return PACKED


@pytest.fixture(scope="session")
def released() -> pd.DataFrame:
    """The committed release in natural units; not to be altered."""
    return load_observations()


@pytest.fixture
def release_copy(tmp_path: Path) -> Path:
    """A copy of the committed release that a test may damage."""
    return Path(shutil.copytree(release_folder(), tmp_path / "release"))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Committed files as they are, results under a temporary folder: that folder."""
    target = Project(home=project().home, output=tmp_path / "out")
    monkeypatch.setattr(pipeline, "project", lambda: target)
    return target.output


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leave only the named stages in a run."""

    def keep(*names: str) -> None:
        monkeypatch.setattr(pipeline, "STAGES", tuple(s for s in pipeline.STAGES if s.name in names))

    return keep
