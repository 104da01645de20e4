"""Packs and workbooks of places on the default data: made whole or not at all, and proved by making them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes_analysis.errors import AreaError, OutcomesError, ProjectError, SourceError
from outcomes_analysis.pipeline.results import PERIOD, default_index, default_uncertainty
from outcomes_analysis.project import project
from outcomes_analysis.provenance import write_atomic, write_folder
from outcomes_analysis.wording import plural

if TYPE_CHECKING:
    import pandas as pd

    from outcomes_analysis.evidence.playbook import EvidenceCard
    from outcomes_analysis.figures.drawing.composing import Figure
    from outcomes_analysis.places import AreaProfile, JoinedPlace, Trajectory
    from outcomes_analysis.places.comparison import Statistic
    from outcomes_analysis.sources.local import LocalAddition

Progress = Callable[[str], None]

FEWEST_YEARS = 4  # with a figure, for a course over the years to be drawn


@dataclass(frozen=True)
class MadePack:
    """Where a pack lies: its folder, its zip, how many files, and the hash that stands for all of it."""

    folder: Path
    archive: Path
    files: int
    fingerprint: str
    notes: tuple[str, ...] = ()


def _quiet(_: str) -> None:
    return None


def place_profile(
    name: str,
    *,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    statistic: Statistic = "median",
    districts: Sequence[str] = (),
    children: Sequence[float] = (),
    local: LocalAddition | None = None,
) -> AreaProfile | JoinedPlace:
    """Profile of an authority or district with the domains of the default index, or of a place made of districts.

    Parameters
    ----------
    name : str
        An authority, a district or a named place in any spelling; with ``districts`` what the place is called.
    period : int
    neighbours : str
        Set to compare an authority or district with.
    statistic : {"median", "mean"}
        Of the neighbours.
    districts : sequence of str
        Names or codes of the districts that the place is made of.
    children : sequence of float
        Children in each of them, for estimates.
    local : LocalAddition, optional
        Figures of one's own, to stand beside the core's.

    Raises
    ------
    AreaError
        If there is no such place, or numbers of children are given for one that is not made of districts.
    """
    from outcomes_analysis.areas.register import resolve_place
    from outcomes_analysis.places import area_profile, districts_of, neighbour_set, place_of_districts

    if districts or districts_of(name):
        return place_of_districts(name, districts, weights=children or None, period=period)
    code = resolve_place(name)  # a slip of the pen is said before anything is computed
    if children:
        message = f"Numbers of children are for places made of districts, and {name} is none: leave them out."
        raise AreaError(message)
    neighbour_set(neighbours, observations=_told(), period=period)  # likewise
    return area_profile(
        code,
        observations=local.beside(_told()) if local else _told(),
        framework=local.framework if local else None,
        period=period,
        index=default_uncertainty(period),
        parts=default_index(period),
        neighbours=neighbours,
        statistic=statistic,
    )


@cache
def _told() -> pd.DataFrame:
    """The default data without what would give a suppressed figure of a district away."""
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.places.holding_back import district_figures_told
    from outcomes_analysis.sources.release import load_observations

    return district_figures_told(load_observations(), framework=load_framework())


def place_figures(profile: AreaProfile | JoinedPlace) -> dict[str, Figure]:
    """Figures of a place: domains, measures and years beside England, its twin, what scores add up from, targets.

    A place with too few children to be judged has none: its marks would be read as judgements. A district has no
    score, and none either. A place made of districts has these side by side.
    """
    from outcomes_analysis.figures.charts.cohorts import early_years
    from outcomes_analysis.figures.charts.districts import district_rows
    from outcomes_analysis.figures.charts.estimates import equity_gaps
    from outcomes_analysis.figures.charts.fans import trajectory_fan
    from outcomes_analysis.figures.charts.profiles import domain_profile, score_decomposition
    from outcomes_analysis.index import explain
    from outcomes_analysis.places import JoinedPlace

    if isinstance(profile, JoinedPlace):
        return {"districts": district_rows(profile)} if profile.table["lowest"].notna().any() else {}
    index = default_index(profile.period)
    if profile.domains.empty or not profile.domains["ranked"].any():
        return {}
    fans = {
        f"target-{target.indicator.id}": trajectory_fan(target, profile.area_code)
        for target in default_targets()
        if target.table.loc[target.table["area_code"].eq(profile.area_code), "estimate"].notna().any()
    }
    made = {"domain-profile": domain_profile(index, profile.area_code)}
    if profile.equity.domains["status"].eq("computed").any():
        made["equity-gaps"] = equity_gaps(profile.equity)
    if profile.pathway is not None and len(profile.pathway.table) and profile.pathway.table["told"].any():
        made["early-years"] = early_years(profile.pathway)
    for row in profile.domains.to_dict("records"):
        if row["status"] == "computed" and not row["experimental"]:
            node = str(row["node_id"])
            told = explain(index, profile.area_code, node=node)
            made[f"score-decomposition-{node}"] = score_decomposition(
                told, name=profile.name, data_as_at=profile.manifest.data_as_at
            )
    return made | _measured(profile) | fans


def _measured(profile: AreaProfile) -> dict[str, Figure]:
    """Measures of each domain on the spread of all authorities, and the course of its first over the years."""
    from outcomes_analysis.figures.charts.courses import trend
    from outcomes_analysis.figures.charts.spines import spine_chart

    made = {}
    known = profile.table[profile.table["value"].notna() & profile.table["england"].notna()]
    years = profile.series[profile.series["value"].notna()].groupby("indicator_id").size()
    for domain in (node for node in profile.domains["node_id"] if known["domain"].eq(node).any()):
        made[f"spine-{domain}"] = spine_chart(profile, domain=domain, observations=_authorities())
        told = known[known["domain"].eq(domain) & known["contested"].eq("") & known["kind"].eq("outcome")]
        long = [i for i in told["indicator_id"] if years.get(i, 0) >= FEWEST_YEARS]
        made |= {f"trend-{i}": trend(profile, i) for i in long[:1]}
    return made


@cache
def _authorities() -> pd.DataFrame:
    """Figures of all children in upper-tier authorities, which spreads are made of."""
    from outcomes_analysis.areas.register import upper_tier
    from outcomes_analysis.sources.release import load_observations

    told = load_observations()
    return told[told["group_type"].eq("all") & told["area_code"].isin(upper_tier().index) & told["value"].notna()]


def place_cards(profile: AreaProfile | JoinedPlace, figures: Mapping[str, Figure]) -> tuple[EvidenceCard, ...]:
    """Evidence cards of a place: where it stands on each domain it has a score for.

    A place made of districts or with too few children to be judged has none, nor has a district.

    Parameters
    ----------
    profile : AreaProfile or JoinedPlace
    figures : mapping of str to Figure
        Of the place (:func:`place_figures`): what a score adds up from stands on the card, else all domains.
    """
    from outcomes_analysis.evidence.playbook import place_card
    from outcomes_analysis.evidence.playbook.strength import YEARS_BEFORE
    from outcomes_analysis.places import JoinedPlace

    if isinstance(profile, JoinedPlace) or profile.domains.empty:
        return ()
    made = (
        place_card(
            profile,
            name,
            uncertainty=default_uncertainty(profile.period),
            earlier=default_index(profile.period - YEARS_BEFORE),
            figure=figures.get(f"score-decomposition-{name}", figures.get("domain-profile")),
        )
        for name in profile.domains["node_id"]
    )
    return tuple(card for card in made if card is not None)


@cache
def default_targets(own: tuple[tuple[str, float], ...] = ()) -> tuple[Trajectory, ...]:
    """Every national target on the default data, forecast once a process, with the record of past forecasts.

    Parameters
    ----------
    own : tuple of (str, float)
        Local targets of the first of them, by code of the authority.
    """
    from outcomes_analysis.places import trajectory
    from outcomes_analysis.places.goals import national_targets

    goals = national_targets()
    return tuple(
        trajectory(goal.indicator_id, target=goal.target, year=goal.year, own_targets=dict(own) if first else None)
        for goal, first in zip(goals, [True, *[False] * len(goals)], strict=False)
    )


def own_target(path: Path, profile: AreaProfile | JoinedPlace) -> float:
    """Read a place's own target of the first national target's indicator from a file of local ones.

    Parameters
    ----------
    path : Path
        As :func:`outcomes_analysis.sources.local_targets.load_targets` takes it. Lines of other places are checked, and
        nothing of them is given back.
    profile : AreaProfile or JoinedPlace

    Raises
    ------
    SourceError
        If the file is not valid, or has no line for the place.
    """
    from outcomes_analysis.framework.loading import load_framework
    from outcomes_analysis.places import JoinedPlace
    from outcomes_analysis.places.goals import national_targets
    from outcomes_analysis.sources.local_targets import load_targets

    goal = national_targets()[0]
    goals = load_targets(path, indicator=load_framework().indicator(goal.indicator_id))
    if isinstance(profile, JoinedPlace) or profile.area_code not in goals:
        message = (
            f"{path.name} has no target for {profile.name}; {plural(len(goals), 'target', 'targets')} of others "
            "stay at home. Add a line for it (an upper-tier authority), or leave --own out."
        )
        raise SourceError(message)
    return goals[profile.area_code]


def make_workbook(
    name: str,
    path: Path | None = None,
    *,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    districts: Sequence[str] = (),
    children: Sequence[float] = (),
    progress: Progress = _quiet,
) -> Path:
    """Write the workbook of a place, ``packs/NAME.xlsx`` by default; give its path.

    Raises
    ------
    AreaError
        If there is no such place.
    ProjectError
        If it cannot be written.
    """
    from outcomes_analysis.evidence.workbook import place_workbook

    progress("reading the place's figures")
    profile = place_profile(name, period=period, neighbours=neighbours, districts=districts, children=children)
    progress("writing the workbook")
    return write_atomic(path or project().result("packs", f"{_slug(profile)}.xlsx"), place_workbook(profile))


def make_pack(
    name: str,
    folder: Path | None = None,
    *,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    districts: Sequence[str] = (),
    children: Sequence[float] = (),
    local: Path | None = None,
    include: Sequence[str] = (),
    own: Path | None = None,
    workbook: bool = True,
    progress: Progress = _quiet,
) -> MadePack:
    """Put page, evidence cards, workbook, figures, tables and methods of a place into one folder and one zip.

    Parameters
    ----------
    name : str
        An authority, a district or a named place in any spelling; with ``districts`` what the place is called.
    folder : Path, optional
        ``packs/NAME`` by default; the zip lies beside it.
    period : int
    neighbours : str
        Set to compare with.
    districts, children : sequence
        Of a place made of districts: their names or codes, and the children in each for estimates.
    local : Path, optional
        Overlay of local figures.
    include : sequence of str
        Local indicators that may leave; no other does.
    own : Path, optional
        Local targets of the national target's indicator: that of this place leaves with the pack, and no other.
    workbook : bool
        Whether the workbook is among the files.
    progress : callable

    Returns
    -------
    MadePack

    Raises
    ------
    AreaError, SourceError
        If there is no such place, the local figures or targets are not valid, or there is no target for the place.
    ProjectError
        If the folder holds something else, or cannot be written; nothing is changed then.
    """
    from outcomes_analysis.evidence.packing import fingerprint, zip_bytes

    if include and local is None:
        message = "Local indicators are named, and no file of local figures: give it with --local."
        raise ProjectError(message)
    if folder is not None:
        _may_replace(folder)  # before anything is computed
    progress("reading the place's figures")
    profile = place_profile(name, period=period, neighbours=neighbours, districts=districts, children=children)
    target = folder or project().result("packs", _slug(profile))
    _may_replace(target)
    goal = own_target(own, profile) if own is not None else None
    files, notes = _files(
        profile, neighbours=neighbours, local=local, include=include, goal=goal, workbook=workbook, progress=progress
    )
    archive = _archive(target)
    write_atomic(archive, zip_bytes(files))
    write_folder(target, files)
    return MadePack(target, archive, len(files), fingerprint(files), notes)


def make_packs(
    names: Sequence[str] = (),
    *,
    folder: Path | None = None,
    period: int = PERIOD,
    neighbours: str = "dfe_2025",
    workbook: bool = True,
    workers: int = 2,
    progress: Progress = _quiet,
) -> list[MadePack]:
    """Make the pack of every authority, several at a time; each is the same as when made alone.

    Parameters
    ----------
    names : sequence of str
        Places; every upper-tier authority without them.
    folder : Path, optional
        In which each pack gets a folder and a zip; ``packs`` by default.
    period, neighbours, workbook
        As for :func:`make_pack`.
    workers : int
        Processes; each scores the default index once.
    progress : callable

    Returns
    -------
    list of MadePack
        In the order of the places.

    Raises
    ------
    AreaError, ProjectError
        As :func:`make_pack` does; packs made before stay.
    """
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context

    from outcomes_analysis.areas.register import resolve_place, upper_tier

    codes = [resolve_place(name) for name in names] or list(upper_tier().index)
    one = partial(_one_of_many, folder=folder, period=period, neighbours=neighbours, workbook=workbook)
    made: list[MadePack] = []
    progress(f"making {len(codes)} packs")
    if workers == 1:
        return [one(code) for code in codes]
    # started anew, not forked: numerical libraries hold threads that do not survive a fork
    with ProcessPoolExecutor(min(workers, len(codes)), mp_context=get_context("spawn")) as pool:
        for pack in pool.map(one, codes):
            made.append(pack)
            if len(made) % 10 == 0:
                progress(f"{len(made)} of {len(codes)} packs are made")
    return made


def _one_of_many(code: str, *, folder: Path | None, period: int, neighbours: str, workbook: bool) -> MadePack:
    from outcomes_analysis.areas.register import load_register

    slug = _slug_of(str(load_register().loc[code, "name"]))
    target = folder / slug if folder is not None else None
    return make_pack(code, target, period=period, neighbours=neighbours, workbook=workbook)


def _files(
    profile: AreaProfile | JoinedPlace,
    *,
    neighbours: str,
    local: Path | None,
    include: Sequence[str],
    goal: float | None,
    workbook: bool,
    progress: Progress,
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Files of a pack, and what was left out."""
    from outcomes_analysis.evidence.packing import pack_files
    from outcomes_analysis.places import JoinedPlace

    notes: tuple[str, ...] = ()
    table = None
    if local is not None:
        from outcomes_analysis.evidence.local_guard import local_table
        from outcomes_analysis.sources.local import load_local

        table, notes = local_table(load_local(local), _codes(profile), include=include)
    progress("drawing its figures")
    figures = place_figures(profile)
    progress("writing page, workbook and tables")
    asked: dict[str, Any] = {"neighbours": neighbours, "local": sorted(include), "workbook": workbook}
    if isinstance(profile, JoinedPlace):
        spec = profile.spec
        asked |= {"place": profile.name, "period": spec.period, "districts": list(spec.district_codes)}
        asked |= {"children": list(spec.children)}
    else:
        asked |= {"place": profile.area_code, "period": profile.period}
    more = () if table is None else (table,)
    targets: tuple[Trajectory, ...] = ()
    if goal is not None:
        asked["own_target"] = goal
    if not isinstance(profile, JoinedPlace):
        targets = default_targets(() if goal is None else ((profile.area_code, goal),))
    made = pack_files(
        profile,
        figures=figures,
        asked=asked,
        more=more,
        targets=targets,
        cards=place_cards(profile, figures),
        notes=notes,
        workbook=workbook,
    )
    return made, notes


