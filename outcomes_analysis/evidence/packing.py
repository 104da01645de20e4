"""A pack: page, workbook, figures, tables and methods of one place, with a manifest that proves what is in it.

The same input gives the same bytes: names are sorted, times are fixed, and nothing tells the time of day.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from outcomes_analysis.evidence.joined_pages import joined_html, joined_method_lines, joined_tables
from outcomes_analysis.evidence.page import Section, links
from outcomes_analysis.evidence.place_tables import PlaceTable, method_lines, place_tables
from outcomes_analysis.evidence.playbook.card import EvidenceCard
from outcomes_analysis.evidence.playbook.card_pages import card_file, card_html, cards_html
from outcomes_analysis.evidence.profiles import place_html
from outcomes_analysis.evidence.proving import KIND, MANIFEST
from outcomes_analysis.evidence.target_section import target_section, target_tables
from outcomes_analysis.evidence.workbook import place_workbook
from outcomes_analysis.figures.exporting import safe_csv
from outcomes_analysis.places import AreaProfile, JoinedPlace, Trajectory, shared_csv, shared_table
from outcomes_analysis.sources.release import read_manifest
from outcomes_analysis.wording import EXPLORATION

if TYPE_CHECKING:
    from outcomes_analysis.figures.drawing.composing import Figure

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold: no time of day is told
_MADE_WITH = ("altair", "gptables", "numpy", "pandas", "vl-convert-python", "xlsxwriter")


def page_of(
    place: AreaProfile | JoinedPlace,
    *,
    figures: Mapping[str, Figure],
    targets: Sequence[Trajectory] = (),
    more: Sequence[PlaceTable] = (),
    cards: Sequence[EvidenceCard] = (),
) -> str:
    """Write the page of any kind of place.

    Parameters
    ----------
    place, figures, targets, more
        As in :func:`pack_files`.
    cards : sequence of EvidenceCard
        Those that lie beside the page, which leads to them.

    Returns
    -------
    str
        HTML, as of ``place_html`` and ``joined_html``.
    """
    if isinstance(place, JoinedPlace):
        return joined_html(place, figures=figures, more=more)
    asked_of = {f"target-{t.indicator.id}": t for t in _asked_of(place, targets)}
    after = [
        target_section(t, place.area_code, figures={name: figures[name]} if name in figures else None)
        for name, t in asked_of.items()
    ]
    after += [_to_cards(cards)] if cards else []
    others = {name: figure for name, figure in figures.items() if name not in asked_of}
    return place_html(place, figures=others, more=more, after=after)


def _asked_of(place: AreaProfile, targets: Sequence[Trajectory]) -> list[Trajectory]:
    """Targets that are asked of a place."""
    return [t for t in targets if place.area_code in set(t.table["area_code"])]


def pack_files(
    place: AreaProfile | JoinedPlace,
    *,
    figures: Mapping[str, Figure],
    asked: Mapping[str, Any],
    more: Sequence[PlaceTable] = (),
    targets: Sequence[Trajectory] = (),
    cards: Sequence[EvidenceCard] = (),
    notes: Sequence[str] = (),
    workbook: bool = True,
) -> dict[str, bytes]:
    """Make every file of a pack.

    Parameters
    ----------
    place : AreaProfile or JoinedPlace
        A profile with its domains; or a place made of districts.
    figures : mapping of str to Figure
        By id.
    asked : mapping
        What the pack was asked for, so that it can be made again; JSON-able.
    more : sequence of PlaceTable
        Further tables that may leave, such as local figures.
    targets : sequence of Trajectory
        National targets, of which an upper-tier authority gets a section and tables; their figures are those of
        ``figures`` whose id is ``target-`` and the indicator's.
    cards : sequence of EvidenceCard
        Evidence cards about the place, each a page and JSON, with a page that lists them and prints their rules.
    notes : sequence of str
        What was left out, for the file of methods.
    workbook : bool
        Whether to write the workbook, which takes most of the time; the same tables are there as CSV.

    Returns
    -------
    dict of str to bytes
        By name, sorted: ``profile.html``, ``workbook.xlsx``, ``figure-*.svg`` with caption and alt text beside
        (``.txt``), ``cards.html`` and ``card-*`` (``.html``, ``.json``), ``table-*.csv``, ``shared-sheet.csv`` (of an
        authority or district), ``methods.txt`` and ``manifest.json``. The same input gives the same bytes.
    """
    html = page_of(place, figures=figures, targets=targets, more=more, cards=cards)
    asked_of: list[Trajectory] = []
    if isinstance(place, JoinedPlace):
        tables, lines = joined_tables(place), joined_method_lines(place)
    else:
        tables, lines = place_tables(place), method_lines(place)
        asked_of = _asked_of(place, targets)
        more = (*(table for t in asked_of for table in target_tables(t, place.area_code)), *more)
    content: dict[str, bytes | str] = {
        "profile.html": html,
        "methods.txt": "\n".join([f"Children's outcomes in {place.name}", "", *lines, *notes, "", place.text]) + "\n",
    }
    if isinstance(place, AreaProfile):
        content["shared-sheet.csv"] = shared_csv(shared_table(place))
    if workbook:
        content["workbook.xlsx"] = place_workbook(place, more=more)
    for name, figure in figures.items():
        content[f"figure-{name}.svg"] = figure.svg(prefix=name)
        content[f"figure-{name}.txt"] = f"{figure.caption}\n\nAlt text: {figure.alt}\n"
    for card in cards:
        content |= {card_file(card): card_html(card), f"card-{card.name}.json": card.to_json()}
    if cards:
        content["cards.html"] = cards_html(cards)
    for table in (*tables, *more):
        content[f"table-{table.id}.csv"] = safe_csv(table.frame)
    files = {name: text.encode() if isinstance(text, str) else text for name, text in sorted(content.items())}
    manifest = _manifest(place, files, asked=asked)
    manifest["targets"] = [{"data": t.manifest.data, "spec": t.manifest.spec} for t in asked_of]
    files[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
    return dict(sorted(files.items()))


def _to_cards(cards: Sequence[EvidenceCard]) -> Section:
    """Where the page of a place leads to its cards."""
    told = [(card_file(c), c.question, f"Strength of evidence: {c.strength.grade}") for c in cards]
    rules = ("cards.html", "All cards and the rules", "how strength of evidence is graded")
    return Section("Evidence cards", links([*told, rules]), "cards")


def _manifest(
    place: AreaProfile | JoinedPlace, files: Mapping[str, bytes], *, asked: Mapping[str, Any]
) -> dict[str, Any]:
    made = place.manifest
    where: dict[str, object]
    if isinstance(place, JoinedPlace):
        where, sources = {"district_codes": list(place.spec.district_codes)}, set(made.sources)
    else:
        where, sources = {"area_code": place.area_code}, {*made.sources, *place.equity.manifest.sources}
    return {
        "kind": KIND,
        "notice": EXPLORATION,
        "place": place.name,
        **where,
        "asked": dict(asked),
        "data": {"content": read_manifest()["content"], "data_as_at": made.data_as_at},
        "profile": {"data": made.data, "spec": made.spec},
        "sources": sorted(sources),
        "versions": {"outcomes-analysis": made.package, **{name: version(name) for name in _MADE_WITH}},
        "files": {n: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)} for n, c in sorted(files.items())},
    }


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Put files into a zip with sorted names and fixed times; the same files give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # alike on every system
            archive.writestr(entry, files[name])
    return target.getvalue()
