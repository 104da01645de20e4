"""Several small maps side by side that share one block of geometry: parts of a domain, domains, years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from outcomes_analysis.errors import FigureError
from outcomes_analysis.figures import findings, standing
from outcomes_analysis.figures.drawing import keys, theme
from outcomes_analysis.figures.drawing.composing import Figure, finished, text_block
from outcomes_analysis.figures.mapping import geometry, panels
from outcomes_analysis.figures.mapping.classes import MapClass
from outcomes_analysis.figures.mapping.honeycomb import arranged
from outcomes_analysis.wording import associational, listed, plural

if TYPE_CHECKING:
    import geopandas as gpd

_GAP = 12.0
_HEADING = 9.0
_KEY_BESIDE = 88.0
_SEEN = 0.35  # pixels: corners nearer than this fall together
_HIGHEST = {True: 240.0, False: 150.0}  # pixels of a map, key beside or below: a page has room for two rows
_MISSING_WORDS = "Not ranked: too few children. Not computed: too few figures."


def parts(
    result: Any,
    *,
    node: str,
    layout: pd.DataFrame | None = None,
    columns: int | None = None,
    geography: str = "upper-tier local authorities",
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Draw a small hex map of each indicator below a node, each with its own key, on one geometry.

    Parameters
    ----------
    result : IndexResult or UncertaintyResult
        Scores of the indicators, and which stand below the node.
    node : str
        Domain or outcome.
    layout : DataFrame, optional
        As for :func:`~outcomes_analysis.figures.mapping.maps.hex_map`.
    columns : int, optional
        Maps in a row; by default 2, 3 from seven parts on, 4 from ten.
    geography, source, data_as_at : str, optional
        Words on the figure; taken from the register and the result where not given.

    Returns
    -------
    Figure
        An indicator whose direction is agreed is told as better or worse than England, a contested one as more or
        fewer (higher or lower), in its own direction and in neutral colours.

    Raises
    ------
    FigureError
        If the result does not say what stands below the node.
    """
    index = getattr(result, "index", result)
    scored = getattr(index, "nodes", {}).get(node)
    if scored is None:
        message = f"Which indicators stand below {node!r} is not known: give the index, or what was drawn from it."
        raise FigureError(message)
    members = list(scored.weights.index)
    placed = arranged(layout)
    drawn = [panels.classed(index, placed.shapes, node=m, classes="against", data_as_at=data_as_at) for m in members]
    each = columns or (2 if len(members) <= 6 else 3 if len(members) <= 9 else 4)
    body = _grid(
        drawn,
        [d.words.sense.named(d.words.label) for d in drawn],
        placed.shapes,
        regions=placed.regions,
        columns=each,
    )
    label = str(getattr(scored.node, "label", node))
    title = _parts_title(drawn, label=label)
    notes = [f"{d.words.label} is {_lower_first(d.words.sense.note)}" for d in drawn if d.words.sense.note]
    return _finished(
        body,
        drawn,
        title=title,
        subtitle=f"Each indicator beside {drawn[0].words.nation}; {_shared_subtitle(drawn[0].rows, geography)}",
        alt=f"{plural(len(drawn), 'small hexagon map', 'small hexagon maps')}. {title}. {_told(drawn)}",
        source=panels.source_of(source, f"domain-parts-{node}", drawn[0].words.nation),
        notes=(*notes, _by_chance(drawn), _MISSING_WORDS, drawn[0].words.assigned),
    )


