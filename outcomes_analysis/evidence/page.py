"""The one home of HTML pages: an accessible shell, tables and figures, with everything escaped and nothing fetched.

A page holds its style and pictures inside, asks nothing of any other host, and runs no script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import pandas as pd

from outcomes_analysis.figures.drawing.theme import text_on
from outcomes_analysis.wording import EXPLORATION, SYMBOL_MEANINGS, number, symbol

LONG = 80  # characters of a cell from which its column is given room

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; color: #1a1a1a; background: #fff; font: 1rem/1.5 "Liberation Sans", Arial, Helvetica, sans-serif; }
.skip { position: absolute; left: -999rem; background: #fff; color: #12436d; padding: .5rem 1rem; }
.skip:focus { left: 0; top: 0; outline: 3px solid #f46a25; z-index: 1; }
.notice { margin: 0; max-width: none; padding: .5rem 1rem; background: #12436d; color: #fff; font-weight: bold; }
main, header, footer { max-width: 60rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 1.5rem 0 .5rem; }
h2 { font-size: 1.35rem; margin: 2.25rem 0 .5rem; border-top: 1px solid #bfbfbf; padding-top: 1rem; }
h3 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
p, li { max-width: 44rem; }
a { color: #12436d; }
a:focus, summary:focus, [tabindex]:focus { outline: 3px solid #f46a25; outline-offset: 2px; }
nav ol { padding-left: 1.75rem; }
figure { margin: 1.5rem 0; }
figure svg { width: 100%; max-width: 46rem; height: auto; }
.drawing { overflow-x: auto; }
.drawing svg { min-width: 36rem; }
.note, footer { font-size: .875rem; color: #404040; }
/* A drawing shows its own title: the caption is for those who hear the page. */
figcaption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: bold; padding: .25rem 0 .5rem; }
th, td { padding: .25rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #d9d9d9; }
thead th { border-bottom: 2px solid #1a1a1a; vertical-align: bottom; }
tbody th { font-weight: normal; min-width: 9rem; }
tbody th[scope="rowgroup"] { font-weight: bold; background: #f2f2f2; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; min-width: 4.5rem; }
thead .long { min-width: 18rem; }
summary { cursor: pointer; padding: .25rem 0; color: #12436d; text-decoration: underline; }
@media print {
  @page { margin: 18mm; }
  body { font-size: 10pt; }
  .skip, nav { display: none; }
  .notice { background: #fff; color: #1a1a1a; border: 1pt solid #1a1a1a; }
  main, header, footer { max-width: none; padding: 0; }
  h2, h3, caption { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .scroll, .drawing { overflow: visible; }
  .drawing svg, thead .long { min-width: 0; }
  thead { display: table-header-group; }
}
"""


@dataclass(frozen=True)
class Section:
    """Part of a page.

    Attributes
    ----------
    heading : str
        Plain text; escaped.
    body : str
        HTML made by the functions of this module.
    anchor : str
        Id of the section, made from its heading where empty.
    """

    heading: str
    body: str
    anchor: str = ""


def paragraph(text: str, *, kind: Literal["text", "note"] = "text") -> str:
    """Paragraph of plain text, escaped."""
    mark = ' class="note"' if kind == "note" else ""
    return f"<p{mark}>{escape(text)}</p>"


def heading(text: str, *, level: Literal[2, 3] = 3) -> str:
    """Heading inside a section, escaped."""
    return f"<h{level}>{escape(text)}</h{level}>"


