"""From published files to one raw frame: each source by its own reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal

import pandas as pd

from outcomes_analysis.errors import Problems, SourceError
from outcomes_analysis.sources.fetching import Progress
from outcomes_analysis.sources.raw_frame import concat_raw
from outcomes_analysis.sources.registry import RegisteredSource, Registry

ReadFunction = Callable[[Path, RegisteredSource], pd.DataFrame]

# Module and function of each reader; a module is loaded when its reader is first used.
READERS: Mapping[str, tuple[str, str]] = {
    "lait": ("lait", "read"),
    "ees": ("ees", "read"),
    "population": ("ees", "read"),
    "fingertips": ("fingertips", "read"),
    "ons": ("ons", "read"),
    "districts": ("districts", "read"),
    "deprivation_2019": ("deprivation", "read_2019"),
    "deprivation_2025": ("deprivation", "read_2025"),
}


def read_source(path: Path, source: RegisteredSource) -> pd.DataFrame:
    """Read all series of one source.

    Parameters
    ----------
    path : Path
        The file.
    source : RegisteredSource
        Its registration.

    Returns
    -------
    DataFrame
        Raw frame: the columns of observations but ``area_code``; ``published_code`` as published. Never empty.
        Missing values are NaN with a status that says why. ``attrs["excluded"]`` lists what was left out.

    Raises
    ------
    SourceError
        If the source holds no observations, or the file is not what the registry says.
    """
    if source.reader not in READERS:
        message = f"Source '{source.id}' is read by '{source.reader}', which gives no observations."
        raise SourceError(message)
    module, function = READERS[source.reader]
    read: ReadFunction = getattr(import_module(f"outcomes_analysis.sources.{module}"), function)
    return read(path, source)


def read_all(
    paths: Mapping[str, Path],
    registry: Registry,
    *,
    role: Literal["primary", "cross_check", "any"] = "primary",
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Read every source of the registry that holds observations.

    Parameters
    ----------
    paths : mapping
        ``source_id`` to file, as :func:`~outcomes_analysis.sources.fetching.fetch` returns; none may be missing.
    registry : Registry
        The sources.
    role : {"primary", "cross_check", "any"}
        Which series: those the indicators are made from, those they are checked against, or both (the key of the
        table then repeats).
    progress : callable, optional
        Called with source id, sources read so far and sources in all.

    Returns
    -------
    DataFrame
        Raw frame of all sources under one another, in the order of the registry.

    Raises
    ------
    SourceError
        Naming every source that cannot be read, at once.
    """
    problems, frames = Problems("Reading the sources"), []
    wanted = [(source, tuple(s for s in source.series if role in ("any", s.role))) for source in registry.with_series]
    wanted = [(source, chosen) for source, chosen in wanted if chosen]
    for number, (source, chosen) in enumerate(wanted, start=1):
        if source.id not in paths:
            problems.add(f"no file for source '{source.id}' ({source.path}). Fetch it first.")
            continue
        try:
            frames.append(read_source(paths[source.id], source.model_copy(update={"series": chosen})))
        except SourceError as error:
            problems.add(str(error))
        if progress is not None:
            progress(source.id, number, len(wanted))
    problems.raise_if_any(SourceError)
    if not frames:
        message = f"No source of the registry has a series with role '{role}'."
        raise SourceError(message)
    return concat_raw(frames)
