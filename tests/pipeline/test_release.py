"""The release: small, made again byte for byte, and true to the published figures when read back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outcomes_analysis import pipeline
from outcomes_analysis.areas.register import load_register, to_area_code
from outcomes_analysis.errors import ReleaseError
from outcomes_analysis.observations.contract import KEY, MISSING
from outcomes_analysis.pipeline import Rebuilt
from outcomes_analysis.sources import release
from outcomes_analysis.sources.release import compare_releases, read_reference, release_folder

ENGLAND = "E92000001"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def both(rebuilt: Rebuilt, released: pd.DataFrame) -> pd.DataFrame:
    """Each figure as the files give it and (``_kept``) as it comes back from the release."""
    both = rebuilt.observations.merge(released, on=list(KEY), how="outer", suffixes=("", "_kept"), indicator="which")
    assert (both["which"] == "both").all()
    both["decimals"] = both["indicator_id"].map(read_reference()["decimals"])
    return both


@pytest.fixture(scope="module")
def committed(released: pd.DataFrame) -> Rebuilt:
    """What a faithful rebuild gives; that rebuilding is faithful, the slow tests and `outcomes verify` show."""
    return Rebuilt({p.name: p.read_bytes() for p in release_folder().iterdir() if p.is_file()}, released)


# ------------------------------------------------------------------------------------------------ there and back


@pytest.mark.slow
def test_values_come_back_to_the_published_decimals(both: pd.DataFrame) -> None:
    """A published percentage has at most five decimals; more digits are those of an arithmetic, ours or a publisher's."""
    lost = (both["value"] - both["value_kept"]).abs()
    assert (both["value"].isna() == both["value_kept"].isna()).all()
    published = both["status"] == "published"
    assert both.loc[published, "indicator_id"].nunique() == read_reference().index.size > 90
    assert lost[published].max() <= 0.5e-5 + 1e-9
    # What was summed from predecessors has no published decimals: half a unit of the last one kept.
    assert (lost <= 0.5 * 10.0 ** -both["decimals"] + 1e-9)[both["value"].notna()].all()
    exact = published & (both["decimals"] < 5)
    assert exact.sum() > 100_000
    np.testing.assert_allclose(both.loc[exact, "value_kept"], both.loc[exact, "value"], rtol=0, atol=1e-9)
    # Not merely near: the very number that the decimal text means, so that it prints and compares as published.
    whole = 10.0 ** both.loc[exact, "decimals"]
    assert (both.loc[exact, "value_kept"] == (both.loc[exact, "value"] * whole).round() / whole).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "column", ["status", "flags", "published_code", "source_id", "period_start", "period_end", "level", "denominator"]
)
def test_what_goes_with_a_value_comes_back(column: str, both: pd.DataFrame) -> None:
    kept, given = both[f"{column}_kept"], both[column]
    assert ((kept == given) | (kept.isna() & given.isna())).all()


@pytest.mark.slow
@pytest.mark.parametrize("column", ["lower", "upper"])
def test_bounds_come_back_to_a_digit_more_than_is_shown(column: str, both: pd.DataFrame) -> None:
    shown = both["indicator_id"].map(read_reference()["shown_decimals"])
    lost = (both[column] - both[f"{column}_kept"]).abs()
    assert (both[column].isna() == both[f"{column}_kept"].isna()).all()
    # Half a unit of that digit, and the eighth digit, which four bytes do not hold.
    assert (lost <= 0.5 * 10.0 ** -(shown + 1) + 1e-7 * both[column].abs() + 1e-9)[both[column].notna()].all()


@pytest.mark.slow
@pytest.mark.parametrize("column", ["se_sampling", "se_total"])
def test_errors_come_back_to_three_digits(column: str, both: pd.DataFrame) -> None:
    given = both[column]
    lost = (given - both[f"{column}_kept"]).abs()
    assert (given.isna() == both[f"{column}_kept"].isna()).all()
    assert (lost <= 0.005 * given + 1e-9)[given.notna()].all()  # half a unit of the third digit of 1.00


# ------------------------------------------------------------------------------------------------ files


def test_it_is_small() -> None:
    sizes = {p.name: p.stat().st_size for p in release_folder().iterdir()}
    assert sum(sizes.values()) <= 5 * MEGABYTE
    assert max(sizes.values()) <= MEGABYTE
    assert len(sizes) >= 12


