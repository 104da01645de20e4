"""The default data: packing observations into small standardised tables, and reading them back in natural units.

Each cell is kept as its distance from England, in standard deviations between authorities, both of the
indicator's base period and on its published (linear) scale. ``reference.csv`` holds the centre, the scale and the
published decimals, so that natural units come back exactly.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import load_register
from outcomes_analysis.errors import ReleaseError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.contract import COLUMNS, KEY
from outcomes_analysis.project import project
from outcomes_analysis.provenance import Source, hash_of

ENGLAND = "E92000001"
STANDARDISED = ("value", "lower", "upper")  # moved and scaled
SCALED = ("se_sampling", "se_total")  # scaled only
TEXT = (*KEY, "published_code", "status", "flags", "source_id")
DATES = ("period_start", "period_end")
NUMBERS = ("level", "denominator")
ORDER = ("indicator_id", "group_type", "group", "area_code", "period")  # like beside like: packs smallest
RELEASE_COLUMNS = (*TEXT, *DATES, *STANDARDISED, *SCALED, *NUMBERS)
SIGNIFICANT = 3  # digits kept of a standard error: more would be noise
MOST_DECIMALS = 5  # as the longest published percentages have; more digits in a file are those of its arithmetic
SHORT = (*STANDARDISED[1:], *SCALED)  # held in four bytes: seven digits, more than any bound or error has


def _round_significant(x: np.ndarray, digits: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        power = digits - 1 - np.floor(np.log10(np.abs(x)))
    factor = 10.0 ** np.where(np.isfinite(power), power, 0)
    return np.round(x * factor) / factor


def reference_table(observations: pd.DataFrame, *, framework: Framework, yearly: pd.DataFrame) -> pd.DataFrame:
    """Centre, scale and decimals of every indicator on its published scale.

    Parameters
    ----------
    observations : DataFrame
        Harmonised table in natural units.
    framework : Framework
        Base periods and decimals.
    yearly : DataFrame
        Year-to-year standard deviations by indicator (column ``sd``, on the indicator's own scale).

    Returns
    -------
    DataFrame
        Indexed by indicator: ``base_period, centre, scale, decimals, shown_decimals, unit, centre_from`` and the
        columns of ``yearly``.
    """
    ranked = load_register().query("tier == 'upper' and canonical and ranked").index
    present = observations[observations["value"].notna()]
    plain = present[present["group_type"] == "all"]
    decimals = {
        str(name): _published_decimals(frame, framework.indicator(str(name)))
        # Groups of children too: their files may hold more digits.
        for name, frame in present[present["status"] == "published"].groupby("indicator_id")
    }
    rows = []
    for name, frame in plain.groupby("indicator_id", sort=True):
        indicator = framework.indicator(str(name))
        base = frame[frame["period"] == indicator.base_period]
        base = base if len(base) else frame
        values = base["value"][base["area_code"].isin(ranked) & base["status"].isin(["published", "estimated"])]
        values = values if len(values) > 2 else base["value"]
        england = base.loc[base["area_code"] == ENGLAND, "value"]
        scale = float(values.std(ddof=1))
        rows.append(
            {
                "indicator_id": name,
                "base_period": indicator.base_period,
                "centre": float(england.iloc[-1]) if len(england) else round(float(values.mean()), indicator.decimals),
                "centre_from": "England as published" if len(england) else "mean of authorities",
                "scale": float(_round_significant(np.array([scale]), 8)[0]) if scale > 0 else 1.0,
                "decimals": decimals.get(str(name), indicator.decimals),
                "shown_decimals": indicator.decimals,
                "unit": indicator.unit,
            }
        )
    return pd.DataFrame(rows).set_index("indicator_id").join(yearly)


def _published_decimals(frame: pd.DataFrame, indicator: Indicator) -> int:
    """Fewest decimals that hold every published value, and those of a rate made here from counts."""
    value = frame["value"].to_numpy(float)
    for decimals in range(indicator.decimals, MOST_DECIMALS):
        if np.allclose(value, np.round(value, decimals), rtol=1e-9, atol=1e-9):
            return decimals
    return MOST_DECIMALS


def standardise_cells(observations: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Move and scale values, bounds and errors by each indicator's centre and scale.

    Values are first rounded to the published decimals, bounds to one more than are shown, errors to three significant
    digits.
    """
    ids = observations["indicator_id"]
    centre, scale = (ids.map(reference[c]).to_numpy(float) for c in ("centre", "scale"))
    decimals, shown = (ids.map(reference[c]).to_numpy(int) for c in ("decimals", "shown_decimals"))
    result = observations[[*TEXT, *DATES, *NUMBERS]].copy()
    for column in STANDARDISED:
        factor = 10.0 ** (decimals if column == "value" else shown + 1)
        rounded = np.round(observations[column].to_numpy(float) * factor) / factor
        result[column] = (rounded - centre) / scale
    for column in SCALED:
        result[column] = _round_significant(observations[column].to_numpy(float), SIGNIFICANT) / scale
    result[list(SHORT)] = result[list(SHORT)].astype("float32")
    return result[list(RELEASE_COLUMNS)].sort_values(list(ORDER), kind="stable", ignore_index=True)


def natural_cells(cells: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Undo :func:`standardise_cells`: the tidy table in natural units, to the published decimals."""
    ids = cells["indicator_id"]
    unknown = sorted(set(ids.unique()) - set(reference.index))
    if unknown:
        message = f"reference.csv lacks {len(unknown)} indicators of the release: {several(unknown)}."
        raise ReleaseError(message)
    centre, scale = (ids.map(reference[c]).to_numpy(float) for c in ("centre", "scale"))
    decimals, shown = (ids.map(reference[c]).to_numpy(int) for c in ("decimals", "shown_decimals"))
    result = cells.copy()
    for column in STANDARDISED:
        factor = 10.0 ** (decimals if column == "value" else shown + 1)
        result[column] = np.round((cells[column].to_numpy(float) * scale + centre) * factor) / factor
    for column in SCALED:
        result[column] = cells[column].to_numpy(float) * scale
    result["numerator"] = np.nan  # kept only as value and denominator
    return result[list(COLUMNS)]


def _file_of(cells: pd.DataFrame, framework: Framework) -> pd.Series:
    """Name of the file each row goes to: one a domain, districts and groups of children apart."""
    domain = {i.id: (framework.domain_of(i.outcome) if i.outcome else "context") for i in framework.indicators}
    register = load_register()
    lower = set(register.index[register["tier"] == "lower"])
    name = cells["indicator_id"].map(domain)
    name = name.where(cells["group_type"] == "all", "groups-" + name)
    return name.where(~cells["area_code"].isin(lower), "districts")


def _parquet(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    buffer = io.BytesIO()
    big = 8 << 20  # one dictionary and one page a column: figures repeat a great deal
    pq.write_table(
        table, buffer, compression="zstd", compression_level=19, dictionary_pagesize_limit=big, data_page_size=big
    )
    return buffer.getvalue()


def pack_release(
    observations: pd.DataFrame,
    *,
    framework: Framework,
    yearly: pd.DataFrame,
    sources: Iterable[Source],
    outlines: Mapping[str, str],
    report: pd.DataFrame,
) -> dict[str, bytes]:
    """Make every file of ``data/release/`` in memory.

    Parameters
    ----------
    observations : DataFrame
        Harmonised table with errors, natural units.
    framework : Framework
        Which indicator belongs where.
    yearly : DataFrame
        Year-to-year standard deviations.
    sources : iterable of Source
        Files that were read.
    outlines : mapping of str to str
        File names and GeoJSON texts.
    report : DataFrame
        What harmonising did, kept as ``harmonising.csv``.

    Returns
    -------
    dict of str to bytes
        File name to content; the same inputs give the same bytes.
    """
    reference = reference_table(observations, framework=framework, yearly=yearly)
    cells = standardise_cells(observations[observations["indicator_id"].isin(reference.index)], reference)
    files = {f"{name}.parquet": _parquet(part) for name, part in cells.groupby(_file_of(cells, framework), sort=True)}
    files["reference.csv"] = reference.to_csv(lineterminator="\n").encode()
    files["harmonising.csv"] = _summary(report).to_csv(index=False, lineterminator="\n").encode()
    files |= {name: text.encode() for name, text in outlines.items()}
    listed = sorted(sources, key=lambda s: s.id)
    manifest = {
        "framework": {"id": framework.id, "version": framework.version},
        "data_as_at": max(s.data_as_at for s in listed),
        "cells": {str(k): int(v) for k, v in cells.groupby("indicator_id").size().items()},
        "content": content_hash(observations),
        "sources": [asdict(s) for s in listed],
    }
    files["manifest.json"] = (json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
    return files


def _summary(report: pd.DataFrame) -> pd.DataFrame:
    """What harmonising did, one row a kind of action and detail: how many rows, areas and indicators."""
    grouped = report.groupby(["action", "source_id", "detail"], dropna=False, sort=True)
    return grouped.agg(
        rows=("rows", "sum"), areas=("area_code", "nunique"), indicators=("indicator_id", "nunique")
    ).reset_index()


def content_hash(observations: pd.DataFrame) -> str:
    """Hash of the table's keys and values, whatever the order of its rows."""
    ordered = observations.sort_values(list(KEY), kind="stable", ignore_index=True)
    return hash_of(
        str(pd.util.hash_pandas_object(ordered[[*KEY, "status", "value"]].round({"value": 6}), index=False).sum())
    )


def release_folder() -> Path:
    """Folder of the default data."""
    return project().path("data", "release")


def read_reference(folder: Path | None = None) -> pd.DataFrame:
    """Read ``reference.csv``, indexed by indicator."""
    path = (folder or release_folder()) / "reference.csv"
    if not path.is_file():
        message = f"No release in {path.parent}: run `outcomes refresh` first."
        raise ReleaseError(message)
    return pd.read_csv(path, index_col="indicator_id")


def read_manifest(folder: Path | None = None) -> dict[str, object]:
    """Read the release's manifest: sources, hashes, data as at."""
    path = (folder or release_folder()) / "manifest.json"
    if not path.is_file():
        message = f"No release in {path.parent}: run `outcomes refresh` first."
        raise ReleaseError(message)
    return dict(json.loads(path.read_text(encoding="utf-8")))


def read_release(folder: Path) -> pd.DataFrame:
    """Read a release folder into the tidy table in natural units.

    Raises
    ------
    ReleaseError
        If the folder holds no release, or a file of it is damaged.
    """
    reference = read_reference(folder)
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        message = f"No tables in {folder}: run `outcomes refresh` first."
        raise ReleaseError(message)
    parts = []
    for path in paths:
        try:
            parts.append(pd.read_parquet(path))
        except Exception as error:
            message = f"{path} cannot be read ({error}): fetch it again from the repository, or run `outcomes refresh`."
            raise ReleaseError(message) from error
    return natural_cells(pd.concat(parts, ignore_index=True), reference)


def data_as_at(source_ids: Iterable[str], *, folder: Path | None = None) -> str:
    """Latest date (ISO) at which any of the sources was current; empty where none is of the release."""
    listed = {str(s["id"]): str(s["data_as_at"]) for s in _listed_sources(folder or release_folder())}
    return max((listed[name] for name in source_ids if name in listed), default="")


def source_line(source_ids: Iterable[str], *, folder: Path | None = None) -> str:
    """Publishers of the sources, for the foot of a figure: each once, in alphabetical order."""
    listed = {str(s["id"]): str(s["publisher"]) for s in _listed_sources(folder or release_folder())}
    return "; ".join(sorted({listed.get(name, "local figures") for name in source_ids}))


@cache
def _listed_sources(folder: Path) -> list[dict[str, object]]:
    if not (folder / "manifest.json").is_file():
        return []
    sources = read_manifest(folder)["sources"]
    return list(sources) if isinstance(sources, list) else []


@cache
def _default(folder: Path) -> pd.DataFrame:
    return read_release(folder)


def forget() -> None:
    """Let go of the release kept in memory, once another has been written."""
    _default.cache_clear()
    _listed_sources.cache_clear()


def load_observations() -> pd.DataFrame:
    """Load the default data: every figure, every area level, in natural units.

    Returns
    -------
    DataFrame
        The tidy table (see ``data/README.md``), a fresh copy each time.

    Raises
    ------
    ReleaseError
        If the release is missing or damaged.
    """
    table = _default(release_folder()).copy()
    table.attrs["data_as_at"] = str(read_manifest()["data_as_at"])
    return table


def compare_releases(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """Say how a rebuilt release differs from a folder.

    Tables are compared cell by cell (numbers to a relative 1e-6, since logarithms differ in the last digit between
    machines), outlines to 100 m (the national grid is reached to a few metres), everything else byte by byte.

    Parameters
    ----------
    files : mapping of str to bytes
        From :func:`pack_release`.
    folder : Path
        The release to compare with.

    Returns
    -------
    list of str
        One line a difference; empty when they agree.
    """
    here = {p.name for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")}
    differences = [f"{name} is missing here" for name in sorted(set(files) - here)]
    differences += [f"{name} should not be here" for name in sorted(here - set(files))]
    for name in sorted(set(files) & here):
        old = (folder / name).read_bytes()
        if old == files[name]:
            continue
        if name.endswith(".parquet"):
            difference = _table_difference(pd.read_parquet(io.BytesIO(files[name])), pd.read_parquet(io.BytesIO(old)))
        elif name == "reference.csv":
            difference = _table_difference(pd.read_csv(io.BytesIO(files[name])), pd.read_csv(io.BytesIO(old)))
        elif name.startswith("outlines"):
            difference = _outline_difference(json.loads(files[name]), json.loads(old))
        else:
            difference = "content differs"
        if difference:
            differences.append(f"{name}: {difference}")
    return differences


def _table_difference(new: pd.DataFrame, old: pd.DataFrame) -> str:
    if list(new.columns) != list(old.columns):
        return f"columns {list(old.columns)} became {list(new.columns)}"
    if len(new) != len(old):
        return f"{len(old):,} rows became {len(new):,}"
    wrong = []
    for column in new.columns:
        a, b = new[column], old[column]
        if pd.api.types.is_float_dtype(a):
            same = np.isclose(a.to_numpy(float), b.to_numpy(float), rtol=1e-6, atol=1e-9, equal_nan=True)
        else:
            same = (a.astype("str") == b.astype("str")).to_numpy()
        if not same.all():
            row = new.iloc[int(np.argmin(same))]
            wrong.append(f"{column} in {int((~same).sum()):,} rows (first: {' '.join(map(str, row.iloc[:3]))})")
    return "; ".join(wrong)


def _outline_difference(new: dict[str, object], old: dict[str, object]) -> str:
    if list(_words(new)) != list(_words(old)):
        return "other names, codes or their order"
    a, b = (np.array(list(_numbers(x)), dtype=float) for x in (new, old))
    if a.shape != b.shape:
        return "another number of points"
    return "" if len(a) == 0 or np.abs(a - b).max() <= 100 else f"points moved by up to {np.abs(a - b).max():.0f} m"


def _words(content: object) -> Iterable[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from _words(value)
    elif isinstance(content, list):
        for value in content:
            yield from _words(value)
    elif isinstance(content, str):
        yield content


def _numbers(content: object) -> Iterable[float]:
    if isinstance(content, dict):
        for value in content.values():
            yield from _numbers(value)
    elif isinstance(content, list):
        for value in content:
            yield from _numbers(value)
    elif isinstance(content, (int, float)):
        yield float(content)
