"""The one tidy table of observations: its columns, its key, and the check that says all that is wrong at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from outcomes_analysis.errors import ObservationsError, Problems, several
from outcomes_analysis.framework.model import Framework

COLUMNS: tuple[str, ...] = (
    "indicator_id",
    "area_code",
    "period",
    "group_type",
    "group",
    "published_code",
    "period_start",
    "period_end",
    "value",
    "lower",
    "upper",
    "level",
    "se_sampling",
    "se_total",
    "numerator",
    "denominator",
    "status",
    "flags",
    "source_id",
)
KEY: tuple[str, ...] = ("indicator_id", "area_code", "period", "group_type", "group")
TEXT: tuple[str, ...] = (*KEY, "published_code", "status", "flags", "source_id")
NUMBERS: tuple[str, ...] = (
    "value",
    "lower",
    "upper",
    "level",
    "se_sampling",
    "se_total",
    "numerator",
    "denominator",
)
DATES: tuple[str, ...] = ("period_start", "period_end")

STATUSES: tuple[str, ...] = (
    "published",
    "estimated",
    "inherited",
    "imputed",
    "suppressed",
    "not_available",
    "not_applicable",
)
MISSING: tuple[str, ...] = ("suppressed", "not_available", "not_applicable")
MEASURED: tuple[str, ...] = ("published",)  # the only status that may set a standard, a rank or a spread
FLAGS: tuple[str, ...] = ("break_before", "capped", "doubtful", "low_reliability", "provisional", "revised", "rounded")
GROUP_TYPES: tuple[str, ...] = ("all", "disadvantage", "ethnicity", "fsm", "sen", "sex", "social_care")

# Bounds and values are published rounded, each on its own: half a unit in the last of four decimals.
ROUNDING = 5e-5


def empty() -> pd.DataFrame:
    """Make a table of no observations, with every column and its type.

    Returns
    -------
    DataFrame
        No rows; columns as in ``COLUMNS``.
    """
    return conform(pd.DataFrame({column: [] for column in COLUMNS}))


def conform(obs: pd.DataFrame) -> pd.DataFrame:
    """Give a table the contract's column order and types; columns it lacks are left out, extra ones dropped.

    Parameters
    ----------
    obs : DataFrame
        Any subset of the contract's columns, and others.

    Returns
    -------
    DataFrame
        A new table. Text is ``str``, numbers ``float64``, dates ``datetime64[s]``.
    """
    present = [column for column in COLUMNS if column in obs.columns]
    types = dict.fromkeys(TEXT, "str") | dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(DATES, "datetime64[s]")
    return obs[present].astype({column: types[column] for column in present})


def combine(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of observations into one.

    Parameters
    ----------
    frames : iterable of DataFrame
        Each with the contract's columns; empty ones are skipped.

    Returns
    -------
    DataFrame
        Rows in the order given, numbered anew. The key is not checked here: ``check_observations`` does that.
    """
    kept = [conform(frame) for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else empty()


def check_observations(
    obs: pd.DataFrame,
    *,
    framework: Framework | None = None,
    known_areas: Collection[str] | None = None,
    where: str = "observations",
    first_row: int = 1,
) -> pd.DataFrame:
    """Check a table against the contract and raise once, naming every fault.

    Parameters
    ----------
    obs : DataFrame
        The table.
    framework : Framework, optional
        If given, indicators must be registered in it and values lie within each one's valid range.
    known_areas : collection of str, optional
        If given, the only area codes allowed.
    where : str
        File or table named in the message.
    first_row : int
        Number of the first row in messages; 2 for a CSV whose header is line 1.

    Returns
    -------
    DataFrame
        The table as given, so that the check can stand in a chain.

    Raises
    ------
    ObservationsError
        With how many rows each fault has and the first five of them.
    """
    problems = Problems(where)
    if _columns_are_wrong(obs, problems):
        problems.raise_if_any(ObservationsError)
    _Checker(obs, problems, first_row).run(framework, known_areas)
    problems.raise_if_any(ObservationsError)
    return obs


def _columns_are_wrong(obs: pd.DataFrame, problems: Problems) -> bool:
    """Note missing, unknown, doubled or mistyped columns: nothing else can be checked while they are wrong."""
    names = list(obs.columns)
    missing = [column for column in COLUMNS if column not in names]
    unknown = [column for column in names if column not in COLUMNS]
    doubled = sorted({str(column) for column in names if names.count(column) > 1})
    if missing:
        problems.add(f"{len(missing)} columns missing: {several(missing, limit=len(COLUMNS))}. Add them.")
    if unknown:
        problems.add(f"{len(unknown)} unknown columns: {several(unknown)}. Remove or rename them.")
    if doubled:
        problems.add(f"columns given twice: {several(doubled)}. Keep one of each.")
    if missing or doubled:
        return True
    texts = [column for column in NUMBERS if not pd.api.types.is_numeric_dtype(obs[column])]
    dates = [column for column in DATES if not pd.api.types.is_datetime64_any_dtype(obs[column])]
    if texts:
        problems.add(f"not numbers: columns {several(texts)}. Keep symbols in 'status' and leave the value empty.")
    if dates:
        problems.add(f"not dates: columns {several(dates)}. Read periods with parse_periods.")
    return bool(texts or dates)


class _Checker:
    """The checks of the rows, each one vectorised over the whole table."""

    def __init__(self, obs: pd.DataFrame, problems: Problems, first_row: int) -> None:
        self.obs = obs
        self.problems = problems
        self.first_row = first_row

    def run(self, framework: Framework | None, known_areas: Collection[str] | None) -> None:
        self.key()
        self.words("status", STATUSES)
        self.flags()
        self.values()
        self.errors()
        self.periods()
        if framework is not None:
            self.indicators(framework)
        if known_areas is not None:
            self.areas(known_areas)

    def note(self, bad: np.ndarray, message: str, *, show: str = "") -> None:
        """Note a fault with its count, first five rows, and the values of one column there."""
        where = np.flatnonzero(bad)
        if not len(where):
            return
        shown = list(where[:5])
        if show:
            values = self.obs[show].iloc[shown]
            rows = [f"{i + self.first_row} ({value})" for i, value in zip(shown, values, strict=True)]
        else:
            rows = [str(i + self.first_row) for i in shown]
        more = len(where) - len(shown)
        tail = f" and {more:,} more" if more else ""
        noun = "row" if len(where) == 1 else "rows"
        self.problems.add(f"{message} in {len(where):,} {noun}: {noun} {', '.join(rows)}{tail}.")

    def column(self, name: str) -> np.ndarray:
        return self.obs[name].to_numpy(dtype=float, na_value=np.nan)

    def key(self) -> None:
        codes = np.zeros(len(self.obs), dtype=np.int64)
        for name in KEY:
            labels, levels = pd.factorize(self.obs[name])
            self.note(labels < 0, f"no {name}")
            # Numbering again after each column keeps the product of the levels within 64 bits.
            codes = pd.factorize(codes * (len(levels) + 1) + labels + 1)[0].astype(np.int64)
        repeated = pd.Series(codes).duplicated(keep=False).to_numpy()
        self.note(repeated, f"more than one value for one key ({', '.join(KEY)})", show="indicator_id")
        whole = (self.obs["group_type"] == "all") != (self.obs["group"] == "all")
        self.note(whole.to_numpy(), "group_type and group must both be 'all', or neither", show="group")

    def words(self, name: str, allowed: tuple[str, ...]) -> None:
        bad = ~self.obs[name].isin(allowed).to_numpy()
        self.note(bad, f"unknown {name} (allowed: {', '.join(allowed)})", show=name)

    def flags(self) -> None:
        bad_texts = [text for text in self.obs["flags"].unique() if not _flags_valid(text)]
        bad = self.obs["flags"].isin(bad_texts).to_numpy() | self.obs["flags"].isna().to_numpy()
        self.note(bad, f"unknown flags (allowed: sorted, joined by ';', of {', '.join(FLAGS)})", show="flags")

    def values(self) -> None:
        value = self.column("value")
        missing = self.obs["status"].isin(MISSING).to_numpy()
        known = self.obs["status"].isin(STATUSES).to_numpy()
        self.note(np.isnan(value) & ~missing & known, "no value, yet the status says there is one", show="status")
        self.note(~np.isnan(value) & missing, "a value, yet the status says there is none", show="status")
        self.note(np.isinf(value), "infinite value", show="value")
        for name in ("numerator", "denominator"):
            self.note(self.column(name) < 0, f"negative {name}", show=name)

    def errors(self) -> None:
        value, lower, upper, level = (self.column(name) for name in ("value", "lower", "upper", "level"))
        slack = ROUNDING + 1e-9 * np.abs(np.where(np.isinf(value), 0.0, value))
        self.note(lower > value + slack, "lower bound above the value", show="lower")
        self.note(upper < value - slack, "upper bound below the value", show="upper")
        self.note(np.isnan(lower) != np.isnan(upper), "only one of the two bounds")
        self.note(~np.isnan(lower) & ~((level > 0) & (level < 1)), "bounds without a level between 0 and 1")
        for name in ("se_sampling", "se_total"):
            self.note(self.column(name) < 0, f"negative {name}", show=name)
        below = self.column("se_total") < self.column("se_sampling") * (1 - 1e-9)
        self.note(below, "se_total smaller than se_sampling", show="se_total")

    def periods(self) -> None:
        start, end = self.obs["period_start"], self.obs["period_end"]
        self.note((start.isna() | end.isna()).to_numpy(), "no period_start or period_end", show="period")
        self.note((end < start).to_numpy(), "period_end before period_start", show="period")

    def indicators(self, framework: Framework) -> None:
        ranges = {indicator.id: indicator.valid_range for indicator in framework.indicators}
        labels, ids = pd.factorize(self.obs["indicator_id"])
        unknown = np.array([i not in ranges for i in ids] + [False], dtype=bool)[labels]
        remedy = f"indicator not registered in framework '{framework.id}' (register it or remove the rows)"
        self.note(unknown, remedy, show="indicator_id")
        low = np.array([ranges.get(i, (-np.inf, np.inf))[0] for i in ids] + [-np.inf])[labels]
        high = np.array([ranges.get(i, (-np.inf, np.inf))[1] for i in ids] + [np.inf])[labels]
        value = self.column("value")
        outside = (value < low - ROUNDING) | (value > high + ROUNDING)
        for position in np.unique(labels[outside]):
            name = ids[position]
            span = f"{ranges[name][0]:g} to {ranges[name][1]:g}"
            self.note(outside & (labels == position), f"value outside the range of '{name}' ({span})", show="value")

    def areas(self, known_areas: Collection[str]) -> None:
        bad = ~self.obs["area_code"].isin(list(known_areas)).to_numpy()
        names = self.obs["area_code"][bad].drop_duplicates()
        self.note(bad, f"unknown area codes ({several(names)}); give a code of the register", show="area_code")


def _flags_valid(text: object) -> bool:
    if not isinstance(text, str):
        return False
    flags = text.split(";") if text else []
    return set(flags) <= set(FLAGS) and flags == sorted(set(flags))


def join_flags(flags: pd.Series, flag: str, *, where: np.ndarray | pd.Series) -> pd.Series:
    """Add one flag to some rows, keeping each text sorted and free of repeats.

    Parameters
    ----------
    flags : Series of str
        Flags as they are.
    flag : str
        One of ``FLAGS``.
    where : boolean array
        Rows to which it is added.

    Returns
    -------
    Series of str
    """
    if flag not in FLAGS:
        message = f"Unknown flag '{flag}'. Allowed: {', '.join(FLAGS)}."
        raise ObservationsError(message)
    chosen = np.asarray(where, dtype=bool)
    joined = {text: ";".join(sorted({*filter(None, text.split(";")), flag})) for text in flags[chosen].unique()}
    result = flags.copy()
    result[chosen] = flags[chosen].map(joined)
    return result.astype("str")