def small_multiples(
    results: Mapping[str, Any],
    *,
    node: str | None = None,
    outlines: gpd.GeoDataFrame | None = None,
    columns: int = 3,
    geography: str = "upper-tier local authorities",
    source: str | None = None,
    data_as_at: str | None = None,
) -> Figure:
    """Draw maps side by side that share one block of geometry, each in three classes against England.

    Parameters
    ----------
    results : mapping
        Heading of each map to its result or table; the mapping's key is also the node unless ``node`` is given.
    node : str, optional
        One node for all maps (the maps then differ by year, say), each held against England of its own date.
    outlines : GeoDataFrame, optional
        As for :func:`~.maps.choropleth`.
    columns : int
        Maps in a row.
    geography, source, data_as_at : str, optional
        Words on the figure; taken from the register and the results where not given.

    Returns
    -------
    Figure
    """
    shapes = panels.drawable(outlines)
    drawn = [
        panels.classed(result, shapes, node=node or heading, classes="against", data_as_at=data_as_at)
        for heading, result in results.items()
    ]
    headings = [h if node else d.words.sense.named(d.words.label) for h, d in zip(results, drawn, strict=True)]
    body = _grid(drawn, headings, shapes, regions={}, columns=columns, coarse=True)
    title = _years_title(drawn, headings) if node else _domains_title(drawn)
    marks = [f"{d.words.label} is {_lower_first(d.words.sense.note)}" for d in drawn if d.words.sense.note]
    shares = standing.contested_shares(next(iter(results.values())), [d.node for d in drawn])
    disputed = standing.contested_line(shares, {d.node: d.words.label for d in drawn})
    return _finished(
        body,
        drawn,
        title=title,
        subtitle=f"Score, higher is better; {_shared_subtitle(drawn[0].rows, geography, dated=node is None)}",
        alt=f"{plural(len(drawn), 'map', 'maps')} side by side. {title}. {_told(drawn, headings)}",
        source=panels.source_of(source, f"domain-years-{node}" if node else "domain-maps", drawn[0].words.nation),
        notes=(
            *dict.fromkeys([*marks, *filter(None, [disputed])]),
            _by_chance(drawn),
            _MISSING_WORDS,
            drawn[0].words.assigned,
        ),
        headings=headings,
    )


def _grid(
    drawn: Sequence[panels.Classed],
    headings: Sequence[str],
    shapes: gpd.GeoDataFrame,
    *,
    regions: Mapping[str, str],
    columns: int,
    coarse: bool = False,
) -> Any:
    """Panels in rows: heading, map, and the key beside the map where there is room, else below it."""
    alt = theme.altair()
    columns = min(columns, len(drawn))
    each = (theme.width_of("page") - _GAP * (columns - 1)) / columns
    beside = each >= 200
    inner = each - _KEY_BESIDE - 4 if beside else each
    frame = geometry.Frame.within(shapes, width=inner, height=_HIGHEST[beside])
    shapes = geometry.coarse(shapes, grid=_SEEN / frame.scale) if coarse else shapes
    shared = geometry.features(shapes, grid=1)
    wrapped = [theme.wrap(h, width=each - 4, size=_HEADING, bold=True) for h in headings]
    tallest = max(len(lines) for lines in wrapped)
    cells = []
    for one, lines in zip(drawn, wrapped, strict=True):
        drawing = panels.panel(shapes, one.rows, shared, frame, regions=regions, mark=shapes.iloc[:0])
        head = text_block([*lines, *[" "] * (tallest - len(lines))], width=each, size=_HEADING, bold=True)
        key = keys.map_key(_short(one), title="", width=_KEY_BESIDE if beside else each, counted="")
        both = alt.hconcat(drawing, key, spacing=4) if beside else alt.vconcat(drawing, key, spacing=4)
        cells.append(alt.vconcat(head, both, spacing=4))
    return alt.concat(*cells, columns=columns, spacing=_GAP, align="none")


def _short(one: panels.Classed) -> list[MapClass]:
    """Classes with words short enough for a small map; that England is meant stands in the subtitle."""
    sense = one.words.sense
    words = {"higher": f"Clearly {sense.up}", "similar": "Not clear", "lower": f"Clearly {sense.down}"}
    words["disputed"] = "Depends on contested figures"
    return [replace(cls, label=words.get(cls.key, cls.label.split(":")[0])) for cls in one.classes]