def bullets(items: Sequence[str]) -> str:
    """List of plain texts, each escaped."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>" if items else ""


def links(pages: Sequence[tuple[str, str, str]]) -> str:
    """List of pages that lie beside this one.

    Parameters
    ----------
    pages : sequence of (file, title, what)
        Name of the file (``audit.html``), words of the link, and what is on the page.

    Raises
    ------
    ValueError
        If a file is not a page in the same folder.
    """
    items = []
    for file, title, what in pages:
        if not re.fullmatch(r"[a-z0-9-]+\.html", file):
            message = f"{file!r} is not a page in the same folder."
            raise ValueError(message)
        joined = " " if title.endswith("?") else ": "
        items.append(f'<li><a href="{file}">{escape(title)}</a>{joined}{escape(what)}</li>')
    return f"<ul>{''.join(items)}</ul>"


def details_html(summary: str, body: str) -> str:
    """Part that opens when asked: ``summary`` is plain text, ``body`` HTML made by this module."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def page(title: str, sections: Sequence[Section | tuple[str, str]], *, lead: str = "", footer: str = "") -> str:
    """Whole HTML page: language, title, skip link, one h1, contents, main, and the exploration notice.

    Parameters
    ----------
    title : str
        Plain text of the title and of the one h1.
    sections : sequence of Section or (heading, HTML)
        Headings are plain text; the HTML comes from this module's functions.
    lead, footer : str
        Plain text under the h1, and at the end of the page.

    Returns
    -------
    str
        The page; the same input gives the same text.
    """
    parts = [s if isinstance(s, Section) else Section(*s) for s in sections]
    anchors = _anchors(parts)
    contents = "".join(f'<li><a href="#{a}">{escape(s.heading)}</a></li>' for s, a in zip(parts, anchors, strict=True))
    nav = f'<nav aria-label="Contents"><ol>{contents}</ol></nav>' if len(parts) > 1 else ""
    body = "\n".join(
        f'<section aria-labelledby="{a}"><h2 id="{a}">{escape(s.heading)}</h2>\n{s.body}\n</section>'
        for s, a in zip(parts, anchors, strict=True)
    )
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en-GB">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        '<a class="skip" href="#main">Skip to the main part</a>',
        f'<p class="notice" role="note">{escape(EXPLORATION)}</p>',
        '<main id="main" tabindex="-1">',
        f"<h1>{escape(title)}</h1>",
        paragraph(lead) if lead else "",
        nav,
        body,
        "</main>",
        f"<footer>{paragraph(footer)}</footer>" if footer else "",
        "</body>",
        "</html>",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _anchors(sections: Sequence[Section]) -> list[str]:
    taken: dict[str, int] = {"main": 1}
    found = []
    for section in sections:
        base = section.anchor or re.sub(r"[^a-z0-9]+", "-", section.heading.lower()).strip("-") or "section"
        taken[base] = taken.get(base, 0) + 1
        found.append(base if taken[base] == 1 else f"{base}-{taken[base]}")
    return found


def table_html(
    frame: pd.DataFrame,
    caption: str,
    *,
    headings: Mapping[str, str] | None = None,
    row_heading: str | None = None,
    group: str | None = None,
    decimals: int | Mapping[str, int] = 1,
    status: str | Mapping[str, str] | None = None,
    flags: str | Mapping[str, str] | None = None,
    fills: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
) -> str:
    """HTML table with caption, scopes, symbols where a value is missing, and what the symbols mean.

    Parameters
    ----------
    frame : DataFrame
        One row a line; column order is kept.
    caption : str
        Plain text.
    headings : mapping, optional
        Words for columns; also chooses nothing else, so that every column of ``frame`` is printed except those that
        ``group``, ``status`` and ``flags`` name.
    row_heading : str, optional
        Column whose cells head their rows; the first one printed by default.
    group : str, optional
        Column by which rows are put under a heading of their own; order of rows is kept.
    decimals : int or mapping
        Decimals of numbers, for all columns or by column. Whole numbers (integer columns) have none.
    status, flags : str or mapping, optional
        Column that says why a value is missing or unreliable, for all number columns or by column
        (``{"estimate": "estimate_status"}``). A missing number without a status is printed ``[x]``.
    fills : DataFrame, optional
        Colours (``#RRGGBB``) behind cells, with the index of ``frame`` and some of its columns; the number stays, so
        that colour is never alone.
    notes : sequence of str
        Plain text under the table.

    Returns
    -------
    str
        HTML; all text from the frame is escaped.
    """
    statuses, flag_columns = _by_column(status, frame), _by_column(flags, frame)
    hidden = {group, *statuses.values(), *flag_columns.values()}
    columns = [str(c) for c in frame.columns if c not in hidden]
    first = row_heading or columns[0]
    words = dict(headings or {})
    numeric = {c: pd.api.types.is_numeric_dtype(frame[c]) and not pd.api.types.is_bool_dtype(frame[c]) for c in columns}
    head = "".join(
        f'<th scope="col"{_class(numeric[c], long=_is_long(frame[c]))}>'
        f"{escape(words.get(c, c.replace('_', ' ').capitalize()))}</th>"
        for c in columns
    )
    used: set[str] = set()
    lines: list[str] = []
    blocks = [("", frame)] if group is None else list(frame.groupby(group, sort=False, dropna=False))
    for name, block in blocks:
        lines.append("<tbody>")
        if group is not None:
            title = escape("" if pd.isna(name) else str(name))
            lines.append(f'<tr><th scope="rowgroup" colspan="{len(columns)}">{title}</th></tr>')
        for label, row in zip(block.index, block.to_dict("records"), strict=True):
            cells = []
            for column in columns:
                text = _cell(row, column, numeric[column], decimals, statuses, flag_columns, frame)
                used.update(s for s in SYMBOL_MEANINGS if s in text)
                tag = 'th scope="row"' if column == first else "td"
                shade = _fill(fills, label, column)
                cells.append(f"<{tag}{_class(numeric[column])}{shade}>{escape(text)}</{tag.split()[0]}>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines.append("</tbody>")
    table = (
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n" + "\n".join(lines) + "</table>"
    )
    meanings = [f"{s} {SYMBOL_MEANINGS[s]}" for s in SYMBOL_MEANINGS if s in used]
    under = [*notes, *(["Symbols: " + "; ".join(meanings) + "."] if meanings else [])]
    # A wide table scrolls on its own, and the keyboard must be able to reach it to do so.
    scroll = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption, quote=True)}">{table}</div>'
    return scroll + "".join(paragraph(text, kind="note") for text in under)


