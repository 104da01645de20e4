"""Scores of every place on every domain as a shaded table that prints on one page, and as a frame for HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from outcomes_analysis.errors import FigureError, Problems, several
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import theme
from outcomes_analysis.figures.drawing.columns import Canvas, Columns, place, printed_name
from outcomes_analysis.figures.drawing.composing import WORKING_ASSIGNMENT, Figure, date_of, finished
from outcomes_analysis.figures.drawing.legends import DEPENDS, STANDING
from outcomes_analysis.figures.registering import figure_entry
from outcomes_analysis.figures.standing import UNRANKED
from outcomes_analysis.wording import listed, number, plural

_ROW, _GAP, _SIZE, _TOP = 7.5, 12.0, 7.0, 26.0  # rows so low that all places and the notes fit a page
_NEEDS = ("node_id", "area_code", "area_name", "region_name", "estimate")


def shade(sign: float, disputed: bool) -> str:
    """Fill of a score's cell: 1 clearly better than England, -1 clearly worse, 0 neither, NaN not judged."""
    if disputed:
        return theme.DISPUTED
    return theme.PAPER if np.isnan(sign) else theme.AGAINST[int(sign) + 1]


def wide_scores(result: Any, *, nodes: Sequence[str] | None = None) -> pd.DataFrame:
    """Scores with one row a place and one column a node, for tables.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        Table with ``node_id, area_code, area_name, region_name, estimate``.
    nodes : sequence of str, optional
        Columns wanted, in order; all domains by default (all nodes where the table has no ``kind``).

    Returns
    -------
    DataFrame
        ``region_name, area_name, area_code`` and one column a node id, regions from north to south and names within
        them in alphabetical order; a score that was not computed is NaN. ``attrs["labels"]`` has each node's label.
    """
    table = result if isinstance(result, pd.DataFrame) else result.table
    problems = Problems("domain table")
    lacking = [c for c in _NEEDS if c not in table.columns]
    if lacking:
        problems.add(f"{len(lacking)} columns are missing: {several(lacking)}.")
        problems.raise_if_any(FigureError)
    if "interval" in table.columns:
        table = table[~table["interval"].isin(["method", "both"])]
    if nodes is None:
        nodes = list(dict.fromkeys(table.loc[table["kind"] == "domain" if "kind" in table else slice(None), "node_id"]))
    absent = [n for n in nodes if n not in set(table["node_id"])]
    if absent or not nodes:
        problems.add(
            f"nothing about {several(absent) or 'any domain'}; the result has {several(table['node_id'].unique())}."
        )
    rows = table[table["node_id"].isin(nodes)]
    twice = rows[rows.duplicated(["node_id", "area_code"])]
    if len(twice):
        problems.add(f"{len(twice)} scores occur more than once ({several(twice['area_code'])}): choose one period.")
    problems.raise_if_any(FigureError)
    wide = rows.pivot(index="area_code", columns="node_id", values="estimate")[list(nodes)]
    places = rows.drop_duplicates("area_code").set_index("area_code")[["region_name", "area_name"]]
    joined = places.join(wide).reset_index()
    region_key = joined["region_name"].fillna("No region").map(_region_key)
    joined = joined.assign(_key=region_key).sort_values(["_key", "area_name"]).drop(columns="_key")
    out = joined[["region_name", "area_name", "area_code", *nodes]].reset_index(drop=True)
    out.attrs["labels"] = {n: findings.label_of(rows[rows["node_id"] == n], n) for n in nodes}
    return out


def _region_key(region: str) -> str:
    from outcomes_analysis.figures.drawing.columns import region_rank

    position, name = region_rank(region)
    return f"{position:03d} {name}"