def _finished(
    body: Any,
    drawn: Sequence[panels.Classed],
    *,
    title: str,
    subtitle: str,
    alt: str,
    source: str,
    notes: tuple[str, ...],
    headings: Sequence[str] | None = None,
) -> Figure:
    tables = []
    for i, one in enumerate(drawn):
        data = one.data
        data.insert(1, "node_label", one.words.label)
        tables.append(data if headings is None else data.assign(map=headings[i]))
    return finished(
        body,
        title=title,
        subtitle=subtitle,
        unit=findings.unit_of(standing.AGREED, drawn[0].words.nation),
        source=source,
        data_as_at=drawn[0].words.data_as_at,
        alt=alt,
        data=pd.concat(tables, ignore_index=True),
        notes=notes,
    )


def _by_chance(drawn: Sequence[panels.Classed]) -> str:
    """What chance alone would give on each map."""
    rows = max((d.rows for d in drawn), key=lambda r: standing.against_counts(r)[2])
    return standing.chance_line(
        standing.against_counts(rows)[2],
        findings.level_of(rows),
        against=standing.england_name(rows),
        what="authorities",
        each="on each map",
    )


def _shared_subtitle(rows: pd.DataFrame, geography: str, *, dated: bool = True) -> str:
    dating = "in the base period" if pd.isna(standing.england_of(rows)) else "of the same date"
    beside = f"against {standing.nation_of(rows)} {dating}"
    told = [
        f"\u201cclearly\u201d: by the {round(100 * findings.level_of(rows))}% interval, {beside}",
        findings.period_of(rows) if dated else "",
        f"{len(rows)} {geography}, numbers in brackets",
    ]
    return "; ".join(part for part in told if part)


def _parts_title(drawn: Sequence[panels.Classed], *, label: str) -> str:
    """How many places stand differently on different parts, counted on those whose direction is agreed."""
    agreed = [d for d in drawn if d.words.sense.agreed]
    if len(agreed) < 2:
        return f"{label}, part by part: {plural(len(drawn), 'measure', 'measures')} against {drawn[0].words.nation}"
    signs = pd.concat([standing.signs(d.rows.set_index("area_code", drop=False)) for d in agreed], axis=1)
    mixed = int(((signs > 0).any(axis=1) & (signs < 0).any(axis=1)).sum())
    some = int(signs.notna().any(axis=1).sum())
    return associational(
        f"{label}, part by part: {mixed} of {some} authorities are clearly better than "
        f"{standing.england_name(drawn[0].rows)} on one part and clearly worse on another"
    )


def _domains_title(drawn: Sequence[panels.Classed]) -> str:
    counts = [standing.against_counts(d.rows) for d in drawn]
    better = [c[0] for c in counts]
    most, least = drawn[better.index(max(better))], drawn[better.index(min(better))]
    england = standing.england_name(drawn[0].rows)
    return associational(
        f"{max(better)} authorities are clearly better than {england} on {most.words.label}, {min(better)} on "
        f"{least.words.label}"
    )


def _years_title(drawn: Sequence[panels.Classed], headings: Sequence[str]) -> str:
    (first, _, n_first), (last, _, n_last) = (standing.against_counts(d.rows) for d in (drawn[0], drawn[-1]))
    sense = drawn[-1].words.sense
    return associational(
        f"{sense.named(drawn[-1].words.label)}: {first} of {n_first} authorities clearly {sense.up} than "
        f"{standing.england_name(drawn[0].rows)} in {headings[0]}, {last} of {n_last} in {headings[-1]}"
    )


def _told(drawn: Sequence[panels.Classed], headings: Sequence[str] | None = None) -> str:
    """What every map shows, one sentence each."""
    sentences = []
    for i, one in enumerate(drawn):
        name = headings[i] if headings else one.words.sense.named(one.words.label)
        counts = [f"{cls.count} {_lower_first(cls.label)}" for cls in _short(one)]
        sentences.append(f"{name}: {listed(counts)}.")
    return " ".join(sentences)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