def _class(numeric: bool, *, long: bool = False) -> str:
    return ' class="number"' if numeric else ' class="long"' if long else ""


def sentences_of(text: str) -> list[str]:
    """Sentences of a text, in their order."""
    return re.split(r"(?<=[a-z%)0-9]\.) (?=[A-Z0-9\u201c])", text)


def _is_long(cells: pd.Series) -> bool:
    """Whether a column holds sentences, which a narrow screen would otherwise set one word to a line."""
    return not pd.api.types.is_numeric_dtype(cells) and bool(cells.astype("str").str.len().max() > LONG)


def _fill(fills: pd.DataFrame | None, label: Any, column: str) -> str:
    if fills is None or column not in fills.columns:
        return ""
    colour = str(fills.at[label, column])
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
        message = f"{colour!r} is not a colour of the form #RRGGBB."
        raise ValueError(message)
    return f' style="background:{colour};color:{text_on(colour)}"'


def _by_column(given: str | Mapping[str, str] | None, frame: pd.DataFrame) -> dict[str, str]:
    if given is None:
        return {}
    if isinstance(given, str):
        return {str(c): given for c in frame.columns if pd.api.types.is_numeric_dtype(frame[c])}
    return dict(given)


def _cell(
    row: Mapping[str, object],
    column: str,
    numeric: bool,
    decimals: int | Mapping[str, int],
    statuses: Mapping[str, str],
    flags: Mapping[str, str],
    frame: pd.DataFrame,
) -> str:
    value = row[column]
    if not numeric:
        return "" if value is None or pd.isna(value) else str(value)
    flag = str(row.get(flags.get(column, ""), "") or "")
    if pd.isna(value):
        return symbol(str(row.get(statuses.get(column, ""), "")), flag) or symbol("not_available")
    places = decimals if isinstance(decimals, int) else decimals.get(column, 1)
    if pd.api.types.is_integer_dtype(frame[column]):
        places = 0
    mark = symbol("published", flag)
    return f"{number(float(value), places)} {mark}".strip()  # type: ignore[arg-type]


def figure_html(svg: str, caption: str, alt: str, *, data: str = "") -> str:
    """Figure with its caption; what the picture says is also there as text that can be opened.

    Parameters
    ----------
    svg : str
        An SVG made by this package (``Figure.svg(prefix=...)``, with a prefix of its own on each page).
    caption, alt : str
        Plain text.
    data : str, optional
        HTML of the data table, put behind "Data of this figure".

    Raises
    ------
    ValueError
        If the SVG holds a script, an event handler or an outside address: it was not made by this package.
    """
    inner = re.sub(r"^\s*(<\?xml[^>]*\?>|<!DOCTYPE[^>]*>)\s*", "", svg)
    outside = re.search(
        r"<script|<foreignObject|\son\w+\s*=|(?:href|src)\s*=\s*[\"'](?!#)|@import|url\((?!#)", inner, re.I
    )
    if outside:
        message = f"The SVG holds {outside.group(0).strip()!r}; only drawings of this package go on a page."
        raise ValueError(message)
    if 'role="img"' not in inner[: inner.index(">") + 1]:
        inner = inner.replace("<svg", f'<svg role="img" aria-label="{escape(alt, quote=True)}"', 1)
    described = details_html("Description of this figure", paragraph(alt))
    table = details_html("Data of this figure", data) if data else ""
    # On a phone a drawing keeps a size that can be read and moves under the finger; the keyboard reaches it too.
    label = escape(caption, quote=True)
    inner = f'<div class="drawing" role="region" tabindex="0" aria-label="{label}">{inner}</div>'
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption>{described}{table}</figure>"
