"""A pack of a place: whole or not at all, the same each time, proved by making it again."""

from __future__ import annotations

import json
import zipfile
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from outcomes_analysis import cli
from outcomes_analysis.errors import AreaError, ProjectError, SourceError
from outcomes_analysis.evidence.packing import zip_bytes
from outcomes_analysis.evidence.proving import MANIFEST, read_pack
from outcomes_analysis.pipeline import packs
from outcomes_analysis.pipeline.one_place import own_target
from outcomes_analysis.places import read_shared


def test_folder_with_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ProjectError, match="is not a pack; nothing was written"):
        packs.make_pack("Essex", tmp_path / "mine")
    (tmp_path / "other.zip").write_bytes(b"holiday pictures")
    with pytest.raises(ProjectError, match=r"other\.zip is there and is not a pack"):
        packs.make_pack("Essex", tmp_path / "other")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["letter.txt", "mine", "other.zip"]


def test_local_names_without_a_file_are_refused_before_anything_is_computed():
    with pytest.raises(ProjectError, match="--local"):
        packs.make_pack("Essex", include=["x"])


def test_numbers_of_children_are_for_places_of_districts_alone():
    with pytest.raises(AreaError, match="Numbers of children are for places made of districts, and Essex is none"):
        packs.make_pack("Essex", children=[1, 2])


@pytest.fixture
def light(monkeypatch):
    """A place whose files cost nothing."""

    class Profile:
        name, area_code, period = "King's Lynn & West", "E1", 2025

    files = {"a.txt": b"a", MANIFEST: json.dumps({"kind": "outcomes pack"}).encode()}
    monkeypatch.setattr(packs, "place_profile", lambda *_, **__: Profile())
    monkeypatch.setattr(packs, "_files", lambda *_, **__: (files, ()))
    return files


def test_folder_and_zip_hold_the_same_and_an_earlier_pack_is_replaced(light, tmp_path):
    for _ in range(2):
        made = packs.make_pack("x", tmp_path / "p")
        assert read_pack(made.folder) == read_pack(made.archive) == light
    light["b.txt"] = b"b"
    assert packs.make_pack("x", tmp_path / "p").files == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p", "p.zip"]


def test_failure_on_the_way_leaves_the_earlier_pack_whole(light, tmp_path, monkeypatch):
    packs.make_pack("x", tmp_path / "p")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(packs, "_files", fail)
    with pytest.raises(KeyboardInterrupt):
        packs.make_pack("x", tmp_path / "p")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_every_place_gets_a_folder_and_a_zip_of_its_own(light, tmp_path, monkeypatch):
    asked = []

    def one(name, folder, **given):
        asked.append((name, folder, given["workbook"]))
        return packs.MadePack(folder, folder.with_suffix(".zip"), 2, "x")

    monkeypatch.setattr(packs, "make_pack", one)
    made = packs.make_packs(["Essex", "hackney"], folder=tmp_path, workbook=False, workers=1)
    assert asked == [("E10000012", tmp_path / "essex", False), ("E09000012", tmp_path / "hackney", False)]
    assert [m.folder.name for m in made] == ["essex", "hackney"]
    assert len({m.folder for m in packs.make_packs(folder=tmp_path, workers=1)}) == 153
    with pytest.raises(AreaError):
        packs.make_packs(["Essex", "Narnia"], folder=tmp_path, workers=1)


@pytest.mark.slow
def test_packs_made_two_at_a_time_are_those_made_alone(tmp_path):
    names = ["Isles of Scilly", "City of London"]
    made = packs.make_packs(names, folder=tmp_path / "many", workbook=False)
    for name, pack in zip(names, made, strict=True):
        alone = packs.make_pack(name, tmp_path / "one" / pack.folder.name, workbook=False)
        assert alone.archive.read_bytes() == pack.archive.read_bytes()


def test_command_says_what_is_missing_or_wrong(tmp_path):
    run = CliRunner()
    for words in (["pack"], ["pack", "Essex", "--check", "x.zip"], ["pack", "Essex", "--xlsx", "--include", "a"],
                  ["pack", "Essex", "--xlsx", "--own", "x.csv"], ["pack", "--all", "--own", "x.csv"],
                  ["pack", "x.zip", "--check", "x.zip", "--own", "x.csv"], ["pack", "Essex", "--all"], ["pack", "--all", "--xlsx"], ["pack", "--all", "--local", "x.yml"],
                  ["pack", "West Essex", "--children", "many"]):  # fmt: skip
        assert run.invoke(cli.app, words).exit_code == 2
    answer = run.invoke(cli.app, ["pack", "--check", str(tmp_path / "none.zip"), "-q"])
    assert isinstance(answer.exception, ProjectError)
    assert "There is no file" in str(answer.exception)


OWN = "area,target\nEssex,76.5\nKent,71.2345\n"