@pytest.mark.slow
def test_packed_again_it_has_the_same_bytes(rebuilt: Rebuilt, packed_from: dict[str, Any]) -> None:
    """Whatever the order of the rows."""
    shuffled = rebuilt.observations.sample(frac=1, random_state=1)
    again = release.pack_release(shuffled, **packed_from)
    assert [n for n in rebuilt.files if rebuilt.files[n] != again[n]] == []
    assert set(again) == set(rebuilt.files)


def test_manifest_names_every_source_of_a_figure(released: pd.DataFrame) -> None:
    manifest = release.read_manifest()
    sources = {s["id"]: s for s in manifest["sources"]}  # type: ignore[attr-defined]
    assert set(released["source_id"]) <= set(sources)
    assert all(len(s["sha256"]) == 64 and s["url"].startswith("https://") for s in sources.values())
    assert manifest["data_as_at"] == max(s["data_as_at"] for s in sources.values())
    assert manifest["cells"] == released["indicator_id"].value_counts().to_dict()


# ------------------------------------------------------------------------------------------------ comparing


def _altered(files: dict[str, bytes], name: str, change: object) -> bytes:
    frame = pd.read_parquet(io.BytesIO(files[name]))
    return release._parquet(change(frame))  # type: ignore[operator]


def _cell(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame.index[frame["value"].notna()][7], "value"] += 0.001
    return frame


def _status(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[3, "status"] = "imputed"
    return frame


DIFFERENCES = {
    "changed cell": ("happy.parquet", _cell, "happy.parquet: value in 1 rows (first: "),
    "changed status": ("happy.parquet", _status, "happy.parquet: status in 1 rows (first: "),
    "row gone": ("engaged.parquet", lambda f: f.iloc[1:], "rows became"),
    "column gone": ("safe.parquet", lambda f: f.drop(columns="flags"), "safe.parquet: columns"),
}


@pytest.mark.parametrize("kind", DIFFERENCES)
def test_each_difference_of_a_table_is_named(kind: str, committed: Rebuilt, release_copy: Path) -> None:
    name, change, said = DIFFERENCES[kind]
    before = compare_releases(committed.files, release_copy)
    (release_copy / name).write_bytes(_altered(committed.files, name, change))
    new = [d for d in compare_releases(committed.files, release_copy) if d not in before]
    assert len(new) == 1
    assert said in new[0]


def test_missing_and_extra_files_are_named(committed: Rebuilt, release_copy: Path) -> None:
    (release_copy / "engaged.parquet").unlink()
    (release_copy / "notes.txt").write_text("x")
    (release_copy / ".DS_Store").write_text("what a Mac leaves in every folder")
    found = compare_releases(committed.files, release_copy)
    assert "engaged.parquet is missing here" in found
    assert "notes.txt should not be here" in found
    assert not any("DS_Store" in d for d in found)


def _moved(content: object, metres: float) -> object:
    if isinstance(content, dict):
        return {k: _moved(v, metres) if k in {"features", "geometry", "coordinates"} else v for k, v in content.items()}
    if isinstance(content, list) and content and isinstance(content[0], (int, float)):
        return [content[0] + metres, *content[1:]]
    return [_moved(x, metres) for x in content] if isinstance(content, list) else content


def test_a_moved_outline_is_named_and_a_hair_is_not(committed: Rebuilt, release_copy: Path) -> None:
    """Between machines the national grid is reached to a few metres, so less than 100 m is no difference."""
    name = "outlines_region.json"
    outline = json.loads(committed.files[name])
    path = release_copy / name
    path.write_text(json.dumps(_moved(outline, 40)))
    assert not any(d.startswith(name) for d in compare_releases(committed.files, release_copy))
    path.write_text(json.dumps(_moved(outline, 400)))
    assert f"{name}: points moved by up to 400 m" in compare_releases(committed.files, release_copy)


def test_a_renamed_area_in_an_outline_is_named(committed: Rebuilt, release_copy: Path) -> None:
    """The points alone do not say whose outline it is."""
    name = "outlines_region.json"
    text = committed.files[name].decode().replace("E12000001", "E12000099")
    (release_copy / name).write_text(text)
    assert any(d.startswith(name) for d in compare_releases(committed.files, release_copy))


@pytest.mark.slow
def test_verify_accepts_the_committed_release(rebuilt: Rebuilt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "rebuild", lambda **_: rebuilt)
    assert pipeline.verify().startswith(f"{len(rebuilt.files)} files, {len(rebuilt.observations):,} figures")


def test_verify_names_a_changed_cell(committed: Rebuilt, release_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "rebuild", lambda **_: committed)
    monkeypatch.setattr(release, "release_folder", lambda: release_copy)
    (release_copy / "happy.parquet").write_bytes(_altered(committed.files, "happy.parquet", _cell))
    with pytest.raises(ReleaseError) as caught:
        pipeline.verify()
    assert "happy.parquet: value in 1 row" in str(caught.value)
    assert "outcomes refresh" in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "reference.csv").unlink(), "run `outcomes refresh` first"),
        (lambda f: (f / "safe.parquet").write_bytes(b"PAR1 cut"), "safe.parquet cannot be read"),
        (lambda f: [p.unlink() for p in f.glob("*.parquet")], "No tables in"),
    ],
)
def test_a_damaged_release_is_said(damage: object, said: str, release_copy: Path) -> None:
    damage(release_copy)  # type: ignore[operator]
    with pytest.raises(ReleaseError, match=said):
        release.read_release(release_copy)


