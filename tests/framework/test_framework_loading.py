"""A framework file with faults: each is named, with its line and remedy, and all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outcomes_analysis.errors import FrameworkError
from outcomes_analysis.framework import load_framework
from outcomes_analysis.framework.reading import MAX_BYTES

HEAD = "id: t\nlabel: T\nversion: '1'\ndate: 2026-01-01\nsource_url: x\nnotice: y\n"
NODES = """nodes:
  - {id: well, label: Well, kind: domain}
  - {id: ill, label: Ill, kind: domain}
  - {id: out, label: Out, kind: outcome, parent: well}
"""
SOUND = """    name: A
    definition: d
    unit: '%'
    direction: 1
    outcome: out
    form: proportion
    age_stage: '5'
    domains: [well]
    geography_basis: school
    base_period: 2023
    source: s
    decimals: 1
    cannot_tell: c
    sampling: {model: wilson}
"""


def indicator(name: str = "a", **changes: str) -> str:
    lines = []
    for line in SOUND.splitlines():
        field = line.strip().split(":")[0]
        if field in changes:
            value = changes.pop(field)
            if value:
                lines.append(f"    {field}: {value}")
        else:
            lines.append(line)
    lines += [f"    {field}: {value}" for field, value in changes.items()]
    return f"  - id: {name}\n" + "\n".join(lines) + "\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yml"
    path.write_text(text, encoding="utf-8")
    return path


def message(folder: Path, text: str) -> str:
    with pytest.raises(FrameworkError) as caught:
        load_framework(write(folder, text))
    assert str(caught.value).startswith("mine.yml")
    return str(caught.value)


def test_a_sound_file_loads_and_unquoted_years_and_days_stay_text(tmp_path: Path):
    text = HEAD + NODES + "indicators:\n" + indicator() + indicator("b", base_period="2023-03-31")
    framework = load_framework(write(tmp_path, text))
    assert [i.base_period for i in framework.indicators] == ["2023", "2023-03-31"]
    assert framework.date == "2026-01-01"
    assert framework.domain_of("out") == "well"


def test_every_fault_of_fields_is_told_at_once(tmp_path: Path):
    text = (
        HEAD
        + NODES
        + "indicators:\n"
        + indicator("a", direction="2")
        + indicator("b", unit="")
        + indicator("c", definiton="x")
        + indicator("d", form="percent")
    )
    told = message(tmp_path, text)
    assert "4 problems" in told
    assert "line 12, indicator 'a': `direction` must be" in told
    assert "indicator 'b': `unit` is missing; add it" in told
    assert "indicator 'c': `definiton` is no field; did you mean `definition`?" in told
    assert "indicator 'd': `form` must be 'proportion'" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outcome": "outt"}, "unknown outcome 'outt'; did you mean out?"),
        ({"domains": "[well, wel]"}, "unknown domain 'wel'; the domains are ill, well"),
        ({"domains": "[ill, well]"}, "its primary domain is 'ill' but its outcome lies in 'well'; put 'well' first"),
        ({"domains": ""}, "names no domain; write `domains: [well]`"),
        ({"tier": "context"}, "a context indicator belongs to no outcome"),
        ({"outcome": ""}, "has no outcome; name one, or give it `tier: context`"),
        ({"direction": "0", "contested": "why"}, "says why a direction is disputed, but it has none"),
        ({"measure_of": "activity"}, "counts activity, which is neither good nor bad"),
        ({"layer": "system", "measure_of": "enabler"}, "is in layer 'system' but its outcome 'out' is in 'child'"),
        ({"doublet": "pair"}, "doublet 'pair' has one member only (a)"),
        ({"scale": "logit", "valid_range": "[0, 120]"}, "scale logit needs values between 0 and 100"),
        ({"scale": "log", "valid_range": "[-1, 120]"}, "scale log needs values of 0 or more"),
        ({"valid_range": "[5, 1]"}, "valid_range [5, 1] is empty"),
        ({"sampling": "{model: cohort_rate}"}, "sampling model cohort_rate needs `cohort_share`"),
        ({"sampling": "{model: cohort_mean, cohort_share: 0.1}"}, "cohort_mean needs `sd`"),
        ({"sampling": "{model: none, sd_of: {in_need: 2}}"}, "sd_of has 'in_need: 2'; write group_type/group"),
        ({"sampling": "{model: wilson, cohort_follows: a}"}, "cohort_follows 'a' needs `cohort_share` too"),
        ({"sampling": "{model: wilson, cohort_share: 1, cohort_follows: b}"}, "cohort_follows 'b' names no indicator"),
        ({"base_period": "' '"}, "base_period is empty"),
    ],
)
def test_faults_between_parts_name_the_indicator_and_the_remedy(tmp_path: Path, change: dict[str, str], told: str):
    assert told in message(tmp_path, HEAD + NODES + "indicators:\n" + indicator(**change))


def test_a_cycle_a_missing_parent_and_ids_given_twice_are_told_together(tmp_path: Path):
    nodes = """nodes:
  - {id: well, label: Well, kind: domain}
  - {id: out, label: Out, kind: outcome, parent: well}
  - {id: one, label: One, kind: outcome, parent: two}
  - {id: two, label: Two, kind: outcome, parent: one}
  - {id: lost, label: Lost, kind: outcome, parent: wel}
  - {id: out, label: Again, kind: outcome, parent: well}