@pytest.mark.parametrize(("code", "name"), [("E08000035", "Leeds"), ("E07000072", "Epping Forest")])
def test_own_target_is_that_of_the_place_and_no_other(tmp_path, code, name):
    file = tmp_path / "own.csv"
    file.write_text(OWN)
    assert own_target(file, SimpleNamespace(area_code="E10000012", name="Essex")) == 76.5
    with pytest.raises(
        SourceError, match=rf"own\.csv has no target for {name}; 2 targets of others stay at home"
    ) as told:
        own_target(file, SimpleNamespace(area_code=code, name=name))
    assert "71" not in str(told.value)


@pytest.fixture(scope="module")
def essex(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    (folder / "own.csv").write_text(OWN)
    return packs.make_pack("Essex", folder / "essex", own=folder / "own.csv")


@pytest.mark.slow
def test_pack_of_essex_is_whole_and_comes_out_the_same_again(essex):
    files = read_pack(essex.archive)
    assert zip_bytes(files) == essex.archive.read_bytes()
    assert set(files) >= {"profile.html", "workbook.xlsx", "methods.txt", "figure-domain-profile.svg",
                          "table-series.csv", "figure-early-years.svg", "table-early-years.csv"}  # fmt: skip
    html = files["profile.html"].decode()
    sections = {name: html.split(f'<h2 id="{name}">')[1].split("</section>")[0] for name in ("pathway", "trends",
                "indicators", "equity", "domains")}  # fmt: skip
    assert sections["pathway"].index("<svg") < sections["pathway"].index("Born from September")
    drawn = {name: section.count("<svg") for name, section in sections.items()}
    assert drawn == {"pathway": 1, "trends": 5, "indicators": 5, "equity": 1, "domains": 5}
    assert html.count("<svg") == sum(name.endswith(".svg") for name in files)  # each once
    # a card for each domain, with the figure of the page; they lead to the rules, and the page to them
    assert sum(name.startswith("card-place-") and name.endswith(".html") for name in files) == 5
    assert 'href="cards.html"' in html
    assert "Where does Essex stand on Happy (experimental" in files["cards.html"].decode()
    # its own target with the chance to reach it, and nobody else's
    assert "The chance of reaching the local target given, 76.5%" in html
    assert "76.5" in files["table-target-own-gld_pct.csv"].decode()
    assert not [name for name, content in files.items() if b"71.2345" in content]
    assert "byte for byte" in packs.prove_pack(essex.archive)
    (essex.folder.parent / "sheet.csv").write_bytes(files["shared-sheet.csv"])
    assert "rows for Essex" in read_shared(essex.folder.parent / "sheet.csv").text
    manifest = json.loads(files[MANIFEST])
    assert set(manifest["files"]) == set(files) - {MANIFEST}
    assert manifest["data"]["content"]
    assert manifest["versions"]["gptables"]
    assert not [n for n, c in files.items() if b"/work/" in c or b"/home/" in c]


@pytest.mark.slow
def test_pack_of_west_essex_is_whole_and_comes_out_the_same_again(tmp_path):
    """Numbers that have no exact shares: 29, 24 and 20 of 73."""
    made = packs.make_pack("west essex", tmp_path / "we", children=[29, 24, 20])
    files = read_pack(made.archive)
    names = {"profile.html", "workbook.xlsx", "figure-districts.svg", "table-indicators.csv", "table-county-only.csv"}
    assert names < set(files)
    manifest = json.loads(files[MANIFEST])
    assert manifest["district_codes"] == ["E07000072", "E07000073", "E07000077"]
    assert "byte for byte" in packs.prove_pack(made.archive)
    other = packs.make_pack(
        "Three", tmp_path / "t", districts=["Harlow", "Epping Forest", "Uttlesford"], workbook=False
    )
    assert "workbook.xlsx" not in read_pack(other.archive)
    assert "byte for byte" in packs.prove_pack(other.archive)


@pytest.mark.slow
def test_forged_manifest_does_not_pass_when_the_pack_is_made_again(essex, tmp_path):
    import hashlib

    files = dict(read_pack(essex.archive))
    files["methods.txt"] = files["methods.txt"].replace(b"Essex", b"Sussex")
    manifest = json.loads(files[MANIFEST])
    digest = hashlib.sha256(files["methods.txt"]).hexdigest()
    manifest["files"]["methods.txt"] = {"sha256": digest, "bytes": len(files["methods.txt"])}
    files[MANIFEST] = json.dumps(manifest).encode()
    path = tmp_path / "forged.zip"
    path.write_bytes(zip_bytes(files))
    with pytest.raises(ProjectError, match=r"comes out otherwise here.*methods\.txt"):
        packs.prove_pack(path)


@pytest.mark.slow
def test_place_too_small_to_judge_has_no_figures_that_judge(tmp_path):
    made = packs.make_pack("Isles of Scilly", tmp_path / "scilly")
    assert not [n for n in zipfile.ZipFile(made.archive).namelist() if n.startswith("figure-")]
