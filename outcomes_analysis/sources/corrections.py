"""Corrections of published figures that are certainly wrong, and marks on doubtful ones, as data: what, where, why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from outcomes_analysis.errors import CorrectionError, Problems, several
from outcomes_analysis.observations.contract import MISSING, join_flags
from outcomes_analysis.project import project
from outcomes_analysis.sources.registry import Registry, Text

Action = Literal["drop", "scale", "replace", "set_status", "mark"]
TOLERANCE = 1e-9  # relative: the figure is compared with what was published, after its factor


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else (value,)


class Expect(BaseModel):
    """What the published figures must still be for the correction to hold.

    Attributes
    ----------
    value : float, optional
        Every figure is this one.
    min, max : float, optional
        Every figure is at least, at most this.
    missing : bool
        There is no figure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None = None
    min: float | None = None
    max: float | None = None
    missing: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Expect:
        if self.missing == any(v is not None for v in (self.value, self.min, self.max)):
            message = "expect must say either `missing: true`, or a value, a min or a max"
            raise ValueError(message)
        return self

    def fails(self, values: pd.Series) -> pd.Series:
        """Tell the figures that are not as expected."""
        if self.missing:
            return values.notna()
        bad = values.isna()
        if self.value is not None:
            bad |= ~np.isclose(values, self.value, rtol=TOLERANCE, atol=TOLERANCE)
        if self.min is not None:
            bad |= values < self.min
        if self.max is not None:
            bad |= values > self.max
        return bad


