"""A table of results in HTML: scores with their intervals, symbols for what is missing, notes and source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.areas.register import resolve
from outcomes_analysis.errors import FigureError, several
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.charts.tables import wide_scores
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, date_of, footer_texts
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.wording import SYMBOL_MEANINGS, listed, number, symbol

_WORDS = {1.0: "clearly better", 0.0: "not clear", -1.0: "clearly worse"}
_EXPERIMENTAL = "experimental, its figures do not measure one thing; not ranked."
_NOT_COMPUTED = "[x] also stands where there are too few figures to make a score."


@dataclass(frozen=True, eq=False)
class HtmlTable:
    """A table with everything it must carry to be put on a page.

    Attributes
    ----------
    html : str
        One ``div`` with style and table; the style reaches nothing outside it, nothing is fetched, no script runs.
    title, subtitle : str
        In the table's caption.
    source, data_as_at : str
        Source line; ISO date at which the latest source was current.
    notes : tuple of str
        Under the table, with the source; the exploration notice is always added.
    data : DataFrame
        The numbers printed, one row a place and node.
    """

    html: str
    title: str
    subtitle: str
    source: str
    data_as_at: str
    notes: tuple[str, ...]
    data: pd.DataFrame = field(repr=False)

    def page(self) -> str:
        """The table as a page of its own."""
        return (
            '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self.title)}</title>\n<style>body {{ font-family: {theme.FONT}; color: {theme.INK}; }}"
            f"</style>\n</head>\n<body>\n<main>\n<h1>{escape(self.title)}</h1>\n"
            f"{self.html}\n</main>\n</body>\n</html>\n"
        )

    def _repr_html_(self) -> str:
        return self.html


def results_table(
    result: Any,
    *,
    nodes: Sequence[str] | None = None,
    areas: Sequence[str] | None = None,
    title: str | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
    id: str = "results",
) -> HtmlTable:
    """Scores of places with their intervals and how they stand against England, as an accessible table.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        As for :func:`~outcomes_analysis.figures.charts.tables.wide_scores`, with ``lower, upper, level, status``.
    nodes : sequence of str, optional
        Domains, outcomes or measures, side by side; all domains by default.
    areas : sequence of str, optional
        Codes or names; every place by default, under its region.
    title : str, optional
        What the table says; how many places it has by default.
    source, data_as_at : str, optional
        Taken from the register and the result where not given.
    id : str
        Of the table; two on one page need two.

    Returns
    -------
    HtmlTable
        Each cell has the score with its interval, or a symbol that the notes explain. No meaning lies in colour.

    Raises
    ------
    FigureError
        If the table lacks columns, a node or a place, or the id is no plain word.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", id):
        message = f"{id!r} is no id: use small letters, digits and hyphens, a letter first."
        raise FigureError(message)
    wide = wide_scores(result, nodes=nodes)
    table = result if isinstance(result, pd.DataFrame) else result.table
    lacking = [c for c in ("lower", "upper", "status") if c not in table.columns]
    if lacking:
        message = f"A table of results needs the columns {several(lacking)} too."
        raise FigureError(message)
    labels: dict[str, str] = wide.attrs["labels"]
    codes = _codes(wide, areas)
    parts = {node: _column(table, node, codes) for node in labels}
    marked = {n: f"{label}{_mark(parts[n])}" for n, label in labels.items()}
    shown = wide.set_index("area_code").loc[codes, ["region_name", "area_name"]]
    for node, rows in parts.items():
        shown[f"{node}:score"], shown[f"{node}:standing"] = rows["printed"], rows["words"]
    levels = sorted({round(100 * v) for rows in parts.values() for v in rows["level"].dropna()})
    stated = f"{listed([f'{v}%' for v in levels])} interval in brackets" if levels else "no intervals known"
    england = {n: standing.england_of(rows) for n, rows in parts.items()}
    told = "; ".join(f"{labels[n]} {number(v, 2)}" for n, v in england.items() if np.isfinite(v))
    printed = pd.concat(rows["printed"] for rows in parts.values())
    notes = (
        f"England\u2019s own score for the same date: {told}." if told else "",
        *_symbols(printed),
        standing.contested_line(standing.contested_shares(result, list(labels)), labels),
        *(f"{labels[n]}: {_EXPERIMENTAL}" for n in labels if marked[n] != labels[n]),
        WORKING_ASSIGNMENT,
    )
    kept = tuple(note for note in notes if note)
    period = findings.period_of(table)
    heading = title or f"Scores of {len(codes)} authorities on {listed(list(labels.values()))}"
    below = "; ".join(part for part in ("S" + findings.SCORE_UNIT[1:], stated, period) if part)
    origin, as_at = source or figure_entry("domain-table").source, date_of(result, data_as_at)
    under = footer_texts(origin, as_at, kept)
    html = _drawn(shown, marked, title=heading, subtitle=below, notes=under, id=id, grouped=areas is None)
    data = pd.concat([rows.assign(node_id=n) for n, rows in parts.items()]).reset_index()
    columns = ["node_id", "area_code", "area_name", "estimate", "lower", "upper", "level", "status", "words"]
    return HtmlTable(html, heading, below, origin, as_at, kept, data[columns])


