"""The search, the catalogue and local overlays."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from outcomes_analysis.errors import FrameworkError
from outcomes_analysis.framework import (
    catalogue,
    catalogue_csv,
    domain_summary,
    find,
    load_framework,
    overlay_values,
    with_overlay,
)
from outcomes_analysis.provenance import safe_cell

FRAMEWORK = load_framework()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("absence", "absence_overall"),
        ("persistent absence", "persistent_absence"),
        ("GLD", "gld_pct"),
        ("hospital admissions for mental health", "mh_admissions_0_17"),
        ("exclusions", "perm_excl_rate"),
        ("attainment8", "attainment8"),
        ("care leavers in work", "careleaver_eet"),
        ("KS2", "ks2_rwm"),
        ("children in poverty after housing", "child_poverty_ahc"),
    ],
)
def test_the_best_answer_comes_first(words: str, first: str):
    assert find(words).index[0] == first


def test_a_misspelt_word_is_understood_and_said():
    table = find("absense")
    assert list(table.index) == ["absence_overall", "persistent_absence", "severe_absence"]
    assert set(table["found"]) == {"absense (absence)"}


def test_a_domains_name_finds_what_lies_in_it():
    domains = {i.id for i in FRAMEWORK.indicators if "engaged" in i.domains}
    assert set(find("engaged").index) == domains


def test_short_words_do_not_match_by_their_beginning():
    assert "u18_conceptions" not in find("reading").index  # "ready" begins with "read"


@pytest.mark.parametrize(("words", "told"), [("", "Nothing to look for"), ("of the", "Nothing to look for")])
def test_no_words(words: str, told: str):
    with pytest.raises(FrameworkError, match=told):
        find(words)


def test_nothing_found_says_what_there_is():
    with pytest.raises(
        FrameworkError, match=r"No indicator speaks of 'zzzqqq'.*safe, healthy, happy, learning, engaged"
    ):
        find("zzzqqq")


def test_the_catalogue_has_a_row_for_each_indicator_and_no_hole():
    table = catalogue(FRAMEWORK)
    assert list(table.index) == [i.id for i in FRAMEWORK.indicators]
    assert not table.isna().any().any()
    assert (table[["name", "definition", "unit", "better", "cannot_tell", "uncertainty", "notice"]] != "").all().all()
    assert table.loc["y6_overweight", "counted_once_with"] == "reception_overweight; reception_obesity; y6_obesity"
    assert table.loc["cin_rate", ["better", "scored"]].tolist() == ["neither", "no"]


def test_the_catalogue_comes_back_from_csv():
    back = pd.read_csv(io.StringIO(catalogue_csv(FRAMEWORK)), dtype=str, keep_default_na=False, index_col=0)
    pd.testing.assert_frame_equal(back.astype("str"), catalogue(FRAMEWORK).map(safe_cell).astype("str"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_the_csv_is_a_formula(text: str):
    framework = FRAMEWORK.model_copy(
        update={"indicators": (FRAMEWORK.indicators[0].model_copy(update={"name": text}), *FRAMEWORK.indicators[1:])}
    )
    cells = pd.read_csv(io.StringIO(catalogue_csv(framework)), dtype=str, keep_default_na=False)
    assert cells.loc[0, "name"].startswith("'")
    assert not cells.map(lambda cell: cell.startswith(("=", "+", "-", "@", "\t", "\r"))).any().any()


def test_the_summary_counts_every_indicator_below_a_domain():
    table = domain_summary(FRAMEWORK)
    below = sum(1 for i in FRAMEWORK.indicators if i.tier == "core")
    assert table[["scored", "neutral", "enablers"]].to_numpy().sum() == below


OVERLAY = """id: harbour
label: Harbour partnership
nodes:
  - {id: belonging, label: Children belong, parent: engaged, statement: s}
indicators:
  - id: club_pct
    name: Children in a club
    definition: d
    unit: '%'
    direction: 1
    outcome: belonging
    form: proportion
    age_stage: 5-16
    domains: [engaged]
    geography_basis: residence
    base_period: 2024/25
    source: survey
    decimals: 1
    cannot_tell: c
    sampling: {model: wilson}
