"""Packs: the same bytes each time, proved by their manifest, and nothing in them that should have stayed at home."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes_analysis.errors import ProjectError, SourceError
from outcomes_analysis.evidence import proving
from outcomes_analysis.evidence.local_guard import local_table, small_counts, withheld
from outcomes_analysis.evidence.packing import zip_bytes
from outcomes_analysis.evidence.proving import MANIFEST, check_pack, fingerprint, read_pack


def packed(**contents):
    """A small pack made by hand."""
    files = {f"{name}.txt": text.encode() for name, text in contents.items()}
    listed = {n: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)} for n, c in files.items()}
    manifest = {"kind": "outcomes pack", "place": "Essex", "files": listed}
    return files | {MANIFEST: json.dumps(manifest).encode()}


@pytest.fixture
def files():
    return packed(a="one", b="two")


def test_whole_pack_is_proved_as_zip_and_as_folder(files, tmp_path):
    (tmp_path / "p.zip").write_bytes(zip_bytes(files))
    (tmp_path / "p").mkdir()
    for name, content in files.items():
        (tmp_path / "p" / name).write_bytes(content)
    for path in (tmp_path / "p.zip", tmp_path / "p"):
        found = check_pack(path)
        assert (found.place, found.files, found.fingerprint) == ("Essex", 2, fingerprint(files))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f | {"a.txt": b"One"}, "altered since it was made: 'a.txt'"),
        (lambda f: {n: c for n, c in f.items() if n != "b.txt"}, "1 file missing: 'b.txt'"),
        (lambda f: f | {"c.txt": b""}, "not of the pack: 'c.txt'"),
        (lambda f: f | {"../c.txt": b""}, "with a name no pack has"),
    ],
)
def test_pack_tampered_with_is_refused_by_name(files, tmp_path, change, words):
    path = tmp_path / "p.zip"
    path.write_bytes(zip_bytes(change(files)))
    with pytest.raises(ProjectError, match=r"make the pack anew") as error:
        check_pack(path)
    assert words in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no zip", zip_bytes({"a": b"x"}), zip_bytes({MANIFEST: b"[]"}),
                                     zip_bytes({MANIFEST: b"\xff"}), zip_bytes(packed(a="x"))[:-40]])  # fmt: skip
def test_what_is_no_pack_is_said_plainly(content, tmp_path):
    path = tmp_path / "p.zip"
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"p\.zip is not a"):
        check_pack(path)


def test_zip_that_would_fill_the_disk_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(proving, "LARGEST", 1_000)
    path = tmp_path / "p.zip"
    path.write_bytes(zip_bytes({MANIFEST: b"0" * 1_001}))
    with pytest.raises(ProjectError, match="more than any pack has"):
        read_pack(path)


def test_zip_has_the_same_bytes_whatever_the_order_and_tells_no_time(files):
    turned = dict(reversed(files.items()))
    assert zip_bytes(files) == zip_bytes(turned)
    entries = zipfile.ZipFile(io.BytesIO(zip_bytes(files))).infolist()
    assert [e.filename for e in entries] == sorted(files)
    assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}


# ------------------------------------------------------------------------------------------------ local figures

YEARS = (2021, 2022, 2023)
AREAS, SEXES = ("east", "west"), ("boys", "girls")


def local(counts):
    """Counts by area, sex and year, with every total: sexes, areas and the three years pooled, among 1,000 children."""
    atoms = np.asarray(counts, dtype=float).reshape(2, 2, 3)
    rows, vectors = [], []
    for area in (*AREAS, "county"):
        for sex in (*SEXES, "all"):
            for years in (*((y,) for y in YEARS), YEARS):
                mask = np.zeros((2, 2, 3))
                a = slice(None) if area == "county" else AREAS.index(area)
                s = slice(None) if sex == "all" else SEXES.index(sex)
                mask[a, s, [y - YEARS[0] for y in years]] = 1
                rows.append(
                    {
                        "indicator_id": "belong", "area_code": area, "group": sex, "status": "published",
                        "numerator": float((atoms * mask).sum()), "denominator": 100_000.0,
                        "period_start": pd.Timestamp(years[0], 1, 1), "period_end": pd.Timestamp(years[-1], 12, 31),
                    }
                )  # fmt: skip
                vectors.append(mask.ravel())
    return pd.DataFrame(rows), np.array(vectors)


def recovered(table, vectors, gone):
    """Small cells that a sum or difference of what leaves gives back, found by a solver."""
    small = small_counts(table).to_numpy()
    told = vectors[~gone.to_numpy()]
    if not len(told):
        return 0
    solved = np.linalg.lstsq(told.T, vectors[small].T, rcond=None)[0]
    return int((np.abs(told.T @ solved - vectors[small].T).max(axis=0) < 1e-9).sum()) if small.any() else 0


def test_hiding_the_small_count_alone_would_give_it_away():
    table, vectors = local([3, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50])
    assert recovered(table, vectors, small_counts(table)) == 1
    assert recovered(table, vectors, withheld(table)) == 0
    # what does not overlap 2021 still leaves: 2 further years x 3 areas x 3 groups
    assert int((~withheld(table)).sum()) == 18


@settings(max_examples=40)
@given(st.lists(st.integers(0, 60), min_size=12, max_size=12))
def test_no_small_count_can_be_worked_out_from_what_leaves(counts):
    table, vectors = local(counts)
    assert recovered(table, vectors, withheld(table)) == 0


@pytest.mark.parametrize(
    ("count", "children", "status", "small"),
    [
        (9, 500, "published", True),
        (10, 500, "published", False),
        (0, 500, "published", True),
        (495, 500, "published", True),  # five without it
        (490, 500, "published", False),
        (600, 500, "published", False),  # events can outnumber children
        (np.nan, np.nan, "published", True),
        (np.nan, 500, "published", False),
        (np.nan, 9, "published", True),
        (np.nan, 500, "suppressed", True),
    ],
)
def test_what_counts_as_small(count, children, status, small):
    table = pd.DataFrame([{"numerator": count, "denominator": children, "status": status}])
    assert small_counts(table).tolist() == [small]


@pytest.fixture(scope="module")
def example(root):
    from outcomes_analysis.sources.local import load_local

    return load_local(root / "data" / "local" / "example_place.yml")


def test_local_figures_stay_at_home_unless_named(example):
    code = example.observations["area_code"].iloc[0]
    table, notes = local_table(example, code, include=[])
    assert table is None
    assert "stay at home" in notes[0]
    named, _ = local_table(example, code, include=["example_place_belong_pct"])
    assert set(named.frame["Indicator"]) == {"Pupils who feel that they belong (example)"}
    own = example.observations.query("area_code == @code and indicator_id == 'example_place_belong_pct'")
    assert len(named.frame) == len(own)


def test_local_figures_of_districts_say_whose_they_are(example):
    """Of a place made of districts figures of each leave; of others none do."""
    table = example.observations
    codes = [c for c in table["area_code"].unique() if c != "E92000001"][:2]
    named, _ = local_table(example, codes, include=["example_place_belong_pct"])
    mine = table.query("area_code in @codes and indicator_id == 'example_place_belong_pct'")
    assert len(named.frame) == len(mine)
    assert named.frame["Place"].nunique() == mine["area_code"].nunique()


def test_small_local_count_takes_its_neighbours_in_time_with_it(example):
    from dataclasses import replace

    code = example.observations["area_code"].iloc[0]
    table = example.observations.copy()
    at = table.index[table["indicator_id"].eq("example_place_belong_pct") & ~table["area_code"].eq(code)][0]
    table.loc[at, "numerator"] = 4.0  # of another place
    made, notes = local_table(replace(example, observations=table), code, include=["example_place_belong_pct"])
    year = table.loc[at, "period"]
    hidden = made.frame.loc[made.frame["Period"].eq(year), "Figure"]
    assert len(hidden)
    assert hidden.eq("[c]").all()
    assert not made.frame.loc[~made.frame["Period"].eq(year), "Figure"].eq("[c]").any()
    assert "withheld" in notes[-1]


def test_unknown_local_name_is_refused_with_those_there_are(example):
    with pytest.raises(SourceError, match="example_place_belong_pct"):
        local_table(example, "E06000055", include=["nonsense"])