"""
    told = message(tmp_path, HEAD + nodes + "indicators:\n" + indicator("a") + indicator("a") + indicator("well"))
    assert "nodes go round in a circle: one < two < one" in told
    assert told.count("circle") == 1
    assert "node 'lost': its parent 'wel' is not defined; did you mean well?" in told
    assert "node 'out' is defined 2 times" in told
    assert "indicator 'a' is defined 2 times" in told
    assert "'well' names both a node and an indicator" in told


def test_a_key_written_twice_is_refused_with_both_lines(tmp_path: Path):
    assert "line 7: 'id' is given twice (first on line 1)" in message(tmp_path, HEAD + "id: again\n" + NODES)


def test_aliases_are_refused_before_they_can_grow(tmp_path: Path):
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*{'a' if i == 0 else f'b{i - 1}'}, *a]\n" for i in range(60))
    assert "an anchor is used again by an alias" in message(tmp_path, bomb)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("  \n\n", "is empty"),
        ("a: [1, 2", "is not YAML at line"),
        ("- 1\n- 2\n", "holds a list where named entries"),
        ("just words", "holds a str where named entries"),
        ("<!DOCTYPE html><html></html>", "is a web page, not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("a: " + "[" * 60 + "]" * 60, "entries lie more than 40 deep"),
        (HEAD + "nodes: 3\nindicators: []\n", "`nodes` must be a list"),
        (HEAD + NODES, "`indicators` is empty or missing"),
        (HEAD + NODES + "wights: 3\nindicators:\n" + indicator(), "`wights` means nothing here"),
        (NODES + "indicators:\n" + indicator(), "`notice` is missing"),
    ],
)
def test_files_that_are_no_framework(tmp_path: Path, text: str, told: str):
    assert told in message(tmp_path, text)


def test_a_file_too_large_is_not_read(tmp_path: Path):
    assert "a framework file is at most 2 MB" in message(tmp_path, "#" * (MAX_BYTES + 1))


def test_text_that_is_not_utf8(tmp_path: Path):
    (tmp_path / "mine.yml").write_bytes(b"id: caf\xe9")
    with pytest.raises(FrameworkError, match="is not UTF-8 text"):
        load_framework(tmp_path / "mine.yml")


def test_a_file_that_is_not_there_names_those_that_are(tmp_path: Path):
    write(tmp_path, HEAD)
    with pytest.raises(FrameworkError, match=r"There is no framework file .*mine\.yaml\. That folder holds: mine\.yml"):
        load_framework(tmp_path / "mine.yaml")


def test_a_changed_file_is_read_again(tmp_path: Path):
    path = write(tmp_path, HEAD + NODES + "indicators:\n" + indicator())
    assert load_framework(path).indicators[0].id == "a"
    write(tmp_path, HEAD + NODES + "indicators:\n" + indicator("longer"))
    assert load_framework(path).indicators[0].id == "longer"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text(alphabet="ab:-[]{}&*!|>'\"\n #1,?%@`\t", max_size=80)))
def test_no_file_whatever_brings_anything_but_a_plain_error(tmp_path: Path, content: bytes | str):
    path = tmp_path / "any.yml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FrameworkError):
        load_framework(path)
