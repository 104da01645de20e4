"""Files of local targets: what is right is read, what is wrong is told with row and remedy, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from outcomes_analysis.errors import SourceError
from outcomes_analysis.framework import load_framework
from outcomes_analysis.sources.local_targets import load_targets

GLD = load_framework().indicator("gld_pct")


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "targets.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_targets_by_any_name(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffPlace,target,note\nessex,77.5,agreed in March\nE09000012,74,\n\n")
    assert load_targets(path, indicator=GLD) == {"E10000012": 77.5, "E09000012": 74.0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("area,target\nNarnia,75\n", "a name of no area in England"),
        ("area,target\nE10999999,75\n", "a code of no area in England"),
        ("area,target\nHarlow,75\n", "no upper-tier authority"),
        ("area,target\nEssex,75%\n", "a percent sign"),
        ("area,target\nEssex,175\n", "a target outside 0 to 100"),
        ("area,target\nEssex,-5\n", "a target outside 0 to 100"),
        ("area,target\nEssex,7.5E1\n", "scientific notation"),
        ("area,target\nEssex,=70+5\n", "a formula"),
        ("area,target\nEssex,about 75\n", "no number"),
        ("area,target\nEssex,nan\n", "no number"),
        ("area,target\nEssex,\n", "nothing in a cell that is needed"),
        ("area,target\nEssex,75\nessex county council,76\n", "the same line twice"),
        ("area,goal\nEssex,75\n", "no column target"),
        ("Our targets,,\narea,target\nEssex,75\n", "titles or merged headings"),
        ("area;target\nEssex;75\n", "parted by semicolons"),
        ("area,target\nEssex,75,9\n", "more or fewer cells"),
        ("area,target\n", "there is no row below the headings"),
        ("", "is empty"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        ("area,target\nEssex,75\n".encode("utf-16"), "another encoding"),
        (b"area,target\nEssex,75\nCaf\xe9,76\n", "characters that are not UTF-8"),
        ("area,target,upn\nEssex,75,A123456789012\n", "unique pupil number"),
        ("area,target,note\nEssex,75,12/03/2015\n", "date of birth"),
    ],
)  # fmt: skip
def test_each_fault_is_told(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(SourceError) as error:
        load_targets(written(tmp_path, content), indicator=GLD)
    assert said in str(error.value)
    for cell in ("Narnia", "Caf", "A123456789012", "12/03/2015", "about"):
        assert cell not in str(error.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        load_targets(tmp_path / "none.csv", indicator=GLD)
