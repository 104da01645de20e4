"""Crosswalks: the project's own are sound, every fault of a changed one is named at once, coverage is counted by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import outcomes_analysis as oa
from outcomes_analysis.errors import FrameworkError
from outcomes_analysis.framework.crosswalk import RELATIONS, load_crosswalk
from outcomes_analysis.project import project

OURS = oa.load_crosswalk()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(project().path("data", "framework", "crosswalks"), tmp_path / "crosswalks"))


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Path]:
    """A folder with one framework of four items; ``links`` are the rows of its file."""

    def make(links: str, items: str = "") -> Path:
        (tmp_path / "frameworks.csv").write_text(
            "framework,label,edition,source_url,note\na,Framework A,2026,https://example.org,\n", encoding="utf-8"
        )
        (tmp_path / "items.csv").write_text(
            "framework,item,parent,kind,label,wording\n"
            "a,1,,outcome,One,verbatim\na,1.1,1,metric,First of one,verbatim\n"
            "a,2,,outcome,Two,verbatim\na,3,,outcome,Three,to check\n" + items,
            encoding="utf-8",
        )
        (tmp_path / "a.csv").write_text("indicator_id,item,relation,note,source\n" + links, encoding="utf-8")
        return tmp_path

    return make


def test_six_frameworks_each_with_a_source_and_known_relations() -> None:
    assert list(OURS.frameworks.index) == [
        "lof",
        "supporting_families",
        "csc_national_framework",
        "phof",
        "every_child_matters",
        "shanarri",
    ]
    assert set(OURS.links["relation"]) <= set(RELATIONS)
    assert OURS.links["source"].ne("").all()
    assert OURS.links.groupby("framework").size().min() >= 20
    # What was not seen in a document of the publisher says so.
    assert (OURS.items["wording"] == "to check").sum() > 10


def test_structure_is_that_of_the_frameworks() -> None:
    outcomes = OURS.items[OURS.items["kind"] == "outcome"].groupby("framework").size()
    assert outcomes["lof"] == 5  # outcomes 3, 5, 6, 7 and 16 of 16
    assert outcomes["supporting_families"] == 10
    assert outcomes["csc_national_framework"] == 5  # four outcomes and the enablers
    assert outcomes["every_child_matters"] == 5
    assert outcomes["shanarri"] == 8


def test_what_frameworks_share_is_the_same_measure_in_each() -> None:
    def same(item: tuple[str, str]) -> set[str]:
        rows = OURS.of_item(*item)
        return set(rows.loc[rows["relation"] == "same", "indicator_id"])

    assert same(("lof", "6.4")) == same(("phof", "B05")) == {"neet_nk_16_17"}
    assert same(("lof", "5.1")) == same(("phof", "B02a")) == {"gld_pct"}
    assert same(("csc_national_framework", "injuries")) == same(("phof", "C11a")) == {"inj_0_14"}
    assert same(("lof", "16.1")) == same(("phof", "B01b")) == {"child_poverty_bhc"}


def test_one_figure_is_never_the_whole_of_an_outcome() -> None:
    links = OURS.links.merge(OURS.items[["framework", "item", "kind"]], on=["framework", "item"])
    relations = links.loc[links["kind"] == "outcome", "relation"]
    assert len(relations) > 100
    assert set(relations) == {"narrower", "proxy"}


def test_coverage_by_hand(small: Callable[..., Path]) -> None:
    folder = small("gld_pct,1.1,same,,s\nfsm_pct,2,proxy,,s\nks2_rwm,2,proxy,,s\n")
    walk = load_crosswalk(folder)
    row = walk.coverage().loc["a"]
    # 1.1 same; 1 in part by its metric; 2 by a proxy; 3 by none.
    assert row[["items", "same", "derived", "part", "proxy", "none"]].tolist() == [4, 1, 0, 1, 1, 1]
    assert row["missing"] == "Three"
    assert walk.of_indicator("gld_pct")["item_label"].tolist() == ["First of one"]
    assert walk.of_indicator("em_94").empty


def test_the_closest_relation_comes_first(small: Callable[..., Path]) -> None:
    walk = load_crosswalk(small("fsm_pct,2,proxy,,s\nks2_rwm,2,narrower,,s\ngld_pct,2,same,,s\nem_94,2,broader,,s\n"))
    assert walk.of_item("a", "2")["relation"].tolist() == ["same", "narrower", "broader", "proxy"]
    assert walk.coverage().loc["a", "same"] == 1


def test_coverage_of_ours_is_what_the_readme_says() -> None:
    coverage = OURS.coverage()
    assert (coverage[["same", "derived", "part", "proxy", "none"]].sum(axis=1) == coverage["items"]).all()
    assert "temporary accommodation" in coverage.loc["lof", "missing"]
    assert coverage.loc["shanarri", "missing"] == "Respected"
    readme = project().path("data", "README.md").read_text(encoding="utf-8")
    for name, row in coverage.iterrows():
        told = f"| `{name}` | {row['items']} | {row['same']} | {row['derived']} | {row['part']} | {row['proxy']} | {row['none']} |"
        assert told in readme, told


FAULTS = {
    "unknown indicator": ("gld_pc,2,same,,s\n", "", "a.csv, row 2: no indicator 'gld_pc'; did you mean 'gld_pct'?"),
    "unknown item": ("gld_pct,9,same,,s\n", "", "a.csv, row 2: 'a' has no item '9'"),
    "unknown relation": ("gld_pct,2,equal,,s\n", "", "relation 'equal' is none of same, derived, narrower"),
    "twice": ("gld_pct,2,same,,s\ngld_pct,2,proxy,,s\n", "", "row 3: 'gld_pct' and '2' stand twice"),
    "no source": ("gld_pct,2,same,,\n", "", "a.csv, row 2: source left empty"),
    "too few cells": ("gld_pct,2,same\n", "", "a.csv, row 2: 3 cells where 5 are expected"),
    "parent": ("", "a,4,7,metric,Four,verbatim\n", "items.csv, row 6: its parent '7' is no item"),
    "kind": ("", "a,4,,goal,Four,verbatim\n", "items.csv, row 6: kind 'goal'"),
    "framework": ("", "b,4,,outcome,Four,verbatim\n", "items.csv, row 6: framework 'b' is not in frameworks.csv"),
    "item twice": ("", "a,1,,outcome,One,verbatim\n", "items.csv, row 6: item '1' of 'a' stands twice"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_each_fault_is_named(case: str, small: Callable[..., Path]) -> None:
    links, items, said = FAULTS[case]
    with pytest.raises(FrameworkError) as caught:
        load_crosswalk(small(links, items))
    assert said in str(caught.value)


def test_all_faults_at_once(copy: Path) -> None:
    (copy / "shanarri.csv").unlink()
    (copy / "phof.csv").write_bytes(b"indicator_id,item\n")
    (copy / "lof.csv").write_text((copy / "lof.csv").read_text("utf-8").replace("same", "equal"), encoding="utf-8")
    (copy / "notes.csv").write_text("x", encoding="utf-8")
    with pytest.raises(FrameworkError) as caught:
        load_crosswalk(copy)
    said = str(caught.value)
    for part in ("shanarri.csv: there is no such file", "phof.csv, row 1: the headings", "'equal'", "notes.csv: no"):
        assert part in said
    assert said.startswith("crosswalks in crosswalks: 11 problems")  # eight links of lof were the same


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FrameworkError, match=r"frameworks\.csv: there is no such file"):
        load_crosswalk(tmp_path / "nowhere")
