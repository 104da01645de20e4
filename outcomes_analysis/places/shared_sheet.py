"""The spreadsheet people share: one row an indicator of a place, written out and read back with every cell checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.register import load_register, resolve_place
from outcomes_analysis.errors import AreaError, PeriodError, Problems, SourceError, several
from outcomes_analysis.framework.model import Framework, Indicator
from outcomes_analysis.observations.periods import parse_period
from outcomes_analysis.places.profile import AreaProfile
from outcomes_analysis.places.quantities import PERCENT, since_words, standing_words, unit_words
from outcomes_analysis.provenance import safe_cell
from outcomes_analysis.sources.local_lines import TooLong, csv_lines
from outcomes_analysis.sources.local_rows import is_formula
from outcomes_analysis.sources.personal import personal_cell, personal_headings

COLUMNS = (
    "Indicator id", "Domain", "Outcome", "Layer", "Metric", "Unit", "Which way is better", "Source", "Place",
    "Area code", "Period", "Figure", "Lower", "Upper", "Level", "Neighbours", "Who the neighbours are", "Region",
    "England", "Trend", "Verdict", "What to mind",
)  # fmt: skip
FIXED = ("Domain", "Outcome", "Layer", "Metric", "Unit", "Which way is better")
NUMBERS = ("Figure", "Lower", "Upper", "Neighbours", "Region", "England")
LAYERS = {"child": "children", "parent_carer": "parents and carers", "system": "services and the system"}
SYMBOLS = tuple(wording.SYMBOL_MEANINGS)
MOST_ROWS, ROWS_LOOKED_AT = 50_000, 30
NOT_FOR_THIS = wording.SYMBOLS["not_applicable"]


@dataclass(frozen=True, eq=False)
class SharedSheet:
    """A shared spreadsheet read back.

    Attributes
    ----------
    table : DataFrame
        The columns of :func:`shared_table`; numbers are numbers, a symbol stands where there is no figure.
    local : DataFrame
        Rows of indicators that an overlay added, as a file of local figures has them: ``indicator, area, period,
        value, lower, upper, level`` (a symbol without its brackets where there is no figure).
    text : str
        What was read.
    """

    table: pd.DataFrame
    local: pd.DataFrame
    text: str


def shared_table(profile: AreaProfile, *, framework: Framework | None = None) -> pd.DataFrame:
    """Make the shared spreadsheet of a place.

    Parameters
    ----------
    profile : AreaProfile
    framework : Framework, optional
        Names the domains and outcomes; by default the Common Outcomes Framework.

    Returns
    -------
    DataFrame
        One row an indicator, in the framework's order, with :data:`COLUMNS`. Figures are in natural units, rounded as
        published; ``Period`` is the publisher's label; a missing number has its symbol, and no cell is empty.
    """
    labels, sources = {node.id: node.label for node in _framework(framework).nodes}, _source_titles()
    rows = []
    for row in profile.table.to_dict("records"):
        places, has = int(row["decimals"]), bool(np.isfinite(row["value"]))
        beside = wording.SYMBOLS["not_available"] if has else NOT_FOR_THIS
        notes = (row["symbol"] if has else "", f"contested: {row['contested']}" if row["contested"] else "",
                 row["cannot_tell"])  # fmt: skip
        rows.append(
            {
                "Indicator id": row["indicator_id"],
                **_defined(row, labels),
                "Source": sources.get(str(row["source_id"]), NOT_FOR_THIS),
                "Place": profile.name,
                "Area code": profile.area_code,
                "Period": row["period"] or NOT_FOR_THIS,
                "Figure": _cell(row["value"], places, row["symbol"] or wording.SYMBOLS["not_available"]),
                "Lower": _cell(row["lower"], places, beside),
                "Upper": _cell(row["upper"], places, beside),
                "Level": f"{round(100 * row['level'])}%" if np.isfinite(row["lower"]) else beside,
                "Neighbours": _cell(row["neighbours_centre"], places, beside),
                "Who the neighbours are": _neighbours(profile, row),
                "Region": _cell(row["region"], places, beside),
                "England": _cell(row["england"], places, beside),
                "Trend": _trend(row),
                "Verdict": standing_words(row) or f"not judged: {row['reason'] or 'nothing to compare with'}",
                "What to mind": " ".join(note for note in notes if note),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def shared_csv(table: pd.DataFrame) -> str:
    """Write a shared spreadsheet as CSV that no spreadsheet runs: what looks like a formula gets an apostrophe."""
    return table.map(safe_cell).to_csv(index=False, lineterminator="\n")


def read_shared(
    path: Path | str, *, framework: Framework | None = None, observations: pd.DataFrame | None = None
) -> SharedSheet:
    """Read a shared spreadsheet back and check every cell.

    Parameters
    ----------
    path : Path or str
        A CSV (UTF-8) or a workbook (``.xlsx``); titles above the headings and further columns are passed over.
    framework : Framework, optional
        The core, or the core with an overlay, whose indicators alone may have rows.
    observations : DataFrame, optional
        Published figures; by default the release. The core's figures must be these, to the decimals published.

    Returns
    -------
    SharedSheet

    Raises
    ------
    SourceError
        Every fault at once, by kind with its rows: headings missing, formulas, details of persons (never repeated),
        indicators that are not defined, anything that redefines the core, areas, periods and numbers that cannot be
        read, figures outside their interval, rows given twice, core figures that are not the published ones.
    """
    path, framework = Path(path), _framework(framework)
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    rows = _rows(path)
    checks = _Checks(framework, observations)
    read = [checks.row(line, dict(zip(COLUMNS, cells, strict=True))) for line, cells in rows]
    checks.raise_if_any(path.name)
    table = pd.DataFrame(read, columns=list(COLUMNS), dtype=object)
    added = {i.id for i in framework.indicators if i.tier == "local"}
    local = _local(table[table["Indicator id"].isin(added)])
    places = list(dict.fromkeys(table["Place"]))
    core = table.loc[~table["Indicator id"].isin(added), "Figure"].map(lambda cell: isinstance(cell, float))
    text = (
        f"{path.name} holds {wording.plural(len(table), 'row', 'rows')} for {several(places)}: "
        f"{wording.plural(int(core.sum()), 'figure', 'figures')} of the core, each as published, and "
        f"{wording.plural(len(local), 'row', 'rows')} of local indicators."
    )
    return SharedSheet(table, local, text)


def _framework(framework: Framework | None) -> Framework:
    if framework is not None:
        return framework
    from outcomes_analysis.framework.loading import load_framework

    return load_framework()


def _source_titles() -> dict[str, str]:
    from outcomes_analysis.sources.release import read_manifest

    listed: Any = read_manifest()["sources"]
    return {str(s["id"]): f"{s['title']} ({s['publisher']})" for s in listed}


def as_defined(indicator: Indicator, framework: Framework) -> dict[str, str]:
    """What the framework says of an indicator, by heading: no sheet may change it."""
    domain = framework.domain_of(indicator.outcome) if indicator.outcome else ""
    row = {c: getattr(indicator, c) for c in ("outcome", "layer", "name", "unit", "direction", "contested")}
    return _defined(row | {"domain": domain}, {node.id: node.label for node in framework.nodes})


def _defined(row: Mapping[Any, Any], labels: Mapping[str, str]) -> dict[str, str]:
    agreed = not row["contested"] and row["direction"]
    return {
        **{head: labels.get(row[c], row[c]) or "Context" for head, c in (("Domain", "domain"), ("Outcome", "outcome"))},
        "Layer": LAYERS.get(row["layer"], row["layer"]),
        "Metric": row["name"],
        "Unit": "per cent" if row["unit"] == PERCENT else unit_words(row["unit"]),
        "Which way is better": {1: "higher", -1: "lower"}[row["direction"]] if agreed else "not agreed",
    }


def _cell(value: float, decimals: int, missing: str) -> float | int | str:
    if not np.isfinite(value):
        return missing
    rounded = round(float(value), decimals)
    return int(rounded) if decimals == 0 else rounded + 0.0  # no -0


def _neighbours(profile: AreaProfile, row: Mapping[Any, Any]) -> str:
    if not profile.neighbours or not row["neighbours_of"]:
        return NOT_FOR_THIS
    return (
        f"{profile.spec.statistic} of {profile.neighbours}; {row['neighbours_count']} of {row['neighbours_of']} have a "
        "figure"
    )


def _trend(row: Mapping[Any, Any]) -> str:
    """The place's own change, and how it differs from England's over the same time."""
    places = int(row["decimals"])
    if row["trend"] == "not compared" or not row["since"]:
        return f"not compared: {row['trend_reason'] or 'no figure'}"
    own = f"{row['trend']}, {wording.signed(row['change'], places)} "
    own += since_words(str(row["since"]), pandemic=bool(row["from_pandemic"]))
    if not np.isfinite(row["change_beyond"]):
        return f"{own}; cannot be set beside England's change"
    said = {"better": "more favourable", "worse": "less favourable"}.get(str(row["verdict_change"]))
    stands = {"above": "higher", "below": "lower"}.get(str(row["standing_change"]), str(row["standing_change"]))
    level = f"{round(100 * row['change_level'])}%"
    bounds = (wording.signed(row[c], places) for c in ("change_beyond_lower", "change_beyond_upper"))
    return (
        f"{own}; England {wording.signed(row['england_change'], places)}, difference "
        f"{wording.signed(row['change_beyond'], places)} ({' to '.join(bounds)} at {level}): "
        f"{said or stands or 'not judged'}"
    )


def _local(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of local indicators as a file of local figures has them."""

    def plain(cell: Any) -> Any:
        return "" if cell == NOT_FOR_THIS else str(cell).strip("[]") if isinstance(cell, str) else cell

    bounded = rows["Lower"].map(lambda c: not isinstance(c, str)).astype(bool)
    return pd.DataFrame(
        {
            "indicator": rows["Indicator id"],
            "area": rows["Area code"],
            "period": rows["Period"],
            "value": rows["Figure"].map(lambda c: str(c).strip("[]") if isinstance(c, str) else c),
            **{c.lower(): rows[c].map(plain).where(bounded, "") for c in ("Lower", "Upper")},
            "level": rows["Level"].map(lambda c: str(c).rstrip("%")).where(bounded, ""),
        }
    ).reset_index(drop=True)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    if path.suffix.lower() != ".xlsx":
        bad: list[int] = []
        try:
            for count, (line, cells) in enumerate(csv_lines(path, bad_lines=bad)):
                if count > MOST_ROWS:
                    raise TooLong
                yield line, cells
        except TooLong:
            message = f"{path.name} has more than {MOST_ROWS:,} rows: a shared sheet has one an indicator and place."
            raise SourceError(message) from None
        if bad:
            rows = several(f"row {n}" for n in bad)
            message = f"{path.name}: {rows} not in UTF-8. Save the file again as 'CSV UTF-8'."
            raise SourceError(message)
        return
    from outcomes_analysis.sources.tables import open_workbook

    workbook = open_workbook(path)
    for name in workbook.sheet_names:
        top = workbook.get_sheet_by_name(name).to_python(nrows=ROWS_LOOKED_AT)
        if any(_at([str(cell) for cell in cells]) for cells in top):
            rows = workbook.get_sheet_by_name(name).to_python(nrows=MOST_ROWS)
            yield from ((n, [str(cell) for cell in cells]) for n, cells in enumerate(rows, start=1) if any(cells))
            return
    message = f"{path.name}: no sheet has the heading 'Indicator id'. Export one with: outcomes area NAME --sheet FILE"
    raise SourceError(message)


