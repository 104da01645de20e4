"""The commands of evidence for the Playbook: what they write, what they say, and how they end."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from outcomes_analysis import relations
from outcomes_analysis.cli import main
from outcomes_analysis.pipeline import playbook
from outcomes_analysis.project import Project, project

EXAMPLE = project().path("data", "local", "example_hypotheses.csv")
Said = pytest.CaptureFixture[str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run ``outcomes`` with results under a temporary folder."""
    monkeypatch.setattr(playbook, "project", lambda: Project(home=project().home, output=tmp_path))

    def ask(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["outcomes", *words])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0)

    return ask


def test_hypotheses_are_set_beside_the_figures(run, tmp_path: Path, capsys: Said) -> None:
    small = tmp_path / "loop one.csv"
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    small.write_text("\n".join([lines[0], lines[1], lines[2]]), encoding="utf-8")
    assert run("hypotheses", str(small)) == 0
    told = capsys.readouterr().out
    assert "Area pattern in the same direction: 1" in told
    assert max(map(len, told.splitlines()[:-1])) <= 100
    assert (tmp_path / "figures" / "hypotheses-loop-one.html").is_file()
    assert len((tmp_path / "figures" / "hypotheses-loop-one.csv").read_text().splitlines()) == 3
    assert run("hypotheses", str(small), "--json", "--out", str(tmp_path / "elsewhere")) == 0
    assert [row["verdict"] for row in json.loads(capsys.readouterr().out)][1] == "not measured"


def test_a_faulty_file_of_hypotheses_ends_with_2_and_the_report(run, tmp_path: Path, capsys: Said) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("from,to,sign,whose\na,b,?,us\n")
    assert run("hypotheses", str(path)) == 2
    assert "column sign: a sign that is neither + nor -" in capsys.readouterr().out
    assert not (tmp_path / "figures").exists()


def test_a_prediction_is_sealed_shown_and_proved(run, tmp_path: Path, capsys: Said) -> None:
    path = str(tmp_path / "ledger.jsonl")
    assert run("predict", "mh_admissions_0_17", "attainment8", "--year", "2024", "--ledger", path) == 2
    assert "would not be made beforehand" in capsys.readouterr().err
    assert run("predict", "mh_admissions_0_17", "attainment8", "--year", "2025", "--ledger", path) == 0
    seal = capsys.readouterr().out.split("Seal ")[1].split()[0]
    assert run("ledger", "--ledger", path, "--score") == 0
    told = capsys.readouterr().out
    assert "No prediction can be scored yet" in told
    assert f"Newest seal {seal}" in told
    assert run("ledger", "--ledger", path, "--holds", seal[:16]) == 0
    assert "Entry 1" in capsys.readouterr().out
    Path(path).write_text(Path(path).read_text().replace("2025", "2026", 1))
    assert run("ledger", "--ledger", path) == 2
    assert "entry 1: it was altered since it was sealed" in capsys.readouterr().err


def test_an_empty_ledger_and_wrong_arguments(run, tmp_path: Path, capsys: Said) -> None:
    assert run("ledger", "--ledger", str(tmp_path / "none.jsonl")) == 0
    assert "The ledger is empty." in capsys.readouterr().out
    assert run("cards", "attainment8") == 2
    assert run("cards", "--hypotheses", str(EXAMPLE)) == 2
    assert run("cards", "attainment8", "nonsense") == 2
    assert run("predict", "a", "b", "c", "--year", "2026") == 2


def test_a_portfolio_with_faults_ends_with_2_and_writes_nothing(run, tmp_path: Path, capsys: Said) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("programme,domain,age_stage,place,reach\none,safe,early years,Hackny,3\n")
    assert run("portfolio", str(path)) == 2
    told = capsys.readouterr().out
    assert "(Hackney?)" in told
    assert "column reach: a reach of 1 to 9" in told
    assert not (tmp_path / "portfolios").exists()


@pytest.mark.slow
def test_a_portfolio_beside_need(run, tmp_path: Path, capsys: Said) -> None:
    assert run("portfolio", str(project().path("data", "local", "example_portfolio.csv"))) == 0
    assert "Happy: programmes in 2 authorities. It is experimental" in capsys.readouterr().out
    folder = tmp_path / "portfolios" / "example-portfolio"
    names = ["coverage.csv", "need.csv", "places.csv", "portfolio.html", "smallest-changes.csv"]
    assert sorted(p.name for p in folder.iterdir()) == names
    page = (folder / "portfolio.html").read_text(encoding="utf-8")
    assert page.count("<h1>") == 1
    assert "[c]" in page
    assert "Hospital admissions for mental health, under 18 (contested)" in page
    assert page.count('role="img"') == 5  # a map of each domain with a programme


@pytest.mark.slow
def test_a_card_of_any_pair_with_its_hypotheses(
    run, tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "multiverse", partial(relations.multiverse, permutations=40))
    assert run("cards", "persistent_absence", "attainment8", "--hypotheses", str(EXAMPLE)) == 0
    assert "Strength of evidence: fair" in capsys.readouterr().out
    card = json.loads((tmp_path / "data/processed/card-persistent-absence-attainment8-2024.json").read_text())
    assert card["hypotheses"][0].endswith("Beside it: area pattern in the same direction.")
    page = (tmp_path / "figures/card-persistent-absence-attainment8-2024.html").read_text()
    assert ">What hypotheses say</h2>" in page