def prove_pack(path: Path, *, progress: Progress = _quiet) -> str:
    """Prove that a pack is unaltered, and where the data and versions are the same, make it again and compare.

    Parameters
    ----------
    path : Path
        Zip or folder.

    Returns
    -------
    str
        What was found, in words.

    Raises
    ------
    ProjectError
        If it is no pack, is altered, or comes out otherwise when made again.
    """
    from outcomes_analysis.evidence.packing import check_pack, read_pack

    progress("comparing every file with the manifest")
    found = check_pack(path)
    said = (
        f"{found.file}: {found.files} files of {found.place}, each as the manifest says. "
        f"Fingerprint {found.fingerprint}."
    )
    asked = found.manifest.get("asked", {})
    if asked.get("local"):
        return f"{said} It holds local figures, so it was not made again here."
    progress("making it again")
    try:
        profile = place_profile(
            str(asked["place"]),
            period=int(asked["period"]),
            neighbours=str(asked["neighbours"]),
            districts=[str(d) for d in asked.get("districts", [])],
            children=[float(n) for n in asked.get("children", [])],
        )
        again, _ = _files(
            profile,
            neighbours=str(asked["neighbours"]),
            local=None,
            include=(),
            goal=float(asked["own_target"]) if "own_target" in asked else None,
            workbook=bool(asked.get("workbook", True)),
            progress=progress,
        )
    except (KeyError, TypeError, ValueError, OutcomesError):
        return f"{said} It could not be made again here: its manifest does not say what for."
    old = read_pack(path)
    differing = sorted(n for n in {*old, *again} if old.get(n) != again.get(n))
    if not differing:
        return f"{said} Made again here, it is the same byte for byte."
    import json

    mine = json.loads(again["manifest.json"])
    other = [key for key in ("data", "versions") if mine[key] != found.manifest.get(key)]
    if other:
        words = " and ".join({"data": "data", "versions": "program versions"}[key] for key in other)
        return f"{said} It was made with other {words} than are here, so it cannot be made again byte for byte."
    message = (
        f"{found.file}: with the same data and versions it comes out otherwise here, in {len(differing)} files "
        f"({', '.join(differing[:5])}). Its manifest was written for other files: make the pack anew."
    )
    raise ProjectError(message)


def _codes(profile: AreaProfile | JoinedPlace) -> tuple[str, ...]:
    from outcomes_analysis.places import JoinedPlace

    return profile.spec.district_codes if isinstance(profile, JoinedPlace) else (profile.area_code,)


def _slug(profile: AreaProfile | JoinedPlace) -> str:
    return _slug_of(profile.name)


def _slug_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _may_replace(folder: Path) -> None:
    """Let an earlier pack, an empty folder or none at all be replaced, and nothing else; the same for the zip."""
    from outcomes_analysis.evidence.packing import check_kind

    for path in (folder, _archive(folder)):
        there = any(path.iterdir()) if path.is_dir() else path.exists()
        if there and not check_kind(path):
            message = f"{path} is there and is not a pack; nothing was written. Choose another place with --out."
            raise ProjectError(message)


def _archive(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.zip")
