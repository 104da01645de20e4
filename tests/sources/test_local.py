"""Local additions stand beside the core and change no number of it."""

from __future__ import annotations

import string
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import outcomes_analysis as oa
from outcomes_analysis.errors import FrameworkError, SourceError
from outcomes_analysis.framework import with_overlay
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.observations.contract import COLUMNS, conform
from outcomes_analysis.project import project
from outcomes_analysis.sources.local import LocalAddition

CORE = oa.load_framework()
EXAMPLE = project().path("data", "local", "example_place.yml")
AREAS = ("Hackney", "Leeds", "Cornwall", "Rutland", "E10000016")


@pytest.fixture(scope="module")
def example() -> LocalAddition:
    return oa.load_local(EXAMPLE)


def test_the_worked_example_loads_into_the_same_table(example: LocalAddition) -> None:
    table = example.observations
    assert list(table.columns) == list(COLUMNS)
    assert example.added == ("example_place_belong_pct", "example_place_trusted_adult_pct")
    assert set(table["source_id"]) == {"local-example_place"}
    assert table["area_code"].nunique() == 3
    assert table["status"].value_counts().to_dict() == {"published": 9, "suppressed": 1}
    first = table.iloc[0]
    # 1,420 of 2,000: Wilson's 90 % interval by the published formula.
    assert (first["value"], first["level"]) == (71.0, 0.9)
    assert (first["lower"], first["upper"]) == (pytest.approx(69.30, abs=0.01), pytest.approx(72.64, abs=0.01))
    groups = table[table["group_type"] == "fsm"]
    assert groups["group"].tolist() == ["eligible"]


def test_the_worked_example_says_everywhere_that_it_is_invented(example: LocalAddition) -> None:
    for name in example.added:
        indicator = example.framework.indicator(name)
        assert "invented" in indicator.definition
        assert "invented" in indicator.cannot_tell
        assert "example" in indicator.name
    assert "invented" in example.framework.label


