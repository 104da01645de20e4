"""The cards of a run: one for admissions and attainment, one a domain, one for the national target."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from outcomes_analysis import pipeline
from outcomes_analysis.evidence.playbook.strength import GRADES
from outcomes_analysis.pipeline import playbook
from outcomes_analysis.project import Project, project

pytestmark = pytest.mark.slow
NAMES = [
    "admissions-attainment",
    *(f"domain-{name}" for name in ("safe", "healthy", "happy", "learning", "engaged")),
    "ready-for-school",
]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = Project(home=project().home, output=tmp_path_factory.mktemp("cards"))
    files = playbook.write_cards(target, pipeline.PERIOD)
    assert all(path.is_file() for path in files)
    return target.output


def test_every_card_has_its_page_and_its_json(written: Path) -> None:
    for name in NAMES:
        card = json.loads((written / "data" / "processed" / f"card-{name}.json").read_text(encoding="utf-8"))
        page = (written / "figures" / f"card-{name}.html").read_text(encoding="utf-8")
        assert card["id"] in page
        assert card["strength"]["grade"] in GRADES
        assert card["figure"]["alt"]
        assert [rule["met"] for rule in card["strength"]["rules"]].count("not known") < len(card["strength"]["rules"])
        assert f'href="card-{name}.html"' in (written / "figures" / "cards.html").read_text(encoding="utf-8")


def test_the_card_of_the_target_says_how_the_gap_and_england_were_foretold(written: Path) -> None:
    """Apart, beside no change, for years before the pandemic and for 2025; the page has the same."""
    card = json.loads((written / "data" / "processed" / "card-ready-for-school.json").read_text(encoding="utf-8"))
    page = (written / "figures" / "card-ready-for-school.html").read_text(encoding="utf-8")
    for pool in ("Forecasts made before 2020", "Figures for 2025"):
        (told,) = [line for line in card["method"] if line.startswith(pool)]
        assert re.search(r"the gap to England \d\.\d\d, no change \d\.\d\d \(\d+ forecasts, \d+ in 100 inside", told)
        assert re.search(r"; England \d\.\d\d, no change \d\.\d\d \(\d forecasts?\)", told)
        assert html.escape(told) in page


def test_what_is_contested_or_experimental_is_never_above_tentative(written: Path) -> None:
    cards = {
        name: json.loads((written / "data" / "processed" / f"card-{name}.json").read_text(encoding="utf-8"))
        for name in NAMES
    }
    why = {name: card["strength"]["no_more_than_tentative_because"] for name, card in cards.items()}
    assert why["admissions-attainment"] == ["mental health admissions is contested"]
    assert "Happy is experimental" in why["domain-happy"]
    assert "(experimental)" in cards["domain-happy"]["question"]
    assert why["domain-safe"], "much of its weight is on contested indicators"
    assert not why["domain-learning"]
    capped = [card["strength"]["grade"] for name, card in cards.items() if why[name]]
    assert set(capped) <= {"not clear", "tentative"}


def test_the_ledger_makes_the_cards_stale_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Project(home=project().home, output=tmp_path)
    monkeypatch.setattr(pipeline, "project", lambda: target)
    before = {state.stage.name: state.key for state in pipeline.states()}
    ledger = tmp_path / "predictions" / "ledger.jsonl"
    ledger.parent.mkdir()
    ledger.write_text("{}")
    after = {state.stage.name: state.key for state in pipeline.states()}
    assert [name for name in before if before[name] != after[name]] == ["cards"]
