"""Who published what, where it is, and which column of it is which indicator: the registry ``data/sources.yml``."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from outcomes_analysis.errors import Problems, SourceError, several
from outcomes_analysis.observations.contract import GROUP_TYPES
from outcomes_analysis.observations.periods import Kind
from outcomes_analysis.project import project
from outcomes_analysis.provenance import Source

Reader = Literal[
    "lait",
    "ees",
    "fingertips",
    "ons",
    "districts",
    "deprivation_2019",
    "deprivation_2025",
    "population",
    "boundaries",
    "hexes",
    "lookup",
    "dictionary",
]
SERIES_READERS = (
    "lait",
    "ees",
    "fingertips",
    "ons",
    "districts",
    "deprivation_2019",
    "deprivation_2025",
    "population",
)
ONE_TABLE = ("ees", "population")  # readers of files that may hold one table only, so that no rows need selecting
AreaLevel = Literal["upper_tier", "district", "both"]
Role = Literal["primary", "cross_check"]

POPULATION = "population_0_17"  # a denominator that is no column of the file: children aged 0 to 17
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_WINDOWS_DRIVE = re.compile(r"^[A-Za-z]:")


def _as_text(value: object) -> object:
    """Let YAML's numbers stand for text: ``column: 2019`` means the column named 2019."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_names(value: object) -> object:
    """One column name, or several of which the first that is there counts (names change between releases)."""
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(_as_text(v) for v in value)
    return (_as_text(value),)


