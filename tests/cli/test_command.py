"""The command as a person uses it: what it says, what it leaves behind, and with which exit code it ends."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from outcomes_analysis import cli, pipeline, places, provenance
from outcomes_analysis.errors import OutcomesWarning, ProjectError
from outcomes_analysis.evidence import notebooks
from outcomes_analysis.project import Project, project

USERS, OURS = 2, 1
FILES = {"a.parquet": b"new a", "b.parquet": b"new b", "c.parquet": b"new c"}


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


Ask = Callable[..., Answer]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    """Run ``outcomes`` with these arguments, in this process."""

    def run(*words: str) -> Answer:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["outcomes", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    with warnings.catch_warnings():  # main changes how warnings are shown
        yield run


@pytest.fixture(scope="module", autouse=True)
def profiles_once() -> Iterator[None]:
    """A place asked for again in the same way is the same profile: each takes a second, and is tested elsewhere."""
    made: dict[tuple[Any, ...], places.AreaProfile] = {}
    profile = places.area_profile

    def kept(code: str, **asked: Any) -> places.AreaProfile:
        if asked["framework"] is not None:  # with local figures beside
            return profile(code, **asked)
        key = (code, asked["period"], asked["neighbours"], asked["statistic"])
        return made[key] if key in made else made.setdefault(key, profile(code, **asked))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "area_profile", kept)
        yield


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results go to a temporary folder that holds an old release: that release's folder."""
    target = Project(home=project().home, output=tmp_path / "out")
    monkeypatch.setattr(pipeline, "project", lambda: target)
    release = target.output / "data" / "release"
    release.mkdir(parents=True)
    for name in ("a.parquet", "old.csv"):
        (release / name).write_bytes(b"old " + name.encode())
    return release


def held(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def plain(answer: Answer) -> None:
    """One message to a person: no trace of code, no line of more than they can read."""
    assert "Traceback" not in answer.err + answer.out
    assert ".py" not in answer.err
    assert answer.err.count("\n") <= 12


# ------------------------------------------------------------------------------------------------ arguments


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bogus"], "No such command 'bogus'. See: outcomes --help"),
        (["area"], "Missing argument 'name'. See: outcomes area --help"),
        (["notebook", "9", "--place", "West Essex"], "West Essex is made of districts: see outcomes area West Essex"),
        (["notebook", "9", "--place", "City of London"], "City of London has too few children for scores."),
        (["coverage", "--period", "1990"], "nothing was measured by 1990. Figures run from 2013 to 2025."),
        (["run", "--bogus"], "No such option: --bogus"),
        (["run", "--period", "x"], "'x' is not a year, such as 2024. See: outcomes run --help"),
        (["area", "Hackney", "--period", "20245"], "'20245' is not a year"),
        (
            ["area", "Hackney", "--neighbours", "cipfa"],
            "No set of neighbours 'cipfa'. There are: dfe_2021, dfe_2025, region",
        ),
        (["area", "Hackney", "--neighbours", "Kent,Essex"], "2 places are named as neighbours; name at least 3"),
        (["area", "Hackney", "--period", "1990"], "Figures run from 2013 to 2025"),
    ],
)
def test_wrong_arguments(words: list[str], said: str, ask: Ask) -> None:
    answer = ask(*words)
    assert answer.code == USERS
    assert answer.err.startswith("outcomes: ")
    assert said in answer.err
    assert answer.out == ""
    plain(answer)


def test_alone_it_shows_what_it_can_do(ask: Ask) -> None:
    answer = ask()
    assert answer.code == USERS
    for name in ("run", "status", "refresh", "verify", "area", "coverage", "find", "lab"):
        assert f" {name} " in answer.out
    assert answer.err == ""  # not a message with nothing in it
    assert ask("--help").code == 0
    for command in ([], ["run"], ["area"], ["notebook"], ["pack"], ["predict"]):
        assert re.findall(r"<\w+>", ask(*command, "--help").out) == [], "no types of a programming language"