def test_a_faulty_file_raises_its_whole_report(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(EXAMPLE.read_text("utf-8").replace("example_place.csv", "a.csv"), encoding="utf-8")
    (tmp_path / "a.csv").write_text("indicator,area,period,value\ngld_pct,Nowhere,2024,x%\n", encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        oa.load_local(tmp_path / "a.yml")
    for said in ("an indicator of the core", "a name of no area", "no number"):
        assert said in str(caught.value)


# ------------------------------------------------------------------------------------------------ no core number moves

_ID = st.text(string.ascii_lowercase, min_size=3, max_size=8).map(lambda s: f"zz_{s}")
_NODES = st.lists(st.tuples(_ID, st.sampled_from([n.id for n in CORE.nodes])), max_size=3, unique_by=lambda n: n[0])


@st.composite
def overlays(draw: st.DrawFn) -> dict[str, Any]:
    """An overlay that only adds: below any node of the core, in any direction, measuring anything."""
    nodes = draw(_NODES)
    layer = {n.id: n.layer for n in CORE.nodes}
    homes = {n.id: n.id for n in CORE.nodes} | {name: name for name, _ in nodes}
    domain = {n.id: CORE.domain_of(n.id) for n in CORE.nodes} | {name: CORE.domain_of(up) for name, up in nodes}
    indicators = []
    for name in draw(st.lists(_ID.map(lambda s: s.replace("zz_", "yy_")), min_size=1, max_size=3, unique=True)):
        home = draw(st.sampled_from(sorted(homes)))
        indicators.append(
            {
                "id": name,
                "name": f"Local {name}",
                "definition": "A local share.",
                "unit": "%",
                "direction": draw(st.sampled_from([1, -1, 0])),
                "outcome": home,
                "domains": [domain[home]],
                "layer": layer.get(home, "child"),
                "form": "proportion",
                "age_stage": "0-17",
                "geography_basis": "school",
                "base_period": "2024",
                "source": "local",
                "decimals": 1,
                "sampling": {"model": "wilson"},
                "cannot_tell": "Anything else.",
            }
        )
    return {
        "id": "zz",
        "values": "values.csv",
        "nodes": [{"id": name, "label": f"Local {name}", "parent": up} for name, up in nodes],
        "indicators": indicators,
    }


def _written(folder: Path, content: dict[str, Any], lines: list[str]) -> Path:
    path = folder / "overlay.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "values.csv").write_text("\n".join(["indicator,area,period,value", *lines, ""]), encoding="utf-8")
    return path


@settings(max_examples=12)
@given(overlays(), st.data())
def test_whatever_an_overlay_adds_the_core_stays(content: dict[str, Any], data: st.DataObject) -> None:
    cells = st.tuples(st.sampled_from([i["id"] for i in content["indicators"]]), st.sampled_from(AREAS))
    keys = data.draw(st.lists(cells, min_size=1, max_size=6, unique=True))
    lines = [f"{name},{area},2024,{data.draw(st.integers(0, 100))}" for name, area in keys]
    with TemporaryDirectory() as folder:
        local = oa.load_local(_written(Path(folder), content, lines))
    assert local.framework.nodes[: len(CORE.nodes)] == CORE.nodes
    assert local.framework.indicators[: len(CORE.indicators)] == CORE.indicators
    assert [i for i in local.framework.indicators if i.scored] == [i for i in CORE.indicators if i.scored]
    assert len(local.observations) == len(keys)
    assert not set(local.observations["indicator_id"]) & {i.id for i in CORE.indicators}


_ATTACKS: dict[str, Any] = {
    "redefine an indicator": lambda c: c["indicators"][0].update(id="gld_pct"),
    "bear its name": lambda c: c["indicators"][0].update(name=CORE.indicator("gld_pct").name.upper()),
    "redefine an outcome": lambda c: c["nodes"].append({"id": CORE.nodes[7].id, "label": "Ours", "parent": "safe"}),
    "bear an outcome's name": lambda c: c["nodes"].append({"id": "zz", "label": CORE.nodes[7].label, "parent": "safe"}),
    "add a domain": lambda c: c["nodes"].append({"id": "zz", "label": "Sixth", "parent": None}),
    "move a domain": lambda c: c["nodes"].append({"id": "safe", "label": "Ours", "parent": "happy"}),
    "count as core": lambda c: c["indicators"][0].update(tier="core"),
    "count as context": lambda c: c["indicators"][0].update(tier="context", outcome=""),
    "join near-duplicates": lambda c: c["indicators"][0].update(
        doublet=next(i.doublet for i in CORE.indicators if i.doublet)
    ),
    "weigh": lambda c: c.update(weights={"gld_pct": 5}),
    "rename": lambda c: c.update(rename={"gld_pct": "x"}),
    "remove": lambda c: c.update(remove=["gld_pct"]),
    "weigh an indicator": lambda c: c["indicators"][0].update(weight=5),
    "replace the notice": lambda c: c.update(notice="Official statistics"),
}


@pytest.mark.parametrize("attack", _ATTACKS)
@settings(max_examples=3)
@given(content=overlays())
def test_an_overlay_that_would_change_the_core_is_refused(attack: str, content: dict[str, Any]) -> None:
    _ATTACKS[attack](content)
    with TemporaryDirectory() as folder, pytest.raises(FrameworkError) as caught:
        with_overlay(CORE, _written(Path(folder), content, []))
    said = str(caught.value)
    assert said.startswith("overlay.yml: ")
    top_level = attack in ("weigh", "rename", "remove", "replace the notice")
    assert top_level or "line " in said, said


@pytest.fixture(scope="module")
def everywhere(example: LocalAddition) -> tuple[pd.DataFrame, pd.DataFrame, Framework]:
    """Figures of the core, the same with a local indicator below each domain and figures of every authority, and both."""
    from outcomes_analysis.areas.register import upper_tier

    added = [
        {
            "id": f"yy_{domain.id}",
            "name": f"Local {domain.id}",
            "definition": "A local share.",
            "unit": "%",
            "direction": -1,
            "outcome": next(n.id for n in CORE.children(domain.id) if n.layer == "child"),
            "domains": [domain.id],
            "form": "proportion",
            "age_stage": "0-17",
            "geography_basis": "school",
            "base_period": "2024",
            "source": "local",
            "decimals": 1,
            "sampling": {"model": "none"},
            "cannot_tell": "Anything else.",
        }
        for domain in CORE.domains
    ]
    codes = upper_tier().index
    lines = [f"{i['id']},{code},2024,{at % 100}" for i in added for at, code in enumerate(codes)]
    with TemporaryDirectory() as folder:
        local = oa.load_local(_written(Path(folder), {"id": "zz", "values": "values.csv", "indicators": added}, lines))
    whole = oa.load_observations()
    # Every domain and authority; groups and years that no index of 2025 takes only cost time.
    obs = whole[(whole["group_type"] == "all") & (whole["period_end"].dt.year >= 2019)].reset_index(drop=True)
    both = example.beside(local.beside(obs))
    pd.testing.assert_frame_equal(both.iloc[: len(obs)], conform(obs), check_exact=True)
    assert len(both) == len(obs) + 5 * 153 + 10
    return obs, both, local.framework


def test_the_default_index_is_the_same_with_local_figures_beside(everywhere) -> None:
    """Every number of every node of the core."""
    obs, both, framework = everywhere
    before = oa.build_index(oa.build_matrix(obs, framework=CORE, period=2025))
    after = oa.build_index(oa.build_matrix(both, framework=framework, period=2025))
    pd.testing.assert_frame_equal(before.table, after.table, check_exact=True)
    assert not after.table["node_id"].str.startswith("yy_").any()


@pytest.mark.slow
def test_a_profile_of_the_core_is_the_same_with_local_figures_beside(everywhere) -> None:
    """Verdicts too: local comparisons do not count among those that are allowed for."""
    obs, both, framework = everywhere
    before = oa.area_profile("Hackney", observations=obs, framework=CORE).table
    after = oa.area_profile("Hackney", observations=both, framework=framework).table
    own = after["indicator_id"].str.startswith("yy_")
    assert own.sum() == 5
    pd.testing.assert_frame_equal(before, after[~own].reset_index(drop=True), check_exact=True)