class Correction(BaseModel):
    """One correction.

    Attributes
    ----------
    area : tuple of str
        Codes as published.
    periods : ``all``, or tuple of int or str
        A number is the year in which the period ends; a text is a canonical label.
    action : {"drop", "scale", "replace", "set_status", "mark"}
        Leave the rows out; multiply value and bounds by ``to``; put ``to`` in place of the value; take the value away
        and give ``to`` as the reason; leave the value and flag it ``doubtful``.
    reported : str
        Where the publisher was told, or that it was not.
    status : {"open", "confirmed"}
        Whether the publisher has confirmed it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    indicator: str
    source: str
    area: Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)] = Field(min_length=1)
    periods: Literal["all"] | tuple[int | str, ...]
    action: Action
    to: float | str | None = None
    expect: Expect
    reason: str = Field(min_length=20)
    reported: str
    status: Literal["open", "confirmed"]

    @model_validator(mode="after")
    def _to_fits_action(self) -> Correction:
        number = isinstance(self.to, float)
        fits = {
            "drop": self.to is None,
            "mark": self.to is None,
            "scale": number,
            "replace": number,
            "set_status": isinstance(self.to, str) and self.to in MISSING,
        }
        if not fits[self.action]:
            message = (
                f"action '{self.action}' with to = {self.to!r}: give a number to scale or replace, "
                f"one of {', '.join(MISSING)} to set_status, nothing to drop or mark"
            )
            raise ValueError(message)
        return self


def load_corrections(path: Path | None = None, *, registry: Registry | None = None) -> tuple[Correction, ...]:
    """Read the corrections.

    Parameters
    ----------
    path : Path, optional
        A YAML file with a list ``corrections``; the project's ``data/framework/corrections.yml`` if not given.
    registry : Registry, optional
        If given, each correction must be of an indicator that its source has.

    Returns
    -------
    tuple of Correction

    Raises
    ------
    CorrectionError
        Naming every fault of the file at once.
    """
    path = project().path("data", "framework", "corrections.yml") if path is None else path
    problems, found = Problems(path.name), []
    for number, entry in enumerate(_entries(path), start=1):
        name = entry.get("id", number) if isinstance(entry, dict) else number
        try:
            found.append(Correction.model_validate(entry))
        except ValidationError as error:
            for fault in error.errors():
                key = ".".join(str(part) for part in fault["loc"])
                problems.add(
                    f"correction {name}: {key + ': ' if key else ''}{fault['msg'].removeprefix('Value error, ')}"
                )
    ids = [c.id for c in found]
    for repeated in sorted({i for i in ids if ids.count(i) > 1}):
        problems.add(f"id '{repeated}' is given {ids.count(repeated)} times")
    if registry is not None:
        known = {(s.id, x.indicator) for s in registry.sources for x in s.series}
        for correction in found:
            if (correction.source, correction.indicator) not in known:
                problems.add(
                    f"correction {correction.id}: source '{correction.source}' has no '{correction.indicator}'"
                )
    problems.raise_if_any(CorrectionError)
    return tuple(found)


def _entries(path: Path) -> list[Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path.name} is not a readable YAML file: {error}"
        raise CorrectionError(message) from error
    if not isinstance(content, dict) or set(content) != {"corrections"}:
        message = f"{path.name} must hold one key, `corrections`, with a list under it."
        raise CorrectionError(message)
    return content["corrections"] or []


def apply_corrections(raw: pd.DataFrame, corrections: tuple[Correction, ...]) -> pd.DataFrame:
    """Correct what is certainly wrong and mark what is doubtful, if it is still as it was when that was written.

    Parameters
    ----------
    raw : DataFrame
        Raw frame of one or several sources. A correction of an indicator that the frame does not have from that
        source is passed over; any other must match.
    corrections : tuple of Correction
        As :func:`load_corrections` returns them.

    Returns
    -------
    DataFrame
        A new frame. Rows dropped are counted in ``attrs["excluded"]``; a replaced value is ``estimated``.

    Raises
    ------
    CorrectionError
        If a correction matches no row, misses one of its areas or periods, or the figures are no longer those it
        expects: the publisher has changed them, and the correction must be looked at again. All at once.
    """
    problems = Problems("Corrections of published figures")
    result = raw.copy()
    result.attrs = {}
    excluded = list(raw.attrs.get("excluded", ()))
    drop = np.zeros(len(raw), dtype=bool)
    for correction in corrections:
        of_source = (raw["source_id"] == correction.source) & (raw["indicator_id"] == correction.indicator)
        if not of_source.any():
            continue
        at = of_source & raw["published_code"].isin(correction.area) & _in_periods(raw, correction)
        fault = _mismatch(raw[at], correction)
        if fault:
            problems.add(f"{correction.id} ({correction.indicator} of {correction.source}): {fault}")
            continue
        if correction.action == "drop":
            drop |= at.to_numpy()
            why = f"correction {correction.id}"
            excluded.append((correction.source, correction.indicator, why, int(at.sum())))
        else:
            _change(result, at, correction)
    problems.raise_if_any(CorrectionError)
    result = result[~drop].reset_index(drop=True)
    result.attrs["excluded"] = tuple(excluded)
    return result


def _in_periods(raw: pd.DataFrame, correction: Correction) -> pd.Series:
    if correction.periods == "all":
        return pd.Series(True, index=raw.index)
    return raw["period"].isin(correction.periods) | raw["period_end"].dt.year.isin(correction.periods)


def _mismatch(rows: pd.DataFrame, correction: Correction) -> str:
    """Why a correction does not hold any more, or nothing."""
    again = "Look at the source again, then change or remove the correction."
    absent = [area for area in correction.area if area not in set(rows["published_code"])]
    if absent:
        return f"matches no row of area {several(absent)}. {again}"
    if correction.periods != "all":
        found = set(rows["period"]) | set(rows["period_end"].dt.year)
        gone = [p for p in correction.periods if p not in found]
        if gone:
            return f"matches no row of period {several(gone)}. {again}"
    bad = correction.expect.fails(rows["value"])
    if bad.any():
        shown = several(f"{r.published_code} {r.period}: {r.value:g}" for r in rows[bad].itertuples())
        terms = ", ".join(f"{k} {v}" for k, v in correction.expect.model_dump(exclude_defaults=True).items())
        return f"expects {terms}, but {int(bad.sum())} figures are not so ({shown}). {again}"
    return ""


def _change(result: pd.DataFrame, at: pd.Series, correction: Correction) -> None:
    bounds = ["lower", "upper"]
    if correction.action == "mark":
        result["flags"] = join_flags(result["flags"], "doubtful", where=at)
    elif correction.action == "scale":
        result.loc[at, ["value", *bounds]] *= correction.to
    elif correction.action == "replace":
        result.loc[at, ["value", *bounds, "level"]] = [correction.to, np.nan, np.nan, np.nan]
        result.loc[at, "status"] = "estimated"
    else:
        result.loc[at, ["value", *bounds, "level"]] = np.nan
        result.loc[at, "status"] = correction.to


def doubts(corrections: tuple[Correction, ...] | None = None) -> pd.DataFrame:
    """List the figures left as published but marked as doubtful, with the reason.

    Parameters
    ----------
    corrections : tuple of Correction, optional
        The project's own by default.

    Returns
    -------
    DataFrame
        One row a mark, area and period: ``indicator_id, source_id, published_code, period`` (a label, or the year in
        which it ends) and ``reason``, for whoever shows a figure flagged ``doubtful``.
    """
    marks = [c for c in (load_corrections() if corrections is None else corrections) if c.action == "mark"]
    rows = [
        (c.indicator, c.source, area, str(period), c.reason)
        for c in marks
        for area in c.area
        for period in (("all",) if c.periods == "all" else c.periods)
    ]
    return pd.DataFrame(rows, columns=["indicator_id", "source_id", "published_code", "period", "reason"], dtype="str")