# ------------------------------------------------------------------------------------------------ facts


def test_england_comes_out_of_the_release(england: dict[tuple[str, str], float], released: pd.DataFrame) -> None:
    rows = released.query("area_code == @ENGLAND and group_type == 'all'").set_index(["indicator_id", "period"])[
        "value"
    ]
    assert {key: round(rows[key], 1) for key in england} == england


def test_protection_plan_rates_are_those_of_the_department(released: pd.DataFrame, mirror: Path) -> None:
    """Ours are plans over children; the tool prints its own to one decimal. Here as they come out of the release."""
    tool = pd.read_parquet(mirror / "dfe_lait" / "bds_long_0.parquet").query("`Short Desc` == 'CPP_rate'")
    theirs = pd.DataFrame(
        {
            "area_code": to_area_code(tool["LA Number"].dropna().astype(int).astype("str")),
            "year": tool["Years"].astype("str").str[:4].astype(int),
            "theirs": pd.to_numeric(tool["Values"], errors="coerce"),
        }
    ).dropna()
    ours = released.query("indicator_id == 'cpp_rate' and status == 'published'").assign(
        year=lambda t: t["period_end"].dt.year
    )
    both = ours.merge(theirs, on=["area_code", "year"])
    assert len(both) > 1_400
    assert (both["value"] - both["theirs"]).abs().max() <= 0.05 + 1e-5  # half of its decimal, and half of our fifth


def test_no_figure_twice_and_153_authorities(released: pd.DataFrame) -> None:
    assert not released.duplicated(list(KEY)).any()
    register = load_register()
    upper = set(register.index[(register["tier"] == "upper") & register["canonical"]])
    assert len(upper) == 153
    ours = released[released["area_code"].isin(set(register.index[register["tier"] == "upper"]))]
    assert set(ours["area_code"]) == upper  # no former authority under its own code
    plain = ours[ours["group_type"] == "all"]
    for year in (2023, 2024, 2025):
        assert plain.loc[plain["period_end"].dt.year == year, "area_code"].nunique() == 153
    # Barnsley and Sheffield were given new codes; each is one place, whichever code was published.
    for name, codes in {"Barnsley": {"E08000016", "E08000038"}, "Sheffield": {"E08000019", "E08000039"}}.items():
        assert len(codes & set(released["area_code"])) == 1, name


def test_every_missing_value_says_why(released: pd.DataFrame) -> None:
    assert (released["value"].isna() == released["status"].isin(MISSING)).all()
    assert released["status"].ne("").all()
    assert released["period_end"].dt.year.between(2013, 2025).all()


def test_inherited_values_are_only_of_successors(released: pd.DataFrame) -> None:
    inherited = released[released["status"] == "inherited"]
    assert len(inherited) > 1_000
    assert (inherited["area_code"] != inherited["published_code"]).all()


def test_errors_of_absence_count_children_and_not_half_days(released: pd.DataFrame) -> None:
    rows = released[
        (released["indicator_id"] == "absence_overall")
        & (released["group_type"] == "social_care")
        & (released["denominator"] > 0)
        & released["area_code"].str.startswith("E0")
    ]
    assert len(rows) > 1000
    # an authority has at most some thousands of them, and children differ by 18 points or more
    assert rows["denominator"].max() < 6000
    assert (rows["se_sampling"] * rows["denominator"] ** 0.5).min() > 17