def _codes(wide: pd.DataFrame, areas: Sequence[str] | None) -> list[str]:
    known = list(wide["area_code"])
    if areas is None:
        return known
    codes = list(dict.fromkeys(area if area in known else resolve(area) for area in areas))
    strange = [code for code in codes if code not in known]
    if strange:
        message = f"{len(strange)} places are not in the result: {several(strange)}."
        raise FigureError(message)
    return codes


def _column(table: pd.DataFrame, node: str, codes: Sequence[str]) -> pd.DataFrame:
    """One node's rows in the order of the table, with the score as printed and how it stands in words."""
    rows = table[table["node_id"] == node]
    if "interval" in rows.columns:
        rows = rows[~rows["interval"].isin(["method", "both"])]
    rows = rows.set_index("area_code", drop=False).rename_axis(None)
    sign, disputed = standing.signs(rows).reindex(codes), standing.depends(rows).reindex(codes, fill_value=False)
    rows = rows.drop(columns="area_code").reindex(codes).rename_axis("area_code")
    words = sign.map(_WORDS).fillna("not judged").where(~disputed.astype(bool), "depends on contested figures")
    level = rows["level"] if "level" in rows.columns else pd.Series(np.nan, index=rows.index)
    return rows.assign(printed=[_cell(row) for _, row in rows.iterrows()], words=words, level=level)


def _cell(row: pd.Series) -> str:
    """Score and interval, or the symbol for what is missing."""
    if not np.isfinite(row["estimate"]):
        return symbol(str(row["status"])) or "[x]"
    span = f" ({number(row['lower'], 2)} to {number(row['upper'], 2)})" if np.isfinite(row["lower"]) else ""
    return f"{number(row['estimate'], 2)}{span}".replace(" ", "\u00a0")  # never broken inside an interval


def _mark(rows: pd.DataFrame) -> str:
    """The mark that a node's label owes its reader."""
    return " (experimental)" if standing.is_unranked(rows.reset_index()) else ""


def _symbols(printed: pd.Series) -> list[str]:
    """What the symbols that occur mean."""
    there = [mark for mark in SYMBOL_MEANINGS if printed.str.contains(mark, regex=False).any()]
    found = [f"{mark} {SYMBOL_MEANINGS[mark]}." for mark in there]
    return [*found, _NOT_COMPUTED] if any(text.startswith("[x]") for text in found) else found


def _drawn(
    shown: pd.DataFrame,
    labels: dict[str, str],
    *,
    title: str,
    subtitle: str,
    notes: Sequence[str],
    id: str,
    grouped: bool,
) -> str:
    import great_tables as gt

    frame = shown.assign(region_name=shown["region_name"].fillna("No region"))
    frame = frame if grouped else frame.drop(columns="region_name")
    table = gt.GT(frame, rowname_col="area_name", groupname_col="region_name" if grouped else None, id=id)
    table = table.tab_stubhead("Authority")
    for node, label in labels.items():
        score, words = f"{node}:score", f"{node}:standing"
        table = table.tab_spanner(label=label, columns=[score, words])
        table = table.cols_label({score: "Score", words: "Against England"})
    for note in notes:
        table = table.tab_source_note(gt.html(escape(note)))
    table = table.tab_options(
        table_font_names=[*theme.FONT.split(", ")],
        table_font_size="14px",
        table_font_color=theme.INK,
        data_row_padding="3px",
        source_notes_font_size="12px",
        row_group_font_weight="bold",
    )
    return _mended(table.as_raw_html(), title=title, subtitle=subtitle, id=id)


def _mended(html: str, *, title: str, subtitle: str, id: str) -> str:
    """A caption for the table, a region that scrolls by keyboard, and a style that reaches nothing outside.

    great-tables writes a title as cells of the head, which are no caption, and some of its rules hold for every table
    of a page.
    """
    name = f"{id}-caption"
    caption = f'<caption id="{name}"><strong>{escape(title)}</strong><br>{escape(subtitle)}</caption>'
    html = re.sub(r"(<table [^>]*>)", lambda found: f"{found[1]}\n{caption}", html, count=1)
    region = f'<div id="{id}" tabindex="0" role="region" aria-labelledby="{name}"'
    html = html.replace(f'<div id="{id}"', region, 1)
    start, end = html.index("<style>") + len("<style>"), html.index("</style>")
    return f"{html[:start]}\n{_held(html[start:end], id=id)}\n{html[end:]}"


def _held(style: str, *, id: str) -> str:
    """Every rule of a style for one element alone."""
    rules = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style):
        named = [s.strip() for s in selectors.split(",")]
        held = [s if s.startswith(f"#{id}") else f"#{id} {s}" for s in named]
        rules.append(f"{', '.join(held)} {{{body}}}")
    ours = (f"#{id} caption {{ text-align: left; padding-bottom: 8px; }}", f"#{id} .gt_table {{ margin-left: 0; }}")
    return "\n".join([*rules, *ours])
