"""A run: everything is made once, only what is stale is made again, and a failure leaves what was there."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis import pipeline
from outcomes_analysis.errors import ProjectError
from outcomes_analysis.pipeline import Stage
from outcomes_analysis.project import Project, project
from outcomes_analysis.provenance import write_atomic, write_folder

NEEDS = {
    "indices": (),
    "association": (),
    "figures": ("indices", "association"),
    "report": ("indices", "association", "figures"),
}
ALL = list(NEEDS)


class Worked:
    """Four small stages in the shape of the real ones; notes who worked, and fails where asked."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.text = "first"
        self.failing: dict[str, Exception] = {}

    def stage(self, name: str, *needs: str) -> Stage:
        def work(target: Project, _: int) -> list[Path]:
            self.names.append(name)
            made = [write_atomic(target.result("data", "processed", f"{name}-1.csv"), self.text)]
            if name in self.failing:
                raise self.failing[name]
            return [*made, write_atomic(target.result("figures", f"{name}-2.svg"), self.text)]

        return Stage(name, f"making {name}", needs, work)


@pytest.fixture
def worked(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Worked:
    worked = Worked()
    stages = tuple(worked.stage(name, *needs) for name, needs in NEEDS.items())
    monkeypatch.setattr(pipeline, "STAGES", stages)
    return worked


def test_a_full_run_is_done_after_a_quick_one_and_then_counts_as_that_too(worked: Worked) -> None:
    pipeline.run()
    worked.names.clear()
    pipeline.run(full=True)
    assert worked.names == ["association", "figures", "report"]
    worked.names.clear()
    pipeline.run(full=True)
    pipeline.run()
    assert worked.names == []


@pytest.mark.slow
def test_a_full_run_samples_the_joint_model_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As far as the sampler, in whose place stand draws near the peak: sampling has its own test."""
    from outcomes_analysis.relations.pair.posteriors import Posterior

    asked: list[dict[str, Any]] = []

    def sample(layout: Any, peak: Any, **settings: Any) -> Posterior:
        asked.append(settings)
        found = {"method": "nuts", "r_hat": 1.001, "ess_bulk": 900.0, "ess_tail": 900.0, "divergences": 0}
        thetas = peak.draws(400, np.random.default_rng(1)).reshape(4, 100, -1)
        return Posterior(draws={"theta": thetas}, diagnostics=found)

    monkeypatch.setattr("outcomes_analysis.relations.joint.bayes.sample", sample)
    monkeypatch.setattr("outcomes_analysis.relations.joint.fitting.fits_folder", lambda: tmp_path / "fits")
    pipeline.results.forget()
    with pipeline.results.sampled():
        joint = pipeline.default_joint()
    assert len(asked) == 1
    assert asked[0]["chains"] == 4
    assert set(joint.table.loc[joint.table["forms"].eq("chosen"), "method"]) == {"sampled (NUTS)"}
    assert "quick way" not in joint.text
    assert "quick way" in pipeline.default_joint().text  # outside, the labelled quick way as before
    pipeline.results.forget()


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fresh() -> dict[str, bool]:
    return {s.stage.name: s.fresh for s in pipeline.states()}


def test_a_second_run_does_nothing_and_names_the_same_files(worked: Worked, elsewhere: Path) -> None:
    assert not any(fresh().values())
    told: list[str] = []
    first = pipeline.run(progress=told.append)
    assert worked.names == ALL
    assert told == [f"making {name}" for name in ALL]
    assert all(f.is_file() and f.is_relative_to(elsewhere) for f in first)
    assert not list(elsewhere.rglob(".*"))  # the place where stages work is gone
    worked.names.clear()
    told.clear()
    assert pipeline.run(progress=told.append) == first
    assert (worked.names, told) == ([], [])
    assert all(fresh().values())
    pipeline.run(force=True)
    assert worked.names == ALL


@pytest.mark.parametrize("touched", ["release/reference.csv", "framework/common_outcomes.yml", "areas/register.csv"])
def test_other_data_make_it_stale(
    touched: str, worked: Worked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(shutil.copytree(project().home / "data", tmp_path / "home" / "data", ignore=_heavy)).parent
    target = Project(home=home, output=tmp_path / "out")
    monkeypatch.setattr(pipeline, "project", lambda: target)
    pipeline.run()
    path = home / "data" / touched
    path.touch()  # a new date alone is no change
    assert all(fresh().values())
    path.write_bytes(path.read_bytes() + b"\n")
    assert not any(fresh().values())
    assert {s.reason for s in pipeline.states()} == {"code, data or period changed"}


def _heavy(folder: str, names: list[str]) -> set[str]:
    return {n for n in names if n in {"raw", "processed"} or n.endswith((".parquet", ".json"))}


def test_another_year_makes_it_stale(worked: Worked) -> None:
    pipeline.run(period=2025)
    assert not any(s.fresh for s in pipeline.states(period=2024))


def test_other_code_makes_it_stale(worked: Worked, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.run()
    real = pipeline.sha256_of
    monkeypatch.setattr(pipeline, "sha256_of", lambda p: "0" if p.name == "drawing.py" else real(p))
    assert not any(fresh().values())


def test_a_missing_file_makes_its_stage_and_what_needs_it_stale(worked: Worked, elsewhere: Path) -> None:
    pipeline.run()
    worked.names.clear()
    (elsewhere / "figures" / "association-2.svg").unlink()
    assert fresh() == {"indices": True, "association": False, "figures": False, "report": False}
    reasons = {s.stage.name: s.reason for s in pipeline.states()}
    assert reasons["association"] == "1 file missing (figures/association-2.svg)"
    assert reasons["figures"] == "made from what is stale: association"
    pipeline.run()
    assert worked.names == ["association", "figures", "report"]
    assert all(fresh().values())


@pytest.mark.parametrize(
    "failure",
    [ValueError("ours"), ProjectError("Could not write x: the disk is full."), KeyboardInterrupt()],
    ids=["fault", "disk full", "stopped"],
)
def test_a_stage_that_fails_leaves_what_was_there(failure: Any, worked: Worked, elsewhere: Path) -> None:
    pipeline.run()
    before = everything(elsewhere)
    worked.text, worked.failing = "second", {"indices": failure}
    with pytest.raises(type(failure)):
        pipeline.run(force=True)
    assert everything(elsewhere) == before
    assert not list(elsewhere.rglob(".*"))


def test_stages_before_the_failing_one_are_kept(worked: Worked, elsewhere: Path) -> None:
    worked.failing = {"figures": ValueError("ours")}
    with pytest.raises(ValueError, match="ours"):
        pipeline.run()
    assert fresh() == {"indices": True, "association": True, "figures": False, "report": False}
    assert not (elsewhere / "data" / "processed" / "figures-1.csv").exists()
    worked.names.clear()
    worked.failing = {}
    pipeline.run()
    assert worked.names == ["figures", "report"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}'])
def test_a_damaged_record_is_stale_not_a_fault(text: str, worked: Worked, elsewhere: Path) -> None:
    pipeline.run()
    (elsewhere / "data" / "processed" / "stages" / "indices.json").write_text(text)
    assert {s.stage.name: s.reason for s in pipeline.states()}["indices"] == "its record is damaged"
    pipeline.run()
    assert all(fresh().values())


def test_a_full_disk_while_files_are_put_in_place_is_said(
    worked: Worked, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace

    def full(self: Path, target: Any) -> Path:
        if Path(target).name == "indices-2.svg" and self.parent.parent.name.startswith("."):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ProjectError, match=r"indices-2\.svg: the disk is full"):
        pipeline.run()
    assert not fresh()["indices"]


# ------------------------------------------------------------------------------------------------ real stages


@pytest.mark.slow
def test_the_tables_of_a_run(elsewhere: Path, only: Callable[..., None], released: pd.DataFrame) -> None:
    only("indices", "association")
    files = {f.name: f for f in pipeline.run()}
    assert sorted(files) == [
        "admissions-attainment-clusters.csv",
        "admissions-attainment-links.csv",
        "admissions-attainment-ways-together.csv",
        "admissions-attainment-ways.csv",
        "admissions-attainment.csv",
        "admissions-attainment.json",
        "domains-2024-links.csv",
        "domains-2024-together.csv",
        "domains-2024-together.json",
        "domains-2025-and-child-poverty.csv",
        "domains-2025-figures-and-methods.csv",
        "domains-2025-given-child-poverty.csv",
        "domains-2025-other-methods.csv",
        "domains-2025.csv",
        "domains-by-year.csv",
        "scores-2025.csv",
        "scores-2025.json",
        "sensitivity-2025.csv",
    ]
    domains = pd.read_csv(files["domains-2025.csv"])
    assert domains.groupby("node_id").size().to_dict() == dict.fromkeys(
        ["engaged", "happy", "healthy", "learning", "safe"], 153
    )
    assert not domains.duplicated(["node_id", "area_code"]).any()
    assert domains.loc[domains["node_id"] == "happy", "rank"].isna().all()
    assert (domains["lower"] <= domains["upper"])[domains["estimate"].notna()].all()
    ranked = domains[domains["ranked"]]
    assert ranked.groupby("node_id").size().between(140, 151).all()  # City of London and Scilly never
    assert ranked["rank"].between(ranked["rank_lower"], ranked["rank_upper"]).all()
    assert set(pd.read_csv(files["domains-by-year.csv"])["period"]) == set(range(2019, 2026))
    given = pd.read_csv(files["domains-2025-given-child-poverty.csv"])
    measures = {"child poverty before housing costs", "child poverty after housing costs"}
    assert set(given["poverty_measure"]) == measures
    assert not given.duplicated(["node_id", "area_code", "poverty_measure"]).any()
    strength = pd.read_csv(files["domains-2025-and-child-poverty.csv"])
    assert strength.groupby("poverty_measure").size().to_dict() == dict.fromkeys(measures, 2 * 5)
    assert strength["estimate"].between(strength["lower"], strength["upper"]).all()
    together = pd.read_csv(files["domains-2024-together.csv"])
    assert len(together) == 10
    links = pd.read_csv(files["domains-2024-links.csv"])
    assert list(links["domain"] + links["other"]) == list(together["domain"] + together["other"])
    assert (links["estimate"].abs() < together["estimate"]).all()  # the rest goes by way of the other domains
    assert together["estimate"].between(together["lower"], together["upper"]).all()
    moved = pd.read_csv(files["sensitivity-2025.csv"])
    assert set(moved["node_id"]) == {
        "safe",
        "healthy",
        "learning",
        "engaged",
    }  # what is not ranked has no ranks to move
    assert set(moved["interval"]) == {"method"}
    scores = pd.read_csv(files["scores-2025.csv"])
    held = scores[scores["withheld"].notna()]
    assert held["rank"].isna().all()
    assert "infant_mort" in set(held["node_id"])
    words = json.loads(files["scores-2025.json"].read_text(encoding="utf-8"))
    assert words["manifest"]["data_as_at"]
    assert set(words["manifest"]["sources"]) <= set(released["source_id"])


@pytest.mark.slow  # draws every figure twice: about a minute and a half
def test_a_whole_run(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = pipeline.run()
    assert len(files) == len(set(files)) > 100
    names = {f.name for f in files}
    assert "report.html" in names
    for figure in pipeline.figures_of_a_run():
        assert {f"{figure}.{kind}" for kind in ("svg", "png", "csv", "txt", "json")} <= names
    assert not any(n.startswith("rank-intervals-happy") for n in names)
    before = {f: f.read_bytes() for f in files}
    calls: list[str] = []

    def counting(stage: Stage) -> Stage:
        def work(target: Project, period: int) -> list[Path]:
            calls.append(stage.name)
            return stage.work(target, period)

        return replace(stage, work=work)

    monkeypatch.setattr(pipeline, "STAGES", tuple(counting(s) for s in pipeline.STAGES))
    assert pipeline.run() == files
    assert calls == []
    pipeline._forget()
    pipeline.run(force=True)
    assert calls == [s.name for s in pipeline.STAGES]
    assert [f.name for f in files if f.read_bytes() != before[f]] == []  # the same inputs give the same bytes


# ------------------------------------------------------------------------------------------------ whole or not at all

OLD, NEW = {"a.csv": b"old a", "gone.csv": b"old"}, {"a.csv": b"new a", "b.csv": b"new b", "c.csv": b"new c"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "release"
    write_folder(folder, OLD)
    return folder


def test_a_folder_takes_the_place_of_the_old_one(folder: Path) -> None:
    assert write_folder(folder, NEW) == [folder / n for n in NEW]
    assert everything(folder.parent) == {f"release/{n}": c for n, c in NEW.items()}


def test_a_disk_that_fills_at_the_third_file_leaves_the_old_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.name == "c.csv":
            real(self, data[:2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ProjectError, match=r"release: the disk is full\. Nothing was changed"):
        write_folder(folder, NEW)
    assert everything(folder.parent) == {f"release/{n}": c for n, c in OLD.items()}


@pytest.mark.parametrize("failure", [PermissionError(errno.EACCES, "Permission denied"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", ["old", "new"])
def test_a_swap_that_fails_brings_the_old_folder_back(
    at: str, failure: BaseException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace
    failures = [failure]

    def failing(self: Path, target: Any) -> Path:
        moving = "new" if self.name == "new" else "old"
        if moving == at and failures:
            raise failures.pop()
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    expected = ProjectError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_folder(folder, NEW)
    assert everything(folder.parent) == {f"release/{n}": c for n, c in OLD.items()}


def test_refresh_is_seen_in_the_same_process(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that refreshes its data must not go on with those of before."""
    kept = pipeline.default_index
    monkeypatch.setattr(pipeline, "rebuild", lambda **_: pipeline.Rebuilt(NEW, pd.DataFrame()))
    kept()
    assert kept.cache_info().currsize > 0
    assert [p.name for p in pipeline.refresh()] == list(NEW)
    assert kept.cache_info().currsize == 0