"""


def overlay(folder: Path, text: str) -> Path:
    path = folder / "harbour.yml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, old: str, new: str) -> str:
    assert old in OVERLAY
    with pytest.raises(FrameworkError) as caught:
        with_overlay(FRAMEWORK, overlay(folder, OVERLAY.replace(old, new)))
    return str(caught.value)


def test_an_overlay_adds_and_leaves_the_core_as_it_is(tmp_path: Path):
    both = with_overlay(FRAMEWORK, overlay(tmp_path, OVERLAY))
    assert both.nodes[: len(FRAMEWORK.nodes)] == FRAMEWORK.nodes
    assert both.indicators[:-1] == FRAMEWORK.indicators
    added = both.indicator("club_pct")
    assert (added.tier, added.scored) == ("local", False)
    assert both.domain_of("belonging") == "engaged"
    assert both.version == f"{FRAMEWORK.version}+harbour"
    assert "club_pct" not in [i.id for i in FRAMEWORK.indicators]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: club_pct", "id: gld_pct", "line 6, indicator 'gld_pct': would redefine an indicator of the core"),
        ("{id: belonging", "{id: attending", "line 4, node 'attending': would redefine a node of the core"),
        (", parent: engaged", "", "line 4, node 'belonging': would add a domain"),
        ("label: Children belong", "label: Children attend school", "bears the name of a node of the core"),
        ("name: Children in a club", "name: Persistent absence", "bears the name of an indicator of the core"),
        ("name: Children in a club", "name: 'Persistent\u00a0 absence.'", "bears the name of an indicator of the core"),
        ("label: Children belong", "label: Children \uff41ttend-school", "bears the name of a node of the core"),
        ("    source: survey", "    source: survey\n    tier: core", "has a tier other than local"),
        ("    source: survey", "    source: survey\n    doublet: absence", "and so would reweight them"),
        (
            "    source: survey",
            "    source: survey\n    weight: 2",
            "line 6, indicator 'club_pct': `weight` is no field",
        ),
        ("indicators:", "weights: {gld_pct: 2}\nindicators:", "`weights`: an overlay may only add"),
        ("outcome: belonging", "outcome: belongin", "line 6, indicator 'club_pct': unknown outcome 'belongin'"),
    ],
)
def test_an_overlay_cannot_touch_the_core(tmp_path: Path, old: str, new: str, told: str):
    assert told in refusal(tmp_path, old, new)


@pytest.mark.parametrize("name", ["../other.csv", "/etc/other.csv", "C:\\other.csv"])
def test_values_lie_beside_the_overlay(tmp_path: Path, name: str):
    with pytest.raises(FrameworkError, match="points outside the folder"):
        overlay_values(overlay(tmp_path, OVERLAY + f"values: '{name}'\n"))


def test_values_are_not_reached_by_a_link_that_leads_out(tmp_path: Path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.csv").write_text("x\n", encoding="utf-8")
    path = overlay(tmp_path / "inside", OVERLAY + "values: harbour.csv\n")
    try:
        (tmp_path / "inside" / "harbour.csv").symlink_to(tmp_path / "secret.csv")
    except OSError:
        pytest.skip("links cannot be made here")
    with pytest.raises(FrameworkError, match="points outside the folder"):
        overlay_values(path)


@pytest.mark.parametrize("name", ["../../x", "a/b", "a b", "'<b>'", "x" * 61])
def test_the_id_of_an_overlay_is_a_short_name_that_names_no_other_folder(tmp_path: Path, name: str):
    assert "use letters, digits" in refusal(tmp_path, "id: harbour", f"id: {name}")


def test_values_must_be_there(tmp_path: Path):
    path = overlay(tmp_path, OVERLAY + "values: harbour.csv\n")
    with pytest.raises(FrameworkError, match=r"names harbour\.csv, which is not beside it"):
        overlay_values(path)
    (tmp_path / "harbour.csv").write_text("x\n", encoding="utf-8")
    assert overlay_values(path) == tmp_path / "harbour.csv"
    assert overlay_values(overlay(tmp_path, OVERLAY)) is None