# ------------------------------------------------------------------------------------------------ one place


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Hackny", "Did you mean Hackney (E09000012)?"),
        ("E09000099", "No area in England is known as 'E09000099'"),
        ("E08000038 ", ""),
        ("Northamptonshire", "replaced by North Northamptonshire (E06000061) and West Northamptonshire (E06000062)"),
        ("Cumbria", "on 1 April 2023"),
        ("London", "London is a region"),
        ("England", "England is a country"),
        ("", "No area"),
        ("nowhere", "No area in England is known as 'nowhere'. Give the name"),
        ("S12000033", "is a code of Scotland"),
    ],
)
def test_a_place_that_cannot_be_shown(name: str, said: str, ask: Ask) -> None:
    answer = ask("area", name)
    if not said:  # the newer code of Barnsley, with a blank after it: the place is shown
        assert (answer.code, answer.out.split("\n")[0]) == (
            0,
            "Barnsley (E08000016), Yorkshire and The Humber: figures measured by 2025",
        )
        return
    assert answer.code == USERS
    assert said in answer.err
    plain(answer)


def test_a_slip_of_the_pen_is_said_before_anything_is_computed(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "default_uncertainty", lambda _: pytest.fail("it was computed first"))
    assert "Did you mean Hackney" in ask("area", "Hackny").err


@pytest.mark.parametrize("name", ["E09000012", "hackney london borough"])
def test_any_spelling_of_a_place(name: str, ask: Ask) -> None:
    answer = ask("area", name)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Hackney (E09000012), London: figures measured by 2025")


def test_a_name_of_several_words_needs_no_quotes(ask: Ask) -> None:
    answer = ask("area", "city", "of", "london")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("City of London (E09000001)")


def test_a_place_made_of_districts(ask: Ask) -> None:
    answer = ask("area", "west", "essex")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("West Essex: Epping Forest, Harlow and Uttlesford\n")
    assert "No figure is made for West Essex as a whole" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100
    own = ask("area", "The Pair", "--districts", "Harlow, Uttlesford", "--children", "20, 19")
    assert "Harlow 51% and Uttlesford 49%" in own.out.replace("\n", " ")
    assert "Give one positive number" in ask("area", "P", "--districts", "Harlow,Uttlesford", "--children", "5").err
    assert "takes numbers" in ask("area", "P", "--districts", "Harlow,Uttlesford", "--children", "five").err


def test_the_authorities_are_listed(ask: Ask) -> None:
    answer = ask("area", "--list")
    assert answer.code == 0
    assert len(re.findall(r"\(E\d{8}\)", answer.out)) == 153
    assert answer.out.index("South West") < answer.out.index("Isles of Scilly (E06000053)")


def test_what_is_said_of_a_place(ask: Ask) -> None:
    answer = ask("area", "kingston upon hull")
    assert answer.code == 0
    assert answer.out.startswith("Kingston upon Hull, City of (E06000010)")
    assert max(map(len, answer.out.splitlines())) <= 100
    for part in ("DOMAINS", "SAFE", "HEALTHY", "HAPPY", "LEARNING", "ENGAGED", "CONTEXT"):
        assert f"\n{part}" in answer.out
    assert "not official statistics" in answer.out
    assert "90%" in answer.out
    assert "nan" not in answer.out.lower().split()
    happy = answer.out[answer.out.index("\nHappy (experimental): parts first, never ranked") :].split("\nLearning")[0]
    assert re.findall(r"\d(?:st|nd|rd|th)\b", happy) == []
    assert answer.out.index("good mental health") < answer.out.index("all parts together")


