"""What is measured, what is not, and how late: by domain, outcome, layer, age stage and area."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from outcomes_analysis import wording
from outcomes_analysis.areas.register import load_register, resolve_place, upper_tier
from outcomes_analysis.framework.model import Framework
from outcomes_analysis.places.comparison import USABLE
from outcomes_analysis.places.quantities import spoken
from outcomes_analysis.places.verdicts import kind_of
from outcomes_analysis.provenance import RunManifest, made_from
from outcomes_analysis.relations.sentences import checked, in_sentence

type Dimension = Literal["domain", "outcome", "layer", "age_stage", "area"]

NEARLY_ALL = 0.9  # of the authorities: what is missing for fewer than one in ten is measured
MOST_NAMED = 8
NAME = 40
HEADS = {"indicators": "all", "not_measured": "not", "months_late": "months"}
SHORTFALL = "Shortfall: "
LAYERS = {
    "child": "children and young people",
    "parent_carer": "parents and carers",
    "system": "services and the system",
}
STAGES = (
    "early years (to 5)",
    "primary years (5 to 11)",
    "secondary years (10 to 18)",
    "young adults (18 to 25)",
    "several stages",
    "adults and services",
)


@dataclass(frozen=True)
class CoverageSpec:
    """What a report was asked for: a place (empty for all authorities) and the year looked back from."""

    area_code: str
    period: int


@dataclass(frozen=True, eq=False)
class CoverageReport:
    """What of a framework is measured.

    Attributes
    ----------
    table : DataFrame
        One row an indicator, in the framework's order: ``domain, outcome, indicator_id, name, layer, tier, kind,
        age_stage, stage, scored, newest`` (period of the newest figure), ``newest_year, months_late`` (from the end of
        that period to the date of the data), ``authorities`` (with a usable figure no older than the indicator bears),
        ``suppressed`` (authorities whose newest figure is held back), ``stale`` (authorities with older figures only),
        ``of, districts`` (with a figure), ``groups`` (kinds of children it is published for), ``status``:
        ``measured`` (for nine in ten authorities), ``partly``, ``stale``, ``suppressed`` or ``not measured``.
    outcomes : DataFrame
        One row a node of the framework, with or without indicators: ``node_id, label, kind, layer, indicators, scored,
        measured, status``.
    gaps : DataFrame
        Domains by age stages: how many scored indicators are measured; 0 is a gap.
    areas : DataFrame
        By authority: indicators with a usable figure, in all and by domain; empty for one place.
    text : str
    spec : CoverageSpec
    manifest : RunManifest
    """

    table: pd.DataFrame
    outcomes: pd.DataFrame
    gaps: pd.DataFrame
    areas: pd.DataFrame
    text: str
    spec: CoverageSpec
    manifest: RunManifest

    def by(self, dimension: Dimension) -> pd.DataFrame:
        """Count what is measured along one dimension.

        Parameters
        ----------
        dimension : {"domain", "outcome", "layer", "age_stage", "area"}

        Returns
        -------
        DataFrame
            ``indicators, scored, measured, partly, stale, not_measured, months_late`` (median); for areas
            :attr:`areas`. Context indicators are left out; outcomes that nothing measures have a row of 0s.
        """
        if dimension == "area":
            return self.areas.copy()
        rows = self.table[self.table["kind"].ne("context")]
        key = {"age_stage": "stage"}.get(dimension, dimension)
        order = {
            "domain": list(dict.fromkeys(rows["domain"])),
            "outcome": list(self.outcomes.loc[self.outcomes["leaf"], "node_id"]),
            "layer": list(LAYERS),
            "age_stage": list(STAGES),
        }[dimension]
        count = pd.crosstab(rows[key], rows["status"]).reindex(index=order, fill_value=0)
        count = count.reindex(columns=["measured", "partly", "stale", "suppressed", "not measured"], fill_value=0)
        late = rows.groupby(key)["months_late"].median()
        return pd.DataFrame(
            {
                "indicators": rows.groupby(key).size().reindex(order, fill_value=0),
                "scored": rows.groupby(key)["scored"].sum().reindex(order, fill_value=0).astype(int),
                "measured": count["measured"],
                "partly": count["partly"],
                "stale": count["stale"],
                "not_measured": count["not measured"] + count["suppressed"],
                "months_late": late.reindex(order),
            }
        ).rename_axis(dimension)


def stage_of(age_stage: str) -> str:
    """Put the ages an indicator is about into one of six stages.

    Parameters
    ----------
    age_stage : str
        As the framework has it: ``birth``, ``6-8 weeks``, ``2-2.5``, ``16-17``, ``services``.

    Returns
    -------
    str
        One of :data:`STAGES`; ages that reach over several are ``several stages``.
    """
    if age_stage == "birth" or "weeks" in age_stage:
        return STAGES[0]
    numbers = [float(x) for x in re.findall(r"\d+(?:\.\d+)?", age_stage)]
    if not numbers or "over" in age_stage:
        return STAGES[5]
    low, high = numbers[0], numbers[-1]
    if high <= 5:
        return STAGES[0]
    if low >= 4 and high <= 11:
        return STAGES[1]
    if low >= 10 and high <= 18:
        return STAGES[2]
    return STAGES[3] if low >= 18 else STAGES[4]


def coverage(
    area: str | None = None,
    *,
    observations: pd.DataFrame | None = None,
    framework: Framework | None = None,
    period: int | None = None,
) -> CoverageReport:
    """Say what of the framework is measured, what is not, and how late.

    Parameters
    ----------
    area : str, optional
        One authority or district; by default all 153 authorities.
    observations : DataFrame, optional
        The tidy table; by default the release.
    framework : Framework, optional
        By default the Common Outcomes Framework.
    period : int, optional
        Year looked back from; by default the latest in which anything was measured.

    Returns
    -------
    CoverageReport
        An inherited or imputed figure is not counted as measured.

    Raises
    ------
    AreaError
        If no such place is known.
    """
    if framework is None:
        from outcomes_analysis.framework.loading import load_framework

        framework = load_framework()
    if observations is None:
        from outcomes_analysis.sources.release import load_observations

        observations = load_observations()
    code = resolve_place(area) if area is not None else ""
    places = pd.Index([code]) if code else upper_tier().index
    name = str(load_register().loc[code, "name"]) if code else ""
    as_of = period or int(observations["period_end"].dt.year.max())
    known = observations[observations["period_end"].dt.year <= as_of]
    stamp = str(observations.attrs.get("data_as_at", "")) or f"{as_of}-12-31"
    table = _table(known, framework=framework, places=places, as_of=as_of, stamp=pd.Timestamp(stamp))
    outcomes = _outcomes(table, framework=framework)
    scored = table[table["scored"] & table["status"].isin(["measured", "partly"])]
    gaps = pd.crosstab(scored["domain"], scored["stage"])
    gaps = gaps.reindex(index=[d.id for d in framework.domains], columns=list(STAGES[:5]), fill_value=0)
    areas = pd.DataFrame() if code else _areas(known, framework=framework, places=places, as_of=as_of)
    spec = CoverageSpec(code, as_of)
    return CoverageReport(
        table=table,
        outcomes=outcomes,
        gaps=gaps,
        areas=areas,
        text=_text(table, outcomes, gaps, areas, framework=framework, name=name, as_of=as_of, stamp=stamp),
        spec=spec,
        manifest=made_from(
            table[["indicator_id", "authorities", "newest"]].to_dict(orient="list"),
            spec=spec,
            data_as_at=observations.attrs.get("data_as_at"),
        ),
    )


def _usable(known: pd.DataFrame, *, framework: Framework, as_of: int) -> pd.DataFrame:
    """Newest usable figure of every area and indicator, with whether it is too old."""
    ages = {i.id: i.max_age for i in framework.indicators}
    rows = known[
        known["indicator_id"].isin(ages)
        & known["group_type"].eq("all")
        & known["value"].notna()
        & known["status"].isin(USABLE)
    ]
    newest = rows.sort_values("period_end", kind="stable").drop_duplicates(["indicator_id", "area_code"], keep="last")
    return newest.assign(fresh=as_of - newest["period_end"].dt.year <= newest["indicator_id"].map(ages))


def _table(
    known: pd.DataFrame, *, framework: Framework, places: pd.Index, as_of: int, stamp: pd.Timestamp
) -> pd.DataFrame:
    """One row an indicator."""
    usable = _usable(known, framework=framework, as_of=as_of)
    register = load_register()
    lower = register.index[register["tier"].eq("lower")]
    here = usable[usable["area_code"].isin(places)]
    latest = known[known["area_code"].isin(places) & known["group_type"].eq("all")]
    latest = latest.sort_values("period_end", kind="stable").drop_duplicates(["indicator_id", "area_code"], keep="last")
    hidden = latest[latest["status"].eq("suppressed")].groupby("indicator_id").size()
    groups = known[known["group_type"].ne("all") & known["value"].notna() & known["area_code"].isin(places)]
    published = groups.groupby("indicator_id")["group_type"].agg(lambda g: ", ".join(sorted(set(g))))
    fresh = here[here["fresh"]].groupby("indicator_id").size()
    stale = here[~here["fresh"]].groupby("indicator_id").size()
    newest = here.sort_values("period_end", kind="stable").drop_duplicates("indicator_id", keep="last")
    newest = newest.set_index("indicator_id")
    districts = usable[usable["area_code"].isin(lower) & usable["fresh"]].groupby("indicator_id").size()
    rows = []
    for i in framework.indicators:
        some, old, held = (int(s.get(i.id, 0)) for s in (fresh, stale, hidden))
        end = newest["period_end"].get(i.id)
        rows.append(
            {
                "domain": framework.domain_of(i.outcome) if i.outcome else "",
                "outcome": i.outcome,
                "indicator_id": i.id,
                "name": i.name,
                "layer": i.layer,
                "tier": i.tier,
                "kind": kind_of(i),
                "age_stage": i.age_stage,
                "stage": stage_of(i.age_stage),
                "scored": i.scored,
                "newest": str(newest["period"].get(i.id, "")),
                "newest_year": float("nan") if end is None else float(end.year),
                "months_late": float("nan") if end is None else round((stamp - end).days / 30.4375, 1),
                "authorities": some,
                "suppressed": held,
                "stale": old,
                "of": len(places),
                "districts": int(districts.get(i.id, 0)),
                "groups": str(published.get(i.id, "")),
                "status": _status(some, old=old, held=held, of=len(places)),
            }
        )
    return pd.DataFrame(rows)


def _status(some: int, *, old: int, held: int, of: int) -> str:
    if some >= NEARLY_ALL * of:
        return "measured"
    if some:
        return "partly"
    if old:
        return "stale"
    return "suppressed" if held else "not measured"


def _outcomes(table: pd.DataFrame, *, framework: Framework) -> pd.DataFrame:
    """One row a node, whether or not anything measures it."""
    rows = []
    for node in framework.nodes:
        ids = [i.id for i in framework.below(node.id)]
        own = table[table["indicator_id"].isin(ids)]
        measured = own[own["status"].isin(["measured", "partly"])]
        scored = int(measured["scored"].sum())
        rows.append(
            {
                "node_id": node.id,
                "label": node.label,
                "kind": node.kind,
                "leaf": not framework.children(node.id),
                "layer": node.layer,
                "indicators": len(own),
                "scored": int(own["scored"].sum()),
                "measured": len(measured),
                "status": "nothing" if measured.empty else "unscored only" if not scored else "measured",
            }
        )
    return pd.DataFrame(rows)


def _areas(known: pd.DataFrame, *, framework: Framework, places: pd.Index, as_of: int) -> pd.DataFrame:
    """Indicators with a usable figure by authority: all, and by domain."""
    usable = _usable(known, framework=framework, as_of=as_of)
    here = usable[usable["area_code"].isin(places) & usable["fresh"]]
    domains = {i.id: framework.domain_of(i.outcome) if i.outcome else "context" for i in framework.indicators}
    counts = pd.crosstab(here["area_code"], here["indicator_id"].map(domains)).reindex(places, fill_value=0)
    order = [d.id for d in framework.domains]
    counts = counts.reindex(columns=[*order, *(c for c in counts if c not in order)], fill_value=0)
    counts.insert(0, "indicators", counts.sum(axis=1))
    counts.insert(0, "area_name", upper_tier().loc[places, "name"])
    counts.columns.name = None
    return counts.rename_axis("area_code").sort_values(["indicators", "area_name"], kind="stable")


def _named(rows: pd.DataFrame, *, dated: bool = False) -> str:
    names = [
        in_sentence(str(r["name"])) + (f" ({spoken(str(r['newest']))})" if dated else "") for _, r in rows.iterrows()
    ]
    more = len(names) - MOST_NAMED
    return "; ".join(names if more <= 0 else [*names[:MOST_NAMED], f"and {more} more"])


def _text(
    table: pd.DataFrame,
    outcomes: pd.DataFrame,
    gaps: pd.DataFrame,
    areas: pd.DataFrame,
    *,
    framework: Framework,
    name: str,
    as_of: int,
    stamp: str,
) -> str:
    """What is measured, what is not, and how late, in sentences."""
    rows = table[table["kind"].ne("context")]
    status = rows["status"].value_counts()
    late = rows["months_late"].dropna()
    where = f"for {name}" if name else "for at least nine in ten of the 153 authorities"
    lines = [
        f"{status.get('measured', 0)} of {len(rows)} indicators have a usable figure {where}, looking back from "
        f"{as_of}; {int(rows['scored'].sum())} of the {len(rows)} count in a score."
    ]
    if len(late):
        lines[0] += (
            f" The middle one's newest period ended {wording.number(late.median(), 0)} months before the data were put "
            f"together ({wording.written_date(stamp)}), a quarter more than {wording.number(late.quantile(0.75), 0)}."
        )
    for kind, words in (
        ("partly", "Only for some authorities"),
        ("stale", "Too old to say much about today"),
        ("suppressed", "Held back by the publisher for confidentiality"),
        ("not measured", "No figure"),
    ):
        some = rows[rows["status"].eq(kind)]
        if len(some):
            lines.append(f"{words}, {len(some)}: {_named(some, dated=kind == 'stale')}.")
    leaves = outcomes[outcomes["leaf"]]
    nothing = leaves[leaves["status"].eq("nothing")]
    if len(nothing):
        lines.append(f"Outcomes that nothing measures: {'; '.join(in_sentence(x) for x in nothing['label'])}.")
    weak = leaves[leaves["status"].eq("unscored only")]
    if len(weak):
        lines.append(
            "Outcomes that only figures outside any score speak of (services, parents, activity): "
            f"{'; '.join(in_sentence(x) for x in weak['label'])}."
        )
    labels = {d.id: d.label for d in framework.domains}
    empty = [
        f"- {labels[domain]}: {', '.join(stage for stage in STAGES[:4] if not row[stage])}"
        for domain, row in gaps.iterrows()
        if (row[list(STAGES[:4])] == 0).any()
    ]
    if empty:
        lines += ["Stages of childhood that no scored figure is about alone:", *empty]
    lacking = [
        f"- {node.label}: {node.note.split(SHORTFALL)[1]}" for node in framework.domains if SHORTFALL in node.note
    ]
    if lacking and name:
        lines.append(
            "What no figure measures anywhere is the same for every place: see the coverage of all authorities."
        )
    elif lacking:
        lines += ["What the framework itself lacks:", *lacking]
    if len(areas):
        fewest = areas.head(5)
        said = "; ".join(f"{r['area_name']} {r['indicators']}" for _, r in fewest.iterrows())
        lines.append(
            f"Indicators with a usable figure by authority: from {areas['indicators'].min()} to "
            f"{areas['indicators'].max()} of {len(table)}. Fewest: {said}."
        )
    quoted = [i.name for i in framework.indicators] + [n.label for n in framework.nodes]
    quoted += [in_sentence(n.label) for n in framework.nodes] + [n.split(": ", 1)[1] for n in lacking]
    return checked("\n".join(lines), quoted=quoted)


def coverage_text(report: CoverageReport, *, by: Dimension = "domain") -> str:
    """Write a report for a terminal: its text, then one table.

    Parameters
    ----------
    report : CoverageReport
    by : {"domain", "outcome", "layer", "age_stage", "area"}

    Returns
    -------
    str
        No line over 100 characters.
    """
    import textwrap

    prose = wording.wrapped(report.text)
    counts = report.by(by)
    if counts.empty:
        return f"{prose}\n"
    if by == "area":
        counts = counts.set_index("area_name")
    names = {row["node_id"]: row["label"] for _, row in report.outcomes.iterrows()} | LAYERS
    index = [textwrap.shorten(names.get(str(i), str(i)), NAME, placeholder=" ...") for i in counts.index]
    heads = [HEADS.get(str(c), str(c)) for c in counts.columns]
    widths = [max(len(h), 5) for h in heads]
    lines = [f"{'':<{NAME}} " + "  ".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True))]
    for label, (_, row) in zip(index, counts.iterrows(), strict=True):
        cells = ["" if np.isnan(float(x)) else f"{float(x):.0f}" for x in row]
        lines.append(f"{label:<{NAME}} " + "  ".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True)))
    key = (
        "all: indicators but context; scored: those that count in a score; partly: for some authorities only; not: not "
        "measured or held back; months: from the end of the newest period, the middle indicator's"
    )
    under = "" if by == "area" else "\n\n" + textwrap.fill(key, 100)
    return f"{prose}\n\n" + "\n".join(lines) + f"{under}\n"