ColumnNames = Annotated[tuple[str, ...], BeforeValidator(_as_names)]
Text = Annotated[str, BeforeValidator(_as_text)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Series(_Frozen):
    """One indicator within a file: which rows, which columns.

    Attributes
    ----------
    indicator : str
        ``indicator_id`` of the framework.
    period_kind : str
        How a bare label such as ``2025`` is dated: ``academic``, ``financial``, ``calendar``, ``march_31``, ...
    group_type, group : str
        Which children; ``all``/``all`` unless the rows are about some of them.
    level : {"upper_tier", "district", "both"}
        Which areas to keep: those of the upper tier with regions and England, lower-tier districts alone, or both.
    select : dict
        Column (or, for ``lait``, ``series``) to the value its rows must have. Only ``ees`` and ``population`` files may
        leave it out, where every row is meant (two rows for one area and period are an error all the same).
    value, numerator, denominator : tuple of str
        Column names, the first that is there being used; all empty where the reader knows them. Without ``value`` it
        is numerator / denominator. The denominator may be ``population_0_17``.
    factor : float
        What the published value and its bounds are multiplied by (100 turns a share into a percentage).
    first_period, last_period : int, optional
        Years to keep, both included: the year in which the period ends.
    role : {"primary", "cross_check"}
        Whether it is the source of the indicator, or another against which it is checked.
    """

    indicator: str = Field(min_length=1)
    period_kind: Kind
    group_type: str = "all"
    group: Text = "all"
    level: AreaLevel = "upper_tier"
    select: dict[str, Text] = Field(default_factory=dict)
    value: ColumnNames = ()
    numerator: ColumnNames = ()
    denominator: ColumnNames = ()
    factor: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    first_period: int | None = None
    last_period: int | None = None
    role: Role = "primary"

    @field_validator("group_type")
    @classmethod
    def _known_group_type(cls, value: str) -> str:
        if value not in GROUP_TYPES:
            message = f"'{value}' is not one of {', '.join(GROUP_TYPES)}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Series:
        if (self.group_type == "all") != (self.group == "all"):
            message = f"group_type '{self.group_type}' with group '{self.group}': both are 'all', or neither"
            raise ValueError(message)
        if self.first_period is not None and self.last_period is not None and self.first_period > self.last_period:
            message = f"first_period {self.first_period} is after last_period {self.last_period}"
            raise ValueError(message)
        return self

    @property
    def derived(self) -> bool:
        """Whether the value is not published but made from a numerator and a denominator."""
        return not self.value and bool(self.numerator)


class RegisteredSource(_Frozen):
    """One published file: the fields of :class:`~outcomes_analysis.provenance.Source`, its reader and its series.

    ``note`` is for whoever reads the registry: traps of the file, what is not taken from it.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    path: str
    url: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(gt=0)
    title: str = Field(min_length=1)
    publisher: str = Field(min_length=1)
    publisher_page: str
    obtained_via: str
    data_as_at: Annotated[str, BeforeValidator(str)] = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    licence: str = Field(min_length=1)
    attribution: str = Field(min_length=1)
    reader: Reader
    note: str = ""
    series: tuple[Series, ...] = ()

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        check_relative(value)
        return value

    @field_validator("url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        check_address(value)
        return value

    @model_validator(mode="after")
    def _series_where_read(self) -> RegisteredSource:
        if self.series and self.reader not in SERIES_READERS:
            message = f"reader '{self.reader}' gives no series, but {len(self.series)} are listed"
            raise ValueError(message)
        if not self.series and self.reader in SERIES_READERS:
            message = f"reader '{self.reader}' needs at least one series"
            raise ValueError(message)
        bare = [x.indicator for x in self.series if not x.select and self.reader not in ONE_TABLE]
        if bare:
            message = f"series without select: {several(bare)}. Say which column must have which value"
            raise ValueError(message)
        return self

    @property
    def provenance(self) -> Source:
        """The part of it that results carry."""
        return Source(**{f.name: getattr(self, f.name) for f in fields(Source)})


class Registry(_Frozen):
    """Every published file the default data are made from."""

    sources: tuple[RegisteredSource, ...]

    def source(self, source_id: str) -> RegisteredSource:
        """Find a source by its id.

        Raises
        ------
        SourceError
            If there is none, naming those there are.
        """
        for source in self.sources:
            if source.id == source_id:
                return source
        known = several((s.id for s in self.sources), limit=50)
        message = f"No source '{source_id}' in the registry. There are: {known}."
        raise SourceError(message)

    def series_for(self, indicator: str) -> tuple[tuple[RegisteredSource, Series], ...]:
        """Every series of an indicator with its source, the primary ones first; empty if there is none."""
        found = [(s, x) for s in self.sources for x in s.series if x.indicator == indicator]
        return tuple(sorted(found, key=lambda pair: pair[1].role != "primary"))

    @property
    def with_series(self) -> tuple[RegisteredSource, ...]:
        """The sources that hold observations (not boundaries, look-ups or dictionaries)."""
        return tuple(source for source in self.sources if source.series)


def check_relative(path: str) -> None:
    """Refuse a path that could leave the folder it is joined to.

    Raises
    ------
    ValueError
        If it is empty, absolute, climbs out with ``..``, or uses back slashes.
    """
    pure = PurePosixPath(path)
    if not path or "\\" in path or "\x00" in path or pure.is_absolute() or _WINDOWS_DRIVE.match(path):
        message = f"path '{path}' must be relative, with forward slashes"
        raise ValueError(message)
    if ".." in pure.parts or str(pure) == ".":
        message = f"path '{path}' leads out of the folder"
        raise ValueError(message)


def check_address(url: str) -> None:
    """Refuse an address that is not https (http is allowed for this computer itself alone).

    Raises
    ------
    ValueError
        If it is another kind of address, or carries a user name or password.
    """
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (parts.scheme == "https" and parts.hostname) and not local:
        message = f"url '{url}' is not https"
        raise ValueError(message)
    if parts.username or parts.password:
        message = "url carries a user name or password"
        raise ValueError(message)


def load_sources(path: Path | None = None) -> Registry:
    """Read and check the registry of sources.

    Parameters
    ----------
    path : Path, optional
        A YAML file with a list ``sources``; the project's ``data/sources.yml`` if not given.

    Returns
    -------
    Registry

    Raises
    ------
    SourceError
        If the file is missing or breaks a rule; every fault is named at once.
    """
    path = project().path("data", "sources.yml") if path is None else path
    problems = Problems(path.name)
    sources = []
    for number, entry in enumerate(_entries(path), start=1):
        name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
        try:
            sources.append(RegisteredSource.model_validate(entry))
        except ValidationError as error:
            for fault in error.errors():
                problems.add(f"source '{name}'{_fault(fault, entry)}")
    _check_unique(sources, problems)
    problems.raise_if_any(SourceError)
    return Registry(sources=tuple(sources))


def _entries(path: Path) -> list[Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"There is no registry of sources at {path}. Give the path of a YAML file with a list `sources`."
        raise SourceError(message) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path.name} is not a readable YAML file: {error}"
        raise SourceError(message) from error
    if not isinstance(content, dict) or set(content) != {"sources"} or not isinstance(content["sources"], list):
        message = f"{path.name} must hold one key, `sources`, with a list under it."
        raise SourceError(message)
    if not content["sources"]:
        message = f"{path.name} lists no source."
        raise SourceError(message)
    return content["sources"]


def _fault(fault: Any, entry: Any) -> str:
    """Word one of pydantic's findings for a person who edits the file."""
    where = list(fault["loc"])
    place = ""
    if len(where) >= 2 and where[0] == "series" and isinstance(where[1], int):
        listed = entry["series"][where[1]]
        indicator = listed.get("indicator", "?") if isinstance(listed, dict) else "?"
        place = f", series {where[1] + 1} ({indicator})"
        where = where[2:]
    key = ".".join(str(part) for part in where)
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key '{key}'"
    if fault["type"] == "missing":
        return f"{place}: '{key}' is missing"
    text = fault["msg"].removeprefix("Value error, ")
    given = "" if fault["type"] == "value_error" else f" (given: {fault['input']!r})"
    return f"{place}: {f'{key}: ' if key else ''}{text}{given}"


def _check_unique(sources: list[RegisteredSource], problems: Problems) -> None:
    for field in ("id", "path"):
        for value, count in Counter(getattr(s, field) for s in sources).items():
            if count > 1:
                problems.add(f"{field} '{value}' is given {count} times")
    places: dict[tuple[str, str, str, str], list[str]] = {}
    for source in sources:
        for series in source.series:
            if series.role == "primary":
                levels = ("upper_tier", "district") if series.level == "both" else (series.level,)
                for level in levels:
                    key = (series.indicator, level, series.group_type, series.group)
                    places.setdefault(key, []).append(source.id)
    for (indicator, level, group_type, group), ids in places.items():
        if len(ids) > 1:
            group_text = "" if group_type == "all" else f", {group_type} = {group}"
            problems.add(f"{indicator} ({level}{group_text}) has {len(ids)} primary sources: {several(ids)}")