def test_a_place_as_the_spreadsheet_people_share(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "hackney.csv"
    assert "101 rows, one an indicator" in ask("area", "Hackney", "--sheet", str(path)).out
    back = ask("area", "--read-sheet", str(path))
    assert (back.code, back.out.split(":")[0]) == (0, "hackney.csv holds 101 rows for Hackney")
    path.write_text(path.read_text().replace("E09000012", "E09000013", 1))
    wrong = ask("area", "--read-sheet", str(path))
    assert wrong.code == 2
    assert "1 row with a place and an area code that do not belong together (row 2)" in wrong.err
    assert ask("area", "Hackney", "--sheet", str(tmp_path / "hackney.docx")).code == 2


def test_local_figures_stand_beside_the_core(ask: Ask, tmp_path: Path) -> None:
    overlay = str(project().path("data", "local", "example_place.yml"))
    answer = ask("area", "Bedford", "--local", overlay)
    assert answer.code == 0
    assert " of 103 indicators have a figure for Bedford" in answer.out
    assert "Local figures, from example_place.yml: Pupils who feel that they belong (example)" in answer.out
    sheet = tmp_path / "bedford.csv"
    assert "103 rows, one an indicator" in ask("area", "Bedford", "--local", overlay, "--sheet", str(sheet)).out
    assert ask("area", "--read-sheet", str(sheet), "--local", overlay).code == 0
    assert ask("area", "West Essex", "--local", overlay).code == 2


@pytest.mark.slow
def test_the_page_of_a_place(ask: Ask, tmp_path: Path) -> None:
    overlay = str(project().path("data", "local", "example_place.yml"))
    page = tmp_path / "bedford.html"
    answer = ask("area", "Bedford", "--local", overlay, "--page", str(page))
    assert answer.code == 0
    assert "keep the page" in " ".join(answer.out.split())
    html = page.read_text(encoding="utf-8")
    assert "Pupils who feel that they belong" in html
    assert html.count("<svg") > 10
    assert ask("area", "West Essex", "--page", str(page)).code == 0
    assert "outcomes in West Essex" in page.read_text(encoding="utf-8")


def test_a_page_is_html(ask: Ask, tmp_path: Path) -> None:
    answer = ask("area", "Bedford", "--page", str(tmp_path / "bedford.pdf"))
    assert (answer.code, list(tmp_path.iterdir())) == (2, [])
    assert "--page writes a .html" in answer.err


def test_a_notebook_of_local_figures(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(notebooks, "write_notebook", lambda number, **given: [asked.update(given), tmp_path][1])
    overlay = project().path("data", "local", "example_place.yml")
    assert ask("notebook", "11", "--local", str(overlay)).code == 0
    assert asked["values"] == {
        "overlay": "example_place.yml", "indicator": "example_place_belong_pct", "as_at": "2025-08-31",
    }  # fmt: skip
    assert asked["out"].name.endswith("-example_place.html")


def test_whom_a_place_is_compared_with(ask: Ask) -> None:
    answer = ask("area", "Hackney", "--neighbours", "Islington, Newham, Tower Hamlets", "--mean")
    assert answer.code == 0
    assert "Against the mean of the 3 places named for it" in answer.out.replace("\n", " ")
    assert "Equity twin: how far groups of children in Hackney are" in answer.out.replace("\n", " ")


def test_the_smallest_place_is_shown_and_not_ranked(ask: Ask) -> None:
    answer = ask("area", "City of London")
    assert answer.code == 0
    domains = answer.out[answer.out.index("\nDOMAINS") :].split("\n\n")[0].splitlines()[2:]
    assert sum(d.startswith(("Safe", "Healthy", "Happy", "Learning", "Engaged")) for d in domains) == 5
    assert not re.search(r"\d(?:st|nd|rd|th)\b|clearly", "".join(domains))
    assert "No change over time is told here: too few children" in answer.out


def test_a_place_for_other_programs(ask: Ask) -> None:
    answer = ask("area", "204", "--json")
    table = json.loads(answer.out)
    assert answer.err == ""
    [attainment] = [r for r in table if r["indicator_id"] == "attainment8"]
    assert attainment["value"] == pytest.approx(50.5)  # as published for 2024/25
    assert {"lower", "upper", "level", "status", "period", "source_id"} <= set(attainment)
    missing = [r for r in table if r["value"] is None]
    assert all(r["symbol"] for r in missing)


def test_what_is_measured(ask: Ask) -> None:
    answer = ask("coverage", "--by", "layer")
    assert (answer.code, answer.err) == (0, "")
    assert "indicators have a usable figure for at least nine in ten of the 153" in answer.out.replace("\n", " ")
    assert "\nparents and carers " in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100
    essex = ask("coverage", "Essex")
    assert "obesity in Reception" in essex.out
    assert {"status", "months_late"} <= set(json.loads(ask("coverage", "--json").out)[0])
    wrong = ask("coverage", "--by", "colour")
    assert (wrong.code, wrong.err) == (
        USERS,
        "outcomes: --by is domain, outcome, layer, age_stage or area, not 'colour'.\n",
    )
    assert ask("coverage", "nowhere").code == USERS


def test_a_target(ask: Ask) -> None:
    wrong = ask("trajectory", "gld_pct", "--target", "175", "--year", "2028")
    assert (wrong.code, wrong.out) == (USERS, "")
    assert "The target 175 is outside the range of 'gld_pct', 0 to 100." in wrong.err
    assert ask("trajectory", "gld_pct", "--target", "75", "--year", "2028", "--place", "nowhere").code == USERS
    assert "--target" in ask("trajectory", "gld_pct").err


def test_local_targets_from_a_file(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "targets.csv"
    path.write_text("area,target\nEssex,75%\n")
    wrong = ask("trajectory", "gld_pct", "--target", "75", "--year", "2028", "--own", str(path))
    assert (wrong.code, wrong.out) == (USERS, "")
    assert "targets.csv cannot be used yet: 1 kind of fault." in wrong.err
    plain(wrong)
    path.write_text("area,target\nEssex,77.5\n")
    words = ["trajectory", "gld_pct", "--target", "75", "--year", "2028", "--own", str(path), "--place", "Essex"]
    answer = ask(*words)
    assert answer.code == 0
    told = answer.out.replace("\n", " ")
    assert "The chance of reaching the local target given, 77.5%:" in told
    assert "1 local target is given, for " in told


@pytest.mark.slow
def test_a_target_in_words(ask: Ask) -> None:
    answer = ask("trajectory", "gld_pct", "--target", "75", "--year", "2028", "--place", "Essex")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Essex, good level of development at age 5: ")
    assert "not the DfE-agreed target" in answer.out.replace("\n", " ")
    assert max(map(len, answer.out.splitlines())) <= 100


def test_priorities_that_cannot_be_read(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("way,person,item,points\nbudget,Jane Smith,attending,5\n")
    wrong = ask("priorities", str(path))
    assert (wrong.code, wrong.out) == (USERS, "")
    assert "a person's code that is none" in wrong.err
    assert "Jane" not in wrong.err
    plain(wrong)
    assert ask("priorities", str(path), "--place", "nowhere").code == USERS


@pytest.mark.slow
def test_priorities_in_words(ask: Ask, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    answer = ask("priorities", "data/local/example_priorities.csv", "--place", "Essex", "--out", str(page), "-q")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Points shared out (12 people)")
    assert "- Essex: " in answer.out
    assert max(map(len, answer.out.splitlines())) <= 100
    assert "How far places move" in page.read_text()


# ------------------------------------------------------------------------------------------------ searching


def test_finding(ask: Ask) -> None:
    answer = ask("find", "persistent", "absence")
    assert answer.code == 0
    assert answer.out.splitlines()[0].startswith("persistent_absence  Persistent absence (engaged; %")
    wide = ask("find", "mental", "health")
    assert max(map(len, wide.out.splitlines())) <= 100
    assert "contested" in wide.out.split("child_mh_factor_rate")[0]  # wherever admissions for mental health appear
    assert [r["indicator_id"] for r in json.loads(ask("find", "a8", "--json").out)] == ["attainment8"]


def test_finding_nothing(ask: Ask) -> None:
    answer = ask("find", "zeppelin")
    assert answer.code == USERS
    assert "No indicator speaks of 'zeppelin'" in answer.err
    assert "safe, healthy, happy, learning, engaged" in answer.err
    assert answer.out == ""
    plain(answer)


# ------------------------------------------------------------------------------------------------ status and run


@pytest.fixture
def one_stage(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(target: Project, _: int) -> list[Path]:
        return [provenance.write_atomic(target.result("figures", "report.html"), "<p>")]

    monkeypatch.setattr(pipeline, "STAGES", (pipeline.Stage("report", "writing the report", (), work),))


def test_status(one_stage: None, ask: Ask) -> None:
    before = ask("status")
    assert before.code == 0
    assert re.match(r"Data as at \d+ [A-Z][a-z]+ 20\d\d\n", before.out)
    assert "report       stale: not made yet" in before.out
    ask("run", "--quiet")
    assert "report       fresh" in ask("status").out
    assert json.loads(ask("status", "--json").out) == [{"stage": "report", "fresh": True, "reason": "fresh"}]


def test_run_says_what_it_does_and_where_the_report_is(one_stage: None, elsewhere: Path, ask: Ask) -> None:
    report = elsewhere.parents[1] / "figures" / "report.html"
    first = ask("run")
    assert first.code == 0
    assert "writing the report" in first.err
    assert first.out.strip().endswith(f"Open the report: {report}")
    again = ask("run")
    assert (again.out, again.err) == (first.out, "")
    quiet = ask("run", "--force", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    listed = ask("run", "--force", "--json")
    assert json.loads(listed.out) == {"files": [str(report)]}
    assert listed.err == ""


def test_a_full_disk_in_a_run_is_said(
    one_stage: None, elsewhere: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = held(elsewhere.parents[1])
    monkeypatch.setattr(provenance.tempfile, "mkstemp", full)
    answer = ask("run", "--quiet")
    assert answer.code == USERS
    assert "report.html: the disk is full. Nothing was changed" in answer.err
    assert held(elsewhere.parents[1]) == before
    plain(answer)


def test_a_fault_of_ours_is_owned(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        message = "the index is not square"
        raise ValueError(message)

    monkeypatch.setattr(pipeline, "run", broken)
    answer = ask("run")
    assert answer.code == OURS
    assert "something went wrong inside the program (ValueError: the index is not square)" in answer.err
    assert "please report it" in answer.err
    plain(answer)


def test_stopped_by_hand(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", stopped)
    answer = ask("run")
    assert answer.code == 130
    assert answer.err.strip().endswith("outcomes: stopped. Nothing half-written is left behind.")


def test_a_note_shows_no_place_in_the_code(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def noting(**_: Any) -> list[Path]:
        warnings.warn("3 rows were left out.", OutcomesWarning, stacklevel=1)
        return [Path("report.html")]

    monkeypatch.setattr(pipeline, "run", noting)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        answer = ask("run", "--quiet")
    assert answer.err == "Note: 3 rows were left out.\n"


@pytest.mark.parametrize(("asked", "full"), [(["run", "--full"], True), (["run"], False)])
def test_a_full_run_is_asked_for(ask: Ask, monkeypatch: pytest.MonkeyPatch, asked: list[str], full: bool) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(pipeline, "run", lambda **given: [seen.append(given), Path("report.html")][1:])
    assert ask(*asked, "--quiet").code == 0
    assert [given["full"] for given in seen] == [full]


def test_the_code_of_the_notebooks_is_passed_on(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "call", lambda command: 3)
    assert ask("lab").code == 3


# ------------------------------------------------------------------------------------------------ refresh and verify


@pytest.fixture
def rebuilding(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refresh has these files ready at once."""
    monkeypatch.setattr(pipeline, "rebuild", lambda **_: pipeline.Rebuilt(FILES, pd.DataFrame()))


def test_refresh_writes_all_and_removes_what_is_no_more(rebuilding: None, elsewhere: Path, ask: Ask) -> None:
    answer = ask("refresh", "--mirror", "somewhere")
    assert (answer.code, answer.out) == (0, f"The release is rebuilt: 3 files, 0.0 MB, in {elsewhere}\n")
    assert held(elsewhere) == FILES
    quiet = ask("refresh", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_refresh_on_a_full_disk_leaves_the_last_good_release(
    rebuilding: None, elsewhere: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes
    written = []

    def full(self: Path, data: bytes) -> int:
        written.append(self.name)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    before = held(elsewhere.parents[1])
    monkeypatch.setattr(Path, "write_bytes", full)
    answer = ask("refresh")
    assert answer.code == USERS
    assert f"Could not write {elsewhere}: the disk is full. Nothing was changed" in answer.err
    assert len(written) == 3
    assert held(elsewhere.parents[1]) == before
    plain(answer)


@pytest.mark.platform
def test_refresh_where_the_system_itself_refuses_to_write(rebuilding: None, elsewhere: Path) -> None:
    """No stand-in: the system lets no file grow beyond three bytes."""
    resource = pytest.importorskip("resource", reason="limits of this kind are those of Unix")
    before = held(elsewhere.parents[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3, hard))
        with pytest.raises(ProjectError, match="File too large"):
            pipeline.refresh()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert held(elsewhere.parents[1]) == before


@pytest.fixture
def own_mirror(mirror: Path, tmp_path: Path) -> Path:
    """The publishers' files where a test may spoil them: the same files under other names, or copies."""
    return Path(shutil.copytree(mirror, tmp_path / "mirror", copy_function=_linked))


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def _spoil(path: Path, content: bytes) -> None:
    path.unlink()  # never write through a link into the shared folder
    path.write_bytes(content)


def test_refresh_from_nowhere(elsewhere: Path, tmp_path: Path, ask: Ask) -> None:
    before = held(elsewhere)
    none = ask("refresh", "--mirror", str(tmp_path / "none"))
    assert none.code == USERS
    assert "There is no folder" in none.err
    (tmp_path / "empty").mkdir()
    empty = ask("refresh", "--mirror", str(tmp_path / "empty"))
    assert empty.code == USERS
    assert "files are missing" in empty.err
    assert "Is this the folder that holds them?" in empty.err
    plain(empty)  # not a wall of forty lines
    assert held(elsewhere) == before


def test_refresh_from_spoilt_files_names_each(elsewhere: Path, own_mirror: Path, ask: Ask) -> None:
    before = held(elsewhere.parents[1])
    cut = own_mirror / "dfe_lait" / "bds_long_0.parquet"
    _spoil(cut, cut.read_bytes()[:100_000])
    page = own_mirror / "dfe_ees" / "ks2_la.csv"
    _spoil(page, b"<!DOCTYPE html><html><body>Sign in to continue</body></html>")
    wrong = own_mirror / "dfe_ees" / "ks4_la.csv"
    content = wrong.read_bytes()
    _spoil(wrong, content[:-3] + b"9\r\n" if content.endswith(b"\r\n") else content[:-2] + b"9\n")
    (own_mirror / "ons_els" / "early-years.csv").unlink()
    answer = ask("refresh", "--mirror", str(own_mirror))
    assert answer.code == USERS
    assert "4 problems" in answer.err
    assert "dfe_lait/bds_long_0.parquet has 100,000 bytes where 1,795,878 are registered" in answer.err
    assert "dfe_ees/ks2_la.csv is a web page, not data; it begins: " in answer.err
    assert "dfe_ees/ks4_la.csv has sha256" in answer.err
    assert "ons_els/early-years.csv is missing" in answer.err
    assert answer.err.count("https://") == 4  # where to get each
    assert held(elsewhere.parents[1]) == before
    plain(answer)


def test_verify_says_what_differs_and_fails(
    rebuilding: None, elsewhere: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from outcomes_analysis.sources import release

    monkeypatch.setattr(release, "release_folder", lambda: elsewhere)
    monkeypatch.setattr(release, "_table_difference", lambda new, old: "value in 1 row")
    monkeypatch.setattr(release.pd, "read_parquet", lambda _: None)
    answer = ask("verify")
    assert answer.code == USERS
    assert "in 4 ways: b.parquet is missing here, c.parquet is missing here, old.csv should not be here" in answer.err
    assert "a.parquet: value in 1 row" in answer.err
    assert "outcomes refresh" in answer.err
    plain(answer)


def test_downloads_are_told_and_a_mirror_is_not(elsewhere: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def rebuild(*, mirror: Path | None, progress: Any, downloaded: Any) -> pipeline.Rebuilt:
        progress("fetching the published files")
        assert (downloaded is None) == (mirror is not None)
        if downloaded:
            downloaded("lait", 400_000, 1_795_878)
            downloaded("lait", 1_795_878, 1_795_878)
        return pipeline.Rebuilt(FILES, pd.DataFrame())

    monkeypatch.setattr(pipeline, "rebuild", rebuild)
    assert ask("refresh").err.count("lait (1.8 MB)") == 1  # without a terminal: one line once it is there
    mirrored = ask("refresh", "--mirror", "x")
    assert mirrored.code == 0
    assert "lait" not in mirrored.err


# ------------------------------------------------------------------------------------------------ as a process


def test_a_reader_who_has_seen_enough_and_an_old_console() -> None:
    """`outcomes area Hackney | head -1` ends without a word; a console that knows no ½ or true minus sign is served."""
    command = [sys.executable, "-c", "from outcomes_analysis.cli import main; main()", "find", "review"]
    old = {**os.environ, "PYTHONIOENCODING": "iso8859-5", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=old, check=False, timeout=60)
    assert done.returncode == 0
    assert b"asq3_coverage" in done.stdout
    reading, writing = os.pipe()
    os.close(reading)
    try:
        closed = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60)
    finally:
        os.close(writing)
    assert closed.stderr == b""