def _at(cells: list[str]) -> dict[str, int]:
    """Position of each heading, if this is the row of headings."""
    found = {" ".join(cell.split()).lower(): n for n, cell in reversed(list(enumerate(cells)))}
    return {c: found[c.lower()] for c in COLUMNS if c.lower() in found} if "indicator id" in found else {}


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Cells under the headings, in the order of our columns, with the numbers of their rows."""
    lines = _lines(path)
    places: dict[str, int] = {}
    for _, (_, cells) in zip(range(ROWS_LOOKED_AT), lines, strict=False):
        if places := _at(cells):
            break
    missing = [c for c in COLUMNS if c not in places]
    if missing:
        message = (
            f"{path.name}: the headings lack {several(missing, limit=30)}. Keep the headings of the export, or make it "
            "again with: outcomes area NAME --sheet FILE"
        )
        raise SourceError(message)
    persons = set(personal_headings(cells).values())
    if persons:
        message = f"{path.name} has a column of {several(sorted(persons))}. Delete it: no detail of a person is read."
        raise SourceError(message)
    found = []
    for line, row in lines:
        row = [*row, *[""] * (max(places.values()) + 1 - len(row))]
        found.append((line, [row[places[c]] for c in COLUMNS]))
    if not found:
        message = f"{path.name} has headings and no rows. Export it again with: outcomes area NAME --sheet FILE"
        raise SourceError(message)
    return found


class _Checks:
    """Every fault of the rows by kind, with the rows it is in; no cell is ever repeated."""

    def __init__(self, framework: Framework, observations: pd.DataFrame) -> None:
        self.framework = framework
        self.indicators = {i.id: i for i in framework.indicators}
        self.faults: dict[str, list[int]] = defaultdict(list)
        self.seen: set[tuple[str, str, str]] = set()
        whole = observations["group_type"].eq("all") & observations["group"].eq("all")
        rows = observations.loc[whole, ["indicator_id", "area_code", "period", "value"]]
        keys = (rows[c].tolist() for c in ("indicator_id", "area_code", "period"))
        self.published = dict(zip(zip(*keys, strict=True), rows["value"].tolist(), strict=True))
        self.names = load_register()["name"]

    def fault(self, line: int, words: str) -> None:
        self.faults[words].append(line)

    def raise_if_any(self, name: str) -> None:
        problems = Problems(name)
        for words, lines in self.faults.items():
            rows = several(dict.fromkeys(lines))
            problems.add(f"{wording.plural(len(lines), 'row', 'rows')} with {words} (row {rows})")
        problems.raise_if_any(SourceError)

    def row(self, line: int, cells: dict[str, str]) -> dict[str, Any]:
        """Check one row and turn its numbers into numbers."""
        cells = {c: text.strip().removeprefix("'") for c, text in cells.items()}
        if any(is_formula(cells[c]) for c in COLUMNS if not _numeric(cells[c])):
            self.fault(line, "a formula: copy the cells and paste them as values")
        if any(personal_cell(text, dates=False) for text in cells.values()):
            self.fault(line, "what looks like a detail of a person: delete it")
        empty = [c for c in COLUMNS if not cells[c]]
        if empty:
            self.fault(line, f"nothing under {several(empty)}: write [x] where there is no figure")
            return dict(cells)
        read: dict[str, Any] = dict(cells)
        for column in NUMBERS:
            number = _numeric(cells[column])
            if number is not None:
                read[column] = number
            elif cells[column] not in SYMBOLS:
                self.fault(line, f"neither a number nor one of {several(SYMBOLS, limit=9)} under {column}")
        indicator = self.indicators.get(cells["Indicator id"])
        if indicator is None:
            self.fault(line, "an indicator id that is not defined: add it to an overlay first (data/local/README.md)")
            return read
        changed = [c for c, text in as_defined(indicator, self.framework).items() if cells[c] != text]
        if changed:
            self.fault(line, f"another {several(changed)} than the framework's, which no sheet redefines")
        self._where_and_when(line, cells, indicator)
        self._interval(line, read, indicator)
        return read

    def _where_and_when(self, line: int, cells: dict[str, str], indicator: Indicator) -> None:
        try:
            code = resolve_place(cells["Area code"])
        except AreaError:
            self.fault(line, "an area code of no place in England: `outcomes area --list` lists them")
            return
        if self.names[code] != cells["Place"] or code != cells["Area code"]:
            self.fault(line, "a place and an area code that do not belong together")
        key = (indicator.id, code, cells["Period"])
        if key in self.seen:
            self.fault(line, "the same indicator, place and period as a row above")
        self.seen.add(key)
        if indicator.tier != "local":
            for column, area in (("Figure", code), ("England", "E92000001")):
                self._as_published(line, column, cells[column], (indicator.id, area, cells["Period"]), indicator)
        elif cells["Period"] != NOT_FOR_THIS and not _a_period(cells["Period"]):
            self.fault(line, "a period that cannot be read: write 2023/24, 2024 or 2024-03-31, as text")

    def _as_published(self, line: int, column: str, cell: str, key: tuple[str, str, str], indicator: Indicator) -> None:
        number = _numeric(cell)
        if number is None:
            return
        known = self.published.get(key, np.nan)
        # half a unit of the last decimal, and the little that binary numbers add
        if not abs(number - known) <= 0.5 * 10.0**-indicator.decimals + 1e-9:
            self.fault(line, f"a core {column.lower()} for that period that is not the published one: put it back, or "
                             "give yours an indicator of its own in an overlay")  # fmt: skip

    def _interval(self, line: int, read: dict[str, Any], indicator: Indicator) -> None:
        lower, figure, upper = (read[c] if isinstance(read[c], float) else np.nan for c in ("Lower", "Figure", "Upper"))
        if np.isfinite(lower) != np.isfinite(upper) or (lower > figure) or (figure > upper):
            self.fault(line, "a figure outside its interval, or half an interval")
        level = _numeric(read["Level"].removesuffix("%")) if isinstance(read["Level"], str) else None
        if np.isfinite(lower) and not (level is not None and 0 < level < 100):
            self.fault(line, "no level of the interval, such as 90%")
        low, high = indicator.valid_range
        if np.isfinite(figure) and not low <= figure <= high:
            self.fault(line, f"a figure that {indicator.name} cannot have ({low:g} to {high:g})")


def _a_period(text: str) -> bool:
    """Whether a period can be read; which twelve months 2023/24 are, a file of local figures says apart."""
    for kind in (None, "academic"):
        try:
            parse_period(text, kind=kind)
        except PeriodError:
            continue
        return True
    return False


def _numeric(text: str) -> float | None:
    """A number as a spreadsheet writes it, or None: a true minus sign and thousands separators are understood."""
    plain = text.replace("\u2212", "-").replace(",", "")
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
