"""Every file that people give, in every way it goes wrong: a report that a person can act on, never a traceback.

One good file of each reader, spoilt in each way of the list; what is refused names the file and repeats no cell.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outcomes_analysis.errors import OutcomesError
from outcomes_analysis.framework import load_framework
from outcomes_analysis.sources.hypothesis_form import load_hypotheses
from outcomes_analysis.sources.local import load_local
from outcomes_analysis.sources.local_priorities import load_priorities
from outcomes_analysis.sources.local_targets import load_targets
from outcomes_analysis.sources.portfolio_form import load_portfolio

SECRET = "QX123 whisper"  # in some cell of every spoilt file; no report may hold it

OVERLAY = Path(__file__).with_name("overlay.yml").read_text(encoding="utf-8")


def figures(path: Path) -> Any:
    overlay = path.parent / "overlay.yml"
    overlay.write_text(OVERLAY.replace("here.csv", path.name), encoding="utf-8")
    return load_local(overlay)


#: How a file is read, and one good line of it: headings, cells, and which cell is a number and which a place or a name.
READERS: dict[str, tuple[Callable[[Path], Any], str, list[str], int, int]] = {
    "figures": (figures, "indicator,area,period,value", ["here_pct", "Hackney", "2024", "45.6"], 3, 1),
    "targets": (
        lambda path: load_targets(path, indicator=load_framework().indicator("gld_pct")),
        "area,target",
        ["Hackney", "75"],
        1,
        0,
    ),
    "priorities": (load_priorities, "way,person,item,points", ["budget", "P1", "attending", "5"], 3, 1),
    "hypotheses": (
        load_hypotheses,
        "from,to,sign,whose,from_indicator",
        ["absence", "attainment8", "-", "the board", "persistent_absence"],
        2,
        4,
    ),
    "portfolio": (
        load_portfolio,
        "programme,domain,age_stage,place,reach",
        ["Talking together", "learning", "early years", "Newham", "650"],
        4,
        3,
    ),
}

Spoil = Callable[[str, list[str], int, int], bytes]


def one(head: str, cells: list[str]) -> bytes:
    return f"{head}\n{','.join(cells)}\n".encode()


def with_cell(cells: list[str], at: int, text: str) -> list[str]:
    return [text if k == at else cell for k, cell in enumerate(cells)]


SPOILT: dict[str, Spoil] = {
    "wrong code": lambda h, c, n, p: one(h, with_cell(c, p, "E99999999")),
    "formula": lambda h, c, n, p: one(h, with_cell(c, n, f'"=HYPERLINK(""{SECRET}"")"')),
    "formula from another sheet": lambda h, c, n, p: one(h, with_cell(c, n, "+Sheet2!A1")),
    "mixed encodings": lambda h, c, n, p: one(h, c) + b",".join(
        [b"caf\xe9 " + SECRET.encode() if k == p else x.encode() for k, x in enumerate(c)]) + b"\n",
    "UTF-16": lambda h, c, n, p: one(h, c).decode().encode("utf-16"),
    "merged headings": lambda h, c, n, p: f"{SECRET},,\n".encode() + one(h, c),
    "merged cells": lambda h, c, n, p: one(",".join(h.split(",")[:-1]) + ",", c),
    "negative count": lambda h, c, n, p: one(h, with_cell(c, n, "-7")),
    "day as a number": lambda h, c, n, p: one(h, with_cell(c, n, "45383.5")),
    "day in a cell": lambda h, c, n, p: one(h, with_cell(c, n, "12/03/2015")),
    "words for a number": lambda h, c, n, p: one(h, with_cell(c, n, SECRET)),
    "pupil numbers": lambda h, c, n, p: one(f"{h},UPN", [*c, "A123456789012"]),
    "pupil numbers under another heading": lambda h, c, n, p: one(f"{h},note", [*c, "A123456789012"]),
    "postcodes": lambda h, c, n, p: one(f"{h},note", [*c, "CM20 1AA"]),
    "empty": lambda h, c, n, p: b"",
    "headings alone": lambda h, c, n, p: f"{h}\n".encode(),
    "nothing but commas": lambda h, c, n, p: b",,,\n" * 50,
    "semicolons": lambda h, c, n, p: one(h, c).replace(b",", b";"),
    "a workbook": lambda h, c, n, p: b"PK\x03\x04" + bytes(200),
    "an open quote": lambda h, c, n, p: one(h, with_cell(c, p, f'"{SECRET}')),
    "bytes that are no text": lambda h, c, n, p: one(h, c) + b"\x00\x01\x02",
    "a line without end": lambda h, c, n, p: f"{h}\n".encode() + b"9" * 100_000,
    "a line twice": lambda h, c, n, p: one(h, c) + one(h, c).split(b"\n", 1)[1],
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_a_good_file_of_each_reader_is_no_fault_of_form(reader: str, tmp_path: Path) -> None:
    """Else every refusal below would prove nothing: a single answer alone is what priorities may refuse."""
    read, head, cells, *_ = READERS[reader]
    path = tmp_path / "figures.csv"
    path.write_bytes(one(head, cells))
    if reader != "priorities":
        read(path)
        return
    path.write_bytes(one(head, cells) + b"budget,P1,included,5\n")
    read(path)


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("reader", READERS)
def test_each_reader_tells_each_fault(reader: str, spoilt: str, tmp_path: Path) -> None:
    read, head, cells, number, place = READERS[reader]
    path = tmp_path / "figures.csv"
    path.write_bytes(SPOILT[spoilt](head, cells, number, place))
    with pytest.raises(OutcomesError) as error:
        read(path)
    said = str(error.value)
    assert "figures.csv" in said
    assert len(said.split()) > 8  # what, where and what to do
    for cell in ("whisper", "QX123", "A123456789012", "CM20", "HYPERLINK", "caf", "12/03", "45383"):
        assert cell not in said


@pytest.mark.slow
@pytest.mark.parametrize("reader", [r for r in READERS if r != "figures"])  # those in test_local_files.py
def test_ten_million_rows_take_bounded_memory(reader: str, tmp_path: Path) -> None:
    read, head, cells, *_ = READERS[reader]
    path = tmp_path / "figures.csv"
    line = f"{','.join(cells)}\n".encode()
    block = line * 100_000
    with path.open("wb") as file:
        file.write(f"{head}\n".encode())
        for _ in range(100):
            file.write(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OutcomesError, match="reading stopped there"):
        read(path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    # 20,000 lines are kept at the most, of about two kilobytes each; the file has 110 to 590 MB
    assert grown < 60