def domain_heat_table(
    result: Any,
    *,
    nodes: Sequence[str] | None = None,
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Shaded table of all places by all domains, under their regions, on one page.

    Parameters
    ----------
    result : IndexResult, UncertaintyResult or DataFrame
        As for :func:`wide_scores`; with ``status``, a node that is not ranked as a whole is marked experimental.
    nodes : sequence of str, optional
        Columns; all domains by default.
    source, data_as_at : str, optional
        Words on the figure; taken from the result and the register where not given.

    Returns
    -------
    Figure
        Every cell prints its number, and its colour says how the place stands against England's score of the same
        date; ``x`` stands where a score was not computed.
    """
    table = result if isinstance(result, pd.DataFrame) else result.table
    wide = wide_scores(result, nodes=nodes)
    labels: dict[str, str] = wide.attrs["labels"]
    chosen = list(labels)
    signs = _by_place(table, wide, nodes=chosen, find=standing.signs)
    disputed = _by_place(table, wide, nodes=chosen, find=standing.depends)
    by_node = {n: table[table["node_id"] == n] for n in chosen}
    experimental = [n for n in chosen if standing.is_unranked(by_node[n])]
    england = {n: standing.england_of(rows) for n, rows in by_node.items()}
    width = theme.width_of("page")
    body = _body(place(wide), signs, disputed, labels=labels, experimental=experimental, england=england, width=width)
    told = all(np.isfinite(value) for value in england.values())
    against = "England" if told else "England in the base period"
    title = _title(signs, [n for n in chosen if n not in experimental] or chosen, against=against)
    period = findings.period_of(table)
    brackets = "in brackets: England\u2019s own score for the same date" if told else ""
    geography = plural(len(wide), "upper-tier local authority", "upper-tier local authorities") + " in England"
    zero = standing.zero_words(result, chosen)
    subtitle = "; ".join(p for p in ["S" + findings.SCORE_UNIT[1:], zero, brackets, period, geography] if p)
    shares = standing.contested_shares(result, chosen)
    contested = f"{standing.contested_line(shares, labels)} {_counted_twice(by_node, labels)}".strip()
    notes = _notes(labels, experimental, level=findings.level_of(table), england=against)
    return finished(
        body,
        title=title,
        subtitle=subtitle,
        unit=findings.SCORE_UNIT,
        source=source or figure_entry("domain-table").source,
        data_as_at=date_of(result, data_as_at),
        alt=_alt(wide, signs, disputed, labels, title=title, against=against),
        data=_data(table, wide, nodes=chosen),
        notes=(
            *notes,
            _by_chance(signs, level=findings.level_of(table), england=against),
            contested,
            WORKING_ASSIGNMENT,
        ),
    )


def _data(table: pd.DataFrame, wide: pd.DataFrame, *, nodes: Sequence[str]) -> pd.DataFrame:
    """One row a place and domain, with the interval, in the order of the table."""
    wanted = [*_NEEDS, "lower", "upper", "level", "interval", "england", "england_alike",
              "against_england", "against_england_agreed", "standing", "status"]  # fmt: skip
    rows = table.loc[table["node_id"].isin(nodes), [c for c in wanted if c in table.columns]]
    if "interval" in rows.columns:
        rows = rows[~rows["interval"].isin(["method", "both"])]
    position = {code: i for i, code in enumerate(wide["area_code"])}
    order = rows["area_code"].map(position) * len(nodes) + rows["node_id"].map({n: i for i, n in enumerate(nodes)})
    return rows.assign(_order=order).sort_values("_order").drop(columns="_order").reset_index(drop=True)


def _by_place(
    table: pd.DataFrame, wide: pd.DataFrame, *, nodes: Sequence[str], find: Callable[[pd.DataFrame], pd.Series]
) -> pd.DataFrame:
    """Something found of every score (:func:`~.standing.signs`, say), by place and node."""
    found = {n: find(_data(table, wide, nodes=[n]).set_index("area_code", drop=False)) for n in nodes}
    return pd.DataFrame(found).reindex(wide["area_code"])


def _title(signs: pd.DataFrame, nodes: Sequence[str], *, against: str) -> str:
    known = signs[list(nodes)].dropna()
    if known.empty or len(nodes) < 2:
        return "Scores of every authority, domain by domain"
    mixed = int(((known > 0).any(axis=1) & (known < 0).any(axis=1)).sum())
    return (
        f"{mixed} of {len(known)} authorities are clearly better than {against} on one domain and clearly worse on "
        "another"
    )


def _notes(labels: dict[str, str], experimental: Sequence[str], *, level: float, england: str) -> tuple[str, ...]:
    first = (
        f"Colour: against {england}, by the {round(100 * level)}% interval (intervals are in the data); clear "
        "differences in bold. x: not computed, too few figures. City of London and Isles of Scilly: too few children "
        "to judge, so not coloured."
    )
    named = listed([labels[n] for n in experimental])
    star = (f"* {named}: experimental, its figures do not measure one thing; not ranked.",) if experimental else ()
    return (first, *star)


def _by_chance(signs: pd.DataFrame, *, level: float, england: str) -> str:
    most = int(signs.notna().sum().max())
    return standing.chance_line(most, level, against=england, what="authorities", each="in each column")


def _counted_twice(by_node: Mapping[str, pd.DataFrame], labels: dict[str, str]) -> str:
    """Verdicts with and without contested indicators, briefly; empty where none depends on them."""
    told = []
    for node, rows in by_node.items():
        if standing.depends(rows).any():
            known = standing.judged(rows)
            both = [known[c].value_counts() for c in ("against_england", "against_england_agreed")]
            counts = [f"{c.get('above', 0)} and {c.get('below', 0)}" for c in both]
            told.append(f"{labels[node]} {counts[0]} with them, {counts[1]} without")
    return f"Clearly better and clearly worse: {'; '.join(told)}." if told else ""


def _body(
    placed: Columns,
    signs: pd.DataFrame,
    disputed: pd.DataFrame,
    *,
    labels: dict[str, str],
    experimental: Sequence[str],
    england: dict[str, float],
    width: float,
) -> Any:
    columns = int(placed.headings["column"].max()) + 1
    each = (width - _GAP * (columns - 1)) / columns
    cell = min(16.5, each * 0.56 / len(labels))
    names = each - cell * len(labels)
    canvas = Canvas(width=width, height=_TOP + placed.length * _ROW + 2)

    def down(line: float) -> float:
        return round(_TOP + line * _ROW, 2)

    boxes: list[dict[str, Any]] = []
    numbers: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    texts: list[dict[str, Any]] = []
    for row in placed.rows.to_dict("records"):
        left, y = row["column"] * (each + _GAP), down(row["line"])
        texts.append({"x": left, "y": y, "text": printed_name(str(row["area_name"]), width=names - 3, size=_SIZE)})
        for i, node in enumerate(labels):
            x, value = round(left + names + i * cell, 2), float(row[node])
            sign = float(signs.at[row["area_code"], node])
            fill = shade(sign, bool(disputed.at[row["area_code"], node]))
            edge = {"x": x, "x2": round(x + cell, 2), "y": y - _ROW / 2, "y2": y + _ROW / 2}
            boxes.append({**edge, "fill": fill})
            words = number(value, 1) if np.isfinite(value) else "x"
            clear = abs(sign) == 1
            cell_text = {"x": round(x + cell / 2, 2), "y": y + 0.3, "text": words, "colour": theme.text_on(fill)}
            numbers[clear].append(cell_text)
    headings, short = [], []
    for part in placed.headings.itertuples():
        left = part.column * (each + _GAP)
        region = printed_name(str(part.region), width=names - 4, size=_SIZE + 0.5, bold=True)
        headings.append({"x": left, "y": down(part.line), "text": region})
        for i, (node, label) in enumerate(labels.items()):
            mark = "*" if node in experimental else ""
            text = f"{label[:1]}{mark}" if _distinct(labels) else f"{label[:2]}{mark}"
            short.append({"x": round(left + names + (i + 0.5) * cell, 2), "y": down(part.line), "text": text})
    canvas.boxes(boxes)
    canvas.text(texts, size=_SIZE)
    canvas.text(numbers[False], size=6.4, align="center")
    canvas.text(numbers[True], size=6.4, align="center", bold=True)
    canvas.text(headings, size=_SIZE + 0.5, bold=True)
    canvas.text(short, size=_SIZE, align="center", bold=True)
    used = {DEPENDS.words: theme.DISPUTED} if disputed.any(axis=None) else {}
    _key(canvas, labels, experimental, england, used)
    return canvas.chart()


def _distinct(labels: dict[str, str]) -> bool:
    return len({label[:1] for label in labels.values()}) == len(labels)


def _key(
    canvas: Canvas,
    labels: dict[str, str],
    experimental: Sequence[str],
    england: dict[str, float],
    disputed: dict[str, str],
) -> None:
    letters = 1 if _distinct(labels) else 2
    named = []
    for node, label in labels.items():
        own = f" ({number(england[node], 2)})" if np.isfinite(england[node]) else ""
        named.append(f"{label[:letters]}{'*' if node in experimental else ''} = {label}{own}")
    texts = [{"x": 0.0, "y": 6.0, "text": ",  ".join(named)}]
    boxes, x = [], 0.0
    worse, same, better = theme.AGAINST
    kinds = {STANDING["above"].words: better, STANDING["similar"].words: same, **disputed}
    for words, fill in {**kinds, STANDING["below"].words: worse}.items():
        boxes.append({"x": x, "x2": x + 12, "y": 15, "y2": 26, "fill": fill})
        texts.append({"x": x + 16, "y": 20.5, "text": words})
        x += 28 + theme.text_width(words, size=8.5)
    canvas.boxes(boxes)
    canvas.text(texts, size=8.5)


def _alt(
    wide: pd.DataFrame,
    signs: pd.DataFrame,
    disputed: pd.DataFrame,
    labels: dict[str, str],
    *,
    title: str,
    against: str,
) -> str:
    parts = []
    for node, label in labels.items():
        scores = wide.loc[~wide["area_code"].isin(UNRANKED), node].dropna()
        if len(scores):
            span = f"{number(scores.min())} to {number(scores.max())}"
            better, worse = int((signs[node] > 0).sum()), int((signs[node] < 0).sum())
            told = f"{label} from {span}, {better} of {len(scores)} clearly better and {worse} clearly worse"
            depending = int(disputed[node].sum())
            parts.append(f"{told}, {depending} depending on contested figures" if depending else told)
    first = f"Table of {plural(len(wide), 'authority', 'authorities')} under their regions, one column a domain."
    return f"{first} {title}. Against {against}: {'. '.join(parts)}."
